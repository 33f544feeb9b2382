// Several statements as one. They read how all tables of the environment stood when the transaction began, and what the
// transaction wrote itself; what it wrote becomes visible in one commit, or not at all.
//
// Two transactions that write do not go together when one changes rows that the other changed: the second to commit gets
// COMMIT_CONFLICT, as the format's rules have it (`iceberg/conflicts.ts`), so no update is lost. Serializable asks for more:
// every table that was read must be unchanged at the commit, which is looked at in the same transaction of the records
// that swaps the pointers. A process that dies leaves a change set that nobody publishes.

import { ending } from '../base/ending.ts'
import { Failure, asFailure } from '../base/failure.ts'
import { openSemaphore } from '../base/semaphore.ts'
import {
  onlyAlike,
  showName,
  type Loaded,
  type Pointer,
  type Publication,
  type TableName,
  type Tables,
} from '../catalog/index.ts'
import { asFirstRead } from './first-read.ts'
import type { ChangeSet } from './write/change-set.ts'
import type { Lake, QueryOptions, QueryResult } from './lake.ts'
import type { Isolation } from './sql/control.ts'

export type TransactionOptions = Omit<QueryOptions, 'changes' | 'asOf'> & {
  /** Default `snapshot`. */
  isolation?: Isolation
  /** Statements that write are refused. */
  readOnly?: boolean
}

/** For one statement: what differs from the options of `begin`. */
export type StatementOptions = Partial<Omit<QueryOptions, 'changes'>>

export interface Transaction {
  /** `failed` after the first error: then only `rollback` and `rollbackTo` are left. */
  readonly state: 'open' | 'failed' | 'ended'
  /** @throws TRANSACTION_ABORTED after a failure, TRANSACTION_STATE when it has ended */
  query(sql: string, options?: StatementOptions): Promise<QueryResult>
  /** As the lake's. */
  describe(sql: string, options?: StatementOptions): ReturnType<Lake['describe']>
  /** What its statements see. */
  readonly within: Within
  savepoint(name: string): Promise<void>
  /** Forgets what came after the savepoint, failures too. @throws TRANSACTION_STATE when there is none of this name */
  rollbackTo(name: string): Promise<void>
  release(name: string): void
  /** A statement of several parts has failed. */
  fail(): void
  /** Undefined when there was nothing to publish. A failed one is rolled back. @throws COMMIT_CONFLICT; it has ended then */
  commit(): Promise<Publication | undefined>
  rollback(): Promise<void>
}

/** What the door needs to know of the transaction that a statement runs in. */
export type Within = {
  tables: Tables
  /** Undefined until something is written. */
  readonly changes: ChangeSet | undefined
  open(): Promise<ChangeSet>
  read(loaded: readonly Loaded[]): void
  /** A schema goes when the commit is visible, and no sooner. */
  leaves(schema: string, work: () => Promise<void>): void
  /** Whether it was to go, and now stays: it is made again. */
  stays(schema: string): boolean
  /** What takes back, from the last one on, what was done outside of the change set. */
  undone: (() => Promise<void>)[]
}

export type TransactionDeps = {
  tables: Tables
  openChanges(within: Pick<Within, 'tables' | 'read'>): Promise<ChangeSet>
  query(sql: string, options: QueryOptions & { within: Within }): Promise<QueryResult>
  describe(sql: string, options: QueryOptions & { within: Within }): ReturnType<Lake['describe']>
}

const savepointsMax = 1_000

export async function beginTransaction(
  deps: TransactionDeps,
  { isolation = 'snapshot', readOnly = false, ...options }: TransactionOptions,
): Promise<Transaction> {
  const tables = await asOfNow(deps.tables, options.catalog)
  const turn = openSemaphore(1)
  const reads = new Map<string, TableName>()
  const savepoints: { name: string; restore(): Promise<void> }[] = []
  /** What is done behind the commit, by the schema that goes. */
  const behind = new Map<string, () => Promise<void>>()
  let changes: ChangeSet | undefined
  let state: Transaction['state'] = 'open'

  const within: Within = {
    tables,
    get changes() {
      return changes
    },
    async open() {
      if (readOnly)
        throw new Failure('TRANSACTION_STATE', 'nothing can be written in a read-only transaction', {
          hint: 'Begin it without READ ONLY.',
          sqlState: '25006',
        })
      return (changes ??= await deps.openChanges(within))
    },
    undone: [],
    read: (loaded) => loaded.forEach(({ name }) => reads.set(showName(name), name)),
    leaves(schema, work) {
      behind.set(schema, work)
      within.undone.push(async () => void behind.delete(schema))
    },
    stays(schema) {
      const work = behind.get(schema)
      if (!work) return false
      behind.delete(schema)
      within.undone.push(async () => void behind.set(schema, work))
      return true
    },
  }
  const failed = () => {
    if (state === 'open') state = 'failed'
  }
  const undo = async (down: number) => {
    for (const work of within.undone.splice(down).toReversed()) await work()
  }
  const discard = async () => {
    state = 'ended'
    // Nobody sees what cannot be given up now, on a full disk for one: the sweep of abandoned sets does it.
    await changes?.discard().catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error
    })
    await undo(0)
  }
  const mustLive = () => {
    if (state === 'ended') throw new Failure('TRANSACTION_STATE', 'the transaction has ended')
  }
  const find = (name: string): number => {
    mustLive()
    const at = savepoints.findLastIndex((one) => one.name.toLowerCase() === name.toLowerCase())
    if (at < 0) throw new Failure('TRANSACTION_STATE', `savepoint "${name}" does not exist`, { sqlState: '3B001' })
    return at
  }

  return {
    get state() {
      return state
    },
    async query(sql, more = {}) {
      await using _ = await turn.acquire(more.signal ?? options.signal)
      mustLive()
      if (state === 'failed')
        throw new Failure('TRANSACTION_ABORTED', 'the transaction has failed; statements are ignored until it ends')
      try {
        const result = await deps.query(sql, { ...options, ...more, within })
        return { ...result, chunks: ending(result.chunks, (error) => (error === undefined ? undefined : failed())) }
      } catch (error) {
        failed()
        throw error
      }
    },
    within,
    fail: failed,
    async describe(sql, more = {}) {
      mustLive()
      return deps.describe(sql, { ...options, ...more, within })
    },
    async savepoint(name) {
      mustLive()
      if (state === 'failed') throw new Failure('TRANSACTION_ABORTED', 'the transaction has failed')
      if (savepoints.length >= savepointsMax)
        throw new Failure('TRANSACTION_STATE', `a transaction has at most ${savepointsMax} savepoints`)
      const before = await changes?.savepoint()
      const toNothing = async () => {
        await changes?.discard()
        changes = undefined
      }
      const done = within.undone.length
      const restore = async () => {
        await (before ?? toNothing)()
        await undo(done)
      }
      savepoints.push({ name, restore })
    },
    async rollbackTo(name) {
      const at = find(name)
      await savepoints[at]!.restore()
      savepoints.length = at + 1
      state = 'open'
    },
    release(name) {
      savepoints.length = find(name)
    },
    async commit() {
      mustLive()
      const pending = (state === 'open' && (await changes?.pending())) || []
      if (!changes || pending.length === 0) {
        if (state === 'open') within.undone.length = 0
        return void (await discard())
      }
      try {
        const unchanged = isolation === 'serializable' ? await asRead(tables, [...reads.values()]) : []
        const publication = await changes.publish({ unchanged })
        within.undone.length = 0
        state = 'ended'
        for (const work of behind.values()) await work()
        return publication
      } catch (error) {
        // Nobody knows what became of it: giving it up could take back what is visible.
        if (asFailure(error).code === 'COMMIT_UNKNOWN') state = 'ended'
        else await discard()
        throw error
      }
    },
    async rollback() {
      if (state !== 'ended') await discard()
    },
  }
}

/** Where what was read stood; what the transaction made itself is not among it. */
async function asRead(tables: Tables, names: readonly TableName[]) {
  const found = await Promise.all(names.map((name) => tables.load(name)))
  return found.filter((one) => one !== undefined).map(({ name, location }) => ({ name, location }))
}

const moved = () =>
  new Failure('COMMIT_CONFLICT', 'a table that the transaction has read was changed meanwhile', {
    hint: 'Begin again: this catalog cannot tell how a further table stood then.',
  })

/**
 * All tables of the catalog as they are at this moment. Those of other catalogs are kept as they are at their first use.
 * @throws COMMIT_CONFLICT at the first use of a table where a catalog of others cannot be looked at as of one moment, and
 * a table that was read before is not what it was
 */
async function asOfNow(tables: Tables, catalog: string): Promise<Tables> {
  const keep = (loaded: Loaded) => tables.keep(loaded)
  const shared = { keep, open: tables.open, stillCurrent: async () => true, listsOneMoment: true }
  if (!tables.listsOneMoment) return { ...asFirstRead(tables, moved), ...shared }
  const moments = new Map<string, Promise<Pointer[]>>()
  const momentOf = (name: string) => {
    const moment = moments.get(name) ?? tables.list(name)
    moments.set(name, moment)
    return moment
  }
  await momentOf(catalog)
  return {
    ...shared,
    list: async (name, namespace) =>
      (await momentOf(name)).filter((one) => namespace === undefined || one.name.namespace === namespace),
    async load(name) {
      const all = await momentOf(name.catalog)
      const found = all.find((one) => showName(one.name) === showName(name)) ?? onlyAlike(name, all)
      return found && tables.open(found)
    },
  }
}
