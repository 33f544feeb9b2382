// LZMA2, what .xz files are made of: chunks of LZMA, or of bytes as they were. After Igor Pavlov's specification of LZMA
// (lzma-specification.txt of the LZMA SDK).
//
// LZMA is LZ77 whose every decision (a byte or a match; its length; how far back) is a path of bits, each of which has a
// probability of its own that adapts. The range coder turns probabilities and packed bytes into those bits. What was
// unpacked is the dictionary.

import { damaged, type Unpacked } from './unpacked.ts'

/** Unpacks the chunks of `packed` from `start` and gives where they end. @throws CodecError */
export function unlzma2(packed: Uint8Array, start: number, output: Unpacked): number {
  let at = start
  const byte = () => packed[at++] ?? damaged('it ends too early')
  const word = () => byte() * 256 + byte()
  const take = (count: number) => {
    at += count
    return at <= packed.length ? packed.subarray(at - count, at) : damaged('it ends too early')
  }
  let decoder: Lzma | undefined
  let dictionaryStart = -1
  for (let control = byte(); control !== 0; control = byte()) {
    if (control === 1 || control >= 0xe0) {
      dictionaryStart = output.length
      decoder = undefined
    }
    if (dictionaryStart < 0) damaged('its first chunk builds on another')
    if (control < 0x80) {
      if (control > 2) damaged('a chunk is of no known kind')
      output.raw(take(word() + 1))
      continue
    }
    const size = (control & 0x1f) * 65_536 + word() + 1
    const packedSize = word() + 1
    if (control >= 0xc0) decoder = new Lzma(byte())
    else if (control >= 0xa0) decoder?.reset()
    if (!decoder) return damaged('a chunk builds on another that is not there')
    decoder.read(take(packedSize), size, output, dictionaryStart)
  }
  return at
}

/** Probabilities that a bit is 0, in 2048ths. All start as even. */
const even = 1024
const odds = (count: number) => new Uint16Array(count).fill(even)

const [stateCount, positionStates] = [12, 16]
const lengthOdds = () => ({
  choices: odds(2),
  near: odds(positionStates * 8),
  far: odds(positionStates * 8),
  rest: odds(256),
})
/** Of a distance with more than `modelledSlots`, only the lowest `alignBits` have probabilities. */
const [modelledSlots, alignBits] = [14, 4]

class Lzma {
  readonly #literalContextBits: number
  readonly #literalMask: number
  readonly #positionMask: number
  readonly #literals: Uint16Array
  readonly #isMatch = odds(stateCount * positionStates)
  readonly #isRepeat = odds(stateCount)
  /** Whether a repeated distance is not the last, not the last but one, not the last but two. */
  readonly #isOlder = odds(stateCount * 3)
  readonly #isLong = odds(stateCount * positionStates)
  readonly #slots = odds(4 * 64)
  readonly #distances = odds(115)
  readonly #align = odds(1 << alignBits)
  readonly #matchLength = lengthOdds()
  readonly #repeatLength = lengthOdds()
  /** What the last steps were; below 7 the last one was a byte. */
  #state = 0
  /** The last four distances, less one. */
  #recent = [0, 0, 0, 0]

  constructor(properties: number) {
    const positionBits = Math.floor(properties / 45)
    const literalPositionBits = Math.floor(properties / 9) % 5
    this.#literalContextBits = properties % 9
    if (positionBits > 4 || this.#literalContextBits + literalPositionBits > 4) damaged('its properties are none')
    this.#literalMask = (1 << literalPositionBits) - 1
    this.#positionMask = (1 << positionBits) - 1
    this.#literals = odds(0x300 << (this.#literalContextBits + literalPositionBits))
  }

  reset(): void {
    const lengths = [...Object.values(this.#matchLength), ...Object.values(this.#repeatLength)]
    const steps = [this.#isMatch, this.#isRepeat, this.#isOlder, this.#isLong]
    const values = [this.#literals, this.#slots, this.#distances, this.#align]
    for (const all of [...steps, ...values, ...lengths]) all.fill(even)
    this.#state = 0
    this.#recent = [0, 0, 0, 0]
  }

  /** One chunk. Its matches reach back to `dictionaryStart` at most. */
  read(packed: Uint8Array, size: number, output: Unpacked, dictionaryStart: number): void {
    const coder = new RangeCoder(packed)
    const end = output.length + size
    while (output.length < end) {
      const position = output.length - dictionaryStart
      const place = this.#state * positionStates + (position & this.#positionMask)
      if (coder.bit(this.#isMatch, place) === 0) {
        this.#literal(coder, output, position)
        continue
      }
      const length = this.#match(coder, place, position & this.#positionMask)
      const back = this.#recent[0]! + 1
      if (back > position) damaged('a match lies before the beginning')
      if (output.length + length > end) damaged('a match is longer than its chunk')
      output.copy(back, length)
    }
    coder.finish()
  }

  #literal(coder: RangeCoder, output: Unpacked, position: number): void {
    const before = position === 0 ? 0 : output.last(1)
    const context =
      ((position & this.#literalMask) << this.#literalContextBits) + (before >> (8 - this.#literalContextBits))
    const base = context * 0x300
    let symbol = 1
    if (this.#state >= 7) {
      // The byte that would have gone on with the match did not come. Its bits still tell, until one is different.
      const expected = output.last(this.#recent[0]! + 1)
      for (let mask = 0x80; mask > 0; mask >>= 1) {
        const hint = (expected & mask) === 0 ? 0 : 1
        const bit = coder.bit(this.#literals, base + ((1 + hint) << 8) + symbol)
        symbol = symbol * 2 + bit
        if (bit !== hint) break
      }
    }
    while (symbol < 0x100) symbol = symbol * 2 + coder.bit(this.#literals, base + symbol)
    output.byte(symbol - 0x100)
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6
  }

  /** Puts the distance in front of `#recent` and gives the length. */
  #match(coder: RangeCoder, place: number, positionState: number): number {
    const state = this.#state
    const afterByte = state < 7
    if (coder.bit(this.#isRepeat, state) === 0) {
      this.#state = afterByte ? 7 : 10
      const length = readLength(coder, this.#matchLength, positionState)
      this.#recent = [this.#distance(coder, length), ...this.#recent.slice(0, 3)]
      return length
    }
    if (coder.bit(this.#isOlder, state) === 0) {
      if (coder.bit(this.#isLong, place) === 0) {
        this.#state = afterByte ? 9 : 11
        return 1
      }
    } else {
      let age = 1
      while (age < 3 && coder.bit(this.#isOlder, age * stateCount + state) === 1) age++
      this.#recent.unshift(...this.#recent.splice(age, 1))
    }
    this.#state = afterByte ? 8 : 11
    return readLength(coder, this.#repeatLength, positionState)
  }

  /** Less one. */
  #distance(coder: RangeCoder, length: number): number {
    const slot = coder.tree(this.#slots, Math.min(length - 2, 3) * 64, 6)
    if (slot < 4) return slot
    const lowBits = (slot >> 1) - 1
    const high = (2 + (slot & 1)) * 2 ** lowBits
    if (slot < modelledSlots) return high + coder.reverseTree(this.#distances, high - slot, lowBits)
    return high + coder.evenBits(lowBits - alignBits) * 2 ** alignBits + coder.reverseTree(this.#align, 0, alignBits)
  }
}

function readLength(coder: RangeCoder, { choices, near, far, rest }: ReturnType<typeof lengthOdds>, place: number) {
  if (coder.bit(choices, 0) === 0) return 2 + coder.tree(near, place * 8, 3)
  if (coder.bit(choices, 1) === 0) return 10 + coder.tree(far, place * 8, 3)
  return 18 + coder.tree(rest, 0, 8)
}

class RangeCoder {
  readonly #bytes: Uint8Array
  #at = 5
  #range = 0xffff_ffff
  #code: number
  constructor(bytes: Uint8Array) {
    if (bytes.length < 5 || bytes[0] !== 0) damaged('a chunk does not begin as one')
    this.#bytes = bytes
    this.#code = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1)
  }

  bit(probabilities: Uint16Array, index: number): 0 | 1 {
    this.#refill()
    const probability = probabilities[index]!
    const bound = (this.#range >>> 11) * probability
    if (this.#code < bound) {
      this.#range = bound
      probabilities[index] = probability + ((2048 - probability) >> 5)
      return 0
    }
    this.#range -= bound
    this.#code -= bound
    probabilities[index] = probability - (probability >> 5)
    return 1
  }

  /** Bits without a probability, the highest first. */
  evenBits(count: number): number {
    let value = 0
    for (let left = count; left > 0; left--) {
      this.#refill()
      this.#range >>>= 1
      const bit = this.#code >= this.#range ? 1 : 0
      if (bit === 1) this.#code -= this.#range
      value = value * 2 + bit
    }
    return value
  }

  /** The highest bit first; the probability of each depends on those before. */
  tree(probabilities: Uint16Array, base: number, bits: number): number {
    let node = 1
    for (let left = bits; left > 0; left--) node = node * 2 + this.bit(probabilities, base + node)
    return node - (1 << bits)
  }

  /** As `tree`, the lowest bit first. */
  reverseTree(probabilities: Uint16Array, base: number, bits: number): number {
    let [node, value] = [1, 0]
    for (let at = 0; at < bits; at++) {
      const bit = this.bit(probabilities, base + node)
      node = node * 2 + bit
      value += bit << at
    }
    return value
  }

  /** All that was packed was read, and nothing else. */
  finish(): void {
    this.#refill()
    if (this.#code !== 0 || this.#at !== this.#bytes.length) damaged('a chunk is longer than its bytes')
  }

  #refill(): void {
    if (this.#range >= 0x0100_0000) return
    this.#range = (this.#range << 8) >>> 0
    this.#code = ((this.#code << 8) | (this.#bytes[this.#at++] ?? damaged('a chunk ends too early'))) >>> 0
  }
}
