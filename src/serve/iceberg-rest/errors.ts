// Failures in the shape, the types and the statuses of the REST specification, in the words that clients look for.

import { asFailure, type Failure, type FailureCode } from '../../base/failure.ts'
import type { Log } from '../../base/log.ts'
import type { EntryKind, TableName } from '../../catalog/index.ts'
import type { Warehouse } from './warehouses.ts'

type Kind = { status: number; type: string }

const kinds: Partial<Record<FailureCode, Kind>> = {
  REQUEST_INVALID: { status: 400, type: 'BadRequestException' },
  METADATA_INVALID: { status: 400, type: 'BadRequestException' },
  UNAUTHENTICATED: { status: 401, type: 'NotAuthorizedException' },
  FORBIDDEN: { status: 403, type: 'ForbiddenException' },
  NAMESPACE_NOT_FOUND: { status: 404, type: 'NoSuchNamespaceException' },
  TABLE_NOT_FOUND: { status: 404, type: 'NoSuchTableException' },
  NOT_FOUND: { status: 404, type: 'NotFoundException' },
  UNSUPPORTED: { status: 406, type: 'UnsupportedOperationException' },
  ALREADY_EXISTS: { status: 409, type: 'AlreadyExistsException' },
  NAMESPACE_NOT_EMPTY: { status: 409, type: 'NamespaceNotEmptyException' },
  COMMIT_CONFLICT: { status: 409, type: 'CommitFailedException' },
  PAYLOAD_TOO_LARGE: { status: 413, type: 'PayloadTooLargeException' },
  // The specification knows no 429; with Retry-After, a client may send again.
  RATE_LIMITED: { status: 503, type: 'SlowDownException' },
  STORAGE_FAILED: { status: 503, type: 'ServiceUnavailableException' },
  RECORDS_FAILED: { status: 503, type: 'ServiceUnavailableException' },
  // 500, 502 and 504 tell a client that it must not delete what it wrote.
  COMMIT_UNKNOWN: { status: 500, type: 'CommitStateUnknownException' },
}

export type RestError = { status: number; type: string; message: string; retryAfterS?: number }

/** `context.restType` and `context.restStatus` of a failure go before what its code says. */
export function restError(failure: Failure, warehouse?: Warehouse): RestError {
  const { restType, restStatus, retryAfterMs } = failure.context
  const kind = kinds[failure.code]
  if (!kind && typeof restStatus !== 'number')
    return { status: 500, type: 'InternalServerError', message: 'something went wrong inside Boathouse' }
  // A name whose metadata file is gone.
  if (failure.code === 'TABLE_NOT_FOUND' && typeof failure.context['location'] === 'string')
    return {
      status: 404,
      type: 'NotFoundException',
      message: `Failed to open input stream for file: ${failure.context['location']}`,
    }
  const isView = failure.code === 'TABLE_NOT_FOUND' && failure.context['kind'] === 'view'
  return {
    status: typeof restStatus === 'number' ? restStatus : kind!.status,
    type: typeof restType === 'string' ? restType : isView ? 'NoSuchViewException' : kind!.type,
    message: messageOf(failure, warehouse),
    ...(typeof retryAfterMs === 'number' && { retryAfterS: Math.max(1, Math.ceil(retryAfterMs / 1_000)) }),
  }
}

function messageOf(failure: Failure, warehouse: Warehouse | undefined): string {
  const { name, kind, wanted, catalog, namespace, problem, renamed } = failure.context as {
    renamed?: TableName
    name?: TableName
    kind?: EntryKind
    wanted?: EntryKind
    catalog?: string
    namespace?: string
    problem?: string
  }
  const shown = name && warehouse ? [...warehouse.levelsOf(name), name.name].join('.') : ''
  switch (failure.code) {
    case 'NAMESPACE_NOT_FOUND':
    case 'NAMESPACE_NOT_EMPTY': {
      if (catalog === undefined || namespace === undefined || !warehouse) return failure.message
      const levels = warehouse.levelsOf({ catalog, namespace }).join('.')
      return failure.code === 'NAMESPACE_NOT_FOUND'
        ? `Namespace does not exist: ${levels}`
        : `Namespace ${levels} is not empty. Drop what lies in it first.`
    }
    case 'TABLE_NOT_FOUND':
      return shown === '' ? failure.message : `${word(kind)} does not exist: ${shown}`
    case 'ALREADY_EXISTS': {
      if (shown === '') return failure.message
      if (renamed && warehouse) {
        const before = [...warehouse.levelsOf(renamed), renamed.name].join('.')
        return `Cannot rename ${before} to ${shown}. ${word(kind)} already exists`
      }
      return kind === wanted
        ? `${word(kind)} already exists: ${shown}`
        : `${word(kind)} with same name already exists: ${shown}`
    }
    case 'COMMIT_CONFLICT':
      // Clients look at how it begins; of several tables it has to be said which.
      return problem === undefined
        ? `Commit failed: ${failure.message}`
        : `Requirement failed: ${problem}${shown && ` (${shown})`}`
    default: {
      // The usual hints are for people in front of the app or a terminal.
      const isOwn = failure.hint !== '' && failure.hint !== failure.help.hint
      return isOwn ? `${failure.message}. ${failure.hint}` : failure.message
    }
  }
}

const word = (kind: EntryKind | undefined) => (kind === 'view' ? 'View' : 'Table')

/** Of our own mistakes only that there was one: the log has the rest. */
export function errorAnswer(
  thrown: unknown,
  { requestId, log, warehouse, head = false }: { requestId: string; log: Log; warehouse?: Warehouse; head?: boolean },
): Response {
  const failure = asFailure(thrown)
  const { status, type, message, retryAfterS } = restError(failure, warehouse)
  if (status === 500) {
    const cause = (failure.cause ?? failure) as Error
    log.error('request failed unexpectedly', { request_id: requestId, error: failure.message, stack: cause.stack })
  }
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  if (retryAfterS !== undefined) headers['retry-after'] = String(retryAfterS)
  if (status === 401) headers['www-authenticate'] = 'Bearer'
  // The rest of the body was not read, so the connection cannot carry another request.
  if (status === 413) headers['connection'] = 'close'
  return new Response(head ? null : JSON.stringify({ error: { message, type, code: status } }), { status, headers })
}
