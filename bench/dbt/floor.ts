// What the database alone takes for a project that was built: the compiled SQL of each node, in the order of the graph, by
// DuckDB in one process. A table is `COPY … TO parquet`, a view is made, a test is counted; nothing is catalogued.
// Usage: node floor.ts PROJECT, where `boathouse dbt build` has left target/manifest.json.

import { DuckDBInstance } from '@duckdb/node-api'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

type Node = {
  unique_id: string
  resource_type: string
  schema: string
  alias: string
  compiled_code?: string
  original_file_path: string
  config: { materialized?: string }
  depends_on?: { nodes: string[] }
}

const dir = process.argv[2]!
const manifest = JSON.parse(readFileSync(join(dir, 'target', 'manifest.json'), 'utf8')) as {
  nodes: Record<string, Node>
}
const files = join(dir, 'target', 'floor')
rmSync(files, { recursive: true, force: true })
mkdirSync(files, { recursive: true })
const connection = await (await DuckDBInstance.create(':memory:', { threads: '2' })).connect()
const text = (value: string) => `'${value.replaceAll("'", "''")}'`
const name = (...parts: string[]) => parts.map((part) => `"${part.replaceAll('"', '""')}"`).join('.')

const database = Object.values(manifest.nodes).map(({ compiled_code: sql = '' }) => /"(\w+)"\."\w+"\."/.exec(sql)?.[1])
const catalog = database.find((one) => one !== undefined)
if (catalog) await connection.run(`ATTACH ':memory:' AS ${name(catalog)}; USE ${name(catalog)}`)
for (const schema of new Set(Object.values(manifest.nodes).map((node) => node.schema)))
  await connection.run(`CREATE SCHEMA IF NOT EXISTS ${name(schema)}`)

const done = new Set<string>()
let written = 0
async function build(id: string): Promise<void> {
  const node = manifest.nodes[id]
  if (!node || done.has(id)) return
  done.add(id)
  for (const above of node.depends_on?.nodes ?? []) await build(above)
  const sql = node.compiled_code?.trim().replace(/;$/, '')
  const target = name(node.schema, node.alias)
  if (node.resource_type === 'test' && sql) await connection.runAndReadAll(`SELECT count(*) FROM (${sql}\n)`)
  else if (node.config.materialized === 'view' && sql) await connection.run(`CREATE VIEW ${target} AS ${sql}`)
  else if (sql || node.resource_type === 'seed') {
    const file = join(files, `${++written}.parquet`)
    const from = sql ?? `FROM read_csv(${text(join(dir, node.original_file_path))})`
    await connection.run(`COPY (${from}\n) TO ${text(file)} (FORMAT parquet, COMPRESSION zstd)`)
    await connection.run(`CREATE VIEW ${target} AS FROM read_parquet(${text(file)})`)
  }
}
// A project may say that its seeds are its sources: nothing depends on them then, and they are there all the same.
const isSeed = (id: string) => manifest.nodes[id]!.resource_type === 'seed'
for (const id of Object.keys(manifest.nodes).sort((a, b) => Number(isSeed(b)) - Number(isSeed(a)))) await build(id)
process.stderr.write(`${done.size} nodes\n`)
