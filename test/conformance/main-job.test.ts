// The sales example through the real command line, and then by those who know nothing of us: PyIceberg opens the
// catalog and the metadata files, dbt builds the same model files. Every value of every table has to agree. Runs where
// CONFORMANCE_PYTHON names a Python with the packages of requirements.txt; run.sh makes one.

import { execFileSync } from 'node:child_process'
import { appendFileSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openExample, type Example } from '../support/example.ts'

const python = process.env.CONFORMANCE_PYTHON
const tables = ['raw.sales', 'staging.stg_sales', 'marts.daily_revenue']
const order = 'ORD-9999,CUST-0001,2024-03-31,Laptop,1,1500.00,North'

type Rows = unknown[][]
type Columns = [name: string, type: string][]
type Read = { columns: Columns; rows: Rows }
type Opened = Read & { snapshots: Record<string, Rows>; current: string }

describe.skipIf(!python)('the main job', () => {
  let example: Example
  beforeAll(async () => {
    example = openExample()
    await run()
  })
  afterAll(() => example.close())

  async function run() {
    const ran = await example.boathouse(['run'])
    expect(ran, ran.stderr).toMatchObject({ code: 0 })
  }

  /** A table as the command line shows it. */
  async function ours(table: string, asOf?: string): Promise<Read> {
    const question = ['query', `select * from ${table}`, '--json']
    const { code, stdout, stderr } = await example.boathouse(
      asOf === undefined ? question : [...question, '--as-of', asOf],
    )
    expect(code, stderr).toBe(0)
    const { columns, rows } = JSON.parse(stdout) as { columns: { name: string; type: string }[]; rows: Rows }
    return { columns: columns.map(({ name, type }) => [name, type]), rows: sorted(rows) }
  }

  const script = (name: string, ...args: string[]): unknown =>
    JSON.parse(
      execFileSync(python!, [join(import.meta.dirname, name), ...args], { encoding: 'utf8', maxBuffer: 2 ** 28 }),
    )
  const pyiceberg = () =>
    script('read_iceberg.py', join(example.dir, '.boathouse/catalog.db'), 'dev_analytics', ...tables) as {
      tables: string[]
    } & Record<string, { byCatalog: Opened; byFile: Opened }>

  test('PyIceberg finds the three tables, and reads every value as the command line does', async () => {
    const found = pyiceberg()
    expect(found.tables).toEqual(tables.toSorted())
    for (const table of tables) {
      const expected = await ours(table)
      expect(expected.rows.length).toBeGreaterThan(100)
      for (const opened of [found[table]!.byCatalog, found[table]!.byFile]) {
        expect(opened.columns, table).toEqual(expected.columns.map(([name, type]) => [name, icebergType(type)]))
        expect(sorted(opened.rows), table).toEqual(expected.rows)
      }
    }
    expect(found['raw.sales']!.byCatalog.rows).toHaveLength(example.csv().length)
  })

  test('and after the next run too, and the snapshots before it', async () => {
    const before = pyiceberg()
    appendFileSync(join(example.dir, 'sales.csv'), `${order}\n`)
    await run()
    const after = pyiceberg()
    for (const table of tables) {
      const { byCatalog, byFile } = after[table]!
      const { rows } = await ours(table)
      expect(sorted(byCatalog.rows), table).toEqual(rows)
      expect(sorted(byFile.rows), table).toEqual(rows)
      const earlier = before[table]!.byCatalog
      expect(byCatalog.current).not.toBe(earlier.current)
      expect(sorted(byCatalog.snapshots[earlier.current]!), table).toEqual(sorted(earlier.rows))
      expect((await ours(table, earlier.current)).rows, table).toEqual(sorted(earlier.rows))
    }
    expect(after['raw.sales']!.byCatalog.rows).toContainEqual(
      order.split(',').map((text, at) => (at === 4 ? Number(text) : text)),
    )
  })

  test("dbt builds the same files by the example's own profile, and every value is ours", async () => {
    const commands = dbtCommands(readFileSync(join(example.dir, 'README.md'), 'utf8'))
    const env = {
      ...process.env,
      PATH: `${dirname(python!)}${delimiter}${process.env.PATH}`,
      DBT_SEND_ANONYMOUS_USAGE_STATS: 'false',
    }
    for (const command of commands) execFileSync('sh', ['-c', command], { cwd: example.dir, env, stdio: 'pipe' })
    const { results } = JSON.parse(readFileSync(join(example.dir, 'target/run_results.json'), 'utf8')) as {
      results: { unique_id: string; status: string }[]
    }
    expect(results.map(({ status }) => status).sort()).toEqual([...Array<string>(6).fill('pass'), 'success', 'success'])
    const built = script('read_duckdb.py', join(example.dir, 'dev_analytics.duckdb'), ...tables) as Record<string, Read>
    for (const table of tables) {
      const { columns, rows } = built[table]!
      const expected = await ours(table)
      expect(columns, table).toEqual(expected.columns)
      expect(sorted(rows), table).toEqual(expected.rows)
    }
  })
})

/** Rows have no order; as JSON they have one. */
function sorted(rows: Rows): Rows {
  return rows
    .map((row) => JSON.stringify(row))
    .toSorted()
    .map((row) => JSON.parse(row) as unknown[])
}

function icebergType(type: string): string {
  const names: Record<string, string> = {
    VARCHAR: 'string',
    INTEGER: 'int',
    BIGINT: 'long',
    DOUBLE: 'double',
    DATE: 'date',
  }
  return names[type] ?? type.toLowerCase().replace(',', ', ')
}

/** What the example's page tells people to type, without the installation. */
function dbtCommands(page: string): string[] {
  const block = /## The same models with dbt itself.*?```sh\n(.*?)```/s.exec(page)?.[1] ?? ''
  const commands = block.split('\n').filter((line) => line !== '' && !line.startsWith('pip install'))
  expect(commands.at(-1)).toBe('dbt build')
  return commands
}
