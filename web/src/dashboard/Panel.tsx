// One panel: its title, its menu, and its body in every state: data, nothing to show, a mistake in the file, a
// failed query, loading for the first time, loading again (the old picture stays, dimmed).

import { useState } from 'react'
import { Code2, Copy, Download, Ellipsis, Maximize2, SquareTerminal, Table2 } from 'lucide-react'
import type {
  DashboardProblem,
  Filter,
  FilterValues,
  Panel,
  PanelData,
  PanelRows,
} from '../../../src/contract/index.ts'
import { LyingBars, StandingBars } from '../chart/BarChart.tsx'
import { LineChart } from '../chart/LineChart.tsx'
import { barPlot, linePlot } from '../chart/series.ts'
import { toCsv, toTsv } from '../grid/cells.ts'
import { Grid } from '../grid/Grid.tsx'
import { CodeBlock, copyText, Dialog, download, FailureNote, IconButton, Shimmer, State } from '../parts/parts.tsx'
import { MenuItem, MenuLine, Popover } from '../parts/Popover.tsx'
import { navigate } from '../router.tsx'
import { formatDuration, formatMoment, formatOf, noValue, plural } from '../value/format.ts'
import { isRange } from './filters-url.ts'
import { Kpi } from './Kpi.tsx'
import { Markdown } from './Markdown.tsx'

type Props = {
  panel: Panel
  data: PanelData | undefined
  problem: DashboardProblem | undefined
  /** Its failure is that of many panels and stands above them. */
  saidAbove: boolean
  filters: Filter[]
  values: FilterValues
  height: 'auto' | 'small' | 'medium' | 'large'
  /** New rows are on their way; what is shown belongs to the filters before. */
  stale: boolean
  onFilter: (values: FilterValues) => void
}
type Open = 'sql' | 'data' | 'full' | null

const heights = { small: 160, medium: 260, large: 400 }
const heightOf = (kind: Panel['kind'], height: Props['height']): number =>
  height !== 'auto' ? heights[height] : kind === 'table' ? 380 : 260

export function PanelView(props: Props) {
  const { panel, data, problem, height, stale, saidAbove } = props
  const [open, setOpen] = useState<Open>(null)
  const rows = data && !('failure' in data) ? data : undefined
  const px = heightOf(panel.kind, height)
  const isNote = panel.kind === 'text'
  const body = problem ? (
    <FailureNote failure={problem} kind="warn" brief />
  ) : isNote ? (
    <Markdown text={panel.markdown} />
  ) : data && 'failure' in data ? (
    saidAbove ? (
      <p className="quiet">{panel.kind === 'kpi' ? noValue : 'Not available, for the reason above.'}</p>
    ) : (
      <FailureNote failure={data.failure} kind="warn" brief />
    )
  ) : rows && fits(panel, rows) ? (
    <Body {...props} rows={rows} px={px} />
  ) : (
    <Loading kind={panel.kind} height={px} />
  )
  return (
    <section
      className="panel"
      data-kind={panel.kind}
      aria-label={panel.title}
      aria-busy={stale || (!data && !isNote && !problem)}
      data-stale={stale}
    >
      {(!isNote || panel.title) && (
        <header className="panel-head">
          <div className="panel-titles">
            <h2 className="cut" title={panel.description ?? undefined}>
              {panel.title}
            </h2>
            {panel.description && panel.kind !== 'kpi' && <p className="caption cut">{panel.description}</p>}
          </div>
          {rows && <PanelMenu panel={panel} rows={rows} onOpen={setOpen} />}
        </header>
      )}
      <div className="panel-body">{body}</div>
      {stale && <div className="panel-wait" aria-hidden />}
      {open === 'sql' && rows && <SqlDialog panel={panel} rows={rows} onClose={() => setOpen(null)} />}
      {open === 'data' && rows && (
        <Dialog title={panel.title} wide onClose={() => setOpen(null)}>
          <div className="panel-data">
            <Grid label={panel.title} columns={rows.columns} rows={rows.rows} summaries heightMax={520} />
          </div>
          <p className="caption">{plural(rows.rows.length, 'row')}. Choose cells and copy them as in a spreadsheet.</p>
        </Dialog>
      )}
      {open === 'full' && rows && (
        <Dialog title={panel.title} full onClose={() => setOpen(null)}>
          <div className="panel-full">
            <Body {...props} rows={rows} px={Math.max(320, innerHeight - 180)} />
          </div>
        </Dialog>
      )}
    </section>
  )
}

/** False for a moment after a file was saved: the panel is new, the rows are still those of the old one. */
function fits(panel: Panel, { columns }: PanelRows): boolean {
  const has = (name: string) => columns.some((column) => column.name === name)
  switch (panel.kind) {
    case 'kpi':
      return has(panel.value.column)
    case 'line':
      return has(panel.x.column) && panel.y.every(({ column }) => has(column))
    case 'bar':
      return has(panel.category.column) && panel.y.every(({ column }) => has(column))
    case 'table':
      return panel.columns.every(({ column }) => has(column))
    case 'text':
      return true
  }
}

function Body({ panel, rows, px, filters, values, onFilter }: Props & { rows: PanelRows; px: number }) {
  const filtersOf = filters.filter(({ id }) => panel.filters.includes(id))
  if (panel.kind !== 'kpi' && rows.rows.length === 0) {
    const narrowed = filtersOf.filter(({ id }) => {
      const value = values[id]
      return value && (isRange(value) ? value.from !== null || value.to !== null : value.length > 0)
    })
    return (
      <State
        title={
          narrowed.length === 0
            ? 'The tables behind this panel have no rows yet.'
            : `No rows match ${narrowed.map(({ label }) => label.toLowerCase()).join(' and ')}.`
        }
        action={
          narrowed.length > 0 && (
            <button
              type="button"
              className="button plain"
              onClick={() =>
                onFilter({
                  ...values,
                  ...Object.fromEntries(
                    narrowed.map(({ id, kind }) => [id, kind === 'select' ? [] : { from: null, to: null }]),
                  ),
                })
              }
            >
              Show all
            </button>
          )
        }
      />
    )
  }
  switch (panel.kind) {
    case 'kpi':
      return <Kpi panel={panel} data={rows} />
    case 'line': {
      const plot = linePlot(panel, rows.columns, rows.rows)
      const dates = filtersOf.find((filter) => filter.kind === 'date_range')
      const day = (index: number) => new Date(plot.x[index]!).toISOString().slice(0, 10)
      const onRange =
        dates && plot.kind === 'time'
          ? (from: number, to: number) => onFilter({ ...values, [dates.id]: { from: day(from), to: day(to) } })
          : undefined
      return <LineChart title={panel.title} plot={plot} height={px} onRange={onRange} />
    }
    case 'bar': {
      const plot = barPlot(panel, rows.columns, rows.rows)
      const select = filtersOf.find((filter) => filter.kind === 'select' && filter.dimension === panel.category.column)
      const chosen = select ? ((values[select.id] as string[] | undefined) ?? []) : []
      const onChoose = select
        ? (value: unknown) =>
            onFilter({
              ...values,
              [select.id]: chosen.includes(String(value))
                ? chosen.filter((one) => one !== String(value))
                : [String(value)],
            })
        : undefined
      const Bars = panel.direction === 'horizontal' ? LyingBars : StandingBars
      return <Bars title={panel.title} plot={plot} height={px} chosen={chosen} onChoose={onChoose} />
    }
    case 'table': {
      const at = panel.columns.map(({ column }) => rows.columns.findIndex(({ name }) => name === column))
      return (
        <Grid
          label={panel.title}
          columns={at.map((index) => rows.columns[index]!)}
          rows={rows.rows.map((row) => at.map((index) => row[index]))}
          views={panel.columns.map(({ label, format, bar }, index) => ({
            label,
            bar,
            format: format.kind === 'text' ? formatOf(rows.columns[at[index]!]!) : format,
          }))}
          stretch
          heightMax={px}
        />
      )
    }
    case 'text':
      return <Markdown text={panel.markdown} />
  }
}

/** The shape of what is coming. */
function Loading({ kind, height }: { kind: Panel['kind']; height: number }) {
  if (kind === 'kpi')
    return (
      <div className="kpi">
        <Shimmer className="shimmer-kpi" />
      </div>
    )
  const widths = kind === 'line' ? [] : [92, 78, 66, 51, 40, 28]
  return (
    <div className="shimmer-panel" style={{ height }} role="status" aria-label="Loading">
      {kind === 'line' ? (
        <Shimmer className="shimmer-block" />
      ) : (
        widths.map((width) => (
          <div key={width} style={{ width: `${width}%` }}>
            <Shimmer />
          </div>
        ))
      )}
    </div>
  )
}

function PanelMenu({ panel, rows, onOpen }: { panel: Panel; rows: PanelRows; onOpen: (open: Open) => void }) {
  const name = panel.title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-') || panel.id
  return (
    <Popover
      label={`Menu of ${panel.title}`}
      role="menu"
      align="end"
      trigger={(props) => (
        <IconButton label={`Menu of ${panel.title}`} className="panel-menu" {...props}>
          <Ellipsis size={16} aria-hidden />
        </IconButton>
      )}
    >
      {(close) => {
        const after = (run: () => void) => () => {
          close()
          run()
        }
        return (
          <>
            <MenuItem icon={<Table2 size={14} />} onSelect={after(() => onOpen('data'))}>
              View data
            </MenuItem>
            <MenuItem icon={<Code2 size={14} />} onSelect={after(() => onOpen('sql'))}>
              View SQL
            </MenuItem>
            {panel.kind !== 'kpi' && (
              <MenuItem icon={<Maximize2 size={14} />} onSelect={after(() => onOpen('full'))}>
                Full screen
              </MenuItem>
            )}
            <MenuLine />
            <MenuItem
              icon={<Copy size={14} />}
              onSelect={after(() => void copyText(toTsv([rows.columns.map(({ name }) => name), ...rows.rows])))}
            >
              Copy data
            </MenuItem>
            <MenuItem
              icon={<Download size={14} />}
              onSelect={after(() => download(`${name}.csv`, toCsv(rows.columns, rows.rows)))}
            >
              Download CSV
            </MenuItem>
            <MenuItem
              icon={<SquareTerminal size={14} />}
              onSelect={after(() => navigate(`/sql?sql=${encodeURIComponent(rows.sql)}`))}
            >
              Open in SQL
            </MenuItem>
          </>
        )
      }}
    </Popover>
  )
}

function SqlDialog({ panel, rows, onClose }: { panel: Panel; rows: PanelRows; onClose: () => void }) {
  return (
    <Dialog title={panel.title} wide onClose={onClose}>
      <CodeBlock code={rows.sql} label="The statement that was run, with your filters" />
      <dl className="facts">
        <div>
          <dt>Took</dt>
          <dd>
            {formatDuration(rows.ms)}
            {rows.cached.hit && ', from the cache'}
          </dd>
        </div>
        {rows.provenance.tables.map(({ table, snapshotId, committedAt }) => (
          <div key={table}>
            <dt>{table}</dt>
            <dd className="numbers">
              {snapshotId ? `snapshot ${snapshotId}` : 'no snapshot'}
              {committedAt && `, ${formatMoment(committedAt)}`}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
