// Rows out without rewriting their files: position deletes (v2), deletion vectors (v3) and equality deletes, together with
// new rows for updates and merges (Java: RowDelta).

import { Failure } from '../base/failure.ts'
import type { FileIO } from '../io/index.ts'
import { matching, Meanwhile, startingSnapshotId, type CheckedOptions } from './conflicts.ts'
import type { DataFile, FileRef, NewDataFile, NewDeleteFile } from './manifest-types.ts'
import type { Operation, TableMetadata } from './metadata-types.ts'
import { positionDeleteStatistics } from './metrics.ts'
import { isVector } from './summary.ts'
import { dataFileOf, prepareChange, type PreparedWrite } from './work.ts'

export type RowDelta = {
  addFiles?: readonly NewDataFile[]
  addDeletes?: readonly NewDeleteFile[]
  /** Delete files that `addDeletes` take the place of. The vector that a new one replaces need not be named. */
  removeDeletes?: readonly FileRef[]
  /** Data files that go whole. */
  removeFiles?: readonly FileRef[]
  /** Data files whose rows were read and deleted: they must still be there. Those that delete files name are added. */
  referencedFiles?: readonly string[]
  /** What is added was decided on by what the table held: then rows that came meanwhile count, also where none goes. */
  readsTable?: boolean
}

/**
 * A deletion vector must hold all deleted rows of its data file, old and new: it replaces what the file had. With
 * `addFiles` it is an update: then deletes of others in `conflictFilter` are a conflict too.
 */
export async function prepareRowDelta(
  io: FileIO,
  metadata: TableMetadata,
  {
    addFiles = [],
    addDeletes = [],
    removeDeletes = [],
    removeFiles = [],
    referencedFiles = [],
    readsTable = false,
  }: RowDelta,
  options: CheckedOptions = {},
): Promise<PreparedWrite> {
  const startingId = startingSnapshotId(metadata, options)
  const data = addFiles.map((file) => dataFileOf(file, metadata))
  const deletes = addDeletes.map((file) => deleteFileOf(file, metadata))
  const vectors = vectorsIn(deletes)
  const referenced = new Set([
    ...referencedFiles,
    ...deletes.flatMap(({ referencedDataFile }) => referencedDataFile ?? []),
  ])
  for (const { path } of removeFiles)
    if (referenced.has(path))
      throw new Failure('REQUEST_INVALID', `"${path}" is removed and has rows deleted in the same change`)
  const operation: Operation =
    deletes.length === 0 && removeFiles.length === 0 && removeDeletes.length === 0
      ? 'append'
      : data.length === 0 && deletes.length > 0
        ? 'delete'
        : 'overwrite'
  const isUpdate = data.length > 0
  return prepareChange(
    io,
    metadata,
    {
      add: [...data, ...deletes].map((file) => ({ file })),
      remove: { files: removeFiles, deleteFiles: removeDeletes, vectorsOf: vectors },
      operation,
      validate: async (at) => {
        if (operation === 'append' && !readsTable) return
        checkDeletes(deletes, at.base)
        const meanwhile = new Meanwhile(at, startingId, options.own)
        const scope = matching(options.conflictFilter, at.base)
        await meanwhile.stillThere(referenced, { mayBeDeleted: !isUpdate })
        if ((options.isolation ?? 'serializable') === 'serializable') await meanwhile.noDataAdded(scope)
        if (isUpdate) await meanwhile.noDeletesAdded(scope, options.conflictFilter)
        const paths = new Set(removeFiles.map(({ path }) => path))
        await meanwhile.stillThere(paths, { mayBeDeleted: false })
        await meanwhile.noVectorsFor(new Set(vectors.map(({ path }) => path)))
        await meanwhile.noDeletesFor((await at.removed()).filter(({ file }) => paths.has(file.path)))
      },
    },
    options,
  )
}

/** The data files of deletion vectors; each may have one. */
export function vectorsIn(deletes: readonly DataFile[]): FileRef[] {
  const found = new Map<string, FileRef>()
  for (const file of deletes.filter(isVector)) {
    const path = file.referencedDataFile!
    if (found.has(path)) throw new Failure('REQUEST_INVALID', `"${path}" is given two deletion vectors`)
    found.set(path, { path, specId: file.specId, partition: file.partition })
  }
  return [...found.values()]
}

/** The manifest entry of a new delete file. REQUEST_INVALID when it lacks what the spec asks for. */
export function deleteFileOf(file: NewDeleteFile, metadata: TableMetadata): DataFile {
  const { content, equalityIds, referencedDataFile, contentOffset, contentSizeBytes, path } = file
  if (content === 'equality-deletes' && !equalityIds?.length)
    throw new Failure('REQUEST_INVALID', `the equality delete file "${path}" names no fields to compare`)
  const isPuffin = file.format === 'puffin'
  if (isPuffin && (referencedDataFile === undefined || contentOffset === undefined || contentSizeBytes === undefined))
    throw new Failure('REQUEST_INVALID', `the deletion vector in "${path}" needs its data file, offset and size`)
  const entry: DataFile = {
    ...dataFileOf(file, metadata),
    content,
    ...(content === 'position-deletes' && positionDeleteStatistics(file)),
    ...(content === 'equality-deletes' && { equalityIds }),
    ...(referencedDataFile !== undefined && { referencedDataFile }),
    ...(isPuffin && { contentOffset, contentSizeBytes }),
  }
  checkDeletes([entry], metadata)
  return entry
}

/** What a format version allows. It is asked again for each base: the table may have been upgraded meanwhile. */
function checkDeletes(deletes: readonly DataFile[], { formatVersion }: TableMetadata) {
  for (const file of deletes) {
    if (formatVersion === 1)
      throw new Failure('UNSUPPORTED', 'tables of format version 1 have no delete files', {
        hint: 'Upgrade the table to version 2, or rewrite the data files.',
      })
    if (file.content !== 'position-deletes' || isVector(file) === formatVersion >= 3) continue
    throw new Failure(
      'COMMIT_CONFLICT',
      formatVersion >= 3
        ? `"${file.path}" is a position delete file: tables of version 3 get deletion vectors`
        : `"${file.path}" is a deletion vector: tables of version 2 get position delete files`,
    )
  }
}
