// Boathouse's own memory: catalog pointers, runs, users, logs. Two SQLite files in the state folder, or two sets of
// tables in one schema of a PostgreSQL; the rooms above see no difference.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Kysely, sql, type Transaction } from 'kysely'
import { type Clock, realClock } from '../base/clock.ts'
import { asFailure, Failure } from '../base/failure.ts'
import { newId } from '../base/ids.ts'
import { type Log, silentLog } from '../base/log.ts'
import type { Config } from '../config/index.ts'
import { type Migrated, migrateStore } from './migrate.ts'
import { type Migration, migrations as allMigrations } from './migrations.ts'
import { insideTransaction, SqliteDialect } from './sqlite.ts'
import type { CatalogTables, LogTables } from './tables.ts'

export type CatalogTransaction = Transaction<CatalogTables>

export type Records = {
  readonly kind: 'sqlite' | 'postgres'
  /** Names this store: written into the lake's owner marker. */
  readonly storeId: string
  readonly migrated: readonly Migrated[]
  /** Tables whose loss would lose data: pointers, publications, runs, users. */
  readonly catalog: Kysely<CatalogTables>
  /** Tables that grow: logs of runs, audit, queries. Not in one transaction with `catalog`. */
  readonly log: Kysely<LogTables>
  /**
   * Runs `work` in one transaction on `catalog`, as if no other were running. `work` may be called again after a
   * conflict (PostgreSQL), so it does nothing but queries on its argument. `flush: false`: if the machine (not the
   * process) fails before the next flushed transaction, this one may be lost, never one after it alone.
   */
  transaction<Value>(work: (trx: CatalogTransaction) => Promise<Value>, options?: { flush?: boolean }): Promise<Value>
  /** Really asks both stores. @throws Failure RECORDS_FAILED */
  check(): Promise<void>
  close(): Promise<void>
}

type Options = { clock?: Clock; log?: Log; migrations?: readonly Migration[] }
type Stores = {
  kind: Records['kind']
  catalog: Kysely<CatalogTables>
  log: Kysely<LogTables>
  files?: { catalog: string; log: string }
}

/**
 * Opens the records that the settings name, made or migrated to the newest layout.
 * @throws Failure RECORDS_FAILED when the store cannot be reached, RECORDS_NEWER when it is from a newer Boathouse
 */
export async function openRecords(
  config: Pick<Config, 'stateDir' | 'records'>,
  options: Options = {},
): Promise<Records> {
  const { clock = realClock, log = silentLog } = options
  const stores = config.records.url
    ? await openPostgres(config.records.url, config.records.schema, log)
    : openSqlite(config.stateDir, clock)
  return start(stores, options)
}

/** Records that live as long as the process: for tests. */
export function openMemoryRecords(options: Options = {}): Promise<Records> {
  const { clock = realClock } = options
  const open = <Tables>() => new Kysely<Tables>({ dialect: new SqliteDialect({ path: ':memory:', clock }) })
  return start({ kind: 'sqlite', catalog: open<CatalogTables>(), log: open<LogTables>() }, options)
}

function openSqlite(stateDir: string, clock: Clock): Stores {
  try {
    mkdirSync(stateDir, { recursive: true })
  } catch (error) {
    throw new Failure('RECORDS_FAILED', `the state folder ${stateDir} cannot be made: ${(error as Error).message}`, {
      cause: error,
    })
  }
  const files = { catalog: join(stateDir, 'catalog.db'), log: join(stateDir, 'log.db') }
  const open = <Tables>(path: string) => new Kysely<Tables>({ dialect: new SqliteDialect({ path, clock }) })
  return { kind: 'sqlite', catalog: open<CatalogTables>(files.catalog), log: open<LogTables>(files.log), files }
}

async function openPostgres(url: string, schema: string, log: Log): Promise<Stores> {
  // Read only where it is used: with SQLite its client would be a part of every start.
  const { openPool, RecordsPostgresDialect } = await import('./postgres.ts')
  const pool = openPool({ url, schema, log })
  const db = new Kysely<CatalogTables & LogTables>({ dialect: new RecordsPostgresDialect({ pool }) })
  try {
    const { rows } = await sql`select 1 from pg_namespace where nspname = ${schema}`.execute(db)
    if (rows.length === 0) await makeSchema(db, schema)
  } catch (error) {
    await db.destroy()
    throw error
  }
  return { kind: 'postgres', catalog: db as unknown as Kysely<CatalogTables>, log: db as unknown as Kysely<LogTables> }
}

/** `if not exists` is no lock: two processes that start together both try, and one is told that it exists. */
async function makeSchema(db: Kysely<CatalogTables & LogTables>, schema: string): Promise<void> {
  try {
    await sql`create schema if not exists ${sql.id(schema)}`.execute(db)
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
  }
}

async function start(
  stores: Stores,
  { clock = realClock, log = silentLog, migrations = allMigrations }: Options,
): Promise<Records> {
  const { kind, files } = stores
  const close = async () => {
    await stores.catalog.destroy()
    if (kind === 'sqlite') await stores.log.destroy()
  }
  try {
    const migrated: Migrated[] = []
    for (const store of ['catalog', 'log'] as const) {
      const one = await migrateStore(stores[store] as unknown as Kysely<unknown>, {
        kind,
        store,
        migrations,
        clock,
        file: files?.[store],
      })
      if (one.from !== one.to) log.info('records migrated', one)
      migrated.push(one)
    }
    const storeId = await readStoreId(stores.catalog, clock)
    const transaction: Records['transaction'] = (work, { flush = true } = {}) =>
      insideTransaction(() => runTransaction(stores, clock, work), flush)
    return {
      kind,
      storeId,
      migrated,
      catalog: stores.catalog,
      log: stores.log,
      transaction,
      check: () => check(stores),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function readStoreId(db: Kysely<CatalogTables>, clock: Clock): Promise<string> {
  const row = { key: 'store_id', value: newId(clock.now()) }
  await db
    .insertInto('settings')
    .values(row)
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute()
  return (await db.selectFrom('settings').select('value').where('key', '=', row.key).executeTakeFirstOrThrow()).value
}

const [attemptsMax, waitMsMax] = [20, 100]

async function runTransaction<Value>(
  stores: Stores,
  clock: Clock,
  work: (trx: CatalogTransaction) => Promise<Value>,
): Promise<Value> {
  if (stores.kind === 'sqlite') return stores.catalog.transaction().execute(work)
  for (let attempt = 1; ; attempt++) {
    try {
      return await stores.catalog.transaction().setIsolationLevel('serializable').execute(work)
    } catch (error) {
      if (!isSerializationConflict(error)) throw error
      if (attempt === attemptsMax)
        throw new Failure('RECORDS_FAILED', `other writers came first ${attemptsMax} times`, { cause: error })
    }
    await clock.sleep(clock.random() * waitMsMax)
  }
}

/** PostgreSQL: serialization_failure, deadlock_detected. */
const isSerializationConflict = (error: unknown) =>
  ['40001', '40P01'].includes(String((error as { code?: unknown }).code))

/** True when an insert or update broke a primary key or unique index, on either store. */
export function isUniqueViolation(error: unknown): boolean {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown }
  // SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE; PostgreSQL's unique_violation.
  return errcode === 1555 || errcode === 2067 || code === '23505'
}

async function check({ catalog, log }: Stores): Promise<void> {
  try {
    await catalog.selectFrom('settings').select('key').limit(1).execute()
    await log.selectFrom('audit').select('id').limit(1).execute()
  } catch (error) {
    const failure = asFailure(error)
    throw failure.code === 'RECORDS_FAILED' ? failure : new Failure('RECORDS_FAILED', failure.message, { cause: error })
  }
}
