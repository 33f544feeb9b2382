// Statements that change tables, as changes of a change set. What a person wrote inside them (conditions, values, tables that
// are read beside) goes into SELECTs of ours and through the same checks as every SELECT; mistakes are told where they were
// written.

import { Failure, type Place } from '../../base/failure.ts'
import { didYouMean, suggest } from '../../base/suggest.ts'
import { showName, type LoadedTable, type TableName } from '../../catalog/index.ts'
import type { Column } from '../../contract/index.ts'
import {
  changeProperties,
  currentSchema,
  defaultSpec,
  evolveSchema,
  evolveSpec,
  fieldById,
  replaceSortOrder,
  type Field,
  type NewField,
  type NewPartitionField,
  type Schema,
  type TableChange,
  type TableMetadata,
  type Type,
  type Value,
} from '../../iceberg/index.ts'
import type { ChangeSet, TableOptions } from './change-set.ts'
import { equalColumns, type JoinKey, type KeyBounds } from './key-bounds.ts'
import type { RowOperation } from './rows.ts'
import { defaultSql } from './columns.ts'
import { compose, Composed, qualified } from '../sql/compose.ts'
import type { Piece, WrittenName } from '../sql/reader.ts'
import type {
  Alteration,
  Assignment,
  ColumnDefinition,
  MergeClause,
  Statement,
  TableClauses,
} from '../sql/statement.ts'
import { quoteName, quoteTable } from '../sql/tokens.ts'
import type { Relation } from '../relations/relations.ts'
import { changedAlias } from '../sources.ts'
import { parseSqlType, sqlType } from '../types.ts'
import { parseBound } from './write.ts'

export type PerformContext = {
  changes: ChangeSet
  options: TableOptions
  /** The place of an index of the statement. */
  at(index: number): Place
  resolve(name: WrittenName): TableName
  /** Columns of a SELECT. */
  bind(sql: string): Promise<Column[]>
  /** What is in the schema of a name. */
  relations(of: Pick<TableName, 'catalog' | 'namespace'>): Promise<Relation[]>
  /** The rows of a small SELECT. */
  rows(sql: string): Promise<unknown[][]>
  createNamespace(catalog: string, namespace: string): Promise<boolean>
  dropNamespace(catalog: string, namespace: string): Promise<boolean>
}

/** `changed` false: there is nothing to publish. */
export type Performed = { rows: number; changed: boolean }
const nothing: Performed = { rows: 0, changed: false }

export async function perform(statement: Statement, target: TableName, context: PerformContext): Promise<Performed> {
  const { changes, options } = context
  const exists = () => changes.load(target)
  switch (statement.kind) {
    case 'create-table':
    case 'create-view': {
      if (!statement.replace && (await exists())) {
        if (statement.ifNotExists) return nothing
        throw new Failure('ALREADY_EXISTS', `${showName(target)} exists already`, {
          hint: 'Write CREATE OR REPLACE, or IF NOT EXISTS.',
        })
      }
      if (statement.kind === 'create-view') {
        const { columns, select, comment } = statement
        const text = columns ? withNames(select, 'renamed', columns) : compose`${select}`
        const about = { ...options, ...(comment === undefined ? {} : { comment }) }
        await located(text, context.at, changes.createView(target, text.sql.trimEnd(), about))
        return { rows: 0, changed: true }
      }
      const table = { ...options, ...tableOptions(statement.clauses) }
      if (statement.select) {
        const { select, names } = statement
        const text = names ? withNames(select, 'renamed', names) : compose`${select}`
        const { rowsWritten } = await located(text, context.at, changes.replaceTable(target, text.sql, table))
        return { rows: rowsWritten, changed: true }
      }
      const { columns, key } = statement
      const { fields, defaults } = await newFields(withKey(columns!, key, target), context)
      await changes.createTable(target, fields, defaults, table)
      if (key)
        await changes.alter(
          target,
          [(now) => evolveSchema(now, { caseSensitive: false }).identifiers(key).change()],
          options,
        )
      return { rows: 0, changed: true }
    }
    case 'insert': {
      const { metadata } = await tableOf(target, changes, 'insert into')
      const schema = currentSchema(metadata)
      const names = statement.columns ?? schema.fields.map(({ name }) => name)
      const { source } = statement
      const select = 'select' in source ? compose`${source.select}` : rowsOf(source.rows, names, schema, target)
      const whole = compose`${after(statement.with)}${select}`
      // By position: the SELECT's columns take the table's names; DuckDB says when there are too many.
      const text = statement.byName ? whole : withNames(whole, 'inserted', names)
      const work = statement.overwrite
        ? changes.overwrite(target, { partitions: 'dynamic' }, text.sql, options)
        : changes.append(target, text.sql, options)
      return { rows: (await located(text, context.at, work)).rowsWritten, changed: true }
    }
    case 'truncate':
      return truncated(target, context)
    case 'delete':
      return statement.where || statement.using ? deleted(statement, target, context) : truncated(target, context)
    case 'update':
      return updated(statement, target, context)
    case 'merge':
      return merged(statement, target, context)
    case 'alter': {
      const found = await exists()
      if (!found && statement.ifExists) return nothing
      const { metadata } = await tableOf(target, changes, 'change')
      const steps: ((now: TableMetadata) => TableChange)[] = []
      for (const change of statement.changes) {
        const step = await alteration(change, metadata, context)
        if (step) steps.push(step)
      }
      if (steps.length > 0) await changes.alter(target, steps, options)
      return { rows: 0, changed: steps.length > 0 }
    }
    case 'rename': {
      const found = await exists()
      if (found && found.kind !== statement.what)
        throw new Failure('SQL_INVALID', `${showName(target)} is a ${found.kind}, not a ${statement.what}`)
      const to = statement.to.length === 1 ? { ...target, name: statement.to[0]! } : context.resolve(statement.to)
      if (to.catalog.toLowerCase() !== target.catalog.toLowerCase())
        throw new Failure('SQL_UNSUPPORTED', `a ${statement.what} cannot be renamed into another environment`, {
          hint: 'Make it there with CREATE TABLE … AS SELECT.',
        })
      await changes.rename(target, to)
      return { rows: 0, changed: true }
    }
    case 'drop': {
      const found = await exists()
      if (!found && statement.ifExists) return nothing
      if (found && found.kind !== statement.what)
        throw new Failure('SQL_INVALID', `${showName(target)} is a ${found.kind}, not a ${statement.what}`)
      await changes.drop(target)
      return { rows: 0, changed: true }
    }
    case 'create-schema': {
      const made = await context.createNamespace(target.catalog, target.namespace)
      if (!made && !statement.ifNotExists)
        throw new Failure('ALREADY_EXISTS', `the schema ${target.namespace} exists already`)
      return nothing
    }
    case 'drop-schema': {
      if (statement.cascade) {
        const inside = await context.relations(target)
        for (const { name } of inside) await changes.drop(name)
        // What is there for others until the change set is published keeps the schema.
        if (inside.length > 0) return { rows: 0, changed: true }
      }
      const gone = await context.dropNamespace(target.catalog, target.namespace)
      if (!gone && !statement.ifExists) throw new Failure('NOT_FOUND', `there is no schema ${target.namespace}`)
      return nothing
    }
  }
}

// --- rows

async function truncated(target: TableName, { changes, options, rows }: PerformContext): Promise<Performed> {
  await tableOf(target, changes, 'truncate')
  const [[count] = []] = await rows(`SELECT count(*) FROM ${quoteTable(target)}`)
  await changes.truncate(target, options)
  return { rows: Number(count), changed: true }
}

/** A WITH clause in front of what may name its tables. */
const after = (clause: Piece | undefined) => (clause ? compose`${clause} ` : '')

/** VALUES where some are the word DEFAULT. */
function rowsOf(rows: readonly Piece[][], names: readonly string[], schema: Schema, target: TableName): Composed {
  const fields = names.map((name) => columnOf(name, schema, target))
  const values = (rows.length > 0 ? rows : [fields.map(() => undefined)]).map((row) => {
    if (row.length !== fields.length)
      throw new Failure('SQL_INVALID', `INSERT is for ${fields.length} columns, and a row has ${row.length} values`)
    const all = row.map((value, index) =>
      value ? valueOf(value, fields[index]!, target) : defaultValue(fields[index]!, target),
    )
    return compose`(${Composed.join(all, ', ')})`
  })
  return compose`VALUES ${Composed.join(values, ', ')}`
}

async function deleted(
  { alias, using, where, with: clause }: Extract<Statement, { kind: 'delete' }>,
  target: TableName,
  context: PerformContext,
): Promise<Performed> {
  const { metadata } = await tableOf(target, context.changes, 'delete from')
  const name = quoteName(alias ?? target.name)
  const condition = where ? compose`(${where})` : 'true'
  // Every row goes once, however many rows of the other tables it meets.
  const met = using ? compose`EXISTS (SELECT 1 FROM ${using} WHERE ${condition})` : condition
  const text = compose`${after(clause)}SELECT ${rowPlace(name)}, false AS _new, ${name}.* EXCLUDE (${hidden(metadata)})${rowId(name, metadata)} FROM ${changing(target)} AS ${name} WHERE ${met}`
  return changed(text, 'delete', target, context)
}

async function updated(
  { alias, set, from, where, with: clause }: Extract<Statement, { kind: 'update' }>,
  target: TableName,
  context: PerformContext,
): Promise<Performed> {
  const { metadata } = await tableOf(target, context.changes, 'update')
  const schema = currentSchema(metadata)
  const name = quoteName(alias ?? target.name)
  const values = assigned(set, schema, target, (field) => `${name}.${quoteName(field.name)}`)
  const text = compose`${after(clause)}SELECT ${rowPlace(name)}, true AS _new, ${values}${rowId(name, metadata)} FROM ${changing(target)} AS ${name}${from ? compose`, ${from}` : ''} WHERE ${where ? compose`(${where})` : 'true'}`
  return changed(text, 'update', target, context)
}

/**
 * Both sides are joined once; a number says which clause each pair falls under. A row of the table that meets several rows
 * of the source, and would be changed by them, is refused, as the standard has it.
 */
async function merged(
  { alias, source, on, clauses, with: clause }: Extract<Statement, { kind: 'merge' }>,
  target: TableName,
  context: PerformContext,
): Promise<Performed> {
  const { metadata } = await tableOf(target, context.changes, 'merge into')
  const schema = currentSchema(metadata)
  const [name, other] = [quoteName(alias ?? target.name), quoteName(source.alias)]
  const otherNamed = source.columns ? `${other}(${nameList(source.columns)})` : other
  const whole = compose`${after(clause)}SELECT * FROM ${source.from} AS ${otherNamed}`
  const read = await located(whole, context.at, context.bind(whole.sql))
  const given = new Map(read.map((column) => [column.name.toLowerCase(), column.name]))
  const condition = Array.isArray(on)
    ? on.map((column) => `${name}.${quoteName(column)} = ${other}.${quoteName(column)}`).join(' AND ')
    : compose`(${on})`
  const isMatched = `(${name}._in_table AND ${other}._in_source)`
  const kinds: Record<MergeClause['when'], string> = {
    matched: isMatched,
    'not-matched': `(${other}._in_source AND ${name}._in_table IS NULL)`,
    'not-matched-by-source': `(${name}._in_table AND ${other}._in_source IS NULL)`,
  }
  // Where there is a row of one side only, plain names mean its columns.
  const inBoth = new Set(schema.fields.map((field) => field.name.toLowerCase()).filter((one) => given.has(one)))
  const sides: Record<MergeClause['when'], (piece: Piece) => Piece | Composed> = {
    matched: (piece) => piece,
    'not-matched': (piece) => qualified(piece, inBoth, other),
    'not-matched-by-source': (piece) => qualified(piece, inBoth, name),
  }
  const cases = clauses.map(
    ({ when, and }, index) =>
      compose`WHEN ${kinds[when]}${and ? compose` AND (${sides[when](and)})` : ''} THEN ${String(index)}`,
  )
  const effects = clauses.map(({ action, when }) =>
    effectOf(action, { schema, given, target, name, other }, sides[when]),
  )
  const acting = clauses.flatMap(({ action }, index) => (action.kind === 'nothing' ? [] : [index]))
  const news = clauses.flatMap(({ action }, index) =>
    ['update', 'insert', 'insert-all'].includes(action.kind) ? [index] : [],
  )
  const columns = schema.fields.map(({ name: column, type }) => {
    const branches = effects.flatMap((effect, index) =>
      effect ? [compose`WHEN ${String(index)} THEN CAST(${effect.get(column)!} AS ${sqlType(type)})`] : [],
    )
    if (branches.length === 0) return compose`CAST(NULL AS ${sqlType(type)}) AS ${quoteName(column)}`
    return compose`CASE _clause ${Composed.join(branches, ' ')} END AS ${quoteName(column)}`
  })
  const keepsTable = clauses.some(({ when }) => when === 'not-matched-by-source')
  const keepsSource = clauses.some(({ when }) => when === 'not-matched')
  const columnsOn = Array.isArray(on)
    ? on.map((column): [string, string] => [column, column])
    : equalColumns(on.sql, alias ?? target.name, source.alias)
  const keys = columnsOn.flatMap(([column, otherColumn]): JoinKey[] => {
    const field = schema.fields.find((one) => one.name.toLowerCase() === column.toLowerCase())
    const found = read.find((one) => one.name.toLowerCase() === otherColumn.toLowerCase())
    return field && found ? [{ field, value: `${other}.${quoteName(found.name)}`, type: found.type }] : []
  })
  // Where rows without a match are changed too, all rows count.
  const from = compose`${source.from} AS ${other}`
  const bounds = keepsTable || clause ? undefined : await context.changes.keyBounds(from.sql, keys, context.options)
  const join = keepsTable && keepsSource ? 'FULL' : keepsTable ? 'LEFT' : keepsSource ? 'RIGHT' : 'INNER'
  const text = compose`${after(clause)}SELECT ${rowPlace(name)}, ${news.length > 0 ? `_clause IN (${news.join(', ')})` : 'false'} AS _new, ${Composed.join(columns, ', ')}${rowId(name, metadata)}
    FROM (SELECT *, true AS _in_table FROM ${quoteTable(target)} AS ${changedAlias}${bounds ? ` WHERE ${bounds.condition}` : ''}) AS ${name}
    ${join} JOIN (SELECT *, true AS _in_source FROM ${source.from} AS ${otherNamed}) AS ${other} ON ${condition},
    LATERAL (SELECT CASE ${Composed.join(cases, ' ')} END AS _clause) AS _clauses
    WHERE ${acting.length > 0 ? `_clause IN (${acting.join(', ')})` : 'false'}`
  return changed(text, 'merge', target, context, bounds)
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

type MergeSides = {
  schema: Schema
  /** Columns of the source, by their names in small letters. */
  given: ReadonlyMap<string, string>
  target: TableName
  name: string
  other: string
}

/** The value of each column after an action; undefined for one that gives no row. */
function effectOf(
  action: MergeClause['action'],
  { schema, given, target, name, other }: MergeSides,
  meant: (piece: Piece) => Piece | Composed,
): Map<string, Composed | string> | undefined {
  const fromSource = (column: string) => {
    const found = given.get(column.toLowerCase())
    return found === undefined ? undefined : `${other}.${quoteName(found)}`
  }
  const asItIs = (field: Field) => `${name}.${quoteName(field.name)}`
  const bySource = (byName: boolean, otherwise: (field: Field) => string) => {
    checkAlike(byName, { schema, given, target })
    return new Map(schema.fields.map((field) => [field.name, fromSource(field.name) ?? otherwise(field)]))
  }
  switch (action.kind) {
    case 'update':
      return typeof action.set === 'string'
        ? bySource(action.set === 'by-name', asItIs)
        : assignedValues(action.set, schema, target, asItIs, meant)
    case 'insert-all':
      return bySource(action.byName, (field) => defaultSql(target, field))
    case 'insert': {
      const columns = action.columns ?? schema.fields.map((field) => field.name)
      if (columns.length !== action.values.length)
        throw new Failure(
          'SQL_INVALID',
          `INSERT names ${columns.length} columns and gives ${action.values.length} values`,
        )
      const set = columns.map((column, index): Assignment => ({ column, value: action.values[index]! }))
      return assignedValues(set, schema, target, (field) => defaultSql(target, field), meant)
    }
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
const assigned = (set: readonly Assignment[], schema: Schema, target: TableName, otherwise: (field: Field) => string) =>
  Composed.join(
    [...assignedValues(set, schema, target, otherwise)].map(
      ([column, value]) => compose`${value} AS ${quoteName(column)}`,
    ),
    ', ',
  )

function assignedValues(
  set: readonly Assignment[],
  schema: Schema,
  target: TableName,
  otherwise: (field: Field) => string,
  meant: (piece: Piece) => Piece | Composed = (piece) => piece,
): Map<string, Composed | string> {
  const values = new Map<string, Piece>()
  for (const { column, value } of set) {
    const { name } = columnOf(column, schema, target)
    if (values.has(name)) throw new Failure('SQL_INVALID', `${name} is set twice`)
    values.set(name, value)
  }
  return new Map(
    schema.fields.map((field) => {
      const value = values.get(field.name)
      return [field.name, value ? valueOf(value, field, target, meant) : otherwise(field)]
    }),
  )
}

const valueOf = (value: Piece, field: Field, target: TableName, meant = (piece: Piece): Piece | Composed => piece) =>
  /^default$/i.test(value.sql) ? defaultValue(field, target) : compose`(${meant(value)})`
const defaultValue = (field: Field, target: TableName) =>
  `CAST(${defaultSql(target, field)} AS ${sqlType(field.type, field.name)})`

function columnOf(column: string, { fields }: Schema, target: TableName): Field {
  const known = fields.find(({ name }) => name.toLowerCase() === column.toLowerCase())
  if (known) return known
  const names = fields.map(({ name }) => name)
  throw new Failure('SQL_INVALID', `${showName(target)} has no column ${column}${didYouMean(column, names)}`, {
    suggestions: suggest(column, names),
  })
}

/** The rows that change, whatever else of the statement reads the table. */
const changing = (target: TableName) => `(SELECT * FROM ${quoteTable(target)} AS ${changedAlias})`
const rowPlace = (name: string) => `${name}._file AS _file, ${name}._pos AS _pos`
const rowId = (name: string, { formatVersion }: TableMetadata) =>
  formatVersion >= 3 ? `, ${name}._row_id AS _row_id` : ''
/** Columns that a scan for changes has besides those of the table. */
const hidden = ({ formatVersion }: TableMetadata) =>
  ['_file', '_pos', ...(formatVersion >= 3 ? ['_row_id', '_last_updated_sequence_number'] : [])].join(', ')

// --- definitions

const tableOptions = ({ partitionedBy, sortedBy, properties, comment }: TableClauses): TableOptions => ({
  ...(partitionedBy && { partitionedBy }),
  ...(sortedBy && { sortedBy }),
  properties,
  ...(comment === undefined ? {} : { comment }),
})

/** Columns of a key are never null. */
function withKey(columns: readonly ColumnDefinition[], key: readonly string[] = [], target: TableName) {
  const isNamed = (one: string, { name }: ColumnDefinition) => one.toLowerCase() === name.toLowerCase()
  const missing = key.find((one) => !columns.some((column) => isNamed(one, column)))
  if (missing)
    throw new Failure('SQL_INVALID', `${showName(target)} would have no column ${missing} for its primary key`)
  return columns.map((column) => (key.some((one) => isNamed(one, column)) ? { ...column, required: true } : column))
}

async function newFields(
  columns: readonly ColumnDefinition[],
  context: PerformContext,
): Promise<{ fields: NewField[]; defaults: Map<string, Value> }> {
  const fields: NewField[] = []
  const defaults = new Map<string, Value>()
  for (const { name, type: written, required, default: value, comment } of columns) {
    const type = await typeOf(written, name, context)
    const constant = value && (await constantOf(value, type, name, context))
    fields.push({ name, type, required, ...(comment === undefined ? {} : { doc: comment }) })
    if (constant !== undefined) defaults.set(name, constant)
  }
  return { fields, defaults }
}

async function typeOf(written: Piece, column: string, context: PerformContext): Promise<Type> {
  const text = compose`SELECT CAST(NULL AS ${written}) AS ${quoteName(column)}`
  const [bound] = await located(text, context.at, context.bind(text.sql))
  return parseSqlType(bound!.type, column)
}

async function constantOf(
  written: Piece,
  type: Type,
  column: string,
  context: PerformContext,
): Promise<Value | undefined> {
  const text = compose`SELECT CAST(CAST((${written}) AS ${sqlType(type)}) AS VARCHAR)`
  const [[value] = []] = await located(text, context.at, context.rows(text.sql))
  if (value === null) return undefined
  const constant = parseBound(String(value), type)
  if (constant === undefined)
    throw new Failure('SQL_UNSUPPORTED', `a default for "${column}" of the type ${sqlType(type)} cannot be kept`, {
      place: context.at(written.start),
    })
  return constant
}

/** What one change does to the metadata; undefined when it has nothing to do. */
async function alteration(
  change: Alteration,
  metadata: TableMetadata,
  context: PerformContext,
): Promise<((now: TableMetadata) => TableChange) | undefined> {
  const schemaOf = (now: TableMetadata) => evolveSchema(now, { caseSensitive: false })
  const has = (path: string) => hasColumn(currentSchema(metadata), path)
  switch (change.kind) {
    case 'add-column': {
      const { path, definition, ifNotExists, place } = change
      if (ifNotExists && has(path)) return undefined
      const type = await typeOf(definition.type, path, context)
      const value = definition.default && (await constantOf(definition.default, type, path, context))
      const more = {
        required: definition.required,
        ...(definition.comment === undefined ? {} : { doc: definition.comment }),
        ...(value === undefined ? {} : { default: value }),
        ...(place === undefined ? {} : { place }),
      }
      return (now) => schemaOf(now).add(path, type, more).change()
    }
    case 'drop-column':
      return change.ifExists && !has(change.path) ? undefined : (now) => schemaOf(now).drop(change.path).change()
    case 'rename-column':
      return (now) => schemaOf(now).rename(change.path, change.to).change()
    case 'move-column':
      return (now) => schemaOf(now).move(change.path, change.place).change()
    case 'type': {
      const type = await typeOf(change.type, change.path, context)
      return (now) => schemaOf(now).widen(change.path, type).change()
    }
    case 'required':
      return (now) =>
        (change.required ? schemaOf(now).require(change.path) : schemaOf(now).nullable(change.path)).change()
    case 'default': {
      const field = fieldNamed(currentSchema(metadata), change.path)
      const value = change.value && field && (await constantOf(change.value, field.type, change.path, context))
      return (now) => schemaOf(now).setDefault(change.path, value).change()
    }
    case 'comment': {
      const { path, comment } = change
      if (path !== undefined) return (now) => schemaOf(now).doc(path, comment).change()
      return (now) => changeProperties(now, comment === undefined ? { remove: ['comment'] } : { set: { comment } })
    }
    case 'properties':
      return (now) => changeProperties(now, { set: change.set, remove: change.remove })
    case 'add-partition': {
      const { column, transform, name } = change.field
      return (now) => evolveSpec(now, { caseSensitive: false }).add(column, transform, name).change()
    }
    case 'drop-partition':
      return (now) => evolveSpec(now, { caseSensitive: false }).remove(partitionNamed(now, change.field)).change()
    case 'sort':
      return (now) => replaceSortOrder(now, change.fields)
    case 'identifiers':
      return (now) => schemaOf(now).identifiers(change.paths).change()
  }
}

/** A partition field is named by its name, or by what it is made of. */
function partitionNamed(metadata: TableMetadata, { column, transform }: NewPartitionField): string {
  const { fields } = defaultSpec(metadata)
  const schema = currentSchema(metadata)
  const same = fields.find(
    (field) =>
      fieldById(schema, field.sourceIds[0]!)?.path.toLowerCase() === column.toLowerCase() &&
      JSON.stringify(field.transform) === JSON.stringify(transform),
  )
  return same?.name ?? column
}

const fieldNamed = (schema: Schema, path: string) => {
  const [first, ...rest] = path.toLowerCase().split('.')
  let field = schema.fields.find(({ name }) => name.toLowerCase() === first)
  for (const part of rest)
    field =
      field?.type.kind === 'struct' ? field.type.fields.find(({ name }) => name.toLowerCase() === part) : undefined
  return field
}
const hasColumn = (schema: Schema, path: string): boolean => fieldNamed(schema, path) !== undefined

// --- names and places

async function tableOf(target: TableName, changes: ChangeSet, doing: string): Promise<LoadedTable> {
  const found = await changes.load(target)
  if (found?.kind === 'table') return found
  throw found
    ? new Failure('SQL_INVALID', `${showName(target)} is a view, not a table to ${doing}`)
    : new Failure('TABLE_NOT_FOUND', `there is no table ${showName(target)} to ${doing}`)
}

/** The rows of a SELECT under these names. */
const withNames = (select: Piece | Composed, alias: string, names: readonly string[]) =>
  compose`SELECT * FROM (${select}) AS ${alias}(${nameList(names)})`

const nameList = (names: readonly string[]) => names.map(quoteName).join(', ')

/** A place inside a text of ours becomes the one where the person wrote it. */
export async function located<Answer>(
  text: Composed,
  at: PerformContext['at'],
  work: Promise<Answer>,
): Promise<Answer> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof Failure) || !error.place?.line) throw error
    const before = text.sql.split('\n').slice(0, error.place.line - 1)
    const index = before.reduce((sum, line) => sum + line.length + 1, 0) + (error.place.column ?? 1) - 1
    const origin = text.origin(index)
    throw new Failure(error.code, error.message, {
      ...error.context,
      cause: error.cause,
      hint: error.hint,
      ...(origin === undefined ? {} : { place: at(origin) }),
    })
  }
}
