// Getting in as somebody, or as somebody else.

import { createHmac } from 'node:crypto'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { errorFields, logIn, openRaw, startup } from '../support/pg-raw.ts'
import { overWire, password, secrets, type AttackWorld } from './world.ts'

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const claims = { iss: 'x', aud: 'boathouse', sub: 'admin', name: 'admin', roles: ['admin'], exp: 4_102_444_800 }

export function lettingIn(world: () => AttackWorld): void {
  describe('being let in', () => {
    test.each([
      ['alg none', `${part({ alg: 'none' })}.${part(claims)}.`],
      ['alg None', `${part({ alg: 'None', typ: 'JWT' })}.${part(claims)}.`],
      [
        'a key of ours',
        (() => {
          const text = `${part({ alg: 'HS256' })}.${part(claims)}`
          return `${text}.${createHmac('sha256', 'secret').update(text).digest('base64url')}`
        })(),
      ],
      ['expired', `${part({ alg: 'RS256', kid: '1' })}.${part({ ...claims, exp: 1 })}.AAAA`],
      ['a key by address', `${part({ alg: 'RS256', jku: 'http://127.0.0.1:1/keys' })}.${part(claims)}.AAAA`],
      ['no token at all', 'x'],
      ['a token of nobody', 'bh_0123456789abcdefghijklmnopqrstuvwxyz0123456'],
      ["a token's hash", '0'.repeat(64)],
      ['SQL', "' OR '1'='1"],
    ])('not with %s', async (_, token) => {
      const { ask } = world()
      for (const path of ['/api/catalog', '/api/users', '/iceberg/v1/config', '/iceberg/v1/dev_analytics/namespaces']) {
        const { status, text } = await ask('stranger', 'GET', path, undefined, { authorization: `Bearer ${token}` })
        expect([path, status, text.includes(secrets.name)]).toEqual([path, 401, false])
      }
    })

    test.each(["admin'--", 'admin" OR 1=1', 'ADMIN\u0000', 'rosa', '', 'system', 'cli', 'operator', '%', 'a*'])(
      'not as %j without the password',
      async (name) => {
        const { request } = world()
        for (const secret of ['wrong', "' OR '1'='1", ''])
          expect((await request('stranger', 'POST', '/api/session', { name, password: secret })).ok).toBe(false)
      },
    )

    test('a session is a new one at the log-in, and its cookie names nobody', async () => {
      const { request } = world()
      const fixed = 'boathouse_session=0123456789abcdef0123456789abcdef'
      const entered = await request('stranger', 'POST', '/api/session', { name: 'nell', password }, { cookie: fixed })
      const [cookie] = entered.headers.getSetCookie()
      expect(cookie).not.toContain('0123456789abcdef')
      expect(cookie).toMatch(/HttpOnly/i)
      expect((await request('stranger', 'GET', '/api/catalog', undefined, { cookie: fixed })).status).toBe(401)
    })

    test('not from another site, nor under another name of this host', async () => {
      const { ask, cookies } = world()
      const cookie = cookies.get('admin')!
      const body = { sql: 'SELECT * FROM raw.vault' }
      for (const headers of [
        { cookie, 'x-boathouse': '' },
        { cookie, origin: 'https://evil.example' },
        { cookie, origin: 'null' },
        { cookie, 'sec-fetch-site': 'cross-site' },
      ]) {
        const { ok, text } = await ask('stranger', 'POST', '/api/query', body, headers)
        expect([ok, text.includes(secrets.vault)]).toEqual([false, false])
      }
    })

    test.each([
      { user: 'admin', database: 'dev', secret: 'wrong' },
      { user: 'nell', database: 'nowhere', secret: password },
      { user: "admin' --", database: 'dev', secret: password },
      { user: 'system', database: 'dev', secret: password },
      { user: 'operator', database: 'dev', secret: '' },
      { user: 'nell', database: 'dev"; DROP SCHEMA raw', secret: password },
    ])('not over the wire as $user to $database', async ({ user, database, secret }) => {
      await expect(world().connect(user, secret, database)).rejects.toThrow()
    })

    test('the wire without a log-in answers nothing', async () => {
      const raw = await openRaw(world().pgPort)
      raw.send(startup({ user: 'admin', database: 'dev' }), Buffer.from('Q\0\0\0\x1aSELECT * FROM raw.vault\0'))
      const told = await raw.until('Z')
      expect(told.some(({ type }) => type === 'D' || type === 'Z')).toBe(false)
      raw.close()
    })

    test('what a client says of itself at the start is not who it is', async () => {
      const raw = await openRaw(world().pgPort)
      const messages = await logIn(raw, { user: 'nell', password: `${password}!` })
      expect(messages.some(({ type }) => type === 'Z')).toBe(false)
      expect(messages.filter(({ type }) => type === 'E').map((one) => errorFields(one).C)).toEqual(['28P01'])
      raw.close()
      const client = new pg.Client({
        host: '127.0.0.1',
        port: world().pgPort,
        user: 'nell',
        password,
        database: 'dev',
        application_name: "x'; SELECT 1; --",
        options: '-c role=admin -c session_authorization=admin',
      } as pg.ClientConfig)
      client.on('error', () => {})
      const told = await client.connect().then(
        () => overWire(client, { text: 'SELECT current_user, * FROM raw.vault' }),
        (error: Error) => ({ ok: false, text: error.message }),
      )
      expect([told.ok, told.text.includes(secrets.vault)]).toEqual([false, false])
      await client.end()
    })
  })
}
