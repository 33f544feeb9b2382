// Sets of row positions, and the bytes they have in deletion vectors: 64-bit Roaring bitmaps in the portable format
// (https://github.com/RoaringBitmap/RoaringFormatSpec).
//
// Positions are cut into chunks of 65,536. What is set in a chunk is kept in the form that is smallest: a sorted array,
// a bitmap of 8 KiB, or runs. A set read from bytes keeps the forms it came in, so that it takes no more memory than
// its bytes: a run of four bytes may stand for a whole chunk, and a hostile file may have millions of them.

type Container =
  | { kind: 'array'; values: Uint16Array; count: number }
  | { kind: 'bitmap'; words: Uint32Array; count: number }
  /** Pairs of the first position and the last one. */
  | { kind: 'runs'; pairs: Uint16Array; count: number }

const chunkSize = 65_536
const arrayMax = 4096
const bitmapWords = chunkSize / 32
const cookieWithoutRuns = 12_346
const cookieWithRuns = 12_347
/** Files with runs and fewer containers than this have no table of offsets. */
const offsetsFrom = 4

/** Thrown for bytes that are no bitmap; whoever knows the file's name turns it into a Failure. */
export class RoaringError extends Error {}

/** A set of row positions, integers from 0 below 2^53. */
export class Positions {
  readonly #chunks: Map<number, Container>
  constructor(positions: Iterable<number> = [], chunks = new Map<number, Container>()) {
    this.#chunks = chunks
    for (const position of positions) this.add(position)
  }

  get cardinality(): number {
    let sum = 0
    for (const { count } of this.#chunks.values()) sum += count
    return sum
  }

  has(position: number): boolean {
    const chunk = this.#chunks.get(Math.floor(position / chunkSize))
    const low = position % chunkSize
    switch (chunk?.kind) {
      case 'array':
        return chunk.values[lowerBound(chunk.values, chunk.count, low)] === low
      case 'bitmap':
        return (chunk.words[low >>> 5]! & (1 << (low & 31))) !== 0
      case 'runs': {
        for (let at = 0; at < chunk.pairs.length; at += 2)
          if (chunk.pairs[at]! <= low && low <= chunk.pairs[at + 1]!) return true
        return false
      }
      default:
        return false
    }
  }

  /** Cheapest in ascending order. False when it was in the set already. */
  add(position: number): boolean {
    const key = Math.floor(position / chunkSize)
    const low = position % chunkSize
    const chunk = this.#chunks.get(key)
    if (!chunk) {
      this.#chunks.set(key, { kind: 'array', values: Uint16Array.of(low, 0, 0, 0), count: 1 })
      return true
    }
    if (chunk.kind === 'runs') {
      this.#chunks.set(key, asBitmap(chunk))
      return this.add(position)
    }
    if (chunk.kind === 'bitmap') {
      const bit = 1 << (low & 31)
      if ((chunk.words[low >>> 5]! & bit) !== 0) return false
      chunk.words[low >>> 5]! |= bit
      chunk.count++
      return true
    }
    const { values, count } = chunk
    const at = count > 0 && values[count - 1]! < low ? count : lowerBound(values, count, low)
    if (at < count && values[at] === low) return false
    if (count === arrayMax) {
      this.#chunks.set(key, asBitmap(chunk))
      return this.add(position)
    }
    if (count === values.length) {
      chunk.values = new Uint16Array(count * 2)
      chunk.values.set(values)
    }
    chunk.values.copyWithin(at + 1, at, count)
    chunk.values[at] = low
    chunk.count++
    return true
  }

  /** Adds all of another set: a new deletion vector holds what the one before it held. */
  addAll(others: Positions): void {
    for (const [start, end] of others.ranges()) for (let at = start; at < end; at++) this.add(at)
  }

  /** Ascending, as `[first, one past the last]`; neighbours are one range. */
  *ranges(): Generator<readonly [number, number]> {
    let [start, end] = [-1, -1]
    for (const [key, chunk] of this.#sorted())
      for (const [first, last] of runsOf(chunk)) {
        const [from, to] = [key * chunkSize + first, key * chunkSize + last + 1]
        if (from !== end) {
          if (end > start) yield [start, end]
          start = from
        }
        end = to
      }
    if (end > start) yield [start, end]
  }

  *[Symbol.iterator](): Generator<number> {
    for (const [start, end] of this.ranges()) for (let at = start; at < end; at++) yield at
  }

  #sorted(): [number, Container][] {
    return [...this.#chunks].sort(([a], [b]) => a - b)
  }

  /** The portable 64-bit format; every chunk in its smallest form. */
  encode(): Uint8Array {
    const byHigh = Map.groupBy(this.#sorted(), ([key]) => Math.floor(key / chunkSize))
    const parts: Uint8Array[] = [bytesOf(8, (view) => view.setBigUint64(0, BigInt(byHigh.size), true))]
    for (const [high, chunks] of byHigh)
      parts.push(
        bytesOf(4, (view) => view.setUint32(0, high, true)),
        encode32(chunks.map(([key, chunk]) => [key % chunkSize, smallest(chunk)])),
      )
    return Buffer.concat(parts)
  }

  /** RoaringError when the bytes are not exactly one bitmap. */
  static decode(bytes: Uint8Array): Positions {
    const chunks = new Map<number, Container>()
    const input = new Input(bytes)
    const bitmaps = input.uint64()
    let before = -1
    for (let index = 0; index < bitmaps; index++) {
      const high = input.uint32()
      // Java writes keys below 2^31; below 2^21 a position is exact here, and no file has 2^53 rows.
      if (high <= before || high >= 2 ** 21) throw new RoaringError(`the key ${high} is out of order or too large`)
      before = high
      decode32(input, (key, chunk) => chunks.set(high * chunkSize + key, chunk))
    }
    if (input.left > 0) throw new RoaringError(`${input.left} bytes are left over`)
    return new Positions([], chunks)
  }
}

// --- containers

/** The first place in the sorted `values` that is not below `value`. */
function lowerBound(values: Uint16Array, count: number, value: number): number {
  let [low, high] = [0, count]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (values[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

function* runsOf(chunk: Container): Generator<readonly [number, number]> {
  if (chunk.kind === 'runs') {
    for (let at = 0; at < chunk.pairs.length; at += 2) yield [chunk.pairs[at]!, chunk.pairs[at + 1]!]
    return
  }
  let [first, last] = [-1, -2]
  for (const value of valuesOf(chunk)) {
    if (value !== last + 1) {
      if (last >= 0) yield [first, last]
      first = value
    }
    last = value
  }
  if (last >= 0) yield [first, last]
}

function* valuesOf(chunk: Exclude<Container, { kind: 'runs' }>): Generator<number> {
  if (chunk.kind === 'array') {
    for (let at = 0; at < chunk.count; at++) yield chunk.values[at]!
    return
  }
  for (let at = 0; at < bitmapWords; at++)
    for (let word = chunk.words[at]!; word !== 0; word &= word - 1) yield at * 32 + 31 - Math.clz32(word & -word)
}

function asBitmap(chunk: Container): Container & { kind: 'bitmap' } {
  const words = new Uint32Array(bitmapWords)
  for (const [first, last] of runsOf(chunk)) for (let at = first; at <= last; at++) words[at >>> 5]! |= 1 << (at & 31)
  return { kind: 'bitmap', words, count: chunk.count }
}

function smallest(chunk: Container): Container {
  const plainBytes = chunk.count <= arrayMax ? chunk.count * 2 : bitmapWords * 4
  const pairs: number[] = []
  for (const run of runsOf(chunk)) {
    pairs.push(...run)
    if (2 + pairs.length * 2 >= plainBytes) {
      if (chunk.count > arrayMax) return asBitmap(chunk)
      const values = chunk.kind === 'array' ? chunk.values.subarray(0, chunk.count) : [...plainValues(chunk)]
      return { kind: 'array', values: Uint16Array.from(values), count: chunk.count }
    }
  }
  return { kind: 'runs', pairs: Uint16Array.from(pairs), count: chunk.count }
}

function* plainValues(chunk: Container): Generator<number> {
  for (const [first, last] of runsOf(chunk)) for (let at = first; at <= last; at++) yield at
}

// --- bytes of one 32-bit bitmap

function bytesOf(length: number, fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length)
  fill(new DataView(bytes.buffer))
  return bytes
}

const sizeOf = (chunk: Container): number =>
  chunk.kind === 'array' ? chunk.count * 2 : chunk.kind === 'bitmap' ? bitmapWords * 4 : 2 + chunk.pairs.length * 2

function encode32(chunks: readonly (readonly [number, Container])[]): Uint8Array {
  const hasRuns = chunks.some(([, { kind }]) => kind === 'runs')
  const flagBytes = hasRuns ? Math.ceil(chunks.length / 8) : 0
  const hasOffsets = !hasRuns || chunks.length >= offsetsFrom
  const headerBytes = (hasRuns ? 4 : 8) + flagBytes + chunks.length * (hasOffsets ? 8 : 4)
  const total = headerBytes + chunks.reduce((sum, [, chunk]) => sum + sizeOf(chunk), 0)
  return bytesOf(total, (view) => {
    let at = 0
    const put16 = (value: number) => {
      view.setUint16(at, value, true)
      at += 2
    }
    const put32 = (value: number) => {
      view.setUint32(at, value, true)
      at += 4
    }
    if (hasRuns) {
      put16(cookieWithRuns)
      put16(chunks.length - 1)
      chunks.forEach(([, { kind }], index) => {
        if (kind === 'runs') view.setUint8(at + (index >> 3), view.getUint8(at + (index >> 3)) | (1 << (index & 7)))
      })
      at += flagBytes
    } else {
      put32(cookieWithoutRuns)
      put32(chunks.length)
    }
    for (const [key, { count }] of chunks) {
      put16(key)
      put16(count - 1)
    }
    let offset = headerBytes
    if (hasOffsets)
      for (const [, chunk] of chunks) {
        put32(offset)
        offset += sizeOf(chunk)
      }
    for (const [, chunk] of chunks)
      if (chunk.kind === 'array') for (let index = 0; index < chunk.count; index++) put16(chunk.values[index]!)
      else if (chunk.kind === 'bitmap') for (const word of chunk.words) put32(word)
      else {
        put16(chunk.pairs.length / 2)
        for (let index = 0; index < chunk.pairs.length; index += 2) {
          put16(chunk.pairs[index]!)
          put16(chunk.pairs[index + 1]! - chunk.pairs[index]!)
        }
      }
  })
}

function decode32(input: Input, put: (key: number, chunk: Container) => void): void {
  const cookie = input.uint32()
  const hasRuns = (cookie & 0xffff) === cookieWithRuns
  if (!hasRuns && cookie !== cookieWithoutRuns) throw new RoaringError(`the cookie ${cookie} is not known`)
  const count = hasRuns ? (cookie >>> 16) + 1 : input.uint32()
  if (count > chunkSize) throw new RoaringError(`${count} containers are more than there can be`)
  const flags = hasRuns ? input.take(Math.ceil(count / 8)) : new Uint8Array(0)
  const header = Array.from({ length: count }, () => ({ key: input.uint16(), count: input.uint16() + 1 }))
  // Containers follow each other without gaps: their offsets say nothing new.
  if (!hasRuns || count >= offsetsFrom) input.take(count * 4)
  header.forEach(({ key, count }, index) => {
    if (index > 0 && key <= header[index - 1]!.key) throw new RoaringError('containers are out of order')
    const isRuns = hasRuns && (flags[index >> 3]! & (1 << (index & 7))) !== 0
    put(key, isRuns ? decodeRuns(input) : count <= arrayMax ? decodeArray(input, count) : decodeBitmap(input, count))
  })
}

function decodeArray(input: Input, count: number): Container {
  const values = input.uint16s(count)
  for (let at = 1; at < count; at++)
    if (values[at]! <= values[at - 1]!) throw new RoaringError('an array container is not sorted')
  return { kind: 'array', values, count }
}

function decodeBitmap(input: Input, stated: number): Container {
  const words = input.uint32s(bitmapWords)
  let count = 0
  for (const word of words) for (let rest = word; rest !== 0; rest &= rest - 1) count++
  if (count !== stated) throw new RoaringError(`a bitmap container has ${count} positions and claims ${stated}`)
  return { kind: 'bitmap', words, count }
}

function decodeRuns(input: Input): Container {
  const pairs = input.uint16s(input.uint16() * 2)
  let count = 0
  for (let at = 0; at < pairs.length; at += 2) {
    const last = pairs[at]! + pairs[at + 1]!
    if (last >= chunkSize || (at > 0 && pairs[at]! <= pairs[at - 1]!))
      throw new RoaringError('a run container is not sorted')
    count += pairs[at + 1]! + 1
    pairs[at + 1] = last
  }
  return { kind: 'runs', pairs, count }
}

/** Bytes with a position; every read is within them or fails. */
class Input {
  readonly #view: DataView
  #at = 0
  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }
  get left(): number {
    return this.#view.byteLength - this.#at
  }
  take(length: number): Uint8Array {
    if (length > this.left) throw new RoaringError('it ends too early')
    this.#at += length
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + this.#at - length, length)
  }
  uint16(): number {
    this.take(2)
    return this.#view.getUint16(this.#at - 2, true)
  }
  uint32(): number {
    this.take(4)
    return this.#view.getUint32(this.#at - 4, true)
  }
  uint64(): number {
    this.take(8)
    const value = this.#view.getBigUint64(this.#at - 8, true)
    return value <= 0xffff_ffffn ? Number(value) : Number.POSITIVE_INFINITY
  }
  uint16s(count: number): Uint16Array {
    const bytes = this.take(count * 2)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return Uint16Array.from({ length: count }, (_, index) => view.getUint16(index * 2, true))
  }
  uint32s(count: number): Uint32Array {
    const bytes = this.take(count * 4)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return Uint32Array.from({ length: count }, (_, index) => view.getUint32(index * 4, true))
  }
}
