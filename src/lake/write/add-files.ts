// Parquet files that exist already become files of a table as they lie, without a copy: what manifests must say of them is
// read from their footers. Files without field ids are then read by the names of their columns, so the table gets a name
// mapping (spec, "Column Projection").

import { Failure } from '../../base/failure.ts'
import type { Engine } from '../../engine/index.ts'
import {
  applyTransform,
  currentSchema,
  defaultSpec,
  fieldById,
  nameMappingOfSchema,
  planScan,
  printNameMapping,
  type Field,
  type NewDataFile,
  type NewField,
  type PartitionField,
  type TableMetadata,
  type Type,
  type Value,
} from '../../iceberg/index.ts'
import type { FileIO } from '../../io/index.ts'
import type { Files } from '../prepare.ts'
import { isSplit } from '../answers/engine-failure.ts'
import { quoteFile } from '../sql/tokens.ts'
import { parseSqlType } from '../types.ts'
import { parseBound } from './write.ts'

export type Parts = { engine: Engine; io: FileIO; files: Files; signal?: AbortSignal | undefined }

/** Files as they are, folders as the Parquet below them that is of the partition. @throws NOT_FOUND for what is neither */
export async function filesAt(
  { io, signal }: Parts,
  paths: readonly string[],
  partition: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const folders = Object.entries(partition).map(([name, value]) => `${name}=${value}`)
  const isOfPartition = (path: string) => {
    const parts = path.split('/').map(unescaped)
    return folders.every((folder) => parts.includes(folder))
  }
  const all = await Promise.all(
    paths.map(async (path) => {
      if (path.endsWith('.parquet') || (await io.stat(path, signal))) return [path]
      const below = await Array.fromAsync(io.list(`${path.replace(/\/$/, '')}/`, signal), (file) => file.path)
      // As in Hive: what begins with `_` or `.` is no data.
      const found = below.filter((file) => file.endsWith('.parquet') && !/\/[_.]/.test(file.slice(path.length)))
      if (found.length === 0) throw new Failure('NOT_FOUND', `"${path}" is neither a file nor a folder with Parquet`)
      return found.sort()
    }),
  )
  const chosen = all.flat().filter(isOfPartition)
  if (chosen.length === 0) throw new Failure('NOT_FOUND', `no file lies in a folder ${folders.join('/')}`)
  return chosen
}

/** A part of a path as Hive writes it; as it is where it is none of Hive's. */
function unescaped(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** The columns of the first file, as a new table would have them. */
export async function columnsOfFiles(parts: Parts, [first]: readonly string[]): Promise<NewField[]> {
  const [file] = await footers(parts, first === undefined ? [] : [first])
  if (!file) throw new Failure('REQUEST_INVALID', 'there is no file to add')
  return file.columns.map(({ name, type }) => ({ name, type }))
}

/**
 * Entries of a manifest for the files. REQUEST_INVALID names the file and column that does not fit the table, or the file
 * that the table has already: its rows would be there twice.
 */
export async function describeFiles(
  parts: Parts,
  metadata: TableMetadata,
  paths: readonly string[],
  { mayRepeat = false }: { mayRepeat?: boolean | undefined } = {},
): Promise<{ files: NewDataFile[]; mapping: string | undefined }> {
  const schema = currentSchema(metadata)
  const byName = new Map(schema.fields.map((field) => [field.name, field]))
  const present = new Set((await planScan(parts.io, metadata, { signal: parts.signal })).files.map(({ path }) => path))
  for (const path of paths) {
    if (present.has(path) && !mayRepeat)
      throw new Failure('REQUEST_INVALID', `"${path}" cannot be added: the table has it already`)
    present.add(path)
  }
  const all = await footers(parts, paths)
  const files = all.map((file): NewDataFile => {
    const { path, rows, sizeBytes, leaves, columns, foreign } = file
    const fail = (why: string) => new Failure('REQUEST_INVALID', `"${path}" cannot be added: ${why}`)
    for (const [name, type] of foreign)
      throw new Failure('REQUEST_INVALID', `"${path}" cannot be added: its column "${name}" holds ${type}`, {
        hint: 'Files of Iceberg tables hold no such values. Load the file as a source instead, which copies its rows.',
      })
    const split = leaves.find(({ isSplit }) => isSplit)
    if (split) throw isSplit(`"${path}" cannot be added: its column "${split.path}"`)
    for (const { name, type, id } of columns) {
      const field = byName.get(name)
      if (!field) throw fail(`the table has no column "${name}"`)
      if (id !== undefined && id !== field.id)
        throw fail(`its column "${name}" has the field id ${id}, the table's ${field.id}`)
      if (!isReadable(type, field.type)) throw fail(`its column "${name}" has another type than the table's`)
    }
    const given = new Set(columns.map(({ name }) => name))
    const needed = schema.fields.find(({ name, required }) => required && !given.has(name))
    if (needed) throw fail(`it lacks the column "${needed.name}", which every row must have`)
    const result = {
      path,
      recordCount: rows,
      fileSizeBytes: sizeBytes,
      columnSizes: new Map<number, number>(),
      valueCounts: new Map<number, number>(),
      nullCounts: new Map<number, number>(),
      lower: new Map<number, Value>(),
      upper: new Map<number, Value>(),
    }
    for (const leaf of leaves) {
      const field = leafOf(schema.fields, leaf.path.split(', '))
      if (!field) continue
      result.columnSizes.set(field.id, leaf.sizeBytes)
      result.valueCounts.set(field.id, leaf.values)
      if (leaf.nulls !== undefined) result.nullCounts.set(field.id, leaf.nulls)
      const bounds = leaf.bounds.map((text) => parseBound(text, field.type))
      if (bounds.length === 0 || bounds.includes(undefined)) continue
      const sorted = (bounds as Value[]).toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
      result.lower.set(field.id, sorted[0]!)
      result.upper.set(field.id, sorted.at(-1)!)
    }
    const lacking = schema.fields.find(({ id, required }) => required && (result.nullCounts.get(id) ?? 0) > 0)
    if (lacking) throw fail(`rows in it have no value for "${lacking.name}", which every row must have`)
    const inexact = new Set(
      leaves.flatMap((leaf) => (leaf.isExact ? [] : (leafOf(schema.fields, leaf.path.split(', '))?.id ?? []))),
    )
    const partition = defaultSpec(metadata).fields.map((field) =>
      partitionValue(field, metadata, path, { ...result, inexact }, fail),
    )
    return { ...result, partition }
  })
  const lackIds = all.some(({ columns }) => columns.some(({ id }) => id === undefined))
  const hasMapping = metadata.properties['schema.name-mapping.default'] !== undefined
  return { files, mapping: lackIds && !hasMapping ? printNameMapping(nameMappingOfSchema(schema)) : undefined }
}

/** All rows of a file are in one partition, which its statistics or the folders of its path must tell. */
function partitionValue(
  { sourceIds, transform, name }: PartitionField,
  metadata: TableMetadata,
  path: string,
  {
    lower,
    upper,
    nullCounts,
    recordCount,
    inexact,
  }: Required<Pick<NewDataFile, 'lower' | 'upper' | 'nullCounts'>> & {
    recordCount: number
    /** Columns whose bounds are cut: they bound the rows, and are not values of them. */
    inexact: ReadonlySet<number>
  },
  fail: (why: string) => Failure,
): Value | null {
  const id = sourceIds[0]!
  const source = fieldById(currentSchema(metadata), id)
  if (!source || transform.kind === 'void') return null
  const [low, high] = [lower?.get(id), upper?.get(id)]
  const nulls = nullCounts?.get(id)
  if (low === undefined && nulls === recordCount) return null
  if (low !== undefined && high !== undefined && nulls === 0 && !inexact.has(id)) {
    const [first, last] = [low, high].map((value) => applyTransform(transform, source.type, value))
    const isOne = transform.kind === 'bucket' ? low === high : first === last
    if (isOne) return first!
    throw fail(`its rows fall into more than one partition of "${name}"`)
  }
  const folder = path.split('/').find((part) => part.startsWith(`${source.name}=`))
  const text = folder && decodeURIComponent(folder.slice(source.name.length + 1))
  if (text === '__HIVE_DEFAULT_PARTITION__') return null
  const value = text === undefined ? undefined : parseBound(text, source.type)
  if (value === undefined) throw fail(`nothing tells in which partition of "${name}" it is`)
  return applyTransform(transform, source.type, value)
}

/** Whether a file's values can be read as the table's type: the same, or one that it may be widened to. */
function isReadable(from: Type, to: Type): boolean {
  if (from.kind === 'decimal' && to.kind === 'decimal') return from.scale === to.scale && from.precision <= to.precision
  if (from.kind === 'struct' && to.kind === 'struct')
    return from.fields.every((field) => {
      const other = to.fields.find(({ name }) => name === field.name)
      return other !== undefined && isReadable(field.type, other.type)
    })
  if (from.kind === 'list' && to.kind === 'list') return isReadable(from.element, to.element)
  if (from.kind === 'map' && to.kind === 'map') return isReadable(from.key, to.key) && isReadable(from.value, to.value)
  const widened: Record<string, string[]> = { int: ['long'], float: ['double'], binary: ['fixed', 'uuid'] }
  return from.kind === to.kind || (widened[from.kind] ?? []).includes(to.kind)
}

/** The field of a leaf column, where all above it are structs: bounds of elements say nothing about rows. */
function leafOf(fields: readonly Field[], [name, ...rest]: readonly string[]): Field | undefined {
  const field = fields.find((one) => one.name === name)
  if (!field || rest.length === 0) return field
  return field.type.kind === 'struct' ? leafOf(field.type.fields, rest) : undefined
}

type Footer = {
  path: string
  rows: number
  sizeBytes: number
  columns: { name: string; type: Type; id: number | undefined }[]
  leaves: {
    path: string
    values: number
    nulls: number | undefined
    sizeBytes: number
    bounds: string[]
    isExact: boolean
    /** Encoded in a way in which DuckDB reads floats alone. */
    isSplit: boolean
  }[]
  /** Columns that DuckDB reads and other readers of Iceberg tables cannot, with what they hold. */
  foreign: [name: string, type: string][]
}

/** What Parquet knows and no type of the specification is; as DuckDB shows it. */
const foreignTypes: readonly [logicalType: RegExp, inWords: string][] = [
  [/^(IntType\(bitWidth=@, isSigned=0\)|UINT_64)/, 'unsigned integers of 64 bits'],
  [/^TimeType\(.*NANOS=Nano/, 'times in nanoseconds'],
  [/^Float16Type/, 'floats of 16 bits'],
  [/^INTERVAL/, 'intervals'],
]

async function footers({ engine, io, files, signal }: Parts, paths: readonly string[]): Promise<Footer[]> {
  const sizes = await Promise.all(paths.map((path) => io.stat(path, signal)))
  const absent = sizes.findIndex((found) => found === undefined)
  if (absent >= 0) throw new Failure('NOT_FOUND', `there is no file "${paths[absent]}"`)
  const lease = await files.lease(
    paths.map((path, index) => ({ path, sizeBytes: sizes[index]!.sizeBytes })),
    signal,
  )
  try {
    const found: Footer[] = []
    for (const [index, path] of paths.entries()) {
      const local = quoteFile(lease.pathOf(path))
      const ask = (sql: string) => engine.rows({ class: 'write', sql, ...(signal ? { signal } : {}) })
      const describe = await ask(
        `SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet(${local}, hive_partitioning = false))`,
      )
      const nodes = await ask(
        `SELECT name, field_id, coalesce(logical_type, converted_type, '') FROM parquet_schema(${local})`,
      )
      const ids = new Map(nodes.flatMap(([name, id]) => (id === null ? [] : [[String(name), Number(id)] as const])))
      const foreign = nodes.flatMap(([name, , logical]) =>
        foreignTypes.flatMap(([type, words]) =>
          type.test(String(logical)) ? [[String(name), words] as [string, string]] : [],
        ),
      )
      const [rows] = await ask(`SELECT num_rows FROM parquet_file_metadata(${local})`)
      const leaves = await ask(
        `SELECT path_in_schema, sum(num_values), CASE WHEN count(*) = count(stats_null_count) THEN sum(stats_null_count) END, sum(total_compressed_size),
          to_json(CASE WHEN count(*) = count(stats_min_value) AND count(*) = count(stats_max_value) THEN list(stats_min_value) || list(stats_max_value) ELSE [] END)::VARCHAR,
          coalesce(bool_and(min_is_exact AND max_is_exact), true),
          bool_or(encodings LIKE '%BYTE_STREAM_SPLIT%' AND type NOT IN ('FLOAT', 'DOUBLE'))
        FROM parquet_metadata(${local}) GROUP BY path_in_schema`,
      )
      found.push({
        path,
        rows: Number(rows![0]),
        sizeBytes: sizes[index]!.sizeBytes,
        columns: describe.map(([name, type]) => ({
          name: String(name),
          type: parseSqlType(String(type), String(name)),
          id: ids.get(String(name)),
        })),
        foreign,
        leaves: leaves.map(([leaf, values, nulls, sizeBytes, bounds, isExact, isSplit]) => ({
          path: String(leaf),
          values: Number(values),
          nulls: nulls === null ? undefined : Number(nulls),
          sizeBytes: Number(sizeBytes),
          bounds: JSON.parse(String(bounds)) as string[],
          isExact: isExact === true,
          isSplit: isSplit === true,
        })),
      })
    }
    return found
  } finally {
    lease.release()
  }
}
