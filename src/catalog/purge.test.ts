import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createUpdates, newTableMetadata, parsePrimitive, prepareAppend, writeTableMetadata } from '../iceberg/index.ts'
import { applyUpdates, type TableMetadata } from '../iceberg/index.ts'
import { memoryFileIO } from '../io/index.ts'
import { memoryPointers } from './memory.ts'
import type { TableName } from './names.ts'
import { catalogOver } from './over-pointers.ts'
import { purgeFiles } from './purge.ts'
import { openTables, type LoadedTable } from './tables.ts'

const named = (name: string): TableName => ({ catalog: 'c', namespace: 'raw', name })

/** A table with two data files: one in its own folder, one that was added from elsewhere. */
async function world(properties: Record<string, string> = {}) {
  const io = memoryFileIO()
  const pointers = memoryPointers()
  const tables = openTables(pointers, io)
  const catalog = catalogOver({ pointers, tables, io, clock: { now: () => 1, random: () => 0, sleep: async () => {} } })
  await catalog.createNamespace('c', 'raw')
  async function create(name: string) {
    const metadata = newTableMetadata({
      uuid: randomUUID(),
      location: `/lake/${name}`,
      nowMs: 1,
      schema: [{ name: 'id', type: parsePrimitive('long'), required: false }],
      properties,
    })
    const change = { action: 'commit', kind: 'table', name: named(name) } as const
    await catalog.commit([{ ...change, requirements: [{ type: 'assert-create' }], updates: createUpdates(metadata) }])
    const paths = [`/lake/${name}/data/a.parquet`, '/elsewhere/b.parquet']
    for (const path of paths) await io.write(path, new Uint8Array([1]))
    const files = paths.map((path) => ({ path, recordCount: 1, fileSizeBytes: 1 }) as never)
    const commit = await (await prepareAppend(io, metadata, files)).on(metadata, { nowMs: 1 })
    return (await catalog.commit([{ ...change, ...commit }]))[0] as LoadedTable
  }
  return {
    io,
    pointers,
    tables,
    catalog,
    create,
    purge: (dropped: LoadedTable) => purgeFiles({ pointers, tables, io }, dropped),
  }
}

test('all files in the folder of the dropped table go, and no other', async () => {
  const { io, catalog, create, purge } = await world()
  await create('t2')
  await create('t')
  const others = [...io.files.keys()].filter((path) => !path.startsWith('/lake/t/'))
  await purge((await catalog.drop(named('t'), 'table')) as LoadedTable)
  expect([...io.files.keys()]).toEqual(others)
  expect(others).toContain('/elsewhere/b.parquet')
})

test('nothing goes while another name reaches into the folder', async () => {
  const { io, catalog, create, purge } = await world()
  const table = await create('t')
  // A fork: its own location, the files of the original.
  const fork: TableMetadata = applyUpdates(table.metadata, [{ action: 'set-location', location: '/lake/fork' }], {
    nowMs: 2,
    previous: table.location,
  })
  await catalog.register(named('fork'), await writeTableMetadata(io, fork), { kind: 'table' })
  const files = [...io.files.keys()]
  expect(await purge((await catalog.drop(named('t'), 'table')) as LoadedTable)).toBe('shared')
  expect([...io.files.keys()]).toEqual(files)
})

test.each(['false', 'False', 'no'])('gc.enabled=%s refuses', async (setting) => {
  const { catalog, create, purge } = await world({ 'gc.enabled': setting })
  await create('t')
  const dropped = (await catalog.drop(named('t'), 'table')) as LoadedTable
  await expect(purge(dropped)).rejects.toMatchObject({ code: 'FORBIDDEN' })
})
