// What every change of a table's files shares: its snapshot id, its manifests, its commit.
//
// Data files are on storage before anything here is called. `prepareChange` writes the manifests that name them, once,
// outside of any retry loop: N writers that retry would else leave N² orphans. `on(base)` then turns the change into
// updates for one base: it takes files out of the manifests of that base, asks whether what others did meanwhile goes
// together with the change, and writes a manifest list. When the commit loses a race, `on` is called again with the newer
// base; manifests that were written for the first attempt are used again. Nothing written here is visible until a catalog
// has swapped its pointer to the metadata that the updates make; after a crash only orphans remain.

import { randomBytes, randomUUID } from 'node:crypto'
import { assert } from '../base/assert.ts'
import { Failure } from '../base/failure.ts'
import { joinLocation, type FileIO } from '../io/index.ts'
import type { AvroCodec } from './avro.ts'
import {
  assignRowIds,
  encodeManifest,
  encodeManifestList,
  countsOf,
  inherit,
  keepWritten,
  listed,
  loadManifest,
  partitionTypes,
  readManifestList,
  type EntryToWrite,
  type WrittenManifest,
} from './manifest.ts'
import type { DataFile, ManifestCache, ManifestEntry, ManifestFile, NewDataFile } from './manifest-types.ts'
import { currentSchema, metadataFolder } from './metadata.ts'
import type { Operation, Snapshot, TableMetadata, TableRequirement, TableUpdate } from './metadata-types.ts'
import { metricsModes, statisticsOf } from './metrics.ts'
import { planRemoval, type RemovedManifest, type Removal } from './removal.ts'
import { mapLimited, readsAtOnce } from './scan.ts'
import { findSnapshot, snapshotAsOf, snapshotById } from './snapshot.ts'
import { summaryOf } from './summary.ts'
import type { PartitionSpec, Schema } from './types.ts'
import { applyUpdates, sameSpec } from './update.ts'

export type TableCommit = {
  updates: TableUpdate[]
  requirements: TableRequirement[]
  snapshot: Snapshot
}

export type OnOptions = {
  nowMs: number
  signal?: AbortSignal | undefined
  /**
   * Files that are still being written when `on` answers are added here, and whoever gives this waits for all of them
   * before anything names the commit. Without it they are durable when `on` answers.
   */
  underWay?: Promise<unknown>[] | undefined
}

export type PreparedWrite = {
  readonly snapshotId: bigint
  /**
   * The change on top of `base`, which may be newer than the metadata that it was prepared with. COMMIT_CONFLICT when
   * what happened in between does not go together with it: then the whole work must be done again.
   */
  on(base: TableMetadata, options: OnOptions): Promise<TableCommit>
  /**
   * Files that this write made and no table refers to: all but those of the commit that succeeded, or all when the
   * write is given up. They may be deleted as soon as the outcome is certain. Data files are not among them.
   */
  leftovers(committed?: TableCommit): string[]
}

export type WriteOptions = {
  /** Further keys of the snapshot's summary. */
  summary?: Readonly<Record<string, string>> | undefined
  /** Default `main`. A branch that does not exist starts at main. */
  branch?: string | undefined
  /** Adds the snapshot without moving the branch: to be audited, then published by `cherryPick`. Name it by `wap.id` in `summary`. */
  stageOnly?: boolean | undefined
  manifests?: ManifestCache | undefined
  signal?: AbortSignal | undefined
}

/** A file with its sequence number, where it is not the one of the commit. */
export type AddedFile = { file: DataFile; sequenceNumber?: bigint | undefined }

/** What a change does, told to `prepareChange`. */
export type Change = {
  add: readonly AddedFile[]
  remove?: Removal | undefined
  operation: Operation
  /** COMMIT_CONFLICT when what others did before `head` does not go together with this change. */
  validate?(at: Attempt): Promise<void> | void
  /** To be committed with it; `evolved` is the metadata after them. */
  schemaUpdates?: readonly TableUpdate[]
  evolved?: TableMetadata
  summary?: Readonly<Record<string, string>>
  /** Leaves small manifests as they are. */
  fast?: boolean | undefined
}

export type Attempt = {
  io: FileIO
  base: TableMetadata
  /** The head of the branch in `base`. */
  head: Snapshot | undefined
  /** Files that the change takes out, as `base` has them. */
  removed(): Promise<ManifestEntry[]>
  options: { manifests?: ManifestCache | undefined; signal?: AbortSignal | undefined }
}

/** Writes the manifests of what is added, and gives the change ready for any base. */
export async function prepareChange(
  io: FileIO,
  metadata: TableMetadata,
  change: Change,
  options: WriteOptions,
): Promise<PreparedWrite> {
  const { add, remove, evolved = metadata, schemaUpdates = [] } = change
  const work = new Work(io, metadata, options)
  const added = await work.writeAdded(add, evolved)
  return {
    snapshotId: work.snapshotId,
    leftovers: (committed) => work.leftovers(committed),
    on: async (base, { nowMs, signal = options.signal, underWay }) => {
      checkSameTable(metadata, base)
      const head = headOf(base, work.branch)
      const reading = { manifests: options.manifests, signal }
      const old = head ? await readManifestList(io, base, head, { ...reading, mayBeKept: true }) : []
      const isUnchanged = head?.snapshotId === headOf(metadata, work.branch)?.snapshotId
      let planned: Promise<RemovedManifest[]> | undefined
      const plan = () => (planned ??= planRemoval(io, base, old, remove ?? {}, add, { ...reading, isUnchanged }))
      const removedFiles = async () => (await plan()).flatMap(({ removed }) => removed)
      await change.validate?.({ io, base, head, removed: removedFiles, options: reading })
      const removed = remove ? await removedFiles() : []
      const next = applyUpdates(base, schemaUpdates, { nowMs })
      checkSpecs(added, evolved, next)
      const sequenceNumber = nextSequenceNumber(base)
      const kept: ManifestFile[] = []
      const parts = remove ? await plan() : old.map((manifest) => ({ manifest, removed: [], kept: [] }))
      for (const part of parts)
        if (part.removed.length > 0) kept.push(listed(await work.rewriteWithout(part, next, signal), sequenceNumber))
        else if (isLive(part.manifest)) kept.push(part.manifest)
      const unmerged = [...added.map((manifest) => listed(manifest, sequenceNumber)), ...kept]
      const manifests = change.fast ? unmerged : await work.merge(unmerged, next, signal)
      const counters = summaryOf({
        added: add.map(({ file }) => file),
        removed: removed.map(({ file }) => file),
        previous: head?.summary,
        isEmptied: head === undefined || remove?.all === true,
      })
      return work.commit({ base, next, schemaUpdates, head, manifests, change, counters, nowMs, signal, underWay })
    },
  }
}

/**
 * A spec that nothing was written by could be dropped since the files were; and one that this change set adds has an id that
 * another writer's may have by then.
 */
function checkSpecs(added: readonly WrittenManifest[], made: TableMetadata, base: TableMetadata) {
  for (const { specId } of added) {
    const now = base.partitionSpecs.find((spec) => spec.specId === specId)
    if (!now || !sameSpec(now, specOf(made, specId)))
      throw new Failure('COMMIT_CONFLICT', `another writer changed the partition spec ${specId} meanwhile`)
  }
}

function checkSameTable(prepared: TableMetadata, base: TableMetadata) {
  if (prepared.tableUuid !== base.tableUuid)
    throw new Failure(
      'COMMIT_CONFLICT',
      `the table was dropped and created again (uuid ${base.tableUuid}, was ${prepared.tableUuid})`,
    )
}

export function headOf(metadata: TableMetadata, branch: string): Snapshot | undefined {
  const ref = metadata.refs[branch]
  if (ref?.type === 'tag') throw new Failure('REQUEST_INVALID', `"${branch}" is a tag: only branches can be written`)
  if (ref) return snapshotById(metadata, ref.snapshotId)
  // A new branch starts at main, as in Java; PyIceberg starts it empty.
  return branch === 'main' ? undefined : snapshotAsOf(metadata)
}

/** Version 1 has no sequence numbers: all are 0. */
export const nextSequenceNumber = ({ formatVersion, lastSequenceNumber }: TableMetadata) =>
  formatVersion === 1 ? 0n : lastSequenceNumber + 1n

export const isLive = ({ addedFiles, existingFiles }: ManifestFile) =>
  addedFiles === undefined || existingFiles === undefined || addedFiles + existingFiles > 0

/** The manifest entry of a new data file: its bounds are cut as the table's metrics modes say. */
export function dataFileOf(file: NewDataFile, metadata: TableMetadata, schema = currentSchema(metadata)): DataFile {
  const specId = file.specId ?? metadata.defaultSpecId
  const partition = file.partition ?? []
  assert(
    specOf(metadata, specId).fields.length === partition.length,
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

export function specOf(metadata: TableMetadata, specId: number): PartitionSpec {
  const spec = metadata.partitionSpecs.find((one) => one.specId === specId)
  if (!spec) throw new Failure('METADATA_INVALID', `the table ${metadata.location} has no partition spec ${specId}`)
  return spec
}

// --- one write

type CommitParts = {
  base: TableMetadata
  /** `base` after `schemaUpdates`. */
  next: TableMetadata
  schemaUpdates: readonly TableUpdate[]
  head: Snapshot | undefined
  manifests: readonly ManifestFile[]
  change: Change
  counters: Record<string, string>
  nowMs: number
  signal: AbortSignal | undefined
  underWay?: Promise<unknown>[] | undefined
}

/** A manifest of a million entries would have to be read whole to find one of them. */
const entriesPerManifestMax = 10_000
/** Whoever meets thousands of small manifests must not merge all of them in one commit. */
const mergesMax = 4

/** @throws UNSUPPORTED for a table whose files must be encrypted: plain ones would lie open in it */
export function refuseEncrypted({ properties }: Pick<TableMetadata, 'properties'>): void {
  if (properties['encryption.key-id'] === undefined) return
  throw new Failure('UNSUPPORTED', 'the table is encrypted (encryption.key-id), and files would be written in plain', {
    hint: 'Write to it with the engine that has its keys.',
  })
}

export class Work {
  /** Kept over all attempts: entries of the manifests carry it. */
  readonly snapshotId: bigint
  readonly branch: string
  readonly #io: FileIO
  readonly #options: WriteOptions
  readonly #id = randomUUID()
  readonly #written = new Set<string>()
  /** The manifest on its way to storage: the next one waits for it, or the end of the commit. */
  #underWay: Promise<void> = Promise.resolve()
  readonly #usedBy = new WeakMap<TableCommit, ReadonlySet<string>>()
  /** Manifests made out of others, by what went in: further attempts find the same ones. */
  readonly #made = new Map<string, WrittenManifest>()
  #manifestCount = 0
  #attempts = 0

  constructor(io: FileIO, metadata: TableMetadata, options: WriteOptions) {
    refuseEncrypted(metadata)
    this.#io = io
    this.#options = options
    this.branch = options.branch ?? 'main'
    do this.snapshotId = BigInt.asUintN(63, randomBytes(8).readBigUInt64BE())
    while (this.snapshotId === 0n || findSnapshot(metadata.snapshots, this.snapshotId))
  }

  leftovers(committed?: TableCommit): string[] {
    const used = (committed && this.#usedBy.get(committed)) ?? new Set()
    return [...this.#written].filter((path) => !used.has(path))
  }

  /** Manifests for each partition spec and content that the files have. */
  async writeAdded(files: readonly AddedFile[], metadata: TableMetadata): Promise<WrittenManifest[]> {
    const manifests: WrittenManifest[] = []
    const groups = Map.groupBy(files, ({ file }) => `${file.content === 'data' ? 'data' : 'deletes'} ${file.specId}`)
    for (const group of groups.values())
      for (let start = 0; start < group.length; start += entriesPerManifestMax) {
        const entries = group
          .slice(start, start + entriesPerManifestMax)
          .map(({ file, sequenceNumber }): EntryToWrite => ({
            status: 'added',
            snapshotId: this.snapshotId,
            sequenceNumber,
            file,
          }))
        manifests.push(await this.write(entries, metadata, this.#options.signal))
      }
    return manifests
  }

  /** The manifest with `removed` marked as deleted by this snapshot, and all else as it was. */
  async rewriteWithout(
    { manifest, removed, kept }: RemovedManifest,
    metadata: TableMetadata,
    signal: AbortSignal | undefined,
  ): Promise<WrittenManifest> {
    const key = `${sourceKey(manifest)}\n${removed.map(({ file }) => `${file.path}#${file.contentOffset ?? ''}`).join('\n')}`
    return this.#makeOnce(key, metadata, signal, () => [
      ...removed.map((entry): EntryToWrite => ({ ...entry, status: 'deleted', snapshotId: this.snapshotId })),
      ...kept.map((entry): EntryToWrite => ({ ...entry, status: 'existing' })),
    ])
  }

  async #makeOnce(
    key: string,
    metadata: TableMetadata,
    signal: AbortSignal | undefined,
    entries: () => EntryToWrite[] | Promise<EntryToWrite[]>,
  ): Promise<WrittenManifest> {
    const before = this.#made.get(key)
    if (before) return before
    const made = await this.write(await entries(), metadata, signal)
    this.#made.set(key, made)
    return made
  }

  /** One manifest; its entries have one content and one spec. */
  async write(
    entries: readonly EntryToWrite[],
    metadata: TableMetadata,
    signal: AbortSignal | undefined,
  ): Promise<WrittenManifest> {
    const { specId, content } = entries[0]!.file
    const spec = specOf(metadata, specId)
    const path = joinLocation(metadataFolder(metadata), `${this.#id}-m${this.#manifestCount++}.avro`)
    const { bytes, manifest } = encodeManifest(entries, {
      path,
      schema: schemaFor(metadata, spec),
      spec,
      types: partitionTypes(metadata, spec),
      content: content === 'data' ? 'data' : 'deletes',
      snapshotId: this.snapshotId,
      formatVersion: metadata.formatVersion,
      codec: codecOf(metadata),
    })
    await this.#underWay
    keepWritten(path, bytes)
    this.#underWay = this.#create(path, bytes, signal)
    this.#underWay.catch(() => {}) // whoever waits for it is told
    return manifest
  }

  async #create(path: string, bytes: Uint8Array, signal: AbortSignal | undefined) {
    this.#written.add(path) // before the call: whether it happened may stay unknown
    if (!(await this.#io.create(path, bytes, signal))) throw new Failure('STORAGE_FAILED', `"${path}" exists already`)
  }

  async commit({
    base,
    next,
    schemaUpdates,
    head,
    manifests,
    change,
    counters,
    nowMs,
    signal,
    underWay,
  }: CommitParts): Promise<TableCommit> {
    const { snapshotId, branch } = this
    const { formatVersion } = base
    const sequenceNumber = nextSequenceNumber(base)
    const manifestList = joinLocation(metadataFolder(base), `snap-${snapshotId}-${++this.#attempts}-${this.#id}.avro`)
    const firstRowId = formatVersion >= 3 ? (base.nextRowId ?? 0n) : undefined
    const counted = await this.#counted(manifests, base, signal)
    const rows = firstRowId === undefined ? undefined : assignRowIds(counted, firstRowId)
    const list = encodeManifestList(rows?.manifests ?? counted, {
      snapshotId,
      parentSnapshotId: head?.snapshotId,
      sequenceNumber,
      firstRowId,
      formatVersion,
      codec: codecOf(base),
    })
    const written = Promise.all([this.#underWay, this.#create(manifestList, list, signal)])
    written.catch(() => {}) // whoever waits for it is told
    if (underWay) underWay.push(written)
    else await written
    keepWritten(manifestList, list)
    const snapshot: Snapshot = {
      snapshotId,
      ...(head && { parentSnapshotId: head.snapshotId }),
      sequenceNumber,
      // Clocks of several machines differ; the history of a table goes forwards all the same.
      timestampMs: Math.max(nowMs, base.lastUpdatedMs),
      manifestList,
      summary: { operation: change.operation, ...counters, ...change.summary, ...this.#options.summary },
      schemaId: next.currentSchemaId,
      ...(rows && { firstRowId, addedRows: rows.nextRowId - firstRowId! }),
    }
    const ref = base.refs[branch]
    const commit: TableCommit = {
      updates: [
        ...schemaUpdates,
        { action: 'add-snapshot', snapshot },
        ...(this.#options.stageOnly
          ? []
          : [
              {
                action: 'set-snapshot-ref' as const,
                refName: branch,
                ref: { type: 'branch' as const, ...ref, snapshotId },
              },
            ]),
      ],
      requirements: [
        { type: 'assert-table-uuid', uuid: base.tableUuid },
        ...(this.#options.stageOnly
          ? []
          : [{ type: 'assert-ref-snapshot-id' as const, ref: branch, snapshotId: ref?.snapshotId }]),
        ...requirementsOf(base, schemaUpdates),
      ],
      snapshot,
    }
    this.#usedBy.set(commit, new Set([manifestList, ...manifests.map(({ path }) => path)]))
    return commit
  }

  /** With the counts that v1 writers could leave out: by them manifests without live files are left out, and row ids given. */
  #counted(manifests: readonly ManifestFile[], base: TableMetadata, signal: AbortSignal | undefined) {
    return Promise.all(
      manifests.map(async (manifest) => {
        const { addedFiles, existingFiles, deletedFiles, addedRows, existingRows, deletedRows } = manifest
        const known = [addedFiles, existingFiles, deletedFiles, addedRows, existingRows, deletedRows]
        if (!known.includes(undefined)) return manifest
        const { entries } = await loadManifest(this.#io, base, manifest, { ...this.#options, signal })
        return { ...manifest, ...countsOf(entries) }
      }),
    )
  }

  /**
   * Many small manifests make planning slow: those of one spec are packed into ones of about
   * `commit.manifest.target-size-bytes`. The newest pack waits until it has `commit.manifest.min-count-to-merge`, so
   * that most commits merge nothing.
   */
  async merge(
    manifests: readonly ManifestFile[],
    base: TableMetadata,
    signal: AbortSignal | undefined,
  ): Promise<ManifestFile[]> {
    const number = (name: string, otherwise: number) => Number(base.properties[name] ?? otherwise) || otherwise
    const countMin = number('commit.manifest.min-count-to-merge', 100)
    const bytesMax = number('commit.manifest.target-size-bytes', 8 * 1024 * 1024)
    if (base.properties['commit.manifest-merge.enabled'] === 'false') return [...manifests]
    const result: ManifestFile[] = []
    let merges = 0
    const groups = Map.groupBy(manifests, ({ specId, content }) => `${content} ${specId}`)
    for (const group of groups.values())
      for (const [index, bin] of binsOf(group, bytesMax).entries()) {
        const isNewest = index === 0
        if (bin.length < (isNewest ? countMin : 2) || merges >= mergesMax) result.push(...bin)
        else {
          merges++
          result.push(await this.#mergeBin(bin, base, signal))
        }
      }
    return result
  }

  async #mergeBin(
    bin: readonly ManifestFile[],
    base: TableMetadata,
    signal: AbortSignal | undefined,
  ): Promise<ManifestFile> {
    const merged = await this.#makeOnce(bin.map(sourceKey).join('\n'), base, signal, async () => {
      const parts = await mapLimited(bin, readsAtOnce, (manifest) => this.#entriesToMerge(manifest, base, signal))
      return parts.flat()
    })
    return listed(merged, nextSequenceNumber(base))
  }

  async #entriesToMerge(
    manifest: ManifestFile,
    base: TableMetadata,
    signal: AbortSignal | undefined,
  ): Promise<EntryToWrite[]> {
    await this.#underWay
    const { entries } = await loadManifest(this.#io, base, manifest, { ...this.#options, signal, mayBeKept: true })
    // No list names what this commit wrote: its entries take their numbers later, or have them already.
    if (this.#written.has(manifest.path))
      return entries.map((entry) => ({ ...entry, snapshotId: entry.snapshotId ?? this.snapshotId }))
    return entries
      .filter(({ status }) => status !== 'deleted')
      .map((entry) => ({ ...inherit(entry, manifest), status: 'existing' }))
  }
}

/** Row ids are given by the list that names a manifest, so a manifest alone does not say what its entries inherit. */
const sourceKey = ({ path, firstRowId }: ManifestFile) => `${path} ${firstRowId ?? ''}`

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

/** The newest schema that has the columns of the spec: the header of a manifest names both. */
function schemaFor(metadata: TableMetadata, spec: PartitionSpec): Schema {
  const ids = spec.fields.flatMap(({ transform, sourceIds }) => (transform.kind === 'void' ? [] : sourceIds))
  const fits = (schema: Schema) => ids.every((id) => schema.fields.some((field) => field.id === id))
  const current = currentSchema(metadata)
  return fits(current) ? current : (metadata.schemas.findLast(fits) ?? current)
}

function requirementsOf(base: TableMetadata, updates: readonly TableUpdate[]): TableRequirement[] {
  const has = (action: TableUpdate['action']) => updates.some((update) => update.action === action)
  return [
    ...(has('add-schema')
      ? ([
          { type: 'assert-current-schema-id', currentSchemaId: base.currentSchemaId },
          { type: 'assert-last-assigned-field-id', lastAssignedFieldId: base.lastColumnId },
        ] as const)
      : []),
    ...(has('add-spec')
      ? ([
          { type: 'assert-default-spec-id', defaultSpecId: base.defaultSpecId },
          { type: 'assert-last-assigned-partition-id', lastAssignedPartitionId: base.lastPartitionId },
        ] as const)
      : []),
  ]
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
