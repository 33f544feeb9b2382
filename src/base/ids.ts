import { randomBytes } from 'node:crypto'

declare const brand: unique symbol
export type Brand<Value, Name extends string> = Value & { readonly [brand]: Name }

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** The last one: its time, and what chance gave. */
let last: { now: number; chance: Uint8Array } = { now: -1, chance: new Uint8Array() }

/**
 * A sortable id: ten characters of time and ten of chance, so that lists by id are lists by age. Of one process that holds within a
 * millisecond, too: there the next one is the one after it.
 */
export function newId(now: number = Date.now()): string {
  last = { now, chance: now === last.now ? next(last.chance) : randomBytes(10).map((byte) => byte % 32) }
  let time = ''
  for (let rest = now, digit = 0; digit < 10; digit++, rest = Math.floor(rest / 32)) time = alphabet[rest % 32]! + time
  return time + Array.from(last.chance, (digit) => alphabet[digit]).join('')
}

function next(digits: Uint8Array): Uint8Array {
  const more = Uint8Array.from(digits)
  for (let at = more.length - 1; at >= 0; at--) {
    more[at] = (more[at]! + 1) % 32
    if (more[at] !== 0) break
  }
  return more
}
