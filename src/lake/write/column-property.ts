// What Iceberg does not say of columns is kept as properties of their table, by field id: a column may be renamed.

import { changeProperties, type TableChange, type TableMetadata } from '../../iceberg/index.ts'

export type ColumnProperty = {
  /** Whether a property of a table is one of these, and none that people set. */
  is(key: string): boolean
  of(metadata: TableMetadata, fieldId: number): string | undefined
  /** Undefined takes it away. */
  change(metadata: TableMetadata, fieldId: number, value: string | undefined): TableChange
}

export function columnProperty(what: string): ColumnProperty {
  const keyOf = (fieldId: number) => `boathouse.${what}.${fieldId}`
  return {
    is: (key) => key.startsWith(keyOf(0).slice(0, -1)),
    of: ({ properties }, fieldId) => properties[keyOf(fieldId)],
    change: (metadata, fieldId, value) =>
      changeProperties(
        metadata,
        value === undefined ? { remove: [keyOf(fieldId)] } : { set: { [keyOf(fieldId)]: value } },
      ),
  }
}
