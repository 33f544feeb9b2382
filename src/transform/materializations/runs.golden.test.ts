// Projects that are run several times, their tables compared with what dbt-core and dbt-duckdb leave after each run
// (test/golden/dbt-runs, made by generate.py there).

import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openWorld } from '../../lake/world.ts'
import { plan } from '../plan.ts'
import { loadProject } from '../project.ts'
import { runPlan } from '../run.ts'

const root = 'test/golden/dbt-runs'
const system = { id: 'system', name: 'system', role: 'system' as const }

type Table = { columns: [string, string][]; rows: (string | null)[][] }
type Step = { statuses: Record<string, string>; tables: Record<string, Table> }
type Plan = { volatile?: string[]; steps: { sql?: string[]; files?: Record<string, string>; args?: string[] }[] }

let world: Awaited<ReturnType<typeof openWorld>>
let folder: string
// Projects name their tables as they like: each has a lake of its own.
beforeEach(async () => {
  world = await openWorld()
  folder = mkdtempSync(join(tmpdir(), 'dbt-runs-'))
})
afterEach(async () => {
  await world.close()
  rmSync(folder, { recursive: true })
})

const json = <Value>(file: string) => JSON.parse(readFileSync(file, 'utf8')) as Value

test.each(readdirSync(root).filter((name) => existsSync(join(root, name, 'expected.json'))))(
  '%s: the same rows as with dbt after each run',
  async (name) => {
    const dir = join(root, name)
    const { steps, volatile = [] } = json<Plan>(join(dir, 'steps.json'))
    const expected = json<Step[]>(join(dir, 'expected.json'))
    const project = join(folder, 'project')
    cpSync(join(dir, 'project'), project, { recursive: true })
    for (const [index, { sql = [], files = {}, args = [] }] of steps.entries()) {
      for (const [file, text] of Object.entries(files)) {
        mkdirSync(dirname(join(project, file)), { recursive: true })
        writeFileSync(join(project, file), text)
      }
      for (const statement of sql) await world.query(statement, { namespace: 'raw' })
      const statuses = await build(project, args)
      expect(statuses, `statuses of step ${index + 1}`).toEqual(onlyNodes(expected[index]!.statuses))
      for (const [table, wanted] of Object.entries(expected[index]!.tables))
        expect(await contents(table, wanted, volatile), `${table} after step ${index + 1}`).toEqual(wanted)
    }
  },
  120_000,
)

const onlyNodes = (statuses: Record<string, string>) =>
  Object.fromEntries(Object.entries(statuses).filter(([id]) => /^(model|seed|snapshot|operation|test)\./.test(id)))

const after = (args: readonly string[], flag: string): string | undefined =>
  args.includes(flag) ? args[args.indexOf(flag) + 1] : undefined

async function build(dir: string, args: readonly string[]): Promise<Record<string, string>> {
  const vars = args.includes('--vars') ? (parse(args[args.indexOf('--vars') + 1]!) as Record<string, unknown>) : {}
  const project = await loadProject(dir, {
    target: { name: 'dev', catalog: 'dev_analytics', database: 'golden' },
    vars,
    fullRefresh: args.includes('--full-refresh'),
    flags: {
      empty: args.includes('--empty'),
      storeFailures: args.includes('--store-failures'),
      others: {
        event_time_start: after(args, '--event-time-start'),
        event_time_end: after(args, '--event-time-end'),
        sample: after(args, '--sample'),
      },
    },
    startedAt: Date.now(),
  })
  const changes = await world.lake.openChanges({ catalog: 'dev_analytics', principal: system })
  const work = { project, lake: world.lake, changes, principal: system }
  const results = await runPlan(plan(project, 'build'), work, { threads: 1 })
  await changes.publish()
  return onlyNodes(Object.fromEntries(results.map(({ uniqueId, status }) => [uniqueId, status])))
}

/** Types that Iceberg has not are the next larger ones it has. */
const alike: Record<string, string> = { TINYINT: 'INTEGER', SMALLINT: 'INTEGER' }

async function contents(table: string, wanted: Table, volatile: readonly string[]): Promise<Table> {
  const columns = (await world.lake.bind(`select * from ${table}`, world.asking())).map(
    ({ name, type }): [string, string] => {
      const same = wanted.columns.find(([each]) => each === name)?.[1]
      return [name, same !== undefined && alike[same] === type ? same : type]
    },
  )
  const shown = columns.map(([name]) =>
    volatile.includes(`${table.split('.')[1]}.${name}`)
      ? `case when "${name}" is null then null else '*' end`
      : `"${name}"::varchar`,
  )
  return { columns, rows: (await world.rows(`select ${shown.join(', ')} from ${table} order by all`)) as Table['rows'] }
}
