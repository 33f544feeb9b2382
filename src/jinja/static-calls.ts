// What dbt reads without rendering: a model that is nothing but SQL, comments and plain calls.

import type { Expression } from './ast.ts'
import { parseTemplate } from './template.ts'
import { Float } from './values.ts'

/**
 * Whether dbt's static parser reads a text: its expressions are literals and calls of `ref`, `source` and `config` with
 * literals, spelled as in Python and without `-` at the braces. No number is the value of a config, and no hook one of them.
 */
export function isReadStatically(text: string): boolean {
  if (/\{%|\{\{[-+]|[-+]\}\}/.test(text.replaceAll(/\{#[\s\S]*?#\}/g, ''))) return false
  return parseTemplate(text, {}).statements.every(
    (statement) => statement.kind === 'text' || (statement.kind === 'output' && isPlain(statement.value, text)),
  )
}

function isPlain(expression: Expression, text: string): boolean {
  if (expression.kind !== 'call') return isValue(expression, text) || isNumber(expression)
  const { callee, args, kwargs, star, starStar } = expression
  if (callee.kind !== 'name' || star || starStar) return false
  const areTexts = args.every(isText)
  switch (callee.name) {
    case 'ref':
      return areTexts && kwargs.every(({ value }) => isText(value) || isNumber(value))
    case 'source':
      return areTexts && kwargs.length === 0
    case 'config':
      return (
        args.length === 0 &&
        kwargs.length > 0 &&
        kwargs.every(({ name, value }) => !/^(pre|post)_hook$/.test(name) && isValue(value, text))
      )
    default:
      return false
  }
}

function isValue(expression: Expression, text: string): boolean {
  switch (expression.kind) {
    case 'literal':
      return (
        typeof expression.value === 'string' ||
        (typeof expression.value === 'boolean' && /^(True|False)/.test(text.slice(expression.at)))
      )
    case 'list':
      return expression.items.every((each) => isValue(each, text))
    case 'dict':
      return expression.pairs.every(
        ([key, value]) => key.kind === 'literal' && typeof key.value === 'string' && isValue(value, text),
      )
    default:
      return false
  }
}

const isText = (expression: Expression): boolean =>
  expression.kind === 'literal' && typeof expression.value === 'string'

const isNumber = (expression: Expression): boolean =>
  expression.kind === 'literal' && (typeof expression.value === 'number' || expression.value instanceof Float)
