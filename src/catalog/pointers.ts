// Where names are kept: namespaces with their properties, and for each table or view the metadata file that is current.
// A table changes when its pointer is swapped from one metadata file to the next; several pointers are swapped together
// or not at all. This knows no metadata: `catalog.ts` stands on it.

import { Failure } from '../base/failure.ts'
import { showName, type TableName } from './names.ts'

export type EntryKind = 'table' | 'view'
/** Where the metadata of a table or view lies. Metadata files never change. */
export type Pointer = {
  name: TableName
  kind: EntryKind
  location: string
  /** Files of the table belong to another environment too. `home`: where this one writes what is its own. */
  shared?: { home?: string }
}

/**
 * From one metadata file to another. `from` null creates, `to` null drops. `namespaceMustExist`: when it creates, else
 * NAMESPACE_NOT_FOUND; our own writers make namespaces as they go and leave it out.
 */
export type Swap = {
  name: TableName
  kind: EntryKind
  from: string | null
  to: string | null
  namespaceMustExist?: boolean
}

export type PropertyChange = { set: Readonly<Record<string, string>>; remove: readonly string[] }
/** Names of properties. `missing` were to be removed and were not there. */
export type PropertiesChanged = { updated: string[]; removed: string[]; missing: string[] }

/** The first `limit` names behind `after`, in the order of their UTF-8 bytes, which is the same in every store. */
export type NamesPage = { kind: EntryKind; after?: string | undefined; limit: number }

export interface Pointers {
  /** Environments here, warehouses in catalogs of others. */
  catalogs(): Promise<string[]>
  /** All of them, at any depth, each as the text of `namespaceOf`. One exists too when something lies in it or below it. */
  namespaces(catalog: string): Promise<string[]>
  /** Its properties; undefined when it does not exist. */
  namespace(catalog: string, namespace: string): Promise<Record<string, string> | undefined>
  /** False when it exists already. */
  createNamespace(catalog: string, namespace: string, properties?: Record<string, string>): Promise<boolean>
  /** @throws NAMESPACE_NOT_FOUND */
  updateNamespace(catalog: string, namespace: string, change: PropertyChange): Promise<PropertiesChanged>
  /** False when there is none. @throws NAMESPACE_NOT_EMPTY */
  dropNamespace(catalog: string, namespace: string): Promise<boolean>
  list(catalog: string, namespace?: string): Promise<Pointer[]>
  /** A page of the names of a kind that lie in a namespace, none where it does not exist. */
  names(catalog: string, namespace: string, page: NamesPage): Promise<string[]>
  pointer(name: TableName): Promise<Pointer | undefined>
  /** Several pointers as of one moment: in between, nobody published. Those that do not exist are left out. */
  pointers(names: readonly TableName[]): Promise<Pointer[]>
  /** Every name that points to one of these metadata files: forks share them. */
  pointersTo(locations: readonly string[]): Promise<Pointer[]>
  /** All or nothing; COMMIT_CONFLICT names the first pointer that was not where `from` says. */
  swap(swaps: readonly Swap[]): Promise<void>
}

export const namespaceMissing = (catalog: string, namespace: string): Failure =>
  new Failure('NAMESPACE_NOT_FOUND', `there is no namespace ${namespace} in ${catalog}`, { catalog, namespace })

export const namespaceNotEmpty = (catalog: string, namespace: string): Failure =>
  new Failure('NAMESPACE_NOT_EMPTY', `the namespace ${namespace} of ${catalog} is not empty`, { catalog, namespace })

export const swapConflict = ({ name, from }: Swap): Failure =>
  new Failure('COMMIT_CONFLICT', `${showName(name)} was changed by another writer`, {
    table: showName(name),
    expected: from,
  })

/** A page of names that are all at hand. */
export function pageOfNames(names: readonly string[], { after, limit }: NamesPage): string[] {
  const inOrder = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
  return names
    .filter((name) => after === undefined || inOrder(name, after) > 0)
    .sort(inOrder)
    .slice(0, limit)
}

/** What a change of properties comes to, given those that are there. */
export function propertiesChanged(
  before: Readonly<Record<string, string>>,
  { set, remove }: PropertyChange,
): PropertiesChanged {
  const removed = remove.filter((key) => Object.hasOwn(before, key))
  const missing = remove.filter((key) => !Object.hasOwn(before, key))
  return { updated: Object.keys(set), removed, missing }
}
