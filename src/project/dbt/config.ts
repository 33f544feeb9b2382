// Which config a node gets: dbt's order of sources and its rule of merging for each key.
//
// Later wins: the tree of dbt_project.yml from its root down to the node's folder, the `config:` of the YAML
// properties, the `config()` of the file, and, for a node of a package, the tree of the project that uses it
// (dbt/context/context_config.py). Tags and hooks add up, meta and the like merge by key, the rest is replaced.

import type { Config } from './types.ts'

const appended = new Set(['tags', 'pre-hook', 'post-hook', 'packages'])
const updated = new Set(['meta', 'quoting', 'column_types', 'docs', 'contract', 'persist_docs_columns'])

const isRecord = (value: unknown): value is Config =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const asList = (value: unknown): unknown[] =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]

/** `into` with `partial` laid over it. */
export function mergeConfig(into: Config, partial: Config): Config {
  const result = { ...into }
  for (const [written, value] of Object.entries(partial)) {
    const key = written === 'pre_hook' ? 'pre-hook' : written === 'post_hook' ? 'post-hook' : written
    if (appended.has(key)) result[key] = [...asList(result[key]), ...asList(value)]
    else if (updated.has(key) && isRecord(value)) result[key] = { ...(result[key] as Config | undefined), ...value }
    else if (key === 'grants' && isRecord(value)) result[key] = mergeGrants((result[key] ?? {}) as Config, value)
    else result[key] = value
  }
  return result
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
export function treeConfigs(tree: Config, fqn: readonly string[]): Config[] {
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
export const resolveConfig = (defaults: Config, layers: readonly Config[]): Config =>
  layers.reduce(mergeConfig, defaults)

export const modelDefaults: Config = {
  enabled: true,
  materialized: 'view',
  tags: [],
  meta: {},
  'pre-hook': [],
  'post-hook': [],
}
export const seedDefaults: Config = {
  enabled: true,
  materialized: 'seed',
  tags: [],
  meta: {},
  column_types: {},
  quote_columns: null,
  delimiter: ',',
}
export const testDefaults: Config = {
  enabled: true,
  materialized: 'test',
  tags: [],
  meta: {},
  severity: 'ERROR',
  fail_calc: 'count(*)',
  warn_if: '!= 0',
  error_if: '!= 0',
  where: null,
  limit: null,
  store_failures: null,
  schema: 'dbt_test__audit',
}
export const sourceDefaults: Config = { enabled: true, tags: [], meta: {} }

export const tagsOf = (config: Config): string[] => [...new Set(asList(config['tags']).map(String))].sort()
