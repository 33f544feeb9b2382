// The project as manifest.json has it, as plain values.

import { nodeDict, type DbtProject } from '../../project/dbt/index.ts'
import { toJs } from '../../jinja/index.ts'

export function manifestOf(project: DbtProject): Record<string, unknown> {
  return {
    nodes: Object.fromEntries(Array.from(project.nodes.values(), (node) => [node.uniqueId, toJs(nodeDict(node))])),
  }
}
