import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorld } from '../world.ts'

// The law: leaving files out never changes a result. Small files with values that meet at their bounds, and conditions
// of every shape that the optimiser rewrites, pushes down, or leaves alone.

const cases = Number(process.env.SOAK_CASES ?? (process.env.SOAK ? 10_000 : 60))
const files = 12

let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
  for (let file = 0; file < files; file++) {
    const select = `select
        case when r % 7 = 0 then null else (${file} * 3 + r % 5)::int end as i,
        (${file} * 1000000000000 + r)::bigint as l,
        case when r % 5 = 0 then null else ((${file} - 4) * 2.5 + r * 0.01)::decimal(10,2) end as d,
        case when ${file} = 3 and r = 1 then 'nan'::double when ${file} = 4 and r = 1 then 'inf'::double when ${file} = 5 then -0.0 else (${file} - 6) * 1.5 + r end as f,
        case when ${file} = 7 then null when ${file} % 4 = 1 then 'pré' || chr(${97 + file}) || repeat('é', 30) || r else chr(${97 + file}) || r end as s,
        date '2024-01-01' + (${file} * 10 + r)::int as dt,
        timestamp '2024-01-01 00:00:00' + to_hours(${file} * 24 + r) as ts,
        timestamptz '2024-01-01 00:00:00+00' + to_hours(${file} * 24 + r) as tz,
        ${file % 3 === 0 ? 'r % 2 = 0' : file % 3 === 1 ? 'true' : 'null::boolean'} as b,
        {'x': ${file} * 2 + r % 3, 'y': 'v' || ${file}} as st,
        case when r % 5 = 0 then null else to_json([${file}, r]) end as j
      from range(${file === 8 ? 1 : 6}) t(r)`
    await world.rows(file === 0 ? `create table raw.p as ${select}` : `insert into raw.p ${select}`)
  }
})
afterAll(() => world.close())

const pick = <const Item>(...items: Item[]) => fc.constantFrom(...items)
const compare = pick('=', '<>', '<', '<=', '>', '>=')
const literals: Record<string, fc.Arbitrary<string>> = {
  i: fc.integer({ min: -2, max: files * 3 + 5 }).map(String),
  l: fc
    .tuple(fc.integer({ min: -1, max: files }), fc.integer({ min: -1, max: 6 }))
    .map(([a, b]) => String(BigInt(a) * 1_000_000_000_000n + BigInt(b))),
  d: fc.integer({ min: -1100, max: 2000 }).map((value) => (value / 100).toFixed(2)),
  f: pick('0.0', '-0.0', "'nan'::double", "'inf'::double", "'-inf'::double", '1.5', '-4.5', '7.5', '3'),
  s: pick("'a0'", "'b3'", "'h1'", "'pré'", "'prébé'", "''", "'zzz'", `'préb${'é'.repeat(30)}2'`, "'l'"),
  dt: fc.integer({ min: -3, max: files * 10 + 8 }).map((days) => `(date '2024-01-01' + ${days})`),
  ts: fc
    .integer({ min: -3, max: files * 24 + 8 })
    .map(
      (hours) => `timestamp '${new Date(Date.UTC(2024, 0, 1, hours)).toISOString().slice(0, 19).replace('T', ' ')}'`,
    ),
  tz: fc
    .integer({ min: -3, max: files * 24 + 8 })
    .map(
      (hours) =>
        `timestamptz '${new Date(Date.UTC(2024, 0, 1, hours)).toISOString().slice(0, 19).replace('T', ' ')}+00'`,
    ),
  b: pick('true', 'false'),
  j: fc
    .tuple(fc.integer({ min: 0, max: files }), fc.integer({ min: 0, max: 6 }))
    .map(([file, row]) => `'[${file},${row}]'`),
}
const column = pick('i', 'l', 'd', 'f', 's', 'dt', 'ts', 'tz', 'b', 'j')
const simple = column.chain((name) => {
  const literal = literals[name]!
  return fc.oneof(
    fc.tuple(compare, literal).map(([op, value]) => `${name} ${op} ${value}`),
    fc.tuple(compare, literal).map(([op, value]) => `${value} ${op} ${name}`),
    fc.tuple(literal, literal).map(([low, high]) => `${name} between ${low} and ${high}`),
    fc.array(literal, { minLength: 1, maxLength: 4 }).map((all) => `${name} in (${all.join(', ')})`),
    fc.array(literal, { minLength: 1, maxLength: 3 }).map((all) => `${name} not in (${all.join(', ')})`),
    pick(`${name} is null`, `${name} is not null`),
    literal.map((value) => `${name} is distinct from ${value}`),
    literal.map((value) => `coalesce(${name}, ${value}) = ${value}`),
  )
})
const special = pick(
  "s like 'a%'",
  "s like 'pré%'",
  "s ilike 'B%'",
  "starts_with(s, 'h')",
  "upper(s) = 'B3'",
  'i % 2 = 1',
  'abs(i) = 5',
  'year(dt) = 2024',
  "date_trunc('day', ts) = timestamp '2024-01-05'",
  "ts::date = date '2024-01-03'",
  "i = '7'",
  'i > 7.5',
  'd > 1',
  'd = 5::int',
  'i + 1 = 6',
  'st.x = 5',
  "st.y = 'v3'",
  'st.x > 20',
  'b',
  'not b',
  'b is not true',
  'isnan(f)',
  'f > f - 1',
  '(i, l) = (4, 1000000000001)',
  'l > 5e12',
  "i::varchar = '7'",
  'dt > ts',
  "tz > timestamp '2024-01-05'",
  "dt >= '2024-02-01'",
  'i = (select min(i) from raw.p)',
  'exists (select 1)',
)
const condition = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    simple,
    special,
    fc.tuple(tie('tree'), pick('and', 'or'), tie('tree')).map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie('tree').map((a) => `not (${a})`),
  ),
})).tree
const shape = pick(
  (where: string) => `select count(*), sum(l), min(s), max(d) from raw.p where ${where}`,
  (where: string) => `select i, s from raw.p where ${where} order by all`,
  (where: string) => `select count(*) from (select * from raw.p where b is not false) p where ${where}`,
  (where: string) =>
    `with w as (select * from raw.p) select (select count(*) from w where ${where}), (select count(*) from w)`,
  (where: string) =>
    `select count(*) from raw.p a join raw.p z on a.l = z.l where a.l in (select l from raw.p where ${where})`,
  (where: string) => `select count(*) from raw.p where ${where} union all select count(*) from raw.p`,
  (where: string) =>
    `select dt, row_number() over (order by l) from raw.p where ${where} qualify row_number() over (order by l) < 5 order by all`,
)

test(`pruned is unpruned (${cases} cases)`, { timeout: 3_600_000 }, () =>
  fc.assert(
    fc.asyncProperty(shape, condition, async (make, where) => {
      const sql = make(where)
      const outcome = (prune: boolean) =>
        world
          .rows(sql, { prune, cache: false })
          .catch((error: { code: string; message: string }) => `${error.code} ${error.message}`)
      expect(await outcome(true)).toEqual(await outcome(false))
    }),
    { numRuns: cases, ...(process.env.SOAK ? {} : { seed: 20240331 }) },
  ),
)

// What a plain question asks is read off its text, and the next one of its shape has other literals.
const plainly = pick('i', 'l', 's', 'dt', 'ts').chain((name) => {
  const literal =
    name === 'dt'
      ? fc.integer({ min: 1, max: 29 }).map((day) => `'2024-02-${String(day).padStart(2, '0')}'`)
      : literals[name]!
  return fc.oneof(
    fc.tuple(compare, literal).map(([op, value]) => `${name} ${op} ${value}`),
    fc.tuple(compare, literal).map(([op, value]) => `${value} ${op} p.${name}`),
    fc.tuple(literal, literal).map(([low, high]) => `${name} between ${low} and ${high}`),
    fc.array(literal, { minLength: 1, maxLength: 3 }).map((all) => `${name} in (${all.join(', ')})`),
    pick(`${name} is null`, `${name} is not null`),
  )
})
test(`a plain question is pruned to what it asks (${cases} cases)`, { timeout: 3_600_000 }, () =>
  fc.assert(
    fc.asyncProperty(fc.array(plainly, { minLength: 1, maxLength: 3 }), async (all) => {
      const sql = `select i, s, ts from raw.p where ${all.join(' and ')} order by all`
      expect(await world.rows(sql, { cache: false })).toEqual(await world.rows(sql, { prune: false, cache: false }))
    }),
    { numRuns: cases * 2, ...(process.env.SOAK ? {} : { seed: 20240331 }) },
  ),
)

test.each([
  ['select i from raw.p where i = 7 and s is not null order by 1 limit 5', 2, true],
  ['select i from raw.p where i = 1 and s is not null order by 1 limit 5', 1, true],
  ["select count(*), max(i) from raw.p as a where a.s = 'b3'", 2, true],
  ["select count(*), max(i) from raw.p as a where a.s = 'i3'", 1, true],
  ["select sum(i) from raw.p where ts < '2024-01-01T12:00:00'", 1, true],
  ["select sum(i) from raw.p where dt in ('2024-01-02', date '2024-01-03')", 1, true],
  ["select sum(i) from raw.p where ts < date '2024-01-02'", 1, true],
  ["select i from raw.p where i = '7' and -1 < l", 2, true],
  ['select b, sum(i) from raw.p group by b order by 1', 12, true],
  ['select 7 as i from raw.p where i = 1', 1, true],
  ["select i from raw.p where s = 'b'\n'3'", 2, false],
  ["select i from raw.p where s = 'b' || '3'", 2, false],
  ['select i from raw.p where st.x = 5', 12, false],
  ['select i from raw.p as st where st.x = 5', 12, false],
  ['select i from raw.p where i = 99999999999', 12, false],
  ['select i from raw.p where i = 1 or i = 2', 1, false],
  ["select i from raw.p where case when i = 1 and s = 'a1' and i = 1 then false else true end", 12, false],
  ["select i from raw.p where j = '[3,1]'", 1, false],
  ['select b, sum(i) from raw.p group by b having b', 12, false],
  ['select i from raw.p where i = (select 7)', 12, false],
  ['with w as (select * from raw.p) select i from w where i = 1', 1, false],
  ['select i from raw.p where i = 1 union all select 5', 1, false],
])('%s reads %i files, plain: %s', async (sql, most, isPlain) => {
  const { rows, files: read, plans } = await asked(sql)
  expect(read).toBeLessThanOrEqual(most)
  expect(plans).toBe(isPlain ? 0 : 1)
  expect(rows).toEqual(await world.rows(sql, { prune: false, cache: false }))
})

test.each([
  ["select i from raw.p where dt = '2024-02-31'", /2024-02-31/],
  ["select i from raw.p where dt = date '2023-02-29' and i = 1", /2023-02-29/],
  ['select nothing from raw.p where i = 1', /nothing/],
  ['select i from raw.p where none = 1', /none/],
])('%s is wrong all the same', async (sql, message) => {
  await expect(world.rows(sql, { cache: false })).rejects.toThrow(message)
})

test('pruning really leaves files out', async () => {
  expect(await filesRead("dt = date '2024-01-02'")).toBeLessThan(3)
  expect(await filesRead('l > 5000000000000')).toBeLessThan(8)
  expect(await filesRead("s = 'c1'")).toBeLessThan(4)
  expect(await filesRead("j = '[3,1]'")).toBe(1)
  expect(await filesRead('i % 2 = 1')).toBe(files)
  expect(await filesRead('i % 2 = 1', 'raw.p$changes')).toBe(files)
  expect(await filesRead("dt = date '2024-01-02'", 'raw.p$changes')).toBeLessThan(3)
})
async function filesRead(where: string, from = 'raw.p'): Promise<number> {
  return (await asked(`select count(*) from ${from} where ${where}`)).files
}
/** The rows, of how many files they are, and how often the optimiser was asked for conditions. */
async function asked(sql: string): Promise<{ rows: unknown[][]; files: number; plans: number }> {
  const { run, rows } = world.engine
  let [files, plans] = [0, 0]
  world.engine.run = (request) => {
    files = new Set(request.sql.match(/[0-9a-f-]{36}-\d+\.parquet/g)).size
    return run(request)
  }
  world.engine.rows = (request) => {
    plans += request.sql.includes('optimize := true') ? 1 : 0
    return rows(request)
  }
  try {
    return { rows: await world.rows(sql, { cache: false }), files, plans }
  } finally {
    Object.assign(world.engine, { run, rows })
  }
}

// DuckDB itself loses the rows of row groups without a value: so the condition is computed of each row beside.
test.each([
  'k >= 3 or k is distinct from 0',
  'k is distinct from 0 or k is distinct from 1',
  'not (k is not distinct from 0) or not (k is not distinct from 1)',
  '(j >= 0 and k is distinct from 0) or (j >= 0 and k = 5)',
  'k = 7 or k is distinct /* or not */ from 0',
  's.a > 1 or s.a is distinct from 0',
  "t = 'x' or t is distinct from ''",
  'added = 1 or added is distinct from 0',
])('row groups without a value are not lost to IS DISTINCT FROM: %s', async (where) => {
  await world.rows('create schema if not exists nulls')
  await world.rows(
    `create or replace table nulls.n as select null::bigint as k, 0 as j, {'a': null::bigint} as s, null::varchar as t`,
  )
  await world.rows(`insert into nulls.n select i, i, {'a': i}, i::varchar from range(5) r(i)`)
  await world.rows('alter table nulls.n add column added bigint')
  const counted = (of: string) => [
    `select count(*) from ${of} where ${where}`,
    `select count(*) from (select k as q, * from ${of}) v where ${where.replaceAll(/\bk\b/g, 'q')}`,
  ]
  const [[expected]] = (await world.rows(`select count(*) filter (where ${where}) from nulls.n`)) as [[unknown]]
  for (const sql of counted('nulls.n')) expect(await world.rows(sql), sql).toEqual([[expected]])
  await world.rows(`create or replace view nulls.v as select * from nulls.n where ${where}`)
  expect(await world.rows('select count(*) from nulls.v')).toEqual([[expected]])
  expect(await world.rows(`create or replace table nulls.copy as select * from nulls.n where ${where}`)).toEqual([
    [expected],
  ])
})

// Values that come again and again: DuckDB puts them into dictionaries and Bloom filters, which have to find them.
const repeated: Record<string, readonly string[]> = {
  boolean: ['true', 'false'],
  integer: ['-2147483648', '5'],
  bigint: ['9223372036854775807', '-1'],
  hugeint: ['12345678901234567890123456789', '-5'],
  'decimal(4,1)': ['-999.9', '0.5'],
  'decimal(18,3)': ['-123456789012345.678', '0.001'],
  'decimal(38,6)': ['-12345678901234567890123456789012.123456', '0.000001'],
  float: ["'nan'", "'-0.0'", '0'],
  double: ["'nan'", "'-0.0'", '0', "'inf'"],
  date: ["'0001-01-01'", "'9999-12-31'"],
  time: ["'00:00:00'", "'23:59:59.999999'"],
  timestamp: ["'1969-12-31 23:59:59.999999'", "'2024-01-01'"],
  timestamptz: ["'1969-12-31 23:59:59.999999+00'", "'2024-01-01 00:00:00+05'"],
  timestamp_ns: ["'1969-12-31 23:59:59.999999999'", "'2024-01-01 00:00:00.000000001'"],
  uuid: ["'ffffffff-ffff-ffff-ffff-ffffffffffff'", "'00000000-0000-0000-0000-000000000001'"],
  varchar: ["''", 'chr(0)', "repeat('z', 40)", "'ü'"],
  blob: ["''", "'\\x80'", "'\\x00\\xFF'", "'\\x5Cx00'"],
}
// With a column of floats or bytes a file has no Bloom filter at all.
const withoutFilters = ['float', 'double', 'blob']
test.each([
  Object.keys(repeated).filter((type) => !withoutFilters.includes(type)),
  ...withoutFilters.map((type) => [type]),
])('values that come again and again are found by what is true of them: %s …', async (...names) => {
  const types = names.map((type) => [type, repeated[type]!] as const)
  const columns = types.map(([type, values], at) => {
    const all = values.map((value) => `(${value})::${type}`).join(', ')
    return `[${all}, null][1 + (i * ${7 + at} + i // 5) % ${values.length + 1}] as c${at}`
  })
  await world.rows(
    `create or replace table raw.repeated with ('format-version' = 3) as select ${columns.join(', ')} from range(2000) t(i)`,
  )
  await world.rows('insert into raw.repeated select * from raw.repeated limit 1000')
  const conditions = types.flatMap(([type, values], at) =>
    values.flatMap((value) => ['=', '<>', '>=', '<'].map((sign) => `c${at} ${sign} (${value})::${type}`)),
  )
  const sums = conditions.map((one) => `count(*) filter (where ${one})`)
  const [expected] = await world.rows(`select ${sums.join(', ')} from raw.repeated`)
  for (const [at, where] of conditions.entries())
    expect(await world.rows(`select count(*) from raw.repeated where ${where}`), where).toEqual([[expected![at]]])
})
