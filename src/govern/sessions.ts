// Coming in: by name and password, by a one-time link, by an API token. What is remembered is a hash.
//
// A session lives for seven days after it was last used and never longer than thirty. The records are asked at every
// request: that costs well under a millisecond and makes log-outs, resets and disabled users count at once, in every process.

import type { Clock } from '../base/clock.ts'
import { Failure } from '../base/failure.ts'
import { newId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import type { CatalogTransaction, Records, UsersRow } from '../records/index.ts'
import { decoyHash, hashPassword, needsRehash, type PasswordCost, verifyPassword } from './password.ts'
import { asRole, type Principal } from './principal.ts'
import { addressKey, type RateLimiter, rateLimiter, takeOrRefuse } from './rate-limit.ts'
import { hashSecret, newSecret, tokenPrefix } from './secret.ts'
import { normaliseName } from './users.ts'
import type { WireLogIns } from './wire-log-in.ts'

/** Where a log-in comes from: for the limits, and to tell sessions apart. */
export type Visitor = { address: string; userAgent?: string | undefined }
export type OpenedSession = { token: string; principal: Principal; passwordNeeded: boolean; expiresAt: string }
/** `renewed`: the expiry moved, so a cookie should be sent again. */
export type KnownSession = { principal: Principal; passwordNeeded: boolean; expiresAt: string; renewed: boolean }
export type ApiToken = {
  id: string
  name: string
  userId: string
  createdAt: string
  expiresAt: string | null
  lastUsedAt: string | null
  revokedAt: string | null
}

export interface Sessions {
  /** @throws UNAUTHENTICATED, the same for an unknown name, a wrong password and a disabled user; RATE_LIMITED */
  logIn(credentials: { name: string; password: string }, visitor: Visitor): Promise<OpenedSession>
  /** Uses up the link. @throws UNAUTHENTICATED when it is unknown, used, or too old; RATE_LIMITED */
  logInByLink(token: string, visitor: Visitor): Promise<OpenedSession>
  /** Undefined when the token opens nothing (any more). */
  authenticate(token: string): Promise<KnownSession | undefined>
  logOut(token: string): Promise<void>
}

export interface ApiTokens {
  /** The token is returned once. `validForMs` absent: until it is revoked. @throws NOT_FOUND */
  create(userId: string, options: { name: string; validForMs?: number }): Promise<{ token: string; info: ApiToken }>
  /** Newest first; of everybody when no user is named. */
  list(userId?: string): Promise<ApiToken[]>
  /** @throws NOT_FOUND */
  revoke(id: string): Promise<void>
  /** Undefined when the token opens nothing (any more). */
  authenticate(token: string): Promise<Principal | undefined>
  /** As `authenticate`, if the token has this id or name: the two halves of an OAuth2 client's credentials. */
  client(idOrName: string, token: string): Promise<Principal | undefined>
  /** Whether the token would open something if it were not too old. */
  hasExpired(token: string): Promise<boolean>
}

export type LogInLimits = {
  perName: { burst: number; perMinute: number }
  perAddress: { burst: number; perMinute: number }
}
/** Somebody who guesses can keep a name's bucket empty; the owner still comes in by a link, which is not counted by name. */
export const usualLogInLimits: LogInLimits = {
  perName: { burst: 10, perMinute: 5 },
  perAddress: { burst: 30, perMinute: 20 },
}

const day = 24 * 3_600_000
const [slidingMs, absoluteMs, renewAfterMs] = [7 * day, 30 * day, 10 * 60_000]

/** Shared by all ways to come in. */
export type LogInLimiters = { names: RateLimiter; addresses: RateLimiter }
export const logInLimiters = (limits: LogInLimits, clock: Clock): LogInLimiters => ({
  names: rateLimiter(limits.perName, clock),
  addresses: rateLimiter(limits.perAddress, clock),
})

type World = {
  records: Records
  clock: Clock
  log: Log
  cost: PasswordCost
  limiters: LogInLimiters
  /** Makes what SQL clients need beside a new password or token hash. */
  remember: WireLogIns['remember']
}

export function openSessions({ records, clock, log, cost, limiters, remember }: World): Sessions {
  const now = () => new Date(clock.now()).toISOString()
  const { names, addresses } = limiters
  const decoy = decoyHash(cost)

  const expiry = (createdAtMs: number) =>
    new Date(Math.min(clock.now() + slidingMs, createdAtMs + absoluteMs)).toISOString()

  async function insertSession(trx: CatalogTransaction, row: UsersRow, visitor: Visitor): Promise<OpenedSession> {
    const token = newSecret()
    const expiresAt = expiry(clock.now())
    const user_agent = visitor.userAgent?.slice(0, 300) ?? null
    await trx
      .insertInto('sessions')
      .values({
        token_hash: hashSecret(token),
        user_id: row.id,
        created_at: now(),
        expires_at: expiresAt,
        last_seen_at: now(),
        user_agent,
      })
      .execute()
    await trx.updateTable('users').set({ last_login_at: now() }).where('id', '=', row.id).execute()
    return { token, principal: principalOf(row), passwordNeeded: row.password_hash === null, expiresAt }
  }

  const enabledUser = (trx: CatalogTransaction, id: string) =>
    trx.selectFrom('users').selectAll().where('id', '=', id).where('disabled', '=', 0).executeTakeFirst()

  /** Better parameters than at the time of the last password: used while the password is at hand. */
  async function rehash(user: { id: string; password_hash: string }, password: string): Promise<string> {
    if (!needsRehash(user.password_hash, cost)) return user.password_hash
    try {
      const password_hash = await hashPassword(password, cost)
      const { numUpdatedRows } = await records.catalog
        .updateTable('users')
        .set({ password_hash })
        .where('id', '=', user.id)
        .where('password_hash', '=', user.password_hash)
        .executeTakeFirst()
      return numUpdatedRows === 1n ? password_hash : user.password_hash
    } catch (error) {
      log.warn('password not hashed anew', { reason: (error as Error).message })
      return user.password_hash
    }
  }

  /** For passwords from before SQL clients were served, and after a rehash. */
  async function rememberPassword(user: UsersRow, password: string, passwordHash: string): Promise<void> {
    try {
      const known = await records.catalog
        .selectFrom('scram_verifiers')
        .select('user_id')
        .where('secret_hash', '=', passwordHash)
        .executeTakeFirst()
      if (!known) await remember(user, password, passwordHash)
    } catch (error) {
      log.warn('verifier for SQL clients not stored', { reason: (error as Error).message })
    }
  }

  return {
    async logIn({ name: given, password }, visitor) {
      const name = normaliseName(given)
      const address = addressKey(visitor.address)
      takeOrRefuse(addresses, address, 'log-ins from this address')
      takeOrRefuse(names, name, 'log-ins')
      const user = await records.catalog.selectFrom('users').selectAll().where('name', '=', name).executeTakeFirst()
      const stored = user?.disabled === 0 ? user.password_hash : null
      // The same work whether or not there is such a user with a password.
      const right = await verifyPassword(password, stored ?? decoy)
      if (!user || stored === null || !right) throw refused('password')
      names.giveBack(name)
      addresses.giveBack(address)
      const password_hash = await rehash({ id: user.id, password_hash: stored }, password)
      await rememberPassword(user, password, password_hash)
      return await records.transaction(async (trx) => {
        const row = await enabledUser(trx, user.id)
        // A reset or a disabling while the password was checked must win.
        if (row?.password_hash !== password_hash) throw refused('password')
        return await insertSession(trx, row, visitor)
      })
    },

    async logInByLink(token, visitor) {
      const address = addressKey(visitor.address)
      takeOrRefuse(addresses, address, 'log-ins from this address')
      const token_hash = hashSecret(token)
      const opened = await records.transaction(async (trx) => {
        // One statement decides who was first, so a link opens one session however many ask at once.
        const { numUpdatedRows } = await trx
          .updateTable('login_links')
          .set({ used_at: now() })
          .where('token_hash', '=', token_hash)
          .where('used_at', 'is', null)
          .where('expires_at', '>', now())
          .executeTakeFirst()
        if (numUpdatedRows !== 1n) throw refused('link')
        const link = await trx
          .selectFrom('login_links')
          .select('user_id')
          .where('token_hash', '=', token_hash)
          .executeTakeFirstOrThrow()
        const row = await enabledUser(trx, link.user_id)
        if (!row) throw refused('link')
        return await insertSession(trx, row, visitor)
      })
      addresses.giveBack(address)
      return opened
    },

    async authenticate(token) {
      const token_hash = hashSecret(token)
      const row = await records.catalog
        .selectFrom('sessions')
        .innerJoin('users', 'users.id', 'sessions.user_id')
        .select([
          'users.id',
          'users.name',
          'users.role',
          'users.password_hash',
          'sessions.created_at',
          'sessions.expires_at',
          'sessions.last_seen_at',
        ])
        .where('sessions.token_hash', '=', token_hash)
        .where('users.disabled', '=', 0)
        .where('sessions.expires_at', '>', now())
        .executeTakeFirst()
      if (!row) return undefined
      const known = { principal: principalOf(row), passwordNeeded: row.password_hash === null }
      if (clock.now() - Date.parse(row.last_seen_at) < renewAfterMs)
        return { ...known, expiresAt: row.expires_at, renewed: false }
      const expiresAt = expiry(Date.parse(row.created_at))
      try {
        await records.catalog
          .updateTable('sessions')
          .set({ last_seen_at: now(), expires_at: expiresAt })
          .where('token_hash', '=', token_hash)
          .execute()
        return { ...known, expiresAt, renewed: true }
      } catch (error) {
        // The next request tries again; this one need not fail for it.
        log.debug('session not renewed', { reason: (error as Error).message })
        return { ...known, expiresAt: row.expires_at, renewed: false }
      }
    },

    async logOut(token) {
      await records.catalog.deleteFrom('sessions').where('token_hash', '=', hashSecret(token)).execute()
    },
  }
}

export function openApiTokens({
  records,
  clock,
  log,
  remember,
}: Pick<World, 'records' | 'clock' | 'log' | 'remember'>): ApiTokens {
  const now = () => new Date(clock.now()).toISOString()
  const rowOf = async (token: string) =>
    token.startsWith(tokenPrefix)
      ? await records.catalog
          .selectFrom('api_tokens')
          .select(['id', 'name', 'expires_at', 'revoked_at'])
          .where('token_hash', '=', hashSecret(token))
          .executeTakeFirst()
      : undefined
  const tokens: ApiTokens = {
    async create(userId, { name, validForMs }) {
      const user = await records.catalog
        .selectFrom('users')
        .select(['id', 'name'])
        .where('id', '=', userId)
        .executeTakeFirst()
      if (!user) throw new Failure('NOT_FOUND', `there is no user with the id ${userId}`)
      if (!/^[^\p{Cc}]{1,100}$/u.test(name)) throw new Failure('REQUEST_INVALID', 'name: 1 to 100 characters')
      const token = newSecret(tokenPrefix)
      const row = {
        id: newId(clock.now()),
        token_hash: hashSecret(token),
        user_id: userId,
        name,
        created_at: now(),
        expires_at: validForMs === undefined ? null : new Date(clock.now() + validForMs).toISOString(),
        last_used_at: null,
        revoked_at: null,
      }
      await records.catalog.insertInto('api_tokens').values(row).execute()
      await remember(user, token, row.token_hash)
      return { token, info: asApiToken(row) }
    },

    async list(userId) {
      let query = records.catalog.selectFrom('api_tokens').selectAll().orderBy('id', 'desc')
      if (userId !== undefined) query = query.where('user_id', '=', userId)
      return (await query.execute()).map(asApiToken)
    },

    async revoke(id) {
      const { numUpdatedRows } = await records.catalog
        .updateTable('api_tokens')
        .set((eb) => ({ revoked_at: eb.fn.coalesce('revoked_at', eb.val(now())) }))
        .where('id', '=', id)
        .executeTakeFirst()
      if (numUpdatedRows === 0n) throw new Failure('NOT_FOUND', `there is no API token with the id ${id}`)
    },

    async authenticate(token) {
      if (!token.startsWith(tokenPrefix)) return undefined
      const row = await records.catalog
        .selectFrom('api_tokens')
        .innerJoin('users', 'users.id', 'api_tokens.user_id')
        .select(['users.id', 'users.name', 'users.role', 'api_tokens.id as tokenId', 'api_tokens.last_used_at'])
        .where('api_tokens.token_hash', '=', hashSecret(token))
        .where('users.disabled', '=', 0)
        .where('api_tokens.revoked_at', 'is', null)
        .where((eb) => eb.or([eb('api_tokens.expires_at', 'is', null), eb('api_tokens.expires_at', '>', now())]))
        .executeTakeFirst()
      if (!row) return undefined
      if (row.last_used_at === null || clock.now() - Date.parse(row.last_used_at) >= renewAfterMs)
        await records.catalog
          .updateTable('api_tokens')
          .set({ last_used_at: now() })
          .where('id', '=', row.tokenId)
          .execute()
          .catch((error: unknown) => log.debug('use of a token not noted', { reason: (error as Error).message }))
      return principalOf(row)
    },

    async client(idOrName, token) {
      const row = await rowOf(token)
      return row && (row.id === idOrName || row.name === idOrName) ? await tokens.authenticate(token) : undefined
    },

    async hasExpired(token) {
      const row = await rowOf(token)
      return row?.revoked_at === null && row.expires_at !== null && row.expires_at <= now()
    },
  }
  return tokens
}

function refused(by: 'password' | 'link'): Failure {
  return by === 'password'
    ? new Failure('UNAUTHENTICATED', 'name or password is not right', {
        hint: 'Try again; an administrator can make a one-time log-in link with `boathouse user reset NAME`.',
      })
    : new Failure('UNAUTHENTICATED', 'this log-in link was used already or is too old', {
        hint: 'Ask for a new one: `boathouse user reset NAME` prints it.',
      })
}

export const principalOf = (row: { id: string; name: string; role: string }): Principal => ({
  id: row.id,
  name: row.name,
  role: asRole(row.role),
})

const asApiToken = (row: {
  id: string
  name: string
  user_id: string
  created_at: string
  expires_at: string | null
  last_used_at: string | null
  revoked_at: string | null
}): ApiToken => ({
  id: row.id,
  name: row.name,
  userId: row.user_id,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
  revokedAt: row.revoked_at,
})
