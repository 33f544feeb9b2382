export { addSource, findFiles, ingestSource, type AddOptions, type IngestDeps, type Loaded } from './ingest.ts'
export { snakeCase } from './csv.ts'
