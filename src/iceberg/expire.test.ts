import fc from 'fast-check'
import { expect, test } from 'vitest'
import { memoryFileIO, type FileIO, type MemoryFileIO } from '../io/index.ts'
import {
  expirePlan,
  droppedMetadataFiles,
  unreachableFiles,
  unusedMetadataUpdates,
  type ExpireOptions,
} from './expire.ts'
import { newTableMetadata } from './metadata.ts'
import type { TableMetadata, TableUpdate } from './metadata-types.ts'
import { reachableFiles } from './reachable.ts'
import { planScan } from './scan.ts'
import { applyUpdates } from './update.ts'
import { prepareAppend, prepareReplace } from './write.ts'

const dayMs = 86_400_000
const table = (properties: Record<string, string> = {}) =>
  newTableMetadata({
    uuid: 'u',
    location: '/t',
    nowMs: 0,
    schema: [{ name: 'id', type: { kind: 'long' } }],
    properties,
  })

async function write(
  io: MemoryFileIO,
  metadata: TableMetadata,
  nowMs: number,
  name: string,
  { branch = 'main', replace = false } = {},
): Promise<TableMetadata> {
  await io.create(`/t/data/${name}`, new Uint8Array(1))
  const files = [{ path: `/t/data/${name}`, recordCount: 1, fileSizeBytes: 1 }]
  const prepared = await (replace ? prepareReplace : prepareAppend)(io, metadata, files, { branch })
  return applyUpdates(metadata, (await prepared.on(metadata, { nowMs })).updates, { nowMs })
}
const update = (metadata: TableMetadata, ...updates: TableUpdate[]) =>
  applyUpdates(metadata, updates, { nowMs: metadata.lastUpdatedMs })
const ref = (refName: string, snapshotId: bigint, more = {}): TableUpdate => ({
  action: 'set-snapshot-ref',
  refName,
  ref: { type: 'tag', snapshotId, ...more },
})

/** A table with one append a day, from day 1 to `days`. */
async function daily(io: MemoryFileIO, days: number, properties: Record<string, string> = {}): Promise<TableMetadata> {
  let metadata = table(properties)
  for (let day = 1; day <= days; day++) metadata = await write(io, metadata, day * dayMs, `d${day}`)
  return metadata
}
const daysOf = (snapshots: readonly { timestampMs: number }[]) =>
  snapshots.map(({ timestampMs }) => timestampMs / dayMs)

const cases: [string, ExpireOptions, Record<string, string>, number[]][] = [
  ['five days are kept by default', {}, {}, [1, 2, 3, 4]],
  ['an age', { olderThanMs: 9 * dayMs }, {}, [1, 2, 3, 4, 5, 6, 7, 8]],
  ['a count wins over the age', { olderThanMs: 99 * dayMs, retainLast: 3 }, {}, [1, 2, 3, 4, 5, 6, 7]],
  ['the last one always stays', { olderThanMs: 99 * dayMs }, {}, [1, 2, 3, 4, 5, 6, 7, 8, 9]],
  ['the table’s own age', {}, { 'history.expire.max-snapshot-age-ms': String(2 * dayMs) }, [1, 2, 3, 4, 5, 6, 7]],
  ['the table’s own count', { olderThanMs: 99 * dayMs }, { 'history.expire.min-snapshots-to-keep': '8' }, [1, 2]],
  ['a property that is no number is no policy', {}, { 'history.expire.max-snapshot-age-ms': 'soon' }, [1, 2, 3, 4]],
]
test.each(cases)('%s', async (_, options, properties, expired) => {
  const metadata = await daily(memoryFileIO(), 10, properties)
  const plan = expirePlan(metadata, options, 10 * dayMs)
  expect(daysOf(plan.snapshots)).toEqual(expired)
  expect(plan.refs).toEqual([])
})

test('given ids go alone, and not while a ref holds them', async () => {
  const metadata = await daily(memoryFileIO(), 10)
  const ids = metadata.snapshots.map(({ snapshotId }) => snapshotId)
  const plan = (snapshotIds: bigint[], of = metadata) => expirePlan(of, { snapshotIds, onlyGivenIds: true }, 99 * dayMs)
  expect(daysOf(plan([ids[2]!, ids[7]!]).snapshots)).toEqual([3, 8])
  expect(() => plan([ids[9]!])).toThrow('"main" refers to it')
  expect(() => plan([ids[2]!], update(metadata, ref('q1', ids[2]!)))).toThrow('"q1" refers to it')
  expect(() => plan([1n])).toThrow('there is no snapshot 1')
})

test('refs keep what they say: tags their snapshot, branches their age and count; old ones go', async () => {
  const io = memoryFileIO()
  let metadata = await daily(io, 10)
  const ids = metadata.snapshots.map(({ snapshotId }) => snapshotId)
  metadata = update(
    metadata,
    ref('kept', ids[1]!),
    ref('old', ids[3]!, { maxRefAgeMs: 3 * dayMs }),
    ref('young', ids[7]!, { maxRefAgeMs: 3 * dayMs }),
    ref('audit', ids[5]!, { type: 'branch', minSnapshotsToKeep: 2 }),
    ref('aged', ids[8]!, { type: 'branch', maxSnapshotAgeMs: 5 * dayMs }),
  )
  const plan = expirePlan(metadata, { olderThanMs: 99 * dayMs }, 10 * dayMs)
  expect(plan.refs).toEqual(['old'])
  expect(daysOf(plan.snapshots)).toEqual([1, 3, 4])
  const after = applyUpdates(metadata, plan.updates, { nowMs: 10 * dayMs })
  expect(Object.keys(after.refs).sort()).toEqual(['aged', 'audit', 'kept', 'main', 'young'])
  expect(plan.requirements).toHaveLength(1 + 6)
  const empty = newTableMetadata({ uuid: 'u', location: '/t', nowMs: 1, schema: [] })
  expect(expirePlan(empty, {}, 1).requirements).toContainEqual({
    type: 'assert-ref-snapshot-id',
    ref: 'main',
    snapshotId: undefined,
  })
})

test('a snapshot of no branch counts by its age alone', async () => {
  const io = memoryFileIO()
  const three = await daily(io, 3)
  const back = update(three, ref('main', three.snapshots[0]!.snapshotId, { type: 'branch' }))
  const expiredAt = (olderThanMs: number) => daysOf(expirePlan(back, { olderThanMs }, 3 * dayMs).snapshots)
  expect(expiredAt(3 * dayMs)).toEqual([2])
  expect(expiredAt(4 * dayMs)).toEqual([2, 3])
})

test('replaced files, their manifests and lists go; shared ones and those of others stay', async () => {
  const io = memoryFileIO()
  const one = await write(io, table(), 1, 'a')
  const two = await write(io, one, 2, 'b')
  const three = await write(io, two, 3, 'c', { replace: true })
  const after = applyUpdates(three, expirePlan(three, { olderThanMs: 9 }, 9).updates, { nowMs: 9 })
  const gone = await Array.fromAsync(unreachableFiles(io, three, after))
  expect(gone.filter(({ kind }) => kind === 'data').map(({ path }) => path)).toEqual(['/t/data/a', '/t/data/b'])
  expect(gone.map(({ kind }) => kind)).toEqual('data data manifest manifest manifest-list manifest-list'.split(' '))
  // An environment that was forked before the replace still reads both.
  expect(await Array.fromAsync(unreachableFiles(io, three, after, { others: [two] }))).toEqual(
    [{ kind: 'manifest-list', path: one.snapshots[0]!.manifestList }].filter(
      ({ path }) => !two.snapshots.some(({ manifestList }) => manifestList === path),
    ),
  )
})

test('missing files of what is expired are passed over; of what is kept they stop the work', async () => {
  const io = memoryFileIO()
  const one = await write(io, table(), 1, 'a')
  const two = await write(io, one, 2, 'b', { replace: true })
  const after = applyUpdates(two, expirePlan(two, { olderThanMs: 9 }, 9).updates, { nowMs: 9 })
  await io.delete(one.snapshots[0]!.manifestList!)
  expect((await Array.fromAsync(unreachableFiles(io, two, after))).map(({ kind }) => kind)).toEqual(['manifest-list'])
  await io.delete(two.snapshots[1]!.manifestList!)
  await expect(Array.fromAsync(unreachableFiles(io, two, after))).rejects.toMatchObject({ code: 'METADATA_INVALID' })
})

test('files are read side by side, a few ahead, and come in their order', async () => {
  const files = memoryFileIO()
  const metadata = await daily(files, 30)
  let [reading, most] = [0, 0]
  const io: FileIO = {
    ...files,
    async read(path, signal) {
      most = Math.max(most, ++reading)
      await new Promise((resolve) => setImmediate(resolve))
      reading--
      return files.read(path, signal)
    },
  }
  const found = await Array.fromAsync(reachableFiles(io, [{ metadata }]))
  const lists = metadata.snapshots.map(({ manifestList }) => manifestList)
  expect(found.flatMap(({ kind, path }) => (kind === 'manifest-list' ? [path] : []))).toEqual(lists)
  expect(new Set(found.map(({ path }) => path)).size).toBe(found.length)
  expect(most).toBeGreaterThan(4)
  expect(most).toBeLessThan(20)
})

test('schemas and specs that nothing uses any more', async () => {
  const io = memoryFileIO()
  let metadata = await write(io, table(), 1, 'a')
  metadata = update(
    metadata,
    {
      action: 'add-spec',
      spec: { specId: -1, fields: [{ sourceIds: [1], fieldId: 1000, name: 'id', transform: { kind: 'identity' } }] },
    },
    {
      action: 'add-schema',
      schema: {
        schemaId: -1,
        identifierFieldIds: [],
        fields: [{ id: 1, name: 'key', required: false, type: { kind: 'long' } }],
      },
    },
    { action: 'set-current-schema', schemaId: -1 },
  )
  expect(await unusedMetadataUpdates(io, metadata)).toEqual([{ action: 'remove-partition-specs', specIds: [1] }])
  const alone = { ...metadata, snapshots: [], refs: {}, currentSnapshotId: undefined }
  expect(await unusedMetadataUpdates(io, alone)).toEqual([
    { action: 'remove-partition-specs', specIds: [1] },
    { action: 'remove-schemas', schemaIds: [0] },
  ])
})

test('metadata files that fell out of the log', () => {
  const log = (...names: string[]) => ({
    ...table(),
    metadataLog: names.map((metadataFile) => ({ metadataFile, timestampMs: 1 })),
  })
  expect(droppedMetadataFiles(log('a', 'b', 'c'), log('c', 'd'))).toEqual(['a', 'b'])
})

// --- the law: whatever the history, what is kept is whole, and what is not kept is gone

type Step = { kind: 'append' | 'replace' | 'branch' | 'tag' | 'rollback' | 'drop-ref'; on: number; at: number }
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('append', 'append', 'append', 'replace', 'branch', 'tag', 'rollback', 'drop-ref'),
  on: fc.nat(2),
  at: fc.nat(9),
})

async function play(io: MemoryFileIO, steps: readonly Step[]): Promise<TableMetadata> {
  let metadata = await write(io, table(), 1, 'first')
  for (const [index, { kind, on, at }] of steps.entries()) {
    const snapshot = metadata.snapshots[at % metadata.snapshots.length]!
    const branches = Object.keys(metadata.refs).filter((name) => metadata.refs[name]!.type === 'branch')
    const branch = branches[on % branches.length]!
    const nowMs = 2 + index
    if (kind === 'append' || kind === 'replace')
      metadata = await write(io, metadata, nowMs, `f${index}`, { branch, replace: kind === 'replace' })
    else if (kind === 'branch' || kind === 'tag')
      metadata = update(metadata, ref(`${kind}${on}`, snapshot.snapshotId, { type: kind }))
    else if (kind === 'rollback') metadata = update(metadata, ref(branch, snapshot.snapshotId, { type: 'branch' }))
    else if (branch !== 'main') metadata = update(metadata, { action: 'remove-snapshot-ref', refName: branch })
  }
  return metadata
}

const names = async (io: MemoryFileIO, metadata: TableMetadata) =>
  new Map(
    await Promise.all(
      metadata.snapshots.map(
        async ({ snapshotId }) =>
          [snapshotId, (await planScan(io, metadata, { snapshotId })).files.map(({ path }) => path).sort()] as const,
      ),
    ),
  )

test('no history loses a file that a kept snapshot reaches, and none keeps one that nothing reaches', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 14 }),
      fc.nat(16),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 5 }),
      async (steps, olderThanMs, retainLast, batchFiles) => {
        const io = memoryFileIO()
        const before = await play(io, steps)
        const rows = await names(io, before)
        const plan = expirePlan(before, { olderThanMs, retainLast }, 99)
        const after = applyUpdates(before, plan.updates, { nowMs: 99 })
        const gone = await Array.fromAsync(unreachableFiles(io, before, after, { batchFiles }))
        for (const { path } of gone) await io.delete(path)

        for (const { path } of await Array.fromAsync(reachableFiles(io, [{ metadata: after }])))
          expect(await io.stat(path), path).toBeDefined()
        for (const [id, paths] of await names(io, after)) expect(paths).toEqual(rows.get(id))
        for (const { snapshotId } of Object.values(after.refs))
          expect(after.snapshots.map((one) => one.snapshotId)).toContain(snapshotId)
        // Everything else on storage was reachable before only through what is gone: nothing is left of it.
        const reached = new Set(
          (await Array.fromAsync(reachableFiles(io, [{ metadata: after }]))).map(({ path }) => path),
        )
        expect(new Set(gone.map(({ path }) => path)).size).toBe(gone.length)
        expect([...io.files.keys()].filter((path) => !reached.has(path))).toEqual([])
      },
    ),
    { numRuns: 150 },
  ))
