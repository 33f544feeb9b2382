// Who did what, and who was refused. The filters stand in the address.

import { useState } from 'react'
import { useInfiniteQuery } from '@tanstack/react-query'
import type { Audit, Verdict as VerdictName } from '../../../src/contract/index.ts'
import { queries } from '../api/queries.ts'
import { Button, CodeBlock, Dialog, ErrorState, Lines, State, Time } from '../parts/parts.tsx'
import { setSearch, useLocation } from '../router.tsx'
import { formatCount, formatDuration, formatMoment, noValue } from '../value/format.ts'
import { Verdict } from './words.tsx'

type Entry = Audit['entries'][number]
const verdicts: readonly VerdictName[] = ['allowed', 'refused', 'failed']
const doors = ['http', 'dashboard', 'pgwire', 'iceberg', 'cli', 'run', 'web', 'access.yml']
const periods = [
  ['hour', 'Last hour', 3_600_000],
  ['day', 'Last day', 86_400_000],
  ['week', 'Last week', 7 * 86_400_000],
] as const

export function AuditList() {
  const { search } = useLocation()
  const [shown, setShown] = useState<Entry | null>(null)
  const value = (name: string) => search.get(name) ?? ''
  const set = (name: string) => (event: { target: { value: string } }) =>
    setSearch({ [name]: event.target.value === '' ? null : event.target.value }, { replace: true })
  const period = periods.find(([id]) => id === value('period'))
  // To the minute: each drawing would be another question otherwise.
  const from = period && new Date(Math.floor((Date.now() - period[2]) / 60_000) * 60_000).toISOString()
  const verdict = verdicts.find((one) => one === value('verdict'))
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage, isPlaceholderData } = useInfiniteQuery(
    queries.audit({
      ...(value('who') ? { principal: value('who') } : {}),
      ...(value('text') ? { text: value('text') } : {}),
      ...(value('door') ? { door: value('door') } : {}),
      ...(verdict ? { verdict } : {}),
      ...(from ? { from } : {}),
    }),
  )
  const entries = data?.pages.flatMap((page) => page.entries)
  return (
    <section aria-label="Audit" className="audit">
      <div className="audit-filters" role="search">
        <input
          className="input"
          type="search"
          aria-label="Words in what was done"
          placeholder="Words in the SQL, action or tables"
          value={value('text')}
          onChange={set('text')}
        />
        <input
          className="input"
          aria-label="Who"
          placeholder="Who"
          value={value('who')}
          onChange={set('who')}
          spellCheck={false}
        />
        <select className="select" aria-label="Verdict" value={value('verdict')} onChange={set('verdict')}>
          <option value="">Any verdict</option>
          {verdicts.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
        <select className="select" aria-label="Door" value={value('door')} onChange={set('door')}>
          <option value="">Any door</option>
          {doors.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
        <select className="select" aria-label="Period" value={value('period')} onChange={set('period')}>
          <option value="">Any time</option>
          {periods.map(([id, label]) => (
            <option key={id} value={id}>
              {label}
            </option>
          ))}
        </select>
      </div>
      {error && !data && <ErrorState error={error} retry={() => void refetch()} />}
      {!data && !error && <Lines count={8} />}
      {entries?.length === 0 && !hasNextPage && <State title="Nothing in the audit fits." />}
      {entries && entries.length > 0 && (
        <table className="rows audit-rows" data-old={isPlaceholderData || undefined}>
          <thead>
            <tr>
              <th>When</th>
              <th>Who</th>
              <th>What</th>
              <th className="wide-only">Door</th>
              <th>Verdict</th>
              <th className="right wide-only">Rows</th>
              <th className="right wide-only">Took</th>
            </tr>
          </thead>
          <tbody>
            {entries.map((entry) => (
              <tr key={entry.id}>
                <td className="quiet audit-when">
                  <Time at={entry.at} />
                </td>
                <td>{entry.principal ?? <span className="quiet">nobody known</span>}</td>
                <td className="audit-what">
                  <button type="button" className="audit-open cut" onClick={() => setShown(entry)}>
                    {entry.action}
                    {entry.sql !== null && <code className="quiet"> {entry.sql}</code>}
                  </button>
                </td>
                <td className="wide-only quiet">{entry.door}</td>
                <td>
                  <Verdict verdict={entry.verdict} />
                </td>
                <td className="right wide-only">{entry.rows === null ? noValue : formatCount(entry.rows)}</td>
                <td className="right wide-only">{entry.ms === null ? noValue : formatDuration(entry.ms)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {hasNextPage && (
        <div>
          <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            Look further back
          </Button>
        </div>
      )}
      {shown && <EntryDialog entry={shown} onClose={() => setShown(null)} />}
    </section>
  )
}

function EntryDialog({ entry, onClose }: { entry: Entry; onClose: () => void }) {
  const facts: [string, string | null][] = [
    ['When', formatMoment(entry.at)],
    ['Who', entry.principal ?? 'nobody that was known'],
    ['Door', entry.door],
    ['Tables', entry.tables.length > 0 ? entry.tables.join(', ') : null],
    ['Rows', entry.rows === null ? null : formatCount(entry.rows)],
    ['Took', entry.ms === null ? null : formatDuration(entry.ms)],
    ['Failure', entry.code],
    ['Request', entry.requestId],
  ]
  return (
    <Dialog title={entry.action} onClose={onClose} wide>
      <Verdict verdict={entry.verdict} />
      <dl className="audit-facts">
        {facts.map(
          ([label, value]) =>
            value !== null && (
              <div key={label}>
                <dt className="caption">{label}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      {entry.sql !== null && <CodeBlock code={entry.sql} label="What was asked" />}
    </Dialog>
  )
}
