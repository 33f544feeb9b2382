// Durable runs: asked for here, executed by workers anywhere, followed live. All truth is in the records; this
// object may be opened in as many processes as there are.

import { type Clock, realClock } from '../base/clock.ts'
import { type Log, silentLog } from '../base/log.ts'
import { openCleaner } from '../config/index.ts'
import { newId } from '../base/ids.ts'
import type { Records } from '../records/index.ts'
import { openBus } from './bus.ts'
import type { Retry } from './execute.ts'
import { openJournal } from './journal.ts'
import { listScheduleStates, type ScheduleState } from './schedules.ts'
import { ownProcess } from './process-id.ts'
import { type Lease, type ListOptions, openStore, type Timing } from './store.ts'
import { executeRun } from './execute.ts'
import { openSemaphore } from '../base/semaphore.ts'
import type { Run, RunDetail, RunEvent, RunPlan, RunRequest, StepFunctions } from './types.ts'
import { readLines, watch } from './watch.ts'
import { startWorker, type Worker, type WorkerOptions } from './worker.ts'

export type Orchestrator = {
  /** @throws Failure GRAPH_CYCLE, REQUEST_INVALID for a plan that cannot be executed */
  enqueue(request: RunRequest): Promise<RunDetail>
  /**
   * A run that this process does itself, at once, or as soon as nobody else writes its catalog; runs whose process died
   * are taken to their end before. An aborted `signal` cancels it. @throws what `enqueue` throws
   */
  execute(
    request: RunRequest,
    options: {
      signal: AbortSignal
      /** What the steps of this run do. */
      functions: (runId: string) => StepFunctions
      onWait?: ((runId: string) => void) | undefined
    },
  ): Promise<RunDetail>
  /** Ends a queued run at once; asks a running one to end. @throws Failure NOT_FOUND */
  cancel(id: string): Promise<RunDetail>
  /** A new run of the same request, with `plan` in place of the old one when given. @throws Failure NOT_FOUND */
  retry(id: string, options?: { by?: string | null; plan?: RunPlan }): Promise<RunDetail>
  /** Newest first. */
  list(options?: ListOptions): Promise<Run[]>
  /** @throws Failure NOT_FOUND */
  get(id: string): Promise<RunDetail>
  /** Lines of a run after number `after`, oldest first. `ended`: no further line will come. */
  logs(
    id: string,
    options?: { after?: number; limit?: number },
  ): Promise<{ lines: RunEvent[]; next: number; ended: boolean }>
  /** The lines of a run from its beginning until it has ended. */
  follow(id: string, signal: AbortSignal): AsyncGenerator<RunEvent>
  /** Resolves when the run has ended. */
  ended(id: string, signal: AbortSignal): Promise<RunDetail>
  /** Every line of every run from now on, from whichever process. */
  events(signal: AbortSignal): AsyncGenerator<RunEvent>
  startWorker(options: WorkerOptions): Promise<Worker>
  workers(): Promise<{ id: string; pid: number; startedAt: string; alive: boolean }[]>
  scheduleStates(): Promise<ScheduleState[]>
  /** Really asks Redis; `off` when none is configured. */
  redis(): Promise<'off' | 'ok' | 'down'>
  close(): Promise<void>
}

export type OrchestratorOptions = {
  records: Records
  steps: StepFunctions
  clock?: Clock
  log?: Log
  redisUrl?: string | undefined
  /** Hidden wherever they appear in logs and failures of runs. */
  secrets?: readonly string[]
  timing?: Partial<Timing>
  retry?: Partial<Retry>
}

const timingDefault: Timing = { heartbeatMs: 2_000, leaseMs: 10_000, takeoversMax: 5 }
const retryDefault: Retry = { attemptsMax: 3, waitMsMin: 1_000, waitMsMax: 30_000 }
const graceMs = 10_000
const never = new AbortController().signal
const endedStatuses = ['succeeded', 'failed', 'cancelled']

export function openOrchestrator(options: OrchestratorOptions): Orchestrator {
  const { records, steps: functions, clock = realClock, log = silentLog, redisUrl, secrets = [] } = options
  const timing = { ...timingDefault, ...options.timing }
  const retry = { ...retryDefault, ...options.retry }
  const clean = openCleaner(secrets)
  const bus = openBus({ clock, log, redisUrl, channel: `boathouse:${records.storeId}` })
  const store = openStore({ records, clock, timing })
  const journal = openJournal({ records, bus, clock, log, clean })
  const parts = { records, store, bus, journal, functions, clock, log, clean, timing, retry }

  const enqueue: Orchestrator['enqueue'] = async (request) => {
    const id = await store.insert(request)
    journal.write(id, null, 'info', 'run queued', {
      by: request.trigger.by,
      kind: request.kind,
      selection: request.selection,
    })
    await journal.flush()
    bus.wake('queue')
    return store.get(id)
  }

  const execute: Orchestrator['execute'] = async (request, { signal, functions: own, onWait }) => {
    const { host, pid, key } = ownProcess()
    const workerId = `cli-${newId(clock.now())}`
    await store.registerWorker({ id: workerId, host, pid, process_key: key })
    const perform = (lease: Lease, steps: StepFunctions) =>
      executeRun(lease, { ...parts, functions: steps, slots: openSemaphore(1), graceMs, stopping: never })
    try {
      for (let told = ''; ;) {
        signal.throwIfAborted()
        const lease = await store.insertClaimed(request, workerId)
        if ('runId' in lease) {
          const cancelling = () => void cancel(lease.runId).catch(() => {})
          signal.addEventListener('abort', cancelling, { once: true })
          await perform(lease, own(lease.runId)).finally(() => signal.removeEventListener('abort', cancelling))
          return await store.get(lease.runId)
        }
        const left = await store.takeOver(workerId, lease.busyWith)
        if (left) {
          await perform(left.lease, functions)
          continue
        }
        if (told !== lease.busyWith) onWait?.(lease.busyWith)
        told = lease.busyWith
        await bus.wait('journal', 500, signal)
      }
    } finally {
      await store.forgetWorker(workerId)
    }
  }

  const cancel: Orchestrator['cancel'] = async (id) => {
    if (!(await store.requestCancel(id))) return store.get(id)
    journal.write(id, null, 'info', 'cancel requested')
    await journal.flush()
    // A run whose worker is dead, where no other worker lives, ends here: nobody else would.
    const orphan = await store.takeOver(`cancel-${id}`, id)
    if (orphan) {
      const idle = { functions: {}, slots: openSemaphore(1), graceMs: 0, stopping: new AbortController().signal }
      await executeRun(orphan.lease, { ...parts, ...idle })
    }
    bus.wake('queue')
    return store.get(id)
  }

  const logs: Orchestrator['logs'] = async (id, { after = 0, limit } = {}) => {
    // The status is read first: a run ends after its last line, so one that has ended has all of them.
    const { status } = await store.get(id)
    const lines = await readLines(records, { runId: id, after, ...(limit === undefined ? {} : { limit }) })
    const ended = endedStatuses.includes(status) && (limit === undefined || lines.length < limit)
    return { lines, next: lines.at(-1)?.seq ?? after, ended }
  }

  async function* follow(id: string, signal: AbortSignal): AsyncGenerator<RunEvent> {
    for (let after = 0; !signal.aborted;) {
      const { lines, next, ended } = await logs(id, { after, limit: 1_000 })
      yield* lines
      after = next
      if (ended) return
      if (lines.length === 0) await bus.wait('journal', bus.remote ? 2_000 : 500, signal)
    }
  }

  return {
    enqueue,
    execute,
    cancel,
    retry: async (id, { by = null, plan } = {}) => {
      const request = await store.requestOf(id)
      return enqueue({ ...request, ...(plan ? { plan } : {}), trigger: { ...request.trigger, by } })
    },
    list: store.list,
    get: store.get,
    logs,
    follow,
    ended: async (id, signal) => {
      for (;;) {
        signal.throwIfAborted()
        const run = await store.get(id)
        if (endedStatuses.includes(run.status)) return run
        await bus.wait('journal', 500, signal)
      }
    },
    events: (signal) => watch(records, bus, signal),
    startWorker: (workerOptions) => startWorker(parts, workerOptions),
    workers: store.listWorkers,
    scheduleStates: () => listScheduleStates(records),
    redis: bus.redis,
    close: async () => {
      await journal.flush()
      await bus.close()
    },
  }
}
