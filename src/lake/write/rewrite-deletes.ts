// Position deletes put together (Java: RewritePositionDeleteFiles). Many small delete files make every read of their
// partition slow, and those whose data files are gone delete nothing any more.
//
// In tables of version 2 each data file gets one delete file of its own, or each partition one where the table says so
// (`write.delete.granularity`); what is like that already is left alone. In version 3 they become deletion vectors, one
// for each data file, merged with the one that it has. Positions are sorted and made distinct by SQL.

import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../base/failure.ts'
import { showName, type LoadedTable } from '../../catalog/index.ts'
import {
  placeOf,
  planScan,
  Positions,
  prepareRewrite,
  readDeletionVector,
  readManifest,
  readManifestList,
  reservedFields,
  totalBytes,
  type DataFile,
  type ManifestEntry,
  type NewDeleteFile,
  type PreparedWrite,
  type ScanFile,
} from '../../iceberg/index.ts'
import { localPath } from '../../io/index.ts'
import type { CompactDeps } from '../upkeep/compact.ts'
import { isByPartition, placeVectors, writePositionFiles, type PlacedVector } from './delete-files.ts'
import { quoteFile, quoteText } from '../sql/tokens.ts'
import { limitsOf } from './write.ts'

export type RewrittenDeletes = {
  filesBefore: number
  filesAfter: number
  bytesBefore: number
  bytesAfter: number
  /** Delete files whose data files are gone. */
  dangling: number
}

type Options = {
  dryRun?: boolean | undefined
  /** Also what is as it should be. */
  all?: boolean | undefined
  /** Of partitions in which one of these data files is. */
  only?: ReadonlySet<string> | undefined
  signal?: AbortSignal | undefined
  commit(prepared: PreparedWrite): Promise<unknown>
}

/** Delete files whose positions are read by one query. */
const filesAtOnce = 50

/** One partition's delete files, and the data files that they are about: none of dangling ones. */
type Group = { deletes: ManifestEntry[]; targets: ScanFile[] }
type Made = NewDeleteFile & { sequenceNumber: bigint }

/** @throws COMMIT_CONFLICT when another writer changed the deletes meanwhile: what was written is gone again */
export async function rewriteDeletes(
  deps: CompactDeps,
  { name, metadata }: LoadedTable,
  options: Options,
): Promise<RewrittenDeletes> {
  const { io } = deps
  const { signal, dryRun, all, only } = options
  const reading = { manifests: deps.manifests, signal }
  const { snapshot, files } = await planScan(io, metadata, reading)
  const result: RewrittenDeletes = { filesBefore: 0, filesAfter: 0, bytesBefore: 0, bytesAfter: 0, dangling: 0 }
  if (!snapshot) return result
  const live: ManifestEntry[] = []
  for (const manifest of await readManifestList(io, metadata, snapshot, reading))
    if (manifest.content === 'deletes')
      for (const entry of await readManifest(io, metadata, manifest, reading))
        if (entry.status !== 'deleted' && isPositional(entry.file)) live.push(entry)

  const isVectors = metadata.formatVersion >= 3
  const byPartition = !isVectors && isByPartition(metadata)
  const groups = groupsOf(live, files)
    .filter(({ targets }) => !only || targets.some(({ path }) => only.has(path)))
    .map((group) => (isVectors || all ? group : untidy(group, byPartition)))
    .filter(({ deletes }) => deletes.length > 0)
  const replaced = groups.flatMap(({ deletes }) => deletes)
  result.filesBefore = replaced.length
  result.bytesBefore = totalBytes(replaced.map(({ file }) => file))
  result.dangling = groups.reduce((sum, { deletes, targets }) => sum + (targets.length === 0 ? deletes.length : 0), 0)
  if (replaced.length === 0) return result
  if (dryRun) {
    result.filesAfter = groups.reduce(
      (sum, { targets }) => sum + (byPartition ? Math.min(1, targets.length) : targets.length),
      0,
    )
    return result
  }

  const made: Made[] = []
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
            : await filesFor(deps, metadata, group, pathOf, signal)),
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
      ? error.with({ message: `${showName(name)}: ${error.message}` })
      : error
  } finally {
    if (!isNamed) await io.deleteAll([...new Set(made.map(({ path }) => path))]).catch(() => {})
  }
  result.filesAfter = made.length
  // The vectors of one file are entries of their own.
  result.bytesAfter = totalBytes([...new Map(made.map((file) => [file.path, file])).values()])
  return result
}

const isPositional = ({ content, format }: DataFile) => content === 'position-deletes' && format !== 'puffin'

/** By partition of the delete files, each with the data files that one of them applies to. */
function groupsOf(live: readonly ManifestEntry[], files: readonly ScanFile[]): Group[] {
  const targets = new Map<string, ScanFile[]>()
  for (const file of files)
    for (const { file: one } of file.deletes)
      if (targets.get(one.path)?.push(file) === undefined) targets.set(one.path, [file])
  const groups = Map.groupBy(live, ({ file }) => `${targets.has(file.path)} ${placeOf(file)}`)
  return [...groups.values()].map((deletes) => ({
    deletes,
    targets: [...new Set(deletes.flatMap(({ file }) => targets.get(file.path) ?? []))],
  }))
}

/** What is left to do in a partition of version 2. */
function untidy({ deletes, targets }: Group, byPartition: boolean): Group {
  if (targets.length === 0) return { deletes, targets }
  if (byPartition) return deletes.length > 1 ? { deletes, targets } : { deletes: [], targets: [] }
  const uses = new Map<string, number>()
  for (const target of targets)
    for (const { file } of target.deletes) uses.set(file.path, (uses.get(file.path) ?? 0) + 1)
  // Where one of a data file's delete files is rewritten, all are: a file of its own is the only one then.
  const left = targets.filter((target) => {
    const its = target.deletes.filter(({ file }) => isPositional(file))
    return its.length > 1 || its.some(({ file }) => uses.get(file.path)! > 1)
  })
  const paths = new Set(left.flatMap((target) => target.deletes.map(({ file }) => file.path)))
  return { deletes: deletes.filter(({ file }) => paths.has(file.path)), targets: left }
}

/** What these delete files hold about data files that are still there: `file_path`, `pos`. */
function positionsSql(
  deletes: readonly ManifestEntry[],
  targets: readonly ScanFile[],
  pathOf: (location: string) => string,
) {
  const field = (id: number, name: string, type: string) =>
    `${id}: {name: '${name}', type: '${type}', default_value: NULL}`
  const paths = deletes.map(({ file }) => quoteFile(pathOf(file.path)))
  return `(SELECT DISTINCT file_path, pos FROM read_parquet([${paths.join(', ')}], schema = MAP {${field(reservedFields.file_path, 'file_path', 'VARCHAR')}, ${field(reservedFields.pos, 'pos', 'BIGINT')}})
    WHERE pos IS NOT NULL AND file_path IN (SELECT unnest([${targets.map(({ path }) => quoteText(path)).join(', ')}])))`
}

const highest = (entries: readonly ManifestEntry[]) =>
  entries.reduce((most, { sequenceNumber }) => (sequenceNumber > most ? sequenceNumber : most), 0n)

type Metadata = LoadedTable['metadata']

async function filesFor(
  deps: CompactDeps,
  metadata: Metadata,
  { deletes, targets }: Group,
  pathOf: (location: string) => string,
  signal: AbortSignal | undefined,
): Promise<Made[]> {
  const folder = join(deps.spoolDir, `deletes-${randomUUID()}`)
  try {
    await mkdir(folder, { recursive: true })
    const written = await writePositionFiles(
      deps,
      metadata,
      {
        groups: isByPartition(metadata) ? [targets] : targets.map((target) => [target]),
        positions: positionsSql(deletes, targets, pathOf),
        folder,
      },
      (sql) => deps.engine.rows({ class: 'write', sql, ...limitsOf({ signal }) }),
      signal,
    )
    const sequenceNumber = highest(deletes)
    return written.map((file) => ({ ...file, sequenceNumber }))
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
): Promise<Made[]> {
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
