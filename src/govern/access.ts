// Rights as records: roles, groups, who is in them, grants, row filters, masks. The file `access.yml`, SQL and the command line
// write the same rows, each marked with where it came from; what is read of them is one `Policy`, kept until the stamp in the
// records changes. The stamp changes in the transaction of each change, and is asked for at every statement: a right that is
// taken away is gone at the next one, in every process.

import type { Principal } from './principal.ts'
import type { ColumnMask, Grant, Grantee, GrantedPrivilege, Pattern, Policy, RowFilter } from './policy.ts'

export type AccessSource = 'access.yml' | 'sql' | 'cli'

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
  /** Wherever the grant came from; `inFile`: access.yml still says it, and would give it again. @throws FORBIDDEN, NOT_FOUND */
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
}
/** One line for each thing that is or would be different. */
export type AccessDiff = { added: readonly string[]; removed: readonly string[] }
