// Statements that change tables, as changes of a change set. What a person wrote inside them (conditions, values, tables that
// are read beside) goes into SELECTs of ours and through the same checks as every SELECT; mistakes are told where they were
// written.

import { Failure } from '../../base/failure.ts'
import { showName, type TableName } from '../../catalog/index.ts'
import {
  changeProperties,
  currentSchema,
  defaultSpec,
  evolveSchema,
  evolveSpec,
  fieldById,
  replaceSortOrder,
  type NewField,
  type NewPartitionField,
  type Schema,
  type TableChange,
  type TableMetadata,
  type Type,
  type Value,
} from '../../iceberg/index.ts'
import { compose } from '../sql/compose.ts'
import type { Piece } from '../sql/reader.ts'
import type { Alteration, ColumnDefinition, Statement, TableClauses } from '../sql/statement.ts'
import { quoteName, quoteTable } from '../sql/tokens.ts'
import { parseSqlType, sqlType } from '../types.ts'
import type { TableOptions } from './change-set.ts'
import { located, tableOf, withNames, type PerformContext, type Performed } from './perform-context.ts'
import { changeComputedDefault, computedDefault } from './computed-defaults.ts'
import { changeDeclared, declaredOf, unfit, unfitSql, type DeclaredType } from './declared-types.ts'
import { changeIdentity } from './numbered.ts'
import { changeRows, truncated } from './perform-rows.ts'
import { parseBound } from './write.ts'

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
        // Nobody else knows the temporary tables of a session.
        const about = { ...options, scratch: undefined, ...(comment === undefined ? {} : { comment }) }
        await located(text, context.at, changes.createView(target, text.sql.trimEnd(), about))
        return { rows: 0, changed: true }
      }
      const table = { ...options, ...tableOptions(statement.clauses) }
      if (statement.select) {
        const { select, names } = statement
        const text = names ? withNames(select, 'renamed', names) : compose`${select}`
        const work = changes.replaceTable(target, text.sql, { ...table, keepsDeclared: true })
        const { rowsWritten } = await located(text, context.at, work)
        return { rows: rowsWritten, changed: true }
      }
      const { columns, key } = statement
      const { fields, defaults, computed, declared } = await newFields(withKey(columns!, key, target), context)
      await changes.createTable(target, fields, defaults, table)
      // A dot in a name is none of a path.
      const fieldOf = (now: TableMetadata, name: string) =>
        currentSchema(now).fields.find((field) => field.name === name)!
      const steps = columns!.flatMap(({ name, identity }): Step[] => [
        ...(identity ? [(now: TableMetadata) => changeIdentity(now, fieldOf(now, name), identity)] : []),
        ...(computed.has(name)
          ? [(now: TableMetadata) => changeComputedDefault(now, fieldOf(now, name).id, computed.get(name))]
          : []),
        ...(declared.has(name)
          ? [(now: TableMetadata) => changeDeclared(now, fieldOf(now, name), declared.get(name))]
          : []),
      ])
      if (key) steps.push((now) => evolveSchema(now, { caseSensitive: false }).identifiers(key).change())
      if (steps.length > 0) await changes.alter(target, steps, options)
      return { rows: 0, changed: true }
    }
    case 'insert':
    case 'delete':
    case 'update':
    case 'merge':
      return changeRows(statement, target, context)
    case 'truncate':
      return truncated(target, context)
    case 'alter': {
      const found = await exists()
      if (!found && statement.ifExists) return nothing
      const [first] = statement.changes
      if (found?.kind === 'view' && first?.kind === 'comment' && first.path === undefined) {
        await changes.commentView(target, first.comment, options)
        return { rows: 0, changed: true }
      }
      const { metadata } = await tableOf(target, changes, 'change')
      const steps: Step[] = []
      for (const change of statement.changes) {
        const found = await alteration(change, metadata, target, context)
        if (found) steps.push(...[found].flat())
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
): Promise<{
  fields: NewField[]
  defaults: Map<string, Value>
  computed: Map<string, string>
  declared: Map<string, DeclaredType>
}> {
  const fields: NewField[] = []
  const declaredAs = new Map<string, DeclaredType>()
  const defaults = new Map<string, Value>()
  const computed = new Map<string, string>()
  for (const { name, type: written, required, default: value, comment, identity } of columns) {
    const { type, declared } = await typeOf(written, name, context)
    if (declared !== undefined) declaredAs.set(name, declared)
    if (identity) checkNumbered(type, name)
    const changing = value && computedAt(value, context)
    if (changing !== undefined) computed.set(name, changing)
    const constant = value && changing === undefined ? await constantOf(value, type, name, context) : undefined
    fields.push({ name, type, required, ...(comment === undefined ? {} : { doc: comment }) })
    if (constant !== undefined) defaults.set(name, constant)
  }
  return { fields, defaults, computed, declared: declaredAs }
}

function computedAt(value: Piece, { at }: PerformContext): string | undefined {
  try {
    return computedDefault(value)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw new Failure(error.code, error.message, { hint: error.hint, place: at(value.start) })
  }
}

function checkNumbered({ kind }: Type, column: string): void {
  if (kind !== 'int' && kind !== 'long')
    throw new Failure('SQL_INVALID', `${column} cannot number its rows: its type is none of whole numbers`)
}

async function typeOf(
  written: Piece,
  column: string,
  context: PerformContext,
): Promise<{ type: Type; declared?: DeclaredType }> {
  const declared = declaredOf(written.sql, context)
  if (declared) return declared
  // Lists of them are lists of what the engine has.
  const known = { ...written, sql: written.sql.replace(/\bjsonb\b/gi, 'JSON ') }
  const text = compose`SELECT CAST(NULL AS ${known}) AS ${quoteName(column)}`
  const [bound] = await located(text, context.at, context.bind(text.sql))
  return { type: parseSqlType(bound!.type, column) }
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

type Step = (now: TableMetadata) => TableChange
/** What one change does to the metadata; undefined when it has nothing to do. */
async function alteration(
  change: Alteration,
  metadata: TableMetadata,
  target: TableName,
  context: PerformContext,
): Promise<Step | Step[] | undefined> {
  const schemaOf = (now: TableMetadata) => evolveSchema(now, { caseSensitive: false })
  const has = (path: string) => hasColumn(currentSchema(metadata), path)
  switch (change.kind) {
    case 'add-column': {
      const { path, definition, ifNotExists, place } = change
      if (ifNotExists && has(path)) return undefined
      const { type, declared } = await typeOf(definition.type, path, context)
      if (definition.default && computedAt(definition.default, context))
        throw new Failure('SQL_UNSUPPORTED', `a default for ${path} that is computed, for rows that are there`, {
          hint: `Add the column without it, fill it by UPDATE, and then ALTER COLUMN ${path} SET DEFAULT.`,
          place: context.at(definition.default.start),
        })
      const value = definition.default && (await constantOf(definition.default, type, path, context))
      if (value !== undefined && metadata.formatVersion < 3)
        throw new Failure('SQL_UNSUPPORTED', `a default for ${path} of rows that are there needs format version 3`, {
          hint: `Write ALTER TABLE … SET ('format-version' = '3') before, where all that read the table know it; or add the column without a default, and fill it by UPDATE.`,
          place: context.at(definition.default!.start),
        })
      const more = {
        required: definition.required,
        ...(definition.comment === undefined ? {} : { doc: definition.comment }),
        ...(value === undefined ? {} : { default: value }),
        ...(place === undefined ? {} : { place }),
      }
      return [(now) => schemaOf(now).add(path, type, more).change(), ...declaring(path, declared)]
    }
    case 'drop-column':
      return change.ifExists && !has(change.path) ? undefined : (now) => schemaOf(now).drop(change.path).change()
    case 'rename-column':
      return (now) => schemaOf(now).rename(change.path, change.to).change()
    case 'move-column':
      return (now) => schemaOf(now).move(change.path, change.place).change()
    case 'type': {
      const { type, declared } = await typeOf(change.type, change.path, context)
      const isOf = fieldNamed(currentSchema(metadata), change.path)?.type.kind === type.kind
      if (declared !== undefined && isOf) await checkHeld(change.path, declared, target, context)
      return [(now) => schemaOf(now).widen(change.path, type).change(), ...declaring(change.path, declared)]
    }
    case 'required':
      return (now) =>
        (change.required ? schemaOf(now).require(change.path) : schemaOf(now).nullable(change.path)).change()
    case 'default': {
      const field = fieldNamed(currentSchema(metadata), change.path)
      const computed = change.value && computedAt(change.value, context)
      const constant = computed === undefined ? change.value : undefined
      const value = constant && field && (await constantOf(constant, field.type, change.path, context))
      return [
        // Of one that is computed there is no constant, nor need there have been.
        ...(computed !== undefined && field?.writeDefault === undefined
          ? []
          : [(now: TableMetadata) => schemaOf(now).setDefault(change.path, value).change()]),
        ...(field ? [(now: TableMetadata) => changeComputedDefault(now, field.id, computed)] : []),
      ]
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
    case 'key':
      return [
        ...change.paths.map(
          (path): Step =>
            (now) =>
              schemaOf(now).require(path).change(),
        ),
        (now) => schemaOf(now).identifiers(change.paths).change(),
      ]
    case 'identity': {
      const field = fieldNamed(currentSchema(metadata), change.path)
      if (!field) throw new Failure('SQL_INVALID', `there is no column ${change.path}`)
      if (change.identity) checkNumbered(field.type, change.path)
      return (now) => changeIdentity(now, field, change.identity)
    }
  }
}

/** Only columns of the table itself: what is inside of them has the types of Iceberg. */
const declaring = (path: string, declared: DeclaredType | undefined): Step[] => [
  (now) => {
    const field = path.includes('.') ? undefined : fieldNamed(currentSchema(now), path)
    return field ? changeDeclared(now, field, declared) : { updates: [], requirements: [] }
  },
]

async function checkHeld(
  path: string,
  declared: DeclaredType,
  target: TableName,
  { rows }: PerformContext,
): Promise<void> {
  const condition = unfitSql(path.split('.').map(quoteName).join('.'), declared)
  if (condition === undefined) return
  const [found] = await rows(`SELECT 1 FROM ${quoteTable(target)} WHERE ${condition} LIMIT 1`)
  if (found) throw unfit(path, declared)
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
