// What a reader chose in the filters → conditions of questions and of SQL.

import { Failure } from '../base/failure.ts'
import { didYouMean, suggest } from '../base/suggest.ts'
import type { DateRange, Filter, FilterValues } from '../contract/index.ts'
import {
  addDays,
  isDay,
  literal,
  predicate,
  withinDays,
  type Dimension,
  type QuestionInput,
} from '../semantic/index.ts'

/** A filter with the dimension it is about. */
export type OpenFilter = { filter: Filter; dimension: Dimension; model: string }
/** By filter id: never empty, because a filter without a choice is not there. */
export type Chosen = ReadonlyMap<string, string[] | DateRange>

/**
 * The choices that matter, defaults filled in. @throws REQUEST_INVALID for filters that the dashboard does not have and
 * values that they cannot take
 */
export function choose(filters: readonly OpenFilter[], values: FilterValues): Chosen {
  const ids = filters.map(({ filter }) => filter.id)
  for (const id of Object.keys(values))
    if (!ids.includes(id))
      throw new Failure('REQUEST_INVALID', `this dashboard has no filter "${id}"${didYouMean(id, ids)}`, {
        suggestions: suggest(id, ids),
      })
  const chosen = new Map<string, string[] | DateRange>()
  for (const open of filters) {
    const value = chosenValue(open, values[open.filter.id] ?? open.filter.default)
    if (value) chosen.set(open.filter.id, value)
  }
  return chosen
}

function chosenValue({ filter, dimension }: OpenFilter, value: string[] | DateRange): string[] | DateRange | null {
  const refuse = (what: string): never => {
    throw new Failure('REQUEST_INVALID', `the filter "${filter.id}" ${what}`, { name: filter.id })
  }
  if (filter.kind === 'select') {
    if (!Array.isArray(value)) return refuse('takes a list of values')
    if (!filter.multiple && value.length > 1) return refuse('takes one value')
    for (const one of value) literal(one, dimension)
    return value.length > 0 ? value : null
  }
  if (Array.isArray(value)) return refuse('takes a range of days, {from, to}')
  const { from, to } = value
  for (const day of [from, to])
    if (day !== null && !isDay(day)) return refuse(`has ${JSON.stringify(day)}, which is not a day as in 2024-01-31`)
  if (from !== null && to !== null && from > to) return refuse(`begins on ${from}, after its end on ${to}`)
  return from === null && to === null ? null : { from, to }
}

/** The question under the choices. Of a model's own time the range is the question's time; other ranges are conditions. */
export function under<Asked extends Pick<QuestionInput, 'where' | 'time'>>(
  question: Asked,
  filters: readonly OpenFilter[],
  chosen: Chosen,
  time: string | null,
): Asked {
  const where = [...(question.where ?? [])]
  let range = question.time
  for (const { filter } of filters) {
    const value = chosen.get(filter.id)
    if (!value) continue
    const { dimension } = filter
    if (Array.isArray(value)) where.push({ dimension, op: 'in', values: value })
    else if (dimension === time && !range) range = value
    else {
      if (value.from !== null) where.push({ dimension, op: 'gte', values: value.from })
      if (value.to !== null) where.push({ dimension, op: 'lt', values: addDays(value.to, 1) })
    }
  }
  return { ...question, where, ...(range && { time: range }) }
}

/** The choice of one filter as SQL for a place where a condition may stand; TRUE when nothing was chosen. */
export function conditionSql({ filter, dimension }: OpenFilter, chosen: Chosen, column: string | null): string {
  const value = chosen.get(filter.id)
  const sql = column ?? dimension.sql
  if (!value) return 'TRUE'
  return `(${Array.isArray(value) ? predicate({ op: 'in', values: value }, dimension, sql) : withinDays(sql, value).join(' AND ')})`
}
