// The rows of a result as they come from the engine: buffers of whole DataRow messages, which are cut only where a
// client asked for fewer rows than a buffer holds.

import type { Chunk } from '../../lake/index.ts'

export class RowStream {
  readonly #chunks: AsyncIterator<Chunk>
  #rest: Buffer | undefined
  #restRows = 0
  #ended = false
  /** Rows that were given so far. */
  count = 0
  constructor(chunks: AsyncIterable<Chunk>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** At most `max` rows; undefined when there are no more. */
  async take(max: number): Promise<Buffer | undefined> {
    while (!this.#rest) {
      if (this.#ended) return undefined
      const { done, value } = await this.#chunks.next()
      if (done) {
        this.#ended = true
        return undefined
      }
      if (value.rowCount === 0) continue
      const bytes = value.bytes!
      this.#rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      this.#restRows = value.rowCount
    }
    const all = this.#rest
    if (this.#restRows <= max) {
      this.count += this.#restRows
      this.#rest = undefined
      return all
    }
    let end = 0
    for (let row = 0; row < max; row++) end += 1 + all.readInt32BE(end + 1)
    this.count += max
    this.#restRows -= max
    this.#rest = all.subarray(end)
    return all.subarray(0, end)
  }

  /** Nobody wants the rest. */
  async close(): Promise<void> {
    this.#ended = true
    this.#rest = undefined
    await this.#chunks.return?.()
  }
}

/** The values of each DataRow message in `bytes`. */
export function* valuesOf(bytes: Buffer): Generator<(Buffer | null)[]> {
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + bytes.readInt32BE(at + 1)
    let field = at + 7
    yield Array.from({ length: bytes.readInt16BE(at + 5) }, () => {
      const length = bytes.readInt32BE(field)
      field += 4
      if (length < 0) return null
      field += length
      return bytes.subarray(field - length, field)
    })
    at = end
  }
}
