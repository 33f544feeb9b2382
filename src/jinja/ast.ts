// The syntax tree of a template. `at` is an offset into the (newline-normalised) source.

import type { Float } from './values.ts'

/** Integers beyond 2^53 are a `LargeInteger`, which is a `Float`. */
export type Literal = string | number | boolean | null | Float

export type Expression =
  | { kind: 'literal'; value: Literal; at: number }
  | { kind: 'name'; name: string; at: number }
  | { kind: 'list' | 'tuple'; items: Expression[]; at: number }
  | { kind: 'dict'; pairs: [Expression, Expression][]; at: number }
  | { kind: 'conditional'; test: Expression; value: Expression; otherwise: Expression | undefined; at: number }
  | { kind: 'and' | 'or'; left: Expression; right: Expression; at: number }
  | { kind: 'not' | 'negative' | 'positive'; operand: Expression; at: number }
  | { kind: 'compare'; first: Expression; rest: { operator: Comparison; operand: Expression }[]; at: number }
  | { kind: 'binary'; operator: Operator; left: Expression; right: Expression; at: number }
  | { kind: 'concat'; items: Expression[]; at: number }
  | { kind: 'attribute'; object: Expression; name: string; at: number }
  | { kind: 'item'; object: Expression; key: Expression; at: number }
  | {
      kind: 'slice'
      start?: Expression | undefined
      stop?: Expression | undefined
      step?: Expression | undefined
      at: number
    }
  | ({ kind: 'call'; callee: Expression; at: number } & Arguments)
  | ({ kind: 'filter'; operand: Expression | undefined; name: string; at: number } & Arguments)
  | ({ kind: 'test'; operand: Expression; name: string; at: number } & Arguments)

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in'
export type Operator = '+' | '-' | '*' | '/' | '//' | '%' | '**'
export type Arguments = {
  args: Expression[]
  kwargs: { name: string; value: Expression }[]
  /** `*args` and `**kwargs`. */
  star?: Expression | undefined
  starStar?: Expression | undefined
}

export type Target =
  | { kind: 'name'; name: string; at: number }
  | { kind: 'tuple'; items: Target[]; at: number }
  | { kind: 'namespace'; name: string; attribute: string; at: number }

export type Parameter = { name: string; fallback: Expression | undefined; at: number }

export type Statement =
  | { kind: 'text'; text: string; at: number }
  | { kind: 'output'; value: Expression; at: number }
  | { kind: 'if'; branches: { test: Expression; body: Statement[] }[]; otherwise: Statement[] | undefined; at: number }
  | {
      kind: 'for'
      target: Target
      items: Expression
      test?: Expression | undefined
      body: Statement[]
      otherwise: Statement[]
      /** `loop(items)` in the body runs it for other items, and answers their text. */
      isRecursive: boolean
      at: number
    }
  | { kind: 'set'; target: Target; value: Expression; at: number }
  | { kind: 'set block'; target: Target; filter: Expression | undefined; body: Statement[]; at: number }
  | {
      kind: 'macro'
      block: BlockKind
      name: string
      parameters: Parameter[]
      options: Options
      body: Statement[]
      at: number
    }
  | {
      kind: 'call block'
      parameters: Parameter[]
      call: Extract<Expression, { kind: 'call' }>
      body: Statement[]
      at: number
    }
  | { kind: 'filter block'; filter: Expression; body: Statement[]; at: number }
  | { kind: 'with'; targets: Target[]; values: Expression[]; body: Statement[]; at: number }
  | { kind: 'do'; value: Expression; at: number }
  | { kind: 'break' | 'continue'; at: number }

/** The blocks of dbt; all of them are macros under a name of their own. */
export type BlockKind = 'macro' | 'test' | 'snapshot' | 'materialization'
/** What a materialization says beside its name: `default`, `adapter=…`, `supported_languages=…`. */
export type Options = { name: string; value: Expression }[]

/** Visits every expression of a tree, outermost first. */
export function walkExpressions(statements: readonly Statement[], visit: (expression: Expression) => void): void {
  for (const statement of statements) {
    for (const expression of expressionsOf(statement)) walkExpression(expression, visit)
    for (const body of bodiesOf(statement)) walkExpressions(body, visit)
  }
}

export function walkExpression(expression: Expression, visit: (expression: Expression) => void): void {
  visit(expression)
  for (const child of childrenOf(expression)) walkExpression(child, visit)
}

export function expressionsOf(statement: Statement): Expression[] {
  const present = (expressions: (Expression | undefined)[]) => expressions.filter((each) => each !== undefined)
  switch (statement.kind) {
    case 'output':
    case 'do':
    case 'set':
      return [statement.value]
    case 'if':
      return statement.branches.map(({ test }) => test)
    case 'for':
      return present([statement.items, statement.test])
    case 'set block':
      return present([statement.filter])
    case 'macro':
      return present(statement.parameters.map(({ fallback }) => fallback))
    case 'call block':
      return present([statement.call, ...statement.parameters.map(({ fallback }) => fallback)])
    case 'filter block':
      return [statement.filter]
    case 'with':
      return statement.values
    case 'text':
    case 'break':
    case 'continue':
      return []
  }
}

export function bodiesOf(statement: Statement): Statement[][] {
  switch (statement.kind) {
    case 'if':
      return [...statement.branches.map(({ body }) => body), statement.otherwise ?? []]
    case 'for':
      return [statement.body, statement.otherwise]
    case 'set block':
    case 'macro':
    case 'call block':
    case 'filter block':
    case 'with':
      return [statement.body]
    case 'text':
    case 'output':
    case 'set':
    case 'do':
    case 'break':
    case 'continue':
      return []
  }
}

export function childrenOf(expression: Expression): Expression[] {
  const present = (expressions: (Expression | undefined)[]) => expressions.filter((each) => each !== undefined)
  const inputs = ({ args, kwargs, star, starStar }: Arguments) =>
    present([...args, ...kwargs.map(({ value }) => value), star, starStar])
  switch (expression.kind) {
    case 'literal':
    case 'name':
      return []
    case 'list':
    case 'tuple':
    case 'concat':
      return expression.items
    case 'dict':
      return expression.pairs.flat()
    case 'conditional':
      return present([expression.test, expression.value, expression.otherwise])
    case 'and':
    case 'or':
    case 'binary':
      return [expression.left, expression.right]
    case 'not':
    case 'negative':
    case 'positive':
      return [expression.operand]
    case 'compare':
      return [expression.first, ...expression.rest.map(({ operand }) => operand)]
    case 'attribute':
      return [expression.object]
    case 'item':
      return [expression.object, expression.key]
    case 'slice':
      return present([expression.start, expression.stop, expression.step])
    case 'call':
      return [expression.callee, ...inputs(expression)]
    case 'filter':
      return [...present([expression.operand]), ...inputs(expression)]
    case 'test':
      return [expression.operand, ...inputs(expression)]
  }
}
