// What the REST catalog needs from the other rooms. `main` gives the real ones, tests small ones in memory.

import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Catalog, Loaded, LoadedTable, LoadedView } from '../../catalog/index.ts'
import type { FileIO } from '../../io/index.ts'
import type { Govern, Principal } from '../../govern/index.ts'
import type { Records } from '../../records/index.ts'

export type IcebergRestDeps = {
  catalog: Catalog
  govern: {
    tokens: Pick<Govern['tokens'], 'authenticate' | 'client' | 'hasExpired'>
    audit: Pick<Govern['audit'], 'record'>
    access: Pick<Govern['access'], 'policy'>
  }
  /** For requests that carry an Idempotency-Key. */
  records: Pick<Records, 'catalog' | 'transaction'>
  /** Where clients' files are looked at before they become a table's. */
  io: FileIO
  clock: Clock
  log: Log
  /** A view's SQL for Trino, which calls the warehouse `trinoCatalog`; undefined where there is none. */
  trinoText?(
    view: LoadedView,
    options: { principal: Principal; signal?: AbortSignal; trinoCatalog: string },
  ): Promise<string | undefined>
  settings: IcebergRestSettings
  storage: IcebergRestStorage
}

export type IcebergRestSettings = {
  /** Of the project: the name of the warehouse that holds all environments. */
  name: string
  /** As they are now: forks come and go. */
  environments: readonly { name: string; catalog: string; protected: boolean }[]
  /** Warehouses beside the environments. Their namespaces may have several levels. */
  warehouses: readonly string[]
  /** Whether clients may change protected environments. */
  protectedWrites: boolean
  /** Why the catalog is not offered at all; undefined when it is. */
  closed?: string | undefined
  bodyBytesMax?: number
  bodyMs?: number
}

/** Credentials for locations that begin with `prefix`: the client takes the longest that fits. */
export type StorageCredential = { prefix: string; config: Record<string, string> }
export type ObjectRequest = {
  method: string
  url: URL
  region: string
  headers: Record<string, string>
  body?: string
  /** Of somebody who may read the whole store anyhow. */
  isTrusted: boolean
}

export type IcebergRestStorage = {
  /** Where new tables go. */
  root: string
  /** Where clients may place tables too. */
  locations: readonly string[]
  /** Whether a metadata file is still there, where that is cheap to know; the catalog itself may remember its content. */
  exists(metadataLocation: string): Promise<boolean>
  /** Folders of a new table, where storage has any: DuckDB's writer does not make them. */
  makeFolders(location: string): Promise<void>
  /** Where the store is, for clients that are not told by their own settings: nothing for the local disk. */
  config: Readonly<Record<string, string>>
  /** Short-lived credentials for this table. */
  credentialsFor(table: LoadedTable, access: 'read' | 'write'): Promise<StorageCredential[]>
  /** The object `s3://bucket/key` that a request is for, and its headers with a signature. Undefined: nothing to sign for. */
  signing?: { objectOf(url: URL): string | undefined; sign(request: ObjectRequest): Promise<Record<string, string>> }
  /** Deletes the files of a dropped table that nobody else refers to. */
  purge(dropped: Loaded): Promise<void>
}
