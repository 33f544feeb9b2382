// Turns a DuckDB chunk into JSON text of row arrays. This runs in the host process, because converting values
// is synchronous and would hold up every other answer of the server (measured: 2 s per 500,000 rows).
//
// The forms are those of `contract`: exact numbers beyond 2^53, DECIMAL and nanoseconds are strings. A struct is an object, one
// without names, `row(1, 2)`, an array.

import {
  DuckDBTypeId,
  type DuckDBDataChunk,
  type DuckDBListType,
  type DuckDBArrayType,
  type DuckDBMapType,
  type DuckDBStructType,
  type DuckDBType,
  type DuckDBValue,
  type DuckDBVector,
} from '@duckdb/node-api'

type Encode = (value: DuckDBValue) => string

const exact = (value: bigint) =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? String(value) : `"${value}"`

const text: Encode = (value) => JSON.stringify(String(value))

/** As DuckDB writes it: JSON is text of its own name. */
export function typeName(type: DuckDBType): string {
  if (type.alias === 'JSON') return 'JSON'
  if (type.typeId === DuckDBTypeId.LIST) return `${typeName((type as DuckDBListType).valueType)}[]`
  return String(type)
}

/** JSON of one value of this type that is not null, from a vector of `byPlace`. `inner`: what values of JSON in it become. */
export function encoderOf(type: DuckDBType, inner: Encode = text): Encode {
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN:
      return (value) => (value ? 'true' : 'false')
    case DuckDBTypeId.TINYINT:
    case DuckDBTypeId.SMALLINT:
    case DuckDBTypeId.INTEGER:
    case DuckDBTypeId.UTINYINT:
    case DuckDBTypeId.USMALLINT:
    case DuckDBTypeId.UINTEGER:
      return (value) => String(value)
    case DuckDBTypeId.BIGINT:
    case DuckDBTypeId.UBIGINT:
      return (value) => exact(value as bigint)
    case DuckDBTypeId.FLOAT:
    case DuckDBTypeId.DOUBLE:
      return (value) => (Number.isFinite(value as number) ? JSON.stringify(value) : `"${String(value)}"`)
    case DuckDBTypeId.VARCHAR:
      return (value) => JSON.stringify(value)
    case DuckDBTypeId.TIMESTAMP_TZ:
      // Text in the session's zone would depend on who asks; the instant does not.
      return (value) => `"${instant((value as { micros: bigint }).micros)}"`
    case DuckDBTypeId.BLOB:
      return (value) => `"${Buffer.from((value as { bytes: Uint8Array }).bytes).toString('base64')}"`
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY: {
      const item = nullable(within((type as DuckDBListType | DuckDBArrayType).valueType, inner))
      return (value) => `[${(value as { items: readonly DuckDBValue[] }).items.map(item).join(',')}]`
    }
    case DuckDBTypeId.STRUCT: {
      const { entryNames, entryTypes } = type as DuckDBStructType
      const fields = entryTypes.map((entry, at) => [entryNames[at]!, nullable(within(entry, inner))] as const)
      const isRow = entryNames.every((name) => name === '')
      return (value) => {
        const { entries } = value as { entries: Record<string, DuckDBValue> }
        if (isRow) return `[${fields.map(([, encode], at) => encode(entries[at] ?? null)).join(',')}]`
        return `{${fields.map(([name, encode], at) => `${JSON.stringify(name)}:${encode(entries[at] ?? null)}`).join(',')}}`
      }
    }
    case DuckDBTypeId.MAP: {
      const { keyType, valueType } = type as DuckDBMapType
      const [key, item] = [keyType, valueType].map((type) => nullable(within(type, inner))) as [Encode, Encode]
      return (value) => {
        const { entries } = value as { entries: readonly { key: DuckDBValue; value: DuckDBValue }[] }
        return `[${entries.map((entry) => `{"key":${key(entry.key)},"value":${item(entry.value)}}`).join(',')}]`
      }
    }
    default:
      return text
  }
}

const within = (type: DuckDBType, inner: Encode): Encode => (type.alias === 'JSON' ? inner : encoderOf(type, inner))

/**
 * The library gives the values of a struct by the names of its fields, of which `row(1, 2)` has none, and one that is called
 * `__proto__` is lost. Of this vector it gives them by their places. A vector's type is its own, made anew for each chunk.
 */
export function byPlace(vector: DuckDBVector): DuckDBVector {
  nameByPlace(vector.type)
  return vector
}

function nameByPlace(type: DuckDBType): void {
  switch (type.typeId) {
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
      return nameByPlace((type as DuckDBListType | DuckDBArrayType).valueType)
    case DuckDBTypeId.MAP: {
      const { keyType, valueType } = type as DuckDBMapType
      nameByPlace(keyType)
      return nameByPlace(valueType)
    }
    case DuckDBTypeId.STRUCT: {
      const { entryNames, entryTypes } = type as {
        entryNames: string[]
        entryTypes: readonly DuckDBType[]
      } & DuckDBType
      entryNames.forEach((_, at) => (entryNames[at] = String(at)))
      entryTypes.forEach(nameByPlace)
    }
  }
}

const nullable =
  (encode: Encode): Encode =>
  (value) =>
    value === null || value === undefined ? 'null' : encode(value)

/** Microseconds since 1970 as `2024-03-31T12:00:00Z`, with a fraction only if there is one. */
export function instant(micros: bigint): string {
  const infinity = 2n ** 63n - 1n
  if (micros === infinity) return 'infinity'
  if (micros === -infinity) return '-infinity'
  const millis = Number(micros >= 0n ? micros / 1000n : (micros - 999n) / 1000n)
  const rest = micros - BigInt(millis) * 1000n
  const date = new Date(millis)
  if (Number.isNaN(date.getTime())) return `${micros} microseconds since 1970-01-01`
  const fraction = (BigInt(date.getUTCMilliseconds()) * 1000n + rest).toString().padStart(6, '0').replace(/0+$/, '')
  return `${date.toISOString().slice(0, -5)}${fraction && `.${fraction}`}Z`
}

/** An encoder for all chunks of one result. */
export function chunkEncoder(types: readonly DuckDBType[]): (chunk: DuckDBDataChunk, rows: number) => string {
  const encoders = types.map((type) => nullable(encoderOf(type)))
  return (chunk, rows) => {
    const columns = encoders.map((_, at) => byPlace(chunk.getColumnVector(at)))
    const lines: string[] = []
    for (let row = 0; row < rows; row++)
      lines.push(`[${encoders.map((encode, at) => encode(columns[at]!.getItem(row))).join(',')}]`)
    return `[${lines.join(',')}]`
  }
}
