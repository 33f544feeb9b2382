import { afterAll, beforeAll, expect, test } from 'vitest'
import { collect } from '../lake.ts'
import { openSession, type Session } from '../session.ts'
import { openWorld } from '../world.ts'

let world: Awaited<ReturnType<typeof openWorld>>
let session: Session
beforeAll(async () => {
  world = await openWorld()
  session = openSession(world.lake, world.asking({ namespace: 'raw' }))
  await session.query('create schema raw')
})
afterAll(async () => {
  await session.close()
  await world.close()
})

const rows = async (sql: string) => (await collect(await session.query(sql))).rows
const refusal = (sql: string) =>
  rows(sql).then(
    () => 'none',
    (error: Error) => error.message,
  )
const typesOf = async (table: string) => (await rows(`describe ${table}`)).map(([name, type]) => `${name} ${type}`)

test.each([
  ['varchar', `'12', null`, 'INTEGER', '', [[12], [null]]],
  ['int', '12, null', 'VARCHAR', '', [['12'], [null]]],
  ['bigint', '12, null', 'INTEGER', '', [[12], [null]]],
  ['int', '3, null', 'BOOLEAN', ' using c > 2', [[true], [null]]],
  ['varchar', `'a,b', null`, 'VARCHAR[]', ` using string_split(c, ',')`, [[['a', 'b']], [null]]],
  ['varchar', `'abcd', null`, 'varchar(3)', ' using c[:3]', [['abc'], [null]], 'VARCHAR'],
  ['timestamp', `'2026-01-02 03:04:05', null`, 'DATE', '', [['2026-01-02'], [null]]],
  ['decimal(9, 3)', '1.5, null', 'DECIMAL(9,1)', '', [['1.5'], [null]]],
  ['varchar', `'1 day', null`, 'INTEGER', ` using length(c)`, [[5], [null]]],
])('%s of %s becomes %s%s', async (type, values, to, using, expected, kept = to) => {
  await rows(`create or replace table one (id int, c ${type}, last int)`)
  await rows(`insert into one select id, c, 7 from (select unnest([1, 2]) as id, unnest([${values}]) as c)`)
  await rows(`alter table one alter column c type ${to}${using}`)
  expect(await rows('select c from one order by id')).toEqual(expected)
  expect(await typesOf('one')).toEqual(['id INTEGER', `c ${kept}`, 'last INTEGER'])
  expect(await rows('select last from one where id = 1')).toEqual([[7]])
})

test('what holds of the column holds of it still', async () => {
  await rows(`create table kept (code varchar not null default '7' comment 'its code' check (code <> '9'), note varchar,
    primary key (code) not enforced, unique (code, note) not enforced)`)
  await rows(`insert into kept values ('1', 'a'), ('2', 'b')`)
  await rows('alter table kept alter column code type int')
  await rows(`insert into kept (note) values ('c')`)
  expect(await rows('select * from kept order by 1')).toEqual([
    [1, 'a'],
    [2, 'b'],
    [7, 'c'],
  ])
  expect(await refusal('insert into kept values (9, null)')).toContain('kept_code_check')
  expect(await refusal('insert into kept values (null, null)')).toContain('code')
  const [[made]] = (await rows('show create table kept')) as [[string]]
  for (const part of ["DEFAULT '7'", 'its code', 'PRIMARY KEY', 'UNIQUE']) expect(made).toContain(part)
})

test('a row that cannot become it leaves all as it was', async () => {
  await rows(`create table whole as select * from (values (1, '5', 'x'), (2, 'six', 'y')) t(id, n, s)`)
  expect(await refusal('alter table whole alter n type int')).toContain('six')
  expect(await refusal('alter table whole alter s type int using nullif(id, 2), alter n type int')).toContain('six')
  expect(await typesOf('whole')).toEqual(['id INTEGER', 'n VARCHAR', 's VARCHAR'])
  expect(await rows('select * from whole order by id')).toEqual([
    [1, '5', 'x'],
    [2, 'six', 'y'],
  ])
  expect(await rows(`select count(*) from raw.whole$snapshots`)).toEqual([[1]])
})

test('several at once read the columns as they were, between what goes and what comes', async () => {
  await rows(`create table swapped (a varchar default 'none', b int)`)
  await rows(`insert into swapped values ('1', 2), ('3', 4)`)
  await rows(
    `alter table swapped alter a drop default, alter a type int using b, alter b type varchar using a, alter a set default 0, add column c int`,
  )
  await rows(`insert into swapped (b) values ('5')`)
  expect(await rows('select * from swapped order by a')).toEqual([
    [0, '5', null],
    [2, '1', null],
    [4, '3', null],
  ])
})

test('rows from before are as they were, and a transaction takes it back', async () => {
  await rows(`create table past as select '1' as n`)
  const [[before]] = (await rows('select snapshot_id from raw.past$snapshots')) as [[string]]
  await rows('begin')
  await rows('alter table past alter n type bigint')
  expect(await rows('select n + 1 from past')).toEqual([[2]])
  await rows('rollback')
  expect(await typesOf('past')).toEqual(['n VARCHAR'])
  await rows('alter table past alter n type int')
  expect(await rows(`select n || 'x' from past at (version => ${before})`)).toEqual([['1x']])
})

test.each([
  ['alter table gone_back alter n type int'],
  ['create or replace table gone_back as select id, n::int as n from gone_back'],
])('going back would leave the column without values: %s', async (change) => {
  await rows('drop table if exists gone_back')
  await rows(`create table gone_back as select 1 as id, '05' as n`)
  const [[before]] = (await rows('select snapshot_id::varchar from raw.gone_back$snapshots')) as [[string]]
  await rows(change)
  for (const call of [
    `rollback_to_snapshot('raw.gone_back', ${before})`,
    `set_current_snapshot('raw.gone_back', ${before})`,
    `cherrypick_snapshot('raw.gone_back', ${before})`,
  ])
    expect(await refusal(`call ${call}`)).toContain('"n" has become another column since snapshot')
  expect(await rows('from gone_back')).toEqual([[1, 5]])
  await rows(`create or replace table gone_back as from gone_back at (version => ${before})`)
  expect(await rows('from gone_back')).toEqual([[1, '05']])
})

test.each(['copy-on-write', 'merge-on-read'])(
  'what is read as of now, or by a tag, has the new column alone (%s)',
  async (mode) => {
    await rows(`drop table if exists tagged`)
    await rows(`create table tagged (id int, n varchar not null, last int) with ('write.update.mode' = '${mode}')`)
    await rows(`insert into tagged values (1, '5', 6)`)
    await rows('alter table tagged alter n type int')
    await rows('alter table tagged create tag now')
    const [[head]] = (await rows(`select snapshot_id from raw.tagged$refs where name = 'main'`)) as [[string]]
    for (const version of [head, "'now'"])
      expect(await rows(`select * from (describe select * from tagged at (version => ${version}))`)).toEqual(
        [
          ['id', 'INTEGER'],
          ['n', 'INTEGER'],
          ['last', 'INTEGER'],
        ].map((column) => [...column, 'YES', null, null, null]),
      )
    expect(await rows(`select * from tagged at (version => ${head})`)).toEqual([[1, 5, 6]])
    await rows('delete from tagged')
    await rows('alter table tagged alter n type varchar')
    expect(await typesOf('tagged')).toEqual(['id INTEGER', 'n VARCHAR', 'last INTEGER'])
  },
)

test.each([
  [`partitioned by (n)`, 'the table is partitioned by it'],
  [`sorted by (n)`, 'the table is sorted by it'],
])('%s refuses', async (clause, because) => {
  await rows(`create or replace table kept_by (n varchar, m int) ${clause}`)
  expect(await refusal('alter table kept_by alter n type int')).toContain(because)
})

test('rows of branches would lose the column', async () => {
  await rows(`create table branched as select '1' as n`)
  await rows('alter table branched create branch b')
  expect(await refusal('alter table branched alter n type int')).toContain('rows of the branch b would lose it')
})

test('a default or a check that cannot be of the type is told', async () => {
  await rows(`create table defaulted (n varchar default 'x', m int check (m > 0))`)
  expect(await refusal('alter table defaulted alter n type int')).toBe(
    'default for column "n" cannot be cast to its new type',
  )
  expect(await refusal('alter table defaulted alter m type int[] using [m]')).toContain('Cannot compare')
  expect(await typesOf('defaulted')).toEqual(['n VARCHAR', 'm INTEGER'])
})
