// When schedules fire. An instant fires once, however many workers look: the row of the instant is inserted in the
// same transaction as the run, and its key is unique. Instants that passed while nobody looked fire once, together:
// the latest one. A schedule that is seen for the first time does not fire for the past.

import { Cron } from 'croner'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Records } from '../records/index.ts'
import { type Clean } from './journal.ts'
import { toProblem } from './problem.ts'
import type { Store } from './store.ts'
import type { RunRequest } from './types.ts'

export type Schedule = {
  name: string
  /** Five fields, or six with seconds. */
  cron: string
  /** IANA name. */
  timezone: string
  environment: string
  select?: string | readonly string[] | null
  enabled?: boolean
}

export type Schedules = {
  /** Asked at every look, so that a changed file counts at once. */
  list(): readonly Schedule[]
  /** The run that a schedule starts. What it throws becomes a failed run that says why. */
  request(schedule: Schedule): Promise<Omit<RunRequest, 'trigger'>>
}

/** The latest instant at or before `now`, ISO-8601; undefined when there is none. */
export function latestFire({ cron, timezone }: Schedule, now: number): string | undefined {
  // croner looks before the reference, which therefore stands just after now.
  return new Cron(cron, { timezone, paused: true }).previousRuns(1, new Date(now + 1))[0]?.toISOString()
}

/** The first instant after `now`, ISO-8601; undefined when there is none. */
export function nextFire({ cron, timezone }: Schedule, now: number): string | undefined {
  return new Cron(cron, { timezone, paused: true }).nextRun(new Date(now))?.toISOString()
}

export type ScheduleState = {
  name: string
  environment: string
  lastFiredAt: string | null
  nextFireAt: string | null
  paused: boolean
}

type Options = { records: Records; store: Store; clock: Clock; log: Log; clean: Clean }

/** Fires what is due. Returns the ids of the runs that this call queued. */
export async function fireDue(schedules: Schedules, options: Options): Promise<string[]> {
  const fired: string[] = []
  for (const schedule of schedules.list()) {
    if (schedule.enabled === false) continue
    const runId = await fireOne(schedule, schedules, options)
    if (runId) fired.push(runId)
  }
  return fired
}

async function fireOne(schedule: Schedule, schedules: Schedules, options: Options): Promise<string | undefined> {
  const { records, clock, log } = options
  const { name, environment } = schedule
  const now = clock.now()
  const due = latestFire(schedule, now)
  const state = await records.catalog
    .selectFrom('schedules_state')
    .selectAll()
    .where('name', '=', name)
    .where('environment', '=', environment)
    .executeTakeFirst()
  const next = nextFire(schedule, now) ?? null
  if (!state) {
    const row = {
      name,
      environment,
      last_fired_at: new Date(now).toISOString(),
      next_fire_at: next,
      paused: 0 as const,
    }
    await records.catalog
      .insertInto('schedules_state')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .execute()
    return undefined
  }
  if (!due || due <= (state.last_fired_at ?? '')) {
    if (state.next_fire_at !== next) await note(options, schedule, { next_fire_at: next })
    return undefined
  }
  if (state.paused || (await isQueued(records, schedule))) {
    log.info('schedule skipped', {
      schedule: name,
      at: due,
      why: state.paused ? 'paused' : 'its previous run is still queued',
    })
    await note(options, schedule, { last_fired_at: due, next_fire_at: next })
    return undefined
  }
  return fire(schedule, due, next, schedules, options)
}

async function fire(
  schedule: Schedule,
  due: string,
  next: string | null,
  schedules: Schedules,
  options: Options,
): Promise<string | undefined> {
  const { records, store, clock, log, clean } = options
  const { name, environment } = schedule
  const trigger = { kind: 'schedule' as const, schedule: name }
  // Planning may take a while and may be done by two workers; only one of them gets to insert what it planned.
  const planned = await schedules.request(schedule).then(
    (request) => ({ request: { ...request, trigger } }),
    (error: unknown) => ({
      request: {
        environment,
        catalog: '',
        kind: 'run',
        trigger,
        plan: { steps: [] },
        selection: [schedule.select ?? []].flat().join(' ') || null,
      },
      failure: toProblem(error, clean.text),
    }),
  )
  const runId = await records.transaction(async (trx) => {
    const id = await store.insert(planned.request, {
      trx,
      ...('failure' in planned ? { failure: planned.failure } : {}),
    })
    const { numInsertedOrUpdatedRows: inserted } = await trx
      .insertInto('schedule_fires')
      .values({ name, environment, fire_at: due, run_id: id, fired_at: new Date(clock.now()).toISOString() })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst()
    if (inserted !== 1n) {
      await trx.deleteFrom('runs').where('id', '=', id).execute()
      return undefined
    }
    await trx
      .updateTable('schedules_state')
      .set({ last_fired_at: due, next_fire_at: next })
      .where('name', '=', name)
      .where('environment', '=', environment)
      .execute()
    return id
  })
  if (runId) log.info('schedule fired', { schedule: name, environment, at: due, run_id: runId })
  return runId
}

/** A schedule shorter than its run must not pile up runs. */
async function isQueued({ catalog }: Records, { name, environment }: Schedule): Promise<boolean> {
  const row = await catalog
    .selectFrom('runs')
    .select('id')
    .where('status', '=', 'queued')
    .where('schedule', '=', name)
    .where('environment', '=', environment)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

async function note(
  { records }: Options,
  { name, environment }: Schedule,
  change: { last_fired_at?: string; next_fire_at: string | null },
): Promise<void> {
  await records.catalog
    .updateTable('schedules_state')
    .set(change)
    .where('name', '=', name)
    .where('environment', '=', environment)
    .execute()
}

export async function listScheduleStates({ catalog }: Records): Promise<ScheduleState[]> {
  const rows = await catalog.selectFrom('schedules_state').selectAll().execute()
  return rows.map(({ name, environment, last_fired_at: lastFiredAt, next_fire_at: nextFireAt, paused }) => ({
    name,
    environment,
    lastFiredAt,
    nextFireAt,
    paused: paused === 1,
  }))
}
