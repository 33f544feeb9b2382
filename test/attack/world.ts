// A running server with secrets in it: each secret is a text that occurs nowhere else, so wherever one turns up in an answer,
// something got through. Everybody who attacks may see a part, each another one.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { loadConfig, resolveEnvironment } from '../../src/config/index.ts'
import { systemPrincipal, type Principal } from '../../src/govern/index.ts'
import { collect, openSession, splitStatements } from '../../src/lake/index.ts'
import { open } from '../../src/main.ts'
import { freePort } from '../support/free-port.ts'

export const password = 'seven oars and a heron'

/** What is hidden. `ORACLE_…` are put together by an attack only where it has found what it looked for. */
export const secrets = {
  vault: 'CNRY_VAULT',
  row: 'CNRY_ROW',
  column: 'CNRY_PAY',
  mask: 'CNRY_MASK',
  policy: 'CNRY_POLICY',
  file: 'CNRY_FILE',
  environment: 'CNRY_ENV',
  query: 'CNRY_QUERY',
  name: 'cnry_unnamed',
  field: 'cnry_field',
  foundVault: 'CNRY_ORACLE_VAULT',
  foundRow: 'CNRY_ORACLE_ROW',
  foundColumn: 'CNRY_ORACLE_PAY',
  foundMask: 'CNRY_ORACLE_MASK',
} as const
export type Secret = keyof typeof secrets

const fromAll: readonly Secret[] = ['mask', 'foundMask', 'policy', 'file', 'environment', 'query']
const otherTables: readonly Secret[] = ['vault', 'foundVault', 'name', 'field']
const rows: readonly Secret[] = ['row', 'foundRow']

/** Who attacks, and what they must not see. */
export const people = {
  /** Nothing is granted to them. */
  nell: [...fromAll, ...otherTables, ...rows, 'column', 'foundColumn'],
  /** May select two columns of raw.people. */
  cole: [...fromAll, ...otherTables, ...rows, 'column', 'foundColumn'],
  /** Bound by a row filter. */
  rosa: [...fromAll, ...otherTables, ...rows],
  /** Sees all rows, and a mask in place of the email. */
  mack: [...fromAll, ...otherTables],
  /** A reader: all tables, but bound by filter and mask like everybody. */
  rita: [...fromAll, ...rows, 'column'],
} satisfies Record<string, readonly Secret[]>
export type Person = keyof typeof people

const model = `model: raw.people
dimensions:
  - {name: note}
  - {name: email}
  - {name: pay}
metrics:
  - {name: how_many, agg: count, expr: id}
  - {name: last_note, agg: max, expr: email}
`
const dashboard = `title: People
filters:
  - {id: note, kind: select, dimension: note}
  - {id: email, kind: select, dimension: email}
rows:
  - panels:
      - {kind: table, id: people, columns: [note, email], sql: "select note, email from raw.people"}
      - {kind: table, id: vault, columns: [word], sql: "select word from raw.vault"}
      - {kind: kpi, id: failing, value: n, sql: "select max(cast(email as int)) as n from raw.people"}
      - {kind: kpi, id: mistaken, value: n, sql: "select cnry_fiel as n from raw.shelf"}
  - panels:
      - {kind: bar, id: notes, metric: how_many, by: note}
      - {kind: bar, id: emails, metric: how_many, by: email}
`

/** All that somebody is told: rows, headers, messages, hints, notices. */
export type Told = { ok: boolean; text: string }

export type AttackWorld = Awaited<ReturnType<typeof openAttackWorld>>

export async function openAttackWorld() {
  const dir = mkdtempSync(join(tmpdir(), 'attack-'))
  const copies = join(dir, 'copies')
  mkdirSync(copies)
  writeFileSync(join(dir, 'boathouse.yml'), 'name: attacked\ncopy: {directories: [copies]}\n')
  mkdirSync(join(dir, 'dashboards'))
  mkdirSync(join(dir, 'metrics'))
  writeFileSync(join(dir, 'dashboards', 'people.yml'), dashboard)
  writeFileSync(join(dir, 'metrics', 'people.yml'), model)
  writeFileSync(join(dir, '.env'), `ATTACK_SECRET=${secrets.environment}_1\n`)
  for (const folder of [dir, copies]) writeFileSync(join(folder, 'secret.csv'), `word\n${secrets.file}_1\n`)
  process.env.ATTACK_SECRET = `${secrets.environment}_1`
  const pgPort = await freePort()
  const config = loadConfig({
    dir,
    env: {
      BOATHOUSE_HTTP_PORT: '0',
      BOATHOUSE_PG_PORT: String(pgPort),
      BOATHOUSE_LIMITS_MEMORY: '1GiB',
      BOATHOUSE_LIMITS_THREADS: '2',
      BOATHOUSE_ADMIN_PASSWORD: password,
    },
  })
  const app = await open(config, resolveEnvironment(config), { role: 'serve', quiet: true })
  const server = await app.startServer()
  const base = `http://127.0.0.1:${server.listening.port}`
  const operator: Principal = { id: 'cli', name: 'operator', role: 'admin' }
  const asOperator = async (sql: string) =>
    (await collect(await app.lake.query(sql, { ...app.asking('cli'), principal: operator }))).rows

  for (const sql of [
    'CREATE SCHEMA raw',
    'CREATE SCHEMA marts',
    // Of everybody their own: what one of them may see is not for the others.
    ...['admin', ...Object.keys(people)].map((name) => `CREATE SCHEMA scratch_${name}`),
    `CREATE TABLE raw.people (id BIGINT, region VARCHAR, mail VARCHAR, pay VARCHAR, note VARCHAR)`,
    `INSERT INTO raw.people SELECT i, 'US', '${secrets.mask}_' || i, '${secrets.column}_' || i, '${secrets.row}_' || i FROM range(1, 40, 2) AS t(i)`,
    `CALL create_tag('raw.people', 'first')`,
    `CALL create_branch('raw.people', 'side')`,
    `INSERT INTO raw.people SELECT i, 'EU', '${secrets.mask}_' || i, '${secrets.column}_' || i, 'plain ' || i FROM range(0, 40, 2) AS t(i)`,
    `ALTER TABLE raw.people RENAME COLUMN mail TO email`,
    `CREATE TABLE raw.staff AS SELECT * FROM raw.people`,
    `CREATE TABLE raw.vault PARTITIONED BY (word) AS SELECT '${secrets.vault}_' || i AS word, i AS number FROM range(3) AS t(i)`,
    `CREATE TABLE raw.${secrets.name} AS SELECT 1 AS x`,
    `CREATE TABLE raw.shelf AS SELECT 1 AS ${secrets.field}`,
    `CREATE TABLE marts.open AS SELECT i AS id FROM range(3) AS t(i)`,
    `CREATE VIEW marts.vault_view AS SELECT word FROM raw.vault`,
    `CREATE VIEW marts.around AS SELECT count(*) AS n FROM raw.people`,
    `SELECT '${secrets.query}_1' AS asked`,
    // The shadows of all of them are on the planning host now, and their results in the cache.
    `SELECT word FROM raw.vault ORDER BY ALL`,
    `SELECT * FROM raw.people ORDER BY ALL`,
    `SELECT * FROM raw.${secrets.name}`,
    `SELECT * FROM raw.shelf`,
  ])
    await asOperator(sql)
  await app.environments.create({
    environment: 'feature',
    catalog: 'feature_analytics',
    origin: 'dev_analytics',
    by: 'operator',
  })
  const { govern } = app
  const principals = new Map<string, Principal>([['admin', operator]])
  for (const name of Object.keys(people)) {
    const role = name === 'rita' ? 'reader' : 'member'
    const { id } = await govern.users.create({ name, role })
    await govern.users.setPassword(name, password)
    principals.set(name, { id, name, role })
  }
  const user = (name: string) => ({ kind: 'user' as const, name })
  const on = (namespace: string, table: string) => ({ environment: '*', namespace, table })
  await govern.access.apply(
    {
      roles: [
        { name: 'allrows', members: [user('mack')] },
        { name: 'hr', members: [] },
      ],
      groups: [],
      attributes: [{ user: 'rosa', values: { region: 'EU' } }],
      grants: [
        { privilege: 'select', on: on('marts', 'open'), to: { kind: 'role', name: 'public' } },
        { privilege: 'select', on: on('raw', 'people'), columns: ['id', 'region'], to: user('cole') },
        { privilege: 'select', on: on('raw', 'people'), to: user('rosa') },
        { privilege: 'select', on: on('raw', 'people'), to: user('mack') },
        { privilege: 'select', on: on('raw', 'staff'), columns: ['id', 'region'], to: user('cole') },
        { privilege: 'select', on: on('raw', 'staff'), to: user('rosa') },
        ...['cole', 'rosa'].map((name) => ({ privilege: 'write' as const, on: on('raw', 'staff'), to: user(name) })),
        ...['cole', 'rosa'].map((name) => ({ privilege: 'alter' as const, on: on('raw', 'staff'), to: user(name) })),
        ...['cole', 'rosa'].map((name) => ({ privilege: 'maintain' as const, on: on('raw', 'staff'), to: user(name) })),
        ...['cole', 'rosa', 'mack'].map((name) => ({
          privilege: 'all' as const,
          on: on(`scratch_${name}`, '*'),
          to: user(name),
        })),
      ],
      rowFilters: ['people', 'staff'].map((table) => ({
        on: on('raw', table),
        except: ['allrows'],
        condition: `region = attribute('region') AND note <> '${secrets.policy}_1'`,
      })),
      masks: ['people', 'staff'].map((table) => ({
        on: on('raw', table),
        column: 'email',
        except: ['hr'],
        expression: `CASE WHEN id < 0 THEN '${secrets.policy}_2' ELSE 'masked' END`,
      })),
    },
    { by: systemPrincipal, source: 'access.yml' },
  )

  const cookies = new Map<string, string>()
  const tokens = new Map<string, string>()
  const clients: pg.Client[] = []
  const wires = new Map<string, pg.Client>()
  for (const [name, principal] of principals) {
    const entered = await request('nobody', 'POST', '/api/session', { name, password })
    cookies.set(name, entered.headers.getSetCookie()[0]!.split(';')[0]!)
    const id = name === 'admin' ? (await govern.users.list()).find((one) => one.name === 'admin')!.id : principal.id
    tokens.set(name, (await govern.tokens.create(id, { name })).token)
    wires.set(name, await connect(name))
  }

  async function connect(name: string, secret = password, database = 'dev'): Promise<pg.Client> {
    const client = new pg.Client({ host: '127.0.0.1', port: pgPort, user: name, password: secret, database })
    client.on('error', () => {})
    await client.connect()
    clients.push(client)
    return client
  }

  function request(as: string, method: string, path: string, body?: unknown, more: Record<string, string> = {}) {
    const token = path.startsWith('/iceberg') ? tokens.get(as) : undefined
    const cookie = token === undefined ? cookies.get(as) : undefined
    return fetch(`${base}${path}`, {
      method,
      headers: {
        'x-boathouse': '1',
        ...(cookie === undefined ? {} : { cookie }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...more,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  }

  async function ask(
    as: string,
    method: string,
    path: string,
    body?: unknown,
    more?: Record<string, string>,
  ): Promise<Told & { status: number }> {
    const answer = await request(as, method, path, body, more)
    const headers = JSON.stringify([...answer.headers])
    return { ok: answer.ok, status: answer.status, text: `${answer.status} ${headers} ${await answer.text()}` }
  }

  /** Every statement of `sql` by this door; all that is told on the way. */
  const doors = {
    http: (as: string, sql: string): Promise<Told> => ask(as, 'POST', '/api/query', { sql }),
    async cli(as: string, sql: string): Promise<Told> {
      const session = openSession(app.lake, { ...app.asking('cli'), principal: principals.get(as)! })
      const told: unknown[] = []
      try {
        for (const one of splitStatements(sql)) {
          const result = await session.query(one.sql)
          told.push(await collect(result), result.provenance, result.command)
        }
        return { ok: true, text: JSON.stringify(told) }
      } catch (error) {
        return { ok: false, text: JSON.stringify([told, shownError(error)]) }
      } finally {
        await session.close()
      }
    },
    simple: (as: string, sql: string): Promise<Told> => alone(as, { text: sql, rowMode: 'array' }),
    extended: (as: string, sql: string): Promise<Told> =>
      alone(as, { text: sql, rowMode: 'array', queryMode: 'extended' } as pg.QueryArrayConfig),
  }

  /** A transaction that a statement leaves behind is none of the next one's. */
  async function alone(as: string, query: pg.QueryArrayConfig): Promise<Told> {
    const told = await overWire(wires.get(as)!, query)
    if (/\b(begin|start)\b/i.test(query.text)) await overWire(wires.get(as)!, { text: 'ROLLBACK' })
    return told
  }

  return {
    dir,
    app,
    base,
    pgPort,
    principals,
    tokens,
    cookies,
    wires,
    doors,
    ask,
    request,
    connect,
    asOperator,
    async close() {
      await Promise.all(clients.map((client) => client.end().catch(() => {})))
      await server.server.close()
      await app.close()
      rmSync(dir, { recursive: true, force: true })
      delete process.env.ATTACK_SECRET
    },
  }
}

/** Rows, fields and notices; or every field of the error. */
export async function overWire(client: pg.Client, query: pg.QueryConfig | pg.QueryArrayConfig): Promise<Told> {
  const notices: unknown[] = []
  const note = (notice: unknown) => void notices.push(shownError(notice))
  client.on('notice', note)
  try {
    const answered: unknown = await client.query(query as pg.QueryConfig)
    const results = (Array.isArray(answered) ? answered : [answered]) as pg.QueryResult[]
    return {
      ok: true,
      text: JSON.stringify([results.map(({ rows, fields, command }) => [rows, fields, command]), notices]),
    }
  } catch (error) {
    return { ok: false, text: JSON.stringify([shownError(error), notices]) }
  } finally {
    client.off('notice', note)
  }
}

/** What a client could show of it: everything but the stack, which is its own. */
export function shownError(error: unknown): unknown {
  const { message, code, hint, place, context } = error as Record<string, unknown>
  const fields = Object.fromEntries(Object.entries(error as object).filter(([name]) => name !== 'cause'))
  return { message, code, hint, place, context, ...fields }
}

/** Secrets that somebody must not see and that are in what they were told, but for what they wrote themselves. */
export function found(person: Person, told: string, written: string): string[] {
  return people[person]
    .map((secret) => secrets[secret])
    .filter((text) => told.includes(text) && !written.includes(text))
}
