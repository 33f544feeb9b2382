// The Avro schemas of manifests and manifest lists (spec, "Manifests" and "Manifest Lists"), and the names under which
// their fields are read: by id, since names of older writers differ.

import type { AvroField, AvroRecord, AvroSchema } from './avro.ts'
import type { FormatVersion } from './metadata-types.ts'
import type { Type } from './types.ts'

const field = (id: number, name: string, type: AvroSchema): AvroField => ({ name, type, 'field-id': id })
const optional = (id: number, name: string, type: AvroSchema): AvroField => ({
  ...field(id, name, ['null', type]),
  default: null,
})
const mapOf = (keyId: number, valueId: number, value: AvroSchema): AvroSchema => ({
  type: 'array',
  logicalType: 'map',
  items: {
    type: 'record',
    name: `k${keyId}_v${valueId}`,
    fields: [field(keyId, 'key', 'int'), field(valueId, 'value', value)],
  },
})
const listOf = (elementId: number, items: AvroSchema): AvroSchema => ({ type: 'array', items, 'element-id': elementId })

/** Entries as one format version has them. `partition` is the record of `partitionSchema`. */
export const manifestEntrySchema = (partition: AvroRecord, version: FormatVersion = 2): AvroRecord => ({
  type: 'record',
  name: 'manifest_entry',
  fields: [
    field(0, 'status', 'int'),
    version === 1 ? field(1, 'snapshot_id', 'long') : optional(1, 'snapshot_id', 'long'),
    ...(version === 1 ? [] : [optional(3, 'sequence_number', 'long'), optional(4, 'file_sequence_number', 'long')]),
    field(2, 'data_file', {
      type: 'record',
      name: 'r2',
      fields: [
        ...(version === 1 ? [] : [field(134, 'content', 'int')]),
        field(100, 'file_path', 'string'),
        field(101, 'file_format', 'string'),
        field(102, 'partition', partition),
        field(103, 'record_count', 'long'),
        field(104, 'file_size_in_bytes', 'long'),
        ...(version === 1 ? [field(105, 'block_size_in_bytes', 'long')] : []), // required in v1, read by nobody
        optional(108, 'column_sizes', mapOf(117, 118, 'long')),
        optional(109, 'value_counts', mapOf(119, 120, 'long')),
        optional(110, 'null_value_counts', mapOf(121, 122, 'long')),
        optional(137, 'nan_value_counts', mapOf(138, 139, 'long')),
        optional(125, 'lower_bounds', mapOf(126, 127, 'bytes')),
        optional(128, 'upper_bounds', mapOf(129, 130, 'bytes')),
        optional(131, 'key_metadata', 'bytes'),
        optional(132, 'split_offsets', listOf(133, 'long')),
        ...(version === 1 ? [] : [optional(135, 'equality_ids', listOf(136, 'int'))]),
        optional(140, 'sort_order_id', 'int'),
        ...(version < 3 ? [] : [optional(142, 'first_row_id', 'long')]),
        ...(version === 1 ? [] : [optional(143, 'referenced_data_file', 'string')]),
        ...(version < 3
          ? []
          : [optional(144, 'content_offset', 'long'), optional(145, 'content_size_in_bytes', 'long')]),
      ],
    }),
  ],
})

/** A line of a manifest list as one format version has it. */
export const manifestFileSchema = (version: FormatVersion): AvroRecord => ({
  type: 'record',
  name: 'manifest_file',
  fields: [
    field(500, 'manifest_path', 'string'),
    field(501, 'manifest_length', 'long'),
    field(502, 'partition_spec_id', 'int'),
    ...(version === 1
      ? []
      : [
          field(517, 'content', 'int'),
          field(515, 'sequence_number', 'long'),
          field(516, 'min_sequence_number', 'long'),
        ]),
    field(503, 'added_snapshot_id', 'long'),
    // v1 may leave these out; whoever reads v1 finds them filled in all the same.
    field(504, 'added_files_count', 'int'),
    field(505, 'existing_files_count', 'int'),
    field(506, 'deleted_files_count', 'int'),
    field(512, 'added_rows_count', 'long'),
    field(513, 'existing_rows_count', 'long'),
    field(514, 'deleted_rows_count', 'long'),
    optional(
      507,
      'partitions',
      listOf(508, {
        type: 'record',
        name: 'r508',
        fields: [
          field(509, 'contains_null', 'boolean'),
          optional(518, 'contains_nan', 'boolean'),
          optional(510, 'lower_bound', 'bytes'),
          optional(511, 'upper_bound', 'bytes'),
        ],
      }),
    ),
    optional(519, 'key_metadata', 'bytes'),
    ...(version < 3 ? [] : [optional(520, 'first_row_id', 'long')]),
  ],
})

/** Every id that is read, with the name it is known by here. */
const namesById = new Map<number, string>()
const knownNames = new Set<string>()
const learn = ({ fields }: AvroRecord) => {
  for (const { name, type, 'field-id': id } of fields) {
    namesById.set(id!, name)
    knownNames.add(name)
    const parts = Array.isArray(type) ? (type as readonly AvroSchema[]) : [type]
    for (const part of parts) {
      if (typeof part !== 'object') continue
      if ('fields' in part) learn(part)
      else if ('items' in part && typeof part.items === 'object' && 'fields' in part.items && !('logicalType' in part))
        learn(part.items)
    }
  }
}
learn(manifestEntrySchema({ type: 'record', name: 'r102', fields: [] }, 3)) // has all that the others have
learn(manifestFileSchema(3))

export const partitionKey = (fieldId: number): string => `p${fieldId}`

/** By id, and by name for writers that left ids out. Partition values (inside field 102) are keyed by partition field id. */
export function manifestKey(
  name: string,
  id: number | undefined,
  inside: number | string | undefined,
): string | undefined {
  if (inside === 102 || inside === 'partition') return id === undefined ? name : partitionKey(id)
  if (id !== undefined) return namesById.get(id)
  return knownNames.has(name) ? name : undefined
}

/** The record of partition values, under names that every Avro library accepts. */
export function partitionSchema(fields: readonly { fieldId: number; name: string; type: Type }[]): AvroRecord {
  const seen = new Set<string>()
  const unique = (name: string, fieldId: number) => {
    const free = seen.has(name) ? `${name}_${fieldId}` : name // a named type may be defined only once
    seen.add(free)
    return free
  }
  return {
    type: 'record',
    name: 'r102',
    fields: fields.map(({ fieldId, name, type }) => {
      const safe = unique(avroName(name), fieldId)
      const avro = avroType(type)
      const stored = typeof avro === 'object' && 'name' in avro ? { ...avro, name: unique(avro.name, fieldId) } : avro
      return { ...optional(fieldId, safe, stored), ...(safe !== name && { 'iceberg-field-name': name }) }
    }),
  }
}

/** The same schema in Iceberg's own JSON: what the header key `iceberg.schema` holds. */
export function icebergSchemaJson({ fields }: AvroRecord): unknown {
  return { type: 'struct', 'schema-id': 0, fields: fields.map(icebergField) }
}

function icebergField({ name, type, 'field-id': id }: AvroField): unknown {
  const isOptional = Array.isArray(type)
  const inner = isOptional ? (type as readonly AvroSchema[]).find((part) => part !== 'null')! : type
  return { id, name, required: !isOptional, type: icebergType(inner) }
}

function icebergType(type: AvroSchema): unknown {
  if (typeof type === 'string') return type === 'bytes' ? 'binary' : type
  if ('fields' in type) return { type: 'struct', fields: type.fields.map(icebergField) }
  if ('items' in type && typeof type.items === 'object' && 'fields' in type.items && 'logicalType' in type) {
    const [key, value] = type.items.fields as readonly [AvroField, AvroField]
    return {
      type: 'map',
      'key-id': key['field-id'],
      key: icebergType(key.type),
      'value-id': value['field-id'],
      value: icebergType(value.type),
      'value-required': true,
    }
  }
  if ('items' in type)
    return {
      type: 'list',
      'element-id': type['element-id'],
      element: icebergType(type.items),
      'element-required': true,
    }
  const logical = type as {
    type: string
    logicalType?: string
    'adjust-to-utc'?: boolean
    precision?: number
    scale?: number
    size?: number
  }
  const utc = logical['adjust-to-utc'] ? 'tz' : ''
  switch (logical.logicalType) {
    case 'date':
      return 'date'
    case 'time-micros':
      return 'time'
    case 'timestamp-micros':
      return `timestamp${utc}`
    case 'timestamp-nanos':
      return `timestamp${utc}_ns`
    case 'uuid':
      return 'uuid'
    case 'decimal':
      return `decimal(${logical.precision}, ${logical.scale})`
    default:
      return logical.type === 'fixed' ? `fixed[${logical.size}]` : 'binary'
  }
}

/**
 * Java's escapes (`a b` is `a_x20b`, `1a` is `_1a`), here for everything but ASCII letters, digits and `_`:
 * Java leaves other letters alone, and DuckDB's reader stops at those.
 */
export function avroName(name: string): string {
  const escaped = name.replace(/[^A-Za-z0-9_]/g, (char) => `_x${char.charCodeAt(0).toString(16).toUpperCase()}`)
  return /^[0-9]/.test(escaped) ? `_${escaped}` : escaped === '' ? '_' : escaped
}

function avroType(type: Type): AvroSchema {
  switch (type.kind) {
    case 'boolean':
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'string':
      return type.kind
    case 'date':
      return { type: 'int', logicalType: 'date' }
    case 'time':
      return { type: 'long', logicalType: 'time-micros' }
    case 'timestamp':
      return { type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': false }
    case 'timestamptz':
      return { type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': true }
    case 'timestamp_ns':
      return { type: 'long', logicalType: 'timestamp-nanos', 'adjust-to-utc': false }
    case 'timestamptz_ns':
      return { type: 'long', logicalType: 'timestamp-nanos', 'adjust-to-utc': true }
    case 'uuid':
      return { type: 'fixed', name: 'uuid_fixed', size: 16, logicalType: 'uuid' }
    case 'fixed':
      return { type: 'fixed', name: `fixed_${type.length}`, size: type.length }
    case 'decimal':
      return {
        type: 'fixed',
        name: `decimal_${type.precision}_${type.scale}`,
        size: decimalBytes(type.precision),
        logicalType: 'decimal',
        precision: type.precision,
        scale: type.scale,
      }
    default:
      return 'bytes'
  }
}

/** Least bytes that hold every decimal of the precision. */
export function decimalBytes(precision: number): number {
  const largest = 10n ** BigInt(precision) - 1n
  let bytes = 1
  while (BigInt.asIntN(bytes * 8, largest) !== largest) bytes++
  return bytes
}
