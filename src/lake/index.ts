export type { ChangeSet, TableOptions, WriteResult } from './write/change-set.ts'
export {
  collect,
  openLake,
  type AuditEntry,
  type Door,
  type Lake,
  type LakeDeps,
  type QueryOptions,
  type QueryResult,
} from './lake.ts'
export { parseAsOf } from './scan/as-of.ts'
export { distinctNames } from './write/columns.ts'
export { isSequenceProperty } from './write/column-property.ts'
export { aliasOf, temporaryNamespace } from './write/run-names.ts'
export { versionOf, type Version, type Versions } from './scan/versions.ts'
export { openSession, queryAll, queryText, type Session, type SessionOptions } from './session.ts'
export type { StatementOptions, Transaction, TransactionOptions } from './transaction.ts'
export type { Given, Outline, OutlineTable } from './relations/outline.ts'
export { trinoView } from './relations/trino-view.ts'
export { checkAccess, whyUnreadable, type AccessCheck } from './policy/access-check.ts'
export { keepNames } from './policy/past-names.ts'
export { goingBack } from './upkeep/going-back.ts'
export { schemaOfLoaded } from './relations/information.ts'
export { systemOids, type Key, type KeysOf } from './pg-catalog/index.ts'
export { pivotsByRows } from './sql/pivot.ts'
export { isChange } from './sql/statement.ts'
export { parseWithChanges } from './sql/with-changes.ts'
export { splice, type Edit, type Spliced } from './sql/splice.ts'
export {
  closing,
  indexAt,
  isName,
  nameOf,
  outside,
  parametersIn,
  dottedNames,
  placeAt,
  quoteName,
  quoteNameIfNeeded,
  quoteTable,
  quoteFile,
  quoteText,
  splitAtCommas,
  splitStatements,
  tokens,
  type Token,
} from './sql/tokens.ts'
export { parseSqlType, sqlType } from './types.ts'
export { readAs } from './write/declared-types.ts'
export type { Chunk } from '../engine/index.ts'
export type { Column } from '../contract/index.ts'
export { callableFunctions, isScalarFunction } from './sql/tree.ts'
export {
  openMaintenance,
  pendingMetadata,
  publishedMetadata,
  type Compacted,
  type DeletedFiles,
  type Expired,
  type Maintenance,
  type MaintenanceDeps,
  type MaintenanceOptions,
} from './upkeep/maintenance.ts'
