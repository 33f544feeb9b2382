// Each way to change a table's files: what the snapshot says of itself, what a reader then sees, and what it refuses.

import { expect, test } from 'vitest'
import { memoryFileIO, type MemoryFileIO } from '../io/index.ts'
import { cherryPick } from './cherry-pick.ts'
import { readManifest, readManifestList } from './manifest.ts'
import type { NewDataFile, NewDeleteFile } from './manifest-types.ts'
import { newTableMetadata, parseTableMetadata, printTableMetadata } from './metadata.ts'
import type { FormatVersion, TableChange, TableMetadata } from './metadata-types.ts'
import { prepareDelete, prepareOverwrite } from './overwrite.ts'
import { partitionOf } from './partition.ts'
import type { Predicate } from './predicate-types.ts'
import { createBranch, createTag, fastForward, rollbackTo, setCurrent } from './refs.ts'
import { prepareRewrite } from './rewrite.ts'
import { prepareRowDelta } from './row-delta.ts'
import { planScan } from './scan.ts'
import { schemaForReplace } from './schema.ts'
import { snapshotAsOf, snapshotById } from './snapshot.ts'
import { applyUpdates, checkRequirements } from './update.ts'
import { upgradeFormat } from './evolve-properties.ts'
import { evolveSpec } from './evolve-spec.ts'
import type { PreparedWrite } from './work.ts'
import { prepareAppend, prepareReplace } from './write.ts'

// --- a table of ids in partitions, whose current metadata is at hand

class Table {
  readonly io: MemoryFileIO = memoryFileIO()
  metadata: TableMetadata
  constructor(formatVersion: FormatVersion = 2, isPartitioned = true) {
    this.metadata = newTableMetadata({
      uuid: 'u',
      location: '/t',
      nowMs: 1,
      formatVersion,
      schema: [
        { name: 'id', type: { kind: 'long' } },
        { name: 'p', type: { kind: 'string' } },
      ],
      ...(isPartitioned && { spec: [{ column: 'p', transform: { kind: 'identity' } as const }] }),
    })
  }
  async commit(prepared: PreparedWrite | Promise<PreparedWrite>) {
    const commit = await (await prepared).on(this.metadata, { nowMs: 2 })
    return this.change(commit)
  }
  change({ updates, requirements }: TableChange) {
    checkRequirements(this.metadata, requirements)
    this.metadata = parseTableMetadata(printTableMetadata(applyUpdates(this.metadata, updates, { nowMs: 2 })))
    return snapshotAsOf(this.metadata)?.snapshotId
  }
  append(...files: NewDataFile[]) {
    return this.commit(prepareAppend(this.io, this.metadata, files))
  }
  summary(id = this.metadata.currentSnapshotId) {
    return Object.fromEntries(
      Object.entries(snapshotById(this.metadata, id!).summary).filter(([name]) => !name.startsWith('total-')),
    )
  }
  /** `a: d1` is the data file a with the delete file d1. */
  async files(snapshotId?: bigint) {
    const { files } = await planScan(this.io, this.metadata, { snapshotId })
    return files
      .map(({ path, deletes }) => [path, ...deletes.map(({ file }) => file.path).sort()].join(': '))
      .sort()
      .join(', ')
  }
}

/** Rows from `low` to `high` of a partition. */
const file = (path: string, low: number, high: number, p = 'x'): NewDataFile => ({
  path,
  recordCount: high - low + 1,
  fileSizeBytes: 100,
  partition: [p],
  lower: new Map([[1, BigInt(low)]]),
  upper: new Map([[1, BigInt(high)]]),
  nullCounts: new Map([[1, 0]]),
})
const common = { recordCount: 1, fileSizeBytes: 10, partition: ['x'] }
const position = (path: string, of: string): NewDeleteFile => ({
  ...common,
  path,
  content: 'position-deletes',
  referencedDataFile: of,
})
const vector = (path: string, of: string): NewDeleteFile => ({
  ...position(path, of),
  format: 'puffin',
  contentOffset: 4,
  contentSizeBytes: 6,
})
const equality = (path: string): NewDeleteFile => ({ ...common, path, content: 'equality-deletes', equalityIds: [1] })
const ids = (low: number, high: number): Predicate => ({
  op: 'and',
  of: [
    { op: '>=', field: 1, value: BigInt(low) },
    { op: '<=', field: 1, value: BigInt(high) },
  ],
})
const inPartition = (p: string): Predicate => ({ op: '=', field: 2, value: p })
const ref = (path: string, p = 'x') => ({ path, specId: 0, partition: [p] })

const abc = async (formatVersion: FormatVersion = 2) => {
  const table = new Table(formatVersion)
  await table.append(file('a', 1, 10), file('b', 11, 20), file('c', 1, 20, 'y'))
  return table
}

// --- what each does

test('overwrite by filter: files that it covers go, cut ones must have been rewritten', async () => {
  const table = await abc()
  const partly = prepareOverwrite(table.io, table.metadata, { remove: { filter: ids(5, 20) }, add: [] })
  await expect(table.commit(partly)).rejects.toMatchObject({ code: 'REQUEST_INVALID', context: { files: ['a', 'c'] } })
  await table.commit(
    prepareOverwrite(table.io, table.metadata, {
      remove: { filter: ids(5, 20), files: [ref('a'), { path: 'c' }] },
      add: [file('a2', 1, 4), file('c2', 1, 4, 'y')],
    }),
  )
  expect(await table.files()).toBe('a2, c2')
  expect(table.summary()).toEqual({
    operation: 'overwrite',
    'added-data-files': '2',
    'added-files-size': '200',
    'added-records': '8',
    'deleted-data-files': '3',
    'deleted-records': '40',
    'removed-files-size': '300',
    'changed-partition-count': '2',
  })
})

test('dynamic overwrite: only partitions that get files are replaced, with their deletes', async () => {
  const table = await abc()
  await table.commit(prepareRowDelta(table.io, table.metadata, { addDeletes: [position('d', 'a')] }))
  await table.commit(
    prepareOverwrite(table.io, table.metadata, { remove: { partitions: 'dynamic' }, add: [file('e', 1, 2)] }),
  )
  expect(await table.files()).toBe('c, e')
  expect(table.summary()).toMatchObject({
    operation: 'overwrite',
    'replace-partitions': 'true',
    'removed-delete-files': '1',
    'removed-position-deletes': '1',
  })
  const whole = new Table(2, false)
  const plain = (path: string) => ({ ...file(path, 1, 2), partition: [] })
  await whole.append(plain('a'))
  await whole.commit(
    prepareOverwrite(whole.io, whole.metadata, { remove: { partitions: 'dynamic' }, add: [plain('b')] }),
  )
  expect(await whole.files()).toBe('b')
})

test('delete by metadata: whole files by partition or by bounds', async () => {
  const table = await abc()
  await table.commit(prepareDelete(table.io, table.metadata, { filter: inPartition('y') }))
  expect(await table.files()).toBe('a, b')
  expect(table.summary()).toMatchObject({ operation: 'delete', 'deleted-data-files': '1', 'deleted-records': '20' })
  await expect(table.commit(prepareDelete(table.io, table.metadata, { filter: ids(0, 12) }))).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: expect.stringContaining('"b" may hold rows'),
  })
  await table.commit(prepareDelete(table.io, table.metadata, { filter: ids(0, 10) }))
  expect(await table.files()).toBe('b')
  await table.commit(prepareDelete(table.io, table.metadata, { filter: { op: 'true' } }))
  expect(await table.files()).toBe('')
  expect(snapshotAsOf(table.metadata)!.summary['total-records']).toBe('0')
})

test('rows deleted by position, then compacted: the delete file goes with the file that it was about', async () => {
  const table = await abc()
  await table.commit(prepareRowDelta(table.io, table.metadata, { addDeletes: [position('d', 'a')] }))
  expect(await table.files()).toBe('a: d, b, c')
  expect(table.summary()).toEqual({
    operation: 'delete',
    'added-delete-files': '1',
    'added-position-delete-files': '1',
    'added-position-deletes': '1',
    'added-files-size': '10',
    'changed-partition-count': '1',
  })
  const startingNumber = snapshotAsOf(table.metadata)!.sequenceNumber
  await table.commit(
    prepareRewrite(table.io, table.metadata, {
      remove: { files: [ref('a'), ref('b')] },
      add: { files: [{ ...file('ab', 1, 20), recordCount: 19 }] },
    }),
  )
  expect(await table.files()).toBe('ab, c')
  expect(table.summary()).toMatchObject({
    operation: 'replace',
    'deleted-data-files': '2',
    'removed-delete-files': '1',
    'removed-position-delete-files': '1',
  })
  const { files } = await planScan(table.io, table.metadata)
  expect(files.find(({ path }) => path === 'ab')!.sequenceNumber).toBe(startingNumber)
  await expect(
    table.commit(
      prepareRewrite(table.io, table.metadata, {
        remove: { files: [ref('ab')] },
        add: { files: [file('more', 1, 90)] },
      }),
    ),
  ).rejects.toThrow('a rewrite of 19 rows cannot add 90')
})

test('version 3: a deletion vector takes the place of the one before, and of position deletes of older times', async () => {
  const table = await abc()
  await table.commit(prepareRowDelta(table.io, table.metadata, { addDeletes: [position('d', 'a')] }))
  table.change(upgradeFormat(table.metadata, 3))
  await expect(prepareRowDelta(table.io, table.metadata, { addDeletes: [position('e', 'a')] })).rejects.toThrow(
    'tables of version 3 get deletion vectors',
  )
  await table.commit(prepareRowDelta(table.io, table.metadata, { addDeletes: [vector('v1', 'a')] }))
  expect(await table.files()).toBe('a: v1, b, c')
  await table.commit(prepareRowDelta(table.io, table.metadata, { addDeletes: [vector('v2', 'a'), vector('v2', 'b')] }))
  expect(await table.files()).toBe('a: v2, b: v2, c')
  expect(table.summary()).toEqual({
    operation: 'delete',
    'added-delete-files': '2',
    'added-dvs': '2',
    'added-position-deletes': '2',
    'added-files-size': '12',
    'removed-delete-files': '1',
    'removed-dvs': '1',
    'removed-position-deletes': '1',
    'removed-files-size': '6',
    'changed-partition-count': '1',
  })
  await table.commit(
    prepareOverwrite(table.io, table.metadata, { remove: { files: [ref('a')] }, add: [file('a2', 1, 9)] }),
  )
  expect(await table.files()).toBe('a2, b: v2, c')
})

test('rows deleted twice while a file was rewritten are a conflict, though each time had a vector of its own', async () => {
  const table = await abc()
  table.change(upgradeFormat(table.metadata, 3))
  const rewrite = prepareRewrite(table.io, table.metadata, {
    remove: { files: [ref('a')] },
    add: { files: [file('a2', 1, 10)] },
  })
  for (const path of ['v1', 'v2'])
    await table.commit(prepareRowDelta(table.io, table.metadata, { addDeletes: [vector(path, 'a')] }))
  await expect(table.commit(rewrite)).rejects.toThrow('deleted rows of "a" by "v2"')
})

test('rows of a partition spec that was dropped meanwhile are a conflict', async () => {
  const table = new Table()
  const append = await prepareAppend(table.io, table.metadata, [file('a', 1, 2)])
  table.change(evolveSpec(table.metadata).remove('p').change())
  table.change({ updates: [{ action: 'remove-partition-specs', specIds: [0] }], requirements: [] })
  await expect(table.commit(append)).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' })
})

test('an update by position deletes and new rows; equality deletes', async () => {
  const table = await abc()
  await table.commit(
    prepareRowDelta(table.io, table.metadata, { addDeletes: [position('d', 'a')], addFiles: [file('e', 1, 1)] }),
  )
  expect(table.summary()).toMatchObject({ operation: 'overwrite', 'added-data-files': '1', 'added-delete-files': '1' })
  await table.commit(
    prepareRowDelta(table.io, table.metadata, { addDeletes: [equality('q')], addFiles: [file('f', 1, 1)] }),
  )
  expect(table.summary()).toMatchObject({ 'added-equality-delete-files': '1', 'added-equality-deletes': '1' })
  expect(await table.files()).toBe('a: d: q, b: q, c, e: q, f')
  await table.commit(prepareRowDelta(table.io, table.metadata, { addFiles: [file('g', 1, 1)] }))
  expect(table.summary()).toMatchObject({ operation: 'append' })
})

test('rewriting delete files keeps what they apply to', async () => {
  const table = await abc()
  for (const [path, of] of [
    ['d1', 'a'],
    ['d2', 'a'],
  ] as const)
    await table.commit(prepareRowDelta(table.io, table.metadata, { addDeletes: [position(path, of)] }))
  const sequenceNumber = snapshotAsOf(table.metadata)!.sequenceNumber
  await table.append(file('later', 1, 1))
  await table.commit(
    prepareRewrite(table.io, table.metadata, {
      remove: { deleteFiles: [ref('d1'), ref('d2')] },
      add: { deleteFiles: [{ ...position('d12', 'a'), recordCount: 2, sequenceNumber }] },
    }),
  )
  expect(await table.files()).toBe('a: d12, b, c, later')
  expect(table.summary()).toMatchObject({
    operation: 'replace',
    'removed-delete-files': '2',
    'added-delete-files': '1',
  })
})

test('a replaced table may lose the column that it is partitioned by', async () => {
  const table = await abc()
  const schema = schemaForReplace(table.metadata, [{ name: 'id', type: { kind: 'long' } }])
  await table.commit(prepareReplace(table.io, table.metadata, [{ ...file('n', 1, 2), partition: [] }], { schema }))
  expect(await table.files()).toBe('n')
  expect(table.metadata.partitionSpecs.map(({ fields }) => fields.length)).toEqual([1, 0])
  const old = new Table(1)
  await old.append(file('a', 1, 10))
  await old.commit(prepareReplace(old.io, old.metadata, [{ ...file('n', 1, 2), partition: [null] }], { schema }))
  expect(old.metadata.partitionSpecs[1]!.fields).toMatchObject([{ fieldId: 1000, transform: { kind: 'void' } }])
})

test('a table through all three versions', async () => {
  const table = await abc(1)
  expect(snapshotAsOf(table.metadata)!.sequenceNumber).toBe(0n)
  await table.commit(
    prepareOverwrite(table.io, table.metadata, { remove: { files: [ref('a')] }, add: [file('a2', 1, 9)] }),
  )
  expect(await table.files()).toBe('a2, b, c')
  await expect(prepareRowDelta(table.io, table.metadata, { addDeletes: [position('d', 'b')] })).rejects.toMatchObject({
    code: 'UNSUPPORTED',
  })
  table.change(upgradeFormat(table.metadata, 2))
  await table.commit(prepareRowDelta(table.io, table.metadata, { addDeletes: [position('d', 'b')] }))
  expect(await table.files()).toBe('a2, b: d, c')
  table.change(upgradeFormat(table.metadata, 3))
  expect(table.metadata.nextRowId).toBe(0n)
  await table.append(file('e', 1, 5))
  const { files, snapshot } = await planScan(table.io, table.metadata)
  // Files of before the upgrade get ids in the first commit after it; e stands in the newest manifest.
  expect(Object.fromEntries(files.map(({ path, file }) => [path, Number(file.firstRowId)]))).toEqual({
    e: 0,
    a2: 5,
    b: 14,
    c: 24,
  })
  expect(snapshot).toMatchObject({ firstRowId: 0n, addedRows: 44n })
  expect(table.metadata.nextRowId).toBe(44n)
  await table.commit(prepareDelete(table.io, table.metadata, { filter: inPartition('y') }))
  expect(snapshotAsOf(table.metadata)).toMatchObject({ firstRowId: 44n })
  const [first] = (await planScan(table.io, table.metadata)).files.filter(({ path }) => path === 'b')
  expect(first!.file.firstRowId).toBe(14n)
})

test('a file of an older spec goes by its own partition', async () => {
  const table = await abc()
  table.change(evolveSpec(table.metadata).remove('p').add('id', { kind: 'bucket', buckets: 4 }).change())
  await table.append({ ...file('n', 1, 2), partition: [3] })
  await table.commit(prepareDelete(table.io, table.metadata, { filter: inPartition('y'), files: [{ path: 'n' }] }))
  expect(await table.files()).toBe('a, b')
})

// --- what others did meanwhile

type Write = (table: Table) => Promise<PreparedWrite>
const other: Record<string, Write> = {
  'adds rows 3-4 to x': ({ io, metadata }) => prepareAppend(io, metadata, [file('o', 3, 4)]),
  'adds rows 50-60 to x': ({ io, metadata }) => prepareAppend(io, metadata, [file('o', 50, 60)]),
  'adds rows to y': ({ io, metadata }) => prepareAppend(io, metadata, [file('o', 3, 4, 'y')]),
  'deletes rows of a': ({ io, metadata }) =>
    prepareRowDelta(io, metadata, {
      addDeletes: [metadata.formatVersion > 2 ? vector('od', 'a') : position('od', 'a')],
    }),
  'deletes rows of x by value': ({ io, metadata }) => prepareRowDelta(io, metadata, { addDeletes: [equality('oq')] }),
  'removes a': ({ io, metadata }) => prepareDelete(io, metadata, { files: [ref('a')] }),
  'rewrites a': ({ io, metadata }) =>
    prepareOverwrite(io, metadata, { remove: { files: [ref('a')] }, add: [file('a2', 1, 9)] }),
  'compacts a': ({ io, metadata }) =>
    prepareRewrite(io, metadata, { remove: { files: [ref('a')] }, add: { files: [file('a2', 1, 10)] } }),
  'removes y': ({ io, metadata }) => prepareDelete(io, metadata, { filter: inPartition('y') }),
}
const mine: Record<string, Write> = {
  append: ({ io, metadata }) => prepareAppend(io, metadata, [file('m', 1, 1)]),
  'delete x': ({ io, metadata }) => prepareDelete(io, metadata, { filter: inPartition('x') }),
  'overwrite rows 1-10': ({ io, metadata }) =>
    prepareOverwrite(
      io,
      metadata,
      { remove: { filter: ids(1, 10), files: [ref('c', 'y')] }, add: [file('m', 1, 10), file('c2', 11, 20, 'y')] },
      { conflictFilter: ids(1, 10) },
    ),
  'copy-on-write of a': ({ io, metadata }) =>
    prepareOverwrite(io, metadata, { remove: { files: [ref('a')] }, add: [file('m', 1, 9)] }),
  'copy-on-write of a, where id = 5': ({ io, metadata }) =>
    prepareOverwrite(
      io,
      metadata,
      { remove: { files: [ref('a')] }, add: [file('m', 1, 9)] },
      { conflictFilter: ids(5, 5) },
    ),
  'copy-on-write of a, snapshot isolation': ({ io, metadata }) =>
    prepareOverwrite(
      io,
      metadata,
      { remove: { files: [ref('a')] }, add: [file('m', 1, 9)] },
      { isolation: 'snapshot' },
    ),
  'dynamic overwrite of x': ({ io, metadata }) =>
    prepareOverwrite(io, metadata, { remove: { partitions: 'dynamic' }, add: [file('m', 1, 9)] }),
  'dynamic overwrite of x, snapshot isolation': ({ io, metadata }) =>
    prepareOverwrite(
      io,
      metadata,
      { remove: { partitions: 'dynamic' }, add: [file('m', 1, 9)] },
      { isolation: 'snapshot' },
    ),
  'delete rows of a': ({ io, metadata }) =>
    prepareRowDelta(
      io,
      metadata,
      { addDeletes: [metadata.formatVersion > 2 ? vector('md', 'a') : position('md', 'a')] },
      { isolation: 'snapshot' },
    ),
  'delete rows of a, serializable': ({ io, metadata }) =>
    prepareRowDelta(io, metadata, {
      addDeletes: [metadata.formatVersion > 2 ? vector('md', 'a') : position('md', 'a')],
    }),
  'update rows of a': ({ io, metadata }) =>
    prepareRowDelta(
      io,
      metadata,
      {
        addDeletes: [metadata.formatVersion > 2 ? vector('md', 'a') : position('md', 'a')],
        addFiles: [file('m', 1, 1)],
      },
      { isolation: 'snapshot' },
    ),
  'compact a and b': ({ io, metadata }) =>
    prepareRewrite(io, metadata, { remove: { files: [ref('a'), ref('b')] }, add: { files: [file('m', 1, 20)] } }),
  replace: ({ io, metadata }) => prepareReplace(io, metadata, [file('m', 1, 1)]),
}
/** Which of `other` is a conflict; all else must go through. */
const conflicts: Record<string, { v2: string[]; v3?: string[] }> = {
  append: { v2: [] },
  'delete x': { v2: [] },
  'overwrite rows 1-10': {
    v2: [
      'adds rows 3-4 to x',
      'adds rows to y',
      'deletes rows of a',
      'deletes rows of x by value',
      'removes a',
      'rewrites a',
      'compacts a',
      'removes y',
    ],
  },
  'copy-on-write of a': {
    v2: [
      'adds rows 3-4 to x',
      'adds rows 50-60 to x',
      'adds rows to y',
      'deletes rows of a',
      'deletes rows of x by value',
      'removes a',
      'rewrites a',
      'compacts a',
    ],
  },
  'copy-on-write of a, where id = 5': {
    v2: ['deletes rows of a', 'deletes rows of x by value', 'removes a', 'rewrites a', 'compacts a'],
  },
  'copy-on-write of a, snapshot isolation': {
    v2: ['deletes rows of a', 'deletes rows of x by value', 'removes a', 'rewrites a', 'compacts a'],
  },
  'dynamic overwrite of x': {
    v2: [
      'adds rows 3-4 to x',
      'adds rows 50-60 to x',
      'deletes rows of a',
      'deletes rows of x by value',
      'removes a',
      'rewrites a',
      'compacts a',
    ],
  },
  'dynamic overwrite of x, snapshot isolation': {
    v2: ['deletes rows of a', 'deletes rows of x by value', 'removes a', 'rewrites a', 'compacts a'],
  },
  // A file that is gone has no rows to delete, and a row may be deleted twice; but there is one vector for a file.
  'delete rows of a': { v2: ['rewrites a', 'compacts a'], v3: ['deletes rows of a', 'rewrites a', 'compacts a'] },
  'delete rows of a, serializable': {
    v2: ['adds rows 3-4 to x', 'adds rows 50-60 to x', 'adds rows to y', 'rewrites a', 'compacts a'],
    v3: [
      'adds rows 3-4 to x',
      'adds rows 50-60 to x',
      'adds rows to y',
      'deletes rows of a',
      'rewrites a',
      'compacts a',
    ],
  },
  'update rows of a': {
    v2: ['deletes rows of a', 'deletes rows of x by value', 'removes a', 'rewrites a', 'compacts a'],
  },
  // Equality deletes go on to apply to the compacted file.
  'compact a and b': { v2: ['deletes rows of a', 'removes a', 'rewrites a', 'compacts a'] },
  replace: { v2: Object.keys(other) },
}

for (const version of [2, 3] as const)
  test.each(Object.keys(mine))(`version ${version}, conflicts of: %s`, async (name) => {
    const refused: string[] = []
    for (const [what, write] of Object.entries(other)) {
      const table = await abc(version)
      const prepared = await mine[name]!(table)
      const id = await table.commit(write(table))
      try {
        await table.commit(prepared)
      } catch (error) {
        expect(error).toMatchObject({ code: 'COMMIT_CONFLICT', message: expect.stringContaining(`snapshot ${id} (`) })
        refused.push(what)
      }
    }
    const expected = conflicts[name]!
    expect(refused).toEqual(version === 3 ? (expected.v3 ?? expected.v2) : expected.v2)
  })

test('a conflict names the snapshot, its operation and the file; a retry writes no manifest twice', async () => {
  const table = await abc()
  const prepared = await prepareOverwrite(
    table.io,
    table.metadata,
    { remove: { files: [ref('a')] }, add: [file('m', 1, 9)] },
    { conflictFilter: ids(1, 9) },
  )
  await prepared.on(table.metadata, { nowMs: 2 })
  const written = table.io.files.size
  await table.append(file('far', 50, 60))
  const commit = await prepared.on(table.metadata, { nowMs: 3 })
  expect(table.io.files.size).toBe(written + 3) // the other's manifest and list, and a list
  table.change(commit)
  expect(await table.files()).toBe('b, c, far, m')
  expect(prepared.leftovers(commit)).toHaveLength(1)
  const stale = await prepareOverwrite(table.io, table.metadata, { remove: { files: [ref('m')] }, add: [] })
  const id = await table.append(file('near', 5, 5))
  await expect(table.commit(stale)).rejects.toMatchObject({
    code: 'COMMIT_CONFLICT',
    message: `another writer changed the table meanwhile: snapshot ${id} (append, 1970-01-01T00:00:00.003Z) added "near"`,
    context: { operation: 'append', file: 'near' },
  })
})

test('a history that does not lead back to where the work began is a conflict', async () => {
  const table = await abc()
  const first = table.metadata.currentSnapshotId!
  await table.append(file('e', 1, 1))
  const prepared = await prepareOverwrite(table.io, table.metadata, { remove: { files: [ref('a')] }, add: [] })
  table.change(rollbackTo(table.metadata, { snapshotId: first }))
  await table.append(file('f', 1, 1))
  await expect(table.commit(prepared)).rejects.toThrow('the history since snapshot')
  // The caller read an older snapshot than the one it prepares with.
  const late = prepareOverwrite(
    table.io,
    table.metadata,
    { remove: { files: [ref('a')] }, add: [] },
    { startingSnapshotId: first },
  )
  await expect(table.commit(late)).rejects.toThrow('added "f"')
})

// --- branches, staging, publishing

test('write, audit, publish', async () => {
  const table = await abc()
  const staged = await prepareAppend(table.io, table.metadata, [file('w', 1, 1)], {
    stageOnly: true,
    summary: { 'wap.id': 'w1' },
  })
  table.change(await staged.on(table.metadata, { nowMs: 2 }))
  expect(await table.files()).toBe('a, b, c')
  expect(await table.files(staged.snapshotId)).toBe('a, b, c, w')
  const next = table.metadata
  await table.commit(cherryPick(table.io, next, staged.snapshotId))
  expect(table.metadata.currentSnapshotId).toBe(staged.snapshotId) // it was next to main: no new snapshot
  await expect(cherryPick(table.io, table.metadata, staged.snapshotId)).rejects.toThrow('is part of "main" already')

  table.metadata = next
  await table.append(file('x', 1, 1))
  await table.commit(cherryPick(table.io, table.metadata, staged.snapshotId))
  expect(await table.files()).toBe('a, b, c, w, x')
  expect(table.summary()).toMatchObject({
    operation: 'append',
    'source-snapshot-id': String(staged.snapshotId),
    'published-wap-id': 'w1',
  })
  await expect(cherryPick(table.io, table.metadata, staged.snapshotId)).rejects.toThrow('was published already')
  const again = await prepareAppend(table.io, table.metadata, [], { stageOnly: true, summary: { 'wap.id': 'w1' } })
  table.change(await again.on(table.metadata, { nowMs: 2 }))
  await expect(cherryPick(table.io, table.metadata, again.snapshotId)).rejects.toThrow(
    'wap.id w1 was published already',
  )
})

test('cherry-picking replaced partitions, and what can only be fast-forwarded', async () => {
  const table = await abc()
  const dynamic = await prepareOverwrite(
    table.io,
    table.metadata,
    { remove: { partitions: 'dynamic' }, add: [file('n', 1, 2)] },
    { stageOnly: true },
  )
  table.change(await dynamic.on(table.metadata, { nowMs: 2 }))
  const overwrite = await prepareOverwrite(
    table.io,
    table.metadata,
    { remove: { files: [ref('a')] }, add: [] },
    { stageOnly: true },
  )
  table.change(await overwrite.on(table.metadata, { nowMs: 2 }))
  const before = table.metadata
  await table.append(file('other', 1, 2, 'y'))
  await expect(cherryPick(table.io, table.metadata, overwrite.snapshotId)).rejects.toThrow('only on top of its parent')
  await table.commit(cherryPick(table.io, table.metadata, dynamic.snapshotId))
  expect(await table.files()).toBe('c, n, other')
  table.metadata = before
  await table.append(file('same', 1, 2))
  await expect(table.commit(cherryPick(table.io, table.metadata, dynamic.snapshotId))).rejects.toMatchObject({
    code: 'COMMIT_CONFLICT',
    message: expect.stringContaining('added "same"'),
  })
})

test('each operation on a branch leaves main alone', async () => {
  const table = await abc()
  table.change(createBranch(table.metadata, 'dev', { maxRefAgeMs: 5 }))
  const on = { branch: 'dev' } as const
  await table.commit(
    prepareOverwrite(table.io, table.metadata, { remove: { files: [ref('a')] }, add: [file('a2', 1, 9)] }, on),
  )
  await table.commit(prepareRowDelta(table.io, table.metadata, { addDeletes: [position('d', 'b')] }, on))
  await table.commit(
    prepareRewrite(
      table.io,
      table.metadata,
      { remove: { files: [ref('b')] }, add: { files: [file('b2', 11, 19)] } },
      on,
    ),
  )
  await table.commit(prepareDelete(table.io, table.metadata, { filter: inPartition('y') }, on))
  expect(await table.files()).toBe('a, b, c')
  expect(await table.files(table.metadata.refs.dev!.snapshotId)).toBe('a2, b2')
  expect(table.metadata.refs.dev!.maxRefAgeMs).toBe(5)
  table.change(fastForward(table.metadata, 'main', 'dev'))
  expect(await table.files()).toBe('a2, b2')
})

test.each<[string, (table: TableMetadata, first: bigint) => TableChange]>([
  ['there is a branch "dev" already', (table) => createBranch(table, 'dev')],
  ['there is a tag "v1" already', (table) => createBranch(table, 'v1')],
  ['"main" must be a branch', (table) => createTag({ ...table, refs: {} }, 'main')],
  ['it keeps one snapshot', (table) => createTag(table, 't', { minSnapshotsToKeep: 2 } as object)],
  ['maxRefAgeMs must be a whole number above 0', (table) => createTag(table, 't', { maxRefAgeMs: 0 })],
  ['there is no snapshot 7', (table) => createTag(table, 't', { snapshotId: 7n })],
  ['there is no branch or tag "no"', (table) => fastForward(table, 'main', 'no')],
  ['"v1" is a tag: only branches move', (table) => fastForward(table, 'v1', 'main')],
  ['is not an ancestor of "v1"', (table) => fastForward(table, 'main', 'v1')],
  ['"v1" is a tag', (table, first) => setCurrent(table, first, 'v1')],
  ['there is no snapshot 7', (table) => rollbackTo(table, { snapshotId: 7n })],
  ['is not an ancestor of "main"', (table) => rollbackTo(table, { snapshotId: table.refs.dev!.snapshotId })],
  ['has no snapshot older than 1970', (table) => rollbackTo(table, { timestampMs: 2 })],
])('refused: %s', async (message, change) => {
  const table = await abc()
  const first = table.metadata.currentSnapshotId!
  table.change(createTag(table.metadata, 'v1'))
  await table.commit(prepareAppend(table.io, table.metadata, [], { branch: 'dev' }))
  await table.append(file('e', 1, 1))
  expect(() => change(table.metadata, first)).toThrow(message)
})

test('entries of a manifest that was rewritten keep who added them', async () => {
  const table = await abc()
  const first = table.metadata.currentSnapshotId
  const second = await table.commit(prepareDelete(table.io, table.metadata, { files: [ref('a')] }))
  const [manifest] = await readManifestList(table.io, table.metadata, snapshotAsOf(table.metadata)!)
  const entries = await readManifest(table.io, table.metadata, manifest!)
  expect(
    entries.map(({ file, status, snapshotId, sequenceNumber }) => [file.path, status, snapshotId, sequenceNumber]),
  ).toEqual([
    ['a', 'deleted', second, 1n],
    ['b', 'existing', first, 1n],
    ['c', 'existing', first, 1n],
  ])
})

test('a write that is given up leaves nothing but what it names itself', async () => {
  const writes: Record<string, Write> = { ...mine, ...other }
  for (const [name, write] of Object.entries(writes)) {
    const table = await abc()
    const before = new Set(table.io.files.keys())
    const prepared = await write(table)
    const first = await prepared.on(table.metadata, { nowMs: 2 })
    const second = await prepared.on(table.metadata, { nowMs: 3 })
    const made = [...table.io.files.keys()].filter((path) => !before.has(path))
    expect(prepared.leftovers().sort(), name).toEqual(made.sort())
    // Of two attempts only the list of the first is nobody's.
    expect(prepared.leftovers(second), name).toEqual([first.snapshot.manifestList])
    for (const path of prepared.leftovers(second)) await table.io.delete(path)
    table.change(second)
    await table.files()
  }
})

test.each<[string, bigint | null, string | null, (string | number | null)[]]>([
  ['in full', 34n, 'abc', [3, 'ab']], // 34 hashes to 2017239379 (spec, appendix B)
  ['null', null, '', [null, '']],
])('the partition of a row: %s', (_, id, p, expected) => {
  const metadata = newTableMetadata({
    uuid: 'u',
    location: '/t',
    nowMs: 1,
    schema: [
      { name: 'id', type: { kind: 'long' } },
      { name: 'p', type: { kind: 'string' } },
    ],
    spec: [
      { column: 'id', transform: { kind: 'bucket', buckets: 4 } },
      { column: 'p', transform: { kind: 'truncate', width: 2 } },
    ],
  })
  expect(partitionOf(metadata, (field) => (field === 1 ? id : p))).toEqual(expected)
  expect(() => partitionOf(metadata, () => null, 7)).toThrow('there is no partition spec 7')
})
