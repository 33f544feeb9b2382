// What bounds the statements of one asker: the server's settings, and below them what access.yml says of the asker.
// Memory is shared by all queries of an engine host: a statement of somebody whose memory is bounded gets a host of its own.

import { Failure } from '../../base/failure.ts'
import { showBytes, showDuration } from '../../base/units.ts'
import { isOfDisk } from './engine-failure.ts'
import { EngineFailure } from '../../engine/index.ts'
import { limitNames, type Bound, type LimitName, type OwnLimits, type Principal } from '../../govern/index.ts'
import type { LakeDeps, QueryOptions } from '../lake.ts'

export type ServerLimits = Pick<LakeDeps['limits'], 'queryTimeoutMs' | 'queryRowsMax' | 'perPrincipal'>

/** Undefined where nothing bounds. */
export type Bounds = Readonly<Record<LimitName, Bound | undefined>>

/** The narrower of the server's bound and one's own, for each limit. Pure. */
export function boundsOf(own: OwnLimits, limits: ServerLimits, { role }: Pick<Principal, 'role'>): Bounds {
  // Boathouse's own work is bounded by its workers.
  const each = role === 'system' ? undefined : limits.perPrincipal
  const of = (setBy: string, most: number | undefined) => (most === undefined ? undefined : { most, setBy })
  const server: Bounds = {
    query_timeout: of('limits.query_timeout', limits.queryTimeoutMs),
    rows: of('limits.query_rows', limits.queryRowsMax),
    result_bytes: of('limits.per_principal.result_bytes', each?.resultBytes),
    scan_bytes: undefined,
    memory: undefined,
    queries: of('limits.per_principal.queries', each?.queries),
  }
  const narrower = (name: LimitName) => {
    const [mine, theirs] = [own[name], server[name]]
    return mine && (!theirs || mine.most < theirs.most) ? mine : theirs
  }
  return Object.fromEntries(limitNames.map((name) => [name, narrower(name)])) as Bounds
}

/** How long a statement may take, where its asker says nothing else: a run takes as long as it takes, and who started it may end it. */
export const timeLimit = (
  { timeoutMs, door }: Pick<QueryOptions, 'timeoutMs' | 'door'>,
  { queryTimeoutMs }: Pick<ServerLimits, 'queryTimeoutMs'>,
): number | undefined => timeoutMs ?? (door === 'run' ? undefined : queryTimeoutMs)

/** @throws QUERY_TOO_LARGE when the files of a statement hold more than its asker may read at once */
export function checkScan(bound: Bound | undefined, bytes: number): void {
  if (!bound || bytes <= bound.most) return
  throw new Failure(
    'QUERY_TOO_LARGE',
    `the statement would read files of ${showBytes(bytes)}, more than ${showBytes(bound.most)}`,
    { hint: `Narrow it by conditions on columns that files are divided by. ${whose(bound)}` },
  )
}

/** @throws QUERY_TOO_LARGE */
export function checkResult(bound: Bound | undefined, bytes: number): void {
  if (!bound || bytes <= bound.most) return
  throw new Failure('QUERY_TOO_LARGE', `the result is larger than ${showBytes(bound.most)}`, {
    hint: `Select fewer rows or columns. ${whose(bound)}`,
  })
}

/** A query that ran too long is told whose limit that was. */
export function namingTimeout(error: unknown, bound: Bound | undefined): unknown {
  if (!bound || !(error instanceof Failure) || error.code !== 'QUERY_TIMEOUT') return error
  return new Failure('QUERY_TIMEOUT', `the query ran longer than ${showDuration(bound.most)}`, {
    hint: `Narrow the query. ${whose(bound)}`,
    cause: error,
  })
}

/** A query that needed more memory than its asker may use is told whose limit that was. */
export function namingMemory(error: unknown, bound: Bound | undefined): unknown {
  const isMemory = error instanceof EngineFailure && error.error.type === 'out of memory'
  if (!bound || !isMemory || isOfDisk(error)) return error
  return new Failure('QUERY_TOO_LARGE', `the query needs more memory than ${showBytes(bound.most)}`, {
    hint: `Aggregate or filter earlier. ${whose(bound)}`,
    cause: error,
  })
}

export const whose = ({ setBy }: Bound): string => `The limit is ${setBy}.`
