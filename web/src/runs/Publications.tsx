// What became visible when, and how to take it back.

import { useState } from 'react'
import { useQuery } from '@tanstack/react-query'
import { Undo2 } from 'lucide-react'
import type { Failure, Publication } from '../../../src/contract/index.ts'
import { asFailure, call } from '../api/call.ts'
import { queries, refresh } from '../api/queries.ts'
import { useIsAdmin } from '../api/session.ts'
import { Button, Dialog, FailureNote, Time } from '../parts/parts.tsx'
import { Link } from '../router.tsx'
import { formatCount, formatMoment } from '../value/format.ts'

/** Of one publication; the dialog names them all. */
const tablesShown = 6

const short = (table: string): string => table.split('.').slice(1).join('.')

export function Publications() {
  const publications = useQuery(queries.publications()).data?.publications
  if (!publications || publications.length === 0) return null
  return (
    <section aria-labelledby="publications">
      <h2 id="publications">Publications</h2>
      <ul className="side-list">
        {publications.slice(0, 12).map((publication) => (
          <li key={publication.id} className="side-item">
            <PublicationLine publication={publication} />
          </li>
        ))}
      </ul>
    </section>
  )
}

export function PublicationLine({ publication }: { publication: Publication }) {
  const { publishedAt, tables, undoes, undoneBy, undoable, runId, by } = publication
  const isAdmin = useIsAdmin()
  const [asking, setAsking] = useState(false)
  return (
    <>
      <div className="side-line">
        <strong className="numbers">
          {runId ? (
            <Link to={`/runs/${runId}`}>
              <Time at={publishedAt} />
            </Link>
          ) : (
            <Time at={publishedAt} />
          )}
        </strong>
        {undoneBy && <span className="chip">rolled back</span>}
        {undoes && <span className="chip">rollback</span>}
        {isAdmin && undoable && (
          <Button kind="quiet" icon={<Undo2 size={13} aria-hidden />} onClick={() => setAsking(true)}>
            Roll back
          </Button>
        )}
      </div>
      <p className="quiet small">
        {tables
          .slice(0, tablesShown)
          .map(
            ({ table, action }) =>
              `${short(table)} ${{ create: 'created', replace: 'replaced', append: 'appended', drop: 'dropped', rollback: 'restored' }[action]}`,
          )
          .join(', ')}
        {tables.length > tablesShown && ` and ${formatCount(tables.length - tablesShown)} more`}
        {by && ` · ${by}`}
      </p>
      {asking && <RollBackDialog publication={publication} onClose={() => setAsking(false)} />}
    </>
  )
}

function RollBackDialog({ publication, onClose }: { publication: Publication; onClose: () => void }) {
  const [failure, setFailure] = useState<Failure | null>(null)
  const [busy, setBusy] = useState(false)
  const rollBack = async () => {
    setBusy(true)
    try {
      await call('POST /api/publications/:id/rollback', { params: { id: publication.id } })
      refresh('publications', 'run', 'runs', 'catalog', 'table', 'preview', 'data', 'home')
      onClose()
    } catch (error) {
      setFailure(asFailure(error))
      setBusy(false)
    }
  }
  return (
    <Dialog title={`Roll back what was published ${formatMoment(publication.publishedAt)}?`} onClose={onClose}>
      <p>
        In {publication.environment}, these tables go back to what they were before, in one step. Dashboards show the
        earlier numbers at once. The next run publishes anew.
      </p>
      <ul className="plain-list mono">
        {publication.tables.map(({ table, action }) => (
          <li key={table}>
            {short(table)}{' '}
            <span className="quiet">
              {action === 'create' ? 'disappears' : action === 'drop' ? 'comes back' : 'earlier snapshot'}
            </span>
          </li>
        ))}
      </ul>
      {failure && <FailureNote failure={failure} />}
      <div className="dialog-actions">
        <Button onClick={onClose}>Keep</Button>
        <Button kind="danger" busy={busy} onClick={() => void rollBack()}>
          Roll back
        </Button>
      </div>
    </Dialog>
  )
}
