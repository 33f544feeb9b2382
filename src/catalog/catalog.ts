// One interface to every catalog: the embedded one, the one in memory, and catalogs of others over REST.
//
// A change is a commit as in the REST protocol: requirements that must hold for the current metadata, and updates to it.
// Whoever keeps the pointers checks, applies, writes the next metadata file and swaps; a lost race is run again as long
// as the requirements still hold, so a writer hears of a conflict only when there is one.

import type { TableRequirement, TableUpdate, ViewRequirement, ViewUpdate } from '../iceberg/index.ts'
import type { TableName } from './names.ts'
import type { EntryKind, Pointers } from './pointers.ts'
import type { Loaded } from './tables.ts'

/** A metadata file that holds the result of the updates already, if `base` is still current. It is then used as it is. */
export type Written = { base: string | null; location: string }

/** With the requirement assert-create, a commit creates. `base` of a drop: only if this metadata file is still current. */
export type CatalogChange =
  | {
      action: 'commit'
      kind: 'table'
      name: TableName
      requirements: readonly TableRequirement[]
      updates: readonly TableUpdate[]
      written?: Written
    }
  | {
      action: 'commit'
      kind: 'view'
      name: TableName
      requirements: readonly ViewRequirement[]
      updates: readonly ViewUpdate[]
      written?: Written
    }
  | { action: 'drop'; kind: EntryKind; name: TableName; base?: string }

export type CommitOptions = {
  /** Who changes: names the publication that the embedded catalog writes down with the swap. */
  by?: string
  /** The same key is the same change, however often it is sent (REST: Idempotency-Key). */
  once?: string
  signal?: AbortSignal
}

/**
 * Names that do not exist are values where one asks (undefined, false) and failures where one acts: NAMESPACE_NOT_FOUND,
 * TABLE_NOT_FOUND (views too; `context.kind` tells). REQUEST_INVALID: a name or update that cannot be.
 */
export interface Catalog extends Pick<
  Pointers,
  'catalogs' | 'namespaces' | 'namespace' | 'createNamespace' | 'updateNamespace' | 'dropNamespace' | 'list' | 'names'
> {
  /** Whether the changes of one `commit` are visible together or not at all. Else they happen in order. */
  readonly atomic: boolean
  /** By its exact name. `kind`: undefined for an entry of the other kind. */
  load(name: TableName, options?: { kind?: EntryKind }): Promise<Loaded | undefined>
  /** Whether all of these were current together, at one moment after they were loaded. */
  stillCurrent(loaded: readonly Pick<Loaded, 'name' | 'location'>[]): Promise<boolean>
  /**
   * All changes or, when `atomic`, none. Gives what each commit (not each drop) came to, in order.
   * @throws COMMIT_CONFLICT naming table and requirement; ALREADY_EXISTS for a name of the other kind;
   *   COMMIT_UNKNOWN when it could not be found out whether it happened
   */
  commit(changes: readonly CatalogChange[], options?: CommitOptions): Promise<Loaded[]>
  /** Within one catalog or between two. @throws ALREADY_EXISTS when there is something under `to` */
  rename(from: TableName, to: TableName, kind: EntryKind, options?: CommitOptions): Promise<void>
  /** Names a metadata file that exists. @throws ALREADY_EXISTS unless `replace`; METADATA_INVALID */
  register(
    name: TableName,
    metadataLocation: string,
    options: CommitOptions & { kind: EntryKind; replace?: boolean },
  ): Promise<Loaded>
  /** Takes the name away and gives what it named; files stay. */
  drop(name: TableName, kind: EntryKind, options?: CommitOptions): Promise<Loaded>
}
