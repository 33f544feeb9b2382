// Properties of a table, some of which Trino has names of its own for:
//   WITH (partitioning = ARRAY['day(at)'], sorted_by = ARRAY['id DESC'], format_version = 3)
// A name in quotes is that of an Iceberg property, whatever it says.

import { Failure } from '../../base/failure.ts'
import type { NewPartitionField } from '../../iceberg/index.ts'
import { ordering, transformed, type Ordering } from './placing.ts'
import { readWhole, type Piece, type Reader } from './reader.ts'
import { placeAt } from './tokens.ts'

/** `remove`: those that are set to DEFAULT. */
export type Properties = {
  partitionedBy?: NewPartitionField[]
  sortedBy?: Ordering[]
  properties: Record<string, string>
  remove: string[]
}

/** Trino's names of Iceberg's properties. */
const renamed: Readonly<Record<string, string>> = {
  format_version: 'format-version',
  compression_codec: 'write.parquet.compression-codec',
  max_commit_retry: 'commit.retry.num-retries',
  delete_after_commit_enabled: 'write.metadata.delete-after-commit.enabled',
  max_previous_versions: 'write.metadata.previous-versions-max',
  object_store_layout_enabled: 'write.object-storage.enabled',
  data_location: 'write.data.path',
}

/** `('a.b' = 'c', partitioning = ARRAY['a'])` behind WITH. */
export const withProperties = (reader: Reader): Properties => together(reader.list(() => property(reader)))

/** `partitioning = ARRAY['a'], 'a.b' = DEFAULT` behind SET PROPERTIES. */
export const propertiesSet = (reader: Reader): Properties => together(reader.separated(() => property(reader)))

function together(all: readonly Partial<Properties>[]): Properties {
  const whole: Properties = { properties: {}, remove: [] }
  for (const { properties, remove = [], ...more } of all) {
    Object.assign(whole.properties, properties)
    whole.remove.push(...remove)
    Object.assign(whole, more)
  }
  return whole
}

/** `a = 1`; Spark takes it without the sign, too. */
export function assigned(reader: Reader): { name: string; isQuoted: boolean; value: Piece } {
  const isQuoted = reader.peekText().startsWith("'")
  const name = isQuoted ? reader.text('a property') : reader.path()
  reader.takeSymbol('=')
  return { name, isQuoted, value: reader.until('a value', [',']) }
}
export const plainValue = ({ sql }: Piece): string =>
  sql.startsWith("'") ? sql.slice(1, -1).replaceAll("''", "'") : sql

function property(reader: Reader): Partial<Properties> {
  const start = reader.at()
  const { name: written, isQuoted, value } = assigned(reader)
  const name = isQuoted ? written : (renamed[written.toLowerCase()] ?? written)
  const isDefault = value.sql.toLowerCase() === 'default'
  const unsupported = (what: string, hint: string) =>
    new Failure('SQL_UNSUPPORTED', `${what} is not supported`, { place: placeAt(reader.sql, start), hint })
  switch (isQuoted ? undefined : written.toLowerCase()) {
    case 'partitioning':
      return { partitionedBy: isDefault ? [] : inside(reader, value, (inner) => listed(inner, transformed)) }
    case 'sorted_by':
      return { sortedBy: isDefault ? [] : inside(reader, value, (inner) => listed(inner, ordering)) }
    case 'format':
      if (isDefault || plainValue(value).toLowerCase() === 'parquet') return {}
      throw unsupported(`the format ${plainValue(value)}`, 'Leave it out: files are written as Parquet.')
    case 'location':
      throw unsupported('a location', 'Leave it out: each table gets a folder of the lake.')
    case 'extra_properties':
      return { properties: inside(reader, value, extra) }
    case 'parquet_bloom_filter_columns':
      return {
        properties: Object.fromEntries(inside(reader, value, texts).map((column) => [bloomFilter(column), 'true'])),
      }
    case 'compression_codec':
      return isDefault ? { remove: [name] } : { properties: { [name]: plainValue(value).toLowerCase() } }
    default:
      return isDefault ? { remove: [name] } : { properties: { [name]: plainValue(value) } }
  }
}

const bloomFilter = (column: string) => `write.parquet.bloom-filter-enabled.column.${column}`

/** What is wrong inside of a value is told where the value begins. */
function inside<Read>(reader: Reader, { sql, start }: Piece, read: (inner: Reader) => Read): Read {
  try {
    return readWhole(sql, read)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw error.with({ place: placeAt(reader.sql, start) })
  }
}

/** `ARRAY['a', 'b']`. */
function texts(reader: Reader): string[] {
  reader.take('array')
  reader.expectSymbol('[')
  const all: string[] = []
  while (!reader.takeSymbol(']')) {
    if (all.length > 0) reader.expectSymbol(',')
    all.push(reader.text('a text'))
  }
  return all
}

const listed = <Item>(reader: Reader, read: (inner: Reader) => Item): Item[] =>
  texts(reader).map((sql) => readWhole(sql, read))

/** `MAP(ARRAY['a'], ARRAY['b'])`. */
function extra(reader: Reader): Record<string, string> {
  reader.expect('MAP(ARRAY[…], ARRAY[…])', 'map')
  const [keys = [], values = []] = reader.list(() => texts(reader))
  return Object.fromEntries(keys.map((key, at) => [key, values[at] ?? '']))
}
