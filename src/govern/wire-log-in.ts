// Log-ins of SQL clients: by SCRAM, or with the secret itself where the connection may carry it. The secret is the
// password of the user or any of their API tokens; where it is carried itself it may also be a JWT, whose name the client gives.
//
// The server must name a salt before it knows which secret the client has, and to unknown names too. So the salt is a
// function of the name and of a key of this installation: the same for all secrets of a name, and nobody sees from it
// whether there is such a user. A verifier counts only while the password hash or token hash is current that it was
// stored with, so whatever changes a password ends it.

import { createHmac, randomBytes } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { Failure } from '../base/failure.ts'
import type { Records } from '../records/index.ts'
import { decoyHash, verifyPassword, type PasswordCost } from './password.ts'
import type { Principal } from './principal.ts'
import { addressKey, takeOrRefuse } from './rate-limit.ts'
import { parseVerifier, provesSecret, scramIterations, serverSignature, showVerifier, verifierOf } from './scram.ts'
import { hashSecret, tokenPrefix } from './secret.ts'
import { principalOf, type LogInLimiters, type Visitor } from './sessions.ts'
import { normaliseName } from './users.ts'

/** Somebody who came in, and by which secret: for `refresh`. */
export type WireIdentity = { principal: Principal; secretHash: string } | { principal: Principal; jwt: string }

export interface ScramLogIn {
  salt: Buffer
  iterations: number
  /** `message` is the conversation that the client signed. @throws UNAUTHENTICATED, the same for every reason */
  finish(message: string, proof: Buffer): Promise<{ identity: WireIdentity; serverSignature: Buffer }>
}

export interface WireLogIns {
  /** @throws RATE_LIMITED */
  startScram(name: string, visitor: Visitor): Promise<ScramLogIn>
  /** With the password, a token or a JWT itself. @throws UNAUTHENTICATED, RATE_LIMITED */
  logIn(name: string, secret: string, visitor: Visitor): Promise<WireIdentity>
  /** Undefined once the user is disabled, the password changed, the token revoked or the JWT expired. */
  refresh(identity: WireIdentity): Promise<Principal | undefined>
  /** Makes the verifier of a new password or token. */
  remember(user: { id: string; name: string }, secret: string, secretHash: string): Promise<void>
}

type World = {
  records: Records
  clock: Clock
  cost: PasswordCost
  limiters: LogInLimiters
  /** Who a JWT is of; undefined when it is none, or not right. */
  ofJwt(token: string): Promise<Principal | undefined>
}

const tokensMax = 200

export function openWireLogIns({ records, clock, cost, limiters, ofJwt }: World): WireLogIns {
  const decoy = decoyHash(cost)
  let saltKey: Promise<string> | undefined

  const saltOf = async (name: string): Promise<Buffer> => {
    saltKey ??= readSaltKey(records).catch((error: unknown) => {
      saltKey = undefined
      throw error
    })
    return createHmac('sha256', await saltKey)
      .update(normaliseName(name))
      .digest()
      .subarray(0, 16)
  }

  const now = () => new Date(clock.now()).toISOString()
  const liveTokens = (userId: string) =>
    records.catalog
      .selectFrom('api_tokens')
      .select('token_hash')
      .where('user_id', '=', userId)
      .where('revoked_at', 'is', null)
      .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now())]))

  const userOf = (name: string) =>
    records.catalog
      .selectFrom('users')
      .selectAll()
      .where('name', '=', normaliseName(name))
      .where('disabled', '=', 0)
      .executeTakeFirst()

  /** Takes one guess of a name; what it gives puts it back. @throws RATE_LIMITED when there is none left */
  function take(name: string, visitor: Visitor): () => void {
    const [address, known] = [addressKey(visitor.address), normaliseName(name)]
    takeOrRefuse(limiters.addresses, address, 'log-ins from this address')
    takeOrRefuse(limiters.names, known, 'log-ins')
    return () => {
      limiters.addresses.giveBack(address)
      limiters.names.giveBack(known)
    }
  }

  return {
    async startScram(name, visitor) {
      take(name, visitor)()
      return {
        salt: await saltOf(name),
        iterations: scramIterations,
        async finish(message, proof) {
          const user = await userOf(name)
          const hashes = user
            ? [
                user.password_hash,
                ...(await liveTokens(user.id).limit(tokensMax).execute()).map((row) => row.token_hash),
              ]
            : []
          const current = hashes.filter((hash) => hash !== null)
          const verifiers =
            user && current.length > 0
              ? await records.catalog
                  .selectFrom('scram_verifiers')
                  .select(['secret_hash', 'verifier'])
                  .where('user_id', '=', user.id)
                  .where('secret_hash', 'in', current)
                  .execute()
              : []
          // Only now, and with nothing waited for until it is put back: a pool that opens sixty connections at once
          // guesses nothing, and whoever guesses sixty times at once is counted all the same.
          const giveBack = take(name, visitor)
          const found = verifiers.find(({ verifier }) => provesSecret(parseVerifier(verifier), message, proof))
          if (!user || !found) throw refused()
          giveBack()
          return {
            identity: { principal: principalOf(user), secretHash: found.secret_hash },
            serverSignature: serverSignature(parseVerifier(found.verifier), message),
          }
        },
      }
    },

    async logIn(name, secret, visitor) {
      const giveBack = take(name, visitor)
      const byJwt = await ofJwt(secret)
      if (byJwt) {
        if (normaliseName(byJwt.name) !== normaliseName(name)) throw refused()
        giveBack()
        return { principal: byJwt, jwt: secret }
      }
      const user = await userOf(name)
      const isToken = secret.startsWith(tokenPrefix)
      const tokenHash = hashSecret(secret)
      const byToken =
        isToken && user && (await liveTokens(user.id).where('token_hash', '=', tokenHash).executeTakeFirst())
      // The same work whether or not there is such a user with a password.
      const byPassword = !isToken && (await verifyPassword(secret, user?.password_hash ?? decoy))
      if (!user || !(byToken || (byPassword && user.password_hash))) throw refused()
      giveBack()
      return { principal: principalOf(user), secretHash: byToken ? tokenHash : user.password_hash! }
    },

    async refresh(identity) {
      if ('jwt' in identity) return ofJwt(identity.jwt)
      const { principal, secretHash } = identity
      const user = await records.catalog
        .selectFrom('users')
        .selectAll()
        .where('id', '=', principal.id)
        .where('disabled', '=', 0)
        .executeTakeFirst()
      if (!user) return undefined
      const isLive =
        user.password_hash === secretHash ||
        (await liveTokens(user.id).where('token_hash', '=', secretHash).executeTakeFirst()) !== undefined
      return isLive ? principalOf(user) : undefined
    },

    async remember(user, secret, secretHash) {
      const verifier = showVerifier(await verifierOf(secret, await saltOf(user.name)))
      const row = { secret_hash: secretHash, user_id: user.id, verifier, created_at: now() }
      await records.catalog
        .insertInto('scram_verifiers')
        .values(row)
        .onConflict((conflict) => conflict.column('secret_hash').doUpdateSet({ verifier }))
        .execute()
    },
  }
}

const refused = () =>
  new Failure('UNAUTHENTICATED', 'name or password is not right', {
    hint: 'The password is that of the app, or an API token. A password that was set before SQL clients were served counts after one log-in to the app.',
  })

/** Made once for an installation; whoever makes it second takes the first's. */
async function readSaltKey(records: Records): Promise<string> {
  const key = 'scram_salt_key'
  await records.catalog
    .insertInto('settings')
    .values({ key, value: randomBytes(32).toString('base64') })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute()
  const row = await records.catalog
    .selectFrom('settings')
    .select('value')
    .where('key', '=', key)
    .executeTakeFirstOrThrow()
  return row.value
}
