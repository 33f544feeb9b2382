import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { realClock } from '../base/clock.ts'
import { Failure } from '../base/failure.ts'
import { createUpdates, newTableMetadata, parsePrimitive } from '../iceberg/index.ts'
import { memoryFileIO } from '../io/index.ts'
import { openMemoryRecords, openRecords, type Records } from '../records/index.ts'
import { startPostgres, type TestPostgres } from '../../test/support/postgres.ts'
import type { CatalogChange } from './catalog.ts'
import { catalogSuite } from './catalog-suite.ts'
import { memoryPointers } from './memory.ts'
import type { TableName } from './names.ts'
import { memoryCatalog, openEmbeddedCatalog } from './open.ts'
import { catalogOver } from './over-pointers.ts'
import { openTables } from './tables.ts'

const location = ({ catalog, namespace, name }: TableName) => `/lake/${catalog}/${namespace}/${name}`
const clock = { ...realClock, sleep: async () => {} }

catalogSuite('the catalog in memory', async () => ({ catalog: memoryCatalog(), name: 'c', location }))

catalogSuite('the embedded catalog in SQLite', async () => {
  const records = await openMemoryRecords()
  const catalog = openEmbeddedCatalog({ records, io: memoryFileIO(), clock: realClock })
  return { catalog, name: 'c', location, close: () => records.close() }
})

describe('in PostgreSQL', () => {
  let postgres: TestPostgres
  let records: Records
  let count = 0
  beforeAll(async () => {
    postgres = await startPostgres()
    records = await openRecords({ stateDir: '', records: { url: postgres.url, schema: 'boathouse' } })
  })
  afterAll(async () => {
    await records.close()
    await postgres.stop()
  })
  catalogSuite('the embedded catalog', async () => ({
    catalog: openEmbeddedCatalog({ records, io: memoryFileIO(), clock: realClock }),
    name: `c${++count}`, // one store, a new warehouse for each test
    location,
  }))
})

const t = { catalog: 'c', namespace: 'raw', name: 't' }
const creation = (properties: Record<string, string> = {}): CatalogChange => ({
  action: 'commit',
  kind: 'table',
  name: t,
  requirements: [{ type: 'assert-create' }],
  updates: createUpdates(
    newTableMetadata({
      uuid: randomUUID(),
      location: '/lake/t',
      nowMs: 1,
      schema: [{ name: 'id', type: parsePrimitive('long'), required: true }],
      properties,
    }),
  ),
})
const setting = (value: string): CatalogChange => ({
  action: 'commit',
  kind: 'table',
  name: t,
  requirements: [],
  updates: [{ action: 'set-properties', updates: { k: value } }],
})

/** A store whose answers to swaps can be lost: before or after the swap took effect. */
async function shaky() {
  const io = memoryFileIO()
  const pointers = memoryPointers()
  const lost: ('before' | 'after')[] = []
  const catalog = catalogOver({
    pointers,
    tables: openTables(pointers, io),
    io,
    clock,
    async swap(moves) {
      const when = lost.shift()
      if (when === 'before') throw new Failure('RECORDS_FAILED', 'connection lost')
      await pointers.swap(moves)
      if (when === 'after') throw new Failure('RECORDS_FAILED', 'connection lost')
    },
  })
  await catalog.createNamespace('c', 'raw')
  await catalog.commit([creation()])
  const metadataFiles = () => [...io.files.keys()].filter((path) => path.endsWith('.metadata.json'))
  return { catalog, lost, metadataFiles, pointers }
}

test.each([['before'], ['after']] as const)('an answer lost %s the swap is found out', async (when) => {
  const { catalog, lost } = await shaky()
  lost.push(when)
  const [after] = await catalog.commit([setting('1')])
  expect((await catalog.load(t))?.location).toBe(after!.location)
  expect(after).toMatchObject({ metadata: { metadataLog: [expect.anything()] } })
})

test('an answer lost after the swap is found out although another writer has gone on', async () => {
  const { catalog, lost, pointers } = await shaky()
  lost.push('after', 'before')
  const commit = catalog.commit([setting('1')])
  const before = (await pointers.pointer(t))!
  while ((await pointers.pointer(t))!.location === before.location) await Promise.resolve()
  await Promise.all([commit, catalog.commit([setting('2')])])
  const loaded = (await catalog.load(t))!
  expect(loaded.metadata.properties['k']).toBe('2')
  expect(loaded.kind === 'table' && loaded.metadata.metadataLog.length).toBe(2)
})

test('an outcome that cannot be found out is told as unknown, and its file is kept', async () => {
  const { catalog, lost, metadataFiles } = await shaky()
  lost.push('before', 'before', 'before')
  const files = metadataFiles().length
  await expect(catalog.commit([setting('1')])).rejects.toMatchObject({ code: 'COMMIT_UNKNOWN' })
  expect(metadataFiles().length).toBe(files + 1)
})

test('a lost race leaves no metadata file behind', async () => {
  const io = memoryFileIO()
  const pointers = memoryPointers()
  const make = () => catalogOver({ pointers, tables: openTables(pointers, io), io, clock })
  const [one, two] = [make(), make()]
  await one.createNamespace('c', 'raw')
  await one.commit([creation()])
  await Promise.all([one.commit([setting('1')]), two.commit([setting('2')])])
  expect([...io.files.keys()].filter((path) => path.endsWith('.metadata.json')).length).toBe(3)
})

test('metadata that was written before is used while its base is current, and made anew when not', async () => {
  const io = memoryFileIO()
  const catalog = memoryCatalog({ io })
  await catalog.createNamespace('c', 'raw')
  const [base] = await catalog.commit([creation()])
  const [ready] = await catalog.commit([setting('1')])
  const written = { base: base!.location, location: ready!.location }
  const change = setting('1') as Extract<CatalogChange, { action: 'commit'; kind: 'table' }>
  const stale = await catalog.commit([
    { ...change, updates: [{ action: 'set-properties', updates: { j: '1' } }], written },
  ])
  expect(stale[0]!.location).not.toBe(ready!.location)

  const fresh = memoryCatalog({ io })
  await fresh.createNamespace('c', 'raw')
  await fresh.register(t, base!.location, { kind: 'table' })
  expect((await fresh.commit([{ ...change, written }]))[0]!.location).toBe(ready!.location)
})

test('delete-after-commit removes metadata that fell out of the log, unless a fork still names it', async () => {
  const io = memoryFileIO()
  const catalog = memoryCatalog({ io })
  const properties = {
    'write.metadata.delete-after-commit.enabled': 'true',
    'write.metadata.previous-versions-max': '1',
  }
  await catalog.createNamespace('c', 'raw')
  const [first] = await catalog.commit([creation(properties)])
  const [second] = await catalog.commit([setting('1')])
  await catalog.register({ ...t, name: 'fork' }, second!.location, { kind: 'table' })
  await catalog.commit([setting('2')])
  expect(io.files.has(first!.location)).toBe(false)
  await catalog.commit([setting('3')])
  expect(io.files.has(second!.location)).toBe(true)
})

test('a commit with a name is a publication that conflicts can be explained by', async () => {
  const records = await openMemoryRecords()
  const catalog = openEmbeddedCatalog({ records, io: memoryFileIO(), clock: realClock })
  await catalog.createNamespace('c', 'raw')
  await catalog.commit([creation()], { by: 'spark' })
  await catalog.commit([setting('1')])
  const rows = await records.catalog
    .selectFrom('publications')
    .innerJoin('publication_tables', 'publication_id', 'id')
    .select(['published_by', 'action', 'name'])
    .execute()
  expect(rows).toEqual([{ published_by: 'spark', action: 'create', name: 't' }])
  await records.close()
})
