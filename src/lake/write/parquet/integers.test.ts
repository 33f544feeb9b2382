import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, expect, test } from 'vitest'
import { plainIntegers } from './integers.ts'

const dir = mkdtempSync(join(tmpdir(), 'boathouse-integers-'))
const connection = await (await DuckDBInstance.create()).connect()
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const rows = async (sql: string) => (await connection.runAndReadAll(sql)).getRowsJson()

test('integers of 32 bits are noted as nothing else, and all else stays', async () => {
  const file = join(dir, 'some.parquet')
  // More columns than a short list of Thrift has, and more rows than one group.
  const more = Array.from({ length: 20 }, (_, index) => `i::int + ${index} AS i${index}`)
  const select = `SELECT i::int AS n, i AS l, DATE '2020-01-01' + i::int % 9 AS day, i::decimal(5, 0) AS d, [i::int, NULL] AS list,
    {'n': i::int, 's': 'x'} AS s, MAP {i::int: 'v'} AS m, ${more.join(', ')} FROM range(130000) t(i) WHERE i < 99999`
  await rows(`COPY (${select}) TO '${file}' (FORMAT parquet, FIELD_IDS {n: 7})`)
  const noted = `SELECT count(*)::int, count(*) FILTER (converted_type = 'INT_32')::int, max(field_id)::int FROM parquet_schema('${file}')`
  const kinds = `SELECT name, type, converted_type FROM parquet_schema('${file}') WHERE name IN ('n', 'l', 'day', 'd') ORDER BY ALL`
  const [[count, before]] = (await rows(noted)) as [[number, number]]
  expect(before).toBe(24)
  expect(plainIntegers(file)).toBe(statSync(file).size)
  expect(await rows(noted)).toEqual([[count, 0, 7]])
  expect(await rows(kinds)).toEqual([
    ['d', 'INT32', 'DECIMAL'],
    ['day', 'INT32', 'DATE'],
    ['l', 'INT64', 'INT_64'],
    ['n', 'INT32', null],
    ['n', 'INT32', null],
  ])
  expect(await rows(`(${select} EXCEPT ALL FROM '${file}') UNION ALL (FROM '${file}' EXCEPT ALL ${select})`)).toEqual(
    [],
  )
  const { size } = statSync(file)
  expect([plainIntegers(file), statSync(file).size]).toEqual([size, size])
})
