// The same rows in other files: compaction of data files and of delete files (Java: RewriteFiles).

import { Failure } from '../base/failure.ts'
import type { FileIO } from '../io/index.ts'
import { Meanwhile, startingSnapshotId, type CheckedOptions } from './conflicts.ts'
import type { FileRef, NewDataFile, NewDeleteFile } from './manifest-types.ts'
import type { TableMetadata } from './metadata-types.ts'
import { deleteFileOf, vectorsIn } from './row-delta.ts'
import { snapshotById } from './snapshot.ts'
import { dataFileOf, prepareChange, type AddedFile, type PreparedWrite } from './work.ts'

export type Rewrite = {
  remove: { files?: readonly FileRef[]; deleteFiles?: readonly FileRef[] }
  add: {
    files?: readonly NewDataFile[]
    /** `sequenceNumber`: the highest of the delete files that this one replaces, so that it applies to the same data. */
    deleteFiles?: readonly (NewDeleteFile & { sequenceNumber: bigint })[]
  }
}

export type RewriteOptions = Omit<CheckedOptions, 'isolation' | 'conflictFilter'> & {
  /**
   * New data files take the sequence number of the starting snapshot, not of the commit: equality deletes that others
   * write meanwhile then go on to apply. Default true, as in Java's compaction.
   */
  keepSequenceNumber?: boolean | undefined
}

/**
 * COMMIT_CONFLICT when a file to be removed is gone, or got position deletes since `startingSnapshotId`: the new files
 * would bring those rows back. REQUEST_INVALID when it would add rows.
 */
export async function prepareRewrite(
  io: FileIO,
  metadata: TableMetadata,
  { remove, add }: Rewrite,
  options: RewriteOptions = {},
): Promise<PreparedWrite> {
  const { files = [], deleteFiles = [] } = remove
  const [newFiles, newDeletes] = [add.files ?? [], add.deleteFiles ?? []]
  if (files.length === 0 && deleteFiles.length === 0)
    throw new Failure('REQUEST_INVALID', 'a rewrite needs files to be rewritten')
  if (files.length === 0 && newFiles.length > 0)
    throw new Failure('REQUEST_INVALID', 'a rewrite of delete files alone adds no data files')
  const startingId = startingSnapshotId(metadata, options)
  const keepsNumber = (options.keepSequenceNumber ?? true) && metadata.formatVersion > 1
  const startingNumber =
    keepsNumber && startingId !== undefined ? snapshotById(metadata, startingId).sequenceNumber : undefined
  const deletes = newDeletes.map((file) => ({
    file: deleteFileOf(file, metadata),
    sequenceNumber: file.sequenceNumber,
  }))
  const vectors = vectorsIn(deletes.map(({ file }) => file))
  const added: AddedFile[] = [
    ...newFiles.map((file) => ({ file: dataFileOf(file, metadata), sequenceNumber: startingNumber })),
    ...deletes,
  ]
  const addedRows = newFiles.reduce((sum, { recordCount }) => sum + recordCount, 0)
  return prepareChange(
    io,
    metadata,
    {
      add: added,
      remove: { files, deleteFiles, vectorsOf: vectors },
      operation: 'replace',
      validate: async (at) => {
        const meanwhile = new Meanwhile(at, startingId, options.own)
        await meanwhile.stillThere(new Set(files.map(({ path }) => path)), { mayBeDeleted: false })
        await meanwhile.noVectorsFor(new Set(vectors.map(({ path }) => path)))
        const replaced = (await at.removed()).filter(({ file }) => file.content === 'data')
        const removedRows = replaced.reduce((sum, { file }) => sum + file.recordCount, 0)
        if (addedRows > removedRows)
          throw new Failure('REQUEST_INVALID', `a rewrite of ${removedRows} rows cannot add ${addedRows}`)
        await meanwhile.noDeletesFor(replaced, { exceptEquality: keepsNumber })
      },
    },
    options,
  )
}
