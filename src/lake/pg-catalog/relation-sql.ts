// A system relation as SQL: its columns always, its rows as one JSON text, which DuckDB reads a hundred times faster than
// the VALUES list of the same rows.

import { quoteName, quoteText } from '../sql/tokens.ts'
import { informationSchemaColumns, pgCatalogColumns } from './columns.ts'

/** A value per column; what is left out is null. */
export type Row = Readonly<Record<string, unknown>>
export type RelationColumn = { name: string; type: string }

const types: Record<string, string> = {
  o: 'UINTEGER',
  t: 'VARCHAR',
  b: 'BOOLEAN',
  s: 'SMALLINT',
  i: 'INTEGER',
  l: 'BIGINT',
  f: 'FLOAT',
  d: 'DOUBLE',
  z: 'TIMESTAMP WITH TIME ZONE',
  v: 'INTERVAL',
  x: 'BLOB',
  S: 'SMALLINT[]',
  O: 'UINTEGER[]',
  T: 'VARCHAR[]',
  F: 'DOUBLE[]',
  B: 'BOOLEAN[]',
}

const read = (text: string): ReadonlyMap<string, readonly RelationColumn[]> =>
  new Map(
    text
      .trim()
      .split(/\n {2}(?! )/)
      .map((relation) => {
        const [name, ...columns] = relation.trim().split(/\s+/)
        return [
          name!,
          columns.map((column) => {
            const [columnName, code] = column.split(':')
            return { name: columnName!, type: types[code!]! }
          }),
        ]
      }),
  )

/** What our own rewriting of functions looks up: `pg_get_viewdef(oid)` and the like. */
const own: [string, readonly RelationColumn[]][] = [
  [
    'boathouse_definition',
    [
      { name: 'kind', type: 'VARCHAR' },
      { name: 'oid', type: 'UINTEGER' },
      { name: 'part', type: 'INTEGER' },
      { name: 'definition', type: 'VARCHAR' },
    ],
  ],
  [
    'boathouse_relation',
    [
      { name: 'oid', type: 'UINTEGER' },
      { name: 'name', type: 'VARCHAR' },
    ],
  ],
  [
    'boathouse_privilege',
    [
      { name: 'kind', type: 'VARCHAR' },
      { name: 'name', type: 'VARCHAR' },
      { name: 'privileges', type: 'VARCHAR[]' },
      { name: 'some_privileges', type: 'VARCHAR[]' },
      { name: 'columns', type: 'VARCHAR[]' },
    ],
  ],
]

const relations: Record<string, ReadonlyMap<string, readonly RelationColumn[]>> = {
  pg_catalog: new Map([...read(pgCatalogColumns), ...own]),
  information_schema: read(informationSchemaColumns),
}

/** Columns of a system relation; undefined when there is none of this name. */
export const columnsOfRelation = (schema: string, name: string): readonly RelationColumn[] | undefined =>
  relations[schema]?.get(name)

/** PostgreSQL's own, without ours. */
export const namesOfRelations = (schema: 'pg_catalog' | 'information_schema'): readonly string[] =>
  [...relations[schema]!.keys()].filter((name) => !name.startsWith('boathouse_'))

/** A SELECT in parentheses without rows. */
export const emptySql = (columns: readonly RelationColumn[]): string =>
  `(SELECT ${columns.map(({ name, type }) => `NULL::${type} AS ${quoteName(name)}`).join(', ')} WHERE false)`

/** A SELECT in parentheses. */
export function rowsSql(columns: readonly RelationColumn[], rows: readonly Row[]): string {
  if (rows.length === 0) return emptySql(columns)
  const used = new Set(rows.flatMap((row) => Object.keys(row)))
  const given = columns.filter(({ name }) => used.has(name))
  const structure = JSON.stringify([
    Object.fromEntries(given.map(({ name, type }) => [name, type.endsWith('[]') ? [type.slice(0, -2)] : type])),
  ])
  const select = columns
    .map(({ name, type }) => (used.has(name) ? `r.${quoteName(name)}` : `NULL::${type} AS ${quoteName(name)}`))
    .join(', ')
  return `(SELECT ${select} FROM (SELECT unnest(from_json(${quoteText(JSON.stringify(rows))}, ${quoteText(structure)})) AS r))`
}
