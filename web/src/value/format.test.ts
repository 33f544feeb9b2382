import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareNumeric, formatAge, formatBytes, formatDuration, formatValue, kindOf, parseDataTime } from './format.ts'

test.each([
  ['1500.00', { kind: 'currency', currency: 'USD' }, '$1,500.00'],
  ['12345678901234567890.12', { kind: 'number' }, '12,345,678,901,234,567,890.12'], // no digit lost
  ['99999999999999.995', { kind: 'number', decimals: 3 }, '99,999,999,999,999.995'],
  ['-3.50', { kind: 'number', decimals: 2 }, '−3.50'],
  [1234567, { kind: 'number', compact: true }, '1.23M'],
  [0.1234, { kind: 'percent' }, '12.3%'],
  [12, { kind: 'number', suffix: 'kg' }, '12 kg'],
  [0.1, { kind: 'number' }, '0.1'],
  [null, { kind: 'number' }, '–'],
  ['2024-03-31', { kind: 'date' }, '31 Mar 2024'],
  ['2024-03-31 12:00:00', { kind: 'datetime' }, '31 Mar 2024, 12:00'],
  ['NaN', { kind: 'number' }, 'NaN'],
  ['North', { kind: 'text' }, 'North'],
] as const)('%s as %o is %s', (value, format, text) => expect(formatValue(value, format)).toBe(text))

test.each([
  ['BIGINT', 'number'],
  ['DECIMAL(12,2)', 'number'],
  ['HUGEINT', 'number'],
  ['UINTEGER', 'number'],
  ['DOUBLE', 'number'],
  ['VARCHAR', 'text'],
  ['TIMESTAMP WITH TIME ZONE', 'time'],
  ['DATE', 'time'],
  ['INTERVAL', 'time'],
  ['BOOLEAN', 'boolean'],
  ['INTEGER[]', 'nested'],
  ['STRUCT(a INTEGER)', 'nested'],
  ['BLOB', 'binary'],
  ['UUID', 'text'],
])('%s is %s', (type, kind) => expect(kindOf(type)).toBe(kind))

test('decimals as text are ordered like the numbers they mean', () =>
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }),
      fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }),
      fc.nat(12),
      (a, b, scale) => {
        const order = a < b ? -1 : a > b ? 1 : 0
        expect(Math.sign(compareNumeric(decimal(a, scale), decimal(b, scale)))).toBe(order)
      },
    ),
  ))
function decimal(digits: bigint, scale: number): string {
  const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0')
  return `${digits < 0n ? '-' : ''}${text.slice(0, text.length - scale)}${scale ? `.${text.slice(-scale)}` : ''}`
}

test('times of data are read as they were written, whatever the zone of the browser', () => {
  expect(parseDataTime('2024-03-31')).toBe(Date.UTC(2024, 2, 31))
  expect(parseDataTime('2024-03-31 12:30:00')).toBe(Date.UTC(2024, 2, 31, 12, 30))
  expect(parseDataTime('North')).toBeNaN()
})

test('ages, durations and sizes', () => {
  const now = Date.parse('2024-03-31T06:06:00Z')
  expect(formatAge('2024-03-31T06:02:00Z', now)).toBe('4 min ago')
  expect(formatAge('2024-03-29T06:02:00Z', now)).toBe('2 days ago')
  expect(formatAge('2024-03-31T07:06:00Z', now)).toBe('in 1 h')
  expect([12, 4_230, 60_000, 192_000, 7_500_000].map(formatDuration)).toEqual([
    '12 ms',
    '4.2 s',
    '1 min',
    '3 min 12 s',
    '2 h 5 min',
  ])
  expect([12, 40_200, 1_500_000].map(formatBytes)).toEqual(['12 B', '40 kB', '1.5 MB'])
})
