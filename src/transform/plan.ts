// What will be done, as data. `explain` prints it, `runPlan` (run.ts) does it, and orchestration makes a durable step of it.
//
// Every node is a step of its own; `after` names the steps that must have ended well before it. The order is dbt's: who
// reads a node waits for it and, in a build, for those tests of it that read nothing else but what lies above the reader.
// Unit tests come before their model. Operations of the project come before (`start`) and after (`end`) everything.

import type { DbtEntry, DbtNode, DbtOperation, DbtProject, DbtUnitTest } from '../project/dbt/index.ts'
import { graphOf, reach } from './graph.ts'
import { selectNodes, type Selection } from './select.ts'

export type StepKind =
  | 'seed'
  | 'snapshot'
  | 'model'
  | 'function'
  | 'test'
  | 'unit_test'
  | 'exposure'
  | 'saved_query'
  | 'operation'

export type Step = {
  kind: StepKind
  /** Unique id; also the id of the step. */
  node: string
  name: string
  /** What is written; null for what writes no table. */
  table: string | null
  /** `view`, `incremental` …; null for what is no table. */
  materialized: string | null
  /** Steps that must have ended well before. */
  after: string[]
}

export type Plan = { command: Command; start: Step[]; steps: Step[]; end: Step[] }
export type Command = 'build' | 'run' | 'test' | 'seed' | 'snapshot'

const kindsOf: Readonly<Record<Command, readonly StepKind[]>> = {
  build: ['seed', 'snapshot', 'model', 'function', 'test', 'unit_test', 'exposure', 'saved_query'],
  run: ['model'],
  test: ['test', 'unit_test'],
  seed: ['seed'],
  snapshot: ['snapshot'],
}

/**
 * The steps for a selection, or for the unique ids of one, in an order that can be run from first to last. Ephemeral
 * models are no steps: they are part of who reads them.
 */
export function plan(project: DbtProject, command: Command, selection: Selection | readonly string[] = {}): Plan {
  const selected = isList(selection) ? selection : selectNodes(project, selection).ids
  const steps = new Map<string, Step>()
  for (const id of selected) {
    const step = stepOf(project, id)
    if (step && kindsOf[command].includes(step.kind)) steps.set(id, step)
  }
  const parents = command === 'build' ? withTests(project) : graphOf(project).parents
  for (const step of steps.values()) step.after = waitsFor(project, step, steps, parents)
  if (command === 'build') {
    // As dbt: those of one model run one after the other, and what follows a red one is skipped, the model last.
    const latest = new Map<Step, string>()
    for (const step of steps.values()) {
      const model = step.kind === 'unit_test' ? steps.get(project.unitTests.get(step.node)!.dependsOn[0]!) : undefined
      if (!model) continue
      const before = latest.get(model)
      if (before !== undefined) step.after.push(before)
      latest.set(model, step.node)
      model.after.push(step.node)
    }
  }
  const operations = (when: DbtOperation['when']) =>
    [...project.operations.values()].filter((one) => one.when === when).map(operationStep)
  return { command, start: operations('on-run-start'), steps: ordered(project, steps), end: operations('on-run-end') }
}

const isList = (selection: Selection | readonly string[]): selection is readonly string[] => Array.isArray(selection)

function stepOf(project: DbtProject, id: string): Step | undefined {
  const node = project.nodes.get(id)
  if (node) return nodeStep(node)
  const unit = project.unitTests.get(id)
  if (unit) return bareStep('unit_test', unit)
  const exposure = project.exposures.get(id)
  if (exposure) return bareStep('exposure', exposure)
  const query = project.savedQueries.get(id)
  return query && bareStep('saved_query', query)
}

function nodeStep(node: DbtNode): Step | undefined {
  const { kind, uniqueId, name } = node
  if (kind === 'analysis') return undefined
  if (kind === 'test' || kind === 'function')
    return { kind, node: uniqueId, name, table: null, materialized: null, after: [] }
  const materialized = String(node.config['materialized'] ?? kind)
  if (materialized === 'ephemeral' || isBlank(node)) return undefined
  return { kind, node: uniqueId, name, table: tableOf(node), materialized, after: [] }
}

/** As in dbt: a file without text is in the graph, and nothing is done for it. */
export const isBlank = ({ kind, rawSql }: DbtNode): boolean => kind !== 'seed' && rawSql.trim() === ''

const bareStep = (kind: StepKind, { uniqueId, name }: DbtEntry | DbtUnitTest | DbtOperation): Step => ({
  kind,
  node: uniqueId,
  name,
  table: null,
  materialized: null,
  after: [],
})
const operationStep = (operation: DbtOperation) => bareStep('operation', operation)

export const tableOf = ({ database, schema, alias }: Pick<DbtNode, 'database' | 'schema' | 'alias'>): string =>
  `${database}.${schema}.${alias}`

/** The nearest steps above a step, through everything that is no step. */
function waitsFor(
  project: DbtProject,
  { node, kind }: Step,
  steps: ReadonlyMap<string, Step>,
  parents: ReadonlyMap<string, readonly string[]>,
): string[] {
  const found = new Set<string>()
  const seen = new Set<string>()
  // A unit test needs what its model reads, not the model.
  const stack = [
    ...(kind === 'unit_test' ? (parents.get(modelOf(project, node)) ?? []) : dependsOn(project, node, parents)),
  ]
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    if (seen.has(id)) continue
    seen.add(id)
    if (steps.has(id)) found.add(id)
    else stack.push(...dependsOn(project, id, parents))
  }
  return [...found]
}

const modelOf = (project: DbtProject, unitTest: string) => project.unitTests.get(unitTest)!.dependsOn[0] ?? ''

function dependsOn(
  project: DbtProject,
  id: string,
  parents: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const { exposures, savedQueries, metrics, semanticModels } = project
  const entry = exposures.get(id) ?? savedQueries.get(id) ?? metrics.get(id) ?? semanticModels.get(id)
  return parents.get(id) ?? entry?.dependsOn ?? []
}

/**
 * Who waits for whom in a build: a node waits for the tests of what lies above it, unless a test reads something that
 * does not (then it might itself wait for the node). Edges that follow from others are left out.
 */
export function withTests(project: DbtProject): Map<string, readonly string[]> {
  const { parents, children } = graphOf(project)
  const all = new Map<string, string[]>(Array.from(parents, ([id, list]) => [id, [...list]]))
  const isTest = (id: string) => project.nodes.get(id)?.kind === 'test'
  const below = new Map<string, ReadonlySet<string>>()
  const belowOf = (id: string) => {
    const known = below.get(id) ?? reach(children, [id])
    below.set(id, known)
    return known
  }
  for (const test of project.nodes.values()) {
    if (test.kind !== 'test' || test.dependsOn.length === 0) continue
    const [first, ...others] = [...new Set(test.dependsOn)]
    const waiting =
      others.length === 0 ? (children.get(first!) ?? []) : firstBelow([first!, ...others].map(belowOf), parents)
    for (const id of waiting) if (!isTest(id)) all.get(id)?.push(test.uniqueId)
  }
  return all
}

/** What lies below all of them, without what lies below that. */
function firstBelow(sets: readonly ReadonlySet<string>[], parents: ReadonlyMap<string, readonly string[]>): string[] {
  const [smallest, ...others] = sets.toSorted((a, b) => a.size - b.size)
  const common = new Set([...smallest!].filter((id) => others.every((set) => set.has(id))))
  return [...common].filter((id) => !parents.get(id)?.some((parent) => common.has(parent)))
}

/** What comes first is first: each node after what it waits for, its tests as soon as they can be judged. */
function ordered(project: DbtProject, steps: ReadonlyMap<string, Step>): Step[] {
  const done = new Set<string>()
  const list: Step[] = []
  const waiting = new Map<string, string[]>()
  for (const step of steps.values())
    for (const id of step.after) waiting.set(id, [...(waiting.get(id) ?? []), step.node])
  const place = (start: string): void => {
    // Depth first without recursion: chains of models may be long.
    const stack = [start]
    while (stack.length > 0) {
      const id = stack.at(-1)!
      const missing = done.has(id) ? undefined : steps.get(id)!.after.find((one) => !done.has(one))
      if (missing !== undefined) {
        stack.push(missing)
        continue
      }
      stack.pop()
      if (done.has(id)) continue
      done.add(id)
      list.push(steps.get(id)!)
      const judged = (waiting.get(id) ?? []).filter((one) => {
        const step = steps.get(one)!
        return !done.has(one) && step.kind === 'test' && step.after.every((each) => done.has(each))
      })
      stack.push(...judged.toReversed())
    }
  }
  const isJudge = (id: string) => ['test', 'unit_test', 'exposure', 'saved_query'].includes(steps.get(id)!.kind)
  const position = graphOf(project).order.filter((id) => steps.has(id))
  for (const id of position) if (!isJudge(id)) place(id)
  for (const id of [...position, ...steps.keys()]) place(id)
  return list
}

/** One line for a person. */
export function explain({ kind, name, table, materialized }: Step): string {
  switch (kind) {
    case 'model':
      return `build ${table} (${materialized})`
    case 'seed':
      return `load  ${table} (seed)`
    case 'snapshot':
      return `take  ${table} (snapshot)`
    case 'operation':
      return `do    ${name}`
    case 'exposure':
    case 'saved_query':
      return `note  ${name} (nothing to do)`
    default:
      return `test  ${name}`
  }
}
