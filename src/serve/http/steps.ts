// What happens to every request before its handler: a request id, the address, limits, who asks, and whether a page of
// ours sent it. And after: headers, and one line in the log when the last byte is out or the client is gone.

import type { MiddlewareHandler } from 'hono'
import { Failure } from '../../base/failure.ts'
import { newId } from '../../base/ids.ts'
import { csrfHeader } from '../../contract/index.ts'
import { addressKey, rateLimiter, refusedLogIn, takeOrRefuse, type Principal } from '../../govern/index.ts'
import { endedCookie, sessionCookie, sessionTokenOf } from './cookie.ts'
import type { HttpDeps, HttpLimits } from './deps.ts'
import { secure } from './headers.ts'
import { foreignOrigin, hostIsOurs } from './origin.ts'
import type { HttpContext, HttpEnv, Known } from './route.ts'

type Step = MiddlewareHandler<HttpEnv>

const isApi = ({ req }: HttpContext) =>
  req.path.startsWith('/api/') || req.path.startsWith('/iceberg/') || req.path === '/healthz'
export const isTls = ({ settings }: Pick<HttpDeps, 'settings'>): boolean =>
  settings.publicUrl?.startsWith('https:') === true

export const cookieOptions = (
  context: HttpContext,
  deps: Pick<HttpDeps, 'settings'>,
): { host: string | undefined; secure: boolean } => ({
  host: context.req.header('host'),
  secure: isTls(deps),
})

/** First of all: gives the request its id, its signal and its line in the log. */
export function begin(deps: HttpDeps, limits: HttpLimits, stopping: AbortSignal): Step {
  const principals = rateLimiter(limits.perPrincipal, deps.clock)
  return async (context, next) => {
    const { incoming, outgoing } = context.env
    const startedMs = deps.clock.now()
    const gone = new AbortController()
    const known: Known = {
      requestId: newId(startedMs),
      address: incoming.socket.remoteAddress ?? '',
      admit: (principal) => takeOrRefuse(principals, principal.id, 'requests'),
      signal: AbortSignal.any([gone.signal, stopping]),
    }
    context.set('known', known)
    outgoing.once('close', () => {
      const finished = outgoing.writableFinished
      if (!finished) gone.abort(new Failure('QUERY_CANCELLED', 'the client went away'))
      // The query part stays out of the log: a log-in link carries its token there.
      const line = {
        request_id: known.requestId,
        method: context.req.method,
        path: context.req.path,
        status: outgoing.statusCode,
      }
      const more = {
        ms: deps.clock.now() - startedMs,
        address: known.address,
        ...(known.principal ? { principal: known.principal.name } : {}),
      }
      const level = context.req.path === '/healthz' || !isApi(context) ? 'debug' : 'info'
      deps.log[level]('request', { ...line, ...more, ...(finished ? {} : { aborted: true }) })
    })
    await next()
    const { headers } = context.res
    headers.set('x-request-id', known.requestId)
    if (known.setCookie !== undefined) headers.set('set-cookie', known.setCookie)
    secure(headers, { isApi: isApi(context), isTls: isTls(deps) })
  }
}

/** Refuses requests under a name that is not ours, and too many from one address. */
export function guard(deps: HttpDeps, limits: HttpLimits): Step {
  const addresses = rateLimiter(limits.perAddress, deps.clock)
  return async (context, next) => {
    // Probes ask by whatever address they know.
    if (context.req.path === '/healthz') return await next()
    if (!hostIsOurs(context.req.header('host'), deps.settings))
      throw new Failure('FORBIDDEN', 'this server does not go by that name', {
        hint: 'Use localhost, or set public_url (BOATHOUSE_PUBLIC_URL) to the address people use.',
      })
    takeOrRefuse(addresses, addressKey(context.get('known').address), 'requests from this address')
    await next()
  }
}

/** Finds out who asks: by an API token, else by the session cookie. */
export function authenticate(deps: HttpDeps): Step {
  return async (context, next) => {
    const known = context.get('known')
    const found = await principalOf(context, deps)
    if (found) {
      known.principal = found.principal
      if (found.session) known.session = found.session
      known.admit(found.principal)
    }
    const { session } = known
    if (session?.renewed) {
      const cookie = { ...cookieOptions(context, deps), expiresAt: session.expiresAt, nowMs: deps.clock.now() }
      known.setCookie = sessionCookie(session.token, cookie)
    }
    await next()
  }
}

type Found = { principal: Principal; session?: NonNullable<Known['session']> }

async function principalOf(context: HttpContext, { govern, settings }: HttpDeps): Promise<Found | undefined> {
  const bearer = /^Bearer +(\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1]
  if (bearer !== undefined) {
    const principal = await govern.tokens.authenticate(bearer)
    // A wrong token is an error even where nobody need be known: whoever sends one relies on it.
    if (principal) return { principal }
    await govern.audit.record(refusedLogIn('http', 'log in by token', context.get('known').requestId))
    throw new Failure('UNAUTHENTICATED', 'this API token opens nothing (any more)', {
      hint: 'Make a new one with `boathouse token create NAME`.',
    })
  }
  const token = sessionTokenOf(context.req.header('cookie'), context.req.header('host'))
  if (token === undefined) return undefined
  const session = await govern.sessions.authenticate(token)
  if (session) return { principal: session.principal, session: { ...session, token } }
  context.get('known').setCookie = endedCookie(cookieOptions(context, { settings }))
  return undefined
}

/** What changes something must come from a page of ours or from a program: other sites cannot send the header. */
export function sameOrigin(deps: HttpDeps): Step {
  return async (context, next) => {
    const { method } = context.req
    if (method === 'GET' || method === 'HEAD') return await next()
    const sent = {
      host: context.req.header('host'),
      origin: context.req.header('origin'),
      secFetchSite: context.req.header('sec-fetch-site'),
    }
    const foreign = foreignOrigin(sent, deps.settings)
    if (foreign !== undefined)
      throw new Failure('FORBIDDEN', `the request was refused: ${foreign}`, { hint: 'Open the app itself.' })
    if (context.req.header(csrfHeader.name) !== csrfHeader.value)
      throw new Failure('FORBIDDEN', `the header ${csrfHeader.name}: ${csrfHeader.value} is missing`, {
        hint: 'Programs send it with every request that is not GET.',
      })
    await next()
  }
}
