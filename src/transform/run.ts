// Doing what a plan says: as many steps at a time as there are threads, each as soon as what it waits for has ended well.

import { behaviourFlag, type DbtProject } from '../project/dbt/index.ts'
import { runTest } from './judge.ts'
import type { Names } from './compile.ts'
import { running } from './materializations/runnable.ts'
import { makesMacros } from './materializations/sql-macros.ts'
import { runModel, runOperation } from './materialize.ts'
import { namesAtEnd } from './operation-names.ts'
import type { Plan, Step } from './plan.ts'
import { unlessUnchanged, type NodeStates } from './state.ts'
import { runUnitTest } from './unit-tests.ts'
import { skipped, type NodeResult, type Work } from './work.ts'

/** Which of how many: what `3 of 12` shows. Operations count among themselves. */
export type Position = { index: number; total: number }

export type LoopOptions = {
  /** Steps at the same time; default the target's. */
  threads?: number | undefined
  /** Nothing new is begun after a step has gone wrong. */
  failFast?: boolean | undefined
  signal?: AbortSignal | undefined
  onStart?: ((step: Step, position: Position) => void) | undefined
  onResult?: ((result: NodeResult, position: Position) => void) | undefined
  onBatch?: Work['onBatch']
  /** What an earlier, killed attempt has done. */
  done?: ReadonlyMap<string, NodeResult> | undefined
  /** What is as it was when it last went well is not done again. */
  states?: NodeStates | undefined
  /** Notes a result, before the steps that wait for it begin. */
  record?: ((result: NodeResult) => Promise<void>) | undefined
}

/** What may not be built upon. A node that is skipped for an error in an ephemeral model that it reads has the error's code. */
export const isBad = ({ status, code }: Pick<NodeResult, 'status' | 'code'>): boolean =>
  status === 'error' ||
  status === 'fail' ||
  status === 'partial success' ||
  status === 'runtime error' ||
  (status === 'skipped' && code !== undefined)

/**
 * All steps. What waits for a step that went wrong is skipped, the rest goes on; results come in the order in which they
 * ended. What is wrong in the project is a result; only a cancelled run and a failing `record` are thrown.
 */
export async function runPlan(plan: Plan, work: Work, options: LoopOptions = {}): Promise<NodeResult[]> {
  const signal = options.signal ?? work.signal
  return new Loop(plan, running(signal ? { ...work, signal } : work), options).run()
}

/** The operations of a plan before and after something that is no step of it; `work` is left out when one before it failed. */
export async function runAround(
  plan: Plan,
  work: Work,
  options: Pick<LoopOptions, 'onStart' | 'onResult'>,
  between: () => Promise<void>,
): Promise<NodeResult[]> {
  return new Loop(plan, running(work), options).between(async (begun) => {
    if (begun) await between()
  })
}

class Loop {
  readonly #plan: Plan
  readonly #work: Work
  readonly #options: LoopOptions
  readonly #results: NodeResult[] = []
  /** Why nobody may build upon a step, by its id. */
  readonly #bad = new Map<string, string>()
  #started = 0
  #stopped = false

  constructor(plan: Plan, work: Work, options: LoopOptions) {
    this.#plan = plan
    this.#work = options.onBatch ? { ...work, onBatch: options.onBatch } : work
    this.#options = options
    work.project.options.selected = plan.steps.map(({ node }) => node)
  }

  async run(): Promise<NodeResult[]> {
    const { steps } = this.#plan
    return this.between(async (begun) => {
      if (begun) return this.#nodes(steps)
      for (const step of steps)
        await this.#end(step, this.#skip(step, 'an operation of on-run-start failed'), ++this.#started)
    })
  }

  /** The operations, and `work` between them, which is told whether it may begin. */
  async between(work: (begun: boolean) => Promise<void>): Promise<NodeResult[]> {
    const { start, end } = this.#plan
    const { project } = this.#work
    const isDone = await this.#operations(start, {})
    await work(isDone || behaviourFlag(project, 'skip_nodes_if_on_run_start_fails') === false)
    await this.#operations(end, namesAtEnd(project, this.#results))
    return this.#results
  }

  /** One after the other; the rest is skipped once one has failed. */
  async #operations(steps: readonly Step[], names: Names): Promise<boolean> {
    let failed = false
    for (const [at, step] of steps.entries()) {
      const position = { index: at + 1, total: steps.length }
      this.#options.onStart?.(step, position)
      const result = failed
        ? this.#skip(step, `${step.name} skipped`)
        : (this.#before(step) ?? (await this.#operation(step, names, position)))
      failed ||= isBad(result)
      await this.#report(result, position)
    }
    return !failed
  }

  /** What an earlier attempt has done of it, but for what is gone with that. */
  #before({ node }: Step): NodeResult | undefined {
    const known = this.#options.done?.get(node)
    return makesMacros(known?.compiledSql) ? undefined : known
  }

  async #operation(step: Step, names: Names, { index }: Position): Promise<NodeResult> {
    const operation = this.#work.project.operations.get(step.node)!
    const result = await runOperation(operation, this.#work, names)
    const called = `${operation.package}.${operation.when}.${index - 1}`
    const message = isBad(result) ? `${called} failed, error:\n ${result.message}` : `${called} passed`
    return { ...result, message, failures: isBad(result) ? 1 : 0 }
  }

  async #nodes(steps: readonly Step[]): Promise<void> {
    const waitsFor = new Map(steps.map(({ node, after }) => [node, new Set(after)]))
    const readers = new Map<string, Step[]>()
    for (const step of steps) for (const id of step.after) readers.set(id, [...(readers.get(id) ?? []), step])
    const order = new Map(steps.map(({ node }, at) => [node, at]))
    const ready = steps.filter(({ after }) => after.length === 0)
    const ended = (step: Step) => {
      const free = (readers.get(step.node) ?? []).filter(({ node }) => {
        const left = waitsFor.get(node)!
        return left.delete(step.node) && left.size === 0
      })
      ready.push(...free)
      ready.sort((a, b) => order.get(a.node)! - order.get(b.node)!)
    }
    const running = new Set<Promise<void>>()
    const threads = Math.max(1, this.#options.threads ?? this.#work.project.target.threads)
    const idle = Array.from({ length: threads }, (_, at) => at + 1)
    try {
      while (ready.length > 0 || running.size > 0) {
        while (ready.length > 0 && idle.length > 0) {
          const step = ready.shift()!
          const thread = idle.shift()!
          const doing = this.#step(step, thread).then(() => {
            running.delete(doing)
            idle.unshift(thread)
            ended(step)
          })
          running.add(doing)
        }
        if (running.size > 0) await Promise.race(running)
      }
    } finally {
      // A cancelled run ends when its steps have: nobody writes after it.
      await Promise.allSettled(running)
    }
  }

  async #step(step: Step, thread: number): Promise<void> {
    const index = ++this.#started
    const because = this.#stopped ? 'Skipping due to fail_fast' : this.#whySkipped(step)
    const known = this.#options.done?.get(step.node)
    if (because !== undefined && !known) return this.#end(step, this.#skip(step, because), index)
    if (!known) this.#options.onStart?.(step, { index, total: this.#plan.steps.length })
    await this.#end(step, known ?? { ...(await this.#do(step)), thread }, index)
  }

  #do(step: Step): Promise<NodeResult> {
    const run = () => runStep(step, this.#work)
    const { states } = this.#options
    return states ? unlessUnchanged(step, this.#work, states, run) : run()
  }

  #whySkipped({ after }: Step): string | undefined {
    const failed = after.find((id) => this.#bad.has(id))
    return failed === undefined ? undefined : this.#bad.get(failed)
  }

  #skip(step: Step, because: string): NodeResult {
    return skipped(named(this.#work.project, step), because)
  }

  async #end(step: Step, result: NodeResult, index: number): Promise<void> {
    if (isBad(result)) {
      const { on_error: onError } = this.#work.project.nodes.get(step.node)?.config ?? {}
      // What reads it then reads the table as it was.
      if (step.kind !== 'model' || onError !== 'continue')
        this.#bad.set(step.node, isJudgement(step) ? `the test ${step.name} failed` : `${step.name} failed`)
      if (this.#options.failFast) this.#stopped = true
      // Who waits for what was skipped is told what it was skipped for.
    } else if (result.status === 'skipped') this.#bad.set(step.node, result.message)
    await this.#report(result, { index, total: this.#plan.steps.length })
  }

  async #report(result: NodeResult, position: Position): Promise<void> {
    this.#results.push(result)
    await this.#options.record?.(result)
    this.#options.onResult?.(result, position)
  }
}

const isJudgement = ({ kind }: Step) => kind === 'test' || kind === 'unit_test'

/** One step of a plan by itself. */
export async function runStep(step: Step, work: Work): Promise<NodeResult> {
  const { project } = work
  switch (step.kind) {
    case 'test':
      return runTest(project.nodes.get(step.node)!, work)
    case 'exposure':
    case 'saved_query':
      return { ...skipped(named(project, step), 'NO-OP'), status: 'no-op' }
    case 'unit_test':
      return runUnitTest(project.unitTests.get(step.node)!, work)
    case 'operation':
      return runOperation(project.operations.get(step.node)!, work)
    default:
      return runModel(project.nodes.get(step.node)!, work)
  }
}

function named(project: DbtProject, { node, name, kind }: Step) {
  const found =
    project.nodes.get(node) ??
    project.unitTests.get(node) ??
    project.exposures.get(node) ??
    project.savedQueries.get(node) ??
    project.operations.get(node)
  return { uniqueId: node, kind, name, place: found?.place }
}
