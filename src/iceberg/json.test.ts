import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseJson, printJson } from './json.ts'

test.each<[string, unknown]>([
  ['9223372036854775807', 9223372036854775807n],
  ['[-9223372036854775808, 1]', [-9223372036854775808n, 1]],
  ['9007199254740991', 9007199254740991],
  ['9007199254740992', 9007199254740992n],
  ['{"a": {"b": [1234567890123456789]}}', { a: { b: [1234567890123456789n] } }],
  ['["1234567890123456789", "x\\": 1234567890123456789", 1]', ['1234567890123456789', 'x": 1234567890123456789', 1]],
  [
    '[1234567890123456.5, 12345678901234567e2, 0.12345678901234567]',
    [1234567890123456.5, Number('12345678901234567e2'), Number('0.12345678901234567')],
  ],
  ['["\\\\", 1234567890123456789]', ['\\', 1234567890123456789n]],
])('%s', (text, value) => expect(parseJson(text)).toEqual(value))

test.each([
  '',
  '{',
  '"1234567890123456789',
  '[00001234567890123456789]',
  '1234567890123456789 1',
  '"\\',
  `"${'\\"'.repeat(99)}1234567890123456`,
])('no JSON: %j', (text) =>
  expect(() => parseJson(text, 'f')).toThrow(expect.objectContaining({ code: 'METADATA_INVALID' })),
)

test('any value comes back as it was, long numbers digit by digit', () => {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('"', '\\', '1', '2', ',', ':') }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).filter((long) => !Number.isSafeInteger(Number(long))),
      fc.array(tie('value')),
      fc.dictionary(
        fc.string().filter((name) => name !== '__proto__'),
        tie('value'),
      ),
    ),
  }))
  fc.assert(fc.property(value, (one) => void expect(parseJson(printJson(one))).toEqual(one)))
})
