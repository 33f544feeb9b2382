// Statistics as manifests keep them. The cut bounds were compared with those of PyIceberg 0.12 (`StatsAggregator`): where
// it leaves characters behind the raised one, ours end there, as Java's do.

import { expect, test } from 'vitest'
import type { NewDataFile } from './manifest-types.ts'
import { currentSchema, newTableMetadata } from './metadata.ts'
import { metricsModes, positionDeleteStatistics, statisticsOf } from './metrics.ts'
import type { PrimitiveType, Value } from './types.ts'

const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('hex')
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))

function boundsOf(type: PrimitiveType, value: Value, mode = 'truncate(16)'): [string | undefined, string | undefined] {
  const properties = { 'write.metadata.metrics.default': mode }
  const metadata = newTableMetadata({
    uuid: 'u',
    location: '/t',
    nowMs: 1,
    formatVersion: 3,
    schema: [{ name: 'c', type }],
    properties,
  })
  const schema = currentSchema(metadata)
  const one = new Map([[1, value]])
  const file: NewDataFile = { path: 'f', recordCount: 1, fileSizeBytes: 1, lower: one, upper: one }
  const { lowerBounds, upperBounds } = statisticsOf(file, schema, metricsModes(schema, properties))
  return [hex(lowerBounds?.get(1)), hex(upperBounds?.get(1))]
}

test.each([
  ['', '', ''],
  ['a', '61', '61'],
  ['exactly sixteen!', '65786163746c79207369787465656e21', '65786163746c79207369787465656e21'],
  ['longer than sixteen', '6c6f6e676572207468616e2073697874', '6c6f6e676572207468616e2073697875'],
  ['ab😀cdefghijklmnopqr', '6162f09f9880636465666768696a6b6c6d6e6f', '6162f09f9880636465666768696a6b6c6d6e70'],
  ['é'.repeat(17), 'c3a9'.repeat(16), `${'c3a9'.repeat(15)}c3aa`],
  [`${'a'.repeat(15)}\u{10ffff}xyz`, `${'61'.repeat(15)}f48fbfbf`, `${'61'.repeat(14)}62`],
  ['\u{10ffff}'.repeat(20), 'f48fbfbf'.repeat(16), undefined],
  ['\uffff'.repeat(17), 'efbfbf'.repeat(16), `${'efbfbf'.repeat(15)}f0908080`],
  // PyIceberg 0.12 stops here: the next number is half a surrogate pair.
  [`${'a'.repeat(15)}\ud7ffxyz`, `${'61'.repeat(15)}ed9fbf`, `${'61'.repeat(15)}ee8080`],
])('text %j', (text, lower, upper) => expect(boundsOf({ kind: 'string' }, text)).toEqual([lower, upper]))

test.each([
  ['', '', ''],
  ['00', '00', '00'],
  ['ff'.repeat(16), 'ff'.repeat(16), 'ff'.repeat(16)],
  ['ff'.repeat(17), 'ff'.repeat(16), undefined],
  ['01'.repeat(17), '01'.repeat(16), `${'01'.repeat(15)}02`],
  [`${'00'.repeat(15)}ffff`, `${'00'.repeat(15)}ff`, `${'00'.repeat(14)}01`],
])('bytes %s', (value, lower, upper) => expect(boundsOf({ kind: 'binary' }, bytes(value))).toEqual([lower, upper]))

test.each<[PrimitiveType, Value, string]>([
  [{ kind: 'boolean' }, true, '01'],
  [{ kind: 'int' }, -2, 'feffffff'],
  [{ kind: 'long' }, 5n, '0500000000000000'],
  [{ kind: 'float' }, 1.5, '0000c03f'],
  [{ kind: 'double' }, 1.5, '000000000000f83f'],
  [{ kind: 'date' }, 1, '01000000'],
  [{ kind: 'timestamp_ns' }, 1n, '0100000000000000'],
  [{ kind: 'decimal', precision: 38, scale: 2 }, -129n, 'ff7f'],
  [{ kind: 'uuid' }, 'F79C3E09-677C-4BBD-A479-3F349CB785E7', 'f79c3e09677c4bbda4793f349cb785e7'],
  [{ kind: 'fixed', length: 18 }, bytes('ab'.repeat(18)), 'ab'.repeat(18)],
])('%j %s is never cut', (type, value, expected) => expect(boundsOf(type, value)).toEqual([expected, expected]))

test('what is counted', () => {
  const metadata = newTableMetadata({
    uuid: 'u',
    location: '/t',
    nowMs: 1,
    schema: [
      { name: 'x', type: { kind: 'double' } },
      { name: 'hidden', type: { kind: 'double' } },
    ],
    properties: { 'write.metadata.metrics.column.hidden': 'none' },
  })
  const schema = currentSchema(metadata)
  const both = new Map([
    [1, 7],
    [2, 7],
  ])
  const file: NewDataFile = {
    path: 'f',
    recordCount: 9,
    fileSizeBytes: 1,
    columnSizes: both,
    valueCounts: both,
    nullCounts: both,
    nanCounts: both,
    lower: new Map([[1, Number.NaN]]),
  }
  const one = new Map([[1, 7]])
  expect(statisticsOf(file, schema, metricsModes(schema, metadata.properties))).toEqual({
    columnSizes: one,
    valueCounts: one,
    nullCounts: one,
    nanCounts: one,
  })
})

test('paths in position deletes are kept whole', () => {
  const path = `/a/long/path/${'x'.repeat(50)}`
  const paths = new Map([[2147483546, path]])
  const { lowerBounds } = positionDeleteStatistics({ path: 'd', recordCount: 1, fileSizeBytes: 1, lower: paths })
  expect(new TextDecoder().decode(lowerBounds?.get(2147483546))).toBe(path)
})
