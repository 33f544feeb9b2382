// Who may run how much at once. The engine's hosts divide their slots among all queries; here one principal is kept from
// taking all of them: the next query waits its turn among its own, and when too many wait it is refused.

import { Failure } from '../base/failure.ts'
import { openSemaphore, type Semaphore } from '../base/semaphore.ts'
import { showBytes } from '../base/units.ts'
import type { Principal } from '../govern/index.ts'

export type PrincipalLimits = {
  /** At the same time. */
  queries: number
  /** Beyond those. */
  waiting: number
  /** Of one result, as it is encoded. */
  resultBytes: number
}

/** Gives the place back; a second time it does nothing. */
export type Leave = () => void

export class Admission {
  readonly #limits: PrincipalLimits | undefined
  readonly #byPrincipal = new Map<string, { semaphore: Semaphore; here: number }>()

  constructor(limits: PrincipalLimits | undefined) {
    this.#limits = limits
  }

  /** @throws RATE_LIMITED when too many of this principal wait already; what `signal` says */
  async enter(principal: Principal, signal: AbortSignal | undefined): Promise<Leave> {
    const limits = this.#limits
    // Boathouse's own work is bounded by its workers.
    if (!limits || principal.role === 'system') return () => {}
    const mine = this.#byPrincipal.get(principal.id) ?? { semaphore: openSemaphore(limits.queries), here: 0 }
    if (mine.here >= limits.queries + limits.waiting)
      throw new Failure('RATE_LIMITED', `${mine.here} queries of ${principal.name} are running or waiting`, {
        hint: 'Wait for one, or raise `limits.per_principal`.',
      })
    mine.here++
    this.#byPrincipal.set(principal.id, mine)
    const gone = () => {
      if (--mine.here === 0) this.#byPrincipal.delete(principal.id)
    }
    const place = await mine.semaphore.acquire(signal).catch((error: unknown) => {
      gone()
      throw error
    })
    let isIn = true
    const leave = () => {
      if (!isIn) return
      isIn = false
      signal?.removeEventListener('abort', leave)
      gone()
      void place[Symbol.asyncDispose]()
    }
    if (signal?.aborted) {
      leave()
      signal.throwIfAborted()
    }
    signal?.addEventListener('abort', leave, { once: true })
    return leave
  }

  /** @throws QUERY_TOO_LARGE */
  checkBytes(principal: Principal, bytes: number): void {
    const most = principal.role === 'system' ? undefined : this.#limits?.resultBytes
    if (most !== undefined && bytes > most)
      throw new Failure('QUERY_TOO_LARGE', `the result is larger than ${showBytes(most)}`, {
        hint: 'Select fewer rows or columns, or raise `limits.per_principal.result_bytes`.',
      })
  }
}
