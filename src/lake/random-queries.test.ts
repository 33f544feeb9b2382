// Random SELECTs over tables of every layout, of which some share their name, give the rows that plain DuckDB gives: no pruned
// file, answer from metadata, deleted row or name that our text has in place of a table may change an answer.

import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chunkEncoder } from '../engine/encode.ts'
import type { Principal } from '../govern/index.ts'
import { openWorld } from './world.ts'

const runs = process.env['SOAK'] ? 5_000 : 60

const columns = {
  i: 'integer',
  big: 'bigint',
  k: 'varchar',
  d: 'date',
  ts: 'timestamp',
  n: 'decimal(10, 2)',
  f: 'double',
  t: 'boolean',
  tz: 'timestamptz',
  u: 'uuid',
}
type Column = keyof typeof columns
const names = Object.keys(columns) as Column[]
const tables = {
  'a.t': 'PARTITIONED BY (bucket(4, i), truncate(1, k)) SORTED BY (i)',
  'b.t': "WITH ('format-version' = '3', 'write.delete.mode' = 'merge-on-read', 'write.update.mode' = 'merge-on-read')",
  'a.u': "PARTITIONED BY (month(d)) WITH ('write.delete.mode' = 'merge-on-read')",
  'b.w': 'PARTITIONED BY (day(ts), t)',
  'a.x': "PARTITIONED BY (truncate(10, i), n, u) WITH ('format-version' = '3')",
  'b.y': 'PARTITIONED BY (hour(tz), k)',
}
type Table = keyof typeof tables
/** What somebody sees of the tables; of the others, all. */
const parts: Partial<Record<Table, { where?: string; masks?: Partial<Record<Column, string>> }>> = {
  'a.t': { where: "i > 0 OR k = 'a'", masks: { k: 'left(k, 1)' } },
  'b.t': { where: "k <> 'ab'", masks: { n: 'n / 10' } },
  'a.u': { where: 'NOT t' },
  'b.w': { masks: { d: "date_trunc('year', d)", i: '0' } },
  'a.x': { where: "n > 1 AND d > DATE '2021-01-01'" },
  'b.y': { masks: { k: 'NULL' } },
}
const table = fc.constantFrom(...(Object.keys(tables) as Table[]))

const digit = fc.integer({ min: 0, max: 9 })
const year = digit.map((n) => 2020 + (n % 5))
const literals: Record<Column, fc.Arbitrary<string>> = {
  i: fc.integer({ min: -10, max: 30 }).map(String),
  big: fc.constantFrom('9007199254740993', '-1', '0', '5', '12345678901'),
  k: fc.constantFrom("''", "'a'", "'ab'", "'abc'", "'b'", "'Zz'", "'ü'", "'é%'", "'o''k'", `'${'z'.repeat(30)}'`),
  d: fc.tuple(year, digit, digit).map(([y, m, d]) => `DATE '${y}-0${Math.max(m, 1)}-1${d}'`),
  ts: fc
    .tuple(year, digit, fc.constantFrom('0', '123', '123456'))
    .map(([y, h, s]) => `TIMESTAMP '${y}-03-15 1${h}:00:01.${s}'`),
  n: fc.integer({ min: -500, max: 1_500 }).map((n) => (n / 100).toFixed(2)),
  f: fc.constantFrom('0.5::DOUBLE', '-1.25::DOUBLE', '1e10', "'nan'::DOUBLE", "'inf'::DOUBLE", '-0.0::DOUBLE'),
  t: fc.constantFrom('true', 'false'),
  tz: fc.tuple(year, digit).map(([y, h]) => `TIMESTAMPTZ '${y}-03-15 10:00:00+0${h}'`),
  u: digit.map((n) => `'00000000-0000-0000-0000-00000000000${n}'::UUID`),
}
const value = (column: Column) => fc.oneof({ weight: 6, arbitrary: literals[column] }, fc.constant('NULL'))

/** What a FROM clause has: what columns are written with. */
type Known = readonly string[]
const column = (known: Known, name: Column) => fc.constantFrom(...known).map((one) => `${one}.${name}`)
const anyColumn = (known: Known) => fc.constantFrom(...names).chain((name) => column(known, name))

const made: Partial<Record<Column, (text: string) => string[]>> = {
  i: (x) => [`(${x} + 2)`, `coalesce(${x}, 3)`, `(${x} % 7)`, `-(${x})`, `${x}::VARCHAR::INTEGER`],
  k: (x) => [`upper(${x})`, `coalesce(${x}, 'q')`, `substr(${x}, 1, 1)`, `(${x} || 'a')`, `nullif(${x}, 'a')`],
  d: (x) => [`(${x} + 20)`, `date_trunc('month', ${x})::DATE`, `last_day(${x})`],
  ts: (x) => [`date_trunc('day', ${x})`, `(${x} + INTERVAL 1 DAY)`],
  n: (x) => [`round(${x}, 1)::DECIMAL(10, 2)`, `coalesce(${x}, 1)`],
}
const scalar = (known: Known, name: Column): fc.Arbitrary<string> =>
  fc
    .oneof({ weight: 4, arbitrary: column(known, name) }, literals[name])
    .chain((text) => fc.constantFrom(text, text, text, ...(made[name]?.(text) ?? [])))

const comparison = fc.constantFrom('=', '<', '>', '<=', '>=', '<>', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM')
/** Beside the table itself, or all that is known around it too. */
const within = (known: Known, from: Table, depth: number) =>
  fc
    .boolean()
    .chain((correlated) => condition(correlated ? [from, ...known.filter((one) => one !== from)] : [from], depth))

function condition(known: Known, depth: number): fc.Arbitrary<string> {
  const plain = fc.constantFrom(...names).chain((name) => {
    const x = scalar(known, name)
    return fc.oneof(
      fc.tuple(x, comparison, scalar(known, name)).map((parts) => parts.join(' ')),
      fc.tuple(x, fc.constantFrom('IS NULL', 'IS NOT NULL')).map((parts) => parts.join(' ')),
      fc
        .tuple(x, fc.constantFrom('IN', 'NOT IN'), fc.array(value(name), { minLength: 1, maxLength: 4 }))
        .map(([left, word, list]) => `${left} ${word} (${list.join(', ')})`),
      fc.tuple(x, literals[name], literals[name]).map(([left, low, high]) => `${left} BETWEEN ${low} AND ${high}`),
    )
  })
  const mixed = fc.oneof(
    fc
      .tuple(scalar(known, 'k'), fc.constantFrom("LIKE 'a%'", "LIKE '%b'", "NOT LIKE '_'", "ILIKE 'Z%'"))
      .map((parts) => parts.join(' ')),
    fc.tuple(scalar(known, 'd'), year).map(([x, y]) => `year(${x}) = ${y}`),
    fc.tuple(scalar(known, 'i'), comparison, scalar(known, 'n')).map((parts) => parts.join(' ')),
    fc.tuple(scalar(known, 'big'), comparison, scalar(known, 'f')).map((parts) => parts.join(' ')),
    fc.tuple(scalar(known, 'd'), comparison, scalar(known, 'ts')).map((parts) => parts.join(' ')),
    fc.tuple(scalar(known, 'i'), digit).map(([x, n]) => `${x} < ${n}.5`),
  )
  if (depth <= 0) return fc.oneof({ weight: 4, arbitrary: plain }, mixed)
  const one = condition(known, depth - 1)
  return fc.oneof(
    { weight: 5, arbitrary: plain },
    mixed,
    fc.tuple(one, fc.constantFrom('AND', 'OR'), one).map((parts) => `(${parts.join(' ')})`),
    one.map((text) => `NOT (${text})`),
    table.chain((from) => within(known, from, depth - 2).map((where) => `EXISTS (FROM ${from} WHERE ${where})`)),
    fc
      .tuple(table, fc.constantFrom(...names))
      .chain(([from, name]) =>
        fc
          .tuple(scalar(known, name), within(known, from, depth - 2))
          .map(([x, where]) => `${x} IN (SELECT ${from}.${name} FROM ${from} WHERE ${where})`),
      ),
    table.chain((from) =>
      fc
        .tuple(scalar(known, 'i'), within(known, from, depth - 2))
        .map(([x, where]) => `${x} < (SELECT max(${from}.i) FROM ${from} WHERE ${where})`),
    ),
  )
}

type From = { sql: string; known: Known }
/** A table by its name, by an alias, or one of its parts. */
const relation = (alias: string): fc.Arbitrary<From> =>
  table.chain((from) =>
    fc.oneof(
      fc.constant({ sql: from, known: [from] }),
      fc.constant({ sql: `${from} AS ${alias}`, known: [alias] }),
      condition([from], 1).map((where) => ({
        sql: `(SELECT * FROM ${from} WHERE ${where}) AS ${alias}`,
        known: [alias],
      })),
    ),
  )
const joined = (left: From, right: From): fc.Arbitrary<From> => {
  if (left.known.some((one) => right.known.includes(one))) return fc.constant(left)
  const both = [...left.known, ...right.known]
  return fc
    .tuple(
      fc.constantFrom('JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN', 'SEMI JOIN', 'ANTI JOIN'),
      fc.constantFrom(...names),
    )
    .chain(([kind, name]) =>
      fc
        .tuple(column(left.known, name), column(right.known, name), fc.option(condition(both, 0)))
        .map(([x, y, and]) => ({
          sql: `${left.sql} ${kind} ${right.sql} ON ${x} = ${y}${and === null ? '' : ` AND ${and}`}`,
          known: /SEMI|ANTI/.test(kind) ? left.known : both,
        })),
    )
}
const from = relation('r1').chain((one) =>
  fc.boolean().chain((alone) => (alone ? fc.constant(one) : relation('r2').chain((two) => joined(one, two)))),
)

const aggregate = (known: Known) =>
  fc
    .tuple(fc.constantFrom('count', 'min', 'max', 'count(DISTINCT'), anyColumn(known))
    .map(([call, x]) => (call.endsWith('DISTINCT') ? `${call} ${x})` : `${call}(${x})`))
const select = from.chain(({ sql, known }) => {
  const list = (item: fc.Arbitrary<string>) => fc.uniqueArray(item, { minLength: 1, maxLength: 4 })
  const named = (items: readonly string[]) => items.map((item, at) => `${item} AS c${at}`).join(', ')
  return fc.option(condition(known, 3)).chain((where) => {
    const rest = `FROM ${sql}${where === null ? '' : ` WHERE ${where}`}`
    return fc.oneof(
      { weight: 3, arbitrary: list(anyColumn(known)).map((items) => `SELECT ${named(items)} ${rest}`) },
      fc
        .constantFrom(...names)
        .chain((name) => scalar(known, name).map((item) => `SELECT DISTINCT ${item} AS c ${rest}`)),
      list(aggregate(known)).map((items) => `SELECT count(*) AS c, ${named(items)} ${rest}`),
      fc
        .tuple(list(anyColumn(known)), list(aggregate(known)))
        .map(([by, items]) => `SELECT ${named([...by, ...items])} ${rest} GROUP BY ${by.join(', ')}`),
      anyColumn(known).map((x) => `SELECT ${x}, count(*) OVER (PARTITION BY ${x}) AS c ${rest}`),
    )
  })
})
const query = fc.oneof(
  { weight: 6, arbitrary: select },
  fc
    .tuple(table, table, fc.constantFrom('UNION', 'UNION ALL', 'EXCEPT', 'INTERSECT'))
    .chain(([one, two, word]) =>
      fc
        .tuple(condition([one], 2), condition([two], 2))
        .map(
          ([x, y]) =>
            `SELECT ${one}.i, ${one}.k FROM ${one} WHERE ${x} ${word} SELECT ${two}.i, ${two}.k FROM ${two} WHERE ${y}`,
        ),
    ),
  select.map((text) => `WITH t AS MATERIALIZED (${text}) FROM t`),
)

let world: Awaited<ReturnType<typeof openWorld>>
let plain: DuckDBConnection
/** Where the tables hold only what mia sees of them. */
let shown: DuckDBConnection
let mia: Principal
beforeAll(async () => {
  world = await openWorld()
  const instance = await DuckDBInstance.create(':memory:')
  // As the engine has them: see host.ts.
  const settings = "SET TimeZone = 'UTC'; SET disabled_optimizers = 'join_filter_pushdown'"
  plain = await instance.connect()
  await plain.run(`${settings}; CREATE SCHEMA a; CREATE SCHEMA b`)
  await plain.run("ATTACH ':memory:' AS shown; CREATE SCHEMA shown.a; CREATE SCHEMA shown.b")
  shown = await instance.connect()
  await shown.run(`${settings}; USE shown`)
  mia = await world.member('mia')
  const both = async (sql: string) => void (await Promise.all([plain.run(sql), world.query(sql)]))
  const row = fc.tuple(...names.map(value)).map((values) => `(${values.join(', ')})`)
  const list = names.map((name) => `${name} ${columns[name]}`).join(', ')
  for (const [at, [name, layout]] of Object.entries(tables).entries()) {
    const batches = fc.sample(fc.array(row, { minLength: 4, maxLength: 12 }), { numRuns: 3, seed: at + 1 })
    await plain.run(`CREATE TABLE ${name} (${list})`)
    await world.query(`CREATE TABLE ${name} (${list}) ${layout}`)
    for (const rows of batches) await both(`INSERT INTO ${name} VALUES ${rows.join(', ')}`)
    await both(`DELETE FROM ${name} WHERE i % 3 = 0`)
    await both(`UPDATE ${name} SET k = k || '!', big = i WHERE i % 4 = 1`)
    await both(`ALTER TABLE ${name} ADD COLUMN extra INTEGER`)
    await both(`INSERT INTO ${name} (i, extra, k) VALUES (1, 7, 'e'), (NULL, NULL, NULL)`)
    const { where = 'true', masks = {} } = parts[name as Table] ?? {}
    const casts = Object.entries(masks).map(([key, mask]) => `TRY_CAST(${mask} AS ${columns[key as Column]}) AS ${key}`)
    const stars = casts.length > 0 ? `* REPLACE (${casts.join(', ')})` : '*'
    await plain.run(`CREATE TABLE shown.${name} AS SELECT ${stars} FROM ${name} WHERE ${where}`)
  }
  const rules = Object.entries(parts).map(([name, part]) => {
    const [namespace, table] = name.split('.') as [string, string]
    return { on: { namespace, table }, except: [], ...part }
  })
  await world.applyAccess({
    grants: [{ privilege: 'select', on: {}, to: { kind: 'user', name: 'mia' } }],
    rowFilters: rules.flatMap(({ on, except, where }) => (where ? [{ on, except, condition: where }] : [])),
    masks: rules.flatMap(({ on, except, masks = {} }) =>
      Object.entries(masks).map(([column, expression]) => ({ on, except, column, expression })),
    ),
  })
})
afterAll(() => world?.close())

async function inPlain(connection: DuckDBConnection, sql: string): Promise<string[]> {
  const result = await connection.run(sql)
  const encode = chunkEncoder(result.columnTypes())
  const chunks = await result.fetchAllChunks()
  return chunks
    .flatMap((chunk) => JSON.parse(encode(chunk, chunk.rowCount)) as unknown[])
    .map((one) => JSON.stringify(one))
}
const outcome = (rows: Promise<readonly unknown[]>) =>
  rows.then(
    (all) => all.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).sort(),
    (error: Error) => error,
  )

/** As many random queries, asked by `principal` here and on `connection` there, give the same rows. */
const givesTheSame = (numRuns: number, there: () => { connection: DuckDBConnection; principal: Principal }) =>
  fc.assert(
    fc.asyncProperty(query, async (sql) => {
      const { connection, principal } = there()
      const [ours, theirs] = await Promise.all([
        outcome(world.rows(sql, { principal })),
        outcome(inPlain(connection, sql)),
      ])
      if (theirs instanceof Error) expect(ours, sql).toBeInstanceOf(Error)
      else if (ours instanceof Error) throw ours
      else expect(ours, sql).toEqual(theirs)
    }),
    { numRuns },
  )

test(
  'a query gives the rows that DuckDB gives over tables of its own',
  () => givesTheSame(runs, () => ({ connection: plain, principal: world.admin })),
  3_600_000,
)

test(
  'and to whom policies show a part, the rows that it gives over tables that hold that part only',
  () => givesTheSame(runs / 2, () => ({ connection: shown, principal: mia })),
  3_600_000,
)
