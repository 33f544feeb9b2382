// What tools ask the catalog, with the answers as they were when somebody looked at each of them.

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPgWorld, type PgWorld } from '../../../test/support/pg-world.ts'

const golden = (name: string) => fileURLToPath(new URL(`../../../test/golden/wire/${name}`, import.meta.url))
const run = promisify(execFile)
let world: PgWorld
let ada: pg.Client

beforeAll(async () => {
  world = await openPgWorld()
  await world.rows('create schema raw')
  await world.rows(`create table raw.sales (id bigint not null comment 'The number', amount decimal(12,2), d date,
    tags varchar[], at timestamptz) comment 'All sales'`)
  await world.rows('create table raw.keyed (id bigint not null, name varchar)')
  await world.rows('alter table raw.keyed set identifier fields id')
  await world.rows('create view raw.v as select id, amount from raw.sales')
  await world.rows('create table raw."Odd name" ("a b" int)')
  ada = new pg.Client({ connectionString: world.url() })
  await ada.connect()
})
afterAll(async () => {
  await ada.end()
  await world.close()
})

test('psql shows what there is', async () => {
  const commands = [
    '\\d',
    '\\d raw.sales',
    '\\d raw.keyed',
    '\\d+ raw.v',
    '\\d raw."Odd name"',
    '\\dt+',
    '\\dt raw.s*',
    '\\dv',
    '\\di',
    '\\dP+',
    '\\dn',
    '\\df',
    '\\l',
    '\\du',
    '\\dT',
    '\\dp',
    '\\dx',
    '\\db',
    '\\dL',
    '\\sv raw.v',
    '\\copy (select id from raw.sales) to stdout',
    "\\copy (select 1 a, 'x' b) to stdout csv header",
  ]
  const { stdout, stderr } = await run('psql', [
    '-X',
    world.url(),
    ...commands.flatMap((command) => ['-c', `\\echo == ${command.replaceAll('\\', '')}`, '-c', command]),
  ])
  expect(stderr).toBe('Did not find any relations.\n'.repeat(0))
  await expect(stdout).toMatchFileSnapshot(golden('psql.txt'))
})

const queries = (await readFile(golden('queries.sql'), 'utf8'))
  .split(/\n\n(?=-- )/)
  .slice(1)
  .map((one) => [/^-- (.*)/.exec(one)![1]!, one.replace(/^-- .*\n/, '')] as const)

test('every query of a tool has its answer', async () => {
  const answers: string[] = []
  for (const [who, sql] of queries) {
    await ada.query(`set application_name = '${who.startsWith('psql') ? 'psql' : 'tool'}'`)
    const answer = await ada.query({ text: sql, rowMode: 'array' }).catch((error: Error) => error)
    if (answer instanceof Error) {
      answers.push(`== ${who}`, `FAILED ${answer.message}`)
      continue
    }
    const results = (Array.isArray(answer) ? answer : [answer]) as pg.QueryArrayResult[]
    answers.push(
      `== ${who}`,
      ...results.flatMap(({ fields, rows }) => [
        fields.map(({ name }) => name).join(' | '),
        ...rows.map((row) => row.map(String).join(' | ')),
      ]),
    )
  }
  const text = `${answers.join('\n')}\n`
  expect(text).not.toContain('FAILED')
  await expect(text).toMatchFileSnapshot(golden('queries.expected.txt'))
})

test('a table of another schema is not what its name alone means, but where psql lists what there is', async () => {
  await world.rows('create schema other')
  await world.rows('create table other.sales (id int)')
  const seen = async (more = '') => {
    await ada.query(`set application_name = 'tool'; ${more}`)
    const asked = `select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relname = 'sales' and pg_catalog.pg_table_is_visible(c.oid) order by 1`
    return (await ada.query<{ nspname: string }>(asked)).rows.map(({ nspname }) => nspname)
  }
  expect(await seen()).toEqual([])
  expect(await seen('set search_path = other')).toEqual(['other'])
  expect(await seen(`set application_name = 'psql'`)).toEqual(['other', 'raw'])
  await ada.query('reset search_path; reset application_name')
})

test('nobody is shown the names of what they may not know', async () => {
  const mia = new pg.Client({ connectionString: world.url('mia') })
  await mia.connect()
  for (const relation of [
    'pg_class',
    'pg_attribute',
    'pg_description',
    'pg_tables',
    'pg_views',
    'pg_index',
    'pg_constraint',
    'pg_catalog.boathouse_definition',
    'pg_catalog.boathouse_relation',
    "pg_catalog.boathouse_privilege where kind = 'relation' and privileges != ['SELECT']",
    'information_schema.tables',
    'information_schema.columns',
    'information_schema.key_column_usage',
  ])
    expect((await mia.query(`select * from ${relation}`)).rows, relation).toEqual([])
  expect((await mia.query("select nspname from pg_namespace where nspname = 'raw'")).rows).toEqual([])
  expect((await mia.query("select to_regclass('raw.sales') as oid")).rows).toEqual([{ oid: null }])
  for (const name of ['raw.sales', 'raw.nowhere'])
    await expect(mia.query(`select '${name}'::regclass`)).rejects.toMatchObject({
      code: '42P01',
      message: `relation "${name}" does not exist`,
    })
  const grants = [
    {
      privilege: 'select',
      on: { namespace: 'raw', table: 'sales' },
      columns: ['id'],
      to: { kind: 'user', name: 'mia' },
    },
  ] as const
  await world.applyAccess({ grants })
  expect((await mia.query('select attname from pg_attribute')).rows).toEqual([{ attname: 'id' }])
  expect((await mia.query('select relname from pg_class')).rows).toEqual([{ relname: 'sales' }])
  await mia.end()
})

test('rights are those of who asks; what they may not know of is what is not there', async () => {
  const mia = new pg.Client({ connectionString: world.url('mia') })
  await mia.connect()
  await world.applyAccess({
    grants: [
      {
        privilege: 'select',
        on: { namespace: 'raw', table: 'sales' },
        columns: ['id'],
        to: { kind: 'user', name: 'mia' },
      },
      { privilege: 'write', on: { namespace: 'raw', table: 'keyed' }, to: { kind: 'user', name: 'mia' } },
      { privilege: 'select', on: { namespace: 'raw', table: 'keyed' }, to: { kind: 'user', name: 'mia' } },
    ],
  })
  await ada.query('create sequence raw.steps start 5 increment 5')
  await ada.query(`create table raw.numbered (id int generated always as identity (start with 10), name text)`)
  await ada.query(`insert into raw.numbered (name) values ('a'), ('b')`)
  const held = async (client: pg.Client, call: string) =>
    Object.values((await client.query(`select ${call}`)).rows[0] as object)[0] as unknown
  const table = [
    ["has_table_privilege('raw.keyed', 'select')", true, true],
    ['has_table_privilege(\'"raw"."keyed"\', \'INSERT, TRIGGER\')', true, true],
    ["has_table_privilege('keyed', 'update')", true, true],
    ["has_table_privilege('raw.keyed', 'trigger')", false, false],
    ["has_table_privilege('raw.sales', 'select')", false, true],
    ["has_any_column_privilege('raw.sales', 'select')", true, true],
    ["has_column_privilege('raw.sales', 'id', 'select')", true, true],
    ["has_column_privilege('raw.sales', 'amount', 'select')", false, true],
    ["has_column_privilege(current_user, 'raw.sales', 'id', 'update')", false, true],
    ["has_table_privilege('raw.v', 'select')", false, true],
    ["has_table_privilege('raw.nothing', 'select')", false, false],
    ["has_table_privilege(current_user, 'raw.keyed', 'delete')", true, true],
    ["has_table_privilege('bob', 'raw.keyed', 'delete')", false, false],
    ["has_table_privilege('pg_class', 'select')", true, true],
    ["has_table_privilege('pg_catalog.pg_class', 'insert')", false, false],
    ["has_schema_privilege('raw', 'usage')", true, true],
    ["has_schema_privilege('raw', 'create')", false, true],
    ["has_schema_privilege(current_user, 'hidden', 'usage')", false, false],
    ["pg_catalog.has_table_privilege('raw.keyed'::regclass, 'select')", true, true],
    ["has_sequence_privilege('raw.steps', 'usage')", false, true],
    ["has_sequence_privilege(current_user, 'raw.steps', 'SELECT, UPDATE')", false, true],
    ["has_sequence_privilege('raw.numbered_id_seq', 'usage')", false, true],
    ["has_sequence_privilege('raw.nothing', 'usage')", false, false],
  ] as const
  for (const [call, ofMia, ofAda] of table)
    expect([call, await held(mia, call), await held(ada, call)]).toEqual([call, ofMia, ofAda])
  const { rows, fields } = await mia.query(
    "select relname, has_table_privilege(c.oid, 'select') from pg_class c where has_any_column_privilege(oid, $1) order by 1",
    ['select'],
  )
  expect(rows).toEqual([
    { relname: 'keyed', has_table_privilege: true },
    { relname: 'sales', has_table_privilege: false },
  ])
  expect(fields).toHaveLength(2)
  const told = 'select sequencename, data_type, start_value, increment_by, last_value from pg_sequences order by 1'
  const numbered = { sequencename: 'numbered_id_seq', data_type: 'integer', start_value: '10', increment_by: '1' }
  const steps = { sequencename: 'steps', data_type: 'bigint', start_value: '5', increment_by: '5', last_value: null }
  expect((await ada.query(told)).rows).toEqual([{ ...numbered, last_value: '11' }, steps])
  expect((await ada.query(told.replace('data_type', 'data_type::regtype'))).rows).toMatchObject([numbered, {}])
  expect((await mia.query(told)).rows).toEqual([])
  await ada.query('drop sequence raw.steps')
  await ada.query('drop table raw.numbered')
  await mia.end()
})

test('OIDs are the same at each time, and below 2^31', async () => {
  const oids = async () => (await ada.query('select oid, relname from pg_class order by 2')).rows as { oid: number }[]
  const before = await oids()
  expect(await oids()).toEqual(before)
  for (const { oid } of before) expect(oid).toBeGreaterThan(16_384)
  for (const { oid } of before) expect(oid).toBeLessThan(2 ** 31)
})

test('a relation is that of the schema which plain names mean', async () => {
  const columns = async () =>
    (await ada.query("select attname from pg_attribute where attrelid = 'twin'::regclass and attnum > 0")).rows
  await ada.query('create schema beside')
  await ada.query('create table raw.twin (a int)')
  await ada.query('create table beside.twin (b int)')
  for (const [schema, attname] of Object.entries({ raw: 'a', beside: 'b' })) {
    await ada.query(`set search_path = ${schema}`)
    expect(await columns()).toEqual([{ attname }])
  }
  await ada.query('reset search_path')
  await ada.query('drop table raw.twin, beside.twin')
  await ada.query('drop schema beside')
})

test('serial and CURRENT_TIMESTAMP are told as PostgreSQL tells them, and names as far as they are needed', async () => {
  const values = async (text: string) => (await ada.query<unknown[]>({ text, rowMode: 'array' })).rows
  await ada.query(`create table counted (id serial primary key, other int generated by default as identity,
    at timestamptz default current_timestamp, began timestamp default now(), of int references raw.keyed)`)
  const defaults = `select column_name, column_default, is_identity from information_schema.columns where table_name = 'counted' order by ordinal_position`
  expect(await values(defaults)).toEqual([
    ['id', "nextval('counted_id_seq'::regclass)", 'NO'],
    ['other', null, 'YES'],
    ['at', 'CURRENT_TIMESTAMP', 'NO'],
    ['began', 'now()', 'NO'],
    ['of', null, 'NO'],
  ])
  // drizzle-kit
  const sequences = `select a.attname, pg_get_serial_sequence('"public"."counted"', a.attname)::regclass as seq,
      exists (select from pg_attrdef d where d.adrelid = a.attrelid and d.adnum = a.attnum and pg_get_expr(d.adbin, d.adrelid) =
        'nextval(''' || pg_get_serial_sequence(a.attrelid::regclass::text, a.attname)::regclass || '''::regclass)') as is_serial
    from pg_attribute a where a.attrelid = 'counted'::regclass and a.attnum < 4 order by a.attnum`
  expect(await values(sequences)).toEqual([
    ['id', 'counted_id_seq', true],
    ['other', 'counted_other_seq', false],
    ['at', null, false],
  ])
  await ada.query('insert into counted (of) values (1)')
  expect(await values('select id, other, at is null, began is null from counted')).toEqual([[1, 1, false, false]])
  const named =
    "select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint where conname = 'counted_of_fkey'"
  expect(await values(named)).toEqual([['counted', 'FOREIGN KEY (of) REFERENCES raw.keyed(id)']])
  await ada.query('set search_path = raw')
  expect(await values(named)).toEqual([['public.counted', 'FOREIGN KEY (of) REFERENCES keyed(id)']])
  await ada.query("set search_path = ''")
  expect(await values(named)).toEqual([['public.counted', 'FOREIGN KEY (of) REFERENCES raw.keyed(id)']])
  const expressions =
    "select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = 'public.counted'::regclass order by adnum limit 1"
  expect(await values(expressions)).toEqual([["nextval('public.counted_id_seq'::regclass)"]])
  await ada.query('reset search_path')
  await ada.query('alter table counted alter column id drop default')
  expect((await values(defaults))[0]).toEqual(['id', null, 'NO'])
  await ada.query('drop table counted')
})

test('foreign keys are shown with their rules, also by psql', async () => {
  await ada.query('create table raw.parent (id int primary key)')
  await ada.query(`create table raw.child (a int references raw.parent on delete cascade,
    b int references raw.parent (id) on update set null on delete restrict)`)
  const indexes =
    "select count(*) from pg_constraint c join pg_class i on i.oid = c.conindid and i.relkind = 'i' where c.conname like 'child_%'"
  expect((await ada.query({ text: indexes, rowMode: 'array' })).rows).toEqual([['2']])
  const rules =
    "select delete_rule, update_rule from information_schema.referential_constraints where constraint_name like 'child_%' order by constraint_name"
  expect((await ada.query({ text: rules, rowMode: 'array' })).rows).toEqual([
    ['CASCADE', 'NO ACTION'],
    ['RESTRICT', 'SET NULL'],
  ])
  // Atlas, and so ent: an operator of an index that is no exclusion, beside two keys that lead to it.
  const operators = `select (case when idx.indisexclusion then (select conexclop[idx.ord]::regoper from pg_constraint where conindid = idx.indexrelid) end) as excoper
    from (select *, generate_series(1, array_length(i.indkey, 1)) as ord from pg_index i) idx where idx.indrelid = 'raw.parent'::regclass`
  expect((await ada.query(operators)).rows).toEqual([{ excoper: null }])
  const { stdout } = await run('psql', [world.url(), '-X', '-c', '\\d raw.child', '-c', '\\d raw.parent'])
  const [child, parent] = stdout.split('Table "raw.parent"')
  expect(child).toContain('"child_a_fkey" FOREIGN KEY (a) REFERENCES raw.parent(id) ON DELETE CASCADE')
  expect(child).toContain('FOREIGN KEY (b) REFERENCES raw.parent(id) ON UPDATE SET NULL ON DELETE RESTRICT')
  expect(parent).toContain('Referenced by:')
  await ada.query('drop table raw.child, raw.parent')
})

test('more relations are named than a statement has tables', async () => {
  const names = Array.from({ length: 150 }, (_, at) => `'${at % 2 ? 'raw.sales' : 'raw.keyed'}'::regclass`).join(', ')
  for (const before of ['', 'with a as (select 1) ', 'with recursive a as (select 1) '])
    expect((await ada.query(`${before}select relname from pg_class where oid in (${names}) order by 1`)).rows).toEqual([
      { relname: 'keyed' },
      { relname: 'sales' },
    ])
  await expect(ada.query(`select ${names}, 'raw.nope'::regclass`)).rejects.toMatchObject({ code: '42P01' })
})

test('vectors are texts however their relation is named, and lists are compared with what is written as one', async () => {
  const indexes =
    'select pg_catalog.pg_index.indoption, pg_catalog.pg_index.indkey as keys from pg_catalog.pg_index limit 1'
  expect((await ada.query({ text: indexes, rowMode: 'array' })).rows).toEqual([['0', '1']])
  const types =
    "select pg_typeof(now())::regtype = 'timestamptz'::regtype as a, pg_typeof(1)::regtype = 'text'::regtype as b"
  expect((await ada.query(types)).rows).toEqual([{ a: true, b: false }])
  const named =
    "select array_to_string(array[pg_typeof(1::float4), pg_typeof('{1}'::float8[]), pg_typeof(array_value(1::float4, 2)), pg_typeof(1.5::numeric(3,1)), pg_typeof('a'::text)], ', ') as types"
  expect((await ada.query(named)).rows).toEqual([{ types: 'real, double precision[], real[], numeric, text' }])
  expect((await ada.query("select '{}'::text[] = '{}' as a, '{1}'::int[] <> '{2}' as b")).rows).toEqual([
    { a: true, b: true },
  ])
})

test('what pg_dump writes of a schema makes it anew', async () => {
  const values = async (text: string) => (await ada.query<unknown[]>({ text, rowMode: 'array' })).rows
  const make = `create schema dumped;
    create table dumped.people (id serial primary key, name varchar(20) not null unique, tags text[] default '{}',
      score numeric(8,2) check (score >= 0), doc jsonb, made timestamptz default current_timestamp);
    create table dumped.notes (id int generated always as identity, person int references dumped.people on delete cascade, text text);
    create view dumped.v as select name, text from dumped.people join dumped.notes on person = people.id;
    insert into dumped.people (name, score, doc) values ('ana', 1.5, '{"a": "b"}'), ('bob', null, null);
    insert into dumped.notes (person, text) values (1, 'back\\slash; "quoted"');`
  await ada.query(make)
  const all = async () => [
    await values('select id, name, tags, score, doc from dumped.people order by id'),
    await values('select * from dumped.notes'),
    await values('select * from dumped.v'),
  ]
  const before = await all()
  const { stdout } = await run('pg_dump', ['-n', 'dumped', '-d', world.url()])
  await ada.query('drop schema dumped cascade')
  const restored = run('psql', [world.url(), '-X', '-q', '-1', '-v', 'ON_ERROR_STOP=1'])
  restored.child.stdin!.end(stdout)
  await restored
  expect(await all()).toEqual(before)
  await ada.query("insert into dumped.people (name) values ('cat'); insert into dumped.notes (person) values (3)")
  expect(await values('select max(p.id), max(n.id) from dumped.people p, dumped.notes n')).toEqual([[3, 2]])
  await ada.query('drop schema dumped cascade')
})

test('columns come in their order, where nobody asks for one', async () => {
  await ada.query('create table raw.wide (z int, y int, x int, w int, v int, u int)')
  for (const sql of [
    "select attname from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace where c.relname = 'wide' and attnum > 0",
    "select c.column_name from information_schema.columns AS c left join pg_stat_all_tables st on st.relname = c.table_name left join pg_description pd on pd.objoid = st.relid where c.table_name = 'wide';",
    `SELECT "attname" FROM "pg_catalog"."pg_attribute" JOIN "pg_catalog"."pg_class" ON "pg_class"."oid" = "attrelid"
      JOIN "pg_catalog"."pg_namespace" ON "pg_namespace"."oid" = "relnamespace" WHERE ("attnum" > 0 AND "relname" = 'wide') AND "nspname" = 'raw'`,
    "select column_name from information_schema.columns, pg_class where relname = table_name and table_name = 'wide'",
  ])
    expect((await ada.query<string[]>({ text: sql, rowMode: 'array' })).rows.flat().join('')).toBe('zyxwvu')
  const counted =
    "select count(*), max(attnum) from pg_attribute a, pg_class c where c.oid = a.attrelid and relname = 'wide' and attnum > 0"
  expect((await ada.query({ text: counted, rowMode: 'array' })).rows).toEqual([['6', 6]])
  await ada.query('drop table raw.wide')
})

test('pg_settings tells what the connection set', async () => {
  const asked = {
    text: "select setting, unit, source from pg_settings where name = 'statement_timeout'",
    rowMode: 'array',
  }
  expect((await ada.query(asked)).rows).toEqual([['0', 'ms', 'default']])
  await ada.query("set statement_timeout = '5s'")
  expect((await ada.query(asked)).rows).toEqual([['5000', 'ms', 'session']])
  await ada.query('reset statement_timeout')
})

test("DuckDB's own catalog is not reached", async () => {
  for (const sql of [
    "select * from pg_catalog.pg_settings where name = 'memory_limit'",
    'select * from duckdb_settings()',
  ])
    expect(
      await ada.query(sql).then(
        ({ rows }) => rows,
        () => [],
      ),
    ).toEqual([])
})
