import { quoteName, quoteText } from './sql/tokens.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { realClock } from '../base/clock.ts'
import { openEmbeddedCatalog, type LoadedTable } from '../catalog/index.ts'
import { createTag, currentSchema, defaultSpec, showTransform, showType } from '../iceberg/index.ts'
import { collect } from './lake.ts'
import { openSession } from './session.ts'
import { openWorld } from './world.ts'

let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world?.close())

const loaded = async (name: string) =>
  (await world.tables.load({ catalog: 'dev_analytics', namespace: 'raw', name })) as LoadedTable
const refused = (sql: string) =>
  world.rows(sql).then(
    () => undefined,
    (error: unknown) => error as { code: string; message: string; place?: { line?: number; column?: number } },
  )

describe('what a table is made of', () => {
  test('columns, partitions, order, properties, comments', async () => {
    await world.rows(`create table raw.made (
      id bigint not null comment 'the key', place struct(city varchar, zip int), at timestamptz, tags varchar[], amount decimal(10, 2))
      partitioned by (day(at), bucket(4, id), truncate(2, place.city)) sorted by (id desc nulls last)
      comment 'made here' with ('write.delete.mode' = 'copy-on-write', "format-version" = 2)`)
    const { metadata } = await loaded('made')
    expect(
      currentSchema(metadata).fields.map(({ name, required, type, doc }) => [name, required, showType(type), doc]),
    ).toEqual([
      ['id', true, 'long', 'the key'],
      ['place', false, expect.stringContaining('struct') as string, undefined],
      ['at', false, 'timestamptz', undefined],
      ['tags', false, expect.stringContaining('list') as string, undefined],
      ['amount', false, 'decimal(10, 2)', undefined],
    ])
    expect(defaultSpec(metadata).fields.map(({ transform }) => showTransform(transform))).toEqual([
      'day',
      'bucket[4]',
      'truncate[2]',
    ])
    expect(metadata.properties).toMatchObject({ comment: 'made here', 'write.delete.mode': 'copy-on-write' })
    await world.rows("insert into raw.made values (1, {'city': 'Ulm', 'zip': 1}, '2024-03-31T01:00:00Z', ['a'], 1.5)")
    expect(await world.rows('select id, place.city, amount::varchar from raw.made')).toEqual([[1, 'Ulm', '1.50']])
  })

  test('words that Spark has besides', async () => {
    await world.rows('create table raw.wordy (id int, a int, b int, c int) using iceberg')
    await world.rows('alter table raw.wordy drop columns a, c')
    expect((await collect(await world.query('from raw.wordy'))).columns.map(({ name }) => name)).toEqual(['id', 'b'])
    expect(await refused("create table raw.placed_so (id int) using iceberg location 's3://x/y'")).toMatchObject({
      code: 'SQL_UNSUPPORTED',
      message: 'LOCATION is not supported',
    })
  })

  test('names in backticks', async () => {
    for (const sql of [
      'create table `raw`.`ticks` (`id` int, `my col` string, `at` timestamp) using iceberg partitioned by (`id`, days(`at`))',
      "insert into `raw`.`ticks` (`id`, `my col`) values (1, 'a`b'), (2, 'it''s')",
      "update raw.`ticks` set `my col` = concat(`my col`, '`') where `id` = 2",
      "merge into raw.ticks as `t` using (select 1 as `id`) s on `t`.`id` = s.`id` when matched then update set `my col` = 'm' when not matched then insert (`id`) values (s.`id`)",
      'alter table raw.ticks add column `new``col` int',
      'alter table raw.ticks create branch `audit-branch`',
      'insert into raw.ticks.`branch_audit-branch` (`id`) values (3)',
      'create or replace view raw.`ticked` as select `my col` as `c"d` from raw.`ticks` -- not `this',
    ])
      await world.rows(sql)
    const asked = await world.query('select `id`, `t`.`my col` as `x y`, `new``col` from `raw`.`ticks` t order by 1')
    const { columns, rows } = await collect(asked)
    expect(columns.map(({ name }) => name)).toEqual(['id', 'x y', 'new`col'])
    expect(rows).toEqual([
      [1, 'm', null],
      [2, "it's`", null],
    ])
    expect(await world.rows('select count(*) from raw.ticks.`branch_audit-branch`')).toEqual([[3]])
    expect(await world.rows('select "c""d" from raw.ticked order by 1')).toEqual([["it's`"], ['m']])
    expect(await world.rows('show create view raw.ticked')).toEqual([
      [expect.not.stringContaining('`ticks`') as string],
    ])
    expect(await refused('select `id`,\n `nope` from raw.ticks')).toMatchObject({ place: { line: 2, column: 2 } })
  })

  test('partitions, order and keys as Spark changes them', async () => {
    await world.rows('create table raw.spark (id bigint not null, at timestamp, kind varchar not null)')
    const alter = (what: string) => world.rows(`alter table raw.spark ${what}`)
    await alter('add partition field days(at)')
    await alter('replace partition field days(at) with hours(at) as hour_of')
    await alter('add partition field kind as sort')
    const { metadata } = await loaded('spark')
    expect(metadata.partitionSpecs.map(({ fields }) => fields.map(({ name }) => name).join())).toEqual([
      '',
      'at_day',
      'hour_of',
      'hour_of,sort',
    ])
    const written = async (what: string) => {
      await alter(`write ${what}`)
      const { properties, sortOrders, defaultSortOrderId } = (await loaded('spark')).metadata
      const { fields } = sortOrders.find(({ orderId }) => orderId === defaultSortOrderId)!
      return [fields.length, properties['write.distribution-mode']]
    }
    expect(await written('ordered by kind, id desc')).toEqual([2, 'range'])
    expect(await written('distributed by partition locally ordered by id')).toEqual([1, 'hash'])
    expect(await written('locally ordered by (id, kind)')).toEqual([2, 'hash'])
    expect(await written('unordered')).toEqual([0, 'none'])
    expect(await written('unordered distributed by partition')).toEqual([0, 'hash'])
    expect((await refused('alter table raw.spark write'))?.code).toBe('SQL_INVALID')
    await alter('set identifier fields id, kind')
    await alter('drop identifier fields ID')
    expect(currentSchema((await loaded('spark')).metadata).identifierFieldIds).toEqual([3])
    expect(await refused('alter table raw.spark drop identifier fields id')).toMatchObject({ code: 'REQUEST_INVALID' })
  })

  test('changes of columns at any depth keep what is there', async () => {
    await world.rows("create table raw.changed as select 1::integer as id, {'a': 1} as s, 'x' as name, 2 as gone")
    for (const sql of [
      "alter table raw.changed alter column id type bigint comment 'the key'",
      'alter table raw.changed add column s.b varchar, drop column gone',
      'alter table raw.changed rename column name to title',
      'alter table raw.changed add column first_one int first',
      'alter table raw.changed alter title after first_one',
      "alter table raw.changed set ('a.b' = 'c')",
      "comment on column raw.changed.title is 'its title'",
      "comment on table raw.changed is 'about'",
      'alter table raw.changed add partition field bucket(2, id)',
    ])
      await world.rows(sql)
    const { metadata } = await loaded('changed')
    expect(currentSchema(metadata).fields.map(({ name }) => name)).toEqual(['first_one', 'title', 'id', 's'])
    expect(currentSchema(metadata).fields.map(({ doc }) => doc)).toEqual([undefined, 'its title', 'the key', undefined])
    expect(metadata.properties).toMatchObject({ 'a.b': 'c', comment: 'about' })
    await world.rows("insert into raw.changed values (9, 'y', 2, {'a': 2, 'b': 'new'})")
    expect(await world.rows('select first_one, title, id, s.a, s.b from raw.changed order by id')).toEqual([
      [null, 'x', 1, 1, null],
      [9, 'y', 2, 2, 'new'],
    ])
    await world.rows('alter table raw.changed drop partition field bucket(2, id)')
    await world.rows("alter table raw.changed unset ('a.b')")
    expect((await loaded('changed')).metadata.properties['a.b']).toBeUndefined()
    await world.rows('alter table raw.changed rename to renamed')
    expect(await world.rows('select count(*) from raw.renamed')).toEqual([[2]])
    expect((await loaded('renamed')).metadata.tableUuid).toBe(metadata.tableUuid)
  })

  test('defaults of format version 3', async () => {
    await world.rows(`create table raw.third (id int) with ('format-version' = '3')`)
    await world.rows('insert into raw.third values (1)')
    await world.rows("alter table raw.third add column kind varchar default 'old'")
    await world.rows("alter table raw.third alter kind set default 'new'")
    await world.rows('insert into raw.third (id) values (2)')
    expect(await world.rows('from raw.third order by id')).toEqual([
      [1, 'old'],
      [2, 'new'],
    ])
  })

  test('DEFAULT is the default of the column, in UPDATE and where MERGE gives no value', async () => {
    await world.rows("create table raw.d (id int, kind varchar default 'new', n int) with ('format-version' = '3')")
    await world.rows("insert into raw.d values (1, 'old', 1)")
    await world.rows('update raw.d set kind = default, n = default where id = 1')
    await world.rows(
      'merge into raw.d t using (select unnest([1, 2, 3]) as id) s on t.id = s.id when not matched and s.id = 2 then insert (id) values (s.id) when not matched then insert by name',
    )
    expect(await world.rows('from raw.d order by id')).toEqual([1, 2, 3].map((id) => [id, 'new', null]))
  })

  test('CREATE OR REPLACE TABLE with columns is the next step of the same table', async () => {
    await world.rows(
      "create table raw.rep (id int, region varchar, at date) partitioned by (region) sorted by (id) with ('a' = '1', 'b' = '2')",
    )
    await world.rows("insert into raw.rep values (1, 'x', '2024-01-01')")
    const before = (await loaded('rep')).metadata
    await world.rows(
      "create or replace table raw.rep (id bigint not null, at date, kind varchar default 'k') partitioned by (month(at)) with ('b' = '3', 'format-version' = '3')",
    )
    const after = (await loaded('rep')).metadata
    expect(after.tableUuid).toBe(before.tableUuid)
    expect(after.formatVersion).toBe(3)
    expect(after.properties).toMatchObject({ a: '1', b: '3' })
    expect(currentSchema(after).fields.map(({ id, name, required }) => [id, name, required])).toEqual([
      [1, 'id', true],
      [3, 'at', false],
      [4, 'kind', false],
    ])
    expect(
      defaultSpec(after)
        .fields.map(({ transform }) => showTransform(transform))
        .filter((one) => one !== 'void'),
    ).toEqual(['month'])
    expect(await world.rows('from raw.rep')).toEqual([])
    await world.rows("insert into raw.rep (id, at) values (2, '2024-02-01')")
    expect(await world.rows('select id, kind from raw.rep')).toEqual([[2, 'k']])
    expect(await world.rows(`select * from raw.rep at (version => ${before.currentSnapshotId})`)).toEqual([
      [1, 'x', '2024-01-01'],
    ])
    await world.rows('create or replace table raw.rep (id int)')
    expect(await world.rows('from raw.rep')).toEqual([])
    expect(defaultSpec((await loaded('rep')).metadata).fields.every(({ transform }) => transform.kind === 'void')).toBe(
      true,
    )
  })

  test('a branch and a tag are read by name', async () => {
    await world.rows('create table raw.past as select 1 as a')
    const { name, metadata } = await loaded('past')
    const { updates } = createTag(metadata, 'then')
    const catalog = openEmbeddedCatalog({
      records: world.records,
      io: world.io,
      clock: realClock,
      tables: world.tables,
    })
    await catalog.commit([{ action: 'commit', kind: 'table', name, requirements: [], updates }])
    await world.rows('alter table raw.past add column b int')
    await world.rows('insert into raw.past values (2, 2)')
    expect(await world.rows("from raw.past at (version => 'then')")).toEqual([[1]])
    expect(await world.rows("from raw.past at (version => 'main') order by a")).toEqual([
      [1, null],
      [2, 2],
    ])
    expect(await world.rows('from raw.past', { asOf: 'then' })).toEqual([[1]])
  })

  test('schemas and views', async () => {
    await world.rows('create schema extra')
    await world.rows("create view extra.v (a, b) comment 'two' as select 1, 2")
    expect(await world.rows('select b, a from extra.v')).toEqual([[2, 1]])
    const comment =
      "select table_comment from information_schema.tables where table_name = 'v' and table_schema = 'extra'"
    expect(await world.rows(comment)).toEqual([['two']])
    await world.rows("comment on view extra.v is 'three'")
    expect(await world.rows(comment)).toEqual([['three']])
    await world.rows('comment on view extra.v is null')
    expect(await world.rows(`${comment} union all select b::varchar from extra.v`)).toEqual([[null], ['2']])
    expect(await refused("comment on column extra.v.nope is 'x'")).toMatchObject({ code: 'SQL_INVALID' })
    expect(await refused('drop schema extra')).toMatchObject({ code: 'NAMESPACE_NOT_EMPTY' })
    await world.rows('drop view extra.v')
    await world.rows('drop schema extra')
    await world.rows('drop schema if exists extra')
  })

  test.each([
    ['alter table raw.nowhere add column a int', 'TABLE_NOT_FOUND', 17],
    ['drop table raw.mad', 'TABLE_NOT_FOUND', 16],
    ['delete from raw.maed where id = 1', 'TABLE_NOT_FOUND', 17],
    ['alter table raw.made add column id int', 'REQUEST_INVALID', undefined],
    ['alter table raw.made alter column amount type int[] using [nope]', 'SQL_INVALID', 60],
    ['create table raw.x (a nosuchtype)', 'SQL_INVALID', 23],
    ['create table raw.x (a int references raw.y (a))', 'SQL_UNSUPPORTED', undefined],
    ['update raw.made set nope = 1', 'SQL_INVALID', undefined],
    ['update raw.made set amount = nope', 'SQL_INVALID', 30],
    ['delete from raw.made where nope = 1', 'SQL_INVALID', 28],
    ["delete from raw.made where id in (select * from read_csv('/etc/passwd'))", 'SQL_REFUSED', undefined],
    ['insert into raw.made (id, amount) values (null, 1)', 'SQL_INVALID', undefined],
    ['merge into raw.made using raw.made as s on nope = 1 when matched then delete', 'SQL_INVALID', 44],
    ['delete from raw.made where (id = 1', 'SQL_INVALID', undefined],
  ])('%s is refused with its place', async (sql, code, column) => {
    const failure = await refused(sql)
    expect(failure).toMatchObject({ code })
    if (column !== undefined) expect(failure?.place).toMatchObject({ line: 1, column })
  })
})

test('a name that is nearly right is told', async () => {
  for (const sql of ['insert into raw.maed values (1)', 'drop table raw.mad', 'update made set id = 1'])
    expect(await refused(sql)).toMatchObject({
      message: expect.stringMatching(/did you mean raw\.made|without a namespace/) as string,
    })
  expect(await refused('update raw.made set amuont = 1')).toMatchObject({
    message: expect.stringContaining('amount') as string,
  })
})

describe('rows', () => {
  test('delete using, update from, merge with every branch', async () => {
    await world.rows("create table raw.stock as select i as id, i * 10 as n, 'old' as note from range(6) t(i)")
    await world.rows('create table raw.moves as select unnest([1, 2, 2, 9]) as id, unnest([5, 6, 6, 7]) as n')
    expect(await world.rows('delete from raw.stock as s using raw.moves m where m.id = s.id and s.id = 2')).toEqual([
      [1],
    ])
    expect(
      await world.rows("update raw.stock s set n = m.n + s.n, note = 'moved' from raw.moves m where m.id = s.id"),
    ).toEqual([[1]])
    expect(
      await world.rows(`merge into raw.stock as t using (select distinct * from raw.moves) as s on s.id = t.id
        when matched and s.n > 100 then delete
        when matched then update set n = s.n, note = 'merged'
        when not matched and s.id = 2 then insert (id, n) values (s.id, s.n)
        when not matched then insert by name
        when not matched by source and t.id = 5 then delete
        when not matched by source and t.id = 4 then update set note = 'alone'`),
    ).toEqual([[5]])
    expect(await world.rows('from raw.stock order by id')).toEqual([
      [0, 0, 'old'],
      [1, 5, 'merged'],
      [2, 6, null],
      [3, 30, 'old'],
      [4, 40, 'alone'],
      [9, 7, null],
    ])
    expect(
      await refused('merge into raw.stock t using raw.moves s on s.id = t.id when matched then update set n = 1'),
    ).toMatchObject({
      code: 'SQL_INVALID',
      message: expect.stringContaining('twice') as string,
    })
    await world.rows("insert overwrite raw.stock select 1, 1, 'only'")
    expect(await world.rows('from raw.stock')).toEqual([[1, 1, 'only']])
    expect(await world.rows('truncate table raw.stock')).toEqual([[1]])
    expect(await world.rows('select count(*) from raw.stock')).toEqual([[0]])
  })

  test('WITH before a change, DEFAULT among values, several columns set at once', async () => {
    await world.rows("create table raw.w (id int, n int default 7, s varchar,) with ('format-version' = '3')")
    await world.rows('with new(a) as (values (1), (2)) insert into raw.w (id) select a from new')
    await world.rows("insert into raw.w values (3, default, 'three'), (4, 4, default)")
    await world.rows('insert into raw.w default values')
    await world.rows('with more as (select 1 as x, 10 as y) update raw.w set n = y from more where id = x')
    await world.rows("update raw.w set (n, s) = (20, 'two') where id = 2")
    await world.rows('with more as (select 3 as x) delete from raw.w where id in (select x from more)')
    await world.rows(`with more as (select 4 as id, 40 as n, 'four' as s) merge into raw.w t using more s on s.id = t.id
      when matched then update set *`)
    expect(await world.rows('from raw.w order by id')).toEqual([
      [1, 10, null],
      [2, 20, 'two'],
      [4, 40, 'four'],
      [null, 7, null],
    ])
    expect(await refused('insert into raw.w values (default)')).toMatchObject({ code: 'SQL_INVALID' })
    await world.rows('create table raw.named(a, b) as select 1, 2')
    expect(await world.rows('select b, a from raw.named')).toEqual([[2, 1]])
    expect(await refused('create table raw.fewer(a, b) as select 1')).toMatchObject({ code: 'SQL_INVALID' })
  })

  test('MERGE: plain names mean the side that has a row; nothing of either side is left out unsaid', async () => {
    await world.rows('create table raw.side as select * from (values (1, 10), (2, 20)) t(id, val)')
    const merge = (rows: string, rest: string) => `merge into raw.side as t using (${rows}) as s on s.id = t.id ${rest}`
    await world.rows(
      merge(
        'select * from (values (1, 100), (3, 300)) v(id, val)',
        `when matched then update set "val" = s."val" when not matched and val > 5 then insert ("id", "val") values ("id", "val" + 1)
         when not matched by source and "val" = 20 then update set val = CAST(val AS int) + coalesce(val, 0)`,
      ),
    )
    expect(await world.rows('from raw.side order by id')).toEqual([
      [1, 100],
      [2, 40],
      [3, 301],
    ])
    const wrong = 'select 9 as id, 1 as vall'
    for (const rest of ['when not matched then insert by name', 'when matched then update by name'])
      expect(await refused(merge(wrong, rest))).toMatchObject({ message: expect.stringContaining('vall') as string })
    for (const rest of ['when not matched then insert *', 'when matched then update set *'])
      expect(await refused(merge(wrong, rest))).toMatchObject({
        message: 'the rows that are merged have no column val',
      })
  })
})

test.each(['_new', '_clause', '_in_table', '_in_source', '_partition_0', '_row_id', '_given', 'pos', 'fi'])(
  'a column may be called %s',
  async (name) => {
    const on = 'merge into raw.odd as t using'
    await world.rows(`create or replace table raw.odd (id int, "${name}" int) partitioned by ("${name}")
      with ('write.delete.mode' = 'merge-on-read', 'write.update.mode' = 'merge-on-read', 'write.merge.mode' = 'merge-on-read')`)
    await world.rows('insert into raw.odd values (1, 10), (2, 0), (3, null)')
    await world.rows(`update raw.odd set "${name}" = "${name}" + 1 where id = 1`)
    await world.rows(
      `${on} (select 2 as id, 5 as "${name}") s on t.id = s.id when matched then update set "${name}" = s."${name}"`,
    )
    await world.rows(`${on} (select 4 as id, 0 as "${name}") s on t.id = s.id when not matched then insert *`)
    await world.rows(`delete from raw.odd where "${name}" is null`)
    expect(await world.rows('from raw.odd order by id')).toEqual([
      [1, 11],
      [2, 5],
      [4, 0],
    ])
  },
)

test.each(['_file', '_POS', '_deleted', 'filename', 'file_row_number', 'file_index', '_spec_id'])(
  'rows with a column %s change as others do',
  async (name) => {
    for (const mode of ['copy-on-write', 'merge-on-read']) {
      await world.rows(`create or replace table raw.placed (id int, "${name}" int)
        tblproperties ('write.update.mode' '${mode}', 'write.delete.mode' '${mode}', 'write.merge.mode' '${mode}')`)
      await world.rows('insert into raw.placed select i, i * 10 from range(5) r(i)')
      await world.rows(`update raw.placed set "${name}" = "${name}" + 1 where "${name}" = 10`)
      await world.rows(`delete from raw.placed where "${name}" = 20`)
      await world.rows(
        `merge into raw.placed t using (select 3 as id, 7 as "${name}") s on t.id = s.id when matched then update set "${name}" = s."${name}"`,
      )
      const rows = [
        [0, 0],
        [1, 11],
        [3, 7],
        [4, 40],
      ]
      expect(await world.rows('from raw.placed order by id')).toEqual(rows)
      expect(await world.rows(`delete from raw.placed where id = 4 returning "${name}"`)).toEqual([[40]])
    }
  },
)

test.each(['_boathouse_file', '_BOATHOUSE_pos'])(
  'a column %s has the name of a place: its rows are added and read, and not changed',
  async (name) => {
    await world.rows(`create or replace table raw.placed (id int, "${name}" int)`)
    await world.rows('insert into raw.placed values (1, 10)')
    expect(await world.rows('from raw.placed')).toEqual([[1, 10]])
    for (const change of ['update raw.placed set id = 2', 'delete from raw.placed where id = 1'])
      expect(await refused(change)).toMatchObject({
        code: 'SQL_UNSUPPORTED',
        message: `dev_analytics.raw.placed has a column ${name}, a name that changes of single rows need`,
      })
  },
)

describe('fields of columns, and the two sides of MERGE', () => {
  beforeEach(async () => {
    await world.rows(
      "create or replace table raw.inner (id int, a int, s struct<a: int, b: struct<c: int, d: array<string>>>) tblproperties ('format-version' '2')",
    )
    await world.rows("insert into raw.inner values (1, 0, {'a': 1, 'b': {'c': 2, 'd': ['x']}}), (2, 0, null)")
  })
  const all = () => world.rows('select id, a, s from raw.inner order by id')
  const merge = (rows: string, rest: string) => `merge into raw.inner as t using (${rows}) as q on t.id = q.id ${rest}`

  test('a field of a column is set, and not the column that is called as it', async () => {
    await world.rows('update raw.inner set s.a = s.a + 4, s.b.c = 7 where id = 1')
    expect(await all()).toEqual([
      [1, 0, { a: 5, b: { c: 7, d: ['x'] } }],
      [2, 0, null],
    ])
    await world.rows('update raw.inner x set x.s.b.c = 8, x.a = 1')
    await world.rows(merge('select 2 as id, 9 as v', 'when matched then update set t.s.a = q.v'))
    expect(await all()).toEqual([
      [1, 1, { a: 5, b: { c: 8, d: ['x'] } }],
      [2, 1, { a: 9, b: { c: 8, d: null } }],
    ])
  })

  test.each([
    ['update raw.inner set s.q = 1', 's has no field q'],
    ['update raw.inner set a.q = 1', 'a has no fields'],
    ['update raw.inner set s.a = 1, s.a = 2', 's.a is set twice'],
    ['update raw.inner set s.b.c = 1, s.b = null', 's.b is set twice'],
    ['update raw.inner set s.a = 1, s = null', 's is set twice'],
    ['update raw.inner set other.a = 1', 'no column other'],
    [merge('select 3 as id', 'when not matched and a is null then insert (id) values (q.id)'), '"a" not found'],
    [merge('select 3 as id', 'when not matched then insert (id, a) values (q.id, t.a)'), '"t" not found'],
    [merge('select 3 as id', 'when not matched then insert (t.s.a) values (1)'), 'expected a column of the table'],
  ])('%s is refused', async (sql, message) =>
    expect(await refused(sql)).toMatchObject({
      code: 'SQL_INVALID',
      message: expect.stringContaining(message) as string,
    }),
  )

  test('what was not matched is told by the source; columns may have the name of the table before them', async () => {
    const rest = 'when not matched and v not in (select a from raw.inner) then insert (t.id, t.a) values (q.id, v)'
    await world.rows(merge('select 3 as id, 4 as v union all select 5, 0', rest))
    expect((await all()).map(([id, a]) => [id, a])).toEqual([
      [1, 0],
      [2, 0],
      [3, 4],
    ])
  })

  test('the rows that are merged need no name', async () => {
    await world.rows('merge into raw.inner using (select 2 as k, 9 as v) on id = k when matched then update set a = v')
    await world.rows(
      'merge into raw.inner t using (select 1 as id) on t.id = unnamed_subquery.id when matched then delete',
    )
    expect((await all()).map(([id, a]) => [id, a])).toEqual([[2, 9]])
  })

  test('a row that goes whatever else it meets may meet several', async () => {
    const twice = 'select 1 as id union all select 1 union all select 7 union all select 7'
    const insert = 'when not matched then insert (id) values (q.id)'
    await world.rows(merge(twice, `when matched then delete ${insert}`))
    expect((await all()).map(([id]) => id)).toEqual([2, 7, 7])
    expect(
      await refused(merge('select 2 as id union all select 2', 'when matched and t.a = 0 then delete')),
    ).toMatchObject({
      message: expect.stringContaining('changed twice') as string,
    })
  })
})

test('however a name is spelt, it is the one table, in the one schema', async () => {
  await world.rows('create schema Mixed')
  expect(await refused('create schema MIXED')).toMatchObject({ code: 'ALREADY_EXISTS' })
  await world.rows('create table mixed.Things(a varchar, n int)')
  await world.rows("insert into MIXED.THINGS values ('a', 1), ('b', 2)")
  await world.rows("update mixed.things set n = 5 where a = 'a'")
  await world.rows('delete from Mixed.tHings where n = 2')
  await world.rows('alter table mixed.THINGS add column z int')
  await world.rows("insert overwrite mixed.THINGS select 'c', 3, 4")
  await world.rows('create view mixed.V as select 1 as x')
  await world.rows('create or replace view mixed.v as select 2 as x')
  expect(await world.rows('select *, (select x from mixed.V) from mixed.things')).toEqual([['c', 3, 4, 2]])
  const listed = "select table_schema, table_name from information_schema.tables where lower(table_schema) = 'mixed'"
  expect(await world.rows(`${listed} order by 2`)).toEqual([
    ['Mixed', 'Things'],
    ['Mixed', 'V'],
  ])
  await world.rows('create or replace table mixed.things as select 1 as q')
  await world.rows('drop schema mIXED cascade')
  expect(await world.rows(listed)).toEqual([])
  expect(
    await world.rows("select schema_name from information_schema.schemata where schema_name ilike 'mixed'"),
  ).toEqual([])
})

test('rows come in the order in which they were added, where nobody asks for another', async () => {
  await world.rows('create table raw.added(n int)')
  for (let n = 0; n < 6; n++) await world.rows(`insert into raw.added values (${n})`)
  expect(await world.rows('from raw.added')).toEqual([[0], [1], [2], [3], [4], [5]])
  expect(await world.rows('from raw.added limit 2')).toEqual([[0], [1]])
})

test('numbers of rows are given once, whoever inserts at the same moment, and are no part of a transaction', async () => {
  await world.rows('create table raw.numbered(id bigserial, n int)')
  const ids = await Promise.all(
    Array.from({ length: 8 }, (_, n) => world.rows(`insert into raw.numbered(n) values (${n}), (${n}) returning id`)),
  )
  expect(
    ids
      .flat(2)
      .map(Number)
      .toSorted((a, b) => a - b),
  ).toEqual(Array.from({ length: 16 }, (_, at) => at + 1))
  const session = openSession(world.lake, world.asking())
  for (const sql of ['begin', 'insert into raw.numbered(n) values (9)', 'rollback']) await session.query(sql)
  expect(await world.rows('insert into raw.numbered(n) values (10) returning id')).toEqual([[18]])
  await session.close()
})

test('who is promised a foreign key has to say that it is none', async () => {
  expect(await refused('create table raw.k (id int references raw.x (id))')).toMatchObject({
    code: 'SQL_UNSUPPORTED',
    message: expect.stringContaining('a foreign key that is enforced') as string,
    place: { line: 1, column: 28 },
  })
})

test('a table without rows is as it was when it is truncated', async () => {
  await world.rows('create table raw.none_yet(id int)')
  const before = (await loaded('none_yet')).location
  await world.rows('truncate raw.none_yet')
  expect((await loaded('none_yet')).location).toBe(before)
  await world.rows('insert into raw.none_yet values (1)')
  await world.rows('truncate raw.none_yet')
  expect(await world.rows('select * from raw.none_yet')).toEqual([])
  const emptied = (await loaded('none_yet')).location
  await world.rows('truncate raw.none_yet')
  expect((await loaded('none_yet')).location).toBe(emptied)
})

test('a primary key that is not enforced is the identifier fields of the table', async () => {
  await world.rows('create table raw.keyed(id int, n int, s varchar, primary key (ID, s) not enforced)')
  const { schemas, currentSchemaId } = (await loaded('keyed')).metadata
  const schema = schemas.find(({ schemaId }) => schemaId === currentSchemaId)!
  expect(schema.identifierFieldIds).toEqual([1, 3])
  expect(schema.fields.map(({ required }) => required)).toEqual([true, false, true])
  await world.rows('create table raw.keyed2(id int primary key not enforced, n int default null)')
  expect(
    await refused('create table raw.k(id int primary key not enforced, primary key (id) not enforced)'),
  ).toMatchObject({
    message: expect.stringContaining('one primary key') as string,
  })
  expect(await refused('create table raw.k(id int, primary key (nope) not enforced)')).toMatchObject({
    code: 'SQL_INVALID',
  })
})

test('a length that a dbt project gives a text means what it means to DuckDB: nothing', async () => {
  const run = { door: 'run' } as const
  for (const [table, more] of [
    ['of_run', run],
    ['of_person', {}],
  ] as const)
    await world.query(`create table raw.${table} (name varchar(3), small smallint)`, more)
  await world.query("insert into raw.of_run values ('longer', 1)", run)
  expect(await world.rows('select name from raw.of_run')).toEqual([['longer']])
  await expect(world.query('insert into raw.of_run values (null, 40000)', run)).rejects.toThrow(/INT16/)
  await expect(world.query("insert into raw.of_person values ('longer', 1)", run)).rejects.toThrow('value too long')
})

test('a collation by which the columns of tables are not compared is refused', () =>
  expect(world.query('create table raw.collated (a text collate nocase)')).rejects.toThrow('the collation nocase'))

describe('long lists of values', () => {
  const rows = (count: number) =>
    Array.from({ length: count }, (_, id) => (id % 5 === 4 ? `(${id}, DEFAULT)` : `(${id}, 'text ${id}')`)).join(', ')

  test('they are inserted, a value and a type as few ones are', async () => {
    await world.rows("create table raw.longer (id bigint, name varchar default 'none')")
    await world.rows(`insert into raw.longer values ${rows(12_000)}, (12345678901, '2.50'), (NULL, 2.50)`)
    expect(
      await world.rows(
        "select count(*), max(id), count(*) filter (name = 'none'), min(name), max(name) from raw.longer",
      ),
    ).toEqual([[12_002, 12345678901, 2400, '2.50', 'text 9998']])
    expect(await world.rows("select count(*) from raw.longer where name = '2.50'")).toEqual([[2]])
  })

  test('what may not be called may not be called in the last of them', async () => {
    await world.rows('create table raw.guarded (id int, name varchar)')
    const list = Array.from({ length: 9_000 }, (_, id) => `(${id}, 'it''s (${id})')`).join(', ')
    for (const value of ["getenv('HOME')", "(select content from read_text('/etc/passwd'))", '(from raw.nowhere)'])
      expect(await refused(`insert into raw.guarded values ${list}, (1, ${value})`)).toMatchObject({
        code: expect.stringMatching(/SQL_REFUSED|TABLE_NOT_FOUND/) as string,
      })
    expect(await world.rows('select count(*) from raw.guarded')).toEqual([[0]])
  })
})

describe('while others write', () => {
  /** Runs `work` behind the back of the first statement that loads this table, once it has. */
  async function behind(table: string, work: () => Promise<unknown>, statement: () => Promise<unknown>) {
    const { load } = world.tables
    let isFirst = true
    world.tables.load = async (name, signal) => {
      const found = await load(name, signal)
      if (name.name === table && isFirst) {
        isFirst = false
        await work()
      }
      return found
    }
    try {
      return await statement()
    } finally {
      world.tables.load = load
    }
  }

  test('a statement that writes reads all its tables as of one moment', async () => {
    for (const name of ['here', 'there']) await world.rows(`create table raw.${name} as select 1 as id`)
    await world.rows('create table raw.pairs (one int, other int)')
    const both = async () => {
      const session = openSession(world.lake, world.asking())
      for (const sql of ['begin', 'update raw.here set id = 2', 'update raw.there set id = 2', 'commit'])
        await session.query(sql)
      await session.close()
    }
    const pairs = 'select here.id, there.id from raw.here, raw.there'
    await behind('here', both, () => world.rows(`insert into raw.pairs ${pairs}`))
    expect(await world.rows('from raw.pairs')).toEqual([[2, 2]])
    for (const name of ['here', 'there']) await world.rows(`update raw.${name} set id = 1`)
    const { principal, catalog } = world.asking()
    const changes = await world.lake.openChanges({ principal, catalog })
    await world.rows('create table raw.mine as select 7 as id', { changes })
    expect(await behind('here', both, () => world.rows(`${pairs}, raw.mine`, { changes }))).toEqual([[2, 2]])
    await changes.discard()
  })

  test('a statement keeps to the columns that its table had when it began', async () => {
    await world.rows("create table raw.narrowed as select 1 as id, 'a' as v, 5 as gone")
    const merge = `merge into raw.narrowed as t using (select 1 as id, 'b' as v) as s on t.id = s.id
      when matched then update set v = s.v`
    await behind(
      'narrowed',
      () => world.rows('alter table raw.narrowed drop column gone'),
      () => world.rows(merge),
    )
    expect(await world.rows('from raw.narrowed')).toEqual([[1, 'b']])
  })
})

test.each(['copy-on-write', 'merge-on-read'])(
  '%s: the rows that go are found where a statement reads its table elsewhere, too',
  async (mode) => {
    const modes = ['delete', 'update', 'merge'].map((what) => `'write.${what}.mode' = '${mode}'`).join(', ')
    await world.rows(`create or replace table raw.itself (id int, name varchar) with (${modes})`)
    for (const id of [1, 2, 3]) await world.rows(`insert into raw.itself values (${id}, 'n${id}')`)
    const all = () => world.rows('select * from raw.itself order by all')
    await world.rows('update raw.itself set id = (select id + 10 from raw.itself where id = 1)')
    expect(await all()).toEqual([
      [11, 'n1'],
      [11, 'n2'],
      [11, 'n3'],
    ])
    await world.rows("insert into raw.itself values (12, 'n1')")
    await world.rows(
      "update raw.itself set id = (select max(id) from raw.itself where name = 'n2') + 1 where id not in (select id from raw.itself where id > 11)",
    )
    expect(await all()).toEqual([
      [12, 'n1'],
      [12, 'n1'],
      [12, 'n2'],
      [12, 'n3'],
    ])
  },
)

describe('MERGE WITH SCHEMA EVOLUTION', () => {
  const merge = (source: string, then: string) =>
    `merge with schema evolution into raw.grows t using (${source}) s on t.id = s.id ${then}`
  const [update, insert] = ['when matched then update set *', 'when not matched then insert *']
  const types = async () =>
    currentSchema((await loaded('grows')).metadata).fields.map(
      ({ name, type, required }) => `${name} ${showType(type)}${required ? ' required' : ''}`,
    )
  beforeEach(async () => {
    await world.rows('create or replace table raw.grows (id int not null, dep varchar, place struct(a int), l int[])')
    await world.rows(`insert into raw.grows values (1, 'hr', {a: 1}, [1]), (2, 'it', {a: 2}, [2])`)
  })

  test('columns and fields come, types become wider, in the commit of the rows', async () => {
    const before = (await loaded('grows')).metadata.snapshots.length
    const source = `select 1 as id, 'x' as DEP, 100 as salary, {a: 5, b: 'n'} as place, [7::bigint] as l
      union all select 9, 'new', 5000000000, null, []`
    expect(await world.rows(merge(source, `${update} ${insert}`))).toEqual([[2]])
    expect(await types()).toEqual([
      'id int required',
      'dep string',
      'place struct<a: int, b: string>',
      'l list<long>',
      'salary long',
    ])
    expect(await world.rows('select * from raw.grows order by id')).toEqual([
      [1, 'x', { a: 5, b: 'n' }, [7], 100],
      [2, 'it', { a: 2, b: null }, [2], null],
      [9, 'new', null, [], 5000000000],
    ])
    expect((await loaded('grows')).metadata.snapshots.length).toBe(before + 1)
  })

  test('what the source lacks stays, or is null in rows that come; of columns that are named only those come', async () => {
    await world.rows(merge('select 2 as id, 7 as n union all select 3, 8', `${update} ${insert}`))
    await world.rows(
      merge(`select 1 as id, 'why' as note, 'no' as other`, 'when matched then update set note = s.note || s.other'),
    )
    await world.rows(
      merge(`select 5 as id, 1 as ext, 2 as more`, 'when not matched then insert (id, ext) values (s.id, s.ext)'),
    )
    expect(await world.rows('select id, dep, n, note, ext from raw.grows order by id')).toEqual([
      [1, 'hr', null, 'whyno', null],
      [2, 'it', 7, null, null],
      [3, null, 8, null, null],
      [5, null, null, null, 1],
    ])
    expect((await types()).map((one) => one.split(' ')[0])).toEqual(['id', 'dep', 'place', 'l', 'n', 'note', 'ext'])
  })

  test('nothing of it stays where the rows cannot be written, and a table without anything new keeps its schema', async () => {
    const before = [await types(), (await loaded('grows')).metadata.schemas.length]
    const [wrong, unkept] = [`select 1 as id, 'x' as l, 1 as extra`, 'select 1 as id, [interval 1 day] as i']
    for (const source of [wrong, unkept]) expect(await refused(merge(source, update))).toBeDefined()
    await world.rows(merge(`select 1 as id, 'y' as dep`, update))
    const { metadata } = await loaded('grows')
    expect([await types(), metadata.schemas.length]).toEqual(before)
    // Without the words it is as before.
    expect(
      await refused(
        `merge into raw.grows t using (select 1 as id, 2 as n) s on t.id = s.id when matched then update set n = s.n`,
      ),
    ).toMatchObject({ code: 'SQL_INVALID' })
  })

  test('columns that come are declared as in a table of the same SELECT', async () => {
    const come = `select 1::hugeint as h, interval 1 day as i, '101'::bit as b, [1, 2]::float[2] as f, '{}'::json as j`
    await world.rows('create table raw.comes (id int)')
    await world.rows(`merge with schema evolution into raw.comes t using (select 1 as id, * from (${come})) s
      on t.id = s.id when not matched then insert *`)
    await world.rows(`create table raw.come_alike as ${come}`)
    const types = 'typeof(h), typeof(i), typeof(b), typeof(f), typeof(j)'
    const told = [['HUGEINT', 'INTERVAL', 'BIT', 'FLOAT[2]', 'JSON']]
    expect(await world.rows(`select ${types} from raw.comes`)).toEqual(told)
    expect(await world.rows(`select ${types} from raw.come_alike`)).toEqual(told)
  })

  test('who may not alter the table may not have it grow', async () => {
    const eva = await world.member('eva')
    const grant = (what: string) => world.rows(`grant ${what} on table raw.grows to user eva`)
    await grant('select, insert, update, delete')
    const asEva = (source: string) => world.rows(merge(source, update), { principal: eva })
    await asEva(`select 1 as id, 'z' as dep`)
    await expect(asEva('select 1 as id, 2 as n')).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await grant('alter')
    await asEva('select 1 as id, 2 as n')
    expect(await world.rows('select n from raw.grows where id = 1')).toEqual([[2]])
  })
})

test('a table of version 1 keeps a partition field that was dropped, and loses its column', async () => {
  await world.rows(`create table raw.lost (id int, part varchar) partitioned by (part) with ('format-version' = '1')`)
  await world.rows(`insert into raw.lost values (1, 'a'), (2, 'b'), (3, 'b')`)
  await world.rows('alter table raw.lost drop partition field part')
  await world.rows('alter table raw.lost drop column part')
  await world.rows('insert into raw.lost values (4)')
  await world.rows('delete from raw.lost where id = 2')
  await world.rows('update raw.lost set id = 5 where id = 4')
  await world.rows(`call rewrite_data_files('raw.lost', options => map('rewrite-all', 'true'))`)
  expect((await world.rows('select id from raw.lost order by id')).flat()).toEqual([1, 3, 5])
  expect(defaultSpec((await loaded('lost')).metadata).fields.map(({ transform }) => transform.kind)).toEqual(['void'])
})

test.each([
  ['insert into raw.said (id, nope) values (1, 2)', 'raw.said has no column nope; there are: id, name', 27],
  ['insert into raw.said (id, ID) values (1, 2)', 'id is named twice', 23],
  ['insert into raw.said values (1)', '2 columns of dev_analytics.raw.said are written, and 1 values given', 22],
  ["insert into raw.said select *, 'more' from raw.said", 'and more values given', 22],
  ["update raw.said set nam = 'x'", 'has no column nam; did you mean "name"?', 21],
  ['merge into raw.said t using raw.said s using (id) when matched then update set idd = 1', 'did you mean "id"?', 80],
  ['alter table raw.said alter column idd type bigint', 'there is no column "idd"', 35],
  ['alter table raw.said drop column nope', 'there is no column "nope"', 34],
])('%s is told at its place', async (sql, told, column) => {
  await world.rows('create table if not exists raw.said (id integer, name varchar)')
  const failure = await world.rows(sql).catch((error: unknown) => error)
  expect(failure).toMatchObject({ message: expect.stringContaining(told) as string })
  expect(failure).toMatchObject({ place: { line: 1, column } })
})

test('candidates are columns of the table', async () => {
  await world.rows('create table raw.candidates (id integer)')
  const failure = await world.rows('delete from raw.candidates where pos = 1').catch((error: unknown) => error)
  expect(JSON.stringify(failure)).not.toContain('boathouse_pos')
  expect((failure as Error).message).not.toContain('boathouse_pos')
})

test.each([
  '50% off',
  '/BIC/AZSALES',
  `it's "it"`,
  '👩‍🚀',
  'a\\b',
  '.hidden',
  'v$session',
  '{{ x }} -- #',
  'select',
  'a.branch_b',
])('a table called %s is one like others', async (name) => {
  const table = `raw.${quoteName(name)}`
  const column = quoteName(name)
  const about = (what: string) => world.rows(`select count(*) > 0 from raw.${quoteName(`${name}$${what}`)}`)
  await world.rows(
    `create table ${table} (id int, ${column} varchar, day date) partitioned by (truncate(1, ${column}), month(day))`,
  )
  await world.rows(`insert into ${table} values (1, ${quoteText(name)}, '2026-01-01'), (2, null, null), (3, 'x', null)`)
  await world.rows(`update ${table} set ${column} = 'u' where id = 2`)
  await world.rows(`delete from ${table} where ${column} = 'x'`)
  await world.rows(
    `merge into ${table} using (select 4 as id) s on ${column}.id = s.id when not matched then insert (id) values (s.id)`,
  )
  await world.rows(`alter table ${table} rename column day to ${quoteName(`${name}.day`)}`)
  await world.rows(`call system.rewrite_data_files(${quoteText(table)})`)
  await world.rows(`call system.create_branch(${quoteText(table)}, 'side')`)
  await world.rows(`create or replace view raw.of_odd as select * from ${table} where ${column} = ${quoteText(name)}`)
  expect(await world.rows(`select id, ${column} from raw.of_odd`)).toEqual([[1, name]])
  expect(await world.rows(`select count(*) from ${table}.branch_side`)).toEqual([[3]])
  for (const what of ['files', 'snapshots', 'partitions', 'changes']) expect(await about(what)).toEqual([[true]])
  await world.rows(`alter table ${table} rename to raw.odd_kept`)
  await world.rows(`alter table raw.odd_kept rename to ${column}`)
  expect(
    await world.rows(
      `select table_name from information_schema.columns where column_name = ${quoteText(`${name}.day`)} and table_name <> 'of_odd'`,
    ),
  ).toEqual([[name]])
  await world.rows(`drop table ${table}`)
})

test('names of what is known of a table are for that', async () => {
  for (const name of ['t$files', 't$changes', ' t', 'a\nb', 'é'.repeat(128)])
    expect(await refused(`create table raw.${quoteName(name)} (id int)`), name).toMatchObject({
      code: 'REQUEST_INVALID',
      message: `${JSON.stringify(name)} cannot be the name of a table`,
    })
})

test('a table is made of a PIVOT, of the values that are there; a view would keep those of now', async () => {
  await world.rows(
    "create table raw.of_cities as select * from (values ('NL', 2000, 5), ('US', 2001, 6)) v(country, year, people)",
  )
  await world.rows('create table raw.pivoted as with c as (from raw.of_cities) pivot c on country using sum(people)')
  expect(await world.rows('from raw.pivoted order by year')).toEqual([
    [2000, '5', null],
    [2001, null, '6'],
  ])
  expect(await refused('create view raw.of_pivot as pivot raw.of_cities on country using sum(people)')).toMatchObject({
    code: 'SQL_INVALID',
  })
})

test.each([
  ['update raw.told set n = sum(n)', 'SQL_INVALID', 'an aggregate of all rows cannot be the value of each'],
  ['alter table raw.told alter column s type int', 'QUERY_FAILED', "Could not convert string 'x' to INT32"],
])('%s: names nothing of ours', async (sql, code, message) => {
  await world.rows(`create or replace table raw.told as select 'x' as s, 1 as n`)
  await expect(world.rows(sql)).rejects.toMatchObject({ code, message })
})

test.each([
  ['blob', "'ab'::blob"],
  ['blob', "'\\xAB\\x00z'"],
  ['blob', "''"],
  ['uuid', "'00000000-0000-0000-0000-0000000000ab'"],
  ['float', '0.1'],
  ['double', "'-infinity'"],
  ['decimal(38, 10)', '-1234567890123456789.5'],
  ['time', "'01:02:03.000004'"],
  ['timestamp', "'1960-01-02 03:04:05.000006'"],
  ['timestamptz', "'2026-01-02 00:00:00+02'"],
  ['date', "'0044-03-15'"],
])('a default of type %s is the value that was written: %s', async (type, value) => {
  await world.rows(`create or replace table raw.defaulted (id int, a ${type} default ${value})`)
  await world.rows('insert into raw.defaulted (id) values (1)')
  await world.rows(`alter table raw.defaulted add column b ${type} default ${value}`)
  await world.rows('alter table raw.defaulted alter a drop default')
  await world.rows(`alter table raw.defaulted alter a set default ${value}`)
  await world.rows('insert into raw.defaulted (id) values (2)')
  expect(
    await world.rows(`select a = cast(${value} as ${type}), b = cast(${value} as ${type}) from raw.defaulted`),
  ).toEqual([
    [true, true],
    [true, true],
  ])
})

test.each([
  ['ARRAY(INTEGER)', 'INTEGER[]'],
  ['ARRAY(ARRAY(DECIMAL(10,2)))', 'DECIMAL(10,2)[][]'],
  ['MAP(VARCHAR, ARRAY(ROW(x ARRAY(INTEGER))))', 'MAP(VARCHAR, STRUCT(x INTEGER[])[])'],
  ['array(timestamp(6) with time zone)', 'TIMESTAMP WITH TIME ZONE[]'],
  ['VARBINARY', 'BLOB'],
  ['BYTES', 'BLOB'],
  ['NUMBER(10, 2)', 'DECIMAL(10,2)'],
  ['Float64', 'DOUBLE'],
])('the type %s of others is %s', async (type, expected) => {
  await world.rows(`create or replace table raw.typed (a ${type}, bytes int)`)
  expect(await world.rows('select column_type from (describe raw.typed)')).toEqual([[expected], ['INTEGER']])
})

test('TRUNCATE TABLE IF EXISTS of none changes nothing', async () => {
  expect(await world.rows('truncate table if exists raw.nowhere')).toEqual([[0]])
  expect(await refused('truncate table raw.nowhere')).toMatchObject({ code: 'TABLE_NOT_FOUND' })
})
