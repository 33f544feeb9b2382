import { expect, test } from 'vitest'
import { periods, rangeText } from './periods.ts'

const range = (label: string, today: string, to: string | null = null) =>
  periods(today, { from: null, to }).find((period) => period.label === label)?.range

test('ranges end today, or at the last day with data', () => {
  expect(range('Last 7 days', '2024-03-10')).toEqual({ from: '2024-03-04', to: '2024-03-10' })
  expect(range('Last 30 days of data', '2026-11-21', '2024-03-30')).toEqual({ from: '2024-03-01', to: '2024-03-30' })
  expect(range('March 2024', '2026-11-21', '2024-03-30')).toEqual({ from: '2024-03-01', to: '2024-03-31' })
  expect(range('December 2023', '2024-01-05')).toEqual({ from: '2023-12-01', to: '2023-12-31' })
  expect(range('2024', '2024-02-29')).toEqual({ from: '2024-01-01', to: '2024-12-31' })
})

test.each([
  [{ from: null, to: null }, 'all time'],
  [{ from: '2024-01-01', to: null }, 'from 1 Jan 2024'],
  [{ from: null, to: '2024-03-31' }, 'until 31 Mar 2024'],
  [{ from: '2024-01-01', to: '2024-01-01' }, '1 Jan 2024'],
  [{ from: '2024-02-01', to: '2024-02-29' }, '1 – 29 Feb 2024'],
  [{ from: '2024-01-03', to: '2024-02-04' }, '3 Jan – 4 Feb 2024'],
  [{ from: '2023-12-31', to: '2024-01-01' }, '31 Dec 2023 – 1 Jan 2024'],
])('%o is %s', (given, text) => expect(rangeText(given)).toBe(text))
