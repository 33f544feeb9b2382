// Views that other engines made: which of their texts is read. Views of views: what is bound in place of them.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { fileLocation, joinLocation } from '../io/index.ts'
import { newViewMetadata, writeViewMetadata } from '../iceberg/index.ts'
import { collect } from './lake.ts'
import { openWorld } from './world.ts'

let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
  await world.rows('create table raw.sales as select 7 as id')
  await world.rows('create table raw.d0 as select i as id, i * 2 as total from range(4) t(i)')
  for (let level = 1; level <= 4; level++) {
    const below = `raw.d${level - 1}`
    await world.rows(
      `create view raw.d${level} as with a as (select * from ${below}), b as (select * from ${below}) select id, a.total + b.total as total from a join b using (id)`,
    )
  }
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

test('a view may ask with the words that a statement may', async () => {
  await world.rows(`create view raw.around as select table_name from duckdb_tables() where table_name = 'sales'`)
  expect(await world.rows('select * from raw.around')).toEqual([['sales']])
})

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

test("another engine's name for the catalog is the view's own catalog", async () => {
  await makeView('three_parts', ['spark', 'select s.id + 2 as id from lakehouse.raw.sales s'])
  expect(await world.rows('select * from raw.three_parts')).toEqual([[9]])
  await expect(world.rows('select * from lakehouse.raw.sales')).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
})

test('a view may read a branch or a tag by its name, and no other table that is called so where the view is', async () => {
  for (const sql of [
    'create schema beside',
    'create table raw.told as select 1 as id',
    "call create_tag('raw.told', 'v1')",
    'insert into raw.told values (2)',
    'create table beside.told as select 7 as id',
    "call create_tag('beside.told', 'v1')",
    'create view beside.of_tag as select id from raw.told.tag_v1',
    'create view beside.of_branch as select id from dev_analytics.raw.told.branch_main order by id',
  ])
    await world.rows(sql)
  expect(await world.rows('from beside.of_tag')).toEqual([[1]])
  expect(await world.rows('from beside.of_branch')).toEqual([[1], [2]])
  expect(await world.rows('from beside.of_tag', { namespace: 'beside' })).toEqual([[1]])
})

test('a view of views says what the whole of them says', async () => {
  await world.rows('create table raw.base as select 1 as id, 2.5::decimal(9, 2) as price, null as nothing')
  await world.rows('create view raw.one as select id, price, [id] as ids, {a: price} as pair from raw.base')
  await world.rows("create view raw.two as select *, 'x' as tag, price * 2 as twice from raw.one")
  const sql = 'select b.*, a.pair.a from raw.one a join raw.two b using (id)'
  const columns = await world.lake.bind(sql, world.asking())
  expect(columns.map(({ name }) => name)).toEqual(['id', 'price', 'ids', 'pair', 'tag', 'twice', 'a'])
  // What runs is the whole text.
  const result = await world.query(sql)
  expect(columns).toEqual(result.columns)
  expect((await collect(result)).rows).toHaveLength(1)
  expect(await world.rows('select twice, tag from raw.two')).toEqual([['5.00', 'x']])
  // A view has no row ids, and its own columns only.
  for (const wrong of ['rowid', 'nothing'])
    await expect(world.rows(`create view raw.three as select ${wrong} from raw.two`)).rejects.toMatchObject({
      code: 'SQL_INVALID',
      place: { line: 1 },
    })
})

test('what breaks a view below breaks those above, however they were bound before', async () => {
  await world.rows('create table raw.wide as select 1 as id, 2 as gone')
  await world.rows('create view raw.lower as select id, gone from raw.wide')
  await world.rows('create view raw.upper as select gone from raw.lower')
  await world.rows('alter table raw.wide drop column gone')
  for (const sql of ['create view raw.top as select * from raw.upper', 'select * from raw.upper'])
    await expect(world.rows(sql)).rejects.toMatchObject({
      code: 'SQL_INVALID',
      message: expect.stringContaining('gone'),
    })
  await world.rows('alter table raw.wide add column gone varchar')
  await world.rows('create view raw.top as select * from raw.upper')
  expect(await world.rows('select * from raw.top')).toEqual([[null]])
})

test.each([
  'select * from raw.d4 order by all',
  'from raw.d4 select count(*), sum(total)',
  'with d3 as (select 1 as id) select d4.total, d3.id from raw.d4 join d3 using (id)',
  'with recursive up(id) as (select 1 union all select id + 1 from up where id < 3) select * from up join raw.d4 using (id) order by all',
  '(select id from raw.d4) union all (select total from raw.d3) order by all',
  'select (select max(total) from raw.d4), exists (from raw.d3 where id = 2)',
  'describe raw.d4',
  'select d4 from raw.d4 order by all',
  'select a.total + b.total + c.total from raw.d3 a, raw.d3 b, raw.d4 c where a.id = b.id and b.id = c.id order by all',
])('views that stand in many places are the same in a run, where each is bound once: %s', async (sql) => {
  const inRun = async (asked: string) =>
    (await collect(await world.lake.query(asked, { ...world.asking(), door: 'run', cache: false }))).rows
  expect(await inRun(sql)).toEqual(await world.rows(sql))
})

test('sixteen levels of views, each of which reads the one below twice', async () => {
  await world.rows('create table raw.e0 as select 1 as id')
  for (let level = 1; level <= 16; level++)
    await world.lake.query(
      `create view raw.e${level} as select a.id + b.id as id from raw.e${level - 1} a, raw.e${level - 1} b`,
      { ...world.asking(), door: 'run' },
    )
  const result = await world.lake.query('select * from raw.e16', { ...world.asking(), door: 'run', cache: false })
  expect((await collect(result)).rows).toEqual([[2 ** 16]])
})

test('views are changed as Spark has it: their columns described, another SELECT, properties', async () => {
  await world.rows('create table raw.under as select 1 as id, 2 as n')
  await world.rows(
    `create view raw.spark (a comment 'first', b) comment 'all' tblproperties ('k' = 'v') as select id, n from raw.under`,
  )
  const comments = `select column_name, column_comment from information_schema.columns where table_name = 'spark' order by 1`
  expect(await world.rows(comments)).toEqual([
    ['a', 'first'],
    ['b', null],
  ])
  const properties = async () =>
    Object.fromEntries((await world.rows('show tblproperties raw.spark')) as [string, string][])
  expect(await properties()).toEqual({ 'format-version': '1', comment: 'all', k: 'v' })
  await world.rows('alter view raw.spark as select id + 1 as z from raw.under')
  expect(await world.rows('select z from raw.spark')).toEqual([[2]])
  await world.rows(`alter view raw.spark set tblproperties ('q' = 'w', 'comment' = 'new')`)
  await world.rows(`alter view raw.spark unset tblproperties if exists ('k', 'none')`)
  expect(await properties()).toEqual({ 'format-version': '1', comment: 'new', q: 'w' })
  expect(await world.rows(`show tblproperties raw.spark ('q')`)).toEqual([['q', 'w']])
  await world.rows(`alter view if exists raw.missing set tblproperties ('a' = 'b')`)
  for (const [sql, code] of [
    ['alter view raw.missing as select 1', 'TABLE_NOT_FOUND'],
    ['alter view raw.under as select 1', 'SQL_INVALID'],
    [`alter view raw.under set ('a' = 'b')`, 'SQL_INVALID'],
    ['alter view raw.spark add column a int', 'SQL_UNSUPPORTED'],
    ['show tblproperties raw.missing', 'TABLE_NOT_FOUND'],
  ] as const)
    await expect(world.rows(sql)).rejects.toMatchObject({ code })
})

test('what may not be said of files may not be said of views either', async () => {
  const anna = await world.member('anna')
  await world
    .rows('grant select, create, alter, drop on environment dev_analytics to user anna')
    .catch(() => world.rows(`grant select, create, alter, drop on environment dev to user anna`))
  const asAnna = (sql: string) => world.rows(sql, { principal: anna })
  const place = `tblproperties ('write.metadata.path' = '/elsewhere')`
  await expect(asAnna(`create view raw.away ${place} as select 1 as a`)).rejects.toMatchObject({ code: 'FORBIDDEN' })
  await asAnna('create view raw.away as select 1 as a')
  await expect(asAnna(`alter view raw.away set ${place}`)).rejects.toMatchObject({ code: 'FORBIDDEN' })
})
