// `grants` of a node's config, as grants of the lake.

import type { DbtNode } from '../../project/dbt/index.ts'
import { rowsOf } from '../work.ts'
import type { Sending } from './statements.ts'

/** Rights are given by name, so they are there before the table is published. They are only added to. */
export async function applyGrants(node: DbtNode, { lake, options }: Pick<Sending, 'lake' | 'options'>): Promise<void> {
  const grants = (node.config['grants'] ?? {}) as Record<string, unknown>
  const { changes: _, ...outside } = options
  const table = [node.database, node.schema, node.alias].map((part) => `"${part.replaceAll('"', '""')}"`).join('.')
  for (const [privilege, given] of Object.entries(grants)) {
    const grantees = (Array.isArray(given) ? given : [given]).map(String).filter((one) => one !== '')
    if (grantees.length > 0) await rowsOf(lake, `grant ${privilege} on ${table} to ${grantees.join(', ')}`, outside)
  }
}
