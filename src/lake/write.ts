// Writes a SELECT's rows as Parquet files with field ids, and turns what DuckDB says about them into the statistics
// that manifests carry. The files are durable (fsync) before anything names them.

import { mkdir, open, readdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { randomUUID } from 'node:crypto'
import { Failure } from '../base/failure.ts'
import type { Field, NewDataFile, Schema, Type, Value } from '../iceberg/index.ts'
import { joinLocation, localPath } from '../io/index.ts'
import type { Engine } from '../engine/index.ts'
import { quoteName, quoteText } from './sql/tokens.ts'

export const targetFileBytes = 256 * 2 ** 20

/** Writes the rows of `select`, whose columns are those of `schema` in order, below `<location>/data/`. */
export async function writeFiles(
  engine: Engine,
  options: {
    select: string
    schema: Schema
    location: string
    timeoutMs?: number | undefined
    signal?: AbortSignal | undefined
  },
): Promise<NewDataFile[]> {
  const { select, schema, location } = options
  const folder = joinLocation(location, 'data', randomUUID())
  const copy = `COPY (${select}) TO ${quoteText(localPath(folder))} (FORMAT parquet, COMPRESSION zstd, RETURN_STATS true, FILE_SIZE_BYTES '${targetFileBytes / 2 ** 20}MiB', FIELD_IDS ${fieldIds(schema.fields)})`
  try {
    await mkdir(dirname(localPath(folder)), { recursive: true })
    const rows = await engine.rows({
      class: 'write',
      sql: copy,
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    const files = rows.map((row) => newDataFile(row as StatsRow, schema)).filter(({ recordCount }) => recordCount > 0)
    await makeDurable(localPath(folder))
    return files
  } catch (error) {
    // What was half written is named by nothing; taking it away now spares maintenance the work.
    await rm(localPath(folder), { recursive: true, force: true }).catch(() => {})
    throw error
  }
}

/** `{"order_id": 1, "place": {__duckdb_field_id: 2, "city": 3}}` as DuckDB wants it. */
function fieldIds(fields: readonly Field[]): string {
  return `{${fields.map((field) => `${quoteName(field.name)}: ${typeIds(field.id, field.type)}`).join(', ')}}`
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

async function makeDurable(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names) await sync(`${folder}/${name}`)
  for (const above of [folder, dirname(folder), dirname(dirname(folder))]) await sync(above)
}

async function sync(path: string): Promise<void> {
  try {
    await using file = await open(path, 'r')
    await file.sync()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EISDIR' || (cause as NodeJS.ErrnoException).code === 'EPERM') return // Windows has no fsync of folders
    throw new Failure('STORAGE_FAILED', `a data file could not be made durable: ${(cause as Error).message}`, { cause })
  }
}

type Entries<Item> = { key: string; value: Item }[]
/** filename, count, file_size_bytes, footer_size_bytes, column_statistics, partition_keys */
type StatsRow = [string, number, number, number, Entries<Entries<string | null>> | null, unknown]

export function newDataFile([path, recordCount, fileSizeBytes, , statistics]: StatsRow, schema: Schema): NewDataFile {
  const leaves = new Map(leafFields(schema.fields, '').map((leaf) => [leaf.path, leaf]))
  const file = {
    path: `file://${path}`,
    recordCount,
    fileSizeBytes,
    columnSizes: new Map<number, number>(),
    valueCounts: new Map<number, number>(),
    nullCounts: new Map<number, number>(),
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

/** A bound as DuckDB prints it, in Iceberg's internal form; undefined where it cannot be one. */
function parseBound(text: string | null | undefined, type: Type): Value | undefined {
  if (text === undefined || text === null) return undefined
  switch (type.kind) {
    case 'boolean':
      return text === '1' || text === 'true' ? true : text === '0' || text === 'false' ? false : undefined
    case 'int':
      return finite(Number(text))
    case 'long':
      return /^-?\d+$/.test(text) ? BigInt(text) : undefined
    case 'float':
    case 'double':
      return finite(Number(text))
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
      const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:\+00(?::00)?)?$/.exec(text)
      const ms = match ? Date.parse(`${match[1]}T${match[2]}Z`) : Number.NaN
      return Number.isNaN(ms) ? undefined : BigInt(ms) * 1000n + BigInt((match![3] ?? '').padEnd(6, '0'))
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
const finite = (value: number) => (Number.isFinite(value) ? value : undefined)
