// Values as people read them. Decimals and big integers arrive as text and stay exact: Intl takes numeric strings
// and formats every digit. A Number is made of them only to place a mark on a chart.

import type { Column, Format } from '../../../src/contract/index.ts'

// Words are English; days come before months, which nobody misreads; 1.2M is written as Americans do.
const [locale, localeOfTime] = ['en-US', 'en-GB']
export const noValue = '–'

type Numeric = number | `${number}`
const isNumeric = (value: unknown): value is Numeric =>
  typeof value === 'number' || (typeof value === 'string' && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value))

const formatters = new Map<string, Intl.NumberFormat>()
function numberFormat(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = JSON.stringify(options)
  let found = formatters.get(key)
  if (!found) formatters.set(key, (found = new Intl.NumberFormat(locale, options)))
  return found
}

/** A true minus sign, as wide as the digits. */
const minus = (text: string): string => text.replace('-', '−')

/** A value of a panel, written by its format; null is a dash, what does not fit the format stays as it is. */
export function formatValue(value: unknown, format: Format, { compact = format.compact ?? false } = {}): string {
  if (value === null || value === undefined) return noValue
  if (format.kind === 'date' || format.kind === 'datetime') return formatTime(String(value), format.kind)
  if (format.kind === 'text' || !isNumeric(value)) return plain(value)
  const style: Intl.NumberFormatOptions =
    format.kind === 'currency' && format.currency
      ? { style: 'currency', currency: format.currency, currencyDisplay: 'narrowSymbol' }
      : format.kind === 'percent'
        ? { style: 'percent' }
        : {}
  const digits: Intl.NumberFormatOptions = compact
    ? { notation: 'compact', maximumSignificantDigits: 3 }
    : format.decimals !== undefined
      ? { minimumFractionDigits: format.decimals, maximumFractionDigits: format.decimals }
      : format.kind === 'number'
        ? {
            minimumFractionDigits: decimalsOf(value),
            maximumFractionDigits: Math.max(decimalsOf(value), typeof value === 'number' ? 6 : 0),
          }
        : format.kind === 'percent'
          ? { maximumFractionDigits: 1 }
          : {}
  const text = minus(numberFormat({ ...style, ...digits }).format(value as never))
  return format.suffix ? `${text} ${format.suffix}` : text
}

/** The digits after the point that a text really has: `1500.00` has two. */
const decimalsOf = (value: Numeric): number =>
  typeof value === 'string' && !/e/i.test(value) ? (value.split('.')[1]?.length ?? 0) : 0

/** A value of a query result: every digit, no rounding, no grouping that would spoil a copy. */
export function plain(value: unknown): string {
  if (value === null || value === undefined) return noValue
  if (typeof value === 'string') return value
  if (typeof value === 'object') return JSON.stringify(value)
  return String(value)
}

/** For axes: few characters, never exact. */
export const axisNumber = (value: number, format: Format): string => {
  const { decimals: _, suffix: __, ...rest } = format
  if (Math.abs(value) < 1_000 && format.kind !== 'percent') {
    const style: Intl.NumberFormatOptions =
      format.kind === 'currency' && format.currency
        ? { style: 'currency', currency: format.currency, currencyDisplay: 'narrowSymbol' }
        : {}
    return minus(
      numberFormat({ ...style, minimumFractionDigits: 0, maximumFractionDigits: Math.abs(value) < 10 ? 2 : 0 }).format(
        value,
      ),
    )
  }
  return formatValue(value, rest, { compact: format.kind !== 'percent' })
}

/** Positions only: digits may be lost. NaN when it is not a number. */
export const toNumber = (value: unknown): number => (isNumeric(value) ? Number(value) : Number.NaN)

/** Compares decimals of any length exactly. */
export function compareNumeric(a: string, b: string): number {
  const [x, y] = [split(a), split(b)]
  if (x.negative !== y.negative) return x.negative ? -1 : 1
  const larger = x.whole.length - y.whole.length || compareText(x.whole, y.whole) || compareText(x.fraction, y.fraction)
  return x.negative ? 0 - larger : larger
}
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
function split(text: string): { negative: boolean; whole: string; fraction: string } {
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.')
  const [trimmed, tail] = [whole.replace(/^0+(?=\d)/, ''), fraction.replace(/0+$/, '')]
  return { negative: text.startsWith('-') && /[1-9]/.test(text), whole: trimmed, fraction: tail }
}

export type TypeKind = 'number' | 'text' | 'time' | 'boolean' | 'nested' | 'binary'
/** What a SQL type is to a reader. */
export function kindOf(type: string): TypeKind {
  const name = type.toUpperCase()
  if (/\[\]$|\[\d+\]$|^(STRUCT|MAP|LIST|UNION|JSON|VARIANT)/.test(name)) return 'nested'
  if (/^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?\d*|DECIMAL|NUMERIC|DOUBLE|FLOAT|REAL|LONG)\b/.test(name)) return 'number'
  if (/^(DATE|TIME|INTERVAL)/.test(name)) return 'time'
  if (name.startsWith('BOOL')) return 'boolean'
  if (/^(BLOB|BINARY|BYTEA|FIXED)/.test(name)) return 'binary'
  return 'text'
}

/** The format of a result column that has none: numbers grouped, with the digits they have. */
export const formatOf = ({ type }: Column): Format => {
  const kind = kindOf(type)
  if (kind === 'number') return { kind: 'number' }
  if (type === 'DATE') return { kind: 'date' }
  return { kind: 'text' }
}

// Times. A timestamp of data is shown as it was stored; a moment (with an offset) in the project's zone.

let zone = 'UTC'
export function setTimezone(name: string): void {
  zone = name
  formattersOfTime.clear()
}
const formattersOfTime = new Map<string, Intl.DateTimeFormat>()
function timeFormat(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify(options)
  let found = formattersOfTime.get(key)
  if (!found) formattersOfTime.set(key, (found = new Intl.DateTimeFormat(localeOfTime, { timeZone: zone, ...options })))
  return found
}

const day: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short', year: 'numeric' }
const clock: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }

/** A DATE or TIMESTAMP of data: `31 Mar 2024`, `31 Mar 2024, 12:00`. */
export function formatTime(text: string, kind: 'date' | 'datetime'): string {
  const at = parseDataTime(text)
  if (Number.isNaN(at)) return text
  return timeFormat({ ...day, ...(kind === 'datetime' ? clock : {}), timeZone: 'UTC' }).format(at)
}

/** Milliseconds of a data time read as UTC, NaN when it is not one. */
export function parseDataTime(text: string): number {
  if (!/^-?\d{4,6}-\d\d/.test(text)) return Number.NaN
  const iso = text.length === 7 ? `${text}-01` : text.replace(' ', 'T')
  return Date.parse(iso.includes('T') && !/(Z|[+-]\d\d(:?\d\d)?)$/.test(iso) ? `${iso}Z` : iso)
}

/** A moment in the project's time zone: `31 Mar 2024, 06:02`. */
export const formatMoment = (iso: string): string => timeFormat({ ...day, ...clock }).format(new Date(iso))
/** `06:02` today, `31 Mar, 06:02` this year, with the year otherwise. */
export function formatShort(iso: string, now: number = Date.now()): string {
  const [then, today] = [new Date(iso), new Date(now)]
  if (timeFormat(day).format(then) === timeFormat(day).format(today)) return timeFormat(clock).format(then)
  const sameYear = timeFormat({ year: 'numeric' }).format(then) === timeFormat({ year: 'numeric' }).format(today)
  return timeFormat({ day: 'numeric', month: 'short', ...(sameYear ? {} : { year: 'numeric' }), ...clock }).format(then)
}
export const formatClock = (iso: string): string => timeFormat({ ...clock, second: '2-digit' }).format(new Date(iso))

const units: [number, string][] = [
  [86_400_000 * 365, 'year'],
  [86_400_000 * 30, 'month'],
  [86_400_000, 'day'],
  [3_600_000, 'h'],
  [60_000, 'min'],
]
/** `4 min ago`, `2 days ago`, `just now`. */
export function formatAge(iso: string, now: number = Date.now()): string {
  const ms = now - Date.parse(iso)
  for (const [size, name] of units) {
    const count = Math.floor(Math.abs(ms) / size)
    if (count >= 1) {
      const text = `${count} ${name}${count > 1 && size >= 86_400_000 ? 's' : ''}`
      return ms < 0 ? `in ${text}` : `${text} ago`
    }
  }
  return ms < -5_000 ? 'in a moment' : 'just now'
}

/** `850 ms`, `4.2 s`, `3 min 12 s`, `2 h 5 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`
  const minutes = Math.floor(ms / 60_000)
  const [seconds, rest] = [Math.floor((ms % 60_000) / 1_000), minutes % 60]
  if (minutes < 60) return `${minutes} min${seconds > 0 ? ` ${seconds} s` : ''}`
  return `${Math.floor(minutes / 60)} h${rest > 0 ? ` ${rest} min` : ''}`
}

export function formatBytes(bytes: number): string {
  const names = ['B', 'kB', 'MB', 'GB', 'TB']
  const step = Math.min(names.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)))
  const value = bytes / 1_000 ** step
  return `${step === 0 ? bytes : value.toFixed(value < 10 ? 1 : 0)} ${names[step]}`
}

export const formatCount = (count: number): string => numberFormat({}).format(count)
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`
