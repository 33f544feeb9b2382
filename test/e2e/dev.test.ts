import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openExample, type Example } from '../support/example.ts'
import { freePort } from '../support/free-port.ts'

// `boathouse dev` as a person has it in a terminal: files are saved, and the tables follow.

let example: Example
let printed = ''
const savedAs = (path: string, change: (text: string) => string) =>
  writeFileSync(join(example.dir, path), change(readFileSync(join(example.dir, path), 'utf8')))
/** Waits for a line that was printed after `from`. */
const printedSince = (from: number, line: RegExp) =>
  vi.waitFor(() => expect(printed.slice(from)).toMatch(line), { timeout: 60_000, interval: 100 })

beforeAll(async () => {
  example = openExample()
  const run = await example.boathouse(['run'])
  expect(run.code, run.stderr).toBe(0)
  const dev = example.start(['dev'], { env: { BOATHOUSE_HTTP_PORT: String(await freePort()) } })
  for (const stream of [dev.stdout!, dev.stderr!]) stream.on('data', (chunk) => (printed += String(chunk)))
  await printedSince(0, /Watching/)
}, 120_000)
afterAll(() => example?.close())

test('a new row of a source reaches the marts', async () => {
  const before = await example.rows('select sum(orders)::bigint from marts.daily_revenue')
  const from = printed.length
  appendFileSync(join(example.dir, 'sales.csv'), 'ORD-9999,CUST-0001,2024-03-31,Laptop,1,1500.00,North\n')
  await printedSince(from, /rebuilt everything/)
  expect(await example.rows('select sum(orders)::bigint from marts.daily_revenue')).toEqual([
    [(before[0]![0] as number) + 1],
  ])
}, 120_000)

test('a mistake in a model is told and changes nothing; the next save mends it', async () => {
  const path = 'models/marts/daily_revenue.sql'
  const good = readFileSync(join(example.dir, path), 'utf8')
  const before = await example.rows('select count(*) from marts.daily_revenue')
  let from = printed.length
  savedAs(path, (text) => text.replace('from', 'frm'))
  await printedSince(from, /daily_revenue\.sql changed[\s\S]*failed/)
  expect(await example.rows('select count(*) from marts.daily_revenue')).toEqual(before)
  from = printed.length
  savedAs(path, () => good)
  await printedSince(from, /rebuilt daily_revenue\+/)
}, 120_000)
