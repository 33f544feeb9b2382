// All routes of the HTTP API as one table. The server registers its handlers by these keys, the description is
// printed from it, and the browser's client takes its types from it (types only: no schema reaches the browser).

import { z } from 'zod'
import { Access, AccessCheck, Audit, Changed, NewRight, NewRole, Grantee, Privilege, Verdict } from './access.ts'
import { Catalog, Table, UploadForm, Uploaded } from './catalog.ts'
import { AsOf, Done, Result, SnapshotId, Timestamp } from './common.ts'
import { Dashboard, DashboardData, DashboardQuestion, Dashboards, DimensionValues } from './dashboard.ts'
import { Event } from './events.ts'
import { Connect, Health, Home } from './home.ts'
import { Model, Models } from './models.ts'
import { Query, QueryLine, QueryResult } from './query.ts'
import { NewRun, Publication, Publications, Run, RunDetail, RunLog, Runs, Schedules } from './runs.ts'
import { ChangePassword, ChangeUser, LogIn, LogInByLink, NewUser, Session, User, UserLink, Users } from './session.ts'

/** Every request that is not GET carries this header: other sites cannot send it, so their forms are refused. */
export const csrfHeader = { name: 'x-boathouse', value: '1' } as const

export type Route = {
  id: string
  summary: string
  tag: string
  /** `none`: anybody; `session`: who is logged in; `admin`: administrators. */
  auth: 'none' | 'session' | 'admin'
  /** Path parameters, by their names in the path; all are text. */
  params?: z.ZodObject
  /** Text from the address, so numbers are coerced. `env` need not be listed: see `environment`. */
  query?: z.ZodObject
  body?: z.ZodType
  /** How the body is encoded; JSON when absent. */
  form?: 'multipart'
  response: z.ZodType
  /** `sse`: `response` is the data of one event; `ndjson`: `response` is one line. One JSON answer when absent. */
  stream?: 'sse' | 'ndjson'
  /** Accepts `?env=NAME`: another environment than the server's own (`Session.features.environments`). */
  environment?: true
}

const named = z.object({ name: z.string().min(1) })
const byId = z.object({ id: z.string().min(1) })
const table = z.object({ namespace: z.string().min(1), name: z.string().min(1) })
const count = (most: number, usual: number) => z.coerce.number().int().min(1).max(most).default(usual)

export const routes = {
  'GET /healthz': {
    id: 'health',
    tag: 'service',
    auth: 'none',
    response: Health,
    summary: 'Real checks of the parts; 503 when one fails.',
  },
  'GET /api/openapi.json': {
    id: 'openapi',
    tag: 'service',
    auth: 'none',
    response: z.record(z.string(), z.unknown()),
    summary: 'This description, OpenAPI 3.1.',
  },
  'GET /api/events': {
    id: 'events',
    tag: 'service',
    auth: 'session',
    response: Event,
    stream: 'sse',
    summary: 'What changes while a page is open.',
  },

  'GET /api/session': {
    id: 'getSession',
    tag: 'session',
    auth: 'none',
    environment: true,
    response: Session,
    summary: 'Who is asking, and where.',
  },
  'POST /api/session': {
    id: 'logIn',
    tag: 'session',
    auth: 'none',
    body: LogIn,
    response: Session,
    summary: 'Logs in by name and password; sets the session cookie.',
  },
  'POST /api/session/link': {
    id: 'logInByLink',
    tag: 'session',
    auth: 'none',
    body: LogInByLink,
    response: Session,
    summary: 'Logs in by a one-time link; sets the session cookie.',
  },
  'DELETE /api/session': {
    id: 'logOut',
    tag: 'session',
    auth: 'session',
    response: Done,
    summary: 'Ends this session.',
  },
  'POST /api/session/password': {
    id: 'changePassword',
    tag: 'session',
    auth: 'session',
    body: ChangePassword,
    response: Done,
    summary: 'Sets the password of the asker; ends their other sessions.',
  },

  'GET /api/home': {
    id: 'home',
    tag: 'home',
    auth: 'session',
    environment: true,
    response: Home,
    summary: 'What matters today.',
  },

  'GET /api/dashboards': {
    id: 'listDashboards',
    tag: 'dashboards',
    auth: 'session',
    environment: true,
    response: Dashboards,
    summary: 'All dashboards.',
  },
  'GET /api/dashboards/:name': {
    id: 'getDashboard',
    tag: 'dashboards',
    auth: 'session',
    environment: true,
    params: named,
    response: Dashboard,
    summary: 'What a dashboard draws, compiled from its file.',
  },
  'POST /api/dashboards/:name/data': {
    id: 'dashboardData',
    tag: 'dashboards',
    auth: 'session',
    environment: true,
    params: named,
    body: DashboardQuestion,
    response: DashboardData,
    summary: 'The rows of its panels under these filters. A panel that fails does not fail the others.',
  },
  'GET /api/dashboards/:name/filters/:id/values': {
    id: 'filterValues',
    tag: 'dashboards',
    auth: 'session',
    environment: true,
    params: z.object({ name: z.string().min(1), id: z.string().min(1) }),
    query: z.strictObject({ search: z.string().max(200).optional(), limit: count(1_000, 200), asOf: AsOf.optional() }),
    response: DimensionValues,
    summary: 'What a select filter may choose from, in the order of their names.',
  },

  'GET /api/catalog': {
    id: 'catalog',
    tag: 'tables',
    auth: 'session',
    environment: true,
    response: Catalog,
    summary: 'All tables and their columns.',
  },
  'GET /api/tables/:namespace/:name': {
    id: 'getTable',
    tag: 'tables',
    auth: 'session',
    environment: true,
    params: table,
    response: Table,
    summary: 'One table: schema, snapshots, files, lineage.',
  },
  'GET /api/models': {
    id: 'listModels',
    tag: 'models',
    auth: 'session',
    environment: true,
    response: Models,
    summary: 'The models of the project, what they read, and how they last ended.',
  },
  'GET /api/models/:id': {
    id: 'getModel',
    tag: 'models',
    auth: 'session',
    environment: true,
    params: byId,
    response: Model,
    summary: 'One model: SQL, columns with their lineage, tests, runs.',
  },
  'GET /api/tables/:namespace/:name/preview': {
    id: 'previewTable',
    tag: 'tables',
    auth: 'session',
    environment: true,
    params: table,
    query: z.strictObject({ snapshot: SnapshotId.optional(), limit: count(1_000, 100) }),
    response: Result,
    summary: 'Its first rows, now or as of a snapshot.',
  },
  'POST /api/tables/upload': {
    id: 'uploadTable',
    tag: 'tables',
    auth: 'admin',
    environment: true,
    body: UploadForm,
    form: 'multipart',
    response: Uploaded,
    summary: 'Stores a file in the project, writes a source for it and starts a run of it.',
  },

  'POST /api/query': {
    id: 'query',
    tag: 'query',
    auth: 'session',
    environment: true,
    body: Query,
    response: QueryResult,
    summary: 'Runs one statement and answers with all its rows.',
  },
  'POST /api/query/stream': {
    id: 'streamQuery',
    tag: 'query',
    auth: 'session',
    environment: true,
    body: Query,
    response: QueryLine,
    stream: 'ndjson',
    summary: 'Runs one statement and streams its rows.',
  },
  'DELETE /api/query/:id': {
    id: 'cancelQuery',
    tag: 'query',
    auth: 'session',
    params: byId,
    response: Done,
    summary: 'Cancels a running query of the asker. Also done when it has ended already.',
  },

  'GET /api/runs': {
    id: 'listRuns',
    tag: 'runs',
    auth: 'session',
    environment: true,
    query: z.strictObject({ limit: count(200, 50), before: z.string().optional() }),
    response: Runs,
    summary: 'Runs, newest first.',
  },
  'POST /api/runs': {
    id: 'startRun',
    tag: 'runs',
    auth: 'admin',
    environment: true,
    body: NewRun,
    response: Run,
    summary: 'Starts a run: ingest, build, test, publish.',
  },
  'GET /api/runs/:id': {
    id: 'getRun',
    tag: 'runs',
    auth: 'session',
    params: byId,
    response: RunDetail,
    summary: 'One run with its steps.',
  },
  'GET /api/runs/:id/log': {
    id: 'runLog',
    tag: 'runs',
    auth: 'session',
    params: byId,
    query: z.strictObject({ after: z.coerce.number().int().min(0).default(0), limit: count(5_000, 1_000) }),
    response: RunLog,
    summary: 'Log lines with a number greater than `after`, oldest first.',
  },
  'POST /api/runs/:id/cancel': {
    id: 'cancelRun',
    tag: 'runs',
    auth: 'admin',
    params: byId,
    response: Run,
    summary: 'Cancels a run; nothing of it is published.',
  },
  'POST /api/runs/:id/retry': {
    id: 'retryRun',
    tag: 'runs',
    auth: 'admin',
    params: byId,
    response: Run,
    summary: 'Starts a new run of the same selection.',
  },
  'GET /api/publications': {
    id: 'listPublications',
    tag: 'runs',
    auth: 'session',
    environment: true,
    query: z.strictObject({ limit: count(200, 50) }),
    response: Publications,
    summary: 'What was published, newest first.',
  },
  'POST /api/publications/:id/rollback': {
    id: 'rollBack',
    tag: 'runs',
    auth: 'admin',
    params: byId,
    response: Publication,
    summary: 'Restores every table of a publication to what it was before, in one step.',
  },
  'GET /api/schedules': {
    id: 'listSchedules',
    tag: 'runs',
    auth: 'session',
    response: Schedules,
    summary: 'What runs when.',
  },

  'GET /api/connect': {
    id: 'connect',
    tag: 'connect',
    auth: 'session',
    environment: true,
    response: Connect,
    summary: 'Strings to paste into other tools.',
  },

  'GET /api/users': { id: 'listUsers', tag: 'users', auth: 'admin', response: Users, summary: 'All users.' },
  'POST /api/users': {
    id: 'createUser',
    tag: 'users',
    auth: 'admin',
    body: NewUser,
    response: UserLink,
    summary: 'Creates a user and a one-time log-in link for them.',
  },
  'PATCH /api/users/:id': {
    id: 'changeUser',
    tag: 'users',
    auth: 'admin',
    params: byId,
    body: ChangeUser,
    response: User,
    summary: 'Changes the role, disables or enables. The last administrator stays.',
  },
  'POST /api/users/:id/reset': {
    id: 'resetUser',
    tag: 'users',
    auth: 'admin',
    params: byId,
    response: UserLink,
    summary: 'Ends the sessions of a user, forgets the password and makes a one-time log-in link.',
  },

  'GET /api/access': {
    id: 'getAccess',
    tag: 'access',
    auth: 'admin',
    response: Access,
    summary: 'The rights that are in force: who is in what, grants, row filters, masks, limits.',
  },
  'GET /api/access/check': {
    id: 'checkAccess',
    tag: 'access',
    auth: 'admin',
    environment: true,
    query: z.strictObject({
      user: z.string().min(1).max(100),
      table: z.string().min(1).max(500).describe('`namespace.name`.'),
      action: Privilege.default('select'),
    }),
    response: AccessCheck,
    summary: 'What somebody may do with a table and sees of it, and why. Nothing of the table is read.',
  },
  'POST /api/access/grant': {
    id: 'grantAccess',
    tag: 'access',
    auth: 'admin',
    body: NewRight,
    response: Changed,
    summary: 'Gives a right, as GRANT does.',
  },
  'POST /api/access/revoke': {
    id: 'revokeAccess',
    tag: 'access',
    auth: 'admin',
    body: NewRight,
    response: Changed,
    summary: 'Takes a right away, as REVOKE does; what access.yml says is refused.',
  },
  'POST /api/access/roles': {
    id: 'createAccessRole',
    tag: 'access',
    auth: 'admin',
    body: NewRole,
    response: Done,
    summary: 'Makes a role.',
  },
  'DELETE /api/access/roles/:name': {
    id: 'dropAccessRole',
    tag: 'access',
    auth: 'admin',
    params: named,
    response: Done,
    summary: 'Drops a role with its members and what is granted to it; what access.yml says is refused.',
  },
  'POST /api/access/roles/:name/members': {
    id: 'addAccessMember',
    tag: 'access',
    auth: 'admin',
    params: named,
    body: Grantee,
    response: Changed,
    summary: 'Gives a role to a user, a group or another role.',
  },
  'DELETE /api/access/roles/:name/members/:kind/:member': {
    id: 'removeAccessMember',
    tag: 'access',
    auth: 'admin',
    params: z.object({ name: z.string().min(1), kind: Grantee.shape.kind, member: z.string().min(1) }),
    response: Changed,
    summary: 'Takes a role away; what access.yml says is refused.',
  },
  'GET /api/audit': {
    id: 'listAudit',
    tag: 'access',
    auth: 'admin',
    query: z.strictObject({
      limit: count(500, 100),
      before: z.string().max(100).optional(),
      from: Timestamp.optional(),
      to: Timestamp.optional(),
      principal: z.string().min(1).max(200).optional(),
      door: z.string().min(1).max(50).optional(),
      verdict: Verdict.optional(),
      text: z.string().min(1).max(200).optional().describe('In the action, the SQL or the names of tables.'),
    }),
    response: Audit,
    summary: 'Who did what and who was refused, newest first.',
  },
} as const satisfies Record<`${Method} ${string}`, Route>

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export type Routes = typeof routes
export type RouteKey = keyof Routes

type Infer<Of, Key extends string> =
  Of extends Record<Key, z.ZodType> ? z.infer<Of[Key & keyof Of] & z.ZodType> : undefined
type Sent<Of, Key extends string> =
  Of extends Record<Key, z.ZodType> ? z.input<Of[Key & keyof Of] & z.ZodType> : undefined

/** What a handler receives after parsing. */
export type Received<Key extends RouteKey> = {
  params: Infer<Routes[Key], 'params'>
  query: Infer<Routes[Key], 'query'>
  body: Infer<Routes[Key], 'body'>
}
/** What a client sends: fields with defaults may be left out. */
export type SentTo<Key extends RouteKey> = {
  params: Sent<Routes[Key], 'params'>
  query: Sent<Routes[Key], 'query'>
  body: Sent<Routes[Key], 'body'>
}
/** What is answered; for a stream: one event or line. */
export type Answered<Key extends RouteKey> = Routes[Key] extends { response: z.ZodType }
  ? z.infer<Routes[Key]['response']>
  : never

/** `'GET /api/runs/:id'` is `{ method: 'GET', path: '/api/runs/:id' }`. */
export function splitRoute(key: RouteKey): { method: Method; path: string } {
  const at = key.indexOf(' ')
  return { method: key.slice(0, at) as Method, path: key.slice(at + 1) }
}
