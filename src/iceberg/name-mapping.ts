// Names for columns of files that carry no field ids: files that were written before their table was Iceberg's
// (spec, "Column Projection" and appendix C, "Name Mapping Serialization").

import { JsonNode, parseJson, printJson } from './json.ts'
import type { TableMetadata } from './metadata-types.ts'
import type { Field, Schema, Type } from './types.ts'

export type MappedField = {
  /** Undefined: the names are known, and no column of the table. */
  id: number | undefined
  names: readonly string[]
  /** What is inside: of a list `element`, of a map `key` and `value`. */
  fields: NameMapping
}
export type NameMapping = readonly MappedField[]

const property = 'schema.name-mapping.default'
const depthMax = 100

/** The table's own mapping; METADATA_INVALID when the property is not one. Undefined: no file lacks ids. */
export function nameMappingOf({ properties, location }: Pick<TableMetadata, 'properties' | 'location'>) {
  const text = properties[property]
  if (text === undefined) return undefined
  const place = `${location}: the property ${property}`
  return mappingFromNode(new JsonNode(parseJson(text, place), { place }), 0)
}

function mappingFromNode(node: JsonNode, depth: number): NameMapping {
  if (depth > depthMax) node.fail(`nested deeper than ${depthMax} levels`)
  // Which of two columns a name is would be a guess.
  const known = new Set<string>()
  const once = (name: JsonNode) => {
    const text = name.text()
    if (known.has(text)) name.fail(`the name "${text}" is given twice`)
    known.add(text)
    return text
  }
  return node.list((field) => ({
    id: field.maybe('field-id', (at) => at.int()),
    names: field.maybe('names', (at) => at.list(once)) ?? [],
    fields: field.maybe('fields', (at) => mappingFromNode(at, depth + 1)) ?? [],
  }))
}

/** Every column by the name that it has now: what a table without a mapping means. */
export const nameMappingOfSchema = ({ fields }: Pick<Schema, 'fields'>): NameMapping => fields.map(mapped)

const mapped = ({ id, name, type }: Pick<Field, 'id' | 'name' | 'type'>): MappedField => ({
  id,
  names: [name],
  fields: inside(type),
})

function inside(type: Type): NameMapping {
  if (type.kind === 'struct') return nameMappingOfSchema(type)
  if (type.kind === 'list') return [mapped({ id: type.elementId, name: 'element', type: type.element })]
  if (type.kind !== 'map') return []
  return [
    mapped({ id: type.keyId, name: 'key', type: type.key }),
    mapped({ id: type.valueId, name: 'value', type: type.value }),
  ]
}

/** The text of the property. */
export const printNameMapping = (mapping: NameMapping): string => printJson(mappingJson(mapping))

const mappingJson = (mapping: NameMapping): unknown =>
  mapping.map(({ id, names, fields }) => ({
    ...(id !== undefined && { 'field-id': id }),
    names,
    ...(fields.length > 0 && { fields: mappingJson(fields) }),
  }))
