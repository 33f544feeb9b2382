// The two plain changes: rows in, and everything old out for something new. Start here to see a write; what every write
// shares is in `work.ts`.

import { Failure } from '../base/failure.ts'
import type { FileIO } from '../io/index.ts'
import { showSnapshot } from './conflicts.ts'
import type { NewDataFile } from './manifest-types.ts'
import { currentSchema, defaultSpec } from './metadata.ts'
import type { TableChange, TableMetadata, TableUpdate } from './metadata-types.ts'
import { specForReplace } from './evolve-spec.ts'
import { changeRef, createBranch, type Retention } from './refs.ts'
import { fieldById, sameSchema } from './schema.ts'
import type { PartitionSpec, Schema } from './types.ts'
import { applyUpdates, sameSpec } from './update.ts'
import {
  dataFileOf,
  headOf,
  prepareChange,
  type Attempt,
  type OnOptions,
  type PreparedWrite,
  type WriteOptions,
} from './work.ts'

export type AppendOptions = WriteOptions & {
  /** Leaves the merging of small manifests to a later commit. */
  fast?: boolean | undefined
}

/** Adds files; nothing else changes, so it goes on top of whatever other writers did. */
export function prepareAppend(
  io: FileIO,
  metadata: TableMetadata,
  files: readonly NewDataFile[],
  { fast, ...options }: AppendOptions = {},
): Promise<PreparedWrite> {
  const add = files.map((file) => ({ file: dataFileOf(file, metadata) }))
  return prepareChange(io, metadata, { add, operation: 'append', fast }, options)
}

/** A branch as `createBranch` makes it. That of a table without snapshots begins with an empty one of its own, as Java's does. */
export async function startBranch(
  metadata: TableMetadata,
  name: string,
  { snapshotId, ...retention }: Retention & { snapshotId?: bigint | undefined },
  { io, ...at }: OnOptions & { io: FileIO },
): Promise<TableChange> {
  if (metadata.refs[name] || (snapshotId ?? metadata.currentSnapshotId) !== undefined)
    return createBranch(metadata, name, { ...retention, snapshotId })
  const begun = await (await prepareAppend(io, metadata, [], { branch: name, signal: at.signal })).on(metadata, at)
  const kept = changeRef(applyUpdates(metadata, begun.updates, { nowMs: at.nowMs }), name, retention)
  return { updates: [...begun.updates, ...kept.updates], requirements: begun.requirements }
}

export type ReplaceOptions = WriteOptions & {
  /** Becomes the current schema in the same commit (`schemaForReplace`). */
  schema?: Schema | undefined
  /** Becomes the default spec in the same commit. By default what `specForReplace` leaves of the one that is there. */
  spec?: PartitionSpec | undefined
}

/**
 * Everything old out, `files` in; their partitions are of the spec that the replaced table has. It goes only on top of
 * the snapshot that it was prepared with: another writer's rows must not vanish unseen.
 */
export async function prepareReplace(
  io: FileIO,
  metadata: TableMetadata,
  files: readonly NewDataFile[],
  { schema, spec, ...options }: ReplaceOptions = {},
): Promise<PreparedWrite> {
  const schemaUpdates = updatesForReplace(metadata, schema, spec)
  const evolved = applyUpdates(metadata, schemaUpdates, { nowMs: metadata.lastUpdatedMs })
  const add = files.map((file) => ({ file: dataFileOf(file, evolved) }))
  const head = headOf(metadata, options.branch ?? 'main')
  return prepareChange(
    io,
    metadata,
    {
      add,
      remove: { all: true },
      operation: head === undefined ? 'append' : 'overwrite',
      schemaUpdates,
      evolved,
      validate: (at) => checkUnchanged(metadata, at, options.branch ?? 'main'),
    },
    options,
  )
}

/** Names the snapshot of the writer that was faster. */
function checkUnchanged(prepared: TableMetadata, { base, head }: Attempt, branch: string) {
  if (headOf(prepared, branch)?.snapshotId !== head?.snapshotId) {
    const other = head ? showSnapshot(head) : 'a rollback to no snapshot'
    throw new Failure('COMMIT_CONFLICT', `another writer changed the table meanwhile: ${other}`, {
      snapshotId: String(head?.snapshotId ?? ''),
    })
  }
  if (prepared.currentSchemaId !== base.currentSchemaId || prepared.lastColumnId !== base.lastColumnId)
    throw new Failure(
      'COMMIT_CONFLICT',
      `another writer changed the table's schema meanwhile (schema ${base.currentSchemaId}, was ${prepared.currentSchemaId})`,
    )
  if (prepared.defaultSpecId !== base.defaultSpecId)
    throw new Failure(
      'COMMIT_CONFLICT',
      `another writer changed the table's partitions meanwhile (spec ${base.defaultSpecId}, was ${prepared.defaultSpecId})`,
    )
}

function updatesForReplace(
  metadata: TableMetadata,
  schema: Schema | undefined,
  spec: PartitionSpec | undefined,
): TableUpdate[] {
  const next = schema ?? currentSchema(metadata)
  const nextSpec = spec ?? specForReplace(metadata, next)
  const order = metadata.sortOrders.find(({ orderId }) => orderId === metadata.defaultSortOrderId)
  const isSorted = order?.fields.every(({ sourceIds }) => sourceIds.every((id) => fieldById(next, id))) ?? true
  return [
    ...(sameSchema(next, currentSchema(metadata))
      ? []
      : ([
          { action: 'add-schema', schema: next },
          { action: 'set-current-schema', schemaId: -1 },
        ] as const)),
    ...(sameSpec(nextSpec, defaultSpec(metadata))
      ? []
      : ([
          { action: 'add-spec', spec: nextSpec },
          { action: 'set-default-spec', specId: -1 },
        ] as const)),
    ...(isSorted
      ? []
      : ([
          { action: 'add-sort-order', sortOrder: { orderId: 0, fields: [] } },
          { action: 'set-default-sort-order', sortOrderId: -1 },
        ] as const)),
  ]
}
