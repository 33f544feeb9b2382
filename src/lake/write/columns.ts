// The columns of a SELECT as columns of a table: by name, with what the table says where nothing is given.

import { Failure } from '../../base/failure.ts'
import { showName, type TableName } from '../../catalog/index.ts'
import type { EngineColumn } from '../../engine/index.ts'
import type { NewField, Schema } from '../../iceberg/index.ts'
import { broken } from './broken-rules.ts'
import type { TableOptions } from './change-set.ts'
import type { WrittenField } from './computed-defaults.ts'
import { storedSql } from './declared-types.ts'
import { withNames } from './perform-context.ts'
import { quoteName } from '../sql/tokens.ts'
import { literalSql, sqlType } from '../types.ts'

/** As DuckDB calls the columns of `CREATE TABLE … AS SELECT id, id, ID`: id, id_1, ID_2. */
export function distinctNames<Column extends { name: string }>(columns: readonly Column[]): readonly Column[] {
  const uses = new Map<string, number>()
  return columns.map((column) => {
    const key = column.name.toLowerCase()
    let use = uses.get(key) ?? 0
    let name = column.name
    for (; uses.has(name.toLowerCase()); use++) name = `${column.name}_${use}`
    uses.set(key, Math.max(use, 1))
    if (name !== column.name) uses.set(name.toLowerCase(), 1)
    return name === column.name ? column : { ...column, name }
  })
}

/** The text with columns of other names, where `named` is not what it gives. */
export const renamed = (sql: string, given: readonly { name: string }[], named: readonly { name: string }[]): string =>
  named.every(({ name }, at) => name === given[at]!.name)
    ? sql
    : withNames(
        { sql, start: 0 },
        'named',
        named.map(({ name }) => name),
      ).sql

/** SQL_INVALID for names that differ only in case, and for none at all. */
export function checkColumns(target: TableName, columns: readonly { name: string }[]): void {
  const seen = new Set<string>()
  for (const { name } of columns) {
    // Iceberg tells columns apart by case; DuckDB, Trino and Spark do not.
    if (seen.has(name.toLowerCase()))
      throw new Failure('SQL_INVALID', `${showName(target)} would have two columns named ${name}`, {
        hint: 'Give one of them another name with AS.',
      })
    seen.add(name.toLowerCase())
  }
  if (columns.length === 0) throw new Failure('SQL_INVALID', `${showName(target)} would have no columns`)
}

export const withComment = (field: NewField, { columnComments = {} }: TableOptions): NewField => {
  const doc = columnComments[field.name] ?? columnComments[field.name.toLowerCase()]
  return doc ? { ...field, doc } : field
}

/** Every column of the table (`writtenSchema`), from the SELECT's column of the same name or NULL. */
export function appendProjection(target: TableName, schema: Schema, columns: readonly EngineColumn[]): string[] {
  const given = new Map(columns.map(({ name }) => [name.toLowerCase(), name]))
  const projection = schema.fields.map((field: WrittenField) => {
    const name = given.get(field.name.toLowerCase())
    given.delete(field.name.toLowerCase())
    if (name === undefined && field.required && field.writeDefault === undefined && field.computed === undefined)
      throw new Failure(
        'SQL_INVALID',
        `${showName(target)} needs a value for ${field.name}`,
        broken(target, { column: field.name }),
      )
    if (name === undefined && field.computed !== undefined)
      return `CAST(${field.computed} AS ${sqlType(field.type)}) AS ${quoteName(field.name)}`
    const value = name === undefined ? defaultSql(target, field) : quoteName(name)
    return `${storedSql(value, field)} AS ${quoteName(field.name)}`
  })
  if (given.size > 0)
    throw new Failure('SQL_INVALID', `${showName(target)} has no column ${[...given.values()].join(', ')}`, {
      hint: 'Leave it out, or replace the table to give it the column.',
    })
  return projection
}

/** What a column gets that is given nothing. @throws UNSUPPORTED for a default that is not a simple value */
export function defaultSql(target: TableName, { name, type, writeDefault, computed }: WrittenField): string {
  if (computed !== undefined) return computed
  if (writeDefault === undefined) return 'NULL'
  if (typeof writeDefault === 'object' && 'json' in writeDefault)
    throw new Failure('UNSUPPORTED', `${showName(target)} needs a value for ${name}: its default is not a simple value`)
  return literalSql(type, writeDefault)
}
