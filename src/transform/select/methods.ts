// The methods of dbt's selection language: `tag:`, `path:`, `config.materialized:` … Each says which members it means.

import { Failure } from '../../base/failure.ts'
import { didYouMean } from '../../base/suggest.ts'
import type { Config, DbtProject } from '../../project/dbt/index.ts'
import type { Member } from './members.ts'
import { resultIs, sourceIs, stateMethod, type PreviousState } from './state.ts'
import { pathWildcard, wildcard } from './wildcard.ts'

export type Asked = {
  value: string
  path: readonly string[]
  project: DbtProject
  members: readonly Member[]
  state: PreviousState | undefined
}
type Method = (asked: Asked) => (member: Member) => boolean

const wrong = (message: string) => new Failure('USAGE', message)

export const methods: Readonly<Record<string, Method>> = {
  fqn: ({ value }) => {
    const matches = fqnMatcher(value)
    return (member) => member.type !== 'source' && matches(member.fqn, member.node?.version !== undefined)
  },
  tag: ({ value }) => {
    const matches = wildcard(value)
    return ({ tags }) => tags.some(matches)
  },
  group: ({ value }) => {
    const matches = wildcard(value)
    return ({ node, type, config }) => {
      const group = node || type === 'metric' ? (node?.group ?? config['group']) : undefined
      return typeof group === 'string' && matches(group)
    }
  },
  access:
    ({ value }) =>
    ({ type, node }) =>
      type === 'model' && node?.access === value,
  source: ({ value }) => {
    const parts = value.split('.')
    if (parts.length > 3) throw wrong(`"source:${value}": a source is NAME, NAME.TABLE or PACKAGE.NAME.TABLE`)
    const [first, second = '*', third] = parts
    const [pkg, source, table] = (third === undefined ? ['*', first!, second] : [first!, second, third]).map(wildcard)
    return ({ source: it }) => it !== undefined && pkg!(it.package) && source!(it.source) && table!(it.name)
  },
  exposure: named('exposure'),
  metric: named('metric'),
  semantic_model: named('semantic_model'),
  saved_query: named('saved_query'),
  unit_test: named('unit_test'),
  path: ({ value, project, members }) => {
    const matches = pathWildcard(value.replaceAll('\\', '/').replace(/^\.\//, ''))
    // What dbt finds on disk below the project: files of its members and their folders.
    const own = members.filter((one) => one.package === project.name)
    const found = new Set(
      own
        .flatMap(({ file, patchFile }) => [file, ...(patchFile === undefined ? [] : [patchFile])])
        .flatMap(upwards)
        .filter(matches),
    )
    return ({ file, patchFile }) =>
      upwards(file).some((each) => found.has(each)) || (patchFile !== undefined && found.has(patchFile))
  },
  file: ({ value }) => {
    const matches = wildcard(value)
    return ({ file }) => {
      const name = file.split('/').at(-1)!
      return matches(name) || matches(name.replace(/(?!^)\.[^.]*$/, ''))
    }
  },
  package: ({ value, project }) => {
    const matches = wildcard(value === 'this' ? project.name : value)
    return (member) => matches(member.package)
  },
  config:
    ({ value, path }) =>
    ({ node, source, config }) =>
      (node !== undefined || source !== undefined) && configIs(config, path, value),
  resource_type: ({ value }) => {
    if (!resourceTypes.includes(value))
      throw wrong(`"${value}" is no type of resource${didYouMean(value, resourceTypes)}`)
    return ({ type }) => type === value
  },
  test_name: ({ value }) => {
    const matches = wildcard(value)
    return ({ type, name, node }) =>
      type === 'unit_test' ? matches(name) : node?.test?.kind === 'generic' && matches(node.test.name)
  },
  test_type: ({ value }) => {
    const kinds = testTypes[value]
    if (!kinds) throw wrong(`"${value}" is no type of test: generic, singular, unit or data`)
    return ({ type, node }) => kinds.includes(type === 'unit_test' ? 'unit' : (node?.test?.kind ?? ''))
  },
  version: ({ value }) => {
    const is = versions[value]
    if (!is) throw wrong(`"version:${value}": expected latest, prerelease, old or none`)
    return ({ type, node }) => type === 'model' && is(node?.version, node?.latestVersion)
  },
  state: stateMethod,
  result: ({ value, state }) => resultIs(value, state),
  source_status: ({ value, state }) => sourceIs(value, state),
}

const resourceTypes = [
  'model',
  'analysis',
  'test',
  'snapshot',
  'operation',
  'seed',
  'rpc',
  'sql_operation',
  'doc',
  'source',
  'macro',
  'exposure',
  'metric',
  'group',
  'saved_query',
  'semantic_model',
  'unit_test',
  'fixture',
  'function',
]

const testTypes: Readonly<Record<string, readonly string[]>> = {
  generic: ['generic'],
  schema: ['generic'],
  data: ['generic', 'singular'],
  singular: ['singular'],
  unit: ['unit'],
}

const versions: Readonly<Record<string, (version: string | undefined, latest: string | undefined) => boolean>> = {
  latest: (version, latest) => version !== undefined && version === latest,
  prerelease: (version, latest) => version !== undefined && latest !== undefined && later(version, latest) > 0,
  old: (version, latest) => version !== undefined && latest !== undefined && later(version, latest) < 0,
  none: (version) => version === undefined,
}

/** Numbers by size, everything else as text. */
function later(a: string, b: string): number {
  const [first, second] = [Number(a), Number(b)]
  if (Number.isFinite(first) && Number.isFinite(second)) return first - second
  return a < b ? -1 : a > b ? 1 : 0
}

function named(type: Member['type']): Method {
  return ({ value }) => {
    const parts = value.split('.')
    if (parts.length > 2) throw wrong(`"${type}:${value}": the form is NAME or PACKAGE.NAME`)
    const [pkg, name] = parts.length === 2 ? parts.map(wildcard) : [() => true, wildcard(value)]
    return (member) => member.type === type && pkg!(member.package) && name!(member.name)
  }
}

/** `a/b/c.sql`, `a/b`, `a`. */
function upwards(path: string): string[] {
  const parts = path.split('/')
  return parts.map((_, at) => parts.slice(0, parts.length - at).join('/'))
}

/**
 * dbt's rule: the name of the node (of a versioned one `name`, `name.v2`, `name_v2`), or the parts from the root, with or
 * without the package; from the first wildcard on the pattern matches all of the rest.
 */
function fqnMatcher(selector: string): (fqn: readonly string[], isVersioned: boolean) => boolean {
  const parts = selector.split('.')
  const firstWild = parts.findIndex((part) => /[*?[\]]/.test(part))
  const rest = firstWild < 0 ? undefined : wildcard(parts.slice(firstWild).join('.'))
  const leaf = firstWild < 0 || parts.length > 1 ? undefined : wildcard(selector)
  const matches = (fqn: readonly string[], isVersioned: boolean): boolean => {
    if (isVersioned) {
      if (fqn.at(-2) === selector || fqn.slice(-2).join('_') === parts.slice(-2).join('_')) return true
    } else if (fqn.at(-1) === selector) return true
    const flat = fqn.flatMap((step) => step.split('.'))
    if (flat.length < parts.length) return false
    const fixed = firstWild < 0 ? parts : parts.slice(0, firstWild)
    if (!fixed.every((part, at) => flat[at] === part)) return false
    if (!rest) return true
    return rest(flat.slice(firstWild).join('.')) || (leaf?.(fqn.at(isVersioned ? -2 : -1) ?? '') ?? false)
  }
  return (fqn, isVersioned) => matches(fqn, isVersioned) || matches(fqn.slice(1), isVersioned)
}

/** A value of the config: equal to the text, or one of a list is; `true` and `false` also as booleans. */
function configIs(config: Config, path: readonly string[], wanted: string): boolean {
  let value: unknown = config
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false
    value = (value as Config)[key]
  }
  const isSeverity = path.length === 1 && path[0] === 'severity'
  const is = (one: unknown): boolean => {
    if (one === true || one === false) return wanted.toLowerCase() === String(one)
    if (typeof one !== 'string') return false
    return isSeverity ? one.toLowerCase() === wanted.toLowerCase() : one === wanted
  }
  return Array.isArray(value) ? value.some(is) : is(value)
}
