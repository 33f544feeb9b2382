import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  bind,
  cstring,
  errorFields,
  execute,
  int16,
  int32,
  logIn,
  message,
  openRaw,
  parse,
  query,
  startup,
  sync,
  type RawClient,
} from '../../../test/support/pg-raw.ts'
import { pgTypeOfOid, sqlNames } from '../../base/pg-types.ts'
import { openPgWorld, password, type PgWorld } from '../../../test/support/pg-world.ts'

let world: PgWorld
let ada: pg.Client

beforeAll(async () => {
  world = await openPgWorld()
  await world.rows('create schema raw')
  await world.rows(`create table raw.sales as select range::int id, (range * 1.5)::decimal(12,2) amount,
    date '2024-01-01' + range::int as d, 'item ' || range item from range(10)`)
  ada = await connect('ada')
})
afterAll(async () => {
  await ada.end()
  await world.close()
  expect(world.errors).toEqual([])
})

async function connect(user: string, more: pg.ClientConfig = {}): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: world.url(user), ...more })
  client.on('error', () => {}) // a connection that the server ends
  await client.connect()
  return client
}
const raw = async (user = 'rob'): Promise<RawClient> => {
  const client = await openRaw(world.port)
  await logIn(client, { user, password })
  return client
}
const describeStatement = (name: string) => message('D', cstring(`S${name}`))
/** Values as texts, of which nothing is said. */
const bindTexts = (name: string, values: readonly string[], format = 0) => {
  const items = values.flatMap((value) => [int32(Buffer.byteLength(value)), Buffer.from(value)])
  return message('B', cstring(''), cstring(name), int16(0), int16(values.length), ...items, int16(1), int16(format))
}
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error: { code?: string }) => error.code,
  )
const endless = 'select count(*) from range(100000000) a, range(100000) b where a.range + b.range = -1'

const nested = (before: string, inside: string, behind: string, times: number) =>
  before.repeat(times) + inside + behind.repeat(times)

describe('log-in', () => {
  test('with the password, and with a token of the same user', async () => {
    const { id } = (await world.govern.users.list()).find(({ name }) => name === 'rob')!
    const { token, info } = await world.govern.tokens.create(id, { name: 'notebook' })
    const client = await connect('rob', {
      password: token,
      connectionString: undefined,
      host: '127.0.0.1',
      port: world.port,
      user: 'rob',
      database: 'dev',
    })
    expect((await client.query('select current_user as who')).rows).toEqual([{ who: 'rob' }])
    // A token that is revoked ends the connection at its next statement.
    await world.govern.tokens.revoke(info.id)
    expect(await codeOf(client.query('select 1'))).toBe('28P01')
  })

  test('a wrong password, an unknown name and a name without a password are told the same', async () => {
    await world.govern.users.create({ name: 'eve', role: 'reader' })
    const told = async (user: string, secret: string) => {
      const client = await openRaw(world.port)
      const messages = await logIn(client, { user, password: secret })
      return errorFields(messages.at(-1)!)
    }
    const wrong = await told('ada', 'not the password')
    expect(wrong).toMatchObject({ S: 'FATAL', C: '28P01' })
    expect(await told('nobody', 'not the password')).toEqual(wrong)
    expect(await told('eve', 'not the password')).toEqual(wrong)
  })

  test('the salt of a name is the same each time, whether there is such a user or not', async () => {
    const saltOf = async (user: string) => {
      const { salt } = await world.govern.wire.startScram(user, { address: '10.0.0.9' })
      return salt.toString('hex')
    }
    expect(await saltOf('ada')).toBe(await saltOf('Ada'))
    expect(await saltOf('nobody')).toBe(await saltOf('nobody'))
    expect(await saltOf('nobody')).not.toBe(await saltOf('ada'))
  })

  test('a password that was changed ends the connection, and the old one opens nothing', async () => {
    await world.govern.users.create({ name: 'kim', role: 'reader' })
    await world.govern.users.setPassword('kim', password)
    const client = await connect('kim')
    await world.govern.users.setPassword('kim', 'another pair of oars')
    expect(await codeOf(client.query('select 1'))).toBe('28P01')
    expect(await codeOf(connect('kim'))).toBe('28P01')
  })

  test('a database that is none is told so, after the password', async () => {
    expect(await codeOf(connect('ada', { connectionString: world.url('ada', 'nope') }))).toBe('3D000')
    const client = await openRaw(world.port)
    const told = errorFields((await logIn(client, { user: 'ada', password: 'wrong one', database: 'nope' })).at(-1)!)
    expect(told.C).toBe('28P01')
  })

  test.each([
    ['dev', 'prod'],
    ['dev_analytics', 'prod_analytics'],
  ])('the database is called as the client called it: %s', async (name, other) => {
    const client = await connect('ada', { connectionString: world.url('ada', name) })
    await client.query(`CREATE TABLE "${name}".raw.by_database AS SELECT 1 AS a`)
    const { rows } = await client.query(
      `SELECT current_database() AS here, current_catalog AS too, t.table_catalog, c.udt_catalog, a
       FROM ${name}.information_schema.tables t JOIN ${name}.information_schema.columns c USING (table_catalog, table_name),
         dev.raw.by_database JOIN dev_analytics.raw.by_database b USING (a)
       WHERE t.table_catalog = '${name}' AND t.table_name = 'by_database'`,
    )
    expect(rows).toEqual([{ here: name, too: name, table_catalog: name, udt_catalog: name, a: 1 }])
    const { rows: all } = await client.query('SELECT datname FROM pg_database ORDER BY 1')
    expect(all.map(({ datname }) => datname)).toEqual([name, other])
    const { rowCount } = await client.query(
      `UPDATE ${name}.raw.by_database SET a = n.a FROM (SELECT 2 AS a, 1 AS was) n WHERE "${name}"."raw"."by_database"."a"::int = n.was`,
    )
    expect(rowCount).toBe(1)
    const named = `SELECT ${name}.raw.by_database.a FROM raw.by_database WHERE dev_analytics.raw.by_database.a = 2`
    expect((await client.query(named)).rows).toEqual([{ a: 2 }])
    // Who reads a view may call the database otherwise, or not at all.
    await client.query(`CREATE VIEW raw.by_name AS ${named.replace('FROM ', `FROM ${name}.`)}`)
    expect(await world.rows('SELECT a FROM raw.by_name')).toEqual([[2]])
    await client.query('DROP VIEW raw.by_name')
    await client.query(
      `DELETE FROM ${name}.raw.by_database USING raw.by_database b WHERE ${name}.raw.by_database.a = b.a`,
    )
    await client.query(`ALTER TABLE ${name}.raw.by_database ADD COLUMN b int; DROP TABLE ${name}.raw.by_database`)
  })

  test('who guesses is slowed down', async () => {
    const attempt = () => world.govern.wire.logIn('victim', 'a guess of mine', { address: '10.1.2.3' })
    const codes: unknown[] = []
    for (let count = 0; count < 12; count++) codes.push(await codeOf(attempt()))
    expect(codes.at(-1)).toBe('RATE_LIMITED')
  })

  test('a pool that opens many connections at once guesses nothing; who guesses as many is counted', async () => {
    const begin = () => world.govern.wire.startScram('pool', { address: '10.1.2.4' })
    const begun = await Promise.all(Array.from({ length: 40 }, begin))
    const codes = await Promise.all(begun.map((one) => codeOf(one.finish('message', Buffer.alloc(32)))))
    expect(codes.slice(0, 5)).toEqual(Array(5).fill('UNAUTHENTICATED'))
    expect(codes.filter((code) => code === 'RATE_LIMITED').length).toBeGreaterThan(20)
    expect(await codeOf(begin())).toBe('RATE_LIMITED')
  })
})

describe('TLS', () => {
  const dir = mkdtempSync(join(tmpdir(), 'pg-tls-'))
  afterAll(() => rmSync(dir, { recursive: true }))

  test('is spoken, and bytes that came before it are refused', async () => {
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-keyout',
        key,
        '-out',
        cert,
        '-days',
        '2',
        '-subj',
        '/CN=localhost',
      ],
      { stdio: 'ignore' },
    )
    const secured = await world.serve({ tls: { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') } })
    try {
      const client = new pg.Client({
        connectionString: world.url('ada', 'dev', secured.port),
        ssl: { rejectUnauthorized: false },
      })
      await client.connect()
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      await client.end()
      const pushy = await openRaw(secured.port)
      pushy.send(Buffer.concat([int32(8), int32(80877103), startup({ user: 'ada' })]))
      expect(errorFields((await pushy.next())!).C).toBe('08P01')
    } finally {
      await secured.close()
    }
  })

  test('without it nobody listens beyond this machine', async () => {
    await expect(world.serve({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})

describe('statements', () => {
  test.each<[string, unknown[], unknown[]]>([
    ['select id, amount from raw.sales where id = $1', [3], [{ id: 3, amount: '4.50' }]],
    ['select id from raw.sales where d = $1', ['2024-01-03'], [{ id: 2 }]],
    ['select id from raw.sales where item = $1', ['item 4'], [{ id: 4 }]],
    ['select id from raw.sales where item = $1', ["x' or '1'='1"], []],
    ['select $1 as it', ["'; drop table raw.sales; --"], [{ it: "'; drop table raw.sales; --" }]],
    ['select $1::int + $2::int as sum', [2, '40'], [{ sum: 42 }]],
    ['select id from raw.sales order by id limit $1 offset $2', [1, 2], [{ id: 2 }]],
    ['select $1::int[] as list', [[1, 2]], [{ list: [1, 2] }]],
    ['select id from raw.sales where id = any($1) order by 1', [[1, 3]], [{ id: 1 }, { id: 3 }]],
    ['select id from raw.sales where item = any($1)', [['item 5', 'it\'s "x"']], [{ id: 5 }]],
    ['select count(*)::int n from raw.sales where not (id = any($1)) and id <> all($1)', [[]], [{ n: 10 }]],
    ['select count(*)::int n from raw.sales where id <> all($1)', [[1, 3]], [{ n: 8 }]],
    ['select id from raw.sales where item like any($1) order by 1', [['item 1', '%5']], [{ id: 1 }, { id: 5 }]],
    ['select id from raw.sales where (d, id) > ($1, $2) order by d, id limit 1', ['2024-01-03', '2'], [{ id: 3 }]],
    ['select id from raw.sales where (id, item) in (($1, $2))', ['05', 'item 5'], [{ id: 5 }]],
    ["select (id, item) = ('2', 'item 2') as a from raw.sales where id = 2", [], [{ a: true }]],
    ['select n::int from generate_series(1, $1) n where 3 = $2', [2, '3'], [{ n: 1 }, { n: 2 }]],
    ["select $1::json, $2::int, '2024-01-01'::date::text", ['[]', 1], [{ json: [], int4: 1, text: '2024-01-01' }]],
    ['select $1::timestamptz as at', ['2024-01-01T00:00:00Z'], [{ at: new Date('2024-01-01T00:00:00Z') }]],
    ['select $1::varchar as none', [null], [{ none: null }]],
    ['select count(*), sum(amount) from raw.sales', [], [{ count: '10', sum: '67.50' }]],
    ["select 1 as a where 'x' collate \"C\" = 'x'", [], [{ a: 1 }]],
    ["select {'a': 1, 'b': [1.5]} as doc", [], [{ doc: { a: 1, b: ['1.5'] } }]],
    ['show transaction_isolation', [], [{ transaction_isolation: 'read committed' }]],
    ['values (1), (2)', [], [{ column1: 1 }, { column1: 2 }]],
  ])('%s', async (sql, values, rows) => expect((await ada.query(sql, values)).rows).toEqual(rows))

  test.each([
    ['select nope from raw.sales', '42703', '8'],
    ["select 'é😀', nope from raw.sales", '42703', '14'],
    ['select * from raw.nope', '42P01', '15'],
    ['selec 1', '42601', '1'],
    ["select 'abc'::int", '22P02', undefined],
    ['select $1', '22023', undefined],
    ["select * from read_csv('/etc/passwd')", '42501', undefined],
    ['copy (select 1) from stdin', '42601', undefined],
    ['with d as (delete from raw.sales) select * from d', '0A000', undefined],
    ['fetch 1 from nowhere', '34000', undefined],
    ['execute nothing', '26000', undefined],
    ['set client_encoding to latin1', '22023', undefined],
    ['set no_such_thing = 1', '42704', undefined],
    // Taken in silence, rows would go to main.
    ["set spark.wap.branch = 'audit'", '0A000', undefined],
    ["set spark.sql.session.timeZone = 'Asia/Tokyo'", '0A000', undefined],
    ['set enable_everything_but = 1; set log_statement = none; selec 1', '42601', undefined],
    ['declare c cursor for select 1', '25P01', undefined],
  ])('%s is %s', async (sql, code, position) => {
    await expect(ada.query(sql)).rejects.toMatchObject({ code, ...(position === undefined ? {} : { position }) })
    expect((await ada.query('select 1 as still')).rows).toEqual([{ still: 1 }])
  })

  test('several in one text are answered in turn, and a failure takes all of them back', async () => {
    const results = (await ada.query("select 1 as a; select 'x' as b")) as unknown as pg.QueryResult[]
    expect(results.map(({ rows }) => rows)).toEqual([[{ a: 1 }], [{ b: 'x' }]])
    await ada.query('create table raw.many (n int)')
    expect(
      await codeOf(ada.query("insert into raw.many values (1); insert into raw.many values ('no number')")),
    ).toBeTruthy()
    expect((await ada.query('select count(*)::int n from raw.many')).rows).toEqual([{ n: 0 }])
  })

  test('the moment of a transaction is that of its begin', async () => {
    const client = await connect('ada')
    const moment = async () =>
      (
        await client.query(
          'select now(), transaction_timestamp() as t, current_timestamp, current_timestamp(0) as second, localtimestamp::date = current_date as day, (select now from now()) as f',
        )
      ).rows[0] as Record<string, unknown>
    await client.query('create table raw.stamped (id int, at timestamptz default now())')
    await client.query('begin')
    const first = await moment()
    expect([first['t'], first['current_timestamp'], first['f'], first['day']]).toEqual([
      first['now'],
      first['now'],
      first['now'],
      true,
    ])
    await sleep(20)
    expect(await moment()).toEqual(first)
    await client.query('insert into raw.stamped (id) values (1)')
    const clock = await client.query('select clock_timestamp() > now() as later')
    expect(clock.rows).toEqual([{ later: true }])
    await client.query('commit')
    expect((await moment())['now']).not.toEqual(first['now'])
    const shown = await client.query(
      "select column_default from information_schema.columns where table_name = 'stamped' and column_name = 'at'",
    )
    expect(JSON.stringify(shown.rows)).toContain('now()')
    await client.end()
  })

  test('what the engine refuses at first is written for it within a transaction, too', async () => {
    await ada.query(`create table raw.fitted (id int, tags text[] default '{}', at time, doc jsonb)`)
    await ada.query(`insert into raw.fitted values (1, '{a}', '10:00', '{"a": {"b": 1}}')`)
    for (const begin of ['select 1', 'begin']) {
      await ada.query(begin)
      await ada.query(`update raw.fitted set tags = tags || 'z'::text`)
      expect((await ada.query('select tags from raw.fitted')).rows).toEqual([
        { tags: begin === 'begin' ? ['a', 'z', 'z'] : ['a', 'z'] },
      ])
      expect((await ada.query(`select (at - time '09:30')::text as apart from raw.fitted`)).rows).toEqual([
        { apart: '00:30:00' },
      ])
      expect(
        (await ada.query(`select to_char(at, 'HH24:MI') as told, doc @> '{"a": {}}' as holds from raw.fitted`)).rows,
      ).toEqual([{ told: '10:00', holds: true }])
      expect((await ada.query(`select sum(at - time '09:00')::text as total from raw.fitted`)).rows).toEqual([
        { total: '01:00:00' },
      ])
    }
    await ada.query('savepoint a')
    expect(await codeOf(ada.query('select nope from raw.fitted'))).toBe('42703')
    expect(await codeOf(ada.query('select 1'))).toBe('25P02')
    await ada.query('rollback to a')
    await ada.query('commit')
    expect((await ada.query('select tags from raw.fitted')).rows).toEqual([{ tags: ['a', 'z', 'z'] }])
  })

  test('a cursor has the rows of the moment that it was declared', async () => {
    await ada.query('create table raw.declared as select range as n from range(3)')
    await ada.query('begin')
    await ada.query('declare c cursor with hold for select n from raw.declared order by n')
    await ada.query('update raw.declared set n = n + 10')
    expect((await ada.query('fetch 1 from c')).rows).toEqual([{ n: '0' }])
    await ada.query('delete from raw.declared')
    await ada.query('commit')
    expect((await ada.query('fetch all from c')).rows).toEqual([{ n: '1' }, { n: '2' }])
    await ada.query('close c')
    await ada.query('begin')
    expect(await codeOf(ada.query('declare c cursor for select nope from raw.declared'))).toBe('42703')
    await ada.query('rollback')
    expect((await ada.query('select name from pg_cursors')).rows).toEqual([])
  })

  test('a transaction is one commit, and a failure inside must be rolled back', async () => {
    const other = await connect('rob')
    const n = async (client: pg.Client) =>
      ((await client.query('select count(*)::int n from raw.tx')).rows as { n: number }[])[0]!.n
    await ada.query('create table raw.tx (n int)')
    await ada.query('begin')
    expect((await ada.query('insert into raw.tx values (1), (2)')).rowCount).toBe(2)
    expect([await n(ada), await n(other)]).toEqual([2, 0])
    await ada.query('savepoint here')
    expect(await codeOf(ada.query('select nope'))).toBe('42703')
    expect(await codeOf(ada.query('select 1'))).toBe('25P02')
    for (const text of [
      'begin',
      'savepoint b',
      'release here',
      'prepare p as select 1',
      'declare c cursor for select 1',
      'fetch 1 from c',
      'close c',
      'set work_mem = 1',
      'deallocate nope',
    ])
      expect(await codeOf(ada.query(text)), text).toBe('25P02')
    await ada.query('/* back */ rollback to savepoint here')
    expect((await ada.query('commit')).command).toBe('COMMIT')
    expect(await n(other)).toBe(2)
    await ada.query('begin')
    expect(await codeOf(ada.query('fetch 1 from nothing'))).toBe('34000')
    expect(await codeOf(ada.query('savepoint b'))).toBe('25P02')
    await ada.query('rollback')
    for (const [end, code] of [
      ['rollback', '34000'],
      ['commit', 'no error'],
    ] as const) {
      await ada.query('begin')
      await ada.query('declare held cursor with hold for select 1')
      await ada.query(end)
      expect(await codeOf(ada.query('fetch 1 from held')), end).toBe(code)
    }
    await ada.query('close held')
    await ada.query('begin')
    expect(await codeOf(ada.query('rollback to nowhere'))).toBe('3B001')
    await ada.query('rollback')
    await ada.query('begin')
    expect(await codeOf(ada.query('select nope'))).toBe('42703')
    expect((await ada.query('commit')).command).toBe('ROLLBACK')
    await other.end()
  })

  test('a reader may not write, and is told so', async () => {
    const rob = await connect('rob')
    expect(await codeOf(rob.query('insert into raw.sales select * from raw.sales'))).toBe('42501')
    await rob.end()
  })

  test.each([
    ['select n from generate_series(1, $1) n', [23]],
    ['select 1 + $1, $2 * 1.5, id - $3 from raw.sales', [23, 1700, 23]],
    ["select repeat('a', $1), split_part('a,b', ',', $2), abs($3)", [23, 23, 701]],
    ['select d + $1, d::timestamp + $2 from raw.sales', [23, 1186]],
    [
      "select id from raw.sales where (d, id) > ($1, $2) and item like any($3) and item || $4 = 'x'",
      [1082, 23, 1009, 25],
    ],
    ['select array_append($1::int[], $2)', [1007, 23]],
    ['select id from raw.sales where 3 = $1 or $2 < 1.5', [23, 1700]],
    ['select pg_terminate_backend($1)', [23]],
  ])('%s has parameters as in PostgreSQL', async (sql, types) => {
    const client = await raw('ada')
    client.send(parse('', sql), describeStatement(''), sync)
    const said = (await client.until('Z')).find(({ type }) => type === 't')
    const oids = said && Array.from({ length: said.body.readInt16BE() }, (_, at) => said.body.readInt32BE(2 + 4 * at))
    client.close()
    expect(oids).toEqual(types)
  })

  test('columns that are computed of a parameter have their type before its value is known', async () => {
    const client = await raw('ada')
    client.send(parse('', "select $1 || 'x', $2 + 1.5"), describeStatement(''), sync)
    const { body } = (await client.until('Z')).find(({ type }) => type === 'T')!
    const typeBehind = (from: number) => body.readInt32BE(body.indexOf(0, from) + 7)
    expect([typeBehind(2), typeBehind(body.indexOf(0, 2) + 19)]).toEqual([25, 1700])
    client.close()
  })

  test.each(["'a' || '%'", 'p', "lower('A')"])(
    'a pattern of SIMILAR TO that is computed is refused: %s',
    async (pattern) => {
      const sql = `select v from (values ('ab', 'a%')) t(v, p) where v similar to ${pattern}`
      await expect(ada.query(sql)).rejects.toMatchObject({ code: '0A000' })
    },
  )

  // As diesel does: it knows the types of all, and asks for none.
  test.each([
    ['select \'{"a": [1]}\'::jsonb || $1', [3802], ['{"b": 2}'], '{"a":[1],"b":2}', 3802],
    ['select doc - $1 from (select json(\'{"a": [1], "b": 2}\') as doc) t', [25], ['a'], '{"b":2}', 3802],
    ['select doc - $1 from (select json(\'{"a": [1], "b": 2}\') as doc) t', [1009], ['{a,b}'], '{}', 3802],
    ['select doc #>> $1 from (select json(\'{"a": [1, 7]}\') as doc) t', [1009], ['{a,1}'], '7', 25],
    ["select v from (values ('bob'), ('abe')) t(v) where v similar to $1", [25], ['(b|c)%'], 'bob', 25],
    // JDBC: what a function gives back is no argument of it.
    ['select * from upper($1,$2) as result', [2278, 1043], ['', 'abc'], 'ABC', 25],
    ['select * from power($2,$3,$1) as result', [2278, 701, 701], ['', '2', '3'], '8', 701],
  ])('parameters of which the client says the types: %s', async (sql, oids, values, row, type) => {
    const client = await raw('ada')
    client.send(parse('', sql, oids), bindTexts('', values), message('D', cstring('P')), execute(''), sync)
    const answers = await client.until('Z')
    const { body } = answers.find(({ type: kind }) => kind === 'T')!
    expect(body.readInt32BE(body.indexOf(0, 2) + 7)).toBe(type)
    expect(
      answers
        .find(({ type: kind }) => kind === 'D')!
        .body.subarray(6)
        .toString()
        .replaceAll(' ', ''),
    ).toBe(row)
    client.close()
  })

  test('a numeric that is a whole number is the numeric that was told, and what is sent at once is answered at once', async () => {
    const client = await raw('ada')
    client.send(parse('n', 'select $1 * 2 as n', [1700]), describeStatement('n'), sync)
    await client.until('Z')
    let answers = 0
    client.socket.on('data', () => answers++)
    client.socket.write(
      Buffer.concat([bindTexts('n', ['21'], 1), execute(''), bindTexts('n', ['-4'], 1), execute(''), sync]),
    )
    const rows = (await client.until('Z')).filter(({ type }) => type === 'D').map(({ body }) => body.subarray(6))
    // Digits of ten thousand: how many, of which weight, the sign, the scale.
    const numeric = (sign: number, digits: number) =>
      Buffer.concat([int16(1), int16(0), int16(sign), int16(0), int16(digits)])
    expect(rows).toEqual([numeric(0, 42), numeric(0x4000, 8)])
    expect(answers).toBe(1)
    client.close()
  })

  test('each part of a portal says how many rows it gave', async () => {
    const client = await raw('ada')
    client.send(
      parse('', 'select id from raw.sales'),
      bind('', ''),
      execute('', 4),
      execute('', 4),
      execute('', 4),
      sync,
    )
    const said = (await client.until('Z')).map(({ type, body }) => (type === 'C' ? body.toString().slice(0, -1) : type))
    expect(said.join('')).toBe('12DDDDsDDDDsDDSELECT 2Z')
    client.send(parse('', 'values (1), (2)'), bind('', ''), execute('', 2), execute('', 2), sync)
    const ended = (await client.until('Z')).map(({ type, body }) =>
      type === 'C' ? body.toString().slice(0, -1) : type,
    )
    expect(ended.join('')).toBe('12DDsSELECT 0Z')
    client.close()
  })

  test('a statement whose columns are others than the client was told is to be prepared again', async () => {
    await ada.query('create table raw.changing (a int, b text)')
    const client = await raw('ada')
    const told = ['select * from raw.changing', 'select a from raw.changing', 'select $1 + 1.5']
    client.send(...told.flatMap((sql, at) => [parse(`p${at}`, sql), describeStatement(`p${at}`)]), sync)
    await client.until('Z')
    const run = async (at: number, ...values: string[]) => {
      client.send(bindTexts(`p${at}`, values), execute(''), sync)
      const error = (await client.until('Z')).find(({ type }) => type === 'E')
      return error ? /C([0-9A-Z]{5}).*\0R(\w+)/s.exec(error.body.toString('latin1'))?.slice(1) : 'rows'
    }
    expect([await run(0), await run(1), await run(2, '2')]).toEqual(['rows', 'rows', 'rows'])
    await ada.query('alter table raw.changing add column c int')
    expect([await run(0), await run(1)]).toEqual([['0A000', 'RevalidateCachedQuery'], 'rows'])
    await ada.query('alter table raw.changing alter column a type bigint')
    expect(await run(1)).toEqual(['0A000', 'RevalidateCachedQuery'])
    client.send(parse('list', 'select $1::int[] as list'), describeStatement('list'), bindTexts('list', ['{{1},{2}}']))
    client.send(execute(''), sync)
    const [failed] = (await client.until('Z')).filter(({ type }) => type === 'E')
    expect(errorFields(failed!)).toMatchObject({ C: '0A000', M: expect.stringContaining('dimensions') as string })
    client.close()
  })

  test('an INSERT of values may be longer than other statements, and is one commit', async () => {
    await ada.query('create table raw.long (n int, t text)')
    const rows = Array.from({ length: 1_500 }, (_, at) => `(${at}, '${'é'.repeat(900)}')`)
    expect((await ada.query(`insert into raw.long values ${rows.join(', ')}`)).rowCount).toBe(1_500)
    const failing = `insert into raw.long values ${rows.join(', ')}, (1, 2, 3)`
    await expect(ada.query(failing)).rejects.toMatchObject({ code: '42601' })
    const { rows: found } = await ada.query(
      'select count(*)::int n, sum(n)::int s, min(length(t))::int t from raw.long',
    )
    expect(found).toEqual([{ n: 1_500, s: 1_124_250, t: 900 }])
    expect(await codeOf(ada.query(`select ${"'x', ".repeat(400_000)} 1`))).toBe('54000')
  })

  test('prepared statements by name, in the protocol and in SQL', async () => {
    for (const id of [1, 2])
      expect(
        (await ada.query({ name: 'by-id', text: 'select id from raw.sales where id = $1', values: [id] })).rows,
      ).toEqual([{ id }])
    await ada.query('prepare p as select $1 + 1 as n')
    expect((await ada.query('execute p(41)')).rows).toEqual([{ n: 42 }])
    await ada.query('deallocate all')
    expect(await codeOf(ada.query('execute p(1)'))).toBe('26000')
  })

  test('functions that do something to a connection: pg_sleep, pg_cancel_backend, pg_terminate_backend', async () => {
    const [client, other, rob] = [await connect('ada'), await connect('ada'), await connect('rob')]
    const ended = new Promise<string | undefined>((resolve) =>
      client.on('error', (error: Error & { code?: string }) => resolve(error.code)),
    )
    const idOf = async (one: pg.Client) => (await one.query('select pg_backend_pid() as id')).rows[0].id as number
    const id = await idOf(client)
    expect((await client.query('select pg_sleep($1), 1 as one', [0.01])).rows).toEqual([{ pg_sleep: '', one: 1 }])
    await client.query("set statement_timeout = '20ms'")
    expect(await codeOf(client.query('select pg_sleep(600)'))).toBe('57014')
    await client.query('reset statement_timeout')
    const sleeping = codeOf(client.query("select pg_sleep('600')"))
    expect(await codeOf(rob.query(`select pg_cancel_backend(${id})`))).toBe('42501')
    expect((await other.query(`select pg_cancel_backend(${id}), pg_cancel_backend(2000000000) as none`)).rows).toEqual([
      { pg_cancel_backend: true, none: false },
    ])
    expect(await sleeping).toBe('57014')
    expect((await other.query(`select pg_terminate_backend(${id})`)).rows).toEqual([{ pg_terminate_backend: true }])
    expect(await ended).toBe('57P01')
    expect(await codeOf(other.query('select pg_terminate_backend(id) from (select 1 as id)'))).toBe('42501')
    await Promise.all([other.end(), rob.end()])
  })

  test('times as Sequelize writes them, and what TypeORM and Sequelize ask of keys', async () => {
    await ada.query('create table times (id serial primary key, seen timestamptz, plain text)')
    const at = '2024-01-02 10:00:00.5 +00:00'
    await ada.query('insert into times (seen, plain) values ($1, $2)', [at, at])
    await ada.query(`update times set seen = '${at}' where seen >= '${at}' and seen < '2024-01-02 10:00:01 +00:00'`)
    const { rows } = await ada.query(
      `select seen = timestamptz '2024-01-02 10:00:00.5+00' as same, plain from times where seen between $1 and '${at}'::timestamptz`,
      [at],
    )
    expect(rows).toEqual([{ same: true, plain: at }])
    const shortly =
      "insert into times (seen) values ('2024-01-02 12:00+02') returning seen = timestamptz '2024-01-02T10:00Z' as same"
    expect((await ada.query(shortly)).rows).toEqual([{ same: true }])
    const commands = []
    for (const sql of ['rename plain to note', 'rename to timed', 'rename to times'])
      commands.push((await ada.query(`alter table ${sql === 'rename to times' ? 'timed' : 'times'} ${sql}`)).command)
    commands.push((await ada.query("comment on column times.note is 'x'")).command)
    expect(commands).toEqual(['ALTER', 'ALTER', 'ALTER', 'COMMENT'])
    await ada.query('begin read only')
    const flag = "select current_setting('transaction_read_only')::bool as is_read_only"
    expect((await ada.query(flag)).rows).toEqual([{ is_read_only: true }])
    expect(await codeOf(ada.query('insert into times default values'))).toBe('25006')
    await ada.query('rollback')
    expect(
      (
        await ada.query(`select c.conname, a.attname, i.indkey, ('"pg_catalog"."int' || '4"')::"regtype"::text as type from pg_constraint c
        left join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any (c.conkey) join pg_index i on i.indexrelid = c.conindid
        where c.conrelid = 'public.times'::regclass`)
      ).rows,
    ).toEqual([{ conname: 'times_pkey', attname: 'id', indkey: '1', type: 'integer' }])
    // What pgjdbc sends for a moment and for a day; a column without a zone keeps what was written.
    await ada.query('create table moments (n int, t timestamp, z timestamptz, d date)')
    for (const text of ['2024-01-02 10:00:00+02', '2024-01-02 +02'])
      await ada.query('insert into moments values (1, $1, $1, $1)', [text])
    expect(
      (
        await ada.query(
          'select t::text as t, z = timestamptz $$2024-01-02 08:00:00+00$$ as z, d::text as d from moments order by t desc',
        )
      ).rows,
    ).toEqual([
      { t: '2024-01-02 10:00:00', z: true, d: '2024-01-02' },
      { t: '2024-01-02 00:00:00', z: false, d: '2024-01-02' },
    ])
    expect(await ada.query('create table counted as select 1 as n union all select 2')).toMatchObject({
      command: 'SELECT',
      rowCount: 2,
    })
    // As in PostgreSQL it is name[], which node-postgres leaves as it comes.
    expect(
      (
        await ada.query(
          `select array_agg(a.attname) as names, array_agg(distinct attname) as others, array_agg(a.attname::text) as texts from pg_attribute a where a.attrelid = 'public.times'::regclass and attnum = 1`,
        )
      ).rows,
    ).toEqual([{ names: '{id}', others: '{id}', texts: ['id'] }])
  })

  test('lists as PostgreSQL writes them, and bytes of which nobody says that they are', async () => {
    await ada.query('create table lists (names text[], ns int[], b bytea, plain text)')
    await ada.query(`insert into lists values ('{"a", "b c",null}', '{1,2}', null, '{x}')`)
    await ada.query('insert into lists values ($1, $2, $3, $4)', ['{"it\'s"}', [3], Buffer.from([0, 255]), 'y'])
    await ada.query("update lists set ns = '{}' where plain = 'y'")
    expect((await ada.query('select * from lists order by plain')).rows).toEqual([
      { names: ["it's"], ns: [], b: Buffer.from([0, 255]), plain: 'y' },
      { names: ['a', 'b c', null], ns: [1, 2], b: null, plain: '{x}' },
    ])
    expect(
      (
        await ada.query(
          `select '{1,2}'::bigint[] as a, cast('{x}' as text[]) as b, '{1}' as c, ('{x,y}')::varchar(5)[] as d`,
        )
      ).rows,
    ).toEqual([{ a: ['1', '2'], b: ['x'], c: '{1}', d: ['x', 'y'] }])
    // As Django writes many rows.
    const many = `select * from unnest(('{a,NULL}')::character varying(3)[], ('{NULL,2026-01-01 02:00:00+02}')::timestamp with time zone[],
      ('{1.5,NULL}')::double precision[], ('{NULL,2026-01-01 02:00:00}')::timestamp(3) without time zone[], cast('{12:00,NULL}' as time without time zone[]))
      as of(a, b, c, d, e)`
    expect((await ada.query({ text: many, rowMode: 'array' })).rows).toEqual([
      ['a', null, 1.5, null, '12:00:00'],
      [null, new Date('2026-01-01T00:00:00Z'), null, new Date('2026-01-01T02:00:00'), null],
    ])
  })

  test('sequences, as ORMs make and ask for them', async () => {
    const client = await connect('ada')
    const values = async (text: string, given?: unknown[]) =>
      (await client.query<unknown[]>({ text, rowMode: 'array', ...(given ? { values: given } : {}) })).rows
    await client.query('create sequence Order_Seq start with 1 increment by 50')
    expect(await values("select nextval('order_seq')")).toEqual([['1']])
    expect(await values('select nextval($1::regclass) as id', ['order_seq'])).toEqual([['51']])
    await client.query('begin')
    expect(
      await values("select setval('order_seq', coalesce(max(id), 100), max(id) is not null) from raw.sales"),
    ).toEqual([['9']])
    await client.query('rollback')
    expect(await values("select nextval('order_seq'), lastval()")).toEqual([['59', '59']])
    await client.query('create table numbered (id serial primary key, n bigint)')
    await client.query('create sequence of_n')
    await client.query(`alter table numbered alter column n set default nextval('of_n'::regclass)`)
    await client.query('alter sequence of_n owned by numbered.n')
    expect(await values('insert into numbered default values returning id, n')).toEqual([[1, '1']])
    expect(await values("select currval(pg_get_serial_sequence('numbered', 'id')), currval('of_n'::regclass)")).toEqual(
      [['1', '1']],
    )
    const shown = `select s.relname, d.deptype, a.attname, q.seqincrement from pg_class s join pg_sequence q on q.seqrelid = s.oid
      join pg_depend d on d.objid = s.oid and d.deptype in ('a', 'i') join pg_attribute a on a.attrelid = d.refobjid
      and a.attnum = d.refobjsubid where s.relkind = 'S' and d.refobjid = 'numbered'::regclass order by 1`
    expect(await values(shown)).toEqual([
      ['numbered_id_seq', 'a', 'id', '1'],
      ['of_n', 'a', 'n', '1'],
    ])
    expect(
      await values(
        "select sequence_name, increment from information_schema.sequences where sequence_schema = 'public' and sequence_name <> 'times_id_seq' order by 1",
      ),
    ).toEqual([
      ['numbered_id_seq', '1'],
      ['of_n', '1'],
      ['order_seq', '50'],
    ])
    expect(
      await values("select column_default, is_identity from information_schema.columns where table_name = 'numbered'"),
    ).toEqual([
      ["nextval('numbered_id_seq'::regclass)", 'NO'],
      ["nextval('of_n'::regclass)", 'NO'],
    ])
    expect(await codeOf(values("select nextval('nowhere')"))).toBe('42P01')
    // As SQLAlchemy looks for what numbers a column.
    await client.query('create table by_itself (id int generated always as identity, n int)')
    const ofColumns = `select a.attname, (select q.seqmax from pg_sequence q where q.seqrelid = cast(cast(
      pg_get_serial_sequence(cast(cast(a.attrelid as regclass) as text), a.attname) as regclass) as oid)) from pg_attribute a
      where a.attrelid = 'by_itself'::regclass and a.attnum > 0 order by a.attnum`
    expect(await values(ofColumns)).toEqual([
      ['id', '2147483647'],
      ['n', null],
    ])
    expect(
      await values(
        "select pg_get_serial_sequence(schemaname || '.' || tablename, 'id') from pg_tables where tablename = 'by_itself'",
      ),
    ).toEqual([['public.by_itself_id_seq']])
    await client.query('drop table by_itself')
    await client.query('drop table numbered; drop sequence order_seq; drop sequence if exists of_n')
    await client.end()
  })

  test.each([
    // A null in a row or a list is unknown; to the engine it is a value, or nothing.
    ['select count(*) from n where (a, id) > (1, 0)', 2],
    ['select count(*) from n where not (a, id) < (1, 5)', 1],
    ['select count(*) from n where row(a, id) >= row(1, 1)', 2],
    ['select count(*) from n where (a, b) = (a, b)', 2],
    ["select count(*) from n where (d, id) < ('2026-01-02'::date, 5)", 1],
    ['select count((a, b) <> (7, 8)), count((a, id) < (-1, 0)) from n', 4, 3],
    ['select count(*) from n where a <> all(l)', 1],
    ['select count(*) from n where id * 2 > all(array_remove(l, null))', 2],
    ['select count(*) from n where (id = any(l)) is null', 2],
    ["select count(*) from n where l @> '{1,null}'", 0],
    ["select array_length(l, 1), array_length('{}'::int[], 1) from n where id = 1", 2, null],
    ['select count(*) from n where (a + 0, id) > (1, 0)', 2],
    ['select count((abs(a), id, 1) <= (1, 2, 3)), count((a + 0, id) <> (7, 9)) from n', 3, 5],
    ["select regexp_count('Äpfel', '\\w'), length(substring('año 2024', '(\\w+) '))", 5, 3],
    ["select count(*) from n where 'É' ~ '^[[:upper:]]$' and regexp_replace('é1', '\\W', '', 'g') = 'é1'", 5],
    ["select regexp_instr(null, 'o'), regexp_instr('foo', 'o'), div(1, -3.0)", null, 2, 0],
  ])('%s, as in PostgreSQL', async (sql, ...expected: (number | null)[]) => {
    const client = await connect('ada')
    await client.query('create temp table n (id int, a int, b int, d date, l int[])')
    await client.query(
      "insert into n values (1, 1, 2, '2026-01-01', '{1,2}'), (2, null, 1, null, null), (3, 5, null, '2026-01-03', '{7,null}'), (4, null, null, null, '{}'), (5, 0, 8, '2026-02-01', '{0}')",
    )
    const { rows } = await client.query<(string | number | null)[]>({ text: sql, rowMode: 'array' })
    expect(rows[0]!.map((one) => (one === null ? null : Number(one)))).toEqual(expected)
    await client.end()
  })

  test.each([
    ["to_char(date '2024-07-22', 'FMDDth Mon YYYY, DDTH')", '22nd Jul 2024, 22ND'],
    ["to_char(date '2024-07-11', 'FMDDth \"th\" Qth')", '11th th 3rd'],
    [
      "to_char(b - a, 'DD HH24h MI') || to_char(b, ' FF3 RM a.m.') from (values (timestamp '2024-07-11 10:00', timestamp '2024-07-12 11:30:00.25')) t(a, b)",
      '01 01h 30 250 VII  a.m.',
    ],
    [
      "to_char(interval '-125 hours -90 sec', 'HH24:MI:SS') || to_char(time '13:05', ' HH12:MI am') || to_char(interval '14 months', ' YYYY FMMM')",
      '-125:-01:-30 01:05 pm 0001 2',
    ],
    ["array_to_string(array[null]::text[], ',') || '-' || array_to_string(array['a', null], '/', '?')", '-a/?'],
    ["(date '2024-01-31' + interval '1 month - 1 day')::date::text", '2024-02-28'],
    ["regexp_replace('foo', 'o', '[\\&]', 'g')", 'f[o][o]'],
    ["('abc'::text like any(array['x%', 'a%']))::text || ('abc'::text not like all(array['x%']))::text", 'truetrue'],
    ["count(*) filter (where v @> to_jsonb(3)) || '' from (values ('\"text\"'::jsonb), ('3'), ('[3]')) x(v)", '2'],
    [
      "count(*) filter (where jsonb_build_object('a', 1) <@ v) || '' from (values ('{\"a\": 1, \"b\": 2}'::jsonb), ('1')) x(v)",
      '1',
    ],
  ])('select %s, as PostgreSQL', async (sql, expected) => {
    const client = await connect('ada')
    expect((await client.query({ text: `select ${sql}`, rowMode: 'array' })).rows).toEqual([[expected]])
    await client.end()
  })

  test.each([
    ['jsonb_path_query_array(d, \'$.items[*] ? (@.price > 10 && @.tags[*] == "b").name\')', '["two"]'],
    ["jsonb_path_query_array(d, '$.items[*].price ? (@ >= $least)', '{\"least\": 20}')", '[20]'],
    ["jsonb_path_query_first(d, '$.items[last].tags')", '["b","c"]'],
    ['jsonb_path_exists(d, \'$.items.name ? (@ like_regex "^T" flag "i")\')::text', 'true'],
    ["(d @? '$.items[*] ? (exists (@.none) || @.price == null)')::text", 'false'],
    ["(d @@ '$.items[*].price > 15')::text || (d @@ '$.n < 3')::text", 'truefalse'],
    ["coalesce((d @@ '$.items.name > 15')::text, 'unknown')", 'unknown'],
    ["jsonb_path_query_array(d, '$.items.size()')", '[2]'],
  ])('select %s, as in PostgreSQL', async (sql, expected) => {
    const client = await connect('ada')
    const doc = `('{"n": 5, "items": [{"name": "one", "price": 10, "tags": ["a"]}, {"name": "two", "price": 20, "tags": ["b", "c"]}]}'::jsonb)`
    const types = { getTypeParser: () => (text: string) => text }
    const { rows } = await client.query({ text: `select ${sql} from (values ${doc}) t(d)`, rowMode: 'array', types })
    expect(rows).toEqual([[expected]])
    const each = `select tag from (values ${doc}) t(d), jsonb_path_query(d, $1) as tag where d @? $2 order by tag::text`
    const given = ['$.items[*].tags[*]', '$.n ? (@ == 5)']
    expect((await client.query({ text: each, values: given, rowMode: 'array' })).rows).toEqual([['a'], ['b'], ['c']])
    const refused = ['strict $.a', '$.**.name', '$.n + 1']
    for (const path of refused)
      expect(await codeOf(client.query(`select jsonb_path_query('{}', '${path}')`))).toBe('0A000')
    expect(await codeOf(client.query(`select jsonb_path_query('{}', '$.a[')`))).toBe('42601')
    await client.end()
  })

  test('rows are found by ctid, as Laravel and batches do', async () => {
    const client = await connect('ada')
    const values = async (text: string) => (await client.query<unknown[]>({ text, rowMode: 'array' })).rows
    await client.query('create table kept (id int primary key, note text); create table loose (id int, note text)')
    for (const table of ['kept', 'loose'])
      await client.query(`insert into ${table} values (1, 'a'), (2, null), (3, 'c'), (4, null)`)
    await client.query(
      `update kept set note = 'x' where "ctid" in (select "kept"."ctid" from "kept" inner join loose on loose.id = kept.id where loose.note is null)`,
    )
    expect(await values('select * from kept order by id')).toEqual([
      [1, 'a'],
      [2, 'x'],
      [3, 'c'],
      [4, 'x'],
    ])
    await client.query('delete from kept where ctid in (select ctid from kept order by id limit 2)')
    expect(await values('select id from kept order by id')).toEqual([[3], [4]])
    await client.query(
      'delete from kept as k where k.ctid = any (select other.ctid from kept other where other.id = 3)',
    )
    expect(await values('select id from kept')).toEqual([[4]])
    // Rows that are alike would go together.
    const alike = 'select ctid from (select ctid, row_number() over (partition by id) as n from loose) where n > 1'
    expect(await codeOf(client.query(`delete from loose where ctid in (${alike})`))).toBe('0A000')
    expect(await codeOf(client.query('delete from loose a using loose b where a.ctid < b.ctid'))).toBe('0A000')
    await client.query('drop table kept, loose')
    await client.end()
  })

  test("PostgreSQL's words are names behind what they name, without AS", async () => {
    const client = await connect('ada')
    const first = async (text: string) => {
      const { rows, fields } = await client.query<unknown[]>({ text, rowMode: 'array' })
      return [fields.map(({ name }) => name).join(), ...(rows[0] ?? [])]
    }
    expect(
      await first(
        'select max(a.value) value, count(*) NAME, case when true then 1 end status, array[1] level, null is null data, (select 2) role from (select 1 value) a group by a.value',
      ),
    ).toEqual(['value,name,status,level,data,role', 1, '1', 1, [1], true, 2])
    // None of these is a name.
    expect(
      await first(
        "select '2020-01-01 10:00+00'::timestamp with time zone is null, now()::timestamp without time zone is null",
      ),
    ).toEqual(['?column?,?column?', false, false])
    await client.query('create temp table labelled as select 1 name, 2 type with no data')
    expect(await first('select * from labelled for update')).toEqual(['name,type'])
    expect(await first("select cast('{a,b}' as varchar array) list")).toEqual(['list', ['a', 'b']])
    await client.end()
  })

  test('flags are told as drivers know them, whatever they were written as', async () => {
    const client = await connect('ada')
    const told: unknown[] = []
    const { connection } = client as unknown as { connection: NodeJS.EventEmitter }
    connection.on('parameterStatus', (one: { parameterName: string; parameterValue: string }) =>
      told.push([one.parameterName, one.parameterValue]),
    )
    await client.query('set standard_conforming_strings = ON')
    await client.query("set client_min_messages to 'WARNING'")
    // To libpq anything else means that backslashes are to be doubled.
    expect(told).toEqual([['standard_conforming_strings', 'on']])
    expect((await client.query('show client_min_messages')).rows).toEqual([{ client_min_messages: 'warning' }])
    const { rows, fields } = await client.query<{ 'QUERY PLAN': string }>('explain select 1')
    expect(fields.map(({ name }) => name)).toEqual(['QUERY PLAN'])
    expect(rows.every((row) => !row['QUERY PLAN'].includes('\n'))).toBe(true)
    await client.end()
  })

  test('what Ruby on Rails says to each connection is heard, and lists are defaults', async () => {
    const client = await connect('ada')
    const notices: string[] = []
    client.on('notice', ({ message }) => notices.push(message!))
    const types = { getTypeParser: () => (text: string) => text }
    const values = async (text: string, given: unknown[] = []) =>
      (await client.query<unknown[]>({ text, rowMode: 'array', values: given, types })).rows
    await client.query('set intervalstyle = iso_8601; set client_min_messages to warning')
    expect(
      await values(
        "select interval '1 year 2 mons 3 days 04:05:06.789', interval '-90 min -0.5 sec', interval '0', array[interval '-1 mon 3 days', null]",
      ),
    ).toEqual([['P1Y2M3DT4H5M6.789S', 'PT-1H-30M-0.5S', 'PT0S', '{P-1M3D,NULL}']])
    await client.query(
      "create table railed (id serial primary key, tags varchar[] default '{}', took interval default 'P1D')",
    )
    expect(notices).toEqual([])
    await client.query("insert into railed (took) values ('PT90M'), (interval 'P1W')")
    await values('insert into railed (tags, took) values ($1, $2)', ['{a,"b c"}', 'P1DT2H'])
    await client.query('insert into railed default values')
    expect(await values('select tags, took from railed order by id')).toEqual([
      ['{}', 'PT1H30M'],
      ['{}', 'P7D'],
      ['{a,"b c"}', 'P1DT2H'],
      ['{}', 'P1D'],
    ])
    const defaults =
      "select column_default from information_schema.columns where table_name = 'railed' and column_name = 'tags'"
    expect(await values(defaults)).toEqual([["'{}'::text[]"]])
    await client.query('set intervalstyle = postgres')
    expect(await values("select interval '90 min'")).toEqual([['01:30:00']])
    await client.query('drop table railed')
    await client.end()
  })

  test("items of lists are set, transactions chained, nulls counted, types and functions of one's own refused", async () => {
    const client = await connect('ada')
    const values = async (text: string, given: unknown[] = []) =>
      (await client.query<unknown[]>({ text, rowMode: 'array', values: given })).rows
    await client.query('create table items (id int, a int[], t text[])')
    await client.query("insert into items values (1, array[1, 2], array['x'])")
    expect(await values("update items set a[2] = a[2] + 5, t[3] = 'k', a[4] = id returning a, t")).toEqual([
      [
        [1, 7, null, 1],
        ['x', null, 'k'],
      ],
    ])
    expect(await values('update items set a[$1] = $2 where id = 1 returning a', [1, 9])).toEqual([[[9, 7, null, 1]]])
    expect(await codeOf(values('update items set a[1] = 1, a = null'))).toBe('42601')
    await client.query('drop table items')
    expect(await values("select num_nulls(1, null, 'a'), num_nonnulls(now(), null) as n")).toEqual([[1, 1]])
    await client.query('begin isolation level serializable')
    await client.query('commit and chain')
    expect(await values('show transaction_isolation')).toEqual([['serializable']])
    await client.query('create table chained (id int)')
    await client.query('rollback and chain')
    expect(await codeOf(values('select * from chained'))).toBe('42P01')
    await client.query('rollback and no chain')
    expect(await codeOf(client.query('commit and chain'))).toBe('25P01')
    expect(await codeOf(client.query("create type mood as enum ('sad', 'ok')"))).toBe('0A000')
    expect(await codeOf(client.query("create or replace function f() returns int language sql as 'select 1'"))).toBe(
      '0A000',
    )
    await client.end()
  })

  test('a cursor with SCROLL is read in any direction, another one forward', async () => {
    const client = await connect('ada')
    const numbers = async (text: string) =>
      (await client.query<[number]>({ text, rowMode: 'array' })).rows.map(([one]) => one)
    await client.query('begin')
    await client.query('declare c scroll cursor for select id from raw.sales where id < 5 order by id')
    for (const [text, rows] of [
      ['fetch 2 from c', [0, 1]],
      ['fetch prior from c', [0]],
      ['fetch last from c', [4]],
      ['fetch next from c', []],
      ['fetch backward 2 in c', [4, 3]],
      ['fetch absolute 2 from c', [1]],
      ['fetch relative -1 from c', [0]],
      ['fetch relative 0 c', [0]],
      ['fetch prior c', []],
      ['fetch all from c', [0, 1, 2, 3, 4]],
      ['fetch absolute -2 from c', [3]],
      ['fetch backward all from c', [2, 1, 0]],
    ] as const)
      expect([text, await numbers(text)]).toEqual([text, rows])
    expect((await client.query('move absolute 3 in c')).command).toBe('MOVE')
    expect(await numbers('fetch c')).toEqual([3])
    await client.query('declare d cursor for select 1')
    expect(await codeOf(client.query('fetch prior from d'))).toBe('55000')
    await client.query('rollback')
    await client.end()
  })

  test('a WITH clause that changes rows', async () => {
    const client = await connect('ada')
    await client.query('create table moving (id int, n text, j jsonb)')
    const told = async (text: string, values: unknown[]) => {
      const { fields, rows, command, rowCount } = await client.query({ text, values, name: text.slice(0, 30) })
      return [command, rowCount, fields.map(({ dataTypeID }) => dataTypeID), ...rows]
    }
    const added = 'with i as (insert into moving values ($1, $2, $3) returning *) select id + $4 as x, n, j from i'
    expect(await told(added, [1, 'a', '{"k": 1}', 5])).toEqual([
      'SELECT',
      1,
      [23, 25, 3802],
      { x: 6, n: 'a', j: { k: 1 } },
    ])
    const upsert =
      'with u as (update moving set n = $2 where id = $1 returning *) insert into moving select $1, $2 where not exists (select * from u)'
    expect(await told(upsert, [2, 'b'])).toEqual(['INSERT', 1, []])
    expect(await told(upsert, [2, 'c'])).toEqual(['INSERT', 0, []])
    await client.query('begin')
    expect((await client.query('with d as (delete from moving returning id) select count(*) from d')).rows).toEqual([
      { count: '2' },
    ])
    await client.query('rollback')
    await client.query('begin')
    const fails = 'with d as (delete from moving where id = 1 returning n) select n::int from d'
    expect(await codeOf(client.query(fails))).toBe('22P02')
    expect(await codeOf(client.query('select 1'))).toBe('25P02')
    await client.query('rollback')
    expect(await codeOf(client.query(fails))).toBe('22P02')
    expect((await client.query('select id, n from moving order by id')).rows).toEqual([
      { id: 1, n: 'a' },
      { id: 2, n: 'c' },
    ])
    await client.query('drop table moving')
    // Told to be numeric, as nobody says what is added: it is, and the rows come once.
    await client.query('create table once_only (id int)')
    const wire = await raw('ada')
    for (const [name, sql] of [
      ['a', 'with i as (insert into once_only values (1) returning id) select id + $1 as x from i'],
      ['b', 'with k as (select 2 as id) insert into once_only select id from k returning id + $1'],
      ['c', '/* told */ insert into once_only values (3) returning id + $1'],
    ] as const) {
      wire.send(parse(name, sql), describeStatement(name), sync)
      await wire.until('Z')
      wire.send(bindTexts(name, ['3'], 1), execute(''), sync)
      const seen = await wire.until('Z')
      expect(seen.map(({ type }) => type)).toEqual(['2', 'D', 'C', 'Z'])
    }
    wire.close()
    expect((await client.query('select id from once_only order by id')).rows).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }])
    await client.query('drop table once_only')
    await client.end()
  })

  test('columns come back as the types that they were declared as', async () => {
    const client = await connect('ada')
    const told = async (sql: string, values?: unknown[]) => {
      const { fields, rows } = await client.query({ text: sql, rowMode: 'array', ...(values ? { values } : {}) })
      return [
        fields.map(({ dataTypeID, dataTypeModifier: more }) => (more < 0 ? dataTypeID : [dataTypeID, more])),
        ...rows,
      ]
    }
    await client.query(
      'create table declared (id int, j json, b jsonb, v varchar(5), c character varying, f char(3), s smallint, t text)',
    )
    const types = [23, 114, 3802, [1043, 9], 1043, [1042, 7], 21, 25]
    const row = [1, { a: 1 }, [2], 'abc', 'x', 'abc', 7, 't']
    const insert = 'insert into declared values ($1, $2, $3, $4, $5, $6, $7, $8)'
    expect(
      await told(
        `${insert} returning *`,
        row.map((value) => (Array.isArray(value) ? '[2]' : value)),
      ),
    ).toEqual([types, row])
    expect(await told('select * from declared')).toEqual([types, row])
    expect(await told('with q as (select * from declared) select q.b, s, v from q join declared using (s, v)')).toEqual(
      [
        [3802, 21, [1043, 9]],
        [[2], 7, 'abc'],
      ],
    )
    // What is made of them has a type of its own, and takes none from the columns beside it.
    expect(
      await told(`select s + 32767, v || 'x', j ->> 'a', b -> 0, v, s::bigint, coalesce(v, t) from declared`),
    ).toEqual([
      [23, 25, 25, 3802, [1043, 9], 20, 25],
      [32774, 'abcx', '1', 2, 'abc', '7', 'abc'],
    ])
    expect(await told('select substr(t, s), v from declared')).toEqual([
      [25, 25],
      ['', 'abc'],
    ])
    for (const [set, code] of [
      ["v = 'abcdef'", '22001'],
      ["f = 'abcd'", '22001'],
      ["j = '{a'", '22P02'],
      ['s = 32768', '22003'],
    ])
      expect(await codeOf(client.query(`update declared set ${set}`))).toBe(code)
    await client.query("update declared set v = 'ab       ', b = '{\"x\": [1]}'")
    expect(await told('select v, b from declared')).toEqual([
      [[1043, 9], 3802],
      ['ab   ', { x: [1] }],
    ])
    const shown = `select format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'declared'::regclass order by attnum`
    expect((await told(shown)).slice(1).flat()).toEqual(
      'integer json jsonb character_varying(5) character_varying character(3) smallint text'
        .split(' ')
        .map((type) => type.replace('_', ' ')),
    )
    expect(await codeOf(client.query('alter table declared alter column t type char(0)'))).toBe('22001')
    await client.query(
      'alter table declared alter column v type text, add column w varchar(2), alter column t type varchar(9)',
    )
    await client.query('create table declared_too as select b, s, w, t, v, to_json(c) as c from declared')
    expect((await told('select * from declared_too'))[0]).toEqual([3802, 21, [1043, 6], [1043, 13], 25, 114])
    expect(
      await told(`select column_name, data_type, character_maximum_length from information_schema.columns
      where table_name = 'declared_too' and column_name in ('s', 'w') order by 1`),
    ).toEqual([
      [25, 25, 23],
      ['s', 'smallint', null],
      ['w', 'character varying', 2],
    ])
    await client.query('create or replace table declared_too as select 1 as b, s::text as s from declared')
    expect((await told('select * from declared_too'))[0]).toEqual([23, 25])
    await client.end()
  })

  test('JSON is taken apart by functions, in lists and in views, and compared with what is no JSON fails', async () => {
    await ada.query('create table docs (id int, j json, b jsonb, t text)')
    await ada.query(`insert into docs values (1, '{"a": [1]}', '{"x": 1}', '{}'), (2, '"s"', null, 'text')`)
    const told = async (sql: string) => {
      const { fields, rows } = await ada.query({ text: `${sql} from docs`, rowMode: 'array' })
      return [fields.map(({ dataTypeID }) => dataTypeID), ...rows]
    }
    expect(await told('select row_to_json(docs)')).toEqual([
      [114],
      [{ id: 1, j: { a: [1] }, b: { x: 1 }, t: '{}' }],
      [{ id: 2, j: 's', b: null, t: 'text' }],
    ])
    expect(await told('select json_agg(j), array_agg(b), to_json(min(t))')).toEqual([
      [114, 199, 114],
      [[{ a: [1] }, 's'], [{ x: 1 }, null], 'text'],
    ])
    expect(await told("select max(j.a), typeof(min(j)), max({'d': j}), min(j::varchar)")).toEqual([
      [114, 25, 114, 25],
      [[1], 'JSON', { d: { a: [1] } }, '"s"'],
    ])
    expect(await codeOf(ada.query(`select * from docs where j = 'no'`))).toBe('22P02')
    const changed = await ada.query(
      `update docs set b = json_object('was', j) where id = 2 returning b, to_json(j) as j`,
    )
    expect(changed.rows).toEqual([{ b: { was: 's' }, j: 's' }])
    const columnsOf = async (view: string) =>
      (
        await ada.query({
          text: `select format_type(atttypid, atttypmod) from pg_attribute where attrelid = '${view}'::regclass order by attnum`,
          rowMode: 'array',
        })
      ).rows.flat()
    await ada.query(`create view docs_seen as select b, j -> 'a' as a, id, id::varchar(3) as v from docs`)
    expect(await columnsOf('docs_seen')).toEqual(['jsonb', 'json', 'integer', 'text'])
    expect((await ada.query('select to_json(b) as b from docs_seen where id = 1')).rows).toEqual([{ b: { x: 1 } }])
    await ada.query('create or replace view docs_seen as select id as b, j from docs')
    expect(await columnsOf('docs_seen')).toEqual(['integer', 'json'])
    await ada.query('drop view docs_seen')
  })

  // As PostgreSQL 15 answers, but for blanks in JSON.
  test.each<[string, Record<string, unknown>[]]>([
    [
      String.raw`select x from (values ('a_c'), ('abc'), ('a\_c')) t(x) where x like 'a\_c' or x ilike $$A\\\_C$$::text`,
      [{ x: 'a_c' }, { x: 'a\\_c' }],
    ],
    [
      String.raw`select 'a%' like 'a\%' as plain, 'a!%' like 'a!!\%' escape '!' as own, 'a_b' not like '%\_%'::varchar(9) as cast`,
      [{ plain: true, own: false, cast: false }],
    ],
    [
      'select json_agg(x order by x desc) filter (where x > 1), jsonb_agg(distinct x) as all from (values (1), (2), (3), (3)) t(x) order by 1',
      [{ json_agg: [3, 3, 2], all: expect.arrayContaining([1, 2, 3]) }],
    ],
    ['select json_agg(x), x as y from (select 1 as x where false) t group by x', []],
    ['select json_agg(x) from (select 1 as x where false) t', [{ json_agg: null }]],
    [
      "select json_object_agg(s, n), jsonb_build_object('a', json_agg(n order by n)) from (values (1, 'a'), (2, 'b')) t(n, s)",
      [{ json_object_agg: { a: 1, b: 2 }, jsonb_build_object: { a: [1, 2] } }],
    ],
    [
      'select * from jsonb_array_elements(\'[1,"x",null]\'::jsonb) as e order by value::text',
      [{ value: 'x' }, { value: 1 }, { value: null }],
    ],
    [
      "select d.i, e.value from (values (1, '[\"a\"]'::jsonb), (2, '[]')) d(i, j), jsonb_array_elements_text(d.j) e",
      [{ i: 1, value: 'a' }],
    ],
    [
      'select key, value from jsonb_each_text(\'{"a":{"b":1},"c":"d"}\') order by 1',
      [
        { key: 'a', value: '{"b":1}' },
        { key: 'c', value: 'd' },
      ],
    ],
    [
      "select jsonb_object_keys('{\"a\":1,\"b\":2}') as k, jsonb_array_length('[1]') as n, jsonb_typeof('1.5') as t, json_typeof('null') as u",
      [
        { k: 'a', n: 1, t: 'number', u: 'null' },
        { k: 'b', n: 1, t: 'number', u: 'null' },
      ],
    ],
    [
      "select encode('abc'::bytea, 'hex'), encode(decode('YWJj', 'base64'), 'base64') as back, decode('616263', 'hex')",
      [{ encode: '616263', back: 'YWJj', decode: Buffer.from('abc') }],
    ],
    [
      "select initcap('hello wORLD foo-bär'), btrim(' x '), btrim('xxhixx', 'x') as of, array_replace(array[1, 2], 2, 5), regexp_count('banana', 'a')",
      [{ initcap: 'Hello World Foo-Bär', btrim: 'x', of: 'hi', array_replace: [1, 5], regexp_count: 3 }],
    ],
    [
      // Deep in each other they write their argument no more often.
      `select ${nested('initcap(', "'aB'", ')', 24)} as a, ${nested('overlay(', "'abc'", " placing 'x' from 2)", 24)} as b, initcap('') as c, initcap(null) as d`,
      [{ a: 'Ab', b: 'axc', c: '', d: null }],
    ],
    [
      'select width_bucket(5, 0, 10, 5), div(7, 2) = 3 as div, every(x) from (values (true), (false)) t(x)',
      [{ width_bucket: 3, div: true, every: false }],
    ],
    [
      "select date_bin('15 minutes', timestamp '2024-01-01 10:22', timestamp '2024-01-01')::text as bin, (date '2024-01-31' + make_interval(months => 1))::text as next, clock_timestamp() is not null as now",
      [{ bin: '2024-01-01 10:15:00', next: '2024-02-29 00:00:00', now: true }],
    ],
  ])('what people write for PostgreSQL: %s', async (sql, answer) => {
    expect((await ada.query(sql)).rows).toEqual(answer)
  })

  test('days, hours and times without an offset are those of the zone of the connection', async () => {
    const client = await connect('ada', { options: '-c timezone=Europe/Berlin' })
    const one = async (sql: string, values: unknown[] = []) =>
      (await client.query({ text: sql, values, rowMode: 'array' })).rows.flat()
    await client.query('create table raw.moments (id int, ts timestamptz, day text)')
    const local = '2024-07-01 00:30'
    await client.query(`insert into raw.moments values (1, '${local}', date_trunc('day', now()) = current_date)`)
    await client.query("insert into raw.moments (id, ts) values (2, $1), (3, '2024-07-01 00:30+00')", [local])
    await client.query("update raw.moments set day = ts::date, ts = timestamp '2024-07-01 00:30' where id = 3")
    expect(await one('select distinct ts::text, ts::date::text from raw.moments')).toEqual([
      '2024-07-01 00:30:00+02',
      '2024-07-01',
    ])
    expect(await one(`select id from raw.moments where ts = '${local}' order by 1`)).toEqual([1, 2, 3])
    expect(await one('select id from raw.moments where ts <= $1 order by 1', [local])).toEqual([1, 2, 3])
    expect(await one("select id from raw.moments where ts < '2024-07-01'")).toEqual([])
    // Partitions and bounds are those of the instants, and a default is one.
    await client.query(`create table raw.by_day (id int, ts timestamptz default '${local}') partitioned by (day(ts))`)
    await client.query("insert into raw.by_day values (1, default), (2, '2024-07-01 12:00'), (3, '2024-06-30 12:00')")
    expect(await one(`select id from raw.by_day where ts = '${local}'`)).toEqual([1])
    expect(await one("select id from raw.by_day where ts < '2024-07-01'")).toEqual([3])
    expect(await one("select id from raw.by_day where ts::date = '2024-07-01' order by 1")).toEqual([1, 2])
    await client.query('drop table raw.by_day')
    const inUtc = ['2024-06-30 22:30:00+00']
    const text = 'select ts::text from raw.moments where id = 1'
    await client.query('begin')
    expect(await one(text)).toEqual(['2024-07-01 00:30:00+02'])
    await client.query("set local time zone 'UTC'")
    expect(await one(text)).toEqual(inUtc)
    expect(await one("select count(*)::int from raw.moments where ts < '2024-07-01'")).toEqual([3])
    await client.query('commit')
    expect(await one(text)).toEqual(['2024-07-01 00:30:00+02'])
    await client.query("set time zone interval '-08:00' hour to minute")
    expect(await one(text)).toEqual(['2024-06-30 14:30:00-08'])
    await client.query('discard all')
    expect(await one('show timezone')).toEqual(['Europe/Berlin'])
    expect(await codeOf(client.query("set time zone 'Nowhere'"))).toBe('22023')
    const other = await connect('ada')
    expect((await other.query({ text, rowMode: 'array' })).rows).toEqual([inUtc])
    await client.query('drop table raw.moments')
  })

  test('|| puts JSON together where a side says that it is JSON, and is refused where none does', async () => {
    await ada.query('create table raw.docs (id int, a jsonb, b jsonb, t text)')
    await ada.query(`insert into raw.docs values (1, '{"k": 1, "deep": {"x": 1}}', '{"k": null, "l": [1]}', 'x'),
      (2, '[1, 2]', '{"k": 1}', 'y'), (3, '1', '[2]', 'z'), (4, null, '[]', null)`)
    const told = async (expression: string, values: unknown[] = []) => {
      const sql = `select ${expression} as it from raw.docs order by id`
      return (await ada.query<{ it: unknown }>(sql, values)).rows.map(({ it }) => it)
    }
    const together = [{ k: null, deep: { x: 1 }, l: [1] }, [1, 2, { k: 1 }], [1, 2], null]
    expect(await told('a::jsonb || b')).toEqual(together)
    expect(await told('coalesce(a, null::jsonb) || b')).toEqual(together)
    expect(await told(`a || '{"deep": {"y": 2}}' || '{"m": 1}'`)).toEqual([
      { k: 1, deep: { y: 2 }, m: 1 },
      [1, 2, { deep: { y: 2 } }, { m: 1 }],
      [1, { deep: { y: 2 } }, { m: 1 }],
      null,
    ])
    const [first] = await told('a || $1', ['{"k": "it\'s"}'])
    expect(first).toMatchObject({ k: "it's" })
    expect(await told(`jsonb_build_object('id', id) || (a -> 'deep' || '[7]')`)).toEqual([
      [{ id: 1 }, { x: 1 }, 7],
      null,
      null,
      null,
    ])
    expect(await told(`t || a`)).toEqual(['x{"k": 1, "deep": {"x": 1}}', 'y[1, 2]', 'z1', null])
    expect(await told(`t || '{"a": 1}'`)).toEqual(['x{"a": 1}', 'y{"a": 1}', 'z{"a": 1}', null])
    expect(await told(`a::text || b::text || (a ->> 'k')`)).toHaveLength(4)
    expect(await told(`(a ->> 'k') || '{"a": 1}'`)).toEqual(['1{"a": 1}', null, null, null])
    for (const one of ['a || b', "a || '1'", "id, (a || b) -> 'k'"])
      await expect(told(one), one).rejects.toMatchObject({ code: '0A000', position: expect.stringMatching(/^\d+$/) })
    await world.rows('create view raw.joined as select id, a || b as it, a from raw.docs')
    expect((await ada.query('select it from raw.joined where id = 3')).rows).toEqual([{ it: '1[2]' }])
    expect(await codeOf(ada.query('select a || a from raw.joined'))).toBe('0A000')
    await ada.query('drop view raw.joined')
    const changed = await ada.query(`update raw.docs set a = a || '{"new": true}'::jsonb where id = 1 returning a`)
    expect(changed.rows).toEqual([{ a: { k: 1, deep: { x: 1 }, new: true } }])
    await ada.query('drop table raw.docs')
  })

  test('a backslash escapes in patterns that are parameters, too', async () => {
    const sql = "select x from (values ('a_c'), ('abc')) t(x) where x like $1 and x ilike $2::text"
    expect((await ada.query(sql, [String.raw`%\_%`, String.raw`A\_c`])).rows).toEqual([{ x: 'a_c' }])
  })

  test('rows that are there already are changed in columns that were declared, too', async () => {
    await ada.query('create table once (email varchar(5) not null, n smallint, doc jsonb)')
    const put = `insert into once values ($1, 1, '{}') on conflict (email) do update set n = excluded.n + once.n returning n`
    expect((await ada.query(put, ['a@x'])).rows).toEqual([{ n: 1 }])
    expect((await ada.query(put, ['a@x'])).rows).toEqual([{ n: 2 }])
    expect(await codeOf(ada.query(put, ['too long']))).toBe('22001')
    expect(
      await codeOf(ada.query(`insert into once (email) values ('a@x') on conflict (email) do update set n = 99999`)),
    ).toBe('22003')
  })

  test.each([
    [`select 2 = any('{1,2}'), 'b' <> all('{a,"b,c"}'), 1 = any('{}'), 1 <> all('{}')`, [true, true, false, true]],
    [`select array['a', 'b'] @> '{b}', '{a}' <@ array['a'], array['x'] && '{y,z}'`, [true, true, false]],
    [`select '{"a": [1, {"b": 2}]}'::jsonb #> '{a,1}', '{"a": [1]}'::json #>> array['a', '0'] = '1'`, [{ b: 2 }, true]],
    [`select 'int4'::text::regtype::oid, 'bool'::varchar::regtype::oid`, [23, 16]],
    [`select pg_try_advisory_lock(1), pg_advisory_lock(1, 2) is not null, pg_advisory_unlock(1)`, [true, true, true]],
    [`select count(*) from pg_type where typname in ('inet', '_inet')`, ['2']],
    [
      `select json_typeof(x), jsonb_array_length('[1,2]'), json_object_agg('k', 1), jsonb_exists('{"a":1}'::jsonb, 'b') from (values ('1.5'::json), (null)) v(x) where x is null group by x`,
      [null, 2, { k: 1 }, false],
    ],
    [
      `select '{"a":1,"c":[1,2]}'::jsonb @> '{"c":[2]}', '[1]'::jsonb @> '2'::jsonb, array['a'] @> '{"a"}'`,
      [true, false, true],
    ],
    [`select jsonb_array_elements('[{"a":1}]'::jsonb), json_array_elements_text('["x"]')`, [{ a: 1 }, 'x']],
    [
      `select cardinality(array[1, 2, 3]), cardinality(array[[1, 2], [3, 4]]), cardinality('{}'::int[]), cardinality(null::int[])`,
      [3, 4, 0, null],
    ],
    [`select mod(7::numeric(1000, 15), 4::numeric(1000, 15))::int as m`, [3]],
  ])('%s', async (sql, row) => {
    const { rows } = await ada.query({ text: sql, rowMode: 'array' })
    expect(rows).toEqual([row])
  })

  test('lists as parameters beside operators of lists, paths into JSON', async () => {
    await ada.query('create table tagged (id int, tags text[], doc jsonb)')
    await ada.query(`insert into tagged values (1, '{x,"y,z"}', '{"k": {"v": "1"}}'), (2, '{}', null)`)
    const ids = async (where: string, ...values: unknown[]) =>
      (await ada.query({ text: `select id from tagged where ${where}`, values, rowMode: 'array' })).rows.flat()
    expect(await ids('tags @> $1', ['y,z'])).toEqual([1])
    expect(await ids('tags && $1 and $2 <@ tags', ['x', 'q'], ['x'])).toEqual([1])
    expect(await ids('doc #>> $1 = $2', ['k', 'v'], '1')).toEqual([1])
    expect(await ids('(doc #> array[$1, $2]::text[])::jsonb = $3::jsonb', 'k', 'v', '"1"')).toEqual([1])
  })

  test('JSON is compared by its values, and what is taken out of it binds tighter than what is around it', async () => {
    await ada.query('create table loose (id int, doc jsonb, t text)')
    await ada.query(`insert into loose values (1, '{"a": {"b": [1, 2]}, "k": "v"}'::jsonb, 'v'), (2, null, 'x')`)
    await ada.query(`insert into loose values (3, '{"a":{"b":[1,2]},"k":"v"}', null)`)
    const ids = async (where: string) =>
      (await ada.query({ text: `select id from loose where ${where} order by 1`, rowMode: 'array' })).rows.flat()
    for (const [where, found] of [
      [`doc = '{"a": {"b": [1,  2]}, "k": "v"}'::jsonb`, [1, 3]],
      [`("loose"."doc" #> '{a,b}') = '[1, 2]'::jsonb`, [1, 3]],
      [`doc -> 'a' = '{"b": [1, 2]}'::jsonb and id = 1`, [1]],
      [`id = 1 and doc -> 'a' #> '{b}' <> '[2]'::jsonb`, [1]],
      [`id = 1 and doc ->> 'k' = 'v' and t = 'v'`, [1]],
      [`not doc ->> 'k' = 'x' and 'v' = doc ->> 'k'`, [1, 3]],
      [`t = doc ->> 'k' or doc -> 'a' -> 'b' ->> 0 is null`, [1, 2]],
      [`id < 3 and doc -> 'a' @> '{"b": [1]}' and doc -> 'a' ? 'b'`, [1]],
      [`id < 3 and doc -> 'a' <@ '{"b": [1, 2, 3], "c": 1}'::jsonb`, [1]],
      [`doc ?& '{a,k}' and not doc ?| '{x,y}'`, [1, 3]],
    ] as const)
      expect([where, await ids(where)]).toEqual([where, found])
    // What is set is not compared.
    await ada.query(`update loose set t = 'y', doc = '{"z": 1}'::jsonb where doc ->> 'k' = 'v' and id = 3`)
    expect(await ids(`doc -> 'z' = '1'::jsonb`)).toEqual([3])
  })

  test('a comment between dollars, as dbt sends it', async () => {
    await ada.query('create table told (id int)')
    await ada.query(`comment on table told is $dbt_block$it's "all"; $1 of it$dbt_block$`)
    await ada.query(`comment on column told.id is $$the id$$`)
    expect(
      (await ada.query(`select obj_description('told'::regclass) as d, col_description('told'::regclass, 1) as c`))
        .rows,
    ).toEqual([{ d: `it's "all"; $1 of it`, c: 'the id' }])
    const quoted = `obj_description(quote_ident('told')::regclass, 'pg_class')`
    expect((await ada.query(`select ${quoted} as d`)).rows).toEqual([{ d: `it's "all"; $1 of it` }])
    // TypeORM names the database, too.
    const columns = `select col_description(('"' || table_catalog || '"."' || table_schema || '"."' || table_name || '"')::regclass::oid, ordinal_position) as d
      from information_schema.columns where table_name = 'told'`
    for (const one of [columns, columns.replaceAll(`'"' ||`, '').replaceAll(`'"."'`, `'.'`).replace(`|| '"'`, '')])
      expect((await ada.query(one)).rows).toEqual([{ d: 'the id' }])
    expect(await ada.query(`comment on schema raw is $$as it came$$`)).toMatchObject({ command: 'COMMENT' })
    const told = `select obj_description('raw'::regnamespace, 'pg_namespace') as d`
    expect((await ada.query(told)).rows).toEqual([{ d: 'as it came' }])
    const rob = await connect('rob')
    await expect(rob.query(`comment on schema raw is 'mine'`)).rejects.toMatchObject({ code: '42501' })
    expect((await rob.query(told)).rows).toEqual([{ d: 'as it came' }])
    await rob.end()
    await ada.query('comment on schema raw is null')
    expect((await ada.query(told)).rows).toEqual([{ d: null }])
  })

  test('a view asks for whoever reads it, and not for who made it', async () => {
    await ada.query('create view raw.asks as select current_user as who, session_user as again')
    // Kept for ada alone.
    for (let time = 0; time < 2; time++)
      expect((await ada.query('select * from raw.asks')).rows).toEqual([{ who: 'ada', again: 'ada' }])
    const rob = await connect('rob')
    expect((await rob.query('select * from raw.asks')).rows).toEqual([{ who: 'rob', again: 'rob' }])
    await rob.end()
    await ada.query('drop view raw.asks')
  })

  test('a view is made, renamed by ALTER TABLE over the one before, and commented, in one transaction, as dbt does', async () => {
    await ada.query('create view seen as select 1 as id')
    await ada.query('begin')
    await ada.query('create view seen__dbt_tmp as select 2 as id')
    await ada.query('alter table seen rename to seen__dbt_backup')
    await ada.query('alter table seen__dbt_tmp rename to seen')
    await ada.query(`comment on view seen is 'the second'`)
    await ada.query('create view fresh as select 3 as id')
    await ada.query(`comment on view fresh is 'new'`)
    await ada.query(`comment on column fresh.id is 'its id'`)
    await ada.query('commit')
    await ada.query('drop view if exists seen__dbt_backup cascade')
    expect((await ada.query(`select id, obj_description('seen'::regclass) as d from seen`)).rows).toEqual([
      { id: 2, d: 'the second' },
    ])
    await ada.query(`comment on column seen.id is 'an id'`)
    const described = await ada.query(
      `select objsubid as n, description as d from pg_description where objoid in ('fresh'::regclass, 'seen'::regclass) order by 2`,
    )
    expect(described.rows).toEqual([
      { n: 1, d: 'an id' },
      { n: 1, d: 'its id' },
      { n: 0, d: 'new' },
      { n: 0, d: 'the second' },
    ])
  })

  test('a column comes with a value and then without a default, as Django adds one; a type that stays is no change', async () => {
    await ada.query('create table grown (id int, tags varchar(255)[])')
    await ada.query('insert into grown values (1)')
    await ada.query('alter table grown add column n int default 4 not null')
    await ada.query('alter table grown alter column n drop default')
    await ada.query('alter table grown alter column tags type varchar(255)[]')
    expect(await codeOf(ada.query('insert into grown (id) values (2)'))).toBe('23502')
    expect((await ada.query('select id, n from grown')).rows).toEqual([{ id: 1, n: 4 }])
  })

  test('lists in parentheses, as JDBC writes them into a text', async () => {
    await ada.query('create table wrapped (name text, tags text[], numbers int[])')
    await ada.query(`insert into wrapped values (('a'), ('{"x","y"}'), ('{"1",NULL,"3"}')), ('b', ('{}'), null)`)
    await ada.query(`update wrapped set numbers = ('{"4"}') where name = any (('{"b","c"}'))`)
    expect((await ada.query('select * from wrapped order by name')).rows).toEqual([
      { name: 'a', tags: ['x', 'y'], numbers: [1, null, 3] },
      { name: 'b', tags: [], numbers: [4] },
    ])
    expect((await ada.query(`select * from (values ('{a}'), ('{b}')) v(x) where x in ('{b}')`)).rows).toEqual([
      { x: '{b}' },
    ])
    await ada.query('drop table wrapped')
  })

  test('ONLY before the table that is changed, as Spark and pg_restore write it', async () => {
    await ada.query('create table alone as select * from (values (1), (2), (3)) v(a)')
    const counts = []
    for (const change of [
      'delete from only public.alone where a = 1',
      'update only alone as t set a = 5 where t.a = 2',
      'truncate table only public.alone',
      'truncate only alone, only public.alone',
    ])
      counts.push((await ada.query(change)).rowCount, (await ada.query('select * from only alone')).rowCount)
    expect(counts).toEqual([1, 2, 1, 2, null, 0, null, 0])
    await ada.query('drop table alone')
  })

  test.each([
    ["select j -> 'a', j #> '{a}', j || '{\"b\": 2}' from of_json", [3802, 3802, 3802]],
    ['select jsonb_agg(j), to_jsonb(1) from of_json', [3802, 3802]],
    ["update of_json set id = 2 returning j -> 'a', k", [3802, 114]],
    ["select j, k, json_build_object('a', 1), row_to_json(of_json) from of_json", [3802, 114, 114, 114]],
    ['select json_agg(id), to_json(max(id)) from of_json', [114, 114]],
  ])('computed JSON is of the type that PostgreSQL gives it: %s', async (sql, oids) => {
    await ada.query('create table if not exists of_json (id int, j jsonb, k json)')
    await ada.query('truncate of_json')
    await ada.query(`insert into of_json values (1, '{"a": 1}', '{}')`)
    const text = await ada.query({ text: sql, rowMode: 'array' })
    expect(text.fields.map(({ dataTypeID }) => dataTypeID)).toEqual(oids)
    const types = { getTypeParser: () => (value: string) => value }
    const binary = { text: sql, rowMode: 'array', binary: true, queryMode: 'extended', types }
    const { rows } = await ada.query<string[]>(binary as never)
    // Behind the version of jsonb the same text.
    const texts = rows[0]!.map((value, at) => (oids[at] === 3802 ? value.replace('\u0001', '') : value))
    expect(rows[0]!.map((value) => value.startsWith('\u0001'))).toEqual(oids.map((oid) => oid === 3802))
    expect(texts.map((one) => JSON.parse(one) as unknown)).toEqual(text.rows[0])
  })

  test('what the connection holds is in pg_cursors and pg_prepared_statements', async () => {
    const client = await connect('ada')
    const cursors = 'select name, statement, is_holdable, is_scrollable from pg_cursors order by name'
    expect((await client.query(cursors)).rows).toEqual([])
    await client.query("begin; declare c scroll cursor for select 'it''s'; declare b cursor with hold for select 2")
    expect((await client.query(cursors)).rows).toEqual([
      { name: 'b', statement: 'declare b cursor with hold for select 2', is_holdable: true, is_scrollable: false },
      { name: 'c', statement: "declare c scroll cursor for select 'it''s'", is_holdable: false, is_scrollable: true },
    ])
    await client.query('close b')
    expect((await client.query('select count(*) from pg_catalog.pg_cursors c where c.name = $1', ['b'])).rows).toEqual([
      { count: '0' },
    ])
    await client.query('commit')
    await client.query({ name: 'named', text: 'select $1::int + 1', values: [1] })
    await client.query('prepare said(int, text) as select $1, $2')
    expect(
      (await client.query('select name, statement, parameter_types, from_sql from pg_prepared_statements order by 1'))
        .rows,
    ).toEqual([
      { name: 'named', statement: 'select $1::int + 1', parameter_types: [], from_sql: false },
      {
        name: 'said',
        statement: 'prepare said(int, text) as select $1, $2',
        parameter_types: ['int', 'text'],
        from_sql: true,
      },
    ])
    await client.query('deallocate all')
    expect((await client.query('select * from pg_prepared_statements')).rows).toEqual([])
    await client.end()
  })

  test('a database that is there is not made again, and 6 # 3 is bit by bit', async () => {
    expect(await codeOf(ada.query('create database dev'))).toBe('42P04')
    expect(await codeOf(ada.query('create database other'))).toBe('0A000')
    expect((await ada.query('select 6 # 3 as x, (5 # 1) # 2 as y')).rows).toEqual([{ x: 5, y: 6 }])
  })

  test('columns of intervals are that, whatever writes and reads them', async () => {
    await ada.query("create table waited (id int primary key, d interval, e interval day to second default '1 hour')")
    await ada.query(
      "insert into waited (id, d) values (1, '1 day 02:03:04.5'), (2, interval '-1 month'), (3, $$90 min$$), (4, null)",
    )
    expect(await codeOf(ada.query("insert into waited (id, d) values (5, 'nonsense')"))).toBe('22P02')
    const ask = async (text: string, values: unknown[] = []) =>
      (await ada.query({ text, values, rowMode: 'array' })).rows
    expect(await ask('select id, d::text, e::text from waited order by id')).toEqual([
      [1, '1 day 02:03:04.5', '01:00:00'],
      [2, '-1 month', '01:00:00'],
      [3, '01:30:00', '01:00:00'],
      [4, null, '01:00:00'],
    ])
    expect(await ask("select id from waited where d > interval '1 hour' order by d desc")).toEqual([[1], [3]])
    expect(await ask('update waited set d = d + $1 where id = 3 returning d::text', ['2 days'])).toEqual([
      ['2 days 01:30:00'],
    ])
    expect(await ask('insert into waited (id, d) select 9, d * 2 from waited where id = 3 returning d::text')).toEqual([
      ['4 days 03:00:00'],
    ])
    await ada.query(
      'create table waited_too as select id, d from waited; create view waiting as select id, d, now() - now() as none from waited',
    )
    expect(
      await ask('select t.id from waited_too t join waiting w on t.d = w.d and w.none = t.d - t.d order by 1'),
    ).toEqual([[1], [2], [3], [9]])
    const { fields } = await ada.query('select d, e from waited')
    expect(fields.map(({ dataTypeID }) => dataTypeID)).toEqual([1186, 1186])
    expect(await ask('select sum(d)::text, avg(d) is null, count(*)::int from waited where id in (1, 3)')).toEqual([
      ['3 days 03:33:04.5', false, 2],
    ])
    const summed = await ada.query('select id % 2 as odd, sum(d), avg(e) from waited group by 1 order by 1')
    expect(summed.fields.map(({ name, dataTypeID }) => [name, dataTypeID])).toEqual([
      ['odd', 23],
      ['sum', 1186],
      ['avg', 1186],
    ])
    await ada.query("alter table waited add column g text default '2 days'")
    await ada.query('alter table waited alter column g type interval')
    expect(await ask('select distinct g::text from waited')).toEqual([['2 days']])
    await ada.query('drop view waiting')
  })

  test('patterns that are put together, offsets of zones and JSON are compared as in PostgreSQL', async () => {
    await ada.query('create table compared (id int, a text, b text, j jsonb)')
    await ada.query(
      "insert into compared values (1, 'a_b%', 'a_b', '{\"k\": [1, 2], \"n\": 14}'), (2, 'axb', 'x', '{\"k\": 1, \"n\": \"y\"}')",
    )
    const ids = async (where: string) =>
      (await ada.query(`select id from compared where ${where} order by id`)).rows.map(({ id }: { id: number }) => id)
    expect(await ids(String.raw`a like replace(b, '_', E'\\_') || '%'`)).toEqual([1])
    expect(await ids(String.raw`upper(a) like upper('a\_b%') and id > 0`)).toEqual([1])
    expect(await ids(String.raw`not a like lower('A\_' || 'B%')`)).toEqual([2])
    expect(await ids(`a like b || '_' or a ilike 'AX' || 'b'`)).toEqual([1, 2])
    expect(await ids(`a like 'a%' and (false or (a ilike b || '%' and id in (1, 2)))`)).toEqual([1])
    expect(await ids(`a like left(b, 1) || '%' or (id) > 9`)).toEqual([1])
    await ada.query('create table compared_too (like compared)')
    expect(
      (
        await ada.query(
          `select a like b || '%' "Is", a like b::character varying || '_' it, a like b so from compared order by id`,
        )
      ).rows,
    ).toEqual([
      { Is: true, it: true, so: false },
      { Is: false, it: false, so: false },
    ])
    expect(await ids(`a like case when id = 1 then 'a%' else case when true then 'z' end end and true`)).toEqual([1])
    expect(await ids(`case when a like 'a' || '%' then id else 0 end > 1`)).toEqual([2])
    expect(await ids(`j -> 'k' in ('[1, 2]'::jsonb, '{"a": 1}'::jsonb)`)).toEqual([1])
    expect(await ids(`(j -> 'k') not in ('[1, 2]'::jsonb)`)).toEqual([2])
    expect(await ids(`j -> 'n' > '2'::jsonb`)).toEqual([1])
    expect(await ids(`j -> 'n' < '200'::jsonb`)).toEqual([1, 2])
    expect(await ids(`j @> j and (j -> 'k') <@ (j -> 'k')`)).toEqual([1, 2])
    expect(await ids(`j <@ '{"k": [1, 2], "n": 14, "z": true}'::jsonb`)).toEqual([1])
    expect((await ada.query(`select (time '12:00' - time '10:30')::text as apart`)).rows).toEqual([
      { apart: '01:30:00' },
    ])
    const { rows } = await ada.query({
      text: `select extract(hour from ts at time zone '-05:00')::int, extract(hour from timezone('UTC+3', ts))::int
        from (values (timestamptz '2015-06-15 14:30:00+00')) v(ts)`,
      rowMode: 'array',
    })
    expect(rows).toEqual([[19, 11]])
    expect(await codeOf(ada.query(`select now() at time zone '+05:30'`))).toBe('0A000')
  })

  test.each([
    ['update listed set tags = tags || $1 returning tags', [['z', 'y y']], ['a', 'b', 'z', 'y y']],
    ['update listed set nums = nums || $1 returning nums', [[7, 8]], [1, 2, 7, 8]],
    ['update listed set nums = nums || $1::int returning nums', [9], [1, 2, 9]],
    ['update listed set nums = array_append(nums, $1) returning nums', [3], [1, 2, 3]],
    ['update listed set tags = $1 || tags returning tags', [['first']], ['first', 'a', 'b']],
    ['update listed set tags = array_cat(tags, $1) returning tags', [['c']], ['a', 'b', 'c']],
    ['select nums || 5 || 6 from listed', [], [1, 2, 5, 6]],
    ['select (select nums from listed where false) || 5', [], [5]],
    ["select null::text[] || array['a'] || tags || array['z'] || 'y'::text from listed", [], ['a', 'a', 'b', 'z', 'y']],
    ['select (select nums from listed where false) || $1', [[1]], [1]],
    ['select 5 || nums from listed', [], [5, 1, 2]],
    ["select nums || '{5}' from listed", [], [1, 2, 5]],
    ["select array_cat(tags, '{c}') from listed", [], ['a', 'b', 'c']],
    ['select tags from listed where nums @> $1 and nums && $2', [[1], [2, 3]], ['a', 'b']],
  ])('lists beside items and texts: %s', async (sql, values, expected) => {
    await ada.query('drop table if exists listed; create table listed (tags text[], nums int[])')
    await ada.query("insert into listed values ('{a,b}', '{1,2}')")
    const ask = async () => (await ada.query({ text: sql, values, rowMode: 'array' })).rows[0]![0] as unknown
    expect(await ask()).toEqual(expected)
    await ada.query('delete from listed')
    // In a transaction, too, which goes on.
    await ada.query("begin; insert into listed values ('{a,b}', '{1,2}')")
    expect(await ask()).toEqual(expected)
    expect((await ada.query('select count(*) from listed')).rows).toEqual([{ count: '1' }])
    await ada.query('commit')
  })

  test.each([
    ['update joined set tags = tags || $1, nums = array_append(nums, $2)', [1009, 23]],
    ['update joined set nums = array_prepend($1, nums), tags = array_cat($2, tags)', [23, 1009]],
    ['select id from joined where j @> $1 and id = $2', [3802, 23]],
    ['select array_append(nums, $1) from joined', [23]],
  ])('drivers are told that a parameter is a list, an item of one, or JSON: %s', async (sql, oids) => {
    await ada.query('create table if not exists joined (id int, tags text[], nums int[], j jsonb)')
    const client = await raw('ada')
    client.send(parse('', sql), describeStatement(''), sync)
    const told = (await client.until('Z')).find(({ type }) => type === 't')!
    expect(Array.from({ length: told.body.readInt16BE(0) }, (_, at) => told.body.readInt32BE(2 + 4 * at))).toEqual(oids)
    client.close()
  })

  test('RETURNING tells what is read beside the table, and * is all of it', async () => {
    await ada.query(
      'create table chosen (id int primary key, n text); create table read_by (ref int, doc jsonb, at date)',
    )
    await ada.query("insert into chosen values (1, 'a'), (2, 'b')")
    await ada.query(`insert into read_by values (1, '{"a": 1}', '2024-01-02')`)
    const { rows, fields } = await ada.query(
      'update chosen c set n = $1 from read_by r where r.ref = c.id and c.id = $2 returning *, r.doc, doc',
      ['x', 1],
    )
    expect(fields.map(({ name }) => name)).toEqual(['id', 'n', 'ref', 'doc', 'at', 'doc', 'doc'])
    expect(rows).toMatchObject([{ id: 1, n: 'x', ref: 1, doc: { a: 1 } }])
    const gone = await ada.query(
      'delete from chosen using read_by r where r.ref = id returning chosen.*, r.ref + 1 as next',
    )
    expect(gone.rows).toEqual([{ id: 1, n: 'x', next: 2 }])
  })

  test('rows are held to a CHECK, and the catalog tells it', async () => {
    await ada.query(
      'create table held (id int primary key, "Age" int constraint grown_up check ("Age" >= 18), n text check (n ~ \'^x\'))',
    )
    expect(await codeOf(ada.query('insert into held values ($1, $2, $3)', [1, 17, 'ax']))).toBe('23514')
    expect(await codeOf(ada.query('insert into held values ($1, $2, $3)', [1, 18, 'ax']))).toBe('23514')
    await ada.query('insert into held values ($1, $2, $3)', [1, 18, 'xa'])
    expect(await codeOf(ada.query('alter table held add check (id > 1)'))).toBe('23514')
    const { rows } = await ada.query({
      text: `select conname, contype, conkey, pg_get_constraintdef(oid) as said, (select relchecks from pg_class r where r.oid = conrelid) as all
        from pg_constraint where conrelid = 'held'::regclass and contype = 'c' order by conname`,
    })
    expect(rows[0]).toEqual({ conname: 'grown_up', contype: 'c', conkey: [2], said: 'CHECK (("Age" >= 18))', all: 2 })
    expect(rows[1]).toMatchObject({ conname: 'held_n_check', conkey: [3] })
    await ada.query('set constraints all immediate')
    expect(
      (
        await ada.query(
          "select check_clause from information_schema.check_constraints where constraint_name = 'grown_up'",
        )
      ).rows,
    ).toEqual([{ check_clause: '("Age" >= 18)' }])
  })

  test('arrays of bytes, of several dimensions, and with blanks that are letters', async () => {
    await ada.query('create table raw.lists (b bytea[], m int[][], t text[])')
    await ada.query(`insert into raw.lists values ('{"\\\\x00ff",NULL}', '{{1,2},{3,4}}', '{\u00a0, b }')`)
    await ada.query('insert into raw.lists values ($1, $2, $3)', [[Buffer.from([0, 255])], [[5, 6]], ['x']])
    await ada.query('update raw.lists set m = $1::int[][] where b[2] is not null', [[[7]]])
    expect((await ada.query('select * from raw.lists order by t[1] desc')).rows).toEqual([
      {
        b: [Buffer.from([0, 255]), null],
        m: [
          [1, 2],
          [3, 4],
        ],
        t: ['\u00a0', 'b'],
      },
      { b: [Buffer.from([0, 255])], m: [[5, 6]], t: ['x'] },
    ])
    expect(
      (await ada.query(String.raw`select '{"\\x00ff"}'::bytea[] as b, '{{a,NULL},{"",d}}'::text[] as t`)).rows,
    ).toEqual([
      {
        b: [Buffer.from([0, 255])],
        t: [
          ['a', null],
          ['', 'd'],
        ],
      },
    ])
    const quoted = await ada.query(`select '{"a": 1}'::"jsonb" as j, '2000-01-01 00:00+2'::timestamptz as t`)
    expect(quoted.rows).toEqual([{ j: { a: 1 }, t: new Date('1999-12-31T22:00:00Z') }])
    const nested = await ada.query("select $1::text[] as a, cast($1 as text[]) as b, '{{a}}'::varchar(3)[] as c", [
      [['a'], ['b']],
    ])
    expect(nested.rows).toEqual([{ a: [['a'], ['b']], b: [['a'], ['b']], c: [['a']] }])
    const client = await raw()
    const items = [1, 2, 3, 4].map((one) => Buffer.from([0, 0, 0, 2, 0, one]))
    const head = Buffer.from([2, 0, 21, 2, 1, 2, 1].flatMap((one) => [0, 0, 0, one]))
    const value = Buffer.concat([head, ...items])
    const asked = message('P', cstring(''), cstring('select $1::int[]::text'), int16(1), int32(1005))
    const one = [int16(1), int16(1), int16(1), int32(value.length), value, int16(0)]
    client.send(asked, message('B', cstring(''), cstring(''), ...one), execute(''), sync)
    const row = (await client.until('Z')).find(({ type }) => type === 'D')
    expect(row?.body.subarray(6).toString()).toBe('[[1, 2], [3, 4]]')
    client.close()
    await ada.query('drop table raw.lists')
  })

  test('a query in a list is called as its column, an expression as its function', async () => {
    const { fields } =
      await ada.query(`select (select max(id) from raw.sales), (select s.item from raw.sales s limit 1),
      (select id as "It is" from raw.sales limit 1), (select coalesce((select 1), 2) from raw.sales limit 1), exists (select 1),
      case when true then 1 end, coalesce(1, 2), array[1], (select distinct id, from raw.sales limit 1)`)
    const names = ['max', 'item', 'It is', 'coalesce', 'exists', 'case', 'coalesce', 'array', 'id']
    expect(fields.map(({ name }) => name)).toEqual(names)
  })

  test('the first column of a key has the place 0', async () => {
    await ada.query('create table keyed (a int, b int, primary key (b, a))')
    const { rows } = await ada.query({
      text: `select i.indkey[0], i.indkey[s], pg_index_column_has_property(i.indexrelid, 1, 'asc')
        from pg_index i, generate_subscripts(i.indkey, 1) s where i.indrelid = 'keyed'::regclass order by s`,
      rowMode: 'array',
    })
    expect(rows).toEqual([
      [1, 1, true],
      [1, 2, true],
    ])
  })

  test('declared types in binary, as parameters, and in the statement that would make the table', async () => {
    await ada.query('create table small (b jsonb, s smallint)')
    await ada.query(`insert into small values ('{"a": 1}', -2)`)
    const client = await raw('ada')
    client.send(parse('', 'select b, s from small'), bind('', '', 1), execute(''), sync)
    const row = (await client.until('Z')).find(({ type }) => type === 'D')!
    expect(row.body.toString('latin1')).toBe('\0\x02\0\0\0\x09\x01{"a": 1}\0\0\0\x02\xff\xfe')
    client.send(parse('p', 'insert into small values ($1, $2)'), message('D', cstring('Sp')), sync)
    const asked = (await client.until('Z')).find(({ type }) => type === 't')!
    expect([asked.body.readInt32BE(2), asked.body.readInt32BE(6)]).toEqual([114, 21])
    client.close()
    expect((await ada.query('show create table small')).rows[0]).toMatchObject({
      statement: expect.stringContaining('"b" JSONB,\n  "s" SMALLINT') as string,
    })
  })

  test('float has 64 bits, rows for update are read, numerics have exponents, names have dots', async () => {
    const values = async (text: string, more: unknown[] = []) =>
      (await ada.query({ text, values: more, rowMode: 'array' })).rows as unknown[][]
    await ada.query('create table wide (a float, b float(10), "x.y" varchar(3), "z.w" serial)')
    await ada.query('insert into wide values (15.7563827, 15.7563827, null, default)')
    expect(await values('select a, b, "z.w", b::float from wide as w for no key update of w skip locked')).toEqual([
      [15.7563827, 15.756383, 1, 15.756382942199707],
    ])
    expect(await values("select $1::numeric, '-1.25E-2'::numeric, $2::float", ['1.5E+3', '1.1234567890123'])).toEqual([
      ['1500', '-0.0125', 1.1234567890123],
    ])
  })

  test('defaults are told, and a computed one of a required column is set again', async () => {
    await ada.query(`create table filled (id int default 3, v varchar(4) default 'it''s', b boolean default true, n numeric(5, 2) default -1.5,
      ts timestamp default '2024-01-01 10:00:00', at timestamptz not null default now(), u uuid default gen_random_uuid(), plain text)`)
    await ada.query('alter table filled alter column at set default now()')
    const shown = [
      ['id', '3'],
      ['v', "'it''s'::character varying"],
      ['b', 'true'],
      ['n', "'-1.50'::numeric"],
      ['ts', "'2024-01-01 10:00:00'::timestamp without time zone"],
      ['at', 'now()'],
      ['u', 'gen_random_uuid()'],
    ]
    const values = async (text: string) => (await ada.query({ text, rowMode: 'array' })).rows as unknown[][]
    expect(
      await values(
        "select column_name, column_default from information_schema.columns where table_name = 'filled' order by ordinal_position",
      ),
    ).toEqual([...shown, ['plain', null]])
    expect(
      await values(`select attname, pg_get_expr(adbin, adrelid) from pg_attribute join pg_attrdef on adrelid = attrelid and adnum = attnum
        where attrelid = 'filled'::regclass and atthasdef order by attnum`),
    ).toEqual(shown)
  })

  test('a sum of integers is a bigint, one of bigints a numeric', async () => {
    await ada.query('create table summed (i int, s smallint, b bigint, d double precision)')
    await ada.query('insert into summed values (1, 2, 3, 4), (10, 20, 30, 40)')
    const told = async (text: string, binary = false) => {
      const { fields, rows } = await ada.query({ text, binary, rowMode: 'array' } as pg.QueryArrayConfig)
      return [
        fields.map(({ dataTypeID }) => sqlNames[pgTypeOfOid(dataTypeID)!.type]),
        ...rows.map((row) => row.map(String)),
      ]
    }
    const all = 'select sum(i), sum(s), sum(b), sum(d), sum(case when i > 1 then 1 else 0 end), count(*) from summed'
    const types = ['bigint', 'bigint', 'numeric', 'double precision', 'bigint', 'bigint']
    for (const binary of [false, true])
      expect(await told(all, binary)).toEqual([types, ['11', '22', '33', '44', '1', '2']])
    const inside =
      'with q as (select coalesce(sum(i), 0) as total from summed group by s) select total, total * 1.5 from q order by 1'
    expect(await told(inside)).toEqual([
      ['bigint', 'numeric'],
      ['1', '1.5'],
      ['10', '15.0'],
    ])
    for (const binary of [false, true])
      await expect(told('select sum(2147483647) from range(5000000000)', binary)).rejects.toMatchObject({
        code: '22003',
      })
  })

  test('a cast to numeric rounds nothing away', async () => {
    const client = await connect('ada')
    const values = async (text: string) => (await client.query({ text, rowMode: 'array' })).rows[0]
    expect(
      await values(`select round(avg(x)::numeric, 2) as a, sum(cast(x as decimal))::text as b, cast('1.23456' as numeric) as c,
        numeric '-0.00001' as d, (array_agg(x)::numeric[])[1]::text as e from (values (2.4449::float8)) t(x)`),
    ).toEqual(['2.44', '2.4449000000', '1.23456', '-0.00001', '2.4449000000'])
  })

  test('parameters have the type that they are cast to; numerics keep their digits; EXECUTE is described', async () => {
    const client = await raw('ada')
    const asked = async (sql: string) => {
      client.send(parse('', sql), message('D', cstring('S')), sync)
      const { body } = (await client.until('Z')).find(({ type }) => type === 't')!
      return Array.from({ length: body.readInt16BE(0) }, (_, at) => body.readInt32BE(2 + at * 4))
    }
    expect(await asked('select 10 / $1::int, cast($2 as double precision), $3::varchar(3), $4::int[]')).toEqual([
      23, 701, 1043, 1007,
    ])
    expect(await asked('select generate_series(0, $1::"pg_catalog"."int8")')).toEqual([20])
    expect(await asked('show transaction_isolation;')).toEqual([])
    client.send(parse('p', 'select 1 as one'), parse('', 'execute p'), message('D', cstring('S')), sync)
    expect((await client.until('Z')).map(({ type }) => type).join('')).toBe('11tTZ')
    // In the format that was asked for.
    client.send(bind('', '', 1), execute(''), sync)
    const row = (await client.until('Z')).find(({ type }) => type === 'D')!
    expect(row.body.readInt32BE(6)).toBe(1)
    client.close()
    const numbers = "select $1::numeric, $2::numeric, '0.00001'::numeric, (-1.23456)::numeric"
    expect((await ada.query({ text: numbers, values: ['0.000010', '-5'], rowMode: 'array' })).rows).toEqual([
      ['0.000010', '-5', '0.00001', '-1.23456'],
    ])
  })

  test('what a key in GROUP BY determines need not stand there, as Django and Rails leave it out', async () => {
    const client = await connect('ada')
    const values = async (sql: string) => (await client.query({ text: sql, rowMode: 'array' })).rows
    await client.query('create table author (id int primary key, name text, born date)')
    await client.query('create table book (id int primary key, author_id int, title text)')
    await client.query("insert into author values (1, 'x', null), (2, 'y', null)")
    await client.query("insert into book values (1, 1, 's'), (2, 1, 't'), (3, 2, 'u')")
    const from = 'from author a join book on book.author_id = a.id'
    for (const [sql, rows] of [
      [
        `select "author"."id", "author"."name", count(b."id") as c from "author" left outer join book b on ("author"."id" = b.author_id)
        group by "author"."id" order by "author"."born", "author"."name" desc`,
        [
          [2, 'y', '1'],
          [1, 'x', '2'],
        ],
      ],
      [
        `select a.*, count(*) ${from} group by a.id order by 1`,
        [
          [1, 'x', null, '2'],
          [2, 'y', null, '1'],
        ],
      ],
      [`select a.id, upper(name) ${from} group by 1 having a.name <> 'x'`, [[2, 'Y']]],
      [`select a.id, book.title as t ${from} group by a.id, book.id order by 2 desc limit 1`, [[2, 'u']]],
      [
        'select count(*) from (select id, name from author group by id union all select id, title from book group by id) as q',
        [['5']],
      ],
    ] as const)
      expect(await values(sql)).toEqual(rows)
    for (const sql of [
      'select id, name from author group by name',
      `select a.id, title ${from} group by a.id`,
      `select a.id, book.title ${from} group by book.author_id, a.id`,
      'select id, name from author group by rollup (id)',
      'select q.name from (select * from author) as q group by q.id',
    ])
      expect(await codeOf(client.query(sql)), sql).toBe('42803')
    await client.end()
  })

  test('what PostgreSQL has otherwise is as there: plain names, keys, series, temporary tables, DISCARD', async () => {
    const notices: (string | undefined)[] = []
    const client = await connect('ada')
    client.on('notice', ({ message: said }) => notices.push(said))
    const values = async (sql: string) => (await client.query({ text: sql, rowMode: 'array' })).rows
    await client.query(
      'create table plain (id int primary key, doc jsonb, price numeric, old decimal(4, 1) not null default 0)',
    )
    expect(notices).toEqual([])
    await client.query(`create table child (id serial primary key, plain_id int not null references plain (id) on delete cascade deferrable initially deferred,
      code text unique, at timestamptz default now())`)
    await client.query('create unique index child_code on child (code)')
    await client.query('alter table child add constraint u unique (plain_id, code)')
    expect(notices).toEqual([expect.stringMatching(/^a foreign key .* nothing enforces it/)])
    expect(
      await values(
        "select distinct constraint_type, enforced from information_schema.table_constraints where table_name = 'child' order by 1",
      ),
    ).toEqual([
      ['FOREIGN KEY', 'NO'],
      ['PRIMARY KEY', 'YES'],
      ['UNIQUE', 'YES'],
    ])
    await client.query('insert into plain (id) values (1)')
    const again = await client.query('insert into plain (id) values (1)').catch((error: unknown) => error)
    expect(again).toMatchObject({
      code: '23505',
      message: 'duplicate key value violates unique constraint "plain_pkey"',
      detail: 'Key (id)=(1) already exists.',
      schema: 'public',
      table: 'plain',
      constraint: 'plain_pkey',
    })
    await client.query('alter table plain add constraint dear check (price < 100)')
    const told: [sql: string, ...fields: (string | undefined)[]][] = [
      ['insert into plain (id, price) values (2, 200)', '23514', undefined, 'dear'],
      ['update plain set price = 200', '23514', undefined, 'dear'],
      ['alter table plain add constraint kept check (id > 1)', '23514', undefined, 'kept'],
      ['insert into plain (id, old) values (2, null)', '23502', 'old', undefined],
      ['update plain set old = null', '23502', 'old', undefined],
      ['insert into plain (old) values (1)', '23502', 'id', undefined],
      ['alter table plain alter column price set not null', '23502', 'price', undefined],
    ]
    for (const [sql, code, column, constraint] of told) {
      const failure = await client.query(sql).catch((error: unknown) => error)
      expect(failure, sql).toMatchObject({ code, schema: 'public', table: 'plain', column, constraint })
    }
    await client.query('insert into plain (id) values (2)')
    for (const sql of ['update plain set id = 1', 'alter table plain add constraint one unique (old)'])
      expect(await client.query(sql).catch((error: unknown) => error), sql).toMatchObject({
        code: '23505',
        schema: 'public',
        table: 'plain',
        constraint: sql.startsWith('update') ? 'plain_pkey' : 'one',
      })
    const often = 'insert into plain (id) values (7), (7) on conflict (id) do update set old = 1'
    expect(await client.query(often).catch((error: unknown) => error)).toMatchObject({ code: '21000' })
    await client.query('alter table plain drop constraint dear')
    await client.query('delete from plain')
    const keys = async () =>
      (
        await values(
          "select conname from pg_constraint where conrelid = 'child'::regclass and contype = 'u' order by 1",
        )
      ).flat()
    expect(await keys()).toEqual(['child_code', 'child_code_key', 'u'])
    await client.query('create unique index concurrently if not exists part on child using btree (at desc nulls last)')
    await client.query('create unique index few on child (code) where id > 3')
    await client.query('alter index child_code rename to code_of_child; alter index few rename to fewer')
    await client.query('alter table child rename constraint u to v')
    expect(await keys()).toEqual(['child_code_key', 'code_of_child', 'part', 'v'])
    await client.query('alter table child rename constraint v to u')
    await client.query('drop index concurrently if exists code_of_child, public.part, nowhere')
    expect(await keys()).toEqual(['child_code_key', 'u'])
    const foreign =
      "select conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'child'::regclass and contype = 'f' order by 1"
    await client.query(
      'alter table child add constraint late foreign key (code, id) references nowhere (a, b) not valid',
    )
    expect(await values(foreign)).toEqual([
      ['child_plain_id_fkey', 'FOREIGN KEY (plain_id) REFERENCES plain(id) ON DELETE CASCADE'],
    ])
    await client.query('create table nowhere (b int, a text)')
    await client.query('alter table child validate constraint late')
    expect((await values(foreign))[1]).toEqual(['late', 'FOREIGN KEY (code, id) REFERENCES nowhere(a, b)'])
    await client.query('alter table child drop constraint late; drop table nowhere')
    expect(await values(foreign)).toHaveLength(1)
    await client.query('alter table child drop constraint u, drop constraint if exists v')
    expect(await values("insert into child (plain_id, code) values (1, 'a'), (1, 'b') returning id")).toEqual([
      [1],
      [2],
    ])
    expect(
      await values("insert into child (plain_id, code) values (2, 'a') on conflict do nothing returning id"),
    ).toEqual([])
    notices.length = 0
    for (const heard of [
      'create extension if not exists "uuid-ossp"',
      'drop function if exists f()',
      'drop sequence if exists s',
      'vacuum analyze child',
      'lock table child in share mode',
    ])
      await client.query(heard)
    expect(notices).toHaveLength(5)
    expect(await codeOf(client.query('drop function f()'))).toBe('0A000')
    expect(await values('select length(uuid_generate_v4()::text)')).toEqual([['36']])
    await client.query(`insert into plain values (1, '{"a": 1}', 1.23456, 2) on conflict do nothing`)
    expect(await values('insert into plain values (1, null, 0, 0) on conflict do nothing returning id')).toEqual([])
    expect(await values('select price = 1.23456 from plain')).toEqual([[true]])
    expect(await values('select current_schema(), id from public.plain')).toEqual([['public', 1]])
    expect(await codeOf(client.query('select * from no_such_table'))).toBe('42P01')
    expect(await values('select generate_series(1, 3)')).toEqual([[1], [2], [3]])
    expect(await values("select date '2024-01-01' + generate_series(0, 1) as d, 'x'")).toHaveLength(2)
    expect(await values('select x + 1 from generate_series(1, 2) as x')).toEqual([[2], [3]])
    expect(await values('select generate_series from generate_series(1, 1) as x')).toEqual([[1]])
    const hex = String.raw`'\x00ff41'`
    await client.query('create table bytes (b bytea, t text)')
    await client.query(`insert into bytes values (${hex}, ${hex}), (${hex}::bytea, null)`)
    await client.query(String.raw`update bytes set b = E'\\xdead' where b = cast(${hex} as bytea) and t is null`)
    expect((await client.query('select b, t from bytes order by t nulls last')).rows).toEqual([
      { b: Buffer.from([0, 255, 65]), t: hex.slice(1, -1) },
      { b: Buffer.from([222, 173]), t: null },
    ])
    await client.query('create temp table plain (word text)')
    await client.query("create temp table dated (id int, at timestamptz default '2024-01-01 00:00+02')")
    expect(await values('insert into dated (id) values (1) returning at::text')).toEqual([['2023-12-31 22:00:00+00']])
    const toldOf = `select n.nspname, c.relpersistence from pg_class c join pg_namespace n on n.oid = c.relnamespace where relname = 'plain' order by 1`
    expect(await values(toldOf)).toEqual([
      ['pg_temp', 't'],
      ['public', 'p'],
    ])
    expect((await ada.query(toldOf)).rowCount).toBe(1)
    await client.query("insert into plain values ('mine')")
    expect(await values('select * from plain')).toEqual([['mine']])
    expect(
      (await client.query({ name: 'temp', text: 'select word from plain where word = $1', values: ['mine'] })).rowCount,
    ).toBe(1)
    await client.query('discard all')
    expect(await values('select id from plain')).toEqual([[1]])
    await client.query('begin isolation level serializable read only deferrable')
    const shown =
      "select current_setting('transaction_isolation'), current_setting('transaction_read_only'), current_setting('transaction_deferrable')"
    expect(await values(shown)).toEqual([['serializable', 'on', 'on']])
    await client.query('rollback')
    expect(await values(shown)).toEqual([['read committed', 'off', 'off']])
    await client.query('begin')
    await client.query('create table inside (n bigint)')
    expect(
      (await client.query({ name: 'inside', text: 'select n from inside where n = $1', values: ['5'] })).rows,
    ).toEqual([])
    await client.query('rollback')
    await client.end()
  })

  test('several columns are set to those of one query', async () => {
    await ada.query(
      'create table raw.set_to (id int, a int, b text); create table raw.set_from (id int, x int, y text)',
    )
    await ada.query(
      "insert into raw.set_to values (1, 0, 'o'), (2, 0, 'o'); insert into raw.set_from values (1, 10, 'x')",
    )
    await ada.query('update raw.set_to t set (a, b) = (select x, y from raw.set_from f where f.id = t.id), id = id + 1')
    expect((await ada.query({ text: 'select * from raw.set_to order by id', rowMode: 'array' })).rows).toEqual([
      [2, 10, 'x'],
      [3, null, null],
    ])
    await ada.query("insert into raw.set_from values (2, 20, 'y')")
    // Of two rows none is meant.
    expect(await codeOf(ada.query('update raw.set_to set (a, b) = (select x, y from raw.set_from)'))).not.toBe(
      'no error',
    )
  })

  test('JSON that clients could not read is not taken: NaN, Infinity, a comma behind the last item', async () => {
    await ada.query('create table raw.strict (d jsonb, t text)')
    for (const bad of ['[1,2,]', '{"a":NaN}', '{"a": 1 , }', '-Infinity', '{"a":[{"b":inf}]}'])
      expect(await codeOf(ada.query('insert into raw.strict (d) values ($1)', [bad])), bad).toBe('22P02')
    const good = { a: 'NaN, inf,]" ,}', infinite: [1], nan: null }
    await ada.query('insert into raw.strict values ($1, $2), (null, null)', [JSON.stringify(good), '[1,]'])
    expect((await ada.query('select d from raw.strict order by t')).rows).toEqual([{ d: good }, { d: null }])
    expect(await codeOf(ada.query('alter table raw.strict alter column t type json'))).toBe('22P02')
  })

  test('a session that is read-only writes nothing, also outside of transactions', async () => {
    const client = await connect('ada')
    await client.query('create table raw.kept (a int)')
    const code = (sql: string) => codeOf(client.query(sql))
    await client.query('set default_transaction_read_only = on')
    for (const sql of [
      'insert into raw.kept values (1)',
      'drop table raw.kept',
      'with a as (select 1 as n) insert into raw.kept select n from a',
      'create schema further',
      'grant select on raw.kept to mia',
      'create temp table own as select 1 as n; insert into raw.kept select n from own',
    ])
      expect(await code(sql), sql).toBe('25006')
    expect(await code('create temp table own (n int)')).toBe('no error')
    expect(await code('explain select 1; select count(*) from raw.kept')).toBe('no error')
    await client.query('begin')
    expect(await code('set transaction read write; insert into raw.kept values (1)')).toBe('no error')
    await client.query('commit')
    expect(await code('delete from raw.kept')).toBe('25006')
    await client.query('set default_transaction_read_only = off')
    await client.query('begin; set transaction read only')
    expect(await code('insert into raw.kept values (1)')).toBe('25006')
    await client.query('rollback')
    await client.query('begin; insert into raw.kept values (2); set transaction read only')
    expect(await code('insert into raw.kept values (3)')).toBe('25006')
    await client.query('rollback; begin read only; select 1')
    expect(await code('set transaction read write')).toBe('25001')
    await client.query('rollback; set session characteristics as transaction read only')
    expect(await code('truncate raw.kept')).toBe('25006')
    await client.query('set session characteristics as transaction read write')
    expect((await client.query('select * from raw.kept')).rows).toEqual([{ a: 1 }])
    await client.end()
  })

  test('VALUES may be fewer than columns; dumps say UNLOGGED and OWNER TO', async () => {
    await ada.query("create unlogged table raw.fewer (a int, b text default 'b', c serial)")
    await ada.query('alter table raw.fewer owner to ada')
    await ada.query('insert into raw.fewer values (1), (2)')
    await ada.query('insert into raw.fewer values ($1, $2)', [3, 'x'])
    expect((await ada.query({ text: 'table raw.fewer order by a', rowMode: 'array' })).rows).toEqual([
      [1, 'b', 1],
      [2, 'b', 2],
      [3, 'x', 3],
    ])
    expect(await codeOf(ada.query('insert into raw.fewer values (1), (2, $1)', ['x']))).not.toBe('no error')
    expect(await codeOf(ada.query('insert into raw.fewer values (1, $1, 3, 4)', ['x']))).not.toBe('no error')
  })

  test('RETURNING gives rows with their types, and the count of what was changed', async () => {
    await world.rows('create table raw.told (id integer, n bigint, at timestamp, price decimal(10,2), parts integer[])')
    const many = 'insert into raw.told (id, n) values ($1, $2), ($3, $4) returning id, n + 1 as next'
    const given = await ada.query(many, [1, 10, 2, 20])
    expect([given.command, given.rowCount, given.rows]).toEqual([
      'INSERT',
      2,
      [
        { id: 1, next: '11' },
        { id: 2, next: '21' },
      ],
    ])
    expect(given.fields.map(({ dataTypeID }) => dataTypeID)).toEqual([23, 20])
    const one =
      'insert into raw.told (id, n) values ($1, $2) on conflict (id) do update set n = told.n + excluded.n returning n'
    expect((await ada.query(one, [2, 5])).rows).toEqual([{ n: '25' }])
    // As there, RETURNING is no place for what is of all rows.
    expect(await codeOf(ada.query('delete from raw.told returning count(*)'))).toBe('42803')
    const asked = 'delete from raw.told returning id, (select max(x) from (values (3)) t(x)), row_number() over ()'
    expect((await ada.query({ text: asked, rowMode: 'array' })).rows).toHaveLength(2)
    expect(await codeOf(ada.query('insert into raw.told (id) values (3) returning nothing'))).toBe('42703')
    expect((await ada.query('select count(*)::int as n from raw.told')).rows).toEqual([{ n: 0 }])
  })

  test.each<[string, number[]]>([
    ['insert into raw.sales (id, amount, d, item) values ($1, $2, $3, $4)', [23, 1700, 1082, 25]],
    ['insert into raw.sales values ($1, $2 * 2, default, $3), ($4, 1, $5, $6)', [23, 1700, 25, 23, 1082, 25]],
    ['insert into raw.sales (item, id) select $1, $2 from raw.sales where d = $3 returning id', [25, 23, 1082]],
    [
      'insert into raw.sales (id) values ($1) on conflict (id) do update set item = $2 where sales.d < $3',
      [23, 25, 1082],
    ],
    ['update raw.sales as s set item = $2, id = id + $3 where s.d = $1 and amount > $4', [1082, 25, 1700, 1700]],
    ['delete from raw.sales using (select $1::int as k) v where v.k = id and d <> $2', [23, 1082]],
    [
      'merge into raw.sales s using (select $1::int as k) v on s.id = v.k when matched then update set d = $2',
      [23, 1082],
    ],
    ['with v as (select $1::date as d) update raw.sales set d = v.d from v where item = $2', [1082, 25]],
    ['insert into raw.sales (nothing) values ($1)', [25]],
  ])('parameters of a change have the types of what they are for: %s', async (sql, oids) => {
    const client = await raw('ada')
    client.send(parse('', sql), message('D', Buffer.from('S'), cstring('')), sync)
    const said = (await client.until('Z')).find(({ type }) => type === 't')
    expect(Array.from({ length: said!.body.readInt16BE() }, (_, at) => said!.body.readInt32BE(2 + 4 * at))).toEqual(
      oids,
    )
    client.close()
  })

  test('statement_timeout ends what takes too long', async () => {
    await ada.query('set statement_timeout = 200')
    expect(await codeOf(ada.query(endless))).toBe('57014')
    await ada.query('reset statement_timeout')
  })

  test('nobody else is told what runs: unexpected failures keep their words', async () => {
    await expect(ada.query("select error('secret')")).rejects.toMatchObject({ code: '42501' })
  })
})

test('a statement that is too long, and one made to be slow to read, are no trouble', async () => {
  expect(await codeOf(ada.query(`select '${'x'.repeat(2 ** 20)}'`))).toBe('54000')
  for (const text of [
    'version('.repeat(100_000),
    `select ${'obj_description('.repeat(2_500)}1`,
    `select ${"'a'::name||".repeat(4_000)}'b' from pg_class`,
    `select ${'('.repeat(50_000)}`,
  ])
    expect(await codeOf(ada.query(text))).toBeTruthy()
  expect(
    (await ada.query('select $1::varchar[] as list', [`{${' '.repeat(100_000)}a${' '.repeat(100_000)}}`])).rows,
  ).toEqual([{ list: ['a'] }])
})

describe('portals and cursors', () => {
  test('what the lake tells itself is described before it runs; EXPLAIN EXECUTE is of the statement', async () => {
    const client = await raw('ada')
    const described = async (sql: string) => {
      client.send(parse('', sql), message('D', Buffer.from('S'), cstring('')), sync)
      const [, , fields] = await client.until('Z')
      return fields!.type === 'T' ? fields!.body.readInt16BE() : fields!.type
    }
    const statements = ['explain select 1', 'explain (format json) select 1', 'show grants', 'show roles']
    const counts = []
    for (const sql of [...statements, 'show create table raw.sales', "call ancestors_of('raw.sales')"])
      counts.push(await described(sql))
    expect(counts).toEqual([1, 1, 10, 3, 1, 2])
    client.send(parse('p', 'select id from raw.sales where id = $1 and amount > $2'), sync)
    await client.until('Z')
    const explain = 'EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE p (NULL, 3)'
    expect(await described(explain)).toBe(1)
    client.send(query(explain))
    const rows = (await client.until('Z')).filter(({ type }) => type === 'D')
    expect(JSON.parse(rows[0]!.body.subarray(6).toString())).toMatchObject([
      { Plan: { 'Node Type': expect.any(String) } },
    ])
    client.close()
  })

  test.each([
    ['selct 1', '42601'],
    ['select nowhere from raw.sales', '42703'],
    ['select * from raw.nowhere', '42P01'],
    ['select $1::no_such_type', '42704'],
  ])('%s under a name is refused when it is parsed, and the name is free', async (sql, code) => {
    const client = await raw()
    client.send(parse('one', sql), parse('two', 'select 1'), sync)
    const refused = await client.until('Z')
    expect([refused.map(({ type }) => type).join(''), errorFields(refused[0]!).C]).toEqual(['EZ', code])
    client.send(parse('one', 'select 1'), bind('', 'one'), execute(''), sync)
    expect((await client.until('Z')).map(({ type }) => type).join('')).toBe('12DCZ')
    client.close()
  })

  test('rows come in portions, and are complete', async () => {
    const client = await raw()
    client.send(
      parse('', 'select range from range(10000)'),
      bind('p', ''),
      execute('p', 3),
      execute('p', 4000),
      execute('p', 0),
      sync,
    )
    const messages = await client.until('Z')
    const shape = messages.reduce((text, { type }) => (text.endsWith(type) && type === 'D' ? text : text + type), '')
    expect(shape).toBe('12DsDsDCZ')
    expect(messages.filter(({ type }) => type === 'D')).toHaveLength(10_000)
    expect(messages.at(-2)!.body.toString()).toBe('SELECT 5997\0')
    client.close()
  })

  test('after a failure everything is skipped until Sync', async () => {
    const client = await raw()
    client.send(parse('', 'select nope'), bind('', ''), execute(''), query('select 1'), sync, query('select 2'))
    expect((await client.until('Z')).map(({ type }) => type).join('')).toBe('1' + '2' + 'E' + 'Z')
    expect((await client.until('Z')).map(({ type }) => type).join('')).toBe('TDCZ')
    client.close()
  })

  test.each([
    ['money', 790],
    ['bit', 1560],
  ])('a value in binary of the type %s, which only the catalog knows, is refused', async (type, oid) => {
    const client = await raw()
    const given = [int16(1), int16(1), int16(1), int32(8), Buffer.from('12345678'), int16(0)]
    client.send(parse('', 'select $1', [oid]), message('B', cstring(''), cstring(''), ...given), execute(''), sync)
    const error = (await client.until('Z')).find(({ type }) => type === 'E')
    expect(errorFields(error!)).toMatchObject({ M: expect.stringContaining(`of the type ${type}, which is not here`) })
    client.close()
  })

  test('a cursor gives what its reader asks for, binary or text, though it was described before', async () => {
    const client = await raw()
    client.send(query('begin'), query('declare c cursor for select 7::int'))
    await client.until('Z')
    await client.until('Z')
    client.send(message('D', Buffer.from('P'), cstring('c')), sync)
    await client.until('Z')
    client.send(parse('', 'fetch 1 from c'), bind('', '', 1), execute(''), sync)
    const row = (await client.until('Z')).find(({ type }) => type === 'D')
    expect(row!.body.subarray(6)).toEqual(int32(7))
    client.send(query('declare b binary cursor for select 8::int; fetch b'))
    const binary = (await client.until('Z')).find(({ type }) => type === 'D')
    expect(binary!.body.subarray(6)).toEqual(int32(8))
    client.close()
  })

  test('DECLARE, FETCH and CLOSE in a transaction', async () => {
    await ada.query('begin')
    await ada.query('declare c cursor for select range::int n from range(5)')
    expect((await ada.query('fetch 2 from c')).rows).toEqual([{ n: 0 }, { n: 1 }])
    expect((await ada.query('move 1 from c')).rows).toEqual([])
    expect((await ada.query('fetch all in c')).rows).toEqual([{ n: 3 }, { n: 4 }])
    await ada.query('close c')
    await ada.query('commit')
  })

  test.each([
    ['closed', ['fetch 2 from c', 'close c', 'commit']],
    ['left open', ['fetch 2 from c', 'commit']],
    ['only described', []],
  ])('a cursor that is %s before its end is in the audit', async (how, statements) => {
    const sql = `select range::int as "${how}" from range(5)`
    const client = await raw('ada')
    if (statements.length === 0) {
      client.send(parse('', sql), bind('', ''), message('D', Buffer.from('P'), cstring('')), sync)
      await client.until('Z')
    } else {
      for (const one of ['begin', `declare c cursor for ${sql}`, ...statements]) {
        client.send(query(one))
        await client.until('Z')
      }
    }
    client.close()
    await vi.waitFor(() =>
      expect(world.audited.filter((entry) => entry.sql.includes(`"${how}"`))).toMatchObject([{ verdict: 'allowed' }]),
    )
    // From the cache, too.
    await ada.query('begin')
    await ada.query(`declare c cursor for ${sql}`)
    await ada.query('fetch 1 from c')
    await ada.query('rollback')
    expect(world.audited.filter((entry) => entry.sql.includes(`"${how}"`))).toHaveLength(2)
  })

  test('what a client that hangs up has read is in the audit', async () => {
    const client = await raw('ada')
    client.send(query(`select repeat('x', 1000) as "hung up" from range(100000)`))
    await client.next()
    client.socket.destroy()
    const told = () => world.audited.filter((entry) => entry.sql.includes('"hung up"'))
    await vi.waitFor(() => expect(told()).toMatchObject([{ action: 'select' }]), 5_000)
  })

  test('the rest of a portal that a simple query takes the place of is closed', async () => {
    const client = await raw('ada')
    client.send(query('begin'))
    await client.until('Z')
    client.send(parse('', 'select range as "replaced" from range(5)'), bind('', ''), execute('', 2), message('H'))
    await client.until('s')
    client.send(sync)
    await client.until('Z')
    client.send(query('select 1'))
    await client.until('Z')
    expect(world.audited.filter((entry) => entry.sql.includes('"replaced"'))).toHaveLength(1)
    client.close()
  })

  test.each([
    ['copy raw.sales from stdin', query('copy raw.sales from stdin')],
    ['a name for select * from raw.sales', Buffer.concat([parse('p', 'select * from raw.sales'), sync])],
  ])('that %s was refused is in the audit', async (_, asked) => {
    const before = world.audited.length
    const client = await raw('mia')
    client.send(asked)
    const [error] = await client.until('Z')
    expect(error!.type).toBe('E')
    client.close()
    expect(world.audited.slice(before)).toMatchObject([{ principal: { name: 'mia' }, verdict: 'refused' }])
  })

  test('rows that were chosen under other rights are not continued', async () => {
    const grants = [
      {
        privilege: 'select',
        on: { environment: '*', namespace: 'raw', table: 'sales' },
        to: { kind: 'user', name: 'mia' },
      },
    ] as const
    await world.applyAccess({ grants })
    const mia = await connect('mia')
    await mia.query('begin')
    await mia.query('declare c cursor for select id from raw.sales order by id')
    expect((await mia.query('fetch 1 from c')).rows).toEqual([{ id: 0 }])
    await world.applyAccess({})
    expect(await codeOf(mia.query('fetch 1 from c'))).toBe('42501')
    await mia.query('rollback')
    expect(await codeOf(mia.query('select id from raw.sales'))).toMatch(/42501|42P01/)
    await mia.end()
  })
})

describe('COPY TO STDOUT', () => {
  test.each([
    ["copy (select 1, null, 'a\tb\\c') to stdout", '1\t\\N\ta\\tb\\\\c\n'],
    ['copy (select 1 a, \'x,"y"\' b, null c) to stdout with (format csv, header)', 'a,b,c\n', '1,"x,""y""",\n'],
    ['copy (values (1), (2)) to stdout', '1\n', '2\n'],
    ['copy (select 1) to stdin', '1\n'],
    ['copy (select * from (values (1), (2)) v(x)) to stdout csv header', 'x\n', '1\n', '2\n'],
    ["copy (select 1, 'x') to stdout csv delimiter ';' quote '''' force quote *", "'1';'x'\n"],
    ['copy (select 1 as a, 2 as b) to stdout with (format csv, force_quote (a))', '"1",2\n'],
    [
      `copy (select 1 as a, 2 as b) to stdout (format csv, quote '*', force_quote ("b", a), delimiter '|')`,
      '*1*|*2*\n',
    ],
    ['copy (select 1 as a, 2 as b) to stdout csv header force quote b, a', 'a,b\n', '"1","2"\n'],
    ['copy (select 1 as a, 2 as b) to stdout (force_quote *, format csv, header true)', 'a,b\n', '"1","2"\n'],
  ])('%s', async (sql, ...lines) => {
    const client = await raw()
    client.send(query(sql))
    const messages = await client.until('Z')
    const data = messages.filter(({ type }) => type === 'd').map(({ body }) => body.toString())
    // One message is one row, for those who take it for that.
    expect(data).toEqual(lines)
    expect(messages.map(({ type }) => type).join('')).toMatch(/^Hd+cCZ$/)
    client.close()
  })
})

describe('COPY FROM STDIN', () => {
  const data = (text: string) => message('d', Buffer.from(text))
  const [done, types] = [message('c'), (all: readonly { type: string }[]) => all.map(({ type }) => type).join('')]
  const table = `id int, n numeric(10,2), t varchar(5), b bool, tz timestamptz, y bytea, a int[], j jsonb, s serial`
  let client: RawClient
  const answered = async (...messages: Buffer[]) => {
    client.send(...messages)
    return client.until('Z')
  }
  const tagOf = (all: readonly { type: string; body: Buffer }[]) =>
    all
      .find(({ type }) => type === 'C')
      ?.body.toString()
      .slice(0, -1)
  const codeOfAll = (all: readonly { type: string; body: Buffer }[]) =>
    errorFields(all.find(({ type }) => type === 'E')!)
  const rowsNow = async () => (await ada.query('select count(*)::int as n from raw.copied')).rows[0]!.n as number

  beforeAll(async () => {
    client = await raw('ada')
    await ada.query(`create table raw.copied (${table})`)
  })
  afterAll(() => client.close())

  test('rows of text come as columns are, with what fills itself', async () => {
    client.send(query('copy raw.copied (id, n, t, b, tz, y, a, j) from stdin'))
    expect((await client.next())!.type).toBe('G')
    // What belongs to no row is passed over, and a row may come in parts.
    const first = '1\t1.5\ta\\tb\tt\t2024-01-02 03:04:05+02\t\\\\x00ff\t{1,NULL}\t{"a": 1}\n'
    const all = await answered(data(first.slice(0, 9)), sync, data(first.slice(9)), data('2' + '\t\\N'.repeat(7)), done)
    expect(tagOf(all)).toBe('COPY 2')
    const { rows } = await ada.query('select * from raw.copied order by s')
    expect(rows).toMatchObject([
      { id: 1, n: '1.50', t: 'a\tb', b: true, y: Buffer.from([0, 255]), a: [1, null], j: { a: 1 }, s: 1 },
      { id: 2, n: null, t: null, b: null, y: null, a: null, j: null, s: 2 },
    ])
    expect((rows[0] as { tz: Date }).tz.toISOString()).toBe('2024-01-02T01:04:05.000Z')
  })

  test.each([
    ['a value that is none', 'copy raw.copied (id) from stdin', 'x\n', '22P02'],
    ['a row that is too short', 'copy raw.copied (id, n) from stdin', '1\n', '22P04'],
    ['a text that is too long', 'copy raw.copied (t) from stdin csv', 'abcdef\n', '22001'],
  ])('%s ends it, and nothing of it stays', async (_, sql, rows, code) => {
    const before = await rowsNow()
    client.send(query(sql))
    expect((await client.next())!.type).toBe('G')
    expect(codeOfAll(await answered(data(rows), data(rows), done)).C).toBe(code)
    expect(types(await answered(query('select 1')))).toBe('TDCZ')
    expect(await rowsNow()).toBe(before)
  })

  test('who gives up changes nothing', async () => {
    const before = await rowsNow()
    client.send(query('copy raw.copied (id) from stdin'))
    expect((await client.next())!.type).toBe('G')
    const all = await answered(data('1\n'), message('f', cstring('no more')))
    expect(codeOfAll(all)).toMatchObject({ C: '57014', M: expect.stringContaining('no more') })
    expect(await rowsNow()).toBe(before)
  })

  test('a transaction takes them back, and the extended protocol brings them too', async () => {
    const before = await rowsNow()
    await answered(query('begin'))
    client.send(query('copy raw.copied (id) from stdin'))
    await client.next()
    expect(tagOf(await answered(data('7\n8\n'), done))).toBe('COPY 2')
    await answered(query('rollback'))
    expect(await rowsNow()).toBe(before)
    client.send(parse('', 'copy raw.copied (id) from stdin'), bind('', ''), execute(''), sync)
    expect(types(await client.until('G'))).toBe('12G')
    expect(tagOf(await answered(data('9\n'), done, sync))).toBe('COPY 1')
    expect(await rowsNow()).toBe(before + 1)
  })

  test('who may insert and not read does, into columns that are named', async () => {
    const { id } = await world.govern.users.create({ name: 'ina', role: 'member' })
    await world.govern.users.setPassword('ina', password)
    await ada.query('grant insert on raw.copied to user ina')
    await ada.query('grant select (id) on raw.copied to user ina')
    const ina = await raw('ina')
    ina.send(query('copy raw.copied (id, "n", t, b, tz, y, a, j) from stdin'))
    expect((await ina.next())!.type).toBe('G')
    ina.send(data('77\t1.5\tab\tt\t2024-01-02 03:04:05+02\t\\\\x00ff\t{1,NULL}\t{"a": 1}\n'), done)
    expect(tagOf(await ina.until('Z'))).toBe('COPY 1')
    const { rows } = await ada.query('select * from raw.copied where id = 77')
    expect(rows).toMatchObject([{ n: '1.50', t: 'ab', b: true, y: Buffer.from([0, 255]), a: [1, null], j: { a: 1 } }])
    ina.send(query('copy raw.copied (id, nope) from stdin'))
    expect(codeOfAll(await ina.until('Z')).C).toBe('42703')
    ina.send(query('copy raw.nowhere (id) from stdin'))
    expect(codeOfAll(await ina.until('Z')).C).toBe('42P01')
    ina.close()
    await ada.query('delete from raw.copied where id = 77')
    await world.govern.users.change(id, { disabled: true })
  })

  test('who may not insert is told so before they send anything', async () => {
    const rob = await raw('rob')
    rob.send(query('copy raw.copied (id) from stdin'))
    const all = await rob.until('Z')
    expect([types(all), codeOfAll(all).C]).toEqual(['EZ', '42501'])
    rob.close()
    expect(types(await answered(query('copy raw.nowhere from stdin')))).toBe('EZ')
    expect(types(await answered(query('copy (select 1) from stdin')))).toBe('EZ')
  })
})

describe('cancel, back-pressure, and what is not the protocol', () => {
  test('a cancel request with the right key ends the statement, another does nothing', async () => {
    const client = await openRaw(world.port)
    const hello = await logIn(client, { user: 'rob', password })
    const keys = hello.find(({ type }) => type === 'K')!.body
    const cancel = async (key: number) => {
      const other = await openRaw(world.port)
      other.send(Buffer.concat([int32(16), int32(80877102), keys.subarray(0, 4), int32(key)]))
      expect(await other.next()).toBeUndefined()
    }
    client.send(query(endless))
    await cancel(keys.readInt32BE(4) ^ 1)
    await sleep(100)
    await cancel(keys.readInt32BE(4))
    const messages = await client.until('Z')
    expect(errorFields(messages[0]!).C).toBe('57014')
    client.close()
  })

  test('a client that goes away takes its statement along', async () => {
    const client = await raw()
    client.send(query(endless))
    await expect
      .poll(() => world.engine.status().find((host) => host.class === 'interactive')!.running)
      .toBeGreaterThan(0)
    client.close()
    await expect.poll(() => world.engine.status().find((host) => host.class === 'interactive')!.running).toBe(0)
  })

  test('who does not read holds the query back, not the memory', async () => {
    const client = await raw()
    client.socket.pause()
    const before = process.memoryUsage.rss()
    client.send(query("select range, repeat('x', 200) from range(50000000)"))
    const host = () => world.engine.status().find((one) => one.class === 'interactive')!
    await expect.poll(() => host().running).toBeGreaterThan(0)
    // Time enough for hundreds of megabytes.
    await sleep(500)
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 * 2 ** 20)
    client.close()
    await expect.poll(() => world.engine.status().find((host) => host.class === 'interactive')!.running).toBe(0)
  })

  test.each<[string, Buffer]>([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['zeros', Buffer.alloc(64)],
    ['a huge start-up message', Buffer.concat([int32(2 ** 30), int32(3 << 16)])],
    ['another version', Buffer.concat([int32(8), int32(2 << 16)])],
    ['a start-up message without an end', Buffer.concat([int32(14), int32(3 << 16), Buffer.from('user\0a')])],
  ])('%s is refused with one error', async (_, bytes) => {
    const client = await openRaw(world.port)
    client.send(bytes)
    const [first, second] = [await client.next(), await client.next()]
    expect(first?.type).toBe('E')
    expect(second).toBeUndefined()
  })

  test.each<[string, Buffer]>([
    ['a type that is none', Buffer.concat([Buffer.from([1]), int32(4)])],
    ['a negative length', Buffer.concat([Buffer.from('Q'), int32(-5)])],
    ['a message beyond the bound', Buffer.concat([Buffer.from('Q'), int32(2 ** 30)])],
    ['text that is not UTF-8', message('Q', Buffer.from([0xff, 0xfe, 0]))],
    ['a Bind that is cut', message('B', cstring(''), cstring(''))],
    ['an unknown message', message('y')],
  ])('%s ends a connection with one error', async (_, bytes) => {
    const client = await raw()
    client.send(parse('', 'select 1'), bytes)
    const messages = await client.until('never')
    expect(errorFields(messages.at(-1)!)).toMatchObject({ S: 'FATAL', C: expect.stringMatching(/08P01|26000/) })
  })

  test('connections are bounded', async () => {
    const all = await Promise.all(Array.from({ length: 60 }, () => openRaw(world.port)))
    const one = await openRaw(world.port)
    expect(errorFields((await one.next())!).C).toBe('53300')
    for (const client of all) client.close()
    await expect.poll(() => world.server.status().connections).toBeLessThan(10)
  })
})
