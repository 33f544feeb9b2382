import { useQuery } from '@tanstack/react-query'
import { AlertTriangle } from 'lucide-react'
import type { DashboardSummary } from '../../../src/contract/index.ts'
import { queries } from '../api/queries.ts'
import { Page } from '../frame/Page.tsx'
import { preload } from '../pages.ts'
import { ErrorState, FailureNote, Lines, State, Time } from '../parts/parts.tsx'
import { Link } from '../router.tsx'
import { plural } from '../value/format.ts'
import '../home/lists.css'

export default function DashboardsPage() {
  const { data, error, refetch } = useQuery(queries.dashboards())
  return (
    <Page crumbs={[{ text: 'Dashboards' }]}>
      <div className="page-head">
        <h1>Dashboards</h1>
      </div>
      <div className="narrow">
        {error && <ErrorState error={error} retry={() => void refetch()} />}
        {!data && !error && <Lines count={5} />}
        {data?.problems.map((problem, index) => (
          <FailureNote key={index} failure={problem} kind="warn" />
        ))}
        {data?.dashboards.length === 0 && (
          <State title="There is no dashboard yet.">
            <p>
              A dashboard is a file in the folder <code>dashboards/</code> of the project; a new one shows up here when
              it is saved.
            </p>
          </State>
        )}
        {data && data.dashboards.length > 0 && <DashboardList dashboards={data.dashboards} />}
      </div>
    </Page>
  )
}

export function DashboardList({ dashboards }: { dashboards: DashboardSummary[] }) {
  return (
    <ul className="cards">
      {dashboards.map(({ name, title, description, problems, panels, committedAt, file }) => (
        <li key={name} className="card">
          <Link
            to={`/dashboards/${name}`}
            className="card-link"
            onHover={() => preload(`/dashboards/${name}`)}
            title={file}
          >
            {title}
          </Link>
          {description && <p className="card-text">{description}</p>}
          <p className="card-foot caption">
            <span>{plural(panels, 'panel')}</span>
            {committedAt && (
              <span>
                updated <Time at={committedAt} />
              </span>
            )}
            {problems > 0 && (
              <span className="card-warn">
                <AlertTriangle size={12} aria-hidden /> {plural(problems, 'problem')}
              </span>
            )}
          </p>
        </li>
      ))}
    </ul>
  )
}
