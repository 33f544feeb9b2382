// A SELECT over tables that are not there yet: what it is, and what is wrong with it.

import { afterAll, expect, test } from 'vitest'
import type { Failure } from '../../base/failure.ts'
import { openWorld } from '../world.ts'

const world = await openWorld()
afterAll(world.close)
const { lake, asking } = world
for (const sql of [
  'create schema raw',
  'create table raw.sales as select 1 as id, 2.50::decimal(9,2) as amount',
  'create view raw.seen as select id, amount * 2 as twice from raw.sales',
])
  await lake.query(sql, asking())

const given = ({ namespace, name }: { namespace: string; name: string }) =>
  namespace === 'marts' && name.toLowerCase() === 'orders'
    ? [
        { name: 'id', type: 'INTEGER' },
        { name: 'items', type: 'STRUCT(sku VARCHAR, n HUGEINT)[]' },
      ]
    : undefined
const outline = (sql: string) => lake.outline(sql, { ...asking(), given })

test('columns of tables that are given and of the lake’s own', async () => {
  const found = await outline(
    'select o.id, unnest(o.items).n as n, s.twice from marts.ORDERS o join raw.seen s using (id)',
  )
  expect(found.columns).toEqual([
    { name: 'id', type: 'INTEGER' },
    { name: 'n', type: 'HUGEINT' },
    { name: 'twice', type: 'DECIMAL(18,2)' },
  ])
  expect(found.tables.map(({ table, columns }) => [table, columns?.map(({ name }) => name)])).toEqual([
    ['dev_analytics.marts.ORDERS', ['id', 'items']],
    ['dev_analytics.raw.seen', ['id', 'twice']],
  ])
  expect(await found.tree()).toHaveProperty('node.type', 'SELECT_NODE')
})

test.each([
  ['select id,\n  nothing from marts.orders', 'SQL_INVALID', { line: 2, column: 3 }],
  ['select 1 from marts.missing', 'TABLE_NOT_FOUND', { line: 1, column: 15 }],
  ["select 1 from marts.orders, read_csv('x')", 'SQL_REFUSED', undefined],
  ['delete from marts.orders', 'SQL_INVALID', undefined],
])('%s', async (sql, code, place) => {
  const failure = (await outline(sql).catch((error: unknown) => error)) as Failure
  expect([failure.code, failure.place]).toEqual([code, place])
})

test('what is given is nobody else’s', async () => {
  await expect(lake.bind('from marts.orders', asking())).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
})
