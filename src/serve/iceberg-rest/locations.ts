// Where tables may lie. Our own process writes metadata to the location of a table and reads what a registered file
// names, so a client must not lead it outside the lake and the places that the project allows.

import { Failure } from '../../base/failure.ts'
import { folderName, freshFolder, levelsOf, type TableName } from '../../catalog/index.ts'
import type { TableUpdate, ViewUpdate } from '../../iceberg/index.ts'
import { comparableLocation, isInFolder, isLocal, joinLocation } from '../../io/index.ts'

export type Locations = {
  /** A folder of its own in the root of the lake. */
  fresh(name: TableName): string
  /** Where the tables of a namespace go. */
  of(namespace: Pick<TableName, 'catalog' | 'namespace'>): string
  /** The location as it was given, without slashes at its end. @throws FORBIDDEN */
  check(location: string): string
  /** Whether a path lies in a folder. */
  isInside(folder: string, path: string): boolean
  /** Whether a location is one that `fresh` may have given for a table of this name. */
  isFresh(name: TableName, location: string): boolean
  /** What a client commits: locations, paths in properties, manifest lists. @throws FORBIDDEN */
  checkUpdates(updates: readonly (TableUpdate | ViewUpdate)[]): void
  checkProperties(properties: Readonly<Record<string, string>>): void
}

/** Properties that say where files are written. */
const pathProperties = [
  'write.metadata.path',
  'write.data.path',
  'write.object-storage.path',
  'write.folder-storage.path',
]

export function openLocations(root: string, more: readonly string[]): Locations {
  const allowed = [root, ...more].map(comparableLocation)

  function check(location: string): string {
    const path =
      isLocal(location) || /^[a-z][a-z0-9+.-]*:\/\/[^/]+\//i.test(location) ? comparableLocation(location) : ''
    const isClean = !path.split('/').some((part) => part === '.' || part === '..') && !/\p{Cc}/u.test(path)
    if (isClean && allowed.some((prefix) => path.startsWith(`${prefix}/`))) return location.replace(/\/+$/, '')
    throw new Failure('FORBIDDEN', `tables may not lie at ${location.slice(0, 300)}`, {
      hint: 'Leave the location out, or have its folder allowed by the setting catalog.locations.',
    })
  }

  function checkProperties(properties: Readonly<Record<string, string>>): void {
    for (const key of pathProperties) if (properties[key] !== undefined) check(properties[key])
  }

  const of: Locations['of'] = ({ catalog, namespace }) =>
    joinLocation(root, ...[catalog, ...levelsOf(namespace)].map(folderName))

  return {
    fresh: (name) => joinLocation(of(name), freshFolder(name.name)),
    of,
    isInside: (folder, path) => isInFolder(path, folder),
    isFresh(name, location) {
      const start = comparableLocation(joinLocation(of(name), folderName(name.name)))
      const given = comparableLocation(location)
      return given.startsWith(`${start}-`) && /^-[0-9a-f]{8}$/.test(given.slice(start.length))
    },
    check,
    checkProperties,
    checkUpdates(updates) {
      for (const update of updates) {
        if (update.action === 'set-location') check(update.location)
        if (update.action === 'set-properties') checkProperties(update.updates)
        if (update.action === 'add-snapshot' && update.snapshot.manifestList !== undefined)
          check(update.snapshot.manifestList)
      }
    },
  }
}
