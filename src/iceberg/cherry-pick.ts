// Publishing a staged snapshot, or taking one over from another branch (Java: CherryPickOperation).
//
// Where the branch still stands at the parent of that snapshot, the branch moves on to it. Otherwise its files are
// committed anew on top, which is only right for appends and for replaced partitions that nobody touched meanwhile.

import { Failure } from '../base/failure.ts'
import type { FileIO } from '../io/index.ts'
import { inPartitions, Meanwhile } from './conflicts.ts'
import { readManifest, readManifestList } from './manifest.ts'
import type { DataFile } from './manifest-types.ts'
import { refuse } from './metadata.ts'
import type { Operation, Snapshot, TableMetadata } from './metadata-types.ts'
import { isAncestor, setCurrent } from './refs.ts'
import { ancestorsOf, snapshotById } from './snapshot.ts'
import { headOf, prepareChange, type Attempt, type PreparedWrite, type WriteOptions } from './work.ts'

/**
 * REQUEST_INVALID when the snapshot is part of the branch already, when its `wap.id` was published before, or when it
 * is neither an append nor replaced partitions and the branch has moved on; COMMIT_CONFLICT when it moves on meanwhile.
 */
export async function cherryPick(
  io: FileIO,
  metadata: TableMetadata,
  snapshotId: bigint,
  options: Omit<WriteOptions, 'stageOnly'> = {},
): Promise<PreparedWrite> {
  const branch = options.branch ?? 'main'
  const picked = snapshotById(metadata, snapshotId)
  checkUnpublished(metadata, picked, branch)
  const { operation } = picked.summary
  const replaces = operation === 'overwrite' && picked.summary['replace-partitions'] === 'true'
  const canBeRedone = operation === 'append' || replaces
  const isNext = (base: TableMetadata) => headOf(base, branch)?.snapshotId === picked.parentSnapshotId
  if (!canBeRedone && !isNext(metadata))
    refuse(`snapshot ${snapshotId} (${operation ?? 'unknown operation'}) can be published only on top of its parent`)
  const { added, removed } = await changedBy(io, metadata, picked, options)
  const wapId = picked.summary['wap.id']
  const redone = canBeRedone
    ? await prepareChange(
        io,
        metadata,
        {
          add: added.map((file) => ({ file: { ...file, firstRowId: undefined } })),
          remove: { files: removed },
          operation: operation as Operation,
          summary: {
            'source-snapshot-id': String(snapshotId),
            ...(wapId !== undefined && { 'published-wap-id': wapId }),
            ...(replaces && { 'replace-partitions': 'true' }),
          },
          validate: async (at) => {
            if (replaces) await checkPartitions(at, picked, added)
          },
        },
        options,
      )
    : undefined
  return {
    snapshotId: redone?.snapshotId ?? snapshotId,
    leftovers: (committed) => redone?.leftovers(committed) ?? [],
    on: async (base, at) => {
      checkUnpublished(base, snapshotById(base, snapshotId), branch)
      if (isNext(base)) return { ...setCurrent(base, snapshotId, branch), snapshot: picked }
      if (!redone)
        throw new Failure('COMMIT_CONFLICT', `"${branch}" moved on: snapshot ${snapshotId} is no longer next to it`)
      return redone.on(base, at)
    },
  }
}

function checkUnpublished(metadata: TableMetadata, picked: Snapshot, branch: string) {
  const head = headOf(metadata, branch)
  if (isAncestor(metadata, picked.snapshotId, head?.snapshotId))
    refuse(`snapshot ${picked.snapshotId} is part of "${branch}" already`)
  const wapId = picked.summary['wap.id']
  for (const { snapshotId, summary } of ancestorsOf(metadata, head?.snapshotId)) {
    if (summary['source-snapshot-id'] === String(picked.snapshotId))
      refuse(`snapshot ${picked.snapshotId} was published already, as snapshot ${snapshotId}`)
    if (wapId !== undefined && (summary['wap.id'] === wapId || summary['published-wap-id'] === wapId))
      refuse(`wap.id ${wapId} was published already, by snapshot ${snapshotId}`)
  }
}

/** Since its parent nobody may have put files into the partitions that it replaces. */
async function checkPartitions(at: Attempt, picked: Snapshot, added: readonly DataFile[]) {
  if (picked.parentSnapshotId !== undefined && !isAncestor(at.base, picked.parentSnapshotId, at.head?.snapshotId))
    throw new Failure('COMMIT_CONFLICT', `snapshot ${picked.snapshotId} replaces partitions of another branch`)
  await new Meanwhile(at, picked.parentSnapshotId).noDataAdded(inPartitions(added))
}

async function changedBy(
  io: FileIO,
  metadata: TableMetadata,
  snapshot: Snapshot,
  options: WriteOptions,
): Promise<{ added: DataFile[]; removed: DataFile[] }> {
  const result = { added: [] as DataFile[], removed: [] as DataFile[] }
  for (const manifest of await readManifestList(io, metadata, snapshot, options)) {
    if (manifest.content !== 'data' || manifest.addedSnapshotId !== snapshot.snapshotId) continue
    for (const { status, snapshotId, file } of await readManifest(io, metadata, manifest, options)) {
      if (snapshotId !== snapshot.snapshotId) continue
      if (status === 'added') result.added.push(file)
      if (status === 'deleted') result.removed.push(file)
    }
  }
  return result
}
