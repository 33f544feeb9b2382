// `duckdb_tables()` and the like, as what people and tools of DuckDB look around with: questions to the information schema, so
// nobody is told more by them than by that. What a lake has not (OIDs, indexes, paths) is null or none.

import { splice, type Spliced } from '../sql/splice.ts'
import { tokens } from '../sql/tokens.ts'

const about = `table_catalog AS database_name, table_schema AS schema_name`
const counted = `(SELECT count(*) FROM information_schema.columns AS c WHERE c.table_schema = t.table_schema AND c.table_name = t.table_name) AS column_count`
const relations: Record<string, string> = {
  duckdb_tables: `SELECT ${about}, table_name, NULL::VARCHAR AS comment, false AS internal, false AS temporary, false AS has_primary_key, NULL::BIGINT AS estimated_size, ${counted}, 0::BIGINT AS index_count, 0::BIGINT AS check_constraint_count, NULL::VARCHAR AS sql FROM information_schema.tables AS t WHERE table_type = 'BASE TABLE'`,
  duckdb_views: `SELECT ${about}, table_name AS view_name, NULL::VARCHAR AS comment, false AS internal, false AS temporary, ${counted}, NULL::VARCHAR AS sql FROM information_schema.tables AS t WHERE table_type = 'VIEW'`,
  duckdb_columns: `SELECT ${about}, table_name, column_name, ordinal_position AS column_index, NULL::VARCHAR AS comment, false AS internal, NULL::VARCHAR AS column_default, is_nullable = 'YES' AS is_nullable, data_type FROM information_schema.columns`,
  duckdb_schemas: `SELECT catalog_name AS database_name, schema_name, NULL::VARCHAR AS comment, false AS internal, NULL::VARCHAR AS sql FROM information_schema.schemata`,
  duckdb_databases: `SELECT DISTINCT catalog_name AS database_name, NULL::VARCHAR AS path, NULL::VARCHAR AS comment, false AS internal, 'iceberg' AS type, false AS readonly FROM information_schema.schemata`,
}

/** The text with these relations written out. */
export function withDuckdbRelations(sql: string): Spliced {
  if (!/\bduckdb_(tables|views|columns|schemas|databases)\b/i.test(sql)) return { text: sql, origin: (index) => index }
  const all = [...tokens(sql)]
  const edits = all.flatMap(({ kind, text, start }, at) => {
    const name = text.toLowerCase()
    const [before, open, close, behind] = [all[at - 1], all[at + 1], all[at + 2], all[at + 3]]
    const isCall = kind === 'word' && open?.text === '(' && close?.text === ')' && before?.text !== '.'
    if (!isCall || !Object.hasOwn(relations, name)) return []
    const hasAlias = behind?.kind === 'quoted' || (behind?.kind === 'word' && !clauses.has(behind.text.toLowerCase()))
    return [{ start, end: close.end, text: `(${relations[name]!})${hasAlias ? '' : ` AS ${name}`}` }]
  })
  return splice(sql, edits)
}

/** Words that go on behind a table without an alias. */
const clauses = new Set(
  'where group order having limit offset join inner left right full cross natural semi anti asof positional on using union except intersect qualify window sample tablesample select pivot unpivot'.split(
    ' ',
  ),
)
