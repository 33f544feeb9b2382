import { useState, type FormEvent } from 'react'
import { useQuery } from '@tanstack/react-query'
import { Ellipsis, Lock, UserPlus } from 'lucide-react'
import type { Failure, Role, User, UserLink } from '../../../src/contract/index.ts'
import { asFailure, call } from '../api/call.ts'
import { queries, refresh } from '../api/queries.ts'
import { useIsAdmin, useSession } from '../api/session.ts'
import { Page } from '../frame/Page.tsx'
import {
  Button,
  CopyButton,
  Dialog,
  ErrorState,
  FailureNote,
  Field,
  IconButton,
  Lines,
  State,
  Time,
} from '../parts/parts.tsx'
import { MenuItem, MenuLine, Popover } from '../parts/Popover.tsx'
import { Link } from '../router.tsx'
import { formatMoment } from '../value/format.ts'
import './users.css'

const roleText: Record<Role, string> = { admin: 'Administrator', reader: 'Reader', member: 'Member' }

export default function UsersPage() {
  const isAdmin = useIsAdmin()
  return (
    <Page crumbs={[{ text: 'Users' }]}>
      {isAdmin ? (
        <Users />
      ) : (
        <State icon={<Lock size={18} />} title="Users are for administrators.">
          <p className="quiet">Ask one of them if something should change.</p>
        </State>
      )}
    </Page>
  )
}

function Users() {
  const { data, error, refetch } = useQuery(queries.users())
  const { user: me } = useSession()
  const [adding, setAdding] = useState(false)
  const [link, setLink] = useState<UserLink | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  const attempt = async (work: () => Promise<unknown>) => {
    setFailure(null)
    try {
      await work()
      refresh('users')
    } catch (error) {
      setFailure(asFailure(error))
    }
  }
  const change = (user: User, body: { role?: Role; disabled?: boolean }) =>
    attempt(() => call('PATCH /api/users/:id', { params: { id: user.id }, body }))
  const reset = (user: User) =>
    attempt(async () => setLink(await call('POST /api/users/:id/reset', { params: { id: user.id } })))
  return (
    <div className="narrow">
      <div className="page-head">
        <h1>Users</h1>
        <div className="page-head-actions">
          <Link className="button plain" to="/access">
            What they may do
          </Link>
          <Button kind="primary" icon={<UserPlus size={14} aria-hidden />} onClick={() => setAdding(true)}>
            Add a user
          </Button>
        </div>
      </div>
      {failure && <FailureNote failure={failure} />}
      {error && !data && <ErrorState error={error} retry={() => void refetch()} />}
      {!data && !error && <Lines count={4} />}
      {data && (
        <table className="rows">
          <thead>
            <tr>
              <th>Name</th>
              <th>Role</th>
              <th className="wide-only">State</th>
              <th className="right">Last seen</th>
              <th aria-label="Actions" />
            </tr>
          </thead>
          <tbody>
            {data.users.map((user) => (
              <tr key={user.id} className={user.disabled ? 'quiet' : undefined}>
                <td>
                  <strong className="user-name">{user.name}</strong>
                  {user.id === me.id && <span className="chip">you</span>}
                </td>
                <td>{roleText[user.role]}</td>
                <td className="wide-only quiet">
                  {user.disabled ? 'disabled' : user.passwordSet ? 'active' : 'has not set a password'}
                </td>
                <td className="right quiet">{user.lastSeenAt ? <Time at={user.lastSeenAt} /> : 'never'}</td>
                <td className="right user-menu">
                  <Popover
                    label={`Menu of ${user.name}`}
                    role="menu"
                    align="end"
                    trigger={(props) => (
                      <IconButton label={`Menu of ${user.name}`} {...props}>
                        <Ellipsis size={16} aria-hidden />
                      </IconButton>
                    )}
                  >
                    {(close) => {
                      const after = (run: () => unknown) => () => {
                        close()
                        void run()
                      }
                      return (
                        <>
                          <MenuItem onSelect={after(() => reset(user))}>New log-in link</MenuItem>
                          <MenuItem
                            onSelect={after(() => change(user, { role: user.role === 'admin' ? 'reader' : 'admin' }))}
                          >
                            Make {user.role === 'admin' ? 'a reader' : 'an administrator'}
                          </MenuItem>
                          <MenuLine />
                          <MenuItem
                            danger={!user.disabled}
                            onSelect={after(() => change(user, { disabled: !user.disabled }))}
                          >
                            {user.disabled ? 'Enable' : 'Disable'}
                          </MenuItem>
                        </>
                      )
                    }}
                  </Popover>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {adding && (
        <AddDialog
          onClose={() => setAdding(false)}
          onAdded={(made) => {
            setAdding(false)
            setLink(made)
            refresh('users')
          }}
        />
      )}
      {link && (
        <Dialog title={`A log-in link for ${link.user.name}`} onClose={() => setLink(null)}>
          <p>
            It opens once, until {formatMoment(link.expiresAt)}. Give it to {link.user.name} and to nobody else; it is
            not shown again.
          </p>
          <p className="user-link">
            <code>{link.link}</code>
            <CopyButton text={link.link} />
          </p>
          <div className="dialog-actions">
            <Button kind="primary" onClick={() => setLink(null)}>
              Done
            </Button>
          </div>
        </Dialog>
      )}
    </div>
  )
}

function AddDialog({ onClose, onAdded }: { onClose: () => void; onAdded: (made: UserLink) => void }) {
  const [failure, setFailure] = useState<Failure | null>(null)
  const [busy, setBusy] = useState(false)
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    setBusy(true)
    try {
      onAdded(
        await call('POST /api/users', {
          body: { name: String(form.get('name')).trim(), role: form.get('role') as Role },
        }),
      )
    } catch (error) {
      setFailure(asFailure(error))
      setBusy(false)
    }
  }
  return (
    <Dialog title="Add a user" onClose={onClose}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        <Field label="Name" hint="Letters, digits and . _ @ + -">
          {(id, hint) => (
            <input
              id={id}
              aria-describedby={hint}
              className="input"
              name="name"
              required
              maxLength={100}
              autoFocus
              autoComplete="off"
            />
          )}
        </Field>
        <Field
          label="Role"
          hint="Readers look and ask; members see what is granted to them; administrators also run, upload and roll back."
        >
          {(id, hint) => (
            <select id={id} aria-describedby={hint} className="select" name="role" defaultValue="reader">
              <option value="reader">Reader</option>
              <option value="member">Member</option>
              <option value="admin">Administrator</option>
            </select>
          )}
        </Field>
        {failure && <FailureNote failure={failure} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={busy}>
            Add and make a link
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
