// Which address shows which page. Each page is its own chunk; hovering a link fetches it.

import { lazy, type ComponentType } from 'react'
import { match } from './router.tsx'

type Params = Record<string, string>
export type PageProps = { params: Params }
type Load = () => Promise<{ default: ComponentType<PageProps> }>

const page = (pattern: string, load: Load) => ({ pattern, load, view: lazy(load) })
const table: Load = () => import('./tables/TablePage.tsx')
const run: Load = () => import('./runs/RunPage.tsx')
const pages = [
  page('/', () => import('./home/HomePage.tsx')),
  page('/dashboards', () => import('./dashboard/DashboardsPage.tsx')),
  page('/dashboards/:name', () => import('./dashboard/DashboardPage.tsx')),
  page('/sql', () => import('./sql/SqlPage.tsx')),
  page('/tables', () => import('./tables/TablesPage.tsx')),
  page('/tables/:namespace/:name', table),
  page('/models', () => import('./models/ModelsPage.tsx')),
  page('/models/:id', () => import('./models/ModelPage.tsx')),
  page('/runs', () => import('./runs/RunsPage.tsx')),
  page('/runs/:id', run),
  page('/connect', () => import('./connect/ConnectPage.tsx')),
  page('/access', () => import('./access/AccessPage.tsx')),
  page('/users', () => import('./users/UsersPage.tsx')),
]

export function findPage(path: string): { View: ComponentType<PageProps>; params: Params; key: string } | null {
  for (const { pattern, view } of pages) {
    const params = match(pattern, path)
    if (params) return { View: view, params, key: pattern + JSON.stringify(params) }
  }
  return null
}

/** Fetches the code of the page behind an address. */
export function preload(to: string): void {
  const path = to.split(/[?#]/)[0]!
  void pages
    .find(({ pattern }) => match(pattern, path))
    ?.load()
    .catch(() => undefined)
}
