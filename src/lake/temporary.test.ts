import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { collect, type QueryOptions } from './lake.ts'
import { openSession, queryText, type Session } from './session.ts'
import { openWorld } from './world.ts'

let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
  await world.rows('create schema raw')
  await world.rows('create table raw.t as select i as id from range(4) r(i)')
})
afterAll(() => world?.close())

const session = (more: Partial<QueryOptions> = {}) =>
  openSession(world.lake, { ...world.asking(), namespace: 'raw', ...more })
const rows = async (one: Session, sql: string) => (await collect(await one.query(sql))).rows
const files = () =>
  readdirSync(join(world.root, 'dev_analytics'))
    .filter((name) => name.startsWith('__temporary_'))
    .flatMap((name) =>
      readdirSync(join(world.root, 'dev_analytics', name), { recursive: true, withFileTypes: true }).filter((one) =>
        one.isFile(),
      ),
    )

test('a temporary table is for its session alone, and its files go with it', async () => {
  const [one, two] = [session(), session()]
  await rows(one, 'create temp table mine as select * from t where id > 1')
  await rows(two, 'create temp table mine (word varchar)')
  await rows(two, "insert into mine values ('two')")
  expect(await rows(one, 'from mine order by id')).toEqual([[2], [3]])
  expect(await rows(two, 'from mine')).toEqual([['two']])
  await expect(world.rows('from raw.mine')).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
  await expect(rows(one, 'create table kept as select * from mine join t using (id)')).resolves.toBeDefined()
  await expect(rows(one, 'create view v as from mine')).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
  await expect(rows(one, 'create temp table mine (a int)')).rejects.toMatchObject({ message: 'mine exists already' })
  await rows(one, 'drop table mine')
  await rows(one, 'create temp table other as select 1 as x')
  expect(files().length).toBeGreaterThan(0)
  await one.close()
  await two.close()
  expect(files()).toEqual([])
})

test('a transaction takes back what it did to them, and reads the lake as it does', async () => {
  const one = session()
  await rows(one, 'begin')
  await rows(one, 'insert into t values (100)')
  await rows(one, 'create temp table early as select * from t where id = 100')
  expect(await rows(one, 'from early')).toEqual([[100]])
  await rows(one, 'rollback')
  await expect(rows(one, 'from early')).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
  await rows(one, 'create temp table staying as select 1 as a')
  await rows(one, 'begin')
  await rows(one, 'create temp table going on commit drop as select 1 as a')
  await rows(one, 'savepoint s')
  await rows(one, 'drop table staying')
  await rows(one, 'rollback to s')
  await rows(one, 'insert into staying from going returning a')
  await rows(one, 'commit')
  expect(await rows(one, 'from staying')).toEqual([[1], [1]])
  await expect(rows(one, 'from going')).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
  await one.discardTemporary()
  await expect(rows(one, 'from staying')).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
  await one.close()
})

test('who may only read may keep what they see, and no more', async () => {
  const ana = await world.member('ana')
  await world.rows("create table raw.people as select 1 as id, 'secret' as email union all select 2, 'other'")
  const on = { environment: '*', namespace: 'raw', table: 'people' }
  await world.applyAccess({
    grants: [{ privilege: 'select', on, to: { kind: 'user', name: 'ana' } }],
    rowFilters: [{ on, except: [], condition: 'id = 1' }],
    masks: [{ on, column: 'email', except: [], expression: `'***'` }],
  })
  const one = session({ principal: ana })
  await rows(one, 'create temp table mine as select * from people')
  expect(await rows(one, 'from mine')).toEqual([[1, '***']])
  expect(await rows(one, 'update mine set id = 5 returning *')).toEqual([[5, '***']])
  await expect(rows(one, 'insert into people from mine')).rejects.toMatchObject({ code: 'FORBIDDEN' })
  await expect(rows(one, 'create table mine as from people')).rejects.toMatchObject({ code: 'FORBIDDEN' })
  await expect(rows(one, "alter table mine set ('write.data.path' = 'file:///tmp/x')")).rejects.toMatchObject({
    code: 'FORBIDDEN',
  })
  await expect(
    rows(one, "create temp table p (a int) with ('write.data.path' = 'file:///tmp/x')"),
  ).rejects.toMatchObject({ code: 'FORBIDDEN' })
  await one.close()
  expect(existsSync('/tmp/x')).toBe(false)
})

test('in one text they last until its end', async () => {
  const text = 'create temp table a as select 1 as x; insert into a values (2); select sum(x)::int from a'
  expect((await collect(await queryText(world.lake, text, world.asking()))).rows).toEqual([[3]])
  await expect(world.rows('create temp table a as select 1 as x')).rejects.toMatchObject({ code: 'SQL_UNSUPPORTED' })
  expect(files()).toEqual([])
})
