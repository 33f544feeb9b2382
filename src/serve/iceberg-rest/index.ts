export type {
  IcebergRestDeps,
  IcebergRestSettings,
  IcebergRestStorage,
  ObjectRequest,
  StorageCredential,
} from './deps.ts'
export { s3ForClients } from './s3.ts'
export { icebergRest, type IcebergRest } from './rest.ts'
