// The YAML files beside the models: descriptions, columns, tests, configs, sources and everything else that is
// defined in YAML; each part with its place. What refers to what is found out later.

import { isRecord } from '../../base/record.ts'
import { Failure, type Place } from '../../base/failure.ts'
import type { Globals } from '../../jinja/index.ts'
import { didYouMean } from '../../base/suggest.ts'
import type { Path } from '../yaml.ts'
import {
  columnsOfVersion,
  readColumns,
  readConstraints,
  readTests,
  type ColumnEntry,
  type TestEntry,
} from './column-properties.ts'
import { EntryReader } from './entry-reader.ts'
import { readSource, type SourceEntry, type SourcePatch } from './source-properties.ts'
import { formOf } from './functions.ts'
import { metricsOf, semanticModelOf, withTypeParams } from './model-semantics.ts'
import { deprecations } from './deprecations.ts'
import type { ColumnSpec, Config, Constraint, FunctionForm, Warning } from './types.ts'
import type { ParseCache } from './parse-cache.ts'
import { withPythonArguments } from './python/yaml-values.ts'
import { gathering, mayRender, readYamlText, renderYaml } from './yaml-file.ts'

/** What a file says about one model, seed, snapshot, analysis, macro or singular test, or about a version of a model. */
export type Facts = {
  description: string
  config: Config
  /** As dbt keeps it to compare: what stands in `config:` before its templates are rendered laid over what it comes to. */
  writtenConfig: Config
  columns: ColumnSpec[]
  tests: TestEntry[]
  constraints: Constraint[]
  deprecationDate: string | undefined
}

export type Patch = Facts & {
  section: 'models' | 'seeds' | 'snapshots' | 'analyses' | 'functions' | 'macros' | 'data_tests'
  name: string
  /** Each with the facts of the model laid below its own. */
  versions: (Facts & { v: string; definedIn: string | undefined; place: Place })[]
  latestVersion: string | undefined
  timeSpine: Config | undefined
  /** Of a macro or function. */
  arguments: Config[]
  /** Of a function: its type, and further forms of it. */
  returns: Config | undefined
  overloads: (FunctionForm & { definedIn: string })[]
  /** Of a snapshot without an SQL file: what it is taken of, `ref(…)` or `source(…)`. */
  relation: string | undefined
  file: string
  place: Place
}

export type EntrySection = 'exposures' | 'groups' | 'metrics' | 'semantic_models' | 'saved_queries' | 'unit_tests'

/** An entry that is understood when all nodes are known. */
export type YamlEntry = {
  section: EntrySection
  name: string
  value: Config
  file: string
  place: Place
  /** Where each of its keys stands. */
  keys: Readonly<Record<string, Place>>
  /** Where each entry of its `given` or `depends_on` stands. */
  parts: Place[]
}

export type Properties = {
  patches: Patch[]
  sources: SourceEntry[]
  sourcePatches: SourcePatch[]
  entries: YamlEntry[]
  failures: Failure[]
  warnings: Warning[]
}

const patchSections = ['models', 'seeds', 'snapshots', 'analyses', 'functions', 'macros', 'data_tests'] as const
const entrySections = [
  'exposures',
  'groups',
  'metrics',
  'semantic_models',
  'saved_queries',
  'unit_tests',
] as const satisfies EntrySection[]
const sections: readonly string[] = [...patchSections, ...entrySections, 'sources']
const known = [...sections, 'version', 'anchors', 'catalogs']

/** Keys that dbt takes as config when they stand beside `config:`. */
const besideConfig = ['meta', 'docs', 'group', 'contract', 'access']
/** Keys that look like config and are not read when they stand there. */
const misplaced = ['tags', 'enabled', 'materialized', 'schema', 'alias', 'database', 'unique_key', 'strategy']

/**
 * Texts that are rendered later, with names of their own: tests with `ref`, descriptions with `doc`, filters of metrics. dbt's own
 * rules: another key of the same name, such as a column `description` in `column_types`, is rendered as all else is.
 */
function isLate([section, , ...keys]: Path): boolean {
  const [first, second] = keys
  const isFilter = keys.at(-1) === 'filter' || keys.at(-2) === 'filter'
  if (section === 'sources') {
    if (first === 'tables') return isLateIn(keys.slice(2))
    return isOne(first, ['description', 'loaded_at_query']) || (first === 'config' && second === 'loaded_at_query')
  }
  if (section === 'macros' && first === 'arguments') return isLateIn(keys.slice(1))
  if (isFilter && (section === 'metrics' || first === 'metrics')) return true
  return (section === 'saved_queries' && first === 'query_params' && second === 'where') || isLateIn(keys)
}

const isOne = (key: PropertyKey | undefined, of: readonly string[]): boolean => of.includes(String(key))

/** `keys` lead into one entry. */
function isLateIn(keys: Path): boolean {
  const [first, second, third, fourth, fifth] = keys
  const tested = ['tests', 'data_tests', 'description']
  if (isOne(first, [...tested, 'loaded_at_query'])) return true
  if (keys.length === 2 && isOne(second, [...tested, 'loaded_at_query'])) return true
  if (first === 'config' && isOne(second, ['pre_hook', 'post_hook', 'pre-hook', 'post-hook', 'loaded_at_query']))
    return true
  if (keys.length === 5 && fifth === 'description') return true
  if (isOne(first, ['columns', 'dimensions', 'measures', 'entities', 'metrics', 'versions']) && isOne(third, tested))
    return true
  if (first === 'versions' && third === 'columns') return isOne(fifth, tested)
  return first === 'derived_semantics' && isOne(second, ['dimensions', 'entities']) && isOne(fourth, tested)
}

export function readProperties(file: string, text: string, globals: Globals, cache?: ParseCache): Properties {
  const found: Properties = { patches: [], sources: [], sourcePatches: [], entries: [], failures: [], warnings: [] }
  const warn = (message: string, place: Place) => found.warnings.push({ message, place })
  gathering(found.failures, () => {
    const tell = (place: Place) => found.warnings.push({ ...deprecations.keyTwice(file, place.line), place })
    const located = readYamlText(file, text, tell, cache)
    const value = withPythonArguments(located.value, file, text)
    const isSkipped = (path: Path) => !isOne(path[0], sections) || isLate(path) || isNameless(located.value, path)
    const rendered = mayRender(text) ? renderYaml(value, located.at, globals, isSkipped, found.failures) : value
    readRoot(rendered, new EntryReader(file, located.at, found.failures, located.value), found, warn)
  })
  return found
}

/** Of tests that stand at the root by mistake: they are passed over, whatever their texts say. */
function isNameless(root: unknown, [section, index]: Path): boolean {
  if (section !== 'data_tests' || !isRecord(root)) return false
  const list = root[section]
  const entry: unknown = Array.isArray(list) ? list[Number(index)] : undefined
  return isRecord(entry) && entry['name'] === undefined
}

function readRoot(root: unknown, reader: EntryReader, found: Properties, warn: (text: string, place: Place) => void) {
  if (root === null || root === undefined) return
  if (!isRecord(root))
    return reader.wrong('Dictionary expected: a properties file maps models:, sources:, … to lists', [])
  for (const key of Object.keys(root)) {
    if (!known.includes(key)) warn(`unknown key "${key}"${didYouMean(key, known, 0)}`, reader.at([key], 'key'))
  }
  for (const section of ['sources', ...patchSections, ...entrySections])
    if (root[section] === null && section !== 'data_tests')
      reader.wrong(`The schema file is invalid because the value of '${section}' is not a list`, [section])
  for (const section of patchSections) {
    reader.each(root[section], [section], (entry, path) => {
      // Anchors of YAML that tests share often stand under this key.
      if (section === 'data_tests' && entry['name'] === undefined)
        return warn(
          `Unable to parse 'data_tests' section of file '${reader.file}': Entry did not contain a name`,
          reader.at(path),
        )
      const patch = readPatch(reader, section, entry, path)
      if (patch) found.patches.push(patch)
      if (section === 'models' && patch) addSemantics(reader, entry, path, found)
      for (const key of misplaced) {
        if (section !== 'macros' && entry[key] !== undefined)
          warn(`"${key}" has no effect here; put it under "config"`, reader.at([...path, key], 'key'))
      }
    })
  }
  reader.each(root['sources'], ['sources'], (entry, path) => {
    reader.refuseOthers(entry, path, closed.sources.split(' '))
    if (typeof entry['overrides'] === 'string')
      found.sourcePatches.push({
        overrides: entry['overrides'],
        source: entry,
        file: reader.file,
        place: reader.at(path),
      })
    else found.sources.push(...readSource(reader, entry, path))
  })
  for (const section of entrySections) {
    reader.each(root[section], [section], (value, path) => {
      const name = reader.text(value, 'name', path)
      if (name === undefined) return
      if (isClosed(section)) reader.refuseOthers(value, path, closed[section].split(' '))
      const list = value['given'] ?? value['depends_on']
      const listKey = value['given'] === undefined ? 'depends_on' : 'given'
      found.entries.push({
        section,
        name,
        value: section === 'metrics' ? withTypeParams(value) : value,
        file: reader.file,
        place: reader.at(path),
        keys: Object.fromEntries(Object.keys(value).map((key) => [key, reader.at([...path, key])])),
        parts: Array.isArray(list) ? list.map((_, index) => reader.at([...path, listKey, index])) : [],
      })
    })
  }
}

/** Entries that have no keys but these; models, columns and tables may have any. */
const closed = {
  sources:
    'name config database schema description freshness loaded_at_field loaded_at_query loader meta overrides quoting tables tags',
  exposures: 'name config depends_on description label maturity meta owner tags type url',
  groups: 'name config description owner',
  unit_tests: 'name config description expect given model overrides versions',
  versions:
    'v access columns config constraints data_tests defined_in deprecation_date description docs tests latest_version_pointer',
}
const isClosed = (section: string): section is keyof typeof closed => section in closed

/** What a model says of its semantic model and metrics, as entries of their own. */
function addSemantics(reader: EntryReader, model: Config, path: Path, found: Properties): void {
  const add = (section: EntrySection, value: Config, at: Path) => {
    const name = reader.text(value, 'name', at)
    if (name !== undefined)
      found.entries.push({ section, name, value, file: reader.file, place: reader.at(at), keys: {}, parts: [] })
  }
  const semantics = semanticModelOf(model)
  if (semantics) add('semantic_models', semantics, path)
  metricsOf(model).forEach((metric, index) => add('metrics', metric, [...path, 'metrics', index]))
}

function readPatch(reader: EntryReader, section: Patch['section'], entry: Config, path: Path): Patch | undefined {
  const name = reader.text(entry, 'name', path)
  if (name === undefined) return undefined
  reader.refuseNulls(entry, path, [
    'meta',
    'docs',
    'config',
    'columns',
    'tests',
    'data_tests',
    'constraints',
    'versions',
  ])
  const deprecationDate = reader.optional(entry, 'deprecation_date', path)
  if (deprecationDate !== undefined && Number.isNaN(Date.parse(deprecationDate)))
    reader.wrong(`"deprecation_date" is "${deprecationDate}", which is no date`, [...path, 'deprecation_date'])
  const hasColumns = section !== 'macros' && section !== 'data_tests' && section !== 'functions'
  const columns = hasColumns ? readColumns(reader, entry, path) : []
  const tests = hasColumns && section !== 'analyses' ? readTests(reader, entry, path, undefined) : []
  const config = reader.config(entry, path, besideConfig, section === 'macros')
  const base: Facts = {
    description: reader.words(entry, 'description', path) ?? '',
    config,
    // The rows of `data_tests:` dbt keeps as they come out.
    writtenConfig: section === 'data_tests' ? config : deepMerge(config, reader.writtenConfig(path)),
    columns: columns.map(({ spec }) => spec),
    tests: [...columns.flatMap((column) => column.tests), ...tests],
    constraints: readConstraints(reader, entry, path),
    deprecationDate,
  }
  const versions = section === 'models' ? readVersions(reader, entry, path, { base, columns, tests }) : []
  const args: Config[] = []
  if (section === 'macros' || section === 'functions')
    reader.each(entry['arguments'], [...path, 'arguments'], (argument, at) => {
      if (reader.text(argument, 'name', at) !== undefined) args.push(argument)
    })
  const overloads: Patch['overloads'] = []
  if (section === 'functions')
    reader.each(entry['overloads'], [...path, 'overloads'], (overload, at) => {
      const definedIn = reader.text(overload, 'defined_in', at)
      if (definedIn !== undefined) overloads.push({ ...formOf(overload), definedIn })
    })
  const latestVersion = reader.optional(entry, 'latest_version', path)
  if (latestVersion !== undefined && section === 'models' && !versions.some(({ v }) => v === latestVersion)) {
    reader.wrong(
      `"latest_version" is ${latestVersion}, which is no version of "${name}"${didYouMean(
        latestVersion,
        versions.map(({ v }) => v),
      )}`,
      [...path, 'latest_version'],
    )
  }
  return {
    ...base,
    section,
    name,
    versions,
    latestVersion,
    timeSpine: isRecord(entry['time_spine']) ? entry['time_spine'] : undefined,
    arguments: args,
    returns: formOf(entry).returns,
    overloads,
    relation: section === 'snapshots' ? reader.optional(entry, 'relation', path) : undefined,
    file: reader.file,
    place: reader.place(path),
  }
}

function readVersions(
  reader: EntryReader,
  entry: Config,
  path: Path,
  model: { base: Facts; columns: ColumnEntry[]; tests: TestEntry[] },
): Patch['versions'] {
  const versions: Patch['versions'] = []
  reader.each(entry['versions'], [...path, 'versions'], (version, at) => {
    reader.refuseOthers(version, at, closed.versions.split(' '))
    const v = reader.text(version, 'v', at)
    if (v === undefined) return
    if (versions.some((each) => each.v === v)) return reader.wrong(`the version ${v} is listed twice`, at)
    // `tests:` without anything says nothing; `tests: []` takes those of the model away.
    const hasTests = (version['tests'] ?? version['data_tests'] ?? null) !== null
    const columns = columnsOfVersion(reader, model.columns, version, at)
    const constraints = readConstraints(reader, version, at)
    const config = deepMerge(model.base.config, reader.config(version, at, besideConfig))
    versions.push({
      v,
      definedIn: reader.optional(version, 'defined_in', at)?.replace(/\.sql$/, ''),
      description: reader.optional(version, 'description', at) ?? model.base.description,
      config,
      writtenConfig: deepMerge(config, reader.writtenConfig(at)),
      columns: columns.map(({ spec }) => spec),
      tests: [
        ...columns.flatMap(({ tests }) => tests),
        ...(hasTests ? readTests(reader, version, at, undefined) : model.tests),
      ],
      constraints: constraints.length > 0 ? constraints : model.base.constraints,
      deprecationDate: reader.optional(version, 'deprecation_date', at),
      place: reader.place(at),
    })
  })
  return versions
}

/** dbt's: lists are put together, those of `over` first. */
function deepMerge(base: Config, over: Config): Config {
  const merged: Config = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key]
    if (isRecord(value) && isRecord(below)) merged[key] = deepMerge(below, value)
    else if (Array.isArray(value) && Array.isArray(below)) merged[key] = [...value, ...below]
    else merged[key] = value
  }
  return merged
}
