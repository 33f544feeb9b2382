import { afterAll, beforeAll, expect, test } from 'vitest'
import { openExample, type Example } from '../support/example.ts'

// A fork of an environment from the command line: made, worked in, compared, promoted, dropped.

let example: Example
beforeAll(async () => {
  example = openExample()
  expect(await example.boathouse(['run'])).toMatchObject({ code: 0 })
}, 120_000)
afterAll(() => example.close())

const json = async (args: string[]): Promise<unknown> => {
  const { code, stdout, stderr } = await example.boathouse([...args, '--json'])
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout)
}
const rowsIn = async (environment: string, sql: string) =>
  ((await json(['query', sql, '--env', environment])) as { rows: unknown[][] }).rows

test('what is done in a fork is seen there only, until it is promoted', async () => {
  expect(await json(['env', 'create', 'trial'])).toMatchObject({ catalog: 'trial_analytics', tables: 3 })
  expect(await rowsIn('trial', 'select count(*) from raw.sales')).toEqual([[1000]])

  const wrote = ['insert into raw.sales select * from raw.sales limit 5', 'create table marts.extra as select 1 as a']
  for (const sql of wrote) expect(await example.boathouse(['query', sql, '--env', 'trial'])).toMatchObject({ code: 0 })
  expect(await example.rows('select count(*) from raw.sales')).toEqual([[1000]])
  expect(await json(['env', 'diff', 'trial'])).toMatchObject([
    { table: 'marts.extra', change: 'created', conflict: false },
    { table: 'raw.sales', change: 'changed', conflict: false },
  ])

  expect(await json(['env', 'diff', 'trial', '--data'])).toMatchObject({
    data: [
      { table: 'marts.extra', rowsBefore: null, rowsAfter: 1 },
      { table: 'raw.sales', rowsBefore: 1000, rowsAfter: 1005, removed: 0, schema: [] },
    ],
  })

  await json(['env', 'promote', 'trial'])
  expect(await example.rows('select (select count(*) from raw.sales), (select a from marts.extra)')).toEqual([
    [1005, 1],
  ])
  expect(await json(['env', 'diff', 'trial'])).toEqual([])
}, 120_000)

test('both sides changed: promoting is refused and says which table', async () => {
  for (const environment of ['trial', 'dev'])
    await example.boathouse(['query', 'insert into marts.extra select 2', '--env', environment])
  const { code, stderr } = await example.boathouse(['env', 'promote', 'trial'])
  expect([code, stderr]).toEqual([1, expect.stringMatching(/COMMIT_CONFLICT: dev_analytics\.marts\.extra changed/)])
}, 60_000)

test('a protected environment takes a promotion only when it is named', async () => {
  expect(await json(['env', 'create', 'audit', '--from', 'prod'])).toMatchObject({ tables: 0 })
  await example.boathouse(['query', 'create table marts.checked as select 1 as a', '--env', 'audit'])
  const refused = await example.boathouse(['env', 'promote', 'audit'])
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('FORBIDDEN')])
  expect(await example.boathouse(['env', 'promote', 'audit', '--env', 'prod'])).toMatchObject({ code: 0 })
  expect(await rowsIn('prod', 'select a from marts.checked')).toEqual([[1]])
}, 60_000)

test.each([
  ['promote', 'dev', 'dev was not forked'],
  ['diff', 'prod', 'prod was not forked'],
  ['drop', 'nowhere', 'there is no environment nowhere'],
])('env %s %s says why not', async (verb, name, message) => {
  const { code, stderr } = await example.boathouse(['env', verb, name])
  expect([code, stderr]).toEqual([1, expect.stringContaining(`NOT_FOUND: ${message}`)])
})

test('a dropped fork is no environment any more', async () => {
  for (const name of ['trial', 'audit']) await json(['env', 'drop', name])
  const { code, stderr } = await example.boathouse(['query', 'select 1', '--env', 'trial'])
  expect([code, stderr]).toEqual([2, expect.stringContaining('there is no environment trial')])
  expect(await json(['env', 'ls'])).toHaveLength(3)
}, 60_000)
