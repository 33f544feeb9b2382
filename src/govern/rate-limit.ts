// Token buckets in memory, one per key: a burst at once, then a steady trickle. The number of keys is bounded, because
// an attacker chooses them; the bucket used longest ago is forgotten first, and by then it is usually full again.

import type { Clock } from '../base/clock.ts'
import { Failure } from '../base/failure.ts'

export type RateLimit = { burst: number; perMinute: number; keysMax?: number }

export interface RateLimiter {
  /** Takes one token: 0, or the milliseconds until there is one. */
  take(key: string): number
  /** Puts one token back: what it was taken for turned out well. */
  giveBack(key: string): void
}

export function rateLimiter({ burst, perMinute, keysMax = 10_000 }: RateLimit, clock: Pick<Clock, 'now'>): RateLimiter {
  const buckets = new Map<string, { tokens: number; at: number }>()
  const perMs = perMinute / 60_000

  function bucketOf(key: string) {
    const now = clock.now()
    const known = buckets.get(key)
    // A clock that was set back must not take tokens away.
    const tokens = known ? Math.min(burst, known.tokens + Math.max(0, now - known.at) * perMs) : burst
    const bucket = { tokens, at: now }
    buckets.delete(key) // so that the order of the map is the order of use
    buckets.set(key, bucket)
    if (buckets.size > keysMax) buckets.delete(buckets.keys().next().value!)
    return bucket
  }

  return {
    take(key) {
      const bucket = bucketOf(key)
      if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / perMs)
      bucket.tokens -= 1
      return 0
    },
    giveBack(key) {
      const bucket = bucketOf(key)
      bucket.tokens = Math.min(burst, bucket.tokens + 1)
    },
  }
}

/** Throws RATE_LIMITED with `retryAfterMs` in its context when the bucket of `key` is empty. */
export function takeOrRefuse(limiter: RateLimiter, key: string, what: string): void {
  const waitMs = limiter.take(key)
  if (waitMs > 0)
    throw new Failure('RATE_LIMITED', `too many ${what}; try again in ${Math.ceil(waitMs / 1_000)} s`, {
      retryAfterMs: waitMs,
    })
}

/** The key of an address: IPv6 hosts own a /64, so that is what is counted. IPv4-mapped addresses count as IPv4. */
export function addressKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped) return mapped[1]!
  if (!address.includes(':')) return address
  const [head = '', tail] = address.toLowerCase().split('%')[0]!.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups =
    tail === undefined
      ? left
      : [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right]
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`
}
