// An expression as Python shows the nodes of Jinja's tree: so dbt writes what it has no other spelling for.

import type { Arguments, Comparison, Expression, Operator } from './ast.ts'
import { repr } from './values.ts'

const operators = {
  '+': 'Add',
  '-': 'Sub',
  '*': 'Mul',
  '/': 'Div',
  '//': 'FloorDiv',
  '%': 'Mod',
  '**': 'Pow',
} satisfies Record<Operator, string>

const comparisons = {
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'lteq',
  '>': 'gt',
  '>=': 'gteq',
  in: 'in',
  'not in': 'notin',
} satisfies Record<Comparison, string>

export function tree(expression: Expression | undefined): string {
  if (!expression) return 'None'
  switch (expression.kind) {
    case 'literal':
      return `Const(value=${repr(expression.value)})`
    case 'name':
      return `Name(name='${expression.name}', ctx='load')`
    case 'list':
      return `List(items=${trees(expression.items)})`
    case 'tuple':
      return `Tuple(items=${trees(expression.items)}, ctx='load')`
    case 'dict':
      return `Dict(items=[${expression.pairs.map(([key, value]) => `Pair(key=${tree(key)}, value=${tree(value)})`).join(', ')}])`
    case 'conditional':
      return `CondExpr(test=${tree(expression.test)}, expr1=${tree(expression.value)}, expr2=${tree(expression.otherwise)})`
    case 'and':
    case 'or':
      return `${expression.kind === 'and' ? 'And' : 'Or'}(left=${tree(expression.left)}, right=${tree(expression.right)})`
    case 'not':
      return `Not(node=${tree(expression.operand)})`
    case 'negative':
      return `Neg(node=${tree(expression.operand)})`
    case 'positive':
      return `Pos(node=${tree(expression.operand)})`
    case 'compare': {
      const operands = expression.rest.map(
        ({ operator, operand }) => `Operand(op='${comparisons[operator]}', expr=${tree(operand)})`,
      )
      return `Compare(expr=${tree(expression.first)}, ops=[${operands.join(', ')}])`
    }
    case 'binary':
      return `${operators[expression.operator]}(left=${tree(expression.left)}, right=${tree(expression.right)})`
    case 'concat':
      return `Concat(nodes=${trees(expression.items)})`
    case 'attribute':
      return `Getattr(node=${tree(expression.object)}, attr='${expression.name}', ctx='load')`
    case 'item':
      return `Getitem(node=${tree(expression.object)}, arg=${tree(expression.key)}, ctx='load')`
    case 'slice':
      return `Slice(start=${tree(expression.start)}, stop=${tree(expression.stop)}, step=${tree(expression.step)})`
    case 'call':
      return `Call(node=${tree(expression.callee)}, ${given(expression)})`
    case 'filter':
      return `Filter(node=${tree(expression.operand)}, name='${expression.name}', ${given(expression)})`
    case 'test':
      return `Test(node=${tree(expression.operand)}, name='${expression.name}', ${given(expression)})`
  }
}

const trees = (expressions: readonly Expression[]): string => `[${expressions.map(tree).join(', ')}]`

function given({ args, kwargs, star, starStar }: Arguments): string {
  const named = kwargs.map(({ name, value }) => `Keyword(key='${name}', value=${tree(value)})`)
  return `args=${trees(args)}, kwargs=[${named.join(', ')}], dyn_args=${tree(star)}, dyn_kwargs=${tree(starStar)}`
}
