// A Trino of the lab, started for one test file with no catalogs; a test adds those it is about.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../support/free-port.ts'
import { startServer } from '../../support/server-process.ts'
import { findJava, labVariables, runLab } from './lab.ts'

export type Trino = {
  version: string
  addCatalog(name: string, properties: Record<string, string>): Promise<void>
  /** Runs one statement to its end. Decimals, dates and times are texts. */
  rows(sql: string): Promise<unknown[][]>
  stop(): Promise<void>
}

const javaMin = 24 // of Trino 476
const startMs = 240_000

/** `home`: of the unpacked server. */
export async function startTrino(home: string): Promise<Trino> {
  const folder = mkdtempSync(join(tmpdir(), 'trino-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  writeFileSync(
    join(folder, 'config.properties'),
    `node.environment=test
node.id=test-1
node.bind-ip=127.0.0.1
node.internal-address=127.0.0.1
plugin.dir=${home}/plugin
catalog.management=dynamic
catalog.store=memory
coordinator=true
node-scheduler.include-coordinator=true
http-server.http.port=${port}
discovery.uri=${url}
query.max-memory=512MB
query.max-memory-per-node=512MB
memory.heap-headroom-per-node=256MB
task.concurrency=2
task.max-worker-threads=4
web-ui.enabled=false
`,
  )
  writeFileSync(join(folder, 'log.properties'), 'io.trino=WARN\nBootstrap=WARN\n')
  const info = async () =>
    (await (await fetch(`${url}/v1/info`)).json()) as { starting: boolean; nodeVersion: { version: string } }
  const server = await startServer({
    command: findJava(javaMin),
    args: [
      '-Xmx1500M',
      '-XX:+UseG1GC',
      '-XX:TieredStopAtLevel=1', // half the processor time of a start
      '-XX:+AutoCreateSharedArchive', // and half again from the second start on
      `-XX:SharedArchiveFile=${home}/classes-of-tests.jsa`,
      '-Xlog:disable',
      '-Xlog:all=error:stderr',
      '-Djdk.attach.allowAttachSelf=true',
      '--add-modules=jdk.incubator.vector',
      '--enable-native-access=ALL-UNNAMED',
      '--sun-misc-unsafe-memory-access=allow',
      '-cp',
      join(home, 'lib/*'),
      `-Dconfig=${folder}/config.properties`,
      `-Dlog.levels-file=${folder}/log.properties`,
      'io.trino.server.TrinoServer',
    ],
    ready: async () => !(await info()).starting,
    attemptsMax: startMs / 50,
    stopSignal: 'SIGTERM',
  })

  type Page = { nextUri?: string; data?: unknown[][]; error?: { errorName: string; message: string } }
  async function rows(sql: string): Promise<unknown[][]> {
    const headers = {
      'x-trino-user': 'test',
      'x-trino-time-zone': 'UTC',
      // Else times are rounded to milliseconds.
      'x-trino-client-capabilities': 'PARAMETRIC_DATETIME',
    }
    const all: unknown[][] = []
    let answer = await fetch(`${url}/v1/statement`, { method: 'POST', headers, body: sql })
    for (;;) {
      if (answer.status === 503) await sleep(100)
      else if (!answer.ok) throw new Error(`Trino answered ${answer.status}: ${await answer.text()}`)
      const { nextUri, data, error } = (await answer.json()) as Page
      if (error) throw new Error(`${error.errorName}: ${error.message} (${sql})`)
      all.push(...(data ?? []))
      if (nextUri === undefined) return all
      answer = await fetch(nextUri, { headers })
    }
  }
  return {
    version: (await info()).nodeVersion.version,
    async addCatalog(name, properties) {
      const list = Object.entries(properties).map(([key, value]) => `"${key}" = '${value.replaceAll("'", "''")}'`)
      await rows(`create catalog ${name} using iceberg with (${list.join(', ')})`)
    },
    rows,
    async stop() {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A catalog of Trino that is a warehouse of ours, with tables on the local disk. */
export const servedCatalog = ({ uri, token }: { uri: string; token: string }, warehouse: string) => ({
  'iceberg.catalog.type': 'rest',
  'fs.native-local.enabled': 'true',
  'local.location': '/',
  'iceberg.rest-catalog.uri': uri,
  'iceberg.rest-catalog.warehouse': warehouse,
  'iceberg.rest-catalog.security': 'OAUTH2',
  'iceberg.rest-catalog.oauth2.token': token,
})

/** Where the lab has unpacked Trino, which it installs when it is not there. */
export async function trinoHome(): Promise<string> {
  await runLab('install', 'trino')
  return dirname((await labVariables())['LAB_TRINO_CLI']!)
}
