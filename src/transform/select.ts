// dbt's selection language: `--select "tag:daily+ staging.*,config.materialized:table" --exclude orders`.
//
// Spaces join, commas intersect, `+` reaches to parents and children (`2+a+1`), `@` to the children and all that those
// need. A test is selected with what it tests, unless the selection is cautious.

import { Failure } from '../base/failure.ts'
import type { DbtNode, DbtProject, DbtSource } from '../project/dbt/index.ts'
import { graphOf, reach, type Graph } from './graph.ts'

export type Selection = {
  /** Each text may hold several words. None selects everything. */
  select?: readonly string[] | undefined
  exclude?: readonly string[] | undefined
  /** `eager`: a test runs when any node it reads is selected; `cautious`: when all are. */
  indirect?: 'eager' | 'cautious' | undefined
}

type Member = { id: string; node: DbtNode | undefined; source: DbtSource | undefined }
type Criterion = {
  childrensParents: boolean
  parents: number
  children: number
  method: string
  arguments: string[]
  value: string
}

/** Unique ids of nodes and sources, in building order. @throws Failure USAGE for what is no selector */
export function select(project: DbtProject, selection: Selection): string[] {
  const graph = graphOf(project)
  const members = graph.order.map((id) => ({ id, node: project.nodes.get(id), source: project.sources.get(id) }))
  const picked =
    selection.select && words(selection.select).length > 0
      ? union(selection.select, project, graph, members, selection.indirect)
      : new Set(graph.order)
  const left =
    selection.exclude && words(selection.exclude).length > 0
      ? union(selection.exclude, project, graph, members, selection.indirect)
      : new Set<string>()
  return graph.order.filter((id) => picked.has(id) && !left.has(id))
}

const words = (texts: readonly string[]): string[] => texts.flatMap((text) => text.split(/\s+/)).filter(Boolean)

function union(
  texts: readonly string[],
  project: DbtProject,
  graph: Graph,
  members: readonly Member[],
  indirect: Selection['indirect'] = 'eager',
): Set<string> {
  const found = new Set<string>()
  const chosen = (part: string) => {
    const set = one(parseCriterion(part), project, graph, members)
    return indirect === 'eager' ? withTests(set, members, indirect) : set
  }
  for (const word of words(texts)) {
    const [first, ...rest] = word.split(',').filter(Boolean).map(chosen)
    for (const id of first ?? []) if (rest.every((set) => set.has(id))) found.add(id)
  }
  // Whether all that a test reads is selected shows only when everything is.
  return indirect === 'eager' ? found : withTests(found, members, indirect)
}

/** `@2+tag:daily+1` in its parts. */
export function parseCriterion(text: string): Criterion {
  const match = /^(@)?(?:(\d*)(\+))?(?:([a-z_]+)((?:\.[^:.]+)*):)?([^+]*?)(?:(\+)(\d*))?$/i.exec(text)
  const value = match?.[6]
  if (!match || !value)
    throw new Failure('USAGE', `"${text}" is no selector`, {
      hint: 'Examples: orders, +orders, tag:daily, path:models/marts, config.materialized:table, source:shop.',
    })
  const [, at, parents, beforePlus, method, more = '', , afterPlus, children] = match
  if (at && afterPlus)
    throw new Failure(
      'USAGE',
      `"${text}": "@" already reaches the children, "+" after the name cannot be combined with it`,
    )
  return {
    childrensParents: at !== undefined,
    parents: beforePlus ? (parents ? Number(parents) : Infinity) : 0,
    children: afterPlus ? (children ? Number(children) : Infinity) : 0,
    method: (method ?? defaultMethod(value)).toLowerCase(),
    arguments: more.split('.').filter(Boolean),
    value,
  }
}

function defaultMethod(value: string): string {
  if (/[/\\]/.test(value)) return 'path'
  return /\.(sql|csv|ya?ml|py)$/i.test(value) ? 'file' : 'fqn'
}

function one(criterion: Criterion, project: DbtProject, graph: Graph, members: readonly Member[]): Set<string> {
  const method = methods[criterion.method]
  if (!method) {
    throw new Failure('USAGE', `the selector method "${criterion.method}:" is not known`, {
      hint: `Known: ${Object.keys(methods)
        .map((name) => `${name}:`)
        .join(' ')}`,
    })
  }
  const matches = method(criterion.value, criterion.arguments, project)
  const found = new Set(members.filter(matches).map(({ id }) => id))
  const base = [...found]
  if (criterion.childrensParents) {
    for (const id of reach(graph.children, base)) found.add(id)
    for (const id of reach(graph.parents, [...found])) found.add(id)
  }
  if (criterion.parents > 0) for (const id of reach(graph.parents, base, criterion.parents)) found.add(id)
  if (criterion.children > 0) for (const id of reach(graph.children, base, criterion.children)) found.add(id)
  return found
}

function withTests(found: Set<string>, members: readonly Member[], indirect: Selection['indirect']): Set<string> {
  for (const { id, node } of members) {
    if (node?.kind !== 'test' || found.has(id) || node.dependsOn.length === 0) continue
    const isCovered = (parent: string) => found.has(parent)
    if (indirect === 'cautious' ? node.dependsOn.every(isCovered) : node.dependsOn.some(isCovered)) found.add(id)
  }
  return found
}

/** Shell wildcards: `*`, `?`, `[ab]`. */
export function wildcard(pattern: string): (text: string) => boolean {
  if (!/[*?[]/.test(pattern)) return (text) => text === pattern
  const source = pattern.replace(/\[!?[^\]]*\]|[.+^${}()|\\*?]/g, (part) => {
    if (part === '*') return '.*'
    if (part === '?') return '.'
    return part.startsWith('[') ? part.replace('[!', '[^') : `\\${part}`
  })
  const expression = new RegExp(`^${source}$`, 's')
  return (text) => expression.test(text)
}

type Method = (value: string, args: string[], project: DbtProject) => (member: Member) => boolean
const fqnOf = ({ node, source }: Member): string[] => node?.fqn ?? source?.fqn ?? []
const tagsOf = ({ node, source }: Member): string[] => node?.tags ?? source?.tags ?? []
const kindOf = ({ node }: Member): string => node?.kind ?? 'source'

const methods: Readonly<Record<string, Method>> = {
  fqn: (value) => (member) =>
    member.source === undefined && matchesFqn(value, fqnOf(member), member.node?.version !== undefined),
  tag: (value) => {
    const matches = wildcard(value)
    return (member) => tagsOf(member).some(matches)
  },
  source: (value) => {
    const parts = value.split('.').map(wildcard)
    return ({ source }) => {
      if (!source) return false
      const names = [source.package, source.source, source.name]
      if (parts.length === 1) return parts[0]!(source.source)
      return names.slice(-parts.length).every((name, index) => parts[index]!(name))
    }
  },
  path: (value) => {
    const wanted = value.replaceAll('\\', '/').replace(/^\.\//, '').replace(/\/+$/, '')
    const matches = wildcard(wanted)
    return ({ node, source }) => {
      const file = (node ?? source)!.file
      const folders = file.split('/').map((_, index, all) => all.slice(0, index + 1).join('/'))
      return folders.some(matches)
    }
  },
  file: (value) => {
    const matches = wildcard(value)
    return ({ node, source }) => {
      const file = (node ?? source)!.file.split('/').at(-1)!
      return matches(file) || matches(file.replace(/\.\w+$/, ''))
    }
  },
  package: (value, _, project) => {
    const matches = wildcard(value === 'this' ? project.name : value)
    return ({ node, source }) => matches((node ?? source)!.package)
  },
  config: (value, path) => {
    if (path.length === 0) throw new Failure('USAGE', 'config: needs the name of a config: config.materialized:table')
    return ({ node, source }) => matchesConfig((node ?? source)!.config, path, value)
  },
  resource_type: (value) => (member) => kindOf(member) === value,
  test_type:
    (value) =>
    ({ node }) => {
      if (node?.test === undefined) return false
      return value === 'data' || node.test.kind === (value === 'schema' ? 'generic' : value)
    },
  test_name: (value) => {
    const matches = wildcard(value)
    return ({ node }) => node?.test?.kind === 'generic' && matches(node.test.name)
  },
  group:
    (value) =>
    ({ node }) =>
      node?.config['group'] === value,
  access:
    (value) =>
    ({ node }) =>
      node?.kind === 'model' && (node.config['access'] ?? 'protected') === value,
  version:
    (value) =>
    ({ node }) =>
      node?.version !== undefined && (value === 'latest' ? node.version === node.latestVersion : value === 'none'),
}

/** dbt's rule: the last part, or a path of parts from the root, with or without the package. */
function matchesFqn(selector: string, fqn: readonly string[], isVersioned: boolean): boolean {
  const matches = wildcard(selector)
  if (matches(fqn.at(-1) ?? '')) return true
  if (isVersioned && (matches(fqn.at(-2) ?? '') || matches(fqn.slice(-2).join('.')))) return true
  const parts = selector.split('.')
  return [fqn, fqn.slice(1)].some((each) => {
    const flat = each.flatMap((step) => step.split('.'))
    if (flat.length < parts.length) return false
    return parts.every((part, index) => wildcard(part)(flat[index]!))
  })
}

function matchesConfig(config: unknown, path: readonly string[], wanted: string): boolean {
  const value = path.reduce<unknown>(
    (found, key) => (typeof found === 'object' && found !== null ? (found as Record<string, unknown>)[key] : undefined),
    config,
  )
  const matches = wildcard(wanted)
  const fits = (each: unknown) =>
    each !== undefined && each !== null && (matches(String(each)) || matches(String(each).toLowerCase()))
  if (Array.isArray(value)) return value.some(fits)
  if (typeof value === 'object' && value !== null) return Object.keys(value).some(fits)
  return fits(value)
}
