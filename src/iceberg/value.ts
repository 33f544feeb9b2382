// Values of columns: their order, their text, their JSON form and their bytes in manifests (spec, appendix D).

import { civilOf, floorDiv } from '../base/calendar.ts'
import { assert, unreachable } from '../base/assert.ts'
import type { JsonNode } from './json.ts'
import type { PrimitiveType, Type, Value } from './types.ts'

export const isPrimitive = (type: Type): type is PrimitiveType => !['struct', 'list', 'map'].includes(type.kind)

// --- order

/** Negative, 0 or positive. Text in the order of its UTF-8 bytes, as files are sorted; NaN after everything. */
export function compareValues(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b)
  if (a === b) return 0
  if (isNaN_(a)) return isNaN_(b) ? 0 : 1
  if (isNaN_(b)) return -1
  return a < b ? -1 : a > b ? 1 : 0
}
export const isNaN_ = (value: Value | null | undefined): boolean => typeof value === 'number' && Number.isNaN(value)

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) if (a[at] !== b[at]) return a[at]! - b[at]!
  return a.length - b.length
}

/** UTF-16 order is wrong only where a surrogate meets a unit above it: those sort after U+E000..U+FFFF in UTF-8. */
function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const [x, y] = [a.charCodeAt(at), b.charCodeAt(at)]
    if (x === y) continue
    const lifted = (unit: number) => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)
    return lifted(x) - lifted(y)
  }
  return a.length - b.length
}

// --- bytes

/** The single-value serialisation. */
export function encodeBound(type: Type, value: Value): Uint8Array {
  switch (type.kind) {
    case 'boolean':
      return Uint8Array.of(value ? 1 : 0)
    case 'int':
    case 'date':
      return fixedBytes(4, (view) => view.setInt32(0, Number(value), true))
    case 'float':
      return fixedBytes(4, (view) => view.setFloat32(0, Number(value), true))
    case 'double':
      return fixedBytes(8, (view) => view.setFloat64(0, Number(value), true))
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return fixedBytes(8, (view) => view.setBigInt64(0, BigInt(value as bigint), true))
    case 'decimal':
      return bigintBytes(BigInt(value as bigint))
    case 'string':
      return new TextEncoder().encode(value as string)
    case 'uuid':
      return uuidBytes(value as string)
    case 'fixed':
    case 'binary':
      return value as Uint8Array
    case 'unknown':
    case 'variant':
    case 'geometry':
    case 'geography':
    case 'struct':
    case 'list':
    case 'map':
      assert(false, `${type.kind} has no single value`)
      break
    default:
      return unreachable(type)
  }
}

/**
 * The value of a bound, or undefined when the bytes do not fit the type: a bound that is not understood says nothing.
 * Bounds written before a promotion (int to long, float to double) are read by their length.
 */
export function decodeBound(type: Type, bytes: Uint8Array): Value | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const long = () =>
    bytes.length === 8 ? view.getBigInt64(0, true) : bytes.length === 4 ? BigInt(view.getInt32(0, true)) : undefined
  switch (type.kind) {
    case 'boolean':
      return bytes.length === 1 ? bytes[0] !== 0 : undefined
    case 'int':
    case 'date':
      return bytes.length === 4 ? view.getInt32(0, true) : undefined
    case 'float':
      return bytes.length === 4 ? view.getFloat32(0, true) : undefined
    case 'double':
      return bytes.length === 8 ? view.getFloat64(0, true) : bytes.length === 4 ? view.getFloat32(0, true) : undefined
    case 'long':
      return long()
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return bytes.length === 8 ? long() : undefined
    case 'decimal':
      return bytes.length > 0 && bytes.length <= 16 ? bytesBigint(bytes) : undefined
    case 'string':
      return decodeText(bytes)
    case 'uuid':
      return bytes.length === 16 ? uuidText(bytes) : undefined
    case 'fixed':
    case 'binary':
      return bytes
    default:
      return undefined
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes)
  } catch {
    return undefined // cut inside a character: a replacement character would change the order
  }
}

function fixedBytes(length: number, fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length)
  fill(new DataView(bytes.buffer))
  return bytes
}

/** Two's complement, big-endian, as short as possible: decimals. */
export function bigintBytes(value: bigint): Uint8Array {
  let length = 1
  while (BigInt.asIntN(length * 8, value) !== value) length++
  return sizedBigintBytes(value, length)
}
export function sizedBigintBytes(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = length - 1, rest = value; at >= 0; at--, rest >>= 8n) bytes[at] = Number(rest & 0xffn)
  return bytes
}
export function bytesBigint(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return BigInt.asIntN(bytes.length * 8, value)
}

export const uuidBytes = (uuid: string): Uint8Array => new Uint8Array(Buffer.from(uuid.replaceAll('-', ''), 'hex'))
export function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

// --- bounds cut short

/** A prefix is a lower bound of what it was cut from. Text is cut by characters (code points). */
export function truncateLower(value: Value, length: number): Value {
  if (typeof value === 'string') return codePointPrefix(value, length)
  return value instanceof Uint8Array ? value.subarray(0, length) : value
}

/** A prefix whose last character or byte is raised, so that it is above all that start with it; undefined when nothing is. */
export function truncateUpper(value: Value, length: number): Value | undefined {
  if (typeof value === 'string') {
    const prefix = codePointPrefix(value, length)
    return prefix === value ? value : raiseText(prefix)
  }
  if (!(value instanceof Uint8Array) || value.length <= length) return value
  const prefix = value.slice(0, length)
  for (let at = prefix.length - 1; at >= 0; at--) {
    if (prefix[at]! === 0xff) continue
    prefix[at]!++
    return prefix.subarray(0, at + 1)
  }
  return undefined
}

export function codePointPrefix(text: string, length: number): string {
  if (text.length <= length) return text
  let at = 0
  for (let count = 0; count < length && at < text.length; count++) at += text.codePointAt(at)! > 0xffff ? 2 : 1
  return text.slice(0, at)
}

function raiseText(prefix: string): string | undefined {
  const points = [...prefix].map((char) => char.codePointAt(0)!)
  for (let at = points.length - 1; at >= 0; at--) {
    const next = points[at]! === 0xd7ff ? 0xe000 : points[at]! + 1 // surrogates are no characters
    if (next > 0x10ffff) continue
    return String.fromCodePoint(...points.slice(0, at), next)
  }
  return undefined
}

// --- text of dates and times

const microsPerDay = 86_400_000_000n

export function dateText(days: number): string {
  const { year, month, day } = civilOf(days)
  const yearText = year < 0 ? `-${String(-year).padStart(4, '0')}` : String(year).padStart(4, '0')
  return `${yearText}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}

/** Days since 1970-01-01 of a civil date. */
export function daysOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}

export function timeText(micros: bigint, digits: 6 | 9 = 6): string {
  const unit = digits === 6 ? 1_000_000n : 1_000_000_000n
  const [seconds, fraction] = [micros / unit, micros % unit]
  const two = (value: bigint) => value.toString().padStart(2, '0')
  const clock = `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}`
  return fraction === 0n ? clock : `${clock}.${fraction.toString().padStart(digits, '0')}`
}

export function timestampText(ticks: bigint, digits: 6 | 9 = 6): string {
  const perDay = digits === 6 ? microsPerDay : microsPerDay * 1000n
  const days = floorDiv(ticks, perDay)
  return `${dateText(Number(days))}T${timeText(ticks - days * perDay, digits)}`
}

export function decimalText(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : ''
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  return scale <= 0
    ? `${sign}${digits}${'0'.repeat(-scale)}`
    : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** A value as people read it; also the text of identity partitions. */
export function showValue(type: Type, value: Value): string {
  switch (type.kind) {
    case 'date':
      return dateText(Number(value))
    case 'time':
      return timeText(BigInt(value as bigint))
    case 'timestamp':
      return timestampText(BigInt(value as bigint))
    case 'timestamptz':
      return `${timestampText(BigInt(value as bigint))}+00:00`
    case 'timestamp_ns':
      return timestampText(BigInt(value as bigint), 9)
    case 'timestamptz_ns':
      return `${timestampText(BigInt(value as bigint), 9)}+00:00`
    case 'decimal':
      return decimalText(BigInt(value as bigint), type.scale)
    default:
      return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : String(value)
  }
}

// --- JSON form: defaults

/** The JSON single-value serialisation; undefined for nested types, whose defaults stay JSON. */
export function valueToJson(type: Type, value: Value): unknown {
  switch (type.kind) {
    case 'boolean':
    case 'int':
    case 'float':
    case 'double':
    case 'long':
    case 'string':
    case 'uuid':
      return value
    case 'fixed':
    case 'binary':
      return Buffer.from(value as Uint8Array).toString('hex')
    default:
      return showValue(type, value)
  }
}

export function valueFromJson(type: PrimitiveType, node: JsonNode): Value {
  switch (type.kind) {
    case 'boolean':
      return node.boolean()
    case 'int':
      return node.int()
    case 'long':
      return node.long()
    case 'float':
    case 'double': {
      const number = typeof node.value === 'bigint' ? Number(node.value) : node.value
      return typeof number === 'number' ? number : node.fail('expected a number')
    }
    case 'string':
      return node.text()
    case 'uuid': {
      const text = node.text().toLowerCase()
      return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(text) ? text : node.fail(`"${text}" is not a UUID`)
    }
    case 'fixed':
    case 'binary': {
      const hex = node.text()
      if (!/^([\da-f]{2})*$/i.test(hex)) node.fail(`"${hex}" is not hexadecimal`)
      return new Uint8Array(Buffer.from(hex, 'hex'))
    }
    case 'decimal': {
      const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(node.text())
      const fraction = match?.[3] ?? ''
      if (!match || fraction.length > Math.max(0, type.scale))
        node.fail(`"${node.text()}" is not a decimal of scale ${type.scale}`)
      return BigInt(match[1]! + match[2]! + fraction.padEnd(Math.max(0, type.scale), '0'))
    }
    case 'date':
      return dateFromText(node.text()) ?? node.fail(`"${node.text()}" is not a date`)
    case 'time':
      return timeFromText(node.text(), 6) ?? node.fail(`"${node.text()}" is not a time`)
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns': {
      const digits = type.kind.endsWith('_ns') ? 9 : 6
      const match = /^(\d{4,}-\d\d-\d\d)T([\d:.]+?)(Z|\+00:00)?$/.exec(node.text())
      const days = match && dateFromText(match[1]!)
      const ticks = match && timeFromText(match[2]!, digits)
      if (days === undefined || days === null || ticks === undefined || ticks === null)
        node.fail(`"${node.text()}" is not a timestamp`)
      return BigInt(days) * (digits === 6 ? microsPerDay : microsPerDay * 1000n) + ticks
    }
    default:
      return node.fail(`a ${type.kind} has no default but null`)
  }
}

function dateFromText(text: string): number | undefined {
  const match = /^(-?\d{4,})-(\d\d)-(\d\d)$/.exec(text)
  return match ? daysOf(Number(match[1]), Number(match[2]), Number(match[3])) : undefined
}

function timeFromText(text: string, digits: 6 | 9): bigint | undefined {
  const match = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?$/.exec(text)
  if (!match) return undefined
  const seconds = BigInt(match[1]!) * 3600n + BigInt(match[2]!) * 60n + BigInt(match[3] ?? '0')
  return (
    seconds * (digits === 6 ? 1_000_000n : 1_000_000_000n) +
    BigInt((match[4] ?? '').padEnd(digits, '0').slice(0, digits))
  )
}

// --- coercion

/** A value read or given in a neighbouring form (int for long, number for bigint) in the form of `type`; undefined when it has none. */
export function toForm(type: Type, value: Value): Value | undefined {
  switch (type.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'int':
    case 'date':
      if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : undefined
      return typeof value === 'number' ? value : undefined
    case 'float':
    case 'double':
      return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
    case 'decimal':
      return typeof value === 'bigint' ? value : Number.isSafeInteger(value) ? BigInt(value as number) : undefined
    case 'string':
    case 'uuid':
      return typeof value === 'string' ? (type.kind === 'uuid' ? value.toLowerCase() : value) : undefined
    case 'fixed':
    case 'binary':
      return value instanceof Uint8Array ? value : undefined
    default:
      return undefined
  }
}
