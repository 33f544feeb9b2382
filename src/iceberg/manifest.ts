// Manifest lists and manifests: which files a snapshot has (spec, "Manifests", "Manifest Lists").
//
// A manifest is read once and may be cached for ever, because files never change. What it does not say itself - the
// sequence number of entries that were just added, the snapshot - is inherited from the manifest list that names it
// (spec, "Sequence Number Inheritance"), which is why a retried commit can reuse its manifests.

import { Failure } from '../base/failure.ts'
import type { FileIO } from '../io/index.ts'
import { PackedMap, readAvro, writeAvro, type AvroCodec, type AvroFile } from './avro.ts'
import { JsonNode, parseJson, printJson } from './json.ts'
import {
  avroName,
  decimalBytes,
  icebergSchemaJson,
  manifestEntrySchema,
  manifestFileSchema,
  manifestKey,
  partitionKey,
  partitionSchema,
} from './manifest-schema.ts'
import type {
  Bounds,
  Counts,
  DataFile,
  FieldSummary,
  FileContent,
  FileFormat,
  Manifest,
  ManifestCache,
  ManifestEntry,
  ManifestFile,
  RawManifestEntry,
} from './manifest-types.ts'
import { partitionFieldJson, partitionFieldsFromNode } from './metadata.ts'
import type { FormatVersion, Snapshot, TableMetadata } from './metadata-types.ts'
import { fieldInAnySchema, schemaFromNode, schemaJson, showType } from './schema.ts'
import { isTransformable, transformedType } from './transform.ts'
import type { PartitionField, PartitionSpec, Schema, Type, Value } from './types.ts'
import {
  bytesBigint,
  compareValues,
  decodeBound,
  encodeBound,
  isNaN_,
  sizedBigintBytes,
  toForm,
  uuidBytes,
  uuidText,
} from './value.ts'

export type ReadOptions = {
  manifests?: ManifestCache | undefined
  signal?: AbortSignal | undefined
  /** What this process wrote itself need not be asked of storage again. */
  mayBeKept?: boolean | undefined
}

/** Types of the partition values of a spec; undefined where the transform or its column is not known any more. */
export function partitionTypes(
  metadata: Pick<TableMetadata, 'schemas' | 'currentSchemaId'>,
  spec: PartitionSpec,
): (Type | undefined)[] {
  return spec.fields.map(({ sourceIds, transform }) => {
    const source = fieldInAnySchema(metadata, sourceIds[0] ?? 0)?.type
    return source && isTransformable(transform, source) ? transformedType(transform, source) : undefined
  })
}

// --- manifest lists

/** The manifests of a snapshot. */
export async function readManifestList(
  io: FileIO,
  metadata: TableMetadata,
  snapshot: Snapshot,
  { manifests: cache, signal, mayBeKept = false }: ReadOptions = {},
): Promise<readonly ManifestFile[]> {
  if (snapshot.manifestList === undefined) return inlineManifests(io, metadata, snapshot, signal)
  const path = snapshot.manifestList
  if (snapshot.keyId !== undefined)
    throw new Failure('UNSUPPORTED', `${path} is encrypted, and encrypted tables are not read`, {
      place: { file: path },
    })
  const known = cache?.getList(path)
  if (known) return known.manifests
  const bytes = (mayBeKept ? written.get(path) : undefined) ?? (await readBytes(io, path, signal))
  const { records, plainBytes } = readAvro(bytes, { place: path, keyOf: manifestKey })
  const manifests = records.map((record, index) => manifestFileOf(new Row(record, 'manifest', index, path)))
  checkList(manifests, snapshot, path)
  cache?.putList(path, { manifests, weightBytes: plainBytes + manifests.length * 600 })
  return manifests
}

/** Rows would be there twice, or deletes be later than the rows that came after them. */
function checkList(manifests: readonly ManifestFile[], { sequenceNumber: last }: Snapshot, path: string): void {
  const wrong = (why: string) => new Failure('METADATA_INVALID', `${path}: ${why}`, { place: { file: path } })
  const seen = new Set<string>()
  for (const { path: manifest, sequenceNumber } of manifests) {
    if (seen.has(manifest)) throw wrong(`the manifest ${manifest} is named twice`)
    seen.add(manifest)
    // Some leave the number of the snapshot out.
    if (sequenceNumber < 0n || (last > 0n && sequenceNumber > last))
      throw wrong(`the manifest ${manifest} has the sequence number ${sequenceNumber}, its snapshot ${last}`)
  }
}

/**
 * Small files that this process wrote last, by path: most commits go on top of one's own, and need not fetch the list that
 * they begin with, nor a hundred manifests to merge them.
 */
const written = new Map<string, Uint8Array>() // a Map iterates in the order of insertion: the first is the oldest
let writtenBytes = 0
const [writtenBytesMax, writtenFileBytesMax] = [16 * 1024 * 1024, 256 * 1024]

/** Of a manifest or a list, which nobody reads before it is on storage. Its name is never used again, so it cannot become another. */
export function keepWritten(path: string, bytes: Uint8Array): void {
  if (bytes.length > writtenFileBytesMax) return
  written.set(path, bytes)
  writtenBytes += bytes.length
  for (const [oldest, { length }] of written) {
    if (writtenBytes <= writtenBytesMax) return
    written.delete(oldest)
    writtenBytes -= length
  }
}

/** v1 tables may name their manifests in the metadata. What a manifest list would say is read from each. */
async function inlineManifests(
  io: FileIO,
  metadata: TableMetadata,
  snapshot: Snapshot,
  signal: AbortSignal | undefined,
): Promise<ManifestFile[]> {
  return Promise.all(
    (snapshot.manifests ?? []).map(async (path) => {
      const bytes = await readBytes(io, path, signal)
      const { header } = readAvro(bytes, { place: path, keyOf: () => undefined })
      return {
        path,
        sizeBytes: bytes.length,
        specId: Number(header.get('partition-spec-id') ?? metadata.defaultSpecId),
        content: 'data' as const,
        sequenceNumber: 0n,
        minSequenceNumber: 0n,
        addedSnapshotId: snapshot.snapshotId,
        addedFiles: undefined,
        existingFiles: undefined,
        deletedFiles: undefined,
        addedRows: undefined,
        existingRows: undefined,
        deletedRows: undefined,
        partitions: undefined,
      }
    }),
  )
}

function manifestFileOf(row: Row): ManifestFile {
  const content =
    (['data', 'deletes'] as const)[row.count('content') ?? 0] ?? row.fail('content is neither data nor deletes')
  const keyMetadata = row.bytes('key_metadata')
  const firstRowId = row.long('first_row_id')
  return {
    path: row.text('manifest_path') ?? row.fail('"manifest_path" is missing'),
    sizeBytes: row.count('manifest_length') ?? 0,
    specId: row.count('partition_spec_id') ?? 0,
    content,
    sequenceNumber: row.long('sequence_number') ?? 0n,
    minSequenceNumber: row.long('min_sequence_number') ?? 0n,
    addedSnapshotId: row.long('added_snapshot_id') ?? row.fail('"added_snapshot_id" is missing'),
    addedFiles: row.knownCount('added_files_count'),
    existingFiles: row.knownCount('existing_files_count'),
    deletedFiles: row.knownCount('deleted_files_count'),
    addedRows: row.knownCount('added_rows_count'),
    existingRows: row.knownCount('existing_rows_count'),
    deletedRows: row.knownCount('deleted_rows_count'),
    partitions: row.list('partitions', (summary) => fieldSummaryOf(new Row(summary, 'partitions', row, row.path))),
    ...(keyMetadata && { keyMetadata }),
    ...(firstRowId !== undefined && { firstRowId }),
  }
}

function fieldSummaryOf(row: Row): FieldSummary {
  const [nan, lower, upper] = [row.value('contains_nan'), row.bytes('lower_bound'), row.bytes('upper_bound')]
  return {
    containsNull: row.value('contains_null') !== false,
    ...(typeof nan === 'boolean' && { containsNan: nan }),
    ...(lower && { lowerBound: lower }),
    ...(upper && { upperBound: upper }),
  }
}

export type ManifestListWrite = {
  snapshotId: bigint
  parentSnapshotId: bigint | undefined
  sequenceNumber: bigint
  /** v3: the snapshot's `first-row-id`. */
  firstRowId?: bigint | undefined
  formatVersion?: FormatVersion
  codec?: AvroCodec
}

/** The bytes of a manifest list. For v3 give it the manifests of `assignRowIds`. */
export function encodeManifestList(
  manifests: readonly ManifestFile[],
  { snapshotId, parentSnapshotId, sequenceNumber, firstRowId, formatVersion = 2, codec }: ManifestListWrite,
): Uint8Array {
  const schema = manifestFileSchema(formatVersion)
  const header = {
    'snapshot-id': String(snapshotId),
    'parent-snapshot-id': String(parentSnapshotId ?? 'null'), // the word: Java writes it so
    ...(formatVersion > 1 && { 'sequence-number': String(sequenceNumber) }),
    ...(formatVersion > 2 && { 'first-row-id': String(firstRowId) }),
    'format-version': String(formatVersion),
    'iceberg.schema': printJson(icebergSchemaJson(schema)),
  }
  return writeAvro(
    { schema, header, ...(codec && { codec }) },
    manifests.map((manifest) => ({
      manifest_path: manifest.path,
      manifest_length: manifest.sizeBytes,
      partition_spec_id: manifest.specId,
      content: manifest.content === 'data' ? 0 : 1,
      sequence_number: manifest.sequenceNumber,
      min_sequence_number: manifest.minSequenceNumber,
      added_snapshot_id: manifest.addedSnapshotId,
      added_files_count: manifest.addedFiles ?? 0,
      existing_files_count: manifest.existingFiles ?? 0,
      deleted_files_count: manifest.deletedFiles ?? 0,
      added_rows_count: manifest.addedRows ?? 0,
      existing_rows_count: manifest.existingRows ?? 0,
      deleted_rows_count: manifest.deletedRows ?? 0,
      partitions: manifest.partitions?.map((summary) => ({
        contains_null: summary.containsNull,
        contains_nan: summary.containsNan,
        lower_bound: summary.lowerBound,
        upper_bound: summary.upperBound,
      })),
      key_metadata: manifest.keyMetadata,
      first_row_id: manifest.firstRowId,
    })),
  )
}

/**
 * Spec, "First Row ID Assignment": each data manifest without row ids gets a range as long as the rows that may need one.
 * Manifests from before an upgrade to v3 are among them. Their counts must be known.
 */
export function assignRowIds(
  manifests: readonly ManifestFile[],
  nextRowId: bigint,
): { manifests: ManifestFile[]; nextRowId: bigint } {
  let next = nextRowId
  const assigned = manifests.map((manifest) => {
    if (manifest.content !== 'data' || manifest.firstRowId !== undefined) return manifest
    const firstRowId = next
    next += BigInt((manifest.addedRows ?? 0) + (manifest.existingRows ?? 0))
    return { ...manifest, firstRowId }
  })
  return { manifests: assigned, nextRowId: next }
}

// --- manifests

/** A manifest's entries, deleted ones included, with what they inherit filled in. */
export async function readManifest(
  io: FileIO,
  metadata: TableMetadata,
  manifest: ManifestFile,
  options: ReadOptions = {},
): Promise<ManifestEntry[]> {
  const { entries } = await loadManifest(io, metadata, manifest, options)
  return entries.map((entry) => inherit(entry, manifest))
}

/** As stored, from the cache if it is there. */
export async function loadManifest(
  io: FileIO,
  metadata: Pick<TableMetadata, 'schemas' | 'currentSchemaId' | 'partitionSpecs'>,
  manifest: ManifestFile,
  { manifests, signal, mayBeKept = false }: ReadOptions = {},
): Promise<Manifest> {
  const cached = manifests?.get(manifest.path)
  if (cached) return cached
  const bytes = (mayBeKept ? written.get(manifest.path) : undefined) ?? (await readBytes(io, manifest.path, signal))
  const parsed = parseManifest(bytes, manifest, metadata)
  manifests?.put(manifest.path, parsed)
  return parsed
}

/** Spec, "Sequence Number Inheritance" and "First Row ID Inheritance". Only what was just added may take the numbers of its manifest. */
export function inherit(entry: RawManifestEntry, manifest: ManifestFile): ManifestEntry {
  const { status, sequenceNumber } = entry
  const snapshotId = entry.snapshotId ?? manifest.addedSnapshotId
  const file = withRowId(entry, manifest)
  const inherited = status === 'added' || sequenceNumber === undefined ? manifest.sequenceNumber : undefined
  const fileSequenceNumber = entry.fileSequenceNumber ?? inherited
  if (sequenceNumber !== undefined) {
    if (sequenceNumber > manifest.sequenceNumber)
      throw new Failure(
        'METADATA_INVALID',
        `${manifest.path}: ${entry.file.path} has the sequence number ${sequenceNumber}, its manifest ${manifest.sequenceNumber}`,
        { place: { file: manifest.path } },
      )
    return { status, snapshotId, sequenceNumber, fileSequenceNumber, file }
  }
  // Sequence number 0 is a manifest of format version 1, where every file has 0.
  if (status !== 'added' && manifest.sequenceNumber !== 0n)
    throw new Failure(
      'METADATA_INVALID',
      `${manifest.path}: the ${status} entry ${entry.file.path} has no sequence number`,
      { place: { file: manifest.path } },
    )
  return { status, snapshotId, sequenceNumber: manifest.sequenceNumber, fileSequenceNumber, file }
}

function withRowId({ file, rowOffset }: RawManifestEntry, { content, firstRowId }: ManifestFile): DataFile {
  if (content === 'data' && firstRowId !== undefined)
    return rowOffset === undefined ? file : { ...file, firstRowId: firstRowId + rowOffset }
  // Ids in a manifest that was given none are of a snapshot before the upgrade: readers must see none.
  return file.firstRowId === undefined ? file : { ...file, firstRowId: undefined }
}

function parseManifest(
  bytes: Uint8Array,
  { path, specId, content }: ManifestFile,
  metadata: Pick<TableMetadata, 'schemas' | 'currentSchemaId' | 'partitionSpecs'>,
): Manifest {
  const file = readAvro(bytes, { place: path, keyOf: manifestKey })
  const schema = headerJson(file, 'schema', path, (node) => schemaFromNode(node))
  const fields = headerJson(file, 'partition-spec', path, partitionFieldsFromNode)
  const known = metadata.partitionSpecs.find((spec) => spec.specId === specId)
  const spec = known ?? (fields && { specId, fields })
  if (!spec)
    throw new Failure('METADATA_INVALID', `${path}: the table has no partition spec ${specId}`, {
      place: { file: path },
    })
  // By another spec its partitions would be read as others, or as none. Some write no spec in the header: entries tell.
  const isOf = (stored: readonly StoredField[]) => spec.fields.every((field) => isAmong(field, stored))
  if (fields && !isOf(fields) && !isOf(storedPartition(file)))
    throw new Failure('METADATA_INVALID', `${path}: the manifest is of another partition spec than ${specId}`, {
      place: { file: path },
    })
  const schemas = schema ? [...metadata.schemas, { ...schema, schemaId: -1 }] : metadata.schemas
  const types = partitionTypes({ schemas, currentSchemaId: metadata.currentSchemaId }, spec)
  let rowOffset = 0n
  const entries = file.records.map((record, index) => {
    const row = new Row(record, 'entry', index, path)
    const entry = entryOf(row, spec, types)
    if ((entry.file.content === 'data') !== (content === 'data'))
      row.fail(`a file of ${entry.file.content} in a manifest of ${content}`)
    if (content !== 'data' || entry.status === 'deleted' || entry.file.firstRowId !== undefined) return entry
    entry.rowOffset = rowOffset
    rowOffset += BigInt(entry.file.recordCount)
    return entry
  })
  // The bytes stay: statistics are views into them. An entry is some 900 bytes of objects, ranges of columns included.
  return { schema, spec, content, entries, weightBytes: file.plainBytes + entries.length * 900 }
}

type StoredField = Pick<PartitionField, 'name'> & { fieldId?: number | undefined }

const isAmong = ({ fieldId, name, transform }: PartitionField, stored: readonly StoredField[]) =>
  transform.kind === 'void' || stored.some((one) => one.fieldId === fieldId || one.name === name)

/** The fields of the partitions in the entries themselves. */
function storedPartition({ header }: AvroFile): StoredField[] {
  type AvroField = { name: string; 'field-id'?: number; type?: { fields?: AvroField[] } }
  const entry = JSON.parse(header.get('avro.schema') ?? '{}') as AvroField['type']
  const inside = (record: AvroField['type'], name: string) => record?.fields?.find((field) => field.name === name)?.type
  const partition = inside(inside(entry, 'data_file'), 'partition')
  return (partition?.fields ?? []).map((field) => ({ name: field.name, fieldId: field['field-id'] }))
}

/** Undefined also where a writer made no sense of it: the table's metadata say the same, and other engines look only there. */
function headerJson<Result>(
  { header }: AvroFile,
  key: string,
  place: string,
  read: (node: JsonNode) => Result,
): Result | undefined {
  const text = header.get(key)
  if (text === undefined) return undefined
  try {
    return read(new JsonNode(parseJson(text, place), { place, path: `header ${key}` }))
  } catch (error) {
    if (error instanceof Failure && error.code === 'METADATA_INVALID') return undefined
    throw error
  }
}

const statuses = ['existing', 'added', 'deleted'] as const
const contents: readonly FileContent[] = ['data', 'position-deletes', 'equality-deletes']

function entryOf(row: Row, spec: PartitionSpec, types: readonly (Type | undefined)[]): RawManifestEntry {
  return {
    status: statuses[row.count('status') ?? -1] ?? row.fail('"status" is none of existing, added, deleted'),
    snapshotId: row.long('snapshot_id'),
    sequenceNumber: row.long('sequence_number'),
    fileSequenceNumber: row.long('file_sequence_number'),
    file: dataFileOf(row.row('data_file'), spec, types),
    rowOffset: undefined,
  }
}

function dataFileOf(row: Row, spec: PartitionSpec, types: readonly (Type | undefined)[]): DataFile {
  // Some leave it out where there is no partition.
  const partition = spec.fields.length === 0 ? undefined : row.row('partition')
  const format = row.text('file_format')?.toLowerCase()
  const file: DataFile = {
    content:
      contents[row.count('content') ?? 0] ?? row.fail('"content" is none of data, position deletes, equality deletes'),
    path: row.text('file_path') ?? row.fail('"file_path" is missing'),
    format: formats.find((known) => known === format) ?? row.fail(`"file_format" is "${format}"`),
    specId: spec.specId,
    partition: partition
      ? spec.fields.map(({ fieldId, name }, index) => {
          // Who leaves ids out has the names alone, some of them as Avro takes them.
          const stored =
            partition.value(partitionKey(fieldId)) ?? partition.value(name) ?? partition.value(avroName(name))
          return partitionValue(partition, stored, types[index])
        })
      : none,
    recordCount: row.knownCount('record_count') ?? row.fail('"record_count" is missing or less than none'),
    fileSizeBytes: row.count('file_size_in_bytes') ?? row.fail('"file_size_in_bytes" is missing'),
    columnSizes: row.map('column_sizes') as Counts | undefined,
    valueCounts: row.map('value_counts') as Counts | undefined,
    nullCounts: row.map('null_value_counts') as Counts | undefined,
    nanCounts: row.map('nan_value_counts') as Counts | undefined,
    lowerBounds: row.map('lower_bounds') as Bounds | undefined,
    upperBounds: row.map('upper_bounds') as Bounds | undefined,
  }
  // Most entries lack most of these: only what is there is stored.
  const rest: { -readonly [Key in keyof DataFile]?: DataFile[Key] } = file
  const keyMetadata = row.bytes('key_metadata')
  if (keyMetadata) rest.keyMetadata = keyMetadata
  const splitOffsets = row.list('split_offsets', (offset) => BigInt(offset as number | bigint))
  if (splitOffsets) rest.splitOffsets = splitOffsets
  const equalityIds = row.list('equality_ids', (id) => id as number)
  if (equalityIds) rest.equalityIds = equalityIds
  const sortOrderId = row.count('sort_order_id')
  if (sortOrderId !== undefined) rest.sortOrderId = sortOrderId
  const firstRowId = row.long('first_row_id')
  if (firstRowId !== undefined) rest.firstRowId = firstRowId
  const referenced = row.text('referenced_data_file')
  if (referenced !== undefined) rest.referencedDataFile = referenced
  const [offset, size] = [row.count('content_offset'), row.count('content_size_in_bytes')]
  if (offset !== undefined) rest.contentOffset = offset
  if (size !== undefined) rest.contentSizeBytes = size
  if (format === 'puffin' && (file.content !== 'position-deletes' || referenced === undefined))
    row.fail('a Puffin file that is no deletion vector of a data file')
  return file
}

const none: readonly never[] = []
const formats: readonly FileFormat[] = ['parquet', 'avro', 'orc', 'puffin']

/** A partition value as Avro stores it in the internal form of its type. */
function partitionValue(partition: Row, stored: unknown, type: Type | undefined): Value | null {
  if (stored === undefined || stored === null) return null
  if (stored instanceof Uint8Array) {
    if (type?.kind === 'decimal') return bytesBigint(stored)
    if (type?.kind === 'uuid') return uuidText(stored)
    return stored
  }
  if (!type) return stored as Value
  return toForm(type, stored as Value) ?? partition.fail(`${String(stored)} is no ${showType(type)}`)
}

/** One record of an Avro file that somebody else wrote: each accessor checks what it gives. */
class Row {
  readonly #record: Record<string, unknown>
  // Its name is only put together when something is wrong: there are three of these a file.
  readonly #kind: string
  readonly #at: number | Row
  readonly path: string
  /** `at`: the how manieth it is in the file, or the row that it is in. */
  constructor(record: unknown, kind: string, at: number | Row, path: string) {
    this.#kind = kind
    this.#at = at
    this.path = path
    this.#record =
      typeof record === 'object' && record !== null ? (record as Record<string, unknown>) : this.fail('is no record')
  }
  #what(): string {
    return typeof this.#at === 'number' ? `${this.#kind} ${this.#at}` : `${this.#at.#what()} ${this.#kind}`
  }
  fail(problem: string): never {
    throw new Failure('METADATA_INVALID', `${this.path}: ${this.#what()}: ${problem}`, { place: { file: this.path } })
  }
  #wrongType(name: string): never {
    this.fail(`"${name}" has the wrong type`)
  }
  value(name: string): unknown {
    return this.#record[name]
  }
  text(name: string): string | undefined {
    const value = this.#record[name]
    return value === undefined || typeof value === 'string' ? value : this.#wrongType(name)
  }
  bytes(name: string): Uint8Array | undefined {
    const value = this.#record[name]
    return value === undefined || value instanceof Uint8Array ? value : this.#wrongType(name)
  }
  count(name: string): number | undefined {
    const value = this.#record[name]
    return value === undefined || typeof value === 'number' ? value : this.#wrongType(name)
  }
  /** A number of files or rows; what is less than none is not known. */
  knownCount(name: string): number | undefined {
    const value = this.count(name)
    return value === undefined || value < 0 ? undefined : value
  }
  long(name: string): bigint | undefined {
    const value = this.#record[name]
    if (value === undefined) return undefined
    return typeof value === 'number' || typeof value === 'bigint' ? BigInt(value) : this.#wrongType(name)
  }
  list<Item>(name: string, read: (item: unknown) => Item): Item[] | undefined {
    const value = this.#record[name]
    return value === undefined || Array.isArray(value) ? value?.map(read) : this.#wrongType(name)
  }
  /** Undefined where there is nothing in it. */
  map(name: string): ReadonlyMap<unknown, unknown> | undefined {
    const value = this.#record[name]
    if (value === undefined) return undefined
    if (value instanceof PackedMap || value instanceof Map) return value.size > 0 ? value : undefined
    // Where items may be null, as some write them, Avro's reader sees a list and no map. Statistics may be unknown.
    return Array.isArray(value) ? undefined : this.#wrongType(name)
  }
  row(name: string): Row {
    return new Row(this.#record[name] ?? this.fail(`"${name}" is missing`), name, this, this.path)
  }
}

async function readBytes(io: FileIO, path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const bytes = await io.read(path, signal)
  if (!bytes)
    throw new Failure('METADATA_INVALID', `${path} is missing: the table refers to it`, { place: { file: path } })
  return bytes
}

// --- writing manifests

/** An entry to be written: no sequence number means that it takes the one of its commit. */
export type EntryToWrite = {
  status: ManifestEntry['status']
  snapshotId: bigint
  sequenceNumber?: bigint | undefined
  fileSequenceNumber?: bigint | undefined
  file: DataFile
}

/** A manifest that is on storage but not yet in a manifest list, which will give it its sequence number. */
export type WrittenManifest = Omit<ManifestFile, 'sequenceNumber' | 'minSequenceNumber'> & {
  leastSequenceNumber: bigint | undefined
}

/** The line of a manifest list for a manifest that this commit adds. */
export function listed({ leastSequenceNumber, ...manifest }: WrittenManifest, sequenceNumber: bigint): ManifestFile {
  return { ...manifest, sequenceNumber, minSequenceNumber: leastSequenceNumber ?? sequenceNumber }
}

export type ManifestWrite = {
  path: string
  schema: Schema
  spec: PartitionSpec
  types: readonly (Type | undefined)[]
  content: 'data' | 'deletes'
  snapshotId: bigint
  formatVersion?: FormatVersion
  codec?: AvroCodec
}

/** The bytes of a manifest and its line in a manifest list. */
export function encodeManifest(
  entries: readonly EntryToWrite[],
  { path, schema, spec, types, content, snapshotId, formatVersion = 2, codec }: ManifestWrite,
): { bytes: Uint8Array; manifest: WrittenManifest } {
  const stored = types.map((type, index) => type ?? typeOfValues(entries.map(({ file }) => file.partition[index])))
  const partition = partitionSchema(
    spec.fields.map(({ fieldId, name }, index) => ({ fieldId, name, type: stored[index]! })),
  )
  const entrySchema = manifestEntrySchema(partition, formatVersion)
  const header = {
    schema: printJson(schemaJson(schema)),
    'schema-id': String(schema.schemaId),
    'partition-spec': printJson(spec.fields.map(partitionFieldJson)),
    'partition-spec-id': String(spec.specId),
    'format-version': String(formatVersion),
    ...(formatVersion > 1 && { content }),
    'iceberg.schema': printJson(icebergSchemaJson(entrySchema)),
  }
  const bytes = writeAvro(
    { schema: entrySchema, header, ...(codec && { codec }) },
    entries.map(({ status, snapshotId, sequenceNumber, fileSequenceNumber, file }) => ({
      status: statuses.indexOf(status),
      snapshot_id: snapshotId,
      sequence_number: sequenceNumber,
      file_sequence_number: fileSequenceNumber,
      data_file: {
        content: contents.indexOf(file.content),
        file_path: file.path,
        file_format: file.format.toUpperCase(),
        partition: Object.fromEntries(
          partition.fields.map(({ name }, index) => [name, avroValue(stored[index]!, file.partition[index] ?? null)]),
        ),
        record_count: file.recordCount,
        file_size_in_bytes: file.fileSizeBytes,
        block_size_in_bytes: blockSizeBytes,
        column_sizes: file.columnSizes ?? empty,
        value_counts: file.valueCounts ?? empty,
        null_value_counts: file.nullCounts ?? empty,
        nan_value_counts: file.nanCounts ?? empty,
        lower_bounds: file.lowerBounds ?? empty,
        upper_bounds: file.upperBounds ?? empty,
        key_metadata: file.keyMetadata,
        split_offsets: file.splitOffsets,
        equality_ids: file.equalityIds,
        sort_order_id: file.sortOrderId,
        first_row_id: file.firstRowId,
        referenced_data_file: file.referencedDataFile,
        content_offset: file.contentOffset,
        content_size_in_bytes: file.contentSizeBytes,
      },
    })),
  )
  const known = entries.flatMap(({ status, sequenceNumber }) =>
    status === 'deleted' || sequenceNumber === undefined ? [] : [sequenceNumber],
  )
  const manifest: WrittenManifest = {
    path,
    sizeBytes: bytes.length,
    specId: spec.specId,
    content,
    addedSnapshotId: snapshotId,
    leastSequenceNumber:
      known.length === 0 ? undefined : known.reduce((least, number) => (number < least ? number : least)),
    ...countsOf(entries),
    partitions: spec.fields.map((_, index) =>
      summarise(
        stored[index]!,
        entries.map(({ file }) => file.partition[index] ?? null),
      ),
    ),
  }
  return { bytes, manifest }
}

/** Files and rows by what became of them, as a manifest list has them. */
export function countsOf(entries: readonly { status: ManifestEntry['status']; file: { recordCount: number } }[]) {
  const counts = { addedFiles: 0, existingFiles: 0, deletedFiles: 0, addedRows: 0, existingRows: 0, deletedRows: 0 }
  for (const { status, file } of entries) {
    counts[`${status}Files`]++
    counts[`${status}Rows`] += file.recordCount
  }
  return counts
}

/** What Java writes into the field that v1 requires. */
const blockSizeBytes = 64 * 1024 * 1024

/** Absent would do for the spec; PyIceberg's metadata tables fail on it. */
const empty = new Map()

/** Of partition values whose transform or column is not known any more: they are written as they were read. */
function typeOfValues(values: readonly (Value | null | undefined)[]): Type {
  const value = values.find((one) => one !== null && one !== undefined)
  switch (typeof value) {
    case 'boolean':
      return { kind: 'boolean' }
    case 'number':
      return { kind: values.every((one) => typeof one !== 'number' || Number.isInteger(one)) ? 'int' : 'double' }
    case 'bigint':
      return { kind: 'long' }
    case 'string':
      return { kind: 'string' }
    default:
      return { kind: 'binary' }
  }
}

function avroValue(type: Type, value: Value | null): unknown {
  if (value === null) return undefined
  if (type.kind === 'decimal') return sizedBigintBytes(BigInt(value as bigint), decimalBytes(type.precision))
  return type.kind === 'uuid' ? uuidBytes(value as string) : value
}

function summarise(type: Type, values: readonly (Value | null)[]): FieldSummary {
  const known = values.filter((value) => value !== null && !isNaN_(value)) as Value[]
  const hasNan = values.some(isNaN_)
  const isFloat = type.kind === 'float' || type.kind === 'double'
  const extreme = (sign: 1 | -1) =>
    known.reduce((best, value) => (compareValues(value, best) * sign > 0 ? value : best))
  return {
    containsNull: values.includes(null),
    ...(isFloat && { containsNan: hasNan }),
    ...(known.length > 0 && { lowerBound: encodeBound(type, extreme(-1)), upperBound: encodeBound(type, extreme(1)) }),
  }
}

/** A bound of a file's column, or undefined when it is not known. Bounds of text and bytes may be cut short. */
export const lowerBound = (file: DataFile, field: { id: number; type: Type }): Value | undefined =>
  boundOf(file.lowerBounds, field)
export const upperBound = (file: DataFile, field: { id: number; type: Type }): Value | undefined =>
  boundOf(file.upperBounds, field)

function boundOf(bounds: Bounds | undefined, { id, type }: { id: number; type: Type }): Value | undefined {
  const bytes = bounds?.get(id)
  const value = bytes && decodeBound(type, bytes)
  return isNaN_(value) ? undefined : value
}
