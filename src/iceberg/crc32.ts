// The CRC-32 of bytes that are put together, from those of the parts: nobody goes through them all again. As zlib's
// crc32_combine: a checksum is a polynomial over one bit modulo the CRC's, and bytes that follow multiply it by x^8 each.

/** x^32 + x^26 + … + 1, the highest power in the lowest bit. */
const polynomial = 0xed_b8_83_20

function times(a: number, b: number): number {
  let product = 0
  for (let bit = 0x8000_0000; bit !== 0; bit >>>= 1) {
    if (a & bit) product ^= b
    b = b & 1 ? (b >>> 1) ^ polynomial : b >>> 1
  }
  return product >>> 0
}

/** What `length` bytes multiply a checksum before them by: worked out once for bytes that are put in again and again. */
export function crcShift(length: number): number {
  let [shift, power] = [0x8000_0000, 0x0080_0000] // 1, and x^8
  for (let rest = length; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) shift = times(shift, power)
    power = times(power, power)
  }
  return shift
}

export const joinedCrc = (before: number, after: { crc: number; shift: number }): number =>
  (times(before, after.shift) ^ after.crc) >>> 0
