// Tabs of a page: the chosen one stands in the address, arrow keys go from one to the next.

import { useEffect, useRef, type ReactNode } from 'react'
import { setSearch, useLocation } from '../router.tsx'
import { formatCount } from '../value/format.ts'
import './tabs.css'

type Tab<Id extends string> = readonly [id: Id, label: string, count?: number | undefined]

/** The tab that the address names, else the first. */
export function useTab<Id extends string>(tabs: readonly Tab<Id>[]): Id {
  const { search } = useLocation()
  return (tabs.find(([id]) => id === search.get('tab')) ?? tabs[0]!)[0]
}

type Props<Id extends string> = {
  label: string
  tabs: readonly Tab<Id>[]
  chosen: Id
  children: ReactNode
}
export function Tabs<Id extends string>({ label, tabs, chosen, children }: Props<Id>) {
  const list = useRef<HTMLDivElement>(null)
  // On a phone the last ones lie outside of the window.
  useEffect(() => {
    const tab = list.current?.querySelector<HTMLElement>('[aria-selected=true]')
    if (tab) list.current!.scrollLeft = Math.max(0, tab.offsetLeft + tab.offsetWidth - list.current!.clientWidth)
  }, [chosen])
  return (
    <>
      <div ref={list} className="tabs" role="tablist" aria-label={label}>
        {tabs.map(([id, text, count], index) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`tab-${id}`}
            aria-selected={chosen === id}
            aria-controls="tab-panel"
            tabIndex={chosen === id ? 0 : -1}
            className="tab"
            onClick={() => setSearch({ tab: index === 0 ? null : id })}
            onKeyDown={(event) => {
              const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
              if (!step) return
              const all = [...event.currentTarget.parentElement!.querySelectorAll<HTMLButtonElement>('[role=tab]')]
              const next = all[(all.indexOf(event.currentTarget) + step + all.length) % all.length]!
              next.focus()
              next.click()
            }}
          >
            {text}
            {count !== undefined && <span className="tab-count">{formatCount(count)}</span>}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="tab-panel" aria-labelledby={`tab-${chosen}`} className="tab-panel">
        {children}
      </div>
    </>
  )
}
