// Iceberg's types and the values of columns, as the rest of this room speaks of them.
//
// A `Value` is always in its internal form, so that comparing and encoding need only the type beside it:
//   boolean -> boolean        int, date (days), float, double -> number       string, uuid (lower case) -> string
//   long, time (us), timestamp(tz) (us), timestamp(tz)_ns (ns), decimal (unscaled) -> bigint
//   fixed, binary -> Uint8Array

export type Value = boolean | number | bigint | string | Uint8Array

export type SimpleKind =
  | 'boolean'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'timestamp_ns'
  | 'timestamptz_ns'
  | 'string'
  | 'uuid'
  | 'binary'
  | 'unknown'
  | 'variant'

export type PrimitiveType =
  | { kind: SimpleKind }
  | { kind: 'decimal'; precision: number; scale: number }
  | { kind: 'fixed'; length: number }
  | { kind: 'geometry'; crs?: string | undefined }
  | { kind: 'geography'; crs?: string | undefined; algorithm?: string | undefined }
export type StructType = { kind: 'struct'; fields: readonly Field[] }
export type ListType = { kind: 'list'; elementId: number; elementRequired: boolean; element: Type }
export type MapType = { kind: 'map'; keyId: number; key: Type; valueId: number; valueRequired: boolean; value: Type }
export type Type = PrimitiveType | StructType | ListType | MapType

/** A default of a nested type is kept as the JSON it was written in. */
export type Default = Value | { json: unknown }

export type Field = {
  id: number
  name: string
  required: boolean
  type: Type
  doc?: string | undefined
  /** What rows written before the field existed contain (v3). */
  initialDefault?: Default | undefined
  /** What writers put where they are given nothing (v3). */
  writeDefault?: Default | undefined
}
/** A field of a schema not yet given its id. */
export type NewField = { name: string; required?: boolean; type: Type; doc?: string | undefined }

export type Schema = { schemaId: number; fields: readonly Field[]; identifierFieldIds: readonly number[] }

export type Transform =
  | { kind: 'identity' }
  | { kind: 'year' }
  | { kind: 'month' }
  | { kind: 'day' }
  | { kind: 'hour' }
  | { kind: 'void' }
  | { kind: 'bucket'; buckets: number }
  | { kind: 'truncate'; width: number }
  | { kind: 'other'; text: string }

export type PartitionField = {
  /** More than one only for multi-argument transforms (v3). */
  sourceIds: readonly number[]
  fieldId: number
  name: string
  transform: Transform
}
export type PartitionSpec = { specId: number; fields: readonly PartitionField[] }

export type SortField = {
  sourceIds: readonly number[]
  transform: Transform
  direction: 'asc' | 'desc'
  nullOrder: 'nulls-first' | 'nulls-last'
}
export type SortOrder = { orderId: number; fields: readonly SortField[] }
