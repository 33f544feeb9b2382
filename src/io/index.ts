// The public surface of this room: other rooms import this file only.

export type { FileIO, FileStat } from './file-io.ts'
export { fileLocation, isLocal, joinLocation, localPath } from './location.ts'

import type { FileIO } from './file-io.ts'
// Signatures; each moves to its module as that is written.
/** Files of the local disk. `root` is cut from paths in messages; `sync: false` skips fsync (tests). */
export declare function localFileIO(options?: { root?: string; sync?: boolean }): FileIO
export declare function memoryFileIO(options?: {
  now?: () => number
}): FileIO & { readonly files: Map<string, Uint8Array> }
/** Stops the world at the n-th (from 0) operation: it and all later ones fail. `fault` (default crash) may instead be one ENOSPC/EIO or a slow step. */
export declare function crashingFileIO(
  io: FileIO,
  plan: { step: number; when: 'before' | 'after'; fault?: 'crash' | 'ENOSPC' | 'EIO' | 'slow' },
): FileIO & { readonly steps: number }
/** Each operation waits its turn with a fast-check scheduler. */
export declare function scheduledFileIO(
  io: FileIO,
  scheduler: { schedule<T>(task: Promise<T>, label?: string): Promise<T> },
): FileIO
/** Reads tables that were moved: locations that start with `from` are looked up below `to`. */
export declare function mappedFileIO(io: FileIO, map: { from: string; to: string }): FileIO
