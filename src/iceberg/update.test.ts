import fc from 'fast-check'
import { expect, test } from 'vitest'
import { newTableMetadata, parseTableMetadata, printTableMetadata } from './metadata.ts'
import type { Snapshot, TableChange, TableMetadata, TableRequirement, TableUpdate } from './metadata-types.ts'
import { parseJson, printJson } from './json.ts'
import { parseSchema } from './schema.ts'
import { snapshotById } from './snapshot.ts'
import { applyUpdates, checkRequirements, createUpdates, followedBy } from './update.ts'
import { parseTableRequirement, parseTableUpdate, tableRequirementJson, tableUpdateJson } from './update-json.ts'

const table = newTableMetadata({
  uuid: 'b4c7f0d2-0000-4000-8000-000000000000',
  location: 'file:///lake/t',
  nowMs: 1000,
  schema: [
    { name: 'id', type: { kind: 'long' }, required: true },
    { name: 'at', type: { kind: 'timestamp' } },
    {
      name: 'who',
      type: { kind: 'struct', fields: [{ id: 0, name: 'name', required: false, type: { kind: 'string' } }] },
    },
  ],
  spec: [
    { column: 'at', transform: { kind: 'day' } },
    { column: 'who.name', transform: { kind: 'truncate', width: 2 } },
  ],
  order: { orderId: 1, fields: [] },
  properties: { a: '1' },
})

const snapshot = (id: number, more: Partial<Snapshot> = {}): Snapshot => ({
  snapshotId: BigInt(id),
  sequenceNumber: BigInt(id),
  timestampMs: 2000 + id,
  manifestList: `/m${id}`,
  summary: { operation: 'append' },
  schemaId: 0,
  ...(id > 1 && { parentSnapshotId: BigInt(id - 1) }),
  ...more,
})
const add = (id: number, more?: Partial<Snapshot>): TableUpdate[] => [
  { action: 'add-snapshot', snapshot: snapshot(id, more) },
  { action: 'set-snapshot-ref', refName: 'main', ref: { type: 'branch', snapshotId: BigInt(id) } },
]
const apply = (metadata: TableMetadata, ...updates: TableUpdate[]) => applyUpdates(metadata, updates, { nowMs: 5000 })
const three = apply(apply(apply(table, ...add(1)), ...add(2)), ...add(3))

test('a new table gets fresh ids: a level first, then what is inside', () => {
  expect(table.schemas[0]?.fields.map(({ id }) => id)).toEqual([1, 2, 3])
  expect(table.lastColumnId).toBe(4)
  expect(table.partitionSpecs[0]?.fields.map(({ name, sourceIds, fieldId }) => [name, sourceIds[0], fieldId])).toEqual([
    ['at_day', 2, 1000],
    ['who.name_trunc_2', 4, 1001],
  ])
  expect(parseTableMetadata(printTableMetadata(table))).toEqual(table)
})

test('a schema with ids is renumbered, and the spec and order with it', () => {
  const schema = parseSchema({
    type: 'struct',
    'identifier-field-ids': [50],
    fields: [
      { id: 70, name: 'a', required: false, type: 'int' },
      { id: 50, name: 'b', required: true, type: 'int' },
    ],
  })
  const metadata = newTableMetadata({
    uuid: 'u',
    location: '/t',
    nowMs: 1,
    schema,
    spec: { specId: 7, fields: [{ sourceIds: [50], fieldId: 5000, name: 'b', transform: { kind: 'identity' } }] },
    order: {
      orderId: 9,
      fields: [{ sourceIds: [70], transform: { kind: 'identity' }, direction: 'asc', nullOrder: 'nulls-first' }],
    },
  })
  expect(metadata).toMatchObject({
    schemas: [{ fields: [{ id: 1 }, { id: 2 }], identifierFieldIds: [2] }],
    partitionSpecs: [{ specId: 0, fields: [{ sourceIds: [2], fieldId: 1000 }] }],
    sortOrders: [{ orderId: 1, fields: [{ sourceIds: [1] }] }],
    defaultSortOrderId: 1,
  })
})

test('createUpdates make the same table out of nothing', () => {
  expect(printTableMetadata(applyUpdates(undefined, createUpdates(table), { nowMs: 1000 }))).toBe(
    printTableMetadata(table),
  )
  expect(() => applyUpdates(undefined, [{ action: 'assign-uuid', uuid: 'u' }], { nowMs: 1 })).toThrow(
    'needs set-location',
  )
})

test('nothing changed is the same object', () => {
  expect(apply(table)).toBe(table)
  expect(
    apply(table, { action: 'set-location', location: table.location }, { action: 'set-current-schema', schemaId: 0 }),
  ).toBe(table)
})

test('a snapshot moves main, the log, the time and the sequence number', () => {
  expect(three).toMatchObject({
    currentSnapshotId: 3n,
    lastSequenceNumber: 3n,
    lastUpdatedMs: 2003,
    refs: { main: { snapshotId: 3n } },
  })
  expect(three.snapshotLog).toEqual([1, 2, 3].map((id) => ({ snapshotId: BigInt(id), timestampMs: 2000 + id })))
})

test('two snapshots in one change: the log shows the last', () =>
  expect(apply(table, ...add(1), ...add(2)).snapshotLog.map(({ snapshotId }) => snapshotId)).toEqual([2n]))

test('a rollback is logged with the time it happened', () =>
  expect(
    apply(three, {
      action: 'set-snapshot-ref',
      refName: 'main',
      ref: { type: 'branch', snapshotId: 1n },
    }).snapshotLog.at(-1),
  ).toEqual({ snapshotId: 1n, timestampMs: 5000 }))

test('what is remembered of lists that came before changes no answer', () => {
  const read = (metadata: TableMetadata) => parseTableMetadata(printTableMetadata(metadata), 'again')
  const step = fc.tuple(fc.constantFrom('add', 'stage', 'twice', 'back', 'expire'), fc.nat(12), fc.nat(3))
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 25 }), (steps) => {
      const known = [table]
      for (const [kind, id, past] of steps) {
        // Also on top of what others have gone on from.
        const base = known.at(-1 - Math.min(past, known.length - 1))!
        const next = Number(base.lastSequenceNumber) + 1
        const updates: TableUpdate[] =
          kind === 'back'
            ? [{ action: 'set-snapshot-ref', refName: 'main', ref: { type: 'branch', snapshotId: BigInt(id) } }]
            : kind === 'expire'
              ? [{ action: 'remove-snapshots', snapshotIds: [BigInt(id)] }]
              : kind === 'twice'
                ? [...add(next), ...add(next + 1)]
                : add(id % 2 === 0 ? next : next + 1).slice(0, kind === 'stage' ? 1 : 2)
        const outcome = (metadata: TableMetadata) => {
          try {
            return applyUpdates(metadata, updates, { nowMs: 5000 })
          } catch (error) {
            return String(error)
          }
        }
        const [after, afresh] = [outcome(base), outcome(read(base))]
        expect(after).toEqual(afresh)
        if (typeof after === 'string') continue
        for (const one of [...known, after]) for (const { snapshotId } of one.snapshots) snapshotById(one, snapshotId)
        known.push(after)
      }
    }),
  )
})

test('expiring clears the log up to the gap and refs with it', () => {
  const tagged = apply(three, { action: 'set-snapshot-ref', refName: 't', ref: { type: 'tag', snapshotId: 2n } })
  const expired = apply(tagged, { action: 'remove-snapshots', snapshotIds: [2n] })
  expect(expired.snapshots.map(({ snapshotId }) => snapshotId)).toEqual([1n, 3n])
  expect(expired.snapshotLog.map(({ snapshotId }) => snapshotId)).toEqual([3n])
  expect(Object.keys(expired.refs)).toEqual(['main'])
  expect(apply(three, { action: 'remove-snapshots', snapshotIds: [3n] }).currentSnapshotId).toBeUndefined()
})

test('removing main empties the table, not its history', () => {
  const empty = apply(three, { action: 'remove-snapshot-ref', refName: 'main' })
  expect(empty).toMatchObject({ currentSnapshotId: undefined, snapshotLog: three.snapshotLog, refs: {} })
  expect(empty.snapshots).toHaveLength(3)
})

test('schemas, specs and orders that exist get their old id', () => {
  const evolved = {
    ...table.schemas[0]!,
    fields: [...table.schemas[0]!.fields, { id: 5, name: 'new', required: false, type: { kind: 'int' as const } }],
  }
  const changed = apply(
    table,
    { action: 'add-schema', schema: evolved },
    { action: 'set-current-schema', schemaId: -1 },
  )
  expect(changed).toMatchObject({ currentSchemaId: 1, lastColumnId: 5 })
  const back = apply(
    changed,
    { action: 'add-schema', schema: { ...table.schemas[0]!, schemaId: 99 } },
    { action: 'set-current-schema', schemaId: -1 },
  )
  expect(back).toMatchObject({ currentSchemaId: 0, lastColumnId: 5 })
  expect(back.schemas).toHaveLength(2)
  const spec = {
    specId: 0,
    fields: [{ sourceIds: [1], fieldId: -1, name: 'id_b', transform: { kind: 'bucket' as const, buckets: 4 } }],
  }
  const respec = apply(table, { action: 'add-spec', spec }, { action: 'set-default-spec', specId: -1 })
  expect(respec).toMatchObject({
    defaultSpecId: 1,
    lastPartitionId: 1002,
    partitionSpecs: [{ specId: 0 }, { specId: 1, fields: [{ fieldId: 1002 }] }],
  })
  expect(apply(respec, { action: 'add-spec', spec }, { action: 'set-default-spec', specId: -1 })).toBe(respec)
  const order = {
    orderId: 0,
    fields: [
      {
        sourceIds: [1],
        transform: { kind: 'identity' as const },
        direction: 'asc' as const,
        nullOrder: 'nulls-first' as const,
      },
    ],
  }
  expect(
    apply(table, { action: 'add-sort-order', sortOrder: order }, { action: 'set-default-sort-order', sortOrderId: -1 }),
  ).toMatchObject({ defaultSortOrderId: 1 })
})

test('properties, location, statistics', () => {
  const statistics = {
    snapshotId: 1n,
    statisticsPath: '/s',
    fileSizeInBytes: 1,
    fileFooterSizeInBytes: 1,
    blobMetadata: [],
  }
  const changed = apply(
    three,
    { action: 'set-properties', updates: { b: '2' } },
    { action: 'remove-properties', removals: ['a', 'none'] },
    { action: 'set-location', location: '/x/' },
    { action: 'set-statistics', statistics },
    { action: 'set-statistics', statistics: { ...statistics, statisticsPath: '/s2' } },
  )
  expect(changed).toMatchObject({
    properties: { b: '2' },
    location: '/x',
    statistics: [{ statisticsPath: '/s2' }],
    lastUpdatedMs: 5000,
  })
  expect(apply(changed, { action: 'remove-statistics', snapshotId: 1n }).statistics).toEqual([])
})

test('the metadata log keeps as many as the property says', () => {
  let metadata = apply(table, { action: 'set-properties', updates: { 'write.metadata.previous-versions-max': '2' } })
  for (const name of ['a', 'b', 'c'])
    metadata = applyUpdates(metadata, [{ action: 'set-properties', updates: { name } }], {
      nowMs: 6000,
      previous: `/${name}`,
    })
  expect(metadata.metadataLog).toEqual([
    { metadataFile: '/b', timestampMs: 6000 },
    { metadataFile: '/c', timestampMs: 6000 },
  ])
})

test.each<[string, TableUpdate]>([
  ['keeps it', { action: 'assign-uuid', uuid: 'other' }],
  ['does not go back', { action: 'upgrade-format-version', formatVersion: 1 }],
  ['there is no schema 7', { action: 'set-current-schema', schemaId: 7 }],
  ['no schema was added', { action: 'set-current-schema', schemaId: -1 }],
  ['there is no partition spec 7', { action: 'set-default-spec', specId: 7 }],
  ['no partition spec was added', { action: 'set-default-spec', specId: -1 }],
  ['there is no sort order 7', { action: 'set-default-sort-order', sortOrderId: 7 }],
  ['snapshot 1 exists already', { action: 'add-snapshot', snapshot: snapshot(1) }],
  [
    'snapshot 77, which does not exist',
    { action: 'set-snapshot-ref', refName: 'main', ref: { type: 'branch', snapshotId: 77n } },
  ],
  ['"main" must be a branch', { action: 'set-snapshot-ref', refName: 'main', ref: { type: 'tag', snapshotId: 1n } }],
  ['the current schema cannot be removed', { action: 'remove-schemas', schemaIds: [0] }],
  ['the default partition spec cannot be removed', { action: 'remove-partition-specs', specIds: [0] }],
  [
    'given twice',
    {
      action: 'add-schema',
      schema: {
        schemaId: 1,
        identifierFieldIds: [],
        fields: [1, 2].map((id) => ({ id, name: 'a', required: false, type: { kind: 'int' } })),
      },
    },
  ],
  [
    'hour does not apply to long',
    {
      action: 'add-spec',
      spec: { specId: 1, fields: [{ sourceIds: [1], fieldId: 1005, name: 'h', transform: { kind: 'hour' } }] },
    },
  ],
  [
    'has the name of another column',
    {
      action: 'add-spec',
      spec: { specId: 1, fields: [{ sourceIds: [1], fieldId: 1005, name: 'at', transform: { kind: 'identity' } }] },
    },
  ],
])('refused: %s', (message, update) =>
  expect(() => apply(three, update)).toThrow(
    expect.objectContaining({ code: 'REQUEST_INVALID', message: expect.stringContaining(message) }),
  ),
)

test('a taken sequence number is a conflict, so that the writer tries again', () =>
  expect(() => apply(three, { action: 'add-snapshot', snapshot: snapshot(9, { sequenceNumber: 3n }) })).toThrow(
    expect.objectContaining({ code: 'COMMIT_CONFLICT' }),
  ))

test.each<[TableRequirement, TableRequirement, string]>([
  [
    { type: 'assert-table-uuid', uuid: table.tableUuid.toUpperCase() },
    { type: 'assert-table-uuid', uuid: 'other' },
    'UUID does not match: expected other != ',
  ],
  [
    { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: 3n },
    { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: 2n },
    'branch main has changed: expected id 2 != 3',
  ],
  [
    { type: 'assert-ref-snapshot-id', ref: 'b', snapshotId: undefined },
    { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: undefined },
    'branch main was created concurrently',
  ],
  [
    { type: 'assert-last-assigned-field-id', lastAssignedFieldId: 4 },
    { type: 'assert-last-assigned-field-id', lastAssignedFieldId: 3 },
    'last assigned field id changed: expected id 3 != 4',
  ],
  [
    { type: 'assert-current-schema-id', currentSchemaId: 0 },
    { type: 'assert-current-schema-id', currentSchemaId: 1 },
    'current schema changed: expected id 1 != 0',
  ],
  [
    { type: 'assert-last-assigned-partition-id', lastAssignedPartitionId: 1001 },
    { type: 'assert-last-assigned-partition-id', lastAssignedPartitionId: 1 },
    'last assigned partition id changed: expected id 1 != 1001',
  ],
  [
    { type: 'assert-default-spec-id', defaultSpecId: 0 },
    { type: 'assert-default-spec-id', defaultSpecId: 1 },
    'default partition spec changed: expected id 1 != 0',
  ],
  [
    { type: 'assert-default-sort-order-id', defaultSortOrderId: 0 },
    { type: 'assert-default-sort-order-id', defaultSortOrderId: 1 },
    'default sort order changed: expected id 1 != 0',
  ],
])('%s', (holds, fails, words) => {
  checkRequirements(three, [holds])
  expect(() => checkRequirements(three, [holds, fails])).toThrow(
    expect.objectContaining({
      code: 'COMMIT_CONFLICT',
      message: expect.stringContaining(`Requirement failed: ${words}`),
    }),
  )
  expect(() => checkRequirements(undefined, [holds])).toThrow('Requirement failed: table does not exist')
  expect(parseTableRequirement(parseJson(printJson(tableRequirementJson(fails))))).toEqual(fails)
})

test('assert-create', () => {
  checkRequirements(undefined, [{ type: 'assert-create' }])
  expect(() => checkRequirements(table, [{ type: 'assert-create' }])).toThrow(
    'Requirement failed: table already exists',
  )
})

test('every update goes through the protocol and back', () => {
  const updates: TableUpdate[] = [
    ...createUpdates(three),
    {
      action: 'set-snapshot-ref',
      refName: 'b',
      ref: { type: 'branch', snapshotId: 1n, minSnapshotsToKeep: 2, maxSnapshotAgeMs: 3, maxRefAgeMs: 4 },
    },
    { action: 'remove-snapshots', snapshotIds: [9223372036854775807n] },
    { action: 'remove-snapshot-ref', refName: 'b' },
    { action: 'remove-properties', removals: ['a'] },
    {
      action: 'set-statistics',
      statistics: {
        snapshotId: 1n,
        statisticsPath: '/s',
        fileSizeInBytes: 1,
        fileFooterSizeInBytes: 1,
        blobMetadata: [{ type: 'ndv', snapshotId: 1n, sequenceNumber: 1n, fields: [1], properties: { ndv: '5' } }],
      },
    },
    { action: 'remove-statistics', snapshotId: 1n },
    {
      action: 'set-partition-statistics',
      partitionStatistics: { snapshotId: 1n, statisticsPath: '/s', fileSizeInBytes: 1 },
    },
    { action: 'remove-partition-statistics', snapshotId: 1n },
    { action: 'remove-partition-specs', specIds: [1] },
    { action: 'remove-schemas', schemaIds: [1] },
    { action: 'add-encryption-key', encryptionKey: { 'key-id': 'k' } },
    { action: 'remove-encryption-key', keyId: 'k' },
  ]
  for (const update of updates) expect(parseTableUpdate(parseJson(printJson(tableUpdateJson(update))))).toEqual(update)
})

test.each([
  [{ action: 'explode' }, '"explode" is not a table update'],
  [{}, '"action" is missing'],
  [{ action: 'set-current-schema', 'schema-id': 'x' }, 'schema-id: expected a 32-bit integer'],
  [{ action: 'upgrade-format-version', 'format-version': 9 }, 'there is no format version 9'],
])('the protocol refuses %j', (json, message) =>
  expect(() => parseTableUpdate(json)).toThrow(
    expect.objectContaining({ code: 'REQUEST_INVALID', message: expect.stringContaining(message) }),
  ),
)

const mainAt = (snapshotId: bigint, ref = 'main'): TableRequirement => ({
  type: 'assert-ref-snapshot-id',
  ref,
  snapshotId,
})
const mainTo = (snapshotId: bigint): TableUpdate => ({
  action: 'set-snapshot-ref',
  refName: 'main',
  ref: { type: 'branch', snapshotId },
})
const schemaIs: TableRequirement = { type: 'assert-current-schema-id', currentSchemaId: 0 }
const schemaTo: TableUpdate = { action: 'set-current-schema', schemaId: -1 }
const followed: [string, TableChange, TableChange, TableRequirement[]][] = [
  [
    'rows behind a column: the branch has to be where it was, too',
    { updates: [schemaTo], requirements: [schemaIs] },
    { updates: [mainTo(2n)], requirements: [mainAt(1n), { ...schemaIs, currentSchemaId: 1 }] },
    [schemaIs, mainAt(1n)],
  ],
  [
    'what the first made is required of nobody',
    { updates: [mainTo(2n)], requirements: [mainAt(1n)] },
    { updates: [mainTo(3n)], requirements: [mainAt(2n)] },
    [mainAt(1n)],
  ],
  [
    'another branch is another thing',
    { updates: [mainTo(2n)], requirements: [mainAt(1n)] },
    { updates: [], requirements: [mainAt(1n, 'audit')] },
    [mainAt(1n), mainAt(1n, 'audit')],
  ],
  [
    'a branch that was moved without being asked for',
    { updates: [mainTo(2n)], requirements: [] },
    { updates: [], requirements: [mainAt(2n)] },
    [],
  ],
  [
    'a table that was not there has nothing to require',
    { updates: [schemaTo], requirements: [{ type: 'assert-create' }] },
    { updates: [mainTo(2n)], requirements: [mainAt(1n)] },
    [{ type: 'assert-create' }],
  ],
]
test.each(followed)('one change after another: %s', (_, earlier, later, requirements) => {
  expect(followedBy(earlier, later)).toEqual({ updates: [...earlier.updates, ...later.updates], requirements })
})
