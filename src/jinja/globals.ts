// The functions that every template has: Jinja2's `range`, `dict`, `namespace`, `cycler`, `joiner`, and dbt's `return`.

import { bind } from './arguments.ts'
import { pairsOf } from './methods.ts'
import { returnFunction } from './runtime.ts'
import {
  Dict,
  HostObject,
  indexOf,
  Namespace,
  PyError,
  Range,
  typeError,
  Undefined,
  valueError,
  type Callable,
  type Kwargs,
} from './values.ts'

/** Jinja's sandbox stops longer ranges. */
const rangeMax = 100_000

const range: Callable = (args, kwargs) => {
  if (Object.keys(kwargs).length > 0) throw typeError('range() takes no keyword arguments')
  if (args.length === 0 || args.length > 3) throw typeError(`range expected 1 to 3 arguments, got ${args.length}`)
  for (const each of args) if (each instanceof Undefined) each.fail()
  const [a, b, c] = args.map((each) => indexOf(each, 'range() argument'))
  const step = c ?? 1
  if (step === 0) throw valueError('range() arg 3 must not be zero')
  const found = b === undefined ? new Range(0, a!, step) : new Range(a!, b, step)
  if (found.length > rangeMax)
    throw new PyError('OverflowError', `Range too big. The sandbox blocks ranges larger than MAX_RANGE (${rangeMax}).`)
  return found
}

/** `dict(pairs, a=1)`. */
const dict: Callable = (args, kwargs) => {
  const [from] = bind('dict', ['mapping?'], args, {} as Kwargs)
  const result = new Dict(from === undefined ? [] : [...pairsOf(from)])
  for (const key in kwargs) result.set(key, kwargs[key])
  return result
}

class Cycler extends HostObject {
  override readonly typeName = 'Cycler'
  readonly #items: unknown[]
  #at = 0
  constructor(items: unknown[]) {
    super()
    this.#items = items
  }
  override attr(name: string): unknown {
    switch (name) {
      case 'current':
        return this.#items[this.#at]
      case 'next':
        return (() => {
          const value = this.#items[this.#at]
          this.#at = (this.#at + 1) % this.#items.length
          return value
        }) satisfies Callable
      case 'reset':
        return (() => ((this.#at = 0), null)) satisfies Callable
      default:
        return undefined
    }
  }
}

class Joiner extends HostObject {
  override readonly typeName = 'Joiner'
  readonly #separator: unknown
  #used = false
  constructor(separator: unknown) {
    super()
    this.#separator = separator
  }
  override attr(): unknown {
    return undefined
  }
  override get callable(): boolean {
    return true
  }
  override call(): unknown {
    if (this.#used) return this.#separator
    this.#used = true
    return ''
  }
}

export const builtins: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['range', range],
  ['dict', dict],
  ['namespace', ((args, kwargs) => new Namespace(dict(args, kwargs) as Dict)) satisfies Callable],
  [
    'cycler',
    ((args) => {
      if (args.length === 0) throw typeError('at least one item has to be provided')
      return new Cycler(args)
    }) satisfies Callable,
  ],
  ['joiner', (([separator = ', ']) => new Joiner(separator)) satisfies Callable],
  ['return', returnFunction],
])
