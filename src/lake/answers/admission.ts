// Who may run how much at once. The engine's hosts divide their slots among all queries; here one principal is kept from
// taking all of them: the next query waits its turn among its own, and when too many wait it is refused.

import { Failure } from '../../base/failure.ts'
import { openSemaphore, type Semaphore } from '../../base/semaphore.ts'
import type { Bound, Principal } from '../../govern/index.ts'
import { whose } from './limits.ts'

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
  readonly #byPrincipal = new Map<string, { semaphore: Semaphore; places: number; here: number }>()

  constructor(limits: PrincipalLimits | undefined) {
    this.#limits = limits
  }

  /**
   * `bound`: how many may run at the same time.
   * @throws RATE_LIMITED when too many of this principal wait already; what `signal` says
   */
  async enter(principal: Principal, bound: Bound | undefined, signal: AbortSignal | undefined): Promise<Leave> {
    const limits = this.#limits
    if (!limits || !bound) return () => {}
    const places = bound.most
    const mine = this.#byPrincipal.get(principal.id) ?? { semaphore: openSemaphore(places), places, here: 0 }
    // Another limit counts from now on; who is inside or waits does so by the one before.
    if (mine.places !== places) Object.assign(mine, { semaphore: openSemaphore(places), places })
    if (mine.here >= places + limits.waiting)
      throw new Failure('RATE_LIMITED', `${mine.here} queries of ${principal.name} are running or waiting`, {
        hint: `Wait for one. ${whose(bound)}`,
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
}
