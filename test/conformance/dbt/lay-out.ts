// Lays the public projects of projects.ts out, each in a folder of its own with its packages in `dbt_packages` and a
// `profiles.yml` for DuckDB, so that dbt-core and Boathouse build the same files.
//
//     node test/conformance/dbt/lay-out.ts FOLDER [NAME …] [--mirror DIR]
//
// Repositories are cloned from GitHub into FOLDER/.repositories. With --mirror they are taken from bare repositories at
// DIR/OWNER+NAME/repo instead. A project that lies there already is left alone.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { publicProjects, type Origin, type PublicProject } from './projects.ts'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { mirror: { type: 'string' } } })
const [folder, ...names] = positionals
if (folder === undefined) throw new Error('usage: lay-out.ts FOLDER [NAME …] [--mirror DIR]')

for (const project of publicProjects) {
  if (names.length > 0 && !names.includes(project.name)) continue
  const to = join(folder, project.name)
  if (existsSync(to)) continue
  layOut(project, to)
  console.log(to)
}

function layOut(project: PublicProject, to: string): void {
  const making = `${to}.making`
  rmSync(making, { recursive: true, force: true })
  extract(project, making)
  rmSync(join(making, 'dbt_packages'), { recursive: true, force: true })
  for (const [name, origin] of Object.entries(project.packages ?? {}))
    extract(origin, join(making, 'dbt_packages', name), ['integration_tests', 'docs'])
  // As `dbt deps` would leave it: dbt counts the packages of the lock file.
  const locked = Object.keys(project.packages ?? {}).map((name) => `  - local: dbt_packages/${name}\n`)
  if (locked.length > 0)
    writeFileSync(join(making, 'package-lock.yml'), `packages:\n${locked.join('')}sha1_hash: laid-out\n`)
  const { profile } = parse(readFileSync(join(making, 'dbt_project.yml'), 'utf8')) as { profile?: string }
  writeFileSync(
    join(making, 'profiles.yml'),
    `${profile ?? project.name}:
  target: dev
  outputs:
    dev: {type: duckdb, path: target/db.duckdb, schema: ${project.schema ?? 'main'}, threads: 4}
`,
  )
  // golden.py reads what to pass to dbt from these.
  if (project.vars !== undefined) writeFileSync(join(making, '.lab_vars.yml'), project.vars)
  if (project.env) writeFileSync(join(making, '.lab_env.json'), JSON.stringify(project.env))
  renameSync(making, to)
}

/** The files of a repository's folder but those under `without`. What a mirror does not hold is told and left out. */
function extract(origin: Origin, to: string, without: readonly string[] = []): void {
  const repository = repositoryOf(origin)
  const git = (args: string[], input?: string) =>
    execFileSync('git', ['-C', repository, ...args], { maxBuffer: 2 ** 31 - 1, ...(input !== undefined && { input }) })
  const at = `${origin.commit ?? 'HEAD'}${origin.folder === undefined ? '' : `:${origin.folder}`}`
  const entries = git(['ls-tree', '-r', '-z', at]).toString().split('\0').filter(Boolean)
  const files = entries.flatMap((entry) => {
    const [head, path] = entry.split('\t') as [string, string]
    const [mode, , object] = head.split(' ') as [string, string, string]
    return mode.startsWith('100') && !without.includes(path.split('/')[0]!) ? [{ path, object }] : []
  })
  const contents = git(['cat-file', '--batch'], files.map(({ object }) => `${object}\n`).join(''))
  let position = 0
  for (const { path } of files) {
    const end = contents.indexOf(10, position)
    const head = contents.subarray(position, end).toString()
    position = end + 1
    if (head.endsWith('missing')) {
      console.warn(`${origin.repository}: ${path} is not in the repository at hand`)
      continue
    }
    const size = Number(head.split(' ')[2])
    mkdirSync(dirname(join(to, path)), { recursive: true })
    writeFileSync(join(to, path), contents.subarray(position, position + size))
    position += size + 1
  }
}

function repositoryOf({ repository }: Origin): string {
  if (values.mirror !== undefined) return join(values.mirror, repository.replace('/', '+'), 'repo')
  const to = join(folder!, '.repositories', repository.replace('/', '+'))
  if (!existsSync(to))
    execFileSync('git', ['clone', '--quiet', '--bare', `https://github.com/${repository}`, to], { stdio: 'inherit' })
  return to
}
