// Brings one store to the newest layout: all missing migrations in one transaction, under a lock that other
// processes starting at the same moment wait for. Whoever loses the race finds nothing left to do.

import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { CompiledQuery, type Kysely, sql, type Transaction } from 'kysely'
import type { Clock } from '../base/clock.ts'
import { Failure } from '../base/failure.ts'
import { dialectSql, type Migration } from './migrations.ts'

export type Store = 'catalog' | 'log'
export type Migrated = { store: Store; from: number; to: number; backup: string | undefined }

type Options = {
  kind: 'sqlite' | 'postgres'
  store: Store
  migrations: readonly Migration[]
  clock: Clock
  /** The SQLite file, copied before an existing store is changed; undefined for PostgreSQL and memory. */
  file: string | undefined
}

/** @throws Failure RECORDS_NEWER when the store has a version that these migrations do not know */
export async function migrateStore(db: Kysely<unknown>, options: Options): Promise<Migrated> {
  const { kind, store, migrations, clock, file } = options
  const newest = migrations.at(-1)?.version ?? 0
  const ledger = `migrations_${store}`
  return db.transaction().execute(async (trx) => {
    if (kind === 'postgres') await trx.executeQuery(CompiledQuery.raw('select pg_advisory_xact_lock(86208620)'))
    const from = await versionOf(trx, ledger)
    if (from > newest)
      throw new Failure(
        'RECORDS_NEWER',
        `the ${store} records have layout ${from}, this Boathouse knows layouts up to ${newest}`,
      )
    const missing = migrations.filter(({ version }) => version > from)
    if (missing.length === 0) return { store, from, to: newest, backup: undefined }
    // The write lock is held, so the copy is one consistent moment even while other processes read.
    const backup = from > 0 && file ? backUp(file, from, clock) : undefined
    for (const { version, name, ...statements } of missing) {
      for (const statement of statements[store]) await trx.executeQuery(CompiledQuery.raw(dialectSql(statement, kind)))
      const at = new Date(clock.now()).toISOString()
      await sql`insert into ${sql.table(ledger)} (version, name, applied_at) values (${version}, ${name}, ${at})`.execute(
        trx,
      )
    }
    return { store, from, to: newest, backup }
  })
}

async function versionOf(trx: Transaction<unknown>, ledger: string): Promise<number> {
  await sql`create table if not exists ${sql.table(ledger)} (version integer primary key, name text not null, applied_at text not null)`.execute(
    trx,
  )
  const { rows } = await sql<{
    version: number | null
  }>`select max(version) as version from ${sql.table(ledger)}`.execute(trx)
  return rows[0]?.version ?? 0
}

/** Copies the file and the write-ahead log beside it, which belongs to it until the next checkpoint. */
function backUp(file: string, version: number, clock: Clock): string {
  const folder = join(dirname(file), 'backups')
  mkdirSync(folder, { recursive: true })
  const stamp = new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, '')
  const backup = join(folder, `${basename(file, '.db')}-layout${version}-${stamp}.db`)
  for (const suffix of ['', '-wal']) if (existsSync(file + suffix)) copyFileSync(file + suffix, backup + suffix)
  return backup
}
