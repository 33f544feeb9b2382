// Which files a query must read (spec, "Scan Planning").
//
// Manifests are dropped by their partition summaries, files by their partition and by the bounds of their columns; what
// may hold a row survives, together with the delete files that apply to it. Start here to see a read.

import { Failure } from '../base/failure.ts'
import type { FileIO } from '../io/index.ts'
import { compareValues } from './value.ts'
import { inherit, loadManifest, partitionTypes, readManifestList, type ReadOptions } from './manifest.ts'
import type { DataFile, FileFormat, ManifestEntry, ManifestFile } from './manifest-types.ts'
import { currentSchema } from './metadata.ts'
import type { Snapshot, TableMetadata } from './metadata-types.ts'
import { bindPredicate, filesEvaluator, partitionEvaluator, type Bound } from './predicate.ts'
import type { Predicate } from './predicate-types.ts'
import { reservedFields } from './reserved.ts'
import { schemaOf, snapshotAsOf } from './snapshot.ts'
import type { Schema, Value } from './types.ts'
import { lowerBound, upperBound } from './manifest.ts'

export type ScanDelete = { file: DataFile; sequenceNumber: bigint }

export type ScanFile = {
  path: string
  format: FileFormat
  recordCount: number
  fileSizeBytes: number
  specId: number
  partition: readonly (Value | null)[]
  sequenceNumber: bigint
  /** That of the commit which added the file itself; rewriting rows gives them a new file but keeps their sequence number. */
  fileSequenceNumber: bigint | undefined
  snapshotId: bigint
  /** Delete files that apply to this file: a deletion vector, or else position deletes; then equality deletes. */
  deletes: readonly ScanDelete[]
  /** Everything else that the manifest says, bounds and the first row's id (v3) among it (`lowerBound`, `upperBound`). */
  file: DataFile
}

export type ScanPlan = {
  snapshot: Snapshot | undefined
  /** The current schema; that of the snapshot where one was asked for. */
  schema: Schema
  files: ScanFile[]
  pruned: { manifests: number; files: number }
  /** Of the files to be read; `manifests` that were looked into. */
  totals: { manifests: number; files: number; records: number; bytes: number }
}

export type ScanOptions = ReadOptions & {
  /** Travels to this snapshot and its schema. */
  snapshotId?: bigint | undefined
  /** Rows of interest, by field ids of the plan's schema. Files are only dropped where certainly none is in them. */
  predicate?: Predicate | undefined
}

/** Manifests that are read at the same time. */
export const readsAtOnce = 8

export async function planScan(io: FileIO, metadata: TableMetadata, options: ScanOptions = {}): Promise<ScanPlan> {
  const { snapshotId, predicate = { op: 'true' } } = options
  const snapshot = snapshotAsOf(metadata, snapshotId === undefined ? undefined : { snapshotId })
  const schema = snapshotId === undefined ? currentSchema(metadata) : schemaOf(metadata, snapshot)
  const plan: ScanPlan = {
    snapshot,
    schema,
    files: [],
    pruned: { manifests: 0, files: 0 },
    totals: { manifests: 0, files: 0, records: 0, bytes: 0 },
  }
  if (!snapshot) return plan

  const bound = bindPredicate(predicate, schema)
  const evaluators = partitionEvaluators(bound, metadata)
  const mayMatch = ({ specId, partitions, addedFiles, existingFiles }: ManifestFile) =>
    !(addedFiles === 0 && existingFiles === 0) &&
    (!partitions || (evaluators.get(specId)?.manifest(partitions) ?? true))
  const manifests = await readManifestList(io, metadata, snapshot, options)
  const survivors = manifests.filter(mayMatch)
  plan.pruned.manifests = manifests.length - survivors.length
  plan.totals.manifests = survivors.length

  // Each manifest is let go of as soon as its survivors are known: memory holds what is found, not what is looked at.
  const found = await mapLimited(survivors, readsAtOnce, async (manifest) => {
    const loaded = await loadManifest(io, metadata, manifest, options)
    const evaluator = evaluators.get(manifest.specId)
    const matching = filesEvaluator(bound, loaded)
    const isOut = manifest.content === 'data' && !matching.any()
    const kept: ManifestEntry[] = []
    loaded.entries.forEach((raw, index) => {
      if (raw.status === 'deleted') return
      const isData = raw.file.content === 'data'
      // A delete file of another partition cannot apply to a file that survives.
      const isIn =
        !(isData && isOut) && (raw.file.partition.length === 0 || (evaluator?.partition(raw.file.partition) ?? true))
      if (isIn && (!isData || matching.file(raw.file, index))) kept.push(inherit(raw, manifest))
      else if (isData) plan.pruned.files++
    })
    return kept
  })
  const [data, deletes]: [ManifestEntry[], ManifestEntry[]] = [[], []]
  for (const entry of found.flat()) (entry.file.content === 'data' ? data : deletes).push(entry)

  const deletesOf = deleteIndex(deletes, metadata)
  plan.files = data.map((entry) => scanFile(entry, deletesOf(entry)))
  plan.totals.files = data.length
  for (const { recordCount, fileSizeBytes } of plan.files) {
    plan.totals.records += recordCount
    plan.totals.bytes += fileSizeBytes
  }
  return plan
}

/** A data file of a manifest with the deletes that apply to it. */
export function scanFile(
  { file, sequenceNumber, fileSequenceNumber, snapshotId }: ManifestEntry,
  deletes: readonly ScanDelete[],
): ScanFile {
  const { path, format, recordCount, fileSizeBytes, specId, partition } = file
  return {
    path,
    format,
    recordCount,
    fileSizeBytes,
    specId,
    partition,
    sequenceNumber,
    fileSequenceNumber,
    snapshotId,
    deletes,
    file,
  }
}

/** Every file that must be at hand to read the rows of a plan, delete files included, each once. */
export function filesToRead({ files }: Pick<ScanPlan, 'files'>): { path: string; sizeBytes: number }[] {
  const sizes = new Map<string, number>()
  for (const { path, fileSizeBytes, deletes } of files) {
    sizes.set(path, fileSizeBytes)
    for (const { file } of deletes) sizes.set(file.path, file.fileSizeBytes)
  }
  return [...sizes].map(([path, sizeBytes]) => ({ path, sizeBytes }))
}

/** The column `file_path` of position deletes. */
const filePathField = { id: reservedFields.file_path, type: { kind: 'string' } } as const

/**
 * Which deletes apply to a data file: a deletion vector or position deletes of the same or a later commit in the same
 * partition, equality deletes of a later commit in the same partition or in none.
 */
export function deleteIndex(
  deletes: readonly ManifestEntry[],
  metadata: TableMetadata,
): (entry: ManifestEntry) => ScanDelete[] {
  if (deletes.length === 0) return () => []
  const unpartitioned = unpartitionedSpecs(metadata)
  const vectors = new Map<string, ManifestEntry[]>()
  const positions = new Map<string, ManifestEntry[]>()
  const equalities = new Map<string, ManifestEntry[]>()
  const everywhere: ManifestEntry[] = []
  const put = (map: Map<string, ManifestEntry[]>, key: string, entry: ManifestEntry) =>
    void (map.get(key)?.push(entry) ?? map.set(key, [entry]))
  for (const entry of deletes) {
    const { content, format, specId, referencedDataFile } = entry.file
    if (content === 'equality-deletes' && unpartitioned.has(specId)) everywhere.push(entry)
    else if (content === 'equality-deletes') put(equalities, placeOf(entry.file), entry)
    else if (format === 'puffin' && referencedDataFile !== undefined) put(vectors, referencedDataFile, entry)
    else put(positions, placeOf(entry.file), entry)
  }
  return ({ file, sequenceNumber }) => {
    const place = placeOf(file)
    const isLater = (entry: ManifestEntry) => entry.sequenceNumber > sequenceNumber
    const isNotEarlier = (entry: ManifestEntry) => entry.sequenceNumber >= sequenceNumber
    const vector = (vectors.get(file.path) ?? []).filter(isNotEarlier)
    if (vector.length > 1)
      throw new Failure('METADATA_INVALID', `${file.path} has ${vector.length} deletion vectors in one snapshot`, {
        place: { file: file.path },
      })
    // Spec: where a deletion vector applies, position deletes of that file are ignored.
    const byPosition =
      vector.length > 0
        ? vector
        : (positions.get(place) ?? []).filter((entry) => isNotEarlier(entry) && mayName(entry.file, file.path))
    const byValue = [...everywhere, ...(equalities.get(place) ?? [])].filter(isLater)
    return [...byPosition, ...byValue].map(({ file, sequenceNumber }) => ({ file, sequenceNumber }))
  }
}

/** Equality deletes of these specs apply to the files of all partitions. */
export const unpartitionedSpecs = ({ partitionSpecs }: Pick<TableMetadata, 'partitionSpecs'>): ReadonlySet<number> =>
  new Set(
    partitionSpecs
      .filter(({ fields }) => fields.every(({ transform }) => transform.kind === 'void'))
      .map(({ specId }) => specId),
  )

/** Whether position deletes may be about the data file: by what they name, or by the bounds of the names in them. */
function mayName(deletes: DataFile, path: string): boolean {
  if (deletes.referencedDataFile !== undefined) return deletes.referencedDataFile === path
  const [lower, upper] = [lowerBound(deletes, filePathField), upperBound(deletes, filePathField)]
  return (
    !(lower !== undefined && compareValues(lower, path) > 0) && !(upper !== undefined && compareValues(upper, path) < 0)
  )
}

/** Spec and partition as one text. */
export function placeOf({ specId, partition }: Pick<DataFile, 'specId' | 'partition'>): string {
  const text = (value: Value | null) => {
    if (value === null) return 'null'
    if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`
    return typeof value === 'string' ? JSON.stringify(value) : String(value)
  }
  return [specId, ...partition.map(text)].join('/')
}

/**
 * The results in the order of the items, each as soon as it is there: `limit` items at most are worked on ahead of whoever
 * takes them.
 */
export async function* mapAhead<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  limit: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const coming: Promise<Result>[] = []
  for await (const item of items) {
    const result = work(item)
    result.catch(() => {}) // whoever takes it is told
    coming.push(result)
    if (coming.length >= limit) yield coming.shift()!
  }
  yield* coming
}

export async function mapLimited<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index]!)
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  return results
}

/** By the id of the spec. */
export const partitionEvaluators = (bound: Bound, metadata: TableMetadata) =>
  new Map(
    metadata.partitionSpecs.map((spec) => [
      spec.specId,
      partitionEvaluator(bound, spec, partitionTypes(metadata, spec)),
    ]),
  )
