// What a change of the project changes: models, their columns, and who would notice. Two versions of a project are
// compared by what binds in each: columns with types, what each is made of, what decides the rows.
//
// breaking:      a column is gone or has another type, or what decides which rows there are is another condition, join or grouping
// values:        a column is made of something else, or by an expression that is written otherwise
// non-breaking:  columns came
// unknown:       its text is another, and one of the versions does not bind (a mistake, a file, a template that asks)

import type { DbtProject } from '../project/dbt/index.ts'
import { traceColumns, type ColumnGraph, type NodeLineage } from './column-graph.ts'
import { graphOf, reach } from './graph.ts'

export type Severity = 'breaking' | 'values' | 'non-breaking' | 'unknown'

export type ModelChange = {
  node: string
  name: string
  change: 'added' | 'removed' | 'modified'
  severity: Severity
  columns: {
    name: string
    change: 'added' | 'removed' | 'retyped' | 'remade'
    before: string | null
    after: string | null
  }[]
  /** What decides which rows there are is another. */
  rowsChanged: boolean
  /** What depends on the columns that went, changed or are remade, or on the rows. */
  impact: { columns: { node: string; column: string }[]; models: string[]; tests: string[]; exposures: string[] }
}

export type Version = { project: DbtProject; graph: ColumnGraph }

/** Changes from one version of a project to the next, in the order of their names. */
export function impactOf(before: Version, after: Version): ModelChange[] {
  const isModel = ({ kind }: NodeLineage) => kind !== 'test'
  const ids = new Set([...before.graph.values(), ...after.graph.values()].filter(isModel).map(({ node }) => node))
  for (const { uniqueId, kind } of after.project.nodes.values())
    if (kind === 'model' || kind === 'snapshot') ids.add(uniqueId)
  const changes: ModelChange[] = []
  for (const id of ids) {
    const change = changeOf(id, before, after)
    if (change) changes.push(change)
  }
  return changes.sort((one, other) => one.name.localeCompare(other.name))
}

function changeOf(id: string, before: Version, after: Version): ModelChange | undefined {
  const [old, now] = [before.graph.get(id), after.graph.get(id)]
  const [was, is] = [before.project.nodes.get(id), after.project.nodes.get(id)]
  const name = (is ?? was)?.name ?? id
  if (was && is && !(old && now)) {
    if (was.rawSql === is.rawSql) return undefined
    const impact = readersOf(id, after.project)
    return { node: id, name, change: 'modified', severity: 'unknown', columns: [], rowsChanged: false, impact }
  }
  if (!old) {
    return { node: id, name, change: 'added', severity: 'non-breaking', columns: [], rowsChanged: false, impact: none }
  }
  if (!now) {
    const all = old.columns.map((column) => column.name)
    return {
      node: id,
      name,
      change: 'removed',
      severity: 'breaking',
      columns: [],
      rowsChanged: false,
      impact: impactOn(id, all, true, before),
    }
  }
  const columns = columnChanges(old, now)
  const rowsChanged = rowsText(old) !== rowsText(now) || old.rowsWritten !== now.rowsWritten
  if (columns.length === 0 && !rowsChanged) return undefined
  const lost = columns.filter(({ change }) => change === 'removed' || change === 'retyped')
  const touched = columns.filter(({ change }) => change !== 'added').map((column) => column.name)
  const severity: Severity =
    lost.length > 0 || rowsChanged
      ? 'breaking'
      : columns.some(({ change }) => change === 'remade')
        ? 'values'
        : 'non-breaking'
  return {
    node: id,
    name,
    change: 'modified',
    severity,
    columns,
    rowsChanged,
    impact: impactOn(id, touched, rowsChanged, before),
  }
}

const none: ModelChange['impact'] = { columns: [], models: [], tests: [], exposures: [] }

function columnChanges(old: NodeLineage, now: NodeLineage): ModelChange['columns'] {
  const keyed = ({ columns }: NodeLineage) => new Map(columns.map((column) => [column.name.toLowerCase(), column]))
  const [was, is] = [keyed(old), keyed(now)]
  const changes: ModelChange['columns'] = []
  for (const [key, column] of was) {
    const next = is.get(key)
    if (!next) changes.push({ name: column.name, change: 'removed', before: column.type, after: null })
    else if (next.type !== column.type)
      changes.push({ name: column.name, change: 'retyped', before: column.type, after: next.type })
    else if (fromText(column) !== fromText(next) || column.written !== next.written)
      changes.push({ name: column.name, change: 'remade', before: fromText(column), after: fromText(next) })
  }
  for (const [key, column] of is)
    if (!was.has(key)) changes.push({ name: column.name, change: 'added', before: null, after: column.type })
  return changes
}

const fromText = ({ from }: NodeLineage['columns'][number]): string =>
  from
    .map(({ node, column, how }) => `${node.split('.').at(-1)}.${column}${how === 'identity' ? '' : ` (${how})`}`)
    .sort()
    .join(', ')
const rowsText = ({ rows }: NodeLineage): string =>
  rows
    .filter(({ use }) => use !== 'order')
    .map(({ node, column, use }) => `${use} ${node} ${column}`.toLowerCase())
    .sort()
    .join(', ')

/** Everything that depends on a node of which no columns are known. */
function readersOf(id: string, project: DbtProject): ModelChange['impact'] {
  const below = reach(graphOf(project).children, [id])
  const isTest = (one: string) => project.nodes.get(one)?.kind === 'test'
  const exposures = [...project.exposures.values()].filter(({ dependsOn }) =>
    dependsOn.some((one) => one === id || below.has(one)),
  )
  return {
    columns: [],
    models: [...below].filter((one) => !isTest(one)),
    tests: [...below].filter(isTest),
    exposures: exposures.map(({ uniqueId }) => uniqueId),
  }
}

/** Who reads these columns of a node, and, where its rows change, whoever reads the node at all. */
function impactOn(id: string, columns: readonly string[], rows: boolean, { project, graph }: Version) {
  const trace = traceColumns(project, graph, {
    node: id,
    columns: rows ? (graph.get(id)?.columns ?? []).map(({ name }) => name) : columns,
  })
  const found = new Map(trace.downstream.map(({ node, column }) => [`${node}.${column}`, { node, column }]))
  const models = new Set([...trace.downstream.map(({ node }) => node), ...trace.rowsOf.map((one) => one.in)])
  models.delete(id)
  return { columns: [...found.values()], models: [...models], tests: trace.tests, exposures: trace.exposures }
}

/** `4 columns of 2 models, 2 tests, 1 exposure`. */
export function impactText({ columns, models, tests, exposures }: ModelChange['impact']): string {
  const count = (many: number, one: string) => (many === 0 ? [] : [`${many} ${one}${many === 1 ? '' : 's'}`])
  const read =
    columns.length > 0
      ? [
          `${count(columns.length, 'column')[0]!} of ${count(new Set(columns.map(({ node }) => node)).size, 'model')[0]!}`,
        ]
      : count(models.length, 'model')
  return [...read, ...count(tests.length, 'test'), ...count(exposures.length, 'exposure')].join(', ') || 'nothing'
}
