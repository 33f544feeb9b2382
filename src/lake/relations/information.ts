// `information_schema` as SQL values: what a principal may see of a catalog, in the spelling of the SQL standard.

import type { Loaded, LoadedTable } from '../../catalog/index.ts'
import {
  currentSchema,
  currentViewVersion,
  type Field,
  type Schema,
  type TableMetadata,
  type Type,
  type ViewMetadata,
} from '../../iceberg/index.ts'
import { quoteText } from '../sql/tokens.ts'
import { literalSql, sqlType } from '../types.ts'
import { computedOf } from '../write/computed-defaults.ts'
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
          'column_default',
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
            one.kind === 'table' ? defaultShown(one.metadata, field) : null,
            field.required ? 'NO' : 'YES',
            declaredType(one.metadata, field) ?? sqlType(field.type),
            field.doc ?? null,
          ]),
        ),
      )
  }
}

/** The head of a SELECT over what DuckDB's DESCRIBE says of a table's rows: with what the table itself says besides. */
export function describedColumns(
  { metadata }: Pick<LoadedTable, 'metadata'>,
  { fields, identifierFieldIds }: Schema,
): string {
  const caseOf = (shown: (field: Field) => string | null, otherwise: string) => {
    const cases = fields.flatMap((field) => {
      const text = shown(field)
      return text === null ? [] : [` WHEN ${quoteText(field.name)} THEN ${quoteText(text)}`]
    })
    return cases.length === 0 ? otherwise : `CASE column_name${cases.join('')} ELSE ${otherwise} END`
  }
  const columns = [
    `${caseOf(({ required }) => (required ? 'NO' : null), '"null"')} AS "null"`,
    `${caseOf(({ id }) => (identifierFieldIds.includes(id) ? 'PRI' : null), 'key')} AS key`,
    `${caseOf((field) => defaultShown(metadata, field), '"default"')} AS "default"`,
  ]
  return `SELECT column_name, column_type, ${columns.join(', ')}, extra FROM`
}

/** As SQL; null where there is none that can be written so. */
function defaultShown(metadata: TableMetadata, { id, type, writeDefault }: Field): string | null {
  const { computed } = computedOf(metadata, { id, type })
  if (computed !== undefined) return computed
  if (writeDefault === undefined || (typeof writeDefault === 'object' && 'json' in writeDefault)) return null
  const text = literalSql(type, writeDefault)
  return unquoted.has(type.kind) ? text.replace(/^'(.*)'$/, '$1') : text
}
const unquoted = new Set<Type['kind']>(['boolean', 'int', 'long', 'float', 'double', 'decimal'])

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
