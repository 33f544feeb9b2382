// Questions → one SELECT each, and what its columns are.

import type { z } from 'zod'
import { Failure } from '../base/failure.ts'
import type { Format, Grain } from '../contract/index.ts'
import { searching, withinDays } from './conditions.ts'
import { identifier, tableName } from './literals.ts'
import { labelOf, type Models } from './model.ts'
import { conditionsOf, plan, rangeOf, type Plan } from './plan.ts'
import { Question, RowsQuestion, type QuestionInput, type RowsQuestionInput } from './question.ts'
import { dimensionOf, modelOf } from './resolve.ts'

export type OutputColumn = {
  /** As asked: `revenue`, `region`, `order_date:month`; `revenue:previous` for the previous period. */
  name: string
  label: string
  role: 'dimension' | 'metric' | 'previous'
  format: Format
  grain: Grain | null
}

export type Compiled = {
  sql: string
  columns: OutputColumn[]
  model: string
  /** Days, both included, of the two periods compared. */
  comparison: Plan['comparison']
}

/**
 * A question about metrics → SQL for DuckDB. Pure. One row per group, in the order of the groups unless asked otherwise.
 * @throws METRIC_INVALID for names, with candidates; REQUEST_INVALID for a question or values of the wrong form
 */
export function compile(question: QuestionInput, models: Models): Compiled {
  const planned = plan(parse(Question, question), models)
  return {
    sql: print(planned),
    model: planned.model.name,
    comparison: planned.comparison,
    columns: [
      ...planned.groups.map(({ name, dimension, grain }) => {
        const format: Format = grain === null || grain === 'hour' ? dimension.format : { kind: 'date' }
        return { name, label: dimension.label, role: 'dimension' as const, format, grain }
      }),
      ...planned.outputs.map(({ name, metric, previous }) => {
        const label = previous ? `${metric.label}, previous period` : metric.label
        return {
          name,
          label,
          role: previous ? ('previous' as const) : ('metric' as const),
          format: metric.format,
          grain: null,
        }
      }),
    ],
  }
}

/** Single rows of a model → SQL. Names that are no dimensions are taken as columns: binding says whether they exist. */
export function compileRows(question: RowsQuestionInput, models: Models): Compiled {
  const asked = parse(RowsQuestion, question)
  const model = modelOf(
    { model: asked.model, metrics: [], dimensions: asked.where.map(({ dimension }) => dimension) },
    models,
  )
  const range = rangeOf(asked.time, model)
  const columns = asked.columns.map((name) => ({ name, dimension: model.dimensions.get(name) }))
  const sqlOf = (name: string): string => model.dimensions.get(name)?.sql ?? identifier(name)
  const order = asked.orderBy.map(
    ({ name, direction }) => `${sqlOf(name)} ${direction === 'desc' ? 'DESC' : 'ASC'} NULLS LAST`,
  )
  return {
    sql: select({
      columns: columns.map(({ name }) => ({ name, sql: sqlOf(name) })),
      from: tableName(model.table),
      where: [...conditionsOf(asked.where, model), ...(range ? withinDays(range.dimension.sql, range) : [])],
      order,
      limit: asked.limit ?? null,
    }),
    model: model.name,
    comparison: null,
    columns: columns.map(({ name, dimension }) => ({
      name,
      label: dimension?.label ?? labelOf(name),
      role: 'dimension',
      format: dimension?.format ?? { kind: 'text' },
      grain: null,
    })),
  }
}

/** The values of a dimension as text, in the order of their names, with their rows: what a filter offers. */
export function compileValues(
  {
    dimension: name,
    model,
    search,
    limit,
  }: { dimension: string; model?: string | undefined; search?: string | undefined; limit: number },
  models: Models,
): { sql: string } {
  const owner = modelOf({ model, metrics: [], dimensions: [name] }, models)
  const { sql } = dimensionOf(name, owner)
  const value = `CAST(${sql} AS VARCHAR)`
  return {
    sql: select({
      columns: [
        { name: 'value', sql: value },
        { name: 'rows', sql: 'COUNT(*)' },
      ],
      from: tableName(owner.table),
      where: [`${value} IS NOT NULL`, ...(search ? [searching(sql, search)] : [])],
      groups: 1,
      order: ['1'],
      limit,
    }),
  }
}

/** The first and the last day that a date or timestamp has, as the columns `first` and `last`. */
export function compileBounds(
  { dimension: name, model }: { dimension: string; model?: string | undefined },
  models: Models,
): { sql: string } {
  const owner = modelOf({ model, metrics: [], dimensions: [name] }, models)
  const { sql } = dimensionOf(name, owner)
  const day = (aggregate: string): string => `CAST(${aggregate}(${sql}) AS DATE)`
  return {
    sql: select({
      columns: [
        { name: 'first', sql: day('MIN') },
        { name: 'last', sql: day('MAX') },
      ],
      from: tableName(owner.table),
    }),
  }
}

/** One SELECT when the answer is aggregates alone; else the aggregates first, and what is computed from them around. */
function print({ model, groups, measures, outputs, conditions, order, limit }: Plan): string {
  const rows = { from: tableName(model.table), where: conditions, groups: groups.length }
  const last = {
    order: order.map(({ name, descending }) => `${identifier(name)} ${descending ? 'DESC' : 'ASC'} NULLS LAST`),
    limit,
  }
  const plain = outputs.every(({ sql, name }) => sql === identifier(name)) && measures.length === outputs.length
  if (plain)
    return select({
      columns: [...groups, ...outputs.map(({ name }) => measures.find((one) => one.name === name)!)],
      ...rows,
      ...last,
    })
  const inner = lines({ columns: [...groups, ...measures], ...rows })
  const outer = select({
    columns: [...groups.map(({ name }) => ({ name, sql: identifier(name) })), ...outputs],
    from: 'measures',
    ...last,
  })
  return ['WITH measures AS (', ...inner.map((line) => `  ${line}`), ')', outer].join('\n')
}

type Select = {
  columns: { name: string; sql: string }[]
  from: string
  where?: string[]
  groups?: number
  order?: string[]
  limit?: number | null
}

const select = (parts: Select): string => lines(parts).join('\n')

/** Lines to join or to indent; a text of people may hold line breaks and stays whole within its line. */
function lines({ columns, from, where = [], groups = 0, order = [], limit = null }: Select): string[] {
  const items = columns.map(({ name, sql }) => (sql === identifier(name) ? sql : `${sql} AS ${identifier(name)}`))
  const positions = Array.from({ length: groups }, (_, index) => index + 1)
  return [
    'SELECT',
    ...items.map((item, index) => `  ${item}${index < items.length - 1 ? ',' : ''}`),
    `FROM ${from}`,
    ...where.map((condition, index) => `${index === 0 ? 'WHERE' : '  AND'} ${condition}`),
    ...(groups > 0 ? [`GROUP BY ${positions.join(', ')}`] : []),
    ...(order.length > 0 ? [`ORDER BY ${order.join(', ')}`] : []),
    ...(limit === null ? [] : [`LIMIT ${limit}`]),
  ]
}

function parse<Output>(schema: z.ZodType<Output>, input: unknown): Output {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const at = issue && issue.path.length > 0 ? `"${issue.path.join('.')}": ` : ''
  throw new Failure('REQUEST_INVALID', `${at}${issue?.message ?? 'not a question'}`, { issues: parsed.error.issues })
}
