// The sales example on other storage and other catalogs, by its settings only: SeaweedFS with our own catalog, with
// Iceberg's REST server behind an OAuth log-in, and with Nessie. Everything that is asked of a store or a catalog goes
// through a proxy, so that a run can be killed at the very request where it hurts.

import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { s3FileIO } from '../../../src/io/index.ts'
import { openExample, revenue, type Example } from '../../support/example.ts'
import { labServices } from './lab.ts'
import { openProxy, type Exchange, type Proxy } from './proxy.ts'

const env = await labServices('seaweedfs', 'iceberg-rest', 'nessie')
const program = join(import.meta.dirname, '../../../src/boathouse.ts')
const cacheBytesMax = 128 * 1024

type Moment = { of: Proxy; matches: (exchange: Exchange) => boolean; nth: number }
type Setup = {
  of: string
  /** Where the catalog of somebody else is, and its lines of boathouse.yml. */
  catalog?: { uri: string; lines: string[]; credential?: string }
  /** Whether the catalog keeps the snapshots that a rollback goes back to. */
  keepsHistory: boolean
}

const setups: Setup[] = [
  { of: 'our own catalog', keepsHistory: true },
  {
    of: "Iceberg's REST server with OAuth",
    keepsHistory: true,
    catalog: {
      uri: env?.['LAB_ICEBERG_REST_URI'] ?? '',
      lines: ['  scope: PRINCIPAL_ROLE:ALL'],
      credential: env?.['LAB_ICEBERG_REST_CREDENTIAL'] ?? '',
    },
  },
  {
    of: 'Nessie',
    keepsHistory: false,
    catalog: { uri: env?.['LAB_NESSIE_URI'] ?? '', lines: [`  warehouse: ${env?.['LAB_NESSIE_WAREHOUSE']}`] },
  },
]

const isWrite = ({ method }: Exchange) => method === 'PUT' || method === 'POST'
const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0)
const storeOf = () =>
  s3FileIO({
    endpoint: env!['LAB_S3_ENDPOINT'],
    region: env!['AWS_REGION'],
    credentials: async () => ({
      accessKeyId: env!['AWS_ACCESS_KEY_ID']!,
      secretAccessKey: env!['AWS_SECRET_ACCESS_KEY']!,
    }),
  })
/** What makes or changes a table: not the log-in, not the report of what a query read. */
const isCommit = ({ method, path }: Exchange) =>
  method === 'POST' && /\/(tables|transactions)\b/.test(path) && !path.endsWith('/metrics')

describe.skipIf(!env).each(setups)('SeaweedFS and $of (skipped without the lab of services)', (setup) => {
  let example: Example
  let store: Proxy
  let catalog: Proxy | undefined
  let root: string

  beforeAll(async () => {
    example = openExample()
    const name = `project_${randomUUID().slice(0, 8)}`
    root = `s3://${env!['LAB_S3_BUCKET']}/${name}`
    store = await openProxy(env!['LAB_S3_ENDPOINT']!)
    catalog = setup.catalog && (await openProxy(setup.catalog.uri))
    appendFileSync(
      join(example.dir, 'boathouse.yml'),
      [
        '',
        `environments: {dev: ${name}}`,
        'storage:',
        `  root: ${root}`,
        `  endpoint: ${store.uri}`,
        '  region: us-east-1',
        `  cache_size: ${cacheBytesMax / 1024}KiB`,
        ...(setup.catalog
          ? [
              'catalog:',
              '  type: rest',
              `  uri: ${catalog!.uri}`,
              '  environment_as: namespace',
              ...setup.catalog.lines,
            ]
          : []),
        '',
      ].join('\n'),
    )
    writeFileSync(
      join(example.dir, '.env'),
      [
        `AWS_ACCESS_KEY_ID=${env!['AWS_ACCESS_KEY_ID']}`,
        `AWS_SECRET_ACCESS_KEY=${env!['AWS_SECRET_ACCESS_KEY']}`,
        ...(setup.catalog?.credential === undefined
          ? []
          : [`BOATHOUSE_CATALOG_CREDENTIAL=${setup.catalog.credential}`]),
        '',
      ].join('\n'),
    )
  })
  afterAll(async () => {
    await example.close()
    await store.close()
    await catalog?.close()
  })

  const csv = () => join(example.dir, 'sales.csv')
  const json = async (...args: string[]): Promise<unknown> => {
    const { code, stdout, stderr } = await example.boathouse([...args, '--json'])
    expect(code, stderr).toBe(0)
    return JSON.parse(stdout)
  }
  async function run() {
    const ran = await example.boathouse(['run'])
    expect(ran, ran.stderr).toMatchObject({ code: 0 })
  }
  const order = (id: string) => appendFileSync(csv(), `${id},CUST-0001,2024-03-31,Laptop,1,1500.00,North\n`)

  /** How many orders each of the three tables has. */
  const counts = () =>
    example.rows(
      'select (select count(*) from raw.sales), (select count(*) from staging.stg_sales), (select sum(orders)::bigint from marts.daily_revenue)',
    )

  /** Every figure of the dashboard, against the file itself. */
  async function expectFigures() {
    const orders = example.csv()
    const ids = new Set(orders.map(({ orderId }) => orderId)).size
    const figures = (['region', 'product'] as const).flatMap((column) =>
      [...Map.groupBy(orders, (one) => one[column])].map(([name, list]) => [
        `${column} ${name}`,
        list.length,
        list.reduce((sum, one) => sum + one.quantity, 0),
        revenue(list),
      ]),
    )
    const by = (column: string) =>
      `select '${column} ' || ${column}, sum(orders)::bigint, sum(units)::bigint, sum(revenue)::varchar
       from marts.daily_revenue group by 1`
    const of = (table: string) => `select '${table}', count(*), count(distinct order_id), null from ${table}`
    expect(
      await example.rows(
        `from (${[by('region'), by('product'), of('raw.sales'), of('staging.stg_sales')].join(' union all ')}) order by 1`,
      ),
    ).toEqual(
      [...figures, ['raw.sales', orders.length, ids, null], ['staging.stg_sales', orders.length, ids, null]].toSorted(
        ([a], [b]) => (a! < b! ? -1 : 1),
      ),
    )
    expect(ids).toBe(orders.length)
  }

  /** Kills a run when the answer to the nth such request is on its way. */
  async function killedRun({ of, matches, nth }: Moment) {
    const child = example.start(['run'])
    child.stdout!.resume()
    child.stderr!.resume()
    const ended = once(child, 'exit')
    let seen = 0
    of.onAnswer = (exchange) => !(matches(exchange) && ++seen === nth && child.kill('SIGKILL'))
    await ended
    of.onAnswer = () => true
    expect(child.signalCode).toBe('SIGKILL')
  }

  test('a first run that is killed while it makes the tables is ended by the next', async () => {
    await killedRun(catalog ? { of: catalog, matches: isCommit, nth: 2 } : { of: store, matches: isWrite, nth: 8 })
    await run()
    await expectFigures()
    await run()
    await expectFigures()
    expect(await json('table', 'ls')).toHaveLength(3)
  })

  test('the smoke test of the example passes', async () => {
    const { stdout } = await promisify(execFile)('sh', [join(example.dir, 'smoke.sh')], {
      env: {
        ...process.env,
        BOATHOUSE: `${process.execPath} --disable-warning=ExperimentalWarning ${program}`,
        NO_COLOR: '1',
        BOATHOUSE_LIMITS_MEMORY: '2GB',
      },
    })
    expect(stdout).toContain('== Done')
    await expectFigures()
  })

  test('a failing test leaves the published tables as they were', async () => {
    const [before, text] = [await counts(), readFileSync(csv(), 'utf8')]
    order('ORD-0001')
    const { code, stderr } = await example.boathouse(['run'])
    writeFileSync(csv(), text)
    expect(code).toBe(1)
    expect(stderr).toContain('TEST_FAILED')
    expect(await counts()).toEqual(before)
    await expectFigures()
  })

  test(
    setup.keepsHistory
      ? 'a publication is rolled back'
      : 'a rollback to what the catalog does not remember is refused, and changes nothing',
    async () => {
      const [before, text] = [await counts(), readFileSync(csv(), 'utf8')]
      order('ORD-9001')
      await run()
      await expectFigures()
      const [last] = (await json('publications', 'ls')) as { id: string }[]
      const { code, stderr } = await example.boathouse(['publications', 'rollback', last!.id])
      if (setup.keepsHistory) {
        expect(code, stderr).toBe(0)
        expect(await counts()).toEqual(before)
        writeFileSync(csv(), text)
      } else {
        expect(code).toBe(1)
        expect(stderr).toContain('its catalog keeps none but the newest')
      }
      await expectFigures()
      await run()
      await expectFigures()
    },
  )

  test('kill -9 in the middle of a run or of its publication loses nothing and doubles nothing', async () => {
    const from = { store: store.seen.length, catalog: catalog?.seen.length ?? 0 }
    await run()
    const writes = store.seen.slice(from.store).filter(isWrite).length
    const commits = catalog?.seen.slice(from.catalog).filter(isCommit).length ?? 0
    const moments: Moment[] = [
      // Runs differ by a write or two: the one that is killed must come so far.
      ...[Math.ceil(writes / 2), Math.floor(writes * 0.9)].map((nth) => ({ of: store, matches: isWrite, nth })),
      ...Array.from({ length: commits }, (_, at) => ({ of: catalog!, matches: isCommit, nth: at + 1 })),
    ]
    for (const [at, moment] of moments.entries()) {
      const before = example.csv().length
      order(`ORD-K${String(at).padStart(3, '0')}`)
      await killedRun(moment)
      const [[raw, staged, orders]] = (await counts()) as [[number, number, number]]
      expect([before, before + 1]).toContain(raw)
      expect([staged, orders]).toEqual([raw, raw])
      await run()
      await expectFigures()
    }
    const runs = (await json('runs', 'ls', '--limit', '100')) as { status: string }[]
    expect(runs.filter(({ status }) => status === 'running' || status === 'queued')).toEqual([])
  })

  test('files are kept on the local disk within the bound, and not fetched again', async () => {
    const question = ['query', 'select sum(line_total) from staging.stg_sales', '--json']
    await example.boathouse(question)
    const from = store.seen.length
    expect(await example.boathouse(question)).toMatchObject({ code: 0 })
    expect(store.seen.slice(from).filter(({ path }) => /\.(parquet|avro)\b/.test(path))).toEqual([])
    const stored = await Array.fromAsync(storeOf().list(root), ({ sizeBytes }) => sizeBytes)
    expect(sum(stored), 'more than fits').toBeGreaterThan(cacheBytesMax)
    const folder = join(example.dir, '.boathouse/cache')
    const copies = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    const bytes = sum(copies.map((entry) => statSync(join(entry.parentPath, entry.name)).size))
    expect(bytes).toBeGreaterThan(0)
    expect(bytes).toBeLessThanOrEqual(cacheBytesMax)
  })
})
