// One dbt project, built by us and by dbt-core, and every difference: nodes, parents, status, compiled SQL, tables.
//
//     node test/conformance/dbt/compare.ts PROJECT [--golden FILE] [--vars YAML] [--compile DATABASE] [-v]
//
// PROJECT holds its `profiles.yml` and `dbt_packages`. Without --golden dbt-core makes one (DBT_PYTHON names the Python
// that has it). --compile only compiles; templates that ask are answered by DATABASE, the file that dbt-core built.

import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { compileOnly } from './compile-only.ts'
import { differencesOf, report } from './differences.ts'
import { makeGolden, readGolden } from './golden.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    golden: { type: 'string' },
    vars: { type: 'string' },
    compile: { type: 'string' },
    sql: { type: 'string' },
  },
})
const dir = resolve(positionals[0] ?? '.')
const lab = process.env.DBT_LAB ?? '../shared/dbt'
const read = (name: string) => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), 'utf8') : undefined)

const goldenFile = values.golden ?? join(mkdtempSync(join(tmpdir(), 'golden-')), `${basename(dir)}.json`)
if (!existsSync(goldenFile)) makeGolden(dir, goldenFile, { python: process.env.DBT_PYTHON ?? 'python3', lab })
const golden = readGolden(goldenFile)
const { profile } = parse(read('dbt_project.yml')!) as { profile?: string }
const ours = await compileOnly(dir, {
  database: values.compile ?? '',
  vars: values.vars ?? read('.lab_vars.yml'),
  env: JSON.parse(read('.lab_env.json') ?? '{}') as Record<string, string>,
  profile: profile ?? 'default',
})
const differences = differencesOf(golden, ours, { statuses: false })
if (values.sql !== undefined) for (const [id, text] of ours.sql) writeFileSync(join(values.sql, `${id}.sql`), text)
const count = (what: string) => differences.filter((each) => each.what === what).length
console.log(
  `${basename(dir)}: ${golden.parents.size} nodes, ${count('node')} missing or too many, ${count('parents')} with other parents; ` +
    `SQL of ${golden.compiled.size}, ${count('sql')} differ`,
)
if (differences.length > 0) console.log(report(differences))
process.exitCode = differences.length === 0 ? 0 : 1
