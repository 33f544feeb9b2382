// Results by what they are a function of: the statement, the snapshots it read, what the asker may see, the time zone, the
// engine. Such a result is never stale, so there is nothing to invalidate; only memory and disk bound it.
//
// Results live in memory first; those of SQL clients, as bytes of their protocol, live nowhere else. The others are written
// to a folder too when they took a while to compute, so that they outlive the process: a file has its name only when it is whole, says by a checksum whether it still is, and may be deleted by anybody at
// any time. So several processes can share the folder; each deletes the least recently used files when there is too much.

import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import type { Log } from '../../base/log.ts'
import type { Column } from '../../contract/index.ts'
import type { Chunk } from '../../engine/index.ts'

export type CachedResult = { columns: Column[]; chunks: Chunk[]; truncated: boolean; madeAtMs: number }
export type CacheFolder = {
  folder: string
  bytesMax: number
  /** Results that took less are not worth a file. Default 50. */
  tookMsMin?: number
}

const [compress, decompress] = [promisify(zstdCompress), promisify(zstdDecompress)]
const suffix = '.result'
/** A file of a process that ended while writing it. */
const abandonedMs = 3_600_000
/** So much is left after some was deleted. */
const keptPart = 0.8

export class ResultCache {
  readonly #entries = new Map<string, CachedResult & { bytes: number }>()
  readonly #bytesMax: number
  readonly #disk: CacheFolder | undefined
  readonly #log: Log | undefined
  #bytes = 0
  /** On disk, as this process knows; undefined before it has looked. */
  #diskBytes: number | undefined
  /** One after the other. */
  #writing: Promise<void> = Promise.resolve()
  hits = 0
  misses = 0

  constructor(bytesMax: number, disk?: CacheFolder, log?: Log) {
    this.#bytesMax = bytesMax
    this.#disk = disk && disk.bytesMax > 0 ? disk : undefined
    this.#log = log
  }

  /** Results larger than this are not kept: one must not push out all others. */
  get entryBytesMax() {
    return this.#bytesMax / 8
  }

  /** `key`: 64 hexadecimal digits. */
  async get(key: string, where: 'memory' | 'anywhere' = 'anywhere'): Promise<CachedResult | undefined> {
    const known = this.#entries.get(key)
    if (known) {
      this.#entries.delete(key)
      this.#entries.set(key, known) // youngest again
    }
    const found = known ?? (where === 'anywhere' ? await this.#read(key) : undefined)
    if (found) this.hits++
    else this.misses++
    if (found && !known) this.#keep(key, found)
    return found
  }

  /** `tookMs`: how long it was computed. */
  put(key: string, result: CachedResult, tookMs: number): void {
    if (!this.#keep(key, result)) return
    const disk = this.#disk
    if (!disk || tookMs < (disk.tookMsMin ?? 50) || result.chunks.some(({ bytes }) => bytes)) return
    this.#writing = this.#writing.then(() =>
      this.#write(disk, key, result).catch((error: unknown) =>
        this.#log?.warn('a result could not be kept on disk', { error: (error as Error).message }),
      ),
    )
  }

  /** When what was put is on disk. */
  settled(): Promise<void> {
    return this.#writing
  }

  #keep(key: string, result: CachedResult): boolean {
    const bytes = result.chunks.reduce((sum, chunk) => sum + keptBytes(chunk), 1_000)
    if (bytes > this.entryBytesMax) return false
    const old = this.#entries.get(key)
    if (old) this.#bytes -= old.bytes
    this.#entries.delete(key)
    this.#entries.set(key, { ...result, chunks: result.chunks.map(withOwnBytes), bytes })
    this.#bytes += bytes
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#bytesMax) break
      this.#entries.delete(oldest)
      this.#bytes -= entry.bytes
    }
    return true
  }

  async #read(key: string): Promise<CachedResult | undefined> {
    if (!this.#disk) return undefined
    const path = join(this.#disk.folder, key + suffix)
    const bytes = await readFile(path).catch(() => undefined)
    if (!bytes) return undefined
    const result = await decoded(bytes).catch(() => undefined)
    if (!result) {
      await rm(path, { force: true }).catch(() => {})
      return undefined
    }
    const now = new Date()
    utimes(path, now, now).catch(() => {}) // it was used: the last to go
    return result
  }

  async #write({ folder, bytesMax }: CacheFolder, key: string, result: CachedResult): Promise<void> {
    const bytes = await encoded(result)
    if (bytes.length > bytesMax / 8) return
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const part = join(folder, `${key}.${process.pid}.part`)
    const file = await open(part, 'w', 0o600)
    try {
      await file.writeFile(bytes)
    } finally {
      await file.close()
    }
    await rename(part, join(folder, key + suffix))
    this.#diskBytes = (this.#diskBytes ?? (await sizes(folder)).bytes) + bytes.length
    if (this.#diskBytes > bytesMax) this.#diskBytes = await shrink(folder, bytesMax)
  }
}

/** What a chunk takes in memory. */
export const keptBytes = ({ json, bytes }: Chunk): number => json.length * 2 + (bytes?.byteLength ?? 0)

/** A few bytes must not keep the whole buffer that they came in. */
const withOwnBytes = (chunk: Chunk): Chunk => (chunk.bytes ? { ...chunk, bytes: new Uint8Array(chunk.bytes) } : chunk)

/** SHA-256, then compressed JSON. */
async function encoded(result: CachedResult): Promise<Buffer> {
  const body = await compress(Buffer.from(JSON.stringify(result)))
  return Buffer.concat([createHash('sha256').update(body).digest(), body])
}

async function decoded(bytes: Buffer): Promise<CachedResult | undefined> {
  const [sum, body] = [bytes.subarray(0, 32), bytes.subarray(32)]
  if (!createHash('sha256').update(body).digest().equals(sum)) return undefined
  return JSON.parse((await decompress(body)).toString('utf8')) as CachedResult
}

type Found = { path: string; bytes: number; usedMs: number }

async function sizes(folder: string): Promise<{ bytes: number; files: Found[] }> {
  const files: Found[] = []
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    const found = await stat(path).catch(() => undefined)
    if (!found) continue
    if (name.endsWith(suffix)) files.push({ path, bytes: found.size, usedMs: found.mtimeMs })
    else if (name.endsWith('.part') && Date.now() - found.mtimeMs > abandonedMs) await rm(path, { force: true })
  }
  return { bytes: files.reduce((sum, { bytes }) => sum + bytes, 0), files }
}

/** Deletes what was used longest ago; another process may do the same. */
async function shrink(folder: string, bytesMax: number): Promise<number> {
  const { bytes, files } = await sizes(folder)
  let left = bytes
  for (const one of files.sort((a, b) => a.usedMs - b.usedMs)) {
    if (left <= bytesMax * keptPart) break
    await rm(one.path, { force: true })
    left -= one.bytes
  }
  return left
}
