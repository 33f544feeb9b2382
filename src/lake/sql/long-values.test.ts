import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { withoutLikeRows } from './long-values.ts'

let plain: DuckDBConnection
beforeAll(async () => void (plain = await (await DuckDBInstance.create(':memory:')).connect()))

const many = (row: string, count = 7_000) => Array.from({ length: count }, () => row).join(', ')

test.each([
  ['numbers and texts', `VALUES ${many("(1, 'a, (b')")}`, "VALUES (1, 'a, (b')"],
  [
    'kinds',
    `values ${many('(1)')}, (-2.5), (3), (NULL),(1e5), (4294967296), (5)`,
    'values (1), (-2.5), (NULL),(1e5), (4294967296)',
  ],
  [
    'casts',
    `SELECT * FROM (VALUES ${many("((CAST(('ü''') AS DECIMAL(10, 2))\n), ( true ))")}) AS inserted("a", "b")`,
    `SELECT * FROM (VALUES ((CAST(('ü''') AS DECIMAL(10, 2))\n), ( true ))) AS inserted("a", "b")`,
  ],
  [
    'what is behind the rows',
    `(VALUES ${many("(DATE '2024-01-01')")}) UNION ALL FROM raw.t`,
    "(VALUES (DATE '2024-01-01')) UNION ALL FROM raw.t",
  ],
])('rows like others are blanks: %s', (_, sql, few) => {
  const made = withoutLikeRows(sql)
  expect(made.replace(/ {2,}/g, '') === few, few).toBe(true)
  expect(Buffer.byteLength(made)).toBe(Buffer.byteLength(sql))
})

test.each([
  ['a function', `${many('(1)')}, (getenv('HOME')), (2)`],
  ['a subquery', `${many('(1)')}, ((SELECT secret FROM raw.t)), (2)`],
  ['a name', `${many('(1)')}, (secret), (2)`],
  ['an escape', `${many("('a')")}, (E'\\''), ('), (getenv(1)), (')`],
  ['two texts', `${many("('a')")}, ('a'\n'b'), ('c')`],
  ['a comment', `${many("('a')")}, ('b' /* ' */), ('c')`],
  ['dollars', `${many("('a')")}, ($$'$$), ('c')`],
  ['another type', `${many("('a')")}, (CAST('a' AS json)), ('c')`],
])('from %s on all stays', (_, rows) => {
  const made = withoutLikeRows(`VALUES ${rows}`)
  const from = rows.lastIndexOf('(1), (') >= 0 ? rows.lastIndexOf('(1), (') + 3 : rows.lastIndexOf("('a'), (") + 5
  expect(made.endsWith(rows.slice(from))).toBe(true)
})

test.each([
  ['a text before', `SELECT '' FROM (VALUES ${many('(1)')})`],
  ['a comment before', `/* ' */ VALUES ${many('(1)')}`],
  ['a quoted name before', `SELECT "a" FROM (VALUES ${many('(1)')})`],
  ['few rows', 'VALUES (1), (1), (1)'],
])('nothing goes behind %s', (_, sql) => expect(withoutLikeRows(sql) === sql).toBe(true))

const value = fc.oneof(
  fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }).map(String),
  fc.integer({ min: -(2 ** 33), max: 2 ** 33 }).map(String),
  fc.stringMatching(/^-?\d{1,12}\.\d{0,9}$/),
  fc.constantFrom(
    'NULL',
    '1e3',
    '2147483647',
    '2147483648',
    '-2147483648',
    '9223372036854775807',
    '9223372036854775808',
  ),
)
const texts = fc.oneof(fc.constantFrom("'a'", 'NULL', "'ü'''", "DATE '2024-01-01'", "TIMESTAMP '2024-01-01'"))
test('its columns are those of all the rows', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(value, texts, fc.constantFrom('true', 'NULL')), { minLength: 2, maxLength: 30 }),
      async (rows) => {
        const list = rows.map((row) => `(${row.join(', ')})`).join(', ')
        const sql = `VALUES ${list}${`, ${list}`.repeat(Math.ceil(20_000 / list.length))}`
        const typesOf = (text: string) =>
          plain.prepare(text).then(
            (one) => Array.from({ length: one.columnCount }, (_, at) => one.columnType(at).toString()),
            (error: Error) => error.message.split('\n')[0],
          )
        const few = withoutLikeRows(sql)
        expect(few.trim().length).toBeLessThan(sql.length)
        expect(await typesOf(few)).toEqual(await typesOf(sql))
      },
    ),
    { numRuns: 50 },
  ))
