export type {
  IcebergRestDeps,
  IcebergRestSettings,
  IcebergRestStorage,
  ObjectRequest,
  StorageCredential,
} from './deps.ts'
export { icebergRest, type IcebergRest } from './rest.ts'
