// Which queries of one host count, and who goes next.
//
// A host does a few things at a time. A query takes one of its slots; one that runs for long gives its slot to the next and
// goes on beside it; one whose reader does not take what is there gives it up too, as it only waits: who does not read
// must not keep others from their answers. How many wait so is bounded, in all and of each owner.

import { Failure } from '../base/failure.ts'

/** A query that ran this long gives its slot to the next: long ones must not keep short ones waiting. */
const agedMs = 2_000
/** Aged and young ones together, in slots. */
const crowdFactor = 4
const queueMax = 200
/** Queries whose readers stalled: of one owner, and of all. */
export const stalledMax = { owner: 16, all: 32 }

/** The most queries that a host with so many slots is ever asked to go on with at once. */
export const crowdMax = (slots: number): number => slots * crowdFactor + stalledMax.all

/** The place of one query. */
export interface Place {
  /** Its reader does not read. `evict` is called when too many wait so: the query shall end. */
  stalled(evict: () => void): void
  /** Its reader reads again. */
  resumed(): void
  /** It has ended; a second time it does nothing. */
  leave(): void
}

type Query = {
  owner: string
  state: 'young' | 'aged' | 'stalled' | 'left'
  aging: NodeJS.Timeout
  evict?: (() => void) | undefined
}
type Waiting = { owner: string; go: () => void }

export class Slots {
  readonly #slots: number
  /** All that were let in and have not left. */
  readonly #queries = new Set<Query>()
  /** Those that may be evicted, in the order in which they stalled. */
  readonly #stalled = new Set<Query>()
  readonly #waiting: Waiting[] = []

  constructor(slots: number) {
    this.#slots = slots
  }

  get running(): number {
    return this.#queries.size
  }
  get waiting(): number {
    return this.#waiting.length
  }

  /** @throws ENGINE_BUSY when too many wait; `cancelled()` when `signal` is aborted first */
  async enter(owner: string, signal: AbortSignal | undefined, cancelled: () => Failure): Promise<Place> {
    if (this.#hasRoom && this.#waiting.length === 0) return this.#letIn(owner)
    if (this.#waiting.length >= queueMax) throw new Failure('ENGINE_BUSY', `${queueMax} queries are waiting already`)
    return new Promise<Place>((resolve, reject) => {
      const waiting: Waiting = {
        owner,
        // Let in here, so that nobody slips in between.
        go: () => {
          signal?.removeEventListener('abort', leave)
          resolve(this.#letIn(owner))
        },
      }
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        reject(cancelled())
      }
      signal?.addEventListener('abort', leave, { once: true })
      this.#waiting.push(waiting)
    })
  }

  get #hasRoom(): boolean {
    const young = this.#count((query) => query.state === 'young')
    const aged = this.#count((query) => query.state === 'aged')
    return young < this.#slots && young + aged < this.#slots * crowdFactor
  }

  #count(which: (query: Query) => boolean): number {
    let count = 0
    for (const query of this.#queries) if (which(query)) count++
    return count
  }

  /** Lets in, while there is room, who waits longest of those whose owner has the fewest here. */
  #next(): void {
    while (this.#waiting.length > 0 && this.#hasRoom) {
      const here = new Map<string, number>()
      for (const { owner, state } of this.#queries) if (state !== 'stalled') here.set(owner, (here.get(owner) ?? 0) + 1)
      const had = ({ owner }: Waiting) => here.get(owner) ?? 0
      const next = this.#waiting.reduce((best, one) => (had(one) < had(best) ? one : best))
      this.#waiting.splice(this.#waiting.indexOf(next), 1)
      next.go()
    }
  }

  #letIn(owner: string): Place {
    const aging = setTimeout(() => {
      if (query.state !== 'young') return
      query.state = 'aged'
      this.#next()
    }, agedMs)
    const query: Query = { owner, state: 'young', aging }
    this.#queries.add(query)
    return {
      stalled: (evict) => {
        if (query.state === 'left' || query.state === 'stalled') return
        query.state = 'stalled'
        query.evict = evict
        this.#stalled.add(query)
        this.#evict(owner)
        this.#next()
      },
      // It has been here for a while, and others have its slot.
      resumed: () => {
        if (query.state !== 'stalled') return
        this.#stalled.delete(query)
        query.state = 'aged'
      },
      leave: () => {
        if (query.state === 'left') return
        clearTimeout(aging)
        query.state = 'left'
        this.#queries.delete(query)
        this.#stalled.delete(query)
        this.#next()
      },
    }
  }

  /** Too many of one owner: the one that stalled first goes. Too many in all: that of whoever has the most. */
  #evict(owner: string): void {
    const all = Map.groupBy(this.#stalled, (query) => query.owner)
    const most = [...all.values()].reduce((one, other) => (other.length > one.length ? other : one), [])
    const mine = all.get(owner) ?? []
    const [oldest] = mine.length > stalledMax.owner ? mine : this.#stalled.size > stalledMax.all ? most : []
    if (!oldest) return
    this.#stalled.delete(oldest)
    oldest.evict?.()
  }
}
