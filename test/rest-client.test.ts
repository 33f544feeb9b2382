// Our client of REST catalogs against our server of one, over a network that loses answers.

import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { expect, onTestFinished, test } from 'vitest'
import { realClock } from '../src/base/clock.ts'
import { catalogSuite } from '../src/catalog/catalog-suite.ts'
import { openRestCatalog, type CatalogChange, type RestCatalogOptions, type TableName } from '../src/catalog/index.ts'
import { createUpdates, newTableMetadata, parsePrimitive } from '../src/iceberg/index.ts'
import { openWorld } from '../src/serve/iceberg-rest/world.testing.ts'

/** What happens to a request that changes something: nothing special when undefined. */
type Fault = 'cut before' | 'cut after' | 503 | 500 | undefined

async function served({ idempotent = true, ...more }: Partial<RestCatalogOptions> & { idempotent?: boolean } = {}) {
  const world = await openWorld()
  const faults: Fault[] = []
  const requests: string[] = []
  const listener = getRequestListener(async (request) => {
    const answer = await world.rest.answer(request, { requestId: randomUUID(), signal: request.signal, admit() {} })
    if (idempotent || !request.url.includes('/v1/config')) return answer
    const { 'idempotency-key-lifetime': _, ...rest } = (await answer.json()) as Record<string, unknown>
    return Response.json(rest)
  })
  const changes = ({ method, url }: IncomingMessage) =>
    method !== 'GET' && method !== 'HEAD' && !url!.includes('/oauth/') && !url!.endsWith('/namespaces')
  const server: Server = createServer((incoming, outgoing) => {
    requests.push(`${incoming.method} ${incoming.url}`)
    const fault = changes(incoming) ? faults.shift() : undefined
    if (fault === 'cut before') return void incoming.socket.destroy()
    if (typeof fault === 'number') return void outgoing.writeHead(fault).end()
    if (fault === 'cut after') outgoing.writeHead = (() => incoming.socket.destroy()) as never
    return void listener(incoming, outgoing)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/iceberg`
  const catalog = await openRestCatalog({
    uri,
    environmentAs: 'warehouse',
    catalogs: ['free'],
    credential: `spark:${world.tokens.admin}`,
    clock: { ...realClock, sleep: async () => {} },
    ...more,
  })
  async function close() {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await world[Symbol.asyncDispose]()
  }
  return { world, catalog, faults, requests, uri, close }
}

const location = ({ catalog, namespace, name }: TableName) => `file:///lake/${catalog}/${namespace}/${name}`

catalogSuite('our server, each catalog a warehouse', async () => ({ ...(await served()), name: 'free', location }))
catalogSuite('our server, each catalog a namespace', async () => ({
  ...(await served({ environmentAs: 'namespace', warehouse: 'free' })),
  name: 'inside',
  location,
}))

const t = { catalog: 'free', namespace: 'raw', name: 't' }
const creation = (name: TableName): CatalogChange => ({
  action: 'commit',
  kind: 'table',
  name,
  requirements: [{ type: 'assert-create' }],
  updates: createUpdates(
    newTableMetadata({
      uuid: randomUUID(),
      location: location(name),
      nowMs: 1,
      schema: [{ name: 'id', type: parsePrimitive('long'), required: true }],
    }),
  ),
})
const setting = (name: TableName, value: string): CatalogChange => ({
  action: 'commit',
  kind: 'table',
  name,
  requirements: [],
  updates: [{ action: 'set-properties', updates: { k: value } }],
})

// With a key the server knows a repeated request; without one the client looks for its change.
const networks: Fault[][] = [
  ['cut before'],
  ['cut after'],
  [503],
  [500],
  ['cut before', 'cut after'],
  [503, 500, 'cut after'],
]
test.each([true, false].flatMap((idempotent) => networks.map((faults) => ({ idempotent, faults }))))(
  'no answer ($faults, keys $idempotent): every change happens once',
  async ({ idempotent, faults }) => {
    const { world, catalog, close, faults: next } = await served({ idempotent })
    onTestFinished(close)
    await catalog.createNamespace('free', 'raw')
    const lose = () => {
      expect(next, 'every fault happened').toEqual([])
      next.push(...faults)
    }
    lose()
    const [made] = await catalog.commit([creation(t)])
    expect((await world.catalog.load(t))?.location).toBe(made!.location)
    lose()
    const [changed] = await catalog.commit([setting(t, '1')])
    expect(changed!.metadata.properties['k']).toBe('1')
    expect(changed!.kind === 'table' && changed!.metadata.metadataLog).toHaveLength(1)
    lose()
    await catalog.rename(t, { ...t, name: 'moved' }, 'table')
    lose()
    await catalog.drop({ ...t, name: 'moved' }, 'table')
    expect(await world.catalog.list('free')).toEqual([])
    lose()
    await catalog.register(t, changed!.location, { kind: 'table' })
    expect((await world.catalog.load(t))?.location).toBe(changed!.location)
    expect(next).toEqual([])
  },
)

test('a transaction whose answer is lost is found in its tables', async () => {
  for (const idempotent of [true, false]) {
    const { catalog, close, faults } = await served({ idempotent })
    await catalog.createNamespace('free', 'raw')
    const other = { ...t, name: 'other' }
    await catalog.commit([creation(t), creation(other)])
    faults.push('cut after')
    const [one, two] = await catalog.commit([setting(t, '1'), setting(other, '2')])
    expect([one!.metadata.properties['k'], two!.metadata.properties['k']]).toEqual(['1', '2'])
    await close()
  }
})

test('a server that stays silent leaves the outcome unknown; one that fails each time has not done it', async () => {
  const { catalog, close, faults } = await served()
  onTestFinished(close)
  await catalog.createNamespace('free', 'raw')
  await catalog.commit([creation(t)])
  faults.push(...Array.from({ length: 6 }, () => 'cut before' as const))
  await expect(catalog.commit([setting(t, '1')])).rejects.toMatchObject({ code: 'COMMIT_UNKNOWN' })
  faults.push(500, 500, 500)
  await expect(catalog.commit([setting(t, '1')])).rejects.toMatchObject({ code: 'CATALOG_FAILED' })
})

test('a table that did not change is not sent again', async () => {
  const { catalog, close, requests } = await served()
  onTestFinished(close)
  await catalog.createNamespace('free', 'raw')
  await catalog.commit([creation(t)])
  const first = await catalog.load(t)
  expect(await catalog.load(t)).toBe(first)
  expect(await catalog.stillCurrent([first!])).toBe(true)
  await catalog.commit([setting(t, '1')])
  expect(await catalog.stillCurrent([first!])).toBe(false)
  expect(requests.filter((line) => line.includes('/oauth/'))).toHaveLength(1)
})

test('who may not is told so in the words of the server', async () => {
  const { world, uri, close } = await served()
  onTestFinished(close)
  const open = (token: string, catalogs = ['free']) =>
    openRestCatalog({ uri, environmentAs: 'warehouse', catalogs, token, clock: realClock })
  await expect(open('nonsense')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  await expect(open(world.tokens.admin, ['nowhere'])).rejects.toMatchObject({ code: 'NOT_FOUND' })
  const reader = await open(world.tokens.reader)
  await expect(reader.createNamespace('free', 'raw')).rejects.toMatchObject({ code: 'FORBIDDEN' })
  const wrong = openRestCatalog({
    uri,
    environmentAs: 'warehouse',
    catalogs: ['free'],
    credential: 'spark:wrong',
    clock: realClock,
  })
  await expect(wrong).rejects.toThrow('invalid_client')
})
