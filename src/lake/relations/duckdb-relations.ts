// `duckdb_tables()` and the like, as what people and tools of DuckDB look around with: questions to the information schema, so
// nobody is told more by them than by that. What a lake has not (OIDs, indexes, paths) is null or none.

import { splice, type Spliced } from '../sql/splice.ts'
import { isName, nameOf, quoteName, tokens, type Token } from '../sql/tokens.ts'

const about = `table_catalog AS database_name, table_schema AS schema_name`
const counted = `(SELECT count(*) FROM information_schema.columns AS c WHERE c.table_schema = t.table_schema AND c.table_name = t.table_name) AS column_count`
const relations: Record<string, string> = {
  duckdb_tables: `SELECT ${about}, table_name, NULL::VARCHAR AS comment, false AS internal, false AS temporary, false AS has_primary_key, NULL::BIGINT AS estimated_size, ${counted}, 0::BIGINT AS index_count, 0::BIGINT AS check_constraint_count, NULL::VARCHAR AS sql FROM information_schema.tables AS t WHERE table_type = 'BASE TABLE'`,
  duckdb_views: `SELECT ${about}, table_name AS view_name, NULL::VARCHAR AS comment, false AS internal, false AS temporary, ${counted}, NULL::VARCHAR AS sql FROM information_schema.tables AS t WHERE table_type = 'VIEW'`,
  duckdb_columns: `SELECT ${about}, table_name, column_name, ordinal_position AS column_index, NULL::VARCHAR AS comment, false AS internal, column_default, is_nullable = 'YES' AS is_nullable, data_type FROM information_schema.columns`,
  duckdb_schemas: `SELECT catalog_name AS database_name, schema_name, NULL::VARCHAR AS comment, false AS internal, NULL::VARCHAR AS sql FROM information_schema.schemata`,
  duckdb_databases: `SELECT DISTINCT catalog_name AS database_name, NULL::VARCHAR AS path, NULL::VARCHAR AS comment, false AS internal, 'iceberg' AS type, false AS readonly FROM information_schema.schemata`,
}

/** What `PRAGMA table_info` tells of a table: a SELECT in parentheses. */
export function tableInfo(names: readonly string[]): string {
  return `(SELECT (row_number() OVER () - 1)::INTEGER AS cid, column_name AS name, column_type AS type, "null" = 'NO' AS "notnull", "default" AS dflt_value, key IS NOT DISTINCT FROM 'PRI' AS pk FROM (DESCRIBE ${names.map(quoteName).join('.')}) ORDER BY cid)`
}

/** The text with these relations written out. */
export function withDuckdbRelations(sql: string): Spliced {
  if (!/\b(duckdb_(tables|views|columns|schemas|databases)|pragma_table_info)\b/i.test(sql))
    return { text: sql, origin: (index) => index }
  const all = [...tokens(sql)]
  const edits = all.flatMap(({ kind, text, start }, at) => {
    const name = text.toLowerCase()
    const [before, open] = [all[at - 1], all[at + 1]]
    if (kind !== 'word' || open?.text !== '(' || before?.text === '.') return []
    const given = name === 'pragma_table_info' && all[at + 2]?.kind === 'string' ? all[at + 2] : undefined
    const [close, behind] = given ? [all[at + 3], all[at + 4]] : [all[at + 2], all[at + 3]]
    const relation = given
      ? tableInfo(namesIn(given))
      : Object.hasOwn(relations, name)
        ? `(${relations[name]!})`
        : undefined
    if (relation === undefined || close?.text !== ')') return []
    const hasAlias = behind?.kind === 'quoted' || (behind?.kind === 'word' && !clauses.has(behind.text.toLowerCase()))
    return [{ start, end: close.end, text: `${relation}${hasAlias ? '' : ` AS ${name}`}` }]
  })
  return splice(sql, edits)
}

/** The parts of `'raw.t'`. */
const namesIn = ({ text }: Token): string[] =>
  [...tokens(text.slice(1, -1).replaceAll("''", "'"))].filter(isName).map(nameOf)

/** Words that go on behind a table without an alias. */
const clauses = new Set(
  'where group order having limit offset join inner left right full cross natural semi anti asof positional on using union except intersect qualify window sample tablesample select pivot unpivot'.split(
    ' ',
  ),
)
