import { afterAll, beforeAll, expect, test } from 'vitest'
import { collect } from '../lake.ts'
import { openWorld } from '../world.ts'

let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
  const entry = { door: 'http', action: 'select', verdict: 'allowed' as const, catalog: 'dev_analytics' }
  for (const [name, rows] of [
    ['ana', 1],
    ['bob', 2],
    ['ana', 3],
  ] as const)
    await world.govern.audit.record({
      ...entry,
      principal: { name },
      rows,
      sql: `select ${rows}`,
      tables: ['dev_analytics.raw.t'],
      snapshots: { 'dev_analytics.raw.t': '7' },
    })
  await world.govern.audit.record({ ...entry, principal: null, verdict: 'refused', failureCode: 'UNAUTHENTICATED' })
}, 60_000)
afterAll(() => world?.close())

test('what was done, with what was read', async () => {
  const rows = await world.rows(
    `SELECT principal, door, sql, tables, rows, verdict, snapshots FROM system.audit WHERE principal = 'bob'`,
  )
  expect(rows).toEqual([
    ['bob', 'http', 'select 2', ['dev_analytics.raw.t'], 2, 'allowed', '{"dev_analytics.raw.t":"7"}'],
  ])
  expect(await world.rows('SELECT principal, count(*) FROM system.audit GROUP BY ALL ORDER BY ALL')).toEqual([
    ['', 1],
    ['ana', 2],
    ['bob', 1],
  ])
  expect(
    await world.rows(
      `SELECT count(*) FROM system.audit a JOIN system.audit b USING (id) WHERE a.occurred_at > now() - INTERVAL 1 HOUR AND b.occurred_at <= now()`,
    ),
  ).toEqual([[4]])
  expect(await world.rows(`SELECT count(*) FROM system.audit WHERE occurred_at < TIMESTAMPTZ '2020-01-01'`)).toEqual([
    [0],
  ])
  expect(await world.rows(`SELECT failure_code FROM SYSTEM."Audit" WHERE verdict = 'refused'`)).toEqual([
    ['UNAUTHENTICATED'],
  ])
  expect(await world.rows(`DESCRIBE system.queries`)).toHaveLength(13)
  expect(await world.rows(`SELECT count(*) FROM system.queries`)).toEqual([[0]])
})

test('a condition on time and principal is asked of the log', async () => {
  const asked: object[] = []
  const { audit } = world.govern
  const scan = audit.scan.bind(audit)
  audit.scan = (range) => {
    asked.push(range)
    return scan(range)
  }
  await world.rows(
    `SELECT * FROM system.audit WHERE principal = 'ana' AND occurred_at >= TIMESTAMPTZ '2026-01-01' AND occurred_at < TIMESTAMPTZ '2026-01-02' AND rows > 1`,
  )
  await world.rows(`SELECT * FROM system.audit WHERE principal = 'ana' OR occurred_at >= TIMESTAMPTZ '2026-01-01'`)
  audit.scan = scan
  expect(asked).toEqual([{ principal: 'ana', from: '2025-12-31T23:59:59.999Z', to: '2026-01-02T00:00:00.001Z' }, {}])
})

test('is for administrators and for those to whom it is granted; nobody writes it', async () => {
  const kim = await world.member('kim')
  const as = (principal: typeof kim, sql: string) =>
    world.lake.query(sql, world.asking({ principal })).then(collect, (error: { code: string }) => error.code)
  expect(await as(world.reader, 'SELECT count(*) FROM system.audit')).toBe('TABLE_NOT_FOUND')
  expect(await as(kim, 'SELECT count(*) FROM system.audit')).toBe('TABLE_NOT_FOUND')
  // All tables of an environment are not yet what others do with them.
  await world.govern.access.grant(
    { privileges: ['select'], on: { environment: 'dev' }, to: ['kim'] },
    { by: world.admin, source: 'sql' },
  )
  expect(await as(kim, 'SELECT count(*) FROM system.audit')).toBe('TABLE_NOT_FOUND')
  await world.govern.access.grant(
    { privileges: ['select'], on: { namespace: 'system', table: 'audit' }, to: ['kim'] },
    { by: world.admin, source: 'sql' },
  )
  expect(await as(kim, 'SELECT count(*) FROM system.audit')).toMatchObject({ rows: [[4]] })
  expect(await as(kim, 'SELECT count(*) FROM system.queries')).toBe('TABLE_NOT_FOUND')
  for (const sql of [
    `INSERT INTO system.audit SELECT * FROM system.audit`,
    'DELETE FROM system.audit WHERE true',
    'TRUNCATE system.audit',
    'DROP TABLE system.audit',
    `UPDATE system.audit SET sql = ''`,
  ])
    expect(await as(world.admin, sql), sql).toBe('TABLE_NOT_FOUND')
  expect(await world.rows('SELECT count(*) FROM system.audit')).toEqual([[4]])
})

test('every question is in the audit of the door, with its tables, snapshots and verdict', async () => {
  await world.rows('CREATE SCHEMA raw')
  await world.rows('CREATE TABLE raw.t AS SELECT 1 AS x')
  await world.rows('SELECT * FROM raw.t')
  expect(world.audited.at(-1)).toMatchObject({
    tables: ['dev_analytics.raw.t'],
    snapshots: { 'dev_analytics.raw.t': expect.stringMatching(/^\d+$/) },
    verdict: 'allowed',
  })
  const lea = await world.member('lea')
  await world.lake.query('SELECT * FROM raw.t', world.asking({ principal: lea })).catch(() => {})
  expect(world.audited.at(-1)).toMatchObject({ principal: { name: 'lea' }, verdict: 'refused' })
})

test('a run of models has no information_schema in its own database, as in DuckDB', async () => {
  const count = (name: string, door: 'run' | 'cli') => world.rows(`SELECT count(*) FROM ${name}`, { door })
  await expect(count('dev_analytics.information_schema.tables', 'run')).rejects.toMatchObject({
    code: 'TABLE_NOT_FOUND',
  })
  expect(await count('dev_analytics.information_schema.tables', 'cli')).toHaveLength(1)
  expect(await count('information_schema.tables', 'run')).toHaveLength(1)
  expect(await count('system.information_schema.tables', 'run')).toHaveLength(1)
})
