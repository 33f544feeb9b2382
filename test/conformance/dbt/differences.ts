// Differences of one project, and the causes behind them: many nodes usually differ for one reason.

import type { DbtProject } from '../../../src/transform/index.ts'
import { hashOf, type Golden } from './golden.ts'

/** What we made of a project. */
export type Ours = {
  parents: Map<string, string[]>
  statuses: Map<string, string>
  /** Why a node failed, where it did. */
  messages: Map<string, string>
  sql: Map<string, string>
}

export type Difference = { what: 'node' | 'parents' | 'status' | 'sql' | 'table'; id: string; cause: string }

/** What each node, and whatever else stands in a manifest, is built upon. */
export function parentsOf(project: DbtProject, into: Map<string, string[]>): void {
  const { nodes, operations, unitTests, metrics, semanticModels, savedQueries, exposures } = project
  for (const part of [nodes, operations, unitTests, metrics, semanticModels, savedQueries, exposures])
    for (const { uniqueId, dependsOn } of part.values()) into.set(uniqueId, [...new Set(dependsOn)].sort())
  for (const id of [...project.sources.keys(), ...project.groups.keys()]) into.set(id, [])
}

type Equal = [equal: number, total: number]
/** How many are equal to dbt-core's, and how many there are. */
export type Figures = { nodes: Equal; parents: Equal; statuses: Equal; sql: Equal; tables: Equal }

/** `statuses` false: nothing was run, only compiled. */
export function differencesOf(golden: Golden, ours: Ours, { statuses }: { statuses: boolean }): Difference[] {
  const found: Difference[] = []
  for (const [id, wanted] of golden.parents) {
    const parents = ours.parents.get(id)
    if (!parents) found.push({ what: 'node', id, cause: `a ${kindOf(id)} is missing` })
    else if (parents.join() !== wanted.join())
      found.push({ what: 'parents', id, cause: `parents: ${missing(wanted, parents)}` })
  }
  for (const id of ours.parents.keys())
    if (!golden.parents.has(id)) found.push({ what: 'node', id, cause: `a ${kindOf(id)} that dbt has not` })
  for (const [id, wanted] of golden.compiled) {
    const sql = ours.sql.get(id)
    if (sql === undefined)
      found.push({ what: 'sql', id, cause: `not compiled: ${withoutNames(ours.messages.get(id))}` })
    else if (hashOf(sql) !== wanted) found.push({ what: 'sql', id, cause: firstDifference(golden.sql.get(id), sql) })
  }
  if (!statuses) return found
  const theirs = inAnyOrder(golden.statuses)
  const own = inAnyOrder(ours.statuses)
  for (const [id, wanted] of theirs) {
    const status = own.get(id) ?? 'nothing'
    if (status !== wanted)
      found.push({ what: 'status', id, cause: `${wanted} → ${status}: ${withoutNames(ours.messages.get(id))}` })
  }
  return found
}

/**
 * dbt runs the unit tests of a model in the order of a Python set, and skips those after a red one. So it is chance
 * which of them is red: their statuses are compared as a bag.
 */
function inAnyOrder(statuses: ReadonlyMap<string, string>): Map<string, string> {
  const found = new Map(statuses)
  const ids = [...statuses.keys()].filter((id) => id.startsWith('unit_test.')).sort()
  for (const of of Map.groupBy(ids, (id) => id.split('.').slice(0, 3).join('.')).values()) {
    const bag = of.map((id) => statuses.get(id)!).sort()
    of.forEach((id, at) => found.set(id, bag[at]!))
  }
  return found
}

const kindOf = (id: string): string => id.split('.')[0]!

function missing(wanted: readonly string[], got: readonly string[]): string {
  const without = wanted.filter((id) => !got.includes(id)).map((id) => `-${kindOf(id)}`)
  const more = got.filter((id) => !wanted.includes(id)).map((id) => `+${kindOf(id)}`)
  return [...new Set([...without, ...more])].join(' ')
}

/** A message without what differs from node to node, so that equal causes look equal. */
const withoutNames = (message = 'no message'): string =>
  message
    .split('\n')[0]!
    .replace(/"[^"]*"|'[^']*'|`[^`]*`/g, '…')
    .replace(/\d+/g, 'N')
    .slice(0, 140)

/** Where two texts part, white space aside. */
function firstDifference(wanted: string | undefined, got: string): string {
  if (wanted === undefined) return 'other SQL'
  const [a, b] = [wanted, got].map((text) => text.replace(/\s+/g, ' ').trim()) as [string, string]
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  const shown = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 25), at + 45))
  return `other SQL: ${shown(a)} → ${shown(b)}`
}

/** Causes, the most frequent first, each with one node to look at. */
export function report(differences: readonly Difference[]): string {
  const causes = Map.groupBy(differences, ({ what, cause }) => `${what}: ${cause}`)
  return [...causes]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(
      ([cause, all]) =>
        `${String(all.length).padStart(5)}  ${cause}\n       ${all
          .slice(0, 2)
          .map(({ id }) => id)
          .join('\n       ')}`,
    )
    .join('\n')
}

/** What `compare.py --json` wrote. */
export function tableDifferences(found: { differ: [string, string][]; missing: string[] }): Difference[] {
  return [
    ...found.missing.map((id) => ({ what: 'table' as const, id, cause: 'missing' })),
    ...found.differ.map(([id, why]) => ({ what: 'table' as const, id, cause: withoutNames(why) })),
  ]
}
