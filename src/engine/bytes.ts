// A buffer that grows, with what rows are made of. Numbers are written digit by digit: making a string of each and
// copying it took twice as long.

export class ByteWriter {
  bytes: Buffer
  at = 0
  constructor(size = 64 * 1024) {
    this.bytes = Buffer.allocUnsafe(size)
  }

  /** Makes sure that `count` more bytes fit. */
  room(count: number): void {
    if (this.at + count <= this.bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.at + count))
    this.bytes.copy(larger, 0, 0, this.at)
    this.bytes = larger
  }

  /** What was written, to be copied before anything else is: writing begins anew. */
  take(): Buffer {
    const done = this.bytes.subarray(0, this.at)
    this.at = 0
    return done
  }

  byte(value: number): void {
    this.room(1)
    this.bytes[this.at++] = value
  }

  int16(value: number): void {
    this.room(2)
    this.bytes[this.at++] = value >> 8
    this.bytes[this.at++] = value
  }

  int32(value: number): void {
    this.room(4)
    this.setInt32(value, this.at)
    this.at += 4
  }

  /** Over what was written at `at`. Buffer's own method checks more than it writes. */
  setInt32(value: number, at: number): void {
    const { bytes } = this
    bytes[at] = value >> 24
    bytes[at + 1] = value >> 16
    bytes[at + 2] = value >> 8
    bytes[at + 3] = value
  }

  int64(value: bigint): void {
    this.room(8)
    this.at = this.bytes.writeBigInt64BE(value, this.at)
  }

  double(value: number): void {
    this.room(8)
    this.at = this.bytes.writeDoubleBE(value, this.at)
  }

  float(value: number): void {
    this.room(4)
    this.at = this.bytes.writeFloatBE(value, this.at)
  }

  copy(bytes: Uint8Array): void {
    this.room(bytes.length)
    this.bytes.set(bytes, this.at)
    this.at += bytes.length
  }

  /** Some bytes of `from`. For a few of them a call of native code takes longer than copying. */
  part(from: Uint8Array, start: number, length: number): void {
    this.room(length)
    const { bytes, at } = this
    if (length > 64) bytes.set(from.subarray(start, start + length), at)
    else for (let index = 0; index < length; index++) bytes[at + index] = from[start + index]!
    this.at += length
  }

  text(value: string): void {
    this.room(value.length * 3)
    this.at += this.bytes.write(value, this.at)
  }

  /** ASCII only. */
  ascii(value: string): void {
    this.room(value.length)
    this.at += this.bytes.write(value, this.at, 'latin1')
  }

  /** A whole number that a double holds exactly, in decimal digits. */
  digits(value: number): void {
    this.room(20)
    const { bytes } = this
    if (value < 0) {
      bytes[this.at++] = 45
      value = -value
    }
    if (value >= 1e9) {
      const high = Math.floor(value / 1e9)
      this.digits(high)
      return this.padded(value - high * 1e9, 9)
    }
    // Below 2^31 a whole division is one of integers.
    let rest = value | 0
    let end = this.at + digitCount(rest)
    this.at = end
    do {
      const tenth = (rest / 10) | 0
      bytes[--end] = 48 + (rest - tenth * 10)
      rest = tenth
    } while (rest > 0)
  }

  /** A whole number in `width` digits, zeros before it. */
  padded(value: number, width: number): void {
    if (width > 9) {
      const high = Math.floor(value / 1e9)
      this.padded(high, width - 9)
      return this.padded(value - high * 1e9, 9)
    }
    this.room(width)
    const { bytes, at } = this
    let rest = value | 0
    for (let place = at + width - 1; place >= at; place--) {
      const tenth = (rest / 10) | 0
      bytes[place] = 48 + (rest - tenth * 10)
      rest = tenth
    }
    this.at += width
  }
}

/** How many digits a whole number below 2^31 has. */
export function digitCount(value: number): number {
  let count = 1
  for (let limit = 10; value >= limit; limit *= 10) count++
  return count
}
