import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sortRows, summarise, toCsv, toTsv } from './cells.ts'

const column = (type: string) => ({ name: 'c', type, nullable: true })
const sorted = (type: string, values: unknown[], down = false) => {
  const rows = values.map((value) => [value])
  return sortRows(rows, [column(type)], { column: 0, down }).map((index) => rows[index]![0])
}

test.each([
  ['DECIMAL(38,2)', ['9.00', '10.00', '-1.50'], ['-1.50', '9.00', '10.00']],
  ['HUGEINT', ['12345678901234567891', '12345678901234567890'], ['12345678901234567890', '12345678901234567891']],
  ['DOUBLE', [2.5, 'NaN', -1], [-1, 2.5, 'NaN']],
  ['VARCHAR', ['b', null, 'a'], ['a', 'b', null]],
  ['VARCHAR', ['ORD-10', 'ORD-9'], ['ORD-9', 'ORD-10']],
  ['DATE', ['2024-03-01', '2023-12-31'], ['2023-12-31', '2024-03-01']],
])('%s sorts', (type, values, wanted) => expect(sorted(type, values)).toEqual(wanted))

test('nulls stay last in both directions', () => expect(sorted('BIGINT', [null, 1, 2], true)).toEqual([2, 1, null]))

test('what is copied can be pasted', () => {
  expect(
    toTsv([
      ['a', null, 'x\ty'],
      [1, 'say "hi"', { k: [1] }],
    ]),
  ).toBe('a\t\t"x\ty"\n1\t"say ""hi"""\t"{""k"":[1]}"')
  expect(toCsv([{ name: 'a,b' }], [['1,5']])).toBe('"a,b"\r\n"1,5"\r\n')
})

test('no value is lost from a histogram', () =>
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }), (values) => {
      const summary = summarise(
        column('DOUBLE'),
        0,
        values.map((value) => [value]),
      )
      if (summary?.kind === 'top') {
        expect(summary).toMatchObject({ distinct: 1, nulls: 0 })
        return
      }
      expect(summary).toMatchObject({ kind: 'histogram', nulls: 0 })
      expect((summary as { bins: number[] }).bins.reduce((sum, bin) => sum + bin, 0)).toBe(values.length)
    }),
  ))

test('texts are summarised by their most frequent values', () =>
  expect(summarise(column('VARCHAR'), 0, [['a'], ['a'], ['b'], [null]])).toEqual({
    kind: 'top',
    parts: [0.5, 0.25],
    distinct: 2,
    nulls: 1,
  }))

test('a few whole numbers have a bin each, one value alone is no histogram', () => {
  expect(summarise(column('INTEGER'), 0, [[1], [5], [5], [3]])).toMatchObject({
    kind: 'histogram',
    bins: [1, 0, 1, 0, 2],
  })
  expect(summarise(column('INTEGER'), 0, [[2024], [2024]])).toEqual({ kind: 'top', parts: [1], distinct: 1, nulls: 0 })
})
