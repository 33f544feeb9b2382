// Names to metadata pointers. A table changes when its pointer is swapped from one metadata file to the next; several
// pointers are swapped together or not at all.

import type { TableName } from './names.ts'

export type EntryKind = 'table' | 'view'
/** Where the metadata of a table or view lies. Metadata files never change. */
export type Pointer = { name: TableName; kind: EntryKind; location: string }

/** From one metadata file to another. `from` null creates, `to` null drops. */
export type Swap = { name: TableName; kind: EntryKind; from: string | null; to: string | null }

export interface Catalog {
  catalogs(): Promise<string[]>
  namespaces(catalog: string): Promise<string[]>
  /** False when it exists already. */
  createNamespace(catalog: string, namespace: string, properties?: Record<string, string>): Promise<boolean>
  list(catalog: string, namespace?: string): Promise<Pointer[]>
  pointer(name: TableName): Promise<Pointer | undefined>
  /** Several pointers as of one moment: in between, nobody published. Those that do not exist are left out. */
  pointers(names: readonly TableName[]): Promise<Pointer[]>
  /** All or nothing; COMMIT_CONFLICT names the first pointer that was not where `from` says. */
  swap(swaps: readonly Swap[]): Promise<void>
}
