// What emitted code calls: Python's operators, attribute and item access, calls, macros, loops.

import { Failure } from '../base/failure.ts'
import type { Frame, SourceMap } from './errors.ts'
import { decimalResult, negated } from './decimal.ts'
import { filters } from './filters.ts'
import { percentFormat } from './format.ts'
import { methodOf } from './methods.ts'
import { predicates } from './predicates.ts'
import {
  asSet,
  characters,
  compare as order,
  contains as includes,
  Decimal,
  Dict,
  equals,
  Float,
  float,
  Gen,
  HostObject,
  indexOf,
  isFloat,
  iterate,
  listOf,
  Namespace,
  newKwargs,
  numberOf,
  whole,
  PyError,
  PySet,
  Range,
  str,
  truth,
  Tuple,
  typeError,
  typeName,
  Undefined,
  valueError,
  type Callable,
  type Kwargs,
} from './values.ts'

/** Thrown by a global function to stop the rendering until the host has the answer. Passes templates unharmed. */
export class Suspend {
  readonly request: unknown
  constructor(request: unknown) {
    this.request = request
  }
}

/** How `return(value)` leaves a macro from inside a caller's body. */
export class ReturnSignal {
  readonly value: unknown
  constructor(value: unknown) {
    this.value = value
  }
}

export const returnFunction: Callable = ([value = null]) => {
  throw new ReturnSignal(value)
}

const stepsMax = 10_000_000
const depthMax = 300
/** Characters or items that one operation may make. */
export const sizeMax = 100_000_000

export type Globals = {
  get(name: string): unknown
  /** For the filter `random`: a number in [0, 1). */
  random?(): number
}

/** The state of one rendering, shared by the template and every macro it reaches. */
export class Rendering {
  readonly globals: Globals
  readonly lenient: boolean
  /** Rendering to values: `as_bool` and friends convert, as dbt's native filters do. */
  readonly native: boolean
  readonly random: () => number
  readonly returns: boolean
  steps = 0
  depth = 0

  constructor(globals: Globals, options: { lenient?: boolean | undefined; native?: boolean | undefined } = {}) {
    this.globals = globals
    this.lenient = options.lenient ?? false
    this.native = options.native ?? false
    this.random = globals.random ?? Math.random
    this.returns = globals.get('return') === returnFunction
  }

  tick(): void {
    if (++this.steps > stepsMax) throw new PyError('LimitError', `more than ${stepsMax} loop steps in one rendering`)
  }

  undefined(message: string): Undefined {
    return new Undefined(message, this.lenient)
  }

  /**
   * An error on its way out of a template function: it gets the place where it happened and, from each function
   * that it leaves after that, the place of the call. What is no error (Suspend, return) stays what it is.
   */
  located(error: unknown, template: SourceMap, at: number, macro = ''): unknown {
    if (!(error instanceof Error)) return error
    const place = template.place(at)
    if (error instanceof Failure) {
      const calls = error.context['calls']
      if (error.place && Array.isArray(calls)) {
        if (calls.length < 50) calls.push({ macro, place } satisfies Frame)
        return error
      }
      const { code, message, hint, cause, context } = error
      return new Failure(code, message, {
        place,
        hint,
        cause,
        ...context,
        ...(error.place && { place: error.place }),
        calls: [{ macro, place }],
      })
    }
    if (error instanceof PyError) {
      return new Failure('TEMPLATE_FAILED', error.message, { place, kind: error.kind, calls: [{ macro, place }] })
    }
    if (error instanceof RangeError) {
      const message = /call stack/.test(error.message)
        ? 'macros or values are nested too deeply'
        : 'a text grew too long'
      return new Failure('TEMPLATE_FAILED', message, {
        place,
        kind: 'RecursionError',
        cause: error,
        calls: [{ macro, place }],
      })
    }
    return error
  }
}

/** A parameter that was not given. */
export const missing = Symbol('missing')

export function get(rendering: Rendering, name: string): unknown {
  const value = rendering.globals.get(name)
  return value === undefined ? rendering.undefined(`'${name}' is undefined`) : value
}

export function noElse(rendering: Rendering, template: SourceMap, at: number): Undefined {
  return rendering.undefined(
    `the inline if-expression on line ${template.place(at).line} evaluated to false and no else section was defined.`,
  )
}

export const notProvided = (rendering: Rendering, name: string): Undefined =>
  rendering.undefined(`parameter '${name}' was not provided`)

// --- attributes and items

const describe = (value: unknown): string => (value === null ? "'None'" : `'${typeName(value)} object'`)

export function attribute(rendering: Rendering, object: unknown, name: string): unknown {
  if (object instanceof Undefined) return object.lenient ? rendering.undefined(`'${name}' is undefined`) : object.fail()
  if (object instanceof HostObject) {
    const value = object.attr(name)
    if (value !== undefined) return value
  }
  const method = methodOf(object, name)
  if (method) return ((args, kwargs) => method(object, args, kwargs, rendering)) satisfies Callable
  let value: unknown
  if (object instanceof Dict) value = object.get(name)
  else if (object instanceof Namespace) value = object.values.get(name)
  else if (object instanceof Tuple) value = object.attr(name)
  else if (object instanceof HostObject) value = object.item(name)
  return value === undefined ? rendering.undefined(`${describe(object)} has no attribute '${name}'`) : value
}

class Slice {
  readonly start: unknown
  readonly stop: unknown
  readonly step: unknown
  constructor(start: unknown, stop: unknown, step: unknown) {
    this.start = start
    this.stop = stop
    this.step = step
  }
}

export const slice = (start: unknown, stop: unknown, step: unknown): Slice => new Slice(start, stop, step)

export function item(rendering: Rendering, object: unknown, key: unknown): unknown {
  const value = itemOf(rendering, object, key)
  if (value !== undefined) return value
  if (typeof key === 'string') return attribute(rendering, object, key)
  return rendering.undefined(`${describe(object).slice(1, -1)} has no element ${str(key)}`)
}

function itemOf(rendering: Rendering, object: unknown, key: unknown): unknown {
  if (object instanceof Undefined) return object.lenient ? rendering.undefined(object.message) : object.fail()
  if (object instanceof Dict) {
    if (key instanceof Slice) throw typeError("unhashable type: 'slice'")
    // What cannot be a key is in no dict.
    return Array.isArray(key) || key instanceof Dict || key instanceof PySet ? undefined : object.get(key)
  }
  if (object instanceof HostObject) {
    const value = object.item(key)
    if (value !== undefined) return value
    const items = typeof key === 'string' ? undefined : object.iterate()
    return items ? itemOf(rendering, listOf(object), key) : undefined
  }
  if (key instanceof Slice) return slicedOf(object, key)
  const index = typeof key === 'boolean' ? Number(key) : key
  if (typeof index !== 'number' || !Number.isInteger(index)) return undefined
  const at = (items: readonly unknown[]) => items[index < 0 ? items.length + index : index]
  if (Array.isArray(object)) return at(object)
  if (object instanceof Tuple) return at(object.items)
  if (typeof object === 'string') return at(characters(object))
  if (object instanceof Range) {
    const position = index < 0 ? object.length + index : index
    return position >= 0 && position < object.length ? object.at(position) : undefined
  }
  return undefined
}

function slicedOf(object: unknown, { start, stop, step }: Slice): unknown {
  const cut = (items: readonly unknown[]) => cutOf(items, start, stop, step)
  if (Array.isArray(object)) return cut(object)
  if (object instanceof Tuple) return new Tuple(cut(object.items))
  if (typeof object === 'string') return cut(characters(object)).join('')
  if (object instanceof Range) return cutRange(object, cut([...Array(object.length).keys()]) as number[], step)
  throw typeError(`'${typeName(object)}' object is not subscriptable`)
}

function cutRange(range: Range, kept: readonly number[], step: unknown): Range {
  const by = range.step * (typeof step === 'number' ? step : 1)
  const start = range.at(kept[0] ?? 0)
  return new Range(start, kept.length === 0 ? start : range.at(kept.at(-1)!) + Math.sign(by), by)
}

function cutOf(items: readonly unknown[], start: unknown, stop: unknown, step: unknown): unknown[] {
  const by = step === null || step === undefined ? 1 : indexOf(step, 'slice indices')
  if (by === 0) throw valueError('slice step cannot be zero')
  const { length } = items
  const [low, high] = by > 0 ? [0, length] : [-1, length - 1]
  const clamp = (value: unknown, fallback: number) => {
    if (value === null || value === undefined) return fallback
    const index = indexOf(value, 'slice indices')
    return Math.min(high, Math.max(low, index < 0 ? index + length : index))
  }
  const from = clamp(start, by > 0 ? 0 : length - 1)
  const to = clamp(stop, by > 0 ? length : -1)
  const result: unknown[] = []
  if (by > 0) for (let index = from; index < to; index += by) result.push(items[index])
  else for (let index = from; index > to; index += by) result.push(items[index])
  return result
}

export function assign(object: unknown, name: string, value: unknown): void {
  if (!(object instanceof Namespace))
    throw new PyError('TemplateRuntimeError', 'cannot assign attribute on non-namespace object')
  object.values.set(name, value)
}

export function unpack(value: unknown, count: number): unknown[] {
  const items = listOf(value)
  if (items.length > count) throw valueError(`too many values to unpack (expected ${count})`)
  if (items.length < count) throw valueError(`not enough values to unpack (expected ${count}, got ${items.length})`)
  return items
}

// --- calls

export function call(_rendering: Rendering, callee: unknown, args: unknown[], kwargs: Kwargs): unknown {
  if (typeof callee === 'function') return (callee as Callable)(args, kwargs) ?? null
  if (callee instanceof Undefined) return callee.lenient ? callee : callee.fail()
  if (callee instanceof HostObject) return callee.call(args, kwargs) ?? null
  throw typeError(`'${typeName(callee)}' object is not callable`)
}

export function callMethod(
  rendering: Rendering,
  object: unknown,
  name: string,
  args: unknown[],
  kwargs: Kwargs,
): unknown {
  if (!(object instanceof HostObject)) {
    const method = methodOf(object, name)
    if (method) return method(object, args, kwargs, rendering) ?? null
  }
  return call(rendering, attribute(rendering, object, name), args, kwargs)
}

const noKwargs: Kwargs = Object.freeze(newKwargs())

export function kwargs(...pairs: unknown[]): Kwargs {
  if (pairs.length === 0) return noKwargs
  const found = newKwargs()
  for (let index = 0; index < pairs.length; index += 2) found[pairs[index] as string] = pairs[index + 1]
  return found
}

export function withStar(args: unknown[], more: unknown): unknown[] {
  return [...args, ...iterate(more)]
}

export function withStarStar(named: Kwargs, more: unknown): Kwargs {
  const dict = more instanceof HostObject ? more.mapping() : more
  if (!(dict instanceof Dict)) throw typeError(`argument after ** must be a mapping, not ${typeName(more)}`)
  const found = Object.assign(newKwargs(), named)
  for (const [key, value] of dict.entries()) {
    if (typeof key !== 'string') throw typeError('keywords must be strings')
    if (key in found) throw typeError(`got multiple values for keyword argument '${key}'`)
    found[key] = value
  }
  return found
}

export function filter(rendering: Rendering, name: string, value: unknown, args: unknown[], named: Kwargs): unknown {
  const apply = filters.get(name)
  if (!apply) throw new PyError('TemplateRuntimeError', `no filter named '${name}'`)
  return apply(rendering, value, args, named)
}

export function test(rendering: Rendering, name: string, value: unknown, args: unknown[], named: Kwargs): boolean {
  const holds = predicates.get(name)
  if (!holds) throw new PyError('TemplateRuntimeError', `no test named '${name}'`)
  return holds(value, args, named, rendering)
}

// --- macros

type Flags = { varargs: boolean; kwargs: boolean; caller: boolean }
type Emitted = (args: unknown[], varargs: Tuple, kwargs: Dict, caller: unknown) => string

export function macro(
  rendering: Rendering,
  _template: SourceMap,
  name: string,
  parameters: readonly string[],
  flags: Flags,
  emitted: Emitted,
): Callable {
  const run = invoker(rendering, name, parameters, flags, emitted)
  return (args, named) => {
    try {
      return run(args, named)
    } catch (error) {
      if (error instanceof ReturnSignal) return error.value
      throw error
    }
  }
}

/** The body of a `{% call %}`; a `return()` inside ends the macro that called it, as in dbt. */
export function caller(
  rendering: Rendering,
  _template: SourceMap,
  parameters: readonly string[],
  flags: Flags,
  emitted: Emitted,
): Callable {
  return invoker(rendering, 'caller', parameters, flags, emitted)
}

function invoker(
  rendering: Rendering,
  name: string,
  parameters: readonly string[],
  flags: Flags,
  emitted: Emitted,
): Callable {
  const ownCaller = parameters.includes('caller')
  return (args, named) => {
    const bound: unknown[] = []
    let used = 0
    for (let index = 0; index < parameters.length; index++) {
      const parameter = parameters[index]!
      if (index < args.length) bound.push(args[index])
      else if (parameter in named) {
        bound.push(named[parameter])
        used++
      } else bound.push(missing)
    }
    let found: unknown
    if (flags.caller && !ownCaller) {
      found = named['caller'] ?? rendering.undefined('No caller defined')
      if ('caller' in named) used++
    }
    const rest = leftOver(rendering, name, parameters, args.length, named, used, flags, ownCaller)
    if (args.length > parameters.length && !flags.varargs) {
      throw typeError(`macro '${name}' takes not more than ${parameters.length} argument(s)`)
    }
    rendering.depth++
    try {
      if (rendering.depth > depthMax) {
        throw new PyError('RecursionError', `macros call each other more than ${depthMax} levels deep`)
      }
      return emitted(bound, new Tuple(args.slice(parameters.length)), rest, found)
    } finally {
      rendering.depth--
    }
  }
}

function leftOver(
  _rendering: Rendering,
  name: string,
  parameters: readonly string[],
  given: number,
  named: Kwargs,
  used: number,
  flags: Flags,
  ownCaller: boolean,
): Dict {
  const rest = new Dict()
  if (Object.keys(named).length === used) return rest
  for (const key in named) {
    const index = parameters.indexOf(key)
    if ((index >= 0 && index >= given) || (key === 'caller' && flags.caller && !ownCaller)) continue
    if (!flags.kwargs) throw typeError(`macro '${name}' takes no keyword argument '${key}'`)
    rest.set(key, named[key])
  }
  return rest
}

// --- operators

export function add(left: unknown, right: unknown): unknown {
  if (typeof left === 'string' && typeof right === 'string') return left + right
  if (typeof left === 'number' && typeof right === 'number' && Number.isInteger(left) && Number.isInteger(right)) {
    const sum = left + right
    return Number.isSafeInteger(sum) ? sum : exact('+', left, right)
  }
  if (Array.isArray(left) && Array.isArray(right)) return left.concat(right)
  if (left instanceof Tuple && right instanceof Tuple) return new Tuple([...left.items, ...right.items])
  return ofDecimals('+', left, right) ?? arithmetic('+', left, right, (a, b) => a + b)
}

function arithmetic(operator: string, left: unknown, right: unknown, run: (a: number, b: number) => number): unknown {
  const [a, b] = [numberOf(left), numberOf(right)]
  if (a !== undefined && b !== undefined) {
    if (isFloat(left) || isFloat(right)) return float(run(a, b))
    const result = typeof left === 'bigint' || typeof right === 'bigint' ? undefined : run(a, b)
    return Number.isSafeInteger(result) ? result! + 0 : exact(operator, left, right) // -0 is no int
  }
  if (left instanceof Undefined) left.fail()
  if (right instanceof Undefined) right.fail()
  if (operator === '+' || operator === '-') {
    const own = left instanceof HostObject ? left.arithmetic(operator, right, false) : undefined
    const reflected =
      own === undefined && right instanceof HostObject ? right.arithmetic(operator, left, true) : undefined
    const result = own ?? reflected
    if (result !== undefined) return result
    if (operator === '+' && typeof left === 'string') {
      throw typeError(`can only concatenate str (not "${typeName(right)}") to str`)
    }
  }
  throw typeError(`unsupported operand type(s) for ${operator}: '${typeName(left)}' and '${typeName(right)}'`)
}

/** Ints beyond 2^53, all of their digits. */
function exact(operator: string, left: unknown, right: unknown): unknown {
  const [a, b] = [bigOf(left), bigOf(right)]
  const rest = () => {
    const cut = a % b
    return cut !== 0n && cut < 0n !== b < 0n ? cut + b : cut
  }
  switch (operator) {
    case '+':
      return whole(a + b)
    case '-':
      return whole(a - b)
    case '*':
      return whole(a * b)
    case '//':
      nonZero(Number(b), 'integer division or modulo by zero')
      return whole((a - rest()) / b)
    case '%':
      nonZero(Number(b), 'integer division or modulo by zero')
      return whole(rest())
    default:
      if (b * BigInt(a.toString(2).length) > bitsMax) throw new PyError('LimitError', 'a power of too many digits')
      return whole(a ** b)
  }
}

const bitsMax = 1_000_000n
const bigOf = (value: unknown): bigint => BigInt(typeof value === 'bigint' ? value : numberOf(value)!)

const ofDecimals = (operator: string, left: unknown, right: unknown): unknown =>
  left instanceof Decimal || right instanceof Decimal ? decimalResult(operator, left, right) : undefined

export function binary(operator: string, left: unknown, right: unknown): unknown {
  const exact = ofDecimals(operator, left, right)
  if (exact !== undefined) return exact
  switch (operator) {
    case '-':
      return subtract(left, right)
    case '*':
      return multiply(left, right)
    case '/':
      return divide(left, right)
    case '//':
      return arithmetic('//', left, right, (a, b) => Math.floor(a / nonZero(b, 'integer division or modulo by zero')))
    case '%':
      return modulo(left, right)
    default:
      return power(left, right)
  }
}

function nonZero(value: number, message: string): number {
  if (value === 0) throw new PyError('ZeroDivisionError', message)
  return value
}

function subtract(left: unknown, right: unknown): unknown {
  const set = asSet(left)
  const other = set && asSet(right)
  if (set && other) return new PySet([...set].filter((each) => !other.has(each)))
  return arithmetic('-', left, right, (a, b) => a - b)
}

function multiply(left: unknown, right: unknown): unknown {
  for (const [sequence, count] of [
    [left, right],
    [right, left],
  ]) {
    const isSequence = typeof sequence === 'string' || Array.isArray(sequence) || sequence instanceof Tuple
    if (!isSequence || isFloat(count) || numberOf(count) === undefined) continue
    return repeat(sequence, Math.max(0, numberOf(count)!))
  }
  return arithmetic('*', left, right, (a, b) => a * b)
}

function repeat(sequence: string | unknown[] | Tuple, count: number): unknown {
  const items = sequence instanceof Tuple ? sequence.items : sequence
  if (items.length * count > sizeMax)
    throw new PyError('LimitError', `a repetition would exceed ${sizeMax} characters or items`)
  if (typeof items === 'string') return items.repeat(count)
  const result: unknown[] = []
  for (let index = 0; index < count; index++) for (const each of items) result.push(each)
  return sequence instanceof Tuple ? new Tuple(result) : result
}

function divide(left: unknown, right: unknown): unknown {
  const [a, b] = [numberOf(left), numberOf(right)]
  if (a === undefined || b === undefined) return arithmetic('/', left, right, () => 0)
  return float(a / nonZero(b, isFloat(left) || isFloat(right) ? 'float division by zero' : 'division by zero'))
}

function modulo(left: unknown, right: unknown): unknown {
  if (typeof left === 'string') return percentFormat(left, right)
  return arithmetic('%', left, right, (a, b) => {
    const rest = a % nonZero(b, 'integer division or modulo by zero')
    if (rest === 0) return b < 0 ? -0 : 0
    return rest < 0 !== b < 0 ? rest + b : rest
  })
}

function power(left: unknown, right: unknown): unknown {
  const [a, b] = [numberOf(left), numberOf(right)]
  if (a === 0 && b !== undefined && b < 0) {
    throw new PyError('ZeroDivisionError', '0.0 cannot be raised to a negative power')
  }
  if (a !== undefined && b !== undefined && b < 0) return float(a ** b)
  return arithmetic('** or pow()', left, right, (x, y) => x ** y)
}

export function negative(value: unknown): unknown {
  if (value instanceof Undefined) value.fail()
  const number = numberOf(value)
  if (number === undefined) throw typeError(`bad operand type for unary -: '${typeName(value)}'`)
  if (value instanceof Decimal) return negated(value)
  if (typeof value === 'bigint') return whole(-value)
  return isFloat(value) ? float(-number) : -number + 0
}

export function positive(value: unknown): unknown {
  if (value instanceof Undefined) value.fail()
  const number = numberOf(value)
  if (number === undefined) throw typeError(`bad operand type for unary +: '${typeName(value)}'`)
  return typeof value === 'boolean' ? number : value
}

export const concat = (items: readonly unknown[]): string => items.map(str).join('')

export function compare(operator: string, left: unknown, right: unknown): boolean {
  const [set, other] = [asSet(left), asSet(right)]
  if (set && other) return compareSets(operator, set, other)
  const difference = order(left, right, operator)
  switch (operator) {
    case '<':
      return difference < 0
    case '<=':
      return difference <= 0
    case '>':
      return difference > 0
    default:
      return difference >= 0
  }
}

function compareSets(operator: string, left: PySet, right: PySet): boolean {
  const [small, large] = operator.startsWith('<') ? [left, right] : [right, left]
  const isSubset = [...small].every((each) => large.has(each))
  return isSubset && (operator.endsWith('=') || small.size < large.size)
}

export const contains = (each: unknown, container: unknown): boolean => includes(container, each)
export const tuple = (items: unknown[]): Tuple => new Tuple(items)

export function dict(flat: readonly unknown[]): Dict {
  const result = new Dict()
  for (let index = 0; index < flat.length; index += 2) result.set(flat[index], flat[index + 1])
  return result
}

// --- loops

/** `loop` inside a `for`. The items are known when it starts, so `last` and `length` cost nothing. */
export class Loop extends HostObject {
  override readonly typeName = 'LoopContext'
  readonly #items: unknown[]
  #index = -1
  #changed: unknown[] | undefined

  readonly #again: Again | undefined
  readonly #depth: number

  constructor(items: unknown[], again: Again | undefined, depth: number) {
    super()
    this.#items = items
    this.#again = again
    this.#depth = depth
  }

  override get callable(): boolean {
    return true
  }

  override call([items]: unknown[]): unknown {
    if (!this.#again) throw typeError("The loop must have the 'recursive' marker to be called")
    return this.#again(items, this.#depth + 1)
  }

  *walk(): Generator<unknown> {
    for (const each of this.#items) {
      this.#index++
      yield each
    }
  }

  override attr(name: string): unknown {
    const [index, count] = [this.#index, this.#items.length]
    switch (name) {
      case 'index':
        return index + 1
      case 'index0':
        return index
      case 'revindex':
        return count - index
      case 'revindex0':
        return count - index - 1
      case 'first':
        return index === 0
      case 'last':
        return index === count - 1
      case 'length':
        return count
      case 'depth':
        return this.#depth
      case 'depth0':
        return this.#depth - 1
      case 'previtem':
        return index > 0 ? this.#items[index - 1] : new Undefined('there is no previous item')
      case 'nextitem':
        return index < count - 1 ? this.#items[index + 1] : new Undefined('there is no next item')
      case 'cycle':
        return ((args) => this.#cycle(args)) satisfies Callable
      case 'changed':
        return ((args) => this.#hasChanged(args)) satisfies Callable
      default:
        return undefined
    }
  }

  #cycle(values: unknown[]): unknown {
    if (values.length === 0) throw typeError('no items for cycling given')
    return values[this.#index % values.length]
  }

  #hasChanged(values: unknown[]): boolean {
    const isSame = this.#changed !== undefined && equals(this.#changed, values)
    this.#changed = values
    return !isSame
  }

  override text(): string {
    return `<LoopContext ${this.#index + 1}/${this.#items.length}>`
  }

  override length(): number {
    return this.#items.length
  }
}

/** Renders a recursive loop for other items. */
type Again = (items: unknown, depth: number) => string

export const loop = (items: Iterable<unknown>, again?: Again, depth = 1): Loop => new Loop([...items], again, depth)

/** One level deeper, of macros and recursive loops together. */
function nested<Value>(rendering: Rendering, work: () => Value): Value {
  rendering.depth++
  try {
    if (rendering.depth > depthMax)
      throw new PyError('RecursionError', `macros call each other more than ${depthMax} levels deep`)
    return work()
  } finally {
    rendering.depth--
  }
}

export const helpers = {
  get,
  call,
  callMethod,
  attribute,
  item,
  slice,
  filter,
  test,
  str,
  truth,
  binary,
  add,
  compare,
  equals,
  contains,
  negative,
  positive,
  concat,
  iterate,
  unpack,
  assign,
  loop,
  nested,
  macro,
  caller,
  tuple,
  dict,
  kwargs,
  withStar,
  withStarStar,
  noElse,
  notProvided,
  Float,
  missing,
}

/** `map`, `select` and friends answer generators. */
export const generator = (items: Iterable<unknown>): Gen => new Gen(items[Symbol.iterator]())
