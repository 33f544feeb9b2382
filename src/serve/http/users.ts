import type { HttpDeps } from './deps.ts'
import type { HttpContext, Some } from './route.ts'
import { audited } from './session.ts'
import { isTls } from './steps.ts'

type Keys = 'GET /api/users' | 'POST /api/users' | 'PATCH /api/users/:id' | 'POST /api/users/:id/reset'

export function userRoutes(deps: HttpDeps): Some<Keys> {
  const { users } = deps.govern
  const linkOf = (context: HttpContext, token: string) => logInLink(baseUrl(context, deps), token)
  return {
    async 'GET /api/users'() {
      return { users: await users.list() }
    },
    async 'POST /api/users'({ body, known, context }) {
      return await audited(deps, { known, action: `create user ${body.name} (${body.role})` }, async () => {
        const user = await users.create(body)
        const { token, expiresAt } = await users.createLink(user.id)
        return { user, link: linkOf(context, token), expiresAt }
      })
    },
    async 'PATCH /api/users/:id'({ params, body, known }) {
      const { role, disabled } = body
      const change = { ...(role === undefined ? {} : { role }), ...(disabled === undefined ? {} : { disabled }) }
      return await audited(deps, { known, action: `change user ${params.id} ${JSON.stringify(change)}` }, () =>
        users.change(params.id, change),
      )
    },
    async 'POST /api/users/:id/reset'({ params, known, context }) {
      return await audited(deps, { known, action: `reset user ${params.id}` }, async () => {
        const { user, link } = await users.reset(params.id)
        return { user, link: linkOf(context, link.token), expiresAt: link.expiresAt }
      })
    },
  }
}

/** Where a one-time token leads. `base` has no slash at its end. */
export const logInLink = (base: string, token: string): string => `${base}/login?token=${encodeURIComponent(token)}`

/** The address people use: the configured one, else the one this request came to. */
export function baseUrl(context: HttpContext, deps: Pick<HttpDeps, 'settings'>): string {
  const { publicUrl } = deps.settings
  if (publicUrl !== undefined) return publicUrl.replace(/\/+$/, '')
  return `${isTls(deps) ? 'https' : 'http'}://${context.req.header('host')}`
}
