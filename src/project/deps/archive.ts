// Unpacking a .tar.gz of somebody else: only plain files and folders, only below the folder, only so much.
//
// The archive is read as it comes. Its one top folder is left out, as the packages of the hub and of GitHub have it.

import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createGunzip } from 'node:zlib'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { Failure } from '../../base/failure.ts'

export const limits = { files: 50_000, bytes: 500_000_000, downloadBytes: 200_000_000 }

const blockBytes = 512
const chunkBytes = 1 << 20

/** @throws Failure PROJECT_INVALID for what is no such archive, wants to write elsewhere, or is too large */
export async function unpack(
  packed: AsyncIterable<Uint8Array>,
  into: string,
  what: string,
  signal?: AbortSignal,
): Promise<void> {
  const wrong = (message: string, cause?: unknown) => new Failure('PROJECT_INVALID', `${what}: ${message}`, { cause })
  try {
    const options = signal ? { signal } : {}
    await pipeline(Readable.from(packed), createGunzip(), (chunks) => unpackTar(chunks, into, wrong), options)
  } catch (error) {
    if (error instanceof Failure || signal?.aborted) throw error
    throw wrong('it is no .tar.gz', error)
  }
}

type Wrong = (message: string) => Failure

async function unpackTar(chunks: AsyncIterable<Buffer>, into: string, wrong: Wrong): Promise<void> {
  const reader = new Reader(chunks, wrong)
  let files = 0
  let bytes = 0
  let longName: string | undefined
  for (;;) {
    const header = await reader.block()
    if (!header || header.every((byte) => byte === 0)) return
    const { name, size, type } = entryOf(header, wrong)
    bytes += size
    if (bytes > limits.bytes) throw wrong(`it holds more than ${limits.bytes} bytes`)
    if (type === 'L' || type === 'x') {
      // The name of the next entry, where it is too long for its header.
      if (size > chunkBytes) throw wrong('a name in it is too long')
      const text = (await reader.content(size)).toString('utf8')
      longName = type === 'L' ? text.replace(/\0.*$/s, '') : (paxPath(text) ?? longName)
      continue
    }
    const path = placeOf(longName ?? name, wrong)
    longName = undefined
    const isFile = type === '0' || type === '\0'
    if (!isFile || path === '') {
      // Links could lead out of the folder; packages need none.
      await reader.skip(size)
      continue
    }
    if (++files > limits.files) throw wrong(`it holds more than ${limits.files} files`)
    await reader.toFile(size, join(into, path))
  }
}

function entryOf(header: Buffer, wrong: Wrong): { name: string; size: number; type: string } {
  const text = (from: number, to: number) => header.toString('utf8', from, to).replace(/\0.*$/s, '')
  const size = Number.parseInt(text(124, 136).trim() || '0', 8)
  if (!Number.isSafeInteger(size) || size < 0) throw wrong('it is damaged')
  const prefix = text(257, 262) === 'ustar' ? text(345, 500) : ''
  return {
    name: prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`,
    size,
    type: String.fromCharCode(header[156]!),
  }
}

/** `30 path=long/name\n` among the records of a pax header. */
const paxPath = (text: string): string | undefined => /^\d+ path=(.*)$/m.exec(text)?.[1]

/** The path without its top folder. */
function placeOf(name: string, wrong: Wrong): string {
  const parts = name
    .replaceAll('\\', '/')
    .split('/')
    .filter((part) => part !== '' && part !== '.')
  if (name.startsWith('/') || parts.includes('..') || name.includes('\0'))
    throw wrong(`it wants to write to ${JSON.stringify(name)}`)
  return parts.slice(1).join('/')
}

class Reader {
  readonly #chunks: AsyncIterator<Buffer>
  readonly #wrong: Wrong
  #held: Buffer = Buffer.alloc(0)

  constructor(chunks: AsyncIterable<Buffer>, wrong: Wrong) {
    this.#chunks = chunks[Symbol.asyncIterator]()
    this.#wrong = wrong
  }

  /** At most `count` bytes; fewer only at the end. */
  async #take(count: number): Promise<Buffer> {
    while (this.#held.length < count) {
      const { done, value } = await this.#chunks.next()
      if (done) break
      this.#held = this.#held.length === 0 ? value : Buffer.concat([this.#held, value])
    }
    const taken = this.#held.subarray(0, count)
    this.#held = this.#held.subarray(count)
    return taken
  }

  async block(): Promise<Buffer | undefined> {
    const block = await this.#take(blockBytes)
    if (block.length === 0) return undefined
    if (block.length < blockBytes) throw this.#wrong('it ends too early')
    return block
  }

  async *#pieces(size: number): AsyncGenerator<Buffer> {
    for (let left = size; left > 0;) {
      const piece = await this.#take(Math.min(left, chunkBytes))
      if (piece.length === 0) throw this.#wrong('it ends too early')
      left -= piece.length
      yield piece
    }
    await this.#take((blockBytes - (size % blockBytes)) % blockBytes)
  }

  async content(size: number): Promise<Buffer> {
    return Buffer.concat(await Array.fromAsync(this.#pieces(size)))
  }
  async skip(size: number): Promise<void> {
    for await (const _ of this.#pieces(size));
  }
  async toFile(size: number, path: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true })
    await using file = await open(path, 'w')
    for await (const piece of this.#pieces(size)) await file.write(piece)
  }
}
