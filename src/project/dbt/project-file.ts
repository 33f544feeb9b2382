// dbt_project.yml, in the spellings of today and of old.

import { isRecord } from '../../base/record.ts'
import { Failure, type Place } from '../../base/failure.ts'
import type { Globals } from '../../jinja/index.ts'
import { didYouMean } from '../../base/suggest.ts'
import type { Located } from '../yaml.ts'
import { deprecations, type Deprecation } from './deprecations.ts'
import type { ParseCache } from './parse-cache.ts'
import { pythonVars } from './python/yaml-values.ts'
import { quoteAll, type Quoting } from './relation.ts'
import type { Config, ConfigTree, DbtPackage, PathKind, Warning } from './types.ts'
import { readYamlText, renderYaml } from './yaml-file.ts'

const pathKeys: Record<PathKind, { keys: string[]; fallback: string[] }> = {
  model: { keys: ['model-paths', 'source-paths'], fallback: ['models'] },
  seed: { keys: ['seed-paths', 'data-paths'], fallback: ['seeds'] },
  test: { keys: ['test-paths'], fallback: ['tests'] },
  macro: { keys: ['macro-paths'], fallback: ['macros'] },
  snapshot: { keys: ['snapshot-paths'], fallback: ['snapshots'] },
  analysis: { keys: ['analysis-paths'], fallback: ['analyses'] },
  function: { keys: ['function-paths'], fallback: ['functions'] },
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
  functions: ['functions'],
  analyses: ['analyses'],
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
  'osi-paths',
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

/** Names that templates have already. */
const reservedNames = new Set(
  `_sql_results adapter api column config context database env env_var exceptions execute flags fromjson fromyaml graph
  invocation_id load_agate_table load_result log model modules post_hooks pre_hooks ref render return run_started_at
  schema source sql sql_now store_result store_raw_result target this tojson toyaml try_or_compiler_error var write`.split(
    /\s+/,
  ),
)

const semanticVersion =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)(\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?)?$/

// Hooks are rendered when they run, vars never are.
const isRaw = (key: unknown): boolean =>
  typeof key === 'string' && /^\+?(pre[-_]hook|post[-_]hook|on-run-start|on-run-end|query-comment|vars)$/.test(key)

export type Warn = (message: string, place: Place, event?: Warning['event']) => void

/** @throws Failures, one for each mistake of syntax */
export function readProjectFile(
  file: string,
  text: string,
  folder: string,
  globals: Globals,
  failures: Failure[],
  warn: Warn,
  cache?: ParseCache,
): DbtPackage {
  const located: Located<unknown> = readYamlText(file, text, undefined, cache)
  const wrong = (message: string, path: readonly PropertyKey[]) =>
    failures.push(new Failure('PROJECT_INVALID', message, { place: located.at(path) }))
  const rendered = renderYaml(located.value, located.at, globals, (path) => path.some(isRaw), failures)
  const root = isRecord(rendered) ? rendered : {}
  const written = isRecord(located.value) ? located.value : {}
  if (!isRecord(rendered)) wrong('must be a mapping with at least a name', [])
  const refuseOthers = (entry: Config, allowed: readonly string[], ...path: string[]) => {
    for (const key of Object.keys(entry))
      if (!allowed.includes(key))
        wrong(`Additional properties are not allowed: unknown key "${key}"${didYouMean(key, allowed, 20)}`, [
          ...path,
          key,
        ])
  }
  refuseOthers(root, known)
  const { name } = root
  if (typeof name !== 'string') wrong(name === undefined ? '"name" is missing' : '"name" must be text', ['name'])
  else if (!/^[A-Za-z_]\w*$/.test(name))
    wrong(`"name" is "${name}"; letters, digits and underscores are allowed`, ['name'])
  else if (reservedNames.has(name)) wrong(`"${name}" is a word of dbt and no name for a project`, ['name'])
  const { version } = root
  // 1.0 is a number to YAML and a version to dbt; 1 is neither.
  if (
    typeof version === 'string' ? !semanticVersion.test(version) : Number.isInteger(version) || Array.isArray(version)
  )
    wrong(`"version" is ${JSON.stringify(version)}; it has two or three numbers: "1.0" or "1.0.0"`, ['version'])
  const record = (key: string): Config => {
    const value = root[key] ?? {}
    if (isRecord(value)) return value
    wrong(`"${key}" must be a mapping`, [key])
    return {}
  }
  record('dbt-cloud')
  for (const [old, key] of [
    ['source-paths', 'model-paths'],
    ['data-paths', 'seed-paths'],
    ['tests', 'data_tests'],
  ] as const) {
    if (root[old] !== undefined && root[key] !== undefined)
      wrong(
        `Invalid project config: cannot have both '${old}' and '${key}' defined: the first is the old name of the second`,
        [old],
      )
  }
  const tellOld = (key: string, { message, event }: Deprecation) => warn(message, located.at([key], 'key'), event)
  for (const [old, key] of [
    ['source-paths', 'model-paths'],
    ['data-paths', 'seed-paths'],
  ] as const)
    if (root[old] !== undefined) tellOld(old, deprecations.renamedPath(old, key))
  for (const [key, usual] of [
    ['log-path', 'logs'],
    ['target-path', 'target'],
  ] as const)
    if (root[key] !== undefined && root[key] !== usual) tellOld(key, deprecations.outputPath(key))
  if (root['config-version'] !== undefined && root['config-version'] !== 2)
    warn(`"config-version" is ${String(root['config-version'])}; it is read as 2`, located.at(['config-version']))
  const hookPlaces = (key: string): Place[] =>
    texts(key).map((_, index) => located.at(Array.isArray(written[key]) ? [key, index] : [key]))
  const texts = (key: string): string[] => {
    const value = root[key] ?? []
    const list = Array.isArray(value) ? value : [value]
    if (list.every((each) => typeof each === 'string')) return list
    wrong(`"${key}" must be a list of texts`, [key])
    return []
  }
  for (const key of [...Object.values(pathKeys).flatMap(({ keys }) => keys), 'clean-targets'])
    if (typeof root[key] === 'string') wrong(`"${key}" must be a list of texts: [${root[key]}]`, [key])
  for (const key of ['target-path', 'log-path', 'packages-install-path'])
    if (Array.isArray(root[key])) wrong(`"${key}" must be one text`, [key])
  if (typeof (root['restrict-access'] ?? false) !== 'boolean')
    wrong('"restrict-access" must be true or false', ['restrict-access'])
  const paths = Object.fromEntries(
    Object.entries(pathKeys).map(([kind, { keys, fallback }]) => {
      const key = keys.find((each) => root[each] !== undefined && root[each] !== null)
      return [
        kind,
        key === undefined ? fallback : texts(key).map((path) => path.replace(/^\.\//, '').replace(/\/+$/, '')),
      ]
    }),
  ) as Record<PathKind, string[]>
  if (root['docs-paths'] === undefined) {
    paths.docs = [
      ...new Set([
        ...paths.model,
        ...paths.seed,
        ...paths.snapshot,
        ...paths.analysis,
        ...paths.macro,
        ...paths.test,
        ...paths.function,
      ]),
    ]
  }
  const quoting = record('quoting')
  refuseOthers(quoting, quotable, 'quoting')
  for (const [key, value] of Object.entries(quoting))
    if (typeof (value ?? true) !== 'boolean') wrong(`"${key}" of "quoting" must be true or false`, ['quoting', key])
  const trees = (from: (key: string) => Config) =>
    Object.fromEntries(
      Object.entries(treeKeys).map(([tree, keys]) => [
        tree,
        Object.assign({}, ...keys.toReversed().map(from)) as Config,
      ]),
    ) as Record<ConfigTree, Config>
  return {
    name: typeof name === 'string' ? name : 'project',
    version: version === undefined ? '' : String(version),
    folder,
    paths,
    configs: trees(record),
    unrendered: trees((key) => (isRecord(written[key]) ? written[key] : {})),
    file,
    vars: pythonVars(record('vars'), file, text),
    dispatch: dispatchOf(root['dispatch'], () =>
      wrong('"dispatch" must be a list of {macro_namespace, search_order}', ['dispatch']),
    ),
    quoting: quotingOf(quoting),
    packagesFolder: texts('packages-install-path')[0] ?? texts('modules-path')[0] ?? 'dbt_packages',
    hooks: {
      onRunStart: texts('on-run-start'),
      onRunEnd: texts('on-run-end'),
      places: { 'on-run-start': hookPlaces('on-run-start'), 'on-run-end': hookPlaces('on-run-end') },
    },
    requiredVersion:
      root['require-dbt-version'] === undefined || root['require-dbt-version'] === null
        ? undefined
        : { value: root['require-dbt-version'], place: located.at(['require-dbt-version']) },
    restrictAccess: root['restrict-access'] === true,
    flags: record('flags'),
    targetFolder: texts('target-path')[0] ?? 'target',
    cleanTargets: root['clean-targets'] === undefined ? [texts('target-path')[0] ?? 'target'] : texts('clean-targets'),
    queryComment: root['query-comment'],
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

const quotable = ['database', 'schema', 'identifier', 'project', 'snowflake_ignore_case']

export function quotingOf(value: Config, base: Quoting = quoteAll): Quoting {
  const part = (name: keyof Quoting) => {
    // `project` is another word for the database.
    const given = name === 'database' ? (value['database'] ?? value['project']) : value[name]
    return typeof given === 'boolean' ? given : base[name]
  }
  return { database: part('database'), schema: part('schema'), identifier: part('identifier') }
}
