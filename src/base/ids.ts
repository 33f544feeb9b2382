import { randomBytes } from 'node:crypto'

declare const brand: unique symbol
export type Brand<Value, Name extends string> = Value & { readonly [brand]: Name }

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** A sortable id: ten characters of time and ten of chance, so that lists by id are lists by age. */
export function newId(now: number = Date.now()): string {
  let time = ''
  for (let rest = now, digit = 0; digit < 10; digit++, rest = Math.floor(rest / 32)) time = alphabet[rest % 32]! + time
  return time + Array.from(randomBytes(10), (byte) => alphabet[byte % 32]).join('')
}
