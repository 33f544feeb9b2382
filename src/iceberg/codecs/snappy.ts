// Snappy's raw format, as Avro uses it: followed by a big-endian CRC-32 of the plain bytes. Specification:
// format_description.txt of the Snappy project.

import { crc32 } from 'node:zlib'
import { damaged, Unpacked } from './unpacked.ts'

/** One block with its checksum. @throws CodecError */
export function unsnappy(packed: Uint8Array, lengthMax: number): Uint8Array {
  const end = packed.length - 4
  let at = 0
  const little = (bytes: number) => {
    let value = 0
    for (let index = 0; index < bytes; index++)
      value += (packed[at++] ?? damaged('it ends too early')) * 2 ** (8 * index)
    return value
  }
  let size = 0
  for (let factor = 1; ; factor *= 128) {
    const byte = little(1)
    size += (byte & 0x7f) * factor
    if (byte < 0x80) break
    if (factor > 2 ** 28) damaged('its size is too large')
  }
  if (size > lengthMax) damaged(`it unpacks to more than ${lengthMax} bytes`)
  const output = new Unpacked(size)
  while (at < end) {
    const tag = little(1)
    const kind = tag & 3
    if (kind === 0) {
      const short = tag >> 2
      const length = (short < 60 ? short : little(short - 59)) + 1
      if (at + length > end) damaged('it ends too early')
      output.raw(packed.subarray(at, at + length))
      at += length
      continue
    }
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
    const back = kind === 1 ? (tag >> 5) * 256 + little(1) : little(kind === 2 ? 2 : 4)
    if (back === 0 || back > output.length) damaged('a match lies before the beginning')
    output.copy(back, length)
  }
  const plain = output.bytes()
  const sum = new DataView(packed.buffer, packed.byteOffset, packed.length)
  if (at !== end || plain.length !== size || crc32(plain) !== sum.getUint32(end)) damaged('its checksum is wrong')
  return plain
}
