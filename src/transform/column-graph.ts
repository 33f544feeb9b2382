// Lineage of a whole project by columns: what every column of every model is made of, and what would notice if it were
// gone: columns of other models, tests, exposures.

import { Failure } from '../base/failure.ts'
import { didYouMean } from '../base/suggest.ts'
import { isTable, type DbtProject } from '../project/dbt/index.ts'
import type { Checked } from './check.ts'
import { tableKey } from './check-ask.ts'
import { columnLineage, type ColumnLineage, type RowUse } from './columns.ts'
import type { How } from './columns-scope.ts'

/** A column of a node or source, or of a table that the project does not know (`table:dev_analytics.raw.sales`). */
export type ColumnId = { node: string; column: string }

export type NodeLineage = {
  /** Unique id. */
  node: string
  kind: string
  columns: { name: string; type: string; from: (ColumnId & { how: How })[]; written: string }[]
  /** Columns that decide its rows. */
  rows: (ColumnId & { use: RowUse })[]
  /** Changes when what decides the rows is written otherwise; `written` of a column likewise. */
  rowsWritten: string
  /** Columns that it names and makes nothing of. */
  named: ColumnId[]
  exact: boolean
}

export type ColumnGraph = ReadonlyMap<string, NodeLineage>

/** Of everything that was checked and bound. */
export async function columnGraph(project: DbtProject, { shapes }: Pick<Checked, 'shapes'>): Promise<ColumnGraph> {
  const ids = new Map<string, string>()
  for (const { uniqueId, database, schema, identifier } of project.sources.values())
    ids.set(tableKey(project, database, schema, identifier), uniqueId)
  for (const node of project.nodes.values())
    if (isTable(node)) ids.set(tableKey(project, node.database, node.schema, node.alias), node.uniqueId)
  const idOf = ({ table, column }: { table: string; column: string }): ColumnId => ({
    node: ids.get(table.toLowerCase()) ?? `table:${table}`,
    column,
  })
  const graph = new Map<string, NodeLineage>()
  for (const [id, { columns, outline }] of shapes) {
    const found: ColumnLineage = outline
      ? await columnLineage(outline)
      : { columns: [], rows: [], named: [], written: { columns: [], rows: '' }, exact: true }
    const made = new Map(
      found.columns.map(({ name, from }, at) => [name.toLowerCase(), { from, written: found.written.columns[at]! }]),
    )
    graph.set(id, {
      node: id,
      kind: project.nodes.get(id)!.kind,
      columns: columns.map(({ name, type }) => ({
        name,
        type,
        from: (made.get(name.toLowerCase())?.from ?? []).map((one) => ({ ...idOf(one), how: one.how })),
        written: made.get(name.toLowerCase())?.written ?? '',
      })),
      rowsWritten: found.written.rows,
      rows: found.rows.map((one) => ({ ...idOf(one), use: one.use })),
      named: found.named.map(idOf),
      exact: found.exact,
    })
  }
  return graph
}

export type Trace = {
  /** What it is made of, step by step, nearest first. */
  upstream: (ColumnId & { how: How; to: ColumnId })[]
  /** What is made of it. */
  downstream: (ColumnId & { how: How; from: ColumnId })[]
  /** Models whose rows it decides, tests that read it, exposures above which it stands. */
  rowsOf: (ColumnId & { use: RowUse; in: string })[]
  tests: string[]
  exposures: string[]
}

const keyOf = ({ node, column }: ColumnId): string => `${node}\u0000${column.toLowerCase()}`

/** Where columns of a node come from and where they go. Without `column`: all of them. */
export function traceColumns(
  project: DbtProject,
  graph: ColumnGraph,
  start: { node: string; columns: readonly string[] },
): Trace {
  const starts = start.columns.map((column) => ({ node: start.node, column }))
  const upstream: Trace['upstream'] = []
  walk(starts, (to) => {
    const column = graph.get(to.node)?.columns.find(({ name }) => name.toLowerCase() === to.column.toLowerCase())
    return (column?.from ?? []).map((one) => {
      upstream.push({ ...one, to })
      return one
    })
  })
  const readers = readersOf(graph)
  const downstream: Trace['downstream'] = []
  const rowsOf: Trace['rowsOf'] = []
  const reached = new Set<string>([start.node])
  const tests = new Set<string>()
  walk(starts, (from) => {
    const next: ColumnId[] = []
    for (const read of readers.get(keyOf(from)) ?? []) {
      const isTest = project.nodes.get(read.in)?.kind === 'test'
      if (isTest) tests.add(read.in)
      else if (read.column !== undefined) {
        const found = { node: read.in, column: read.column }
        downstream.push({ ...found, how: read.how, from })
        reached.add(read.in)
        next.push(found)
      } else if (read.use) {
        rowsOf.push({ ...from, use: read.use, in: read.in })
        reached.add(read.in)
      }
    }
    return next
  })
  const exposures = [...project.exposures.values()].flatMap(({ uniqueId, dependsOn }) =>
    dependsOn.some((id) => reached.has(id)) ? [uniqueId] : [],
  )
  return { upstream, downstream, rowsOf, tests: [...tests].sort(), exposures }
}

type Read = { in: string } & ({ column: string; how: How; use?: never } | { column?: never; use: RowUse | undefined })

const readersOfGraph = new WeakMap<ColumnGraph, Map<string, Read[]>>()

/** By column: who reads it and for what. */
function readersOf(graph: ColumnGraph): Map<string, Read[]> {
  const known = readersOfGraph.get(graph)
  if (known) return known
  const readers = new Map<string, Read[]>()
  const add = (column: ColumnId, read: Read) => {
    const key = keyOf(column)
    const list = readers.get(key)
    if (list) list.push(read)
    else readers.set(key, [read])
  }
  for (const { node, columns, rows, named } of graph.values()) {
    for (const { name, from } of columns) for (const one of from) add(one, { in: node, column: name, how: one.how })
    for (const one of rows) add(one, { in: node, use: one.use })
    for (const one of named) add(one, { in: node, use: undefined })
  }
  readersOfGraph.set(graph, readers)
  return readers
}

function walk(starts: readonly ColumnId[], next: (column: ColumnId) => readonly ColumnId[]): void {
  const seen = new Set(starts.map(keyOf))
  for (let frontier = starts; frontier.length > 0;) {
    frontier = frontier.flatMap(next).filter((column) => {
      const key = keyOf(column)
      if (seen.has(key)) return false
      seen.add(key)
      return true
    })
  }
}

/** `orders`, `orders.amount`, `source:raw.sales.amount`: a node or source of the project, and a column of it. */
export function columnsNamed(
  project: DbtProject,
  graph: ColumnGraph,
  text: string,
): { node: string; columns: string[] } {
  const nodes = [...project.nodes.values()].filter(isTable)
  const named = new Map([
    ...Array.from(project.sources.values(), (one) => [`${one.source}.${one.name}`, one.uniqueId] as const),
    ...nodes.map(({ name, uniqueId }) => [name, uniqueId] as const),
  ])
  const wanted = text.replace(/^source:/, '')
  const name = [wanted, wanted.slice(0, Math.max(0, wanted.lastIndexOf('.')))].find((one) => named.has(one))
  if (name === undefined)
    throw new Failure(
      'NOT_FOUND',
      `the project has no model or source "${wanted}"${didYouMean(wanted, named.keys(), 0)}`,
      {
        hint: '`boathouse ls` lists models and sources. A column is named after its model: orders.amount.',
      },
    )
  const node = named.get(name)!
  const columns = columnsOfNode(graph, node)
  if (name === wanted) return { node, columns }
  const column = wanted.slice(name.length + 1)
  const found = columns.find((one) => one.toLowerCase() === column.toLowerCase())
  if (found === undefined)
    throw new Failure('NOT_FOUND', `${name} has no column "${column}"${didYouMean(column, columns)}`)
  return { node, columns: [found] }
}

/** Of a source those that somebody reads: more is not known of it here. */
function columnsOfNode(graph: ColumnGraph, node: string): string[] {
  const own = graph.get(node)
  if (own) return own.columns.map(({ name }) => name)
  const read = new Set<string>()
  for (const { columns, rows, named } of graph.values())
    for (const one of [...columns.flatMap(({ from }) => from), ...rows, ...named])
      if (one.node === node) read.add(one.column)
  return [...read]
}
