// Which engine reads what we write, and what we read of theirs: every table through our REST catalog, every row compared.
// What an engine cannot do is told by its own message, which has to be one of `limits`; anything else is a failure of this
// test. `results/*.json` keep the answers; `node tools/print-compatibility.ts` prints them as a page.

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { App } from '../../../src/cli/app.ts'
import { collect } from '../../../src/lake/index.ts'
import { openProject } from '../../support/contended-table.ts'
import { serveProject, type Served } from '../rck/served.ts'
import { cases, tableOf, type Case } from './ours.ts'
import { openPyIceberg, openSpark, type Peer } from './peer.ts'
import { labServices } from '../storage/lab.ts'
import { servedCatalog, startTrino, trinoHome, type Trino } from '../storage/trino.ts'
import { byPyIceberg, bySpark, byTrino, type TheirCase } from './theirs.ts'
import { asTrino, ofTrino } from './trino-form.ts'

/** What an engine says, and what that means in words; of `Spark` both. */
const limits: [engine: string, what: RegExp, message: RegExp, words: string][] = [
  ['Spark', /^time$/, /Spark does not support time fields/, 'Spark has no type for times of a day.'],
  [
    'Spark',
    /nanoseconds/,
    /Cannot convert \w+ type to Spark: timestamp_ns/,
    'Spark has no type for timestamps in nanoseconds.',
  ],
  [
    'Trino',
    /nanoseconds/,
    /Cannot convert from Iceberg type 'timestamp_ns'/,
    'Trino reads no timestamps in nanoseconds.',
  ],
  ['Spark', /rows in orc/, /has files in orc; only Parquet is read/, 'Boathouse reads no rows in ORC, and says so.'],
  ['Spark', /rows in avro/, /has files in avro; only Parquet is read/, 'Boathouse reads no rows in Avro, and says so.'],
  ['Trino', /version/, /Unexpected PUFFIN file format/, 'Trino reads no deletion vectors.'],
  ['Trino', /a column with defaults/, /deeply equal/, 'Trino gives null where a column has a default.'],
  ['Trino', /unknown/, /Cannot convert from Iceberg type 'unknown'/, 'Trino reads no columns of type unknown.'],
  ['Spark', /unknown/, /Cannot convert unknown type to Spark/, 'Spark has no type for columns of type unknown.'],
  ['PyIceberg', /a view/, /NoSuchTable/, 'PyIceberg runs no views.'],
  [
    'PyIceberg',
    /a list and a map of structs that are null/,
    /deeply equal/,
    'PyIceberg gives an empty list or map where one of structs is null.',
  ],
]

type Engine = {
  name: string
  version: string
  /** Rows of a table of ours or its own. */
  rows(table: string, one?: Pick<Case, 'where' | 'ref'>): Promise<unknown[][]>
  run(statement: string): Promise<unknown>
  written: TheirCase[]
  /** Our values in the form of its own. */
  form?: (value: unknown) => unknown
}

const [spark, spark4, pyiceberg] = [await openSpark('3.5'), await openSpark('4'), await openPyIceberg()]
const trino = (await labServices()) && (await startTrino(await trinoHome()))

const ofSpark = (name: string, peer: Peer): Engine => {
  const run = (text: string) => peer.run<unknown[][]>(`answer = sql(${JSON.stringify(text)})`)
  return {
    name,
    version: peer.version,
    run,
    rows: (table, { where, ref } = {}) =>
      run(`SELECT * FROM ${table}${ref ? ` VERSION AS OF '${ref}'` : ''}${where ? ` WHERE ${where}` : ''}`),
    written: bySpark,
  }
}
const ofPyIceberg = (peer: Peer): Engine => ({
  name: 'PyIceberg',
  version: peer.version,
  run: (code) => peer.run(code),
  rows(table, { where, ref } = {}) {
    const filter = where?.replace(/DATE ('[^']*')/g, '$1')
    const scan = `table.scan(${filter ? `row_filter=${JSON.stringify(filter)}` : ''})${ref ? `.use_ref('${ref}')` : ''}`
    return peer.run(`table = catalog('dev').load_table('${table.slice(4)}'); answer = rows(${scan})`)
  },
  written: byPyIceberg,
})
const ofTrinoServer = (one: Trino): Engine => ({
  name: 'Trino',
  version: one.version,
  run: (text) => one.rows(text),
  async rows(table, { where, ref } = {}) {
    const sql = `SELECT * FROM ${table}${ref ? ` FOR VERSION AS OF '${ref}'` : ''}${where ? ` WHERE ${where}` : ''}`
    return (await one.rows(sql)).map((row) => row.map(ofTrino))
  },
  written: byTrino,
  form: asTrino,
})
const engines = [
  ...(pyiceberg ? [ofPyIceberg(pyiceberg)] : []),
  ...(spark ? [ofSpark('Spark', spark)] : []),
  ...(spark4 ? [ofSpark('Spark 4', spark4)] : []),
  ...(trino ? [ofTrinoServer(trino)] : []),
]

let served: Served
let app: App
beforeAll(async () => {
  served = await serveProject({ warehouses: [] })
  app = await openProject(served.dir)
  const changes = await app.lake.openChanges({ catalog: app.environment.catalog, principal: app.principal })
  await changes.replaceTable({ catalog: changes.catalog, namespace: 'raw', name: 'first' }, 'SELECT 1 AS a')
  await changes.publish()
  for (const peer of [spark, spark4, pyiceberg]) await peer?.connect('dev', served, 'dev')
  await trino?.addCatalog('dev', servedCatalog(served, 'dev'))
})
afterAll(async () => {
  for (const peer of [spark, spark4, pyiceberg]) peer?.stop()
  await trino?.stop()
  await app?.close()
  await served?.stop()
})

async function oursOf(name: string, { where, ref }: Pick<Case, 'where' | 'ref'> = {}): Promise<unknown[][]> {
  const at = ref ? ` AT (VERSION => '${ref}')` : ''
  const sql = `SELECT * FROM raw.${name}${at}${where ? ` WHERE ${where}` : ''}`
  return (await collect(await app.lake.query(sql, app.asking('cli')))).rows
}

/** Rows in no order, entries of maps in no order, and times written in one way. */
const comparable = (rows: readonly unknown[][], { form = plain }: Partial<Engine> = {}) =>
  rows.map((row) => JSON.stringify(plain(row.map(form)))).toSorted()
function plain(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(plain)
    const isMap = items.length > 0 && items.every((one) => Object.keys(one ?? {}).join() === 'key,value')
    return isMap ? items.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items
  }
  if (typeof value === 'string') return value.replace(/^(\d{4}-\d\d-\d\d)T(.*)Z$/, '$1 $2')
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

/** `Y`, or in words why not. */
async function answerOf(engine: string, what: string, work: () => Promise<void>): Promise<string> {
  try {
    await work()
    return 'Y'
  } catch (error) {
    const found = limits.find(
      ([who, which, message]) => engine.startsWith(who) && which.test(what) && message.test((error as Error).message),
    )
    if (!found) throw error
    return found[3]
  }
}

const fileOf = (engine: string) => engine.toLowerCase().replace(' ', '_')
const made = new Map<string, string>()
const results = new Map(
  engines.map(({ name, version }) => [
    name,
    { version, reads: {} as Record<string, string>, isRead: {} as Record<string, string> },
  ]),
)

describe('what we write', () => {
  test.each(cases)('$what', async (one) => {
    const name = `ours_${made.size}`
    made.set(one.what, name)
    await one.make(tableOf(app, name))
    const rows = await oursOf(name, one)
    expect(rows.length).toBeGreaterThan(0)
    const failures: unknown[] = []
    for (const engine of engines)
      try {
        results.get(engine.name)!.reads[one.what] = await answerOf(engine.name, one.what, async () =>
          expect(comparable(await engine.rows(`dev.raw.${name}`, one)), engine.name).toEqual(comparable(rows, engine)),
        )
      } catch (error) {
        failures.push(error)
      }
    if (failures.length > 0)
      throw failures.length === 1 ? failures[0] : new AggregateError(failures, failures.join('\n'))
  })
})

describe.each(engines)('what $name writes', (engine) => {
  test.each(engine.written)('$what', async ({ what, statements, ref }) => {
    const name = `${fileOf(engine.name)}_${engine.written.findIndex((one) => one.what === what)}`
    results.get(engine.name)!.isRead[what] = await answerOf(engine.name, what, async () => {
      for (const statement of statements(`dev.raw.${name}`)) await engine.run(statement)
      const rows = comparable(await engine.rows(`dev.raw.${name}`, ref ? { ref } : {}))
      expect(rows.length).toBeGreaterThan(0)
      expect(comparable(await oursOf(name, ref ? { ref } : {}), engine)).toEqual(rows)
    })
  })
})

test.each(engines)('the results of $name are those that are kept', async ({ name }) => {
  const text = `${JSON.stringify(results.get(name), null, 2)}\n`
  await expect(text).toMatchFileSnapshot(join(import.meta.dirname, 'results', `${fileOf(name)}.json`))
})

if (!spark || !spark4) test.skip('Spark: no Java 17, Maven and Python, or no package index', () => {})
if (!trino) test.skip('Trino: no lab of services', () => {})
if (!pyiceberg) test.skip('PyIceberg: PYICEBERG_PYTHON names no Python that has it', () => {})
