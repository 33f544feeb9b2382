// The one door to the data. Every SQL statement of a person, a page or a part of Boathouse comes through `query`,
// every change of tables through a change set; names, rights, limits and the record of what happened are settled here.

import { ending, type Ending } from '../base/ending.ts'
import { Failure, asFailure } from '../base/failure.ts'
import type { Clock } from '../base/clock.ts'
import { silentLog, type Log } from '../base/log.ts'
import {
  openWhatever,
  showName,
  type Catalog,
  type Loaded,
  type LoadedView,
  type NumbersOf,
  type WantedNumbers,
  type Publications,
  type Sequences,
  type TableName,
  type Tables,
} from '../catalog/index.ts'
import type { Column } from '../contract/index.ts'
import { EngineFailure, type Chunk, type Engine } from '../engine/index.ts'
import { emptyPolicy, limitsOf, type NamedEnvironment, type Policy, type Principal } from '../govern/index.ts'
import { manifestCache, type BoundedManifestCache } from '../iceberg/index.ts'
import { localPath, type FileIO } from '../io/index.ts'
import type { SystemLogs } from './relations/system-tables.ts'
import { authoriseChange, rightsOf, viewContent, type AccessDeps } from './policy/rights.ts'
import { ResultCache, type CacheFolder } from './answers/cache.ts'
import { Admission, type Leave, type PrincipalLimits } from './answers/admission.ts'
import { answerSelect, collect } from './answers/answer.ts'
import { partOf } from './contexts.ts'
import type { ChangeSet, TableOptions } from './write/change-set.ts'
import { changeSet } from './write/changes.ts'
import { AnalysisCache, ColumnsCache } from './answers/analyses.ts'
import { engineFailure, rethrowEngine } from './answers/engine-failure.ts'
import { travelOf } from './scan/as-of.ts'
import type { KeysOf } from './pg-catalog/index.ts'
import { outlineOf, type Given, type Outline } from './relations/outline.ts'
import { prepareSelect, toldColumns, type Files, type Prepared } from './prepare.ts'
import type { CommandParts } from './commands.ts'
import { boundsOf } from './answers/limits.ts'
import { relationsOf, type Relation } from './relations/relations.ts'
import { versionOf, type Versions } from './scan/versions.ts'
import { numbersOf, sequenceOf, type Numbers } from './numbers.ts'
import type { ChangedTable, ToldRows } from './sources.ts'
import { isTemporary, temporaryTable, temporaryTables, type RunNames } from './write/run-names.ts'
import { describeChange, runStatement } from './statements.ts'
import { isChange } from './sql/statement.ts'
import { withoutSecrets } from './sql/without-secrets.ts'
import { showAsSelect } from './sql/command.ts'
import { Reader, type WrittenName } from './sql/reader.ts'
import { withPivotValues } from './sql/pivot.ts'
import { beginTransaction, type Transaction, type TransactionOptions, type Within } from './transaction.ts'

export { collect } from './answers/answer.ts'

export type Door = 'cli' | 'http' | 'dashboard' | 'run' | 'doctor' | 'pgwire'

export type QueryOptions = RunNames & {
  principal: Principal
  /** What is further said of a table when a statement makes or changes it: descriptions, partitions, the snapshot's summary. */
  about?: (target: TableName) => Omit<TableOptions, keyof RunNames | 'namespace' | 'files'> | undefined
  /** The environment's catalog: plain names resolve in it. */
  catalog: string
  /** Namespace of one-part names. */
  namespace?: string
  door: Door
  /** Read through these pending changes. */
  changes?: ChangeSet
  /** ISO timestamp or snapshot id: every table as of then. */
  asOf?: string
  timeoutMs?: number
  /** The zone of the asker: what days, hours and times without an offset mean, and how texts tell them. Default: the project's. */
  timeZone?: string | undefined
  rowsMax?: number
  signal?: AbortSignal
  /** False: never from the result cache. */
  cache?: boolean
  /** False: read every file. For the tests that hold pruning to the truth, and for finding out whether it is to blame. */
  prune?: boolean
  /** The environment was named with --env or BOATHOUSE_ENV: protected ones may then be written. */
  environmentNamed?: boolean
  requestId?: string
  /** Told of the last number that a column took for new rows, by the name of its sequence. */
  onNumber?: (sequence: TableName, last: bigint) => void
  /** Rows as the PostgreSQL protocol has them: `bytes` of each chunk. See `EngineRequest`. */
  formats?: readonly number[]
  /** With them: as which of PostgreSQL's types JSON is told that is computed. */
  json?: 'JSON' | 'JSONB'
}

/** `within`: the transaction that the statement is part of. `isPart`: it is part of one that was admitted. */
export type Asking = QueryOptions & { within?: Within; isPart?: true; given?: Given; told?: ToldRows }

export type QueryResult = {
  /** What was done, as SQL clients are told: `SELECT`, `INSERT`, `CREATE TABLE`, `BEGIN`. */
  command: string
  columns: Column[]
  /** Read once, or closed: before either nothing of it is in the audit. */
  chunks: Ending<Chunk> | AsyncGenerator<Chunk>
  provenance: Prepared['provenance']
  cached: { hit: boolean; ageMs: number }
  /** Whether `rowsMax` cut the result; known when the chunks were read. */
  truncated(): boolean
  /** Where the most rows that the asker may be given is set. */
  rowsSetBy?: string
  /** How many rows were changed, where the rows of the answer are not that. */
  changed?: number
  /** What the asker should know of what was done. */
  notices?: readonly string[]
}

export type AuditEntry = {
  principal: Principal
  door: Door
  action: string
  catalog: string
  sql: string
  tables: string[]
  /** Of the tables that were read. */
  snapshots?: Record<string, string | null>
  rows: number | null
  ms: number
  cached: boolean
  verdict: 'allowed' | 'refused' | 'failed'
  failureCode: string | null
  requestId: string | null
}

export interface Lake {
  /** Runs one SELECT, or one statement that writes for those who may. Failures carry their place in `sql`. */
  query(sql: string, options: QueryOptions): Promise<QueryResult>
  /** Several statements as one; whoever begins it ends it. */
  begin(options: TransactionOptions): Promise<Transaction>
  /** Columns of a SELECT without running it. */
  bind(sql: string, options: QueryOptions): Promise<Column[]>
  /** As `bind`, with the syntax tree and the tables that the SELECT names; `given` ones need not be there. */
  outline(sql: string, options: QueryOptions & { given?: Given }): Promise<Outline>
  /** What there is under a name, or in a schema, of what the asker may know of; through `changes`. */
  relations(
    of: { catalog: string; namespace: string; name?: string | undefined },
    options: Pick<QueryOptions, 'principal' | 'changes' | 'aliases' | 'temporary'>,
  ): Promise<Relation[]>
  /** As `bind`, with the engine's types of `$1`, `$2` …: `UNKNOWN` where the statement does not say. */
  describe(sql: string, options: QueryOptions): Promise<{ columns: Column[]; parameters: string[] }>
  /** Columns of ingestion's own SQL over files of the spool. Not for SQL that people wrote. */
  bindFiles(sql: string, signal?: AbortSignal): Promise<Column[]>
  /** The rows of such a SELECT, which are few. */
  rowsOfFiles(sql: string, signal?: AbortSignal): Promise<unknown[][]>
  /** The open change set of `runId`, or a new one. */
  openChanges(options: {
    catalog: string
    principal: Principal
    runId?: string
    environmentNamed?: boolean
  }): Promise<ChangeSet>
  /** A sequence, or that of a column that numbers its rows. @throws NOT_FOUND, FORBIDDEN */
  numbers(name: WrittenName, options: QueryOptions): Promise<Numbers>
  /** The sequence of a column, by its name. */
  sequenceOf(table: WrittenName, column: string, options: QueryOptions): Promise<TableName | undefined>
  /** Where the temporary tables of a session are; it reads what `seen` says, else the tables of the moment. Not to be published. */
  openScratch(options: Pick<QueryOptions, 'catalog' | 'principal'>, seen: () => Within | undefined): Promise<ChangeSet>
  /** What a SELECT reads, each in the version that it would read now, views and what lies below them included. */
  versions(sql: string, options: QueryOptions): Promise<Versions>
  /** What a run wrote and did not publish, to be read through; undefined when there is nothing of it (any more). */
  changesOf(runId: string, options: { catalog: string; principal: Principal }): Promise<ChangeSet | undefined>
  readonly cache: { hits: number; misses: number }
}

export type LakeDeps = CommandParts & {
  engine: Engine
  io: FileIO
  /** Keeps files of object stores on this disk while they are read. Default: all files are on it already. */
  files?: Files
  tables: Tables
  publications: Publications
  clock: Clock
  /** Where new tables go: `file:///…`. */
  lakeRoot: string
  /** A folder of this disk where files are before they get their place in a table. */
  spoolDir: string
  environments: readonly { name: string; catalog: string; protected: boolean }[]
  limits: {
    queryTimeoutMs: number
    queryRowsMax: number
    cacheBytes: number
    manifestBytes: number
    perPrincipal?: PrincipalLimits
  }
  /** Keeps results on disk too. */
  results?: CacheFolder
  /** What else a result depends on: the engine's version, the time zone. */
  resultsStamp?: string
  namespaces(catalog: string): Promise<string[]>
  createNamespace(catalog: string, namespace: string): Promise<boolean>
  dropNamespace(catalog: string, namespace: string): Promise<boolean>
  /** Its properties. */
  namespace: Catalog['namespace']
  updateNamespace: Catalog['updateNamespace']
  /** Numbers for new rows that nobody else is given, none below `least`; the first of them. Without it they are those from `least` on. */
  takeNumbers?(of: NumbersOf, wanted: WantedNumbers): Promise<bigint>
  sequences?: Sequences
  audit?(entry: AuditEntry): Promise<void>
  /** Keys of tables that the project's tests hold true; `pg_catalog` shows them. */
  keysOf?: KeysOf
  /** Grants, row filters and masks; without it the built-in roles alone decide. */
  access?: AccessDeps
  /** What `system.audit` and `system.queries` show. */
  logs?: SystemLogs
  log?: Log
}

type OpenChanges = {
  catalog: string
  principal: Principal
  runId?: string
  environmentNamed?: boolean
  within?: Pick<Within, 'tables' | 'read'> & {
    /** Whether the tables are of one moment; default: they are. */
    isOneMoment?: () => boolean
  }
}

/** What the statements of an open lake are made of. */
export type Opened = {
  deps: LakeDeps
  manifests: BoundedManifestCache
  query(sql: string, options: Asking): Promise<QueryResult>
  bind: Lake['bind']
  relations: Lake['relations']
  /** Undefined when it is no SELECT. `rowsOf`: the table whose rows it changes. */
  prepare(sql: string, options: Asking, rowsOf?: ChangedTable): Promise<Prepared | undefined>
  /** The answer to a SELECT that is a part of a statement, which is in the audit itself. */
  answer(prepared: Prepared, options: Asking): Promise<QueryResult>
  openChanges(options: OpenChanges): Promise<ChangeSet>
  listAll(catalog: string, asked: Tables, changes: ChangeSet | undefined): Promise<Loaded[]>
  policyNow(): Promise<Policy>
  environmentOf(catalog: string, named: boolean | undefined): { environment?: NamedEnvironment }
  /** Change sets with a SELECT of which something is hidden from the asker. */
  hiding: WeakSet<ChangeSet>
}

const onThisDisk: Files = {
  lease: async () => ({ pathOf: localPath, release() {} }),
  keep: async () => {},
}

export function openLake(given: LakeDeps): Lake {
  const { audit } = given
  const deps: LakeDeps = {
    ...given,
    ...(audit && { audit: (entry) => audit({ ...entry, sql: withoutSecrets(entry.sql) }) }),
  }
  const { engine, io, tables, clock, limits, files = onThisDisk } = deps
  const log = deps.log ?? silentLog
  const manifests = manifestCache({ bytesMax: limits.manifestBytes })
  const admission = new Admission(limits.perPrincipal)
  const cache = new ResultCache(limits.cacheBytes, deps.results, log)
  const [analyses, columns] = [new AnalysisCache(), new ColumnsCache()]

  const hiding = new WeakSet<ChangeSet>()
  /** Of change sets that may read all tables as of one moment: whether they do. */
  const ofOneMoment = new WeakMap<ChangeSet, () => boolean>()
  /** Views that a change set holds and nobody else has seen: theirs who made it. */
  const ownViews = new WeakMap<ChangeSet, { by: string; views: WeakSet<LoadedView['metadata']> }>()
  const policyNow = async () => (await deps.access?.access.policy()) ?? emptyPolicy
  const environmentOf: Opened['environmentOf'] = (catalog, named = false) => {
    const found = deps.environments.find((one) => one.catalog.toLowerCase() === catalog.toLowerCase())
    return found ? { environment: { name: found.name, protected: found.protected, named } } : {}
  }

  /**
   * Tables are loaded one after the other, and somebody may publish in between. So when several were loaded, they are
   * looked at together once more, and all is done again unless they were current together: a reader sees whole
   * publications only. What a run holds itself is nobody else's to move.
   */
  async function prepare(sql: string, options: Asking, rowsOf?: ChangedTable): Promise<Prepared | undefined> {
    for (let attempt = 1; ; attempt++) {
      const prepared = await prepareOnce(sql, options, rowsOf)
      if (prepared) options.within?.read(prepared.loaded)
      if (!prepared || options.within || prepared.loaded.length < 2 || attempt > 10) return prepared
      const { changes } = options
      if (changes && ofOneMoment.get(changes)?.()) return prepared
      const held = new Set((await changes?.pending())?.map(({ name }) => showName(name)))
      const others = prepared.loaded.filter(({ name }) => !isTemporary(name) && !held.has(showName(name)))
      if (others.length < 2 || (await tables.stillCurrent(others))) return prepared
    }
  }

  /** As `prepare`, and PIVOT finds its values. */
  async function prepareOrPivot(sql: string, options: Asking): Promise<Prepared | undefined> {
    const prepared = await prepare(sql, options)
    if (prepared || !/\bpivot/i.test(sql)) return prepared
    const rows = async (text: string) => (await collect(await self.query(text, partOf(options)))).rows
    const text = await withPivotValues(sql, rows)
    return text === undefined ? undefined : prepare(text, options)
  }

  async function prepareOnce(sql: string, options: Asking, rowsOf?: ChangedTable): Promise<Prepared | undefined> {
    const { within, changes = within?.changes } = options
    const asked = within?.tables ?? tables
    return prepareSelect(sql, {
      engine,
      io,
      files,
      manifests,
      analyses,
      columns,
      resolver: {
        load: (name) =>
          (options.readAs ?? (isTemporary(name) ? (options.scratch ?? changes ?? asked) : (changes ?? asked))).load(
            name,
          ),
        list: (catalog) => listAll(catalog, asked, changes),
        temporaries: async () => {
          const names = await temporaryTables(options, changes)
          const all = await Promise.all(names.map((name) => (options.scratch ?? changes)?.load(name)))
          return all.filter((one) => one !== undefined)
        },
      },
      catalog: options.catalog,
      catalogs: deps.environments.map(({ catalog }) => catalog),
      namespace: options.namespace,
      ...travelOf(options.asOf),
      rights: await rightsOf(options.principal, deps.access, (view) => {
        const made = changes && ownViews.get(changes)
        return made !== undefined && made.by === options.principal.id && made.views.has(view.metadata)
      }),
      logs: deps.logs,
      user: options.principal,
      postgres: options.door === 'pgwire',
      run: options.door === 'run',
      keysOf: deps.keysOf,
      sequences: deps.sequences,
      namespacesOf: deps.namespaces,
      namespaceOf: deps.namespace,
      log,
      signal: options.signal,
      timeZone: options.timeZone,
      prune: options.prune !== false,
      given: options.given,
      told: options.told,
      names: options,
      temporaryNamed: ({ catalog, namespace, name }) =>
        temporaryTable(
          [catalog, namespace, name].filter((part) => part !== undefined),
          options,
          changes,
        ),
      rowsOf,
    })
  }

  async function listAll(catalog: string, asked: Tables, changes: ChangeSet | undefined): Promise<Loaded[]> {
    const all = new Map((await asked.list(catalog)).map((pointer) => [showName(pointer.name), pointer]))
    for (const change of (await changes?.pending()) ?? []) {
      if (change.location === null) all.delete(showName(change.name))
      else all.set(showName(change.name), { name: change.name, kind: change.kind, location: change.location })
    }
    return Promise.all([...all.values()].map((pointer) => openWhatever(tables, pointer)))
  }

  async function openChanges({ catalog, principal, runId, environmentNamed, within }: OpenChanges): Promise<ChangeSet> {
    const id = await deps.publications.open({ catalog, runId })
    const views = new WeakSet<LoadedView['metadata']>()
    const opened = changeSet(id, catalog, {
      io,
      engine,
      tables: within?.tables ?? tables,
      current: tables,
      clock,
      publications: deps.publications,
      lakeRoot: deps.lakeRoot,
      spoolDir: deps.spoolDir,
      files,
      principal: principal.name,
      mayWrite: async (target, privileges, options) => {
        if (isTemporary(target)) return
        authoriseChange(await policyNow(), principal, privileges, target, {
          ...environmentOf(target.catalog, environmentNamed),
          ...options,
        })
      },
      ownsView: async (view) => {
        if (!isTemporary(view.name)) await deps.access?.owners.note(view.name, viewContent(view), principal)
        views.add(view.metadata)
      },
      prepare: async (sql, changes, options) => {
        const asking: Asking = {
          principal,
          catalog,
          changes,
          door: 'run',
          ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
          ...(options.signal ? { signal: options.signal } : {}),
          ...(options.timeZone === undefined ? {} : { timeZone: options.timeZone }),
          aliases: options.aliases,
          temporary: options.temporary,
          scratch: options.scratch,
          readAs: options.readAs,
          ...(options.told ? { told: options.told } : {}),
        }
        const prepared = options.pivots ? await prepareOrPivot(sql, asking) : await prepare(sql, asking, options.rowsOf)
        if (prepared) within?.read(prepared.loaded)
        if (!prepared) throw new Failure('SQL_INVALID', 'a SELECT is needed here')
        if (prepared.hides) hiding.add(changes)
        return prepared
      },
    })
    ownViews.set(opened, { by: principal.id, views })
    if (within) ofOneMoment.set(opened, within.isOneMoment ?? (() => true))
    return opened
  }

  const enter = async ({ principal, signal }: QueryOptions): Promise<Leave> => {
    const own = limitsOf(await policyNow(), principal)
    return admission.enter(principal, boundsOf(own, limits, principal).queries, signal)
  }

  const query: Opened['query'] = (sql, options) => self.query(sql, options)
  const opened: Opened = {
    deps,
    manifests,
    query,
    bind: (sql, options) => self.bind(sql, options),
    relations: (of, options) => self.relations(of, options),
    prepare,
    answer(prepared, options) {
      const { audit: _, ...silent } = deps
      return answerSelect(prepared, options, { sql: '', started: clock.now(), idle: undefined }, { ...silent, cache })
    },
    openChanges,
    listAll,
    policyNow,
    environmentOf,
    hiding,
  }
  const noteFailure = async (
    failure: Failure,
    sql: string,
    action: string,
    { principal, door, catalog, requestId }: QueryOptions,
    started: number,
  ) =>
    deps.audit?.({
      principal,
      door,
      catalog,
      sql,
      action,
      tables: [],
      rows: null,
      ms: clock.now() - started,
      cached: false,
      verdict: isRefusal(failure, principal) ? 'refused' : 'failed',
      failureCode: failure.code,
      requestId: requestId ?? null,
    })

  const self: Lake & { query: Opened['query'] } = {
    cache,
    async versions(sql, options) {
      const prepared = await prepare(sql, options)
      if (!prepared) throw new Failure('SQL_INVALID', 'only a SELECT reads versions')
      return { volatile: prepared.volatile || prepared.readsCatalog, read: prepared.loaded.map(versionOf) }
    },
    async changesOf(runId, { catalog, principal }) {
      const found = await deps.publications.find({ catalog, runId })
      return found === undefined ? undefined : openChanges({ catalog, principal, runId })
    },
    openChanges,
    openScratch(options, seen) {
      const now = () => seen()?.changes ?? seen()?.tables ?? tables
      const within = {
        isOneMoment: () => seen() !== undefined,
        tables: { ...tables, load: (name: TableName) => now().load(name) },
        read: (loaded: readonly Loaded[]) => seen()?.read(loaded),
      }
      return openChanges({ ...options, within })
    },
    begin: (options) =>
      beginTransaction(
        { tables, query, describe: self.describe, openChanges: (within) => openChanges({ ...options, within }) },
        options,
      ),
    async query(sql, options) {
      const started = clock.now()
      let leave: Leave | undefined
      try {
        if (!(options as Asking).isPart) leave = await enter(options)
        // Statements of ours may be written as DuckDB would not have them, so its parser is not asked first.
        const shown = showAsSelect(new Reader(sql), options.catalog)
        const prepared = isChange(sql) ? undefined : await prepareOrPivot(shown ?? sql, options)
        if (prepared) {
          const result = await answerSelect(prepared, options, { sql, started, idle: leave }, { ...deps, cache })
          return leave ? { ...result, chunks: ending(result.chunks, leave) } : result
        }
        const done = await runStatement(sql, options, started, opened)
        leave?.()
        return done
      } catch (error) {
        leave?.()
        const failure = failureOf(error, options.signal)
        if (failure.code === 'INTERNAL')
          log.error('query failed unexpectedly', {
            error: failure.message,
            stack: (failure.cause as Error | undefined)?.stack,
          })
        await noteFailure(failure, sql, 'query', options, started)
        throw failure
      }
    },
    numbers: (name, options) => numbersOf(name, options, opened),
    sequenceOf: (table, column, options) => sequenceOf(table, column, options, opened),
    async bindFiles(sql, signal) {
      const columns = await engine
        .bind({ class: 'write', sql, timeoutMs: 120_000, ...(signal ? { signal } : {}) })
        .catch(rethrowEngine)
      return columns.map((column) => ({ ...column, nullable: true }))
    },
    rowsOfFiles: (sql, signal) =>
      engine
        .rows({ class: 'write', sql, timeoutMs: 120_000, ...(signal ? { signal } : {}) })
        .catch(rethrowEngine) as Promise<unknown[][]>,
    relations: async (of, options) => relationsOf(of, options, await rightsOf(options.principal, deps.access), tables),
    async describe(sql, options) {
      const started = clock.now()
      try {
        if (isChange(sql)) return await describeChange(sql, options, opened)
        const prepared = await prepare(sql, options)
        if (!prepared) throw new Failure('SQL_INVALID', 'only a SELECT has columns')
        return { columns: await toldColumns(prepared, options.json), parameters: await prepared.parameterTypes() }
      } catch (error) {
        // What is only mistaken is told again when it runs.
        const failure = failureOf(error, options.signal)
        if (isRefusal(failure, options.principal)) await noteFailure(failure, sql, 'describe', options, started)
        throw error
      }
    },
    async outline(sql, options) {
      const prepared = await prepare(sql, options)
      if (!prepared) throw new Failure('SQL_INVALID', 'only a SELECT has columns')
      return outlineOf(prepared, engine, options.signal)
    },
    async bind(sql, options) {
      const prepared = await prepare(sql, options)
      if (!prepared) throw new Failure('SQL_INVALID', 'only a SELECT has columns')
      return (await prepared.columns()).map((column) => ({ ...column, nullable: true }))
    },
  }
  return self
}

function failureOf(error: unknown, signal: AbortSignal | undefined): Failure {
  if (error instanceof EngineFailure) return engineFailure(error)
  // Whoever asked may say with any error that nothing is wanted any more.
  return signal?.aborted && error === signal.reason
    ? new Failure('QUERY_CANCELLED', 'the query was cancelled', { cause: error })
    : asFailure(error)
}

/** To whom nothing is granted by default, a table that may not be known is one that is not there. */
const isRefusal = ({ code }: Failure, { role }: Principal): boolean =>
  code === 'FORBIDDEN' || code === 'SQL_REFUSED' || (code === 'TABLE_NOT_FOUND' && role === 'member')
