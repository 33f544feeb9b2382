// Rows and columns as in a spreadsheet: only the rows in view are drawn, cells are chosen with the mouse or the
// keyboard and copied as text that spreadsheets understand. Values are exact; a format changes only how they look.

import {
  useCallback,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type PointerEvent,
  type RefObject,
} from 'react'
import { ArrowDown, ArrowUp, Binary, Braces, Calendar, Hash, ToggleLeft, Type } from 'lucide-react'
import type { Column, Format, Row } from '../../../src/contract/index.ts'
import { copyText } from '../parts/parts.tsx'
import { formatCount, formatValue, kindOf, noValue, plain, toNumber, type TypeKind } from '../value/format.ts'
import { sortRows, summarise, toTsv, type Sort, type Summary } from './cells.ts'
import './grid.css'

type Props = {
  label: string
  columns: Column[]
  rows: Row[]
  /** By column: what the header says, how values look, whether a bar stands behind the number. */
  views?: { label: string; format: Format; bar: boolean }[]
  /** A small picture of each column's values in its header. */
  summaries?: boolean
  /** Fills the width it is given. */
  stretch?: boolean
  /** Height in px at most; fills its parent when absent. */
  heightMax?: number
}
type Cell = { row: number; column: number }

const rowHeight = 28
const icons: Record<TypeKind, typeof Hash> = {
  number: Hash,
  text: Type,
  time: Calendar,
  boolean: ToggleLeft,
  nested: Braces,
  binary: Binary,
}

export function Grid({ label, columns, rows, views, summaries: wanted = false, stretch = false, heightMax }: Props) {
  const summaries = wanted && rows.length >= 8 // a picture of three values says less than the values
  const [sort, setSort] = useState<Sort | null>(null)
  const [sizes, setSizes] = useState<Record<number, number>>({})
  const [anchor, setAnchor] = useState<Cell | null>(null)
  const [focus, setFocus] = useState<Cell | null>(null)
  const scroller = useRef<HTMLDivElement>(null)
  const view = useView(scroller)
  const id = useId()

  const shape = columns.map(({ name, type }) => `${name} ${type}`).join()
  const [drawnShape, setDrawnShape] = useState(shape)
  if (shape !== drawnShape) {
    // Another result: what was chosen or sorted meant other columns.
    setDrawnShape(shape)
    setSort(null)
    setSizes({})
    setAnchor(null)
    setFocus(null)
  }
  const order = useMemo(() => sortRows(rows, columns, sort), [rows, columns, sort])
  const kinds = useMemo(() => columns.map(({ type }) => kindOf(type)), [columns])
  const text = useCallback(
    (value: unknown, column: number): string => (views ? formatValue(value, views[column]!.format) : plain(value)),
    [views],
  )
  const widths = useMemo(
    () => naturalWidths(columns, rows, views, text, summaries),
    [columns, rows.length > 0, views, text, summaries],
  )
  const summary = useMemo(
    () => (summaries ? columns.map((column, at) => summarise(column, at, rows)) : null),
    [summaries, columns, rows],
  )
  const most = useMemo(
    () => views?.map(({ bar }, at) => (bar ? Math.max(0, ...rows.map((row) => Math.abs(toNumber(row[at]) || 0))) : 0)),
    [views, rows],
  )
  const template = widths
    .map((width, at) => (sizes[at] ? `${sizes[at]}px` : stretch ? `minmax(${width}px, ${width}fr)` : `${width}px`))
    .join(' ')

  // In px: by their content, rows of long texts would each be as wide as they like.
  const widthMin = widths.reduce((sum, width, at) => sum + (sizes[at] ?? width), 0)

  const headHeight = summaries ? 58 : 32
  const first = Math.max(0, Math.floor(view.top / rowHeight) - 8)
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / rowHeight) + 8)
  const area = anchor && focus ? areaOf(anchor, focus) : null

  const copy = () => {
    if (!area) return
    const chosen = order.slice(area.top, area.bottom + 1).map((row) => rows[row]!.slice(area.left, area.right + 1))
    const whole = area.top === 0 && area.bottom === rows.length - 1 && rows.length > 1
    void copyText(toTsv(whole ? [columns.slice(area.left, area.right + 1).map(({ name }) => name), ...chosen] : chosen))
  }
  const moveTo = (cell: Cell, extend: boolean) => {
    const next = {
      row: Math.max(0, Math.min(rows.length - 1, cell.row)),
      column: Math.max(0, Math.min(columns.length - 1, cell.column)),
    }
    setFocus(next)
    if (!extend) setAnchor(next)
    const box = scroller.current!
    const [top, bottom] = [next.row * rowHeight, (next.row + 1) * rowHeight + headHeight]
    if (top < box.scrollTop) box.scrollTop = top
    else if (bottom > box.scrollTop + box.clientHeight) box.scrollTop = bottom - box.clientHeight
    requestAnimationFrame(() =>
      document
        .getElementById(`${id}-${next.row}-${next.column}`)
        ?.scrollIntoView({ block: 'nearest', inline: 'nearest' }),
    )
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if ((event.target as HTMLElement).closest('[role=columnheader]')) return
    const command = event.metaKey || event.ctrlKey
    const at = focus ?? { row: 0, column: 0 }
    const page = Math.max(1, Math.floor(view.height / rowHeight) - 2)
    const step: Record<string, Cell> = {
      ArrowDown: { row: command ? rows.length : at.row + (focus ? 1 : 0), column: at.column },
      ArrowUp: { row: command ? 0 : at.row - 1, column: at.column },
      ArrowRight: { row: at.row, column: command ? columns.length : at.column + 1 },
      ArrowLeft: { row: at.row, column: command ? 0 : at.column - 1 },
      PageDown: { row: at.row + page, column: at.column },
      PageUp: { row: at.row - page, column: at.column },
      Home: { row: command ? 0 : at.row, column: 0 },
      End: { row: command ? rows.length : at.row, column: columns.length },
    }
    if (step[event.key]) moveTo(step[event.key]!, event.shiftKey)
    else if (command && event.key === 'a') {
      setAnchor({ row: 0, column: 0 })
      setFocus({ row: rows.length - 1, column: columns.length - 1 })
    } else if (command && event.key === 'c' && area) copy()
    else if (event.key === 'Escape' && area) {
      setAnchor(null)
      setFocus(null)
    } else return
    event.preventDefault()
  }
  const cellAt = (event: PointerEvent): Cell | null => {
    const cell = (event.target as HTMLElement).closest<HTMLElement>('[data-cell]')
    const [row, column] = cell?.dataset['cell']?.split(' ').map(Number) ?? []
    return row === undefined || column === undefined ? null : { row, column }
  }
  const onPointerDown = (event: PointerEvent) => {
    const cell = event.button === 0 ? cellAt(event) : null
    if (!cell || event.pointerType === 'touch') return
    setFocus(cell)
    if (!event.shiftKey || !anchor) setAnchor(cell)
  }
  const onPointerMove = (event: PointerEvent) => {
    if (event.buttons !== 1 || !anchor || event.pointerType === 'touch') return
    const cell = cellAt(event)
    if (cell && (cell.row !== focus?.row || cell.column !== focus?.column)) setFocus(cell)
  }

  return (
    <div className="grid" style={heightMax ? { maxHeight: heightMax } : { height: '100%' }}>
      <div
        ref={scroller}
        className="grid-scroll"
        role="grid"
        aria-label={label}
        aria-rowcount={rows.length + 1}
        aria-colcount={columns.length}
        aria-multiselectable
        aria-activedescendant={focus ? `${id}-${focus.row}-${focus.column}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
      >
        <div
          className="grid-head"
          role="row"
          aria-rowindex={1}
          style={{ gridTemplateColumns: template, minWidth: widthMin, height: headHeight }}
        >
          {columns.map((column, at) => (
            <Head
              key={at}
              column={column}
              label={views?.[at]?.label ?? column.name}
              kind={kinds[at]!}
              sort={sort?.column === at ? (sort.down ? 'descending' : 'ascending') : 'none'}
              onSort={() =>
                setSort(
                  sort?.column !== at
                    ? { column: at, down: kinds[at] === 'number' }
                    : sort.down === (kinds[at] === 'number')
                      ? { column: at, down: !sort.down }
                      : null,
                )
              }
              onSize={(width) => setSizes((before) => ({ ...before, [at]: width }))}
              summary={summary?.[at] ?? null}
              withSummary={summaries}
            />
          ))}
        </div>
        <div className="grid-body" role="presentation" style={{ height: rows.length * rowHeight }}>
          {order.slice(first, last).map((rowAt, offset) => {
            const at = first + offset
            const row = rows[rowAt]!
            return (
              <div
                key={at}
                className="grid-row"
                role="row"
                aria-rowindex={at + 2}
                style={{ gridTemplateColumns: template, minWidth: widthMin, top: at * rowHeight }}
              >
                {columns.map((_, column) => {
                  const value = row[column]
                  const isNull = value === null || value === undefined
                  const shown = isNull ? noValue : text(value, column)
                  const chosen =
                    area !== null && at >= area.top && at <= area.bottom && column >= area.left && column <= area.right
                  const share = most?.[column] ? Math.abs(toNumber(value) || 0) / most[column] : 0
                  return (
                    <div
                      key={column}
                      id={`${id}-${at}-${column}`}
                      role="gridcell"
                      aria-colindex={column + 1}
                      aria-selected={chosen}
                      data-cell={`${at} ${column}`}
                      data-focus={focus?.row === at && focus.column === column}
                      className={`grid-cell ${kinds[column]} ${isNull ? 'null' : ''}`}
                      title={shown.length > 24 ? shown : undefined}
                    >
                      {share > 0 && <span className="grid-bar" style={{ width: `${100 * share}%` }} />}
                      <span className="cut">{isNull ? <span aria-label="null">{noValue}</span> : shown}</span>
                    </div>
                  )
                })}
              </div>
            )
          })}
        </div>
      </div>
    </div>
  )
}

type HeadProps = {
  column: Column
  label: string
  kind: TypeKind
  sort: 'ascending' | 'descending' | 'none'
  onSort: () => void
  onSize: (width: number) => void
  summary: Summary | null
  withSummary: boolean
}
function Head({ column, label, kind, sort, onSort, onSize, summary, withSummary }: HeadProps) {
  const Icon = icons[kind]
  const cell = useRef<HTMLDivElement>(null)
  const startSize = (event: PointerEvent) => {
    event.stopPropagation()
    event.preventDefault()
    const [from, width] = [event.clientX, cell.current!.offsetWidth]
    const move = (moved: globalThis.PointerEvent) => onSize(Math.max(48, width + moved.clientX - from))
    const up = () => {
      removeEventListener('pointermove', move)
      removeEventListener('pointerup', up)
    }
    addEventListener('pointermove', move)
    addEventListener('pointerup', up)
  }
  return (
    <div ref={cell} role="columnheader" aria-sort={sort} className={`grid-th ${kind}`}>
      <button
        type="button"
        className="grid-sort"
        onClick={onSort}
        title={`${column.name} ${column.type}${column.nullable ? '' : ' NOT NULL'}`}
      >
        <Icon size={12} aria-hidden className="grid-type" />
        <span className="cut">{label}</span>
        {sort === 'ascending' && <ArrowUp size={12} aria-hidden />}
        {sort === 'descending' && <ArrowDown size={12} aria-hidden />}
      </button>
      {withSummary && <div className="grid-summary">{summary && <SummaryPicture summary={summary} />}</div>}
      <span className="grid-size" onPointerDown={startSize} aria-hidden />
    </div>
  )
}

function SummaryPicture({ summary }: { summary: Summary }) {
  const nulls = summary.nulls > 0 ? `, ${formatCount(summary.nulls)} null` : ''
  if (summary.kind === 'top')
    return (
      <div className="grid-top" title={`${formatCount(summary.distinct)} different values${nulls}`}>
        <div className="grid-parts" aria-hidden>
          {summary.parts.map((part, index) => (
            <span key={index} style={{ width: `${100 * part}%`, opacity: 0.6 - index * 0.08 }} />
          ))}
        </div>
        <span className="cut">{formatCount(summary.distinct)} distinct</span>
      </div>
    )
  const most = Math.max(...summary.bins)
  return (
    <div title={`${plain(summary.low)} to ${plain(summary.high)}${nulls}`}>
      <svg
        className="grid-histogram"
        viewBox={`0 0 ${summary.bins.length * 4} 18`}
        preserveAspectRatio="none"
        aria-hidden
      >
        {summary.bins.map((count, index) => {
          const height = count === 0 ? 0 : Math.max(1.5, (16 * count) / most)
          return <rect key={index} x={index * 4 + 0.4} width={3.2} y={18 - height} height={height} />
        })}
      </svg>
    </div>
  )
}

function areaOf(a: Cell, b: Cell) {
  return {
    top: Math.min(a.row, b.row),
    bottom: Math.max(a.row, b.row),
    left: Math.min(a.column, b.column),
    right: Math.max(a.column, b.column),
  }
}

/** Wide enough for the header and for most values of the first rows. */
function naturalWidths(
  columns: Column[],
  rows: Row[],
  views: Props['views'],
  text: (value: unknown, column: number) => string,
  summaries: boolean,
): number[] {
  return columns.map(({ name }, at) => {
    const lengths = rows
      .slice(0, 120)
      .map((row) => (row[at] === null ? 1 : text(row[at], at).length))
      .sort((a, b) => a - b)
    const usual = lengths[Math.floor(lengths.length * 0.95)] ?? 0
    const head = (views?.[at]?.label ?? name).length + 3
    return Math.round(Math.max(summaries ? 112 : 72, Math.min(360, Math.max(usual, head) * 7 + 26)))
  })
}

/** What of the scrolled content is in view, in px; redrawn once a frame at most. */
function useView(ref: RefObject<HTMLDivElement | null>): { top: number; height: number } {
  const [view, setView] = useState({ top: 0, height: 600 })
  useEffect(() => {
    const element = ref.current!
    let frame = 0
    const read = () => {
      frame = 0
      setView({ top: element.scrollTop, height: element.clientHeight })
    }
    const later = () => {
      frame ||= requestAnimationFrame(read)
    }
    read()
    element.addEventListener('scroll', later, { passive: true })
    const observer = new ResizeObserver(later)
    observer.observe(element)
    return () => {
      element.removeEventListener('scroll', later)
      observer.disconnect()
      cancelAnimationFrame(frame)
    }
  }, [ref])
  return view
}
