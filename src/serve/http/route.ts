// One way into every handler: who asks is known and may, what they sent is parsed, and only then the handler runs. A
// handler gets values and answers with a value; it knows no status and no header.

import type { Context } from 'hono'
import type { HttpBindings } from '@hono/node-server'
import { z } from 'zod'
import { Failure, Failures } from '../../base/failure.ts'
import type { Answered, Environment, Received, Route, RouteKey, Routes } from '../../contract/index.ts'
import { authorise, type Action, type KnownSession, type Principal, type Resource } from '../../govern/index.ts'
import { readJson } from './body.ts'
import type { Asker, HttpDeps, HttpLimits } from './deps.ts'

/** Set by the first steps of every request: `steps.ts`. */
export type Known = {
  requestId: string
  address: string
  signal: AbortSignal
  /** Counts a request of theirs. @throws RATE_LIMITED */
  admit(principal: Principal): void
  principal?: Principal
  /** The session behind `principal`; undefined when it came by an API token. */
  session?: KnownSession & { token: string }
  /** Goes out with the answer. */
  setCookie?: string
}
export type HttpEnv = { Bindings: HttpBindings; Variables: { known: Known } }
export type HttpContext = Context<HttpEnv>

type By<Key extends RouteKey> = Routes[Key]['auth'] extends 'none' ? { principal: Principal | undefined } : Asker
type Body<Key extends RouteKey> = Routes[Key] extends { form: 'multipart' } ? undefined : Received<Key>['body']

export type Asked<Key extends RouteKey> = By<Key> & {
  params: Received<Key>['params']
  query: Received<Key>['query']
  body: Body<Key>
  /** The environment asked for by `?env=`, or the server's own. */
  environment: Environment
  environmentNamed: boolean
  known: Known
  context: HttpContext
}

/** JSON that is text already: rows are encoded where they are made, and never parsed on their way. */
export class JsonText {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export type Handler<Key extends RouteKey> = (asked: Asked<Key>) => Promise<Answered<Key> | JsonText | Response>
/** One handler for each route: a route of the contract without one does not compile. */
export type Handlers = { [Key in RouteKey]: Handler<Key> }
export type Some<Keys extends RouteKey> = Pick<Handlers, Keys>

type AdminKey = { [Key in RouteKey]: Routes[Key]['auth'] extends 'admin' ? Key : never }[RouteKey]

/** What the routes for administrators do, in the words of `govern`, which decides. */
const rights: Record<AdminKey, [Action, Resource['kind'] & ('source' | 'run' | 'publication' | 'user' | 'audit')]> = {
  'POST /api/tables/upload': ['create', 'source'],
  'POST /api/runs': ['run', 'run'],
  'POST /api/runs/:id/cancel': ['cancel', 'run'],
  'POST /api/runs/:id/retry': ['run', 'run'],
  'POST /api/publications/:id/rollback': ['rollback', 'publication'],
  'GET /api/users': ['read', 'user'],
  'POST /api/users': ['create', 'user'],
  'PATCH /api/users/:id': ['manage', 'user'],
  'POST /api/users/:id/reset': ['manage', 'user'],
  'GET /api/access': ['read', 'user'],
  'GET /api/access/check': ['read', 'user'],
  'POST /api/access/grant': ['manage', 'user'],
  'POST /api/access/revoke': ['manage', 'user'],
  'POST /api/access/roles': ['manage', 'user'],
  'DELETE /api/access/roles/:name': ['manage', 'user'],
  'POST /api/access/roles/:name/members': ['manage', 'user'],
  'DELETE /api/access/roles/:name/members/:kind/:member': ['manage', 'user'],
  'GET /api/audit': ['read', 'audit'],
}

/** Routes for whoever may look at the work of the project, and not only at data. */
const looks: Partial<Record<RouteKey, 'run' | 'publication'>> = {
  'GET /api/runs': 'run',
  'GET /api/runs/:id': 'run',
  'GET /api/runs/:id/log': 'run',
  'GET /api/schedules': 'run',
  'GET /api/publications': 'publication',
}

type EnterOptions = { deps: HttpDeps; limits: HttpLimits }

/** Checks and parses one request. @throws UNAUTHENTICATED, FORBIDDEN, REQUEST_INVALID, PAYLOAD_TOO_LARGE, NOT_FOUND */
export async function enter<Key extends RouteKey>(
  key: Key,
  route: Route,
  context: HttpContext,
  { deps, limits }: EnterOptions,
): Promise<Asked<Key>> {
  const known = context.get('known')
  const { principal } = known
  if (route.auth !== 'none' && !principal) throw new Failure('UNAUTHENTICATED', 'log in first')
  if (route.auth === 'admin' && principal) mayEnter(key as AdminKey, principal, context.req.param('id'))
  const looked = looks[key]
  if (looked && principal) authorise(principal, 'read', { kind: looked, name: 'of this project' })
  const { env, ...search } = searchOf(context.req.url)
  const mistakes: Failure[] = []
  const params = parse(route.params, context.req.param(), 'params', mistakes)
  const query = parse(route.query ?? nothing, search, 'query', mistakes)
  const body =
    route.body && !route.form ? parse(route.body, await readJson(context, limits), 'body', mistakes) : undefined
  if (mistakes.length > 0) throw new Failures(mistakes)
  const environment = environmentOf(route.environment ? env : undefined, deps)
  return {
    params,
    query: route.query ? query : undefined,
    body,
    principal,
    environment,
    environmentNamed: (route.environment && env !== undefined) || deps.about.environmentNamed,
    requestId: known.requestId,
    signal: known.signal,
    known,
    context,
  } as Asked<Key>
}

const nothing = z.strictObject({})

function mayEnter(key: AdminKey, principal: Principal, name: string | undefined): void {
  const [action, kind] = rights[key]
  authorise(principal, action, { kind, name: name ?? 'of this project' })
}

function searchOf(url: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [name, value] of new URL(url).searchParams) {
    if (Object.hasOwn(found, name)) throw new Failure('REQUEST_INVALID', `query.${name}: given twice`)
    // Not an assignment: a parameter named __proto__ is to be refused like any other.
    Object.defineProperty(found, name, { value, enumerable: true, configurable: true })
  }
  return found
}

function parse(schema: z.ZodType | undefined, value: unknown, where: string, mistakes: Failure[]): unknown {
  if (!schema) return undefined
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  for (const issue of parsed.error.issues.slice(0, 20)) {
    const field = [where, ...issue.path.map(String)].join('.').slice(0, 200)
    mistakes.push(new Failure('REQUEST_INVALID', `${field}: ${lowerFirst(issue.message)}`))
  }
  return undefined
}

const lowerFirst = (text: string) => text.slice(0, 1).toLowerCase() + text.slice(1)

export function environmentOf(name: string | undefined, { about }: Pick<HttpDeps, 'about'>): Environment {
  const wanted = name ?? about.environment
  const found = about.environments.find((one) => one.name === wanted)
  if (found) return found
  const names = about.environments.map((one) => one.name).join(', ')
  throw new Failure('NOT_FOUND', `there is no environment ${JSON.stringify(wanted)}`, { hint: `There are: ${names}.` })
}
