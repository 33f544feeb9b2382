// What a template calls, read from its syntax tree without running it.

import {
  childrenOf,
  bodiesOf,
  expressionsOf,
  walkExpression,
  type Expression,
  type Statement,
  type Target,
} from './ast.ts'
import type { Origin, SourceMap } from './errors.ts'
import { parseTemplate } from './template.ts'
import type { Place } from '../base/failure.ts'
import { sureText, type Sure } from './sure-texts.ts'
import { Float } from './values.ts'

export type FoundCall = {
  /** `ref`, or dotted as written: `adapter.dispatch`. */
  name: string
  /** Literal arguments as JSON-like values; a tuple is an array. Undefined when any argument must be evaluated. */
  literal: { args: unknown[]; kwargs: Record<string, unknown> } | undefined
  /** Inside an `if`, `for`, `macro` or similar: it may not run. */
  conditional: boolean
  place: Place
}

export type Analysis = {
  calls: FoundCall[]
  /**
   * True when rendering could call nothing but the named functions with literal arguments, unconditionally, and
   * functions that were named harmless: then the calls found are exactly those that rendering would make.
   */
  isStatic: boolean
  /**
   * `{{ config(enabled=var('x')) }}`: outputs of the outermost level that are one of the named calls and must be
   * rendered to know its arguments. They are no part of `calls`, and all else may be static.
   */
  parts: { text: string; place: Place }[]
  /** What rendering asks for, which cannot fail but in `parts`; undefined where it may. */
  sure: Sure | undefined
}

/** Whether calling a function that is not one of those looked for leaves no trace, wherever the call stands. */
export type Harmless = (name: string, literal: FoundCall['literal']) => boolean

/** Calls of the named functions (`ref`, `config.get`), in the order they stand in the text. */
export function findCalls(
  text: string,
  names: readonly string[],
  origin: Origin = {},
  harmless: Harmless = () => false,
): Analysis {
  const { statements, source } = parseTemplate(text, origin)
  return analyse(statements, source, new Set(names), harmless)
}

export function analyse(
  statements: readonly Statement[],
  source: SourceMap,
  names: ReadonlySet<string>,
  harmless: Harmless = () => false,
): Analysis {
  const calls: FoundCall[] = []
  const locals = localNames(statements)
  let isStatic = [...names].every((name) => !locals.has(name))
  const visitExpression = (expression: Expression, conditional: boolean): void => {
    if (expression.kind === 'call') {
      const name = dotted(expression.callee)
      if (name !== undefined && names.has(name)) {
        const literal = literalArguments(expression)
        calls.push({ name, literal, conditional, place: source.place(expression.at) })
        isStatic &&= literal !== undefined && (!conditional || harmless(name, literal))
        for (const child of childrenOf(expression)) if (child !== expression.callee) visitExpression(child, conditional)
        return
      }
      const isHarmless = name !== undefined && !locals.has(name) && harmless(name, literalArguments(expression))
      isStatic &&= isHarmless || isOfValue(expression.callee, locals)
      const inputs = childrenOf(expression).filter((child) => child !== expression.callee || !isHarmless)
      for (const child of inputs) visitExpression(child, conditional)
      return
    }
    // What is looked for may not be handed on: whoever gets it may call it.
    if (expression.kind === 'name' && (names.has(expression.name) || wholeContexts.has(expression.name)))
      isStatic = false
    const mayNotRun = expression.kind === 'conditional' || expression.kind === 'and' || expression.kind === 'or'
    for (const child of childrenOf(expression)) visitExpression(child, conditional || mayNotRun)
  }
  const parts: Analysis['parts'] = []
  const apart = new Set<Statement>()
  const visit = (body: readonly Statement[], conditional: boolean): void => {
    for (const statement of body) {
      if (body === statements && statement.kind === 'output' && isPart(statement.value, names, locals)) {
        parts.push({ text: outputText(source.text, statement.at), place: source.place(statement.at) })
        apart.add(statement)
        continue
      }
      if (statement.kind === 'macro' || statement.kind === 'call block') isStatic = false
      for (const expression of expressionsOf(statement)) visitExpression(expression, conditional)
      const mayNotRun =
        statement.kind === 'if' ||
        statement.kind === 'for' ||
        statement.kind === 'macro' ||
        statement.kind === 'call block'
      for (const inner of bodiesOf(statement)) visit(inner, conditional || mayNotRun)
    }
  }
  visit(statements, false)
  const sure = isStatic ? sureText(statements, names, (statement) => apart.has(statement)) : undefined
  return { calls, isStatic, parts, sure }
}

/** A named call whose arguments are no literals, and stand on nothing that the template has set. */
function isPart(value: Expression, names: ReadonlySet<string>, locals: ReadonlySet<string>): boolean {
  if (value.kind !== 'call' || !names.has(dotted(value.callee) ?? '') || literalArguments(value)) return false
  let isAlone = true
  walkExpression(value, (expression) => {
    if (expression.kind === 'name' && locals.has(expression.name)) isAlone = false
  })
  return isAlone
}

/** The output whose expression begins at `at`, in braces. */
function outputText(text: string, at: number): string {
  const rest = /(?:'(?:\\[^]|[^'\\])*'|"(?:\\[^]|[^"\\])*"|[^'"])*?(?=[-+]?\}\})/y
  rest.lastIndex = at
  return `{{ ${(rest.exec(text)?.[0] ?? '').trimEnd()} }}`
}

/** Through them every name of the context can be had. */
const wholeContexts: ReadonlySet<string> = new Set(['context', 'builtins', 'self'])

/** `columns.append` where `columns` is set in the template, `ref('a').include`, `'a,b'.split`, and what a call returns. */
function isOfValue(callee: Expression, locals: ReadonlySet<string>): boolean {
  // What stands inside has been judged for itself.
  if (callee.kind === 'call') return true
  if (callee.kind !== 'attribute') return false
  const { object } = callee
  switch (object.kind) {
    case 'name':
      return locals.has(object.name)
    case 'call':
    case 'literal':
    case 'list':
    case 'dict':
    case 'filter':
      return true
    default:
      return isOfValue(object, locals)
  }
}

/** What statements (a macro's) call and name: plain data, so that it can be kept. */
export type Traces = {
  /** Something is called that has no name. */
  isOpen: boolean
  /** Names that are read and not called, once each. */
  names: string[]
  /** Everything that is called by a name, dotted as written, in order. */
  calls: Pick<FoundCall, 'name' | 'literal'>[]
}

export function tracesOf(statements: readonly Statement[]): Traces {
  const names = new Set<string>()
  const calls: Traces['calls'] = []
  let isOpen = false
  const visitExpression = (expression: Expression): void => {
    if (expression.kind === 'name') names.add(expression.name)
    if (expression.kind !== 'call') return childrenOf(expression).forEach(visitExpression)
    const { callee } = expression
    const name = dotted(callee)
    if (name === undefined) isOpen ||= callee.kind !== 'call' && callee.kind !== 'attribute'
    else calls.push({ name, literal: literalArguments(expression) })
    for (const child of childrenOf(expression)) if (child !== callee || name === undefined) visitExpression(child)
  }
  const visit = (body: readonly Statement[]): void => {
    for (const statement of body) {
      expressionsOf(statement).forEach(visitExpression)
      bodiesOf(statement).forEach(visit)
    }
  }
  visit(statements)
  return { isOpen, names: [...names], calls }
}

/** Whether none of the named functions is called, and nothing else that could. */
export const leavesNoTrace = (
  { isOpen, names, calls }: Traces,
  forbidden: ReadonlySet<string>,
  harmless: Harmless,
): boolean =>
  !isOpen &&
  !names.some((name) => forbidden.has(name) || wholeContexts.has(name)) &&
  calls.every(({ name, literal }) => !forbidden.has(name) && harmless(name, literal))

/** What `set`, `for` and `with` give a name. */
function localNames(statements: readonly Statement[]): Set<string> {
  const found = new Set<string>()
  const add = (target: Target): void => {
    if (target.kind === 'tuple') target.items.forEach(add)
    else if (target.kind === 'name') found.add(target.name)
  }
  const visit = (body: readonly Statement[]): void => {
    for (const statement of body) {
      if ('target' in statement) add(statement.target)
      if (statement.kind === 'with') statement.targets.forEach(add)
      bodiesOf(statement).forEach(visit)
    }
  }
  visit(statements)
  return found
}

export function dotted(expression: Expression): string | undefined {
  if (expression.kind === 'name') return expression.name
  if (expression.kind !== 'attribute') return undefined
  const object = dotted(expression.object)
  return object === undefined ? undefined : `${object}.${expression.name}`
}

function literalArguments(call: Extract<Expression, { kind: 'call' }>): FoundCall['literal'] {
  if (call.star || call.starStar) return undefined
  const args = call.args.map(literalOf)
  const kwargs = call.kwargs.map(({ name, value }) => [name, literalOf(value)] as const)
  if (args.includes(undefined) || kwargs.some(([, value]) => value === undefined)) return undefined
  return { args, kwargs: Object.fromEntries(kwargs) }
}

/** The value of an expression made of literals alone; undefined when it must be evaluated. */
export function literalOf(expression: Expression): unknown {
  switch (expression.kind) {
    case 'literal':
      // What is kept is JSON, which has no `1.0`.
      return expression.value instanceof Float ? undefined : expression.value
    case 'list':
    case 'tuple': {
      const items = expression.items.map(literalOf)
      return items.includes(undefined) ? undefined : items
    }
    case 'dict': {
      const pairs = expression.pairs.map(([key, value]) => [literalOf(key), literalOf(value)] as const)
      if (pairs.some(([key, value]) => typeof key !== 'string' || value === undefined)) return undefined
      return Object.fromEntries(pairs as [string, unknown][])
    }
    case 'negative': {
      const value = literalOf(expression.operand)
      return typeof value === 'number' ? -value : undefined
    }
    default:
      return undefined
  }
}
