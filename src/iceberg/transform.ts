// Partition transforms (spec, "Partition Transforms" and appendix B): value in, partition value out.

import { floorDiv } from '../base/calendar.ts'
import { unreachable } from '../base/assert.ts'
import { murmur3 } from '../base/murmur3.ts'
import type { PartitionSpec, Schema, Transform, Type, Value } from './types.ts'
import { fieldById, showType } from './schema.ts'
import { bigintBytes, codePointPrefix, dateText, daysOf, showValue, uuidBytes } from './value.ts'

export function parseTransform(text: string): Transform {
  switch (text) {
    case 'identity':
    case 'year':
    case 'month':
    case 'day':
    case 'hour':
    case 'void':
      return { kind: text }
  }
  const match = /^(bucket|truncate)\[(\d{1,9})\]$/.exec(text)
  const number = Number(match?.[2])
  if (!match || number < 1) return { kind: 'other', text } // spec: readers must ignore transforms that they do not know
  return match[1] === 'bucket' ? { kind: 'bucket', buckets: number } : { kind: 'truncate', width: number }
}

export function showTransform(transform: Transform): string {
  switch (transform.kind) {
    case 'bucket':
      return `bucket[${transform.buckets}]`
    case 'truncate':
      return `truncate[${transform.width}]`
    case 'other':
      return transform.text
    default:
      return transform.kind
  }
}

/** The type of the partition value; undefined for a transform that this version does not know. */
export function transformedType(transform: Transform, source: Type): Type | undefined {
  switch (transform.kind) {
    case 'identity':
    case 'truncate':
    case 'void':
      return source
    case 'bucket':
    case 'year':
    case 'month':
    case 'hour':
      return { kind: 'int' }
    case 'day':
      return { kind: 'date' }
    case 'other':
      return undefined
    default:
      return unreachable(transform)
  }
}

const bucketable = [
  'int',
  'long',
  'decimal',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'timestamp_ns',
  'timestamptz_ns',
  'string',
  'uuid',
  'fixed',
  'binary',
]
const timestamps = ['timestamp', 'timestamptz', 'timestamp_ns', 'timestamptz_ns']

/** Whether the spec allows the transform on columns of this type. */
export function isTransformable(transform: Transform, { kind }: Type): boolean {
  switch (transform.kind) {
    case 'identity':
      return !['struct', 'list', 'map', 'geometry', 'geography', 'variant', 'unknown'].includes(kind)
    case 'bucket':
      return bucketable.includes(kind)
    case 'truncate':
      return ['int', 'long', 'decimal', 'string', 'binary'].includes(kind)
    case 'year':
    case 'month':
    case 'day':
      return kind === 'date' || timestamps.includes(kind)
    case 'hour':
      return timestamps.includes(kind)
    case 'void':
      return true
    case 'other':
      return false
    default:
      return unreachable(transform)
  }
}

/** The partition value of a column's value; null stays null. */
export function applyTransform(transform: Transform, type: Type, value: Value | null): Value | null {
  if (value === null) return null
  switch (transform.kind) {
    case 'identity':
      return value
    case 'void':
      return null
    case 'bucket':
      return (bucketHash(type, value) & 0x7fff_ffff) % transform.buckets
    case 'truncate':
      return truncated(transform.width, value)
    case 'year':
      return monthsAndYear(type, value).year - 1970
    case 'month':
      return monthsAndYear(type, value).months
    case 'day':
      return dayOf(type, value)
    case 'hour':
      return Number(floorDiv(BigInt(value as bigint), ticksPerHour(type)))
    case 'other':
      return null
    default:
      return unreachable(transform)
  }
}

function truncated(width: number, value: Value): Value {
  if (typeof value === 'number') return value - (((value % width) + width) % width)
  if (typeof value === 'bigint') {
    const by = BigInt(width)
    return value - (((value % by) + by) % by)
  }
  return typeof value === 'string' ? codePointPrefix(value, width) : (value as Uint8Array).subarray(0, width)
}

const ticksPerHour = ({ kind }: Type) => 3_600_000_000n * (kind.endsWith('_ns') ? 1000n : 1n)
const dayOf = (type: Type, value: Value) =>
  type.kind === 'date' ? Number(value) : Number(floorDiv(BigInt(value as bigint), ticksPerHour(type) * 24n))

function monthsAndYear(type: Type, value: Value): { year: number; months: number } {
  const [, year, month] = /^(-?\d+)-(\d\d)/.exec(dateText(dayOf(type, value)))!
  return { year: Number(year), months: (Number(year) - 1970) * 12 + Number(month) - 1 }
}

/** The 32-bit hash of appendix B, before it is reduced to a bucket. */
export function bucketHash(type: Type, value: Value): number {
  switch (type.kind) {
    case 'string':
      return murmur3(new TextEncoder().encode(value as string))
    case 'uuid':
      return murmur3(uuidBytes(value as string))
    case 'fixed':
    case 'binary':
      return murmur3(value as Uint8Array)
    case 'decimal':
      return murmur3(bigintBytes(BigInt(value as bigint)))
    // Nanoseconds hash as microseconds, so that promoting a column moves no row to another bucket.
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return hashLong(floorDiv(BigInt(value as bigint), 1000n))
    default:
      return hashLong(BigInt(value as bigint | number))
  }
}

function hashLong(value: bigint): number {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigInt64(0, value, true)
  return murmur3(bytes)
}

/** A partition value as folders show it: `2024-03`, `2024-03-31-12`, `North`. */
export function showPartitionValue(transform: Transform, source: Type, value: Value | null): string {
  if (value === null) return 'null'
  const two = (part: number) => String(part).padStart(2, '0')
  switch (transform.kind) {
    case 'year':
      return dateText(daysOf(1970 + Number(value), 1, 1)).slice(0, -6)
    case 'month': {
      const months = Number(value)
      return dateText(daysOf(1970 + Math.floor(months / 12), (((months % 12) + 12) % 12) + 1, 1)).slice(0, -3)
    }
    case 'day':
      return dateText(Number(value))
    case 'hour': {
      const hours = Number(value)
      return `${dateText(Math.floor(hours / 24))}-${two(((hours % 24) + 24) % 24)}`
    }
    case 'bucket':
      return String(value)
    default:
      return showValue(source, value)
  }
}

/** The folder of a partition, as Java and PyIceberg spell it: `region=North/order_date_day=2024-03-31`. */
export function partitionPath(spec: PartitionSpec, schema: Schema, partition: readonly (Value | null)[]): string {
  const encode = (text: string) =>
    encodeURIComponent(text)
      .replaceAll('%20', '+')
      .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  return spec.fields
    .map(({ name, transform, sourceIds }, index) => {
      const source = fieldById(schema, sourceIds[0]!)?.type ?? { kind: 'string' }
      return `${encode(name)}=${encode(showPartitionValue(transform, source, partition[index] ?? null))}`
    })
    .join('/')
}

/** Java's name for a partition field that was given none. */
export function defaultPartitionName(column: string, transform: Transform): string {
  switch (transform.kind) {
    case 'identity':
      return column
    case 'bucket':
      return `${column}_bucket_${transform.buckets}`
    case 'truncate':
      return `${column}_trunc_${transform.width}`
    case 'void':
      return `${column}_null`
    case 'other':
      return `${column}_${transform.text}`
    default:
      return `${column}_${transform.kind}`
  }
}

export const cannotTransform = (transform: Transform, type: Type): string =>
  `${showTransform(transform)} does not apply to ${showType(type)}`
