// Writes a SELECT's rows as Parquet files with field ids, and turns what DuckDB says about them into the statistics
// that manifests carry. The files are durable (fsync) before anything names them.

import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../base/failure.ts'
import type { Engine } from '../../engine/index.ts'
import {
  applyTransform,
  dataFolder,
  partitionPath,
  refuseEncrypted,
  reservedFields,
  type Field,
  type NewDataFile,
  type PartitionSpec,
  type Schema,
  type SortOrder,
  type Type,
  type Value,
} from '../../iceberg/index.ts'
import { joinLocation, type FileIO } from '../../io/index.ts'
import { codecsOfFixed, fixLengths, type FixedColumn } from './parquet/fixed.ts'
import { plainIntegers } from './parquet/integers.ts'
import { checkRequired } from './required.ts'
import { isSortable, partitionColumn, partitionFolder, sortTerms, type PartitionColumn } from './partition.ts'
import type { Files } from '../prepare.ts'
import { quoteFile, quoteName, quoteText } from '../sql/tokens.ts'
import { readOnlyColumn } from '../types.ts'

export type WriteFilesOptions = {
  /** Its columns are those of `schema` in order, then `lineage`'s. */
  select: string
  schema: Schema
  spec: PartitionSpec
  sortOrder: SortOrder
  /** Terms of ORDER BY in place of those of `sortOrder`. */
  orderBy?: readonly string[] | undefined
  /** The table's: files go below it, and its `write.*` properties say how. */
  location: string
  properties: Readonly<Record<string, string>>
  /** The SELECT also gives `_row_id` and `_last_updated_sequence_number`: rows that move keep who they are (v3). */
  lineage?: boolean
  timeoutMs?: number | undefined
  timeZone?: string | undefined
  signal?: AbortSignal | undefined
}

/** Where files are written before they get their place in the table. */
export type Workshop = { engine: Engine; io: FileIO; files?: Files | undefined; spoolDir: string }

const targetFileBytes = 512 * 2 ** 20 // `write.target-file-size-bytes`, the default of the specification
/** While one file waits for the disk or the store, others use the time. */
const uploadsAtOnce = 4
const fewFiles = 16
/** DuckDB writes more rows into files of partitions, or cut to a size, by turns of its threads, and so not in their order. */
export const orderedRows = 100_000

/**
 * Writes the rows of a SELECT as Parquet files of the table: one partition each, sorted by the table's order, of about the
 * size that it wants. They are durable when this returns, and nothing names them yet. A failure leaves none behind.
 */
export async function writeFiles(workshop: Workshop, options: WriteFilesOptions): Promise<NewDataFile[]> {
  const { files, placed } = await beginFiles(workshop, options)
  await placed
  return files
}

/** Files that are on their way: manifests may name them, a metadata file only when `placed` has come to pass. */
export type FilesUnderWay = { files: NewDataFile[]; placed: Promise<void> }

/** As `writeFiles`, but returns when the rows are written: to make them durable takes as long as to write the manifests. */
export async function beginFiles(workshop: Workshop, options: WriteFilesOptions): Promise<FilesUnderWay> {
  refuseEncrypted(options)
  const why = readOnlyColumn(options.schema)
  if (why) throw why
  const id = randomUUID()
  const staging = join(workshop.spoolDir, `write-${id}`)
  let isSmall = true
  /** A thread that takes a few files away costs more than they do. */
  const leave = async () => {
    const all = { recursive: true, force: true }
    if (isSmall) rmSync(staging, all)
    else await rm(staging, all)
  }
  try {
    mkdirSync(staging, { recursive: true })
    const staged = await stage(workshop, options, staging)
    isSmall = staged.length <= fewFiles
    await checkRequired(workshop.engine, staged, options.schema)
    const sortOrderId = isSortable(options.sortOrder) ? options.sortOrder.orderId : 0
    const files = staged.map((one, index): NewDataFile => {
      const { local: _, partition, ...file } = one
      const folder = partitionFolder(partitionPath(options.spec, options.schema, partition))
      // Not `data//file` where there is no partition: an object of that name is one that Hadoop's paths cannot spell.
      const path = joinLocation(dataFolder(options), ...(folder === '' ? [] : [folder]), `${id}-${index}.parquet`)
      return { ...file, path, partition, ...specOf(options.spec), sortOrderId }
    })
    const pairs = files.map(({ path }, index) => ({ path, local: staged[index]!.local }))
    const placed = placeFiles(workshop, pairs, options.signal)
    void placed
      .catch(() => {})
      .then(leave)
      .catch(() => {}) // whoever waits for the files is told, and need not wait for the sweeping
    return { files, placed }
  } catch (error) {
    await leave().catch(() => {})
    throw error
  }
}

/** Gives files of this disk their places in the table; none of them is left where one fails. */
export async function placeFiles(
  { io, files }: Workshop,
  pairs: readonly { path: string; local: string }[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const one = async ({ path, local }: { path: string; local: string }) => {
    if (!(await io.upload(path, local, signal))) throw new Failure('STORAGE_FAILED', `"${path}" exists already`)
    await files?.keep(path, local)
  }
  for (let at = 0; at < pairs.length; at += uploadsAtOnce) {
    // All have ended before a failure of one of them is dealt with.
    const outcomes = await Promise.allSettled(pairs.slice(at, at + uploadsAtOnce).map(one))
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (!failed) continue
    // What was half written is named by nothing; taking it away now spares maintenance the work.
    for (const { path } of pairs.slice(0, at + uploadsAtOnce)) await io.delete(path).catch(() => {})
    throw failed.reason
  }
}

/** A spec that the commit itself adds has no id yet: the table's default is then meant. */
const specOf = ({ specId }: PartitionSpec) => (specId < 0 ? {} : { specId })

type StagedFile = Omit<NewDataFile, 'path' | 'partition'> & { local: string; partition: (Value | null)[] }

/** Lets DuckDB write, and finds out for each file which partition it is and what its statistics are. */
async function stage(workshop: Workshop, options: WriteFilesOptions, staging: string): Promise<StagedFile[]> {
  const { schema, spec, sortOrder, properties } = options
  const columns = spec.fields.map((field) => partitionColumn(field, schema))
  const names = columns.map((_, index) => `_boathouse_partition_${index}`)
  const terms = options.orderBy ?? sortTerms(sortOrder, schema)
  const order = [...columns.map((column) => column.order), ...terms]
  const keys = columns.map(({ key }, index) => `${key} AS ${names[index]}`)
  // Columns of the type unknown are always null and are in no file (spec, "Primitive Types").
  const stored = schema.fields.filter(({ type }) => type.kind !== 'unknown')
  const left = schema.fields.filter((field) => !stored.includes(field)).map(({ name }) => quoteName(name))
  const all = left.length === 0 ? '*' : `* EXCLUDE (${left.join(', ')})`
  const select = [
    `SELECT ${[all, ...keys].join(', ')} FROM (${options.select}\n) AS rows_to_write`,
    ...(order.length > 0 ? [`ORDER BY ${order.join(', ')}`] : []),
  ].join(' ')
  const target = Math.max(2 ** 20, positive(properties['write.target-file-size-bytes']) ?? targetFileBytes)
  const fixed = fixedColumns(schema)
  const kinds = new Set(leafFields(schema.fields, '').map(({ type }) => type.kind))
  const hasIntegers = kinds.has('int')
  // DuckDB 1.5 puts one of 0.0 and -0.0 into a Bloom filter for both, and does not find the other; and it looks for bytes by
  // their text. `f = 0` and `b = '\x80'` would lose rows, also of those who read the files by themselves.
  const isMisread = (['float', 'double', 'binary', 'fixed'] as const).some((kind) => kinds.has(kind))
  const blooms = isMisread ? ', WRITE_BLOOM_FILTER false' : ''
  const how = `FORMAT parquet, ${parquetOptions(properties, fixed)}${blooms}, RETURN_STATS true, FIELD_IDS ${fieldIds(stored, options.lineage)}`
  const copy = async (from: string, to: string, more = '') =>
    (await workshop.engine.rows({
      class: 'write',
      sql: `COPY (${from}) TO ${quoteText(to)} (${how}${more})`,
      ...limitsOf(options),
    })) as StatsRow[]
  const hasPlaceName = schema.fields.some(({ name }) => name.toLowerCase() === 'file_row_number')
  // DuckDB can cut files to a size itself, but only one file that is written whole keeps the order of its rows.
  const cut = async ([local, recordCount, fileSizeBytes]: StatsRow): Promise<StatsRow[]> => {
    const rowsEach = Math.ceil(Number(recordCount) / Math.ceil(Number(fileSizeBytes) / target))
    const parts: StatsRow[] = []
    for (let from = 0; from < Number(recordCount); from += rowsEach) {
      // A column of this name would be taken for the place of a row. To count rows off reads those before them, too.
      const range = hasPlaceName
        ? `LIMIT ${rowsEach} OFFSET ${from}`
        : `WHERE file_row_number BETWEEN ${from} AND ${from + rowsEach - 1}`
      parts.push(...(await copy(`FROM ${rowsOfFile(local)} ${range}`, `${local}.${parts.length}`)))
    }
    await rm(local)
    return parts
  }
  const written = await (names.length === 0
    ? copy(select, join(staging, 'rows.parquet'))
    : copy(select, staging, `, PARTITION_BY (${names.join(', ')}), WRITE_PARTITION_COLUMNS false`))

  const rowCount = written.reduce((sum, [, recordCount]) => sum + Number(recordCount), 0)
  const isMixed = names.length > 0 && terms.length > 0 && rowCount > orderedRows
  const files: StagedFile[] = []
  for (const row of written.filter(([, recordCount]) => Number(recordCount) > 0)) {
    const partition = await partitionOf(workshop, columns, row)
    const [whole] = isMixed
      ? await copy(`FROM ${rowsOfFile(row[0])} ORDER BY ${terms.join(', ')}`, `${row[0]}.sorted`)
      : [row]
    const parts = Number(whole![2]) > target * 1.5 ? await cut(whole!) : [whole!]
    for (const part of parts) {
      const measured = fixed.length > 0 ? await fixLengths(part[0], fixed) : undefined
      const { columnSizes, ...file } = await described(workshop, part, schema)
      for (const [id, size] of measured?.columnSizes ?? []) columnSizes.set(id, size)
      const fileSizeBytes = hasIntegers ? plainIntegers(part[0]) : (measured?.fileSizeBytes ?? file.fileSizeBytes)
      files.push({ ...file, fileSizeBytes, columnSizes, local: part[0], partition })
    }
  }
  return files
}

/** A folder named `day=5` must not answer for what is in the file. */
const rowsOfFile = (local: string) => `read_parquet(${quoteFile(local)}, hive_partitioning = false)`

async function partitionOf(workshop: Workshop, columns: readonly PartitionColumn[], row: StatsRow) {
  const texts = new Map((row[5] ?? []).map(({ key, value }) => [key, value]))
  const values: (Value | null)[] = []
  for (const [index, column] of columns.entries()) {
    const value = column.parse(texts.get(`_boathouse_partition_${index}`) ?? null)
    values.push(value === undefined ? await longValue(workshop, column, row[0]) : value)
  }
  return values
}

/** A value that was too long for a folder's name, from any row of the file. */
async function longValue({ engine }: Workshop, { source }: PartitionColumn, path: string): Promise<Value | null> {
  const text = source.type.kind === 'string' ? source.sql : `hex(${source.sql})`
  const [row] = await engine.rows({
    class: 'write',
    sql: `SELECT ${text} FROM read_parquet(${quoteFile(path)}) LIMIT 1`,
  })
  const found = String(row![0])
  return applyTransform(
    source.transform,
    source.type,
    source.type.kind === 'string' ? found : Buffer.from(found, 'hex'),
  )
}

/** What RETURN_STATS leaves out: counts of NaN where there are some, and where row groups begin. */
async function described({ engine }: Workshop, row: StatsRow, schema: Schema) {
  const { path: _, ...file } = newDataFile(row, schema)
  const nans = (row[4] ?? []).filter(({ value }) => value.some((one) => one.key === 'has_nan' && one.value === 'true'))
  const leaves = new Map(leafFields(schema.fields, '').map((leaf) => [leaf.path, leaf.id]))
  const counted = nans.filter(({ key }) => !key.includes('"."') && leaves.has(key))
  if (counted.length > 0) {
    const [counts] = await engine.rows({
      class: 'write',
      sql: `SELECT ${counted.map(({ key }) => `count(*) FILTER (isnan(${key}))`).join(', ')} FROM read_parquet(${quoteFile(row[0])})`,
    })
    for (const [index, { key }] of counted.entries()) file.nanCounts.set(leaves.get(key)!, Number(counts![index]))
  }
  const groups =
    file.recordCount <= oneGroupRows
      ? [[4]]
      : await engine.rows({
          class: 'write',
          sql: `SELECT min(least(coalesce(nullif(dictionary_page_offset, 0), data_page_offset), data_page_offset)) FROM parquet_metadata(${quoteFile(row[0])}) GROUP BY row_group_id ORDER BY 1`,
        })
  return { ...file, splitOffsets: groups.map(([offset]) => BigInt(String(offset))) }
}
/** DuckDB's row groups have at least as many rows, so fewer are one group, and that begins behind the magic number. */
const oneGroupRows = 100_000

/** DuckDB writes them as bytes of any length. */
const fixedColumns = (schema: Schema): FixedColumn[] =>
  leafFields(schema.fields, '').flatMap(({ path: name, id, type }) =>
    type.kind === 'fixed' ? [{ id, name, length: type.length }] : [],
  )

/** The table's properties of the specification's names as options of COPY. */
function parquetOptions(properties: Readonly<Record<string, string>>, fixed: readonly FixedColumn[]): string {
  const codec = (properties['write.parquet.compression-codec'] ?? 'zstd').toLowerCase()
  const known: Record<string, string> = { lz4: 'lz4_raw', none: 'uncompressed' }
  const level = positive(properties['write.parquet.compression-level'])
  const wanted = known[codec] ?? (['zstd', 'snappy', 'gzip', 'uncompressed', 'brotli'].includes(codec) ? codec : 'zstd')
  const compression = fixed.length === 0 || codecsOfFixed.includes(wanted) ? wanted : 'zstd'
  return [
    `COMPRESSION ${compression}`,
    ...(compression === 'zstd' && level !== undefined ? [`COMPRESSION_LEVEL ${Math.min(22, level)}`] : []),
  ].join(', ')
}

const positive = (text: string | undefined): number | undefined =>
  text !== undefined && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined

/** What an engine is told of how long a statement may run, and of its zone. */
export const limitsOf = ({
  timeoutMs,
  timeZone,
  signal,
}: {
  timeoutMs?: number | undefined
  timeZone?: string | undefined
  signal?: AbortSignal | undefined
}) => ({
  ...(timeoutMs === undefined ? {} : { timeoutMs }),
  ...(timeZone === undefined ? {} : { timeZone }),
  ...(signal === undefined ? {} : { signal }),
})

/** `{"order_id": 1, "place": {__duckdb_field_id: 2, "city": 3}}` as DuckDB wants it. */
function fieldIds(fields: readonly Field[], lineage = false): string {
  const ids = fields.map((field) => `${quoteName(field.name)}: ${typeIds(field.id, field.type)}`)
  if (lineage)
    for (const name of ['_row_id', '_last_updated_sequence_number'] as const)
      ids.push(`${name}: ${reservedFields[name]}`)
  return `{${ids.join(', ')}}`
}
function typeIds(id: number, type: Type): string {
  switch (type.kind) {
    case 'struct':
      return `{__duckdb_field_id: ${id}, ${type.fields.map((field) => `${quoteName(field.name)}: ${typeIds(field.id, field.type)}`).join(', ')}}`
    case 'list':
      return `{__duckdb_field_id: ${id}, element: ${typeIds(type.elementId, type.element)}}`
    case 'map':
      return `{__duckdb_field_id: ${id}, key: ${typeIds(type.keyId, type.key)}, value: ${typeIds(type.valueId, type.value)}}`
    default:
      return String(id)
  }
}

type Entries<Item> = { key: string; value: Item }[]
/** filename, count, file_size_bytes, footer_size_bytes, column_statistics, partition_keys */
export type StatsRow = [
  string,
  number,
  number,
  number,
  Entries<Entries<string | null>> | null,
  Entries<string | null> | null,
]

export function newDataFile([path, recordCount, fileSizeBytes, , statistics]: StatsRow, schema: Schema) {
  const leaves = new Map(leafFields(schema.fields, '').map((leaf) => [leaf.path, leaf]))
  const file = {
    path,
    recordCount: Number(recordCount),
    fileSizeBytes: Number(fileSizeBytes),
    columnSizes: new Map<number, number>(),
    valueCounts: new Map<number, number>(),
    nullCounts: new Map<number, number>(),
    nanCounts: new Map<number, number>(),
    lower: new Map<number, Value>(),
    upper: new Map<number, Value>(),
  }
  for (const { key, value } of statistics ?? []) {
    const leaf = leaves.get(key)
    if (!leaf) continue
    const { id, type } = leaf
    const stats = new Map(value.map((entry) => [entry.key, entry.value]))
    const count = (name: string, into: Map<number, number>) => {
      const text = stats.get(name)
      if (text !== undefined && text !== null) into.set(id, Number(text))
    }
    count('column_size_bytes', file.columnSizes)
    count('num_values', file.valueCounts)
    count('null_count', file.nullCounts)
    if ((type.kind === 'float' || type.kind === 'double') && !stats.has('has_nan')) file.nanCounts.set(id, 0)
    const [low, high] = [parseBound(stats.get('min'), type), parseBound(stats.get('max'), type)]
    if (low === undefined || high === undefined) continue
    // DuckDB gives -0 for both ends where 0 and -0 meet.
    file.lower.set(id, low === 0 && type.kind !== 'int' && type.kind !== 'date' ? -0 : low)
    file.upper.set(id, high === 0 ? 0 : high)
  }
  return file
}

/** DuckDB's spelling of the path of each leaf column: `"sr"."k"`, `"l"."element"`, `"m"."key_value"."key"`. */
function leafFields(
  fields: readonly { id: number; name: string; type: Type }[],
  prefix: string,
): { path: string; id: number; type: Type }[] {
  return fields.flatMap(({ id, name, type }) => leavesOf(`${prefix}${quoteName(name)}`, id, type))
}
function leavesOf(path: string, id: number, type: Type): { path: string; id: number; type: Type }[] {
  switch (type.kind) {
    case 'struct':
      return leafFields(type.fields, `${path}.`)
    case 'list':
      return leavesOf(`${path}."element"`, type.elementId, type.element)
    case 'map':
      return [
        ...leavesOf(`${path}."key"`, type.keyId, type.key),
        ...leavesOf(`${path}."value"`, type.valueId, type.value),
      ]
    default:
      return [{ path, id, type }]
  }
}

/** What DuckDB prints of a value such that `parseBound` reads it: what stands before its SQL, and behind it. */
export const printedBound = ({ kind }: Type): readonly [before: string, behind: string] =>
  kind === 'binary' || kind === 'fixed' ? ['hex(', ')'] : ['CAST(', ' AS VARCHAR)']

/** A bound as DuckDB prints it, bytes as hex, in Iceberg's internal form; undefined where it cannot be one. */
export function parseBound(text: string | null | undefined, type: Type): Value | undefined {
  if (text === undefined || text === null) return undefined
  switch (type.kind) {
    case 'boolean':
      return text === '1' || text === 'true' ? true : text === '0' || text === 'false' ? false : undefined
    case 'int':
      return /^-?\d+$/.test(text) ? Number(text) : undefined
    case 'long':
      return /^-?\d+$/.test(text) ? BigInt(text) : undefined
    case 'float':
      return finite(Math.fround(asNumber(text)))
    case 'double':
      return finite(asNumber(text))
    case 'decimal': {
      const match = /^(-?)(\d*)\.?(\d*)$/.exec(text)
      return match ? BigInt(`${match[1]}${match[2]}${match[3]!.padEnd(type.scale, '0')}`) : undefined
    }
    case 'date': {
      const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
      return Number.isNaN(ms) ? undefined : ms / 86_400_000
    }
    case 'time': {
      const match = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/.exec(text)
      if (!match) return undefined
      const seconds = Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3])
      return BigInt(seconds) * 1_000_000n + BigInt((match[4] ?? '').padEnd(6, '0'))
    }
    case 'timestamp':
    case 'timestamptz': {
      const match =
        /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:([+-])(\d\d)(?::(\d\d)(?::(\d\d))?)?)?$/.exec(text)
      if (!match) return undefined
      const [, day, time, fraction = '', sign, hours = 0, minutes = 0, seconds = 0] = match
      // A text tells a moment in the zone of whoever asked for it.
      const east = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * (sign === '-' ? -1000 : 1000)
      const ms = Date.parse(`${day}T${time}Z`) - east
      return Number.isNaN(ms) ? undefined : BigInt(ms) * 1000n + BigInt(fraction.padEnd(6, '0'))
    }
    case 'string':
      return text
    case 'uuid':
      return text.toLowerCase()
    case 'binary':
    case 'fixed':
      return /^([0-9A-Fa-f]{2})*$/.test(text) ? Buffer.from(text, 'hex') : undefined
    default:
      return undefined
  }
}
const asNumber = (text: string) => Number(text.replace(/inf$/i, 'Infinity'))
const finite = (value: number) => (Number.isNaN(value) ? undefined : value)
