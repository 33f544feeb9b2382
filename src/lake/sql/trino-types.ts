// What is known of the types in a view's SQL without asking the engine, and which of them are the same in Trino.

import type { EngineColumn } from '../../engine/index.ts'
import type { Node } from './tree.ts'
import { list, lowered, type Constant } from './trino-words.ts'

export type TrinoView = {
  /** As `json_serialize_sql` gives it, without what is null, empty or default. */
  tree: unknown
  /** The text itself: grouping sets cannot be told from the tree. */
  sql: string
  /** Whether a table below it has moments with a time zone. */
  hasZones: boolean
  /** Those of the view, in order. */
  columns: readonly EngineColumn[]
  /** A table as the text names it: its full name there, quoted, and its columns where they are known. */
  table(written: WrittenTable): { name: string; columns: readonly EngineColumn[] | undefined } | undefined
}
type WrittenTable = { catalog: string | undefined; namespace: string | undefined; name: string }

export type Reading = { view: TrinoView; ctes: ReadonlySet<string> }
/** Where an expression stands: columns by their names in lower case, with types; undefined: not all of them are known. */
export type Scope = Reading & {
  columns: Map<string, string | undefined> | undefined
  aliases: ReadonlyMap<string, Node>
}

/** Types that are spelt alike but for these. `undefined`: of a nested or unknown type. */
export function typeName(type: string): string | undefined {
  const decimal = /^DECIMAL\((\d+),\s*(\d+)\)$/.exec(type)
  if (decimal) return `decimal(${decimal[1]}, ${decimal[2]})`
  return plainTypes[type]
}
export const zoned = 'TIMESTAMP WITH TIME ZONE'
const plainTypes: Readonly<Record<string, string>> = {
  BOOLEAN: 'boolean',
  INTEGER: 'integer',
  BIGINT: 'bigint',
  FLOAT: 'real',
  DOUBLE: 'double',
  VARCHAR: 'varchar',
  DATE: 'date',
  TIME: 'time(6)',
  TIMESTAMP: 'timestamp(6)',
  [zoned]: 'timestamp(6) with time zone',
  UUID: 'uuid',
  BLOB: 'varbinary',
}

export const castable: Readonly<Record<string, RegExp>> = {
  INTEGER: /^(INTEGER|BIGINT|DECIMAL.*)$/,
  BIGINT: /^(INTEGER|BIGINT|DECIMAL.*)$/,
  DECIMAL: /^(INTEGER|BIGINT|DECIMAL.*)$/,
  DOUBLE: /^(INTEGER|BIGINT|DECIMAL.*|FLOAT|DOUBLE)$/,
  DATE: /^(TEXT|DATE|TIMESTAMP)$/,
  TIMESTAMP: /^(TEXT|DATE|TIMESTAMP)$/,
  VARCHAR: /^(TEXT|VARCHAR|INTEGER|BIGINT|DATE|UUID|DECIMAL.*)$/,
}

/** The type that DuckDB gives, where it is known without asking. */
export function typeOf(value: unknown, scope: Scope): string | undefined {
  const node = value as Node
  if (node['class'] === 'COLUMN_REF') {
    const names = node['column_names'] as string[]
    return names.length > 2 ? undefined : scope.columns?.get(lowered(names.at(-1)!))
  }
  if (node['class'] === 'CONSTANT') return (node['value'] as Constant).type.id
  if (node['class'] === 'CAST') {
    const { id, type_info: more } = node['cast_type'] as { id: string; type_info?: { width?: number; scale?: number } }
    return id === 'DECIMAL' ? `DECIMAL(${more?.width},${more?.scale})` : id
  }
  if (node['class'] !== 'FUNCTION') return undefined
  const name = String(node['function_name'])
  const [first] = list(node['children'])
  if (/^to_(years|months|weeks|days|hours|minutes|seconds)$/.test(name)) return 'INTERVAL'
  if (['count', 'count_star', 'length', 'date_part', 'year', 'month', 'day'].includes(name)) return 'BIGINT'
  if (['min', 'max', 'abs'].includes(name) && first) return typeOf(first, scope)
  if (name !== 'sum' || !first) return undefined
  const type = typeOf(first, scope)
  const scale = /^DECIMAL\(\d+,(\d+)\)$/.exec(type ?? '')?.[1]
  return scale === undefined ? type : `DECIMAL(38,${scale})`
}

/** Whether it may be a moment, whose day and hour depend on a time zone that each engine has of its own. */
export const mayBeZoned = (value: unknown, scope: Scope): boolean => {
  const type = typeOf(value, scope)
  return type === zoned || (type === undefined && scope.view.hasZones)
}
/** Whether moments may meet days or times without a zone. */
export const mixesZones = (all: readonly unknown[], scope: Scope): boolean =>
  all.some((one) => mayBeZoned(one, scope)) &&
  all.some((one) => ['DATE', 'TIMESTAMP'].includes(typeOf(one, scope) ?? ''))
