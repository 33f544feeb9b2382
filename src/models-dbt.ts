// The dbt project as the pipeline sees it. Part of the composition root.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, Failures } from './base/failure.ts'
import type { Log } from './base/log.ts'
import type { Config, Environment } from './config/index.ts'
import { systemPrincipal } from './govern/index.ts'
import { keysOfProject } from './keys.ts'
import type { ChangeSet, Key, Lake } from './lake/index.ts'
import { openNodeJournal } from './models-journal.ts'
import type { ModelEdge, Models } from './models.ts'
import {
  compileNode,
  graphOf,
  isBad,
  lineage,
  ls,
  plan,
  readTransform,
  runPlan,
  tableOf,
  tablesRead,
  type DbtProject,
  type NodeResult,
} from './transform/index.ts'

/** dbt's usual names of targets for our usual names of environments. */
const targetNames: Record<string, string> = { staging: 'test' }
const keysKeptMs = 60_000

export function openModels({ config, lake, log }: { config: Config; lake: Lake; log: Log }): Models {
  async function read(environment: Pick<Environment, 'name' | 'catalog'>) {
    if (!existsSync(join(config.dir, 'dbt_project.yml'))) return undefined
    return readTransform(config.dir, {
      target: {
        name: targetNames[environment.name] ?? environment.name,
        catalog: environment.catalog,
        threads: config.worker.concurrency,
      },
      env: config.env,
      startedAt: Date.now(),
      onLog: (level, message, place) => log[level](message, place ? { place } : {}),
    })
  }

  async function load(environment: Pick<Environment, 'name' | 'catalog'>): Promise<DbtProject | undefined> {
    const found = await read(environment)
    if (!found) return undefined
    if (found.failures.length > 0) throw new Failures(found.failures)
    graphOf(found.project)
    return found.project
  }

  const keys = new Map<string, { at: number; keys: Promise<readonly Key[]> }>()

  return {
    keys({ name, catalog }) {
      const known = keys.get(catalog)
      if (known && Date.now() - known.at < keysKeptMs) return known.keys
      const fresh = load({ name, catalog }).then(
        (project) => (project ? keysOfProject(project) : []),
        () => [],
      )
      keys.set(catalog, { at: Date.now(), keys: fresh })
      return fresh
    },

    async plan({ environment, command, select, exclude }) {
      const project = await load(environment)
      if (!project) return undefined
      const { steps } = plan(project, command, { select: [...select], exclude: [...exclude] })
      if (steps.length === 0) return undefined
      const reads = steps.flatMap(({ node }) => {
        const found = project.nodes.get(node)
        return found ? tablesRead(project, found).map(short) : []
      })
      return { reads: [...new Set(reads)] }
    },

    async build({ command, select, exclude }, { context, changes }) {
      const project = await load({ name: context.environment, catalog: context.catalog })
      if (!project) throw new Failure('MODEL_INVALID', 'dbt_project.yml is gone from the project')
      const planned = plan(project, command, { select: [...select], exclude: [...exclude] })
      const journal = await openNodeJournal(planned, context)
      // Tests alone read what is published: there are no changes to read through.
      const work = { project, lake, changes: changes as ChangeSet, principal: systemPrincipal, signal: context.signal }
      const results = await runPlan(planned, work, {
        done: journal.done,
        onStart: journal.started,
        record: journal.ended,
        onResult: (result) => tell(context.log, result),
      })
      await journal.settled()
      const bad = results.filter(isBad)
      if (bad.length > 0) throw failureOf(bad)
      return countsOf(results)
    },

    async list({ environment, select, exclude }) {
      const project = await load(environment)
      return project ? ls(project, { select, exclude }) : []
    },

    async compile({ environment, select, exclude, signal }) {
      const project = await load(environment)
      if (!project) return []
      const compiled: { uniqueId: string; file: string; sql: string }[] = []
      for (const { uniqueId, kind, file } of ls(project, { select, exclude })) {
        if (kind !== 'model' && kind !== 'test' && kind !== 'analysis') continue
        const { sql } = await compileNode(uniqueId, { project, lake, principal: systemPrincipal, signal })
        compiled.push({ uniqueId, file, sql })
      }
      return compiled
    },

    async edges(environment) {
      const project = await load(environment)
      if (!project) return []
      const { nodes, edges } = lineage(project)
      const byId = new Map(nodes.map((node) => [node.id, node]))
      return nodes.flatMap(({ id, table }): ModelEdge[] => {
        const node = project.nodes.get(id)
        if (!node || table === null) return []
        const reads = edges.filter(({ to }) => to === id).flatMap(({ from }) => byId.get(from)?.table ?? [])
        return [{ table: short(tableOf(node)), reads: reads.map(short), place: node.place }]
      })
    },

    async problems(environment) {
      const found = await read(environment)
      if (!found) return []
      if (found.failures.length > 0) return found.failures
      try {
        graphOf(found.project)
        return []
      } catch (error) {
        return error instanceof Failure ? [error] : []
      }
    },
  }
}

/** Without the catalog: `staging.stg_sales`. */
const short = (table: string): string => table.split('.').slice(-2).join('.')

function tell(log: Log, { kind, name, status, message, place, failures, rows, executionMs, code }: NodeResult): void {
  const fields = {
    [kind === 'test' ? 'test' : 'model']: name,
    message,
    durationMs: executionMs,
    rows,
    failures,
    code,
    place: place && { ...place },
  }
  const level = status === 'error' || status === 'fail' ? 'error' : status === 'warn' ? 'warn' : 'info'
  log[level](`${kind} ${status}`, Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)))
}

/** How many ended how: `{ success: 12, pass: 30 }`. */
function countsOf(results: readonly NodeResult[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status } of results) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

function failureOf(bad: readonly NodeResult[]): Failure {
  const failures = bad.map(({ status, kind, name, message, code, hint, place, compiledSql }) =>
    status === 'fail'
      ? new Failure('TEST_FAILED', `${message} in the test ${name}`, { ...(place ? { place } : {}), compiledSql })
      : new Failure(
          (code ?? 'MODEL_INVALID') as 'MODEL_INVALID',
          `${kind === 'test' ? `the test ${name}: ` : ''}${message}`,
          { ...(place ? { place } : {}), ...(hint ? { hint } : {}), compiledSql },
        ),
  )
  return failures.length === 1 ? failures[0]! : new Failures(failures)
}
