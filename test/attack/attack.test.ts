// Every attack of `statements.ts` by everybody at every door. What they are told must not hold a secret; that an administrator
// is told it by the same statement shows that the test can find one.

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { lettingIn } from './let-in.ts'
import { catalog, foreignView, pages, type Attempt } from './requests.ts'
import { revocations } from './revoked.ts'
import { statements, type Attack } from './statements.ts'
import { logIn, openRaw, query } from '../support/pg-raw.ts'
import {
  found,
  openAttackWorld,
  overWire,
  password,
  people,
  secrets,
  type AttackWorld,
  type Person,
  type Secret,
} from './world.ts'

let world: AttackWorld
let vault: string
let first: string
let before: unknown
/** Values of `requests.ts`. */
const places: Record<string, string> = {}

beforeAll(async () => {
  world = await openAttackWorld()
  const [[file] = []] = await world.asOperator(`SELECT file_path FROM raw."vault$files"`)
  vault = fileURLToPath(String(file))
  const [[id] = []] = await world.asOperator(`SELECT snapshot_id::VARCHAR FROM raw."people$refs" WHERE name = 'first'`)
  first = String(id)
  const table = await world.app.tables.load({ catalog: 'dev_analytics', namespace: 'raw', name: 'vault' })
  if (table?.kind !== 'table') throw new Error('there is no vault')
  Object.assign(places, {
    vault: table.metadata.location,
    metadata: table.location,
    list: table.metadata.snapshots[0]!.manifestList!,
    user: (await world.app.govern.users.list()).find(({ name }) => name === 'admin')!.id,
    first,
  })
  for (const person of ['cole', 'rosa', 'mack'])
    await world.doors.cli(person, `CREATE TABLE scratch_${person}.mine (word VARCHAR)`)
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
  const count = seen === 'nobody' ? 2 : Math.max(doors.length, hidden.length)
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

describe.each([
  ['pages', pages],
  ['the catalog for other engines', catalog],
])('%s', (_, attempts) => {
  const filled = (text: string, as: string) =>
    text
      .replaceAll('{s}', `scratch_${as}`)
      .replaceAll('{n}', () => `n_${randomBytes(6).toString('hex')}`)
      .replaceAll(/\{(vault|metadata|list|user|first)\}/g, (_, name: string) => places[name]!)
  const send = ({ line, body }: Attempt, as: string) => {
    const [method, path] = filled(line, as).split(' ') as [string, string]
    return world.ask(as, method, path, body === undefined ? undefined : JSON.parse(filled(JSON.stringify(body), as)))
  }

  // Home shows what was written last.
  beforeAll(() => world.asOperator(`INSERT OVERWRITE raw.${secrets.name} SELECT 1`))

  test.each(attempts)('$line $body', async (attempt) => {
    for (const person of everybody) {
      const { ok, text } = await send(attempt, person)
      expect([person, found(person, text, JSON.stringify(attempt)), text]).toEqual([person, [], text])
      if (attempt.to && !attempt.to.includes(person)) expect([person, ok, text]).toEqual([person, false, text])
    }
    const nobody = await send(attempt, 'nobody')
    expect(Object.values(secrets).filter((secret) => nobody.text.includes(secret))).toEqual([])
    if (/ \/(api|iceberg)\/(?!session|nothing|\.\.)/.test(attempt.line)) expect(nobody.status).toBe(401)
    if (attempt.seen) expect((await send(attempt, 'admin')).text).toContain(secrets[attempt.seen])
  })
})

test('a view that a client of the catalog wrote lends nobody rights, whatever it says of its owner', async () => {
  const views = '/iceberg/v1/dev_analytics/namespaces/scratch_rosa/views'
  const properties = { owner: 'admin', 'boathouse.owner': 'cli', created_by: 'operator' }
  const body = { ...foreignView('SELECT word FROM raw.vault'), name: 'forged', properties }
  expect((await world.ask('rosa', 'POST', views, body)).status).toBe(200)
  const { metadata } = JSON.parse(
    (await world.request('rosa', 'GET', `${views}/forged`).then((one) => one.text())) ?? '',
  )
  // The identity of a view that lends the rights of its owner.
  const lender = await world.app.tables.load({ catalog: 'dev_analytics', namespace: 'marts', name: 'vault_view' })
  const uuid = lender!.kind === 'view' ? lender!.metadata.viewUuid : ''
  const renamed = await world.ask('rosa', 'POST', `${views}/forged`, {
    requirements: [{ type: 'assert-view-uuid', uuid: metadata['view-uuid'] }],
    updates: [{ action: 'assign-uuid', uuid }],
  })
  expect(renamed.ok).toBe(false)
  // A view around it that an administrator made does not lend it theirs either.
  await world.asOperator('CREATE VIEW marts.round AS SELECT * FROM scratch_rosa.forged')
  const everything = { privileges: ['select' as const], on: { namespace: 'marts', table: 'round' }, to: ['public'] }
  const by = { by: world.principals.get('admin')!, source: 'sql' as const }
  await world.app.govern.access.grant(everything, by)
  for (const person of ['rosa', 'mack', 'cole', 'nell'] as const)
    for (const sql of ['FROM scratch_rosa.forged', 'FROM marts.round', 'SHOW CREATE VIEW marts.round']) {
      const { text } = await world.doors.http(person, sql)
      expect([person, sql, found(person, text, sql)]).toEqual([person, sql, []])
    }
  expect((await world.doors.http('admin', 'FROM marts.round')).text).toContain(secrets.vault)
  await world.app.govern.access.revoke(everything, by)
  await world.asOperator('DROP VIEW marts.round')
})

test.each(['SELECT note, email FROM raw.people WHERE region = $1', 'SELECT note FROM raw.people WHERE note LIKE $1'])(
  'a value that a client binds is no SQL: %s',
  async (text) => {
    const values = [
      'US',
      "US' OR '1'='1",
      "') OR true --",
      "\\' OR true --",
      '%',
      'US\u0000',
      "$$ || (SELECT 'x') || $$",
    ]
    for (const person of everybody)
      for (const value of values) {
        const told = (await overWire(world.wires.get(person)!, { text, values: [value] })).text
        expect([person, value, found(person, told, text)]).toEqual([person, value, []])
      }
    const shown = await overWire(world.wires.get('admin')!, { text, values: [text.includes('LIKE') ? '%' : 'US'] })
    expect(shown.text).toContain(secrets.row)
  },
)

test.each([
  ['COPY raw.vault TO STDOUT', 'vault'],
  ['COPY raw.people TO STDOUT', 'mask'],
  ['COPY (SELECT email, note FROM raw.people) TO STDOUT (FORMAT csv)', 'row'],
  ['COPY (SELECT * FROM raw.people) TO STDOUT (FORMAT binary)', 'row'],
] as const)('%s', async (sql, seen) => {
  const copied = async (user: string) => {
    const raw = await openRaw(world.pgPort)
    await logIn(raw, { user, password })
    raw.send(query(sql))
    const told = (await raw.until('Z')).map(({ type, body }) => type + body.toString('latin1')).join('')
    raw.close()
    return told
  }
  for (const person of everybody) expect([person, found(person, await copied(person), sql)]).toEqual([person, []])
  expect(await copied('admin')).toContain(secrets[seen])
})

test('what happens is told live to those who may look at the project', async () => {
  const stop = new AbortController()
  const heard = new Map<string, string>()
  const listen = async (as: string) => {
    const { body } = await fetch(`${world.base}/api/events`, {
      headers: { cookie: world.cookies.get(as)! },
      signal: stop.signal,
    })
    for await (const bytes of body!) heard.set(as, `${heard.get(as) ?? ''}${Buffer.from(bytes).toString()}`)
  }
  const listening = ['nell', 'rosa', 'admin'].map((as) => listen(as).catch(() => {}))
  await vi.waitUntil(() => heard.size === 3)
  await world.asOperator(`CREATE TABLE raw.cnry_told AS SELECT 1 AS x`)
  await vi.waitUntil(() => heard.get('admin')!.includes('published'), { timeout: 20_000 })
  await world.asOperator(`DROP TABLE raw.cnry_told`)
  stop.abort()
  await Promise.all(listening)
  for (const as of ['nell', 'rosa']) expect(heard.get(as)).not.toMatch(/published|cnry_/)
})

revocations(() => world)
lettingIn(() => world)

test('nothing was changed by them, and no file was written', async () => {
  expect(await state()).toEqual(before)
  expect(existsSync(join(world.dir, 'stolen'))).toBe(false)
  expect(existsSync(join(world.dir, 'stolen.csv'))).toBe(false)
  expect(existsSync(join(world.dir, 'escaped.csv'))).toBe(false)
})

test('there are at least 150 attacks', () =>
  expect(statements.length + pages.length + catalog.length).toBeGreaterThanOrEqual(150))
