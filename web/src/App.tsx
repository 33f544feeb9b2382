// Decides what may be shown: the log-in page, setting a first password, or the frame with a page inside it.

import { Component, Suspense, useEffect, type ReactNode } from 'react'
import { useQuery } from '@tanstack/react-query'
import { useEventStream } from './api/events.ts'
import { client, queries } from './api/queries.ts'
import { SessionContext } from './api/session.ts'
import { Frame } from './frame/Frame.tsx'
import { Page } from './frame/Page.tsx'
import { LogInPage } from './login/LogInPage.tsx'
import { PasswordPage } from './login/PasswordPage.tsx'
import { findPage } from './pages.ts'
import { Button, ErrorState, State } from './parts/parts.tsx'
import { Link, useLocation } from './router.tsx'
import { setTimezone } from './value/format.ts'

export function App() {
  const session = useQuery(queries.session())
  const { path } = useLocation()
  useEffect(() => {
    const onLoggedOut = () => {
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
      void client.invalidateQueries({ queryKey: ['session'] })
    }
    addEventListener('boathouse:logged-out', onLoggedOut)
    return () => removeEventListener('boathouse:logged-out', onLoggedOut)
  }, [])

  if (session.error && !session.data) return <ErrorState error={session.error} retry={() => void session.refetch()} />
  if (!session.data) return null
  setTimezone(session.data.project.timezone)
  if (!session.data.user || path === '/login') return <LogInPage session={session.data} />
  if (session.data.user.passwordNeeded) return <PasswordPage session={session.data} />
  return (
    <SessionContext value={{ ...session.data, user: session.data.user }}>
      <Inside path={path} />
    </SessionContext>
  )
}

function Inside({ path }: { path: string }) {
  const isLost = useEventStream()
  const found = findPage(path)
  return (
    <Frame isLost={isLost}>
      <Boundary key={found?.key ?? path}>
        <Suspense fallback={<Page crumbs={[]}>{null}</Page>}>
          {found ? (
            <found.View params={found.params} />
          ) : (
            <Page crumbs={[{ text: 'Not found' }]}>
              <State
                title="There is no page at this address."
                action={
                  <Link className="button plain" to="/">
                    Go to the home page
                  </Link>
                }
              />
            </Page>
          )}
        </Suspense>
      </Boundary>
    </Frame>
  )
}

/** A mistake of ours in one page leaves the rest of the app standing. */
class Boundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null }
  static getDerivedStateFromError(error: unknown) {
    return { error }
  }
  override render() {
    if (this.state.error === null) return this.props.children
    // After an upgrade the chunks of the old page are gone: loading the page anew is the cure.
    return (
      <Page crumbs={[{ text: 'Error' }]}>
        <State
          title="This page could not be drawn."
          action={<Button onClick={() => location.reload()}>Load the page again</Button>}
        >
          <p className="mono small">
            {this.state.error instanceof Error ? this.state.error.message : String(this.state.error)}
          </p>
        </State>
      </Page>
    )
  }
}
