// The log of runs, kept in the records: what people read, and what those who watch runs live follow. Lines are
// written in small batches, in order; `flush` returns when all written so far is durable.

import type { Clock } from '../base/clock.ts'
import type { Log, LogFields } from '../base/log.ts'
import type { Records, RunLogsRow } from '../records/index.ts'
import type { Bus } from './bus.ts'
import type { RunEvent } from './types.ts'

type Level = RunEvent['level']
type Line = Omit<RunLogsRow, 'seq'>

export type Journal = {
  write(runId: string, stepId: string | null, level: Level, event: string, fields?: LogFields): void
  /** A log for a step: each line goes into the log of the run and into that of the process. */
  logFor(runId: string, stepId: string | null, log: Log): Log
  flush(): Promise<void>
}

export type Clean = { text: (text: string) => string; fields: (fields: LogFields) => LogFields }

const [batchMs, linesMax, linesHeldMax] = [200, 200, 20_000]

type Options = { records: Records; bus: Bus; clock: Clock; log: Log; clean: Clean }

export function openJournal({ records, bus, clock, log, clean }: Options): Journal {
  let held: Line[] = []
  let timer: NodeJS.Timeout | undefined
  let inserting: Promise<void> = Promise.resolve()

  const insert = async (): Promise<void> => {
    while (held.length > 0) {
      const batch = held.slice(0, linesMax)
      try {
        await records.log.insertInto('run_logs').values(batch).execute()
      } catch (error) {
        // A log that cannot be written must not fail the work it tells of; the lines wait for the next batch.
        log.warn('run log not written', { error, lines: held.length })
        if (held.length > linesHeldMax) held = held.slice(-linesHeldMax)
        return
      }
      held = held.slice(batch.length)
      bus.wake('journal')
    }
  }

  const flush = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    inserting = inserting.then(insert)
    return inserting
  }

  const write: Journal['write'] = (runId, stepId, level, event, fields = {}) => {
    const at = new Date(clock.now()).toISOString()
    const fieldsJson = JSON.stringify(clean.fields(fields))
    held.push({ run_id: runId, step_id: stepId, at, level, event: clean.text(event), fields_json: fieldsJson })
    timer ??= setTimeout(() => void flush(), batchMs)
  }

  const tee = (runId: string, stepId: string | null, inner: Log, context: LogFields): Log => {
    const both = (level: Level) => (event: string, fields?: LogFields) => {
      inner[level](event, fields)
      write(runId, stepId, level, event, { ...context, ...fields })
    }
    return {
      debug: both('debug'),
      info: both('info'),
      warn: both('warn'),
      error: both('error'),
      child: (fields) => tee(runId, stepId, inner.child(fields), { ...context, ...fields }),
    }
  }

  return { write, logFor: (runId, stepId, inner) => tee(runId, stepId, inner, {}), flush }
}
