// Reads the fields of one message from a client. Whatever is cut short or too long is a violation, never a crash.

import { ProtocolViolation } from './socket.ts'

export class Body {
  readonly #bytes: Buffer
  #at = 0
  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  #take(count: number): number {
    const at = this.#at
    if (count < 0 || at + count > this.#bytes.length) throw new ProtocolViolation('a message ends too early')
    this.#at += count
    return at
  }

  byte(): string {
    return String.fromCharCode(this.#bytes[this.#take(1)]!)
  }
  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2))
  }
  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4))
  }
  bytes(count: number): Buffer {
    const at = this.#take(count)
    return this.#bytes.subarray(at, at + count)
  }
  rest(): Buffer {
    return this.bytes(this.#bytes.length - this.#at)
  }
  /** Up to a zero byte. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.#at)
    if (end < 0) throw new ProtocolViolation('a text is not ended')
    const at = this.#take(end + 1 - this.#at)
    return utf8(this.#bytes.subarray(at, end))
  }
  /** A count, then as many items. */
  list<Item>(item: () => Item): Item[] {
    const count = this.int16() & 0xffff
    return Array.from({ length: count }, item)
  }
  /** A length, then as many bytes; null for -1. */
  value(): Buffer | null {
    const length = this.int32()
    return length === -1 ? null : this.bytes(length)
  }
  end(): void {
    if (this.#at !== this.#bytes.length) throw new ProtocolViolation('a message is longer than its fields')
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** @throws ProtocolViolation when the bytes are not UTF-8 */
export function utf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new ProtocolViolation('a text is not UTF-8')
  }
}
