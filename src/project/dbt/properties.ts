// The YAML files beside the models: sources, descriptions, columns, tests, configs; each part with its place.

import { Failure, type Place } from '../../base/failure.ts'
import type { Globals } from '../../jinja/index.ts'
import { didYouMean } from '../../base/suggest.ts'
import type { Path } from '../yaml.ts'
import type { ColumnSpec, Config } from './types.ts'
import { gathering, isRecord, readYamlText, renderYaml } from './yaml-file.ts'

/** One entry of `tests:` or `data_tests:`, not yet understood. */
export type TestEntry = { definition: unknown; place: Place; column: ColumnSpec | undefined }

/** What a file says about a model, seed, snapshot, analysis, macro or singular test. */
export type Patch = {
  section: 'models' | 'seeds' | 'snapshots' | 'analyses' | 'macros' | 'data_tests'
  name: string
  description: string
  config: Config
  columns: ColumnSpec[]
  tests: TestEntry[]
  versions: { v: string; definedIn: string | undefined; config: Config; tests: TestEntry[] | undefined }[]
  latestVersion: string | undefined
  file: string
  place: Place
}

export type SourceEntry = {
  source: string
  name: string
  identifier: string
  database: string | undefined
  schema: string
  description: string
  sourceDescription: string
  loader: string
  config: Config[]
  quoting: Config
  columns: ColumnSpec[]
  tests: TestEntry[]
  file: string
  place: Place
}

export type Properties = {
  patches: Patch[]
  sources: SourceEntry[]
  exposures: { name: string; value: Config; place: Place }[]
  failures: Failure[]
  warnings: { message: string; place: Place }[]
}

const sections = ['models', 'seeds', 'snapshots', 'analyses', 'macros', 'data_tests', 'tests'] as const
const others = [
  'version',
  'sources',
  'exposures',
  'groups',
  'metrics',
  'semantic_models',
  'saved_queries',
  'unit_tests',
  'functions',
  'anchors',
  'catalogs',
]

/** Texts that are rendered later, with names of their own: tests with `ref`, descriptions with `doc`. */
function isLate(path: Path): boolean {
  return (
    path.some((step) => step === 'tests' || step === 'data_tests' || step === 'description') ||
    path[0] === 'unit_tests' ||
    path[0] === 'macros' ||
    path.some((step) => typeof step === 'string' && /^(pre|post)[-_]hook$/.test(step))
  )
}

export function readProperties(file: string, text: string, globals: Globals): Properties {
  const found: Properties = { patches: [], sources: [], exposures: [], failures: [], warnings: [] }
  gathering(found.failures, () => {
    const located = readYamlText(file, text)
    const rendered = renderYaml(located.value, located.at, globals, isLate, found.failures)
    new PropertiesReader(file, located.at, found).read(rendered)
  })
  return found
}

class PropertiesReader {
  readonly #file: string
  readonly #at: (path: Path, what?: 'key' | 'value') => Place
  readonly #found: Properties

  constructor(file: string, at: (path: Path, what?: 'key' | 'value') => Place, found: Properties) {
    this.#file = file
    this.#at = at
    this.#found = found
  }

  #wrong(message: string, path: Path): void {
    this.#found.failures.push(new Failure('PROJECT_INVALID', message, { place: this.#at(path) }))
  }

  read(root: unknown): void {
    if (root === null || root === undefined) return
    if (!isRecord(root)) return this.#wrong('a properties file must be a mapping: models:, sources:, …', [])
    const known = [...sections, ...others]
    for (const key of Object.keys(root)) {
      if (!known.includes(key)) {
        this.#found.warnings.push({
          message: `unknown key "${key}"${didYouMean(key, known, 0)}`,
          place: this.#at([key], 'key'),
        })
      }
    }
    for (const section of sections) {
      this.#each(root[section], [section], (entry, path) =>
        this.#patch(section === 'tests' ? 'data_tests' : section, entry, path),
      )
    }
    this.#each(root['sources'], ['sources'], (entry, path) => this.#source(entry, path))
    this.#each(root['exposures'], ['exposures'], (entry, path) => {
      const name = this.#text(entry, 'name', path)
      if (name !== undefined) this.#found.exposures.push({ name, value: entry, place: this.#at(path) })
    })
  }

  #each(list: unknown, path: Path, visit: (entry: Config, path: Path) => void): void {
    if (list === undefined || list === null) return
    if (!Array.isArray(list)) return this.#wrong(`"${String(path.at(-1))}" must be a list`, path)
    list.forEach((entry, index) => {
      const at = [...path, index]
      if (isRecord(entry)) visit(entry, at)
      else this.#wrong(`each entry of "${String(path.at(-1))}" must be a mapping with a name`, at)
    })
  }

  /** A text that must be there. */
  #text(entry: Config, key: string, path: Path): string | undefined {
    const value = entry[key]
    if (typeof value === 'string' || typeof value === 'number') return String(value)
    this.#wrong(
      value === undefined || value === null ? `"${key}" is missing` : `"${key}" must be text`,
      value === undefined ? path : [...path, key],
    )
    return undefined
  }

  #optional(entry: Config, key: string): string | undefined {
    const value = entry[key]
    return value === undefined || value === null ? undefined : String(value)
  }

  /** `config:` and the keys that may stand beside it. */
  #config(entry: Config, path: Path): Config {
    const own = entry['config'] ?? {}
    if (!isRecord(own)) {
      this.#wrong('"config" must be a mapping', [...path, 'config'])
      return {}
    }
    const beside: Config = {}
    for (const key of ['tags', 'meta', 'docs', 'access', 'group', 'enabled', 'quoting_config']) {
      if (entry[key] !== undefined && entry[key] !== null && own[key] === undefined) beside[key] = entry[key]
    }
    return { ...beside, ...own }
  }

  #columns(entry: Config, path: Path): ColumnSpec[] {
    const columns: ColumnSpec[] = []
    this.#each(entry['columns'], [...path, 'columns'], (column, at) => {
      // `include:` of a versioned model lists columns of another version.
      if (column['include'] !== undefined && column['name'] === undefined) return
      const name = this.#text(column, 'name', at)
      if (name === undefined) return
      const config = this.#config(column, at)
      columns.push({
        name,
        description: this.#optional(column, 'description') ?? '',
        dataType: this.#optional(column, 'data_type'),
        quote: column['quote'] === true,
        tags: listOfTexts(config['tags']),
        meta: isRecord(config['meta']) ? config['meta'] : {},
        constraints: [],
        place: this.#at(at),
      })
    })
    return columns
  }

  #tests(entry: Config, path: Path, columns: readonly ColumnSpec[]): TestEntry[] {
    const tests = this.#testList(entry, path, undefined)
    if (!Array.isArray(entry['columns'])) return tests
    for (const [index, column] of (entry['columns'] as unknown[]).entries()) {
      if (!isRecord(column)) continue
      const spec = columns.find(({ name }) => name === String(column['name']))
      if (spec) tests.push(...this.#testList(column, [...path, 'columns', index], spec))
    }
    return tests
  }

  #testList(entry: Config, path: Path, column: ColumnSpec | undefined): TestEntry[] {
    return ['tests', 'data_tests'].flatMap((key) => {
      const list = entry[key]
      if (list === undefined || list === null) return []
      if (!Array.isArray(list)) {
        this.#wrong(`"${key}" must be a list`, [...path, key])
        return []
      }
      return list.map((definition, index) => ({
        definition: definition as unknown,
        place: this.#at([...path, key, index]),
        column,
      }))
    })
  }

  #patch(section: Patch['section'], entry: Config, path: Path): void {
    const name = this.#text(entry, 'name', path)
    if (name === undefined) return
    const columns = this.#columns(entry, path)
    const versions: Patch['versions'] = []
    this.#each(entry['versions'], [...path, 'versions'], (version, at) => {
      const v = this.#text(version, 'v', at)
      if (v === undefined) return
      const hasTests = version['tests'] !== undefined || version['data_tests'] !== undefined
      versions.push({
        v,
        definedIn: this.#optional(version, 'defined_in'),
        config: this.#config(version, at),
        tests: hasTests ? this.#testList(version, at, undefined) : undefined,
      })
    })
    this.#found.patches.push({
      section,
      name,
      columns,
      versions,
      description: this.#optional(entry, 'description') ?? '',
      config: this.#config(entry, path),
      tests: section === 'macros' || section === 'data_tests' ? [] : this.#tests(entry, path, columns),
      latestVersion: this.#optional(entry, 'latest_version'),
      file: this.#file,
      place: this.#at(path),
    })
  }

  #source(entry: Config, path: Path): void {
    const source = this.#text(entry, 'name', path)
    if (source === undefined) return
    const config = this.#config(entry, path)
    this.#each(entry['tables'], [...path, 'tables'], (table, at) => {
      const name = this.#text(table, 'name', at)
      if (name === undefined) return
      const columns = this.#columns(table, at)
      this.#found.sources.push({
        source,
        name,
        columns,
        identifier: this.#optional(table, 'identifier') ?? name,
        database: this.#optional(entry, 'database') ?? this.#optional(entry, 'catalog'),
        schema: this.#optional(entry, 'schema') ?? source,
        description: this.#optional(table, 'description') ?? '',
        sourceDescription: this.#optional(entry, 'description') ?? '',
        loader: this.#optional(table, 'loader') ?? this.#optional(entry, 'loader') ?? '',
        config: [config, this.#config(table, at)],
        quoting: {
          ...(isRecord(entry['quoting']) ? entry['quoting'] : {}),
          ...(isRecord(table['quoting']) ? table['quoting'] : {}),
        },
        tests: this.#tests(table, at, columns),
        file: this.#file,
        place: this.#at(at),
      })
    })
  }
}

const listOfTexts = (value: unknown): string[] =>
  Array.isArray(value) ? value.map(String) : value === undefined || value === null ? [] : [String(value)]
