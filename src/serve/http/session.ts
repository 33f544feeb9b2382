import { asFailure, Failure } from '../../base/failure.ts'
import type { Session } from '../../contract/index.ts'
import { asRole, logInAs, rateLimiter, takeOrRefuse, type OpenedSession, type Visitor } from '../../govern/index.ts'
import { endedCookie, sessionCookie } from './cookie.ts'
import type { HttpDeps } from './deps.ts'
import { environmentOf, type HttpContext, type Known, type Some } from './route.ts'
import { cookieOptions } from './steps.ts'

type Keys =
  | 'GET /api/session'
  | 'POST /api/session'
  | 'POST /api/session/link'
  | 'DELETE /api/session'
  | 'POST /api/session/password'

export function sessionRoutes(deps: HttpDeps): Some<Keys> {
  const { about, govern, clock } = deps
  const passwords = rateLimiter({ burst: 10, perMinute: 5 }, clock)

  return {
    async 'GET /api/session'({ principal, known, environment }) {
      const passwordNeeded = known.session?.passwordNeeded ?? false
      return describe(principal && { ...principal, passwordNeeded }, environment)
    },

    async 'POST /api/session'({ body, known, context }) {
      return await logIn(context, known, logInAs(body.name), (visitor) => govern.sessions.logIn(body, visitor))
    },

    async 'POST /api/session/link'({ body, known, context }) {
      return await logIn(context, known, 'log in by link', (visitor) =>
        govern.sessions.logInByLink(body.token, visitor),
      )
    },

    async 'DELETE /api/session'({ known, context }) {
      if (known.session) await govern.sessions.logOut(known.session.token)
      known.setCookie = endedCookie(cookieOptions(context, deps))
      return { ok: true }
    },

    async 'POST /api/session/password'({ body, principal, known }) {
      takeOrRefuse(passwords, principal.id, 'changes of the password')
      const { current, password } = body
      await audited(deps, { known, action: 'change password' }, () =>
        govern.users.changePassword(principal, {
          password,
          ...(current === undefined ? {} : { current }),
          ...(known.session ? { keepSession: known.session.token } : {}),
        }),
      )
      return { ok: true }
    },
  }

  async function logIn(
    context: HttpContext,
    known: Known,
    action: string,
    open: (visitor: Visitor) => Promise<OpenedSession>,
  ): Promise<Session> {
    const visitor = { address: known.address, userAgent: context.req.header('user-agent') }
    const old = known.session
    const opened = await audited(deps, { known, action }, async () => {
      const entered = await open(visitor)
      known.principal = entered.principal
      return entered
    })
    // A browser that comes in anew leaves its old session behind.
    if (old) await govern.sessions.logOut(old.token)
    const { token, expiresAt, passwordNeeded } = opened
    known.setCookie = sessionCookie(token, { ...cookieOptions(context, deps), expiresAt, nowMs: clock.now() })
    return describe({ ...opened.principal, passwordNeeded }, environmentOf(undefined, deps))
  }

  function describe(
    user: { id: string; name: string; role: string; passwordNeeded: boolean } | undefined,
    environment: Session['environment'],
  ): Session {
    const { project, version, environments, features } = about
    return {
      user: user
        ? {
            id: user.id,
            name: user.name,
            role: asRole(user.role),
            passwordNeeded: user.passwordNeeded,
          }
        : null,
      project: { name: project.name, timezone: project.timezone },
      environment,
      environments: [...environments],
      version,
      features,
    }
  }
}

type Act = { known: Known; action: string }

/** Does `work` and has it in the audit before its answer, whatever came of it. */
export async function audited<Value>(
  { govern, clock }: HttpDeps,
  { known, action }: Act,
  work: () => Promise<Value>,
): Promise<Value> {
  const startedMs = clock.now()
  const record = (verdict: 'allowed' | 'refused' | 'failed', failureCode?: string) =>
    govern.audit.record({
      principal: known.principal ?? null,
      door: 'http',
      action,
      verdict,
      failureCode,
      ms: clock.now() - startedMs,
      requestId: known.requestId,
    })
  let value: Value
  try {
    value = await work()
  } catch (error) {
    const { code } = asFailure(error)
    const refused: Failure['code'][] = ['UNAUTHENTICATED', 'FORBIDDEN', 'RATE_LIMITED']
    await record(refused.includes(code) ? 'refused' : 'failed', code)
    throw error
  }
  await record('allowed')
  return value
}
