// Row filters, masks and limits: they stand in access.yml alone, so they are read here.

import type { Access } from '../../../src/contract/index.ts'
import { State } from '../parts/parts.tsx'
import { Place, showLimit, Who } from './words.tsx'

const Except = ({ to, except }: { to: readonly string[] | null; except: readonly string[] }) => (
  <span className="quiet">
    {to ? to.join(', ') : 'everybody'}
    {except.length > 0 && ` but ${except.join(', ')}`}
  </span>
)

export function Rules({ access: { rowFilters, masks, limits } }: { access: Access }) {
  if (rowFilters.length + masks.length + limits.length === 0)
    return (
      <State title="There are no row filters, masks or limits.">
        <p>
          They stand in <code>access.yml</code> under <code>row_filters</code>, <code>masks</code> and{' '}
          <code>limits</code>.
        </p>
      </State>
    )
  return (
    <div className="access-rules">
      {rowFilters.length > 0 && (
        <section aria-labelledby="row-filters">
          <h2 id="row-filters">Row filters</h2>
          <table className="rows">
            <thead>
              <tr>
                <th>Of</th>
                <th>Rows where</th>
                <th className="wide-only">Binds</th>
              </tr>
            </thead>
            <tbody>
              {rowFilters.map(({ on, condition, to, except }, index) => (
                <tr key={index}>
                  <td>
                    <Place on={on} />
                  </td>
                  <td>
                    <code className="access-code">{condition}</code>
                  </td>
                  <td className="wide-only">
                    <Except to={to} except={except} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {masks.length > 0 && (
        <section aria-labelledby="masks">
          <h2 id="masks">Masks</h2>
          <table className="rows">
            <thead>
              <tr>
                <th>Of</th>
                <th>Column</th>
                <th>Shown as</th>
                <th className="wide-only">Binds</th>
              </tr>
            </thead>
            <tbody>
              {masks.map(({ on, column, expression, except }, index) => (
                <tr key={index}>
                  <td>
                    <Place on={on} />
                  </td>
                  <td>
                    <code>{column}</code>
                  </td>
                  <td>
                    <code className="access-code">{expression}</code>
                  </td>
                  <td className="wide-only">
                    <Except to={null} except={except} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {limits.length > 0 && (
        <section aria-labelledby="limits">
          <h2 id="limits">Limits</h2>
          <table className="rows">
            <thead>
              <tr>
                <th>Who</th>
                <th>At most</th>
              </tr>
            </thead>
            <tbody>
              {limits.map(({ name, most, to }, index) => (
                <tr key={index}>
                  <td>
                    <Who who={to} />
                  </td>
                  <td>{showLimit(name, most)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  )
}
