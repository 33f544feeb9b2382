// Keys of tables as the project's tests hold them true: `unique` of a column, `relationships` to another table's. SQL
// clients are shown them. Part of the composition root.

import type { Key } from './lake/index.ts'
import type { DbtProject } from './transform/index.ts'

type Table = { namespace: string; table: string }

export function keysOfProject(project: DbtProject): Key[] {
  const tableOf = (id: string | undefined): Table | undefined => {
    const [node, source] = [project.nodes.get(id ?? ''), project.sources.get(id ?? '')]
    if (source) return { namespace: source.schema, table: source.identifier }
    return node && { namespace: node.schema, table: node.alias }
  }
  return Array.from(project.nodes.values()).flatMap(({ test, dependsOn }): Key[] => {
    if (test?.kind !== 'generic' || test.namespace !== undefined || test.columnName === undefined) return []
    const from = tableOf(test.attachedTo)
    if (!from) return []
    const columns = [test.columnName]
    if (test.name === 'unique') return [{ kind: 'unique', ...from, columns }]
    const to = tableOf(dependsOn.find((id) => id !== test.attachedTo))
    const field = test.kwargs['field']
    if (test.name !== 'relationships' || !to || typeof field !== 'string') return []
    return [{ kind: 'foreign', ...from, columns, to: { ...to, columns: [field] } }]
  })
}
