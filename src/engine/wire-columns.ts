// The columns that large results are made of, as the PostgreSQL protocol has them: a column at a time, first how long each of
// its values is, and when the places of all are known, the values themselves. So each loop is over values of one type, and
// nothing is called or made for one of them; a call for each value, and what it gave, were most of the time. The same goes for
// what looks like nothing: to take two variables out of a list makes the list.

import { DuckDBTypeId, type DuckDBDecimalType, type DuckDBType, type DuckDBVector } from '@duckdb/node-api'
import bindings from '@duckdb/node-bindings'
import { ByteWriter, digitCount } from './bytes.ts'
import {
  dayMicros,
  dayTexts,
  placeOfDay,
  sentDay,
  sentInstant,
  showDouble,
  writeText,
  type Long,
} from './wire-values.ts'

/** Says how long the values of a chunk's column are, whatever stands where there is none, and gives what writes them. */
export type Sized = (vector: DuckDBVector, lengths: Int32Array) => Put
/** Writes the values of some rows to their places in `bytes`. A length below zero: there is no value. */
export type Put = (out: Places, lengths: Int32Array, from: number, to: number) => void
/** Bytes, as several at once too: each store of one costs as much as of four. `places`: of each row, from the start of them. */
export type Places = { bytes: Buffer; view: DataView; places: Int32Array }

/** The typed arrays that the library's vectors keep to themselves; a test fails when they are renamed. */
type Raw = {
  items?: { readonly buffer: ArrayBufferLike; readonly byteOffset: number; readonly length: number }
  dataView?: DataView
  validity?: { data: BigUint64Array | null }
}
export const rawOf = (vector: DuckDBVector): Raw => vector as unknown as Raw

/** Of the values of one column in one format; undefined where each is written by itself. */
export function sizedOf(type: DuckDBType, binary: boolean): Sized | undefined {
  switch (type.typeId) {
    case DuckDBTypeId.VARCHAR:
      return strings()
    case DuckDBTypeId.SMALLINT:
      return binary ? undefined : decimals(shorts, 0)
    case DuckDBTypeId.INTEGER:
      return binary ? words : decimals(integers, 0)
    case DuckDBTypeId.BIGINT:
      return binary ? longWords : decimals(longs(), 0)
    case DuckDBTypeId.DOUBLE:
      return binary ? longWords : doubles()
    case DuckDBTypeId.DATE:
      return binary ? binaryDates : dates()
    case DuckDBTypeId.TIMESTAMP:
    case DuckDBTypeId.TIMESTAMP_TZ:
      return binary ? binaryTimestamps() : timestamps(type.typeId === DuckDBTypeId.TIMESTAMP_TZ)
    case DuckDBTypeId.DECIMAL: {
      const { width, scale } = type as DuckDBDecimalType
      if (binary || width > 18 || scale > 9) return undefined
      return decimals(width <= 4 ? shorts : width <= 9 ? integers : longs(), scale)
    }
    default:
      return undefined
  }
}

/** What is made for a chunk is used again for the next one, which mostly has as many rows. */
export function kept<Made extends { readonly length: number }>(make: (count: number) => Made): (count: number) => Made {
  let last: Made | undefined
  return (count) => (last?.length === count ? last : (last = make(count)))
}
export const keptInts = () => kept((count) => new Int32Array(count))
export const keptFloats = () => kept((count) => new Float64Array(count))
const keptTexts = <Text>() => kept((count) => Array.from<Text>({ length: count }))

/** Which rows are null: a bit of zero. Undefined where none is, or where only the library's objects tell. */
export function validityOf(vector: DuckDBVector): Uint8Array | undefined {
  const data = rawOf(vector).validity?.data
  return data ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : undefined
}

// --- texts

/** Copies UTF-8 as DuckDB has it, without making JavaScript strings. */
const strings =
  (runsOf = keptInts(), startsOf = keptInts(), addressesOf = keptFloats()): Sized =>
  (vector, lengths) => {
    const inline = rawOf(vector).dataView!
    const { buffer, byteOffset, byteLength } = inline
    const words = new Uint32Array(buffer, byteOffset, byteLength / 4)
    for (let row = 0; row < lengths.length; row++) lengths[row] = words[row * 4]!
    const { runs, runOf, starts } = longStrings(inline, words, validityOf(vector), {
      runOf: runsOf(lengths.length),
      starts: startsOf(lengths.length),
      addresses: addressesOf(lengths.length),
    })
    return ({ bytes, view, places }, _, from, to) => {
      for (let row = from; row < to; row++) {
        const length = lengths[row]!
        if (length < 0) continue
        if (length <= 12) copyShort(inline, row * 16 + 4, length, view, places[row]!)
        else if (length > 64) bytes.set(bytesOf(runs[runOf[row]!]!, starts[row]!, length), places[row])
        else copyShort(runs[runOf[row]!]!, starts[row]!, length, view, places[row]!)
      }
    }
  }

const bytesOf = ({ buffer, byteOffset }: DataView, start: number, length: number) =>
  new Uint8Array(buffer, byteOffset + start, length)

/** For a few bytes a call of native code takes longer than copying. */
export function copyShort(from: DataView, start: number, length: number, to: DataView, at: number): void {
  let done = 0
  for (; done + 4 <= length; done += 4) to.setInt32(at + done, from.getInt32(start + done))
  for (; done < length; done++) to.setUint8(at + done, from.getUint8(start + done))
}

/** Of each row with a long string: the run of memory that it is in, and where in it. */
type LongStrings = { runs: DataView[]; runOf: Int32Array; starts: Int32Array }

/**
 * Strings of up to 12 bytes lie in the vector itself, of longer ones there is the address. Asking the library for each is
 * a native call and a buffer of its own (1.5 µs); most of a chunk lie one after the other, so they are fetched in runs. A
 * gap inside a run is smaller than a page of memory, so all of its bytes are in a page that holds a string, and readable.
 */
function longStrings(
  view: DataView,
  words: Uint32Array,
  validity: Uint8Array | undefined,
  { runOf, starts, addresses }: Omit<LongStrings, 'runs'> & { addresses: Float64Array },
): LongStrings {
  const count = addresses.length
  const rows: number[] = []
  let isSorted = true
  for (let row = 0; row < count; row++) {
    if (words[row * 4]! <= 12 || (validity && (validity[row >> 3]! & (1 << (row & 7))) === 0)) continue
    // Addresses have 48 bits, which a double holds.
    const address = words[row * 4 + 2]! + words[row * 4 + 3]! * 2 ** 32
    addresses[row] = address
    if (rows.length > 0 && address < addresses[rows[rows.length - 1]!]!) isSorted = false
    rows.push(row)
  }
  if (!isSorted) rows.sort((a, b) => addresses[a]! - addresses[b]!)
  const runs: DataView[] = []
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
    runs.push(new DataView(run.buffer, run.byteOffset, run.byteLength))
  }
  return { runs, runOf, starts }
}
const pageBytes = 4096

// --- binary

const wordsOf = (vector: DuckDBVector, count: number): Int32Array => {
  const { buffer, byteOffset } = placed(vector)
  return new Int32Array(buffer, byteOffset, count)
}

/** Four bytes, the other way round. */
const words: Sized = (vector, lengths) => {
  const raw = wordsOf(vector, lengths.length)
  lengths.fill(4)
  return ({ view, places }, _, from, to) => {
    for (let row = from; row < to; row++) if (lengths[row]! >= 0) view.setInt32(places[row]!, raw[row]!)
  }
}

/** Eight bytes, the other way round. */
const longWords: Sized = (vector, lengths) => {
  const raw = wordsOf(vector, lengths.length * 2)
  lengths.fill(8)
  return ({ view, places }, _, from, to) => {
    for (let row = from; row < to; row++) {
      if (lengths[row]! < 0) continue
      view.setInt32(places[row]!, raw[row * 2 + 1]!)
      view.setInt32(places[row]! + 4, raw[row * 2]!)
    }
  }
}

const binaryDates: Sized = (vector, lengths) => {
  const days = wordsOf(vector, lengths.length)
  lengths.fill(4)
  return ({ view, places }, _, from, to) => {
    for (let row = from; row < to; row++) if (lengths[row]! >= 0) view.setInt32(places[row]!, sentDay(days[row]!))
  }
}

const binaryTimestamps =
  (numbersOf = longs()): Sized =>
  (vector, lengths) => {
    const { numbers, large } = numbersOf(vector, lengths.length)
    lengths.fill(8)
    return ({ view, places }, _, from, to) => {
      for (let row = from; row < to; row++) {
        if (lengths[row]! < 0) continue
        const sent = sentInstant(large.get(row) ?? numbers[row]!)
        if (typeof sent === 'bigint') view.setBigInt64(places[row]!, sent)
        else {
          view.setInt32(places[row]!, Math.floor(sent / 2 ** 32))
          view.setInt32(places[row]! + 4, sent | 0)
        }
      }
    }
  }

// --- numbers in text

/** Whole numbers of a vector as far as doubles hold them; of those that they do not, NaN, and the number itself in `large`. */
type Wholes = (vector: DuckDBVector, count: number) => { numbers: ArrayLike<number>; large: Map<number, bigint> }
const noneLarge: Map<number, bigint> = new Map()

const placed = (vector: DuckDBVector) => (rawOf(vector).items ?? rawOf(vector).dataView)!
const shorts: Wholes = (vector, count) => {
  const { buffer, byteOffset } = placed(vector)
  return { numbers: new Int16Array(buffer, byteOffset, count), large: noneLarge }
}
const integers: Wholes = (vector, count) => {
  return { numbers: wordsOf(vector, count), large: noneLarge }
}
const longs =
  (numbersOf = keptFloats()): Wholes =>
  (vector, count) => {
    const halves = wordsOf(vector, count * 2)
    const numbers = numbersOf(count)
    let large = noneLarge
    for (let row = 0; row < count; row++) {
      const low = halves[row * 2]! >>> 0
      const high = halves[row * 2 + 1]!
      if (high >= -0x20_0000 && high < 0x20_0000) {
        numbers[row] = high * 2 ** 32 + low
        continue
      }
      if (large === noneLarge) large = new Map()
      large.set(row, (BigInt(high) << 32n) | BigInt(low))
      numbers[row] = NaN
    }
    return { numbers, large }
  }

/** Values that the loops do not know, as text by row. */
type Odd = (Buffer | undefined)[]
const odd = new ByteWriter(64)
function oddText<Value>(write: (value: Value, out: ByteWriter) => unknown, value: Value): Buffer {
  odd.at = 0
  write(value, odd)
  return Buffer.from(odd.bytes.subarray(0, odd.at))
}

/** Whole numbers, of which the last `scale` digits stand behind a point. */
const decimals =
  (wholes: Wholes, scale: number, textsOf = keptTexts<Buffer | undefined>()): Sized =>
  (vector, lengths) => {
    const { numbers, large } = wholes(vector, lengths.length)
    const texts: Odd = textsOf(lengths.length)
    for (const [row, unscaled] of large) texts[row] = oddText(writeText.numeric, { unscaled, scale })
    const more = scale === 0 ? 0 : 1
    for (let row = 0; row < lengths.length; row++) {
      const value = numbers[row]!
      if (value >= 0) lengths[row] = Math.max(digitsOf(value), scale + 1) + more
      else if (value < 0) lengths[row] = Math.max(digitsOf(-value), scale + 1) + more + 1
      else lengths[row] = texts[row]!.length
    }
    return ({ bytes, view, places }, _, from, to) => {
      for (let row = from; row < to; row++) {
        const value = numbers[row]!
        const length = lengths[row]!
        if (length < 0) continue
        if (value === value) putNumber(view, places[row]!, length, value, scale)
        else bytes.set(texts[row]!, places[row])
      }
    }
  }

const doubles =
  (unscaledOf = keptFloats(), scalesOf = keptInts(), textsOf = keptTexts<string>()): Sized =>
  (vector, lengths) => {
    const { buffer, byteOffset } = placed(vector)
    const values = new Float64Array(buffer, byteOffset, lengths.length)
    // Most numbers that people have are a whole one with a few digits behind the point, found faster than by making text of them.
    const unscaled = unscaledOf(lengths.length)
    const scales = scalesOf(lengths.length)
    const texts = textsOf(lengths.length)
    for (let row = 0; row < lengths.length; row++) {
      const value = values[row]!
      const size = Math.abs(value)
      let scale = 0
      let unit = 1
      let whole = NaN
      if (size >= 1e-4 && size < 1e11)
        for (; scale <= 4; scale++, unit *= 10) {
          const near = Math.round(value * unit)
          if (near / unit !== value) continue
          whole = near
          break
        }
      unscaled[row] = whole
      if (whole === whole) {
        scales[row] = scale
        lengths[row] = Math.max(digitsOf(Math.abs(whole)), scale + 1) + (scale === 0 ? 0 : 1) + (value < 0 ? 1 : 0)
      } else {
        const text = showDouble(value)
        texts[row] = text
        lengths[row] = text.length
      }
    }
    return ({ bytes, view, places }, _, from, to) => {
      for (let row = from; row < to; row++) {
        const length = lengths[row]!
        const whole = unscaled[row]!
        if (length < 0) continue
        if (whole === whole) {
          putNumber(view, places[row]!, length, whole, scales[row]!)
          continue
        }
        bytes.write(texts[row]!, places[row]!, 'latin1')
      }
    }
  }

/** How many digits a whole number has, none below zero. */
const digitsOf = (value: number): number => (value < 1e9 ? digitCount(value) : 9 + digitCount(Math.floor(value / 1e9)))

function putNumber(view: DataView, at: number, length: number, value: number, scale: number): void {
  let end = at + length
  if (value < 0) {
    view.setUint8(at, 45)
    value = -value
  }
  if (scale > 0) {
    const unit = units[scale]!
    const whole = Math.floor(value / unit)
    putDigits(view, end, value - whole * unit, scale)
    end -= scale + 1
    view.setUint8(end, 46)
    value = whole
  }
  if (value >= 1e9) {
    const high = Math.floor(value / 1e9)
    putDigits(view, end, value - high * 1e9, 9)
    end -= 9
    value = high
  }
  putDigits(view, end, value, 1)
}
const units = Float64Array.from({ length: 10 }, (_, scale) => 10 ** scale)
/** Two digits at once. */
const pairs = Uint16Array.from(
  { length: 100 },
  (_, value) => ((48 + Math.floor(value / 10)) << 8) | (48 + (value % 10)),
)

/** At least `width` digits that end at `end`, of a whole number below 2^31. */
function putDigits(view: DataView, end: number, value: number, width: number): void {
  const begin = end - width
  let rest = value | 0
  while (rest >= 100) {
    const hundredth = (rest / 100) | 0
    end -= 2
    view.setUint16(end, pairs[rest - hundredth * 100]!)
    rest = hundredth
  }
  if (rest >= 10) {
    end -= 2
    view.setUint16(end, pairs[rest]!)
  } else view.setUint8(--end, 48 + rest)
  while (end > begin) view.setUint8(--end, 48)
}

// --- times in text

const dates =
  (textsOf = keptTexts<Buffer | undefined>()): Sized =>
  (vector, lengths) => {
    const { numbers } = integers(vector, lengths.length)
    const texts: Odd = textsOf(lengths.length)
    for (let row = 0; row < lengths.length; row++) {
      lengths[row] = 10
      if (isPlainDay(numbers[row]!)) continue
      const text = oddText(writeText.date, numbers[row]!)
      texts[row] = text
      lengths[row] = text.length
    }
    return ({ bytes, view, places }, _, from, to) => {
      for (let row = from; row < to; row++) {
        if (lengths[row]! < 0) continue
        if (isPlainDay(numbers[row]!)) putDay(view, places[row]!, numbers[row]!)
        else bytes.set(texts[row]!, places[row])
      }
    }
  }

const timestamps =
  (
    zoned: boolean,
    numbersOf = longs(),
    daysOf = keptInts(),
    restsOf = keptFloats(),
    textsOf = keptTexts<Buffer | undefined>(),
  ): Sized =>
  (vector, lengths) => {
    const { numbers, large } = numbersOf(vector, lengths.length)
    const days = daysOf(lengths.length)
    const rests = restsOf(lengths.length)
    const texts: Odd = textsOf(lengths.length)
    const write: (value: Long, out: ByteWriter) => unknown = zoned ? writeText.timestamptz : writeText.timestamp
    const more = zoned ? 3 : 0
    for (let row = 0; row < lengths.length; row++) {
      const micros = numbers[row]!
      const day = Math.floor(micros / dayMicros)
      if (!isPlainDay(day)) {
        days[row] = oddDay
        const text = oddText(write, large.get(row) ?? micros)
        texts[row] = text
        lengths[row] = text.length
        continue
      }
      days[row] = day
      const rest = micros - day * dayMicros
      rests[row] = rest
      let fraction = rest % 1_000_000
      let width = 19 + more
      if (fraction > 0) for (width += 7; fraction % 10 === 0; width--) fraction /= 10
      lengths[row] = width
    }
    return ({ bytes, view, places }, _, from, to) => {
      for (let row = from; row < to; row++) {
        const length = lengths[row]!
        if (length < 0) continue
        const at = places[row]!
        const rest = rests[row]!
        if (days[row] === oddDay) {
          bytes.set(texts[row]!, at)
          continue
        }
        putDay(view, at, days[row]!)
        view.setUint8(at + 10, 32)
        const seconds = Math.floor(rest / 1_000_000)
        const minutes = (seconds / 60) | 0
        view.setUint16(at + 11, pairs[(minutes / 60) | 0]!)
        view.setUint8(at + 13, 58)
        view.setUint16(at + 14, pairs[minutes % 60]!)
        view.setUint8(at + 16, 58)
        view.setUint16(at + 17, pairs[seconds % 60]!)
        const end = at + length - more
        if (end > at + 19) {
          view.setUint8(at + 19, 46)
          const width = end - at - 20
          putDigits(view, end, (rest - seconds * 1_000_000) / units[6 - width]!, width)
        }
        if (zoned) {
          view.setUint8(end, 43)
          view.setUint16(end + 1, pairs[0]!)
        }
      }
    }
  }

const oddDay = -(2 ** 31)
/** Of the years 1 to 9999, which are written in ten letters. */
const isPlainDay = (days: number): boolean => days >= -719_162 && days <= 2_932_896

function putDay(view: DataView, at: number, days: number): void {
  const place = placeOfDay(days)
  view.setInt32(at, dayTexts.getInt32(place))
  view.setInt32(at + 4, dayTexts.getInt32(place + 4))
  view.setInt16(at + 8, dayTexts.getInt16(place + 8))
}
