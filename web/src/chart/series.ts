// Rows of a panel into what a chart draws. Pure: numbers for the positions of marks, exact texts for reading.

import type { BarPanel, Column, Format, Grain, LinePanel, Measure, Row } from '../../../src/contract/index.ts'
import { formatTime, formatValue, parseDataTime, toNumber } from '../value/format.ts'

export type Series = { label: string; color: string; format: Format; values: (number | null)[]; texts: string[] }
export type Plot = {
  kind: 'time' | 'number' | 'category'
  grain: Grain | null
  /** Positions on the x axis: ms, numbers, or 0, 1, 2 … for categories. */
  x: number[]
  xTexts: string[]
  /** The values of the x column as they came, to filter by. */
  xValues: unknown[]
  series: Series[]
}

const colorsMax = 8
const given = new Map<string, Map<string, number>>()
/**
 * The colours of names that belong together, for as long as the page is open: a region keeps its colour in every
 * panel and under every filter. Names seen together for the first time are coloured in alphabetical order.
 */
export function colorsOf(family: string, names: readonly string[]): Map<string, string> {
  if (!given.has(family)) given.set(family, new Map())
  const known = given.get(family)!
  for (const name of names.toSorted()) if (!known.has(name)) known.set(name, known.size)
  return new Map(names.map((name) => [name, `var(--series-${(known.get(name)! % colorsMax) + 1})`]))
}

type Shape = { x: string; series: string | null; y: Measure[] }

/** One line or stack per measure, or per value of the `series` column; x in the order of the rows. */
function gather({ x, series, y }: Shape, columns: Column[], rows: Row[]) {
  const at = (name: string) => columns.findIndex((column) => column.name === name)
  const [xAt, seriesAt] = [at(x), series === null ? -1 : at(series)]
  const order = new Map<string, number>()
  const xValues: unknown[] = []
  const cells = new Map<string, Map<number, unknown>>()
  for (const row of rows) {
    const key = JSON.stringify(row[xAt])
    let place = order.get(key)
    if (place === undefined) {
      order.set(key, (place = order.size))
      xValues.push(row[xAt])
    }
    for (const measure of y) {
      const label = seriesAt < 0 ? measure.label : row[seriesAt] === null ? 'none' : String(row[seriesAt])
      if (!cells.has(label)) cells.set(label, new Map())
      cells.get(label)!.set(place, row[at(measure.column)])
    }
  }
  const format = (label: string): Format => (seriesAt < 0 ? y.find((measure) => measure.label === label) : y[0])!.format
  const colors = series === null ? null : colorsOf(series, [...cells.keys()])
  const made = [...cells].map(([label, found], index): Series => {
    const raw = xValues.map((_, place) => found.get(place) ?? null)
    return {
      label,
      color: colors?.get(label) ?? `var(--series-${(index % colorsMax) + 1})`,
      format: format(label),
      values: raw.map((value) => (Number.isNaN(toNumber(value)) ? null : toNumber(value))),
      texts: raw.map((value) => formatValue(value, { ...format(label), compact: false })),
    }
  })
  return { xValues, series: made }
}

export function linePlot({ x, series, y }: LinePanel, columns: Column[], rows: Row[]): Plot {
  const { xValues, series: made } = gather({ x: x.column, series, y }, columns, rows)
  const positions = xValues.map((value) => (x.kind === 'time' ? parseDataTime(String(value)) : toNumber(value)))
  // A line goes left to right, in whatever order the rows came.
  const order = positions
    .map((_, index) => index)
    .filter((index) => !Number.isNaN(positions[index]))
    .sort((a, b) => positions[a]! - positions[b]!)
  const pick = <T>(values: T[]) => order.map((index) => values[index]!)
  return {
    kind: x.kind,
    grain: x.grain,
    x: pick(positions),
    xTexts: pick(xValues).map((value) => (x.kind === 'time' ? grainText(String(value), x.grain) : String(value))),
    xValues: pick(xValues),
    series: made.map((one) => ({ ...one, values: pick(one.values), texts: pick(one.texts) })),
  }
}

export function barPlot({ category, series, y }: BarPanel, columns: Column[], rows: Row[]): Plot {
  const { xValues, series: made } = gather({ x: category.column, series, y }, columns, rows)
  const only = made.length === 1 && series === null
  return {
    kind: 'category',
    grain: null,
    x: xValues.map((_, index) => index),
    xTexts: xValues.map((value) => (value === null ? 'none' : formatValue(value, category.format))),
    xValues,
    series: only ? [{ ...made[0]!, color: 'var(--mark)' }] : made,
  }
}

/** A bucket of time in words: `31 Mar 2024`, `Mar 2024`, `Q1 2024`, `2024`. */
export function grainText(value: string, grain: Grain | null): string {
  const date = new Date(parseDataTime(value))
  if (Number.isNaN(date.getTime())) return value
  const month = date.toLocaleString('en-GB', { month: 'short', timeZone: 'UTC' })
  switch (grain) {
    case 'year':
      return String(date.getUTCFullYear())
    case 'quarter':
      return `Q${Math.floor(date.getUTCMonth() / 3) + 1} ${date.getUTCFullYear()}`
    case 'month':
      return `${month} ${date.getUTCFullYear()}`
    case 'week':
      return `week of ${formatTime(value, 'date')}`
    case 'hour':
      return formatTime(value, 'datetime')
    default:
      return formatTime(value, value.length > 10 && !/[T ]00:00/.test(value) ? 'datetime' : 'date')
  }
}

const grainMs: Record<Grain, number> = {
  hour: 3.6e6,
  day: 8.64e7,
  week: 6.048e8,
  month: 2.68e9,
  quarter: 8e9,
  year: 3.17e10,
}
/** True where a bucket between two points is missing: the line must not pretend to know it. */
export const isGap = (from: number, to: number, grain: Grain | null): boolean =>
  grain !== null && to - from > grainMs[grain] * 1.5

/** Moves labels apart so that none overlaps: same order, at least `gap` between neighbours, within `[min, max]`. */
export function spread(wanted: number[], gap: number, min: number, max: number): number[] {
  const order = wanted.map((_, index) => index).sort((a, b) => wanted[a]! - wanted[b]!)
  const placed = [...wanted]
  let edge = min
  for (const index of order) {
    placed[index] = Math.max(placed[index]!, edge)
    edge = placed[index]! + gap
  }
  edge = max
  for (const index of order.toReversed()) {
    placed[index] = Math.min(placed[index]!, edge)
    edge = placed[index]! - gap
  }
  return placed
}
