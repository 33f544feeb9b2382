// What somebody may do with a table, what they would see of it, and why: for people who check rights. Nothing of the table is
// read; whether the policy can be carried out is found by binding.

import type { Loaded } from '../../catalog/index.ts'
import {
  decide,
  limitsOf,
  subjectOf,
  type Bound,
  type Decision,
  type LimitName,
  type Policy,
  type Principal,
  type Privilege,
} from '../../govern/index.ts'
import { boundsOf, type ServerLimits } from '../answers/limits.ts'
import { schemaOfLoaded } from '../relations/information.ts'
import { quoteTable } from '../sql/tokens.ts'
import { sqlType } from '../types.ts'
import { fieldsOf, maskOf } from './guard.ts'
import { sampleSql } from './sample.ts'

export type AccessCheck = Decision & {
  /** Of a read: every column, and what is shown in its place. */
  shown: { name: string; type: string; shown: 'as it is' | 'masked' | 'hidden'; mask: string | null }[]
  limits: Partial<Record<LimitName, Bound>>
  /** The SELECT that it amounts to. */
  sql: string | null
  /** Why it cannot be read although it may be. */
  problem: string | null
}

type World = {
  policy: Policy
  limits: ServerLimits
  bind(sql: string, principal: Principal): Promise<unknown>
}

export async function checkAccess(
  { principal, loaded, action }: { principal: Principal; loaded: Loaded; action: Privilege },
  { policy, limits, bind }: World,
): Promise<AccessCheck> {
  const decision = decide(policy, principal, action, loaded.name)
  const isRead = action === 'select' && decision.verdict === 'allowed'
  const problem = isRead ? await whyUnreadable(loaded.name, principal, bind) : null
  const bounds = Object.entries(boundsOf(limitsOf(policy, principal), limits, principal))
  return {
    ...decision,
    shown: action === 'select' ? columnsOf(decision, loaded) : [],
    limits: Object.fromEntries(bounds.flatMap(([name, bound]) => (bound ? [[name, bound]] : []))),
    sql: isRead && problem === null ? sampleSql(decision, loaded, subjectOf(policy, principal)) : null,
    problem,
  }
}

/** In words, with the reason of a policy that does not fit the table; null when it can be read. */
export async function whyUnreadable(
  name: Loaded['name'],
  principal: Principal,
  bind: World['bind'],
): Promise<string | null> {
  try {
    await bind(`SELECT * FROM ${quoteTable(name)}`, principal)
    return null
  } catch (error) {
    const { message, cause } = error as Error
    return cause instanceof Error ? `${message} (${cause.message.split('\n')[0]})` : message
  }
}

function columnsOf({ verdict, columns, masks }: Decision, loaded: Loaded): AccessCheck['shown'] {
  return fieldsOf(loaded, schemaOfLoaded(loaded)).map(({ field: { name, type }, names, pastNames }) => {
    const isShown = verdict === 'allowed' && (columns === 'all' || names.some((one) => columns.has(one)))
    const mask = (isShown && maskOf(masks, pastNames)) || null
    const shown = !isShown ? 'hidden' : mask === null ? 'as it is' : 'masked'
    return { name, type: sqlType(type), shown, mask }
  })
}
