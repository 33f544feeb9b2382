// Which node `ref('a')` means, and which table `source('s', 't')`: the project's own first, then the caller's package, then any.

import { behaviourFlag } from './config.ts'
import type {
  DbtMetric,
  DbtNode,
  DbtProject,
  DbtSource,
  FunctionCall,
  MetricCall,
  RefCall,
  SourceCall,
} from './types.ts'

/** `orders`, or `orders.v2` of a model that has versions. */
export const versionedName = ({ name, version }: Pick<DbtNode, 'name' | 'version'>): string =>
  version === undefined ? name : `${name}.v${version}`

/** Nodes that leave a table or view of their name, or stand for one. */
export const isTable = ({ kind }: Pick<DbtNode, 'kind'>): boolean =>
  kind === 'model' || kind === 'seed' || kind === 'snapshot'

const ranks: readonly DbtNode['kind'][] = ['seed', 'snapshot', 'model']

/** Everything that can be referred to, by name. */
export function nodesByName(project: DbtProject): Map<string, DbtNode[]> {
  const byName = new Map<string, DbtNode[]>()
  for (const node of project.nodes.values()) {
    if (!isTable(node)) continue
    const known = byName.get(node.name)
    if (known) known.push(node)
    else byName.set(node.name, [node])
  }
  // Of several kinds with one name the last that dbt reads is meant: seeds before snapshots, snapshots before models.
  for (const nodes of byName.values())
    if (nodes.length > 1) nodes.sort((a, b) => ranks.indexOf(a.kind) - ranks.indexOf(b.kind))
  return byName
}

/** Where dbt looks first for what a node of the package `from` names: in the project, unless a flag puts the package before it. */
export function searchOrder(project: DbtProject, from: string): readonly string[] {
  const isPackageFirst = behaviourFlag(project, 'require_ref_searches_node_package_before_root') === true
  return isPackageFirst ? [from, project.name] : [project.name, from]
}

/** Without a version, `ref` means the latest one. `packages`: as `searchOrder` has them. */
export function pickRef(
  candidates: readonly DbtNode[],
  ref: Pick<RefCall, 'package' | 'version'>,
  packages: readonly string[],
): DbtNode | undefined {
  const versioned = candidates.filter((each) =>
    ref.version === undefined
      ? each.version === undefined || each.version === each.latestVersion
      : each.version === ref.version,
  )
  if (ref.package !== undefined) return versioned.find((each) => each.package === ref.package)
  return firstOf(versioned, packages)
}

/** What a `ref` means, where its name may hold the version, too: `ref('orders.v2')`. */
export function findRef(
  byName: ReadonlyMap<string, readonly DbtNode[]>,
  ref: Pick<RefCall, 'name' | 'package' | 'version'>,
  packages: readonly string[],
): DbtNode | undefined {
  const found = pickRef(byName.get(ref.name) ?? [], ref, packages)
  const [, name, version] = /^(.+)\.v(.+)$/.exec(ref.name) ?? []
  if (found || name === undefined || ref.version !== undefined) return found
  return pickRef(byName.get(name) ?? [], { package: ref.package, version }, packages)
}

const firstOf = <Found extends { package: string }>(
  candidates: readonly Found[],
  packages: readonly string[],
): Found | undefined =>
  packages.flatMap((name) => candidates.find((each) => each.package === name) ?? [])[0] ?? candidates[0]

/** Which metric `metric('m')` means. */
export function findMetric(
  { name: root, metrics }: Pick<DbtProject, 'name' | 'metrics'>,
  { name, package: wanted }: Pick<MetricCall, 'name' | 'package'>,
  from: string,
): DbtMetric | undefined {
  const named = [...metrics.values()].filter((each) => each.name === name)
  if (wanted !== undefined) return named.find((each) => each.package === wanted)
  return firstOf(named, [root, from])
}

/** Which function `function('f')` means. */
export function findFunction(
  project: DbtProject,
  { name, package: wanted }: Pick<FunctionCall, 'name' | 'package'>,
  from: string,
): DbtNode | undefined {
  const packages = wanted === undefined ? [...searchOrder(project, from), ...project.packages.keys()] : [wanted]
  for (const each of packages) {
    const found = project.nodes.get(`function.${each}.${name}`)
    if (found) return found
  }
  return undefined
}

export function findSource(
  project: DbtProject,
  { source, table }: Pick<SourceCall, 'source' | 'table'>,
  from: string,
): DbtSource | undefined {
  const candidates = [...project.sources.values()].filter((each) => each.source === source && each.name === table)
  return firstOf(candidates, searchOrder(project, from))
}
