import fc from 'fast-check'
import { expect, test } from 'vitest'
import { append, commit, createTable, head, memoryFileIO, replace, rowsOf, scheduledFileIO } from './world.ts'
import { prepareAppend, type TableCommit } from '../../src/iceberg/index.ts'

/** The snapshot that was committed, or the failure. */
const outcome = (write: Promise<TableCommit>) =>
  write.then(
    ({ snapshot }) => ({ snapshot }),
    (failure: unknown) => ({ failure }),
  )

/** Runs the writers in an order that the scheduler chooses, step by step. */
const race = (
  work: (
    disk: ReturnType<typeof memoryFileIO>,
    io: ReturnType<typeof scheduledFileIO>,
    wait: <Result>(all: Promise<Result>) => Promise<Result>,
  ) => Promise<void>,
  properties = {},
) =>
  fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const disk = memoryFileIO()
      await createTable(disk, properties)
      await append(disk, 'old')
      await work(disk, scheduledFileIO(disk, scheduler), (all) => scheduler.waitFor(all))
    }),
    { numRuns: 100 },
  )

test('no interleaving of appends loses a row', () =>
  race(async (disk, io, wait) => {
    await wait(Promise.all([append(io, 'a'), append(io, 'b'), append(io, 'c')]))
    expect(await rowsOf(disk)).toEqual(['a', 'b', 'c', 'old'])
  }))

test('no interleaving of appends that merge manifests loses a row', () =>
  race(
    async (disk, io, wait) => {
      await wait(Promise.all([append(io, 'a'), append(io, 'b', 'c')]))
      expect(await rowsOf(disk)).toEqual(['a', 'b', 'c', 'old'])
    },
    { 'commit.manifest.min-count-to-merge': '2' },
  ))

test('a replace never swallows a row that was appended meanwhile', () =>
  race(async (disk, io, wait) => {
    const [appended, replaced] = await wait(Promise.all([outcome(append(io, 'a')), outcome(replace(io, 'new'))]))
    expect(appended).toHaveProperty('snapshot')
    const rows = await rowsOf(disk)
    if ('snapshot' in replaced && 'snapshot' in appended) {
      // The row may go only where the replace has seen it.
      const sawIt = replaced.snapshot.parentSnapshotId === appended.snapshot.snapshotId
      return expect(rows).toEqual(sawIt ? ['new'] : ['a', 'new'])
    }
    expect(replaced).toMatchObject({
      failure: {
        code: 'COMMIT_CONFLICT',
        message: expect.stringContaining('another writer changed the table meanwhile'),
      },
    })
    expect(rows).toEqual(['a', 'old'])
  }))

test('of replaces prepared on one snapshot, one wins', () =>
  race(async (disk, io, wait) => {
    const outcomes = await wait(Promise.all([outcome(replace(io, 'x')), outcome(replace(io, 'y'))]))
    const rows = await rowsOf(disk)
    expect(rows).toHaveLength(1)
    expect(['x', 'y']).toContain(rows[0])
    expect(outcomes.filter((one) => 'snapshot' in one).length).toBeGreaterThan(0)
  }))

test('a rebased append rewrites no manifest, and its leftovers are nobody else’s', async () => {
  const disk = memoryFileIO()
  await createTable(disk)
  await append(disk, 'old')
  const { metadata } = await head(disk)
  const prepared = await prepareAppend(disk, metadata, [{ path: '/t/data/late', recordCount: 1, fileSizeBytes: 1 }])
  await disk.create('/t/data/late', new Uint8Array())
  for (const row of ['a', 'b', 'c']) {
    const { metadata } = await head(disk)
    await prepared.on(metadata, { nowMs: 2 }) // loses the race to:
    await append(disk, row)
  }
  const mine = () =>
    [...disk.files.keys()].filter((path) => path.includes(prepared.leftovers()[0]!.replace(/^.*\/|-m0\.avro$/g, '')))
  expect(mine().filter((path) => path.includes('-m'))).toHaveLength(1)
  const committed = await commit(disk, prepared)
  const leftovers = prepared.leftovers(committed)
  expect(leftovers).toHaveLength(3) // the manifest lists of the attempts that lost
  for (const path of leftovers) await disk.delete(path)
  expect(await rowsOf(disk)).toEqual(['a', 'b', 'c', 'late', 'old'])
  expect(prepared.leftovers()).toHaveLength(5)
})
