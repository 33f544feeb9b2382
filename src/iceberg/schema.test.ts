import { expect, test } from 'vitest'
import { fieldById, findField, parsePrimitive, parseSchema, schemaForReplace, schemaJson, showType } from './schema.ts'
import type { NewField, Type } from './types.ts'

test.each([
  ['long', 'long'],
  ['decimal(9,2)', 'decimal(9, 2)'],
  ['decimal( 38 , 0 )', 'decimal(38, 0)'],
  ['fixed[16]', 'fixed[16]'],
  ['timestamptz_ns', 'timestamptz_ns'],
  ['variant', 'variant'],
  ['unknown', 'unknown'],
  ['geometry', 'geometry'],
  ['geometry(srid:3857)', 'geometry(srid:3857)'],
  ['geography(srid:4326, spherical)', 'geography(srid:4326, spherical)'],
])('the type "%s" is shown as "%s"', (text, shown) => expect(showType(parsePrimitive(text))).toBe(shown))

test.each(['bigint', 'decimal', 'decimal(39,2)', 'decimal(4,5)', 'fixed', 'Long', ''])('"%s" is no type', (text) =>
  expect(() => parsePrimitive(text)).toThrow(expect.objectContaining({ code: 'METADATA_INVALID' })),
)

const nested = {
  type: 'struct',
  'schema-id': 3,
  'identifier-field-ids': [1],
  fields: [
    { id: 1, name: 'id', required: true, type: 'long', doc: 'the key' },
    { id: 2, name: 'at', required: false, type: 'timestamptz', 'initial-default': '2017-11-16T22:31:08+00:00' },
    {
      id: 3,
      name: 'tags',
      required: false,
      type: {
        type: 'list',
        'element-id': 4,
        'element-required': true,
        element: { type: 'struct', fields: [{ id: 5, name: 'k', required: false, type: 'string' }] },
      },
    },
    {
      id: 6,
      name: 'map',
      required: false,
      type: { type: 'map', 'key-id': 7, key: 'string', 'value-id': 8, value: 'decimal(9, 2)', 'value-required': false },
    },
    {
      id: 9,
      name: 'place',
      required: false,
      type: { type: 'struct', fields: [{ id: 10, name: 'x', required: false, type: 'double' }] },
      'initial-default': {},
    },
  ],
}

test('a schema is read and printed as it was', () => {
  const schema = parseSchema(nested)
  expect(schemaJson(schema)).toEqual(nested)
  expect(fieldById(schema, 5)).toMatchObject({ path: 'tags.element.k', parents: [3, 4], repeated: true })
  expect(findField(schema, 'place.x')).toMatchObject({ id: 10, parents: [9], repeated: false })
  expect(findField(schema, 'map.value')).toMatchObject({ id: 8, repeated: true })
  expect(findField(schema, 'nothing')).toBeUndefined()
})

test.each([
  [
    {
      type: 'struct',
      fields: [
        { id: 1, name: 'a', required: true, type: 'int' },
        { id: 1, name: 'b', required: true, type: 'int' },
      ],
    },
    'field id 1 is used twice',
  ],
  [{ type: 'struct', fields: [{ id: 1, name: 'a', type: 'int' }] }, 'fields[0]: "required" is missing'],
  [
    {
      type: 'struct',
      fields: [
        {
          id: 1,
          name: 'a',
          required: true,
          type: { type: 'list', 'element-id': 2, element: 'bigint', 'element-required': true },
        },
      ],
    },
    'fields[0].type.element: "bigint" is not an Iceberg type',
  ],
  [{ type: 'struct', fields: {} }, 'fields: expected a list'],
  [[], 'expected an object'],
])('%j is refused', (json, message) =>
  expect(() => parseSchema(json, 'a.json')).toThrow(
    expect.objectContaining({
      code: 'METADATA_INVALID',
      message: expect.stringContaining(message),
      place: { file: 'a.json' },
    }),
  ),
)

const long: Type = { kind: 'long' }
const int: Type = { kind: 'int' }
const text: Type = { kind: 'string' }
const struct = (...fields: NewField[]): Type => ({
  kind: 'struct',
  fields: fields.map((field) => ({ id: 0, required: false, ...field })),
})
const list = (element: Type): Type => ({ kind: 'list', elementId: 0, elementRequired: false, element })
const map = (key: Type, value: Type): Type => ({ kind: 'map', keyId: 0, key, valueId: 0, valueRequired: false, value })
const decimal = (precision: number, scale: number): Type => ({ kind: 'decimal', precision, scale })

/** Names and ids of all fields, children in brackets. */
function ids(type: Type): string {
  if (type.kind === 'struct')
    return `[${type.fields.map(({ name, id, type }) => `${name}${id}${ids(type)}`).join(' ')}]`
  if (type.kind === 'list') return `[e${type.elementId}${ids(type.element)}]`
  return type.kind === 'map' ? `[k${type.keyId} v${type.valueId}${ids(type.value)}]` : ''
}
const before = parseSchema(nested)
test.each<[string, NewField[], string]>([
  [
    'the same',
    [
      { name: 'id', type: long },
      { name: 'at', type: { kind: 'timestamptz' } },
    ],
    '[id1 at2]',
  ],
  [
    'another order',
    [
      { name: 'at', type: { kind: 'timestamptz' } },
      { name: 'id', type: long },
    ],
    '[at2 id1]',
  ],
  ['another type', [{ name: 'id', type: text }], '[id11]'],
  ['narrower', [{ name: 'id', type: int }], '[id11]'],
  [
    'a new column',
    [
      { name: 'new', type: int },
      { name: 'id', type: long },
    ],
    '[new11 id1]',
  ],
  [
    'a nested addition',
    [{ name: 'place', type: struct({ name: 'x', type: { kind: 'double' } }, { name: 'y', type: long }) }],
    '[place9[x10 y11]]',
  ],
  [
    'a struct in a list',
    [{ name: 'tags', type: list(struct({ name: 'k', type: text }, { name: 'l', type: text })) }],
    '[tags3[e4[k5 l11]]]',
  ],
  ['a list of something else', [{ name: 'tags', type: list(long) }], '[tags3[e11]]'],
  ['a wider map value', [{ name: 'map', type: map(text, decimal(12, 2)) }], '[map6[k7 v8]]'],
  ['another map value', [{ name: 'map', type: map(text, decimal(12, 3)) }], '[map6[k7 v11]]'],
  ['another map key', [{ name: 'map', type: map(long, decimal(9, 2)) }], '[map11[k12 v13]]'],
  ['a scalar for a struct', [{ name: 'place', type: long }], '[place11]'],
])('replacing with %s', (_, columns, expected) => {
  const schema = schemaForReplace({ schemas: [before], currentSchemaId: 3, lastColumnId: 10 }, columns)
  expect(ids({ kind: 'struct', fields: schema.fields })).toBe(expected)
  const seen = [...expected.matchAll(/\d+/g)].map(([id]) => id)
  expect(new Set(seen).size).toBe(seen.length)
})

test('a column given twice is refused', () =>
  expect(() =>
    schemaForReplace({ schemas: [before], currentSchemaId: 3, lastColumnId: 10 }, [
      { name: 'a', type: int },
      { name: 'a', type: int },
    ]),
  ).toThrow('"a" is given twice'))

test('identifier fields that stay required are kept', () => {
  const current = { schemas: [before], currentSchemaId: 3, lastColumnId: 10 }
  expect(schemaForReplace(current, [{ name: 'id', type: long, required: true }]).identifierFieldIds).toEqual([1])
  expect(schemaForReplace(current, [{ name: 'id', type: long }]).identifierFieldIds).toEqual([])
})
