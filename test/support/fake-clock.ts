// Time for tests: it passes when the test says so.

import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../src/base/clock.ts'

export type FakeClock = Clock & {
  /** Lets `ms` pass, waking sleepers in order and letting what they start happen in between. */
  advance(ms: number): Promise<void>
}

export function fakeClock(start: string): FakeClock {
  let time = Date.parse(start)
  const sleepers = new Set<{ at: number; wake: () => void }>()
  // Enough turns of the event loop for what is on its way inside this process to arrive.
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await setImmediate()
  }
  return {
    now: () => time,
    random: () => 0.5,
    sleep: (ms, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      if (signal?.aborted) {
        reject(signal.reason as Error)
        return promise
      }
      const sleeper = { at: time + ms, wake: resolve }
      sleepers.add(sleeper)
      const onAbort = () => {
        sleepers.delete(sleeper)
        reject(signal!.reason as Error)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      return promise
    },
    advance: async (ms) => {
      const until = time + ms
      await settle()
      for (;;) {
        const next = [...sleepers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
        if (!next) break
        time = Math.max(time, next.at)
        sleepers.delete(next)
        next.wake()
        await settle()
      }
      time = until
      await settle()
    },
  }
}
