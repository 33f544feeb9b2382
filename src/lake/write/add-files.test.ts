import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LoadedTable, TableName } from '../../catalog/index.ts'
import { planScan } from '../../iceberg/index.ts'
import { rethrowEngine } from '../answers/engine-failure.ts'
import type { ChangeSet } from './change-set.ts'
import { openWorld } from '../world.ts'

let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world?.close())

const at = (name: string): TableName => ({ catalog: 'dev_analytics', namespace: 'raw', name })
async function changing<Result>(work: (changes: ChangeSet) => Promise<Result>): Promise<Result> {
  const changes = await world.lake.openChanges({ catalog: 'dev_analytics', principal: world.admin })
  const result = await work(changes)
  await changes.publish()
  return result
}
async function parquet(name: string, select: string): Promise<string> {
  const path = join(world.root, name)
  await world.engine.rows({ class: 'write', sql: `COPY (${select}) TO '${path}' (FORMAT parquet)` })
  return path
}
const loaded = async (name: string) => (await world.tables.load(at(name))) as LoadedTable

test('files of another program become a table where they lie', async () => {
  const one = await parquet('one.parquet', "select 1 as id, 'a' as name, {'x': 1.5} as place, [1, 2] as list")
  const two = await parquet('two.parquet', "select 2::bigint as id, 'b' as name, {'x': 2.5} as place, [3] as list")
  const made = await changing((changes) => changes.addFiles(at('added'), [two]))
  expect([made.rowsWritten, made.columns.map(({ type }) => type)]).toEqual([
    1,
    ['BIGINT', 'VARCHAR', 'STRUCT("x" DECIMAL(2,1))', 'INTEGER[]'],
  ])
  await changing((changes) => changes.addFiles(at('added'), [one])) // an INTEGER is read as BIGINT
  expect(await world.rows('select id, name, place.x::varchar, list from raw.added order by id')).toEqual([
    [1, 'a', '1.5', [1, 2]],
    [2, 'b', '2.5', [3]],
  ])
  const { metadata } = await loaded('added')
  expect(metadata.properties['schema.name-mapping.default']).toContain('"names":["place"]')
  const { files, pruned } = await planScan(world.io, metadata, { predicate: { op: '=', field: 1, value: 2n } })
  expect([files.map(({ path }) => path), pruned.files]).toEqual([[two], 1])
})

test('a partition is told by statistics, or by the folder', async () => {
  await changing((changes) =>
    changes.replaceTable(at('parts'), "select 0 as id, 'East' as region", {
      partitionedBy: [{ column: 'region', transform: { kind: 'identity' } }],
    }),
  )
  const west = await parquet('west.parquet', "select unnest([1, 2]) as id, 'West' as region")
  await changing((changes) => changes.addFiles(at('parts'), [west]))
  expect(await world.rows("select count(*) from raw.parts where region = 'West'")).toEqual([[2]])
  const { files } = await planScan(world.io, (await loaded('parts')).metadata)
  expect(files.map(({ partition }) => partition[0]).sort()).toEqual(['East', 'West'])
  const mixed = await parquet('mixed.parquet', "select 3 as id, unnest(['West', 'East']) as region")
  await expect(changing((changes) => changes.addFiles(at('parts'), [mixed]))).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: expect.stringContaining('more than one partition') as string,
  })
})

test.each([
  ['an unknown column', 'select 1 as id, 2 as other', 'no column "other"'],
  ['another type', "select 'x' as id, 'y' as region", 'another type'],
])('%s is refused', async (name, select, message) => {
  const path = await parquet(`${name.replaceAll(' ', '_')}.parquet`, select)
  await expect(changing((changes) => changes.addFiles(at('parts'), [path]))).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: expect.stringContaining(message) as string,
  })
})

test('a file that is not there is named', async () => {
  await expect(changing((changes) => changes.addFiles(at('parts'), ['/nowhere/x.parquet']))).rejects.toMatchObject({
    code: 'NOT_FOUND',
  })
})

test('what every row must have is there', async () => {
  await world.rows('create table raw.must (id int not null, b int)')
  const add = (file: string) => changing((changes) => changes.addFiles(at('must'), [file]))
  for (const [name, select, message] of [
    ['nulls', 'select unnest([1, null]) as id, 1 as b', 'rows in it have no value for "id"'],
    ['without', 'select 1 as b', 'it lacks the column "id"'],
  ] as const)
    await expect(add(await parquet(`must-${name}.parquet`, select))).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringContaining(message) as string,
    })
  await add(await parquet('must.parquet', 'select 1 as id, null::int as b'))
  expect(await world.rows('from raw.must')).toEqual([[1, null]])
})

test('what is in a file counts, not what its folder is called', async () => {
  await mkdir(join(world.root, 'day=5'))
  const file = await parquet('day=5/one.parquet', 'select 7 as day')
  await changing((changes) => changes.addFiles(at('named'), [file]))
  expect(await world.rows('select day from raw.named')).toEqual([[7]])
})

// Spark does not escape a `*` in the folders of partitions.
test('a file is read by its name, also where that could be a pattern', async () => {
  for (const other of ['aXb', 'it1s', 'qq', 'b', 'ab']) await parquet(`${other}.parquet`, 'select 2 as id')
  for (const [index, name] of ['a*b', 'it[1]s', 'q?', '[^a]', 'a{b,c}'].entries()) {
    await parquet(`${name}.parquet`, 'select 1 as id')
    const table = `named_${index}`
    await changing((changes) => changes.addFiles(at(table), [join(world.root, `${name}.parquet`)]))
    await world.rows(`insert into raw.${table} select 3`)
    await world.rows(`delete from raw.${table} where id = 3`)
    expect(await world.rows(`select id from raw.${table}`), name).toEqual([[1]])
  }
})

test('a folder is all Parquet below it; a file is there once', async () => {
  await mkdir(join(world.root, 'folder/region=West'), { recursive: true })
  await mkdir(join(world.root, 'folder/_temporary'), { recursive: true })
  await parquet('folder/region=West/one.parquet', 'select 1 as id')
  const two = await parquet('folder/two.parquet', "select 2 as id, 'East' as region")
  await parquet('folder/_temporary/three.parquet', "select 3 as id, 'East' as region")
  await changing((changes) =>
    changes.replaceTable(at('of_folder'), "select 0 as id, 'East' as region", {
      partitionedBy: [{ column: 'region', transform: { kind: 'identity' } }],
    }),
  )
  await changing((changes) => changes.addFiles(at('of_folder'), [join(world.root, 'folder')]))
  expect(await world.rows('select id, region from raw.of_folder order by id')).toEqual([
    [0, 'East'],
    [1, 'West'],
    [2, 'East'],
  ])
  const twice = { code: 'REQUEST_INVALID', message: expect.stringContaining('the table has it already') as string }
  await expect(changing((changes) => changes.addFiles(at('of_folder'), [two]))).rejects.toMatchObject(twice)
  const three = await parquet('three.parquet', "select 3 as id, 'East' as region")
  await expect(changing((changes) => changes.addFiles(at('of_folder'), [three, three]))).rejects.toMatchObject(twice)
  await expect(
    changing((changes) => changes.addFiles(at('of_folder'), [join(world.root, 'nowhere')])),
  ).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('bounds that were cut are no values: the folder tells the partition', async () => {
  await changing((changes) =>
    changes.replaceTable(at('long'), "select 'East' as region", {
      partitionedBy: [{ column: 'region', transform: { kind: 'identity' } }],
    }),
  )
  const value = 'a'.repeat(400)
  const lost = await parquet('cut.parquet', `select '${value}' as region`)
  await expect(changing((changes) => changes.addFiles(at('long'), [lost]))).rejects.toMatchObject({
    message: expect.stringContaining('nothing tells in which partition') as string,
  })
  await mkdir(join(world.root, 'cut', `region=${value.slice(0, 200)}`), { recursive: true })
  const short = await parquet(
    `cut/region=${value.slice(0, 200)}/one.parquet`,
    `select '${value.slice(0, 200)}' as region`,
  )
  await changing((changes) => changes.addFiles(at('long'), [short]))
  expect(await world.rows("select count(*) from raw.long where region like 'aaa%'")).toEqual([[1]])
})

test('what only DuckDB reads in a file is refused', async () => {
  const path = await parquet('unsigned.parquet', 'select {a: 1::ubigint} as s')
  await expect(changing((changes) => changes.addFiles(at('unsigned'), [path]))).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: expect.stringContaining('"a" holds unsigned integers of 64 bits') as string,
  })
})

test('an encoding that DuckDB does not read is told, by the file that is added and by those that are there', async () => {
  const path = join(world.root, 'split.parquet')
  await copyFile(join(import.meta.dirname, '../../../test/golden/parquet/split-integers.parquet'), path)
  const told = { code: 'UNSUPPORTED', message: expect.stringContaining('encoded as BYTE_STREAM_SPLIT') as string }
  await expect(changing((changes) => changes.addFiles(at('split'), [path]))).rejects.toMatchObject(told)
  const sql = `SELECT * FROM read_parquet('${path}')`
  const failed = world.engine.rows({ class: 'write', sql }).catch(rethrowEngine)
  await expect(failed).rejects.toMatchObject(told)
})

test('nanoseconds make a table of version 3 that was not there', async () => {
  const path = await parquet('ns.parquet', "select timestamp_ns '2024-02-29 12:00:00.123456789' as ns")
  await changing((changes) => changes.addFiles(at('ns'), [path]))
  await changing((changes) => changes.replaceTable(at('ns_copy'), 'select [ns] as l from raw.ns'))
  for (const name of ['ns', 'ns_copy']) expect((await loaded(name)).metadata.formatVersion).toBe(3)
  expect(await world.rows('select l[1]::varchar from raw.ns_copy')).toEqual([['2024-02-29 12:00:00.123456789']])
})
