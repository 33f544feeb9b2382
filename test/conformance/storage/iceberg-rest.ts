// An empty REST server of the Iceberg project, of the lab's program, for a test that wants its namespaces for itself.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../support/free-port.ts'
import { startServer } from '../../support/server-process.ts'
import { findJava } from './lab.ts'

/** `lab`: its variables. Tables lie below `warehouse` in its store. The log-in is the one of its own server. */
export async function startIcebergRest(
  lab: Record<string, string>,
  warehouse: string,
): Promise<{ uri: string; stop(): Promise<void> }> {
  const opt = join(process.env['LAB_HOME'] ?? join(homedir(), '.cache/lab'), 'opt')
  const program = readdirSync(opt).find((name) => name.startsWith('iceberg-rest-'))!
  const folder = mkdtempSync(join(tmpdir(), 'iceberg-rest-'))
  const port = await freePort()
  const uri = `http://127.0.0.1:${port}`
  const server = await startServer({
    command: findJava(17),
    args: [
      '-Xmx256m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
      '-cp',
      join(opt, program, 'lib/*'),
      'org.apache.iceberg.rest.LabCatalogServer',
      '127.0.0.1',
      String(port),
    ],
    env: {
      LAB_CREDENTIAL: lab['LAB_ICEBERG_REST_CREDENTIAL']!,
      CATALOG_CATALOG__IMPL: 'org.apache.iceberg.jdbc.JdbcCatalog',
      CATALOG_URI: `jdbc:sqlite:${folder}/catalog.db`,
      CATALOG_JDBC_SCHEMA__VERSION: 'V1',
      CATALOG_CLIENTS: '1', // SQLite has one writer
      CATALOG_WAREHOUSE: warehouse,
      CATALOG_IO__IMPL: 'org.apache.iceberg.aws.s3.S3FileIO',
      CATALOG_S3_ENDPOINT: lab['LAB_S3_ENDPOINT']!,
      CATALOG_S3_PATH__STYLE__ACCESS: 'true',
      CATALOG_S3_ACCESS__KEY__ID: lab['AWS_ACCESS_KEY_ID']!,
      CATALOG_S3_SECRET__ACCESS__KEY: lab['AWS_SECRET_ACCESS_KEY']!,
      CATALOG_CLIENT_REGION: lab['AWS_REGION']!,
      AWS_REGION: lab['AWS_REGION']!,
      AWS_REQUEST_CHECKSUM_CALCULATION: 'when_required',
      AWS_RESPONSE_CHECKSUM_VALIDATION: 'when_required',
    },
    ready: async () => (await fetch(`${uri}/v1/config`)).status === 401,
    attemptsMax: 2_400,
    stopSignal: 'SIGTERM',
  })
  return {
    uri,
    async stop() {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
