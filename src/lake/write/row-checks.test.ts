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
const breaks = (name: string) => expect.stringMatching(new RegExp(`violates check constraint "${name}"$`)) as string

test('rows that come are held to the checks of their table, whatever writes them', async () => {
  await rows(`create table people (id int, age int check (age >= 0), name varchar constraint named check (length(name) > 1),
    doc json check (doc ->> 'kind' <> 'x'), low int, high int, check (low < high))`)
  await rows(`insert into people values (1, 5, 'ana', '{"kind": "y"}', 1, 2), (2, null, null, null, null, null)`)
  const wrong: [sql: string, check: string][] = [
    [`insert into people (age) values (3), (-1)`, 'people_age_check'],
    [`insert into people (id, age) select 3, -1 returning id`, 'people_age_check'],
    [`insert into people (name) values ('b')`, 'named'],
    [`insert into people (doc) values ('{"kind": "x"}')`, 'people_doc_check'],
    [`insert into people (low, high) values (2, 2)`, 'people_check'],
    [`update people set age = age - 10`, 'people_age_check'],
    [
      `merge into people using (select 1 as id) s on people.id = s.id when matched then update set high = 0`,
      'people_check',
    ],
    [
      `merge into people using (select 9 as id) s on people.id = s.id when not matched then insert (id, age) values (9, -9)`,
      'people_age_check',
    ],
    [`insert overwrite people (id, age) values (1, -1)`, 'people_age_check'],
    [`with i as (insert into people (age) values (-1) returning age) select * from i`, 'people_age_check'],
  ]
  for (const [sql, check] of wrong) expect(await refusal(sql), sql).toEqual(breaks(check))
  await rows('update people set age = age + 1')
  expect(await rows('select id, age, low from people order by id')).toEqual([
    [1, 6, 1],
    [2, null, null],
  ])
})

test('a check may name its table before a column, and needs that name no more', async () => {
  await rows(
    'create table told (id int, part struct(n int) check (told.part.n > 1), check ("told".id < Told."part".n))',
  )
  expect(await refusal("insert into told values (1, {'n': 1})")).toEqual(breaks('told_part_check'))
  await rows('alter table told rename to called')
  await rows("insert into called values (1, {'n': 2})")
  expect(await refusal("insert into called values (3, {'n': 2})")).toEqual(breaks('told_check'))
})

test('a check follows its columns, and goes with one of them or by its name', async () => {
  await rows('create table moved (id int, age int check (age >= 0), size int check (size > 0 and age < 200))')
  await rows('alter table moved rename column age to years')
  expect(await refusal('insert into moved values (1, -1, 1)')).toEqual(breaks('moved_age_check'))
  expect(await refusal('insert into moved values (1, 200, 1)')).toEqual(breaks('moved_check'))
  expect((await rows('show create table moved'))[0]![0]).toContain('CHECK (size > 0 and "years" < 200)')
  await rows('create table copied (like moved including all)')
  expect(await refusal('insert into copied values (1, -1, 1)')).toEqual(breaks('moved_age_check'))
  await rows('create table plain (like moved)')
  expect(await refusal('insert into plain values (1, -1, 1)')).toBe('none')
  await rows('alter table moved rename constraint moved_age_check to grown')
  expect(await refusal('insert into moved values (1, -1, 1)')).toEqual(breaks('grown'))
  await rows('alter table moved drop constraint grown')
  await rows('alter table moved drop column size')
  await rows('alter table moved add column size int')
  expect(await refusal('insert into moved values (1, -1, -1)')).toBe('none')
  await rows('create or replace table copied as select -1 as id, -1 as years')
  await rows('insert into copied values (-1, -1)')
  await rows('create or replace table copied (id int, years int)')
  expect(await refusal('insert into copied values (1, -1)')).toBe('none')
})

test('what is there has to meet a check that is added, unless it is said not to', async () => {
  await rows('create table there as select 1 as id, 5 as age')
  expect(await refusal('alter table there add constraint old check (age > 50)')).toContain(
    'check constraint "old" of relation "there" is violated by some row',
  )
  expect(await refusal('insert into there values (2, 6)')).toBe('none')
  await rows('alter table there add constraint old check (age > 50) not valid')
  expect(await refusal('insert into there values (3, 6)')).toEqual(breaks('old'))
  await rows('delete from there where id = 2')
  await rows('alter table there drop constraint old')
  await rows('alter table there add column stock int default 4 check (stock > 0)')
  expect(await refusal('insert into there values (3, 60, 0)')).toEqual(breaks('there_stock_check'))
  expect(await rows('select * from there')).toEqual([[1, 5, 4]])
})

test('a constraint is not put in the place of another by its name', async () => {
  await rows('create table held (id int, size int, constraint c check (size > 0))')
  for (const added of [
    'check (id > 0)',
    'unique (id) not enforced',
    'foreign key (id) references people (id) not enforced',
  ])
    expect(await refusal(`alter table held add constraint c ${added}`)).toContain('constraint "c" already exists')
  expect(await refusal('insert into held values (1, -1)')).toEqual(breaks('c'))
  await rows('create or replace table held (id int, constraint c check (id > 0))')
  expect(await refusal('insert into held values (-1)')).toEqual(breaks('c'))
  await rows('alter table held drop constraint c, add constraint c check (id > 5)')
  expect(await refusal('insert into held values (4)')).toEqual(breaks('c'))
  expect(
    await refusal('create table twice (id int, constraint c check (id > 0), constraint c check (id < 9))'),
  ).toContain('constraint "c" already exists')
})

test.each([
  ['id in (select id from people)', 'it reads other rows'],
  ['day <= current_date', 'current_date is another each time'],
  ['who = current_user', 'current_user is another each time'],
  ['id + 1', 'a CHECK says whether a row is right'],
  ['nothing > 1', 'nothing'],
  ['read_text(who) is null', 'read_text'],
])('a check is a condition on a row: %s', async (condition, message) => {
  expect(await refusal(`create table none (id int, day date, who varchar, check (${condition}))`)).toContain(message)
  expect(await rows("select table_name from information_schema.tables where table_name = 'none'")).toEqual([])
})

test('what somebody wrote into the properties of a table is not run with the rights of others', async () => {
  await rows('create table written (id int)')
  for (const sql of ['(select count(*) from people) > 0', "getenv('HOME') = ''", 'id) from people --', 'id ='])
    await rows(
      `alter table written set ('boathouse.check.evil' = '{"sql": "${sql.replaceAll("'", "''")}", "columns": {"id": 1}}')`,
    ).then(async () => expect(await refusal('insert into written values (1)'), sql).not.toBe('none'))
  await rows(`alter table written set ('boathouse.check.evil' = 'nonsense')`)
  expect(await refusal('insert into written values (1)')).toBe('none')
})
