// For tests: a real lake with the sales example in it, built as ingestion and dbt build it.

import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { realClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { openWorld } from '../lake/world.ts'
import { DashboardFile, parseYaml, readDashboards, readMetrics, type Located } from '../project/index.ts'
import { openModels, type Models } from '../semantic/index.ts'
import { compileDashboard, type CompiledDashboard } from './compile.ts'
import type { LoadOptions } from './load.ts'

const example = join(import.meta.dirname, '../../examples/sales')

export async function openSalesWorld() {
  const world = await openWorld()
  const csv = join(world.spool, 'sales.csv')
  await copyFile(join(example, 'sales.csv'), csv)
  const changes = await world.lake.openChanges({ catalog: 'dev_analytics', principal: world.admin })
  const types = "{order_date: 'VARCHAR', quantity: 'INTEGER', amount: 'DECIMAL(12,2)'}"
  await changes.replaceTable(
    { catalog: 'dev_analytics', namespace: 'raw', name: 'sales' },
    `select * from read_csv('${csv}', types = ${types})`,
    { files: [csv] },
  )
  await changes.publish()
  for (const [name, file] of [
    ['staging.stg_sales', 'staging/stg_sales.sql'],
    ['marts.daily_revenue', 'marts/daily_revenue.sql'],
  ]) {
    const sql = await readFile(join(example, 'models', file!), 'utf8')
    const select = sql
      .replace("{{ source('raw', 'sales') }}", 'raw.sales')
      .replace("{{ ref('stg_sales') }}", 'staging.stg_sales')
    await world.rows(`create table ${name} as ${select}`)
  }
  return world
}

export const salesModels = async (): Promise<Models> => openModels((await readMetrics(example)).items).models
export const salesFile = async (): Promise<Located<DashboardFile>> => (await readDashboards(example)).items[0]!

/** A dashboard from YAML text, named `test`. */
export function compileText(text: string, models: Models): CompiledDashboard {
  const file = parseYaml('dashboards/test.yml', text, DashboardFile, { code: 'DASHBOARD_INVALID' })
  return compileDashboard({ ...file, value: { ...file.value, name: 'test' } }, models)
}

type World = Awaited<ReturnType<typeof openSalesWorld>>
export const loading = (world: World, dashboard: CompiledDashboard, more: Partial<LoadOptions> = {}): LoadOptions => ({
  dashboard,
  filters: {},
  lake: world.lake,
  principal: world.reader,
  catalog: 'dev_analytics',
  requestId: 'r1',
  clock: realClock,
  log: silentLog,
  ...more,
})
