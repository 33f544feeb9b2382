// What Iceberg does not say of columns is kept as properties of their table, by field id: a column may be renamed.

import { changeProperties, type TableChange, type TableMetadata } from '../../iceberg/index.ts'

type ColumnProperty = {
  key(fieldId: number): string
  of(metadata: Pick<TableMetadata, 'properties'>, fieldId: number): string | undefined
  /** Undefined takes it away. */
  change(metadata: TableMetadata, fieldId: number, value: string | undefined): TableChange
}

/** Whether a property of a table is one of these, and none that people set. */
export const isColumnProperty = (key: string): boolean =>
  /^boathouse\.((default|identity|type)\.\d+$|(unique|foreign|check|enforced)\.|(primary|enforced-primary-key)$)/.test(
    key,
  )

/** Whether it makes a column take its numbers from a sequence. */
export const isSequenceProperty = (key: string, value: string): boolean =>
  key.startsWith('boathouse.identity.') && value.startsWith('by default of')

export function columnProperty(what: 'default' | 'identity' | 'type'): ColumnProperty {
  const keyOf = (fieldId: number) => `boathouse.${what}.${fieldId}`
  return {
    key: keyOf,
    of: ({ properties }, fieldId) => properties[keyOf(fieldId)],
    change: (metadata, fieldId, value) =>
      changeProperties(
        metadata,
        value === undefined ? { remove: [keyOf(fieldId)] } : { set: { [keyOf(fieldId)]: value } },
      ),
  }
}

/** What is kept of one column is kept of another in its place. */
export function moveProperties(metadata: TableMetadata, from: number, to: number): TableChange {
  const moved = (['default', 'identity'] as const).flatMap((what) => {
    const { key, of } = columnProperty(what)
    const value = of(metadata, from)
    return value === undefined ? [] : [{ was: key(from), key: key(to), value }]
  })
  const set = Object.fromEntries(moved.map(({ key, value }) => [key, value]))
  return changeProperties(metadata, { set, remove: [columnProperty('type').key(from), ...moved.map(({ was }) => was)] })
}

/** What is kept of the columns of a table that is made anew. */
export const columnProperties = ({ properties }: TableMetadata): string[] =>
  Object.keys(properties).filter(isColumnProperty)
