// Where a node's relation is in the lake, and what is said about it there.

import type { TableOptions } from '../../lake/index.ts'
import type { DbtNode, DbtProject } from '../../project/dbt/index.ts'
import type { Work } from '../work.ts'

export type LakeName = { catalog: string; namespace: string; name: string }

/** The catalog behind a database of templates: the target's own name is an alias of its environment. */
export const catalogOf = ({ target }: Pick<DbtProject, 'target'>, database: string): string =>
  database.toLowerCase() === target.database.toLowerCase() ? target.catalog : database

export const lakeName = (project: DbtProject, { database, schema, alias }: DbtNode): LakeName => ({
  catalog: catalogOf(project, database),
  namespace: schema,
  name: alias,
})

/** Descriptions, and the bounds of the run. */
export function tableOptions(node: DbtNode, work: Work): TableOptions {
  const comments = Object.fromEntries(
    node.columns.filter(({ description }) => description !== '').map(({ name, description }) => [name, description]),
  )
  return {
    ...(node.description !== '' && { comment: node.description }),
    ...(Object.keys(comments).length > 0 && { columnComments: comments }),
    namespace: work.project.target.schema,
    ...(work.signal && { signal: work.signal }),
    ...(work.timeoutMs !== undefined && { timeoutMs: work.timeoutMs }),
  }
}
