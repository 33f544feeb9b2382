export type { Audit, AuditEntry, QueryLog, QueryLogEntry, Verdict } from './audit.ts'
export { type Govern, openGovern } from './govern.ts'
export {
  type Action,
  authorise,
  decisions,
  mayAct,
  type Principal,
  type Resource,
  type Role,
  systemPrincipal,
} from './principal.ts'
export { addressKey, type RateLimit, type RateLimiter, rateLimiter, takeOrRefuse } from './rate-limit.ts'
export type { ApiToken, ApiTokens, KnownSession, LogInLimits, OpenedSession, Sessions, Visitor } from './sessions.ts'
export { tokenPrefix } from './secret.ts'
export type { LoginLink, User, UserRole, Users } from './users.ts'
