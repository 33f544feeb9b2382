// LZ4 frames, in which other programs pack the footers of Puffin files. Specification: lz4_Frame_format.md and
// lz4_Block_format.md of the LZ4 project.

import { damaged, Unpacked } from './unpacked.ts'

const frameMagic = 0x184d2204
const [smallestBlockBits, dictionaryId] = [4, 1]

/** One frame, and nothing after it. @throws CodecError */
export function unlz4(packed: Uint8Array, lengthMax: number): Uint8Array {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length)
  let at = 0
  const word = () => {
    if (at + 4 > packed.length) damaged('it ends too early')
    at += 4
    return view.getUint32(at - 4, true)
  }
  if (word() !== frameMagic) damaged('it does not begin as an LZ4 frame')
  const [flags, blockFlags] = [packed[4] ?? 0, packed[5] ?? 0]
  const has = (flag: number) => (flags & flag) !== 0
  const [independent, blockSums, contentSize, contentSum] = [has(0x20), has(0x10), has(0x08), has(0x04)]
  const blockBits = (blockFlags >> 4) & 7
  if (flags >> 6 !== 1 || has(dictionaryId) || blockBits < smallestBlockBits) damaged('its kind of frame is not read')
  at += 2
  const size = contentSize ? word() + word() * 2 ** 32 : undefined
  if (size !== undefined && size > lengthMax) damaged(`it unpacks to more than ${lengthMax} bytes`)
  if (packed[at] !== ((xxHash32(packed.subarray(4, at)) >>> 8) & 0xff)) damaged('its header is damaged')
  at++

  const output = new Unpacked(size ?? lengthMax)
  const blockSizeMax = 2 ** (8 + 2 * blockBits)
  for (let header = word(); header !== 0; header = word()) {
    const length = header % 2 ** 31
    if (length > blockSizeMax || at + length > packed.length) damaged('a block is longer than it may be')
    const block = packed.subarray(at, at + length)
    at += length
    if (blockSums && word() !== xxHash32(block)) damaged('the checksum of a block is wrong')
    const start = output.length
    if (header >= 2 ** 31) output.raw(block)
    else unpackBlock(block, output, independent ? start : 0)
    if (output.length - start > blockSizeMax) damaged('a block is longer than it may be')
  }
  const plain = output.bytes()
  if (contentSum && word() !== xxHash32(plain)) damaged('its checksum is wrong')
  if (at !== packed.length) damaged('something follows it')
  if (size !== undefined && size !== plain.length) damaged('its size is wrong')
  return plain
}

/** Sequences of bytes as they are, each followed by a match, the last one without. */
function unpackBlock(block: Uint8Array, output: Unpacked, dictionaryStart: number): void {
  let at = 0
  const byte = () => block[at++] ?? damaged('a block ends too early')
  const length = (nibble: number) => {
    let value = nibble
    if (nibble === 15)
      for (let more = 255; more === 255;) {
        more = byte()
        value += more
      }
    return value
  }
  for (;;) {
    const token = byte()
    const literals = length(token >> 4)
    if (at + literals > block.length) damaged('a block ends too early')
    output.raw(block.subarray(at, at + literals))
    at += literals
    if (at === block.length) return
    const back = byte() + byte() * 256
    if (back === 0 || back > output.length - dictionaryStart) damaged('a match lies before the beginning')
    output.copy(back, length(token & 15) + 4)
  }
}

const primes = [0x9e37_79b1, 0x85eb_ca77, 0xc2b2_ae3d, 0x27d4_eb2f, 0x1656_67b1] as const

/** XXH32 with the seed 0. */
function xxHash32(bytes: Uint8Array): number {
  const [p1, p2, p3, p4, p5] = primes
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const rotated = (value: number, bits: number) => (value << bits) | (value >>> (32 - bits))
  let at = 0
  let hash: number = p5
  if (bytes.length >= 16) {
    const lanes = [p1 + p2, p2, 0, -p1]
    for (; at + 16 <= bytes.length; at += 16)
      for (let lane = 0; lane < 4; lane++) {
        const mixed = lanes[lane]! + Math.imul(view.getUint32(at + lane * 4, true), p2)
        lanes[lane] = Math.imul(rotated(mixed, 13), p1)
      }
    hash = rotated(lanes[0]!, 1) + rotated(lanes[1]!, 7) + rotated(lanes[2]!, 12) + rotated(lanes[3]!, 18)
  }
  hash = (hash + bytes.length) | 0
  for (; at + 4 <= bytes.length; at += 4)
    hash = Math.imul(rotated(hash + Math.imul(view.getUint32(at, true), p3), 17), p4)
  for (; at < bytes.length; at++) hash = Math.imul(rotated(hash + Math.imul(bytes[at]!, p5), 11), p1)
  hash = Math.imul(hash ^ (hash >>> 15), p2)
  hash = Math.imul(hash ^ (hash >>> 13), p3)
  return (hash ^ (hash >>> 16)) >>> 0
}
