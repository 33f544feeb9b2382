// People who may log in: a name, a role, maybe a password. Names are compared without case.
//
// Who was disabled is out at once: their sessions and links are deleted in the same transaction, and every request
// asks the records again, so it holds for all processes.

import type { Clock } from '../base/clock.ts'
import { Failure } from '../base/failure.ts'
import { newId } from '../base/ids.ts'
import { type CatalogTransaction, isUniqueViolation, type Records, type UsersRow } from '../records/index.ts'
import { hashPassword, type PasswordCost, verifyPassword } from './password.ts'
import { bumpStamp } from './policy-records.ts'
import { asRole, type Principal } from './principal.ts'
import { hashSecret, newSecret } from './secret.ts'
import type { WireLogIns } from './wire-log-in.ts'

export type UserRole = 'admin' | 'reader' | 'member'
export type User = {
  id: string
  name: string
  role: UserRole
  disabled: boolean
  passwordSet: boolean
  /** ISO 8601 UTC, as all times here. */
  createdAt: string
  lastSeenAt: string | null
}
/** The token of a one-time log-in link. It is shown once, to whoever asked for it; only its hash is kept. */
export type LoginLink = { token: string; expiresAt: string }

export interface Users {
  /** By name. */
  list(): Promise<User[]>
  /** By id or by name; @throws NOT_FOUND */
  get(idOrName: string): Promise<User>
  /** @throws ALREADY_EXISTS, REQUEST_INVALID */
  create(user: { name: string; role: UserRole }): Promise<User>
  /** Disabling ends the sessions and links. @throws NOT_FOUND; FORBIDDEN when no administrator would be left */
  change(idOrName: string, change: { role?: UserRole; disabled?: boolean }): Promise<User>
  /** Ends all sessions, forgets the password, makes a link (older links die). @throws NOT_FOUND, FORBIDDEN when disabled */
  reset(idOrName: string): Promise<{ user: User; link: LoginLink }>
  /** A link that leaves password and sessions alone: for a new user, or a first start. */
  createLink(idOrName: string, options?: { validForMs?: number }): Promise<LoginLink>
  /**
   * Sets the password of `principal` and ends their sessions other than `keepSession` (a session token).
   * @throws FORBIDDEN when `current` is wrong; it may be missing only while no password is set
   */
  changePassword(
    principal: Principal,
    change: { current?: string; password: string; keepSession?: string },
  ): Promise<void>
  /** Sets a password without asking for the old one, and ends all sessions. @throws NOT_FOUND */
  setPassword(idOrName: string, password: string): Promise<void>
  /**
   * Makes `admin` when there is nobody, with `password` or with a link valid for a day. While nobody ever logged in, a
   * further start makes a new link, so that a lost first line needs no repair. Safe when two processes start together.
   */
  ensureAdministrator(options: {
    password?: string | undefined
  }): Promise<{ created: boolean; name: string; link?: LoginLink }>
}

const [linkMs, firstLinkMs] = [15 * 60_000, 24 * 3_600_000]
const adminName = 'admin'

type Db = Records['catalog'] | CatalogTransaction

type World = { records: Records; clock: Clock; cost: PasswordCost; remember: WireLogIns['remember'] }

export function openUsers({ records, clock, cost, remember }: World): Users {
  const now = () => new Date(clock.now()).toISOString()

  async function rowOf(db: Db, idOrName: string): Promise<UsersRow> {
    const name = normaliseName(idOrName)
    const rows = await db
      .selectFrom('users')
      .selectAll()
      .where((eb) => eb.or([eb('id', '=', idOrName), eb('name', '=', name)]))
      .execute()
    // An id cannot be typed by accident, but a user could be named like another's id: the id goes first.
    const row = rows.find(({ id }) => id === idOrName) ?? rows[0]
    if (!row)
      throw new Failure('NOT_FOUND', `there is no user ${idOrName}`, {
        hint: 'The users page and `boathouse user ls` list them.',
      })
    return row
  }

  async function endSessions(db: Db, userId: string, keepSession?: string) {
    let deletion = db.deleteFrom('sessions').where('user_id', '=', userId)
    if (keepSession) deletion = deletion.where('token_hash', '!=', hashSecret(keepSession))
    await deletion.execute()
  }

  const endLinks = (db: Db, userId: string) => db.deleteFrom('login_links').where('user_id', '=', userId).execute()

  async function insertLink(db: Db, userId: string, validForMs: number): Promise<LoginLink> {
    const token = newSecret()
    const expiresAt = new Date(clock.now() + validForMs).toISOString()
    await db
      .insertInto('login_links')
      .values({
        token_hash: hashSecret(token),
        user_id: userId,
        created_at: now(),
        expires_at: expiresAt,
        used_at: null,
      })
      .execute()
    return { token, expiresAt }
  }

  async function insertUser(
    db: CatalogTransaction,
    user: { name: string; role: UserRole; passwordHash: string | null },
  ): Promise<UsersRow> {
    const row: UsersRow = {
      id: newId(clock.now()),
      name: user.name,
      role: user.role,
      password_hash: user.passwordHash,
      disabled: 0,
      created_at: now(),
      updated_at: now(),
      last_login_at: null,
    }
    await db.insertInto('users').values(row).execute()
    await bumpStamp(db)
    return row
  }

  async function storePassword(
    idOrName: string,
    password: string,
    passwordHashBefore?: string | null,
    keepSession?: string,
  ) {
    const password_hash = await hashPassword(password, cost)
    const user = await records.transaction(async (trx) => {
      const row = await rowOf(trx, idOrName)
      if (passwordHashBefore !== undefined && row.password_hash !== passwordHashBefore)
        throw new Failure('FORBIDDEN', 'the password was changed meanwhile', { hint: 'Log in again.' })
      await trx.updateTable('users').set({ password_hash, updated_at: now() }).where('id', '=', row.id).execute()
      await endSessions(trx, row.id, keepSession)
      await endLinks(trx, row.id)
      return row
    })
    await remember(user, password, password_hash)
  }

  const users: Users = {
    async list() {
      const rows = await records.catalog.selectFrom('users').selectAll().orderBy('name').execute()
      const seen = await records.catalog
        .selectFrom('sessions')
        .select((eb) => ['user_id', eb.fn.max('last_seen_at').as('at')])
        .groupBy('user_id')
        .execute()
      const seenAt = new Map(seen.map(({ user_id, at }) => [user_id, at]))
      return rows.map((row) => asUser(row, seenAt.get(row.id) ?? null))
    },

    async get(idOrName) {
      const row = await rowOf(records.catalog, idOrName)
      const seen = await records.catalog
        .selectFrom('sessions')
        .select((eb) => eb.fn.max('last_seen_at').as('at'))
        .where('user_id', '=', row.id)
        .executeTakeFirst()
      return asUser(row, seen?.at ?? null)
    },

    async create({ name: given, role }) {
      const name = checkName(given)
      try {
        return asUser(await records.transaction((trx) => insertUser(trx, { name, role, passwordHash: null })))
      } catch (error) {
        if (!isUniqueViolation(error)) throw error
        throw new Failure('ALREADY_EXISTS', `there is already a user ${name}`, {
          hint: 'Choose another name, or enable the one that exists.',
          cause: error,
        })
      }
    },

    async change(idOrName, { role, disabled }) {
      const id = await records.transaction(async (trx) => {
        const row = await rowOf(trx, idOrName)
        const after = {
          role: role ?? row.role,
          disabled: disabled === undefined ? row.disabled : disabled ? (1 as const) : (0 as const),
        }
        const wasAdmin = row.role === 'admin' && row.disabled === 0
        const staysAdmin = after.role === 'admin' && after.disabled === 0
        if (wasAdmin && !staysAdmin) await keepOneAdministrator(trx, row)
        await trx
          .updateTable('users')
          .set({ ...after, updated_at: now() })
          .where('id', '=', row.id)
          .execute()
        await bumpStamp(trx)
        if (after.disabled === 1) {
          await endSessions(trx, row.id)
          await endLinks(trx, row.id)
        }
        return row.id
      })
      return await users.get(id)
    },

    async reset(idOrName) {
      const { id, link } = await records.transaction(async (trx) => {
        const row = await rowOf(trx, idOrName)
        refuseDisabled(row)
        await trx
          .updateTable('users')
          .set({ password_hash: null, updated_at: now() })
          .where('id', '=', row.id)
          .execute()
        await endSessions(trx, row.id)
        await endLinks(trx, row.id)
        return { id: row.id, link: await insertLink(trx, row.id, linkMs) }
      })
      return { user: await users.get(id), link }
    },

    async createLink(idOrName, { validForMs = linkMs } = {}) {
      return await records.transaction(async (trx) => {
        const row = await rowOf(trx, idOrName)
        refuseDisabled(row)
        return await insertLink(trx, row.id, validForMs)
      })
    },

    async changePassword(principal, { current, password, keepSession }) {
      const row = await rowOf(records.catalog, principal.id)
      if (row.password_hash !== null && !(current !== undefined && (await verifyPassword(current, row.password_hash))))
        throw new Failure('FORBIDDEN', 'the current password is not right', {
          hint: 'Log out and use a one-time link if it was forgotten.',
        })
      await storePassword(principal.id, password, row.password_hash, keepSession)
    },

    setPassword: (idOrName, password) => storePassword(idOrName, password),

    async ensureAdministrator({ password }) {
      const before = await onlyAdministratorWithoutLogIn(records.catalog)
      if (before === 'settled') return { created: false, name: adminName }
      const passwordHash = password === undefined ? null : await hashFirstPassword(password, cost)
      const { userId, ...done } = await records.transaction(async (trx) => {
        const state = await onlyAdministratorWithoutLogIn(trx)
        if (state === 'settled') return { created: false, name: adminName }
        const row = state === 'nobody' ? await insertUser(trx, { name: adminName, role: 'admin', passwordHash }) : state
        const created = state === 'nobody'
        if (passwordHash !== null) {
          if (!created)
            await trx
              .updateTable('users')
              .set({ password_hash: passwordHash, updated_at: now() })
              .where('id', '=', row.id)
              .execute()
          return { created, name: row.name, userId: row.id }
        }
        await endLinks(trx, row.id)
        return { created, name: row.name, link: await insertLink(trx, row.id, firstLinkMs) }
      })
      if (userId !== undefined) await remember({ id: userId, name: done.name }, password!, passwordHash!)
      return done
    },
  }
  return users
}

/**
 * 'nobody' on a first start, also where others were added before it; the one user who never came in and has no password; else
 * 'settled'.
 */
async function onlyAdministratorWithoutLogIn(db: Db): Promise<'nobody' | 'settled' | UsersRow> {
  const rows = await db.selectFrom('users').selectAll().limit(2).execute()
  const [first] = rows
  if (!first) return 'nobody'
  const names = await db
    .selectFrom('users')
    .select('id')
    .where((eb) => eb.or([eb.and([eb('role', '=', 'admin'), eb('disabled', '=', 0)]), eb('name', '=', adminName)]))
    .limit(1)
    .execute()
  if (names.length === 0) return 'nobody'
  const untouched =
    rows.length === 1 &&
    first.role === 'admin' &&
    first.disabled === 0 &&
    first.password_hash === null &&
    first.last_login_at === null
  return untouched ? first : 'settled'
}

async function keepOneAdministrator(trx: CatalogTransaction, leaving: UsersRow) {
  const others = await trx
    .selectFrom('users')
    .select('id')
    .where('role', '=', 'admin')
    .where('disabled', '=', 0)
    .where('id', '!=', leaving.id)
    .limit(1)
    .execute()
  if (others.length === 0)
    throw new Failure('FORBIDDEN', `${leaving.name} is the last administrator`, {
      hint: 'Make somebody else an administrator first.',
    })
}

function refuseDisabled(row: UsersRow) {
  if (row.disabled === 1) throw new Failure('FORBIDDEN', `${row.name} is disabled`, { hint: 'Enable the user first.' })
}

async function hashFirstPassword(password: string, cost: PasswordCost): Promise<string> {
  try {
    return await hashPassword(password, cost)
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'REQUEST_INVALID') throw error
    throw new Failure('CONFIG_INVALID', `BOATHOUSE_ADMIN_PASSWORD: ${error.message}`, {
      hint: 'For example BOATHOUSE_ADMIN_PASSWORD=correct-horse-battery',
    })
  }
}

export const normaliseName = (name: string): string => name.normalize('NFKC').toLowerCase()

function checkName(given: string): string {
  const name = normaliseName(given)
  if (!/^[\p{L}\p{N}._@+-]{1,100}$/u.test(name))
    throw new Failure('REQUEST_INVALID', `name: ${JSON.stringify(given)} is not 1 to 100 letters, digits and . _ @ + -`)
  if (name === 'system') throw new Failure('REQUEST_INVALID', 'name: system is the name of Boathouse itself')
  return name
}

function asUser(row: UsersRow, seenAt: string | null = null): User {
  const times = [row.last_login_at, seenAt].filter((at) => at !== null).sort()
  return {
    id: row.id,
    name: row.name,
    role: asRole(row.role),
    disabled: row.disabled === 1,
    passwordSet: row.password_hash !== null,
    createdAt: row.created_at,
    lastSeenAt: times.at(-1) ?? null,
  }
}
