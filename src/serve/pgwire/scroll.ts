// The rows of a cursor that is read in any direction. What was read stays, so they are bounded.

import { Failure } from '../../base/failure.ts'
import { showBytes } from '../../base/units.ts'
import type { Where } from './classify.ts'
import type { RowStream } from './rows.ts'

const bytesMax = 64 * 2 ** 20

export class ScrolledRows {
  readonly #stream: RowStream
  /** DataRow messages. */
  readonly #rows: Buffer[] = []
  #bytes = 0
  #ended = false
  /** The number of the row that it stands on; 0 before the first one, and one more than there are behind the last. */
  #at = 0
  constructor(stream: RowStream) {
    this.#stream = stream
  }

  /** The rows in the order in which they are met; it stands on the last of them, or where there are no more. */
  async take({ kind, count }: Where): Promise<Buffer[]> {
    if (kind !== 'rows' || count === 0) {
      const from = kind === 'absolute' ? (count < 0 ? (await this.#upTo(Infinity)) + 1 : 0) : this.#at
      return this.#one(from + count)
    }
    const taken: Buffer[] = []
    const step = Math.sign(count)
    for (let left = Math.abs(count); left > 0; left--) {
      const [row] = await this.#one(this.#at + step)
      if (!row) break
      taken.push(row)
    }
    return taken
  }

  /** The row of this number, and stands there. */
  async #one(number: number): Promise<Buffer[]> {
    const known = await this.#upTo(number)
    this.#at = Math.max(0, Math.min(number, known + 1))
    const row = this.#rows[number - 1]
    return row ? [row] : []
  }

  /** How many rows are known of so many; all there are, where that is fewer. */
  async #upTo(number: number): Promise<number> {
    while (!this.#ended && this.#rows.length < number) {
      const bytes = await this.#stream.take(readAhead)
      if (!bytes) {
        this.#ended = true
        break
      }
      this.#bytes += bytes.length
      if (this.#bytes > bytesMax)
        throw new Failure('QUERY_TOO_LARGE', `a cursor with SCROLL keeps at most ${showBytes(bytesMax)} of rows`, {
          hint: 'Declare it without SCROLL, and read it forward.',
        })
      for (let at = 0; at < bytes.length;) {
        const end = at + 1 + bytes.readInt32BE(at + 1)
        this.#rows.push(Buffer.from(bytes.subarray(at, end)))
        at = end
      }
    }
    return this.#rows.length
  }
}
const readAhead = 1_000
