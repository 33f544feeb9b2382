// Every kind of change, with a crash at each of its steps; and every pair of them at the same time, in orders that
// fast-check's scheduler chooses. What is left is always what some order of the changes that succeeded would leave.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crashingFileIO, memoryFileIO, scheduledFileIO } from '../../src/io/index.ts'
import { changes, liveRows, startRows, startTable, type Change } from './changes.ts'

const versions = [2, 3] as const
const all = Object.entries(changes)

describe.each(versions)('format version %i', (version) => {
  test.each(all)(
    'a crash at any step of %s leaves the old rows or the new ones; it can be done again',
    async (_, change) => {
      const done = [...change.after(startRows, 'x')].sort()
      for (const when of ['before', 'after'] as const)
        for (let step = 0; ; step++) {
          const disk = memoryFileIO()
          await startTable(disk, version)
          const finished = await change.run(crashingFileIO(disk, { step, when }), 'x').then(
            () => true,
            () => false,
          )
          const rows = await liveRows(disk)
          expect([startRows, done], `step ${step}`).toContainEqual(rows)
          if (!finished) {
            // Whoever is told that it failed, and finds the old rows, does it again under another name.
            if (String(rows) === String(startRows)) await change.run(disk, 'y')
            expect([done, [...change.after(startRows, 'y')].sort()]).toContainEqual(await liveRows(disk))
            continue
          }
          expect(rows).toEqual(done)
          expect(step).toBeGreaterThan(5)
          break
        }
    },
  )

  // Version 3 writes deletes down in another way; without them nothing of a pair is different.
  const pairs = all
    .flatMap(([one, first], at) => all.slice(at).map(([other, second]) => ({ one, other, first, second })))
    .filter(({ one, other }) => version === 2 || [one, other].some((name) => name.startsWith('merge-on-read')))
  test.each(pairs)('$one and $other at the same time are as one after the other', async ({ first, second }) => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const disk = memoryFileIO()
        await startTable(disk, version)
        const io = scheduledFileIO(disk, scheduler)
        const works: [Change, string][] = [
          [first, 'x'],
          [second, 'y'],
        ]
        const outcomes = await scheduler.waitFor(Promise.allSettled(works.map(([change, tag]) => change.run(io, tag))))
        const won = works.filter((_, at) => outcomes[at]!.status === 'fulfilled')
        expect(won.length).toBeGreaterThan(0)
        for (const outcome of outcomes)
          if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'COMMIT_CONFLICT' })
        const orders = [won, won.toReversed()].map((order) =>
          [...order.reduce((rows: readonly string[], [change, tag]) => change.after(rows, tag), startRows)].sort(),
        )
        expect(orders).toContainEqual(await liveRows(disk))
      }),
      { numRuns: process.env['SOAK'] ? 500 : 4 },
    )
  })
})
