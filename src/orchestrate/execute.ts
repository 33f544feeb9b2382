// Takes one claimed run to its end: starts what may start, notes what ended, until nothing is left.
//
// Three things can end it early. A cancel: running steps are aborted, waiting ones cancelled, those marked `always`
// still run. A stop of this worker: running steps get a moment, then are aborted, and the run goes back to the
// queue. A lost lease: another worker has the run, so everything is aborted and nothing more is written.

import type { Clock } from '../base/clock.ts'
import { asFailure, Failure } from '../base/failure.ts'
import type { Log } from '../base/log.ts'
import { advance, hasEnded } from './graph.ts'
import type { Clean, Journal } from './journal.ts'
import { toProblem } from './problem.ts'
import type { Semaphore } from '../base/semaphore.ts'
import type { Lease, Store, Timing } from './store.ts'
import type { Problem, RunDetail, Step, StepContext, StepFunctions } from './types.ts'

export type Retry = { attemptsMax: number; waitMsMin: number; waitMsMax: number }

export type ExecuteOptions = {
  store: Store
  journal: Journal
  functions: StepFunctions
  slots: Semaphore
  clock: Clock
  log: Log
  clean: Clean
  timing: Timing
  retry: Retry
  /** How long steps may go on after `stopping`, and after an abort before they are given up. */
  graceMs: number
  stopping: AbortSignal
}

export type Outcome = 'succeeded' | 'failed' | 'cancelled' | 'released' | 'lost'

class LeaseLost extends Error {}
class WorkerStops extends Error {}

export async function executeRun(lease: Lease, options: ExecuteOptions): Promise<Outcome> {
  const { store, journal, clean } = options
  const run = await store.get(lease.runId)
  const log = options.log.child({ run_id: run.id, environment: run.environment })
  try {
    return await new Execution(lease, run, { ...options, log }).perform()
  } catch (error) {
    if (error instanceof LeaseLost) {
      log.warn('run lost to another worker')
      return 'lost'
    }
    // A mistake of ours in here must not leave a run that runs for ever.
    log.error('run broken', { error })
    await store.endRun(lease, { status: 'failed', failure: toProblem(error, clean.text) })
    return 'failed'
  } finally {
    await journal.flush()
  }
}

type StepEnd = { status: 'succeeded' | 'failed' | 'cancelled'; output?: unknown; failure?: Problem; again?: boolean }

class Execution {
  readonly #lease: Lease
  readonly #run: RunDetail
  readonly #steps: Map<string, Step>
  readonly #options: ExecuteOptions
  readonly #active = new Map<string, Promise<void>>()
  readonly #cancelled = new AbortController()
  /** Aborted by a lost lease, by a bug, and when a stopping worker's grace is over: nothing goes on after it. */
  readonly #over = new AbortController()
  #firstFailure: Problem | undefined
  #bug: unknown
  #changed = Promise.withResolvers<void>()

  constructor(lease: Lease, run: RunDetail, options: ExecuteOptions) {
    this.#lease = lease
    this.#run = run
    this.#options = options
    this.#steps = new Map(run.steps.flatMap((step) => (step.partOf === null ? [[step.id, step] as const] : [])))
    this.#cancelled.signal.addEventListener('abort', () => this.#changed.resolve())
  }

  async perform(): Promise<Outcome> {
    const ended = new AbortController()
    const background = [this.#beat(ended.signal), this.#stopAfterGrace(ended.signal)]
    try {
      if (this.#run.cancelRequested) this.#cancelled.abort(cancelReason())
      await this.#advanceToEnd()
      this.#assertHeld()
      if (this.#bug !== undefined) throw this.#bug
      return await ([...this.#steps.values()].every(({ status }) => hasEnded(status))
        ? this.#finish()
        : this.#release())
    } catch (error) {
      this.#over.abort(error)
      await Promise.all(this.#active.values())
      throw error
    } finally {
      ended.abort()
      await Promise.all(background)
    }
  }

  /** Ends when no step is running and none may start. */
  async #advanceToEnd(): Promise<void> {
    for (;;) {
      // Made before looking, so that a change while we look is not missed.
      this.#changed = Promise.withResolvers()
      if (!this.#over.signal.aborted) await this.#startReady()
      if (this.#active.size === 0) return
      await this.#changed.promise
    }
  }

  async #startReady(): Promise<void> {
    if (this.#cancelled.signal.aborted) await this.#cancelWaiting()
    const { ready, skipped } = advance([...this.#steps.values()])
    await this.#settle(skipped, 'skipped')
    if (this.#options.stopping.aborted) return
    // What was skipped may have been the last thing that a step with `always` waited for.
    const all = skipped.length > 0 ? advance([...this.#steps.values()]).ready : ready
    for (const id of all) if (!this.#active.has(id)) this.#active.set(id, this.#runStep(this.#steps.get(id)!))
  }

  async #cancelWaiting(): Promise<void> {
    const waiting = [...this.#steps.values()].filter(
      ({ id, status, always }) => status === 'pending' && !always && !this.#active.has(id),
    )
    await this.#settle(
      waiting.map(({ id }) => id),
      'cancelled',
    )
  }

  async #settle(ids: readonly string[], status: 'skipped' | 'cancelled'): Promise<void> {
    await this.#persist(() => this.#options.store.settle(this.#lease, ids, status))
    for (const id of ids) {
      this.#steps.get(id)!.status = status
      this.#note('info', `step ${status}`, id)
    }
  }

  async #finish(): Promise<Outcome> {
    const steps = [...this.#steps.values()]
    const failed = steps.find(({ status }) => status === 'failed')
    const status = this.#cancelled.signal.aborted ? 'cancelled' : failed ? 'failed' : 'succeeded'
    const failure =
      this.#firstFailure ?? failed?.failure ?? (status === 'cancelled' ? toProblem(cancelReason(), String) : null)
    this.#note(status === 'succeeded' ? 'info' : 'warn', `run ${status}`, null, failure ? { failure } : {})
    await this.#options.journal.flush()
    await this.#persist(() =>
      this.#options.store.endRun(this.#lease, { status, failure: status === 'succeeded' ? null : failure }),
    )
    this.#options.log.info(`run ${status}`, failure ? { failure } : {})
    return status
  }

  async #release(): Promise<Outcome> {
    this.#note('info', 'run released', null, { why: 'the worker stops; another goes on with it' })
    await this.#options.journal.flush()
    await this.#persist(() => this.#options.store.release(this.#lease))
    return 'released'
  }

  // ---- one step

  async #runStep(step: Step): Promise<void> {
    const halt = AbortSignal.any([this.#signalFor(step), this.#options.stopping])
    const { clock, retry, slots } = this.#options
    try {
      await using _slot = await slots.acquire(halt)
      for (let failures = 0; !(await this.#attempt(step, failures)); failures++)
        await clock.sleep(backoffMs(failures, retry, clock.random()), halt)
    } catch (error) {
      if (error !== halt.reason && error !== this.#over.signal.reason) this.#bug ??= error
      if (this.#bug !== undefined) this.#over.abort(this.#bug)
    } finally {
      // What waited for a slot or its next try when the cancel came is still `pending`: the next look cancels it.
      this.#active.delete(step.id)
      this.#changed.resolve()
    }
  }

  /** True when the step has ended, false when it is worth another try. */
  async #attempt(step: Step, failures: number): Promise<boolean> {
    const { store, clock, clean, retry } = this.#options
    const attempt = await this.#persist(() => store.startStep(this.#lease, step.id))
    step.status = 'running'
    this.#note('info', 'step started', step.id, { ...assetOf(step), attempt })
    const startedAt = clock.now()
    let end: StepEnd
    try {
      end = { status: 'succeeded', output: (await this.#call(step, attempt)) ?? null }
    } catch (error) {
      // The step stays as it is: taking the run over or releasing it puts the step back to the start.
      this.#over.signal.throwIfAborted()
      const failure = toProblem(error, clean.text)
      const cancelled = this.#cancelled.signal.aborted && !step.always
      const again = !cancelled && asFailure(error).help.retry && failures + 1 < retry.attemptsMax
      if (failure.code === 'INTERNAL') this.#options.log.error('step failed by a bug', { step_id: step.id, error })
      end = { status: cancelled ? 'cancelled' : 'failed', failure, again }
    }
    await this.#end(step, end, clock.now() - startedAt)
    return !end.again
  }

  async #end(step: Step, end: StepEnd, ms: number): Promise<void> {
    const fields = { ...assetOf(step), ms, ...(end.failure ? { failure: end.failure } : {}) }
    const level = end.status === 'succeeded' ? 'info' : end.again ? 'warn' : 'error'
    this.#note(level, end.again ? 'step failed and is tried again' : `step ${end.status}`, step.id, fields)
    // First the lines, then the state: whoever sees that a step ended finds all it had to say.
    await this.#options.journal.flush()
    await this.#persist(() => this.#options.store.endStep(this.#lease, step.id, end))
    step.status = end.again ? 'pending' : end.status
    step.output = end.output
    if (end.status === 'failed' && !end.again) {
      step.failure = end.failure ?? null
      this.#firstFailure ??= end.failure
    }
    this.#options.log.info(`step ${end.status}`, { step_id: step.id, ...fields })
  }

  /** Calls the step's function; after an abort it gets `graceMs` to notice. */
  async #call(step: Step, attempt: number): Promise<unknown> {
    const { functions, clock, graceMs } = this.#options
    const work = functions[step.kind]
    if (!work)
      throw new Failure('UNSUPPORTED', `this worker has no steps of the kind ${step.kind}`, {
        hint: 'Use workers of one version of Boathouse.',
      })
    const signal = this.#signalFor(step)
    signal.throwIfAborted()
    const settled = new AbortController()
    const givenUp = async (): Promise<never> => {
      await aborted(signal, settled.signal)
      await clock.sleep(graceMs, settled.signal)
      this.#options.log.warn('step did not stop', { step_id: step.id, graceMs })
      throw signal.reason as Error
    }
    try {
      return await Promise.race([work(step.input, this.#contextFor(step, attempt, signal)), givenUp()])
    } finally {
      settled.abort()
    }
  }

  #contextFor(step: Step, attempt: number, signal: AbortSignal): StepContext {
    const { journal, log, store } = this.#options
    const { environment, catalog } = this.#run
    return {
      runId: this.#run.id,
      stepId: step.id,
      asset: step.asset,
      environment,
      catalog,
      attempt,
      signal,
      log: journal.logFor(this.#run.id, step.id, log.child({ step_id: step.id, ...assetOf(step) })),
      progress: (fields) => journal.write(this.#run.id, step.id, 'debug', 'progress', fields),
      nameParts: (parts) => this.#persist(() => store.nameParts(this.#lease, step.id, parts)),
      tellParts: (news) => this.#persist(() => store.tellParts(this.#lease, step.id, news)),
      parts: () => this.#persist(() => store.parts(this.#run.id, step.id)),
      outputOf: (stepId) => {
        const other = this.#steps.get(stepId)
        return other?.status === 'succeeded' ? other.output : undefined
      },
      outputsOf: (kind) =>
        [...this.#steps.values()].flatMap((one) =>
          one.kind === kind && one.status === 'succeeded' ? [one.output] : [],
        ),
      assertOwned: async () => void (await store.heartbeat(this.#lease)),
    }
  }

  /** What an `always` step cleans up after a cancel must not be cancelled with it. */
  #signalFor({ always }: Step): AbortSignal {
    return always ? this.#over.signal : AbortSignal.any([this.#over.signal, this.#cancelled.signal])
  }

  // ---- the lease

  async #beat(ended: AbortSignal): Promise<void> {
    const { store, clock, timing } = this.#options
    let last = clock.now()
    while (!ended.aborted && !this.#over.signal.aborted) {
      await clock.sleep(timing.heartbeatMs, ended).catch(() => {})
      if (ended.aborted) return
      try {
        const { cancelRequested } = await store.heartbeat(this.#lease)
        last = clock.now()
        if (cancelRequested && !this.#cancelled.signal.aborted) this.#cancelled.abort(cancelReason())
      } catch (error) {
        // Records that cannot be reached may come back; a lease that ran out meanwhile may be another's.
        if (isConflict(error) || clock.now() - last > timing.leaseMs) this.#lose()
        else this.#options.log.warn('heartbeat failed', { error })
      }
    }
  }

  async #stopAfterGrace(ended: AbortSignal): Promise<void> {
    const { clock, graceMs, stopping } = this.#options
    await aborted(stopping, ended)
    this.#changed.resolve()
    await clock.sleep(graceMs, ended).catch(() => {})
    if (!ended.aborted) this.#over.abort(new WorkerStops('the worker stops'))
  }

  #lose(): void {
    if (!(this.#over.signal.reason instanceof LeaseLost)) this.#over.abort(new LeaseLost('another worker has the run'))
  }

  #assertHeld(): void {
    if (this.#over.signal.reason instanceof LeaseLost) throw this.#over.signal.reason
  }

  /** Writes to the records, again and again while they cannot be reached and the run is ours. */
  async #persist<Value>(write: () => Promise<Value>): Promise<Value> {
    const { clock, retry } = this.#options
    for (let failures = 0; ; failures++) {
      try {
        return await write()
      } catch (error) {
        if (isConflict(error)) this.#lose()
        this.#assertHeld()
        if (!asFailure(error).help.retry) throw error
        this.#options.log.warn('records not written, trying again', { error })
      }
      await clock.sleep(backoffMs(failures, retry, clock.random()))
      this.#assertHeld()
    }
  }

  #note(
    level: 'info' | 'warn' | 'error',
    event: string,
    stepId: string | null,
    fields: Record<string, unknown> = {},
  ): void {
    this.#options.journal.write(this.#run.id, stepId, level, event, { ...fields, worker_id: this.#lease.workerId })
  }
}

const isConflict = (error: unknown) => error instanceof Failure && error.code === 'RUN_CONFLICT'

const cancelReason = () => new Failure('RUN_CANCELLED', 'the run was cancelled')

/** Half fixed, half jitter: tries that failed together do not come back together. `random` is in [0, 1). */
export const backoffMs = (failures: number, { waitMsMin, waitMsMax }: Retry, random: number): number =>
  Math.min(waitMsMax, waitMsMin * 2 ** failures) * (0.5 + random / 2)

/** Resolves when `signal` is aborted, or when nobody waits any more. */
function aborted(signal: AbortSignal, unneeded: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (signal.aborted || unneeded.aborted) resolve()
  const listen = () => resolve()
  signal.addEventListener('abort', listen, { once: true, signal: unneeded })
  unneeded.addEventListener('abort', listen, { once: true })
  return promise
}

/** Closing steps are about no table. */
const assetOf = ({ asset }: Step) => (asset ? { asset } : {})
