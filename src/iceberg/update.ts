// A table changes by a list of updates to its metadata, as in the REST protocol. Everything here is a pure function of
// values: a catalog checks the requirements against what it has, applies the updates, writes the result as a new file
// and swaps its pointer. The rules are those of Java's TableMetadata.Builder, because other engines rely on them.

import { unreachable } from '../base/assert.ts'
import { Failure } from '../base/failure.ts'
import { checkOrder, checkSchema, checkSpec, currentSchema, defaultSpec, refuse } from './metadata.ts'
import type {
  Snapshot,
  SnapshotRef,
  TableChange,
  TableMetadata,
  TableRequirement,
  TableUpdate,
} from './metadata-types.ts'
import { highestFieldId, sameSchema } from './schema.ts'
import { findSnapshot, withSnapshot } from './snapshot.ts'
import { showTransform } from './transform.ts'
import type { PartitionSpec, SortOrder } from './types.ts'

const metadataLogMaxDefault = 100

type Draft = {
  metadata: TableMetadata
  nowMs: number
  // What -1 means in the updates that follow.
  lastSchemaId: number | undefined
  lastSpecId: number | undefined
  lastOrderId: number | undefined
  addedSnapshots: Map<bigint, Snapshot>
  removes: boolean
}

/**
 * The metadata after `updates`, or `metadata` itself when they change nothing. `undefined` is a table to be created:
 * the updates must then give uuid, location, schema, spec and order (`createUpdates`).
 * `previous` is the metadata file being replaced; it goes to the metadata log.
 * REQUEST_INVALID when an update does not fit the table.
 */
export function applyUpdates(
  metadata: TableMetadata | undefined,
  updates: readonly TableUpdate[],
  { nowMs, previous }: { nowMs: number; previous?: string | undefined },
): TableMetadata {
  const base = metadata ?? emptyMetadata
  const draft: Draft = {
    metadata: base,
    nowMs,
    lastSchemaId: undefined,
    lastSpecId: undefined,
    lastOrderId: undefined,
    addedSnapshots: new Map(),
    removes: false,
  }
  for (const update of updates) apply(draft, update)
  if (draft.metadata === base) return base
  const changed = { ...draft.metadata, snapshotLog: cleanLog(draft, base) }
  if (!metadata) checkCreated(changed)
  checkDefaults(changed, base)
  // A snapshot's own time wins over the clock of whoever applies it.
  const lastUpdatedMs =
    changed.lastUpdatedMs === base.lastUpdatedMs ? Math.max(nowMs, base.lastUpdatedMs) : changed.lastUpdatedMs
  const logMax = Math.max(
    1,
    Number(changed.properties['write.metadata.previous-versions-max'] ?? metadataLogMaxDefault) ||
      metadataLogMaxDefault,
  )
  const metadataLog =
    previous === undefined
      ? changed.metadataLog
      : [...changed.metadataLog, { metadataFile: previous, timestampMs: base.lastUpdatedMs }]
  return { ...changed, lastUpdatedMs, metadataLog: metadataLog.slice(-logMax) }
}

const emptyMetadata: TableMetadata = {
  formatVersion: 2,
  tableUuid: '',
  location: '',
  lastSequenceNumber: 0n,
  lastUpdatedMs: 0,
  lastColumnId: 0,
  schemas: [],
  currentSchemaId: -1,
  partitionSpecs: [],
  defaultSpecId: -1,
  lastPartitionId: 999,
  properties: {},
  snapshots: [],
  snapshotLog: [],
  metadataLog: [],
  sortOrders: [],
  defaultSortOrderId: -1,
  refs: {},
  statistics: [],
  partitionStatistics: [],
}

function checkCreated(metadata: TableMetadata) {
  if (metadata.tableUuid === '') refuse('a new table needs assign-uuid')
  if (metadata.location === '') refuse('a new table needs set-location')
  if (metadata.currentSchemaId < 0) refuse('a new table needs add-schema and set-current-schema')
  if (metadata.defaultSpecId < 0) refuse('a new table needs add-spec and set-default-spec')
  if (metadata.defaultSortOrderId < 0) refuse('a new table needs add-sort-order and set-default-sort-order')
}

/** A schema, a spec and an order may change together: only what comes out must fit. */
function checkDefaults(changed: TableMetadata, base: TableMetadata) {
  const [schema, spec, order] = [
    changed.currentSchemaId !== base.currentSchemaId,
    changed.defaultSpecId !== base.defaultSpecId,
    changed.defaultSortOrderId !== base.defaultSortOrderId,
  ]
  const current = currentSchema(changed)
  if (schema || spec) checkSpec(defaultSpec(changed), current)
  const sortOrder = changed.sortOrders.find(({ orderId }) => orderId === changed.defaultSortOrderId)
  if ((schema || order) && sortOrder) checkOrder(sortOrder, current)
}

function apply(draft: Draft, update: TableUpdate): void {
  const { metadata } = draft
  const set = (changes: Partial<TableMetadata>) => void (draft.metadata = { ...draft.metadata, ...changes })
  switch (update.action) {
    case 'assign-uuid': {
      if (metadata.tableUuid === update.uuid) return
      if (metadata.tableUuid !== '') refuse(`assign-uuid: the table has the uuid ${metadata.tableUuid} and keeps it`)
      return set({ tableUuid: update.uuid })
    }
    case 'upgrade-format-version': {
      if (update.formatVersion === metadata.formatVersion) return
      const isNew = metadata.schemas.length === 0
      if (update.formatVersion < metadata.formatVersion && !isNew)
        refuse(
          `upgrade-format-version: a table of version ${metadata.formatVersion} does not go back to ${update.formatVersion}`,
        )
      return set({
        formatVersion: update.formatVersion,
        ...(update.formatVersion >= 3 && { nextRowId: metadata.nextRowId ?? 0n }),
      })
    }
    case 'add-schema': {
      checkSchema(update.schema, metadata.formatVersion)
      const same = metadata.schemas.find((schema) => sameSchema(schema, update.schema))
      const schemaId = same?.schemaId ?? nextId(metadata.schemas.map((schema) => schema.schemaId))
      draft.lastSchemaId = schemaId
      if (same) return
      return set({
        schemas: [...metadata.schemas, { ...update.schema, schemaId }],
        lastColumnId: Math.max(metadata.lastColumnId, highestFieldId(update.schema)),
      })
    }
    case 'set-current-schema': {
      const schemaId =
        update.schemaId === -1
          ? (draft.lastSchemaId ?? refuse('set-current-schema: no schema was added'))
          : update.schemaId
      if (!metadata.schemas.some((one) => one.schemaId === schemaId))
        refuse(`set-current-schema: there is no schema ${schemaId}`)
      return schemaId === metadata.currentSchemaId ? undefined : set({ currentSchemaId: schemaId })
    }
    case 'add-spec': {
      const same = metadata.partitionSpecs.find((spec) => sameSpec(spec, update.spec))
      draft.lastSpecId = same?.specId ?? nextId(metadata.partitionSpecs.map(({ specId }) => specId))
      if (same) return
      checkSpec(update.spec, schemaOfDraft(metadata, 'add-spec'))
      let last = metadata.lastPartitionId
      // Clients send -1 or 0 for fields that have no id yet.
      const fields = update.spec.fields.map((field) => ({
        ...field,
        fieldId: field.fieldId > 0 ? field.fieldId : ++last,
      }))
      return set({
        partitionSpecs: [...metadata.partitionSpecs, { specId: draft.lastSpecId, fields }],
        lastPartitionId: Math.max(last, ...fields.map(({ fieldId }) => fieldId)),
      })
    }
    case 'set-default-spec': {
      const specId =
        update.specId === -1
          ? (draft.lastSpecId ?? refuse('set-default-spec: no partition spec was added'))
          : update.specId
      if (!metadata.partitionSpecs.some((one) => one.specId === specId))
        refuse(`set-default-spec: there is no partition spec ${specId}`)
      return specId === metadata.defaultSpecId ? undefined : set({ defaultSpecId: specId })
    }
    case 'add-sort-order': {
      const same = metadata.sortOrders.find((order) => sameOrder(order, update.sortOrder))
      const isUnsorted = update.sortOrder.fields.length === 0
      const orderId =
        same?.orderId ?? (isUnsorted ? 0 : Math.max(1, nextId(metadata.sortOrders.map((order) => order.orderId))))
      draft.lastOrderId = orderId
      if (same) return
      checkOrder(update.sortOrder, schemaOfDraft(metadata, 'add-sort-order'))
      return set({ sortOrders: [...metadata.sortOrders, { ...update.sortOrder, orderId }] })
    }
    case 'set-default-sort-order': {
      const orderId =
        update.sortOrderId === -1
          ? (draft.lastOrderId ?? refuse('set-default-sort-order: no sort order was added'))
          : update.sortOrderId
      if (!metadata.sortOrders.some((one) => one.orderId === orderId))
        refuse(`set-default-sort-order: there is no sort order ${orderId}`)
      return orderId === metadata.defaultSortOrderId ? undefined : set({ defaultSortOrderId: orderId })
    }
    case 'add-snapshot':
      return addSnapshot(draft, update.snapshot)
    case 'set-snapshot-ref':
      return setRef(draft, update.refName, update.ref)
    case 'remove-snapshots':
      return removeSnapshots(draft, new Set(update.snapshotIds))
    case 'remove-snapshot-ref': {
      if (!metadata.refs[update.refName]) return
      const refs = without(metadata.refs, [update.refName])
      // The log stays, as in Java's builder: replacing a table removes the ref and sets it anew.
      return set(update.refName === 'main' ? { refs, currentSnapshotId: undefined } : { refs })
    }
    case 'set-location':
      return update.location === metadata.location ? undefined : set({ location: update.location.replace(/\/+$/, '') })
    case 'set-properties':
      return Object.keys(update.updates).length === 0
        ? undefined
        : set({ properties: { ...metadata.properties, ...update.updates } })
    case 'remove-properties':
      return update.removals.length === 0
        ? undefined
        : set({ properties: without(metadata.properties, update.removals) })
    case 'set-statistics': {
      const others = metadata.statistics.filter(({ snapshotId }) => snapshotId !== update.statistics.snapshotId)
      return set({ statistics: [...others, update.statistics] })
    }
    case 'remove-statistics':
      return set({ statistics: metadata.statistics.filter(({ snapshotId }) => snapshotId !== update.snapshotId) })
    case 'set-partition-statistics': {
      const others = metadata.partitionStatistics.filter(
        ({ snapshotId }) => snapshotId !== update.partitionStatistics.snapshotId,
      )
      return set({ partitionStatistics: [...others, update.partitionStatistics] })
    }
    case 'remove-partition-statistics':
      return set({
        partitionStatistics: metadata.partitionStatistics.filter(({ snapshotId }) => snapshotId !== update.snapshotId),
      })
    case 'remove-partition-specs': {
      if (update.specIds.includes(metadata.defaultSpecId))
        refuse('remove-partition-specs: the default partition spec cannot be removed')
      return set({ partitionSpecs: metadata.partitionSpecs.filter(({ specId }) => !update.specIds.includes(specId)) })
    }
    case 'remove-schemas': {
      if (update.schemaIds.includes(metadata.currentSchemaId))
        refuse('remove-schemas: the current schema cannot be removed')
      return set({ schemas: metadata.schemas.filter(({ schemaId }) => !update.schemaIds.includes(schemaId)) })
    }
    case 'add-encryption-key':
      return set({ encryptionKeys: [...(metadata.encryptionKeys ?? []), update.encryptionKey] })
    case 'remove-encryption-key': {
      const id = (key: unknown) => (key as { 'key-id'?: string } | null)?.['key-id']
      return set({ encryptionKeys: (metadata.encryptionKeys ?? []).filter((key) => id(key) !== update.keyId) })
    }
    default:
      return unreachable(update)
  }
}

const nextId = (ids: readonly number[]) => Math.max(-1, ...ids) + 1
const without = <Item>(record: Readonly<Record<string, Item>>, names: readonly string[]): Record<string, Item> =>
  Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)))
/** DuckDB sends the spec and the order of a new table before it makes the schema current. */
const schemaOfDraft = (metadata: TableMetadata, action: string) =>
  (metadata.currentSchemaId < 0 ? metadata.schemas.at(-1) : currentSchema(metadata)) ??
  refuse(`${action}: a schema must be added first`)

/** Same columns, transforms and names; field ids do not count, so that a spec which comes back gets its old id. */
export function sameSpec(a: PartitionSpec, b: PartitionSpec): boolean {
  const text = ({ fields }: PartitionSpec) =>
    JSON.stringify(fields.map(({ name, sourceIds, transform }) => [name, sourceIds, showTransform(transform)]))
  return text(a) === text(b)
}

function sameOrder(a: SortOrder, b: SortOrder): boolean {
  const text = ({ fields }: SortOrder) =>
    JSON.stringify(
      fields.map(({ sourceIds, transform, direction, nullOrder }) => [
        sourceIds,
        showTransform(transform),
        direction,
        nullOrder,
      ]),
    )
  return text(a) === text(b)
}

function addSnapshot(draft: Draft, snapshot: Snapshot): void {
  const { metadata } = draft
  const { snapshotId, sequenceNumber, parentSnapshotId } = snapshot
  if (findSnapshot(metadata.snapshots, snapshotId)) refuse(`add-snapshot: snapshot ${snapshotId} exists already`)
  if (metadata.formatVersion > 1 && sequenceNumber <= metadata.lastSequenceNumber && parentSnapshotId !== undefined)
    // Another writer took the number: whoever rebases may try again.
    throw new Failure(
      'COMMIT_CONFLICT',
      `add-snapshot: sequence number ${sequenceNumber} is not above ${metadata.lastSequenceNumber}`,
    )
  let { nextRowId } = metadata
  if (metadata.formatVersion >= 3) {
    const { firstRowId, addedRows = 0n } = snapshot
    if (firstRowId === undefined) refuse('add-snapshot: "first-row-id" is missing')
    if (firstRowId < (nextRowId ?? 0n))
      refuse(`add-snapshot: first-row-id ${firstRowId} is below the table's next-row-id ${nextRowId}`)
    nextRowId = (nextRowId ?? 0n) + addedRows
  }
  draft.addedSnapshots.set(snapshotId, snapshot)
  draft.metadata = {
    ...metadata,
    snapshots: withSnapshot(metadata.snapshots, snapshot),
    lastSequenceNumber: sequenceNumber > metadata.lastSequenceNumber ? sequenceNumber : metadata.lastSequenceNumber,
    lastUpdatedMs: snapshot.timestampMs,
    ...(nextRowId !== undefined && { nextRowId }),
  }
}

function setRef(draft: Draft, name: string, ref: SnapshotRef): void {
  const { metadata } = draft
  if (!findSnapshot(metadata.snapshots, ref.snapshotId))
    refuse(`set-snapshot-ref: "${name}" names snapshot ${ref.snapshotId}, which does not exist`)
  if (name === 'main' && ref.type !== 'branch') refuse('set-snapshot-ref: "main" must be a branch')
  const before = metadata.refs[name]
  if (before && sameRef(before, ref)) return
  const refs = { ...metadata.refs, [name]: ref }
  if (name !== 'main' || before?.snapshotId === ref.snapshotId) {
    draft.metadata = { ...metadata, refs }
    return
  }
  const timestampMs =
    draft.addedSnapshots.get(ref.snapshotId)?.timestampMs ?? Math.max(draft.nowMs, metadata.lastUpdatedMs)
  draft.metadata = {
    ...metadata,
    refs,
    currentSnapshotId: ref.snapshotId,
    lastUpdatedMs: timestampMs,
    snapshotLog: [...metadata.snapshotLog, { snapshotId: ref.snapshotId, timestampMs }],
  }
}

const sameRef = (a: SnapshotRef, b: SnapshotRef) =>
  a.snapshotId === b.snapshotId &&
  a.type === b.type &&
  a.minSnapshotsToKeep === b.minSnapshotsToKeep &&
  a.maxSnapshotAgeMs === b.maxSnapshotAgeMs &&
  a.maxRefAgeMs === b.maxRefAgeMs

function removeSnapshots(draft: Draft, ids: ReadonlySet<bigint>): void {
  const { metadata } = draft
  const snapshots = metadata.snapshots.filter(({ snapshotId }) => !ids.has(snapshotId))
  if (snapshots.length === metadata.snapshots.length) return
  draft.removes = true
  const kept = <Item extends { snapshotId: bigint }>(items: readonly Item[]) =>
    items.filter(({ snapshotId }) => !ids.has(snapshotId))
  draft.metadata = {
    ...metadata,
    snapshots,
    statistics: kept(metadata.statistics),
    partitionStatistics: kept(metadata.partitionStatistics),
    refs: Object.fromEntries(Object.entries(metadata.refs).filter(([, { snapshotId }]) => !ids.has(snapshotId))),
    ...(metadata.currentSnapshotId !== undefined &&
      ids.has(metadata.currentSnapshotId) && { currentSnapshotId: undefined }),
  }
}

/**
 * The snapshot log without entries that were current only inside this change, and without what lies before a gap:
 * travelling to a time whose snapshot is gone must fail instead of finding an older one.
 */
function cleanLog({ metadata, addedSnapshots, removes }: Draft, base: TableMetadata): TableMetadata['snapshotLog'] {
  const isUnchanged = metadata.snapshotLog === base.snapshotLog
  if (isUnchanged && metadata.snapshots === base.snapshots) return metadata.snapshotLog
  const isKnown = !removes && clean.has(base.snapshotLog)
  if (isUnchanged && isKnown) return metadata.snapshotLog
  const log: TableMetadata['snapshotLog'][number][] = isKnown ? [...base.snapshotLog] : []
  for (const entry of metadata.snapshotLog.slice(log.length)) {
    const isIntermediate = addedSnapshots.has(entry.snapshotId) && entry.snapshotId !== metadata.currentSnapshotId
    if (isIntermediate) continue
    if (findSnapshot(metadata.snapshots, entry.snapshotId)) log.push(entry)
    else log.length = 0
  }
  clean.add(log)
  return log
}

/** Logs of which every entry has its snapshot. Changes add entries at the end only: until a snapshot goes, the rest stays so. */
const clean = new WeakSet<TableMetadata['snapshotLog']>()

/** The updates that make `metadata` out of nothing, to be committed with `assert-create`. */
export function createUpdates(metadata: TableMetadata): TableUpdate[] {
  const schema = currentSchema(metadata)
  const spec = metadata.partitionSpecs.find(({ specId }) => specId === metadata.defaultSpecId)!
  const order = metadata.sortOrders.find(({ orderId }) => orderId === metadata.defaultSortOrderId) ?? {
    orderId: 0,
    fields: [],
  }
  return [
    { action: 'assign-uuid', uuid: metadata.tableUuid },
    { action: 'upgrade-format-version', formatVersion: metadata.formatVersion },
    { action: 'add-schema', schema, lastColumnId: metadata.lastColumnId },
    { action: 'set-current-schema', schemaId: -1 },
    { action: 'add-spec', spec },
    { action: 'set-default-spec', specId: -1 },
    { action: 'add-sort-order', sortOrder: order },
    { action: 'set-default-sort-order', sortOrderId: -1 },
    { action: 'set-location', location: metadata.location },
    { action: 'set-properties', updates: metadata.properties },
    ...metadata.snapshots.map((snapshot): TableUpdate => ({ action: 'add-snapshot', snapshot })),
    ...Object.entries(metadata.refs).map(([refName, ref]): TableUpdate => ({
      action: 'set-snapshot-ref',
      refName,
      ref,
    })),
  ]
}

/**
 * COMMIT_CONFLICT names the first requirement that does not hold, in the words of Java's core: clients and their users look
 * for them. `undefined`: the table does not exist.
 */
export function checkRequirements(
  metadata: TableMetadata | undefined,
  requirements: readonly TableRequirement[],
): void {
  for (const requirement of requirements) {
    const problem = broken(metadata, requirement)
    if (problem !== undefined) throw requirementFailed(requirement.type, problem)
  }
}

export const requirementFailed = (requirement: string, problem: string): Failure =>
  new Failure('COMMIT_CONFLICT', `Requirement failed: ${problem}`, { requirement, problem })

/** Which updates make what a requirement is about another thing than what is published. */
const concerned: Record<TableRequirement['type'], ReadonlySet<TableUpdate['action']>> = {
  'assert-create': new Set(),
  'assert-table-uuid': new Set(['assign-uuid']),
  'assert-ref-snapshot-id': new Set(['set-snapshot-ref', 'remove-snapshot-ref']),
  'assert-last-assigned-field-id': new Set(['add-schema']),
  'assert-current-schema-id': new Set(['set-current-schema']),
  'assert-last-assigned-partition-id': new Set(['add-spec']),
  'assert-default-spec-id': new Set(['set-default-spec']),
  'assert-default-sort-order-id': new Set(['set-default-sort-order']),
}

/** One change after the other as one. What the later one requires counts as far as the earlier one did not change it. */
export function followedBy(earlier: TableChange, later: TableChange): TableChange {
  const updates = [...earlier.updates, ...later.updates]
  const known = new Set(earlier.requirements.map(subject))
  if (known.has('assert-create')) return { updates, requirements: earlier.requirements }
  const isChanged = (requirement: TableRequirement) =>
    earlier.updates.some(
      (update) =>
        concerned[requirement.type].has(update.action) &&
        (requirement.type !== 'assert-ref-snapshot-id' || !('refName' in update) || update.refName === requirement.ref),
    )
  const more = later.requirements.filter((one) => !known.has(subject(one)) && !isChanged(one))
  return { updates, requirements: [...earlier.requirements, ...more] }
}

const subject = (requirement: TableRequirement): string =>
  requirement.type === 'assert-ref-snapshot-id' ? `${requirement.type} ${requirement.ref}` : requirement.type

function broken(metadata: TableMetadata | undefined, requirement: TableRequirement): string | undefined {
  if (requirement.type === 'assert-create') return metadata ? 'table already exists' : undefined
  if (!metadata) return 'table does not exist'
  const changed = (what: string, wanted: number, found: number) =>
    wanted === found ? undefined : `${what} changed: expected id ${wanted} != ${found}`
  switch (requirement.type) {
    case 'assert-table-uuid': {
      const [wanted, found] = [requirement.uuid.toLowerCase(), metadata.tableUuid.toLowerCase()]
      return wanted === found ? undefined : `UUID does not match: expected ${wanted} != ${found}`
    }
    case 'assert-ref-snapshot-id': {
      const { ref: name, snapshotId } = requirement
      const ref = metadata.refs[name]
      if (ref?.snapshotId === snapshotId) return undefined
      if (!ref) return `branch or tag ${name} is missing, expected ${String(snapshotId)}`
      return snapshotId === undefined
        ? `${ref.type} ${name} was created concurrently`
        : `${ref.type} ${name} has changed: expected id ${snapshotId} != ${ref.snapshotId}`
    }
    case 'assert-last-assigned-field-id':
      return changed('last assigned field id', requirement.lastAssignedFieldId, metadata.lastColumnId)
    case 'assert-current-schema-id':
      return changed('current schema', requirement.currentSchemaId, metadata.currentSchemaId)
    case 'assert-last-assigned-partition-id':
      return changed('last assigned partition id', requirement.lastAssignedPartitionId, metadata.lastPartitionId)
    case 'assert-default-spec-id':
      return changed('default partition spec', requirement.defaultSpecId, metadata.defaultSpecId)
    case 'assert-default-sort-order-id':
      return changed('default sort order', requirement.defaultSortOrderId, metadata.defaultSortOrderId)
    default:
      return unreachable(requirement)
  }
}
