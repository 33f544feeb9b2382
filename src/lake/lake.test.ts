import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LoadedTable } from '../catalog/index.ts'
import type { ChangeSet } from './write/change-set.ts'
import { collect } from './lake.ts'
import { openWorld } from './world.ts'

let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
  await world.rows(`create table raw.sales as
    select i::int as id, 'CUST-' || (i % 3) as customer, (i * 1.5)::decimal(12,2) as amount, date '2024-01-01' + i::int as day
    from range(10) t(i)`)
})
afterAll(() => world.close())

describe('reading', () => {
  test.each([
    ['select count(*) from raw.sales', [[10]]],
    ['select id, amount, day from raw.sales where id = 3', [[3, '4.50', '2024-01-04']]],
    ['from raw.sales select max(id)', [[9]]],
    ['select sales.id from raw.sales where sales.id < 1', [[0]]],
    ['select raw.sales.id from raw.sales where raw.sales.id < 1', [[0]]],
    ['select s.id from raw.sales as s where s.id < 1', [[0]]],
    ['select count(*) from raw.sales a join raw.sales b on a.id = b.id + 1', [[9]]],
    ['with sales as (select * from raw.sales where id > 7) select count(*) from sales', [[2]]],
    ['select l.list_filter(lambda x: x > 1).len() from (select [1, 2, 3] as l)', [[2]]],
    ['with recursive n(i) as (select 1 union all select i + 1 from n where i < 3) select sum(i) from n', [['6']]],
    [
      'with recursive n(i, x) using key (i) as (select 1, 3 union select i + 1, (select max(x) from recurring.n) + 1 from n where i < 3) select sum(x) from n',
      [['12']],
    ],
    ['select count(*) from dev_analytics.raw.sales', [[10]]],
    ['select (select count(*) from RAW.Sales)', [[10]]],
    ['select count(*) from raw.sales -- a comment', [[10]]],
    ['/* é€😀 */ select count(*) from raw.sales;', [[10]]],
    ['select \'raw.sales\', "id" from raw.sales where id = 0', [['raw.sales', 0]]],
    ['table raw.sales limit 1', [[0, 'CUST-0', '0.00', '2024-01-01']]],
    ['select * from (values (1), (2)) v(x)', [[1], [2]]],
    ['select * from range(2)', [[0], [1]]],
    ['select table_name from information_schema.tables', [['sales']]],
    [
      "select column_name, data_type from information_schema.columns where table_name = 'sales' and ordinal_position = 3",
      [['amount', 'DECIMAL(12,2)']],
    ],
    ['show tables', [['raw', 'sales', 'BASE TABLE']]],
    [
      'select customer, count(*) from raw.sales group by all order by 1',
      [
        ['CUST-0', 4],
        ['CUST-1', 3],
        ['CUST-2', 3],
      ],
    ],
    ['from raw.sales select id qualify row_number() over (order by id desc) = 1', [[9]]],
    ["select count(*) from raw.sales where day >= date '2024-01-08'", [[3]]],
    ['select sum(amount) from raw.sales tablesample 100%', [['67.50']]],
  ])('%s', async (sql, rows) => expect(await world.rows(sql)).toEqual(rows))

  // As generated keys of wide tables and hashes of rows are written.
  test('an expression may have a hundred parts and more, and too many are told', async () => {
    const joined = (count: number) =>
      `select length(${Array.from({ length: count }, () => "coalesce(cast(id as varchar), '') || '-'").join(' || ')}) from raw.sales limit 1`
    expect(await world.rows(joined(100))).toHaveLength(1)
    await expect(world.rows(joined(200))).rejects.toMatchObject({
      code: 'QUERY_TOO_LARGE',
      message: 'an expression is nested deeper than 250 levels',
    })
  })

  test('describe gives the columns', async () => {
    expect((await world.rows('describe raw.sales')).map((row) => row.slice(0, 2))).toEqual([
      ['id', 'INTEGER'],
      ['customer', 'VARCHAR'],
      ['amount', 'DECIMAL(12,2)'],
      ['day', 'DATE'],
    ])
    expect((await world.rows('summarize raw.sales')).length).toBe(4)
  })

  test('names its sources and the snapshot it read', async () => {
    const result = await world.query('select 1 from raw.sales')
    await collect(result)
    expect(result.provenance.tables).toEqual([
      {
        table: 'dev_analytics.raw.sales',
        snapshotId: expect.stringMatching(/^\d+$/),
        schemaId: 0,
        committedAt: expect.any(String),
      },
    ])
  })

  test.each([
    ['select nope from raw.sales', 'SQL_INVALID', 1, 8, 'nope'],
    ['select id\nfrom raw.sales\nwhere nope = 1', 'SQL_INVALID', 3, 7, 'nope'],
    ["select 'é€😀', nope from raw.sales", 'SQL_INVALID', 1, 16, 'nope'],
    ['select id from raw.sale', 'TABLE_NOT_FOUND', 1, 16, 'did you mean raw.sales'],
    ['select id from stuff.sales', 'TABLE_NOT_FOUND', 1, 16, 'raw.sales'],
    ['select id from sales', 'TABLE_NOT_FOUND', 1, 16, 'without a namespace'],
    ['selec id from raw.sales', 'SQL_INVALID', 1, 1, 'selec'],
    ['select id from raw.sales where', 'SQL_INVALID', 1, undefined, 'syntax error'],
    ['select nofun(id) from raw.sales', 'SQL_REFUSED', undefined, undefined, 'nofun'],
    ['select 1; select 2', 'SQL_UNSUPPORTED', 1, 11, 'one statement'],
    ['', 'SQL_INVALID', undefined, undefined, 'no statement'],
    ['vacuum raw.sales', 'SQL_UNSUPPORTED', 1, 1, 'VACUUM'],
    ["select cast('x' as int)", 'QUERY_FAILED', undefined, undefined, 'x'],
    ["select * from raw.sales at (version => 'x')", 'NOT_FOUND', 1, 15, 'no branch or tag "x"'],
    ['select t.table_name from duckdb_tables() as t,\n raw.sale', 'TABLE_NOT_FOUND', 2, 2, 'did you mean raw.sales'],
    ['select * from raw.sales at (version => 5)', 'NOT_FOUND', 1, 15, 'raw.sales'],
  ])('%s fails with its place', async (sql, code, line, column, words) => {
    const failure = await world.rows(sql).then(
      () => undefined,
      (error: unknown) => error as { place?: unknown; message: string; code: string },
    )
    expect(failure).toMatchObject({ code, message: expect.stringContaining(words) })
    if (line !== undefined) expect(failure?.place).toMatchObject({ line, ...(column === undefined ? {} : { column }) })
  })

  test('who asks for a sequence is told what numbers rows', async () => {
    await expect(world.rows("select nextval('s')")).rejects.toMatchObject({
      code: 'SQL_REFUSED',
      hint: expect.stringContaining('as identity'),
    })
  })

  test('a bind says the columns without running', async () => {
    expect(
      await world.lake.bind('select id + 1 as next, sum(amount) as total from raw.sales group by all', world.asking()),
    ).toEqual([
      { name: 'next', type: 'INTEGER', nullable: true },
      { name: 'total', type: 'DECIMAL(38,2)', nullable: true },
    ])
  })
})

describe('the wall', () => {
  test.each([
    "from read_csv('/etc/passwd')",
    "select * from '/etc/passwd'",
    "from read_text('/etc/hostname')",
    "from 'x.parquet'",
    "from glob('*')",
    "select getenv('HOME')",
    "select current_setting('temp_directory')",
    'from duckdb_settings()',
    'from duckdb_indexes()',
    'from pragma_database_list',
    'from sqlite_master',
    "from query('select 1')",
    "from query_table('raw.sales')",
    "select * from enable_logging('QueryLog')",
    "select nextval('s')",
    "select write_log('x')",
    'select sleep_ms(100)',
    "select system.main.read_text('/etc/passwd')",
    "select json_execute_serialized_sql('x')",
    "copy (select 1) to '/tmp/x.csv'",
    "attach ':memory:' as x",
    "set memory_limit = '1TB'",
    'pragma version',
    'install httpfs',
    'create macro upper(x) as 1',
    "export database '/tmp/x'",
    'select * from memory.main.t',
    'prepare q as select 1',
    'call pragma_version()',
    "select * from parquet_metadata('x')",
    "explain select * from read_csv('/etc/passwd')",
    'select 1e400',
  ])('refuses %s', async (sql) => {
    await expect(world.rows(sql)).rejects.toMatchObject({
      code: expect.stringMatching(/SQL_REFUSED|SQL_UNSUPPORTED|SQL_INVALID|TABLE_NOT_FOUND/),
    })
  })

  test('a reader cannot write, and is told so', async () => {
    for (const sql of [
      'create table raw.x as select 1 as a',
      'insert into raw.sales select * from raw.sales',
      'drop table raw.sales',
      'create view raw.v as select 1 as a',
      'create schema s',
    ])
      await expect(world.rows(sql, { principal: world.reader })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(await world.rows('select count(*) from raw.sales', { principal: world.reader })).toEqual([[10]])
  })

  test('a protected environment is written only when somebody named it', async () => {
    const sql = 'create table raw.p as select 1 as a'
    await expect(world.rows(sql, { catalog: 'prod_analytics' })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(await world.rows(sql, { catalog: 'prod_analytics', environmentNamed: true })).toEqual([[1]])
    expect(await world.rows('select * from prod_analytics.raw.p')).toEqual([[1]])
  })

  test('no message shows where files lie', async () => {
    const failure = (await world.rows('select error(customer) from raw.sales').catch((error: Error) => error)) as Error
    expect(failure.message).not.toContain(world.dir)
  })
})

describe('writing', () => {
  test('replace keeps the table, its history and its field ids', async () => {
    await world.rows('create table raw.t as select 1 as a, 2 as b')
    const before = (await world.tables.load({ catalog: 'dev_analytics', namespace: 'raw', name: 't' }))!
    await world.rows("create or replace table raw.t as select 'x' as c, 5 as a")
    const after = (await world.tables.load({ catalog: 'dev_analytics', namespace: 'raw', name: 't' }))!
    if (before.kind !== 'table' || after.kind !== 'table') throw new Error('tables expected')
    expect(after.metadata.tableUuid).toBe(before.metadata.tableUuid)
    expect(after.metadata.snapshots.length).toBe(2)
    expect(await world.rows('from raw.t')).toEqual([['x', 5]])
    const first = before.metadata.currentSnapshotId
    expect(await world.rows(`from raw.t at (version => ${first})`)).toEqual([[1, 2]])
    expect(await world.rows('from raw.t', { asOf: String(first) })).toEqual([[1, 2]])
    const fieldIds = after.metadata.schemas
      .find(({ schemaId }) => schemaId === after.metadata.currentSchemaId)!
      .fields.map(({ name, id }) => [name, id])
    expect(fieldIds).toEqual([
      ['c', 3],
      ['a', 1],
    ])
  })

  test('time travel by timestamp', async () => {
    await world.rows('create table raw.tt as select 1 as a')
    await new Promise((resolve) => setTimeout(resolve, 20))
    const between = new Date().toISOString()
    await new Promise((resolve) => setTimeout(resolve, 20))
    await world.rows('insert into raw.tt select 2')
    expect(await world.rows('select count(*) from raw.tt')).toEqual([[2]])
    expect(await world.rows(`select count(*) from raw.tt at (timestamp => timestamptz '${between}')`)).toEqual([[1]])
    expect(await world.rows('select count(*) from raw.tt', { asOf: between })).toEqual([[1]])
  })

  test('insert by position, by columns and by name', async () => {
    await world.rows("create table raw.i as select 1::bigint as a, 'x' as b")
    expect(await world.rows("insert into raw.i values (2, 'y')")).toEqual([[1]])
    await world.rows("insert into raw.i (b) values ('z')")
    await world.rows("insert into raw.i by name select 'w' as b, 3 as a")
    expect(await world.rows('from raw.i order by b')).toEqual([
      [3, 'w'],
      [1, 'x'],
      [2, 'y'],
      [null, 'z'],
    ])
    await expect(world.rows('insert into raw.i by name select 1 as nope')).rejects.toMatchObject({
      code: 'SQL_INVALID',
      message: expect.stringContaining('nope'),
    })
  })

  test('create, replace and if not exists mean what they say', async () => {
    await world.rows('create table raw.c as select 1 as a')
    await expect(world.rows('create table raw.c as select 2 as a')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    expect(await world.rows('create table if not exists raw.c as select 2 as a')).toEqual([[0]])
    expect(await world.rows('from raw.c')).toEqual([[1]])
    await world.rows('drop table raw.c')
    await expect(world.rows('from raw.c')).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
    expect(await world.rows('drop table if exists raw.c')).toEqual([[0]])
  })

  test('views read through, nest, and name a circle', async () => {
    await world.rows('create view raw.v1 as select id, amount from raw.sales where id < 5')
    await world.rows('create view raw.v2 as select sum(amount) as total from raw.v1')
    expect(await world.rows('from raw.v2')).toEqual([['15.00']])
    const result = await world.query('from raw.v2')
    await collect(result)
    expect(result.provenance.views).toEqual([
      { view: 'dev_analytics.raw.v2', versionId: 1 },
      { view: 'dev_analytics.raw.v1', versionId: 1 },
    ])
    await world.rows('create or replace view raw.v1 as select 1 as id, 2.5 as amount')
    expect(await world.rows('from raw.v2')).toEqual([['2.5']])
    await world.rows('create or replace view raw.v3 as select * from raw.v2')
    await world.rows('create or replace view raw.v1 as select 1 as id, total as amount from raw.v3')
    await expect(world.rows('from raw.v3')).rejects.toMatchObject({
      code: 'SQL_INVALID',
      message: expect.stringContaining('reads itself'),
    })
  })

  test.each([
    ['1::hugeint', 'HUGEINT', '1'],
    ['sum(1::int)', 'HUGEINT', '1'],
    ['18446744073709551615::ubigint', 'HUGEINT', '18446744073709551615'],
    ['[1::hugeint]', 'DECIMAL(38,0)[]', ['1']],
    ["'0101'::bit", 'BIT', '0101'],
    ['[1, 2.5]::float[2]', 'FLOAT[2]', [1, 2.5]],
    ['[1, 2]::smallint[2]', 'INTEGER[]', [1, 2]],
    ['[[1, 2]]::integer[2][]', 'INTEGER[][]', [[1, 2]]],
    ['1::utinyint', 'INTEGER', 1],
    ["'a'::enum('a')", 'VARCHAR', 'a'],
    ['null', 'INTEGER', null],
    ["timestamptz '2024-01-01 00:00:00+02'", 'TIMESTAMP WITH TIME ZONE', '2023-12-31T22:00:00Z'],
    ["{'x': 1, 'y': ['a']}", 'STRUCT("x" INTEGER, "y" VARCHAR[])', { x: 1, y: ['a'] }],
    ["map {'k': 1.5}", 'MAP(VARCHAR, DECIMAL(2,1))', [{ key: 'k', value: '1.5' }]],
    ["time '12:00:00'", 'TIME', '12:00:00'],
    ["'ab'::blob", 'BLOB', 'YWI='],
    ["'4c1aa0ea-3cb2-4e0c-a4a8-6a1ab2a3a5b1'::uuid", 'UUID', '4c1aa0ea-3cb2-4e0c-a4a8-6a1ab2a3a5b1'],
  ])('%s is read as %s', async (expression, type, value) => {
    await world.rows(`create or replace table raw.types as select ${expression} as v`)
    const { columns, rows } = await collect(await world.query('from raw.types'))
    expect([columns[0]!.type, rows]).toEqual([type, [[value]]])
  })

  test('an array has the length that its column was declared with', async () => {
    await world.rows("create table raw.embedded (id int, place float[3], tags varchar[2] default ['a', 'b'])")
    await world.rows("insert into raw.embedded (id, place) values (1, [1, 2, 3]), (2, '[3, 2, 1]'), (3, null)")
    const near = 'select id, tags from raw.embedded order by array_distance(place, [3, 2, 2]::float[3]) limit 2'
    expect(await world.rows(near)).toEqual([
      [2, ['a', 'b']],
      [1, ['a', 'b']],
    ])
    const short = { code: 'QUERY_FAILED', message: expect.stringContaining('length 2') }
    await expect(world.rows('insert into raw.embedded values (4, [1, 2], null)')).rejects.toMatchObject(short)
    await expect(world.rows('update raw.embedded set place = [1, 2] where id = 1')).rejects.toMatchObject(short)
    await expect(world.rows('alter table raw.embedded alter column place type float[2]')).rejects.toMatchObject(short)
    await world.rows('alter table raw.embedded alter column place type double[3]')
    await world.rows('create view raw.places as select place, id from raw.embedded')
    expect(await world.rows('select typeof(place), place from raw.places where id = 1')).toEqual([
      ['DOUBLE[3]', [1, 2, 3]],
    ])
    await world.rows('alter table raw.embedded alter column place type double[]')
    await world.rows('insert into raw.embedded values (4, [1, 2], null)')
    expect(await world.rows('select len(place) from raw.embedded where id > 2 order by id')).toEqual([[null], [2]])
  })

  test('a type that a table cannot hold is refused with the column', async () => {
    await expect(
      world.rows("create table raw.bad as select time with time zone '12:00+01' as gap"),
    ).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('gap'),
    })
  })

  test('an error inside a written statement has its place in the whole text', async () => {
    await expect(world.rows('create table raw.z as\nselect id,\n nope from raw.sales')).rejects.toMatchObject({
      code: 'SQL_INVALID',
      place: { line: 3, column: 2 },
    })
    await expect(world.rows('from raw.z')).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
  })

  test('an empty table keeps its columns', async () => {
    await world.rows('create table raw.empty as select * from raw.sales where false')
    expect(await world.rows('select count(*) from raw.empty')).toEqual([[0]])
    expect((await collect(await world.query('from raw.empty'))).columns.map(({ type }) => type)).toEqual([
      'INTEGER',
      'VARCHAR',
      'DECIMAL(12,2)',
      'DATE',
    ])
  })
})

describe('change sets', () => {
  const name = (table: string) => ({ catalog: 'dev_analytics', namespace: 'raw', name: table })

  test('nobody sees them but who passes them; publish shows all at once; rollback restores', async () => {
    await world.rows('create table raw.one as select 1 as a')
    const changes = await world.lake.openChanges({ catalog: 'dev_analytics', principal: world.admin })
    await changes.replaceTable(name('one'), 'select 10 as a')
    await changes.replaceTable(name('two'), 'select a + 1 as a from raw.one')
    await changes.createView(name('three'), 'select a from raw.two')
    expect(await world.rows('from raw.one')).toEqual([[1]])
    await expect(world.rows('from raw.two')).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
    expect(await world.rows('from raw.three', { changes })).toEqual([[11]])
    const publication = await changes.publish()
    expect(publication.tables.map(({ table, action }) => `${table.split('.')[2]} ${action}`)).toEqual([
      'one replace',
      'three create',
      'two create',
    ])
    expect(await world.rows('from raw.three')).toEqual([[11]])
    expect(await changes.publish()).toEqual(publication)
    await world.publications.rollback(publication.id, 'ana')
    expect(await world.rows('from raw.one')).toEqual([[1]])
    await expect(world.rows('from raw.two')).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
    await expect(world.publications.rollback(publication.id, 'ana')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
  })

  test('a replace loses against another writer, who is named; nothing is half published', async () => {
    await world.rows('create table raw.race as select 1 as a')
    const changes = await world.lake.openChanges({ catalog: 'dev_analytics', principal: world.admin })
    await changes.replaceTable(name('fresh'), 'select 1 as a')
    await changes.replaceTable(name('race'), 'select 2 as a')
    await world.rows('insert into raw.race select 3')
    await expect(changes.publish()).rejects.toMatchObject({
      code: 'COMMIT_CONFLICT',
      message: expect.stringContaining('by ana'),
    })
    await expect(world.rows('from raw.fresh')).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
    expect(await world.rows('from raw.race order by a')).toEqual([[1], [3]])
  })

  test.each([
    ['dropped', (changes: ChangeSet) => changes.drop(name('contended'))],
    ['made a view', (changes: ChangeSet) => changes.createView(name('contended'), 'select 1 as a')],
  ])('what was written and then %s is not written again when another writer was faster', async (_, then) => {
    await world.rows('create or replace table raw.contended as select 1 as a')
    const changes = await world.lake.openChanges({ catalog: 'dev_analytics', principal: world.admin })
    await changes.append(name('contended'), 'select 2 as a')
    await then(changes)
    await world.rows('insert into raw.contended select 3')
    await expect(changes.publish()).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' })
    expect(await world.rows('from raw.contended order by a')).toEqual([[1], [3]])
  })

  test('appends of many writers at once all arrive', async () => {
    await world.rows('create table raw.many as select -1 as a')
    await Promise.all(Array.from({ length: 8 }, (_, at) => world.rows(`insert into raw.many select ${at}`)))
    expect(await world.rows('select count(*), count(distinct a) from raw.many')).toEqual([[9, 9]])
  })

  test('a change set is found again by its run', async () => {
    const open = () => world.lake.openChanges({ catalog: 'dev_analytics', principal: world.admin, runId: 'run-1' })
    await (await open()).replaceTable(name('resumed'), 'select 1 as a')
    const again = await open()
    expect(await world.rows('from raw.resumed', { changes: again })).toEqual([[1]])
    await again.discard()
    await expect(again.publish()).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' })
  })
})

test('one statement reads whole publications only', async () => {
  const name = (table: string) => ({ catalog: 'dev_analytics', namespace: 'whole', name: table })
  const publish = async (value: number) => {
    const changes = await world.lake.openChanges({ catalog: 'dev_analytics', principal: world.admin })
    for (const table of ['a', 'b', 'c']) await changes.replaceTable(name(table), `select ${value} as v`)
    await changes.publish()
  }
  await publish(0)
  let seen = 0
  let published = 0
  // However slow one of the two is: five reads, and three publications meanwhile.
  const goesOn = () => seen < 5 || published < 3
  const writer = (async () => {
    while (goesOn()) {
      await publish(published + 1)
      published++
    }
  })()
  while (goesOn()) {
    const [row] = await world.rows('select (select v from whole.a), (select v from whole.b), (select v from whole.c)', {
      cache: false,
    })
    expect(new Set(row).size).toBe(1)
    seen++
  }
  await writer
})

describe('the cache', () => {
  const ask = async (sql: string, more = {}) => {
    const result = await world.query(sql, { door: 'dashboard', ...more })
    const { rows } = await collect(result)
    return { rows, hit: result.cached.hit }
  }
  test('answers again what nothing has changed, and never what has', async () => {
    await world.rows('create table raw.cached as select 1 as a')
    const sql = 'select sum(a) from raw.cached'
    expect(await ask(sql)).toEqual({ rows: [['1']], hit: false })
    expect(await ask(sql)).toEqual({ rows: [['1']], hit: true })
    expect(await ask(sql, { principal: world.reader })).toEqual({ rows: [['1']], hit: true })
    await world.rows('insert into raw.cached select 5')
    expect(await ask(sql)).toEqual({ rows: [['6']], hit: false })
    await world.rows('create or replace view raw.cv as select a from raw.cached')
    expect((await ask('select max(a) from raw.cv')).hit).toBe(false)
    await world.rows('create or replace view raw.cv as select a * 2 as a from raw.cached')
    expect(await ask('select max(a) from raw.cv')).toEqual({ rows: [[10]], hit: false })
  })
  test.each([
    'select now() is null',
    'select random() < 0',
    'select current_date is null',
    'select current_user = 1::varchar',
  ])('%s is not kept', async (sql) => {
    await ask(sql)
    expect((await ask(sql)).hit).toBe(false)
  })
})

describe('words of the session', () => {
  test.each([
    ['select current_user, user, current_role = session_user', ['current_user', 'user'], ['ana', 'ana', true]],
    [
      'select current_schema(), current_schema, current_catalog, current_database()',
      ['current_schema()', 'current_schema', 'current_catalog', 'current_database()'],
      ['raw', 'raw', 'dev_analytics', 'dev_analytics'],
    ],
    ['select who from raw.mine where who = current_user and "user" = 5', ['who'], ['ana']],
    ['select user, m.user from raw.mine m where who = current_user', ['user', 'user'], [5, 5]],
    ['select current_user from (select 7 as current_user)', ['current_user'], [7]],
    ['with x as (select 8 as user) select user from x', ['user'], [8]],
    [
      'select current_user as me, count(*) from raw.mine group by current_user order by current_user',
      ['me'],
      ['ana', 2],
    ],
    ['select who from raw.my_own', ['who'], ['ana']],
  ])('%s', async (sql, names, row) => {
    await world.rows(
      "create or replace table raw.mine as select * from (values ('ana', 5), ('bob', 6)) t(who, \"user\")",
    )
    await world.rows('create or replace view raw.my_own as select who from raw.mine where who = current_user')
    const { columns, rows } = await collect(await world.query(sql, { namespace: 'raw' }))
    expect([columns.map(({ name }) => name).slice(0, names.length), rows]).toEqual([names, [row]])
  })
})

describe('files of the spool', () => {
  test('are loaded with types and counted', async () => {
    const file = join(world.spool, 'a.csv')
    writeFileSync(file, 'id,amount\n1,1.50\n2,2.25\n')
    const changes = await world.lake.openChanges({ catalog: 'dev_analytics', principal: world.admin })
    const written = await changes.replaceTable(
      { catalog: 'dev_analytics', namespace: 'raw', name: 'csv' },
      `select * from read_csv('${file}', types = {'amount': 'DECIMAL(12,2)'})`,
      { files: [file], summary: { cursor: '7' } },
    )
    expect(written).toMatchObject({
      rowsWritten: 2,
      filesWritten: 1,
      columns: [
        { name: 'id', type: 'BIGINT' },
        { name: 'amount', type: 'DECIMAL(12,2)' },
      ],
    })
    await changes.publish()
    expect(await world.rows('select sum(amount) from raw.csv')).toEqual([['3.75']])
  })
})

test('what is remembered of a statement tells no password', async () => {
  for (const sql of [`create user ana password 'hunter2'`, `create secret (type s3, secret 'hunter2')`])
    await expect(world.rows(sql)).rejects.toThrow()
  expect(JSON.stringify(world.audited)).not.toContain('hunter2')
  expect(world.audited.at(-2)).toMatchObject({ sql: `create user ana password '***'`, verdict: 'failed' })
})

test('every decision is in the audit', () => {
  expect(world.audited.some(({ verdict, failureCode }) => verdict === 'refused' && failureCode === 'FORBIDDEN')).toBe(
    true,
  )
  expect(
    world.audited.some(
      ({ verdict, rows, tables }) => verdict === 'allowed' && rows === 1 && tables[0] === 'dev_analytics.raw.sales',
    ),
  ).toBe(true)
})

test('a table that cannot be read hides no other, says why, and can be dropped', async () => {
  const own = { catalog: 'dev_analytics', namespace: 'broken' }
  await world.rows('create table broken.whole as select 1 as id')
  const whole = (await world.tables.load({ ...own, name: 'whole' })) as LoadedTable
  const text = new TextDecoder().decode((await world.io.read(whole.location))!)
  const texts: Record<string, string | undefined> = {
    gone: undefined,
    nonsense: 'nonsense',
    later: text.replace('"format-version":2', '"format-version":4'),
    odd: text.replaceAll('"type":"int"', '"type":"interval_year"'),
  }
  for (const [name, broken] of Object.entries(texts)) {
    const to = `${whole.metadata.location}/metadata/${name}.metadata.json`
    if (broken !== undefined) await world.io.create(to, new TextEncoder().encode(broken))
    await world.catalog.swap([{ name: { ...own, name }, kind: 'table', from: null, to }])
  }
  const names = ['gone', 'later', 'nonsense', 'odd']
  const listed = "select table_name from information_schema.tables where table_schema = 'broken' order by 1"
  expect((await world.rows(listed)).flat()).toEqual([...names, 'whole'])
  const columns = `select table_name, column_name from information_schema.columns where table_schema = 'broken'`
  expect(await world.rows(columns)).toEqual([['whole', 'id']])
  const comments = `select table_name from information_schema.tables where table_comment like 'cannot be read: %' order by 1`
  expect((await world.rows(comments)).flat()).toEqual(names)
  expect((await world.rows(`select relname from pg_catalog.pg_class where relname = 'odd'`)).flat()).toEqual(['odd'])
  await expect(world.rows('select * from broken.hole')).rejects.toMatchObject({
    code: 'TABLE_NOT_FOUND',
    message: expect.stringContaining('did you mean broken.whole') as string,
  })
  for (const name of names) {
    await expect(world.rows(`select * from broken.${name}`)).rejects.toThrow(`${name}.metadata.json`)
    await expect(world.rows(`drop view broken.${name}`)).rejects.toMatchObject({ code: 'SQL_INVALID' })
    await world.rows(`drop table broken.${name}`)
  }
  expect((await world.rows(listed)).flat()).toEqual(['whole'])
})
