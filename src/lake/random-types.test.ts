// Random changes of tables with columns of every type give the same rows as plain DuckDB, whatever the table is partitioned by,
// how it evolves and what its columns are called; and conditions on them leave out no file that they should not.

import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorld } from './world.ts'

const [runs, steps] = process.env['SOAK'] ? [Number(process.env['SOAK_CASES'] ?? 1_250), 16] : [12, 10]

let world: Awaited<ReturnType<typeof openWorld>>
let plain: DuckDBConnection
beforeAll(async () => {
  world = await openWorld()
  plain = await (await DuckDBInstance.create(':memory:')).connect()
  await plain.run("SET timezone = 'UTC'")
  for (const run of [(sql: string) => plain.run(sql), world.rows]) await run('CREATE SCHEMA raw')
})
afterAll(() => world?.close())

/** Of each type some values, those at the edges above all. */
const literals = {
  bigint: ['0', '1', '2', '7', '-1', '9223372036854775807', '4294967296'],
  integer: ['0', '1', '9', '10', '-11', '2147483647', '-2147483600'],
  hugeint: ['0', '1', '-7', '9223372036854775808', '-18446744073709551616', '99999999999999999999999999999999999999'],
  'decimal(11, 3)': ['0', '1.5', '-0.001', '99999999.999', '-99999999.999'],
  double: ["'nan'", '0.0', "'-0.0'", "'inf'", "'-inf'", '-1e300', '4.9e-324'],
  float: ["'nan'", '0', "'-0.0'", '1.5', '-3.4e38'],
  boolean: ['true', 'false'],
  varchar: [
    "''",
    "'a'",
    "'ab'",
    "'abd'",
    "'ü'",
    "'日本語テキスト'",
    "'o''k'",
    "'a/b=c %'",
    `'${'y'.repeat(20)}z'`,
    `'${'\u{10FFFF}'.repeat(18)}'`,
  ],
  date: ["'1969-12-31'", "'1970-01-01'", "'2024-02-29'", "'0001-01-01'", "'9999-12-31'"],
  time: ["'00:00:00'", "'23:59:59.999999'"],
  timestamp: [
    "'1969-12-31 23:59:59.999999'",
    "'2024-02-29 12:00:00.123456'",
    "'1583-01-01 00:30:00'",
    "'9999-12-31 23:59:59.999999'",
  ],
  timestamptz: ["'1969-12-31 23:59:59.999999+00'", "'2024-02-29 12:00:00+14'", "'2024-02-29 12:00:00-11'"],
  uuid: [
    "'00000000-0000-0000-0000-000000000000'",
    "'7fffffff-0000-0000-0000-000000000001'",
    "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
  ],
  blob: ["''", String.raw`'\x00'`, String.raw`'\xFF\xFF'`, `'${String.raw`\xFF`.repeat(20)}'`],
  'struct(a integer, b varchar[])': ["{'a': 1, 'b': ['x', NULL]}", "{'a': NULL, 'b': NULL}"],
  'varchar[]': ['[]', "['a', NULL]", "['x', 'y']"],
  'map(varchar, integer)': ['map {}', "map {'b': NULL, 'c': 3}"],
} as const
type Type = keyof typeof literals
type Column = { name: string; type: Type }
const types = Object.keys(literals) as Type[]
const isNested = (type: Type) => /^struct|^map|\[\]$/.test(type)
const names = ['c', 'UPPER', 'mixed Case', 'dot.ted', 'select', 'ü', 'a-b', '_file2', 'x$y', 'q"q']
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`

/** What is chosen at random, so that a failure is told by the fewest choices that lead to it. */
function chooser(g: fc.GeneratorValue) {
  const among = <Item>(...all: readonly Item[]): Item => g(() => fc.constantFrom(...all))
  const upTo = (most: number) => g(() => fc.nat(most))
  const value = ({ type }: Column): string =>
    `CAST(${upTo(6) === 0 ? 'NULL' : among<string>(...literals[type])} AS ${type})`

  /** Of the columns of `of`. */
  function condition(columns: readonly Column[], of = '', depth = 1): string {
    if (depth > 0 && upTo(3) === 0)
      return `(${condition(columns, of, depth - 1)} ${among('AND', 'OR', 'AND NOT')} ${condition(columns, of, depth - 1)})`
    const column = among(...columns)
    const x = `${of}${quoted(column.name)}`
    const plainly = [`${x} IS NULL`, `${x} IS NOT NULL`, `${x} = ${value(column)}`]
    if (isNested(column.type)) return among(...plainly)
    return among(
      ...plainly,
      ...['<', '>=', '<>'].map((sign) => `${x} ${sign} ${value(column)}`),
      `${x} BETWEEN ${value(column)} AND ${value(column)}`,
      `${x} IN (${value(column)}, ${value(column)})`,
      `coalesce(${x}, ${value(column)}) <= ${value(column)}`,
      ...(column.type === 'varchar' ? [`${x} LIKE 'a%'`, `starts_with(${x}, 'yy')`] : []),
      ...(/^(date|timestamp)/.test(column.type) ? [`year(${x}) = 2024`, `CAST(${x} AS DATE) = '2024-02-29'`] : []),
      ...(/^(double|float)$/.test(column.type) ? [`isnan(${x})`, `${x} = 0`] : []),
      ...(/int|dec/.test(column.type) ? [`${x} > 1.5`, `${x} % 2 = 0`] : []),
    )
  }

  function partition({ name, type }: Column): string {
    const x = quoted(name)
    if (isNested(type) || type === 'double' || type === 'float') return 'bucket(2, "k")'
    if (type === 'boolean') return x
    const times = /^(date|timestamp)/.test(type) ? ['year', 'month', 'day'].map((one) => `${one}(${x})`) : []
    const hours = type.startsWith('timestamp') ? [`hour(${x})`] : []
    const cut = /int|dec|varchar|blob/.test(type) ? [`truncate(${among(1, 5)}, ${x})`] : []
    return among(x, `bucket(${among(1, 4)}, ${x})`, ...times, ...hours, ...cut)
  }

  function merge(table: string, columns: readonly Column[]): string {
    const key = among(...columns.filter(({ type }) => !isNested(type)))
    const row = () => `(${columns.map(value).join(', ')})`
    const all = columns.map(({ name }) => quoted(name)).join(', ')
    const source = among(
      `(VALUES ${row()}, ${row()}, ${row()}) v(${all})`,
      `(SELECT * FROM ${table} WHERE ${condition(columns)}) v`,
    )
    const set = (of: string) => {
      const column = among(...columns)
      return `UPDATE SET ${quoted(column.name)} = ${among(value(column), `${of}${quoted(column.name)}`)}`
    }
    return `MERGE INTO ${table} AS t USING (SELECT DISTINCT ON (${quoted(key.name)}) * FROM ${source} ORDER BY ALL) AS s
      ON t.${quoted(key.name)} ${among('=', 'IS NOT DISTINCT FROM')} s.${quoted(key.name)}
      WHEN MATCHED AND ${condition(columns, among('t.', 's.'), 0)} THEN ${among('DELETE', 'DO NOTHING', set('s.'))}
      WHEN MATCHED THEN ${among('DELETE', 'UPDATE BY NAME', set('s.'))}
      WHEN NOT MATCHED AND ${condition(columns, 's.', 0)} THEN INSERT ("k") VALUES (s."k")
      WHEN NOT MATCHED THEN INSERT BY NAME
      WHEN NOT MATCHED BY SOURCE AND ${condition(columns, 't.', 0)} THEN ${among('DELETE', set('t.'))}`
  }
  return { among, upTo, value, condition, partition, merge }
}

test('random changes of columns of every type', { timeout: runs * 60_000 }, async () => {
  let round = 0
  const sequence = async (g: fc.GeneratorValue) => {
    const { among, upTo, value, condition, partition, merge } = chooser(g)
    const table = `raw."T ${round++}"`
    let made = 0
    const fresh = (): Column => ({ name: `${among(...names)}${made++}`, type: among(...types) })
    const columns: Column[] = [{ name: 'k', type: 'bigint' }, fresh(), fresh(), fresh(), fresh()]
    const list = () => columns.map(({ name, type }) => `${quoted(name)} ${type}`).join(', ')
    const mode = among('merge-on-read', 'copy-on-write')
    const partitions = new Set(upTo(2) > 0 ? [partition(among(...columns))] : [])
    await world.rows(
      `CREATE TABLE ${table} (${list()}) ${partitions.size > 0 ? `PARTITIONED BY (${[...partitions].join(', ')})` : ''}
      WITH ('format-version' = '${among(1, 2, 3)}', ${['delete', 'update', 'merge'].map((one) => `'write.${one}.mode' = '${mode}'`).join(', ')})`,
    )
    await plain.run(`CREATE TABLE ${table} (${list()})`)
    const isFree = ({ name }: Column) => ![...partitions].some((one) => one.includes(quoted(name)))

    const inBoth = () => {
      const column = among(...columns)
      const row = () => `(${columns.map(value).join(', ')})`
      return among(
        () => `INSERT INTO ${table} VALUES ${row()}, ${row()}, ${row()}`,
        () => `INSERT INTO ${table} VALUES ${row()}, ${row()}`,
        () =>
          `INSERT INTO ${table} SELECT * REPLACE (${value(column)} AS ${quoted(column.name)}) FROM ${table} WHERE ${condition(columns)}`,
        () => `DELETE FROM ${table} WHERE ${condition(columns)}`,
        () => `UPDATE ${table} SET ${quoted(column.name)} = ${value(column)} WHERE ${condition(columns)}`,
        () => merge(table, columns),
        () => {
          const added = fresh()
          columns.push(added)
          return `ALTER TABLE ${table} ADD COLUMN ${quoted(added.name)} ${added.type}`
        },
        () => {
          if (column.name === 'k' || !isFree(column)) return undefined
          const to = `${among(...names)}${made++}`
          const sql = `ALTER TABLE ${table} RENAME COLUMN ${quoted(column.name)} TO ${quoted(to)}`
          column.name = to
          return sql
        },
        () => {
          if (column.name === 'k' || !isFree(column) || columns.length < 4) return undefined
          columns.splice(columns.indexOf(column), 1)
          return `ALTER TABLE ${table} DROP COLUMN ${quoted(column.name)}`
        },
      )()
    }
    /** What changes how the rows lie, and none of them. */
    const inOurs = () => {
      const added = partition(among(...columns))
      const [old] = partitions
      return among(
        () => {
          if (partitions.has(added)) return undefined
          partitions.add(added)
          return `ALTER TABLE ${table} ADD PARTITION FIELD ${added}`
        },
        () => {
          partitions.delete(old ?? '')
          return old && `ALTER TABLE ${table} DROP PARTITION FIELD ${old}`
        },
        () => `CALL rewrite_data_files('${table}', options => map('rewrite-all', 'true'))`,
        () => `CALL rewrite_position_delete_files('${table}', options => map('rewrite-all', 'true'))`,
        () => `CALL expire_snapshots('${table}', now(), 1)`,
        () => `ALTER TABLE ${table} SET ('format-version' = '3')`,
      )()
    }

    for (let step = 0; step < steps; step++) {
      const ours = upTo(5) === 0
      const sql = ours ? inOurs() : inBoth()
      if (sql === undefined) continue
      await world.rows(sql)
      if (!ours) await plain.run(sql)
      const where = condition(columns, '', 2)
      const [one, other] = [among(...columns.filter(({ type }) => !isNested(type))), among(...columns)]
      const texts = columns.map(({ name }) => `${quoted(name)}::VARCHAR`).join(', ')
      for (const query of [
        `SELECT ${texts} FROM ${table}`,
        `SELECT count(*), count(${quoted(other.name)}), min(${quoted(one.name)})::VARCHAR, max(${quoted(one.name)})::VARCHAR FROM ${table}`,
        `SELECT "k"::VARCHAR FROM ${table} WHERE ${where}`,
        `SELECT count(*), max(${quoted(one.name)})::VARCHAR FROM ${table} WHERE ${where}`,
      ]) {
        const expected = (await plain.runAndReadAll(query)).getRowsJson()
        expect([sql, query, shown(await world.rows(query))]).toEqual([sql, query, shown(expected)])
      }
    }
    for (const run of [(sql: string) => plain.run(sql), world.rows]) await run(`DROP TABLE ${table}`)
  }
  const seed = process.env['SOAK'] ? Math.floor(Math.random() * 2 ** 31) : 11
  await fc.assert(fc.asyncProperty(fc.gen(), sequence), { numRuns: runs, seed, endOnFailure: true })
})

/** In any order; zeros of both signs are equal, and either may be the least. */
const shown = (rows: readonly (readonly unknown[])[]) =>
  rows
    .map((row) => row.map((cell) => (cell === null ? 'NULL' : String(cell).replace(/^-0\.0$/, '0.0'))).join(' | '))
    .sort()
