import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collect } from './lake.ts'
import { openSession, type Session } from './session.ts'
import { openWorld } from './world.ts'

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

const rows = async (sql: string, of = session) => (await collect(await of.query(sql))).rows
const text = async (sql: string, of = session) => String((await rows(sql, of))[0]![0])
const value = async (sql: string, of = session) => Number(await text(sql, of))
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: { code: string; context?: { sqlState?: string } }) => error.context?.sqlState ?? error.code,
  )

describe('numbers', () => {
  test('no two of many at once are the same, whoever rolls back', async () => {
    await session.query('create sequence many')
    const others = Array.from({ length: 8 }, () => openSession(world.lake, world.asking({ namespace: 'raw' })))
    const taken = await Promise.all(
      others.flatMap((one, at) =>
        Array.from({ length: 5 }, async () => {
          if (at % 2 === 1) return [await value("select nextval('many')", one)]
          return (await rows("select nextval('many') from range(3)", one)).map(([number]) => Number(number))
        }),
      ),
    )
    const all = taken.flat()
    expect(new Set(all).size).toBe(all.length)
    expect(Math.max(...all)).toBe(all.length)
    await session.query('begin')
    expect(await value("select nextval('many')")).toBe(all.length + 1)
    await session.query('rollback')
    expect(await value("select nextval('many')")).toBe(all.length + 2)
    await Promise.all(others.map((one) => one.close()))
  })

  test.each([
    ['create sequence a1 start 5', [5, 6]],
    ['create sequence a2 increment by 50', [1, 51]],
    ['create sequence a3 start with 100 increment by -1', [100, 99], '22023'],
    ['create sequence a4 increment by -1', [-1, -2]],
    ['create sequence a5 minvalue 3 maxvalue 4 cycle start with 4', [4, 3]],
    ['create sequence a6 maxvalue 1', [1], '2200H'],
    ['create sequence a7 as smallint start 32767', [32767], '2200H'],
    ['create sequence a8 increment 0', [], 'SQL_INVALID'],
    ['create sequence a9 minvalue 5 start 4', [], '22023'],
  ])('%s', async (sql, numbers, fails?: string) => {
    const work = async () => {
      await session.query(sql)
      const name = sql.split(' ')[2]!
      for (const number of numbers) expect(await value(`select nextval('raw.${name}')`)).toBe(number)
      if (fails) await value(`select nextval('${name}')`)
    }
    expect(await codeOf(work())).toBe(fails ?? 'none')
  })

  test('each row of a query has one of its own, and what it leaves out needs none', async () => {
    await session.query('create sequence per_row')
    await session.query('create table t as select range as i from range(10)')
    expect(await rows("select nextval('per_row') as n, i from t where i > 6 order by i")).toHaveLength(3)
    expect(await value("select nextval('per_row')")).toBe(4)
    await session.query('create table u (id bigint, i bigint)')
    await session.query("insert into u with few as (select * from t where i < 4) select nextval('per_row'), i from few")
    await session.query("update u set id = nextval('per_row') + 100 where i >= 2")
    expect(await rows('select id from u order by id')).toEqual([[5], [6], [109], [110]])
    await session.query("insert into u values (nextval('per_row'), 1), (nextval('per_row'), 2)")
    expect(await value('select count(distinct id) from u')).toBe(6)
    for (const sql of [
      "select distinct nextval('per_row') from t",
      "select i from t where nextval('per_row') > i",
      "select nextval(concat('per', '_row'))",
      "delete from t where i = nextval('per_row')",
    ])
      expect(await codeOf(rows(sql))).toBe('SQL_UNSUPPORTED')
  })

  test('what the session was given, and what setval says', async () => {
    await session.query('create sequence told')
    const fresh = openSession(world.lake, world.asking({ namespace: 'raw' }))
    expect(await codeOf(rows("select currval('told')", fresh))).toBe('55000')
    expect(await codeOf(rows('select lastval()', fresh))).toBe('55000')
    expect(await value("select setval('told', 41)")).toBe(41)
    expect(await rows("select nextval('told'), currval('told'), lastval()")).toEqual([[42, 42, 42]])
    await rows("select setval('told', 60)")
    expect(await rows("select currval('told'), lastval()")).toEqual([[60, 60]])
    await rows("select setval('told', 7, false)")
    expect(await value("select nextval('told')", fresh)).toBe(7)
    await rows("select setval('told', max(i) + 100) from t")
    expect(await value("select nextval('told')")).toBe(110)
    expect(await codeOf(rows("select setval('told', 0)"))).toBe('22003')
    await fresh.close()
  })
})

describe('columns', () => {
  test('take their numbers from a sequence, beside whoever else does', async () => {
    await session.query('create sequence orders')
    await session.query("create table placed (id integer default nextval('orders') primary key not enforced, n text)")
    await session.query("insert into placed (n) values ('a'), ('b')")
    expect(await value("select nextval('orders')")).toBe(3)
    await session.query("insert into placed values (default, 'c'), (9, 'd')")
    expect(await rows('select id, n from placed order by id')).toEqual([
      [1, 'a'],
      [2, 'b'],
      [4, 'c'],
      [9, 'd'],
    ])
    expect(await codeOf(session.query('drop sequence orders'))).toBe('2BP01')
    await session.query('alter table placed alter column id drop default')
    await session.query('drop sequence orders')
    expect(await codeOf(session.query("create table lost (id int default nextval('orders'))"))).toBe('42P01')
  })

  test('a call in a definition is asked with each row, or refused: never a number that stays', async () => {
    await session.query('create sequence kept_in')
    await session.query("create table in_parentheses (id bigint default (nextval('raw.kept_in'::regclass)), n int)")
    await session.query('insert into in_parentheses (n) values (1), (2)')
    expect(await rows('select id from in_parentheses order by id')).toEqual([[1], [2]])
    for (const sql of [
      "create table refused (id bigint default nextval('kept_in') + 1, n int)",
      "alter table in_parentheses alter column id set default 1 + nextval('kept_in')",
      "create view refused as select nextval('kept_in') as n",
      "create or replace temp view refused as select nextval('kept_in') as n",
    ])
      expect(await codeOf(session.query(sql)), sql).not.toBe('none')
    await session.query("create table of_query as select nextval('kept_in') as id from range(2)")
    expect(await rows('select id from of_query order by id')).toEqual([[3], [4]])
  })

  test('that number their rows have one, whose numbers stay above all', async () => {
    await session.query('create table own (id serial, n text)')
    await session.query("insert into own (n) values ('a'), ('b')")
    expect(await rows("select currval('own_id_seq'), pg_get_serial_sequence('own', 'id')")).toEqual([
      [2, 'raw.own_id_seq'],
    ])
    expect(await value("select nextval('own_id_seq')")).toBe(3)
    await rows("select setval('own_id_seq', 1)")
    expect(await value("select nextval('own_id_seq')")).toBe(4)
    await rows("select setval(pg_get_serial_sequence('own', 'id'), 20)")
    await session.query("insert into own (n) values ('c')")
    expect(await value('select max(id) from own')).toBe(21)
  })

  test.each(['serial', 'identity'])('give each number once where JavaScript has none any more: %s', async (kind) => {
    if (kind === 'identity')
      await session.query('create table far_i (id bigint generated by default as identity, n int)')
    else {
      await session.query('create sequence far start 9007199254740990')
      await session.query("create table far_s (id bigint default nextval('far'), n int)")
    }
    const table = kind === 'identity' ? 'far_i' : 'far_s'
    if (kind === 'identity') await rows("select setval('far_i_id_seq', 9007199254740989)")
    for (let n = 0; n < 3; n++) await session.query(`insert into ${table} (n) values (1), (2), (3)`)
    await session.query(`insert into ${table} (n) select * from range(4)`)
    await session.query(
      `merge into ${table} t using (select range as n from range(2)) s on false when not matched then insert (n) values (s.n)`,
    )
    const all = Array.from({ length: 15 }, (_, at) => String(9007199254740990n + BigInt(at)))
    expect((await rows(`select id from ${table} order by id`)).map(([id]) => String(id))).toEqual(all)
    expect(await text(`select nextval('${kind === 'identity' ? 'far_i_id_seq' : 'far'}')`)).toBe('9007199254741005')
  })

  test('end where their type does, and no setval leads beyond', async () => {
    for (const [type, most] of [
      ['int', 2n ** 31n - 1n],
      ['bigint', 2n ** 63n - 2n],
    ] as const) {
      await session.query(`create or replace table ending (id ${type} generated by default as identity, n int)`)
      expect(await codeOf(rows(`select setval('ending_id_seq', ${most + 1n})`))).toBe('22003')
      await rows(`select setval('ending_id_seq', ${most - 1n})`)
      await session.query('insert into ending (n) values (1)')
      expect(await text('select id from ending')).toBe(String(most))
      expect(await codeOf(session.query('insert into ending (n) values (2)'))).toBe('2200H')
      expect(await codeOf(rows("select nextval('ending_id_seq')"))).toBe('2200H')
    }
  })

  test('give no row the number of another, where a query gives other rows than it was counted with', async () => {
    await session.query('create sequence counted')
    await session.query("create table by_chance (id bigint default nextval('counted'), n int)")
    await session.query('create table by_chance_2 (id bigint generated always as identity, n int)')
    for (const table of ['by_chance', 'by_chance_2'])
      for (let round = 0; round < 8; round++) {
        const given = 'select range from range(1000) where random() < 0.5'
        const sql =
          round % 2 === 0
            ? `insert into ${table} (n) ${given}`
            : `merge into ${table} t using (${given}) s on false when not matched then insert (n) values (s.range)`
        expect(['none', 'QUERY_FAILED']).toContain(await codeOf(session.query(sql)))
      }
    expect(await rows('select count(*) - count(distinct id) from by_chance')).toEqual([[0]])
    const { 0: last } = (await rows('select coalesce(max(id), 0) from by_chance'))[0]!
    expect(Number(await value("select nextval('counted')"))).toBeGreaterThan(Number(last))
    expect(await rows('select count(*) - count(distinct id) from by_chance_2')).toEqual([[0]])
  })
})

describe('definitions', () => {
  test('are taken back with the transaction', async () => {
    await session.query('create sequence kept start 3')
    await session.query('begin')
    await session.query('create sequence made')
    await session.query('savepoint s')
    await session.query('drop sequence kept')
    await session.query('rollback to s')
    expect(await value("select nextval('kept')")).toBe(3)
    await session.query('drop sequence kept')
    await session.query('rollback')
    expect(await codeOf(rows("select nextval('made')"))).toBe('42P01')
    expect(await value("select nextval('kept')")).toBe(4)
    await session.query('begin')
    await session.query('create sequence made')
    await session.query('commit')
    expect(await value("select nextval('made')")).toBe(1)
  })

  test('are read like a table, and renamed', async () => {
    await session.query('create sequence shown start 7')
    const shown = 'select last_value, log_cnt, is_called from shown'
    expect(await rows(shown)).toEqual([[7, 0, false]])
    await rows("select nextval('shown')")
    await rows("select nextval('shown')")
    expect(await rows(shown)).toEqual([[8, 0, true]])
    await session.query('create sequence taken_name')
    expect(await codeOf(session.query('alter sequence shown rename to taken_name'))).toBe('42P07')
    await session.query('begin')
    await session.query('alter sequence shown rename to other_name')
    expect(await value("select nextval('other_name')")).toBe(9)
    await session.query('rollback')
    expect(await value("select nextval('shown')")).toBe(10)
    expect(await codeOf(rows("select nextval('other_name')"))).toBe('42P01')
  })

  test('a schema is not dropped from under them; CASCADE takes them along', async () => {
    await session.query('create schema housed')
    await session.query('create sequence housed.s')
    expect(await codeOf(session.query('drop schema housed'))).toBe('NAMESPACE_NOT_EMPTY')
    await session.query('drop schema housed cascade')
    await session.query('create schema housed')
    expect(await codeOf(rows("select nextval('housed.s')"))).toBe('42P01')
    await session.query('create table housed.t (id int)')
    await session.query('create sequence housed.s')
    await session.query('create sequence housed.of_t owned by housed.t.id')
    await session.query('drop schema housed cascade')
    await session.query('create schema housed')
    await session.query('create table housed.t (id int)')
    await session.query('create sequence housed.of_t owned by housed.t.id')
    expect(await codeOf(rows("select nextval('housed.s')"))).toBe('42P01')
    await session.query('drop table housed.t')
    await session.query('drop schema housed')
  })

  test('that of a table that is gone goes for another', async () => {
    await session.query('create table owning (id int)')
    await session.query('create sequence owned owned by owning.id')
    expect(await codeOf(session.query('create sequence owned'))).toBe('42P07')
    await session.query('drop table owning')
    await session.query('create sequence owned')
    expect(await value("select nextval('owned')")).toBe(1)
  })

  test('need rights, and so do numbers', async () => {
    const mia = await world.member('mia')
    const hers = openSession(world.lake, world.asking({ principal: mia, namespace: 'raw' }))
    await session.query('create sequence guarded')
    for (const sql of ['create sequence x', 'drop sequence guarded', 'alter sequence guarded restart'])
      expect(await codeOf(rows(sql, hers))).toBe('FORBIDDEN')
    // What she may not know of is told as if it were not there.
    await session.query('create table numbered (id serial, n int)')
    const asked = (sequence: string, table: string) => [
      `select nextval('${sequence}')`,
      `select currval('${sequence}')`,
      `select setval('${sequence}', 5)`,
      `select pg_get_serial_sequence('${table}', 'id')`,
      `select pg_get_serial_sequence('${table}', 'none')`,
    ]
    for (const sql of [...asked('guarded', 'numbered'), ...asked('numbered_id_seq', 'numbered'), ...asked('no', 'no')])
      expect(await codeOf(rows(sql, hers)), sql).toBe('42P01')
    expect(await codeOf(rows('select * from guarded', hers))).toBe('TABLE_NOT_FOUND')
    const on = (table: string) => ({ environment: '*', namespace: 'raw', table })
    const to = { kind: 'user' as const, name: 'mia' }
    await world.applyAccess({
      grants: [
        { privilege: 'select', on: on('guarded'), to },
        { privilege: 'select', on: on('numbered'), columns: ['n'], to },
      ],
    })
    expect(await codeOf(rows("select nextval('guarded')", hers))).toBe('FORBIDDEN')
    expect(await rows("select pg_get_serial_sequence('numbered', 'id')", hers)).toEqual([[null]])
    // A column's default would give her its numbers, too.
    await world.govern.access.grant(
      { privileges: ['all'], on: { namespace: 'raw', table: 'hers*' }, to: ['mia'] },
      { by: world.admin, source: 'sql' },
    )
    await session.query('create sequence unknown')
    await rows('create table hers (id bigint, n int)', hers)
    for (const [sequence, code] of [
      ['guarded', 'FORBIDDEN'],
      ['unknown', '42P01'],
      ['none', '42P01'],
    ]) {
      const called = `nextval('${sequence}')`
      expect(await codeOf(rows(`alter table hers alter column id set default ${called}`, hers)), sequence).toBe(code)
      expect(await codeOf(rows(`create table hers_2 (id bigint default ${called})`, hers)), sequence).toBe(code)
    }
    const properties = `('boathouse.identity.1' = 'by default of ["raw","guarded"]')`
    expect(await codeOf(rows(`alter table hers set ${properties}`, hers))).toBe('FORBIDDEN')
    expect(await codeOf(rows(`create table hers_2 (id bigint) with ${properties}`, hers))).toBe('FORBIDDEN')
    expect(await value("select nextval('guarded')")).toBe(1)
    // What takes numbers from hers is not told to her where it is not for her to know.
    await rows('create sequence hers_seq', hers)
    await rows("create table unknown_one (id bigint default nextval('hers_seq'))")
    const kept = await rows('drop sequence hers_seq', hers).catch((error: Error) => error.message)
    expect(kept).toBe('a column of a table that you may not know takes its numbers from sequence hers_seq')
    await hers.close()
  })
})
