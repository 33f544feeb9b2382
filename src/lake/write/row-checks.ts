// CHECK: conditions that rows must meet which are written here. Each is a property of its table: what was written, and which
// columns it speaks of by field id, so that a column may be renamed. Other engines know nothing of them, and what they write is
// not looked at.
//
// Whoever may change a table's properties by another door wrote the text, and it runs with the rights of whoever inserts: so it
// is checked against the allow-list each time, and reads nothing but the row.

import { Failure } from '../../base/failure.ts'
import { showName, type TableName } from '../../catalog/index.ts'
import type { Engine } from '../../engine/index.ts'
import {
  changeProperties,
  currentSchema,
  type Field,
  type TableChange,
  type TableMetadata,
} from '../../iceberg/index.ts'
import { treeText } from '../answers/analyses.ts'
import { compose } from '../sql/compose.ts'
import type { Piece } from '../sql/reader.ts'
import { splice, type Edit } from '../sql/splice.ts'
import type { WrittenCheck } from '../sql/statement.ts'
import { isName, nameOf, quoteName, quoteTable, quoteText, tokens } from '../sql/tokens.ts'
import { analyse, type Analysis } from '../sql/tree.ts'
import { broken, checkBroken } from './broken-rules.ts'
import { declaredTypes, readTypes } from './declared-types.ts'
import { checkPrefix as prefix, mustBeFree } from './named-keys.ts'
import { located, tableOf, type PerformContext } from './perform-context.ts'

/** `sql`: with the columns as they are called now. */
export type RowCheck = { name: string; sql: string; columns: readonly string[] }

type Kept = { sql: string; columns: Record<string, number> }
type Described = Pick<TableMetadata, 'properties'>

/** A check goes with a column of it. */
export function rowChecks({ properties }: Described, fields: readonly Field[]): RowCheck[] {
  return Object.entries(properties).flatMap(([key, value]): RowCheck[] => {
    const kept = key.startsWith(prefix) ? keptOf(value) : undefined
    if (!kept) return []
    const found = new Map(
      Object.entries(kept.columns).map(([name, id]) => [name, fields.find((field) => field.id === id)?.name]),
    )
    const columns = [...found.values()]
    if (!columns.every((name) => name !== undefined)) return []
    const renamed = (name: string) => {
      const now = found.get(name)
      return now === undefined || now.toLowerCase() === name ? undefined : quoteName(now)
    }
    return [{ name: key.slice(prefix.length), columns, sql: withColumns(kept.sql, renamed) }]
  })
}

/** Undefined for what somebody else wrote there. */
function keptOf(text: string): Kept | undefined {
  try {
    const { sql, columns } = JSON.parse(text) as Partial<Kept>
    const isWhole = typeof sql === 'string' && typeof columns === 'object' && columns !== null
    return isWhole && Object.values(columns).every((id) => Number.isInteger(id)) ? { sql, columns } : undefined
  } catch {
    return undefined
  }
}

/** The text with something else for those of its names that may be columns; they are asked for in small letters. */
function withColumns(sql: string, inPlaceOf: (name: string) => string | undefined): string {
  const all = [...tokens(sql)]
  const edits = all.flatMap((token, at): Edit[] => {
    const isCall = token.kind === 'word' && all[at + 1]?.text === '('
    if (!isName(token) || isCall || all[at - 1]?.text === '.' || all[at - 1]?.text === '::') return []
    const other = inPlaceOf(nameOf(token).toLowerCase())
    return other === undefined ? [] : [{ start: token.start, end: token.end, text: other }]
  })
  return splice(sql, edits).text
}

/** Without the name of the table before its columns: it may be called otherwise one day, and rows that come have none. */
function ofRow(sql: string, { name: table }: TableName, fields: readonly Pick<Field, 'name'>[]): string {
  const isColumn = (name: string) => fields.some((field) => field.name.toLowerCase() === name.toLowerCase())
  const all = [...tokens(sql)]
  const edits = all.flatMap((token, at): Edit[] => {
    const [before, dot, column] = [all[at - 1], all[at + 1], all[at + 2]]
    if (!isName(token) || before?.text === '.' || dot?.text !== '.' || !column || !isName(column)) return []
    if (nameOf(token).toLowerCase() !== table.toLowerCase() || !isColumn(nameOf(column))) return []
    return [{ start: token.start, end: dot.end, text: '' }]
  })
  return splice(sql, edits).text
}

/** The checks that speak of one of these columns. */
export function checksOf(metadata: TableMetadata, fieldIds: readonly number[]): RowCheck[] {
  const { fields } = currentSchema(metadata)
  const names = fields.filter(({ id }) => fieldIds.includes(id)).map(({ name }) => name)
  return rowChecks(metadata, fields).filter(({ columns }) => columns.some((name) => names.includes(name)))
}

export const namedCheck = (metadata: TableMetadata, name: string): string | undefined =>
  rowChecks(metadata, currentSchema(metadata).fields).find((one) => one.name.toLowerCase() === name.toLowerCase())?.name

export const dropCheck = (metadata: TableMetadata, name: string): TableChange =>
  changeProperties(metadata, { remove: [prefix + name] })

export function renameCheck(metadata: TableMetadata, name: string, to: string): TableChange {
  const value = metadata.properties[prefix + name]!
  return changeProperties(metadata, { remove: [prefix + name], set: { [prefix + to]: value } })
}

type Checked = Described & { fields: readonly Field[] }

/**
 * The rows of a SELECT, as the table keeps them, which fails where one of them does not meet a check of the table.
 * @throws SQL_REFUSED where a check is none that may be run
 */
export async function meetingChecks(
  select: string,
  target: TableName,
  { properties, fields }: Checked,
  how: Asking,
): Promise<string> {
  const checks = rowChecks({ properties }, fields)
  if (checks.length === 0) return select
  const types = readTypes(declaredTypes({ properties }, { fields }))
  const conditions = checks.map(({ sql, columns }) => asRead(sql, columns, types))
  await checkOfRow(conditions, target, fields, how)
  const cases = checks.map(
    ({ name }, at) =>
      `WHEN ((${conditions[at]}\n)) IS NOT DISTINCT FROM false THEN error(${quoteText(checkBroken(target, name))})`,
  )
  const first = quoteName(fields[0]!.name)
  return `SELECT * REPLACE (CASE ${cases.join(' ')} ELSE ${first} END AS ${first}) FROM (${select}\n) AS checked`
}

type Asking = { engine: Engine; signal?: AbortSignal | undefined }

/** Columns that are read as another type than they are kept as are that in conditions, too. */
function asRead(sql: string, columns: readonly string[], types: ReadonlyMap<string, string>): string {
  const typed = new Map(columns.flatMap((name) => (types.has(name) ? [[name.toLowerCase(), name]] : [])))
  return withColumns(sql, (one) => {
    const name = typed.get(one)
    return name === undefined ? undefined : `CAST(${quoteName(name)} AS ${types.get(name)!})`
  })
}

/** @throws SQL_REFUSED for conditions that ask for more than the columns of a row */
export async function checkOfRow(
  conditions: readonly string[],
  target: TableName,
  fields: readonly Pick<Field, 'name'>[],
  { engine, signal }: Asking,
): Promise<void> {
  const json = await treeText(engine, `SELECT ${conditions.map((one) => `(${one}\n)`).join(', ')}`, signal)
  const wrong = json.startsWith('{"error":true') ? 'it is not one condition' : notOfRow(analyse(json), fields)
  if (wrong === undefined) return
  throw new Failure('SQL_REFUSED', `a check of ${showName(target)} cannot be carried out: ${wrong}`, {
    hint: 'A check is a condition on the columns of a row; ALTER TABLE … DROP CONSTRAINT takes one away.',
  })
}

/** What a check has that is not of the row. */
function notOfRow(
  { tables, relations, volatile, session, parameters }: Analysis,
  fields: readonly Pick<Field, 'name'>[],
): string | undefined {
  if (tables.length > 0 || relations.length > 0) return 'it reads other rows'
  // A column may be called as such a function is.
  const columns = new Set(fields.map(({ name }) => name.toLowerCase()))
  const changing = [...session.map(({ word }) => word), ...volatile].find((word) => !columns.has(word))
  if (changing !== undefined) return `${changing} is another each time, or for each asker`
  return parameters ? 'it has parameters' : undefined
}

/** Conditions become those of the table; the rows that are there have to meet them. */
export async function addChecks(
  written: readonly WrittenCheck[],
  target: TableName,
  context: PerformContext,
): Promise<void> {
  const { changes, options, at } = context
  for (const check of written) {
    const { condition } = check
    const { metadata } = await tableOf(target, changes, 'change')
    const { fields } = currentSchema(metadata)
    await context.checkOfRow(condition.sql, fields)
    const text = compose`SELECT (${condition}) AS holds FROM ${quoteTable(target)}`
    const [bound] = await located(text, at, context.bind(text.sql))
    if (bound!.type !== 'BOOLEAN')
      throw new Failure('SQL_INVALID', `a CHECK says whether a row is right, and this is ${bound!.type}`, {
        place: at(condition.start),
        sqlState: '42804',
      })
    const columns: Record<string, number> = {}
    const sql = ofRow(condition.sql, target, fields)
    withColumns(sql, (name) => {
      const field = fields.find((one) => one.name.toLowerCase() === name)
      if (field) columns[name] = field.id
      return undefined
    })
    if (check.name !== undefined) mustBeFree(metadata, check.name, 'check')
    const name = check.name ?? nameFor(metadata, target, columns)
    if (check.holdsAlready !== true) await checkRows(condition, name, target, context)
    const kept: Kept = { sql, columns }
    await changes.alter(
      target,
      [
        (now) => {
          if (now.currentSnapshotId !== metadata.currentSnapshotId)
            throw new Failure('COMMIT_CONFLICT', 'rows came or went while a check was added')
          const { updates, requirements } = changeProperties(now, { set: { [prefix + name]: JSON.stringify(kept) } })
          const snapshotId = now.currentSnapshotId
          return {
            updates,
            requirements: [...requirements, { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId }],
          }
        },
      ],
      options,
    )
  }
}

async function checkRows(
  condition: Piece,
  name: string,
  target: TableName,
  { rows, at }: PerformContext,
): Promise<void> {
  const text = compose`SELECT 1 FROM ${quoteTable(target)} WHERE NOT (${condition}) LIMIT 1`
  const [found] = await located(text, at, rows(text.sql))
  if (found)
    throw new Failure(
      'QUERY_FAILED',
      `check constraint "${name}" of relation "${target.name}" is violated by some row`,
      {
        hint: 'Change those rows by UPDATE or DELETE, or write NOT VALID behind it: then only rows that come are looked at.',
        sqlState: '23514',
        ...broken(target, { constraint: name }),
      },
    )
}

/** What PostgreSQL calls one that has no name. */
function nameFor(metadata: TableMetadata, { name: table }: TableName, columns: Record<string, number>): string {
  const names = Object.keys(columns)
  const whole = [table, ...(names.length === 1 ? names : []), 'check'].join('_')
  for (let count = 0; ; count++) {
    const name = count === 0 ? whole : `${whole}${count}`
    if (!(prefix + name in metadata.properties)) return name
  }
}
