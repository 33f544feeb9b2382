export type { Catalog, CatalogChange, CommitOptions, Written } from './catalog.ts'
export { embeddedCatalog, type EmbeddedCatalog } from './embedded.ts'
export {
  checkName,
  isSystemSchema,
  folderName,
  freshFolder,
  levelsOf,
  namespaceOf,
  sameName,
  showName,
  type TableName,
} from './names.ts'
export { memoryCatalog, openEmbeddedCatalog } from './open.ts'
export { claimLake } from './owner.ts'
export {
  embeddedShelf,
  openPublications,
  outsideShelf,
  type ChangeAction,
  type PendingChange,
  type Publication,
  type Publications,
  type PublishedTable,
  type ReadPointer,
} from './publications.ts'
export { outsideTables, tableCommitText, viewCommitText } from './outside.ts'
export { takeNumbers, type NumbersOf, type WantedNumbers } from './numbers.ts'
export {
  noSequence,
  openSequences,
  relationExists,
  type NamedSequence,
  type Sequence,
  type Sequences,
} from './sequences.ts'
export { purgeFiles } from './purge.ts'
export type { EntryKind, Pointer, Pointers, Swap } from './pointers.ts'
export {
  onlyAlike,
  openTables,
  openWhatever,
  whyUnreadable,
  type Loaded,
  type LoadedTable,
  type LoadedView,
  type Tables,
} from './tables.ts'
export { openEnvironments, type Difference, type Environments, type Fork } from './environments.ts'
export { openExternalCatalog } from './rest/open.ts'
export { openRestCatalog, type RestCatalogOptions } from './rest/rest-catalog.ts'
export { vendedStorage, type VendedStorage } from './rest/vended.ts'
