// Compiles a project without building it. Templates that ask are answered by the database that dbt-core built.

import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import { existsSync } from 'node:fs'
import { Failure } from '../../../src/base/failure.ts'
import { compileNode, readTransform, type DbtProject, type Work } from '../../../src/transform/index.ts'
import { parentsOf, type Ours } from './differences.ts'

const principal = { id: 'system', name: 'system', role: 'system' as const }

export async function compileOnly(
  dir: string,
  {
    database,
    vars,
    env,
    profile,
    schema,
  }: { database: string; vars: Record<string, unknown>; env: Record<string, string>; profile: string; schema: string },
): Promise<{ ours: Ours; project: DbtProject; failures: readonly Failure[] }> {
  const { project, failures } = await readTransform(dir, {
    target: { name: 'dev', catalog: 'db', schema, profile, threads: 4 },
    vars,
    env: { ...env },
    command: 'build',
  })
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(
    existsSync(database) ? `attach '${database}' as db (read_only); use db` : `attach ':memory:' as db; use db`,
  )
  const lake = lakeOf(connection)
  const ours: Ours = { parents: new Map(), statuses: new Map(), messages: new Map(), sql: new Map() }
  parentsOf(project, ours.parents)
  for (const node of project.nodes.values()) {
    if (node.kind === 'seed' || node.kind === 'analysis') continue
    try {
      ours.sql.set(node.uniqueId, (await compileNode(node, { project, lake, principal })).sql)
    } catch (error) {
      if (!(error instanceof Failure)) console.warn(node.uniqueId, error)
      ours.messages.set(node.uniqueId, (error as Error).message)
    }
  }
  connection.closeSync()
  return { ours, project, failures }
}

function lakeOf(connection: DuckDBConnection): Work['lake'] {
  const text = (value: string) => `'${value.replaceAll("'", "''")}'`
  const read = async (sql: string) => {
    const reader = await connection.runAndReadAll(sql).catch((error: Error) => {
      throw new Failure(/does not exist/.test(error.message) ? 'TABLE_NOT_FOUND' : 'SQL_INVALID', error.message)
    })
    const types = reader.columnTypes()
    const columns = reader.columnNames().map((name, index) => ({ name, type: String(types[index]) }))
    return { columns, rows: reader.getRowsJson() }
  }
  return {
    async query(sql: string) {
      const { columns, rows } = await read(sql)
      const chunks = (async function* () {
        yield { rowCount: rows.length, json: JSON.stringify(rows) }
      })()
      return { columns, chunks, provenance: { tables: [], views: [] }, truncated: () => false }
    },
    async relations({ namespace, name }: { namespace: string; name?: string }) {
      const { rows } = await read(
        `select table_name, case table_type when 'VIEW' then 'view' else 'table' end from information_schema.tables
         where table_schema = ${text(namespace)}${name === undefined ? '' : ` and lower(table_name) = lower(${text(name)})`}`,
      )
      return (rows as [string, string][]).map(([found, kind]) => ({ name: { namespace, name: found }, kind }))
    },
    bind: async (sql: string) => (await read(`select * from (${sql}\n) limit 0`)).columns,
  } as unknown as Work['lake']
}
