// The public surface of this room: other rooms import this file only.

export type * from './types.ts'
export type * from './metadata-types.ts'
export type * from './manifest-types.ts'
export type * from './predicate-types.ts'

import type { FileIO } from '../io/index.ts'
import type { DataFile, ManifestCache, ManifestFile, NewDataFile, ManifestEntry } from './manifest-types.ts'
import type {
  FormatVersion,
  Operation,
  Snapshot,
  TableMetadata,
  TableRequirement,
  TableUpdate,
} from './metadata-types.ts'
import type { Predicate } from './predicate-types.ts'
import type { Field, NewField, PartitionSpec, Schema, SortOrder, Transform, Type, Value } from './types.ts'

// Signatures; each moves to its module as that is written.

// --- types and schemas
/** 'decimal(9,2)', 'fixed[16]', 'long' ... */
export declare function parsePrimitive(text: string): Type
/** 'decimal(9,2)', 'list<long>', 'struct<1: a: required int>': what messages show. */
export declare function showType(type: Type): string
export declare function parseSchema(json: unknown, place?: string): Schema
/** The JSON value of the spec; stringify with `printJson`. */
export declare function schemaJson(schema: Schema): unknown
/** Fields by dotted name ('a.b', 'list.element', 'map.key'); undefined when there is none. */
export declare function findField(schema: Schema, name: string): Field | undefined
export declare function fieldById(schema: Schema, id: number): Field | undefined
/** Schema for `CREATE OR REPLACE`: fields that keep name and type (or a promotable one) keep their id; all others get ids above `lastColumnId`. */
export declare function schemaForReplace(current: TableMetadata, columns: readonly NewField[]): Schema
/** JSON with 64-bit integers exact: integers beyond 2^53 become bigint / are printed as numbers. */
export declare function parseJson(text: string, place?: string): unknown
export declare function printJson(value: unknown): string

// --- table metadata
/** Reads v1, v2, v3 text, checks it (METADATA_INVALID names the field and `place`). */
export declare function parseTableMetadata(text: string, place?: string): TableMetadata
export declare function printTableMetadata(metadata: TableMetadata): string
/** As the REST protocol embeds it: a JSON value for `printJson`. */
export declare function tableMetadataJson(metadata: TableMetadata): unknown
export declare function tableMetadataFromJson(json: unknown, place?: string): TableMetadata
/** Reads a metadata file, gzip or plain; TABLE_NOT_FOUND when there is none. */
export declare function readTableMetadata(io: FileIO, location: string, signal?: AbortSignal): Promise<TableMetadata>
/** Creates `<location>/metadata/<5-digit version>-<uuid>.metadata.json` and returns its location. `version` is one above that of `previous`. */
export declare function writeTableMetadata(
  io: FileIO,
  metadata: TableMetadata,
  options?: { previous?: string | undefined; signal?: AbortSignal | undefined },
): Promise<string>
export declare function newTableMetadata(options: {
  uuid: string
  location: string
  nowMs: number
  /** A schema with ids is renumbered from 1; columns without ids get them. */
  schema: Schema | readonly NewField[]
  /** By ids of the schema handed in, or by column names. */
  spec?: PartitionSpec | readonly { column: string; transform: Transform; name?: string }[]
  order?: SortOrder
  properties?: Readonly<Record<string, string>>
  formatVersion?: FormatVersion
}): TableMetadata
/** The updates that make `metadata` from nothing: what a REST create commits with `assert-create`. */
export declare function createUpdates(metadata: TableMetadata): TableUpdate[]
/** Pure. `previous` is the metadata file being replaced, for the metadata log. REQUEST_INVALID/METADATA_INVALID when an update does not fit. */
export declare function applyUpdates(
  metadata: TableMetadata | undefined,
  updates: readonly TableUpdate[],
  options: { nowMs: number; previous?: string | undefined },
): TableMetadata
/** COMMIT_CONFLICT names the requirement that does not hold. */
export declare function checkRequirements(
  metadata: TableMetadata | undefined,
  requirements: readonly TableRequirement[],
): void
export declare function parseTableUpdate(json: unknown): TableUpdate
export declare function tableUpdateJson(update: TableUpdate): unknown
export declare function parseTableRequirement(json: unknown): TableRequirement
export declare function tableRequirementJson(requirement: TableRequirement): unknown

// --- snapshots
/** undefined: the table is empty (then). NOT_FOUND when the id or ref does not exist. */
export declare function snapshotAsOf(
  metadata: TableMetadata,
  at?: { snapshotId?: bigint; timestampMs?: number; ref?: string },
): Snapshot | undefined
/** The ancestors of the current snapshot and what else the log names, newest first. */
export declare function history(
  metadata: TableMetadata,
): { snapshot: Snapshot; isCurrentAncestor: boolean; madeCurrentAtMs: number }[]
export declare function schemaOf(metadata: TableMetadata, snapshot?: Snapshot): Schema
export declare function currentSchema(metadata: TableMetadata): Schema
export declare function defaultSpec(metadata: TableMetadata): PartitionSpec

// --- scanning
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
export declare function encodeBound(type: Type, value: Value): Uint8Array
export declare function decodeBound(type: Type, bytes: Uint8Array): Value

// --- partitions
export declare function parseTransform(text: string): Transform
export declare function showTransform(transform: Transform): string
export declare function applyTransform(transform: Transform, type: Type, value: Value | null): Value | null
/** `region=North/order_date_day=2024-03-31` */
export declare function partitionPath(spec: PartitionSpec, schema: Schema, partition: readonly (Value | null)[]): string

// --- writing. Manifests are written once by prepare*; `on(base)` writes only a manifest list and may be called again with a newer base.
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

// --- views
export type ViewRepresentation = { type: 'sql'; sql: string; dialect: string }
export type ViewVersion = {
  versionId: number
  schemaId: number
  timestampMs: number
  summary: Readonly<Record<string, string>>
  representations: readonly ViewRepresentation[]
  defaultCatalog?: string | undefined
  defaultNamespace: readonly string[]
}
export type ViewMetadata = {
  viewUuid: string
  formatVersion: 1
  location: string
  currentVersionId: number
  versions: readonly ViewVersion[]
  versionLog: readonly { versionId: number; timestampMs: number }[]
  schemas: readonly Schema[]
  properties: Readonly<Record<string, string>>
}
export type ViewUpdate =
  | { action: 'assign-uuid'; uuid: string }
  | { action: 'upgrade-format-version'; formatVersion: number }
  | { action: 'add-schema'; schema: Schema }
  | { action: 'add-view-version'; viewVersion: ViewVersion }
  | { action: 'set-current-view-version'; viewVersionId: number }
  | { action: 'set-location'; location: string }
  | { action: 'set-properties'; updates: Readonly<Record<string, string>> }
  | { action: 'remove-properties'; removals: readonly string[] }
export type ViewRequirement = { type: 'assert-view-uuid'; uuid: string }
export declare function newViewMetadata(options: {
  uuid: string
  location: string
  schema: Schema | readonly NewField[]
  representations: readonly ViewRepresentation[]
  nowMs: number
  defaultCatalog?: string | undefined
  defaultNamespace: readonly string[]
  properties?: Readonly<Record<string, string>>
  summary?: Readonly<Record<string, string>>
}): ViewMetadata
export declare function parseViewMetadata(text: string, place?: string): ViewMetadata
export declare function printViewMetadata(metadata: ViewMetadata): string
export declare function applyViewUpdates(
  metadata: ViewMetadata,
  updates: readonly ViewUpdate[],
  options: { nowMs: number },
): ViewMetadata
export declare function checkViewRequirements(
  metadata: ViewMetadata | undefined,
  requirements: readonly (ViewRequirement | { type: 'assert-create' })[],
): void
export declare function readViewMetadata(io: FileIO, location: string, signal?: AbortSignal): Promise<ViewMetadata>
export declare function writeViewMetadata(
  io: FileIO,
  metadata: ViewMetadata,
  options?: { previous?: string | undefined; signal?: AbortSignal | undefined },
): Promise<string>
