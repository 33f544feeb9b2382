export * from './http/index.ts'
export * from './iceberg-rest/index.ts'
