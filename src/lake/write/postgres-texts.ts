// Bytes and lists as clients of PostgreSQL write them. `'\x00ff'` is two digits a byte, where DuckDB reads one byte and two
// letters; `'{a,b}'` is a list; a blank before the offset of a time is nothing. What is meant cannot be seen from the text, only from the column that it is for, so it is looked
// at here.

import { arraySql, intervalText, parseArrays, timestampText } from '../../base/pg-texts.ts'
import type { Schema, Type } from '../../iceberg/index.ts'
import type { Piece } from '../sql/reader.ts'
import type { Assignment, RowChange } from '../sql/row-change.ts'
import { quoteText } from '../sql/tokens.ts'
import type { WrittenField } from './computed-defaults.ts'
import { writtenRows } from './parameters.ts'

/** The statement with `from_hex('00ff')` and `['a', 'b']` in place of such texts, among VALUES and in SET. */
export function withPostgresTexts<Change extends RowChange>(statement: Change, { fields }: Schema): Change {
  const types = new Map(fields.map((field: WrittenField) => [field.name.toLowerCase(), field]))
  const meant = (value: Piece, column: string | undefined): Piece => {
    const { type, declared } = types.get(column?.toLowerCase() ?? '') ?? {}
    const sql = declared === 'INTERVAL' ? spanOf(value.sql) : type && readers[type.kind]?.(value.sql, type)
    return sql === undefined ? value : { sql, start: value.start }
  }
  const set = <Set extends Assignment>(all: readonly Set[]): Set[] =>
    all.map((one) => ({ ...one, value: meant(one.value, one.inside ? undefined : one.column) }))
  if (statement.kind === 'update') return { ...statement, set: set(statement.set) }
  if (statement.kind !== 'insert') return statement
  const { source, columns = fields.map(({ name }) => name), conflict } = statement
  const rows = 'rows' in source ? source.rows : statement.byName ? undefined : writtenRows(source.select)
  const does = conflict?.does.kind === 'update' ? { ...conflict.does, set: set(conflict.does.set) } : conflict?.does
  return {
    ...statement,
    source: rows ? { rows: rows.map((row) => row.map((value, at) => meant(value, columns[at]))) } : source,
    conflict: conflict && does ? { ...conflict, does } : conflict,
  }
}

const readers: Partial<Record<Type['kind'], (sql: string, type: Type) => string | undefined>> = {
  binary: bytesOf,
  list: listOf,
  timestamp: (sql) => timestampOf(sql, false),
  timestamptz: (sql) => timestampOf(sql, true),
}

export function spanOf(sql: string): string | undefined {
  return /^'\s*P[^']*'$/.test(sql) ? quoteText(intervalText(sql.slice(1, -1))) : undefined
}

function timestampOf(sql: string, zoned: boolean): string | undefined {
  return /^'\d[^']*'$/.test(sql) ? quoteText(timestampText(sql.slice(1, -1), zoned)) : undefined
}

function bytesOf(sql: string): string | undefined {
  const digits = /^(?:'|e'\\)\\x((?:[0-9a-f]{2})*)'$/i.exec(sql)?.[1]
  return digits === undefined ? undefined : `from_hex('${digits}')`
}

export function listOf(sql: string, type: Type): string | undefined {
  const items = /^'\s*\{.*\}\s*'$/s.test(sql) ? parseArrays(sql.slice(1, -1).replaceAll("''", "'")) : undefined
  let inner = type
  while (inner.kind === 'list') inner = inner.element
  const item = (text: string) => (inner.kind === 'binary' ? bytesOf(quoteText(text)) : undefined) ?? quoteText(text)
  return items && arraySql(items, item)
}
