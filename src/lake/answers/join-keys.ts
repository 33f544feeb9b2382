// Which files a join can do without: `fact JOIN dim ON fact.k = dim.k WHERE dim.name = 'x'` needs only the files of `fact`
// whose bounds of `k` meet the keys of the few rows of `dim`. The optimiser's plan says which columns are compared; the keys
// are read first, when the one side is small, a condition makes it smaller, and the other has many files.
//
// Only inner and semi joins, and only where nothing but joins, filters and plain projections lies between the join and the
// scans: then a row without a partner is in no result, whatever else the statement does.

import type { Field, Predicate, Schema } from '../../iceberg/index.ts'
import { quoteName } from '../sql/tokens.ts'
import { parseBound, printedBound } from '../write/write.ts'

type Json = { [key: string]: unknown }
type Output = { shadow: string; field: Field } | undefined
/** Rows of either side without a partner in the other do not matter. */
export type JoinKey = { one: NonNullable<Output>; other: NonNullable<Output> }

/** @param schemas by the name of the shadow table */
export function joinKeys(plan: unknown, schemas: ReadonlyMap<string, Schema>): JoinKey[] {
  const found: JoinKey[] = []
  const uses = new Map<string, number>()
  const projected = (outputs: Output[], map: unknown): Output[] =>
    Array.isArray(map) && map.length > 0 ? map.map((index) => outputs[Number(index)]) : outputs

  const outputsOf = (node: Json): Output[] => {
    const children = ((node.children ?? []) as Json[]).map(outputsOf)
    // Subplans hang on other keys; what they give is not followed, their joins are.
    for (const [key, value] of Object.entries(node)) if (key !== 'children') visitOther(value)
    switch (node.type) {
      case 'LOGICAL_GET': {
        const shadow = String((node.function_data as Json | undefined)?.table ?? '')
        const schema = schemas.get(shadow)
        if (!schema) return []
        uses.set(shadow, (uses.get(shadow) ?? 0) + 1)
        const names = node.names as string[]
        const columns = ((node.column_indexes ?? []) as Json[]).map(({ index }): Output => {
          const field = schema.fields[Number(index)]
          return field && field.name === names[Number(index)] ? { shadow, field } : undefined
        })
        return projected(columns, node.projection_ids)
      }
      case 'LOGICAL_FILTER':
        return projected(children[0] ?? [], node.projection_map)
      case 'LOGICAL_PROJECTION':
        return ((node.expressions ?? []) as Json[]).map((expression) => referred(expression, children[0] ?? []))
      case 'LOGICAL_COMPARISON_JOIN': {
        const [left, right] = [children[0] ?? [], children[1] ?? []]
        if (node.join_type === 'INNER' || node.join_type === 'SEMI')
          for (const condition of (node.conditions ?? []) as Json[]) {
            if (condition.comparison !== 'COMPARE_EQUAL') continue
            const one = referred(condition.left as Json, left)
            const other = referred(condition.right as Json, right)
            if (one && other && one.field.type.kind === other.field.type.kind) found.push({ one, other })
          }
        if (node.join_type === 'INNER')
          return [...projected(left, node.left_projection_map), ...projected(right, node.right_projection_map)]
        return node.join_type === 'SEMI' ? projected(left, node.left_projection_map) : []
      }
      default:
        return []
    }
  }
  const visitOther = (value: unknown): void => {
    if (value === null || typeof value !== 'object') return
    if (Array.isArray(value)) return value.forEach(visitOther)
    const node = value as Json
    if (typeof node.type === 'string' && node.type.startsWith('LOGICAL_')) outputsOf(node)
    else Object.values(node).forEach(visitOther)
  }
  visitOther(plan)
  // A table that is scanned twice under one name is needed by both.
  return found.filter(({ one, other }) => uses.get(one.shadow) === 1 && uses.get(other.shadow) === 1)
}

const referred = (expression: Json, outputs: readonly Output[]): Output =>
  expression.type === 'BOUND_REF' ? outputs[Number(expression.index)] : undefined

/** Reading keys first is worth it from so many files on, … */
export const filesWorth = 16
/** … from a side that is so much smaller, … */
export const smallerBy = 8
/** … and not more than this. */
export const smallBytes = 64 * 2 ** 20

const keysListed = 200

/** The smallest and largest key of `rows`, and all of them where they are few. */
export function keysSql({ name, type }: Field, rows: string): string {
  const key = quoteName(name)
  const [before, behind] = printedBound(type)
  const shown = (value: string) => `${before}${value}${behind}`
  return `SELECT ${shown(`min(${key})`)}, ${shown(`max(${key})`)}, CASE WHEN count(DISTINCT ${key}) <= ${keysListed} THEN to_json(list(DISTINCT ${shown(key)}))::VARCHAR END FROM ${rows} AS small WHERE ${key} IS NOT NULL`
}

/** What a key of the other side must fulfil, given the answer of `keysSql`; undefined where that cannot be said. */
export function keyPredicate(field: Field, [min, max, all]: readonly unknown[]): Predicate | undefined {
  if (min === null) return { op: 'false' }
  const value = (text: unknown) => parseBound(String(text), field.type)
  const [low, high] = [value(min), value(max)]
  if (low === undefined || high === undefined) return undefined
  const range: Predicate = {
    op: 'and',
    of: [
      { op: '>=', field: field.id, value: low },
      { op: '<=', field: field.id, value: high },
    ],
  }
  if (typeof all !== 'string') return range
  const values = (JSON.parse(all) as string[]).map(value)
  return values.every((one) => one !== undefined) ? { op: 'in', field: field.id, values } : range
}
