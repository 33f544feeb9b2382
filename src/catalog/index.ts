export type { Catalog, EntryKind, Pointer, Swap } from './catalog.ts'
export { embeddedCatalog, type EmbeddedCatalog } from './embedded.ts'
export { checkName, sameName, showName, type TableName } from './names.ts'
export { claimLake } from './owner.ts'
export {
  openPublications,
  type ChangeAction,
  type PendingChange,
  type Publication,
  type Publications,
  type PublishedTable,
} from './publications.ts'
export { openTables, type Loaded, type LoadedTable, type LoadedView, type Tables } from './tables.ts'
