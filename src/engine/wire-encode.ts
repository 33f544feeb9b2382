// Turns a DuckDB chunk into DataRow messages of the PostgreSQL protocol. It runs in the host process, so that the server
// only copies bytes.
//
// The client library gives values as objects, one allocation each, which is most of the time of a large result. Under
// them lie typed arrays; the columns that large results are made of are read from those.

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
import bindings from '@duckdb/node-bindings'
import { pgTypes, wireTypeOf, type PgTypeName, type WireType } from '../base/pg-types.ts'
import { ByteWriter } from './bytes.ts'
import { byPlace, encoderOf as jsonEncoderOf } from './encode.ts'
import { writeBinary, writeText, type Decimal, type Long, type SentType, type Write } from './wire-values.ts'

/** Formats as a client's Bind message has them: none is all text, one is for all, else one per column. */
export type WireFormats = readonly number[]
export type WireEncoder = { encode(chunk: DuckDBDataChunk, rows: number, out: ByteWriter): void }

type ReadRow = (row: number) => unknown
/** How the values of a column are had: from its vector, by row, and from the library's object of one. */
type Reader = { ofVector(vector: DuckDBVector): ReadRow; ofValue(value: DuckDBValue): unknown }
/** Writes the value of a row that is not null. */
type Column = (vector: DuckDBVector) => (row: number, out: ByteWriter) => void

export const formatOf = (formats: WireFormats, column: number): number =>
  formats.length === 0 ? 0 : ((formats.length === 1 ? formats[0] : formats[column]) ?? 0)

/** The type that a column is told to have, if its values can be sent so. */
export function toldAs(type: DuckDBType, declared: string | null | undefined): string | undefined {
  if (!declared || type.alias) return undefined
  return type.typeId === (declared === 'SMALLINT' ? DuckDBTypeId.INTEGER : DuckDBTypeId.VARCHAR) ? declared : undefined
}

/** An encoder for all chunks of one result. `declared`: as `toldAs` gave it. */
export function wireEncoder(
  types: readonly DuckDBType[],
  formats: WireFormats,
  declared: readonly (string | undefined)[] = [],
): WireEncoder {
  const columns = types.map((type, at) => {
    const binary = formatOf(formats, at) === 1
    return (binary && declared[at] && binaryOf[declared[at]]) || columnOf(type, binary)
  })
  return {
    encode(chunk, rows, out) {
      const cells = columns.map((column, at) => {
        const vector = byPlace(chunk.getColumnVector(at))
        return { isNull: nullsOf(vector), write: column(vector) }
      })
      for (let row = 0; row < rows; row++) {
        out.byte(68) // 'D'
        const start = out.at
        out.int32(0)
        out.int16(cells.length)
        for (const { isNull, write } of cells) {
          if (isNull(row)) {
            out.int32(-1)
            continue
          }
          const at = out.at
          out.int32(0)
          write(row, out)
          out.setInt32(out.at - at - 4, at)
        }
        out.setInt32(out.at - start, start)
      }
    },
  }
}

function columnOf(type: DuckDBType, binary: boolean): Column {
  const wire = wireTypeOf(String(type))
  if (wire.array) return arrayOf(type as DuckDBListType | DuckDBArrayType, wire, binary)
  if (type.typeId === DuckDBTypeId.VARCHAR) return strings // JSON columns too
  if (wire.type === 'json') return column(byObject(jsonEncoderOf(type)), writeText.json)
  return column(readerOf(type), writeOf(wire.type, binary))
}

/** What is sent otherwise in binary than the type of its values would be. */
const binaryOf: Readonly<Record<string, Column>> = {
  SMALLINT: (vector) => {
    const items = rawOf(vector).items as unknown as number[]
    return (row, out) => {
      const value = items[row]!
      if ((value << 16) >> 16 !== value)
        throw new Error(`Out of Range Error: ${value} is out of range for the type smallint`)
      out.int16(value)
    }
  },
  JSONB: (vector) => {
    const write = strings(vector)
    return (row, out) => {
      out.byte(1) // the version of the format
      write(row, out)
    }
  },
}

const writeOf = (type: PgTypeName, binary: boolean): Write<never> =>
  ((binary ? writeBinary : writeText)[type as SentType] ?? writeText.text) as Write<never>

function column(reader: Reader, write: Write<never>): Column {
  return (vector) => {
    const read = reader.ofVector(vector)
    return (row, out) => (write as Write<unknown>)(read(row), out)
  }
}

/** Copies UTF-8 as DuckDB has it, without making JavaScript strings. */
const strings: Column = (vector) => {
  const { dataView } = rawOf(vector)
  if (!dataView) return (row, out) => out.text(String(vector.getItem(row)))
  const { buffer, byteOffset, byteLength } = dataView
  const bytes = new Uint8Array(buffer, byteOffset, byteLength)
  const words = new Uint32Array(buffer, byteOffset, byteLength / 4)
  const longOnes = longStrings(dataView, words, nullsOf(vector))
  return (row, out) => {
    const length = words[row * 4]!
    if (length > 12) out.part(longOnes.runs[longOnes.runOf[row]!]!, longOnes.starts[row]!, length)
    else out.part(bytes, row * 16 + 4, length)
  }
}

/** Of each row with a long string: the run of memory that it is in, and where in it. */
type LongStrings = { runs: Uint8Array[]; runOf: Uint32Array; starts: Uint32Array }

/**
 * Strings of up to 12 bytes lie in the vector itself, of longer ones there is the address. Asking the library for each is
 * a native call and a buffer of its own (1.5 µs); most of a chunk lie one after the other, so they are fetched in runs. A
 * gap inside a run is smaller than a page of memory, so all of its bytes are in a page that holds a string, and readable.
 */
function longStrings(view: DataView, words: Uint32Array, isNull: (row: number) => boolean): LongStrings {
  const count = words.length / 4
  const rows: number[] = []
  const addresses = new Float64Array(count)
  let isSorted = true
  for (let row = 0; row < count; row++) {
    if (words[row * 4]! <= 12 || isNull(row)) continue
    // Addresses have 48 bits, which a double holds.
    const address = words[row * 4 + 2]! + words[row * 4 + 3]! * 2 ** 32
    addresses[row] = address
    if (rows.length > 0 && address < addresses[rows[rows.length - 1]!]!) isSorted = false
    rows.push(row)
  }
  if (!isSorted) rows.sort((a, b) => addresses[a]! - addresses[b]!)
  const runs: Uint8Array[] = []
  const [runOf, starts] = [new Uint32Array(count), new Uint32Array(count)]
  for (let at = 0; at < rows.length;) {
    const first = rows[at]!
    const begin = addresses[first]!
    let end = begin
    for (; at < rows.length && addresses[rows[at]!]! < end + pageBytes; at++) {
      const row = rows[at]!
      end = Math.max(end, addresses[row]! + words[row * 4]!)
      runOf[row] = runs.length
      starts[row] = addresses[row]! - begin
    }
    const run = bindings.get_data_from_pointer(
      view.buffer as ArrayBuffer,
      view.byteOffset + first * 16 + 8,
      end - begin,
    )
    runs.push(new Uint8Array(run.buffer, run.byteOffset, run.byteLength))
  }
  return { runs, runOf, starts }
}
const pageBytes = 4096

/** The typed arrays that the library's vectors keep to themselves; a test fails when they are renamed. */
type Raw = {
  items?: { readonly buffer: ArrayBufferLike; readonly byteOffset: number; readonly length: number }
  dataView?: DataView
  validity?: { data: BigUint64Array | null }
}
const rawOf = (vector: DuckDBVector) => vector as unknown as Raw

function nullsOf(vector: DuckDBVector): (row: number) => boolean {
  const { validity } = rawOf(vector)
  if (!validity) return (row) => vector.getItem(row) === null
  const { data } = validity
  if (!data) return () => false
  const bits = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return (row) => (bits[row >> 3]! & (1 << (row & 7))) === 0
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
function arrayOf(type: DuckDBListType | DuckDBArrayType, wire: WireType, binary: boolean): Column {
  const item = readerOf(type.valueType)
  const items = byObject((value) =>
    (value as { items: readonly DuckDBValue[] }).items.map((one) => (one === null ? null : item.ofValue(one))),
  )
  const write = writeOf(wire.type, binary) as Write<unknown>
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
