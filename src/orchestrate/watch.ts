// Follows the log of runs: of one run for a person who reads it, of all for those who show what is going on.
// News come by wake-ups and, at the latest, by the next poll.

import type { Selectable } from 'kysely'
import type { Records, RunLogsRow } from '../records/index.ts'
import type { Bus } from './bus.ts'
import type { RunEvent } from './types.ts'

const [pollMs, pollMsWithRedis, linesMax] = [1_000, 5_000, 1_000]

/** Lines that a slower transaction may still put before those already seen (PostgreSQL gives numbers before it commits). */
const lateMax = 200

/** Lines with a greater `seq` than `after`, oldest first. */
export async function readLines(
  records: Records,
  { runId, after = 0, limit = linesMax }: { runId?: string; after?: number; limit?: number },
): Promise<RunEvent[]> {
  const rows = await records.log
    .selectFrom('run_logs')
    .selectAll()
    .where('seq', '>', after)
    .$if(runId !== undefined, (query) => query.where('run_id', '=', runId!))
    .orderBy('seq')
    .limit(limit)
    .execute()
  return rows.map(eventOf)
}

/** Every line of every run from now on, until the signal is aborted. */
export async function* watch(records: Records, bus: Bus, signal: AbortSignal): AsyncGenerator<RunEvent> {
  let last =
    (
      await records.log
        .selectFrom('run_logs')
        .select(({ fn }) => fn.max('seq').as('seq'))
        .executeTakeFirst()
    )?.seq ?? 0
  const start = last
  let seen = new Set<number>()
  while (!signal.aborted) {
    const from = Math.max(start, last - lateMax)
    const lines = await readLines(records, { after: from, limit: linesMax + lateMax })
    for (const line of lines) {
      if (seen.has(line.seq)) continue
      seen.add(line.seq)
      last = Math.max(last, line.seq)
      yield line
      if (signal.aborted) return
    }
    seen = new Set([...seen].filter((seq) => seq > last - lateMax))
    if (lines.length < linesMax) await bus.wait('journal', bus.remote ? pollMsWithRedis : pollMs, signal)
  }
}

const eventOf = ({
  seq,
  run_id: runId,
  step_id: stepId,
  at,
  level,
  event,
  fields_json: fieldsJson,
}: Selectable<RunLogsRow>): RunEvent => ({
  seq,
  runId,
  stepId,
  at,
  level,
  event,
  fields: JSON.parse(fieldsJson) as RunEvent['fields'],
})
