// Server-sent events: every open page hears what changes. A stream is a bounded queue; a page that does not keep up is
// cut off, comes back by itself, and the hello at the beginning makes it ask again for what it shows. So nothing is
// kept for anybody, and ids of events are not needed.

import { Failure } from '../../base/failure.ts'
import type { Event } from '../../contract/index.ts'
import { mayAct, type Principal } from '../../govern/index.ts'
import type { HttpDeps, HttpLimits } from './deps.ts'

type Reader = { principal: Principal; token?: string; signal: AbortSignal }
/** `hears`: runs, publications and files are for those who may look at them. */
type Stream = { owner: string; hears: boolean; send(text: string): void; end(): void }

export interface EventStreams {
  /** @throws RATE_LIMITED when there are too many streams */
  open(reader: Reader): Response
  /** Ends all streams and takes no more. */
  close(): void
}

const retryMs = 2_000

export function openEventStreams(deps: HttpDeps, limits: HttpLimits): EventStreams {
  const streams = new Set<Stream>()
  let closed = false
  const stop = deps.events((event) => {
    const text = `data: ${JSON.stringify(event)}\n\n`
    for (const stream of streams) if (stream.hears) stream.send(text)
  })

  return {
    open({ principal, token, signal }) {
      if (closed) throw new Failure('ENGINE_BUSY', 'the server is stopping')
      const mine = [...streams].filter(({ owner }) => owner === principal.id)
      if (streams.size >= limits.eventStreamsMax || mine.length >= limits.eventStreamsPerPrincipalMax)
        throw new Failure('RATE_LIMITED', 'too many pages are open', { hint: 'Close some and try again.' })
      return new Response(start(principal, token, signal), {
        headers: { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' },
      })
    },
    close() {
      closed = true
      stop()
      for (const stream of streams) stream.end()
    },
  }

  function start(principal: Principal, token: string | undefined, signal: AbortSignal): ReadableStream<Uint8Array> {
    const encoder = new TextEncoder()
    let stream: Stream | undefined
    let beat: NodeJS.Timeout | undefined
    const end = () => {
      clearInterval(beat)
      signal.removeEventListener('abort', end)
      if (stream && streams.delete(stream)) controllerOf.get(stream)?.close()
    }
    const controllerOf = new WeakMap<Stream, ReadableStreamDefaultController<Uint8Array>>()

    return new ReadableStream<Uint8Array>(
      {
        start(controller) {
          stream = {
            owner: principal.id,
            hears: mayAct(principal, 'read', { kind: 'run', name: 'of this project' }),
            send(text) {
              // desiredSize counts what waits: below zero the page is too slow.
              if ((controller.desiredSize ?? 0) <= 0) end()
              else controller.enqueue(encoder.encode(text))
            },
            end,
          }
          controllerOf.set(stream, controller)
          streams.add(stream)
          const hello: Event = { kind: 'hello', version: deps.about.version }
          stream.send(`retry: ${retryMs}\ndata: ${JSON.stringify(hello)}\n\n`)
          beat = setInterval(() => void heartbeat(), limits.heartbeatMs)
          if (signal.aborted) end()
          else signal.addEventListener('abort', end, { once: true })
        },
        cancel: end,
      },
      { highWaterMark: limits.eventsWaitingMax },
    )

    /** Keeps proxies from closing a silent stream, and ends the stream of who was logged out meanwhile. */
    async function heartbeat() {
      try {
        if (token !== undefined && !(await deps.govern.sessions.authenticate(token))) return end()
      } catch (error) {
        deps.log.debug('session of an event stream not checked', { reason: (error as Error).message })
      }
      stream?.send(': still here\n\n')
    }
  }
}
