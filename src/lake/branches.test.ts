import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collect } from './lake.ts'
import { openSession } from './session.ts'
import { openWorld } from './world.ts'

let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world?.close())

const rowsOf = (relation: string) => world.rows(`select * from ${relation} order by all`)
const refused = (sql: string) =>
  world.rows(sql).then(
    () => undefined,
    (error: unknown) => error as { code: string; message: string },
  )

const variants = [1, 2, 3].flatMap((version) =>
  (version === 1 ? ['copy-on-write'] : ['copy-on-write', 'merge-on-read']).map((mode) => ({ version, mode })),
)

describe.each(variants)('rows of a branch, version $version, $mode', ({ version, mode }) => {
  test('each statement does to the branch what it does to a table, and nothing to main', async () => {
    const [main, plain] = [`raw.b${version}_${mode.slice(0, 4)}`, `raw.p${version}_${mode.slice(0, 4)}`]
    const modes = ['delete', 'update', 'merge'].map((one) => `'write.${one}.mode' = '${mode}'`).join(', ')
    for (const one of [main, plain]) {
      await world.rows(
        `create table ${one} (id bigint, kind varchar) partitioned by (kind) with ('format-version' = ${version}, ${modes})`,
      )
      await world.rows(`insert into ${one} select range, 'k' || range % 3 from range(20)`)
    }
    await world.rows(`alter table ${main} create branch audit`)
    const before = await rowsOf(main)
    const branch = `${main}.branch_audit`
    const statements = (table: string) => [
      `insert into ${table} values (100, 'k1'), (101, 'new')`,
      `update ${table} set kind = 'moved' where id in (1, 2, 100)`,
      `delete from ${table} where id % 5 = 0`,
      `delete from ${table} as t using (values (3), (4)) as gone(id) where t.id = gone.id`,
      `merge into ${table} as t using (values (6, 'six'), (200, 'k2')) as s(id, kind) on t.id = s.id
        when matched then update set kind = s.kind when not matched then insert values (s.id, s.kind)`,
      `insert overwrite ${table} values (300, 'k2')`,
      `update ${table} set id = id + 1 where id < (select avg(id) from ${table})`,
    ]
    const ofPlain = statements(plain)
    for (const [index, sql] of statements(branch).entries()) {
      expect(await world.rows(sql)).toEqual(await world.rows(ofPlain[index]!))
      expect(await rowsOf(branch), sql).toEqual(await rowsOf(plain))
      expect(await rowsOf(main)).toEqual(before)
    }
    await world.rows(`call fast_forward('${main}', branch => 'main', to => 'audit')`)
    expect(await rowsOf(main)).toEqual(await rowsOf(plain))
    expect(await world.rows(`truncate table ${branch}`)).toEqual([[(await rowsOf(main)).length]])
    expect(await rowsOf(branch)).toEqual([])
    expect(await rowsOf(main)).toEqual(await rowsOf(plain))
    await world.rows(`insert into ${branch} values (1, 'again')`)
    expect(await world.rows(`delete from ${branch}`)).toEqual([[1]])
    expect(await rowsOf(`${main} at (version => 'audit')`)).toEqual([])
  })
})

test('a session where the schema is set names the table alone; what is changed is told, and explained', async () => {
  await world.rows('create table raw.told as select 1::bigint as id')
  await world.rows('alter table raw.told create branch b')
  const session = openSession(world.lake, world.asking())
  const run = async (sql: string) => (await collect(await session.query(sql))).rows
  await run('use raw')
  expect(await run('insert into told.branch_b values (2) returning id + 1')).toEqual([[3]])
  expect(await run('update told.branch_b set id = 5 where id = 2 returning id')).toEqual([[5]])
  expect(await run('select * from told.branch_b order by all')).toEqual([[1], [5]])
  expect(await run('select * from told')).toEqual([[1]])
  expect(JSON.stringify(await run('explain delete from told.branch_b where id = 1'))).toMatch(/scan/i)
  expect(await run('select count(*) from told.branch_b')).toEqual([[2]])
  expect(await run('insert into dev_analytics.raw.told.branch_b values (7) returning id')).toEqual([[7]])
  expect(await run('select max(id) from dev_analytics.raw.told.branch_b')).toEqual([[7]])
})

test('writers of main and of a branch do not meet; appends to one branch go on top of each other', async () => {
  await world.rows('create table raw.shared as select 1::bigint as id')
  await world.rows('alter table raw.shared create branch b')
  const [one, other] = [openSession(world.lake, world.asking()), openSession(world.lake, world.asking())]
  const run = async (session: typeof one, sql: string) => collect(await session.query(sql))
  await run(one, 'begin')
  await run(one, 'insert into raw.shared.branch_b values (2)')
  await run(one, 'delete from raw.shared.branch_b where id = 1')
  await run(other, 'insert into raw.shared values (10)')
  await run(other, 'insert into raw.shared.branch_b values (20)')
  expect(await rowsOf('raw.shared.branch_b')).toEqual([[1], [20]])
  await run(one, 'commit')
  expect(await rowsOf('raw.shared.branch_b')).toEqual([[2], [20]])
  await run(one, 'begin')
  await run(one, 'insert into raw.shared.branch_b values (30)')
  await run(other, 'insert into raw.shared.branch_b values (40)')
  await run(other, 'insert into raw.shared values (50)')
  await run(one, 'commit')
  expect(await rowsOf('raw.shared.branch_b where id >= 30')).toEqual([[30], [40]])
  expect(await rowsOf('raw.shared')).toEqual([[1], [10], [50]])

  await run(one, 'begin')
  await run(one, 'delete from raw.shared.branch_b where id = 2')
  await run(other, 'update raw.shared.branch_b set id = 3 where id = 2')
  await expect(run(one, 'commit')).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' })
})

test('branches, tags, snapshots and times by the names that Spark has for them', async () => {
  await world.rows('create table raw.named as select 1 as id')
  const [[first]] = (await world.rows('select snapshot_id::varchar from raw.named$snapshots')) as [[string]]
  await world.rows('alter table raw.named create tag v1')
  await world.rows('alter table raw.named create branch b')
  await world.rows('insert into raw.named values (2)')
  for (const name of ['tag_v1', 'branch_b', `snapshot_id_${first}`, 'TAG_v1'])
    expect(await rowsOf(`raw.named.${name}`)).toEqual([[1]])
  expect(await rowsOf('raw.named.at_timestamp_4000000000000')).toEqual([[1], [2]])
  expect(await rowsOf('raw.named.branch_main')).toEqual([[1], [2]])
  // A table that is called so goes first.
  await world.rows('create table raw.branch_x as select 7 as id')
  expect(await rowsOf('raw.branch_x')).toEqual([[7]])
  await world.rows('insert into raw.branch_x values (8)')
  expect(await rowsOf('raw.branch_x')).toEqual([[7], [8]])
})

test('branches as Trino writes them; that of a table without rows begins with none', async () => {
  const session = openSession(world.lake, world.asking({ namespace: 'raw' }))
  const run = async (sql: string) => (await collect(await session.query(sql))).rows
  await run('create table new (x int, y int)')
  await run('create branch "b-1" in table new')
  await run('create branch if not exists "b-1" in table raw.new')
  await run(`insert into new @ 'b-1' values (1, 2), (3, 4)`)
  await run(`insert into raw.new @ "b-1" (x) values (5)`)
  await run(`update new @ 'b-1' set x = 7 where y = 4`)
  await run(`delete from new @ 'b-1' where x = 5`)
  await run(`merge into new @ 'b-1' as n using (values (1), (9)) s(x) on n.x = s.x
    when matched then update set y = 20 when not matched then insert values (s.x, 90)`)
  expect(await rowsOf('raw.new')).toEqual([])
  expect(await run(`select * from new for version as of 'b-1' order by x`)).toEqual([
    [1, 20],
    [7, 4],
    [9, 90],
  ])
  await run('create or replace branch other in table new from "b-1"')
  await run('insert into new @ other values (0, 0)')
  expect(await run('show branches in table raw.new')).toEqual([['b-1'], ['other']])
  await run('alter branch main in table new fast forward to "b-1"')
  expect(await rowsOf('raw.new')).toHaveLength(3)
  await run(`alter table new execute fast_forward('main', 'other')`)
  expect(await rowsOf('raw.new')).toHaveLength(4)
  await run('drop branch other in table new')
  await run('drop branch if exists other in table new')
  await run(`alter table new execute create_branch('last')`)
  await run(`alter table new execute drop_branch('b-1')`)
  expect(await run('show branches from table new')).toEqual([['last'], ['main']])
  await run('create table empty (x int)')
  await run('alter table empty create branch kept retain 3 days')
  await run(`call create_branch('empty', 'called')`)
  expect(await run('select name, max_reference_age_in_ms from empty$refs order by name')).toEqual([
    ['called', null],
    ['kept', 259200000],
  ])
  expect(await run('select count(*) from empty.branch_kept')).toEqual([[0]])
  await session.close()
})

test.each<[sql: string, code: string, message: RegExp]>([
  ["insert into raw.odd @ 'none' values (1)", 'NOT_FOUND', /has no branch "none"/],
  ["update raw.odd @ 't' set id = 2", 'NOT_FOUND', /is a tag/],
  ['create branch b in table raw.odd from none', 'NOT_FOUND', /no branch or tag "none"/],
  ['create branch b in table raw.missing', 'TABLE_NOT_FOUND', /raw\.missing/],
  ['drop branch b in table raw.odd', 'NOT_FOUND', /no branch or tag "b"/],
  ['create branch b', 'SQL_INVALID', /expected IN TABLE/],
  ['insert into raw.odd.branch_none values (1)', 'NOT_FOUND', /has no branch "none"/],
  ['delete from raw.odd.branch_none where id = 1', 'NOT_FOUND', /has no branch "none"/],
  ['truncate table raw.odd.branch_none', 'NOT_FOUND', /no branch.* "none"/],
  ['insert into raw.odd.branch_t values (1)', 'NOT_FOUND', /is a tag/],
  ['insert into raw.odd.tag_t values (1)', 'SQL_INVALID', /only branches are written/],
  ['update raw.odd.snapshot_id_1 set id = 2', 'SQL_INVALID', /only branches are written/],
  ['insert into dev_analytics.raw.odd.tag_t values (1)', 'SQL_INVALID', /more than catalog, namespace and name/],
  ['drop table dev_analytics.raw.odd.branch_t', 'SQL_INVALID', /more than catalog, namespace and name/],
  ['select * from raw.odd.branch_none', 'NOT_FOUND', /there is no branch or tag "none"/],
  ["select * from raw.odd.tag_t at (version => 't')", 'SQL_INVALID', /says already as of when/],
  ['select * from raw.missing.branch_b', 'TABLE_NOT_FOUND', /raw\.missing/],
  ['insert into raw.missing.branch_b values (1)', 'TABLE_NOT_FOUND', /raw\.missing/],
  ['select * from raw.seen.branch_b', 'SQL_UNSUPPORTED', /is a view/],
  ['insert into raw.seen.branch_b values (1)', 'SQL_INVALID', /is a view/],
])('refused: %s', async (sql, code, message) => {
  await world.rows('create table if not exists raw.odd as select 1 as id')
  await world.rows('create or replace view raw.seen as select 1 as id')
  await world.rows('alter table raw.odd create or replace tag t')
  expect(await refused(sql)).toMatchObject({ code, message: expect.stringMatching(message) as string })
})
