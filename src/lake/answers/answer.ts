// Answers of SELECTs: what the result cache holds is given again, anything else runs on an engine host. Every answer is
// bounded, ends when the right to it does, and is in the audit before it ends.

import { createHash } from 'node:crypto'
import { ending } from '../../base/ending.ts'
import { asFailure, type Failure } from '../../base/failure.ts'
import type { Column } from '../../contract/index.ts'
import { EngineFailure, type Chunk, type HostClass } from '../../engine/index.ts'
import { keptBytes, type ResultCache } from './cache.ts'
import { boundsOf, checkResult, namingMemory, namingTimeout, timeLimit } from './limits.ts'
import { engineFailure, rethrowEngine } from './engine-failure.ts'
import { withoutValues } from '../policy/guard.ts'
import type { Asking, AuditEntry, LakeDeps, QueryResult } from '../lake.ts'
import type { Prepared } from '../prepare.ts'
import { rightsOf, watchRights } from '../policy/rights.ts'
import { zoneOf } from '../policy/zones.ts'

/** Above this many bytes of files a query goes to the hosts for long ones. */
const heavyBytes = 512 * 2 ** 20

/** Results of SQL clients that are larger are not kept. */
const wireKeptMax = 2 ** 20

export type AnswerDeps = Pick<LakeDeps, 'engine' | 'limits' | 'clock' | 'access' | 'audit' | 'resultsStamp'> & {
  cache: ResultCache
}

/**
 * The rows of a SELECT that passed every check: from the cache, or from an engine host while they are read. `idle` is
 * called when it keeps no host busy any more, though its rows may not all be read.
 */
export async function answerSelect(
  prepared: Prepared,
  options: Asking,
  { sql, started, idle }: { sql: string; started: number; idle: (() => void) | undefined },
  deps: AnswerDeps,
): Promise<QueryResult> {
  const { engine, limits, clock, cache } = deps
  const { principal, catalog, door } = options
  const bounds = boundsOf(prepared.rights.limits, limits, principal)
  // What is a part of a statement is needed whole.
  const most = options.isPart ? limits.queryRowsMax : bounds.rows!.most
  const rowsMax = Math.min(options.rowsMax ?? most, most)
  const rowsSetBy = bounds.rows!.setBy
  const ownTime = prepared.rights.limits.query_timeout
  const asked = timeLimit(options, limits) ?? Infinity
  const longest = Math.min(asked, ownTime?.most ?? asked)
  const told = (thrown: unknown) => {
    const error = namingMemory(thrown, bounds.memory)
    const bound = ownTime && ownTime.most <= asked ? ownTime : undefined
    return namingTimeout(prepared.hides ? withoutValues(error) : error, bound)
  }
  const { formats, json } = options
  // Other doors tell the engine's types.
  const declared = formats ? await prepared.declared({ sums: true }) : undefined
  const cacheable = options.cache !== false && !options.changes && !options.within?.changes && !prepared.volatile
  const key = cacheable
    ? createHash('sha256')
        .update(
          JSON.stringify([
            prepared.identity,
            catalog,
            rowsMax,
            deps.resultsStamp ?? '',
            // The zone of the project is in the stamp.
            ...(prepared.timeZone || options.timeZone ? [prepared.timeZone ?? null, options.timeZone ?? null] : []),
            ...(formats ? [formats, declared, json] : []),
          ]),
        )
        .digest('hex')
    : ''
  const note = (entry: Pick<AuditEntry, 'rows' | 'verdict' | 'failureCode' | 'cached'>) =>
    deps.audit?.({
      principal,
      door,
      catalog,
      sql,
      action: 'select',
      tables: Object.keys(prepared.read),
      snapshots: prepared.read,
      ms: clock.now() - started,
      requestId: options.requestId ?? null,
      ...entry,
    })

  const notices =
    options.timeZone && !prepared.timeZone
      ? ['what is hidden from you may depend on the time zone, so days and hours are those of the zone of the project']
      : []
  const known = cacheable ? await cache.get(key, formats ? 'memory' : 'anywhere') : undefined
  if (known) {
    const rows = known.chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0)
    checkResult(
      bounds.result_bytes,
      known.chunks.reduce((sum, chunk) => sum + encodedBytes(chunk), 0),
    )
    idle?.()
    return {
      command: 'SELECT',
      columns: known.columns,
      provenance: prepared.provenance,
      cached: { hit: true, ageMs: Math.max(0, clock.now() - known.madeAtMs) },
      truncated: () => known.truncated,
      rowsSetBy,
      notices,
      chunks: ending(listed(known.chunks), () => note({ rows, cached: true, verdict: 'allowed', failureCode: null })),
    }
  }

  const { sql: text, bytes, lease } = await prepared.execute({ unbound: true })
  // Rows that a statement changes lie where the hosts that write may read.
  const hosts: HostClass = door === 'run' || options.told ? 'write' : bytes > heavyBytes ? 'heavy' : 'interactive'
  const result = await engine
    .run({
      class: hosts,
      sql: text,
      rowsMax,
      owner: principal.id,
      ...(bounds.memory ? { memoryMost: bounds.memory.most } : {}),
      ...(idle ? { onIdle: idle } : {}),
      ...zoneOf(prepared),
      ...(options.timeZone ? { shownIn: options.timeZone } : {}),
      ...(formats ? { formats } : {}),
      ...(declared ? { declared } : {}),
      ...(formats && json ? { json } : {}),
      ...(longest < Infinity ? { timeoutMs: longest } : {}),
      ...(options.signal ? { signal: options.signal } : {}),
    })
    .catch(async (error: unknown) => {
      lease.release()
      if (error instanceof EngineFailure) await prepared.columns()
      return rethrowEngine(told(error))
    })
  const columns = result.columns.map((column) => ({ ...column, nullable: true }))
  const madeAtMs = clock.now()
  let rows = 0
  let failure: Failure | undefined
  return {
    command: 'SELECT',
    columns,
    provenance: prepared.provenance,
    cached: { hit: false, ageMs: 0 },
    truncated: result.truncated,
    rowsSetBy,
    notices,
    chunks: ending(read(), async () => {
      lease.release()
      await result.chunks.return()
      await note({ rows, cached: false, verdict: failure ? 'failed' : 'allowed', failureCode: failure?.code ?? null })
    }),
  }

  async function* read(): AsyncGenerator<Chunk, undefined> {
    let bytes = 0
    let encoded = 0
    const kept: Chunk[] = []
    // A hundred connections may read slowly, and each keeps so much while it does.
    const keptMax = Math.min(cache.entryBytesMax, formats ? wireKeptMax : Infinity)
    const stillMay = watchRights(prepared.rights, prepared.direct, () => rightsOf(principal, deps.access), clock)
    try {
      for await (const chunk of result.chunks) {
        await stillMay()
        rows += chunk.rowCount
        bytes += keptBytes(chunk)
        encoded += encodedBytes(chunk)
        checkResult(bounds.result_bytes, encoded)
        if (cacheable && bytes <= keptMax) kept.push(chunk)
        else kept.length = 0
        yield chunk
      }
      if (cacheable && bytes <= keptMax)
        cache.put(key, { columns, chunks: kept, truncated: result.truncated(), madeAtMs }, clock.now() - started)
    } catch (thrown) {
      const error = told(thrown)
      failure = error instanceof EngineFailure ? engineFailure(error) : asFailure(error)
      throw failure
    }
    return undefined
  }
}

async function* listed(chunks: readonly Chunk[]): AsyncGenerator<Chunk, undefined> {
  yield* chunks
  return undefined
}

const encodedBytes = ({ json, bytes }: Chunk) => bytes?.byteLength ?? json.length

/** All rows, parsed. For results that are known to be small. */
export async function collect(result: QueryResult): Promise<{ columns: Column[]; rows: unknown[][] }> {
  const rows: unknown[][] = []
  for await (const chunk of result.chunks) rows.push(...(JSON.parse(chunk.json) as unknown[][]))
  return { columns: result.columns, rows }
}
