// One FileIO for all that a table may name: each location goes to the implementation that knows its scheme.

import type { Clock } from '../base/clock.ts'
import { Failure } from '../base/failure.ts'
import type { FileIO } from './file-io.ts'
import { localFileIO } from './local.ts'
import { isLocal, s3Location } from './location.ts'
import { defaultCredentials } from './s3/credentials.ts'
import { s3FileIO, type S3Options } from './s3/s3.ts'

export type StorageOptions = Pick<S3Options, 'endpoint' | 'region' | 'pathStyle' | 'conditionalWrites'> & {
  /** Of the lake: a path, or `s3://bucket/folder`. Local paths in messages are told below it. */
  root: string
  /** The variables of the process and of `.env`. */
  env: Record<string, string | undefined>
  clock: Clock
}

/** The storage of a project: the local disk always, and a store with the keys that `env` or this machine has. */
export function openStorage({ root, env, clock, ...s3 }: StorageOptions): FileIO {
  const file = localFileIO(isLocal(root) ? { root } : {})
  return storageFor({ file, s3: s3FileIO({ ...s3, clock, credentials: defaultCredentials({ env, clock }) }) })
}

/** Local files to `file`, objects to `s3`; UNSUPPORTED for schemes that nobody was given for. */
export const storageFor = ({ file, s3 }: { file?: FileIO; s3?: FileIO }): FileIO =>
  routedFileIO((location) => {
    const io = isLocal(location) ? file : s3Location(location) ? s3 : undefined
    if (io) return io
    throw new Failure('UNSUPPORTED', `no storage is set up for "${location}"`, {
      location,
      hint: 'Tables may lie on the local disk (file:) and in S3-compatible stores (s3:); see docs/how-to/storage.md.',
    })
  })

/** Each operation on a location goes to the FileIO that `pick` gives for it. */
export const routedFileIO = (pick: (location: string) => FileIO): FileIO => ({
  // `async`, so that a refusal of `pick` is a rejection like every other failure.
  read: async (path, signal) => pick(path).read(path, signal),
  readRange: async (path, offset, length, signal) => pick(path).readRange(path, offset, length, signal),
  create: async (path, bytes, signal) => pick(path).create(path, bytes, signal),
  upload: async (path, localFile, signal) => pick(path).upload(path, localFile, signal),
  write: async (path, bytes, signal) => pick(path).write(path, bytes, signal),
  delete: async (path, signal) => pick(path).delete(path, signal),
  async deleteAll(paths, signal) {
    for (const [io, some] of Map.groupBy(paths, pick)) await io.deleteAll(some, signal)
  },
  stat: async (path, signal) => pick(path).stat(path, signal),
  async *list(prefix, signal) {
    yield* pick(prefix).list(prefix, signal)
  },
})
