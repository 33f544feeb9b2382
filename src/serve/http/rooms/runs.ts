// Runs, publications and schedules of `orchestrate` and `catalog`, in the words of the contract.

import { TestOutcome } from '../../../contract/index.ts'
import type * as contract from '../../../contract/index.ts'
import type { Orchestrator, Problem, Run, RunDetail, RunEvent } from '../../../orchestrate/index.ts'

export function runOf(run: Run): contract.Run {
  const { counts, trigger } = run
  return {
    id: run.id,
    environment: run.environment,
    trigger: { kind: trigger.kind, by: trigger.by, schedule: trigger.schedule, runId: trigger.runId },
    select: run.selection,
    status: run.status,
    createdAt: run.createdAt,
    startedAt: run.startedAt,
    endedAt: run.finishedAt,
    counts: {
      total: counts.total,
      succeeded: counts.succeeded,
      failed: counts.failed,
      skipped: counts.skipped + counts.cancelled,
      running: counts.running,
    },
    failure: run.failure && problemOf(run.failure),
    publicationId: run.publicationId,
  }
}

const tailLines = 20

/** `places`: where in the project the asset of a step is defined. */
export function stepsOf(
  run: RunDetail,
  lines: readonly RunEvent[],
  places: ReadonlyMap<string, contract.Place>,
): contract.Step[] {
  const byStep = Map.groupBy(lines, ({ stepId }) => stepId)
  return run.steps.map((step) => {
    const place = places.get(step.asset ?? '')
    return {
      id: step.id,
      kind: step.kind,
      asset: step.asset,
      status: step.status === 'pending' ? 'waiting' : step.status,
      dependsOn: step.dependsOn,
      startedAt: step.startedAt,
      endedAt: step.finishedAt,
      attempts: step.attempts.map(({ number, workerId, status, startedAt, finishedAt, failure }) => ({
        number,
        worker: workerId,
        startedAt,
        endedAt: finishedAt,
        status,
        failure: failure && problemOf(failure),
      })),
      result: resultOf(step.output),
      failure: step.failure && problemOf(step.failure),
      ...(place ? { place } : {}),
      logTail: (byStep.get(step.id) ?? []).slice(-tailLines).map(lineOf),
    }
  })
}

/** What a step function resolved to, as far as it speaks of rows, files and tests. */
export function resultOf(output: unknown): contract.Step['result'] {
  if (typeof output !== 'object' || output === null) return null
  const given = output as Record<string, unknown>
  const count = (...names: string[]) => {
    const value = names.map((name) => given[name]).find((one) => one !== undefined && one !== null)
    const number = Array.isArray(value) ? value.length : Number(value)
    return value !== undefined && Number.isInteger(number) && number >= 0 ? number : null
  }
  const { snapshotId, tests } = given
  const outcomes = (Array.isArray(tests) ? tests : []).flatMap((one) => TestOutcome.safeParse(one).data ?? [])
  const result = {
    rowsWritten: count('rowsWritten', 'rows'),
    filesWritten: count('filesWritten', 'files'),
    bytesWritten: count('bytesWritten', 'bytes'),
    snapshotId: typeof snapshotId === 'string' && /^-?\d+$/.test(snapshotId) ? snapshotId : null,
    tests: outcomes,
  }
  const says =
    outcomes.length > 0 ||
    [result.rowsWritten, result.filesWritten, result.bytesWritten, result.snapshotId].some((one) => one !== null)
  return says ? result : null
}

export const lineOf = ({ seq, at, level, stepId, event, fields }: RunEvent): contract.LogLine => ({
  seq,
  at,
  level,
  stepId,
  event,
  fields,
})

export function problemOf({ code, message, place, hint }: Problem): contract.Problem {
  const { file, line, column } = place ?? {}
  const known = { ...(file ? { file } : {}), ...(line ? { line } : {}), ...(column ? { column } : {}) }
  return { code, message, hint, ...(Object.keys(known).length > 0 ? { place: known } : {}) }
}

/** The last lines of a run, oldest first: enough for the tail of each step. */
export async function readTail(orchestrator: Pick<Orchestrator, 'logs'>, id: string): Promise<RunEvent[]> {
  const [portion, keptMax] = [2_000, 10_000]
  let kept: RunEvent[] = []
  for (let after = 0; ;) {
    const { lines } = await orchestrator.logs(id, { after, limit: portion })
    kept = [...kept, ...lines].slice(-keptMax)
    if (lines.length < portion) return kept
    after = lines.at(-1)!.seq
  }
}

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

/** `0 6 * * *` is `every day at 06:00`. What is rarer is told as the expression itself. */
export function cronInWords(cron: string): string {
  const fields = cron.trim().split(/\s+/)
  const as_is = `by ${cron}`
  if (fields.length !== 5) return as_is
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = fields
  const everyDay = dayOfMonth === '*' && month === '*' && dayOfWeek === '*'
  const isNumber = (text: string) => /^\d{1,2}$/.test(text)
  const step = /^\*\/(\d{1,2})$/
  if (everyDay && hour === '*') {
    if (minute === '*') return 'every minute'
    const minutes = step.exec(minute)?.[1]
    if (minutes !== undefined) return minutes === '1' ? 'every minute' : `every ${minutes} minutes`
    if (isNumber(minute)) return minute === '0' ? 'every hour' : `every hour at minute ${minute}`
  }
  const hours = step.exec(hour)?.[1]
  if (everyDay && hours !== undefined && isNumber(minute))
    return `every ${hours} hours${minute === '0' ? '' : ` at minute ${minute}`}`
  if (!isNumber(minute) || !/^\d{1,2}(,\d{1,2})*$/.test(hour)) return as_is
  const times = hour.split(',').map((one) => `${one.padStart(2, '0')}:${minute.padStart(2, '0')}`)
  const at = `at ${times.length === 1 ? times[0] : `${times.slice(0, -1).join(', ')} and ${times.at(-1)}`}`
  if (everyDay) return `every day ${at}`
  if (dayOfMonth === '*' && month === '*') {
    if (dayOfWeek === '1-5') return `every weekday ${at}`
    const named = dayOfWeek.split(',').map((one) => (/^[0-7]$/.test(one) ? days[Number(one) % 7]! : undefined))
    if (named.every((one) => one !== undefined)) return `every ${named.join(', ')} ${at}`
  }
  if (isNumber(dayOfMonth) && month === '*' && dayOfWeek === '*') return `on day ${dayOfMonth} of every month ${at}`
  return as_is
}
