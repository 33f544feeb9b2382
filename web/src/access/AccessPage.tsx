// Who may do what, for administrators: what one person sees and why, the rights that are in force, and the audit.

import { useQuery } from '@tanstack/react-query'
import { Lock } from 'lucide-react'
import { queries } from '../api/queries.ts'
import { useIsAdmin } from '../api/session.ts'
import { Page } from '../frame/Page.tsx'
import { ErrorState, Lines, State } from '../parts/parts.tsx'
import { Tabs, useTab } from '../parts/Tabs.tsx'
import { AuditList } from './AuditList.tsx'
import { Check } from './Check.tsx'
import { Rights } from './Rights.tsx'
import { Roles } from './Roles.tsx'
import { Rules } from './Rules.tsx'
import './access.css'

export default function AccessPage() {
  const isAdmin = useIsAdmin()
  return (
    <Page crumbs={[{ text: 'Access' }]} className="wide">
      {isAdmin ? (
        <Access />
      ) : (
        <State icon={<Lock size={18} />} title="Rights are for administrators.">
          <p className="quiet">Ask one of them if something should change.</p>
        </State>
      )}
    </Page>
  )
}

const tabs = [
  ['check', 'Who sees what'],
  ['rights', 'Rights'],
  ['roles', 'Roles and groups'],
  ['rules', 'Rules'],
  ['audit', 'Audit'],
] as const

function Access() {
  const { data, error, refetch } = useQuery(queries.access())
  const tab = useTab(tabs)
  const counts: Partial<Record<string, number>> = data
    ? {
        rights: data.grants.length,
        roles: data.roles.length + data.groups.length,
        rules: data.rowFilters.length + data.masks.length + data.limits.length,
      }
    : {}
  return (
    <>
      <div className="page-head">
        <div>
          <h1>Access</h1>
          <p>
            What nothing grants is refused. <code>access.yml</code> is changed in the project; everything else here.
          </p>
        </div>
      </div>
      <Tabs label="About access" chosen={tab} tabs={tabs.map(([id, label]) => [id, label, counts[id]] as const)}>
        {tab === 'audit' ? (
          <AuditList />
        ) : !data ? (
          error ? (
            <ErrorState error={error} retry={() => void refetch()} />
          ) : (
            <Lines count={6} />
          )
        ) : (
          <>
            {tab === 'check' && <Check access={data} />}
            {tab === 'rights' && <Rights access={data} />}
            {tab === 'roles' && <Roles access={data} />}
            {tab === 'rules' && <Rules access={data} />}
          </>
        )}
      </Tabs>
    </>
  )
}
