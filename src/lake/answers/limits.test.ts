import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemPrincipal, type Principal } from '../../govern/index.ts'
import { boundsOf } from './limits.ts'
import { collect } from '../lake.ts'
import { openWorld } from '../world.ts'

let world: Awaited<ReturnType<typeof openWorld>>
let ann: Principal
const analyst = { kind: 'role' as const, name: 'analyst' }

beforeAll(async () => {
  world = await openWorld()
  ann = await world.member('ann')
  await world.rows(
    "create table raw.t partitioned by (a) as select range % 2 as a, repeat('x', 50) as b from range(100)",
  )
})
afterAll(() => world.close())

/** Rights of an analyst on everything, with these limits. */
const limited = (limits: Parameters<typeof world.applyAccess>[0]['limits']) =>
  world.applyAccess({
    roles: [{ name: 'analyst', members: [{ kind: 'user', name: 'ann' }] }],
    grants: [{ privilege: 'all', on: {}, to: analyst }],
    ...(limits ? { limits } : {}),
  })
const ask = async (sql: string, principal = ann) => collect(await world.query(sql, { principal, cache: false }))
const hinting = (text: string) => expect.stringContaining(text)

test('the narrower of the server and the asker counts, and says whose it is', () => {
  const server = {
    queryTimeoutMs: 1_000,
    queryRowsMax: 10,
    perPrincipal: { queries: 4, waiting: 1, resultBytes: 100 },
  }
  const own = {
    query_timeout: { most: 5_000, setBy: 'role' },
    queries: { most: 2, setBy: 'role' },
    scan_bytes: { most: 7, setBy: 'role' },
  }
  expect(boundsOf(own, server, ann)).toEqual({
    query_timeout: { most: 1_000, setBy: 'limits.query_timeout' },
    rows: { most: 10, setBy: 'limits.query_rows' },
    result_bytes: { most: 100, setBy: 'limits.per_principal.result_bytes' },
    scan_bytes: { most: 7, setBy: 'role' },
    memory: undefined,
    queries: { most: 2, setBy: 'role' },
  })
  expect(boundsOf({}, server, systemPrincipal)).toMatchObject({ queries: undefined, result_bytes: undefined })
})

test('bytes of files: known after pruning, refused before anything is read, in whatever statement', async () => {
  const files = (await world.rows('select file_path, file_size_in_bytes from raw.t$files')) as [string, number][]
  expect(files).toHaveLength(2)
  await limited([{ name: 'scan_bytes', most: Math.max(...files.map(([, bytes]) => Number(bytes))), to: analyst }])
  const refused = { code: 'QUERY_TOO_LARGE', hint: hinting('scan_bytes of role:analyst in access.yml') }
  await expect(ask('select b from raw.t')).rejects.toMatchObject(refused)
  await expect(ask('create table raw.copy as from raw.t')).rejects.toMatchObject(refused)
  await expect(ask("update raw.t set b = 'y' where b < 'z'")).rejects.toMatchObject(refused)
  await expect(ask('select count(*) from raw.t x join raw.t y using (b)')).rejects.toMatchObject(refused)
  expect((await ask('select count(b) from raw.t where a = 1')).rows).toEqual([[50]])
  expect((await ask('select count(*) from raw.t')).rows).toEqual([[100]])
  expect((await ask('select count(b) from raw.t', world.admin)).rows).toEqual([[100]])
})

test('rows cut an answer, and no part of a statement', async () => {
  await limited([{ name: 'rows', most: 3, to: analyst }])
  const result = await world.query('select b from raw.t', { principal: ann })
  expect((await collect(result)).rows).toHaveLength(3)
  expect([result.truncated(), result.rowsSetBy]).toEqual([true, 'rows of role:analyst in access.yml'])
  expect((await ask('select count(*) from (select b from raw.t)')).rows).toEqual([[100]])
  await ask('create table raw.all_rows as from raw.t')
  expect((await ask('select count(*) from raw.all_rows')).rows).toEqual([[100]])
  const pivoted = await ask('pivot (select a, range as n from raw.t, range(5)) on n using count(*)')
  expect(pivoted.columns.map(({ name }) => name)).toEqual(['a', '0', '1', '2', '3', '4'])
})

test('bytes of an answer, from the cache too', async () => {
  await limited([{ name: 'result_bytes', most: 1_000, to: analyst }])
  const big = 'select b as big from raw.t'
  const refused = { code: 'QUERY_TOO_LARGE', hint: hinting('result_bytes of role:analyst in access.yml') }
  const asked = async (principal: Principal) => collect(await world.query(big, { principal }))
  await expect(asked(ann)).rejects.toMatchObject(refused)
  await asked(world.reader)
  await expect(asked(ann)).rejects.toMatchObject(refused)
  const bytes = async () => {
    for await (const _ of (await world.query(big, { principal: ann, formats: [0] })).chunks);
  }
  await expect(bytes()).rejects.toMatchObject(refused)
})

test('time, of what is read and of what is written', async () => {
  await limited([{ name: 'query_timeout', most: 200, to: analyst }])
  const slow = 'select sum(x.range * y.range) as s from range(1000000) x, range(1000000) y'
  const stopped = {
    code: 'QUERY_TIMEOUT',
    message: 'the query ran longer than 200ms',
    hint: hinting('query_timeout of role:analyst in access.yml'),
  }
  await expect(ask(slow)).rejects.toMatchObject(stopped)
  await expect(ask(`create table raw.slow as ${slow}`)).rejects.toMatchObject(stopped)
  await limited(undefined)
  expect((await ask('select 1')).rows).toEqual([[1]])
})

test('a run takes as long as it takes, whatever people may; who is bounded is so in a run, too', async () => {
  const hasty = await openWorld({ queryTimeoutMs: 1 })
  const slow = 'select sum(x.range * y.range) as s from range(20000) x, range(5000) y'
  await expect(hasty.rows(slow)).rejects.toMatchObject({ code: 'QUERY_TIMEOUT' })
  expect(await hasty.rows(slow, { door: 'run' })).toHaveLength(1)
  await hasty.close()
  await limited([{ name: 'query_timeout', most: 1, to: analyst }])
  await expect(world.rows(slow, { principal: ann, door: 'run' })).rejects.toMatchObject({ code: 'QUERY_TIMEOUT' })
  await limited(undefined)
})

test('memory: a SELECT of somebody who is bounded has a host of its own, and fails alone', async () => {
  await limited([{ name: 'memory', most: 96 * 2 ** 20, to: analyst }])
  const wide = `select max(l) from (select a.b, list(x.range) as l from raw.t a, range(40000) x group by all)`
  await expect(ask(wide)).rejects.toMatchObject({
    code: 'QUERY_TOO_LARGE',
    hint: hinting('memory of role:analyst in access.yml'),
  })
  await expect(ask(`explain analyze ${wide}`)).rejects.toMatchObject({ code: 'QUERY_TOO_LARGE' })
  expect((await ask('select count(*) from raw.t')).rows).toEqual([[100]])
  // Nobody else is bound, and what spills is answered.
  await ask('select max(n) from (select range n, random() r from range(3000000) order by r)')
  await limited([])
  expect((await ask(`select count(*) from (${wide})`)).rows).toEqual([[1]])
})

test('whoever is gone before it is their turn has cancelled, whatever error they say it with: nothing has failed', async () => {
  const narrow = await openWorld({ perPrincipal: { queries: 1, waiting: 1, resultBytes: 2 ** 20 } })
  const [signal, principal] = [AbortSignal.abort(new Error('the client has left')), await narrow.member('bea')]
  const asked = narrow.query('select 1', { principal, signal })
  await expect(asked.finally(() => narrow.close())).rejects.toMatchObject({ code: 'QUERY_CANCELLED' })
})
