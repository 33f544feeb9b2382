// What decoders write: bytes that grow as they come, so that a short stream that claims much takes little memory, up to a
// bound.

export class CodecError extends Error {}

export function damaged(why: string): never {
  throw new CodecError(why)
}

export class Unpacked {
  length = 0
  #bytes: Uint8Array
  readonly #lengthMax: number
  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax
    this.#bytes = new Uint8Array(Math.min(lengthMax, 64 * 1024))
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }

  byte(value: number): void {
    if (this.length === this.#bytes.length) this.#grow(1)
    this.#bytes[this.length++] = value
  }

  raw(bytes: Uint8Array): void {
    this.#grow(bytes.length)
    this.#bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** `count` bytes from `back` bytes ago, which may be among those that it writes. The caller knows that there are so many. */
  copy(back: number, count: number): void {
    this.#grow(count)
    const bytes = this.#bytes
    let to = this.length
    this.length += count
    if (back >= count) bytes.copyWithin(to, to - back, to - back + count)
    else for (; to < this.length; to++) bytes[to] = bytes[to - back]!
  }

  /** The byte `back` bytes ago; 0 before the first. */
  last(back = 1): number {
    return this.#bytes[this.length - back] ?? 0
  }

  #grow(count: number): void {
    const needed = this.length + count
    if (needed <= this.#bytes.length) return
    if (needed > this.#lengthMax) damaged(`it unpacks to more than ${this.#lengthMax} bytes`)
    const larger = new Uint8Array(Math.min(this.#lengthMax, Math.max(needed, this.#bytes.length * 2)))
    larger.set(this.bytes())
    this.#bytes = larger
  }
}
