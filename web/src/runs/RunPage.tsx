import { useEffect, useRef, useState } from 'react'
import { useQuery } from '@tanstack/react-query'
import { RotateCcw, Square } from 'lucide-react'
import type { Failure, LogLine, RunDetail, Step } from '../../../src/contract/index.ts'
import { asFailure, call } from '../api/call.ts'
import { queries, refresh } from '../api/queries.ts'
import { useIsAdmin } from '../api/session.ts'
import { Page } from '../frame/Page.tsx'
import type { PageProps } from '../pages.ts'
import {
  Button,
  CodeBlock,
  ErrorState,
  FailureNote,
  Lines,
  showPlace,
  State,
  Status,
  Time,
  useNow,
} from '../parts/parts.tsx'
import { Link, navigate, setSearch, useLocation } from '../router.tsx'
import { formatBytes, formatClock, formatDuration, formatMoment, plain, plural } from '../value/format.ts'
import { Gantt } from './Gantt.tsx'
import { PublicationLine } from './Publications.tsx'
import { runMs } from './RunsPage.tsx'
import './runs.css'

const isLive = ({ status }: RunDetail): boolean => status === 'queued' || status === 'running'

export default function RunPage({ params }: PageProps) {
  const id = params['id']!
  const { search } = useLocation()
  const isAdmin = useIsAdmin()
  // Events say when a run moves; asking every few seconds covers a stream that is cut.
  const query = useQuery({
    ...queries.run(id),
    refetchInterval: ({ state }) => (state.data && isLive(state.data) ? 3_000 : false),
  })
  const [failure, setFailure] = useState<Failure | null>(null)
  const run = query.data
  const now = useNow(run && isLive(run) ? 500 : 20_000)
  const crumbs = [{ text: 'Runs', to: '/runs' }, { text: run ? formatMoment(run.createdAt) : id }]
  if (!run)
    return (
      <Page crumbs={crumbs}>
        {query.error ? (
          asFailure(query.error).code === 'NOT_FOUND' ? (
            <State
              title="There is no such run."
              action={
                <Link className="button plain" to="/runs">
                  See all runs
                </Link>
              }
            />
          ) : (
            <ErrorState error={query.error} retry={() => void query.refetch()} />
          )
        ) : (
          <Lines count={6} />
        )}
      </Page>
    )
  const act = async (key: 'POST /api/runs/:id/cancel' | 'POST /api/runs/:id/retry') => {
    setFailure(null)
    try {
      const next = await call(key, { params: { id } })
      refresh('runs', 'run', 'home')
      if (next.id !== id) navigate(`/runs/${next.id}`)
    } catch (error) {
      setFailure(asFailure(error))
    }
  }
  // A failed run opens at what failed.
  const wanted = search.get('step') ?? run.steps.find(({ status }) => status === 'failed')?.id
  const chosen = run.steps.find((step) => step.id === wanted) ?? null
  const ms = runMs(run, now)
  return (
    <Page crumbs={crumbs}>
      <div className="page-head">
        <div>
          <h1 className="run-title">
            <Status status={run.status} />
            <span>{run.select ?? 'Everything'}</span>
          </h1>
          <p>
            {run.trigger.kind === 'schedule'
              ? `By schedule ${run.trigger.schedule}`
              : run.trigger.by
                ? `Started by ${run.trigger.by}`
                : 'Started'}{' '}
            <Time at={run.createdAt} />
            {ms !== null && `, ${isLive(run) ? 'running for' : 'took'} ${formatDuration(ms)}`}, in {run.environment}
            {run.trigger.runId && (
              <>
                . Repeats <Link to={`/runs/${run.trigger.runId}`}>an earlier run</Link>
              </>
            )}
          </p>
        </div>
        {isAdmin && (
          <div className="page-head-actions">
            {isLive(run) ? (
              <Button icon={<Square size={13} aria-hidden />} onClick={() => void act('POST /api/runs/:id/cancel')}>
                Cancel
              </Button>
            ) : (
              <Button icon={<RotateCcw size={13} aria-hidden />} onClick={() => void act('POST /api/runs/:id/retry')}>
                Run again
              </Button>
            )}
          </div>
        )}
      </div>
      <div className="run">
        {failure && <FailureNote failure={failure} />}
        {run.failure && <FailureNote failure={run.failure} />}
        {run.status === 'failed' && (
          <p className="quiet small">Nothing of this run was published: readers see what they saw before.</p>
        )}
        <section className="box" aria-label="Steps">
          {run.steps.length === 0 ? (
            <State title={run.status === 'queued' ? 'Waiting for a worker.' : 'This run has no steps.'} />
          ) : (
            <Gantt
              run={run}
              now={now}
              chosen={chosen?.id ?? null}
              onChoose={(step) => setSearch({ step: step === chosen?.id ? 'none' : step }, { replace: true })}
            />
          )}
        </section>
        {chosen && <StepDetail key={chosen.id} step={chosen} said={run.failure?.message} />}
        {run.publication && (
          <section aria-labelledby="published">
            <h2 id="published">Published</h2>
            <PublicationLine publication={run.publication} />
          </section>
        )}
        <Log run={run} step={chosen} />
      </div>
    </Page>
  )
}

function StepDetail({ step, said }: { step: Step; said: string | undefined }) {
  const tests = step.result?.tests ?? []
  const facts = [
    step.result?.rowsWritten !== null &&
      step.result?.rowsWritten !== undefined &&
      plural(step.result.rowsWritten, 'row'),
    step.result?.filesWritten && plural(step.result.filesWritten, 'file'),
    step.result?.bytesWritten && formatBytes(step.result.bytesWritten),
    step.result?.snapshotId && `snapshot ${step.result.snapshotId}`,
    step.attempts.length > 1 && `${step.attempts.length} attempts`,
  ].filter((fact) => typeof fact === 'string')
  return (
    <section className="box step" aria-label={`Step ${step.asset ?? step.kind}`}>
      <div className="step-head">
        <h2>
          {step.kind} {step.asset}
        </h2>
        <Status status={step.status} />
        <span className="quiet numbers">{facts.join(' · ')}</span>
        {step.place && <code className="place">{showPlace(step.place)}</code>}
      </div>
      {step.failure && step.failure.message !== said && <FailureNote failure={step.failure} />}
      {step.attempts
        .filter(
          ({ failure, status }) => (failure && status !== 'succeeded' && step.attempts.length > 1) || status === 'lost',
        )
        .map(({ number, failure, status, worker }) => (
          <p key={number} className="small quiet">
            Attempt {number}
            {worker && ` on ${worker}`}:{' '}
            {failure?.message ?? (status === 'lost' ? 'the worker went away; the step was started again' : status)}
          </p>
        ))}
      {tests.length > 0 && (
        <ul className="tests">
          {tests.map((test) => (
            <li key={test.name} className="test">
              <div className="side-line">
                <Status status={test.status === 'skipped' ? 'skipped' : test.status} />
                <span className="mono cut">{test.name}</span>
                {test.failures !== null && test.failures > 0 && (
                  <span className="quiet">{plural(test.failures, 'row')}</span>
                )}
              </div>
              {test.message && test.status !== 'pass' && <p className="small">{test.message}</p>}
              {test.sql && test.status !== 'pass' && (
                <CodeBlock code={test.sql} label={test.place ? showPlace(test.place) : 'Shows the failing rows'}>
                  <Link className="small" to={`/sql?sql=${encodeURIComponent(test.sql)}`}>
                    Open in SQL
                  </Link>
                </CodeBlock>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

/** The log, read on from the last line seen, following its end unless somebody scrolled up. */
function Log({ run, step }: { run: RunDetail; step: Step | null }) {
  const { lines, failure } = useLog(run.id)
  const box = useRef<HTMLDivElement>(null)
  const follow = useRef(isLive(run)) // the log of a finished run is read from its beginning
  const shown = step ? lines.filter(({ stepId }) => stepId === step.id) : lines
  useEffect(() => {
    if (follow.current && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [shown.length])
  return (
    <section aria-labelledby="log">
      <div className="log-head">
        <h2 id="log">Log</h2>
        {step && (
          <span className="chip">
            {step.kind} {step.asset}
          </span>
        )}
        {isLive(run) && <span className="caption">live</span>}
      </div>
      {failure && <FailureNote failure={failure} />}
      <div
        ref={box}
        className="log"
        tabIndex={0}
        role="log"
        aria-label="Log lines"
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          follow.current = scrollHeight - scrollTop - clientHeight < 24
        }}
      >
        {shown.length === 0 && <p className="quiet">{isLive(run) ? 'Nothing yet.' : 'Nothing was logged.'}</p>}
        {shown.map(({ seq, at, level, event, fields, stepId }) => (
          <div key={seq} className={`log-line ${level}`}>
            <time dateTime={at}>{formatClock(at)}</time>
            <span className="log-level">{level}</span>
            <span className="log-text">
              {!step && stepId && (
                <span className="log-step">{run.steps.find(({ id }) => id === stepId)?.asset ?? ''} </span>
              )}
              {event} <span className="log-fields">{fieldsText(fields)}</span>
            </span>
          </div>
        ))}
      </div>
    </section>
  )
}
const fieldsText = (fields: LogLine['fields']): string =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${plain(value)}`)
    .join(' ')

function useLog(id: string): { lines: LogLine[]; failure: Failure | null } {
  const [lines, setLines] = useState<LogLine[]>([])
  const [failure, setFailure] = useState<Failure | null>(null)
  useEffect(() => {
    setLines([])
    const abort = new AbortController()
    let after = 0
    let timer: ReturnType<typeof setTimeout>
    const read = async () => {
      let ended = false
      try {
        const part = await call('GET /api/runs/:id/log', { params: { id }, query: { after }, signal: abort.signal })
        const more = part.lines.length > 0 && part.next > after
        after = part.next
        ended = part.ended && !more
        if (part.lines.length > 0) setLines((before) => [...before, ...part.lines])
        setFailure(null)
        if (more) return void (timer = setTimeout(() => void read(), 0))
      } catch (error) {
        if (abort.signal.aborted) return
        setFailure(asFailure(error))
      }
      if (!ended) timer = setTimeout(() => void read(), 1_000)
    }
    void read()
    return () => {
      abort.abort()
      clearTimeout(timer)
    }
  }, [id])
  return { lines, failure }
}
