// Which files a table's metadata reaches. All that deletes files asks here what has to stay.
//
//   metadata file ─▶ older metadata files      (the metadata log)
//        ├─────────▶ statistics files
//        └─ snapshots ─▶ manifest lists ─▶ manifests ─▶ data files, delete files
//
// A large table has millions of files and thousands of snapshots that share nearly all of them. So every manifest is
// read once, a few ahead of the consumer; data files are streamed and never collected, and a consumer takes its own
// candidates away from the stream in batches of bounded size.

import type { FileIO } from '../io/index.ts'
import { readManifest, readManifestList, type ReadOptions } from './manifest.ts'
import type { ManifestFile } from './manifest-types.ts'
import type { Snapshot, TableMetadata } from './metadata-types.ts'
import { mapAhead, readsAtOnce } from './scan.ts'

/** What the property `gc.enabled` says, as Java reads it: anything but "true" forbids. */
export const mayDeleteFiles = ({ properties }: Pick<TableMetadata, 'properties'>): boolean =>
  (properties['gc.enabled'] ?? 'true').toLowerCase() === 'true'

export type ReachedFile = {
  kind: 'metadata' | 'statistics' | 'manifest-list' | 'manifest' | 'data' | 'deletes'
  path: string
}
/** A metadata file and what is in it. */
export type Root = { location?: string | undefined; metadata: TableMetadata }

/**
 * Every file that the roots reach. Metadata files, manifest lists and manifests come once, data and delete files as often
 * as a manifest names them as live. METADATA_INVALID when a file on the way is missing: then nothing may be concluded
 * about what is not reached.
 */
export async function* reachableFiles(
  io: FileIO,
  roots: readonly Root[],
  options: ReadOptions = {},
): AsyncGenerator<ReachedFile> {
  const seen = new Set<string>()
  const isNew = (path: string) => !seen.has(path) && seen.add(path)
  for (const { location, metadata } of roots) {
    for (const path of [location, ...metadata.metadataLog.map(({ metadataFile }) => metadataFile)])
      if (path !== undefined && isNew(path)) yield { kind: 'metadata', path }
    for (const { statisticsPath } of [...metadata.statistics, ...metadata.partitionStatistics])
      if (isNew(statisticsPath)) yield { kind: 'statistics', path: statisticsPath }
    const fresh = metadata.snapshots.filter(({ manifestList }) => manifestList === undefined || isNew(manifestList))
    for (const { manifestList } of fresh)
      if (manifestList !== undefined) yield { kind: 'manifest-list', path: manifestList }
    const manifests = newOnes(manifestsOf(io, metadata, fresh, options), isNew)
    const read = async (manifest: ManifestFile) => ({
      manifest,
      files: await filesOf(io, { manifest, metadata }, options),
    })
    for await (const { manifest, files } of mapAhead(manifests, readsAtOnce, read)) {
      yield { kind: 'manifest', path: manifest.path }
      yield* files
    }
  }
}

async function* newOnes<File extends { path: string }>(
  files: AsyncIterable<File>,
  isNew: (path: string) => unknown,
): AsyncGenerator<File> {
  for await (const file of files) if (isNew(file.path)) yield file
}

/** The manifests of the snapshots, the same one as often as a snapshot has it. `skipMissing`: a list that is gone has none. */
export async function* manifestsOf(
  io: FileIO,
  metadata: TableMetadata,
  snapshots: readonly Snapshot[],
  { skipMissing, ...options }: ReadOptions & { skipMissing?: boolean } = {},
): AsyncGenerator<ManifestFile> {
  const read = async (snapshot: Snapshot): Promise<readonly ManifestFile[]> => {
    const { manifestList } = snapshot
    const isGone = skipMissing && manifestList !== undefined && !(await io.stat(manifestList, options.signal))
    return isGone ? [] : readManifestList(io, metadata, snapshot, options)
  }
  for await (const manifests of mapAhead(snapshots, readsAtOnce, read)) yield* manifests
}

/** A manifest and the metadata whose schemas and specs explain it. */
export type ReachedManifest = { manifest: ManifestFile; metadata: TableMetadata }

/** The live files of these manifests. What a manifest calls deleted was live in an older one, or is nobody's. */
export async function* contentOf(
  io: FileIO,
  manifests: Iterable<ReachedManifest>,
  { skipMissing, ...options }: ReadOptions & { skipMissing?: boolean } = {},
): AsyncGenerator<ReachedFile> {
  const read = async (one: ReachedManifest): Promise<ReachedFile[]> =>
    skipMissing && !(await io.stat(one.manifest.path, options.signal)) ? [] : filesOf(io, one, options)
  for await (const files of mapAhead(manifests, readsAtOnce, read)) yield* files
}

async function filesOf(io: FileIO, { manifest, metadata }: ReachedManifest, options: ReadOptions) {
  const files: ReachedFile[] = []
  for (const { status, file } of await readManifest(io, metadata, manifest, options))
    if (status !== 'deleted') files.push({ kind: file.content === 'data' ? 'data' : 'deletes', path: file.path })
  return files
}

const batchFilesDefault = 100_000

/**
 * What names the same file is equal: `/a`, `file:/a` and `file:///a`; `s3a://b/k`, `s3n://b/k` and `s3://b/k`. Only for
 * comparing; a location is otherwise used as it was written.
 */
export function fileKey(location: string): string {
  const { scheme, authority, path } = splitLocation(location)
  return `${equalSchemes[scheme] ?? scheme}://${authority}${path}`
}
const equalSchemes: Readonly<Record<string, string>> = { s3a: 's3', s3n: 's3' }

/** `{ scheme: 's3', authority: 'bucket', path: '/key' }`; a location without a scheme is a file of this machine. */
export function splitLocation(location: string): { scheme: string; authority: string; path: string } {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/]*))?(\/.*)?$/s.exec(location)
  const [scheme, authority, path] = match
    ? [match[1]!.toLowerCase(), match[2] ?? '', match[3] ?? '/']
    : ['file', '', location]
  return {
    scheme,
    authority: scheme === 'file' && authority === 'localhost' ? '' : authority,
    path: path.replace(/\/{2,}/g, '/'),
  }
}

/** Collects files, each once, into batches that fit into memory, by their `fileKey`. */
export async function* filesInBatches<File extends { path: string }>(
  files: AsyncIterable<File>,
  size = batchFilesDefault,
): AsyncGenerator<Map<string, File>> {
  let batch = new Map<string, File>()
  for await (const file of files) {
    batch.set(fileKey(file.path), file)
    if (batch.size < size) continue
    yield batch
    batch = new Map()
  }
  if (batch.size > 0) yield batch
}
