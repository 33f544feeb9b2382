// How a table's columns change (spec, "Schema Evolution"): without touching a file. Columns are ids; names, places and docs
// are theirs to change, and a new column has an id that was never used.
//
// Each step is made on the schema as the steps before it left it, and refused at once when files that are there could not
// be read by what comes out. Paths name columns at any depth: `a.b`, `list.element.c`, `map.value.d`; a step below a list
// or map may leave `element` and `value` out, as SQL does.

import { Failure } from '../base/failure.ts'
import { checkSchema, currentSchema, defaultSpec, refuse } from './metadata.ts'
import type { TableChange, TableMetadata, TableUpdate } from './metadata-types.ts'
import {
  nameMappingOf,
  nameMappingOfSchema,
  printNameMapping,
  type MappedField,
  type NameMapping,
} from './name-mapping.ts'
import { fieldById, fieldsById, findField, isPromotable, sameSchema, showType, withFreshIds } from './schema.ts'
import type { FoundField } from './schema.ts'
import type { Default, Field, NewField, Schema, Type } from './types.ts'
import { compareValues, isPrimitive, toForm } from './value.ts'

export type EvolveOptions = {
  /** Default true. */
  caseSensitive?: boolean | undefined
  /** Lets columns become required though rows that are there may break it. Default false. */
  allowIncompatible?: boolean | undefined
}

export type NewColumn = Omit<NewField, 'name' | 'type'> & {
  /** What older rows have and writers put where they are given nothing; version 3. */
  default?: Default | undefined
  place?: Place | undefined
  /** The path is one name, whose dots lead into nothing. */
  isName?: boolean | undefined
}
/** Among the columns of the same struct. */
export type Place = 'first' | { before: string } | { after: string }

/** Starts a change of the current schema. REQUEST_INVALID says why a step cannot be. */
export const evolveSchema = (metadata: TableMetadata, options: EvolveOptions = {}): SchemaEvolution =>
  new SchemaEvolution(metadata, options)

/** Those above are for columns that every table has (spec, "Reserved Field IDs"). */
const columnIdMax = 2147483447

export class SchemaEvolution {
  readonly #metadata: TableMetadata
  readonly #options: EvolveOptions
  #schema: Schema
  #lastId: number
  /** Columns that this change added. */
  readonly #added = new Set<number>()

  constructor(metadata: TableMetadata, options: EvolveOptions) {
    this.#metadata = metadata
    this.#options = options
    this.#schema = currentSchema(metadata)
    this.#lastId = metadata.lastColumnId
  }

  #nextId(): number {
    if (this.#lastId >= columnIdMax) refuse(`the table has given field id ${this.#lastId}: there is none left`)
    return ++this.#lastId
  }

  /** A column at the end of its struct, or at `place`. Required ones need a default. */
  add(path: string, type: Type, { required = false, doc, default: value, place, isName }: NewColumn = {}): this {
    const [parent, name] = isName ? [undefined, path] : this.#split(path)
    if (name === '') refuse('a column needs a name')
    const siblings = parent ? structFields(parent) : this.#schema.fields
    this.#checkFree(siblings, name, path)
    if (required && value === undefined && !this.#options.allowIncompatible)
      refuse(`the required column "${path}" needs a default: rows that are there have no value for it`)
    const [fresh] = withFreshIds([{ name, type, required, ...(doc !== undefined && { doc }) }], () => this.#nextId())
    const filled = value === undefined ? undefined : defaultOf(fresh!.type, value, path)
    const field: Field = {
      ...fresh!,
      ...(filled !== undefined && { initialDefault: filled, writeDefault: filled }),
    }
    this.#added.add(field.id)
    this.#setFields(parent, [...siblings, field])
    return place === undefined ? this : this.move(path, place)
  }

  drop(path: string): this {
    const field = this.#find(path)
    const parent = this.#parentOf(field)
    if (parent?.type.kind === 'list') refuse(`"${path}" is the element of a list: drop the list`)
    if (parent?.type.kind === 'map')
      refuse(`"${path}" is the ${field.id === parent.type.keyId ? 'key' : 'value'} of a map: drop the map`)
    this.#refuseInKey(field, path)
    const inside = (id: number) => id === field.id || fieldById(this.#schema, id)?.parents.includes(field.id) === true
    const identifier = this.#schema.identifierFieldIds.find(inside)
    if (identifier !== undefined)
      refuse(`"${path}" cannot be dropped: "${fieldById(this.#schema, identifier)!.path}" is an identifier field`)
    const partition = defaultSpec(this.#metadata).fields.find(
      ({ transform, sourceIds }) => transform.kind !== 'void' && sourceIds.some(inside),
    )
    if (partition)
      refuse(`"${path}" cannot be dropped: the table is partitioned by it (partition field "${partition.name}")`)
    const order = this.#metadata.sortOrders.find(({ orderId }) => orderId === this.#metadata.defaultSortOrderId)
    if (order?.fields.some(({ sourceIds }) => sourceIds.some(inside)))
      refuse(`"${path}" cannot be dropped: the table is sorted by it`)
    const siblings = parent ? structFields(parent) : this.#schema.fields
    if (parent && siblings.length === 1) refuse(`"${path}" is the only column of "${parent.path}": drop that`)
    this.#setFields(
      parent,
      siblings.filter(({ id }) => id !== field.id),
    )
    return this
  }

  /** `name` alone, without the path around it. */
  rename(path: string, name: string): this {
    const field = this.#find(path)
    const parent = this.#parentOf(field)
    if (parent && parent.type.kind !== 'struct') refuse(`"${path}" has no name of its own`)
    if (name === '') refuse('a column needs a name')
    this.#refuseInKey(field, path)
    const siblings = parent ? structFields(parent) : this.#schema.fields
    this.#checkFree(
      siblings.filter(({ id }) => id !== field.id),
      name,
      path.slice(0, path.length - field.name.length) + name,
    )
    return this.#change(field, (one) => ({ ...one, name }))
  }

  /** A wider type: int to long, float to double, decimal to more digits; in version 3 also date to timestamp. */
  widen(path: string, type: Type): this {
    const field = this.#find(path)
    if (showType(field.type) === showType(type)) return this
    this.#refuseInKey(field, path)
    const { formatVersion } = this.#metadata
    if (!isPrimitive(field.type) || !isPromotable(field.type, type, formatVersion))
      refuse(`the type of "${path}" cannot change from ${showType(field.type)} to ${showType(type)}`)
    // Spec, "Schema Evolution": a bucket of the wider value must be the bucket that files have.
    const partition = this.#metadata.partitionSpecs
      .flatMap(({ fields }) => fields)
      .find(({ transform, sourceIds }) => sourceIds.includes(field.id) && transform.kind === 'bucket')
    if (partition && field.type.kind === 'date')
      refuse(`the type of "${path}" cannot change: partition field "${partition.name}" would have other values`)
    return this.#change(field, (one) => ({
      ...one,
      type,
      ...widenedDefault(one, 'initialDefault', type),
      ...widenedDefault(one, 'writeDefault', type),
    }))
  }

  /** Nulls are allowed from now on. */
  nullable(path: string): this {
    const field = this.#find(path)
    this.#refuseInKey(field, path)
    if (this.#schema.identifierFieldIds.includes(field.id))
      refuse(`"${path}" cannot become optional: it is an identifier field`)
    return this.#change(field, (one) => ({ ...one, required: false }))
  }

  /** Only for columns added by this change with a default, or with `allowIncompatible`. */
  require(path: string): this {
    const field = this.#find(path)
    if (field.required) return this
    const isFilled = this.#added.has(field.id) && field.initialDefault !== undefined
    if (!isFilled && !this.#options.allowIncompatible)
      refuse(`"${path}" cannot become required: rows that are there may have no value`)
    return this.#change(field, (one) => ({ ...one, required: true }))
  }

  /** `undefined` takes it away. */
  doc(path: string, doc: string | undefined): this {
    return this.#change(this.#find(path), (one) => ({ ...one, doc }))
  }

  /**
   * What writers put where they are given nothing; `undefined` is null again, and of a required column they have to be given
   * something. Rows that are there keep what they have.
   */
  setDefault(path: string, value: Default | undefined): this {
    const field = this.#find(path)
    const filled = value === undefined ? undefined : defaultOf(field.type, value, path)
    return this.#change(field, (one) => ({ ...one, writeDefault: filled }))
  }

  move(path: string, place: Place): this {
    const field = this.#find(path)
    const parent = this.#parentOf(field)
    if (parent && parent.type.kind !== 'struct') refuse(`"${path}" cannot be moved: it is not a column of a struct`)
    const siblings = parent ? structFields(parent) : this.#schema.fields
    const rest = siblings.filter(({ id }) => id !== field.id)
    const own = siblings.find(({ id }) => id === field.id)!
    if (place === 'first') {
      this.#setFields(parent, [own, ...rest])
      return this
    }
    const beside = this.#find('before' in place ? place.before : place.after)
    if (beside.id === field.id) refuse(`"${path}" cannot be moved beside itself`)
    const at = rest.findIndex(({ id }) => id === beside.id)
    if (at < 0) refuse(`"${path}" cannot be moved beside "${beside.path}": that is in another struct`)
    this.#setFields(parent, rest.toSpliced('before' in place ? at : at + 1, 0, own))
    return this
  }

  /** The columns that together tell a row from all others; none takes them away. */
  identifiers(paths: readonly string[]): this {
    this.#schema = { ...this.#schema, identifierFieldIds: paths.map((path) => this.#find(path).id) }
    checkSchema(this.#schema, this.#metadata.formatVersion)
    return this
  }

  /** Columns of `other` that are missing are added, optional, types widened, required columns made optional where they are there. */
  union(other: { fields: readonly (Field | NewField)[] }): this {
    this.#union(other.fields, '', false)
    return this
  }

  /** Columns of rows that are cast when they are written: missing ones are added, and types widened where they can be. */
  unionForCasts(other: { fields: readonly (Field | NewField)[] }): this {
    this.#union(other.fields, '', true)
    return this
  }

  #union(fields: readonly (Field | NewField)[], prefix: string, areCast: boolean) {
    for (const { name, type, required, doc } of fields) {
      const path = prefix + name
      const own = findField(this.#schema, path, this.#lookup())
      if (!own) this.add(path, type, { ...(doc !== undefined && { doc }) })
      else this.#unionTypes(own, type, required ?? false, doc, areCast)
    }
  }

  #unionTypes(own: FoundField, type: Type, required: boolean, doc: string | undefined, areCast: boolean): void {
    const { path } = own
    const version = this.#metadata.formatVersion
    if (!areCast && own.required && !required && !this.#schema.identifierFieldIds.includes(own.id)) this.nullable(path)
    if (doc !== undefined && doc !== own.doc) this.doc(path, doc)
    if (isPrimitive(own.type) || isPrimitive(type)) {
      // A narrower type fits into what is there.
      const isNarrower = isPromotable(type, own.type, version)
      if (!isNarrower && (!areCast || isPromotable(own.type, type, version))) this.widen(path, type)
      return
    }
    if (own.type.kind === 'struct' && type.kind === 'struct') return this.#union(type.fields, `${path}.`, areCast)
    const below = (name: string) => fieldsBelow(this.#schema, own.id).find((one) => one.name === name)!
    if (own.type.kind === 'list' && type.kind === 'list')
      return this.#unionTypes(below('element'), type.element, type.elementRequired, undefined, areCast)
    if (own.type.kind === 'map' && type.kind === 'map' && showType(own.type.key) === showType(type.key))
      return this.#unionTypes(below('value'), type.value, type.valueRequired, undefined, areCast)
    if (!areCast) refuse(`the type of "${path}" cannot change from ${showType(own.type)} to ${showType(type)}`)
  }

  /** The schema as it is now; its id is for the commit to give. */
  schema(): Schema {
    return this.#schema
  }

  /**
   * Without updates when nothing changed. The name mapping and the properties that name columns go along.
   * REQUEST_INVALID when the format version does not know what was asked for.
   */
  change(): TableChange {
    const { tableUuid, currentSchemaId, lastColumnId, formatVersion } = this.#metadata
    const old = currentSchema(this.#metadata)
    if (sameSchema(this.#schema, old)) return { updates: [], requirements: [] }
    checkSchema(this.#schema, formatVersion)
    return {
      updates: [
        { action: 'add-schema', schema: this.#schema, lastColumnId: this.#lastId },
        { action: 'set-current-schema', schemaId: -1 },
        ...propertyUpdates(this.#metadata, old, this.#schema),
      ],
      requirements: [
        { type: 'assert-table-uuid', uuid: tableUuid },
        { type: 'assert-current-schema-id', currentSchemaId },
        { type: 'assert-last-assigned-field-id', lastAssignedFieldId: lastColumnId },
      ],
    }
  }

  #lookup() {
    return { caseSensitive: this.#options.caseSensitive ?? true }
  }

  #find(path: string): FoundField {
    const field = findField(this.#schema, path, this.#lookup())
    if (field) return field
    const names = this.#schema.fields.map(({ name }) => `"${name}"`)
    throw new Failure('REQUEST_INVALID', `there is no column "${path}"; there is ${names.slice(0, 20).join(', ')}`, {
      column: path,
    })
  }

  /** The struct that a new column goes into (undefined: the table), and its name. */
  #split(path: string): [FoundField | undefined, string] {
    for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
      const parent = findField(this.#schema, path.slice(0, dot), this.#lookup())
      if (!parent) continue // the dot may be part of the name
      const { type } = parent
      const inner =
        type.kind === 'list'
          ? fieldById(this.#schema, type.elementId)!
          : type.kind === 'map'
            ? fieldById(this.#schema, type.valueId)!
            : parent
      if (inner.type.kind !== 'struct') refuse(`"${path}" cannot be added: "${parent.path}" is no struct`)
      this.#refuseInKey(inner, path)
      return [inner, path.slice(dot + 1)]
    }
    if (path.includes('.')) this.#find(path.slice(0, path.lastIndexOf('.')))
    return [undefined, path]
  }

  #parentOf({ parents }: FoundField): FoundField | undefined {
    const id = parents.at(-1)
    return id === undefined ? undefined : fieldById(this.#schema, id)
  }

  /** A map's key may not change at all: equal keys must stay equal. */
  #refuseInKey({ id, parents }: FoundField, path: string) {
    for (const outer of parents.map((parent) => fieldById(this.#schema, parent)!)) {
      const { type } = outer
      if (type.kind === 'map' && (type.keyId === id || parents.includes(type.keyId)))
        refuse(`"${path}" cannot change: it is in the key of the map "${outer.path}"`)
    }
  }

  #checkFree(siblings: readonly Field[], name: string, path: string) {
    const same = this.#lookup().caseSensitive
      ? (one: Field) => one.name === name
      : (one: Field) => one.name.toLowerCase() === name.toLowerCase()
    const taken = siblings.find(same)
    if (taken) refuse(`there is a column "${path.slice(0, path.length - name.length)}${taken.name}" already`)
  }

  #setFields(parent: FoundField | undefined, fields: readonly Field[]) {
    if (parent) this.#change(parent, (one) => ({ ...one, type: { kind: 'struct', fields } }))
    else this.#schema = { ...this.#schema, fields }
  }

  #change({ id }: FoundField, change: (field: Field) => Field): this {
    this.#schema = { ...this.#schema, fields: changedFields(this.#schema.fields, id, change) }
    return this
  }
}

const structFields = ({ type }: FoundField): readonly Field[] => (type.kind === 'struct' ? type.fields : [])
const fieldsBelow = (schema: Schema, parent: number) =>
  [...fieldsById(schema).values()].filter(({ parents }) => parents.at(-1) === parent)

function changedFields(fields: readonly Field[], id: number, change: (field: Field) => Field): Field[] {
  return fields.map((field) =>
    field.id === id ? change(field) : { ...field, type: changedType(field.type, id, change) },
  )
}

/** Elements, keys and values of lists and maps are fields without a record of their own. */
function changedType(type: Type, id: number, change: (field: Field) => Field): Type {
  if (type.kind === 'struct') return { kind: 'struct', fields: changedFields(type.fields, id, change) }
  const inner = (innerId: number, name: string, required: boolean, one: Type) =>
    changedFields([{ id: innerId, name, required, type: one }], id, change)[0]!
  if (type.kind === 'list') {
    const element = inner(type.elementId, 'element', type.elementRequired, type.element)
    return { ...type, elementRequired: element.required, element: element.type }
  }
  if (type.kind !== 'map') return type
  const value = inner(type.valueId, 'value', type.valueRequired, type.value)
  return { ...type, valueRequired: value.required, value: value.type }
}

function defaultOf(type: Type, value: Default, path: string): Default {
  if (typeof value === 'object' && 'json' in value) {
    if (isPrimitive(type)) refuse(`the default of "${path}" must be a ${showType(type)}`)
    return value
  }
  const filled = toForm(type, value)
  return filled ?? refuse(`the default of "${path}" must be a ${showType(type)}`)
}

function widenedDefault(field: Field, key: 'initialDefault' | 'writeDefault', type: Type): Partial<Field> {
  const value = field[key]
  if (value === undefined || (typeof value === 'object' && 'json' in value)) return {}
  const wider = field.type.kind === 'date' ? BigInt(value as number) * ticksPerDay(type) : toForm(type, value)
  const isKept = wider !== undefined && (typeof value === typeof wider ? compareValues(wider, value) === 0 : true)
  return isKept ? { [key]: wider } : refuse(`the default of "${field.name}" does not fit ${showType(type)}`)
}
const ticksPerDay = ({ kind }: Type) => 86_400_000_000n * (kind.endsWith('_ns') ? 1000n : 1n)

// --- what else names columns

const perColumn = ['write.metadata.metrics.column.', 'write.parquet.bloom-filter-enabled.column.']
const mappingProperty = 'schema.name-mapping.default'

function propertyUpdates(metadata: TableMetadata, old: Schema, schema: Schema): TableUpdate[] {
  const updates: Record<string, string> = {}
  const removals: string[] = []
  for (const { id, path } of fieldsById(old).values()) {
    const now = fieldById(schema, id)?.path
    if (now === path) continue
    for (const prefix of perColumn) {
      const value = metadata.properties[prefix + path]
      if (value === undefined) continue
      removals.push(prefix + path)
      if (now !== undefined) updates[prefix + now] = value
    }
  }
  const mapping = nameMappingOf(metadata)
  if (mapping) {
    const text = printNameMapping(withNames(mapping, nameMappingOfSchema(schema)))
    if (text !== metadata.properties[mappingProperty]) updates[mappingProperty] = text
  }
  const gone = removals.filter((name) => !(name in updates))
  return [
    ...(Object.keys(updates).length > 0 ? [{ action: 'set-properties' as const, updates }] : []),
    ...(gone.length > 0 ? [{ action: 'remove-properties' as const, removals: gone }] : []),
  ]
}

/** Names that columns have now are added; one that another column had before is its no longer. */
function withNames(mapping: NameMapping, now: NameMapping): NameMapping {
  const taken = new Map(now.flatMap(({ id, names }) => names.map((name) => [name, id])))
  const known = mapping.map((field): MappedField => {
    const names = field.names.filter((name) => !taken.has(name) || taken.get(name) === field.id)
    const current = now.find(({ id }) => id !== undefined && id === field.id)
    if (!current) return { ...field, names }
    return {
      id: field.id,
      names: [...new Set([...names, ...current.names])],
      fields: withNames(field.fields, current.fields),
    }
  })
  const added = now.filter(({ id }) => !mapping.some((field) => field.id === id))
  return [...known, ...added]
}
