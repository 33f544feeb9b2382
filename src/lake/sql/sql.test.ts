import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isChange, parseStatement } from './statement.ts'
import { indexOfByte, splice } from './splice.ts'
import { nameOf, placeAt, quoteName, quoteText, splitStatements, tokens } from './tokens.ts'

const show = (sql: string) =>
  [...tokens(sql)].map(({ kind, text }) => `${kind[0]}${kind === 'string' ? 't' : ''}<${text}>`).join(' ')

test.each([
  ['select 1', 'w<select> n<1>'],
  ['a.b', 'w<a> s<.> w<b>'],
  ['"a""b".c', 'q<"a""b"> s<.> w<c>'],
  ["'it''s' -- no ' here\n x", "st<'it''s'> w<x>"],
  ["E'a\\'b' x", "st<E'a\\'b'> w<x>"],
  ['/* a /* nested */ b */ c', 'w<c>'],
  ["`a``b'`.c -- `", "q<`a``b'`> s<.> w<c>"],
  ['$$ ; $$ $q$ $$ $q$', 'st<$$ ; $$> st<$q$ $$ $q$>'],
  ['1.5e3 1_000', 'n<1.5e3> n<1_000>'],
  ['a::int => b', 'w<a> s<::> w<int> s<=>> w<b>'],
  ['größe', 'w<größe>'],
  ['', ''],
])('tokens of %s', (sql, expected) => expect(show(sql)).toBe(expected))

test.each([
  ["select 'open", 8],
  ['select "open', 8],
  ['select `open', 8],
  ['/* open', 1],
  ['$$ open', 1],
])('%s says where it was left open', (sql, column) =>
  expect(() => show(sql)).toThrow(expect.objectContaining({ code: 'SQL_INVALID', place: { line: 1, column } })),
)

test.each([
  ['select 1; select 2;', ['select 1', 'select 2']],
  [";; select ';' ; -- the end;\n", ["select ';'"]],
  ['select 1 -- a', ['select 1']],
  ['', []],
])('splits %j', (script, statements) => expect(splitStatements(script).map(({ sql }) => sql)).toEqual(statements))

test('a text is read to its end, or not at all', () =>
  expect(() => splitStatements('select 1 -- \0\n union select 2')).toThrow(
    expect.objectContaining({ code: 'SQL_INVALID', place: { line: 1, column: 13 } }),
  ))

test('a comment to the end of the line ends at a carriage return', () =>
  expect([...tokens('a --\r) b -- c\n;')].map(({ text }) => text)).toEqual(['a', ')', 'b', ';']))

test('quoting is undone by reading', () =>
  fc.assert(
    fc.property(fc.string(), (text) => {
      const [token, ...rest] = [...tokens(`${quoteName(text)} `)]
      expect([nameOf(token!), rest]).toEqual([text, []])
      const [literal, ...none] = [...tokens(quoteText(text))]
      expect([literal!.text.slice(1, -1).replaceAll("''", "'"), none]).toEqual([text, []])
    }),
  ))

test('a place counts lines and UTF-16 units; a byte offset finds its character', () => {
  const sql = "select 'é€😀',\n  nope"
  expect(placeAt(sql, sql.indexOf('nope'))).toEqual({ line: 2, column: 3 })
  expect(indexOfByte(sql, Buffer.from(sql.slice(0, sql.indexOf('nope'))).length)).toBe(sql.indexOf('nope'))
})

test('a position in a spliced text leads back to where it was written', () =>
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string({ maxLength: 5 }), fc.string({ maxLength: 3 }), fc.string({ maxLength: 8 })), {
        maxLength: 5,
      }),
      (parts) => {
        let sql = ''
        const edits = parts.map(([kept, cut, put]) => {
          sql += kept
          const start = sql.length
          sql += cut
          return { start, end: sql.length, text: put }
        })
        const { text, origin } = splice(sql, edits)
        expect(text).toBe(parts.map(([kept, , put]) => kept + put).join(''))
        let at = 0
        for (const [index, [kept, , put]] of parts.entries()) {
          for (let k = 0; k < kept.length; k++) expect(sql[origin(at + k)]).toBe(kept[k])
          at += kept.length
          for (let k = 0; k < put.length; k++) expect(origin(at + k)).toBe(edits[index]!.start)
          at += put.length
        }
      },
    ),
  ))

test.each([
  [
    'create table a.b as select 1',
    {
      kind: 'create-table',
      name: ['a', 'b'],
      replace: false,
      ifNotExists: false,
      select: { sql: 'select 1', start: 20 },
    },
  ],
  ['CREATE OR REPLACE TABLE "x y".b AS FROM t', { kind: 'create-table', name: ['x y', 'b'], replace: true }],
  [
    'create table if not exists c.a.b as (select 1)',
    { kind: 'create-table', name: ['c', 'a', 'b'], ifNotExists: true },
  ],
  ['create view a.v as select 1', { kind: 'create-view', name: ['a', 'v'] }],
  ['create schema if not exists s', { kind: 'create-schema', name: ['s'], ifNotExists: true }],
  ['insert into a.b select 1', { kind: 'insert', name: ['a', 'b'], columns: undefined, byName: false }],
  ['insert into a.b (x, "Y") values (1, 2)', { kind: 'insert', columns: ['x', 'Y'] }],
  ['insert into a.b by name select 1 as x', { kind: 'insert', byName: true }],
  [
    'insert into a.b (select 1)',
    { kind: 'insert', columns: undefined, source: { select: { sql: '(select 1)', start: 16 } } },
  ],
  ['drop table if exists a.b', { kind: 'drop', what: 'table', ifExists: true }],
  ['drop view a.b', { kind: 'drop', what: 'view', ifExists: false }],
  [
    'delete from a.b x where y = 1',
    { kind: 'delete', name: ['a', 'b'], alias: 'x', where: { sql: 'y = 1', start: 24 } },
  ],
  [
    'update t set a = case when b then 1 end, c = f(1, 2) where d',
    { kind: 'update', set: [{ column: 'a' }, { column: 'c' }] },
  ],
  [
    'merge into t using (select 1 as a) s on t.a = s.a when matched then delete when not matched then insert *',
    { kind: 'merge', source: { alias: 's' }, clauses: [{ when: 'matched' }, { when: 'not-matched' }] },
  ],
  ['merge into t using a.s on t.a = s.a when matched then do nothing', { kind: 'merge', source: { alias: 's' } }],
  [
    'create table t (a decimal(10, 2) not null, b int[]) partitioned by (bucket(4, a), days(c)) sorted by (a desc)',
    {
      kind: 'create-table',
      columns: [{ name: 'a', type: { sql: 'decimal(10, 2)' }, required: true }, { name: 'b' }],
      clauses: { partitionedBy: [{ transform: { kind: 'bucket', buckets: 4 } }, { transform: { kind: 'day' } }] },
    },
  ],
  [
    "alter table t add column a.b int comment 'x' first",
    { kind: 'alter', changes: [{ kind: 'add-column', path: 'a.b', place: 'first' }] },
  ],
])('reads %s', (sql, statement) => expect(parseStatement(sql)).toMatchObject(statement))

test.each([
  ['create table', 13, 'expected the name of a table'],
  ['create table a.b (x int) as select 1', 37, 'not supported'],
  ['create table a.b (x int', 24, 'expected )'],
  ['alter table a.b explode', 17, 'expected ADD'],
  ['merge into t using s on true', 29, 'expected WHEN'],
  ['delete from t where a = 1 returning a order by 1', 39, 'expected the end of the statement, found order'],
  ['insert overwrite t values (1) returning a', 31, 'INSERT OVERWRITE together with this is not supported'],
  ['create index i on t(a)', 8, 'CREATE INDEX is not supported'],
  ['drop table a.b purge', 16, 'PURGE is not supported'],
  ['drop table a.b forever', 16, 'expected the end'],
  ['create table a.b as', 20, 'expected a SELECT'],
  ['create table a.b (x, y)', 24, 'expected a type for each column'],
  ['create or replace table if not exists a.b (x int)', 39, 'exclude each other'],
  ['alter table a.b add constraint c check (x > 1) not enforced', 48, 'a CHECK that is not enforced is not supported'],
  ['alter table a.b add constraint c', 33, 'expected PRIMARY KEY, UNIQUE, FOREIGN KEY or CHECK'],
  ['create table a.b (x int references y (z) on delete perhaps)', 52, 'expected CASCADE, RESTRICT or SET NULL'],
  ['create or replace temp macro f(x) as x', 24, 'CREATE MACRO is not supported'],
  ['create unique index i on a.b (x)', 8, 'CREATE UNIQUE INDEX is not supported'],
  ['drop type if exists mood', 6, 'DROP TYPE is not supported'],
  ['insert into a.b values (1) returning', 37, 'expected what is told of each row'],
  ['insert into a.b values (1) returning distinct x', 38, 'RETURNING DISTINCT is not supported'],
  ['insert into a.b values (1) returning x union select y', 40, 'expected the end of the statement, found union'],
  ['insert into a.b values (1) on conflict do something', 43, 'expected DO NOTHING or DO UPDATE'],
  ['insert or replace into a.b values (1) on conflict do nothing', 51, 'exclude each other'],
  ['insert or abort into a.b values (1)', 11, 'expected REPLACE or IGNORE'],
  ['update a.b set (x, y) = (1)', 28, '2 columns are set to 1 values'],
  ['update a.b set (x, y) = (select 1)', 34, '2 columns are set to 1 columns of a SELECT'],
  ['update a.b set (x, y) = (select 1, 2, 3)', 40, '2 columns are set to 3 columns of a SELECT'],
  ['update a.b set (x, y) = (select * from a.c)', 43, 'is not supported'],
  ['update a.b set (x, y) = (values (1, 2))', 25, 'is not supported'],
])('%s is refused at its place', (sql, column, message) =>
  expect(() => parseStatement(sql)).toThrow(
    expect.objectContaining({ message: expect.stringContaining(message), place: { line: 1, column } }),
  ),
)

test.each(['pragma version', 'select 1', 'describe history', 'describe history.t', 'show partitions', 'from optimize'])(
  '%s is not one of ours',
  (sql) => expect(parseStatement(sql)).toBeUndefined(),
)

test.each([
  ['optimize a.b zorder by (x)', 'OPTIMIZE', 'rewrite_data_files'],
  ['VACUUM', 'VACUUM', 'expire_snapshots'],
  ['analyze table a.b compute statistics', 'ANALYZE', 'Leave it out'],
  ['restore table a.b to version as of 3', 'RESTORE TABLE', 'rollback_to_snapshot'],
  ["copy into a.b from 'x'", 'COPY INTO', 'COPY t FROM'],
  ["insert overwrite directory '/x' select 1", 'INSERT OVERWRITE DIRECTORY', 'COPY (SELECT'],
  ['describe history a.b', 'DESCRIBE HISTORY', '$history'],
  ['show partitions a.b', 'SHOW PARTITIONS', '$partitions'],
  ['rename table a to b', 'RENAME TABLE', 'ALTER TABLE a RENAME TO b'],
  ['create external table a (x int)', 'CREATE EXTERNAL TABLE', 'add-files'],
  ['create or alter table a (x int)', 'CREATE OR ALTER', 'IF NOT EXISTS'],
  ['create table a shallow clone b', 'SHALLOW CLONE', 'AS FROM'],
  ['create table a (x int) partition by x', 'PARTITION BY', 'PARTITIONED BY'],
  ['create table a (x int) cluster by (x)', 'CLUSTER BY', 'SORTED BY'],
  ['create table a (x int) engine = MergeTree', 'ENGINE', 'Parquet'],
  ["create table a (x int) location '/x'", 'LOCATION', 'folder'],
  ['create schema a authorization b', 'a clause of CREATE SCHEMA', 'GRANT'],
  ['create view a security definer as select 1', 'SECURITY', 'Leave it out'],
  ['alter schema a rename to b', 'ALTER SCHEMA', 'RENAME TO'],
  ['alter table a change x y int', 'ALTER TABLE … CHANGE', 'RENAME COLUMN'],
  ['alter table a modify column x bigint', 'ALTER TABLE … MODIFY', 'ALTER COLUMN'],
  ["alter table a add partition (x = '1')", 'ALTER TABLE … ADD PARTITION', 'Leave it out'],
  ["alter table a drop if exists partition (x = '1')", 'ALTER TABLE … DROP IF EXISTS PARTITION', 'DELETE FROM'],
  ['alter table a delete where x = 1', 'ALTER TABLE … DELETE WHERE', 'DELETE FROM'],
  ["truncate table a partition (x = '1')", 'TRUNCATE … PARTITION', 'DELETE FROM'],
  ["comment on database a is 'x'", 'COMMENT ON DATABASE', 'schemas, tables, views and columns'],
  ['grant select on a to b with grant option', 'WITH GRANT OPTION', 'manage'],
])('%s: what is written here instead', (sql, what, hint) => {
  expect(isChange(sql)).toBe(true)
  expect(() => parseStatement(sql)).toThrow(
    expect.objectContaining({
      code: 'SQL_UNSUPPORTED',
      message: `${what} is not supported`,
      hint: expect.stringContaining(hint),
    }),
  )
})

test.each([
  ['insert a.b (x) values (1)', { kind: 'insert', name: ['a', 'b'], columns: ['x'] }],
  ['delete a.b where x = 1', { kind: 'delete', name: ['a', 'b'] }],
  [
    'merge a.b using c on x = y when matched then update all by name when not matched then insert all by name',
    {
      kind: 'merge',
      clauses: [{ action: { set: 'by-name' } }, { action: { kind: 'insert-all', byName: true } }],
    },
  ],
  ['truncate table if exists a', { kind: 'truncate', ifExists: true }],
  ['alter table a add column (x int, y int)', { changes: [{ path: 'x' }, { path: 'y' }] }],
  ['alter table a add partition int', { changes: [{ kind: 'add-column', path: 'partition' }] }],
  ['alter table a alter column p.z after y', { changes: [{ kind: 'move-column', place: { after: 'p.y' } }] }],
  ['alter table a add column p.z int after p.y', { changes: [{ kind: 'add-column', place: { after: 'p.y' } }] }],
  ['alter table a set partitioned by (x, year(d))', { changes: [{ kind: 'partitions', fields: [{}, {}] }] }],
  ['alter table a reset partitioned by', { changes: [{ kind: 'partitions', fields: [] }] }],
  ['grant role a to role b', { kind: 'grant-role', roles: ['a'], who: ['role:b'] }],
  ['grant role to b', { kind: 'grant-role', roles: ['role'], who: ['b'] }],
  ['revoke select on a from b cascade', { kind: 'revoke' }],
])('as others write it: %s', (sql, statement) => expect(parseStatement(sql)).toMatchObject(statement))
