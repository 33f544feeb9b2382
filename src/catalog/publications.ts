// Change sets and publications in the records store.
//
// A change set lists, per table, the metadata file that nobody's pointer names yet. Publishing swaps all pointers in one
// transaction and writes down what was swapped; rolling back publishes the opposite. Both survive a killed process: an
// open change set is found again by its run, a publication is whole or absent.

import { Failure } from '../base/failure.ts'
import type { Clock } from '../base/clock.ts'
import { newId } from '../base/ids.ts'
import { openSemaphore, type Semaphore } from '../base/semaphore.ts'
import { applyUpdates, writeTableMetadata, type TableRequirement, type TableUpdate } from '../iceberg/index.ts'
import type { FileIO } from '../io/index.ts'
import type { CatalogTransaction, Records } from '../records/index.ts'
import type { Catalog } from './catalog.ts'
import type { EmbeddedCatalog } from './embedded.ts'
import { showName, type TableName } from './names.ts'
import type { EntryKind, Swap } from './pointers.ts'
import { recordPublication } from './record-publication.ts'
import { commitOutside, tableCommitText, type CommitText } from './outside.ts'
import type { Tables } from './tables.ts'

export type ChangeAction = 'create' | 'replace' | 'append' | 'drop'

/** One table of a change set. `base` is the metadata file that was current when the change was made. */
export type PendingChange = {
  name: TableName
  kind: EntryKind
  action: ChangeAction
  base: string | null
  location: string | null
  fromSnapshot: string | null
  toSnapshot: string | null
  /** What an append needs to be made again on a newer base. */
  appended: string | null
  /** What a catalog of others is asked to do; null where nobody is asked, or for nothing but the name itself. */
  commit: CommitText | null
}

export type PublishedTable = {
  table: string
  kind: EntryKind
  action: ChangeAction
  fromSnapshot: string | null
  toSnapshot: string | null
}
export type Publication = {
  id: string
  catalog: string
  runId: string | null
  publishedAt: string
  publishedBy: string
  rolledBackAt: string | null
  tables: PublishedTable[]
}

export interface Publications {
  /** Whether a catalog of others is asked: then a change of a table says what for. */
  asksOthers: boolean
  /** The open change set of a run, or a new one. */
  open(options: { catalog: string; runId?: string | undefined }): Promise<string>
  changes(changeSetId: string): Promise<readonly PendingChange[]>
  /** Of one name, however it is spelt. */
  change(changeSetId: string, name: TableName): Promise<PendingChange | undefined>
  /** Replaces what the set held for the same table. */
  put(changeSetId: string, change: PendingChange): Promise<void>
  /** The set no longer says anything about these names. */
  forget(changeSetId: string, names: readonly TableName[]): Promise<void>
  /** The set holds these changes and no others: what it held when they were read. */
  restore(changeSetId: string, changes: readonly PendingChange[]): Promise<void>
  /**
   * All or nothing. COMMIT_CONFLICT names the table and who wrote it. A set that was published already answers with its
   * publication. `unchanged`: what was read, and must still be as it was.
   */
  publish(changeSetId: string, by: string, unchanged?: readonly ReadPointer[]): Promise<Publication>
  discard(changeSetId: string): Promise<void>
  /** The open change set of a run: what it wrote and did not publish. */
  find(options: { catalog: string; runId: string }): Promise<string | undefined>
  /** Gives up what runs of this catalog left behind that have ended without a publication. Answers how many. */
  discardEnded(catalog: string): Promise<number>
  /**
   * Gives up what no run will resume: what statements and transactions of processes that ended this long ago have left, and
   * runs that failed. Answers how many.
   */
  discardAbandoned(ageMs: number): Promise<number>
  list(options: { catalog?: string | undefined; limit?: number | undefined }): Promise<Publication[]>
  get(id: string): Promise<Publication>
  /** Restores what the publication replaced, as a new publication. COMMIT_CONFLICT when a table was written since. */
  rollback(id: string, by: string): Promise<Publication>
}

/** A table or view as somebody read it. */
export type ReadPointer = { name: TableName; location: string }

/** Who keeps the names of a publication's tables. */
export type Shelf = {
  /** Whether they are others, who must be told what is changed. */
  asksOthers: boolean
  /**
   * All changes at once, together with `also` where both are in the same store; `locations`: where each table's metadata
   * is now, when the catalog writes its own. @throws COMMIT_CONFLICT, with the table in its context
   */
  move(
    changes: readonly PendingChange[],
    by: string,
    also: (transaction: CatalogTransaction, locations?: ReadonlyMap<string, string>) => Promise<void>,
    unchanged: readonly ReadPointer[],
  ): Promise<void>
}

/** The names are in the records, so all is one transaction. */
export const embeddedShelf = (catalog: EmbeddedCatalog): Shelf => ({
  asksOthers: false,
  move: (changes, _, also, unchanged) =>
    catalog.swapAnd(
      changes.map(({ name, kind, base, location }): Swap => ({ name, kind, from: base, to: location })),
      async (transaction) => {
        for (const one of unchanged) await checkUnchanged(transaction, one)
        await also(transaction)
      },
    ),
})

/** The names are somewhere else: first they are moved there, then it is written down. Publishing again ends what a crash left. */
export const outsideShelf = (catalog: Catalog, records: Records): Shelf => ({
  asksOthers: true,
  async move(changes, by, also, unchanged) {
    if (unchanged.length > 0)
      throw new Failure('UNSUPPORTED', 'a catalog of others cannot tell whether what was read is unchanged', {
        hint: 'Begin the transaction without ISOLATION LEVEL SERIALIZABLE.',
      })
    const locations = await commitOutside(catalog, changes, by)
    await records.transaction((transaction) => also(transaction, locations))
  },
})

/** Transactions of the records run as if one came after the other, so a look is enough. */
async function checkUnchanged(transaction: CatalogTransaction, { name, location }: ReadPointer): Promise<void> {
  const now = await transaction
    .selectFrom('iceberg_tables')
    .select('metadata_location')
    .where('catalog_name', '=', name.catalog)
    .where('table_namespace', '=', name.namespace)
    .where('table_name', '=', name.name)
    .executeTakeFirst()
  if (now?.metadata_location === location) return
  throw new Failure(
    'COMMIT_CONFLICT',
    `${showName(name)}, which was read, was changed meanwhile; nothing was published`,
    {
      read: showName(name),
    },
  )
}

type Held = {
  byName: Map<string, PendingChange>
  sorted?: PendingChange[] | undefined
  turns: Semaphore
  /** Writes that are under way or wait. */
  writing: number
}
const heldMax = 64
const keyOf = (name: TableName): string => `${name.namespace}\u0000${name.name}`.toLowerCase()

/** However a later write spells a table, it is the entry that is there. */
const asHeld = (pending: PendingChange, byName: ReadonlyMap<string, PendingChange>): PendingChange => ({
  ...pending,
  name: byName.get(keyOf(pending.name))?.name ?? pending.name,
})

/** Nothing of a change set needs to outlive the machine before its publication does, and that takes it along. */
const unflushed = { flush: false }

export function openPublications(options: {
  records: Records
  shelf: Shelf
  tables: Tables
  io: FileIO
  clock: Clock
}): Publications {
  const { records, shelf, tables, io, clock } = options
  const iso = () => new Date(clock.now()).toISOString()

  async function setOf(id: string) {
    const set = await records.catalog.selectFrom('change_sets').selectAll().where('id', '=', id).executeTakeFirst()
    if (!set) throw new Failure('NOT_FOUND', `there is no change set ${id}`)
    return set
  }

  /**
   * What sets hold that this process writes: it is asked for with every name that a run reads. No other process writes them
   * meanwhile, a run's lease sees to that; within this one, nodes side by side take turns.
   */
  const held = new Map<string, Held>()
  /** Sets that are being met for the first time: whoever writes at the same moment meets the same one. */
  const coming = new Map<string, Promise<Held>>()

  async function changes(id: string): Promise<readonly PendingChange[]> {
    const mine = held.get(id)
    if (!mine) return readChanges(id)
    mine.sorted ??= [...mine.byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
    return mine.sorted
  }

  async function change(id: string, name: TableName): Promise<PendingChange | undefined> {
    const mine = held.get(id)
    if (mine) return mine.byName.get(keyOf(name))
    return (await readChanges(id)).find((one) => keyOf(one.name) === keyOf(name))
  }

  /** What a set holds, from its first write by this process on. */
  async function hold(id: string): Promise<Held> {
    const known = held.get(id)
    if (known) {
      held.delete(id)
      held.set(id, known) // youngest again
      return known
    }
    const read = async (): Promise<Held> => {
      const found = await readChanges(id)
      const mine = { byName: new Map(found.map((one) => [keyOf(one.name), one])), turns: openSemaphore(1), writing: 0 }
      held.set(id, mine)
      for (const [key, one] of held) if (held.size > heldMax && one.writing === 0 && one !== mine) held.delete(key)
      return mine
    }
    const meeting = coming.get(id) ?? read().finally(() => coming.delete(id))
    coming.set(id, meeting)
    return meeting
  }

  /** One write of a set: of the records and of what is known of them, with none other of the set in between. */
  async function write(
    id: string,
    change: (transaction: CatalogTransaction, byName: ReadonlyMap<string, PendingChange>) => Promise<void>,
    known: (byName: Map<string, PendingChange>) => void,
  ): Promise<void> {
    const mine = await hold(id)
    mine.writing++
    try {
      await using _ = await mine.turns.acquire()
      await records.transaction((transaction) => change(transaction, mine.byName), unflushed)
      known(mine.byName)
      mine.sorted = undefined
    } finally {
      mine.writing--
    }
  }

  async function readChanges(id: string): Promise<PendingChange[]> {
    const { catalog: inCatalog } = await setOf(id)
    const rows = await records.catalog
      .selectFrom('change_set_entries')
      .selectAll()
      .where('change_set_id', '=', id)
      .orderBy('namespace')
      .orderBy('name')
      .execute()
    return rows.map((row) => ({
      name: { catalog: inCatalog, namespace: row.namespace, name: row.name },
      kind: row.kind as EntryKind,
      action: row.action as ChangeAction,
      base: row.base_location,
      location: row.metadata_location,
      ...(JSON.parse(row.updates_json ?? '{}') as {
        fromSnapshot: string | null
        toSnapshot: string | null
        appended: string | null
        commit: string | null
      }),
    }))
  }

  /** Swaps the pointers and writes the publication down in one transaction. */
  async function commit(
    inCatalog: string,
    pending: readonly PendingChange[],
    by: string,
    more: { runId: string | null; changeSetId?: string; undoes?: string; unchanged?: readonly ReadPointer[] },
  ): Promise<Publication> {
    // A change set is published once, so its publication carries its id: a retry after a lost answer finds it.
    const id = more.changeSetId ?? newId(clock.now())
    const publishedAt = iso()
    try {
      const alsoRecord: Parameters<Shelf['move']>[2] = async (transaction, locations) => {
        if (more.changeSetId !== undefined) {
          const { numUpdatedRows } = await transaction
            .updateTable('change_sets')
            .set({ status: 'published', updated_at: publishedAt })
            .where('id', '=', more.changeSetId)
            .where('status', '=', 'open')
            .executeTakeFirstOrThrow()
          if (numUpdatedRows !== 1n)
            throw new Failure('COMMIT_CONFLICT', 'the change set was closed by another process')
        }
        await recordPublication(transaction, {
          id,
          catalog: inCatalog,
          runId: more.runId,
          publishedAt,
          by,
          undoes: more.undoes ?? null,
          tables: pending.map(({ base, location, ...change }) => ({
            ...change,
            from: base,
            to: locations?.get(showName(change.name)) ?? location,
          })),
        })
        if (more.undoes !== undefined)
          await transaction
            .updateTable('publications')
            .set({ rolled_back_at: publishedAt, rolled_back_by: by })
            .where('id', '=', more.undoes)
            .execute()
      }
      // A table that is changed too is looked at by its swap.
      const changed = new Set(pending.map(({ name }) => showName(name)))
      const unchanged = (more.unchanged ?? []).filter(({ name }) => !changed.has(showName(name)))
      await shelf.move(pending, by, alsoRecord, unchanged)
    } catch (error) {
      throw error instanceof Failure && error.code === 'COMMIT_CONFLICT' ? await explainConflict(error, pending) : error
    }
    return get(id)
  }

  /** Names who wrote the table in between, so that a person knows whom to ask. */
  async function explainConflict(conflict: Failure, pending: readonly PendingChange[]): Promise<Failure> {
    const change = pending.find(({ name }) => showName(name) === conflict.context.table)
    const now = change && (await tables.load(change.name))
    const writer =
      now &&
      (await records.catalog
        .selectFrom('publication_tables')
        .innerJoin('publications', 'publications.id', 'publication_tables.publication_id')
        .select(['publications.id', 'publications.published_by', 'publications.run_id', 'publications.published_at'])
        .where('publication_tables.to_location', '=', now.location)
        .executeTakeFirst())
    if (!change) return conflict
    const who = writer
      ? `by ${writer.published_by} in publication ${writer.id}${writer.run_id ? ` of run ${writer.run_id}` : ''} at ${writer.published_at}`
      : now
        ? 'by another program'
        : 'by a program that dropped it'
    return new Failure(
      'COMMIT_CONFLICT',
      `${showName(change.name)} was changed meanwhile ${who}; nothing was published`,
      {
        cause: conflict,
        table: showName(change.name),
        ...(now ? { current: now.location } : {}),
      },
    )
  }

  async function get(id: string): Promise<Publication> {
    const row = await records.catalog.selectFrom('publications').selectAll().where('id', '=', id).executeTakeFirst()
    if (!row)
      throw new Failure('NOT_FOUND', `there is no publication ${id}`, {
        hint: '`boathouse publications ls` lists them.',
      })
    return (await withTables([row]))[0]!
  }

  async function withTables(
    rows: {
      id: string
      catalog: string
      run_id: string | null
      published_at: string
      published_by: string
      rolled_back_at: string | null
    }[],
  ): Promise<Publication[]> {
    if (rows.length === 0) return []
    const entries = await records.catalog
      .selectFrom('publication_tables')
      .selectAll()
      .where(
        'publication_id',
        'in',
        rows.map(({ id }) => id),
      )
      .orderBy('namespace')
      .orderBy('name')
      .execute()
    return rows.map((row) => ({
      id: row.id,
      catalog: row.catalog,
      runId: row.run_id,
      publishedAt: row.published_at,
      publishedBy: row.published_by,
      rolledBackAt: row.rolled_back_at,
      tables: entries
        .filter(({ publication_id }) => publication_id === row.id)
        .map((entry) => ({
          table: showName({ catalog: row.catalog, namespace: entry.namespace, name: entry.name }),
          kind: entry.kind as EntryKind,
          action: entry.action as ChangeAction,
          fromSnapshot: entry.from_snapshot,
          toSnapshot: entry.to_snapshot,
        })),
    }))
  }

  /** The change that takes a table back to what `from` described, on top of what it is now. */
  async function undo(
    inCatalog: string,
    entry: {
      namespace: string
      name: string
      kind: string
      from_location: string | null
      to_location: string | null
      from_snapshot: string | null
    },
  ): Promise<PendingChange> {
    const name = { catalog: inCatalog, namespace: entry.namespace, name: entry.name }
    const kind = entry.kind as EntryKind
    const change: PendingChange = {
      name,
      kind,
      action: entry.from_location === null ? 'drop' : entry.to_location === null ? 'create' : 'replace',
      base: entry.to_location,
      location: entry.from_location,
      fromSnapshot: null,
      toSnapshot: entry.from_snapshot,
      appended: null,
      commit: null,
    }
    if (entry.from_location === null || entry.to_location === null) return change
    const [before, after] = await Promise.all([
      tables.open({ name, kind: await kindOf(entry.from_location, kind), location: entry.from_location }),
      tables.open({ name, kind, location: entry.to_location }),
    ])
    // A view, or a table that took a view's name: the old metadata file is the whole answer.
    if (before.kind !== 'table' || after.kind !== 'table' || before.metadata.tableUuid !== after.metadata.tableUuid)
      return { ...change, kind: before.kind }
    const snapshotId = before.metadata.currentSnapshotId
    if (snapshotId === undefined) return change
    if (!after.metadata.snapshots.some((snapshot) => snapshot.snapshotId === snapshotId))
      throw new Failure('UNSUPPORTED', `${showName(name)} has no snapshot ${snapshotId} any more`, {
        hint: 'Its snapshots were expired, or its catalog keeps none but the newest: then go back by means of that catalog.',
      })
    // History stays: the table's main branch goes back to the older snapshot in a new metadata file.
    const updates: TableUpdate[] = [
      { action: 'set-current-schema', schemaId: before.metadata.currentSchemaId },
      { action: 'set-snapshot-ref', refName: 'main', ref: { type: 'branch', snapshotId } },
    ]
    const metadata = applyUpdates(after.metadata, updates, { nowMs: clock.now(), previous: after.location })
    const location = await writeTableMetadata(io, metadata, { previous: after.location })
    const requirements: TableRequirement[] = [
      { type: 'assert-table-uuid', uuid: after.metadata.tableUuid },
      { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: after.metadata.currentSnapshotId },
    ]
    return {
      ...change,
      location,
      commit: tableCommitText(requirements, updates),
      fromSnapshot: after.metadata.currentSnapshotId?.toString() ?? null,
      toSnapshot: snapshotId.toString(),
    }
  }

  /** A pointer's kind is not stored with the old location; the metadata itself tells. */
  async function kindOf(location: string, guess: EntryKind): Promise<EntryKind> {
    const bytes = await io.read(location)
    return bytes && Buffer.from(bytes.subarray(0, 4_096)).includes('"view-uuid"') ? 'view' : bytes ? 'table' : guess
  }

  async function putEntries(transaction: CatalogTransaction, id: string, all: readonly PendingChange[]): Promise<void> {
    const set = await transaction.selectFrom('change_sets').select('status').where('id', '=', id).executeTakeFirst()
    if (set?.status !== 'open') throw new Failure('COMMIT_CONFLICT', `the change set ${id} is ${set?.status ?? 'gone'}`)
    for (const { name, kind, action, base, location, fromSnapshot, toSnapshot, appended, commit: asked } of all) {
      const values = {
        kind,
        action,
        base_location: base,
        metadata_location: location,
        updates_json: JSON.stringify({ fromSnapshot, toSnapshot, appended, commit: asked }),
        written_files_json: null,
        updated_at: iso(),
      }
      await transaction
        .insertInto('change_set_entries')
        .values({ change_set_id: id, namespace: name.namespace, name: name.name, ...values })
        .onConflict((conflict) => conflict.columns(['change_set_id', 'namespace', 'name']).doUpdateSet(values))
        .execute()
    }
  }

  const openSets = () =>
    records.catalog
      .updateTable('change_sets')
      .set({ status: 'discarded', updated_at: iso() })
      .where('status', '=', 'open')
  async function giveUp(which: (open: ReturnType<typeof openSets>) => ReturnType<typeof openSets>): Promise<number> {
    return Number((await which(openSets()).executeTakeFirstOrThrow()).numUpdatedRows)
  }
  const setsOfRun = (inCatalog: string, runId: string) =>
    records.catalog.selectFrom('change_sets').select('id').where('run_id', '=', runId).where('catalog', '=', inCatalog)
  const endedRuns = () =>
    records.catalog.selectFrom('runs').select('id').where('status', 'in', ['succeeded', 'failed', 'cancelled'])

  return {
    asksOthers: shelf.asksOthers,

    async open({ catalog: inCatalog, runId }) {
      if (runId !== undefined) {
        const found = await setsOfRun(inCatalog, runId).where('status', '!=', 'discarded').executeTakeFirst()
        if (found) return found.id
      }
      const id = newId(clock.now())
      const now = { created_at: iso(), updated_at: iso() }
      await records.transaction(
        (transaction) =>
          transaction
            .insertInto('change_sets')
            .values({ id, catalog: inCatalog, run_id: runId ?? null, status: 'open', ...now })
            .execute(),
        unflushed,
      )
      return id
    },
    changes,
    change,
    put: (id, pending) =>
      write(
        id,
        (transaction, byName) => putEntries(transaction, id, [asHeld(pending, byName)]),
        (byName) => void byName.set(keyOf(pending.name), asHeld(pending, byName)),
      ),
    forget: (id, names) =>
      write(
        id,
        async (transaction, byName) => {
          for (const asked of names) {
            const { namespace, name } = byName.get(keyOf(asked))?.name ?? asked
            await transaction
              .deleteFrom('change_set_entries')
              .where('change_set_id', '=', id)
              .where('namespace', '=', namespace)
              .where('name', '=', name)
              .execute()
          }
        },
        (byName) => names.forEach((name) => byName.delete(keyOf(name))),
      ),
    restore: (id, before) =>
      write(
        id,
        async (transaction) => {
          await transaction.deleteFrom('change_set_entries').where('change_set_id', '=', id).execute()
          await putEntries(transaction, id, before)
        },
        (byName) => {
          byName.clear()
          for (const one of before) byName.set(keyOf(one.name), one)
        },
      ),
    async publish(changeSetId, by, unchanged = []) {
      const set = await setOf(changeSetId)
      if (set.status === 'published') return get(changeSetId)
      if (set.status !== 'open') throw new Failure('COMMIT_CONFLICT', `the change set ${changeSetId} is ${set.status}`)
      return commit(set.catalog, await changes(changeSetId), by, { runId: set.run_id, changeSetId, unchanged })
    },
    async discard(changeSetId) {
      await records.catalog
        .updateTable('change_sets')
        .set({ status: 'discarded', updated_at: iso() })
        .where('id', '=', changeSetId)
        .where('status', '=', 'open')
        .execute()
    },
    async find({ catalog: inCatalog, runId }) {
      const found = await setsOfRun(inCatalog, runId).where('status', '=', 'open').executeTakeFirst()
      return found?.id
    },
    discardEnded: (inCatalog) =>
      giveUp((open) => open.where('catalog', '=', inCatalog).where('run_id', 'in', endedRuns())),
    async discardAbandoned(ageMs) {
      const before = new Date(clock.now() - ageMs).toISOString()
      return giveUp((open) =>
        open
          .where('created_at', '<', before)
          .where(({ or, eb }) => or([eb('run_id', 'is', null), eb('run_id', 'in', endedRuns())])),
      )
    },
    async list({ catalog: inCatalog, limit = 50 }) {
      let query = records.catalog.selectFrom('publications').selectAll().orderBy('id', 'desc').limit(limit)
      if (inCatalog !== undefined) query = query.where('catalog', '=', inCatalog)
      return withTables(await query.execute())
    },
    get,
    async rollback(id, by) {
      const publication = await get(id)
      if (publication.rolledBackAt)
        throw new Failure('ALREADY_EXISTS', `publication ${id} was rolled back at ${publication.rolledBackAt}`, {
          hint: 'Roll back the publication that undid it to bring it back.',
        })
      const entries = await records.catalog
        .selectFrom('publication_tables')
        .selectAll()
        .where('publication_id', '=', id)
        .execute()
      const pending: PendingChange[] = []
      for (const entry of entries) pending.push(await undo(publication.catalog, entry))
      return commit(publication.catalog, pending, by, { runId: null, undoes: id })
    },
  }
}
