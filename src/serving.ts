// Opens the HTTP server over the rooms. Part of the composition root.

import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import type { App } from './cli/app.ts'
import { versionOf } from './cli/index.ts'
import { callableFunctions } from './lake/index.ts'
import type { Models } from './models.ts'
import { createHttpServer, openHttpDeps, type HttpServer } from './serve/index.ts'

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
