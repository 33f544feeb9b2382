// Trino and Boathouse on the same tables, both ways: in a catalog of somebody else on SeaweedFS, and in our own catalog,
// which Trino uses over REST, with tables on the local disk and on SeaweedFS.

import { randomUUID } from 'node:crypto'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../../support/free-port.ts'
import { openExample, type Example } from '../../support/example.ts'
import { startServer } from '../../support/server-process.ts'
import { startIcebergRest } from './iceberg-rest.ts'
import { labServices } from './lab.ts'
import { startTrino, trinoHome, type Trino } from './trino.ts'

const env = await labServices('seaweedfs', 'iceberg-rest', 'nessie')
const program = join(import.meta.dirname, '../../../src/boathouse.ts')
const marts = ['raw.sales', 'staging.stg_sales', 'marts.daily_revenue']

/** One project, what Trino calls its environment, and how Trino gets there. */
type Shared = {
  example: Example
  /** `project_1.raw` or `raw`: the schema there of a namespace here. */
  schema(namespace: string): string
  properties: Record<string, string>
  close(): Promise<void>
}

const s3ForTrino = () => ({
  'fs.native-s3.enabled': 'true',
  's3.endpoint': env!['LAB_S3_ENDPOINT']!,
  's3.region': 'us-east-1',
  's3.path-style-access': 'true',
  's3.aws-access-key': env!['AWS_ACCESS_KEY_ID']!,
  's3.aws-secret-key': env!['AWS_SECRET_ACCESS_KEY']!,
})
const rest = { 'iceberg.catalog.type': 'rest' }

function writeSettings(example: Example, lines: string[], secrets: Record<string, string>) {
  appendFileSync(join(example.dir, 'boathouse.yml'), ['', ...lines, ''].join('\n'))
  writeFileSync(
    join(example.dir, '.env'),
    Object.entries(secrets)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  )
}
const s3Secrets = () => ({
  AWS_ACCESS_KEY_ID: env!['AWS_ACCESS_KEY_ID']!,
  AWS_SECRET_ACCESS_KEY: env!['AWS_SECRET_ACCESS_KEY']!,
})
const s3Lines = (name: string) => [
  `storage: {root: 's3://${env!['LAB_S3_BUCKET']}/${name}', endpoint: '${env!['LAB_S3_ENDPOINT']}', region: us-east-1}`,
]

/** One-level namespaces: the web server below Iceberg's refuses the separator that Trino writes between levels. */
async function onIcebergRest(): Promise<Shared> {
  const example = openExample()
  const name = `trino-${randomUUID().slice(0, 8)}`
  const server = await startIcebergRest(env!, `s3://${env!['LAB_S3_BUCKET']}/${name}`)
  const [uri, credential] = [server.uri, env!['LAB_ICEBERG_REST_CREDENTIAL']!]
  writeSettings(
    example,
    [...s3Lines(name), `catalog: {type: rest, uri: '${uri}', environment_as: warehouse, scope: 'PRINCIPAL_ROLE:ALL'}`],
    { ...s3Secrets(), BOATHOUSE_CATALOG_CREDENTIAL: credential },
  )
  return {
    example,
    schema: (namespace) => namespace,
    properties: {
      ...rest,
      ...s3ForTrino(),
      'iceberg.rest-catalog.uri': uri,
      'iceberg.rest-catalog.security': 'OAUTH2',
      'iceberg.rest-catalog.oauth2.credential': credential,
      'iceberg.rest-catalog.oauth2.scope': 'PRINCIPAL_ROLE:ALL',
      'iceberg.rest-catalog.oauth2.server-uri': `${uri}/v1/oauth/tokens`,
    },
    async close() {
      await example.close()
      await server.stop()
    },
  }
}

async function onNessie(): Promise<Shared> {
  const example = openExample()
  const name = `trino_${randomUUID().slice(0, 8)}`
  const [uri, warehouse] = [env!['LAB_NESSIE_URI']!, env!['LAB_NESSIE_WAREHOUSE']!]
  writeSettings(
    example,
    [
      `environments: {dev: ${name}}`,
      ...s3Lines(name),
      `catalog: {type: rest, uri: '${uri}', warehouse: ${warehouse}, environment_as: namespace}`,
    ],
    s3Secrets(),
  )
  return {
    example,
    schema: (namespace) => `"${name}.${namespace}"`,
    properties: {
      ...rest,
      ...s3ForTrino(),
      'iceberg.rest-catalog.uri': uri,
      'iceberg.rest-catalog.warehouse': warehouse,
      'iceberg.rest-catalog.nested-namespace-enabled': 'true',
    },
    close: () => example.close(),
  }
}

/** Our own catalog, served. */
async function onOurs(storage: 'disk' | 'SeaweedFS'): Promise<Shared> {
  const example = openExample()
  const port = await freePort()
  const http = `http: {port: ${port}}`
  if (storage === 'disk') writeSettings(example, [http], {})
  else writeSettings(example, [http, ...s3Lines(`trino-${randomUUID().slice(0, 8)}`)], s3Secrets())
  const server = await startServer({
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', program, 'serve', '-C', example.dir],
    ready: async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok,
    attemptsMax: 600,
    stopSignal: 'SIGTERM',
  })
  const { code, stdout, stderr } = await example.boathouse(['token', 'create', 'trino', '--json'])
  expect(code, stderr).toBe(0)
  return {
    example,
    schema: (namespace) => namespace,
    properties: {
      ...rest,
      ...(storage === 'disk' ? { 'fs.native-local.enabled': 'true', 'local.location': '/' } : s3ForTrino()),
      'iceberg.rest-catalog.uri': `http://127.0.0.1:${port}/iceberg`,
      'iceberg.rest-catalog.warehouse': 'dev',
      'iceberg.rest-catalog.security': 'OAUTH2',
      'iceberg.rest-catalog.oauth2.token': (JSON.parse(stdout) as { token: string }).token,
    },
    async close() {
      await server.stop()
      await example.close()
    },
  }
}

const setups: [what: string, name: string, open: () => Promise<Shared>][] = [
  ["Iceberg's REST server on SeaweedFS", 'fixture', onIcebergRest],
  ['Nessie on SeaweedFS', 'nessie', onNessie],
  ['our own catalog on the local disk', 'ours', () => onOurs('disk')],
  ['our own catalog on SeaweedFS', 'ours_s3', () => onOurs('SeaweedFS')],
]

describe.skipIf(!env)('Trino (skipped without the lab of services)', () => {
  let trino: Trino
  beforeAll(async () => {
    trino = await startTrino(await trinoHome())
    console.log(`Trino ${trino.version}`)
  })
  afterAll(() => trino?.stop())

  describe.each(setups)('and Boathouse in %s', (_, name, open) => {
    let shared: Shared
    beforeAll(async () => {
      shared = await open()
      await trino.addCatalog(name, shared.properties)
      await boathouse('run')
    })
    afterAll(() => shared?.close())

    async function boathouse(...args: string[]) {
      const { code, stdout, stderr } = await shared.example.boathouse(args)
      expect(code, `${stdout}${stderr}`).toBe(0)
    }
    const at = (table: string) => {
      const [namespace, last] = table.split('.')
      return `${name}.${shared.schema(namespace!)}.${last}`
    }
    const theirs = async (table: string) => sorted(await trino.rows(`select * from ${at(table)}`))
    const ours = async (table: string) => sorted(await shared.example.rows(`select * from ${table}`))

    /** Both read the same, and as many rows as told. */
    async function expectSame(table: string, count: number) {
      const rows = await ours(table)
      expect(await theirs(table), table).toEqual(rows)
      expect(rows).toHaveLength(count)
    }

    test('Trino finds the tables and reads every value', async () => {
      const orders = shared.example.csv().length
      await expectSame('raw.sales', orders)
      await expectSame('staging.stg_sales', orders)
      expect(await theirs('marts.daily_revenue')).toEqual(await ours('marts.daily_revenue'))
      expect(
        await trino.rows(`select table_name from ${name}.information_schema.tables
          where table_schema = '${shared.schema('marts').replaceAll('"', '')}'`),
      ).toEqual([['daily_revenue']])
    })

    test('Trino inserts, deletes, updates and merges, and Boathouse reads it', async () => {
      const orders = shared.example.csv()
      const table = 'staging.stg_sales'
      const sales = at(table)
      await trino.rows(`delete from ${sales} where product = 'Laptop'`)
      const kept = orders.filter(({ product }) => product !== 'Laptop').length
      expect(kept).toBeLessThan(orders.length)
      await expectSame(table, kept)
      await trino.rows(`update ${sales} set line_total = line_total + 0.01 where region = 'North'`)
      await expectSame(table, kept)
      await trino.rows(`insert into ${sales} select * from ${sales} where region = 'South'`)
      const south = orders.filter(({ product, region }) => product !== 'Laptop' && region === 'South').length
      await expectSame(table, kept + south)
      await trino.rows(`merge into ${sales} t using (select distinct order_id from ${sales} where region = 'South') s
        on t.order_id = s.order_id when matched then delete`)
      await expectSame(table, kept - south)
      const deletes = await trino.rows(`select count(*) from ${at('staging."stg_sales$files"')} where content = 1`)
      expect(Number(deletes[0]![0])).toBeGreaterThan(0)
    })

    test('the next run of Boathouse makes the tables anew on top of it, and Trino reads that', async () => {
      appendFileSync(join(shared.example.dir, 'sales.csv'), 'ORD-T001,CUST-0001,2024-03-31,Laptop,1,1500.00,North\n')
      await boathouse('run')
      for (const table of marts.slice(0, 2)) await expectSame(table, shared.example.csv().length)
      expect(await theirs('marts.daily_revenue')).toEqual(await ours('marts.daily_revenue'))
    })

    test.each([1, 2])('a table that Trino makes in version %i: types, partitions, evolution', async (version) => {
      const [table, short] = [`${name}.${shared.schema('raw')}.t${version}`, `raw.t${version}`]
      await trino.rows(`create table ${table} (
          id bigint not null, flag boolean, small integer, ratio double, share real, price decimal(38, 9), word varchar, raw_ varbinary,
          day date, clock time(6), at_ timestamp(6), at_z timestamp(6) with time zone, key_ uuid,
          tags array(varchar), counts map(varchar, bigint), place row(city varchar, at row(x double, y double)))
        with (format_version = ${version}, partitioning = array['bucket(id, 3)', 'month(day)', 'truncate(word, 2)'])`)
      await trino.rows(`insert into ${table} values
        (1, true, -1, 0.5, real '1.5', decimal '12345678901234567890123456789.123456789', 'grün', x'00ff', date '2024-02-29',
         time '23:59:59.999999', timestamp '1969-12-31 23:59:59.999999', timestamp '2024-03-31 01:30:00.000001 UTC',
         uuid '12151fd2-7586-11e9-8f9e-2a86e4085a59', array['a', null], map(array['x', 'y'], array[1, null]),
         row('Köln', row(6.9, 50.9))),
        (2, null, null, nan(), null, null, null, null, null, null, null, null, null, null, null, null),
        (3, false, 3, infinity(), real '-2.5', decimal '-0.000000001', '', x'', date '1582-10-15', time '00:00:00',
         timestamp '2024-03-31 02:30:00', timestamp '2024-03-31 00:30:00 UTC', null, array[], map(), row(null, null))`)
      const columns = `id, flag, small, format('%.3f', ratio), share, cast(price as varchar), word, to_hex(raw_), cast(day as varchar),
        cast(clock as varchar), cast(at_ as varchar)`
      const same = columns.replace('to_hex', 'hex').replace("format('%.3f', ratio)", "printf('%.3f', ratio)")
      // DuckDB writes no more digits of a second than there are, and other words for what is no number.
      const plain = (rows: unknown[][]) =>
        sorted(
          rows.map((row) =>
            row.map((value) =>
              typeof value === 'string'
                ? value
                    .replace(/^Infinity$/, 'inf')
                    .replace(/^NaN$/, 'nan')
                    .replace(/(:\d\d)\.0+$/, '$1')
                : value,
            ),
          ),
        )
      const both = async (a: string, b = a) =>
        expect(plain(await shared.example.rows(`select ${a} from ${short}`))).toEqual(
          plain(await trino.rows(`select ${b} from ${table}`)),
        )
      await both(same, columns)
      await both(
        'id, tags, len(tags), map_keys(counts), place.city, place.at.x, key_::varchar, epoch_us(at_z)',
        'id, tags, cardinality(tags), map_keys(counts), place.city, place."at".x, cast(key_ as varchar), cast(to_unixtime(at_z) * 1000000 as bigint)',
      )
      await trino.rows(`alter table ${table} rename column word to name`)
      await trino.rows(`alter table ${table} alter column small set data type bigint`)
      await trino.rows(`alter table ${table} add column place.country varchar`)
      await trino.rows(`alter table ${table} set properties partitioning = array['day(day)']`)
      await trino.rows(`insert into ${table} (id, name, small, day, place)
        values (4, 'new', 5000000000, date '2024-03-01', row('Bonn', row(7.1, 50.7), 'DE'))`)
      if (version === 1) await trino.rows(`alter table ${table} set properties format_version = 2`) // to delete rows
      await trino.rows(`delete from ${table} where id = 2`)
      await trino.rows(`update ${table} set name = 'other' where id = 1`)
      await both('id, name, small, day::varchar, place.country', 'id, name, small, cast(day as varchar), place.country')
      expect(await shared.example.rows(`select id from ${short} where day >= date '2024-02-01' order by id`)).toEqual(
        await trino.rows(`select id from ${table} where day >= date '2024-02-01' order by id`),
      )
      await trino.rows(`alter table ${table} execute optimize`)
      await both('id, name, small', 'id, name, small')
      await boathouse(
        'query',
        `insert into ${short} by name select 9 as id, 'ours' as name, date '2024-04-01' as "day"`,
      )
      await both('id, name, small', 'id, name, small')
      await trino.rows(`drop table ${table}`)
      expect((await shared.example.boathouse(['query', `from ${short}`])).stderr).toContain('TABLE_NOT_FOUND')
    })
  })
})

/** Rows have no order; as JSON they have one. */
function sorted(rows: unknown[][]): unknown[][] {
  return rows
    .map((row) => JSON.stringify(row))
    .toSorted()
    .map((row) => JSON.parse(row) as unknown[])
}
