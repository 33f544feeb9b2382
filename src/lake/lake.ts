// The one door to the data. Every SQL statement of a person, a page or a part of Boathouse comes through `query`,
// every change of tables through a change set; names, rights, limits and the record of what happened are settled here.

import { createHash } from 'node:crypto'
import { Failure, asFailure, type Place } from '../base/failure.ts'
import type { Clock } from '../base/clock.ts'
import { silentLog, type Log } from '../base/log.ts'
import { showName, type Loaded, type Publications, type TableName, type Tables } from '../catalog/index.ts'
import type { Column } from '../contract/index.ts'
import { EngineFailure, type Chunk, type Engine, type HostClass } from '../engine/index.ts'
import { authorise, authoriseTable, emptyPolicy, mayKnow, seesAll, type Principal } from '../govern/index.ts'
import { manifestCache } from '../iceberg/index.ts'
import { localPath, type FileIO } from '../io/index.ts'
import { withoutValues } from './guard.ts'
import type { SystemLogs } from './system-tables.ts'
import { authoriseChange, authoriseProperties, rightsOf, viewContent, watchRights, type AccessDeps } from './rights.ts'
import { ResultCache, type CacheFolder } from './cache.ts'
import { Admission, type Leave, type PrincipalLimits } from './admission.ts'
import type { ChangeSet } from './change-set.ts'
import { changeSet } from './changes.ts'
import { AnalysisCache } from './analyses.ts'
import { engineFailure, rethrowEngine } from './engine-failure.ts'
import { travelOf } from './as-of.ts'
import type { KeysOf } from './pg-catalog/index.ts'
import { prepareSelect, type Files, type Prepared } from './prepare.ts'
import { isCommand, runCommand, type CommandContext, type Commanded, type CommandParts } from './commands.ts'
import { located, perform, type PerformContext } from './perform.ts'
import { missing, resolveName, targetName } from './names.ts'
import { isChange, parseStatement, type Statement } from './sql/statement.ts'
import { showAsSelect } from './sql/command.ts'
import { Reader } from './sql/reader.ts'
import { withPivotValues } from './sql/pivot.ts'
import { placeAt, splitStatements } from './sql/tokens.ts'
import { beginTransaction, type Transaction, type TransactionOptions, type Within } from './transaction.ts'

export type Door = 'cli' | 'http' | 'dashboard' | 'run' | 'doctor' | 'pgwire'

export type QueryOptions = {
  principal: Principal
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
  rowsMax?: number
  signal?: AbortSignal
  /** False: never from the result cache. */
  cache?: boolean
  /** False: read every file. For the tests that hold pruning to the truth, and for finding out whether it is to blame. */
  prune?: boolean
  /** The environment was named with --env or BOATHOUSE_ENV: protected ones may then be written. */
  environmentNamed?: boolean
  requestId?: string
  /** Rows as the PostgreSQL protocol has them: `bytes` of each chunk. See `EngineRequest`. */
  formats?: readonly number[]
}

/** `within`: the transaction that the statement is part of. `isPart`: it is part of one that was admitted. */
type Asking = QueryOptions & { within?: Within; isPart?: true }

export type QueryResult = {
  /** What was done, as SQL clients are told: `SELECT`, `INSERT`, `CREATE TABLE`, `BEGIN`. */
  command: string
  columns: Column[]
  chunks: AsyncIterable<Chunk>
  provenance: Prepared['provenance']
  cached: { hit: boolean; ageMs: number }
  /** Whether `rowsMax` cut the result; known when the chunks were read. */
  truncated(): boolean
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
  /** As `bind`, with the engine's types of `$1`, `$2` …: `UNKNOWN` where the statement does not say. */
  describe(sql: string, options: QueryOptions): Promise<{ columns: Column[]; parameters: string[] }>
  /** Columns of ingestion's own SQL over files of the spool. Not for SQL that people wrote. */
  bindFiles(sql: string, signal?: AbortSignal): Promise<Column[]>
  /** The open change set of `runId`, or a new one. */
  openChanges(options: {
    catalog: string
    principal: Principal
    runId?: string
    environmentNamed?: boolean
  }): Promise<ChangeSet>
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
  createNamespace(catalog: string, namespace: string): Promise<boolean>
  dropNamespace(catalog: string, namespace: string): Promise<boolean>
  audit?(entry: AuditEntry): Promise<void>
  /** Keys of tables that the project's tests hold true; `pg_catalog` shows them. */
  keysOf?: KeysOf
  /** Grants, row filters and masks; without it the built-in roles alone decide. */
  access?: AccessDeps
  /** What `system.audit` and `system.queries` show. */
  logs?: SystemLogs
  log?: Log
}

const onThisDisk: Files = {
  lease: async () => ({ pathOf: localPath, release() {} }),
  keep: async () => {},
}

/** Above this many bytes of files a query goes to the hosts for long ones. */
const heavyBytes = 512 * 2 ** 20

export function openLake(deps: LakeDeps): Lake {
  const { engine, io, tables, clock, limits, files = onThisDisk } = deps
  const log = deps.log ?? silentLog
  const manifests = manifestCache({ bytesMax: limits.manifestBytes })
  const admission = new Admission(limits.perPrincipal)
  const cache = new ResultCache(limits.cacheBytes, deps.results, log)
  const analyses = new AnalysisCache()

  /** Change sets with a SELECT of which something is hidden from the asker. */
  const hiding = new WeakSet<ChangeSet>()
  const policyNow = async () => (await deps.access?.access.policy()) ?? emptyPolicy
  const environmentOf = (catalog: string, named = false) => {
    const found = deps.environments.find((one) => one.catalog.toLowerCase() === catalog.toLowerCase())
    return found ? { environment: { name: found.name, protected: found.protected, named } } : {}
  }

  /**
   * Tables are loaded one after the other, and somebody may publish in between. So when several were loaded, they are
   * looked at together once more, and all is done again unless they were current together: a reader sees whole
   * publications only.
   */
  async function prepare(sql: string, options: Asking, rowsOf?: TableName): Promise<Prepared | undefined> {
    for (let attempt = 1; ; attempt++) {
      const prepared = await prepareOnce(sql, options, rowsOf)
      if (prepared) options.within?.read(prepared.loaded)
      if (!prepared || options.changes || options.within || prepared.loaded.length < 2 || attempt > 10) return prepared
      if (await tables.stillCurrent(prepared.loaded)) return prepared
    }
  }

  async function prepareOnce(sql: string, options: Asking, rowsOf?: TableName): Promise<Prepared | undefined> {
    const { within, changes = within?.changes } = options
    const asked = within?.tables ?? tables
    return prepareSelect(sql, {
      engine,
      io,
      files,
      manifests,
      analyses,
      resolver: {
        load: (name) => (changes ? changes.load(name) : asked.load(name)),
        list: (catalog) => listAll(catalog, asked, changes),
      },
      catalog: options.catalog,
      catalogs: deps.environments.map(({ catalog }) => catalog),
      namespace: options.namespace,
      ...travelOf(options.asOf),
      rights: await rightsOf(options.principal, deps.access),
      logs: deps.logs,
      user: options.principal,
      postgres: options.door === 'pgwire',
      keysOf: deps.keysOf,
      log,
      signal: options.signal,
      prune: options.prune !== false,
      rowsOf,
    })
  }

  async function listAll(catalog: string, asked: Tables, changes: ChangeSet | undefined): Promise<Loaded[]> {
    const all = new Map((await asked.list(catalog)).map((pointer) => [showName(pointer.name), pointer]))
    for (const change of (await changes?.pending()) ?? []) {
      if (change.location === null) all.delete(showName(change.name))
      else all.set(showName(change.name), { name: change.name, kind: change.kind, location: change.location })
    }
    return Promise.all([...all.values()].map((pointer) => tables.open(pointer)))
  }

  async function select(prepared: Prepared, options: Asking, started: number, sql: string): Promise<QueryResult> {
    const { principal, catalog, door } = options
    const rowsMax = Math.min(options.rowsMax ?? limits.queryRowsMax, limits.queryRowsMax)
    const isPlain = options.cache !== false && !options.formats
    const cacheable = isPlain && !options.changes && !options.within?.changes && !prepared.volatile
    const key = cacheable
      ? createHash('sha256')
          .update(JSON.stringify([prepared.identity, catalog, rowsMax, deps.resultsStamp ?? '']))
          .digest('hex')
      : ''
    const note = (entry: Pick<AuditEntry, 'rows' | 'verdict' | 'failureCode' | 'cached'>) =>
      deps.audit?.({
        principal,
        door,
        catalog,
        sql,
        action: 'select',
        tables: Object.keys(prepared.read),
        snapshots: prepared.read,
        ms: clock.now() - started,
        requestId: options.requestId ?? null,
        ...entry,
      })

    const known = cacheable ? await cache.get(key) : undefined
    if (known) {
      const rows = known.chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0)
      return {
        command: 'SELECT',
        columns: known.columns,
        provenance: prepared.provenance,
        cached: { hit: true, ageMs: Math.max(0, clock.now() - known.madeAtMs) },
        truncated: () => known.truncated,
        chunks: (async function* () {
          yield* known.chunks
          await note({ rows, cached: true, verdict: 'allowed', failureCode: null })
        })(),
      }
    }

    const { sql: text, bytes, lease } = await prepared.execute()
    const hosts: HostClass = door === 'run' ? 'write' : bytes > heavyBytes ? 'heavy' : 'interactive'
    const result = await engine
      .run({
        class: hosts,
        sql: text,
        rowsMax,
        ...(options.formats ? { formats: options.formats } : {}),
        timeoutMs: options.timeoutMs ?? limits.queryTimeoutMs,
        ...(options.signal ? { signal: options.signal } : {}),
      })
      .catch((error: unknown) => {
        lease.release()
        return rethrowEngine(prepared.hides ? withoutValues(error) : error)
      })
    const columns = result.columns.map((column) => ({ ...column, nullable: true }))
    const madeAtMs = clock.now()
    return {
      command: 'SELECT',
      columns,
      provenance: prepared.provenance,
      cached: { hit: false, ageMs: 0 },
      truncated: result.truncated,
      chunks: (async function* () {
        let rows = 0
        let bytes = 0
        const kept: Chunk[] = []
        let failure: Failure | undefined
        const stillMay = watchRights(prepared.rights, prepared.direct, () => rightsOf(principal, deps.access), clock)
        try {
          for await (const chunk of result.chunks) {
            await stillMay()
            rows += chunk.rowCount
            bytes += chunk.json.length * 2
            admission.checkBytes(principal, bytes / 2)
            if (cacheable && bytes <= cache.entryBytesMax) kept.push(chunk)
            yield chunk
          }
          if (cacheable && bytes <= cache.entryBytesMax)
            cache.put(key, { columns, chunks: kept, truncated: result.truncated(), madeAtMs }, clock.now() - started)
        } catch (thrown) {
          const error = prepared.hides ? withoutValues(thrown) : thrown
          failure = error instanceof EngineFailure ? engineFailure(error) : asFailure(error)
          throw failure
        } finally {
          lease.release()
          await note({
            rows,
            cached: false,
            verdict: failure ? 'failed' : 'allowed',
            failureCode: failure?.code ?? null,
          })
        }
      })(),
    }
  }

  async function change(sql: string, options: Asking, started: number): Promise<QueryResult> {
    const [only, second] = splitStatements(sql)
    if (!only) throw new Failure('SQL_INVALID', 'there is no statement in this text')
    if (second)
      throw new Failure('SQL_UNSUPPORTED', 'one statement is run at a time', { place: placeAt(sql, second.start) })
    const statement = parseStatement(only.sql)
    if (!statement) {
      const word = /^\w+/.exec(only.sql)?.[0].toUpperCase() ?? only.sql.slice(0, 10)
      throw new Failure('SQL_UNSUPPORTED', `${word} is not a statement that can be run here`, {
        place: placeAt(sql, only.start),
      })
    }
    const at = (index: number) => placeAt(sql, only.start + index)
    const done = isCommand(statement)
      ? await runCommand(statement, commanding(options, at))
      : await changeRows(statement, only.sql, options, at)
    await deps.audit?.({
      principal: options.principal,
      door: options.door,
      catalog: options.catalog,
      sql,
      action: statement.kind,
      tables: done.tables.map(showName),
      rows: done.count,
      ms: clock.now() - started,
      cached: false,
      verdict: 'allowed',
      failureCode: null,
      requestId: options.requestId ?? null,
    })
    return {
      command: done.command,
      columns: done.columns,
      chunks: (async function* () {
        yield { rowCount: done.rows.length, json: JSON.stringify(done.rows) }
      })(),
      provenance: { tables: [], views: [] },
      cached: { hit: false, ageMs: 0 },
      truncated: () => false,
    }
  }

  async function changeRows(
    statement: Statement,
    written: string,
    options: Asking,
    at: (index: number) => Place,
  ): Promise<Commanded> {
    const target = targetName(statement, options)
    const named = async (error: unknown): Promise<never> => {
      if (!isMissing(error, target)) throw error
      const tried = options.changes ?? options.within?.changes
      throw await missing(target, at(written.indexOf(statement.name.at(-1)!)), {
        catalog: options.catalog,
        resolver: {
          load: async () => undefined,
          list: (catalog) => listAll(catalog, options.within?.tables ?? tables, tried),
        },
        rights: await rightsOf(options.principal, deps.access),
      })
    }
    await mayBegin(statement, target, options, at).catch(named)
    const count = await changing(target.catalog, options, at, async (changes) => {
      const done = await perform(statement, target, performing(changes, options, at)).catch((error: unknown) => {
        throw hiding.has(changes) ? withoutValues(error) : error
      })
      return { done: done.rows, changed: done.changed }
    }).catch(named)
    const columns = [{ name: 'rows', type: 'BIGINT', nullable: false }]
    return { command: commandOf(statement), columns, rows: [[count]], tables: [target], count }
  }

  /** Before anything is looked up: whether something is there is not for everybody to know. */
  async function mayBegin(
    statement: Statement,
    target: TableName,
    asking: Asking,
    at: (index: number) => Place,
  ): Promise<void> {
    const { principal } = asking
    const policy = await policyNow()
    if (statement.kind === 'create-table') authoriseProperties(policy, principal, statement.clauses.properties, target)
    if (statement.kind === 'alter')
      for (const change of statement.changes)
        if (change.kind === 'properties') authoriseProperties(policy, principal, change.set, target)
    if (statement.kind === 'create-table' || statement.kind === 'create-view')
      authoriseChange(
        policy,
        principal,
        ['create'],
        target,
        environmentOf(target.catalog, isNamed(target.catalog, asking)),
      )
    else if (
      statement.kind !== 'create-schema' &&
      statement.kind !== 'drop-schema' &&
      !mayKnow(policy, principal, target)
    )
      throw new Failure('TABLE_NOT_FOUND', `there is no table ${showName(target)}`, { place: at(0) })
  }

  /** Work in the change set of a run or transaction; else in one of its own, which is published after it. */
  async function changing<Done>(
    catalog: string,
    options: Asking,
    at: (index: number) => Place,
    work: (changes: ChangeSet) => Promise<{ done: Done; changed: boolean }>,
  ): Promise<Done> {
    const { within } = options
    const isOwn = !options.changes && !within
    const changes =
      options.changes ??
      (await (within?.open() ?? openChanges({ ...options, catalog, environmentNamed: isNamed(catalog, options) })))
    if (catalog.toLowerCase() !== changes.catalog.toLowerCase())
      throw new Failure('SQL_UNSUPPORTED', `${catalog} is another environment than the one that is being changed`, {
        hint: 'A transaction writes one environment: take another transaction for the other.',
        place: at(0),
      })
    if (!isOwn) return (await work(changes)).done
    try {
      const { done, changed } = await work(changes)
      await (changed ? changes.publish() : changes.discard())
      return done
    } catch (error) {
      await changes.discard()
      throw error
    }
  }

  /** What a statement about the lake needs. */
  function commanding(options: Asking, at: (index: number) => Place): CommandContext {
    const { principal, catalog, signal, within } = options
    const { formats: _, ...plain } = options
    const asking: Asking = { ...plain, cache: false, isPart: true }
    const load = (name: TableName) => (options.changes ?? within?.changes ?? within?.tables ?? tables).load(name)
    const maySeeAll = async (names: readonly TableName[]) => {
      const rights = await rightsOf(principal, deps.access)
      const hidden = names.find((name) => !seesAll(rights.select(name)))
      if (hidden) throw new Failure('FORBIDDEN', `${principal.name} does not see all of ${showName(hidden)}`)
    }
    return {
      maintenance: deps.maintenance,
      grants: deps.grants,
      register: deps.register,
      copyDirectories: deps.copyDirectories,
      engine,
      io,
      principal,
      catalog,
      signal,
      at,
      isWithin: within !== undefined || options.changes !== undefined,
      timeoutMs: options.timeoutMs ?? limits.queryTimeoutMs,
      nowMs: clock.now(),
      resolve: (name) => resolveName(name, options),
      loadWhole: async (name) => {
        await maySeeAll([name])
        return load(name)
      },
      maySeeAll: (loaded) => maySeeAll(loaded.map(({ name }) => name)),
      mayMaintain: async (name) => {
        authoriseChange(await policyNow(), principal, ['maintain'], name, {
          ...environmentOf(name.catalog, isNamed(name.catalog, options)),
          whole: true,
        })
      },
      mayUseFiles: () => authorise(principal, 'create', { kind: 'source', name: 'of files outside of the lake' }),
      evaluate: async (text) =>
        located(text, at, (async () => (await collect(await self.query(text.sql, asking))).rows)()),
      prepare: async (text) => {
        const prepared = await prepare(text, asking)
        if (!prepared) throw new Failure('SQL_INVALID', 'a SELECT is needed here', { place: at(0) })
        return prepared
      },
      changing: (target, work) =>
        changing(target, options, at, async (changes) => {
          const done = await work(changes)
          return { done, changed: (await changes.pending()).length > 0 }
        }),
    }
  }

  /** What a statement needs to be carried out in these changes. */
  function performing(changes: ChangeSet, options: Asking, at: (index: number) => Place): PerformContext {
    const { namespace, signal, timeoutMs, principal } = options
    const { formats: _, ...plain } = options
    const asking: Asking = { ...plain, changes, cache: false, isPart: true }
    const guarded =
      (action: 'create' | 'drop', work: typeof deps.createNamespace) => async (catalog: string, name: string) => {
        const { environment } = environmentOf(catalog, isNamed(catalog, options))
        authoriseTable(await policyNow(), principal, action, { catalog, namespace: name }, environment)
        return work(catalog, name)
      }
    return {
      changes,
      at,
      options: {
        ...(namespace === undefined ? {} : { namespace }),
        ...(signal ? { signal } : {}),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      },
      resolve: (name) => resolveName(name, options),
      bind: (sql) => self.bind(sql, asking),
      rows: async (sql) => (await collect(await self.query(sql, asking))).rows,
      createNamespace: guarded('create', deps.createNamespace),
      dropNamespace: guarded('drop', deps.dropNamespace),
    }
  }

  async function openChanges({
    catalog,
    principal,
    runId,
    environmentNamed,
    within,
  }: {
    catalog: string
    principal: Principal
    runId?: string
    environmentNamed?: boolean
    within?: Pick<Within, 'tables' | 'read'>
  }): Promise<ChangeSet> {
    const id = await deps.publications.open({ catalog, runId })
    return changeSet(id, catalog, {
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
      mayWrite: async (target, privileges, options) =>
        authoriseChange(await policyNow(), principal, privileges, target, {
          ...environmentOf(target.catalog, environmentNamed),
          ...options,
        }),
      ownsView: async (view) => deps.access?.owners.note(view.name, viewContent(view), principal),
      prepare: async (sql, changes, options) => {
        const asking: QueryOptions = {
          principal,
          catalog,
          changes,
          door: 'run',
          ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
          ...(options.signal ? { signal: options.signal } : {}),
        }
        const prepared = await prepare(sql, asking, options.rowsOf)
        if (prepared) within?.read(prepared.loaded)
        if (!prepared) throw new Failure('SQL_INVALID', 'a SELECT is needed here')
        if (prepared.hides) hiding.add(changes)
        return prepared
      },
    })
  }

  const run = async (sql: string, options: Asking): Promise<QueryResult> => self.query(sql, options)
  const self: Lake & { query(sql: string, options: Asking): Promise<QueryResult> } = {
    cache,
    openChanges,
    begin: (options) =>
      beginTransaction({ tables, query: run, openChanges: (within) => openChanges({ ...options, within }) }, options),
    async query(sql, options) {
      const started = clock.now()
      let leave: Leave | undefined
      try {
        if (!(options as Asking).isPart) leave = await admission.enter(options.principal, options.signal)
        // Statements of ours may be written as DuckDB would not have them, so its parser is not asked first.
        const shown = showAsSelect(new Reader(sql), options.catalog)
        let prepared = isChange(sql) ? undefined : await prepare(shown ?? sql, options)
        if (!prepared && /\bpivot/i.test(sql) && !isChange(sql)) {
          const { formats: _, ...plain } = options
          const rows = async (text: string) => (await collect(await self.query(text, { ...plain, isPart: true }))).rows
          const text = await withPivotValues(sql, rows)
          if (text !== undefined) prepared = await prepare(text, options)
        }
        if (prepared) {
          const result = await select(prepared, options, started, sql)
          return leave ? { ...result, chunks: andThen(result.chunks, leave) } : result
        }
        const done = await change(sql, options, started)
        leave?.()
        return done
      } catch (error) {
        leave?.()
        const failure = error instanceof EngineFailure ? engineFailure(error) : asFailure(error)
        if (failure.code === 'INTERNAL')
          log.error('query failed unexpectedly', {
            error: failure.message,
            stack: (failure.cause as Error | undefined)?.stack,
          })
        await deps.audit?.({
          principal: options.principal,
          door: options.door,
          catalog: options.catalog,
          sql,
          action: 'query',
          tables: [],
          rows: null,
          ms: clock.now() - started,
          cached: false,
          verdict: isRefusal(failure, options.principal) ? 'refused' : 'failed',
          failureCode: failure.code,
          requestId: options.requestId ?? null,
        })
        throw failure
      }
    },
    async bindFiles(sql, signal) {
      const columns = await engine
        .bind({ class: 'write', sql, timeoutMs: 120_000, ...(signal ? { signal } : {}) })
        .catch(rethrowEngine)
      return columns.map((column) => ({ ...column, nullable: true }))
    },
    async describe(sql, options) {
      const prepared = await prepare(sql, options)
      if (!prepared) throw new Failure('SQL_INVALID', 'only a SELECT has columns')
      const columns = (await prepared.columns()).map((column) => ({ ...column, nullable: true }))
      return { columns, parameters: await prepared.parameterTypes() }
    },
    async bind(sql, options) {
      const prepared = await prepare(sql, options)
      if (!prepared) throw new Failure('SQL_INVALID', 'only a SELECT has columns')
      return (await prepared.columns()).map((column) => ({ ...column, nullable: true }))
    },
  }
  return self
}

async function* andThen<Item>(items: AsyncIterable<Item>, then: () => void): AsyncGenerator<Item> {
  try {
    yield* items
  } finally {
    then()
  }
}

/** To whom nothing is granted by default, a table that may not be known is one that is not there. */
const isRefusal = ({ code }: Failure, { role }: Principal): boolean =>
  code === 'FORBIDDEN' || code === 'SQL_REFUSED' || (code === 'TABLE_NOT_FOUND' && role === 'member')

/** All rows, parsed. For results that are known to be small. */
export async function collect(result: QueryResult): Promise<{ columns: Column[]; rows: unknown[][] }> {
  const rows: unknown[][] = []
  for await (const chunk of result.chunks) rows.push(...(JSON.parse(chunk.json) as unknown[][]))
  return { columns: result.columns, rows }
}

/** Whoever names one environment has not named another whose tables the statement writes. */
const isNamed = (catalog: string, { catalog: here, environmentNamed = false }: Asking): boolean =>
  environmentNamed && catalog.toLowerCase() === here.toLowerCase()

/** That the statement's own table is not there, as it is told before anybody has looked for what was meant. */
const isMissing = (error: unknown, target: TableName): boolean =>
  error instanceof Failure &&
  error.code === 'TABLE_NOT_FOUND' &&
  error.context.suggestions === undefined &&
  error.message.includes(showName(target))

/** As SQL clients are told what was done. */
const commandOf = (statement: Statement): string =>
  statement.kind === 'drop' ? `DROP ${statement.what.toUpperCase()}` : statement.kind.toUpperCase().replace('-', ' ')
