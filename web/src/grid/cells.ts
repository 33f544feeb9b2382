// What a grid knows about its cells. Pure.

import type { Column, Row } from '../../../src/contract/index.ts'
import { compareNumeric, kindOf, parseDataTime, toNumber } from '../value/format.ts'

export type Sort = { column: number; down: boolean }

/** Row numbers in the order asked for: numbers by value (decimals exactly), times and text as text, nulls last. */
export function sortRows(rows: readonly Row[], columns: readonly Column[], sort: Sort | null): number[] {
  const order = rows.map((_, index) => index)
  if (!sort) return order
  const numeric = kindOf(columns[sort.column]!.type) === 'number'
  const sign = sort.down ? -1 : 1
  return order.sort((a, b) => {
    const [x, y] = [rows[a]![sort.column], rows[b]![sort.column]]
    if (x === null || y === null) return x === y ? a - b : x === null ? 1 : -1
    return sign * (numeric ? compareNumbers(x, y) : compareTexts(String(x), String(y))) || a - b
  })
}
const collator = new Intl.Collator('en', { numeric: true })
const compareTexts = (a: string, b: string): number => collator.compare(a, b)
function compareNumbers(a: unknown, b: unknown): number {
  const decimal = (value: unknown) => typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)
  if (decimal(a) && decimal(b)) return compareNumeric(String(a), String(b))
  const [x, y] = [Number(a), Number(b)]
  return Number.isNaN(x) || Number.isNaN(y) ? Number(Number.isNaN(x)) - Number(Number.isNaN(y)) : x - y
}

/** Tab-separated, as spreadsheets paste it: null is empty, a cell with a tab, a line end or a quote is quoted. */
export const toTsv = (rows: readonly Row[]): string =>
  rows.map((row) => row.map((value) => quote(value, /[\t\n\r"]/)).join('\t')).join('\n')
/** RFC 4180, with names in the first line. */
export const toCsv = (columns: readonly { name: string }[], rows: readonly Row[]): string =>
  [columns.map(({ name }) => name), ...rows]
    .map((row) => row.map((value) => quote(value, /[,\n\r"]/)).join(','))
    .join('\r\n') + '\r\n'
function quote(value: unknown, special: RegExp): string {
  const text =
    value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
  return special.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export type Summary =
  | { kind: 'histogram'; bins: number[]; low: unknown; high: unknown; nulls: number }
  | { kind: 'top'; parts: number[]; distinct: number; nulls: number }

const [binsCount, sampleMax] = [20, 20_000]
/** The shape of a column: a histogram of numbers and times, the shares of the most frequent texts. */
export function summarise(column: Column, at: number, rows: readonly Row[]): Summary | null {
  const sample = rows.length > sampleMax ? rows.slice(0, sampleMax) : rows
  const values = sample.map((row) => row[at]).filter((value) => value !== null && value !== undefined)
  const nulls = sample.length - values.length
  if (values.length === 0) return null
  const kind = kindOf(column.type)
  if (kind === 'number' || (kind === 'time' && /^(DATE|TIMESTAMP)/i.test(column.type))) {
    const numbers = values.map((value) => (kind === 'number' ? toNumber(value) : parseDataTime(String(value))))
    let [low, high] = [-1, -1]
    for (const [index, value] of numbers.entries()) {
      if (!Number.isFinite(value)) continue
      if (low < 0 || value < numbers[low]!) low = index
      if (high < 0 || value > numbers[high]!) high = index
    }
    if (low < 0) return null
    const [from, to] = [numbers[low]!, numbers[high]!]
    if (from === to) return { kind: 'top', parts: [values.length / sample.length], distinct: 1, nulls }
    // A few whole numbers have a bar each; as twentieths of their range they would have gaps between them.
    const whole = to - from < binsCount && numbers.every((value) => Number.isInteger(value))
    const bins = Array.from({ length: whole ? to - from + 1 : binsCount }, () => 0)
    for (const value of numbers) {
      if (!Number.isFinite(value)) continue
      const share = (value / 2 - from / 2) / (to / 2 - from / 2) || 0 // halves: the distance of two doubles may be infinite
      bins[whole ? value - from : Math.min(binsCount - 1, Math.floor(share * binsCount))]!++
    }
    return { kind: 'histogram', bins, low: values[low], high: values[high], nulls }
  }
  const counts = new Map<string, number>()
  for (const value of values) {
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  const sizes = [...counts.values()].sort((a, b) => b - a)
  return { kind: 'top', parts: sizes.slice(0, 6).map((size) => size / sample.length), distinct: counts.size, nulls }
}
