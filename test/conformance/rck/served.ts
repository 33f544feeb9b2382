// A fresh, empty project that is served, and a token for its REST catalog.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../support/free-port.ts'
import { startServer } from '../../support/server-process.ts'

const program = fileURLToPath(new URL('../../../src/boathouse.ts', import.meta.url))

export type Served = {
  /** Of the REST catalog. */
  uri: string
  token: string
  dir: string
  /** The answer of a command with `--json`. */
  boathouse(...args: string[]): unknown
  stop(): Promise<void>
}

/**
 * `databaseUrl`: records in PostgreSQL instead of SQLite. `warehouses` beside the environments. `lab`: the variables of the
 * lab's services, when tables are to lie in its store.
 */
export async function serveProject(options: {
  warehouses: string[]
  databaseUrl?: string
  lab?: Record<string, string>
}): Promise<Served> {
  const { lab } = options
  const dir = mkdtempSync(join(tmpdir(), 'served-'))
  const port = await freePort()
  writeFileSync(
    join(dir, 'boathouse.yml'),
    `name: kit
http: {port: ${port}}
catalog:
  warehouses: [${options.warehouses.join(', ')}]
  locations: ['file://${tmpdir()}']
${options.databaseUrl === undefined ? '' : 'records: {schema: kit}\n'}${
      lab
        ? `storage: {root: 's3://${lab['LAB_S3_BUCKET']}/${basename(dir)}', endpoint: '${lab['LAB_S3_ENDPOINT']}'}\n`
        : ''
    }`,
  )
  const secrets = {
    ...(options.databaseUrl !== undefined && { DATABASE_URL: options.databaseUrl }),
    ...(lab && { AWS_ACCESS_KEY_ID: lab['AWS_ACCESS_KEY_ID'], AWS_SECRET_ACCESS_KEY: lab['AWS_SECRET_ACCESS_KEY'] }),
  }
  const lines = Object.entries(secrets).map(([name, value]) => `${name}=${value}\n`)
  if (lines.length > 0) writeFileSync(join(dir, '.env'), lines.join(''))
  const argsOf = (args: readonly string[]) => ['--disable-warning=ExperimentalWarning', program, ...args, '-C', dir]
  const server = await startServer({
    command: process.execPath,
    args: argsOf(['serve']),
    ready: async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok,
    attemptsMax: 1_200,
    stopSignal: 'SIGTERM',
  })
  const boathouse = (...args: string[]): unknown =>
    JSON.parse(execFileSync(process.execPath, argsOf([...args, '--json']), { encoding: 'utf8' }))
  const { token } = boathouse('token', 'create', 'kit') as { token: string }
  return {
    uri: `http://127.0.0.1:${port}/iceberg`,
    token,
    dir,
    boathouse,
    async stop() {
      await server.stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
