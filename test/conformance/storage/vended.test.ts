// A current SeaweedFS with its own REST catalog: it logs in by OAuth, hands out keys that hold for one table, and honours
// `If-None-Match`. Each of these is known of no other server that can be had here.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { realClock as clock } from '../../../src/base/clock.ts'
import { openRestCatalog } from '../../../src/catalog/index.ts'
import { vendedStorage } from '../../../src/catalog/rest/vended.ts'
import { createUpdates, newTableMetadata } from '../../../src/iceberg/index.ts'
import { memoryFileIO, s3FileIO, signRequest, sha256 } from '../../../src/io/index.ts'

const conformance = join(import.meta.dirname, '..')
function weedProgram(): string | undefined {
  try {
    const args = ['seaweedfs', join(import.meta.dirname, 'requirements.txt')]
    return join(dirname(execFileSync(join(conformance, 'python.sh'), args, { encoding: 'utf8' }).trim()), 'weed')
  } catch {
    return undefined
  }
}

const keys = { accessKeyId: 'boathouse', secretAccessKey: 'secret-of-the-store' }
const allow = (more: object) => ({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...more }] })
const settings = {
  keys: {
    identities: [
      {
        name: 'boathouse',
        credentials: [{ accessKey: keys.accessKeyId, secretKey: keys.secretAccessKey }],
        actions: ['Admin', 'Read', 'List', 'Tagging', 'Write'],
      },
    ],
  },
  iam: {
    sts: { tokenDuration: '1h', issuer: 'seaweedfs-sts', signingKey: Buffer.alloc(32, 'k').toString('base64') },
    policy: { defaultEffect: 'Deny', storeType: 'memory' },
    roles: [
      {
        roleName: 'Lake',
        roleArn: 'arn:aws:iam::role/Lake',
        trustPolicy: allow({ Principal: { Federated: 'iceberg-catalog' }, Action: ['sts:AssumeRoleWithCredentials'] }),
        attachedPolicies: ['Lake'],
      },
    ],
    policies: [{ name: 'Lake', document: allow({ Action: ['s3:*'], Resource: ['*'] }) }],
  },
}

/** Its other ports of gRPC are these plus 10,000. */
async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    if (port < 55_000) return port
    await sleep(5)
  }
}

const weed = weedProgram()
const folder = mkdtempSync(join(tmpdir(), 'boathouse-weed-'))

describe.skipIf(!weed)('SeaweedFS 4 (skipped: no Python 3 with venv, or no package index)', () => {
  let server: ChildProcess
  let [endpoint, catalogUri] = ['', '']
  beforeAll(async () => {
    for (const [name, value] of Object.entries(settings))
      writeFileSync(join(folder, `${name}.json`), JSON.stringify(value))
    const [s3, iceberg, master, volume, filer] = await Promise.all(Array.from({ length: 5 }, freePort))
    endpoint = `http://127.0.0.1:${s3}`
    catalogUri = `http://127.0.0.1:${iceberg}`
    const flags = {
      dir: folder,
      ip: '127.0.0.1',
      'ip.bind': '127.0.0.1',
      'master.port': master,
      'volume.port': volume,
      'filer.port': filer,
      'volume.max': 20,
      s3: true,
      's3.port': s3,
      's3.port.iceberg': iceberg,
      's3.port.lance': 0,
      's3.config': join(folder, 'keys.json'),
      's3.iam.config': join(folder, 'iam.json'),
      's3.iceberg.credentialRole': 'arn:aws:iam::role/Lake',
    }
    const args = ['server', ...Object.entries(flags).map(([name, value]) => `-${name}=${value}`)]
    server = spawn(weed!, args, { stdio: 'ignore' })
    while (!(await fetch(`${catalogUri}/v1/config`).catch(() => undefined))?.ok) await sleep(200)
    // The table bucket that is the warehouse, and an ordinary one. It answers before it can make either.
    const body = Buffer.from('{"name":"warehouse"}')
    while ((await put('/buckets', 's3tables', body)) !== 200) await sleep(200)
    while ((await put('/lake', 's3')) !== 200) await sleep(200)
  })
  afterAll(async () => {
    const ended = new Promise((resolve) => server?.once('close', resolve))
    if (server?.kill('SIGKILL')) await ended
    rmSync(folder, { recursive: true, force: true })
  })

  async function put(path: string, service: string, body: Buffer = Buffer.alloc(0)): Promise<number> {
    const request = {
      method: 'PUT',
      host: new URL(endpoint).host,
      path,
      headers: { 'content-type': 'application/json' },
      payloadHash: sha256(body),
    }
    const { host: _, ...headers } = signRequest(request, keys, { region: 'us-east-1', service, nowMs: Date.now() })
    const answer = await fetch(endpoint + path, { method: 'PUT', headers, body })
    return answer.status === 409 ? 200 : answer.status
  }
  const store = () =>
    s3FileIO({ endpoint, region: 'us-east-1', conditionalWrites: 'on', credentials: async () => keys })

  test('of many that create one object at one moment, one does', async () => {
    for (let round = 0; round < 10; round++) {
      const path = `s3://lake/${randomUUID()}`
      const answers = await Promise.all(Array.from({ length: 8 }, (_, one) => store().create(path, Buffer.of(one))))
      expect(answers.filter(Boolean)).toHaveLength(1)
      expect((await store().read(path))![0]).toBe(answers.indexOf(true))
    }
  })

  test('a table is made and written with keys that the catalog gives for it alone', async () => {
    const own = memoryFileIO()
    const vended = vendedStorage({ own, clock })
    const catalog = await openRestCatalog({
      uri: catalogUri,
      warehouse: 'warehouse',
      environmentAs: 'namespace',
      credential: `${keys.accessKeyId}:${keys.secretAccessKey}`,
      scope: 'PRINCIPAL_ROLE:ALL',
      vended,
      clock,
    })
    await catalog.createNamespace('dev', 'raw')
    const name = { catalog: 'dev', namespace: 'raw', name: 'sales' }
    const location = 's3://warehouse/dev.raw/sales'
    const metadata = newTableMetadata({
      uuid: randomUUID(),
      location,
      nowMs: Date.now(),
      schema: [{ name: 'id', type: { kind: 'int' } }],
    })
    await catalog.commit([
      {
        action: 'commit',
        kind: 'table',
        name,
        requirements: [{ type: 'assert-create' }],
        updates: createUpdates(metadata),
      },
    ])
    expect(await catalog.load(name)).toMatchObject({ kind: 'table', metadata: { location } })
    expect(await vended.io.create(`${location}/data/a.parquet`, Buffer.from('rows'))).toBe(true)
    expect(Buffer.from((await vended.io.read(`${location}/data/a.parquet`))!).toString()).toBe('rows')
    expect(own.files.size).toBe(0) // nothing went by our own storage
  })
})
