import { useQuery } from '@tanstack/react-query'
import { queries } from '../api/queries.ts'
import { DashboardList } from '../dashboard/DashboardsPage.tsx'
import { Page } from '../frame/Page.tsx'
import { preload } from '../pages.ts'
import { ErrorState, FailureNote, Lines, State, Status, Time } from '../parts/parts.tsx'
import { Link } from '../router.tsx'
import { RunFacts } from '../runs/RunFacts.tsx'
import { formatCount, formatShort, noValue } from '../value/format.ts'
import './home.css'

export default function HomePage() {
  const { data, error, refetch } = useQuery(queries.home())
  return (
    <Page crumbs={[{ text: 'Home' }]} className="wide">
      {error && !data && <ErrorState error={error} retry={() => void refetch()} />}
      {!data && !error && <Lines count={8} />}
      {data && (
        <div className="home">
          <div className="page-head">
            <div>
              <h1>{data.project.name}</h1>
              {data.project.description && <p>{data.project.description}</p>}
            </div>
          </div>
          {data.open.length > 0 && (
            <section className="home-open" aria-label="What is wrong now">
              {data.open.map(({ problem, runId, at }, index) => (
                <div key={index}>
                  <FailureNote failure={problem} kind="warn" />
                  {runId && (
                    <p className="home-open-link">
                      <Link to={`/runs/${runId}`}>See the run</Link>
                      {at && (
                        <span className="quiet">
                          {' '}
                          <Time at={at} />
                        </span>
                      )}
                    </p>
                  )}
                </div>
              ))}
            </section>
          )}
          <section aria-labelledby="home-dashboards">
            <h2 id="home-dashboards">Dashboards</h2>
            {data.dashboards.length === 0 ? (
              <State title="There is no dashboard yet: save one in dashboards/ and it shows up here." />
            ) : (
              <DashboardList dashboards={data.dashboards} />
            )}
          </section>
          <div className="home-columns">
            <section aria-labelledby="home-tables">
              <div className="home-head">
                <h2 id="home-tables">Tables</h2>
                <Link to="/tables">All tables</Link>
              </div>
              {data.tables.length === 0 ? (
                <State
                  title="No tables yet: the first run makes them."
                  action={
                    <Link className="button plain" to="/runs">
                      Go to the runs
                    </Link>
                  }
                />
              ) : (
                <table className="rows">
                  <thead>
                    <tr>
                      <th>Name</th>
                      <th className="right">Rows</th>
                      <th className="right">Updated</th>
                    </tr>
                  </thead>
                  <tbody>
                    {data.tables.map(({ namespace, name, rows, updatedAt }) => (
                      <tr key={`${namespace}.${name}`}>
                        <td>
                          <Link
                            className="row-link"
                            to={`/tables/${namespace}/${name}`}
                            onHover={() => preload('/tables/x/y')}
                          >
                            <span className="quiet">{namespace}.</span>
                            {name}
                          </Link>
                        </td>
                        <td className="right">{rows === null ? noValue : formatCount(rows)}</td>
                        <td className="right quiet">{updatedAt ? <Time at={updatedAt} /> : noValue}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              )}
            </section>
            <section aria-labelledby="home-runs">
              <div className="home-head">
                <h2 id="home-runs">Runs</h2>
                {data.nextSchedule?.nextAt && (
                  <span className="caption">
                    next: {data.nextSchedule.name}, {formatShort(data.nextSchedule.nextAt)}
                  </span>
                )}
                <Link to="/runs">All runs</Link>
              </div>
              {data.runs.length === 0 ? (
                <State
                  title="Nothing has run yet."
                  action={
                    <Link className="button plain" to="/runs">
                      Start the first run
                    </Link>
                  }
                />
              ) : (
                <table className="rows">
                  <thead>
                    <tr>
                      <th>Status</th>
                      <th>Run</th>
                      <th className="right">Started</th>
                    </tr>
                  </thead>
                  <tbody>
                    {data.runs.map((run) => (
                      <tr key={run.id}>
                        <td>
                          <Status status={run.status} />
                        </td>
                        <td>
                          <Link className="row-link" to={`/runs/${run.id}`} onHover={() => preload('/runs/x')}>
                            <RunFacts run={run} />
                          </Link>
                        </td>
                        <td className="right quiet">
                          <Time at={run.startedAt ?? run.createdAt} />
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              )}
            </section>
          </div>
        </div>
      )}
    </Page>
  )
}
