import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import { beforeAll, expect, test } from 'vitest'
import { textShape } from './text-shape.ts'

let plain: DuckDBConnection
beforeAll(async () => void (plain = await (await DuckDBInstance.create(':memory:')).connect()))

test.each([
  ['SELECT * FROM raw.t WHERE id = 4711', 'SELECT * FROM raw.t WHERE id = 0000'],
  ["select 1 from raw.t where s='é' and n<>7", "select 1 from raw.t where s='xx' and n<>0"],
  [
    "select a from raw.t where d between DATE '2024-01-01' and date '2024-12-31' limit 20 offset 40",
    "select a from raw.t where d between DATE 'xxxxxxxxxx' and date 'xxxxxxxxxx' limit 00 offset 00",
  ],
  [
    'select (select max(x) from raw.u where y >= 12) from raw.t',
    'select (select max(x) from raw.u where y >= 00) from raw.t',
  ],
])('plain literals are blind: %s', async (sql, shape) => {
  expect(textShape(sql)).toBe(shape)
  expect(Buffer.byteLength(shape)).toBe(Buffer.byteLength(sql))
  expect(await treeOf(shape)).toEqual(await treeOf(sql))
})

test.each([
  "SELECT * FROM 'file.csv'",
  "SELECT * FROM raw.t, 'file.csv'",
  "SELECT getenv('HOME'), 12 FROM raw.t",
  'SELECT * FROM raw.t WHERE id = 1e400',
  'SELECT * FROM raw.t WHERE id = 1.5',
  "SELECT * FROM raw.t WHERE id = E'\\''",
  "SELECT * FROM raw.t WHERE id = 'it''s'",
  'SELECT * FROM raw.t WHERE id = $1',
  'SELECT * FROM raw.t WHERE id = -- 12\n "5"',
  'SELECT * FROM raw.t WHERE id = 1234567890123456789',
  'SELECT 1, 2 FROM raw.t GROUP BY 1 ORDER BY 2',
])('all else stays: %s', (sql) => expect(textShape(sql)).toBe(sql))

/** Without what its constants are. */
async function treeOf(sql: string): Promise<unknown> {
  const rows = await plain.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [sql])
  return JSON.parse(String(rows.getRows()[0]![0]), (_key, value: { class?: string }) =>
    value?.class === 'CONSTANT' ? { ...value, value: null } : value,
  )
}
