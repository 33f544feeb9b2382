// bzip2, to read Avro files of others. Node has no decoder, and those on npm give no bound to what a stream unpacks to.
//
// The writer took blocks of at most 900 kB through: run lengths, Burrows-Wheeler, move to front, run lengths of zeros,
// Huffman. Here each block goes the same way back. Bits come from the top of each byte. There is no text of the format but
// its source (bzip2 1.0.8, decompress.c); its limits are taken from there.

import { damaged, Unpacked } from './unpacked.ts'

const blockMagic = 0x314159265359
const endMagic = 0x177245385090
const [codeLengthMax, symbolsPerSelector] = [20, 50]

/** All streams of `packed`, one after the other. @throws CodecError */
export function unbzip2(packed: Uint8Array, lengthMax: number): Uint8Array {
  const input = new Bits(packed)
  const output = new Unpacked(lengthMax)
  do readStream(input, output)
  while (!input.isAtEnd())
  return output.bytes()
}

function readStream(input: Bits, output: Unpacked): void {
  if (input.bits(24) !== 0x425a68) damaged('it does not begin as bzip2')
  const level = input.bits(8) - 0x30
  if (level < 1 || level > 9) damaged('its level is none')
  let sums = 0
  for (;;) {
    const magic = input.bits(24) * 2 ** 24 + input.bits(24)
    const sum = input.bits(32)
    if (magic === endMagic) {
      if (sum !== sums) damaged('its checksum is wrong')
      return input.toByte()
    }
    if (magic !== blockMagic) damaged('a block does not begin as one')
    const start = output.length
    readBlock(input, output, level * 100_000)
    if (sumOf(output.bytes().subarray(start)) !== sum) damaged('the checksum of a block is wrong')
    sums = (((sums << 1) | (sums >>> 31)) ^ sum) >>> 0
  }
}

function readBlock(input: Bits, output: Unpacked, sizeMax: number): void {
  if (input.bits(1) === 1) damaged('it is of bzip2 before 0.9.5')
  const origin = input.bits(24)
  const { sorted, size, counts } = readSorted(input, sizeMax)
  if (origin >= size) damaged('a block begins outside of itself')

  // Burrows-Wheeler back: above the byte of each place stands the place of the next one.
  const starts = new Uint32Array(256)
  for (let byte = 1; byte < 256; byte++) starts[byte] = starts[byte - 1]! + counts[byte - 1]!
  for (let at = 0; at < size; at++) sorted[starts[sorted[at]! & 0xff]!++]! |= at << 8

  // Four equal bytes are followed by how many more there are.
  let [last, run] = [-1, 0]
  for (let left = size, at = sorted[origin]! >>> 8; left > 0; left--) {
    const byte = sorted[at]! & 0xff
    at = sorted[at]! >>> 8
    if (run === 4) {
      for (let more = byte; more > 0; more--) output.byte(last)
      last = -1
      run = 0
      continue
    }
    run = byte === last ? run + 1 : 1
    last = byte
    output.byte(byte)
  }
}

/** The block as Burrows-Wheeler left it, one byte in each number, and how often each byte is in it. */
function readSorted(input: Bits, sizeMax: number) {
  const order = readAlphabet(input)
  const end = order.length + 1
  const tableCount = input.bits(3)
  if (tableCount < 2 || tableCount > 6) damaged('a block has no tables')
  const selectors = readSelectors(input, tableCount)
  const tables = Array.from({ length: tableCount }, () => new Huffman(input, order.length + 2))

  const sorted = new Int32Array(sizeMax)
  const counts = new Uint32Array(256)
  let [size, run, weight] = [0, 0, 1]
  const flush = () => {
    if (size + run > sizeMax) damaged('a block is longer than its level allows')
    const byte = order[0]!
    sorted.fill(byte, size, size + run)
    counts[byte]! += run
    size += run
    ;[run, weight] = [0, 1]
  }
  for (const selector of selectors) {
    const table = tables[selector]!
    for (let left = symbolsPerSelector; left > 0; left--) {
      const symbol = table.read(input)
      if (symbol <= 1) {
        // A run of the byte in front: its length in base 2 with the digits 1 and 2, the lowest first.
        if (run > sizeMax) damaged('a run is longer than its block')
        run += weight << symbol
        weight *= 2
        continue
      }
      if (run > 0) flush()
      if (symbol === end) return { sorted, size, counts }
      if (size === sizeMax) damaged('a block is longer than its level allows')
      const byte = order[symbol - 1]!
      for (let at = symbol - 1; at > 0; at--) order[at] = order[at - 1]!
      order[0] = byte
      sorted[size++] = byte
      counts[byte]!++
    }
  }
  return damaged('a block has no end')
}

/** The bytes that occur in a block. */
function readAlphabet(input: Bits): Uint8Array {
  const groups = input.bits(16)
  const bytes: number[] = []
  for (let group = 0; group < 16; group++) {
    if (((groups << group) & 0x8000) === 0) continue
    const used = input.bits(16)
    for (let index = 0; index < 16; index++) if (((used << index) & 0x8000) !== 0) bytes.push(group * 16 + index)
  }
  return bytes.length > 0 ? Uint8Array.from(bytes) : damaged('a block has no bytes')
}

/** Which table each fifty symbols are read with. */
function readSelectors(input: Bits, tableCount: number): Uint8Array {
  const order = Array.from({ length: tableCount }, (_, index) => index)
  const selectors = new Uint8Array(input.bits(15))
  for (let at = 0; at < selectors.length; at++) {
    let place = 0
    while (input.bits(1) === 1) if (++place >= tableCount) damaged('a selector names no table')
    order.unshift(...order.splice(place, 1))
    selectors[at] = order[0]!
  }
  return selectors
}

/** A canonical code: codes of one length follow each other, in the order of their symbols. */
class Huffman {
  /** By length: the first code above those of this length, moved to the left as far as the longest ones go. */
  readonly #limits: number[] = []
  /** By length: where in `#symbols` a code is found, less the code. */
  readonly #offsets: number[] = []
  readonly #symbols: number[] = []

  constructor(input: Bits, symbolCount: number) {
    const lengths: number[] = []
    let length = input.bits(5)
    for (let symbol = 0; symbol < symbolCount; symbol++) {
      for (;;) {
        if (length < 1 || length > codeLengthMax) damaged('a code has an impossible length')
        if (input.bits(1) === 0) break
        length += input.bits(1) === 0 ? 1 : -1
      }
      lengths.push(length)
    }
    let code = 0
    for (let length = 0; length <= codeLengthMax; length++) {
      this.#offsets.push(this.#symbols.length - code)
      for (const [symbol, own] of lengths.entries()) if (own === length) this.#symbols.push(symbol)
      code = this.#symbols.length - this.#offsets[length]!
      this.#limits.push(code)
      code *= 2
    }
  }

  read(input: Bits): number {
    let code = 0
    for (let length = 1; length <= codeLengthMax; length++) {
      code = code * 2 + input.bits(1)
      if (code < this.#limits[length]!) return this.#symbols[code + this.#offsets[length]!] ?? damaged('a code is none')
    }
    return damaged('a code is none')
  }
}

class Bits {
  readonly #bytes: Uint8Array
  #at = 0
  #held = 0
  #heldBits = 0
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** At most 32. */
  bits(count: number): number {
    if (count > 24) return this.bits(count - 16) * 65_536 + this.bits(16)
    for (; this.#heldBits < count; this.#heldBits += 8)
      this.#held = (this.#held << 8) | (this.#bytes[this.#at++] ?? damaged('it ends too early'))
    this.#heldBits -= count
    return (this.#held >>> this.#heldBits) & (2 ** count - 1)
  }

  toByte(): void {
    this.#heldBits = 0
  }

  isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }
}

/** CRC-32 with bzip2's order of bits: from the top. */
function sumOf(bytes: Uint8Array): number {
  let sum = 0xffff_ffff
  for (const byte of bytes) sum = (sum << 8) ^ sumTable[(sum >>> 24) ^ byte]!
  return ~sum >>> 0
}

const sumTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 24
  for (let bit = 0; bit < 8; bit++) sum = (sum << 1) ^ (sum < 0 ? 0x04c1_1db7 : 0)
  return sum
})
