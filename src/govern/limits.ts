// How much of the machine one asker may take. Limits are given as grants are, to roles, groups and users; who has none is
// bound by the server's settings alone, and no limit raises those. A limit takes nothing from what somebody may see.

import { granteeKey, isTo, subjectOf, type Grantee, type Policy } from './policy.ts'
import type { Principal } from './principal.ts'

/**
 * Milliseconds of one query, rows and bytes of its answer, bytes of the files that it reads and of the memory that it uses, queries
 * at the same time.
 */
export const limitNames = ['query_timeout', 'rows', 'result_bytes', 'scan_bytes', 'memory', 'queries'] as const
export type LimitName = (typeof limitNames)[number]

export type Limit = { name: LimitName; most: number; to: Grantee }

/** `setBy` says in words whose limit it is and where it is written. */
export type Bound = { most: number; setBy: string }
export type OwnLimits = Partial<Record<LimitName, Bound>>

/**
 * What access.yml says of one asker. What is said of the user goes before what is said of groups and roles; of those the
 * most generous counts, so that a further role never takes away. Pure.
 */
export function limitsOf(policy: Policy, principal: Principal): OwnLimits {
  const subject = subjectOf(policy, principal)
  if (subject.role === 'system' || policy.limits.length === 0) return {}
  const mine = policy.limits.filter(({ to }) => isTo(subject, to))
  const own: OwnLimits = {}
  for (const name of limitNames) {
    const named = mine.filter((limit) => limit.name === name)
    const personal = named.filter(({ to }) => to.kind === 'user')
    const [first, ...others] = personal.length > 0 ? personal : named
    if (!first) continue
    const { most, to } = others.reduce((best, one) => (one.most > best.most ? one : best), first)
    own[name] = { most, setBy: `${name} of ${granteeKey(to)} in access.yml` }
  }
  return own
}
