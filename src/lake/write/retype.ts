// Columns whose type becomes one that Iceberg does not promote theirs to: text to a number, a number to text. Files say by field
// id what they hold, so each becomes another column under its name, and all rows are written again in the same commit.

import { Failure } from '../../base/failure.ts'
import { showName, type TableName } from '../../catalog/index.ts'
import {
  currentSchema,
  defaultSpec,
  fieldById,
  isPromotable,
  type Field,
  type TableMetadata,
} from '../../iceberg/index.ts'
import { passingName } from '../policy/past-names.ts'
import type { Piece } from '../sql/reader.ts'
import type { Alteration } from '../sql/statement.ts'
import { quoteName } from '../sql/tokens.ts'
import { sqlType } from '../types.ts'
import { nothing, schemaOf, sinceSeen } from './alter-steps.ts'
import type { AlterStep } from './change-set.ts'
import { checkNumbered, constantOf, typeOf } from './column-definitions.ts'
import { defaultSql } from './columns.ts'
import { moveProperties } from './column-property.ts'
import { changeDeclared } from './declared-types.ts'
import { keysHeld } from './enforced-keys.ts'
import { enforcedKeys, enforcePrimary, moveKeys, primaryOf } from './named-keys.ts'
import { numberedFields } from './numbered.ts'
import { tableOf, type PerformContext } from './perform-context.ts'
import { changeRows } from './perform-rows.ts'
import { addChecks, checksOf, dropCheck } from './row-checks.ts'

export type TypeChange = Extract<Alteration, { kind: 'type' }>

/** Whether rows have to be written again: else the metadata says it all. */
export async function rewritesRows(
  { path, type: written, using }: TypeChange,
  metadata: TableMetadata,
  context: PerformContext,
): Promise<boolean> {
  const field = columnNamed(metadata, path)
  if (!field) return false
  const { type, declared } = await typeOf(written, path, context)
  if (!isPromotable(field.type, type, metadata.formatVersion)) return true
  if (using === undefined) return false
  // A cast that is written cuts what is too long.
  return /\(\d+\)$/.test(declared ?? '') || !isCast(using.sql, path, written.sql)
}

/** Whether it only says again what column becomes what. */
function isCast(using: string, path: string, type: string): boolean {
  const plain = (sql: string) => sql.replace(/[\s"()]/g, '').toLowerCase()
  return [`${path}::${type}`, `cast${path}as${type}`, path].some((one) => plain(one) === plain(using))
}

const columnNamed = (metadata: TableMetadata, name: string): Field | undefined =>
  currentSchema(metadata).fields.find((field) => field.name.toLowerCase() === name.toLowerCase())

/** All of them at once: what stands behind USING reads the columns as they were. */
export async function retyped(
  written: readonly TypeChange[],
  target: TableName,
  context: PerformContext,
  requiring: (path: string, metadata: TableMetadata) => Promise<AlterStep>,
): Promise<void> {
  const { changes, options } = context
  const { metadata: before } = await tableOf(target, changes, 'change')
  const columns = await Promise.all(written.map((change, at) => newColumn(change, at, before, target, context)))
  const checks = checksOf(
    before,
    columns.map(({ field }) => field.id),
  )
  const sameRows = sinceSeen(before, () => nothing, 'a column became another type')
  const adding = columns.flatMap(({ temporary, type, declared, change }): AlterStep[] => [
    (now) =>
      schemaOf(now)
        .add(temporary, type, { isName: true, place: { after: change.path } })
        .change(),
    (now) => changeDeclared(now, columnNamed(now, temporary)!, declared),
  ])
  await changes.alter(
    target,
    [
      sameRows,
      ...checks.map(
        ({ name }): AlterStep =>
          (now) =>
            dropCheck(now, name),
      ),
      ...adding,
    ],
    options,
  )
  const identifiers = currentSchema(before).identifierFieldIds.map((id) => fieldById(currentSchema(before), id)!.path)
  const isKey = identifiers.length > 0 && columns.some(({ field }) => identifiers.includes(field.name))
  const replacing = columns.flatMap(({ field, temporary, constant, change }): AlterStep[] => [
    (now) => moveProperties(now, field.id, columnNamed(now, temporary)!.id),
    (now) => moveKeys(now, field.id, columnNamed(now, temporary)!.id),
    (now) => schemaOf(now).drop(field.name).rename(temporary, field.name).change(),
    (now) =>
      schemaOf(now)
        .doc(field.name, change.comment ?? field.doc)
        .change(),
    (now) => (constant === undefined ? nothing : schemaOf(now).setDefault(field.name, constant).change()),
  ])
  const open: AlterStep[] = isKey ? [(now) => schemaOf(now).identifiers([]).change()] : []
  const evolving = [...open, ...replacing]
  if (before.currentSnapshotId !== undefined) {
    const set = columns.map(({ temporary, value }) => ({ column: temporary, value }))
    const whole = { alias: undefined, returning: undefined, from: undefined, where: undefined }
    // Whoever may alter a table sees all of it.
    const allowed = { ...context, options: { ...options, needs: ['alter' as const], evolving } }
    await changeRows({ kind: 'update', name: [target.name], set, ...whole }, target, allowed)
  }
  const { metadata: changed } = await tableOf(target, changes, 'change')
  const hadNoRows = columns.some(({ temporary }) => columnNamed(changed, temporary) !== undefined)
  if (hadNoRows) await changes.alter(target, evolving, options)
  const { metadata: after } = await tableOf(target, changes, 'change')
  const required = columns.filter(({ field }) => field.required)
  const closing = await Promise.all(required.map(({ field }) => requiring(field.name, after)))
  const wasEnforced = enforcedKeys(before, target.name)
  if (isKey) closing.push((now) => schemaOf(now).identifiers(identifiers).change())
  if (isKey && wasEnforced.some(({ name }) => name === primaryOf(before, target.name)))
    closing.push((now) => enforcePrimary(now, true))
  if (closing.length > 0) await changes.alter(target, closing, options)
  const again = checks.map(({ name, sql }) => ({ name, condition: { sql, start: 0 }, holdsAlready: true as const }))
  await addChecks(again, target, context)
  for (const key of wasEnforced)
    if (columns.some(({ field }) => key.columns.includes(field.name))) await keysHeld(target, key, context)
}

async function newColumn(
  change: TypeChange,
  at: number,
  before: TableMetadata,
  target: TableName,
  context: PerformContext,
) {
  const field = columnNamed(before, change.path)!
  const { type, declared } = await typeOf(change.type, change.path, context)
  checkReplaced(field, sqlType(type), before, target)
  if (numberedFields(before).some((one) => one.field.id === field.id)) checkNumbered(type, field.name)
  const literal = field.writeDefault === undefined ? undefined : defaultSql(target, field)
  const given = literal && { sql: `CAST(${literal} AS ${sqlType(field.type)})`, start: change.type.start }
  const constant =
    given && (await constantOf(given, { type, declared }, field.name, context).catch(defaultRefused(field.name)))
  const value: Piece = change.using ?? { sql: quoteName(field.name), start: change.type.start }
  return { change, field, type, declared, constant, value, temporary: `${passingName}${at}` }
}

/** What other files, or the order of these, are kept by cannot be another column. */
function checkReplaced({ id, name }: Field, type: string, metadata: TableMetadata, target: TableName): void {
  const refuse = (because: string, hint: string) => {
    throw new Failure('SQL_UNSUPPORTED', `"${name}" of ${showName(target)} cannot become ${type}: ${because}`, { hint })
  }
  const { fields } = defaultSpec(metadata)
  if (fields.some(({ transform, sourceIds }) => transform.kind !== 'void' && sourceIds.includes(id)))
    refuse('the table is partitioned by it', 'Take the partition field away by ALTER TABLE … DROP PARTITION FIELD.')
  const order = metadata.sortOrders.find(({ orderId }) => orderId === metadata.defaultSortOrderId)
  if (order?.fields.some(({ sourceIds }) => sourceIds.includes(id)))
    refuse('the table is sorted by it', 'Write ALTER TABLE … RESET SORTED BY before.')
  const branch = Object.entries(metadata.refs).find(([ref, { type }]) => ref !== 'main' && type === 'branch')
  if (branch)
    refuse(
      `rows of the branch ${branch[0]} would lose it`,
      'Drop the branch, or add a column, fill it in each branch, and give it the name of the old one.',
    )
}

const defaultRefused = (column: string) => (cause: unknown) => {
  if (!(cause instanceof Failure) || cause.code !== 'QUERY_FAILED') throw cause
  throw new Failure('SQL_INVALID', `default for column "${column}" cannot be cast to its new type`, {
    cause,
    hint: 'Write DROP DEFAULT before the type, and SET DEFAULT behind it.',
    sqlState: '42804',
  })
}
