import { readFile } from 'node:fs/promises'
import type { FileIO } from './file-io.ts'
import { isLocal, localPath } from './location.ts'

export type MemoryFileIO = FileIO & {
  /** What is stored, by plain path: for tests to look into. */
  readonly files: ReadonlyMap<string, Uint8Array>
}

/** A disk that lasts as long as the process. Each call takes effect at once, at the moment it is made. */
export function memoryFileIO({ now = () => 0 }: { now?: () => number } = {}): MemoryFileIO {
  const files = new Map<string, Uint8Array>()
  const times = new Map<string, number>()
  // A file URI and its path are one file; locations of stores are taken as they are.
  const key = (location: string) => (isLocal(location) ? localPath(location) : location)
  const put = (path: string, bytes: Uint8Array) => {
    files.set(path, bytes.slice())
    times.set(path, now())
  }
  return {
    files,
    async read(path, signal) {
      signal?.throwIfAborted()
      return files.get(key(path))?.slice()
    },
    async readRange(path, offset, length, signal) {
      signal?.throwIfAborted()
      return files.get(key(path))?.slice(offset, offset + length)
    },
    async create(path, bytes, signal) {
      signal?.throwIfAborted()
      if (files.has(key(path))) return false
      put(key(path), bytes)
      return true
    },
    async upload(path, localFile, signal) {
      return this.create(path, await readFile(localFile, { signal }), signal)
    },
    async write(path, bytes, signal) {
      signal?.throwIfAborted()
      put(key(path), bytes)
    },
    async delete(path, signal) {
      signal?.throwIfAborted()
      return files.delete(key(path))
    },
    async deleteAll(paths, signal) {
      signal?.throwIfAborted()
      for (const path of paths) files.delete(key(path))
    },
    async stat(path, signal) {
      signal?.throwIfAborted()
      const bytes = files.get(key(path))
      return bytes && { path, sizeBytes: bytes.length, modifiedAtMs: times.get(key(path)) ?? 0 }
    },
    async *list(prefix, signal) {
      const spelled = prefix.replace(/\/+$/, '')
      const folder = key(spelled === '' ? '/' : spelled).replace(/\/$/, '')
      for (const [path, bytes] of files) {
        signal?.throwIfAborted()
        if (!path.startsWith(`${folder}/`)) continue
        yield { path: spelled + path.slice(folder.length), sizeBytes: bytes.length, modifiedAtMs: times.get(path) ?? 0 }
      }
    },
  }
}
