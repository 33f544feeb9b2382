// Branches, tags and which snapshot is current: changes of a table that write no files, as Java's SnapshotManager makes
// them. Each gives updates and the requirements under which they mean what was meant.

import { Failure } from '../base/failure.ts'
import { evolveSchema } from './evolve-schema.ts'
import { currentSchema, refuse } from './metadata.ts'
import type { Snapshot, SnapshotRef, TableChange, TableMetadata, TableRequirement } from './metadata-types.ts'
import { fieldById, newlyRequired } from './schema.ts'
import { ancestorsOf, snapshotAsOf, snapshotById } from './snapshot.ts'
import { followedBy } from './update.ts'

export type Retention = {
  /** Branches only. */
  minSnapshotsToKeep?: number | undefined
  /** Branches only. */
  maxSnapshotAgeMs?: number | undefined
  maxRefAgeMs?: number | undefined
}

const unmoved = (metadata: TableMetadata, ref: string): TableRequirement[] => [
  { type: 'assert-table-uuid', uuid: metadata.tableUuid },
  { type: 'assert-ref-snapshot-id', ref, snapshotId: metadata.refs[ref]?.snapshotId },
]

const refChange = (metadata: TableMetadata, refName: string, ref: SnapshotRef): TableChange => ({
  updates: [{ action: 'set-snapshot-ref', refName, ref }],
  requirements: unmoved(metadata, refName),
})

function checkRetention(name: string, type: SnapshotRef['type'], retention: Retention) {
  const { minSnapshotsToKeep, maxSnapshotAgeMs } = retention
  if (type === 'tag' && (minSnapshotsToKeep !== undefined || maxSnapshotAgeMs !== undefined))
    refuse(`"${name}" is a tag: it keeps one snapshot; only its own age (maxRefAgeMs) can be limited`)
  for (const [key, value] of Object.entries(retention))
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0))
      refuse(`${key} must be a whole number above 0`)
}

/** A branch at a snapshot, by default the current one. REQUEST_INVALID when the name is taken or the table is empty. */
export function createBranch(
  metadata: TableMetadata,
  name: string,
  { snapshotId, ...retention }: Retention & { snapshotId?: bigint | undefined } = {},
): TableChange {
  return newRef(metadata, name, 'branch', snapshotId, retention)
}

/** A tag at a snapshot, by default the current one. REQUEST_INVALID when the name is taken or the table is empty. */
export function createTag(
  metadata: TableMetadata,
  name: string,
  { snapshotId, ...retention }: Pick<Retention, 'maxRefAgeMs'> & { snapshotId?: bigint | undefined } = {},
): TableChange {
  return newRef(metadata, name, 'tag', snapshotId, retention)
}

function newRef(
  metadata: TableMetadata,
  name: string,
  type: SnapshotRef['type'],
  snapshotId: bigint | undefined,
  retention: Retention,
): TableChange {
  if (name === '') refuse(`a ${type} needs a name`)
  const there = metadata.refs[name]
  if (there)
    throw new Failure('ALREADY_EXISTS', `there is a ${there.type} "${name}" already`, {
      hint: 'Choose another name, or drop it first.',
    })
  if (name === 'main' && type === 'tag') refuse('"main" must be a branch')
  checkRetention(name, type, retention)
  const id = snapshotId ?? metadata.currentSnapshotId ?? refuse(`the table is empty: a ${type} needs a snapshot`)
  snapshotById(metadata, id)
  return refChange(metadata, name, { type, snapshotId: id, ...retention })
}

/** Points a branch or tag elsewhere, or changes how long it keeps snapshots. REQUEST_INVALID when there is no such ref. */
export function changeRef(
  metadata: TableMetadata,
  name: string,
  { snapshotId, ...retention }: Retention & { snapshotId?: bigint | undefined },
): TableChange {
  const ref = refOf(metadata, name)
  checkRetention(name, ref.type, retention)
  if (snapshotId !== undefined) snapshotById(metadata, snapshotId)
  return refChange(metadata, name, { ...ref, ...retention, snapshotId: snapshotId ?? ref.snapshotId })
}

/** REQUEST_INVALID for `main`: a table without it would be empty. */
export function removeRef(metadata: TableMetadata, name: string): TableChange {
  if (name === 'main') refuse('the branch "main" cannot be removed')
  refOf(metadata, name)
  return { updates: [{ action: 'remove-snapshot-ref', refName: name }], requirements: unmoved(metadata, name) }
}

/** Moves `branch` on to where `to` is; makes it when it is missing. REQUEST_INVALID when `branch` has gone another way. */
export function fastForward(metadata: TableMetadata, branch: string, to: string): TableChange {
  const target = refOf(metadata, to)
  const ref = metadata.refs[branch]
  if (!ref) return refChange(metadata, branch, { type: 'branch', snapshotId: target.snapshotId })
  if (ref.type === 'tag') refuse(`"${branch}" is a tag: only branches move`)
  if (ref.snapshotId === target.snapshotId) return { updates: [], requirements: [] }
  if (!isAncestor(metadata, ref.snapshotId, target.snapshotId))
    refuse(`"${branch}" cannot be fast-forwarded: its snapshot ${ref.snapshotId} is not an ancestor of "${to}"`)
  return refChange(metadata, branch, { ...ref, snapshotId: target.snapshotId })
}

/** Makes any snapshot the head of a branch, wherever it came from. */
export function setCurrent(metadata: TableMetadata, snapshotId: bigint, branch = 'main'): TableChange {
  const snapshot = snapshotById(metadata, snapshotId)
  const ref = metadata.refs[branch]
  if (ref?.type === 'tag') refuse(`"${branch}" is a tag: only branches are set back`)
  const moved = refChange(metadata, branch, { type: 'branch', ...ref, snapshotId })
  return branch === 'main' ? followedBy(moved, loosened(metadata, snapshot)) : moved
}

/** Rows of a snapshot need have no value in columns that became required after it: engines could not read them. */
function loosened(metadata: TableMetadata, { schemaId }: Snapshot): TableChange {
  const now = currentSchema(metadata)
  const then = metadata.schemas.find((schema) => schema.schemaId === schemaId)
  const open = then ? newlyRequired(now, then) : []
  if (open.length === 0) return { updates: [], requirements: [] }
  const isOpen = (id: number) => open.some((field) => field.id === id)
  const evolution = evolveSchema(metadata)
  const key = now.identifierFieldIds.filter((id) => !isOpen(id))
  if (key.length < now.identifierFieldIds.length) evolution.identifiers(key.map((id) => fieldById(now, id)!.path))
  for (const { name } of open) evolution.nullable(name)
  return evolution.change()
}

/**
 * Sets a branch back to one of its own ancestors: by id, or to the last one before a moment. REQUEST_INVALID when the
 * snapshot is none of them.
 */
export function rollbackTo(
  metadata: TableMetadata,
  to: { snapshotId: bigint } | { timestampMs: number },
  branch = 'main',
): TableChange {
  const ancestors = ancestorsOf(metadata, metadata.refs[branch]?.snapshotId)
  let target: Snapshot | undefined
  if ('snapshotId' in to) {
    snapshotById(metadata, to.snapshotId)
    target =
      ancestors.find(({ snapshotId }) => snapshotId === to.snapshotId) ??
      refuse(`snapshot ${to.snapshotId} is not an ancestor of "${branch}": set it as current instead`)
  } else
    target =
      ancestors.find(({ timestampMs }) => timestampMs < to.timestampMs) ??
      refuse(`"${branch}" has no snapshot older than ${new Date(to.timestampMs).toISOString()}`)
  return setCurrent(metadata, target.snapshotId, branch)
}

export const isAncestor = (metadata: TableMetadata, id: bigint, of: bigint | undefined): boolean =>
  ancestorsOf(metadata, of).some(({ snapshotId }) => snapshotId === id)

function refOf(metadata: TableMetadata, name: string): SnapshotRef {
  const ref = metadata.refs[name]
  if (!ref) snapshotAsOf(metadata, { ref: name }) // names those that there are
  return ref ?? refuse(`there is no branch or tag "${name}"`)
}
