// The workbench: catalog on the left, the editor above, what it answered below. The text is in the address (unless
// it is long) and in this browser; nothing from an address is ever run by itself.

import { useCallback, useEffect, useRef, useState } from 'react'
import { useQuery } from '@tanstack/react-query'
import { Clock, Copy, Download, PanelLeft, Play, Square } from 'lucide-react'
import { queries } from '../api/queries.ts'
import { useAsOf } from '../frame/AsOf.tsx'
import { Page } from '../frame/Page.tsx'
import { toCsv, toTsv } from '../grid/cells.ts'
import { Grid } from '../grid/Grid.tsx'
import { Button, commandKey, copyText, download, FailureNote, Key, State, Status } from '../parts/parts.tsx'
import { MenuLabel, Popover } from '../parts/Popover.tsx'
import { setSearch, useLocation } from '../router.tsx'
import { formatAge, formatCount, formatDuration, formatShort, plural } from '../value/format.ts'
import { CatalogTree } from './CatalogTree.tsx'
import { Editor, type EditorHandle } from './Editor.tsx'
import { forget, readDraft, readPast, remember, saveDraft, type Past } from './past.ts'
import { useRun, type RunState } from './use-run.ts'
import './sql.css'

const addressMax = 4_000

export default function SqlPage() {
  const { search } = useLocation()
  const asOf = useAsOf()
  const catalog = useQuery(queries.catalog()).data
  const editor = useRef<EditorHandle>(null)
  const { run, start, cancel } = useRun()
  const [past, setPast] = useState<Past[]>(readPast)
  const [tree, setTree] = useState(() => innerWidth > 720 && localStorage.getItem('boathouse.sql.tree') !== 'closed')
  const given = search.get('sql')
  const [initial] = useState(() => given ?? readDraft())
  const written = useRef(initial)

  // An address opened while the page is shown: Back, or a link from elsewhere.
  useEffect(() => {
    if (given !== null && given !== written.current) {
      written.current = given
      editor.current?.replace(given)
    }
  }, [given])

  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  const onChange = useCallback((text: string) => {
    clearTimeout(timer.current)
    timer.current = setTimeout(() => {
      if (text === written.current) return
      written.current = text
      saveDraft(text)
      setSearch(
        { sql: text.length > 0 && encodeURIComponent(text).length < addressMax ? text : null },
        { replace: true },
      )
    }, 400)
  }, [])

  const onRun = async () => {
    const statement = editor.current?.toRun()
    if (!statement) return
    editor.current!.clearFailure()
    const ended = await start(statement, asOf)
    if (ended.failure) editor.current?.showFailure(statement, ended.failure)
    if (ended.status !== 'running' && ended.status !== 'idle')
      setPast(
        remember({
          sql: statement.text,
          at: new Date().toISOString(),
          status: ended.status,
          rows: ended.rows.length,
          ms: ended.ms,
        }),
      )
  }
  const query = (sql: string) => {
    const text = editor.current!.text().trimEnd()
    editor.current!.replace(text === '' ? sql : `${text.replace(/;?$/, ';')}\n\n${sql}`)
    if (innerWidth <= 720) setTree(false)
    void onRun()
  }
  const toggleTree = () => {
    setTree(!tree)
    localStorage.setItem('boathouse.sql.tree', tree ? 'closed' : 'open')
  }
  const [height, setHeight] = useState(() => Number(localStorage.getItem('boathouse.sql.height')) || 0.42)
  return (
    <Page crumbs={[{ text: 'SQL' }]} asOf full>
      <div className="sql" data-tree={tree}>
        <h1 className="unseen">SQL</h1>
        {tree && (
          <nav className="sql-tree" aria-label="Catalog">
            <CatalogTree catalog={catalog} onInsert={(text) => editor.current!.insert(text)} onQuery={query} />
          </nav>
        )}
        <div
          className="sql-work"
          style={{ gridTemplateRows: `auto minmax(96px, ${height * 100}%) auto minmax(0, 1fr)` }}
        >
          <div className="sql-bar" role="toolbar" aria-label="Statement">
            <Button
              kind="quiet"
              icon={<PanelLeft size={15} aria-hidden />}
              onClick={toggleTree}
              aria-pressed={tree}
              aria-label="Catalog"
              title="Catalog"
            />
            {run.status === 'running' ? (
              <Button kind="plain" icon={<Square size={13} aria-hidden />} onClick={cancel}>
                Cancel
              </Button>
            ) : (
              <Button kind="primary" icon={<Play size={13} aria-hidden />} onClick={() => void onRun()}>
                Run <Key>{commandKey}↵</Key>
              </Button>
            )}
            <span className="sql-tip caption">the selection, or the statement at the cursor</span>
            <div className="sql-bar-end">
              <PastMenu
                past={past}
                onChoose={(sql) => editor.current!.replace(sql)}
                onForget={() => (forget(), setPast([]))}
              />
            </div>
          </div>
          <Editor ref={editor} initial={initial} catalog={catalog} onRun={() => void onRun()} onChange={onChange} />
          <Splitter
            onMove={(share) => {
              setHeight(share)
              localStorage.setItem('boathouse.sql.height', share.toFixed(3))
            }}
            share={height}
          />
          <Answer run={run} />
        </div>
      </div>
    </Page>
  )
}

function Splitter({ share, onMove }: { share: number; onMove: (share: number) => void }) {
  const clamp = (value: number) => Math.max(0.12, Math.min(0.8, value))
  return (
    <div
      className="sql-splitter"
      role="separator"
      aria-orientation="horizontal"
      aria-label="Height of the editor"
      aria-valuenow={Math.round(share * 100)}
      tabIndex={0}
      onKeyDown={(event) => {
        if (event.key === 'ArrowUp') onMove(clamp(share - 0.04))
        if (event.key === 'ArrowDown') onMove(clamp(share + 0.04))
      }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        event.preventDefault()
      }}
      onPointerMove={(event) => {
        if (!event.currentTarget.hasPointerCapture(event.pointerId)) return
        const box = event.currentTarget.parentElement!.getBoundingClientRect()
        onMove(clamp((event.clientY - box.top - 44) / box.height))
      }}
    />
  )
}

function Answer({ run }: { run: RunState }) {
  const { status, columns, rows, failure, provenance } = run
  if (status === 'idle')
    return (
      <div className="sql-answer">
        <State title="Rows appear here.">
          <p className="quiet">
            Run with <Key>{commandKey}↵</Key>. Names complete while you type.
          </p>
        </State>
      </div>
    )
  const tables = provenance?.tables
    .map(({ table, committedAt }) => `${table}${committedAt ? ` of ${formatShort(committedAt)}` : ''}`)
    .join('\n')
  return (
    <section className="sql-answer" aria-label="Result" aria-busy={status === 'running'}>
      <div className="sql-answer-head">
        <div className="sql-answer-facts" role="status">
          {status === 'running' && <Elapsed run={run} />}
          {status === 'done' && (
            <>
              <strong>{plural(rows.length, 'row')}</strong>
              <span>{formatDuration(run.ms ?? 0)}</span>
              {run.cached?.hit && (
                <span title="The tables have not changed since">
                  from the cache, {formatAge(new Date(Date.now() - run.cached.ageMs).toISOString())}
                </span>
              )}
              {tables && <span title={tables}>{plural(provenance!.tables.length, 'table')} read</span>}
            </>
          )}
          {status === 'failed' && <Status status="failed" />}
          {status === 'cancelled' && (
            <>
              <Status status="cancelled" />
              {rows.length > 0 && <span>{plural(rows.length, 'row')} had arrived</span>}
            </>
          )}
        </div>
        {columns && rows.length > 0 && (
          <>
            <Button
              kind="quiet"
              icon={<Copy size={14} aria-hidden />}
              onClick={() => void copyText(toTsv([columns.map(({ name }) => name), ...rows]))}
            >
              Copy
            </Button>
            <Button
              kind="quiet"
              icon={<Download size={14} aria-hidden />}
              onClick={() => download('result.csv', toCsv(columns, rows))}
            >
              CSV
            </Button>
          </>
        )}
      </div>
      {run.truncated && (
        <p className="sql-truncated">
          Only the first {formatCount(rows.length)} rows are here: aggregate, or narrow with a WHERE.
        </p>
      )}
      {failure ? (
        <div className="sql-failure">
          <FailureNote failure={failure} />
        </div>
      ) : columns && columns.length > 0 && (rows.length > 0 || status === 'running') ? (
        <div className="sql-rows">
          <Grid label="Result" columns={columns} rows={rows} summaries={status !== 'running'} />
        </div>
      ) : status === 'done' ? (
        <State title={columns?.length ? 'The statement gave no rows.' : 'Done.'} />
      ) : null}
    </section>
  )
}

function Elapsed({ run }: { run: RunState }) {
  const [now, setNow] = useState(() => performance.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 100)
    return () => clearInterval(timer)
  }, [])
  return (
    <>
      <Status status="running" />
      <span className="numbers" aria-hidden>
        {formatDuration(now - run.startedAt)}
      </span>
      {run.rows.length > 0 && <span>{plural(run.rows.length, 'row')}</span>}
    </>
  )
}

function PastMenu({
  past,
  onChoose,
  onForget,
}: {
  past: Past[]
  onChoose: (sql: string) => void
  onForget: () => void
}) {
  return (
    <Popover
      label="History"
      align="end"
      trigger={(props) => (
        <Button kind="quiet" icon={<Clock size={14} aria-hidden />} {...props}>
          History
        </Button>
      )}
    >
      {(close) => (
        <div className="past">
          {past.length === 0 && (
            <p className="menu-label">Statements that you run are listed here, in this browser only.</p>
          )}
          {past.map(({ sql, at, status, rows, ms }) => (
            <button
              key={sql}
              type="button"
              className="past-item"
              onClick={() => {
                close()
                onChoose(sql)
              }}
            >
              <code>{sql.slice(0, 300)}</code>
              <span className="caption">
                {formatShort(at)} · {status === 'done' ? plural(rows, 'row') : status}
                {ms !== null && ` · ${formatDuration(ms)}`}
              </span>
            </button>
          ))}
          {past.length > 0 && (
            <>
              <MenuLabel>Kept in this browser only.</MenuLabel>
              <Button kind="quiet" onClick={onForget}>
                Forget all
              </Button>
            </>
          )}
        </div>
      )}
    </Popover>
  )
}
