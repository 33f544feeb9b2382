// Position deletes put together (Java: RewritePositionDeleteFiles). Many small delete files make every read of their
// partition slow, and those whose data files are gone delete nothing any more.
//
// In tables of version 2 the delete files of one partition become one. In version 3 they become deletion vectors, one for
// each data file, merged with the one that it has. Positions are sorted and made distinct by SQL, file by file.

import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../base/failure.ts'
import { showName, type LoadedTable } from '../../catalog/index.ts'
import {
  planScan,
  Positions,
  prepareRewrite,
  readDeletionVector,
  readManifest,
  readManifestList,
  reservedFields,
  type DataFile,
  type ManifestEntry,
  type NewDeleteFile,
  type PreparedWrite,
  type ScanFile,
  type Value,
} from '../../iceberg/index.ts'
import { localPath } from '../../io/index.ts'
import type { CompactDeps } from '../upkeep/compact.ts'
import { copyPositions, placePositions, placeVectors, type PlacedVector } from './delete-files.ts'
import { quoteText } from '../sql/tokens.ts'

export type RewrittenDeletes = {
  filesBefore: number
  filesAfter: number
  /** Delete files whose data files are gone. */
  dangling: number
}

type Options = {
  dryRun?: boolean | undefined
  signal?: AbortSignal | undefined
  commit(prepared: PreparedWrite): Promise<unknown>
}

const { file_path: filePathField, pos: posField } = reservedFields
/** Delete files whose positions are read by one query. */
const filesAtOnce = 50

/** One partition's delete files, and the data files that they are about. */
type Group = { deletes: ManifestEntry[]; targets: ScanFile[] }

/** @throws COMMIT_CONFLICT when another writer changed the deletes meanwhile: what was written is gone again */
export async function rewriteDeletes(
  deps: CompactDeps,
  { name, metadata }: LoadedTable,
  options: Options,
): Promise<RewrittenDeletes> {
  const { io } = deps
  const { signal, dryRun } = options
  const reading = { manifests: deps.manifests, signal }
  const { snapshot, files } = await planScan(io, metadata, reading)
  const result: RewrittenDeletes = { filesBefore: 0, filesAfter: 0, dangling: 0 }
  if (!snapshot) return result
  const live: ManifestEntry[] = []
  for (const manifest of await readManifestList(io, metadata, snapshot, reading))
    if (manifest.content === 'deletes')
      for (const entry of await readManifest(io, metadata, manifest, reading))
        if (entry.status !== 'deleted' && isPositional(entry.file)) live.push(entry)

  const isVectors = metadata.formatVersion >= 3
  const groups = groupsOf(live, files).filter(
    ({ deletes, targets }) => isVectors || deletes.length > 1 || targets.length === 0,
  )
  const replaced = groups.flatMap(({ deletes }) => deletes)
  result.filesBefore = replaced.length
  result.dangling = groups.reduce((sum, { deletes, targets }) => sum + (targets.length === 0 ? deletes.length : 0), 0)
  if (replaced.length === 0) return result
  if (dryRun) {
    const targets = groups.filter((group) => group.targets.length > 0)
    result.filesAfter = isVectors ? targets.reduce((sum, group) => sum + group.targets.length, 0) : targets.length
    return result
  }

  const made: (NewDeleteFile & { sequenceNumber: bigint })[] = []
  let isNamed = false
  try {
    for (const group of groups) {
      if (group.targets.length === 0) continue
      const lease = await deps.files?.lease(
        group.deletes.map(({ file }) => ({ path: file.path, sizeBytes: file.fileSizeBytes })),
        signal,
      )
      try {
        const pathOf = lease?.pathOf ?? localPath
        made.push(
          ...(isVectors
            ? await vectorsFor(deps, metadata, group, pathOf, signal)
            : await fileFor(deps, metadata, group, pathOf, signal)),
        )
      } finally {
        lease?.release()
      }
    }
    const prepared = await prepareRewrite(
      io,
      metadata,
      { remove: { deleteFiles: replaced.map(({ file }) => file) }, add: { deleteFiles: made } },
      { startingSnapshotId: snapshot.snapshotId, ...reading },
    )
    await options.commit(prepared)
    isNamed = true
  } catch (error) {
    isNamed = error instanceof Failure && error.code === 'COMMIT_UNKNOWN'
    throw error instanceof Failure && error.code === 'METADATA_INVALID'
      ? new Failure(error.code, `${showName(name)}: ${error.message}`, { ...error.context, cause: error })
      : error
  } finally {
    if (!isNamed) await io.deleteAll([...new Set(made.map(({ path }) => path))]).catch(() => {})
  }
  result.filesAfter = made.length
  return result
}

const isPositional = ({ content, format }: DataFile) => content === 'position-deletes' && format !== 'puffin'

/** By partition of the delete files, each with the data files that one of them applies to. */
function groupsOf(live: readonly ManifestEntry[], files: readonly ScanFile[]): Group[] {
  const targets = new Map<string, ScanFile[]>()
  for (const file of files)
    for (const { file: one } of file.deletes) targets.set(one.path, [...(targets.get(one.path) ?? []), file])
  const groups = Map.groupBy(live, ({ file }) => {
    const isDangling = !targets.has(file.path)
    return `${isDangling} ${file.specId} ${file.partition.map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value))).join('\n')}`
  })
  return [...groups.values()].map((deletes) => ({
    deletes,
    targets: [...new Set(deletes.flatMap(({ file }) => targets.get(file.path) ?? []))],
  }))
}

/** What these delete files hold about data files that are still there: `file_path`, `pos`. */
function positionsSql(
  deletes: readonly ManifestEntry[],
  targets: readonly ScanFile[],
  pathOf: (location: string) => string,
) {
  const field = (id: number, name: string, type: string) =>
    `${id}: {name: '${name}', type: '${type}', default_value: NULL}`
  const paths = deletes.map(({ file }) => quoteText(pathOf(file.path)))
  return `(SELECT DISTINCT file_path, pos FROM read_parquet([${paths.join(', ')}], schema = MAP {${field(filePathField, 'file_path', 'VARCHAR')}, ${field(posField, 'pos', 'BIGINT')}})
    WHERE file_path IN (SELECT unnest([${targets.map(({ path }) => quoteText(path)).join(', ')}])))`
}

const highest = (entries: readonly ManifestEntry[]) =>
  entries.reduce((most, { sequenceNumber }) => (sequenceNumber > most ? sequenceNumber : most), 0n)

type Metadata = LoadedTable['metadata']

async function fileFor(
  { engine, io, spoolDir }: CompactDeps,
  metadata: Metadata,
  { deletes, targets }: Group,
  pathOf: (location: string) => string,
  signal: AbortSignal | undefined,
): Promise<(NewDeleteFile & { sequenceNumber: bigint })[]> {
  const folder = join(spoolDir, `deletes-${randomUUID()}`)
  await mkdir(folder, { recursive: true })
  try {
    const local = join(folder, 'deletes.parquet')
    const [row] = await engine.rows({
      class: 'write',
      sql: copyPositions(`SELECT * FROM ${positionsSql(deletes, targets, pathOf)} ORDER BY file_path, pos`, local),
      ...(signal ? { signal } : {}),
    })
    const [recordCount, fileSizeBytes] = [Number(row![1]), Number(row![2])]
    if (recordCount === 0) return []
    const [ends] = await engine.rows({
      class: 'write',
      sql: `SELECT min(file_path), max(file_path), min(pos)::VARCHAR, max(pos)::VARCHAR FROM read_parquet(${quoteText(local)})`,
    })
    const [first, last, low, high] = ends as [string, string, string, string]
    const path = await placePositions(io, metadata, local, signal)
    const { specId, partition } = deletes[0]!.file
    return [
      {
        content: 'position-deletes',
        path,
        recordCount,
        fileSizeBytes,
        specId,
        partition,
        sequenceNumber: highest(deletes),
        lower: new Map<number, Value>([
          [filePathField, first],
          [posField, BigInt(low)],
        ]),
        upper: new Map<number, Value>([
          [filePathField, last],
          [posField, BigInt(high)],
        ]),
        ...(first === last && { referencedDataFile: first }),
      },
    ]
  } finally {
    await rm(folder, { recursive: true, force: true }).catch(() => {})
  }
}

async function vectorsFor(
  { engine, io }: CompactDeps,
  metadata: Metadata,
  { deletes, targets }: Group,
  pathOf: (location: string) => string,
  signal: AbortSignal | undefined,
): Promise<(NewDeleteFile & { sequenceNumber: bigint })[]> {
  const found = new Map<string, Positions>()
  for (let at = 0; at < deletes.length; at += filesAtOnce) {
    const rows = await engine.rows({
      class: 'write',
      sql: `SELECT file_path, list(pos ORDER BY pos) FROM ${positionsSql(deletes.slice(at, at + filesAtOnce), targets, pathOf)} GROUP BY file_path`,
      ...(signal ? { signal } : {}),
    })
    for (const [path, positions] of rows as [string, (number | string)[]][]) {
      const known = found.get(path) ?? new Positions()
      found.set(path, known)
      for (const position of positions) known.add(Number(position))
    }
  }
  const number = highest(deletes)
  const vectors: (PlacedVector & Pick<ScanFile, 'sequenceNumber'>)[] = []
  for (const { path, deletes: has, specId, partition } of targets) {
    const positions = found.get(path)
    if (!positions) continue
    const old = has.find(({ file }) => file.content === 'position-deletes' && file.format === 'puffin')
    if (old) for (const position of await readDeletionVector(io, old.file, signal)) positions.add(position)
    const sequenceNumber = old && old.sequenceNumber > number ? old.sequenceNumber : number
    vectors.push({ referencedDataFile: path, positions, specId, partition, sequenceNumber })
  }
  if (vectors.length === 0) return []
  const placed = await placeVectors(io, metadata, vectors, signal)
  return placed.map((file, index) => ({ ...file, sequenceNumber: vectors[index]!.sequenceNumber }))
}
