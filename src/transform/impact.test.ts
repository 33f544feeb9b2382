// What a change of a project means, how data differs, and a model's first rows: against a real lake.

import { afterAll, expect, test } from 'vitest'
import { openWorld } from '../lake/world.ts'
import { recordFiles } from '../project/dbt/index.ts'
import { checkProject } from './check.ts'
import { columnGraph, columnsNamed, traceColumns } from './column-graph.ts'
import { diffTables } from './data-diff.ts'
import { impactOf, impactText } from './impact.ts'
import { previewRows, withClause } from './preview.ts'
import { loadProject } from './project.ts'

const world = await openWorld()
afterAll(world.close)
const { lake, asking } = world
for (const sql of [
  'create schema raw',
  'create table raw.orders as from (values (1, 10.00, 1), (2, 20.00, 1), (3, 30.00, 2)) v(id, amount, shop)',
])
  await lake.query(sql, asking())
const principal = { id: 'system', name: 'system', role: 'system' as const }

const files = {
  'dbt_project.yml': 'name: shop\nmodels: {+materialized: table}',
  'models/all.yml': `sources: [{name: raw, tables: [{name: orders}]}]
models:
  - {name: stg, columns: [{name: id, tests: [unique]}]}
  - {name: totals, columns: [{name: total, tests: [not_null]}]}
exposures: [{name: board, type: dashboard, owner: {email: a@b.c}, depends_on: [ref('totals')]}]
`,
  'models/stg.sql': "select id, amount, shop from {{ source('raw', 'orders') }} where amount > 0",
  'models/totals.sql': "select shop, sum(amount) as total from {{ ref('stg') }} group by shop",
}
async function version(changed: Record<string, string> = {}) {
  const project = await loadProject('/project', {
    files: recordFiles({ ...files, ...changed }),
    target: { name: 'dev', catalog: 'dev_analytics' },
    startedAt: 0,
  })
  return { project, graph: await columnGraph(project, await checkProject({ project, lake, principal })) }
}
const base = await version()

test('where a column comes from and what depends on it', () => {
  const { project, graph } = base
  expect(columnsNamed(project, graph, 'stg.AMOUNT')).toEqual({ node: 'model.shop.stg', columns: ['amount'] })
  expect(() => columnsNamed(project, graph, 'stg.amont')).toThrow('did you mean "amount"')
  const trace = traceColumns(project, graph, { node: 'model.shop.stg', columns: ['amount'] })
  expect(trace.upstream.map(({ node, column, how }) => [node, column, how])).toEqual([
    ['source.shop.raw.orders', 'amount', 'identity'],
  ])
  expect(trace.downstream.map(({ node, column, how }) => [node, column, how])).toEqual([
    ['model.shop.totals', 'total', 'aggregated'],
  ])
  expect([trace.tests.map((id) => id.split('.')[2]), trace.exposures]).toEqual([
    ['not_null_totals_total'],
    ['exposure.shop.board'],
  ])
})

test.each<[string, Record<string, string>, string, string]>([
  [
    'white space and comments',
    { 'models/stg.sql': `-- said\n${files['models/stg.sql'].replace('where', '\n  where')}` },
    '',
    '',
  ],
  [
    'a column that comes',
    { 'models/stg.sql': files['models/stg.sql'].replace('shop from', 'shop, id * 2 as twice from') },
    'stg non-breaking: twice added',
    'nothing',
  ],
  [
    'a column that goes',
    { 'models/totals.sql': files['models/totals.sql'].replace('shop, sum', 'sum') },
    'totals breaking: shop removed',
    '1 exposure',
  ],
  [
    'another type',
    { 'models/stg.sql': files['models/stg.sql'].replace('amount, shop', 'amount::double as amount, shop') },
    'stg breaking: amount retyped; totals breaking: total retyped',
    '1 column of 1 model, 1 test, 1 exposure',
  ],
  [
    'another expression',
    { 'models/totals.sql': files['models/totals.sql'].replace('sum(amount)', 'sum(amount * 2)') },
    'totals values: total remade',
    '1 test, 1 exposure',
  ],
  [
    'another filter',
    { 'models/stg.sql': files['models/stg.sql'].replace('> 0', '> 1') },
    'stg breaking: rows',
    '2 columns of 1 model, 2 tests, 1 exposure',
  ],
  [
    'what cannot be checked',
    { 'models/stg.sql': "select id, amount, shop from 'data/orders.csv'" },
    'stg unknown: ',
    '1 model, 2 tests, 1 exposure',
  ],
  [
    'a mistake',
    { 'models/totals.sql': files['models/totals.sql'].replace('amount', 'amont') },
    'totals unknown: ',
    '1 test, 1 exposure',
  ],
])('impact of %s', async (_, changed, expected, affected) => {
  const changes = impactOf(base, await version(changed))
  const text = changes.map(
    ({ name, severity, columns, rowsChanged }) =>
      `${name} ${severity}: ${[...columns.map((one) => `${one.name} ${one.change}`), ...(rowsChanged ? ['rows'] : [])].join(', ')}`,
  )
  expect(text.join('; ')).toBe(expected)
  if (changes[0]) expect(impactText(changes[0].impact)).toBe(affected)
})

test('rows that came, went and changed, by key and by whole rows', async () => {
  for (const sql of [
    'create schema other',
    `create table other.orders as from (values (1, 10.00, 1, 'x'), (2, 25.00, 1, 'y'), (4, 40.00, 2, null)) v(id, amount, shop, note)`,
    'create table other.same as from raw.orders',
  ])
    await lake.query(sql, asking())
  const options = asking()
  const names = { before: 'raw.orders', after: 'other.orders' }
  const byKey = await diffTables('orders', names, [['missing'], ['shop'], ['id']], { lake, options, samples: options })
  expect(byKey).toMatchObject({ key: ['id'], rowsBefore: 3, rowsAfter: 3, added: 1, removed: 1, changed: 1 })
  expect(byKey.columns).toEqual([{ name: 'amount', changed: 1 }])
  expect(byKey.schema).toEqual([{ name: 'note', before: null, after: 'VARCHAR' }])
  expect(byKey.samples.map(({ change, rows }) => [change, rows.length, rows[0]![0]])).toEqual([
    ['added', 1, 4],
    ['removed', 1, 3],
    ['changed', 1, 2],
  ])
  const byRow = await diffTables('orders', names, [], { lake, options })
  expect(byRow).toMatchObject({ key: undefined, added: 2, removed: 2, changed: 0, samples: [] })
  const same = await diffTables('orders', { before: 'raw.orders', after: 'other.same' }, [['id']], { lake, options })
  expect(same).toMatchObject({ added: 0, removed: 0, changed: 0, columns: [], schema: [] })
  const gone = await diffTables('orders', { before: 'raw.orders', after: 'raw.nothing' }, [], { lake, options })
  expect(gone).toMatchObject({ rowsBefore: 3, rowsAfter: null, removed: 3 })
})

test.each([
  ['with a as (select 1), b(x, y) as materialized (select (2), 3) select * from a', ['a', 'b'], ' select * from a'],
  ['with recursive "A b" as (select 1 as n union all select n + 1 from "A b") select 1', ['A b'], ' select 1'],
  ["with a as (select ')' as c /* ( */) -- (\nselect 1", ['a'], ' -- (\nselect 1'],
  ['select 1', [], 'select 1'],
])('the WITH clause of %s', (sql, names, rest) => {
  const found = withClause(sql)
  expect([found.names, sql.slice(found.end)]).toEqual([names, rest])
})

test('the first rows of a model and of its named queries, over what is published', async () => {
  const { project } = await version({
    'models/totals.sql': `with per as (select shop, amount from {{ source('raw', 'orders') }})
select shop, sum(amount) as total from per group by shop order by shop`,
  })
  const node = project.nodes.get('model.shop.totals')!
  const work = { project, lake, principal }
  expect((await previewRows(node, { limit: 1 }, work)).truncated).toBe(true)
  expect((await previewRows(node, { limit: 10 }, work)).rows).toEqual([
    [1, '30.00'],
    [2, '30.00'],
  ])
  expect((await previewRows(node, { cte: 'PER', limit: 10 }, work)).rows).toHaveLength(3)
  await expect(previewRows(node, { cte: 'pr', limit: 10 }, work)).rejects.toThrow('did you mean "per"')
})
