// Twins of a FileIO for tests and for tables that were moved: each is one function put around every operation.

import { Failure } from '../base/failure.ts'
import type { FileIO } from './file-io.ts'
import { storageFailure } from './storage-failure.ts'

type Around = <Result>(name: string, path: string, run: () => Promise<Result>) => Promise<Result>

/** Puts `around` around every operation; for `list` around its beginning. */
function wrapped(io: FileIO, around: Around): FileIO {
  return {
    read: (path, signal) => around('read', path, () => io.read(path, signal)),
    readRange: (path, offset, length, signal) =>
      around('readRange', path, () => io.readRange(path, offset, length, signal)),
    create: (path, bytes, signal) => around('create', path, () => io.create(path, bytes, signal)),
    upload: (path, localFile, signal) => around('upload', path, () => io.upload(path, localFile, signal)),
    write: (path, bytes, signal) => around('write', path, () => io.write(path, bytes, signal)),
    delete: (path, signal) => around('delete', path, () => io.delete(path, signal)),
    // One step for each file, so that a test stops between two of them.
    async deleteAll(paths, signal) {
      for (const path of paths) await around('delete', path, () => io.delete(path, signal))
    },
    stat: (path, signal) => around('stat', path, () => io.stat(path, signal)),
    async *list(prefix, signal) {
      yield* await around('list', prefix, async () => io.list(prefix, signal))
    },
  }
}

export type Fault = {
  /** Counts operations from 0. */
  step: number
  /** `after`: the operation takes effect and the caller is told that it failed. */
  when: 'before' | 'after'
  /**
   * `crash` (default): this and all later operations fail. `slow`: it takes `slowMs`. Others: only this one fails, as
   * a full or broken disk does, or a store that is busy (`503`), silent or cut off; with `after` the effect is there.
   */
  fault?: 'crash' | 'slow' | 'ENOSPC' | 'EIO' | 'ETIMEDOUT' | 'ECONNRESET' | '503'
  slowMs?: number
}

/** Fails at one operation, so that a test can try every step of a commit. `steps` is how many were asked for. */
export function crashingFileIO(
  io: FileIO,
  { step, when, fault = 'crash', slowMs = 5 }: Fault,
): FileIO & { readonly steps: number } {
  let steps = 0
  let crashed = false
  const fail = (name: string, path: string): never => {
    crashed ||= fault === 'crash'
    if (crashed) throw new Failure('STORAGE_FAILED', `cannot ${name} "${path}": the process is gone (crash test)`)
    throw storageFailure(name, path, Object.assign(new Error('the store is busy'), { code: fault }))
  }
  const around: Around = async (name, path, run) => {
    const mine = steps++
    if (crashed) return fail(name, path)
    if (mine !== step) return run()
    if (fault === 'slow') {
      await new Promise((resolve) => setTimeout(resolve, slowMs))
      return run()
    }
    if (when === 'before') return fail(name, path)
    await run()
    return fail(name, path)
  }
  return Object.defineProperty(wrapped(io, around), 'steps', { get: () => steps }) as FileIO & {
    readonly steps: number
  }
}

/** Each operation waits its turn with a scheduler (fast-check's), which tries the orders. */
export function scheduledFileIO(
  io: FileIO,
  scheduler: { schedule(task: Promise<unknown>, label?: string): Promise<unknown> },
): FileIO {
  return wrapped(io, async (name, path, run) => {
    await scheduler.schedule(Promise.resolve(), `${name} ${path}`)
    return run()
  })
}

/** Reads and writes tables that were moved: a location that starts with `from` is looked for below `to`. */
export function mappedFileIO(io: FileIO, { from, to }: { from: string; to: string }): FileIO {
  const map = (path: string) => (path.startsWith(from) ? to + path.slice(from.length) : path)
  const back = (path: string) => (path.startsWith(to) ? from + path.slice(to.length) : path)
  return {
    read: (path, signal) => io.read(map(path), signal),
    readRange: (path, offset, length, signal) => io.readRange(map(path), offset, length, signal),
    create: (path, bytes, signal) => io.create(map(path), bytes, signal),
    upload: (path, localFile, signal) => io.upload(map(path), localFile, signal),
    write: (path, bytes, signal) => io.write(map(path), bytes, signal),
    delete: (path, signal) => io.delete(map(path), signal),
    deleteAll: (paths, signal) => io.deleteAll(paths.map(map), signal),
    async stat(path, signal) {
      const found = await io.stat(map(path), signal)
      return found && { ...found, path }
    },
    async *list(prefix, signal) {
      for await (const file of io.list(map(prefix), signal)) yield { ...file, path: back(file.path) }
    },
  }
}
