import { cp, mkdir, mkdtemp, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { realClock } from '../../../base/clock.ts'
import { Failure } from '../../../base/failure.ts'
import { silentLog } from '../../../base/log.ts'
import { Connect, type Event } from '../../../contract/index.ts'
import type { Run, RunDetail, RunEvent } from '../../../orchestrate/index.ts'
import { openMemoryRecords } from '../../../records/index.ts'
import { connectTexts } from './connect.ts'
import { openLiveProject } from './live-project.ts'
import { followNews } from './news.ts'
import { listPublications } from './publications.ts'
import { cronInWords, problemOf, resultOf, runOf } from './runs.ts'
import { lineageOf } from './tables.ts'
import { addUpload } from './upload.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'boathouse-rooms-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

test.each([
  ['0 6 * * *', 'every day at 06:00'],
  ['30 6,18 * * *', 'every day at 06:30 and 18:30'],
  ['* * * * *', 'every minute'],
  ['*/15 * * * *', 'every 15 minutes'],
  ['0 * * * *', 'every hour'],
  ['5 * * * *', 'every hour at minute 5'],
  ['0 */4 * * *', 'every 4 hours'],
  ['0 7 * * 1-5', 'every weekday at 07:00'],
  ['0 7 * * 1', 'every Monday at 07:00'],
  ['0 7 * * 0,7', 'every Sunday, Sunday at 07:00'],
  ['0 7 1 * *', 'on day 1 of every month at 07:00'],
  ['0 7 1 1 *', 'by 0 7 1 1 *'],
  ['0 0 7 * * *', 'by 0 0 7 * * *'],
  ['0 7 * * MON', 'by 0 7 * * MON'],
])('%s is %s', (cron, words) => expect(cronInWords(cron)).toBe(words))

describe('runs', () => {
  const outcome = { name: 'unique', status: 'pass', failures: 0, message: null, sql: null }
  test.each<[string, unknown, unknown]>([
    [
      'of ingestion',
      { table: 'raw.sales', rows: 1_000, files: 1, bytes: 9, snapshotId: '42' },
      { rowsWritten: 1_000, filesWritten: 1, bytesWritten: 9, snapshotId: '42', tests: [] },
    ],
    [
      'of a model',
      { rowsWritten: 5, filesWritten: ['a', 'b'], snapshotId: null, tests: [outcome, { name: 'broken' }] },
      { rowsWritten: 5, filesWritten: 2, bytesWritten: null, snapshotId: null, tests: [outcome] },
    ],
    ['that says nothing of rows', { publicationId: 'p' }, null],
    ['that is nothing', null, null],
    ['that is a word', 'done', null],
    ['with nonsense', { rows: -1, bytes: 'many', snapshotId: 42 }, null],
  ])('the output %s', (_, output, result) => expect(resultOf(output)).toEqual(result))

  test('a place without parts is none', () => {
    expect(problemOf({ code: 'TEST_FAILED', message: 'm', hint: 'h', place: {} })).toEqual({
      code: 'TEST_FAILED',
      message: 'm',
      hint: 'h',
    })
  })
})

test('lineage: a table knows its source or model, what it reads, and who reads it', () => {
  const place = { file: 'models/stg.sql' }
  const models = [
    { table: 'staging.stg', reads: ['raw.sales'], place },
    { table: 'marts.daily', reads: ['staging.stg', 'staging.stg'], place: null },
  ]
  const others = {
    sources: [{ name: 'sales', table: 'raw.sales', place: { file: 'sources/sales.yml' } }],
    dashboards: [{ name: 'sales', reads: ['staging.stg'] }],
  }
  const pointers = [
    { name: { catalog: 'dev', namespace: 'staging', name: 'stg' }, kind: 'view' as const, location: 'x' },
  ]
  const show = (table: string) => {
    const { lineage, definedAt } = lineageOf(table, models, others, pointers)
    const text = (list: typeof lineage.upstream) =>
      list.map(({ namespace, name, kind }) => `${kind} ${namespace}.${name}`).join(', ')
    return `${text(lineage.upstream)} > ${table} > ${text(lineage.downstream)} @ ${definedAt?.file}`
  }
  expect(show('raw.sales')).toBe('source sources.sales > raw.sales > view staging.stg @ sources/sales.yml')
  expect(show('staging.stg')).toBe(
    'table raw.sales > staging.stg > table marts.daily, dashboard dashboards.sales @ models/stg.sql',
  )
  expect(show('marts.daily')).toBe('view staging.stg > marts.daily >  @ undefined')
})

test('strings to paste carry names of the project and no secret', () => {
  const about = {
    environment: { name: 'dev', catalog: 'dev_analytics', protected: false },
    baseUrl: 'http://localhost:8620',
    table: 'marts.daily',
    version: '1',
  }
  const config = {
    name: 'my-sales',
    dir: '/p',
    stateDir: '/p/.boathouse',
    storage: { root: '/p/.boathouse/lake' },
    records: { url: undefined, schema: 'boathouse' },
    pg: { enabled: true, port: undefined },
  }
  const embedded = Connect.parse(connectTexts({ ...about, config }))
  const text = JSON.stringify(embedded)
  expect(text).toContain('sqlite:////p/.boathouse/catalog.db')
  expect(text).toContain('file:///p/.boathouse/lake')
  expect(text).toContain('my_sales:')
  expect(text).toContain('psql -h localhost -p 5439 -U USER -d dev')
  expect(text).toContain('jdbc:postgresql://localhost:5439/dev')
  expect(text).toContain('http://localhost:8620/iceberg')
  const without = connectTexts({ ...about, config: { ...config, pg: { enabled: false, port: undefined } } })
  expect(JSON.stringify(without)).not.toContain('5439')
  const onPostgres = JSON.stringify(
    connectTexts({
      ...about,
      config: { ...config, records: { url: 'postgres://ada:hunter2@db:5432/x', schema: 'boathouse' } },
    }),
  )
  expect(onPostgres).toContain('postgresql+psycopg2://ada:PASSWORD@db:5432/x?options=-csearch_path%3Dboathouse')
  expect(onPostgres).not.toContain('hunter2')
})

describe('an upload', () => {
  /** The spool lies inside the project, as it does in life. */
  const file = async (text: string, fileName = 'orders.csv') => {
    const path = join(dir, '.boathouse', 'spool', fileName)
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(path, text)
    return { path, fileName, table: 'orders', mode: 'replace' as const }
  }

  test('writes a source; the next file of the same name only replaces the data; any other is refused', async () => {
    expect(await addUpload(dir, await file('a\n1\n'))).toEqual({ name: 'orders', file: 'sources/orders.yml' })
    const yaml = await readFile(join(dir, 'sources/orders.yml'), 'utf8')
    expect(yaml).toContain('path: data/orders.csv')
    await writeFile(join(dir, 'sources/orders.yml'), `# by hand\n${yaml}`)
    await addUpload(dir, await file('a\n2\n'))
    expect(await readFile(join(dir, 'data/orders.csv'), 'utf8')).toBe('a\n2\n')
    expect(await readFile(join(dir, 'sources/orders.yml'), 'utf8')).toContain('# by hand')
    await expect(addUpload(dir, { ...(await file('a\n3\n')), mode: 'append' })).rejects.toThrow(
      expect.objectContaining({ code: 'ALREADY_EXISTS', place: { file: 'sources/orders.yml' } }),
    )
    await expect(addUpload(dir, { ...(await file('a\n3\n')), table: 'others' })).rejects.toThrow(
      expect.objectContaining({ code: 'ALREADY_EXISTS', message: 'data/orders.csv is there already' }),
    )
    expect(await readFile(join(dir, 'data/orders.csv'), 'utf8')).toBe('a\n2\n')
  })

  test('that cannot be a source leaves nothing in the project', async () => {
    await expect(addUpload(dir, await file('x', 'report.pdf'))).rejects.toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED' }),
    )
    expect(await readdir(join(dir, 'data'))).toEqual([])
  })
})

describe('the live project', () => {
  const example = 'examples/sales'
  async function open() {
    const events: Event[] = []
    const stop = new AbortController()
    await cp(example, dir, { recursive: true })
    let missing = false
    const columns = [
      'region',
      'order_date',
      'product',
      'order_id',
      'customer_id',
      'quantity',
      'amount',
      'revenue',
      'orders',
    ].map((name) => ({ name }))
    const project = await openLiveProject({
      dir,
      catalog: 'dev_analytics',
      emit: (event) => events.push(event),
      signal: stop.signal,
      log: silentLog,
      bind: () => async () => {
        if (missing) throw new Failure('SQL_INVALID', 'Referenced column "region" not found', { name: 'region' })
        return columns
      },
    })
    return { project, events, breakTables: (is: boolean) => (missing = is), [Symbol.dispose]: () => stop.abort() }
  }
  const dashboards = join('dashboards', 'sales.yml')
  const kinds = (events: Event[]) => events.map(({ kind }) => kind)

  test('tells of a saved dashboard, keeps its last good picture while it is broken, and of its end', async () => {
    using live = await open()
    const { project, events } = live
    const [name] = [...(await project.dashboards('dev_analytics')).keys()]
    expect(name).toBe('sales')
    const before = (await project.dashboard('sales', 'dev_analytics')).definition
    const text = await readFile(join(dir, dashboards), 'utf8')

    await writeFile(join(dir, dashboards), text.replace(/^title: .*$/m, 'title: Renamed'))
    await expect.poll(() => kinds(events)).toContain('dashboard')
    const renamed = (await project.dashboard('sales', 'dev_analytics')).definition
    expect([renamed.title, renamed.revision === before.revision]).toEqual(['Renamed', false])
    expect(events.findLast(({ kind }) => kind === 'dashboard')).toEqual({
      kind: 'dashboard',
      name: 'sales',
      revision: renamed.revision,
    })

    await writeFile(join(dir, dashboards), `${text}\nnonsense: [`)
    await expect
      .poll(async () => (await project.dashboard('sales', 'dev_analytics')).definition.problems.length)
      .toBeGreaterThan(renamed.problems.length)
    const broken = (await project.dashboard('sales', 'dev_analytics')).definition
    expect([broken.title, broken.panels.length]).toEqual(['Renamed', renamed.panels.length])
    expect((await project.problems())[0]).toMatchObject({ place: { file: 'dashboards/sales.yml' } })

    events.length = 0
    await unlink(join(dir, dashboards))
    await expect.poll(() => events).toContainEqual({ kind: 'dashboard', name: 'sales', revision: null })
    await expect(project.dashboard('sales', 'dev_analytics')).rejects.toThrow(
      expect.objectContaining({ code: 'NOT_FOUND' }),
    )
  })

  test('a dashboard that never worked says why, with its place', async () => {
    await mkdir(join(dir, 'dashboards'), { recursive: true })
    await writeFile(join(dir, 'dashboards', 'bad.yml'), 'title: [\n')
    using live = await open()
    await expect(live.project.dashboard('bad', 'dev_analytics')).rejects.toThrow(
      expect.objectContaining({ place: expect.objectContaining({ file: 'dashboards/bad.yml' }) }),
    )
  })

  test('tables that change are looked at again', async () => {
    using live = await open()
    await live.project.dashboards('dev_analytics')
    live.breakTables(true)
    live.project.tablesChanged()
    await expect.poll(() => kinds(live.events)).toContain('dashboard')
    expect((await live.project.dashboard('sales', 'dev_analytics')).definition.problems.length).toBeGreaterThan(0)
  })
})

describe('news', () => {
  const at = '2024-03-31T06:00:00.000Z'
  const counts = { total: 0, pending: 0, running: 0, succeeded: 0, failed: 0, skipped: 0, cancelled: 0 }
  const run: RunDetail = {
    id: 'r1',
    environment: 'dev',
    catalog: 'dev_analytics',
    kind: 'run',
    selection: null,
    trigger: { kind: 'manual', by: 'ada', schedule: null, runId: null },
    status: 'running',
    createdAt: at,
    startedAt: at,
    finishedAt: null,
    workerId: 'w',
    attempt: 1,
    cancelRequested: false,
    failure: null,
    publicationId: null,
    changeSetId: null,
    counts,
    steps: [],
  }

  test('a run is told until it has ended, also when its end comes after its last line; a publication once', async () => {
    const records = await openMemoryRecords()
    const stop = new AbortController()
    const events: Event[] = []
    let status: Run['status'] = 'running'
    let fails = 1
    const following = followNews({
      records,
      emit: (event) => events.push(event),
      clock: realClock,
      log: silentLog,
      signal: stop.signal,
      pollMs: 20,
      environmentOf: () => 'dev',
      orchestrator: {
        get: async () => ({ ...run, status }),
        async *events(signal) {
          if (fails-- > 0) throw new Error('the records are away')
          for (let line = 0; line < 3; line++) yield { runId: 'r1', seq: line } as RunEvent
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        },
      },
    } as Parameters<typeof followNews>[0])
    const told = () => events.flatMap((event) => (event.kind === 'run' ? event.run.status : []))
    await expect.poll(told, { timeout: 10_000 }).toEqual(['running'])
    status = 'succeeded'
    await expect.poll(told).toEqual(['running', 'succeeded'])
    expect(runOf({ ...run, status })).toMatchObject({ status: 'succeeded', endedAt: null })

    const published_at = new Date().toISOString()
    await records.catalog
      .insertInto('publications')
      .values({
        id: 'p1',
        catalog: 'dev_analytics',
        run_id: 'r1',
        published_at,
        published_by: 'ada',
        rolled_back_at: null,
        rolled_back_by: null,
        undoes: null,
      })
      .execute()
    await records.catalog
      .insertInto('publication_tables')
      .values({
        publication_id: 'p1',
        namespace: 'raw',
        name: 'sales',
        kind: 'table',
        action: 'create',
        from_location: null,
        to_location: 'm1',
        from_snapshot: null,
        to_snapshot: '1',
      })
      .execute()
    await expect
      .poll(() => events.filter(({ kind }) => kind === 'published'))
      .toEqual([{ kind: 'published', publication: 'p1', environment: 'dev', tables: ['dev_analytics.raw.sales'] }])
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(events.filter(({ kind }) => kind === 'published')).toHaveLength(1)
    stop.abort()
    await following

    const store = (location: string) => ({
      records,
      environmentOf: () => 'dev',
      pointers: {
        list: async () => [
          { name: { catalog: 'dev_analytics', namespace: 'raw', name: 'sales' }, kind: 'table' as const, location },
        ],
      },
    })
    expect(await listPublications({ catalog: 'dev_analytics', limit: 10 }, store('m1'))).toMatchObject([
      {
        id: 'p1',
        by: 'ada',
        undoable: true,
        undoneBy: null,
        tables: [{ table: 'dev_analytics.raw.sales', action: 'create', toSnapshot: '1' }],
      },
    ])
    expect(await listPublications({ catalog: 'dev_analytics', limit: 10 }, store('m2'))).toMatchObject([
      { undoable: false },
    ])
    await records.close()
  })
})
