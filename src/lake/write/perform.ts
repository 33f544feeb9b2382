// Statements that change tables, as changes of a change set. What a person wrote inside them (conditions, values, tables that
// are read beside) goes into SELECTs of ours and through the same checks as every SELECT; mistakes are told where they were
// written.

import { Failure } from '../../base/failure.ts'
import { isSystemSchema, showName, type Loaded, type TableName } from '../../catalog/index.ts'
import { currentSchema, evolveSchema, type TableChange, type TableMetadata } from '../../iceberg/index.ts'
import { compose } from '../sql/compose.ts'
import {
  isPrimaryEnforced,
  namedKeys,
  primaryNamed,
  type Alteration,
  type ColumnDefinition,
  type Identity,
  type Statement,
  type TableClauses,
} from '../sql/statement.ts'
import { addKey, altered } from './alter.ts'
import type { TableOptions, ViewChange } from './change-set.ts'
import { boundIdentity, newFields } from './column-definitions.ts'
import { changeComputedDefault } from './computed-defaults.ts'
import { changeDeclared } from './declared-types.ts'
import { enforcePrimary } from './named-keys.ts'
import { changeIdentity } from './numbered.ts'
import { located, withNames, type PerformContext, type Performed } from './perform-context.ts'
import { columnsLike } from './columns-like.ts'
import { changeRows, truncated } from './perform-rows.ts'
import { changePrimaryName } from './named-keys.ts'
import { addChecks } from './row-checks.ts'

const nothing: Performed = { rows: 0, changed: false }

type Step = (now: TableMetadata) => TableChange

function checkView(found: Loaded | undefined, target: TableName): void {
  if (!found) throw new Failure('TABLE_NOT_FOUND', `there is no table ${showName(target)}`)
  if (found.kind !== 'view') throw new Failure('SQL_INVALID', `${showName(target)} is a table, not a view`)
}

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
        const { columns, columnComments, select, comment, properties, alters } = statement
        if (alters) checkView(await exists(), target)
        const text = columns ? withNames(select, 'renamed', columns) : compose`${select}`
        // Nobody else knows the temporary tables of a session.
        const said = { columnComments, properties, ...(comment === undefined ? {} : { comment }) }
        const about = { ...options, scratch: undefined, ...said }
        await located(text, context.at, changes.createView(target, text.sql.trimEnd(), about))
        return { rows: 0, changed: true }
      }
      if (statement.alters && !(await exists()))
        throw new Failure('TABLE_NOT_FOUND', `there is no table ${showName(target)}`)
      const table = { ...options, ...tableOptions(statement.clauses) }
      if (statement.select) {
        const { select, names, isEmpty } = statement
        const whole = names ? withNames(select, 'renamed', names) : compose`${select}`
        const text = isEmpty ? compose`SELECT * FROM (${whole}\n) AS nothing LIMIT 0` : whole
        const work = changes.replaceTable(target, text.sql, table)
        const { rowsWritten } = await located(text, context.at, work)
        return { rows: rowsWritten, changed: true }
      }
      const own = { ...statement, columns: statement.columns ?? [] }
      const { columns, key, promised, checks } = statement.like ? await columnsLike(statement.like, own, context) : own
      const { fields, defaults, computed, declared } = await newFields(withKey(columns, key, target), context)
      await changes.createTable(target, fields, defaults, table)
      // A dot in a name is none of a path.
      const fieldOf = (now: TableMetadata, name: string) =>
        currentSchema(now).fields.find((field) => field.name === name)!
      const identities = new Map<string, Identity>()
      for (const { name, identity } of columns)
        if (identity) identities.set(name, await boundIdentity(identity, context))
      const steps = columns.flatMap(({ name }): Step[] => [
        ...(identities.has(name)
          ? [(now: TableMetadata) => changeIdentity(now, fieldOf(now, name), identities.get(name))]
          : []),
        ...(computed.has(name)
          ? [(now: TableMetadata) => changeComputedDefault(now, fieldOf(now, name).id, computed.get(name))]
          : []),
        ...(declared.has(name)
          ? [(now: TableMetadata) => changeDeclared(now, fieldOf(now, name), declared.get(name))]
          : []),
      ])
      if (key) steps.push((now) => evolveSchema(now, { caseSensitive: false }).identifiers(key).change())
      if (isPrimaryEnforced(promised)) steps.push((now) => enforcePrimary(now, true))
      const primary = primaryNamed(promised)
      if (primary !== undefined) steps.push((now) => changePrimaryName(now, primary))
      steps.push(...namedKeys(promised).map((one) => addKey(one, target, context)))
      if (steps.length > 0) await changes.alter(target, steps, options)
      await addChecks(checks, target, context)
      return { rows: 0, changed: true }
    }
    case 'insert':
    case 'delete':
    case 'update':
    case 'merge':
      return changeRows(statement, target, context)
    case 'truncate':
      if (statement.ifExists && !(await exists())) return nothing
      return truncated(target, context)
    case 'alter': {
      const found = await exists()
      if (!found && statement.ifExists) return nothing
      const [first] = statement.changes
      if (found?.kind === 'view' && first?.kind === 'comment') {
        await changes.alterView(target, viewCommented(first), options)
        return { rows: 0, changed: true }
      }
      return altered(statement.changes, target, context)
    }
    case 'alter-view': {
      const found = await exists()
      if (!found && statement.ifExists) return nothing
      checkView(found, target)
      await changes.alterView(target, statement, options)
      return { rows: 0, changed: true }
    }
    case 'rename': {
      const found = await exists()
      if (!found && statement.ifExists) return nothing
      // PostgreSQL and Spark rename views by ALTER TABLE, too.
      if (found && statement.what === 'view') checkView(found, target)
      const to = statement.to.length === 1 ? { ...target, name: statement.to[0]! } : context.resolve(statement.to)
      if (to.catalog.toLowerCase() !== target.catalog.toLowerCase())
        throw new Failure('SQL_UNSUPPORTED', `a ${statement.what} cannot be renamed into another environment`, {
          hint: 'Make it there with CREATE TABLE … AS SELECT.',
        })
      await changes.rename(target, to)
      return { rows: 0, changed: true }
    }
    case 'drop': {
      const kind = await changes.kindOf(target)
      if (!kind && statement.ifExists) return nothing
      if (kind && kind !== statement.what)
        throw new Failure('SQL_INVALID', `${showName(target)} is a ${kind}, not a ${statement.what}`)
      await changes.drop(target)
      return { rows: 0, changed: true }
    }
    case 'create-schema': {
      const made =
        !isSystemSchema(target.namespace) && (await context.createNamespace(target.catalog, target.namespace))
      if (!made && !statement.ifNotExists)
        throw new Failure('ALREADY_EXISTS', `the schema ${target.namespace} exists already`)
      return nothing
    }
    case 'drop-schema': {
      if (statement.cascade) {
        const inside = await context.relations(target)
        for (const { name } of inside) await changes.drop(name)
        // What is there for others until the change set is published keeps the schema so long.
        if (inside.length > 0) return { rows: 0, changed: true }
      }
      const gone = await context.dropNamespace(target.catalog, target.namespace, statement.cascade)
      if (!gone && !statement.ifExists) throw new Failure('NOT_FOUND', `there is no schema ${target.namespace}`)
      return nothing
    }
    case 'comment-schema':
      await context.commentNamespace(target.catalog, target.namespace, statement.comment)
      return nothing
  }
}

const tableOptions = ({ partitionedBy, sortedBy, properties, comment }: TableClauses): TableOptions => ({
  ...(partitionedBy && { partitionedBy }),
  ...(sortedBy && { sortedBy }),
  properties,
  ...(comment === undefined ? {} : { comment }),
})

/** A view's own comment is a property of it, that of a column stands in its schema. */
function viewCommented({ comment, path }: Extract<Alteration, { kind: 'comment' }>): ViewChange {
  if (path !== undefined) return { set: {}, remove: [], doc: { column: path, text: comment } }
  return comment === undefined ? { set: {}, remove: ['comment'] } : { set: { comment }, remove: [] }
}

/** Columns of a key are never null. */
function withKey(columns: readonly ColumnDefinition[], key: readonly string[] = [], target: TableName) {
  const isNamed = (one: string, { name }: ColumnDefinition) => one.toLowerCase() === name.toLowerCase()
  const missing = key.find((one) => !columns.some((column) => isNamed(one, column)))
  if (missing)
    throw new Failure('SQL_INVALID', `${showName(target)} would have no column ${missing} for its primary key`)
  return columns.map((column) => (key.some((one) => isNamed(one, column)) ? { ...column, required: true } : column))
}
