// Loads what pointers point to. Metadata files never change, so a parsed one is kept under its location.

import { Failure } from '../base/failure.ts'
import { readTableMetadata, readViewMetadata, type TableMetadata, type ViewMetadata } from '../iceberg/index.ts'
import type { FileIO } from '../io/index.ts'
import type { Catalog, Pointer } from './catalog.ts'
import { showName, type TableName } from './names.ts'

export type LoadedTable = { kind: 'table'; name: TableName; location: string; metadata: TableMetadata }
export type LoadedView = { kind: 'view'; name: TableName; location: string; metadata: ViewMetadata }
export type Loaded = LoadedTable | LoadedView

export interface Tables {
  /** By exact name, else by the only name that differs in case; undefined when there is none. */
  load(name: TableName, signal?: AbortSignal): Promise<Loaded | undefined>
  /** What a pointer points to. */
  open(pointer: Pointer, signal?: AbortSignal): Promise<Loaded>
  list(catalog: string, namespace?: string): Promise<Pointer[]>
  /** Whether all of these were current together, at one moment after they were loaded. */
  stillCurrent(loaded: readonly Pick<Loaded, 'name' | 'location'>[]): Promise<boolean>
}

export function openTables(catalog: Catalog, io: FileIO, options: { kept?: number } = {}): Tables {
  const kept = options.kept ?? 1_000
  const cache = new Map<string, Promise<TableMetadata | ViewMetadata>>()

  const remember = <Metadata extends TableMetadata | ViewMetadata>(
    location: string,
    read: () => Promise<Metadata>,
  ): Promise<Metadata> => {
    const known = cache.get(location) as Promise<Metadata> | undefined
    if (known) return known
    const fresh = read()
    cache.set(location, fresh)
    fresh.catch(() => cache.delete(location))
    if (cache.size > kept) cache.delete(cache.keys().next().value!)
    return fresh
  }

  // The signal of one asker must not fail what another asker waits for, so reads of metadata are not cancelled.
  const open = async ({ name, kind, location }: Pointer): Promise<Loaded> =>
    kind === 'view'
      ? { kind, name, location, metadata: await remember(location, () => readViewMetadata(io, location)) }
      : { kind, name, location, metadata: await remember(location, () => readTableMetadata(io, location)) }

  return {
    open,
    list: (name, namespace) => catalog.list(name, namespace),
    async stillCurrent(loaded) {
      const now = new Map(
        (await catalog.pointers(loaded.map(({ name }) => name))).map(({ name, location }) => [
          showName(name),
          location,
        ]),
      )
      return loaded.every(({ name, location }) => now.get(showName(name)) === location)
    },
    async load(name) {
      const pointer = await catalog.pointer(name)
      if (pointer) return open(pointer)
      const lower = showName(name).toLowerCase()
      const alike = (await catalog.list(name.catalog)).filter((other) => showName(other.name).toLowerCase() === lower)
      if (alike.length > 1)
        throw new Failure(
          'TABLE_NOT_FOUND',
          `${showName(name)} could be ${alike.map((other) => showName(other.name)).join(' or ')}`,
          {
            hint: 'Write the name as it is, in double quotes.',
          },
        )
      return alike[0] && open(alike[0])
    },
  }
}
