// The rows of a host beside the rows of PostgreSQL itself for the same literals, byte for byte, in text and in binary.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bind, execute, openRaw, parse, query, startup, sync, type RawClient } from '../../test/support/pg-raw.ts'
import { startPostgres, type TestPostgres } from '../../test/support/postgres.ts'
import { openEngine, type Engine, type EngineRequest } from './index.ts'

let engine: Engine
let postgres: TestPostgres
let client: RawClient
const dir = mkdtempSync(join(tmpdir(), 'wire-'))

beforeAll(async () => {
  engine = openEngine({
    memoryBytes: 2 ** 29,
    threads: 1,
    tempDirectory: dir,
    tempBytes: 2 ** 30,
    timeZone: 'UTC',
    directories: [],
    classes: ['interactive'],
  })
  postgres = await startPostgres()
  client = await openRaw(Number(new URL(postgres.url).port))
  client.send(startup({ user: 'boathouse', database: 'postgres' }))
  await client.until('Z')
  client.send(query("set timezone = 'UTC'; set intervalstyle = 'postgres'"))
  await client.until('Z')
})
afterAll(async () => {
  client.close()
  await Promise.all([engine.close(), postgres.stop()])
  rmSync(dir, { recursive: true, force: true })
})

async function ofHost(sql: string, format: number, more: Partial<EngineRequest> = {}): Promise<string> {
  const { chunks } = await engine.run({ class: 'interactive', sql, formats: [format], ...more })
  const bytes: Uint8Array[] = []
  for await (const chunk of chunks) bytes.push(chunk.bytes!)
  return Buffer.concat(bytes).subarray(5).toString('latin1')
}

async function ofPostgres(sql: string, format: number): Promise<string> {
  const rows = await rowsOfPostgres(sql, format)
  if (rows.length !== 1) throw new Error(`${sql}: ${rows.length} rows`)
  return rows[0]!
}

async function rowsOfPostgres(sql: string, format: number): Promise<string[]> {
  client.send(parse('', sql), bind('', '', format), execute(''), sync)
  const messages = await client.until('Z')
  const failed = messages.find(({ type }) => type === 'E')
  if (failed) throw new Error(`${sql}: ${failed.body.toString()}`)
  return messages.filter(({ type }) => type === 'D').map(({ body }) => body.toString('latin1'))
}

const same = [
  'true',
  'false',
  'null::int',
  '0::smallint',
  '(-32768)::smallint',
  '1',
  '(-2147483648)::int',
  '2147483647',
  '0::bigint',
  '(-1)::bigint',
  '4294967296',
  '(-4294967297)::bigint',
  '9007199254740993::bigint',
  '(-9223372036854775807)::bigint',
  '1.5::double precision',
  '(-0.1)::double precision',
  '1e15::double precision',
  '999999999999999::double precision',
  '123456789012345680::double precision',
  '0.0001::double precision',
  '0.00001234::double precision',
  '1e300::double precision',
  '999999::float4',
  '(-0.00001)::float4',
  "'NaN'::double precision",
  "'Infinity'::double precision",
  "'-Infinity'::float4",
  '0.1::float4',
  '16777216::float4',
  '3.4028234e38::float4',
  '0::numeric(4,2)',
  '(-0.05)::numeric(10,2)',
  '99.99::numeric(4,2)',
  '1500.10::numeric(12,2)',
  '12345678901234.5678::numeric(18,4)',
  '(-99999999999999999999.000001)::numeric(38,6)',
  '0.0001::numeric(18,17)',
  '10000::numeric(9,0)',
  '0.00001::numeric(9,5)',
  '70000.5::numeric(9,2)',
  '(-120034000000.001)::numeric(15,3)',
  '9007199254740991::numeric(16,0)',
  '0.000000000001::numeric(14,12)',
  "''",
  "'a short one'",
  "'a text of more than twelve bytes, é and 😀 in it'",
  "'exactly 12 b'",
  "date '2024-03-31'",
  "date '1969-12-31'",
  "date '0001-01-01'",
  "date '9999-12-31'",
  "date '10000-01-01'",
  "'infinity'::date",
  "'-infinity'::date",
  "time '00:00:00'",
  "time '23:59:59.999999'",
  "timestamp '2024-03-31 12:00:00'",
  "timestamp '2024-02-29 12:00:00.120'",
  "timestamp '1960-02-29 00:00:00.000001'",
  "timestamp '1500-03-01 00:00:00'",
  "timestamp '1700-01-01 00:00:00.000001'",
  "timestamp '2261-01-01 00:00:00.100000'",
  '1e11::double precision',
  '(-99999999999.5)::double precision',
  '123456.7891::double precision',
  '(-0.0001)::double precision',
  "'-0'::double precision",
  '0.30000000000000004::double precision',
  '5e-324::double precision',
  '(-9.99)::numeric(3,2)',
  '123456789.123456789::numeric(18,9)',
  '12345678.0123456789::numeric(18,10)',
  "timestamp '4713-01-01 23:59:59.999999'",
  "'infinity'::timestamp",
  "timestamptz '2024-03-31 12:00:00+02'",
  "timestamptz '1969-12-31 23:59:59.999999+00'",
  "'-infinity'::timestamptz",
  "interval '1 year 2 months 3 days 04:05:06.5'",
  "interval '-1 month'",
  "interval '0'",
  "interval '1 month -3 days'",
  "interval '1000 hours'",
  "interval '2 days -99:59:59.5'",
  "interval '-100 hours'",
  "interval '-3 days 01:30:00'",
  "interval '-1 month 3 days -4 hours'",
  "interval '1 year -2 months 3 days'",
  "'4c1aa0ea-3cb2-4e0c-a4a8-6a1ab2a3a5b1'::uuid",
  "'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid",
]
test.each(same.flatMap((sql) => [0, 1].map((format) => [sql, format] as const)))(
  '%s in format %i',
  async (sql, format) => expect(await ofHost(`select ${sql}`, format)).toBe(await ofPostgres(`select ${sql}`, format)),
)

// What the two spell differently.
test.each([
  ["'\\xAB\\x00'::blob", "'\\xab00'::bytea"],
  ['[1, null, 3]::int[]', 'array[1, null, 3]'],
  ['[]::int[]', "'{}'::int[]"],
  ["['a', 'b c', '', 'null', '{x}', 'q\"\\', null]", `array['a', 'b c', '', 'null', '{x}', E'q"\\\\', null]`],
  ['[1.5, null]::decimal(4,2)[]', 'array[1.5, null]::numeric(4,2)[]'],
  ["[timestamptz '2024-01-01 00:00:00+00']", "array[timestamptz '2024-01-01 00:00:00+00']"],
  ['[true, false]', 'array[true, false]'],
  ['170141183460469231731687303715884105727::hugeint', '170141183460469231731687303715884105727::numeric'],
  ['18446744073709551615::ubigint', '18446744073709551615::numeric'],
  ["timestamp_ns '2024-01-01 00:00:00.123456789'", "timestamp '2024-01-01 00:00:00.123456'"],
  ["timestamp_s '2024-01-01 00:00:01'", "timestamp '2024-01-01 00:00:01'"],
  ["date '0044-03-15 (BC)'", "date '0044-03-15 BC'"],
  ["timetz '12:30:00+02'", "timetz '12:30:00+02'"],
])('%s', async (duckdb, sql) => {
  for (const format of [0, 1])
    expect(await ofHost(`select ${duckdb}`, format)).toBe(await ofPostgres(`select ${sql}`, format))
})

test('every row of many chunks is its own, nulls and long strings among them', async () => {
  const sql = `select i::int, case when i % 3 = 0 then null else 'row number ' || i || ' of a long result' end,
    case when i % 5 = 0 then null else repeat('x', i % 17) end from range(10000) t(i)`
  const { chunks } = await engine.run({ class: 'interactive', sql, formats: [0] })
  let [next, bytes] = [0, Buffer.alloc(0)]
  for await (const chunk of chunks) bytes = Buffer.concat([bytes, chunk.bytes!])
  for (let at = 0; at < bytes.length; next++) {
    const end = at + 1 + bytes.readInt32BE(at + 1)
    let field = at + 7
    const values = Array.from({ length: 3 }, () => {
      const length = bytes.readInt32BE(field)
      field += 4 + Math.max(0, length)
      return length < 0 ? null : bytes.toString('utf8', field - length, field)
    })
    expect(values).toEqual([
      String(next),
      next % 3 === 0 ? null : `row number ${next} of a long result`,
      next % 5 === 0 ? null : 'x'.repeat(next % 17),
    ])
    expect(field).toBe(end)
    at = end
  }
  expect(next).toBe(10_000)
})

test.each([0, 1])(
  'rows of one chunk, plain values and odd ones of each type beside nulls, in format %i',
  async (format) => {
    const columns: Record<string, string[]> = {
      int: ['0', '-1', '2147483647', '-2147483647', '10', '99', '100'],
      bigint: ['0', '-1', '9007199254740993', '-9223372036854775807', '1000000000', '999999999', '-4294967296'],
      'double precision': ['0.5', '-0.25', '1e300', '100', "'NaN'", '0.1', '-1234.5678'],
      'numeric(12,2)': ['0', '-0.01', '1234567890.12', '-9999999999.99', '0.10', '1', '99.99'],
      date: [
        "'2024-02-29'",
        "'0001-01-01'",
        "'infinity'",
        "'12000-01-01'",
        "'1970-01-01'",
        "'9999-12-31'",
        "'2046-08-05'",
      ],
      timestamp: ["'2024-02-29 23:59:59.999999'", "'-infinity'", "'11000-01-01 00:00:01'", "'1969-12-31 12:00:00.5'"],
      timestamptz: ["'2024-02-29 01:02:03.0405+00'", "'infinity'", "'0099-01-01 00:00:00+00'"],
      text: ["''", "'twelve bytes'", "'é and 😀'", `'${'long '.repeat(2000)}'`, "'some more than twelve'"],
    }
    const items = (row: number) =>
      Object.entries(columns).map(([type, values], at) =>
        (row + at) % 9 === 0 ? `cast(null as ${type})` : `cast(${values[row % values.length]!} as ${type})`,
      )
    const rows = Array.from({ length: 63 }, (_, row) => `(${[row, ...items(row)].join(', ')})`)
    const sql = `select * from (values ${rows.join(', ')}) as v order by 1`
    const { chunks } = await engine.run({ class: 'interactive', sql, formats: [format] })
    let bytes = Buffer.alloc(0)
    for await (const chunk of chunks) bytes = Buffer.concat([bytes, chunk.bytes!])
    const found: string[] = []
    for (let at = 0; at < bytes.length; at += 1 + bytes.readInt32BE(at + 1))
      found.push(bytes.toString('latin1', at + 5, at + 1 + bytes.readInt32BE(at + 1)))
    expect(found).toEqual(await rowsOfPostgres(sql, format))
  },
)

test('times are written as the clocks of the zone show them, and read so', async () => {
  const moments = [
    '2024-03-31 00:59:59.5',
    '2024-03-31 01:00:00',
    '2024-10-27 00:30:00',
    '2024-10-27 01:30:00',
    '1800-01-01 00:00:00',
  ]
  const all = [...moments, '4000-07-01 00:00:00', '0044-03-15 00:00:00'].map((one) => `timestamptz '${one}+00'`)
  const items = [...all, "timestamptz 'infinity'", "timestamptz '2024-07-01 12:00'", "'2024-07-01'::timestamptz::date"]
  const sql = `select ${[...items, `array[${all.slice(0, 3).join(', ')}, null]`].join(', ')}`
  for (const zone of ['Europe/Berlin', 'Asia/Kolkata', 'America/St_Johns', 'UTC']) {
    client.send(query(`set timezone = '${zone}'`))
    await client.until('Z')
    for (const format of [0, 1]) {
      const more = { timeZone: zone, shownIn: zone }
      expect(await ofHost(sql, format, more)).toBe(await ofPostgres(sql, format))
    }
  }
  expect(await ofHost("select '2024-07-01 12:00'::timestamptz", 0)).toMatch(/12:00:00\+00$/)
  client.send(query("set timezone = 'UTC'"))
  await client.until('Z')
})

test.each([
  ['row(1, 2)', '[1,2]'],
  ["[row('a', row(1, 2))]", '[["a",[1,2]]]'],
  ["{'b': row(1, null), 'a': {'c': 1}}", '{"b":[1,null],"a":{"c":1}}'],
])('a struct without names is a JSON array: %s', async (sql, json) => {
  for (const format of [0, 1]) expect((await ofHost(`select ${sql}`, format)).slice(6)).toBe(json)
})
