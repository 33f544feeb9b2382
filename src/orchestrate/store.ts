// Runs in the records. Every change of a run that a worker makes is conditional on the worker still having it:
// `worker_id` and `attempt` together are the fencing token, and a worker that was believed dead writes nothing more.
//
// A claim is one conditional update, so two workers cannot both win it; that one catalog has one writing run is a
// unique index, so two workers cannot both be right about two runs either.

import type { Clock } from '../base/clock.ts'
import { Failure } from '../base/failure.ts'
import { newId } from '../base/ids.ts'
import {
  type CatalogTransaction,
  isUniqueViolation,
  type Records,
  type RunsRow,
  type RunStepAttemptsRow,
  type RunStepsRow,
  type StepStatus,
  type WorkersRow,
} from '../records/index.ts'
import { dependenciesOf } from './graph.ts'
import { isAlive } from './process-id.ts'
import type { PartNews, PlannedStep, Problem, Run, RunDetail, RunPlan, RunRequest, Step, StepAttempt } from './types.ts'

/** The right to write a run. */
export type Lease = { runId: string; workerId: string; attempt: number }

/** `heartbeatMs` must be well below `leaseMs`: a lease ends when no heartbeat came for that long. */
export type Timing = { heartbeatMs: number; leaseMs: number; takeoversMax: number }

export type RunEnd = { status: 'succeeded' | 'failed' | 'cancelled'; failure: Problem | null }

const candidatesMax = 50
/** Rows of one statement: a statement has at most 32,766 values. */
const partsAtOnce = 500

export type Store = ReturnType<typeof openStore>

export function openStore({ records, clock, timing }: { records: Records; clock: Clock; timing: Timing }) {
  const { catalog: db, transaction } = records
  const now = () => new Date(clock.now()).toISOString()

  // ---- asking for runs

  /** Adds a queued run, inside `trx` when it must appear together with something else. */
  async function insert(
    request: RunRequest,
    options: { trx?: CatalogTransaction; failure?: Problem } = {},
  ): Promise<string> {
    const id = newId(clock.now())
    const rows = stepRows(id, request.plan)
    const add = async (trx: CatalogTransaction) => {
      await trx
        .insertInto('runs')
        .values(runRow(id, request, now(), options.failure))
        .execute()
      if (rows.length > 0) await trx.insertInto('run_steps').values(rows).execute()
    }
    await (options.trx ? add(options.trx) : transaction(add))
    return id
  }

  /** A queued run ends at once; a running one is asked to. False when it had ended before. */
  async function requestCancel(id: string): Promise<boolean> {
    return transaction(async (trx) => {
      const run = await trx.selectFrom('runs').select('status').where('id', '=', id).executeTakeFirst()
      if (!run) throw new Failure('NOT_FOUND', `there is no run ${id}`)
      if (run.status !== 'queued' && run.status !== 'running') return false
      const running = run.status === 'running'
      const change = running
        ? { cancel_requested: 1 as const }
        : { cancel_requested: 1 as const, status: 'cancelled' as const, finished_at: now() }
      await trx.updateTable('runs').set(change).where('id', '=', id).execute()
      if (!running)
        await trx
          .updateTable('run_steps')
          .set({ status: 'cancelled' })
          .where('run_id', '=', id)
          .where('status', '=', 'pending')
          .execute()
      return true
    })
  }

  // ---- taking runs

  /** The oldest queued run whose catalog nobody writes, now ours; undefined when there is none. */
  async function claim(workerId: string): Promise<Lease | undefined> {
    const candidates = await db
      .selectFrom('runs')
      .select(['id', 'catalog', 'writes', 'attempt'])
      .where('status', '=', 'queued')
      .orderBy('id')
      .limit(candidatesMax)
      .execute()
    if (candidates.length === 0) return undefined
    const busy = await db
      .selectFrom('runs')
      .select('catalog')
      .where('status', '=', 'running')
      .where('writes', '=', 1)
      .execute()
    const taken = new Set(busy.map(({ catalog }) => catalog))
    for (const { id, catalog, writes, attempt } of candidates) {
      if (writes === 1 && taken.has(catalog)) continue
      if (await claimOne({ runId: id, workerId, attempt: attempt + 1 }))
        return { runId: id, workerId, attempt: attempt + 1 }
      taken.add(catalog)
    }
    return undefined
  }

  async function claimOne({ runId, workerId, attempt }: Lease): Promise<boolean> {
    const at = now()
    try {
      const { numUpdatedRows } = await db
        .updateTable('runs')
        .set(({ fn, val }) => ({
          status: 'running',
          worker_id: workerId,
          attempt,
          heartbeat_at: at,
          started_at: fn.coalesce('started_at', val(at)),
        }))
        .where('id', '=', runId)
        .where('status', '=', 'queued')
        .where('attempt', '=', attempt - 1)
        .executeTakeFirst()
      return numUpdatedRows === 1n
    } catch (error) {
      if (isUniqueViolation(error)) return false
      throw error
    }
  }

  /**
   * Adds a run that is this worker's from the beginning; the id of the run that writes the catalog instead, while there
   * is one.
   */
  async function insertClaimed(request: RunRequest, workerId: string): Promise<Lease | { busyWith: string }> {
    const lease = { runId: newId(clock.now()), workerId, attempt: 1 }
    const rows = stepRows(lease.runId, request.plan)
    const at = now()
    try {
      await transaction(async (trx) => {
        await trx
          .insertInto('runs')
          .values({
            ...runRow(lease.runId, request, at, undefined),
            status: 'running',
            worker_id: workerId,
            attempt: 1,
            started_at: at,
            heartbeat_at: at,
          })
          .execute()
        await trx.insertInto('run_steps').values(rows).execute()
      })
      return lease
    } catch (error) {
      if (!isUniqueViolation(error)) throw error
      const other = await db
        .selectFrom('runs')
        .select('id')
        .where('status', '=', 'running')
        .where('writes', '=', 1)
        .where('catalog', '=', request.catalog)
        .executeTakeFirst()
      return { busyWith: other?.id ?? '' }
    }
  }

  /** A running run whose worker is dead or silent, now ours; undefined when there is none. */
  async function takeOver(
    workerId: string,
    only?: string,
  ): Promise<{ lease: Lease; from: string; takeovers: number } | undefined> {
    const running = await db
      .selectFrom('runs')
      .leftJoin('workers', 'workers.id', 'runs.worker_id')
      .select(['runs.id', 'runs.worker_id', 'runs.attempt', 'runs.takeovers', 'runs.heartbeat_at'])
      .select(['workers.host', 'workers.pid', 'workers.process_key'])
      .where('runs.status', '=', 'running')
      .$if(only !== undefined, (query) => query.where('runs.id', '=', only!))
      .execute()
    for (const {
      id,
      worker_id: from,
      attempt,
      takeovers,
      heartbeat_at: heartbeat,
      host,
      pid,
      process_key: key,
    } of running) {
      if (from === null || from === workerId) continue
      const silent = clock.now() - Date.parse(heartbeat ?? '') > timing.leaseMs
      const dead = host !== null && pid !== null && key !== null && isAlive({ host, pid, key }) === false
      if (!silent && !dead) continue
      const lease = { runId: id, workerId, attempt: attempt + 1 }
      if (await takeOne(lease, from, takeovers + 1)) return { lease, from, takeovers: takeovers + 1 }
    }
    return undefined
  }

  async function takeOne({ runId, workerId, attempt }: Lease, from: string, takeovers: number): Promise<boolean> {
    return transaction(async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable('runs')
        .set({ worker_id: workerId, attempt, takeovers, heartbeat_at: now() })
        .where('id', '=', runId)
        .where('status', '=', 'running')
        .where('worker_id', '=', from)
        .where('attempt', '=', attempt - 1)
        .executeTakeFirst()
      if (numUpdatedRows !== 1n) return false
      await reopenSteps(trx, runId)
      return true
    })
  }

  /** Steps that were in the middle go back to the start; finished ones stay finished. */
  async function reopenSteps(trx: CatalogTransaction, runId: string): Promise<void> {
    await trx
      .updateTable('run_steps')
      .set({ status: 'pending' })
      .where('run_id', '=', runId)
      .where('status', '=', 'running')
      .execute()
    await trx
      .updateTable('run_step_attempts')
      .set({ status: 'lost', finished_at: now() })
      .where('run_id', '=', runId)
      .where('status', '=', 'running')
      .execute()
  }

  // ---- while a run is ours

  /** @throws Failure RUN_CONFLICT when the run is not ours any more */
  async function hold(
    trx: Pick<CatalogTransaction, 'updateTable'>,
    { runId, workerId, attempt }: Lease,
  ): Promise<void> {
    const { numUpdatedRows } = await trx
      .updateTable('runs')
      .set({ heartbeat_at: now() })
      .where('id', '=', runId)
      .where('status', '=', 'running')
      .where('worker_id', '=', workerId)
      .where('attempt', '=', attempt)
      .executeTakeFirst()
    if (numUpdatedRows !== 1n) throw new Failure('RUN_CONFLICT', `another worker has taken the run ${runId}`)
  }

  /** Renews the lease. @throws Failure RUN_CONFLICT when it is lost */
  async function heartbeat(lease: Lease): Promise<{ cancelRequested: boolean }> {
    await hold(db, lease)
    const row = await db
      .selectFrom('runs')
      .select('cancel_requested')
      .where('id', '=', lease.runId)
      .executeTakeFirstOrThrow()
    return { cancelRequested: row.cancel_requested === 1 }
  }

  /** The number of this attempt. */
  async function startStep(lease: Lease, stepId: string): Promise<number> {
    return transaction(async (trx) => {
      await hold(trx, lease)
      const at = now()
      const { attempt } = await trx
        .updateTable('run_steps')
        .set(({ fn, val, eb }) => ({
          status: 'running',
          attempt: eb('attempt', '+', 1),
          started_at: fn.coalesce('started_at', val(at)),
          failure_json: null,
        }))
        .where('run_id', '=', lease.runId)
        .where('id', '=', stepId)
        .returning('attempt')
        .executeTakeFirstOrThrow()
      const row = {
        run_id: lease.runId,
        step_id: stepId,
        number: attempt,
        worker_id: lease.workerId,
        status: 'running' as const,
        started_at: at,
      }
      await trx.insertInto('run_step_attempts').values(row).execute()
      return attempt
    })
  }

  type StepEnd = { status: 'succeeded' | 'failed' | 'cancelled'; output?: unknown; failure?: Problem; again?: boolean }

  /** The end of one attempt; with `again`, of the attempt but not of the step. */
  async function endStep(
    lease: Lease,
    stepId: string,
    { status, output, failure, again = false }: StepEnd,
  ): Promise<void> {
    const failureJson = failure ? JSON.stringify(failure) : null
    await transaction(async (trx) => {
      await hold(trx, lease)
      const at = now()
      await trx
        .updateTable('run_step_attempts')
        .set({ status, finished_at: at, failure_json: failureJson })
        .where('run_id', '=', lease.runId)
        .where('step_id', '=', stepId)
        .where('status', '=', 'running')
        .execute()
      const ended = {
        status,
        finished_at: at,
        failure_json: failureJson,
        output_json: output === undefined ? null : toJson(output),
      }
      await trx
        .updateTable('run_steps')
        .set(again ? { status: 'pending' } : ended)
        .where('run_id', '=', lease.runId)
        .where('id', '=', stepId)
        .execute()
      if (status === 'succeeded') await noteOutput(trx, lease.runId, output)
    })
  }

  // ---- parts of steps: what pages show and what the next attempt goes on from

  async function nameParts(
    lease: Lease,
    stepId: string,
    parts: readonly Pick<PlannedStep, 'id' | 'kind' | 'asset' | 'dependsOn'>[],
  ): Promise<void> {
    await transaction(async (trx) => {
      await hold(trx, lease)
      const { last } = await trx
        .selectFrom('run_steps')
        .select(({ fn }) => fn.max('position').as('last'))
        .where('run_id', '=', lease.runId)
        .executeTakeFirstOrThrow()
      const rows = parts.map(({ id, kind, asset = null, dependsOn = [] }, index): RunStepsRow => ({
        run_id: lease.runId,
        id,
        position: Number(last) + 1 + index,
        kind,
        asset,
        status: 'pending',
        attempt: 0,
        always: 0,
        depends_on_json: JSON.stringify(dependsOn),
        input_json: 'null',
        output_json: null,
        failure_json: null,
        started_at: null,
        finished_at: null,
        part_of: stepId,
      }))
      for (let at = 0; at < rows.length; at += partsAtOnce)
        await trx
          .insertInto('run_steps')
          .values(rows.slice(at, at + partsAtOnce))
          .onConflict((conflict) => conflict.columns(['run_id', 'id']).doNothing())
          .execute()
    })
  }

  /** Need not outlive the machine before the run's publication does: whatever is lost is done again. */
  async function tellParts(lease: Lease, stepId: string, news: readonly PartNews[]): Promise<void> {
    const at = now()
    await transaction(
      async (trx) => {
        for (const { id, status, output, failure } of news)
          await trx
            .updateTable('run_steps')
            .set(({ fn, val }) => ({
              status,
              ...(status === 'running' ? { started_at: at, attempt: lease.attempt } : {}),
              ...(status === 'succeeded' || status === 'failed'
                ? { started_at: fn.coalesce('started_at', val(at)) }
                : {}),
              ...(status === 'running' || status === 'pending' ? {} : { finished_at: at }),
              ...(output === undefined ? {} : { output_json: toJson(output) }),
              ...(failure === undefined ? {} : { failure_json: toJson(failure) }),
            }))
            .where('run_id', '=', lease.runId)
            .where('id', '=', id)
            .where('part_of', '=', stepId)
            .where(({ exists, selectFrom }) =>
              exists(
                selectFrom('runs')
                  .select('id')
                  .where('id', '=', lease.runId)
                  .where('worker_id', '=', lease.workerId)
                  .where('attempt', '=', lease.attempt),
              ),
            )
            .execute()
      },
      { flush: false },
    )
  }

  async function parts(runId: string, stepId: string): Promise<Step[]> {
    return (await steps(runId)).filter(({ partOf }) => partOf === stepId)
  }

  /** A run points to what its steps opened and published, so that it can be found from either side. */
  async function noteOutput(trx: CatalogTransaction, runId: string, output: unknown): Promise<void> {
    const { publicationId, changeSetId } = (output ?? {}) as { publicationId?: unknown; changeSetId?: unknown }
    const change = {
      ...(typeof publicationId === 'string' ? { publication_id: publicationId } : {}),
      ...(typeof changeSetId === 'string' ? { change_set_id: changeSetId } : {}),
    }
    if (Object.keys(change).length > 0) await trx.updateTable('runs').set(change).where('id', '=', runId).execute()
  }

  /** Ends steps that never started. */
  async function settle(lease: Lease, stepIds: readonly string[], status: 'skipped' | 'cancelled'): Promise<void> {
    if (stepIds.length === 0) return
    await transaction(async (trx) => {
      await hold(trx, lease)
      await trx
        .updateTable('run_steps')
        .set({ status, finished_at: now() })
        .where('run_id', '=', lease.runId)
        .where('id', 'in', stepIds)
        .where('status', '=', 'pending')
        .execute()
    })
  }

  async function endRun(lease: Lease, { status, failure }: RunEnd): Promise<void> {
    await transaction(async (trx) => {
      await hold(trx, lease)
      const change = { status, finished_at: now(), failure_json: failure ? JSON.stringify(failure) : null }
      await trx.updateTable('runs').set(change).where('id', '=', lease.runId).execute()
      // Nothing of an ended run may look alive, even when it ended by a bug.
      await reopenSteps(trx, lease.runId)
      await trx
        .updateTable('run_steps')
        .set({ status: 'cancelled' })
        .where('run_id', '=', lease.runId)
        .where('status', '=', 'pending')
        .execute()
    })
  }

  /** Gives the run back to the queue, for a worker that stops: whoever comes next goes on with it. */
  async function release(lease: Lease): Promise<void> {
    await transaction(async (trx) => {
      await hold(trx, lease)
      await trx
        .updateTable('runs')
        .set({ status: 'queued', worker_id: null, heartbeat_at: null })
        .where('id', '=', lease.runId)
        .execute()
      await reopenSteps(trx, lease.runId)
    })
  }

  // ---- workers

  async function registerWorker(row: Omit<WorkersRow, 'started_at' | 'heartbeat_at'>): Promise<void> {
    const at = now()
    await db
      .insertInto('workers')
      .values({ ...row, started_at: at, heartbeat_at: at })
      .execute()
  }

  /** Workers that are long silent are forgotten with the next heartbeat of another. */
  async function workerHeartbeat(id: string): Promise<void> {
    await db.updateTable('workers').set({ heartbeat_at: now() }).where('id', '=', id).execute()
    const forgotten = new Date(clock.now() - 10 * timing.leaseMs).toISOString()
    await db.deleteFrom('workers').where('heartbeat_at', '<', forgotten).execute()
  }

  const forgetWorker = (id: string) => db.deleteFrom('workers').where('id', '=', id).execute()

  async function listWorkers(): Promise<{ id: string; pid: number; startedAt: string; alive: boolean }[]> {
    const rows = await db.selectFrom('workers').selectAll().orderBy('started_at').execute()
    return rows.map(({ id, host, pid, process_key: key, started_at: startedAt, heartbeat_at: heartbeatAt }) => {
      const alive = isAlive({ host, pid, key }) ?? true
      return { id, pid, startedAt, alive: alive && clock.now() - Date.parse(heartbeatAt) <= 2 * timing.leaseMs }
    })
  }

  // ---- reading

  async function list({ environment, status, limit = 50, before }: ListOptions = {}): Promise<Run[]> {
    const rows = await db
      .selectFrom('runs')
      .selectAll()
      .$if(environment !== undefined, (query) => query.where('environment', '=', environment!))
      .$if(status !== undefined, (query) => query.where('status', 'in', status!))
      .$if(before !== undefined, (query) => query.where('id', '<', before!))
      .orderBy('id', 'desc')
      .limit(limit)
      .execute()
    if (rows.length === 0) return []
    const counted = await db
      .selectFrom('run_steps')
      .select(({ fn }) => ['run_id', 'status', fn.countAll<number>().as('n')])
      .where(
        'run_id',
        'in',
        rows.map(({ id }) => id),
      )
      .groupBy(['run_id', 'status'])
      .execute()
    return rows.map((row) =>
      runOf(
        row,
        counted.filter(({ run_id: id }) => id === row.id),
      ),
    )
  }

  /** @throws Failure NOT_FOUND */
  async function get(id: string): Promise<RunDetail> {
    const row = await db.selectFrom('runs').selectAll().where('id', '=', id).executeTakeFirst()
    if (!row) throw new Failure('NOT_FOUND', `there is no run ${id}`)
    const attempts = await db
      .selectFrom('run_step_attempts')
      .selectAll()
      .where('run_id', '=', id)
      .orderBy('number')
      .execute()
    const found = await steps(id)
    return {
      ...runOf(
        row,
        found.map(({ status }) => ({ status, n: 1 })),
      ),
      steps: found.map((step) => ({
        ...step,
        attempts: attempts.filter((one) => one.step_id === step.id).map(attemptOf),
      })),
    }
  }

  async function steps(runId: string): Promise<Step[]> {
    const rows = await db.selectFrom('run_steps').selectAll().where('run_id', '=', runId).orderBy('position').execute()
    const all = rows.map(stepOf)
    const parts = Map.groupBy(all, ({ partOf }) => partOf)
    return (parts.get(null) ?? []).flatMap((step) => [step, ...(parts.get(step.id) ?? [])])
  }

  /** @throws Failure NOT_FOUND */
  async function requestOf(id: string): Promise<RunRequest> {
    const row = await db.selectFrom('runs').selectAll().where('id', '=', id).executeTakeFirst()
    if (!row) throw new Failure('NOT_FOUND', `there is no run ${id}`)
    const { environment, catalog, kind, selection, writes, plan_json: planJson } = row
    return {
      environment,
      catalog,
      kind,
      selection,
      writes: writes === 1,
      plan: JSON.parse(planJson) as RunPlan,
      trigger: { kind: 'retry', runId: id },
    }
  }

  return {
    insert,
    insertClaimed,
    requestCancel,
    requestOf,
    list,
    get,
    steps,
    claim,
    takeOver,
    heartbeat,
    startStep,
    endStep,
    nameParts,
    tellParts,
    parts,
    settle,
    endRun,
    release,
    registerWorker,
    workerHeartbeat,
    forgetWorker,
    listWorkers,
  }
}

export type ListOptions = { environment?: string; status?: readonly Run['status'][]; limit?: number; before?: string }

const toJson = (value: unknown): string =>
  JSON.stringify(value ?? null, (_, item: unknown) => (typeof item === 'bigint' ? item.toString() : item))

function runRow(id: string, request: RunRequest, at: string, failure: Problem | undefined): RunsRow {
  const { environment, catalog, kind, selection = null, trigger, plan, writes = true } = request
  return {
    id,
    environment,
    catalog,
    kind,
    selection,
    status: failure ? 'failed' : 'queued',
    trigger: trigger.kind,
    requested_by: trigger.by ?? '',
    schedule: trigger.schedule ?? null,
    retry_of: trigger.runId ?? null,
    created_at: at,
    started_at: null,
    finished_at: failure ? at : null,
    heartbeat_at: null,
    worker_id: null,
    attempt: 0,
    takeovers: 0,
    cancel_requested: 0,
    writes: writes ? 1 : 0,
    plan_json: toJson(plan),
    failure_json: failure ? JSON.stringify(failure) : null,
    publication_id: null,
    change_set_id: null,
  }
}

function stepRows(runId: string, plan: RunPlan): RunStepsRow[] {
  const dependencies = dependenciesOf(plan)
  return plan.steps.map(({ id, kind, asset = null, input, always = false }, position) => ({
    run_id: runId,
    id,
    position,
    kind,
    asset,
    status: 'pending',
    attempt: 0,
    always: always ? 1 : 0,
    depends_on_json: JSON.stringify(dependencies.get(id)),
    input_json: toJson(input),
    output_json: null,
    failure_json: null,
    started_at: null,
    finished_at: null,
    part_of: null,
  }))
}

function runOf(row: RunsRow, counted: readonly { status: StepStatus; n: number }[]): Run {
  const counts = { total: 0, pending: 0, running: 0, succeeded: 0, failed: 0, skipped: 0, cancelled: 0 }
  for (const { status, n } of counted) {
    counts[status] += n
    counts.total += n
  }
  return {
    id: row.id,
    environment: row.environment,
    catalog: row.catalog,
    kind: row.kind,
    selection: row.selection,
    trigger: {
      kind: row.trigger as Run['trigger']['kind'],
      by: row.requested_by || null,
      schedule: row.schedule,
      runId: row.retry_of,
    },
    status: row.status,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    workerId: row.worker_id,
    attempt: row.attempt,
    cancelRequested: row.cancel_requested === 1,
    failure: fromJson(row.failure_json) as Problem | null,
    publicationId: row.publication_id,
    changeSetId: row.change_set_id,
    counts,
  }
}

const fromJson = (text: string | null): unknown => (text === null ? null : (JSON.parse(text) as unknown))

const stepOf = (row: RunStepsRow): Step => ({
  id: row.id,
  position: row.position,
  kind: row.kind,
  asset: row.asset,
  status: row.status,
  always: row.always === 1,
  dependsOn: fromJson(row.depends_on_json) as string[],
  input: fromJson(row.input_json),
  output: fromJson(row.output_json),
  failure: fromJson(row.failure_json) as Problem | null,
  startedAt: row.started_at,
  finishedAt: row.finished_at,
  attempt: row.attempt,
  partOf: row.part_of,
})

const attemptOf = (row: RunStepAttemptsRow): StepAttempt => ({
  number: row.number,
  workerId: row.worker_id,
  status: row.status,
  startedAt: row.started_at,
  finishedAt: row.finished_at,
  failure: fromJson(row.failure_json) as Problem | null,
})
