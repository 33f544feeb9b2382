// Data files, manifests and manifest lists after they were read, and what a writer hands in.

import type { PartitionSpec, Schema, Value } from './types.ts'

export type FileFormat = 'parquet' | 'avro' | 'orc' | 'puffin'
export type FileContent = 'data' | 'position-deletes' | 'equality-deletes'
export type Counts = ReadonlyMap<number, number>
/** By field id; the bytes of the single-value serialisation (spec, appendix D). */
export type Bounds = ReadonlyMap<number, Uint8Array>

export type DataFile = {
  content: FileContent
  path: string
  format: FileFormat
  specId: number
  /** One value per field of the partition spec `specId`, in its order. */
  partition: readonly (Value | null)[]
  recordCount: number
  fileSizeBytes: number
  columnSizes?: Counts | undefined
  valueCounts?: Counts | undefined
  nullCounts?: Counts | undefined
  nanCounts?: Counts | undefined
  lowerBounds?: Bounds | undefined
  upperBounds?: Bounds | undefined
  keyMetadata?: Uint8Array | undefined
  splitOffsets?: readonly bigint[] | undefined
  /** Fields that an equality delete compares. */
  equalityIds?: readonly number[] | undefined
  sortOrderId?: number | undefined
  firstRowId?: bigint | undefined
  /** The one data file that a position delete file or deletion vector is about. */
  referencedDataFile?: string | undefined
  /** Where in a Puffin file a deletion vector lies. */
  contentOffset?: number | undefined
  contentSizeBytes?: number | undefined
}

export type ManifestEntry = {
  status: 'existing' | 'added' | 'deleted'
  snapshotId: bigint
  /** The data sequence number: what deletes compare. */
  sequenceNumber: bigint
  fileSequenceNumber: bigint | undefined
  file: DataFile
}

export type FieldSummary = {
  containsNull: boolean
  containsNan?: boolean | undefined
  lowerBound?: Uint8Array | undefined
  upperBound?: Uint8Array | undefined
}

/** One line of a manifest list. Counts are undefined where a v1 writer left them out. */
export type ManifestFile = {
  path: string
  sizeBytes: number
  specId: number
  content: 'data' | 'deletes'
  sequenceNumber: bigint
  minSequenceNumber: bigint
  addedSnapshotId: bigint
  addedFiles: number | undefined
  existingFiles: number | undefined
  deletedFiles: number | undefined
  addedRows: number | undefined
  existingRows: number | undefined
  deletedRows: number | undefined
  partitions: readonly FieldSummary[] | undefined
  keyMetadata?: Uint8Array | undefined
  firstRowId?: bigint | undefined
}

/** A manifest's own content. Entries may still inherit numbers from the manifest list that names it. */
export type Manifest = {
  schema: Schema | undefined
  spec: PartitionSpec | undefined
  content: 'data' | 'deletes'
  entries: readonly RawManifestEntry[]
  /** Memory it takes, roughly: for caches. */
  weightBytes: number
}
export type RawManifestEntry = Omit<ManifestEntry, 'snapshotId' | 'sequenceNumber'> & {
  snapshotId: bigint | undefined
  sequenceNumber: bigint | undefined
  /** Rows before it in the manifest that take their ids from the manifest's `firstRowId`; undefined: it has its own. */
  rowOffset?: bigint | undefined
}

/** A manifest list's own content. */
export type ManifestList = {
  manifests: readonly ManifestFile[]
  /** Memory it takes, roughly: for caches. */
  weightBytes: number
}

/** Manifests and their lists never change, so a parsed one may be kept under its path for as long as memory lasts. */
export interface ManifestCache {
  get(path: string): Manifest | undefined
  put(path: string, manifest: Manifest): void
  getList(path: string): ManifestList | undefined
  putList(path: string, list: ManifestList): void
}

/** A data file that was just written. Bounds are whole values: the table's metrics mode decides what is kept of them. */
export type NewDataFile = {
  path: string
  /** Default `parquet`. */
  format?: FileFormat
  recordCount: number
  fileSizeBytes: number
  /** By the fields of `specId` (default: the table's default spec). Default: unpartitioned, []. */
  partition?: readonly (Value | null)[]
  specId?: number
  columnSizes?: Counts | undefined
  valueCounts?: Counts | undefined
  nullCounts?: Counts | undefined
  nanCounts?: Counts | undefined
  /** Least value that is not null and not NaN, by field id. May itself be a lower bound only. */
  lower?: ReadonlyMap<number, Value> | undefined
  upper?: ReadonlyMap<number, Value> | undefined
  splitOffsets?: readonly bigint[] | undefined
  sortOrderId?: number | undefined
}

/** A delete file that was just written. */
export type NewDeleteFile = NewDataFile & {
  content: 'position-deletes' | 'equality-deletes'
  /** Field ids that an equality delete compares. */
  equalityIds?: readonly number[] | undefined
  /** The one data file that it is about; a deletion vector (format `puffin`) must name it. */
  referencedDataFile?: string | undefined
  /** Where in the Puffin file the deletion vector lies. */
  contentOffset?: number | undefined
  contentSizeBytes?: number | undefined
}

/** A file that a table has: its path, and its partition where it is known, which spares reading other manifests. */
export type FileRef = { path: string } & Partial<Pick<DataFile, 'specId' | 'partition' | 'contentOffset'>>
