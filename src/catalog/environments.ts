// Forks of environments. A fork takes over the pointers of its origin, so it is there at once and costs nothing; what it
// writes goes to locations of its own. While files are shared, both sides carry `gc.enabled=false`, so that expiry and
// purge of any engine leave the files alone (`tables.ts` puts it on what it loads; the next commit writes it down).

import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import type { Clock } from '../base/clock.ts'
import { Failure } from '../base/failure.ts'
import { newId } from '../base/ids.ts'
import { applyUpdates, writeTableMetadata } from '../iceberg/index.ts'
import { joinLocation, type FileIO } from '../io/index.ts'
import type { Records } from '../records/index.ts'
import type { EmbeddedCatalog } from './embedded.ts'
import { checkName, folderName, freshFolder, showName, type TableName } from './names.ts'
import { promoteSequences } from './sequences.ts'
import type { Pointer, Swap } from './pointers.ts'
import { recordPublication } from './record-publication.ts'
import type { LoadedTable, Tables } from './tables.ts'

/** `environment` is the short name, `catalog` and `origin` are catalogs. */
export type Fork = { environment: string; catalog: string; origin: string; createdAt: string; createdBy: string }

/** What differs between a fork and its origin. `conflict`: both changed, so it cannot be promoted. */
export type Difference = {
  table: string
  kind: 'table' | 'view'
  change: 'created' | 'changed' | 'dropped'
  conflict: boolean
  forkSnapshot: string | null
  originSnapshot: string | null
}

export interface Environments {
  list(): Promise<Fork[]>
  /** Every table and view of `origin` under the same names in the new catalog. @throws ALREADY_EXISTS */
  create(fork: { environment: string; catalog: string; origin: string; by: string }): Promise<Fork & { tables: number }>
  /** What the fork changed. @throws NOT_FOUND when it is no fork */
  diff(catalog: string): Promise<Difference[]>
  /**
   * The origin gets what the fork changed, as one publication; undefined when nothing differs. From then on both have
   * the same again. @throws COMMIT_CONFLICT naming the tables that the origin changed since
   */
  promote(catalog: string, by: string): Promise<string | undefined>
  /** The fork's names go. Its files stay until maintenance finds that nobody has them: promoted tables still do. */
  drop(catalog: string): Promise<{ tables: number }>
}

export function openEnvironments(parts: {
  records: Records
  catalog: EmbeddedCatalog
  tables: Tables
  io: FileIO
  clock: Clock
  lakeRoot: string
}): Environments {
  const { records, catalog: pointers, tables, io, clock, lakeRoot } = parts

  async function forkOf(catalog: string): Promise<Fork> {
    const row = await records.catalog.selectFrom('forks').selectAll().where('catalog', '=', catalog).executeTakeFirst()
    if (!row)
      throw new Failure('NOT_FOUND', `the environment with the catalog ${catalog} was not forked from another`, {
        hint: '`boathouse env ls` lists environments.',
      })
    return toFork(row)
  }

  type Compared = { name: TableName; fork: Pointer | undefined; origin: Pointer | undefined; base: string | undefined }

  /** Every name that the fork has or had, where the fork is not as it began. */
  async function changed({ catalog, origin }: Fork): Promise<Compared[]> {
    const [here, there, began] = await Promise.all([
      pointers.list(catalog),
      pointers.list(origin),
      records.catalog.selectFrom('fork_tables').selectAll().where('catalog', '=', catalog).execute(),
    ])
    const key = ({ namespace, name }: { namespace: string; name: string }) => JSON.stringify([namespace, name])
    const byName = (all: readonly Pointer[]) => new Map(all.map((pointer) => [key(pointer.name), pointer]))
    const [forks, origins] = [byName(here), byName(there)]
    const bases = new Map(began.map((row) => [key(row), row.base_location]))
    return [...new Set([...forks.keys(), ...bases.keys()])].sort().flatMap((one) => {
      const [namespace, name] = JSON.parse(one) as [string, string]
      const [fork, base] = [forks.get(one), bases.get(one)]
      return fork?.location === base
        ? []
        : [{ name: { catalog, namespace, name }, fork, origin: origins.get(one), base }]
    })
  }

  const isConflict = ({ origin, base }: Compared) => (origin?.location ?? undefined) !== base
  const snapshotOf = async (pointer: Pointer | undefined) => {
    const loaded = pointer && (await tables.open(pointer))
    return (loaded?.kind === 'table' && loaded.metadata.currentSnapshotId?.toString()) || null
  }

  return {
    async list() {
      const rows = await records.catalog.selectFrom('forks').selectAll().orderBy('environment').execute()
      return rows.map(toFork)
    },

    async create({ environment, catalog, origin, by }) {
      checkName({ catalog, namespace: 'a', name: 'a' })
      const createdAt = new Date(clock.now()).toISOString()
      const suffix = randomBytes(4).toString('hex')
      const home = joinLocation(lakeRoot, catalog)
      const count = await records.transaction(async (transaction) => {
        const taken = await transaction
          .selectFrom('iceberg_tables')
          .select('table_name')
          .where('catalog_name', '=', catalog)
          .limit(1)
          .executeTakeFirst()
        const known = await transaction
          .selectFrom('forks')
          .select('catalog')
          .where((is) => is.or([is('catalog', '=', catalog), is('environment', '=', environment)]))
          .executeTakeFirst()
        if (taken || known)
          throw new Failure('ALREADY_EXISTS', `there is an environment ${environment} (${catalog}) already`, {
            hint: `Choose another name, or drop it with \`boathouse env drop ${environment}\`.`,
          })
        await transaction
          .insertInto('forks')
          .values({ catalog, environment, origin, created_at: createdAt, created_by: by })
          .execute()
        // In the store itself, not row by row: a thousand tables take milliseconds.
        await sql`insert into fork_tables (catalog, namespace, name, kind, base_location, own_location)
          select ${catalog}, table_namespace, table_name, case when iceberg_type = 'VIEW' then 'view' else 'table' end,
            metadata_location, ${`${home}/`} || table_namespace || '/' || table_name || ${`-${suffix}`}
          from iceberg_tables where catalog_name = ${origin} and metadata_location is not null`.execute(transaction)
        await sql`insert into iceberg_tables
            (catalog_name, table_namespace, table_name, metadata_location, previous_metadata_location, iceberg_type)
          select ${catalog}, table_namespace, table_name, metadata_location, null, iceberg_type
          from iceberg_tables where catalog_name = ${origin} and metadata_location is not null`.execute(transaction)
        await sql`insert into iceberg_namespace_properties (catalog_name, namespace, property_key, property_value)
          select ${catalog}, namespace, property_key, property_value
          from iceberg_namespace_properties where catalog_name = ${origin}
          on conflict do nothing`.execute(transaction)
        await sql`insert into sequences (catalog, namespace, name, state_json)
          select ${catalog}, namespace, name, state_json from sequences where catalog = ${origin}
          on conflict do nothing`.execute(transaction)
        const { tables: made } = await transaction
          .selectFrom('fork_tables')
          .select((is) => is.fn.countAll().as('tables'))
          .where('catalog', '=', catalog)
          .executeTakeFirstOrThrow()
        return Number(made)
      })
      return { environment, catalog, origin, createdAt, createdBy: by, tables: count }
    },

    async diff(catalog) {
      const differences: Difference[] = []
      for (const one of await changed(await forkOf(catalog)))
        differences.push({
          table: `${one.name.namespace}.${one.name.name}`,
          kind: (one.fork ?? one.origin)?.kind ?? 'table',
          change: one.base === undefined ? 'created' : one.fork ? 'changed' : 'dropped',
          conflict: isConflict(one),
          forkSnapshot: await snapshotOf(one.fork),
          originSnapshot: await snapshotOf(one.origin),
        })
      return differences
    },

    async promote(catalog, by) {
      const fork = await forkOf(catalog)
      const all = await changed(fork)
      const conflicts = all.filter(isConflict)
      if (conflicts.length > 0)
        throw new Failure(
          'COMMIT_CONFLICT',
          `${conflicts.map(({ name }) => showName({ ...name, catalog: fork.origin })).join(', ')} changed since ${fork.environment} was forked; nothing was promoted`,
          { hint: 'Fork again from the newer state and repeat the change there.' },
        )
      if (all.length === 0) return undefined
      const moves: (Swap & { action: string; fromSnapshot: string | null; toSnapshot: string | null })[] = []
      for (const one of all) {
        const to = one.fork && (await atHome(one.fork, one.origin, fork.origin))
        moves.push({
          name: { ...one.name, catalog: fork.origin },
          kind: (one.fork ?? one.origin)!.kind,
          from: one.base ?? null,
          to: to ?? null,
          action: !one.fork ? 'drop' : one.base === undefined ? 'create' : 'replace',
          fromSnapshot: await snapshotOf(one.origin),
          toSnapshot: await snapshotOf(one.fork),
        })
      }
      const id = newId(clock.now())
      // The fork goes on from what the origin has now, so that both are the same and can part again.
      const own = moves.flatMap(({ name, kind, to }, index): Swap[] => {
        const now = all[index]!.fork
        return now && to !== null ? [{ name: { ...name, catalog }, kind, from: now.location, to }] : []
      })
      await pointers.swapAnd([...moves, ...own], async (transaction) => {
        await recordPublication(transaction, {
          id,
          catalog: fork.origin,
          runId: null,
          publishedAt: new Date(clock.now()).toISOString(),
          by,
          undoes: null,
          tables: moves,
        })
        await promoteSequences(transaction, catalog, fork.origin)
        for (const { name, kind, to } of moves) {
          const key = { catalog, namespace: name.namespace, name: name.name }
          const row = transaction.deleteFrom('fork_tables').where((is) => is.and(key))
          if (to === null) await row.execute()
          else
            await transaction
              .insertInto('fork_tables')
              .values({ ...key, kind, base_location: to, own_location: homeOf(catalog, name) })
              .onConflict((conflict) =>
                conflict.columns(['catalog', 'namespace', 'name']).doUpdateSet({ base_location: to }),
              )
              .execute()
        }
      })
      return id
    },

    async drop(catalog) {
      await forkOf(catalog)
      return records.transaction(async (transaction) => {
        const forked = await transaction
          .selectFrom('forks')
          .select('environment')
          .where('origin', '=', catalog)
          .execute()
        if (forked.length > 0)
          throw new Failure(
            'ALREADY_EXISTS',
            `${forked.map(({ environment }) => environment).join(', ')} was forked from it`,
            { hint: 'Drop those first.' },
          )
        const { numDeletedRows } = await transaction
          .deleteFrom('iceberg_tables')
          .where('catalog_name', '=', catalog)
          .executeTakeFirstOrThrow()
        await transaction.deleteFrom('iceberg_namespace_properties').where('catalog_name', '=', catalog).execute()
        await transaction.deleteFrom('fork_tables').where('catalog', '=', catalog).execute()
        await transaction.deleteFrom('sequences').where('catalog', '=', catalog).execute()
        await transaction.deleteFrom('forks').where('catalog', '=', catalog).execute()
        return { tables: Number(numDeletedRows) }
      })
    },
  }

  function homeOf(catalog: string, { namespace, name }: TableName): string {
    return joinLocation(lakeRoot, catalog, folderName(namespace), freshFolder(name))
  }

  /** The fork's metadata as the origin keeps it: with the origin's location, so that it writes there again. */
  async function atHome(fork: Pointer, origin: Pointer | undefined, catalog: string): Promise<string> {
    const loaded = await tables.open(fork)
    if (loaded.kind === 'view') return loaded.location
    const before = origin && ((await tables.open(origin)) as LoadedTable)
    const home = before?.kind === 'table' ? before.metadata.location : homeOf(catalog, fork.name)
    const metadata = applyUpdates(loaded.metadata, [{ action: 'set-location', location: home }], {
      nowMs: clock.now(),
      previous: loaded.location,
    })
    return writeTableMetadata(io, metadata, { previous: loaded.location })
  }
}

const toFork = (row: {
  catalog: string
  environment: string
  origin: string
  created_at: string
  created_by: string
}): Fork => ({
  environment: row.environment,
  catalog: row.catalog,
  origin: row.origin,
  createdAt: row.created_at,
  createdBy: row.created_by,
})
