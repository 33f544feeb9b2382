// Table metadata: the JSON of the spec (appendix C) into `TableMetadata` and back, and new tables.
//
// Versions 1, 2 and 3 become one shape at this door. What older writers left out is filled in as the spec says, so that
// the rest of the room never asks which version a file had.

import { createHash } from 'node:crypto'
import { Failure } from '../base/failure.ts'
import { JsonNode, parseJson, printJson } from './json.ts'
import type {
  FormatVersion,
  PartitionStatisticsFile,
  Snapshot,
  SnapshotRef,
  StatisticsFile,
  TableMetadata,
} from './metadata-types.ts'
import { fieldById, fieldsById, findField, highestFieldId, schemaFromNode, schemaJson, withFreshIds } from './schema.ts'
import { cannotTransform, defaultPartitionName, isTransformable, parseTransform, showTransform } from './transform.ts'
import type {
  Field,
  NewField,
  PartitionField,
  PartitionSpec,
  Schema,
  SortField,
  SortOrder,
  Transform,
  Type,
} from './types.ts'

/** Partition field ids start here (spec, "Partition Evolution"). */
const firstPartitionId = 1000
/** Unpartitioned and unsorted have the id 0. */
const none = 0

// --- reading

/** Metadata of any version from its text. METADATA_INVALID names the field, and `place` if given. */
export function parseTableMetadata(text: string, place?: string): TableMetadata {
  return tableMetadataFromJson(parseJson(text, place), place)
}

/** As `parseTableMetadata`, from the JSON value of `parseJson`: the REST protocol embeds metadata in answers. */
export function tableMetadataFromJson(json: unknown, place?: string): TableMetadata {
  const root = new JsonNode(json, { place })
  const version = root.get('format-version').int()
  if (version < 1) root.get('format-version').fail(`there is no version ${version}`)
  if (version > 3)
    throw new Failure(
      'UNSUPPORTED',
      `${place ?? 'the table'} has format version ${version}; versions 1 to 3 can be read`,
      { ...(place && { place: { file: place } }) },
    )
  const formatVersion = version as FormatVersion
  const location = root.get('location').text()
  const schemas = readSchemas(root, formatVersion)
  const currentSchemaId = root.maybe('current-schema-id', (at) => at.int()) ?? schemas.at(-1)!.schemaId
  if (!schemas.some(({ schemaId }) => schemaId === currentSchemaId))
    root.get('current-schema-id').fail(`there is no schema ${currentSchemaId}`)
  const partitionSpecs = readSpecs(root, formatVersion)
  const defaultSpecId = root.maybe('default-spec-id', (at) => at.int()) ?? partitionSpecs.at(-1)!.specId
  if (!partitionSpecs.some(({ specId }) => specId === defaultSpecId))
    root.get('default-spec-id').fail(`there is no partition spec ${defaultSpecId}`)
  const sortOrders = root.maybe('sort-orders', (at) => at.list(sortOrderFromNode)) ?? [{ orderId: none, fields: [] }]
  const defaultSortOrderId = root.maybe('default-sort-order-id', (at) => at.int()) ?? none
  if (defaultSortOrderId !== none && !sortOrders.some(({ orderId }) => orderId === defaultSortOrderId))
    root.get('default-sort-order-id').fail(`there is no sort order ${defaultSortOrderId}`)

  const snapshots = root.maybe('snapshots', (at) => at.list(snapshotFromNode)) ?? []
  const byId = new Set(snapshots.map(({ snapshotId }) => snapshotId))
  if (byId.size < snapshots.length) root.get('snapshots').fail('a snapshot id is used twice')
  const lastSequenceNumber = formatVersion === 1 ? 0n : root.get('last-sequence-number').long()
  // The next commit takes the number after it: deletes would be older than the rows that they are about.
  for (const { snapshotId, sequenceNumber } of snapshots)
    if (sequenceNumber < 0n || (formatVersion > 1 && sequenceNumber > lastSequenceNumber))
      root
        .get('snapshots')
        .fail(`snapshot ${snapshotId} has the sequence number ${sequenceNumber}, the last one is ${lastSequenceNumber}`)
  const refs = root.maybe('refs', (at) => at.entries(snapshotRefFromNode)) ?? {}
  // Java writes -1 for "no snapshot"; the spec says null. Read both; we leave the field out.
  const stated = root.maybe('current-snapshot-id', (at) => at.long())
  const currentSnapshotId = stated === undefined || stated === -1n ? refs.main?.snapshotId : stated
  if (currentSnapshotId !== undefined) {
    if (!byId.has(currentSnapshotId)) root.fail(`current-snapshot-id: there is no snapshot ${currentSnapshotId}`)
    refs.main ??= { snapshotId: currentSnapshotId, type: 'branch' }
    if (refs.main.type !== 'branch') root.get('refs').fail('"main" is no branch')
    if (refs.main.snapshotId !== currentSnapshotId)
      root.fail(`current-snapshot-id: ${currentSnapshotId} is not the head of the branch main, ${refs.main.snapshotId}`)
  }
  for (const [name, { snapshotId }] of Object.entries(refs))
    if (!byId.has(snapshotId)) root.get('refs').fail(`"${name}" names snapshot ${snapshotId}, which does not exist`)

  const uuid = root.maybe('table-uuid', (at) => at.text())
  if (uuid === undefined && formatVersion > 1) root.fail('"table-uuid" is missing')
  const nextRowId = root.maybe('next-row-id', (at) => at.long())
  if (formatVersion >= 3 && nextRowId === undefined) root.fail('"next-row-id" is missing')
  return {
    formatVersion,
    tableUuid: uuid ?? uuidFrom(location),
    location,
    lastSequenceNumber,
    lastUpdatedMs: root.get('last-updated-ms').time(),
    // No id is given twice, whatever the counters say.
    lastColumnId: Math.max(root.get('last-column-id').int(), ...schemas.map(highestFieldId)),
    schemas,
    currentSchemaId,
    partitionSpecs,
    defaultSpecId,
    lastPartitionId: Math.max(
      root.maybe('last-partition-id', (at) => at.int()) ?? 0,
      highestPartitionId(partitionSpecs),
    ),
    properties: root.maybe('properties', (at) => at.knownTexts()) ?? {},
    currentSnapshotId,
    snapshots,
    snapshotLog:
      root.maybe('snapshot-log', (at) =>
        at.list((entry) => ({
          snapshotId: entry.get('snapshot-id').long(),
          timestampMs: entry.get('timestamp-ms').time(),
        })),
      ) ?? [],
    metadataLog:
      root.maybe('metadata-log', (at) =>
        at.list((entry) => ({
          metadataFile: entry.get('metadata-file').text(),
          timestampMs: entry.get('timestamp-ms').time(),
        })),
      ) ?? [],
    sortOrders,
    defaultSortOrderId,
    refs,
    statistics: root.maybe('statistics', (at) => at.list(statisticsFromNode)) ?? [],
    partitionStatistics: root.maybe('partition-statistics', (at) => at.list(partitionStatisticsFromNode)) ?? [],
    ...(nextRowId !== undefined && { nextRowId: highestRowId(nextRowId, snapshots) }),
    ...(root.has('encryption-keys') && { encryptionKeys: root.get('encryption-keys').list((key) => key.value) }),
  }
}

function readSchemas(root: JsonNode, version: FormatVersion): Schema[] {
  const schemas = root.maybe('schemas', (at) => at.list(schemaFromNode))
  if (schemas && schemas.length > 0) {
    if (new Set(schemas.map(({ schemaId }) => schemaId)).size < schemas.length)
      root.get('schemas').fail('a schema id is used twice')
    return schemas
  }
  if (version > 1) root.get('schemas').fail('there is none')
  return [schemaFromNode(root.get('schema'))]
}

function readSpecs(root: JsonNode, version: FormatVersion): PartitionSpec[] {
  const specs = root.maybe('partition-specs', (at) => at.list(partitionSpecFromNode))
  if (specs && specs.length > 0) {
    if (new Set(specs.map(({ specId }) => specId)).size < specs.length)
      root.get('partition-specs').fail('a spec id is used twice')
    return specs
  }
  if (version > 1) root.get('partition-specs').fail('there is none')
  return [{ specId: none, fields: partitionFieldsFromNode(root.get('partition-spec')) }]
}

/** The next row id, beyond those that any snapshot gave. */
const highestRowId = (stated: bigint, snapshots: readonly Snapshot[]): bigint =>
  snapshots.reduce((next, { firstRowId = 0n, addedRows = 0n }) => {
    const after = firstRowId + addedRows
    return after > next ? after : next
  }, stated)

/** A v1 table may lack a UUID. The same table must have the same one each time that it is read. */
function uuidFrom(location: string): string {
  const hex = createHash('sha256').update(location).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

const highestPartitionId = (specs: readonly PartitionSpec[]) =>
  Math.max(firstPartitionId - 1, ...specs.flatMap(({ fields }) => fields.map(({ fieldId }) => fieldId)))

export function partitionFieldsFromNode(node: JsonNode): PartitionField[] {
  let last = firstPartitionId - 1
  return node.list((field) => {
    // v1 writers may leave ids out: they count from 1000 in order.
    last = field.maybe('field-id', (at) => at.int()) ?? last + 1
    return {
      sourceIds: sourceIds(field),
      fieldId: last,
      name: field.get('name').text(),
      transform: parseTransform(field.get('transform').text()),
    }
  })
}

const sourceIds = (field: JsonNode) =>
  field.maybe('source-ids', (at) => at.list((id) => id.int())) ?? [field.get('source-id').int()]

export function partitionSpecFromNode(node: JsonNode): PartitionSpec {
  return { specId: node.get('spec-id').int(), fields: partitionFieldsFromNode(node.get('fields')) }
}

export function sortOrderFromNode(node: JsonNode): SortOrder {
  return {
    orderId: node.get('order-id').int(),
    fields: node.get('fields').list((field): SortField => ({
      sourceIds: sourceIds(field),
      transform: parseTransform(field.get('transform').text()),
      direction: field.get('direction').oneOf('asc', 'desc'),
      nullOrder: field.get('null-order').oneOf('nulls-first', 'nulls-last'),
    })),
  }
}

export function snapshotFromNode(node: JsonNode): Snapshot {
  const parent = node.maybe('parent-snapshot-id', (at) => at.long())
  const manifestList = node.maybe('manifest-list', (at) => at.text())
  const manifests = node.maybe('manifests', (at) => at.list((path) => path.text()))
  if (manifestList === undefined && manifests === undefined) node.fail('"manifest-list" is missing')
  const schemaId = node.maybe('schema-id', (at) => at.int())
  const firstRowId = node.maybe('first-row-id', (at) => at.long())
  const addedRows = node.maybe('added-rows', (at) => at.long())
  const keyId = node.maybe('key-id', (at) => at.text())
  return {
    snapshotId: node.get('snapshot-id').long(),
    ...(parent !== undefined && parent !== -1n && { parentSnapshotId: parent }),
    sequenceNumber: node.maybe('sequence-number', (at) => at.long()) ?? 0n,
    timestampMs: node.get('timestamp-ms').time(),
    ...(manifestList !== undefined ? { manifestList } : { manifests }),
    summary: node.maybe('summary', (at) => at.knownTexts()) ?? {},
    ...(schemaId !== undefined && { schemaId }),
    ...(firstRowId !== undefined && { firstRowId }),
    ...(addedRows !== undefined && { addedRows }),
    ...(keyId !== undefined && { keyId }),
  }
}

export function snapshotRefFromNode(node: JsonNode): SnapshotRef {
  const number = (name: string) => node.maybe(name, (at) => at.count())
  const [keep, age, refAge] = [number('min-snapshots-to-keep'), number('max-snapshot-age-ms'), number('max-ref-age-ms')]
  return {
    snapshotId: node.get('snapshot-id').long(),
    type: node.get('type').oneOf('branch', 'tag'),
    ...(keep !== undefined && { minSnapshotsToKeep: keep }),
    ...(age !== undefined && { maxSnapshotAgeMs: age }),
    ...(refAge !== undefined && { maxRefAgeMs: refAge }),
  }
}

export function statisticsFromNode(node: JsonNode): StatisticsFile {
  const keyMetadata = node.maybe('key-metadata', (at) => at.text())
  return {
    snapshotId: node.get('snapshot-id').long(),
    statisticsPath: node.get('statistics-path').text(),
    fileSizeInBytes: node.get('file-size-in-bytes').count(),
    fileFooterSizeInBytes: node.get('file-footer-size-in-bytes').count(),
    ...(keyMetadata !== undefined && { keyMetadata }),
    blobMetadata: node.get('blob-metadata').list((blob) => ({
      type: blob.get('type').text(),
      snapshotId: blob.get('snapshot-id').long(),
      sequenceNumber: blob.get('sequence-number').long(),
      fields: blob.get('fields').list((id) => id.int()),
      ...(blob.has('properties') && { properties: blob.get('properties').texts() }),
    })),
  }
}

export function partitionStatisticsFromNode(node: JsonNode): PartitionStatisticsFile {
  return {
    snapshotId: node.get('snapshot-id').long(),
    statisticsPath: node.get('statistics-path').text(),
    fileSizeInBytes: node.get('file-size-in-bytes').count(),
  }
}

// --- printing

/** The text of a metadata file. */
export const printTableMetadata = (metadata: TableMetadata): string =>
  tableMetadataParts(metadata)
    .map((part) => part.text)
    .join('')

/** A piece of text; the same object for as long as it says the same. */
export type TextPart = { readonly text: string }

/**
 * The text of a metadata file in pieces. A commit adds one snapshot to a history of which all else stays: pieces of it are
 * made once, not by every commit again. What each commit changes stands in two pieces.
 */
export function tableMetadataParts(metadata: TableMetadata): TextPart[] {
  const { formatVersion, snapshotLog, metadataLog } = metadata
  const snapshots = listParts(metadata.snapshots, formatVersion, (one) => snapshotJson(one, formatVersion))
  const log = listParts(snapshotLog, formatVersion, logEntryJson)
  const files = metadataLog.map((entry) => printOnce(entry, formatVersion, () => metadataLogEntryJson(entry)))
  const { 'format-version': _, ...rest } = metadataJsonWithoutLogs(metadata)
  return [
    beginnings[formatVersion],
    ...snapshots.whole,
    { text: `${snapshots.rest}],"snapshot-log":[` },
    ...log.whole,
    { text: `${log.rest}],"metadata-log":[${files.join(',')}],${printJson(rest).slice(1)}` },
  ]
}

const beginning = (version: FormatVersion): TextPart => ({ text: `{"format-version":${version},"snapshots":[` })
const beginnings: Record<FormatVersion, TextPart> = { 1: beginning(1), 2: beginning(2), 3: beginning(3) }

/** What stays of a list is packed by itself, so fewer would take more room; what does not is made by each commit again. */
const valuesPerPart = 16
/** `isFirst`: it has no comma before it. Snapshots that are expired bring another part to the beginning. */
type ListPart = TextPart & { formatVersion: FormatVersion; isFirst: boolean; values: readonly object[] }
const partsByFirst = new WeakMap<object, ListPart>()

/** `whole`: what will stay as it is while values are added; `rest`: the last ones. */
function listParts<Value extends object>(
  values: readonly Value[],
  formatVersion: FormatVersion,
  json: (value: Value) => unknown,
): { whole: TextPart[]; rest: string } {
  const whole: TextPart[] = []
  for (let start = 0; start < values.length; start += valuesPerPart) {
    const isFirst = start === 0
    const before = partsByFirst.get(values[start]!)
    if (
      before?.formatVersion === formatVersion &&
      before.isFirst === isFirst &&
      before.values.every((value, index) => value === values[start + index])
    ) {
      whole.push(before)
      continue
    }
    const some = values.slice(start, start + valuesPerPart)
    const text =
      (isFirst ? '' : ',') + some.map((value) => printOnce(value, formatVersion, () => json(value))).join(',')
    if (some.length < valuesPerPart) return { whole, rest: text }
    for (const value of some) printed.delete(value) // the part says it from now on
    const part: ListPart = { text, formatVersion, isFirst, values: some }
    partsByFirst.set(some[0]!, part)
    whole.push(part)
  }
  return { whole, rest: '' }
}

const printed = new WeakMap<object, { formatVersion: FormatVersion; text: string }>()
function printOnce(value: object, formatVersion: FormatVersion, json: () => unknown): string {
  const before = printed.get(value)
  if (before?.formatVersion === formatVersion) return before.text
  const text = printJson(json())
  printed.set(value, { formatVersion, text })
  return text
}

/** The JSON value of the spec, for `printJson`. */
export const tableMetadataJson = (metadata: TableMetadata): unknown => ({
  ...metadataJsonWithoutLogs(metadata),
  snapshots: metadata.snapshots.map((snapshot) => snapshotJson(snapshot, metadata.formatVersion)),
  'snapshot-log': metadata.snapshotLog.map(logEntryJson),
  'metadata-log': metadata.metadataLog.map(metadataLogEntryJson),
})

function metadataJsonWithoutLogs(metadata: TableMetadata) {
  const { formatVersion } = metadata
  const spec = metadata.partitionSpecs.find(({ specId }) => specId === metadata.defaultSpecId)
  return {
    'format-version': formatVersion,
    'table-uuid': metadata.tableUuid,
    location: metadata.location,
    ...(formatVersion > 1 && { 'last-sequence-number': metadata.lastSequenceNumber }),
    'last-updated-ms': metadata.lastUpdatedMs,
    'last-column-id': metadata.lastColumnId,
    ...(formatVersion === 1 && { schema: schemaJson(currentSchema(metadata)) }),
    'current-schema-id': metadata.currentSchemaId,
    schemas: metadata.schemas.map(schemaJson),
    ...(formatVersion === 1 && { 'partition-spec': spec?.fields.map(partitionFieldJson) ?? [] }),
    'default-spec-id': metadata.defaultSpecId,
    'partition-specs': metadata.partitionSpecs.map(partitionSpecJson),
    'last-partition-id': metadata.lastPartitionId,
    'default-sort-order-id': metadata.defaultSortOrderId,
    'sort-orders': metadata.sortOrders.map(sortOrderJson),
    properties: metadata.properties,
    ...(metadata.currentSnapshotId !== undefined && { 'current-snapshot-id': metadata.currentSnapshotId }),
    ...(metadata.nextRowId !== undefined && { 'next-row-id': metadata.nextRowId }),
    ...(metadata.encryptionKeys && { 'encryption-keys': metadata.encryptionKeys }),
    refs: Object.fromEntries(Object.entries(metadata.refs).map(([name, ref]) => [name, snapshotRefJson(ref)])),
    statistics: metadata.statistics.map(statisticsJson),
    'partition-statistics': metadata.partitionStatistics.map(partitionStatisticsJson),
  }
}

const metadataLogEntryJson = ({ metadataFile, timestampMs }: TableMetadata['metadataLog'][number]): unknown => ({
  'timestamp-ms': timestampMs,
  'metadata-file': metadataFile,
})

const logEntryJson = ({ snapshotId, timestampMs }: TableMetadata['snapshotLog'][number]): unknown => ({
  'timestamp-ms': timestampMs,
  'snapshot-id': snapshotId,
})

const sourceIdsJson = (ids: readonly number[]) => (ids.length === 1 ? { 'source-id': ids[0] } : { 'source-ids': ids })

export const partitionFieldJson = ({ sourceIds, fieldId, name, transform }: PartitionField): unknown => ({
  name,
  transform: showTransform(transform),
  ...sourceIdsJson(sourceIds),
  'field-id': fieldId,
})

export const partitionSpecJson = ({ specId, fields }: PartitionSpec): unknown => ({
  'spec-id': specId,
  fields: fields.map(partitionFieldJson),
})

export const sortOrderJson = ({ orderId, fields }: SortOrder): unknown => ({
  'order-id': orderId,
  fields: fields.map(({ sourceIds, transform, direction, nullOrder }) => ({
    transform: showTransform(transform),
    ...sourceIdsJson(sourceIds),
    direction,
    'null-order': nullOrder,
  })),
})

export const snapshotJson = (snapshot: Snapshot, formatVersion: FormatVersion): unknown => ({
  ...(formatVersion > 1 && { 'sequence-number': snapshot.sequenceNumber }),
  'snapshot-id': snapshot.snapshotId,
  ...(snapshot.parentSnapshotId !== undefined && { 'parent-snapshot-id': snapshot.parentSnapshotId }),
  'timestamp-ms': snapshot.timestampMs,
  ...(Object.keys(snapshot.summary).length > 0 && { summary: snapshot.summary }),
  ...(snapshot.manifestList !== undefined
    ? { 'manifest-list': snapshot.manifestList }
    : { manifests: snapshot.manifests }),
  ...(snapshot.schemaId !== undefined && { 'schema-id': snapshot.schemaId }),
  ...(snapshot.firstRowId !== undefined && { 'first-row-id': snapshot.firstRowId }),
  ...(snapshot.addedRows !== undefined && { 'added-rows': snapshot.addedRows }),
  ...(snapshot.keyId !== undefined && { 'key-id': snapshot.keyId }),
})

export const snapshotRefJson = (ref: SnapshotRef): unknown => ({
  'snapshot-id': ref.snapshotId,
  type: ref.type,
  ...(ref.minSnapshotsToKeep !== undefined && { 'min-snapshots-to-keep': ref.minSnapshotsToKeep }),
  ...(ref.maxSnapshotAgeMs !== undefined && { 'max-snapshot-age-ms': ref.maxSnapshotAgeMs }),
  ...(ref.maxRefAgeMs !== undefined && { 'max-ref-age-ms': ref.maxRefAgeMs }),
})

export const statisticsJson = (file: StatisticsFile): unknown => ({
  'snapshot-id': file.snapshotId,
  'statistics-path': file.statisticsPath,
  'file-size-in-bytes': file.fileSizeInBytes,
  'file-footer-size-in-bytes': file.fileFooterSizeInBytes,
  ...(file.keyMetadata !== undefined && { 'key-metadata': file.keyMetadata }),
  'blob-metadata': file.blobMetadata.map(({ type, snapshotId, sequenceNumber, fields, properties }) => ({
    type,
    'snapshot-id': snapshotId,
    'sequence-number': sequenceNumber,
    fields,
    ...(properties && { properties }),
  })),
})

export const partitionStatisticsJson = (file: PartitionStatisticsFile): unknown => ({
  'snapshot-id': file.snapshotId,
  'statistics-path': file.statisticsPath,
  'file-size-in-bytes': file.fileSizeInBytes,
})

// --- looking

export const currentSchema = (metadata: TableMetadata): Schema =>
  metadata.schemas.find(({ schemaId }) => schemaId === metadata.currentSchemaId)!
export const defaultSpec = (metadata: TableMetadata): PartitionSpec =>
  metadata.partitionSpecs.find(({ specId }) => specId === metadata.defaultSpecId)!
export const defaultSortOrder = (metadata: TableMetadata): SortOrder =>
  metadata.sortOrders.find(({ orderId }) => orderId === metadata.defaultSortOrderId) ?? { orderId: 0, fields: [] }
export const metadataFolder = ({ location, properties }: Pick<TableMetadata, 'location' | 'properties'>): string =>
  (properties['write.metadata.path'] ?? `${location.replace(/\/+$/, '')}/metadata`).replace(/\/+$/, '')
/** Where data files of the table belong. */
export const dataFolder = ({ location, properties }: Pick<TableMetadata, 'location' | 'properties'>): string =>
  (properties['write.data.path'] ?? `${location.replace(/\/+$/, '')}/data`).replace(/\/+$/, '')

// --- new tables

export type NewPartitionField = { column: string; transform: Transform; name?: string | undefined }
export type NewTable = {
  uuid: string
  location: string
  nowMs: number
  /** Ids are given anew, from 1; those of a schema handed in only tie `spec` and `order` to it. */
  schema: Schema | readonly NewField[]
  spec?: PartitionSpec | readonly NewPartitionField[] | undefined
  order?: SortOrder | undefined
  /** Names of the columns that tell a row from all others; instead of the ids that `schema` may have. */
  identifiers?: readonly string[] | undefined
  properties?: Readonly<Record<string, string>> | undefined
  formatVersion?: FormatVersion | undefined
}

/** Metadata of a table without snapshots. REQUEST_INVALID names the column or partition field that cannot be. */
export function newTableMetadata({
  uuid,
  location,
  nowMs,
  schema: given,
  spec,
  order,
  identifiers,
  properties = {},
  formatVersion = 2,
}: NewTable): TableMetadata {
  const renumbered = new Map<number, number>()
  let last = 0
  const fields: readonly (NewField | Field)[] = 'fields' in given ? given.fields : given
  const fresh = withFreshIds(fields, () => ++last, renumbered)
  const newId = (id: number) => renumbered.get(id) ?? refuse(`there is no field ${id} in the schema`)
  const unkeyed: Schema = { schemaId: 0, fields: fresh, identifierFieldIds: [] }
  const identifierFieldIds =
    identifiers?.map((name) => findField(unkeyed, name)?.id ?? refuse(`there is no column "${name}" to identify by`)) ??
    ('fields' in given ? given.identifierFieldIds.map(newId) : [])
  const schema: Schema = { ...unkeyed, identifierFieldIds }
  checkSchema(schema, formatVersion)
  const newFields = spec === undefined ? [] : 'fields' in spec ? spec.fields : spec
  const partitionFields = newFields.map((field, index): PartitionField => {
    if (!('column' in field))
      return { ...field, sourceIds: field.sourceIds.map(newId), fieldId: firstPartitionId + index }
    const source =
      findField(schema, field.column, { caseSensitive: false }) ??
      refuse(`there is no column "${field.column}" to partition by`)
    return {
      sourceIds: [source.id],
      fieldId: firstPartitionId + index,
      name: field.name ?? defaultPartitionName(source.path, field.transform),
      transform: field.transform,
    }
  })
  const partitionSpec = { specId: 0, fields: partitionFields }
  checkSpec(partitionSpec, schema)
  const sortFields = (order?.fields ?? []).map((field) => ({ ...field, sourceIds: field.sourceIds.map(newId) }))
  const sortOrder = { orderId: sortFields.length === 0 ? none : 1, fields: sortFields }
  checkOrder(sortOrder, schema)
  return {
    formatVersion,
    tableUuid: uuid,
    location: location.replace(/\/+$/, ''),
    lastSequenceNumber: 0n,
    lastUpdatedMs: nowMs,
    lastColumnId: highestFieldId(schema),
    schemas: [schema],
    currentSchemaId: 0,
    partitionSpecs: [partitionSpec],
    defaultSpecId: 0,
    lastPartitionId: highestPartitionId([partitionSpec]),
    properties,
    snapshots: [],
    snapshotLog: [],
    metadataLog: [],
    sortOrders: [sortOrder],
    defaultSortOrderId: sortOrder.orderId,
    refs: {},
    statistics: [],
    partitionStatistics: [],
    ...(formatVersion >= 3 && { nextRowId: 0n }),
  }
}

export function refuse(message: string): never {
  throw new Failure('REQUEST_INVALID', message)
}

const laterTypes: readonly string[] = ['timestamp_ns', 'timestamptz_ns', 'unknown', 'variant', 'geometry', 'geography']

/** Whether a type, or one within it, came with format version 3. */
export function needsVersion3(type: Type): boolean {
  if (type.kind === 'struct') return type.fields.some((field) => needsVersion3(field.type))
  if (type.kind === 'list') return needsVersion3(type.element)
  if (type.kind === 'map') return needsVersion3(type.key) || needsVersion3(type.value)
  return laterTypes.includes(type.kind)
}

/** Refuses a schema that no reader could use, or that the format version does not know. */
export function checkSchema(schema: Schema, formatVersion: FormatVersion = 3): void {
  if (formatVersion < 3)
    for (const { path, type, initialDefault } of fieldsById(schema).values()) {
      if (laterTypes.includes(type.kind))
        throw new Failure(
          'REQUEST_INVALID',
          `"${path}": the type ${type.kind} needs format version 3, the table has ${formatVersion}`,
          { hint: "ALTER TABLE … SET ('format-version' = '3') makes it one of version 3; or cast the column." },
        )
      if (initialDefault !== undefined)
        refuse(`"${path}": an initial default needs format version 3, the table has ${formatVersion}`)
    }
  const names = (fields: readonly Field[], where: string) => {
    const seen = new Set<string>()
    for (const { name, type } of fields) {
      if (seen.has(name)) refuse(`the column "${where}${name}" is given twice`)
      seen.add(name)
      if (type.kind === 'struct') names(type.fields, `${where}${name}.`)
    }
  }
  names(schema.fields, '')
  for (const id of schema.identifierFieldIds) {
    const field = fieldById(schema, id) ?? refuse(`identifier field ${id} is not in the schema`)
    if (!field.required) refuse(`identifier field "${field.path}" must be required`)
    if (field.repeated || ['struct', 'list', 'map', 'float', 'double'].includes(field.type.kind))
      refuse(`"${field.path}" cannot be an identifier field`)
    const optional = field.parents.find((parent) => !fieldById(schema, parent)!.required)
    if (optional !== undefined)
      refuse(`identifier field "${field.path}" must not be inside the optional "${fieldById(schema, optional)!.path}"`)
  }
}

/** Refuses a spec whose columns are not there, whose transforms do not fit, or whose names clash (spec, "Partitioning"). */
export function checkSpec({ fields }: PartitionSpec, schema: Schema): void {
  const seen = new Set<string>()
  for (const { name, transform, sourceIds } of fields) {
    if (seen.has(name)) refuse(`the partition field "${name}" is given twice`)
    seen.add(name)
    if (transform.kind === 'void') continue // the column may be gone
    const source =
      fieldById(schema, sourceIds[0] ?? 0) ??
      refuse(`partition field "${name}": there is no column with the id ${sourceIds.join(', ')}`)
    if (source.repeated || !isTransformable(transform, source.type))
      refuse(`partition field "${name}": ${cannotTransform(transform, source.type)}`)
    const clash = schema.fields.find((field) => field.name === name)
    if (clash && !(transform.kind === 'identity' && clash.id === source.id))
      refuse(`partition field "${name}" has the name of another column`)
  }
}

export function checkOrder({ fields }: SortOrder, schema: Schema): void {
  for (const { transform, sourceIds } of fields) {
    const source =
      fieldById(schema, sourceIds[0] ?? 0) ??
      refuse(`sort order: there is no column with the id ${sourceIds.join(', ')}`)
    if (!isTransformable(transform, source.type)) refuse(`sort order: ${cannotTransform(transform, source.type)}`)
  }
}
