// `pg_catalog` and PostgreSQL's `information_schema`: what its clients read to show tables, complete names and map types.
// DuckDB has relations of the same names about itself; those are never reached.

import { columnsOfRelation, emptySql, rowsSql } from './relation-sql.ts'
import { informationSchemaRows } from './information-rows.ts'
import { functionOid, namespaceOid, roleOid, systemRelationOid, typeOid } from './oids.ts'
import { modelOf, pgCatalogRows, type Key, type Known, type Model, type More } from './rows.ts'

export type { Key, Known } from './rows.ts'

/** OIDs by names, of what a text may name: `'raw'::regnamespace`. */
export const systemOids = {
  /** Of PostgreSQL's own relations; undefined for others. */
  relation: (name: string): number | undefined =>
    columnsOfRelation('pg_catalog', name) ? systemRelationOid(name) : undefined,
  type: typeOid,
  namespace: namespaceOid,
  role: roleOid,
  function: functionOid,
}

type Named = { catalog: string | undefined; namespace: string | undefined; name: string }
/** `sql` has the columns and no rows; `rows` asks what there is. */
export type SystemRelation = {
  sql: string
  /** What its rows hold that is asked for at no other time: comments of schemas, the last numbers of columns. */
  holds: keyof More | undefined
  rows(known: Known, more?: More): string
}

/**
 * The system relation that a name means: `pg_catalog.pg_class`, or `pg_class` alone. `information_schema` only where
 * `standard` asks for PostgreSQL's, or for a view of it that the lake has not otherwise.
 */
export function systemRelation(named: Named, standard: 'postgres' | 'own'): SystemRelation | undefined {
  const [namespace, name] = [named.namespace?.toLowerCase(), named.name.toLowerCase()]
  const schema = namespace ?? (/^(pg|boathouse)_/.test(name) ? 'pg_catalog' : undefined)
  if (schema !== 'pg_catalog' && schema !== 'information_schema') return undefined
  if (schema === 'information_schema' && standard === 'own' && ownViews.has(name)) return undefined
  const columns = columnsOfRelation(schema, name)
  if (!columns) return undefined
  const rowsOf = (schema === 'pg_catalog' ? pgCatalogRows : informationSchemaRows)[name]
  return {
    sql: emptySql(columns),
    holds: ({ pg_description: 'comments', pg_sequences: 'last' } as const)[name],
    rows: (known, more) => (rowsOf ? rowsSql(columns, rowsOf(modelKept(known), more)) : emptySql(columns)),
  }
}
const models = new WeakMap<Known, Model>()
function modelKept(known: Known): Model {
  const model = models.get(known) ?? modelOf(known)
  models.set(known, model)
  return model
}
const ownViews = new Set(['tables', 'columns', 'schemata'])

/** Keys that the project knows, by the catalog that they are in. */
export type KeysOf = (catalog: string) => Promise<readonly Key[]>
