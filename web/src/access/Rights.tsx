import { useState, type FormEvent } from 'react'
import { KeyRound, X } from 'lucide-react'
import type { Access, Failure, GrantedPrivilege, NewRight } from '../../../src/contract/index.ts'
import { asFailure, call } from '../api/call.ts'
import { refresh } from '../api/queries.ts'
import { Button, Dialog, FailureNote, Field, IconButton, State, Time } from '../parts/parts.tsx'
import { setSearch, useLocation } from '../router.tsx'
import { Place, showGrantee, showPlace, Who } from './words.tsx'

type Listed = Access['grants'][number]

export function Rights({ access }: { access: Access }) {
  const { search } = useLocation()
  const [giving, setGiving] = useState(false)
  const [taking, setTaking] = useState<Listed | null>(null)
  const wanted = search.get('find') ?? ''
  const textOf = ({ privilege, on, to, columns }: Listed) =>
    [privilege, showPlace(on), showGrantee(to), ...(columns ?? [])].join(' ').toLowerCase()
  const grants = access.grants.filter((one) => textOf(one).includes(wanted.toLowerCase()))
  const give = (
    <Button kind="primary" icon={<KeyRound size={14} aria-hidden />} onClick={() => setGiving(true)}>
      Grant a right
    </Button>
  )
  return (
    <section aria-label="Rights">
      <div className="access-bar">
        <input
          className="input access-find"
          type="search"
          aria-label="Find in rights"
          placeholder="Find a person, role or table"
          value={wanted}
          onChange={({ target }) => setSearch({ find: target.value === '' ? null : target.value }, { replace: true })}
        />
        {give}
      </div>
      {grants.length === 0 ? (
        <State
          title={
            access.grants.length === 0
              ? 'Nothing is granted: readers and administrators read everything, members nothing.'
              : `No right has “${wanted}” in it.`
          }
        />
      ) : (
        <table className="rows">
          <thead>
            <tr>
              <th>Who</th>
              <th>May</th>
              <th>On</th>
              <th className="wide-only">Said in</th>
              <th aria-label="Actions" />
            </tr>
          </thead>
          <tbody>
            {grants.map((one) => (
              <tr key={`${one.privilege} ${showPlace(one.on)} ${showGrantee(one.to)} ${one.columns} ${one.source}`}>
                <td>
                  <Who who={one.to} />
                </td>
                <td>
                  {one.privilege}
                  {one.columns && <span className="quiet"> ({one.columns.join(', ')})</span>}
                </td>
                <td>
                  <Place on={one.on} />
                </td>
                <td className="wide-only quiet">
                  {one.source === 'access.yml' ? (
                    <code>access.yml</code>
                  ) : (
                    <>
                      {one.source === 'web' ? 'this page' : one.source === 'sql' ? 'SQL' : 'command line'}, by{' '}
                      {one.grantedBy}, <Time at={one.grantedAt} />
                    </>
                  )}
                </td>
                <td className="right access-action">
                  {one.source !== 'access.yml' && (
                    <IconButton
                      label={`Revoke ${one.privilege} on ${showPlace(one.on)} from ${showGrantee(one.to)}`}
                      onClick={() => setTaking(one)}
                    >
                      <X size={15} aria-hidden />
                    </IconButton>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {giving && <GrantDialog access={access} onClose={() => setGiving(false)} />}
      {taking && <RevokeDialog right={taking} onClose={() => setTaking(null)} />}
    </section>
  )
}

const privileges: readonly GrantedPrivilege[] = [
  'select',
  'insert',
  'update',
  'delete',
  'write',
  'create',
  'alter',
  'drop',
  'maintain',
  'all',
  'manage',
]

function GrantDialog({ access, onClose }: { access: Access; onClose: () => void }) {
  const [failure, setFailure] = useState<Failure | null>(null)
  const [busy, setBusy] = useState(false)
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const text = (name: string) => String(form.get(name)).trim()
    const [kind, ...rest] = text('to').split(':')
    const columns = text('columns')
    const body: NewRight = {
      privilege: text('privilege') as GrantedPrivilege,
      on: { environment: text('environment'), ...tablesOf(text('tables')) },
      columns: columns === '' ? null : columns.split(',').map((one) => one.trim()),
      to: { kind: kind as NewRight['to']['kind'], name: rest.join(':') },
    }
    setBusy(true)
    try {
      await call('POST /api/access/grant', { body })
      refresh('access')
      onClose()
    } catch (error) {
      setFailure(asFailure(error))
      setBusy(false)
    }
  }
  return (
    <Dialog title="Grant a right" onClose={onClose}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        <Field label="To">
          {(id) => (
            <select id={id} className="select" name="to" required>
              <optgroup label="Roles">
                {[...access.roles.map(({ name }) => name), 'public'].map((name) => (
                  <option key={name} value={`role:${name}`}>
                    {name === 'public' ? 'public (everybody)' : name}
                  </option>
                ))}
              </optgroup>
              <optgroup label="Groups">
                {access.groups.map(({ name }) => (
                  <option key={name} value={`group:${name}`}>
                    {name}
                  </option>
                ))}
              </optgroup>
              <optgroup label="People">
                {access.users.map(({ name }) => (
                  <option key={name} value={`user:${name}`}>
                    {name}
                  </option>
                ))}
              </optgroup>
            </select>
          )}
        </Field>
        <Field label="Right">
          {(id) => (
            <select id={id} className="select" name="privilege">
              {privileges.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          )}
        </Field>
        <Field label="On tables" hint="For example marts.orders, marts.* or *">
          {(id, hint) => (
            <input
              id={id}
              aria-describedby={hint}
              className="input"
              name="tables"
              required
              maxLength={200}
              autoComplete="off"
              spellCheck={false}
            />
          )}
        </Field>
        <Field label="In environments" hint="A name, or * for all">
          {(id, hint) => (
            <input id={id} aria-describedby={hint} className="input" name="environment" required defaultValue="*" />
          )}
        </Field>
        <Field label="Only columns" hint="Of select on one table, with commas; empty for all">
          {(id, hint) => (
            <input
              id={id}
              aria-describedby={hint}
              className="input"
              name="columns"
              autoComplete="off"
              spellCheck={false}
            />
          )}
        </Field>
        {failure && <FailureNote failure={failure} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={busy}>
            Grant
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

/** `marts.orders`, `marts.*`, `marts` and `*`. */
function tablesOf(text: string): { namespace: string; table: string } {
  const [namespace = '*', ...rest] = text.split('.')
  return { namespace, table: rest.length === 0 ? '*' : rest.join('.') }
}

function RevokeDialog({ right, onClose }: { right: Listed; onClose: () => void }) {
  const [failure, setFailure] = useState<Failure | null>(null)
  const { privilege, on, columns, to } = right
  const revoke = async () => {
    try {
      await call('POST /api/access/revoke', { body: { privilege, on, columns, to } })
      refresh('access')
      onClose()
    } catch (error) {
      setFailure(asFailure(error))
    }
  }
  return (
    <Dialog title="Revoke a right" onClose={onClose}>
      <p>
        {privilege} on <Place on={on} /> is taken from {to.kind} {to.name}. It is gone at their next statement.
      </p>
      {failure && <FailureNote failure={failure} />}
      <div className="dialog-actions">
        <Button onClick={onClose}>Cancel</Button>
        <Button kind="danger" onClick={() => void revoke()}>
          Revoke
        </Button>
      </div>
    </Dialog>
  )
}
