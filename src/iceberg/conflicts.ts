// What other writers did since a change was prepared, and whether the change still means the same on top of it.
//
// The rules are those of Java's MergingSnapshotProducer: the snapshots between the one that was read and the head of the
// branch are looked at one by one, through the manifests that each of them added. `serializable` also refuses rows that
// appeared meanwhile and that the change would have seen; `snapshot` only what would undo or miss another writer's work.

import { Failure } from '../base/failure.ts'
import { readManifest, readManifestList } from './manifest.ts'
import type { DataFile, ManifestEntry } from './manifest-types.ts'
import { currentSchema } from './metadata.ts'
import type { Operation, Snapshot, TableMetadata } from './metadata-types.ts'
import { coverageOf } from './predicate-strict.ts'
import type { Predicate } from './predicate-types.ts'
import { deleteIndex, placeOf, planScan } from './scan.ts'
import { ancestorsOf } from './snapshot.ts'
import { isVector } from './summary.ts'
import { headOf, type Attempt, type WriteOptions } from './work.ts'

export type Isolation = 'serializable' | 'snapshot'

/** How a change that was made of what a table held wants to be checked against what happened since. */
export type CheckedOptions = WriteOptions & {
  /** Default `serializable`. */
  isolation?: Isolation | undefined
  /** The snapshot that the change was made of, null for none; by default the head of the branch in the metadata at hand. */
  startingSnapshotId?: bigint | null | undefined
  /** Snapshots of the same change set: they are nobody else's work. */
  own?: ReadonlySet<bigint> | undefined
  /** Rows that the change is about: rows of other writers that cannot match are no conflict. Default: all. */
  conflictFilter?: Predicate | undefined
}

export const startingSnapshotId = (metadata: TableMetadata, options: CheckedOptions): bigint | undefined =>
  options.startingSnapshotId === null
    ? undefined
    : (options.startingSnapshotId ?? headOf(metadata, options.branch ?? 'main')?.snapshotId)

type Found = { snapshot: Snapshot; entry: ManifestEntry }
/** Which files of the table a check is about. */
type Scope = (file: DataFile) => boolean

/** Files that may hold a row which matches; delete files that may delete one. */
export function matching(filter: Predicate | undefined, base: TableMetadata): Scope {
  if (!filter) return () => true
  const coverage = coverageOf(filter, currentSchema(base), base)
  return (file) => coverage(file) !== 'none'
}

export function inPartitions(places: readonly Pick<DataFile, 'specId' | 'partition'>[]): Scope {
  const keys = new Set(places.map(placeOf))
  return (file) => keys.has(placeOf(file))
}

/** What happened on the branch after the snapshot `startingId`, up to the head. */
export class Meanwhile {
  readonly #at: Attempt
  readonly #snapshots: readonly Snapshot[]
  readonly #startingSequenceNumber: bigint

  /** COMMIT_CONFLICT when the head does not come from that snapshot: it was rolled back or expired. */
  constructor(at: Attempt, startingId: bigint | undefined, own: ReadonlySet<bigint> = new Set()) {
    this.#at = at
    const { base, head } = at
    const ancestors = ancestorsOf(base, head?.snapshotId)
    const start = ancestors.findIndex(({ snapshotId }) => snapshotId === startingId)
    const since = start < 0 ? ancestors : ancestors.slice(0, start)
    this.#snapshots = since.filter(({ snapshotId }) => !own.has(snapshotId))
    this.#startingSequenceNumber = start < 0 ? 0n : ancestors[start]!.sequenceNumber
    const oldest = since.at(-1)
    if (startingId !== undefined && start < 0)
      throw new Failure(
        'COMMIT_CONFLICT',
        `the history since snapshot ${startingId} is not known: ${head ? `snapshot ${head.snapshotId} does not come from it` : 'the table was rolled back to no snapshot'}`,
        { snapshotId: String(startingId) },
      )
    if (startingId === undefined && oldest?.parentSnapshotId !== undefined)
      throw new Failure('COMMIT_CONFLICT', `the history before snapshot ${oldest.snapshotId} was expired`)
  }

  /** No files with rows of the scope were added (validateNoConflictingAppends). */
  async noDataAdded(scope: Scope): Promise<void> {
    for await (const { snapshot, entry } of this.#entries('data', ['append', 'overwrite']))
      if (entry.status === 'added' && scope(entry.file)) refuse(snapshot, 'added', entry.file)
  }

  /** No data file of the scope was removed. */
  async noDataRemoved(scope: Scope): Promise<void> {
    for await (const { snapshot, entry } of this.#entries('data', ['overwrite', 'replace', 'delete']))
      if (entry.status === 'deleted' && scope(entry.file)) refuse(snapshot, 'removed', entry.file)
  }

  /** The data files are still there. `delete` as an operation is let through where that is no harm. */
  async stillThere(paths: ReadonlySet<string>, { mayBeDeleted }: { mayBeDeleted: boolean }): Promise<void> {
    if (paths.size === 0) return
    const operations: Operation[] = mayBeDeleted ? ['overwrite', 'replace'] : ['overwrite', 'replace', 'delete']
    for await (const { snapshot, entry } of this.#entries('data', operations))
      if (entry.status === 'deleted' && paths.has(entry.file.path)) refuse(snapshot, 'removed', entry.file)
  }

  /**
   * No delete file of the scope was added. Deletes by position say nothing of values: with the `filter` that the scope is
   * made of they count only where they are about a data file that may hold such rows.
   */
  async noDeletesAdded(scope: Scope, filter?: Predicate): Promise<void> {
    const found: Found[] = []
    for await (const one of this.#entries('deletes', ['overwrite', 'delete']))
      if (one.entry.status === 'added' && scope(one.entry.file)) found.push(one)
    if (found.length === 0) return
    const keyOf = ({ path, contentOffset }: DataFile) => `${path}#${contentOffset ?? ''}`
    let concerned = new Set(found.map(({ entry }) => keyOf(entry.file)))
    if (filter) {
      const { io, base, head, options } = this.#at
      const { files } = await planScan(io, base, { ...options, snapshotId: head?.snapshotId, predicate: filter })
      concerned = new Set(files.flatMap(({ deletes }) => deletes.map(({ file }) => keyOf(file))))
    }
    for (const { snapshot, entry } of found)
      if (concerned.has(keyOf(entry.file))) refuse(snapshot, 'added deletes in', entry.file)
  }

  /** No rows of these data files were deleted. Equality deletes go on to apply to files that keep their sequence number. */
  async noDeletesFor(
    files: readonly ManifestEntry[],
    { scope = () => true, exceptEquality = false }: { scope?: Scope; exceptEquality?: boolean } = {},
  ): Promise<void> {
    if (files.length === 0) return
    const snapshots = new Map<DataFile, Snapshot>()
    const deletes: ManifestEntry[] = []
    const withVector = new Set<string | undefined>()
    for await (const { snapshot, entry } of this.#entries('deletes', ['overwrite', 'delete'])) {
      if (entry.status !== 'added' || !scope(entry.file)) continue
      if (exceptEquality && entry.file.content === 'equality-deletes') continue
      if (isVector(entry.file)) {
        // Each vector replaced the one before it: the newest stands for all of them.
        if (withVector.has(entry.file.referencedDataFile)) continue
        withVector.add(entry.file.referencedDataFile)
      }
      snapshots.set(entry.file, snapshot)
      deletes.push(entry)
    }
    if (deletes.length === 0) return
    const deletesOf = deleteIndex(deletes, this.#at.base)
    for (const entry of files) {
      const [found] = deletesOf({ ...entry, sequenceNumber: this.#startingSequenceNumber })
      if (found) refuse(snapshots.get(found.file)!, `deleted rows of "${entry.file.path}" by`, found.file)
    }
  }

  /** Nobody gave these data files a deletion vector: two cannot stand side by side. */
  async noVectorsFor(paths: ReadonlySet<string>): Promise<void> {
    if (paths.size === 0) return
    for await (const { snapshot, entry } of this.#entries('deletes', ['overwrite', 'delete', 'replace'])) {
      const { file, status } = entry
      if (status === 'added' && isVector(file) && paths.has(file.referencedDataFile ?? ''))
        refuse(snapshot, `deleted rows of "${file.referencedDataFile}" by`, file)
    }
  }

  /** Entries that snapshots with one of these operations (or one that is not known) made themselves. */
  async *#entries(content: 'data' | 'deletes', operations: readonly Operation[]): AsyncGenerator<Found> {
    const { io, base, options } = this.#at
    for (const snapshot of this.#snapshots) {
      const { operation } = snapshot.summary
      if (operation !== undefined && !operations.includes(operation as Operation)) continue
      for (const manifest of await readManifestList(io, base, snapshot, options)) {
        if (manifest.content !== content || manifest.addedSnapshotId !== snapshot.snapshotId) continue
        for (const entry of await readManifest(io, base, manifest, options))
          if (entry.snapshotId === snapshot.snapshotId) yield { snapshot, entry }
      }
    }
  }
}

/** A snapshot as a message names it: whose it is cannot be known, but when it was and what it did. */
export const showSnapshot = ({ snapshotId, summary, timestampMs }: Snapshot): string =>
  `snapshot ${snapshotId} (${summary.operation ?? 'unknown operation'}, ${new Date(timestampMs).toISOString()})`

function refuse(snapshot: Snapshot, did: string, { path }: DataFile): never {
  throw new Failure(
    'COMMIT_CONFLICT',
    `another writer changed the table meanwhile: ${showSnapshot(snapshot)} ${did} "${path}"`,
    { snapshotId: String(snapshot.snapshotId), operation: snapshot.summary.operation, file: path },
  )
}
