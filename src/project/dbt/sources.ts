// The sources of all packages, with what other packages say over them, and their tests.

import { isRecord } from '../../base/record.ts'
import { Failure } from '../../base/failure.ts'
import { EntryReader } from './entry-reader.ts'
import { configOf, tagsOf } from './config.ts'
import { readSourceTests } from './generic-tests.ts'
import type { Nodes } from './nodes.ts'
import { quotingOf } from './project-file.ts'
import { relativeFolders, type Reading } from './reading.ts'
import { readSource, type SourceEntry, type SourcePatch } from './source-properties.ts'
import type { Config, DbtPackage, DbtSource, Freshness, Period } from './types.ts'
import { gathering } from './yaml-file.ts'

export function readSources(reading: Reading, nodes: Nodes): void {
  const patches = reading.properties.flatMap(({ found }) => found.sourcePatches)
  const used = new Set<SourcePatch>()
  for (const [at, { overrides, source, place }] of patches.entries()) {
    const earlier = patches
      .slice(0, at)
      .find((each) => each.overrides === overrides && each.source['name'] === source['name'])
    if (earlier)
      reading.wrong(
        `dbt found two schema.yml entries for the same source named ${String(source['name'])} in package ${overrides}: here and in ${earlier.file}:${earlier.place.line ?? 1}`,
        place,
        'Remove the override from one of these files.',
      )
  }
  for (const { from, found } of reading.properties) {
    for (const entry of found.sources) {
      const patch = patches.find(({ overrides, source }) => overrides === from.name && source['name'] === entry.source)
      if (patch) used.add(patch)
      const patched = patch ? patchedSource(entry, patch) : entry
      gathering(reading.failures, () => addSource(reading, from, patched))
      readSourceTests(reading, nodes, from, patched)
    }
  }
  for (const patch of patches) {
    const { overrides, source, place } = patch
    if (!used.has(patch))
      reading.warn(`no source "${String(source['name'])}" of the package "${overrides}" exists`, place)
  }
}

/** What the patch says of the source and of this table, laid over what the package says. */
function patchedSource(entry: SourceEntry, { source, file, place }: SourcePatch): SourceEntry {
  const tables = Array.isArray(source['tables']) ? source['tables'].filter(isRecord) : []
  const table = tables.find(({ name }) => name === entry.name) ?? { name: entry.name }
  const reader = new EntryReader(file, () => place, [])
  const [over] = readSource(reader, { ...source, tables: [table] }, [])
  if (!over) return entry
  const isSaid = (key: string) => source[key] !== undefined || table[key] !== undefined
  const config: Config = { ...entry.config }
  for (const [key, value] of Object.entries(over.config)) {
    if (value !== null && !(key === 'tags' && !isSaid('tags')) && !(key === 'meta' && !isSaid('meta')))
      config[key] = value
  }
  return {
    ...entry,
    config,
    identifier: table['identifier'] === undefined ? entry.identifier : over.identifier,
    database: over.database ?? entry.database,
    schema: source['schema'] === undefined ? entry.schema : over.schema,
    description: over.description || entry.description,
    sourceDescription: over.sourceDescription || entry.sourceDescription,
    loader: over.loader || entry.loader,
    quoting: { ...entry.quoting, ...over.quoting },
    columns: over.columns.length > 0 ? over.columns : entry.columns,
    tests: over.tests.length > 0 ? over.tests : entry.tests,
    tags: isSaid('tags') ? over.tags : entry.tags,
    external: over.external ?? entry.external,
  }
}

function addSource(reading: Reading, from: DbtPackage, entry: SourceEntry): void {
  const { project, root } = reading
  const fqn = [from.name, ...relativeFolders(from, entry.file), entry.source, entry.name]
  const { config, unrendered } = configOf('source', fqn, [entry.config], { from, root })
  const freshness = freshnessOf(config['freshness'])
  const text = (key: string) => (typeof config[key] === 'string' ? config[key] : undefined)
  const source: DbtSource = {
    uniqueId: `source.${from.name}.${entry.source}.${entry.name}`,
    package: from.name,
    source: entry.source,
    name: entry.name,
    fqn,
    database: entry.database || project.target.database,
    schema: entry.schema,
    written: { ...entry.written, quoting: entry.quoting },
    identifier: entry.identifier,
    description: entry.description,
    sourceDescription: entry.sourceDescription,
    docBlocks: [],
    loader: entry.loader,
    config,
    unrenderedConfig: unrendered,
    sourceMeta: entry.sourceMeta,
    tags: tagsOf(config),
    columns: entry.columns,
    quoting: quotingOf(entry.quoting, root.quoting),
    freshness,
    loadedAtField: text('loaded_at_field'),
    loadedAtQuery: text('loaded_at_query'),
    external: entry.external,
    file: entry.file,
    place: entry.place,
  }
  if (!reading.isEnabled(source)) {
    const known = project.disabled.get(source.uniqueId) ?? []
    project.disabled.set(source.uniqueId, [...known, { kind: 'source', entry: source }])
    return
  }
  const other = project.sources.get(source.uniqueId)
  if (other) {
    throw new Failure(
      'PROJECT_INVALID',
      `dbt found two sources with the name "${entry.source}_${entry.name}": here and in ${other.file}:${other.place.line ?? 1}`,
      { place: entry.place },
    )
  }
  project.sources.set(source.uniqueId, source)
}

function freshnessOf(value: unknown): Freshness | undefined {
  if (!isRecord(value)) return undefined
  const period = (key: string): Period | undefined => {
    const part = value[key]
    if (!isRecord(part)) return undefined
    const { count, period: unit } = part
    if (count === undefined || count === null || typeof unit !== 'string') return undefined
    return { count: Number(count), period: unit as Period['period'] }
  }
  const [warnAfter, errorAfter] = [period('warn_after'), period('error_after')]
  if (!warnAfter && !errorAfter) return undefined
  return { warnAfter, errorAfter, filter: typeof value['filter'] === 'string' ? value['filter'] : undefined }
}
