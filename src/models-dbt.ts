// The dbt project as the pipeline sees it. Part of the composition root.

import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { keptFor } from './base/kept.ts'
import { Failure, Failures } from './base/failure.ts'
import type { Clock } from './base/clock.ts'
import type { Log } from './base/log.ts'
import type { Config, Environment } from './config/index.ts'
import { systemPrincipal } from './govern/index.ts'
import { keysOfProject } from './keys.ts'
import type { Key, Lake } from './lake/index.ts'
import { planOf, runBuild } from './models-run.ts'
import type { BuildInput } from './cli/dbt-run.ts'
import type { ModelEdge, Models } from './models.ts'
import type { Records } from './records/index.ts'
import { parseCacheFile, readProfile } from './project/dbt/index.ts'
import {
  compileNode,
  graphOf,
  lineage,
  ls,
  readTransform,
  tableOf,
  tablesRead,
  type DbtProject,
} from './transform/index.ts'

/** dbt's usual names of targets for our usual names of environments. */
const targetNames: Record<string, string> = { staging: 'test' }
const keysKeptMs = 60_000
/** A page asks several times for what it shows. */
const readKeptMs = 2_000

type Parts = { config: Config; lake: Lake; log: Log; records: Records; clock: Clock }

export function openModels({ config, lake, log, records, clock }: Parts): Models {
  async function read(environment: Pick<Environment, 'name' | 'catalog'>, reading: BuildInput['reading'] = {}) {
    if (!existsSync(join(config.dir, 'dbt_project.yml'))) return undefined
    const name = reading.target?.name ?? targetNames[environment.name] ?? environment.name
    const request = { dir: config.dir, vars: reading.vars ?? {}, env: config.env, home: homedir() }
    // An environment need not be a target of the profile; then the profile's own gives the names.
    const profile = await readProfile({ ...request, target: name }).catch(() => readProfile(request))
    return readTransform(config.dir, {
      target: {
        ...(profile?.target ?? { threads: config.worker.concurrency }),
        name,
        ...reading.target,
        catalog: environment.catalog,
      },
      ...(reading.vars && { vars: reading.vars }),
      ...(reading.flags && { flags: reading.flags }),
      env: config.env,
      startedAt: Date.now(),
      cache: { file: parseCacheFile(config.stateDir, config.dir), isFresh: false },
      onLog: (level, message, place) => log[level === 'print' ? 'info' : level](message, place ? { place } : {}),
    })
  }

  async function load(
    environment: Pick<Environment, 'name' | 'catalog'>,
    reading?: BuildInput['reading'],
  ): Promise<DbtProject | undefined> {
    return ofFound(await read(environment, reading))
  }

  function ofFound(found: Awaited<ReturnType<typeof read>>): DbtProject | undefined {
    if (!found) return undefined
    if (found.failures.length > 0) throw new Failures(found.failures)
    graphOf(found.project)
    return found.project
  }

  const recent = keptFor<Awaited<ReturnType<typeof read>>>(readKeptMs, Date.now)
  /** For pages: the project as it was read a moment ago. Nobody changes it. */
  const readLately = (environment: Pick<Environment, 'name' | 'catalog'>): ReturnType<typeof read> =>
    recent(environment.name, () => read(environment))

  const keys = keptFor<readonly Key[]>(keysKeptMs, Date.now)

  return {
    project: load,

    keys: ({ name, catalog }) =>
      keys(catalog, () =>
        load({ name, catalog }).then(
          (project) => (project ? keysOfProject(project) : []),
          () => [],
        ),
      ),

    async plan({ environment, ...input }) {
      const project = await load(environment, input.reading)
      if (!project) return undefined
      const { steps } = planOf(project, input)
      if (steps.length === 0) return undefined
      const reads = steps.flatMap(({ node }) => {
        const found = project.nodes.get(node)
        return found ? tablesRead(project, found).map(short) : []
      })
      return { reads: [...new Set(reads)] }
    },

    build: (input, options) =>
      runBuild(input, options, {
        lake,
        records,
        clock,
        load: ({ reading }, environment) => load(environment, reading),
      }),

    async list({ environment, select, exclude }) {
      const project = await load(environment)
      return project ? ls(project, { select, exclude }) : []
    },

    async compile({ environment, select, exclude, signal }) {
      const project = await load(environment)
      if (!project) return []
      const compiled: { uniqueId: string; file: string; sql: string }[] = []
      for (const { uniqueId, kind, file } of ls(project, { select, exclude })) {
        if (kind === 'seed' || kind === 'snapshot' || kind === 'function') continue
        const { sql } = await compileNode(uniqueId, { project, lake, principal: systemPrincipal, signal })
        compiled.push({ uniqueId, file, sql })
      }
      return compiled
    },

    async edges(environment) {
      const project = ofFound(await readLately(environment))
      if (!project) return []
      const { nodes, edges } = lineage(project)
      const byId = new Map(nodes.map((node) => [node.id, node]))
      const above = Map.groupBy(edges, ({ to }) => to)
      return nodes.flatMap(({ id, table }): ModelEdge[] => {
        const node = project.nodes.get(id)
        if (!node || table === null) return []
        const reads = (above.get(id) ?? []).flatMap(({ from }) => byId.get(from)?.table ?? [])
        return [{ table: short(tableOf(node)), reads: reads.map(short), place: node.place }]
      })
    },

    async problems(environment) {
      const found = await readLately(environment)
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
