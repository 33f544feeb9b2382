import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorld } from '../world.ts'

let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
  // 40 files, each with its own keys.
  await world.rows(`create table raw.fact partitioned by (part) as
    select i as id, i // 50 as part, case when i % 97 = 0 then null else i // 10 end as k, 'w' || (i // 10) as word, repeat('x', 200) || i as pad from range(2000) t(i)`)
  await world.rows(
    `create table raw.dim as select i as k, 'w' || i as word, 'n' || (i % 20) as name, i % 7 as g from range(200) t(i)`,
  )
  await world.rows("insert into raw.dim values (null, null, 'n3', 1), (5000, 'none', 'alone', 1)")
})
afterAll(() => world?.close())

const filesOf = async (sql: string) => {
  const [first] = await world.rows(`explain ${sql}`)
  return Number(/(\d+) files/.exec(String(first?.[1]))![1])
}

test('the files of the large side are those that the keys of the small side meet', async () => {
  expect(await filesOf("select count(pad) from raw.fact f join raw.dim d on f.k = d.k where d.name = 'n3'")).toBe(10)
  expect(
    await filesOf("select count(pad) from raw.fact f join raw.dim d using (word) where d.name = 'n3'"),
  ).toBeLessThan(20)
  expect(await filesOf("select count(pad) from raw.fact f where k in (select k from raw.dim where name = 'n3')")).toBe(
    10,
  )
  expect(await filesOf("select count(pad) from raw.fact f join raw.dim d on f.k = d.k where d.name = 'alone'")).toBe(0)
  expect(await filesOf('select count(pad) from raw.fact f join raw.dim d on f.k = d.k')).toBe(40)
  expect(await filesOf("select count(pad) from raw.fact f left join raw.dim d on f.k = d.k and d.name = 'n3'")).toBe(40)
  expect(
    await filesOf("select count(pad) from raw.fact f where k not in (select k from raw.dim where name = 'n3')"),
  ).toBe(40)
})

const join = fc.constantFrom('join', 'left join', 'right join', 'full join', 'semi join', 'anti join')
const on = fc.constantFrom(
  'f.k = d.k',
  'f.word = d.word',
  'f.k = d.k and f.word = d.word',
  'f.k = d.g',
  'f.k is not distinct from d.k',
  'f.k = d.k + 1',
)
const where = fc.constantFrom(
  "d.name = 'n3'",
  "d.name = 'n3' or f.id < 10",
  'd.k between 20 and 25',
  'd.g = 2 and f.id > 1000',
  "d.name = 'alone'",
  'd.k is null',
)
const outer = fc.constantFrom(
  '',
  "join raw.dim e on e.k = f.k and e.name = 'n5'",
  "left join raw.dim e on e.k = f.k where e.name = 'n5'",
  'join (select max(k) as m from raw.fact) x on true',
)
const cases = Number(process.env['SOAK_CASES'] ?? (process.env['SOAK'] ? 1_000 : 25))
test('pruned by joins is unpruned', { timeout: cases * 20_000 }, () =>
  fc.assert(
    fc.asyncProperty(join, on, where, outer, async (kind, condition, filter, more) => {
      const isHalf = kind === 'semi join' || kind === 'anti join'
      const inner = filter.replaceAll('d.', 'd2.')
      const from = isHalf
        ? `raw.fact f ${kind} (select * from raw.dim d2 where ${inner.includes('f.') ? 'd2.g = 2' : inner}) d on ${condition}`
        : `raw.fact f ${kind} raw.dim d on ${condition}`
      const base = isHalf ? `select f.* from ${from}` : `select f.* from ${from} where ${filter}`
      const sql = `select count(*), sum(f.id), min(f.word), max(length(f.pad)) from (${base}) f ${more}`
      const outcome = (prune: boolean) =>
        world.rows(sql, { prune, cache: false }).catch((error: { code: string }) => error.code)
      expect([sql, await outcome(true)]).toEqual([sql, await outcome(false)])
    }),
    { numRuns: cases, ...(process.env['SOAK'] ? {} : { seed: 5 }) },
  ),
)

test.each([
  ['BLOB', "('ab' || lpad(K::varchar, 4, '0'))::blob"],
  ['FLOAT', '(K / 3)::float'],
  ['DOUBLE', 'K / 3'],
  ['DECIMAL(10,3)', '(K / 8)::decimal(10,3)'],
  ['UUID', "('00000000-0000-0000-0000-' || lpad(K::varchar, 12, '0'))::uuid"],
  ['DATE', "(timestamp '1960-01-01' + to_days(K::int * 100))::date"],
  ['TIMESTAMP', "timestamp '1960-01-01' + to_days(K::int * 100) + interval 1 microsecond"],
  ['TIMESTAMP WITH TIME ZONE', "timestamptz '1960-01-01 00:00:00+00' + to_days(K::int * 100)"],
  ['TIME', "time '00:00:00.000001' + to_seconds(K::int)"],
])('keys of type %s', async (type, key) => {
  const keyed = key.replace('K', '(i // 10)')
  await world.rows(`create or replace table raw.typed partitioned by (part) as
    select i // 50 as part, ${keyed} as k, repeat('x', 200) || i as pad from range(2000) t(i)`)
  await world.rows(
    `create or replace table raw.few as select i as id, ${key.replace('K', 'i')} as k from range(200) t(i)`,
  )
  const joined = (id: number) => `from raw.typed t join raw.few f on t.k = f.k where f.id = ${id}`
  // The first and the last key of a file.
  for (const id of [5, 14])
    expect(await world.rows(`select count(pad), any_value(typeof(t.k)) ${joined(id)}`)).toEqual([[10, type]])
  // No bounds are kept of UUIDs.
  expect(await filesOf(`select count(pad) ${joined(5)}`)).toBe(type === 'UUID' ? 40 : 1)
})
