import fc from 'fast-check'
import { expect, test } from 'vitest'
import { memoryFileIO, type FileIO } from '../io/index.ts'
import { writeAvro, type AvroRecord } from './avro.ts'
import {
  encodeManifest,
  encodeManifestList,
  listed,
  loadManifest,
  readManifestList,
  type EntryToWrite,
} from './manifest.ts'
import { manifestCache } from './manifest-cache.ts'
import type { DataFile, ManifestFile, NewDataFile } from './manifest-types.ts'
import { newTableMetadata } from './metadata.ts'
import type { Snapshot, TableMetadata } from './metadata-types.ts'
import type { Predicate } from './predicate-types.ts'
import { project, type Leaf } from './predicate.ts'
import { filesToRead, planScan } from './scan.ts'
import { applyTransform, isTransformable, parseTransform } from './transform.ts'
import type { NewField, Type, Value } from './types.ts'
import { applyUpdates } from './update.ts'
import { compareValues, encodeBound, isNaN_ } from './value.ts'
import { warmUp } from './warm-up.ts'
import { prepareAppend } from './write.ts'

// --- tables of random rows

type Row = readonly (Value | null)[]
const columns: NewField[] = [
  { name: 'l', type: { kind: 'long' } },
  { name: 'd', type: { kind: 'double' } },
  { name: 's', type: { kind: 'string' } },
  { name: 'day', type: { kind: 'date' } },
  { name: 'at', type: { kind: 'timestamp' } },
  { name: 'm', type: { kind: 'decimal', precision: 9, scale: 2 } },
  { name: 'b', type: { kind: 'binary' } },
  { name: 'u', type: { kind: 'uuid' } },
  { name: 'f', type: { kind: 'boolean' } },
]
const typeOf = (field: number): Type => columns[field - 1]!.type
const uuids = [
  '00000000-0000-4000-8000-000000000000',
  '7fffffff-0000-4000-8000-000000000000',
  'ffffffff-0000-4000-8000-000000000000',
]
/** Few values, close together: so that predicates hit, miss and touch bounds. */
const valueOf: Record<string, fc.Arbitrary<Value>> = {
  long: fc.bigInt({ min: -25n, max: 25n }),
  double: fc.constantFrom(-1.5, -0, 0, 1, 2.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  string: fc.constantFrom('', 'a', 'ab', 'abc', 'abcd', 'abd', 'b', 'ä', 'äöü', '😀', '😀x', '\uffee', 'zz'),
  date: fc.integer({ min: -400, max: 400 }),
  timestamp: fc.bigInt({ min: -40n, max: 40n }).map((hours) => hours * 1_800_000_000n + hours),
  decimal: fc.bigInt({ min: -120n, max: 120n }),
  binary: fc
    .constantFrom('', '00', '00ff', 'ff', 'ffff', 'ffff01', '0102')
    .map((hex) => new Uint8Array(Buffer.from(hex, 'hex'))),
  uuid: fc.constantFrom(...uuids),
  boolean: fc.boolean(),
}
const anyValue = (field: number) => valueOf[typeOf(field).kind]!
const anyRow = fc.tuple(...columns.map((_, index) => fc.option(anyValue(index + 1), { freq: 4 }))) as fc.Arbitrary<Row>

const transforms = ['identity', 'bucket[3]', 'truncate[2]', 'truncate[10]', 'year', 'month', 'day', 'hour', 'void'].map(
  parseTransform,
)
const anySpec = fc.uniqueArray(
  fc.nat(columns.length - 1).chain((index) =>
    fc.record({
      column: fc.constant(columns[index]!.name),
      transform: fc.constantFrom(...transforms.filter((one) => isTransformable(one, columns[index]!.type))),
    }),
  ),
  { selector: ({ column }) => column, maxLength: 2 },
)

const anyPredicate: fc.Arbitrary<Predicate> = fc.letrec<{ predicate: Predicate }>((tie) => ({
  predicate: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.nat(columns.length - 1).chain((index): fc.Arbitrary<Predicate> => {
      const field = index + 1
      const values = fc.array(anyValue(field), { minLength: 1, maxLength: 3 })
      const text = valueOf.string as fc.Arbitrary<string>
      return fc.oneof(
        fc.record({
          op: fc.constantFrom('=' as const, '!=', '<', '<=', '>', '>='),
          field: fc.constant(field),
          value: anyValue(field),
        }),
        fc.record({ op: fc.constantFrom('in' as const, 'not_in'), field: fc.constant(field), values }),
        fc.record({
          op: fc.constantFrom('is_null' as const, 'not_null', 'is_nan', 'not_nan'),
          field: fc.constant(field),
        }),
        fc.record({
          op: fc.constantFrom('starts_with' as const, 'not_starts_with'),
          field: fc.constant(3),
          value: text,
        }),
      )
    }),
    fc.record({ op: fc.constantFrom('and' as const, 'or'), of: fc.array(tie('predicate'), { maxLength: 3 }) }),
    fc.record({ op: fc.constant('not' as const), of: tie('predicate') }),
  ),
})).predicate

/** SQL's three values; NaN is the largest number, as in DuckDB. */
function holds(predicate: Predicate, row: Row): boolean | null {
  switch (predicate.op) {
    case 'true':
      return true
    case 'false':
      return false
    case 'and':
      return predicate.of
        .map((part) => holds(part, row))
        .reduce(
          (all, one) => (all === false || one === false ? false : all === null || one === null ? null : true),
          true as boolean | null,
        )
    case 'or':
      return predicate.of
        .map((part) => holds(part, row))
        .reduce(
          (any, one) => (any === true || one === true ? true : any === null || one === null ? null : false),
          false as boolean | null,
        )
    case 'not': {
      const inner = holds(predicate.of, row)
      return inner === null ? null : !inner
    }
  }
  const value = row[predicate.field - 1] ?? null
  if (predicate.op === 'is_null') return value === null
  if (predicate.op === 'not_null') return value !== null
  if (value === null) return null
  if ('values' in predicate)
    return predicate.values.some((one) => compareValues(value, one) === 0) === (predicate.op === 'in')
  if (!('value' in predicate)) return isNaN_(value) === (predicate.op === 'is_nan')
  const order = compareValues(value, predicate.value)
  switch (predicate.op) {
    case '=':
      return order === 0
    case '!=':
      return order !== 0
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
    case 'starts_with':
      return typeof value === 'string' && value.startsWith(predicate.value)
    case 'not_starts_with':
      return !(typeof value === 'string' && value.startsWith(predicate.value))
  }
}

/** Splits rows into one file per partition and counts their statistics as a writer of Parquet would. */
function filesOf(
  rows: readonly Row[],
  metadata: TableMetadata,
  name: string,
  statistics: 'full' | 'no nan counts' | 'none',
): { file: NewDataFile; rows: readonly Row[] }[] {
  const spec = metadata.partitionSpecs[0]!
  const partitionOf = (row: Row) =>
    spec.fields.map(({ sourceIds, transform }) =>
      applyTransform(transform, typeOf(sourceIds[0]!), row[sourceIds[0]! - 1] ?? null),
    )
  const text = (row: Row) =>
    partitionOf(row)
      .map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value)))
      .join('|')
  return [...Map.groupBy(rows, text).values()].map((some, index) => {
    const path = `/t/data/${name}-${index}.parquet`
    const ids = columns.map((_, index) => index + 1)
    const present = (id: number) => some.map((row) => row[id - 1] ?? null).filter((value) => value !== null)
    const extreme = (sign: number) =>
      new Map(
        ids.flatMap((id) => {
          const known = present(id).filter((value) => !isNaN_(value))
          return known.length === 0
            ? []
            : [[id, known.reduce((best, value) => (compareValues(value, best) * sign > 0 ? value : best))] as const]
        }),
      )
    const counted = statistics !== 'none' && {
      valueCounts: new Map(ids.map((id) => [id, some.length])),
      nullCounts: new Map(ids.map((id) => [id, some.length - present(id).length])),
      ...(statistics === 'full' && { nanCounts: new Map([[2, present(2).filter(isNaN_).length]]) }),
      lower: extreme(-1),
      upper: extreme(1),
    }
    return {
      rows: some,
      file: { path, recordCount: some.length, fileSizeBytes: 100, partition: partitionOf(some[0]!), ...counted },
    }
  })
}

async function append(io: FileIO, metadata: TableMetadata, files: readonly NewDataFile[]): Promise<TableMetadata> {
  const { updates } = await (await prepareAppend(io, metadata, files)).on(metadata, { nowMs: 1 })
  return applyUpdates(metadata, updates, { nowMs: 1 })
}

test('no file with a matching row is ever pruned', async () => {
  let [pruned, kept] = [0, 0]
  await fc.assert(
    fc.asyncProperty(
      anySpec,
      fc.array(fc.array(anyRow, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 }),
      fc.array(anyPredicate, { minLength: 8, maxLength: 8 }),
      fc.constantFrom('full' as const, 'full', 'no nan counts', 'none'),
      fc.constantFrom('truncate(2)', 'full', 'counts'),
      async (spec, commits, predicates, statistics, mode) => {
        const io = memoryFileIO()
        let metadata = newTableMetadata({
          uuid: 'u',
          location: '/t',
          nowMs: 0,
          schema: columns,
          spec,
          properties: { 'write.metadata.metrics.default': mode },
        })
        const all: { file: NewDataFile; rows: readonly Row[] }[] = []
        for (const [index, rows] of commits.entries()) {
          const files = filesOf(rows, metadata, String(index), statistics)
          all.push(...files)
          metadata = await append(
            io,
            metadata,
            files.map(({ file }) => file),
          )
        }
        const manifests = manifestCache({ bytesMax: 1e6 })
        for (const predicate of predicates) {
          const plan = await planScan(io, metadata, { predicate, manifests })
          const survivors = new Set(plan.files.map(({ path }) => path))
          // What was learned of manifests by the plans before leaves out the same.
          const fresh = await planScan(io, metadata, { predicate })
          expect([...survivors]).toEqual(fresh.files.map(({ path }) => path))
          expect(plan.pruned).toEqual(fresh.pruned)
          for (const { file, rows } of all)
            if (rows.some((row) => holds(predicate, row) === true) && !survivors.has(file.path))
              throw new Error(`${file.path} was pruned: ${rows.map(String).join(' ; ')}`)
          kept += survivors.size
          pruned += all.length - survivors.size
        }
      },
    ),
    { numRuns: 300 },
  )
  expect(pruned).toBeGreaterThan(kept / 4) // it does prune
})

// --- what is pruned exactly

const simple = newTableMetadata({
  uuid: 'u',
  location: '/t',
  nowMs: 0,
  schema: [
    { name: 'at', type: { kind: 'timestamp' } },
    { name: 'n', type: { kind: 'long' } },
  ],
  spec: [{ column: 'at', transform: { kind: 'day' } }],
})
const dayMicros = 86_400_000_000n
const dayFile = (day: number, from: bigint, to: bigint): NewDataFile => ({
  path: `/t/data/${day}`,
  recordCount: 10,
  fileSizeBytes: 1000,
  partition: [day],
  lower: new Map([[2, from]]),
  upper: new Map([[2, to]]),
  valueCounts: new Map([
    [1, 10],
    [2, 10],
  ]),
  nullCounts: new Map([
    [1, 0],
    [2, 0],
  ]),
})

test.each<[string, Predicate, number[], { manifests: number; files: number }]>([
  ['nothing', { op: 'true' }, [3, 2, 1], { manifests: 0, files: 0 }],
  ['everything', { op: 'false' }, [], { manifests: 3, files: 0 }],
  ['one day', { op: '=', field: 1, value: 2n * dayMicros + 5n }, [2], { manifests: 2, files: 0 }],
  ['before a day begins', { op: '<', field: 1, value: 2n * dayMicros }, [1], { manifests: 2, files: 0 }],
  ['to the first moment', { op: '<=', field: 1, value: 2n * dayMicros }, [2, 1], { manifests: 1, files: 0 }],
  ['by bounds', { op: '>', field: 2, value: 20n }, [3], { manifests: 0, files: 2 }],
  ['by null counts', { op: 'is_null', field: 2 }, [], { manifests: 0, files: 3 }],
  ['a plain number for a long', { op: '=', field: 2, value: 15 }, [2], { manifests: 0, files: 2 }],
  ['text for a long: not understood', { op: '=', field: 2, value: 'x' }, [3, 2, 1], { manifests: 0, files: 0 }],
  [
    'a negated range',
    {
      op: 'not',
      of: {
        op: 'or',
        of: [
          { op: '<', field: 2, value: 11n },
          { op: '>', field: 2, value: 20n },
        ],
      },
    },
    [2],
    { manifests: 0, files: 2 },
  ],
])('pruning %s', async (_, predicate, days, pruned) => {
  const io = memoryFileIO()
  let metadata = simple
  for (const [day, from, to] of [
    [1, 1n, 10n],
    [2, 11n, 20n],
    [3, 21n, 30n],
  ] as const)
    metadata = await append(io, metadata, [dayFile(day, from, to)])
  const plan = await planScan(io, metadata, { predicate })
  expect(plan.files.map(({ path }) => Number(path.split('/').at(-1)))).toEqual(days)
  expect(plan.pruned).toEqual(pruned)
  expect(plan.totals).toMatchObject({ files: days.length, records: 10 * days.length, bytes: 1000 * days.length })
})

// Inclusive projections by the spec's transforms, in a notation: column, transform, predicate, what follows for the partition.
test.each<[Type['kind'], string, Leaf['op'], Value[], string]>([
  ['string', 'truncate[2]', 'starts_with', ['a'], 'starts_with a'],
  ['string', 'truncate[2]', 'starts_with', ['ab'], 'starts_with ab'],
  ['string', 'truncate[2]', 'starts_with', ['abc'], '= ab'],
  ['string', 'truncate[2]', '<', ['abc'], '<= ab'],
  ['string', 'truncate[2]', '>', ['abc'], '>= ab'],
  ['string', 'truncate[2]', '!=', ['abc'], 'nothing'],
  ['long', 'truncate[10]', '<', [20n], '<= 10'],
  ['long', 'truncate[10]', '>', [19n], '>= 20'],
  ['long', 'truncate[10]', 'in', [19n, 5n], 'in 10,0'],
  ['long', 'bucket[16]', '=', [34n], '= 3'],
  ['long', 'bucket[16]', '<', [34n], 'nothing'],
  ['long', 'bucket[16]', 'is_null', [], 'is_null '],
  ['long', 'void', 'is_null', [], 'nothing'],
  ['date', 'month', '=', [31], 'in 1'],
  ['date', 'month', '<', [31], '<= 0'],
  ['date', 'month', '=', [-1], 'in -1,0'], // old writers rounded towards zero
  ['date', 'month', '<=', [-1], '<= 0'],
  ['date', 'month', '>=', [-1], '>= -1'],
  ['date', 'year', 'not_in', [0], 'nothing'],
])('%s, %s: %s %s gives %s', (kind, transform, op, values, expected) => {
  const field = { id: 1, name: 'a', path: 'a', required: false, parents: [], repeated: false, type: { kind } as Type }
  const projected = project({ op, field, values }, parseTransform(transform))
  expect(projected ? `${projected.op} ${projected.values.join(',')}` : 'nothing').toBe(expected)
})

test('an empty table has no files', async () =>
  expect(await planScan(memoryFileIO(), simple)).toMatchObject({ snapshot: undefined, files: [] }))

test('a missing manifest names itself', async () => {
  const io = memoryFileIO()
  const metadata = await append(io, simple, [dayFile(1, 1n, 2n)])
  const manifest = [...io.files.keys()].find((path) => path.endsWith('-m0.avro'))!
  await io.delete(manifest)
  await expect(planScan(io, metadata)).rejects.toMatchObject({
    code: 'METADATA_INVALID',
    message: expect.stringContaining(manifest),
  })
})

// --- deletes

/** A snapshot of data and delete files with given sequence numbers, as another engine could have left it. */
async function withDeletes(
  files: readonly (Partial<DataFile> & { path: string; sequence: number })[],
): Promise<{ io: FileIO; metadata: TableMetadata }> {
  const io = memoryFileIO()
  const base = newTableMetadata({
    uuid: 'u',
    location: '/t',
    nowMs: 0,
    schema: [{ name: 'a', type: { kind: 'string' } }],
    spec: [{ column: 'a', transform: { kind: 'identity' } }],
  })
  const metadata = applyUpdates(base, [{ action: 'add-spec', spec: { specId: 1, fields: [] } }], { nowMs: 0 })
  const manifests = []
  for (const [index, { sequence, ...given }] of files.entries()) {
    const file: DataFile = {
      content: 'data',
      format: 'parquet',
      specId: 0,
      partition: ['x'],
      recordCount: 1,
      fileSizeBytes: 1,
      ...given,
    }
    const entry: EntryToWrite = {
      status: 'existing',
      snapshotId: 1n,
      sequenceNumber: BigInt(sequence),
      fileSequenceNumber: BigInt(sequence),
      file,
    }
    const spec = metadata.partitionSpecs[file.specId]!
    const { bytes, manifest } = encodeManifest([entry], {
      path: `/t/m${index}`,
      schema: metadata.schemas[0]!,
      spec,
      types: spec.fields.map(() => ({ kind: 'string' as const })),
      content: file.content === 'data' ? 'data' : 'deletes',
      snapshotId: 1n,
    })
    await io.create(manifest.path, bytes)
    manifests.push(listed(manifest, 9n))
  }
  await io.create(
    '/t/list',
    encodeManifestList(manifests, { snapshotId: 1n, parentSnapshotId: undefined, sequenceNumber: 9n }),
  )
  const snapshot = {
    snapshotId: 1n,
    sequenceNumber: 9n,
    timestampMs: 1,
    manifestList: '/t/list',
    summary: { operation: 'append' },
  }
  return {
    io,
    metadata: applyUpdates(
      metadata,
      [
        { action: 'add-snapshot', snapshot },
        { action: 'set-snapshot-ref', refName: 'main', ref: { type: 'branch', snapshotId: 1n } },
      ],
      { nowMs: 1 },
    ),
  }
}

const vectorEntry = {
  content: 'position-deletes' as const,
  format: 'puffin' as const,
  path: '/t/v.puffin',
  sequence: 2,
  referencedDataFile: '/t/a',
  contentOffset: 4,
  contentSizeBytes: 40,
}
test.each<[what: string, message: string, files: Parameters<typeof withDeletes>[0]]>([
  [
    'two deletion vectors of one file',
    '/t/a has 2 deletion vectors in one snapshot',
    [{ path: '/t/a', sequence: 1 }, vectorEntry, { ...vectorEntry, contentOffset: 44 }],
  ],
  [
    'a vector that is about no file',
    '/t/m0: entry 0 data_file: a Puffin file that is no deletion vector',
    [{ ...vectorEntry, referencedDataFile: undefined }],
  ],
  [
    'data in Puffin',
    '/t/m0: entry 0 data_file: a Puffin file that is no deletion vector',
    [{ path: '/t/a', sequence: 1, format: 'puffin' }],
  ],
  [
    'a file that is younger than its manifest',
    '/t/m0: /t/a has the sequence number 10',
    [{ path: '/t/a', sequence: 10 }],
  ],
  ['less rows than none', '/t/m0: entry 0 data_file: "record_count"', [{ path: '/t/a', sequence: 1, recordCount: -1 }]],
])('refused by name: %s', async (_, message, files) => {
  const { io, metadata } = await withDeletes(files)
  await expect(planScan(io, metadata)).rejects.toMatchObject({
    code: 'METADATA_INVALID',
    message: expect.stringContaining(message),
  })
})

test('a manifest whose header knows of no partition field has those that its entries store', async () => {
  const { io, metadata } = await withDeletes([{ path: '/t/a', sequence: 1 }])
  const written = Buffer.from((await io.read('/t/m0')) as Uint8Array).toString('latin1')
  const header = /\[\{[^[\]]*"transform":"identity"[^[\]]*\}\]/.exec(written)![0]
  await io.delete('/t/m0')
  await io.create('/t/m0', Buffer.from(written.replace(header, '[]'.padEnd(header.length)), 'latin1'))
  const { files } = await planScan(io, metadata)
  expect(files.map(({ partition }) => partition)).toEqual([['x']])
})

test.each<[what: string, message: string, change: (list: ManifestFile[]) => ManifestFile[]]>([
  ['a manifest that is named twice', '/t/list2: the manifest /t/m0 is named twice', (list) => [...list, list[0]!]],
  [
    'a manifest that is younger than its snapshot',
    '/t/list2: the manifest /t/m0 has the sequence number 10, its snapshot 9',
    ([first]) => [{ ...first!, sequenceNumber: 10n }],
  ],
  [
    'a manifest that is older than all',
    '/t/list2: the manifest /t/m0 has the sequence number -1',
    ([first]) => [{ ...first!, sequenceNumber: -1n }],
  ],
  [
    'data called deletes',
    '/t/m0: entry 0: a file of data in a manifest of deletes',
    ([first]) => [{ ...first!, content: 'deletes' }],
  ],
  [
    'a manifest of another partition spec',
    '/t/m1: the manifest is of another partition spec than 0',
    ([, second]) => [{ ...second!, specId: 0 }],
  ],
])('refused by name: %s', async (_, message, change) => {
  const { io, metadata } = await withDeletes([
    { path: '/t/a', sequence: 1 },
    { path: '/t/b', sequence: 1, specId: 1, partition: [] },
  ])
  const [snapshot] = metadata.snapshots as [Snapshot]
  const list = change([...(await readManifestList(io, metadata, snapshot))])
  const what = { snapshotId: 1n, parentSnapshotId: undefined, sequenceNumber: 9n }
  await io.create('/t/list2', encodeManifestList(list, what))
  const changed = { ...metadata, snapshots: [{ ...snapshot, manifestList: '/t/list2' }] }
  await expect(planScan(io, changed)).rejects.toMatchObject({
    code: 'METADATA_INVALID',
    message: expect.stringContaining(message),
  })
})

test('partitions of another type than the table has are refused, and counts below none are not known', async () => {
  const { io, metadata } = await withDeletes([{ path: '/t/a', sequence: 1 }])
  const schemas = metadata.schemas.map((schema) => ({
    ...schema,
    fields: schema.fields.map((field) => ({ ...field, type: { kind: 'long' as const } })),
  }))
  await expect(planScan(io, { ...metadata, schemas })).rejects.toMatchObject({
    code: 'METADATA_INVALID',
    message: '/t/m0: entry 0 data_file partition: x is no long',
  })
  const [snapshot] = metadata.snapshots as [Snapshot]
  const [manifest] = await readManifestList(io, metadata, snapshot)
  const less = encodeManifestList([{ ...manifest!, addedFiles: -1, existingFiles: 0 }], {
    snapshotId: 1n,
    parentSnapshotId: undefined,
    sequenceNumber: 9n,
  })
  await io.create('/t/less', less)
  const plan = await planScan(io, { ...metadata, snapshots: [{ ...snapshot, manifestList: '/t/less' }] })
  expect(plan.files.map(({ path }) => path)).toEqual(['/t/a'])
})

const text = (value: string) => encodeBound({ kind: 'string' }, value)
const position = { content: 'position-deletes' as const }
const equality = { content: 'equality-deletes' as const, equalityIds: [1] }
const filePath = 2147483546
test.each<[string, Partial<DataFile> & { sequence: number }, boolean]>([
  ['position deletes of the same commit', { ...position, sequence: 5 }, true],
  ['position deletes of a later commit', { ...position, sequence: 6 }, true],
  ['position deletes of an earlier commit', { ...position, sequence: 4 }, false],
  ['position deletes of another partition', { ...position, sequence: 6, partition: ['y'] }, false],
  ['position deletes of another spec', { ...position, sequence: 6, specId: 1, partition: [] }, false],
  ['position deletes that name this file', { ...position, sequence: 6, referencedDataFile: '/data' }, true],
  ['position deletes that name another file', { ...position, sequence: 6, referencedDataFile: '/other' }, false],
  [
    'position deletes whose names lie elsewhere',
    {
      ...position,
      sequence: 6,
      lowerBounds: new Map([[filePath, text('/e')]]),
      upperBounds: new Map([[filePath, text('/f')]]),
    },
    false,
  ],
  [
    'position deletes whose names enclose it',
    {
      ...position,
      sequence: 6,
      lowerBounds: new Map([[filePath, text('/a')]]),
      upperBounds: new Map([[filePath, text('/f')]]),
    },
    true,
  ],
  ['equality deletes of the same commit', { ...equality, sequence: 5 }, false],
  ['equality deletes of a later commit', { ...equality, sequence: 6 }, true],
  ['equality deletes of another partition', { ...equality, sequence: 6, partition: ['y'] }, false],
  ['equality deletes without partition', { ...equality, sequence: 6, specId: 1, partition: [] }, true],
])('%s', async (_, deletes, applies) => {
  const { io, metadata } = await withDeletes([
    { path: '/data', sequence: 5 },
    { path: '/deletes', ...deletes },
  ])
  const [file] = (await planScan(io, metadata)).files
  expect(file?.deletes.map(({ file }) => file.path)).toEqual(applies ? ['/deletes'] : [])
})

test('delete files of pruned partitions are pruned too', async () => {
  const { io, metadata } = await withDeletes([
    { path: '/data', sequence: 5 },
    { path: '/deletes', sequence: 6, ...position },
    { path: '/y', sequence: 5, partition: ['y'] },
  ])
  const plan = await planScan(io, metadata, { predicate: { op: '=', field: 1, value: 'y' } })
  expect(plan.files.map(({ path, deletes }) => [path, deletes.length])).toEqual([['/y', 0]])
  expect(plan.pruned).toEqual({ manifests: 2, files: 0 })
})

test('the cache drops what was used longest ago', async () => {
  const io = memoryFileIO()
  let metadata = simple
  for (let day = 0; day < 5; day++) metadata = await append(io, metadata, [dayFile(day, 0n, 1n)])
  const all = manifestCache({ bytesMax: 1e9 })
  await planScan(io, metadata, { manifests: all })
  await planScan(io, metadata, { manifests: all })
  expect([all.hits, all.misses]).toEqual([5, 5])
  const few = manifestCache({ bytesMax: all.bytes / 2 })
  await planScan(io, metadata, { manifests: few })
  expect(few.bytes).toBeLessThanOrEqual(all.bytes / 2)
  expect(few.bytes).toBeGreaterThan(0)
})

test('a table of version 1 may name its manifests in its metadata', async () => {
  const io = memoryFileIO()
  const empty = newTableMetadata({ uuid: 'u', location: '/old', nowMs: 0, schema: columns, formatVersion: 1 })
  const files = ['a', 'b'].map((name): NewDataFile => ({ path: `/old/${name}`, recordCount: 1, fileSizeBytes: 1 }))
  const { updates } = await (await prepareAppend(io, empty, files)).on(empty, { nowMs: 1 })
  const listedThere = applyUpdates(empty, updates, { nowMs: 1 })
  const [{ manifestList, ...snapshot }] = listedThere.snapshots as [(typeof listedThere.snapshots)[0]]
  const manifests = [...io.files.keys()].filter((path) => path.endsWith('.avro') && path !== manifestList)
  const metadata: TableMetadata = { ...listedThere, snapshots: [{ ...snapshot, manifests }] }
  const plan = await planScan(io, metadata)
  expect(plan.files.map(({ path, sequenceNumber }) => [path, sequenceNumber])).toEqual([
    ['/old/a', 0n],
    ['/old/b', 0n],
  ])
  expect(filesToRead(plan)).toEqual(files.map(({ path }) => ({ path, sizeBytes: 1 })))
})

test('the plan that warms up is one that works', () => expect(warmUp()).resolves.toBeUndefined())

test('a manifest is read whose maps have items that may be null, which lacks the partition that has no fields, or has odd headers', async () => {
  const metadata = newTableMetadata({
    uuid: 'a',
    location: 'memory:/t',
    schema: [{ name: 'l', type: { kind: 'long' } }],
    nowMs: 0,
  })
  const fields = [
    { name: 'key', type: ['null', 'int'] as const },
    { name: 'value', type: ['null', 'long'] as const },
  ]
  const counts = { type: 'array', items: ['null', { type: 'record', name: 'item', fields }] } as const
  const file = [
    { name: 'file_path', type: 'string', 'field-id': 100 },
    { name: 'file_format', type: 'string', 'field-id': 101 },
    { name: 'record_count', type: 'long', 'field-id': 103 },
    { name: 'file_size_in_bytes', type: 'long', 'field-id': 104 },
    { name: 'value_counts', type: counts, 'field-id': 109 },
  ] as const
  const schema: AvroRecord = {
    type: 'record',
    name: 'manifest_entry',
    fields: [
      { name: 'status', type: 'int', 'field-id': 0 },
      { name: 'data_file', type: { type: 'record', name: 'data_file', fields: file }, 'field-id': 2 },
    ],
  }
  const entry = {
    file_path: 'memory:/t/1.parquet',
    file_format: 'PARQUET',
    record_count: 3,
    file_size_in_bytes: 9,
    value_counts: [{ key: 1, value: 3 }, {}, null],
  }
  const io = memoryFileIO()
  // What the header says, the table's metadata say as well: no sense in it hides no rows.
  const headers: Record<string, string>[] = [{}, { schema: '{}', 'partition-spec': '{"spec-id":0,"fields":[]}' }]
  for (const [index, header] of headers.entries()) {
    const path = `memory:/t/m${index}.avro`
    await io.write(path, writeAvro({ schema, header }, [{ status: 1, data_file: entry }]))
    const { entries } = await loadManifest(io, metadata, { path, specId: 0, content: 'data' } as ManifestFile)
    expect(entries.map(({ file }) => [file.recordCount, file.valueCounts])).toEqual([[3, undefined]])
  }
})

test('partitions are found by their names in manifests without field ids', async () => {
  const metadata = newTableMetadata({
    uuid: 'a',
    location: 'memory:/t',
    schema: {
      schemaId: 0,
      fields: [{ id: 1, name: 'the day', type: { kind: 'string' }, required: false }],
      identifierFieldIds: [],
    },
    spec: { specId: 0, fields: [{ sourceIds: [1], fieldId: 1000, name: 'the day', transform: { kind: 'identity' } }] },
    nowMs: 0,
  })
  const data = [
    { name: 'file_path', type: 'string' },
    { name: 'file_format', type: 'string' },
    {
      name: 'partition',
      type: { type: 'record', name: 'r102', fields: [{ name: 'the_x20day', type: ['null', 'string'] }] },
    },
    { name: 'record_count', type: 'long' },
    { name: 'file_size_in_bytes', type: 'long' },
  ] as const
  const schema: AvroRecord = {
    type: 'record',
    name: 'manifest_entry',
    fields: [
      { name: 'status', type: 'int' },
      { name: 'data_file', type: { type: 'record', name: 'data_file', fields: data } },
    ],
  }
  const entry = {
    file_path: 'memory:/t/1.parquet',
    file_format: 'PARQUET',
    partition: { the_x20day: 'monday' },
    record_count: 3,
    file_size_in_bytes: 9,
  }
  const io = memoryFileIO()
  await io.write('memory:/t/m.avro', writeAvro({ schema, header: {} }, [{ status: 1, data_file: entry }]))
  const manifest = { path: 'memory:/t/m.avro', specId: 0, content: 'data' } as ManifestFile
  const { entries } = await loadManifest(io, metadata, manifest)
  expect(entries.map(({ file }) => file.partition)).toEqual([['monday']])
})
