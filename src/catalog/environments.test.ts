import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { realClock } from '../base/clock.ts'
import { createUpdates, newTableMetadata, prepareAppend, type TableUpdate } from '../iceberg/index.ts'
import { memoryFileIO } from '../io/index.ts'
import { openMemoryRecords } from '../records/index.ts'
import type { Catalog } from './catalog.ts'
import { embeddedCatalog } from './embedded.ts'
import { openEnvironments, type Environments } from './environments.ts'
import type { TableName } from './names.ts'
import { openSequences } from './sequences.ts'
import { openEmbeddedCatalog } from './open.ts'
import { openTables, type LoadedTable } from './tables.ts'

const clock = realClock
const io = memoryFileIO()
const at = (name: string, catalog = 'dev_analytics'): TableName => ({ catalog, namespace: 'raw', name })
let records: Awaited<ReturnType<typeof openMemoryRecords>>
let catalog: Catalog
let environments: Environments

beforeAll(async () => {
  records = await openMemoryRecords()
  const pointers = embeddedCatalog(records)
  const tables = openTables(pointers, io)
  catalog = openEmbeddedCatalog({ records, io, clock, tables })
  environments = openEnvironments({ records, catalog: pointers, tables, io, clock, lakeRoot: '/lake' })
  await catalog.createNamespace('dev_analytics', 'raw', { owner: 'ana' })
  for (const name of ['one', 'two', 'three']) await create(at(name))
})
afterAll(() => records.close())

async function create(name: TableName) {
  const metadata = newTableMetadata({
    uuid: crypto.randomUUID(),
    location: `/lake/${name.catalog}/${name.namespace}/${name.name}`,
    schema: [{ name: 'id', type: { kind: 'long' } }],
    properties: { 'write.data.path': '/elsewhere' },
    nowMs: clock.now(),
  })
  const updates = createUpdates(metadata)
  await catalog.commit([{ action: 'commit', kind: 'table', name, requirements: [{ type: 'assert-create' }], updates }])
}
const load = async (name: TableName) => (await catalog.load(name)) as LoadedTable
const change = async (name: TableName, updates: TableUpdate[]) =>
  catalog.commit([{ action: 'commit', kind: 'table', name, requirements: [], updates }])
async function append(name: TableName) {
  const { metadata } = await load(name)
  const file = { path: `${metadata.location}/data/${crypto.randomUUID()}.parquet`, recordCount: 1, fileSizeBytes: 1 }
  const { updates } = await (await prepareAppend(io, metadata, [file])).on(metadata, { nowMs: clock.now() })
  await change(name, updates)
}

describe('a fork', () => {
  test('has the same metadata, a place of its own, and nobody may delete the files', async () => {
    const made = await environments.create({ environment: 'try', catalog: 'try_a', origin: 'dev_analytics', by: 'ana' })
    expect(made).toMatchObject({ tables: 3, origin: 'dev_analytics' })
    const [here, there] = [await load(at('one', 'try_a')), await load(at('one'))]
    expect(here.location).toBe(there.location)
    expect(here.metadata.location).toMatch(/^\/lake\/try_a\/raw\/one-[0-9a-f]{8}$/)
    expect(there.metadata.location).toBe('/lake/dev_analytics/raw/one')
    for (const { metadata } of [here, there]) expect(metadata.properties['gc.enabled']).toBe('false')
    expect(here.metadata.properties['write.data.path']).toBeUndefined()
    expect(await catalog.namespace('try_a', 'raw')).toEqual({ owner: 'ana' })
    expect(await load(at('one'))).toEqual(there)
  })

  test('writes where the origin does not, and the property is written down', async () => {
    await append(at('two', 'try_a'))
    const { location, metadata } = await load(at('two', 'try_a'))
    expect(location.startsWith('/lake/try_a/raw/two-')).toBe(true)
    expect(Buffer.from((await io.read(location))!).toString()).toContain('"gc.enabled":"false"')
    expect(metadata.snapshots).toHaveLength(1)
    expect((await load(at('two'))).metadata.snapshots).toHaveLength(0)
    expect(await environments.diff('try_a')).toMatchObject([{ table: 'raw.two', change: 'changed', conflict: false }])
  })

  test('is promoted whole: changed, created, dropped', async () => {
    await create(at('four', 'try_a'))
    await catalog.drop(at('three', 'try_a'), 'table')
    const id = await environments.promote('try_a', 'ana')
    expect(id).toBeDefined()
    const two = await load(at('two'))
    expect([two.metadata.snapshots.length, two.metadata.location]).toEqual([1, '/lake/dev_analytics/raw/two'])
    expect((await load(at('four'))).metadata.location).toMatch(/^\/lake\/dev_analytics\/raw\/four-/)
    expect(await catalog.load(at('three'))).toBeUndefined()
    expect(await environments.diff('try_a')).toEqual([])
    expect(await environments.promote('try_a', 'ana')).toBeUndefined()
  })

  test('is not promoted over what the origin changed since', async () => {
    await append(at('one', 'try_a'))
    await append(at('one'))
    await expect(environments.promote('try_a', 'ana')).rejects.toMatchObject({
      code: 'COMMIT_CONFLICT',
      message: expect.stringContaining('dev_analytics.raw.one') as string,
    })
    expect(await environments.diff('try_a')).toMatchObject([{ table: 'raw.one', conflict: true }])
  })

  test('cannot be forked over, nor dropped under another', async () => {
    const again = environments.create({ environment: 'try', catalog: 'other', origin: 'dev_analytics', by: 'ana' })
    await expect(again).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    await environments.create({ environment: 'deeper', catalog: 'deeper_a', origin: 'try_a', by: 'ana' })
    await expect(environments.drop('try_a')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    await environments.drop('deeper_a')
  })

  test('once dropped, the origin is as it was', async () => {
    expect(await environments.drop('try_a')).toEqual({ tables: 3 })
    const { metadata } = await load(at('one')) // written while it was shared
    expect(metadata.properties['gc.enabled']).toBeUndefined()
    expect(await catalog.list('try_a')).toEqual([])
    expect(await environments.list()).toEqual([])
    await expect(environments.diff('try_a')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

test('a fork has copies of sequences, and promote never sets one back', async () => {
  const sequences = openSequences(records)
  const rules = { type: 'bigint', start: 1n, increment: 1n, least: 1n, most: 99n, cycles: false, cache: 1 } as const
  const named = (name: string, inCatalog: string) => ({ catalog: inCatalog, namespace: 'raw', name })
  const set = (name: string, inCatalog: string, last: bigint | undefined) =>
    sequences.change(named(name, inCatalog), () => ({ ...rules, last, owner: undefined }))
  const lastOf = async (name: string, inCatalog: string) =>
    (await sequences.find(named(name, inCatalog)))?.sequence.last
  await set('ahead', 'seq_origin', 5n)
  await set('behind', 'seq_origin', 5n)
  await catalog.createNamespace('seq_origin', 'raw', { owner: 'ana' })
  await create({ catalog: 'seq_origin', namespace: 'raw', name: 'one' })
  await environments.create({ environment: 'seq', catalog: 'seq_fork', origin: 'seq_origin', by: 'ana' })
  expect(await lastOf('ahead', 'seq_fork')).toBe(5n)
  await set('ahead', 'seq_fork', 9n)
  await set('behind', 'seq_origin', 8n)
  await set('made', 'seq_fork', undefined)
  await create({ catalog: 'seq_fork', namespace: 'raw', name: 'two' })
  await environments.promote('seq_fork', 'ana')
  expect(await Promise.all(['ahead', 'behind', 'made'].map((name) => lastOf(name, 'seq_origin')))).toEqual([
    9n,
    8n,
    undefined,
  ])
  expect(await sequences.list('seq_origin')).toHaveLength(3)
  await environments.drop('seq_fork')
  expect(await sequences.list('seq_fork')).toEqual([])
})
