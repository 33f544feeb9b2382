import { z } from 'zod'
import { Timestamp } from './common.ts'

export const Role = z.enum(['admin', 'reader', 'member'])
export type Role = z.infer<typeof Role>

export const Environment = z.strictObject({
  name: z.string().describe('The short name: dev, staging, prod.'),
  catalog: z.string().describe('The Iceberg catalog behind it, for example `dev_analytics`.'),
  protected: z.boolean().describe('Written only where somebody named it.'),
})
export type Environment = z.infer<typeof Environment>

export const Session = z
  .strictObject({
    user: z
      .strictObject({
        id: z.string(),
        name: z.string(),
        role: Role,
        passwordNeeded: z.boolean().describe('Came in by a one-time link and has no password yet.'),
      })
      .nullable(),
    project: z.strictObject({
      name: z.string(),
      timezone: z.string().describe('IANA name; every session of the engine runs in it.'),
    }),
    environment: Environment,
    environments: z.array(Environment),
    version: z.string(),
    features: z.strictObject({
      upload: z.boolean().describe('A file may be dropped on the tables page.'),
      environments: z.boolean().describe('Routes answer for another environment when asked by `?env=`.'),
      sqlWrites: z.boolean().describe('Statements that change tables may be run by administrators.'),
    }),
  })
  .describe(
    'Who is asking, and where. `user` is null before log-in; project and environment are then those of the log-in page.',
  )
export type Session = z.infer<typeof Session>

export const LogIn = z.strictObject({ name: z.string().min(1).max(200), password: z.string().min(1).max(1_000) })
export type LogIn = z.infer<typeof LogIn>

export const LogInByLink = z.strictObject({ token: z.string().min(1).max(500) })
export type LogInByLink = z.infer<typeof LogInByLink>

export const passwordLengthMin = 10
export const ChangePassword = z.strictObject({
  current: z.string().max(1_000).optional().describe('Not needed while no password is set.'),
  password: z.string().min(passwordLengthMin).max(1_000),
})
export type ChangePassword = z.infer<typeof ChangePassword>

export const User = z.strictObject({
  id: z.string(),
  name: z.string(),
  role: Role,
  disabled: z.boolean(),
  passwordSet: z.boolean(),
  createdAt: Timestamp,
  lastSeenAt: Timestamp.nullable(),
})
export type User = z.infer<typeof User>
export const Users = z.strictObject({ users: z.array(User) })
export type Users = z.infer<typeof Users>

export const NewUser = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(100)
    .regex(/^[\p{L}\p{N}._@+-]+$/u, 'letters, digits and . _ @ + - only'),
  role: Role,
})
export type NewUser = z.infer<typeof NewUser>

export const ChangeUser = z.strictObject({ role: Role.optional(), disabled: z.boolean().optional() })
export type ChangeUser = z.infer<typeof ChangeUser>

export const UserLink = z
  .strictObject({
    user: User,
    link: z.string().describe('Opens a session once; show it to nobody else.'),
    expiresAt: Timestamp,
  })
  .describe('A user and a one-time log-in link for them.')
export type UserLink = z.infer<typeof UserLink>
