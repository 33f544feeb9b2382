// What a change set holds, when nodes of a run write it side by side.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { realClock } from '../base/clock.ts'
import { memoryFileIO } from '../io/index.ts'
import { openRecords, type Records } from '../records/index.ts'
import { embeddedCatalog } from './embedded.ts'
import { embeddedShelf, openPublications, type PendingChange } from './publications.ts'
import { openTables } from './tables.ts'

let stateDir: string
let records: Records
beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'boathouse-publications-'))
  records = await openRecords({ stateDir, records: { url: undefined, schema: 'boathouse' } })
})
afterAll(async () => {
  await records.close()
  await rm(stateDir, { recursive: true })
})

const open = () => {
  const io = memoryFileIO()
  const catalog = embeddedCatalog(records)
  return openPublications({
    records,
    shelf: embeddedShelf(catalog),
    tables: openTables(catalog, io),
    io,
    clock: realClock,
  })
}
const pending = (name: string, location: string): PendingChange => ({
  name: { catalog: 'dev', namespace: 'main', name },
  kind: 'view',
  action: 'create',
  base: null,
  location,
  fromSnapshot: null,
  toSnapshot: null,
  appended: null,
  commit: null,
})
const held = (all: readonly PendingChange[]) =>
  Object.fromEntries(all.map(({ name, location }) => [name.name, location]))

const step = fc.record({
  name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  does: fc.constantFrom('put' as const, 'put' as const, 'forget' as const),
  after: fc.nat({ max: 6 }),
})

test('nothing that a node put is lost by what others put or take back at the same time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 14 }), async (steps) => {
      const publications = open()
      const id = await publications.open({ catalog: 'dev' })
      const expected: Record<string, string> = {}
      // Steps of one name are one node's: they follow each other. Names are written side by side.
      await Promise.all(
        [...Map.groupBy(steps, ({ name }) => name)].map(async ([name, own]) => {
          for (const [index, { does, after }] of own.entries()) {
            for (let turn = 0; turn < after; turn++) await Promise.resolve()
            const location = `${name}${index}`
            if (does === 'put') await publications.put(id, pending(name, location))
            else await publications.forget(id, [pending(name, location).name])
            if (does === 'put') expected[name] = location
            else delete expected[name]
            const seen = await publications.change(id, pending(name, location).name)
            expect(seen?.location, `${name} after its step ${index}`).toBe(does === 'put' ? location : undefined)
          }
        }),
      )
      expect(held(await publications.changes(id))).toEqual(expected)
      expect(held(await open().changes(id)), 'as another process finds it').toEqual(expected)
    }),
    { numRuns: 150 },
  )
})

test('a set has one entry for a table, however its writes spell it', async () => {
  const publications = open()
  const id = await publications.open({ catalog: 'dev' })
  await publications.put(id, pending('Orders', 'first'))
  await publications.put(id, pending('ORDERS', 'second'))
  for (const process of [publications, open()]) expect(held(await process.changes(id))).toEqual({ Orders: 'second' })
})
