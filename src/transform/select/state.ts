// What was before: the artifacts of an earlier run, and which nodes are others now (`state:modified`, `result:error`,
// `source_status:fresher`). Nodes are compared as dbt does it: by what is written in the project, not by what it renders to,
// so that another target or variable is no change.

import { recordOf } from '../../base/record.ts'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../../base/failure.ts'
import { fromJs, repr } from '../../jinja/index.ts'
import { manifestOf, type DbtProject } from '../../project/dbt/index.ts'
import type { Asked } from './methods.ts'
import type { Member } from './members.ts'

type Json = Record<string, unknown>

/** The artifacts of a folder, each read when it is first asked for. */
export type PreviousState = {
  /** The folder as it was named. */
  dir: string
  manifest(): Json
  /** Status by unique id. */
  results(): ReadonlyMap<string, string>
  /** `max_loaded_at` by unique id: then, and in the project's own target folder. Sources that could not be asked are missing. */
  sources(): ReadonlyMap<string, string>
  sourcesNow(): ReadonlyMap<string, string>
}

/** Larger than any manifest that was seen; a folder of --state may be anybody's. */
const artifactBytesMax = 1_000_000_000

export function readState(dir: string, targetDir: string): PreviousState {
  const once = <Value>(read: () => Value): (() => Value) => {
    let known: { value: Value } | undefined
    return () => (known ??= { value: read() }).value
  }
  return {
    dir,
    manifest: once(() => modernised(readArtifact(join(dir, 'manifest.json'), 4))),
    results: once(() => byId(readArtifact(join(dir, 'run_results.json'), 4), 'status')),
    sources: once(() => byId(readArtifact(join(dir, 'sources.json')), 'max_loaded_at')),
    sourcesNow: once(() => byId(readArtifact(join(targetDir, 'sources.json')), 'max_loaded_at')),
  }
}

/** The state of a project that was read, in place of artifacts of a run. */
export function stateOf(project: DbtProject): PreviousState {
  const manifest = recordOf(JSON.parse(JSON.stringify(manifestOf(project, { generatedAt: 0 }))))
  const none = () => new Map<string, string>()
  return { dir: project.dir, manifest: () => manifest, results: none, sources: none, sourcesNow: none }
}

/** The names of today for what manifests of dbt before 1.3 call otherwise; metrics of before 1.6 are of another kind. */
function modernised(manifest: Json): Json {
  const nodes = Object.entries(recordOf(manifest['nodes'])).map(([id, entry]) => {
    const node = recordOf(entry)
    return [id, node['raw_sql'] === undefined ? node : { ...node, raw_code: node['raw_sql'] }] as const
  })
  return {
    ...manifest,
    nodes: Object.fromEntries(nodes),
    ...(schemaVersionOf(manifest) <= 9 && { metrics: {} }),
  }
}

/** The number at the end of `https://schemas.getdbt.com/dbt/manifest/v12.json`; what names none is taken for today's. */
function schemaVersionOf(artifact: Json): number {
  const { dbt_schema_version: schema } = recordOf(artifact['metadata'])
  return Number(/\/v(\d+)\.json$/.exec(typeof schema === 'string' ? schema : '')?.[1] ?? Infinity)
}

/** @throws USAGE also for what is of an older layout than `versionMin`, as dbt does */
function readArtifact(file: string, versionMin = 0): Json {
  const artifact = readJson(file)
  const version = schemaVersionOf(artifact)
  if (version >= versionMin) return artifact
  throw new Failure(
    'USAGE',
    `${file} is of schema version ${version}; the oldest that can be compared is ${versionMin}`,
    {
      hint: 'Make it again with a newer dbt, or with Boathouse.',
    },
  )
}

function readJson(file: string): Json {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    const what = file.endsWith('sources.json') ? 'No previous state comparison freshness results in sources.json: ' : ''
    throw new Failure('USAGE', `${what}${file} is needed to compare with and cannot be read`, {
      cause,
      hint: 'Name a folder that holds the artifacts of an earlier run: --state DIR.',
    })
  }
  if (text.length > artifactBytesMax) throw new Failure('USAGE', `${file} is too large`)
  try {
    return recordOf(JSON.parse(text))
  } catch (cause) {
    throw new Failure('USAGE', `${file} is no JSON`, { cause })
  }
}

function byId(artifact: Json, key: string): Map<string, string> {
  const results = Array.isArray(artifact['results']) ? artifact['results'].map(recordOf) : []
  return new Map(
    results.flatMap((one) => {
      const { unique_id: id, [key]: value } = one
      return typeof id === 'string' && typeof value === 'string' ? [[id, value] as const] : []
    }),
  )
}

const needed = (state: PreviousState | undefined, method: string): PreviousState => {
  if (state) return state
  throw new Failure('USAGE', `${method}: Got a state selector method, but no comparison manifest`, {
    hint: 'Name the folder of its artifacts: --state DIR.',
  })
}

export function resultIs(value: string, state: PreviousState | undefined): (member: Member) => boolean {
  const results = needed(state, 'result').results()
  return ({ id }) => results.get(id) === value
}

export function sourceIs(value: string, state: PreviousState | undefined): (member: Member) => boolean {
  const previous = needed(state, 'source_status')
  const [before, now] = [previous.sources(), previous.sourcesNow()]
  return ({ id }) => {
    if (value !== 'fresher') return false
    const [then, today] = [before.get(id), now.get(id)]
    return today !== undefined && (then === undefined || Date.parse(today) > Date.parse(then))
  }
}

/** `state:new`, `state:modified.body` … */
export function stateMethod({ value, project, state }: Asked): (member: Member) => boolean {
  const changes = changesSince(project, needed(state, 'state').manifest())
  const [word, part] = value.split('.')
  if (part === undefined) {
    if (word === 'new') return ({ id }) => changes.before(id) === undefined
    if (word === 'old') return ({ id }) => changes.before(id) !== undefined
    if (word === 'modified') return ({ id }) => changes.isModified(id)
    if (word === 'unmodified') return ({ id }) => !changes.isModified(id)
  }
  const parts = partsOf[value.replace(/^modified\./, '')]
  if (word !== 'modified' || !parts)
    throw new Failure(
      'USAGE',
      `"state:${value}": expected new, old, modified, unmodified, or modified. with one of ${Object.keys(partsOf).join(', ')}`,
    )
  return ({ id }) => parts(changes, id)
}

const partsOf: Readonly<Record<string, (changes: Changes, id: string) => boolean>> = {
  body: (changes, id) => changes.differs(id, sameBody),
  configs: (changes, id) => changes.differs(id, sameConfig),
  persisted_descriptions: (changes, id) => changes.differs(id, samePersisted),
  relation: (changes, id) => changes.differs(id, sameRelation),
  macros: (changes, id) => changes.hasOtherMacros(id),
  contract: (changes, id) => changes.differs(id, sameContract),
}

type Same = (now: Json, before: Json) => boolean | undefined

class Changes {
  readonly #now: Map<string, Json>
  readonly #before: Map<string, Json>
  readonly #macros: Json
  readonly #changedMacros: ReadonlySet<string>
  readonly #otherMacros = new Map<string, boolean>()

  constructor(now: Json, before: Json) {
    this.#now = manifestEntries(now)
    this.#before = manifestEntries(before)
    this.#macros = recordOf(now['macros'])
    const old = recordOf(before['macros'])
    const ids = new Set([...Object.keys(this.#macros), ...Object.keys(old)])
    // Macros of dbt itself are another program's: a state that dbt-core wrote has its own text of them.
    this.#changedMacros = new Set(
      [...ids].filter(
        (id) =>
          !/^macro\.dbt(_duckdb)?\./.test(id) &&
          textOf(recordOf(this.#macros[id])['macro_sql']) !== textOf(recordOf(old[id])['macro_sql']),
      ),
    )
  }

  before(id: string): Json | undefined {
    return this.#before.get(id)
  }

  /** Whether this part of a node is another; what has no such part never is. */
  differs(id: string, same: Same): boolean {
    const [now, before] = [this.#now.get(id), this.#before.get(id)]
    if (!now) return false
    const verdict = same(now, before ?? {})
    return verdict !== undefined && (!before || !verdict)
  }

  isModified(id: string): boolean {
    const [now, before] = [this.#now.get(id), this.#before.get(id)]
    if (!now) return false
    const same = comparisons[String(now['resource_type'])]
    if (!same) return false
    // dbt counts what is new among these as the same.
    if (!before) return !newIsSame.has(String(now['resource_type'])) || this.hasOtherMacros(id)
    return !same.every((one) => one(now, before) !== false) || this.hasOtherMacros(id)
  }

  /** Whether a macro that it calls, or one that those call, is another. */
  hasOtherMacros(id: string): boolean {
    return this.#changedMacros.size > 0 && this.#reachesChanged(macrosOf(this.#now.get(id) ?? {}), new Set())
  }

  #reachesChanged(macros: readonly string[], seen: Set<string>): boolean {
    for (const id of macros) {
      if (seen.has(id)) continue
      seen.add(id)
      if (this.#changedMacros.has(id)) return true
      const known = this.#otherMacros.get(id)
      const found = known ?? this.#reachesChanged(macrosOf(recordOf(this.#macros[id])), seen)
      if (found) this.#otherMacros.set(id, true)
      if (found) return true
    }
    return false
  }
}

const newIsSame = new Set(['source', 'exposure', 'metric', 'semantic_model', 'saved_query'])

const kept = new WeakMap<DbtProject, { before: Json; changes: Changes }>()
function changesSince(project: DbtProject, before: Json): Changes {
  const known = kept.get(project)
  if (known?.before === before) return known.changes
  const changes = new Changes(manifestOf(project, { generatedAt: 0 }), before)
  kept.set(project, { before, changes })
  return changes
}

const groups = [
  'nodes',
  'sources',
  'exposures',
  'metrics',
  'semantic_models',
  'saved_queries',
  'unit_tests',
  'functions',
]
/** Everything that a manifest has, by unique id. */
export const manifestEntries = (manifest: Json): Map<string, Json> =>
  new Map(
    groups.flatMap((group) =>
      Object.entries(recordOf(manifest[group])).map(([id, entry]) => [id, recordOf(entry)] as const),
    ),
  )

const macrosOf = (entry: Json): string[] => {
  const { macros } = recordOf(entry['depends_on'])
  return Array.isArray(macros) ? macros.filter((id) => typeof id === 'string') : []
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value.trim() : '')

/** Key order, what is missing or null, and what stands twice in a list (dbt repeats some) make no difference. */
function same(a: unknown, b: unknown): boolean {
  return keyOf(a) === keyOf(b)
}
function keyOf(value: unknown): string {
  if (Array.isArray(value)) return `[${[...new Set(value.map(keyOf))].join()}]`
  if (typeof value !== 'object' || value === null || value instanceof Number) return JSON.stringify(value ?? null)
  const entries = Object.entries(value).filter(([, each]) => each !== null && each !== undefined)
  return `{${entries
    .map(([key, each]) => `${JSON.stringify(key)}:${keyOf(each)}`)
    .toSorted()
    .join()}}`
}
const sameKeys =
  (...keys: string[]): Same =>
  (now, before) =>
    keys.every((key) => same(now[key], before[key]))

const sameBody: Same = (now, before) => {
  if (now['raw_code'] === undefined) return undefined
  return now['resource_type'] === 'seed'
    ? same(now['checksum'], before['checksum'])
    : textOf(now['raw_code']) === textOf(before['raw_code'])
}

/** Configs that say nothing about the table: dbt leaves them out of the comparison. */
const noChange = new Set(['alias', 'schema', 'database', 'tags', 'group'])
const testModifiers = new Set([
  'severity',
  'where',
  'limit',
  'fail_calc',
  'warn_if',
  'error_if',
  'store_failures',
  'store_failures_as',
  'sql_header',
])
const sameConfig: Same = (now, before) => {
  if (now['unrendered_config'] === undefined) return undefined
  const [mine, other] = [recordOf(now['unrendered_config']), recordOf(before['unrendered_config'])]
  const keys = new Set([...Object.keys(mine), ...Object.keys(other)].map((key) => key.replace(/^\+/, '')))
  const counts = (key: string) =>
    now['resource_type'] === 'test' ? testModifiers.has(key) || !testKeys.has(key) : !noChange.has(key)
  return [...keys].every(
    (key) => !counts(key) || sameSetting(mine[key] ?? mine[`+${key}`], other[key] ?? other[`+${key}`]),
  )
}
/** dbt keeps the text of what is no literal, `var('daily')`: beside a value it says nothing; `True` is true. */
const sameSetting = (a: unknown, b: unknown): boolean => same(a, b) || isExpressionFor(a, b) || isExpressionFor(b, a)
const isExpressionFor = (text: unknown, value: unknown): boolean => {
  if (typeof text !== 'string') return false
  // dbt 1.9 to 1.11 wrote Jinja's own tree: what is a constant in it can be compared.
  if (text.startsWith('Keyword(key=')) {
    const constant = /^Keyword\(key='\w+', value=Const\(value=(.*)\)\)$/.exec(text)?.[1]
    return constant === undefined || constant === value || constant === repr(fromJs(value))
  }
  return typeof value !== 'string' && value !== undefined && (/[([]/.test(text) || text === repr(fromJs(value)))
}
const testKeys = new Set([
  'enabled',
  'alias',
  'schema',
  'database',
  'tags',
  'meta',
  'group',
  'materialized',
  ...testModifiers,
])

const samePersisted: Same = (now, before) => {
  if (now['config'] === undefined || now['raw_code'] === undefined) return undefined
  const persisted = recordOf(recordOf(now['config'])['persist_docs'])
  if (persisted['relation'] === true && textOf(now['description']) !== textOf(before['description'])) return false
  if (persisted['columns'] !== true) return true
  const described = (entry: Json) =>
    Object.fromEntries(
      Object.entries(recordOf(entry['columns'])).map(([name, column]) => [
        name,
        textOf(recordOf(column)['description']),
      ]),
    )
  return same(described(now), described(before))
}

const sameRelation: Same = (now, before) => {
  if (now['resource_type'] === 'source') {
    // What stands in YAML counts; manifests of before dbt 1.9 have only what it comes to.
    const isWritten = ['database', 'schema'].every((part) => !now[`unrendered_${part}`] || before[`unrendered_${part}`])
    return isWritten
      ? sameKeys('unrendered_database', 'unrendered_schema', 'identifier')(now, before)
      : sameKeys('database', 'schema', 'identifier')(now, before)
  }
  if (now['unrendered_config'] === undefined || now['raw_code'] === undefined) return undefined
  const [mine, other] = [recordOf(now['unrendered_config']), recordOf(before['unrendered_config'])]
  return ['database', 'schema', 'alias'].every((key) => sameSetting(mine[key], other[key]))
}

const sameContract: Same = (now, before) => {
  if (now['resource_type'] !== 'model') return now['raw_code'] === undefined ? undefined : true
  const [mine, other] = [recordOf(now['contract']), recordOf(before['contract'])]
  if (mine['enforced'] !== true && other['enforced'] !== true) return true
  return mine['enforced'] === other['enforced'] && same(mine['checksum'], other['checksum'])
}

const sameDependencies: Same = (now, before) => {
  const nodes = (entry: Json) => [...new Set(recordOf(entry['depends_on'])['nodes'] as string[] | undefined)].sort()
  return same(nodes(now), nodes(before))
}

const ofNodes: readonly Same[] = [sameBody, sameConfig, samePersisted, sameKeys('fqn'), sameRelation, sameContract]
const comparisons: Readonly<Record<string, readonly Same[]>> = {
  // What decides whether others may read it as they do.
  model: [...ofNodes, sameKeys('latest_version', 'access', 'deprecation_date')],
  seed: ofNodes,
  snapshot: ofNodes,
  analysis: ofNodes,
  function: [...ofNodes, sameKeys('arguments', 'returns', 'overloads')],
  // The text of a generic test is its macro's.
  test: [(now, before) => (now['test_metadata'] ? true : sameBody(now, before)), sameConfig, sameKeys('fqn')],
  source: [sameRelation, sameKeys('fqn', 'quoting', 'freshness', 'loaded_at_field', 'external'), sameConfig],
  exposure: [sameKeys('fqn', 'type', 'owner', 'maturity', 'url', 'description', 'label'), sameDependencies, sameConfig],
  metric: [sameKeys('type', 'description', 'label'), sameConfig],
  semantic_model: [
    sameKeys(
      'model',
      'description',
      'defaults',
      'entities',
      'dimensions',
      'measures',
      'config',
      'primary_entity',
      'group',
    ),
  ],
  saved_query: [sameKeys('query_params', 'description', 'config', 'label', 'group')],
  // dbt's checksum is of Python's way to show these.
  unit_test: [sameKeys('model', 'versions', 'given', 'expect', 'overrides')],
}
