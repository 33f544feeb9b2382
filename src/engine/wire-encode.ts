// Turns a DuckDB chunk into DataRow messages of the PostgreSQL protocol. It runs in the host process, so that the server
// only copies bytes.
//
// The client library gives values as objects, one allocation each, which is most of the time of a large result. Under
// them lie typed arrays; the columns that large results are made of are read from those, and written column by column
// (`wire-columns.ts`). Values of other types are written one by one.

import {
  DuckDBTypeId,
  type DuckDBArrayType,
  type DuckDBDataChunk,
  type DuckDBDecimalType,
  type DuckDBListType,
  type DuckDBType,
  type DuckDBValue,
  type DuckDBVector,
} from '@duckdb/node-api'
import { offsetsOf } from '../base/time-zone.ts'
import { pgTypes, wireTypeOf, type PgTypeName, type WireType } from '../base/pg-types.ts'
import { ByteWriter } from './bytes.ts'
import { byPlace, encoderOf as jsonEncoderOf, typeName } from './encode.ts'
import { copyShort, keptFloats, keptInts, rawOf, sizedOf, validityOf, type Places, type Sized } from './wire-columns.ts'
import {
  writeBinary,
  writeText,
  writeZoned,
  type Decimal,
  type Long,
  type SentType,
  writeIsoInterval,
  type Write,
} from './wire-values.ts'

/** Formats as a client's Bind message has them: none is all text, one is for all, else one per column. 2: text with intervals as ISO 8601 has them. */
export type WireFormats = readonly number[]
export type WireEncoder = { encode(chunk: DuckDBDataChunk, rows: number, out: ByteWriter): void }

/** What a connection wants written otherwise as text. */
type Texts = { readonly timestamptz?: Write<Long>; readonly interval?: typeof writeIsoInterval }

type ReadRow = (row: number) => unknown
/** How the values of a column are had: from its vector, by row, and from the library's object of one. */
type Reader = { ofVector(vector: DuckDBVector): ReadRow; ofValue(value: DuckDBValue): unknown }
/** Writes the value of a row that is not null. */
type Column = (vector: DuckDBVector) => (row: number, out: ByteWriter) => void

export const formatOf = (formats: WireFormats, column: number): number =>
  formats.length === 0 ? 0 : ((formats.length === 1 ? formats[0] : formats[column]) ?? 0)

/** The type that a column is told to have, if its values can be sent so. */
export function toldAs(type: DuckDBType, declared: string | null | undefined): string | undefined {
  if (!declared) return undefined
  if (type.alias) return type.alias === 'JSON' && declared.startsWith(type.alias) ? declared : undefined
  if (type.typeId === DuckDBTypeId.HUGEINT) return /^(BIGINT|SMALLINT)$/.test(declared) ? 'BIGINT' : undefined
  return type.typeId === (declared === 'SMALLINT' ? DuckDBTypeId.INTEGER : DuckDBTypeId.VARCHAR) ? declared : undefined
}

/** Rows whose columns are written one after the other: so many bytes stay close to the processor until all are. */
const sliceBytes = 2 ** 15

/** An encoder for all chunks of one result. `declared`: as `toldAs` gave it. `timeZone`: in which text tells times. */
export function wireEncoder(
  types: readonly DuckDBType[],
  formats: WireFormats,
  declared: readonly (string | undefined)[] = [],
  timeZone = 'UTC',
): WireEncoder {
  const zoned: Texts = timeZone === 'UTC' ? {} : { timestamptz: writeZoned(offsetsOf(timeZone)) }
  const columns = types.map((type, at) => {
    const format = formatOf(formats, at)
    return sizedColumn(
      type,
      format === 1,
      declared[at],
      format === 2 ? { ...zoned, interval: writeIsoInterval } : zoned,
    )
  })
  const lengthsOf = columns.map(() => keptInts())
  const [sizesOf, placesOf] = [keptFloats(), keptInts()]
  const headBytes = 7 + columns.length * 4
  return {
    encode(chunk, rows, out) {
      const sizes = sizesOf(rows).fill(headBytes)
      const cells = columns.map((column, at) => {
        const vector = byPlace(chunk.getColumnVector(at))
        const lengths = lengthsOf[at]!(rows)
        const put = column(vector, lengths)
        leaveOutNulls(vector, lengths)
        for (let row = 0; row < rows; row++) if (lengths[row]! > 0) sizes[row]! += lengths[row]!
        return { lengths, put }
      })
      const places = placesOf(rows)
      for (let from = 0; from < rows;) {
        let [to, total] = [from, 0]
        for (; to < rows && (to === from || total + sizes[to]! <= sliceBytes); to++) total += sizes[to]!
        out.room(total)
        const bytes = out.bytes.subarray(out.at, out.at + total)
        const view = new DataView(bytes.buffer, bytes.byteOffset, total)
        const slice: Places = { bytes, view, places }
        writeHeads(slice, sizes, columns.length, from, to)
        for (const { lengths, put } of cells) {
          writeLengths(slice, lengths, from, to)
          put(slice, lengths, from, to)
          for (let row = from; row < to; row++) if (lengths[row]! > 0) places[row]! += lengths[row]!
        }
        out.at += total
        from = to
      }
    },
  }
}

/** What begins each row, and where its first value goes. */
function writeHeads({ view, places }: Places, sizes: Float64Array, columns: number, from: number, to: number): void {
  let at = 0
  for (let row = from; row < to; row++) {
    view.setUint8(at, 68) // 'D'
    view.setInt32(at + 1, sizes[row]! - 1)
    view.setInt16(at + 5, columns)
    places[row] = at + 7
    at += sizes[row]!
  }
}

function writeLengths({ view, places }: Places, lengths: Int32Array, from: number, to: number): void {
  for (let row = from; row < to; row++) {
    view.setInt32(places[row]!, lengths[row]!)
    places[row]! += 4
  }
}

function leaveOutNulls(vector: DuckDBVector, lengths: Int32Array): void {
  if (!rawOf(vector).validity) {
    for (let row = 0; row < lengths.length; row++) if (vector.getItem(row) === null) lengths[row] = -1
    return
  }
  const validity = validityOf(vector)
  if (!validity) return
  for (let row = 0; row < lengths.length; row++) if ((validity[row >> 3]! & (1 << (row & 7))) === 0) lengths[row] = -1
}

function sizedColumn(type: DuckDBType, binary: boolean, declared: string | undefined, texts: Texts): Sized {
  const own = declared === undefined ? undefined : (binary ? binaryOf : textOf)[declared]
  if (own) return valueByValue(own)
  const isZoned = texts.timestamptz !== undefined && !binary && type.typeId === DuckDBTypeId.TIMESTAMP_TZ
  const sized = isZoned ? undefined : sizedOf(type, binary)
  return sized ?? valueByValue(columnOf(type, binary, texts))
}

/** Each value is written by itself, and copied to its place. */
function valueByValue(column: Column): Sized {
  const out = new ByteWriter(1024)
  const startsOf = keptFloats()
  return (vector, lengths) => {
    const write = column(vector)
    const isNull = nullsOf(vector)
    const starts = startsOf(lengths.length)
    out.at = 0
    for (let row = 0; row < lengths.length; row++) {
      if (isNull(row)) continue
      starts[row] = out.at
      write(row, out)
      lengths[row] = out.at - starts[row]!
    }
    const written = new DataView(out.bytes.buffer, out.bytes.byteOffset, out.at)
    return ({ bytes, view, places }, _, from, to) => {
      for (let row = from; row < to; row++) {
        const length = lengths[row]!
        const start = starts[row]!
        if (length > 64) out.bytes.copy(bytes, places[row], start, start + length)
        else copyShort(written, start, length, view, places[row]!)
      }
    }
  }
}

function columnOf(type: DuckDBType, binary: boolean, texts: Texts): Column {
  const wire = wireTypeOf(typeName(type))
  if (wire.array) return arrayOf(type as DuckDBListType | DuckDBArrayType, wire, binary, texts)
  if (wire.type === 'json') return column(byObject(jsonEncoderOf(type, String)), writeText.json)
  return column(readerOf(type), writeOf(wire.type, binary, texts))
}

/** A sum of integers, which the engine has in 128 bits. */
const longOf =
  (write: (value: bigint, out: ByteWriter) => void): Column =>
  (vector) =>
  (row, out) => {
    const value = vector.getItem(row) as bigint
    if (BigInt.asIntN(64, value) !== value)
      throw new Error(`Out of Range Error: ${value} is out of range for the type bigint`)
    write(value, out)
  }

/** What is looked at before it is sent as text. */
const textOf: Readonly<Record<string, Column>> = { BIGINT: longOf((value, out) => out.text(String(value))) }

/** What is sent otherwise in binary than the type of its values would be. */
const binaryOf: Readonly<Record<string, Column>> = {
  BIGINT: longOf((value, out) => out.int64(value)),
  SMALLINT: (vector) => {
    const items = rawOf(vector).items as unknown as number[]
    return (row, out) => {
      const value = items[row]!
      if ((value << 16) >> 16 !== value)
        throw new Error(`Out of Range Error: ${value} is out of range for the type smallint`)
      out.int16(value)
    }
  },
  JSONB: (vector) => (row, out) => {
    out.byte(1) // the version of the format
    out.text(String(vector.getItem(row)))
  },
}

const writeOf = (type: PgTypeName, binary: boolean, texts: Texts): Write<never> =>
  ((binary ? writeBinary : { ...writeText, ...texts })[type as SentType] ?? writeText.text) as Write<never>

function column(reader: Reader, write: Write<never>): Column {
  return (vector) => {
    const read = reader.ofVector(vector)
    return (row, out) => (write as Write<unknown>)(read(row), out)
  }
}

function nullsOf(vector: DuckDBVector): (row: number) => boolean {
  if (!rawOf(vector).validity) return (row) => vector.getItem(row) === null
  const bits = validityOf(vector)
  return bits ? (row) => (bits[row >> 3]! & (1 << (row & 7))) === 0 : () => false
}

const byObject = (ofValue: Reader['ofValue']): Reader => ({
  ofValue,
  ofVector: (vector) => (row) => ofValue(vector.getItem(row)),
})

function readerOf(type: DuckDBType): Reader {
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN:
      return {
        ofValue: (value) => value,
        ofVector(vector) {
          const view = rawOf(vector).dataView!
          return (row) => view.getUint8(row) !== 0
        },
      }
    case DuckDBTypeId.TINYINT:
    case DuckDBTypeId.SMALLINT:
    case DuckDBTypeId.INTEGER:
    case DuckDBTypeId.UTINYINT:
    case DuckDBTypeId.USMALLINT:
    case DuckDBTypeId.UINTEGER:
    case DuckDBTypeId.FLOAT:
    case DuckDBTypeId.DOUBLE:
      return { ofValue: (value) => value, ofVector: (vector) => byIndex(rawOf(vector).items as unknown as number[]) }
    case DuckDBTypeId.DATE:
      return {
        ofValue: (value) => (value as { days: number }).days,
        ofVector: (vector) => byIndex(rawOf(vector).items as unknown as number[]),
      }
    case DuckDBTypeId.BIGINT:
      return longs((value) => value as bigint)
    case DuckDBTypeId.TIME:
    case DuckDBTypeId.TIMESTAMP:
    case DuckDBTypeId.TIMESTAMP_TZ:
      return longs((value) => (value as { micros: bigint }).micros)
    case DuckDBTypeId.TIME_NS:
      return byObject((value) => (value as { nanos: bigint }).nanos / 1000n)
    case DuckDBTypeId.TIMESTAMP_NS:
      return byObject((value) => nanosToMicros((value as { nanos: bigint }).nanos))
    case DuckDBTypeId.TIMESTAMP_MS:
      return byObject((value) => scaled((value as { millis: bigint }).millis, 1000n))
    case DuckDBTypeId.TIMESTAMP_S:
      return byObject((value) => scaled((value as { seconds: bigint }).seconds, 1_000_000n))
    case DuckDBTypeId.DECIMAL:
      return decimals(type as DuckDBDecimalType)
    case DuckDBTypeId.UBIGINT:
    case DuckDBTypeId.HUGEINT:
    case DuckDBTypeId.UHUGEINT:
    case DuckDBTypeId.BIGNUM:
      return byObject((value): Decimal => ({ unscaled: value as bigint, scale: 0 }))
    case DuckDBTypeId.UUID:
      return byObject((value) => (value as { toUint128(): bigint }).toUint128())
    case DuckDBTypeId.BLOB:
      return byObject((value) => (value as { bytes: Uint8Array }).bytes)
    case DuckDBTypeId.INTERVAL:
    case DuckDBTypeId.TIME_TZ:
      return byObject((value) => value)
    default:
      return byObject(String)
  }
}

const byIndex =
  (items: ArrayLike<number>): ReadRow =>
  (row) =>
    items[row]

const isSafe = (high: number) => high >= -0x20_0000 && high < 0x20_0000

/** 64-bit numbers, without making a bigint of each. */
function longs(ofValue: (value: DuckDBValue) => bigint): Reader {
  return {
    ofValue: (value) => shorter(ofValue(value)),
    ofVector(vector) {
      const items = rawOf(vector).items as BigInt64Array
      return longReader(items.buffer, items.byteOffset, items.length)
    },
  }
}

function longReader(buffer: ArrayBufferLike, offset: number, count: number): (row: number) => Long {
  const halves = new Int32Array(buffer, offset, count * 2)
  return (row) => {
    const high = halves[row * 2 + 1]!
    return isSafe(high)
      ? high * 2 ** 32 + (halves[row * 2]! >>> 0)
      : (BigInt(high) << 32n) | BigInt(halves[row * 2]! >>> 0)
  }
}

const shorter = (value: bigint): Long =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value

function decimals(type: DuckDBDecimalType): Reader {
  const { width, scale } = type
  const ofValue = (value: DuckDBValue): Decimal => ({ unscaled: shorter((value as { value: bigint }).value), scale })
  if (width > 18) return byObject(ofValue)
  return {
    ofValue,
    ofVector(vector) {
      const view = rawOf(vector).dataView!
      const read: (row: number) => Long =
        width <= 4
          ? (row) => view.getInt16(row * 2, true)
          : width <= 9
            ? (row) => view.getInt32(row * 4, true)
            : longReader(view.buffer, view.byteOffset, view.byteLength / 8)
      return (row): Decimal => ({ unscaled: read(row), scale })
    },
  }
}

const infinite = 2n ** 63n - 1n
const scaled = (value: bigint, by: bigint): Long =>
  value === infinite || value === -infinite ? value : shorter(value * by)
const nanosToMicros = (nanos: bigint): Long =>
  nanos === infinite || nanos === -infinite ? nanos : shorter((nanos - (((nanos % 1000n) + 1000n) % 1000n)) / 1000n)

/** One dimension. In text an item is quoted where it could be taken for something else. */
function arrayOf(type: DuckDBListType | DuckDBArrayType, wire: WireType, binary: boolean, texts: Texts): Column {
  const item = readerOf(type.valueType)
  const items = byObject((value) =>
    (value as { items: readonly DuckDBValue[] }).items.map((one) => (one === null ? null : item.ofValue(one))),
  )
  const write = writeOf(wire.type, binary, texts) as Write<unknown>
  return column(items, (binary ? binaryArray(pgTypes[wire.type].oid, write) : textArray(write)) as Write<never>)
}

const binaryArray =
  (oid: number, write: Write<unknown>): Write<readonly unknown[]> =>
  (items, out) => {
    out.int32(items.length === 0 ? 0 : 1)
    out.int32(items.includes(null) ? 1 : 0)
    out.int32(oid)
    if (items.length === 0) return
    out.int32(items.length)
    out.int32(1)
    for (const item of items) {
      const at = out.at
      out.int32(-1)
      if (item === null) continue
      write(item, out)
      out.setInt32(out.at - at - 4, at)
    }
  }

const textArray = (write: Write<unknown>): Write<readonly unknown[]> => {
  const one = new ByteWriter(256)
  return (items, out) => {
    const shown = items.map((item) => {
      if (item === null) return 'NULL'
      one.at = 0
      write(item, one)
      const text = one.bytes.toString('utf8', 0, one.at)
      return text === '' || /[{}",\\\s]/.test(text) || /^null$/i.test(text)
        ? `"${text.replace(/["\\]/g, '\\$&')}"`
        : text
    })
    out.text(`{${shown.join(',')}}`)
  }
}
