// The health check of `worker`, which listens on no port: asks the records whether a worker of this container gave a
// sign of life lately. It only reads, and opens nothing else of the app: it runs every few seconds.

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { loadConfig, type Config } from '../src/config/index.ts'
import { ownProcess } from '../src/orchestrate/process-id.ts'

const [answerMsMax, silentMsMax] = [3_000, 20_000]

async function lastHeartbeat({ records, stateDir }: Config, host: string): Promise<string | null | undefined> {
  const newest = (workers: string, parameter: string) =>
    `select max(heartbeat_at) as heartbeat from ${workers} where host = ${parameter}`
  if (!records.url) {
    using db = new DatabaseSync(join(stateDir, 'catalog.db'), { readOnly: true, timeout: answerMsMax })
    return db.prepare(newest('workers', '?')).get(host)?.heartbeat as string | null
  }
  const client = new pg.Client({
    connectionString: records.url,
    connectionTimeoutMillis: answerMsMax,
    query_timeout: answerMsMax,
  })
  client.on('error', () => {}) // the query tells
  try {
    await client.connect()
    const workers = `${client.escapeIdentifier(records.schema)}.workers`
    return (await client.query<{ heartbeat: string | null }>(newest(workers, '$1'), [host])).rows[0]?.heartbeat
  } finally {
    await client.end()
  }
}

try {
  const heartbeat = await lastHeartbeat(loadConfig({ dir: process.cwd() }), ownProcess().host)
  const silentMs = heartbeat ? Date.now() - Date.parse(heartbeat) : Infinity
  console.log(heartbeat ? `last sign of life ${silentMs} ms ago` : 'no worker of this container is known')
  process.exitCode = silentMs <= silentMsMax ? 0 : 1
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
