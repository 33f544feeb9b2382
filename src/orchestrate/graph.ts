// Which steps may start and which never will: pure functions over the states of a run's steps.

import { Failure } from '../base/failure.ts'
import type { StepStatus } from '../records/index.ts'
import type { PlannedStep, RunPlan } from './types.ts'

export type NodeState = { id: string; status: StepStatus; dependsOn: readonly string[]; always: boolean }

const ended: ReadonlySet<StepStatus> = new Set(['succeeded', 'failed', 'skipped', 'cancelled'])
export const hasEnded = (status: StepStatus): boolean => ended.has(status)

/**
 * Steps that may start now, in the order of the plan, and steps that can never start because one they need did not
 * succeed. What depends on a skipped step is skipped with it, so the caller need not ask again.
 */
export function advance(steps: readonly NodeState[]): { ready: string[]; skipped: string[] } {
  const statuses = new Map(steps.map(({ id, status }) => [id, status]))
  const skipped: string[] = []
  // A step may depend on a later one of the list, so this runs until nothing changes; each round settles a step.
  for (let changed = true; changed;) {
    changed = false
    for (const { id, dependsOn, always } of steps) {
      if (statuses.get(id) !== 'pending' || always) continue
      if (!dependsOn.some((one) => ['failed', 'skipped', 'cancelled'].includes(statuses.get(one)!))) continue
      statuses.set(id, 'skipped')
      skipped.push(id)
      changed = true
    }
  }
  const isReady = ({ id, dependsOn }: NodeState) =>
    statuses.get(id) === 'pending' && dependsOn.every((one) => hasEnded(statuses.get(one)!))
  return { ready: steps.filter(isReady).map(({ id }) => id), skipped }
}

/**
 * The dependencies of each step, `'all'` written out.
 * @throws Failure GRAPH_CYCLE for a circle, REQUEST_INVALID for an id that is missing or used twice
 */
export function dependenciesOf({ steps }: RunPlan): Map<string, string[]> {
  const dependencies = new Map<string, string[]>()
  for (const { id, dependsOn = [] } of steps) {
    if (dependencies.has(id)) throw new Failure('REQUEST_INVALID', `the plan has two steps named ${id}`)
    dependencies.set(id, dependsOn === 'all' ? [...dependencies.keys()] : [...new Set(dependsOn)])
  }
  for (const [id, needed] of dependencies)
    for (const one of needed)
      if (!dependencies.has(one))
        throw new Failure('REQUEST_INVALID', `the step ${id} depends on ${one}, which the plan has not`)
  assertNoCircle(steps, dependencies)
  return dependencies
}

function assertNoCircle(steps: readonly PlannedStep[], dependencies: Map<string, string[]>): void {
  const waiting = new Set(steps.map(({ id }) => id))
  for (let free = [...waiting]; free.length > 0;) {
    free = [...waiting].filter((id) => !dependencies.get(id)!.some((one) => waiting.has(one)))
    for (const id of free) waiting.delete(id)
  }
  if (waiting.size > 0) throw new Failure('GRAPH_CYCLE', `these steps wait for each other: ${[...waiting].join(', ')}`)
}
