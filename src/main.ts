// The composition root: the only file that knows every room. Read it to see the whole product.

import { readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { realClock } from './base/clock.ts'
import { Failure } from './base/failure.ts'
import { programFile } from './base/program.ts'
import { applyAccess, applyAccessAtStart, jwtSettings } from './access.ts'
import { silentLog } from './base/log.ts'
import type { App, OpenOptions, Role } from './cli/app.ts'
import { openLog, resolveEnvironment, type Config, type Environment } from './config/index.ts'
import { openEngine, type HostClass } from './engine/index.ts'
import { openGovern, systemPrincipal } from './govern/index.ts'
import { openSequences, takeNumbers } from './catalog/index.ts'
import { openLake, openMaintenance, pendingMetadata, publishedMetadata } from './lake/index.ts'
import { fileLocation, openLeaseFolder } from './io/index.ts'
import { openOrchestrator } from './orchestrate/index.ts'
import { watchForRuns } from './dev.ts'
import { knownEnvironments } from './known-environments.ts'
import { openLakehouse } from './lakehouse.ts'
import { openInsight } from './insight.ts'
import { openModels } from './models-dbt.ts'
import { planRun, runDbt, stepFunctions, type PipelineDeps } from './pipeline.ts'
import { schedulesOf } from './scheduling.ts'
import { openRecords } from './records/index.ts'

/** Which engine hosts a process may start, and its part of the one memory budget. */
const hostsOf: Record<Role, { classes: HostClass[]; share: number }> = {
  serve: { classes: ['plan', 'interactive', 'heavy', 'write'], share: 0.5 },
  worker: { classes: ['plan', 'write'], share: 0.5 },
  cli: { classes: ['plan', 'interactive', 'write'], share: 0.5 },
}

/** `chosen`: an environment, or the name of one that only the records know: a fork. */
export async function open(
  settings: Config,
  chosen: Environment | string,
  { role = 'cli', quiet = false }: OpenOptions = {},
): Promise<App> {
  const clock = realClock
  const log = quiet ? silentLog : openLog(settings)
  const records = await openRecords(settings, { clock, log })
  const lakehouse = await openLakehouse(settings, { records, clock }).catch(async (error: unknown) => {
    await records.close()
    throw error
  })
  const { io, tables, publications, environments, catalog } = lakehouse
  const known = await knownEnvironments(settings, () => environments.list())
  const { config, list: environmentList } = known
  const unfollow = role === 'cli' ? undefined : known.follow(log)
  const environment = typeof chosen === 'string' ? resolveEnvironment(config, { flag: chosen }) : chosen
  const govern = openGovern({ records, clock, log, jwt: await jwtSettings(config), environments: environmentList })
  // Of this process alone, so that what a killed one left is nobody's.
  const own = await openLeaseFolder(join(settings.stateDir, 'processes'))
  const spoolDir = join(own.path, 'spool')
  const { classes, share } = hostsOf[role]
  const engine = openEngine({
    memoryBytes: Math.floor(config.limits.memoryBytes * share),
    threads: config.limits.threads,
    tempDirectory: join(own.path, 'temp'),
    tempBytes: config.limits.tempBytes,
    timeZone: config.timezone,
    directories: lakehouse.directories,
    writeDirectories: [spoolDir, join(config.stateDir, 'spool'), ...config.copyDirectories],
    classes,
    inOneProcess: role === 'cli',
    slots: config.engine.slots,
    log,
  })
  const lake = openLake({
    engine,
    io,
    tables,
    publications,
    clock,
    log,
    lakeRoot: lakehouse.root,
    ...(lakehouse.files ? { files: lakehouse.files } : {}),
    spoolDir,
    environments: environmentList,
    limits: {
      queryTimeoutMs: config.limits.queryTimeoutMs,
      queryRowsMax: config.limits.queryRows,
      perPrincipal: config.limits.perPrincipal,
      cacheBytes: config.results.cacheBytes,
      manifestBytes: 128 * 2 ** 20,
    },
    keysOf: async (name) => {
      const found = Object.entries(config.environments).find(([, entry]) => entry.catalog === name)
      return found ? models.keys({ name: found[0], catalog: name }) : []
    },
    namespaces: (name) => catalog.namespaces(name),
    createNamespace: (name, namespace) => catalog.createNamespace(name, namespace),
    dropNamespace: (name, namespace) => catalog.dropNamespace(name, namespace),
    namespace: (name, namespace) => catalog.namespace(name, namespace),
    updateNamespace: (name, namespace, change) => catalog.updateNamespace(name, namespace, change),
    takeNumbers: (of, wanted) => takeNumbers(records, of, wanted),
    sequences: openSequences(records),
    access: { access: govern.access, owners: govern.owners },
    logs: { audit: govern.audit, queries: govern.queries },
    grants: govern.access,
    maintenance: openMaintenance({
      catalog,
      files: lakehouse.files,
      io,
      engine,
      clock,
      spoolDir,
      pendingMetadata: () => pendingMetadata(records),
      publishedMetadata: (since) => publishedMetadata(records, since),
    }),
    register: async (name, file, by) => {
      await catalog.createNamespace(name.catalog, name.namespace)
      return catalog.register(name, file.startsWith('/') ? fileLocation(file) : file, { kind: 'table', by })
    },
    copyDirectories: config.copyDirectories,
    results: { folder: join(config.stateDir, 'results'), bytesMax: config.results.diskBytes },
    resultsStamp: `${config.timezone} ${await installedVersions()}`,
    audit: async (entry) => {
      const { principal: who, door, action, sql, tables: read, verdict, ms, cached, catalog: inCatalog } = entry
      const [rows, failureCode, requestId] = [
        entry.rows ?? undefined,
        entry.failureCode ?? undefined,
        entry.requestId ?? undefined,
      ]
      await govern.audit.record({
        principal: who,
        door,
        action,
        verdict,
        sql,
        tables: read,
        rows,
        ms,
        requestId,
        failureCode,
        catalog: inCatalog,
        snapshots: entry.snapshots,
      })
      await govern.queries.record({
        principal: who,
        door,
        catalog: inCatalog,
        sql,
        tables: read,
        rows,
        ms,
        cached,
        requestId,
        failureCode,
      })
    },
  })
  const principal = role === 'cli' ? { id: 'cli', name: localUser(), role: 'admin' as const } : systemPrincipal
  const ingest = { lake, projectDir: config.dir, spoolDir }
  const models = openModels({ config, lake, log, records, clock })
  const pipeline: PipelineDeps = { config, lake, ingest, models, publications }
  const orchestrator = openOrchestrator({
    records,
    clock,
    log,
    redisUrl: config.redis.url,
    secrets: config.secrets,
    steps: stepFunctions(pipeline),
  })
  const app: App = {
    config,
    environment,
    principal,
    clock,
    log,
    records,
    io,
    engine,
    lakehouse,
    tables,
    publications,
    environments,
    environmentList,
    govern,
    lake,
    ingest,
    orchestrator,
    pipeline: { plan: (options) => planRun(pipeline, options), list: models.list, compile: models.compile },
    insight: openInsight({ lake, models }),
    dbtRun: (request) => runDbt({ ...pipeline, orchestrator }, request),
    environmentNamed: (name) => (name === environment.name ? environment : resolveEnvironment(config, { flag: name })),
    async startWorker(workerId) {
      const worker = await orchestrator.startWorker({
        workerId,
        concurrency: config.worker.concurrency,
        ...(config.schedules.enabled ? { schedules: schedulesOf(config, pipeline, log) } : {}),
        retention: { logsMs: config.log.retentionMs, auditMs: config.log.auditRetentionMs },
      })
      const sweep = () =>
        void govern
          .sweep({ auditMs: config.log.auditRetentionMs, queriesMs: config.log.retentionMs })
          .then(() => publications.discardAbandoned(abandonedMs))
          .catch((error: unknown) => log.warn('old rows could not be deleted', { error }))
      const sweeping = setInterval(sweep, 3_600_000)
      return {
        id: worker.id,
        async stop() {
          clearInterval(sweeping)
          await worker.stop()
        },
      }
    },
    // Pages and their protocols are read by the process that serves them, not by every command.
    startServer: async () => (await import('./serving.ts')).startServer(app, models),
    watchProject: (signal, onChange) => watchForRuns(config, signal, onChange),
    async checkQueue() {
      const redis = await orchestrator.redis()
      if (redis === 'down')
        throw new Failure('RECORDS_FAILED', 'Redis does not answer', {
          hint: 'Check REDIS_URL; until it answers, workers poll the records.',
        })
      return redis === 'ok' ? 'Redis answers' : 'embedded, in the records'
    },
    applyAccess: (options = {}) => applyAccess({ dir: config.dir, govern, by: principal, ...options }),
    applyAccessAtStart: () => applyAccessAtStart({ dir: config.dir, govern, by: systemPrincipal, log }),
    asking: (door) => ({ principal, catalog: environment.catalog, door, environmentNamed: environment.writable }),
    async close() {
      unfollow?.()
      await orchestrator.close()
      await engine.close()
      await own.close()
      await lakehouse.close()
      await govern.close()
      await records.close()
    },
  }
  return app
}

/** No statement and no transaction takes so long; what they wrote is an orphan then, and maintenance need not keep it. */
const abandonedMs = 86_400_000

/** Results of another program or engine may differ. */
async function installedVersions(): Promise<string> {
  const text = await readFile(programFile('package.json'), 'utf8')
  const { version, dependencies } = JSON.parse(text) as { version: string; dependencies: Record<string, string> }
  return `${version} ${dependencies['@duckdb/node-api']}`
}

function localUser(): string {
  try {
    return userInfo().username
  } catch {
    return 'cli' // a container may run under a uid without a name
  }
}
