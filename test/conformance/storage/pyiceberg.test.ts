// One table on an object store behind a REST catalog, written in turn by PyIceberg and by us.

import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { realClock } from '../../../src/base/clock.ts'
import { openRestCatalog } from '../../../src/catalog/index.ts'
import { filesToRead, planScan, prepareAppend } from '../../../src/iceberg/index.ts'
import { cachingFileIO, openFileCache, openStorage } from '../../../src/io/index.ts'
import { labServices } from './lab.ts'

const python = process.env['PYICEBERG_PYTHON']
const env = python ? await labServices('seaweedfs', 'iceberg-rest', 'nessie') : undefined
const folder = await mkdtemp(join(tmpdir(), 'boathouse-storage-'))
afterAll(() => rm(folder, { recursive: true }))

type Server = { uri: string; credential?: string; scope?: string; warehouse?: string }
const servers: [string, (env: Record<string, string>) => Server][] = [
  [
    "Iceberg's REST server",
    (lab) => ({
      uri: lab['LAB_ICEBERG_REST_URI']!,
      credential: lab['LAB_ICEBERG_REST_CREDENTIAL']!,
      scope: 'PRINCIPAL_ROLE:ALL',
    }),
  ],
  ['Nessie', (lab) => ({ uri: lab['LAB_NESSIE_URI']!, warehouse: lab['LAB_NESSIE_WAREHOUSE']! })],
]

describe.skipIf(!env)('on SeaweedFS (skipped without the lab of services or PYICEBERG_PYTHON)', () => {
  test.each(servers)('PyIceberg and we write one table behind %s', async (_, serverOf) => {
    const server = serverOf(env!)
    const name = `c${randomUUID().slice(0, 8)}.raw.t`
    const run = async (command: string) => {
      const properties = {
        ...server,
        's3.endpoint': env!['LAB_S3_ENDPOINT'],
        's3.access-key-id': env!['AWS_ACCESS_KEY_ID'],
        's3.secret-access-key': env!['AWS_SECRET_ACCESS_KEY'],
        's3.region': env!['AWS_REGION'],
      }
      const options = { env: { ...process.env, ...env } }
      const script = join(import.meta.dirname, 'lake_table.py')
      return (await promisify(execFile)(python!, [script, command, name, JSON.stringify(properties)], options)).stdout
    }
    await run('write')

    const clock = realClock
    const store = openStorage({
      root: `s3://${env!['LAB_S3_BUCKET']}`,
      endpoint: env!['LAB_S3_ENDPOINT'],
      env: env!,
      clock,
    })
    const cache = await openFileCache({ io: store, folder: join(folder, name), bytesMax: 2 ** 30 })
    const io = cachingFileIO({ io: store, cache })
    const catalog = await openRestCatalog({ ...server, environmentAs: 'namespace', clock })
    const tableName = { catalog: name.split('.')[0]!, namespace: 'raw', name: 't' }
    const before = await catalog.load(tableName, { kind: 'table' })
    if (before?.kind !== 'table') throw new Error('there is no table')
    const plan = await planScan(io, before.metadata)
    expect(plan.totals).toMatchObject({ files: 2, records: 2_000 })

    // The first of its files once more, from our local copy of it.
    const lease = await cache.lease(filesToRead(plan))
    const path = `${before.metadata.location}/data/${randomUUID()}.parquet`
    expect(await io.upload(path, lease.pathOf(plan.files[0]!.path))).toBe(true)
    lease.release()
    const fileSizeBytes = (await io.stat(path))!.sizeBytes
    const append = await prepareAppend(io, before.metadata, [{ path, recordCount: 1_000, fileSizeBytes }])
    const { updates, requirements } = await append.on(before.metadata, { nowMs: Date.now() })
    const [after] = await catalog.commit([{ action: 'commit', kind: 'table', name: tableName, requirements, updates }])
    expect((await planScan(io, after!.metadata as typeof before.metadata)).totals).toMatchObject({
      files: 3,
      records: 3_000,
    })
    expect(JSON.parse(await run('read'))).toEqual({ rows: 3_000, sum: (3 * 999 * 1_000) / 2 })
    await cache.close()
  })
})
