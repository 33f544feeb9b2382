// Lines over time or a number. The mouse or the arrow keys move a crosshair that reads all lines at one x; dragging
// over the plot chooses a range. What the crosshair reads is spoken, and the panel can show the rows as a table.

import { useId, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react'
import { scaleLinear, scaleUtc } from 'd3-scale'
import { axisHeight, marginFor, XAxis, YAxis, yTicks } from './axis.tsx'
import { isGap, spread, type Plot, type Series } from './series.ts'
import { useWidth } from './use-width.ts'
import './chart.css'

type Props = {
  title: string
  plot: Plot
  height: number
  /** Called with the positions in `plot.x` at the ends of a dragged range. */
  onRange?: ((from: number, to: number) => void) | undefined
}

const labelsMax = 4
const top = 10

export function LineChart({ title, plot, height, onRange }: Props) {
  const [box, width] = useWidth<HTMLDivElement>()
  const [at, setAt] = useState<number | null>(null)
  const [drag, setDrag] = useState<number | null>(null)
  const clip = useId()
  const svg = useRef<SVGSVGElement>(null)
  const { x, series } = plot
  const atEnds = series.length >= 2 && series.length <= labelsMax && width > 420

  const drawn = useMemo(() => {
    if (width === 0 || x.length === 0) return null
    const bottom = height - axisHeight
    const values = series.flatMap((one) => one.values.filter((value) => value !== null))
    const y = scaleLinear()
      .domain([Math.min(0, ...values), Math.max(0, ...values) || 1])
      .nice(4)
      .range([bottom, top])
    const ticks = yTicks(y, series[0]!.format, bottom - top)
    const left = marginFor(ticks)
    const right = width - (atEnds ? Math.max(...series.map(({ label }) => Math.min(140, label.length * 6.6))) + 16 : 8)
    const domain: [number, number] = x.length === 1 ? [x[0]! - 1, x[0]! + 1] : [x[0]!, x.at(-1)!]
    const scale =
      plot.kind === 'time'
        ? scaleUtc().domain(domain).range([left, right])
        : scaleLinear().domain(domain).range([left, right])
    return { bottom, y, ticks, left, right, scale, xs: x.map((value) => scale(value)) }
  }, [width, height, x, series, plot.kind, atEnds])

  const nearest = (clientX: number): number => {
    const offset = clientX - svg.current!.getBoundingClientRect().left
    let best = 0
    for (const [index, one] of drawn!.xs.entries())
      if (Math.abs(one - offset) < Math.abs(drawn!.xs[best]! - offset)) best = index
    return best
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const last = x.length - 1
    const to = {
      ArrowLeft: Math.max(0, (at ?? last + 1) - 1),
      ArrowRight: Math.min(last, (at ?? -1) + 1),
      Home: 0,
      End: last,
      Escape: null,
    }[event.key]
    if (to === undefined) return
    event.preventDefault()
    setAt(to)
  }
  const release = (event: PointerEvent) => {
    if (drag !== null && onRange) {
      const to = nearest(event.clientX)
      if (Math.abs(to - drag) >= 1) onRange(Math.min(drag, to), Math.max(drag, to))
    }
    setDrag(null)
  }

  return (
    <>
      {series.length > 1 && !atEnds && <Legend series={series} />}
      <div className="chart" ref={box} style={{ height }}>
        {drawn && (
          <svg
            ref={svg}
            width={width}
            height={height}
            role="img"
            tabIndex={0}
            aria-label={summary(title, plot)}
            className={onRange ? 'chart-svg draggable' : 'chart-svg'}
            onKeyDown={onKeyDown}
            onBlur={() => setAt(null)}
            onPointerMove={(event) => setAt(nearest(event.clientX))}
            onPointerLeave={() => {
              setAt(null)
              setDrag(null)
            }}
            onPointerDown={(event) => {
              if (event.button === 0 && event.pointerType === 'mouse' && onRange) setDrag(nearest(event.clientX))
            }}
            onPointerUp={release}
          >
            <clipPath id={clip}>
              <rect x={drawn.left - 4} y={0} width={drawn.right - drawn.left + 8} height={height} />
            </clipPath>
            <YAxis scale={drawn.y} ticks={drawn.ticks} left={drawn.left} right={drawn.right} />
            <XAxis
              scale={drawn.scale}
              time={plot.kind === 'time'}
              top={drawn.bottom}
              left={drawn.left}
              right={drawn.right}
            />
            {drag !== null && at !== null && (
              <rect
                className="chart-brush"
                x={Math.min(drawn.xs[drag]!, drawn.xs[at]!)}
                width={Math.abs(drawn.xs[at]! - drawn.xs[drag]!)}
                y={top}
                height={drawn.bottom - top}
              />
            )}
            <g clipPath={`url(#${clip})`}>
              {series.length === 1 && (
                <path
                  d={area(drawn.xs, series[0]!.values, drawn.y, drawn.y(0), x, plot.grain)}
                  fill={series[0]!.color}
                  className="chart-area"
                />
              )}
              {series.map((one) => (
                <Line key={one.label} series={one} xs={drawn.xs} y={drawn.y} x={x} grain={plot.grain} />
              ))}
            </g>
            {at !== null && at < x.length && (
              <g aria-hidden>
                <line className="chart-cross" x1={drawn.xs[at]} x2={drawn.xs[at]} y1={top} y2={drawn.bottom} />
                {series.map(
                  (one) =>
                    one.values[at] !== null &&
                    one.values[at] !== undefined && (
                      <circle
                        key={one.label}
                        cx={drawn.xs[at]}
                        cy={drawn.y(one.values[at])}
                        r={4}
                        fill={one.color}
                        className="chart-dot"
                      />
                    ),
                )}
              </g>
            )}
            {atEnds && <EndLabels series={series} x={drawn.right + 8} y={drawn.y} bottom={drawn.bottom} />}
          </svg>
        )}
        {drawn && at !== null && at < x.length && (
          <Tip
            text={plot.xTexts[at]!}
            x={drawn.xs[at]!}
            width={width}
            items={series.map((one) => ({ ...one, value: one.values[at] ?? null, text: one.texts[at]! }))}
          />
        )}
        <div className="unseen" aria-live="polite">
          {at !== null &&
            at < x.length &&
            `${plot.xTexts[at]}: ${series.map((one) => `${series.length > 1 ? `${one.label} ` : ''}${one.texts[at]}`).join(', ')}`}
        </div>
      </div>
    </>
  )
}

type Mapping = (value: number) => number
function segments(xs: number[], values: (number | null)[], x: number[], grain: Plot['grain']): number[][] {
  const found: number[][] = []
  let open: number[] = []
  for (const [index] of xs.entries()) {
    const before = open.at(-1)
    if (values[index] === null || (before !== undefined && isGap(x[before]!, x[index]!, grain))) {
      if (open.length > 0) found.push(open)
      open = []
    }
    if (values[index] !== null) open.push(index)
  }
  return open.length > 0 ? [...found, open] : found
}
const point = (xs: number[], values: (number | null)[], y: Mapping) => (index: number) =>
  `${xs[index]!.toFixed(1)} ${y(values[index]!).toFixed(1)}`

function Line({
  series,
  xs,
  y,
  x,
  grain,
}: {
  series: Series
  xs: number[]
  y: Mapping
  x: number[]
  grain: Plot['grain']
}) {
  const parts = segments(xs, series.values, x, grain)
  const to = point(xs, series.values, y)
  const bridges = parts.slice(1).map((part, index) => `M${to(parts[index]!.at(-1)!)}L${to(part[0]!)}`)
  return (
    <g fill="none" stroke={series.color}>
      <path className="chart-line" d={parts.map((part) => `M${part.map(to).join('L')}`).join('')} />
      {bridges.length > 0 && <path className="chart-bridge" d={bridges.join('')} />}
      {parts
        .filter((part) => part.length === 1)
        .map(([only]) => (
          <circle key={only} cx={xs[only!]} cy={y(series.values[only!]!)} r={2} fill={series.color} stroke="none" />
        ))}
    </g>
  )
}

const area = (
  xs: number[],
  values: (number | null)[],
  y: Mapping,
  zero: number,
  x: number[],
  grain: Plot['grain'],
): string =>
  segments(xs, values, x, grain)
    .filter((part) => part.length > 1)
    .map(
      (part) =>
        `M${xs[part[0]!]!.toFixed(1)} ${zero}L${part.map(point(xs, values, y)).join('L')}L${xs[part.at(-1)!]!.toFixed(1)} ${zero}Z`,
    )
    .join('')

function EndLabels({ series, x, y, bottom }: { series: Series[]; x: number; y: Mapping; bottom: number }) {
  const ends = series.map(({ values }) => y(values.findLast((value) => value !== null) ?? 0))
  const placed = spread(ends, 15, top, bottom)
  return (
    <g aria-hidden>
      {series.map(({ label, color }, index) => (
        <text key={label} x={x} y={placed[index]} dy="0.32em" fill={color} className="chart-end">
          {label.length > 21 ? `${label.slice(0, 20)}…` : label}
        </text>
      ))}
    </g>
  )
}

export function Legend({ series }: { series: Series[] }) {
  return (
    <ul className="legend" aria-hidden>
      {series.map(({ label, color }) => (
        <li key={label}>
          <span className="legend-dot" style={{ background: color }} />
          {label}
        </li>
      ))}
    </ul>
  )
}

type TipItem = { label: string; color: string; value: number | null; text: string }
export function Tip({ text, x, width, items }: { text: string; x: number; width: number; items: TipItem[] }) {
  const sorted = items.filter(({ value }) => value !== null).sort((a, b) => b.value! - a.value!)
  const onRight = x < width - 200
  return (
    <div className="tip" aria-hidden style={onRight ? { left: x + 12 } : { right: width - x + 12 }}>
      <div className="tip-head">{text}</div>
      {sorted.slice(0, 12).map(({ label, color, text }) => (
        <div key={label} className="tip-row">
          <span className="legend-dot" style={{ background: color }} />
          <span className="cut">{label}</span>
          <strong>{text}</strong>
        </div>
      ))}
      {sorted.length > 12 && <div className="caption">and {sorted.length - 12} more</div>}
      {sorted.length === 0 && <div className="caption">no value</div>}
    </div>
  )
}

/** What the picture says, in a sentence, for those who do not see it. */
function summary(title: string, { x, xTexts, series }: Plot): string {
  const parts = series.slice(0, 4).map(({ label, values, texts }) => {
    let [low, high] = [-1, -1]
    for (const [index, value] of values.entries()) {
      if (value === null) continue
      if (low < 0 || value < values[low]!) low = index
      if (high < 0 || value > values[high]!) high = index
    }
    return high < 0
      ? `${label} has no values`
      : `${label}: highest ${texts[high]} on ${xTexts[high]}, lowest ${texts[low]} on ${xTexts[low]}`
  })
  return `${title}, line chart of ${x.length} points from ${xTexts[0]} to ${xTexts.at(-1)}. ${parts.join('. ')}. Arrow keys read the values.`
}
