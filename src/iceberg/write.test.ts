import { expect, test } from 'vitest'
import { memoryFileIO, type MemoryFileIO } from '../io/index.ts'
import { readAvro } from './avro.ts'
import { encodeManifestList, lowerBound, readManifest, readManifestList, upperBound } from './manifest.ts'
import type { NewDataFile } from './manifest-types.ts'
import { currentSchema, newTableMetadata } from './metadata.ts'
import type { TableMetadata } from './metadata-types.ts'
import { planScan } from './scan.ts'
import { findField, schemaForReplace } from './schema.ts'
import type { NewField } from './types.ts'
import { applyUpdates, checkRequirements } from './update.ts'
import type { PreparedWrite } from './work.ts'
import { prepareAppend, prepareReplace } from './write.ts'

const columns: NewField[] = [
  { name: 'id', type: { kind: 'long' } },
  { name: 'name', type: { kind: 'string' } },
  { name: 'x', type: { kind: 'double' } },
  { name: 'tags', type: { kind: 'list', elementId: 0, elementRequired: false, element: { kind: 'long' } } },
]
const table = (properties: Record<string, string> = {}, more: Partial<Parameters<typeof newTableMetadata>[0]> = {}) =>
  newTableMetadata({ uuid: 'u', location: '/t', nowMs: 1000, schema: columns, properties, ...more })
const file = (name: string, more: Partial<NewDataFile> = {}): NewDataFile => ({
  path: `/t/data/${name}`,
  recordCount: 10,
  fileSizeBytes: 100,
  ...more,
})

async function commit(
  metadata: TableMetadata,
  prepared: PreparedWrite | Promise<PreparedWrite>,
  nowMs = 2000,
): Promise<TableMetadata> {
  const change = await (await prepared).on(metadata, { nowMs })
  checkRequirements(metadata, change.requirements)
  return applyUpdates(metadata, change.updates, { nowMs })
}
const names = async (io: MemoryFileIO, metadata: TableMetadata, snapshotId?: bigint) =>
  (await planScan(io, metadata, { snapshotId })).files.map(({ path }) => path.split('/').at(-1)).sort()
const current = (metadata: TableMetadata) =>
  metadata.snapshots.find(({ snapshotId }) => snapshotId === metadata.currentSnapshotId)!

test('appends and replaces: files, numbers and counters of each snapshot', async () => {
  const io = memoryFileIO()
  const one = await commit(table(), prepareAppend(io, table(), [file('a'), file('b')], { summary: { cursor: '7' } }))
  expect(current(one)).toMatchObject({
    sequenceNumber: 1n,
    timestampMs: 2000,
    schemaId: 0,
    summary: {
      operation: 'append',
      'added-data-files': '2',
      'added-records': '20',
      'added-files-size': '200',
      'changed-partition-count': '1',
      'total-data-files': '2',
      'total-records': '20',
      'total-files-size': '200',
      'total-delete-files': '0',
      cursor: '7',
    },
  })
  const two = await commit(one, prepareAppend(io, one, [file('c')]), 1500) // a clock that is behind
  expect(current(two)).toMatchObject({
    sequenceNumber: 2n,
    timestampMs: 2000,
    parentSnapshotId: one.currentSnapshotId,
    summary: { 'total-records': '30' },
  })
  const three = await commit(two, prepareReplace(io, two, [file('d')]))
  expect(current(three).summary).toEqual({
    operation: 'overwrite',
    'added-data-files': '1',
    'deleted-data-files': '3',
    'added-records': '10',
    'deleted-records': '30',
    'added-files-size': '100',
    'removed-files-size': '300',
    'changed-partition-count': '1',
    'total-data-files': '1',
    'total-delete-files': '0',
    'total-records': '10',
    'total-files-size': '100',
    'total-position-deletes': '0',
    'total-equality-deletes': '0',
  })
  expect(await names(io, three)).toEqual(['d'])
  expect(await names(io, three, two.currentSnapshotId)).toEqual(['a', 'b', 'c'])
  expect(await names(io, three, one.currentSnapshotId)).toEqual(['a', 'b'])
  // What went is said once: the next commit drops manifests of which nothing lives.
  expect(await readManifestList(io, three, current(three))).toHaveLength(3)
  const four = await commit(three, prepareAppend(io, three, [file('e')]))
  expect(await readManifestList(io, four, current(four))).toHaveLength(2)
  expect(await names(io, four)).toEqual(['d', 'e'])
})

test('an append of nothing is a snapshot all the same: it may carry a cursor', async () => {
  const io = memoryFileIO()
  const metadata = await commit(table(), prepareAppend(io, table(), [], { summary: { cursor: '8' } }))
  expect(current(metadata).summary).toMatchObject({ operation: 'append', cursor: '8', 'total-records': '0' })
  expect(await names(io, metadata)).toEqual([])
})

test('the first replace of an empty table is an append', async () => {
  const io = memoryFileIO()
  expect(current(await commit(table(), prepareReplace(io, table(), [file('a')]))).summary.operation).toBe('append')
})

test('entries: who added what, and the numbers they inherit', async () => {
  const io = memoryFileIO()
  const one = await commit(table(), prepareAppend(io, table(), [file('a')]))
  const two = await commit(one, prepareReplace(io, one, [file('b')]))
  const entries = await Promise.all(
    (await readManifestList(io, two, current(two))).map((manifest) => readManifest(io, two, manifest)),
  )
  expect(
    entries
      .flat()
      .map(({ status, snapshotId, sequenceNumber, fileSequenceNumber, file }) => [
        file.path,
        status,
        snapshotId,
        sequenceNumber,
        fileSequenceNumber,
      ]),
  ).toEqual([
    ['/t/data/b', 'added', two.currentSnapshotId, 2n, 2n],
    ['/t/data/a', 'deleted', two.currentSnapshotId, 1n, 1n],
  ])
})

test('a replace changes the schema in the same commit', async () => {
  const io = memoryFileIO()
  const one = await commit(table(), prepareAppend(io, table(), [file('a')]))
  const schema = schemaForReplace(one, [
    { name: 'name', type: { kind: 'string' } },
    { name: 'new', type: { kind: 'int' } },
  ])
  const two = await commit(one, prepareReplace(io, one, [file('b', { lower: new Map([[6, 5]]) })], { schema }))
  expect(currentSchema(two).fields.map(({ name, id }) => [name, id])).toEqual([
    ['name', 2],
    ['new', 6],
  ])
  expect(current(two).schemaId).toBe(1)
  const [scanned] = (await planScan(io, two)).files
  expect(lowerBound(scanned!.file, findField(currentSchema(two), 'new')!)).toBe(5)
  expect((await planScan(io, two, { snapshotId: one.currentSnapshotId })).schema).toBe(one.schemas[0])
  // The same columns again: the schema that is there is used.
  const three = await commit(
    two,
    prepareReplace(io, two, [], {
      schema: schemaForReplace(two, [
        { name: 'name', type: { kind: 'string' } },
        { name: 'new', type: { kind: 'int' } },
      ]),
    }),
  )
  expect(three.schemas).toHaveLength(2)
})

test('a replace refuses a base that another writer changed, and names it', async () => {
  const io = memoryFileIO()
  const one = await commit(table(), prepareAppend(io, table(), [file('a')]))
  const replace = await prepareReplace(io, one, [file('new')])
  const two = await commit(one, prepareAppend(io, one, [file('b')]))
  await expect(replace.on(two, { nowMs: 1 })).rejects.toMatchObject({
    code: 'COMMIT_CONFLICT',
    message: expect.stringContaining(`snapshot ${two.currentSnapshotId} (append, 1970-01-01T00:00:02.000Z)`),
  })
  await expect(replace.on({ ...one, tableUuid: 'other' }, { nowMs: 1 })).rejects.toThrow('dropped and created again')
  const evolved = applyUpdates(
    one,
    [
      { action: 'add-schema', schema: schemaForReplace(one, [{ name: 'z', type: { kind: 'int' } }]) },
      { action: 'set-current-schema', schemaId: -1 },
    ],
    { nowMs: 3 },
  )
  await expect(replace.on(evolved, { nowMs: 1 })).rejects.toThrow('schema')
  const renamed = applyUpdates(one, [{ action: 'set-properties', updates: { comment: 'x' } }], { nowMs: 3 })
  expect(await names(io, await commit(renamed, replace))).toEqual(['new']) // a property is no conflict
})

test('a merge reads the manifests of others and none that this process wrote', async () => {
  const read: string[] = []
  const files = memoryFileIO()
  const io = { ...files, read: (path: string) => (read.push(path), files.read(path)) }
  let metadata = table({ 'commit.manifest.min-count-to-merge': '5' })
  for (const name of ['a', 'b', 'c', 'd']) metadata = await commit(metadata, prepareAppend(io, metadata, [file(name)]))
  const [first, ...own] = await readManifestList(files, metadata, current(metadata))
  // One of them by another writer: the same content under a name of its own.
  const others = { ...first!, path: '/t/metadata/others-m0.avro' }
  await files.create(others.path, (await files.read(first!.path))!)
  const list = encodeManifestList([others, ...own], {
    snapshotId: metadata.currentSnapshotId!,
    parentSnapshotId: undefined,
    sequenceNumber: 4n,
  })
  await files.create('/t/metadata/others-list.avro', list)
  const snapshots = metadata.snapshots.with(-1, { ...current(metadata), manifestList: '/t/metadata/others-list.avro' })
  read.length = 0
  const after = await commit({ ...metadata, snapshots }, prepareAppend(io, metadata, [file('e')]))
  expect(read).toEqual(['/t/metadata/others-list.avro', others.path])
  expect(await readManifestList(files, after, current(after))).toHaveLength(1)
  expect(await names(files, after)).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('many manifests are merged, and nothing else changes', async () => {
  const io = memoryFileIO()
  let metadata = table({ 'commit.manifest.min-count-to-merge': '5' })
  const counts: number[] = []
  for (let index = 0; index < 11; index++) {
    metadata = await commit(metadata, prepareAppend(io, metadata, [file(`f${String(index).padStart(2, '0')}`)]))
    counts.push((await readManifestList(io, metadata, current(metadata))).length)
  }
  expect(counts).toEqual([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3])
  const { files } = await planScan(io, metadata)
  expect(files.map(({ path, sequenceNumber }) => [path.slice(-2), Number(sequenceNumber)]).sort()).toEqual(
    Array.from({ length: 11 }, (_, index) => [String(index).padStart(2, '0'), index + 1]),
  )
  expect(current(metadata).summary['total-data-files']).toBe('11')
  const manifests = await readManifestList(io, metadata, current(metadata))
  expect(
    manifests.map(({ sequenceNumber, minSequenceNumber, addedFiles, existingFiles }) => [
      sequenceNumber,
      minSequenceNumber,
      addedFiles,
      existingFiles,
    ]),
  ).toEqual([
    [11n, 11n, 1, 0],
    [10n, 10n, 1, 0],
    [9n, 1n, 1, 8],
  ])
})

test.each<[Record<string, string>, string, number]>([
  [{}, 'exactly sixteen  .. exactly sixteen!', 1],
  [{ 'write.metadata.metrics.default': 'truncate(3)' }, 'exa .. exb', 1],
  [{ 'write.metadata.metrics.default': 'full' }, 'exactly sixteen chars .. exactly sixteen chars', 1],
  [{ 'write.metadata.metrics.default': 'counts' }, 'undefined .. undefined', 1],
  [{ 'write.metadata.metrics.default': 'none' }, 'undefined .. undefined', 0],
  [{ 'write.metadata.metrics.default': 'none', 'write.metadata.metrics.column.name': 'truncate(1)' }, 'e .. f', 1],
  [{ 'write.metadata.metrics.max-inferred-column-defaults': '1' }, 'undefined .. undefined', 0],
  [{ 'write.metadata.metrics.default': 'nonsense' }, 'exactly sixteen  .. exactly sixteen!', 1],
])('metrics modes %j: bounds %s', async (properties, bounds, counted) => {
  const io = memoryFileIO()
  const text = 'exactly sixteen chars'
  const metadata = table(properties)
  const field = findField(currentSchema(metadata), 'name')!
  const given = file('a', { lower: new Map([[2, text]]), upper: new Map([[2, text]]), valueCounts: new Map([[2, 10]]) })
  const [scanned] = (await planScan(io, await commit(metadata, prepareAppend(io, metadata, [given])))).files
  expect(`${String(lowerBound(scanned!.file, field))} .. ${String(upperBound(scanned!.file, field))}`).toBe(bounds)
  expect(scanned!.file.valueCounts?.size ?? 0).toBe(counted)
})

test('bounds of zero enclose both zeros, NaN is none, and elements of lists have none', async () => {
  const io = memoryFileIO()
  const given = file('a', {
    lower: new Map<number, number | bigint>([
      [3, 0],
      [5, 1n],
    ]),
    upper: new Map([[3, -0]]),
  })
  const [scanned] = (await planScan(io, await commit(table(), prepareAppend(io, table(), [given])))).files
  const field = findField(currentSchema(table()), 'x')!
  expect(lowerBound(scanned!.file, field)).toBe(-0)
  expect(upperBound(scanned!.file, field)).toBe(0)
  expect(scanned!.file.lowerBounds?.has(5)).toBe(false)
  const nan = file('b', { lower: new Map([[3, Number.NaN]]) })
  const [other] = (await planScan(io, await commit(table(), prepareAppend(io, table(), [nan])))).files
  expect(other!.file.lowerBounds).toBeUndefined()
})

test('what headers the spec asks for', async () => {
  const io = memoryFileIO()
  const metadata = await commit(table(), prepareAppend(io, table(), [file('a')]))
  const [manifest] = await readManifestList(io, metadata, current(metadata))
  const headerOf = (path: string) =>
    Object.fromEntries(readAvro(io.files.get(path)!, { place: path, keyOf: () => undefined }).header)
  expect(headerOf(manifest!.path)).toMatchObject({
    'format-version': '2',
    content: 'data',
    'schema-id': '0',
    'partition-spec-id': '0',
    'partition-spec': '[]',
    schema: expect.stringContaining('"name":"tags"'),
    'iceberg.schema': expect.stringContaining('"value-required":true'),
    'avro.codec': 'deflate',
  })
  expect(headerOf(current(metadata).manifestList!)).toMatchObject({
    'format-version': '2',
    'sequence-number': '1',
    'parent-snapshot-id': 'null',
    'snapshot-id': String(metadata.currentSnapshotId),
  })
})

test('a branch starts at main and leaves it alone', async () => {
  const io = memoryFileIO()
  const one = await commit(table(), prepareAppend(io, table(), [file('a')]))
  const two = await commit(one, prepareAppend(io, one, [file('b')], { branch: 'dev' }))
  expect(await names(io, two)).toEqual(['a'])
  expect(await names(io, two, two.refs.dev!.snapshotId)).toEqual(['a', 'b'])
  const tagged = applyUpdates(
    two,
    [{ action: 'set-snapshot-ref', refName: 't', ref: { type: 'tag', snapshotId: one.currentSnapshotId! } }],
    { nowMs: 1 },
  )
  await expect((await prepareAppend(io, tagged, [], { branch: 't' })).on(tagged, { nowMs: 1 })).rejects.toThrow(
    '"t" is a tag',
  )
})

test('partition summaries of a manifest enclose its partitions', async () => {
  const io = memoryFileIO()
  const base = table(
    {},
    {
      spec: [
        { column: 'name', transform: { kind: 'identity' } },
        { column: 'x', transform: { kind: 'identity' } },
      ],
    },
  )
  const files = [
    ['b', 1],
    [null, Number.NaN],
    ['a', 2],
  ].map((partition, index) => file(String(index), { partition }))
  const metadata = await commit(base, prepareAppend(io, base, files))
  const [manifest] = await readManifestList(io, metadata, current(metadata))
  const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes)
  expect(manifest!.partitions).toMatchObject([{ containsNull: true }, { containsNull: false, containsNan: true }])
  expect([text(manifest!.partitions![0]!.lowerBound), text(manifest!.partitions![0]!.upperBound)]).toEqual(['a', 'b'])
  expect((await planScan(io, metadata)).files.map(({ partition }) => partition)).toEqual([
    ['b', 1],
    [null, Number.NaN],
    ['a', 2],
  ])
})

test('manifests whose counts a v1 writer left out keep their files through further commits', async () => {
  const io = memoryFileIO()
  const first = await commit(
    table({}, { formatVersion: 1 }),
    prepareAppend(io, table({}, { formatVersion: 1 }), [file('a')]),
  )
  const [manifest] = await readManifestList(io, first, current(first))
  // Version 1 may name its manifests in the metadata, where there is no place for counts.
  const { manifestList: _, ...snapshot } = current(first)
  let metadata: TableMetadata = { ...first, snapshots: [{ ...snapshot, manifests: [manifest!.path] }] }
  for (const name of ['b', 'c']) metadata = await commit(metadata, prepareAppend(io, metadata, [file(name)]))
  expect(await names(io, metadata)).toEqual(['a', 'b', 'c'])
})

test('partition values of a transform that is not known are kept as they were read', async () => {
  const io = memoryFileIO()
  const spec = {
    specId: 0,
    fields: [{ sourceIds: [1], fieldId: 1000, name: 'p', transform: { kind: 'other', text: 'curve' } as const }],
  }
  const kept = [7, 2n ** 60n, 'x', true, 1.5, Uint8Array.of(1, 2)]
  for (const value of kept) {
    const empty = { ...table(), location: `/t/${String(value)}`, partitionSpecs: [spec] }
    const metadata = await commit(empty, prepareAppend(io, empty, [file('a', { partition: [value] })]))
    const [manifest] = await readManifestList(io, metadata, current(metadata))
    expect((await readManifest(io, metadata, manifest!)).map((entry) => entry.file.partition)).toEqual([[value]])
  }
})

test('no file comes into an encrypted table in plain, and its lists are told to be encrypted', async () => {
  const io = memoryFileIO()
  const locked = table({ 'encryption.key-id': 'k' })
  const refused = { code: 'UNSUPPORTED', message: expect.stringContaining('encrypted') as string }
  await expect(prepareAppend(io, locked, [file('a')])).rejects.toMatchObject(refused)
  const metadata = await commit(table(), prepareAppend(io, table(), [file('a')]))
  await expect(readManifestList(io, metadata, { ...current(metadata), keyId: 'k' })).rejects.toMatchObject(refused)
})
