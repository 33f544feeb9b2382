// The client of the HTTP API: one function, typed by the route table of the contract. Only types are imported,
// so no schema is in the bundle.

import type { Answered, Failure, QueryLine, RouteKey, SentTo, csrfHeader } from '../../../src/contract/index.ts'

const csrf = { 'x-boathouse': '1' } satisfies Record<(typeof csrfHeader)['name'], (typeof csrfHeader)['value']>

/** What the server said, or that it said nothing, as something to show. */
export class CallFailed extends Error {
  readonly failure: Failure
  readonly status: number
  constructor(failure: Failure, status: number) {
    super(failure.message)
    this.failure = failure
    this.status = status
  }
}

type Given<Value, Key extends string> = [Value] extends [undefined] ? { [K in Key]?: undefined } : { [K in Key]: Value }
type Sent<Key extends RouteKey> = Given<SentTo<Key>['params'], 'params'> &
  ([SentTo<Key>['query']] extends [undefined] ? { query?: undefined } : { query?: SentTo<Key>['query'] }) &
  Given<SentTo<Key>['body'], 'body'> & { signal?: AbortSignal }

/** Asks the server; throws CallFailed. `?env=` of the page goes along. */
export async function call<Key extends RouteKey>(key: Key, sent: Sent<Key>): Promise<Answered<Key>> {
  const response = await request(key, sent)
  return (await json(response)) as Answered<Key>
}

/** A route that answers in lines: yields them as they arrive, so a slow reader slows the server down. */
export async function* lines(key: 'POST /api/query/stream', sent: Sent<typeof key>): AsyncGenerator<QueryLine> {
  const response = await request(key, sent)
  let rest = ''
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const whole = (rest + part.value).split('\n')
      rest = whole.pop()!
      for (const line of whole) if (line !== '') yield JSON.parse(line) as QueryLine
    }
    if (rest !== '') yield JSON.parse(rest) as QueryLine
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

type Parts = { params?: unknown; query?: unknown; body?: unknown; signal?: AbortSignal }
async function request(key: RouteKey, sent: Parts): Promise<Response> {
  const at = key.indexOf(' ')
  const method = key.slice(0, at)
  const { signal } = sent
  const [params, query] = [sent.params as Record<string, string>, sent.query as Record<string, unknown>]
  const body = sent.body as Record<string, string | Blob> | undefined
  const url = address(key.slice(at + 1), params ?? {}, query ?? {})
  const form = body && Object.values(body).some((value) => value instanceof Blob)
  const response = await fetch(url, {
    method,
    headers: { ...(method === 'GET' ? {} : csrf), ...(body && !form ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: form ? formOf(body) : JSON.stringify(body) } : {}),
    ...(signal ? { signal } : {}),
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error
    throw new CallFailed(
      unreachable('The server does not answer.', 'Check that Boathouse is running and the network is up.'),
      0,
    )
  })
  if (response.ok) return response
  const failure = (await json(response)) as Failure
  const known = typeof failure?.code === 'string' && typeof failure?.message === 'string'
  const shown = known
    ? failure
    : unreachable(`The server answered ${response.status}.`, 'Look at the log of the server.')
  if (response.status === 401) window.dispatchEvent(new CustomEvent('boathouse:logged-out'))
  throw new CallFailed(shown, response.status)
}

async function json(response: Response): Promise<unknown> {
  try {
    return await response.json()
  } catch {
    throw new CallFailed(
      unreachable(
        `The server answered ${response.status} with something that is not JSON.`,
        'Is another program listening on this port?',
      ),
      response.status,
    )
  }
}

const unreachable = (message: string, hint: string): Failure => ({ code: 'UNREACHABLE', message, hint, requestId: '' })

/** Fills `:name` parts and appends the query; undefined values are left out. */
export function address(path: string, params: Record<string, string>, query: Record<string, unknown>): string {
  const filled = path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name]!))
  const env = new URLSearchParams(globalThis.location?.search).get('env')
  const search = new URLSearchParams(env ? { env } : {})
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value))
  return search.size === 0 ? filled : `${filled}?${search}`
}

function formOf(body: Record<string, string | Blob>): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(body)) form.set(name, value)
  return form
}

export const asFailure = (error: unknown): Failure =>
  error instanceof CallFailed
    ? error.failure
    : {
        code: 'INTERNAL',
        message: error instanceof Error ? error.message : String(error),
        hint: 'Reload the page.',
        requestId: '',
      }
