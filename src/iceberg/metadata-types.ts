// The shape of a table's metadata after it was read: 64-bit ids are bigints, counts, sizes and times are numbers.

import type { PartitionSpec, Schema, SortOrder } from './types.ts'

export type FormatVersion = 1 | 2 | 3
export type Operation = 'append' | 'replace' | 'overwrite' | 'delete'

export type Snapshot = {
  snapshotId: bigint
  parentSnapshotId?: bigint | undefined
  /** 0n in format version 1. */
  sequenceNumber: bigint
  timestampMs: number
  /** Absent only where a v1 table lists its manifests inline. */
  manifestList?: string | undefined
  manifests?: readonly string[] | undefined
  /** Everything of the summary, `operation` included. */
  summary: Readonly<Record<string, string>>
  schemaId?: number | undefined
  firstRowId?: bigint | undefined
  addedRows?: bigint | undefined
  keyId?: string | undefined
}

export type SnapshotRef = {
  snapshotId: bigint
  type: 'branch' | 'tag'
  minSnapshotsToKeep?: number | undefined
  maxSnapshotAgeMs?: number | undefined
  maxRefAgeMs?: number | undefined
}

export type StatisticsFile = {
  snapshotId: bigint
  statisticsPath: string
  fileSizeInBytes: number
  fileFooterSizeInBytes: number
  keyMetadata?: string | undefined
  blobMetadata: readonly {
    type: string
    snapshotId: bigint
    sequenceNumber: bigint
    fields: readonly number[]
    properties?: Readonly<Record<string, string>> | undefined
  }[]
}
export type PartitionStatisticsFile = { snapshotId: bigint; statisticsPath: string; fileSizeInBytes: number }

export type TableMetadata = {
  formatVersion: FormatVersion
  tableUuid: string
  location: string
  /** 0n in format version 1. */
  lastSequenceNumber: bigint
  lastUpdatedMs: number
  lastColumnId: number
  schemas: readonly Schema[]
  currentSchemaId: number
  partitionSpecs: readonly PartitionSpec[]
  defaultSpecId: number
  lastPartitionId: number
  properties: Readonly<Record<string, string>>
  /** The head of the branch `main`. */
  currentSnapshotId?: bigint | undefined
  snapshots: readonly Snapshot[]
  snapshotLog: readonly { snapshotId: bigint; timestampMs: number }[]
  metadataLog: readonly { metadataFile: string; timestampMs: number }[]
  sortOrders: readonly SortOrder[]
  defaultSortOrderId: number
  refs: Readonly<Record<string, SnapshotRef>>
  statistics: readonly StatisticsFile[]
  partitionStatistics: readonly PartitionStatisticsFile[]
  nextRowId?: bigint | undefined
  encryptionKeys?: readonly unknown[] | undefined
}

/** Changes by the names of the REST specification (`TableUpdate`). */
export type TableUpdate =
  | { action: 'assign-uuid'; uuid: string }
  | { action: 'upgrade-format-version'; formatVersion: FormatVersion }
  | { action: 'add-schema'; schema: Schema; lastColumnId?: number | undefined }
  /** -1 is the schema added last in the same list of updates; likewise for specs and orders. */
  | { action: 'set-current-schema'; schemaId: number }
  | { action: 'add-spec'; spec: PartitionSpec }
  | { action: 'set-default-spec'; specId: number }
  | { action: 'add-sort-order'; sortOrder: SortOrder }
  | { action: 'set-default-sort-order'; sortOrderId: number }
  | { action: 'add-snapshot'; snapshot: Snapshot }
  | { action: 'set-snapshot-ref'; refName: string; ref: SnapshotRef }
  | { action: 'remove-snapshots'; snapshotIds: readonly bigint[] }
  | { action: 'remove-snapshot-ref'; refName: string }
  | { action: 'set-location'; location: string }
  | { action: 'set-properties'; updates: Readonly<Record<string, string>> }
  | { action: 'remove-properties'; removals: readonly string[] }
  | { action: 'set-statistics'; statistics: StatisticsFile }
  | { action: 'remove-statistics'; snapshotId: bigint }
  | { action: 'set-partition-statistics'; partitionStatistics: PartitionStatisticsFile }
  | { action: 'remove-partition-statistics'; snapshotId: bigint }
  | { action: 'remove-partition-specs'; specIds: readonly number[] }
  | { action: 'remove-schemas'; schemaIds: readonly number[] }
  | { action: 'add-encryption-key'; encryptionKey: unknown }
  | { action: 'remove-encryption-key'; keyId: string }

/** Conditions by the names of the REST specification (`TableRequirement`). */
export type TableRequirement =
  | { type: 'assert-create' }
  | { type: 'assert-table-uuid'; uuid: string }
  /** `snapshotId` undefined: the ref must not exist. */
  | { type: 'assert-ref-snapshot-id'; ref: string; snapshotId: bigint | undefined }
  | { type: 'assert-last-assigned-field-id'; lastAssignedFieldId: number }
  | { type: 'assert-current-schema-id'; currentSchemaId: number }
  | { type: 'assert-last-assigned-partition-id'; lastAssignedPartitionId: number }
  | { type: 'assert-default-spec-id'; defaultSpecId: number }
  | { type: 'assert-default-sort-order-id'; defaultSortOrderId: number }

/** A change of a table's metadata that writes no files; without updates it changes nothing. */
export type TableChange = { updates: TableUpdate[]; requirements: TableRequirement[] }
