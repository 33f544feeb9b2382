// The rows of `INSERT … VALUES (1, 'a'), ('infinity', 2)`. DuckDB and PostgreSQL make each value one of its column; in a SELECT
// the values of one place are made one type first, of which the column's is made then: `(1), ('infinity')` would be integers,
// and of `(1), (2.5)` a text column would get '1.0'. So where the values of a column are of several kinds each has its cast.

import { decimalText } from '../../base/pg-texts.ts'
import type { Schema, Type } from '../../iceberg/index.ts'
import type { Piece } from '../sql/reader.ts'
import { isDefault, type RowChange } from '../sql/row-change.ts'
import { sqlType } from '../types.ts'
import { writtenRows } from './parameters.ts'

type Insert = Extract<RowChange, { kind: 'insert' }>

/** `1e20` for a decimal, with all its digits: to the engine it is a double, which has seventeen. */
export function exactly(value: Piece, type: Type | undefined): Piece {
  if (type?.kind !== 'decimal' || !/^[-+]?\d[\d.]*e[-+]?\d+$/i.test(value.sql)) return value
  return { ...value, sql: decimalText(value.sql) ?? value.sql }
}

/** The source of the statement, as rows where any of their values needs a cast. */
export function withCasts({ source, byName }: Insert, names: readonly string[], { fields }: Schema): Insert['source'] {
  const isWritten = 'select' in source && !byName && /^values\b/i.test(source.select.sql)
  const written = 'rows' in source ? source.rows : isWritten ? writtenRows(source.select) : undefined
  if (!written || written.some(({ length }) => length !== names.length)) return source
  const all = names.map((name) => fields.find((one) => one.name.toLowerCase() === name.toLowerCase()))
  const rows = written.map((row) => row.map((value, at) => exactly(value, all[at]?.type)))
  const isExact = rows.every((row, at) => row.every((value, place) => value === written[at]![place]))
  if (rows.length < 2) return isExact ? source : { rows }
  const types = names.map((_, at) => {
    const field = all[at]
    if (
      !field ||
      isOfOneKind(
        field.type,
        rows.map((row) => row[at]!),
      )
    )
      return undefined
    return sqlType(field.type)
  })
  if (types.every((type) => type === undefined)) return isExact ? source : { rows }
  const cast = (value: Piece, type: string | undefined): Piece =>
    type === undefined || isDefault(value)
      ? value
      : { sql: `${before}${value.sql}) AS ${type})`, start: value.start - before.length }
  return { rows: rows.map((row) => row.map((value, at) => cast(value, types[at]))) }
}

const before = 'CAST(('

/** Whether what the values have in common keeps each of them as it is. */
function isOfOneKind(type: Type, values: readonly Piece[]): boolean {
  const kinds = new Set(values.map(({ sql }) => kindOf(sql)))
  kinds.delete('null')
  if (kinds.size === 2 && kinds.has('integer') && kinds.has('decimal')) return type.kind !== 'string'
  if (kinds.has('decimal')) return kinds.size === 1 && type.kind !== 'string'
  return kinds.size < 2 && !kinds.has('other')
}

function kindOf(sql: string): 'null' | 'text' | 'integer' | 'decimal' | 'boolean' | 'other' {
  if (/^null$/i.test(sql)) return 'null'
  if (/^'(?:[^']|'')*'$/.test(sql)) return 'text'
  if (/^[-+]?\d+$/.test(sql)) return 'integer'
  if (/^[-+]?\d+\.\d*$/.test(sql)) return 'decimal'
  if (/^(true|false)$/i.test(sql)) return 'boolean'
  return 'other'
}
