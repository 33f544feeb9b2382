// Two workers on one queue, in every order their queries may meet.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { realClock } from '../base/clock.ts'
import { openMemoryRecords, type Records } from '../records/index.ts'
import { openStore, type Lease, type Store } from './store.ts'

const timing = { heartbeatMs: 10, leaseMs: 100, takeoversMax: 5 }

/** Every answer of the records waits for its turn. */
function scheduled(records: Records, scheduler: fc.Scheduler): Records {
  const catalog = records.catalog.withPlugin({
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      await scheduler.schedule(Promise.resolve())
      return result
    },
  })
  return { ...records, catalog, transaction: (work) => catalog.transaction().execute(work) }
}

const plan = { steps: [{ id: 'a', kind: 'do' }] }
const request = (catalog: string, writes = true) => ({
  environment: 'dev',
  catalog,
  kind: 'run',
  trigger: { kind: 'manual' as const },
  plan,
  writes,
})

test('no interleaving lets two workers have one run, or two writing runs of one catalog', () =>
  fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.constantFrom('x', 'y'), { minLength: 1, maxLength: 5 }),
      async (scheduler, catalogs) => {
        const records = await openMemoryRecords()
        const plain = openStore({ records, clock: realClock, timing })
        for (const catalog of catalogs) await plain.insert(request(catalog))
        const store = openStore({ records: scheduled(records, scheduler), clock: realClock, timing })
        const writing = new Map<string, Lease>()
        const done: string[] = []
        await scheduler.waitFor(Promise.all(['w1', 'w2'].map((id) => drain(store, plain, id, writing, done))))
        expect(new Set(done).size).toBe(done.length)
        // A worker goes home when it finds nothing free; what the other still had then was all that was left to it.
        const left = await plain.list({ status: ['queued', 'running'] })
        expect(done.length + left.length).toBe(catalogs.length)
        await drain(plain, plain, 'w3', writing, done)
        expect(new Set(done).size).toBe(catalogs.length)
        await records.close()
      },
    ),
    { numRuns: 40 },
  ))

async function drain(
  store: Store,
  plain: Store,
  workerId: string,
  writing: Map<string, Lease>,
  done: string[],
): Promise<void> {
  for (let lease = await store.claim(workerId); lease; lease = await store.claim(workerId)) {
    const { catalog } = await plain.get(lease.runId)
    expect(writing.get(catalog), `${catalog} has one writer`).toBeUndefined()
    writing.set(catalog, lease)
    expect(await store.startStep(lease, 'a')).toBe(1)
    await store.endStep(lease, 'a', { status: 'succeeded', output: 1 })
    done.push(lease.runId)
    writing.delete(catalog)
    await store.endRun(lease, { status: 'succeeded', failure: null })
  }
}

test('property: whatever happens, only the newest lease writes', () => {
  const action = fc.oneof(
    ...(['claim', 'release', 'takeOver', 'end'] as const).map((name) =>
      fc.record({ name: fc.constant(name), worker: fc.constantFrom('w1', 'w2', 'w3') }),
    ),
  )
  return fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 15 }), async (actions) => {
      let now = 0
      const clock = { ...realClock, now: () => now }
      const records = await openMemoryRecords()
      const store = openStore({ records, clock, timing })
      await store.insert(request('x'))
      await store.insert(request('x', false))
      const given: Lease[] = []
      const current = new Map<string, Lease>()
      const give = (lease: Lease) => {
        given.push(lease)
        current.set(lease.runId, lease)
      }
      for (const { name, worker } of actions) {
        now += 1_000 // every lease has run out
        const own = [...current.values()].find(({ workerId }) => workerId === worker)
        if (name === 'claim') {
          const lease = await store.claim(worker)
          if (lease) give(lease)
        } else if (name === 'takeOver') {
          const taken = await store.takeOver(worker)
          if (taken) give(taken.lease)
        } else if (own) {
          current.delete(own.runId)
          await (name === 'release' ? store.release(own) : store.endRun(own, { status: 'succeeded', failure: null }))
        }
        for (const lease of given) {
          const holds = await store.heartbeat(lease).then(
            () => true,
            () => false,
          )
          expect(holds).toBe(current.get(lease.runId) === lease)
        }
        now += 1_000
      }
      await records.close()
    }),
    { numRuns: 40 },
  )
})

test('no interleaving lets two workers take over one run', () =>
  fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      let now = 0
      const clock = { ...realClock, now: () => now }
      const records = await openMemoryRecords()
      const plain = openStore({ records, clock, timing })
      await plain.insert(request('x'))
      await plain.claim('dead')
      now += 1_000
      const store = openStore({ records: scheduled(records, scheduler), clock, timing })
      const taken = await scheduler.waitFor(Promise.all(['w1', 'w2'].map((id) => store.takeOver(id))))
      expect(taken.filter((one) => one !== undefined)).toHaveLength(1)
      await records.close()
    }),
    { numRuns: 40 },
  ))
