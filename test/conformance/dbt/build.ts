// Seeds and builds a project with our own loop, in this process, and leaves every table as `schema/table.parquet`.

import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openWorld } from '../../../src/lake/world.ts'
import { compileNode, plan, readTransform, runPlan, selectNodes, type Command } from '../../../src/transform/index.ts'
import { parentsOf, type Ours } from './differences.ts'

const principal = { id: 'system', name: 'system', role: 'system' as const }
const catalog = 'db'

export async function build(
  dir: string,
  options: {
    vars: Record<string, unknown>
    env: Record<string, string>
    profile: string
    schema: string
    tables: string
  },
): Promise<Ours> {
  const world = await openWorld({ catalog })
  const ours: Ours = { parents: new Map(), statuses: new Map(), messages: new Map(), sql: new Map() }
  const command = async (name: Command) => {
    const { project, failures } = await readTransform(dir, {
      target: { name: 'dev', catalog, schema: options.schema, profile: options.profile, threads: 4 },
      vars: options.vars,
      env: options.env,
      command: name,
    })
    for (const failure of failures) console.warn(`${failure.place?.file}:${failure.place?.line}: ${failure.message}`)
    const changes = await world.lake.openChanges({ catalog, principal, environmentNamed: true })
    const results = await runPlan(plan(project, name, selectNodes(project, {}).ids), {
      project,
      lake: world.lake,
      changes,
      principal,
    })
    await changes.publish()
    return { project, results }
  }
  try {
    await command('seed')
    const { project, results } = await command('build')
    parentsOf(project, ours.parents)
    for (const { uniqueId, status, message, compiledSql } of results) {
      ours.statuses.set(uniqueId, status)
      if (status === 'error' || status === 'fail') ours.messages.set(uniqueId, message)
      if (compiledSql !== undefined) ours.sql.set(uniqueId, compiledSql)
    }
    // Those that are inlined in their readers have no result.
    for (const node of project.nodes.values()) {
      if (node.kind !== 'model' || node.config['materialized'] !== 'ephemeral') continue
      const compiled = await compileNode(node, { project, lake: world.lake, principal }).catch(() => undefined)
      if (compiled) ours.sql.set(node.uniqueId, compiled.sql)
    }
    const tables = await world.rows(
      `select table_schema, table_name from information_schema.tables where table_catalog = '${catalog}' order by all`,
    )
    for (const [schema, table] of tables as [string, string][]) {
      mkdirSync(join(options.tables, schema), { recursive: true })
      const file = join(world.copies, 'table.parquet')
      try {
        await world.rows(`copy (select * from ${catalog}."${schema}"."${table}") to '${file}' (format parquet)`)
        copyFileSync(file, join(options.tables, schema, `${table}.parquet`))
        rmSync(file)
      } catch (error) {
        console.warn(`${schema}.${table} cannot be read: ${(error as Error).message}`)
      }
    }
  } finally {
    await world.close()
  }
  return ours
}
