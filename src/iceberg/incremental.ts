// What happened between two snapshots: the files that appends added (an incremental read), and all changes one snapshot
// after the other (a changelog). Both follow the parents of `to` back to `from`, which itself is left out.
//
// A changelog is a plan, not rows: whoever runs SQL reads `added` as inserts, `removed` as deletes, and of each `changed`
// file those rows that are in `before` and not in `after` as deletes. Compactions (`replace`) change no rows.

import { Failure } from '../base/failure.ts'
import type { FileIO } from '../io/index.ts'
import { readManifest, readManifestList, type ReadOptions } from './manifest.ts'
import type { ManifestEntry } from './manifest-types.ts'
import type { Snapshot, TableMetadata } from './metadata-types.ts'
import { bindPredicate, fileMayMatch } from './predicate.ts'
import type { Predicate } from './predicate-types.ts'
import { partitionEvaluators, planScan, scanFile, type ScanFile } from './scan.ts'
import { ancestorsOf, findSnapshot, snapshotById } from './snapshot.ts'
import type { Schema } from './types.ts'

export type Between = ReadOptions & {
  /** Exclusive. Default: from the first snapshot on. */
  from?: bigint | undefined
  /** Inclusive. Default: the current one. */
  to?: bigint | undefined
}

/** Oldest first. NOT_FOUND when `from` is no ancestor of `to`, or the way to it was expired. */
export function snapshotsBetween(
  metadata: TableMetadata,
  { from, to = metadata.currentSnapshotId }: Between,
): Snapshot[] {
  if (to === undefined || from === to) return []
  snapshotById(metadata, to)
  const ancestors = ancestorsOf(metadata, to)
  const end = ancestors.findIndex(({ snapshotId }) => snapshotId === from)
  if (end >= 0) return ancestors.slice(0, end).toReversed()
  // The snapshot itself may be expired, when the first one after it is still there.
  const parent = ancestors.at(-1)?.parentSnapshotId
  if (parent === from) return ancestors.toReversed()
  throw new Failure(
    'NOT_FOUND',
    from === undefined
      ? `the history before snapshot ${ancestors.at(-1)!.snapshotId} was expired`
      : `snapshot ${from} is no ancestor of ${to}, or the history between them was expired`,
  )
}

/**
 * The files that snapshots of the operation `append` added, oldest first, without deletes: what a reader that has seen `from`
 * reads next, if the table only grows. Rows that other operations wrote are not in it: see `planChanges`.
 */
export async function planAppends(io: FileIO, metadata: TableMetadata, between: Between): Promise<ScanFile[]> {
  const files: ScanFile[] = []
  for (const snapshot of snapshotsBetween(metadata, between)) {
    if (snapshot.summary.operation !== 'append') continue
    for (const entry of await ownEntries(io, metadata, snapshot, between))
      if (entry.status === 'added' && entry.file.content === 'data') files.push(scanFile(entry, []))
  }
  return files
}

export type SnapshotChanges = {
  snapshot: Snapshot
  /** With the deletes of the same commit. */
  added: ScanFile[]
  /** With the deletes that applied before: what they deleted was gone already. */
  removed: ScanFile[]
  /** Files that stayed and lost rows. */
  changed: { before: ScanFile; after: ScanFile }[]
}

/** Every change, one entry a snapshot that changed rows, oldest first. */
export async function planChanges(io: FileIO, metadata: TableMetadata, between: Between): Promise<SnapshotChanges[]> {
  const all: SnapshotChanges[] = []
  for (const snapshot of snapshotsBetween(metadata, between))
    if (snapshot.summary.operation !== 'replace') all.push(await changesOf(io, metadata, snapshot, between))
  return all.filter(({ added, removed, changed }) => added.length + removed.length + changed.length > 0)
}

/**
 * The same without the files in which no row can match. A snapshot of which nothing is left stays, so that each keeps its
 * place. Rows that match are compared with rows that match, so none comes or goes that did not.
 */
export function changesThatMayMatch(
  changes: readonly SnapshotChanges[],
  metadata: TableMetadata,
  schema: Schema,
  predicate: Predicate,
): SnapshotChanges[] {
  const bound = bindPredicate(predicate, schema)
  const evaluators = partitionEvaluators(bound, metadata)
  const mayMatch = ({ specId, partition, file }: ScanFile) =>
    (partition.length === 0 || (evaluators.get(specId)?.partition(partition) ?? true)) && fileMayMatch(bound, file)
  return changes.map(({ snapshot, added, removed, changed }) => ({
    snapshot,
    added: added.filter(mayMatch),
    removed: removed.filter(mayMatch),
    changed: changed.filter(({ after }) => mayMatch(after)),
  }))
}

async function changesOf(
  io: FileIO,
  metadata: TableMetadata,
  snapshot: Snapshot,
  options: ReadOptions,
): Promise<SnapshotChanges> {
  const parent = findSnapshot(metadata.snapshots, snapshot.parentSnapshotId)
  const lists = [snapshot, ...(parent ? [parent] : [])].map((one) => readManifestList(io, metadata, one, options))
  const hasDeletes = (await Promise.all(lists)).flat().some(({ content }) => content === 'deletes')
  if (!hasDeletes || (!parent && snapshot.parentSnapshotId !== undefined)) {
    if (hasDeletes)
      throw new Failure(
        'NOT_FOUND',
        `what snapshot ${snapshot.snapshotId} deleted is not known: the one before it was expired`,
      )
    const entries = await ownEntries(io, metadata, snapshot, options)
    const of = (status: ManifestEntry['status']) =>
      entries.filter((entry) => entry.status === status).map((entry) => scanFile(entry, []))
    return { snapshot, added: of('added'), removed: of('deleted'), changed: [] }
  }
  // Which rows new deletes meet, only the two whole plans tell.
  const plan = (one: Snapshot | undefined) =>
    one ? planScan(io, metadata, { ...options, snapshotId: one.snapshotId }) : { files: [] }
  const [before, after] = [await plan(parent), await plan(snapshot)]
  const old = new Map(before.files.map((file) => [file.path, file]))
  const left = new Set(after.files.map(({ path }) => path))
  return {
    snapshot,
    added: after.files.filter(({ path }) => !old.has(path)),
    removed: before.files.filter(({ path }) => !left.has(path)),
    changed: after.files.flatMap((file) => {
      const was = old.get(file.path)
      return was && deletesText(was) !== deletesText(file) ? [{ before: was, after: file }] : []
    }),
  }
}

const deletesText = ({ deletes }: ScanFile) =>
  deletes
    .map(({ file: { path, contentOffset } }) => `${path}@${contentOffset}`)
    .toSorted()
    .join('\n')

/** What the snapshot itself added and removed. */
async function ownEntries(
  io: FileIO,
  metadata: TableMetadata,
  snapshot: Snapshot,
  options: ReadOptions,
): Promise<ManifestEntry[]> {
  const { snapshotId } = snapshot
  const manifests = await readManifestList(io, metadata, snapshot, options)
  const own = manifests.filter(({ addedSnapshotId }) => addedSnapshotId === snapshotId)
  const entries = await Promise.all(own.map((manifest) => readManifest(io, metadata, manifest, options)))
  return entries.flat().filter((entry) => entry.status !== 'existing' && entry.snapshotId === snapshotId)
}
