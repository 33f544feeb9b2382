// The real rooms behind the routes. `main` calls this once for the process that serves.

import type { Clock } from '../../../base/clock.ts'
import { Failure } from '../../../base/failure.ts'
import type { Log } from '../../../base/log.ts'
import type { Publications, Tables } from '../../../catalog/index.ts'
import { assertWritable, ownFolders, resolveEnvironment, type Config, type Environment } from '../../../config/index.ts'
import type * as contract from '../../../contract/index.ts'
import type { Event } from '../../../contract/index.ts'
import { loadDashboardData, loadFilterValues, type CompiledDashboard } from '../../../dashboards/index.ts'
import { authorise, decide, mayAct, mayKnow, seesAll, type Govern } from '../../../govern/index.ts'
import { checkAccess, type Lake } from '../../../lake/index.ts'
import { nextFire, type Orchestrator, type RunRequest } from '../../../orchestrate/index.ts'
import type { Records } from '../../../records/index.ts'
import { modelOf } from '../../../semantic/index.ts'
import type { IcebergRest } from '../../iceberg-rest/index.ts'
import { asProblem } from '../answer.ts'
import type { Asker, HttpDeps, HttpSettings } from '../deps.ts'
import { connectTexts } from './connect.ts'
import { openLiveProject, type LiveProject } from './live-project.ts'
import { followNews } from './news.ts'
import { getPublication, listPublications } from './publications.ts'
import { cronInWords, lineOf, readTail, runOf, stepsOf } from './runs.ts'
import { openModelPages, type ModelKnowledge } from './models.ts'
import { lineageOf, listLoaded, summaryOf, tableOf, updatedAt, type ModelEdge, type OtherEdges } from './tables.ts'
import { addUpload } from './upload.ts'

type PlanOptions = {
  environment: Environment
  kind: 'run' | 'ingest' | 'build' | 'test'
  select?: readonly string[]
  by: string
}

/** Mistakes in the files of the project are for those who may look at it. */
const looking = { kind: 'project', name: 'of this server' } as const
/** Not a source or a dashboard, which stand beside tables in lineage. */
const isRelation = ({ kind }: { kind: string }) => kind === 'table' || kind === 'view'

export type Rooms = {
  config: Config
  /** Of the process: what `resolveEnvironment` gave. */
  environment: Environment
  /** All of them, as they are now: forks come and go. */
  environments: HttpDeps['about']['environments']
  version: string
  clock: Clock
  log: Log
  records: Records
  govern: Govern
  tables: Tables
  publications: Publications
  lake: Lake
  orchestrator: Orchestrator
  iceberg: IcebergRest
  plan(options: PlanOptions): Promise<Omit<RunRequest, 'trigger'>>
  /** The dbt models as they are now: for lineage, and for places of steps. */
  models?(): Promise<readonly ModelEdge[]>
  /** Mistakes in the files of the dbt project, as they are now. */
  modelProblems?(): Promise<readonly Failure[]>
  /** The dbt project with what binds in it and the lineage of its columns. */
  modelColumns(options: { environment: Environment }): Promise<ModelKnowledge>
  /** Names that SQL may call, for completion. */
  functions: readonly string[]
  webDir: string
  spoolDir: string
  /** Follow the project's files; true unless told. */
  watch?: boolean
  limits?: HttpSettings['limits']
}

/** `close` ends the watching and following; the rooms stay open. */
export async function openHttpDeps(rooms: Rooms): Promise<{ deps: HttpDeps; close(): Promise<void> }> {
  const { config, clock, log, records, lake, tables, orchestrator } = rooms
  const stop = new AbortController()
  const listeners = new Set<(event: Event) => void>()
  const deliver = (event: Event) => listeners.forEach((listener) => listener(event))
  const emit = (event: Event) => {
    deliver(event)
    if (event.kind === 'published') project.tablesChanged()
  }
  const { environments } = rooms
  const environmentOf = (catalog: string) => environments.find((one) => one.catalog === catalog)?.name ?? catalog
  const store = { records, pointers: tables, environmentOf }

  const project: LiveProject = await openLiveProject({
    dir: config.dir,
    ignore: ownFolders(config),
    catalog: rooms.environment.catalog,
    bind: (catalog) => (sql) => lake.bind(sql, { principal: checker, catalog, door: 'dashboard' }),
    emit: deliver,
    signal: stop.signal,
    log,
    ...(rooms.watch === undefined ? {} : { watch: rooms.watch }),
  })
  const following = followNews({ orchestrator, records, environmentOf, emit, clock, log, signal: stop.signal })

  /** As the command line would have it: naming an environment is what allows to write a protected one. */
  const writableOf = ({ environment, environmentNamed }: Asker): Environment => {
    if (!environmentNamed && environment.name === rooms.environment.name) return rooms.environment
    return resolveEnvironment(config, { flag: environment.name })
  }

  async function edges(catalog: string): Promise<OtherEdges> {
    const [{ project: files }, dashboards] = await Promise.all([project.current(), project.dashboards(catalog)])
    return {
      sources: files.sources.map((source) => ({
        name: source.value.name,
        table: source.value.table,
        place: source.at([]),
      })),
      dashboards: [...dashboards.values()].map((one) => ({ name: one.definition.name, reads: tablesRead(one) })),
    }
  }

  async function models(): Promise<readonly ModelEdge[]> {
    try {
      return (await rooms.models?.()) ?? []
    } catch (error) {
      log.debug('lineage not known', { reason: (error as Error).message }) // a mistake in a model is told elsewhere
      return []
    }
  }

  async function dashboardSummaries({ environment }: Asker): Promise<contract.DashboardSummary[]> {
    const all = [...(await project.dashboards(environment.catalog)).values()]
    const loaded = new Map(
      (await listLoaded(tables, environment.catalog)).map((one) => [`${one.name.namespace}.${one.name.name}`, one]),
    )
    return all.map((one) => {
      const { name, title, description, file, layout, problems } = one.definition
      const times = tablesRead(one).flatMap((table) => {
        const found = loaded.get(table)
        return (found?.kind === 'table' && updatedAt(found)) || []
      })
      const panels = new Set(layout.flatMap(({ cells }) => cells.map(({ panel }) => panel))).size
      return {
        name,
        title,
        description,
        file,
        panels,
        problems: problems.length,
        committedAt: times.sort().at(-1) ?? null,
      }
    })
  }

  const pages = openModelPages({ columns: rooms.modelColumns, orchestrator, now: clock.now })

  async function enqueue(planned: Omit<RunRequest, 'trigger'>, trigger: RunRequest['trigger']): Promise<contract.Run> {
    return runOf(await orchestrator.enqueue({ ...planned, trigger }))
  }

  const deps: HttpDeps = {
    about: {
      version: rooms.version,
      project: { name: config.name, description: null, timezone: config.timezone },
      environment: rooms.environment.name,
      environmentNamed: rooms.environment.chosenBy === '--env' || rooms.environment.chosenBy === 'BOATHOUSE_ENV',
      environments,
      features: { upload: true, environments: true, sqlWrites: true },
    },
    govern: rooms.govern,
    health: {
      db: () => records.check(),
      redis:
        config.redis.url === undefined
          ? null
          : async () => {
              if ((await orchestrator.redis()) === 'down') throw new Failure('RECORDS_FAILED', 'Redis does not answer')
            },
    },
    lake,

    catalog: {
      async list({ principal, environment }) {
        const policy = await rooms.govern.access.policy()
        const known = (await listLoaded(tables, environment.catalog)).filter(({ name }) =>
          mayKnow(policy, principal, name),
        )
        const summaries = known.map((one) => summaryOf(one, decide(policy, principal, 'select', one.name)))
        const byNamespace = Map.groupBy(summaries, ({ namespace }) => namespace)
        const namespaces = [...byNamespace].map(([name, list]) => ({
          name,
          tables: list.sort((a, b) => (a.name < b.name ? -1 : 1)),
        }))
        return {
          catalog: environment.catalog,
          namespaces: namespaces.sort((a, b) => (a.name < b.name ? -1 : 1)),
          functions: [...rooms.functions],
        }
      },
      async table({ namespace, name }, { environment, principal }) {
        const { catalog } = environment
        const policy = await rooms.govern.access.policy()
        const knows = (one: { namespace: string; name: string }) => mayKnow(policy, principal, { ...one, catalog })
        const found = knows({ namespace, name }) ? await tables.load({ catalog, namespace, name }) : undefined
        if (!found) throw new Failure('TABLE_NOT_FOUND', `there is no table ${namespace}.${name} in ${catalog}`)
        const own = `${found.name.namespace}.${found.name.name}`
        const known = lineageOf(own, await models(), await edges(catalog), await tables.list(catalog))
        const decision = decide(policy, principal, 'select', found.name)
        const table = await tableOf(found, { ...known, records }, decision)
        const upstream = table.lineage.upstream.filter((one) => !isRelation(one) || knows(one))
        const downstream = table.lineage.downstream.filter((one) => !isRelation(one) || knows(one))
        return seesAll(decision) ? table : { ...table, lineage: { upstream, downstream } }
      },
    },

    models: {
      async list(asker) {
        authorise(asker.principal, 'read', looking)
        return pages.list(writableOf(asker))
      },
      async get(id, asker) {
        authorise(asker.principal, 'read', looking)
        return pages.get(id, writableOf(asker))
      },
    },

    async checkAccess({ user, table, action }, { environment: { catalog }, signal }) {
      const { id, name, role } = await rooms.govern.users.get(user)
      const [namespace, ...rest] = table.split('.')
      const loaded = await tables.load({ catalog, namespace: namespace!, name: rest.join('.') })
      if (!loaded) throw new Failure('TABLE_NOT_FOUND', `there is no table ${table} in ${catalog}`)
      const { queryTimeoutMs, queryRows: queryRowsMax, perPrincipal } = config.limits
      const { verdict, because, shown, filters, limits, sql, problem } = await checkAccess(
        { principal: { id, name, role }, loaded, action },
        {
          policy: await rooms.govern.access.policy(),
          limits: { queryTimeoutMs, queryRowsMax, perPrincipal },
          bind: (text, principal) => lake.bind(text, { principal, catalog, door: 'http', signal }),
        },
      )
      return {
        user: name,
        table: `${loaded.name.namespace}.${loaded.name.name}`,
        action,
        verdict,
        because: [...because],
        columns: shown,
        filters: [...filters],
        limits: Object.entries(limits).map(([limit, { most, setBy }]) => ({ name: limit, most, setBy })),
        sql,
        problem,
      }
    },

    dashboards: {
      list: async (asker) => ({
        dashboards: await dashboardSummaries(asker),
        problems: mayAct(asker.principal, 'read', looking) ? await project.problems() : [],
      }),
      async get(name, { environment, principal }) {
        const { definition } = await project.dashboard(name, environment.catalog)
        // What is wrong was found with all rights: it may name columns of tables that the asker may not know.
        return mayAct(principal, 'read', looking) ? definition : { ...definition, problems: [] }
      },
      data: async (name, { filters, panels, asOf }, { environment, principal, requestId, signal }) =>
        await loadDashboardData({
          dashboard: await project.dashboard(name, environment.catalog),
          filters,
          panels,
          lake,
          principal,
          catalog: environment.catalog,
          asOf,
          requestId,
          clock,
          log,
          signal,
        }),
      values: async (name, filter, { search, limit, asOf }, { environment, principal, signal }) =>
        await loadFilterValues({
          dashboard: await project.dashboard(name, environment.catalog),
          filter,
          search,
          limit,
          lake,
          principal,
          catalog: environment.catalog,
          asOf,
          clock,
          signal,
        }),
    },

    runs: {
      async list({ limit, before }, { environment }) {
        const found = await orchestrator.list({
          environment: environment.name,
          limit: limit + 1,
          ...(before === undefined ? {} : { before }),
        })
        const shown = found.slice(0, limit)
        return { runs: shown.map(runOf), next: found.length > limit ? shown.at(-1)!.id : null }
      },
      async start({ select }, asker) {
        const by = asker.principal.name
        const planned = await rooms.plan({
          environment: writableOf(asker),
          kind: 'run',
          select: select?.trim().split(/\s+/) ?? [],
          by,
        })
        return await enqueue(planned, { kind: 'manual', by })
      },
      async get(id) {
        const run = await orchestrator.get(id)
        const [lines, publication, places] = await Promise.all([
          readTail(orchestrator, id),
          run.publicationId === null ? undefined : getPublication(run.publicationId, store),
          placesOfAssets(),
        ])
        return { ...runOf(run), steps: stepsOf(run, lines, places), publication: publication ?? null }
      },
      async log(id, options) {
        const { lines, next, ended } = await orchestrator.logs(id, options)
        return { lines: lines.map(lineOf), next, ended }
      },
      cancel: async (id) => runOf(await orchestrator.cancel(id)),
      async retry(id, { principal }) {
        const old = await orchestrator.get(id)
        const kind = (['run', 'ingest', 'build', 'test'] as const).find((one) => one === old.kind)
        if (!kind) throw new Failure('UNSUPPORTED', `a run of the kind ${old.kind} cannot be repeated`)
        const environment = resolveEnvironment(config, { flag: old.environment })
        const planned = await rooms.plan({
          environment,
          kind,
          select: old.selection?.split(/\s+/) ?? [],
          by: principal.name,
        })
        return await enqueue(planned, { kind: 'retry', by: principal.name, runId: id })
      },
      schedules: async () => ({ schedules: await listSchedules() }),
    },

    publications: {
      list: ({ limit }, { environment }) => listPublications({ catalog: environment.catalog, limit }, store),
      async rollback(id, { principal }) {
        const undone = await rooms.publications.rollback(id, principal.name)
        return (await getPublication(undone.id, store))!
      },
    },

    uploads: {
      async add(upload, asker) {
        const environment = writableOf(asker)
        assertWritable(environment)
        const { name, file } = await addUpload(config.dir, upload)
        const by = asker.principal.name
        const run = await enqueue(await rooms.plan({ environment, kind: 'ingest', select: [name], by }), {
          kind: 'upload',
          by,
        })
        return { source: name, file, runId: run.id }
      },
    },

    iceberg: rooms.iceberg,
    async connect({ environment, principal }, baseUrl) {
      const policy = await rooms.govern.access.policy()
      const known = (await tables.list(environment.catalog)).filter(({ name }) => mayKnow(policy, principal, name))
      const names = known.map(({ name }) => `${name.namespace}.${name.name}`)
      const table = names.find((name) => name.startsWith('marts.')) ?? names[0] ?? 'marts.my_table'
      return connectTexts({ config, environment, baseUrl, table, version: rooms.version })
    },
    async problems() {
      return [...(await project.problems()), ...((await rooms.modelProblems?.()) ?? []).map(asProblem)]
    },
    events(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    settings: {
      host: config.http.host,
      port: config.http.port,
      publicUrl: config.http.publicUrl,
      webDir: rooms.webDir,
      spoolDir: rooms.spoolDir,
      uploadBytesMax: config.limits.uploadBytes,
      queryTimeoutMs: config.limits.queryTimeoutMs,
      ...(rooms.limits ? { limits: rooms.limits } : {}),
    },
    clock,
    log,
  }
  return {
    deps,
    async close() {
      stop.abort()
      await following
    },
  }

  async function placesOfAssets(): Promise<Map<string, contract.Place>> {
    const { project: files } = await project.current()
    return new Map([
      ...files.sources.map((source): [string, contract.Place] => [source.value.table, source.at([])]),
      ...(await models()).flatMap(({ table, place }): [string, contract.Place][] => (place ? [[table, place]] : [])),
    ])
  }

  async function listSchedules(): Promise<contract.Schedule[]> {
    const [{ project: files }, states] = await Promise.all([project.current(), orchestrator.scheduleStates()])
    return await Promise.all(
      files.schedules.map(async (schedule) => {
        const { name, cron, select, enabled } = schedule.value
        const timezone = schedule.value.timezone ?? config.timezone
        const environment = schedule.value.environment ?? config.environment.name
        const state = states.find((one) => one.name === name && one.environment === environment)
        const fires = enabled && config.schedules.enabled && state?.paused !== true
        const last = await records.catalog
          .selectFrom('runs')
          .select('id')
          .where('schedule', '=', name)
          .where('environment', '=', environment)
          .orderBy('id', 'desc')
          .limit(1)
          .executeTakeFirst()
        return {
          name,
          cron,
          timezone,
          environment,
          words: cronInWords(cron),
          select: select.length > 0 ? select.join(' ') : null,
          enabled: fires,
          nextAt: fires ? (nextFire({ name, cron, timezone, environment }, clock.now()) ?? null) : null,
          lastRun: last ? runOf(await orchestrator.get(last.id)) : null,
          place: schedule.at([]),
        }
      }),
    )
  }
}

/** Checking a dashboard's columns is nobody's question: it runs nothing and shows nothing. */
const checker = { id: 'system', name: 'system', role: 'system' } as const

/** Tables that the panels' metrics are about, as `namespace.name`; what SQL panels read is known only when they are asked. */
function tablesRead({ asks, models }: CompiledDashboard): string[] {
  const found = [...asks.values()].flatMap((ask) => {
    if (ask.kind === 'sql') return []
    const { model } = ask.question
    try {
      const metrics = ask.kind === 'metrics' ? (ask.question.metrics ?? []) : []
      return [modelOf({ model, metrics, dimensions: [] }, models).table.split('.').slice(-2).join('.')]
    } catch {
      return [] // the panel itself says what is wrong
    }
  })
  return [...new Set(found)]
}
