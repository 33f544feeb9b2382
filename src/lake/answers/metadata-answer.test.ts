import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PlannedScan } from '../prepare.ts'
import { openWorld } from '../world.ts'
import { metadataAnswer } from './metadata-answer.ts'

let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world?.close())

const reads = async (sql: string) =>
  JSON.stringify(await world.rows(`explain ${sql}`)).includes('READ_PARQUET') ? 'rows' : 'metadata'

test('what is answered from manifests, and what is not', async () => {
  await world.rows(`create table raw.a (id int, ts timestamp, amount decimal(9, 2), name varchar, x double, region varchar)
    partitioned by (region)`)
  await world.rows(
    `insert into raw.a select i, timestamp '2024-01-01' + interval (i) hour, i / 4, 'n' || i, i, 'r' || (i % 3) from range(30) t(i)`,
  )
  const found: [string, string][] = []
  for (const what of [
    'select count(*) from raw.a',
    'select count(*), count(*) as n, min(id) lowest, max(ts), min(amount), count(name) from raw.a as q',
    "select count(*), max(id) from raw.a where region = 'r1'",
    "select count(*) from raw.a where region = 'nowhere'",
    'select min(name) from raw.a',
    'select max(x) from raw.a',
    'select count(*) from raw.a where id = 3',
    "select count(*) from raw.a where region = 'r1' and id = 3",
    'select count(*) from raw.a limit 1',
    'select count(*) filter (where id > 3) from raw.a',
    'select count(distinct id) from raw.a',
    'select min(id + 1) from raw.a',
    'select count(*) from raw.a, raw.a b',
  ]) {
    found.push([what, await reads(what)])
    expect([what, await world.rows(what, { cache: false })]).toEqual([
      what,
      await world.rows(what, { cache: false, prune: false }),
    ])
  }
  expect(found.map(([, one]) => one)).toEqual([...Array(4).fill('metadata'), ...Array(9).fill('rows')])
  await world.rows('delete from raw.a where id = 4')
  expect(await reads("select count(*) from raw.a where region = 'r1'")).toBe('rows')
  expect(await reads("select count(*) from raw.a where region = 'r2'")).toBe('metadata')
})

test('a count that is not known, as -1 says, is read from the rows', async () => {
  const column = { id: 1, name: 'a', required: false, type: { kind: 'int' } } as const
  const scanOf = (nulls: number) =>
    ({
      table: { metadata: {} },
      files: [{ deletes: [], file: { recordCount: 3, nullCounts: new Map([[1, nulls]]) } }],
    }) as unknown as PlannedScan
  const schema = { schemaId: 0, fields: [column], identifierFieldIds: [] }
  const answer = (nulls: number) =>
    metadataAnswer('select count(a) from t', scanOf(nulls), schema, async () => [{ name: 'n', type: 'BIGINT' }])
  expect(await answer(1)).toBe('SELECT CAST(2 AS BIGINT) AS "n"')
  expect(await answer(-1)).toBeUndefined()
})

const value = fc.option(fc.integer({ min: -5, max: 5 }), { nil: null })
const text = (n: number | null) => (n === null ? 'null' : String(n))
const rowSql = fc
  .tuple(value, value, value)
  .map(([a, b, c]) => `(${text(a)}, ${text(b)}, ${c === null ? 'null' : `'g${c % 2}'`})`)
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .array(rowSql, { minLength: 1, maxLength: 4 })
      .map((rows) => `insert into raw.T values ${rows.join(', ')}`),
  },
  value.map((n) => `delete from raw.T where a = ${text(n)}`),
  value.map((n) => `update raw.T set b = ${text(n)} where a = 1`),
  fc.constantFrom('alter table raw.T add column if not exists d int', 'alter table raw.T alter a type bigint'),
)
const questions = [
  'select count(*), count(a), min(a), max(a) from raw.T',
  "select count(*), min(b), max(b), count(b) from raw.T where g = 'g1'",
  'select min(d), count(d) from raw.T',
  'select max(b) from raw.T where a = 1',
]
const cases = Number(process.env['SOAK_CASES'] ?? (process.env['SOAK'] ? 500 : 8))
test('the same as from the rows', { timeout: cases * 30_000 }, async () => {
  let round = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 5 }),
      fc.constantFrom('', 'partitioned by (g)', 'partitioned by (g, bucket(2, a))'),
      fc.constantFrom('merge-on-read', 'copy-on-write'),
      async (steps, partitions, mode) => {
        const table = `q_${round++}`
        await world.rows(
          `create table raw.${table} (a int, b int, g varchar) ${partitions} with ('write.delete.mode' = '${mode}', 'write.update.mode' = '${mode}')`,
        )
        for (const sql of steps) {
          const columns = sql.startsWith('insert') ? sql.replace(' values', ' (a, b, g) values') : sql
          await world.rows(columns.replaceAll('raw.T', `raw.${table}`))
        }
        for (const question of questions) {
          const sql = question.replaceAll('raw.T', `raw.${table}`)
          const outcome = (prune: boolean) =>
            world.rows(sql, { prune, cache: false }).catch((error: { code: string }) => error.code)
          expect([sql, await outcome(true)]).toEqual([sql, await outcome(false)])
        }
      },
    ),
    { numRuns: cases, ...(process.env['SOAK'] ? {} : { seed: 3 }) },
  )
})
