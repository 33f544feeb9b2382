// A FileIO that keeps what never changes. Metadata, manifests and deletion vectors are read again by every process that
// plans a query; from a store that is a request each time, from the local copy it is not.

import { open, readFile } from 'node:fs/promises'
import { Failure } from '../base/failure.ts'
import type { FileCache } from './file-cache.ts'
import type { FileIO } from './file-io.ts'
import { isLocal } from './location.ts'

/**
 * Names that are never given twice, because they hold a UUID (unlike `v1.metadata.json`, which a table that is made again
 * writes again). Data files go to the cache by `lease`.
 */
const immutable = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}[^/]*\.(avro|puffin|metadata\.json|metadata\.json\.gz)$/

/** Reads such files of a store through the cache; everything else as `io` does. */
export function cachingFileIO({ io, cache }: { io: FileIO; cache: FileCache }): FileIO {
  async function through(
    path: string,
    signal: AbortSignal | undefined,
    read: (localFile: string) => Promise<Uint8Array>,
  ) {
    const lease = await cache.lease([{ path }], signal).catch((error: unknown) => {
      if (error instanceof Failure && error.code === 'NOT_FOUND') return undefined
      throw error
    })
    if (!lease) return undefined
    try {
      return await read(lease.pathOf(path))
    } finally {
      lease.release()
    }
  }
  const isKept = (path: string) => !isLocal(path) && immutable.test(path)
  return {
    ...io,
    read: (path, signal) => (isKept(path) ? through(path, signal, (file) => readFile(file)) : io.read(path, signal)),
    readRange: (path, offset, length, signal) =>
      isKept(path)
        ? through(path, signal, async (file) => {
            await using handle = await open(file, 'r')
            const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset)
            return buffer.subarray(0, bytesRead)
          })
        : io.readRange(path, offset, length, signal),
  }
}
