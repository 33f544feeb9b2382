// A dbt project as data: what parsing makes and everything after reads.

import type { Failure, Place } from '../../base/failure.ts'
import type { MacroBlock } from '../../jinja/index.ts'
import type { Quoting } from './relation.ts'

/** JSON-like values, as YAML and `config()` give them. */
export type Config = Record<string, unknown>

export type NodeKind = 'model' | 'test' | 'seed' | 'snapshot' | 'analysis' | 'function'

export type RefCall = {
  name: string
  package: string | undefined
  version: string | undefined
  /** Whether the version was given as a text, as tests do; else it is a number where it looks like one. */
  isVersionText?: boolean
  place: Place
}
export type FunctionCall = { name: string; package: string | undefined; place: Place }
export type MetricCall = FunctionCall
export type SourceCall = { source: string; table: string; place: Place }

export type Constraint = {
  type: 'check' | 'not_null' | 'unique' | 'primary_key' | 'foreign_key' | 'custom'
  name: string | undefined
  expression: string | undefined
  /** Of a constraint of the whole model; empty in a column's own. */
  columns: string[]
  /** Of a foreign key: the table as it is written (a `ref` or `source` still in braces), and its columns. */
  to: string | undefined
  toColumns: string[]
  warnUnenforced: boolean
  warnUnsupported: boolean
}

/** A statement before or after a model; rendered when it runs. */
export type Hook = { sql: string; transaction: boolean; place: Place }

export type ColumnSpec = {
  name: string
  description: string
  dataType: string | undefined
  quote: boolean | undefined
  tags: string[]
  meta: Config
  constraints: Constraint[]
  /** Of a time spine's column: `day`, `month` … */
  granularity: string | undefined
  /** What the semantic layer makes of it: a kind, or a mapping with one. */
  dimension: unknown
  entity: unknown
  /** Unique ids of the docs blocks that the description is made of. */
  docBlocks: string[]
  /** As it is written. */
  config: Config
  /** Keys that are the project's own. */
  others: Config
  place: Place
}

/** A model, seed or snapshot by name, and the section of YAML that says so, right or wrong; or a source. */
export type TestedCall =
  | { name: string; version: string | undefined; section: 'models' | 'seeds' | 'snapshots' }
  | { source: string; table: string }

export type TestSpec =
  | {
      kind: 'generic'
      /** `not_null`, without its package. */
      name: string
      namespace: string | undefined
      /** What the test macro is called with, unrendered; `model` included. */
      kwargs: Config
      columnName: string | undefined
      /** What it stands under in YAML. */
      of: TestedCall
      /** The node or source under test. */
      attachedTo: string | undefined
    }
  | { kind: 'singular' }

/** What YAML says of a function: its own form, and further ones for arguments of other types. */
export type FunctionForm = { arguments: Config[]; returns: Config | undefined; description: string | undefined }
export type FunctionSpec = FunctionForm & {
  /** Each with the text of the file that it is defined in, and where that begins. */
  overloads: (FunctionForm & { definedIn: string; rawSql: string; place: Place })[]
}

/** What the kinds of node share. Files are relative to the project folder, with forward slashes. */
export type DbtNode = {
  uniqueId: string
  kind: NodeKind
  name: string
  package: string
  fqn: string[]
  file: string
  /** The same below the folder of its package: dbt's `original_file_path`. */
  fileInPackage: string
  quoting: Quoting
  /** dbt's fingerprint of the file: `sha256`, `path` for what is too large to be read for it, `none` for what has no file. */
  checksum: { name: 'sha256' | 'path' | 'none'; checksum: string }
  /** Relative to the model, seed or test folder it was found in. */
  path: string
  /** A Python model is read, so that the others can be built; it cannot be run. */
  language: 'sql' | 'python' | 'javascript'
  rawSql: string
  config: Config
  tags: string[]
  description: string
  columns: ColumnSpec[]
  database: string
  schema: string
  alias: string
  version: string | undefined
  latestVersion: string | undefined
  refs: RefCall[]
  sources: SourceCall[]
  functions: FunctionCall[]
  metrics: MetricCall[]
  /** Unique ids of nodes and sources that this one reads, of functions that it calls and of metrics that it names. */
  dependsOn: string[]
  /** Of a function. */
  spec: FunctionSpec | undefined
  /** Of a test: by its config, or by --store-failures. */
  storesFailures?: boolean
  test: TestSpec | undefined
  /** Unique ids of the macros that it calls by name. */
  macros: string[]
  /** The config before it is rendered and merged, for comparing states. */
  unrenderedConfig: Config
  /** Unique ids of the docs blocks that the description is made of. */
  docBlocks: string[]
  /** ISO text. */
  deprecationDate: string | undefined
  timeSpine: Config | undefined
  /** The group it belongs to, and who may `ref` it. */
  group: string | undefined
  access: 'private' | 'protected' | 'public'
  /** Of the whole model; those of a column stand with it. */
  constraints: Constraint[]
  /** Whether columns and types are promised (`contract: {enforced: true}`). */
  contract: boolean
  hooks: { pre: Hook[]; post: Hook[] }
  /** Where it is defined: the top of its SQL file, or the entry of a YAML file. */
  place: Place
  /** Where its properties stand. */
  patch: Place | undefined
}

export type DbtSource = {
  uniqueId: string
  package: string
  source: string
  name: string
  fqn: string[]
  database: string
  schema: string
  /** What the source itself says, before its templates are rendered; null where it says nothing. */
  written: { database: unknown; schema: unknown; quoting: Config }
  identifier: string
  description: string
  sourceDescription: string
  loader: string
  config: Config
  tags: string[]
  columns: ColumnSpec[]
  quoting: Quoting
  /** When its data counts as old; undefined: nobody asks. */
  freshness: Freshness | undefined
  /** SQL for the time of a row, and SQL that answers the newest time; at most one of them is there. */
  loadedAtField: string | undefined
  loadedAtQuery: string | undefined
  sourceMeta: Config
  external: Config | undefined
  unrenderedConfig: Config
  docBlocks: string[]
  file: string
  place: Place
}

export type Period = { count: number; period: 'minute' | 'hour' | 'day' }
export type Freshness = { warnAfter: Period | undefined; errorAfter: Period | undefined; filter: string | undefined }

export type DbtMacro = MacroBlock & {
  package: string
  uniqueId: string
  description: string
  /** What a YAML file says about it. */
  properties?: { arguments: Config[]; meta: Config; docs: Config; file: string; place: Place }
}

export type DbtDoc = { name: string; package: string; text: string; place: Place }

/** Rows of a unit test: as YAML lists or CSV they are records, as SQL they are a query. */
export type UnitRows = { rows: Config[] | undefined; sql: string | undefined; fixture: string | undefined } & {
  format: 'dict' | 'csv' | 'sql'
}

export type DbtUnitTest = {
  uniqueId: string
  name: string
  package: string
  fqn: string[]
  /** Name of the model under test, and its version. */
  model: string
  version: string | undefined
  description: string
  /** As it is written, for the manifest. */
  versions: Config | undefined
  /** Of the model under test. */
  schema: string | undefined
  /** `input` is a `ref(…)`, a `source(…)` or `this`, as it is written; `uniqueId` is what it names, '' for nothing. */
  given: (UnitRows & { input: string; uniqueId: string; place: Place })[]
  expect: UnitRows
  overrides: { macros: Config; vars: Config; envVars: Config }
  config: Config
  tags: string[]
  /** The model alone, as for dbt: what `given` names is not read. */
  dependsOn: string[]
  file: string
  place: Place
}

/** One statement of `on-run-start` or `on-run-end`. */
export type DbtOperation = {
  /** Those that its text calls. */
  macros: string[]
  uniqueId: string
  name: string
  package: string
  database: string
  schema: string
  alias: string
  when: 'on-run-start' | 'on-run-end'
  /** From 0 within its package. */
  index: number
  config: Config
  unrenderedConfig: Config
  sql: string
  /** dbt's fingerprint of the file that it stands in. */
  checksum: DbtNode['checksum']
  dependsOn: string[]
  file: string
  place: Place
}

export type DbtGroup = {
  uniqueId: string
  name: string
  package: string
  description: string
  owner: Config
  config: Config
  file: string
  place: Place
}

/** What exposures, metrics, semantic models and saved queries share: a named entry of YAML that reads others. */
export type DbtEntry = {
  uniqueId: string
  name: string
  package: string
  fqn: string[]
  description: string
  label: string | undefined
  config: Config
  tags: string[]
  meta: Config
  group: string | undefined
  refs: RefCall[]
  sources: SourceCall[]
  /** Names of metrics that it reads. */
  metrics: string[]
  dependsOn: string[]
  /** The entry as it is written, texts rendered. */
  value: Config
  file: string
  place: Place
}
export type DbtExposure = DbtEntry & {
  type: string
  maturity: string | undefined
  url: string | undefined
  owner: Config
}
export type DbtMetric = DbtEntry & { type: string }
export type DbtSemanticModel = DbtEntry & { model: string }
export type DbtSavedQuery = DbtEntry

/** What a selector of selectors.yml selects. */
export type SelectorTree =
  /** All of these, what every one of them has, or the first without the others. */
  | { kind: 'union' | 'intersection' | 'difference'; parts: SelectorTree[] }
  | {
      kind: 'method'
      /** `tag`, `config.materialized`, `selector` … */
      method: string
      value: string
      /** Steps towards parents (children) that are taken along: 0 none, Infinity all. */
      parents: number
      children: number
      /** `@`: children and all that they need. */
      childrensParents: boolean
      indirectSelection: 'eager' | 'cautious' | 'buildable' | 'empty' | undefined
    }
export type DbtSelector = {
  name: string
  description: string
  /** Used when the command selects nothing: true, false, or a template's answer. */
  isDefault: boolean
  tree: SelectorTree
  /** As it is written, for the manifest. */
  definition: unknown
  place: Place
}

export type Target = {
  name: string
  /** The database of every relation that names no other, as templates and compiled SQL show it. */
  database: string
  /** The catalog of the environment, which holds the tables; where `database` differs the lake takes it as an alias. */
  catalog: string
  /** The profile's adapter: `duckdb`, whatever the project's own profile names. */
  type: string
  /** The schema of models that name none. */
  schema: string
  profile: string
  threads: number
  /** What the profile says of files, for templates that name it. */
  path?: string | undefined
  externalRoot?: string | undefined
}

export type DbtPackage = {
  name: string
  version: string
  /** '' for the project itself, `dbt_packages/dbt_utils` for a package. */
  folder: string
  paths: Record<PathKind, string[]>
  vars: Config
  /** `models`, `seeds`, `data_tests` …: the trees of configs. */
  configs: Record<ConfigTree, Config>
  dispatch: { namespace: string; order: string[] }[]
  quoting: Quoting
  /** Where the project's packages are installed. */
  packagesFolder: string
  hooks: { onRunStart: string[]; onRunEnd: string[]; places: Record<DbtOperation['when'], Place[]> }
  requiredVersion: { value: unknown; place: Place } | undefined
  /** The trees of configs with their templates as written. */
  unrendered: Record<ConfigTree, Config>
  /** `restrict-access`: whether other packages may read its protected models. */
  restrictAccess: boolean
  /** `flags:` of dbt_project.yml. */
  flags: Config
  targetFolder: string
  cleanTargets: string[]
  queryComment: unknown
  file: string
}

export type PathKind = 'model' | 'seed' | 'test' | 'macro' | 'snapshot' | 'analysis' | 'function' | 'docs'
export type ConfigTree =
  | 'models'
  | 'seeds'
  | 'snapshots'
  | 'data_tests'
  | 'sources'
  | 'unit_tests'
  | 'exposures'
  | 'metrics'
  | 'semantic-models'
  | 'saved-queries'
  | 'functions'
  | 'analyses'

export type DbtProject = {
  dir: string
  name: string
  target: Target
  packages: Map<string, DbtPackage>
  nodes: Map<string, DbtNode>
  sources: Map<string, DbtSource>
  /** What has `enabled: false`, by unique id: who refers to one is told so. Several may share one id. */
  disabled: Map<string, Disabled[]>
  macros: DbtMacro[]
  docs: Map<string, DbtDoc>
  unitTests: Map<string, DbtUnitTest>
  /** In the order in which they run. */
  operations: Map<string, DbtOperation>
  groups: Map<string, DbtGroup>
  exposures: Map<string, DbtExposure>
  metrics: Map<string, DbtMetric>
  semanticModels: Map<string, DbtSemanticModel>
  savedQueries: Map<string, DbtSavedQuery>
  /** By name. */
  selectors: Map<string, DbtSelector>
  /** What is odd, but no error: unknown keys, properties for nothing. */
  warnings: Warning[]
  options: ProjectOptions
}

/** `event`: dbt's name, code and fields where dbt warns of the same; `--warn-error` is about those. */
export type Warning = {
  message: string
  place: Place
  event?: { name: string; code: string; data?: Record<string, unknown> }
}

export type Disabled =
  | { kind: 'node'; entry: DbtNode }
  | { kind: 'source'; entry: DbtSource }
  | { kind: 'unit test'; entry: DbtUnitTest }
  | { kind: 'exposure' | 'metric' | 'semantic model' | 'saved query'; entry: DbtEntry }

/** What `flags.*` and `invocation_args_dict` show. */
export type Flags = {
  /** `run`, `build` …: `flags.WHICH`. */
  command: string
  fullRefresh: boolean
  storeFailures: boolean
  empty: boolean
  /** The command as it was typed, for `invocation_args_dict.invocation_command`. */
  typed?: string
  /** All other flags, by dbt's names in lower case (`fail_fast`, `event_time_start`): what the command line sets. */
  others?: Config
}

export type ProjectOptions = {
  target: Target
  /** `--vars`. */
  vars: Config
  env: Readonly<Record<string, string | undefined>>
  flags: Flags
  /** Milliseconds since 1970: `run_started_at` and `modules.datetime` for everything rendered with this project. */
  startedAt: number
  invocationId: string
  /** Unique ids of what a run does, once that is known: `selected_resources`. */
  selected?: readonly string[]
  /** Where what is found out about texts is kept. `isFresh`: all is found out anew, as by dbt's `--no-partial-parse`. */
  cache?: { file: string; isFresh: boolean }
  /** `log()`, `print()`, which is told also when it shall be quiet, and `exceptions.warn()`. */
  onLog(level: 'debug' | 'info' | 'warn' | 'print', message: string, place: Place | undefined): void
}

export type Found<Value> = { items: Value[]; failures: Failure[] }
