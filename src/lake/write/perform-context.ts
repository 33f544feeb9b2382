// What the statements of `perform.ts` need of the open lake, and what is common to them.

import { Failure, type Place } from '../../base/failure.ts'
import { showName, type LoadedTable, type TableName } from '../../catalog/index.ts'
import type { Column } from '../../contract/index.ts'
import type { Chunk } from '../../engine/index.ts'
import type { Field, Schema } from '../../iceberg/index.ts'
import type { Relation } from '../relations/relations.ts'
import type { ToldRows } from '../sources.ts'
import { compose, type Composed } from '../sql/compose.ts'
import type { Piece, WrittenName } from '../sql/reader.ts'
import type { MergeSource } from '../sql/row-change.ts'
import { indexAt, quoteName } from '../sql/tokens.ts'
import type { ChangeSet, TableOptions } from './change-set.ts'
import type { NumberedField } from './numbered.ts'

export type PerformContext = {
  changes: ChangeSet
  options: TableOptions
  /** Texts are written as PostgreSQL has them. */
  postgres: boolean
  /** Whether the statement is one of a dbt project: those mean what DuckDB means. */
  run: boolean
  /** The place of an index of the statement. */
  at(index: number): Place
  resolve(name: WrittenName): TableName
  /** Columns of a SELECT. */
  bind(sql: string): Promise<Column[]>
  /** @throws SQL_REFUSED for a condition that asks for more than the columns of a row */
  checkOfRow(condition: string, fields: readonly Field[]): Promise<void>
  /** What is in the schema of a name. */
  relations(of: Pick<TableName, 'catalog' | 'namespace'>): Promise<Relation[]>
  /** The rows of a small SELECT. */
  rows(sql: string): Promise<unknown[][]>
  /**
   * The answer to a SELECT in which rows that are changed stand for their table (`ToldRows`), all of it. Without `rows` it
   * is only looked whether it can be answered.
   */
  tell(sql: string, rows: ToldRows): Promise<Told | undefined>
  /** Whether the asker sees a table, and not all of it. */
  seesPart(of: TableName): Promise<boolean>
  /** Takes so many numbers of a column that gives them to its rows; the first of them, the others follow it. */
  takeNumbers(of: LoadedTable, column: NumberedField, count: bigint): Promise<bigint>
  /** Namespace and name of the sequence that a column takes its numbers from. @throws NOT_FOUND, SQL_UNSUPPORTED */
  sequence(name: WrittenName): Promise<string[]>
  createNamespace(catalog: string, namespace: string): Promise<boolean>
  /** `cascade`: with its sequences. */
  dropNamespace(catalog: string, namespace: string, cascade: boolean): Promise<boolean>
  commentNamespace(catalog: string, namespace: string, comment: string | undefined): Promise<void>
}

/** `changed` false: there is nothing to publish. */
export type Performed = { rows: number; changed: boolean; told?: Told | undefined }
/** What RETURNING gives. */
export type Told = { columns: Column[]; chunks: Chunk[] }

/** @throws SQL_INVALID with what there is as its context: whoever tells it knows which of it the asker may know */
export function columnOf(column: string, { fields }: Schema, target: TableName): Field {
  const known = fields.find(({ name }) => name.toLowerCase() === column.toLowerCase())
  if (known) return known
  const columns = fields.map(({ name }) => name)
  throw new Failure('SQL_INVALID', `${showName(target)} has no column ${column}`, { column, columns })
}

/** @throws TABLE_NOT_FOUND, SQL_INVALID for a view */
export async function tableOf(target: TableName, changes: ChangeSet, doing: string): Promise<LoadedTable> {
  const found = await changes.load(target)
  if (found?.kind === 'table') return found
  throw found
    ? new Failure('SQL_INVALID', `${showName(target)} is a view, not a table to ${doing}`)
    : new Failure('TABLE_NOT_FOUND', `there is no table ${showName(target)} to ${doing}`)
}

/** The rows of a SELECT under these names. */
export const withNames = (select: Piece | Composed, alias: string, names: readonly string[]) =>
  compose`SELECT * FROM (${select}) AS ${alias}(${nameList(names)})`

/** The alias of what is merged, with the names that it gives to columns. */
export const sourceAlias = ({ alias, columns }: Pick<MergeSource, 'alias' | 'columns'>): string =>
  columns ? `${quoteName(alias)}(${nameList(columns)})` : quoteName(alias)

export const nameList = (names: readonly string[]) => names.map(quoteName).join(', ')

/** A place inside a text of ours becomes the one where the person wrote it. */
export async function located<Answer>(
  text: Pick<Composed, 'sql' | 'origin'>,
  at: PerformContext['at'],
  work: Promise<Answer>,
): Promise<Answer> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof Failure) || !error.place?.line) throw error
    const { line, column } = error.place
    const origin = text.origin(indexAt(text.sql, { line, column }))
    throw error.with({ place: origin === undefined ? undefined : at(origin) })
  }
}
