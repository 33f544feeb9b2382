// What stands between a table and somebody who may see a part of it: a subquery that gives the columns they may see, masks in
// place of values, and the rows that the row filters leave.
//
//   (SELECT * FROM (SELECT columns, masks FROM table WHERE filters) USING SAMPLE 100 PERCENT (system))
//
// The sample keeps every row and costs a comparison for each 2,048 of them. It is there because DuckDB's optimiser moves no
// condition and no expression below a sample (guard.test.ts holds the pinned DuckDB to it): without it, a condition of the asker
// may run before the policy's on rows that are hidden, and `CAST(secret AS INT)` or `error(secret)` tells a value in its
// message. What of the asker's conditions is a mere comparison with a constant cannot fail: it is put inside again, and files
// and row groups are left out by it as for everybody else.
//
// Columns are known by their field ids, so that a table of then, with other names, shows no more than that of now.
//
// A row filter may ask other tables (`region IN (SELECT region FROM access.regions WHERE who = current_user)`). These are read
// as they are now and whole, with the rights of whoever wrote the policy, whatever moment and columns the asker may see.

import { Failure, type Place } from '../../base/failure.ts'
import type { Log } from '../../base/log.ts'
import { showName, type Loaded, type LoadedTable } from '../../catalog/index.ts'
import { EngineFailure } from '../../engine/index.ts'
import { engineFailure } from '../answers/engine-failure.ts'
import type { Decision, Subject } from '../../govern/index.ts'
import { currentSchema, type Field, type Predicate, type Schema } from '../../iceberg/index.ts'
import type { Piece, Source } from '../sources.ts'
import { placesOf, type NamedTable } from '../sql/splice.ts'
import type { Analysis } from '../sql/tree.ts'
import { mayDependOnZone } from './zones.ts'
import { quoteName } from '../sql/tokens.ts'
import { pastNamesOf } from './past-names.ts'
import { withAsker } from './policy-sql.ts'
import { literalSql, sqlType } from '../types.ts'

export type Guard = {
  /**
   * A SELECT in parentheses over `from`, a table's name or a SELECT in parentheses. `text` writes a condition with what stands
   * for its tables. `open`: without the barrier, for the planning host, which has no rows. `predicate`: a condition on columns
   * of `from` that cannot fail.
   */
  sql(from: string, how: { text: (condition: Piece) => string; open?: boolean; predicate?: string | undefined }): string
  /** False when only columns are left out: then every row and value that is shown is what it is. */
  hides: boolean
  /** Whether another time zone might hide less. */
  dependsOnZone(): boolean
  /** The columns whose values are shown as they are. */
  plain: ReadonlySet<string>
}

type World = {
  asker: Subject
  /** The checked tree of a SELECT. */
  analyse(sql: string): Promise<Analysis | undefined>
  /** A table that a row filter reads: all of it, as of now. */
  tableOf(named: NamedTable): Promise<Source>
  /** A condition over the empty shadows of its tables. */
  shadowed(condition: Piece): string
  /** Fails when a SELECT over the empty shadows of the statement's tables does not bind. */
  bind(sql: string): Promise<unknown>
  /** Functions of the policy whose answers change. */
  volatile: string[]
  log: Log
}

/** What is read: as a table of now or of then, or as a view. */
type Guarded = {
  loaded: Loaded
  /** The columns that `from` has. */
  schema: Schema
  /** Names of columns that it has besides, which are shown. */
  extra: readonly string[]
  /** What stands for it on the planning host. */
  shadow: () => string
  place: Place
}

/** Undefined when the decision shows everything. @throws FORBIDDEN when the policy cannot be carried out: nothing is shown then */
export async function guardOf(decision: Decision, guarded: Guarded, world: World): Promise<Guard | undefined> {
  const { columns, filters, masks } = decision
  if (columns === 'all' && filters.length === 0 && masks.size === 0) return undefined
  try {
    return await makeGuard({ columns, filters, masks }, guarded, world)
  } catch (error) {
    if (error instanceof Failure && error.code === 'FORBIDDEN') throw error
    if (!(error instanceof Failure) && !(error instanceof EngineFailure)) throw error
    const name = showName(guarded.loaded.name)
    // What is wrong may name columns that the asker is not to know of.
    world.log.error('a policy cannot be carried out', { table: name, reason: error.message })
    throw new Failure('FORBIDDEN', `the row filters or masks of ${name} cannot be applied to it`, {
      place: guarded.place,
      // Shown by no door: for `access check`, on the machine of the server.
      cause: error,
      hint: 'Ask an administrator: `boathouse access check` and the log of the server tell what is wrong.',
    })
  }
}

async function makeGuard(
  { columns, filters, masks }: Pick<Decision, 'columns' | 'filters' | 'masks'>,
  guarded: Guarded,
  world: World,
): Promise<Guard | undefined> {
  const { loaded, schema, extra, shadow } = guarded
  const fields = fieldsOf(loaded, schema)
  const shown = fields.filter(({ names }) => columns === 'all' || names.some((name) => columns.has(name)))
  if (shown.length === 0) throw new Failure('FORBIDDEN', `no column of ${showName(loaded.name)} may be selected`)
  // One after the other: each of their tables gets a place of its own among those of the statement.
  const conditions: Piece[] = []
  for (const text of filters) conditions.push(await conditionOf(text, world))
  const outputs = await Promise.all(
    shown.map(async ({ field, pastNames }) => {
      const mask = masks.size === 0 ? undefined : maskOf(masks, pastNames)
      return { field, mask: mask === undefined ? undefined : await checked(mask, world) }
    }),
  )
  const isMasked = outputs.some(({ mask }) => mask !== undefined)
  const hides = conditions.length > 0 || isMasked
  if (!hides && shown.length === fields.length) return undefined

  // Filters and masks speak of the columns as they are called now.
  const renamed = hides && loaded.kind === 'table' ? ofNow(loaded, schema, filters) : undefined
  // As in a SELECT from it: what a subquery of a filter compares with is told from its own columns by the table's name.
  const alias = quoteName(loaded.name.name)
  const inner = ({ id, name }: Field) => `${alias}.${quoteName(renamed ? `_id_${id}` : name)}`
  const projection = [
    ...outputs.map(({ field, mask }) => {
      const { name, type } = field
      // A mask of another type is a mask all the same, and one that cannot be cast hides the value.
      return mask === undefined
        ? `${inner(field)} AS ${quoteName(name)}`
        : `TRY_CAST((${mask}\n) AS ${sqlType(type)}) AS ${quoteName(name)}`
    }),
    ...extra.map((name) => quoteName(name)),
  ].join(', ')

  const guard: Guard = {
    hides,
    dependsOnZone: () =>
      mayDependOnZone(
        [...conditions, ...outputs.flatMap(({ mask }) => (mask === undefined ? [] : [{ sql: mask, tables: [] }]))],
        [...schema.fields, ...(loaded.kind === 'table' ? currentSchema(loaded.metadata).fields : [])],
      ),
    plain: new Set(outputs.flatMap(({ field, mask }) => (mask === undefined ? [field.name] : []))),
    sql(from, { text, open = false, predicate }) {
      const source = renamed
        ? `(SELECT ${[...renamed.columns, ...extra.map(quoteName)].join(', ')} FROM ${from} AS _then${renamed.where}) AS ${alias}`
        : `${from} AS ${alias}`
      const where = [...(predicate === undefined || renamed ? [] : [predicate]), ...conditions.map(text)]
      const select = `SELECT ${projection} FROM ${source}${where.length > 0 ? ` WHERE ${where.map((one) => `(${one}\n)`).join(' AND ')}` : ''}`
      return hides && !open ? barrier(`(${select})`) : `(${select})`
    },
  }
  if (hides) await world.bind(`SELECT * FROM ${guard.sql(shadow(), { text: world.shadowed })}`)
  return guard
}

/** Nothing that is written around it is evaluated below. */
export const barrier = (from: string) => `(SELECT * FROM ${from} USING SAMPLE 100 PERCENT (system))`

type Known = {
  field: Field
  /** In lower case: under which a grant of columns may mean the field. */
  names: readonly string[]
  /** All that it was ever called: a mask does not fall off with the name, nor with the type. */
  pastNames: readonly string[]
}

/** The columns of `schema`, with the names that rules know them by. */
export function fieldsOf(loaded: Loaded, schema: Schema): Known[] {
  if (loaded.kind === 'view')
    return schema.fields.map((field) => ({
      field,
      names: [field.name.toLowerCase()],
      pastNames: [field.name.toLowerCase()],
    }))
  const now = new Map(currentSchema(loaded.metadata).fields.map(({ id, name }) => [id, name.toLowerCase()]))
  const pastNames = pastNamesOf(loaded.metadata)
  return schema.fields.map((field) => ({
    field,
    // A column that was dropped since is granted to nobody by its name: another may bear it now.
    names: now.has(field.id) ? [now.get(field.id)!] : [],
    pastNames: pastNames(field),
  }))
}

export const maskOf = (masks: ReadonlyMap<string, string>, names: readonly string[]): string | undefined =>
  names.map((name) => masks.get(name)).find((mask) => mask !== undefined)

/**
 * The columns of now out of a table of then, and those of then under their ids; undefined when they are called the same.
 * `where`: a value that is none of the type that its column has now passes no filter that speaks of it.
 */
function ofNow(
  { metadata }: LoadedTable,
  then: Schema,
  filters: readonly string[],
): { columns: string[]; where: string } | undefined {
  const now = currentSchema(metadata)
  const there = new Map(then.fields.map((field) => [field.id, field]))
  const same =
    now.fields.length === then.fields.length && now.fields.every(({ id, name }) => there.get(id)?.name === name)
  if (same) return undefined
  const pastNames = pastNamesOf(metadata)
  const columns: string[] = []
  const conditions: string[] = []
  for (const field of now.fields) {
    const replaced = there.has(field.id) ? undefined : replacedBy(then, now, pastNames(field))
    const old = there.get(field.id) ?? replaced
    const value = old && `_then.${quoteName(old.name)}`
    const cast = `${replaced ? 'TRY_CAST' : 'CAST'}(${value ?? 'NULL'} AS ${sqlType(field.type)})`
    columns.push(`${value && !replaced ? value : cast} AS ${quoteName(field.name)}`)
    if (replaced && filters.some((text) => text.toLowerCase().includes(field.name.toLowerCase())))
      conditions.push(`(${value} IS NULL OR ${cast} IS NOT NULL)`)
  }
  columns.push(...then.fields.map(({ id, name }) => `_then.${quoteName(name)} AS ${quoteName(`_id_${id}`)}`))
  return { columns, where: conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : '' }
}

/** The column of then that made way for one of now: with another type, or in a table that was replaced. */
function replacedBy(then: Schema, now: Schema, pastNames: readonly string[]): Field | undefined {
  const gone = then.fields.filter(({ id }) => !now.fields.some((one) => one.id === id))
  return pastNames.map((name) => gone.find((one) => one.name.toLowerCase() === name)).find((one) => one !== undefined)
}

/** A mask: an expression over the columns of its table. */
async function checked(text: string, world: World): Promise<string> {
  const wanted = 'a mask is an expression over the columns of its table'
  const { sql, analysis } = await analysed(text, world, wanted)
  if (analysis.tables.length > 0) throw new Failure('SQL_INVALID', wanted)
  return sql
}

/** A row filter with the tables that it asks. */
async function conditionOf(text: string, world: World): Promise<Piece> {
  const wanted = 'a row filter is a condition on the columns of its table'
  const { sql, whole, analysis } = await analysed(text, world, wanted)
  const places = placesOf(whole, analysis)
  const moved = <Range extends { start: number; end: number }>(range: Range): Range => ({
    ...range,
    start: range.start - opening.length,
    end: range.end - opening.length,
  })
  const tables: Piece['tables'] = []
  for (const named of places.tables) {
    if (!named || named.lead)
      throw new Failure('SQL_INVALID', 'a row filter names a table in a way that cannot be followed')
    tables.push({ named: moved(named), source: await world.tableOf(named) })
  }
  return { sql, edits: places.columns.map(moved), tables, hoist: false }
}

const opening = 'SELECT ('

/** What the policy says, for this asker, with the checked tree of `whole`, a SELECT of it. */
async function analysed(text: string, { asker, analyse, volatile }: World, wanted: string) {
  const sql = withAsker(text, asker)
  const whole = `${opening}${sql}\n)`
  const analysis = await analyse(whole)
  if (!analysis || analysis.show !== undefined) throw new Failure('SQL_INVALID', wanted)
  volatile.push(...analysis.volatile)
  return { sql, whole, analysis }
}

/** A condition of the planner as SQL over the columns of `schema`; undefined when a part of it is not a mere comparison. */
export function predicateSql(predicate: Predicate | undefined, schema: Schema): string | undefined {
  if (!predicate) return undefined
  const column = (id: number) => schema.fields.find((field) => field.id === id)
  switch (predicate.op) {
    case 'and': {
      const parts = predicate.of.map((one) => predicateSql(one, schema)).filter((one) => one !== undefined)
      return parts.length > 0 ? parts.join(' AND ') : undefined
    }
    case 'or': {
      const parts = predicate.of.map((one) => predicateSql(one, schema))
      return parts.includes(undefined) ? undefined : `(${parts.map((one) => `(${one})`).join(' OR ')})`
    }
    case '=':
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const field = column(predicate.field)
      return field && `${quoteName(field.name)} ${predicate.op} ${constant(field, predicate.value)}`
    }
    case 'in': {
      const field = column(predicate.field)
      return (
        field && `${quoteName(field.name)} IN (${predicate.values.map((value) => constant(field, value)).join(', ')})`
      )
    }
    case 'is_null':
    case 'not_null': {
      const field = column(predicate.field)
      return field && `${quoteName(field.name)} IS ${predicate.op === 'is_null' ? '' : 'NOT '}NULL`
    }
    default:
      return undefined
  }
}

const constant = ({ type }: Field, value: Parameters<typeof literalSql>[1]) =>
  `CAST(${literalSql(type, value)} AS ${sqlType(type)})`

/** A failure of a statement over tables of which something is hidden, without the values that it may tell. */
export function withoutValues(error: unknown): unknown {
  const failure = error instanceof EngineFailure ? engineFailure(error) : error
  if (!(failure instanceof Failure) || !told.has(failure.code)) return failure
  return new Failure('QUERY_FAILED', 'the query failed on a value', {
    hint: 'The message is not shown, because rows or columns of a table in it are hidden from you. Look for casts, divisions and functions that can fail; TRY_CAST and TRY give NULL instead.',
  })
}
/** Codes whose messages are DuckDB's, about values. */
const told: ReadonlySet<string> = new Set(['QUERY_FAILED', 'INTERNAL'])
