export { pgScalarFunctions, pgTableFunctions } from './pg-functions.ts'
export { openEngine, EngineFailure } from './pool.ts'
export type { Engine, EngineOptions, EngineRequest, EngineResult, HostClass, HostStatus } from './pool.ts'
export type { Chunk, EngineColumn, EngineError } from './protocol.ts'
