import { Failure } from '../base/failure.ts'
import type { DbtNode, DbtProject } from '../project/dbt/index.ts'
import { Compiler, type Ask, type Compiled } from './compile.ts'
import { running } from './materializations/runnable.ts'
import { asker } from './materialize.ts'
import { timed, type NodeResult, type Work } from './work.ts'

export type { ColumnSpec, DbtNode, DbtProject, DbtSource } from '../project/dbt/index.ts'
export { inlinedIn, type Compiled } from './compile.ts'
export { checkProject, type Checked, type CheckWork } from './check.ts'
export {
  columnGraph,
  columnsNamed,
  traceColumns,
  type ColumnGraph,
  type ColumnId,
  type NodeLineage,
  type Trace,
} from './column-graph.ts'
export { diffTables, keysOfNode, type TableDiff } from './data-diff.ts'
export { impactOf, impactText, type ModelChange } from './impact.ts'
export { previewRows } from './preview.ts'
export { remadeNodes } from './remade.ts'
export { sampleOf } from './sample.ts'
export { checkHandling, handlingOf } from './warnings.ts'
export { freshnessSources, runFreshness, type FreshnessResult } from './freshness.ts'
export { graphOf, reach, readersAsSources, type Graph } from './graph.ts'
export { runTest } from './judge.ts'
export { runnable } from './materializations/runnable.ts'
export { lakeName } from './materializations/target.ts'
export { compileOperation, runMacro, runModel, runOperation } from './materialize.ts'
export type { BatchProgress, NodeResult, Work } from './work.ts'
export { explain, isBlank, plan, tableOf, type Command, type Plan, type Step } from './plan.ts'
export type { NodeState, NodeStates } from './state.ts'
export { isBad, runAround, runPlan, runStep, type LoopOptions, type Position } from './run.ts'
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
export { defaultSelector, select, selectNodes, type Selection } from './select.ts'
export { membersOf, type Member } from './select/members.ts'
export { customEnv, type Invocation } from './artifacts/common.ts'
export { headOf, messageOf, runResults } from './artifacts/run-results.ts'
export { catalogArtifact, type CatalogTable } from './artifacts/catalog.ts'
export { graphSummary } from './artifacts/graph-summary.ts'
export { semanticManifest } from './artifacts/semantic-manifest.ts'
export { sourcesArtifact } from './artifacts/sources.ts'
export { ranSql } from './artifacts/ran-sql.ts'
export { pathInTarget, writeJson, writeWhole } from './artifacts/write.ts'
export { contractBreaks } from './select/contract-breaks.ts'
export { manifestEntries, readState, stateOf, type PreviousState } from './select/state.ts'

/** The SQL of one node, by unique id or name. Templates that ask the database are answered through `work`. */
export async function compileNode(
  node: DbtNode | string,
  work: Omit<Work, 'changes'> & { changes?: Work['changes'] | undefined },
): Promise<Compiled> {
  const ask = work.project.options.flags.others?.['introspect'] === false ? refuseToAsk : asker(running(work))
  return new Compiler(work.project, ask).compile(typeof node === 'string' ? nodeNamed(work.project, node) : node)
}

const refuseToAsk: Ask = () => {
  throw new Failure('TEMPLATE_FAILED', '--no-introspect lets templates ask the database nothing', {
    hint: 'Leave --no-introspect out, or let the template ask only `{% if flags.INTROSPECT %}`.',
  })
}

/**
 * What `compileNode` makes of a node as a result: what is wrong in it is its status. Seeds have no SQL. A Python model is what stands in
 * its file: to compile a project is no mistake because one of its models cannot be built here.
 */
export function compileResult(node: DbtNode, work: Parameters<typeof compileNode>[1]): Promise<NodeResult> {
  return timed(node, work, async (clocked) => {
    const isPython = node.language === 'python' && node.kind === 'model'
    const compiledSql = node.kind === 'seed' ? undefined : isPython ? node.rawSql : (await compileNode(node, work)).sql
    clocked.compiled()
    return { status: 'success', message: 'OK', rows: undefined, failures: undefined, table: undefined, compiledSql }
  })
}

/** A node by unique id or name, models before tests. @throws NOT_FOUND */
export function nodeNamed(project: DbtProject, name: string): DbtNode {
  const found =
    project.nodes.get(name) ??
    [...project.nodes.values()].find((node) => node.name === name && node.kind !== 'test') ??
    [...project.nodes.values()].find((node) => node.name === name)
  if (!found) throw new Failure('NOT_FOUND', `the project has no model "${name}"`)
  return found
}
