import fc from 'fast-check'
import { CompiledQuery } from 'kysely'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { collect } from './lake.ts'
import { openSession, queryText } from './session.ts'
import type { Transaction } from './transaction.ts'
import { openWorld } from './world.ts'

let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world?.close())

const begin = (more: Partial<Parameters<typeof world.lake.begin>[0]> = {}) =>
  world.lake.begin({ ...world.asking(), ...more })
const rows = async (transaction: Transaction, sql: string) => (await collect(await transaction.query(sql))).rows
const outcome = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  )

describe('one transaction', () => {
  test('a schema that is dropped with its tables goes with them, at the commit', async () => {
    const schemas = () => world.rows("select schema_name from information_schema.schemata where schema_name = 'going'")
    await world.rows('create schema going')
    await world.rows('create table going.one as select 1 as id')
    const taken = await begin()
    await rows(taken, 'drop schema going cascade')
    await taken.rollback()
    expect([await schemas(), await world.rows('from going.one')]).toEqual([[['going']], [[1]]])
    const kept = await begin()
    await rows(kept, 'drop schema going cascade')
    expect(await schemas()).toEqual([['going']])
    await kept.commit()
    expect(await schemas()).toEqual([])
    await world.rows('create schema going')
    await world.rows('create view going.two as select 1 as id')
    await world.rows('drop schema going cascade')
    expect(await schemas()).toEqual([])
  })

  test('reads all tables as of its begin and its own writes; nobody sees them before the commit', async () => {
    await world.rows('create table raw.a as select 1 as id')
    await world.rows('create table raw.b as select 1 as id')
    const own = await begin()
    await world.rows('insert into raw.b values (2)')
    await world.rows('create table raw.later as select 1 as x')
    expect(await rows(own, 'select count(*) from raw.b')).toEqual([[1]])
    await expect(own.query('from raw.later')).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
    await own.rollback()

    const next = await begin()
    await rows(next, 'insert into raw.a values (5)')
    await rows(next, 'update raw.a set id = id * 10')
    await rows(next, 'create table raw.c as select * from raw.a')
    await rows(next, 'alter table raw.b add column note varchar')
    await rows(next, "update raw.b set note = 'x' where id = 1")
    expect(await rows(next, 'select id from raw.c order by id')).toEqual([[10], [50]])
    expect(await world.rows('from raw.a')).toEqual([[1]])
    await expect(world.rows('from raw.c')).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
    const publication = await next.commit()
    expect(publication?.tables.map(({ table }) => table)).toEqual(
      ['a', 'b', 'c'].map((name) => `dev_analytics.raw.${name}`),
    )
    expect(await world.rows('select id from raw.c order by id')).toEqual([[10], [50]])
    expect(await world.rows('from raw.b order by id')).toEqual([
      [1, 'x'],
      [2, null],
    ])
    await expect(next.query('select 1')).rejects.toMatchObject({ code: 'TRANSACTION_STATE' })
  })

  describe.each([
    [
      'a default for rows that are there',
      "alter table raw.TABLE add column note varchar default 'x' not null",
      [1, 'x'],
    ],
    ['NOT NULL where no row lacks a value', 'alter table raw.TABLE alter column id set not null', [1]],
  ])('%s', (what, alteration, row) => {
    const made = async (name: string) => {
      const table = `${name}_${what.length}`
      await world.rows(`create table raw.${table} (id integer)`)
      await world.rows(`insert into raw.${table} values (1)`)
      return { table, alter: alteration.replace('TABLE', table) }
    }
    test.each(['', 'insert into raw.TABLE values (null)'])(
      'is for the rows that were looked at: %s',
      async (between) => {
        const { table, alter } = await made(between ? 'raced' : 'alone')
        const altering = await begin()
        await rows(altering, alter)
        if (between) await world.rows(between.replace('TABLE', table))
        expect(await outcome(altering.commit())).toBe(between ? 'COMMIT_CONFLICT' : 'done')
        expect(await world.rows(`from raw.${table} order by 1`)).toEqual(between ? [[1], [null]] : [row])
      },
    )
    test.each(['insert into raw.TABLE values (null)', 'update raw.TABLE set id = null'])(
      'meets rows that were made before: %s',
      async (change) => {
        const { table, alter } = await made(change.slice(0, 6))
        const changing = await begin()
        await rows(changing, change.replace('TABLE', table))
        await world.rows(alter)
        expect(await outcome(changing.commit())).toBe('COMMIT_CONFLICT')
      },
    )
  })

  test('two that give the same key ON CONFLICT are not both committed; what RETURNING told is', async () => {
    await world.rows('create table raw.keyed as select 1 as id, 0 as n')
    const give = (id: number, does: string) =>
      `insert into raw.keyed values (${id}, 5) on conflict (id) do ${does} returning *`
    const update = 'update set n = keyed.n + excluded.n'
    for (const [id, does] of [
      [1, update],
      [2, update],
      [3, 'nothing'],
    ] as const) {
      const [one, two, three] = [await begin(), await begin(), await begin()]
      const [told] = await rows(one, give(id, does))
      await rows(two, give(id, does))
      await rows(three, give(id + 10, does))
      expect([await outcome(one.commit()), await outcome(two.commit()), await outcome(three.commit())]).toEqual([
        'done',
        'COMMIT_CONFLICT',
        'done',
      ])
      expect(await world.rows(`from raw.keyed where id = ${id}`)).toEqual([told])
    }
  })

  test('rows are changed under a name or branch that the table only has in it', async () => {
    await world.rows('create schema if not exists named')
    await world.rows('create table named.old as select i as id, 1 as x from range(4) t(i)')
    await world.rows('update named.old set x = 2 where id = 1')
    await world.rows('create table named.other as select 9 as id, 9 as x')
    const swapped = await begin()
    await rows(swapped, 'alter table named.old rename to named.middle')
    await rows(swapped, 'update named.middle set x = x + 10 where id < 2')
    await rows(swapped, 'alter table named.other rename to named.old')
    await rows(swapped, 'alter table named.middle rename to named.other')
    await rows(swapped, 'delete from named.other where id = 3')
    await rows(swapped, 'update named.old set x = 0')
    await rows(swapped, 'alter table named.other create branch tried')
    await rows(swapped, 'delete from named.other.branch_tried where id < 2')
    await swapped.commit()
    expect(await world.rows('from named.old')).toEqual([[9, 0]])
    expect(await world.rows('from named.other order by id')).toEqual([
      [0, 11],
      [1, 12],
      [2, 1],
    ])
    expect(await world.rows('from named.other.branch_tried')).toEqual([[2, 1]])
    // What others do under the name of before is not lost.
    const late = await begin()
    await rows(late, 'alter table named.old rename to named.gone')
    await rows(late, 'update named.gone set x = 1')
    await world.rows('insert into named.old values (10, 10)')
    expect(await outcome(late.commit())).toBe('COMMIT_CONFLICT')
    expect(await world.rows('select count(*) from named.old')).toEqual([[2]])
  })

  test('after a failure only the end is left; a savepoint brings it back', async () => {
    await world.rows('create table raw.s as select 1 as id')
    const one = await begin()
    await rows(one, 'insert into raw.s values (2)')
    await one.savepoint('here')
    await rows(one, 'insert into raw.s values (3)')
    await expect(one.query('from raw.nowhere')).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
    await expect(one.query('select 1')).rejects.toMatchObject({ code: 'TRANSACTION_ABORTED' })
    await one.rollbackTo('HERE')
    expect(await rows(one, 'select id from raw.s order by id')).toEqual([[1], [2]])
    await rows(one, 'insert into raw.s values (4)')
    await one.commit()
    expect(await world.rows('select id from raw.s order by id')).toEqual([[1], [2], [4]])

    const two = await begin()
    await two.savepoint('nothing')
    await rows(two, 'delete from raw.s')
    await two.rollbackTo('nothing')
    two.release('nothing')
    await expect(two.rollbackTo('nothing')).rejects.toMatchObject({ code: 'TRANSACTION_STATE' })
    expect(await two.commit()).toBeUndefined()
    const failed = await begin()
    await outcome(failed.query('nonsense'))
    expect(await failed.commit()).toBeUndefined()
  })

  test('a failure while rows are read fails it too', async () => {
    const one = await begin()
    await expect(
      rows(one, "select (case when i < 9000 then i::varchar else 'x' end)::int from range(10000) t(i)"),
    ).rejects.toMatchObject({ code: 'QUERY_FAILED' })
    expect(one.state).toBe('failed')
    await one.rollback()
  })

  test('what a process left that died is given up after a while, and nobody ever sees it', async () => {
    await world.rows('create table raw.left as select 1 as id')
    const one = await begin()
    await rows(one, 'delete from raw.left')
    expect(await world.publications.discardAbandoned(3_600_000)).toBe(0)
    expect(await world.publications.discardAbandoned(-3_600_000)).toBeGreaterThan(0)
    await expect(one.commit()).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' })
    expect(await world.rows('from raw.left')).toEqual([[1]])
  })

  test('one can be taken back on a full disk, too, and nobody ever sees it', async () => {
    const run = (sql: string) => world.records.catalog.executeQuery(CompiledQuery.raw(sql))
    await world.rows('create table raw.full as select 1 as id')
    const session = openSession(world.lake, world.asking())
    await session.query('begin')
    await session.query('insert into raw.full values (2)')
    await run('create table filler (bytes blob)')
    await run(
      'create trigger fills before update on change_sets begin insert into filler values (zeroblob(4000000)); end',
    )
    await run('pragma max_page_count = 1')
    onTestFinished(async () => {
      await run('pragma max_page_count = 1000000')
      await run('drop trigger fills')
    })
    await session.query('rollback')
    expect((await collect(await session.query('from raw.full'))).rows).toEqual([[1]])
    await session.close()
  })

  test.each([
    ['alter table raw.own add column w varchar', `update raw.own set w = 'w'`],
    ['alter table raw.own add column w varchar', `insert into raw.own (id, w) values (2, 'w')`],
    ['alter table raw.own alter column s type int'],
  ])(
    'rows with a column of its own are not put under one that somebody else added meanwhile: %s; %s',
    async (...statements) => {
      await world.rows(`create or replace table raw.own as select 1 as id, '1' as s`)
      const one = await begin()
      for (const sql of statements) await rows(one, sql)
      await world.rows('alter table raw.own add column z varchar')
      await expect(one.commit()).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' })
      expect(await world.rows('from raw.own')).toEqual([[1, '1', null]])
      const two = await begin()
      for (const sql of statements) await rows(two, sql)
      await world.rows(`comment on table raw.own is 'seen'`)
      await two.commit()
      expect((await world.rows('from raw.own'))[0]![2]).toBe(null)
    },
  )

  test('nor rows of a partition of its own under one that somebody else added', async () => {
    await world.rows(`create or replace table raw.own as select 1 as id, '1' as s`)
    const one = await begin()
    await rows(one, 'alter table raw.own add partition field s')
    await rows(one, `insert into raw.own values (2, '2')`)
    await world.rows('alter table raw.own add partition field id')
    await expect(one.commit()).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' })
    expect(await world.rows('from raw.own')).toEqual([[1, '1']])
  })

  test('read-only ones write nothing, readers neither', async () => {
    await world.rows('create table raw.ro as select 1 as id')
    const one = await begin({ readOnly: true })
    await expect(one.query('delete from raw.ro')).rejects.toMatchObject({ code: 'TRANSACTION_STATE' })
    const two = await begin({ principal: world.reader })
    await expect(two.query('delete from raw.ro')).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
})

describe('two at once', () => {
  const both = async (setup: string[], first: string[], second: string[], isolation: 'snapshot' | 'serializable') => {
    for (const sql of setup) await world.rows(sql)
    const [one, two] = [await begin({ isolation }), await begin({ isolation })]
    for (let at = 0; at < Math.max(first.length, second.length); at++) {
      if (first[at]) await rows(one, first[at]!)
      if (second[at]) await rows(two, second[at]!)
    }
    return [await outcome(one.commit()), await outcome(two.commit())]
  }
  let made = 0
  const table = () => `raw.both_${made++}`

  test.each(['merge-on-read', 'copy-on-write'])('an update is never lost (%s)', async (mode) => {
    const t = table()
    const setup = [
      `create table ${t} (id int, n int) with ('write.update.mode' = '${mode}', 'write.merge.mode' = '${mode}')`,
      `insert into ${t} values (1, 0), (2, 0), (3, 0)`,
    ]
    const add = `merge into ${t} t using (select 1 as id) s on t.id = s.id when matched then update set n = n + 1`
    expect(await both(setup, [add], [add], 'snapshot')).toEqual(['done', 'COMMIT_CONFLICT'])
    expect(await world.rows(`select n from ${t} where id = 1`)).toEqual([[1]])
  })

  test('the second statement of a transaction is checked against others too', async () => {
    const t = table()
    const setup = [`create table ${t} (id int, n int)`, `insert into ${t} select i, 0 from range(100) t(i)`]
    const found = await both(
      setup,
      [`update ${t} set n = n + 1 where id = 1`],
      [`insert into ${t} values (1000, 0)`, `update ${t} set n = n + 1 where id = 1`],
      'snapshot',
    )
    expect(found).toEqual(['done', 'COMMIT_CONFLICT'])
  })

  test('appends of both stay', async () => {
    const t = table()
    const found = await both(
      [`create table ${t} as select 0 as id`],
      [`insert into ${t} values (1)`, `insert into ${t} values (2)`],
      [`insert into ${t} values (3)`, `insert into ${t} values (4)`],
      'snapshot',
    )
    expect(found).toEqual(['done', 'done'])
    expect(await world.rows(`select sum(id), count(*) from ${t}`)).toEqual([
      [expect.toSatisfy((n) => Number(n) === 10), 5],
    ])
  })

  test('write skew: allowed by snapshot isolation, refused by serializable', async () => {
    for (const [isolation, second] of [
      ['snapshot', 'done'],
      ['serializable', 'COMMIT_CONFLICT'],
    ] as const) {
      const [a, b] = [table(), table()]
      const setup = [`create table ${a} as select 1 as on_call`, `create table ${b} as select 1 as on_call`]
      const total = `select (select sum(on_call) from ${a}) + (select sum(on_call) from ${b})`
      expect(
        await both(setup, [total, `update ${a} set on_call = 0`], [total, `update ${b} set on_call = 0`], isolation),
      ).toEqual(['done', second])
    }
  })

  test('a column that both add or drop, where it is not there yet or still, is added and dropped once', async () => {
    const t = table()
    const setup = [`create table ${t} (id int, gone int)`]
    const change = [`alter table ${t} add column if not exists n int`, `alter table ${t} drop column if exists gone`]
    expect(await both(setup, change, change, 'snapshot')).toEqual(['done', 'done'])
    expect(await world.rows(`select column_name from (describe ${t})`)).toEqual([['id'], ['n']])
  })

  test('serializable: a blind append needs nothing unchanged', async () => {
    const t = table()
    const found = await both(
      [`create table ${t} as select 0 as id`],
      [`insert into ${t} values (1)`],
      [`insert into ${t} values (2)`],
      'serializable',
    )
    expect(found).toEqual(['done', 'done'])
  })
})

// Every transaction moves amounts between accounts in two tables. Whatever the interleaving, what committed is what
// happened: the sum of all accounts stays, and each account holds what the committed transactions put there.
const transfer = fc.record({
  from: fc.nat({ max: 2 }),
  to: fc.nat({ max: 2 }),
  amount: fc.integer({ min: 1, max: 9 }),
  merge: fc.boolean(),
})
const interleavings = Number(process.env['SOAK_CASES'] ?? (process.env['SOAK'] ? 300 : 6))
test('random interleavings of transfers lose nothing', { timeout: interleavings * 30_000 }, async () => {
  let round = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(transfer, { minLength: 2, maxLength: 3 }),
      fc.scheduler(),
      async (transfers, scheduler) => {
        const [a, b] = [`raw.x_${round}`, `raw.y_${round++}`]
        for (const t of [a, b])
          await world.rows(`create table ${t} partitioned by (id) as select i::int as id, 100 as n from range(3) t(i)`)
        const committed: typeof transfers = []
        await scheduler.waitFor(
          Promise.all(
            transfers.map(async (one) => {
              const step = <Answer>(work: () => Promise<Answer>) => scheduler.schedule(Promise.resolve()).then(work)
              try {
                const transaction = await step(() => begin())
                await step(() => rows(transaction, `update ${a} set n = n - ${one.amount} where id = ${one.from}`))
                await step(() =>
                  rows(
                    transaction,
                    one.merge
                      ? `merge into ${b} t using (select ${one.to} as id) s on t.id = s.id when matched then update set n = t.n + ${one.amount}`
                      : `update ${b} set n = n + ${one.amount} where id = ${one.to}`,
                  ),
                )
                await step(() => transaction.commit())
                committed.push(one)
              } catch (error) {
                expect(error).toMatchObject({ code: 'COMMIT_CONFLICT' })
              }
            }),
          ),
        )
        expect(committed.length).toBeGreaterThan(0)
        const expected = (sign: 1 | -1, side: 'from' | 'to') =>
          [0, 1, 2].map((id) => [
            id,
            100 + sign * committed.filter((one) => one[side] === id).reduce((sum, { amount }) => sum + amount, 0),
          ])
        expect(await world.rows(`from ${a} order by id`)).toEqual(expected(-1, 'from'))
        expect(await world.rows(`from ${b} order by id`)).toEqual(expected(1, 'to'))
      },
    ),
    { numRuns: interleavings, ...(process.env['SOAK'] ? {} : { seed: 11 }) },
  )
})

describe('sessions', () => {
  const session = () => openSession(world.lake, world.asking())

  test('BEGIN, SAVEPOINT, USE and COMMIT as text', async () => {
    await world.rows('create table raw.t1 as select 1 as id')
    const one = session()
    const said = async (sql: string) => (await collect(await one.query(sql)), one.state)
    expect(await said('begin isolation level serializable')).toBe('open')
    expect(await said('insert into raw.t1 values (2)')).toBe('open')
    expect(await said('savepoint s')).toBe('open')
    await expect(one.query('selct')).rejects.toMatchObject({ code: 'SQL_INVALID' })
    expect(one.state).toBe('failed')
    expect(await said('rollback to savepoint s')).toBe('open')
    expect((await one.query('commit work')).command).toBe('COMMIT')
    expect(await said('use schema raw')).toBe('idle')
    expect(await said('use raw')).toBe('idle')
    expect((await collect(await one.query('select count(*) from t1'))).rows).toEqual([[2]])
    await expect(one.query('commit')).rejects.toMatchObject({ code: 'TRANSACTION_STATE' })
    await expect(one.query('use nowhere')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' })
    await one.query('begin')
    await outcome(one.query('nonsense'))
    expect((await one.query('commit')).command).toBe('ROLLBACK')
  })

  test('a text of several statements is one transaction', async () => {
    const text = (sql: string, more = {}) => queryText(world.lake, sql, world.asking(more)).then(collect)
    expect(
      (await text('create table raw.m as select 1 as id; insert into raw.m values (2); select count(*) from raw.m;'))
        .rows,
    ).toEqual([[2]])
    await expect(text('insert into raw.m values (3);\n  select nope from raw.m')).rejects.toMatchObject({
      code: 'SQL_INVALID',
      place: { line: 2, column: 10 },
    })
    expect(await world.rows('select count(*) from raw.m')).toEqual([[2]])
    expect((await text('begin; delete from raw.m; rollback; select count(*) from raw.m')).rows).toEqual([[2]])
    await expect(text('begin; delete from raw.m; select 1')).rejects.toMatchObject({ code: 'TRANSACTION_STATE' })
    await expect(text('begin')).rejects.toMatchObject({ code: 'TRANSACTION_STATE' })
    await expect(text('delete from raw.m; select 1', { asOf: '2999-01-01' })).rejects.toMatchObject({
      code: 'TRANSACTION_STATE',
    })
    expect(await world.rows('select count(*) from raw.m')).toEqual([[2]])
  })

  test('a protected environment is not written by a name or by USE from another one', async () => {
    await world.query('create table prod_analytics.raw.p as select 1 as a', {
      catalog: 'prod_analytics',
      environmentNamed: true,
    })
    const named = { environmentNamed: true }
    for (const sql of [
      'insert into prod_analytics.raw.p values (2)',
      'create table prod_analytics.raw.q as select 1 as a',
      'drop table prod_analytics.raw.p',
      'create schema prod_analytics.extra',
      "call create_tag('prod_analytics.raw.p', 'x')",
    ])
      await expect(world.rows(sql, named)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await world.rows('create table raw.stays as select 1 as a')
    await expect(world.rows('alter table raw.stays rename to prod_analytics.raw.gone', named)).rejects.toMatchObject({
      code: 'SQL_UNSUPPORTED',
    })
    const one = openSession(world.lake, world.asking(named))
    await one.query('use prod_analytics.raw')
    await expect(one.query('delete from p')).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(await world.rows('from prod_analytics.raw.p')).toEqual([[1]])
  })

  test('a table of another environment cannot be written by the same transaction', async () => {
    const one = await begin({ environmentNamed: true })
    await rows(one, 'create table raw.here as select 1 as a')
    await expect(one.query('create table prod_analytics.raw.there as select 1 as a')).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
    await one.rollback()
  })

  test.each(['merge-on-read', 'copy-on-write'])(
    'a statement is done again when files were only rewritten: %s',
    async (mode) => {
      const table = `raw.rewritten_${mode.replaceAll('-', '_')}`
      const modes = ['delete', 'update', 'merge'].map((what) => `'write.${what}.mode' = '${mode}'`).join(', ')
      await world.rows(`create table ${table} (id int, n int) with (${modes})`)
      for (const id of [1, 2]) await world.rows(`insert into ${table} values (${id}, 0)`)
      const { publish } = world.publications
      const meanwhile = (sql: string) => {
        world.publications.publish = async (...given) => {
          world.publications.publish = publish
          await world.rows(sql)
          return publish(...given)
        }
      }
      const compaction = `call rewrite_data_files('${table}', options => MAP {'rewrite-all': 'true'})`
      for (const change of [
        `update ${table} set n = n + 1`,
        `merge into ${table} as t using (values (2), (3)) s(id) on t.id = s.id when matched then update set n = n + 1 when not matched then insert values (s.id, 9)`,
        `delete from ${table} where id = 1`,
      ]) {
        meanwhile(compaction)
        await world.rows(change)
      }
      expect(await world.rows(`from ${table} order by id`)).toEqual([
        [2, 2],
        [3, 9],
      ])
      meanwhile(`update ${table} set n = 0 where id = 2`)
      await expect(world.rows(`update ${table} set n = n + 1`)).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' })
    },
  )
})
