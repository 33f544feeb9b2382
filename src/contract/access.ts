// Who may do what, as administrators look at it: rights, rules, what one person sees and why, and the audit.

import { z } from 'zod'
import { Timestamp } from './common.ts'
import { Role } from './session.ts'

export const Grantee = z
  .strictObject({ kind: z.enum(['user', 'group', 'role']), name: z.string().min(1).max(100) })
  .describe('To whom a right is given.')
export type Grantee = z.infer<typeof Grantee>

const part = z.string().min(1).max(200)
export const AccessPlace = z
  .strictObject({ environment: part, namespace: part, table: part })
  .describe('Names with `*` for any text.')
export type AccessPlace = z.infer<typeof AccessPlace>

export const Privilege = z.enum([
  'select',
  'insert',
  'update',
  'delete',
  'create',
  'alter',
  'drop',
  'maintain',
  'manage',
])
export type Privilege = z.infer<typeof Privilege>
export const GrantedPrivilege = z.enum([...Privilege.options, 'write', 'all'])
export type GrantedPrivilege = z.infer<typeof GrantedPrivilege>

const source = z
  .enum(['access.yml', 'sql', 'cli', 'web'])
  .describe('Where it was said. What access.yml says is changed there.')

export const Right = z.strictObject({
  privilege: GrantedPrivilege,
  on: AccessPlace,
  columns: z.array(z.string()).nullable().describe('Of select: these columns only.'),
  to: Grantee,
})
export type Right = z.infer<typeof Right>

export const Access = z
  .strictObject({
    users: z.array(
      z.strictObject({
        name: z.string(),
        role: Role,
        disabled: z.boolean(),
        groups: z.array(z.string()).describe('All of them.'),
        roles: z.array(z.string()).describe('All of them, those by groups and by other roles too.'),
        attributes: z.record(z.string(), z.string()),
      }),
    ),
    groups: z.array(z.strictObject({ name: z.string(), members: z.array(Grantee) })),
    roles: z.array(z.strictObject({ name: z.string(), members: z.array(Grantee), source })),
    grants: z.array(z.strictObject({ ...Right.shape, source, grantedBy: z.string(), grantedAt: Timestamp })),
    rowFilters: z.array(
      z.strictObject({
        on: AccessPlace,
        condition: z.string(),
        to: z.array(z.string()).nullable().describe('Binds only these roles; null: everybody.'),
        except: z.array(z.string()).describe('Roles that it does not bind.'),
      }),
    ),
    masks: z.array(
      z.strictObject({ on: AccessPlace, column: z.string(), expression: z.string(), except: z.array(z.string()) }),
    ),
    limits: z.array(z.strictObject({ name: z.string(), most: z.number(), to: Grantee })),
  })
  .describe('The rights that are in force.')
export type Access = z.infer<typeof Access>

export const NewRight = Right.extend({ columns: Right.shape.columns.default(null) })
export type NewRight = z.infer<typeof NewRight>
export const NewRole = z.strictObject({ name: z.string().min(1).max(100) })
export type NewRole = z.infer<typeof NewRole>
export const Changed = z.strictObject({ changed: z.boolean().describe('False: it was so already.') })
export type Changed = z.infer<typeof Changed>

export const AccessCheck = z
  .strictObject({
    user: z.string(),
    table: z.string(),
    action: Privilege,
    verdict: z.enum(['allowed', 'refused']),
    because: z.array(z.string()).describe('A sentence for each rule that took part.'),
    columns: z
      .array(
        z.strictObject({
          name: z.string(),
          type: z.string(),
          shown: z.enum(['as it is', 'masked', 'hidden']),
          mask: z.string().nullable(),
        }),
      )
      .describe('Of select: every column of the table; none for other actions.'),
    filters: z.array(z.string()).describe('Conditions that the rows shown meet.'),
    limits: z.array(z.strictObject({ name: z.string(), most: z.number(), setBy: z.string() })),
    sql: z.string().nullable().describe('The SELECT that it amounts to.'),
    problem: z.string().nullable().describe('Why it cannot be read although it may be.'),
  })
  .describe('What somebody may do with a table and sees of it, and why.')
export type AccessCheck = z.infer<typeof AccessCheck>

export const Verdict = z.enum(['allowed', 'refused', 'failed'])
export type Verdict = z.infer<typeof Verdict>

export const Audit = z.strictObject({
  entries: z
    .array(
      z.strictObject({
        id: z.string(),
        at: Timestamp,
        principal: z.string().nullable().describe('Null: nobody that was known.'),
        door: z.string(),
        action: z.string(),
        verdict: Verdict,
        sql: z.string().nullable(),
        tables: z.array(z.string()),
        rows: z.number().nullable(),
        ms: z.number().nullable(),
        code: z.string().nullable().describe('Of the failure.'),
        requestId: z.string().nullable(),
      }),
    )
    .describe('Newest first.'),
  next: z.string().nullable().describe('Pass as `before` to look further; null when all was looked at.'),
})
export type Audit = z.infer<typeof Audit>
