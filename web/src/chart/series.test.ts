import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Column, LinePanel } from '../../../src/contract/index.ts'
import { barPlot, colorsOf, grainText, isGap, linePlot, spread } from './series.ts'

const column = (name: string, type = 'VARCHAR'): Column => ({ name, type, nullable: true })
const panel: LinePanel = {
  id: 'p',
  title: 'Revenue',
  description: null,
  filters: [],
  kind: 'line',
  series: null,
  x: { column: 'day', label: 'Day', kind: 'time', grain: 'day' },
  y: [{ column: 'revenue', label: 'Revenue', format: { kind: 'currency', currency: 'USD' } }],
}

test('a line goes from left to right, with exact texts beside the positions', () => {
  const plot = linePlot(
    panel,
    [column('day', 'DATE'), column('revenue', 'DECIMAL(12,2)')],
    [
      ['2024-01-02', '20.10'],
      ['2024-01-01', '12345678901234567.89'],
    ],
  )
  expect(plot.x).toEqual([Date.UTC(2024, 0, 1), Date.UTC(2024, 0, 2)])
  expect(plot.series).toMatchObject([{ label: 'Revenue', texts: ['$12,345,678,901,234,567.89', '$20.10'] }])
  expect(plot.xTexts).toEqual(['1 Jan 2024', '2 Jan 2024'])
})

test('a series column makes one line per value, with gaps where a value has no row', () => {
  const rows = [
    ['2024-01-01', 'North', 1],
    ['2024-01-01', 'South', 2],
    ['2024-01-02', 'South', 3],
  ]
  const plot = linePlot({ ...panel, series: 'region' }, [column('day'), column('region'), column('revenue')], rows)
  expect(plot.series.map(({ label, values }) => [label, values])).toEqual([
    ['North', [1, null]],
    ['South', [2, 3]],
  ])
})

test('a name keeps its colour when others are filtered away', () => {
  const all = colorsOf('test', ['South', 'North', 'East'])
  expect(colorsOf('test', ['South'])).toEqual(new Map([['South', all.get('South')]]))
  expect(new Set(all.values()).size).toBe(3)
})

test('bars keep the order of the rows and name a null', () => {
  const bar = {
    ...panel,
    kind: 'bar' as const,
    direction: 'horizontal' as const,
    category: { column: 'region', label: 'Region', format: { kind: 'text' as const } },
  }
  expect(
    barPlot(
      bar,
      [column('region'), column('revenue')],
      [
        ['West', 2],
        [null, 1],
      ],
    ).xTexts,
  ).toEqual(['West', 'none'])
})

test.each([
  ['2024-02-01', 'month', 'Feb 2024'],
  ['2024-04-01', 'quarter', 'Q2 2024'],
  ['2024-01-01', 'year', '2024'],
  ['2024-03-31', 'day', '31 Mar 2024'],
  ['2024-03-31 00:00:00', 'day', '31 Mar 2024'],
  ['2024-03-31 06:00:00', 'hour', '31 Mar 2024, 06:00'],
] as const)('%s by %s is %s', (value, grain, text) => expect(grainText(value, grain)).toBe(text))

test('a missing day is a gap, months of different lengths are not', () => {
  expect(isGap(Date.UTC(2024, 0, 1), Date.UTC(2024, 0, 2), 'day')).toBe(false)
  expect(isGap(Date.UTC(2024, 0, 1), Date.UTC(2024, 0, 3), 'day')).toBe(true)
  expect(isGap(Date.UTC(2024, 6, 1), Date.UTC(2024, 7, 1), 'month')).toBe(false)
})

test('labels at line ends never overlap and stay inside, when there is room', () =>
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 8 }), (wanted) => {
      const placed = spread(wanted, 14, 0, 200)
      const sorted = placed.toSorted((a, b) => a - b)
      for (const [index, at] of sorted.entries())
        if (index > 0) expect(at - sorted[index - 1]!).toBeGreaterThanOrEqual(14 - 1e-9)
      expect(Math.min(...placed)).toBeGreaterThanOrEqual(0)
      expect(Math.max(...placed)).toBeLessThanOrEqual(200)
    }),
  ))
