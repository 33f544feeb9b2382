export * from './http/index.ts'
export * from './iceberg-rest/index.ts'
export * from './pgwire/index.ts'
