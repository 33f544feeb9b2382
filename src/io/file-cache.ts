// Copies of immutable remote files on the local disk, for programs that read paths (DuckDB), shared by processes.
//
//     folder/files/ab/<hash of location>.<bytes>.<crc32>    the copies; the time of last use is their atime
//     folder/leases/<process>/<hash of location>            hard links: what this process is reading
//     folder/leases/<process>/<random>.part                 what it is fetching
//
// A reader gets the hard link. So nothing that another process does to the copies can take a file away under a running
// query: evicting removes the first name only, and a copy with a second name is in use and is not evicted. A copy gets
// its name by a rename when it is whole; its name says what it must contain. Folders of processes that died are removed
// by the next one that opens the cache, or looks for room.

import { createHash, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, link, mkdir, open, readdir, rename, rm, stat, unlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { Failure } from '../base/failure.ts'
import { openSemaphore } from '../base/semaphore.ts'
import { showBytes } from '../base/units.ts'
import type { FileIO } from './file-io.ts'
import { openLeaseFolder, removeDeadLeases } from './lease-folder.ts'
import { isLocal, localPath } from './location.ts'
import { errorCode, storageFailure } from './storage-failure.ts'

export type FileToRead = { path: string; sizeBytes?: number | undefined }
export type FileLease = {
  /** A path on this disk, for a location of the lease. */
  pathOf(location: string): string
  /** The files may be evicted from now on. Calling it again does nothing. */
  release(): void
}
export type FileCacheStats = { hits: number; misses: number; bytes: number; files: number; evictions: number }

export interface FileCache {
  /**
   * Local paths of these files, fetched when missing; they are not evicted before `release`. Files of this disk are
   * given as they are. Waits while files in use leave no room.
   * @throws Failure NOT_FOUND for a file that the store does not have, QUERY_TOO_LARGE for more than the cache can hold
   */
  lease(files: readonly FileToRead[], signal?: AbortSignal): Promise<FileLease>
  /**
   * Takes a local file as the copy of one that was just uploaded, so that it need not be fetched. It must not change
   * afterwards; deleting it is the caller's. Where there is no room, nothing happens.
   */
  keep(location: string, localFile: string): Promise<void>
  /** Of this process; `bytes` and `files` of the folder, as last counted. */
  stats(): FileCacheStats
  /** Ends the leases of this process. */
  close(): Promise<void>
}

type Options = {
  io: FileIO
  /** On a local disk with hard links; made when missing. */
  folder: string
  bytesMax: number
  /** Files that are fetched at the same time, by all leases together. */
  fetchesMax?: number
}
/** A copy that this process has looked at. While size and mtime stay the same its checksum is not computed again. */
type Copy = { path: string; sizeBytes: number; mtimeMs: number }
type Held = { path: string; sizeBytes: number; leases: number }
type Flight = { result: Promise<Held>; abort: AbortController; waiting: number }
type Sized = { path: string; sizeBytes: number }

/** Files above this size come in ranges of it, several at once, so that memory stays small. */
const rangeBytes = 8 * 2 ** 20
const rangesAtOnce = 4
/** After an eviction this share of the room is used, so that not every fetch has to evict. */
const fullShare = 0.9
/** Of the room that a process has counted it takes this share, then it counts again: others take of it meanwhile. */
const ownShare = 1 / 3
/** How often room is looked for while files in use take all of it, and how long. */
const [pollMs, waitMsMax] = [100, 60_000]

export async function openFileCache({ io, folder, bytesMax, fetchesMax = 8 }: Options): Promise<FileCache> {
  const filesFolder = join(folder, 'files')
  await mkdir(filesFolder, { recursive: true })
  const mine = await openLeaseFolder(join(folder, 'leases'))
  const places = openSemaphore(fetchesMax)
  const checked = new Map<string, Copy>()
  const held = new Map<string, Held>()
  const flights = new Map<string, Flight>()
  /** Links that are being removed: their names are free again afterwards. */
  const leaving = new Map<string, Promise<void>>()
  const counts = { hits: 0, misses: 0, evictions: 0 }
  /** Of the folder: counted now and then, and kept up to date with what this process does to it. */
  let [bytes, files] = [0, 0]
  let [fetchedSinceCount, mayFetch] = [0, 0]
  /** Bytes that have room and are on their way. */
  let arriving = 0
  const evicting = openSemaphore(1)
  /** What the admitted leases of this process hold or are about to fetch, each file once. */
  const claims = new Map<string, { sizeBytes: number; leases: number }>()
  const queue: (() => void)[] = []

  // ---- one file

  async function sizeOf(name: string, location: string, signal: AbortSignal | undefined): Promise<number> {
    const copy = await findCopy(name)
    if (copy) return copy.sizeBytes
    await using _ = await places.acquire(signal)
    const found = await io.stat(location, signal)
    if (!found) throw missing(location)
    return found.sizeBytes
  }

  /** The whole and unchanged copy of a file, or undefined. What is broken is removed. */
  async function findCopy(name: string, expected?: number): Promise<Copy | undefined> {
    const known = checked.get(name)
    if (known) {
      const now = await stat(known.path).catch(undefinedIfMissing)
      const isSame = now && now.size === known.sizeBytes && now.mtimeMs === known.mtimeMs
      if (isSame && now.size === (expected ?? now.size)) return known
      checked.delete(name)
    }
    const shard = join(filesFolder, name.slice(0, 2))
    for (const entry of (await readdir(shard).catch(undefinedIfMissing)) ?? []) {
      if (!entry.startsWith(`${name}.`)) continue
      const path = join(shard, entry)
      const [, size, sum] = entry.split('.')
      const found = await stat(path).catch(undefinedIfMissing)
      if (!found) continue
      const whole =
        found.size === Number(size) &&
        found.size === (expected ?? found.size) &&
        (await checksumOf(path).catch(() => undefined)) === sum
      if (whole) {
        const copy = { path, sizeBytes: found.size, mtimeMs: found.mtimeMs }
        checked.set(name, copy)
        return copy
      }
      await discard(path, found.size)
    }
    return undefined
  }

  async function discard(path: string, sizeBytes: number): Promise<void> {
    if (!(await unlink(path).then(() => true, undefinedIfMissing))) return
    bytes -= sizeBytes
    files--
  }

  /** The link of this process to a copy: made, or found, or fetched first. */
  async function hold(name: string, { path: location, sizeBytes }: Sized, signal: AbortSignal): Promise<Held> {
    const path = join(mine.path, name)
    await leaving.get(name)
    for (let attempt = 0; ; attempt++) {
      const copy = await findCopy(name, sizeBytes)
      if (copy) {
        // Between finding and linking another process may have evicted it: then it is fetched like a missing one.
        const linked = await link(copy.path, path).then(() => true, undefinedIfMissing)
        if (linked) {
          counts[attempt === 0 ? 'hits' : 'misses']++
          const now = new Date()
          await utimes(copy.path, now, copy.mtimeMs / 1_000).catch(undefinedIfMissing)
          return { path, sizeBytes: copy.sizeBytes, leases: 0 }
        }
        checked.delete(name)
      }
      if (attempt === 3) throw new Failure('STORAGE_FAILED', `"${location}" is evicted from the cache again and again`)
      await using _ = await places.acquire(signal)
      await placeCopy(name, { path: location, sizeBytes }, signal, (part) => fetchTo(part, location, sizeBytes, signal))
    }
  }

  /** Lets `fill` make a file beside the copies and gives it its name. A failure leaves nothing behind. */
  async function placeCopy(
    name: string,
    { path: location, sizeBytes }: Sized,
    signal: AbortSignal,
    fill: (part: string) => Promise<void>,
  ): Promise<void> {
    await makeRoom(sizeBytes, signal)
    const part = join(mine.path, `${randomUUID()}.part`)
    try {
      await fill(part)
      const copy = join(filesFolder, name.slice(0, 2), `${name}.${sizeBytes}.${await checksumOf(part)}`)
      // Whole seconds, so that every file system and `utimes` give back what was set.
      const mtimeMs = Math.floor(Date.now() / 1_000) * 1_000
      await utimes(part, new Date(), mtimeMs / 1_000)
      await mkdir(join(filesFolder, name.slice(0, 2)), { recursive: true })
      await using _ = await evicting.acquire() // the folder is not counted meanwhile
      await rename(part, copy)
      checked.set(name, { path: copy, sizeBytes, mtimeMs })
      bytes += sizeBytes
      files++
      fetchedSinceCount += sizeBytes
    } catch (error) {
      await rm(part, { force: true })
      signal.throwIfAborted()
      throw storageFailure('keep a copy of', location, error)
    } finally {
      arriving -= sizeBytes
    }
  }

  async function fetchTo(part: string, location: string, sizeBytes: number, signal: AbortSignal): Promise<void> {
    await using file = await open(part, 'wx')
    let next = 0
    const fetcher = async () => {
      for (let at = next; at < sizeBytes; at = next) {
        next = at + rangeBytes
        const length = Math.min(rangeBytes, sizeBytes - at)
        const whole = length === sizeBytes
        const got = await (whole ? io.read(location, signal) : io.readRange(location, at, length, signal))
        if (!got) throw missing(location)
        if (got.length !== length)
          throw new Failure('STORAGE_FAILED', `"${location}" has not the ${sizeBytes} bytes that it should have`, {
            path: location,
          })
        for (let done = 0; done < length;) done += (await file.write(got, done, length - done, at + done)).bytesWritten
      }
    }
    const outcomes = await Promise.allSettled(Array.from({ length: rangesAtOnce }, fetcher))
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }

  /** One fetch for all that wait for the same file. It is given up when the last of them has left. */
  async function shared(name: string, file: Sized, signal: AbortSignal | undefined): Promise<Held> {
    for (;;) {
      signal?.throwIfAborted()
      const present = held.get(name)
      if (present) {
        counts.hits++
        present.leases++
        return present
      }
      const flight = flights.get(name) ?? takeOff(name, file)
      if (flight.abort.signal.aborted) {
        await flight.result.catch(() => {}) // given up, and about to be gone
        continue
      }
      flight.waiting++
      try {
        const one = await orAborted(flight.result, signal)
        one.leases++
        return one
      } finally {
        if (--flight.waiting === 0) {
          flight.abort.abort(new Failure('QUERY_CANCELLED', 'nobody waits for it'))
          // It may have arrived while the last one left.
          void flight.result.then(
            (one) => one.leases === 0 && drop(name, one),
            () => {},
          )
        }
      }
    }
  }

  function takeOff(name: string, file: Sized): Flight {
    const abort = new AbortController()
    const result = hold(name, file, abort.signal)
      .then((one) => {
        held.set(name, one)
        return one
      })
      .finally(() => flights.delete(name))
    result.catch(() => {}) // told to those who wait; there may be nobody
    const flight = { result, abort, waiting: 0 }
    flights.set(name, flight)
    return flight
  }

  function drop(name: string, one: Held): void {
    if (held.get(name) !== one) return
    held.delete(name)
    const gone = unlink(one.path)
      .catch(() => {}) // already gone with the folder
      .finally(() => leaving.delete(name))
    leaving.set(name, gone)
  }

  // ---- room

  /** Counts the folder: other processes fetch and evict too. */
  async function count(): Promise<Found[]> {
    await Promise.all(leaving.values())
    const found: Found[] = []
    for (const shard of await readdir(filesFolder))
      for (const entry of (await readdir(join(filesFolder, shard)).catch(undefinedIfMissing)) ?? []) {
        const path = join(filesFolder, shard, entry)
        const one = await stat(path).catch(undefinedIfMissing)
        if (one) found.push({ path, sizeBytes: one.size, usedMs: one.atimeMs, inUse: one.nlink > 1 })
      }
    bytes = sum(found)
    files = found.length
    fetchedSinceCount = 0
    mayFetch = (bytesMax - bytes) * ownShare
    return found
  }

  /** Evicts the least recently used copies until `incoming` bytes fit; waits while those in use leave no room. */
  async function makeRoom(incoming: number, signal: AbortSignal): Promise<void> {
    const fits = () => bytes + arriving + incoming <= bytesMax
    for (let waitedMs = 0; ; waitedMs += pollMs) {
      {
        await using _ = await evicting.acquire(signal)
        if (!fits() || fetchedSinceCount + incoming > mayFetch) await evict(await count(), incoming)
        if (fits()) {
          arriving += incoming
          return
        }
      }
      if (waitedMs >= waitMsMax)
        throw new Failure(
          'STORAGE_FAILED',
          `the cache of ${showBytes(bytesMax)} in ${folder} is full of files in use`,
          {
            hint: 'Raise `storage.cache_size`, or let fewer queries run at once.',
          },
        )
      await sleep(pollMs, undefined, { signal })
    }
  }

  async function evict(found: readonly Found[], incoming: number): Promise<void> {
    if (bytes + arriving + incoming <= bytesMax) return
    await removeDeadLeases(join(folder, 'leases'))
    const wanted = bytesMax * fullShare - arriving - incoming
    const idle = found.filter(({ inUse }) => !inUse).sort((a, b) => a.usedMs - b.usedMs)
    for (const { path, sizeBytes } of idle) {
      if (bytes <= wanted) return
      // In the meantime somebody may have begun to read it; then only its name in the cache is lost.
      await discard(path, sizeBytes)
      counts.evictions++
    }
  }

  // ---- leases

  /** Leases that each hold a part of what they need would wait for each other, so each is let in as a whole. */
  async function admit(sized: Map<string, Sized>, signal: AbortSignal | undefined): Promise<void> {
    const total = sum([...sized.values()])
    if (total > bytesMax)
      throw new Failure(
        'QUERY_TOO_LARGE',
        `${showBytes(total)} of files are read at once, and the cache holds ${showBytes(bytesMax)}`,
        { hint: 'Read less at once (a filter on a partition column helps), or raise `storage.cache_size`.' },
      )
    const more = () => sum([...sized].flatMap(([name, file]) => (claims.has(name) ? [] : [file])))
    while (sum([...claims.values()]) + more() > bytesMax) {
      const turn = Promise.withResolvers<void>()
      queue.push(turn.resolve)
      await orAborted(turn.promise, signal)
    }
    for (const [name, { sizeBytes }] of sized)
      claims.set(name, { sizeBytes, leases: (claims.get(name)?.leases ?? 0) + 1 })
  }

  function dismiss(names: Iterable<string>): void {
    for (const name of names) {
      const claim = claims.get(name)
      if (claim && --claim.leases === 0) claims.delete(name)
    }
    for (const wake of queue.splice(0)) wake()
  }

  await count()
  return {
    async lease(wanted, signal) {
      signal?.throwIfAborted()
      const remote = new Map<string, FileToRead>()
      for (const file of wanted) if (!isLocal(file.path)) remote.set(nameOf(file.path), file)
      const sized = new Map<string, Sized>()
      await Promise.all(
        [...remote].map(async ([name, { path, sizeBytes }]) => {
          sized.set(name, { path, sizeBytes: sizeBytes ?? (await sizeOf(name, path, signal)) })
        }),
      )
      await admit(sized, signal)
      const got = new Map<string, Held>()
      let released = false
      const release = () => {
        if (released) return
        released = true
        for (const [name, one] of got) if (--one.leases === 0) drop(name, one)
        dismiss(sized.keys())
      }
      const outcomes = await Promise.allSettled(
        [...sized].map(async ([name, file]) => got.set(name, await shared(name, file, signal))),
      )
      const failed = outcomes.find((outcome) => outcome.status === 'rejected')
      if (failed) {
        release()
        throw failed.reason
      }
      return {
        release,
        pathOf(location) {
          if (isLocal(location)) return localPath(location)
          const one = got.get(nameOf(location))
          if (!one) throw new Failure('INTERNAL', `"${location}" is not part of this lease`)
          return one.path
        },
      }
    },
    async keep(location, localFile) {
      if (isLocal(location)) return
      const { size } = await stat(localFile)
      if (fetchedSinceCount + size > mayFetch) {
        await using _ = await evicting.acquire()
        await count()
      }
      if (bytes + arriving + size > bytesMax) return
      const copy = (part: string) => copyFile(localFile, part, constants.COPYFILE_FICLONE)
      const { signal } = new AbortController()
      await placeCopy(nameOf(location), { path: location, sizeBytes: size }, signal, copy).catch(() => {})
    },
    stats: () => ({ ...counts, bytes, files }),
    close: () => mine.close(),
  }
}

type Found = { path: string; sizeBytes: number; usedMs: number; inUse: boolean }

const nameOf = (location: string) => createHash('sha256').update(location).digest('hex').slice(0, 40)

const sum = (sized: readonly { sizeBytes: number }[]) => sized.reduce((all, { sizeBytes }) => all + sizeBytes, 0)

const missing = (location: string) =>
  new Failure('NOT_FOUND', `the file "${location}" does not exist`, {
    path: location,
    hint: 'A table names a file that its storage does not have: it was deleted by something else, or the location is wrong.',
  })

/** CRC-32 of a file in hexadecimal, read in steps. */
async function checksumOf(path: string): Promise<string> {
  await using file = await open(path, 'r')
  const buffer = Buffer.alloc(2 ** 20)
  let sum = 0
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length)
    if (bytesRead === 0) return sum.toString(16)
    sum = crc32(buffer.subarray(0, bytesRead), sum)
  }
}

/** What the promise gives, unless the signal comes first: the promise itself goes on. */
function orAborted<Result>(promise: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

function undefinedIfMissing(error: unknown): undefined {
  if (errorCode(error) !== 'ENOENT') throw error
}
