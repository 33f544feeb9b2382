// The Iceberg REST catalog: the way in and the way out of every request below `/iceberg`.
//
//     request ─▶ endpoint ─▶ who asks ─▶ warehouse ─▶ body ─▶ once per Idempotency-Key ─▶ handler
//     answer  ◀─ errors in the specification's shape ◀─ audit ◀──────────────────────────────┘

import { z } from 'zod'
import { asFailure, Failure } from '../../base/failure.ts'
import { showName } from '../../catalog/index.ts'
import { logInAs, refusedLogIn, type Principal } from '../../govern/index.ts'
import { parseJson, printJson } from '../../iceberg/index.ts'
import { readText } from '../http/body.ts'
import { done, loadedOf, type Answer, type Call, type Rest } from './call.ts'
import type { IcebergRestDeps } from './deps.ts'
import { endpoints, findEndpoint } from './endpoints.ts'
import { errorAnswer, restError } from './errors.ts'
import { keyLifetime, once, type Kept } from './idempotency.ts'
import { openLocations } from './locations.ts'
import { tokenAnswer } from './oauth.ts'
import { may } from './rights.ts'
import { tableAnswer } from './tables.ts'
import { viewAnswer } from './views.ts'
import { openWarehouses, type Warehouse } from './warehouses.ts'

const [bodyBytesUsual, bodyMsUsual] = [32 * 2 ** 20, 30_000]

/**
 * Of one request, from the steps before: its id, a signal that aborts when the client goes away, and who refuses those who
 * ask too often.
 */
type Known = {
  requestId: string
  signal: AbortSignal
  /** @throws RATE_LIMITED */
  admit(principal: Principal): void
  principal?: Principal
}

export type IcebergRest = {
  /** Answers a request whose path begins with `/iceberg`. Never throws. `known.principal` is set once it is known. */
  answer(request: Request, known: Known): Promise<Response>
  /** A failure before or outside of `answer`, in the same shape. */
  failed(error: unknown, requestId: string): Response
}

export function icebergRest(deps: IcebergRestDeps): IcebergRest {
  const { settings, storage, log, clock } = deps
  const rest: Rest = {
    deps,
    catalog: deps.catalog,
    warehouses: openWarehouses(deps.catalog, settings),
    locations: openLocations(storage.root, storage.locations),
  }
  const limits = {
    bodyBytesMax: settings.bodyBytesMax ?? bodyBytesUsual,
    bodyMs: settings.bodyMs ?? bodyMsUsual,
  }

  async function answer(request: Request, known: Known): Promise<Response> {
    const path = /^https?:\/\/[^/]*\/iceberg(\/[^?#]*)?/.exec(request.url)?.[1] ?? '/'
    const query = new URL(request.url).searchParams
    const head = request.method === 'HEAD'
    try {
      if (settings.closed !== undefined) throw new Failure('FORBIDDEN', settings.closed, { hint: '' })
      if (path === '/v1/oauth/tokens' && request.method === 'POST')
        return await tokenAnswer(await readText(request, limits), request.headers, deps.govern.tokens, (name) =>
          refused(logInAs(name), known.requestId),
        )
      known.principal = await principalOf(request.headers, known.requestId)
      // A cluster that reads a table asks for a signature per file, from many machines as one principal.
      if (!path.endsWith('/sign')) known.admit(known.principal)
      if (path === '/v1/config' && request.method === 'GET') return await config(query.get('warehouse') ?? undefined)
      return await dispatch(request, path, query, known, known.principal)
    } catch (error) {
      return errorAnswer(error, { requestId: known.requestId, log, head })
    }
  }

  const refused = (action: string, requestId: string) =>
    deps.govern.audit.record(refusedLogIn('iceberg', action, requestId))

  async function principalOf(headers: Headers, requestId: string): Promise<Principal> {
    const token = /^Bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1]
    const hint = 'Make a token with `boathouse token create NAME`.'
    if (token === undefined) throw new Failure('UNAUTHENTICATED', `an API token is needed. ${hint}`)
    const principal = await deps.govern.tokens.authenticate(token)
    if (principal) return principal
    await refused('log in by token', requestId)
    if (await deps.govern.tokens.hasExpired(token))
      throw new Failure('UNAUTHENTICATED', `the API token is too old. ${hint}`, {
        restStatus: 419,
        restType: 'AuthenticationTimeoutException',
      })
    throw new Failure('UNAUTHENTICATED', `this API token opens nothing (any more). ${hint}`)
  }

  async function config(name: string | undefined): Promise<Response> {
    const warehouse = await rest.warehouses.named(name)
    return print({
      status: 200,
      body: {
        // Our tokens are not exchanged for others and do not end by themselves.
        defaults: { 'token-refresh-enabled': 'false', 'token-exchange-enabled': 'false', ...deps.storage.config },
        overrides: warehouse.prefix === undefined ? {} : { prefix: warehouse.prefix },
        endpoints: Object.keys(endpoints),
        'idempotency-key-lifetime': keyLifetime,
      },
    })
  }

  async function dispatch(
    request: Request,
    path: string,
    query: URLSearchParams,
    known: Known,
    principal: Principal,
  ): Promise<Response> {
    const { method, headers } = request
    const { endpoint, prefix, params } = findEndpoint(method, path)
    const warehouse = await rest.warehouses.prefixed(prefix)
    const key = endpoint.changes ? keyOf(headers) : undefined
    const text = method === 'POST' ? await readText(request, limits) : ''
    const call: Call = {
      method,
      principal,
      policy: await deps.govern.access.policy(),
      warehouse,
      params,
      query,
      headers,
      body: undefined,
      commit: { by: `${principal.name} by ${clientOf(headers)}`, signal: known.signal },
      touched: [],
      log,
    }
    const options = { requestId: known.requestId, log, warehouse, head: method === 'HEAD' }
    const handle = async () => {
      if (method === 'POST') call.body = bodyOf(text)
      return await endpoint.handle(call, rest)
    }
    try {
      const isTold = endpoint.changes || endpoint.opens ? 'always' : 'refused'
      const work = () => audited(call, known.requestId, `${method} ${path.slice(0, 300)}`, isTold, handle)
      if (key === undefined) return print(await work())
      return print(
        await once(
          { records: deps.records, clock },
          { principal: principal.id, key, request: `${method} ${path}?${query} ${text}` },
          {
            async work(id) {
              call.commit.once = id
              return await work().catch((error: unknown) => keptError(error, warehouse))
            },
            again: (kept) => again(kept, call),
            happened: () => outcome(call, path, text),
          },
        ),
      )
    } catch (error) {
      return errorAnswer(error, options)
    }
  }

  async function audited(
    call: Call,
    requestId: string,
    action: string,
    isTold: 'always' | 'refused',
    work: () => Promise<Answer>,
  ): Promise<Answer> {
    const startedMs = clock.now()
    const record = async (verdict: 'allowed' | 'refused' | 'failed', failureCode?: string) => {
      if (isTold === 'refused' && verdict !== 'refused') return
      await deps.govern.audit.record({
        principal: call.principal,
        door: 'iceberg',
        action,
        verdict,
        tables: call.touched.length > 0 ? call.touched : await namedBy(call),
        failureCode,
        ms: clock.now() - startedMs,
        requestId,
      })
    }
    let value: Answer
    try {
      value = await work()
    } catch (error) {
      const { code } = asFailure(error)
      await record(code === 'FORBIDDEN' ? 'refused' : 'failed', code)
      throw error
    }
    await record('allowed').catch((cause: unknown) => {
      if (call.touched.length === 0) throw cause
      // 500 tells the client to look before it takes the change for failed and deletes its files.
      throw new Failure('COMMIT_UNKNOWN', 'the change was made, but the audit could not be written', { cause })
    })
    return value
  }

  /** The table or view of a request's path. */
  async function namedBy({ params, warehouse }: Call): Promise<string[]> {
    const name = params.table || params.view
    const place = name ? await warehouse.place(params.namespace).catch(() => undefined) : undefined
    return place?.kind === 'namespace' ? [showName({ ...place, name })] : []
  }

  /** Errors that a copy of the request is to get too. */
  function keptError(error: unknown, warehouse: Warehouse): Kept {
    const { status, type, message } = restError(asFailure(error), warehouse)
    if (status >= 500) throw error
    return { status, body: { error: { message, type, code: status } } }
  }

  /** The answer to a copy: what it showed may have changed since, which the specification allows. */
  async function again(kept: Kept, call: Call): Promise<Kept> {
    if (!kept.shows) return kept
    may(call, rest, 'read', kept.shows.name, kept.shows.kind)
    const loaded = await loadedOf(kept.shows.name, kept.shows.kind, rest)
    return loaded.kind === 'table' ? await tableAnswer(call, rest, loaded) : viewAnswer(loaded)
  }

  /** The answer to a change that was made, when the one that it had is lost: what it made or changed, as it is now. */
  async function outcome(call: Call, path: string, text: string): Promise<Kept> {
    const { params, warehouse, method } = call
    const made = /\/(tables|register|views|register-view)$/.exec(path)?.[1]
    const named = made === undefined ? params.table || params.view : (bodyOf(text) as { name?: string }).name
    const place = await warehouse.place(params.namespace)
    if (method !== 'POST' || !named || place?.kind !== 'namespace' || path.endsWith('/unregister')) return done
    const kind = params.view !== '' || made?.includes('view') ? 'view' : 'table'
    const name = { catalog: place.catalog, namespace: place.namespace, name: named }
    return await again({ status: 200, shows: { name, kind } }, call)
  }

  return { answer, failed: (error, requestId) => errorAnswer(error, { requestId, log }) }
}

const Key = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i)

function keyOf(headers: Headers): string | undefined {
  const key = headers.get('idempotency-key')
  if (key === null) return undefined
  if (!Key.safeParse(key).success) throw new Failure('REQUEST_INVALID', 'Idempotency-Key: expected a UUID')
  return key
}

function bodyOf(text: string): unknown {
  try {
    return parseJson(text, 'body')
  } catch (error) {
    throw new Failure('REQUEST_INVALID', text === '' ? 'body: empty' : asFailure(error).message, { cause: error })
  }
}

/** What the client calls itself: conflicts are explained by it. */
function clientOf(headers: Headers): string {
  const agent = headers.get('x-client-version') ?? headers.get('user-agent') ?? ''
  return /^[\w .()/+-]{1,60}/.exec(agent)?.[0].trim() || 'an Iceberg client'
}

function print({ status, body, headers }: Answer): Response {
  const hasBody = body !== undefined && status !== 204 && status !== 304
  return new Response(hasBody ? printJson(body) : null, {
    status,
    headers: { ...(hasBody && { 'content-type': 'application/json' }), ...headers },
  })
}
