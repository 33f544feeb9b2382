// Who reads whom. Edges come from `ref`, `source` and plain table names; the order of building follows them.

import { Failure } from '../base/failure.ts'
import { isTable, type DbtProject } from '../project/dbt/index.ts'

export type Graph = {
  /** Unique ids of nodes and sources, parents before children; without tests of what is not there. */
  order: readonly string[]
  parents: ReadonlyMap<string, readonly string[]>
  children: ReadonlyMap<string, readonly string[]>
}

const graphs = new WeakMap<DbtProject, Graph>()

/** @throws Failure GRAPH_CYCLE that names the circle */
export function graphOf(project: DbtProject): Graph {
  const known = graphs.get(project)
  if (known) return known
  const parents = new Map<string, string[]>()
  for (const id of project.sources.keys()) parents.set(id, [])
  for (const node of project.nodes.values())
    if (node.config['enabled'] !== false) parents.set(node.uniqueId, withStandings(project, node.dependsOn))
  const children = new Map<string, string[]>(Array.from(parents.keys(), (id) => [id, []]))
  for (const [id, list] of parents) for (const parent of list) children.get(parent)?.push(id)
  const graph = { order: sorted(project, parents), parents, children }
  graphs.set(project, graph)
  return graph
}

/** Who names a metric waits for the models that it is made of. */
function withStandings(project: DbtProject, ids: string[]): string[] {
  const { metrics, semanticModels } = project
  if (metrics.size === 0 || !ids.some((id) => metrics.has(id))) return ids
  const found = new Set(ids)
  // What is added while it is walked is walked, too.
  for (const id of found)
    for (const below of (metrics.get(id) ?? semanticModels.get(id))?.dependsOn ?? []) found.add(below)
  return [...found]
}

/** Depth first without recursion: a chain of 100,000 models is only slow. */
function sorted(project: DbtProject, parents: ReadonlyMap<string, readonly string[]>): string[] {
  const order: string[] = []
  const done = new Set<string>()
  for (const start of [...parents.keys()].sort()) {
    const path: { id: string; next: number }[] = done.has(start) ? [] : [{ id: start, next: 0 }]
    const onPath = new Set(path.map(({ id }) => id))
    while (path.length > 0) {
      const top = path.at(-1)!
      const parent = parents.get(top.id)?.[top.next++]
      if (parent === undefined) {
        order.push(top.id)
        done.add(top.id)
        onPath.delete(top.id)
        path.pop()
      } else if (onPath.has(parent)) {
        throw cycle(project, [...path.slice(path.findIndex(({ id }) => id === parent)).map(({ id }) => id), parent])
      } else if (!done.has(parent) && parents.has(parent)) {
        path.push({ id: parent, next: 0 })
        onPath.add(parent)
      }
    }
  }
  return order
}

function cycle(project: DbtProject, ids: readonly string[]): Failure {
  const names = ids.map((id) => project.nodes.get(id)?.name ?? id)
  const first = project.nodes.get(ids[0]!)
  const toSecond = first?.refs.find(({ name }) => name === names[1])
  return new Failure('GRAPH_CYCLE', `Found a cycle: models read each other: ${names.join(' → ')}`, {
    place: toSecond?.place ?? first?.metrics[0]?.place ?? first?.place ?? {},
    circle: names,
  })
}

/** Everything reachable from `ids` (without them) in at most `steps`. */
export function reach(
  edges: ReadonlyMap<string, readonly string[]>,
  ids: Iterable<string>,
  steps = Infinity,
): Set<string> {
  const found = new Set<string>()
  let frontier = [...ids]
  for (let step = 0; step < steps && frontier.length > 0; step++) {
    frontier = frontier
      .flatMap((id) => edges.get(id) ?? [])
      .filter((id) => {
        if (found.has(id)) return false
        found.add(id)
        return true
      })
  }
  return found
}

/** What reads tables of these nodes as sources, and all that depends on it: a seed that a package reads so is no parent in the graph. */
export function readersAsSources(project: DbtProject, ids: readonly string[]): Set<string> {
  const key = (database: string, schema: string, name: string) => `${database}.${schema}.${name}`.toLowerCase()
  const tables = new Set(
    ids.flatMap((id) => {
      const node = project.nodes.get(id)
      return node && isTable(node) ? [key(node.database, node.schema, node.alias)] : []
    }),
  )
  const sources = [...project.sources.values()].filter(({ database, schema, identifier }) =>
    tables.has(key(database, schema, identifier)),
  )
  return reach(
    graphOf(project).children,
    sources.map(({ uniqueId }) => uniqueId),
  )
}
