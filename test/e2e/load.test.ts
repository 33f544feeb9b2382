// Long questions that burn all processors, and processes killed without a word, while somebody looks at the dashboard:
// it goes on answering, and answers right. How fast is measured and told, not asserted: see docs/reference/soak.md.

import { afterAll, beforeAll, expect, test, type TestContext } from 'vitest'
import { parseBytes } from '../../src/base/units.ts'
import { openExample, revenue, type Example } from '../support/example.ts'
import { cpuTicks, pssBytes } from '../support/processes.ts'
import { childOf, startRunning, type Running } from '../support/running.ts'

const loadSeconds = process.env.SOAK ? 60 : 6
const memory = '1GB'
const memoryBytes = parseBytes(memory)!
/** What a process of Node holds besides what the engine's budget counts. */
const overheadBytes = 128 * 2 ** 20

let example: Example
let running: Running
beforeAll(async () => {
  example = openExample()
  const ran = await example.boathouse(['run'])
  expect(ran, ran.stderr).toMatchObject({ code: 0 })
  running = await startRunning(example, {
    env: { BOATHOUSE_LIMITS_MEMORY: memory, BOATHOUSE_LIMITS_TEMP_BYTES: '20MB' },
  })
  await dashboard()
})
afterAll(() => example?.close())

type Panel = { rows: unknown[][]; cached: { hit: boolean } } | { failure: { code: string } }
async function panelsNow(): Promise<Record<string, Panel>> {
  const answer = await running.ask('POST', '/api/dashboards/sales/data', { filters: {} })
  expect(answer.status).toBe(200)
  return ((await answer.json()) as { panels: Record<string, Panel> }).panels
}

/** All panels answer, and the numbers are those of the file. */
async function dashboard(): Promise<{ cached: boolean }> {
  const panels = await panelsNow()
  expect(Object.entries(panels).filter(([, panel]) => 'failure' in panel)).toEqual([])
  const shown = panels as Record<string, Exclude<Panel, { failure: unknown }>>
  const orders = example.csv()
  expect(shown.revenue!.rows[0]).toContain(revenue(orders))
  expect(shown.orders!.rows[0]).toContain(orders.length)
  expect(shown.customers!.rows[0]).toContain(new Set(orders.map(({ customerId }) => customerId)).size)
  return { cached: Object.values(shown).every(({ cached }) => cached.hit) }
}

/** What was given to a host before its end was noticed is lost with it, and told so; the next answer is whole. */
async function dashboardSoon() {
  await until(async () => {
    const failed = Object.values(await panelsNow()).filter((panel) => 'failure' in panel)
    for (const { failure } of failed) expect(failure.code).toBe('ENGINE_LOST')
    return failed.length === 0
  })
  await dashboard()
}

async function healthy() {
  const answer = await running.ask('GET', '/healthz')
  expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok', db: 'ok', redis: 'off' }])
}

/** One that goes on until its time is over: every row with every row with every row with every row. */
const endless = (n: number) =>
  `select count(*) from raw.sales a, raw.sales b, raw.sales c, raw.sales d where a.amount + b.amount + ${n} > c.amount + d.amount`

type Answer = { status: number; body: { code?: string; rows?: unknown[][] } }
function query(sql: string, id?: string): Promise<Answer> {
  const answered = ask(sql, id)
  answered.catch(() => {}) // it is waited for later; a test that fails before is told of its own reason
  return answered
}
async function ask(sql: string, id: string | undefined): Promise<Answer> {
  const answer = await running.ask('POST', '/api/query', id === undefined ? { sql } : { sql, id })
  return { status: answer.status, body: (await answer.json()) as Answer['body'] }
}
const cancel = (id: string) => running.ask('DELETE', `/api/query/${id}`)
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const until = (what: () => unknown) => expect.poll(what, { timeout: 30_000, interval: 50 }).toBeTruthy()

/** The engine host of the server that works hardest just now. */
async function busiestHost(): Promise<number> {
  const hosts = () => running.processes().filter(({ name }) => name.endsWith(' host'))
  const before = new Map(hosts().map(({ pid }) => [pid, cpuTicks(pid)]))
  let busiest: [pid: number, ticks: number] = [0, 0]
  await until(() => {
    for (const { pid } of hosts()) {
      const ticks = cpuTicks(pid) - (before.get(pid) ?? 0)
      if (ticks > busiest[1]) busiest = [pid, ticks]
    }
    return busiest[1] >= 20
  })
  return busiest[0]
}

test('eight long questions hold up neither /healthz nor the dashboard from the cache', async ({ task }) => {
  expect(await dashboard()).toEqual({ cached: true })
  const ids = Array.from({ length: 8 }, (_, n) => `long-question-${n}`)
  const answers = Promise.all(ids.map((id, n) => query(endless(n), id)))
  await busiestHost()

  const end = performance.now() + loadSeconds * 1_000
  const repeat = async (work: () => Promise<unknown>) => {
    const ms: number[] = []
    while (performance.now() < end) {
      const started = performance.now()
      await work()
      ms.push(performance.now() - started)
      await sleep(10)
    }
    return ms
  }
  const memories = repeat(async () => memoryNow())
  const [health, pages] = await Promise.all([
    repeat(healthy),
    repeat(async () => expect(await dashboard()).toEqual({ cached: true })),
    memories,
  ])
  for (const id of ids) await cancel(id)
  const ends = (await answers).map(({ body }) => body.code)
  // Those that ran a whole minute were ended for it; those that waited or had less were cancelled here.
  for (const code of ends) expect(['QUERY_CANCELLED', 'QUERY_TIMEOUT']).toContain(code)
  tell(task, {
    'load, seconds': loadSeconds,
    '/healthz under load': latencies(health),
    'dashboard from the cache under load': latencies(pages),
    'long questions': count(ends),
  })
})

test('a question larger than the memory is refused or ends alone', async ({ task }) => {
  const hungry = query(
    'select k, count(*) from (select a.order_id || b.order_id || c.order_id as k from raw.sales a, raw.sales b, raw.sales c) group by k having count(*) > 1',
  )
  let ended = false
  void hungry.finally(() => (ended = true))
  while (!ended) {
    memoryNow()
    await dashboard()
    await sleep(100)
  }
  const { body } = await hungry
  expect(['QUERY_TOO_LARGE', 'ENGINE_LOST', 'QUERY_TIMEOUT']).toContain(body.code)
  expect((await query('select count(*) from raw.sales')).body.rows).toEqual([[example.csv().length]])
  tell(task, { 'question larger than the memory': body.code! })
})

test('kill -9 of an engine host fails only its queries, and the next one works', async () => {
  const lost = query(endless(100))
  process.kill(await busiestHost(), 'SIGKILL')
  expect(await lost).toMatchObject({ status: 503, body: { code: 'ENGINE_LOST' } })
  await dashboard()
  expect(await query('select max(quantity) from raw.sales')).toMatchObject({ status: 200, body: { rows: [[5]] } })

  // Another host than that of the query.
  const kept = query(endless(101), 'kept-question')
  const busy = await busiestHost()
  const server = running.processes().find(({ name }) => name === 'serve')!
  const idle = running.processes().filter(({ parent, pid }) => parent === server.pid && pid !== busy)
  expect(idle.length).toBeGreaterThan(0)
  for (const { pid } of idle) process.kill(pid, 'SIGKILL')
  await dashboardSoon()
  expect(await query('select min(quantity) from raw.sales')).toMatchObject({ status: 200, body: { rows: [[1]] } })
  await cancel('kept-question')
  expect((await kept).body.code).toBe('QUERY_CANCELLED')
})

test('kill -9 of the worker leaves the dashboard answering; a new one takes its place and works', async () => {
  const worker = childOf(example, 'worker')!
  const hosts = running.processes().filter(({ parent }) => parent === worker)
  process.kill(worker, 'SIGKILL')
  await until(async () => {
    await dashboard()
    await healthy()
    const now = childOf(example, 'worker')
    return now !== undefined && now !== worker
  })
  const queued = await running.ask('POST', '/api/runs', {})
  expect(queued.status).toBe(200)
  const { id } = (await queued.json()) as { id: string }
  await until(async () => {
    await dashboard()
    const { status } = (await (await running.ask('GET', `/api/runs/${id}`)).json()) as { status: string }
    expect(['queued', 'running', 'succeeded']).toContain(status)
    return status === 'succeeded'
  })
  // Nothing of the old one is left.
  const pids = new Set(running.processes().map(({ pid }) => pid))
  for (const { pid } of hosts) expect(pids.has(pid) || pssBytes(pid) > 0).toBe(false)
})

let peak = { bytes: 0, processes: 0 }
function memoryNow(): void {
  const all = running.processes()
  const bytes = all.reduce((sum, { pid }) => sum + pssBytes(pid), 0)
  if (bytes > peak.bytes) peak = { bytes, processes: all.length }
}

test('all that while the processes together stayed within the memory they were given', ({ task }) => {
  memoryNow()
  expect(peak.bytes).toBeGreaterThan(0)
  expect(peak.bytes).toBeLessThan(memoryBytes + peak.processes * overheadBytes)
  const mb = (bytes: number) => `${Math.round(bytes / 1e6)} MB`
  tell(task, {
    'peak memory of all processes (PSS)': `${mb(peak.bytes)} in ${peak.processes} processes`,
    allowed: `${mb(memoryBytes)} of limits.memory + ${mb(overheadBytes)} for each process`,
  })
})

/** For the table that the soak run prints. */
function tell(task: TestContext['task'], figures: Record<string, string | number>): void {
  Object.assign(task.meta, { figures })
}

function latencies(ms: number[]): string {
  const at = (share: number) => ms.toSorted((a, b) => a - b)[Math.min(ms.length - 1, Math.floor(ms.length * share))]!
  return `${ms.length} answers, p50 ${at(0.5).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms, longest ${Math.max(...ms).toFixed(1)} ms`
}

function count(words: (string | undefined)[]): string {
  const counts = Map.groupBy(words, (word) => word ?? 'answered')
  return [...counts].map(([word, all]) => `${all.length} ${word}`).join(', ')
}
