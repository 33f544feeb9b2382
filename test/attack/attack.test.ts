// Every attack of `statements.ts` by everybody at every door. What they are told must not hold a secret; that an administrator
// is told it by the same statement shows that the test can find one.

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { statements, type Attack } from './statements.ts'
import { found, openAttackWorld, people, secrets, type AttackWorld, type Person, type Secret } from './world.ts'

let world: AttackWorld
let vault: string
let first: string
let before: unknown

beforeAll(async () => {
  world = await openAttackWorld()
  const [[file] = []] = await world.asOperator(`SELECT file_path FROM raw."vault$files"`)
  vault = fileURLToPath(String(file))
  const [[id] = []] = await world.asOperator(`SELECT snapshot_id::VARCHAR FROM raw."people$refs" WHERE name = 'first'`)
  first = String(id)
  before = await state()
}, 120_000)
afterAll(() => world?.close())

const everybody = Object.keys(people) as Person[]
type Door = keyof AttackWorld['doors']
const doors: readonly Door[] = ['http', 'cli', 'simple', 'extended']
const isHidden = (secret: Secret, person: Person) => (people[person] as readonly Secret[]).includes(secret)

/** With names that nobody used, so that one attempt does not hide the outcome of the next. */
const written = (sql: string, as: string) =>
  sql
    .replaceAll('{vault:kelvin}', vault.replace('k', '\u212a'))
    .replaceAll('{vault}', vault)
    .replaceAll('{dir}', world.dir)
    .replaceAll('{first}', first)
    .replaceAll('{s}', `scratch_${as}`)
    .replaceAll('{n}', `n_${randomBytes(6).toString('hex')}`)

/** What must be the same when all is over: what is hidden from those who attack, and what is none of theirs. */
async function state(): Promise<unknown> {
  const { asOperator, app } = world
  const queries = [
    `FROM raw.vault ORDER BY ALL`,
    `FROM raw.people ORDER BY ALL`,
    `FROM raw.staff WHERE region = 'US' ORDER BY ALL`,
    `FROM marts.vault_view ORDER BY ALL`,
    `FROM raw."people$refs" ORDER BY ALL`,
    `SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema NOT LIKE 'scratch%' ORDER BY ALL`,
    `SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT LIKE 'scratch%' ORDER BY ALL`,
    `DESCRIBE raw.staff`,
  ]
  const { stamp: _, ...policy } = await app.govern.access.policy()
  const rows: unknown[] = []
  for (const sql of queries) rows.push(await asOperator(sql))
  return { rows, grants: policy.grants, filters: policy.rowFilters, masks: policy.masks, roles: policy.memberships }
}

const topics = Map.groupBy(statements, ({ topic }) => topic)

/**
 * Each attack is tried at every door, and by everybody from whom its secret is hidden: in turns, so that each topic is tried by
 * all of them at all doors. ATTACK_FULL=1: every attack by everybody at every door.
 */
function attempts({ seen }: Attack, index: number): [Person, Door][] {
  if (process.env.ATTACK_FULL) return everybody.flatMap((person) => doors.map((door): [Person, Door] => [person, door]))
  const hidden = seen === 'nobody' ? everybody : everybody.filter((person) => isHidden(seen, person))
  const count = Math.max(doors.length, seen === 'nobody' ? 0 : hidden.length)
  return Array.from({ length: count }, (_, at) => [
    hidden[(index + at) % hidden.length]!,
    doors[(index + at + Math.floor(index / hidden.length)) % doors.length]!,
  ])
}

describe.each([...topics.keys()])('%s', (topic) => {
  test.each(topics.get(topic)!.map((attack, index) => [attack.sql, attack, index] as const))(
    '%s',
    async (_, attack, index) => {
      const through = await Promise.all(attempts(attack, index).map(([person, door]) => attempt(person, door, attack)))
      expect(through.flat()).toEqual([])
      if (attack.seen === 'nobody' && index % 10 > 0) return
      const nobody = await world.ask('nobody', 'POST', '/api/query', { sql: written(attack.sql, 'nell') })
      expect([nobody.status, Object.values(secrets).some((secret) => nobody.text.includes(secret))]).toEqual([
        401,
        false,
      ])
    },
  )

  test.each(topics.get(topic)!.filter(({ seen, fails }) => seen !== 'nobody' || fails))(
    'would be found: $sql',
    async ({ sql, seen, fails }) => {
      const { ok, text } = await world.doors.simple('admin', written(sql, 'admin'))
      if (seen !== 'nobody') expect(text).toContain(secrets[seen])
      if (fails) expect(ok).toBe(false)
    },
  )
})

/** What got through. */
async function attempt(person: Person, door: Door, { sql, fails, topic }: Attack): Promise<string[]> {
  const text = written(sql, person)
  const { ok, text: told } = await world.doors[door](person, text)
  const leaked = found(person, told, text)
  // Where files lie is told to whoever sees all of a table, by its metadata tables; here nobody does.
  if (/\.parquet/.test(told) && !text.includes('.parquet') && topic !== 'a forbidden table') leaked.push('a path')
  const through = leaked.map((what) => `${person} was told ${what} at the door ${door}: ${told.slice(0, 2_000)}`)
  // Of hidden rows alone it fails: where it does, one of them was looked at.
  if (fails && person === 'rosa' && !ok) through.push(`${person} was told of a failure at the door ${door}: ${told}`)
  return through
}

test('nothing was changed by them, and no file was written', async () => {
  expect(await state()).toEqual(before)
  expect(existsSync(join(world.dir, 'stolen'))).toBe(false)
  expect(existsSync(join(world.dir, 'stolen.csv'))).toBe(false)
  expect(existsSync(join(world.dir, 'escaped.csv'))).toBe(false)
})

test('there are at least 150 attacks', () => expect(statements.length).toBeGreaterThanOrEqual(150))
