// One project read here and by dbt-core, without building it: every value of manifest.json, and what is compiled.
//
//     node test/conformance/dbt/manifest.ts PROJECT MANIFEST [--vars YAML]
//
// MANIFEST is what `dbt compile` or `dbt parse` wrote for PROJECT. SQL is compared where dbt compiled it; templates that
// ask are answered by an empty database, as dbt's were if its own was empty. Cheap, so many projects can be looked at.

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { manifestOf } from '../../../src/project/dbt/index.ts'
import { compileOnly } from './compile-only.ts'
import { report, type Difference } from './differences.ts'
import { hashOf } from './golden.ts'
import { differencesOfManifests, type Manifest } from './manifest-differences.ts'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { vars: { type: 'string' } } })
const [folder, file] = positionals
if (folder === undefined || file === undefined) throw new Error('usage: manifest.ts PROJECT MANIFEST [--vars YAML]')
const dir = resolve(folder)
const read = (name: string) => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), 'utf8') : undefined)
const vars = values.vars ?? read('.lab_vars.yml')
const profile = (parse(read('dbt_project.yml')!) as { profile?: string }).profile ?? 'default'
const { ours, project, failures } = await compileOnly(dir, {
  vars: vars === undefined ? {} : (parse(vars) as Record<string, unknown>),
  env: JSON.parse(read('.lab_env.json') ?? '{}') as Record<string, string>,
  profile,
  schema: 'main',
  database: '',
})
const theirs = JSON.parse(readFileSync(file, 'utf8')) as Manifest
const own = JSON.parse(JSON.stringify(manifestOf(project, { generatedAt: 0 }))) as Manifest
const found: Difference[] = [
  ...failures.map((failure) => ({
    what: 'node' as const,
    id: `${failure.place?.file}:${failure.place?.line}`,
    cause: `refused: ${failure.message.slice(0, 200)}`,
  })),
  ...differencesOfManifests(theirs, own),
]
let compiled = 0
for (const [id, node] of Object.entries(theirs['nodes'] ?? {})) {
  const wanted = node['compiled_code']
  if (typeof wanted !== 'string') continue
  compiled++
  const got = ours.sql.get(id)
  if (got === undefined) found.push({ what: 'sql', id, cause: `not compiled: ${ours.messages.get(id)?.slice(0, 150)}` })
  else if (hashOf(got) !== hashOf(wanted)) {
    const [a, b] = [wanted, got].map((text) => text.replace(/\s+/g, ' ').trim()) as [string, string]
    let at = 0
    while (a[at] === b[at]) at++
    const shown = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 30), at + 50))
    found.push({ what: 'sql', id, cause: `other SQL: ${shown(a)} → ${shown(b)}` })
  }
}
console.log(
  `${dir.split('/').at(-1)}: ${Object.keys(theirs['nodes'] ?? {}).length} nodes, ${compiled} compiled, ${found.length} differences`,
)
if (found.length > 0) console.log(report(found))
process.exitCode = found.length === 0 ? 0 : 1
