import { useQuery } from '@tanstack/react-query'
import { queries } from '../api/queries.ts'
import { Page } from '../frame/Page.tsx'
import { CodeBlock, CopyButton, ErrorState, Lines } from '../parts/parts.tsx'
import { setSearch, useLocation } from '../router.tsx'
import './connect.css'

export default function ConnectPage() {
  const { search } = useLocation()
  const { data, error, refetch } = useQuery(queries.connect())
  const chosen = data?.texts.find(({ id }) => id === search.get('with')) ?? data?.texts[0]
  return (
    <Page crumbs={[{ text: 'Connect' }]}>
      <div className="page-head">
        <div>
          <h1>Connect</h1>
          <p>Other tools read the same tables. Choose one and paste.</p>
        </div>
      </div>
      {error && !data && <ErrorState error={error} retry={() => void refetch()} />}
      {!data && !error && <Lines count={6} />}
      {data && (
        <div className="connect">
          <ul className="connect-list" aria-label="Tools">
            {data.texts.map(({ id, title }) => (
              <li key={id}>
                <button
                  type="button"
                  className="connect-item"
                  aria-pressed={chosen?.id === id}
                  onClick={() => setSearch({ with: id }, { replace: true })}
                >
                  {title}
                </button>
              </li>
            ))}
          </ul>
          {chosen && (
            <section className="connect-text" aria-label={chosen.title}>
              <p>{chosen.description}</p>
              <CodeBlock code={chosen.code} label={chosen.language} />
              {chosen.note && <p className="quiet">{chosen.note}</p>}
            </section>
          )}
          <section className="connect-facts" aria-labelledby="facts">
            <h2 id="facts">This installation</h2>
            <dl>
              {data.facts.map(({ label, value }) => (
                <div key={label}>
                  <dt className="caption">{label}</dt>
                  <dd>
                    <code>{value}</code>
                    <CopyButton text={value} />
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        </div>
      )}
    </Page>
  )
}
