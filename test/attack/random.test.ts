// Policies and statements at random, by everybody at every door: what they are told has to be what copies of the tables tell
// that were filtered and masked beforehand, or a refusal where those fail.

import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemPrincipal } from '../../src/govern/index.ts'
import { collect, openSession } from '../../src/lake/index.ts'
import { errorFields, logIn, message, openRaw, query, type RawClient } from '../support/pg-raw.ts'
import {
  askerOf,
  columnsOf,
  grantsOn,
  mayKnow,
  maySelect,
  openOracle,
  seesWhole,
  shown,
  tables,
  views,
  type Asker,
  type Oracle,
  type Policy,
  type Rows,
} from './oracle.ts'
import { askers, changers, changes, policy, question, wholeOnly, type Change } from './random-questions.ts'
import { openAttackWorld, password, type AttackWorld, type Person } from './world.ts'

const policies = process.env['SOAK'] ? Number(process.env['SOAK_CASES'] ?? 400) : 8

let world: AttackWorld
let oracle: Oracle
const raws = new Map<Person, RawClient>()
let used = 1_000
/** How often what was expected and came was rows, and a refusal. */
const outcomes = { rows: 0, refused: 0, changed: 0, unchanged: 0 }

const rowsOfPeople = (from: number, to: number) =>
  `SELECT i AS id, ['EU', 'US', 'AS'][1 + i % 3] AS region, CASE WHEN i % 7 = 0 THEN NULL ELSE 'u' || i || '@x' END AS mail,
    i * 31 % 700 AS pay, CASE WHEN i % 4 = 1 THEN 'c' || i ELSE i::VARCHAR END AS code, 'gone ' || i AS gone FROM range(${from}, ${to}) t(i)`
const orders = `SELECT i AS id, CASE WHEN i % 5 = 0 THEN NULL ELSE i % 20 END AS person, ['EU', 'US'][1 + i % 2] AS region, i * 7 % 90 AS amount FROM range(30) t(i)`
const ledger = `SELECT i AS id, ['EU', 'US', 'AS'][1 + i % 3] AS region, 'u' || i || '@y' AS email, i * 53 % 800 AS pay FROM range(24) t(i)`

beforeAll(async () => {
  world = await openAttackWorld()
  oracle = await openOracle()
  for (const sql of [
    'CREATE SCHEMA g',
    `CREATE TABLE g.people AS ${rowsOfPeople(0, 8)}`,
    `CALL create_tag('g.people', 'first')`,
    `CALL create_branch('g.people', 'side')`,
    `INSERT INTO g.people.branch_side ${rowsOfPeople(50, 55)}`,
    'ALTER TABLE g.people RENAME COLUMN mail TO email',
    'ALTER TABLE g.people DROP COLUMN gone',
    `INSERT INTO g.people SELECT id, region, mail, pay, code FROM (${rowsOfPeople(8, 24)})`,
    `CREATE TABLE g.orders PARTITIONED BY (region) AS ${orders}`,
    `CREATE TABLE g.ledger AS ${ledger}`,
    `CREATE TABLE g.regions AS SELECT * FROM (VALUES ('EU', 'rosa'), ('US', 'cole'), ('AS', 'cole'), ('EU', 'rita')) v(region, boss)`,
    ...Object.entries(views).map(([name, { sql }]) => `CREATE VIEW g.${name} AS ${sql}`),
  ])
    await world.asOperator(sql)
  const ofNow = (from: number, to: number) =>
    `SELECT id, region, mail AS email, pay, code, gone FROM (${rowsOfPeople(from, to)})`
  for (const sql of [
    `CREATE TABLE plain.people AS ${ofNow(0, 24)}`,
    `CREATE TABLE plain.people_first AS ${ofNow(0, 8)}`,
    `CREATE TABLE plain.people_side AS ${ofNow(0, 8)} UNION ALL ${ofNow(50, 55)}`,
    `CREATE TABLE plain.orders AS ${orders}`,
    'CREATE SEQUENCE plain.keys',
    `CREATE TABLE plain.ledger AS SELECT *, nextval('plain.keys') AS _key FROM (${ledger})`,
    `CREATE TABLE plain.regions AS SELECT * FROM (VALUES ('EU', 'rosa'), ('US', 'cole'), ('AS', 'cole'), ('EU', 'rita')) v(region, boss)`,
  ])
    await oracle.run(sql)
  for (const person of askers) {
    const raw = await openRaw(world.pgPort)
    await logIn(raw, { user: person, password })
    raws.set(person, raw)
  }
}, 120_000)
afterAll(async () => {
  for (const raw of raws.values()) raw.close()
  oracle?.close()
  await world?.close()
})

/** A stack trace where a refusal should be. */
class Broken extends Error {}
const refused = 'refused'
type Answer = Rows | typeof refused
const sorted = (answer: Answer) => (answer === refused ? answer : answer.map((row) => JSON.stringify(row)).sort())
let why = ''
const orRefused = (work: Promise<Rows>): Promise<Answer> =>
  work.catch((error: Error) => {
    if (error instanceof Broken) throw error
    why = error.message
    return refused
  })

/** Names as the lake has them; of moments in one way or another. */
const ofLake = (sql: string) =>
  sql
    .replaceAll(
      '{people:first}',
      sql.length % 2 === 0 ? 'g.people.tag_first' : `(SELECT * FROM g.people FOR VERSION AS OF 'first')`,
    )
    .replaceAll(
      '{people:side}',
      sql.length % 2 === 0 ? 'g.people.branch_side' : `(SELECT * FROM g.people AT (VERSION => 'side'))`,
    )
    .replaceAll(/\{(\w+)\}/g, 'g.$1')
const ofOracle = (sql: string) => sql.replaceAll(/\{(\w+):(\w+)\}/g, 'g.$1_$2').replaceAll(/\{(\w+)\}/g, 'g.$1')

const apply = (one: Policy) =>
  world.app.govern.access.apply(
    {
      ...one,
      grants: [
        ...one.grants,
        ...askers.map((name) => ({
          privilege: 'all' as const,
          on: { environment: '*', namespace: `scratch_${name}`, table: '*' },
          to: { kind: 'user' as const, name },
        })),
      ],
    },
    { by: systemPrincipal, source: 'access.yml' },
  )

async function overHttp(as: Person, sql: string, asOf?: unknown): Promise<{ rows: Rows; provenance: unknown }> {
  const answer = await world.request(as, 'POST', '/api/query', {
    sql,
    ...(asOf === undefined ? {} : { asOf: JSON.stringify(asOf) }),
  })
  if (answer.status >= 500) throw new Broken(`${answer.status} of ${sql}: ${await answer.text()}`)
  if (!answer.ok) throw new Error(await answer.text())
  const { rows, provenance } = (await answer.json()) as { rows: unknown[][]; provenance: unknown }
  return { rows: rows.map((row) => row.map(shown)), provenance }
}

/** What the last statement gives, within one session. */
async function inSession(as: Person, ...statements: string[]): Promise<Rows> {
  const session = openSession(world.app.lake, { ...world.app.asking('cli'), principal: world.principals.get(as)! })
  try {
    let rows: Rows = []
    for (const sql of statements) rows = (await collect(await session.query(sql))).rows.map((row) => row.map(shown))
    return rows
  } finally {
    await session.close()
  }
}

const asText = { getTypeParser: () => (value: string) => value }
async function onWire(as: Person, text: string, more: object = {}): Promise<Rows> {
  const { rows, command, rowCount } = await world.wires
    .get(as)!
    .query<(string | null)[]>({ text, rowMode: 'array', types: asText, ...more })
  return rows.length === 0 && /^(INSERT|UPDATE|DELETE)$/.test(command) && !/returning/i.test(text)
    ? [[String(rowCount)]]
    : rows
}

async function copiedOut(as: Person, sql: string): Promise<Rows> {
  const raw = raws.get(as)!
  raw.send(query(`COPY (${sql}) TO STDOUT`))
  const told = await raw.until('Z')
  const failed = told.find(({ type }) => type === 'E')
  if (failed) throw new Error(errorFields(failed).M)
  return told
    .filter(({ type }) => type === 'd')
    .flatMap(({ body }) => body.toString().split('\n').slice(0, -1))
    .map((line) => line.split('\t').map((cell) => (cell === '\\N' ? null : cell.replaceAll('\\\\', '\\'))))
}
async function copiedIn(as: Person, line: string): Promise<Rows> {
  const raw = raws.get(as)!
  raw.send(query('COPY g.ledger (id, region, email, pay) FROM STDIN (FORMAT csv)'))
  const [first] = [await raw.next()]
  if (first!.type === 'G') raw.send(message('d', Buffer.from(`${line}\n`)), message('c'))
  const told = [first!, ...(await raw.until('Z'))]
  const failed = told.find(({ type }) => type === 'E')
  if (failed) throw new Error(errorFields(failed).M)
  const tag = told.find(({ type }) => type === 'C')!.body.toString()
  return [[/\d+/.exec(tag)![0]]]
}

const doors: Record<string, (as: Person, sql: string) => Promise<Rows>> = {
  http: async (as, sql) => (await overHttp(as, sql)).rows,
  async 'http, as of its provenance'(as, sql) {
    const { provenance } = await overHttp(as, sql)
    return (await overHttp(as, sql, provenance)).rows
  },
  cli: (as, sql) => inSession(as, sql),
  'a prepared statement': (as, sql) => inSession(as, `PREPARE q AS ${sql}`, 'EXECUTE q'),
  'a temporary table': (as, sql) => inSession(as, `CREATE TEMP TABLE q AS ${sql}`, 'SELECT * FROM q'),
  'a temporary view': (as, sql) => inSession(as, `CREATE TEMP VIEW q AS ${sql}`, 'SELECT * FROM q'),
  'a transaction': (as, sql) => inSession(as, 'BEGIN', sql, sql),
  'a table': (as, sql) =>
    inSession(as, `CREATE OR REPLACE TABLE scratch_${as}.made AS ${sql}`, `SELECT * FROM scratch_${as}.made`),
  'a view': (as, sql) =>
    inSession(as, `CREATE OR REPLACE VIEW scratch_${as}.seen AS ${sql}`, `SELECT * FROM scratch_${as}.seen`),
  simple: onWire,
  extended: (as, sql) => onWire(as, sql, { queryMode: 'extended' }),
  'a cursor': async (as, sql) => {
    try {
      await onWire(as, 'BEGIN')
      await onWire(as, `DECLARE c SCROLL CURSOR FOR ${sql}`)
      const rows = await onWire(as, 'FETCH ALL FROM c')
      await onWire(as, 'FETCH BACKWARD ALL FROM c')
      return rows
    } finally {
      await onWire(as, 'ROLLBACK')
    }
  },
  'COPY TO': copiedOut,
}
const doorNames = Object.keys(doors)

async function ask(asker: Asker, door: string, sql: string): Promise<void> {
  const expected = await orRefused(oracle.rows(ofOracle(sql)))
  const told = await orRefused(doors[door]!(asker.name as Person, ofLake(sql)))
  outcomes[expected === refused ? 'refused' : 'rows']++
  expect([door, asker.name, sql, sorted(told)], why).toEqual([door, asker.name, sql, sorted(expected)])
}

async function askOfAll(asker: Asker, door: string, { sql, of }: { sql: string; of: string }): Promise<void> {
  const [as, text] = [asker.name as Person, ofLake(sql)]
  const told = await orRefused(door === 'http' ? overHttp(as, text).then(({ rows }) => rows) : inSession(as, text))
  if (!seesWhole(asker, of)) expect([asker.name, text, told]).toEqual([asker.name, text, refused])
}

/** What the catalogs say that there is. */
async function askCatalogs(asker: Asker): Promise<void> {
  const as = asker.name as Person
  const all = {
    ...Object.fromEntries(
      Object.entries(tables).map(([name, { columns }]) => [name, columns.flatMap(({ now }) => now ?? [])]),
    ),
    ...Object.fromEntries(Object.entries(views).map(([name, { columns }]) => [name, Object.keys(columns)])),
  }
  const granted = Object.entries(all).flatMap(([name, columns]) =>
    maySelect(asker, name)
      ? columns.filter((one) => columnsOf(asker, name)?.has(one) ?? true).map((one) => [name, one])
      : [],
  )
  const columns = `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'g' AND table_name <> 'regions'`
  const attributes = `SELECT c.relname, a.attname FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'g' AND a.attnum > 0 AND c.relname <> 'regions'`
  expect([as, sorted(await inSession(as, columns))]).toEqual([as, sorted(granted)])
  expect([as, sorted(await onWire(as, attributes))]).toEqual([as, sorted(granted)])
  const known = Object.keys(all).filter((name) => mayKnow(asker, name))
  const listed = await inSession(
    as,
    `SELECT table_name FROM information_schema.tables WHERE table_schema = 'g' AND table_name <> 'regions'`,
  )
  expect([as, listed.filter(([name]) => !known.includes(name!))]).toEqual([as, []])
  const rest = await world.request(as, 'GET', '/iceberg/v1/dev_analytics/namespaces/g/tables')
  if (rest.ok) {
    const { identifiers } = (await rest.json()) as { identifiers: { name: string }[] }
    expect([
      as,
      identifiers.map(({ name }) => name).filter((name) => name !== 'regions' && !known.includes(name)),
    ]).toEqual([as, []])
  }
  for (const name of Object.keys(tables)) {
    const { status } = await world.request(as, 'GET', `/iceberg/v1/dev_analytics/namespaces/g/tables/${name}`)
    expect([as, name, status]).toEqual([as, name, seesWhole(asker, name) ? 200 : mayKnow(asker, name) ? 403 : 404])
  }
}

/** Runs a change, and what of it is for this asker on the plain table; both have the same rows then, and tell the same. */
async function perform(asker: Asker, door: string, one: Change): Promise<void> {
  used += 1_000
  const as = asker.name as Person
  const { kind, gives, beside, where, told } = { ...one, gives: one.gives.replaceAll('{k}', String(used)) }
  const returning = told === undefined ? '' : ` RETURNING ${kind === 'insert' ? told.replaceAll('a.', '') : told}`
  const sql = ofLake(
    kind === 'merge'
      ? gives
      : kind === 'insert'
        ? `INSERT INTO {ledger} (id, region, email, pay) ${gives}${returning}`
        : kind === 'delete'
          ? `DELETE FROM {ledger} a ${beside && `USING ${beside}`} WHERE ${where}${returning}`
          : `UPDATE {ledger} a SET pay = ${gives} ${beside && `FROM ${beside}`} WHERE ${where}${returning}`,
  )
  const isCopied = door === 'COPY FROM' && gives.startsWith('VALUES') && told === undefined && kind === 'insert'
  const done = await orRefused(
    isCopied
      ? copiedIn(as, gives.slice('VALUES ('.length, -1).replaceAll("'", '').replaceAll(', ', ','))
      : door === 'http'
        ? overHttp(as, sql).then(({ rows }) => rows)
        : door === 'cli'
          ? inSession(as, sql)
          : onWire(as, sql, door === 'extended' ? { queryMode: 'extended' } : {}),
  )
  const expected = await orRefused(model(asker, { ...one, gives }))
  outcomes[expected === refused ? 'unchanged' : 'changed']++
  if (kind === 'merge') {
    if (expected === refused) expect([as, sql, done]).toEqual([as, sql, refused])
    await oracle.run('DELETE FROM plain.ledger')
    for (const row of await world.asOperator('SELECT * FROM g.ledger'))
      await oracle.run(
        `INSERT INTO plain.ledger VALUES (${row.map((cell) => (cell === null ? 'NULL' : `'${String(cell)}'`)).join(', ')}, nextval('plain.keys'))`,
      )
  } else expect([door, as, sql, sorted(done)], why).toEqual([door, as, sql, sorted(expected)])
  const left = (await world.asOperator('SELECT id, region, email, pay FROM g.ledger')).map((row) => row.map(shown))
  const should = await oracle.rows('SELECT id, region, email, pay FROM plain.ledger')
  expect([as, sql, sorted(left)]).toEqual([as, sql, sorted(should)])
  await oracle.show(asker)
}

/** @throws where it is to be refused */
async function model(asker: Asker, { kind, gives, beside, where, told }: Change): Promise<Rows> {
  const needs = {
    merge: ['insert', 'update', 'delete'].slice(0, gives.startsWith('MERGE') ? 3 : gives.endsWith('NOTHING') ? 1 : 2),
    insert: ['insert'],
    delete: ['delete'],
    update: ['update'],
  }[kind]
  for (const privilege of needs) if (grantsOn(asker, privilege, 'ledger').length === 0) throw new Error(privilege)
  if (kind === 'merge') {
    if (!seesWhole(asker, 'ledger')) throw new Error('a part')
    await oracle.rows(`SELECT count(*) FROM ${/people/.test(gives) ? 'g.people' : 'g.ledger'}`)
    return []
  }
  const granted = columnsOf(asker, 'ledger')
  const columns = tables['ledger']!.columns.map(({ now }) => now!).filter((one) => granted?.has(one) ?? true)
  if ((kind !== 'insert' || told !== undefined) && (!maySelect(asker, 'ledger') || columns.length === 0))
    throw new Error('nothing is seen')
  if (kind === 'update' && !seesWhole(asker, 'ledger', { butRows: true })) throw new Error('a part')
  const seen = `(SELECT ${[...columns, '_key'].join(', ')} FROM bound.ledger)`
  const toTell = (keys: string) =>
    told === undefined
      ? `SELECT count(*) FROM ${keys}`
      : `SELECT ${told} FROM (SELECT ${columns.join(', ')} FROM bound.ledger WHERE _key IN (SELECT _key FROM ${keys})) a`
  if (kind === 'insert') {
    // That the list can be told is looked at first.
    if (told !== undefined) await oracle.rows(toTell('bound.ledger'))
    await oracle.run(
      `CREATE OR REPLACE TABLE bound.given AS SELECT *, nextval('plain.keys') AS _key FROM (${ofOracle(gives)}) v(id, region, email, pay)`,
    )
    await oracle.run('INSERT INTO plain.ledger SELECT * FROM bound.given')
    await oracle.show(asker)
    return oracle.rows(toTell('bound.given'))
  }
  const from = `${seen} a${beside && `, ${ofOracle(beside)}`} WHERE ${ofOracle(where)}`
  await oracle.run(
    `CREATE OR REPLACE TABLE bound.given AS SELECT DISTINCT ON (a._key) a._key, ${kind === 'update' ? ofOracle(gives) : 'NULL'} AS v FROM ${from}`,
  )
  const before = await oracle.rows(toTell('bound.given'))
  if (kind === 'delete') {
    await oracle.run('DELETE FROM plain.ledger WHERE _key IN (SELECT _key FROM bound.given)')
    return before
  }
  await oracle.run('UPDATE plain.ledger l SET pay = g.v FROM bound.given g WHERE g._key = l._key')
  await oracle.show(asker)
  return oracle.rows(toTell('bound.given'))
}

const step = fc.record({
  who: fc.constantFrom(...askers),
  door: fc.constantFrom(...doorNames),
  questions: fc.array(question, { minLength: 2, maxLength: 4 }),
  whole: wholeOnly,
  changing: fc.constantFrom('http', 'cli', 'simple', 'extended', 'COPY FROM'),
  changer: fc.constantFrom(...changers),
  changes: fc.array(changes, { maxLength: 2 }),
})

type Step = typeof step extends fc.Arbitrary<infer One> ? One : never

test(
  'everybody is told what filtered and masked copies would tell, whatever the policy',
  { timeout: policies * 60_000 },
  async ({ task }) => {
    // Asked once more under each policy that comes: what was kept of an answer is nobody else's, and a plan is none of today's.
    const again: string[] = []
    let prepared = 0
    const round = async (one: Policy, steps: readonly Step[]) => {
      await apply(one)
      for (const { who, door, questions, whole, changer, changing, changes: all } of steps) {
        const asker = askerOf(who, who === 'rita', one)
        await oracle.show(asker)
        for (const sql of questions) await ask(asker, door, sql)
        for (const sql of again.slice(-2)) await ask(asker, door, sql)
        if (prepared > 0) {
          const expected = await orRefused(oracle.rows(ofOracle(again[prepared - 1]!)))
          const told = await orRefused(onWire(who, `EXECUTE kept_${prepared}`))
          if (told !== refused)
            expect([who, again[prepared - 1], sorted(told)]).toEqual([who, again[prepared - 1], sorted(expected)])
        }
        await askOfAll(asker, door, whole)
        const other = askerOf(changer, changer === 'rita', one)
        await oracle.show(other)
        for (const change of all) await perform(other, changing, change)
      }
      const last = steps.at(-1)!
      await askCatalogs(askerOf(last.who, last.who === 'rita', one))
      again.push(last.questions[0]!)
      prepared = again.length
      for (const who of askers)
        await onWire(who, `PREPARE kept_${prepared} AS ${ofLake(again.at(-1)!)}`).catch(() => {})
    }
    await fc.assert(fc.asyncProperty(policy, fc.array(step, { minLength: 6, maxLength: 8 }), round), {
      numRuns: policies,
      seed: process.env['SOAK'] ? Math.floor(Math.random() * 2 ** 31) : 11,
      endOnFailure: true,
    })
    expect(Math.min(...Object.values(outcomes))).toBeGreaterThanOrEqual(policies)
    Object.assign(task.meta, {
      figures: {
        'random policies': policies,
        'of which statements': Object.values(outcomes).reduce((sum, n) => sum + n, 0),
      },
    })
  },
)
