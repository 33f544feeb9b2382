// Wakes those who wait: a worker for work, a watcher for news. A wake-up carries no data and may be lost or doubled,
// because the truth is in the records and everybody looks there again after a while. So Redis, which carries
// wake-ups between processes, may come and go: without it things are slower by one poll, and nothing else.

import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Remote } from './redis-bus.ts'

/** `queue`: there may be a run to take or to cancel. `journal`: there are new log lines. */
export type Topic = 'queue' | 'journal'

export type Bus = {
  wake(topic: Topic): void
  /** Resolves at the next wake-up of the topic or after `ms`, and at once when the signal is aborted. */
  wait(topic: Topic, ms: number, signal: AbortSignal): Promise<void>
  /** Really asks Redis: `off` when none is configured. */
  redis(): Promise<'off' | 'ok' | 'down'>
  /** True while wake-ups come from other processes too, so that polling may be rare. */
  readonly remote: boolean
  close(): Promise<void>
}

type Options = { clock: Clock; log: Log; redisUrl: string | undefined; channel: string }

export function openBus({ clock, log, redisUrl, channel }: Options): Bus {
  const waiters: Record<Topic, Set<() => void>> = { queue: new Set(), journal: new Set() }
  const wakeHere = (topic: Topic) => {
    for (const waiter of waiters[topic]) waiter()
  }
  // The client is read only where there is a Redis: every command would else start later by a third.
  let remote: Remote | undefined
  const opening = redisUrl
    ? import('./redis-bus.ts').then(
        ({ openRemote }) => (remote = openRemote({ url: redisUrl, channel, log, onWake: wakeHere })),
      )
    : undefined
  return {
    wake: (topic) => {
      wakeHere(topic)
      remote?.publish(topic)
    },
    wait: (topic, ms, signal) => wait(waiters[topic], clock, ms, signal),
    redis: async () => (await opening)?.check() ?? 'off',
    get remote() {
      return remote?.isReady() ?? false
    },
    close: async () => (await opening)?.close(),
  }
}

async function wait(waiters: Set<() => void>, clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const done = new AbortController()
  waiters.add(resolve)
  try {
    const slept = clock.sleep(ms, AbortSignal.any([signal, done.signal])).catch(() => {})
    await Promise.race([promise, slept])
  } finally {
    waiters.delete(resolve)
    done.abort()
  }
}
