// Hosts for one statement at a time, with no more memory than its asker may use.
//
// DuckDB bounds memory per instance, so a bound of one asker needs an instance of its own. These live on the share of the class
// for long queries: while there is one, that class has no host and its queries go to the interactive one, so all hosts together
// stay within the budget. A host that was used is kept for a little while, for the next statement with the same bound.

import type { Failure } from '../base/failure.ts'

/** Less would not start. */
export const ownBytesMin = 64 * 2 ** 20
const hostsMax = 4
const keptMs = 15_000

type Own<Seat> = { seat: Seat; bytes: number; busy: boolean; timer?: NodeJS.Timeout }

type World<Seat> = {
  /** Of all these hosts together. */
  bytesMax: number
  open(bytes: number): Seat
  /** Resolves when the share is free; with `giveBack` its class has it again. */
  lend(signal: AbortSignal | undefined): Promise<void>
  giveBack(): void
  /** Whether a host may serve another statement: one that holds on to memory would be ended in the middle of it. */
  isFit(seat: Seat): boolean
  cancelled(): Failure
}

export class OwnHosts<Seat extends { close(): Promise<void> }> {
  readonly #world: World<Seat>
  readonly #hosts: Own<Seat>[] = []
  #waiting: (() => void)[] = []

  constructor(world: World<Seat>) {
    this.#world = world
  }

  get seats(): Seat[] {
    return this.#hosts.map(({ seat }) => seat)
  }

  /** A host that nobody else uses until `release`. @throws what `cancelled()` says when `signal` is aborted first */
  async take(bytes: number, signal: AbortSignal | undefined): Promise<{ seat: Seat; release: () => void }> {
    const { open, lend, bytesMax } = this.#world
    const wanted = Math.min(Math.max(bytes, ownBytesMin), bytesMax)
    for (;;) {
      const kept = this.#hosts.find((one) => !one.busy && one.bytes === wanted)
      if (kept) {
        clearTimeout(kept.timer)
        kept.busy = true
        return { seat: kept.seat, release: () => this.#release(kept) }
      }
      await this.#makeRoom(wanted)
      if (this.#hasRoom(wanted)) {
        const own: Own<Seat> = { seat: open(wanted), bytes: wanted, busy: true }
        this.#hosts.push(own)
        try {
          await lend(signal)
        } catch (error) {
          void this.#close(own)
          throw error
        }
        return { seat: own.seat, release: () => this.#release(own) }
      }
      await this.#turn(signal)
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#hosts.map((one) => this.#close(one)))
  }

  #hasRoom(bytes: number): boolean {
    const used = this.#hosts.reduce((sum, one) => sum + one.bytes, 0)
    return this.#hosts.length < hostsMax && used + bytes <= this.#world.bytesMax
  }

  async #makeRoom(bytes: number): Promise<void> {
    while (!this.#hasRoom(bytes)) {
      const idle = this.#hosts.find(({ busy }) => !busy)
      if (!idle) return
      await this.#close(idle)
    }
  }

  #release(own: Own<Seat>): void {
    if (!own.busy) return
    if (!this.#world.isFit(own.seat)) return void this.#close(own)
    own.busy = false
    own.timer = setTimeout(() => void this.#close(own), keptMs)
    own.timer.unref()
    this.#next()
  }

  async #close(own: Own<Seat>): Promise<void> {
    clearTimeout(own.timer)
    // Nobody shall be given it while it ends; its bytes count until it has.
    own.busy = true
    await own.seat.close()
    const at = this.#hosts.indexOf(own)
    if (at < 0) return
    this.#hosts.splice(at, 1)
    if (this.#hosts.length === 0) this.#world.giveBack()
    this.#next()
  }

  #next(): void {
    this.#waiting.shift()?.()
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = () => {
        signal?.removeEventListener('abort', gone)
        resolve()
      }
      const gone = () => {
        this.#waiting = this.#waiting.filter((one) => one !== go)
        reject(this.#world.cancelled())
      }
      if (signal?.aborted) return gone()
      signal?.addEventListener('abort', gone, { once: true })
      this.#waiting.push(go)
    })
  }
}
