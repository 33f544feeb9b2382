// A request that carries an Idempotency-Key has its effect once, however often it arrives.
//
// The key is written down before the work begins and its answer after it ended; a copy gets that answer. In between, a
// copy waits. The transaction that moves pointers marks the key as well, so that after a crash between the change and
// its answer the copy is not told of a conflict with itself: it gets the state as it is now, as the specification allows.
// Answers of 5xx are forgotten: the client may try again. Neither key nor answer waits for the disk: the change itself does, and takes
// the key along; an answer that a power cut takes is one that was never written down.

import { createHash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { Failure } from '../../base/failure.ts'
import { parseJson, printJson } from '../../iceberg/index.ts'
import { isUniqueViolation, type CatalogTransaction, type Records } from '../../records/index.ts'
import type { Answer } from './call.ts'

/** As /v1/config tells it; rows are kept for longer. */
export const keyLifetime = 'PT30M'
const [keptMs, abandonedMs, waitMsMax, lookMs] = [2 * 3_600_000, 60_000, 20_000, 100]

export type Kept = Pick<Answer, 'status' | 'body' | 'headers' | 'shows'>

type Once = {
  /** The sender: two of them may use the same key. */
  principal: string
  key: string
  /** What the request is: method, path and body. */
  request: string
}

type Parts = { records: Pick<Records, 'catalog' | 'transaction'>; clock: Clock }

const unflushed = { flush: false }

/**
 * Does `work` once. `again` makes the answer of a copy from the kept one. `happened` is the answer to a copy of a request
 * whose change was made, but whose answer was never written down.
 * @throws UnprocessableEntity (422) when the key was used for another request
 */
export async function once(
  { records, clock }: Parts,
  { principal, key, request }: Once,
  steps: { work(id: string): Promise<Kept>; again(kept: Kept): Promise<Kept>; happened(): Promise<Kept> },
): Promise<Kept> {
  const id = `${principal}:${key.toLowerCase()}`
  const hash = createHash('sha256').update(request).digest('hex')
  const iso = (ms: number) => new Date(ms).toISOString()
  const table = records.catalog

  for (let waited = 0; ; waited += lookMs) {
    const startedAt = iso(clock.now())
    if (await begin(startedAt)) return await run(startedAt)
    const row = await table.selectFrom('idempotency_keys').selectAll().where('id', '=', id).executeTakeFirst()
    if (!row) continue // its answer was a 5xx: the key is free again
    if (row.request_hash !== hash)
      throw new Failure('REQUEST_INVALID', 'Idempotency-Key: it was used for another request already', {
        restStatus: 422,
        restType: 'UnprocessableEntityException',
      })
    if (row.status !== null) return await steps.again(parseJson(row.answer_json ?? '{}') as Kept)
    if (clock.now() - Date.parse(row.started_at) > abandonedMs) {
      if (row.happened === 1) return await steps.happened()
      if (await takeOver(row.started_at, startedAt)) return await run(startedAt)
    }
    if (waited >= waitMsMax)
      throw new Failure('RATE_LIMITED', 'the same request is still under way', { retryAfterMs: 1_000 })
    await clock.sleep(lookMs)
  }

  async function begin(started_at: string): Promise<boolean> {
    await table
      .deleteFrom('idempotency_keys')
      .where('started_at', '<', iso(clock.now() - keptMs))
      .execute()
    try {
      const row = { id, request_hash: hash, started_at, happened: 0 as const, status: null, answer_json: null }
      await records.transaction((trx) => trx.insertInto('idempotency_keys').values(row).execute(), unflushed)
      return true
    } catch (error) {
      if (isUniqueViolation(error)) return false
      throw error
    }
  }

  /** The process that began it has died. */
  async function takeOver(before: string, started_at: string): Promise<boolean> {
    const { numUpdatedRows } = await table
      .updateTable('idempotency_keys')
      .set({ started_at })
      .where('id', '=', id)
      .where('started_at', '=', before)
      .executeTakeFirst()
    return numUpdatedRows === 1n
  }

  async function run(startedAt: string): Promise<Kept> {
    const where = { id, started_at: startedAt }
    let kept: Kept
    try {
      kept = await steps.work(id)
    } catch (error) {
      await release(where)
      throw error
    }
    const { body, ...rest } = kept
    // What it shows is loaded again: metadata can be large.
    const answer_json = printJson(kept.shows ? rest : { ...rest, body })
    const answered = { status: kept.status, answer_json }
    const keep = (trx: CatalogTransaction) =>
      trx
        .updateTable('idempotency_keys')
        .set(answered)
        .where((is) => is.and(where))
        .execute()
    await records.transaction(keep, unflushed)
    return kept
  }

  /** A 5xx: the client may try again, unless the change was made and only its answer failed. */
  async function release(where: { id: string; started_at: string }): Promise<void> {
    await table
      .deleteFrom('idempotency_keys')
      .where((is) => is.and(where))
      .where('happened', '=', 0)
      .execute()
    await table
      .updateTable('idempotency_keys')
      .set({ started_at: iso(clock.now() - abandonedMs - 1) })
      .where((is) => is.and(where))
      .execute()
  }
}
