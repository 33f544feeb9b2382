import { useState } from 'react'
import { useQuery } from '@tanstack/react-query'
import { Eye, FileInput, LayoutDashboard, SquareTerminal, Table2 } from 'lucide-react'
import type { Snapshot, Table } from '../../../src/contract/index.ts'
import { asFailure } from '../api/call.ts'
import { queries } from '../api/queries.ts'
import { Page } from '../frame/Page.tsx'
import { Grid } from '../grid/Grid.tsx'
import type { PageProps } from '../pages.ts'
import {
  Button,
  CodeBlock,
  CopyButton,
  ErrorState,
  FailureNote,
  Lines,
  showPlace,
  State,
  Time,
} from '../parts/parts.tsx'
import { Tabs, useTab } from '../parts/Tabs.tsx'
import { Link, navigate, setSearch, useLocation } from '../router.tsx'
import { quoteName } from '../sql/CatalogTree.tsx'
import { formatBytes, formatCount, formatMoment, noValue, plural } from '../value/format.ts'
import './tables.css'

const tabs = [
  ['rows', 'Rows'],
  ['columns', 'Columns'],
  ['history', 'History'],
  ['about', 'About'],
] as const

export default function TablePage({ params }: PageProps) {
  const [namespace, name] = [params['namespace']!, params['name']!]
  const { search } = useLocation()
  const { data: table, error, refetch } = useQuery(queries.table(namespace, name))
  const tab = useTab(tabs)
  const crumbs = [{ text: 'Tables', to: '/tables' }, { text: `${namespace}.${name}` }]
  if (!table)
    return (
      <Page crumbs={crumbs}>
        {error ? (
          ['NOT_FOUND', 'TABLE_NOT_FOUND'].includes(asFailure(error).code) ? (
            <State
              title={`There is no table ${namespace}.${name} in this environment.`}
              action={
                <Link className="button plain" to="/tables">
                  See all tables
                </Link>
              }
            />
          ) : (
            <ErrorState error={error} retry={() => void refetch()} />
          )
        ) : (
          <Lines count={6} />
        )}
      </Page>
    )
  const full = `${quoteName(namespace)}.${quoteName(name)}`
  const counts: Partial<Record<string, number>> = { columns: table.columns.length, history: table.snapshots.length }
  return (
    <Page crumbs={crumbs} className="table-page">
      <div className="page-head">
        <div>
          <h1>
            <span className="quiet">{namespace}.</span>
            {name}
          </h1>
          {table.comment && <p>{table.comment}</p>}
          <p className="table-facts numbers">
            <span className="chip">{table.kind}</span>
            {table.rows !== null && <span>{plural(table.rows, 'row')}</span>}
            {table.bytes !== null && <span>{formatBytes(table.bytes)}</span>}
            {table.files !== null && <span>{plural(table.files, 'file')}</span>}
            {table.updatedAt && (
              <span>
                updated <Time at={table.updatedAt} />
              </span>
            )}
            {table.definedAt && <code className="place">{showPlace(table.definedAt)}</code>}
          </p>
        </div>
        <div className="page-head-actions">
          <Button
            icon={<SquareTerminal size={14} aria-hidden />}
            onClick={() => navigate(`/sql?sql=${encodeURIComponent(`select *\nfrom ${full}\nlimit 100`)}`)}
          >
            Query
          </Button>
        </div>
      </div>
      <Tabs
        label="About the table"
        chosen={tab}
        tabs={tabs.flatMap(([id, label]) =>
          id === 'history' && table.kind !== 'table' ? [] : [[id, label, counts[id]] as const],
        )}
      >
        {tab === 'rows' && <Preview table={table} snapshot={search.get('snapshot')} />}
        {tab === 'columns' && <Columns table={table} />}
        {tab === 'history' && <History table={table} />}
        {tab === 'about' && <About table={table} />}
      </Tabs>
    </Page>
  )
}

function Preview({ table, snapshot }: { table: Table; snapshot: string | null }) {
  const { data, error, isPlaceholderData } = useQuery(queries.preview(table.namespace, table.name, snapshot))
  const shown = snapshot === null ? null : table.snapshots.find(({ id }) => id === snapshot)
  return (
    <div className="preview">
      {table.snapshots.length > 1 && (
        <div className="preview-head">
          <label>
            As of{' '}
            <select
              className="select"
              value={snapshot ?? ''}
              onChange={(event) => setSearch({ snapshot: event.target.value || null })}
            >
              <option value="">now</option>
              {table.snapshots
                .filter(({ current }) => !current)
                .map(({ id, committedAt, operation }) => (
                  <option key={id} value={id}>
                    {formatMoment(committedAt)}, {operation}
                  </option>
                ))}
            </select>
          </label>
          {snapshot && (
            <button type="button" className="link" onClick={() => setSearch({ snapshot: null })}>
              Back to now
            </button>
          )}
        </div>
      )}
      {snapshot && !shown && <p className="note warn">This snapshot is no longer kept.</p>}
      {error ? (
        <FailureNote failure={asFailure(error)} />
      ) : !data ? (
        <Lines count={8} />
      ) : data.rows.length === 0 ? (
        <State title={snapshot ? 'The table had no rows then.' : 'The table has no rows.'} />
      ) : (
        <>
          <div className="preview-grid" data-stale={isPlaceholderData}>
            <Grid
              label={`Rows of ${table.namespace}.${table.name}`}
              columns={data.columns}
              rows={data.rows}
              summaries
              stretch
            />
          </div>
          <p className="caption">
            {data.rows.length === table.rows ? 'All' : 'The first'} {plural(data.rows.length, 'row')}
            {data.truncated && table.rows !== null && snapshot === null && ` of ${formatCount(table.rows)}`}. The
            pictures above the columns are of these rows.
          </p>
        </>
      )}
    </div>
  )
}

function Columns({ table }: { table: Table }) {
  return (
    <table className="rows narrow">
      <thead>
        <tr>
          <th>Name</th>
          <th>Type</th>
          <th>Null</th>
          <th className="wide-only">Description</th>
        </tr>
      </thead>
      <tbody>
        {table.columns.map(({ name, type, nullable, comment }) => (
          <tr key={name}>
            <td>
              <strong className="column-name">{name}</strong>
            </td>
            <td className="mono">{type.toLowerCase()}</td>
            <td className="quiet">{nullable ? 'may be' : 'never'}</td>
            <td className="wide-only column-comment">{comment ?? <span className="quiet">{noValue}</span>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** What a snapshot did, from the counts that every Iceberg writer leaves in its summary. */
export function changeOf({ summary }: Pick<Snapshot, 'summary'>): string {
  const count = (key: string) => Number(summary[key] ?? 0)
  const parts = [
    count('added-records') > 0 && `+${formatCount(count('added-records'))}`,
    count('deleted-records') > 0 && `−${formatCount(count('deleted-records'))}`,
  ].filter((part) => part !== false)
  return parts.length === 0 ? noValue : `${parts.join(' ')} rows`
}

function History({ table }: { table: Table }) {
  if (table.snapshots.length === 0) return <State title="Nothing was written yet." />
  return (
    <ol className="timeline">
      {table.snapshots.map((snapshot) => (
        <li key={snapshot.id} className="moment" data-current={snapshot.current}>
          <span className="moment-dot" aria-hidden />
          <div className="moment-body">
            <div className="moment-line">
              <strong className="numbers">{formatMoment(snapshot.committedAt)}</strong>
              <span className="chip">{snapshot.operation}</span>
              {snapshot.current && <span className="chip now">now</span>}
              <span className="numbers">{changeOf(snapshot)}</span>
              {snapshot.summary['total-records'] && (
                <span className="quiet numbers">{plural(Number(snapshot.summary['total-records']), 'row')} in all</span>
              )}
            </div>
            <div className="moment-line caption">
              <span className="mono">{snapshot.id}</span>
              {snapshot.runId && <Link to={`/runs/${snapshot.runId}`}>see the run</Link>}
              <Link
                to={`/tables/${table.namespace}/${table.name}${snapshot.current ? '' : `?snapshot=${snapshot.id}`}`}
              >
                rows as of then
              </Link>
            </div>
          </div>
        </li>
      ))}
    </ol>
  )
}

const lineageIcons = { table: Table2, view: Eye, source: FileInput, dashboard: LayoutDashboard }
function About({ table }: { table: Table }) {
  const { upstream, downstream } = table.lineage
  const [all, setAll] = useState(false)
  const properties = Object.entries(table.properties)
  const list = (refs: Table['lineage']['upstream'], none: string) => (
    <ul className="lineage-list">
      {refs.length === 0 && <li className="quiet">{none}</li>}
      {refs.map(({ namespace, name, kind }) => {
        const Icon = lineageIcons[kind]
        const to =
          kind === 'dashboard' ? `/dashboards/${name}` : kind === 'source' ? null : `/tables/${namespace}/${name}`
        const inside = (
          <>
            <Icon size={14} aria-hidden />
            <span className="cut">{kind === 'dashboard' || kind === 'source' ? name : `${namespace}.${name}`}</span>
          </>
        )
        return (
          <li key={`${kind} ${namespace}.${name}`}>
            {to ? (
              <Link className="lineage-node" to={to} title={kind}>
                {inside}
              </Link>
            ) : (
              <span className="lineage-node" title={kind}>
                {inside}
              </span>
            )}
          </li>
        )
      })}
    </ul>
  )
  return (
    <div className="about">
      <section aria-labelledby="lineage">
        <h2 id="lineage">Lineage</h2>
        <div className="lineage">
          {list(upstream, 'nothing in this project')}
          <span className="lineage-arrow" aria-label="flows into" />
          <span className="lineage-node this">
            {table.namespace}.{table.name}
          </span>
          <span className="lineage-arrow" aria-label="flows into" />
          {list(downstream, 'nothing yet')}
        </div>
      </section>
      {table.sql && (
        <section aria-labelledby="view-sql">
          <h2 id="view-sql">Statement</h2>
          <CodeBlock code={table.sql} />
        </section>
      )}
      <section aria-labelledby="storage">
        <h2 id="storage">Storage</h2>
        <dl className="facts">
          <Fact name="Full name" value={`${table.catalog}.${table.namespace}.${table.name}`} copy />
          {table.location && <Fact name="Location" value={table.location} copy />}
          {table.formatVersion !== null && <Fact name="Format" value={`Iceberg v${table.formatVersion}`} />}
          {table.partitions.length > 0 && <Fact name="Partitioned by" value={table.partitions.join(', ')} />}
          {(all ? properties : properties.slice(0, 6)).map(([key, value]) => (
            <Fact key={key} name={key} value={value} />
          ))}
        </dl>
        {properties.length > 6 && !all && (
          <Button kind="quiet" onClick={() => setAll(true)}>
            All {properties.length} properties
          </Button>
        )}
      </section>
    </div>
  )
}

const Fact = ({ name, value, copy = false }: { name: string; value: string; copy?: boolean }) => (
  <div>
    <dt>{name}</dt>
    <dd className="mono fact-value">
      {value}
      {copy && <CopyButton text={value} />}
    </dd>
  </div>
)
