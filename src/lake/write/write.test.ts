import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LoadedTable } from '../../catalog/index.ts'
import { newTableMetadata, planScan, writeTableMetadata, type NewField } from '../../iceberg/index.ts'
import { fileLocation, localPath } from '../../io/index.ts'
import { openWorld } from '../world.ts'

// Types that DuckDB has no equal of, as they are in the files: other engines must be able to read them.

let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world?.close())

const at = (name: string) => ({ catalog: 'dev_analytics', namespace: 'raw', name })

/** An empty table of version 3, made by hand. */
async function create(name: string, schema: NewField[]): Promise<void> {
  const location = `${fileLocation(world.root)}/${name}`
  const metadata = newTableMetadata({ uuid: randomUUID(), location, nowMs: 1, formatVersion: 3, schema })
  const to = await writeTableMetadata(world.io, metadata)
  await world.catalog.swapAnd([{ name: at(name), kind: 'table', from: null, to }], async () => {})
}

async function append(name: string, select: string): Promise<void> {
  const changes = await world.lake.openChanges({ catalog: 'dev_analytics', principal: world.admin })
  await changes.append(at(name), select)
  await changes.publish()
}

async function columnsOfFiles(name: string): Promise<unknown[]> {
  const { metadata } = (await world.tables.load(at(name))) as LoadedTable
  const { files } = await planScan(world.io, metadata)
  const paths = files.map(({ path }) => `'${localPath(path)}'`).join(', ')
  const sql = `SELECT DISTINCT name FROM parquet_schema([${paths}]) WHERE name <> 'duckdb_schema' ORDER BY name`
  return (await world.engine.rows({ class: 'write', sql })).flat()
}

test('a column of the type unknown is null, and in no file', async () => {
  await create('unknown', [
    { name: 'id', type: { kind: 'int' } },
    { name: 'u', type: { kind: 'unknown' } },
  ])
  await append('unknown', 'select 1 as id')
  expect(await columnsOfFiles('unknown')).toEqual(['id'])
  expect(await world.rows('select id, u from raw.unknown')).toEqual([[1, null]])
})

test('nanoseconds stay', async () => {
  await create('ns', [{ name: 'ns', type: { kind: 'timestamp_ns' } }])
  await append('ns', "select timestamp_ns '2024-02-29 12:00:00.123456789' as ns")
  expect(await world.rows('select ns::varchar from raw.ns')).toEqual([['2024-02-29 12:00:00.123456789']])
})

test('bytes of a fixed length are not written in a form that nobody else reads', async () => {
  await create('fixed', [{ name: 'f', type: { kind: 'fixed', length: 4 } }])
  await expect(append('fixed', "select 'abcd'::blob as f")).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: 'rows with the column "f" of the type fixed[4] cannot be written',
  })
})

test('a file of a table without partitions lies in its data folder', async () => {
  await create('plain', [{ name: 'id', type: { kind: 'int' } }])
  await append('plain', 'select 1 as id')
  const { metadata } = (await world.tables.load(at('plain'))) as LoadedTable
  const [file] = (await planScan(world.io, metadata)).files
  expect(file!.path.slice(metadata.location.length)).toMatch(/^\/data\/[^/]+\.parquet$/)
})
