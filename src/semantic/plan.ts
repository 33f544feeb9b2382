// A question → a plan: which rows of which model, grouped how, which aggregates, and what is computed from those.
//
// The plan is data. `sql.ts` prints it; later readers (pre-aggregations, joins over several models) rewrite it first.
// Aggregates are taken exactly once, under the name of their metric; ratios and derived metrics only ever see
// aggregates, so an average is never an average of averages.

import { assert } from '../base/assert.ts'
import { Failure } from '../base/failure.ts'
import { didYouMean, suggest } from '../base/suggest.ts'
import type { Grain } from '../contract/index.ts'
import type { Condition } from '../project/index.ts'
import { operand, predicate, withinDays } from './conditions.ts'
import { addDays, countDays } from './days.ts'
import { dateLiteral, identifier } from './literals.ts'
import { ingredients, type Dimension, type Metric, type Model, type Models } from './model.ts'
import type { Question } from './question.ts'
import { dimensionOf, groupOf, metricOf, modelOf, splitGrain } from './resolve.ts'

export type Range = { dimension: Dimension; from: string | null; to: string | null }
export type Period = { from: string; to: string }

export type Plan = {
  model: Model
  groups: { name: string; sql: string; dimension: Dimension; grain: Grain | null }[]
  /** Aggregates over rows; `previous` ones count the rows of the previous period only. */
  measures: { name: string; sql: string }[]
  /** SQL over the names of the measures. */
  outputs: { name: string; sql: string; metric: Metric; previous: boolean }[]
  conditions: string[]
  /** The two periods that are compared; null when nothing is. */
  comparison: { current: Period; previous: Period } | null
  order: { name: string; descending: boolean }[]
  limit: number | null
}

/** @throws METRIC_INVALID for names that are not there, REQUEST_INVALID for values of the wrong type */
export function plan(question: Question, models: Models): Plan {
  const model = modelOf(
    {
      model: question.model,
      metrics: question.metrics,
      dimensions: [
        ...question.by.map((text) => splitGrain(text).name),
        ...question.where.map(({ dimension }) => dimension),
      ],
    },
    models,
  )
  const range = rangeOf(question.time, model, question.compare !== undefined)
  const comparison = question.compare ? comparisonOf(range) : null
  const metrics = [...new Set(question.metrics)].map((name) => ({ name, metric: metricOf(name, model) }))
  const groups = [...new Set(question.by)].map((name) => {
    const { dimension, grain } = groupOf(name, model)
    const shifted = comparison && dimension === range?.dimension ? ontoCurrent(dimension, comparison) : dimension.sql
    return { name, dimension, grain, sql: truncated(shifted, dimension, grain) }
  })
  const outputs = metrics.flatMap(({ name, metric }) => [
    { name, metric, sql: outputSql(metric, model, ''), previous: false },
    ...(comparison
      ? [{ name: previousName(name), metric, sql: outputSql(metric, model, previousSuffix), previous: true }]
      : []),
  ])
  return {
    model,
    groups,
    measures: measuresOf(
      metrics.map(({ metric }) => metric),
      model,
      comparison && range ? { start: startOf(range.dimension, comparison) } : null,
    ),
    outputs,
    conditions: [
      ...conditionsOf(question.where, model),
      ...(range
        ? withinDays(
            range.dimension.sql,
            comparison ? { from: comparison.previous.from, to: comparison.current.to } : range,
          )
        : []),
    ],
    comparison,
    order: orderOf(question.orderBy, groups, outputs),
    limit: question.limit ?? null,
  }
}

const previousSuffix = ':previous'
/** The column with the values of the previous period. */
export const previousName = (name: string): string => `${name}${previousSuffix}`

export const conditionsOf = (where: readonly Condition[], model: Model): string[] =>
  where.map((condition) => predicate(condition, dimensionOf(condition.dimension, model)))

export function rangeOf(time: Question['time'], model: Model, needed = false): Range | null {
  if (!needed && !time?.from && !time?.to) return null
  const dimension = time?.dimension === undefined ? model.time : groupOf(time.dimension, model).dimension
  if (!dimension)
    throw new Failure(
      'METRIC_INVALID',
      `the model "${model.name}" has no time; write "time:" with a date or timestamp in ${model.source.file}`,
    )
  if (dimension.type !== 'date' && dimension.type !== 'timestamp')
    throw new Failure(
      'METRIC_INVALID',
      `"${dimension.name}" is a ${dimension.type}: a range of days needs a date or timestamp`,
      { name: time?.dimension ?? dimension.name },
    )
  return { dimension, from: time?.from ?? null, to: time?.to ?? null }
}

/** As many days just before; nothing to compare while an end is open. */
function comparisonOf(range: Range | null): Plan['comparison'] {
  if (!range?.from || !range.to) return null
  const days = countDays(range.from, range.to)
  return {
    current: { from: range.from, to: range.to },
    previous: { from: addDays(range.from, -days), to: addDays(range.from, -1) },
  }
}

const startOf = ({ sql }: Dimension, { current }: NonNullable<Plan['comparison']>): { sql: string; day: string } => ({
  sql: operand(sql),
  day: dateLiteral(current.from),
})

/** Times of the previous period are moved onto the current one, so that both stand in the same group. */
function ontoCurrent(dimension: Dimension, comparison: NonNullable<Plan['comparison']>): string {
  const { sql, day } = startOf(dimension, comparison)
  const days = countDays(comparison.current.from, comparison.current.to)
  const moved = dimension.type === 'date' ? `${sql} + ${days}` : `${sql} + INTERVAL ${days} DAY`
  return `CASE WHEN ${sql} < ${day} THEN ${moved} ELSE ${sql} END`
}

/** From a day on the group is a DATE, below a TIMESTAMP. */
function truncated(sql: string, dimension: Dimension, grain: Grain | null): string {
  if (grain === null || (grain === 'day' && dimension.type === 'date')) return sql
  if (grain === 'hour') return `date_trunc('hour', ${sql})`
  return grain === 'day' ? `CAST(${sql} AS DATE)` : `CAST(date_trunc('${grain}', ${sql}) AS DATE)`
}

/** Every aggregate that the metrics need, once; and once more for the previous period. */
function measuresOf(
  metrics: Metric[],
  model: Model,
  periods: { start: { sql: string; day: string } } | null,
): Plan['measures'] {
  const needed = new Map<string, Metric>()
  const add = (metric: Metric): void => {
    if (metric.compute.kind === 'aggregate') needed.set(metric.name, metric)
    for (const { name } of ingredients(metric)) add(metricOf(name, model))
  }
  metrics.forEach(add)
  const all = [...needed.values()]
  if (!periods) return all.map((metric) => ({ name: metric.name, sql: aggregate(metric, null) }))
  const { sql, day } = periods.start
  return [
    ...all.map((metric) => ({ name: metric.name, sql: aggregate(metric, `${sql} >= ${day}`) })),
    ...all.map((metric) => ({ name: previousName(metric.name), sql: aggregate(metric, `${sql} < ${day}`) })),
  ]
}

function aggregate({ compute }: Metric, period: string | null): string {
  assert(compute.kind === 'aggregate', 'only aggregates are measured')
  const { agg, expr, filter, scale } = compute
  const rows = [
    ...(filter === null ? [] : [period === null ? filter : `(${filter})`]),
    ...(period === null ? [] : [period]),
  ]
  const only = rows.length > 0 ? ` FILTER (WHERE ${rows.join(' AND ')})` : ''
  switch (agg) {
    case 'count':
      return `COUNT(${expr ?? '*'})${only}`
    case 'count_distinct':
      return `COUNT(DISTINCT ${expr})${only}`
    case 'average':
      return rounded(`AVG(${expr})${only}`, scale)
    case 'sum':
    case 'min':
    case 'max':
      return `${agg.toUpperCase()}(${expr})${only}`
  }
}

/** DuckDB divides decimals as binary numbers (15 digits are right); the result is a decimal again. */
const rounded = (sql: string, scale: number | 'float'): string =>
  scale === 'float' ? sql : `CAST(${sql} AS DECIMAL(38, ${scale}))`

function outputSql(metric: Metric, model: Model, suffix: string): string {
  const part = (name: string): string => outputSql(metricOf(name, model), model, suffix)
  const { compute } = metric
  switch (compute.kind) {
    case 'aggregate':
      return identifier(metric.name + suffix)
    case 'ratio':
      return rounded(`${operand(part(compute.numerator))} / NULLIF(${part(compute.denominator)}, 0)`, compute.scale)
    case 'derived':
      return compute.parts.map((one) => (typeof one === 'string' ? one : operand(part(one.metric)))).join('')
  }
}

/** Ties are broken by the groups, so that the same question always has the same answer. */
function orderOf(orderBy: Question['orderBy'], groups: Plan['groups'], outputs: Plan['outputs']): Plan['order'] {
  const known = [...groups, ...outputs].map(({ name }) => name)
  for (const { name } of orderBy)
    if (!known.includes(name))
      throw new Failure(
        'METRIC_INVALID',
        `cannot sort by "${name}", which is not in the answer${didYouMean(name, known)}`,
        { name, suggestions: suggest(name, known) },
      )
  const asked = orderBy.map(({ name, direction }) => ({ name, descending: direction === 'desc' }))
  const rest = groups.filter(({ name }) => !orderBy.some((order) => order.name === name))
  return [...asked, ...rest.map(({ name }) => ({ name, descending: false }))]
}
