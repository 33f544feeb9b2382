import { useState, type FormEvent } from 'react'
import { useQuery } from '@tanstack/react-query'
import { Play } from 'lucide-react'
import type { Failure, Run } from '../../../src/contract/index.ts'
import { asFailure, call } from '../api/call.ts'
import { queries, refresh } from '../api/queries.ts'
import { useIsAdmin, useSession } from '../api/session.ts'
import { Page } from '../frame/Page.tsx'
import { preload } from '../pages.ts'
import {
  Button,
  Dialog,
  ErrorState,
  FailureNote,
  Field,
  Lines,
  showPlace,
  State,
  Status,
  Time,
} from '../parts/parts.tsx'
import { Link, navigate } from '../router.tsx'
import { formatDuration, formatShort, noValue } from '../value/format.ts'
import { Publications } from './Publications.tsx'
import { RunFacts } from './RunFacts.tsx'
import './runs.css'

export const runMs = (run: Pick<Run, 'startedAt' | 'endedAt'>, now: number): number | null =>
  run.startedAt === null ? null : (run.endedAt === null ? now : Date.parse(run.endedAt)) - Date.parse(run.startedAt)

const pageSize = 50

export default function RunsPage() {
  const [limit, setLimit] = useState(pageSize)
  const { data, error, refetch, isPlaceholderData } = useQuery(queries.runs(limit))
  const schedules = useQuery(queries.schedules()).data?.schedules
  const isAdmin = useIsAdmin()
  const [starting, setStarting] = useState(false)
  return (
    <Page crumbs={[{ text: 'Runs' }]} className="wide">
      <div className="page-head">
        <h1>Runs</h1>
        {isAdmin && (
          <div className="page-head-actions">
            <Button kind="primary" icon={<Play size={13} aria-hidden />} onClick={() => setStarting(true)}>
              Start a run
            </Button>
          </div>
        )}
      </div>
      <div className="runs">
        <section aria-label="Runs" className="runs-list">
          {error && !data && <ErrorState error={error} retry={() => void refetch()} />}
          {!data && !error && <Lines count={8} />}
          {data?.runs.length === 0 && (
            <State
              title="Nothing has run yet. A run loads the sources, builds and tests the models, and publishes them in one step."
              action={isAdmin && <Button onClick={() => setStarting(true)}>Start the first run</Button>}
            />
          )}
          {data && data.runs.length > 0 && <RunTable runs={data.runs} />}
          {data?.next && (
            <Button busy={isPlaceholderData} onClick={() => setLimit(limit + pageSize)}>
              Show older
            </Button>
          )}
        </section>
        <aside className="runs-side">
          {schedules && (
            <section aria-labelledby="schedules">
              <h2 id="schedules">Schedules</h2>
              {schedules.length === 0 && (
                <p className="quiet">
                  None. Schedules stand in <code>schedules.yml</code>.
                </p>
              )}
              <ul className="side-list">
                {schedules.map(({ name, words, timezone, nextAt, enabled, lastRun, place, select }) => (
                  <li key={name} className="side-item" title={showPlace(place)}>
                    <div className="side-line">
                      <strong>{name}</strong>
                      {lastRun ? <Status status={lastRun.status} bare /> : null}
                    </div>
                    <p className="quiet small">
                      {words} ({timezone}){select ? `, ${select}` : ''}
                    </p>
                    <p className="caption">
                      {!enabled ? 'off' : nextAt ? `next ${formatShort(nextAt)}` : 'no next time'}
                    </p>
                  </li>
                ))}
              </ul>
            </section>
          )}
          <Publications />
        </aside>
      </div>
      {starting && <StartDialog onClose={() => setStarting(false)} />}
    </Page>
  )
}

function RunTable({ runs }: { runs: Run[] }) {
  const now = Date.now()
  return (
    <table className="rows runs-table">
      <thead>
        <tr>
          <th>Status</th>
          <th>Run</th>
          <th className="wide-only">Steps</th>
          <th className="right wide-only">Took</th>
          <th className="right">Started</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => {
          const ms = runMs(run, now)
          return (
            <tr key={run.id}>
              <td>
                <Status status={run.status} />
              </td>
              <td className="runs-what">
                <Link className="row-link" to={`/runs/${run.id}`} onHover={() => preload('/runs/x')}>
                  <RunFacts run={run} />
                </Link>
                {run.failure && <p className="runs-failure cut">{run.failure.message}</p>}
              </td>
              <td className="wide-only">
                <Counts run={run} />
              </td>
              <td className="right numbers wide-only">{ms === null ? noValue : formatDuration(ms)}</td>
              <td className="right quiet">
                <Time at={run.startedAt ?? run.createdAt} />
              </td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}

/** Steps as a small bar in parts; the words are in the title. */
function Counts({ run: { counts } }: { run: Run }) {
  const parts = (['succeeded', 'failed', 'running', 'skipped'] as const).filter((name) => counts[name] > 0)
  const text = `${counts.succeeded} of ${counts.total} done${counts.failed ? `, ${counts.failed} failed` : ''}${counts.skipped ? `, ${counts.skipped} skipped` : ''}`
  return (
    <span className="counts" title={text}>
      <span className="counts-bar" aria-hidden>
        {parts.map((name) => (
          <span key={name} className={name} style={{ flexGrow: counts[name] }} />
        ))}
        <span style={{ flexGrow: Math.max(0, counts.total - parts.reduce((sum, name) => sum + counts[name], 0)) }} />
      </span>
      <span className="caption numbers">
        {counts.succeeded}/{counts.total}
      </span>
    </span>
  )
}

function StartDialog({ onClose }: { onClose: () => void }) {
  const { environment } = useSession()
  const [failure, setFailure] = useState<Failure | null>(null)
  const [busy, setBusy] = useState(false)
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const select = String(new FormData(event.currentTarget).get('select')).trim()
    setBusy(true)
    try {
      const run = await call('POST /api/runs', { body: select === '' ? {} : { select } })
      refresh('runs', 'home')
      navigate(`/runs/${run.id}`)
    } catch (error) {
      setFailure(asFailure(error))
      setBusy(false)
    }
  }
  return (
    <Dialog title="Start a run" onClose={onClose}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        <p className="quiet">
          Loads, builds, tests, then publishes to <strong>{environment.name}</strong> in one step. If something fails,
          what readers see stays as it is.
        </p>
        <Field label="What to run" hint="A name, or with what it needs: +daily_revenue. Empty is everything.">
          {(id, hint) => (
            <input
              id={id}
              aria-describedby={hint}
              className="input mono"
              name="select"
              placeholder="everything"
              autoFocus
            />
          )}
        </Field>
        {failure && <FailureNote failure={failure} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={busy}>
            Start
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
