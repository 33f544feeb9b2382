// A lake for tests of this room: DuckDB in memory behind the lake's interface, without Iceberg, policies or snapshots.
// The real lake is tested in its own room; here only what reaches it and what comes back matters.

import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import { Failure } from '../base/failure.ts'
import type { ChangeSet, Column, Lake, QueryResult, WriteResult } from '../lake/index.ts'

export type FakeLake = {
  lake: Pick<Lake, 'query' | 'bind' | 'relations'>
  changes: ChangeSet
  /** What was written, in order: `table dev_analytics.marts.orders`. */
  written: string[]
  run(sql: string): Promise<unknown[][]>
}

export async function fakeLake(catalog = 'dev_analytics', setup = ''): Promise<FakeLake> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(`attach ':memory:' as ${catalog}; use ${catalog}; ${setup}`)
  const written: string[] = []
  const rows = async (sql: string) => (await located(connection, sql)).rows
  const lake: FakeLake['lake'] = {
    async query(sql) {
      const { columns, rows: found } = await located(connection, sql)
      return {
        columns,
        chunks: (async function* () {
          yield { rowCount: found.length, json: JSON.stringify(found) }
        })(),
        provenance: { tables: [], views: [] },
        cached: { hit: false, ageMs: 0 },
        truncated: () => false,
      } as unknown as QueryResult
    },
    async relations({ catalog: database, namespace, name }) {
      const found = await rows(
        `select table_name, table_type from information_schema.tables where table_catalog = '${database}' and table_schema = '${namespace}'${name === undefined ? '' : ` and table_name = '${name}'`}`,
      )
      return found.map(([table, type]) => ({
        name: { catalog: database, namespace, name: String(table) },
        kind: type === 'VIEW' ? ('view' as const) : ('table' as const),
      }))
    },
    async bind(sql) {
      return (await located(connection, `select * from (${sql}\n) limit 0`)).columns
    },
  }
  const write = async (
    kind: 'table' | 'view',
    target: { catalog: string; namespace: string; name: string },
    select: string,
  ): Promise<WriteResult> => {
    const name = `"${target.catalog}"."${target.namespace}"."${target.name}"`
    await located(connection, select, true)
    await connection.run(`create schema if not exists "${target.catalog}"."${target.namespace}"`)
    const [existing] = await rows(
      `select table_type from information_schema.tables where table_catalog = '${target.catalog}' and table_schema = '${target.namespace}' and table_name = '${target.name}'`,
    )
    if (existing) await connection.run(`drop ${existing[0] === 'VIEW' ? 'view' : 'table'} ${name} cascade`)
    await connection.run(`create ${kind} ${name} as ${select}`)
    const [count] = kind === 'table' ? await rows(`select count(*) from ${name}`) : [[0]]
    written.push(`${kind} ${target.catalog}.${target.namespace}.${target.name}`)
    return {
      table: `${target.catalog}.${target.namespace}.${target.name}`,
      kind,
      columns: [],
      rowsWritten: Number(count![0]),
      snapshotId: '1',
      filesWritten: 1,
      bytesWritten: 1,
    }
  }
  const changes = {
    id: 'changes',
    catalog,
    pending: async () => [],
    putBack: async () => {},
    load: async () => undefined,
    replaceTable: (target: Parameters<ChangeSet['replaceTable']>[0], select: string) => write('table', target, select),
    createView: (target: Parameters<ChangeSet['createView']>[0], select: string) => write('view', target, select),
  } as unknown as ChangeSet
  return { lake, changes, written, run: rows }
}

/** Rows as the lake gives them, failures with the place that DuckDB names. */
async function located(
  connection: DuckDBConnection,
  sql: string,
  prepareOnly = false,
): Promise<{ columns: Column[]; rows: unknown[][] }> {
  try {
    if (prepareOnly) {
      await connection.prepare(sql)
      return { columns: [], rows: [] }
    }
    const reader = await connection.runAndReadAll(sql)
    const types = reader.columnTypes().map(String)
    const columns = reader.columnNames().map((name, index) => ({ name, type: types[index]!, nullable: true }))
    return {
      columns,
      rows: reader
        .getRowsJson()
        .map((row) =>
          row.map((value, index) => (types[index] === 'BIGINT' && typeof value === 'string' ? Number(value) : value)),
        ),
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const [, line] = /LINE (\d+):/.exec(message) ?? []
    const caret = message.split('\n').find((each) => /^\s*\^/.test(each))
    const column = caret && line ? caret.indexOf('^') - `LINE ${line}: `.length + 1 : undefined
    throw new Failure(
      /Catalog Error: Table/.test(message) ? 'TABLE_NOT_FOUND' : 'SQL_INVALID',
      message.split('\n')[0]!,
      {
        ...(line && { place: { line: Number(line), ...(column && { column }) } }),
      },
    )
  }
}
