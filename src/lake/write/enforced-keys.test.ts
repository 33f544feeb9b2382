import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Failure } from '../../base/failure.ts'
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
const failureOf = (sql: string): Promise<Failure | undefined> =>
  rows(sql).then(
    () => undefined,
    (error: Failure) => error,
  )
const twice = (name: string, key: string) => ({
  message: `duplicate key value violates unique constraint "${name}"`,
  context: { sqlState: '23505', detail: `Key ${key} already exists.` },
})

test('no key is there twice, whatever writes it', async () => {
  await rows(
    'create table a (id int primary key, code varchar(4) unique, day date, n int, constraint both unique (day, n))',
  )
  await rows(
    `insert into a values (1, 'x', '2026-01-01', 1), (2, 'y', '2026-01-01', 2), (3, null, null, 1), (4, null, null, 1)`,
  )
  const wrong: [sql: string, name: string, key: string][] = [
    [`insert into a (id) values (2)`, 'a_pkey', '(id)=(2)'],
    [`insert into a (id) values ('2')`, 'a_pkey', '(id)=(2)'],
    [`insert into a (id) values (5), (6), (5) returning id`, 'a_pkey', '(id)=(5)'],
    [`insert into a (id) select * from range(4, 9)`, 'a_pkey', '(id)=(4)'],
    [`insert into a (id, code) values (5, 'x')`, 'a_code_key', '(code)=(x)'],
    // Blanks that are too many are none.
    [`insert into a (id, code) values (5, 'abcd '), (6, 'abcd')`, 'a_code_key', '(code)=(abcd)'],
    [`insert into a values (5, 'z', '2026-01-01', 2)`, 'both', '(day, n)=(2026-01-01, 2)'],
    [`update a set id = 4 where id = 3`, 'a_pkey', '(id)=(4)'],
    [`update a set code = 'q' where id > 2`, 'a_code_key', '(code)=(q)'],
    [`update a set n = 1 where id = 2`, 'both', '(day, n)=(2026-01-01, 1)'],
    [
      `merge into a using (select 9 as id, 'y' as code) s on a.id = s.id when not matched then insert (id, code) values (s.id, s.code)`,
      'a_code_key',
      '(code)=(y)',
    ],
    [`merge into a using (select 1 as id) s on a.id = s.id when matched then update set id = 2`, 'a_pkey', '(id)=(2)'],
    [
      `insert into a (id, code) values (1, 'y') on conflict (id) do update set code = excluded.code`,
      'a_code_key',
      '(code)=(y)',
    ],
    [`insert into a (id, code) values (7, 'x') on conflict (id) do nothing`, 'a_code_key', '(code)=(x)'],
    [
      `with one as (insert into a (id) values (7) returning id) insert into a (id) select id from one`,
      'a_pkey',
      '(id)=(7)',
    ],
  ]
  const before = await rows('select * from a order by id')
  for (const [sql, name, key] of wrong) expect(await failureOf(sql), sql).toMatchObject(twice(name, key))
  expect(await rows('select * from a order by id')).toEqual(before)
  // A branch has rows of its own.
  await rows('alter table a create branch side')
  await rows('insert into a.branch_side (id) values (7)')
  expect(await failureOf('insert into a.branch_side (id) values (7)')).toMatchObject(twice('a_pkey', '(id)=(7)'))
  expect(await rows(`insert into a (id, code) values (7, 'sev') returning id, code`)).toEqual([[7, 'sev']])
  await rows('delete from a where id = 7')
  const right = [
    `update a set id = id + 1`,
    `update a set id = 5 - id, code = code || '1'`,
    `update a set n = 7 where id = 3`,
    `insert into a values (10, null, '2026-01-01', null), (11, null, '2026-01-01', null)`,
    `insert into a (id, n) values (10, 0) on conflict (id) do update set n = 5`,
    `delete from a where id = 10`,
    `insert into a (id) values (10)`,
    `truncate a`,
    `insert into a (id) values (10)`,
  ]
  for (const sql of right) expect(await failureOf(sql), sql).toBeUndefined()
})

test.each([
  ['interval', `'1 day'`],
  ['bit', `'101'`],
  ['json', `'{"a": 1}'`],
  ['hugeint', '5'],
  ['float[2]', '[1, 2]'],
  ['uuid', `'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'`],
  ['blob', `'ab'`],
  ['timestamptz', `'2026-01-01 00:00:00+02'`],
  ['time', `'01:02:03'`],
  ['char(3)', `'a'`],
  ['double', `'nan'`],
  ['decimal(38, 10)', '1.5'],
  ['boolean', 'true'],
  ['int[]', '[1, 2]'],
  ['struct(a int)', `{'a': 1}`],
])('a key may be of the type %s', async (type, value) => {
  const table = `of_${type.replace(/\W+/g, '_')}`
  await rows(`create table ${table} (k ${type} unique, n int)`)
  await rows(`insert into ${table} values (${value}, 1), (null, 2), (null, 3)`)
  const failure = await failureOf(`insert into ${table} values (${value}, 4)`)
  expect(failure).toMatchObject({ context: { sqlState: '23505' } })
  expect(await failureOf(`insert into ${table} values (null, 4)`)).toBeUndefined()
})

test('a transaction sees its own rows, and two at once do not both write a key', async () => {
  await rows('create table shared (id int primary key, by int)')
  await rows('begin')
  await rows('insert into shared values (1, 0)')
  expect(await failureOf('insert into shared values (1, 1)')).toMatchObject(twice('shared_pkey', '(id)=(1)'))
  await rows('rollback')
  const others = Array.from({ length: 4 }, () => openSession(world.lake, world.asking({ namespace: 'raw' })))
  const written = await Promise.all(
    others.map(async (other, by) => {
      const all: (string | undefined)[] = []
      for (let id = 0; id < 6; id++)
        all.push(
          await other.query(`insert into shared values (${id}, ${by})`).then(
            () => undefined,
            ({ message }: Error) => message,
          ),
        )
      return all
    }),
  )
  for (let id = 0; id < 6; id++) expect(written.filter((all) => all[id] === undefined)).toHaveLength(1)
  const told = written.flat().filter((message) => message !== undefined)
  expect(new Set(told)).toEqual(new Set(['duplicate key value violates unique constraint "shared_pkey"']))
  expect(await rows('select count(*), count(distinct id) from shared')).toEqual([[6, 6]])
  // Of transactions the later one is told at its commit.
  const [one, two] = others as [Session, Session]
  for (const each of [one, two]) await each.query('begin')
  for (const each of [one, two]) await each.query('insert into shared values (100, 0)')
  await one.query('commit')
  await expect(two.query('commit')).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' })
  await Promise.all(others.map((each) => each.close()))
})

test.each([
  ['unique (id)', 'insert into late values (1, 1), (1, 2)'],
  ['primary key (id)', 'update late set id = 1'],
  [
    'primary key (id)',
    'merge into late using (select 0 as id) s on late.id = s.id when matched then update set id = 8',
  ],
  ['check (id < 8)', 'insert into late values (8, 8)'],
])('what was written before %s came is not put under it: %s', async (rule, write) => {
  await rows('create or replace table late (id int, n int)')
  await rows('insert into late values (0, 0), (2, 2)')
  const other = openSession(world.lake, world.asking({ namespace: 'raw' }))
  await other.query('begin')
  await other.query(write)
  await rows(`alter table late add ${rule}`)
  await expect(other.query('commit')).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' })
  await other.close()
  expect(await rows('select * from late order by id')).toEqual([
    [0, 0],
    [2, 2],
  ])
})

test.each(['come', 'gone', 'there', 'held', 'given', 'ranked'])(
  'a column may be called %s and have fields as the columns are called',
  async (name) => {
    const table = `has_${name}`
    await rows(`create table ${table} (${name} struct(id int, code int), id int primary key, code int unique)`)
    await rows(`insert into ${table} values ({id: 7, code: 7}, 1, 1), ({id: 1, code: 3}, 2, 2)`)
    expect(await failureOf(`insert into ${table} values ({id: 7, code: 7}, 3, 1)`)).toMatchObject(
      twice(`${table}_code_key`, '(code)=(1)'),
    )
    expect(await failureOf(`update ${table} set code = 1 where id = 2`)).toMatchObject(
      twice(`${table}_code_key`, '(code)=(1)'),
    )
    await rows(`update ${table} set id = id + 1, code = 5 - code`)
    const added = `({id: 9, code: 9}, 2, 0), ({id: 9, code: 9}, 0, 4), ({id: 2, code: 4}, 4, 9)`
    expect(await rows(`insert into ${table} values ${added} on conflict do nothing returning id`)).toEqual([[4]])
  },
)

test.each([
  ['interval', `'1 day'`],
  ['bit', `'101'`],
  ['json', `'{"a": 1}'`],
  ['hugeint', '5'],
])('rows are found by a key of the type %s', async (type, value) => {
  const table = `by_${type}`
  await rows(`create table ${table} (k ${type} primary key, n int)`)
  const insert = `insert into ${table} values (${value}, 1) on conflict (k)`
  await rows(`${insert} do update set n = 1`)
  await rows(`${insert} do update set n = 2`)
  await rows(`${insert} do nothing`)
  await rows(
    `merge into ${table} t using (select k as other from ${table}) s on t.k = s.other when matched then update set n = n + 1`,
  )
  expect(await rows(`select n from ${table}`)).toEqual([[3]])
})

describe('a key that is added, taken away, or of a column that becomes another', () => {
  test('is held from then on, if the rows that are there meet it', async () => {
    await rows('create table later (id int, code varchar)')
    await rows(`insert into later values (1, 'a'), (1, 'b')`)
    expect(await failureOf('alter table later add primary key (id)')).toMatchObject({
      message: 'could not create unique index "later_pkey"',
      context: { sqlState: '23505', detail: 'Key (id)=(1) is duplicated.' },
    })
    expect(await failureOf('alter table later add unique (id)')).toMatchObject({ context: { sqlState: '23505' } })
    expect(await failureOf('alter table later add column more int default 1 unique')).toMatchObject({
      context: { sqlState: '23505' },
    })
    await rows(`alter table later add primary key (id, code), add constraint own unique (code)`)
    expect(await failureOf(`insert into later values (2, 'a')`)).toMatchObject(twice('own', '(code)=(a)'))
    await rows(`insert into later values (1, 'c')`)
    expect(await failureOf('alter table later add primary key (id)')).toMatchObject({ context: { sqlState: '23505' } })
    await rows(`delete from later where code = 'c'`)
    await rows('alter table later rename constraint own to renamed')
    await rows('alter table later rename column code to name')
    expect(await failureOf(`insert into later values (2, 'a')`)).toMatchObject(twice('renamed', '(name)=(a)'))
    await rows('alter table later drop constraint renamed')
    await rows(`insert into later values (2, 'a')`)
    expect(await failureOf(`insert into later values (2, 'a')`)).toMatchObject(twice('later_pkey', '(id, name)=(2, a)'))
    await rows('alter table later drop constraint later_pkey')
    await rows(`insert into later values (2, 'a')`)
  })

  test('identifier fields that were others meanwhile are a promise', async () => {
    await rows('create table moved (id int primary key, code int not null)')
    await rows('insert into moved values (1, 1)')
    await rows('alter table moved set identifier fields id')
    expect(await failureOf('insert into moved values (1, 2)')).toMatchObject(twice('moved_pkey', '(id)=(1)'))
    await rows('alter table moved set identifier fields code')
    await rows('insert into moved values (1, 2)')
    await rows('alter table moved set identifier fields id')
    await rows('insert into moved values (2, 2), (2, 3)')
    const [[text]] = (await rows('show create table moved')) as [[string]]
    expect(text).toContain('PRIMARY KEY ("id") NOT ENFORCED')
  })

  test('nor are those that a snapshot from before them took away', async () => {
    await rows('create table returned (id int, n int)')
    await rows('insert into returned values (1, 1)')
    const [[before]] = (await rows(
      'select current_snapshot from (select max(snapshot_id) as current_snapshot from "returned$snapshots")',
    )) as [[bigint]]
    await rows('alter table returned add primary key (id)')
    await rows('insert into returned values (2, 2)')
    await rows(`call rollback_to_snapshot('raw.returned', ${before})`)
    await rows('insert into returned values (1, 3)')
    await rows('alter table returned alter column id set not null')
    await rows('alter table returned set identifier fields id')
    await rows('insert into returned values (4, 1)')
    expect(await rows('select count(*) from returned')).toEqual([[3]])
    const [[text]] = (await rows('show create table returned')) as [[string]]
    expect(text).toContain('PRIMARY KEY ("id") NOT ENFORCED')
  })

  test('a constraint that is not there is not dropped or renamed, and takes no name that another has', async () => {
    await rows('create table few (id int, a int constraint one unique, b int constraint two unique, check (a > b))')
    const none = (name: string) => ({
      message: `constraint "${name}" of relation "few" does not exist`,
      context: { sqlState: '42704' },
    })
    expect(await failureOf('alter table few drop constraint no')).toMatchObject(none('no'))
    expect(await failureOf('alter table few rename constraint no to yes')).toMatchObject(none('no'))
    for (const name of ['two', 'TWO', 'few_check'])
      expect(await failureOf(`alter table few rename constraint one to ${name}`)).toMatchObject({
        code: 'ALREADY_EXISTS',
        context: { sqlState: '42710' },
      })
    await rows('alter table few drop constraint if exists no, rename constraint one to "One"')
    await rows('insert into few values (1, 3, 2)')
    expect(await failureOf('insert into few values (2, 3, 1)')).toMatchObject(twice('One', '(a)=(3)'))
    expect(await failureOf('insert into few values (2, 4, 2)')).toMatchObject(twice('two', '(b)=(2)'))
  })

  test('NOT ENFORCED is a promise, as before', async () => {
    await rows('create table promised (id int primary key not enforced, code int unique not enforced)')
    await rows('insert into promised values (1, 1), (1, 1)')
    expect(await rows('select count(*) from promised')).toEqual([[2]])
  })

  test('a promise may become a key, and a key a promise', async () => {
    await rows(
      'create table turned (id int primary key not enforced, code int, constraint c unique (code) not enforced)',
    )
    await rows('insert into turned values (1, 1), (1, 2)')
    expect(await failureOf('alter table turned alter constraint turned_pkey enforced')).toMatchObject({
      context: { sqlState: '23505' },
    })
    await rows('alter table turned alter constraint C enforced')
    expect(await failureOf('insert into turned values (3, 1)')).toMatchObject(twice('c', '(code)=(1)'))
    await rows('delete from turned where code = 2')
    await rows('alter table turned alter constraint turned_pkey enforced')
    expect(await failureOf('insert into turned values (1, 3)')).toMatchObject(twice('turned_pkey', '(id)=(1)'))
    await rows('alter table turned alter constraint turned_pkey not enforced, alter constraint c not enforced')
    await rows('insert into turned values (1, 1)')
    expect(await failureOf('alter table turned alter constraint nowhere enforced')).toMatchObject({ code: 'NOT_FOUND' })
  })

  test('a column that gets another type keeps its key', async () => {
    await rows('create table typed (id decimal(4, 1) primary key, code double unique)')
    await rows('insert into typed values (1.2, 1.2), (2.4, 2.4)')
    await rows('alter table typed alter column id type varchar')
    expect(await failureOf(`insert into typed values ('1.2', 5)`)).toMatchObject(twice('typed_pkey', '(id)=(1.2)'))
    await rows('insert into typed values (3, 1.4)')
    expect(await failureOf('alter table typed alter column code type int')).toMatchObject({
      context: { sqlState: '23505', detail: 'Key (code)=(1) is duplicated.' },
    })
    await rows('delete from typed where code = 1.4')
    await rows('alter table typed alter column code type int')
    expect(await failureOf('insert into typed values (4, 2)')).toMatchObject(twice('typed_code_key', '(code)=(2)'))
  })

  test('it is shown, and a table that is like another has it', async () => {
    await rows('create table shown (id int constraint own primary key, a int unique, b int unique not enforced)')
    const [[text]] = (await rows('show create table shown')) as [[string]]
    expect(text).toContain('CONSTRAINT "own" PRIMARY KEY ("id"),')
    expect(text).toContain('UNIQUE ("a"),')
    expect(text).toContain('UNIQUE ("b") NOT ENFORCED')
    await rows('create table alike (like shown including all)')
    await rows('insert into alike values (1, 1, 1), (2, 2, 1)')
    expect(await failureOf('insert into alike values (1, 3, 3)')).toMatchObject(twice('alike_pkey', '(id)=(1)'))
    expect(await failureOf('insert into alike values (3, 1, 3)')).toMatchObject(twice('alike_a_key', '(a)=(1)'))
    // A table that is made anew has none of it.
    await rows('create or replace table alike as select 1 as id, 2 as a union all select 1, 2')
    await rows('insert into alike values (1, 2)')
    await rows('create temp table own (id int primary key)')
    await rows('insert into own values (1)')
    expect(await failureOf('insert into own values (1)')).toMatchObject(twice('own_pkey', '(id)=(1)'))
    expect(await failureOf('insert overwrite shown values (1, 1, 1)')).toMatchObject({ code: 'SQL_UNSUPPORTED' })
  })
})

test('who does not see all rows learns nothing by a key', async () => {
  await rows('create table secret (id int primary key, owner varchar, n int)')
  await rows(`insert into secret values (1, 'ann', 0), (2, 'bob', 0)`)
  const bob = await world.member('bob')
  await rows('grant insert, update on secret to user bob')
  const as = (sql: string) =>
    world.lake.query(sql, world.asking({ namespace: 'raw', principal: bob })).then(
      () => 'done',
      (error: Failure) => `${error.code}: ${error.message}`,
    )
  const [taken, free] = [
    await as('insert into secret values (1, null, 0)'),
    await as('insert into secret values (9, null, 0)'),
  ]
  expect(taken).toMatch(/^FORBIDDEN/)
  expect(free).toBe(taken)
  await rows(`grant select on secret to user bob where owner = 'bob'`).catch(() => {})
  expect(await as('insert into secret values (1, null, 0)')).toBe(await as('insert into secret values (9, null, 0)'))
  expect(await as('update secret set id = 1 where id = 2')).toBe(await as('update secret set id = 9 where id = 2'))
})

test('rows that are like others by any of several keys are left out, one after the other', async () => {
  await rows('create table several (id int primary key, code varchar unique, n int)')
  await rows(`insert into several values (1, 'a', 0)`)
  const added = `insert into several values (1, 'b', 1), (2, 'a', 1), (2, 'b', 2), (3, 'b', 3), (4, null, 4), (2, null, 5), (5, null, 6)`
  expect(await rows(`${added} on conflict do nothing returning n`)).toEqual([[2], [4], [6]])
  await rows(added.replace('insert', 'insert or ignore'))
  expect(await rows('select * from several order by id')).toEqual([
    [1, 'a', 0],
    [2, 'b', 2],
    [4, null, 4],
    [5, null, 6],
  ])
  // The second is left out for the first, so the third is like none.
  const chain = `insert into several values (10, 'x', 0), (10, 'y', 0), (11, 'y', 0) on conflict do nothing`
  expect((await failureOf(chain))?.message).toContain('like each other by several keys')
})

const runs = process.env['SOAK'] ? Number(process.env['SOAK_CASES'] ?? 200) : 4
test(
  'random statements: what a key forbids is refused, and nothing else',
  async () => {
    const small = fc.integer({ min: 0, max: 9 })
    const nullable = fc.option(fc.integer({ min: 0, max: 5 }), { nil: null })
    const row = fc.tuple(small, nullable)
    type Row = [id: number, code: number | null]
    type Op =
      | { kind: 'insert'; rows: Row[] }
      | { kind: 'move'; by: number; from: number }
      | { kind: 'code'; to: number | null; from: number }
      | { kind: 'delete'; from: number }
      | { kind: 'merge'; rows: Row[] }
    const some = fc.uniqueArray(row, { minLength: 1, maxLength: 4, selector: ([id]) => id })
    const op: fc.Arbitrary<Op> = fc.oneof(
      fc.record({ kind: fc.constant('insert' as const), rows: fc.array(row, { minLength: 1, maxLength: 3 }) }),
      fc.record({ kind: fc.constant('move' as const), by: fc.integer({ min: -2, max: 2 }), from: small }),
      fc.record({ kind: fc.constant('code' as const), to: nullable, from: small }),
      fc.record({ kind: fc.constant('delete' as const), from: small }),
      fc.record({ kind: fc.constant('merge' as const), rows: some }),
    )
    const valuesOf = (all: Row[]) => all.map(([id, code]) => `(${id}, ${code ?? 'null'})`).join(', ')
    const sqlOf = (one: Op, table: string): string => {
      switch (one.kind) {
        case 'insert':
          return `insert into ${table} values ${valuesOf(one.rows)}`
        case 'move':
          return `update ${table} set id = id + ${one.by} where id >= ${one.from}`
        case 'code':
          return `update ${table} set code = ${one.to ?? 'null'} where id >= ${one.from}`
        case 'delete':
          return `delete from ${table} where id >= ${one.from}`
        case 'merge':
          return `merge into ${table} t using (values ${valuesOf(one.rows)}) s(id, code) on t.id = s.id when matched then update set code = s.code when not matched then insert values (s.id, s.code)`
      }
    }
    const after = (all: Row[], one: Op): Row[] => {
      switch (one.kind) {
        case 'insert':
          return [...all, ...one.rows]
        case 'move':
          return all.map(([id, code]) => [id >= one.from ? id + one.by : id, code])
        case 'code':
          return all.map(([id, code]) => [id, id >= one.from ? one.to : code])
        case 'delete':
          return all.filter(([id]) => id < one.from)
        case 'merge':
          return [...new Map([...all, ...one.rows])]
      }
    }
    const isHeld = (all: Row[]) => {
      const codes = all.flatMap(([, code]) => (code === null ? [] : [code]))
      return new Set(all.map(([id]) => id)).size === all.length && new Set(codes).size === codes.length
    }
    let count = 0
    await fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 4, maxLength: 10 }), fc.boolean(), async (ops, isCopied) => {
        const table = `random_${count++}`
        const mode = isCopied ? 'copy-on-write' : 'merge-on-read'
        const modes = ['update', 'merge', 'delete'].map((one) => `'write.${one}.mode' = '${mode}'`)
        await rows(`create table ${table} (id int primary key, code int unique) with (${modes.join(', ')})`)
        let model: Row[] = []
        for (const one of ops) {
          const next = after(model, one)
          const failure = await failureOf(sqlOf(one, table))
          expect(failure?.context['sqlState']).toBe(isHeld(next) ? undefined : '23505')
          if (isHeld(next)) model = next
          const found = await rows(`select id, code from ${table} order by id`)
          expect(found).toEqual(model.toSorted(([a], [b]) => a - b))
        }
      }),
      { numRuns: runs, ...(process.env['SOAK'] ? {} : { seed: 5 }) },
    )
  },
  runs * 60_000,
)
