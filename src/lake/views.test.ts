// Views that other engines made: which of their texts is read.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { fileLocation, joinLocation } from '../io/index.ts'
import { newViewMetadata, writeViewMetadata } from '../iceberg/index.ts'
import { openWorld } from './world.ts'

let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
  await world.rows('create table raw.sales as select 7 as id')
})
afterAll(() => world.close())

async function makeView(name: string, ...texts: [dialect: string, sql: string][]) {
  const metadata = newViewMetadata({
    uuid: name,
    location: joinLocation(fileLocation(world.root), name),
    schema: [{ name: 'id', type: { kind: 'int' } }],
    representations: texts.map(([dialect, sql]) => ({ type: 'sql', dialect, sql })),
    defaultCatalog: 'spark_catalog',
    defaultNamespace: ['raw'],
    nowMs: 1,
  })
  const location = await writeViewMetadata(world.io, metadata)
  await world.catalog.swap([
    { name: { catalog: 'dev_analytics', namespace: 'raw', name }, kind: 'view', from: null, to: location },
  ])
}

test('the text for DuckDB is taken, wherever it stands', async () => {
  await makeView('both', ['spark', 'select 1 as id'], ['DuckDB', 'select id from sales'])
  expect(await world.rows('select * from raw.both')).toEqual([[7]])
})

test('else the first that runs here', async () => {
  await makeView('spark_only', ['hive', 'select nowhere from sales'], ['spark', 'select id + 1 as id from sales'])
  expect(await world.rows('select * from raw.spark_only')).toEqual([[8]])
})

test('else it says why none does', async () => {
  await makeView('none', ['trino', 'select nowhere from sales'], ['hive', 'select from where'])
  await expect(world.rows('select * from raw.none')).rejects.toMatchObject({
    code: 'SQL_UNSUPPORTED',
    message: expect.stringMatching(/raw\.none has no SQL for DuckDB \(trino: .*nowhere.*; hive: /),
  })
})
