// Seeds and builds a project as its owner would: `boathouse dbt …` in its folder. What was built is read out of the
// artifacts that are left in `target`, and its tables by tables.ts.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Ours } from './differences.ts'

const root = join(import.meta.dirname, '../../..')

type Entry = { unique_id: string; resource_type: string; depends_on?: { nodes?: string[] }; compiled_code?: string }
type Manifest = Record<string, Record<string, Entry>>
type RunResults = { results: { unique_id: string; status: string; message: string | null; compiled_code?: string }[] }

export function buildByCommand(
  dir: string,
  { vars, env, python }: { vars: string | undefined; env: Record<string, string>; python: string },
): Ours {
  const boathouse = (args: string[]) =>
    spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, 'src/boathouse.ts'), ...args], {
      cwd: dir,
      env: { ...process.env, ...env },
      encoding: 'utf8',
      maxBuffer: 2 ** 29,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  // As dbt leaves it: beside red tests, too.
  const dbt = (verb: string) =>
    boathouse(['dbt', verb, '--publish', 'always', ...(vars === undefined ? [] : ['--vars', vars])])
  const seeded = dbt('seed')
  const built = dbt('build')
  for (const { status, stdout, stderr } of [seeded, built])
    if (status !== 0 && status !== 1) console.warn(`exit code ${status}\n${stdout.slice(-2000)}${stderr.slice(-2000)}`)

  const artifact = <Value>(name: string) => JSON.parse(readFileSync(join(dir, 'target', name), 'utf8')) as Value
  const manifest = artifact<Manifest>('manifest.json')
  const ours: Ours = { parents: new Map(), statuses: new Map(), messages: new Map(), sql: new Map() }
  for (const section of ['nodes', 'unit_tests', 'metrics', 'semantic_models', 'saved_queries', 'exposures'])
    for (const [id, { depends_on: on, compiled_code: sql, resource_type: kind }] of Object.entries(
      manifest[section] ?? {},
    )) {
      ours.parents.set(id, [...new Set(on?.nodes ?? [])].sort())
      if (sql !== undefined && sql !== null && kind !== 'analysis') ours.sql.set(id, sql)
    }
  for (const section of ['sources', 'groups'])
    for (const id of Object.keys(manifest[section] ?? {})) ours.parents.set(id, [])
  for (const { unique_id: id, status, message } of artifact<RunResults>('run_results.json').results) {
    ours.statuses.set(id, status)
    if (status === 'error' || status === 'fail') ours.messages.set(id, message ?? '')
  }
  const checked = spawnSync(python, [join(root, 'test/conformance/dbt-artifacts/validate.py'), join(dir, 'target')], {
    encoding: 'utf8',
  })
  if (checked.status !== 0) throw new Error(`the artifacts could not be checked: ${checked.stderr}`)
  for (const [file, mistakes] of Object.entries(JSON.parse(checked.stdout) as Record<string, string[]>))
    if (mistakes.length > 0) console.warn(`dbt's own classes refuse ${file}:\n${mistakes.slice(0, 5).join('\n')}`)

  return ours
}
