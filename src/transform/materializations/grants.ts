// `grants` of a node's config, as grants of the lake.

import { quoteName } from '../../lake/index.ts'
import type { DbtNode } from '../../project/dbt/index.ts'
import { rowsOf } from '../work.ts'
import type { Sending } from './statements.ts'
import type { LakeName } from './target.ts'

/**
 * Rights are given by name, so they are there before the table is published. A config that gives any says all: what was
 * granted on this very table besides is revoked, as by dbt. What `access.yml` gives, or a wider grant, stays.
 */
export async function applyGrants(
  node: DbtNode,
  target: LakeName,
  { lake, options }: Pick<Sending, 'lake' | 'options'>,
): Promise<void> {
  const grants = Object.entries((node.config['grants'] ?? {}) as Record<string, unknown>)
  if (grants.length === 0) return
  const { changes: _, ...outside } = options
  const table = [node.database, node.schema, node.alias].map(quoteName).join('.')
  const itself = `${target.namespace}.${target.name}`.toLowerCase()
  const wanted = new Map(
    grants.map(([privilege, given]) => [
      privilege.toLowerCase(),
      (Array.isArray(given) ? given : [given]).map(String).filter((one) => one !== ''),
    ]),
  )
  const { columns, rows } = await rowsOf(lake, `show grants on ${table}`, outside)
  for (const row of rows) {
    const one = Object.fromEntries(columns.map(({ name }, at) => [name, String(row[at] ?? '')]))
    const isIts = [one['namespace'], one['table']].join('.').toLowerCase() === itself && one['environment'] !== '*'
    if (!isIts || one['source'] === 'access.yml') continue
    const kept = wanted.get(one['privilege']!)?.some((grantee) => nameIn(grantee) === one['grantee']!.toLowerCase())
    if (!kept) {
      const grantee = `${one['grantee_type']} ${quoteName(one['grantee']!)}`
      await rowsOf(lake, `revoke ${one['privilege']} on ${table} from ${grantee}`, outside)
    }
  }
  for (const [privilege, grantees] of wanted)
    if (grantees.length > 0) await rowsOf(lake, `grant ${privilege} on ${table} to ${grantees.join(', ')}`, outside)
}

/** `role:analyst`, `ROLE analyst` → `analyst`. */
const nameIn = (grantee: string): string =>
  grantee
    .trim()
    .replace(/^(user|role|group)\s*[: ]\s*/i, '')
    .replaceAll('"', '')
    .toLowerCase()
