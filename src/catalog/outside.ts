// Tables whose names another catalog keeps: reading them as our own, and publishing a change set there.
//
// Several tables are one request where that catalog has transactions; views and drops follow, and without transactions the
// tables go one by one. Each step can be repeated: what the catalog has already is left out, so a publication that a crash
// or a lost answer interrupted is rolled forward by publishing again.

import { Failure } from '../base/failure.ts'
import {
  currentViewVersion,
  followedBy,
  parseTableRequirement,
  parseTableUpdate,
  parseViewUpdate,
  parseJson,
  printJson,
  tableRequirementJson,
  tableUpdateJson,
  viewUpdateJson,
  type TableChange,
  type TableRequirement,
  type TableUpdate,
  type ViewRequirement,
  type ViewUpdate,
} from '../iceberg/index.ts'
import type { FileIO } from '../io/index.ts'
import type { Catalog, CatalogChange } from './catalog.ts'
import { showName } from './names.ts'
import type { PendingChange } from './publications.ts'
import { onlyAlike, openTables, type Loaded, type Tables } from './tables.ts'

/** What a catalog is asked to do, as REST has it. Part of a pending change, so that another process can ask as well. */
export type CommitText = string
type CommitJson = { requirements: unknown[]; updates: unknown[] }

export const tableCommitText = (
  requirements: readonly TableRequirement[],
  updates: readonly TableUpdate[],
  after?: CommitText | null,
): CommitText => {
  const change = { requirements: [...requirements], updates: [...updates] }
  const whole = after ? followedBy(tableChangeOf(parseJson(after) as CommitJson), change) : change
  return printJson({
    requirements: whole.requirements.map(tableRequirementJson),
    updates: whole.updates.map(tableUpdateJson),
  })
}
const tableChangeOf = ({ requirements, updates }: CommitJson): TableChange => ({
  requirements: requirements.map(parseTableRequirement),
  updates: updates.map(parseTableUpdate),
})
export const viewCommitText = (requirements: readonly ViewRequirement[], updates: readonly ViewUpdate[]): CommitText =>
  printJson({ requirements, updates: updates.map(viewUpdateJson) })

function changeOf({ name, kind, base, location, commit, action }: PendingChange): CatalogChange | 'register' {
  if (location === null) return { action: 'drop', kind, name, ...(base === null ? {} : { base }) }
  if (commit === null) {
    if (action === 'create') return 'register'
    throw new Failure('UNSUPPORTED', `${showName(name)} cannot be taken back in a catalog of others`)
  }
  const asked = parseJson(commit) as CommitJson
  const { requirements, updates } = asked
  return kind === 'table'
    ? { action: 'commit', kind, name, ...tableChangeOf(asked) }
    : {
        action: 'commit',
        kind,
        name,
        requirements: requirements as ViewRequirement[],
        updates: updates.map(parseViewUpdate),
      }
}

/** Publishes there. Answers where each table's metadata is now. @throws COMMIT_CONFLICT naming the table */
export async function commitOutside(
  catalog: Catalog,
  pending: readonly PendingChange[],
  by: string,
): Promise<Map<string, string>> {
  const told = await commitAtOnce(catalog, pending, by)
  if (told) return new Map([[showName(told.name), told.location]])
  // New tables cannot be part of a transaction everywhere, so they come first: nobody reads them yet.
  const order = ({ location, kind, action }: PendingChange) =>
    location === null ? 3 : kind === 'view' ? 2 : action === 'create' ? 0 : 1
  const left: PendingChange[] = []
  const known = new Map<string, Loaded | undefined>()
  for (const change of pending.toSorted((a, b) => order(a) - order(b))) {
    const now = await catalog.load(change.name)
    known.set(showName(change.name), now)
    if (!isThere(change, now)) left.push(change)
  }
  for (const { name } of left.filter(({ action }) => action === 'create'))
    if ((await catalog.namespace(name.catalog, name.namespace)) === undefined)
      await catalog.createNamespace(name.catalog, name.namespace)
  const commits: CatalogChange[] = []
  for (const change of left) {
    const asked = changeOf(change)
    if (asked === 'register') {
      const made = await catalog.register(change.name, change.location!, { kind: change.kind, by })
      known.set(showName(change.name), made)
    } else {
      // A name that was a view is a table now, or the other way round.
      const now = asked.action === 'commit' ? known.get(showName(change.name)) : undefined
      if (now && now.kind !== change.kind) commits.push({ action: 'drop', kind: now.kind, name: change.name })
      commits.push(asked)
    }
  }
  try {
    if (commits.length > 0)
      for (const loaded of await catalog.commit(commits, { by })) known.set(showName(loaded.name), loaded)
  } catch (error) {
    throw error instanceof Failure && error.code === 'COMMIT_CONFLICT' ? named(error, left) : error
  }
  const locations = new Map<string, string>()
  for (const { name, location } of pending) {
    const now = location === null ? undefined : known.get(showName(name))
    if (now) locations.set(showName(name), now.location)
  }
  return locations
}

/**
 * A change of one table that was there: its requirements hold only once, so the catalog need not be asked before whether it
 * has it already. Undefined where that is to be asked.
 */
async function commitAtOnce(catalog: Catalog, pending: readonly PendingChange[], by: string) {
  const [change] = pending
  const isPlain = change?.kind === 'table' && change.base !== null && change.location !== null && change.commit !== null
  if (!isPlain || pending.length > 1) return undefined
  try {
    return (await catalog.commit([changeOf(change) as CatalogChange], { by }))[0]
  } catch (error) {
    if (error instanceof Failure && lookAgain.has(error.code)) return undefined
    throw error
  }
}
const lookAgain: ReadonlySet<string> = new Set(['COMMIT_CONFLICT', 'TABLE_NOT_FOUND', 'ALREADY_EXISTS'])

/** Whether an interrupted publication got this far. */
function isThere({ location, commit, toSnapshot }: PendingChange, now: Loaded | undefined): boolean {
  if (location === null) return now === undefined
  if (!now || commit === null) return false
  const { updates } = parseJson(commit) as CommitJson
  if (now.kind === 'table') {
    const { snapshots, currentSnapshotId } = now.metadata
    if (toSnapshot === null || !snapshots.some(({ snapshotId }) => snapshotId.toString() === toSnapshot)) return false
    // A rollback names a snapshot that was there before.
    return updates.some((update) => (update as { action: string }).action === 'add-snapshot')
      ? true
      : currentSnapshotId?.toString() === toSnapshot
  }
  const version = currentViewVersion(now.metadata)
  const wanted = updates
    .map((update) => update as { action: string; 'view-version'?: { representations: unknown } })
    .find(({ action }) => action === 'add-view-version')
  return JSON.stringify(version?.representations) === JSON.stringify(wanted?.['view-version']?.representations)
}

function named(conflict: Failure, pending: readonly PendingChange[]): Failure {
  if (conflict.context['table'] !== undefined) return conflict
  const about = pending.find(({ name }) => conflict.message.includes(showName(name))) ?? pending[0]
  return about ? conflict.with({ table: showName(about.name) }) : conflict
}

const keptMax = 1_000

/** The tables of another catalog, and metadata files of change sets that it does not know. */
export function outsideTables(catalog: Catalog, io: FileIO): Tables {
  const none = { list: async () => [], pointer: async () => undefined, pointers: async () => [] }
  const files = openTables(none, io)
  const known = new Map<string, Loaded>()
  const remember = (loaded: Loaded) => {
    known.delete(loaded.location)
    known.set(loaded.location, loaded)
    if (known.size > keptMax) known.delete(known.keys().next().value!)
    return loaded
  }
  return {
    listsOneMoment: false,
    async load(name) {
      const exact = await catalog.load(name)
      if (exact) return remember(exact)
      const alike = onlyAlike(name, await catalog.list(name.catalog))
      const found = alike && (await catalog.load(alike.name))
      return found && remember(found)
    },
    async open(pointer) {
      const before = known.get(pointer.location)
      if (before) return { ...before, name: pointer.name }
      const now = await catalog.load(pointer.name)
      if (now?.location === pointer.location) return remember(now)
      return files.open(pointer)
    },
    keep: (loaded) => files.keep(loaded),
    list: (name, namespace) => catalog.list(name, namespace),
    stillCurrent: (loaded) => catalog.stillCurrent(loaded),
  }
}
