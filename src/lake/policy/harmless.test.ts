import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import { beforeAll, expect, test } from 'vitest'
import { cannotFail } from './harmless.ts'

let connection: DuckDBConnection
beforeAll(async () => {
  connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()
  await connection.run(`SET disabled_optimizers = 'statistics_propagation'`)
  await connection.run('CREATE TABLE t (i INT, l BIGINT, s VARCHAR, d DATE, n DECIMAL(10, 2), o INT[])')
  await connection.run('CREATE TABLE u (i INT, s VARCHAR)')
})

test.each([
  ['SELECT * FROM t', true],
  [
    `SELECT i, sum(n), count(DISTINCT s) FROM t WHERE d >= '2024-01-01' AND s LIKE 'a%' GROUP BY i ORDER BY 2 LIMIT 3`,
    true,
  ],
  [`SELECT lower(s), year(d), CASE WHEN i > 3 THEN s ELSE 'x' END FROM t WHERE i IN (1, 2) OR s IS NULL`, true],
  ['SELECT * FROM t JOIN u ON t.l = u.i WHERE u.s NOT IN (SELECT s FROM t)', true],
  ['SELECT TRY_CAST(s AS INT) FROM t', true],
  [`SELECT s || '-' || s FROM t WHERE lower(s) = 'x'`, true],
  // What needs memory only where a row is so and so.
  [`SELECT * FROM t WHERE (CASE WHEN s LIKE 'a%' THEN '${'x'.repeat(300)}' ELSE '' END) || s <> 'x'`, false],
  [`SELECT * FROM t WHERE ${Array(10).fill('s').join(' || ')} <> 'x'`, false],
  // What fails is written there.
  ['SELECT s::INT FROM t', false],
  ['SELECT i + 1 FROM t', false],
  ['SELECT l::INT FROM t', false],
  [`SELECT * FROM t WHERE strptime(s, '%d') IS NULL`, false],
  [`SELECT error(s) FROM t`, false],
  ['SELECT o[1] FROM t', false],
  // Or it is not.
  ['SELECT * FROM t WHERE s = 4', false],
  ['SELECT * FROM t JOIN u ON t.i = u.s', false],
  ['SELECT i FROM t UNION ALL SELECT s FROM u WHERE s > 4', false],
  ['SELECT (SELECT s FROM u WHERE u.i = t.i) FROM t', false],
  ['SELECT * FROM t, json_each(s)', false],
  ['SELECT * FROM t, range(i)', false],
  ['SELECT sum(i) OVER (ORDER BY i ROWS i PRECEDING) FROM t', false],
])('%s: %s', async (sql, expected) => {
  const rows = await connection.runAndReadAll('SELECT json_serialize_plan($1::VARCHAR, optimize := true)', [sql])
  const plan = JSON.parse(String(rows.getRows()[0]![0])) as { error: boolean }
  expect(!plan.error && cannotFail(plan)).toBe(expected)
})
