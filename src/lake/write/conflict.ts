// INSERT … ON CONFLICT, INSERT OR REPLACE and INSERT OR IGNORE. No index tells whether a key is there already, so what is
// given is joined with the table, as by MERGE: in the same commit, and looked at beside what other writers did by the same rules.

import { Failure } from '../../base/failure.ts'
import { showName, type LoadedTable, type TableName } from '../../catalog/index.ts'
import { currentSchema, fieldById, type TableMetadata } from '../../iceberg/index.ts'
import { compose, type Composed } from '../sql/compose.ts'
import type { Conflict, MergeClause, RowChange } from '../sql/row-change.ts'
import { quoteName, quoteTable } from '../sql/tokens.ts'
import { appendProjection } from './columns.ts'
import { writtenSchema, type WrittenField } from './computed-defaults.ts'
import { numberedFields } from './numbered.ts'
import { columnOf, located, type PerformContext } from './perform-context.ts'
import type { Merge } from './perform-rows.ts'
import { enforcedKeys, primaryOf, uniqueKeys, type UniqueKey } from './named-keys.ts'

/** How the rows that were given are numbered. */
export const givenOrder = '_boathouse_given'
/** What stands behind FROM is called as no column is. */
const [rowsGiven, rowsThere] = ['_boathouse_rows', '_boathouse_there']
/** What the row that was given is called. */
export const excluded = 'excluded'

/** Of what an INSERT gives: the columns that it names a value for. */
export type Given = { columns: ReadonlySet<string> }

/** The MERGE that an INSERT is; `text` gives its rows. */
export async function asMerge(
  { alias, returning }: Pick<RowChange, 'alias' | 'returning'>,
  conflict: Conflict,
  text: Composed,
  { name: target, metadata }: LoadedTable,
  given: Given,
  { at, bind }: Pick<PerformContext, 'at' | 'bind'>,
): Promise<Merge> {
  const { does } = conflict
  const held = new Set(enforcedKeys(metadata, target.name).map(({ columns }) => columns.join('\0')))
  const schema = writtenSchema(metadata)
  const [key, ...others] = keysMet(conflict, target, metadata, given)
  // What a declared type refuses is refused where the rows are written: in here it would be a function that nobody may call.
  const fields = schema.fields.map((field: WrittenField) => ({ ...field, declared: undefined }))
  const columns = appendProjection(target, { ...schema, fields }, await located(text, at, bind(text.sql)))
  const all = compose`SELECT ${columns.join(', ')}, row_number() OVER () AS ${givenOrder} FROM (${text}) AS ${rowsGiven}`
  const from =
    does.kind !== 'nothing'
      ? compose`(${all})`
      : others.length > 0
        ? takenByNoKey(all, [key, ...others], target)
        : compose`(SELECT * FROM (${all}) AS ${rowsGiven} QUALIFY ${rankIn(key)} = 1)`
  const matched: MergeClause[] =
    does.kind === 'nothing'
      ? []
      : does.kind === 'replace'
        ? [{ when: 'matched', and: undefined, action: { kind: 'update', set: 'all' } }]
        : [{ when: 'matched', and: does.where, action: { kind: 'update', set: does.set } }]
  return {
    alias,
    returning,
    source: { from, alias: excluded },
    on: key,
    // Rows that come are held to those keys at any rate.
    others: others.every((one) => held.has(one.join('\0'))) ? [] : others,
    clauses: [...matched, { when: 'not-matched', and: undefined, action: { kind: 'insert-all', byName: false } }],
    key,
    inserts: does.kind === 'nothing' ? 'or-nothing' : 'or-updates',
  }
}

/** As which a row comes of those with its key. A row without a key is like no other. */
const rankIn = (key: readonly string[]): string =>
  `CASE WHEN ${isBlank(key)} THEN 1 ELSE row_number() OVER (PARTITION BY ${listOf(key)} ORDER BY ${givenOrder}) END`
const isBlank = (key: readonly string[]): string => key.map((name) => `${quoteName(name)} IS NULL`).join(' OR ')
const listOf = (key: readonly string[]): string => key.map(quoteName).join(', ')

/**
 * The rows that go in, one after the other, where what has a key of any that is there is left out. Whether a row is left out for
 * the sake of one that is itself left out cannot be told without going through them one by one: that is refused.
 */
function takenByNoKey(all: Composed, keys: readonly (readonly string[])[], target: TableName): Composed {
  const isNew = keys.map(
    (key) =>
      `NOT EXISTS (SELECT 1 FROM ${quoteTable(target)} AS ${rowsThere} WHERE ${key.map((name) => `${rowsThere}.${quoteName(name)} = ${rowsGiven}.${quoteName(name)}`).join(' AND ')})`,
  )
  const rank = (at: number) => `_boathouse_rank_${at}`
  const ranks = keys.map((key, at) => `${rankIn(key)} AS ${rank(at)}`)
  const isTaken = keys.map((_, at) => `${rank(at)} = 1`).join(' AND ')
  const isLeft = keys
    .map(
      (key, at) =>
        `(${rank(at)} > 1 AND first_value(${isTaken}) OVER (PARTITION BY ${listOf(key)} ORDER BY ${givenOrder}))`,
    )
    .join(' OR ')
  const doubtful = `CAST('rows of one statement that are like each other by several keys: give them in several statements' AS BOOLEAN)`
  return compose`(SELECT * EXCLUDE (${keys.map((_, at) => rank(at)).join(', ')}) FROM (SELECT *, ${ranks.join(', ')} FROM (${all}) AS ${rowsGiven} WHERE ${isNew.join(' AND ')}) AS ${rowsGiven}
    QUALIFY CASE WHEN ${isTaken} THEN true WHEN ${isLeft} THEN false ELSE ${doubtful} END)`
}

type Keys = readonly [string[], ...string[][]]

/** What the row that was given is looked for by: of several keys each may find one. */
function keysMet({ key, does }: Conflict, target: TableName, metadata: TableMetadata, given: Given): Keys {
  const schema = currentSchema(metadata)
  const primary = schema.identifierFieldIds.map((id) => fieldById(schema, id)?.path ?? '')
  const unique = uniqueKeys(metadata)
  if (Array.isArray(key)) return [key.map((column) => columnOf(column, schema, target).name)]
  const named = [
    ...(primary.length > 0 ? [{ name: primaryOf(metadata, target.name), columns: primary }] : []),
    ...unique,
  ]
  if (key !== undefined) return [constraintNamed(key, named, target)]
  if (named.length === 0)
    throw new Failure('SQL_INVALID', `${showName(target)} has no identifier fields to find rows by`, {
      hint: 'Write the columns of the key, ON CONFLICT (id), or give it the fields: ALTER TABLE … SET IDENTIFIER FIELDS id.',
    })
  const distinct = new Map(named.map(({ columns }) => [columns.join('\0'), [...columns]]))
  const [first, ...others] = [...distinct.values()].filter((one) => mayMeet(one, metadata, given))
  if (!first)
    throw new Failure('SQL_INVALID', `no row of ${showName(target)} is like one whose key is numbered when it comes`, {
      hint: 'Write the columns that may be there already: ON CONFLICT (code).',
    })
  if (others.length > 0 && does.kind !== 'nothing')
    throw new Failure('SQL_UNSUPPORTED', `${showName(target)} has several keys, and each may find another row`, {
      hint: `Write the columns of the one that is meant: ${[first, ...others].map((one) => `ON CONFLICT (${one.join(', ')})`).join(' or ')}.`,
    })
  return [first, ...others]
}

function constraintNamed(name: string, all: readonly UniqueKey[], target: TableName): string[] {
  const found = all.find((one) => one.name.toLowerCase() === name.toLowerCase())
  if (found) return [...found.columns]
  const names = all.map((one) => one.name)
  throw new Failure('NOT_FOUND', `constraint "${name}" for table "${target.name}" does not exist`, {
    hint: names.length > 0 ? `There are ${names.join(', ')}.` : 'Write the columns of the key: ON CONFLICT (id).',
    sqlState: '42704',
  })
}

/** Whether rows may be found by a key: not where a column of it is a new value for each, or nothing. */
function mayMeet(key: readonly string[], metadata: TableMetadata, { columns }: Given): boolean {
  const { fields } = writtenSchema(metadata)
  const numbered = new Set(numberedFields(metadata).map(({ field }) => field.name))
  return key.every((name) => {
    const field: WrittenField | undefined = fields.find((one) => one.name === name)
    const isFixed = field?.writeDefault !== undefined && field.computed === undefined && !numbered.has(name)
    return columns.has(name.toLowerCase()) || isFixed
  })
}
