// Time travel: which snapshot a question about the past means.

import { Failure } from '../base/failure.ts'
import { currentSchema } from './metadata.ts'
import type { Snapshot, TableMetadata } from './metadata-types.ts'
import type { Schema } from './types.ts'

export type At = { snapshotId: bigint } | { timestampMs: number } | { ref: string }

/**
 * The snapshot at a moment, by id or by branch or tag; without `at` the current one. Undefined: the table was (or is)
 * still empty. NOT_FOUND when there is no such id or ref, or when the history of that moment was expired.
 */
export function snapshotAsOf(metadata: TableMetadata, at?: At): Snapshot | undefined {
  if (at === undefined)
    return metadata.currentSnapshotId === undefined ? undefined : snapshotById(metadata, metadata.currentSnapshotId)
  if ('snapshotId' in at) return snapshotById(metadata, at.snapshotId)
  if ('ref' in at) {
    const ref = metadata.refs[at.ref]
    if (ref) return snapshotById(metadata, ref.snapshotId)
    if (at.ref === 'main') return undefined
    const names = Object.keys(metadata.refs).map((name) => `"${name}"`)
    throw new Failure(
      'NOT_FOUND',
      `there is no branch or tag "${at.ref}"; there ${names.length === 0 ? 'are none' : `is ${names.join(', ')}`}`,
    )
  }
  const entry = metadata.snapshotLog.findLast(({ timestampMs }) => timestampMs <= at.timestampMs)
  if (entry) return snapshotById(metadata, entry.snapshotId)
  const [first] = metadata.snapshotLog
  const parent = first && findSnapshot(metadata.snapshots, first.snapshotId)?.parentSnapshotId
  if (!first || parent === undefined) return undefined
  throw new Failure('NOT_FOUND', `the table's history before ${new Date(first.timestampMs).toISOString()} was expired`)
}

export function snapshotById(metadata: TableMetadata, id: bigint): Snapshot {
  const snapshot = findSnapshot(metadata.snapshots, id)
  if (!snapshot) throw new Failure('NOT_FOUND', `there is no snapshot ${id}`, { snapshotId: String(id) })
  return snapshot
}

/**
 * Where each id stands in a list of snapshots. Lists that grew out of one share one of these, made once: a commit on top of a
 * long history looks through none of it. Nothing is taken out, so a place is looked at before it is believed.
 */
const placesIn = new WeakMap<readonly Snapshot[], Map<bigint, number>>()
function placesOf(snapshots: readonly Snapshot[]): Map<bigint, number> {
  const known = placesIn.get(snapshots)
  if (known) return known
  const places = new Map<bigint, number>()
  for (const [place, { snapshotId }] of snapshots.entries()) if (!places.has(snapshotId)) places.set(snapshotId, place)
  placesIn.set(snapshots, places)
  return places
}

export function findSnapshot(snapshots: readonly Snapshot[], id: bigint | undefined): Snapshot | undefined {
  const place = id === undefined ? undefined : placesOf(snapshots).get(id)
  if (place === undefined) return undefined
  const found = snapshots[place]
  // Another list that shares the places has it elsewhere.
  return found?.snapshotId === id ? found : snapshots.find(({ snapshotId }) => snapshotId === id)
}

/** The list with one more at its end. */
export function withSnapshot(snapshots: readonly Snapshot[], snapshot: Snapshot): readonly Snapshot[] {
  const places = placesOf(snapshots)
  const longer = [...snapshots, snapshot]
  places.set(snapshot.snapshotId, snapshots.length)
  placesIn.set(longer, places)
  return longer
}

export type HistoryEntry = {
  snapshot: Snapshot
  /** When it last became current; undefined when it never was (staged, or of another branch). */
  madeCurrentAtMs: number | undefined
  /** False for what was rolled back, staged, or lives on another branch. */
  isCurrentAncestor: boolean
}

/** Every snapshot, newest first. */
export function history(metadata: TableMetadata): HistoryEntry[] {
  const ancestors = new Set(ancestorsOf(metadata, metadata.currentSnapshotId).map(({ snapshotId }) => snapshotId))
  const madeCurrent = new Map(metadata.snapshotLog.map(({ snapshotId, timestampMs }) => [snapshotId, timestampMs]))
  return metadata.snapshots
    .map((snapshot) => ({
      snapshot,
      madeCurrentAtMs: madeCurrent.get(snapshot.snapshotId),
      isCurrentAncestor: ancestors.has(snapshot.snapshotId),
    }))
    .sort(
      (a, b) =>
        b.snapshot.timestampMs - a.snapshot.timestampMs ||
        Number(b.snapshot.sequenceNumber - a.snapshot.sequenceNumber),
    )
}

/** The snapshot and those before it, newest first, as far as they are kept. */
export function ancestorsOf(metadata: TableMetadata, id: bigint | undefined): Snapshot[] {
  const found = new Set<Snapshot>() // a hostile file may go in circles
  for (let next = findSnapshot(metadata.snapshots, id); next && !found.has(next);) {
    found.add(next)
    next = findSnapshot(metadata.snapshots, next.parentSnapshotId)
  }
  return [...found]
}

/** The schema that a snapshot was written with; the current one where the snapshot does not say. */
export function schemaOf(metadata: TableMetadata, snapshot?: Snapshot): Schema {
  return metadata.schemas.find(({ schemaId }) => schemaId === snapshot?.schemaId) ?? currentSchema(metadata)
}
