import { expect, test } from 'vitest'
import { parsePrimitive } from './schema.ts'
import {
  applyTransform,
  bucketHash,
  isTransformable,
  parseTransform,
  partitionPath,
  showPartitionValue,
  showTransform,
} from './transform.ts'
import type { PartitionSpec, Schema, Value } from './types.ts'

const micros = (text: string) => BigInt(Date.parse(`${text}Z`)) * 1000n

// Spec, appendix B, "32-bit Hash Requirements".
test.each<[string, Value, number]>([
  ['int', 34, 2017239379],
  ['long', 34n, 2017239379],
  ['date', 17_486, -653330422],
  ['decimal(9,2)', 1420n, -500754589],
  ['time', 81_068_000_000n, -662762989],
  ['timestamp', micros('2017-11-16T22:31:08'), -2047944441],
  ['timestamp', micros('2017-11-16T22:31:08') + 1n, -1207196810],
  ['timestamptz', micros('2017-11-16T22:31:08'), -2047944441],
  ['timestamp_ns', micros('2017-11-16T22:31:08') * 1000n, -2047944441],
  ['timestamp_ns', (micros('2017-11-16T22:31:08') + 1n) * 1000n, -1207196810],
  ['string', 'iceberg', 1210000089],
  ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 1488055340],
  ['fixed[4]', Uint8Array.of(0, 1, 2, 3), -188683207],
  ['binary', Uint8Array.of(0, 1, 2, 3), -188683207],
])('the hash of the %s %s is %i', (type, value, hash) => expect(bucketHash(parsePrimitive(type), value)).toBe(hash))

test.each<[string, string, Value | null, Value | null, string]>([
  ['bucket[16]', 'string', 'iceberg', 9, '9'],
  ['bucket[16]', 'int', null, null, 'null'],
  ['truncate[10]', 'int', 1, 0, '0'],
  ['truncate[10]', 'int', -1, -10, '-10'],
  ['truncate[10]', 'long', -11n, -20n, '-20'],
  ['truncate[50]', 'decimal(9,2)', 1065n, 1050n, '10.50'],
  ['truncate[3]', 'string', 'iceberg', 'ice', 'ice'],
  ['truncate[2]', 'string', '😀😁x', '😀😁', '😀😁'],
  ['truncate[1]', 'binary', Uint8Array.of(1, 2), Uint8Array.of(1), 'AQ=='],
  ['year', 'date', 17_486, 47, '2017'],
  ['year', 'date', -1, -1, '1969'],
  ['month', 'date', 17_486, 574, '2017-11'],
  ['month', 'date', -1, -1, '1969-12'],
  ['day', 'date', 17_486, 17_486, '2017-11-16'],
  ['year', 'timestamp', micros('2017-12-01T10:12:55'), 47, '2017'],
  ['month', 'timestamptz', micros('2017-12-01T10:12:55'), 575, '2017-12'],
  ['day', 'timestamp', -1n, -1, '1969-12-31'],
  ['hour', 'timestamp', micros('2017-12-01T10:12:55'), 420_034, '2017-12-01-10'],
  ['hour', 'timestamp', -1n, -1, '1969-12-31-23'],
  ['day', 'timestamp_ns', micros('2017-12-01T10:12:55') * 1000n, 17_501, '2017-12-01'],
  ['void', 'int', 5, null, 'null'],
  ['identity', 'date', 17_486, 17_486, '2017-11-16'],
  ['identity', 'timestamptz', 0n, 0n, '1970-01-01T00:00:00+00:00'],
])('%s of the %s %s is %s, shown "%s"', (text, type, value, result, shown) => {
  const [transform, source] = [parseTransform(text), parsePrimitive(type)]
  const applied = applyTransform(transform, source, value)
  expect(applied).toStrictEqual(result)
  expect(showPartitionValue(transform, source, applied)).toBe(shown)
  expect(showTransform(transform)).toBe(text)
  expect(isTransformable(transform, source)).toBe(true)
})

test.each([
  ['bucket[4]', 'double'],
  ['truncate[4]', 'date'],
  ['hour', 'date'],
  ['day', 'string'],
  ['zorder', 'long'],
])('%s does not apply to %s', (transform, type) =>
  expect(isTransformable(parseTransform(transform), parsePrimitive(type))).toBe(false),
)

test('a transform of the future is kept as it is', () =>
  expect(showTransform(parseTransform('curve[3, 4]'))).toBe('curve[3, 4]'))

test('the folder of a partition', () => {
  const schema: Schema = {
    schemaId: 0,
    identifierFieldIds: [],
    fields: [
      { id: 1, name: 'region', required: false, type: { kind: 'string' } },
      { id: 2, name: 'at', required: false, type: { kind: 'timestamp' } },
    ],
  }
  const spec: PartitionSpec = {
    specId: 0,
    fields: [
      { sourceIds: [1], fieldId: 1000, name: 'region', transform: { kind: 'identity' } },
      { sourceIds: [2], fieldId: 1001, name: 'at_day', transform: { kind: 'day' } },
    ],
  }
  expect(partitionPath(spec, schema, ['North/ä b', 17_486])).toBe('region=North%2F%C3%A4+b/at_day=2017-11-16')
  expect(partitionPath(spec, schema, [null, null])).toBe('region=null/at_day=null')
})
