// The HTTP API over the real rooms: what one process writes, another serves, and pages hear of it. Every answer is held
// to the contract.

import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { App } from '../../src/cli/app.ts'
import { loadConfig, resolveEnvironment } from '../../src/config/index.ts'
import { Event, QueryLine, routes, splitRoute, type Answered, type RouteKey } from '../../src/contract/index.ts'
import { open } from '../../src/main.ts'

let dir: string
let app: App
let worker: App
let server: Awaited<ReturnType<App['startServer']>>
let cookie: string
const ends: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'boathouse-e2e-http-'))
  await cp('examples/sales', dir, { recursive: true, filter: (path) => basename(path) !== '.boathouse' })
  const config = loadConfig({
    dir,
    env: { BOATHOUSE_HTTP_PORT: '0', BOATHOUSE_LIMITS_MEMORY: '1GiB', BOATHOUSE_LIMITS_THREADS: '2' },
  })
  app = await open(config, resolveEnvironment(config), { role: 'serve', quiet: true })
  worker = await open(config, resolveEnvironment(config), { role: 'worker', quiet: true })
  const working = await worker.startWorker('e2e')
  server = await app.startServer()
  ends.push(
    () => server.server.close(),
    () => working.stop(),
    () => app.close(),
    () => worker.close(),
    () => rm(dir, { recursive: true, force: true }),
  )
  const entered = await send('POST /api/session/link', { body: { token: server.firstLink!.token } })
  cookie = entered.headers.getSetCookie()[0]!.split(';')[0]!
})
afterAll(async () => {
  for (const end of ends) await end()
})

type Sent = { params?: Record<string, string>; query?: string; body?: unknown; signal?: AbortSignal }

function send(key: RouteKey, { params = {}, query = '', body, signal }: Sent = {}): Promise<Response> {
  const { method, path } = splitRoute(key)
  const form = body instanceof FormData
  return fetch(
    `http://127.0.0.1:${server.listening.port}${path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name]!))}${query}`,
    {
      method,
      headers: {
        'x-boathouse': '1',
        ...(cookie ? { cookie } : {}),
        ...(body && !form ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: form ? body : JSON.stringify(body) } : {}),
      ...(signal ? { signal } : {}),
    },
  )
}

async function ask<Key extends RouteKey>(key: Key, sent?: Sent): Promise<Answered<Key>> {
  const response = await send(key, sent)
  const answer: unknown = await response.json()
  if (!response.ok) throw new Error(`${key}: ${JSON.stringify(answer)}`)
  return routes[key].response.parse(answer) as Answered<Key>
}

const rows = async (sql: string, more: object = {}) => (await ask('POST /api/query', { body: { sql, ...more } })).rows
const ended = async (id: string) => {
  await expect
    .poll(async () => (await ask('GET /api/runs/:id', { params: { id } })).status, { timeout: 30_000, interval: 100 })
    .toMatch(/succeeded|failed|cancelled/)
  return await ask('GET /api/runs/:id', { params: { id } })
}

function listen() {
  const stop = new AbortController()
  const events: Event[] = []
  void (async () => {
    const response = await send('GET /api/events', { signal: stop.signal })
    let rest = ''
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split('\n\n')
      rest = parts.pop()!
      for (const part of parts)
        for (const [, data] of part.matchAll(/^data: (.*)$/gm)) events.push(Event.parse(JSON.parse(data!)))
    }
  })().catch(() => {})
  return { events, [Symbol.dispose]: () => stop.abort() }
}

describe('a day of a project', () => {
  let first: string

  test('a run started on the page loads the table, tells it live, and its page has steps, log and publication', async () => {
    using page = listen()
    await expect.poll(() => page.events[0]?.kind).toBe('hello')
    const { id } = await ask('POST /api/runs', { body: { select: 'sales' } })
    const run = await ended(id)
    expect(run).toMatchObject({
      status: 'succeeded',
      trigger: { kind: 'manual', by: 'admin' },
      select: 'sales',
      publication: { undoable: true },
    })
    const step = run.steps.find((one) => one.kind === 'ingest')!
    expect(step).toMatchObject({
      asset: 'raw.sales',
      status: 'succeeded',
      result: { rowsWritten: 1_000, filesWritten: 1 },
      place: { file: 'sources/sales.yml' },
    })
    expect(step.logTail.map(({ event }) => event)).toContain('step succeeded')
    await expect
      .poll(() =>
        page.events.flatMap((event) => (event.kind === 'run' && event.run.id === id ? event.run.status : [])).at(-1),
      )
      .toBe('succeeded')
    await expect
      .poll(() => page.events.filter(({ kind }) => kind === 'published'))
      .toMatchObject([{ publication: run.publicationId, environment: 'dev', tables: ['dev_analytics.raw.sales'] }])
    const log = await ask('GET /api/runs/:id/log', { params: { id } })
    expect(log).toMatchObject({ ended: true, next: log.lines.at(-1)!.seq })
    first = step.result!.snapshotId!
  })

  test('a changed file loaded again is a new snapshot; the old one can be looked at; a rollback restores it in one step', async () => {
    await appendFile(join(dir, 'sales.csv'), 'ORD-9999,CUST-0001,2024-03-31,Laptop,1,1500.00,North\n')
    const run = await ended((await ask('POST /api/runs', { body: { select: 'sales' } })).id)
    expect(await rows('select count(*) from raw.sales')).toEqual([[1_001]])
    expect(await rows('select count(*) from raw.sales', { asOf: first })).toEqual([[1_000]])
    const table = await ask('GET /api/tables/:namespace/:name', { params: { namespace: 'raw', name: 'sales' } })
    expect(table.snapshots.map(({ id, current, runId }) => [id === first, current, runId === run.id])).toEqual([
      [false, true, true],
      [true, false, false],
    ])
    expect(table).toMatchObject({
      kind: 'table',
      rows: 1_001,
      formatVersion: 2,
      lineage: { upstream: [{ kind: 'source', name: 'sales' }] },
    })
    const preview = await ask('GET /api/tables/:namespace/:name/preview', {
      params: { namespace: 'raw', name: 'sales' },
      query: `?snapshot=${first}&limit=3`,
    })
    expect([preview.rows.length, preview.truncated]).toEqual([3, true])

    const undone = await ask('POST /api/publications/:id/rollback', { params: { id: run.publicationId! } })
    expect(undone).toMatchObject({ undoes: run.publicationId, by: 'admin' })
    expect(await rows('select count(*) from raw.sales')).toEqual([[1_000]])
    const { publications } = await ask('GET /api/publications')
    expect(publications.find(({ id }) => id === run.publicationId)).toMatchObject({
      undoable: false,
      undoneBy: undone.id,
    })
  })

  test('a CSV dropped on the page becomes a source and a table', async () => {
    const form = new FormData()
    form.set('file', new File(['id,name,price\n1,Kayak,10.50\n2,Canoe,20.00\n'], 'boats.csv'))
    form.set('table', 'boats')
    form.set('mode', 'replace')
    const uploaded = await ask('POST /api/tables/upload', { body: form })
    expect(await ended(uploaded.runId)).toMatchObject({ status: 'succeeded', trigger: { kind: 'upload', by: 'admin' } })
    expect(await readFile(join(dir, uploaded.file), 'utf8')).toContain('data/boats.csv')
    expect(await rows('select name from raw.boats order by id')).toEqual([['Kayak'], ['Canoe']])
    expect(
      (await ask('GET /api/catalog')).namespaces.find(({ name }) => name === 'raw')!.tables.map(({ name }) => name),
    ).toEqual(['boats', 'sales'])
  })

  test('a failed run says why, at home too', async () => {
    await rm(join(dir, 'data/boats.csv'))
    const run = await ended((await ask('POST /api/runs', { body: { select: 'boats' } })).id)
    expect(run).toMatchObject({ status: 'failed', publicationId: null, failure: { code: 'SOURCE_INVALID' } })
    expect(await rows('select count(*) from raw.boats')).toEqual([[2]])
    expect((await ask('GET /api/home')).open[0]).toMatchObject({
      kind: 'run',
      runId: run.id,
      problem: { code: 'SOURCE_INVALID' },
    })
    await writeFile(join(dir, 'data/boats.csv'), 'id,name,price\n1,Kayak,10.50\n')
    const again = await ended((await ask('POST /api/runs/:id/retry', { params: { id: run.id } })).id)
    expect(again).toMatchObject({ status: 'succeeded', trigger: { kind: 'retry', runId: run.id } })
    expect((await ask('GET /api/home')).open).toEqual([])
  })

  test('a dashboard file that is saved is told at once', async () => {
    using page = listen()
    await expect.poll(() => page.events[0]?.kind).toBe('hello')
    const file = join(dir, 'dashboards/sales.yml')
    await writeFile(file, (await readFile(file, 'utf8')).replace(/^title: .*$/m, 'title: Renamed'))
    const known = () => ask('GET /api/dashboards/:name', { params: { name: 'sales' } })
    await expect.poll(async () => (await known()).title, { interval: 50 }).toBe('Renamed')
    const { revision } = await known()
    await expect.poll(() => page.events).toContainEqual({ kind: 'dashboard', name: 'sales', revision })
    expect((await ask('GET /api/dashboards')).dashboards).toMatchObject([{ name: 'sales', title: 'Renamed' }])
  })
})

describe('SQL', () => {
  test('values arrive exact, whole or streamed', async () => {
    const sql = `select 9007199254740993::bigint, 1500.00::decimal(12,2), date '2024-03-31', 'NaN'::double, null`
    const expected = [['9007199254740993', '1500.00', '2024-03-31', 'NaN', null]]
    expect(await rows(sql)).toEqual(expected)
    const text = await (await send('POST /api/query/stream', { body: { sql } })).text()
    const lines = text
      .trim()
      .split('\n')
      .map((line) => QueryLine.parse(JSON.parse(line)))
    expect(lines.map(({ kind }) => kind)).toEqual(['header', 'rows', 'end'])
    expect(lines[1]).toMatchObject({ rows: expected })
  })

  test('a mistake has its place and what may have been meant', async () => {
    const response = await send('POST /api/query', { body: { sql: 'select 1,\n  amout from raw.sales' } })
    expect([response.status, await response.json()]).toEqual([
      422,
      expect.objectContaining({
        code: 'SQL_INVALID',
        place: { line: 2, column: 3 },
        suggestions: expect.arrayContaining(['amount']),
      }),
    ])
  })

  test('files and the network are out of reach', async () => {
    for (const sql of [
      `select * from read_csv('/etc/passwd')`,
      `select * from '/etc/passwd'`,
      `copy (select 1) to '/tmp/x'`,
      `attach 'x.db'`,
      `install httpfs`,
      `select getenv('HOME')`,
    ]) {
      const response = await send('POST /api/query', { body: { sql } })
      expect([403, 404, 422], sql).toContain(response.status)
      expect(await response.text(), sql).not.toContain('root:')
    }
  })

  const slow = 'select count(*) from range(100000) a, range(100000) b where (a.range * b.range) % 7 = 3'

  test('a query that nobody waits for any more, or that is cancelled, frees the engine', async () => {
    for (let round = 0; round < 6; round++) {
      const stop = new AbortController()
      const start = () =>
        send('POST /api/query', {
          body: { sql: slow, id: `slow-query-${round}` },
          signal: stop.signal,
        }).catch(() => undefined)
      let asking = start()
      await pause(200)
      // The probe has the same id. Should it come first, the slow one is refused and asked again.
      await expect
        .poll(
          async () => {
            const ended = await Promise.race([asking, pause(1)])
            if (ended) {
              asking = start()
              await pause(200)
            }
            return (await send('POST /api/query', { body: { sql: 'select 1', id: `slow-query-${round}` } })).status
          },
          { timeout: 15_000 },
        )
        .toBe(409)
      if (round % 2 === 0) stop.abort()
      else await ask('DELETE /api/query/:id', { params: { id: `slow-query-${round}` } })
      const answered = await asking
      if (round % 2 === 1) expect(answered!.status).toBe(499)
    }
    expect(await rows('select 42')).toEqual([[42]])
  })

  test('a reader looks, and changes nothing', async () => {
    const { link } = await ask('POST /api/users', { body: { name: 'rob', role: 'reader' } })
    const administrator = cookie
    cookie = ''
    const entered = await send('POST /api/session/link', { body: { token: new URL(link).searchParams.get('token') } })
    cookie = entered.headers.getSetCookie()[0]!.split(';')[0]!
    try {
      expect(await rows('select count(*) > 0 from raw.sales')).toEqual([[true]])
      for (const sql of [
        'create table raw.mine as select 1 a',
        'drop table raw.sales',
        'insert into raw.boats select 3, null, null',
      ]) {
        const response = await send('POST /api/query', { body: { sql } })
        expect([response.status, (await response.json()) as { code: string }], sql).toEqual([
          403,
          expect.objectContaining({ code: 'FORBIDDEN' }),
        ])
      }
    } finally {
      cookie = administrator
    }
    const audit = await app.govern.audit.list({ principal: 'rob' })
    expect(audit.map(({ verdict, action }) => `${verdict} ${action}`)).toContain('allowed log in by link')
    expect(audit.some(({ verdict, sql }) => verdict === 'refused' && sql === 'drop table raw.sales')).toBe(true)
  })

  test('a protected environment is written only where it is named', async () => {
    const sql = 'create table raw.tiny as select 1 a'
    const first = await send('POST /api/query', { query: '?env=prod', body: { sql } })
    expect([first.status, await first.text()]).toEqual([200, expect.any(String)])
    expect(
      (await send('POST /api/query', { body: { sql: 'create table prod_analytics.raw.tiny2 as select 1 a' } })).status,
    ).toBe(403)
    expect(await ask('POST /api/query', { query: '?env=prod', body: { sql: 'select a from raw.tiny' } })).toMatchObject(
      { rows: [[1]] },
    )
  })
})

test('models have a graph, columns with what they are made of, tests and how they last ended', async () => {
  const run = await ended((await ask('POST /api/runs', { body: { select: 'stg_sales+' } })).id)
  expect(run.status).toBe('succeeded')
  const [source, staging, mart] = ['source.sales.raw.sales', 'model.sales.stg_sales', 'model.sales.daily_revenue']
  const { models, edges } = await ask('GET /api/models')
  expect(models.map(({ id, kind, tests }) => [id, kind, tests])).toEqual(
    expect.arrayContaining([
      [source, 'source', 0],
      [staging, 'model', 6],
      [mart, 'model', 0],
    ]),
  )
  expect(edges).toEqual(
    expect.arrayContaining([
      { from: source, to: staging },
      { from: staging, to: mart },
    ]),
  )
  const byName = (name: string) => ask('GET /api/models/:id', { params: { id: name } })
  const found = await byName(mart)
  expect(found).toMatchObject({
    name: 'daily_revenue',
    table: 'marts.daily_revenue',
    place: { file: 'models/marts/daily_revenue.sql' },
    last: { status: 'success', runId: run.id },
    partly: null,
    mistakes: [],
  })
  expect(found.template).toContain("ref('stg_sales')")
  expect(found.compiled).toContain('"staging"."stg_sales"')
  expect(found.columns.find(({ name }) => name === 'revenue')).toMatchObject({
    description: 'The sum of quantity times amount.',
    from: [{ model: staging, column: 'line_total', how: 'aggregated' }],
  })
  expect(found.rows).toContainEqual({ model: staging, column: 'region', use: 'group' })
  expect(await byName('daily_revenue'), 'by the bare name').toEqual(found)
  const { testList } = await byName(staging)
  expect(testList).toHaveLength(6)
  expect(testList.map(({ last }) => last?.status)).toEqual(Array.from({ length: 6 }, () => 'pass'))
  expect((await send('GET /api/models/:id', { params: { id: 'nothing' } })).status).toBe(404)
})

test('every other page answers as the contract says', async () => {
  await ask('GET /healthz')
  await ask('GET /api/session')
  await ask('GET /api/schedules')
  await ask('GET /api/runs', { query: '?limit=2' })
  await ask('GET /api/users')
  const { texts } = await ask('GET /api/connect')
  expect(texts.find(({ id }) => id === 'pyiceberg')!.code).toContain(join(dir, '.boathouse', 'catalog.db'))
  const data = await ask('POST /api/dashboards/:name/data', { params: { name: 'sales' }, body: { filters: {} } })
  expect(Object.keys(data.panels).length).toBeGreaterThan(0)
})

const pause = (ms: number): Promise<undefined> => new Promise((resolve) => setTimeout(() => resolve(undefined), ms))
