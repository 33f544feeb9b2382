// One change of a table, ready to be committed. Start here to see a write.
//
// Data files are on storage before anything here is called. `prepare…` writes the manifests that name them, once,
// outside of any retry loop: N writers that retry would else leave N² orphans. `on(base)` then turns the change into
// updates for one base, by writing a manifest list only; when the commit loses a race, `on` is called again with the
// newer base. Nothing written here is visible until a catalog has swapped its pointer to the metadata that the updates
// make; after a crash only orphans remain.

import { randomBytes, randomUUID } from 'node:crypto'
import { assert } from '../base/assert.ts'
import { Failure } from '../base/failure.ts'
import { joinLocation, type FileIO } from '../io/index.ts'
import type { AvroCodec } from './avro.ts'
import {
  encodeManifest,
  encodeManifestList,
  inherit,
  listed,
  loadManifest,
  partitionTypes,
  readManifestList,
  type EntryToWrite,
  type WrittenManifest,
} from './manifest.ts'
import type { DataFile, ManifestCache, ManifestFile, NewDataFile } from './manifest-types.ts'
import { currentSchema, metadataFolder } from './metadata.ts'
import type { Operation, Snapshot, TableMetadata, TableRequirement, TableUpdate } from './metadata-types.ts'
import { metricsModes, statisticsOf } from './metrics.ts'
import { sameSchema } from './schema.ts'
import { placeOf } from './scan.ts'
import { snapshotAsOf, snapshotById } from './snapshot.ts'
import type { PartitionSpec, Schema } from './types.ts'
import { applyUpdates } from './update.ts'

export type TableCommit = {
  updates: TableUpdate[]
  requirements: TableRequirement[]
  snapshot: Snapshot
}

export type PreparedWrite = {
  readonly snapshotId: bigint
  /**
   * The change on top of `base`, which may be newer than the metadata that it was prepared with. COMMIT_CONFLICT when
   * what happened in between does not go together with it: then the whole work must be done again.
   */
  on(base: TableMetadata, options: { nowMs: number; signal?: AbortSignal | undefined }): Promise<TableCommit>
  /**
   * Files that this write made and no table refers to: all but those of the commit that succeeded, or all when the
   * write is given up. They may be deleted as soon as the outcome is certain. Data files are not among them.
   */
  leftovers(committed?: TableCommit): string[]
}

export type WriteOptions = {
  /** Further keys of the snapshot's summary. */
  summary?: Readonly<Record<string, string>> | undefined
  /** Default `main`. */
  branch?: string | undefined
  manifests?: ManifestCache | undefined
  signal?: AbortSignal | undefined
}

/** Adds files; nothing else changes, so it goes on top of whatever other writers did. */
export async function prepareAppend(
  io: FileIO,
  metadata: TableMetadata,
  files: readonly NewDataFile[],
  options: WriteOptions = {},
): Promise<PreparedWrite> {
  const work = new Work(io, metadata, options)
  const schema = currentSchema(metadata)
  const dataFiles = files.map((file) => dataFileOf(file, metadata, schema))
  const added = await work.writeAdded(dataFiles, metadata, schema)
  return {
    snapshotId: work.snapshotId,
    leftovers: (committed) => work.leftovers(committed),
    on: async (base, { nowMs, signal }) => {
      checkSameTable(metadata, base)
      const parent = headOf(base, work.branch)
      const old = parent ? await readManifestList(io, base, parent, { signal }) : []
      const kept = old.filter((manifest) => isLive(manifest))
      const manifests = await work.merge(
        [...added.map((manifest) => listed(manifest, base.lastSequenceNumber + 1n)), ...kept],
        base,
        signal,
      )
      const counters = summaryOf({
        added: dataFiles,
        removed: [],
        previous: parent?.summary,
        isEmptied: parent === undefined,
      })
      return work.commit({ base, schemaUpdates: [], parent, manifests, operation: 'append', counters, nowMs, signal })
    },
  }
}

export type ReplaceOptions = WriteOptions & {
  /** Becomes the current schema in the same commit (`schemaForReplace`). */
  schema?: Schema | undefined
}

/**
 * Everything old out, `files` in. It goes only on top of the snapshot that it was prepared with: another writer's rows
 * must not vanish unseen.
 */
export async function prepareReplace(
  io: FileIO,
  metadata: TableMetadata,
  files: readonly NewDataFile[],
  options: ReplaceOptions = {},
): Promise<PreparedWrite> {
  const work = new Work(io, metadata, options)
  const parent = headOf(metadata, work.branch)
  const schemaUpdates = updatesForSchema(metadata, options.schema)
  const evolved = applyUpdates(metadata, schemaUpdates, { nowMs: metadata.lastUpdatedMs })
  const schema = currentSchema(evolved)
  const dataFiles = files.map((file) => dataFileOf(file, evolved, schema))
  const added = await work.writeAdded(dataFiles, evolved, schema)
  const old = parent ? (await readManifestList(io, metadata, parent, options)).filter(isLive) : []
  const removed: DataFile[] = []
  const emptied: WrittenManifest[] = []
  for (const manifest of old) {
    const { entries } = await loadManifest(io, metadata, manifest, options)
    const gone = entries
      .filter(({ status }) => status !== 'deleted')
      .map((entry): EntryToWrite => ({
        ...inherit(entry, manifest),
        status: 'deleted',
        snapshotId: work.snapshotId,
      }))
    removed.push(...gone.map(({ file }) => file))
    if (gone.length > 0) emptied.push(await work.write(gone, evolved, schema, manifest.specId, manifest.content))
  }
  return {
    snapshotId: work.snapshotId,
    leftovers: (committed) => work.leftovers(committed),
    on: async (base, { nowMs, signal }) => {
      checkSameTable(metadata, base)
      checkUnchanged(metadata, base, work.branch)
      const manifests = [...added, ...emptied].map((manifest) => listed(manifest, base.lastSequenceNumber + 1n))
      const counters = summaryOf({ added: dataFiles, removed, previous: undefined, isEmptied: true })
      const operation = parent === undefined || removed.length === 0 ? 'append' : 'overwrite'
      return work.commit({ base, schemaUpdates, parent, manifests, operation, counters, nowMs, signal })
    },
  }
}

function checkSameTable(prepared: TableMetadata, base: TableMetadata) {
  if (prepared.tableUuid !== base.tableUuid)
    throw new Failure(
      'COMMIT_CONFLICT',
      `the table was dropped and created again (uuid ${base.tableUuid}, was ${prepared.tableUuid})`,
    )
}

/** Names the snapshot of the writer that was faster. */
function checkUnchanged(prepared: TableMetadata, base: TableMetadata, branch: string) {
  const [before, now] = [headOf(prepared, branch), headOf(base, branch)]
  if (before?.snapshotId !== now?.snapshotId) {
    const other = now
      ? `snapshot ${now.snapshotId} (${now.summary.operation ?? 'unknown operation'}, ${new Date(now.timestampMs).toISOString()})`
      : 'a rollback to no snapshot'
    throw new Failure('COMMIT_CONFLICT', `another writer changed the table meanwhile: ${other}`, {
      snapshotId: String(now?.snapshotId ?? ''),
    })
  }
  if (prepared.currentSchemaId !== base.currentSchemaId || prepared.lastColumnId !== base.lastColumnId)
    throw new Failure(
      'COMMIT_CONFLICT',
      `another writer changed the table's schema meanwhile (schema ${base.currentSchemaId}, was ${prepared.currentSchemaId})`,
    )
}

function headOf(metadata: TableMetadata, branch: string): Snapshot | undefined {
  const ref = metadata.refs[branch]
  if (ref?.type === 'tag') throw new Failure('REQUEST_INVALID', `"${branch}" is a tag: only branches can be written`)
  if (ref) return snapshotById(metadata, ref.snapshotId)
  // A new branch starts at main, as in Java; PyIceberg starts it empty.
  return branch === 'main' ? undefined : snapshotAsOf(metadata)
}

const isLive = ({ addedFiles, existingFiles }: ManifestFile) =>
  addedFiles === undefined || existingFiles === undefined || addedFiles + existingFiles > 0

function updatesForSchema(metadata: TableMetadata, schema: Schema | undefined): TableUpdate[] {
  if (!schema || sameSchema(schema, currentSchema(metadata))) return []
  return [
    { action: 'add-schema', schema },
    { action: 'set-current-schema', schemaId: -1 },
  ]
}

function dataFileOf(file: NewDataFile, metadata: TableMetadata, schema: Schema): DataFile {
  const specId = file.specId ?? metadata.defaultSpecId
  const spec = metadata.partitionSpecs.find((one) => one.specId === specId)
  const partition = file.partition ?? []
  assert(
    spec !== undefined && spec.fields.length === partition.length,
    `${file.path} has one value for each partition field of spec ${specId}`,
  )
  const { path, format = 'parquet', recordCount, fileSizeBytes, splitOffsets, sortOrderId } = file
  return {
    content: 'data',
    path,
    format,
    specId,
    partition,
    recordCount,
    fileSizeBytes,
    ...statisticsOf(file, schema, metricsModes(schema, metadata.properties)),
    ...(splitOffsets && { splitOffsets }),
    ...(sortOrderId !== undefined && { sortOrderId }),
  }
}

// --- what every write shares: its ids, its files, its commit

type CommitParts = {
  base: TableMetadata
  schemaUpdates: TableUpdate[]
  parent: Snapshot | undefined
  manifests: readonly ManifestFile[]
  operation: Operation
  counters: Record<string, string>
  nowMs: number
  signal: AbortSignal | undefined
}

class Work {
  /** Kept over all attempts: entries of the manifests carry it. */
  readonly snapshotId: bigint
  readonly branch: string
  readonly #io: FileIO
  readonly #options: WriteOptions
  readonly #id = randomUUID()
  readonly #written = new Set<string>()
  readonly #usedBy = new WeakMap<TableCommit, ReadonlySet<string>>()
  readonly #merged = new Map<string, WrittenManifest>()
  #manifestCount = 0
  #attempts = 0

  constructor(io: FileIO, metadata: TableMetadata, options: WriteOptions) {
    if (metadata.formatVersion !== 2)
      throw new Failure(
        'UNSUPPORTED',
        `the table ${metadata.location} has format version ${metadata.formatVersion}; tables of version 2 can be written`,
        {
          hint:
            metadata.formatVersion === 1
              ? 'Upgrade the table to format version 2 first.'
              : 'Write it with another engine.',
        },
      )
    this.#io = io
    this.#options = options
    this.branch = options.branch ?? 'main'
    const taken = new Set(metadata.snapshots.map(({ snapshotId }) => snapshotId))
    do this.snapshotId = BigInt.asUintN(63, randomBytes(8).readBigUInt64BE())
    while (this.snapshotId === 0n || taken.has(this.snapshotId))
  }

  leftovers(committed?: TableCommit): string[] {
    const used = (committed && this.#usedBy.get(committed)) ?? new Set()
    return [...this.#written].filter((path) => !used.has(path))
  }

  /** One manifest per partition spec that the files have. */
  async writeAdded(files: readonly DataFile[], metadata: TableMetadata, schema: Schema): Promise<WrittenManifest[]> {
    const manifests: WrittenManifest[] = []
    for (const [specId, some] of Map.groupBy(files, (file) => file.specId))
      manifests.push(
        await this.write(
          some.map((file) => ({ status: 'added', snapshotId: this.snapshotId, file })),
          metadata,
          schema,
          specId,
          'data',
        ),
      )
    return manifests
  }

  async write(
    entries: readonly EntryToWrite[],
    metadata: TableMetadata,
    schema: Schema,
    specId: number,
    content: 'data' | 'deletes',
    signal = this.#options.signal,
  ): Promise<WrittenManifest> {
    const spec = specOf(metadata, specId)
    const path = joinLocation(metadataFolder(metadata), `${this.#id}-m${this.#manifestCount++}.avro`)
    const types = partitionTypes({ ...metadata, schemas: [...metadata.schemas, schema] }, spec)
    const { bytes, manifest } = encodeManifest(entries, {
      path,
      schema,
      spec,
      types,
      content,
      snapshotId: this.snapshotId,
      codec: codecOf(metadata),
    })
    await this.#create(path, bytes, signal)
    return manifest
  }

  async #create(path: string, bytes: Uint8Array, signal: AbortSignal | undefined) {
    this.#written.add(path) // before the call: whether it happened may stay unknown
    if (!(await this.#io.create(path, bytes, signal))) throw new Failure('STORAGE_FAILED', `"${path}" exists already`)
  }

  async commit({
    base,
    schemaUpdates,
    parent,
    manifests,
    operation,
    counters,
    nowMs,
    signal,
  }: CommitParts): Promise<TableCommit> {
    const sequenceNumber = base.lastSequenceNumber + 1n
    const manifestList = joinLocation(
      metadataFolder(base),
      `snap-${this.snapshotId}-${++this.#attempts}-${this.#id}.avro`,
    )
    const list = encodeManifestList(manifests, {
      snapshotId: this.snapshotId,
      parentSnapshotId: parent?.snapshotId,
      sequenceNumber,
      codec: codecOf(base),
    })
    await this.#create(manifestList, list, signal ?? this.#options.signal)
    const { currentSchemaId } = applyUpdates(base, schemaUpdates, { nowMs })
    const snapshot: Snapshot = {
      snapshotId: this.snapshotId,
      ...(parent && { parentSnapshotId: parent.snapshotId }),
      sequenceNumber,
      // Clocks of several machines differ; the history of a table goes forwards all the same.
      timestampMs: Math.max(nowMs, base.lastUpdatedMs),
      manifestList,
      summary: { operation, ...counters, ...this.#options.summary },
      schemaId: currentSchemaId,
    }
    const ref = base.refs[this.branch]
    const updates: TableUpdate[] = [
      ...schemaUpdates,
      { action: 'add-snapshot', snapshot },
      {
        action: 'set-snapshot-ref',
        refName: this.branch,
        ref: { type: 'branch', ...ref, snapshotId: this.snapshotId },
      },
    ]
    const requirements: TableRequirement[] = [
      { type: 'assert-table-uuid', uuid: base.tableUuid },
      { type: 'assert-ref-snapshot-id', ref: this.branch, snapshotId: ref?.snapshotId },
      ...(schemaUpdates.length === 0
        ? []
        : ([
            { type: 'assert-current-schema-id', currentSchemaId: base.currentSchemaId },
            { type: 'assert-last-assigned-field-id', lastAssignedFieldId: base.lastColumnId },
          ] as const)),
    ]
    const commit = { updates, requirements, snapshot }
    this.#usedBy.set(commit, new Set([manifestList, ...manifests.map(({ path }) => path)]))
    return commit
  }

  /**
   * Many small manifests make planning slow: when there are as many as `commit.manifest.min-count-to-merge`, those of
   * one spec are packed into ones of about `commit.manifest.target-size-bytes`. A merge is kept for further attempts.
   */
  async merge(
    manifests: readonly ManifestFile[],
    base: TableMetadata,
    signal: AbortSignal | undefined,
  ): Promise<ManifestFile[]> {
    const number = (name: string, otherwise: number) => Number(base.properties[name] ?? otherwise) || otherwise
    const countMin = number('commit.manifest.min-count-to-merge', 100)
    const bytesMax = number('commit.manifest.target-size-bytes', 8 * 1024 * 1024)
    if (base.properties['commit.manifest-merge.enabled'] === 'false' || manifests.length < countMin)
      return [...manifests]
    const result: ManifestFile[] = []
    const groups = Map.groupBy(manifests, ({ specId, content }) => `${content} ${specId}`)
    for (const group of groups.values())
      for (const bin of binsOf(group, bytesMax))
        if (group[0]!.content === 'deletes' || group.length < countMin || bin.length === 1) result.push(...bin)
        else result.push(await this.#mergeBin(bin, base, signal))
    return result
  }

  async #mergeBin(
    bin: readonly ManifestFile[],
    base: TableMetadata,
    signal: AbortSignal | undefined,
  ): Promise<ManifestFile> {
    const sequenceNumber = base.lastSequenceNumber + 1n
    const key = bin.map(({ path }) => path).join('\n')
    const before = this.#merged.get(key)
    if (before) return listed(before, sequenceNumber)
    const entries: EntryToWrite[] = []
    for (const manifest of bin) {
      const isMine = manifest.addedSnapshotId === this.snapshotId
      const { entries: stored } = await loadManifest(this.#io, base, manifest, { ...this.#options, signal })
      for (const entry of stored) {
        if (entry.status === 'deleted') continue
        // What this commit adds takes its number from the list again; all else keeps what it has.
        if (isMine) entries.push({ status: 'added', snapshotId: this.snapshotId, file: entry.file })
        else entries.push({ ...inherit(entry, manifest), status: 'existing' })
      }
    }
    const merged = await this.write(entries, base, currentSchema(base), bin[0]!.specId, 'data', signal)
    this.#merged.set(key, merged)
    return listed(merged, sequenceNumber)
  }
}

function specOf(metadata: TableMetadata, specId: number): PartitionSpec {
  const spec = metadata.partitionSpecs.find((one) => one.specId === specId)
  if (!spec) throw new Failure('METADATA_INVALID', `the table ${metadata.location} has no partition spec ${specId}`)
  return spec
}

/** Packed from the end, so that what was merged once stays as it is and the newest bin is the one that grows. */
function binsOf(manifests: readonly ManifestFile[], bytesMax: number): ManifestFile[][] {
  const bins: ManifestFile[][] = []
  let [bin, bytes]: [ManifestFile[], number] = [[], 0]
  for (const manifest of manifests.toReversed()) {
    if (bin.length > 0 && bytes + manifest.sizeBytes > bytesMax) {
      bins.unshift(bin)
      ;[bin, bytes] = [[], 0]
    }
    bin.unshift(manifest)
    bytes += manifest.sizeBytes
  }
  return bin.length > 0 ? [bin, ...bins] : bins
}

function codecOf({ properties }: TableMetadata): AvroCodec {
  switch (properties['write.avro.compression-codec']?.toLowerCase()) {
    case 'uncompressed':
      return 'null'
    case 'zstd':
      return 'zstandard'
    default:
      return 'deflate'
  }
}

type Change = {
  added: readonly DataFile[]
  removed: readonly DataFile[]
  previous: Readonly<Record<string, string>> | undefined
  /** Totals count from nothing. */
  isEmptied: boolean
}

/** The counters of a snapshot's summary, by the names that Java gives them. Those that would be 0 are left out, totals are not. */
function summaryOf({ added, removed, previous, isEmptied }: Change): Record<string, string> {
  const data = removed.filter(({ content }) => content === 'data')
  const deletes = removed.filter(({ content }) => content !== 'data')
  const sum = (files: readonly DataFile[], of: (file: DataFile) => number) =>
    files.reduce((total, file) => total + of(file), 0)
  const records = ({ recordCount }: DataFile) => recordCount
  const size = ({ fileSizeBytes }: DataFile) => fileSizeBytes
  const position = deletes.filter(({ content }) => content === 'position-deletes')
  const equality = deletes.filter(({ content }) => content === 'equality-deletes')
  const counters: Record<string, number> = {
    'added-data-files': added.length,
    'deleted-data-files': data.length,
    'added-records': sum(added, records),
    'deleted-records': sum(data, records),
    'added-files-size': sum(added, size),
    'removed-files-size': sum(removed, size),
    'removed-delete-files': deletes.length,
    'removed-position-deletes': sum(position, records),
    'removed-equality-deletes': sum(equality, records),
  }
  const result: Record<string, string> = {}
  for (const [name, count] of Object.entries(counters)) if (count > 0) result[name] = String(count)
  result['changed-partition-count'] = String(new Set([...added, ...removed].map(placeOf)).size)

  const total = (name: string, change: number) => {
    const before = isEmptied ? 0 : Number(previous?.[name] ?? Number.NaN)
    if (Number.isSafeInteger(before)) result[name] = String(before + change) // unknown before, unknown now
  }
  total('total-data-files', added.length)
  total('total-delete-files', 0)
  total('total-records', sum(added, records))
  total('total-files-size', sum(added, size))
  total('total-position-deletes', 0)
  total('total-equality-deletes', 0)
  return result
}
