// ALTER TABLE: steps that change the metadata, and rows that are written again where a new column has values for them.

import { Failure } from '../../base/failure.ts'
import { didYouMean } from '../../base/suggest.ts'
import { showName, type TableName } from '../../catalog/index.ts'
import {
  changeProperties,
  changeRef,
  createTag,
  currentSchema,
  defaultSpec,
  evolveSchema,
  evolveSpec,
  fieldById,
  removeRef,
  replaceSortOrder,
  startBranch,
  type NewPartitionField,
  type Schema,
  type TableChange,
  type TableMetadata,
} from '../../iceberg/index.ts'
import type { Assignment } from '../sql/row-change.ts'
import type { Alteration, WrittenKey } from '../sql/statement.ts'
import { quoteName, quoteTable } from '../sql/tokens.ts'
import { fieldNamed, nothing, schemaOf, sinceSeen } from './alter-steps.ts'
import type { AlterStep } from './change-set.ts'
import { boundIdentity, checkNumbered, defaultOf, typeOf } from './column-definitions.ts'
import { changeComputedDefault } from './computed-defaults.ts'
import { changeDeclared, declaredType, unfit, unfitSql, type DeclaredType } from './declared-types.ts'
import { keysHeld } from './enforced-keys.ts'
import { partitionChange } from './fresh-table.ts'
import { changeIdentity, numberedFields, numberOfRow } from './numbered.ts'
import { broken } from './broken-rules.ts'
import { columnOf, tableOf, type PerformContext, type Performed } from './perform-context.ts'
import { changeRows } from './perform-rows.ts'
import {
  changeForeign,
  changeUnique,
  enforcedKeys,
  enforcePrimary,
  enforceUnique,
  forgetPrimary,
  dropKey,
  foreignName,
  namedKey,
  changePrimaryName,
  primaryOf,
  renameKey,
  uniqueKeys,
  uniqueName,
  type UniqueKey,
  mustBeFree,
} from './named-keys.ts'
import { retyped, rewritesRows, type TypeChange } from './retype.ts'
import { addChecks, dropCheck, namedCheck, renameCheck } from './row-checks.ts'

/** Carries the changes out, in their order and as one. */
export async function altered(
  written: readonly Alteration[],
  target: TableName,
  context: PerformContext,
): Promise<Performed> {
  const { changes, options } = context
  const { metadata } = await tableOf(target, changes, 'change')
  // Whoever may not alter is told so first: else mistakes, and what is done already, would tell which columns there are.
  await changes.alter(target, [], options)
  const rewritten: TypeChange[] = []
  for (const change of written)
    if (change.kind === 'type' && (await rewritesRows(change, metadata, context))) rewritten.push(change)
  if (rewritten.length > 0) {
    // As PostgreSQL has it: first goes what is dropped, a default above all, then types change, then comes the rest.
    const [first, rest] = [
      written.filter(isDrop),
      written.filter((change) => !isDrop(change) && !rewritten.some((one) => one === change)),
    ]
    if (first.length > 0) await altered(first, target, context)
    await retyped(rewritten, target, context, (path, now) => requiring(path, now, target, context))
    if (rest.length > 0) await altered(rest, target, context)
    return { rows: 0, changed: true }
  }
  const steps: AlterStep[] = []
  const unfilled: Unfilled[] = []
  for (const change of written) {
    const found = await alteration(change, metadata, target, context, unfilled)
    if (found) steps.push(...[found].flat())
  }
  if (steps.length > 0 && written.some(({ kind }) => kind === 'drop-column')) steps.push(keepsColumns)
  if (steps.length > 0) await changes.alter(target, steps, options)
  if (unfilled.length > 0) await fill(unfilled, target, metadata, context)
  const checks = written.flatMap((change) => (change.kind === 'check' ? [change.check] : []))
  await addChecks(checks, target, context)
  if (written.some(({ kind }) => ['key', 'named-key', 'enforcement'].includes(kind)))
    await newKeysHeld(target, metadata, context)
  return { rows: 0, changed: steps.length > 0 || checks.length > 0 }
}

async function newKeysHeld(target: TableName, before: TableMetadata, context: PerformContext): Promise<void> {
  const { metadata } = await tableOf(target, context.changes, 'change')
  const same = ({ name, columns }: UniqueKey) => [name, ...columns].join('\0')
  const held = new Set(enforcedKeys(before, target.name).map(same))
  for (const key of enforcedKeys(metadata, target.name)) if (!held.has(same(key))) await keysHeld(target, key, context)
}

const isDrop = (change: Alteration): boolean =>
  ['drop-column', 'drop-constraint'].includes(change.kind) ||
  (change.kind === 'default' && change.value === undefined) ||
  (change.kind === 'required' && !change.required) ||
  (change.kind === 'identity' && change.identity === undefined)

/** Nothing could be selected from a table without columns. */
function keepsColumns(now: TableMetadata): TableChange {
  if (currentSchema(now).fields.length > 0) return nothing
  throw new Failure('SQL_INVALID', 'a table keeps one column at least', {
    hint: 'Drop the table, or add a column first.',
  })
}

/** A new column whose values the rows that are there do not have yet. */
type Unfilled = { column: string; required: boolean }
/** What one change does to the metadata; undefined when it has nothing to do. What rows have to be given goes to `unfilled`. */
async function alteration(
  change: Alteration,
  metadata: TableMetadata,
  target: TableName,
  context: PerformContext,
  unfilled: Unfilled[],
): Promise<AlterStep | AlterStep[] | undefined> {
  const schema = currentSchema(metadata)
  const has = (path: string) => fieldNamed(schema, path) !== undefined
  const isPrimary = (name: string) => name.toLowerCase() === primaryOf(metadata, target.name).toLowerCase()
  switch (change.kind) {
    case 'add-column': {
      const { path, isName, definition, ifNotExists, place } = change
      if (ifNotExists && has(path)) return undefined
      const { type, declared } = await typeOf(definition.type, path, context)
      const { default: written, required } = definition
      if (definition.identity) checkNumbered(type, path)
      const identity = definition.identity && (await boundIdentity(definition.identity, context))
      const { computed, constant: value } = written ? await defaultOf(written, { type, declared }, path, context) : {}
      const isNested = !isName && isInside(schema, path)
      const about = {
        isName,
        ...(definition.comment === undefined ? {} : { doc: definition.comment }),
        ...(place === undefined ? {} : { place }),
      }
      const isFilled = identity !== undefined || computed !== undefined || value !== undefined
      if (!isFilled && required && !isNested && (await isEmpty(target, metadata, context)))
        return [
          sinceSeen(metadata, (now) =>
            unchecked(now)
              .add(path, type, { ...about, required })
              .change(),
          ),
          ...declaring(path, declared),
        ]
      // Format version 3 gives the rows that are there a constant without writing them again.
      if (!isFilled || (value !== undefined && metadata.formatVersion >= 3)) {
        const more = { ...about, required, ...(value === undefined ? {} : { default: value }) }
        // Others may have added it while this was under way.
        const isThere = (now: TableMetadata) => ifNotExists && fieldNamed(currentSchema(now), path) !== undefined
        return [
          (now) => (isThere(now) ? nothing : schemaOf(now).add(path, type, more).change()),
          ...declaring(path, declared),
        ]
      }
      if (isNested)
        throw new Failure('SQL_UNSUPPORTED', `a default for ${path}, inside of a column, of rows that are there`, {
          hint: `Write ALTER TABLE … SET ('format-version' = '3') before, where all that read the table know it, and give a constant; or add it without a default, and fill it by UPDATE.`,
          ...(written ? { place: context.at(written.start) } : {}),
        })
      unfilled.push({ column: path, required })
      const added = (now: TableMetadata) => fieldNamed(currentSchema(now), path)!
      return [
        sinceSeen(metadata, (now) => schemaOf(now).add(path, type, about).change()),
        ...declaring(path, declared),
        ...(value === undefined ? [] : [(now: TableMetadata) => schemaOf(now).setDefault(path, value).change()]),
        ...(computed === undefined
          ? []
          : [(now: TableMetadata) => changeComputedDefault(now, added(now).id, computed)]),
        ...(identity ? [(now: TableMetadata) => changeIdentity(now, added(now), identity)] : []),
      ]
    }
    case 'drop-column':
      if (change.ifExists && !has(change.path)) return undefined
      return (now) =>
        change.ifExists && !fieldNamed(currentSchema(now), change.path)
          ? nothing
          : schemaOf(now).drop(change.path).change()
    case 'rename-column':
      return (now) => schemaOf(now).rename(change.path, change.to).change()
    case 'move-column':
      return (now) => schemaOf(now).move(change.path, change.place).change()
    case 'type': {
      const { type, declared } = await typeOf(change.type, change.path, context)
      const isOf = fieldNamed(schema, change.path)?.type.kind === type.kind
      if (declared !== undefined && isOf) await checkHeld(change.path, declared, target, schema, context)
      const { path, comment } = change
      return [
        (now) => schemaOf(now).widen(path, type).change(),
        ...declaring(path, declared),
        ...(comment === undefined ? [] : [(now: TableMetadata) => schemaOf(now).doc(path, comment).change()]),
      ]
    }
    case 'required':
      return change.required
        ? requiring(change.path, metadata, target, context)
        : (now) => schemaOf(now).nullable(change.path).change()
    case 'default': {
      const field = fieldNamed(schema, change.path)
      const { computed, constant: value } =
        change.value && field
          ? await defaultOf(
              change.value,
              { type: field.type, declared: declaredType(metadata, field) },
              change.path,
              context,
            )
          : {}
      return [
        // Of one that is computed there is no constant, nor need there have been.
        ...(computed !== undefined && field?.writeDefault === undefined
          ? []
          : [(now: TableMetadata) => schemaOf(now).setDefault(change.path, value).change()]),
        ...(field ? [(now: TableMetadata) => changeComputedDefault(now, field.id, computed)] : []),
        ...(field && numberedFields(metadata).some((one) => one.field.id === field.id && (one.sequence || one.serial))
          ? [(now: TableMetadata) => changeIdentity(now, field, undefined)]
          : []),
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
      const { instead } = change
      return (now) => {
        const evolution = evolveSpec(now, { caseSensitive: false })
        if (instead) evolution.remove(partitionNamed(now, instead))
        return evolution.add(column, transform, name).change()
      }
    }
    case 'drop-partition':
      return (now) => evolveSpec(now, { caseSensitive: false }).remove(partitionNamed(now, change.field)).change()
    case 'partitions':
      return (now) => partitionChange(now, change.fields)
    case 'sort':
      return (now) => replaceSortOrder(now, change.fields)
    case 'identifiers':
      return [
        forgetPrimary,
        (now) =>
          schemaOf(now)
            .identifiers(change.drops ? identifiersBut(now, change.paths) : change.paths)
            .change(),
        forgetPrimary,
      ]
    case 'key':
      return [
        ...(await Promise.all(change.paths.map((path) => requiring(path, metadata, target, context)))),
        (now) => schemaOf(now).identifiers(change.paths).change(),
        sinceSeen(metadata, (now) => enforcePrimary(now, change.isEnforced), 'a key was added'),
        (now) => changePrimaryName(now, change.name),
      ]
    case 'check':
      return undefined // when the columns are there
    case 'named-key':
      return sinceSeen(metadata, addKey(change.key, target, context), 'a key was added')
    case 'drop-constraint': {
      const found = namedKey(metadata, change.name)
      if (found !== undefined) return (now) => dropKey(now, found)
      const check = namedCheck(metadata, change.name)
      if (check !== undefined) return (now) => dropCheck(now, check)
      if (!isPrimary(change.name)) {
        if (change.ifExists) return undefined
        throw noConstraint(change.name, target)
      }
      return [
        (now) => schemaOf(now).identifiers([]).change(),
        (now) => changePrimaryName(now, undefined),
        (now) => enforcePrimary(now, false),
      ]
    }
    case 'rename-constraint': {
      const found = namedKey(metadata, change.name)
      const check = namedCheck(metadata, change.name)
      const isOther = change.name.toLowerCase() !== change.to.toLowerCase()
      const free = (now: TableMetadata) => isOther && mustBeFree(now, change.to, 'foreign')
      if (check !== undefined) return (now) => (free(now), renameCheck(now, check, change.to))
      if (found !== undefined) return (now) => (free(now), renameKey(now, found, change.to))
      if (!isPrimary(change.name)) throw noConstraint(change.name, target)
      return (now) => (free(now), changePrimaryName(now, change.to))
    }
    case 'enforcement': {
      const { name, isEnforced } = change
      const unique = uniqueKeys(metadata).find((one) => one.name.toLowerCase() === name.toLowerCase())
      if (!unique && !(isPrimary(name) && schema.identifierFieldIds.length > 0))
        throw new Failure('NOT_FOUND', `there is no primary or unique key "${name}" in ${showName(target)}`, {
          hint: 'Foreign keys are not enforced, and checks always are.',
          sqlState: '42704',
        })
      const step: AlterStep = (now) =>
        unique ? enforceUnique(now, unique.name, isEnforced) : enforcePrimary(now, isEnforced)
      return sinceSeen(metadata, step, 'a key was added')
    }
    case 'make-ref':
      return makingRef(change, metadata)
    case 'drop-ref': {
      const { type, name, ifExists } = change
      const ref = metadata.refs[name]
      if (!ref && ifExists) return undefined
      return (now) => removeRef(checkedRef(now, name, type), name)
    }
    case 'identity': {
      const field = fieldNamed(schema, change.path)
      if (!field) throw new Failure('SQL_INVALID', `there is no column ${change.path}`)
      if (change.identity) checkNumbered(field.type, change.path)
      const identity = change.identity && (await boundIdentity(change.identity, context))
      return (now) => changeIdentity(now, field, identity)
    }
  }
}

const noConstraint = (name: string, { name: table }: TableName): Failure =>
  new Failure('NOT_FOUND', `constraint "${name}" of relation "${table}" does not exist`, {
    hint: 'SHOW CREATE TABLE names those that there are; DROP CONSTRAINT IF EXISTS takes away what may be there.',
    sqlState: '42704',
  })

export const addKey =
  (
    { name, columns, isEnforced = false, to }: WrittenKey,
    target: TableName,
    { resolve }: Pick<PerformContext, 'resolve'>,
  ) =>
  (now: TableMetadata): TableChange => {
    const fields = columns.map((column) => columnOf(column, currentSchema(now), target))
    const names = fields.map((field) => field.name)
    const ids = fields.map(({ id }) => id)
    if (name !== undefined) mustBeFree(now, name, to ? 'foreign' : 'unique')
    if (!to) return changeUnique(now, name ?? uniqueName(target.name, names), ids, isEnforced)
    const { catalog, namespace, name: table } = resolve(to.table)
    // Nobody finds a key that leads into another environment.
    if (catalog !== target.catalog) return nothing
    return changeForeign(now, name ?? foreignName(target.name, names), {
      ids,
      namespace,
      table,
      columns: to.columns,
      rules: to.rules ?? {},
    })
  }

type RefChange<Kind> = Extract<Alteration, { kind: Kind }>

function makingRef(change: RefChange<'make-ref'>, { refs }: TableMetadata) {
  const { type, name, does, from, retention } = change
  if (refs[name] && does === 'create-or-keep') return undefined
  const source = from === undefined ? undefined : refs[from]
  // A table without rows has no branch yet, main neither.
  if (from !== undefined && !source && from !== 'main')
    throw new Failure('NOT_FOUND', `there is no branch or tag "${from}"${didYouMean(from, Object.keys(refs))}`)
  const snapshotId = source?.snapshotId ?? change.snapshotId
  if (name === 'main' && snapshotId !== undefined)
    throw new Failure('REQUEST_INVALID', 'ALTER TABLE does not move the branch main', {
      hint: "CALL set_current_snapshot('ns.t', id) does.",
    })
  return (now: TableMetadata, at: Parameters<AlterStep>[1]) => {
    if (does === 'replace' || (does === 'create-or-replace' && now.refs[name])) {
      const id = snapshotId ?? now.currentSnapshotId
      return changeRef(checkedRef(now, name, type), name, { ...retention, snapshotId: id })
    }
    const about = { ...retention, snapshotId }
    return type === 'branch' ? startBranch(now, name, about, at) : createTag(now, name, about)
  }
}

function checkedRef(now: TableMetadata, name: string, type: 'branch' | 'tag'): TableMetadata {
  const ref = now.refs[name]
  if (ref && ref.type !== type) throw new Failure('REQUEST_INVALID', `"${name}" is a ${ref.type}, not a ${type}`)
  return now
}

/** What the format forbids because of rows that may be there, when it is known how those are. */
const unchecked = (now: TableMetadata) => evolveSchema(now, { caseSensitive: false, allowIncompatible: true })

async function isEmpty(target: TableName, metadata: TableMetadata, { rows }: PerformContext): Promise<boolean> {
  if (metadata.currentSnapshotId === undefined) return true
  return !hasOwnBranches(metadata) && (await rows(`SELECT 1 FROM ${quoteTable(target)} LIMIT 1`)).length === 0
}

/** Rows of branches are not looked at. */
const hasOwnBranches = ({ refs }: TableMetadata): boolean =>
  Object.entries(refs).some(([name, { type }]) => name !== 'main' && type === 'branch')

/** NOT NULL for a column that has no nulls. Where that is not known it is refused, as the format has it. */
async function requiring(
  path: string,
  metadata: TableMetadata,
  target: TableName,
  { rows }: PerformContext,
): Promise<AlterStep> {
  const field = fieldNamed(currentSchema(metadata), path)
  if (!field || field.required || field.parents.length > 0 || hasOwnBranches(metadata))
    return (now) => schemaOf(now).require(path).change()
  if (metadata.currentSnapshotId !== undefined) {
    const [found] = await rows(`SELECT 1 FROM ${quoteTable(target)} WHERE ${quoteName(field.name)} IS NULL LIMIT 1`)
    if (found)
      throw new Failure('QUERY_FAILED', `column "${field.name}" of ${showName(target)} contains null values`, {
        hint: `Fill them by UPDATE, or take their rows away by DELETE, and write it again.`,
        sqlState: '23502',
        ...broken(target, { column: field.name }),
      })
  }
  return sinceSeen(metadata, (now) => unchecked(now).require(path).change())
}

/** Gives the rows that are there what new columns have where a statement leaves them out. */
async function fill(
  columns: readonly Unfilled[],
  target: TableName,
  before: TableMetadata,
  context: PerformContext,
): Promise<void> {
  const { changes, rows, options } = context
  if (before.currentSnapshotId !== undefined) {
    const table = await tableOf(target, changes, 'change')
    const numbering = numberedFields(table.metadata)
    const set: Assignment[] = []
    for (const { column } of columns) {
      const counting = numbering.find(({ field }) => field.name.toLowerCase() === column.toLowerCase())
      if (!counting) set.push({ column, value: { sql: 'DEFAULT', start: 0 } })
      else {
        const [[count] = []] = await rows(`SELECT count(*) FROM ${quoteTable(target)}`)
        const comings = BigInt(String(count))
        const first = await context.takeNumbers(table, counting, comings)
        set.push({ column, value: { sql: numberOfRow(first, comings), start: 0 } })
      }
    }
    const whole = { alias: undefined, returning: undefined, from: undefined, where: undefined }
    // Whoever may alter a table sees all of it.
    const allowed = { ...context, options: { ...options, needs: ['alter' as const] } }
    await changeRows({ kind: 'update', name: [target.name], set, ...whole }, target, allowed)
  }
  const required = columns.filter((column) => column.required)
  const steps = required.map(
    ({ column }): AlterStep =>
      (now) =>
        unchecked(now).require(column).change(),
  )
  if (steps.length > 0) await changes.alter(target, steps, options)
}

/** Only columns of the table itself: what is inside of them has the types of Iceberg. */
const declaring = (path: string, declared: DeclaredType | undefined): AlterStep[] => [
  (now) => {
    const field = fieldNamed(currentSchema(now), path)
    return field?.parents.length === 0 ? changeDeclared(now, field, declared) : nothing
  },
]

async function checkHeld(
  path: string,
  declared: DeclaredType,
  target: TableName,
  schema: Schema,
  { rows }: PerformContext,
): Promise<void> {
  const parts = isInside(schema, path) ? path.split('.') : [path]
  const condition = unfitSql(parts.map(quoteName).join('.'), declared)
  if (condition === undefined) return
  const [found] = await rows(`SELECT 1 FROM ${quoteTable(target)} WHERE ${condition} LIMIT 1`)
  if (found) throw unfit(path, declared)
}

/** The paths of the identifier fields without these. */
function identifiersBut(metadata: TableMetadata, paths: readonly string[]): string[] {
  const schema = currentSchema(metadata)
  const names = schema.identifierFieldIds.map((id) => fieldById(schema, id)!.path)
  const isOf = (name: string) => (path: string) => path.toLowerCase() === name.toLowerCase()
  for (const path of paths)
    if (!names.some(isOf(path))) throw new Failure('REQUEST_INVALID', `"${path}" is no identifier field`)
  return names.filter((name) => !paths.some(isOf(name)))
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

/** Whether the path leads, or would lead, into another column; a dot may be part of a name too. */
const isInside = (schema: Schema, path: string): boolean => {
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1))
    if (fieldNamed(schema, path.slice(0, dot))) return true
  return false
}
