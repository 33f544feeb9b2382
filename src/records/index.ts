export type { Migrated } from './migrate.ts'
export { type CatalogTransaction, isUniqueViolation, openMemoryRecords, openRecords, type Records } from './records.ts'
export type * from './tables.ts'
