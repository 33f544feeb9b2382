// Keys besides the identifier fields, by their names: what clients call UNIQUE. Nothing enforces them; INSERT … ON CONFLICT finds
// rows by them, and the catalog of SQL clients shows them. They are properties of their table, by field ids.

import { changeProperties, currentSchema, type TableChange, type TableMetadata } from '../../iceberg/index.ts'
import { uniquePrefix } from './column-property.ts'

export type UniqueKey = { name: string; columns: readonly string[] }

/** A key goes with a column of it. */
export function uniqueKeys(metadata: TableMetadata): UniqueKey[] {
  const names = new Map(currentSchema(metadata).fields.map(({ id, name }) => [String(id), name]))
  return Object.entries(metadata.properties).flatMap(([property, ids]): UniqueKey[] => {
    if (!property.startsWith(uniquePrefix)) return []
    const columns = ids.split(',').map((id) => names.get(id))
    const isWhole = columns.every((column) => column !== undefined)
    return isWhole ? [{ name: property.slice(uniquePrefix.length), columns }] : []
  })
}

/** Undefined takes it away. */
export function changeUnique(
  metadata: TableMetadata,
  name: string,
  fieldIds: readonly number[] | undefined,
): TableChange {
  const property = `${uniquePrefix}${name}`
  return changeProperties(metadata, fieldIds ? { set: { [property]: fieldIds.join(',') } } : { remove: [property] })
}

/** What PostgreSQL calls one that has no name. */
export const uniqueName = (table: string, columns: readonly string[]): string => `${table}_${columns.join('_')}_key`
export const primaryName = (table: string): string => `${table}_pkey`
