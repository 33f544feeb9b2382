// What a manifest keeps of a file's statistics: the metrics modes of the table's properties.

import type { Bounds, Counts, DataFile, NewDataFile } from './manifest-types.ts'
import { positionDeleteSchema } from './reserved.ts'
import { fieldsById, type FoundField } from './schema.ts'
import type { Schema, Value } from './types.ts'
import { encodeBound, isNaN_, isPrimitive, toForm, truncateLower, truncateUpper } from './value.ts'

type Mode = { kind: 'none' } | { kind: 'counts' } | { kind: 'full' } | { kind: 'truncate'; length: number }

const defaultMode: Mode = { kind: 'truncate', length: 16 }
// A table with thousands of columns would have manifests larger than its data: Java's limit, and its default.
const columnsMaxDefault = 100

function parseMode(text: string | undefined): Mode | undefined {
  const match = /^(none|counts|full|truncate\(\s*(\d{1,6})\s*\))$/i.exec(text?.trim() ?? '')
  if (!match) return undefined
  const length = Number(match[2])
  if (match[2] !== undefined) return length > 0 ? { kind: 'truncate', length } : undefined
  return { kind: match[1]!.toLowerCase() as 'none' | 'counts' | 'full' }
}

/** `write.metadata.metrics.default`, `.column.<path>` and `.max-inferred-column-defaults`. */
export function metricsModes(schema: Schema, properties: Readonly<Record<string, string>>): (id: number) => Mode {
  const stated = parseMode(properties['write.metadata.metrics.default'])
  const columnsMax =
    Number(properties['write.metadata.metrics.max-inferred-column-defaults'] ?? columnsMaxDefault) || columnsMaxDefault
  const modes = new Map<number, Mode>()
  let leaves = 0
  for (const field of fieldsById(schema).values()) {
    if (!isPrimitive(field.type)) continue
    const own = parseMode(properties[`write.metadata.metrics.column.${field.path}`])
    modes.set(field.id, own ?? stated ?? (leaves++ < columnsMax ? defaultMode : { kind: 'none' }))
  }
  return (id) => modes.get(id) ?? { kind: 'none' }
}

type Statistics = Pick<
  DataFile,
  'columnSizes' | 'valueCounts' | 'nullCounts' | 'nanCounts' | 'lowerBounds' | 'upperBounds'
>

/** Statistics as the manifest stores them. Bounds are cut as the mode says, and stay bounds. */
export function statisticsOf(file: NewDataFile, schema: Schema, modeOf: (id: number) => Mode): Statistics {
  const counts = (all: Counts | undefined) => all && new Map([...all].filter(([id]) => modeOf(id).kind !== 'none'))
  const nanCounts = counts(file.nanCounts)
  return dropEmpty({
    columnSizes: counts(file.columnSizes),
    valueCounts: counts(file.valueCounts),
    nullCounts: counts(file.nullCounts),
    nanCounts,
    lowerBounds: bounds(file.lower, schema, modeOf, lowest),
    upperBounds: bounds(file.upper, schema, modeOf, highest),
  })
}

function bounds(
  values: ReadonlyMap<number, Value> | undefined,
  schema: Schema,
  modeOf: (id: number) => Mode,
  cut: (field: FoundField, value: Value, mode: Mode) => Value | undefined,
): Bounds | undefined {
  if (!values) return undefined
  const result = new Map<number, Uint8Array>()
  for (const [id, given] of values) {
    const [field, mode] = [fieldsById(schema).get(id), modeOf(id)]
    // Bounds over the elements of lists and maps prune nothing and mislead readers that think they are about rows.
    if (!field || field.repeated || !isPrimitive(field.type) || mode.kind === 'none' || mode.kind === 'counts') continue
    const value = toForm(field.type, given)
    if (value === undefined || isNaN_(value)) continue
    const bound = cut(field, value, mode)
    if (bound !== undefined) result.set(id, encodeBound(field.type, bound))
  }
  return result
}

// Zero has two signs that compare equal but not as bytes: the bound must enclose both.
function lowest({ type }: FoundField, value: Value, mode: Mode): Value | undefined {
  if (value === 0 && (type.kind === 'float' || type.kind === 'double')) return -0
  return mode.kind === 'truncate' && isCut(type.kind) ? truncateLower(value, mode.length) : value
}
function highest({ type }: FoundField, value: Value, mode: Mode): Value | undefined {
  if (value === 0 && (type.kind === 'float' || type.kind === 'double')) return 0
  return mode.kind === 'truncate' && isCut(type.kind) ? truncateUpper(value, mode.length) : value
}
/** A fixed value has its length, so it is never cut. */
const isCut = (kind: string) => kind === 'string' || kind === 'binary'

const dropEmpty = (statistics: { [Key in keyof Statistics]: Statistics[Key] | undefined }): Statistics =>
  Object.fromEntries(Object.entries(statistics).filter(([, map]) => map !== undefined && map.size > 0)) as Statistics

/** Paths are never cut: readers find the delete files of a data file by them. */
export const positionDeleteStatistics = (file: NewDataFile): Statistics =>
  statisticsOf(file, positionDeleteSchema, () => ({ kind: 'full' }))
