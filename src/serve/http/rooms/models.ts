// The dbt project for its pages: the graph, and one model with its columns' lineage, tests and runs.

import { keptFor } from '../../../base/kept.ts'
import { Failure } from '../../../base/failure.ts'
import type * as contract from '../../../contract/index.ts'
import type { Environment } from '../../../config/index.ts'
import type { Orchestrator, RunDetail } from '../../../orchestrate/index.ts'
import { versionedName } from '../../../project/dbt/index.ts'
import { graphOf, traceColumns, type Checked, type ColumnGraph, type DbtProject } from '../../../transform/index.ts'
import { asProblem } from '../answer.ts'

export type ModelKnowledge = { project: DbtProject; graph: ColumnGraph; checked: Checked }
export type ModelPages = {
  list(environment: Environment): Promise<contract.Models>
  /** @throws NOT_FOUND */
  get(id: string, environment: Environment): Promise<contract.Model>
}
type Last = NonNullable<contract.ModelSummary['last']>

/** Checking a project takes seconds where it is large: what was found counts for so long. */
const keptMs = 20_000
const runsRead = 20
const runsShown = 10

export function openModelPages(parts: {
  columns(options: { environment: Environment }): Promise<ModelKnowledge>
  orchestrator: Pick<Orchestrator, 'list' | 'get'>
  now(): number
}): ModelPages {
  const kept = keptFor<ModelKnowledge>(keptMs, () => parts.now())
  const known = (environment: Environment): Promise<ModelKnowledge> =>
    kept(environment.name, () => parts.columns({ environment }))
  const runsOf = async ({ name }: Environment): Promise<Map<string, Last[]>> => {
    const runs = await parts.orchestrator.list({ environment: name, limit: runsRead })
    return lastOf(await Promise.all(runs.map(({ id }) => parts.orchestrator.get(id))))
  }
  return {
    async list(environment) {
      const [{ project, checked }, runs] = await Promise.all([known(environment), runsOf(environment)])
      const { order, parents } = graphOf(project)
      const summary = summariser(project, checked, runs)
      const models = order.flatMap((id) => summary(id) ?? [])
      const exposures = [...project.exposures.keys()].flatMap((id) => summary(id) ?? [])
      const shown = new Set([...models, ...exposures].map(({ id }) => id))
      const edges = [...models, ...exposures].flatMap(({ id }) =>
        [...new Set(project.exposures.get(id)?.dependsOn ?? parents.get(id) ?? [])]
          .filter((from) => shown.has(from))
          .map((from) => ({ from, to: id })),
      )
      return { models: [...models, ...exposures], edges }
    },
    async get(id, environment) {
      const [found, runs] = await Promise.all([known(environment), runsOf(environment)])
      return modelOf(idOf(id, found.project), found, runs)
    },
  }
}

type Told = { uniqueId: string; status: string; executionMs: number }

/** What became of each node and test, newest first. A step of a build has the tests that were judged once it was there. */
function lastOf(runs: readonly RunDetail[]): Map<string, Last[]> {
  const found = new Map<string, Last[]>()
  for (const { id: runId, steps } of runs) {
    for (const { id, status, output, finishedAt: at } of steps) {
      const { result = null, judged = [] } = (output ?? {}) as { result?: Told | null; judged?: Told[] }
      const node = id.slice(id.indexOf(':') + 1)
      // Its process died, and left no more than that.
      const lost: Told[] = !result && status === 'failed' ? [{ uniqueId: node, status: 'error', executionMs: 0 }] : []
      for (const { uniqueId, status, executionMs } of [...(result ? [result] : lost), ...judged]) {
        const last = { status, at, ms: Math.round(executionMs), runId }
        found.set(uniqueId, [...(found.get(uniqueId) ?? []), last])
      }
    }
  }
  return found
}

const isShown = (kind: string): kind is 'model' | 'seed' | 'snapshot' =>
  kind === 'model' || kind === 'seed' || kind === 'snapshot'

function summariser(project: DbtProject, checked: Checked, runs: ReadonlyMap<string, Last[]>) {
  const tests = new Map<string, number>()
  for (const { kind, dependsOn, test } of project.nodes.values()) {
    if (kind !== 'test') continue
    for (const id of test?.kind === 'generic' && test.attachedTo ? [test.attachedTo] : dependsOn)
      tests.set(id, (tests.get(id) ?? 0) + 1)
  }
  const mistakesIn = (file: string | undefined) =>
    file === undefined ? 0 : checked.failures.filter(({ place }) => place?.file === file).length
  return (id: string): contract.ModelSummary | undefined => {
    const shared = { id, tests: tests.get(id) ?? 0, last: runs.get(id)?.[0] ?? null }
    const source = project.sources.get(id)
    if (source) {
      const { schema, identifier, description, tags } = source
      const name = `${source.source}.${source.name}`
      return {
        ...shared,
        name,
        kind: 'source',
        materialized: null,
        table: `${schema}.${identifier}`,
        description,
        tags,
        group: null,
        problems: 0,
      }
    }
    const exposure = project.exposures.get(id)
    if (exposure) {
      const { name, description, tags } = exposure
      return {
        ...shared,
        name,
        kind: 'exposure',
        materialized: exposure.type,
        table: null,
        description,
        tags,
        group: null,
        problems: 0,
      }
    }
    const node = project.nodes.get(id)
    if (!node || !isShown(node.kind)) return undefined
    const materialized = String(node.config['materialized'] ?? node.kind)
    return {
      ...shared,
      name: versionedName(node),
      kind: node.kind,
      materialized,
      table: materialized === 'ephemeral' ? null : `${node.schema}.${node.alias}`,
      description: node.description,
      tags: node.tags,
      group: node.group ?? null,
      problems: mistakesIn(node.file),
    }
  }
}

/** People also type the bare name, as it stands in `ref`. */
function idOf(asked: string, { nodes }: ModelKnowledge['project']): string {
  if (asked.includes('.')) return asked
  const named = [...nodes.values()].filter((node) => isShown(node.kind) && versionedName(node) === asked)
  return named.length === 1 ? named[0]!.uniqueId : asked
}

function modelOf(
  id: string,
  { project, graph, checked }: ModelKnowledge,
  runs: ReadonlyMap<string, Last[]>,
): contract.Model {
  const summary = summariser(project, checked, runs)(id)
  if (!summary) throw new Failure('NOT_FOUND', `there is no model ${id}`)
  const node = project.nodes.get(id)
  const source = project.sources.get(id)
  const lineage = graph.get(id)
  const described = new Map((node ?? source)?.columns.map((column) => [column.name.toLowerCase(), column]))
  const attached = [...project.nodes.values()].filter(
    ({ kind, test, dependsOn }) =>
      kind === 'test' &&
      (test?.kind === 'generic' && test.attachedTo ? test.attachedTo === id : dependsOn.includes(id)),
  )
  const testsOf = (column: string) =>
    attached.flatMap(({ test }) =>
      test?.kind === 'generic' && test.columnName?.toLowerCase() === column.toLowerCase() ? [test.name] : [],
    )
  const columns = lineage?.columns ?? (source?.columns ?? []).map(({ name }) => ({ name, type: null, from: [] }))
  const group =
    summary.group === null ? undefined : [...project.groups.values()].find(({ name }) => name === summary.group)
  const file = node?.file
  return {
    ...summary,
    package: (node ?? source)?.package ?? project.name,
    owner: ownerOf(group?.owner ?? node?.config['meta'] ?? project.exposures.get(id)?.owner),
    place: (node ?? source ?? project.exposures.get(id))?.place ?? null,
    template: node && node.kind !== 'seed' ? node.rawSql : null,
    compiled: checked.shapes.get(id)?.compiled?.sql ?? null,
    columns: columns.map(({ name, type, from }) => ({
      name,
      type,
      description: described.get(name.toLowerCase())?.description ?? '',
      tests: testsOf(name),
      from: from.map(({ node: model, column, how }) => ({ model, column, how })),
      into: traceColumns(project, graph, { node: id, columns: [name] }).downstream.flatMap(
        ({ node: model, column, how, from: near }) => (near.node === id ? [{ model, column, how }] : []),
      ),
    })),
    rows: (lineage?.rows ?? []).map(({ node: model, column, use }) => ({ model, column, use })),
    testList: attached.map(({ uniqueId, name, test, config, place }) => ({
      id: uniqueId,
      name: test?.kind === 'generic' ? test.name : name,
      column: (test?.kind === 'generic' ? test.columnName : undefined) ?? null,
      severity: String(config['severity'] ?? 'error').toLowerCase(),
      place,
      last: runs.get(uniqueId)?.[0] ?? null,
    })),
    runs: (runs.get(id) ?? []).slice(0, runsShown),
    mistakes: file === undefined ? [] : checked.failures.filter(({ place }) => place?.file === file).map(asProblem),
    partly: checked.partly.find(({ uniqueId }) => uniqueId === id)?.because ?? null,
  }
}

/** `owner: {name, email}`, or a text. */
function ownerOf(value: unknown): string | null {
  if (value === null || typeof value !== 'object') return null
  const { owner, name, email } = value as Record<string, unknown>
  const text = [name, email, owner].find((one) => typeof one === 'string' && one !== '')
  return typeof text === 'string' ? text : null
}
