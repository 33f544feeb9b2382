import { useState, type FormEvent } from 'react'
import { Plus, X } from 'lucide-react'
import type { Access, Failure, Grantee } from '../../../src/contract/index.ts'
import { asFailure, call } from '../api/call.ts'
import { refresh } from '../api/queries.ts'
import { Button, Dialog, FailureNote, Field, IconButton } from '../parts/parts.tsx'
import { showGrantee, Who } from './words.tsx'

type Role = Access['roles'][number]

export function Roles({ access }: { access: Access }) {
  const [making, setMaking] = useState(false)
  const [dropping, setDropping] = useState<Role | null>(null)
  const [giving, setGiving] = useState<Role | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  const attempt = async (work: () => Promise<unknown>) => {
    setFailure(null)
    try {
      await work()
      refresh('access')
    } catch (error) {
      setFailure(asFailure(error))
    }
  }
  const take = ({ name }: Role, { kind, name: member }: Grantee) =>
    attempt(() => call('DELETE /api/access/roles/:name/members/:kind/:member', { params: { name, kind, member } }))
  return (
    <div className="access-columns">
      <section aria-labelledby="roles">
        <div className="access-bar">
          <h2 id="roles">Roles</h2>
          <Button icon={<Plus size={14} aria-hidden />} onClick={() => setMaking(true)}>
            Make a role
          </Button>
        </div>
        {failure && <FailureNote failure={failure} />}
        {access.roles.length === 0 && <p className="quiet">None yet. A role is what people may do.</p>}
        <ul className="access-list">
          {access.roles.map((role) => (
            <li key={role.name}>
              <div className="access-line">
                <strong>{role.name}</strong>
                {role.source === 'access.yml' ? (
                  <code className="caption">access.yml</code>
                ) : (
                  <span className="access-line-actions">
                    <Button kind="quiet" onClick={() => setGiving(role)}>
                      Give it to
                    </Button>
                    <IconButton label={`Drop the role ${role.name}`} onClick={() => setDropping(role)}>
                      <X size={15} aria-hidden />
                    </IconButton>
                  </span>
                )}
              </div>
              <ul className="chips">
                {role.members.map((member) => (
                  <li key={showGrantee(member)} className="chip">
                    <Who who={member} />
                    {role.source !== 'access.yml' && (
                      <button
                        type="button"
                        className="chip-take"
                        aria-label={`Take ${role.name} from ${showGrantee(member)}`}
                        onClick={() => void take(role, member)}
                      >
                        <X size={12} aria-hidden />
                      </button>
                    )}
                  </li>
                ))}
                {role.members.length === 0 && <li className="caption">nobody</li>}
              </ul>
            </li>
          ))}
        </ul>
      </section>
      <section aria-labelledby="groups">
        <div className="access-bar">
          <h2 id="groups">Groups</h2>
        </div>
        {access.groups.length === 0 && (
          <p className="quiet">
            None. Groups stand in <code>access.yml</code>.
          </p>
        )}
        <ul className="access-list">
          {access.groups.map(({ name, members }) => (
            <li key={name}>
              <strong>{name}</strong>
              <ul className="chips">
                {members.map((member) => (
                  <li key={showGrantee(member)} className="chip">
                    <Who who={member} />
                  </li>
                ))}
              </ul>
            </li>
          ))}
        </ul>
      </section>
      <section aria-labelledby="people">
        <div className="access-bar">
          <h2 id="people">People</h2>
        </div>
        <ul className="access-list">
          {access.users.map(({ name, role, disabled, groups, roles, attributes }) => (
            <li key={name} className={disabled ? 'quiet' : undefined}>
              <div className="access-line">
                <strong>{name}</strong>
                <span className="caption">{disabled ? 'disabled' : role}</span>
              </div>
              <ul className="chips">
                {groups.map((one) => (
                  <li key={`group ${one}`} className="chip">
                    <Who who={{ kind: 'group', name: one }} />
                  </li>
                ))}
                {roles.map((one) => (
                  <li key={`role ${one}`} className="chip">
                    <Who who={{ kind: 'role', name: one }} />
                  </li>
                ))}
                {Object.entries(attributes).map(([key, value]) => (
                  <li key={`attribute ${key}`} className="chip">
                    <span className="caption">{key}</span> {value}
                  </li>
                ))}
              </ul>
            </li>
          ))}
        </ul>
      </section>
      {making && <MakeDialog onClose={() => setMaking(false)} />}
      {giving && <GiveDialog access={access} role={giving} onClose={() => setGiving(null)} />}
      {dropping && (
        <Dialog title={`Drop the role ${dropping.name}`} onClose={() => setDropping(null)}>
          <p>Its members lose what is granted to it, at their next statement.</p>
          <div className="dialog-actions">
            <Button onClick={() => setDropping(null)}>Cancel</Button>
            <Button
              kind="danger"
              onClick={() => {
                const { name } = dropping
                setDropping(null)
                void attempt(() => call('DELETE /api/access/roles/:name', { params: { name } }))
              }}
            >
              Drop
            </Button>
          </div>
        </Dialog>
      )}
    </div>
  )
}

function MakeDialog({ onClose }: { onClose: () => void }) {
  const [failure, setFailure] = useState<Failure | null>(null)
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    try {
      const name = String(new FormData(event.currentTarget).get('name')).trim()
      await call('POST /api/access/roles', { body: { name } })
      refresh('access')
      onClose()
    } catch (error) {
      setFailure(asFailure(error))
    }
  }
  return (
    <Dialog title="Make a role" onClose={onClose}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        <Field label="Name" hint="Letters, digits and _ . @ -">
          {(id, hint) => (
            <input
              id={id}
              aria-describedby={hint}
              className="input"
              name="name"
              required
              maxLength={100}
              autoComplete="off"
              spellCheck={false}
            />
          )}
        </Field>
        {failure && <FailureNote failure={failure} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit">
            Make
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

function GiveDialog({ access, role, onClose }: { access: Access; role: Role; onClose: () => void }) {
  const [failure, setFailure] = useState<Failure | null>(null)
  const members: Grantee[] = [
    ...access.users.map(({ name }) => ({ kind: 'user' as const, name })),
    ...access.groups.map(({ name }) => ({ kind: 'group' as const, name })),
    ...access.roles.filter(({ name }) => name !== role.name).map(({ name }) => ({ kind: 'role' as const, name })),
  ]
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const to = String(new FormData(event.currentTarget).get('to'))
    try {
      const body = members.find((one) => showGrantee(one) === to)!
      await call('POST /api/access/roles/:name/members', { params: { name: role.name }, body })
      refresh('access')
      onClose()
    } catch (error) {
      setFailure(asFailure(error))
    }
  }
  return (
    <Dialog title={`Give the role ${role.name}`} onClose={onClose}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        <Field label="To">
          {(id) => (
            <select id={id} className="select" name="to">
              {members.map((one) => (
                <option key={showGrantee(one)} value={showGrantee(one)}>
                  {one.kind} {one.name}
                </option>
              ))}
            </select>
          )}
        </Field>
        {failure && <FailureNote failure={failure} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit">
            Give
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
