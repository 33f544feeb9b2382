// Files are written and deleted in the places of the lake only. Where a table lies and where its files go is said by its
// metadata, and whoever may make a table says what is in it: it must not lead a server out of the lake.

import { Failure } from '../base/failure.ts'
import type { FileIO } from './file-io.ts'
import { isInFolder } from './location.ts'

/** Reads anything; creates and writes in `folders` alone (FORBIDDEN), and lets be what lies elsewhere when it is to be deleted. */
export function confinedFileIO(io: FileIO, folders: readonly string[]): FileIO {
  const isInside = (path: string) => folders.some((folder) => isInFolder(path, folder))
  function check(path: string): void {
    if (isInside(path)) return
    throw new Failure('FORBIDDEN', `files of tables may not lie at ${path.slice(0, 300)}`, {
      hint: "A table's location and its properties write.data.path and write.metadata.path are in the lake, or in a place that catalog.locations allows.",
    })
  }
  return {
    ...io,
    async create(path, ...rest) {
      check(path)
      return io.create(path, ...rest)
    },
    async upload(path, ...rest) {
      check(path)
      return io.upload(path, ...rest)
    },
    async write(path, ...rest) {
      check(path)
      return io.write(path, ...rest)
    },
    delete: async (path, signal) => isInside(path) && io.delete(path, signal),
    deleteAll: async (paths, signal) => io.deleteAll(paths.filter(isInside), signal),
  }
}
