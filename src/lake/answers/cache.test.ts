import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ResultCache, type CachedResult } from './cache.ts'
import { collect, type QueryOptions } from '../lake.ts'
import { openWorld } from '../world.ts'

const dir = mkdtempSync(join(tmpdir(), 'results-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const keyOf = (text: string) => createHash('sha256').update(text).digest('hex')
const result = (text: string): CachedResult => ({
  columns: [{ name: 'a', type: 'VARCHAR', nullable: true }],
  chunks: [{ rowCount: 1, json: JSON.stringify([[text]]) }],
  truncated: false,
  madeAtMs: 1,
})
const noise = (seed: number, length: number) =>
  Array.from({ length: Math.ceil(length / 64) }, (_, index) => keyOf(`${seed} ${index}`))
    .join('')
    .slice(0, length)

describe('in memory', () => {
  test('the least recently used goes first', async () => {
    const cache = new ResultCache(80_000)
    for (const name of ['a', 'b', 'c']) cache.put(keyOf(name), result('x'.repeat(4_000)), 0)
    expect(await cache.get(keyOf('a'))).toBeDefined()
    for (let i = 0; i < 6; i++) cache.put(keyOf(`more ${i}`), result('x'.repeat(4_000)), 0)
    expect(await cache.get(keyOf('b'))).toBeUndefined()
    expect(await cache.get(keyOf('a'))).toBeDefined()
    cache.put(keyOf('large'), result('x'.repeat(10_000)), 0)
    expect(await cache.get(keyOf('large'))).toBeUndefined()
    expect([cache.hits, cache.misses]).toEqual([2, 2])
  })
})

describe('on disk', () => {
  test('bytes of SQL clients are kept in memory only, and there without the rest of their buffer', async () => {
    const folder = join(dir, 'wire')
    const cache = new ResultCache(1e6, { folder, bytesMax: 1e6 })
    const bytes = Buffer.alloc(50_000, 'x').subarray(0, 10)
    cache.put(keyOf('wire'), { ...result(''), chunks: [{ rowCount: 1, json: '', bytes }] }, 100)
    await cache.settled()
    const [chunk] = (await cache.get(keyOf('wire'), 'memory'))!.chunks
    expect(Buffer.from(chunk!.bytes!).toString()).toBe('xxxxxxxxxx')
    expect(chunk!.bytes!.buffer.byteLength).toBe(10)
    expect(existsSync(folder)).toBe(false)
  })

  test('outlives the process; what took no time, or is damaged, is not there', async () => {
    const folder = join(dir, 'one')
    const open = () => new ResultCache(1e6, { folder, bytesMax: 1e6 })
    const first = open()
    first.put(keyOf('slow'), result('ü'), 100)
    first.put(keyOf('quick'), result('x'), 3)
    first.put(keyOf('damaged'), result('x'), 100)
    await first.settled()
    expect(statSync(join(folder, `${keyOf('slow')}.result`)).mode & 0o077).toBe(0)
    const path = join(folder, `${keyOf('damaged')}.result`)
    const bytes = readFileSync(path)
    bytes[40]! ^= 1
    writeFileSync(path, bytes)
    writeFileSync(join(folder, `${keyOf('empty')}.result`), '')
    const second = open()
    expect(await second.get(keyOf('slow'))).toEqual(result('ü'))
    for (const name of ['quick', 'damaged', 'empty'])
      expect([name, await second.get(keyOf(name))]).toEqual([name, undefined])
    expect(readdirSync(folder)).toEqual([`${keyOf('slow')}.result`])
  })

  test('stays within its bytes, for two that share it', async () => {
    const folder = join(dir, 'two')
    const bytesMax = 200_000
    const caches = [0, 1].map(() => new ResultCache(1e6, { folder, bytesMax }))
    for (let i = 0; i < 40; i++) caches[i % 2]!.put(keyOf(String(i)), result(noise(i, 20_000)), 100)
    await Promise.all(caches.map((one) => one.settled()))
    const size = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
    // Each counts what it wrote itself, so both together may be that much above.
    expect(size).toBeLessThan(bytesMax * 2)
    expect(size).toBeGreaterThan(bytesMax / 4)
    const third = new ResultCache(1e6, { folder, bytesMax })
    expect(await third.get(keyOf('39'))).toEqual(result(noise(39, 20_000)))
  })

  test('a folder that cannot be written costs nothing', async () => {
    const file = join(dir, 'file')
    writeFileSync(file, '')
    const cache = new ResultCache(1e6, { folder: join(file, 'no'), bytesMax: 1e6 })
    cache.put(keyOf('a'), result('x'), 100)
    await cache.settled()
    expect(await cache.get(keyOf('a'))).toMatchObject(result('x'))
  })
})

describe('what a result is a function of', () => {
  let world: Awaited<ReturnType<typeof openWorld>>
  beforeAll(async () => {
    world = await openWorld()
    await world.rows('create table raw.t as select 1 as id, 10 as n union all select 2, 20')
  })
  afterAll(() => world?.close())
  const ask = async (sql: string, more = {}) => {
    const asked = await world.query(sql, more)
    const { rows, columns } = await collect(asked)
    return { rows, names: columns.map(({ name }) => name), hit: asked.cached.hit, ageMs: asked.cached.ageMs }
  }

  test('a renamed column, another view, another snapshot, another row limit', async () => {
    const sql = 'select * from raw.t order by all'
    await ask(sql)
    expect(await ask(sql)).toMatchObject({ hit: true, names: ['id', 'n'], ageMs: expect.any(Number) as number })
    expect(await ask(sql, { rowsMax: 1 })).toMatchObject({ hit: false, rows: [[1, 10]] })
    await world.rows('alter table raw.t rename column n to amount')
    expect(await ask(sql)).toMatchObject({ hit: false, names: ['id', 'amount'] })
    await world.rows('create or replace view raw.v as select id from raw.t')
    await ask('select sum(id) from raw.v')
    await world.rows('create or replace view raw.v as select id * 2 as id from raw.t')
    expect(await ask('select sum(id) from raw.v')).toMatchObject({ hit: false, rows: [['6']] })
    await world.rows('alter table raw.t rename to t2')
    await world.rows('create table raw.t as select 5 as id')
    expect(await ask('select sum(id) from raw.v')).toMatchObject({ hit: false, rows: [['10']] })
  })

  test('what the asker may see: filters, masks, grants and what is taken away again', async () => {
    await world.rows('create table raw.g as select 1 as id, 100 as salary union all select 2, 200')
    const [mia, tom] = [await world.member('mia'), await world.member('tom')]
    const sql = 'select * from raw.g order by all'
    expect(await ask(sql)).toMatchObject({
      hit: false,
      rows: [
        [1, 100],
        [2, 200],
      ],
    })
    await world.rows('grant select (id) on raw.g to mia')
    expect(await ask(sql, { principal: mia })).toMatchObject({ hit: false, rows: [[1], [2]] })
    await world.rows('grant select on raw.g to tom')
    expect(await ask(sql, { principal: tom })).toMatchObject({
      rows: [
        [1, 100],
        [2, 200],
      ],
    })
    expect(await ask(sql, { principal: mia })).toMatchObject({ hit: true, rows: [[1], [2]] })
    await world.rows('revoke select on raw.g from tom')
    await expect(ask(sql, { principal: tom })).rejects.toBeTruthy()
  })

  test.each(['now()', 'random()', 'current_date', 'uuid()', 'current_user'])('%s is not kept', async (call) => {
    await ask(`select ${call} is null from raw.g`)
    expect((await ask(`select ${call} is null from raw.g`)).hit).toBe(false)
  })

  test('in the formats of SQL clients, for the same formats, and for no other snapshot, rights or moment', async () => {
    await world.rows('create table raw.w as select 1 as id, 100 as salary')
    const mia = await world.member('ida')
    const wire = async (sql: string, more: Partial<QueryOptions> = {}) => {
      const { cached, chunks } = await world.query(sql, { formats: [0], ...more })
      const bytes = await Array.fromAsync(chunks, (chunk) => Buffer.from(chunk.bytes!).toString('latin1'))
      return { hit: cached.hit, bytes: bytes.join('') }
    }
    const sql = 'select * from raw.w order by all'
    const first = await wire(sql)
    expect(first).toMatchObject({ hit: false, bytes: expect.stringContaining('100') })
    expect(await wire(sql)).toEqual({ ...first, hit: true })
    expect(await ask(sql)).toMatchObject({ hit: false, rows: [[1, 100]] })
    expect(await wire(sql, { formats: [1] })).toMatchObject({ hit: false })
    await world.rows('insert into raw.w values (2, 200)')
    expect(await wire(sql)).toMatchObject({ hit: false, bytes: expect.stringContaining('200') })
    await expect(wire(sql, { principal: mia })).rejects.toBeTruthy()
    await world.rows(`grant select (id) on raw.w to "${mia.name}"`)
    expect(await wire(sql, { principal: mia })).toMatchObject({ hit: false, bytes: expect.not.stringContaining('200') })
    expect(await wire(sql, { principal: mia })).toMatchObject({ hit: true, bytes: expect.not.stringContaining('200') })
    await world.rows(`revoke select (id) on raw.w from "${mia.name}"`)
    await expect(wire(sql, { principal: mia })).rejects.toBeTruthy()
    for (const _ of [1, 2]) expect(await wire('select now() is null from raw.w')).toMatchObject({ hit: false })
  })

  test('an answer can be asked for again, as of what it read', async () => {
    await world.rows('create table raw.p as select 1 as id')
    const first = await world.query('select count(*) from raw.p')
    await collect(first)
    await world.rows('insert into raw.p values (2)')
    const asOf = JSON.stringify(
      Object.fromEntries(first.provenance.tables.map(({ table, snapshotId }) => [table, snapshotId])),
    )
    expect(await ask('select count(*) from raw.p')).toMatchObject({ rows: [[2]] })
    expect(await ask('select count(*) from raw.p', { asOf })).toMatchObject({ rows: [[1]] })
    await world.rows('create or replace table raw.p (id int, name varchar)')
    const [empty] = (await world.query('from raw.p')).provenance.tables
    await world.rows("insert into raw.p values (1, 'a')")
    await world.rows('alter table raw.p rename column name to title')
    const renamed = await world.query('select title from raw.p')
    await collect(renamed)
    await world.rows('alter table raw.p drop column title')
    const again = (told: object | undefined) => ({ asOf: JSON.stringify({ 'dev_analytics.raw.p': told }) })
    expect(await ask('select * from raw.p', again(renamed.provenance.tables[0]))).toMatchObject({ rows: [[1, 'a']] })
    expect(await ask('select title from raw.p', again(renamed.provenance.tables[0]))).toMatchObject({ rows: [['a']] })
    expect(await ask('select name from raw.p', again(empty))).toMatchObject({ rows: [] })
    await expect(ask('select 1', { asOf: '{"a": [1]}' })).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
    await expect(ask('select 1', { asOf: '{nonsense' })).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  })

  test('so can one that reads a table as of several moments, and a branch that has grown since', async () => {
    await world.rows('create table raw.moments as select 1 as id')
    await world.rows("call create_tag('raw.moments', 'first')")
    await world.rows("call create_branch('raw.moments', 'side')")
    await world.rows('insert into raw.moments values (2)')
    const of = (moment: string) => `(select count(*) from raw.moments${moment})`
    for (const sql of [
      `select ${of('')} as a, ${of('.tag_first')} as b, ${of('.branch_side')} as c`,
      "select (select max(id) from raw.moments for version as of 'side'), max(id) from raw.moments",
      "select count(*) from table_changes('raw.moments', 'first', 'side')",
      'select count(*) from raw.moments$changes',
    ]) {
      const first = await world.query(sql)
      const { rows } = await collect(first)
      await world.rows('insert into raw.moments.branch_side values (7)')
      await world.rows('insert into raw.moments values (8)')
      expect([sql, (await ask(sql, { asOf: JSON.stringify(first.provenance) })).rows]).toEqual([sql, rows])
    }
  })

  test('so can one of a view that was made anew since, with the rights of the asker alone', async () => {
    const pia = await world.member('pia')
    await world.rows("create table raw.secrets as select 1 as id, 'hidden' as word")
    const lending = { principal: { id: 'cli', name: 'op', role: 'admin' as const } }
    await world.rows('create view raw.inner_view as select * from raw.secrets', lending)
    await world.rows('create view raw.shown as select * from raw.inner_view', lending)
    const first = await world.query('from raw.shown')
    await collect(first)
    const asOf = JSON.stringify(first.provenance)
    await world.rows(`grant select on raw.shown to "${pia.name}"`)
    expect(await ask('from raw.shown', { principal: pia })).toMatchObject({ rows: [[1, 'hidden']] })

    await world.rows('create or replace view raw.inner_view as select id from raw.secrets', lending)
    await world.rows('insert into raw.secrets values (2, null)')
    expect(await ask('from raw.shown')).toMatchObject({ rows: [[1], [2]] })
    expect(await ask('from raw.shown', { asOf })).toMatchObject({ rows: [[1, 'hidden']] })
    expect(await ask('from raw.shown', { principal: pia })).toMatchObject({ rows: [[1], [2]] })
    await expect(ask('from raw.shown', { principal: pia, asOf })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await world.rows('create or replace view raw.shown as select count(*) as n from raw.inner_view', lending)
    expect(await ask('from raw.shown', { asOf })).toMatchObject({ rows: [[1, 'hidden']] })
    await expect(ask('from raw.shown', { principal: pia, asOf })).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: 'dev_analytics.raw.shown, as it was to that answer, reads what is gone or what you may not select',
    })

    const was = (name: string, told: object) => ({ asOf: JSON.stringify({ [`dev_analytics.raw.${name}`]: told }) })
    for (const [name, told, message] of [
      ['shown', { versionId: 7 }, 'dev_analytics.raw.shown has no version 7 (any more)'],
      ['shown', { snapshotId: null }, 'dev_analytics.raw.shown was a table to that answer, and is a view now'],
      ['secrets', { versionId: 1 }, 'dev_analytics.raw.secrets was a view to that answer, and is a table now'],
    ] as const)
      await expect(ask(`from raw.${name}`, was(name, told))).rejects.toMatchObject({ code: 'REQUEST_INVALID', message })
  })
})
