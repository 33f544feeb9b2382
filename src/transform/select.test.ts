import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { Failure } from '../base/failure.ts'
import { readDbtProject, recordFiles, type DbtProject } from '../project/dbt/index.ts'
import { defaultSelector, selectNodes, type Selection } from './select.ts'
import { membersOf } from './select/members.ts'
import { readState } from './select/state.ts'

// What dbt-core 1.12 selects for the same words in the same project (test/golden/select, made by generate.py there).

const golden = fileURLToPath(new URL('../../test/golden/select', import.meta.url))
const json = (name: string): unknown => JSON.parse(readFileSync(join(golden, name), 'utf8'))
const answers = json('answers.json') as Record<string, string[] | 'refused'>

type Change = { file: string; text?: string; remove?: true; from?: string; to?: string }

/** The files of the project; its package stands where `deps` would put it. */
function files(changes: readonly Change[] = []): Record<string, string> {
  const folder = join(golden, 'project')
  const found: Record<string, string> = {}
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(folder.length + 1)
    found[name] = readFileSync(path, 'utf8')
    if (name.startsWith('packages/')) found[name.replace('packages/', 'packages_here/')] = found[name]
  }
  for (const { file, text, remove, from, to } of changes) {
    if (remove) delete found[file]
    else found[file] = text ?? found[file]!.replace(from!, to!)
  }
  return found
}

async function load(changes: readonly Change[] = []): Promise<DbtProject> {
  const target = {
    name: 'dev',
    database: 'memory',
    catalog: 'dev',
    type: 'duckdb',
    schema: 'main',
    profile: 'harbour',
    threads: 2,
  }
  const flags = { command: 'ls', fullRefresh: false, storeFailures: false, empty: false }
  const { project, failures } = await readDbtProject(recordFiles(files(changes)), '/harbour', {
    target,
    vars: {},
    env: {},
    flags,
    startedAt: 0,
    invocationId: '0',
    onLog: () => {},
  })
  expect(failures).toEqual([])
  return project
}

const [now, changed] = await Promise.all([load(), load(json('changes.json') as Change[])])
const usual = [
  'model',
  'snapshot',
  'seed',
  'test',
  'source',
  'exposure',
  'metric',
  'saved_query',
  'semantic_model',
  'unit_test',
]
const targetDir = join(golden, 'state', 'now')

/** As `dbt ls` reads its line. */
function answer(line: string): string[] | 'refused' {
  const flags = new Map<string, string[]>()
  let last: string[] = []
  for (const word of line.split('|').filter(Boolean)) {
    if (word.startsWith('-')) flags.set(word, (last = flags.get(word) ?? []))
    else last.push(...word.split(' '))
  }
  const of = (...names: string[]) => names.flatMap((name) => flags.get(name) ?? [])
  const isStateful = /state:|result:|source_status:/.test(line)
  const project = isStateful ? changed : now
  const types = new Set(
    of('--resource-type').flatMap((each) =>
      each === 'all' ? [...usual, 'analysis'] : each === 'default' ? usual : [each],
    ),
  )
  const kept = types.size > 0 ? types : new Set(flags.has('--models') ? ['model'] : usual)
  for (const each of of('--exclude-resource-type')) kept.delete(each)
  const select = of('--select', '-s', '--models')
  const exclude = of('--exclude')
  const selection: Selection = {
    select,
    exclude,
    selector: of('--selector')[0] ?? (select.length + exclude.length === 0 ? defaultSelector(project) : undefined),
    indirect: of('--indirect-selection')[0] as 'eager' | undefined,
    state: isStateful ? readState(join(golden, 'state'), targetDir) : undefined,
  }
  try {
    const { byId } = membersOf(project)
    return selectNodes(project, selection)
      .ids.filter((id) => kept.has(byId.get(id)!.type))
      .sort()
  } catch (error) {
    if (error instanceof Failure && error.code === 'USAGE') return 'refused'
    throw error
  }
}

test.each(Object.keys(answers))('dbt ls %s', (line) => expect(answer(line)).toEqual(answers[line]))
