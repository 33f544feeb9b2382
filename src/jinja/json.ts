// Python's json.dumps and json.loads over template values: separators with spaces, ASCII only, floats as repr.

import {
  Dict,
  Float,
  HostObject,
  isFloat,
  iterable,
  reprFloat,
  str,
  typeError,
  typeName,
  Undefined,
  valueError,
  whole,
} from './values.ts'

export type JsonOptions = { sortKeys?: boolean; indent?: number | undefined; escape?: boolean }

export function toJson(value: unknown, { sortKeys = false, indent }: JsonOptions = {}): string {
  return write(value, sortKeys, indent, '\n')
}

function write(value: unknown, sortKeys: boolean, indent: number | undefined, newline: string): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return quoteAscii(value)
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (isFloat(value)) return floatJson(value instanceof Float ? value.value : value)
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  const inner = indent === undefined ? '' : newline + ' '.repeat(indent)
  const between = indent === undefined ? ', ' : `,${inner}`
  const wrap = (open: string, items: string[], close: string) =>
    items.length === 0
      ? open + close
      : `${open}${inner}${items.join(between)}${indent === undefined ? '' : newline}${close}`
  const dict = value instanceof HostObject ? value.mapping() : value
  if (dict instanceof Dict) {
    const entries = Array.from(dict.entries(), ([key, item]) => [keyJson(key), item] as const)
    if (sortKeys) entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    return wrap(
      '{',
      entries.map(([key, item]) => `${quoteAscii(key)}: ${write(item, sortKeys, indent, inner || newline)}`),
      '}',
    )
  }
  const items = value instanceof Undefined || typeof value === 'function' ? undefined : iterable(value)
  if (!items || !['list', 'tuple'].includes(typeName(value))) {
    throw typeError(`Object of type ${typeName(value)} is not JSON serializable`)
  }
  return wrap(
    '[',
    Array.from(items, (item) => write(item, sortKeys, indent, inner || newline)),
    ']',
  )
}

function keyJson(key: unknown): string {
  if (typeof key === 'boolean' || key === null) return write(key, false, undefined, '')
  if (['string', 'number', 'bigint'].includes(typeof key) || key instanceof Float) return str(key)
  throw typeError(`keys must be str, int, float, bool or None, not ${typeName(key)}`)
}

const floatJson = (value: number): string =>
  Number.isNaN(value) ? 'NaN' : Number.isFinite(value) ? reprFloat(value) : value > 0 ? 'Infinity' : '-Infinity'

/** A text as Python's `json.dumps` has it. */
export const quoteAscii = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** Keys that are whole numbers, which JavaScript would put first; they are marked while the text is read. */
const wholeKey = /(?<!\\)"(\d+)"(?=\s*:)/g
const unmarked = (key: string): string => key.replace(/^\0(?=\d+$)/, '')

/** JSON text as template values: `1.0` stays a float, objects become dicts. */
export function fromJson(text: string): unknown {
  const revive = (value: unknown, source: string | undefined): unknown => {
    if (typeof value === 'number' && source !== undefined && /[.eE]/.test(source) && Number.isInteger(value))
      return new Float(value)
    if (typeof value === 'number' && source !== undefined && Number.isInteger(value)) return whole(BigInt(source))
    if (value === null || typeof value !== 'object' || value instanceof Float || value instanceof Dict) return value
    return Array.isArray(value) ? value : new Dict(Object.entries(value).map(([key, each]) => [unmarked(key), each]))
  }
  try {
    return JSON.parse(text.replace(wholeKey, '"\\u0000$1"'), (_key, value: unknown, context?: { source?: string }) =>
      revive(value, context?.source),
    )
  } catch (error) {
    throw valueError(`not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}
