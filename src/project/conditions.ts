// A condition on a dimension, as data. Questions, dashboards and drill-downs share it, so that nobody writes SQL to filter.

import { z } from 'zod'

export const operators = [
  'in',
  'not_in',
  'equals',
  'not',
  'between',
  'gt',
  'gte',
  'lt',
  'lte',
  'contains',
  'empty',
  'not_empty',
] as const
export type Operator = (typeof operators)[number]

export const Scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])
export type Scalar = z.infer<typeof Scalar>

/** How many values an operator takes. */
export const valuesOf: Record<Operator, readonly [min: number, max: number]> = {
  in: [0, 10_000],
  not_in: [0, 10_000],
  between: [2, 2],
  empty: [0, 0],
  not_empty: [0, 0],
  equals: [1, 1],
  not: [1, 1],
  gt: [1, 1],
  gte: [1, 1],
  lt: [1, 1],
  lte: [1, 1],
  contains: [1, 1],
}

export const Condition = z
  .strictObject({
    dimension: z.string().min(1),
    op: z.enum(operators).default('in'),
    values: z
      .union([Scalar, z.array(Scalar)])
      .default([])
      .transform((values) => [values].flat())
      .describe('One value or a list; `between` takes two, both included; null is "no value".'),
  })
  .superRefine(({ op, values }, context) => {
    const [min, max] = valuesOf[op]
    if (values.length >= min && values.length <= max) return
    const wanted =
      min === max ? (min === 0 ? 'no values' : min === 1 ? 'one value' : `${min} values`) : `at most ${max} values`
    context.addIssue({ code: 'custom', path: ['values'], message: `"${op}" takes ${wanted}, not ${values.length}` })
  })
export type Condition = z.output<typeof Condition>
