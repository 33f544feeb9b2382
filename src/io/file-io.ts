// The seam between tables and bytes. Everything above speaks of locations; only the implementations of this
// interface know what a location is: a file of the local disk, an object of a store, an entry of a map in a test.
//
// A location is an absolute path (`/lake/t/data/a.parquet`) or a URI (`file:///lake/t/data/a.parquet`). Both name
// the same file. `s3://bucket/key` (also `s3a:`, `s3n:`) is an object of a store. Locations are never percent-decoded:
// `file:///a%20b` is the folder `a%20b`, as PyIceberg, Hadoop and DuckDB read it, and partition folders rely on it.

/** `path` is the location spelled as the caller spelled its prefix. */
export type FileStat = { path: string; sizeBytes: number; modifiedAtMs: number }

/** Expected answers ("not there", "already there") are values; everything else fails with STORAGE_FAILED. */
export interface FileIO {
  /** The whole file, or undefined when it does not exist. */
  read(path: string, signal?: AbortSignal): Promise<Uint8Array | undefined>
  /** `length` bytes from `offset`, fewer at the end of the file; undefined when it does not exist. */
  readRange(path: string, offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array | undefined>
  /** Creates the file whole and durably; false, and nothing changed, when it already exists. Folders are made. */
  create(path: string, bytes: Uint8Array, signal?: AbortSignal): Promise<boolean>
  /**
   * Creates the file from one of the local disk, as `create` does. The local file is not to change afterwards (on one
   * disk both may be the same bytes); deleting it is the caller's.
   */
  upload(path: string, localFile: string, signal?: AbortSignal): Promise<boolean>
  /** Creates or replaces the file: readers see the old bytes or the new ones. Folders are made. */
  write(path: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void>
  /** False when there was nothing to delete. */
  delete(path: string, signal?: AbortSignal): Promise<boolean>
  /** Deletes what exists of these, many at a time. When some cannot be deleted, the others are, and then it fails. */
  deleteAll(paths: readonly string[], signal?: AbortSignal): Promise<void>
  stat(path: string, signal?: AbortSignal): Promise<FileStat | undefined>
  /** Every file below the folder `prefix`, at any depth, in no promised order; nothing when it does not exist. */
  list(prefix: string, signal?: AbortSignal): AsyncIterable<FileStat>
}
