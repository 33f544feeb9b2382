// What the specification keeps for itself: field ids of columns that no schema has, and words that are no properties.

import type { Schema } from './types.ts'

/** Ids by the columns' names (spec, "Reserved Field IDs"). */
export const reservedFields = {
  file_path: 2147483546,
  pos: 2147483545,
  _row_id: 2147483540,
  _last_updated_sequence_number: 2147483539,
} as const

/** The columns of position delete files (spec, "Position Delete Files"). */
export const positionDeleteSchema: Schema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    { id: reservedFields.file_path, name: 'file_path', required: true, type: { kind: 'string' } },
    { id: reservedFields.pos, name: 'pos', required: true, type: { kind: 'long' } },
  ],
}

/** Java's `TableProperties`: they are fields of the metadata, not properties of the table. */
export const reservedProperties: ReadonlySet<string> = new Set([
  'format-version',
  'uuid',
  'snapshot-count',
  'current-snapshot-id',
  'current-snapshot-summary',
  'current-snapshot-timestamp-ms',
  'current-schema',
  'default-partition-spec',
  'default-sort-order',
])
