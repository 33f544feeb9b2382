// Bearer tokens that somebody else issues: an identity provider signs who it is and what they are, and its public key is all
// that is kept here. Whoever comes so is a member, with what their roles, groups and attributes are granted; the name is for
// reading, and gives nothing that a user of that name has.

import { createHash } from 'node:crypto'
import type { JWTPayload, JWTVerifyGetKey } from 'jose'
import type { Clock } from '../base/clock.ts'
import { Failure } from '../base/failure.ts'
import type { Log } from '../base/log.ts'
import type { Principal } from './principal.ts'

export type JwtSettings = {
  issuer: string
  audience: string
  /** Where the issuer's keys are: an address, or the keys themselves as JSON or as a public key in PEM. */
  keys: { jwksUrl: string } | { jwks: string } | { publicKey: string }
  /** Claims. */
  name: string
  roles: string
  groups: string
  attributes: readonly string[]
}

export interface JwtVerifier {
  /** Undefined for a token that is not right in every respect: the log says why, the answer does not. */
  verify(token: string): Promise<Principal | undefined>
}

// Signatures of two parties: a shared secret, or none, is nothing that an issuer proves itself with.
const asymmetric = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const [tokenLengthMax, namesMax, clockSkewSeconds] = [16_384, 200, 30]

/** Not a decision: only what is worth a look. */
export const looksLikeJwt = (token: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)

/** @throws CONFIG_INVALID for keys that are none */
export async function openJwtVerifier(
  settings: JwtSettings,
  { clock, log }: { clock: Clock; log: Log },
): Promise<JwtVerifier> {
  const { errors, jwtVerify } = await library()
  const key = await keyOf(settings)
  return {
    async verify(token) {
      if (token.length > tokenLengthMax) return undefined
      try {
        const { payload } = await jwtVerify(token, key, {
          issuer: settings.issuer,
          audience: settings.audience,
          algorithms: asymmetric,
          requiredClaims: ['exp', 'sub'],
          clockTolerance: clockSkewSeconds,
          currentDate: new Date(clock.now()),
        })
        return principalOf(payload, settings)
      } catch (error) {
        const known = error instanceof errors.JOSEError
        log.warn('a JWT was refused', { reason: known ? error.code : (error as Error).message })
        return undefined
      }
    },
  }
}

/** Loaded where an issuer is configured: no other command waits for it. */
const library = () => import('jose')

async function keyOf({ keys }: JwtSettings): Promise<JWTVerifyGetKey> {
  const { createLocalJWKSet, createRemoteJWKSet, importSPKI } = await library()
  try {
    if ('jwksUrl' in keys)
      return createRemoteJWKSet(new URL(keys.jwksUrl), { timeoutDuration: 5_000, cooldownDuration: 30_000 })
    if ('jwks' in keys) return createLocalJWKSet(JSON.parse(keys.jwks) as Parameters<typeof createLocalJWKSet>[0])
    const { publicKey } = keys
    // The key fits one family of algorithms; which, the token says and the key confirms.
    return async ({ alg }) => importSPKI(publicKey, alg ?? 'RS256')
  } catch (cause) {
    throw new Failure('CONFIG_INVALID', `auth.jwt: the keys cannot be read: ${(cause as Error).message}`, { cause })
  }
}

function principalOf(payload: JWTPayload, { name, roles, groups, attributes }: JwtSettings): Principal | undefined {
  const { iss } = payload
  const sub = textOf(payload.sub)
  if (sub === undefined || sub === '') return undefined
  const given = textOf(payload[name]) ?? sub
  return Object.freeze({
    id: `jwt:${createHash('sha256')
      .update(JSON.stringify([iss, sub]))
      .digest('hex')
      .slice(0, 32)}`,
    // Not to be taken for Boathouse itself in logs.
    name: given === 'system' ? `${given} (jwt)` : given.slice(0, 100),
    role: 'member' as const,
    roles: namesOf(payload[roles]),
    groups: namesOf(payload[groups]),
    attributes: Object.freeze(
      Object.fromEntries(
        attributes.flatMap((claim) => {
          const value = textOf(payload[claim])
          return value === undefined ? [] : [[claim, value]]
        }),
      ),
    ),
  })
}

const textOf = (claim: unknown): string | undefined =>
  typeof claim === 'string'
    ? claim
    : typeof claim === 'number' || typeof claim === 'boolean'
      ? String(claim)
      : undefined

/** A list, or one text with spaces, as `scope` has it. */
function namesOf(claim: unknown): readonly string[] {
  const all = Array.isArray(claim) ? claim : typeof claim === 'string' ? claim.split(' ') : []
  return Object.freeze(
    all
      .filter((one): one is string => typeof one === 'string' && one !== '')
      .slice(0, namesMax)
      .map((one) => one.toLowerCase()),
  )
}
