import { type Clock, realClock } from '../base/clock.ts'
import { type Log, silentLog } from '../base/log.ts'
import type { Records } from '../records/index.ts'
import { type Access, openAccess } from './access.ts'
import { type Audit, openAuditLogs, type QueryLog } from './audit.ts'
import { defaultCost, type PasswordCost } from './password.ts'
import {
  type ApiTokens,
  type LogInLimits,
  logInLimiters,
  openApiTokens,
  openSessions,
  type Sessions,
  usualLogInLimits,
} from './sessions.ts'
import { type JwtSettings, looksLikeJwt, openJwtVerifier } from './jwt.ts'
import { openViewOwners, type ViewOwners } from './view-owners.ts'
import { openUsers, type Users } from './users.ts'
import { openWireLogIns, type WireLogIns } from './wire-log-in.ts'

export type Govern = {
  users: Users
  sessions: Sessions
  tokens: ApiTokens
  /** Log-ins of SQL clients. */
  wire: WireLogIns
  access: Access
  owners: ViewOwners
  audit: Audit
  queries: QueryLog
  /** Deletes sessions and links that are over, and log rows older than they are kept. For the worker, now and then. */
  sweep(keep: {
    auditMs: number
    queriesMs: number
  }): Promise<{ sessions: number; links: number; audit: number; queries: number }>
  /** Waits for the log rows that are under way. */
  close(): Promise<void>
}

type Options = {
  records: Records
  clock?: Clock
  log?: Log
  cost?: PasswordCost
  logInLimits?: LogInLimits
  /** Who else may say who somebody is. */
  jwt?: JwtSettings | undefined
  /** Of the settings: patterns may call a catalog by its environment. */
  environments?: readonly { name: string; catalog: string }[]
}

/** `cost` is lowered only by tests: it makes passwords cheap to guess. */
export function openGovern({
  records,
  clock = realClock,
  log = silentLog,
  cost = defaultCost,
  logInLimits = usualLogInLimits,
  environments = [],
  jwt,
}: Options): Govern {
  const logs = openAuditLogs({ records, clock, log })
  const verifier = jwt && openJwtVerifier(jwt, { clock, log })
  // Whoever comes first is told what is wrong with the settings.
  verifier?.catch(() => {})
  const ofJwt = async (token: string) => (verifier && looksLikeJwt(token) ? (await verifier).verify(token) : undefined)
  /** Wherever an API token is taken, a JWT is. */
  const withJwt = (tokens: ApiTokens): ApiTokens => ({
    ...tokens,
    authenticate: async (token) => (await tokens.authenticate(token)) ?? ofJwt(token),
  })
  const limiters = logInLimiters(logInLimits, clock)
  const wire = openWireLogIns({ records, clock, cost, limiters, ofJwt })
  const { remember } = wire
  return {
    users: openUsers({ records, clock, cost, remember }),
    sessions: openSessions({ records, clock, log, cost, limiters, remember }),
    tokens: withJwt(openApiTokens({ records, clock, log, remember })),
    wire,
    access: openAccess({ records, clock, environments, audit: logs.audit }),
    owners: openViewOwners({ records, clock }),
    audit: logs.audit,
    queries: logs.queries,
    async sweep(keep) {
      const now = new Date(clock.now()).toISOString()
      const sessions = await records.catalog.deleteFrom('sessions').where('expires_at', '<=', now).executeTakeFirst()
      const links = await records.catalog
        .deleteFrom('login_links')
        .where((eb) => eb.or([eb('expires_at', '<=', now), eb('used_at', 'is not', null)]))
        .executeTakeFirst()
      return {
        sessions: Number(sessions.numDeletedRows),
        links: Number(links.numDeletedRows),
        ...(await logs.purge(keep)),
      }
    },
    close: () => logs.flush(),
  }
}
