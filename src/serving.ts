// Opens the HTTP server over the rooms. Part of the composition root.

import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { Failure } from './base/failure.ts'
import { purgeFiles } from './catalog/index.ts'
import type { App } from './cli/app.ts'
import { versionOf } from './cli/index.ts'
import { defaultCredentials, isLocal, joinLocation, localPath } from './io/index.ts'
import { callableFunctions } from './lake/index.ts'
import type { Models } from './models.ts'
import {
  createHttpServer,
  icebergRest,
  isLoopback,
  openHttpDeps,
  s3ForClients,
  type HttpServer,
  type IcebergRest,
} from './serve/index.ts'

const webDir = fileURLToPath(new URL('../web/dist', import.meta.url))

/** The first start of a store makes the administrator; `firstLink` lets in once. @throws PORT_TAKEN */
export async function startServer(app: App, models: Models): ReturnType<App['startServer']> {
  const { config, environment, clock, log, records, govern, tables, publications, lake, orchestrator } = app
  const { link } = await govern.users.ensureAdministrator({ password: config.admin.password })
  const { deps, close } = await openHttpDeps({
    config,
    environment,
    clock,
    log,
    records,
    govern,
    tables,
    publications,
    lake,
    orchestrator,
    iceberg: openIcebergRest(app),
    version: await versionOf(),
    plan: app.pipeline.plan,
    models: () => models.edges(environment),
    modelProblems: () => models.problems(environment),
    functions: callableFunctions,
    webDir,
    spoolDir: join(config.stateDir, 'spool'),
  })
  // The first page should not wait for processes to start.
  for (const name of ['plan', 'interactive'] as const)
    void app.engine.rows({ class: name, sql: 'SELECT 1' }).catch(() => {})
  const http = createHttpServer(deps)
  const server: HttpServer = {
    ...http,
    async close() {
      await http.close()
      await close()
    },
  }
  try {
    return { server, listening: await server.listen(), firstLink: link ?? null }
  } catch (error) {
    await close()
    throw error
  }
}

/** The Iceberg REST catalog over the catalog of this project. */
function openIcebergRest({ config, records, io, clock, log, tables, lakehouse, govern }: App): IcebergRest {
  const { root, pointers, catalog, isExternal } = lakehouse
  const { storage, env } = config
  const s3 = isLocal(root)
    ? undefined
    : s3ForClients({ ...storage, credentials: defaultCredentials({ env, clock }), clock })
  const isOpen = isLoopback(config.http.host) && config.http.publicUrl === undefined
  return icebergRest({
    catalog,
    govern,
    records,
    io,
    clock,
    log,
    settings: {
      name: config.name,
      environments: Object.entries(config.environments).map(([name, entry]) => ({ name, ...entry })),
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
      configOf: () => s3?.config ?? {},
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
