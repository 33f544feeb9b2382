// When an incremental model needs no template: its table is made or made anew, or rows are only added to it. Then one
// write does it, and a table that is made anew stays the same table with its history.

import { quoteName, schemaOfLoaded } from '../../lake/index.ts'
import type { LoadedTable } from '../../catalog/index.ts'
import type { DbtNode } from '../../project/dbt/index.ts'
import type { Work } from '../work.ts'
import { isFullRefresh, lakeName } from './target.ts'

/** The table that rows are added to; undefined: it is made, or made anew. */
export async function keptTable(node: DbtNode, work: Work): Promise<LoadedTable | undefined> {
  if (isFullRefresh(node, work.project)) return undefined
  const found = await work.changes.load(lakeName(work.project, node))
  return found?.kind === 'table' ? found : undefined
}

/** How the SELECT of the model is written, given the table that is kept; undefined: by the template. */
export function plainWrite(
  node: DbtNode,
  kept: LoadedTable | undefined,
): { how: 'replace' } | { how: 'append'; select(sql: string): string } | undefined {
  const { config } = node
  if (!kept) return { how: 'replace' }
  const strategy = config['incremental_strategy'] ?? 'default'
  const key = config['unique_key']
  const hasKey = Array.isArray(key) ? key.length > 0 : key !== undefined && key !== null && key !== ''
  const adds = strategy === 'append' || ((strategy === 'default' || strategy === 'delete+insert') && !hasKey)
  if (!adds || node.contract || (config['on_schema_change'] ?? 'ignore') !== 'ignore') return undefined
  // Of what the SELECT gives, the columns that the table has; one that it lacks is told as dbt's INSERT would tell it.
  const columns = schemaOfLoaded(kept).fields.map(({ name }) => quoteName(name))
  return { how: 'append', select: (sql) => `select ${columns.join(', ')} from (\n${sql}\n) as added` }
}
