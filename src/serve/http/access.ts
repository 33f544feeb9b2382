// Rights as administrators look at them and change them. What is given and taken here are the rows that SQL and the command
// line write; what access.yml says is read only.

import type { AccessPlace, Grantee, NewRight } from '../../contract/index.ts'
import { granteeKey, subjectOf, type Change, type GrantRequest, type Pattern, type Policy } from '../../govern/index.ts'
import type { HttpDeps } from './deps.ts'
import type { Some } from './route.ts'

type Keys =
  | 'GET /api/access'
  | 'GET /api/access/check'
  | 'POST /api/access/grant'
  | 'POST /api/access/revoke'
  | 'POST /api/access/roles'
  | 'DELETE /api/access/roles/:name'
  | 'POST /api/access/roles/:name/members'
  | 'DELETE /api/access/roles/:name/members/:kind/:member'
  | 'GET /api/audit'

export function accessRoutes({ govern, checkAccess }: HttpDeps): Some<Keys> {
  const { access, audit } = govern
  const from = (by: Change['by']): Change => ({ by, source: 'web' })
  return {
    async 'GET /api/access'({ principal }) {
      const policy = await access.policy()
      const [grants, roles] = [await access.list(principal), await access.roles(principal)]
      return {
        users: usersOf(policy),
        groups: groupsOf(policy),
        roles: roles.map(({ role, members, source }) => ({ name: role, members: [...members], source })),
        grants: grants.map(({ on, columns, ...grant }) => ({
          ...grant,
          on: placeOf(on),
          columns: columns ? [...columns] : null,
        })),
        rowFilters: policy.rowFilters.map(({ on, condition, to, except }) => ({
          on: placeOf(on),
          condition,
          to: to ? [...to] : null,
          except: [...except],
        })),
        masks: policy.masks.map(({ on, except, ...mask }) => ({ ...mask, on: placeOf(on), except: [...except] })),
        limits: policy.limits.map((limit) => ({ ...limit })),
      }
    },
    'GET /api/access/check': ({ query, ...asker }) => checkAccess(query, asker),
    async 'POST /api/access/grant'({ body, principal }) {
      return await access.grant(requestOf(body), from(principal))
    },
    async 'POST /api/access/revoke'({ body, principal }) {
      const { changed } = await access.revoke(requestOf(body), from(principal))
      return { changed }
    },
    async 'POST /api/access/roles'({ body, principal }) {
      await access.createRole(body.name, from(principal))
      return { ok: true }
    },
    async 'DELETE /api/access/roles/:name'({ params, principal }) {
      await access.dropRole(params.name, from(principal))
      return { ok: true }
    },
    async 'POST /api/access/roles/:name/members'({ params, body, principal }) {
      return await access.grantRole(params.name, [granteeKey(body)], from(principal))
    },
    async 'DELETE /api/access/roles/:name/members/:kind/:member'({ params, principal }) {
      const member = granteeKey({ kind: params.kind, name: params.member })
      const { changed } = await access.revokeRole(params.name, [member], from(principal))
      return { changed }
    },
    async 'GET /api/audit'({ query }) {
      const { rows, next } = await audit.find(query)
      return {
        entries: rows.map((row) => ({
          id: row.id,
          at: row.at,
          principal: row.principal === '' ? null : row.principal,
          door: row.door,
          action: row.action,
          verdict: row.verdict,
          sql: row.sql,
          tables: row.tables_json === null ? [] : (JSON.parse(row.tables_json) as string[]),
          rows: row.rows,
          ms: row.ms,
          code: row.failure_code,
          requestId: row.request_id,
        })),
        next,
      }
    },
  }
}

const placeOf = ({ environment = '*', namespace = '*', table = '*' }: Pattern): AccessPlace => ({
  environment,
  namespace,
  table,
})

const requestOf = ({ privilege, on, columns, to }: NewRight): GrantRequest => ({
  privileges: [privilege],
  on,
  to: [granteeKey(to)],
  ...(columns === null ? {} : { columns }),
})

function usersOf(policy: Policy) {
  return [...policy.users]
    .map(([id, { name, role, disabled, attributes }]) => {
      const subject = subjectOf(policy, { id, name, role })
      const roles = [...subject.roles].filter((one) => one !== role)
      return { name, role, disabled, groups: [...subject.groups].sort(), roles: roles.sort(), attributes }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function groupsOf(policy: Policy): { name: string; members: Grantee[] }[] {
  const members = (group: string): Grantee[] =>
    [...policy.memberships].flatMap(([key, of]) => {
      const at = key.indexOf(':')
      const member = { kind: key.slice(0, at) as Grantee['kind'], name: key.slice(at + 1) }
      return of.some(({ kind, name }) => kind === 'group' && name === group) ? [member] : []
    })
  return [...policy.groups].sort().map((name) => ({ name, members: members(name) }))
}
