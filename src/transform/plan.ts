// What will be done, as data. `explain` prints it, `runPlan` does it, and orchestration makes its durable steps of it.
//
// One step is one model with the tests that can be judged once it exists. A test that reads several models belongs to
// the one that is built last, so that it never runs too early.

import type { DbtNode, DbtProject } from '../project/dbt/index.ts'
import { graphOf } from './graph.ts'
import { runTest } from './judge.ts'
import { runModel } from './materialize.ts'
import { skipped, type NodeResult, type Work } from './work.ts'
import { select, type Selection } from './select.ts'

export type Step =
  | {
      kind: 'build'
      /** Unique id; also the id of the step. */
      node: string
      table: string
      materialized: string
      /** Tests to run as soon as the model is written, by unique id. */
      tests: string[]
      /** Steps that must have succeeded. */
      after: string[]
    }
  | { kind: 'test'; node: string; after: string[] }
  | {
      kind: 'skip'
      node: string
      because: 'inlined in its readers' | 'seeds are not loaded yet' | 'snapshots are not taken yet'
    }

export type Plan = { command: Command; steps: Step[] }
export type Command = 'build' | 'run' | 'test'

/** The steps for a selection, in an order that can be run from first to last. */
export function plan(project: DbtProject, command: Command, selection: Selection = {}): Plan {
  const graph = graphOf(project)
  const selected = select(project, selection).flatMap((id) => project.nodes.get(id) ?? [])
  const position = new Map(graph.order.map((id, index) => [id, index]))
  const models =
    command === 'test' ? [] : selected.filter(({ kind }) => kind === 'model' || kind === 'seed' || kind === 'snapshot')
  const steps = new Map<string, Step>()
  for (const node of models) steps.set(node.uniqueId, stepOf(node))
  for (const step of steps.values()) {
    if (step.kind === 'build') step.after = nearest(project, step.node, (id) => steps.get(id)?.kind === 'build')
  }
  if (command !== 'run') {
    for (const test of selected.filter(({ kind }) => kind === 'test')) placeTest(project, test, steps, position)
  }
  return { command, steps: [...steps.values()] }
}

function stepOf(node: DbtNode): Step {
  if (node.kind === 'seed') return { kind: 'skip', node: node.uniqueId, because: 'seeds are not loaded yet' }
  if (node.kind === 'snapshot') return { kind: 'skip', node: node.uniqueId, because: 'snapshots are not taken yet' }
  const materialized = String(node.config['materialized'])
  if (materialized === 'ephemeral') return { kind: 'skip', node: node.uniqueId, because: 'inlined in its readers' }
  return { kind: 'build', node: node.uniqueId, table: tableOf(node), materialized, tests: [], after: [] }
}

export const tableOf = ({ database, schema, alias }: Pick<DbtNode, 'database' | 'schema' | 'alias'>): string =>
  `${database}.${schema}.${alias}`

/** The nearest steps above a node, through everything that is no step. */
function nearest(project: DbtProject, id: string, isStep: (id: string) => boolean): string[] {
  const found = new Set<string>()
  const seen = new Set<string>()
  const walk = (from: string): void => {
    for (const parent of project.nodes.get(from)?.dependsOn ?? []) {
      if (seen.has(parent)) continue
      seen.add(parent)
      if (isStep(parent)) found.add(parent)
      else walk(parent)
    }
  }
  walk(id)
  return [...found]
}

function placeTest(
  project: DbtProject,
  test: DbtNode,
  steps: Map<string, Step>,
  position: ReadonlyMap<string, number>,
): void {
  const owners = nearest(project, test.uniqueId, (id) => steps.get(id)?.kind === 'build')
  // A test that also reads what this plan does not build judges older tables: it runs at the end and holds up nothing.
  const isWhole = test.dependsOn.every((id) => steps.has(id) || project.sources.has(id))
  const last = owners.toSorted((a, b) => position.get(a)! - position.get(b)!).at(-1)
  const owner = last === undefined || !isWhole ? undefined : steps.get(last)
  if (owner?.kind === 'build') {
    owner.tests.push(test.uniqueId)
    // The others it reads must be there as well, even when the owner does not read them.
    owner.after = [...new Set([...owner.after, ...owners.filter((id) => id !== last && !reads(steps, id, last!))])]
  } else steps.set(test.uniqueId, { kind: 'test', node: test.uniqueId, after: owners })
}

/** Whether step `from` waits for step `to`. */
function reads(steps: ReadonlyMap<string, Step>, from: string, to: string): boolean {
  const step = steps.get(from)
  return step?.kind === 'build' && step.after.some((id) => id === to || reads(steps, id, to))
}

/** One line for a person. */
export function explain(project: DbtProject, step: Step): string {
  const name = project.nodes.get(step.node)?.name ?? step.node
  switch (step.kind) {
    case 'build':
      return `build ${step.table} (${step.materialized}${step.tests.length > 0 ? `, ${step.tests.length} tests` : ''})`
    case 'test':
      return `test  ${name}`
    case 'skip':
      return `skip  ${name}: ${step.because}`
  }
}

/** The results of one step: the model first, then its tests. */
export async function runStep(step: Step, work: Work): Promise<NodeResult[]> {
  const node = work.project.nodes.get(step.node)!
  switch (step.kind) {
    case 'skip':
      return [skipped(node, step.because)]
    case 'test':
      return [await runTest(node, work)]
    case 'build': {
      const model = await runModel(node, work)
      const tests = step.tests.map((id) => work.project.nodes.get(id)!)
      if (model.status !== 'success') return [model, ...tests.map((test) => skipped(test, `${node.name} failed`))]
      const results = [model]
      for (const test of tests) results.push(await runTest(test, work))
      return results
    }
  }
}

/** What may not be built upon. */
export const isBad = ({ status }: Pick<NodeResult, 'status'>): boolean => status === 'error' || status === 'fail'

/** All steps, one after the other. What waits for a step that failed is skipped; the rest goes on. */
export async function runPlan(
  { steps }: Plan,
  work: Work,
  onResult: (result: NodeResult) => void = () => {},
): Promise<NodeResult[]> {
  const results: NodeResult[] = []
  const bad = new Map<string, string>()
  const report = (result: NodeResult) => {
    results.push(result)
    onResult(result)
  }
  for (const step of steps) {
    const failed = 'after' in step ? step.after.find((id) => bad.has(id)) : undefined
    if (failed !== undefined) {
      const because = `${work.project.nodes.get(failed)?.name ?? failed} ${bad.get(failed)!}`
      bad.set(step.node, 'was skipped')
      for (const id of [step.node, ...(step.kind === 'build' ? step.tests : [])])
        report(skipped(work.project.nodes.get(id)!, because))
      continue
    }
    const found = await runStep(step, work)
    for (const result of found) report(result)
    const worst = found.find(isBad)
    if (worst) bad.set(step.node, worst.kind === 'test' ? `failed its test ${worst.name}` : 'failed')
  }
  return results
}
