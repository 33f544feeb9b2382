import { useState } from 'react'
import { ChevronRight, Eye, Table2 } from 'lucide-react'
import type { Catalog, TableSummary } from '../../../src/contract/index.ts'
import { Lines } from '../parts/parts.tsx'
import { Link } from '../router.tsx'

type Props = { catalog: Catalog | undefined; onInsert: (text: string) => void; onQuery: (sql: string) => void }

/** A name as SQL needs it: quoted only when it must be. */
export const quoteName = (name: string): string =>
  /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`

export function CatalogTree({ catalog, onInsert, onQuery }: Props) {
  const [search, setSearch] = useState('')
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set())
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const wanted = search.trim().toLowerCase()
  const fits = ({ name, columns }: TableSummary) =>
    name.toLowerCase().includes(wanted) || columns.some((column) => column.name.toLowerCase().includes(wanted))
  if (!catalog) return <Lines count={8} />
  return (
    <>
      <div className="tree-search">
        <input
          className="input"
          placeholder="Find a table or column"
          aria-label="Find a table or column"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      </div>
      <ul className="tree">
        {catalog.namespaces.map(({ name: namespace, tables }) => {
          const shown = wanted === '' ? tables : tables.filter(fits)
          if (wanted !== '' && shown.length === 0) return null
          const isOpen = !closed.has(namespace)
          return (
            <li key={namespace}>
              <button
                type="button"
                className="tree-item tree-namespace"
                aria-expanded={isOpen}
                onClick={() => setClosed(toggled(closed, namespace))}
              >
                <ChevronRight size={13} aria-hidden className="tree-arrow" />
                <span className="cut">{namespace}</span>
                <span className="tree-detail">{tables.length}</span>
              </button>
              {isOpen && (
                <ul>
                  {shown.map((table) => (
                    <TreeTable
                      key={table.name}
                      table={table}
                      isOpen={open.has(`${namespace}.${table.name}`)}
                      onToggle={() => setOpen(toggled(open, `${namespace}.${table.name}`))}
                      onInsert={onInsert}
                      onQuery={onQuery}
                    />
                  ))}
                </ul>
              )}
            </li>
          )
        })}
      </ul>
      {catalog.namespaces.every(({ tables }) => tables.length === 0) && (
        <p className="tree-none">No tables yet. The first run makes them.</p>
      )}
    </>
  )
}

const toggled = (set: ReadonlySet<string>, name: string): ReadonlySet<string> => {
  const next = new Set(set)
  if (!next.delete(name)) next.add(name)
  return next
}

type TreeTableProps = {
  table: TableSummary
  isOpen: boolean
  onToggle: () => void
  onInsert: (text: string) => void
  onQuery: (sql: string) => void
}
function TreeTable({ table, isOpen, onToggle, onInsert, onQuery }: TreeTableProps) {
  const full = `${quoteName(table.namespace)}.${quoteName(table.name)}`
  const Icon = table.kind === 'view' ? Eye : Table2
  return (
    <li>
      <div className="tree-row">
        <button
          type="button"
          className="tree-item"
          aria-expanded={isOpen}
          onClick={onToggle}
          title={table.comment ?? full}
        >
          <ChevronRight size={13} aria-hidden className="tree-arrow" />
          <Icon size={13} aria-hidden className="tree-icon" />
          <span className="cut">{table.name}</span>
        </button>
        <button
          type="button"
          className="tree-action"
          onClick={() => onQuery(`select *\nfrom ${full}\nlimit 100`)}
          aria-label={`Query ${full}`}
        >
          query
        </button>
      </div>
      {isOpen && (
        <ul className="tree-columns">
          {table.columns.map(({ name, type, comment }) => (
            <li key={name}>
              <button
                type="button"
                className="tree-item tree-column"
                onClick={() => onInsert(quoteName(name))}
                title={comment ?? `Insert ${name}`}
              >
                <span className="cut">{name}</span>
                <span className="tree-detail cut">{type.toLowerCase()}</span>
              </button>
            </li>
          ))}
          <li>
            <Link to={`/tables/${table.namespace}/${table.name}`} className="tree-item tree-column tree-open">
              About this {table.kind}
            </Link>
          </li>
        </ul>
      )}
    </li>
  )
}
