// Bytes as clients of PostgreSQL write them: `'\x00ff'` is two digits a byte, where DuckDB reads one byte and two letters. Which
// of both is meant cannot be seen from the text, only from the column that it is for, so it is looked at here.

import type { Schema } from '../../iceberg/index.ts'
import type { Piece } from '../sql/reader.ts'
import type { RowChange } from '../sql/row-change.ts'
import { writtenRows } from './parameters.ts'

/** The statement with `from_hex('00ff')` in place of such texts, among VALUES and in SET. */
export function withBytes<Change extends RowChange>(statement: Change, { fields }: Schema): Change {
  const binary = new Set(fields.flatMap(({ name, type }) => (type.kind === 'binary' ? [name.toLowerCase()] : [])))
  if (binary.size === 0) return statement
  const bytes = (value: Piece, column: string | undefined): Piece => {
    const digits = /^(?:'|e'\\)\\x((?:[0-9a-f]{2})*)'$/i.exec(value.sql)?.[1]
    const isBytes = digits !== undefined && binary.has(column?.toLowerCase() ?? '')
    return isBytes ? { sql: `from_hex('${digits}')`, start: value.start } : value
  }
  const set = <Set extends { column: string; value: Piece }>(all: readonly Set[]): Set[] =>
    all.map((one) => ({ ...one, value: bytes(one.value, one.column) }))
  if (statement.kind === 'update') return { ...statement, set: set(statement.set) }
  if (statement.kind !== 'insert') return statement
  const { source, columns = fields.map(({ name }) => name), conflict } = statement
  const rows = 'rows' in source ? source.rows : statement.byName ? undefined : writtenRows(source.select)
  const does = conflict?.does.kind === 'update' ? { ...conflict.does, set: set(conflict.does.set) } : conflict?.does
  return {
    ...statement,
    source: rows ? { rows: rows.map((row) => row.map((value, at) => bytes(value, columns[at]))) } : source,
    conflict: conflict && does ? { ...conflict, does } : conflict,
  }
}
