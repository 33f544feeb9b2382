// Dates as text and back: `strftime`, `strptime`, ISO 8601, in English as Python's C locale has it.

import { PyError } from '../../../jinja/index.ts'
import { daysOf, isoCalendar, PyDate, PyTime, usOf, utc, Zone } from './dates.ts'

const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const pad = (value: number, width = 2): string => String(value).padStart(width, '0')

/** `13:04:05.000006`; the fraction only when there is one. */
export function showTime(us: number): string {
  const [hour, minute, second] = [
    Math.floor(us / 3_600_000_000),
    Math.floor(us / 60_000_000) % 60,
    Math.floor(us / 1_000_000) % 60,
  ]
  const fraction = us % 1_000_000 === 0 ? '' : `.${pad(us % 1_000_000, 6)}`
  return `${pad(hour)}:${pad(minute)}:${pad(second)}${fraction}`
}

/** `+05:30`, with seconds only where there are some. */
export function showOffset(ms: number, separator: string): string {
  const seconds = Math.round(Math.abs(ms) / 1000)
  const parts = [
    Math.floor(seconds / 3600),
    Math.floor(seconds / 60) % 60,
    ...(seconds % 60 === 0 ? [] : [seconds % 60]),
  ]
  return `${ms < 0 ? '-' : '+'}${parts.map((part) => pad(part)).join(separator)}`
}

/** A code that C's strftime does not know stays as it is. `%-d` leaves the zeros in front away. */
export function strftime(date: PyDate, format: string): string {
  return format.replace(/%([-_0^#]?)([a-zA-Z%])/g, (whole, flag: string, code: string) => {
    const value = valueOf(date, code)
    if (value === undefined) return whole
    if (flag === '-') return value.replace(/^[0 ]+(?=\d)/, '')
    if (flag === '_') return value.replace(/^0+(?=\d)/, (zeros) => ' '.repeat(zeros.length))
    return flag === '^' ? value.toUpperCase() : value
  })
}

function valueOf(date: PyDate, code: string): string | undefined {
  const { year, month, day, hour, minute, second, microsecond } = date.fields
  const dayOfYear = date.days - daysOf(year, 1, 1) + 1
  const sunday = (date.weekday + 1) % 7
  switch (code) {
    case 'Y':
      return String(year)
    case 'C':
      return pad(Math.floor(year / 100))
    case 'y':
      return pad(year % 100)
    case 'm':
      return pad(month)
    case 'd':
      return pad(day)
    case 'e':
      return String(day).padStart(2)
    case 'H':
      return pad(hour)
    case 'k':
      return String(hour).padStart(2)
    case 'I':
      return pad(hour % 12 || 12)
    case 'l':
      return String(hour % 12 || 12).padStart(2)
    case 'M':
      return pad(minute)
    case 'S':
      return pad(second)
    case 'f':
      return pad(microsecond, 6)
    case 'p':
      return hour < 12 ? 'AM' : 'PM'
    case 'P':
      return hour < 12 ? 'am' : 'pm'
    case 'j':
      return pad(dayOfYear, 3)
    case 'a':
      return weekdays[date.weekday]!.slice(0, 3)
    case 'A':
      return weekdays[date.weekday]
    case 'b':
    case 'h':
      return months[month - 1]!.slice(0, 3)
    case 'B':
      return months[month - 1]
    case 'w':
      return String(sunday)
    case 'u':
      return String(date.weekday + 1)
    case 'F':
      return strftime(date, '%Y-%m-%d')
    case 'T':
    case 'X':
      return strftime(date, '%H:%M:%S')
    case 'R':
      return strftime(date, '%H:%M')
    case 'r':
      return strftime(date, '%I:%M:%S %p')
    case 'D':
    case 'x':
      return strftime(date, '%m/%d/%y')
    case 'c':
      return strftime(date, '%a %b %e %H:%M:%S %Y')
    case 'z':
      return date.zone ? showOffset(date.offsetMs, '') : ''
    case 'Z':
      return date.zone?.nameAt(date.instantMs) ?? ''
    case 's':
      return String(Math.floor(date.instantMs / 1000))
    case 'G':
      return String(isoCalendar(date)[0])
    case 'g':
      return pad(isoCalendar(date)[0]! % 100)
    case 'V':
      return pad(isoCalendar(date)[1]!)
    case 'U':
      return pad(Math.floor((dayOfYear + 6 - sunday) / 7))
    case 'W':
      return pad(Math.floor((dayOfYear + 6 - date.weekday) / 7))
    case 'n':
      return '\n'
    case 't':
      return '\t'
    case '%':
      return '%'
    default:
      return undefined
  }
}

export const parseDate = (text: string): PyDate | undefined => {
  const match = /^(\d{4})-?(\d{2})-?(\d{2})$/.exec(text)
  return match ? new PyDate('date', daysOf(Number(match[1]), Number(match[2]), Number(match[3]))) : undefined
}

const timePattern = String.raw`(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?`

export function parseTime(text: string): PyTime | undefined {
  const match = new RegExp(`^${timePattern}$`).exec(text)
  return match ? new PyTime(usFrom(match.slice(1))) : undefined
}

const usFrom = ([hour = '0', minute = '0', second = '0', fraction = '']: readonly (string | undefined)[]): number =>
  usOf(Number(hour), Number(minute), Number(second), Number(fraction.slice(0, 6).padEnd(6, '0')))

/** A timestamp as `datetime.fromisoformat` reads it. */
export function parseTimestamp(text: string): PyDate | undefined {
  const match = new RegExp(
    `^(\\d{4}-?\\d{2}-?\\d{2})(?:.${timePattern})?(Z|[+-]\\d{2}(?::?\\d{2}(?::?\\d{2})?)?)?$`,
  ).exec(text)
  if (!match) return undefined
  const { days } = parseDate(match[1]!)!
  return new PyDate('datetime', days, usFrom(match.slice(2, 6)), zoneOf(match[6]))
}

function zoneOf(offset: string | undefined): Zone | undefined {
  if (offset === undefined || offset === '') return undefined
  const [, sign, hours = '0', minutes = '0', seconds = '0'] = /^([+-])(\d{2}):?(\d{2})?:?(\d{2})?$/.exec(offset) ?? []
  const ms = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000
  if (sign === undefined || ms === 0) return utc
  return new Zone(`UTC${offset.length === 3 ? `${offset}:00` : offset}`, sign === '-' ? -ms : ms)
}

const parsed: Record<string, string> = {
  Y: String.raw`(?<Y>\d{4})`,
  m: String.raw`(?<m>1[0-2]|0[1-9]|[1-9])`,
  d: String.raw`(?<d>3[01]|[12]\d|0[1-9]|[1-9]| [1-9])`,
  H: String.raw`(?<H>2[0-3]|[01]\d|\d)`,
  I: String.raw`(?<I>1[0-2]|0[1-9]|[1-9])`,
  p: '(?<p>am|pm)',
  M: String.raw`(?<M>[0-5]\d|\d)`,
  S: String.raw`(?<S>6[01]|[0-5]\d|\d)`,
  f: String.raw`(?<f>\d{1,6})`,
  y: String.raw`(?<y>\d{2})`,
  b: `(?<b>${months.map((each) => each.slice(0, 3)).join('|')})`,
  B: `(?<b>${months.join('|')})`,
  a: `(?:${weekdays.map((each) => each.slice(0, 3)).join('|')})`,
  A: `(?:${weekdays.join('|')})`,
  j: String.raw`(?<j>36[0-6]|3[0-5]\d|[12]\d\d|0\d\d|\d\d|\d)`,
  z: String.raw`(?<z>[+-]\d{2}:?[0-5]\d(?::?[0-5]\d)?|Z)`,
  Z: '(?:utc|gmt)?',
}

/** @throws PyError ValueError when the text does not match, or the format has an unknown code */
export function strptime(text: string, format: string): PyDate {
  const pattern = format
    .replaceAll('%T', '%H:%M:%S')
    .replaceAll('%F', '%Y-%m-%d')
    .replace(/%([a-zA-Z%])|\s+|[.*+?^${}()|[\]\\]/g, (whole, code?: string) => {
      if (code === undefined) return /\s/.test(whole) ? String.raw`\s+` : `\\${whole}`
      if (code === '%') return '%'
      const known = Object.hasOwn(parsed, code) ? parsed[code] : undefined
      if (known === undefined) throw new PyError('ValueError', `'${code}' is a bad directive in format '${format}'`)
      return known
    })
  const match = new RegExp(`^${pattern}`, 'i').exec(text)
  if (!match) throw new PyError('ValueError', `time data '${text}' does not match format '${format}'`)
  if (match[0].length < text.length)
    throw new PyError('ValueError', `unconverted data remains: ${text.slice(match[0].length)}`)
  const found = match.groups ?? {}
  const number = (name: string) => (found[name] === undefined ? undefined : Number(found[name]))
  const named = found['b']?.toLowerCase()
  const month =
    named === undefined ? (number('m') ?? 1) : months.findIndex((each) => each.toLowerCase().startsWith(named)) + 1
  const short = number('y')
  const year = number('Y') ?? (short === undefined ? 1900 : short + (short > 68 ? 1900 : 2000))
  const twelve = number('I')
  const hour = number('H') ?? (twelve === undefined ? 0 : (twelve % 12) + (found['p']?.toLowerCase() === 'pm' ? 12 : 0))
  const dayOfYear = number('j')
  const days = dayOfYear === undefined ? daysOf(year, month, number('d') ?? 1) : daysOf(year, 1, 1) + dayOfYear - 1
  const us = usOf(hour, number('M') ?? 0, number('S') ?? 0, Number((found['f'] ?? '').padEnd(6, '0')))
  return new PyDate('datetime', days, us, zoneOf(found['z']))
}
