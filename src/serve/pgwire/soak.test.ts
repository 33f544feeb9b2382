// Fifty clients that ask, cancel, stop reading and go away at random: with SOAK=1 for ten minutes, else for a few seconds.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  bind,
  execute,
  int32,
  logIn,
  openRaw,
  parse,
  query,
  sync,
  type RawClient,
} from '../../../test/support/pg-raw.ts'
import { openPgWorld, password, type PgWorld } from '../../../test/support/pg-world.ts'

const [clients, seconds] = process.env.SOAK
  ? [50, Number(process.env.SOAK_SECONDS ?? 600)]
  : [8, Number(process.env.SOAK_SECONDS ?? 2)]
let world: PgWorld
beforeAll(async () => {
  world = await openPgWorld({ connectionsMax: 200 })
  await world.rows('create schema raw')
  await world.rows("create table raw.sales as select range::int id, 'item ' || range item from range(20000)")
})
afterAll(() => world.close())

const pick = <Item>(...items: Item[]): Item => items[Math.floor(Math.random() * items.length)]!

test('memory stays flat, nothing leaks, and short statements stay short', async () => {
  const until = Date.now() + seconds * 1_000
  const times: number[] = []
  const memory: number[] = []
  const counted = { statements: 0, cancelled: 0, left: 0 }

  async function one(): Promise<void> {
    while (Date.now() < until) {
      const client = await openRaw(world.port)
      const hello = await logIn(client, { user: pick('ada', 'rob'), password })
      const keys = hello.find(({ type }) => type === 'K')?.body
      if (!keys) continue
      for (let turn = 0; turn < 20 && Date.now() < until; turn++) if (await act(client, keys)) break
      client.close()
    }
  }

  /** True when the client has left. */
  async function act(client: RawClient, keys: Buffer): Promise<boolean> {
    counted.statements++
    switch (pick('short', 'short', 'short', 'portal', 'large', 'cancel', 'leave', 'stall')) {
      case 'short': {
        const started = performance.now()
        // Another one each time: what was asked before is in the cache.
        client.send(query(`select count(*) from raw.sales where id < ${Math.floor(Math.random() * 20_000)}`))
        await client.until('Z')
        times.push(performance.now() - started)
        return false
      }
      case 'portal':
        client.send(parse('', 'select * from raw.sales'), bind('p', '', 1), execute('p', 100), execute('p', 7), sync)
        await client.until('Z')
        return false
      case 'large':
        client.send(query('select * from raw.sales'))
        await client.until('Z')
        return false
      case 'cancel': {
        client.send(query('select count(*) from range(100000000) a, range(100000) b where a.range + b.range = -1'))
        await sleep(20)
        const other = await openRaw(world.port)
        other.send(Buffer.concat([int32(16), int32(80877102), keys]))
        await client.until('Z')
        other.close()
        counted.cancelled++
        return false
      }
      case 'stall':
        client.send(query("select range, repeat('x', 100) from range(10000000)"))
        client.socket.pause()
        await sleep(50)
        counted.left++
        return true
      default:
        client.send(query('select * from raw.sales a, raw.sales b'))
        await sleep(5)
        counted.left++
        return true
    }
  }

  const watch = setInterval(
    () => {
      globalThis.gc?.()
      memory.push(process.memoryUsage().rss)
    },
    Math.max(100, seconds * 10),
  )
  await Promise.all(Array.from({ length: clients }, one))
  clearInterval(watch)

  const running = () => world.engine.status().reduce((sum, host) => sum + host.running + host.waiting, 0)
  await expect.poll(() => world.server.status().connections, { timeout: 30_000 }).toBe(0)
  await expect.poll(running, { timeout: 30_000 }).toBe(0)
  expect(world.errors).toEqual([])
  const p99 = times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0
  const half = memory.length >> 1
  const growth = Math.max(...memory.slice(half)) - Math.max(...memory.slice(0, half))
  console.info(
    `${clients} clients, ${seconds} s: ${JSON.stringify(counted)}, short statements p99 ${p99.toFixed(0)} ms, memory of the second half ${(growth / 2 ** 20).toFixed(0)} MiB above the first`,
  )
  expect(counted.statements).toBeGreaterThan(0)
  if (process.env.SOAK) expect(growth).toBeLessThan(200 * 2 ** 20)
})
