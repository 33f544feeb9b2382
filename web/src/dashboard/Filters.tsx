// The filters of a dashboard: small buttons that say what is chosen, each with a box to choose.

import { useDeferredValue, useState } from 'react'
import { useQuery } from '@tanstack/react-query'
import { Check, ChevronDown, X } from 'lucide-react'
import type { DateRange, Filter, FilterValues } from '../../../src/contract/index.ts'
import { queries } from '../api/queries.ts'
import { Button, IconButton, Lines } from '../parts/parts.tsx'
import { Popover } from '../parts/Popover.tsx'
import { formatCount } from '../value/format.ts'
import { isDefault, isRange } from './filters-url.ts'
import { periods, rangeText } from './periods.ts'

type Props = {
  dashboard: string
  filters: Filter[]
  values: FilterValues
  bounds: Record<string, DateRange> | undefined
  asOf: string | null
  onChange: (values: FilterValues) => void
}
export function Filters({ dashboard, filters, values, bounds, asOf, onChange }: Props) {
  const changed = filters.some((filter) => !isDefault(filter, values[filter.id] ?? filter.default))
  return (
    <div className="filters" role="group" aria-label="Filters">
      {filters.map((filter) => {
        const value = values[filter.id] ?? filter.default
        const set = (next: string[] | DateRange) => onChange({ ...values, [filter.id]: next })
        return filter.kind === 'select' ? (
          <SelectFilter
            key={filter.id}
            dashboard={dashboard}
            filter={filter}
            value={isRange(value) ? [] : value}
            asOf={asOf}
            onChange={set}
          />
        ) : (
          <DateFilter
            key={filter.id}
            filter={filter}
            value={isRange(value) ? value : filter.default}
            bounds={bounds?.[filter.id]}
            onChange={set}
          />
        )
      })}
      {changed && (
        <Button
          kind="quiet"
          onClick={() => onChange(Object.fromEntries(filters.map((filter) => [filter.id, filter.default])))}
        >
          Reset
        </Button>
      )}
    </div>
  )
}

type ChipProps = {
  label: string
  text: string
  on: boolean
  onClear: () => void
  children: (close: () => void) => React.ReactNode
}
function FilterChip({ label, text, on, onClear, children }: ChipProps) {
  return (
    <div className="filter" data-on={on}>
      <Popover
        label={label}
        trigger={(props) => (
          <button type="button" className="filter-button" {...props}>
            <span className="filter-label">{label}</span>
            <span className="filter-value cut">{text}</span>
            {!on && <ChevronDown size={13} aria-hidden />}
          </button>
        )}
      >
        {children}
      </Popover>
      {on && (
        <IconButton label={`Clear ${label}`} className="filter-clear" onClick={onClear}>
          <X size={13} aria-hidden />
        </IconButton>
      )}
    </div>
  )
}

type SelectProps = {
  dashboard: string
  filter: Filter & { kind: 'select' }
  value: string[]
  asOf: string | null
  onChange: (value: string[]) => void
}
function SelectFilter({ dashboard, filter, value, asOf, onChange }: SelectProps) {
  const text = value.length === 0 ? 'all' : value.length <= 2 ? value.join(', ') : `${value.length} chosen`
  return (
    <FilterChip label={filter.label} text={text} on={value.length > 0} onClear={() => onChange([])}>
      {(close) => (
        <SelectBox
          dashboard={dashboard}
          filter={filter}
          value={value}
          asOf={asOf}
          onChange={(next) => {
            onChange(next)
            if (!filter.multiple) close()
          }}
        />
      )}
    </FilterChip>
  )
}

function SelectBox({ dashboard, filter, value, asOf, onChange }: SelectProps) {
  const [search, setSearch] = useState('')
  const asked = useDeferredValue(search)
  const { data, error } = useQuery(queries.values(dashboard, filter.id, asked.trim(), asOf))
  // Chosen values stay in sight even when the search hides them or the data lost them.
  const shown = [
    ...value
      .filter((one) => !data?.values.some((found) => found.value === one))
      .map((one) => ({ value: one, rows: null })),
    ...(data?.values ?? []),
  ]
  const toggle = (one: string) => {
    if (!filter.multiple) onChange(value.includes(one) ? [] : [one])
    else onChange(value.includes(one) ? value.filter((other) => other !== one) : [...value, one])
  }
  return (
    <div className="select-box">
      <input
        className="input"
        placeholder={`Search ${filter.label.toLowerCase()}`}
        aria-label={`Search ${filter.label}`}
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      <div className="select-list" role="listbox" aria-label={filter.label} aria-multiselectable={filter.multiple}>
        {error ? (
          <p className="menu-label">{error.message}</p>
        ) : !data ? (
          <Lines count={4} />
        ) : (
          shown.map((one) => (
            <button
              key={one.value}
              type="button"
              role="option"
              aria-selected={value.includes(one.value)}
              className="menu-item"
              onClick={() => toggle(one.value)}
            >
              <span className={filter.multiple ? 'tick' : 'tick round'}>
                {value.includes(one.value) && <Check size={11} strokeWidth={3} aria-hidden />}
              </span>
              <span className="cut">{one.value === '' ? '(empty)' : one.value}</span>
              {one.rows !== null && <span className="menu-hint numbers">{formatCount(one.rows)}</span>}
            </button>
          ))
        )}
        {data && shown.length === 0 && <p className="menu-label">No value contains “{search}”.</p>}
      </div>
      <div className="select-foot">
        <span className="caption">
          {data && !data.complete
            ? 'More exist: search to narrow'
            : value.length === 0
              ? 'Nothing chosen: all are shown'
              : `${value.length} chosen`}
        </span>
        {value.length > 0 && (
          <Button kind="quiet" onClick={() => onChange([])}>
            Show all
          </Button>
        )}
      </div>
    </div>
  )
}

type DateProps = {
  filter: Filter
  value: DateRange
  bounds: DateRange | undefined
  onChange: (value: DateRange) => void
}
function DateFilter({ filter, value, bounds, onChange }: DateProps) {
  const open = value.from === null && value.to === null
  return (
    <FilterChip
      label={filter.label}
      text={rangeText(value)}
      on={!open}
      onClear={() => onChange({ from: null, to: null })}
    >
      {(close) => {
        const today = new Date().toISOString().slice(0, 10)
        return (
          <div className="date-box">
            <div>
              {periods(today, bounds).map(({ label, range }) => {
                const chosen = range.from === value.from && range.to === value.to
                return (
                  <button
                    key={label}
                    type="button"
                    className="menu-item"
                    aria-pressed={chosen}
                    onClick={() => {
                      onChange(range)
                      close()
                    }}
                  >
                    <span className="menu-icon">{chosen && <Check size={14} aria-hidden />}</span>
                    {label}
                  </button>
                )
              })}
            </div>
            <div className="date-fields">
              <label>
                From
                <input
                  className="input"
                  type="date"
                  value={value.from ?? ''}
                  max={value.to ?? undefined}
                  onChange={(event) => onChange({ ...value, from: event.target.value || null })}
                />
              </label>
              <label>
                To
                <input
                  className="input"
                  type="date"
                  value={value.to ?? ''}
                  min={value.from ?? undefined}
                  onChange={(event) => onChange({ ...value, to: event.target.value || null })}
                />
              </label>
              <p className="caption">Both days are included. An empty field is open.</p>
              {bounds?.from && bounds.to && <p className="caption">Data: {rangeText(bounds)}.</p>}
            </div>
          </div>
        )
      }}
    </FilterChip>
  )
}
