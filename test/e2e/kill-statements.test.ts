// `kill -9` of a server at random moments, while SQL clients take numbers, change a column's type, copy rows and update by a key:
// no number is given twice, before and after, and each table is as it was before a statement or after it.

import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openExample, type Example } from '../support/example.ts'
import { freePort } from '../support/free-port.ts'
import { errorFields, logIn, message, openRaw, query } from '../support/pg-raw.ts'

const kills = process.env.SOAK ? 60 : 3
const password = 'seven oars and a heron'
const [rowsOfBatch, rowsRetyped, keys] = [40, 300, 20]

let example: Example
let port: number
beforeAll(async () => {
  example = openExample()
  port = await freePort()
  for (const sql of [
    'create schema raw',
    'create sequence raw.seq',
    'create table raw.numbered (id bigint generated always as identity, n int)',
    "create table raw.by_default (id bigint default nextval('raw.seq'), n int)",
    `create table raw.retyped as select range::varchar as v, range as n from range(${rowsRetyped})`,
    'create table raw.copied (batch bigint, n bigint, word varchar(10))',
    'create table raw.keyed (k bigint, n bigint, primary key (k) not enforced)',
  ])
    await example.rows(sql)
}, 120_000)
afterAll(() => example?.close())

/** Numbers that somebody was told. */
const told = { sequence: new Set<string>(), column: new Set<string>() }
const kept = { numbered: new Set<string>(), byDefault: new Set<string>(), batches: new Set<number>(), key: 0 }
let [batch, key, type] = [0, 0, 'bigint']
let acknowledged = 0
const done = { numbers: 0, retyped: 0, copied: 0, keyed: 0 }

function tell(of: Set<string>, numbers: readonly string[]): void {
  for (const number of numbers) {
    expect(of.has(number), `${number} was given before`).toBe(false)
    of.add(number)
  }
}

type Client = (sql: string) => Promise<string[]>
const workers: ((ask: Client) => Promise<keyof typeof done>)[] = [
  async (ask) => {
    const ids = await ask('insert into raw.numbered (n) values (1), (2) returning id')
    tell(told.column, ids)
    for (const id of ids) kept.numbered.add(id)
    tell(told.column, await ask("select nextval('raw.numbered_id_seq')"))
    return 'numbers'
  },
  async (ask) => {
    tell(told.sequence, await ask("select nextval('raw.seq') from range(3)"))
    const ids = await ask('insert into raw.by_default (n) select * from range(2) returning id')
    tell(told.sequence, ids)
    for (const id of ids) kept.byDefault.add(id)
    return 'numbers'
  },
  async (ask) => {
    type = type === 'bigint' ? 'varchar' : 'bigint'
    await ask(`alter table raw.retyped alter column v type ${type}`)
    return 'retyped'
  },
  async (ask) => {
    key++
    await ask(
      `insert into raw.keyed select range, ${key} from range(${keys}) on conflict (k) do update set n = excluded.n`,
    )
    kept.key = key
    return 'keyed'
  },
]

/** Until the connection is gone; what else goes wrong is a failure. */
async function untilGone(work: () => Promise<keyof typeof done>): Promise<void> {
  for (;;)
    try {
      done[await work()]++
      acknowledged++
    } catch (error) {
      const { code = '', message } = error as { code?: string; message: string }
      if (/terminated|ECONNRESET|EPIPE|not queryable|gone/.test(`${code} ${message}`)) return
      throw error
    }
}

async function clientsOf(): Promise<Promise<void>[]> {
  const raw = await openRaw(port)
  await logIn(raw, { user: 'admin', password })
  const copy = async () => {
    const lines = Array.from({ length: rowsOfBatch }, (_, n) => `${batch}\t${n}\tw${n}\n`)
    const own = batch++
    raw.send(query('copy raw.copied from stdin'))
    if ((await raw.next())?.type !== 'G') throw new Error('gone')
    for (const line of lines) raw.send(message('d', Buffer.from(line)))
    raw.send(message('c'))
    const all = await raw.until('Z')
    const failed = all.find((one) => one.type === 'E')
    if (failed && all.at(-1)!.type === 'Z') throw new Error(errorFields(failed).M)
    if (all.at(-1)?.type !== 'Z') throw new Error('gone')
    kept.batches.add(own)
    return 'copied' as const
  }
  const others = workers.map(async (work) => {
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'admin', password, database: 'dev' })
    client.on('error', () => {})
    await client.connect()
    await untilGone(() =>
      work(async (text) => (await client.query<string[]>({ text, rowMode: 'array' })).rows.map(([one]) => String(one))),
    )
  })
  return [...others, untilGone(copy)]
}

async function started() {
  const server = example.start(['serve'], {
    env: { BOATHOUSE_PG_PORT: String(port), BOATHOUSE_HTTP_PORT: '0', BOATHOUSE_ADMIN_PASSWORD: password },
  })
  for (const stream of [server.stdout!, server.stderr!]) stream.resume()
  await expect
    .poll(() =>
      openRaw(port).then(
        (raw) => (raw.close(), true),
        () => false,
      ),
    )
    .toBe(true)
  return server
}

async function check(): Promise<void> {
  const numbers = async (table: string) => (await example.rows(`select id from raw.${table}`)).map(([id]) => String(id))
  for (const [table, ofThem] of [
    ['numbered', kept.numbered],
    ['by_default', kept.byDefault],
  ] as const) {
    const all = await numbers(table)
    expect([table, new Set(all).size]).toEqual([table, all.length])
    expect([table, [...ofThem].filter((id) => !all.includes(id))]).toEqual([table, []])
    // What was told of a number that no row was acknowledged with, is no row's.
    const others = table === 'numbered' ? told.column : told.sequence
    expect([table, all.filter((id) => others.has(id) && !ofThem.has(id))]).toEqual([table, []])
  }
  expect(
    await example.rows(
      'select count(*), sum(v::bigint)::bigint, count(distinct v), count(*) filter (where v::bigint <> n) from raw.retyped',
    ),
  ).toEqual([[rowsRetyped, (rowsRetyped * (rowsRetyped - 1)) / 2, rowsRetyped, 0]])
  const [[now] = []] = await example.rows('select typeof(v) from raw.retyped limit 1')
  type = String(now).toLowerCase()
  const batches = await example.rows('select batch, count(*), count(distinct n) from raw.copied group by batch')
  expect(batches.filter(([, n, distinct]) => n !== rowsOfBatch || distinct !== rowsOfBatch)).toEqual([])
  const there = new Set(batches.map(([one]) => Number(one)))
  expect([...kept.batches].filter((one) => !there.has(one))).toEqual([])
  const [[count, distinct, values, least] = []] = await example.rows(
    'select count(*), count(distinct k), count(distinct n), coalesce(min(n), 0) from raw.keyed',
  )
  if (count !== 0) expect([count, distinct, values]).toEqual([keys, keys, 1])
  expect(Number(least)).toBeGreaterThanOrEqual(kept.key)
}

test(`${kills} kills of a server: each number once, no half of a statement`, { timeout: kills * 120_000 }, async () => {
  for (let round = 0; round < kills; round++) {
    const server = await started()
    const ended = once(server, 'exit')
    const clients = await clientsOf()
    const enough = acknowledged + 5 + Math.floor(Math.random() * 20)
    while (acknowledged < enough) await Promise.race([sleep(5), Promise.all(clients)])
    await sleep(Math.random() * 150)
    server.kill('SIGKILL')
    await ended
    await Promise.all(clients)
    await check()
  }
  expect(Math.min(...Object.values(done))).toBeGreaterThan(0)
})
