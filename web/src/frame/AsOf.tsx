// Every table has snapshots, so a page can show its numbers as they were at any moment: after a publication, or at
// a time. The moment is in the address (`?as-of=`), so a link shows a colleague the same numbers.

import { useState } from 'react'
import { useQuery } from '@tanstack/react-query'
import { History } from 'lucide-react'
import { queries } from '../api/queries.ts'
import { Button } from '../parts/parts.tsx'
import { MenuLabel, Popover } from '../parts/Popover.tsx'
import { setSearch, useLocation } from '../router.tsx'
import { formatMoment, formatShort } from '../value/format.ts'

export const useAsOf = (): string | null => useLocation().search.get('as-of')
const set = (moment: string | null) => setSearch({ 'as-of': moment })
const show = (asOf: string): string => (/^\d{4}-/.test(asOf) ? formatMoment(asOf) : `snapshot ${asOf}`)

export function AsOf() {
  const asOf = useAsOf()
  return (
    <Popover
      label="As of"
      align="end"
      trigger={(props) => (
        <button
          type="button"
          className="bar-button"
          data-on={asOf !== null}
          aria-label={asOf ? `As of ${show(asOf)}` : 'As of now'}
          {...props}
        >
          <History size={14} aria-hidden />
          <span className="bar-button-text">{asOf ? `As of ${show(asOf)}` : 'As of now'}</span>
        </button>
      )}
    >
      {(close) => <Moments close={close} asOf={asOf} />}
    </Popover>
  )
}

function Moments({ close, asOf }: { close: () => void; asOf: string | null }) {
  const { data } = useQuery(queries.publications())
  const [text, setText] = useState('')
  const choose = (moment: string | null) => {
    close()
    set(moment)
  }
  return (
    <div className="as-of">
      <button type="button" className="menu-item" aria-pressed={asOf === null} onClick={() => choose(null)}>
        Now
        {asOf === null && <span className="menu-hint">shown</span>}
      </button>
      <MenuLabel>As of a publication</MenuLabel>
      <div className="as-of-list">
        {data?.publications.length === 0 && <p className="menu-label">Nothing was published yet.</p>}
        {data?.publications.slice(0, 20).map(({ id, publishedAt, tables, undoes }) => (
          <button
            key={id}
            type="button"
            className="menu-item"
            aria-pressed={asOf === publishedAt}
            onClick={() => choose(publishedAt)}
          >
            <span className="numbers">{formatShort(publishedAt)}</span>
            <span className="menu-hint cut">
              {undoes ? 'rollback of ' : ''}
              {tables.length === 1 ? tables[0]!.table.split('.').slice(1).join('.') : `${tables.length} tables`}
            </span>
          </button>
        ))}
      </div>
      <MenuLabel>As of a time, in the zone of this computer</MenuLabel>
      <form
        className="as-of-form"
        onSubmit={(event) => {
          event.preventDefault()
          if (text) choose(new Date(text).toISOString())
        }}
      >
        <input
          className="input"
          type="datetime-local"
          aria-label="Date and time"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <Button type="submit" disabled={!text}>
          Show
        </Button>
      </form>
    </div>
  )
}

export function AsOfBanner() {
  const asOf = useAsOf()
  if (!asOf) return null
  return (
    <div className="as-of-banner" role="status">
      <History size={14} aria-hidden />
      <span>
        Data as of <strong>{show(asOf)}</strong>
      </span>
      <button type="button" className="link" onClick={() => set(null)}>
        Back to now
      </button>
    </div>
  )
}
