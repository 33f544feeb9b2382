// What the steps of a run share: what they work with, what comes of them, and how a failure finds its place in a template.

import { asFailure, Failure, type Place } from '../base/failure.ts'
import type { ChangeSet, Lake, QueryOptions } from '../lake/index.ts'
import { collect } from '../lake/index.ts'
import type { Answer, DbtNode, DbtProject } from '../project/dbt/index.ts'
import type { Compiled } from './compile.ts'

type Principal = QueryOptions['principal']

export type Work = {
  project: DbtProject
  lake: Pick<Lake, 'query' | 'bind' | 'relations'>
  /** Pending changes of this run: models write here, tests and questions read through it. */
  changes: ChangeSet
  principal: Principal
  signal?: AbortSignal | undefined
  timeoutMs?: number | undefined
  /** Of microbatch models that are tried again, by unique id: only what failed is done. */
  batches?: Readonly<Record<string, BatchResults>> | undefined
  /** Up to when they go where the command does not say it, in milliseconds since 1970: the start of the run that is tried again. */
  batchesUntil?: number | undefined
  onBatch?: ((node: DbtNode, batch: BatchProgress) => void) | undefined
  /** Milliseconds now; only for the times in results. */
  now?: () => number
}

/** One batch of a microbatch model begins, or has ended: `2026-01-31`, `2026-01-31T13`. */
export type BatchProgress = {
  name: string
  /** From 1. */
  index: number
  total: number
  status: 'started' | 'success' | 'error' | 'skipped'
  /** Since it was begun. */
  ms: number
  /** As it was compiled; undefined before that. */
  sql: string | undefined
}

/** Start and end of batches, as run_results.json has them: `2026-01-01T00:00:00+00:00`. */
export type BatchResults = { successful: [string, string][]; failed: [string, string][] }

/** dbt's words, as `run_results.json` has them. `no-op`: nothing had to be done, for a reason that `message` gives. */
export type NodeStatus =
  | 'success'
  | 'pass'
  | 'warn'
  | 'fail'
  | 'error'
  | 'skipped'
  | 'partial success'
  | 'no-op'
  | 'runtime error'

/** A stretch of a node's work; times in milliseconds since 1970. */
export type Timing = { name: 'compile' | 'execute'; startedAt: number; completedAt: number }

export type NodeResult = {
  uniqueId: string
  kind: DbtNode['kind'] | 'unit_test' | 'operation' | 'source' | 'exposure' | 'saved_query'
  name: string
  status: NodeStatus
  message: string
  /** The code of the failure, for `error`. */
  code: string | undefined
  hint: string | undefined
  place: Place | undefined
  executionMs: number
  timing: Timing[]
  /** The worker of the loop that did it, from 1. */
  thread: number
  /** What dbt's adapter would answer: `{ _message: 'OK' }`; batches of a microbatch model. */
  adapterResponse: Record<string, unknown>
  /** Rows written, when a table was. */
  rows: number | undefined
  /** Failing rows of a test. */
  failures: number | undefined
  table: string | undefined
  compiledSql: string | undefined
}

/** Rows that the answer to a template's question may have. */
export const questionRowsMax = 100_000

/** How a run asks the lake: through its pending changes. */
export function queryOptions({
  project,
  principal,
  changes,
  signal,
  timeoutMs,
}: Omit<Work, 'changes'> & { changes?: ChangeSet | undefined }): QueryOptions {
  return {
    principal,
    catalog: project.target.catalog,
    aliases: { [project.target.database.toLowerCase()]: project.target.catalog },
    namespace: project.target.schema,
    door: 'run',
    cache: false,
    ...(changes && { changes }),
    ...(signal && { signal }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  }
}

/** All rows of a query of ours. */
export async function rowsOf(lake: Pick<Lake, 'query'>, sql: string, options: QueryOptions): Promise<Answer> {
  const result = await lake.query(sql, options)
  const { columns, rows } = await collect(result)
  if (result.truncated())
    throw new Failure('QUERY_TOO_LARGE', `a query of a template answers more than ${questionRowsMax} rows`)
  return { columns, rows }
}

/** What runs: without a last semicolon, which dbt does not forbid. */
export const statementOf = ({ sql }: Compiled): string => sql.replace(/[\s;]+$/, '')

/** A failure inside compiled SQL is shown where the template says it. */
export async function inTemplate<Value>(
  compiled: Compiled,
  work: () => Promise<Value>,
  linesBefore = 0,
): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const inSql =
      error.place?.line === undefined || error.place.file !== undefined
        ? undefined
        : { ...error.place, line: error.place.line - linesBefore }
    throw error.with({ place: compiled.place(inSql), compiledPlace: inSql, compiledSql: compiled.sql })
  }
}

/** What a step says of its work; `timed` adds the rest. */
export type Outcome = Pick<NodeResult, 'status' | 'message' | 'rows' | 'failures' | 'table' | 'compiledSql'> &
  Partial<Pick<NodeResult, 'adapterResponse' | 'code' | 'hint' | 'place'>>

/** Of what went well and has nothing further to say. */
export const done: Outcome = {
  status: 'success',
  message: 'OK',
  adapterResponse: { _message: 'OK' },
  rows: undefined,
  failures: undefined,
  table: undefined,
  compiledSql: undefined,
}

/** Which node it is, for results. */
type Named = Pick<NodeResult, 'uniqueId' | 'kind' | 'name'> & { place: Place | undefined }

/** Marks the end of compiling, so that its time is told apart, and what came out, which a failure tells, too. */
export type Clocked = { compiled(sql?: string): void }

/** Does a node's work. A failure is its result; only a cancelled run is thrown. */
export async function timed(
  node: Named,
  work: Pick<Work, 'now' | 'signal'>,
  run: (clocked: Clocked) => Promise<Outcome>,
): Promise<NodeResult> {
  const now = work.now ?? Date.now
  const startedAt = now()
  let compiledAt: number | undefined
  let compiledSql: string | undefined
  const ended = () => {
    const completedAt = now()
    const timing: Timing[] =
      compiledAt === undefined
        ? [{ name: 'compile', startedAt, completedAt }]
        : [
            { name: 'compile', startedAt, completedAt: compiledAt },
            { name: 'execute', startedAt: compiledAt, completedAt },
          ]
    return { timing, executionMs: completedAt - startedAt }
  }
  try {
    work.signal?.throwIfAborted()
    const outcome = await run({
      compiled: (sql) => {
        compiledAt = now()
        compiledSql = sql
      },
    })
    const isFine = outcome.status === 'success' || outcome.status === 'pass' || outcome.status === 'no-op'
    return { ...nothingYet(node), place: isFine ? undefined : node.place, ...outcome, ...ended() }
  } catch (error) {
    if (work.signal?.aborted) throw error
    // A mistake of ours in one node (INTERNAL) is that node's error: the others go on.
    const failure = asFailure(error)
    const { compiledSql: inFailure, ephemeral, batchResults } = failure.context
    const isOwn = typeof ephemeral !== 'string'
    return {
      ...nothingYet(node),
      // As in dbt, where the ephemeral model is the one that fails.
      status: isOwn ? 'error' : 'skipped',
      message: isOwn
        ? failure.message
        : `Compilation Error in ${node.uniqueId}, caused by compilation error in referenced ephemeral model ${ephemeral}\n${failure.message}`,
      code: failure.code,
      hint: failure.hint,
      // A text inside of YAML has no file of its own.
      place: failure.place?.file === undefined ? node.place : failure.place,
      ...ended(),
      ...(batchResults !== undefined && { adapterResponse: { batch_results: batchResults } }),
      compiledSql: typeof inFailure === 'string' ? inFailure : compiledSql,
    }
  }
}

/** A node that was not tried, and why. */
export const skipped = (node: Named, because: string): NodeResult => ({ ...nothingYet(node), message: because })

const nothingYet = ({ uniqueId, kind, name }: Named): NodeResult => ({
  uniqueId,
  kind,
  name,
  status: 'skipped',
  message: '',
  code: undefined,
  hint: undefined,
  place: undefined,
  executionMs: 0,
  timing: [],
  thread: 1,
  adapterResponse: {},
  rows: undefined,
  failures: undefined,
  table: undefined,
  compiledSql: undefined,
})
