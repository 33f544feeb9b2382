import { useCallback } from 'react'
import { useQuery } from '@tanstack/react-query'
import type { Dashboard, DashboardData, Failure, FilterValues, PanelData } from '../../../src/contract/index.ts'
import { asFailure } from '../api/call.ts'
import { queries } from '../api/queries.ts'
import { useAsOf } from '../frame/AsOf.tsx'
import { Page } from '../frame/Page.tsx'
import type { PageProps } from '../pages.ts'
import { ErrorState, FailureNote, Lines, State, useNow } from '../parts/parts.tsx'
import { Link, setSearch, useLocation } from '../router.tsx'
import { formatAge, formatMoment, formatShort } from '../value/format.ts'
import { Filters } from './Filters.tsx'
import { fromSearch, toSearch } from './filters-url.ts'
import { PanelView } from './Panel.tsx'
import './dashboard.css'

export default function DashboardPage({ params }: PageProps) {
  const name = params['name']!
  const { search } = useLocation()
  const asOf = useAsOf()
  const definition = useQuery(queries.dashboard(name))
  const dashboard = definition.data
  const values = dashboard ? fromSearch(dashboard.filters, search) : {}
  const data = useQuery(queries.data(name, dashboard?.revision, values, asOf))
  const onFilter = useCallback(
    (next: FilterValues) => dashboard && setSearch(toSearch(dashboard.filters, next)),
    [dashboard],
  )

  const crumbs = [{ text: 'Dashboards', to: '/dashboards' }, { text: dashboard?.title ?? name }]
  if (!dashboard)
    return (
      <Page crumbs={crumbs} asOf>
        {definition.error ? (
          asFailure(definition.error).code === 'NOT_FOUND' ? (
            <State
              title={`There is no dashboard named ${name}.`}
              action={
                <Link className="button plain" to="/dashboards">
                  See all dashboards
                </Link>
              }
            />
          ) : (
            <ErrorState error={definition.error} retry={() => void definition.refetch()} />
          )
        ) : (
          <Lines count={6} />
        )}
      </Page>
    )
  const elsewhere = dashboard.problems.filter(({ panel }) => panel === null)
  const shared = sharedFailure(data.data)
  return (
    <Page crumbs={crumbs} asOf>
      <div className="dash-head">
        <div className="dash-titles">
          <h1>{dashboard.title}</h1>
          {dashboard.description && <p>{dashboard.description}</p>}
        </div>
        <div className="dash-tools">
          <Freshness data={data.data} stale={data.isPlaceholderData} />
          <Filters
            dashboard={name}
            filters={dashboard.filters}
            values={values}
            bounds={data.data?.bounds}
            asOf={asOf}
            onChange={onFilter}
          />
        </div>
      </div>
      <div className="dash-notes">
        {definition.error && <FailureNote failure={asFailure(definition.error)} />}
        {data.error && <FailureNote failure={asFailure(data.error)} />}
        {shared && <FailureNote failure={withoutPlace(shared)} kind="warn" />}
        {elsewhere.map((problem, index) => (
          <FailureNote key={index} failure={problem} kind="warn" />
        ))}
      </div>
      {dashboard.panels.length === 0 && elsewhere.length === 0 && (
        <State title={`This dashboard has no panels yet: add one in ${dashboard.file}.`} />
      )}
      <Rows
        dashboard={dashboard}
        data={data.error ? undefined : data.data}
        values={values}
        stale={data.isPlaceholderData}
        failed={data.error !== null}
        shared={shared}
        onFilter={onFilter}
      />
    </Page>
  )
}

type RowsProps = {
  dashboard: Dashboard
  data: DashboardData | undefined
  values: FilterValues
  stale: boolean
  failed: boolean
  shared: Failure | null
  onFilter: (values: FilterValues) => void
}
/** What most panels fail of, such as a table that was not built yet: said once, above, instead of in every panel. */
function sharedFailure(data: DashboardData | undefined): Failure | null {
  const failures = Object.values(data?.panels ?? {}).flatMap((panel) => ('failure' in panel ? [panel.failure] : []))
  const groups = [...Map.groupBy(failures, ({ code, message }) => `${code} ${message}`).values()]
  return groups.find((group) => group.length > 2)?.[0] ?? null
}
const withoutPlace = ({ place: _place, ...failure }: Failure): Failure => failure
const isSame = (data: PanelData | undefined, shared: Failure | null): boolean =>
  shared !== null &&
  data !== undefined &&
  'failure' in data &&
  data.failure.code === shared.code &&
  data.failure.message === shared.message

function Rows({ dashboard, data, values, stale, failed, shared, onFilter }: RowsProps) {
  if (failed) return null
  const panels = new Map(dashboard.panels.map((panel) => [panel.id, panel]))
  return (
    <div className="dash">
      {dashboard.layout.map(({ cells, height }, index) => {
        const onlyKpis = cells.every(({ panel }) => panels.get(panel)?.kind === 'kpi')
        return (
          <div key={index} className={onlyKpis ? 'dash-row kpis' : 'dash-row'}>
            {cells.map(({ panel: id, span }) => {
              const panel = panels.get(id)
              const problem = dashboard.problems.find((one) => one.panel === id)
              if (!panel)
                return problem ? (
                  <div key={id} className="dash-cell" data-span={span}>
                    <section className="panel" aria-label={id}>
                      <header className="panel-head">
                        <h2>{id}</h2>
                      </header>
                      <FailureNote failure={problem} kind="warn" brief />
                    </section>
                  </div>
                ) : null
              return (
                <div key={id} className="dash-cell" data-span={span}>
                  <PanelView
                    panel={panel}
                    data={data?.panels[id]}
                    problem={problem}
                    saidAbove={isSame(data?.panels[id], shared)}
                    filters={dashboard.filters}
                    values={values}
                    height={height}
                    stale={stale}
                    onFilter={onFilter}
                  />
                </div>
              )
            })}
          </div>
        )
      })}
    </div>
  )
}

function Freshness({ data, stale }: { data: DashboardData | undefined; stale: boolean }) {
  const now = useNow()
  if (!data) return null
  const { committedAt, tables } = data.freshness
  if (!committedAt) return <span className="freshness">No data yet</span>
  const title = tables
    .map((one) => `${one.table}: ${one.committedAt ? formatMoment(one.committedAt) : 'never written'}`)
    .join('\n')
  return (
    <span className="freshness" title={title} data-stale={stale}>
      Data of <time dateTime={committedAt}>{formatShort(committedAt, now)}</time>, {formatAge(committedAt, now)}
    </span>
  )
}
