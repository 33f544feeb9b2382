// One value of each PostgreSQL type as the protocol spells it: text (format 0) and binary (format 1).
//
// Source: PostgreSQL's `*_out` and `*_send` functions. Binary dates and times count from 2000-01-01.

import { civilOf, floorDiv } from '../base/calendar.ts'
import type { Offsets } from '../base/time-zone.ts'
import type { PgTypeName } from '../base/pg-types.ts'
import { ByteWriter } from './bytes.ts'

/** 64 bits: a number where a double holds it, else a bigint. */
export type Long = number | bigint
export type Decimal = { unscaled: Long; scale: number }
export type Span = { months: number; days: number; micros: bigint }
export type Write<Value> = (value: Value, out: ByteWriter) => void

export const dayMicros = 86_400_000_000
const [epochDays, infiniteMicros, infiniteDays] = [10_957, 2n ** 63n - 1n, 2 ** 31 - 1]
const epochMicros = epochDays * dayMicros

type Values = {
  bool: boolean
  int2: number
  int4: number
  oid: number
  int8: Long
  float4: number
  float8: number
  numeric: Decimal
  text: string
  json: string
  bytea: Uint8Array
  uuid: bigint
  date: number
  time: Long
  timetz: { micros: bigint; offset: number }
  timestamp: Long
  timestamptz: Long
  interval: Span
}
/** The types that values are sent as. */
export type SentType = keyof Values & PgTypeName

export const writeText: { [Type in SentType]: Write<Values[Type]> } = {
  bool: (value, out) => out.byte(value ? 116 : 102),
  int2: (value, out) => out.digits(value),
  int4: (value, out) => out.digits(value),
  oid: (value, out) => out.digits(value),
  int8: writeLong,
  float4: (value, out) => out.ascii(showFloat(value)),
  float8: (value, out) => out.ascii(showDouble(value)),
  numeric: writeDecimal,
  text: (value, out) => out.text(value),
  json: (value, out) => out.text(value),
  bytea: (value, out) => {
    out.ascii('\\x')
    out.ascii(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex'))
  },
  uuid: (value, out) => {
    const hex = value.toString(16).padStart(32, '0')
    out.ascii([hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-'))
  },
  date: writeDate,
  time: (value, out) => writeClock(Number(value), out),
  timetz: ({ micros, offset }, out) => {
    writeClock(Number(micros), out)
    writeOffset(offset, out)
  },
  timestamp: (value, out) => writeTimestamp(value, out),
  timestamptz: writeUtc,
  interval: writeInterval,
}

export const writeBinary: { [Type in SentType]: Write<Values[Type]> } = {
  bool: (value, out) => out.byte(value ? 1 : 0),
  int2: (value, out) => out.int16(value),
  int4: (value, out) => out.int32(value),
  oid: (value, out) => out.int32(value | 0),
  int8: (value, out) => writeInt64(value, out),
  float4: (value, out) => out.float(value),
  float8: (value, out) => out.double(value),
  numeric: writeNumeric,
  text: writeText.text,
  json: writeText.json,
  bytea: (value, out) => out.copy(value),
  uuid: (value, out) => {
    out.int64(BigInt.asIntN(64, value >> 64n))
    out.int64(BigInt.asIntN(64, value))
  },
  date: (value, out) => out.int32(sentDay(value)),
  time: (value, out) => writeInt64(value, out),
  timetz: ({ micros, offset }, out) => {
    out.int64(micros)
    out.int32(-offset) // PostgreSQL counts seconds west of Greenwich
  },
  timestamp: writeInstant,
  timestamptz: writeInstant,
  interval: ({ months, days, micros }, out) => {
    out.int64(micros)
    out.int32(days)
    out.int32(months)
  },
}

function writeLong(value: Long, out: ByteWriter): void {
  if (typeof value === 'number') out.digits(value)
  else out.ascii(value.toString())
}

function writeInt64(value: Long, out: ByteWriter): void {
  if (typeof value === 'bigint') return out.int64(value)
  out.int32(Math.floor(value / 2 ** 32))
  out.int32(value | 0)
}

export const showDouble = (value: number): string => showFloating(value, 1e15)

/** The shortest digits that give the same number again; from `large` on with an exponent, as PostgreSQL prints them. */
function showFloating(value: number, large: number): string {
  const size = Math.abs(value)
  if (size === 0) return Object.is(value, -0) ? '-0' : '0'
  if ((size >= 1e-4 && size < large) || !Number.isFinite(value)) return String(value)
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
}

/** Of a 32-bit number fewer digits do. */
function showFloat(value: number): string {
  for (let digits = 6; digits < 9 && Number.isFinite(value); digits++) {
    const shorter = Number(value.toPrecision(digits))
    if (Math.fround(shorter) === value) return showFloating(shorter, 1e6)
  }
  return showFloating(Number.isFinite(value) ? Number(value.toPrecision(9)) : value, 1e6)
}

function writeDecimal({ unscaled, scale }: Decimal, out: ByteWriter): void {
  if (scale === 0) return writeLong(unscaled, out)
  if (typeof unscaled === 'number') {
    let value = unscaled
    if (value < 0) {
      out.byte(45)
      value = -value
    }
    if (scale <= 15) {
      const unit = 10 ** scale
      const whole = Math.floor(value / unit)
      out.digits(whole)
      out.byte(46)
      out.padded(value - whole * unit, scale)
      return
    }
    return writePointed(String(value), scale, out)
  }
  if (unscaled < 0n) out.byte(45)
  writePointed((unscaled < 0n ? -unscaled : unscaled).toString(), scale, out)
}

function writePointed(digits: string, scale: number, out: ByteWriter): void {
  const padded = digits.padStart(scale + 1, '0')
  out.ascii(`${padded.slice(0, -scale)}.${padded.slice(-scale)}`)
}

/** Groups of four decimal digits, the first group's weight, the sign and the digits after the point. */
function writeNumeric({ unscaled, scale }: Decimal, out: ByteWriter): void {
  if (typeof unscaled === 'number' && scale <= 12) return writeShortNumeric(unscaled, scale, out)
  const negative = unscaled < 0
  const digits = String(unscaled)
    .replace('-', '')
    .padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  const left = whole.padStart(Math.ceil(whole.length / 4) * 4, '0')
  const fraction = digits.slice(digits.length - scale)
  const all = left + fraction.padEnd(Math.ceil(scale / 4) * 4, '0')
  const groups = Array.from({ length: all.length / 4 }, (_, at) => Number(all.slice(at * 4, at * 4 + 4)))
  let weight = left.length / 4 - 1
  while (groups[0] === 0) {
    groups.shift()
    weight--
  }
  while (groups.at(-1) === 0) groups.pop()
  out.int16(groups.length)
  out.int16(groups.length === 0 ? 0 : weight)
  out.int16(negative ? 0x4000 : 0)
  out.int16(scale)
  for (const group of groups) out.int16(group)
}

/** The same by arithmetic that doubles do exactly: what both sides of the point are has at most 16 digits. */
function writeShortNumeric(unscaled: number, scale: number, out: ByteWriter): void {
  const size = Math.abs(unscaled)
  const unit = 10 ** scale
  const whole = Math.floor(size / unit)
  const fractionGroups = Math.ceil(scale / 4)
  out.room(24)
  const head = out.at
  const begin = head + 8
  out.at = begin
  let [groups, top] = [0, 1]
  for (; top <= whole; top *= 10_000) groups++
  let weight = groups - 1
  for (let rest = whole; groups > 0; groups--) {
    top /= 10_000
    const group = Math.floor(rest / top)
    out.int16(group)
    rest -= group * top
  }
  let rest = (size - whole * unit) * 10 ** (fractionGroups * 4 - scale)
  for (let place = fractionGroups - 1; place >= 0; place--) {
    const by = 10_000 ** place
    const group = Math.floor(rest / by)
    rest -= group * by
    // Zeros before the first digit are said by the weight alone.
    if (group === 0 && out.at === begin) weight--
    else out.int16(group)
  }
  while (out.at > begin && out.bytes[out.at - 1] === 0 && out.bytes[out.at - 2] === 0) out.at -= 2
  const end = out.at
  out.at = head
  out.int16((end - begin) / 2)
  out.int16(end === begin ? 0 : weight)
  out.int16(unscaled < 0 ? 0x4000 : 0)
  out.int16(scale)
  out.at = end
}

/** `zone`: writes the offset, which the infinities have not. */
function writeTimestamp(micros: Long, out: ByteWriter, zone?: (out: ByteWriter) => void): void {
  if (micros === infiniteMicros || micros === -infiniteMicros) return out.ascii(micros < 0 ? '-infinity' : 'infinity')
  const [days, rest] = splitDay(micros)
  const beforeChrist = writeDay(days, out)
  out.byte(32)
  writeClock(rest, out)
  zone?.(out)
  if (beforeChrist) out.ascii(' BC')
}
function splitDay(micros: Long): [days: number, rest: number] {
  if (typeof micros === 'number') {
    const days = Math.floor(micros / dayMicros)
    return [days, micros - days * dayMicros]
  }
  const days = floorDiv(micros, BigInt(dayMicros))
  return [Number(days), Number(micros - days * BigInt(dayMicros))]
}

function writeDate(days: number, out: ByteWriter): void {
  if (Math.abs(days) === infiniteDays) return out.ascii(days < 0 ? '-infinity' : 'infinity')
  if (writeDay(days, out)) out.ascii(' BC')
}

/** Days as they were written, for twenty-odd years: most results have few. */
const daysKept = 8_192
const daysKnown = new Int32Array(daysKept).fill(2 ** 31 - 1)
const dayBytes = new Uint8Array(daysKept * 10)
export const dayTexts = new DataView(dayBytes.buffer)
const dayWriter = new ByteWriter(16)

/** Where in `dayTexts` a day of the years 1 to 9999 is written, until another day is asked for. */
export function placeOfDay(days: number): number {
  const slot = days & (daysKept - 1)
  if (daysKnown[slot] !== days) {
    dayWriter.at = 0
    writeDay(days, dayWriter)
  }
  return slot * 10
}

/** `2024-03-31`; true when the year is before Christ. */
function writeDay(days: number, out: ByteWriter): boolean {
  const at = days & (daysKept - 1)
  if (daysKnown[at] === days) {
    out.part(dayBytes, at * 10, 10)
    return false
  }
  const start = out.at
  const beforeChrist = computeDay(days, out)
  if (!beforeChrist && out.at - start === 10) {
    dayBytes.set(out.bytes.subarray(start, out.at), at * 10)
    daysKnown[at] = days
  }
  return beforeChrist
}

function computeDay(days: number, out: ByteWriter): boolean {
  const { year, month, day } = civilOf(days)
  const shown = year > 0 ? year : 1 - year
  if (shown > 9999) out.digits(shown)
  else out.padded(shown, 4)
  out.byte(45)
  out.padded(month, 2)
  out.byte(45)
  out.padded(day, 2)
  return year <= 0
}

/** `12:30:00`, with a fraction only if there is one. */
function writeClock(micros: number, out: ByteWriter): void {
  const seconds = Math.floor(micros / 1_000_000)
  const hours = Math.floor(seconds / 3600)
  // An interval may have any number of them.
  if (hours < 100) out.padded(hours, 2)
  else out.digits(hours)
  out.byte(58)
  out.padded(Math.floor(seconds / 60) % 60, 2)
  out.byte(58)
  out.padded(seconds % 60, 2)
  let fraction = micros - seconds * 1_000_000
  if (fraction === 0) return
  let width = 6
  for (; fraction % 10 === 0; width--) fraction /= 10
  out.byte(46)
  out.padded(fraction, width)
}

/** `2024-01-01 13:00:00+01`: what clocks of a zone show at that moment. */
export const writeZoned =
  (offsetAt: Offsets): Write<Long> =>
  (value, out) => {
    const east = offsetAt(Number(value) / 1_000_000)
    const local = typeof value === 'number' ? value + east * 1_000_000 : value + BigInt(east) * 1_000_000n
    const isInfinite = value === infiniteMicros || value === -infiniteMicros
    writeTimestamp(isInfinite ? value : local, out, () => writeOffset(east, out))
  }
const inUtc = (out: ByteWriter) => out.ascii('+00')
function writeUtc(value: Long, out: ByteWriter): void {
  writeTimestamp(value, out, inUtc)
}

function writeOffset(seconds: number, out: ByteWriter): void {
  const east = Math.abs(seconds)
  out.byte(seconds < 0 ? 45 : 43)
  out.padded(Math.floor(east / 3600), 2)
  if (east % 3600 === 0) return
  out.byte(58)
  out.padded(Math.floor(east / 60) % 60, 2)
  if (east % 60 === 0) return
  out.byte(58)
  out.padded(east % 60, 2)
}

/** Days since 2000-01-01. */
export function sentDay(days: number): number {
  if (Math.abs(days) === infiniteDays) return days < 0 ? -(2 ** 31) : days
  return days - epochDays
}

/** Microseconds since 2000-01-01. */
export function sentInstant(micros: Long): Long {
  if (micros === infiniteMicros || micros === -infiniteMicros) return micros < 0 ? -(2n ** 63n) : micros
  const sent = typeof micros === 'number' ? micros - epochMicros : NaN
  return Number.isSafeInteger(sent) ? sent : BigInt(micros) - BigInt(epochMicros)
}

function writeInstant(micros: Long, out: ByteWriter): void {
  writeInt64(sentInstant(micros), out)
}

/** `P1Y2M3DT4H5M6.5S`, each part with its own sign. */
export function writeIsoInterval({ months, days, micros }: Span, out: ByteWriter): void {
  const part = (count: number, unit: string) => (count === 0 ? '' : `${count}${unit}`)
  const day = part(Math.trunc(months / 12), 'Y') + part(months % 12, 'M') + part(days, 'D')
  const sign = micros < 0n ? -1 : 1
  const seconds = Math.floor(Math.abs(Number(micros)) / 1_000_000)
  const fraction = String(Math.abs(Number(micros % 1_000_000n)))
    .padStart(6, '0')
    .replace(/0+$/, '')
  const rest = `${seconds % 60}${fraction && `.${fraction}`}`
  const shown = rest === '0' ? '' : `${sign < 0 ? '-' : ''}${rest}S`
  const clock = part(sign * Math.floor(seconds / 3600), 'H') + part(sign * (Math.floor(seconds / 60) % 60), 'M') + shown
  out.ascii(day === '' && clock === '' ? 'PT0S' : `P${day}${clock && `T${clock}`}`)
}

/** `1 year 2 mons 3 days 04:05:06.5`, each part with its own sign. */
function writeInterval({ months, days, micros }: Span, out: ByteWriter): void {
  const parts: string[] = []
  // Behind a part below zero one above it says so.
  let isBelow = false
  const unit = (count: number, one: string) => {
    if (count === 0) return
    parts.push(`${isBelow && count > 0 ? '+' : ''}${count} ${one}${count === 1 ? '' : 's'}`)
    isBelow = count < 0
  }
  unit(Math.trunc(months / 12), 'year')
  unit(months % 12, 'mon')
  unit(days, 'day')
  out.ascii(parts.join(' '))
  if (micros === 0n && parts.length > 0) return
  if (parts.length > 0) out.byte(32)
  if (micros < 0n) out.byte(45)
  else if (isBelow) out.byte(43)
  writeClock(Number(micros < 0n ? -micros : micros), out)
}
