// The usual ranges of a date filter. They end at the last day with data when that lies in the past: "the last 30
// days" of a table that ends in March must not be empty in June. Pure.

import type { DateRange } from '../../../src/contract/index.ts'
import { formatTime } from '../value/format.ts'

export type Period = { label: string; range: DateRange }
const dayMs = 86_400_000
const text = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

/** `today` and the ends of `bounds` are days like `2024-03-31`. */
export function periods(today: string, bounds: DateRange | undefined): Period[] {
  const past = bounds?.to != null && bounds.to < today
  const end = Date.parse(past ? bounds.to! : today)
  const date = new Date(end)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  const last = (days: number): Period => ({
    label: `Last ${days} days${past ? ' of data' : ''}`,
    range: { from: text(end - (days - 1) * dayMs), to: text(end) },
  })
  const span = (label: string, from: number, to: number): Period => ({
    label,
    range: { from: text(from), to: text(to - dayMs) },
  })
  const monthName = (of: number) =>
    new Date(Date.UTC(year, of)).toLocaleString('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' })
  return [
    { label: 'All time', range: { from: null, to: null } },
    last(7),
    last(30),
    last(90),
    span(monthName(month), Date.UTC(year, month), Date.UTC(year, month + 1)),
    span(monthName(month - 1), Date.UTC(year, month - 1), Date.UTC(year, month)),
    span(String(year), Date.UTC(year, 0), Date.UTC(year + 1, 0)),
  ]
}

export function rangeText({ from, to }: DateRange): string {
  const day = (value: string) => formatTime(value, 'date')
  if (from && to) {
    if (from === to) return day(from)
    const [start, year] = [day(from), from.slice(0, 4)]
    // What both ends share is said once: `1 – 29 Feb 2024`, `3 Jan – 4 Feb 2024`.
    const short =
      from.slice(0, 7) === to.slice(0, 7)
        ? start.split(' ')[0]!
        : year === to.slice(0, 4)
          ? start.replace(` ${year}`, '')
          : start
    return `${short} – ${day(to)}`
  }
  if (from) return `from ${day(from)}`
  return to ? `until ${day(to)}` : 'all time'
}
