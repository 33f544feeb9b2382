// What `has_table_privilege` and its like look up: the asker's own rights, in PostgreSQL's words. Of what the asker may not
// know of there is no row, so the answer is false as it is for what does not exist.

import type { Governed, Privilege } from '../../govern/index.ts'
import { namespaceOid, systemRelationOid } from './oids.ts'
import { namesOfRelations, type Row } from './relation-sql.ts'
import type { Known, Model } from './rows.ts'

const ofTables: readonly [string, Privilege][] = [
  ['INSERT', 'insert'],
  ['UPDATE', 'update'],
  ['DELETE', 'delete'],
  ['TRUNCATE', 'delete'],
  ['MAINTAIN', 'maintain'],
]

const written = ({ known }: Pick<Model, 'known'>, on: Governed): string[] =>
  ofTables.flatMap(([name, privilege]) => (known.may(privilege, on) ? [name] : []))

/**
 * A row for each name that a thing may be called by, in lower case and without quotes. `privileges` are those on all of it,
 * `some_privileges` those on a column at least, `columns` the names and numbers of the columns that can be read.
 */
export function privilegeRows(model: Model): Row[] {
  const { known, relations, namespaces, sequences } = model
  return [
    ...relations.flatMap(({ oid, schema, name, columns, loaded }) => {
      const others = written(model, loaded.name)
      const read = columns.length > 0 ? ['SELECT'] : []
      return named([String(oid), name, `${schema}.${name}`, `${known.catalog}.${schema}.${name}`], {
        kind: 'relation',
        privileges: [...(known.seesEveryColumn(loaded.name) ? read : []), ...others],
        some_privileges: [...read, ...others],
        columns: columns.flatMap((column) => [column.name.toLowerCase(), String(column.number)]),
      })
    }),
    // Who adds rows takes numbers, and who may take them may set where they go on.
    ...sequences.flatMap(({ oid, schema, name, of }) => {
      const isOwn = of && (of.own || of.relation.columns[of.number - 1]!.serial)
      const table = isOwn ? of.relation.loaded.name : undefined
      const takes = known.may('insert', table ?? { catalog: known.catalog, namespace: schema, name })
      const sees = takes || (table !== undefined && known.seesEveryColumn(table))
      return named([String(oid), name, `${schema}.${name}`, `${known.catalog}.${schema}.${name}`], {
        kind: 'sequence',
        privileges: [...(takes ? ['USAGE', 'UPDATE'] : []), ...(sees ? ['SELECT'] : [])],
      })
    }),
    ...(['pg_catalog', 'information_schema'] as const).flatMap((schema) =>
      namesOfRelations(schema).flatMap((name) => {
        const names = [`${schema}.${name}`, ...(schema === 'pg_catalog' ? [name, String(systemRelationOid(name))] : [])]
        return named(names, { kind: 'relation', privileges: ['SELECT'], some_privileges: ['SELECT'], columns: [] })
      }),
    ),
    ...namespaces.flatMap((schema) =>
      named([schema, String(namespaceOid(schema))], {
        kind: 'schema',
        privileges: ['USAGE', ...(mayCreate(known, schema) ? ['CREATE'] : [])],
      }),
    ),
  ]
}

const mayCreate = ({ may, catalog }: Known, namespace: string): boolean => may('create', { catalog, namespace })

const named = (names: readonly string[], row: Row): Row[] => names.map((name) => ({ ...row, name: name.toLowerCase() }))
