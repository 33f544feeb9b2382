// A page: the bar above (where am I, which environment, as of when, search, who am I) and the content.

import { Fragment, useEffect, type ReactNode } from 'react'
import { Search } from 'lucide-react'
import { useSession } from '../api/session.ts'
import { commandKey } from '../parts/parts.tsx'
import { Link } from '../router.tsx'
import { AsOf, AsOfBanner } from './AsOf.tsx'
import { EnvironmentBadge } from './EnvironmentBadge.tsx'
import { PersonMenu } from './PersonMenu.tsx'

type Crumb = { text: string; to?: string }
type Props = {
  crumbs: Crumb[]
  children: ReactNode
  /** This page can show its data as it was at another time (`?as-of=`). */
  asOf?: boolean
  /** Fills the window instead of scrolling: editors. */
  full?: boolean
  className?: string
}
export function Page({ crumbs, children, asOf = false, full = false, className = '' }: Props) {
  const { project } = useSession()
  const title = crumbs.at(-1)?.text
  useEffect(() => {
    if (title) document.title = `${title} · ${project.name}`
  }, [title, project.name])
  return (
    <div className={full ? 'page full' : 'page'}>
      <header className="bar">
        <nav aria-label="Breadcrumb" className="crumbs">
          <ol>
            <li className="crumb-project">
              <Link to="/">{project.name}</Link>
            </li>
            {crumbs.map(({ text, to }, index) => (
              <Fragment key={index}>
                <li aria-hidden className="crumb-line">
                  /
                </li>
                <li className="cut">{to ? <Link to={to}>{text}</Link> : <span aria-current="page">{text}</span>}</li>
              </Fragment>
            ))}
          </ol>
        </nav>
        <EnvironmentBadge />
        <div className="bar-right">
          {asOf && <AsOf />}
          <button
            type="button"
            className="bar-search"
            aria-label="Search pages, dashboards and tables"
            onClick={() => dispatchEvent(new CustomEvent('boathouse:search'))}
          >
            <Search size={14} aria-hidden />
            <span className="bar-search-text">Search</span>
            <kbd className="key">{commandKey}K</kbd>
          </button>
          <PersonMenu />
        </div>
      </header>
      {asOf && <AsOfBanner />}
      <main id="main" tabIndex={-1} className={`main ${className}`}>
        {children}
      </main>
    </div>
  )
}
