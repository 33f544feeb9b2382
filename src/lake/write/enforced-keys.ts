// Keys that rows are held to which are written here. No index tells which keys there are: of the files that may hold one of
// those that come their columns are read, and what others commit meanwhile is looked at by the same bounds.

import { Failure } from '../../base/failure.ts'
import type { LoadedTable, TableName } from '../../catalog/index.ts'
import { currentSchema, type Field, type Predicate, type TableMetadata } from '../../iceberg/index.ts'
import type { Prepared } from '../prepare.ts'
import { changedAlias } from '../sources.ts'
import { compose } from '../sql/compose.ts'
import { quoteName, quoteTable } from '../sql/tokens.ts'
import { broken } from './broken-rules.ts'
import { declaredTypes, readTypes } from './declared-types.ts'
import { between, isOrdered } from './key-bounds.ts'
import type { UniqueKey } from './named-keys.ts'
import { located, type PerformContext } from './perform-context.ts'

export type Holding = {
  keys: readonly UniqueKey[]
  /** A SELECT over the table as it is before the rows come. */
  prepare(sql: string): Promise<Prepared>
  rows(sql: string): Promise<unknown[][]>
}

/** `come`: the rows that come, as the table keeps them; `gone`: the places of those that go, if any do. Both stand behind FROM. */
export type Moving = { come: string; gone?: string }

/** Rows of others by which a key could be there twice, as a filter of their files; undefined: any could. */
export type Held = { others: Predicate | undefined }

/** What stands behind FROM is called as no column is. */
const [come, gone, there, held] = ['_boathouse_come', '_boathouse_gone', '_boathouse_there', '_boathouse_held']

/** @throws QUERY_FAILED (23505) when a key would be there twice */
export async function holdKeys({ name, metadata }: LoadedTable, moving: Moving, holding: Holding): Promise<Held> {
  const keys = holding.keys.map((key) => keyOf(key, metadata))
  for (const key of keys) {
    const [twice] = await holding.rows(twiceIn(`SELECT ${asRead(key)} FROM ${moving.come} AS ${come}`, key))
    if (twice) throw isTwice(name, key, twice)
  }
  const conditions: (string | undefined)[] = []
  for (const key of keys) conditions.push(await boundsOf(key, moving, holding))
  const columns = [...new Set(keys.flatMap((key) => key.columns.map(quoteName)))].join(', ')
  const isKnown = conditions.every((one) => one !== undefined)
  const where = isKnown ? ` WHERE ${conditions.join(' OR ')}` : ''
  const table = `(SELECT * FROM ${quoteTable(name)} AS ${changedAlias}${where})`
  const prepared = await holding.prepare(`SELECT ${columns}, _boathouse_file, _boathouse_pos FROM ${table} AS ${there}`)
  const { sql, scans, lease } = await prepared.execute()
  try {
    for (const key of keys) await noneThere(name, key, sql, moving, holding)
    return { others: scans.find(({ isChanged }) => isChanged)?.predicate }
  } finally {
    lease.release()
  }
}

/** @throws QUERY_FAILED (23505) when two rows that are there are alike in a key */
export async function keysHeld(target: TableName, key: UniqueKey, { rows, at }: PerformContext): Promise<void> {
  const text = compose`${twiceIn(`SELECT * FROM ${quoteTable(target)}`, key)}`
  const [twice] = await located(text, at, rows(text.sql))
  if (!twice) return
  const { name, columns } = key
  throw new Failure('QUERY_FAILED', `could not create unique index "${name}"`, {
    sqlState: '23505',
    ...broken(target, { constraint: name }),
    detail: `Key (${columns.join(', ')})=(${twice.map(String).join(', ')}) is duplicated.`,
    hint: `Several rows have the key (${columns.join(', ')}) = (${twice.map(String).join(', ')}): change or delete them, or write NOT ENFORCED behind the key.`,
  })
}

/** `types`: those that columns are read as, where they are kept as others. */
type Key = UniqueKey & { fields: readonly Field[]; types: ReadonlyMap<string, string> }

function keyOf(key: UniqueKey, metadata: TableMetadata): Key {
  const schema = currentSchema(metadata)
  const fields = key.columns.map((column) => schema.fields.find((field) => field.name === column)!)
  return { ...key, fields, types: readTypes(declaredTypes(metadata, schema)) }
}

/** The columns of a key of rows that come, to be compared with those that are there. */
const asRead = ({ columns, types }: Key): string =>
  columns
    .map((column) => {
      const [name, type] = [quoteName(column), types.get(column)]
      return type === undefined ? name : `CAST(${name} AS ${type}) AS ${name}`
    })
    .join(', ')

/** Nothing is like a key with a null in it. */
const known = (columns: readonly string[]) => columns.map((column) => `${quoteName(column)} IS NOT NULL`).join(' AND ')
const texts = (columns: readonly string[], of: string) =>
  columns.map((column) => `CAST(${of}.${quoteName(column)} AS VARCHAR)`).join(', ')

const twiceIn = (select: string, { columns }: UniqueKey): string =>
  `SELECT ${texts(columns, held)} FROM (${select}) AS ${held} WHERE ${known(columns)} GROUP BY ${columns.map((one) => `${held}.${quoteName(one)}`).join(', ')} HAVING count(*) > 1 LIMIT 1`

async function noneThere(name: TableName, key: Key, table: string, moving: Moving, { rows }: Holding): Promise<void> {
  const on = key.columns.map((column) => `${come}.${quoteName(column)} = ${there}.${quoteName(column)}`).join(' AND ')
  const stays = moving.gone
    ? ` WHERE NOT EXISTS (SELECT 1 FROM ${moving.gone} AS ${gone} WHERE ${gone}._boathouse_file = ${there}._boathouse_file AND ${gone}._boathouse_pos = ${there}._boathouse_pos)`
    : ''
  const coming = `SELECT ${asRead(key)} FROM ${moving.come} AS ${come}`
  const [found] = await rows(
    `SELECT ${texts(key.columns, come)} FROM (${table}\n) AS ${there} JOIN (${coming}) AS ${come} ON ${on}${stays} LIMIT 1`,
  )
  if (found) throw isTwice(name, key, found)
}

/** A condition that the rows meet whose key may be one of those that come; undefined where none can be said. */
async function boundsOf(
  { columns, fields, types }: Key,
  moving: Moving,
  { rows }: Holding,
): Promise<string | undefined> {
  const usable = fields.filter((field) => isOrdered(field, types))
  if (usable.length === 0) return undefined
  const bounds = usable.flatMap(({ name }) => [`min(${quoteName(name)})::VARCHAR`, `max(${quoteName(name)})::VARCHAR`])
  const [row] = await rows(`SELECT ${bounds.join(', ')} FROM ${moving.come} AS ${come} WHERE ${known(columns)}`)
  const conditions = usable.map((field, at) => {
    const [least, greatest] = row!.slice(at * 2) as [string | null, string | null]
    return least === null || greatest === null ? 'false' : between(field, least, greatest)
  })
  const said = conditions.filter((one) => one !== undefined)
  return said.length === 0 ? undefined : `(${said.join(' AND ')})`
}

/** The words of PostgreSQL, whose clients look for them. */
const isTwice = (table: TableName, { name, columns }: UniqueKey, values: readonly unknown[]): Failure =>
  new Failure('QUERY_FAILED', `duplicate key value violates unique constraint "${name}"`, {
    sqlState: '23505',
    ...broken(table, { constraint: name }),
    detail: `Key (${columns.join(', ')})=(${values.map(String).join(', ')}) already exists.`,
    hint: `There is a row with the key (${columns.join(', ')}) = (${values.map(String).join(', ')}), or it is given twice; INSERT … ON CONFLICT says what becomes of such rows.`,
  })
