// Structured conditions → SQL predicates. Three-valued logic is kept out of people's way: "not North" includes rows
// without a region.

import { Failure } from '../base/failure.ts'
import type { Condition } from '../project/index.ts'
import { addDays } from './days.ts'
import { dateLiteral, literal, text } from './literals.ts'
import type { Dimension } from './model.ts'

/** SQL that may stand beside an operator: names as they are, everything longer in brackets. */
export const operand = (sql: string): string => (/^("[^"]*"|\w+)$/.test(sql) ? sql : `(${sql})`)

/** One condition as a predicate that is true or false, or null only where both sides are. @throws REQUEST_INVALID */
export function predicate(
  { op, values }: Pick<Condition, 'op' | 'values'>,
  dimension: Dimension,
  sql = dimension.sql,
): string {
  const column = operand(sql)
  const literals = values.filter((value) => value !== null).map((value) => literal(value, dimension))
  const withNull = values.includes(null)
  const one = (): string => literals[0] ?? refuseNull(op, dimension)
  switch (op) {
    case 'in':
      if (literals.length === 0) return withNull ? `${column} IS NULL` : 'FALSE'
      return withNull ? `(${list(column, literals)} OR ${column} IS NULL)` : list(column, literals)
    case 'not_in':
      if (literals.length === 0) return withNull ? `${column} IS NOT NULL` : 'TRUE'
      return withNull ? `NOT ${list(column, literals)}` : `(NOT ${list(column, literals)} OR ${column} IS NULL)`
    case 'equals':
      return withNull ? `${column} IS NULL` : `${column} = ${one()}`
    case 'not':
      return withNull ? `${column} IS NOT NULL` : `${column} IS DISTINCT FROM ${one()}`
    case 'between':
      return `${column} BETWEEN ${one()} AND ${literals[1] ?? refuseNull(op, dimension)}`
    case 'gt':
      return `${column} > ${one()}`
    case 'gte':
      return `${column} >= ${one()}`
    case 'lt':
      return `${column} < ${one()}`
    case 'lte':
      return `${column} <= ${one()}`
    case 'contains':
      return contains(column, dimension, String(values[0] ?? refuseNull(op, dimension)))
    case 'empty':
      return `${column} IS NULL`
    case 'not_empty':
      return `${column} IS NOT NULL`
  }
}

const list = (column: string, literals: string[]): string =>
  literals.length === 1 ? `${column} = ${literals[0]}` : `${column} IN (${literals.join(', ')})`

/** Upper and lower case count as the same. */
function contains(column: string, dimension: Dimension, searched: string): string {
  const words = dimension.type === 'string' ? column : `CAST(${column} AS VARCHAR)`
  return `contains(lower(${words}), lower(${literal(searched, { name: dimension.name, type: 'string' })}))`
}

const refuseNull = (op: string, { name }: Dimension): never => {
  throw new Failure(
    'REQUEST_INVALID',
    `"${op}" on "${name}" needs a value; use "empty" or "not_empty" to ask for missing values`,
  )
}

/** Days from `from` to `to`, both included, of a date or a timestamp; an open end is no condition. */
export function withinDays(sql: string, { from, to }: { from: string | null; to: string | null }): string[] {
  return [
    ...(from === null ? [] : [`${operand(sql)} >= ${dateLiteral(from)}`]),
    ...(to === null ? [] : [`${operand(sql)} < ${dateLiteral(addDays(to, 1))}`]),
  ]
}

/** A predicate that looks for text in any value; for search boxes. */
export const searching = (sql: string, searched: string): string =>
  `contains(lower(CAST(${operand(sql)} AS VARCHAR)), lower(${text(searched.replaceAll('\0', ''))}))`
