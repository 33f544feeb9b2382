// Opening a dbt project for one environment, and looking at it.

import { Failures } from '../base/failure.ts'
import {
  isTable,
  diskFiles,
  plainNames,
  readDbtProject,
  type DbtNode,
  type DbtProject,
  type ProjectFiles,
  type ProjectOptions,
  type Target,
} from '../project/dbt/index.ts'
import { graphOf } from './graph.ts'
import { tableOf } from './plan.ts'
import { select, type Selection } from './select.ts'

export type LoadOptions = {
  /** The dbt target: its name, the catalog of its environment, and what a profile says besides (schema: `main`). */
  target: { name: string; catalog: string } & Partial<Target>
  vars?: Record<string, unknown>
  env?: Readonly<Record<string, string | undefined>>
  fullRefresh?: boolean
  command?: string
  /** Everything else that `flags` shows; `others` by dbt's names (`event_time_start`). */
  flags?: Partial<ProjectOptions['flags']>
  /** The run's start in milliseconds: what `run_started_at` says. */
  startedAt?: number
  invocationId?: string
  files?: ProjectFiles
  cache?: ProjectOptions['cache']
  onLog?: ProjectOptions['onLog']
}

/** The project and what is wrong with it; for editors and checks that show everything at once. */
export async function readTransform(dir: string, options: LoadOptions) {
  const { target } = options
  return readDbtProject(options.files ?? diskFiles(dir), dir, {
    target: {
      name: target.name,
      database: target.database ?? target.catalog,
      catalog: target.catalog,
      type: 'duckdb',
      schema: target.schema ?? 'main',
      profile: target.profile ?? 'boathouse',
      threads: target.threads ?? 1,
    },
    vars: options.vars ?? {},
    env: options.env ?? {},
    flags: {
      fullRefresh: options.fullRefresh ?? false,
      command: options.command ?? 'build',
      storeFailures: false,
      empty: false,
      ...options.flags,
    },
    startedAt: options.startedAt ?? Date.now(),
    invocationId: options.invocationId ?? '00000000-0000-0000-0000-000000000000',
    ...(options.cache && { cache: options.cache }),
    onLog: options.onLog ?? (() => {}),
  })
}

/** @throws Failures with every mistake of the project; GRAPH_CYCLE when models read each other in a circle */
export async function loadProject(dir: string, options: LoadOptions): Promise<DbtProject> {
  const { project, failures } = await readTransform(dir, options)
  if (failures.length > 0) throw new Failures(failures)
  graphOf(project)
  return project
}

/** Unique ids in building order, sources included. */
export const topologicalOrder = (project: DbtProject): readonly string[] => graphOf(project).order

export type Listed = {
  uniqueId: string
  kind: DbtNode['kind'] | 'source'
  name: string
  package: string
  fqn: string
  file: string
  table: string | null
  materialized: string | null
  tags: string[]
}

/** What `ls` prints: the selected nodes and sources. */
export function ls(project: DbtProject, selection: Selection = {}): Listed[] {
  return select(project, selection).map((id) => {
    const source = project.sources.get(id)
    if (source) {
      return {
        uniqueId: id,
        kind: 'source' as const,
        name: source.name,
        package: source.package,
        fqn: source.fqn.join('.'),
        file: source.file,
        table: `${source.database}.${source.schema}.${source.identifier}`,
        materialized: null,
        tags: source.tags,
      }
    }
    const node = project.nodes.get(id)!
    const isStored = isTable(node) && node.config['materialized'] !== 'ephemeral'
    return {
      uniqueId: id,
      kind: node.kind,
      name: node.name,
      package: node.package,
      fqn: node.fqn.join('.'),
      file: node.file,
      table: isStored ? tableOf(node) : null,
      materialized: String(node.config['materialized']),
      tags: node.tags,
    }
  })
}

export type Lineage = {
  nodes: { id: string; kind: DbtNode['kind'] | 'source'; name: string; table: string | null; description: string }[]
  /** From what is read to what reads it. */
  edges: { from: string; to: string }[]
}

/** Tables and models and who reads whom, tests left out. Plain names that are no model are tables of the lake: `table:raw.sales`. */
export function lineage(project: DbtProject): Lineage {
  const nodes = ls(project).filter(({ kind }) => kind !== 'test')
  const edges = nodes.flatMap(({ uniqueId }) =>
    (project.nodes.get(uniqueId)?.dependsOn ?? []).map((from) => ({ from, to: uniqueId })),
  )
  const known = new Set(nodes.flatMap(({ table }) => (table ? [table.toLowerCase()] : [])))
  const plain = new Map<string, Lineage['nodes'][number]>()
  for (const { uniqueId } of nodes) {
    const node = project.nodes.get(uniqueId)
    if (!node) continue
    for (const table of tablesRead(project, node)) {
      if (known.has(table.toLowerCase())) continue
      const id = `table:${table}`
      plain.set(id, { id, kind: 'source', name: table.split('.').at(-1)!, table, description: '' })
      edges.push({ from: id, to: uniqueId })
    }
  }
  return {
    nodes: [
      ...nodes.map(({ uniqueId, kind, name, table }) => ({
        id: uniqueId,
        kind,
        name,
        table,
        description: (project.nodes.get(uniqueId) ?? project.sources.get(uniqueId))!.description,
      })),
      ...plain.values(),
    ],
    edges,
  }
}

const made = new WeakMap<DbtProject, ReadonlySet<string>>()

/** Full names of what nodes become, in lower case. */
function tablesMade(project: DbtProject): ReadonlySet<string> {
  const known = made.get(project)
  if (known) return known
  const names = new Set(
    Array.from(project.nodes.values(), (each) => (each.kind === 'test' ? '' : tableOf(each).toLowerCase())),
  )
  made.set(project, names)
  return names
}

/**
 * Full names of the tables outside the project that building a node reads: by `source()`, by plain name, and through
 * the ephemeral models that are inlined in it.
 */
export function tablesRead(project: DbtProject, node: DbtNode): string[] {
  const { database } = project.target
  const models = tablesMade(project)
  const found = new Set<string>()
  const seen = new Set<DbtNode>()
  const visit = (each: DbtNode): void => {
    if (seen.has(each)) return
    seen.add(each)
    for (const name of plainNames(each.rawSql)) {
      const full = name.split('.').length === 2 ? `${database}.${name}` : name
      if (!models.has(full.toLowerCase())) found.add(full)
    }
    for (const id of each.dependsOn) {
      const source = project.sources.get(id)
      const parent = project.nodes.get(id)
      if (source) found.add(`${source.database}.${source.schema}.${source.identifier}`)
      else if (parent?.config['materialized'] === 'ephemeral') visit(parent)
    }
  }
  visit(node)
  return [...found]
}
