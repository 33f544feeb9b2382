// What a SELECT would do: which files of which tables, then DuckDB's own plan; as JSON in the words of PostgreSQL's plans, which
// SQL clients draw.

import { showBytes } from '../base/units.ts'
import { showName } from '../catalog/index.ts'
import type { Column } from '../contract/index.ts'
import { totalBytes } from '../iceberg/index.ts'
import type { CommandContext } from './commands.ts'
import type { Prepared } from './prepare.ts'
import { zoneOf } from './policy/zones.ts'

/** `analyze`: the statement is run. `lines`: text is told line by line, as clients of PostgreSQL print it. */
export type Explaining = { analyze: boolean; json: boolean; lines?: boolean }
export type Explained = { columns: Column[]; rows: unknown[][] }

export async function explain(
  prepared: Prepared,
  how: Explaining,
  { engine, signal, timeoutMs }: Pick<CommandContext, 'engine' | 'signal' | 'timeoutMs'>,
): Promise<Explained> {
  const { analyze, json } = how
  const { sql, scans, lease } = await prepared.execute()
  const { memory } = prepared.rights.limits
  const plan = (options: string) =>
    engine.rows({
      class: 'interactive',
      sql: `EXPLAIN ${options}${sql}`,
      timeoutMs,
      ...zoneOf(prepared),
      ...(memory ? { memoryMost: memory.most } : {}),
      ...(signal ? { signal } : {}),
    })
  try {
    const read = scans.map(({ table, files }) => ({
      Table: showName(table.name),
      Files: files.length,
      Rows: files.reduce((sum, { recordCount }) => sum + recordCount, 0),
      Bytes: totalBytes(files),
    }))
    if (json) {
      const analyzed = analyze ? planOf(await plan('(ANALYZE, FORMAT json) ')) : undefined
      return asJson({ ...(analyzed ?? planOf(await plan('(FORMAT json) '))), Files: read })
    }
    const files = read.map(({ Table, Files, Rows, Bytes }) => [
      'files',
      `${Table}: ${Files} files, ${Rows} rows, ${showBytes(Bytes)} after pruning`,
    ])
    const rows = await plan(analyze ? 'ANALYZE ' : '')
    return asText([...files, ...rows.map(([key, value]) => [key, withoutPaths(String(value))])], how)
  } finally {
    lease.release()
  }
}

const column = (name: string, type = 'VARCHAR'): Column => ({ name, type, nullable: true })

export const explainedColumns = ({ json, lines }: Pick<Explaining, 'json' | 'lines'>): Column[] => {
  if (json) return [column('QUERY PLAN', 'JSON')]
  return lines ? [column('QUERY PLAN')] : [column('explain_key'), column('explain_value')]
}

const asText = (rows: unknown[][], { lines }: Explaining): Explained => ({
  columns: explainedColumns({ json: false, lines: lines === true }),
  rows: lines ? rows.flatMap(([, text]) => String(text).trimEnd().split('\n')).map((line) => [line]) : rows,
})

const asJson = (plan: object): Explained => ({
  columns: explainedColumns({ json: true }),
  rows: [[JSON.stringify([plan], null, 2)]],
})

/** The plan of a change, or the words for one that reads nothing. */
export const explainedAs = (plan: string, how: Explaining): Explained =>
  how.json ? asJson({ Plan: { 'Node Type': plan } }) : asText([['physical_plan', plan]], how)

type PlanNode = { extra_info: Record<string, unknown>; children?: PlanNode[]; [key: string]: unknown }

/** Undefined where the engine could not tell: of some statements that it analysed it writes `{"result": "error"}`. */
function planOf([row]: unknown[][]): { Plan: object; 'Execution Time'?: number } | undefined {
  const told = JSON.parse(String(row![1])) as PlanNode | PlanNode[]
  if (Array.isArray(told)) return { Plan: nodeOf(told[0]!) }
  // What was analysed stands below the query and the word EXPLAIN.
  const below = told.children?.[0]
  return below && { Plan: nodeOf(below.children?.[0] ?? below), 'Execution Time': milliseconds(told.latency) }
}

const milliseconds = (seconds: unknown): number => Math.round(Number(seconds) * 1e6) / 1e3

function nodeOf(node: PlanNode): object {
  const { 'Estimated Cardinality': estimated, 'Filename(s)': _, ...more } = node.extra_info
  const wasRun = node.operator_name !== undefined
  return {
    'Node Type': String(node.name ?? node.operator_name).trim(),
    ...(estimated === undefined ? {} : { 'Plan Rows': Number(estimated) }),
    ...(wasRun ? { 'Actual Rows': node.operator_cardinality, 'Actual Loops': 1 } : {}),
    ...(wasRun ? { 'Actual Total Time': milliseconds(node.operator_timing) } : {}),
    ...(JSON.parse(withoutDataFiles(JSON.stringify(more))) as object),
    ...(node.children?.length ? { Plans: node.children.map(nodeOf) } : {}),
  }
}

const withoutDataFiles = (text: string): string => text.replace(/\/[^\s'"│]*\.(?:parquet|puffin|avro)/g, 'a data file')

/**
 * Where files lie is nobody's business: the boxes of the plan lose their list of file names, cell by cell as boxes stand side
 * by side, and an analysed plan the text that ran.
 */
function withoutPaths(plan: string): string {
  const lines = plan.split('\n')
  const time = lines.findIndex((line) => line.includes('Total Time:'))
  const listing = new Set<number>()
  const shown = lines
    .slice(Math.max(0, time - 2))
    .map((line) => {
      let offset = 0
      return line
        .split('│')
        .map((cell) => {
          const at = offset
          offset += cell.length + 1
          const text = cell.trim()
          if (text.startsWith('Filename(s):')) listing.add(at)
          else if (text === '') listing.delete(at)
          return listing.has(at) ? ' '.repeat(cell.length) : cell
        })
        .join('│')
    })
    .join('\n')
  return withoutDataFiles(shown)
}
