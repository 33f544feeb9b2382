// .xz, to read Avro files of others. The decoders on npm are WebAssembly behind streams, without a bound to what comes out.
// The container's specification: tukaani.org/xz/xz-file-format.txt. Of its filters only LZMA2 is read, which is what
// programs use that pack records rather than machine code.

import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { unlzma2 } from './lzma2.ts'
import { damaged, Unpacked } from './unpacked.ts'

const headerMagic = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0])
const footerMagic = Buffer.from('YZ')
const [headerBytes, footerBytes] = [12, 12]
const lzma2Filter = 0x21

/** All streams of `packed`, one after the other. @throws CodecError */
export function unxz(packed: Uint8Array, lengthMax: number): Uint8Array {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.length)
  const output = new Unpacked(lengthMax)
  for (let at = 0; ;) {
    at = readStream(bytes, at, output)
    while (at < bytes.length && bytes.subarray(at, at + 4).equals(padding)) at += 4
    if (at === bytes.length) return output.bytes()
  }
}
const padding = Buffer.alloc(4)

/** Gives where it ends. */
function readStream(bytes: Buffer, start: number, output: Unpacked): number {
  if (start + headerBytes > bytes.length) damaged('it ends too early')
  if (!headerMagic.equals(bytes.subarray(start, start + 6))) damaged('it does not begin as xz')
  const flags = bytes.subarray(start + 6, start + 8)
  if (crc32(flags) !== bytes.readUInt32LE(start + 8)) damaged('its header is damaged')
  const check = checks[flags[1]!]
  if (flags[0] !== 0 || !check) return damaged('its kind of checksum is unknown')
  let at = start + headerBytes
  let blocks = 0
  for (; bytes[at] !== 0; blocks++) at = readBlock(bytes, at, output, check)
  at = readIndex(bytes, at, blocks)
  if (at + footerBytes > bytes.length) damaged('it ends too early')
  const footer = bytes.subarray(at, at + footerBytes)
  if (
    crc32(footer.subarray(4, 10)) !== footer.readUInt32LE(0) ||
    !flags.equals(footer.subarray(8, 10)) ||
    !footerMagic.equals(footer.subarray(10))
  )
    damaged('its end is damaged')
  return at + footerBytes
}

function readBlock(bytes: Buffer, start: number, output: Unpacked, check: Check): number {
  const headerSize = (bytes[start] ?? damaged('it ends too early')) * 4 + 4
  const header = bytes.subarray(start, start + headerSize)
  if (header.length < headerSize) damaged('it ends too early')
  if (crc32(header.subarray(0, -4)) !== header.readUInt32LE(headerSize - 4)) damaged('the header of a block is damaged')
  const flags = header[1]!
  const fields = new Fields(header.subarray(0, -4), 2)
  const [hasPackedSize, hasSize] = [(flags & 0x40) !== 0, (flags & 0x80) !== 0]
  const packedSize = hasPackedSize ? fields.number() : undefined
  const size = hasSize ? fields.number() : undefined
  if ((flags & 0x3f) !== 0 || fields.number() !== lzma2Filter) damaged('it is packed by a filter other than LZMA2')

  const [dataStart, outputStart] = [start + headerSize, output.length]
  const end = unlzma2(bytes, dataStart, output)
  const plain = output.bytes().subarray(outputStart)
  if (packedSize !== undefined && packedSize !== end - dataStart) damaged('the packed size of a block is wrong')
  if (size !== undefined && size !== plain.length) damaged('the size of a block is wrong')
  const sumAt = dataStart + Math.ceil((end - dataStart) / 4) * 4
  const sum = check(plain)
  if (!sum.equals(bytes.subarray(sumAt, sumAt + sum.length))) damaged('the checksum of a block is wrong')
  return sumAt + sum.length
}

/** What was told along the way tells it all already, so the index is checked for damage and no more. */
function readIndex(bytes: Buffer, start: number, blocks: number): number {
  const fields = new Fields(bytes, start + 1)
  if (fields.number() !== blocks) damaged('its index is wrong')
  for (let left = blocks * 2; left > 0; left--) fields.number()
  const end = start + Math.ceil((fields.at - start) / 4) * 4
  if (end + 4 > bytes.length || crc32(bytes.subarray(start, end)) !== bytes.readUInt32LE(end))
    damaged('its index is damaged')
  return end + 4
}

class Fields {
  at: number
  readonly #bytes: Uint8Array
  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.at = at
  }
  /** Seven bits a byte, the lowest first. Above 2^53 no longer exact, which no size here can be. */
  number(): number {
    let value = 0
    for (let factor = 1; factor <= 2 ** 56; factor *= 128) {
      const byte = this.#bytes[this.at++] ?? damaged('it ends too early')
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
    return damaged('a number in it is too long')
  }
}

type Check = (plain: Uint8Array) => Buffer
/** By their ids. */
const checks: Readonly<Record<number, Check>> = {
  0: () => Buffer.alloc(0),
  1: (plain) => {
    const sum = Buffer.alloc(4)
    sum.writeUInt32LE(crc32(plain))
    return sum
  },
  4: crc64,
  10: (plain) => createHash('sha256').update(plain).digest(),
}

/** CRC-64 of ECMA-182, reflected; in halves, for bigints would take longer than the unpacking. */
function crc64(plain: Uint8Array): Buffer {
  let [high, low] = [-1, -1]
  for (const byte of plain) {
    const at = (low ^ byte) & 0xff
    low = (low >>> 8) ^ (high << 24) ^ crc64Low[at]!
    high = (high >>> 8) ^ crc64High[at]!
  }
  const sum = Buffer.alloc(8)
  sum.writeInt32LE(~low)
  sum.writeInt32LE(~high, 4)
  return sum
}

const crc64Low = new Int32Array(256)
const crc64High = new Int32Array(256)
for (let byte = 0n; byte < 256n; byte++) {
  let sum = byte
  for (let bit = 0; bit < 8; bit++) sum = (sum >> 1n) ^ ((sum & 1n) === 1n ? 0xc96c_5795_d787_0f42n : 0n)
  crc64Low[Number(byte)] = Number(BigInt.asIntN(32, sum))
  crc64High[Number(byte)] = Number(BigInt.asIntN(32, sum >> 32n))
}
