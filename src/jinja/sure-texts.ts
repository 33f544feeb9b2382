// Texts whose rendering cannot fail, known from their syntax tree: of these a parser needs nothing but the calls that stand there.

import { literalOf, dotted } from './analyse.ts'
import type { Expression, Statement } from './ast.ts'

/** What such a text asks for. */
export type Sure = {
  /** Variables of the project. */
  vars: string[]
  /** Those that have to be there. */
  needed: string[]
  /** Macros of dbt without arguments, as written (`dbt.type_string`, `is_incremental`), in the order of their calls: all of them are called. */
  macros: string[]
}

const objects: Readonly<Record<string, ReadonlySet<string>>> = {
  this: new Set(['database', 'schema', 'identifier', 'name', 'table', 'alias', 'type']),
  target: new Set(['name', 'schema', 'database', 'type', 'profile_name', 'threads']),
}
const macros = /^(is_incremental|dbt\.type_(string|timestamp|float|bigint|boolean|int|numeric))$/

/** Whether a text that calls this may be one, apart from the functions that are looked for. */
export const mayBeSure = (name: string): boolean => name === 'var' || macros.test(name)

/** `names`: functions whose literal calls are known to go well. `leaveOut`: outputs that are looked at by somebody else. */
export function sureText(
  statements: readonly Statement[],
  names: ReadonlySet<string>,
  leaveOut: (statement: Statement) => boolean = () => false,
): Sure | undefined {
  const sure: Sure = { vars: [], needed: [], macros: [] }
  /** Variables that the condition around found. */
  let found: readonly string[] = []
  /** How many things are around that may not run. */
  let conditions = 0
  const perhaps = (work: () => boolean): boolean => {
    conditions++
    const done = work()
    conditions--
    return done
  }
  const isSure = (expression: Expression, known: ReadonlySet<string>): boolean => {
    const each = (...all: Expression[]) => all.every((one) => isSure(one, known))
    switch (expression.kind) {
      case 'literal':
        return true
      case 'name':
        return known.has(expression.name) || Object.hasOwn(objects, expression.name)
      case 'list':
      case 'tuple':
        return each(...expression.items)
      case 'dict':
        return expression.pairs.every(([key, value]) => typeof literalOf(key) === 'string' && each(value))
      case 'and':
      case 'or':
        return each(expression.left) && perhaps(() => each(expression.right))
      case 'not':
        return each(expression.operand)
      case 'conditional':
        return (
          each(expression.test) &&
          perhaps(() => each(expression.value, ...(expression.otherwise ? [expression.otherwise] : [])))
        )
      case 'concat':
        return each(...expression.items)
      case 'compare':
        return (
          each(expression.first) &&
          expression.rest.every(
            ({ operator, operand }) =>
              each(operand) && (/^[=!]=$/.test(operator) || (operator.endsWith('in') && operand.kind === 'list')),
          )
        )
      case 'test':
        return /^(none|defined|undefined)$/.test(expression.name) && isBare(expression) && each(expression.operand)
      case 'attribute': {
        const { object, name } = expression
        return object.kind === 'name' && !known.has(object.name) && objects[object.name]?.has(name) === true
      }
      case 'call':
        return isSureCall(expression, known)
      default:
        return false
    }
  }
  const isSureCall = (call: Extract<Expression, { kind: 'call' }>, known: ReadonlySet<string>): boolean => {
    const { args, kwargs, star, starStar } = call
    const name = dotted(call.callee)
    if (name === undefined || star || starStar || known.has(name)) return false
    if (names.has(name))
      return [...args, ...kwargs.map(({ value }) => value)].every((one) => literalOf(one) !== undefined)
    if (macros.test(name)) {
      sure.macros.push(name)
      return args.length + kwargs.length + conditions === 0
    }
    if (name !== 'var' || kwargs.length > 0 || args.length > 2) return false
    const [asked, fallback] = args
    if (asked?.kind !== 'literal' || typeof asked.value !== 'string') return false
    sure.vars.push(asked.value)
    if (fallback) return isSure(fallback, known)
    if (!found.includes(asked.value)) sure.needed.push(asked.value)
    return true
  }
  const areSure = (body: readonly Statement[], before: ReadonlySet<string>): boolean => {
    const known = new Set(before)
    return body.every((statement) => {
      if (leaveOut(statement)) return true
      switch (statement.kind) {
        case 'text':
          return true
        case 'output':
          return isSure(statement.value, known)
        case 'if': {
          const { branches, otherwise = [] } = statement
          const around = found
          const isOne = branches.every(({ test, body: inner }) => {
            if (!isSure(test, known)) return false
            found = [...around, ...foundBy(test)]
            const isInner = perhaps(() => areSure(inner, known))
            found = around
            return isInner
          })
          return isOne && perhaps(() => areSure(otherwise, known))
        }
        case 'set': {
          const { target, value } = statement
          // Another thing under a name that means one already.
          if (target.kind !== 'name' || names.has(target.name) || Object.hasOwn(objects, target.name)) return false
          if (!isSure(value, known) || target.name === 'var' || macros.test(target.name)) return false
          known.add(target.name)
          return true
        }
        default:
          return false
      }
    })
  }
  return areSure(statements, new Set()) ? sure : undefined
}

/** `var('x', [])`: where that is true, there is an x. */
function foundBy(test: Expression): string[] {
  if (test.kind === 'and') return [...foundBy(test.left), ...foundBy(test.right)]
  if (test.kind !== 'call' || dotted(test.callee) !== 'var') return []
  const [asked, fallback] = test.args.map(literalOf)
  const isEmpty = test.args.length === 2 && (!fallback || (Array.isArray(fallback) && fallback.length === 0))
  return isEmpty && fallback !== undefined && typeof asked === 'string' ? [asked] : []
}

const isBare = ({ args, kwargs, star, starStar }: Extract<Expression, { kind: 'test' }>): boolean =>
  args.length + kwargs.length === 0 && !star && !starStar
