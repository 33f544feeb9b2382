import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { applyTransform, parsePrimitive, parseTransform, type Schema, type Value } from '../../iceberg/index.ts'
import { isSortable, partitionColumn, sortTerms } from './partition.ts'
import { sqlType } from '../types.ts'
import { openWorld } from '../world.ts'

// The SQL of every partition transform against the transform itself, over the values where spellings differ: negative
// ones, ends of ranges, letters of several bytes.

let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world?.close())

const day = (text: string) => Date.parse(`${text}T00:00:00Z`) / 86_400_000
const us = (text: string) => BigInt(Date.parse(`${text}Z`)) * 1000n
const bytes = (hex: string) => Buffer.from(hex, 'hex')
const instants: [string, Value][] = [
  '2024-03-31 12:34:56',
  '1969-12-31 23:59:59',
  '1970-01-01 00:00:00',
  '0001-01-01 00:00:00',
  '9999-12-31 23:00:00',
].map((text) => [`'${text}'`, us(text.replace(' ', 'T'))])
// More microseconds than a double holds.
instants.push(["'9999-12-31 23:59:59.999999'", us('9999-12-31T23:59:59') + 999_999n])
instants.push(["'0001-01-01 00:59:59.999999'", us('0001-01-01T00:59:59') + 999_999n])
const nanoseconds: [string, Value][] = [
  ["'2024-03-31 12:34:56.123456789'", us('2024-03-31T12:34:56') * 1000n + 123_456_789n],
  ["'1969-12-31 23:59:59.999999999'", -1n],
  ["'1969-12-31 23:00:00.000000001'", us('1969-12-31T23:00:00') * 1000n + 1n],
]

const cases: [type: string, transforms: string[], values: [sql: string, value: Value][]][] = [
  [
    'boolean',
    ['identity'],
    [
      ['true', true],
      ['false', false],
    ],
  ],
  [
    'int',
    ['identity', 'bucket[16]', 'truncate[10]', 'void'],
    [
      ['1', 1],
      ['-1', -1],
      ['0', 0],
      ['2147483647', 2147483647],
      ['-2147483640', -2147483640],
      ['34', 34],
    ],
  ],
  [
    'long',
    ['identity', 'bucket[7]', 'truncate[10]'],
    [
      ['34', 34n],
      ['-11', -11n],
      ['9223372036854775807', 2n ** 63n - 1n],
      ['-9223372036854775800', -(2n ** 63n) + 8n],
    ],
  ],
  [
    'decimal(9,2)',
    ['identity', 'bucket[16]', 'truncate[50]'],
    [
      ['14.20', 1420n],
      ['-10.65', -1065n],
      ['0.00', 0n],
      ['-0.07', -7n],
    ],
  ],
  [
    'decimal(38,10)',
    ['identity', 'bucket[16]', 'truncate[7]'],
    [
      ['1234567890123456789012345678.0123456789', 12345678901234567890123456780123456789n],
      ['-0.0000000001', -1n],
    ],
  ],
  [
    'date',
    ['identity', 'year', 'month', 'day', 'bucket[16]'],
    ['2017-11-16', '1969-12-31', '1970-01-01', '0001-01-01', '9999-12-31'].map((text) => [`'${text}'`, day(text)]),
  ],
  [
    'time',
    ['identity', 'bucket[16]'],
    [
      ["'22:31:08'", 81_068_000_000n],
      ["'00:00:00.000001'", 1n],
    ],
  ],
  ['timestamp', ['identity', 'year', 'month', 'day', 'hour', 'bucket[16]'], instants],
  ['timestamp_ns', ['year', 'month', 'day', 'hour', 'bucket[16]'], nanoseconds],
  ['timestamptz', ['identity', 'year', 'month', 'day', 'hour', 'bucket[16]'], instants],
  [
    'string',
    ['identity', 'bucket[16]', 'truncate[3]'],
    [
      ["'iceberg'", 'iceberg'],
      ["''", ''],
      ["'aé😀b'", 'aé😀b'],
      ["'NULL'", 'NULL'],
      ["'a/b=c %'", 'a/b=c %'],
    ],
  ],
  [
    'uuid',
    ['identity', 'bucket[16]'],
    [["'f79c3e09-677c-4bbd-a479-3f349cb785e7'", 'f79c3e09-677c-4bbd-a479-3f349cb785e7']],
  ],
  [
    'binary',
    ['identity', 'bucket[16]', 'truncate[2]'],
    [
      ["unhex('00010203')", bytes('00010203')],
      ["unhex('')", bytes('')],
      ["unhex('FFFE')", bytes('fffe')],
    ],
  ],
  [
    'double',
    ['identity'],
    [
      ['1.5', 1.5],
      ['-0.1', -0.1],
      ["'inf'", Infinity],
    ],
  ],
]

const plain = (value: Value | null | undefined) =>
  value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value

describe.each(cases)('%s', (typeText, transforms, values) => {
  test.each(transforms)('%s', async (transformText) => {
    const [type, transform] = [parsePrimitive(typeText), parseTransform(transformText)]
    const schema: Schema = {
      schemaId: 0,
      identifierFieldIds: [],
      fields: [{ id: 1, name: 'a b', required: false, type }],
    }
    const column = partitionColumn({ sourceIds: [1], fieldId: 1000, name: 'p', transform }, schema)
    const sql = [...values.map(([sql]) => sql), 'NULL']
      .map((value) => `SELECT ${column.key} FROM (SELECT CAST(${value} AS ${sqlType(type)}) AS "a b")`)
      .join(' UNION ALL ')
    const rows = await world.engine.rows({ class: 'write', sql })
    const expected = [...values.map(([, value]) => value), null].map((value) => applyTransform(transform, type, value))
    expect(rows.map(([text]) => plain(column.parse(text as string | null)))).toEqual(expected.map(plain))
  })
})

test('a long text is told by its hash', async () => {
  const schema: Schema = {
    schemaId: 0,
    identifierFieldIds: [],
    fields: [{ id: 1, name: 's', required: false, type: { kind: 'string' } }],
  }
  const column = partitionColumn({ sourceIds: [1], fieldId: 1000, name: 'p', transform: { kind: 'identity' } }, schema)
  const [[key] = []] = await world.engine.rows({
    class: 'write',
    sql: `SELECT ${column.key} FROM (SELECT repeat('x', 300) AS s)`,
  })
  expect([String(key).length, column.parse(String(key))]).toEqual([65, undefined])
})

const pair = { sourceIds: [1, 2], transform: { kind: 'bucket', buckets: 4 } } as const
const curve = { sourceIds: [1], transform: { kind: 'other', text: 'curve' } } as const
const two: Schema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    { id: 1, name: 'a', required: false, type: { kind: 'long' } },
    { id: 2, name: 'b', required: false, type: { kind: 'long' } },
  ],
}

test('partitions that other engines make of what is not known here are refused by name', () => {
  const made = (field: typeof pair | typeof curve) => () => partitionColumn({ ...field, fieldId: 1000, name: 'p' }, two)
  expect(made(pair)).toThrow('p is made of 2 columns together, which is not known here')
  expect(made(curve)).toThrow('the partition transform curve of p is not known')
})

test('rows that cannot be put into the order of a table are put into none', () => {
  const by = { direction: 'asc', nullOrder: 'nulls-first' } as const
  const own = { sourceIds: [2], transform: { kind: 'identity' }, ...by } as const
  const order = (field: typeof pair | typeof curve) => ({ orderId: 1, fields: [own, { ...field, ...by }] })
  expect(sortTerms({ orderId: 1, fields: [own] }, two)).toEqual(['"b" ASC NULLS FIRST'])
  for (const one of [order(pair), order(curve)]) expect([isSortable(one), sortTerms(one, two)]).toEqual([false, []])
})
