// Addresses to pages, in the sixty lines that a dozen pages need; a router from npm is a third of the first page.
//
// The address is the state: filters, tabs and statements live in the search part. `env` sticks to every link, so
// that a page of another environment never leads back to the usual one unnoticed. A change of page waits for its
// code (the old page stays), a change of the search part is drawn at once.

import {
  createContext,
  startTransition,
  useContext,
  useEffect,
  useState,
  type AnchorHTMLAttributes,
  type ReactNode,
} from 'react'

export type Location = { path: string; search: URLSearchParams }
const read = (): Location => ({ path: decodeURI(location.pathname), search: new URLSearchParams(location.search) })

const Here = createContext<Location>({ path: '/', search: new URLSearchParams() })
export const useLocation = (): Location => useContext(Here)

const moved = new EventTarget()

export function Router({ children }: { children: ReactNode }) {
  const [here, setHere] = useState(read)
  useEffect(() => {
    const update = () => {
      const next = read()
      if (next.path === here.path) setHere(next)
      else startTransition(() => setHere(next))
    }
    moved.addEventListener('moved', update)
    addEventListener('popstate', update)
    return () => {
      moved.removeEventListener('moved', update)
      removeEventListener('popstate', update)
    }
  }, [here.path])
  return <Here value={here}>{children}</Here>
}

/** `to` with the environment of this page, unless it names one. */
export function withEnvironment(to: string, search: string = location.search): string {
  const env = new URLSearchParams(search).get('env')
  if (!env) return to
  const url = new URL(to, 'http://x')
  if (!url.searchParams.has('env')) url.searchParams.set('env', env)
  return url.pathname + url.search + url.hash
}

export function navigate(to: string, { replace = false } = {}): void {
  const before = location.pathname
  history[replace ? 'replaceState' : 'pushState'](null, '', withEnvironment(to))
  moved.dispatchEvent(new Event('moved'))
  if (location.pathname !== before) scrollTo(0, 0)
}

/** Changes parts of the search; null removes one, a list writes it several times. */
export function setSearch(changes: Record<string, string | string[] | null>, { replace = false } = {}): void {
  const search = new URLSearchParams(location.search)
  for (const [name, value] of Object.entries(changes)) {
    search.delete(name)
    for (const one of value === null ? [] : [value].flat()) search.append(name, one)
  }
  navigate(location.pathname + (search.size === 0 ? '' : `?${search}`), { replace })
}

type LinkProps = { to: string; onHover?: () => void } & AnchorHTMLAttributes<HTMLAnchorElement>
export function Link({ to, onHover, onClick, ...rest }: LinkProps) {
  useLocation() // drawn again when the environment of the page changes
  return (
    <a
      href={withEnvironment(to)}
      onMouseEnter={onHover}
      onFocus={onHover}
      onClick={(event) => {
        onClick?.(event)
        if (
          event.defaultPrevented ||
          event.button !== 0 ||
          event.metaKey ||
          event.ctrlKey ||
          event.shiftKey ||
          event.altKey ||
          rest.target
        )
          return
        event.preventDefault()
        navigate(to)
      }}
      {...rest}
    />
  )
}

/** `match('/runs/:id', '/runs/7')` is `{ id: '7' }`; null when it does not fit. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const [wanted, given] = [pattern.split('/'), path.replace(/(.)\/$/, '$1').split('/')]
  if (wanted.length !== given.length) return null
  const params: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    if (part.startsWith(':')) params[part.slice(1)] = given[index]!
    else if (part !== given[index]) return null
  }
  return params
}
