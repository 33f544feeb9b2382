// Light horizontal lines and few labels: what a reader needs to judge a height, and no more.

import type { ScaleLinear, ScaleTime } from 'd3-scale'
import type { Format } from '../../../src/contract/index.ts'
import { axisNumber } from '../value/format.ts'

export const axisHeight = 24
const textWidth = (text: string): number => text.length * 6.4

export function yTicks(scale: ScaleLinear<number, number>, format: Format, height: number) {
  return scale
    .ticks(Math.max(2, Math.min(5, Math.floor(height / 48))))
    .map((value) => ({ value, text: axisNumber(value, format) }))
}
export const marginFor = (ticks: { text: string }[]): number =>
  Math.ceil(Math.max(16, ...ticks.map(({ text }) => textWidth(text)))) + 10

type YAxisProps = {
  scale: ScaleLinear<number, number>
  ticks: { value: number; text: string }[]
  left: number
  right: number
}
export function YAxis({ scale, ticks, left, right }: YAxisProps) {
  return (
    <g className="axis" aria-hidden>
      {ticks.map(({ value, text }) => (
        <g key={value} transform={`translate(0 ${Math.round(scale(value)) + 0.5})`}>
          <line x1={left} x2={right} className={value === 0 ? 'axis-zero' : 'axis-grid'} />
          <text x={left - 10} dy="0.32em" textAnchor="end">
            {text}
          </text>
        </g>
      ))}
    </g>
  )
}

const monthName = (date: Date): string => date.toLocaleString('en-GB', { month: 'short', timeZone: 'UTC' })
/** A tick of time says only what changes: the year where it begins, the month on its first day, both at the start. */
export function timeTickText(date: Date, first: boolean): string {
  const [year, month, day, hour] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate(), date.getUTCHours()]
  if (hour !== 0) return `${String(hour).padStart(2, '0')}:${String(date.getUTCMinutes()).padStart(2, '0')}`
  const text = day === 1 ? (month === 0 && !first ? String(year) : monthName(date)) : `${day} ${monthName(date)}`
  return first ? `${text} ${year}` : text
}

type XAxisProps = {
  scale: ScaleTime<number, number> | ScaleLinear<number, number>
  time: boolean
  top: number
  left: number
  right: number
}
export function XAxis({ scale, time, top, left, right }: XAxisProps) {
  const count = Math.max(2, Math.min(8, Math.floor((right - left) / 72)))
  const ticks = (scale.ticks(count) as (Date | number)[]).map((value, index) => ({
    at: scale(value),
    text: time ? timeTickText(value as Date, index === 0) : axisNumber(value as number, { kind: 'number' }),
  }))
  return (
    <g className="axis" aria-hidden transform={`translate(0 ${top})`}>
      {ticks.map(({ at, text }, index) => (
        <text key={index} x={at} y={16} textAnchor={at - left < 24 ? 'start' : right - at < 16 ? 'end' : 'middle'}>
          {text}
        </text>
      ))}
    </g>
  )
}
