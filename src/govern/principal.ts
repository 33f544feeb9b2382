// Who may do what: one table of decisions, read by one pure function. What the table does not name is refused, so a
// new action or a new kind of resource is closed until somebody opens it here on purpose.

import { Failure } from '../base/failure.ts'

/**
 * The built-in roles. `member` may only what is granted (`policy.ts`). `system` is Boathouse itself: the worker's runs,
 * maintenance, doctor; nobody can log in as it.
 */
export type Role = 'admin' | 'reader' | 'member' | 'system'
export type Principal = {
  readonly id: string
  readonly name: string
  readonly role: Role
  /** What the log-in itself brings (claims of a JWT). What the records know of a user is read from the policy. */
  readonly roles?: readonly string[]
  readonly groups?: readonly string[]
  readonly attributes?: Readonly<Record<string, string>>
}

/** A role of a user as it is stored. A word that this version does not know gives the least. */
export const asRole = (role: string): Exclude<Role, 'system'> =>
  role === 'admin' || role === 'reader' ? role : 'member'

export const systemPrincipal: Principal = Object.freeze({ id: 'system', name: 'system', role: 'system' })

export type Action = 'read' | 'write' | 'create' | 'drop' | 'run' | 'cancel' | 'rollback' | 'manage'

/**
 * What is acted on. `owner` is the id of the principal who made the thing; `environment` says where a table lives:
 * a protected environment is written only when somebody named it (`--env`, `BOATHOUSE_ENV`), never by default.
 */
export type NamedEnvironment = { name: string; protected: boolean; named: boolean }
export type Resource =
  | { kind: 'table'; name: string; environment?: NamedEnvironment }
  | { kind: 'query'; name: string; owner: string }
  | { kind: 'token'; name: string; owner: string }
  | { kind: 'session'; name: string; owner: string }
  | { kind: 'dashboard' | 'project' | 'source' | 'run' | 'publication' | 'user' | 'audit' | 'status'; name: string }

type Who = Role | 'owner'

const everybody: readonly Who[] = ['admin', 'reader', 'member', 'system']
const readers: readonly Who[] = ['admin', 'reader', 'system']
const writers: readonly Who[] = ['admin', 'system']

export const decisions: Record<Resource['kind'], Partial<Record<Action, readonly Who[]>>> = {
  table: { read: readers, write: writers, create: writers, drop: writers, rollback: writers },
  query: { run: everybody, read: ['admin', 'owner'], cancel: ['admin', 'owner'] },
  dashboard: { read: everybody, write: writers },
  project: { read: readers, write: writers },
  source: { read: readers, write: writers, create: writers, run: writers },
  run: { read: readers, run: writers, cancel: writers },
  publication: { read: readers, rollback: writers },
  user: { read: ['admin'], create: ['admin'], manage: ['admin'] },
  token: { read: ['admin', 'owner'], create: ['owner'], manage: ['admin', 'owner'] },
  session: { read: ['admin', 'owner'], manage: ['admin', 'owner'] },
  audit: { read: ['admin'] },
  status: { read: everybody, manage: ['admin'] },
}

/** Whether the table of decisions names this principal. Pure. */
export function mayAct(principal: Principal, action: Action, resource: Resource): boolean {
  if (!roles.has(principal.role) || refusedByEnvironment(action, resource)) return false
  const byAction = own(decisions, resource.kind)
  const allowed = (byAction && own(byAction, action)) ?? []
  return allowed.includes(principal.role) || (allowed.includes('owner') && ownerOf(resource) === principal.id)
}

const roles: ReadonlySet<string> = new Set<Role>(['admin', 'reader', 'member', 'system'])

/** Not what every object inherits: `constructor` is no action. */
const own = <Value>(table: Partial<Record<string, Value>>, key: string) =>
  Object.hasOwn(table, key) ? table[key] : undefined

/** Throws FORBIDDEN, naming the principal, the action and the resource, unless `mayAct`. */
export function authorise(principal: Principal, action: Action, resource: Resource): void {
  if (mayAct(principal, action, resource)) return
  const hint = refusedByEnvironment(action, resource)
    ? nameIt
    : 'Ask an administrator: readers look at data, administrators change it.'
  throw new Failure(
    'FORBIDDEN',
    `${principal.name} (${principal.role}) may not ${action} the ${resource.kind} ${resource.name}`,
    { hint },
  )
}

function refusedByEnvironment(action: Action, resource: Resource): boolean {
  if (action === 'read' || resource.kind !== 'table') return false
  return resource.environment?.protected === true && !resource.environment.named
}

/** Throws FORBIDDEN for a change in a protected environment that nobody named. */
export function mayActInEnvironment(
  principal: Principal,
  action: string,
  what: string,
  environment: NamedEnvironment | undefined,
): void {
  if (environment?.protected !== true || environment.named) return
  throw new Failure('FORBIDDEN', `${principal.name} (${principal.role}) may not ${action} the table ${what}`, {
    hint: nameIt,
  })
}

const nameIt = 'Name the environment with --env or BOATHOUSE_ENV when you mean to write it.'

const ownerOf = (resource: Resource): string | undefined => ('owner' in resource ? resource.owner : undefined)
