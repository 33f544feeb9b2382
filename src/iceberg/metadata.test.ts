import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { memoryFileIO } from '../io/index.ts'
import { parseJson, printJson } from './json.ts'
import {
  currentSchema,
  newTableMetadata,
  parseTableMetadata,
  printTableMetadata,
  tableMetadataJson,
} from './metadata.ts'
import { readTableMetadata, writeTableMetadata } from './metadata-file.ts'
import type { Snapshot, TableMetadata } from './metadata-types.ts'
import { history, schemaOf, snapshotAsOf } from './snapshot.ts'
import { applyUpdates } from './update.ts'

const schema = { type: 'struct', 'schema-id': 0, fields: [{ id: 1, name: 'x', required: true, type: 'long' }] }
const base = {
  'format-version': 2,
  'table-uuid': '9c12d441-03fe-4693-9a96-a0705ddf69c1',
  location: 's3://bucket/test/location',
  'last-sequence-number': 34,
  'last-updated-ms': 1602638573590,
  'last-column-id': 3,
  'current-schema-id': 0,
  schemas: [schema],
  'default-spec-id': 0,
  'partition-specs': [
    { 'spec-id': 0, fields: [{ name: 'x', transform: 'identity', 'source-id': 1, 'field-id': 1000 }] },
  ],
  'last-partition-id': 1000,
  'default-sort-order-id': 3,
  'sort-orders': [
    {
      'order-id': 3,
      fields: [{ transform: 'bucket[4]', 'source-id': 1, direction: 'desc', 'null-order': 'nulls-last' }],
    },
  ],
  properties: { 'read.split.target.size': 134217728 },
}
const snapshots = [
  {
    'snapshot-id': 3051729675574597004n,
    'timestamp-ms': 1515100955770,
    'sequence-number': 0,
    summary: { operation: 'append' },
    'manifest-list': 's3://a/1.avro',
  },
  {
    'snapshot-id': 3055729675574597004n,
    'parent-snapshot-id': 3051729675574597004n,
    'timestamp-ms': 1555100955770,
    'sequence-number': 1,
    summary: { operation: 'append' },
    'manifest-list': 's3://a/2.avro',
    'schema-id': 0,
  },
]
const withSnapshots = {
  ...base,
  'current-snapshot-id': 3055729675574597004n,
  snapshots,
  'snapshot-log': [
    { 'snapshot-id': 3051729675574597004n, 'timestamp-ms': 1515100955770 },
    { 'snapshot-id': 3055729675574597004n, 'timestamp-ms': 1555100955770 },
  ],
  'metadata-log': [{ 'metadata-file': 's3://bucket/0.json', 'timestamp-ms': 1515100 }],
  refs: { test: { 'snapshot-id': 3051729675574597004n, type: 'tag', 'max-ref-age-ms': 10000000 } },
}
const parse = (json: unknown) => parseTableMetadata(printJson(json), 't.json')

test('64-bit ids are exact, both ways', () => {
  const metadata = parse(withSnapshots)
  expect(metadata.currentSnapshotId).toBe(3055729675574597004n)
  expect(metadata.snapshots[1]?.parentSnapshotId).toBe(3051729675574597004n)
  expect(printTableMetadata(metadata)).toContain('"current-snapshot-id":3055729675574597004')
})

test('what is printed is read back', () => {
  for (const json of [base, withSnapshots]) {
    const metadata = parse(json)
    expect(parseTableMetadata(printTableMetadata(metadata))).toEqual(metadata)
  }
})

test('what was read is printed with the same content', () => {
  const printed = parseJson(printTableMetadata(parse(withSnapshots))) as Record<string, unknown>
  expect(printed).toMatchObject({ ...withSnapshots, properties: { 'read.split.target.size': '134217728' } })
  expect(printed.refs).toHaveProperty('main') // the spec wants it, older writers left it out
})

test.each([
  ['-1, as Java writes it', -1],
  ['null', null],
  ['absent', undefined],
])('no snapshot: %s', (_, id) => {
  const metadata = parse({ ...base, 'current-snapshot-id': id })
  expect(metadata.currentSnapshotId).toBeUndefined()
  expect(metadata.refs).toEqual({})
  expect(printTableMetadata(metadata)).not.toContain('current-snapshot-id')
})

test('properties that are null are none', () => {
  const [snapshot] = snapshots
  const { properties, snapshots: read } = parse({
    ...withSnapshots,
    properties: { owner: null, 'read.split.target.size': 1 },
    snapshots: [{ ...snapshot, summary: { operation: 'append', 'app-id': null } }, snapshots[1]],
  })
  expect(properties).toEqual({ 'read.split.target.size': '1' })
  expect(read[0]!.summary).toEqual({ operation: 'append' })
})

const version1 = {
  'format-version': 1,
  location: 's3://bucket/test/location',
  'last-updated-ms': 1602638573874,
  'last-column-id': 1,
  schema: { type: 'struct', fields: [{ id: 1, name: 'x', required: true, type: 'long' }] },
  'partition-spec': [{ name: 'x', transform: 'identity', 'source-id': 1 }],
  properties: {},
  'current-snapshot-id': 5,
  snapshots: [{ 'snapshot-id': 5, 'timestamp-ms': 1, manifests: ['s3://a/m.avro'] }],
}

test('version 1: what older writers left out is filled in', () => {
  const metadata = parse(version1)
  expect(metadata).toMatchObject({
    formatVersion: 1,
    lastSequenceNumber: 0n,
    currentSchemaId: 0,
    defaultSpecId: 0,
    lastPartitionId: 1000,
    partitionSpecs: [{ specId: 0, fields: [{ fieldId: 1000 }] }],
    sortOrders: [{ orderId: 0, fields: [] }],
    refs: { main: { snapshotId: 5n, type: 'branch' } },
  })
  expect(metadata.tableUuid).toBe(parse(version1).tableUuid)
  expect(parseJson(printTableMetadata(metadata))).toMatchObject({
    schema: { fields: [{ id: 1 }] },
    'partition-spec': [{ 'field-id': 1000 }],
  })
})

test('version 3: row ids, keys and defaults', () => {
  const json = {
    ...base,
    'format-version': 3,
    'next-row-id': 9007199254740993n,
    'encryption-keys': [{ 'key-id': 'a' }],
    schemas: [
      {
        ...schema,
        fields: [
          ...schema.fields,
          { id: 2, name: 'v', required: false, type: 'variant' },
          { id: 3, name: 'd', required: true, type: 'int', 'initial-default': 7, 'write-default': 8 },
        ],
      },
    ],
  }
  const metadata = parse(json)
  expect(metadata.nextRowId).toBe(9007199254740993n)
  expect(metadata.schemas[0]?.fields[2]).toMatchObject({ initialDefault: 7, writeDefault: 8 })
  expect(parseJson(printTableMetadata(metadata))).toMatchObject({
    'next-row-id': 9007199254740993n,
    'encryption-keys': [{ 'key-id': 'a' }],
    schemas: json.schemas,
  })
})

test.each<[Record<string, unknown>, string]>([
  [{ 'format-version': undefined }, '"format-version" is missing'],
  [{ 'format-version': 0 }, 'format-version: there is no version 0'],
  [{ 'table-uuid': undefined }, '"table-uuid" is missing'],
  [{ location: 5 }, 'location: expected text, found 5'],
  [{ 'last-sequence-number': undefined }, '"last-sequence-number" is missing'],
  [{ 'last-sequence-number': '7' }, 'last-sequence-number: expected a 64-bit integer'],
  [{ 'last-updated-ms': 1.5 }, 'last-updated-ms: expected an integer'],
  [{ 'current-schema-id': 9 }, 'current-schema-id: there is no schema 9'],
  [{ schemas: [] }, 'schemas: there is none'],
  [{ 'default-spec-id': 9 }, 'default-spec-id: there is no partition spec 9'],
  [{ 'default-sort-order-id': 9 }, 'default-sort-order-id: there is no sort order 9'],
  [
    { 'partition-specs': [{ 'spec-id': 0, fields: [{ name: 'x', transform: 'identity', 'field-id': 1000 }] }] },
    'partition-specs[0].fields[0]: "source-id" is missing',
  ],
  [{ 'current-snapshot-id': 5 }, 'current-snapshot-id: there is no snapshot 5'],
  [{ snapshots: [snapshots[0], snapshots[0]] }, 'snapshots: a snapshot id is used twice'],
  [{ snapshots: [{ ...snapshots[0], 'manifest-list': undefined }] }, 'snapshots[0]: "manifest-list" is missing'],
  [{ refs: { b: { 'snapshot-id': 1, type: 'branch' } } }, 'refs: "b" names snapshot 1'],
  [{ snapshots, refs: { main: { 'snapshot-id': 3055729675574597004n, type: 'tag' } } }, 'refs: "main" is no branch'],
  [{ snapshots, 'last-sequence-number': 0 }, 'has the sequence number 1, the last one is 0'],
  [{ snapshots: [{ ...snapshots[0], 'sequence-number': -1 }] }, 'has the sequence number -1'],
  [{ snapshots: [{ ...snapshots[0], 'timestamp-ms': 8_640_000_000_000_001 }] }, '8640000000000001 ms are no time'],
  [{ schemas: [schema, schema] }, 'schemas: a schema id is used twice'],
  [{ schemas: [{ ...schema, fields: [{ ...schema.fields[0], id: -1 }] }] }, 'schemas[0]: "x" has the field id -1'],
  [{ 'partition-specs': [...base['partition-specs'], ...base['partition-specs']] }, 'a spec id is used twice'],
  [
    {
      snapshots,
      'current-snapshot-id': 3051729675574597004n,
      refs: { main: { 'snapshot-id': 3055729675574597004n, type: 'branch' } },
    },
    'is not the head of the branch main',
  ],
  [
    { snapshots, refs: { b: { 'snapshot-id': 3055729675574597004n, type: 'twig' } } },
    'refs["b"].type: expected one of branch, tag',
  ],
])('refused, case %#', (change, message) =>
  expect(() => parse({ ...base, ...change })).toThrow(
    expect.objectContaining({
      code: 'METADATA_INVALID',
      message: expect.stringContaining(message),
      place: { file: 't.json' },
    }),
  ),
)

test('counters that are too low give no id twice', () => {
  const { lastColumnId, lastPartitionId, nextRowId } = parse({
    ...base,
    'format-version': 3,
    schemas: [
      {
        ...schema,
        fields: [
          { ...schema.fields[0], id: 7 },
          { ...schema.fields[0], name: 'y', id: 1 },
        ],
      },
    ],
    'partition-specs': [
      { 'spec-id': 0, fields: [{ name: 'x', transform: 'identity', 'source-id': 7, 'field-id': 1004 }] },
    ],
    'last-column-id': 1,
    'last-partition-id': 999,
    'next-row-id': 0,
    snapshots: [{ ...snapshots[1], 'first-row-id': 10, 'added-rows': 5 }],
  })
  expect([lastColumnId, lastPartitionId, nextRowId]).toEqual([7, 1004, 15n])
})

test.each(['', '{', '[]', 'null', '"a"', `${'['.repeat(100_000)}`])('%.20j is no metadata', (text) =>
  expect(() => parseTableMetadata(text, 't.json')).toThrow(expect.objectContaining({ code: 'METADATA_INVALID' })),
)

test('a version of the future is unsupported', () =>
  expect(() => parse({ ...base, 'format-version': 4 })).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' })))

test('time travel', () => {
  const metadata = parse(withSnapshots)
  const id = (at?: Parameters<typeof snapshotAsOf>[1]) => snapshotAsOf(metadata, at)?.snapshotId
  expect(id()).toBe(3055729675574597004n)
  expect(id({ timestampMs: 1555100955769 })).toBe(3051729675574597004n)
  expect(id({ timestampMs: 1515100955770 })).toBe(3051729675574597004n)
  expect(id({ timestampMs: 1515100955769 })).toBeUndefined()
  expect(id({ ref: 'test' })).toBe(3051729675574597004n)
  expect(() => id({ ref: 'none' })).toThrow('there is no branch or tag "none"; there is "test", "main"')
  expect(() => id({ snapshotId: 1n })).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
  expect(
    history(metadata).map(({ snapshot, isCurrentAncestor }) => [snapshot.sequenceNumber, isCurrentAncestor]),
  ).toEqual([
    [1n, true],
    [0n, true],
  ])
  expect(schemaOf(metadata, metadata.snapshots[0])).toBe(currentSchema(metadata))
  // Expired: the log begins with a snapshot that had a parent.
  const expired = applyUpdates(metadata, [{ action: 'remove-snapshots', snapshotIds: [3051729675574597004n] }], {
    nowMs: 0,
  })
  expect(() => snapshotAsOf(expired, { timestampMs: 1555100955769 })).toThrow('was expired')
})

test('files are created once, named by version, and read plain or packed', async () => {
  const io = memoryFileIO()
  const metadata = newTableMetadata({
    uuid: 'u',
    location: '/lake/t/',
    nowMs: 1,
    schema: [{ name: 'a', type: { kind: 'long' } }],
  })
  const first = await writeTableMetadata(io, metadata)
  expect(first).toMatch(/^\/lake\/t\/metadata\/00000-[\da-f-]{36}\.metadata\.json$/)
  const packed = await writeTableMetadata(
    io,
    { ...metadata, properties: { 'write.metadata.compression-codec': 'gzip' } },
    { previous: '/x/00041-a.gz.metadata.json' },
  )
  expect(packed).toMatch(/\/00042-[\da-f-]{36}\.gz\.metadata\.json$/)
  expect(await readTableMetadata(io, first)).toEqual(metadata)
  expect((await readTableMetadata(io, packed)).tableUuid).toBe('u')
  expect(await writeTableMetadata(io, metadata, { previous: '/x/v7.metadata.json' })).toContain('/00008-')
  await io.create('/broken', gzipSync('{}').subarray(0, 15))
  await expect(readTableMetadata(io, '/broken')).rejects.toMatchObject({ code: 'METADATA_INVALID' })
  await expect(readTableMetadata(io, '/none')).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
})

test('a long history is packed unless the table says otherwise, and reads back whatever was kept of the files before', async () => {
  const io = memoryFileIO()
  const snapshot = (id: number): Snapshot => ({
    snapshotId: BigInt(id),
    sequenceNumber: BigInt(id),
    timestampMs: 1_000 + id,
    summary: { operation: 'append', 'added-records': String(id), note: 'x'.repeat(300) },
    manifestList: `/lake/t/metadata/snap-${id}.avro`,
    schemaId: 0,
  })
  let metadata: TableMetadata = newTableMetadata({
    uuid: 'u',
    location: '/lake/t',
    nowMs: 1,
    schema: [{ name: 'a', type: { kind: 'long' } }],
  })
  const written = async (next: TableMetadata) => {
    const location = await writeTableMetadata(io, next)
    expect(await readTableMetadata(io, location)).toEqual(next)
    const bytes = (await io.read(location))!
    const text = location.includes('.gz.') ? gunzipSync(bytes).toString() : Buffer.from(bytes).toString()
    expect(JSON.parse(text)).toEqual(JSON.parse(printJson(tableMetadataJson(next))))
    return location.includes('.gz.') ? 'packed' : 'plain'
  }
  const forms = new Map<number, string>()
  for (let id = 1; id <= 500; id++) {
    metadata = {
      ...metadata,
      lastSequenceNumber: BigInt(id),
      snapshots: [...metadata.snapshots, snapshot(id)],
      snapshotLog: [...metadata.snapshotLog, { snapshotId: BigInt(id), timestampMs: 1_000 + id }],
      currentSnapshotId: BigInt(id),
      refs: { main: { type: 'branch', snapshotId: BigInt(id) } },
    }
    if (id % 63 === 1 || id > 490) forms.set(id, await written(metadata))
  }
  expect([forms.get(1), forms.get(190), forms.get(500)]).toEqual(['plain', 'plain', 'packed'])
  const expiredBy = (count: number) => ({
    ...metadata,
    snapshots: metadata.snapshots.slice(count),
    snapshotLog: metadata.snapshotLog.slice(count),
  })
  for (let count = 0; count <= 33; count++) await written(expiredBy(count))
  await written(metadata) // what begins a list once stands inside it another time
  const expired = expiredBy(70)
  expect(await written(expired)).toBe('packed')
  expect(await written({ ...expired, formatVersion: 3, nextRowId: 0n })).toBe('packed')
  for (const [codec, form] of [
    ['none', 'plain'],
    ['gzip', 'packed'],
  ] as const)
    expect(await written({ ...metadata, properties: { 'write.metadata.compression-codec': codec } })).toBe(form)
})
