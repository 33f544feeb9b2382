// Keys besides the identifier fields, by their names: what clients call UNIQUE and REFERENCES. INSERT … ON CONFLICT finds rows by
// the former, and the catalog of SQL clients shows both. They are properties of their table, by field ids, and so is which of them
// rows are held to that are written here (`enforced-keys.ts`). Other engines know nothing of them.

import { Failure } from '../../base/failure.ts'
import { changeProperties, currentSchema, type TableChange, type TableMetadata } from '../../iceberg/index.ts'
import type { KeyRules } from '../sql/statement.ts'

export type UniqueKey = { name: string; columns: readonly string[] }
/** Without columns of the other table its primary key is meant. */
export type ForeignKey = UniqueKey & {
  to: { namespace: string; table: string; columns: readonly string[] | undefined; rules?: KeyRules }
}

/** `enforced`: the columns of a unique key that is. */
const prefix = { unique: 'boathouse.unique.', foreign: 'boathouse.foreign.', enforced: 'boathouse.enforced.' }
/** The identifier fields, as long as they are these. */
const enforcedPrimary = 'boathouse.enforced-primary-key'
/** Of CHECKs (`row-checks.ts`), which share their names with keys. */
export const checkPrefix = 'boathouse.check.'

/** A key goes with a column of it. */
export const uniqueKeys = (metadata: TableMetadata): UniqueKey[] =>
  kept(metadata, prefix.unique).flatMap(({ name, value }): UniqueKey[] => {
    const columns = columnsOf(metadata, value.split(',').map(Number))
    return columns ? [{ name, columns }] : []
  })

export const foreignKeys = (metadata: TableMetadata): ForeignKey[] =>
  kept(metadata, prefix.foreign).flatMap(({ name, value }): ForeignKey[] => {
    const found = foreignOf(value)
    const columns = found && columnsOf(metadata, found.ids)
    if (!columns) return []
    const { namespace, table, columns: others, rules = {} } = found
    return [{ name, columns, to: { namespace, table, columns: others, rules } }]
  })

/** Undefined for what somebody else wrote there. */
function foreignOf(text: string): WrittenForeign | undefined {
  try {
    const found = JSON.parse(text) as Partial<WrittenForeign>
    const isWhole = Array.isArray(found.ids) && typeof found.namespace === 'string' && typeof found.table === 'string'
    return isWhole && Array.isArray(found.columns ?? []) ? (found as WrittenForeign) : undefined
  } catch {
    return undefined
  }
}

type WrittenForeign = {
  ids: readonly number[]
  namespace: string
  table: string
  columns: readonly string[] | undefined
  rules?: KeyRules
}

export function changeUnique(
  metadata: TableMetadata,
  name: string,
  fieldIds: readonly number[],
  isEnforced: boolean,
): TableChange {
  const ids = fieldIds.join(',')
  return changeProperties(metadata, {
    set: { [prefix.unique + name]: ids, ...(isEnforced && { [prefix.enforced + name]: ids }) },
  })
}

/** Rows are held to the identifier fields from now on, or no longer. */
export const enforcePrimary = (metadata: TableMetadata, isEnforced: boolean): TableChange =>
  changeProperties(
    metadata,
    isEnforced ? { set: { [enforcedPrimary]: identifiersOf(metadata) } } : { remove: [enforcedPrimary] },
  )

/** Of a unique key: rows are held to it from now on, or no longer. */
export const enforceUnique = (metadata: TableMetadata, name: string, isEnforced: boolean): TableChange =>
  changeProperties(
    metadata,
    isEnforced
      ? { set: { [prefix.enforced + name]: metadata.properties[prefix.unique + name]! } }
      : { remove: [prefix.enforced + name] },
  )

/** Rows that came while other fields were the identifiers were not held to these. */
export const forgetPrimary = (metadata: TableMetadata): TableChange =>
  changeProperties(metadata, {
    remove: (metadata.properties[enforcedPrimary] ?? '') === identifiersOf(metadata) ? [] : [enforcedPrimary],
  })

const identifiersOf = (metadata: TableMetadata): string =>
  [...currentSchema(metadata).identifierFieldIds].sort((a, b) => a - b).join(',')

/** The keys that rows are held to which are written here. */
export function enforcedKeys(metadata: TableMetadata, table: string): UniqueKey[] {
  const { properties } = metadata
  const ids = identifiersOf(metadata)
  const columns =
    ids !== '' && properties[enforcedPrimary] === ids ? columnsOf(metadata, ids.split(',').map(Number)) : undefined
  const primary = columns ? [{ name: primaryOf(metadata, table), columns }] : []
  const isEnforced = ({ name }: UniqueKey) => properties[prefix.enforced + name] === properties[prefix.unique + name]
  return [...primary, ...uniqueKeys(metadata).filter(isEnforced)]
}

/** The keys and checks that rows of the table have to meet, by whatever names: columns are told by their ids. */
export function rulesOfRows(metadata: TableMetadata): string[] {
  const { fields } = currentSchema(metadata)
  const idOf = (column: string) => fields.find(({ name }) => name === column)!.id
  const keys = enforcedKeys(metadata, '').map(({ columns }) => columns.map(idOf).join(','))
  return [...keys, ...kept(metadata, checkPrefix).map(({ value }) => value)]
}

export const changeForeign = (metadata: TableMetadata, name: string, key: WrittenForeign): TableChange =>
  changeProperties(metadata, { set: { [prefix.foreign + name]: JSON.stringify(key) } })

/** @throws ALREADY_EXISTS when a constraint has the name, which would be lost */
export function mustBeFree({ properties }: TableMetadata, name: string, what: 'check' | 'unique' | 'foreign'): void {
  const taken = [...Object.values(prefix), checkPrefix].map((one) => (one + name).toLowerCase())
  if (Object.keys(properties).some((key) => taken.includes(key.toLowerCase())))
    throw new Failure('ALREADY_EXISTS', `constraint "${name}" already exists`, {
      hint: 'Give it another name, or write ALTER TABLE … DROP CONSTRAINT before.',
      sqlState: what === 'unique' ? '42P07' : '42710',
    })
}

/** ` ON DELETE CASCADE`, as it was written. */
export const rulesText = (rules: KeyRules = {}): string =>
  (['update', 'delete'] as const)
    .flatMap((on) => (rules[on] === undefined ? [] : [` ON ${on.toUpperCase()} ${rules[on].toUpperCase()}`]))
    .join('')

/** The name of a key as it is kept, whatever the case that it is asked for in. */
export const namedKey = (metadata: TableMetadata, name: string): string | undefined =>
  [...uniqueKeys(metadata), ...foreignKeys(metadata)].find((one) => one.name.toLowerCase() === name.toLowerCase())?.name

export function renameKey(metadata: TableMetadata, name: string, to: string): TableChange {
  const all = Object.values(prefix).flatMap((one) => {
    const value = metadata.properties[one + name]
    return value === undefined ? [] : [{ from: one + name, to: one + to, value }]
  })
  const set = Object.fromEntries(all.map((one) => [one.to, one.value]))
  return changeProperties(metadata, { remove: all.map(({ from }) => from).filter((key) => !(key in set)), set })
}

export const dropKey = (metadata: TableMetadata, name: string): TableChange =>
  changeProperties(metadata, {
    remove: Object.values(prefix).flatMap((one) => (metadata.properties[one + name] === undefined ? [] : [one + name])),
  })

/** The keys with a column in the place of another. */
export function moveKeys(metadata: TableMetadata, from: number, to: number): TableChange {
  const moved = (ids: readonly number[]) => ids.map((id) => (id === from ? to : id))
  const unique = (['unique', 'enforced'] as const).flatMap((kind) =>
    kept(metadata, prefix[kind]).map(({ name, value }) => [
      prefix[kind] + name,
      moved(value.split(',').map(Number)).join(','),
    ]),
  )
  const foreign = kept(metadata, prefix.foreign).flatMap(({ name, value }) => {
    const found = foreignOf(value)
    return found ? [[prefix.foreign + name, JSON.stringify({ ...found, ids: moved(found.ids) })]] : []
  })
  return changeProperties(metadata, { set: Object.fromEntries([...unique, ...foreign]) as Record<string, string> })
}

const primaryProperty = 'boathouse.primary'
/** The name that a primary key was given. */
export const givenPrimary = ({ properties }: TableMetadata): string | undefined => properties[primaryProperty]

export const primaryOf = (metadata: TableMetadata, table: string): string =>
  givenPrimary(metadata) ?? primaryName(table)

export const changePrimaryName = (metadata: TableMetadata, name: string | undefined): TableChange =>
  changeProperties(metadata, name === undefined ? { remove: [primaryProperty] } : { set: { [primaryProperty]: name } })

/** What PostgreSQL calls one that has no name. */
export const primaryName = (table: string): string => `${table}_pkey`
export const uniqueName = (table: string, columns: readonly string[]): string => `${table}_${columns.join('_')}_key`
export const foreignName = (table: string, columns: readonly string[]): string => `${table}_${columns.join('_')}_fkey`

const kept = ({ properties }: TableMetadata, start: string) =>
  Object.entries(properties).flatMap(([key, value]) =>
    key.startsWith(start) ? [{ name: key.slice(start.length), value }] : [],
  )

function columnsOf(metadata: TableMetadata, ids: readonly number[]): string[] | undefined {
  const { fields } = currentSchema(metadata)
  const names = ids.map((id) => fields.find((field) => field.id === id)?.name)
  return names.every((name) => name !== undefined) ? names : undefined
}
