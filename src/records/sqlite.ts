// A Kysely dialect over node:sqlite: one connection per file, handed to one user at a time.
//
// SQLite waits for another process's lock by sleeping inside the call, and node:sqlite calls on our event loop. So
// the wait inside is short, and the long wait is ours, between attempts, with jitter. Transactions begin IMMEDIATE:
// a transaction that reads first and writes later could otherwise fail halfway with nothing to wait for.

import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import {
  CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { AsyncLocalStorage } from 'node:async_hooks'
import { Bug } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import { Failure } from '../base/failure.ts'

const [busyMsInside, busyMsTotal, waitMsMax, statementsMax] = [5, 10_000, 50, 200]

export type SqliteOptions = { path: string; clock: Clock }

export class SqliteDialect implements Dialect {
  readonly #options: SqliteOptions
  constructor(options: SqliteOptions) {
    this.#options = options
  }
  createDriver(): Driver {
    return new SqliteDriver(this.#options)
  }
  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler()
  }
  createAdapter(): DialectAdapter {
    return new SharedAdapter()
  }
  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new SqliteIntrospector(db)
  }
}

/** Kysely would put its own lock around the driver; ours also notices who waits for itself. */
class SharedAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

/** Opens a file as every part of Boathouse must see it. */
export function openSqliteFile(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyMsInside, enableForeignKeyConstraints: true })
  database.exec('pragma journal_mode = wal; pragma synchronous = full')
  return database
}

/** The transaction that the running code is inside of, while it lasts. */
const inside = new AsyncLocalStorage<{ active: boolean; flushed: boolean }>()

class SqliteDriver implements Driver {
  readonly #options: SqliteOptions
  #connection: SqliteConnection | undefined
  #last: Promise<void> = Promise.resolve()
  #release: (() => void) | undefined
  #owner: { active: boolean } | undefined

  constructor(options: SqliteOptions) {
    this.#options = options
  }

  async init(): Promise<void> {
    const { path, clock } = this.#options
    const database = await retried(clock, () => openSqliteFile(path), path)
    this.#connection = new SqliteConnection(database, clock, path)
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    // Inside a transaction every query must go through it: waiting for the connection here would wait for ever.
    const held = inside.getStore()
    if (held?.active && held === this.#owner)
      throw new Bug('a query inside a transaction must use the transaction, not the store')
    const before = this.#last
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last = before.then(() => promise)
    await before
    this.#release = resolve
    this.#owner = undefined
    return this.#connection!
  }

  async releaseConnection(): Promise<void> {
    this.#connection!.flushes = true
    this.#owner = undefined
    this.#release?.()
  }

  async beginTransaction(): Promise<void> {
    this.#connection!.flushes = inside.getStore()?.flushed !== false
    await this.#run('begin immediate')
    this.#owner = inside.getStore()
  }
  async commitTransaction(): Promise<void> {
    await this.#run('commit')
  }
  async rollbackTransaction(): Promise<void> {
    // SQLite ends the transaction itself after some errors (a full disk); a second end would hide the first error.
    if (this.#connection!.inTransaction) await this.#run('rollback')
  }
  async savepoint(_: DatabaseConnection, name: string): Promise<void> {
    await this.#run(`savepoint "${name}"`)
  }
  async rollbackToSavepoint(_: DatabaseConnection, name: string): Promise<void> {
    await this.#run(`rollback to "${name}"`)
  }
  async releaseSavepoint(_: DatabaseConnection, name: string): Promise<void> {
    await this.#run(`release "${name}"`)
  }
  async destroy(): Promise<void> {
    this.#connection?.close()
  }
  async #run(sql: string): Promise<void> {
    await this.#connection!.executeQuery(CompiledQuery.raw(sql))
  }
}

/** Runs `work` so that a query which would wait for the transaction around it is told so instead. */
export async function insideTransaction<Value>(work: () => Promise<Value>, flushed: boolean): Promise<Value> {
  if (inside.getStore()?.active) throw new Bug('a transaction inside a transaction')
  const token = { active: true, flushed }
  try {
    return await inside.run(token, work)
  } finally {
    token.active = false
  }
}

/** To ask for its columns each time costs as much as to run it. */
type Statement = { statement: StatementSync; hasRows: boolean }

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync
  readonly #clock: Clock
  readonly #path: string
  readonly #statements = new Map<string, Statement>()
  #flushes = true

  constructor(database: DatabaseSync, clock: Clock, path: string) {
    this.#database = database
    this.#clock = clock
    this.#path = path
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction
  }

  /** Whether a commit waits for the disk. One that does takes all before it along: they are in one log. */
  set flushes(flushes: boolean) {
    if (flushes === this.#flushes) return
    // Not as a kept statement: SQLite obeys this pragma when it is prepared, not when it runs.
    this.#database.exec(`pragma synchronous = ${flushes ? 'full' : 'normal'}`)
    this.#flushes = flushes
  }

  executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    return retried(this.#clock, () => this.#execute<Row>(sql, parameters as SQLInputValue[]), this.#path)
  }

  async *streamQuery<Row>(
    { sql, parameters }: CompiledQuery,
    chunkSize: number,
  ): AsyncIterableIterator<QueryResult<Row>> {
    // Its own statement: a cached one could be started again while these rows are still being read.
    const rows = this.#database.prepare(sql).iterate(...(parameters as SQLInputValue[]))
    for (let chunk = rows.take(chunkSize).toArray(); chunk.length > 0; chunk = rows.take(chunkSize).toArray())
      yield { rows: chunk as Row[] }
  }

  #execute<Row>(sql: string, parameters: SQLInputValue[]): QueryResult<Row> {
    const { statement, hasRows } = this.#prepare(sql)
    if (hasRows) {
      const rows = statement.all(...parameters) as Row[]
      return { rows, ...(/^\s*(insert|update|delete)/i.test(sql) ? { numAffectedRows: BigInt(rows.length) } : {}) }
    }
    const { changes, lastInsertRowid } = statement.run(...parameters)
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
  }

  #prepare(sql: string): Statement {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.#database.prepare(sql)
    const made = { statement, hasRows: statement.columns().length > 0 }
    const oldest = this.#statements.size >= statementsMax ? this.#statements.keys().next().value : undefined
    if (oldest !== undefined) this.#statements.delete(oldest)
    this.#statements.set(sql, made)
    return made
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }
}

async function retried<Value>(clock: Clock, work: () => Value, path: string): Promise<Value> {
  for (let waited = 0; ;) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error)) throw translated(error, path)
      if (waited >= busyMsTotal)
        throw new Failure('RECORDS_FAILED', `another process has held ${path} locked for ${busyMsTotal / 1_000} s`, {
          cause: error,
        })
    }
    const waitMs = 1 + clock.random() * waitMsMax
    await clock.sleep(waitMs)
    waited += waitMs + busyMsInside
  }
}

/** SQLite's primary result code is the low byte of `errcode`: https://www.sqlite.org/rescode.html */
const primaryCode = (error: unknown): number | undefined => {
  const code = (error as { errcode?: unknown } | undefined)?.errcode
  return typeof code === 'number' ? code & 0xff : undefined
}
const isBusy = (error: unknown) => primaryCode(error) === 5 || primaryCode(error) === 6

const diskFull = 13
const worldsFault: Record<number, string> = {
  3: 'may not be accessed',
  8: 'is read-only',
  10: 'had a disk error, which a full disk can be',
  11: 'is damaged; restore it from a backup',
  [diskFull]: 'cannot grow: the disk is full',
  14: 'cannot be opened',
  26: 'is not a SQLite database',
}

function translated(error: unknown, path: string): unknown {
  const says = worldsFault[primaryCode(error) ?? -1]
  if (!says) return error
  const hint =
    primaryCode(error) === diskFull ? { hint: 'Make room on that disk. What was written before is there.' } : {}
  return new Failure('RECORDS_FAILED', `${path} ${says} (${(error as Error).message})`, { cause: error, ...hint })
}
