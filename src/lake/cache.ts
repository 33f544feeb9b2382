// Results by what they are a function of: the statement, the snapshots it read, the policy of the asker, the time zone.
// Such a result is never stale, so there is nothing to invalidate; only memory bounds it.

import type { Column } from '../contract/index.ts'
import type { Chunk } from '../engine/index.ts'

export type CachedResult = { columns: Column[]; chunks: Chunk[]; truncated: boolean; madeAtMs: number }

export class ResultCache {
  readonly #entries = new Map<string, CachedResult & { bytes: number }>()
  readonly #bytesMax: number
  #bytes = 0
  hits = 0
  misses = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Results larger than this are not kept: one must not push out all others. */
  get entryBytesMax() {
    return this.#bytesMax / 8
  }

  get(key: string): CachedResult | undefined {
    const entry = this.#entries.get(key)
    if (!entry) {
      this.misses++
      return undefined
    }
    this.hits++
    this.#entries.delete(key)
    this.#entries.set(key, entry) // youngest again
    return entry
  }

  put(key: string, result: CachedResult): void {
    const bytes = result.chunks.reduce((sum, { json }) => sum + json.length * 2, 1_000)
    if (bytes > this.entryBytesMax) return
    const old = this.#entries.get(key)
    if (old) this.#bytes -= old.bytes
    this.#entries.delete(key)
    this.#entries.set(key, { ...result, bytes })
    this.#bytes += bytes
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#bytesMax) break
      this.#entries.delete(oldest)
      this.#bytes -= entry.bytes
    }
  }
}
