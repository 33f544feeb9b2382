// Writes the expected rows of `# oracle: duckdb` files: what plain DuckDB answers. With --check it only compares.

import { readFileSync, writeFileSync } from 'node:fs'
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import { isOracle, parseBlocks, printBlock, printRow, showValue, type Block } from './format.ts'

async function answer(connection: DuckDBConnection, block: Block): Promise<Block> {
  const sql = block.sql.replaceAll('{s}', 's')
  if (block.kind === 'error') {
    const failed = await connection.run(sql).then(
      () => false,
      () => true,
    )
    if (!failed) throw new Error(`line ${block.line}: DuckDB does not refuse ${sql}`)
    return block
  }
  const result = await connection.runAndReadAll(sql).catch((error: Error) => {
    throw new Error(`line ${block.line}: ${sql}\n${error.message}`)
  })
  if (block.kind === 'ok') return block
  const types = result.columnTypes().map(String)
  return {
    ...block,
    rows: result.getRows().map((row) => printRow(row.map((value, at) => showValue(value, types[at]!)))),
  }
}

/** The text with the rows that DuckDB gives. */
export async function oracled(text: string): Promise<string> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  await connection.run("SET TimeZone = 'UTC'; CREATE SCHEMA s")
  const head = text.slice(0, text.search(/\n\s*\n/))
  const parts: string[] = [head]
  for (const block of parseBlocks(text.slice(head.length))) parts.push(printBlock(await answer(connection, block)))
  connection.closeSync()
  return `${parts.join('\n\n')}\n`
}

if (import.meta.main)
  for (const path of process.argv.slice(2)) {
    const text = readFileSync(path, 'utf8')
    if (isOracle(text)) writeFileSync(path, await oracled(text))
  }
