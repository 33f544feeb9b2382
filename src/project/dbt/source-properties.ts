// `sources:` of a YAML file: each table with what its source says about all tables laid below it.

import { isRecord } from '../../base/record.ts'
import type { Place } from '../../base/failure.ts'
import type { Path } from '../yaml.ts'
import { noFreshness } from './config.ts'
import { readColumns, readTests, type TestEntry } from './column-properties.ts'
import { listOfTexts, type EntryReader } from './entry-reader.ts'
import type { ColumnSpec, Config } from './types.ts'

export type SourceEntry = {
  source: string
  name: string
  identifier: string
  database: string | undefined
  schema: string
  /** Both before their templates are rendered, as the source says them; null where it does not. */
  written: { database: unknown; schema: unknown }
  description: string
  sourceDescription: string
  loader: string
  /** What the file says about source and table together. */
  config: Config
  sourceMeta: Config
  /** Tags of source and table that stand beside `config`; its tests have them too. */
  tags: string[]
  quoting: Config
  columns: ColumnSpec[]
  tests: TestEntry[]
  external: Config | undefined
  file: string
  place: Place
}

/** What one package says over the source of another: `overrides: package`. */
export type SourcePatch = { overrides: string; source: Config; file: string; place: Place }

export function readSource(reader: EntryReader, entry: Config, path: Path): SourceEntry[] {
  const source = reader.text(entry, 'name', path)
  if (source === undefined) return []
  const found: SourceEntry[] = []
  reader.each(entry['tables'], [...path, 'tables'], (table, at) => {
    const name = reader.text(table, 'name', at)
    if (name === undefined) return
    const columns = readColumns(reader, table, at)
    found.push({
      source,
      name,
      columns: columns.map(({ spec }) => spec),
      identifier: reader.optional(table, 'identifier', at) ?? name,
      database: reader.optional(entry, 'database', path) ?? reader.optional(entry, 'catalog', path),
      schema: reader.optional(entry, 'schema', path) ?? source,
      written: {
        database: reader.written([...path, 'database']) ?? null,
        schema: reader.written([...path, 'schema']) ?? null,
      },
      description: reader.optional(table, 'description', at) ?? '',
      sourceDescription: reader.optional(entry, 'description', path) ?? '',
      loader: reader.optional(entry, 'loader', path) ?? '',
      config: configOf(reader, entry, path, table, at),
      sourceMeta: { ...reader.record(entry, 'meta', path), ...recordIn(entry, 'meta') },
      tags: [...listOfTexts(entry['tags']), ...listOfTexts(table['tags'])],
      quoting: { ...readQuoting(reader, entry, path), ...readQuoting(reader, table, at) },
      tests: [...readTests(reader, table, at, undefined), ...columns.flatMap(({ tests }) => tests)],
      external: isRecord(table['external']) ? externalOf(table['external']) : undefined,
      file: reader.file,
      place: reader.place(at),
    })
  })
  return found
}

const quotable = ['database', 'schema', 'identifier', 'column']

function readQuoting(reader: EntryReader, entry: Config, path: Path): Config {
  const quoting = reader.record(entry, 'quoting', path)
  reader.refuseOthers(quoting, [...path, 'quoting'], quotable)
  for (const key of quotable) {
    const value = quoting[key] ?? null
    if (typeof value !== 'boolean' && value !== null)
      reader.wrong(`"${key}" must be true or false`, [...path, 'quoting', key])
  }
  return quoting
}

/** A mapping below `config:`. */
const recordIn = (entry: Config, key: string): Config => {
  const config = entry['config']
  const value = isRecord(config) ? config[key] : undefined
  return isRecord(value) ? value : {}
}

function configOf(reader: EntryReader, source: Config, path: Path, table: Config, at: Path): Config {
  const [sourceConfig, tableConfig] = [reader.record(source, 'config', path), reader.record(table, 'config', at)]
  const tags = [source['tags'], sourceConfig['tags'], table['tags'], tableConfig['tags']].flatMap(listOfTexts)
  const config: Config = {
    ...sourceConfig,
    ...tableConfig,
    meta: {
      ...reader.record(source, 'meta', path),
      ...recordIn(source, 'meta'),
      ...reader.record(table, 'meta', at),
      ...recordIn(table, 'meta'),
    },
    tags: [...new Set(tags)].sort(),
  }
  delete config['freshness']
  const freshness = mergedFreshness(reader, [
    { entry: source, path },
    { entry: sourceConfig, path: [...path, 'config'] },
    { entry: table, path: at },
    { entry: tableConfig, path: [...at, 'config'] },
  ])
  if (freshness !== undefined) config['freshness'] = freshness
  return { ...config, ...loadedAt(reader, [source, sourceConfig], path, [table, tableConfig], at) }
}

type Layer = { entry: Config; path: Path }

/** Later layers win key by key; `freshness: null` and `error_after: null` switch off what stands above. Undefined: nobody says. */
function mergedFreshness(reader: EntryReader, layers: readonly Layer[]): Config | null | undefined {
  let merged: Config | null | undefined
  for (const { entry, path } of layers) {
    if (!('freshness' in entry)) continue
    const value = entry['freshness']
    if (value === null) merged = null
    else if (!isRecord(value)) reader.wrong('"freshness" must be a mapping', [...path, 'freshness'])
    else {
      checkFreshness(reader, value, [...path, 'freshness'])
      // What is not said of a source is a time without a count: packages ask `freshness.error_after.count`.
      const result: Config = { ...(merged ?? noFreshness) }
      for (const [key, part] of Object.entries(value))
        if (key in noFreshness)
          result[key] = isRecord(part) && isRecord(result[key]) ? { ...result[key], ...counted(part) } : part
      merged = result
    }
  }
  return merged
}

/** Counts may be written as texts. */
const counted = (part: Config): Config =>
  typeof part['count'] === 'string' ? { ...part, count: Number(part['count']) } : part

const periods = ['minute', 'hour', 'day']

function checkFreshness(reader: EntryReader, freshness: Config, path: Path): void {
  for (const key of ['warn_after', 'error_after']) {
    const value = freshness[key]
    if (value === undefined || value === null) continue
    if (!isRecord(value)) reader.wrong(`"${key}" must be a mapping: {count: 12, period: hour}`, [...path, key])
    else {
      const { count, period } = value
      reader.refuseOthers(value, [...path, key], ['count', 'period'])
      if (period !== undefined && !periods.includes(String(period)))
        reader.wrong(`"period" is "${String(period)}"; it must be one of ${periods.join(', ')}`, [
          ...path,
          key,
          'period',
        ])
      if (count !== undefined && count !== null && !Number.isInteger(Number(count)))
        reader.wrong('"count" must be a whole number', [...path, key, 'count'])
    }
  }
}

function loadedAt(
  reader: EntryReader,
  source: readonly Config[],
  path: Path,
  table: readonly Config[],
  at: Path,
): Config {
  const last = (layers: readonly Config[], key: string) => layers.map((each) => each[key]).findLast((each) => each)
  const isSaid = (layers: readonly Config[], key: string) => layers.some((each) => key in each)
  if (source.some((each) => each['loaded_at_field'] === '') || table.some((each) => each['loaded_at_field'] === ''))
    reader.wrong('"loaded_at_field" is empty', at)
  for (const [layers, where] of [
    [source, path],
    [table, at],
  ] as const) {
    if (last(layers, 'loaded_at_field') && last(layers, 'loaded_at_query'))
      reader.wrong('"loaded_at_field" and "loaded_at_query" exclude each other', where)
  }
  const fieldIsSaid = isSaid(table, 'loaded_at_field')
  const field = fieldIsSaid ? last(table, 'loaded_at_field') : last(source, 'loaded_at_field')
  const query = last(table, 'loaded_at_query') ?? (fieldIsSaid ? undefined : last(source, 'loaded_at_query'))
  return { loaded_at_field: query && !fieldIsSaid ? null : (field ?? null), loaded_at_query: query ?? null }
}

/** What packages read of a table that lies outside: a partition has all of dbt's keys, said or not. */
function externalOf(external: Config): Config {
  const { partitions } = external
  if (!Array.isArray(partitions)) return external
  const known = { name: '', description: '', data_type: '', meta: {} }
  return { ...external, partitions: partitions.map((one: unknown) => (isRecord(one) ? { ...known, ...one } : one)) }
}
