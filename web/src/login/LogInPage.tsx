import { useEffect, useRef, useState, type FormEvent } from 'react'
import type { Failure, Session } from '../../../src/contract/index.ts'
import { asFailure, call } from '../api/call.ts'
import { client, queries } from '../api/queries.ts'
import { Mark } from '../frame/Mark.tsx'
import { Button, Field } from '../parts/parts.tsx'
import { navigate, useLocation } from '../router.tsx'
import './login.css'

export function LogInPage({ session }: { session: Session }) {
  const { path, search } = useLocation()
  const token = path === '/login' ? search.get('token') : null
  const [failure, setFailure] = useState<Failure | null>(null)
  const [busy, setBusy] = useState(token !== null)
  const used = useRef(false)

  const enter = async (asking: Promise<Session>) => {
    setBusy(true)
    setFailure(null)
    try {
      const entered = await asking
      client.setQueryData(queries.session().queryKey, entered)
      // Where the person wanted to go; the token must not stay in the address or the history.
      const next = search.get('next') ?? (path === '/login' ? '/' : path + location.search)
      navigate(next.startsWith('/') && !next.startsWith('//') ? next : '/', { replace: true })
    } catch (error) {
      setFailure(asFailure(error))
      setBusy(false)
      if (token) navigate('/login', { replace: true })
    }
  }

  useEffect(() => {
    document.title = `Log in · ${session.project.name}`
    if (!token || used.current) return
    used.current = true // a link works once: not twice in strict mode
    void enter(call('POST /api/session/link', { body: { token } }))
  })

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    void enter(
      call('POST /api/session', { body: { name: String(form.get('name')), password: String(form.get('password')) } }),
    )
  }

  return (
    <Doorstep session={session}>
      {token && busy ? (
        <p className="quiet" role="status">
          Logging in with the link
        </p>
      ) : (
        <form className="login-form" onSubmit={submit}>
          <h1>Log in</h1>
          {failure && (
            <p className="note bad" role="alert">
              <span>
                {failure.message}{' '}
                <span className="quiet">{failure.code === 'UNAUTHENTICATED' ? '' : failure.hint}</span>
              </span>
            </p>
          )}
          <Field label="Name">
            {(id) => (
              <input
                id={id}
                className="input"
                name="name"
                autoComplete="username"
                autoCapitalize="none"
                required
                autoFocus
              />
            )}
          </Field>
          <Field label="Password">
            {(id) => (
              <input
                id={id}
                className="input"
                name="password"
                type="password"
                autoComplete="current-password"
                required
              />
            )}
          </Field>
          <Button kind="primary" type="submit" busy={busy}>
            Log in
          </Button>
          <p className="caption">
            No password, or lost it? An administrator makes a log-in link on the Users page, or by{' '}
            <code>boathouse user reset NAME</code>.
          </p>
        </form>
      )}
    </Doorstep>
  )
}

/** What stands before the house: the sign, the name of the project, the environment. */
export function Doorstep({ session, children }: { session: Session; children: React.ReactNode }) {
  const { environment, project, version } = session
  return (
    <main className="doorstep" id="main">
      <div className="doorstep-head">
        <Mark size={28} />
        <strong>{project.name}</strong>
        <span className={environment.protected ? 'environment protected' : 'environment'}>{environment.name}</span>
      </div>
      <div className="doorstep-card">{children}</div>
      <p className="caption">Boathouse {version}</p>
    </main>
  )
}
