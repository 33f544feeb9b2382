// The columns that a Parquet file really has, and how a table's columns come out of them.
//
// DuckDB finds top-level columns by field id, but everything inside them by name. That is not enough for files without
// ids, for files whose nested fields were renamed since, and for defaults inside structs. Such files are read by their own
// names, and an expression per column builds what the table's schema asks for.

import { Failure } from '../../base/failure.ts'
import { EngineFailure, type Engine, type HostClass } from '../../engine/index.ts'
import type { Default, Field, NameMapping, Type } from '../../iceberg/index.ts'
import { quoteFile, quoteName, quoteText } from '../sql/tokens.ts'
import { literalSql, sqlType } from '../types.ts'

export type FileColumn = {
  name: string
  id: number | undefined
  /** DuckDB's type of a leaf. */
  type: string
  kind: 'leaf' | 'struct' | 'list' | 'map'
  /** Of a list its element, of a map key and value. */
  children: readonly FileColumn[]
  /** A struct of one field for which DuckDB gives the field alone. */
  isBare?: true
  /** Nanoseconds with a time zone, of which DuckDB reads microseconds. */
  isCut?: true
}
/** All files written alike share one shape: the same object. */
export type FileShape = { columns: readonly FileColumn[]; hasIds: boolean }

// --- reading shapes

const [filesAtOnce, keptMax, columnsMax] = [500, 50_000, 20_000]
// Files never change: their shapes are kept by path, oldest out first. Shapes are few, paths are many.
const kept = new Map<string, FileShape>()
const shapes = new Map<string, FileShape>()

/** The shapes of local Parquet files, read from their footers by the engine. METADATA_INVALID when one is damaged. */
export async function fileShapes(
  engine: Engine,
  paths: readonly string[],
  { hosts = 'interactive', signal }: { hosts?: HostClass | undefined; signal?: AbortSignal | undefined } = {},
): Promise<Map<string, FileShape>> {
  const found = new Map<string, FileShape>()
  const missing: string[] = []
  for (const path of paths) {
    const shape = kept.get(path)
    if (shape) found.set(path, shape)
    else missing.push(path)
  }
  for (let at = 0; at < missing.length; at += filesAtOnce) {
    const rows = await footers(engine, missing.slice(at, at + filesAtOnce), hosts, signal)
    for (const [path, own] of Map.groupBy(rows, ([path]) => path)) {
      const shape = shapeOf(own)
      found.set(path, shape)
      kept.set(path, shape)
    }
  }
  for (const path of kept.keys()) {
    if (kept.size <= keptMax) break
    kept.delete(path)
  }
  return found
}

type FooterRow = [
  path: string,
  name: string,
  children: number | null,
  repetition: string | null,
  converted: string | null,
  id: number | null,
  logical: string | null,
  type: string | null,
]

async function footers(engine: Engine, paths: readonly string[], hosts: HostClass, signal: AbortSignal | undefined) {
  const read = async (some: readonly string[]) =>
    (await engine.rows({
      class: hosts,
      sql: `SELECT file_name, name, num_children::INTEGER, repetition_type, converted_type, field_id::INTEGER, logical_type, duckdb_type
        FROM parquet_schema([${some.map(quoteFile).join(', ')}]) ORDER BY file_name, column_id`,
      timeoutMs: 60_000,
      ...(signal && { signal }),
    })) as FooterRow[]
  try {
    return await read(paths)
  } catch (error) {
    if (!(error instanceof EngineFailure)) throw error
    const outside = /Cannot access file "([^"]*)"/.exec(error.message)?.[1]
    if (outside !== undefined)
      throw new Failure('METADATA_INVALID', `the data file ${outside} does not lie in the lake`, {
        cause: error,
        hint: 'Tables name their files by whole paths. A project that was moved goes back, or begins anew: boathouse reset, boathouse run.',
      })
    // DuckDB does not name the file whose footer it stumbled over.
    const damaged = await failing(paths, read)
    const which = damaged === undefined || error.message.includes(damaged) ? 'a data file' : `the data file ${damaged}`
    throw new Failure('METADATA_INVALID', `${which} cannot be read: ${error.message}`, { cause: error })
  }
}

/** The one of them for which it fails, when it fails for all together. */
async function failing(paths: readonly string[], read: (some: readonly string[]) => Promise<unknown>) {
  let some = paths
  while (some.length > 1) {
    const half = some.slice(0, some.length >> 1)
    const isHere = await read(half).then(
      () => false,
      () => true,
    )
    some = isHere ? half : some.slice(half.length)
  }
  return some[0]
}

function shapeOf(rows: readonly FooterRow[]): FileShape {
  const text = JSON.stringify(rows.map(([, ...row]) => row))
  const known = shapes.get(text)
  if (known) return known
  if (rows.length > columnsMax)
    throw new Failure('UNSUPPORTED', `${rows[0]![0]} has ${rows.length} columns; up to ${columnsMax} are read`)
  let at = 1 // the first row is the file itself
  const column = (depth: number): FileColumn => {
    const [path, name, count, repetition, converted, id, logical, type] = rows[at++] ?? [rows[0]![0], '']
    if (depth > 100) throw new Failure('UNSUPPORTED', `${path} has columns nested deeper than 100 levels`)
    const isCut = type === 'TIMESTAMP WITH TIME ZONE' && /NANOS=Nano/.test(logical ?? '')
    const own = { name, id: id ?? undefined, type: type ?? '', ...(isCut && { isCut }) }
    const children = Array.from({ length: count ?? 0 }, () => column(depth + 1))
    const [inner] = children
    if (inner && (converted === 'LIST' || logical?.startsWith('List')))
      return { ...own, kind: 'list', children: [elementOf(inner, name)] }
    if (inner?.children.length === 2 && (converted?.startsWith('MAP') || logical?.startsWith('Map')))
      return { ...own, kind: 'map', children: inner.children }
    const plain = { ...own, kind: count ? ('struct' as const) : ('leaf' as const), children }
    return repetition === 'REPEATED' && depth === 0 ? { ...own, kind: 'list', children: [plain] } : plain
  }
  const columns: FileColumn[] = []
  while (at < rows.length) columns.push(column(0))
  const hasId = ({ id, children }: FileColumn): boolean => id !== undefined || children.some(hasId)
  const shape = { columns, hasIds: columns.some(hasId) }
  shapes.set(text, shape)
  if (shapes.size > 1000) shapes.delete(shapes.keys().next().value!)
  return shape
}

/**
 * Three levels, list > repeated group > element, or two, where the repeated one is the element. By its name (Parquet,
 * "Backward-compatibility rules") it is that also with one field; DuckDB takes it for the level in between then.
 */
function elementOf(repeated: FileColumn, list: string): FileColumn {
  const [only, ...others] = repeated.children
  if (!only || others.length > 0 || repeated.kind !== 'struct') return { ...repeated, id: undefined }
  return ['array', `${list}_tuple`].includes(repeated.name) ? { ...repeated, id: undefined, isBare: true } : only
}

/** The columns of a file without ids, with the ids that a mapping gives to their names. */
export function withMappedIds(columns: readonly FileColumn[], mapping: NameMapping): FileColumn[] {
  const give = (column: FileColumn, name: string, among: NameMapping): FileColumn => {
    const found = among.find(({ names }) => names.includes(name))
    const inner =
      column.kind === 'list'
        ? ['element']
        : column.kind === 'map'
          ? ['key', 'value']
          : column.children.map(({ name }) => name)
    const children = column.children.map((child, index) => give(child, inner[index]!, found?.fields ?? []))
    return { ...column, id: found?.id, children }
  }
  return columns.map((column) => give(column, column.name, mapping))
}

// --- expressions

export type WantedColumn = Pick<Field, 'id' | 'type' | 'initialDefault'>

/**
 * The SQL of a column over the file's own columns, or undefined when the file does not have it.
 * Also fields inside structs are found.
 */
export function columnSql(columns: readonly FileColumn[], wanted: WantedColumn): string | undefined {
  const find = (among: readonly FileColumn[], around: string | undefined): string | undefined => {
    for (const column of among) {
      const own = around === undefined ? quoteName(column.name) : part(around, column.name)
      if (column.id === wanted.id) return valueSql(column, own, wanted.type, 0)
      const inner = column.kind === 'struct' ? find(column.children, own) : undefined
      if (inner !== undefined) return inner
    }
    return undefined
  }
  return find(columns, undefined)
}

/** What rows have in a column that their file lacks. */
export function absentSql({ type, initialDefault }: Pick<WantedColumn, 'type' | 'initialDefault'>): string {
  return `${defaultSql(type, initialDefault)}::${sqlType(type)}`
}

function defaultSql(type: Type, value: Default | undefined): string {
  if (value === undefined) return 'NULL'
  if (typeof value !== 'object' || !('json' in value)) return literalSql(type, value)
  // Spec: a default of a struct is null or {}, which means the defaults of its fields; of a list or map null or empty.
  if (value.json === null) return 'NULL'
  if (type.kind === 'list') return '[]'
  if (type.kind === 'map') return 'MAP {}'
  if (type.kind !== 'struct') return 'NULL'
  return structSql(type.fields.map((field) => [field.name, absentSql(field)]))
}

const part = (struct: string, name: string) => `struct_extract(${struct}, ${quoteText(name)})`
const structSql = (fields: readonly (readonly [string, string])[]) =>
  fields.length === 0
    ? 'NULL'
    : `struct_pack(${fields.map(([name, sql]) => `${quoteName(name)} := ${sql}`).join(', ')})`
const unlessNull = (sql: string, result: string) => `CASE WHEN ${sql} IS NULL THEN NULL ELSE ${result} END`

function valueSql(column: FileColumn, sql: string, type: Type, depth: number): string {
  if (type.kind === 'unknown') return `NULL::${sqlType(type)}`
  if (type.kind === 'variant') return variantSql(column, sql)
  if (type.kind === 'geometry' || type.kind === 'geography') return shapeSql(sql)
  if (isDirect(column, type)) return `${sql}::${sqlType(type)}`
  const each = `x${depth}`
  switch (type.kind) {
    case 'struct': {
      const { isBare } = column
      const fields = type.fields.map((field) => {
        const child = column.children.find(({ id }) => id === field.id)
        const inner = child && (isBare ? sql : part(sql, child.name))
        return [field.name, inner ? valueSql(child, inner, field.type, depth) : absentSql(field)] as const
      })
      return isBare ? structSql(fields) : unlessNull(sql, structSql(fields))
    }
    case 'list':
      return `list_transform(${sql}, lambda ${each}: ${valueSql(column.children[0]!, each, type.element, depth + 1)})`
    case 'map': {
      const [key, value] = column.children as [FileColumn, FileColumn]
      const entry = structSql([
        ['key', valueSql(key, part(each, 'key'), type.key, depth + 1)],
        ['value', valueSql(value, part(each, 'value'), type.value, depth + 1)],
      ])
      return unlessNull(sql, `map_from_entries(list_transform(map_entries(${sql}), lambda ${each}: ${entry}))`)
    }
    case 'uuid':
      return `hex(${sql})::UUID`
    case 'string':
      return `decode(${sql})`
    case 'binary':
    case 'fixed':
      return `encode(${sql})`
    default:
      // Hive and Spark wrote INT96 without saying whose time it is: it is always UTC, whatever zone the session is in.
      return `${sql} AT TIME ZONE 'UTC'`
  }
}

/** As JSON. DuckDB knows a variant by Parquet's mark of it; without it, the bytes that it is made of would be its value. */
function variantSql(column: FileColumn, sql: string): string {
  if (column.kind !== 'struct' || !column.children.some(({ name }) => name === 'metadata'))
    throw new Failure('METADATA_INVALID', `a data file has the column "${column.name}", and no variant in it`)
  const unmarked = `error('the column ' || ${quoteText(column.name)} || ' is not marked as a variant in a data file')`
  return unlessNull(sql, `CASE typeof(${sql}) WHEN 'VARIANT' THEN ${sql}::VARIANT::JSON ELSE ${unmarked}::JSON END`)
}

/** Well-known binary, whether the file marks it as a shape or as bytes: only DuckDB tells, and text is what both can be. */
const shapeSql = (sql: string) =>
  `CASE typeof(${sql}) WHEN 'BLOB' THEN ${sql}::VARCHAR::BLOB ELSE st_aswkb(TRY_CAST(${sql}::VARCHAR AS GEOMETRY)) END`

/** Whether a cast makes the wanted value: DuckDB casts structs by name, and fills with null what is missing - but not all. */
function isDirect(column: FileColumn, type: Type): boolean {
  const kind = type.kind === 'struct' || type.kind === 'list' || type.kind === 'map' ? type.kind : 'leaf'
  if (column.kind !== kind && type.kind !== 'variant')
    throw new Failure(
      'METADATA_INVALID',
      `a data file has the column "${column.name}" as ${column.kind}, the table as ${kind}`,
    )
  switch (type.kind) {
    case 'struct':
      if (column.isBare) return false
      if (!type.fields.some((field) => column.children.some(({ id }) => id === field.id))) return false
      return type.fields.every((field) => {
        const child = column.children.find(({ id }) => id === field.id)
        if (child) return child.name.toLowerCase() === field.name.toLowerCase() && isDirect(child, field.type)
        const isNameTaken = column.children.some(({ name }) => name.toLowerCase() === field.name.toLowerCase())
        return !isNameTaken && field.initialDefault === undefined
      })
    case 'list':
      return isDirect(column.children[0]!, type.element)
    case 'map':
      return isDirect(column.children[0]!, type.key) && isDirect(column.children[1]!, type.value)
    case 'uuid':
      return column.type !== 'BLOB'
    case 'variant':
    case 'geometry':
    case 'geography':
      return false
    default:
      return isCastRight(column, type)
  }
}

/** Whether DuckDB's cast of a leaf gives its value: of bytes it makes their escapes, of times those of the session's zone. */
function isCastRight({ type: stored }: FileColumn, { kind }: Type): boolean {
  switch (kind) {
    case 'string':
      return stored !== 'BLOB'
    case 'binary':
    case 'fixed':
      return stored !== 'VARCHAR'
    case 'timestamptz':
    case 'timestamptz_ns':
      return stored === 'TIMESTAMP WITH TIME ZONE'
    case 'timestamp':
    case 'timestamp_ns':
      return stored !== 'TIMESTAMP WITH TIME ZONE'
    default:
      return true
  }
}

/** Whether a column of this file, or a field in it, holds its values in another way than the table's type says. */
export function needsExpressions(
  columns: readonly FileColumn[],
  fields: Iterable<Pick<Field, 'id' | 'type'>>,
): boolean {
  const leaves = new Map<number | undefined, FileColumn>()
  const collect = (column: FileColumn) => {
    if (column.kind === 'leaf') leaves.set(column.id, column)
    column.children.forEach(collect)
  }
  columns.forEach(collect)
  return [...fields].some(({ id, type }) => {
    const leaf = leaves.get(id)
    return leaf !== undefined && !isCastRight(leaf, type)
  })
}
