// Delete files as they are stored, for statements that delete rows and for maintenance that puts delete files together.

import { randomUUID } from 'node:crypto'
import { Failure } from '../../base/failure.ts'
import {
  dataFolder,
  encodeDeletionVectors,
  reservedFields,
  type DataFile,
  type DeletionVector,
  type NewDeleteFile,
  type TableMetadata,
} from '../../iceberg/index.ts'
import { joinLocation, type FileIO } from '../../io/index.ts'
import { quoteText } from '../sql/tokens.ts'

/** COPY of `file_path` and `pos`, in the order of the SELECT, as position delete files. */
export const copyPositions = (select: string, to: string, more = ''): string =>
  `COPY (${select}) TO ${quoteText(to)} (FORMAT parquet, COMPRESSION zstd, RETURN_STATS true${more},
    FIELD_IDS {file_path: ${reservedFields.file_path}, pos: ${reservedFields.pos}})`

export const positionsPath = (metadata: TableMetadata): string =>
  joinLocation(dataFolder(metadata), `${randomUUID()}-deletes.parquet`)

/** Gives a position delete file of this disk its place in the table. */
export async function placePositions(
  io: FileIO,
  metadata: TableMetadata,
  local: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const path = positionsPath(metadata)
  if (!(await io.upload(path, local, signal))) throw new Failure('STORAGE_FAILED', `"${path}" exists already`)
  return path
}

export type PlacedVector = DeletionVector & Pick<DataFile, 'specId' | 'partition'>

/** One Puffin file of these vectors; the entries are in their order. */
export async function placeVectors(
  io: FileIO,
  metadata: TableMetadata,
  vectors: readonly PlacedVector[],
  signal: AbortSignal | undefined,
): Promise<NewDeleteFile[]> {
  const { bytes, blobs } = encodeDeletionVectors(vectors, { 'created-by': 'Boathouse' })
  const path = joinLocation(dataFolder(metadata), `${randomUUID()}-deletes.puffin`)
  if (!(await io.create(path, bytes, signal))) throw new Failure('STORAGE_FAILED', `"${path}" exists already`)
  return blobs.map(({ referencedDataFile, offset, length, cardinality }, index) => ({
    content: 'position-deletes',
    format: 'puffin',
    path,
    recordCount: cardinality,
    fileSizeBytes: bytes.length,
    specId: vectors[index]!.specId,
    partition: vectors[index]!.partition,
    referencedDataFile,
    contentOffset: offset,
    contentSizeBytes: length,
  }))
}
