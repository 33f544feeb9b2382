// Requests to one warehouse of a REST catalog: where it is, who we are, what the server can do, and what its refusals
// mean. (Iceberg's REST catalog specification, open-api/rest-catalog-open-api.yaml.)

import { randomBytes } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { Failure, type FailureCode } from '../../base/failure.ts'
import { parseJson, printJson } from '../../iceberg/index.ts'
import {
  defaultRetries,
  encodeName,
  encodeQuery,
  exchange,
  exchangeWithRetries,
  isLostConnection,
  isTransientStatus,
  neverSent,
  sha256,
  signRequest,
  type CredentialSource,
  type HttpRequest,
  type HttpResponse,
} from '../../io/index.ts'
import type { TokenSource } from './oauth.ts'

export type Authentication =
  | { type: 'none' }
  | { type: 'token'; token: TokenSource }
  | { type: 'sigv4'; credentials: CredentialSource; region: string; service: string }

type SessionOptions = {
  /** Of the server, without `/v1`. */
  uri: string
  warehouse: string | undefined
  authentication: Authentication
  /** Sent with every request. */
  headers: Record<string, string>
  clock: Clock
}

export type Call = {
  method: 'GET' | 'HEAD' | 'POST' | 'DELETE'
  /** Below `/v1/{prefix}`, percent-encoded. */
  path: string
  query?: Record<string, string>
  body?: unknown
  headers?: Record<string, string>
  signal?: AbortSignal | undefined
  /** Statuses that are an answer and no failure. */
  accept?: readonly number[]
}
/** `json` is undefined for an empty body. */
export type Answer = { status: number; headers: Record<string, string>; json: unknown }

/** What a request that changes something came to when its answer was lost. */
export type Landed = () => Promise<boolean>

export interface Session {
  /** Whether the server offers an endpoint, such as `POST /v1/{prefix}/transactions/commit`. */
  offers(endpoint: string): boolean
  /** Properties of the catalog: the server's defaults under its overrides. */
  readonly properties: Readonly<Record<string, string>>
  /** `a` and `b.c` as a part of a path, and as the value of a parameter. */
  namespacePath(levels: readonly string[]): string
  namespaceParameter(levels: readonly string[]): string
  /** A request that changes nothing. */
  ask(call: Call): Promise<Answer>
  /**
   * A request that changes something; `undefined` when its answer was lost and `landed` says that it happened.
   * @throws COMMIT_UNKNOWN when that cannot be found out
   */
  change(call: Call, landed: Landed): Promise<Answer | undefined>
}

const bytesMax = 512 * 2 ** 20
const idleMs = 60_000
const [attemptsMax, waitMsMin, waitMsMax] = [6, 100, 5_000]
/** How often a request that changes something is repeated after an answer of 500. */
const failuresMax = 3

/** Asks the server for its configuration of the warehouse first. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { authentication, clock } = options
  let base = baseOf(options.uri)

  async function requestOf(
    { method, path, query, body, headers, signal }: Call,
    refused?: string,
  ): Promise<HttpRequest> {
    const full = `${base.path}/v1/${path}${query ? `?${encodeQuery(query)}` : ''}`
    const bytes = body === undefined ? undefined : Buffer.from(printJson(body))
    const all: Record<string, string> = { accept: 'application/json', ...options.headers, ...headers }
    if (bytes) all['content-type'] = 'application/json'
    const request = { method, origin: base.origin, path: full, body: bytes, signal, bytesMax, idleMs }
    switch (authentication.type) {
      case 'none':
        return { ...request, headers: all }
      case 'token': {
        const token = await authentication.token({ signal, ...(refused !== undefined && { refused }) })
        return { ...request, headers: { ...all, authorization: `Bearer ${token}` } }
      }
      case 'sigv4': {
        const { credentials, region, service } = authentication
        const keys = await credentials({ signal })
        if (!keys) throw new Failure('UNAUTHENTICATED', `there are no AWS keys to sign requests to ${base.origin} with`)
        const signable = { method, host: base.host, path: full, headers: all, payloadHash: sha256(bytes ?? '') }
        return { ...request, headers: signRequest(signable, keys, { region, service, nowMs: clock.now() }) }
      }
    }
  }

  /** Sends by `send`, and once more with a fresh token when the server does not take ours. */
  async function withToken(call: Call, send: (make: () => Promise<HttpRequest>) => Promise<HttpResponse>) {
    let last: HttpRequest | undefined
    const make = (refused?: string) => async () => (last = await requestOf(call, refused))
    const response = await send(make())
    if (![401, 419].includes(response.status) || authentication.type !== 'token') return response
    return send(make(last?.headers?.['authorization']?.replace('Bearer ', '')))
  }

  const unreachable = (cause: unknown) =>
    cause instanceof Failure || (cause instanceof Error && cause.name === 'AbortError')
      ? cause
      : new Failure('CATALOG_FAILED', `the catalog at ${base.origin} cannot be reached: ${(cause as Error).message}`, {
          cause,
        })

  async function ask(call: Call): Promise<Answer> {
    const response = await withToken(call, (make) =>
      exchangeWithRetries(make, { ...defaultRetries, clock, attemptsMax, waitMsMin, waitMsMax }),
    ).catch((cause: unknown) => {
      throw unreachable(cause)
    })
    return answerOf(call, response)
  }

  async function change(call: Call, landed: Landed): Promise<Answer | undefined> {
    // With a key the server itself knows a repeated request; without one we look whether the first one happened.
    const key = idempotent ? { 'idempotency-key': uuidV7(clock.now()) } : {}
    const keyed = { ...call, headers: { ...call.headers, ...key } }
    let isOpen = false
    for (let attempt = 1; ; attempt++) {
      const response = await withToken(keyed, async (make) => exchange(await make())).catch((cause: unknown) => {
        if (!isLostConnection(cause)) throw isOpen ? unknown(call, cause) : unreachable(cause)
        return cause as Error
      })
      const refusedEarly = response instanceof Error ? neverSent(response) : response.status === 429
      const isLost = response instanceof Error || isTransientStatus(response.status)
      if (!isLost) {
        const failure = refusalOf(call, response)
        if (!failure) return answerOf(call, response)
        if (isOpen && (await asked(call, landed))) return undefined
        throw failure
      }
      isOpen ||= !refusedEarly
      if (isOpen && (await asked(call, landed))) return undefined
      // A server that answers and fails each time has not done it; only silence stays unknown.
      if (!(response instanceof Error) && response.status === 500 && attempt >= failuresMax)
        throw refusalOf(call, response)!
      if (attempt === attemptsMax) {
        if (isOpen) throw unknown(call, response)
        throw response instanceof Error ? unreachable(response) : refusalOf(call, response)!
      }
      await clock.sleep(clock.random() * Math.min(waitMsMax, waitMsMin * 2 ** attempt), call.signal)
    }
  }

  const asked = (call: Call, landed: Landed) =>
    landed().catch((cause: unknown) => {
      throw unknown(call, cause)
    })

  const unknown = (call: Call, cause: unknown) =>
    new Failure(
      'COMMIT_UNKNOWN',
      `what became of ${call.method} ${call.path} is not known: the catalog at ${base.origin} gave no answer`,
      { cause },
    )

  // ---- what the server says about itself

  let idempotent = false
  const call: Call = {
    method: 'GET',
    path: 'config',
    ...(options.warehouse !== undefined && { query: { warehouse: options.warehouse } }),
  }
  const config = ((await ask(call)).json ?? {}) as {
    defaults?: Record<string, string>
    overrides?: Record<string, string>
    endpoints?: string[]
    'idempotency-key-lifetime'?: string
  }
  const properties: Record<string, string> = { ...config.defaults, ...config.overrides }
  idempotent = config['idempotency-key-lifetime'] !== undefined
  if (properties['uri']) base = baseOf(properties['uri'])
  const endpoints = new Set(config.endpoints ?? defaultEndpoints(properties))
  const separator = properties['namespace-separator'] ?? '%1F'
  const prefixPath = properties['prefix'] ? `${properties['prefix'].replace(/[^!-~]|[|"<>^`{}\\]/g, encodeName)}/` : ''
  const below = (one: Call): Call => ({ ...one, path: prefixPath + one.path })

  return {
    properties,
    offers: (endpoint) => endpoints.has(endpoint),
    namespacePath: (levels) => levels.map(encodeName).join(separator),
    namespaceParameter: (levels) => levels.join(decodeURIComponent(separator)),
    ask: (one) => ask(below(one)),
    change: (one, landed) => change(below(one), landed),
  }
}

function baseOf(uri: string): { origin: string; host: string; path: string } {
  const { origin, host, pathname } = new URL(uri)
  return { origin, host, path: pathname.replace(/\/+$/, '').replace(/\/v1$/, '') }
}

/** What servers can that do not list it. (Specification, `CatalogConfig.endpoints`; Java adds views by a
 * property, which Nessie leaves out.) */
function defaultEndpoints(properties: Record<string, string>): string[] {
  const tables = ['GET', 'POST'].map((method) => `${method} /v1/{prefix}/namespaces/{namespace}/tables`)
  const views = ['GET', 'POST'].map((method) => `${method} /v1/{prefix}/namespaces/{namespace}/views`)
  return [
    ...tables,
    'POST /v1/{prefix}/transactions/commit',
    'POST /v1/{prefix}/namespaces/{namespace}/register',
    ...(properties['view-endpoints-supported'] === 'true' || properties['nessie.is-nessie-catalog'] === 'true'
      ? views
      : []),
  ]
}

/** Version 7 of RFC 9562, which the specification asks for: 48 bits of time, the rest by chance. */
function uuidV7(nowMs: number): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(nowMs, 0, 6)
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

// ---- answers

function answerOf(call: Call, response: HttpResponse): Answer {
  const failure = refusalOf(call, response)
  if (failure) throw failure
  const { status, headers, body } = response
  return { status, headers, json: body.length === 0 ? undefined : parsed(body) }
}

function parsed(body: Uint8Array): unknown {
  try {
    return parseJson(Buffer.from(body).toString())
  } catch (cause) {
    throw new Failure('CATALOG_FAILED', 'the catalog answered with something else than JSON', { cause })
  }
}

const byType: Record<string, FailureCode> = {
  NoSuchNamespaceException: 'NAMESPACE_NOT_FOUND',
  NoSuchTableException: 'TABLE_NOT_FOUND',
  NoSuchViewException: 'TABLE_NOT_FOUND',
  NoSuchWarehouseException: 'NOT_FOUND',
  AlreadyExistsException: 'ALREADY_EXISTS',
  NamespaceNotEmptyException: 'NAMESPACE_NOT_EMPTY',
  CommitFailedException: 'COMMIT_CONFLICT',
}
const byStatus: Record<number, FailureCode> = {
  400: 'REQUEST_INVALID',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'UNSUPPORTED',
  406: 'UNSUPPORTED',
  409: 'COMMIT_CONFLICT',
  413: 'PAYLOAD_TOO_LARGE',
  419: 'UNAUTHENTICATED',
  422: 'REQUEST_INVALID',
  429: 'RATE_LIMITED',
  501: 'UNSUPPORTED',
}

/** The server's own words under our code; undefined for what is no refusal. */
function refusalOf({ method, path, headers, accept = [] }: Call, { status, body }: HttpResponse): Failure | undefined {
  if ((status >= 200 && status < 300) || accept.includes(status)) return undefined
  const { message, type } = errorIn(body)
  const code = byType[type ?? ''] ?? byStatus[status] ?? 'CATALOG_FAILED'
  const words = message ?? `${method} ${path} was answered with status ${status}`
  // Polaris refuses a table when it cannot give keys to it, and says so in words only.
  const isAboutKeys = status === 400 && headers?.['x-iceberg-access-delegation'] !== undefined && /\bvend/i.test(words)
  return new Failure(code, `the catalog says: ${words}`, {
    status,
    ...(type !== undefined && { type }),
    ...(isAboutKeys && { hint: 'Set `catalog.vended_credentials: false`, and give keys to the storage as AWS_….' }),
  })
}

function errorIn(body: Uint8Array): { message?: string; type?: string } {
  try {
    const { error } = JSON.parse(Buffer.from(body.subarray(0, 65_536)).toString()) as {
      error?: Record<string, unknown>
    }
    const { message, type } = error ?? {}
    return { ...(typeof message === 'string' && { message }), ...(typeof type === 'string' && { type }) }
  } catch {
    return {}
  }
}
