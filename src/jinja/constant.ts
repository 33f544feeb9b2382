// Which expressions Jinja2 works out while it compiles: those that ask for no name and call nothing.
//
// Rendering to values shows the difference: what was worked out has become part of the template's text by then, so that
// `{{ false }}` answers the text `False`, and `{{ target.name == 'prod' }}` answers a truth value.

import type { Expression } from './ast.ts'

/** They answer something lazy, or what the context decides. */
const lateFilters = new Set(
  'batch items map random reject rejectattr reverse select selectattr slice unique'.split(' '),
)

/** What `as_bool` and its like have marked stays a mark until the text is whole. */
export const isWorkedOut = (expression: Expression): boolean => isConstant(expression) && !answersMark(expression)

function answersMark(expression: Expression): boolean {
  switch (expression.kind) {
    case 'filter':
      return expression.name.startsWith('as_')
    case 'conditional':
      return answersMark(expression.value) || (!!expression.otherwise && answersMark(expression.otherwise))
    case 'and':
    case 'or':
      return answersMark(expression.left) || answersMark(expression.right)
    default:
      return false
  }
}

function isConstant(expression: Expression): boolean {
  switch (expression.kind) {
    case 'literal':
      return true
    case 'name':
    case 'call':
      return false
    case 'list':
    case 'tuple':
    case 'concat':
      return expression.items.every(isConstant)
    case 'dict':
      return expression.pairs.flat().every(isConstant)
    case 'and':
    case 'or':
      return decidesAlone(expression.left, expression.kind === 'or') || both(expression.left, expression.right)
    case 'conditional': {
      const { test, value, otherwise } = expression
      if (decidesAlone(test, true)) return isConstant(value)
      if (decidesAlone(test, false)) return otherwise !== undefined && isConstant(otherwise)
      return otherwise !== undefined && isConstant(test) && both(value, otherwise)
    }
    case 'binary':
      return both(expression.left, expression.right)
    case 'not':
    case 'negative':
    case 'positive':
      return isConstant(expression.operand)
    case 'compare':
      return isConstant(expression.first) && expression.rest.every(({ operand }) => isConstant(operand))
    case 'attribute':
      return isConstant(expression.object)
    case 'item':
      return both(expression.object, expression.key)
    case 'slice':
      return [expression.start, expression.stop, expression.step].every(
        (each) => each === undefined || isConstant(each),
      )
    case 'filter':
      return expression.operand !== undefined && !lateFilters.has(expression.name) && withConstants(expression)
    case 'test':
      return withConstants(expression)
  }
}

const both = (left: Expression, right: Expression): boolean => isConstant(left) && isConstant(right)

/** A literal condition leaves the other side unread. */
const decidesAlone = (expression: Expression, outcome: boolean): boolean =>
  expression.kind === 'literal' && expression.value === outcome

function withConstants(expression: Extract<Expression, { kind: 'filter' | 'test' }>): boolean {
  const { operand, args, kwargs, star, starStar } = expression
  const given = [operand, ...args, ...kwargs.map(({ value }) => value), star, starStar]
  return given.every((each) => each === undefined || isConstant(each))
}
