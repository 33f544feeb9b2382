// Jinja2's tests: what may stand after `is` (jinja2/tests.py).

import { bind } from './arguments.ts'
import { compare as ordered, type Rendering } from './runtime.ts'
import { filters } from './filters.ts'
import {
  asSet,
  contains,
  Decimal,
  Dict,
  equals,
  HostObject,
  isFloat,
  isInt,
  isNumeric,
  iterable,
  length,
  Namespace,
  numberOf,
  PyError,
  str,
  Tuple,
  typeError,
  Undefined,
  View,
  type Kwargs,
} from './values.ts'

export type Predicate = (value: unknown, args: unknown[], kwargs: Kwargs, rendering: Rendering) => boolean

const plain = (name: string, holds: (value: unknown) => boolean): [string, Predicate] => [
  name,
  (value, args, kwargs) => {
    bind(name, [], args, kwargs)
    return holds(value)
  },
]
const binary = (names: string[], holds: (value: unknown, other: unknown) => boolean): [string, Predicate][] =>
  names.map((name) => [
    name,
    (value, args, kwargs) => {
      const [other] = bind(name, ['other'], args, kwargs)
      return holds(value, other)
    },
  ])

function remainder(value: unknown, by: number): number {
  if (value instanceof Undefined) value.fail()
  const number = numberOf(value)
  if (number === undefined) throw typeError('not all arguments converted during string formatting')
  if (by === 0) throw new PyError('ZeroDivisionError', 'integer modulo by zero')
  if (typeof value === 'bigint' && Number.isSafeInteger(by)) return Number(value % BigInt(by))
  return number - Math.floor(number / by) * by
}

function isSequence(value: unknown): boolean {
  if (asSet(value) || value instanceof View || value instanceof Namespace) return false
  if (value instanceof HostObject) return value.length() !== undefined
  try {
    length(value)
    return true
  } catch {
    return false
  }
}

const isMapping = (value: unknown): boolean =>
  value instanceof Dict || (value instanceof HostObject && value.mapping() !== undefined)
const isCallable = (value: unknown): boolean =>
  typeof value === 'function' || value instanceof Undefined || (value instanceof HostObject && value.callable)
const hasCase = (text: string): boolean => /[\p{Lu}\p{Ll}\p{Lt}]/u.test(text)

export const predicates: ReadonlyMap<string, Predicate> = new Map<string, Predicate>([
  plain('defined', (value) => !(value instanceof Undefined)),
  plain('undefined', (value) => value instanceof Undefined),
  plain('none', (value) => value === null),
  plain('boolean', (value) => typeof value === 'boolean'),
  plain('true', (value) => value === true),
  plain('false', (value) => value === false),
  plain('integer', (value) => isInt(value) || typeof value === 'bigint'),
  plain('float', (value) => isFloat(value) && !(value instanceof Decimal)),
  plain('number', isNumeric),
  plain('string', (value) => typeof value === 'string'),
  plain('mapping', isMapping),
  plain('iterable', (value) => iterable(value) !== undefined),
  plain('sequence', isSequence),
  plain('callable', isCallable),
  plain('escaped', () => false),
  plain('lower', (value) => hasCase(str(value)) && str(value) === str(value).toLowerCase()),
  plain('upper', (value) => hasCase(str(value)) && str(value) === str(value).toUpperCase()),
  plain('odd', (value) => Math.abs(remainder(value, 2)) === 1),
  plain('even', (value) => remainder(value, 2) === 0),
  plain('filter', (value) => filters.has(str(value))),
  plain('test', (value) => predicates.has(str(value))),
  ...binary(['divisibleby'], (value, by) => remainder(value, numberOf(by) ?? Number.NaN) === 0),
  ...binary(['eq', 'equalto', '=='], equals),
  ...binary(['ne', '!='], (value, other) => !equals(value, other)),
  ...binary(['lt', 'lessthan', '<'], (value, other) => ordered('<', value, other)),
  ...binary(['le', '<='], (value, other) => ordered('<=', value, other)),
  ...binary(['gt', 'greaterthan', '>'], (value, other) => ordered('>', value, other)),
  ...binary(['ge', '>='], (value, other) => ordered('>=', value, other)),
  ...binary(['in'], (value, container) => contains(container, value)),
  ...binary(
    ['sameas'],
    (value, other) =>
      value === other ||
      (value instanceof Tuple && other instanceof Tuple && value.items.length + other.items.length === 0),
  ),
])
