import { afterAll, expect, test } from 'vitest'
import { openTestEngine } from './engine.testing.ts'

const { engine, close } = openTestEngine({ memoryBytes: 600 * 2 ** 20, classes: ['interactive', 'heavy'] })
afterAll(close)
const rows = (sql: string, more = {}) => engine.rows({ class: 'interactive', sql, ...more })

const bounded = (sql: string, mib: number, more = {}) => rows(sql, { memoryMost: mib * 2 ** 20, ...more })
const limit = "select current_setting('memory_limit')"
const heavy = () => engine.status().filter((host) => host.class === 'heavy')

test('run in a host of that much, one at a time, and the budget holds', async () => {
  const [usual] = heavy()
  expect(await bounded(limit, 80)).toEqual([['80.0 MiB']])
  const all = await Promise.all([80, 80, 96, 80, 70, 80].map((mib) => bounded(limit, mib)))
  expect(all.flat(2)).toEqual([80, 80, 96, 80, 70, 80].map((mib) => `${mib}.0 MiB`))
  const [lender, ...own] = heavy()
  expect(lender!.pid).toBeNull()
  expect(own.length).toBeGreaterThan(0)
  expect(own.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0)).toBeLessThanOrEqual(usual!.memoryBytes)
  // What is for the lender goes elsewhere meanwhile.
  expect(await rows('select 1', { class: 'heavy' })).toEqual([[1]])
  expect(heavy()[0]!.pid).toBeNull()
})

test('more than the class has is no bound, less than a host needs is what it needs', async () => {
  const usual = await rows(limit)
  expect(await bounded(limit, 100_000)).toEqual(usual)
  expect(await bounded(limit, 1)).toEqual([['64.0 MiB']])
})

test('one that needs too much fails alone; a cancelled one frees its host', async () => {
  const greedy = 'select list(range) from range(30000000)'
  const beside = rows('select count(*) from range(1000000)')
  await expect(bounded(greedy, 80)).rejects.toMatchObject({ error: { type: 'out of memory' } })
  expect(await beside).toEqual([[1_000_000]])
  const slow = 'select count(*) from range(100000000) a, range(100000) b where a.range + b.range = -1'
  const stop = new AbortController()
  const ended = Promise.allSettled(Array.from({ length: 6 }, () => bounded(slow, 80, { signal: stop.signal })))
  setTimeout(() => stop.abort(), 300)
  for (const one of await ended) expect(one).toMatchObject({ reason: { code: 'QUERY_CANCELLED' } })
  expect(await bounded(limit, 80)).toEqual([['80.0 MiB']])
})
