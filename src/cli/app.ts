// What commands work with: the opened project. `main.ts` makes it; commands never open a room themselves.

import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Catalog, Environments, Pointers, Publications, Tables } from '../catalog/index.ts'
import type { Config, Environment } from '../config/index.ts'
import type { Engine } from '../engine/index.ts'
import type { AccessDiff, Govern, Principal } from '../govern/index.ts'
import type { IngestDeps } from '../ingest/index.ts'
import type { FileCache, FileIO } from '../io/index.ts'
import type { Lake, QueryOptions } from '../lake/index.ts'
import type { Orchestrator, RunRequest, Worker } from '../orchestrate/index.ts'
import type { Records } from '../records/index.ts'
import type { HttpServer } from '../serve/index.ts'
import type { Insight } from './insight.ts'
import type { DbtRunDone, DbtRunRequest } from './dbt-run.ts'
import type { SqlEndpoint } from './sql-endpoint.ts'

export type Role = 'cli' | 'serve' | 'worker'
export type OpenOptions = {
  role?: Role
  /** Nothing of the log on standard error: the command shows its own progress. */
  quiet?: boolean
}

/** What the pipeline offers to commands and pages. */
export type Pipeline = {
  plan(options: {
    environment: Environment
    kind: 'run' | 'ingest' | 'build' | 'test'
    select?: readonly string[]
    exclude?: readonly string[]
    by: string
    force?: boolean
  }): Promise<Omit<RunRequest, 'trigger'>>
  list(options: Selected): Promise<ListedNode[]>
  compile(options: Selected & { signal: AbortSignal }): Promise<{ uniqueId: string; file: string; sql: string }[]>
}
type Selected = { environment: Environment; select: readonly string[]; exclude: readonly string[] }
/** A node or source of the dbt project. */
export type ListedNode = {
  uniqueId: string
  kind: string
  name: string
  file: string
  table: string | null
  materialized: string | null
  tags: string[]
}

/** Since the processes started. */
export type CacheFigures = { hits: number; misses: number; bytes: number; evictions: number }

/** Where the tables are and who keeps their names. */
export type Lakehouse = {
  io: FileIO
  /** Location of the lake: `file:///…` or `s3://…`. */
  root: string
  /** The only folders that engines read tables from. */
  directories: string[]
  /** Copies of what lies in a store; undefined when all is on this disk. */
  files: FileCache | undefined
  /** The names in the records. */
  pointers: Pointers
  /** The names, wherever they are kept. */
  catalog: Catalog
  isExternal: boolean
  tables: Tables
  publications: Publications
  environments: Environments
  /** How the file caches of all running processes do; undefined where tables lie on this disk. */
  cacheFigures(): Promise<CacheFigures | undefined>
  close(): Promise<void>
}

export type App = {
  config: Config
  environment: Environment
  /** Who asks: the person at the terminal, or Boathouse itself. */
  principal: Principal
  clock: Clock
  log: Log
  records: Records
  io: FileIO
  engine: Engine
  lakehouse: Lakehouse
  tables: Tables
  publications: Publications
  environments: Environments
  /** Those of the settings and the forks that there are now: always the same array. */
  environmentList: readonly { name: string; catalog: string; protected: boolean }[]
  govern: Govern
  lake: Lake
  ingest: IngestDeps
  orchestrator: Orchestrator
  pipeline: Pipeline
  /** What is known of the dbt project without building it. */
  insight: Insight
  /** Runs nodes of the dbt project here and now: durable, published in one step. See `DbtRunRequest`. */
  dbtRun(request: DbtRunRequest): Promise<DbtRunDone>
  /** An environment by name, as if --env had named it when the command's own is that one. */
  environmentNamed(name: string): Environment
  /** Opens the port. The first start of a store makes the administrator; then `firstLink` lets in once. */
  startServer(): Promise<{
    server: HttpServer
    listening: { url: string; port: number }
    /** The PostgreSQL endpoint; null where it is switched off or its usual port is taken. */
    sql: SqlEndpoint | null
    firstLink: { token: string } | null
  }>
  /** Executes runs, fires schedules, sweeps old rows. */
  startWorker(workerId: string): Promise<Worker>
  /** Calls `onChange` for every batch of saved files with what has to run again, one at a time. */
  watchProject(signal: AbortSignal, onChange: (what: string, selection: string[]) => Promise<void>): Promise<void>
  /** Pings Redis when it is configured. Says what the queue is; RECORDS_FAILED otherwise. */
  checkQueue(): Promise<string>
  /** access.yml into the records; undefined when the project has none. */
  applyAccess(options?: { dryRun?: boolean }): Promise<AccessDiff | undefined>
  /** As `applyAccess`; a broken file is a line in the log, and what held before holds. */
  applyAccessAtStart(): Promise<void>
  /** The options every query of this process shares. */
  asking(door: QueryOptions['door']): QueryOptions
  close(): Promise<void>
}
