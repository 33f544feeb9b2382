// Deletes the files of a table that was dropped for good. A fork shares files with what it was forked from, and anybody
// may have registered the table under a second name: then nothing is deleted, and the removal of orphans takes it later.

import { Failure } from '../base/failure.ts'
import { mapAhead, mayDeleteFiles, reachableFiles, type TableMetadata } from '../iceberg/index.ts'
import { isLocal, localPath, type FileIO } from '../io/index.ts'
import type { Pointers } from './pointers.ts'
import type { Loaded, Tables } from './tables.ts'

type Parts = { pointers: Pick<Pointers, 'catalogs' | 'list'>; tables: Pick<Tables, 'open'>; io: FileIO }

/**
 * Deletes every file of the dropped table that lies in its own folder. Gives how many, or 'shared' when another table
 * reaches into it. Files elsewhere stay: a manifest may name anything. FORBIDDEN with `gc.enabled=false`.
 */
export async function purgeFiles({ pointers, tables, io }: Parts, dropped: Loaded): Promise<number | 'shared'> {
  const { location, metadata } = dropped
  if (dropped.kind === 'view') return (await io.delete(location)) ? 1 : 0
  const table = metadata as TableMetadata
  if (!mayDeleteFiles(table))
    throw new Failure('FORBIDDEN', `the files of ${table.location} are shared (gc.enabled=false)`)
  const folder = folderOf(table.location)
  const isOwn = (path: string) => folderOf(path).startsWith(folder)
  for (const catalog of await pointers.catalogs())
    for (const pointer of await pointers.list(catalog)) {
      if (isOwn(pointer.location)) return 'shared'
      const other = await tables.open(pointer)
      if (reaches(other, folder)) return 'shared'
    }
  // What leads to other files goes last, so that the walk does not lose its way.
  const leading: string[] = []
  async function* content(): AsyncGenerator<string> {
    for await (const { kind, path } of reachableFiles(io, [{ location, metadata: table }]))
      if (!isOwn(path)) continue
      else if (kind === 'data' || kind === 'deletes') yield path
      else leading.push(path)
  }
  let count = 0
  for await (const isGone of mapAhead(content(), deletesAtOnce, (path) => io.delete(path))) count += isGone ? 1 : 0
  for (const path of leading) count += (await io.delete(path)) ? 1 : 0
  return count
}

const deletesAtOnce = 16

/** Whether the other one lies in the folder or has a snapshot whose manifest list does. */
function reaches(other: Loaded, folder: string): boolean {
  const place = folderOf(other.metadata.location)
  if (place.startsWith(folder) || folder.startsWith(place)) return true
  if (other.kind === 'view') return false
  return other.metadata.snapshots.some(({ manifestList, manifests = [] }) =>
    [manifestList, ...manifests].some((path) => path !== undefined && folderOf(path).startsWith(folder)),
  )
}

/** With a slash at its end, so that `/a/t1` is not inside of `/a/t`. */
function folderOf(location: string): string {
  const path = isLocal(location) ? localPath(location) : location.replace(/^s3[an]:/i, 's3:')
  return `${path.replace(/\/+$/, '')}/`
}
