// Files of the local disk, durable before the call returns.
//
// A file appears whole or not at all: bytes go to a hidden neighbour, are flushed, and only then get their name, by a
// hard link (which refuses an existing name: that is `create`) or by a rename (which replaces: that is `write`). The
// folder is flushed too, else a power cut could lose the name although the bytes are safe. A crash in between leaves a
// hidden `.*.tmp` file, which nothing refers to.

import { randomUUID } from 'node:crypto'
import { closeSync, constants, fsync, linkSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { copyFile, open, opendir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { FileIO, FileStat } from './file-io.ts'
import { groups } from './groups.ts'
import { localPath } from './location.ts'
import { errorCode, storageFailure } from './storage-failure.ts'

/** `root` is cut from the paths in messages. `sync: false` skips flushing, for tests that end with the process. */
export function localFileIO({ root, sync = true }: { root?: string; sync?: boolean } = {}): FileIO {
  const shown = (path: string) => {
    const short = root === undefined ? path : relative(localPath(root), path)
    return short === '' || short.startsWith('..') ? path : short
  }

  /** Runs `work` on the path of a location; "not there" becomes `missing`, all else STORAGE_FAILED. */
  async function on<Result>(
    doing: string,
    location: string,
    signal: AbortSignal | undefined,
    work: (path: string) => Promise<Result>,
  ) {
    signal?.throwIfAborted()
    const path = localPath(location)
    return work(path).catch((error: unknown) => {
      throw storageFailure(doing, shown(path), error)
    })
  }

  /** Flushes that have not begun yet: whoever has named a file before they do shares them. */
  const coming = new Map<string, Promise<void>>()
  async function flushFolder(folder: string) {
    if (!sync) return
    const shared = coming.get(folder)
    if (shared) return shared
    const flush = async () => {
      // Who names a file until then shares it.
      await nextTurn()
      coming.delete(folder)
      await flushPath(folder)
    }
    const flushing = flush()
    coming.set(folder, flushing)
    return flushing
  }

  /** New folders that a power cut could still take along with all that is in them. */
  const unsafe = new Map<string, Promise<unknown>>()

  /** Makes the folders above a file; new ones are flushed into their parents. */
  async function makeFolders(folder: string) {
    const outermost = mkdirSync(folder, { recursive: true })
    if (outermost === undefined) return
    const made = [outermost]
    for (const part of relative(outermost, folder).split('/').filter(Boolean)) made.push(join(made.at(-1)!, part))
    const above = unsafe.get(dirname(outermost))
    const flushed = Promise.all([above, ...made.map((one) => flushFolder(dirname(one)))])
    for (const one of made) unsafe.set(one, flushed)
    try {
      await flushed
    } finally {
      for (const one of made) unsafe.delete(one)
    }
  }

  async function writeWhole(path: string, bytes: Uint8Array, flag: 'wx' | 'w', signal: AbortSignal | undefined) {
    if (bytes.byteLength <= smallBytes) return writeSmall(path, bytes, flag)
    await using handle = await open(path, flag)
    await handle.writeFile(bytes, { signal })
    if (sync) await handle.sync()
  }

  /** Only the flush waits for the disk: to hand the other calls to a thread costs more than they do. */
  async function writeSmall(path: string, bytes: Uint8Array, flag: 'wx' | 'w') {
    const file = openSync(path, flag)
    try {
      writeFileSync(file, bytes)
      if (sync) await flushFile(file)
    } finally {
      closeSync(file)
    }
  }

  /** Lets `fill` make a file beside `path` and `place` give it its name. */
  async function viaNeighbour<Result>(
    path: string,
    fill: (neighbour: string) => Promise<void>,
    place: (neighbour: string) => Promise<Result>,
  ): Promise<Result> {
    const neighbour = join(dirname(path), `.${randomUUID()}.tmp`)
    try {
      await fill(neighbour).catch(async (error: unknown) => {
        if (errorCode(error) !== 'ENOENT') throw error
        await makeFolders(dirname(path))
        await fill(neighbour)
      })
      const result = await place(neighbour)
      // The neighbour's own name says nothing any more, or has become the file's.
      const flushed = Promise.all([flushFolder(dirname(path)), unsafe.get(dirname(path))])
      rmSync(neighbour, { force: true })
      await flushed
      return result
    } catch (error) {
      await unlink(neighbour).catch(() => {}) // the first error is the one to tell
      throw error
    }
  }

  /** A second name for a file, or a copy of it where there can be none, flushed. */
  async function linkOrCopy(from: string, to: string) {
    try {
      linkSync(from, to)
    } catch (error) {
      if (errorCode(error) !== 'EXDEV' && !cannotLink(error)) throw error
      await copyFile(from, to, constants.COPYFILE_EXCL)
    }
    if (sync) await flushPath(to)
  }

  return {
    read: (location, signal) =>
      on('read', location, signal, (path) => readFile(path, { signal }).then(asBytes, undefinedIfMissing)),

    readRange: (location, offset, length, signal) =>
      on('read', location, signal, async (path) => {
        const opened = await open(path, 'r').catch(undefinedIfMissing)
        if (!opened) return undefined
        await using handle = opened
        const bytes = new Uint8Array(length)
        let filled = 0
        while (filled < length) {
          const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled)
          if (bytesRead === 0) break
          filled += bytesRead
        }
        return bytes.subarray(0, filled)
      }),

    create: (location, bytes, signal) =>
      on('create', location, signal, (path) =>
        viaNeighbour(
          path,
          (neighbour) => writeWhole(neighbour, bytes, 'wx', signal),
          (neighbour) => linked(neighbour, path, () => writeWhole(path, bytes, 'wx', signal)),
        ),
      ),

    upload: (location, localFile, signal) =>
      on('create', location, signal, (path) =>
        viaNeighbour(
          path,
          (neighbour) => linkOrCopy(localFile, neighbour),
          (neighbour) => linked(neighbour, path, () => copyFile(neighbour, path, constants.COPYFILE_EXCL)),
        ),
      ),

    write: (location, bytes, signal) =>
      on('write', location, signal, (path) =>
        viaNeighbour(
          path,
          (neighbour) => writeWhole(neighbour, bytes, 'wx', signal),
          (neighbour) => rename(neighbour, path),
        ),
      ),

    delete: (location, signal) =>
      on('delete', location, signal, (path) =>
        unlink(path).then(
          () => true,
          (error) => undefinedIfMissing(error) ?? false,
        ),
      ),

    async deleteAll(locations, signal) {
      const failed: unknown[] = []
      for (const some of groups(locations, 32))
        for (const outcome of await Promise.allSettled(some.map((location) => this.delete(location, signal))))
          if (outcome.status === 'rejected') failed.push(outcome.reason)
      if (failed.length > 0) throw failed[0]
    },

    stat: (location, signal) =>
      on('look at', location, signal, async (path) => {
        const found = await stat(path).catch(undefinedIfMissing)
        return found?.isFile()
          ? { path: location, sizeBytes: found.size, modifiedAtMs: Math.floor(found.mtimeMs) }
          : undefined
      }),

    async *list(prefix, signal) {
      const folders = [prefix.replace(/\/+$/, '') || '/']
      for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
        const files: FileStat[] = await on('list', folder, signal, async (path) => {
          const found: FileStat[] = []
          const entries = await opendir(path).catch(undefinedIfMissing)
          for await (const entry of entries ?? []) {
            const child = `${folder === '/' ? '' : folder}/${entry.name}`
            if (entry.isDirectory()) folders.push(child)
            if (!entry.isFile()) continue
            const seen = await stat(localPath(child)).catch(undefinedIfMissing) // it may be gone by now
            if (seen) found.push({ path: child, sizeBytes: seen.size, modifiedAtMs: Math.floor(seen.mtimeMs) })
          }
          return found
        })
        yield* files
      }
    },
  }
}

/** A view of the same memory without Buffer's methods, which differ from Uint8Array's in `slice`. */
const asBytes = (buffer: Buffer) => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)

/** Gives a whole file its name; false when the name is taken. */
async function linked(neighbour: string, path: string, withoutLinks: () => Promise<void>): Promise<boolean> {
  try {
    linkSync(neighbour, path)
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    // File systems without hard links: exclusive all the same, only not whole if the power fails meanwhile.
    if (!cannotLink(error)) throw error
    return withoutLinks().then(() => true, falseIfPresent)
  }
}

/** Metadata of most tables, manifests and their lists are smaller. */
const smallBytes = 2 ** 18
const flushFile = promisify(fsync)
/** Only the flush waits for the disk, as for small files. */
async function flushPath(path: string): Promise<void> {
  const opened = openSync(path, 'r')
  try {
    await flushFile(opened)
  } finally {
    closeSync(opened)
  }
}

const cannotLink = (error: unknown) => ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(errorCode(error) ?? '')

function undefinedIfMissing(error: unknown): undefined {
  if (errorCode(error) !== 'ENOENT' && errorCode(error) !== 'ENOTDIR') throw error
}

function falseIfPresent(error: unknown): false {
  if (errorCode(error) !== 'EEXIST') throw error
  return false
}
