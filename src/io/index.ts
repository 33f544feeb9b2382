// The public surface of this room: other rooms import this file only.

export { cachingFileIO } from './caching.ts'
export { confinedFileIO } from './confined.ts'
export { openFileCache, type FileCache, type FileLease, type FileToRead } from './file-cache.ts'
export type { FileIO, FileStat } from './file-io.ts'
export {
  defaultRetries,
  exchange,
  exchangeWithRetries,
  isLostConnection,
  isTransientStatus,
  neverSent,
  type HttpRequest,
  type HttpResponse,
  type RetryPolicy,
} from './http.ts'
export { openLeaseFolder } from './lease-folder.ts'
export { localFileIO } from './local.ts'
export {
  comparableLocation,
  fileLocation,
  isInFolder,
  isLocal,
  joinLocation,
  localPath,
  s3Location,
} from './location.ts'
export { memoryFileIO, type MemoryFileIO } from './memory.ts'
export { defaultCredentials, type CredentialSource, type ExpiringCredentials } from './s3/credentials.ts'
export { s3FileIO, type S3Options } from './s3/s3.ts'
export { encodeName, encodeQuery, sha256, signRequest } from './s3/sign.ts'
export { openStorage, routedFileIO, storageFor, type StorageOptions } from './storage.ts'
export { crashingFileIO, mappedFileIO, scheduledFileIO, type Fault } from './wrapped.ts'
