import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Filter } from '../../../src/contract/index.ts'
import { fromSearch, toSearch } from './filters-url.ts'

const filters: Filter[] = [
  { id: 'region', kind: 'select', label: 'Region', dimension: 'region', multiple: true, default: ['North'] },
  { id: 'product', kind: 'select', label: 'Product', dimension: 'product', multiple: false, default: [] },
  { id: 'env', kind: 'select', label: 'Environment', dimension: 'env', multiple: true, default: [] },
  { id: 'period', kind: 'date_range', label: 'Period', dimension: 'day', default: { from: '2024-01-01', to: null } },
]
const write = (values: any): URLSearchParams =>
  new URLSearchParams(
    Object.entries(toSearch(filters, values)).flatMap(([name, list]) => (list ?? []).map((value) => [name, value])),
  )

test.each([
  ['', { region: ['North'], product: [], env: [], period: { from: '2024-01-01', to: null } }],
  ['region=*', { region: [] }],
  ['region=South&region=West', { region: ['South', 'West'] }],
  ['product=A&product=B', { product: ['A'] }], // only one may be chosen
  ['period=..2024-03-31', { period: { from: null, to: '2024-03-31' } }],
  ['period=..', { period: { from: null, to: null } }],
  ['period=yesterday', { period: { from: '2024-01-01', to: null } }], // nonsense is the default
  ['env=prod', { env: [] }], // a word of the app, not of the filter
  ['filter.env=prod', { env: ['prod'] }],
])('%s', (search, values) => expect(fromSearch(filters, new URLSearchParams(search))).toMatchObject(values))

test('defaults leave the address clean', () =>
  expect(String(write(fromSearch(filters, new URLSearchParams())))).toBe(''))

test('what is written is what is read', () => {
  const day = fc.option(
    fc
      .date({ min: new Date('1970-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10)),
  )
  const texts = fc.uniqueArray(fc.oneof(fc.string(), fc.constantFrom('', '*', '\\', '..')), { maxLength: 4 })
  const values = fc.record({
    region: texts,
    product: texts.map((list) => list.slice(0, 1)),
    env: texts,
    period: fc.record({ from: day, to: day }),
  })
  fc.assert(
    fc.property(values, (given) => {
      const read = fromSearch(filters, new URLSearchParams(String(write(given))))
      expect({ ...read, region: (read['region'] as string[]).toSorted() }).toEqual({
        ...given,
        region: given.region.toSorted(),
      })
    }),
  )
})
