// Passwords, tokens and keys that came in by any door, right or wrong, are in nothing that Boathouse stores: records, audit, logs,
// results, tables. Log-ins go through every door; so do statements that people write for other databases.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openAttackWorld, overWire, password, type AttackWorld } from './world.ts'

let world: AttackWorld
beforeAll(async () => {
  world = await openAttackWorld()
}, 120_000)
afterAll(() => world?.close())

let made = 0
const kept = new Map<string, string>()
/** A text that is nowhere else. */
function secret(of: string): string {
  const text = `Herons${String(++made).padStart(3, '0')}Nest`
  kept.set(text, of)
  return text
}

const statements = (door: string): string[] =>
  [
    (word: string) => `CREATE USER bob PASSWORD '${word}'`,
    (word: string) => `/* new */ ALTER ROLE ana WITH ENCRYPTED PASSWORD $$${word}$$`,
    (word: string) => `CREATE SECRET s (TYPE s3, KEY_ID 'AKIA', SECRET '${word}')`,
    (word: string) => `SET s3_secret_access_key = '${word}'`,
    (word: string) => `SELECT set_config('s3_session_token', '${word}', false)`,
    (word: string) => `ATTACH 'postgres://ana:${word}@db/shop' AS pg`,
    (word: string) => `ATTACH 'host=db password=${word}' AS pg (TYPE postgres)`,
    (word: string) => `SELECT * FROM postgres_scan('host=db password=${word}', 'public', 't')`,
    (word: string) => `FROM read_csv('https://ana:${word}@db/x.csv')`,
    (word: string) => `COPY marts.open TO 's3://b/x?s3_secret_access_key=${word}'`,
    (word: string) => `CREATE USER MAPPING FOR ana SERVER s OPTIONS (user 'u', password '${word}')`,
    (word: string) => `DO $$ BEGIN EXECUTE 'ALTER USER ana PASSWORD ''${word}'''; END $$`,
    (word: string) => `SELECT 1; ALTER USER ana PASSWORD '${word}'`,
    (word: string) => `ALTER USER ana PASSWORD '${word}`,
  ].map((write) => write(secret(`${write('…')} by ${door}`)))

async function logIns() {
  const { ask, connect, tokens, cookies, app } = world
  for (const [name, token] of tokens) kept.set(token, `the token of ${name}`)
  for (const [name, cookie] of cookies) kept.set(cookie.split('=')[1]!, `the session of ${name}`)
  kept.set(password, 'the password')
  await ask('nobody', 'POST', '/api/session', { name: 'rosa', password: secret('a wrong password of a page') })
  await ask('nobody', 'GET', '/api/session', undefined, { authorization: `Bearer ${secret('a wrong token')}` })
  await ask('nobody', 'GET', '/iceberg/v1/config', undefined, { authorization: `Bearer ${secret('a wrong token')}` })
  await connect('rosa', tokens.get('rosa'))
  await connect('rosa', secret('a wrong password of a SQL client')).catch(() => {})
  const form = { grant_type: 'client_credentials', client_id: 'rosa' }
  for (const client_secret of [tokens.get('rosa')!, secret('a wrong client secret')])
    await fetch(`${world.base}/iceberg/v1/oauth/tokens`, {
      method: 'POST',
      body: new URLSearchParams({ ...form, client_secret }),
    })
  await app.govern.users.setPassword('rita', secret('a new password'))
}

/** With everything that the log holds back written. */
function filesBelow(folder: string): Map<string, string> {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
  return new Map(
    found.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), 'latin1')]),
  )
}

test('nothing that lets somebody in is stored', async () => {
  await logIns()
  for (const [name, door] of Object.entries(world.doors)) for (const sql of statements(name)) await door('admin', sql)
  expect(await overWire(world.wires.get('admin')!, { text: 'SELECT 1' })).toMatchObject({ ok: true })
  await world.asOperator(`SELECT 'written at last'`)
  const files = filesBelow(join(world.dir, '.boathouse'))
  expect([...files.values()].some((text) => text.includes('written at last'))).toBe(true)
  const told = [...files].flatMap(([path, text]) =>
    [...kept].filter(([word]) => text.includes(word)).map(([, of]) => `${path.slice(world.dir.length)}: ${of}`),
  )
  expect(told).toEqual([])
}, 120_000)
