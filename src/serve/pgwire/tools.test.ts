// The statements that tools send, on the wire and on PostgreSQL with like tables: the same names, types and rows.

import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPgWorld, type PgWorld } from '../../../test/support/pg-world.ts'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.ts'

const file = fileURLToPath(new URL('../../../test/golden/wire/tools.sql', import.meta.url))
const statements = (await readFile(file, 'utf8'))
  .split(/\n\n(?=-- )/)
  .slice(1)
  .map((one) => [/^-- (.*)/.exec(one)![1]!, one.replace(/^-- .*\n/, '').trim()] as const)

let world: PgWorld
let postgres: TestPostgres
let ours: pg.Client
let theirs: pg.Client

beforeAll(async () => {
  world = await openPgWorld()
  postgres = await startPostgres()
  ours = new pg.Client({ connectionString: world.url() })
  theirs = new pg.Client({ connectionString: postgres.url })
  await Promise.all([ours.connect(), theirs.connect()])
  const columns = 'amount decimal(12,2), d date, tags text[], ts timestamptz'
  await world.rows('create schema raw')
  await world.rows(
    `create table raw.sales (id bigint not null comment 'The number', ${columns}, ok boolean, f double) comment 'All sales'`,
  )
  await world.rows('create table raw.keyed (id bigint not null, name varchar)')
  await world.rows('alter table raw.keyed set identifier fields id')
  await world.rows('create view raw.v as select id, amount from raw.sales')
  await world.rows('create table raw."Odd name" ("a b" int)')
  await theirs.query(`create schema raw;
    create table raw.sales (id bigint not null, ${columns}, ok boolean, f double precision);
    comment on table raw.sales is 'All sales'; comment on column raw.sales.id is 'The number';
    create table raw.keyed (id bigint primary key, name text);
    create view raw.v as select id, amount from raw.sales;
    create table raw."Odd name" ("a b" int); set timezone = 'UTC'; drop schema public`)
  const rows = [
    `insert into raw.sales values (1, 10.50, '2024-03-01', array['a', 'b'], '2024-03-01 10:00:00Z', true, 0.5),
      (2, 20.25, '2024-03-31', null, '2024-03-31 10:02:00Z', false, null), (3, 5.00, '2024-04-02', array['c'], null, null, 1e10)`,
    `insert into raw.keyed values (1, 'one'), (2, null)`,
  ]
  for (const sql of rows) await Promise.all([world.rows(sql), theirs.query(sql)])
})
afterAll(async () => {
  await Promise.all([ours?.end(), theirs?.end()])
  await Promise.all([world?.close(), postgres?.stop()])
})

async function answer(client: pg.Client, text: string) {
  // As text: how a client reads a type is not what is asked here.
  const { fields, rows } = await client.query({
    text,
    rowMode: 'array',
    types: { getTypeParser: () => (text: unknown) => String(text).replace(/\+00$/, '') },
  })
  return {
    columns: fields.map(({ name, dataTypeID }) => `${name} ${like[dataTypeID] ?? dataTypeID}`),
    rows,
  }
}

/** Here "char", name, regclass, regproc, void, varchar and char are text, and JSON may be; EXTRACT gives a double, DATE_TRUNC of a date a timestamp without zone. */
const like: Record<number, number> = {
  2205: 25,
  18: 25,
  19: 25,
  24: 25,
  2278: 25,
  1043: 25,
  1042: 25,
  1003: 1009,
  114: 25,
  1700: 701,
  1184: 1114,
}

test.each(statements)('%s', async (_, sql) => {
  const [mine, yours] = [await answer(ours, sql), await answer(theirs, sql)]
  expect(mine).toEqual(yours)
})
