import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { fakeClock } from '../../test/support/fake-clock.ts'
import { startRedis } from '../../test/support/redis.ts'
import { realClock } from '../base/clock.ts'
import { type Log, silentLog } from '../base/log.ts'
import { openMemoryRecords, openRecords } from '../records/index.ts'
import { openBus } from './bus.ts'
import { openOrchestrator, type Orchestrator } from './index.ts'

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5)
}

// Time stands still here, so nobody polls: what moves was woken by Redis.
test('Redis wakes a worker and a watcher of another process; without it they poll', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'boathouse-redis-'))
  const first = await startRedis()
  const warnings: string[] = []
  const log: Log = { debug() {}, info() {}, error() {}, warn: (event) => void warnings.push(event), child: () => log }
  const clock = fakeClock('2024-03-31T00:00:00.000Z')
  const open = async () => {
    const records = await openRecords({ stateDir, records: { url: undefined, schema: 'x' } })
    return {
      records,
      orchestrator: openOrchestrator({ records, steps: { do: async () => 1 }, clock, log, redisUrl: first.url }),
    }
  }
  const [asking, working] = [await open(), await open()]
  const isUp = async () => (await asking.orchestrator.redis()) === 'ok' && (await working.orchestrator.redis()) === 'ok'
  const run = async (orchestrator: Orchestrator) =>
    (
      await orchestrator.enqueue({
        environment: 'dev',
        catalog: 'c',
        kind: 'run',
        trigger: { kind: 'manual' },
        plan: { steps: [{ id: 'a', kind: 'do' }] },
      })
    ).id
  const forever = new AbortController().signal
  await until(isUp)
  // Both have subscribed once each hears the other.
  const worker = await working.orchestrator.startWorker({ workerId: 'w', concurrency: 1 })
  await sleep(50)
  const id = await run(asking.orchestrator)
  expect((await asking.orchestrator.ended(id, forever)).status).toBe('succeeded')
  expect(warnings).toEqual([])

  await first.stop()
  await until(async () => (await asking.orchestrator.redis()) === 'down' && warnings.length >= 2)
  const polled = await run(asking.orchestrator)
  await until(async () => {
    await clock.advance(1_000)
    return (await asking.orchestrator.get(polled)).status === 'succeeded'
  })
  expect(new Set(warnings)).toEqual(new Set(['redis lost']))

  const second = await startRedis({ port: first.port })
  await until(isUp)
  await sleep(50)
  const again = await run(asking.orchestrator)
  expect((await asking.orchestrator.ended(again, forever)).status).toBe('succeeded')
  await worker.stop()
  for (const { orchestrator, records } of [asking, working]) {
    await orchestrator.close()
    await records.close()
  }
  await second.stop()
  rmSync(stateDir, { recursive: true })
})

test('a Redis that was never there holds nothing up', async () => {
  const records = await openMemoryRecords()
  const orchestrator = openOrchestrator({ records, steps: {}, redisUrl: 'redis://127.0.0.1:1' })
  expect(await orchestrator.redis()).toBe('down')
  const off = openOrchestrator({ records, steps: {} })
  expect(await off.redis()).toBe('off')
  for (const one of [orchestrator, off]) await one.close()
  await records.close()
})

// A command that is done before Redis answered would never end: the client forgets a socket that is still connecting.
test('closing in any moment of the connecting leaves no connection behind', async () => {
  const silent = createServer((socket) => void socket.on('error', () => {}).resume()).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const redisUrl = `redis://127.0.0.1:${(silent.address() as AddressInfo).port}`
  const turns = () => new Promise((resolve) => setImmediate(resolve))
  const moments = [async () => {}, () => Promise.resolve(), turns, () => once(silent, 'connection'), () => sleep(20)]
  for (const moment of moments) {
    const bus = openBus({ clock: realClock, log: silentLog, redisUrl, channel: 'c' })
    await moment()
    await bus.close()
  }
  await sleep(50)
  const ended = once(silent, 'close') // when the last connection has ended
  silent.close()
  await ended
})
