// What a change set holds between its writes and its publication. Each write becomes a metadata file that no pointer names,
// on top of the one before it, and is written down in the records, so that a killed run goes on with it. When somebody else
// was faster, the writes are made again on top of theirs, without writing a data file twice.

import type { Clock } from '../../base/clock.ts'
import { Failure } from '../../base/failure.ts'
import {
  showName,
  tableCommitText,
  type Loaded,
  type LoadedTable,
  type PendingChange,
  type Publication,
  type Publications,
  type ReadPointer,
  type TableName,
  type Tables,
} from '../../catalog/index.ts'
import {
  allFields,
  ancestorsOf,
  applyUpdates,
  createUpdates,
  currentSchema,
  fieldById,
  followedBy,
  newlyRequired,
  prepareAppend,
  writeTableMetadata,
  type NewDataFile,
  type OnOptions,
  type TableChange,
  type TableMetadata,
  type TableUpdate,
  totalBytes,
} from '../../iceberg/index.ts'
import type { FileIO } from '../../io/index.ts'
import { decodeAppended, encodeAppended } from './appended.ts'
import type { AlterStep, TableOptions, WriteResult } from './change-set.ts'
import { rulesOfRows } from './named-keys.ts'
import { isTemporary } from './run-names.ts'
import { sqlType } from '../types.ts'

/** A write that can be put on top of whatever the table is by then. */
export type Rebased = {
  on(base: TableMetadata, options: OnOptions): Promise<TableChange>
}

/**
 * Rows that were made before a column became required may lack a value for it, and nobody held them to a key or a check that
 * came since. And files know columns by id: one that this set adds (above `known`, the ids that it met) may be somebody else's
 * column by then.
 */
export const madeFor = (metadata: TableMetadata, write: Rebased, known = Infinity): Rebased => ({
  async on(base, options) {
    const [now, schema] = [currentSchema(base), currentSchema(metadata)]
    const [needed] = newlyRequired(now, schema)
    if (needed) throw new Failure('COMMIT_CONFLICT', `the column ${needed.name} became NOT NULL meanwhile`)
    const met = new Set(rulesOfRows(metadata))
    if (rulesOfRows(base).some((rule) => !met.has(rule)))
      throw new Failure('COMMIT_CONFLICT', 'a key or a check was added meanwhile')
    const taken = [...allFields(schema)].find(({ id, path }) => id > known && fieldById(now, id)?.path !== path)
    if (taken) throw new Failure('COMMIT_CONFLICT', `columns were added while rows were written with ${taken.path}`)
    return write.on(base, options)
  },
})

/** The last id of a column in what a change set met; of a new table nobody else takes one. */
export const idsKnown = (published: Loaded | undefined): number =>
  published?.kind === 'table' ? published.metadata.lastColumnId : Infinity

/** What steps do one after the other, each to what those before it made. */
export async function inTurn(
  base: TableMetadata,
  steps: readonly AlterStep[],
  at: Parameters<AlterStep>[1],
): Promise<TableChange> {
  let now = base
  let all: TableChange = { updates: [], requirements: [] }
  for (const step of steps) {
    const change = await step(now, at)
    now = applyUpdates(now, change.updates, { nowMs: at.nowMs })
    all = followedBy(all, change)
  }
  return all
}

/** Rows whose snapshot is of the table's columns after these steps, as whoever travels to it reads them. */
const evolvedBy = (write: Rebased, steps: readonly AlterStep[], io: FileIO): Rebased => ({
  async on(base, at) {
    const rows = await write.on(base, at)
    const columns = await inTurn(base, steps, { io, ...at })
    const { currentSchemaId: schemaId } = applyUpdates(base, columns.updates, { nowMs: at.nowMs })
    const updates = rows.updates.map((update) =>
      update.action === 'add-snapshot' ? { ...update, snapshot: { ...update.snapshot, schemaId } } : update,
    )
    return followedBy(columns, { ...rows, updates })
  },
})

type Staged = {
  target: TableName
  published: Loaded | undefined
  /** What the write is on top of: of this change set, else published; undefined for a new table. */
  before: LoadedTable | undefined
  metadata: TableMetadata
  write: Rebased
  more?: TableUpdate[]
  action: 'replace' | 'append'
  appended?: { files: readonly NewDataFile[]; summary: Record<string, string> } | undefined
  files: readonly Pick<NewDataFile, 'recordCount' | 'fileSizeBytes'>[]
  /** When the files are durable; by default they are. */
  placed?: Promise<void>
  options: TableOptions
}

type Recorded = Pick<PendingChange, 'name' | 'kind' | 'action' | 'location' | 'commit'> & {
  published: Loaded | undefined
  next?: TableMetadata
  appended?: { files: readonly NewDataFile[]; summary: Record<string, string> } | undefined
  /** What the set holds for an append's table already. */
  earlier?: PendingChange | undefined
  branch?: string | undefined
}

/** The snapshot that a branch, by default `main`, stands at. */
export const headId = ({ refs, currentSnapshotId }: TableMetadata, branch: string | undefined): bigint | undefined =>
  branch === undefined ? currentSnapshotId : refs[branch]?.snapshotId

type Step = { write: Rebased; more: TableUpdate[]; branch?: string | undefined }

type StagingDeps = {
  io: FileIO
  tables: Pick<Tables, 'load' | 'open' | 'keep'>
  /** As they are now. */
  current: Pick<Tables, 'load'>
  publications: Publications
  clock: Clock
}

/** What one change set holds. */
export function openStaging(id: string, deps: StagingDeps) {
  const { io, tables, publications, clock } = deps
  /** What this process wrote, by table: it can be put on a newer base. */
  const steps = new Map<string, Step[]>()
  /** Snapshots that this set made. */
  const own = new Set<bigint>()

  /** Since when others' work is looked at: what was published when the set met the table, not its own last write. */
  const since = (published: Loaded | undefined, { metadata }: LoadedTable, branch: string | undefined) => {
    const start = published?.kind === 'table' ? headId(published.metadata, branch) : undefined
    const ancestors = ancestorsOf(metadata, headId(metadata, branch)).map(({ snapshotId }) => snapshotId)
    // A table or branch that got its name in this set: nobody else knows it by that, and what it was is what the set met.
    const met = ancestors.includes(start!) ? start : ancestors.find((snapshotId) => !own.has(snapshotId))
    return { startingSnapshotId: met ?? null, own }
  }

  /** `published`: what is published, where that is known already. */
  const load = async (name: TableName, published?: Loaded): Promise<Loaded | undefined> => {
    const change = await publications.change(id, name)
    if (!change) return published ?? tables.load(name)
    return change.location === null
      ? undefined
      : tables.open({ name: change.name, kind: change.kind, location: change.location })
  }

  /** It grows with each write, so it is made only where it is asked for. */
  const askedAfter = (earlier: string | null | undefined, { requirements, updates }: TableChange) =>
    publications.asksOthers ? tableCommitText(requirements, updates, earlier) : null

  /** The table after one more write, in a metadata file that nobody's pointer names. */
  async function stage({ target, published, before, metadata, ...staged }: Staged): Promise<WriteResult> {
    const { more = [], action, appended, files, placed, options } = staged
    const fitting = files.length > 0 ? madeFor(metadata, staged.write, idsKnown(published)) : staged.write
    const prepared = options.evolving ? evolvedBy(fitting, options.evolving, io) : fitting
    const nowMs = clock.now()
    // Data files, manifests, their list and the metadata file become durable side by side, all of them before the
    // records name the metadata file.
    const underWay: Promise<unknown>[] = placed ? [placed] : []
    const written = async () => {
      for (const outcome of await Promise.allSettled(underWay)) if (outcome.status === 'rejected') throw outcome.reason
    }
    const commit = await prepared
      .on(metadata, { nowMs, signal: options.signal, underWay })
      .catch(async (error: unknown) => {
        await written()
        throw await outdated(error, target, published)
      })
    const next = applyUpdates(metadata, [...commit.updates, ...more], { nowMs, previous: before?.location })
    const made = headId(next, options.branch)
    if (made !== undefined && made !== headId(metadata, options.branch)) own.add(made)
    const named = writeTableMetadata(io, next, { previous: before?.location, signal: options.signal })
    underWay.push(named)
    const [earlier] = await Promise.all([pendingOf(target), written()])
    const location = await named
    tables.keep({ kind: 'table', name: target, location, metadata: next })
    const isFirst = before?.location === published?.location
    const asked = before
      ? askedAfter(isFirst ? null : earlier?.commit, { ...commit, updates: [...commit.updates, ...more] })
      : askedAfter(null, { requirements: [{ type: 'assert-create' }], updates: createUpdates(next) })
    await record({
      name: target,
      kind: 'table',
      action: published ? action : 'create',
      location,
      published,
      next,
      appended,
      commit: asked,
      earlier,
      branch: options.branch,
    })
    const key = showName(target).toLowerCase()
    steps.set(key, [...(isFirst ? [] : (steps.get(key) ?? [])), { write: prepared, more, branch: options.branch }])
    return {
      table: showName(target),
      kind: 'table',
      columns: currentSchema(next).fields.map((field) => ({
        name: field.name,
        type: sqlType(field.type),
        nullable: !field.required,
      })),
      rowsWritten: files.reduce((sum, { recordCount }) => sum + recordCount, 0),
      snapshotId: made?.toString() ?? null,
      filesWritten: files.length,
      bytesWritten: totalBytes(files),
    }
  }

  /** Files of a state that was expired meanwhile are gone: that is a lost race, not a damaged table. */
  async function outdated(error: unknown, target: TableName, published: Loaded | undefined): Promise<unknown> {
    if (!(error instanceof Failure) || error.code !== 'METADATA_INVALID') return error
    const now = await deps.current.load(target)
    if (now?.location === published?.location) return error
    const message = `${showName(target)} was changed meanwhile, and what it was before has been cleaned up`
    return new Failure('COMMIT_CONFLICT', message, { cause: error, table: showName(target) })
  }

  const pendingOf = (name: TableName) => publications.change(id, name)

  async function record(change: Recorded) {
    const { name, kind, action, location, commit, published, next, appended, earlier, branch } = change
    const head = (table: TableMetadata | undefined) => table && headId(table, branch)?.toString()
    const all = appended && [...(earlier?.appended ? decodeAppended(earlier.appended).files : []), ...appended.files]
    await publications.put(id, {
      // However the statement spelt it: pointers are known by the one name that they have.
      name: published?.name ?? name,
      kind,
      action,
      location,
      base: published?.location ?? null,
      fromSnapshot: (published?.kind === 'table' ? head(published.metadata) : undefined) ?? null,
      toSnapshot: head(next) ?? null,
      // An append to a table that this same change set replaced moves with the replacement, not alone.
      appended: all && (!earlier || earlier.appended) ? encodeAppended(all, appended.summary) : null,
      commit,
    })
  }

  /**
   * Makes the writes of this set again on top of what is published now, without writing their data files again. False
   * when that is not possible; COMMIT_CONFLICT when what others did does not go together with them.
   */
  async function rebase(conflict: Failure): Promise<boolean> {
    const pending = (await publications.changes(id)).find(({ name }) => showName(name) === conflict.context.table)
    const now = pending && (await deps.current.load(pending.name))
    if (now?.kind !== 'table') return false
    let again = steps.get(showName(now.name).toLowerCase())
    if (!again) {
      // Another process wrote this change set; only its appends can be made again.
      if (!pending?.appended) return false
      const { files, summary } = decodeAppended(pending.appended)
      const made = await load(now.name)
      const metadata = made?.kind === 'table' ? made.metadata : now.metadata
      again = [{ write: madeFor(metadata, await prepareAppend(io, now.metadata, files, { summary })), more: [] }]
    }
    const nowMs = clock.now()
    let next = now.metadata
    let asked: string | null = null
    for (const { write: step, more } of again) {
      const commit = await step.on(next, { nowMs }).catch((error: unknown) => {
        throw error instanceof Failure
          ? new Failure(error.code, `${conflict.message} (${error.message})`, { cause: error, hint: error.hint })
          : error
      })
      next = applyUpdates(next, [...commit.updates, ...more], { nowMs, previous: now.location })
      asked = askedAfter(asked, { ...commit, updates: [...commit.updates, ...more] })
    }
    const branch = again.at(-1)?.branch
    const location = await writeTableMetadata(io, next, { previous: now.location })
    tables.keep({ kind: 'table', name: now.name, location, metadata: next })
    await publications.put(id, {
      ...pending!,
      action: pending!.action === 'append' ? 'append' : 'replace',
      base: now.location,
      location,
      commit: asked,
      fromSnapshot: headId(now.metadata, branch)?.toString() ?? null,
      toSnapshot: headId(next, branch)?.toString() ?? null,
    })
    return true
  }

  /** All or nothing; what others published meanwhile is gone on top of, where that can be. */
  async function publish(by: string, unchanged: readonly ReadPointer[]): Promise<Publication> {
    await forget((await publications.changes(id)).flatMap(({ name }) => (isTemporary(name) ? [name] : [])))
    const mustStay = new Set(unchanged.map(({ name }) => showName(name)))
    for (let attempt = 1; ; attempt++) {
      try {
        return await publications.publish(id, by, unchanged)
      } catch (error) {
        if (
          !(error instanceof Failure) ||
          error.code !== 'COMMIT_CONFLICT' ||
          mustStay.has(String(error.context.table)) ||
          attempt >= 20 ||
          !(await rebase(error))
        )
          throw error
        await clock.sleep(clock.random() * Math.min(1_000, 10 * 2 ** attempt))
      }
    }
  }

  /** Nothing is to become of these names. */
  async function forget(names: readonly TableName[]): Promise<void> {
    if (names.length === 0) return
    for (const name of names) steps.delete(showName(name).toLowerCase())
    await publications.forget(id, names)
  }

  /** Nothing is under this name any more, whether anybody has seen what was there or not. */
  const vanish = async ({ name, kind, published }: Pick<Recorded, 'name' | 'kind' | 'published'>): Promise<void> =>
    published ? become({ name, kind, action: 'drop', location: null, commit: null, published }) : forget([name])

  /** What the set holds now; the function takes it back to that. */
  async function savepoint(): Promise<() => Promise<void>> {
    const [pending, kept] = [await publications.changes(id), [...steps].map(([key, all]) => [key, [...all]] as const)]
    return async () => {
      await publications.restore(id, pending)
      steps.clear()
      for (const [key, all] of kept) steps.set(key, [...all])
    }
  }

  /** Goes back to what is published, but for what is to be kept. */
  async function keepOnly(isKept: (change: PendingChange) => boolean): Promise<void> {
    const pending = await publications.changes(id)
    const kept = pending.filter(isKept)
    if (kept.length === pending.length) return
    await publications.restore(id, kept)
    const names = new Set(kept.map(({ name }) => showName(name).toLowerCase()))
    for (const name of steps.keys()) if (!names.has(name)) steps.delete(name)
  }

  /** These names become what they were in `pending`; all others stay what they are by now. */
  async function putBack(names: readonly TableName[], pending: readonly PendingChange[]): Promise<void> {
    for (const name of names) {
      const key = showName(name).toLowerCase()
      const was = pending.find((change) => showName(change.name).toLowerCase() === key)
      steps.delete(key)
      await (was ? publications.put(id, was) : publications.forget(id, [name]))
    }
  }

  /** Something else under a name, or nothing: what was written there before is not to be made again. */
  async function become(change: Recorded): Promise<void> {
    steps.delete(showName(change.name).toLowerCase())
    await record(change)
  }

  return { load, since, stage, become, vanish, forget, publish, savepoint, keepOnly, putBack }
}
