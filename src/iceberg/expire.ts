// Which snapshots a table gives up, and which files go with them (spec, "Snapshot Retention Policy"; the numbers are
// those of Java's RemoveSnapshots, so that both expire the same).
//
// Expiring is two steps that must not change places. First the metadata is committed without the snapshots; only when
// that is certain, the files go that nothing kept can reach. A crash in between leaves orphans, which orphan removal
// takes later. The plan is a pure function and is made again for every attempt of the commit, on the metadata of then:
// a tag that somebody just set is kept.

import { Failure } from '../base/failure.ts'
import type { FileIO } from '../io/index.ts'
import type { ReadOptions } from './manifest.ts'
import type { Snapshot, SnapshotRef, TableMetadata, TableRequirement, TableUpdate } from './metadata-types.ts'
import { contentOf, fileKey, filesInBatches, manifestsOf, type ReachedFile, type ReachedManifest } from './reachable.ts'
import { ancestorsOf } from './snapshot.ts'

export type ExpireOptions = {
  /** Snapshots before this time go. Default: `history.expire.max-snapshot-age-ms` (5 days) before now. */
  olderThanMs?: number | undefined
  /** At least so many of each branch stay. Default: `history.expire.min-snapshots-to-keep` (1). */
  retainLast?: number | undefined
  /** These go whatever their age. REQUEST_INVALID when a branch or tag holds one. */
  snapshotIds?: readonly bigint[] | undefined
  /** Nothing but `snapshotIds` goes. */
  onlyGivenIds?: boolean | undefined
}

export type ExpirePlan = {
  snapshots: Snapshot[]
  /** Branches and tags past their `max-ref-age-ms`. */
  refs: string[]
  updates: TableUpdate[]
  requirements: TableRequirement[]
}

const dayMs = 86_400_000

/** What to commit so that the table forgets what it need not remember. No snapshots and no refs: nothing to do. */
export function expirePlan(metadata: TableMetadata, options: ExpireOptions, nowMs: number): ExpirePlan {
  const setting = (name: string, otherwise: number) => {
    const given = metadata.properties[name]
    return given !== undefined && /^-?\d+$/.test(given.trim()) ? Number(given) : otherwise
  }
  const policy: Policy = {
    nowMs,
    olderThanMs: options.olderThanMs ?? nowMs - setting('history.expire.max-snapshot-age-ms', 5 * dayMs),
    retainLast: options.retainLast ?? setting('history.expire.min-snapshots-to-keep', 1),
    maxRefAgeMs: setting('history.expire.max-ref-age-ms', Infinity),
  }
  if (policy.retainLast < 1) throw new Failure('REQUEST_INVALID', 'at least one snapshot of each branch is kept')
  const kept = options.onlyGivenIds ? new Map(Object.entries(metadata.refs)) : keptRefs(metadata, policy)
  const ids = new Set(options.snapshotIds)
  for (const id of ids) {
    if (!metadata.snapshots.some(({ snapshotId }) => snapshotId === id))
      throw new Failure('NOT_FOUND', `there is no snapshot ${id}`, { snapshotId: String(id) })
    const holders = [...kept].filter(([, { snapshotId }]) => snapshotId === id).map(([name]) => `"${name}"`)
    if (holders.length > 0)
      throw new Failure('REQUEST_INVALID', `snapshot ${id} cannot be expired: ${holders.join(', ')} refers to it`, {
        hint: 'Remove the tag or move the branch first.',
      })
  }
  const keptIds = options.onlyGivenIds ? undefined : keptSnapshots(metadata, kept, policy)
  const snapshots = metadata.snapshots.filter(
    ({ snapshotId }) => ids.has(snapshotId) || (keptIds && !keptIds.has(snapshotId)),
  )
  const refs = Object.keys(metadata.refs).filter((name) => !kept.has(name))
  return {
    snapshots,
    refs,
    updates: [
      ...refs.map((refName): TableUpdate => ({ action: 'remove-snapshot-ref', refName })),
      ...(snapshots.length === 0
        ? []
        : [{ action: 'remove-snapshots' as const, snapshotIds: snapshots.map(({ snapshotId }) => snapshotId) }]),
    ],
    requirements: refsUnmoved(metadata),
  }
}

/** The table is the same one and every branch and tag is where it was: what a clean-up was worked out from. */
function refsUnmoved(metadata: TableMetadata): TableRequirement[] {
  return [
    { type: 'assert-table-uuid', uuid: metadata.tableUuid },
    // Rows that come to an empty table may be of a schema and a partition spec that nothing used.
    ...(metadata.refs['main'] ? [] : [{ type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: undefined } as const]),
    ...Object.entries(metadata.refs).map(([ref, { snapshotId }]): TableRequirement => ({
      type: 'assert-ref-snapshot-id',
      ref,
      snapshotId,
    })),
  ]
}

type Policy = { nowMs: number; olderThanMs: number; retainLast: number; maxRefAgeMs: number }

/** `main` always stays; other refs as long as their snapshot is not older than they may get. */
function keptRefs({ refs, snapshots }: TableMetadata, policy: Policy): Map<string, SnapshotRef> {
  const times = new Map(snapshots.map(({ snapshotId, timestampMs }) => [snapshotId, timestampMs]))
  return new Map(
    Object.entries(refs).filter(([name, { snapshotId, maxRefAgeMs = policy.maxRefAgeMs }]) => {
      const madeAtMs = times.get(snapshotId)
      return name === 'main' || (madeAtMs !== undefined && policy.nowMs - madeAtMs <= maxRefAgeMs)
    }),
  )
}

function keptSnapshots(metadata: TableMetadata, refs: ReadonlyMap<string, SnapshotRef>, policy: Policy): Set<bigint> {
  const kept = new Set<bigint>()
  const referenced = new Set<bigint>()
  for (const { type, snapshotId, maxSnapshotAgeMs, minSnapshotsToKeep } of refs.values()) {
    kept.add(snapshotId)
    referenced.add(snapshotId)
    if (type === 'tag') continue
    const countMin = minSnapshotsToKeep ?? policy.retainLast
    const sinceMs = maxSnapshotAgeMs === undefined ? policy.olderThanMs : policy.nowMs - maxSnapshotAgeMs
    let isWithin = true
    for (const [index, ancestor] of ancestorsOf(metadata, snapshotId).entries()) {
      referenced.add(ancestor.snapshotId)
      // The first one that is too old ends the branch's history, even when clocks made an older one look younger.
      isWithin &&= index < countMin || ancestor.timestampMs >= sinceMs
      if (isWithin) kept.add(ancestor.snapshotId)
    }
  }
  // Staged and rolled back snapshots belong to no branch: only their age counts.
  for (const { snapshotId, timestampMs } of metadata.snapshots)
    if (!referenced.has(snapshotId) && timestampMs >= policy.olderThanMs) kept.add(snapshotId)
  return kept
}

/**
 * Updates that drop the partition specs and schemas which nothing left in `metadata` uses (Java's
 * `cleanExpiredMetadata`). To be applied on top of an expiry, hence `metadata` is the one after it. Reads the manifest
 * lists of all snapshots.
 */
export async function unusedMetadataUpdates(
  io: FileIO,
  metadata: TableMetadata,
  options: ReadOptions = {},
): Promise<TableUpdate[]> {
  const specIds = new Set([metadata.defaultSpecId])
  const schemaIds = new Set<number | undefined>([metadata.currentSchemaId])
  for (const { schemaId } of metadata.snapshots) schemaIds.add(schemaId)
  for await (const { specId } of manifestsOf(io, metadata, metadata.snapshots, options)) specIds.add(specId)
  const specs = metadata.partitionSpecs.map(({ specId }) => specId).filter((id) => !specIds.has(id))
  const schemas = metadata.schemas.map(({ schemaId }) => schemaId).filter((id) => !schemaIds.has(id))
  return [
    ...(specs.length === 0 ? [] : [{ action: 'remove-partition-specs' as const, specIds: specs }]),
    ...(schemas.length === 0 ? [] : [{ action: 'remove-schemas' as const, schemaIds: schemas }]),
  ]
}

/**
 * Files that only the snapshots reach which `before` has and `after` has not, in the order in which they may be deleted:
 * what is named goes before what names it, so that an interrupted deletion leaves no file that nobody can find.
 *
 * `others` is every other metadata that may share files with the table: environments that were forked from it, open
 * change sets. What `after` or one of them reaches is kept, however it got there (cherry-picked, rolled back,
 * compacted). A file of an expired snapshot that is gone already is passed over; a kept one that cannot be read stops
 * the work before anything was given. Memory: the paths of all manifests, and `batchFiles` paths of other files.
 */
export async function* unreachableFiles(
  io: FileIO,
  before: TableMetadata,
  after: TableMetadata,
  options: ReadOptions & { others?: readonly TableMetadata[] | undefined; batchFiles?: number | undefined } = {},
): AsyncGenerator<ReachedFile> {
  const keptIds = new Set(after.snapshots.map(({ snapshotId }) => snapshotId))
  const expired = before.snapshots.filter(({ snapshotId }) => !keptIds.has(snapshotId))
  const kept = [after, ...(options.others ?? [])]

  const keptKeys = new Set<string>()
  const keptManifests: ReachedManifest[] = []
  for (const metadata of kept) {
    for (const { path } of namedFiles(metadata)) keptKeys.add(fileKey(path))
    for await (const manifest of manifestsOf(io, metadata, metadata.snapshots, options)) {
      const key = fileKey(manifest.path)
      if (keptKeys.has(key)) continue
      keptKeys.add(key)
      keptManifests.push({ manifest, metadata })
    }
  }
  const gone = new Map<string, ReachedManifest>()
  for await (const manifest of manifestsOf(io, before, expired, { ...options, skipMissing: true }))
    if (!keptKeys.has(fileKey(manifest.path))) gone.set(manifest.path, { manifest, metadata: before })

  const candidates = contentOf(io, gone.values(), { ...options, skipMissing: true })
  for await (const batch of filesInBatches(candidates, options.batchFiles)) {
    for await (const { path } of contentOf(io, keptManifests, options)) {
      batch.delete(fileKey(path))
      if (batch.size === 0) break
    }
    yield* batch.values()
  }
  for (const path of gone.keys()) yield { kind: 'manifest', path }
  const isKept = ({ snapshotId }: { snapshotId: bigint }) => keptIds.has(snapshotId)
  for (const file of namedFiles({
    snapshots: expired,
    statistics: before.statistics.filter((one) => !isKept(one)),
    partitionStatistics: before.partitionStatistics.filter((one) => !isKept(one)),
  }))
    if (!keptKeys.has(fileKey(file.path))) yield file
}

/** Files that the metadata itself names for its snapshots: statistics and manifest lists. */
function* namedFiles({
  snapshots,
  statistics,
  partitionStatistics,
}: Pick<TableMetadata, 'snapshots' | 'statistics' | 'partitionStatistics'>): Generator<ReachedFile> {
  for (const { statisticsPath } of [...statistics, ...partitionStatistics])
    yield { kind: 'statistics', path: statisticsPath }
  for (const { manifestList } of snapshots)
    if (manifestList !== undefined) yield { kind: 'manifest-list', path: manifestList }
}

/** Metadata files that fell out of the metadata log between `before` and `after`: no longer needed by either. */
export function droppedMetadataFiles(before: TableMetadata, after: TableMetadata): string[] {
  const kept = new Set(after.metadataLog.map(({ metadataFile }) => metadataFile))
  return before.metadataLog.map(({ metadataFile }) => metadataFile).filter((path) => !kept.has(path))
}
