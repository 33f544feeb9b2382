// Prints the columns of PostgreSQL's system relations from a PostgreSQL that runs, for `src/lake/pg-catalog`: clients ask
// for any of them, so each exists, most of them without rows.
// Run it again when another version of PostgreSQL is to be resembled: needs its server on this machine.

import { writeFile } from 'node:fs/promises'
import pg from 'pg'
import { startPostgres } from '../test/support/postgres.ts'

const types: Record<string, string> = {
  oid: 'o',
  regproc: 'o',
  xid: 'o',
  name: 't',
  text: 't',
  char: 't',
  varchar: 't',
  pg_node_tree: 't',
  inet: 't',
  pg_lsn: 't',
  // Of a sequence alone: clients are told its name.
  regtype: 't',
  anyarray: 't',
  aclitem: 't',
  pg_ndistinct: 't',
  pg_dependencies: 't',
  pg_mcv_list: 't',
  character_data: 't',
  sql_identifier: 't',
  yes_or_no: 't',
  cardinal_number: 'i',
  time_stamp: 'z',
  bool: 'b',
  int2: 's',
  int4: 'i',
  int8: 'l',
  numeric: 'd',
  float4: 'f',
  float8: 'd',
  timestamptz: 'z',
  interval: 'v',
  bytea: 'x',
  int2vector: 'S',
  _int2: 'S',
  oidvector: 'O',
  _oid: 'O',
  _text: 'T',
  _name: 'T',
  _char: 'T',
  _aclitem: 'T',
  _float4: 'F',
  _float8: 'F',
  _pg_statistic: 't',
  _bool: 'B',
  _regtype: 'O',
}

const server = await startPostgres()
const client = new pg.Client({ connectionString: server.url })
await client.connect()
const { rows } = await client.query<{ schema: string; relation: string; columns: string }>(`
  select n.nspname as schema, c.relname as relation,
    string_agg(a.attname || ':' || t.typname, ' ' order by a.attnum) as columns
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 join pg_type t on t.oid = a.atttypid
  where n.nspname in ('pg_catalog', 'information_schema') and c.relkind in ('r', 'v') group by 1, 2 order by 1 desc, 2`)
await client.end()
await server.stop()

const known = (name: string) => {
  const code = types[name]
  if (!code) throw new Error(`no code for the type ${name}`)
  return code
}
const wrapped = (text: string, width: number): string[] => {
  const lines = ['']
  for (const word of text.split(' ')) {
    if (lines.at(-1)!.length + word.length >= width) lines.push('')
    lines[lines.length - 1] += `${lines.at(-1) === '' ? '' : ' '}${word}`
  }
  return lines
}
const list = (schema: string) =>
  rows
    .filter((row) => row.schema === schema)
    .map(({ relation, columns }) => {
      const coded = columns.replace(/(\S+):(\S+)/g, (_, name: string, type: string) => `${name}:${known(type)}`)
      return `${wrapped(`${relation} ${coded}`, 115).join('\n    ')}`
    })
    .map((line) => `  ${line}`)
    .join('\n')

await writeFile(
  new URL('../src/lake/pg-catalog/columns.ts', import.meta.url),
  `// Printed by tools/print-pg-catalog.ts from PostgreSQL 15. A relation, then its columns, each with a letter for its type.

export const pgCatalogColumns = \`
${list('pg_catalog')}
\`

export const informationSchemaColumns = \`
${list('information_schema')}
\`
`,
)
