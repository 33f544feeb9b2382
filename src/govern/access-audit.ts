// Changes of rights in the audit, whoever makes them.

import { asFailure } from '../base/failure.ts'
import type { Access, Change } from './access.ts'
import type { Audit } from './audit.ts'

/** Who changed which rights, and who was refused. What comes by SQL is in the audit of the door already. */
export function audited(access: Access, audit: Pick<Audit, 'record'>): Access {
  const noting =
    <Arguments extends readonly unknown[], Answer>(
      action: string,
      work: (...given: [...Arguments, Change & { dryRun?: boolean }]) => Promise<Answer>,
    ) =>
    async (...given: [...Arguments, Change & { dryRun?: boolean }]): Promise<Answer> => {
      const { by, source, dryRun: isDry } = given.at(-1) as Change & { dryRun?: boolean }
      if (source === 'sql' || isDry) return work(...given)
      const about = { principal: by, door: source, action, sql: JSON.stringify(given.slice(0, -1)) }
      try {
        const answer = await work(...given)
        // A start that finds nothing different is no event.
        const isSame = action === 'apply access.yml' && !/":\[[^\]]/.test(JSON.stringify(answer))
        if (!isSame) await audit.record({ ...about, verdict: 'allowed' })
        return answer
      } catch (error) {
        const { code } = asFailure(error)
        await audit.record({ ...about, verdict: code === 'FORBIDDEN' ? 'refused' : 'failed', failureCode: code })
        throw error
      }
    }
  return {
    ...access,
    grant: noting('grant', access.grant),
    revoke: noting('revoke', access.revoke),
    createRole: noting('create role', access.createRole),
    dropRole: noting('drop role', access.dropRole),
    grantRole: noting('grant role', access.grantRole),
    revokeRole: noting('revoke role', access.revokeRole),
    apply: noting('apply access.yml', access.apply),
  }
}
