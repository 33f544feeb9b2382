import { useQuery } from '@tanstack/react-query'
import { SquareTerminal } from 'lucide-react'
import type { Model } from '../../../src/contract/index.ts'
import { asFailure } from '../api/call.ts'
import { queries } from '../api/queries.ts'
import { Page } from '../frame/Page.tsx'
import type { PageProps } from '../pages.ts'
import { Button, CodeBlock, ErrorState, FailureNote, Lines, showPlace, State, Time } from '../parts/parts.tsx'
import { Tabs, useTab } from '../parts/Tabs.tsx'
import { Link, navigate, setSearch, useLocation } from '../router.tsx'
import { formatDuration, noValue } from '../value/format.ts'
import { modelOfPath, neighbours, pathOfModel } from './graph-layout.ts'
import { isBad, ModelGraph } from './ModelGraph.tsx'
import { kindOf, LastRun } from './ModelsPage.tsx'
import '../tables/tables.css'
import './models.css'

const tabs = [
  ['columns', 'Columns'],
  ['sql', 'SQL'],
  ['tests', 'Tests'],
  ['runs', 'Runs'],
] as const
const stepsShown = [1, 2, 4] as const

export default function ModelPage({ params }: PageProps) {
  const id = modelOfPath(params['id']!)
  const { search } = useLocation()
  const { data: model, error, refetch } = useQuery(queries.model(id))
  const { data: all } = useQuery(queries.models())
  const tab = useTab(tabs)
  const steps = stepsShown.find((one) => String(one) === search.get('steps')) ?? 1
  const crumbs = [{ text: 'Models', to: '/models' }, { text: model?.name ?? id }]
  if (!model)
    return (
      <Page crumbs={crumbs}>
        {!error ? (
          <Lines count={6} />
        ) : asFailure(error).code === 'NOT_FOUND' ? (
          <State
            title={`The project has no model ${id}.`}
            action={
              <Link className="button plain" to="/models">
                See all models
              </Link>
            }
          />
        ) : (
          <ErrorState error={error} retry={() => void refetch()} />
        )}
      </Page>
    )
  const near = all && neighbours(model.id, all.edges, steps)
  return (
    <Page crumbs={crumbs} className="wide">
      <div className="page-head">
        <div>
          <h1>{model.name}</h1>
          {model.description && <p>{model.description}</p>}
          <p className="table-facts">
            <span className="chip">{kindOf(model)}</span>
            {model.table && <Link to={`/tables/${model.table.replace('.', '/')}`}>{model.table}</Link>}
            {model.group && <span>group {model.group}</span>}
            {model.owner && <span>owned by {model.owner}</span>}
            {model.tags.map((tag) => (
              <Link key={tag} className="chip" to={`/models?search=${encodeURIComponent(tag)}`}>
                {tag}
              </Link>
            ))}
            {model.place && <code className="place">{showPlace(model.place)}</code>}
            <LastRun model={model} />
          </p>
        </div>
        {model.compiled !== null && (
          <div className="page-head-actions">
            <Button
              icon={<SquareTerminal size={14} aria-hidden />}
              onClick={() => navigate(`/sql?sql=${encodeURIComponent(model.compiled!.trim())}`)}
            >
              Open SQL
            </Button>
          </div>
        )}
      </div>
      {model.mistakes.map((mistake, index) => (
        <FailureNote key={index} failure={{ ...mistake, requestId: '' }} />
      ))}
      {model.partly !== null && <p className="quiet">Not wholly checked: {model.partly}.</p>}
      {all && near && (
        <section aria-label="What it reads and who reads it">
          <div className="model-steps" role="group" aria-label="How far the graph goes">
            {stepsShown.map((one) => (
              <button
                key={one}
                type="button"
                className="model-step"
                aria-pressed={one === steps}
                onClick={() => setSearch({ steps: one === 1 ? null : String(one) }, { replace: true })}
              >
                {one === 1 ? 'Neighbours' : `${one} steps`}
              </button>
            ))}
          </div>
          <ModelGraph models={all.models.filter((one) => near.has(one.id))} edges={all.edges} focus={model.id} />
        </section>
      )}
      <Tabs label="About the model" tabs={tabs} chosen={tab}>
        {tab === 'columns' && <Columns model={model} />}
        {tab === 'sql' && <Sql model={model} />}
        {tab === 'tests' && <Tests model={model} />}
        {tab === 'runs' && <Runs model={model} />}
      </Tabs>
    </Page>
  )
}

type Ref = { model: string; column: string; how?: string }
const nameOf = (id: string): string => id.split('.').at(-1)!
const marks: Record<string, string> = {
  derived: 'computed from',
  aggregated: 'aggregated from',
  identity: 'the same as',
}

function Refs({ refs, verb }: { refs: readonly Ref[]; verb: 'from' | 'into' }) {
  if (refs.length === 0) return <span className="quiet">{noValue}</span>
  return (
    <ul className="model-refs">
      {refs.map(({ model, column, how }) => (
        <li
          key={`${model}.${column}`}
          title={how && verb === 'from' ? `${marks[how]} ${nameOf(model)}.${column}` : how}
        >
          <Link to={pathOfModel(model)}>
            {nameOf(model)}.{column}
          </Link>
          {how && how !== 'identity' && <span className="quiet"> {how}</span>}
        </li>
      ))}
    </ul>
  )
}

function Columns({ model }: { model: Model }) {
  if (model.columns.length === 0) return <p className="quiet">Its columns are not known before it is built.</p>
  return (
    <>
      <div className="model-scroll">
        <table className="rows model-columns">
          <thead>
            <tr>
              <th>Column</th>
              <th>Type</th>
              <th className="wide-only">Description</th>
              <th className="wide-only">Tests</th>
              <th>Made of</th>
              <th>Goes into</th>
            </tr>
          </thead>
          <tbody>
            {model.columns.map((column) => (
              <tr key={column.name} id={`column-${column.name}`}>
                <td className="mono">{column.name}</td>
                <td className="mono quiet">{column.type ?? noValue}</td>
                <td className="wide-only">{column.description || <span className="quiet">{noValue}</span>}</td>
                <td className="wide-only quiet">{column.tests.join(', ') || noValue}</td>
                <td>
                  <Refs refs={column.from} verb="from" />
                </td>
                <td>
                  <Refs refs={column.into} verb="into" />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {model.rows.length > 0 && (
        <p className="quiet model-rows">
          Its rows are decided by{' '}
          {model.rows.map(({ model: id, column, use }) => `${nameOf(id)}.${column} (${use})`).join(', ')}.
        </p>
      )}
    </>
  )
}

function Sql({ model }: { model: Model }) {
  if (model.template === null && model.compiled === null) return <p className="quiet">It has no SQL.</p>
  return (
    <div className="model-sql">
      {model.compiled !== null && <CodeBlock label="Compiled" code={model.compiled.trim()} />}
      {model.template !== null && <CodeBlock label="Template" code={model.template.trim()} />}
    </div>
  )
}

function Tests({ model }: { model: Model }) {
  if (model.testList.length === 0) return <p className="quiet">It has no tests.</p>
  return (
    <table className="rows">
      <thead>
        <tr>
          <th>Test</th>
          <th>Column</th>
          <th className="wide-only">Severity</th>
          <th className="wide-only">Where</th>
          <th>Last result</th>
        </tr>
      </thead>
      <tbody>
        {model.testList.map(({ id, name, column, severity, place, last }) => (
          <tr key={id}>
            <td>{name}</td>
            <td className="mono">{column ?? <span className="quiet">{noValue}</span>}</td>
            <td className="wide-only quiet">{severity}</td>
            <td className="wide-only">
              <code className="place">{showPlace(place ?? undefined)}</code>
            </td>
            <td>
              <LastRun model={{ last, problems: 0 }} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Runs({ model }: { model: Model }) {
  if (model.runs.length === 0) return <p className="quiet">None of the newest runs has done it.</p>
  return (
    <table className="rows">
      <thead>
        <tr>
          <th>Result</th>
          <th>When</th>
          <th className="right">Took</th>
          <th>Run</th>
        </tr>
      </thead>
      <tbody>
        {model.runs.map(({ status, at, ms, runId }) => (
          <tr key={runId}>
            <td>
              <span className="model-state" data-bad={isBad(status)}>
                {status}
              </span>
            </td>
            <td>{at ? <Time at={at} /> : noValue}</td>
            <td className="right">{ms === null ? noValue : formatDuration(ms)}</td>
            <td>
              <Link to={`/runs/${runId}`}>See the run</Link>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
