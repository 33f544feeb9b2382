// Loads what pointers point to. Metadata files never change, so a parsed one is kept under its location.

import { randomUUID } from 'node:crypto'
import { Failure } from '../base/failure.ts'
import {
  newTableMetadata,
  newViewMetadata,
  readTableMetadata,
  readViewMetadata,
  type TableMetadata,
  type ViewMetadata,
} from '../iceberg/index.ts'
import type { FileIO } from '../io/index.ts'
import { showName, type TableName } from './names.ts'
import type { Pointer, Pointers } from './pointers.ts'

export type LoadedTable = { kind: 'table'; name: TableName; location: string; metadata: TableMetadata }
export type LoadedView = { kind: 'view'; name: TableName; location: string; metadata: ViewMetadata }
export type Loaded = LoadedTable | LoadedView

export interface Tables {
  /** Whether `list` tells in one request how all names of a catalog stand at one moment. */
  readonly listsOneMoment: boolean
  /** By exact name, else by the only name that differs in case; undefined when there is none. */
  load(name: TableName, signal?: AbortSignal): Promise<Loaded | undefined>
  /** What a pointer points to. */
  open(pointer: Pointer, signal?: AbortSignal): Promise<Loaded>
  /** Metadata that was just written need not be read. */
  keep(loaded: Loaded): void
  list(catalog: string, namespace?: string): Promise<Pointer[]>
  /** Whether all of these were current together, at one moment after they were loaded. */
  stillCurrent(loaded: readonly Pick<Loaded, 'name' | 'location'>[]): Promise<boolean>
}

/** So many tables of few snapshots, of a few KiB each: a list of a large catalog asks for all of them, again and again. */
const keptMax = 20_000
/** So many snapshots weigh as much as a table without any. */
const snapshotsOfOne = 5

/** `kept`: of how many tables metadata is kept in memory. */
export function openTables(
  pointers: Pick<Pointers, 'list' | 'pointer' | 'pointers'>,
  io: FileIO,
  options: { kept?: number } = {},
): Tables {
  const kept = options.kept ?? keptMax
  const cache = new Map<string, { metadata: Promise<TableMetadata | ViewMetadata>; weight: number }>()
  let weight = 0

  const remember = <Metadata extends TableMetadata | ViewMetadata>(
    location: string,
    read: () => Promise<Metadata>,
  ): Promise<Metadata> => {
    const known = cache.get(location)?.metadata as Promise<Metadata> | undefined
    if (known) return known
    const fresh = read()
    store(location, fresh)
    fresh.catch(() => drop(location))
    return fresh
  }

  function store(location: string, metadata: Promise<TableMetadata | ViewMetadata>) {
    drop(location)
    const entry = { metadata, weight: 1 }
    cache.set(location, entry)
    weigh(1)
    const more = (found: TableMetadata | ViewMetadata) => {
      if (cache.get(location) !== entry) return
      const snapshots = 'snapshots' in found ? found.snapshots.length / snapshotsOfOne : 0
      entry.weight += snapshots
      weigh(snapshots)
    }
    metadata.then(more, () => {}) // told to who asked
  }

  function weigh(more: number): void {
    weight += more
    for (const [oldest] of cache) {
      if (weight <= kept || cache.size === 1) return
      drop(oldest)
    }
  }

  function drop(location: string): void {
    weight -= cache.get(location)?.weight ?? 0
    cache.delete(location)
  }

  // The signal of one asker must not fail what another asker waits for, so reads of metadata are not cancelled.
  const open = async ({ name, kind, location, shared }: Pointer): Promise<Loaded> => {
    if (kind === 'view')
      return { kind, name, location, metadata: await remember(location, () => readViewMetadata(io, location)) }
    const metadata = await remember(location, () => readTableMetadata(io, location))
    return { kind, name, location, metadata: asShared(metadata, shared) }
  }

  return {
    listsOneMoment: true,
    open,
    keep: ({ location, metadata }) => store(location, Promise.resolve(metadata)),
    list: (name, namespace) => pointers.list(name, namespace),
    async stillCurrent(loaded) {
      const now = new Map(
        (await pointers.pointers(loaded.map(({ name }) => name))).map(({ name, location }) => [
          showName(name),
          location,
        ]),
      )
      return loaded.every(({ name, location }) => now.get(showName(name)) === location)
    },
    async load(name) {
      const pointer = await pointers.pointer(name)
      if (pointer) return open(pointer)
      const alike = onlyAlike(name, await pointers.list(name.catalog))
      return alike && open(alike)
    },
  }
}

/** The only entry whose name differs in case at most. @throws TABLE_NOT_FOUND naming them when there are several */
export function onlyAlike(name: TableName, entries: readonly Pointer[]): Pointer | undefined {
  const lower = showName(name).toLowerCase()
  const alike = entries.filter((other) => showName(other.name).toLowerCase() === lower)
  if (alike.length <= 1) return alike[0]
  const names = alike.map((other) => showName(other.name)).join(' or ')
  throw new Failure('TABLE_NOT_FOUND', `${showName(name)} could be ${names}`, {
    hint: 'Write the name as it is, in double quotes.',
  })
}

const unreadable: readonly string[] = ['METADATA_INVALID', 'UNSUPPORTED', 'TABLE_NOT_FOUND', 'FORBIDDEN']

/**
 * An entry as lists show it and as it may be dropped, whether its metadata can be read or not: one broken table hides no
 * other. It has no columns then, and the reason for its comment.
 */
export async function openWhatever(tables: Pick<Tables, 'open'>, pointer: Pointer): Promise<Loaded> {
  try {
    return await tables.open(pointer)
  } catch (error) {
    if (!(error instanceof Failure && unreadable.includes(error.code))) throw error
    const loaded = standIn(pointer, `cannot be read: ${error.message}`)
    reasons.set(loaded.metadata, error.message)
    return loaded
  }
}

const reasons = new WeakMap<TableMetadata | ViewMetadata, string>()
/** Of what `openWhatever` could not read. */
export const whyUnreadable = ({ metadata }: Loaded): string | undefined => reasons.get(metadata)

function standIn({ name, kind, location }: Pointer, comment: string): Loaded {
  const about = { uuid: randomUUID(), location, nowMs: 0, schema: [], properties: { comment } }
  if (kind === 'table') return { kind, name, location, metadata: newTableMetadata(about) }
  const representations = [{ type: 'sql' as const, sql: comment, dialect: 'none' }]
  const version = { representations, defaultNamespace: [name.namespace] }
  return { kind, name, location, metadata: newViewMetadata({ ...about, ...version }) }
}

const sharedMark = 'boathouse.shared'
const adjusted = new WeakMap<TableMetadata, Map<string, TableMetadata>>()

/**
 * A table whose files another environment has too refuses that its files are deleted, and writes to a place of its own.
 * When the sharing has ended, what was written down for it goes again. The same metadata gives the same object.
 */
function asShared(metadata: TableMetadata, shared: Pointer['shared']): TableMetadata {
  const isMarked = metadata.properties[sharedMark] !== undefined
  if (!shared && !isMarked) return metadata
  const home = shared?.home
  const known = adjusted.get(metadata) ?? new Map<string, TableMetadata>()
  adjusted.set(metadata, known)
  const key = JSON.stringify([shared !== undefined, home])
  const { [sharedMark]: mark, 'gc.enabled': gc, ...properties } = metadata.properties
  // Folders that a table names outside of its location would be written by both.
  const { 'write.data.path': _data, 'write.metadata.path': _metadata, ...own } = properties
  const location = home ?? metadata.location
  const next = known.get(key) ?? {
    ...metadata,
    location,
    properties: shared
      ? {
          ...(home === undefined || home === metadata.location ? properties : own),
          'gc.enabled': 'false',
          [sharedMark]: mark ?? gc ?? '',
        }
      : { ...properties, ...(mark ? { 'gc.enabled': mark } : {}) },
  }
  known.set(key, next)
  return next
}
