// `grants` of a node's config, as grants of the lake.

import { Failure } from '../../base/failure.ts'
import { quoteName, type QueryOptions } from '../../lake/index.ts'
import type { DbtNode } from '../../project/dbt/index.ts'
import { rowsOf, type Work } from '../work.ts'
import type { LakeName } from './target.ts'

/**
 * Rights are given by name, so they are there before the table is published. A config that gives any says all: what was
 * granted on this very table besides is revoked, as by dbt. What `access.yml` gives, or a wider grant, stays. Whom nobody
 * knows here gets nothing, and that is told: projects name the roles of the database that they were written for.
 */
export async function applyGrants(
  node: DbtNode,
  target: LakeName,
  { lake, project }: Pick<Work, 'lake' | 'project'>,
  options: QueryOptions,
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
    for (const grantee of grantees)
      await rowsOf(lake, `grant ${privilege} on ${table} to ${grantee}`, outside).catch((error: unknown) => {
        if (!(error instanceof Failure) || !unknownHere.has(error.code)) throw error
        const left = `grants: ${privilege} for ${grantee} was left out: ${error.message}`
        if (!isToldOf(project).has(left)) project.options.onLog('warn', left, undefined)
        isToldOf(project).add(left)
      })
}

/** The name or the privilege is none of the lake's. */
const unknownHere: ReadonlySet<string> = new Set(['NOT_FOUND', 'REQUEST_INVALID', 'SQL_INVALID', 'SQL_UNSUPPORTED'])

const told = new WeakMap<object, Set<string>>()
/** A thousand models have the same config. */
function isToldOf(project: object): Set<string> {
  const known = told.get(project) ?? new Set()
  told.set(project, known)
  return known
}

/** `role:analyst`, `ROLE analyst` → `analyst`. */
const nameIn = (grantee: string): string =>
  grantee
    .trim()
    .replace(/^(user|role|group)\s*[: ]\s*/i, '')
    .replaceAll('"', '')
    .toLowerCase()
