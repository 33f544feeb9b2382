// Opens the HTTP server over the rooms. Part of the composition root.

import { mkdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { Failure } from './base/failure.ts'
import { programFile } from './base/program.ts'
import { purgeFiles } from './catalog/index.ts'
import type { App } from './cli/app.ts'
import { ownVersion } from './cli/index.ts'
import { warmUp } from './iceberg/index.ts'
import { defaultCredentials, isLocal, joinLocation, localPath } from './io/index.ts'
import { callableFunctions, trinoView } from './lake/index.ts'
import type { Models } from './models.ts'
import {
  createHttpServer,
  createPgServer,
  icebergRest,
  isLoopback,
  openHttpDeps,
  s3ForClients,
  type HttpServer,
  type IcebergRest,
  type PgServer,
} from './serve/index.ts'

const webDir = fileURLToPath(programFile('web/dist'))

/** The first start of a store makes the administrator; `firstLink` lets in once. @throws PORT_TAKEN */
export async function startServer(app: App, models: Models): ReturnType<App['startServer']> {
  const { config, environment, clock, log, records, govern, tables, publications, lake, orchestrator } = app
  await app.applyAccessAtStart()
  const { link } = await govern.users.ensureAdministrator({ password: config.admin.password })
  const { deps, close } = await openHttpDeps({
    config,
    environment,
    environments: app.environmentList,
    clock,
    log,
    records,
    govern,
    tables,
    publications,
    lake,
    orchestrator,
    iceberg: openIcebergRest(app),
    version: ownVersion(),
    plan: app.pipeline.plan,
    models: () => models.edges(environment),
    modelProblems: () => models.problems(environment),
    modelColumns: app.insight.columns,
    functions: callableFunctions,
    webDir,
    spoolDir: join(config.stateDir, 'spool'),
  })
  // The first page should not wait for processes to start.
  for (const name of ['plan', 'interactive'] as const)
    void app.engine.rows({ class: name, sql: 'SELECT 1' }).catch(() => {})
  const http = createHttpServer(deps)
  let pg: { server: PgServer; listening: { host: string; port: number } } | undefined
  const server: HttpServer = {
    ...http,
    async close() {
      await Promise.all([http.close(), pg?.server.close()])
      await close()
    },
  }
  try {
    const listening = await server.listen()
    // Nor the first query for code that is still cold.
    void warmUp().catch((error: unknown) => log.warn('planning could not be warmed up', { error }))
    pg = await startPgServer(app)
    return { server, listening, sql: pg?.listening ?? null, firstLink: link ?? null }
  } catch (error) {
    await server.close()
    throw error
  }
}

const usualPgPort = 5439

/** The PostgreSQL endpoint. Undefined where it is switched off, or where its usual port is somebody else's. */
async function startPgServer(
  app: App,
): Promise<{ server: PgServer; listening: { host: string; port: number } } | undefined> {
  const { config, environment, clock, log, govern, lake } = app
  const { enabled, host, port, tls, plaintext, auth, connectionsMax } = config.pg
  if (!enabled) return undefined
  const databases = app.environmentList
  const server = createPgServer({
    project: config.name,
    databases,
    current: databases.find(({ name }) => name === environment.name)!,
    currentNamed: environment.writable && environment.protected,
    version: ownVersion(),
    lake,
    govern,
    clock,
    log,
    settings: {
      host,
      port: port ?? usualPgPort,
      tls: tls && { cert: await pemOf(tls.certFile), key: await pemOf(tls.keyFile) },
      plaintext,
      auth,
      connectionsMax,
      queryTimeoutMs: config.limits.queryTimeoutMs,
      timeZone: config.timezone,
    },
  })
  try {
    const listening = await server.listen()
    log.info('serving SQL clients', listening)
    return { server, listening }
  } catch (error) {
    if (port !== undefined || !(error instanceof Failure) || error.code !== 'PORT_TAKEN') throw error
    log.warn('SQL clients are not served', { reason: error.message, hint: error.hint })
    return undefined
  }
}

async function pemOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new Failure('CONFIG_INVALID', `pg.tls_cert, pg.tls_key: ${file} cannot be read`, { cause })
  }
}

/** The Iceberg REST catalog over the catalog of this project. */
function openIcebergRest(app: App): IcebergRest {
  const { config, records, io, clock, log, tables, lakehouse, govern, environmentList } = app
  const { root, pointers, catalog, isExternal } = lakehouse
  const { storage, env } = config
  const s3 = isLocal(root)
    ? undefined
    : s3ForClients({ ...storage, root, credentials: defaultCredentials({ env, clock }), clock })
  const isOpen = isLoopback(config.http.host) && config.http.publicUrl === undefined
  return icebergRest({
    catalog,
    govern,
    records,
    io,
    clock,
    log,
    trinoText: (view, options) => trinoView(app.lake, view, options),
    settings: {
      name: config.name,
      environments: environmentList,
      warehouses: config.catalog.warehouses,
      protectedWrites: config.catalog.protectedWrites,
      closed:
        isOpen || config.catalog.trustClients || !isLocal(root)
          ? undefined
          : 'tables lie on the local disk of the server, where clients of other machines cannot write; set catalog.trust_clients if they share it',
    },
    storage: {
      root,
      locations: config.catalog.locations,
      exists: async (location) => !isLocal(location) || (await io.stat(location)) !== undefined,
      async makeFolders(location) {
        if (!isLocal(location)) return
        for (const folder of ['metadata', 'data'])
          await mkdir(localPath(joinLocation(location, folder)), { recursive: true })
      },
      config: s3?.config ?? {},
      // Keys that open the whole store are not handed out; single requests are signed.
      credentialsFor: async () => [],
      ...(s3 && { signing: s3.signing }),
      async purge(dropped) {
        if (isExternal)
          throw new Failure('UNSUPPORTED', 'files are deleted by the catalog that keeps the names of these tables')
        const files = await purgeFiles({ pointers, tables, io }, dropped)
        log.info('files of a dropped table deleted', { location: dropped.metadata.location, files })
      },
    },
  })
}
