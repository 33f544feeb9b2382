// What was begun while it was allowed, and who was let in once: what is left of it when the right is taken away.

import { beforeAll, describe, expect, test } from 'vitest'
import { bind, cstring, execute, logIn, message, openRaw, parse, sync } from '../support/pg-raw.ts'
import { overWire, password, secrets, type AttackWorld } from './world.ts'

export function revocations(world: () => AttackWorld): void {
  describe('rights that were taken away', () => {
    const vault = { on: { environment: '*', namespace: 'raw', table: 'vault' } }
    const sql = 'SELECT word FROM raw.vault ORDER BY word'
    let tess: { id: string }
    const by = () => ({ by: world().principals.get('admin')!, source: 'sql' as const })
    const grant = (table = 'vault') =>
      world().app.govern.access.grant({ privileges: ['select'], on: { ...vault.on, table }, to: ['user:tess'] }, by())
    const revoke = (table = 'vault') =>
      world().app.govern.access.revoke({ privileges: ['select'], on: { ...vault.on, table }, to: ['user:tess'] }, by())
    const client = () => world().connect('tess')

    beforeAll(async () => {
      const { users } = world().app.govern
      tess = await users.create({ name: 'tess', role: 'member' })
      await users.setPassword('tess', password)
    })

    test('a prepared statement is decided when it runs', async () => {
      await grant()
      const wire = await client()
      const named = { name: 'one', text: sql }
      expect((await overWire(wire, named)).text).toContain(secrets.vault)
      await revoke()
      expect(await overWire(wire, named)).toMatchObject({ ok: false })
      await overWire(wire, { text: `PREPARE two AS ${sql}` })
      expect((await overWire(wire, { text: 'EXECUTE two' })).text).not.toContain(secrets.vault)
    })

    test.each(['', ' WITH HOLD'])('a cursor%s gives no more rows', async (hold) => {
      await grant()
      const wire = await client()
      await overWire(wire, { text: 'BEGIN' })
      await overWire(wire, { text: `DECLARE c CURSOR${hold} FOR ${sql}` })
      expect((await overWire(wire, { text: 'FETCH 1 FROM c' })).text).toContain(secrets.vault)
      if (hold !== '') await overWire(wire, { text: 'COMMIT' })
      await revoke()
      const after = await overWire(wire, { text: 'FETCH ALL FROM c' })
      expect([after.ok, after.text.includes(secrets.vault)]).toEqual([false, false])
    })

    test('a portal gives no more rows', async () => {
      await grant()
      const raw = await openRaw(world().pgPort)
      await logIn(raw, { user: 'tess', password })
      raw.send(parse('', sql), bind('p', ''), execute('p', 1), message('H'))
      const before = await raw.until('s')
      expect(before.map(({ body }) => body.toString()).join('')).toContain(secrets.vault)
      await revoke()
      raw.send(execute('p', 0), sync)
      const after = (await raw.until('Z')).map(({ type, body }) => `${type}${body.toString()}`).join('')
      expect([after.includes('E'), after.includes(secrets.vault)]).toEqual([true, false])
      raw.send(message('X', cstring('')))
      raw.close()
    })

    test('a transaction reads no further, nor tells what it read', async () => {
      await grant()
      const wire = await client()
      await overWire(wire, { text: 'BEGIN ISOLATION LEVEL SERIALIZABLE' })
      expect((await overWire(wire, { text: sql })).text).toContain(secrets.vault)
      await revoke()
      expect((await overWire(wire, { text: sql })).text).not.toContain(secrets.vault)
      await overWire(wire, { text: 'ROLLBACK' })
    })

    test('what a transaction wrote is not visible by rights that were taken since', async () => {
      const { app } = world()
      await world().asOperator('CREATE TABLE raw.ledger (x INT)')
      const request = { privileges: ['select' as const, 'insert' as const], on: { namespace: 'raw', table: 'ledger' } }
      await app.govern.access.grant({ ...request, to: ['user:tess'] }, by())
      const wire = await client()
      await overWire(wire, { text: 'BEGIN' })
      expect(await overWire(wire, { text: 'INSERT INTO raw.ledger VALUES (1)' })).toMatchObject({ ok: true })
      await app.govern.access.revoke({ ...request, to: ['user:tess'] }, by())
      expect(await overWire(wire, { text: 'COMMIT' })).toMatchObject({ ok: false })
      expect(await world().asOperator('SELECT count(*) FROM raw.ledger')).toEqual([[0]])
      await world().asOperator('DROP TABLE raw.ledger')
    })

    test('a result that was kept is not given', async () => {
      const { doors, principals, cookies, request } = world()
      principals.set('tess', { id: tess.id, name: 'tess', role: 'member' })
      const entered = await request('stranger', 'POST', '/api/session', { name: 'tess', password })
      cookies.set('tess', entered.headers.getSetCookie()[0]!.split(';')[0]!)
      expect((await doors.http('admin', sql)).text).toContain(secrets.vault)
      expect((await doors.http('tess', sql)).ok).toBe(false)
      await grant()
      expect((await doors.http('tess', sql)).text).toContain(secrets.vault)
      await revoke()
      for (const door of ['http', 'cli'] as const)
        expect((await doors[door]('tess', sql)).text).not.toContain(secrets.vault)
    })

    test('a view of somebody who lost the right shows nothing', async () => {
      const { app, doors } = world()
      const scratch = { privileges: ['all' as const], on: { namespace: 'scratch_nell' }, to: ['user:tess'] }
      await app.govern.access.grant(scratch, by())
      await grant()
      expect(await doors.cli('tess', 'CREATE VIEW scratch_nell.lent AS SELECT word FROM raw.vault')).toMatchObject({
        ok: true,
      })
      expect((await doors.http('tess', 'FROM scratch_nell.lent')).text).toContain(secrets.vault)
      await revoke()
      expect((await doors.http('tess', 'FROM scratch_nell.lent')).text).not.toContain(secrets.vault)
      await app.govern.access.revoke(scratch, by())
    })

    test('who is disabled is out, at every door that they had open', async () => {
      const { app, ask, tokens, request } = world()
      await grant()
      const { token } = await app.govern.tokens.create(tess.id, { name: 'laptop' })
      tokens.set('tess', token)
      const wire = await client()
      expect((await overWire(wire, { text: 'SELECT 1' })).ok).toBe(true)
      expect((await ask('tess', 'POST', '/api/query', { sql })).ok).toBe(true)
      expect((await ask('tess', 'GET', '/iceberg/v1/dev_analytics/namespaces/raw/tables/vault')).ok).toBe(true)
      await app.govern.users.change(tess.id, { disabled: true })
      const told = await overWire(wire, { text: sql })
      expect([told.ok, told.text.includes(secrets.vault)]).toEqual([false, false])
      expect((await ask('tess', 'POST', '/api/query', { sql })).status).toBe(401)
      expect((await ask('tess', 'GET', '/iceberg/v1/dev_analytics/namespaces/raw/tables/vault')).status).toBe(401)
      expect((await request('stranger', 'POST', '/api/session', { name: 'tess', password })).status).toBe(401)
      await expect(client()).rejects.toThrow()
      await revoke()
    })
  })
}
