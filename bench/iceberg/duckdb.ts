// Raw DuckDB, of the engine's version and with its settings: the limit of what writing can reach here.

import { createInterface } from 'node:readline'
import { DuckDBInstance } from '@duckdb/node-api'

const [threads, memory] = process.argv.slice(2) as [string, string]
const instance = await DuckDBInstance.create(':memory:', { threads, memory_limit: memory })
const connection = await instance.connect()
for await (const line of createInterface({ input: process.stdin })) {
  const { sql } = JSON.parse(line) as { sql: string }
  const started = performance.now()
  await connection.run(sql)
  console.log(JSON.stringify({ ms: performance.now() - started }))
}
