// graph_summary.json: the graph as numbers, which dbt leaves for who looks into how a run went.

import { recordOf } from '../../base/record.ts'
import type { DbtProject } from '../../project/dbt/index.ts'
import { graphOf } from '../graph.ts'
import { withTests } from '../plan.ts'

type Children = ReadonlyMap<string, readonly string[]>

/** `manifest`: the values of manifest.json. A build has the edges by which nodes wait for tests, too, without those that follow from others. */
export function graphSummary(
  manifest: Readonly<Record<string, unknown>>,
  project: DbtProject,
  { invocationId, isBuild }: { invocationId: string; isBuild: boolean },
): Record<string, unknown> {
  const children = new Map(Object.entries(recordOf(manifest['child_map']) as Record<string, string[]>))
  return {
    _invocation_id: invocationId,
    linked: summaryOf(children),
    ...(isBuild && { with_test_edges: summaryOf(withTestEdges(project, children)) }),
  }
}

function summaryOf(children: Children): Record<number, object> {
  const numbers = new Map(Array.from(children.keys(), (id, index) => [id, index] as const))
  return Object.fromEntries(
    Array.from(children, ([name, below], index) => {
      const succ = below.flatMap((id) => numbers.get(id) ?? [])
      return [index, { name, type: name.split('.')[0], ...(succ.length > 0 && { succ }) }]
    }),
  )
}

function withTestEdges(project: DbtProject, children: Children): Children {
  const { parents } = graphOf(project)
  const all = new Map(Array.from(children, ([id, below]): [string, string[]] => [id, [...below]]))
  for (const [id, waitsFor] of withTests(project))
    for (const other of waitsFor) if (!parents.get(id)?.includes(other)) all.get(other)?.push(id)
  return all
}
