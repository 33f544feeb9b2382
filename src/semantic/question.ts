// What may be asked about metrics, as data. Dashboards, the HTTP API, the command line and plain-language questions all
// end in one of these two shapes; nobody sends SQL.

import { z } from 'zod'
import { DateText } from '../contract/index.ts'
import { Condition } from '../project/index.ts'

export const TimeRange = z
  .strictObject({
    dimension: z.string().min(1).optional().describe('A date or timestamp; the time of the model when absent.'),
    from: DateText.nullable().default(null).describe('First day, included; null is open.'),
    to: DateText.nullable().default(null).describe('Last day, included; null is open.'),
  })
  .refine(({ from, to }) => !from || !to || from <= to, { error: '"from" is after "to"', path: ['from'] })

const Order = z.strictObject({ name: z.string().min(1), direction: z.enum(['asc', 'desc']).default('asc') })

const shared = {
  model: z.string().min(1).optional().describe('Needed only when names are ambiguous or there are no metrics.'),
  where: z.array(Condition).default([]).describe('All must hold.'),
  time: TimeRange.optional(),
  orderBy: z.array(Order).default([]),
  limit: z.int().min(1).max(1_000_000).optional().describe('Most rows.'),
}

export const Question = z
  .strictObject({
    metrics: z.array(z.string().min(1)).default([]).describe('Names of metrics, as `revenue` or `sales.revenue`.'),
    by: z
      .array(z.string().min(1))
      .default([])
      .describe('Dimensions to group by; of a time with its grain, as `order_date:month`.'),
    ...shared,
    compare: z
      .enum(['previous_period'])
      .optional()
      .describe(
        'Also the values of as many days just before the range, which must have both ends; else there is nothing to compare.',
      ),
  })
  .refine(({ metrics, by }) => metrics.length + by.length > 0, 'ask for at least one metric or dimension')
export type Question = z.output<typeof Question>
export type QuestionInput = z.input<typeof Question>

/** Single rows instead of groups: what stands behind a number. */
export const RowsQuestion = z.strictObject({
  columns: z.array(z.string().min(1)).min(1).describe('Dimensions, or columns of the model.'),
  ...shared,
})
export type RowsQuestion = z.output<typeof RowsQuestion>
export type RowsQuestionInput = z.input<typeof RowsQuestion>
