// Arguments of a call as they are written, not what they come to: dbt compares `config(enabled=var('daily'))` by its
// text, so that another value of the variable is no change of the model.

import { dotted } from './analyse.ts'
import { walkExpressions, type Expression } from './ast.ts'
import { parseTemplate } from './template.ts'
import { tree } from './tree.ts'
import { repr } from './values.ts'

/**
 * The named arguments of the first call of `name`: a lone text is itself, the rest Jinja's expression in Python's
 * spelling, and what dbt has no spelling for (filters, tests, sums, …) Jinja's own tree of it.
 */
export function writtenArguments(text: string, name: string): Record<string, string> {
  let found: Record<string, string> | undefined
  walkExpressions(parseTemplate(text, {}).statements, (expression) => {
    if (found || expression.kind !== 'call' || dotted(expression.callee) !== name) return
    found = Object.fromEntries(
      expression.kwargs.map(({ name: key, value }) => [
        key,
        value.kind === 'literal' && typeof value.value === 'string' ? value.value : written(value),
      ]),
    )
  })
  return found ?? {}
}

const list = (expressions: readonly Expression[], between = ', '): string => expressions.map(written).join(between)

function written(expression: Expression): string {
  switch (expression.kind) {
    case 'literal':
      return repr(expression.value)
    case 'name':
      return expression.name
    case 'list':
      return `[${list(expression.items)}]`
    case 'tuple':
      return `(${list(expression.items)}${expression.items.length === 1 ? ',' : ''})`
    case 'dict':
      return `{${expression.pairs.map(([key, value]) => `${written(key)}: ${written(value)}`).join(', ')}}`
    case 'and':
    case 'or':
      return `${written(expression.left)} ${expression.kind} ${written(expression.right)}`
    case 'not':
      return `not ${written(expression.operand)}`
    case 'negative':
      return `-${written(expression.operand)}`
    case 'compare':
      return [
        written(expression.first),
        ...expression.rest.map(({ operator, operand }) => `${operator} ${written(operand)}`),
      ].join(' ')
    case 'concat':
      return list(expression.items, ' ~ ')
    case 'attribute':
      return `${written(expression.object)}.${expression.name}`
    case 'item':
      return `${written(expression.object)}[${written(expression.key)}]`
    case 'call':
      return `${written(expression.callee)}(${inputs(expression)})`
    case 'conditional':
    case 'positive':
    case 'binary':
    case 'slice':
    case 'filter':
    case 'test':
      return tree(expression)
  }
}

function inputs({
  args,
  kwargs,
  star,
  starStar,
}: Pick<Extract<Expression, { kind: 'call' }>, 'args' | 'kwargs' | 'star' | 'starStar'>): string {
  return [
    ...args.map(written),
    ...kwargs.map(({ name, value }) => `${name}=${written(value)}`),
    ...(star ? [`*${written(star)}`] : []),
    ...(starStar ? [`**${written(starStar)}`] : []),
  ].join(', ')
}
