import { useState, type FormEvent } from 'react'
import type { Session, passwordLengthMin } from '../../../src/contract/index.ts'
import { asFailure, call } from '../api/call.ts'
import { refresh } from '../api/queries.ts'
import { Button, Field } from '../parts/parts.tsx'
import { Doorstep } from './LogInPage.tsx'

const lengthMin: typeof passwordLengthMin = 10

export function PasswordPage({ session }: { session: Session }) {
  return (
    <Doorstep session={session}>
      <div className="login-form">
        <h1>Choose a password</h1>
        <p className="quiet">
          The link has done its work and will not open again. Next time, log in as “{session.user?.name}” with this
          password.
        </p>
        <PasswordForm askCurrent={false} onDone={() => refresh('session')} />
      </div>
    </Doorstep>
  )
}

export function PasswordForm({ askCurrent, onDone }: { askCurrent: boolean; onDone: () => void }) {
  const [error, setError] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const [current, password, again] = ['current', 'password', 'again'].map((name) => String(form.get(name) ?? ''))
    if (password!.length < lengthMin) return setError(`At least ${lengthMin} characters.`)
    if (password !== again) return setError('The two are not the same.')
    setBusy(true)
    try {
      await call('POST /api/session/password', {
        body: { password: password!, ...(askCurrent ? { current: current! } : {}) },
      })
      onDone()
    } catch (error) {
      setError(asFailure(error).message)
      setBusy(false)
    }
  }
  return (
    <form className="login-form" onSubmit={(event) => void submit(event)}>
      {askCurrent && (
        <Field label="Current password">
          {(id) => (
            <input id={id} className="input" name="current" type="password" autoComplete="current-password" required />
          )}
        </Field>
      )}
      <Field label="New password" hint={`At least ${lengthMin} characters.`} error={error}>
        {(id, hint) => (
          <input
            id={id}
            aria-describedby={hint}
            className="input"
            name="password"
            type="password"
            autoComplete="new-password"
            required
            autoFocus={!askCurrent}
          />
        )}
      </Field>
      <Field label="New password again">
        {(id) => <input id={id} className="input" name="again" type="password" autoComplete="new-password" required />}
      </Field>
      <Button kind="primary" type="submit" busy={busy}>
        Set password
      </Button>
    </form>
  )
}
