import { useState } from 'react'
import { useQuery } from '@tanstack/react-query'
import { Search } from 'lucide-react'
import type { Models, ModelSummary } from '../../../src/contract/index.ts'
import { queries } from '../api/queries.ts'
import { Page } from '../frame/Page.tsx'
import { preload } from '../pages.ts'
import { Button, ErrorState, Lines, State, Time } from '../parts/parts.tsx'
import { Link, setSearch, useLocation } from '../router.tsx'
import { noValue, plural } from '../value/format.ts'
import { neighbours, pathOfModel } from './graph-layout.ts'
import { isBad, ModelGraph } from './ModelGraph.tsx'
import '../tables/tables.css'
import './models.css'

/** More boxes than that are a wall: then the graph asks what to look at. */
const drawnMax = 250

export default function ModelsPage() {
  const { search } = useLocation()
  const { data, error, refetch } = useQuery(queries.models())
  const [text, setText] = useState(search.get('search') ?? '')
  const find = (next: string) => {
    setText(next)
    setSearch({ search: next === '' ? null : next }, { replace: true })
  }
  return (
    <Page crumbs={[{ text: 'Models' }]} className="wide">
      <div className="page-head">
        <h1>Models</h1>
        <div className="page-head-actions">
          <label className="search-field">
            <Search size={14} aria-hidden />
            <input
              className="input"
              placeholder="Find a model or tag"
              aria-label="Find a model or tag"
              value={text}
              onChange={(event) => find(event.target.value)}
            />
          </label>
        </div>
      </div>
      {error && !data && <ErrorState error={error} retry={() => void refetch()} />}
      {!data && !error && <Lines count={8} />}
      {data && <Found data={data} text={text} onClear={() => find('')} />}
    </Page>
  )
}

function Found({ data, text, onClear }: { data: Models; text: string; onClear: () => void }) {
  const wanted = text.trim().toLowerCase()
  const found = data.models.filter(({ name, tags, table }) =>
    [name, table ?? '', ...tags].some((one) => one.toLowerCase().includes(wanted)),
  )
  if (data.models.length === 0)
    return (
      <State title="The project has no models yet.">
        <p className="quiet">A model is a SELECT in models/NAME.sql beside dbt_project.yml.</p>
      </State>
    )
  if (found.length === 0)
    return <State title={`No model or tag is called “${text}”.`} action={<Button onClick={onClear}>Show all</Button>} />
  const near = wanted === '' ? null : new Set(found.flatMap(({ id }) => [...neighbours(id, data.edges, 1)]))
  const drawn = data.models.filter(({ id }) => near === null || near.has(id))
  return (
    <>
      {drawn.length <= drawnMax ? (
        <ModelGraph models={drawn} edges={data.edges} />
      ) : (
        <p className="quiet model-many">
          {plural(drawn.length, 'model')} are too many for one picture: search for those to look at.
        </p>
      )}
      <table className="rows model-list">
        <thead>
          <tr>
            <th>Name</th>
            <th className="wide-only">Description</th>
            <th>Kind</th>
            <th className="right wide-only">Tests</th>
            <th>Last run</th>
          </tr>
        </thead>
        <tbody>
          {found.map((model) => (
            <tr key={model.id}>
              <td>
                <Link className="row-link" to={pathOfModel(model.id)} onHover={() => preload('/models/x')}>
                  {model.name}
                </Link>
              </td>
              <td className="wide-only quiet">
                <span className="cut model-about">{model.description}</span>
              </td>
              <td className="quiet">{kindOf(model)}</td>
              <td className="right wide-only">{model.tests === 0 ? noValue : model.tests}</td>
              <td>
                <LastRun model={model} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}

export const kindOf = ({ kind, materialized }: Pick<ModelSummary, 'kind' | 'materialized'>): string =>
  kind === 'model' ? (materialized ?? kind) : kind

export function LastRun({ model: { last, problems } }: { model: Pick<ModelSummary, 'last' | 'problems'> }) {
  if (problems > 0)
    return (
      <span className="model-state" data-bad="true">
        {plural(problems, 'mistake')}
      </span>
    )
  if (!last) return <span className="quiet">{noValue}</span>
  return (
    <Link className="model-state" data-bad={isBad(last.status)} to={`/runs/${last.runId}`}>
      {last.status} {last.at && <Time at={last.at} />}
    </Link>
  )
}
