import { expect, test } from 'vitest'
import { memoryFileIO, type MemoryFileIO } from '../io/index.ts'
import { readManifest, readManifestList } from './manifest.ts'
import { newTableMetadata } from './metadata.ts'
import type { FormatVersion, TableMetadata } from './metadata-types.ts'
import { prepareRewriteManifests, type RewriteManifestsOptions } from './rewrite-manifests.ts'
import { planScan } from './scan.ts'
import { snapshotAsOf } from './snapshot.ts'
import { applyUpdates } from './update.ts'
import type { PreparedWrite } from './work.ts'
import { prepareAppend } from './write.ts'

const table = (formatVersion: FormatVersion) =>
  newTableMetadata({
    uuid: 'u',
    location: '/t',
    nowMs: 1,
    formatVersion,
    schema: [{ name: 'id', type: { kind: 'long' } }],
    spec: [{ column: 'id', transform: { kind: 'identity' } }],
  })

async function commit(metadata: TableMetadata, prepared: PreparedWrite): Promise<TableMetadata> {
  return applyUpdates(metadata, (await prepared.on(metadata, { nowMs: 2 })).updates, { nowMs: 2 })
}
const append = async (io: MemoryFileIO, metadata: TableMetadata, ...ids: bigint[]) =>
  commit(
    metadata,
    await prepareAppend(
      io,
      metadata,
      ids.map((id) => ({
        path: `/t/data/${id}-${metadata.snapshots.length}`,
        recordCount: 10,
        fileSizeBytes: 1,
        partition: [id],
      })),
    ),
  )
const rewrite = async (io: MemoryFileIO, metadata: TableMetadata, options: RewriteManifestsOptions = {}) =>
  (await prepareRewriteManifests(io, metadata, options))!
const manifests = async (io: MemoryFileIO, metadata: TableMetadata) => {
  const list = await readManifestList(io, metadata, snapshotAsOf(metadata)!)
  return Promise.all(list.map(async (manifest) => ({ manifest, entries: await readManifest(io, metadata, manifest) })))
}
/** What must not change: which files, whose, since when, with which row ids. */
const seen = async (io: MemoryFileIO, metadata: TableMetadata) =>
  (await planScan(io, metadata)).files
    .map(({ path, sequenceNumber, fileSequenceNumber, snapshotId, file }) =>
      [path, sequenceNumber, fileSequenceNumber, snapshotId, file.firstRowId].join(' '),
    )
    .sort()

test.each([1, 2, 3] as const)(
  'version %i: the same files by partition, with their numbers and row ids',
  async (version) => {
    const io = memoryFileIO()
    let metadata = table(version)
    for (let at = 0; at < 6; at++) metadata = await append(io, metadata, 1n, 2n, 3n)
    const before = await seen(io, metadata)
    const after = await commit(metadata, await rewrite(io, metadata))
    expect(await seen(io, after)).toEqual(before)
    const [one, ...more] = await manifests(io, after)
    expect(more).toEqual([])
    expect(one!.entries.map(({ file }) => file.partition[0])).toEqual([1n, 2n, 3n].flatMap((id) => Array(6).fill(id)))
    expect(one!.entries.every(({ status }) => status === 'existing')).toBe(true)
    expect(snapshotAsOf(after)!.summary).toMatchObject({
      operation: 'replace',
      'manifests-created': '1',
      'manifests-replaced': '6',
      'entries-processed': '18',
      'total-records': '180',
    })
    expect(await prepareRewriteManifests(io, after)).toBeUndefined()
  },
)

test('small targets: each manifest holds few partitions, so that a query opens few', async () => {
  const io = memoryFileIO()
  let metadata = table(2)
  for (let at = 0; at < 4; at++) metadata = await append(io, metadata, 1n, 2n, 3n, 4n)
  const { manifest } = (await manifests(io, metadata))[0]!
  const after = await commit(metadata, await rewrite(io, metadata, { targetBytes: manifest.sizeBytes, all: true }))
  const all = await manifests(io, after)
  expect(all).toHaveLength(4)
  for (const { entries } of all) expect(new Set(entries.map(({ file }) => file.partition[0])).size).toBe(1)
})

test('files are listed by the fields that are named first', async () => {
  const io = memoryFileIO()
  const [id, kind] = [
    { name: 'id', type: { kind: 'long' } } as const,
    { name: 'kind', type: { kind: 'string' } } as const,
  ]
  let metadata = newTableMetadata({
    uuid: 'u',
    location: '/t',
    nowMs: 1,
    schema: [id, kind],
    spec: [id, kind].map(({ name }) => ({ column: name, transform: { kind: 'identity' } })),
  })
  for (const partition of [
    [1n, 'b'],
    [2n, 'a'],
    [1n, 'a'],
    [2n, 'b'],
  ]) {
    const file = { path: `/t/data/${partition.join('')}`, recordCount: 1, fileSizeBytes: 1, partition }
    metadata = await commit(metadata, await prepareAppend(io, metadata, [file]))
  }
  const sorted = async (sortBy: string[]) => {
    const after = await commit(metadata, await rewrite(io, metadata, { all: true, sortBy }))
    return (await manifests(io, after))[0]!.entries.map(({ file }) => file.partition.join(''))
  }
  expect(await sorted([])).toEqual(['1a', '1b', '2a', '2b'])
  expect(await sorted(['kind'])).toEqual(['1a', '2a', '1b', '2b'])
  await expect(sorted(['none'])).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: '"none" is no partition field of the spec 0',
  })
})

test('an append meanwhile stays; a rewrite meanwhile is a conflict', async () => {
  const io = memoryFileIO()
  let metadata = table(2)
  for (let at = 0; at < 3; at++) metadata = await append(io, metadata, 1n)
  const [mine, theirs] = [await rewrite(io, metadata), await rewrite(io, metadata)]
  const appended = await append(io, metadata, 9n)
  const after = await commit(appended, mine)
  expect((await planScan(io, after)).files).toHaveLength(4)
  await expect(theirs.on(after, { nowMs: 3 })).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' })
  for (const path of theirs.leftovers()) await io.delete(path)
  expect((await planScan(io, after)).files).toHaveLength(4)
})
