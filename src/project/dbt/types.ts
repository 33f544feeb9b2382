// A dbt project as data: what parsing makes and everything after reads.

import type { Failure, Place } from '../../base/failure.ts'
import type { MacroBlock } from '../../jinja/index.ts'
import type { Quoting } from './relation.ts'

/** JSON-like values, as YAML and `config()` give them. */
export type Config = Record<string, unknown>

export type NodeKind = 'model' | 'test' | 'seed' | 'snapshot' | 'analysis'

export type RefCall = { name: string; package: string | undefined; version: string | undefined; place: Place }
export type SourceCall = { source: string; table: string; place: Place }

export type ColumnSpec = {
  name: string
  description: string
  dataType: string | undefined
  quote: boolean
  tags: string[]
  meta: Config
  place: Place
}

export type TestSpec =
  | {
      kind: 'generic'
      /** `not_null`, without its package. */
      name: string
      namespace: string | undefined
      /** What the test macro is called with, unrendered; `model` included. */
      kwargs: Config
      columnName: string | undefined
      /** The node or source under test. */
      attachedTo: string | undefined
    }
  | { kind: 'singular' }

/** What the four kinds of node share. Files are relative to the project folder, with forward slashes. */
export type DbtNode = {
  uniqueId: string
  kind: NodeKind
  name: string
  package: string
  fqn: string[]
  file: string
  /** Relative to the model, seed or test folder it was found in. */
  path: string
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
  /** Unique ids of nodes and sources that this one reads. */
  dependsOn: string[]
  test: TestSpec | undefined
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
  identifier: string
  description: string
  sourceDescription: string
  loader: string
  config: Config
  tags: string[]
  columns: ColumnSpec[]
  quoting: Quoting
  file: string
  place: Place
}

export type DbtMacro = MacroBlock & { package: string; uniqueId: string; description: string }

export type DbtDoc = { name: string; package: string; text: string; place: Place }

export type Target = {
  name: string
  /** The catalog of the environment: the database of every relation that names no other. */
  database: string
  /** The schema of models that name none. */
  schema: string
  profile: string
  threads: number
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
  hooks: { onRunStart: string[]; onRunEnd: string[] }
  file: string
}

export type PathKind = 'model' | 'seed' | 'test' | 'macro' | 'snapshot' | 'analysis' | 'docs'
export type ConfigTree = 'models' | 'seeds' | 'snapshots' | 'data_tests' | 'sources'

export type DbtProject = {
  dir: string
  name: string
  target: Target
  packages: Map<string, DbtPackage>
  nodes: Map<string, DbtNode>
  sources: Map<string, DbtSource>
  /** Nodes and sources with `enabled: false`, by unique id: who refers to one is told so. */
  disabled: Map<string, string>
  macros: DbtMacro[]
  docs: Map<string, DbtDoc>
  exposures: { name: string; uniqueId: string; value: Config; place: Place }[]
  /** What is odd, but no error: unknown keys, properties for nothing. */
  warnings: { message: string; place: Place }[]
  options: ProjectOptions
}

export type ProjectOptions = {
  target: Target
  /** `--vars`. */
  vars: Config
  env: Readonly<Record<string, string | undefined>>
  flags: { fullRefresh: boolean; command: string; storeFailures: boolean; empty: boolean }
  /** Milliseconds since 1970: `run_started_at` and `modules.datetime` for everything rendered with this project. */
  startedAt: number
  invocationId: string
  /** `log()`, `print()` and `exceptions.warn()`. */
  onLog(level: 'debug' | 'info' | 'warn', message: string, place: Place | undefined): void
}

export type Found<Value> = { items: Value[]; failures: Failure[] }
