// dbt_project.yml, in the spellings of today and of old.

import { Failure, type Place } from '../../base/failure.ts'
import type { Globals } from '../../jinja/index.ts'
import { didYouMean } from '../../base/suggest.ts'
import type { Located } from '../yaml.ts'
import { quoteAll, type Quoting } from './relation.ts'
import type { Config, ConfigTree, DbtPackage, PathKind } from './types.ts'
import { isRecord, readYamlText, renderYaml } from './yaml-file.ts'

const pathKeys: Record<PathKind, { keys: string[]; fallback: string[] }> = {
  model: { keys: ['model-paths', 'source-paths'], fallback: ['models'] },
  seed: { keys: ['seed-paths', 'data-paths'], fallback: ['seeds'] },
  test: { keys: ['test-paths'], fallback: ['tests'] },
  macro: { keys: ['macro-paths'], fallback: ['macros'] },
  snapshot: { keys: ['snapshot-paths'], fallback: ['snapshots'] },
  analysis: { keys: ['analysis-paths'], fallback: ['analyses', 'analysis'] },
  docs: { keys: ['docs-paths'], fallback: [] },
}

const treeKeys: Record<ConfigTree, string[]> = {
  models: ['models'],
  seeds: ['seeds'],
  snapshots: ['snapshots'],
  data_tests: ['data_tests', 'tests'],
  sources: ['sources'],
  unit_tests: ['unit_tests'],
  exposures: ['exposures'],
  metrics: ['metrics'],
  'semantic-models': ['semantic-models', 'semantic_models'],
  'saved-queries': ['saved-queries', 'saved_queries'],
}

const known = [
  'name',
  'version',
  'config-version',
  'profile',
  'require-dbt-version',
  'clean-targets',
  'target-path',
  'log-path',
  'vars',
  'dispatch',
  'quoting',
  'on-run-start',
  'on-run-end',
  'query-comment',
  'packages-install-path',
  'asset-paths',
  'function-paths',
  'functions',
  'flags',
  'dbt-cloud',
  'metrics',
  'semantic-models',
  'semantic_models',
  'saved-queries',
  'saved_queries',
  'exposures',
  'unit_tests',
  'project-root',
  'restrict-access',
  'packages',
  'analyses',
  'description',
  'dependencies',
  'modules-path',
  'packages-install-path',
  'groups',
  'meta',
  'sync',
  ...Object.values(pathKeys).flatMap(({ keys }) => keys),
  ...Object.values(treeKeys).flat(),
]

// Hooks are rendered when they run, vars never are.
const isRaw = (key: unknown): boolean =>
  typeof key === 'string' && /^\+?(pre[-_]hook|post[-_]hook|on-run-start|on-run-end|query-comment|vars)$/.test(key)

export type Warn = (message: string, place: Place) => void

/** @throws Failures, one for each mistake of syntax */
export function readProjectFile(
  file: string,
  text: string,
  folder: string,
  globals: Globals,
  failures: Failure[],
  warn: Warn,
): DbtPackage {
  const located: Located<unknown> = readYamlText(file, text)
  const wrong = (message: string, path: readonly PropertyKey[]) =>
    failures.push(new Failure('PROJECT_INVALID', message, { place: located.at(path) }))
  const rendered = renderYaml(located.value, located.at, globals, (path) => path.some(isRaw), failures)
  const root = isRecord(rendered) ? rendered : {}
  if (!isRecord(rendered)) wrong('must be a mapping with at least a name', [])
  for (const key of Object.keys(root)) {
    if (!known.includes(key))
      warn(`dbt_project.yml: unknown key "${key}"${didYouMean(key, known, 20)}`, located.at([key], 'key'))
  }
  const { name } = root
  if (typeof name !== 'string') wrong(name === undefined ? '"name" is missing' : '"name" must be text', ['name'])
  else if (!/^[A-Za-z_]\w*$/.test(name))
    wrong(`"name" is "${name}"; letters, digits and underscores are allowed`, ['name'])
  const record = (key: string): Config => {
    const value = root[key] ?? {}
    if (isRecord(value)) return value
    wrong(`"${key}" must be a mapping`, [key])
    return {}
  }
  const texts = (key: string): string[] => {
    const value = root[key] ?? []
    const list = Array.isArray(value) ? value : [value]
    if (list.every((each) => typeof each === 'string')) return list
    wrong(`"${key}" must be a list of texts`, [key])
    return []
  }
  const paths = Object.fromEntries(
    Object.entries(pathKeys).map(([kind, { keys, fallback }]) => {
      const key = keys.find((each) => root[each] !== undefined)
      return [
        kind,
        key === undefined ? fallback : texts(key).map((path) => path.replace(/^\.\//, '').replace(/\/+$/, '')),
      ]
    }),
  ) as Record<PathKind, string[]>
  if (root['docs-paths'] === undefined) {
    paths.docs = [
      ...new Set([...paths.model, ...paths.seed, ...paths.snapshot, ...paths.analysis, ...paths.macro, ...paths.test]),
    ]
  }
  const configs = Object.fromEntries(
    Object.entries(treeKeys).map(([tree, keys]) => [
      tree,
      Object.assign({}, ...keys.toReversed().map(record)) as Config,
    ]),
  ) as Record<ConfigTree, Config>
  return {
    name: typeof name === 'string' ? name : 'project',
    version: root['version'] === undefined ? '' : String(root['version']),
    folder,
    paths,
    configs,
    file,
    vars: record('vars'),
    dispatch: dispatchOf(root['dispatch'], () =>
      wrong('"dispatch" must be a list of {macro_namespace, search_order}', ['dispatch']),
    ),
    quoting: quotingOf(record('quoting')),
    packagesFolder: texts('packages-install-path')[0] ?? texts('modules-path')[0] ?? 'dbt_packages',
    hooks: { onRunStart: texts('on-run-start'), onRunEnd: texts('on-run-end') },
  }
}

function dispatchOf(value: unknown, wrong: () => void): DbtPackage['dispatch'] {
  if (value === undefined || value === null) return []
  const found = (Array.isArray(value) ? value : [value]).map((entry) =>
    isRecord(entry) && typeof entry['macro_namespace'] === 'string' && Array.isArray(entry['search_order'])
      ? { namespace: entry['macro_namespace'], order: entry['search_order'].map(String) }
      : undefined,
  )
  if (found.includes(undefined)) wrong()
  return found.filter((each) => each !== undefined)
}

export function quotingOf(value: Config, base: Quoting = quoteAll): Quoting {
  const part = (name: keyof Quoting) => (typeof value[name] === 'boolean' ? value[name] : base[name])
  return { database: part('database'), schema: part('schema'), identifier: part('identifier') }
}
