// A catalog that keeps its own pointers: the embedded one and the one in memory.
//
// A commit reads all pointers at one moment, applies the updates to the metadata found there (pure), writes the next
// metadata files, and swaps all pointers in one step. Only the swap is visible. Who loses the race begins again: the
// requirements decide whether that is allowed. A metadata file of a lost attempt is removed; a crash leaves it behind
// as an orphan.

import type { Clock } from '../base/clock.ts'
import { asFailure, Failure } from '../base/failure.ts'
import {
  applyUpdates,
  applyViewUpdates,
  checkRequirements,
  checkViewRequirements,
  findSnapshot,
  mayDeleteFiles,
  writeTableMetadata,
  writeViewMetadata,
  type TableMetadata,
  type ViewMetadata,
  type ViewUpdate,
} from '../iceberg/index.ts'
import type { FileIO } from '../io/index.ts'
import type { Catalog, CatalogChange, CommitOptions } from './catalog.ts'
import { checkLength, checkStorable, levelsOf, showName, type TableName } from './names.ts'
import { namespaceMissing, type EntryKind, type Pointers, type Swap } from './pointers.ts'
import type { Loaded, LoadedTable, LoadedView, Tables } from './tables.ts'

/** A swap and what it means, for whoever writes it down. */
export type Move = Swap & {
  action: 'create' | 'replace' | 'append' | 'drop'
  fromSnapshot: string | null
  toSnapshot: string | null
}

type Parts = {
  pointers: Pointers
  tables: Tables
  io: FileIO
  clock: Clock
  /** All or nothing, with what else belongs into the same step. */
  swap?: (moves: readonly Move[], options: CommitOptions) => Promise<void>
}

const [attemptsMax, waitMsMin, waitMsMax] = [20, 5, 250]
const [askedMax, askWaitMs] = [3, 200]

export function catalogOver({ pointers, tables, io, clock, swap = (moves) => pointers.swap(moves) }: Parts): Catalog {
  /** Runs `attempt` again after a lost race. Full jitter: writers that collided once should not collide again. */
  async function retried<Value>(signal: AbortSignal | undefined, attempt: () => Promise<Value | 'lost'>, what: string) {
    for (let tries = 1; tries <= attemptsMax; tries++) {
      signal?.throwIfAborted()
      const value = await attempt()
      if (value !== 'lost') return value
      await clock.sleep(clock.random() * Math.min(waitMsMax, waitMsMin * 2 ** tries), signal)
    }
    throw new Failure('COMMIT_CONFLICT', `${what}: other writers came first ${attemptsMax} times`)
  }

  /**
   * Swaps; 'lost' when another writer was faster. After an error that leaves the outcome open the same swap is tried
   * again: if it happened the first time, the pointers name our files now.
   */
  async function settle(moves: readonly Move[], options: CommitOptions): Promise<'done' | 'lost'> {
    let isOpen = false
    for (let asked = 1; ; asked++) {
      try {
        await swap(moves, options)
        return 'done'
      } catch (error) {
        const failure = asFailure(error)
        if (failure.code === 'COMMIT_CONFLICT') return isOpen && (await isOurs(moves)) ? 'done' : 'lost'
        if (certain.has(failure.code) && !isOpen) throw error
        if (asked === askedMax) throw unknownOutcome(moves, failure)
        isOpen = true
        await clock.sleep(askWaitMs * asked)
      }
    }
  }

  /** Whether a pointer is where these moves took it, or has gone on from there. */
  async function isOurs(moves: readonly Move[]): Promise<boolean> {
    try {
      const [move] = moves.filter(({ to }) => to !== null)
      if (!move) return (await pointers.pointers(moves.map(({ name }) => name))).length === 0
      const now = await pointers.pointer(move.name)
      if (!now || now.location === move.to) return now !== undefined
      const loaded = await tables.open(now)
      return loaded.kind === 'table' && loaded.metadata.metadataLog.some((entry) => entry.metadataFile === move.to)
    } catch (error) {
      throw unknownOutcome(moves, asFailure(error))
    }
  }

  async function loadAll(names: readonly TableName[]): Promise<Map<string, Loaded>> {
    const found = await pointers.pointers(names)
    const loaded = await Promise.all(found.map((pointer) => tables.open(pointer)))
    return new Map(loaded.map((one) => [showName(one.name), one]))
  }

  async function commit(changes: readonly CatalogChange[], options: CommitOptions = {}): Promise<Loaded[]> {
    for (const { name } of changes) checkStorable(name.catalog, ...levelsOf(name.namespace), name.name)
    const what = changes.map(({ name }) => showName(name)).join(', ')
    return retried(options.signal, () => attemptCommit(changes, options), what)
  }

  async function attemptCommit(changes: readonly CatalogChange[], options: CommitOptions): Promise<Loaded[] | 'lost'> {
    const before = await loadAll(changes.map(({ name }) => name))
    const drafts = new Map<string, Draft>()
    for (const change of changes) {
      const key = showName(change.name)
      const draft = drafts.get(key) ?? draftOf(before.get(key))
      drafts.set(key, draft)
      await applyChange(draft, change)
    }
    const written: string[] = []
    const moves: Move[] = []
    try {
      for (const [key, draft] of drafts) {
        const base = before.get(key)
        if (draft.now === base) continue
        if (draft.now && draft.now.location === '') {
          draft.now.location = await write(draft.now, base?.location)
          written.push(draft.now.location)
        }
        moves.push(moveOf(base, draft.now))
      }
      const outcome = moves.length === 0 ? 'done' : await settle(moves, options)
      if (outcome === 'lost') {
        await forget(written)
        return 'lost'
      }
    } catch (error) {
      if (asFailure(error).code !== 'COMMIT_UNKNOWN') await forget(written)
      throw error
    }
    const results = changes.flatMap((change) =>
      change.action === 'commit' ? (drafts.get(showName(change.name))?.now ?? []) : [],
    )
    for (const loaded of results) tables.keep(loaded)
    for (const [key, draft] of drafts) await deleteOldMetadata(before.get(key), draft.now)
    return results
  }

  async function applyChange(draft: Draft, change: CatalogChange): Promise<void> {
    const { name, kind } = change
    const { now } = draft
    if (change.action === 'drop') {
      if (now?.kind !== kind) throw missing(name, kind)
      if (change.base !== undefined && change.base !== now.location)
        throw new Failure('COMMIT_CONFLICT', `${showName(name)} was changed by another writer`, { name, kind })
      draft.now = undefined
      return
    }
    const creates = change.requirements.some(({ type }) => type === 'assert-create')
    if (creates && change.requirements.length > 1)
      throw new Failure('REQUEST_INVALID', `${showName(name)}: assert-create goes with no other requirement`)
    if (now && now.kind !== kind) throw creates ? taken(name, now.kind, kind) : missing(name, kind)
    if (!now && !creates) throw missing(name, kind)
    const next = nextOf(now, change)
    if (next === now?.metadata) return
    const { written } = change
    const isReady = written !== undefined && written.base === (now?.location ?? null) && draft.isFresh
    const location = isReady ? written.location : ''
    draft.isFresh = false
    draft.now = isReady
      ? { ...(await tables.open({ name, kind, location })) }
      : ({ kind, name, location, metadata: next } as Loaded)
  }

  /** The metadata after the change; the same object when it changes nothing. */
  function nextOf(now: Loaded | undefined, change: CatalogChange & { action: 'commit' }): TableMetadata | ViewMetadata {
    const { name } = change
    const [previous, nowMs] = [now?.location || undefined, clock.now()]
    try {
      if (change.kind === 'view') {
        const view = now as LoadedView | undefined
        checkViewRequirements(view?.metadata, change.requirements)
        const next = applyViewUpdates(view?.metadata ?? emptyView(change.updates), change.updates, { nowMs })
        if (next.versions.length === 0) throw new Failure('REQUEST_INVALID', 'a new view needs add-view-version')
        return next
      }
      const table = now as LoadedTable | undefined
      checkRequirements(table?.metadata, change.requirements)
      return applyUpdates(table?.metadata, change.updates, { nowMs, previous })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      throw error.with({ message: `${showName(name)}: ${error.message}`, name, kind: change.kind })
    }
  }

  function write({ kind, metadata }: Loaded, previous: string | undefined): Promise<string> {
    checkLength('the location', metadata.location)
    return kind === 'table'
      ? writeTableMetadata(io, metadata as TableMetadata, { previous })
      : writeViewMetadata(io, metadata as ViewMetadata, { previous })
  }

  /** Files that nobody's pointer names. What cannot be deleted stays as an orphan. */
  async function forget(locations: readonly string[]): Promise<void> {
    for (const location of locations) await io.delete(location).catch(() => {})
  }

  /** Property `write.metadata.delete-after-commit.enabled`: what fell out of the metadata log goes. Forks may still name it. */
  async function deleteOldMetadata(before: Loaded | undefined, after: Loaded | undefined): Promise<void> {
    if (before?.kind !== 'table' || after?.kind !== 'table') return
    const { metadata } = after
    if (metadata.properties['write.metadata.delete-after-commit.enabled'] !== 'true' || !mayDeleteFiles(metadata))
      return
    const kept = new Set(after.metadata.metadataLog.map(({ metadataFile }) => metadataFile))
    const gone = before.metadata.metadataLog.map(({ metadataFile }) => metadataFile).filter((file) => !kept.has(file))
    if (gone.length === 0) return
    const shared = new Set((await pointers.pointersTo(gone).catch(() => [])).map(({ location }) => location))
    await forget(gone.filter((file) => !shared.has(file)))
  }

  return {
    atomic: true,
    catalogs: () => pointers.catalogs(),
    namespaces: (name) => pointers.namespaces(name),
    namespace: (name, namespace) => pointers.namespace(name, namespace),
    async createNamespace(name, namespace, properties = {}) {
      checkStorable(name, ...levelsOf(namespace))
      checkStorable(namespace)
      checkProperties(properties)
      return pointers.createNamespace(name, namespace, properties)
    },
    async updateNamespace(name, namespace, change) {
      checkProperties(change.set)
      return pointers.updateNamespace(name, namespace, change)
    },
    dropNamespace: (name, namespace) => pointers.dropNamespace(name, namespace),
    list: (name, namespace) => pointers.list(name, namespace),
    names: (name, namespace, page) => pointers.names(name, namespace, page),
    async load(name, { kind } = {}) {
      const pointer = await pointers.pointer(name)
      return pointer && (kind === undefined || pointer.kind === kind) ? tables.open(pointer) : undefined
    },
    stillCurrent: (loaded) => tables.stillCurrent(loaded),
    commit,

    async rename(from, to, kind, options = {}) {
      checkStorable(to.catalog, ...levelsOf(to.namespace), to.name)
      await retried(
        options.signal,
        async () => {
          const loaded = await loadAll([from, to])
          const [source, target] = [loaded.get(showName(from)), loaded.get(showName(to))]
          if (source?.kind !== kind) throw missing(from, kind)
          if (showName(from) === showName(to)) return 'done'
          if ((await pointers.namespace(to.catalog, to.namespace)) === undefined)
            throw namespaceMissing(to.catalog, to.namespace)
          if (target) throw taken(to, target.kind, kind, from)
          return settle([moveOf(source, undefined), moveOf(undefined, { ...source, name: to })], options)
        },
        showName(from),
      )
    },

    async register(name, location, { kind, replace = false, ...options }) {
      checkStorable(name.catalog, ...levelsOf(name.namespace), name.name)
      checkLength('the location', location)
      if ((await pointers.namespace(name.catalog, name.namespace)) === undefined)
        throw namespaceMissing(name.catalog, name.namespace)
      const loaded = await tables.open({ name, kind, location })
      return retried(
        options.signal,
        async () => {
          const now = (await loadAll([name])).get(showName(name))
          if (now && (now.kind !== kind || !replace)) throw taken(name, now.kind, kind)
          if (now?.location === location) return now
          return (await settle([moveOf(now, loaded)], options)) === 'done' ? loaded : 'lost'
        },
        showName(name),
      )
    },

    drop: (name, kind, options = {}) =>
      retried(
        options.signal,
        async () => {
          const now = (await loadAll([name])).get(showName(name))
          if (now?.kind !== kind) throw missing(name, kind)
          return (await settle([moveOf(now, undefined)], options)) === 'done' ? now : 'lost'
        },
        showName(name),
      ),
  }
}

/** `isFresh`: no change of this commit has touched it. An empty `location` is metadata that is to be written. */
type Draft = { now: Loaded | undefined; isFresh: boolean }
const draftOf = (now: Loaded | undefined): Draft => ({ now, isFresh: true })

/** Failures that a store tells of before anything happened. */
const certain: ReadonlySet<string> = new Set(['NAMESPACE_NOT_FOUND', 'REQUEST_INVALID', 'ALREADY_EXISTS'])

const unknownOutcome = (moves: readonly Move[], cause: Failure) =>
  new Failure(
    'COMMIT_UNKNOWN',
    `whether ${moves.map(({ name }) => showName(name)).join(', ')} changed is not known: ${cause.message}`,
    { cause },
  )

const missing = (name: TableName, kind: EntryKind) =>
  new Failure('TABLE_NOT_FOUND', `there is no ${kind} ${showName(name)}`, { name, kind })

/** `kind` is what stands under the name, `wanted` what was to be made, or `renamed`. */
const taken = (name: TableName, kind: EntryKind, wanted: EntryKind, renamed?: TableName) =>
  new Failure('ALREADY_EXISTS', `there is a ${kind} ${showName(name)} already`, { name, kind, wanted, renamed })

function moveOf(from: Loaded | undefined, to: Loaded | undefined): Move {
  const { name, kind } = (to ?? from)!
  const [fromSnapshot, toSnapshot] = [snapshotOf(from), snapshotOf(to)]
  const action = !from ? 'create' : !to ? 'drop' : isAppend(from, to) ? 'append' : 'replace'
  return {
    name,
    kind,
    from: from?.location ?? null,
    to: to?.location ?? null,
    namespaceMustExist: true,
    action,
    fromSnapshot,
    toSnapshot,
  }
}

const snapshotOf = (loaded: Loaded | undefined) =>
  (loaded?.kind === 'table' && loaded.metadata.currentSnapshotId?.toString()) || null

function isAppend(from: Loaded, to: Loaded): boolean {
  if (from.kind !== 'table' || to.kind !== 'table') return false
  const { currentSnapshotId, snapshots } = to.metadata
  const current = findSnapshot(snapshots, currentSnapshotId)
  return (
    current?.parentSnapshotId === from.metadata.currentSnapshotId &&
    current?.snapshotId !== from.metadata.currentSnapshotId &&
    current?.summary['operation'] === 'append'
  )
}

/** What the updates of a new view start from. */
function emptyView(updates: readonly ViewUpdate[]): ViewMetadata {
  const uuid = updates.find((update) => update.action === 'assign-uuid')?.uuid
  const hasLocation = updates.some((update) => update.action === 'set-location')
  if (uuid === undefined) throw new Failure('REQUEST_INVALID', 'a new view needs assign-uuid')
  if (!hasLocation) throw new Failure('REQUEST_INVALID', 'a new view needs set-location')
  return {
    viewUuid: uuid,
    formatVersion: 1,
    location: '',
    currentVersionId: -1,
    versions: [],
    versionLog: [],
    schemas: [],
    properties: {},
  }
}

function checkProperties(properties: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(properties)) {
    checkStorable(key)
    checkLength(`the property ${key}`, value)
  }
}
