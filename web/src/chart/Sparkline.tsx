import { toNumber } from '../value/format.ts'

/** A line without axes, for the shape alone; the numbers stand beside it, so it is hidden from those who listen. */
export function Sparkline({
  points,
  width = 104,
  height = 30,
}: {
  points: readonly (readonly [string, unknown])[]
  width?: number
  height?: number
}) {
  const values = points.map(([, value]) => toNumber(value)).filter((value) => !Number.isNaN(value))
  if (values.length < 2) return null
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const at = (value: number, index: number): [number, number] => [
    2 + (index * (width - 6)) / (values.length - 1),
    high === low ? height / 2 : height - 4 - ((value - low) * (height - 8)) / (high - low),
  ]
  const line = values
    .map((value, index) =>
      at(value, index)
        .map((one) => one.toFixed(1))
        .join(' '),
    )
    .join('L')
  const [x, y] = at(values.at(-1)!, values.length - 1)
  return (
    <svg
      className="sparkline"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      aria-hidden
    >
      <path d={`M${line}L${x.toFixed(1)} ${height}L2 ${height}Z`} className="sparkline-area" />
      <path d={`M${line}`} className="sparkline-line" />
      <circle cx={x} cy={y} r={2.5} className="sparkline-dot" />
    </svg>
  )
}
