// Partition transforms and sort orders as SQL, for the statement that writes data files, and partition values back from
// the text that the writer reports for each file (spec, "Partition Transforms").

import { createHash } from 'node:crypto'
import { Failure } from '../../base/failure.ts'
import {
  fieldById,
  showTransform,
  transformedType,
  type PartitionField,
  type Schema,
  type SortOrder,
  type Transform,
  type Type,
  type Value,
} from '../../iceberg/index.ts'
import { quoteName } from '../sql/tokens.ts'
import { sqlType } from '../types.ts'

/** Longer values would not fit into a folder's name: their hash stands there, and the value is read from the file. */
const textMax = 60

export type PartitionColumn = {
  /** The value as text that tells values apart and fits a folder's name; NULL for null. */
  key: string
  /** The same value for sorting. */
  order: string
  /** From the text back to the value; undefined where the text is a hash. */
  parse(text: string | null): Value | null | undefined
  /** The source column, to read a value whose text was a hash. */
  source: { sql: string; type: Type; transform: Transform }
}

/** The expression of one partition field over the columns of `schema`. */
export function partitionColumn(field: PartitionField, schema: Schema): PartitionColumn {
  // Tables of version 1 keep a field that was dropped, and lose its column later.
  const isGone = field.transform.kind === 'void' && !fieldById(schema, field.sourceIds[0] ?? 0)
  const { sql, type } = isGone ? noColumn : columnOf(field.sourceIds, field.name, schema)
  const order = transformSql(field.transform, type, sql)
  const result = transformedType(field.transform, type)
  if (order === undefined || result === undefined)
    throw new Failure(
      'UNSUPPORTED',
      `the partition transform ${showTransform(field.transform)} of ${field.name} is not known`,
    )
  return { ...keyOf(result, order), order, source: { sql, type, transform: field.transform } }
}

const noColumn = { sql: 'NULL', type: { kind: 'int' } } as const

/** `ORDER BY` terms of a sort order; none for the unsorted one, and for one that other engines made of what is not known here. */
export const sortTerms = (order: SortOrder, schema: Schema): string[] =>
  (isSortable(order) ? order.fields : []).flatMap(({ sourceIds, transform, direction, nullOrder }) => {
    const { sql, type } = columnOf(sourceIds, 'the sort order', schema)
    const term = transformSql(transform, type, sql)
    return term === undefined
      ? []
      : [`${term} ${direction.toUpperCase()} ${nullOrder === 'nulls-first' ? 'NULLS FIRST' : 'NULLS LAST'}`]
  })

/** Whether rows can be put into this order; files without it say that they have none. */
export const isSortable = ({ fields }: SortOrder): boolean =>
  fields.every(({ sourceIds, transform }) => sourceIds.length === 1 && transform.kind !== 'other')

function columnOf(sourceIds: readonly number[], what: string, schema: Schema): { sql: string; type: Type } {
  if (sourceIds.length !== 1)
    throw new Failure('UNSUPPORTED', `${what} is made of ${sourceIds.length} columns together, which is not known here`)
  const field = fieldById(schema, sourceIds[0]!)
  if (!field || field.repeated) throw new Failure('UNSUPPORTED', `${what} uses a column that the table does not have`)
  const names = [...field.parents.map((id) => fieldById(schema, id)!.name), field.name]
  return { sql: names.map(quoteName).join('.'), type: field.type }
}

function transformSql(transform: Transform, type: Type, sql: string): string | undefined {
  const instant = type.kind.startsWith('timestamptz')
  const day = `CAST(${instant ? `timezone('UTC', ${sql})` : micros(type, sql)} AS DATE)`
  switch (transform.kind) {
    case 'identity':
      return sql
    case 'void':
      return `CAST(NULL AS ${sqlType(type)})`
    case 'year':
      return `(year(${day}) - 1970)`
    case 'month':
      return `((year(${day}) - 1970) * 12 + month(${day}) - 1)`
    case 'day':
      return day
    case 'hour':
      return `CAST(${floorTo(`epoch_us(${micros(type, sql)})`, 3_600_000_000)} // 3600000000 AS INTEGER)`
    case 'bucket': {
      const hash = hashSql(type, sql)
      return hash && `((${hash} & 2147483647) % ${transform.buckets})`
    }
    case 'truncate': {
      const width = transform.width
      if (type.kind === 'string') return `left(${sql}, ${width})`
      if (type.kind === 'binary' || type.kind === 'fixed') return `unhex(left(hex(${sql}), ${2 * width}))`
      if (type.kind === 'int') return `CAST(${floorTo(`CAST(${sql} AS BIGINT)`, width)} AS INTEGER)`
      if (type.kind === 'long') return `CAST(${floorTo(`CAST(${sql} AS HUGEINT)`, width)} AS BIGINT)`
      return type.kind === 'decimal' ? floorTo(unscaled(type, sql), width) : undefined
    }
    default:
      return undefined
  }
}

const floorTo = (sql: string, width: number) => `(${sql} - (((${sql} % ${width}) + ${width}) % ${width}))`
/** Nanoseconds are cut to microseconds, before 1970 too: a cast would go towards it. */
const micros = ({ kind }: Type, sql: string) =>
  kind === 'timestamp_ns' ? `make_timestamp(${floorTo(`epoch_ns(${sql})`, 1000)} // 1000)` : sql
/** A decimal's digits without its point. Through text: the product could be more than 38 digits in between. */
const unscaled = (_: Type & { kind: 'decimal' }, sql: string) =>
  `CAST(replace(CAST(${sql} AS VARCHAR), '.', '') AS HUGEINT)`

function hashSql(type: Type, sql: string): string | undefined {
  switch (type.kind) {
    case 'int':
    case 'long':
      return `murmur3_long(CAST(${sql} AS BIGINT))`
    case 'date':
      return `murmur3_long(CAST(${sql} - DATE '1970-01-01' AS BIGINT))`
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
      return `murmur3_long(epoch_us(${micros(type, sql)}))`
    case 'string':
      return `murmur3(encode(${sql}))`
    case 'uuid':
      return `murmur3(unhex(replace(CAST(${sql} AS VARCHAR), '-', '')))`
    case 'binary':
    case 'fixed':
      return `murmur3(${sql})`
    case 'decimal':
      return `murmur3_decimal(CAST(${unscaled(type, sql)} AS VARCHAR))`
    default:
      return undefined
  }
}

/** Internal forms as text: whole numbers as they are, strings behind an `s` so that '' is a name too. */
function keyOf(type: Type, sql: string): Pick<PartitionColumn, 'key' | 'parse'> {
  const whole = (key: string, parse: (text: string) => Value) => ({
    key,
    parse: (text: string | null) => (text === null ? null : parse(text)),
  })
  switch (type.kind) {
    case 'boolean':
      return whole(`CAST(CAST(${sql} AS INTEGER) AS VARCHAR)`, (text) => text === '1')
    case 'int':
      return whole(`CAST(${sql} AS VARCHAR)`, Number)
    case 'long':
      return whole(`CAST(${sql} AS VARCHAR)`, BigInt)
    case 'date':
      return whole(`CAST(${sql} - DATE '1970-01-01' AS VARCHAR)`, Number)
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return whole(`CAST(epoch_us(${sql}) AS VARCHAR)`, BigInt)
    case 'timestamp_ns':
      return whole(`CAST(epoch_ns(${sql}) AS VARCHAR)`, BigInt)
    case 'decimal':
      // A truncated decimal is its unscaled number already.
      return whole(
        sql.startsWith('(CAST(replace(') ? `CAST(${sql} AS VARCHAR)` : `CAST(${unscaled(type, sql)} AS VARCHAR)`,
        BigInt,
      )
    case 'float':
    case 'double':
      return whole(`CAST(${sql} AS VARCHAR)`, (text) =>
        text === 'nan' ? Number.NaN : text === 'inf' ? Infinity : text === '-inf' ? -Infinity : Number(text),
      )
    case 'uuid':
      return whole(`CAST(${sql} AS VARCHAR)`, (text) => text.toLowerCase())
    default: {
      const text = type.kind === 'string' ? sql : `hex(${sql})`
      return {
        key: `CASE WHEN strlen(${text}) <= ${textMax} THEN 's' || ${text} ELSE 'h' || sha256(${text}) END`,
        parse: (key) => {
          if (key === null) return null
          if (key.startsWith('h')) return undefined
          return type.kind === 'string' ? key.slice(1) : Buffer.from(key.slice(1), 'hex')
        },
      }
    }
  }
}

/** A folder for the files of one partition, from `partitionPath`: as it is, or its hash when it would be too long. */
export const partitionFolder = (path: string): string =>
  path.split('/').every((part) => part.length <= 200)
    ? path
    : createHash('sha256').update(path).digest('hex').slice(0, 32)
