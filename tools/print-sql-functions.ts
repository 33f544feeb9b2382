// Prints the list of SQL functions that people may call: those of the pinned DuckDB, without the ones that reach the
// process, its files, its settings or other sessions. Run it again, and read the difference, when DuckDB is raised.

import { writeFile } from 'node:fs/promises'
import { DuckDBInstance } from '@duckdb/node-api'

const denied =
  /^(current_(setting|query|query_id|connection_id|transaction_id|schemas)|getvariable|nextval|currval|write_log|sleep_ms|pg_sleep|error|setseed|json_(de)?serialize_(sql|plan)|json_execute.*|txid_current|query.*|getenv|parse_duckdb_log_message|inet_.*|pg_(conf_load_time|postmaster_start_time|my_temp_schema|is_other_temp_schema)|stats|vector_type|in_search_path|icu_collate_.*|finalize|variant_bytes_to_variant|get_block_size|map_to_pg_oid|pg_get_viewdef|__internal_.*)$/
const volatile = [
  'random',
  'uuid',
  'uuidv4',
  'uuidv7',
  'gen_random_uuid',
  'now',
  'today',
  'transaction_timestamp',
  'get_current_timestamp',
  'get_current_time',
  'current_date',
  'current_time',
  'current_timestamp',
  'current_localtime',
  'current_localtimestamp',
  'localtime',
  'localtimestamp',
  'age',
  'ago',
  'current_user',
  'session_user',
  'user',
  'current_role',
  'current_database',
  'current_catalog',
  'current_schema',
  'version',
]
/** Spellings that the parser gives to operators and syntax. */
const syntax = [
  'count_star',
  'list_comprehension',
  '!~~',
  '~~',
  '~~*',
  '!~~*',
  '~~~',
  'unnest',
  'operator',
  'grouping',
  'grouping_id',
  'struct_pack',
  'row',
]

const instance = await DuckDBInstance.create(':memory:')
const connection = await instance.connect()
const reader = await connection.runAndReadAll(
  "select distinct lower(function_name) from duckdb_functions() where function_type in ('scalar', 'aggregate', 'macro') order by 1",
)
const allowed = [...new Set([...reader.getRows().map(([name]) => String(name)), ...volatile, ...syntax])]
  .filter((name) => !denied.test(name))
  .sort()
const aggregates = await connection.runAndReadAll(
  "select distinct lower(function_name) from duckdb_functions() where function_type = 'aggregate' order by 1",
)
const lines = (names: string[]) => {
  const out = ['']
  for (const name of names) {
    if (out.at(-1)!.length + name.length > 110) out.push('')
    out[out.length - 1] += `${out.at(-1) ? ' ' : ''}${name}`
  }
  return out.map((line) => `  ${line}`).join('\n')
}
await writeFile(
  new URL('../src/lake/sql/functions.ts', import.meta.url),
  `// Printed by tools/print-sql-functions.ts from the pinned DuckDB. What is not named here cannot be called.

const list = (names: string): ReadonlySet<string> => new Set(names.trim().split(/\\s+/))

export const scalarFunctions = list(String.raw\`
${lines(allowed).replaceAll('`', '')}
\`)

/** What they give is of many rows. */
export const aggregateFunctions = list(\`
${lines(aggregates.getRows().map(([name]) => String(name)))}
\`)

/** Their answer changes from call to call or from person to person. */
export const volatileFunctions = list(\`
${lines(volatile)}
\`)

export const tableFunctions = list(\`
  range generate_series unnest repeat repeat_row json_each json_tree
\`)
`,
)
