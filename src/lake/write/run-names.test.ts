// What the steps of a run may say in SQL: other names of the environment, tables of their own, renames that swap.

import { expect, test } from 'vitest'
import { temporaryNamespace } from './run-names.ts'
import { openWorld } from '../world.ts'

const inWorld = async (work: (world: Awaited<ReturnType<typeof openWorld>>) => Promise<void>) => {
  const world = await openWorld()
  try {
    await work(world)
  } finally {
    await world.close()
  }
}

test('a run makes temporary tables that nobody else sees and no publication takes along', () =>
  inWorld(async ({ lake, admin, asking, rows, query }) => {
    await query('create table main.t as select 1 as id')
    const changes = await lake.openChanges({ catalog: 'dev_analytics', principal: admin })
    const mine = {
      changes,
      namespace: 'main',
      temporary: temporaryNamespace('a'),
      aliases: { jaffle: 'dev_analytics' },
    }
    await query('create temporary table t2 as (select id + 1 as id from "Jaffle"."main"."t")', mine)
    await query('create or replace temp table T as select 5 as id', mine)
    expect(await rows('select * from t, t2', mine)).toEqual([[5, 2]])
    expect(await rows('select * from main.t', mine)).toEqual([[1]])
    await query('insert into t2 select 7', mine)
    await query('delete from jaffle.main.t where id in (select id - 1 from t2)', mine)
    await query('insert into jaffle.main.t (id) (select id from t2)', mine)
    expect(await rows('select id from main.t order by id', mine)).toEqual([[2], [7]])
    await expect(rows('select * from t2', { changes, namespace: 'main' })).rejects.toMatchObject({
      code: 'TABLE_NOT_FOUND',
    })
    expect(await rows('select * from t', { changes, namespace: 'main' })).toHaveLength(2)
    await expect(query('create temporary table x as select 1')).rejects.toMatchObject({ code: 'SQL_UNSUPPORTED' })
    expect(await lake.relations({ catalog: 'JAFFLE', namespace: 'main' }, { ...asking(), ...mine })).toMatchObject([
      { name: { catalog: 'dev_analytics', name: 't' }, kind: 'table' },
    ])
    expect(await lake.relations({ catalog: '', namespace: '', name: 'T2' }, { ...asking(), ...mine })).toHaveLength(1)
    await query('drop table t2', mine)
    await expect(rows('select * from t2', mine)).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
    const { tables } = await changes.publish()
    expect(tables.map(({ table }) => table)).toEqual(['dev_analytics.main.t'])
    expect(await rows('select id from main.t order by id')).toEqual([[2], [7]])
  }))

test('dropping them takes their files away', () =>
  inWorld(async ({ lake, admin, query, io, root }) => {
    const changes = await lake.openChanges({ catalog: 'dev_analytics', principal: admin })
    const mine = { changes, temporary: temporaryNamespace('a') }
    await query('create temporary table t as select 1 as id', mine)
    await query('create temporary view v as select * from (select 1 as id)', mine)
    const files = async () => (await Array.fromAsync(io.list(`file://${root}`))).length
    expect(await files()).toBeGreaterThan(3)
    await changes.dropTemporary(temporaryNamespace('a'))
    expect(await changes.pending()).toEqual([])
    expect(await files()).toBe(0)
    await query('create table main.t as select 1 as id')
    await expect(query('alter table main.t rename to __temporary_a.t', mine)).rejects.toMatchObject({
      code: 'TABLE_NOT_FOUND',
    })
  }))

test('a table made under another name takes the place of the old one, and leaves nothing under the other names', () =>
  inWorld(async ({ lake, admin, query, rows }) => {
    await query('create table main.t as select 1 as id')
    const changes = await lake.openChanges({ catalog: 'dev_analytics', principal: admin })
    const mine = { changes, namespace: 'main' }
    await query('create table t__tmp as select 2 as id', mine)
    await query('alter table t rename to t__backup', mine)
    await query('alter table t__tmp rename to "t"', mine)
    await query('drop table if exists t__backup cascade', mine)
    await query('create view v__tmp as select x.* from "Jaffle"."main".t as x where "id" > 0', {
      ...mine,
      aliases: { jaffle: 'dev_analytics' },
    })
    await query('alter view v__tmp rename to v', mine)
    expect(await rows('select * from t', mine)).toEqual([[2]])
    expect(await rows('select * from main.t')).toEqual([[1]])
    const { tables } = await changes.publish()
    expect(tables.map(({ table, action }) => [table, action])).toEqual([
      ['dev_analytics.main.t', 'replace'],
      ['dev_analytics.main.v', 'create'],
    ])
    expect(await rows('select * from main.v')).toEqual([[2]])
    await query('drop schema main cascade')
    expect(await rows('show tables')).toEqual([])
  }))

test('a swap meets another writer: nothing is published', () =>
  inWorld(async ({ lake, admin, query, rows }) => {
    await query('create table main.t as select 1 as id')
    const changes = await lake.openChanges({ catalog: 'dev_analytics', principal: admin })
    const mine = { changes, namespace: 'main' }
    await query('create table t__tmp as select 2 as id', mine)
    await query('drop table t', mine)
    await query('alter table t__tmp rename to t', mine)
    await query('insert into main.t values (9)')
    await expect(changes.publish()).rejects.toMatchObject({
      code: 'COMMIT_CONFLICT',
      message: expect.stringContaining('by ana in publication'),
    })
    expect(await rows('select * from main.t order by 1')).toEqual([[1], [9]])
  }))

test('steps that write the same table at the same time lose nothing of each other', () =>
  inWorld(async ({ lake, admin, query, rows }) => {
    await query('create table main.log as select 0 as n')
    const changes = await lake.openChanges({ catalog: 'dev_analytics', principal: admin })
    const numbers = Array.from({ length: 8 }, (_, at) => at + 1)
    await Promise.all(numbers.map((n) => query(`insert into main.log values (${n})`, { changes })))
    await Promise.all(numbers.map((n) => query(`delete from main.log where n = ${n} and n > 5`, { changes })))
    expect(await rows('select n from main.log order by n', { changes })).toEqual([[0], [1], [2], [3], [4], [5]])
  }))
