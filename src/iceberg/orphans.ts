// Files below a table's location that no metadata reaches: what crashes, lost races and given up writes left behind.
//
// Three kinds of files look like orphans and are none. What another table reaches, when environments were forked from
// this one or locations lie inside each other: their metadata must be among the roots. What a change set holds that is
// not published yet: likewise. And what a writer is making right now, which only its age tells: a file is nobody's only
// when it has been so for days.

import { Failure } from '../base/failure.ts'
import type { FileIO } from '../io/index.ts'
import type { ReadOptions } from './manifest.ts'
import { dataFolder, metadataFolder } from './metadata.ts'
import type { TableMetadata } from './metadata-types.ts'
import { filesInBatches, reachableFiles, splitLocation, type Root } from './reachable.ts'

const hourMs = 3_600_000
export const orphanAgeDefaultMs = 72 * hourMs
const orphanAgeMinMs = 24 * hourMs

export type OrphanOptions = ReadOptions & {
  /**
   * Every metadata that may reach files below the locations, the table's own among them. Asked after the files were
   * listed, for each batch again: what was committed meanwhile is seen.
   */
  roots: () => Promise<readonly Root[]>
  /** Folders to look through: `tableFolders`. */
  folders: readonly string[]
  nowMs: number
  /** Files younger than this stay. Default 3 days; REQUEST_INVALID below one day unless `force`. */
  olderThanMs?: number | undefined
  force?: boolean | undefined
  /** Schemes that are the same store, as Spark's `equal_schemes`. `s3a` and `s3n` are always `s3`. */
  equalSchemes?: Readonly<Record<string, string>> | undefined
  /** Hosts or buckets that are the same one under two names, as Spark's `equal_authorities`. */
  equalAuthorities?: Readonly<Record<string, string>> | undefined
  /**
   * A file whose path is reached, but under another scheme or authority: is it the same file? `error` (default) asks a
   * person to say so by the two options above, `ignore` keeps it, `delete` takes it for an orphan.
   */
  onMismatch?: 'error' | 'ignore' | 'delete' | undefined
  /** Default 100,000 paths are held in memory at a time. */
  batchFiles?: number | undefined
}

export type Orphan = { path: string; sizeBytes: number; modifiedAtMs: number }

/** Where a table writes: its location, and the folders that its properties name outside of it. */
export function tableFolders(metadata: TableMetadata): string[] {
  const home = metadata.location.replace(/\/+$/, '')
  const others = [dataFolder(metadata), metadataFolder(metadata), metadata.properties['write.object-storage.path']]
  return [
    home,
    ...new Set(others.flatMap((one) => (one === undefined || isWithin(one, home) ? [] : [one.replace(/\/+$/, '')]))),
  ]
}

export const isWithin = (location: string, folder: string): boolean =>
  `${location.replace(/\/+$/, '')}/`.startsWith(`${folder.replace(/\/+$/, '')}/`)

/**
 * The orphans, in batches' order. All roots are read for each batch, so a large folder costs time and not memory.
 * METADATA_INVALID when a root's file cannot be read: then nothing is known to be an orphan.
 */
export async function* orphanFiles(io: FileIO, options: OrphanOptions): AsyncGenerator<Orphan> {
  const { roots, folders, nowMs, olderThanMs = orphanAgeDefaultMs, force = false, onMismatch = 'error' } = options
  if (olderThanMs < orphanAgeMinMs && !force)
    throw new Failure(
      'REQUEST_INVALID',
      `files younger than 24 hours may belong to a write that is under way: ${olderThanMs / hourMs} hours are too few`,
      { hint: 'Only when certainly nobody writes to the table, force it.' },
    )
  const schemes: Record<string, string> = { s3a: 's3', s3n: 's3', ...options.equalSchemes }
  const parts = (location: string) => {
    const { scheme, authority, path } = splitLocation(location)
    return {
      store: `${schemes[scheme] ?? scheme}://${options.equalAuthorities?.[authority] ?? authority}`,
      path,
    }
  }

  for await (const batch of filesInBatches(
    listed(io, folders, nowMs - olderThanMs, options.signal),
    options.batchFiles,
  )) {
    const candidates = Map.groupBy(batch.values(), ({ path }) => parts(path).path)
    const mismatched = new Map<string, string>()
    for await (const { path: reached } of reachableFiles(io, await roots(), options)) {
      const { store, path } = parts(reached)
      const found = candidates.get(path)
      if (!found) continue
      const others = found.filter((file) => parts(file.path).store !== store)
      if (others.length === 0) {
        candidates.delete(path)
        mismatched.delete(path)
      } else if (others.length < found.length) candidates.set(path, others)
      else if (onMismatch === 'ignore') candidates.delete(path)
      else if (onMismatch === 'error') mismatched.set(path, reached)
    }
    const [doubtful] = mismatched
    if (doubtful) {
      const [path, reached] = doubtful
      const name = candidates.get(path)?.[0]?.path ?? path
      throw new Failure(
        'REQUEST_INVALID',
        `${name} looks like an orphan, but the table names the same path as ${reached}; nothing was deleted`,
        { hint: 'Say which schemes or authorities are equal, or what to do about files that differ in them.' },
      )
    }
    for (const files of candidates.values()) yield* files
  }
}

/** Files that are old enough, each folder once even where one lies in another. */
async function* listed(
  io: FileIO,
  folders: readonly string[],
  beforeMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Orphan> {
  const outer = folders.filter((one, index) =>
    folders.every((other, at) => at === index || !isWithin(one, other) || (one === other && at > index)),
  )
  for (const folder of outer)
    for await (const file of io.list(folder, signal)) if (file.modifiedAtMs < beforeMs) yield file
}
