// INSERT, DELETE, UPDATE and MERGE as changes of a change set, with what RETURNING tells of their rows.

import { Failure } from '../../base/failure.ts'
import { didYouMean } from '../../base/suggest.ts'
import { showName, type LoadedTable, type TableName } from '../../catalog/index.ts'
import type { Privilege } from '../../govern/index.ts'
import {
  currentSchema,
  evolveSchema,
  type Field,
  type Schema,
  type TableMetadata,
  type Type,
} from '../../iceberg/index.ts'
import type { AlterStep } from './change-set.ts'
import { changedAlias } from '../sources.ts'
import { compose, Composed, qualified } from '../sql/compose.ts'
import type { Piece } from '../sql/reader.ts'
import { isDefault, type Assignment, type MergeClause, type MergeSource, type RowChange } from '../sql/row-change.ts'
import { isName, nameOf, quoteName, quoteTable, quoteText, tokens } from '../sql/tokens.ts'
import { sqlType, writtenColumn } from '../types.ts'
import { besideOf, type Beside } from './beside.ts'
import { appendProjection, defaultSql } from './columns.ts'
import { writtenSchema } from './computed-defaults.ts'
import { asMerge, givenOrder } from './conflict.ts'
import { changeDeclared, declaredByType, declaredTypes, readTypes } from './declared-types.ts'
import { equalColumns, isOrdered, type JoinKey, type KeyBounds } from './key-bounds.ts'
import {
  columnOf,
  located,
  sourceAlias,
  tableOf,
  withNames,
  type PerformContext,
  type Performed,
} from './perform-context.ts'
import { numberedFields, numberOfRow, type NumberedField } from './numbered.ts'
import { exactly, withCasts } from './value-casts.ts'
import { writtenRows } from './parameters.ts'
import { withPostgresTexts } from './postgres-texts.ts'
import { mergeAction, openReturning } from './returning.ts'
import { withRowIds } from './row-ids.ts'
import { refusal, type RowOperation } from './rows.ts'

type Statement<Kind extends RowChange['kind']> = Extract<RowChange, { kind: Kind }>
/** A MERGE as it was written, or what an INSERT with ON CONFLICT is. */
export type Merge = Pick<Statement<'merge'>, 'alias' | 'on' | 'clauses' | 'with' | 'returning'> & {
  source: Omit<MergeSource, 'from'> & { from: Piece | Composed }
  /** Of an INSERT: the key that rows are found by. Plain names mean the table's columns, and rows are told in the order in which they were given. */
  key?: readonly string[]
  /** Further keys: a row that is found by any is there. */
  others?: readonly (readonly string[])[]
  inserts?: 'or-nothing' | 'or-updates'
}

/** @throws FORBIDDEN, SQL_INVALID with the place where the statement is wrong */
export async function changeRows(written: RowChange, target: TableName, context: PerformContext): Promise<Performed> {
  const table = context.postgres ? await context.changes.load(target) : undefined
  const statement = table?.kind === 'table' ? withPostgresTexts(written, writtenSchema(table.metadata)) : written
  const beside = await readBeside(statement, target, context)
  const returning = await openReturning(statement, target, context, beside)
  if (!returning) return changedRows(statement, target, context)
  const options = { ...context.options, onRows: returning.onRows }
  const done = await changedRows(statement, target, { ...context, options }, beside)
  return { ...done, told: returning.told() }
}

/** What of other tables is to be told. */
async function readBeside(
  statement: RowChange,
  target: TableName,
  { changes, at, bind, postgres }: PerformContext,
): Promise<Beside | undefined> {
  if (statement.kind !== 'update' && statement.kind !== 'delete') return undefined
  const table = await tableOf(target, changes, statement.kind)
  const own = currentSchema(table.metadata).fields.map(({ name }) => name)
  return besideOf(statement, { own, postgres }, (text) => located(text, at, bind(text.sql)))
}

const valuesOf = (beside: Beside | undefined): string =>
  (beside?.columns ?? []).map(({ value }) => `, ${value}`).join('')

async function changedRows(
  statement: RowChange,
  target: TableName,
  context: PerformContext,
  beside?: Beside,
): Promise<Performed> {
  switch (statement.kind) {
    case 'insert':
      return inserted(statement, target, context)
    case 'delete':
      return statement.where || statement.using || statement.returning || (await context.seesPart(target))
        ? deleted(statement, target, context, beside)
        : truncated(target, context)
    case 'update':
      return updated(statement, target, context, beside)
    case 'merge':
      return merged(statement.evolves ? await evolved(statement, target, context) : statement, target, context)
  }
}

async function inserted(
  statement: Statement<'insert'>,
  target: TableName,
  context: PerformContext,
): Promise<Performed> {
  const { changes, options } = context
  const table = await tableOf(target, changes, 'insert into')
  const schema = writtenSchema(table.metadata)
  const fixed = partitionValues(statement.partition, schema, target)
  const isFixed = (name: string) => fixed.some(({ column }) => column.toLowerCase() === name.toLowerCase())
  const open = schema.fields.map(({ name }) => name).filter((name) => !isFixed(name))
  const names = statement.columns
    ? fieldsNamed(statement.columns, schema, target)
    : await asManyAsGiven(statement, open, context)
  const { conflict } = statement
  const source = withCasts(statement, names, schema)
  const columns = numberedFields(table.metadata)
  const select =
    'select' in source
      ? compose`${source.select}`
      : await rowsOf(source.rows, fieldsOf(names, schema, target), columns, table, context)
  const whole = compose`${after(statement.with)}${select}`
  // By position: the SELECT's columns take the table's names; DuckDB says when there are too many.
  const given = withFixed(statement.byName ? whole : withNames(whole, 'inserted', names), fixed)
  const text = columns.length > 0 ? await numbered(given, names, columns, table, statement, context) : given
  if (conflict) {
    const rows = 'rows' in source ? source.rows : statement.byName ? undefined : writtenRows(source.select)
    const isGiven = (_: string, at: number) => !rows || rows.some((row) => row[at] !== undefined && !isDefault(row[at]))
    const all = [...names.filter(isGiven), ...fixed.map(({ column }) => column)]
    const columns = new Set(all.map((name) => name.toLowerCase()))
    const merge = await asMerge(statement, conflict, text, table, { columns }, context)
    return merged(merge, target, context)
  }
  const replaced = statement.replaces ?? (statement.overwrite && fixed.length > 0 ? isOf(fixed) : undefined)
  if (replaced) return replacing(compose`${replaced}`, text, table, context)
  const work = statement.overwrite
    ? changes.overwrite(target, text.sql, options)
    : changes.append(target, text.sql, options)
  const done = await located(text, context.at, work).catch((error: unknown) => {
    throw statement.byName ? error : ofCount(error, names, target, statement, context)
  })
  return { rows: done.rowsWritten, changed: true }
}

/** Columns that are written, each once. */
function fieldsNamed(columns: readonly string[], schema: Schema, target: TableName): string[] {
  const seen = new Set<string>()
  for (const { name } of fieldsOf(columns, schema, target)) {
    if (seen.has(name)) throw new Failure('SQL_INVALID', `${name} is named twice`, { column: name })
    seen.add(name)
  }
  return [...columns]
}

/** A SELECT with fewer columns than are to be written, or more, told as that. */
function ofCount(
  error: unknown,
  names: readonly string[],
  target: TableName,
  { source }: Statement<'insert'>,
  { at }: PerformContext,
): unknown {
  if (!(error instanceof Failure) || error.code !== 'SQL_INVALID') return error
  const fewer = /table "inserted" has (\d+) columns? available/.exec(error.message)?.[1]
  if (fewer === undefined && !error.message.startsWith(`${showName(target)} has no column `)) return error
  const given = fewer === undefined ? 'more' : `${fewer}`
  return new Failure(
    'SQL_INVALID',
    `${names.length} columns of ${showName(target)} are written, and ${given} values given`,
    {
      cause: error,
      hint: 'Name the columns behind the table, or write BY NAME.',
      ...('select' in source ? { place: at(source.select.start) } : {}),
    },
  )
}

type Fixed = { column: string; value: Piece }

/** What all rows have in these columns. */
const partitionValues = (partition: Statement<'insert'>['partition'], schema: Schema, target: TableName): Fixed[] =>
  partition.flatMap(({ column, value }) => {
    const { name } = columnOf(column, schema, target)
    return value ? [{ column: name, value }] : []
  })

const withFixed = (text: Composed, fixed: readonly Fixed[]): Composed => {
  if (fixed.length === 0) return text
  const values = fixed.map(({ column, value }) => compose`(${value}) AS ${quoteName(column)}`)
  return compose`SELECT *, ${Composed.join(values, ', ')} FROM (${text}) AS partitioned`
}

const isOf = (fixed: readonly Fixed[]): Composed =>
  Composed.join(
    fixed.map(({ column, value }) =>
      value.sql.toLowerCase() === 'null'
        ? compose`${quoteName(column)} IS NULL`
        : compose`${quoteName(column)} = (${value})`,
    ),
    ' AND ',
  )

/** In one change: the rows of the condition go, those of the text come. */
async function replacing(
  where: Composed,
  text: Composed,
  { name: target, metadata }: LoadedTable,
  context: PerformContext,
): Promise<Performed> {
  const schema = writtenSchema(metadata)
  const given = await located(text, context.at, context.bind(text.sql))
  const come = appendProjection(target, schema, given)
  const gone = schema.fields.map(({ name }) => `NULL AS ${quoteName(name)}`)
  const [goneId, comeId] = metadata.formatVersion >= 3 ? [', _row_id', ', NULL::BIGINT'] : ['', '']
  const table = quoteName(target.name)
  const both = compose`SELECT ${rowPlace(table)}, false AS _boathouse_new, ${gone.join(', ')}${goneId} FROM ${changing(target)} AS ${table} WHERE (${where}) UNION ALL SELECT NULL, NULL, true, ${come.join(', ')}${comeId} FROM (${text}) AS written`
  const needs: readonly Privilege[] = ['insert', 'delete']
  const work = context.changes.changeRows(target, 'update', both.sql, { ...context.options, needs })
  return { rows: (await located(both, context.at, work)).rowsWritten, changed: true }
}

/** The table's columns; for PostgreSQL's clients as many as are given, where that are fewer: the others are left out. */
async function asManyAsGiven(
  { source, byName, with: clause }: Statement<'insert'>,
  names: readonly string[],
  { postgres, at, bind }: PerformContext,
): Promise<readonly string[]> {
  if (!postgres || byName) return names
  const rows = 'rows' in source ? source.rows : writtenRows(source.select)
  if (rows) {
    const count = rows[0]?.length
    return count !== undefined && rows.every((row) => row.length === count) ? names.slice(0, count) : names
  }
  const text = compose`${after(clause)}${(source as { select: Piece }).select}`
  return names.slice(0, (await located(text, at, bind(text.sql))).length)
}

export async function truncated(target: TableName, { changes, options, rows }: PerformContext): Promise<Performed> {
  await tableOf(target, changes, 'truncate')
  const { branch } = options
  const at = branch === undefined ? '' : ` AT (VERSION => ${quoteText(branch)})`
  const [[count] = []] = await rows(`SELECT count(*) FROM ${quoteTable(target)}${at}`)
  await changes.truncate(target, options)
  return { rows: Number(count), changed: true }
}

/** A WITH clause in front of what may name its tables. */
const after = (clause: Piece | undefined) => (clause ? compose`${clause} ` : '')

const fieldsOf = (names: readonly string[], schema: Schema, target: TableName) =>
  names.map((name) => columnOf(name, schema, target))

/** VALUES where some are the word DEFAULT; each row has a value for these columns. */
async function rowsOf(
  rows: readonly Piece[][],
  fields: readonly Field[],
  numbering: readonly NumberedField[],
  table: LoadedTable,
  context: PerformContext,
): Promise<Composed> {
  const { name: target } = table
  const all: readonly (Piece | undefined)[][] = rows.length > 0 ? rows : [fields.map(() => undefined)]
  const isLeft = (value: Piece | undefined) => !value || isDefault(value)
  const firsts = new Map<number, bigint>()
  for (const column of numbering) {
    const at = fields.findIndex(({ id }) => id === column.field.id)
    if (all.some((row) => at >= 0 && isLeft(row[at])))
      firsts.set(at, await context.takeNumbers(table, column, BigInt(all.length)))
  }
  const values = all.map((row, index) => {
    if (row.length !== fields.length)
      throw new Failure('SQL_INVALID', `INSERT is for ${fields.length} columns, and a row has ${row.length} values`)
    const items = row.map((value, at) => {
      const first = firsts.get(at)
      if (first !== undefined && isLeft(value)) return String(first + BigInt(index))
      return value ? valueOf(value, fields[at]!, target) : defaultValue(fields[at]!, target)
    })
    return compose`(${Composed.join(items, ', ')})`
  })
  return compose`VALUES ${Composed.join(values, ', ')}`
}

/** The rows with numbers in the columns that give them themselves, where the statement names none. */
async function numbered(
  text: Composed,
  byPlace: readonly string[],
  numbering: readonly NumberedField[],
  table: LoadedTable,
  { byName, overriding, source }: Statement<'insert'>,
  context: PerformContext,
): Promise<Composed> {
  const names = byName ? (await located(text, context.at, context.bind(text.sql))).map(({ name }) => name) : byPlace
  const named = new Set(names.map((name) => name.toLowerCase()))
  const written = 'rows' in source ? source.rows : byName ? undefined : writtenRows(source.select)
  const isOwn = ({ field, always }: NumberedField) => {
    const at = names.findIndex((name) => name.toLowerCase() === field.name.toLowerCase())
    return always && at >= 0 && (!written || written.some((row) => row[at] && !isDefault(row[at])))
  }
  const own = numbering.find(isOwn)
  if (own && !overriding)
    throw ownValue(own, 'Leave the column out, or write OVERRIDING SYSTEM VALUE before VALUES or SELECT.')
  const missing = numbering.filter(({ field }) => !named.has(field.name.toLowerCase()))
  if (missing.length === 0) return text
  const count = written ? BigInt(written.length) : await countOf(text, context)
  const items: string[] = []
  for (const column of missing) {
    const first = await context.takeNumbers(table, column, count)
    items.push(`${numberOfRow(first, count)} AS ${quoteName(column.field.name)}`)
  }
  return compose`SELECT *, ${items.join(', ')} FROM (${text}) AS numbered`
}

const ownValue = ({ field }: NumberedField, hint: string) =>
  new Failure('SQL_INVALID', `cannot insert a value of one's own into column "${field.name}"`, {
    hint,
    sqlState: '428C9',
  })

async function countOf(text: Composed, { at, rows }: PerformContext): Promise<bigint> {
  const counting = compose`SELECT count(*) FROM (${text}) AS counted`
  const [[count] = []] = await located(counting, at, rows(counting.sql))
  return BigInt(String(count ?? 0))
}

async function deleted(
  { alias, using, where, with: clause }: Statement<'delete'>,
  target: TableName,
  context: PerformContext,
  beside: Beside | undefined,
): Promise<Performed> {
  const { metadata } = await tableOf(target, context.changes, 'delete from')
  const name = quoteName(alias ?? target.name)
  const condition = where ? compose`(${conditionOn(where, writtenSchema(metadata), name, context)})` : 'true'
  // Every row goes once, however many rows of the other tables it meets; of those one is told.
  const met =
    using && beside
      ? compose`${condition} QUALIFY row_number() OVER (PARTITION BY ${name}._boathouse_file, ${name}._boathouse_pos) = 1`
      : using
        ? compose`EXISTS (SELECT 1 FROM ${using} WHERE ${condition})`
        : condition
  const read = using && beside ? compose`, ${using}` : ''
  const text = compose`${after(clause)}SELECT ${rowPlace(name)}, false AS _boathouse_new, ${name}.* EXCLUDE (${hidden(metadata)})${valuesOf(beside)}${rowId(name, metadata)} FROM ${changing(target)} AS ${name}${read} WHERE ${met}`
  return changed(text, 'delete', target, context)
}

async function updated(
  { alias, set, from, where, with: clause }: Statement<'update'>,
  target: TableName,
  context: PerformContext,
  beside: Beside | undefined,
): Promise<Performed> {
  const table = await tableOf(target, context.changes, 'update')
  const { metadata } = table
  const schema = writtenSchema(metadata)
  const name = quoteName(alias ?? target.name)
  const rows = compose`FROM ${changing(target)} AS ${name}${from ? compose`, ${from}` : ''} WHERE ${where ? compose`(${conditionOn(where, schema, name, context)})` : 'true'}`
  const numbers = new Map<number, string>()
  const renumbered = numberedAgain(set, numberedFields(metadata))
  const count = renumbered.length > 0 ? await countOf(compose`${after(clause)}SELECT 1 ${rows}`, context) : 0n
  for (const column of renumbered) {
    const first = await context.takeNumbers(table, column, count)
    numbers.set(column.field.id, numberOfRow(first, count))
  }
  const asItIs = (field: Field) => `${name}.${quoteName(field.name)}`
  const values = assigned(set, { schema, target, numbers }, asItIs)
  const text = compose`${after(clause)}SELECT ${rowPlace(name)}, true AS _boathouse_new, ${values}${valuesOf(beside)}${rowId(name, metadata)} ${rows}`
  const options = { ...context.options, sets: set.map(({ column }) => columnOf(column, schema, target).name) }
  return changed(text, 'update', target, { ...context, options })
}

/** The columns that get a number of their own again: `SET id = DEFAULT`. @throws SQL_INVALID for a value where only those are taken */
function numberedAgain(set: readonly Assignment[], numbering: readonly NumberedField[]): NumberedField[] {
  return numbering.filter(({ field, always }) => {
    const given = set.find(({ column }) => column.toLowerCase() === field.name.toLowerCase())
    if (!given) return false
    if (always && !isDefault(given.value))
      throw new Failure('SQL_INVALID', `column "${field.name}" can only be updated to DEFAULT`, {
        hint: 'It numbers its rows itself: GENERATED ALWAYS AS IDENTITY.',
        sqlState: '428C9',
      })
    return isDefault(given.value)
  })
}

const conditionOn = (where: Piece, schema: Schema, name: string, { postgres }: PerformContext) =>
  postgres ? withRowIds(where, schema, name) : where

/** The table gets the columns of the source that are written, and what it has of them besides is found by name. */
async function evolved(statement: Statement<'merge'>, target: TableName, context: PerformContext): Promise<Merge> {
  const { source, clauses, with: clause } = statement
  const { metadata } = await tableOf(target, context.changes, 'merge into')
  const whole = compose`${after(clause)}SELECT * FROM ${source.from} AS ${sourceAlias(source)}`
  const given = await located(whole, context.at, context.bind(whole.sql))
  const named = new Set<string>()
  let takesAll = false
  const wholly = clauses.map((one): MergeClause => {
    const { action } = one
    if (action.kind === 'insert') action.columns?.forEach((column) => named.add(column.toLowerCase()))
    if (action.kind === 'update' && Array.isArray(action.set))
      for (const { column, inside } of action.set) if (!inside) named.add(column.toLowerCase())
    const isInsert = action.kind === 'insert-all'
    if (!isInsert && !(action.kind === 'update' && !Array.isArray(action.set))) return one
    takesAll = true
    return { ...one, action: isInsert ? { kind: 'insert-all', byName: true } : { kind: 'update', set: 'by-name' } }
  })
  const read = given.filter(({ name }) => takesAll || named.has(name.toLowerCase()))
  const fields = read.map((column) => writtenColumn(column).field)
  const step = (now: TableMetadata) => evolveSchema(now, { caseSensitive: false }).unionForCasts({ fields }).change()
  const isThere = ({ fields }: Schema, name: string) =>
    fields.some((field) => field.name.toLowerCase() === name.toLowerCase())
  const typed = read.flatMap(({ name, type }): AlterStep[] => {
    const declared = isThere(currentSchema(metadata), name) ? undefined : declaredByType(type)
    if (declared === undefined) return []
    return [(now) => changeDeclared(now, columnOf(name, currentSchema(now), target), declared)]
  })
  if (step(metadata).updates.length > 0) await context.changes.alter(target, [step, ...typed], context.options)
  return { ...statement, clauses: wholly }
}

/**
 * Both sides are joined once; a number says which clause each pair falls under. A row of the table that meets several rows
 * of the source, and would be changed by them, is refused, as the standard has it.
 */
async function merged(
  { alias, source, on, clauses, with: clause, returning, key, others = [], inserts }: Merge,
  target: TableName,
  context: PerformContext,
): Promise<Performed> {
  const table = await tableOf(target, context.changes, 'merge into')
  const { metadata } = table
  const schema = writtenSchema(metadata)
  const [name, other] = [quoteName(alias ?? target.name), quoteName(source.alias)]
  const otherNamed = sourceAlias(source)
  const whole = compose`${after(clause)}SELECT * FROM ${source.from} AS ${otherNamed}`
  const read = (await located(whole, context.at, context.bind(whole.sql))).filter((one) => one.name !== givenOrder)
  const given = new Map(read.map((column) => [column.name.toLowerCase(), column.name]))
  const sameIn = (columns: readonly string[]) =>
    `(${columns.map((column) => `${name}.${quoteName(column)} = ${other}.${quoteName(column)}`).join(' AND ')})`
  const condition = Array.isArray(on) ? [on, ...others].map(sameIn).join(' OR ') : compose`(${on})`
  const isMatched = `(${name}._boathouse_in_table AND ${other}._boathouse_in_source)`
  const kinds: Record<MergeClause['when'], string> = {
    matched: isMatched,
    'not-matched': `(${other}._boathouse_in_source AND ${name}._boathouse_in_table IS NULL)`,
    'not-matched-by-source': `(${name}._boathouse_in_table AND ${other}._boathouse_in_source IS NULL)`,
  }
  // Where there is a row of one side only, plain names mean its columns.
  const inBoth = new Set(schema.fields.map((field) => field.name.toLowerCase()).filter((one) => given.has(one)))
  const sides: Record<MergeClause['when'], (piece: Piece) => Piece | Composed> = {
    matched: (piece) => (key ? qualified(piece, inBoth, name) : piece),
    'not-matched': (piece) => qualified(piece, inBoth, other),
    'not-matched-by-source': (piece) => qualified(piece, inBoth, name),
  }
  const cases = clauses.map(
    ({ when, and }, index) =>
      compose`WHEN ${kinds[when]}${and ? compose` AND (${sides[when](and)})` : ''} THEN ${String(index)}`,
  )
  const sidesOf = { schema, given, target, name, other, tellsGone: returning !== undefined }
  const numbering = numberedFields(metadata)
  const isLeft = (
    { field }: NumberedField,
    { columns, values }: Extract<MergeClause['action'], { kind: 'insert' }>,
  ) => {
    const names = columns ?? schema.fields.map((one) => one.name)
    const value = values[names.findIndex((one) => one.toLowerCase() === field.name.toLowerCase())]
    return value === undefined || isDefault(value)
  }
  const numberedBy = ({ action }: MergeClause) => {
    if (action.kind === 'update' && Array.isArray(action.set)) return numberedAgain(action.set, numbering)
    if (action.kind !== 'insert' && action.kind !== 'insert-all') return []
    const left = numbering.filter((column) =>
      action.kind === 'insert' ? isLeft(column, action) : !given.has(column.field.name.toLowerCase()),
    )
    const own = numbering.find((column) => column.always && !left.includes(column))
    // Of INSERT … ON CONFLICT that was seen to.
    if (own && !key) throw ownValue(own, 'Leave the column out, or write DEFAULT.')
    return left
  }
  const counts: { update?: bigint; insert?: bigint } = {}
  const effects: ReturnType<typeof effectOf>[] = []
  for (const clause of clauses) {
    const numbers = new Map<number, string>()
    // Each clause has numbers of its own, as many as rows can come, or be changed, by it.
    for (const column of numberedBy(clause)) {
      const kind = clause.action.kind === 'update' ? 'update' : 'insert'
      const rows = kind === 'update' ? compose`SELECT 1 FROM ${quoteTable(target)}` : whole
      const count = (counts[kind] ??= await countOf(rows, context))
      const first = await context.takeNumbers(table, column, count)
      numbers.set(column.field.id, numberOfRow(first, count, { over: 'PARTITION BY _boathouse_clause' }))
    }
    effects.push(effectOf(clause.action, { ...sidesOf, numbers }, sides[clause.when]))
  }
  await checkUnmatched(
    clauses,
    after(clause),
    compose`${source.from} AS ${otherNamed}`,
    (piece) => tellsOfTable(piece, schema, given, name),
    context,
  )
  const acting = clauses.flatMap(({ action }, index) => (isActing(action) ? [index] : []))
  const news = clauses.flatMap(({ action }, index) =>
    ['update', 'insert', 'insert-all'].includes(action.kind) ? [index] : [],
  )
  const columns = schema.fields.map(({ name: column, type }) => {
    const branches = effects.flatMap((effect, index) =>
      effect ? [compose`WHEN ${String(index)} THEN CAST(${effect.get(column)!} AS ${sqlType(type)})`] : [],
    )
    if (branches.length === 0) return compose`CAST(NULL AS ${sqlType(type)}) AS ${quoteName(column)}`
    return compose`CASE _boathouse_clause ${Composed.join(branches, ' ')} END AS ${quoteName(column)}`
  })
  const keepsTable = clauses.some(({ when }) => when === 'not-matched-by-source')
  const keepsSource = clauses.some(({ when }) => when === 'not-matched')
  const actions = clauses.map(({ action }, index) => `WHEN ${index} THEN ${quoteText(actionNames[action.kind])}`)
  const told = returning && !schema.fields.some((one) => one.name.toLowerCase() === mergeAction)
  const acted = told ? `, CASE _boathouse_clause ${actions.join(' ')} END AS ${mergeAction}` : ''
  const errors = clauses.flatMap(({ action }, index) =>
    action.kind === 'error'
      ? [
          compose`WHEN ${String(index)} THEN CAST(${action.message ? compose`(${action.message})` : "'MERGE met a row that it refuses'"} AS VARCHAR)`,
        ]
      : [],
  )
  const refused =
    errors.length > 0 ? compose`, CASE _boathouse_clause ${Composed.join(errors, ' ')} END AS ${refusal}` : ''
  const sameColumns = (columns: readonly string[]) => columns.map((column): [string, string] => [column, column])
  const columnsOn = !Array.isArray(on)
    ? equalColumns(on.sql, alias ?? target.name, source.alias)
    : others.length > 0
      ? []
      : sameColumns(on)
  const types = readTypes(declaredTypes(metadata, schema))
  const keys = columnsOn.flatMap(([column, otherColumn]): JoinKey[] => {
    const field = schema.fields.find((one) => one.name.toLowerCase() === column.toLowerCase())
    const found = read.find((one) => one.name.toLowerCase() === otherColumn.toLowerCase())
    return field && found && isOrdered(field, types)
      ? [{ field, value: `${other}.${quoteName(found.name)}`, type: found.type }]
      : []
  })
  // Where rows without a match are changed too, all rows count.
  const from = compose`${source.from} AS ${other}`
  const bounds = keepsTable || clause ? undefined : await context.changes.keyBounds(from.sql, keys, context.options)
  const join = keepsTable && keepsSource ? 'FULL' : keepsTable ? 'LEFT' : keepsSource ? 'RIGHT' : 'INNER'
  // Where a row goes whatever else it meets, it goes once.
  const [first, second] = clauses.filter(({ when }) => when === 'matched')
  const once =
    first?.action.kind === 'delete' && !first.and && !second
      ? 'QUALIFY _boathouse_file IS NULL OR row_number() OVER (PARTITION BY _boathouse_file, _boathouse_pos) = 1'
      : ''
  const text = compose`${after(clause)}SELECT ${rowPlace(name)}, ${news.length > 0 ? `_boathouse_clause IN (${news.join(', ')})` : 'false'} AS _boathouse_new, ${Composed.join(columns, ', ')}${acted}${refused}${rowId(name, metadata)}
    FROM (SELECT *, true AS _boathouse_in_table FROM ${quoteTable(target)} AS ${changedAlias}${bounds ? ` WHERE ${bounds.condition}` : ''}) AS ${name}
    ${join} JOIN (SELECT *, true AS _boathouse_in_source FROM ${source.from} AS ${otherNamed}) AS ${other} ON ${condition},
    LATERAL (SELECT CASE ${Composed.join(cases, ' ')} END AS _boathouse_clause) AS _boathouse_clauses
    WHERE ${acting.length > 0 ? `_boathouse_clause IN (${acting.join(', ')})` : 'false'} ${once}${key && returning ? ` ORDER BY ${other}.${givenOrder}` : ''}`
  const sets = updatedBy(clauses)?.map((column) => columnOf(column, schema, target).name)
  const options = {
    ...context.options,
    ...(sets && { sets }),
    ...(key && { uniqueBy: key }),
    mayRefuse: errors.length > 0,
    ...(inserts && { needs: inserts === 'or-nothing' ? (['insert'] as const) : (['insert', 'update'] as const) }),
  }
  return changed(text, 'merge', target, { ...context, options }, bounds)
}

/** The columns that clauses set which bring no other row; undefined where one brings whole rows. */
function updatedBy(clauses: readonly MergeClause[]): string[] | undefined {
  const sets = clauses.map(({ action }) => {
    if (action.kind === 'update') return Array.isArray(action.set) ? action.set.map(({ column }) => column) : undefined
    return action.kind.startsWith('insert') ? undefined : []
  })
  return sets.every((one) => one !== undefined) ? sets.flat() : undefined
}

/** What has no row in the table reads no column of it: each would be null, and the condition be met never or always. */
async function checkUnmatched(
  clauses: readonly MergeClause[],
  before: Composed | string,
  source: Composed,
  isDoubtful: (piece: Piece) => boolean,
  { at, bind }: PerformContext,
): Promise<void> {
  const asked = clauses.flatMap(({ when, and, action }) => {
    if (when !== 'not-matched') return []
    const values = action.kind === 'insert' ? action.values.filter((value) => !isDefault(value)) : []
    return [...(and ? [and] : []), ...values].filter(isDoubtful)
  })
  if (asked.length === 0) return
  const parts = asked.map((piece) => compose`(${piece})`)
  const text = compose`${before}SELECT ${Composed.join(parts, ', ')} FROM ${source}`
  await located(text, at, bind(text.sql))
}

/** Whether a name in it may be one of the table's, and none of the source's. */
function tellsOfTable({ sql }: Piece, { fields }: Schema, given: ReadonlyMap<string, string>, table: string): boolean {
  const own = new Set(fields.map(({ name }) => name.toLowerCase()).filter((name) => !given.has(name)))
  return [...tokens(sql)].some((token) => {
    const name = isName(token) ? nameOf(token).toLowerCase() : undefined
    return name !== undefined && (own.has(name) || quoteName(name) === table.toLowerCase())
  })
}

/** In all three a row that goes, comes or is another now counts once. */
async function changed(
  text: Composed,
  operation: RowOperation,
  target: TableName,
  context: PerformContext,
  bounds?: KeyBounds,
): Promise<Performed> {
  const { changes, options } = context
  const work = changes.changeRows(target, operation, text.sql, options, bounds)
  const { rowsChanged } = await located(text, context.at, work)
  return { rows: rowsChanged, changed: rowsChanged > 0 }
}

const isActing = ({ kind }: MergeClause['action']): boolean => kind !== 'nothing'
const actionNames: Record<MergeClause['action']['kind'], string> = {
  update: 'UPDATE',
  delete: 'DELETE',
  insert: 'INSERT',
  'insert-all': 'INSERT',
  nothing: '',
  error: '',
}

type MergeSides = {
  schema: Schema
  /** Columns of the source, by their names in small letters. */
  given: ReadonlyMap<string, string>
  target: TableName
  name: string
  other: string
  /** Whether somebody is told what the rows were that go. */
  tellsGone: boolean
  /** What columns give that number their rows, by field id. */
  numbers: ReadonlyMap<number, string>
}

/** The value of each column after an action; undefined for one that gives no row. */
function effectOf(
  action: MergeClause['action'],
  { schema, given, target, name, other, tellsGone, numbers }: MergeSides,
  meant: (piece: Piece) => Piece | Composed,
): Map<string, Composed | string> | undefined {
  const fromSource = (column: string) => {
    const found = given.get(column.toLowerCase())
    return found === undefined ? undefined : `${other}.${quoteName(found)}`
  }
  const asItIs = (field: Field) => `${name}.${quoteName(field.name)}`
  const ofNew = (field: Field) => numbers.get(field.id) ?? defaultSql(target, field)
  const bySource = (byName: boolean, otherwise: (field: Field) => string) => {
    checkAlike(byName, { schema, given, target })
    return new Map(schema.fields.map((field) => [field.name, fromSource(field.name) ?? otherwise(field)]))
  }
  switch (action.kind) {
    case 'update':
      return typeof action.set === 'string'
        ? bySource(action.set === 'by-name', asItIs)
        : assignedValues(action.set, { schema, target, numbers }, asItIs, meant)
    case 'insert-all':
      return bySource(action.byName, ofNew)
    case 'insert': {
      const columns = action.columns ?? schema.fields.map((field) => field.name)
      if (columns.length !== action.values.length)
        throw new Failure(
          'SQL_INVALID',
          `INSERT names ${columns.length} columns and gives ${action.values.length} values`,
        )
      const set = columns.map((column, index): Assignment => ({ column, value: action.values[index]! }))
      return assignedValues(set, { schema, target, numbers }, ofNew, meant)
    }
    case 'delete':
      return tellsGone ? new Map(schema.fields.map((field) => [field.name, asItIs(field)])) : undefined
    default:
      return undefined
  }
}

/** BY NAME means every column of the source, `*` every column of the table. */
function checkAlike(byName: boolean, { schema, given, target }: Pick<MergeSides, 'schema' | 'given' | 'target'>) {
  if (byName) for (const column of given.values()) columnOf(column, schema, target)
  else
    for (const { name } of schema.fields)
      if (!given.has(name.toLowerCase()))
        throw new Failure('SQL_INVALID', `the rows that are merged have no column ${name}`, {
          hint: 'Write BY NAME to leave it as it is, or name columns and values.',
        })
}

/** `expression AS column, …` for all columns of the table. */
const assigned = (set: readonly Assignment[], into: Assigned, otherwise: (field: Field) => string) =>
  Composed.join(
    [...assignedValues(set, into, otherwise)].map(([column, value]) => compose`${value} AS ${quoteName(column)}`),
    ', ',
  )

/** `numbers`: by field id, what a column is given that numbers its rows. */
type Assigned = { schema: Schema; target: TableName; numbers: ReadonlyMap<number, string> }

function assignedValues(
  set: readonly Assignment[],
  { schema, target, numbers }: Assigned,
  otherwise: (field: Field) => string,
  meant: (piece: Piece) => Piece | Composed = (piece) => piece,
): Map<string, Composed | string> {
  const changes = Map.groupBy(set, ({ column }) => columnOf(column, schema, target).name)
  return new Map(
    schema.fields.map((field) => {
      const [first, ...more] = changes.get(field.name) ?? []
      if (!first) return [field.name, otherwise(field)]
      if (first.inside)
        return [field.name, withFields(field.name, field.type, otherwise(field), [first, ...more], meant)]
      if (first.item) return [field.name, withItems(field, otherwise(field), [first, ...more], meant)]
      if (more.length > 0) throw new Failure('SQL_INVALID', `${field.name} is set twice`)
      const number = isDefault(first.value) ? numbers.get(field.id) : undefined
      return [field.name, number ?? valueOf(exactly(first.value, field.type), field, target, meant)]
    }),
  )
}

/** More would not go into the engine's memory; nobody means them. */
const itemMost = 1_000_000
/** What no number begins with, so that the cast says it. */
const refused = quoteText(`the number of an item that is set lies between 1 and ${itemMost}, not: `)

/** A list with some of its items set; one that is shorter is filled up with nulls. */
function withItems(
  { name, type }: Field,
  current: string,
  set: readonly Assignment[],
  meant: (piece: Piece) => Piece | Composed,
): Composed {
  if (type.kind !== 'list') throw new Failure('SQL_INVALID', `${name} has no items that could be set`)
  let list: Composed | string = `coalesce(${current}, [])`
  for (const { item, value } of set) {
    if (!item) throw new Failure('SQL_INVALID', `${name} is set twice`)
    const written = compose`CAST((${meant(item)}) AS BIGINT)`
    const at = compose`(CASE WHEN ${written} BETWEEN 1 AND ${String(itemMost)} THEN ${written} ELSE CAST(concat(${refused}, ${written}) AS BIGINT) END)`
    const one = compose`[CAST((${meant(value)}) AS ${sqlType(type.element)})]`
    list = compose`list_concat(list_concat(list_resize(${list}, ${at} - 1), ${one}), list_slice(${list}, ${at} + 1, -1))`
  }
  return compose`${list}`
}

/** A struct with some of its fields set; one that is null becomes one whose other fields are. */
function withFields(
  path: string,
  type: Type,
  current: string,
  set: readonly Pick<Assignment, 'inside' | 'value'>[],
  meant: (piece: Piece) => Piece | Composed,
): Composed {
  if (type.kind !== 'struct') throw new Failure('SQL_INVALID', `${path} has no fields that could be set`)
  const { fields } = type
  const named = Map.groupBy(set, ({ inside = [] }) => {
    const found = fields.find((field) => field.name.toLowerCase() === inside[0]?.toLowerCase())
    if (inside.length === 0 || (inside.length === 1 && set.filter((one) => one.inside?.[0] === inside[0]).length > 1))
      throw new Failure('SQL_INVALID', `${[path, ...inside].join('.')} is set twice`)
    if (found) return found.id
    const there = fields.map(({ name }) => name)
    throw new Failure('SQL_INVALID', `${path} has no field ${inside[0]}${didYouMean(inside[0]!, there)}`)
  })
  const parts = fields.map((field) => {
    const own = `struct_extract(${current}, ${quoteText(field.name)})`
    const [first, ...more] = named.get(field.id) ?? []
    if (!first) return compose`${quoteName(field.name)} := ${own}`
    if (first.inside!.length === 1)
      return compose`${quoteName(field.name)} := CAST((${meant(first.value)}) AS ${sqlType(field.type)})`
    const deeper = [first, ...more].map(({ inside, value }) => ({ inside: inside!.slice(1), value }))
    return compose`${quoteName(field.name)} := ${withFields(`${path}.${field.name}`, field.type, own, deeper, meant)}`
  })
  return compose`struct_pack(${Composed.join(parts, ', ')})`
}

const valueOf = (value: Piece, field: Field, target: TableName, meant = (piece: Piece): Piece | Composed => piece) =>
  isDefault(value) ? defaultValue(field, target) : compose`(${meant(value)})`
const defaultValue = (field: Field, target: TableName) => `CAST(${defaultSql(target, field)} AS ${sqlType(field.type)})`

/** The rows that change, whatever else of the statement reads the table. */
const changing = (target: TableName) => `(SELECT * FROM ${quoteTable(target)} AS ${changedAlias})`
const rowPlace = (name: string) =>
  `${name}._boathouse_file AS _boathouse_file, ${name}._boathouse_pos AS _boathouse_pos`
const rowId = (name: string, { formatVersion }: TableMetadata) =>
  formatVersion >= 3 ? `, ${name}._row_id AS _row_id` : ''
/** Columns that a scan for changes has besides those of the table. */
const hidden = ({ formatVersion }: TableMetadata) =>
  [
    '_boathouse_file',
    '_boathouse_pos',
    ...(formatVersion >= 3 ? ['_row_id', '_last_updated_sequence_number'] : []),
  ].join(', ')
