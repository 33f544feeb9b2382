// Schemas: their JSON, their field ids, and which id a column keeps when a table is replaced.

import { Failure } from '../base/failure.ts'
import { JsonNode } from './json.ts'
import type { FormatVersion } from './metadata-types.ts'
import type { Default, Field, ListType, MapType, NewField, PrimitiveType, Schema, SimpleKind, Type } from './types.ts'
import { isPrimitive, valueFromJson, valueToJson } from './value.ts'

const simpleKinds: readonly string[] = [
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'timestamp_ns',
  'timestamptz_ns',
  'string',
  'uuid',
  'binary',
  'unknown',
  'variant',
] satisfies SimpleKind[]

// Deeper nesting is nobody's table, and recursion over it would end in a stack overflow.
const depthMax = 100

// --- types as text and JSON

/** `decimal(9,2)`, `fixed[16]`, `long` …; METADATA_INVALID when it is no type. */
export function parsePrimitive(text: string): PrimitiveType {
  return primitiveOf(text) ?? new JsonNode(text).fail(`"${text}" is not an Iceberg type`)
}

function primitiveOf(text: string): PrimitiveType | undefined {
  if (simpleKinds.includes(text)) return { kind: text as SimpleKind }
  const decimal = /^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$/.exec(text)
  if (decimal) {
    const [precision, scale] = [Number(decimal[1]), Number(decimal[2])]
    return precision >= 1 && precision <= 38 && scale <= precision ? { kind: 'decimal', precision, scale } : undefined
  }
  const fixed = /^fixed\[\s*(\d{1,9})\s*\]$/.exec(text)
  if (fixed) return { kind: 'fixed', length: Number(fixed[1]) }
  const geo = /^(geometry|geography)(?:\(\s*([^,)]*?)\s*(?:,\s*(\w+)\s*)?\))?$/.exec(text)
  if (geo?.[1] === 'geometry' && geo[3] === undefined) return { kind: 'geometry', crs: geo[2] }
  return geo?.[1] === 'geography' ? { kind: 'geography', crs: geo[2], algorithm: geo[3] } : undefined
}

/** A primitive type as the spec spells it; nested ones as messages show them: `list<long>`. */
export function showType(type: Type): string {
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision}, ${type.scale})`
    case 'fixed':
      return `fixed[${type.length}]`
    case 'geometry':
      return type.crs === undefined ? 'geometry' : `geometry(${type.crs})`
    case 'geography': {
      const parts = [type.crs, type.algorithm].filter((part) => part !== undefined)
      return parts.length === 0 ? 'geography' : `geography(${parts.join(', ')})`
    }
    case 'struct':
      return `struct<${type.fields.map(({ name, type }) => `${name}: ${showType(type)}`).join(', ')}>`
    case 'list':
      return `list<${showType(type.element)}>`
    case 'map':
      return `map<${showType(type.key)}, ${showType(type.value)}>`
    default:
      return type.kind
  }
}

function typeFromJson(node: JsonNode, depth: number): Type {
  if (depth > depthMax) node.fail(`nested deeper than ${depthMax} levels`)
  if (typeof node.value === 'string')
    return primitiveOf(node.value) ?? node.fail(`"${node.value}" is not an Iceberg type`)
  const kind = node.get('type').oneOf('struct', 'list', 'map')
  if (kind === 'struct') return { kind, fields: fieldsFromJson(node.get('fields'), depth + 1) }
  if (kind === 'list')
    return {
      kind,
      elementId: node.get('element-id').int(),
      elementRequired: node.get('element-required').boolean(),
      element: typeFromJson(node.get('element'), depth + 1),
    }
  return {
    kind,
    keyId: node.get('key-id').int(),
    key: typeFromJson(node.get('key'), depth + 1),
    valueId: node.get('value-id').int(),
    valueRequired: node.get('value-required').boolean(),
    value: typeFromJson(node.get('value'), depth + 1),
  }
}

function fieldsFromJson(node: JsonNode, depth: number): Field[] {
  return node.list((field) => {
    const type = typeFromJson(field.get('type'), depth)
    const aDefault = (at: JsonNode): Default => (isPrimitive(type) ? valueFromJson(type, at) : { json: at.value })
    const doc = field.maybe('doc', (at) => at.text())
    const initialDefault = field.maybe('initial-default', aDefault)
    const writeDefault = field.maybe('write-default', aDefault)
    return {
      id: field.get('id').int(),
      name: field.get('name').text(),
      required: field.get('required').boolean(),
      type,
      ...(doc !== undefined && { doc }),
      ...(initialDefault !== undefined && { initialDefault }),
      ...(writeDefault !== undefined && { writeDefault }),
    }
  })
}

/** A schema from its JSON value (spec, appendix C). */
export function parseSchema(json: unknown, place?: string): Schema {
  return schemaFromNode(new JsonNode(json, { place }))
}

export function schemaFromNode(node: JsonNode): Schema {
  if (node.has('type')) node.get('type').oneOf('struct')
  const schema = {
    schemaId: node.maybe('schema-id', (at) => at.int()) ?? 0,
    fields: fieldsFromJson(node.get('fields'), 1),
    identifierFieldIds: node.maybe('identifier-field-ids', (at) => at.list((id) => id.int())) ?? [],
  }
  const seen = new Set<number>()
  for (const { id, name } of allFields(schema)) {
    if (seen.has(id)) node.fail(`field id ${id} is used twice, the second time by "${name}"`)
    if (id < 0) node.fail(`"${name}" has the field id ${id}`)
    seen.add(id)
  }
  return schema
}

export function typeJson(type: Type): unknown {
  switch (type.kind) {
    case 'struct':
      return { type: 'struct', fields: type.fields.map(fieldJson) }
    case 'list':
      return {
        type: 'list',
        'element-id': type.elementId,
        element: typeJson(type.element),
        'element-required': type.elementRequired,
      }
    case 'map':
      return {
        type: 'map',
        'key-id': type.keyId,
        key: typeJson(type.key),
        'value-id': type.valueId,
        value: typeJson(type.value),
        'value-required': type.valueRequired,
      }
    default:
      return showType(type)
  }
}

function fieldJson({ id, name, required, type, doc, initialDefault, writeDefault }: Field): unknown {
  const aDefault = (value: Default) =>
    typeof value === 'object' && 'json' in value ? value.json : valueToJson(type, value)
  return {
    id,
    name,
    required,
    type: typeJson(type),
    ...(doc !== undefined && { doc }),
    ...(initialDefault !== undefined && { 'initial-default': aDefault(initialDefault) }),
    ...(writeDefault !== undefined && { 'write-default': aDefault(writeDefault) }),
  }
}

/** The JSON value of the spec; print it with `printJson`. */
export function schemaJson({ schemaId, fields, identifierFieldIds }: Schema): unknown {
  return {
    type: 'struct',
    'schema-id': schemaId,
    ...(identifierFieldIds.length > 0 && { 'identifier-field-ids': identifierFieldIds }),
    fields: fields.map(fieldJson),
  }
}

// --- looking at fields

/** A field of any depth: its dotted name, the ids of the fields around it, and whether it may repeat within a row. */
export type FoundField = Field & { path: string; parents: readonly number[]; repeated: boolean }

/** Every field at any depth, parents first; elements, keys and values are fields too. */
export function* allFields({ fields }: { fields: readonly Field[] }): Generator<FoundField> {
  yield* below(fields, '', [], false)
}

function* below(
  fields: readonly Field[],
  prefix: string,
  parents: readonly number[],
  repeated: boolean,
): Generator<FoundField> {
  for (const field of fields) {
    const path = prefix + field.name
    yield { ...field, path, parents, repeated }
    yield* below(
      childFields(field.type),
      `${path}.`,
      [...parents, field.id],
      repeated || field.type.kind === 'list' || field.type.kind === 'map',
    )
  }
}

function childFields(type: Type): readonly Field[] {
  switch (type.kind) {
    case 'struct':
      return type.fields
    case 'list':
      return [{ id: type.elementId, name: 'element', required: type.elementRequired, type: type.element }]
    case 'map':
      return [
        { id: type.keyId, name: 'key', required: true, type: type.key },
        { id: type.valueId, name: 'value', required: type.valueRequired, type: type.value },
      ]
    default:
      return []
  }
}

const indexes = new WeakMap<Schema, Map<number, FoundField>>()

/** Schemas never change, so each is indexed once. */
export function fieldsById(schema: Schema): ReadonlyMap<number, FoundField> {
  let index = indexes.get(schema)
  if (!index) indexes.set(schema, (index = new Map([...allFields(schema)].map((field) => [field.id, field]))))
  return index
}

export const fieldById = (schema: Schema, id: number): FoundField | undefined => fieldsById(schema).get(id)

/** By dotted name (`a.b`, `list.element`, `map.value.c`). REQUEST_INVALID when several differ from it by case only. */
export function findField(
  schema: Schema,
  name: string,
  { caseSensitive = true }: { caseSensitive?: boolean } = {},
): FoundField | undefined {
  const fields = [...fieldsById(schema).values()]
  const exact = fields.find(({ path }) => path === name)
  if (exact || caseSensitive) return exact
  const [found, other] = fields.filter(({ path }) => path.toLowerCase() === name.toLowerCase())
  if (found && other)
    throw new Failure('REQUEST_INVALID', `"${name}" may be "${found.path}" or "${other.path}": write it as it is`)
  return found
}

/** Columns that `now` requires and `then` did not: rows of then may have no value in them, nor a default. */
export function newlyRequired(now: Pick<Schema, 'fields'>, then: Pick<Schema, 'fields'>): Field[] {
  const before = new Set(then.fields.flatMap(({ id, required }) => (required ? [id] : [])))
  return now.fields.filter(
    ({ id, required, initialDefault }) => required && initialDefault === undefined && !before.has(id),
  )
}

export function highestFieldId(schema: { fields: readonly Field[] }): number {
  let highest = 0
  for (const { id } of allFields(schema)) highest = Math.max(highest, id)
  return highest
}

/** Same fields with the same ids; the schema's own id does not count. */
export function sameSchema(a: Schema, b: Schema): boolean {
  const text = (schema: Schema) =>
    JSON.stringify(schemaJson({ ...schema, schemaId: 0 }), (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value,
    )
  return text(a) === text(b)
}

// --- giving ids

/** Ids as Java gives them: all fields of one level, then what is inside them. `renumbered` maps old ids to new ones. */
export function withFreshIds(
  fields: readonly (NewField | Field)[],
  next: () => number,
  renumbered = new Map<number, number>(),
): Field[] {
  const ids = fields.map((field) => {
    const id = next()
    if ('id' in field) renumbered.set(field.id, id)
    return id
  })
  return fields.map((field, index) => ({
    ...field,
    required: field.required ?? false,
    id: ids[index]!,
    type: freshType(field.type, next, renumbered),
  }))
}

function freshType(type: Type, next: () => number, renumbered: Map<number, number>): Type {
  if (type.kind === 'struct') return { kind: 'struct', fields: withFreshIds(type.fields, next, renumbered) }
  if (type.kind === 'list') {
    const elementId = next()
    renumbered.set(type.elementId, elementId)
    return { ...type, elementId, element: freshType(type.element, next, renumbered) }
  }
  if (type.kind !== 'map') return type
  const [keyId, valueId] = [next(), next()]
  renumbered.set(type.keyId, keyId)
  renumbered.set(type.valueId, valueId)
  return {
    ...type,
    keyId,
    valueId,
    key: freshType(type.key, next, renumbered),
    value: freshType(type.value, next, renumbered),
  }
}

/** What the spec's "Schema Evolution" lets a column's type become (and itself). `unknown` may become anything, in v3. */
export function isPromotable(from: Type, to: Type, formatVersion: FormatVersion = 2): boolean {
  if (formatVersion >= 3 && from.kind === 'unknown') return isPrimitive(to)
  if (formatVersion >= 3 && from.kind === 'date') return ['date', 'timestamp', 'timestamp_ns'].includes(to.kind)
  if (from.kind === 'int') return to.kind === 'int' || to.kind === 'long'
  if (from.kind === 'float') return to.kind === 'float' || to.kind === 'double'
  if (from.kind === 'decimal') return to.kind === 'decimal' && to.scale === from.scale && to.precision >= from.precision
  return isPrimitive(from) && isPrimitive(to) && showType(from) === showType(to)
}

/**
 * The schema of a replaced table: a column that keeps its name and has the same type, or one it may be promoted to,
 * keeps its id (so do the columns inside it); every other one gets an id that was never used.
 * All rows are replaced, so that a column may also become required. `schemaId` is for the commit to give.
 */
export function schemaForReplace(
  current: { schemas: readonly Schema[]; currentSchemaId: number; lastColumnId: number },
  columns: readonly NewField[],
): Schema {
  const names = new Set<string>()
  for (const { name } of columns) {
    if (names.has(name)) throw new Failure('REQUEST_INVALID', `column "${name}" is given twice`, { column: name })
    names.add(name)
  }
  let last = current.lastColumnId
  const next = () => ++last
  const old = current.schemas.find(({ schemaId }) => schemaId === current.currentSchemaId)
  const fields = keepIds(old?.fields ?? [], columns, next)
  const kept = new Set(fields.filter(({ required }) => required).map(({ id }) => id))
  return {
    schemaId: current.currentSchemaId,
    fields,
    identifierFieldIds: (old?.identifierFieldIds ?? []).filter((id) => kept.has(id)),
  }
}

function keepIds(old: readonly Field[], columns: readonly NewField[], next: () => number): Field[] {
  const kept = columns.map((column) => {
    const before = old.find(({ name }) => name === column.name)
    return before && sameShape(before.type, column.type) ? before : undefined
  })
  const ids = kept.map((before) => before?.id ?? next())
  return columns.map((column, index) => ({
    id: ids[index]!,
    name: column.name,
    required: column.required ?? false,
    type: kept[index] ? keptType(kept[index].type, column.type, next) : freshType(column.type, next, new Map()),
    ...(column.doc !== undefined && { doc: column.doc }),
  }))
}

const sameShape = (old: Type, column: Type): boolean =>
  isPrimitive(old)
    ? isPromotable(old, column)
    : old.kind === column.kind && (old.kind !== 'map' || column.kind !== 'map' || sameKey(old, column))
// The key of a map may not change at all: new keys, new column.
const sameKey = (old: MapType, column: MapType): boolean => showType(old.key) === showType(column.key)

function keptType(old: Type, column: Type, next: () => number): Type {
  if (old.kind === 'struct' && column.kind === 'struct')
    return { kind: 'struct', fields: keepIds(old.fields, column.fields, next) }
  if (old.kind === 'list' && column.kind === 'list')
    return sameShape(old.element, column.element)
      ? { ...column, elementId: old.elementId, element: keptType(old.element, column.element, next) }
      : (freshType(column, next, new Map()) as ListType)
  if (old.kind === 'map' && column.kind === 'map') {
    const same = sameShape(old.value, column.value)
    return {
      ...column,
      keyId: old.keyId,
      key: old.key,
      valueId: same ? old.valueId : next(),
      value: same ? keptType(old.value, column.value, next) : freshType(column.value, next, new Map()),
    }
  }
  return column
}

/** For reading partition values whose column was dropped: the field of the newest schema that has it. */
export function fieldInAnySchema(
  { schemas, currentSchemaId }: { schemas: readonly Schema[]; currentSchemaId: number },
  id: number,
): FoundField | undefined {
  const newestFirst = [...schemas].sort(
    (a, b) =>
      Number(b.schemaId === currentSchemaId) - Number(a.schemaId === currentSchemaId) || b.schemaId - a.schemaId,
  )
  for (const schema of newestFirst) {
    const field = fieldById(schema, id)
    if (field) return field
  }
  return undefined
}
