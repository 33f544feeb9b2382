import { Failure } from '../base/failure.ts'

const causes: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EIO: 'the device reported an input/output error',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is a file',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open on this machine',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'too many symbolic links',
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the connection broke',
  EPIPE: 'the connection broke',
  ETIMEDOUT: 'no answer in time',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host cannot be resolved now',
}

/** STORAGE_FAILED out of what a file system or store threw; what was aborted stays what it is. */
export function storageFailure(doing: string, path: string, error: unknown): unknown {
  if (error instanceof Failure) return error
  if (error instanceof Error && error.name === 'AbortError') return error
  const code = errorCode(error)
  const why = (code && causes[code]) ?? (error instanceof Error ? error.message : String(error))
  return new Failure('STORAGE_FAILED', `cannot ${doing} "${path}": ${why}${code ? ` (${code})` : ''}`, {
    cause: error,
    path,
    ...(code && { errno: code }),
  })
}

export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}
