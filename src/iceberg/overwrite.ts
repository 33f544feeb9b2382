// Files out, files in: overwrites by filter and by partition, and copy-on-write deletes, updates and merges.

import { Failure } from '../base/failure.ts'
import type { FileIO } from '../io/index.ts'
import { inPartitions, matching, Meanwhile, startingSnapshotId, type CheckedOptions } from './conflicts.ts'
import type { FileRef, NewDataFile } from './manifest-types.ts'
import type { Operation, TableMetadata } from './metadata-types.ts'
import type { Predicate } from './predicate-types.ts'
import type { Removal } from './removal.ts'
import { dataFileOf, prepareChange, specOf, type PreparedWrite, type WriteOptions } from './work.ts'

export type Overwrite = {
  remove: {
    /** Data files that go, whatever is in them: rows that stay must be in `add`. */
    files?: readonly FileRef[]
    /** Rows that go. Files that only partly match must be among `files`. */
    filter?: Predicate
    /** Every partition that `add` has a file of is replaced. */
    partitions?: 'dynamic'
  }
  add: readonly NewDataFile[]
}

/**
 * Removes and adds in one snapshot (Java: OverwriteFiles, ReplacePartitions). It goes on top of what others did unless
 * they deleted rows that it removes or, serializable, added rows that it would have removed.
 */
export async function prepareOverwrite(
  io: FileIO,
  metadata: TableMetadata,
  { remove: { files = [], filter, partitions }, add }: Overwrite,
  options: CheckedOptions = {},
): Promise<PreparedWrite> {
  const startingId = startingSnapshotId(metadata, options)
  const added = add.map((file) => ({ file: dataFileOf(file, metadata) }))
  const replaced = added.map(({ file }) => file)
  // An unpartitioned table is one partition, also where files of older specs have others.
  const isWhole = partitions === 'dynamic' && replaced.some(({ specId }) => isUnpartitioned(metadata, specId))
  const removal: Removal = {
    files,
    filter: isWhole ? { op: 'true' } : filter,
    ...(partitions === 'dynamic' && !isWhole && { partitions: replaced }),
  }
  const isRemoving = files.length > 0 || filter !== undefined || partitions === 'dynamic'
  const operation: Operation =
    partitions === 'dynamic' ? 'overwrite' : !isRemoving ? 'append' : add.length === 0 ? 'delete' : 'overwrite'
  return prepareChange(
    io,
    metadata,
    {
      add: added,
      remove: removal,
      operation,
      ...(partitions === 'dynamic' && { summary: { 'replace-partitions': 'true' } }),
      validate: async (at) => {
        if (!isRemoving) return
        const meanwhile = new Meanwhile(at, startingId, options.own)
        const isSerializable = (options.isolation ?? 'serializable') === 'serializable'
        if (partitions === 'dynamic') {
          const scope = isWhole ? () => true : inPartitions(replaced)
          if (isSerializable) await meanwhile.noDataAdded(scope)
          await meanwhile.noDataRemoved(scope)
          return meanwhile.noDeletesAdded(scope)
        }
        const about = options.conflictFilter ?? (files.length === 0 ? filter : undefined)
        if (isSerializable) await meanwhile.noDataAdded(matching(about, at.base))
        if (filter) {
          const scope = matching(options.conflictFilter ?? filter, at.base)
          await meanwhile.noDeletesAdded(scope, options.conflictFilter ?? filter)
          await meanwhile.noDataRemoved(scope)
        }
        const paths = new Set(files.map(({ path }) => path))
        await meanwhile.stillThere(paths, { mayBeDeleted: false })
        await meanwhile.noDeletesFor(
          (await at.removed()).filter(({ file }) => paths.has(file.path)),
          { scope: matching(options.conflictFilter, at.base) },
        )
      },
    },
    options,
  )
}

const isUnpartitioned = (metadata: TableMetadata, specId: number) =>
  specOf(metadata, specId).fields.every(({ transform }) => transform.kind === 'void')

/**
 * Drops the files all of whose rows match, by metadata alone (Java: DeleteFiles). What others add meanwhile is deleted
 * too when it matches. COMMIT_CONFLICT names the files that only partly match: those must be rewritten.
 */
export function prepareDelete(
  io: FileIO,
  metadata: TableMetadata,
  { filter, files = [] }: { filter?: Predicate; files?: readonly FileRef[] },
  options: WriteOptions = {},
): Promise<PreparedWrite> {
  if (!filter && files.length === 0) throw new Failure('REQUEST_INVALID', 'a delete needs a filter or files')
  return prepareChange(io, metadata, { add: [], remove: { files, filter }, operation: 'delete' }, options)
}
