import fc from 'fast-check'
import { expect, test } from 'vitest'
import { JsonNode } from './json.ts'
import { parsePrimitive } from './schema.ts'
import type { PrimitiveType, Value } from './types.ts'
import {
  compareValues,
  dateText,
  daysOf,
  decodeBound,
  encodeBound,
  showValue,
  truncateLower,
  truncateUpper,
  valueFromJson,
  valueToJson,
} from './value.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

// Spec, appendix D, "Binary single-value serialization".
test.each<[string, Value, string]>([
  ['boolean', false, '00'],
  ['boolean', true, '01'],
  ['int', 34, '22000000'],
  ['int', -1, 'ffffffff'],
  ['long', 34n, '2200000000000000'],
  ['long', -9223372036854775808n, '0000000000000080'],
  ['float', 1, '0000803f'],
  ['double', -0, '0000000000000080'],
  ['date', 17_486, '4e440000'],
  ['time', 81_068_123_456n, '406509e012000000'],
  ['timestamp', 1_510_871_468_000_001n, '01c3262d215e0500'],
  ['string', 'ünï', 'c3bc6ec3af'],
  ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 'f79c3e09677c4bbda4793f349cb785e7'],
  ['binary', Uint8Array.of(0, 255), '00ff'],
  ['fixed[2]', Uint8Array.of(1, 2), '0102'],
  ['decimal(9,2)', 1420n, '058c'],
  ['decimal(9,2)', -1n, 'ff'],
  ['decimal(9,2)', 128n, '0080'],
  ['decimal(38,0)', 10n ** 38n - 1n, '4b3b4ca85a86c47a098a223fffffffff'],
])('%s %s is the bytes %s', (type, value, bytes) => {
  const parsed = parsePrimitive(type)
  expect(hex(encodeBound(parsed, value))).toBe(bytes)
  expect(decodeBound(parsed, new Uint8Array(Buffer.from(bytes, 'hex')))).toStrictEqual(value)
})

test.each([
  ['long', '22000000', 34n], // written before int became long
  ['double', '0000803f', 1], // written before float became double
  ['int', '2200000000000000', undefined],
  ['long', '22', undefined],
  ['string', 'c3', undefined], // cut inside a character
  ['uuid', '00', undefined],
  ['decimal(9,2)', '', undefined],
])('a bound of %s with the bytes "%s" is read as %s', (type, bytes, value) =>
  expect(decodeBound(parsePrimitive(type), Buffer.from(bytes, 'hex'))).toBe(value),
)

test.each([
  ['abcd', 3, 'abc', 'abd'],
  ['abc', 3, 'abc', 'abc'],
  ['äöü', 2, 'äö', 'ä÷'],
  ['😀😁x', 2, '😀😁', '😀😂'], // characters are code points
  ['a\u{10ffff}b', 2, 'a\u{10ffff}', 'b'], // the last code point cannot be raised
  ['\u{10ffff}b', 1, '\u{10ffff}', undefined],
  ['\ud7ffx', 1, '\ud7ff', '\ue000'], // surrogates are no characters
])('bounds of "%s" cut to %i are "%s" and "%s"', (text, length, lower, upper) => {
  expect(truncateLower(text, length)).toBe(lower)
  expect(truncateUpper(text, length)).toBe(upper)
})

test.each([
  ['0102ff', 2, '0102', '0103'],
  ['01ffff', 2, '01ff', '02'],
  ['ffff01', 2, 'ffff', undefined],
])('bounds of the bytes %s cut to %i are %s and %s', (text, length, lower, upper) => {
  const bytes = new Uint8Array(Buffer.from(text, 'hex'))
  expect(hex(truncateLower(bytes, length) as Uint8Array)).toBe(lower)
  const cut = truncateUpper(bytes, length)
  expect(cut && hex(cut as Uint8Array)).toBe(upper)
})

const anyText = fc.string({ unit: 'binary' })
test('cut bounds enclose what they were cut from', () =>
  fc.assert(
    fc.property(fc.oneof(anyText, fc.uint8Array({ maxLength: 8 })), fc.integer({ min: 1, max: 5 }), (value, length) => {
      expect(compareValues(truncateLower(value, length), value)).toBeLessThanOrEqual(0)
      const upper = truncateUpper(value, length)
      if (upper !== undefined) expect(compareValues(upper, value)).toBeGreaterThanOrEqual(0)
    }),
  ))

test('text is in the order of its UTF-8 bytes', () =>
  fc.assert(
    fc.property(anyText, anyText, (a, b) => {
      expect(Math.sign(compareValues(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
    }),
  ))

test('numbers of both kinds compare, NaN is last', () => {
  const values: Value[] = [Number.NaN, 2n, 1, Number.POSITIVE_INFINITY, -5n, 1.5]
  expect([...values].sort(compareValues)).toEqual([-5n, 1, 1.5, 2n, Number.POSITIVE_INFINITY, Number.NaN])
  expect(compareValues(5, 5n)).toBe(0)
  expect(compareValues(-0, 0)).toBe(0)
})

test('dates are those of the calendar', () =>
  fc.assert(
    fc.property(fc.integer({ min: -700_000, max: 2_900_000 }), (days) => {
      const text = dateText(days)
      expect(text).toBe(
        new Date(days * 86_400_000)
          .toISOString()
          .slice(0, -14)
          .replace(/^([+-])(?:00)?(\d{4,})/, (_, sign, year) => (sign === '-' ? `-${year}` : year)),
      )
      const [, year, month, day] = /^(-?\d+)-(\d+)-(\d+)$/.exec(text)!
      expect(daysOf(Number(year), Number(month), Number(day))).toBe(days)
    }),
  ))

// Spec, appendix D, "JSON single-value serialization".
test.each<[string, unknown, Value, string]>([
  ['boolean', true, true, 'true'],
  ['int', 34, 34, '34'],
  ['long', 34, 34n, '34'],
  ['double', 1.5, 1.5, '1.5'],
  ['decimal(9,2)', '14.20', 1420n, '14.20'],
  ['decimal(9,2)', '-0.05', -5n, '-0.05'],
  ['date', '2017-11-16', 17_486, '2017-11-16'],
  ['time', '22:31:08.123456', 81_068_123_456n, '22:31:08.123456'],
  ['timestamp', '2017-11-16T22:31:08.123456', 1_510_871_468_123_456n, '2017-11-16T22:31:08.123456'],
  ['timestamptz', '2017-11-16T22:31:08.123456+00:00', 1_510_871_468_123_456n, '2017-11-16T22:31:08.123456+00:00'],
  ['timestamp_ns', '2017-11-16T22:31:08.123456789', 1_510_871_468_123_456_789n, '2017-11-16T22:31:08.123456789'],
  ['timestamp', '1969-12-31T23:59:59.999999', -1n, '1969-12-31T23:59:59.999999'],
  ['string', 'iceberg', 'iceberg', 'iceberg'],
  [
    'uuid',
    'f79c3e09-677c-4bbd-a479-3f349cb785e7',
    'f79c3e09-677c-4bbd-a479-3f349cb785e7',
    'f79c3e09-677c-4bbd-a479-3f349cb785e7',
  ],
  ['binary', '00ff', Uint8Array.of(0, 255), 'AP8='],
])('the default of a %s, %j, is read, written and shown', (type, json, value, shown) => {
  const parsed = parsePrimitive(type) as PrimitiveType
  expect(valueFromJson(parsed, new JsonNode(json))).toStrictEqual(value)
  const written = valueToJson(parsed, value)
  expect(typeof written === 'bigint' ? Number(written) : written).toBe(json)
  expect(showValue(parsed, value)).toBe(shown)
})
