import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPgWorld, type PgWorld } from '../../../test/support/pg-world.ts'
import { answers, expectedFile } from '../../../test/support/pg-words.ts'

let world: PgWorld

beforeAll(async () => {
  world = await openPgWorld()
})
afterAll(() => world.close())

// The file holds what PostgreSQL itself says (`test/conformance/wire`).
test('what is written in words of PostgreSQL alone means what it means there', async () => {
  expect(await answers(world.url())).toBe(readFileSync(expectedFile, 'utf8'))
})

test('what pg_dump wrote is restored by psql, in one transaction and without an error', async () => {
  const file = fileURLToPath(new URL('../../../test/golden/wire/dump.sql', import.meta.url))
  const run = promisify(execFile)
  await run('psql', ['-X', '-q', '-1', '-v', 'ON_ERROR_STOP=1', world.url(), '-f', file])
  const client = new pg.Client({ connectionString: world.url() })
  await client.connect()
  const rowsOf = async (text: string) => (await client.query<unknown[]>({ text, rowMode: 'array' })).rows
  expect(await rowsOf('select id, name, meta from shop.customers order by id')).toEqual([
    [1, 'Ann', { a: 1 }],
    [2, "Bob's", null],
  ])
  expect(await rowsOf('select id, total, tags from shop.big')).toEqual([['1', '9.99', ['a', 'b c']]])
  // Keys go on where they were.
  expect(await rowsOf("insert into shop.customers (name) values ('new') returning id, active")).toEqual([[3, true]])
  expect(await rowsOf('insert into shop.orders (total) values (3) returning id')).toEqual([['3']])
  await client.end()
})
