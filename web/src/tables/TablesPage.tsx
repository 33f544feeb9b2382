import { useState, type FormEvent } from 'react'
import { useQuery } from '@tanstack/react-query'
import { Eye, Search, Table2, Upload } from 'lucide-react'
import type { Catalog, Failure } from '../../../src/contract/index.ts'
import { asFailure, call } from '../api/call.ts'
import { queries, refresh } from '../api/queries.ts'
import { useIsAdmin, useSession } from '../api/session.ts'
import { Page } from '../frame/Page.tsx'
import { preload } from '../pages.ts'
import { Button, Dialog, ErrorState, FailureNote, Field, Lines, State, Time } from '../parts/parts.tsx'
import { Link, navigate, setSearch, useLocation } from '../router.tsx'
import { formatBytes, formatCount, noValue } from '../value/format.ts'
import { DropZone } from './DropZone.tsx'
import './tables.css'

export default function TablesPage() {
  const { search } = useLocation()
  const { data, error, refetch } = useQuery(queries.catalog())
  const { features } = useSession()
  const mayUpload = useIsAdmin() && features.upload
  const [file, setFile] = useState<File | null>(null)
  const [text, setText] = useState(search.get('search') ?? '')
  const find = (next: string) => {
    setText(next)
    setSearch({ search: next === '' ? null : next }, { replace: true })
  }
  return (
    <Page crumbs={[{ text: 'Tables' }]} className="wide">
      <div className="page-head">
        <h1>Tables</h1>
        <div className="page-head-actions">
          <label className="search-field">
            <Search size={14} aria-hidden />
            <input
              className="input"
              placeholder="Find a table or column"
              aria-label="Find a table or column"
              value={text}
              onChange={(event) => find(event.target.value)}
            />
          </label>
          {mayUpload && (
            <label className="button plain upload-button">
              <Upload size={14} aria-hidden />
              <span>Upload a CSV</span>
              <input
                type="file"
                accept=".csv,text/csv"
                className="unseen"
                onChange={(event) => {
                  setFile(event.target.files?.[0] ?? null)
                  event.target.value = ''
                }}
              />
            </label>
          )}
        </div>
      </div>
      {error && !data && <ErrorState error={error} retry={() => void refetch()} />}
      {!data && !error && <Lines count={8} />}
      {data && <TableList catalog={data} text={text} mayUpload={mayUpload} onClear={() => find('')} />}
      {mayUpload && <DropZone onFile={setFile} />}
      {file && <UploadDialog file={file} catalog={data} onClose={() => setFile(null)} />}
    </Page>
  )
}

type ListProps = { catalog: Catalog; text: string; mayUpload: boolean; onClear: () => void }
function TableList({ catalog, text, mayUpload, onClear }: ListProps) {
  const wanted = text.trim().toLowerCase()
  const groups = catalog.namespaces
    .map(({ name, tables }) => ({
      name,
      tables: tables.filter(
        (table) =>
          `${table.namespace}.${table.name}`.toLowerCase().includes(wanted) ||
          table.columns.some((column) => column.name.toLowerCase().includes(wanted)),
      ),
    }))
    .filter(({ tables }) => tables.length > 0)
  if (groups.length === 0)
    return wanted === '' ? (
      <State
        title="There are no tables yet."
        action={
          <Link className="button plain" to="/runs">
            Start a run
          </Link>
        }
      >
        <p className="quiet">
          {mayUpload
            ? 'Drop a CSV file anywhere on this page, or start a run of the project.'
            : 'The first run of the project makes them.'}
        </p>
      </State>
    ) : (
      <State title={`No table or column is called “${text}”.`} action={<Button onClick={onClear}>Show all</Button>} />
    )
  return (
    <div className="table-groups">
      {groups.map(({ name, tables }) => (
        <section key={name} aria-labelledby={`namespace-${name}`}>
          <h2 id={`namespace-${name}`}>{name}</h2>
          <table className="rows table-list">
            <thead>
              <tr>
                <th>Name</th>
                <th className="wide-only">Description</th>
                <th className="right wide-only">Columns</th>
                <th className="right">Rows</th>
                <th className="right wide-only">Size</th>
                <th className="right">Updated</th>
              </tr>
            </thead>
            <tbody>
              {tables.map((table) => (
                <tr key={table.name}>
                  <td>
                    <Link
                      className="row-link table-name"
                      to={`/tables/${table.namespace}/${table.name}`}
                      onHover={() => preload('/tables/x/y')}
                    >
                      {table.kind === 'view' ? <Eye size={14} aria-label="view" /> : <Table2 size={14} aria-hidden />}
                      {table.name}
                    </Link>
                  </td>
                  <td className="wide-only table-comment quiet">
                    <span className="cut">{table.comment}</span>
                  </td>
                  <td className="right wide-only">{table.columns.length}</td>
                  <td className="right">{table.rows === null ? noValue : formatCount(table.rows)}</td>
                  <td className="right wide-only">{table.bytes === null ? noValue : formatBytes(table.bytes)}</td>
                  <td className="right quiet">{table.updatedAt ? <Time at={table.updatedAt} /> : noValue}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      ))}
    </div>
  )
}

/** `Sales 2024 (1).csv` is `sales_2024_1`. */
export const tableNameOf = (file: string): string => {
  const name = file
    .replace(/\.[^.]*$/, '')
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 63)
  return /^[a-z_]/.test(name) ? name : `t_${name}`.slice(0, 63)
}

function UploadDialog({ file, catalog, onClose }: { file: File; catalog: Catalog | undefined; onClose: () => void }) {
  const { environment } = useSession()
  const [name, setName] = useState(() => tableNameOf(file.name))
  const [failure, setFailure] = useState<Failure | null>(null)
  const [busy, setBusy] = useState(false)
  const [mode, setMode] = useState<'replace' | 'append'>('replace')
  const exists =
    catalog?.namespaces.some(
      ({ name: namespace, tables }) => namespace === 'raw' && tables.some((table) => table.name === name),
    ) ?? false
  const valid = /^[a-z_][a-z0-9_]{0,62}$/.test(name)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (!valid) return
    setBusy(true)
    try {
      const { runId } = await call('POST /api/tables/upload', { body: { file, table: name, mode } })
      refresh('runs', 'home', 'catalog')
      navigate(`/runs/${runId}`)
    } catch (error) {
      setFailure(asFailure(error))
      setBusy(false)
    }
  }
  return (
    <Dialog title="Upload a CSV" onClose={onClose}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        <p className="upload-file">
          <strong className="cut">{file.name}</strong> <span className="quiet">{formatBytes(file.size)}</span>
        </p>
        <Field
          label="Table"
          hint={`raw.${name}${exists ? ' exists already' : ' is new'}`}
          error={valid ? null : 'Small letters, digits and _ only; not beginning with a digit.'}
        >
          {(id, hint) => (
            <input
              id={id}
              aria-describedby={hint}
              className="input mono"
              value={name}
              onChange={(event) => setName(event.target.value)}
              autoFocus
            />
          )}
        </Field>
        <fieldset className="choices">
          <legend className="unseen">What happens to its rows</legend>
          {(['replace', 'append'] as const).map((one) => (
            <label key={one} className="choice" data-on={mode === one}>
              <input type="radio" name="mode" checked={mode === one} onChange={() => setMode(one)} />
              <span>
                <strong>{one === 'replace' ? 'Replace' : 'Append'}</strong>
                <span className="caption">
                  {one === 'replace' ? 'The table is what the file says.' : 'Rows of the file are added.'}
                </span>
              </span>
            </label>
          ))}
        </fieldset>
        {failure && <FailureNote failure={failure} />}
        <p className="caption">
          The file and a source for it are written into the project; a run loads it into {environment.name}. Earlier
          versions stay readable.
        </p>
        <div className="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={!valid}>
            Upload and load
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
