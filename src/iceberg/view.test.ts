import { expect, test } from 'vitest'
import { memoryFileIO } from '../io/index.ts'
import { parseJson, printJson } from './json.ts'
import { readViewMetadata, writeViewMetadata } from './metadata-file.ts'
import { parseViewUpdate, viewUpdateJson } from './update-json.ts'
import {
  applyViewUpdates,
  checkViewRequirements,
  currentViewVersion,
  newViewMetadata,
  replaceViewUpdates,
} from './view.ts'
import { parseViewMetadata, printViewMetadata } from './view-json.ts'

const sql = (text: string) => [{ type: 'sql' as const, sql: text, dialect: 'duckdb' }]
const view = newViewMetadata({
  uuid: 'u',
  location: '/lake/v/',
  nowMs: 1000,
  schema: [{ name: 'a', type: { kind: 'long' } }],
  representations: sql('select 1 as a'),
  defaultCatalog: 'dev',
  defaultNamespace: ['marts'],
  properties: { comment: 'c' },
})
const replaced = (text: string, from = view, nowMs = 2000) =>
  applyViewUpdates(
    from,
    replaceViewUpdates({
      schema: [{ name: 'a', type: { kind: 'long' } }],
      representations: sql(text),
      defaultNamespace: ['marts'],
      defaultCatalog: 'dev',
      nowMs,
    }),
    { nowMs },
  )

test('a view is printed and read back', async () => {
  expect(parseViewMetadata(printViewMetadata(view))).toEqual(view)
  const io = memoryFileIO()
  expect(await readViewMetadata(io, await writeViewMetadata(io, view))).toEqual(view)
})

test('the example of the view spec is read', () => {
  const json = {
    'view-uuid': 'fa6506c3-7681-40c8-86dc-e36561f83385',
    'format-version': 1,
    location: 's3://bucket/warehouse/default.db/event_agg',
    'current-version-id': 1,
    properties: { comment: 'Daily event counts' },
    versions: [
      {
        'version-id': 1,
        'timestamp-ms': 1573518431292,
        'schema-id': 1,
        'default-catalog': 'prod',
        'default-namespace': ['default'],
        summary: { 'engine-name': 'Spark', engineVersion: '3.3.2' },
        representations: [
          {
            type: 'sql',
            sql: 'SELECT\n    COUNT(1), CAST(event_ts AS DATE)\nFROM events\nGROUP BY 2',
            dialect: 'spark',
          },
        ],
      },
    ],
    schemas: [
      {
        'schema-id': 1,
        type: 'struct',
        fields: [{ id: 1, name: 'event_count', required: false, type: 'int', doc: 'Count of events' }],
      },
    ],
    'version-log': [{ 'timestamp-ms': 1573518431292, 'version-id': 1 }],
  }
  expect(parseJson(printViewMetadata(parseViewMetadata(printJson(json))))).toEqual(json)
})

test('replacing adds a version; the same SQL again finds the old one', () => {
  const two = replaced('select 2 as a')
  expect(two).toMatchObject({
    currentVersionId: 2,
    versionLog: [{ versionId: 1 }, { versionId: 2, timestampMs: 2000 }],
  })
  expect(two.schemas).toHaveLength(1)
  const back = replaced('select 1 as a', two)
  expect(back).toMatchObject({ currentVersionId: 1 })
  expect(back.versions).toHaveLength(2)
})

test('old versions go, the current one stays', () => {
  let many = view
  for (let index = 0; index < 20; index++) many = replaced(`select ${index + 10} as a`, many, 3000 + index)
  expect(many.versions.map(({ versionId }) => versionId)).toEqual([12, 13, 14, 15, 16, 17, 18, 19, 20, 21])
  expect(many.versionLog[0]).toEqual({ versionId: 12, timestampMs: 3010 })
})

test.each([
  [{ action: 'set-current-view-version', viewVersionId: 9 }, 'there is no version 9'],
  [{ action: 'set-current-view-version', viewVersionId: -1 }, 'no version was added'],
  [{ action: 'assign-uuid', uuid: 'x' }, 'keeps it'],
  [{ action: 'add-view-version', viewVersion: { ...view.versions[0]!, schemaId: 7 } }, 'there is no schema 7'],
  [
    { action: 'add-view-version', viewVersion: { ...view.versions[0]!, representations: [...sql('a'), ...sql('b')] } },
    '"duckdb" is given twice',
  ],
  [{ action: 'add-view-version', viewVersion: { ...view.versions[0]!, representations: [] } }, 'needs SQL'],
] as const)('refused: %j', (update, message) =>
  expect(() => applyViewUpdates(view, [update], { nowMs: 1 })).toThrow(
    expect.objectContaining({ code: 'REQUEST_INVALID', message: expect.stringContaining(message) }),
  ),
)

test('updates go through the protocol and back', () => {
  const updates = [
    ...replaceViewUpdates({
      schema: view.schemas[0]!,
      representations: sql('select 3'),
      defaultNamespace: [],
      nowMs: 1,
      properties: { a: 'b' },
    }),
    { action: 'remove-properties' as const, removals: ['a'] },
    { action: 'set-location' as const, location: '/x' },
    { action: 'assign-uuid' as const, uuid: 'u' },
  ]
  for (const update of updates) expect(parseViewUpdate(parseJson(printJson(viewUpdateJson(update))))).toEqual(update)
  expect(applyViewUpdates(view, updates, { nowMs: 2 })).toMatchObject({ properties: { comment: 'c' }, location: '/x' })
})

test('requirements', () => {
  checkViewRequirements(view, [{ type: 'assert-view-uuid', uuid: 'U' }])
  checkViewRequirements(undefined, [{ type: 'assert-create' }])
  expect(() => checkViewRequirements(view, [{ type: 'assert-view-uuid', uuid: 'x' }])).toThrow(
    'view UUID does not match',
  )
  expect(() => checkViewRequirements(undefined, [{ type: 'assert-view-uuid', uuid: 'x' }])).toThrow('does not exist')
  expect(() => checkViewRequirements(view, [{ type: 'assert-create' }])).toThrow('view already exists')
})

const texts = (...dialects: string[]) =>
  dialects.map((dialect) => ({ type: 'sql' as const, sql: `select 1 -- ${dialect}`, dialect }))
const withTexts = (representations: ReturnType<typeof texts>, from = view, nowMs = 2000) =>
  applyViewUpdates(
    from,
    replaceViewUpdates({
      schema: [{ name: 'a', type: { kind: 'long' } }],
      representations,
      defaultNamespace: [],
      nowMs,
    }),
    { nowMs },
  )

test('a replace must not take a dialect away, unless a property allows it', () => {
  const both = withTexts(texts('duckdb', 'trino'))
  expect(() => withTexts(texts('duckdb'), both)).toThrow('loss of view dialects: trino')
  expect(() => withTexts(texts('duckdb', 'spark'), both)).toThrow('loss of view dialects: trino')
  expect(currentViewVersion(withTexts(texts('TRINO', 'DuckDB', 'spark'), both))?.representations).toHaveLength(3)
  const allowed = applyViewUpdates(
    both,
    [{ action: 'set-properties', updates: { 'replace.drop-dialect.allowed': 'true' } }],
    { nowMs: 3 },
  )
  expect(currentViewVersion(withTexts(texts('spark'), allowed))?.representations).toEqual(texts('spark'))
})

test('history: a new version has its own time, an old one the time at which it came back', () => {
  const two = withTexts(texts('duckdb'), view, 5000)
  const back = applyViewUpdates(two, [{ action: 'set-current-view-version', viewVersionId: 1 }], { nowMs: 9000 })
  expect(back.versionLog.map(({ versionId, timestampMs }) => [versionId, timestampMs])).toEqual([
    [1, 1000],
    [2, 5000],
    [1, 9000],
  ])
})

test('the number of versions to keep must be a number', () => {
  const updates = (count: string) => [
    { action: 'set-properties' as const, updates: { 'version.history.num-entries': count } },
  ]
  expect(() => applyViewUpdates(view, updates('0'), { nowMs: 1 })).toThrow('must be positive but was 0')
  expect(() => applyViewUpdates(view, updates('many'), { nowMs: 1 })).toThrow('must be positive but was many')
})

test('an old version that is current again outlives younger ones', () => {
  let many = applyViewUpdates(view, [{ action: 'set-properties', updates: { 'version.history.num-entries': '2' } }], {
    nowMs: 1,
  })
  many = withTexts([{ ...texts('duckdb')[0]!, sql: 'select 2' }], many, 2)
  many = applyViewUpdates(many, [{ action: 'set-current-view-version', viewVersionId: 1 }], { nowMs: 3 })
  many = applyViewUpdates(
    many,
    replaceViewUpdates({
      schema: [{ name: 'b', type: { kind: 'int' } }],
      representations: texts('duckdb'),
      defaultNamespace: [],
      nowMs: 4,
    }).slice(0, 2),
    { nowMs: 4 },
  )
  expect(many.versions.map(({ versionId }) => versionId).sort()).toEqual([1, 3])
  expect(many.currentVersionId).toBe(1)
  expect(many.versionLog).toEqual([{ versionId: 1, timestampMs: 3 }])
})

test('representations of other kinds are kept as they are', () => {
  const json = parseJson(printViewMetadata(view)) as { versions: { representations: unknown[] }[] }
  const other = { type: 'plan', body: { version: 3 } }
  json.versions[0]!.representations.push(other)
  const read = parseViewMetadata(JSON.stringify(json))
  expect(currentViewVersion(read)?.representations).toHaveLength(1)
  expect(JSON.parse(printViewMetadata(read))).toMatchObject({
    versions: [{ representations: [{ type: 'sql' }, other] }],
  })
})
