// Bars. Lying ones are a real table (name, bar, value), so they are read by anybody and copied as rows; standing
// ones share the axes of the lines. Both start at zero, always. A bar may be a button that filters the dashboard.

import { useMemo, useState } from 'react'
import { scaleBand, scaleLinear } from 'd3-scale'
import { axisHeight, marginFor, YAxis, yTicks } from './axis.tsx'
import { Legend, Tip } from './LineChart.tsx'
import type { Plot } from './series.ts'
import { axisNumber } from '../value/format.ts'
import { useWidth } from './use-width.ts'
import './chart.css'

type Props = {
  title: string
  plot: Plot
  height: number
  chosen?: string[]
  /** Makes bars buttons: called with the value of the category. */
  onChoose?: ((value: unknown) => void) | undefined
}

const total = (plot: Plot, index: number): number =>
  plot.series.reduce((sum, { values }) => sum + Math.max(0, values[index] ?? 0), 0)

export function LyingBars({ title, plot, height, chosen = [], onChoose }: Props) {
  const { series, xTexts, xValues } = plot
  const most = Math.max(0, ...xTexts.map((_, index) => total(plot, index))) || 1
  const stacked = series.length > 1
  const rowHeight = Math.max(26, Math.min(44, Math.floor((height - (stacked ? 24 : 0)) / Math.max(1, xTexts.length))))
  const sum = series[0]?.values.reduce<number>((all, value) => all + (value ?? 0), 0) ?? 0
  return (
    <div className="bars" style={{ maxHeight: Math.max(height, 160) }}>
      {stacked && <Legend series={series} />}
      <table className="bars-table" aria-label={title}>
        <thead className="unseen">
          <tr>
            <th scope="col">Name</th>
            {series.map(({ label }) => (
              <th key={label} scope="col">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {xTexts.map((name, index) => {
            const isChosen = chosen.includes(String(xValues[index]))
            return (
              <tr key={index} data-faded={chosen.length > 0 && !isChosen} style={{ height: rowHeight }}>
                <th scope="row" title={name}>
                  {onChoose ? (
                    <button
                      type="button"
                      className="bars-name"
                      aria-pressed={isChosen}
                      onClick={() => onChoose(xValues[index])}
                    >
                      {name}
                    </button>
                  ) : (
                    name
                  )}
                </th>
                <td className="bars-track" aria-hidden={!stacked}>
                  <div className="bars-bar">
                    {series.map(({ label, values, texts, color }) => (
                      <span
                        key={label}
                        title={stacked ? `${label}: ${texts[index]}` : undefined}
                        style={{ width: `${(100 * Math.max(0, values[index] ?? 0)) / most}%`, background: color }}
                      />
                    ))}
                  </div>
                </td>
                {stacked ? (
                  <td className="bars-value">{stackText(plot, index)}</td>
                ) : (
                  <td
                    className="bars-value"
                    title={
                      sum > 0
                        ? `${((100 * (series[0]!.values[index] ?? 0)) / sum).toFixed(1)} % of the bars shown`
                        : undefined
                    }
                  >
                    {series[0]!.texts[index]}
                  </td>
                )}
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}
/** A sum made here is not exact, so it is written short; each part shows its exact value on hover. */
const stackText = (plot: Plot, index: number): string => axisNumber(total(plot, index), plot.series[0]!.format)

export function StandingBars({ title, plot, height, chosen = [], onChoose }: Props) {
  const [box, width] = useWidth<HTMLDivElement>()
  const [at, setAt] = useState<number | null>(null)
  const { series, xTexts, xValues, x } = plot
  const drawn = useMemo(() => {
    if (width === 0 || x.length === 0) return null
    const bottom = height - axisHeight
    const lowest = Math.min(0, ...series.flatMap(({ values }) => values.map((value) => value ?? 0)))
    const highest = Math.max(0, ...x.map((_, index) => total(plot, index))) || 1
    const y = scaleLinear().domain([lowest, highest]).nice(4).range([bottom, 10])
    const ticks = yTicks(y, series[0]!.format, bottom - 10)
    const left = marginFor(ticks)
    const band = scaleBand<number>()
      .domain(x)
      .range([left, width - 8])
      .paddingInner(0.36)
      .paddingOuter(0.14)
    return { bottom, y, ticks, left, band }
  }, [width, height, x, series, plot])
  // Names that do not fit are cut; where even that says nothing, only some are shown.
  const letters = drawn ? Math.floor((drawn.band.step() - 8) / 6.2) : 0
  const every = letters >= 5 || !drawn ? 1 : Math.ceil(52 / drawn.band.step())
  const cut = (text: string) =>
    every > 1 || text.length <= letters ? text : `${text.slice(0, Math.max(3, letters - 1))}…`
  return (
    <>
      {series.length > 1 && <Legend series={series} />}
      <div className="chart" ref={box} style={{ height }}>
        {drawn && (
          <svg
            width={width}
            height={height}
            role="img"
            tabIndex={0}
            className="chart-svg"
            aria-label={`${title}, bar chart of ${x.length} bars. Arrow keys read the values.`}
            onPointerLeave={() => setAt(null)}
            onBlur={() => setAt(null)}
            onKeyDown={(event) => {
              const last = x.length - 1
              const to = {
                ArrowLeft: Math.max(0, (at ?? last + 1) - 1),
                ArrowRight: Math.min(last, (at ?? -1) + 1),
                Home: 0,
                End: last,
              }[event.key]
              if (to !== undefined) setAt(to)
              else if (event.key === 'Enter' && at !== null) onChoose?.(xValues[at])
              else return
              event.preventDefault()
            }}
          >
            <YAxis scale={drawn.y} ticks={drawn.ticks} left={drawn.left} right={width - 8} />
            {x.map((_, index) => {
              let floor = 0
              const from = drawn.band(index)!
              const faded = chosen.length > 0 && !chosen.includes(String(xValues[index]))
              return (
                <g
                  key={index}
                  className={`chart-bar ${onChoose ? 'choosable' : ''}`}
                  data-faded={faded || (at !== null && at !== index)}
                  onPointerEnter={() => setAt(index)}
                  onClick={() => onChoose?.(xValues[index])}
                >
                  <rect x={from} width={drawn.band.bandwidth()} y={0} height={drawn.bottom} fill="transparent" />
                  {series.map(({ label, values, color }) => {
                    const value = values[index] ?? 0
                    const [low, high] = value < 0 ? [value, 0] : [floor, (floor += value)]
                    const size = Math.max(0, drawn.y(low) - drawn.y(high))
                    return (
                      <rect
                        key={label}
                        x={from}
                        width={drawn.band.bandwidth()}
                        y={drawn.y(high)}
                        height={size}
                        rx={Math.min(2, size / 2)}
                        fill={color}
                      />
                    )
                  })}
                  {index % every === 0 && (
                    <text
                      className="axis-text"
                      x={from + drawn.band.bandwidth() / 2}
                      y={drawn.bottom + 16}
                      textAnchor="middle"
                    >
                      {cut(xTexts[index]!)}
                    </text>
                  )}
                </g>
              )
            })}
          </svg>
        )}
        {drawn && at !== null && at < x.length && (
          <Tip
            text={xTexts[at]!}
            x={drawn.band(at)! + drawn.band.bandwidth()}
            width={width}
            items={series.map((one) => ({ ...one, value: one.values[at] ?? null, text: one.texts[at]! }))}
          />
        )}
        <div className="unseen" aria-live="polite">
          {at !== null &&
            at < x.length &&
            `${xTexts[at]}: ${series.map((one) => `${one.label} ${one.texts[at]}`).join(', ')}`}
        </div>
      </div>
    </>
  )
}
