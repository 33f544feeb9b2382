// Rights as records: roles, groups, who is in them, grants, row filters, masks. The file `access.yml`, SQL and the command line
// write the same rows, each marked with where it came from; what is read of them is one `Policy`, kept until the stamp in the
// records changes. The stamp changes in the transaction of each change, and is asked for at every statement: a right that is
// taken away is gone at the next one, in every process.

import type { InsertResult } from 'kysely'
import type { Clock } from '../base/clock.ts'
import { Failure } from '../base/failure.ts'
import { newId } from '../base/ids.ts'
import { didYouMean } from '../base/suggest.ts'
import type { AccessGrantsRow, AccessMembersRow, CatalogTransaction, Records } from '../records/index.ts'
import { audited } from './access-audit.ts'
import { applyAccess } from './access-file.ts'
import type { Audit } from './audit.ts'
import type { Limit } from './limits.ts'
import {
  allWith,
  builtInRoles,
  type ColumnMask,
  type Grant,
  type Grantee,
  type GrantedPrivilege,
  grantedPrivileges,
  granteeKey,
  expanded,
  holds,
  isTo,
  type Pattern,
  type Policy,
  type Privilege,
  privileges,
  type RowFilter,
  showPattern,
  type Subject,
  subjectOf,
} from './policy.ts'
import type { Principal } from './principal.ts'
import { bumpStamp, columnsIn, columnsText, grantOf, loadPolicy, placeOf, readStamp } from './policy-records.ts'

export type AccessSource = 'access.yml' | 'sql' | 'cli' | 'web'

/** `user:ana`, `group:finance`, `role:analyst`; a bare name is the role of that name, else the user, else the group. */
export type GranteeName = string

export type GrantRequest = {
  privileges: readonly GrantedPrivilege[]
  on: Pattern
  /** Only with `select`: these columns and no others. */
  columns?: readonly string[]
  to: readonly GranteeName[]
}

export type Change = { by: Principal; source: AccessSource }

/** A row as it is listed: by `SHOW GRANTS`, `boathouse grant ls`. */
export type ListedGrant = Grant & { source: AccessSource; grantedBy: string; grantedAt: string }
export type ListedRole = { role: string; members: readonly Grantee[]; source: AccessSource }

export interface Access {
  /** The policy of now; the same object while nothing changed. @throws RECORDS_FAILED: then nothing is allowed */
  policy(): Promise<Policy>
  /** `changed` false: it was there already. @throws FORBIDDEN, REQUEST_INVALID, NOT_FOUND */
  grant(request: GrantRequest, change: Change): Promise<{ changed: boolean }>
  /**
   * Wherever the grant came from; `inFile`: access.yml still says it, and would give it again. From the source `web`, as all
   * that takes away, REQUEST_INVALID then. @throws FORBIDDEN, NOT_FOUND
   */
  revoke(request: GrantRequest, change: Change): Promise<{ changed: boolean; inFile: boolean }>
  /** @throws FORBIDDEN, ALREADY_EXISTS, REQUEST_INVALID */
  createRole(role: string, change: Change): Promise<void>
  /** With its members and everything granted to it. @throws FORBIDDEN, NOT_FOUND; REQUEST_INVALID while a filter or mask names it */
  dropRole(role: string, change: Change): Promise<void>
  grantRole(role: string, to: readonly GranteeName[], change: Change): Promise<{ changed: boolean }>
  revokeRole(role: string, from: readonly GranteeName[], change: Change): Promise<{ changed: boolean; inFile: boolean }>
  /** What `by` may see of it: everything for administrators, what concerns themselves for others. */
  list(by: Principal, only?: { of?: GranteeName; on?: Pattern }): Promise<ListedGrant[]>
  roles(by: Principal): Promise<ListedRole[]>
  /** Puts what the file says in place of what it said before. */
  apply(file: AccessFile, change: Change & { dryRun?: boolean }): Promise<AccessDiff>
}

/** `access.yml`, read. */
export type AccessFile = {
  roles: readonly { name: string; members: readonly Grantee[] }[]
  groups: readonly { name: string; users: readonly string[] }[]
  attributes: readonly { user: string; values: Readonly<Record<string, string>> }[]
  grants: readonly Grant[]
  rowFilters: readonly RowFilter[]
  masks: readonly ColumnMask[]
  limits?: readonly Limit[]
}
/** One line for each thing that is or would be different. */
export type AccessDiff = { added: readonly string[]; removed: readonly string[] }

type World = {
  records: Records
  clock: Clock
  environments: readonly { name: string; catalog: string }[]
  audit: Pick<Audit, 'record'>
}

/** `environments`: those of the settings; forks are read from the records. */
export function openAccess({ records, clock, environments, audit }: World): Access {
  let known: Policy | undefined

  async function policy(): Promise<Policy> {
    const stamp = await readStamp(records.catalog)
    if (known?.stamp !== stamp) known = await loadPolicy(records, environments)
    return known
  }

  const now = () => new Date(clock.now()).toISOString()
  const grantedBy = ({ source, by }: Change) => ({ source, granted_at: now(), granted_by: by.name })

  /** `work` in the transaction that also says that something changed. */
  const changing = <Value>(work: (trx: CatalogTransaction) => Promise<Value>): Promise<Value> =>
    records.transaction(async (trx) => {
      await bumpStamp(trx)
      return await work(trx)
    })

  function mustAdminister(policy: Policy, { by }: Change, what: string) {
    if (administers(subjectOf(policy, by))) return
    throw new Failure('FORBIDDEN', `${by.name} may not ${what}`, { hint: 'Ask an administrator.' })
  }

  /** Who has `manage` on a place passes on what they hold there themselves. */
  function mustManage(policy: Policy, { by }: Change, request: GrantRequest, verb: string) {
    const subject = subjectOf(policy, by)
    if (!subject.enabled) throw new Failure('FORBIDDEN', `${by.name} may not ${verb} rights`)
    if (administers(subject)) return
    const mine = policy.grants.filter(({ to, columns }) => !columns && isTo(subject, to))
    const covered = (privilege: Privilege) =>
      mine.some((grant) => holds(grant.privilege, privilege) && covers(grant.on, request.on))
    const needed = new Set<Privilege>([
      'manage',
      ...privileges.filter((one) => request.privileges.some((p) => holds(p, one))),
    ])
    const lacking = [...needed].find((privilege) => !covered(privilege))
    if (lacking === undefined) return
    throw new Failure('FORBIDDEN', `${by.name} may not ${verb} rights on ${showPattern(request.on)}`, {
      hint: `That needs ${lacking} on all of it, or an administrator.`,
    })
  }

  const resolve = (policy: Policy, names: readonly GranteeName[]): Grantee[] =>
    names.map((name) => resolveGrantee(policy, name))

  async function roleRows(trx: CatalogTransaction, role: string) {
    const rows = await trx.selectFrom('access_roles').select('source').where('name', '=', role).execute()
    if (rows.length > 0) return rows
    const all = await trx.selectFrom('access_roles').select('name').execute()
    throw new Failure(
      'NOT_FOUND',
      `there is no role ${role}${didYouMean(
        role,
        all.map(({ name }) => name),
      )}`,
      { hint: 'Make it with CREATE ROLE or `boathouse role create`.' },
    )
  }

  const self: Access = {
    policy,

    async grant(given, change) {
      const before = await policy()
      const request = canonical(before, given)
      checkRequest(request)
      mustManage(before, change, request, 'grant')
      const to = resolve(before, request.to)
      return changing(async (trx) => {
        let changed = false
        for (const row of rowsOf(request, to)) {
          const values = { id: newId(clock.now()), ...row, ...grantedBy(change) }
          const insert = trx.insertInto('access_grants').values(values)
          if (await isNew(insert.onConflict((conflict) => conflict.doNothing()))) changed = true
        }
        return { changed }
      })
    },

    async revoke(given, change) {
      const before = await policy()
      const request = canonical(before, given)
      checkRequest(request)
      mustManage(before, change, request, 'revoke')
      const to = resolve(before, request.to)
      return changing(async (trx) => {
        const gone: string[] = []
        for (const row of rowsOf(request, to)) {
          const there = await trx
            .selectFrom('access_grants')
            .selectAll()
            .where('environment', '=', row.environment)
            .where('namespace', '=', row.namespace)
            .where('table_name', '=', row.table_name)
            .where('grantee_kind', '=', row.grantee_kind)
            .where('grantee', '=', row.grantee)
            .execute()
          for (const found of there) {
            const rest = restOf(found, row)
            if (!rest) continue
            await trx.deleteFrom('access_grants').where('id', '=', found.id).execute()
            for (const part of rest) {
              const values = { ...found, ...part, id: newId(clock.now()) }
              await trx
                .insertInto('access_grants')
                .values(values)
                .onConflict((conflict) => conflict.doNothing())
                .execute()
            }
            gone.push(found.source)
          }
        }
        mayTake(gone, change)
        return { changed: gone.length > 0, inFile: gone.includes('access.yml') }
      })
    },

    async createRole(given, change) {
      mustAdminister(await policy(), change, 'make roles')
      const role = checkRole(given)
      await changing(async (trx) => {
        const taken = await trx.selectFrom('access_roles').select('name').where('name', '=', role).executeTakeFirst()
        if (taken) throw new Failure('ALREADY_EXISTS', `there is a role ${role} already`)
        await trx
          .insertInto('access_roles')
          .values({ name: role, source: change.source, created_at: now(), created_by: change.by.name })
          .execute()
      })
    },

    async dropRole(given, change) {
      const before = await policy()
      mustAdminister(before, change, 'drop roles')
      const role = given.toLowerCase()
      // Who was excepted by it would stop being so, and whom it binds would be free: that is said in the file, not in passing.
      const named = [...before.rowFilters, ...before.masks].some(({ except }) => except.includes(role))
      if (named || before.rowFilters.some(({ to }) => to?.includes(role)))
        throw new Failure('REQUEST_INVALID', `the role ${role} is named by a row filter or a mask`, {
          hint: 'Change the row filters and masks in access.yml first.',
        })
      await changing(async (trx) => {
        await roleRows(trx, role)
        const gone = [
          await trx.deleteFrom('access_roles').where('name', '=', role).returning('source').execute(),
          await trx
            .deleteFrom('access_members')
            .where((eb) =>
              eb.or([
                eb.and([eb('of_kind', '=', 'role'), eb('of_name', '=', role)]),
                eb.and([eb('kind', '=', 'role'), eb('name', '=', role)]),
              ]),
            )
            .returning('source')
            .execute(),
        ]
        for (const table of ['access_grants', 'access_limits'] as const)
          gone.push(
            await trx
              .deleteFrom(table)
              .where('grantee_kind', '=', 'role')
              .where('grantee', '=', role)
              .returning('source')
              .execute(),
          )
        mayTake(
          gone.flat().map(({ source }) => source),
          change,
        )
      })
    },

    async grantRole(given, to, change) {
      const before = await policy()
      mustAdminister(before, change, 'give roles')
      const role = given.toLowerCase()
      const members = resolve(before, to)
      const above = allWith(before.memberships, [{ kind: 'role', name: role }])
      for (const member of members)
        if (member.kind === 'role' && above.has(granteeKey(member)))
          throw new Failure('REQUEST_INVALID', `the role ${role} has the role ${member.name} already: a circle`)
      return changing(async (trx) => {
        await roleRows(trx, role)
        let changed = false
        for (const { kind, name } of members) {
          const values = { kind, name, ...memberOf(role), ...grantedBy(change) }
          const insert = trx.insertInto('access_members').values(values)
          if (await isNew(insert.onConflict((conflict) => conflict.doNothing()))) changed = true
        }
        return { changed }
      })
    },

    async revokeRole(given, from, change) {
      const before = await policy()
      mustAdminister(before, change, 'take roles away')
      const role = given.toLowerCase()
      const members = resolve(before, from)
      return changing(async (trx) => {
        await roleRows(trx, role)
        const gone: string[] = []
        for (const { kind, name } of members) {
          const rows = await trx
            .deleteFrom('access_members')
            .where('kind', '=', kind)
            .where('name', '=', name)
            .where('of_kind', '=', 'role')
            .where('of_name', '=', role)
            .returning('source')
            .execute()
          gone.push(...rows.map(({ source }) => source))
        }
        mayTake(gone, change)
        return { changed: gone.length > 0, inFile: gone.includes('access.yml') }
      })
    },

    async list(by, { of, on: given } = {}) {
      const current = await policy()
      const on = given && canonical(current, { on: given }).on
      const subject = subjectOf(current, by)
      const isAdmin = administers(subject)
      const grantee = of === undefined ? undefined : resolveGrantee(current, of)
      const rows = await records.catalog.selectFrom('access_grants').selectAll().orderBy('id').execute()
      return rows
        .map((row) => ({
          ...grantOf(row),
          source: row.source as AccessSource,
          grantedBy: row.granted_by,
          grantedAt: row.granted_at,
        }))
        .filter(
          (one) =>
            (isAdmin || isTo(subject, one.to)) &&
            (grantee === undefined || granteeKey(grantee) === granteeKey(one.to)) &&
            (on === undefined || covers(one.on, on)),
        )
    },

    async roles(by) {
      const current = await policy()
      const subject = subjectOf(current, by)
      const isAdmin = administers(subject)
      const rows = await records.catalog.selectFrom('access_roles').selectAll().orderBy('name').execute()
      const members = await records.catalog
        .selectFrom('access_members')
        .selectAll()
        .where('of_kind', '=', 'role')
        .orderBy('kind')
        .orderBy('name')
        .execute()
      return rows
        .filter(({ name }) => isAdmin || subject.roles.has(name))
        .map(({ name, source }) => ({
          role: name,
          source: source as AccessSource,
          members: isAdmin ? members.filter(({ of_name }) => of_name === name).map(granteeOf) : [],
        }))
    },

    async apply(given, change) {
      const before = await policy()
      mustAdminister(before, change, 'apply access.yml')
      const named = <Rule extends { on: Pattern }>(rules: readonly Rule[]) =>
        rules.map((rule) => canonical(before, rule))
      const file: AccessFile = {
        ...given,
        grants: named(given.grants),
        rowFilters: named(given.rowFilters),
        masks: named(given.masks),
      }
      const work = (trx: CatalogTransaction) =>
        applyAccess(trx, file, { by: change.by.name, at: now(), id: () => newId(clock.now()) })
      if (!change.dryRun)
        return records.transaction(async (trx) => {
          const diff = await work(trx)
          if (diff.added.length + diff.removed.length > 0) await bumpStamp(trx)
          return diff
        })
      let diff: AccessDiff | undefined
      await records
        .transaction(async (trx) => {
          diff = await work(trx)
          throw dryRun
        })
        .catch((error: unknown) => {
          if (error !== dryRun) throw error
        })
      return diff!
    },
  }
  return audited(self, audit)
}

const administers = ({ enabled, role }: Subject): boolean => enabled && (role === 'admin' || role === 'system')

/** Whether the row was not there yet. */
async function isNew(insert: { executeTakeFirst(): Promise<InsertResult> }): Promise<boolean> {
  return ((await insert.executeTakeFirst()).numInsertedOrUpdatedRows ?? 0n) > 0n
}

const dryRun = new Error('nothing is kept of a dry run')

/** A page shows what the file says as fixed: a start would bring it back, and nobody would know why. */
function mayTake(gone: readonly string[], { source }: Change): void {
  if (source !== 'web' || !gone.includes('access.yml')) return
  throw new Failure('REQUEST_INVALID', 'access.yml says so: it is changed there', {
    hint: 'Take it out of the file; `boathouse access apply` or the next start puts that into force.',
  })
}

function resolveGrantee(policy: Policy, given: GranteeName): Grantee {
  const text = given.toLowerCase()
  const [, kind, rest] = /^(user|group|role):(.+)$/.exec(text) ?? []
  const users = [...policy.users.values()].map(({ name }) => name.toLowerCase())
  const known = { role: [...policy.roles, 'public'], user: users, group: [...policy.groups] }
  const kinds = kind === undefined ? (['role', 'user', 'group'] as const) : [kind as Grantee['kind']]
  const name = rest ?? text
  const found = kinds.find((one) => known[one].includes(name))
  if (found) return { kind: found, name }
  throw new Failure(
    'NOT_FOUND',
    `there is no ${kind ?? 'role, user or group'} ${name}${didYouMean(
      name,
      kinds.flatMap((one) => known[one]),
    )}`,
    { hint: '`boathouse role ls` lists roles, `boathouse user ls` users; groups are named in access.yml.' },
  )
}

/** @throws REQUEST_INVALID */
export function checkRole(given: string): string {
  const role = given.toLowerCase()
  if (!/^[\p{L}_][\p{L}\p{N}_.@-]{0,99}$/u.test(role))
    throw new Failure('REQUEST_INVALID', `role: ${JSON.stringify(given)} is not 1 to 100 letters, digits and _ . @ -`)
  if (builtInRoles.includes(role)) throw new Failure('REQUEST_INVALID', `role: ${role} is built in`)
  return role
}

function checkRequest({ privileges: given, columns, on }: GrantRequest) {
  for (const privilege of given)
    if (!grantedPrivileges.includes(privilege))
      throw new Failure(
        'REQUEST_INVALID',
        `there is no privilege ${privilege}${didYouMean(privilege, grantedPrivileges)}`,
      )
  if (given.length === 0) throw new Failure('REQUEST_INVALID', 'no privilege is named')
  if (columns === undefined) return
  if (given.some((privilege) => privilege !== 'select'))
    throw new Failure('REQUEST_INVALID', 'columns are for select only')
  if (on.table === undefined || on.table === '*')
    throw new Failure('REQUEST_INVALID', 'columns are for tables: name one')
  if (columns.length === 0 || columns.some((column) => column.includes(',') || column === ''))
    throw new Failure('REQUEST_INVALID', 'columns: names without commas are expected')
}

/** Whether all that `inner` may mean is meant by `outer`. */
function covers(outer: Pattern, inner: Pattern): boolean {
  return (['environment', 'namespace', 'table'] as const).every((part) => {
    const [out, within] = [(outer[part] ?? '*').toLowerCase(), (inner[part] ?? '*').toLowerCase()]
    return out === '*' || out === within
  })
}

const memberOf = (role: string) => ({ of_kind: 'role' as const, of_name: role })
const granteeOf = ({ kind, name }: Pick<AccessMembersRow, 'kind' | 'name'>): Grantee => ({ kind, name })

/** An environment goes by one name, so that what was granted by its catalog is revoked by its name. */
function canonical<Rule extends { on: Pattern }>(policy: Policy, rule: Rule): Rule {
  const names =
    rule.on.environment === undefined ? undefined : policy.environments.get(rule.on.environment.toLowerCase())
  return names ? { ...rule, on: { ...rule.on, environment: names[0]! } } : rule
}

/** One row for each privilege and grantee. */
type GrantRow = Pick<AccessGrantsRow, 'privilege' | 'columns_text' | 'grantee'>

/**
 * What stays of a grant when this is taken away; undefined: they have nothing in common. REVOKE ALL takes away whatever was
 * granted there, REVOKE SELECT the columns too, and REVOKE INSERT leaves the rest of ALL.
 */
function restOf(found: GrantRow, taken: GrantRow): Pick<GrantRow, 'privilege' | 'columns_text'>[] | undefined {
  const { privilege, columns_text } = found
  if (taken.privilege === 'all') return []
  if (taken.columns_text !== '') return columnsLeft(found, taken)
  const away = expanded(taken.privilege as GrantedPrivilege)
  const all = expanded(privilege as GrantedPrivilege)
  const left = all.filter((one) => !away.includes(one))
  return left.length === all.length ? undefined : left.map((one) => ({ privilege: one, columns_text }))
}

function columnsLeft({ privilege, columns_text, grantee }: GrantRow, taken: GrantRow) {
  if (!expanded(privilege as GrantedPrivilege).includes('select')) return undefined
  const all = columnsIn(columns_text)
  if (all.length === 0)
    throw new Failure('REQUEST_INVALID', `${grantee} may select all columns there, by a grant of ${privilege}`, {
      hint: 'Take that away, and grant select on the columns that stay.',
    })
  const away = columnsIn(taken.columns_text)
  const left = all.filter((column) => !away.includes(column))
  if (left.length === all.length) return undefined
  return left.length === 0 ? [] : [{ privilege, columns_text: columnsText(left) }]
}

const rowsOf = ({ privileges: given, on, columns }: GrantRequest, to: readonly Grantee[]) =>
  given.flatMap((privilege) =>
    to.map(({ kind, name }) => ({
      privilege,
      ...placeOf(on),
      columns_text: columnsText(columns),
      grantee_kind: kind,
      grantee: name,
    })),
  )
