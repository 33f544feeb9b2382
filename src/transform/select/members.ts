// What can be selected: nodes, sources, unit tests, exposures, metrics, semantic models, saved queries, in one graph.

import type { ColumnSpec, Config, DbtNode, DbtProject, DbtSource } from '../../project/dbt/index.ts'
import { graphOf } from '../graph.ts'

export type ResourceType =
  | DbtNode['kind']
  | 'source'
  | 'unit_test'
  | 'exposure'
  | 'metric'
  | 'semantic_model'
  | 'saved_query'

export type Member = {
  id: string
  type: ResourceType
  name: string
  package: string
  fqn: readonly string[]
  tags: readonly string[]
  config: Config
  /** The file that defines it and the YAML that describes it, relative to its package. */
  file: string
  patchFile: string | undefined
  node: DbtNode | undefined
  source: DbtSource | undefined
  columns: readonly ColumnSpec[]
}

export type Members = {
  /** Parents before children. */
  order: readonly string[]
  byId: ReadonlyMap<string, Member>
  parents: ReadonlyMap<string, readonly string[]>
  children: ReadonlyMap<string, readonly string[]>
}

const known = new WeakMap<DbtProject, Members>()

export function membersOf(project: DbtProject): Members {
  const found = known.get(project) ?? collect(project)
  known.set(project, found)
  return found
}

function collect(project: DbtProject): Members {
  const byId = new Map<string, Member>()
  const parents = new Map<string, string[]>()
  const folderOf = (name: string) => project.packages.get(name)?.folder ?? ''
  const inPackage = (file: string, name: string) => {
    const folder = folderOf(name)
    return folder !== '' && file.startsWith(`${folder}/`) ? file.slice(folder.length + 1) : file
  }
  const add = (
    one: Pick<Member, 'type' | 'name' | 'package' | 'fqn' | 'tags' | 'config'> &
      Partial<Member> & { uniqueId: string; file: string },
    dependsOn: readonly string[],
  ) => {
    const { uniqueId: id, file, patchFile, node, source, columns = [] } = one
    const { type, name, fqn, tags, config } = one
    byId.set(id, {
      id,
      type,
      name,
      package: one.package,
      fqn,
      tags,
      config,
      file: inPackage(file, one.package),
      patchFile: patchFile === undefined ? undefined : inPackage(patchFile, one.package),
      node,
      source,
      columns,
    })
    parents.set(id, [...dependsOn])
  }
  const graph = graphOf(project)
  for (const id of graph.order) {
    const node = project.nodes.get(id)
    const source = project.sources.get(id)
    if (node) add({ ...node, type: node.kind, node, source: undefined, patchFile: node.patch?.file }, node.dependsOn)
    else if (source) add({ ...source, type: 'source', node: undefined, source }, [])
  }
  // The first is the model that is tested; what its inputs stand for is not read.
  for (const one of project.unitTests.values()) add({ ...one, type: 'unit_test' }, one.dependsOn.slice(0, 1))
  for (const one of project.semanticModels.values()) add({ ...one, type: 'semantic_model' }, one.dependsOn)
  // dbt knows a metric by the tags beside its name, not by those of its config.
  for (const one of project.metrics.values())
    add({ ...one, type: 'metric', tags: textsOf(one.value['tags']) }, one.dependsOn)
  for (const one of project.savedQueries.values()) add({ ...one, type: 'saved_query' }, one.dependsOn)
  for (const one of project.exposures.values()) add({ ...one, type: 'exposure' }, one.dependsOn)
  const children = new Map<string, string[]>(Array.from(byId.keys(), (id) => [id, []]))
  for (const [id, list] of parents) for (const parent of list) children.get(parent)?.push(id)
  return { order: [...byId.keys()], byId, parents, children }
}

const textsOf = (value: unknown): string[] =>
  typeof value === 'string' ? [value] : Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
