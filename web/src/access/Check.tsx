// What one person may do with a table and sees of it, and why. Who and what stand in the address, so the answer can be sent to
// somebody.

import { useQuery } from '@tanstack/react-query'
import type { Access, AccessCheck, Privilege } from '../../../src/contract/index.ts'
import { asFailure } from '../api/call.ts'
import { queries } from '../api/queries.ts'
import { CodeBlock, FailureNote, Field, Lines, State } from '../parts/parts.tsx'
import { setSearch, useLocation } from '../router.tsx'
import { Verdict, showLimit } from './words.tsx'

const privileges: readonly Privilege[] = [
  'select',
  'insert',
  'update',
  'delete',
  'create',
  'alter',
  'drop',
  'maintain',
  'manage',
]

export function Check({ access }: { access: Access }) {
  const { search } = useLocation()
  const { data: catalog } = useQuery(queries.catalog())
  const [user, table] = [search.get('user') ?? '', search.get('table') ?? '']
  const action = privileges.find((one) => one === search.get('action')) ?? 'select'
  const tables = catalog?.namespaces.flatMap((one) => one.tables.map(({ namespace, name }) => `${namespace}.${name}`))
  const set = (name: string, value: string) => setSearch({ [name]: value === '' ? null : value }, { replace: true })
  return (
    <div className="check">
      <form className="check-form" onSubmit={(event) => event.preventDefault()}>
        <Field label="Who">
          {(field) => (
            <select id={field} className="select" value={user} onChange={(event) => set('user', event.target.value)}>
              <option value="">Choose a person</option>
              {access.users.map(({ name, disabled }) => (
                <option key={name} value={name}>
                  {name}
                  {disabled ? ' (disabled)' : ''}
                </option>
              ))}
              {user !== '' && !access.users.some(({ name }) => name === user) && <option value={user}>{user}</option>}
            </select>
          )}
        </Field>
        <Field label="May">
          {(field) => (
            <select
              id={field}
              className="select"
              value={action}
              onChange={(event) => set('action', event.target.value === 'select' ? '' : event.target.value)}
            >
              {privileges.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Table or view">
          {(field) => (
            <select id={field} className="select" value={table} onChange={(event) => set('table', event.target.value)}>
              <option value="">Choose a table</option>
              {tables?.map((one) => (
                <option key={one}>{one}</option>
              ))}
              {table !== '' && !tables?.includes(table) && <option value={table}>{table}</option>}
            </select>
          )}
        </Field>
      </form>
      {user === '' || table === '' ? (
        <State title="Choose a person and a table: this page says what they see of it, and which rules say so." />
      ) : (
        <Answer user={user} table={table} action={action} />
      )}
    </div>
  )
}

function Answer({ user, table, action }: { user: string; table: string; action: Privilege }) {
  const { data, error, isPlaceholderData } = useQuery(queries.accessCheck(user, table, action))
  if (error) return <FailureNote failure={asFailure(error)} />
  if (!data) return <Lines count={6} />
  return (
    <div className="check-answer" aria-busy={isPlaceholderData} data-old={isPlaceholderData || undefined}>
      <section className="check-main" aria-label="The answer">
        <h2 className="check-verdict" aria-live="polite">
          <Verdict verdict={data.verdict} />
          <span>
            {data.user} {data.verdict === 'allowed' ? 'may' : 'may not'} {data.action} <code>{data.table}</code>
          </span>
        </h2>
        {data.problem !== null && (
          <FailureNote
            failure={{ code: 'FORBIDDEN', message: data.problem, hint: 'Mend the rule in access.yml.' }}
            brief
          />
        )}
        {data.columns.length > 0 && <Columns columns={data.columns} />}
      </section>
      <aside className="check-side">
        <section aria-labelledby="because">
          <h2 id="because">Because</h2>
          <ul className="check-because">
            {data.because.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </section>
        {data.verdict === 'allowed' && data.action === 'select' && (
          <section aria-labelledby="check-rows">
            <h2 id="check-rows">Rows</h2>
            {data.filters.length === 0 ? (
              <p>All of them.</p>
            ) : (
              <ul className="check-because">
                {data.filters.map((one) => (
                  <li key={one}>
                    where <code>{one}</code>
                  </li>
                ))}
              </ul>
            )}
          </section>
        )}
        {data.limits.length > 0 && (
          <section aria-labelledby="check-limits">
            <h2 id="check-limits">At most</h2>
            <ul className="check-because">
              {data.limits.map(({ name, most, setBy }) => (
                <li key={name}>
                  {showLimit(name, most)} <span className="caption">{setBy}</span>
                </li>
              ))}
            </ul>
          </section>
        )}
        {data.sql !== null && <CodeBlock code={data.sql} label="As a statement" />}
      </aside>
    </div>
  )
}

function Columns({ columns }: { columns: AccessCheck['columns'] }) {
  return (
    <table className="rows check-columns">
      <thead>
        <tr>
          <th>Column</th>
          <th className="wide-only">Type</th>
          <th>Shown</th>
        </tr>
      </thead>
      <tbody>
        {columns.map(({ name, type, shown, mask }) => (
          <tr key={name} className={shown === 'hidden' ? 'quiet' : undefined}>
            <td>
              <code>{name}</code>
            </td>
            <td className="wide-only quiet">{type}</td>
            <td>
              <Verdict verdict={shown} /> {mask !== null && <code className="check-mask">{mask}</code>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
