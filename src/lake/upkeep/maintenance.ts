// Keeping tables small and quick: expiry of snapshots, removal of orphans, rewriting of manifests, data files and delete
// files. Each can be run dry, tells how far it is, can be cancelled between two steps, and goes together with writers that
// work at the same time: a commit that loses a race is planned again.
//
// None keeps a journal, because each finds what is left to do from the table itself: an expiry that was interrupted
// between commit and deletion has left orphans, which the removal of orphans takes; a compaction has committed the groups
// that it finished, and they are no candidates any more.

import { Failure } from '../../base/failure.ts'
import type { Clock } from '../../base/clock.ts'
import { showName, type Catalog, type LoadedTable, type TableName } from '../../catalog/index.ts'
import {
  applyUpdates,
  droppedMetadataFiles,
  expirePlan,
  isWithin,
  manifestPlan,
  mayDeleteFiles,
  orphanFiles,
  planScan,
  prepareRewriteManifests,
  readManifestList,
  readTableMetadata,
  rewritePlan,
  snapshotAsOf,
  tableFolders,
  unreachableFiles,
  unusedMetadataUpdates,
  type ExpireOptions,
  type Orphan,
  type OrphanOptions,
  type PreparedWrite,
  type ReachedFile,
  type RewriteManifestsOptions,
  type replaceSortOrder,
  type RewritePlanOptions,
  type Root,
  type TableCommit,
  type TableMetadata,
  type TableRequirement,
  type TableUpdate,
} from '../../iceberg/index.ts'
import type { Records } from '../../records/index.ts'
import { keepNames } from '../policy/past-names.ts'
import { rewriteGroup, type CompactDeps, type RewrittenGroup } from './compact.ts'
import { rewriteDeletes, type RewrittenDeletes } from '../write/rewrite-deletes.ts'

export type MaintenanceDeps = CompactDeps & {
  catalog: Pick<Catalog, 'catalogs' | 'list' | 'load' | 'commit'>
  clock: Clock
  /** Metadata files that no pointer names yet (open change sets): what they reach stays. */
  pendingMetadata(): Promise<string[]>
  /** Metadata files that publications since then replaced or dropped: rolling back needs them. */
  publishedMetadata(sinceMs: number): Promise<string[]>
}

export type MaintenanceOptions = {
  /** Who does it: the publication of the change carries the name. */
  by: string
  /** Works out what would be done and changes nothing. */
  dryRun?: boolean | undefined
  /** `done` of `total` (undefined: not known yet) of what `step` says. */
  onProgress?: ((step: string, done: number, total: number | undefined) => void) | undefined
  signal?: AbortSignal | undefined
}

/** Files that were deleted, or with `dryRun` would be. */
export type DeletedFiles = Record<ReachedFile['kind'], number>

export type Expired = {
  snapshots: { snapshotId: bigint; timestampMs: number }[]
  refs: string[]
  files: DeletedFiles
  /** Why no file was deleted although snapshots went. */
  filesKept?: string
}

export type Compacted = {
  /** Groups that were planned; with `dryRun` nothing of them was written. */
  planned: { files: number; bytes: number }[]
  rewritten: RewrittenGroup[]
}

export interface Maintenance {
  /** @throws REQUEST_INVALID for a snapshot that a branch or tag holds */
  expire(
    name: TableName,
    options: MaintenanceOptions &
      ExpireOptions & {
        /** Also drops schemas and partition specs that nothing uses any more. */
        cleanUnused?: boolean | undefined
        /** The metadata log keeps so many files from now on; those before them are deleted. Default: it is left alone. */
        keepMetadata?: number | undefined
      },
  ): Promise<Expired>
  /** @throws REQUEST_INVALID for an age below a day without `force`, and where the table forbids deletion */
  removeOrphans(
    name: TableName,
    options: MaintenanceOptions &
      Pick<OrphanOptions, 'olderThanMs' | 'force' | 'equalSchemes' | 'equalAuthorities' | 'onMismatch'> & {
        /** A folder within the table's own: only what lies there. */
        location?: string | undefined
      },
  ): Promise<{ files: number; bytes: number; paths: string[] }>
  /**
   * Files below the lake's root that no table, view or open change set has: of tables and environments that were dropped.
   * What was published in the last `keepMs` stays, so that a rollback finds it.
   */
  removeDropped(
    options: MaintenanceOptions & Pick<OrphanOptions, 'olderThanMs' | 'force'> & { root: string; keepMs?: number },
  ): Promise<{ files: number; bytes: number; paths: string[] }>
  compact(
    name: TableName,
    options: MaintenanceOptions &
      RewritePlanOptions & {
        /** Other files stay as they are. */
        only?: ReadonlySet<string> | undefined
        /** Default `main`. It must be there. */
        branch?: string | undefined
        /** Default: as the table says. */
        sortedBy?: Parameters<typeof replaceSortOrder>[1] | undefined
        /** Instead: along a curve through these columns (z-order). */
        curve?: readonly string[] | undefined
      },
  ): Promise<Compacted>
  rewriteManifests(
    name: TableName,
    options: MaintenanceOptions & Pick<RewriteManifestsOptions, 'targetBytes' | 'all' | 'specId' | 'sortBy'>,
  ): Promise<{ replaced: number; created: number }>
  /** `only`: of partitions in which one of these data files is. */
  rewriteDeleteFiles(
    name: TableName,
    options: MaintenanceOptions & { all?: boolean; only?: ReadonlySet<string> | undefined },
  ): Promise<RewrittenDeletes>
  /** Runs any change of a table until it wins or does not go together with what others did. */
  change(
    name: TableName,
    by: string,
    work: (metadata: TableMetadata) => { updates: readonly TableUpdate[]; requirements: readonly TableRequirement[] },
  ): Promise<LoadedTable>
}

const unknownSharer = (name: TableName, cause: Failure) =>
  new Failure(cause.code, `${showName(name)} may have the same files, and cannot be read: ${cause.message}`, {
    cause,
    hint: 'Nothing is deleted before. Mend that table, or drop it.',
  })

const attemptsMax = 20
const rollbackDefaultMs = 7 * 86_400_000
const deletedAtOnce = 1_000
const pathsKept = 1_000
const homesKept = 10_000

export function openMaintenance(deps: MaintenanceDeps): Maintenance {
  const { catalog, io, clock, manifests } = deps
  // By metadata file, which never changes: whoever goes over all tables need not open all others for each.
  const homes = new Map<string, Home>()

  async function load(name: TableName): Promise<LoadedTable> {
    const found = await catalog.load(name)
    if (!found) throw new Failure('TABLE_NOT_FOUND', `there is no table ${showName(name)}`)
    if (found.kind === 'view') throw new Failure('REQUEST_INVALID', `${showName(name)} is a view and has no files`)
    return found
  }

  /** Makes the change on the newest metadata, again and again while others are faster. Undefined: nothing to commit. */
  async function commit(
    name: TableName,
    by: string,
    work: (
      table: LoadedTable,
    ) => Promise<{ updates: readonly TableUpdate[]; requirements: readonly TableRequirement[] } | undefined>,
    signal?: AbortSignal,
  ): Promise<{ before: LoadedTable; after: LoadedTable } | undefined> {
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted()
      const before = await load(name)
      const change = await work(before)
      if (!change || change.updates.length === 0) return undefined
      try {
        const [after] = await catalog.commit([{ action: 'commit', kind: 'table', name: before.name, ...change }], {
          by,
        })
        return { before, after: after as LoadedTable }
      } catch (error) {
        if (!isConflict(error) || attempt >= attemptsMax) throw error
        await clock.sleep(clock.random() * Math.min(1_000, 10 * 2 ** attempt), signal)
      }
    }
  }

  /** Commits files that were prepared; what no table came to name goes again. */
  async function commitPrepared(
    name: TableName,
    prepared: PreparedWrite,
    options: MaintenanceOptions,
  ): Promise<TableMetadata> {
    let last: TableCommit | undefined
    try {
      const done = await commit(
        name,
        options.by,
        async ({ metadata }) => (last = await prepared.on(metadata, { nowMs: clock.now(), signal: options.signal })),
        options.signal,
      )
      await io.deleteAll(prepared.leftovers(last)).catch(() => {}) // else they are orphans
      return done!.after.metadata
    } catch (error) {
      // Whether it happened is not known: nothing that it may need is taken away.
      if (!(error instanceof Failure && error.code === 'COMMIT_UNKNOWN'))
        await io.deleteAll(prepared.leftovers()).catch(() => {})
      throw error
    }
  }

  /**
   * Without the snapshots whose manifest list is gone: a change set that was opened before an expiry and written down after
   * it names some. It is put on the newest state before it is published, or never.
   */
  async function stillThere(metadata: TableMetadata): Promise<TableMetadata> {
    const snapshots = await Array.fromAsync(metadata.snapshots, async (snapshot) =>
      snapshot.manifestList === undefined || (await io.stat(snapshot.manifestList)) ? [snapshot] : [],
    )
    return { ...metadata, snapshots: snapshots.flat() }
  }

  /**
   * Every other metadata that may reach files of the table: the same table in forked environments, tables whose folders
   * lie in each other, and change sets. Change sets are asked first: one that is published meanwhile is then found among
   * the pointers as well, never in neither.
   */
  async function sharers(table: LoadedTable): Promise<Root[]> {
    const roots: Root[] = []
    const home = homeOf(table.metadata)
    for (const location of await deps.pendingMetadata()) {
      // A change set that was closed and tidied up meanwhile has no files to keep.
      const metadata = (await io.stat(location)) && (await readTableMetadata(io, location).catch(undefinedIfView))
      if (metadata && isRelated(home, homeOf(metadata))) roots.push({ location, metadata: await stillThere(metadata) })
    }
    for (const other of await catalog.catalogs())
      for (const { name, kind, location } of await catalog.list(other)) {
        if (kind === 'view' || showName(name) === showName(table.name)) continue
        const known = homes.get(location)
        if (known && !isRelated(home, known)) continue
        const loaded = await catalog.load(name, { kind }).catch((error: unknown) => {
          throw error instanceof Failure ? unknownSharer(name, error) : error
        })
        if (loaded?.kind !== 'table') continue
        if (homes.size >= homesKept) homes.clear()
        homes.set(loaded.location, homeOf(loaded.metadata))
        if (isRelated(home, homeOf(loaded.metadata))) roots.push(loaded)
      }
    return roots
  }

  async function deleteAll(
    files: AsyncIterable<ReachedFile>,
    { dryRun, onProgress, signal }: MaintenanceOptions,
  ): Promise<DeletedFiles> {
    const counts: DeletedFiles = { metadata: 0, statistics: 0, 'manifest-list': 0, manifest: 0, data: 0, deletes: 0 }
    let batch: string[] = []
    let done = 0
    const flush = async () => {
      if (!dryRun) await io.deleteAll(batch, signal)
      batch = []
      onProgress?.(dryRun ? 'files found' : 'files deleted', done, undefined)
    }
    let last: ReachedFile['kind'] | undefined
    for await (const { kind, path } of files) {
      // What names a file goes only after the file: kinds are not mixed in one call.
      if (batch.length >= deletedAtOnce || kind !== last) await flush()
      last = kind
      batch.push(path)
      counts[kind]++
      done++
    }
    await flush()
    return counts
  }

  async function deleteOrphans(found: AsyncIterable<Orphan>, options: MaintenanceOptions) {
    const result = { files: 0, bytes: 0, paths: [] as string[] }
    async function* counted(): AsyncGenerator<ReachedFile> {
      for await (const { path, sizeBytes } of found) {
        result.files++
        result.bytes += sizeBytes
        if (result.paths.length < pathsKept) result.paths.push(path)
        yield { kind: 'data', path }
      }
    }
    await deleteAll(counted(), options)
    return result
  }

  return {
    change: async (name, by, work) =>
      (await commit(name, by, async ({ metadata }) => work(metadata)))?.after ?? (await load(name)),

    async expire(name, options) {
      const { dryRun, signal } = options
      let plan: ReturnType<typeof expirePlan> | undefined
      const work = async ({ metadata }: LoadedTable) => {
        plan = expirePlan(metadata, options, clock.now())
        const after = applyUpdates(metadata, plan.updates, { nowMs: clock.now() })
        const unused = options.cleanUnused
          ? (await unusedMetadataUpdates(io, after, { manifests, signal })).flatMap(keepNames(after))
          : []
        return {
          updates: [...plan.updates, ...unused, ...metadataLogUpdates(metadata, options.keepMetadata)],
          requirements: plan.requirements,
        }
      }
      let done: { before: LoadedTable; after: LoadedTable } | undefined
      if (dryRun) {
        const before = await load(name)
        const { updates } = await work(before)
        done = {
          before,
          after: {
            ...before,
            metadata: applyUpdates(before.metadata, updates, { nowMs: clock.now(), previous: before.location }),
          },
        }
      } else done = await commit(name, options.by, work, signal)
      const { snapshots, refs } = plan!
      const result = { snapshots: snapshots.map(({ snapshotId, timestampMs }) => ({ snapshotId, timestampMs })), refs }
      const none: DeletedFiles = { metadata: 0, statistics: 0, 'manifest-list': 0, manifest: 0, data: 0, deletes: 0 }
      if (!done) return { ...result, files: none }
      const [before, after] = [done.before.metadata, done.after.metadata]
      const old = options.keepMetadata === undefined ? [] : droppedMetadataFiles(before, after)
      if (snapshots.length === 0 && old.length === 0) return { ...result, files: none }
      const why = mayNotDelete(before)
      if (why) return { ...result, files: none, filesKept: why }
      const others = await sharers(done.after).catch((error: unknown) => {
        if (error instanceof Failure) return error
        throw error
      })
      // The snapshots are gone already; what only they had goes as orphans when the other table can be read again.
      if (others instanceof Failure) return { ...result, files: none, filesKept: others.message }
      const gone = unreachableFiles(io, before, after, {
        others: others.map(({ metadata }) => metadata),
        manifests,
        signal,
      })
      const named = new Set(
        others.flatMap(({ location, metadata }) => [
          location,
          ...metadata.metadataLog.map(({ metadataFile }) => metadataFile),
        ]),
      )
      async function* all(): AsyncGenerator<ReachedFile> {
        yield* gone
        for (const path of old) if (!named.has(path)) yield { kind: 'metadata', path }
      }
      return { ...result, files: await deleteAll(all(), options) }
    },

    async removeOrphans(name, options) {
      const table = await load(name)
      const why = mayNotDelete(table.metadata)
      if (why) throw new Failure('REQUEST_INVALID', `no file of ${showName(table.name)} may be deleted: ${why}`)
      const found = orphanFiles(io, {
        ...options,
        manifests,
        nowMs: clock.now(),
        folders: foldersToClean(table.metadata, options.location),
        roots: async () => {
          // The others first, for the same reason as in `sharers`.
          const others = await sharers(table)
          return [...others, await load(name)]
        },
      })
      return deleteOrphans(found, options)
    },

    async removeDropped({ root, keepMs = rollbackDefaultMs, ...options }) {
      const views: string[] = []
      const everything = async (): Promise<Root[]> => {
        const kept: Root[] = []
        const live = new Set<string>()
        const keep = async (location: string) => {
          const metadata = (await io.stat(location)) && (await readTableMetadata(io, location).catch(undefinedIfView))
          if (!metadata) views.push(folderOf(location))
          // Of a table that is there, older metadata may name what was expired since.
          else if (!live.has(metadata.tableUuid)) kept.push({ location, metadata })
        }
        for (const location of await deps.pendingMetadata()) await keep(location)
        for (const one of await catalog.catalogs())
          for (const { name, kind } of await catalog.list(one)) {
            const loaded = await catalog.load(name, { kind })
            if (loaded?.kind === 'table') {
              kept.push(loaded)
              live.add(loaded.metadata.tableUuid)
            } else if (loaded) views.push(loaded.metadata.location, folderOf(loaded.location))
          }
        for (const location of await deps.publishedMetadata(clock.now() - keepMs)) await keep(location)
        return kept
      }
      const found = orphanFiles(io, {
        ...options,
        manifests,
        nowMs: clock.now(),
        folders: [root],
        roots: everything,
        onMismatch: 'ignore',
      })
      return deleteOrphans(nobodys(found, root, views), options)
    },

    async compact(name, options) {
      const { signal, onProgress, branch } = options
      const rewritten: RewrittenGroup[] = []
      const scan = (metadata: TableMetadata) =>
        planScan(io, metadata, {
          ...(branch !== undefined && { snapshotId: snapshotAsOf(metadata, { ref: branch })?.snapshotId }),
          manifests,
          signal,
        })
      const planned = async () => {
        const table = await load(name)
        const { files } = await scan(table.metadata)
        const { only } = options
        const chosen = only ? files.filter(({ path }) => only.has(path)) : files
        return { table, groups: rewritePlan(table.metadata, chosen, options) }
      }
      const { groups: first } = await planned()
      const result = { planned: first.map(({ files, bytes }) => ({ files: files.length, bytes })), rewritten }
      if (options.dryRun) return result
      for (const [index, group] of first.entries()) {
        onProgress?.('groups rewritten', index, first.length)
        const wanted = new Set(group.files.map(({ path }) => path))
        for (let attempt = 1; ; attempt++) {
          signal?.throwIfAborted()
          // Each time as the table is now: files that others took meanwhile are left out, new deletes are applied.
          const table = await load(name)
          const { files, snapshot } = await scan(table.metadata)
          const still = files.filter(({ path }) => wanted.has(path))
          if (still.length === 0 || !snapshot) break
          try {
            rewritten.push(
              await rewriteGroup(deps, table, still, {
                ...options,
                startingSnapshotId: snapshot.snapshotId,
                commit: (prepared) => commitPrepared(name, prepared, options),
              }),
            )
            break
          } catch (error) {
            if (!isConflict(error) || attempt >= attemptsMax) throw error
            await clock.sleep(clock.random() * Math.min(1_000, 10 * 2 ** attempt), signal)
          }
        }
      }
      onProgress?.('groups rewritten', first.length, first.length)
      return result
    },

    async rewriteManifests(name, options) {
      const { dryRun, signal, targetBytes, all, specId, sortBy } = options
      for (let attempt = 1; ; attempt++) {
        const { metadata } = await load(name)
        const head = snapshotAsOf(metadata)
        if (!head) return { replaced: 0, created: 0 }
        if (dryRun) {
          const groups = manifestPlan(metadata, await readManifestList(io, metadata, head, { signal }), options)
          return {
            replaced: groups.reduce((sum, group) => sum + group.manifests.length, 0),
            created: groups.reduce((sum, { expected }) => sum + expected, 0),
          }
        }
        const prepared = await prepareRewriteManifests(io, metadata, {
          targetBytes,
          all,
          specId,
          sortBy,
          manifests,
          signal,
        })
        if (!prepared) return { replaced: 0, created: 0 }
        try {
          const after = await commitPrepared(name, prepared, options)
          const { summary } = after.snapshots.find(({ snapshotId }) => snapshotId === prepared.snapshotId)!
          return { replaced: Number(summary['manifests-replaced']), created: Number(summary['manifests-created']) }
        } catch (error) {
          if (!isConflict(error) || attempt >= attemptsMax) throw error
        }
      }
    },

    async rewriteDeleteFiles(name, options) {
      for (let attempt = 1; ; attempt++) {
        const table = await load(name)
        try {
          return await rewriteDeletes(deps, table, {
            ...options,
            commit: (prepared) => commitPrepared(name, prepared, options),
          })
        } catch (error) {
          if (!isConflict(error) || attempt >= attemptsMax) throw error
        }
      }
    },
  }
}

function foldersToClean(metadata: TableMetadata, location: string | undefined): string[] {
  const own = tableFolders(metadata)
  if (location === undefined) return own
  const folder = location.replace(/\/+$/, '')
  if (!/\/\.{1,2}(\/|$)/.test(folder) && own.some((one) => isWithin(folder, one))) return [folder]
  throw new Failure('REQUEST_INVALID', `${location} is no folder of the table: files of others may lie there`)
}

const isConflict = (error: unknown) => error instanceof Failure && error.code === 'COMMIT_CONFLICT'

function undefinedIfView(error: unknown): undefined {
  // A change set holds views too, and their metadata is no table's.
  if (!(error instanceof Failure && error.code === 'METADATA_INVALID')) throw error
}

/** What tells whether two tables may share files. */
type Home = { uuid: string; folders: readonly string[] }
const homeOf = (metadata: TableMetadata): Home => ({ uuid: metadata.tableUuid, folders: tableFolders(metadata) })

/** One uuid is one table in several environments; or one lies in a folder of the other. */
const isRelated = (one: Home, other: Home): boolean =>
  one.uuid === other.uuid ||
  one.folders.some((folder) => other.folders.some((near) => isWithin(near, folder) || isWithin(folder, near)))

/**
 * The property `gc.enabled=false` says that others may need the files. Where it stands only because an environment was
 * forked (`boathouse.shared`, catalog/tables.ts), we know those others and count what they reach.
 */
function mayNotDelete(metadata: TableMetadata): string | undefined {
  if (mayDeleteFiles(metadata)) return undefined
  const { properties } = metadata
  const isFork = properties['boathouse.shared'] !== undefined && properties['boathouse.shared'] !== 'false'
  return isFork ? undefined : 'its property "gc.enabled" is false, because other tables may use the same files'
}

/** The log is cut to its property with every commit, so a commit that sets the property cuts it. */
function metadataLogUpdates({ properties, metadataLog }: TableMetadata, keep: number | undefined): TableUpdate[] {
  const name = 'write.metadata.previous-versions-max'
  if (keep === undefined || (properties[name] === String(keep) && metadataLog.length <= keep)) return []
  return [{ action: 'set-properties', updates: { [name]: String(keep) } }]
}

/** Not what lies in the root itself (the owner's mark), and not what is a view's. */
async function* nobodys(found: AsyncIterable<Orphan>, root: string, views: readonly string[]): AsyncGenerator<Orphan> {
  for await (const file of found)
    if (folderOf(file.path) !== root.replace(/\/+$/, '') && !views.some((view) => isWithin(file.path, view))) yield file
}
const folderOf = (location: string) => location.slice(0, location.lastIndexOf('/'))

/** The metadata files that publications since a moment put in place, replaced or dropped. */
export async function publishedMetadata(records: Records, sinceMs: number): Promise<string[]> {
  const rows = await records.catalog
    .selectFrom('publication_tables')
    .innerJoin('publications', 'publications.id', 'publication_tables.publication_id')
    .select(['publication_tables.from_location', 'publication_tables.to_location'])
    .where('publications.published_at', '>=', new Date(sinceMs).toISOString())
    .execute()
  return rows.flatMap(({ from_location, to_location }) => [from_location ?? [], to_location ?? []].flat())
}

/** The metadata files of change sets that are not published yet. */
export async function pendingMetadata(records: Records): Promise<string[]> {
  const rows = await records.catalog
    .selectFrom('change_set_entries')
    .innerJoin('change_sets', 'change_sets.id', 'change_set_entries.change_set_id')
    .select('change_set_entries.metadata_location')
    .where('change_sets.status', '=', 'open')
    .where('change_set_entries.kind', '=', 'table')
    .execute()
  return rows.flatMap(({ metadata_location }) => metadata_location ?? [])
}
