// What a column was ever called. Rules name columns, and hold of them whatever is done to the table: a column that was renamed
// is the same one, and one that stands in the place of another (ALTER COLUMN … TYPE, CREATE OR REPLACE TABLE) takes after it.

import { currentSchema, type Field, type TableMetadata, type TableUpdate } from '../../iceberg/index.ts'

/** What a column is called until the one that it replaces is gone: no name that tells one from another. */
export const passingName = '_boathouse_retyped_'

/** Of each column: the name that it has first, all in lower case. */
export function pastNamesOf(metadata: TableMetadata): (field: Field) => string[] {
  const there = new Set(currentSchema(metadata).fields.map(({ id }) => id))
  const namesOf = new Map<number, Set<string>>()
  const gone = new Map<string, Set<number>>()
  for (const { fields } of metadata.schemas)
    for (const { id, name } of fields) {
      const lower = name.toLowerCase()
      if (lower.startsWith(passingName)) continue
      namesOf.set(id, (namesOf.get(id) ?? new Set()).add(lower))
      if (!there.has(id)) gone.set(lower, (gone.get(lower) ?? new Set()).add(id))
    }
  return ({ id, name }) => {
    const found = new Set([name.toLowerCase(), ...(namesOf.get(id) ?? [])])
    // What is added meanwhile is walked, too: names of columns that are gone, whose names these had.
    for (const one of found)
      for (const other of gone.get(one) ?? []) for (const more of namesOf.get(other) ?? []) found.add(more)
    return [...found]
  }
}

/** An update without what would take from a column a name that it had: rules name columns. */
export const keepNames =
  (metadata: TableMetadata) =>
  (update: TableUpdate): TableUpdate[] => {
    if (update.action !== 'remove-schemas') return [update]
    const schemaIds = tellingNoName(metadata, update.schemaIds)
    return schemaIds.length === 0 ? [] : [{ ...update, schemaIds }]
  }

/** Of these schemas, those without which every column is still known by all its names. */
function tellingNoName(metadata: TableMetadata, schemaIds: readonly number[]): number[] {
  const known = ({ schemas }: TableMetadata) => {
    const namesOf = pastNamesOf({ ...metadata, schemas })
    return currentSchema(metadata).fields.reduce((sum, field) => sum + namesOf(field).length, 0)
  }
  const all = known(metadata)
  let left = metadata
  return schemaIds.filter((one) => {
    if (one === metadata.currentSchemaId) return true // is refused
    const fewer = { ...left, schemas: left.schemas.filter(({ schemaId }) => schemaId !== one) }
    if (known(fewer) < all) return false
    left = fewer
    return true
  })
}
