// metrics/*.yml: what the numbers mean. One file describes one table of the lake: its time, the dimensions one may
// group and filter by, and the metrics. What refers to what is checked by the room `semantic`; here is the grammar.

import { z } from 'zod'
import { Failure } from '../base/failure.ts'
import { Format } from '../contract/index.ts'
import { scanExpression } from './expression.ts'
import { Name, TableRef } from './names.ts'
import { readFolder, stemOf, uniqueNames, type Read } from './read.ts'

/** SQL of one value over the columns of the model. What would break out of it is refused here, with its place. */
const Expression = z
  .string()
  .min(1)
  .superRefine((text, context) => {
    const { mistake } = scanExpression(text)
    if (mistake)
      context.addIssue({ code: 'custom', message: `the expression ${mistake.what}`, params: { inner: mistake.place } })
  })

export const FormatText = z
  .union([z.enum(['number', 'integer', 'currency', 'percent', 'date', 'datetime', 'text']), Format])
  .describe(
    '`number`, `integer`, `currency`, `percent`, `date`, `datetime`, `text`, or these with details, as in `{kind: currency, currency: EUR, decimals: 0}`.',
  )
export type FormatText = z.output<typeof FormatText>

export const dimensionTypes = ['string', 'number', 'boolean', 'date', 'timestamp'] as const

const words = {
  label: z.string().min(1).optional().describe('What people read; made from the name when absent.'),
  description: z.string().optional(),
}

export const Dimension = z.strictObject({
  name: Name.describe('How questions and dashboards call it.'),
  ...words,
  expr: Expression.optional().describe('SQL over the columns of the model; the column of this name when absent.'),
  type: z.enum(dimensionTypes).default('string').describe('What its values are; decides how filter values are read.'),
})

export const aggregations = ['sum', 'count', 'count_distinct', 'average', 'min', 'max'] as const

export const Metric = z
  .strictObject({
    name: Name.describe('How questions and dashboards call it.'),
    ...words,
    agg: z.enum(aggregations).optional().describe('How the rows of a group become one value.'),
    expr: Expression.optional().describe('SQL over the columns of the model; `count` without it counts rows.'),
    filter: Expression.optional().describe("A SQL condition on rows, for example `status = 'paid'`; only these count."),
    ratio: z
      .strictObject({ numerator: z.string().min(1), denominator: z.string().min(1) })
      .optional()
      .describe('One metric divided by another, each aggregated first; nothing divided by zero.'),
    derived: Expression.optional().describe('SQL over other metrics in braces, for example `{revenue} - {cost}`.'),
    scale: z
      .union([z.int().min(0).max(12), z.literal('float')])
      .default(6)
      .describe(
        'Of a ratio or an average: digits kept after the point, rounded half away from zero. `float`: a binary number, not rounded.',
      ),
    format: FormatText.default('number'),
    better: z.enum(['up', 'down', 'neither']).default('up').describe('Which direction of change is good news.'),
  })
  .superRefine((metric, context) => {
    const ways = (['agg', 'ratio', 'derived'] as const).filter((way) => metric[way] !== undefined)
    const refuse = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message })
    if (ways.length === 0) refuse([], `the metric "${metric.name}" needs one of agg, ratio or derived`)
    if (ways.length > 1)
      refuse([ways[1]!], `the metric "${metric.name}" has both ${ways.join(' and ')}; one of them is enough`)
    if (metric.agg && metric.agg !== 'count' && !metric.expr)
      refuse(['agg'], `the metric "${metric.name}" needs expr: what to ${verb[metric.agg]}`)
    for (const key of ['expr', 'filter'] as const)
      if (!metric.agg && ways.length > 0 && metric[key] !== undefined)
        refuse([key], `"${key}" belongs to a metric with agg; give it to the metrics that "${metric.name}" is made of`)
  })

const verb = {
  sum: 'add up',
  count: 'count',
  count_distinct: 'count',
  average: 'average',
  min: 'compare',
  max: 'compare',
} as const

export const MetricsFile = z.strictObject({
  name: Name.optional().describe('How questions call this model; the name of the file when absent.'),
  description: z.string().optional(),
  model: TableRef.describe('The table that all of this is about, for example `staging.stg_sales`.'),
  time: Name.optional().describe('The dimension that date ranges and comparisons use: a date or timestamp.'),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'A currency is written as in EUR or USD')
    .optional()
    .describe('Of metrics with the format `currency`.'),
  dimensions: z.array(Dimension).default([]),
  metrics: z.array(Metric).default([]),
})
export type Dimension = z.output<typeof Dimension>
export type Metric = z.output<typeof Metric>
export type MetricsFile = z.output<typeof MetricsFile> & { name: string }

/** All metric files of a project; model names are unique. */
export async function readMetrics(dir: string): Promise<Read<MetricsFile>> {
  const { items, failures } = await readFolder(dir, 'metrics', MetricsFile, 'METRIC_INVALID')
  const named = items.map((item) => ({ ...item, value: { ...item.value, name: item.value.name ?? stemOf(item.file) } }))
  const [usable, nameless] = [named.filter(isNamed), named.filter((item) => !isNamed(item))]
  const refused = nameless.map(({ value, at }) => {
    const message = `"${value.name}" cannot be the name of a model: write one with letters, digits and underscores as "name:"`
    return new Failure('METRIC_INVALID', message, { place: at([]) })
  })
  return uniqueNames({ items: usable, failures: [...failures, ...refused] }, 'model', 'METRIC_INVALID')
}

const isNamed = ({ value }: { value: { name: string } }): boolean => Name.safeParse(value.name).success
