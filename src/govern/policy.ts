// What a person may see and do of the tables, decided from values alone: who asks, the policy as the records have it, and
// what is asked for. Nothing is granted by default; grants add, row filters and masks take away and no grant gives back.
//
//   principal ──▶ subjects: user, groups, roles and the roles in them ──┐
//   grants on environment · namespace · table · columns ────────────────┼─▶ decide ─▶ columns, filter, masks, because
//   row filters, masks (bind all but those excepted) ───────────────────┘

import { dotted } from '../base/dotted.ts'
import { Failure } from '../base/failure.ts'
import type { Limit } from './limits.ts'
import { mayActInEnvironment, type NamedEnvironment, type Principal, type Role } from './principal.ts'

export const privileges = [
  'select',
  'insert',
  'update',
  'delete',
  'create',
  'alter',
  'drop',
  'maintain',
  'manage',
] as const
export type Privilege = (typeof privileges)[number]

/** What stands for several. `all` does not hold `manage`: who may pass rights on is always said in words. */
const bundles: Readonly<Record<'write' | 'all', readonly Privilege[]>> = {
  write: ['insert', 'update', 'delete'],
  all: ['select', 'insert', 'update', 'delete', 'create', 'alter', 'drop', 'maintain'],
}
export type GrantedPrivilege = Privilege | keyof typeof bundles
export const expanded = (granted: GrantedPrivilege): readonly Privilege[] =>
  granted === 'write' || granted === 'all' ? bundles[granted] : [granted]
export const grantedPrivileges: readonly GrantedPrivilege[] = [...privileges, 'write', 'all']

/** To whom rights are given. Roles and groups are other things: a group is who somebody is, a role what they may do. */
export type Grantee = { kind: 'user' | 'group' | 'role'; name: string }

/**
 * Names with `*` for any text, compared without case; a part left out is `*`. `environment` is the environment's name or
 * its catalog's; a fork is known by the names of what it was forked from too.
 */
export type Pattern = { environment?: string; namespace?: string; table?: string }

export type Grant = {
  privilege: GrantedPrivilege
  on: Pattern
  /** Of `select`: only these columns, in lower case. */
  columns?: readonly string[]
  to: Grantee
}

/** Hides rows. Binds everybody but those with a role in `except`; with `to`, only those with a role in it. */
export type RowFilter = { on: Pattern; to?: readonly string[]; except: readonly string[]; condition: string }

/** Shows `expression` in place of a column to everybody but those with a role in `except`. */
export type ColumnMask = { on: Pattern; column: string; except: readonly string[]; expression: string }

export type PolicyUser = {
  name: string
  role: Exclude<Role, 'system'>
  disabled: boolean
  attributes: Readonly<Record<string, string>>
}

/** Everything that decides, as the records had it at `stamp`. */
export type Policy = {
  /** Changes with every change of anything below. */
  stamp: string
  /** By id: what is known of them now, whatever it was at log-in. */
  users: ReadonlyMap<string, PolicyUser>
  roles: ReadonlySet<string>
  groups: ReadonlySet<string>
  /** By `granteeKey`: the groups of users, and the roles of users, groups and roles. */
  memberships: ReadonlyMap<string, readonly Grantee[]>
  grants: readonly Grant[]
  rowFilters: readonly RowFilter[]
  masks: readonly ColumnMask[]
  limits: readonly Limit[]
  /** By catalog in lower case: the names that patterns may call it by. */
  environments: ReadonlyMap<string, readonly string[]>
}

export const emptyPolicy: Policy = {
  stamp: 'none',
  users: new Map(),
  roles: new Set(),
  groups: new Set(),
  memberships: new Map(),
  grants: [],
  rowFilters: [],
  masks: [],
  limits: [],
  environments: new Map(),
}

/** A table or view; without `name` its namespace, without `namespace` its environment. */
export type Governed = { catalog: string; namespace?: string; name?: string }

/** Who asks, as of now. */
export type Subject = {
  name: string
  /** A user of the records: others may bear the name (in a JWT), and have nothing of what is granted to the user. */
  isUser: boolean
  role: Role
  /** Names of all roles, those that come by groups and by other roles too, and the built-in one. */
  roles: ReadonlySet<string>
  groups: ReadonlySet<string>
  attributes: Readonly<Record<string, string>>
  /** False: a user that was disabled since. */
  enabled: boolean
}

export type Decision = {
  verdict: 'allowed' | 'refused'
  /** Of `select`; names in lower case. Everything, for other actions that are allowed. */
  columns: 'all' | ReadonlySet<string>
  /** Conditions on the rows, all of which must hold, as the policy writes them: `attribute('x')` is not replaced yet. */
  filters: readonly string[]
  /** By column in lower case: what is shown in its place. */
  masks: ReadonlyMap<string, string>
  /** Why, a sentence for each rule that took part. */
  because: readonly string[]
}

/** Whether a decision shows the table as it is. */
export const seesAll = ({ verdict, columns, filters, masks }: Decision): boolean =>
  verdict === 'allowed' && columns === 'all' && filters.length === 0 && masks.size === 0

export const granteeKey = ({ kind, name }: Grantee): string => `${kind}:${name.toLowerCase()}`

// Lists ask for every table: what a principal is, and which grants are theirs, is found once for a policy.
const subjects = new WeakMap<Policy, WeakMap<Principal, Subject>>()
const grantsTo = new WeakMap<Subject, { policy: Policy; grants: readonly Grant[] }>()

/** Everything that a principal is, by the policy of now. Pure. */
export function subjectOf(policy: Policy, principal: Principal): Subject {
  let known = subjects.get(policy)
  if (!known) subjects.set(policy, (known = new WeakMap()))
  let subject = known.get(principal)
  if (!subject) known.set(principal, (subject = findSubject(policy, principal)))
  return subject
}

function grantsOf(policy: Policy, subject: Subject): readonly Grant[] {
  const known = grantsTo.get(subject)
  if (known?.policy === policy) return known.grants
  const grants = policy.grants.filter(({ to }) => isTo(subject, to))
  grantsTo.set(subject, { policy, grants })
  return grants
}

/** These, and all groups and roles that they have, by whatever way; by `granteeKey`. */
export function allWith(memberships: Policy['memberships'], start: readonly Grantee[]): ReadonlyMap<string, Grantee> {
  const found = new Map<string, Grantee>()
  const visit = (one: Grantee) => {
    const key = granteeKey(one)
    if (found.has(key)) return
    found.set(key, one)
    for (const next of memberships.get(key) ?? []) visit(next)
  }
  for (const one of start) visit(one)
  return found
}

function findSubject(policy: Policy, principal: Principal): Subject {
  const user = policy.users.get(principal.id)
  const role = user?.role ?? principal.role
  const name = user?.name ?? principal.name
  const start: Grantee[] = [
    ...(user ? [{ kind: 'user' as const, name }] : []),
    ...(principal.groups ?? []).map((group) => ({ kind: 'group' as const, name: group })),
    ...(principal.roles ?? []).map((one) => ({ kind: 'role' as const, name: one })),
  ]
  const found = allWith(policy.memberships, start)
  const named = (kind: Grantee['kind']) =>
    [...found.values()].filter((one) => one.kind === kind).map((one) => one.name.toLowerCase())
  // A role that calls itself admin is not the built-in one.
  const roles = named('role').filter((one) => !builtInRoles.includes(one))
  return {
    name,
    isUser: user !== undefined,
    role,
    roles: new Set(builtInRoles.includes(role) ? [...roles, role] : roles),
    groups: new Set(named('group')),
    attributes: { ...principal.attributes, ...user?.attributes },
    enabled: user?.disabled !== true,
  }
}

/** Names that no role of the policy may have. */
export const builtInRoles: readonly string[] = ['admin', 'reader', 'member', 'system', 'public']

/** What `principal` may do with `on`, and what a `select` shows them. Pure; what nothing allows is refused. */
export function decide(policy: Policy, principal: Principal, action: Privilege, on: Governed): Decision {
  return decideFor(policy, subjectOf(policy, principal), action, on)
}

/**
 * As `decide`. `bound` is whom row filters and masks bind when that is somebody else: a view is read with its owner's
 * grants, and still shows each asker no row that is hidden from them.
 */
export function decideFor(
  policy: Policy,
  subject: Subject,
  action: Privilege,
  on: Governed,
  bound: Subject = subject,
): Decision {
  if (!subject.enabled) return refused([`${subject.name} is disabled`])
  const places = placesOf(policy, on.catalog)
  const granted = grantedBy(policy, subject, action, on, places)
  if (granted.columns !== 'all' && granted.columns.size === 0)
    return refused([`nothing grants ${subject.name} ${action} on ${showGoverned(on)}`])
  if (action !== 'select') return { ...unrestricted, because: granted.because }
  const filters: string[] = []
  const masks = new Map<string, string>()
  const because = [...granted.because]
  // Boathouse itself and administrators see what is there: somebody must be able to.
  if (bound.role === 'admin' || bound.role === 'system') return { ...unrestricted, columns: granted.columns, because }
  for (const { on: pattern, to, except, condition } of policy.rowFilters) {
    if (!matches(pattern, on, places) || hasAny(bound, except) || (to && !hasAny(bound, to))) continue
    if (!filters.includes(condition)) filters.push(condition)
    because.push(`rows where ${condition}${to ? ` (binds ${to.join(', ')})` : ''}`)
  }
  for (const { on: pattern, column, except, expression } of policy.masks) {
    if (!matches(pattern, on, places) || hasAny(bound, except)) continue
    const key = column.toLowerCase()
    if (masks.has(key)) continue
    masks.set(key, expression)
    because.push(`${column} is shown as ${expression}`)
  }
  return { verdict: 'allowed', columns: granted.columns, filters, masks, because }
}

/** Roles that select everywhere. */
const seesEverywhere: ReadonlySet<Role> = new Set<Role>(['admin', 'reader', 'system'])

/** Whether anything at all may be done with a table: who may do nothing is not told that it exists. Pure. */
export function mayKnow(policy: Policy, principal: Principal, on: Governed): boolean {
  const subject = subjectOf(policy, principal)
  if (!subject.enabled) return false
  if (seesEverywhere.has(subject.role)) return true
  const places = placesOf(policy, on.catalog)
  return grantsOf(policy, subject).some(
    ({ on: pattern, columns }) => matches(pattern, on, places) && (columns === undefined || on.name !== undefined),
  )
}

/** Whether something in a namespace or environment may be known to the principal. Pure. */
export function mayKnowOf(policy: Policy, principal: Principal, on: Governed): boolean {
  const subject = subjectOf(policy, principal)
  if (!subject.enabled) return false
  if (seesEverywhere.has(subject.role)) return true
  const places = placesOf(policy, on.catalog)
  return grantsOf(policy, subject).some(({ on: pattern }) =>
    matches({ ...pattern, table: '*', ...(on.namespace === undefined ? { namespace: '*' } : {}) }, on, places),
  )
}

/** @throws FORBIDDEN unless `decide` allows it, and the environment may be written (`environment`). */
export function authoriseTable(
  policy: Policy,
  principal: Principal,
  action: Privilege,
  on: Governed,
  environment?: NamedEnvironment,
): Decision {
  if (action !== 'select') mayActInEnvironment(principal, action, showGoverned(on), environment)
  const decision = decide(policy, principal, action, on)
  if (decision.verdict === 'allowed') return decision
  const { catalog, namespace = '*', name = '*' } = on
  throw new Failure('FORBIDDEN', `${principal.name} may not ${action} ${showGoverned(on)}`, {
    hint: `An administrator can grant it: boathouse grant ${action} on '${catalog}.${namespace}.${name}' to user:${principal.name}`,
  })
}

export const showGoverned = ({ catalog, namespace, name }: Governed): string =>
  [catalog, namespace, name].filter((part) => part !== undefined).join('.')

const unrestricted = { verdict: 'allowed', columns: 'all', filters: [], masks: new Map<string, string>() } as const

const refused = (because: string[]): Decision => ({
  verdict: 'refused',
  columns: new Set(),
  filters: [],
  masks: new Map(),
  because,
})

function grantedBy(
  policy: Policy,
  subject: Subject,
  action: Privilege,
  on: Governed,
  places: readonly string[],
): Pick<Decision, 'columns' | 'because'> {
  if (subject.role === 'admin' || subject.role === 'system')
    return { columns: 'all', because: [`${subject.name} is ${subject.role}`] }
  if (subject.role === 'reader' && action === 'select')
    return { columns: 'all', because: [`${subject.name} is a reader`] }
  const columns = new Set<string>()
  const because: string[] = []
  let isWhole = false
  for (const grant of grantsOf(policy, subject)) {
    if (!holds(grant.privilege, action) || !matches(grant.on, on, places)) continue
    // Rights on some columns of a table are none on what is larger than a table.
    if (grant.columns && (action !== 'select' || on.name === undefined)) continue
    if (grant.columns) for (const column of grant.columns) columns.add(column.toLowerCase())
    else isWhole = true
    const on_ = `${showPattern(grant.on)}${grant.columns ? ` (${grant.columns.join(', ')})` : ''}`
    because.push(`${grant.privilege} on ${on_} is granted to ${granteeKey(grant.to)}`)
  }
  return { columns: isWhole ? 'all' : columns, because }
}

export const holds = (granted: GrantedPrivilege, action: Privilege): boolean =>
  granted === action || (Object.hasOwn(bundles, granted) && bundles[granted as keyof typeof bundles].includes(action))

const hasAny = (subject: Subject, roles: readonly string[]): boolean =>
  roles.some((role) => subject.roles.has(role.toLowerCase()))

export function isTo(subject: Subject, { kind, name }: Grantee): boolean {
  const lower = name.toLowerCase()
  switch (kind) {
    case 'user':
      return subject.isUser && subject.name.toLowerCase() === lower
    case 'group':
      return subject.groups.has(lower)
    case 'role':
      return lower === 'public' || subject.roles.has(lower)
  }
}

const placesOf = (policy: Policy, catalog: string): readonly string[] =>
  policy.environments.get(catalog.toLowerCase()) ?? [catalog.toLowerCase()]

/** A pattern for tables says nothing of their namespace as such, unless it is for all tables in it. */
function matches(pattern: Pattern, on: Governed, places: readonly string[]): boolean {
  return (
    places.some((place) => like(pattern.environment, place)) &&
    (on.namespace === undefined ? isAny(pattern.namespace) : like(pattern.namespace, on.namespace)) &&
    (on.name === undefined ? isAny(pattern.table) : like(pattern.table, on.name))
  )
}

const isAny = (pattern: string | undefined) => pattern === undefined || pattern === '*'

/** `*` stands for any text; no case. In one pass, whatever the pattern. */
export function like(pattern: string | undefined, text: string): boolean {
  if (isAny(pattern)) return true
  const lower = text.toLowerCase()
  const parts = pattern!.toLowerCase().split('*')
  const [first, last] = [parts[0]!, parts.at(-1)!]
  if (parts.length === 1) return lower === first
  if (lower.length < first.length + last.length || !lower.startsWith(first) || !lower.endsWith(last)) return false
  const end = lower.length - last.length
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = lower.indexOf(part, at)
    if (found < 0 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}

export const showPattern = ({ environment = '*', namespace = '*', table = '*' }: Pattern): string =>
  dotted([environment, namespace, table])
