// `information_schema` as SQL values: what a principal may see of a catalog, in the spelling of the SQL standard.

import type { Loaded } from '../../catalog/index.ts'
import { currentSchema, currentViewVersion, type Field, type ViewMetadata } from '../../iceberg/index.ts'
import { quoteText } from '../sql/tokens.ts'
import { sqlType } from '../types.ts'
import { declaredType } from '../write/declared-types.ts'
import { shownTemporary } from '../write/run-names.ts'

export type InformationTable = 'tables' | 'columns' | 'schemata'

/** A SELECT in parentheses. `known` are the tables and views, `columnsOf` their columns, that may be seen. */
export function informationSchema(
  table: InformationTable,
  catalog: string,
  { known: all, namespaces }: { known: readonly Loaded[]; namespaces: readonly string[] },
  columnsOf: (one: Loaded) => readonly Field[],
): string {
  switch (table) {
    case 'schemata':
      return values(
        ['catalog_name', 'schema_name'],
        namespaces.map((namespace) => [catalog, namespace]),
      )
    case 'tables':
      return values(
        ['table_catalog', 'table_schema', 'table_name', 'table_type', 'table_comment'],
        all.map((one) => [
          one.name.catalog,
          one.name.namespace,
          one.name.name,
          kindShown(one),
          one.metadata.properties.comment ?? null,
        ]),
      )
    case 'columns':
      return values(
        [
          'table_catalog',
          'table_schema',
          'table_name',
          'column_name',
          'ordinal_position',
          'is_nullable',
          'data_type',
          'column_comment',
        ],
        all.flatMap((one) =>
          columnsOf(one).map((field, at) => [
            one.name.catalog,
            one.name.namespace,
            one.name.name,
            field.name,
            at + 1,
            field.required ? 'NO' : 'YES',
            declaredType(one.metadata, field) ?? sqlType(field.type),
            field.doc ?? null,
          ]),
        ),
      )
  }
}

export const kindShown = ({ kind, name }: Loaded): string =>
  kind === 'view' ? 'VIEW' : name.namespace === shownTemporary ? 'LOCAL TEMPORARY' : 'BASE TABLE'

/** The columns of a table or view as they are now. */
export const schemaOfLoaded = (one: Loaded) =>
  one.kind === 'table' ? currentSchema(one.metadata) : schemaOfView(one.metadata)

export function schemaOfView(metadata: ViewMetadata) {
  const version = currentViewVersion(metadata)
  return metadata.schemas.find(({ schemaId }) => schemaId === version?.schemaId) ?? metadata.schemas[0]!
}

function values(columns: string[], rows: (string | number | null)[][]): string {
  const names = columns.join(', ')
  if (rows.length === 0)
    return `(SELECT ${columns.map((name) => `NULL::${name === 'ordinal_position' ? 'INTEGER' : 'VARCHAR'} AS ${name}`).join(', ')} WHERE false)`
  const line = (row: (string | number | null)[]) =>
    `(${row.map((value) => (value === null ? 'NULL::VARCHAR' : typeof value === 'number' ? String(value) : quoteText(value))).join(', ')})`
  return `(SELECT * FROM (VALUES ${rows.map(line).join(', ')}) AS v(${names}))`
}
