// A compiled dashboard and what a reader chose → the rows of its panels.
//
// All panels are asked at once. Panels that ask for the same groups of the same rows (the KPIs of a page, their
// sparklines and a line by day) are asked in one statement, each then gets its columns; when that statement fails, each
// is asked alone, so that only the one at fault fails.

import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { asFailure, Failure, type Place } from '../base/failure.ts'
import { didYouMean, suggest } from '../base/suggest.ts'
import type {
  Column,
  DashboardData,
  DateRange,
  DimensionValues,
  FilterValues,
  PanelData,
  PanelRows,
} from '../contract/index.ts'
import { collect, type Lake, type QueryOptions } from '../lake/index.ts'
import {
  compile,
  compileBounds,
  compileRows,
  compileValues,
  previousName,
  type Compiled,
  type QuestionInput,
} from '../semantic/index.ts'
import type { Ask, CompiledDashboard } from './compile.ts'
import { choose, conditionSql, under, type Chosen } from './filters.ts'
import { panelFailure, toFailureBody } from './problem.ts'
import { fillFilters } from './sql-panel.ts'

/** Statements of one page that run at the same time, so that one page does not fill the engine. */
const concurrencyMax = 6

export type LoadOptions = {
  dashboard: CompiledDashboard
  filters: FilterValues
  /** Ids; all panels when absent. */
  panels?: readonly string[] | undefined
  lake: Pick<Lake, 'query'>
  principal: QueryOptions['principal']
  catalog: string
  asOf?: string | undefined
  requestId: string
  clock: Clock
  log: Log
  signal?: AbortSignal | undefined
}

/**
 * A panel that fails has its failure in the answer. @throws REQUEST_INVALID for filters and panels that are not there,
 * and whatever ended the whole request
 */
export async function loadDashboardData(options: LoadOptions): Promise<DashboardData> {
  const { dashboard, filters, asOf, requestId, log, signal } = options
  const chosen = choose([...dashboard.filters.values()], filters)
  const asks = wantedAsks(dashboard, options.panels)
  const query = openQuery(options)
  const asked = asks.map((ask) => ({ ask, ...requestsOf(ask, chosen, dashboard) }))
  const [answers, bounds] = await Promise.all([
    answerAll(
      asked.flatMap(({ main, sparkline }) => [main, ...(sparkline ? [sparkline] : [])]),
      query,
      dashboard,
    ),
    loadBounds(dashboard, query),
  ])
  signal?.throwIfAborted()
  const panels = asked.map(({ ask, main, sparkline }): [string, PanelData] => {
    const answer = answers.get(main)!
    const line = sparkline ? answers.get(sparkline)! : null
    if (!(answer instanceof Failure) && !(line instanceof Failure))
      return [ask.panel.id, panelRows(ask, main, answer, line)]
    const failure = asPanelFailure(answer instanceof Failure ? answer : (line as Failure), ask, main, dashboard)
    if (failure.code === 'INTERNAL')
      log.error('panel failed unexpectedly', {
        request_id: requestId,
        dashboard: dashboard.definition.name,
        panel: ask.panel.id,
        error: failure.message,
        stack: (failure.cause as Error | undefined)?.stack,
      })
    return [ask.panel.id, { failure: toFailureBody(failure, requestId) }]
  })
  const tables = distinctTables(panels.flatMap(([, data]) => ('failure' in data ? [] : data.provenance.tables)))
  const times = tables.flatMap(({ committedAt }) => (committedAt === null ? [] : [committedAt])).sort()
  return {
    revision: dashboard.definition.revision,
    freshness: { committedAt: times.at(-1) ?? null, asOf: asOf ?? null, tables },
    panels: Object.fromEntries(panels),
    ...(Object.keys(bounds).length > 0 && { bounds }),
  }
}

export type ValuesOptions = Omit<LoadOptions, 'filters' | 'panels' | 'requestId' | 'log'> & {
  filter: string
  search?: string | undefined
  limit: number
}

/** What a select filter may choose from. @throws NOT_FOUND when the dashboard has no such filter */
export async function loadFilterValues(options: ValuesOptions): Promise<DimensionValues> {
  const { dashboard, filter: id, search, limit } = options
  const open = dashboard.filters.get(id)
  if (open?.filter.kind !== 'select') {
    const ids = [...dashboard.filters.values()].flatMap(({ filter }) => (filter.kind === 'select' ? [filter.id] : []))
    throw new Failure(
      'NOT_FOUND',
      `the dashboard "${dashboard.definition.name}" has no select filter "${id}"${didYouMean(id, ids)}`,
      { suggestions: suggest(id, ids) },
    )
  }
  const { sql } = compileValues(
    { dimension: open.dimension.name, model: open.model, search, limit: limit + 1 },
    dashboard.models,
  )
  const { rows } = await openQuery(options)(sql, limit + 1)
  return {
    values: rows.slice(0, limit).map(([value, count]) => ({ value: String(value), rows: Number(count) })),
    complete: rows.length <= limit,
  }
}

function wantedAsks({ asks, definition }: CompiledDashboard, ids: readonly string[] | undefined): Ask[] {
  if (!ids) return [...asks.values()]
  const known = definition.layout.flatMap(({ cells }) => cells.map(({ panel }) => panel))
  for (const id of ids)
    if (!known.includes(id))
      throw new Failure(
        'REQUEST_INVALID',
        `the dashboard "${definition.name}" has no panel "${id}"${didYouMean(id, known)}`,
        { suggestions: suggest(id, known) },
      )
  return [...new Set(ids)].flatMap((id) => asks.get(id) ?? [])
}

/** One thing to ask: its own SQL, and if it may be asked together with others, the question. */
type Request = {
  sql: string
  columns: string[]
  rowsMax: number
  comparison: Compiled['comparison']
  question: QuestionInput | null
  inSql: (place: Place) => Place | null
}

function requestsOf(
  ask: Ask,
  chosen: Chosen,
  dashboard: CompiledDashboard,
): { main: Request; sparkline: Request | null } {
  const { models, file } = dashboard
  if (ask.kind === 'sql') {
    const filled = fillFilters(ask.sql, (id, column) => conditionSql(dashboard.filters.get(id)!, chosen, column))
    const inSql = (place: Place): Place | null => {
      const origin = filled.origin(place)
      return origin && file.within([...ask.path, 'sql'], origin)
    }
    return {
      main: { sql: filled.sql, columns: ask.columns, rowsMax: ask.rowsMax, comparison: null, question: null, inSql },
      sparkline: null,
    }
  }
  const request = (
    { sql, columns, comparison }: Compiled,
    question: QuestionInput | null,
    rowsMax: number,
  ): Request => ({
    sql,
    comparison,
    question,
    rowsMax,
    columns: columns.map(({ name }) => name),
    inSql: () => null,
  })
  if (ask.kind === 'rows')
    return {
      main: request(compileRows(under(ask.question, ask.filters, chosen, ask.time), models), null, ask.rowsMax),
      sparkline: null,
    }
  const question = under(ask.question, ask.filters, chosen, ask.time)
  const main = request(compile(question, models), ask.cut ? null : question, ask.rowsMax)
  if (!ask.sparkline) return { main, sparkline: null }
  const { compare: _, ...plain } = question
  const line = { ...plain, by: [`${ask.time}:${ask.sparkline}`] }
  return { main, sparkline: request(compile(line, models), line, sparklinePointsMax) }
}

const sparklinePointsMax = 5_000

type Answer = Pick<PanelRows, 'provenance' | 'cached' | 'ms'> & {
  columns: Column[]
  rows: unknown[][]
  truncated: boolean
}
type Query = (sql: string, rowsMax: number) => Promise<Answer>

function openQuery({
  lake,
  principal,
  catalog,
  asOf,
  clock,
  signal,
}: Pick<LoadOptions, 'lake' | 'principal' | 'catalog' | 'asOf' | 'clock' | 'signal'>): Query {
  const gate = openGate(concurrencyMax)
  return (sql, rowsMax) =>
    gate(async () => {
      const started = clock.now()
      const options: QueryOptions = {
        principal,
        catalog,
        door: 'dashboard',
        cache: true,
        rowsMax,
        ...(asOf !== undefined && { asOf }),
        ...(signal && { signal }),
      }
      const result = await lake.query(sql, options)
      const { columns, rows } = await collect(result)
      return {
        columns,
        rows,
        truncated: result.truncated(),
        provenance: result.provenance,
        cached: result.cached,
        ms: Math.max(0, clock.now() - started),
      }
    })
}

async function answerAll(
  requests: readonly Request[],
  query: Query,
  { models }: CompiledDashboard,
): Promise<Map<Request, Answer | Failure>> {
  const answers = new Map<Request, Answer | Failure>()
  const alone = async (request: Request): Promise<void> => {
    // One row more than is shown tells whether there are more.
    answers.set(
      request,
      await query(request.sql, request.rowsMax + 1).then((answer) => pick(answer, request), asFailure),
    )
  }
  const together = async (group: Request[]): Promise<void> => {
    if (group.length === 1) return alone(group[0]!)
    try {
      const { sql } = compile(merged(group.map(({ question }) => question!)), models)
      const answer = await query(sql, Math.max(...group.map(({ rowsMax }) => rowsMax)) + 1)
      for (const request of group) answers.set(request, pick(answer, request))
    } catch (error) {
      const failure = asFailure(error)
      if (failure.help.status === 422) await Promise.all(group.map(alone))
      else for (const request of group) answers.set(request, failure)
    }
  }
  await Promise.all([...Map.groupBy(requests, mergeKey).values()].map(together))
  return answers
}

/** Requests of one key have the same rows and groups, and differ only in their metrics. */
function mergeKey(request: Request): unknown {
  if (!request.question) return request
  const { model, by, where, time } = request.question
  return JSON.stringify([model, by, where, time])
}

function merged(questions: QuestionInput[]): QuestionInput {
  const compared = questions.some(({ compare }) => compare !== undefined)
  const metrics = [...new Set(questions.flatMap((question) => question.metrics ?? []))]
  return { ...questions[0]!, metrics, ...(compared && { compare: 'previous_period' }) }
}

/** The columns and as many rows as were asked for. */
function pick(answer: Answer, { columns, rowsMax }: Request): Answer | Failure {
  const at = columns.map((name) => answer.columns.findIndex((column) => column.name === name))
  const missing = columns[at.indexOf(-1)]
  if (missing !== undefined) {
    const names = answer.columns.map(({ name }) => name)
    return new Failure('SQL_INVALID', `the result has no column "${missing}"${didYouMean(missing, names)}`, {
      name: missing,
      suggestions: suggest(missing, names),
    })
  }
  return {
    ...answer,
    columns: at.map((index) => answer.columns[index]!),
    rows: answer.rows.slice(0, rowsMax).map((row) => at.map((index) => row[index])),
    truncated: answer.truncated || answer.rows.length > rowsMax,
  }
}

function panelRows(ask: Ask, request: Request, answer: Answer, line: Answer | null): PanelRows {
  const { columns, rows, truncated, provenance, cached, ms } = answer
  const shared = { sql: request.sql, provenance, cached, ms }
  if (ask.panel.kind !== 'kpi') return { ...shared, columns, rows, truncated, comparison: null, sparkline: null }
  const { value } = ask.panel
  const [now, before] = [value.column, previousName(value.column)].map((name) =>
    columns.findIndex((column) => column.name === name),
  ) as [number, number]
  const row = rows[0]
  return {
    ...shared,
    columns: [columns[now]!],
    rows: row ? [[row[now]]] : [],
    truncated: false,
    comparison:
      request.comparison && before !== -1 ? { value: row?.[before] ?? null, ...request.comparison.previous } : null,
    sparkline:
      line && ask.kind === 'metrics' && ask.sparkline
        ? {
            grain: ask.sparkline,
            points: line.rows.filter(([at]) => at !== null).map(([at, point]) => [String(at), point]),
          }
        : null,
  }
}

function asPanelFailure(failure: Failure, ask: Ask, request: Request, { file }: CompiledDashboard): Failure {
  return panelFailure(failure, file, ask.path, request.inSql)
}

/** The days that have data, for the pickers; a filter whose table is not there yet has none. */
async function loadBounds({ filters, models }: CompiledDashboard, query: Query): Promise<Record<string, DateRange>> {
  const found = await Promise.all(
    [...filters.values()].map(async ({ filter, dimension, model }): Promise<[string, DateRange][]> => {
      if (filter.kind !== 'date_range') return []
      try {
        const { rows } = await query(compileBounds({ dimension: dimension.name, model }, models).sql, 1)
        const [first, last] = rows[0] ?? []
        return [
          [filter.id, { from: typeof first === 'string' ? first : null, to: typeof last === 'string' ? last : null }],
        ]
      } catch (error) {
        if (asFailure(error).code === 'INTERNAL') throw error
        return []
      }
    }),
  )
  return Object.fromEntries(found.flat())
}

const distinctTables = <Table extends { table: string }>(tables: Table[]): Table[] => [
  ...new Map(tables.map((table) => [table.table, table])).values(),
]

/** At most `max` of the given tasks run at once; the others wait in their order. */
function openGate(max: number): <Value>(task: () => Promise<Value>) => Promise<Value> {
  let running = 0
  const waiting: (() => void)[] = []
  return async (task) => {
    if (running >= max) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
