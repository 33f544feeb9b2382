// The SQL that reads a table's files: `read_parquet` with the columns named by field id, so that a renamed, added or
// widened column needs no rewriting of old files.

import { createHash } from 'node:crypto'
import { Failure } from '../base/failure.ts'
import { localPath } from '../io/index.ts'
import type { ScanFile, Schema } from '../iceberg/index.ts'
import { quoteName, quoteText } from './sql/tokens.ts'
import { sqlType } from './types.ts'

/** A SELECT over the files, in parentheses, with exactly the columns of `schema`. */
export function scanSql(table: string, schema: Schema, files: readonly ScanFile[]): string {
  const columns = schema.fields.map((field) => ({ ...field, sql: sqlType(field.type) }))
  if (files.length === 0)
    return `(SELECT ${columns.map(({ name, sql }) => `NULL::${sql} AS ${quoteName(name)}`).join(', ')} WHERE false)`
  for (const { file, deletes } of files) {
    if (file.format !== 'parquet')
      throw new Failure('UNSUPPORTED', `${table} has data files in ${file.format}; only Parquet is read`)
    if (deletes.length > 0)
      throw new Failure(
        'UNSUPPORTED',
        `${table} has row-level deletes written by another engine, which cannot be read yet`,
        {
          hint: 'Rewrite its data files with the engine that wrote the deletes.',
        },
      )
  }
  const map = columns.map(
    ({ id, name, sql }) => `${id}: {name: ${quoteText(name)}, type: ${quoteText(sql)}, default_value: NULL}`,
  )
  const paths = files.map(({ path }) => quoteText(localPath(path)))
  return `(SELECT ${columns.map(({ name }) => quoteName(name)).join(', ')} FROM read_parquet([${paths.join(', ')}], schema = MAP {${map.join(', ')}}))`
}

/** The empty stand-in for a table on the planning host. `use` tells several uses in one statement apart. */
export type Shadow = { name: string; ddl: string }

export function shadowOf(schema: Schema, use: number): Shadow {
  const columns = schema.fields.map(({ name, type }) => `${quoteName(name)} ${sqlType(type)}`).join(', ')
  const name = `s_${createHash('sha256').update(columns).digest('hex').slice(0, 20)}_${use}`
  // A table needs a column; a table without any is legal in Iceberg and useless in SQL.
  return { name, ddl: `CREATE TABLE IF NOT EXISTS ${name} (${columns || '"no columns" INTEGER'})` }
}
