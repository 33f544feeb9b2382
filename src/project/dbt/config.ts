// Which config a node gets: dbt's order of sources and its rule of merging for each key.
//
// Later wins: the tree of dbt_project.yml from its root down to the node's folder, the `config:` of the YAML
// properties, the `config()` of the file, and, for a node of a package, the tree of the project that uses it
// (dbt/context/context_config.py). Tags and hooks add up, meta and the like merge by key, the rest is replaced.

import { isRecord } from '../../base/record.ts'
import type { Place } from '../../base/failure.ts'
import type { Config, ConfigTree, DbtPackage, DbtProject, Hook } from './types.ts'

/** A flag of dbt's behaviour: as the command says, else as dbt_project.yml does. */
export const behaviourFlag = ({ options, packages, name }: DbtProject, flag: string): unknown =>
  options.flags.others?.[flag] ?? packages.get(name)?.flags[flag]

const appended = new Set(['tags', 'pre-hook', 'post-hook', 'packages'])
const updated = new Set(['meta', 'quoting', 'column_types', 'docs', 'contract', 'persist_docs_columns'])

const asList = (value: unknown): unknown[] =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]

const keyOf = (written: string): string =>
  written === 'pre_hook' ? 'pre-hook' : written === 'post_hook' ? 'post-hook' : written

/** Of one `config()`: which of the two is meant nobody knows. */
export function saidTwice(config: Config): string | undefined {
  const twice = Object.keys(config).find(
    (written) => keyOf(written) !== written && Object.hasOwn(config, keyOf(written)),
  )
  return twice && `config() has "${twice}" and "${keyOf(twice)}", which are the same: say one of them`
}

/** `into` with `partial` laid over it. */
export function mergeConfig(into: Config, partial: Config): Config {
  const result = { ...into }
  for (const [written, value] of Object.entries(partial)) {
    const key = keyOf(written)
    if (appended.has(key)) result[key] = [...asList(result[key]), ...asList(value)]
    else if (updated.has(key) && isRecord(value)) result[key] = { ...(result[key] as Config | undefined), ...value }
    else if (key === 'grants' && isRecord(value)) result[key] = mergeGrants((result[key] ?? {}) as Config, value)
    else result[key] = value
  }
  return result
}

/**
 * One `config()` of a file after another: that a grant adds to what stands above the file is still to come, and what is said
 * once stays as it is written.
 */
export function addConfig(into: Config, partial: Config): Config {
  const { grants, ...rest } = partial
  const result = mergeConfig(into, rest)
  for (const [written, value] of Object.entries(rest)) {
    const key = keyOf(written)
    if (appended.has(key) && !(key in into)) result[key] = value
  }
  if (grants === undefined) return result
  if (!isRecord(grants) || !isRecord(into['grants'])) return { ...result, grants }
  const known = into['grants']
  const added = Object.entries(grants).map(([key, value]) => [
    key,
    key.startsWith('+') ? [...asList(known[key]), ...asList(value)] : value,
  ])
  return { ...result, grants: { ...known, ...(Object.fromEntries(added) as Config) } }
}

/** `+select` of a grant adds to what stands above it. */
function mergeGrants(into: Config, partial: Config): Config {
  const result = { ...into }
  for (const [key, value] of Object.entries(partial)) {
    if (key.startsWith('+')) result[key.slice(1)] = [...asList(result[key.slice(1)]), ...asList(value)]
    else result[key] = asList(value)
  }
  return result
}

/** The configs of a tree that apply to `fqn`, from the root down. `+key` always is a config, `key` if it is no mapping. */
function treeConfigs(tree: Config, fqn: readonly string[]): Config[] {
  const found: Config[] = [levelConfig(tree)]
  let level: unknown = tree
  for (const step of fqn) {
    level = isRecord(level) && Object.hasOwn(level, step) ? level[step] : undefined
    if (!isRecord(level)) break
    found.push(levelConfig(level))
  }
  return found
}

function levelConfig(level: Config): Config {
  const result: Config = {}
  for (const [key, value] of Object.entries(level)) {
    if (key.startsWith('+')) result[key.slice(1).trim()] = value
    else if (!isRecord(value)) result[key] = value
  }
  return result
}

/** The whole config of a node, from lowest to highest precedence. */
const resolveConfig = (defaults: Config, layers: readonly Config[]): Config =>
  withKnownKeys(layers.reduce(mergeConfig, defaults), defaults)

/** dbt passes over what it does not know in a contract (`enforce`) and in `docs`. */
function withKnownKeys(config: Config, defaults: Config): Config {
  const pick = (key: string) =>
    isRecord(config[key]) && isRecord(defaults[key])
      ? {
          [key]: Object.fromEntries(
            Object.entries(config[key]).filter(([name]) => Object.hasOwn(defaults[key] as Config, name)),
          ),
        }
      : {}
  const { static_analysis: analysis } = config
  // `static_analysis: off` is false to YAML, and Python's text of it to dbt.
  const written = typeof analysis === 'boolean' ? { static_analysis: analysis ? 'True' : 'False' } : {}
  return { ...config, ...pick('contract'), ...pick('docs'), ...written }
}

const nodeDefaults: Config = {
  enabled: true,
  alias: null,
  schema: null,
  database: null,
  tags: [],
  meta: {},
  group: null,
  static_analysis: null,
  materialized: 'view',
  incremental_strategy: null,
  batch_size: null,
  lookback: 1,
  begin: null,
  persist_docs: {},
  'post-hook': [],
  'pre-hook': [],
  quoting: {},
  column_types: {},
  full_refresh: null,
  unique_key: null,
  on_schema_change: 'ignore',
  on_configuration_change: 'apply',
  grants: {},
  packages: [],
  docs: { show: true, node_color: null },
  contract: { enforced: false, alias_types: true },
  event_time: null,
  concurrent_batches: null,
}
const testDefaults: Config = {
  enabled: true,
  alias: null,
  schema: 'dbt_test__audit',
  database: null,
  tags: [],
  meta: {},
  group: null,
  static_analysis: null,
  materialized: 'test',
  severity: 'ERROR',
  store_failures: null,
  store_failures_as: null,
  sql_header: null,
  where: null,
  limit: null,
  fail_calc: 'count(*)',
  warn_if: '!= 0',
  error_if: '!= 0',
}
const entryDefaults: Config = { enabled: true, tags: [], meta: {} }
export const noFreshness: Config = {
  warn_after: { count: null, period: null },
  error_after: { count: null, period: null },
  filter: null,
}
const semanticDefaults: Config = { enabled: true, group: null, meta: {} }

/** Which tree of dbt_project.yml configures a kind, and what it starts from. */
export const kinds = {
  model: {
    tree: 'models',
    defaults: {
      ...nodeDefaults,
      access: 'protected',
      freshness: null,
      on_error: null,
      latest_version_pointer: { enabled: null, alias: null },
    },
  },
  analysis: { tree: 'models', defaults: nodeDefaults },
  operation: { tree: 'models', defaults: nodeDefaults },
  seed: {
    tree: 'seeds',
    defaults: { ...nodeDefaults, materialized: 'seed', delimiter: ',', quote_columns: null },
  },
  snapshot: {
    tree: 'snapshots',
    defaults: {
      ...nodeDefaults,
      materialized: 'snapshot',
      strategy: null,
      target_schema: null,
      target_database: null,
      updated_at: null,
      check_cols: null,
      snapshot_meta_column_names: {
        dbt_valid_to: null,
        dbt_valid_from: null,
        dbt_scd_id: null,
        dbt_updated_at: null,
        dbt_is_deleted: null,
      },
      dbt_valid_to_current: null,
    },
  },
  function: {
    tree: 'functions',
    defaults: {
      ...nodeDefaults,
      materialized: 'function',
      type: 'scalar',
      volatility: null,
      runtime_version: null,
      entry_point: null,
      snowflake: { quote_args: true },
    },
  },
  test: { tree: 'data_tests', defaults: testDefaults },
  source: {
    tree: 'sources',
    defaults: { ...entryDefaults, event_time: null, static_analysis: null, freshness: noFreshness },
  },
  'unit test': { tree: 'unit_tests', defaults: { ...entryDefaults, static_analysis: null } },
  exposure: { tree: 'exposures', defaults: entryDefaults },
  // dbt's own: what dbt_project.yml says of models around it.
  group: { tree: 'models', defaults: { meta: {} } },
  metric: { tree: 'metrics', defaults: semanticDefaults },
  'semantic model': { tree: 'semantic-models', defaults: semanticDefaults },
  'saved query': {
    tree: 'saved-queries',
    defaults: { ...semanticDefaults, export_as: null, schema: null, cache: { enabled: false } },
  },
} as const satisfies Record<string, { tree: ConfigTree; defaults: Config }>

/**
 * The config of what stands at `fqn` in package `from`: `own` are, in rising precedence, the `config:` of its YAML and
 * the `config()` of its file; `written` are the same as they stand in their files. `unrendered` is dbt's other view:
 * the texts as they are written, and nothing merged.
 */
export function configOf(
  kind: keyof typeof kinds,
  fqn: readonly string[],
  own: readonly Config[],
  { from, root }: { from: DbtPackage; root: DbtPackage },
  written: readonly Config[] = own,
): { config: Config; unrendered: Config } {
  const { defaults } = kinds[kind]
  const tree =
    kind === 'analysis' && root.flags['require_corrected_analysis_fqns'] === true ? 'analyses' : kinds[kind].tree
  const layers = (trees: (one: DbtPackage) => Config, configs: readonly Config[]) => [
    ...treeConfigs(trees(from), fqn),
    ...configs,
    ...(from === root ? [] : treeConfigs(trees(root), fqn)),
  ]
  const resolved = (configs: readonly Config[]) =>
    resolveConfig(
      defaults,
      layers((one) => one.configs[tree], configs),
    )
  const config = resolved(own)
  return {
    config: own.some(hasNull) && unsettable.has(kind) ? withoutNulls(config, resolved([]), defaults) : config,
    unrendered: Object.assign({}, ...layers((one) => one.unrendered[tree], written)) as Config,
  }
}

const hasNull = (config: Config): boolean => Object.values(config).includes(null)
const unsettable = new Set<string>(['model', 'analysis', 'seed', 'snapshot', 'function', 'test'])

/** Where they are null, a node's table is named as if nobody had said them. */
const naming = new Set(['database', 'schema', 'alias'])

/** As in dbt `null` takes nothing away that dbt_project.yml says of another key that dbt knows. */
function withoutNulls(config: Config, ofProject: Config, defaults: Config): Config {
  const isKept = (key: string) => config[key] === null && ofProject[key] !== null && !naming.has(key)
  const kept = Object.keys(defaults).filter(isKept)
  return { ...config, ...Object.fromEntries(kept.map((key) => [key, ofProject[key]])) }
}

/** In the order in which they are given, each once. */
export const tagsOf = (config: Config): string[] => [...new Set(asList(config['tags']).map(String))]

/** `{sql, transaction}`, as text or as the JSON of it, which is what `before_begin()` and `after_commit()` make. */
export function hooksOf(config: Config, key: 'pre-hook' | 'post-hook', place: Place): Hook[] {
  return asList(config[key]).map((written) => {
    const hook = isRecord(written) ? written : (jsonRecord(String(written)) ?? { sql: String(written) })
    return { sql: String(hook['sql'] ?? ''), transaction: hook['transaction'] !== false, place }
  })
}

function jsonRecord(text: string): Config | undefined {
  if (!text.trimStart().startsWith('{"')) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}
