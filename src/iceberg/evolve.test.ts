// What may change of a table's columns, partitions, order and properties; what may not, and why.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { changeProperties, upgradeFormat } from './evolve-properties.ts'
import { evolveSchema, type SchemaEvolution } from './evolve-schema.ts'
import { evolveSpec, replaceSortOrder, specForReplace, type SpecEvolution } from './evolve-spec.ts'
import { nameMappingOf } from './name-mapping.ts'
import { currentSchema, defaultSpec, newTableMetadata, parseTableMetadata, printTableMetadata } from './metadata.ts'
import type { FormatVersion, TableChange, TableMetadata } from './metadata-types.ts'
import { fieldsById, schemaForReplace, showType } from './schema.ts'
import { parseTransform, showTransform } from './transform.ts'
import type { Field, NewField, Type } from './types.ts'
import { applyUpdates, checkRequirements } from './update.ts'

const long: Type = { kind: 'long' }
const int: Type = { kind: 'int' }
const text: Type = { kind: 'string' }
const field = (name: string, type: Type, required = false): Field => ({ id: 0, name, required, type })
const struct = (...fields: Field[]): Type => ({ kind: 'struct', fields })
const list = (element: Type): Type => ({ kind: 'list', elementId: 0, elementRequired: false, element })
const map = (key: Type, value: Type): Type => ({ kind: 'map', keyId: 0, key, valueId: 0, valueRequired: false, value })

const columns: NewField[] = [
  { name: 'id', type: int, required: true },
  { name: 'at', type: { kind: 'timestamp' } },
  { name: 's', type: struct(field('a', int), field('b', text), field('req', int, true)) },
  { name: 'l', type: list(struct(field('x', int))) },
  { name: 'm', type: map(struct(field('k', int)), struct(field('v', int))) },
  { name: 'f', type: { kind: 'float' } },
  { name: 'd', type: { kind: 'decimal', precision: 9, scale: 2 } },
]
const table = (formatVersion: FormatVersion = 2, more: Partial<Parameters<typeof newTableMetadata>[0]> = {}) =>
  newTableMetadata({ uuid: 'u', location: '/t', nowMs: 1, schema: columns, formatVersion, ...more })

function changed(metadata: TableMetadata, { updates, requirements }: TableChange): TableMetadata {
  checkRequirements(metadata, requirements)
  return parseTableMetadata(printTableMetadata(applyUpdates(metadata, updates, { nowMs: 2 })))
}
/** `id:1 s:3<a:8 b:9>`; `!` is required. */
function show(fields: readonly Field[]): string {
  const type = (one: Type): string => {
    if (one.kind === 'struct') return `<${show(one.fields)}>`
    if (one.kind === 'list') return `[${type(one.element)}${one.elementRequired ? '!' : ''}]`
    if (one.kind === 'map') return `{${type(one.key)}, ${type(one.value)}}`
    return ''
  }
  return fields.map((one) => `${one.name}${one.required ? '!' : ''}:${one.id}${type(one.type)}`).join(' ')
}

test.each<[string, (schema: SchemaEvolution) => SchemaEvolution, string]>([
  ['nothing', (s) => s, 'id!:1 at:2 s:3<a:8 b:9 req!:10> l:4[<x:12>] m:5{<k:15>, <v:16>} f:6 d:7'],
  ['add', (s) => s.add('n', long), 'id!:1 at:2 s:3<a:8 b:9 req!:10> l:4[<x:12>] m:5{<k:15>, <v:16>} f:6 d:7 n:17'],
  [
    'add at a place',
    (s) => s.add('n', long, { place: { after: 'id' } }).add('o', list(int), { place: 'first' }),
    'o:18[] id!:1 n:17 at:2 s:3<a:8 b:9 req!:10> l:4[<x:12>] m:5{<k:15>, <v:16>} f:6 d:7',
  ],
  [
    'add at any depth, with and without the words for elements',
    (s) =>
      s
        .add('s.n', int)
        .add('l.y', int)
        .add('l.element.z', int)
        .add('m.value.w', struct(field('deep', int))),
    'id!:1 at:2 s:3<a:8 b:9 req!:10 n:17> l:4[<x:12 y:18 z:19>] m:5{<k:15>, <v:16 w:20<deep:21>>} f:6 d:7',
  ],
  [
    'drop and add again: another id',
    (s) => s.drop('f').add('f', long).drop('s.a').add('s.a', int, { place: 'first' }),
    'id!:1 at:2 s:3<a:18 b:9 req!:10> l:4[<x:12>] m:5{<k:15>, <v:16>} d:7 f:17',
  ],
  [
    'rename, then the new name counts',
    (s) => s.rename('s', 't').rename('t.a', 'c').rename('l.element.x', 'y').move('t.c', { after: 't.req' }),
    'id!:1 at:2 t:3<b:9 req!:10 c:8> l:4[<y:12>] m:5{<k:15>, <v:16>} f:6 d:7',
  ],
  [
    'move',
    (s) => s.move('d', 'first').move('at', { before: 'd' }).move('m', { after: 'at' }),
    'at:2 m:5{<k:15>, <v:16>} d:7 id!:1 s:3<a:8 b:9 req!:10> l:4[<x:12>] f:6',
  ],
  [
    'nullable',
    (s) => s.nullable('id').nullable('s.req').nullable('at'),
    'id:1 at:2 s:3<a:8 b:9 req:10> l:4[<x:12>] m:5{<k:15>, <v:16>} f:6 d:7',
  ],
])('columns: %s', (_, change, expected) => {
  const before = table()
  expect(show(currentSchema(changed(before, change(evolveSchema(before)).change())).fields)).toBe(expected)
})

test('columns get wider, at any depth', () => {
  const before = table()
  const after = changed(
    before,
    evolveSchema(before)
      .widen('id', long)
      .widen('s.a', long)
      .widen('l.element.x', long)
      .widen('m.value.v', long)
      .widen('f', { kind: 'double' })
      .widen('d', { kind: 'decimal', precision: 18, scale: 2 })
      .change(),
  )
  const types = [...fieldsById(currentSchema(after)).values()].map(({ path, type }) => `${path} ${showType(type)}`)
  expect(types).toContain('l.element.x long')
  expect(types).toContain('m.value.v long')
  expect(types).toContain('d decimal(18, 2)')
})

test.each<[string, (schema: SchemaEvolution) => unknown]>([
  ['there is a column "at" already', (s) => s.add('at', int)],
  ['there is a column "s.a" already', (s) => s.add('s.a', int)],
  ['there is a column "at" already', (s) => s.rename('id', 'at')],
  ['there is no column "nope"', (s) => s.drop('nope')],
  ['there is no column "nope"', (s) => s.add('nope.x', int)],
  ['"at" is no struct', (s) => s.add('at.x', int)],
  ['the required column "r" needs a default', (s) => s.add('r', int, { required: true })],
  ['an initial default needs format version 3', (s) => s.add('r', int, { default: 5 }).change()],
  ['the default of "r" must be a int', (s) => s.add('r', int, { default: 'five' })],
  ['"x": the type timestamp_ns needs format version 3', (s) => s.add('x', { kind: 'timestamp_ns' }).change()],
  ['the type of "id" cannot change from int to string', (s) => s.widen('id', text)],
  ['the type of "f" cannot change from float to int', (s) => s.widen('f', int)],
  ['from decimal(9, 2) to decimal(8, 2)', (s) => s.widen('d', { kind: 'decimal', precision: 8, scale: 2 })],
  ['from decimal(9, 2) to decimal(18, 3)', (s) => s.widen('d', { kind: 'decimal', precision: 18, scale: 3 })],
  ['the type of "s" cannot change', (s) => s.widen('s', long)],
  ['"at" cannot become required', (s) => s.require('at')],
  ['it is in the key of the map "m"', (s) => s.widen('m.key.k', long)],
  ['it is in the key of the map "m"', (s) => s.rename('m.key.k', 'q')],
  ['it is in the key of the map "m"', (s) => s.drop('m.key.k')],
  ['it is in the key of the map "m"', (s) => s.add('m.key.n', int)],
  ['"l.element" is the element of a list', (s) => s.drop('l.element')],
  ['"m.value" is the value of a map', (s) => s.drop('m.value')],
  ['"m.value" has no name of its own', (s) => s.rename('m.value', 'x')],
  ['"l.element.x" is the only column of "l.element"', (s) => s.drop('l.element.x')],
  ['"s.a" cannot be moved beside "id"', (s) => s.move('s.a', { after: 'id' })],
  ['cannot be moved beside itself', (s) => s.move('id', { before: 'id' })],
  ['identifier field "at" must be required', (s) => s.identifiers(['at'])],
  ['identifier field "s.req" must not be inside the optional "s"', (s) => s.identifiers(['s.req'])],
  ['"id" cannot be dropped: "id" is an identifier field', (s) => s.identifiers(['id']).drop('id')],
  ['it is an identifier field', (s) => s.identifiers(['id']).nullable('id')],
  ['the table is partitioned by it (partition field "at_day")', (s) => s.drop('at')],
  ['the table is sorted by it', (s) => s.drop('s.b')],
  ['the table is sorted by it', (s) => s.drop('s')],
])('refused: %s', (message, change) => {
  const sorted = table(2, { spec: [{ column: 'at', transform: { kind: 'day' } }] })
  const before = changed(sorted, replaceSortOrder(sorted, [{ column: 's.b', transform: { kind: 'identity' } }]))
  expect(() => change(evolveSchema(before))).toThrow(
    expect.objectContaining({ code: 'REQUEST_INVALID', message: expect.stringContaining(message) }),
  )
})

test('version 3: defaults, dates that become timestamps, columns of a type to come', () => {
  const before = table(3, {
    schema: [
      { name: 'day', type: { kind: 'date' } },
      { name: 'u', type: { kind: 'unknown' } },
    ],
  })
  const one = changed(
    before,
    evolveSchema(before).add('n', int, { required: true, default: 5 }).setDefault('day', 1).change(),
  )
  expect(currentSchema(one).fields).toMatchObject([
    { name: 'day', writeDefault: 1 },
    { name: 'u' },
    { name: 'n', required: true, initialDefault: 5, writeDefault: 5 },
  ])
  const two = changed(
    one,
    evolveSchema(one)
      .widen('day', { kind: 'timestamp' })
      .widen('u', long)
      .widen('n', long)
      .setDefault('n', 6n)
      .change(),
  )
  expect(currentSchema(two).fields).toMatchObject([
    { type: { kind: 'timestamp' }, writeDefault: 86_400_000_000n },
    { type: { kind: 'long' } },
    { initialDefault: 5n, writeDefault: 6n },
  ])
  // Of a required column something has to be given from then on; rows that are there keep what they were given.
  const three = changed(two, evolveSchema(two).setDefault('n', undefined).change())
  expect(currentSchema(three).fields[2]).toMatchObject({ required: true, initialDefault: 5n })
  expect(currentSchema(three).fields[2]).not.toHaveProperty('writeDefault')
})

test('names may be looked up without regard to case', () => {
  const before = table()
  const s = evolveSchema(before, { caseSensitive: false })
  expect(show(s.rename('S.A', 'c').drop('F').schema().fields)).toContain('s:3<c:8')
  expect(() => s.add('ID', int)).toThrow('there is a column "id" already')
  const twins = table(2, {
    schema: [
      { name: 'a', type: int },
      { name: 'A', type: int },
    ],
  })
  expect(evolveSchema(twins, { caseSensitive: false }).drop('A').schema().fields).toHaveLength(1)
})

test('identifier fields follow their column', () => {
  const before = table(2, { identifiers: ['id'] })
  const after = changed(before, evolveSchema(before).rename('id', 'key').widen('key', long).change())
  expect(currentSchema(after).identifierFieldIds).toEqual([1])
})

test('union by name', () => {
  const before = table()
  const after = changed(
    before,
    evolveSchema(before)
      .union({
        fields: [
          { name: 'id', type: long },
          { name: 's', type: struct(field('a', long), field('new', text)) },
          { name: 'l', type: list(struct(field('x', int), field('y', int))) },
          { name: 'm', type: map(struct(field('k', int)), struct(field('v', long))) },
          { name: 'd', type: { kind: 'decimal', precision: 5, scale: 2 } },
          { name: 'z', type: text, required: true },
        ],
      })
      .change(),
  )
  expect(show(currentSchema(after).fields)).toBe(
    'id:1 at:2 s:3<a:8 b:9 req!:10 new:17> l:4[<x:12 y:18>] m:5{<k:15>, <v:16>} f:6 d:7 z:19',
  )
  expect(() => evolveSchema(before).union({ fields: [{ name: 'at', type: list(int) }] })).toThrow('cannot change')
})

test('the name mapping and properties about columns go along', () => {
  const mapping =
    '[{"field-id":1,"names":["id","key"]},{"field-id":3,"names":["s"],"fields":[{"field-id":8,"names":["a"]}]}]'
  const before = table(2, {
    properties: {
      'schema.name-mapping.default': mapping,
      'write.metadata.metrics.column.id': 'full',
      'write.metadata.metrics.column.f': 'none',
    },
  })
  const after = changed(
    before,
    evolveSchema(before).rename('id', 'number').rename('s.a', 'b2').drop('f').add('id', text).change(),
  )
  expect(after.properties).toMatchObject({ 'write.metadata.metrics.column.number': 'full' })
  expect(after.properties).not.toHaveProperty(['write.metadata.metrics.column.id'])
  expect(after.properties).not.toHaveProperty(['write.metadata.metrics.column.f'])
  expect(nameMappingOf(after)).toMatchObject([
    { id: 1, names: ['key', 'number'] },
    { id: 3, names: ['s'], fields: [{ id: 8, names: ['a', 'b2'] }, { id: 9 }, { id: 10 }] },
    { id: 2 },
    { id: 4 },
    { id: 5 },
    { id: 7 },
    { id: 17, names: ['id'] },
  ])
})

test('no change, no updates', () => {
  const before = table()
  expect(evolveSchema(before).rename('id', 'x').rename('x', 'id').change()).toEqual({ updates: [], requirements: [] })
  expect(evolveSpec(before).add('id').remove('id').change()).toEqual({ updates: [], requirements: [] })
})

test('another writer who changed the schema is a conflict', () => {
  const before = table()
  const change = evolveSchema(before).add('n', int).change()
  const other = changed(before, evolveSchema(before).add('o', int).change())
  expect(() => changed(other, change)).toThrow(expect.objectContaining({ code: 'COMMIT_CONFLICT' }))
})

test('properties: any steps keep ids of columns that stay, and never use one twice', () => {
  const name = fc.constantFrom('a', 'b', 'c', 's', 's.a', 's.b', 's.c', 'l.element.x', 'm.value.v', 'id', 'at')
  const steps = fc.array(fc.tuple(fc.constantFrom('add', 'drop', 'rename', 'move', 'nullable', 'widen'), name, name), {
    maxLength: 12,
  })
  fc.assert(
    fc.property(steps, (all) => {
      let metadata = table()
      const names = new Map<number, string>()
      for (const [op, path, other] of all) {
        const highest = metadata.lastColumnId
        try {
          const s = evolveSchema(metadata)
          if (op === 'add') s.add(path, struct(field('x', int)))
          if (op === 'drop') s.drop(path)
          if (op === 'rename') s.rename(path, other.split('.').at(-1)!)
          if (op === 'move') s.move(path, { before: other })
          if (op === 'nullable') s.nullable(path)
          if (op === 'widen') s.widen(path, long)
          const before = new Set(fieldsById(currentSchema(metadata)).keys())
          metadata = changed(metadata, s.change())
          for (const id of fieldsById(currentSchema(metadata)).keys())
            if (!before.has(id)) expect(id > highest).toBe(true)
        } catch (error) {
          expect(error).toMatchObject({ code: 'REQUEST_INVALID' })
        }
        for (const { id, type } of fieldsById(currentSchema(metadata)).values()) {
          expect(names.get(id) ?? type.kind).toBe(type.kind === 'long' ? (names.get(id) ?? 'long') : type.kind)
          if (type.kind !== 'long') names.set(id, type.kind)
        }
      }
    }),
    { numRuns: 60 },
  )
})

// --- partitions

const showSpec = (metadata: TableMetadata) =>
  defaultSpec(metadata)
    .fields.map(({ name, fieldId, transform }) => `${name}:${fieldId} ${showTransform(transform)}`)
    .join(', ')
const steps = (metadata: TableMetadata, ...all: ((spec: SpecEvolution) => SpecEvolution)[]) =>
  all.reduce((table, step) => changed(table, step(evolveSpec(table)).change()), metadata)

test.each<[string, FormatVersion, ((spec: SpecEvolution) => SpecEvolution)[], string]>([
  ['add', 2, [(s) => s.add('at', { kind: 'day' }).add('s.b')], 'at_day:1000 day, s.b:1001 identity'],
  ['add with a name', 2, [(s) => s.add('id', parseTransform('bucket[8]'), 'shard')], 'shard:1000 bucket[8]'],
  ['remove', 2, [(s) => s.add('at', { kind: 'day' }).add('id'), (s) => s.remove('at_day')], 'id:1001 identity'],
  [
    'v1: a removed field stays as a void one',
    1,
    [(s) => s.add('at', { kind: 'day' }).add('id'), (s) => s.remove('at_day')],
    'at_day:1000 void, id:1001 identity',
  ],
  [
    'v1: its name may be taken',
    1,
    [(s) => s.add('at', { kind: 'day' }), (s) => s.remove('at_day').add('at', { kind: 'hour' }, 'at_day')],
    'at_day_1000:1000 void, at_day:1001 hour',
  ],
  [
    'the same column and transform get their old id',
    2,
    [(s) => s.add('at', { kind: 'day' }).add('id'), (s) => s.remove('at_day'), (s) => s.add('at', { kind: 'day' })],
    'id:1001 identity, at_day:1000 day',
  ],
  [
    'with another name it is another field',
    2,
    [(s) => s.add('at', { kind: 'day' }), (s) => s.remove('at_day'), (s) => s.add('at', { kind: 'day' }, 'dd')],
    'dd:1001 day',
  ],
  ['rename', 2, [(s) => s.add('at', { kind: 'day' }), (s) => s.rename('at_day', 'dd')], 'dd:1000 day'],
  [
    'finer: the coarse one may stay',
    2,
    [(s) => s.add('at', { kind: 'year' }), (s) => s.add('at', { kind: 'day' })],
    'at_year:1000 year, at_day:1001 day',
  ],
])('partitions: %s', (_, version, all, expected) => expect(showSpec(steps(table(version), ...all))).toBe(expected))

test.each<[string, (spec: SpecEvolution) => unknown]>([
  ['there is no column "nope" to partition by', (s) => s.add('nope')],
  ['identity does not apply to "s"', (s) => s.add('s')],
  ['hour does not apply to "id"', (s) => s.add('id', { kind: 'hour' })],
  ['identity does not apply to "l.element.x"', (s) => s.add('l.element.x')],
  ['partitioned by day of "at" already: "at_day"', (s) => s.add('at', { kind: 'day' }, 'other')],
  ['there is a partition field "at_day" already', (s) => s.add('id', { kind: 'identity' }, 'at_day')],
  ['there is no partition field "nope"; there is "at_day"', (s) => s.remove('nope')],
  ['there is a partition field "at_day" already', (s) => s.add('id').rename('id', 'at_day')],
  [
    '"at_hour" partitions by the time of "at" already',
    (s) => s.add('at', { kind: 'hour' }).add('at', { kind: 'year' }),
  ],
])('partitions refused: %s', (message, change) => {
  const before = steps(table(), (s) => s.add('at', { kind: 'day' }))
  expect(() => change(evolveSpec(before))).toThrow(
    expect.objectContaining({ code: 'REQUEST_INVALID', message: expect.stringContaining(message) }),
  )
})

test('a partition field with the name of another column is refused by the table', () => {
  const before = table()
  expect(() => changed(before, evolveSpec(before).add('at', { kind: 'day' }, 'id').change())).toThrow(
    'has the name of another column',
  )
})

test('what is left of a spec when the table is replaced', () => {
  const before = steps(table(), (s) => s.add('at', { kind: 'day' }).add('id', parseTransform('bucket[8]')))
  const kept = schemaForReplace(before, [
    { name: 'id', type: long },
    { name: 'at_day', type: text },
  ])
  expect(specForReplace(before, kept).fields.map(({ name }) => name)).toEqual(['id_bucket_8'])
  expect(specForReplace(before, currentSchema(before))).toBe(defaultSpec(before))
})

// --- order, properties, versions

test('sort orders', () => {
  const before = table()
  const sorted = changed(
    before,
    replaceSortOrder(before, [
      { column: 'at', transform: { kind: 'day' }, direction: 'desc' },
      { column: 's.a', transform: { kind: 'identity' } },
    ]),
  )
  expect(sorted.sortOrders.find(({ orderId }) => orderId === sorted.defaultSortOrderId)!.fields).toMatchObject([
    { sourceIds: [2], direction: 'desc', nullOrder: 'nulls-last' },
    { sourceIds: [8], direction: 'asc', nullOrder: 'nulls-first' },
  ])
  expect(changed(sorted, replaceSortOrder(sorted, [])).defaultSortOrderId).toBe(0)
  expect(() => replaceSortOrder(before, [{ column: 'l', transform: { kind: 'identity' } }])).toThrow('does not apply')
})

test('properties and versions', () => {
  const before = table(1, { properties: { a: '1', b: '2' } })
  const after = changed(
    before,
    changeProperties(before, { set: { c: '3', 'format-version': '2' }, remove: ['a', 'never'] }),
  )
  expect(after).toMatchObject({ formatVersion: 2, properties: { b: '2', c: '3' } })
  expect(changed(after, upgradeFormat(after, 3))).toMatchObject({ formatVersion: 3, nextRowId: 0n })
  expect(upgradeFormat(after, 2).updates).toEqual([])
  for (const [message, change] of [
    ['does not go back to 1', () => upgradeFormat(after, 1)],
    ['there is no format version 4', () => upgradeFormat(after, 4)],
    ['"uuid" is not a property', () => changeProperties(after, { set: { uuid: 'x' } })],
    ['cannot be set and removed at once', () => changeProperties(after, { set: { x: 'x' }, remove: ['x'] })],
  ] as const)
    expect(change).toThrow(message)
})
