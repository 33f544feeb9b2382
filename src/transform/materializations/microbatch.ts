// A microbatch model: one stretch of time after the other, each compiled and materialised as if it were a run of its own.
//
// Which stretches those are is dbt's rule: from `begin` when the table is made, else from `lookback` batches before now, or
// as the command says (`--event-time-start`, `--event-time-end`). Bounds are UTC.

import { Failure } from '../../base/failure.ts'
import { Dict } from '../../jinja/index.ts'
import { nodeDict, PyDate, utc, type DbtMacro, type DbtNode } from '../../project/dbt/index.ts'
import { subjectOf, type Compiled, type Compiler, type Names } from '../compile.ts'
import type { BatchProgress, BatchResults, NodeResult, Outcome, Work } from '../work.ts'
import type { Stretch } from './narrowed.ts'
import { runMaterialization } from './jinja.ts'
import { isFullRefresh, lakeName } from './target.ts'
import { sampleOf } from '../sample.ts'
import { ceiling, moved, shown, sizes, timeOf, truncated, type Size } from './times.ts'

export type Batch = Stretch & { id: string }

/** The batches of a model, first to last. @throws MODEL_INVALID for a config without `batch_size`, `begin` or `event_time` */
export function batchesOf(node: DbtNode, work: Work, exists: boolean): Batch[] {
  const { config } = node
  const invalid = (message: string) => new Failure('MODEL_INVALID', message, { place: node.place })
  const size = config['batch_size'] as Size
  if (!sizes.includes(size))
    throw invalid(
      `Microbatch model '${node.name}' does not have a 'batch_size' config (one of hour, day, month, year) specified.`,
    )
  const { others = {} } = work.project.options.flags
  const sample = sampleOf(work.project.options)
  const bound = (which: 'start' | 'end') => timeOf(sample ? sample[which] : others[`event_time_${which}`])
  const end = ceiling(bound('end') ?? work.batchesUntil ?? work.project.options.startedAt, size)
  const isNew = !exists || isFullRefresh(node, work.project)
  const begin = timeOf(config['begin'])
  if (begin === undefined && isNew) throw invalid(`Microbatch model '${node.name}' requires a 'begin' configuration.`)
  const lookback = Number(config['lookback'] ?? 1)
  const given = bound('start')
  const start =
    given !== undefined ? truncated(given, size) : isNew ? truncated(begin!, size) : moved(end, size, -(lookback + 1))
  const batches: Batch[] = []
  for (let from = start; from < end || batches.length === 0;) {
    const to = moved(from, size, 1)
    batches.push({ id: idOf(from, size), start: shown(from), end: shown(Math.min(to, Math.max(end, from))) })
    from = to
  }
  return batches
}

const idLength: Record<Size, number> = { year: 4, month: 7, day: 10, hour: 13 }
const nameOf = ({ start }: Batch, { config }: DbtNode): string =>
  start.slice(0, idLength[config['batch_size'] as Size]).replace(' ', 'T')
const idOf = (ms: number, size: Size): string => new Date(ms).toISOString().slice(0, idLength[size]).replaceAll('-', '')

/**
 * Runs the batches one after the other. The first must succeed for the others to be tried; of those, the ones that fail are
 * told and the rest stays. The outcome is `error` when all failed and `partial success` when some did.
 */
export async function runBatches(
  node: DbtNode,
  macro: DbtMacro,
  { work, compiler }: { work: Work; compiler: Compiler },
): Promise<Outcome> {
  const target = lakeName(work.project, node)
  const exists = (await work.changes.load(target))?.kind === 'table'
  const previous = work.batches?.[node.uniqueId]
  const batches = previous ? batchesAgain(node, previous) : batchesOf(node, work, exists)
  const failures: { batch: Batch; failure: Failure }[] = []
  const done: Batch[] = []
  let compiledSql: string | undefined
  const now = work.now ?? Date.now
  for (const [at, batch] of batches.entries()) {
    const before = await work.changes.pending()
    const began = now()
    const tell = (status: BatchProgress['status'], which = at) =>
      work.onBatch?.(node, {
        name: nameOf(batches[which]!, node),
        index: which + 1,
        total: batches.length,
        status,
        ms: now() - began,
        sql,
      })
    let sql: string | undefined
    tell('started')
    try {
      const isFirst = !previous && done.length === 0
      const { node: inBatch, ...made } = await compileBatch(node, batch, {
        compiler,
        isFirst,
        hooks: hooksOf(at, batches.length),
      })
      sql = made.compiled.sql
      await runMaterialization(inBatch, macro, { compiler, ...made })
      compiledSql = sql
      done.push(batch)
      tell('success')
    } catch (error) {
      if (!(error instanceof Failure) || work.signal?.aborted) throw error
      await work.changes.putBack([target], before)
      tell('error')
      if (!previous && done.length === 0) {
        for (let rest = at + 1; rest < batches.length; rest++) tell('skipped', rest)
        // Those that were not tried are among those that failed, as in dbt.
        throw error.with({ batchResults: { successful: [], failed: batches.map(bounds) } satisfies BatchResults })
      }
      failures.push({ batch, failure: error })
    }
  }
  const results: BatchResults = {
    successful: [...done.map(bounds), ...(previous?.successful ?? [])],
    failed: failures.map(({ batch }) => bounds(batch)),
  }
  const status: NodeResult['status'] =
    failures.length === 0 ? 'success' : done.length === 0 ? 'error' : 'partial success'
  return {
    status,
    message: failures.length === 0 ? 'SUCCESS' : `${status.toUpperCase()} (${done.length}/${batches.length})`,
    adapterResponse: { _message: 'SUCCESS', batch_results: results },
    ...(failures[0] && {
      code: failures[0].failure.code,
      hint: failures[0].failure.message,
      place: failures[0].failure.place ?? node.place,
    }),
    rows: undefined,
    failures: 0,
    table: Object.values(target).join('.'),
    compiledSql,
  }
}

const bounds = ({ start, end }: Batch): [string, string] => [start.replace(' ', 'T'), end.replace(' ', 'T')]

/** Those that failed the last time: the table is there, so each of them is added to it. */
const batchesAgain = ({ config }: DbtNode, { failed }: BatchResults): Batch[] =>
  failed.flatMap(([from, to]) => {
    const [start, end] = [timeOf(from), timeOf(to)]
    if (start === undefined || end === undefined) return []
    return [{ id: idOf(start, config['batch_size'] as Size), start: shown(start), end: shown(end) }]
  })

/** The hooks before a model run before its first batch, those after it after its last one. */
const hooksOf = (at: number, total: number): Names => ({
  ...(at > 0 && { pre_hooks: [] }),
  ...(at < total - 1 && { post_hooks: [] }),
})

async function compileBatch(
  whole: DbtNode,
  batch: Batch,
  { compiler, isFirst, hooks }: { compiler: Compiler; isFirst: boolean; hooks: Names },
): Promise<{ node: DbtNode; compiled: Compiled; batch: Dict; names: Names }> {
  const [start, end] = [batch.start, batch.end].map((text) => PyDate.at(timeOf(text)!, utc))
  const dict = Dict.of({ id: batch.id, event_time_start: start, event_time_end: end })
  // Strategies of projects and packages read these from the config, where dbt has them, too.
  const bounds = { __dbt_internal_microbatch_event_time_start: start, __dbt_internal_microbatch_event_time_end: end }
  const node = { ...whole, config: { ...whole.config, ...bounds } }
  const model = () => {
    const described = new Dict(nodeDict(node).entries())
    described.set('batch', dict)
    return described
  }
  const subject = { ...subjectOf(node), model, stretch: batch }
  // Once the first batch has made the table, the next ones add to it, whatever the command says.
  const names = { ...hooks, ...(!isFirst && { is_incremental: () => true, should_full_refresh: () => false }) }
  return { node, compiled: await compiler.compile(node, names, subject), batch: dict, names }
}
