// access.yml: roles, groups, what is granted to whom, which rows are hidden and which columns masked.

import { dottedParts } from '../base/dotted.ts'
import { z } from 'zod'
import { parseBytes, parseDurationMs } from '../base/units.ts'
import { GrantedPrivilege } from '../contract/index.ts'
import { readYaml, type Read } from './read.ts'

const Role = z
  .string()
  .regex(/^[\p{L}_][\p{L}\p{N}_.@-]{0,99}$/u, 'A name has letters, digits and _ . @ -')
  .transform((name) => name.toLowerCase())
const User = z
  .string()
  .min(1)
  .max(100)
  .transform((name) => name.normalize('NFKC').toLowerCase())
const builtIn = ['admin', 'reader', 'member', 'public', 'system']

const list = <Item extends z.ZodType>(item: Item) =>
  z.union([item, z.array(item).min(1)]).transform((given) => [given].flat() as z.output<Item>[])

const Grantee = z
  .string()
  .regex(/^(?:(?:user|group|role):)?[^:\s]+$/, 'Write the name of a role, user:NAME or group:NAME')
  .transform((text): Grantee => {
    const [, kind, name] = /^(?:(user|group|role):)?(.*)$/.exec(text.toLowerCase())!
    return { kind: (kind ?? 'role') as Grantee['kind'], name: name! }
  })
type Grantee = { kind: 'user' | 'group' | 'role'; name: string }

const part = String.raw`(?:[\p{L}\p{N}_*-]+|"(?:[^"]|"")+")`
const On = z
  .string()
  .regex(
    new RegExp(String.raw`^(?:\*|${part}\.${part}(?:\.${part})?)$`, 'u'),
    'Write namespace.table or environment.namespace.table, with quotes around names of other signs (raw."stg.users"); * stands for any text, for example marts.*',
  )
  .transform((text): Pattern => {
    const parts = dottedParts(text.toLowerCase()) ?? []
    const [table = '*', namespace = '*', environment = '*'] = parts.toReversed()
    return { environment, namespace, table }
  })
  .describe('`namespace.table` of every environment, `environment.namespace.table` of one; `*` is any text.')
type Pattern = { environment: string; namespace: string; table: string }

const Grant = z
  .strictObject({
    to: list(Grantee).describe('A role, `user:NAME`, `group:NAME`, or the role `public`: everybody who logs in.'),
    privileges: list(GrantedPrivilege).describe(
      '`write` is insert, update and delete; `all` is everything but manage.',
    ),
    on: list(On),
    columns: z.array(z.string().min(1)).min(1).optional().describe('Of select: these columns and no others.'),
  })
  .superRefine(({ columns, privileges, on }, context) => {
    if (columns && privileges.some((privilege) => privilege !== 'select'))
      context.addIssue({ code: 'custom', path: ['columns'], message: 'columns are for select only' })
    if (columns && on.some(({ table }) => table === '*'))
      context.addIssue({ code: 'custom', path: ['columns'], message: 'columns are for tables: name one in "on"' })
    const comma = columns?.findIndex((column) => column.includes(',')) ?? -1
    if (comma >= 0)
      context.addIssue({ code: 'custom', path: ['columns', comma], message: 'one column an entry, without commas' })
  })

const RowFilter = z.strictObject({
  on: list(On),
  where: z
    .string()
    .min(1)
    .describe(
      "A condition over the columns of the table. `attribute('region')`, `has_role('hr')` and `current_user` are those of whoever asks.",
    ),
  to: list(Role).optional().describe('Binds only who has one of these roles; everybody when absent.'),
  except: list(Role).optional().describe('Does not bind who has one of these roles. Administrators are never bound.'),
})

const Mask = z.strictObject({
  on: list(On),
  column: list(z.string().min(1)),
  show: z.string().min(1).describe("An expression in place of the value: `'***'`, `NULL`, `left(email, 2) || '…'`."),
  except: list(Role).optional().describe('Who has one of these roles sees the value. So do administrators.'),
})

const measured = (parse: (text: string) => number | undefined, says: string) =>
  z.string().transform((text, context) => {
    const most = parse(text)
    if (most !== undefined && most >= 1) return Math.floor(most)
    context.addIssue({ code: 'custom', message: `Write ${says}` })
    return z.NEVER
  })
const size = () => measured(parseBytes, 'a size such as 500MB, 2GiB')

const Limits = z
  .strictObject({
    to: list(Grantee).describe('A role, `user:NAME`, `group:NAME`, or the role `public`: everybody who logs in.'),
    query_timeout: measured(parseDurationMs, 'a duration such as 30s, 5min')
      .optional()
      .describe('Longest time of one statement.'),
    rows: z.int().min(1).optional().describe('Most rows of one answer.'),
    result_bytes: size().optional().describe('Largest answer, as it is encoded.'),
    scan_bytes: size()
      .optional()
      .describe('Most bytes of the files that one statement reads: whole files, of those that its conditions leave.'),
    memory: size()
      .refine((bytes) => bytes >= 64 * 2 ** 20, { message: 'at least 64MiB' })
      .optional()
      .describe(
        'Most memory of one SELECT, which then runs in an engine host of its own; what is larger spills to disk.',
      ),
    queries: z.int().min(1).max(1_000).optional().describe('Statements at the same time; the next ones wait.'),
  })
  .refine((given) => Object.keys(given).some((key) => key !== 'to'), {
    message: 'name at least one of query_timeout, rows, result_bytes, scan_bytes, memory, queries',
  })

export const AccessFile = z
  .strictObject({
    roles: z
      .record(Role, z.strictObject({ members: list(Grantee).optional() }).nullable())
      .default({})
      .describe('Roles, and who has them: `members` are users, groups and other roles.'),
    groups: z.record(Role, z.array(User).nullable()).default({}).describe('Groups of users.'),
    users: z
      .record(
        User,
        z.strictObject({
          roles: list(Role).optional(),
          groups: list(Role).optional(),
          attributes: z.record(z.string().min(1), z.union([z.string(), z.number(), z.boolean()])).optional(),
        }),
      )
      .default({})
      .describe('What users have. They are made by `boathouse user create`, before or after.'),
    grants: z.array(Grant).default([]),
    row_filters: z.array(RowFilter).default([]),
    masks: z.array(Mask).default([]),
    limits: z.array(Limits).default([]).describe('How much one asker may take, below the limits of boathouse.yml.'),
  })
  .superRefine((file, context) => {
    const roles = new Set([...Object.keys(file.roles), ...builtIn])
    const groups = new Set([
      ...Object.keys(file.groups),
      ...Object.values(file.users).flatMap((user) => user.groups ?? []),
    ])
    const issue = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message })
    const mustBe = (kind: 'role' | 'group', name: string, path: PropertyKey[]) => {
      if (!(kind === 'role' ? roles : groups).has(name))
        issue(path, `there is no ${kind} "${name}"; add it under ${kind}s`)
    }
    for (const role of Object.keys(file.roles))
      if (builtIn.includes(role)) issue(['roles', role], `the role "${role}" is built in`)
    for (const [role, entry] of Object.entries(file.roles))
      for (const [index, { kind, name }] of (entry?.members ?? []).entries())
        if (kind !== 'user') mustBe(kind, name, ['roles', role, 'members', index])
    for (const [user, { roles: has = [] }] of Object.entries(file.users))
      for (const role of has) {
        if (role === 'admin' || role === 'reader' || role === 'member')
          issue(['users', user, 'roles'], `the role "${role}" is given by \`boathouse user\`, not here`)
        else mustBe('role', role, ['users', user, 'roles'])
      }
    for (const [index, { to }] of file.grants.entries())
      for (const { kind, name } of to) if (kind !== 'user') mustBe(kind, name, ['grants', index, 'to'])
    for (const [index, { to }] of file.limits.entries())
      for (const { kind, name } of to) if (kind !== 'user') mustBe(kind, name, ['limits', index, 'to'])
    for (const what of ['row_filters', 'masks'] as const)
      for (const [index, one] of file[what].entries())
        for (const key of ['to', 'except'] as const)
          for (const role of (one as { to?: string[]; except?: string[] })[key] ?? [])
            mustBe('role', role, [what, index, key])
  })

/** What access.yml says, each rule for one pattern; in the shape that `govern` takes. */
export type AccessRules = {
  roles: { name: string; members: Grantee[] }[]
  groups: { name: string; users: string[] }[]
  attributes: { user: string; values: Record<string, string> }[]
  grants: { privilege: GrantedPrivilege; on: Pattern; columns?: string[]; to: Grantee }[]
  rowFilters: { on: Pattern; to?: string[]; except: string[]; condition: string }[]
  masks: { on: Pattern; column: string; except: string[]; expression: string }[]
  limits: { name: LimitName; most: number; to: Grantee }[]
}
type LimitName = Exclude<keyof z.output<typeof Limits>, 'to'>

/** `access.yml` of the project; no item when the file does not exist. */
export const readAccess = (dir: string): Promise<Read<z.output<typeof AccessFile>>> =>
  readYaml(dir, 'access.yml', AccessFile, 'PROJECT_INVALID')

/** Pure. */
export function accessRules(file: z.output<typeof AccessFile>): AccessRules {
  const users = Object.entries(file.users)
  const groups = new Map(Object.entries(file.groups).map(([name, members]) => [name, new Set(members ?? [])]))
  for (const [user, { groups: within = [] }] of users)
    for (const group of within) groups.set(group, (groups.get(group) ?? new Set()).add(user))
  return {
    roles: Object.entries(file.roles).map(([name, entry]) => ({
      name,
      members: [
        ...(entry?.members ?? []),
        ...users.flatMap(([user, { roles = [] }]) =>
          roles.includes(name) ? [{ kind: 'user' as const, name: user }] : [],
        ),
      ],
    })),
    groups: [...groups].map(([name, members]) => ({ name, users: [...members] })),
    attributes: users.flatMap(([user, { attributes }]) =>
      attributes
        ? [{ user, values: Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, String(value)])) }]
        : [],
    ),
    grants: file.grants.flatMap(({ to, privileges, on, columns }) =>
      to.flatMap((one) =>
        privileges.flatMap((privilege) =>
          on.map((pattern) => ({ privilege, on: pattern, to: one, ...(columns ? { columns } : {}) })),
        ),
      ),
    ),
    rowFilters: file.row_filters.flatMap(({ on, where, to, except = [] }) =>
      on.map((pattern) => ({ on: pattern, except, condition: where, ...(to ? { to } : {}) })),
    ),
    masks: file.masks.flatMap(({ on, column, show, except = [] }) =>
      on.flatMap((pattern) => column.map((one) => ({ on: pattern, column: one, except, expression: show }))),
    ),
    limits: file.limits.flatMap(({ to, ...most }) =>
      to.flatMap((one) =>
        Object.entries(most).flatMap(([name, value]) =>
          value === undefined ? [] : [{ name: name as LimitName, most: value, to: one }],
        ),
      ),
    ),
  }
}
