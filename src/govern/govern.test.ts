// Everything that is remembered, on both stores.

import { CompiledQuery } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../test/support/postgres.ts'
import { Failure } from '../base/failure.ts'
import { openMemoryRecords, openRecords, type Records } from '../records/index.ts'
import { type Govern, openGovern } from './index.ts'
import { hashSecret } from './secret.ts'

const cost = { logN: 4, r: 1, p: 1 }
const visitor = { address: '127.0.0.1', userAgent: 'test' }
const [minute, hour, day] = [60_000, 3_600_000, 24 * 3_600_000]
const password = 'correct horse battery'

let now = Date.parse('2026-03-01T00:00:00Z')
const clock = { now: () => now, random: () => 0.5, sleep: async () => {} }
let records: Records
let govern: Govern

let postgres: TestPostgres
let schemas = 0
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres?.stop())

describe.each(['sqlite', 'postgres'] as const)('on %s', (kind) => {
  beforeEach(async () => {
    now = Date.parse('2026-03-01T00:00:00Z')
    records =
      kind === 'sqlite'
        ? await openMemoryRecords({ clock })
        : await openRecords({ stateDir: '', records: { url: postgres.url, schema: `govern_${++schemas}` } }, { clock })
    govern = openGovern({ records, clock, cost })
  })
  afterEach(async () => {
    await govern.close()
    await records.close()
  })

  const refused = (code: string) => expect.objectContaining({ code })
  async function ada(role: 'admin' | 'reader' = 'reader') {
    const user = await govern.users.create({ name: 'Ada', role })
    await govern.users.setPassword(user.id, password)
    return user
  }
  const logIn = (name: string, word = password) => govern.sessions.logIn({ name, password: word }, visitor)

  describe('log-in by password', () => {
    test('opens a session; names are compared without case', async () => {
      const user = await ada()
      const opened = await logIn('ADA')
      expect(opened).toMatchObject({ principal: { id: user.id, name: 'ada', role: 'reader' }, passwordNeeded: false })
      expect(await govern.sessions.authenticate(opened.token)).toMatchObject({
        principal: { name: 'ada' },
        renewed: false,
      })
    })

    test('an unknown name, a wrong password, a disabled user and one without a password get the same answer', async () => {
      await ada()
      await govern.users.create({ name: 'fresh', role: 'reader' })
      const gone = await govern.users.create({ name: 'gone', role: 'reader' })
      await govern.users.setPassword(gone.id, password)
      await govern.users.change(gone.id, { disabled: true })
      const answers = []
      for (const [name, word] of [
        ['nobody', password],
        ['ada', 'wrong password!'],
        ['gone', password],
        ['fresh', password],
      ] as const)
        answers.push(
          await logIn(name, word).catch((error: Failure) => ({
            code: error.code,
            message: error.message,
            hint: error.hint,
            context: error.context,
          })),
        )
      expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
      expect(answers[0]).toMatchObject({ code: 'UNAUTHENTICATED' })
    })

    test('guessing is slowed down by name and by address, and a right password costs nothing', async () => {
      await ada()
      for (let attempt = 0; attempt < 40; attempt++) await logIn('ada')
      for (let attempt = 0; attempt < 10; attempt++)
        await expect(logIn('ada', 'wrong password!')).rejects.toThrow(refused('UNAUTHENTICATED'))
      await expect(logIn('ada')).rejects.toThrow(refused('RATE_LIMITED'))
      now += minute
      await logIn('ada')
      for (let attempt = 0; attempt < 40; attempt++) await logIn(`guess${attempt}`).catch(() => {})
      await expect(logIn('ada')).rejects.toThrow(refused('RATE_LIMITED'))
      await govern.sessions.logIn({ name: 'ada', password }, { address: '10.0.0.2' })
    })

    test('a password reset while a log-in is under way wins', async () => {
      const user = await ada()
      // It may be refused before the reset has ended.
      const opening = logIn('ada').catch(() => undefined)
      await govern.users.reset(user.id)
      const opened = await opening
      expect(opened && (await govern.sessions.authenticate(opened.token))).toBeUndefined()
    })

    test('a password hashed with older parameters is hashed anew at the next log-in', async () => {
      await ada()
      const better = openGovern({ records, clock, cost: { logN: 5, r: 1, p: 1 } })
      await better.sessions.logIn({ name: 'ada', password }, visitor)
      expect(
        (await records.catalog.selectFrom('users').select('password_hash').executeTakeFirstOrThrow()).password_hash,
      ).toContain('$scrypt$ln=5,r=1,p=1$')
      await better.sessions.logIn({ name: 'ada', password }, visitor)
    })
  })

  describe('sessions', () => {
    test('end seven days after their last use, and thirty after their start however much they are used', async () => {
      await ada()
      const idle = await logIn('ada')
      const busy = await logIn('ada')
      now += 7 * day - minute
      expect(await govern.sessions.authenticate(busy.token)).toMatchObject({ renewed: true })
      now += 2 * minute
      expect(await govern.sessions.authenticate(idle.token)).toBeUndefined()
      while (now < Date.parse('2026-03-31T00:00:00Z') - day) {
        expect(await govern.sessions.authenticate(busy.token)).toBeDefined()
        now += day
      }
      now = Date.parse('2026-03-31T00:00:01Z')
      expect(await govern.sessions.authenticate(busy.token)).toBeUndefined()
    })

    test('end at once when the user is disabled, and stay ended when they are enabled again', async () => {
      const user = await ada()
      const { token } = await logIn('ada')
      await govern.users.change(user.id, { disabled: true })
      expect(await govern.sessions.authenticate(token)).toBeUndefined()
      await govern.users.change(user.id, { disabled: false })
      expect(await govern.sessions.authenticate(token)).toBeUndefined()
    })

    test('a new role counts at the next request', async () => {
      const user = await ada()
      const { token } = await logIn('ada')
      await govern.users.change(user.id, { role: 'admin' })
      expect(await govern.sessions.authenticate(token)).toMatchObject({ principal: { role: 'admin' } })
    })

    test('log-out ends one session; a new password ends the others', async () => {
      await ada()
      const [one, two, three] = [await logIn('ada'), await logIn('ada'), await logIn('ada')]
      await govern.sessions.logOut(one.token)
      expect(await govern.sessions.authenticate(one.token)).toBeUndefined()
      await expect(
        govern.users.changePassword(two.principal, { current: 'wrong password!', password: 'another password' }),
      ).rejects.toThrow(refused('FORBIDDEN'))
      await expect(govern.users.changePassword(two.principal, { password: 'another password' })).rejects.toThrow(
        refused('FORBIDDEN'),
      )
      await expect(
        govern.users.changePassword(two.principal, { current: password, password: 'short' }),
      ).rejects.toThrow(refused('REQUEST_INVALID'))
      await govern.users.changePassword(two.principal, {
        current: password,
        password: 'another password',
        keepSession: two.token,
      })
      expect(await govern.sessions.authenticate(two.token)).toBeDefined()
      expect(await govern.sessions.authenticate(three.token)).toBeUndefined()
      await expect(logIn('ada')).rejects.toThrow(refused('UNAUTHENTICATED'))
      await logIn('ada', 'another password')
    })

    test('what is stored opens nothing: neither a hash nor anything else of the tables is a token', async () => {
      const user = await ada('admin')
      const { token } = await logIn('ada')
      const link = await govern.users.createLink(user.id)
      const api = await govern.tokens.create(user.id, { name: 'script' })
      const stored = JSON.stringify(
        await Promise.all(
          (['users', 'sessions', 'login_links', 'api_tokens'] as const).map((table) =>
            records.catalog.selectFrom(table).selectAll().execute(),
          ),
        ),
      )
      for (const secret of [token, link.token, api.token, api.token.slice(3), password])
        expect(stored).not.toContain(secret)
      for (const [, text] of stored.matchAll(/"([^"]+)"/g)) {
        expect(await govern.sessions.authenticate(text!)).toBeUndefined()
        expect(await govern.tokens.authenticate(text!)).toBeUndefined()
        expect(await govern.tokens.authenticate(`bh_${text!}`)).toBeUndefined()
        await expect(govern.sessions.logInByLink(text!, { address: text! })).rejects.toThrow(Failure)
      }
    })
  })

  describe('one-time links', () => {
    test('open one session, however many ask at once', async () => {
      const user = await ada()
      const { link } = await govern.users.reset(user.id)
      const all = await Promise.allSettled(
        Array.from({ length: 8 }, () => govern.sessions.logInByLink(link.token, visitor)),
      )
      const [opened, ...more] = all.filter((one) => one.status === 'fulfilled')
      expect(more).toEqual([])
      expect(opened!.value).toMatchObject({ passwordNeeded: true })
      await expect(govern.sessions.logInByLink(link.token, visitor)).rejects.toThrow(refused('UNAUTHENTICATED'))
    })

    test('expire after fifteen minutes; older ones die with a reset; disabled users have none', async () => {
      const user = await ada()
      const first = await govern.users.createLink(user.id)
      const { link: second } = await govern.users.reset(user.id)
      await expect(govern.sessions.logInByLink(first.token, visitor)).rejects.toThrow(refused('UNAUTHENTICATED'))
      now += 15 * minute
      await expect(govern.sessions.logInByLink(second.token, visitor)).rejects.toThrow(refused('UNAUTHENTICATED'))
      const third = await govern.users.createLink(user.id)
      await govern.users.change(user.id, { disabled: true })
      await expect(govern.sessions.logInByLink(third.token, visitor)).rejects.toThrow(refused('UNAUTHENTICATED'))
      await expect(govern.users.reset(user.id)).rejects.toThrow(refused('FORBIDDEN'))
    })

    test('a new password makes open links worthless', async () => {
      const user = await ada()
      const link = await govern.users.createLink(user.id)
      await govern.users.setPassword(user.id, 'another password')
      await expect(govern.sessions.logInByLink(link.token, visitor)).rejects.toThrow(refused('UNAUTHENTICATED'))
    })

    test('trying tokens is slowed down by address', async () => {
      for (let attempt = 0; attempt < 30; attempt++)
        await expect(govern.sessions.logInByLink(`guess${attempt}`, visitor)).rejects.toThrow(
          refused('UNAUTHENTICATED'),
        )
      await expect(govern.sessions.logInByLink('guess', visitor)).rejects.toThrow(refused('RATE_LIMITED'))
    })
  })

  describe('API tokens', () => {
    test('open what their user may, until revoked, expired, or the user is disabled', async () => {
      const user = await ada()
      const { token, info } = await govern.tokens.create(user.id, { name: 'script' })
      now += 1
      const short = await govern.tokens.create(user.id, { name: 'short', validForMs: hour })
      expect(token).toMatch(/^bh_[\w-]{43}$/)
      expect(await govern.tokens.authenticate(token)).toEqual({ id: user.id, name: 'ada', role: 'reader' })
      now += hour
      expect(await govern.tokens.authenticate(short.token)).toBeUndefined()
      expect((await govern.tokens.list(user.id)).map(({ name, lastUsedAt }) => [name, lastUsedAt])).toEqual([
        ['short', null],
        ['script', '2026-03-01T00:00:00.001Z'],
      ])
      await govern.users.change(user.id, { disabled: true })
      expect(await govern.tokens.authenticate(token)).toBeUndefined()
      await govern.users.change(user.id, { disabled: false })
      await govern.tokens.revoke(info.id)
      expect(await govern.tokens.authenticate(token)).toBeUndefined()
      await expect(govern.tokens.revoke('missing')).rejects.toThrow(refused('NOT_FOUND'))
    })

    test('neither is a session a token nor a token a session', async () => {
      const user = await ada()
      const { token } = await govern.tokens.create(user.id, { name: 'script' })
      const session = await logIn('ada')
      expect(await govern.sessions.authenticate(token)).toBeUndefined()
      expect(await govern.tokens.authenticate(session.token)).toBeUndefined()
    })
  })

  describe('users', () => {
    test('names are unique without case, and plain', async () => {
      await ada()
      await expect(govern.users.create({ name: 'ADA', role: 'reader' })).rejects.toThrow(refused('ALREADY_EXISTS'))
      for (const name of ['', 'a b', 'a\n', '<b>', 'system', 'x'.repeat(101)])
        await expect(govern.users.create({ name, role: 'reader' }), name).rejects.toThrow(refused('REQUEST_INVALID'))
    })

    test('the last administrator can neither be disabled nor made a reader, not even by two at once', async () => {
      const one = await ada('admin')
      await expect(govern.users.change(one.id, { disabled: true })).rejects.toThrow(refused('FORBIDDEN'))
      await expect(govern.users.change(one.id, { role: 'reader' })).rejects.toThrow(refused('FORBIDDEN'))
      const two = await govern.users.create({ name: 'grace', role: 'admin' })
      const both = await Promise.allSettled([
        govern.users.change(one.id, { disabled: true }),
        govern.users.change(two.id, { role: 'reader' }),
      ])
      expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    })

    test('a list tells who was seen when', async () => {
      await ada()
      now += hour
      await logIn('ada')
      await govern.users.create({ name: 'bob', role: 'admin' })
      expect(await govern.users.list()).toMatchObject([
        { name: 'ada', role: 'reader', disabled: false, passwordSet: true, lastSeenAt: '2026-03-01T01:00:00.000Z' },
        { name: 'bob', role: 'admin', passwordSet: false, lastSeenAt: null },
      ])
    })
  })

  describe('the first start', () => {
    test('makes an administrator with a link for a day; later starts make nothing once somebody came in', async () => {
      const first = await govern.users.ensureAdministrator({})
      expect(first).toMatchObject({ created: true, name: 'admin', link: { expiresAt: '2026-03-02T00:00:00.000Z' } })
      const again = await govern.users.ensureAdministrator({})
      expect(again).toMatchObject({ created: false, link: {} })
      await expect(govern.sessions.logInByLink(first.link!.token, visitor)).rejects.toThrow(refused('UNAUTHENTICATED'))
      now += 23 * hour
      expect(await govern.sessions.logInByLink(again.link!.token, visitor)).toMatchObject({
        principal: { name: 'admin', role: 'admin' },
        passwordNeeded: true,
      })
      expect(await govern.users.ensureAdministrator({})).toEqual({ created: false, name: 'admin' })
      expect(await govern.users.ensureAdministrator({ password })).toEqual({ created: false, name: 'admin' })
    })

    test('makes one beside those who were added before it', async () => {
      await govern.users.create({ name: 'ana', role: 'member' })
      expect(await govern.users.ensureAdministrator({})).toMatchObject({ created: true, name: 'admin', link: {} })
      expect(await govern.users.ensureAdministrator({})).toEqual({ created: false, name: 'admin' })
    })

    test('takes a password instead, once', async () => {
      await expect(govern.users.ensureAdministrator({ password: 'short' })).rejects.toThrow(refused('CONFIG_INVALID'))
      expect(await govern.users.ensureAdministrator({ password })).toEqual({ created: true, name: 'admin' })
      await logIn('admin')
      await govern.users.ensureAdministrator({ password: 'a different one' })
      await logIn('admin')
    })

    test('two processes that start together make one administrator', async () => {
      const both = await Promise.all([
        govern.users.ensureAdministrator({ password }),
        govern.users.ensureAdministrator({ password }),
      ])
      expect(both.map(({ created }) => created).sort()).toEqual([false, true])
      expect(await govern.users.list()).toHaveLength(1)
    })
  })

  describe('logs', () => {
    const entry = { principal: { name: 'ada' }, door: 'http', action: 'query', verdict: 'allowed' } as const

    test('an audit row is there when `record` resolves', async () => {
      await govern.audit.record({
        ...entry,
        sql: 'select 1',
        tables: ['dev.raw.sales'],
        rows: 3,
        ms: 1.6,
        requestId: 'r1',
      })
      expect(await govern.audit.list()).toMatchObject([
        {
          principal: 'ada',
          sql: 'select 1',
          tables_json: '["dev.raw.sales"]',
          rows: 3,
          ms: 2,
          request_id: 'r1',
          failure_code: null,
          at: '2026-03-01T00:00:00.000Z',
        },
      ])
    })

    test('many at once are all written, in few writes', async () => {
      let writes = 0
      const counted = {
        log: new Proxy(records.log, {
          get: (db, key) =>
            key === 'transaction' ? () => (writes++, db.transaction()) : Reflect.get(db, key).bind(db),
        }),
      }
      const { audit } = openGovern({ records: { ...records, ...counted }, clock, cost })
      await Promise.all(Array.from({ length: 1_200 }, (_, at) => audit.record({ ...entry, action: `a${at}` })))
      expect((await govern.audit.list({ limit: 2_000 })).length).toBe(1_200)
      expect(writes).toBeLessThan(10)
    })

    test('a row that cannot be written fails its answer; the query log only warns', async () => {
      await records.log.schema.dropTable('audit').execute()
      await expect(govern.audit.record(entry)).rejects.toThrow(refused('RECORDS_FAILED'))
      govern.queries.record({ principal: { name: 'ada' }, door: 'http', catalog: 'dev', sql: 'select 1', ms: 1 })
      await govern.close()
      expect(await govern.queries.list()).toHaveLength(1)
    })

    // A file of our own can be told to grow no further.
    if (kind === 'sqlite')
      test('a full disk is called one, and what to do about it', async () => {
        const pages = (most: number) => records.log.executeQuery(CompiledQuery.raw(`pragma max_page_count = ${most}`))
        await pages(1)
        const failure = await govern.audit
          .record({ ...entry, sql: 'x'.repeat(90_000) })
          .catch((error: unknown) => error)
        expect(failure).toMatchObject({
          code: 'RECORDS_FAILED',
          message: expect.stringMatching(/^the audit log cannot be written: .*the disk is full/),
          hint: expect.stringContaining('Make room on that disk'),
        })
        await pages(1_000_000)
        await govern.audit.record(entry)
      })

    test('SQL of any size and content is kept readable', async () => {
      await govern.audit.record({ ...entry, sql: `select '\0'${'x'.repeat(200_000)}` })
      const [row] = await govern.audit.list()
      expect(row!.sql!.length).toBeLessThan(100_100)
      expect(row!.sql).toContain('characters more')
    })

    test('sweep deletes what is over and what is older than it is kept', async () => {
      const user = await ada()
      await logIn('ada')
      await govern.users.createLink(user.id)
      await govern.audit.record(entry)
      govern.queries.record({ principal: { name: 'ada' }, door: 'http', catalog: 'dev', sql: 'select 1', ms: 1 })
      await govern.close()
      now += 8 * day
      expect(await govern.sweep({ auditMs: 30 * day, queriesMs: day })).toEqual({
        sessions: 1,
        links: 1,
        audit: 0,
        queries: 1,
      })
      now += 30 * day
      expect(await govern.sweep({ auditMs: 30 * day, queriesMs: day })).toEqual({
        sessions: 0,
        links: 0,
        audit: 1,
        queries: 0,
      })
    })
  })
})

test('a secret is stored as its SHA-256', () => {
  expect(hashSecret('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})
