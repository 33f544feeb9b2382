// Every step of a commit is tried as the last one. `after` is the case in which the commit happened and the caller was
// told that it failed.

import { expect, test } from 'vitest'
import { append, crashingFileIO, createTable, memoryFileIO, replace, rowsOf } from './world.ts'

const writes = { append, replace }
const results = { append: ['new', 'old'], replace: ['new'] }

for (const write of ['append', 'replace'] as const)
  for (const when of ['before', 'after'] as const)
    test(`a crash ${when} any step of a ${write} leaves the old table or the new one, and it goes on`, async () => {
      for (let step = 0; ; step++) {
        const disk = memoryFileIO()
        await createTable(disk)
        await append(disk, 'old')
        const finished = await writes[write](crashingFileIO(disk, { step, when }), 'new').then(
          () => true,
          () => false,
        )
        const rows = await rowsOf(disk)
        expect([['old'], results[write]]).toContainEqual(rows)
        await append(disk, 'next')
        expect(await rowsOf(disk)).toEqual([...rows, 'next'].sort())
        if (!finished) continue
        expect(rows).toEqual(results[write])
        expect(step).toBeGreaterThan(8)
        return
      }
    })

for (const fault of ['ENOSPC', 'EIO'] as const)
  for (const when of ['before', 'after'] as const)
    test(`${fault} ${when} any step fails with its cause, and the table is the old one or the new one`, async () => {
      for (let step = 0; ; step++) {
        const disk = memoryFileIO()
        await createTable(disk)
        await append(disk, 'old')
        const failing = crashingFileIO(disk, { step, when, fault })
        const failure: unknown = await append(failing, 'new').then(
          () => undefined,
          (error: unknown) => error,
        )
        expect([['old'], ['new', 'old']]).toContainEqual(await rowsOf(disk))
        if (failing.steps <= step) return
        expect(failure).toMatchObject({ code: 'STORAGE_FAILED', message: expect.stringContaining(fault) })
      }
    })

test('a slow step only takes longer', async () => {
  const disk = memoryFileIO()
  await createTable(disk)
  await append(crashingFileIO(disk, { step: 3, when: 'before', fault: 'slow', slowMs: 1 }), 'a')
  expect(await rowsOf(disk)).toEqual(['a'])
})
