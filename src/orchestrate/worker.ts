// A worker: fires schedules, takes over what the dead left, takes what is queued, and executes it. Looks at every
// wake-up and otherwise once a second (less often where Redis carries the wake-ups).

import type { Clock } from '../base/clock.ts'
import { asFailure, Failure } from '../base/failure.ts'
import type { Log } from '../base/log.ts'
import type { Records } from '../records/index.ts'
import type { Bus } from './bus.ts'
import { executeRun, type Outcome, type Retry } from './execute.ts'
import type { Clean, Journal } from './journal.ts'
import { toProblem } from './problem.ts'
import { ownProcess } from './process-id.ts'
import { fireDue, type Schedules } from './schedules.ts'
import { openSemaphore, type Semaphore } from '../base/semaphore.ts'
import type { Lease, Store, Timing } from './store.ts'
import type { StepFunctions } from './types.ts'

export type WorkerOptions = {
  workerId: string
  /** Steps at the same time, over all runs of this worker. */
  concurrency: number
  /** Runs (of different catalogs) at the same time. */
  runsMax?: number
  schedules?: Schedules
  /** How long logs are kept; nothing is deleted without it. */
  retention?: { logsMs: number; auditMs: number }
  /** How long `stop` lets steps go on, and an aborted step may take to notice. */
  graceMs?: number
}

export type Worker = {
  readonly id: string
  /** Takes nothing new, gives running steps their grace, puts unfinished runs back into the queue. */
  stop(): Promise<void>
}

export type Parts = {
  records: Records
  store: Store
  bus: Bus
  journal: Journal
  functions: StepFunctions
  clock: Clock
  log: Log
  clean: Clean
  timing: Timing
  retry: Retry
}

const [pollMs, pollMsWithRedis, failedMs, pruneMs] = [1_000, 5_000, 2_000, 3_600_000]

export async function startWorker(parts: Parts, options: WorkerOptions): Promise<Worker> {
  const worker = new RunningWorker(parts, options)
  await worker.start()
  return worker
}

class RunningWorker implements Worker {
  readonly id: string
  readonly #parts: Parts
  readonly #options: Required<Pick<WorkerOptions, 'runsMax' | 'graceMs'>> & WorkerOptions
  readonly #log: Log
  readonly #slots: Semaphore
  readonly #stopping = new AbortController()
  readonly #runs = new Map<string, Promise<void>>()
  #loop: Promise<void> = Promise.resolve()
  #beatAt = -Infinity
  #prunedAt = -Infinity

  constructor(parts: Parts, options: WorkerOptions) {
    this.id = options.workerId
    this.#parts = parts
    this.#options = { runsMax: 4, graceMs: 10_000, ...options }
    this.#log = parts.log.child({ worker_id: options.workerId })
    this.#slots = openSemaphore(options.concurrency)
  }

  async start(): Promise<void> {
    const { host, pid, key } = ownProcess()
    await this.#parts.store.registerWorker({ id: this.id, host, pid, process_key: key })
    this.#log.info('worker started', { concurrency: this.#options.concurrency })
    this.#loop = this.#work()
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Failure('RUN_CANCELLED', 'the worker stops'))
    await this.#loop
    await Promise.all(this.#runs.values())
    await this.#parts.store.forgetWorker(this.id)
    this.#parts.bus.wake('queue')
    this.#log.info('worker stopped')
  }

  async #work(): Promise<void> {
    const { bus } = this.#parts
    while (!this.#stopping.signal.aborted) {
      const healthy = await this.#look()
      const waitMs = !healthy ? failedMs : bus.remote ? pollMsWithRedis : pollMs
      await bus.wait('queue', waitMs, this.#stopping.signal)
    }
  }

  /** One look at what there is to do; false when the records could not be asked. */
  async #look(): Promise<boolean> {
    try {
      await this.#beat()
      await this.#fireSchedules()
      await this.#takeWork()
      await this.#prune()
      return true
    } catch (error) {
      this.#log.warn('worker cannot look for work', { error })
      return false
    }
  }

  async #beat(): Promise<void> {
    const { store, clock, timing } = this.#parts
    if (clock.now() - this.#beatAt < timing.heartbeatMs) return
    await store.workerHeartbeat(this.id)
    this.#beatAt = clock.now()
  }

  async #fireSchedules(): Promise<void> {
    if (this.#options.schedules) await fireDue(this.#options.schedules, { ...this.#parts, log: this.#log })
  }

  async #takeWork(): Promise<void> {
    const { store, timing, journal, clean } = this.#parts
    while (this.#hasRoom()) {
      const taken = await store.takeOver(this.id)
      if (!taken) break
      const { lease, from, takeovers } = taken
      journal.write(lease.runId, null, 'warn', 'run taken over', { from, by: this.id, takeovers })
      this.#log.warn('run taken over', { run_id: lease.runId, from, takeovers })
      if (takeovers <= timing.takeoversMax) this.#execute(lease)
      else await this.#giveUp(lease, takeovers, clean)
    }
    while (this.#hasRoom()) {
      const lease = await store.claim(this.id)
      if (!lease) break
      journal.write(lease.runId, null, 'info', lease.attempt === 1 ? 'run started' : 'run continued', {
        worker_id: this.id,
      })
      this.#execute(lease)
    }
  }

  #hasRoom(): boolean {
    return !this.#stopping.signal.aborted && this.#runs.size < this.#options.runsMax
  }

  /** A run that takes every worker down with it must not go on for ever. */
  async #giveUp(lease: Lease, takeovers: number, clean: Clean): Promise<void> {
    const { store, journal } = this.#parts
    const running = (await store.get(lease.runId)).steps
      .filter(({ attempts }) => attempts.at(-1)?.status === 'lost')
      .map(({ id }) => id)
    const message = `its worker was lost ${takeovers} times${running.length > 0 ? `, the last time in ${running.join(', ')}` : ''}`
    const hint = 'Look at the log of the worker: a step may need more memory than there is.'
    const failure = toProblem(new Failure('RUN_FAILED', message, { hint }), clean.text)
    journal.write(lease.runId, null, 'error', 'run failed', { failure })
    await journal.flush()
    await store.endRun(lease, { status: 'failed', failure })
  }

  #execute(lease: Lease): void {
    const { graceMs } = this.#options
    const work = executeRun(lease, {
      ...this.#parts,
      log: this.#log,
      slots: this.#slots,
      graceMs,
      stopping: this.#stopping.signal,
    })
      .then((outcome) => this.#ended(outcome))
      .catch((error: unknown) => this.#log.error('run not ended', { run_id: lease.runId, error: asFailure(error) }))
      .finally(() => this.#runs.delete(lease.runId))
      .then(() => {
        // The catalog is free for the next run, and those who wait for this one can see its end.
        this.#parts.bus.wake('queue')
        this.#parts.bus.wake('journal')
      })
    this.#runs.set(lease.runId, work)
  }

  #ended(outcome: Outcome): void {
    this.#log.debug('run ended', { outcome })
  }

  async #prune(): Promise<void> {
    const { records, clock } = this.#parts
    const { retention } = this.#options
    if (!retention || clock.now() - this.#prunedAt < pruneMs) return
    this.#prunedAt = clock.now()
    const [logs, audit] = [retention.logsMs, retention.auditMs].map((ms) => new Date(clock.now() - ms).toISOString())
    await records.log.deleteFrom('run_logs').where('at', '<', logs!).execute()
    await records.log.deleteFrom('query_log').where('at', '<', logs!).execute()
    await records.log.deleteFrom('audit').where('at', '<', audit!).execute()
  }
}
