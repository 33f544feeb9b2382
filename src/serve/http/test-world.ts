// A server with real HTTP, real users and sessions in memory, and small rooms behind it.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure } from '../../base/failure.ts'
import { realClock } from '../../base/clock.ts'
import { type Log, silentLog } from '../../base/log.ts'
import type { Event, Environment, Run, RunDetail, Publication, Table, TableSummary } from '../../contract/index.ts'
import { type Govern, openGovern } from '../../govern/index.ts'
import type { QueryOptions, QueryResult } from '../../lake/index.ts'
import { openMemoryRecords } from '../../records/index.ts'
import type { HttpDeps, HttpLimits, HttpSettings } from './deps.ts'
import { createHttpServer, type HttpServer } from './server.ts'

export const password = 'correct horse battery'
const at = '2024-03-31T06:00:00.000Z'

export const dev: Environment = { name: 'dev', catalog: 'dev_analytics', protected: false }
export const prod: Environment = { name: 'prod', catalog: 'prod_analytics', protected: true }

export const run: Run = {
  id: 'run1',
  environment: 'dev',
  trigger: { kind: 'manual', by: 'ada', schedule: null, runId: null },
  select: null,
  status: 'succeeded',
  createdAt: at,
  startedAt: at,
  endedAt: at,
  counts: { total: 1, succeeded: 1, failed: 0, skipped: 0, running: 0 },
  failure: null,
  publicationId: null,
}
const publication: Publication = {
  id: 'p1',
  environment: 'dev',
  runId: 'run1',
  by: null,
  publishedAt: at,
  undoes: null,
  undoneBy: null,
  undoable: true,
  tables: [],
}
const summary: TableSummary = {
  namespace: 'marts',
  name: 'daily_revenue',
  kind: 'table',
  comment: null,
  columns: [],
  rows: 3,
  bytes: 100,
  updatedAt: at,
}
const table: Table = {
  ...summary,
  catalog: 'dev_analytics',
  location: null,
  formatVersion: 2,
  files: 1,
  partitions: [],
  properties: {},
  snapshots: [],
  sql: null,
  lineage: { upstream: [], downstream: [] },
  definedAt: null,
}

export type World = AsyncDisposable & {
  url: string
  port: number
  dir: string
  govern: Govern
  deps: HttpDeps
  server: HttpServer
  emit(event: Event): void
  /** Statements that the lake got, with their options. */
  asked: { sql: string; options: QueryOptions }[]
  uploads: { fileName: string; table: string; mode: string; text: string }[]
  logged: { level: string; event: string; fields: Record<string, unknown> }[]
  /** A session cookie of a user with this role. */
  cookie(role: 'admin' | 'reader'): Promise<string>
  token(role: 'admin' | 'reader'): Promise<string>
  fetch(path: string, init?: RequestInit & { as?: string; json?: unknown }): Promise<Response>
}

type Options = { settings?: Partial<HttpSettings>; limits?: Partial<HttpLimits>; health?: HttpDeps['health'] }

export async function openWorld({ settings = {}, limits = {}, health }: Options = {}): Promise<World> {
  const { readFile } = await import('node:fs/promises')
  const dir = mkdtempSync(join(tmpdir(), 'boathouse-http-'))
  const records = await openMemoryRecords()
  const govern = openGovern({ records, cost: { logN: 4, r: 1, p: 1 } })
  const listeners = new Set<(event: Event) => void>()
  const asked: World['asked'] = []
  const uploads: World['uploads'] = []
  const logged: World['logged'] = []
  const deps: HttpDeps = {
    about: {
      version: '1.2.3',
      project: { name: 'sales', description: null, timezone: 'UTC' },
      environment: 'dev',
      environmentNamed: false,
      environments: [dev, prod],
      features: { upload: true, environments: true, sqlWrites: true },
    },
    govern,
    health: health ?? { db: () => records.check(), redis: null },
    lake: {
      begin: () => Promise.reject(new Failure('UNSUPPORTED', 'no transactions here')),
      describe: () => Promise.reject(new Failure('UNSUPPORTED', 'nothing is described here')),
      openScratch: () => Promise.reject(new Failure('UNSUPPORTED', 'no temporary tables here')),
      numbers: () => Promise.reject(new Failure('UNSUPPORTED', 'no sequences here')),
      sequenceOf: async () => undefined,
      async query(sql, options) {
        asked.push({ sql, options })
        return await fakeQuery(sql, options)
      },
    },
    catalog: {
      list: async ({ environment }) => ({
        catalog: environment.catalog,
        namespaces: [{ name: 'marts', tables: [summary] }],
        functions: ['sum'],
      }),
      table: async ({ namespace, name }) => {
        if (name !== 'daily_revenue') throw new Failure('TABLE_NOT_FOUND', `there is no table ${namespace}.${name}`)
        return table
      },
    },
    models: {
      list: async () => ({ models: [], edges: [] }),
      get: async (id) => ({
        id,
        name: id,
        kind: 'model',
        materialized: 'table',
        table: null,
        description: '',
        tags: [],
        group: null,
        tests: 0,
        problems: 0,
        last: null,
        package: 'sales',
        owner: null,
        place: null,
        template: null,
        compiled: null,
        columns: [],
        rows: [],
        testList: [],
        runs: [],
        mistakes: [],
        partly: null,
      }),
    },
    checkAccess: async ({ user, table, action }) => ({
      user,
      table,
      action,
      verdict: 'refused',
      because: [],
      columns: [],
      filters: [],
      limits: [],
      sql: null,
      problem: null,
    }),
    dashboards: {
      list: async () => ({ dashboards: [], problems: [] }),
      get: async (name) => ({
        name,
        title: name,
        description: null,
        file: `dashboards/${name}.yml`,
        revision: '1',
        filters: [],
        panels: [],
        layout: [],
        problems: [],
      }),
      data: async () => ({ revision: '1', freshness: { committedAt: null, asOf: null, tables: [] }, panels: {} }),
      values: async (_name, _filter, { limit }) => ({ values: [{ value: String(limit), rows: null }], complete: true }),
    },
    runs: {
      list: async () => ({ runs: [run], next: null }),
      start: async () => run,
      get: async (id): Promise<RunDetail> => {
        if (id === 'missing') throw new Failure('NOT_FOUND', `there is no run ${id}`)
        return { ...run, id, steps: [], publication: null }
      },
      log: async () => ({ lines: [], next: 0, ended: true }),
      cancel: async () => run,
      retry: async () => run,
      schedules: async () => ({ schedules: [] }),
    },
    publications: { list: async () => [publication], rollback: async () => publication },
    uploads: {
      async add({ path, fileName, table: name, mode }) {
        uploads.push({ fileName, table: name, mode, text: await readFile(path, 'utf8') })
        return { source: name, file: `sources/${name}.yml`, runId: 'run1' }
      },
    },
    connect: async (_asker, baseUrl) => ({ facts: [{ label: 'Address', value: baseUrl }], texts: [] }),
    iceberg: {
      answer: async () => new Response(null, { status: 204 }),
      failed: () => new Response(null, { status: 503 }),
    },
    problems: async () => [],
    events: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    settings: {
      host: '127.0.0.1',
      port: 0,
      webDir: join(dir, 'web'),
      spoolDir: join(dir, 'spool'),
      uploadBytesMax: 100_000,
      queryTimeoutMs: 60_000,
      checkAnswers: true,
      ...settings,
      limits: { graceMs: 200, ...limits },
    },
    clock: realClock,
    log: recording(logged),
  }
  const server = createHttpServer(deps)
  const { port } = await server.listen()
  const url = `http://127.0.0.1:${port}`
  const users = new Map<string, Promise<string>>()
  const userOf = (role: 'admin' | 'reader') => {
    const made =
      users.get(role) ??
      govern.users
        .create({ name: role === 'admin' ? 'ada' : 'rob', role })
        .then(async ({ id }) => (await govern.users.setPassword(id, password), id))
    users.set(role, made)
    return made
  }
  return {
    url,
    port,
    dir,
    govern,
    deps,
    server,
    asked,
    uploads,
    logged,
    emit: (event) => listeners.forEach((listener) => listener(event)),
    async cookie(role) {
      await userOf(role)
      const { token } = await govern.sessions.logIn(
        { name: role === 'admin' ? 'ada' : 'rob', password },
        { address: '127.0.0.1' },
      )
      return `boathouse_session_${port}=${token}`
    },
    token: async (role) => (await govern.tokens.create(await userOf(role), { name: 'test' })).token,
    fetch(path, { as, json, ...init } = {}) {
      const headers = new Headers(init.headers)
      if (as) headers.set('cookie', as)
      if ((init.method ?? 'GET') !== 'GET' && !headers.has('x-boathouse')) headers.set('x-boathouse', '1')
      if (json !== undefined) headers.set('content-type', 'application/json')
      return fetch(`${url}${path}`, {
        redirect: 'manual',
        ...init,
        headers,
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      })
    },
    async [Symbol.asyncDispose]() {
      await server.close()
      await govern.close()
      await records.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** `rows 5`, `rows 5 then fail`, `rows 5 then hang`, `hang`, `fail SQL_INVALID`, `crash`. */
async function fakeQuery(sql: string, { rowsMax = 100, signal }: QueryOptions): Promise<QueryResult> {
  const until = () =>
    new Promise<never>((_, reject) => {
      const stop = () => reject(new Failure('QUERY_CANCELLED', 'cancelled'))
      if (signal?.aborted) stop()
      signal?.addEventListener('abort', stop, { once: true })
    })
  if (sql === 'hang') await until()
  if (sql === 'crash') throw new TypeError('secret detail of /etc/boathouse')
  if (sql === 'fail')
    throw new Failure('SQL_INVALID', 'no such column: amout', {
      place: { line: 2, column: 8 },
      suggestions: ['amount'],
    })
  const [, wanted = '3', , then] = /^rows (\d+)( then (\w+))?$/.exec(sql) ?? []
  const count = Math.min(Number(wanted), rowsMax)
  return {
    command: 'SELECT',
    columns: [
      { name: 'n', type: 'BIGINT', nullable: true },
      { name: 'amount', type: 'DECIMAL(12,2)', nullable: true },
    ],
    provenance: {
      tables: [{ table: 'dev_analytics.raw.sales', snapshotId: '42', schemaId: 0, committedAt: at }],
      views: [],
    },
    cached: { hit: false, ageMs: 0 },
    truncated: () => Number(wanted) > rowsMax,
    chunks: (async function* () {
      for (let row = 0; row < count; row += 1_000) {
        const rows = Array.from({ length: Math.min(1_000, count - row) }, (_, index) => [row + index, '1500.00'])
        yield { rowCount: rows.length, json: JSON.stringify(rows) }
      }
      if (then === 'fail') throw new Failure('ENGINE_LOST', 'the engine process ended')
      if (then === 'crash') throw new TypeError('secret detail of /etc/boathouse')
      if (then === 'hang') await until()
    })(),
  }
}

function recording(lines: World['logged']): Log {
  const at =
    (level: string) =>
    (event: string, fields: Record<string, unknown> = {}) =>
      void lines.push({ level, event, fields })
  return {
    ...silentLog,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => recording(lines),
  }
}
