export type {
  Access,
  AccessDiff,
  AccessFile,
  AccessSource,
  Change,
  GranteeName,
  GrantRequest,
  ListedGrant,
  ListedRole,
} from './access.ts'
export { logInAs, refusedLogIn } from './audit.ts'
export type { Audit, AuditEntry, AuditQuestion, LogRange, QueryLog, QueryLogEntry, Verdict } from './audit.ts'
export { type Govern, openGovern } from './govern.ts'
export { type Bound, type LimitName, limitNames, limitsOf, type OwnLimits } from './limits.ts'
export {
  authoriseTable,
  type ColumnMask,
  type Decision,
  decide,
  decideFor,
  emptyPolicy,
  type Governed,
  type Grant,
  type GrantedPrivilege,
  type Grantee,
  grantedPrivileges,
  granteeKey,
  mayKnow,
  mayKnowOf,
  type Pattern,
  type Policy,
  type Privilege,
  privileges,
  type RowFilter,
  seesAll,
  showPattern,
  type Subject,
  subjectOf,
} from './policy.ts'
export {
  type Action,
  authorise,
  decisions,
  asRole,
  mayAct,
  mayActInEnvironment,
  type NamedEnvironment,
  type Principal,
  type Resource,
  type Role,
  systemPrincipal,
} from './principal.ts'
export type { JwtSettings } from './jwt.ts'
export { addressKey, type RateLimit, type RateLimiter, rateLimiter, takeOrRefuse } from './rate-limit.ts'
export type { ApiToken, ApiTokens, KnownSession, LogInLimits, OpenedSession, Sessions, Visitor } from './sessions.ts'
export { tokenPrefix } from './secret.ts'
export { type ViewContent, type ViewOwners } from './view-owners.ts'
export type { LoginLink, User, UserRole, Users } from './users.ts'
export type { ScramLogIn, WireIdentity, WireLogIns } from './wire-log-in.ts'
