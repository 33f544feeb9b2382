// One HTTP exchange, over node:http rather than fetch: the names of objects and namespaces have to reach the server as
// they were written, and URL parsing folds `a/../b` and even `%2E%2E`. Bodies are whole: large files travel in parts.

import type { IncomingMessage } from 'node:http'
import { realClock, type Clock } from '../base/clock.ts'

// An import statement would look at every export of node:http, and some of them load fetch and WebSocket: at every start.
const { Agent: HttpAgent, request: httpRequest } = process.getBuiltinModule('node:http')
const { Agent: HttpsAgent, request: httpsRequest } = process.getBuiltinModule('node:https')

export type HttpRequest = {
  method: string
  /** `https://host:port`, without a path. */
  origin: string
  /** Percent-encoded already, with its query. */
  path: string
  headers?: Record<string, string>
  body?: Uint8Array | undefined
  signal?: AbortSignal | undefined
  /** Longest silence of the other side. */
  idleMs?: number | undefined
  /** Longest answer; a longer one is refused. */
  bytesMax?: number | undefined
}
/** Names of headers are lower-case. */
export type HttpResponse = { status: number; headers: Record<string, string>; body: Uint8Array }

const agents = {
  'http:': new HttpAgent({ keepAlive: true, maxSockets: 64, keepAliveMsecs: 10_000 }),
  'https:': new HttpsAgent({ keepAlive: true, maxSockets: 64, keepAliveMsecs: 10_000 }),
}

/** Any status is an answer. Rejects with what the network said (`code`), or with the reason of the signal. */
export function exchange(request: HttpRequest): Promise<HttpResponse> {
  const { method, origin, path, headers = {}, body, signal, idleMs = 30_000, bytesMax = 2 ** 31 } = request
  const url = new URL(origin)
  const secure = url.protocol === 'https:'
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error)
    const length = body ? { 'content-length': String(body.length) } : {}
    const outgoing = (secure ? httpsRequest : httpRequest)({
      method,
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || (secure ? 443 : 80),
      path,
      headers: { ...headers, ...length },
      agent: agents[secure ? 'https:' : 'http:'],
      timeout: idleMs,
    })
    const onAbort = () => outgoing.destroy(new Error('aborted'))
    const fail = (error: Error) => {
      signal?.removeEventListener('abort', onAbort)
      outgoing.destroy()
      reject(signal?.aborted ? (signal.reason as Error) : error)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    outgoing.on('timeout', () => outgoing.destroy(coded(`no answer for ${idleMs / 1_000} s`, 'ETIMEDOUT')))
    outgoing.on('error', fail)
    outgoing.on('response', (incoming) => {
      collect(incoming, method, bytesMax).then((answer) => {
        signal?.removeEventListener('abort', onAbort)
        resolve(answer)
      }, fail)
    })
    outgoing.end(body)
  })
}

async function collect(incoming: IncomingMessage, method: string, bytesMax: number): Promise<HttpResponse> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  const announced = method === 'HEAD' ? 0 : Number(headers['content-length'] ?? 0)
  const chunks: Buffer[] = []
  let size = 0
  const tooLong = () => coded(`the answer is longer than ${bytesMax} bytes`, 'EMSGSIZE')
  if (announced > bytesMax) throw tooLong()
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > bytesMax) throw tooLong()
    chunks.push(chunk)
  }
  if (size < announced) throw coded(`the answer broke off after ${size} of ${announced} bytes`, 'ECONNRESET')
  return { status: incoming.statusCode ?? 0, headers, body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks) }
}

export const coded = (message: string, code: string): Error => Object.assign(new Error(message), { code })

export type RetryPolicy = { attemptsMax: number; waitMsMin: number; waitMsMax: number; clock: Clock }
export const defaultRetries: RetryPolicy = { attemptsMax: 6, waitMsMin: 100, waitMsMax: 10_000, clock: realClock }

/** Answers after which the same request may succeed. */
export const isTransientStatus = (status: number): boolean =>
  status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501 && status !== 505)

const codesBefore = ['ECONNREFUSED', 'EAI_AGAIN', 'ENOTFOUND', 'ENETUNREACH', 'EHOSTUNREACH', 'ENETDOWN']
const codesOnTheWay = ['ECONNRESET', 'ECONNABORTED', 'ETIMEDOUT', 'EPIPE']
const hasCode = (error: unknown, codes: readonly string[]) =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code))

/** There was no connection: the request took no effect. */
export const neverSent = (error: unknown): boolean => hasCode(error, codesBefore)
/** The network failed, not the request: it may have taken effect, unless it was never sent. */
export const isLostConnection = (error: unknown): boolean => neverSent(error) || hasCode(error, codesOnTheWay)

/**
 * Sends until the answer is not transient, or the attempts are used up: then the last answer is given or the last error
 * thrown. Only for requests that may take effect twice. `make` is asked for each attempt, so that it is signed anew.
 */
export async function exchangeWithRetries(
  make: (attempt: number) => HttpRequest | Promise<HttpRequest>,
  { attemptsMax, waitMsMin, waitMsMax, clock }: RetryPolicy,
): Promise<HttpResponse> {
  for (let attempt = 1; ; attempt++) {
    const request = await make(attempt)
    const result = await exchange(request).catch((error: unknown) => {
      if (!isLostConnection(error) || attempt >= attemptsMax) throw error
      return undefined
    })
    if (result && (!isTransientStatus(result.status) || attempt >= attemptsMax)) return result
    await clock.sleep(
      Math.max(retryAfterMs(result, waitMsMax), waitMs(attempt, clock.random(), waitMsMin, waitMsMax)),
      request.signal,
    )
  }
}

/** Full jitter: those that failed together should not come back together. `random` is in [0, 1). */
const waitMs = (attempt: number, random: number, min: number, max: number) => random * Math.min(max, min * 2 ** attempt)

function retryAfterMs(response: HttpResponse | undefined, max: number): number {
  const seconds = Number(response?.headers['retry-after'])
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(max, seconds * 1_000) : 0
}
