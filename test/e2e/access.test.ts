// One policy at the doors of a running server: what a member with a part of a table gets from the pages, the API, the REST
// catalog and the PostgreSQL endpoint.

import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { App } from '../../src/cli/app.ts'
import { loadConfig, resolveEnvironment } from '../../src/config/index.ts'
import { open } from '../../src/main.ts'

let dir: string
let app: App
let server: Awaited<ReturnType<App['startServer']>>
const tokens: Record<string, string> = {}
const ends: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'boathouse-e2e-access-'))
  await cp('examples/sales', dir, { recursive: true, filter: (path) => basename(path) !== '.boathouse' })
  await writeFile(
    join(dir, 'access.yml'),
    `
roles: {analyst: }
users: {mia: {roles: analyst, attributes: {region: EU}}}
grants:
  - {to: analyst, privileges: select, on: raw.people}
row_filters:
  - {on: raw.people, where: "region = attribute('region')"}
masks:
  - {on: raw.people, column: email, show: "'***'"}
`,
  )
  const config = loadConfig({
    dir,
    env: {
      BOATHOUSE_HTTP_PORT: '0',
      BOATHOUSE_PG_ENABLED: 'false',
      BOATHOUSE_LIMITS_MEMORY: '1GiB',
      BOATHOUSE_LIMITS_THREADS: '2',
    },
  })
  app = await open(config, resolveEnvironment(config), { role: 'serve', quiet: true })
  server = await app.startServer()
  ends.push(
    () => server.server.close(),
    () => app.close(),
    () => rm(dir, { recursive: true, force: true }),
  )
  for (const [name, role] of [
    ['mia', 'member'],
    ['rob', 'reader'],
    ['max', 'member'],
    ['ada', 'admin'],
  ] as const) {
    const { id } = await app.govern.users.create({ name, role })
    tokens[name] = (await app.govern.tokens.create(id, { name })).token
  }
  for (const sql of [
    'CREATE SCHEMA raw',
    `CREATE TABLE raw.people AS SELECT i AS id, CASE WHEN i % 2 = 0 THEN 'EU' ELSE 'US' END AS region, 'secret-' || i AS email FROM range(10) AS t(i)`,
    'CREATE TABLE raw.hidden AS SELECT 1 AS x',
  ])
    await ask('ada', 'POST', '/api/query', { sql })
}, 60_000)
afterAll(async () => {
  for (const end of ends) await end()
})

async function ask(
  as: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; text: string }> {
  const answer = await fetch(`http://127.0.0.1:${server.listening.port}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${tokens[as]}`,
      'x-boathouse': '1',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: answer.status, text: await answer.text() }
}
const get = (as: string, path: string) => ask(as, 'GET', path)

test('access.yml is in force from the start', async () => {
  const { text } = await ask('mia', 'POST', '/api/query', { sql: 'SELECT * FROM raw.people ORDER BY id LIMIT 2' })
  expect(JSON.parse(text).rows).toEqual([
    [0, 'EU', '***'],
    [2, 'EU', '***'],
  ])
})

test('pages of a table show the part, and neither counts nor history', async () => {
  const [part, whole] = [await get('mia', '/api/tables/raw/people'), await get('ada', '/api/tables/raw/people')]
  const [mine, all] = [JSON.parse(part.text), JSON.parse(whole.text)]
  expect([mine.rows, mine.bytes, mine.files, mine.snapshots, mine.properties]).toEqual([null, null, null, [], {}])
  expect([mine.columns.length, all.rows, all.snapshots.length]).toEqual([3, 10, 1])
  const preview = await get('mia', '/api/tables/raw/people/preview?limit=50')
  expect([JSON.parse(preview.text).rows.length, preview.text.includes('secret-')]).toEqual([5, false])
})

test('lists name what may be known', async () => {
  for (const path of ['/api/catalog', '/api/home', '/api/connect'])
    for (const [who, knows] of [
      ['mia', false],
      ['max', false],
      ['ada', true],
    ] as const) {
      const { text } = await get(who, path)
      expect([path, who, text.includes('hidden')]).toEqual([path, who, knows])
    }
  expect(JSON.parse((await get('max', '/api/catalog')).text).namespaces).toEqual([])
  const [there, not] = [await get('mia', '/api/tables/raw/hidden'), await get('mia', '/api/tables/raw/hiddem')]
  expect([there.status, there.text.replaceAll('hidden', 'hiddem').replace(/"requestId":"[^"]*"/, '')]).toEqual([
    404,
    not.text.replace(/"requestId":"[^"]*"/, ''),
  ])
})

test('the work of the project is for readers', async () => {
  for (const path of ['/api/runs', '/api/publications', '/api/schedules']) {
    expect([path, (await get('mia', path)).status]).toEqual([path, 403])
    expect([path, (await get('rob', path)).status]).toEqual([path, 200])
  }
  expect((await get('mia', '/api/users')).status).toBe(403)
  expect((await get('mia', '/api/home')).status).toBe(200)
})

test('the REST catalog gives a table whole or not at all', async () => {
  const load = (as: string, name: string) => get(as, `/iceberg/v1/dev_analytics/namespaces/raw/tables/${name}`)
  expect((await load('ada', 'people')).status).toBe(200)
  const part = await load('mia', 'people')
  expect([part.status, part.text.includes('SQL')]).toEqual([403, true])
  expect((await load('rob', 'people')).status).toBe(403)
  expect((await load('rob', 'hidden')).status).toBe(200)
  expect((await load('mia', 'hidden')).status).toBe(404)
  expect((await load('max', 'people')).status).toBe(404)
})

test('a fork carries the policy of its origin, from its first moment', async () => {
  const query = async (as: string, sql: string) => JSON.parse((await ask(as, 'POST', '/api/query', { sql })).text)
  const [trial, people] = [
    'trial_analytics',
    'SELECT count(*), max(region), max(email) FROM trial_analytics.raw.people',
  ]
  await app.environments.create({ environment: 'trial', catalog: trial, origin: 'dev_analytics', by: 'ada' })
  expect((await query('ada', people)).rows).toEqual([[10, 'US', 'secret-9']])
  expect((await query('mia', people)).rows).toEqual([[5, 'EU', '***']])
  expect((await query('mia', `SELECT * FROM ${trial}.raw.hidden`)).code).toBe('TABLE_NOT_FOUND')
  expect((await query('mia', `SELECT * FROM ${trial}.raw."people$snapshots"`)).code).toBe('FORBIDDEN')
  expect((await get('mia', `/iceberg/v1/${trial}/namespaces/raw/tables/people`)).status).toBe(403)
})

test('a program with a role', async () => {
  const { access, users, tokens: api } = app.govern
  const { id } = await users.create({ name: 'loader', role: 'member' })
  await access.grantRole('analyst', ['user:loader'], { by: app.principal, source: 'cli' })
  tokens.loader = (await api.create(id, { name: 'loader' })).token
  const count = async () => (await ask('loader', 'POST', '/api/query', { sql: 'SELECT count(*) FROM raw.people' })).text
  // Without the attribute no row is theirs.
  expect(JSON.parse(await count()).rows).toEqual([[0]])
  await users.change(id, { disabled: true })
  expect(await count()).toContain('UNAUTHENTICATED')
})

test('what was asked and refused is in the audit', async () => {
  await ask('max', 'POST', '/api/query', { sql: 'SELECT * FROM raw.hidden' })
  const { text } = await ask('ada', 'POST', '/api/query', {
    sql: `SELECT door, verdict, failure_code FROM system.audit WHERE principal = 'max' AND sql = 'SELECT * FROM raw.hidden'`,
  })
  expect(JSON.parse(text).rows).toEqual([['http', 'refused', 'TABLE_NOT_FOUND']])
  expect((await ask('rob', 'POST', '/api/query', { sql: 'SELECT * FROM system.audit' })).status).toBe(404)
})
