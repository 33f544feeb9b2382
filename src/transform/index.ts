import { Failure } from '../base/failure.ts'
import type { DbtNode, DbtProject } from '../project/dbt/index.ts'
import { Compiler, type Compiled } from './compile.ts'
import { asker } from './materialize.ts'
import type { NodeResult, Work } from './work.ts'
import { plan, runStep, type Command } from './plan.ts'
import type { Selection } from './select.ts'

export type { ColumnSpec, DbtNode, DbtProject, DbtSource } from '../project/dbt/index.ts'
export type { Compiled } from './compile.ts'
export { graphOf, reach, type Graph } from './graph.ts'
export { runTest } from './judge.ts'
export { runModel } from './materialize.ts'
export type { NodeResult, Work } from './work.ts'
export { explain, isBad, plan, runPlan, runStep, tableOf, type Command, type Plan, type Step } from './plan.ts'
export {
  lineage,
  loadProject,
  ls,
  readTransform,
  tablesRead,
  topologicalOrder,
  type Lineage,
  type Listed,
  type LoadOptions,
} from './project.ts'
export { select, type Selection } from './select.ts'

/** The SQL of one node, by unique id or name. Templates that ask the database are answered through `work`. */
export async function compileNode(
  node: DbtNode | string,
  work: Omit<Work, 'changes'> & { changes?: Work['changes'] | undefined },
): Promise<Compiled> {
  return new Compiler(work.project, asker(work)).compile(
    typeof node === 'string' ? nodeNamed(work.project, node) : node,
  )
}

/**
 * One model with its tests, as one durable step: the model's result, then its tests'. Only those tests run that belong
 * to this model (see plan.ts) and to the selection. Nothing is thrown for what is wrong in the project; a cancelled run is.
 */
export async function buildNode(
  node: DbtNode | string,
  work: Work,
  options: { selection?: Selection; command?: Command } = {},
): Promise<NodeResult[]> {
  const { uniqueId } = typeof node === 'string' ? nodeNamed(work.project, node) : node
  const step = plan(work.project, options.command ?? 'build', options.selection).steps.find(
    (each) => each.node === uniqueId,
  )
  if (!step) throw new Failure('NOT_FOUND', `nothing is to be done for "${uniqueId}" in this selection`)
  return runStep(step, work)
}

function nodeNamed(project: DbtProject, name: string): DbtNode {
  const found =
    project.nodes.get(name) ??
    [...project.nodes.values()].find((node) => node.name === name && node.kind !== 'test') ??
    [...project.nodes.values()].find((node) => node.name === name)
  if (!found) throw new Failure('NOT_FOUND', `the project has no model "${name}"`)
  return found
}
