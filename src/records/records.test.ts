import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CompiledQuery } from 'kysely'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../test/support/postgres.ts'
import { realClock } from '../base/clock.ts'
import { isUniqueViolation, openMemoryRecords, openRecords, type Records } from './index.ts'
import { type Migration, migrations } from './migrations.ts'

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres?.stop())

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

let counter = 0
type Place = { stateDir: string; records: { url: string | undefined; schema: string } }
const places = {
  sqlite: (): Place => ({ stateDir: newFolder(), records: { url: undefined, schema: 'boathouse' } }),
  postgres: (): Place => ({ stateDir: newFolder(), records: { url: postgres.url, schema: `test_${++counter}` } }),
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'boathouse-records-'))
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function open(place: Place, options: { migrations?: readonly Migration[] } = {}): Promise<Records> {
  const records = await openRecords(place, options)
  cleanups.push(() => records.close())
  return records
}

const user = (name: string) => ({
  id: name,
  name,
  role: 'reader',
  disabled: 0 as const,
  created_at: now,
  updated_at: now,
})
/** The newest layout that these migrations make. */
const newest = migrations.at(-1)!.version
const now = new Date(0).toISOString()

describe.each(['sqlite', 'postgres'] as const)('%s', (kind) => {
  test('is made at the first start and found again at the next', async () => {
    const place = places[kind]()
    const first = await open(place)
    expect(first.migrated).toMatchObject([
      { store: 'catalog', from: 0, to: newest },
      { store: 'log', from: 0, to: newest },
    ])
    await first.catalog.insertInto('users').values(user('ann')).execute()
    const second = await open(place)
    expect(second.storeId).toBe(first.storeId)
    expect(second.migrated).toMatchObject([
      { from: newest, to: newest },
      { from: newest, to: newest },
    ])
    expect(await second.catalog.selectFrom('users').select('name').execute()).toEqual([{ name: 'ann' }])
    await second.check()
  })

  test('starts of several processes at once make one store', async () => {
    const place = places[kind]()
    const all = await Promise.all([open(place), open(place), open(place)])
    expect(new Set(all.map(({ storeId }) => storeId)).size).toBe(1)
  })

  test('every table takes and returns its columns', async () => {
    const records = await open(places[kind]())
    const tables = (await records.catalog.introspection.getTables()).filter(
      ({ schema }) => !schema || schema === `test_${counter}`,
    )
    const names = new Set(tables.map(({ name }) => name))
    for (const name of ['iceberg_tables', 'runs', 'run_steps', 'users', 'publications', 'settings'])
      expect(names).toContain(name)
    await records.log
      .insertInto('run_logs')
      .values(
        [1, 2].map((n) => ({
          run_id: 'r',
          step_id: null,
          at: now,
          level: 'info' as const,
          event: `e${n}`,
          fields_json: '{}',
        })),
      )
      .execute()
    const [first, second] = await records.log.selectFrom('run_logs').select(['seq', 'event']).orderBy('seq').execute()
    expect(typeof first!.seq).toBe('number')
    expect(second!.seq).toBeGreaterThan(first!.seq)
  })

  test('text sorts by bytes and counts are numbers', async () => {
    const { catalog } = await open(places[kind]())
    for (const name of ['b', 'A', 'a_b', 'aB', 'é']) await catalog.insertInto('users').values(user(name)).execute()
    const rows = await catalog.selectFrom('users').select('name').orderBy('name').execute()
    expect(rows.map(({ name }) => name)).toEqual(['A', 'aB', 'a_b', 'b', 'é'])
    const { n } = await catalog
      .selectFrom('users')
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow()
    expect(n).toBe(5)
  })

  test('a transaction that fails leaves nothing', async () => {
    const records = await open(places[kind]())
    const failing = records.transaction(async (trx) => {
      await trx.insertInto('users').values(user('ann')).execute()
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await records.catalog.selectFrom('users').selectAll().execute()).toEqual([])
  })

  test('a broken unique key is told as such', async () => {
    const { catalog } = await open(places[kind]())
    await catalog.insertInto('users').values(user('ann')).execute()
    const again = await catalog
      .insertInto('users')
      .values({ ...user('ann'), id: 'other' })
      .execute()
      .catch((error: unknown) => error)
    expect(isUniqueViolation(again)).toBe(true)
    expect(isUniqueViolation(new Error('other'))).toBe(false)
  })

  test('transactions of two openers behave as if one came after the other', async () => {
    const place = places[kind]()
    const openers = [await open(place), await open(place)]
    await openers[0]!.catalog.insertInto('settings').values({ key: 'n', value: '0' }).execute()
    const increment = (records: Records) =>
      records.transaction(async (trx) => {
        const { value } = await trx
          .selectFrom('settings')
          .select('value')
          .where('key', '=', 'n')
          .executeTakeFirstOrThrow()
        await trx
          .updateTable('settings')
          .set({ value: String(Number(value) + 1) })
          .where('key', '=', 'n')
          .execute()
      })
    await Promise.all(Array.from({ length: 20 }, (_, index) => increment(openers[index % 2]!)))
    const row = await openers[1]!.catalog
      .selectFrom('settings')
      .select('value')
      .where('key', '=', 'n')
      .executeTakeFirstOrThrow()
    expect(row.value).toBe('20')
  })

  test('one catalog has one running writer', async () => {
    const { catalog } = await open(places[kind]())
    const run = (id: string, name: string, writes: 0 | 1) => ({
      id,
      environment: 'dev',
      catalog: name,
      kind: 'run',
      status: 'running' as const,
      trigger: 'cli',
      requested_by: 'ann',
      created_at: now,
      attempt: 1,
      takeovers: 0,
      cancel_requested: 0 as const,
      writes,
      plan_json: '{}',
    })
    await catalog
      .insertInto('runs')
      .values([run('1', 'dev', 1), run('2', 'dev', 0), run('3', 'prod', 1)])
      .execute()
    const second = await catalog
      .insertInto('runs')
      .values(run('4', 'dev', 1))
      .execute()
      .catch((error: unknown) => error)
    expect(isUniqueViolation(second)).toBe(true)
  })

  test('a newer layout is refused, an older one migrated, a failing migration leaves the old one', async () => {
    const place = places[kind]()
    await open(place)
    const second: Migration = {
      version: newest + 1,
      name: 'more',
      catalog: ['create table more (id text primary key)'],
      log: [],
    }
    const broken = { ...second, catalog: [...second.catalog, 'create nonsense'] }
    await expect(open(place, { migrations: [...migrations, broken] })).rejects.toThrow()
    const newer = await open(place, { migrations: [...migrations, second] })
    expect(newer.migrated).toMatchObject([
      { from: newest, to: newest + 1 },
      { from: newest, to: newest + 1 },
    ])
    await expect(open(place)).rejects.toMatchObject({
      code: 'RECORDS_NEWER',
      message: expect.stringContaining(`layout ${newest + 1}`),
    })
  })

  test('a query beside the transaction around it is a mistake that is told, not a wait for ever', async () => {
    const records = await open(places[kind]())
    await expect(records.transaction(() => records.transaction(() => Promise.resolve()))).rejects.toThrow(
      'inside a transaction',
    )
    if (kind === 'sqlite')
      await expect(
        records.transaction(() => records.catalog.selectFrom('users').selectAll().execute()),
      ).rejects.toThrow('must use the transaction')
    await records.check()
  })
})

describe('sqlite files', () => {
  test('a commit waits for the disk unless told otherwise, and the next one does again', async () => {
    const records = await open(places.sqlite())
    const asked = (db: Pick<Records['catalog'], 'executeQuery'>) =>
      db.executeQuery<{ synchronous: number }>(CompiledQuery.raw('pragma synchronous')).then(({ rows }) => rows[0])
    for (let round = 0; round < 2; round++) {
      expect(await records.transaction(asked)).toEqual({ synchronous: 2 })
      expect(await records.transaction(asked, { flush: false })).toEqual({ synchronous: 1 })
      expect(await asked(records.catalog)).toEqual({ synchronous: 2 })
    }
    await expect(records.transaction(() => Promise.reject(new Error('x')), { flush: false })).rejects.toThrow('x')
    expect(await asked(records.catalog)).toEqual({ synchronous: 2 })
  })

  test('are copied before they change, and the copy opens', async () => {
    const place = places.sqlite()
    const records = await open(place)
    await records.catalog.insertInto('users').values(user('ann')).execute()
    const more: Migration = { version: newest + 1, name: 'more', catalog: ['delete from users'], log: [] }
    const { migrated } = await open(place, { migrations: [...migrations, more] })
    const backup = new DatabaseSync(migrated[0]!.backup!)
    expect(backup.prepare('select name from users').all()).toMatchObject([{ name: 'ann' }])
    backup.close()
    expect(readdirSync(join(place.stateDir, 'backups')).filter((name) => name.endsWith('.db'))).toHaveLength(2)
  })

  test('survive without loss what another process writes at the same time', async () => {
    const place = places.sqlite()
    const records = await open(place)
    const path = join(place.stateDir, 'catalog.db')
    const script = `
      const db = new (require('node:sqlite').DatabaseSync)(${JSON.stringify(path)}, { timeout: 5000 })
      for (let i = 0; i < 50; i++) db.exec("begin immediate; insert into settings values ('other-" + i + "', ''); commit")`
    const { spawn } = await import('node:child_process')
    const other = spawn(process.execPath, ['-e', script], { stdio: 'ignore' })
    const ended = new Promise((resolve) => other.once('close', resolve))
    for (let i = 0; i < 50; i++)
      await records.catalog
        .insertInto('settings')
        .values({ key: `own-${i}`, value: '' })
        .execute()
    expect(await ended).toBe(0)
    const { n } = await records.catalog
      .selectFrom('settings')
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow()
    expect(n).toBe(101)
  })

  test('that another process holds for too long are told as locked', async () => {
    const place = places.sqlite()
    await open(place)
    const holder = new DatabaseSync(join(place.stateDir, 'catalog.db'))
    holder.exec('begin immediate')
    cleanups.push(() => holder.close())
    const impatient = { ...realClock, sleep: () => Promise.resolve(), random: () => 0.99 }
    const blocked = openRecords(place, { clock: impatient })
    await expect(blocked).rejects.toMatchObject({ code: 'RECORDS_FAILED', message: expect.stringContaining('locked') })
  })

  test('that are no databases are named', async () => {
    const place = places.sqlite()
    writeFileSync(
      join(place.stateDir, 'catalog.db'),
      'this is a text file, not a database, and long enough to be read as one',
    )
    await expect(open(place)).rejects.toMatchObject({
      code: 'RECORDS_FAILED',
      message: expect.stringContaining('catalog.db'),
    })
  })

  test('cost no more than memory in a test', async () => {
    const records = await openMemoryRecords()
    await records.check()
    await records.close()
  })
})

test('a PostgreSQL that is not there or goes away is a failure to retry', async () => {
  await expect(
    openRecords({ stateDir: '', records: { url: 'postgres://ann@127.0.0.1:1/x', schema: 's' } }),
  ).rejects.toMatchObject({
    code: 'RECORDS_FAILED',
    message: expect.stringContaining('cannot be reached'),
  })
  const records = await open(places.postgres())
  const client = new pg.Client(postgres.url)
  await client.connect()
  await client.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'boathouse'`)
  await client.end()
  const outcomes = await Promise.all(
    [1, 2, 3].map(() =>
      records.check().then(
        () => 'ok',
        (error: { code: string }) => error.code,
      ),
    ),
  )
  for (const outcome of outcomes) expect(['ok', 'RECORDS_FAILED']).toContain(outcome)
  await records.check()
})
