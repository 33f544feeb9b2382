// ⌘K: jump to a page, a dashboard or a table by a few letters of its name.

import { useEffect, useId, useMemo, useRef, useState } from 'react'
import { useQuery } from '@tanstack/react-query'
import { Eye, LayoutDashboard, MonitorSmartphone, Search, Square, Table2 } from 'lucide-react'
import { queries } from '../api/queries.ts'
import { useIsAdmin } from '../api/session.ts'
import { preload } from '../pages.ts'
import { Dialog } from '../parts/parts.tsx'
import { navigate } from '../router.tsx'
import { rank } from './rank.ts'
import { chooseTheme } from './PersonMenu.tsx'
import './palette.css'

type Entry = { name: string; kind: string; icon: typeof Square; go: () => void; to?: string }
const goTo = (to: string) => ({ to, go: () => navigate(to) })
const pageOf = ([name, to]: readonly [string, string]): Entry => ({ name, kind: 'Page', icon: Square, ...goTo(to) })
const pages: Entry[] = [
  ['Home', '/'],
  ['Dashboards', '/dashboards'],
  ['SQL', '/sql'],
  ['Tables', '/tables'],
  ['Models', '/models'],
  ['Runs', '/runs'],
  ['Connect', '/connect'],
].map(([name, to]) => pageOf([name!, to!]))
const adminPages: Entry[] = [pageOf(['Users', '/users']), pageOf(['Access', '/access'])]
const actions: Entry[] = [
  { name: 'Appearance: light', kind: 'Action', icon: MonitorSmartphone, go: () => chooseTheme('light') },
  { name: 'Appearance: dark', kind: 'Action', icon: MonitorSmartphone, go: () => chooseTheme('dark') },
  { name: 'Appearance: as the system', kind: 'Action', icon: MonitorSmartphone, go: () => chooseTheme('system') },
]

export default function Palette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  /** Enter came before the names did: the first that fits is gone to when they are there. */
  const [isWanted, setWanted] = useState(false)
  const ofDashboards = useQuery(queries.dashboards())
  const ofTables = useQuery(queries.catalog())
  const isComing = ofDashboards.isPending || ofTables.isPending
  const dashboards = ofDashboards.data?.dashboards
  const namespaces = ofTables.data?.namespaces
  const isAdmin = useIsAdmin()
  const list = useRef<HTMLUListElement>(null)
  const id = useId()
  const entries = useMemo<Entry[]>(
    () => [
      ...(dashboards ?? []).map(({ name, title }) => ({
        name: title,
        kind: 'Dashboard',
        icon: LayoutDashboard,
        ...goTo(`/dashboards/${name}`),
      })),
      ...pages,
      ...(isAdmin ? adminPages : []),
      ...(namespaces ?? []).flatMap(({ tables }) =>
        tables.map((table) => ({
          name: `${table.namespace}.${table.name}`,
          kind: table.kind === 'view' ? 'View' : 'Table',
          icon: table.kind === 'view' ? Eye : Table2,
          ...goTo(`/tables/${table.namespace}/${table.name}`),
        })),
      ),
      ...actions,
    ],
    [dashboards, namespaces, isAdmin],
  )
  const found = useMemo(() => rank(entries, text).slice(0, 50), [entries, text])
  const choose = (entry: Entry | undefined) => {
    if (!entry) return setWanted(isComing)
    onClose()
    entry.go()
  }
  useEffect(() => {
    if (isWanted && !isComing) choose(found[0])
  })
  const move = (to: number) => {
    const next = Math.max(0, Math.min(found.length - 1, to))
    setAt(next)
    if (found[next]?.to) preload(found[next].to)
    list.current?.children[next]?.scrollIntoView({ block: 'nearest' })
  }
  return (
    <Dialog title="Go to" onClose={onClose}>
      <div className="palette">
        <div className="palette-input">
          <Search size={16} aria-hidden />
          <input
            autoFocus
            role="combobox"
            aria-expanded
            aria-controls={`${id}-list`}
            aria-activedescendant={found[at] ? `${id}-${at}` : undefined}
            aria-label="Search pages, dashboards and tables"
            placeholder="Page, dashboard or table"
            value={text}
            onChange={(event) => {
              setText(event.target.value)
              setAt(0)
              setWanted(false)
            }}
            onKeyDown={(event) => {
              if (event.key === 'ArrowDown') move(at + 1)
              else if (event.key === 'ArrowUp') move(at - 1)
              else if (event.key === 'Enter') choose(found[at])
              else return
              event.preventDefault()
            }}
          />
        </div>
        <ul id={`${id}-list`} role="listbox" aria-label="Results" ref={list} className="palette-list">
          {found.map((entry, index) => (
            <li
              key={`${entry.kind} ${entry.name}`}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === at}
              className="palette-item"
              onMouseMove={() => setAt(index)}
              onClick={() => choose(entry)}
            >
              <entry.icon size={14} aria-hidden />
              <span className="cut">{entry.name}</span>
              <span className="caption">{entry.kind}</span>
            </li>
          ))}
        </ul>
        {found.length === 0 && (
          <p className="palette-none">{isComing ? 'Looking for names …' : `Nothing here is called “${text}”.`}</p>
        )}
      </div>
    </Dialog>
  )
}
