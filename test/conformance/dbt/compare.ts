// One dbt project, built by us and by dbt-core, and every difference: nodes, parents, status, compiled SQL, tables.
//
//     node test/conformance/dbt/compare.ts PROJECT [--golden FILE] [--vars YAML] [--compile DATABASE | --command] [--keep DIR]
//
// PROJECT holds its `profiles.yml` and `dbt_packages`; it is copied, and built in the copy. Without --golden dbt-core
// makes one: DBT_PYTHON names the Python that has it, DBT_LAB the folder of golden.py and compare.py. --compile only
// compiles; templates that ask are answered by DATABASE, a file that dbt-core built. --command builds by `boathouse dbt`
// in the folder, as a person would, and has dbt-core read the artifacts. --keep keeps SQL and tables there,
// --json writes the figures.

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { build } from './build.ts'
import { buildByCommand } from './build-by-command.ts'
import { compileOnly } from './compile-only.ts'
import { differencesOf, report, tableDifferences, type Difference, type Figures } from './differences.ts'
import { makeGolden, readGolden } from './golden.ts'
import { tablesOf } from './tables.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    golden: { type: 'string' },
    vars: { type: 'string' },
    compile: { type: 'string' },
    command: { type: 'boolean' },
    keep: { type: 'string' },
    json: { type: 'string' },
  },
})
const source = resolve(positionals[0] ?? '.')
const name = basename(source)
const lab = process.env.DBT_LAB ?? '../shared/dbt'
const python = process.env.DBT_PYTHON ?? 'python3'
const work = mkdtempSync(join(tmpdir(), `compare-${name}-`))
const dir = join(work, name)
const left = ['target', 'logs', '.git'].map((each) => join(source, each))
cpSync(source, dir, { recursive: true, filter: (path) => !left.includes(path) })
const read = (file: string) => (existsSync(join(dir, file)) ? readFileSync(join(dir, file), 'utf8') : undefined)

const goldenFile = values.golden ?? join(work, 'golden.json')
if (!existsSync(goldenFile)) makeGolden(dir, goldenFile, { python, lab })
const golden = readGolden(goldenFile)
const vars = values.vars ?? read('.lab_vars.yml')
const profile = (parse(read('dbt_project.yml')!) as { profile?: string }).profile ?? 'default'
const profiles = parse(read('profiles.yml')!) as Record<
  string,
  { target: string; outputs: Record<string, { schema?: string }> }
>
const { target, outputs } = profiles[profile]!
const options = {
  vars: vars === undefined ? {} : (parse(vars) as Record<string, unknown>),
  env: JSON.parse(read('.lab_env.json') ?? '{}') as Record<string, string>,
  profile,
  schema: outputs[target]?.schema ?? 'main',
}
const kept = values.keep ?? join(work, 'ours')
const [tables, sql] = [join(kept, 'tables'), join(kept, 'sql')]
for (const folder of [tables, sql]) mkdirSync(folder, { recursive: true })
const built = async () => {
  if (values.command !== true) return build(dir, { ...options, tables })
  const made = buildByCommand(dir, { vars, env: options.env, python })
  await tablesOf(dir, tables)
  return made
}
const ours =
  values.compile === undefined ? await built() : (await compileOnly(dir, { ...options, database: values.compile })).ours
// Names of tests are longer than names of files may be.
for (const [id, text] of ours.sql) writeFileSync(join(sql, `${id.slice(0, 240)}.sql`), text)
writeFileSync(join(kept, 'messages.json'), JSON.stringify(Object.fromEntries(ours.messages), null, 1))
const differences: Difference[] = differencesOf(golden, ours, { statuses: values.compile === undefined })
if (values.compile === undefined) {
  const json = join(work, 'tables.json')
  const { stderr } = spawnSync(python, [join(lab, 'compare.py'), goldenFile, tables, '--json', json], {
    encoding: 'utf8',
  })
  if (!existsSync(json))
    throw new Error(`the tables could not be compared: DBT_PYTHON must name a Python that has duckdb\n${stderr ?? ''}`)
  differences.push(
    ...tableDifferences(JSON.parse(readFileSync(json, 'utf8')) as Parameters<typeof tableDifferences>[0]),
  )
}
const of = (what: Difference['what'], total: number): [equal: number, total: number] => [
  total - differences.filter((each) => each.what === what).length,
  total,
]
const figures: Figures = {
  nodes: of('node', golden.parents.size),
  parents: of('parents', golden.parents.size),
  statuses: of('status', golden.statuses.size),
  sql: of('sql', golden.compiled.size),
  tables: of('table', golden.tables.length),
}
const shown = Object.entries(figures).map(([what, [equal, total]]) => `${what} ${equal}/${total}`)
console.log(`${name}: ${shown.join(', ')}`)
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(figures))
if (differences.length > 0) console.log(report(differences))
rmSync(work, { recursive: true, force: true })
process.exitCode = differences.length === 0 ? 0 : 1
