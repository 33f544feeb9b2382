// Passwords are kept as scrypt hashes in the PHC string format, `$scrypt$ln=15,r=8,p=3$salt$hash`: the parameters
// travel with the hash, so raising them later keeps old passwords valid, and they are raised at the next log-in.
//
// The default is one of the settings that OWASP's password storage sheet lists for scrypt: 2^15 blocks, r 8, p 3, which
// costs 32 MiB and about 0.2 s. That is dear for us as well, so a process computes two at a time and keeps a short queue.

import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { Failure } from '../base/failure.ts'

export type PasswordCost = { logN: number; r: number; p: number }
export const defaultCost: PasswordCost = { logN: 15, r: 8, p: 3 }

const [saltBytes, hashBytes, memoryBytesMax] = [16, 32, 256 * 2 ** 20]
const [atOnceMax, waitingMax] = [2, 64]
const [lengthMin, bytesMax] = [10, 1024]

/** The PHC string of a new password. REQUEST_INVALID when it is too short or too long. */
export async function hashPassword(password: string, cost: PasswordCost = defaultCost): Promise<string> {
  checkPassword(password)
  const salt = randomBytes(saltBytes)
  return show(cost, salt, await derive(password, salt, hashBytes, cost))
}

/** Compared in constant time. A malformed hash never matches; RATE_LIMITED when too many checks are waiting. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const parsed = parse(hash)
  if (!parsed || Buffer.byteLength(password) > bytesMax) return false
  return timingSafeEqual(await derive(password, parsed.salt, parsed.hash.length, parsed.cost), parsed.hash)
}

/** True when the hash was made with other parameters than today's, and should be made anew while the password is at hand. */
export function needsRehash(hash: string, cost: PasswordCost = defaultCost): boolean {
  const made = parse(hash)?.cost
  return made?.logN !== cost.logN || made.r !== cost.r || made.p !== cost.p
}

/** A hash that no password matches and that takes as long to check as a real one: for names that do not exist. */
export function decoyHash(cost: PasswordCost = defaultCost): string {
  return show(cost, randomBytes(saltBytes), randomBytes(hashBytes))
}

export function checkPassword(password: string): void {
  if ([...password].length < lengthMin)
    throw new Failure('REQUEST_INVALID', `password: at least ${lengthMin} characters`, {
      hint: 'Three or four random words make a good one.',
    })
  if (Buffer.byteLength(password) > bytesMax)
    throw new Failure('REQUEST_INVALID', `password: at most ${bytesMax} bytes`, { hint: 'Choose a shorter one.' })
}

function parse(text: string): { cost: PasswordCost; salt: Buffer; hash: Buffer } | undefined {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(text)
  if (!match) return undefined
  const [logN, r, p] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const hash = Buffer.from(match[5]!, 'base64')
  // scrypt would happily derive zero bytes, and zero bytes equal each other.
  if (hash.length < 16 || logN < 1 || r < 1 || p < 1 || 128 * r * 2 ** logN > memoryBytesMax) return undefined
  return { cost: { logN, r, p }, salt: Buffer.from(match[4]!, 'base64'), hash }
}

const show = ({ logN, r, p }: PasswordCost, salt: Buffer, hash: Buffer) =>
  `$scrypt$ln=${logN},r=${r},p=${p}$${unpadded(salt)}$${unpadded(hash)}`
const unpadded = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')

async function derive(password: string, salt: Buffer, length: number, { logN, r, p }: PasswordCost): Promise<Buffer> {
  await using _ = await turn()
  return await new Promise((resolve, reject) =>
    // NFKC: the same password typed on another keyboard or system must give the same bytes (RFC 8265 does more; this is what people meet).
    scrypt(
      password.normalize('NFKC'),
      salt,
      length,
      { N: 2 ** logN, r, p, maxmem: memoryBytesMax + 2 ** 20 },
      (error, key) => (error ? reject(error) : resolve(key)),
    ),
  )
}

let running = 0
const waiting: (() => void)[] = []

async function turn(): Promise<AsyncDisposable> {
  if (running >= atOnceMax) {
    if (waiting.length >= waitingMax) throw new Failure('RATE_LIMITED', 'too many passwords are being checked')
    await new Promise<void>((resolve) => waiting.push(resolve))
  } else running++
  return {
    async [Symbol.asyncDispose]() {
      const next = waiting.shift()
      if (next) next() // the turn passes on; `running` stays
      else running--
    },
  }
}
