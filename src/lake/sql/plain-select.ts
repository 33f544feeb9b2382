// `SELECT … FROM t WHERE a = 5 AND b BETWEEN 'x' AND 'y'`: the commonest question by far. What it asks of the rows of its one
// table can be read off its tree; the optimiser would say the same.

import type { Node } from './tree.ts'

/** A condition: of the column that these names are, with literals. `any` is one that says nothing of which files matter. */
export type PlainCondition = {
  names: string[]
  op: '=' | '<' | '<=' | '>' | '>=' | 'in' | 'is_null' | 'not_null' | 'any'
  literals: PlainLiteral[]
}
/** Its byte offset in the text, which may have another one there than the tree was made of; and what it was cast to. */
export type PlainLiteral = { offset: number; as: 'DATE' | 'TIMESTAMP' | undefined }

/** All conditions of one SELECT from one table, each of which has to be true; undefined for any other statement. */
export function plainConditions(tree: Node): PlainCondition[] | undefined {
  const [statement, ...others] = tree.statements as Node[]
  const select = statement?.node as Node | undefined
  const from = select?.from_table as Node | undefined
  if (others.length > 0 || select?.type !== 'SELECT_NODE' || from?.type !== 'BASE_TABLE') return undefined
  // Conditions on groups and windows reach the rows, too.
  if (beyond.some((key) => key in select) || 'sample' in from) return undefined
  return 'where_clause' in select ? conditionsOf(select.where_clause as Node) : []
}
const beyond = ['having', 'qualify', 'sample', 'cte_map']

function conditionsOf(node: Node): PlainCondition[] | undefined {
  if (node.type !== 'CONJUNCTION_AND') return conditionOf(node)
  const all = (node.children as Node[]).map(conditionsOf)
  return all.every((one) => one !== undefined) ? all.flat() : undefined
}

function conditionOf(node: Node): PlainCondition[] | undefined {
  if (node.type === 'COMPARE_BETWEEN') {
    const parts = [node.input, node.lower, node.upper] as Node[]
    const [low, high] = [condition('>=', parts[0]!, [parts[1]!]), condition('<=', parts[0]!, [parts[2]!])]
    return low && high && [...low, ...high]
  }
  if (node.class === 'COMPARISON') {
    const op = node.type === 'COMPARE_NOTEQUAL' ? 'any' : comparisons[String(node.type)]
    const [left, right] = [node.left as Node, node.right as Node]
    return op && (condition(op, left, [right]) ?? condition(turned[op] ?? op, right, [left]))
  }
  const op = node.class === 'OPERATOR' ? operators[String(node.type)] : undefined
  const [column, ...values] = (node.children ?? []) as Node[]
  return op && column && condition(op, column, values)
}

/** As trees and plans name them. */
export const comparisons: Record<string, '=' | '<' | '<=' | '>' | '>='> = {
  COMPARE_EQUAL: '=',
  COMPARE_LESSTHAN: '<',
  COMPARE_LESSTHANOREQUALTO: '<=',
  COMPARE_GREATERTHAN: '>',
  COMPARE_GREATERTHANOREQUALTO: '>=',
}
const turned: Partial<Record<PlainCondition['op'], PlainCondition['op']>> = {
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
}
const operators: Record<string, PlainCondition['op']> = {
  COMPARE_IN: 'in',
  COMPARE_NOT_IN: 'any',
  OPERATOR_IS_NULL: 'is_null',
  OPERATOR_IS_NOT_NULL: 'not_null',
}

function condition(op: PlainCondition['op'], column: Node, values: readonly Node[]): PlainCondition[] | undefined {
  if (column.class !== 'COLUMN_REF') return undefined
  const literals = values.map(literalOf)
  if (!literals.every((one) => one !== undefined)) return undefined
  return [{ names: column.column_names as string[], op, literals }]
}

function literalOf(node: Node): PlainLiteral | undefined {
  if (node.class === 'CAST') {
    const as = (node.cast_type as Node).id
    const literal = node.try_cast ? undefined : literalOf(node.child as Node)
    return literal && literal.as === undefined && (as === 'DATE' || as === 'TIMESTAMP') ? { ...literal, as } : undefined
  }
  const offset = node.query_location
  return node.class === 'CONSTANT' && typeof offset === 'number' ? { offset, as: undefined } : undefined
}
