// Delete files as they are stored, for statements that delete rows and for maintenance that puts delete files together.

import { randomUUID } from 'node:crypto'
import { Failure } from '../../base/failure.ts'
import {
  dataFolder,
  encodeDeletionVectors,
  positionDeleteSchema,
  reservedFields,
  type DataFile,
  type DeletionVector,
  type NewDeleteFile,
  type TableMetadata,
} from '../../iceberg/index.ts'
import { joinLocation, type FileIO } from '../../io/index.ts'
import { quoteFile, quoteText } from '../sql/tokens.ts'
import { newDataFile, orderedRows, placeFiles, type StatsRow, type Workshop } from './write.ts'

/** Whether one file holds the deletes of a partition; otherwise each data file has its own, as Spark writes them. */
export const isByPartition = ({ properties }: TableMetadata): boolean =>
  properties['write.delete.granularity']?.toLowerCase() === 'partition'

type Target = Pick<DataFile, 'path' | 'specId' | 'partition'>

/**
 * Files of positions, one for each group of data files of one partition, sorted as the specification asks. `positions` is
 * SQL that gives `file_path` and `pos`; `folder` is where files lie until they get their place.
 */
export async function writePositionFiles(
  workshop: Workshop,
  metadata: TableMetadata,
  { groups, positions, folder }: { groups: readonly (readonly Target[])[]; positions: string; folder: string },
  rows: (sql: string) => Promise<unknown[][]>,
  signal: AbortSignal | undefined,
): Promise<NewDeleteFile[]> {
  if (groups.length === 0) return []
  const numbers = groups.flatMap((group, index) => group.map(({ path }) => `(${quoteText(path)}, ${index})`))
  const how = `FORMAT parquet, COMPRESSION zstd, RETURN_STATS true, FIELD_IDS {file_path: ${reservedFields.file_path}, pos: ${reservedFields.pos}}`
  const written = (await rows(
    `COPY (
      SELECT gone.file_path, gone.pos, places.place FROM ${positions} AS gone
      JOIN (VALUES ${numbers.join(', ')}) AS places(file, place) ON places.file = gone.file_path
      ORDER BY place, file_path, pos
    ) TO ${quoteText(folder)} (${how}, PARTITION_BY (place), WRITE_PARTITION_COLUMNS false)`,
  )) as StatsRow[]
  const isOrdered = written.reduce((sum, [, count]) => sum + Number(count), 0) <= orderedRows
  const files: { place: number; row: StatsRow }[] = []
  for (const [place, parts] of Map.groupBy(written, (row) => Number(row[5]![0]!.value))) {
    const [first] = parts as [StatsRow]
    const all = parts.map(([local]) => quoteFile(local)).join(', ')
    const [sorted] =
      isOrdered && parts.length === 1
        ? [first]
        : await rows(
            `COPY (FROM read_parquet([${all}], hive_partitioning = false) ORDER BY file_path, pos) TO ${quoteText(`${first[0]}.sorted`)} (${how})`,
          )
    files.push({ place, row: sorted as StatsRow })
  }
  const placed = files.map(({ place, row }) => ({
    group: groups[place]!,
    row,
    local: row[0],
    path: joinLocation(dataFolder(metadata), `${randomUUID()}-deletes.parquet`),
  }))
  await placeFiles(workshop, placed, signal)
  return placed.map(({ group, row, path }): NewDeleteFile => {
    const { specId, partition } = group[0]!
    return {
      ...newDataFile(row, positionDeleteSchema),
      path,
      content: 'position-deletes',
      specId,
      partition,
      ...(group.length === 1 ? { referencedDataFile: group[0]!.path } : {}),
    }
  })
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
