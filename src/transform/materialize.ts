// One model → one change in the change set; one test → one count.

import { Failure, type Place } from '../base/failure.ts'
import type { ChangeSet, Lake, QueryOptions } from '../lake/index.ts'
import { collect } from '../lake/index.ts'
import type { Answer, DatabaseAnswer, DatabaseRequest, DbtNode, DbtProject } from '../project/dbt/index.ts'
import { Compiler, type Compiled } from './compile.ts'

type Principal = QueryOptions['principal']

export type Work = {
  project: DbtProject
  lake: Pick<Lake, 'query' | 'bind'>
  /** Pending changes of this run: models write here, tests and questions read through it. */
  changes: ChangeSet
  principal: Principal
  signal?: AbortSignal | undefined
  timeoutMs?: number | undefined
  /** Milliseconds now; only for the times in results. */
  now?: () => number
}

export type NodeResult = {
  uniqueId: string
  kind: DbtNode['kind']
  name: string
  status: 'success' | 'pass' | 'warn' | 'fail' | 'error' | 'skipped'
  message: string
  /** The code of the failure, for `error`. */
  code: string | undefined
  hint: string | undefined
  place: Place | undefined
  executionMs: number
  /** Rows written, when a table was. */
  rows: number | undefined
  /** Failing rows of a test. */
  failures: number | undefined
  table: string | undefined
  compiledSql: string | undefined
}

const questionRowsMax = 100_000

/** Answers what templates ask while they compile, through the pending changes. */
export function asker(
  work: Omit<Work, 'changes'> & { changes?: ChangeSet | undefined },
): (request: DatabaseRequest) => Promise<DatabaseAnswer> {
  const options: QueryOptions = { ...queryOptions(work), rowsMax: questionRowsMax }
  return async (request) => {
    if (request.kind === 'query') return { kind: 'query', answer: await rowsOf(work.lake, request.sql, options) }
    const select = `select * from ${[request.database, request.schema, request.identifier].flatMap((part) => (part === null ? [] : [`"${part.replaceAll('"', '""')}"`])).join('.')}`
    try {
      if (request.kind === 'columns') return { kind: 'columns', columns: await work.lake.bind(select, options) }
      const { provenance, chunks } = await work.lake.query(`${select} limit 0`, options)
      for await (const _ of chunks);
      return {
        kind: 'relation',
        found: provenance.views.some((view) => view.endsWith(`.${request.identifier}`)) ? 'view' : 'table',
      }
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'TABLE_NOT_FOUND') throw error
      return request.kind === 'columns' ? { kind: 'columns', columns: [] } : { kind: 'relation', found: undefined }
    }
  }
}

function queryOptions({
  project,
  principal,
  changes,
  signal,
  timeoutMs,
}: Omit<Work, 'changes'> & { changes?: ChangeSet | undefined }): QueryOptions {
  return {
    principal,
    catalog: project.target.database,
    namespace: project.target.schema,
    door: 'run',
    cache: false,
    ...(changes && { changes }),
    ...(signal && { signal }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  }
}

async function rowsOf(lake: Work['lake'], sql: string, options: QueryOptions): Promise<Answer> {
  const result = await lake.query(sql, options)
  const { columns, rows } = await collect(result)
  if (result.truncated())
    throw new Failure('QUERY_TOO_LARGE', `a query of a template answers more than ${questionRowsMax} rows`)
  return { columns, rows }
}

/** Compiles and materialises one model. Failures become a result; a cancelled run is thrown. */
export async function runModel(node: DbtNode, work: Work): Promise<NodeResult> {
  return timed(node, work, async () => {
    const materialized = supported(node)
    const compiled = await new Compiler(work.project, asker(work)).compile(node)
    const target = { catalog: node.database, namespace: node.schema, name: node.alias }
    const comments = Object.fromEntries(
      node.columns.filter(({ description }) => description !== '').map(({ name, description }) => [name, description]),
    )
    const options = {
      ...(node.description !== '' && { comment: node.description }),
      ...(Object.keys(comments).length > 0 && { columnComments: comments }),
      namespace: work.project.target.schema,
      ...(work.signal && { signal: work.signal }),
      ...(work.timeoutMs !== undefined && { timeoutMs: work.timeoutMs }),
    }
    const sql = statementOf(compiled)
    const written = await inTemplate(compiled, () =>
      materialized === 'view'
        ? work.changes.createView(target, sql, options)
        : work.changes.replaceTable(target, sql, options),
    )
    const rows = written.kind === 'table' ? written.rowsWritten : undefined
    return {
      status: 'success' as const,
      message: rows === undefined ? 'view created' : `${rows} rows`,
      rows,
      failures: undefined,
      table: written.table,
      compiledSql: compiled.sql,
    }
  })
}

/** What runs: without a last semicolon, which dbt does not forbid. */
const statementOf = ({ sql }: Compiled): string => sql.replace(/[\s;]+$/, '')

function supported(node: DbtNode): 'table' | 'view' {
  const { materialized } = node.config
  for (const hook of ['pre-hook', 'post-hook']) {
    if (Array.isArray(node.config[hook]) && (node.config[hook] as unknown[]).length > 0) {
      throw new Failure('SQL_UNSUPPORTED', `model "${node.name}" has a ${hook}; hooks are not run yet`, {
        place: node.place,
        hint: 'Remove the hook, or put its work into a model.',
      })
    }
  }
  if (materialized === 'table' || materialized === 'view') return materialized
  const shown = typeof materialized === 'string' ? materialized : JSON.stringify(materialized)
  throw new Failure(
    'SQL_UNSUPPORTED',
    `model "${node.name}" is materialized as "${shown}", which cannot be built yet`,
    {
      place: node.place,
      hint: 'Supported are table, view and ephemeral; incremental models come with a later version. Until then use table.',
    },
  )
}

/** Runs one test: counts the rows that its SQL answers and judges them by its severity. */
export async function runTest(node: DbtNode, work: Work): Promise<NodeResult> {
  return timed(node, work, async () => {
    const compiled = await new Compiler(work.project, asker(work)).compile(node)
    const { config } = node
    const text = (key: string, fallback: string) => (typeof config[key] === 'string' ? config[key] : fallback)
    const failCalc = text('fail_calc', 'count(*)')
    const limit = typeof config['limit'] === 'number' ? `\nlimit ${config['limit']}` : ''
    // The test's own text starts on a line of its own, so that the lines of an error can be led back.
    const before = `select\n  ${failCalc} as failures,\n  ${failCalc} ${text('warn_if', '!= 0')} as should_warn,\n  ${failCalc} ${text('error_if', '!= 0')} as should_error\nfrom (\n`
    const sql = `${before}${statementOf(compiled)}${limit}\n) dbt_internal_test`
    const { rows } = await inTemplate(
      compiled,
      () => rowsOf(work.lake, sql, queryOptions(work)),
      before.split('\n').length - 1,
    )
    const [count, shouldWarn, shouldError] = rows[0] ?? [0, false, false]
    const failures = Number(count ?? 0)
    const severity = text('severity', 'ERROR').toLowerCase()
    const status =
      severity === 'error' && isTrue(shouldError)
        ? ('fail' as const)
        : isTrue(shouldWarn)
          ? ('warn' as const)
          : ('pass' as const)
    return {
      status,
      failures,
      message: status === 'pass' ? 'passed' : `${failures} failing ${failures === 1 ? 'row' : 'rows'}`,
      rows: undefined,
      table: undefined,
      compiledSql: compiled.sql,
    }
  })
}

const isTrue = (value: unknown): boolean => value === true || value === 1 || value === 'true'

/** A failure inside compiled SQL is shown where the template says it. */
async function inTemplate<Value>(compiled: Compiled, work: () => Promise<Value>, linesBefore = 0): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const inSql =
      error.place?.line === undefined || error.place.file !== undefined
        ? undefined
        : { ...error.place, line: error.place.line - linesBefore }
    throw new Failure(error.code, error.message, {
      ...error.context,
      hint: error.hint,
      cause: error.cause,
      place: compiled.place(inSql),
      compiledPlace: inSql,
      compiledSql: compiled.sql,
    })
  }
}

type Outcome = Pick<NodeResult, 'status' | 'message' | 'rows' | 'failures' | 'table' | 'compiledSql'>

async function timed(node: DbtNode, work: Work, run: () => Promise<Outcome>): Promise<NodeResult> {
  const now = work.now ?? Date.now
  const startedAt = now()
  const base = { uniqueId: node.uniqueId, kind: node.kind, name: node.name }
  try {
    work.signal?.throwIfAborted()
    const outcome = await run()
    const place = outcome.status === 'success' || outcome.status === 'pass' ? undefined : node.place
    return { ...base, ...outcome, code: undefined, hint: undefined, place, executionMs: now() - startedAt }
  } catch (error) {
    if (!(error instanceof Failure) || work.signal?.aborted) throw error
    const { compiledSql } = error.context
    return {
      ...base,
      status: 'error',
      message: error.message,
      code: error.code,
      hint: error.hint,
      place: error.place ?? node.place,
      executionMs: now() - startedAt,
      rows: undefined,
      failures: undefined,
      table: undefined,
      compiledSql: typeof compiledSql === 'string' ? compiledSql : undefined,
    }
  }
}

/** A node that was not tried, and why. */
export const skipped = (node: DbtNode, because: string): NodeResult => ({
  uniqueId: node.uniqueId,
  kind: node.kind,
  name: node.name,
  status: 'skipped',
  message: because,
  code: undefined,
  hint: undefined,
  place: undefined,
  executionMs: 0,
  rows: undefined,
  failures: undefined,
  table: undefined,
  compiledSql: undefined,
})
