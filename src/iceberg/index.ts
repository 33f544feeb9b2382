// The public surface of this room: other rooms import this file only.

export type * from './types.ts'
export type * from './metadata-types.ts'
export type * from './manifest-types.ts'
export type * from './predicate-types.ts'
export { parseJson, printJson } from './json.ts'
export {
  currentSchema,
  dataFolder,
  defaultSpec,
  metadataFolder,
  newTableMetadata,
  parseTableMetadata,
  printTableMetadata,
  tableMetadataFromJson,
  tableMetadataJson,
  type NewPartitionField,
  type NewTable,
} from './metadata.ts'
export { readTableMetadata, readViewMetadata, writeTableMetadata, writeViewMetadata } from './metadata-file.ts'
export {
  fieldById,
  findField,
  parsePrimitive,
  parseSchema,
  schemaForReplace,
  schemaJson,
  showType,
  type FoundField,
} from './schema.ts'
export { ancestorsOf, history, schemaOf, snapshotAsOf, snapshotById, type At, type HistoryEntry } from './snapshot.ts'
export { applyTransform, parseTransform, partitionPath, showTransform } from './transform.ts'
export { applyUpdates, checkRequirements, createUpdates } from './update.ts'
export {
  parseTableRequirement,
  parseTableUpdate,
  parseViewUpdate,
  tableRequirementJson,
  tableUpdateJson,
  viewUpdateJson,
} from './update-json.ts'
export { decodeBound, encodeBound, showValue } from './value.ts'
export { applyViewUpdates, checkViewRequirements, newViewMetadata, replaceViewUpdates, type NewView } from './view.ts'
export { parseViewMetadata, printViewMetadata, viewMetadataFromJson, viewMetadataJson } from './view-json.ts'
export type * from './view-types.ts'

import type { FileIO } from '../io/index.ts'
import type { DataFile, ManifestCache, ManifestFile, NewDataFile, ManifestEntry } from './manifest-types.ts'
import type {
  Operation,
  Snapshot,
  TableMetadata,
  TableRequirement,
  TableUpdate,
} from './metadata-types.ts'
import type { Predicate } from './predicate-types.ts'
import type { Field, Schema, Value } from './types.ts'

// Signatures; each moves to its module as that is written.
export type ScanFile = {
  path: string
  format: DataFile['format']
  recordCount: number
  fileSizeBytes: number
  specId: number
  partition: readonly (Value | null)[]
  sequenceNumber: bigint
  snapshotId: bigint
  /** Delete files that apply to this file, by sequence number and partition. */
  deletes: readonly ScanDelete[]
  file: DataFile
}
export type ScanDelete = { file: DataFile; sequenceNumber: bigint }
export type ScanPlan = {
  snapshot: Snapshot | undefined
  schema: Schema
  files: ScanFile[]
  pruned: { manifests: number; files: number }
  totals: { manifests: number; files: number; records: number; bytes: number }
}
export declare function planScan(
  io: FileIO,
  metadata: TableMetadata,
  options?: {
    snapshotId?: bigint | undefined
    predicate?: Predicate | undefined
    manifests?: ManifestCache | undefined
    signal?: AbortSignal | undefined
  },
): Promise<ScanPlan>
export declare function manifestCache(options: {
  bytesMax: number
}): ManifestCache & { readonly bytes: number; readonly hits: number; readonly misses: number }
export declare function readManifestList(
  io: FileIO,
  metadata: TableMetadata,
  snapshot: Snapshot,
  options?: { signal?: AbortSignal | undefined },
): Promise<ManifestFile[]>
export declare function readManifest(
  io: FileIO,
  metadata: TableMetadata,
  manifest: ManifestFile,
  options?: { manifests?: ManifestCache | undefined; signal?: AbortSignal | undefined },
): Promise<ManifestEntry[]>
/** Value of a file's bound, undefined when unknown. Bounds of text and bytes may be cut: never equal to a value for sure. */
export declare function lowerBound(file: DataFile, field: Field): Value | undefined
export declare function upperBound(file: DataFile, field: Field): Value | undefined
export type TableCommit = {
  updates: TableUpdate[]
  requirements: TableRequirement[]
  snapshot: Snapshot
  writtenFiles: string[]
}
export type PreparedWrite = {
  on(base: TableMetadata, options: { nowMs: number; signal?: AbortSignal | undefined }): Promise<TableCommit>
  /** Everything written so far that only this write uses: to be deleted when it is given up. */
  readonly writtenFiles: readonly string[]
}
export type WriteOptions = {
  /** Extra keys of the snapshot's summary. */
  summary?: Readonly<Record<string, string>> | undefined
  branch?: string | undefined
  manifests?: ManifestCache | undefined
  signal?: AbortSignal | undefined
}
/** Adds files. Rebases onto any newer base of the same table. */
export declare function prepareAppend(
  io: FileIO,
  metadata: TableMetadata,
  files: readonly NewDataFile[],
  options?: WriteOptions,
): Promise<PreparedWrite>
/** Everything old out, `files` in; `schema` (of `schemaForReplace`) becomes current in the same commit. `on` fails with COMMIT_CONFLICT when the base has another snapshot than `metadata`. */
export declare function prepareReplace(
  io: FileIO,
  metadata: TableMetadata,
  files: readonly NewDataFile[],
  options?: WriteOptions & { schema?: Schema | undefined; operation?: Operation },
): Promise<PreparedWrite>
