export type { PgDatabase, PgDeps, PgSettings } from './deps.ts'
export { createPgServer, type PgServer } from './server.ts'
