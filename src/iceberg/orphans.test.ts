import { expect, test } from 'vitest'
import { memoryFileIO, type MemoryFileIO } from '../io/index.ts'
import { newTableMetadata } from './metadata.ts'
import type { TableMetadata } from './metadata-types.ts'
import { orphanFiles, tableFolders, type OrphanOptions } from './orphans.ts'
import { applyUpdates } from './update.ts'
import { prepareAppend } from './write.ts'

const dayMs = 86_400_000
const table = (properties: Record<string, string> = {}, location = '/t') =>
  newTableMetadata({ uuid: 'u', location, nowMs: 1, schema: [{ name: 'id', type: { kind: 'long' } }], properties })

async function append(io: MemoryFileIO, metadata: TableMetadata, ...paths: string[]): Promise<TableMetadata> {
  for (const path of paths) await io.create(path, new Uint8Array(1))
  const files = paths.map((path) => ({ path, recordCount: 1, fileSizeBytes: 1 }))
  const { updates } = await (await prepareAppend(io, metadata, files)).on(metadata, { nowMs: 2 })
  return applyUpdates(metadata, updates, { nowMs: 2 })
}

const orphans = async (io: MemoryFileIO, roots: TableMetadata[], more: Partial<OrphanOptions> = {}) =>
  (
    await Array.fromAsync(
      orphanFiles(io, {
        roots: async () => roots.map((metadata) => ({ metadata })),
        folders: ['/t'],
        nowMs: 10 * dayMs,
        ...more,
      }),
    )
  )
    .map(({ path }) => path)
    .sort()

test('what no root reaches is an orphan, however many batches it takes', async () => {
  const io = memoryFileIO()
  const metadata = await append(io, table(), '/t/data/a', '/t/data/b')
  for (const path of ['/t/data/lost', '/t/metadata/old.json', '/t/x/y/z', '/elsewhere/data/a'])
    await io.create(path, new Uint8Array(1))
  const expected = ['/t/data/lost', '/t/metadata/old.json', '/t/x/y/z']
  for (const batchFiles of [1, 2, 100]) expect(await orphans(io, [metadata], { batchFiles })).toEqual(expected)
})

test('files of forks and of open change sets are none', async () => {
  const io = memoryFileIO()
  const base = await append(io, table(), '/t/data/a')
  const fork = await append(io, base, '/t/data/only-in-the-fork')
  expect(await orphans(io, [base, fork])).toEqual([])
  expect(await orphans(io, [base])).toContain('/t/data/only-in-the-fork')
})

test('young files stay; asking for less than a day needs force', async () => {
  const io = memoryFileIO()
  const metadata = await append(io, table(), '/t/data/a')
  await io.create('/t/data/being-written', new Uint8Array(1))
  expect(await orphans(io, [metadata], { nowMs: 2 * dayMs })).toEqual([])
  const soon = { nowMs: 1000, olderThanMs: 0 }
  await expect(orphans(io, [metadata], soon)).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  expect(await orphans(io, [metadata], { ...soon, force: true })).toEqual(['/t/data/being-written'])
})

test('a commit between the listing and the deletion is seen', async () => {
  const io = memoryFileIO()
  let metadata = await append(io, table(), '/t/data/a')
  await io.create('/t/data/late', new Uint8Array(1))
  const roots = async () => [{ metadata: (metadata = await append(io, metadata, '/t/data/late')) }]
  const found = orphanFiles(io, { roots, folders: ['/t'], nowMs: 10 * dayMs })
  expect(await Array.fromAsync(found)).toEqual([])
})

test('a root that cannot be read whole: nothing is an orphan', async () => {
  const io = memoryFileIO()
  const metadata = await append(io, table(), '/t/data/a')
  await io.create('/t/data/lost', new Uint8Array(1))
  await io.delete(metadata.snapshots[0]!.manifestList!)
  await expect(orphans(io, [metadata])).rejects.toMatchObject({ code: 'METADATA_INVALID' })
})

test('spellings of one place are equal; doubtful ones are asked about', async () => {
  const io = memoryFileIO()
  const plain = await append(io, table(), '/t/data/a', '/t/data/b')
  expect(await orphans(io, [plain], { folders: ['file:///t'] })).toEqual([])
  const store = memoryFileIO()
  const metadata = await append(store, table({}, 's3a://one/t'), 's3a://one/t/data/a')
  const other = (await Array.fromAsync(store.list('s3a://one/t'))).map(({ path }) => path)
  expect(other.length).toBeGreaterThan(2)
  const at = (folder: string, more: Partial<OrphanOptions> = {}) =>
    orphans(renamed(store, folder), [metadata], { folders: [folder], ...more })
  expect(await at('s3://one/t')).toEqual([])
  await expect(at('s3://two/t')).rejects.toThrow('looks like an orphan')
  await expect(at('oss://one/t')).rejects.toThrow('looks like an orphan')
  expect(await at('oss://one/t', { equalSchemes: { oss: 's3' } })).toEqual([])
  expect(await at('s3://two/t', { equalAuthorities: { two: 'one' } })).toEqual([])
  expect(await at('s3://two/t', { onMismatch: 'ignore' })).toEqual([])
  expect(await at('s3://two/t', { onMismatch: 'delete' })).toHaveLength(other.length)
})

/** Lists the same files under another prefix, as a store does that is reached by two names. */
const renamed = (io: MemoryFileIO, folder: string): MemoryFileIO => ({
  ...io,
  async *list() {
    for await (const file of io.list('s3a://one/t')) yield { ...file, path: file.path.replace('s3a://one/t', folder) }
  },
})

test('the folders of a table: its location and those that properties put outside of it', () => {
  expect(tableFolders(table())).toEqual(['/t'])
  expect(tableFolders(table({ 'write.data.path': '/d/', 'write.metadata.path': '/t/meta' }))).toEqual(['/t', '/d'])
})
