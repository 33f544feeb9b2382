// The rail on the left (a bar at the bottom of a phone) and the place for a page.

import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react'
import {
  ChevronsLeft,
  ChevronsRight,
  CloudOff,
  Home,
  LayoutDashboard,
  Network,
  Plug,
  ShieldCheck,
  SquareTerminal,
  Table2,
  Users,
  Workflow,
} from 'lucide-react'
import { useSession } from '../api/session.ts'
import { preload } from '../pages.ts'
import { Link, useLocation } from '../router.tsx'
import { Mark } from './Mark.tsx'
import './frame.css'

const Palette = lazy(() => import('./Palette.tsx'))
const places = [
  ['/', 'Home', Home],
  ['/dashboards', 'Dashboards', LayoutDashboard],
  ['/sql', 'SQL', SquareTerminal],
  ['/tables', 'Tables', Table2],
  ['/models', 'Models', Network],
  ['/runs', 'Runs', Workflow],
  ['/connect', 'Connect', Plug],
] as const
const adminPlaces = [
  ['/users', 'Users', Users],
  ['/access', 'Access', ShieldCheck],
] as const
const late: readonly string[] = ['/connect', ...adminPlaces.map(([to]) => to)]

/** `isLost`: the server does not answer. */
export function Frame({ isLost, children }: { isLost: boolean; children: ReactNode }) {
  const { path } = useLocation()
  const { environment, user } = useSession()
  const [open, setOpen] = useState(() => localStorage.getItem('boathouse.rail') === 'open')
  const [palette, setPalette] = useState(false)
  useEffect(() => localStorage.setItem('boathouse.rail', open ? 'open' : 'closed'), [open])
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === 'k' && !event.shiftKey && !event.altKey) {
        event.preventDefault()
        setPalette(true)
      }
    }
    const onSearch = () => setPalette(true)
    addEventListener('keydown', onKey)
    addEventListener('boathouse:search', onSearch)
    return () => {
      removeEventListener('keydown', onKey)
      removeEventListener('boathouse:search', onSearch)
    }
  }, [])
  const items = user.role === 'admin' ? [...places, ...adminPlaces] : places
  return (
    <div className="frame" data-rail={open ? 'open' : 'closed'} data-protected={environment.protected}>
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <nav className="rail" aria-label="Main">
        <Link to="/" className="rail-mark" aria-label="Boathouse, home" tabIndex={-1}>
          <Mark />
          <span className="rail-name">Boathouse</span>
        </Link>
        <ul>
          {items.map(([to, name, Icon]) => {
            const here = to === '/' ? path === '/' : path === to || path.startsWith(`${to}/`)
            return (
              <li key={to} className={late.includes(to) ? 'rail-late' : undefined}>
                <Link
                  to={to}
                  className="rail-item"
                  aria-current={here ? 'page' : undefined}
                  onHover={() => preload(to)}
                >
                  <Icon size={18} strokeWidth={1.75} aria-hidden />
                  <span className="rail-label">{name}</span>
                </Link>
              </li>
            )
          })}
        </ul>
        <button
          type="button"
          className="rail-item rail-toggle"
          onClick={() => setOpen(!open)}
          aria-expanded={open}
          aria-label="Names in the rail"
        >
          {open ? (
            <ChevronsLeft size={18} strokeWidth={1.75} aria-hidden />
          ) : (
            <ChevronsRight size={18} strokeWidth={1.75} aria-hidden />
          )}
          <span className="rail-label">{open ? 'Narrow' : 'Widen'}</span>
        </button>
      </nav>
      <div className="frame-page">{children}</div>
      <div role="status" className="lost-place">
        {isLost && (
          <p className="lost">
            <CloudOff size={15} aria-hidden />
            The server does not answer. What you see may be old until it is back.
          </p>
        )}
      </div>
      {palette && (
        <Suspense>
          <Palette onClose={() => setPalette(false)} />
        </Suspense>
      )}
    </div>
  )
}
