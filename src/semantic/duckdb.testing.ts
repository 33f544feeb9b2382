// For tests: a real DuckDB with the sales example in it, and a `bind` that places errors as the lake does.

import { readFile } from 'node:fs/promises'
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import { Failure } from '../base/failure.ts'
import type { z } from 'zod'
import { MetricsFile as Schema, readMetrics, unlocated } from '../project/index.ts'
import type { Bind } from './check.ts'
import { openModels, type Models } from './model.ts'

const example = new URL('../../examples/sales/', import.meta.url).pathname

export async function openDuckDB(): Promise<DuckDBConnection> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  await connection.run("SET TimeZone = 'UTC'")
  return connection
}

/** `raw.sales` as ingestion loads it, `staging.stg_sales` and `marts.daily_revenue` as dbt compiles them. */
export async function openSales(): Promise<DuckDBConnection> {
  const connection = await openDuckDB()
  await connection.run('CREATE SCHEMA raw; CREATE SCHEMA staging; CREATE SCHEMA marts')
  await connection.run(
    `CREATE TABLE raw.sales AS FROM read_csv('${example}sales.csv', types = {order_date: 'VARCHAR', quantity: 'INTEGER', amount: 'DECIMAL(12,2)'})`,
  )
  const model = async (file: string): Promise<string> =>
    (await readFile(`${example}models/${file}`, 'utf8'))
      .replace("{{ source('raw', 'sales') }}", 'raw.sales')
      .replace("{{ ref('stg_sales') }}", 'staging.stg_sales')
  await connection.run(`CREATE TABLE staging.stg_sales AS ${await model('staging/stg_sales.sql')}`)
  await connection.run(`CREATE TABLE marts.daily_revenue AS ${await model('marts/daily_revenue.sql')}`)
  return connection
}

/** Rows by column name; decimals and large integers as text. */
export async function rows(connection: DuckDBConnection, sql: string): Promise<Record<string, unknown>[]> {
  return (await connection.runAndReadAll(sql)).getRowObjectsJson()
}

export const bindWith =
  (connection: DuckDBConnection): Bind =>
  async (sql) => {
    try {
      const described = await connection.runAndReadAll(`DESCRIBE ${sql}`)
      return described
        .getRowObjectsJson()
        .map((row) => ({ name: String(row['column_name']), type: String(row['column_type']) }))
    } catch (error) {
      throw asSqlFailure(error)
    }
  }

function asSqlFailure(error: unknown): Failure {
  const [message = '', ...rest] = String((error as Error).message).split('\n')
  const at = rest.findIndex((line) => line.startsWith('LINE '))
  const line = Number(/^LINE (\d+): /.exec(rest[at] ?? '')?.[1] ?? 0)
  const shown = rest[at] ?? ''
  const caret = (rest[at + 1] ?? '').indexOf('^')
  // Only for short statements: DuckDB cuts long lines. The text before `DESCRIBE ` is ours.
  const column = caret - `LINE ${line}: `.length - (line === 1 ? 'DESCRIBE '.length : 0) + 1
  return new Failure('SQL_INVALID', message, line > 0 && !shown.includes('...') ? { place: { line, column } } : {})
}

export async function salesModels(): Promise<Models> {
  return openModels((await readMetrics(example)).items).models
}

/** Models from plain objects, as metrics files would give them. */
export function modelsOf(...files: z.input<typeof Schema>[]): Models {
  return openModels(files.map((file) => unlocated({ ...Schema.parse(file), name: file.name ?? 'm' }, 'm.yml'))).models
}
