// A server for the browser tests of the app: answers every route of the contract from fixed data and checks each of
// its own answers against the contract, so that the app is never tested against something no server may say. It
// sends the headers that the app has to live with in production.

import { readFile } from 'node:fs/promises'
import { extname, join, normalize } from 'node:path'
import { serve } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { streamSSE } from 'hono/streaming'
import {
  openapi,
  routes,
  splitRoute,
  type Answered,
  type Dashboard,
  type Event,
  type Failure,
  type RouteKey,
  type Session,
} from '../../../src/contract/index.ts'
import {
  brief,
  catalogAnswer,
  connectAnswer,
  dashboardData,
  homeAnswer,
  logOf,
  makeOrders,
  modelAnswer,
  modelsAnswer,
  now,
  orderColumns,
  orderRow,
  publications,
  runs,
  salesDashboard,
  schedules,
  tableAnswer,
  users,
} from './fixture-data.ts'

export const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

class Refused extends Error {
  readonly failure: Failure
  readonly status: number
  constructor(status: number, failure: Omit<Failure, 'requestId'>) {
    super(failure.message)
    this.status = status
    this.failure = { ...failure, requestId: 'req-1' }
  }
}

export type Fixture = Awaited<ReturnType<typeof startFixture>>

/** Serves the built app from `dist` and the API from fixed data, on a free port of the loopback. */
export async function startFixture(dist: string) {
  const app = new Hono()
  const orders = makeOrders()
  const streams = new Set<(event: Event) => void>()
  const state = {
    orders,
    dashboards: new Map<string, Dashboard>([['sales', salesDashboard]]),
    role: 'admin' as 'admin' | 'reader',
    protectedEnvironment: false,
    passwordNeeded: false,
    open: [] as Answered<'GET /api/home'>['open'],
    /** Data is held back until this is done, for the states of waiting. */
    held: null as Promise<void> | null,
    /** Every request for data, as it was asked. */
    asked: [] as string[],
    cancelled: [] as string[],
    uploads: [] as { table: string; mode: string; text: string }[],
    empty: false,
    /** What every panel fails of, when it does. */
    failing: null as Failure | null,
  }

  const session = (loggedIn: boolean): Session => {
    const environment = state.protectedEnvironment
      ? { name: 'prod', catalog: 'prod_analytics', protected: true }
      : { name: 'dev', catalog: 'dev_analytics', protected: false }
    return {
      user: loggedIn ? { id: 'u1', name: 'ada', role: state.role, passwordNeeded: state.passwordNeeded } : null,
      project: { name: 'sales', timezone: 'UTC' },
      environment,
      environments: [environment],
      version: '0.1.0',
      features: { upload: true, environments: false, sqlWrites: true },
    }
  }

  type Handler<Key extends RouteKey> = (asked: {
    params: any
    query: any
    body: any
    c: Context
  }) => Answered<Key> | Promise<Answered<Key>>
  function on<Key extends RouteKey>(key: Key, handler: Handler<Key>): void {
    const { method, path } = splitRoute(key)
    const route = routes[key] as { query?: any; body?: any; response: any; auth: string; form?: string }
    app.on(method, path, async (c) => {
      if (route.auth !== 'none' && getCookie(c, 'boathouse_session') !== 'ada')
        throw new Refused(401, { code: 'UNAUTHENTICATED', message: 'You are not logged in.', hint: 'Log in.' })
      if (route.auth === 'admin' && state.role !== 'admin')
        throw new Refused(403, {
          code: 'FORBIDDEN',
          message: 'Only administrators may do this.',
          hint: 'Ask an administrator.',
        })
      if (method !== 'GET' && c.req.header('x-boathouse') !== '1')
        throw new Refused(403, { code: 'FORBIDDEN', message: 'The header x-boathouse is missing.', hint: 'Send it.' })
      state.asked.push(key)
      const { env: _, ...search } = c.req.query()
      const body = route.form ? await c.req.parseBody() : route.body ? await c.req.json() : undefined
      const asked = {
        params: c.req.param(),
        query: route.query?.parse(search),
        body: route.body && !route.form ? route.body.parse(body) : body,
        c,
      }
      return c.json(route.response.parse(await handler(asked)) as never)
    })
  }
  const missing = (what: string): never => {
    throw new Refused(404, { code: 'NOT_FOUND', message: `There is no ${what}.`, hint: 'Check the name.' })
  }

  app.use(async (c, next) => {
    await next()
    c.header('content-security-policy', contentSecurityPolicy)
    c.header('x-content-type-options', 'nosniff')
  })
  app.onError((error, c) => {
    const refused =
      error instanceof Refused
        ? error
        : new Refused(500, { code: 'INTERNAL', message: error.message, hint: 'A mistake of the fixture.' })
    return c.json(refused.failure, refused.status as 500)
  })

  on('GET /healthz', () => ({ status: 'ok', db: 'ok', redis: 'off' }))
  on('GET /api/openapi.json', () => openapi('0.1.0'))
  on('GET /api/session', ({ c }) => session(getCookie(c, 'boathouse_session') === 'ada'))
  const enter = (c: Context): Session => {
    setCookie(c, 'boathouse_session', 'ada', { httpOnly: true, sameSite: 'Lax', path: '/' })
    return session(true)
  }
  on('POST /api/session', ({ body, c }) => {
    if (body.password !== 'correct horse')
      throw new Refused(401, {
        code: 'UNAUTHENTICATED',
        message: 'The name or the password is wrong.',
        hint: 'Try again.',
      })
    return enter(c)
  })
  on('POST /api/session/link', ({ body, c }) => {
    if (body.token !== 'once')
      throw new Refused(401, {
        code: 'UNAUTHENTICATED',
        message: 'This link was used already or has expired.',
        hint: 'Ask for a new one.',
      })
    state.passwordNeeded = true
    return enter(c)
  })
  on('DELETE /api/session', ({ c }) => {
    setCookie(c, 'boathouse_session', '', { path: '/', maxAge: 0 })
    return { ok: true }
  })
  on('POST /api/session/password', () => {
    state.passwordNeeded = false
    return { ok: true }
  })
  on('GET /api/home', () => {
    const home = homeAnswer([...state.dashboards.values()])
    return {
      ...home,
      environment: session(true).environment,
      open: state.open,
      ...(state.empty ? { dashboards: [], runs: [], tables: [], nextSchedule: null } : {}),
    }
  })
  on('GET /api/dashboards', () => ({
    problems: [],
    dashboards: homeAnswer(state.empty ? [] : [...state.dashboards.values()]).dashboards,
  }))
  on(
    'GET /api/dashboards/:name',
    ({ params }) => state.dashboards.get(params.name) ?? missing(`dashboard named ${params.name}`),
  )
  on('POST /api/dashboards/:name/data', async ({ params, body }) => {
    await state.held
    const dashboard = state.dashboards.get(params.name) ?? missing('dashboard')
    const data = dashboardData(state.empty ? [] : state.orders, dashboard, body)
    const { failing } = state
    return failing
      ? { ...data, panels: Object.fromEntries(Object.keys(data.panels).map((id) => [id, { failure: failing }])) }
      : data
  })
  on('GET /api/dashboards/:name/filters/:id/values', ({ params, query }) => {
    const counts = Map.groupBy(state.orders, (order) => order[params.id as 'region'])
    const values = [...counts]
      .map(([value, rows]) => ({ value, rows: rows.length }))
      .filter(({ value }) => value.toLowerCase().includes((query.search ?? '').toLowerCase()))
    return { values: values.sort((a, b) => (a.value < b.value ? -1 : 1)), complete: true }
  })
  on('GET /api/catalog', async () => {
    await state.held
    return state.empty ? { ...catalogAnswer, namespaces: [] } : catalogAnswer
  })
  on(
    'GET /api/tables/:namespace/:name',
    ({ params }) => tableAnswer(params.namespace, params.name) ?? missing(`table ${params.namespace}.${params.name}`),
  )
  on('GET /api/models', () => (state.empty ? { models: [], edges: [] } : modelsAnswer))
  on('GET /api/models/:id', ({ params }) => modelAnswer(params.id) ?? missing(`model ${params.id}`))
  on('GET /api/tables/:namespace/:name/preview', ({ query }) => {
    const rows = state.orders.slice(0, query.snapshot ? 40 : query.limit).map(orderRow)
    if (rows[3]) rows[3][6] = null
    return {
      columns: orderColumns,
      rows,
      truncated: true,
      ms: 3,
      provenance: { tables: [], views: [] },
      cached: { hit: false, ageMs: 0 },
    }
  })
  on('POST /api/tables/upload', async ({ body }) => {
    state.uploads.push({ table: body.table, mode: body.mode, text: await (body.file as File).text() })
    return { source: body.table, file: `sources/${body.table}.yml`, runId: 'run4' }
  })
  on('GET /api/runs', () => ({ runs: state.empty ? [] : runs.map(brief), next: null }))
  on('POST /api/runs', () => brief(runs[0]!))
  on('GET /api/runs/:id', ({ params }) => runs.find(({ id }) => id === params.id) ?? missing('run'))
  on('GET /api/runs/:id/log', ({ params, query }) => {
    const run = runs.find(({ id }) => id === params.id) ?? missing('run')
    const all = logOf(run)
    return {
      lines: all.filter(({ seq }) => seq > query.after),
      next: all.at(-1)?.seq ?? 0,
      ended: run.status !== 'running',
    }
  })
  on('POST /api/runs/:id/cancel', ({ params }) => ({
    ...brief(runs.find(({ id }) => id === params.id)!),
    status: 'cancelled',
  }))
  on('POST /api/runs/:id/retry', () => brief(runs[0]!))
  on('GET /api/publications', () => ({ publications: state.empty ? [] : publications }))
  on('POST /api/publications/:id/rollback', () => ({ ...publications[0]!, undoable: false, undoneBy: 'p4' }))
  on('GET /api/schedules', () => ({ schedules: state.empty ? [] : schedules }))
  on('GET /api/connect', () => connectAnswer)
  on('GET /api/users', () => ({ users }))
  on('POST /api/users', ({ body }) => ({
    user: { ...users[2]!, name: body.name, role: body.role },
    link: 'http://127.0.0.1:8620/login?token=4f1c9e',
    expiresAt: '2026-11-22T06:06:00Z',
  }))
  on('PATCH /api/users/:id', ({ params, body }) => ({ ...users.find(({ id }) => id === params.id)!, ...body }))
  on('POST /api/users/:id/reset', ({ params }) => ({
    user: users.find(({ id }) => id === params.id)!,
    link: 'http://127.0.0.1:8620/login?token=4f1c9e',
    expiresAt: '2026-11-22T06:06:00Z',
  }))

  // ---- SQL: three statements are understood; `slow` waits to be cancelled, `amont` is a misspelt column.
  const answerSql = async (sql: string, signal: AbortSignal) => {
    if (/slow/.test(sql)) await new Promise<void>((done) => signal.addEventListener('abort', () => done()))
    const wrong = /\bamont\b/.exec(sql)
    if (wrong) {
      const before = sql.slice(0, wrong.index).split('\n')
      throw new Refused(422, {
        code: 'SQL_INVALID',
        message: 'Column "amont" is not in marts.daily_revenue.',
        place: { line: before.length, column: before.at(-1)!.length + 1 },
        hint: 'Correct the statement at the position shown.',
        suggestions: ['amount', 'orders'],
      })
    }
    const columns = /count/.test(sql)
      ? [{ name: 'orders', type: 'BIGINT', nullable: false }]
      : [...orderColumns, { name: 'note', type: 'VARCHAR', nullable: true }]
    const rows = /count/.test(sql)
      ? [[state.orders.length]]
      : state.orders.map((order, index) => [...orderRow(order), index % 3 === 0 ? 'gift' : null])
    return {
      columns,
      rows,
      provenance: {
        tables: [
          {
            table: 'dev_analytics.marts.daily_revenue',
            snapshotId: '7612408337104220311',
            schemaId: 0,
            committedAt: '2026-11-21T06:02:11Z',
          },
        ],
        views: [],
      },
      cached: { hit: false, ageMs: 0 },
    }
  }
  on('POST /api/query', async ({ body, c }) => ({
    id: body.id ?? 'q1',
    truncated: false,
    ms: 12,
    ...(await answerSql(body.sql, c.req.raw.signal)),
  }))
  on('DELETE /api/query/:id', ({ params }) => {
    state.cancelled.push(params.id)
    return { ok: true }
  })
  app.post('/api/query/stream', async (c) => {
    const route = routes['POST /api/query/stream']
    const body = route.body.parse(await c.req.json())
    state.asked.push(`sql ${body.sql}`)
    const answer = await answerSql(body.sql, c.req.raw.signal)
    const chunks = Array.from({ length: Math.ceil(answer.rows.length / 300) }, (_, index) => ({
      kind: 'rows',
      rows: answer.rows.slice(index * 300, (index + 1) * 300),
    }))
    const { rows, ...header } = answer
    const lines = [
      { kind: 'header', id: body.id ?? 'q1', ...header },
      ...chunks,
      { kind: 'end', rowCount: rows.length, truncated: false, ms: 12.4 },
    ]
    return c.body(lines.map((line) => JSON.stringify(route.response.parse(line)) + '\n').join(''), 200, {
      'content-type': 'application/x-ndjson',
    })
  })
  app.get('/api/events', (c) =>
    streamSSE(c, async (stream) => {
      const send = (event: Event) =>
        void stream.writeSSE({ data: JSON.stringify(routes['GET /api/events'].response.parse(event)) })
      streams.add(send)
      send({ kind: 'hello', version: '0.1.0' })
      await new Promise<void>((done) => {
        stream.onAbort(done)
        closing.push(done)
      })
      streams.delete(send)
    }),
  )
  const closing: (() => void)[] = []

  // ---- the app itself: hashed files for ever, the page never from a cache
  app.get('*', async (c) => {
    const path = normalize(decodeURI(new URL(c.req.url).pathname))
    const file = extname(path) === '' ? '/index.html' : path
    const brotli = (c.req.header('accept-encoding') ?? '').includes('br')
      ? await readFile(join(dist, `${file}.br`)).catch(() => null)
      : null
    const bytes = brotli ?? (await readFile(join(dist, file)).catch(() => null))
    if (!bytes) return c.text('not found', 404)
    return c.body(new Uint8Array(bytes), 200, {
      'content-type': types[extname(file)] ?? 'application/octet-stream',
      'cache-control': file.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      vary: 'accept-encoding',
      ...(brotli ? { 'content-encoding': 'br' } : {}),
    })
  })

  const server = await new Promise<ReturnType<typeof serve>>((done) => {
    const started: ReturnType<typeof serve> = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () =>
      done(started),
    )
  })
  const { port } = server.address() as { port: number }
  return {
    url: `http://127.0.0.1:${port}`,
    now,
    state,
    emit: (event: Event) => streams.forEach((send) => send(event)),
    /** Ends all streams of events, as a server that stops does. */
    hangUp() {
      for (const done of closing.splice(0)) done()
    },
    listeners: () => streams.size,
    close: async () => {
      for (const done of closing.splice(0)) done()
      await new Promise((done) => {
        server.close(done)
        if ('closeAllConnections' in server) server.closeAllConnections()
      })
    },
  }
}
