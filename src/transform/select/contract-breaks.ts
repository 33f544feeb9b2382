// What a change takes away from those who rely on a contract: told when a state is compared with (`state:modified`), as a
// warning, or as an error where versions of the model are there to make such changes in.

import { recordOf } from '../../base/record.ts'
import { manifestOf, type DbtProject } from '../../project/dbt/index.ts'
import type { PreviousState } from './state.ts'

type Json = Record<string, unknown>

/** `reasons`: in dbt's words. */
export type ContractBreak = { name: string; file: string; isVersioned: boolean; reasons: string[] }

export function contractBreaks(project: DbtProject, state: PreviousState): ContractBreak[] {
  const promised = Object.entries(recordOf(state.manifest()['nodes']))
    .map(([id, entry]) => [id, recordOf(entry)] as const)
    .filter(([, entry]) => entry['resource_type'] === 'model' && isEnforced(entry) && !isOver(entry))
  if (promised.length === 0) return []
  const now = recordOf(manifestOf(project, { generatedAt: 0 })['nodes'])
  const found: ContractBreak[] = []
  for (const [id, before] of promised) {
    const after = Object.hasOwn(now, id) ? recordOf(now[id]) : undefined
    const gone = project.disabled.has(id) ? 'disabled' : 'deleted or renamed'
    const reasons = after ? reasonsOf(before, after) : [`Contracted model '${id}' was ${gone}.`]
    if (reasons.length === 0) continue
    found.push({
      name: String(before['name']),
      file: String(before['original_file_path']),
      isVersioned: (before['version'] ?? null) !== null,
      reasons,
    })
  }
  return found
}

const isEnforced = (entry: Json): boolean => recordOf(entry['contract'])['enforced'] === true

const isOver = ({ deprecation_date: date }: Json): boolean => typeof date === 'string' && Date.parse(date) < Date.now()

function reasonsOf(before: Json, after: Json): string[] {
  const [old, now] = [recordOf(before['columns']), recordOf(after['columns'])]
  const isHeld = holdsConstraints(before)
  const removed: string[] = []
  const retyped: string[] = []
  const freed: string[] = []
  for (const key of Object.keys(old).sort()) {
    const was = recordOf(old[key])
    if (!Object.hasOwn(now, key)) {
      removed.push(String(was['name']))
      continue
    }
    const is = recordOf(now[key])
    if (baseType(was['data_type']) !== baseType(is['data_type']))
      retyped.push(`${String(was['name'])} (${String(was['data_type'])} -> ${String(is['data_type'])})`)
    if (isHeld)
      for (const each of missing(was['constraints'], is['constraints']))
        freed.push(`'${String(each['name'] ?? each['type'])}' constraint on column ${key}`)
  }
  const lifted = isHeld
    ? missing(before['constraints'], after['constraints']).map(
        (each) => `'${String(each['name'] ?? each['type'])}' constraint on columns ${JSON.stringify(each['columns'])}`,
      )
    : []
  const had = [before['constraints'], ...Object.values(old).map((column) => recordOf(column)['constraints'])]
  const isLoose = isHeld && !holdsConstraints(after) && had.some((each) => listOf(each).length > 0)
  const list = (what: string, items: readonly string[]) =>
    items.length === 0 ? [] : [`${what}: \n    - ${items.join('\n    - ')}`]
  return [
    ...(isEnforced(after)
      ? []
      : [
          'Contract enforcement was removed: Previously, this model had an enforced contract. It is no longer configured to enforce its contract, and this is a breaking change.',
        ]),
    ...list('Columns were removed', removed),
    ...list('Columns with data_type changes', retyped),
    ...list('Enforced column level constraints were removed', freed),
    ...list('Enforced model level constraints were removed', lifted),
    ...(isLoose ? list('Materialization changed with enforced constraints', [`${as(before)} -> ${as(after)}`]) : []),
  ]
}

const as = (entry: Json): string => String(recordOf(entry['config'])['materialized'])
const holdsConstraints = (entry: Json): boolean => ['table', 'incremental'].includes(as(entry))
const listOf = (value: unknown): Json[] => (Array.isArray(value) ? value.map(recordOf) : [])
/** More or less of a type's length breaks nothing. */
const baseType = (type: unknown): string =>
  String(type ?? '')
    .replace(/\(.*\)/, '')
    .trim()
    .toLowerCase()

function missing(before: unknown, after: unknown): Json[] {
  const kept = new Set(listOf(after).map((each) => JSON.stringify(each)))
  return listOf(before).filter((each) => !kept.has(JSON.stringify(each)))
}
