// What a table knows about itself, as rows: snapshots, files, partitions and so on, with the columns, types and meaning
// that Spark and Java give them (Java's *Table classes), so that a query written for one engine works for the other.
//
// Rows are made one at a time, manifest by manifest: a table with a million files has a metadata table that nobody wants
// in memory.

import { Failure } from '../base/failure.ts'
import { unreachable } from '../base/assert.ts'
import type { FileIO } from '../io/index.ts'
import { lowerBound, partitionTypes, readManifest, readManifestList, upperBound, type ReadOptions } from './manifest.ts'
import type { DataFile, ManifestEntry, ManifestFile } from './manifest-types.ts'
import { currentSchema } from './metadata.ts'
import type { Snapshot, TableMetadata } from './metadata-types.ts'
import { readDeletionVector } from './puffin.ts'
import { allFields, fieldInAnySchema, type FoundField } from './schema.ts'
import { ancestorsOf, snapshotAsOf, type At } from './snapshot.ts'
import { showPartitionValue } from './transform.ts'
import type { Field, Type, Value } from './types.ts'
import { decodeBound, isNaN_, isPrimitive } from './value.ts'
import type { ViewMetadata } from './view-types.ts'

export const metadataTableNames = [
  'snapshots',
  'history',
  'refs',
  'manifests',
  'files',
  'data_files',
  'delete_files',
  'position_deletes',
  'entries',
  'partitions',
  'metadata_log_entries',
  'properties',
  'all_manifests',
  'all_files',
  'all_data_files',
  'all_delete_files',
  'all_entries',
] as const
export type MetadataTableName = (typeof metadataTableNames)[number]

/** A value, a list's elements, a map's entries, or a struct's fields by name. */
export type Cell = Value | null | readonly Cell[] | ReadonlyMap<Value, Cell> | { readonly [field: string]: Cell }

export type MetadataTable = {
  columns: readonly Field[]
  /** One cell per column. Read once; again from the start by a further call. */
  rows(): AsyncIterable<readonly Cell[]>
}

export type MetadataTableOptions = ReadOptions & {
  /** Where `metadata` was read from: the last line of `metadata_log_entries`. */
  location?: string | undefined
  /** Only for those that `canTravel`; REQUEST_INVALID else. */
  at?: At | undefined
  /** The rows of a file of position deletes: no Parquet is read here. Needed for `position_deletes`. */
  positionsIn?: ((file: DataFile) => Promise<Iterable<readonly [path: string, position: bigint]>>) | undefined
}

/** The metadata table of that name; undefined when there is none of it. */
export const metadataTableName = (name: string): MetadataTableName | undefined =>
  metadataTableNames.find((known) => known === name.toLowerCase())

const ofOneSnapshot: readonly MetadataTableName[] = [
  'manifests',
  'files',
  'data_files',
  'delete_files',
  'position_deletes',
  'entries',
  'partitions',
]
/** Whether it is about one snapshot, so that another one may be asked for. */
export const canTravel = (name: MetadataTableName): boolean => ofOneSnapshot.includes(name)

export function metadataTable(
  io: FileIO,
  metadata: TableMetadata,
  name: MetadataTableName,
  options: MetadataTableOptions = {},
): MetadataTable {
  const { at } = options
  if (at !== undefined && !canTravel(name))
    throw new Failure(
      'REQUEST_INVALID',
      `the metadata table "${name}" is about all of the history; it does not travel in time`,
    )
  const current = () => {
    const snapshot = snapshotAsOf(metadata, at)
    return snapshot ? [snapshot] : []
  }
  switch (name) {
    case 'snapshots':
      return inMemory(snapshotColumns, metadata.snapshots.map(snapshotRow))
    case 'history':
      return inMemory(historyColumns, historyRows(metadata))
    case 'refs':
      return inMemory(refColumns, refRows(metadata))
    case 'metadata_log_entries':
      return inMemory(logColumns, logRows(metadata, options.location))
    case 'properties':
      return inMemory(propertyColumns, propertyRows(metadata))
    case 'manifests':
      return manifestTable(io, metadata, current(), false, options)
    case 'all_manifests':
      return manifestTable(io, metadata, metadata.snapshots, true, options)
    case 'files':
    case 'data_files':
    case 'delete_files':
      return fileTable(io, metadata, current(), contentOf(name), options)
    case 'all_files':
    case 'all_data_files':
    case 'all_delete_files':
      return fileTable(io, metadata, metadata.snapshots, contentOf(name), options)
    case 'position_deletes':
      return positionTable(io, metadata, current(), options)
    case 'entries':
      return entryTable(io, metadata, current(), options)
    case 'all_entries':
      return entryTable(io, metadata, metadata.snapshots, options)
    case 'partitions':
      return partitionTable(io, metadata, current(), options)
    default:
      return unreachable(name)
  }
}

const contentOf = (name: string) =>
  name.endsWith('data_files') ? 'data' : name.endsWith('delete_files') ? 'deletes' : undefined

const inMemory = (columns: readonly Field[], all: readonly (readonly Cell[])[]): MetadataTable => ({
  columns,
  async *rows() {
    yield* all
  },
})

// Metadata tables are read by name; ids of their columns mean nothing here.
const column = (name: string, type: Type, required = false): Field => ({ id: 0, name, required, type })
const [int, long, text, bool, time, bytes] = (
  ['int', 'long', 'string', 'boolean', 'timestamptz', 'binary'] as const
).map((kind): Type => ({ kind })) as [Type, Type, Type, Type, Type, Type]
const list = (element: Type): Type => ({ kind: 'list', elementId: 0, elementRequired: true, element })
const map = (key: Type, value: Type): Type => ({ kind: 'map', keyId: 0, key, valueId: 0, valueRequired: true, value })
const struct = (fields: readonly Field[]): Type => ({ kind: 'struct', fields })
const micros = (ms: number) => BigInt(ms) * 1000n

// --- about the metadata alone

const snapshotColumns = [
  column('committed_at', time, true),
  column('snapshot_id', long, true),
  column('parent_id', long),
  column('operation', text),
  column('manifest_list', text),
  column('summary', map(text, text)),
]
const snapshotRow = ({ timestampMs, snapshotId, parentSnapshotId, manifestList, summary }: Snapshot): Cell[] => {
  const { operation, ...rest } = summary
  return [
    micros(timestampMs),
    snapshotId,
    parentSnapshotId ?? null,
    operation ?? null,
    manifestList ?? null,
    new Map(Object.entries(rest)),
  ]
}

const historyColumns = [
  column('made_current_at', time, true),
  column('snapshot_id', long, true),
  column('parent_id', long),
  column('is_current_ancestor', bool, true),
]
function historyRows(metadata: TableMetadata): Cell[][] {
  const ancestors = new Set(ancestorsOf(metadata, metadata.currentSnapshotId).map(({ snapshotId }) => snapshotId))
  const parents = new Map(metadata.snapshots.map(({ snapshotId, parentSnapshotId }) => [snapshotId, parentSnapshotId]))
  return metadata.snapshotLog.map(({ timestampMs, snapshotId }) => [
    micros(timestampMs),
    snapshotId,
    parents.get(snapshotId) ?? null,
    ancestors.has(snapshotId),
  ])
}

const refColumns = [
  column('name', text, true),
  column('type', text, true),
  column('snapshot_id', long, true),
  column('max_reference_age_in_ms', long),
  column('min_snapshots_to_keep', int),
  column('max_snapshot_age_in_ms', long),
]
const refRows = ({ refs }: TableMetadata): Cell[][] =>
  Object.entries(refs).map(([name, ref]) => [
    name,
    ref.type.toUpperCase(),
    ref.snapshotId,
    longCell(ref.maxRefAgeMs),
    ref.minSnapshotsToKeep ?? null,
    longCell(ref.maxSnapshotAgeMs),
  ])

const logColumns = [
  column('timestamp', time, true),
  column('file', text, true),
  column('latest_snapshot_id', long),
  column('latest_schema_id', int),
  column('latest_sequence_number', long),
]
function logRows(metadata: TableMetadata, location: string | undefined): Cell[][] {
  const byId = new Map(metadata.snapshots.map((snapshot) => [snapshot.snapshotId, snapshot]))
  const log = [
    ...metadata.metadataLog,
    ...(location === undefined ? [] : [{ metadataFile: location, timestampMs: metadata.lastUpdatedMs }]),
  ]
  return log.map(({ metadataFile, timestampMs }) => {
    const id = metadata.snapshotLog.findLast((entry) => entry.timestampMs <= timestampMs)?.snapshotId
    const snapshot = id === undefined ? undefined : byId.get(id)
    return [micros(timestampMs), metadataFile, id ?? null, snapshot?.schemaId ?? null, snapshot?.sequenceNumber ?? null]
  })
}

// --- manifests

const summaryColumns = [
  column('contains_null', bool, true),
  column('contains_nan', bool),
  column('lower_bound', text),
  column('upper_bound', text),
]
const manifestColumns = [
  column('content', int, true),
  column('path', text, true),
  column('length', long, true),
  column('partition_spec_id', int),
  column('added_snapshot_id', long),
  column('added_data_files_count', int),
  column('existing_data_files_count', int),
  column('deleted_data_files_count', int),
  column('added_delete_files_count', int, true),
  column('existing_delete_files_count', int, true),
  column('deleted_delete_files_count', int, true),
  column('partition_summaries', list(struct(summaryColumns))),
]

function manifestTable(
  io: FileIO,
  metadata: TableMetadata,
  snapshots: readonly Snapshot[],
  /** Each snapshot's manifests, with the snapshot; so the same manifest comes several times. */
  all: boolean,
  options: ReadOptions,
): MetadataTable {
  const more = [column('reference_snapshot_id', long, true), column('key_metadata', bytes)]
  return {
    columns: all ? [...manifestColumns, ...more] : manifestColumns,
    async *rows() {
      for (const snapshot of snapshots)
        for (const manifest of await readManifestList(io, metadata, snapshot, options))
          yield all
            ? [...manifestRow(metadata, manifest), snapshot.snapshotId, manifest.keyMetadata ?? null]
            : manifestRow(metadata, manifest)
    },
  }
}

function manifestRow(metadata: TableMetadata, manifest: ManifestFile): Cell[] {
  const counts = [manifest.addedFiles ?? null, manifest.existingFiles ?? null, manifest.deletedFiles ?? null]
  const none = [0, 0, 0]
  return [
    manifest.content === 'data' ? 0 : 1,
    manifest.path,
    BigInt(manifest.sizeBytes),
    manifest.specId,
    manifest.addedSnapshotId,
    ...(manifest.content === 'data' ? [...counts, ...none] : [...none, ...counts]),
    summaryCells(metadata, manifest),
  ]
}

function summaryCells(metadata: TableMetadata, { specId, partitions }: ManifestFile): Cell {
  const spec = metadata.partitionSpecs.find((one) => one.specId === specId)
  if (!partitions || !spec) return null
  const types = partitionTypes(metadata, spec)
  return partitions.map(({ containsNull, containsNan, lowerBound: lower, upperBound: upper }, index) => {
    const field = spec.fields[index]
    const type = types[index]
    const source = field && fieldInAnySchema(metadata, field.sourceIds[0] ?? 0)
    const shown = (bound: Uint8Array | undefined) => {
      const value = bound && type && decodeBound(type, bound)
      return value === undefined || !source ? null : showPartitionValue(field.transform, source.type, value)
    }
    return {
      contains_null: containsNull,
      contains_nan: containsNan ?? null,
      lower_bound: shown(lower),
      upper_bound: shown(upper),
    }
  })
}

// --- properties, as Trino has them

const propertyColumns = [column('key', text, true), column('value', text)]
/** Those of a table or a view, with the version of its format among them, by name. */
export const propertyRows = ({
  formatVersion,
  properties,
}: Pick<TableMetadata | ViewMetadata, 'formatVersion' | 'properties'>): [string, string][] =>
  Object.entries({ 'format-version': String(formatVersion), ...properties }).toSorted(([a], [b]) => (a < b ? -1 : 1))

// --- files

const numbers = map(int, long)
const bounds = map(int, bytes)

/** One struct for all specs that the table ever had; fields that a file's own spec lacks are null in it. */
function partitionFields(metadata: TableMetadata): Field[] {
  const fields = new Map<number, { name: string; type: Type; isVoid: boolean }>()
  for (const spec of metadata.partitionSpecs.toSorted((a, b) => b.specId - a.specId)) {
    const types = partitionTypes(metadata, spec)
    for (const [index, { fieldId, name, transform }] of spec.fields.entries()) {
      const known = fields.get(fieldId)
      const isVoid = transform.kind === 'void'
      // The newest name counts; a field that v1 dropped became void and keeps its old type.
      if (!known || (known.isVoid && !isVoid))
        fields.set(fieldId, { name: known?.name ?? name, type: types[index] ?? text, isVoid })
    }
  }
  return [...fields].sort(([a], [b]) => a - b).map(([id, { name, type }]) => ({ ...column(name, type), id }))
}

/** Where the transform or its column is not known any more, the column is of texts. */
function shown(value: Value | null, { kind }: Type): Value | null {
  if (value === null || kind !== 'string') return value
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value)
}

/** Makes the `partition` cell of a file of any spec. */
function partitionCell(
  metadata: TableMetadata,
  fields: readonly Field[],
): (file: DataFile) => { [field: string]: Cell } {
  const positions = new Map(
    metadata.partitionSpecs.map((spec) => [
      spec.specId,
      fields.map(({ id }) => spec.fields.findIndex(({ fieldId }) => fieldId === id)),
    ]),
  )
  return ({ specId, partition }) =>
    Object.fromEntries(
      fields.map(({ name, type }, index) => [
        name,
        shown(partition[positions.get(specId)?.[index] ?? -1] ?? null, type),
      ]),
    )
}

/** Columns without bounds in a single value's form: nothing readable is known of them. */
const boundless: readonly Type['kind'][] = ['unknown', 'variant', 'geometry', 'geography']
const metricNames = ['column_size', 'value_count', 'null_value_count', 'nan_value_count', 'lower_bound', 'upper_bound']

type FileShape = { columns: Field[]; cells(file: DataFile): Cell[]; metrics: Field; metricsCell(file: DataFile): Cell }

function fileShape(metadata: TableMetadata): FileShape {
  const fields = partitionFields(metadata)
  const isPartitioned = fields.length > 0
  const partitionOf = partitionCell(metadata, fields)
  const leaves = [...allFields(currentSchema(metadata))]
    .filter(({ type }) => isPrimitive(type) && !boundless.includes(type.kind))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
  return {
    columns: [
      column('content', int),
      column('file_path', text, true),
      column('file_format', text, true),
      column('spec_id', int),
      ...(isPartitioned ? [column('partition', struct(fields), true)] : []),
      column('record_count', long, true),
      column('file_size_in_bytes', long, true),
      column('column_sizes', numbers),
      column('value_counts', numbers),
      column('null_value_counts', numbers),
      column('nan_value_counts', numbers),
      column('lower_bounds', bounds),
      column('upper_bounds', bounds),
      column('key_metadata', bytes),
      column('split_offsets', list(long)),
      column('equality_ids', list(int)),
      column('sort_order_id', int),
      column('first_row_id', long),
      column('referenced_data_file', text),
      column('content_offset', long),
      column('content_size_in_bytes', long),
    ],
    cells: (file) => [
      ['data', 'position-deletes', 'equality-deletes'].indexOf(file.content),
      file.path,
      file.format.toUpperCase(),
      file.specId,
      ...(isPartitioned ? [partitionOf(file)] : []),
      BigInt(file.recordCount),
      BigInt(file.fileSizeBytes),
      countsCell(file.columnSizes),
      countsCell(file.valueCounts),
      countsCell(file.nullCounts),
      countsCell(file.nanCounts),
      file.lowerBounds ?? null,
      file.upperBounds ?? null,
      file.keyMetadata ?? null,
      file.splitOffsets ?? null,
      file.equalityIds ?? null,
      file.sortOrderId ?? null,
      file.firstRowId ?? null,
      file.referencedDataFile ?? null,
      longCell(file.contentOffset),
      longCell(file.contentSizeBytes),
    ],
    metrics: column(
      'readable_metrics',
      struct(
        leaves.map(({ path, type }) =>
          column(path, struct(metricNames.map((name, at) => column(name, at < 4 ? long : type)))),
        ),
      ),
    ),
    metricsCell: (file) => Object.fromEntries(leaves.map((leaf) => [leaf.path, metricCell(file, leaf)])),
  }
}

const metricCell = (file: DataFile, field: FoundField): Cell => ({
  column_size: longCell(file.columnSizes?.get(field.id)),
  value_count: longCell(file.valueCounts?.get(field.id)),
  null_value_count: longCell(file.nullCounts?.get(field.id)),
  nan_value_count: longCell(file.nanCounts?.get(field.id)),
  lower_bound: knownCell(lowerBound(file, field)),
  upper_bound: knownCell(upperBound(file, field)),
})
const longCell = (count: number | undefined): Cell => (count === undefined ? null : BigInt(count))
const countsCell = (counts: ReadonlyMap<number, number> | undefined): Cell =>
  counts ? new Map([...counts].map(([id, count]) => [id, BigInt(count)])) : null
const knownCell = (value: Value | undefined): Cell => (value === undefined || isNaN_(value) ? null : value)

function fileTable(
  io: FileIO,
  metadata: TableMetadata,
  snapshots: readonly Snapshot[],
  content: 'data' | 'deletes' | undefined,
  options: ReadOptions,
): MetadataTable {
  const { columns, cells, metrics, metricsCell } = fileShape(metadata)
  return {
    columns: [...columns, metrics],
    async *rows() {
      for await (const { status, file } of entriesOf(io, metadata, snapshots, content, options))
        if (status !== 'deleted') yield [...cells(file), metricsCell(file)]
    },
  }
}

/** Each deleted row of files and vectors, also of those that are about files which are gone. */
function positionTable(
  io: FileIO,
  metadata: TableMetadata,
  snapshots: readonly Snapshot[],
  options: MetadataTableOptions,
): MetadataTable {
  const fields = partitionFields(metadata)
  const partitionOf = partitionCell(metadata, fields)
  const isPartitioned = fields.length > 0
  const hasVectors = metadata.formatVersion >= 3
  async function positionsIn(file: DataFile): Promise<Iterable<readonly [string, bigint]>> {
    if (file.format !== 'puffin') return options.positionsIn!(file)
    const positions = await readDeletionVector(io, file, options.signal)
    return positions[Symbol.iterator]().map((at) => [file.referencedDataFile!, BigInt(at)] as const)
  }
  return {
    columns: [
      column('file_path', text, true),
      column('pos', long, true),
      column('row', struct(currentSchema(metadata).fields)),
      ...(isPartitioned ? [column('partition', struct(fields), true)] : []),
      column('spec_id', int, true),
      column('delete_file_path', text, true),
      ...(hasVectors ? [column('content_offset', long), column('content_size_in_bytes', long)] : []),
    ],
    async *rows() {
      for await (const { status, file } of entriesOf(io, metadata, snapshots, 'deletes', options)) {
        if (status === 'deleted' || file.content !== 'position-deletes') continue
        const place = [
          ...(isPartitioned ? [partitionOf(file)] : []),
          file.specId,
          file.path,
          ...(hasVectors ? [longCell(file.contentOffset), longCell(file.contentSizeBytes)] : []),
        ]
        // The deleted row itself may stand beside its position; hardly anybody writes it.
        for (const [path, position] of await positionsIn(file)) yield [path, position, null, ...place]
      }
    },
  }
}

function entryTable(
  io: FileIO,
  metadata: TableMetadata,
  snapshots: readonly Snapshot[],
  options: ReadOptions,
): MetadataTable {
  const { columns, cells, metrics, metricsCell } = fileShape(metadata)
  return {
    columns: [
      column('status', int, true),
      column('snapshot_id', long),
      column('sequence_number', long),
      column('file_sequence_number', long),
      column('data_file', struct(columns), true),
      metrics,
    ],
    async *rows() {
      for await (const entry of entriesOf(io, metadata, snapshots, undefined, options)) {
        const values = cells(entry.file)
        yield [
          ['existing', 'added', 'deleted'].indexOf(entry.status),
          entry.snapshotId,
          entry.sequenceNumber,
          entry.fileSequenceNumber ?? null,
          Object.fromEntries(columns.map(({ name }, index) => [name, values[index]!])),
          metricsCell(entry.file),
        ]
      }
    },
  }
}

/** Entries of the snapshots' manifests, each manifest once. */
async function* entriesOf(
  io: FileIO,
  metadata: TableMetadata,
  snapshots: readonly Snapshot[],
  content: 'data' | 'deletes' | undefined,
  options: ReadOptions,
): AsyncGenerator<ManifestEntry> {
  const seen = new Set<string>()
  for (const snapshot of snapshots)
    for (const manifest of await readManifestList(io, metadata, snapshot, options)) {
      if (seen.has(manifest.path) || (content && manifest.content !== content)) continue
      seen.add(manifest.path)
      yield* await readManifest(io, metadata, manifest, options)
    }
}

// --- partitions

type PartitionSums = {
  partition: { [field: string]: Cell }
  specId: number
  records: number
  files: number
  bytes: number
  positionRecords: number
  positionFiles: number
  equalityRecords: number
  equalityFiles: number
  updated: Snapshot | undefined
}

const partitionColumns = [
  column('record_count', long, true),
  column('file_count', int, true),
  column('total_data_file_size_in_bytes', long, true),
  column('position_delete_record_count', long, true),
  column('position_delete_file_count', int, true),
  column('equality_delete_record_count', long, true),
  column('equality_delete_file_count', int, true),
  column('last_updated_at', time),
  column('last_updated_snapshot_id', long),
]

/** The live files summed up by partition; an unpartitioned table has one row, without `partition` and `spec_id`. */
function partitionTable(
  io: FileIO,
  metadata: TableMetadata,
  snapshots: readonly Snapshot[],
  options: ReadOptions,
): MetadataTable {
  const fields = partitionFields(metadata)
  const partitionOf = partitionCell(metadata, fields)
  const isPartitioned = fields.length > 0
  return {
    columns: isPartitioned
      ? [column('partition', struct(fields), true), column('spec_id', int, true), ...partitionColumns]
      : partitionColumns,
    async *rows() {
      const byId = new Map(metadata.snapshots.map((snapshot) => [snapshot.snapshotId, snapshot]))
      const sums = new Map<string, PartitionSums>()
      for await (const { status, snapshotId, file } of entriesOf(io, metadata, snapshots, undefined, options)) {
        if (status === 'deleted') continue
        const partition = partitionOf(file)
        const key = JSON.stringify(Object.values(partition).map(cellKey))
        const sum = sums.get(key) ?? newSums(partition)
        sums.set(key, sum)
        add(sum, file, byId.get(snapshotId))
      }
      for (const sum of sums.values())
        yield [
          ...(isPartitioned ? [sum.partition, sum.specId] : []),
          BigInt(sum.records),
          sum.files,
          BigInt(sum.bytes),
          BigInt(sum.positionRecords),
          sum.positionFiles,
          BigInt(sum.equalityRecords),
          sum.equalityFiles,
          sum.updated ? micros(sum.updated.timestampMs) : null,
          sum.updated?.snapshotId ?? null,
        ]
    },
  }
}

/** Partition values have one type per field, so their text tells them apart. */
const cellKey = (cell: Cell) =>
  cell instanceof Uint8Array ? Buffer.from(cell).toString('hex') : cell === null ? null : String(cell)

const newSums = (partition: PartitionSums['partition']): PartitionSums => ({
  partition,
  specId: 0,
  records: 0,
  files: 0,
  bytes: 0,
  positionRecords: 0,
  positionFiles: 0,
  equalityRecords: 0,
  equalityFiles: 0,
  updated: undefined,
})

function add(sum: PartitionSums, file: DataFile, snapshot: Snapshot | undefined): void {
  sum.specId = file.specId
  if (snapshot && snapshot.timestampMs > (sum.updated?.timestampMs ?? Number.NEGATIVE_INFINITY)) sum.updated = snapshot
  switch (file.content) {
    case 'data':
      sum.records += file.recordCount
      sum.files++
      sum.bytes += file.fileSizeBytes
      return
    case 'position-deletes':
      sum.positionRecords += file.recordCount
      sum.positionFiles++
      return
    case 'equality-deletes':
      sum.equalityRecords += file.recordCount
      sum.equalityFiles++
      return
    default:
      return unreachable(file.content)
  }
}
