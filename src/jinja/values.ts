// The values a template works with, with Python's meaning.
//
// dbt's templates were written for Python: `1` and `1.0` print differently, a dict keeps `1` and `'1'` apart, a
// tuple is not a list, `.items()` is a view. So each Python type has one JavaScript form:
//
//   None null · bool boolean · str string · int an integral number · float any other number, or Float when the
//   value happens to be integral · list Array · tuple Tuple · dict Dict · set PySet · range Range · generator Gen
//   · everything a host adds: a HostObject · anything callable: a JavaScript function
//
// No operation ever reads a JavaScript property named by a template. That is what keeps templates inside: an
// attribute is looked up in the table of its type (methods.ts) or asked of the HostObject, never of the object.

/** A Python exception on its way to becoming a Failure with a place; `kind` is Python's class name. */
export class PyError extends Error {
  readonly kind: string
  constructor(kind: string, message: string) {
    super(message)
    this.kind = kind
  }
}

export const typeError = (message: string): PyError => new PyError('TypeError', message)
export const valueError = (message: string): PyError => new PyError('ValueError', message)

export type Kwargs = Record<string, unknown>
/** What a template can call. `kwargs` has no prototype, so every name is safe. */
export type Callable = (args: unknown[], kwargs: Kwargs) => unknown

/**
 * A float whose value is integral: `4 / 2` prints `2.0`. Other floats are plain numbers. A boxed number, so that it counts,
 * compares and is JSON as one where hosts keep it.
 */
export class Float extends Number {
  get value(): number {
    return this.valueOf()
  }
  override toString(): string {
    return reprFloat(this.value)
  }
}

/**
 * An integer beyond 2^53 outside of a rendering, where it is a bigint: in a syntax tree, whose readers pass over what is no
 * plain value, and in what hosts keep. All of its digits are in JSON.
 */
export class LargeInteger extends Float {
  readonly digits: bigint
  constructor(digits: bigint) {
    super(Number(digits))
    this.digits = digits
  }
  override toString(): string {
    return String(this.digits)
  }
  toJSON(): unknown {
    return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(this.digits))
  }
}

/** A decimal of the database keeps its digits, `1.50`, and is worked with as Python does: see decimal.ts. Beside a float it is one. */
export class Decimal extends Float {
  readonly text: string
  constructor(text: string) {
    super(Number(text))
    this.text = text
  }
  /** What it is told apart by: the float, where that has as many digits. */
  get key(): number | string {
    if (this.text.replace(/\D/g, '').length <= 15) return this.value
    return this.text.includes('.') ? this.text.replace(/\.?0+$/, '') : this.text
  }
  override toString(): string {
    return this.text
  }
}

export class Tuple {
  readonly items: unknown[]
  constructor(items: unknown[]) {
    this.items = items
  }
  /** Named tuples have attributes besides. */
  attr(_name: string): unknown {
    return undefined
  }
  [Symbol.iterator](): Iterator<unknown> {
    return this.items[Symbol.iterator]()
  }
}

const undefinedKey = Symbol('undefined')

/** What `==` and hashing agree on: `1`, `1.0` and `True` are one key. */
function keyOf(value: unknown): unknown {
  if (typeof value === 'string') return value.charCodeAt(0) === 0 ? `\0s${value}` : value
  if (typeof value === 'number') return value
  if (value === null) return null
  if (typeof value === 'boolean') return value ? 1 : 0
  if (value instanceof Decimal) return typeof value.key === 'string' ? `\0d${value.key}` : value.key
  if (value instanceof Float) return value.value
  if (value instanceof Tuple) return `\0t${value.items.map((item) => keyText(keyOf(item))).join('')}`
  if (value instanceof Undefined) return undefinedKey
  if (Array.isArray(value) || value instanceof Dict || value instanceof PySet) {
    throw typeError(`unhashable type: '${typeName(value)}'`)
  }
  if (value instanceof HostObject) return value.hashKey()
  return value
}

const identities = new WeakMap<object, number>()
let identityNext = 1

function keyText(key: unknown): string {
  if (typeof key === 'string') return `s${key.length}:${key}`
  if (typeof key === 'number' || typeof key === 'bigint') return `n${key};`
  if (key === null) return 'N;'
  if (typeof key === 'symbol') return 'U;'
  const object = key as object
  if (!identities.has(object)) identities.set(object, identityNext++)
  return `o${identities.get(object)};`
}

export class Dict {
  #entries = new Map<unknown, [unknown, unknown]>()
  /** Keys whose value is still the host's, as nobody has asked for it. */
  #waiting: Set<unknown> | undefined
  constructor(entries: Iterable<readonly [unknown, unknown]> = []) {
    for (const [key, value] of entries) this.set(key, value)
  }
  static of(record: Record<string, unknown>): Dict {
    return new Dict(Object.entries(record))
  }
  /** As `fromJs`, but values are made when they are asked for: of data that stays as it is, and of which most is never read. */
  static lazily(record: Record<string, unknown>): Dict {
    const dict = new Dict()
    dict.#waiting = new Set()
    for (const [key, value] of Object.entries(record)) {
      const isWaiting = typeof value === 'object' && value !== null
      dict.set(key, isWaiting ? value : fromJs(value))
      if (isWaiting) dict.#waiting.add(keyOf(key))
    }
    return dict
  }
  get size(): number {
    return this.#entries.size
  }
  /** The value, or undefined when the key is missing (a stored None is null). */
  get(key: unknown): unknown {
    const hash = keyOf(key)
    const entry = this.#entries.get(hash)
    if (entry && this.#waiting?.delete(hash)) entry[1] = fromJs(entry[1])
    return entry?.[1]
  }
  has(key: unknown): boolean {
    return this.#entries.has(keyOf(key))
  }
  set(key: unknown, value: unknown): void {
    const hash = keyOf(key)
    const entry = this.#entries.get(hash)
    this.#waiting?.delete(hash)
    if (entry) entry[1] = value
    else this.#entries.set(hash, [key, value])
  }
  delete(key: unknown): boolean {
    const hash = keyOf(key)
    this.#waiting?.delete(hash)
    return this.#entries.delete(hash)
  }
  clear(): void {
    this.#waiting = undefined
    this.#entries.clear()
  }
  entries(): IterableIterator<[unknown, unknown]> {
    for (const hash of this.#waiting ?? []) {
      const entry = this.#entries.get(hash)!
      entry[1] = fromJs(entry[1])
    }
    this.#waiting = undefined
    return this.#entries.values()
  }
  *keys(): Generator<unknown> {
    const size = this.size
    for (const [key] of this.#entries.values()) {
      yield key
      if (this.size !== size) throw new PyError('RuntimeError', 'dictionary changed size during iteration')
    }
  }
  *values(): Generator<unknown> {
    for (const [, value] of this.entries()) yield value
  }
  copy(): Dict {
    return new Dict(this.entries())
  }
}

export class PySet {
  #items = new Map<unknown, unknown>()
  constructor(items: Iterable<unknown> = []) {
    for (const item of items) this.add(item)
  }
  get size(): number {
    return this.#items.size
  }
  has(item: unknown): boolean {
    return this.#items.has(keyOf(item))
  }
  add(item: unknown): void {
    const key = keyOf(item)
    if (!this.#items.has(key)) this.#items.set(key, item)
  }
  delete(item: unknown): boolean {
    return this.#items.delete(keyOf(item))
  }
  clear(): void {
    this.#items.clear()
  }
  [Symbol.iterator](): IterableIterator<unknown> {
    return this.#items.values()
  }
}

/** `d.keys()`, `d.values()`, `d.items()`: they follow the dict and cannot be indexed. */
export class View {
  readonly kind: 'keys' | 'values' | 'items'
  readonly dict: Dict
  constructor(kind: View['kind'], dict: Dict) {
    this.kind = kind
    this.dict = dict
  }
  *[Symbol.iterator](): Generator<unknown> {
    const size = this.dict.size
    for (const [key, value] of this.dict.entries()) {
      yield this.kind === 'keys' ? key : this.kind === 'values' ? value : new Tuple([key, value])
      if (this.dict.size !== size) throw new PyError('RuntimeError', 'dictionary changed size during iteration')
    }
  }
}

/** A Python generator: can be walked once, has no length. */
export class Gen {
  readonly #iterator: Iterator<unknown>
  constructor(iterator: Iterator<unknown>) {
    this.#iterator = iterator
  }
  next(): IteratorResult<unknown> {
    return this.#iterator.next()
  }
  [Symbol.iterator](): Iterator<unknown> {
    return { next: () => this.#iterator.next() }
  }
}

export class Range {
  readonly start: number
  readonly stop: number
  readonly step: number
  constructor(start: number, stop: number, step: number) {
    this.start = start
    this.stop = stop
    this.step = step
  }
  get length(): number {
    return Math.max(0, Math.ceil((this.stop - this.start) / this.step))
  }
  at(index: number): number {
    return this.start + index * this.step
  }
  *[Symbol.iterator](): Generator<number> {
    for (let index = 0, { length } = this; index < length; index++) yield this.at(index)
  }
}

/** A name that has no value. Printing gives nothing; using it fails and says which name. */
export class Undefined {
  readonly message: string
  readonly lenient: boolean
  constructor(message: string, lenient = false) {
    this.message = message
    this.lenient = lenient
  }
  fail(): never {
    throw new PyError('UndefinedError', this.message)
  }
}

/** `namespace()`: the only object whose attributes a template may assign. */
export class Namespace {
  readonly values: Dict
  constructor(values: Dict) {
    this.values = values
  }
}

/** What a host lends to templates: relations, `adapter`, `target`. Templates see only what these methods answer. */
export abstract class HostObject {
  abstract readonly typeName: string
  /** The attribute, or undefined when there is none. */
  abstract attr(name: string): unknown
  /** `object[key]`; undefined when there is none. */
  item(_key: unknown): unknown {
    return undefined
  }
  call(_args: unknown[], _kwargs: Kwargs): unknown {
    throw typeError(`'${this.typeName}' object is not callable`)
  }
  get callable(): boolean {
    return false
  }
  /** `str(object)`. */
  text(): string {
    return `<${this.typeName} object>`
  }
  repr(): string {
    return this.text()
  }
  truthy(): boolean {
    return true
  }
  length(): number | undefined {
    return undefined
  }
  iterate(): Iterable<unknown> | undefined {
    return undefined
  }
  equals(other: unknown): boolean {
    return this === other
  }
  /** Negative, zero, positive; undefined when the two cannot be ordered. */
  compare(_other: unknown): number | undefined {
    return undefined
  }
  /** The other side of `+` or `-`; undefined when not supported. */
  arithmetic(_operator: '+' | '-', _other: unknown, _reflected: boolean): unknown {
    return undefined
  }
  hashKey(): unknown {
    return this
  }
  /** `item in object`; undefined: as its items say. */
  contains(_item: unknown): boolean | undefined {
    return undefined
  }
  /** Like a dict, for `is mapping`, `dict(x)` and `**x`. */
  mapping(): Dict | undefined {
    return undefined
  }
}

export const float = (value: number): unknown => (Number.isInteger(value) ? new Float(value) : value)

/** An int: a number, and beyond 2^53, where numbers lose digits, a bigint. */
export const whole = (value: bigint): number | bigint => {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** An int that has to be a number, such as a length. */
export function int(value: number): number {
  if (!Number.isSafeInteger(value)) throw new PyError('OverflowError', 'integer beyond 2^53 is not supported')
  return value + 0 // -0 is no int
}

export const isInt = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value)
export const isFloat = (value: unknown): value is number | Float =>
  value instanceof Float || (typeof value === 'number' && !Number.isInteger(value))
export const isNumeric = (value: unknown): boolean =>
  typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' || value instanceof Float

/** The number behind an int, float or bool; undefined for everything else. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Float) return value.value
  if (typeof value === 'boolean') return value ? 1 : 0
  return undefined
}

/** An int for an index, width or count; bools count as ints. */
export function indexOf(value: unknown, what = 'an index'): number {
  if (isInt(value)) return value
  if (typeof value === 'boolean') return value ? 1 : 0
  throw typeError(`${what} must be an integer, not '${typeName(value)}'`)
}

export function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'NoneType'
  if (typeof value === 'string') return 'str'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float'
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'function') return 'function'
  if (Array.isArray(value)) return 'list'
  if (value instanceof Float) return 'float'
  if (value instanceof Tuple) return 'tuple'
  if (value instanceof Dict) return 'dict'
  if (value instanceof PySet) return 'set'
  if (value instanceof View) return `dict_${value.kind}`
  if (value instanceof Gen) return 'generator'
  if (value instanceof Range) return 'range'
  if (value instanceof Undefined) return 'Undefined'
  if (value instanceof Namespace) return 'Namespace'
  if (value instanceof HostObject) return value.typeName
  return 'object'
}

export function truth(value: unknown): boolean {
  if (typeof value === 'boolean') return value
  if (typeof value === 'string') return value !== ''
  if (typeof value === 'number') return value !== 0
  if (value === null || value === undefined || value instanceof Undefined) return false
  if (Array.isArray(value)) return value.length > 0
  if (value instanceof Dict || value instanceof PySet) return value.size > 0
  if (value instanceof Float) return value.value !== 0
  if (value instanceof Tuple) return value.items.length > 0
  if (value instanceof View) return value.dict.size > 0
  if (value instanceof Range) return value.length > 0
  if (value instanceof HostObject) return value.truthy()
  return true
}

/** `str(value)`, which is also what `{{ value }}` prints. */
export function str(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Undefined) return ''
  if (value instanceof HostObject) return value.text()
  if (value instanceof Decimal) return value.text
  return repr(value)
}

export function repr(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'string') return reprString(value)
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number') return Number.isInteger(value) ? String(value + 0) : reprFloat(value)
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'function') return '<function>'
  if (Array.isArray(value)) return `[${value.map(repr).join(', ')}]`
  if (value instanceof Decimal) return `Decimal('${value.text}')`
  if (value instanceof LargeInteger) return String(value.digits)
  if (value instanceof Float) return reprFloat(value.value)
  if (value instanceof Tuple) return `(${value.items.map(repr).join(', ')}${value.items.length === 1 ? ',' : ''})`
  if (value instanceof Dict) return reprDict(value)
  if (value instanceof PySet) return value.size === 0 ? 'set()' : `{${[...value].map(repr).join(', ')}}`
  if (value instanceof View) return `dict_${value.kind}([${[...value].map(repr).join(', ')}])`
  if (value instanceof Range) {
    return `range(${value.start}, ${value.stop}${value.step === 1 ? '' : `, ${value.step}`})`
  }
  if (value instanceof Undefined) return 'Undefined'
  if (value instanceof Namespace) return `<Namespace ${reprDict(value.values)}>`
  if (value instanceof HostObject) return value.repr()
  return `<${typeName(value)} object>`
}

const reprDict = (dict: Dict): string =>
  `{${Array.from(dict.entries(), ([key, value]) => `${repr(key)}: ${repr(value)}`).join(', ')}}`

const escapes: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function reprString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  // Python also escapes what is not printable: control characters, and spaces other than the plain one.
  const body = text.replace(/[\\\n\r\t'"]|[^\P{C}\p{Cf}]|[\p{Cf}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, (character) => {
    if (character === "'" || character === '"') return character === quote ? `\\${character}` : character
    const known = escapes[character]
    if (known) return known
    const code = character.codePointAt(0)!
    if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`
    return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`
  })
  return quote + body + quote
}

export function reprFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (Object.is(value, -0)) return '-0.0'
  // Both languages print the shortest digits that read back; only the choice of the exponent form differs.
  const [digits, exponent] = value.toExponential().split('e') as [string, string]
  const power = Number(exponent)
  if (power < -4 || power >= 16) return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
  const plain = power < 0 ? value.toFixed(Math.min(100, digits.replace(/[-.]/g, '').length - 1 - power)) : String(value)
  return /[.]/.test(plain) ? plain : `${plain}.0`
}

export function equals(left: unknown, right: unknown): boolean {
  if (left === right) return !(typeof left === 'number' && Number.isNaN(left))
  if (typeof left === 'string' || typeof right === 'string') return hostEquals(left, right)
  if (left instanceof Decimal && right instanceof Decimal) return left.key === right.key
  const number = numberOf(left)
  // Of a bigint and a number JavaScript compares what they are worth, exactly.
  if (typeof left === 'bigint') return numberOf(right) !== undefined && left == exactOf(right)
  if (typeof right === 'bigint') return number !== undefined && right == exactOf(left)
  if (number !== undefined) return number === numberOf(right)
  if (Array.isArray(left)) return Array.isArray(right) && sameItems(left, right)
  if (left instanceof Tuple) return right instanceof Tuple && sameItems(left.items, right.items)
  if (left instanceof Dict) {
    if (!(right instanceof Dict) || left.size !== right.size) return hostEquals(left, right)
    for (const [key, value] of left.entries()) if (!right.has(key) || !equals(value, right.get(key))) return false
    return true
  }
  const [set, other] = [asSet(left), asSet(right)]
  if (set && other) return set.size === other.size && [...set].every((item) => other.has(item))
  if (left instanceof Range && right instanceof Range) return sameItems([...left], [...right])
  if (left instanceof Undefined) return right instanceof Undefined
  return hostEquals(left, right)
}

const hostEquals = (left: unknown, right: unknown): boolean =>
  (left instanceof HostObject && left.equals(right)) || (right instanceof HostObject && right.equals(left))

const sameItems = (left: unknown[], right: unknown[]): boolean =>
  left.length === right.length && left.every((item, index) => equals(item, right[index]))

const exactOf = (value: unknown): number | bigint => (typeof value === 'bigint' ? value : numberOf(value)!)

/** Sets and the views that behave like one. */
export function asSet(value: unknown): PySet | undefined {
  if (value instanceof PySet) return value
  return value instanceof View && value.kind !== 'values' ? new PySet(value) : undefined
}

/** Negative, zero or positive as Python orders the two; fails where Python would. NaN answers NaN. */
export function compare(left: unknown, right: unknown, operator = '<'): number {
  if (typeof left === 'string' && typeof right === 'string') return left === right ? 0 : left < right ? -1 : 1
  const [a, b] = [numberOf(left), numberOf(right)]
  if (a !== undefined && b !== undefined) {
    if (typeof left === 'bigint' || typeof right === 'bigint') {
      const [x, y] = [exactOf(left), exactOf(right)]
      return Number.isNaN(a + b) ? Number.NaN : x < y ? -1 : x > y ? 1 : 0
    }
    return a - b === 0 || a === b ? 0 : a - b
  }
  if (left instanceof Undefined) left.fail()
  if (right instanceof Undefined) right.fail()
  if (Array.isArray(left) && Array.isArray(right)) return compareItems(left, right, operator)
  if (left instanceof Tuple && right instanceof Tuple) return compareItems(left.items, right.items, operator)
  const host = left instanceof HostObject ? left.compare(right) : undefined
  if (host !== undefined) return host
  throw typeError(`'${operator}' not supported between instances of '${typeName(left)}' and '${typeName(right)}'`)
}

function compareItems(left: unknown[], right: unknown[], operator: string): number {
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    if (!equals(left[index], right[index])) return compare(left[index], right[index], operator)
  }
  return left.length - right.length
}

const surrogates = /[\ud800-\udfff]/

/** A string as code points, which is what Python counts. */
export const characters = (text: string): string[] => (surrogates.test(text) ? Array.from(text) : text.split(''))
export const lengthOfString = (text: string): number => (surrogates.test(text) ? Array.from(text).length : text.length)

export function length(value: unknown): number {
  if (typeof value === 'string') return lengthOfString(value)
  if (Array.isArray(value)) return value.length
  if (value instanceof Dict || value instanceof PySet) return value.size
  if (value instanceof Tuple) return value.items.length
  if (value instanceof View) return value.dict.size
  if (value instanceof Range) return value.length
  if (value instanceof Undefined) return 0
  const host = value instanceof HostObject ? value.length() : undefined
  if (host !== undefined) return host
  throw typeError(`object of type '${typeName(value)}' has no len()`)
}

/** What a `for` walks; undefined when the value cannot be walked. */
export function iterable(value: unknown): Iterable<unknown> | undefined {
  if (Array.isArray(value)) return value
  if (typeof value === 'string') return characters(value)
  if (value instanceof Dict) return value.keys()
  if (value instanceof Tuple || value instanceof PySet || value instanceof View) return value
  if (value instanceof Range || value instanceof Gen) return value
  if (value instanceof Undefined) return []
  if (value instanceof HostObject) return value.iterate()
  return undefined
}

export function iterate(value: unknown): Iterable<unknown> {
  const items = iterable(value)
  if (!items) throw typeError(`'${typeName(value)}' object is not iterable`)
  return items
}

/** All items as a fresh list. */
export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value.slice() : Array.from(iterate(value)))

export function contains(container: unknown, item: unknown): boolean {
  if (typeof container === 'string') {
    if (typeof item !== 'string') {
      throw typeError(`'in <string>' requires string as left operand, not ${typeName(item)}`)
    }
    return container.includes(item)
  }
  if (container instanceof Dict || container instanceof PySet) return container.has(item)
  if (container instanceof View && container.kind === 'keys') return container.dict.has(item)
  const own = container instanceof HostObject ? container.contains(item) : undefined
  if (own !== undefined) return own
  if (container instanceof HostObject && container.mapping()) return container.mapping()!.has(item)
  const items = iterable(container)
  if (!items) throw typeError(`argument of type '${typeName(container)}' is not iterable`)
  for (const each of items) if (equals(each, item)) return true
  return false
}

/** A callable's own kwargs object: no prototype, so `__proto__` is a name like any other. */
export const newKwargs = (): Kwargs => Object.create(null) as Kwargs

/** JSON-like host data (plain objects, arrays, strings, numbers) as template values. Floats stay distinguishable
 * only if the host passes Float for integral ones. */
export function fromJs(value: unknown): unknown {
  if (value === undefined) return null
  if (typeof value === 'bigint') return whole(value)
  if (value instanceof LargeInteger) return value.digits
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(fromJs)
  if (value instanceof Map) return new Dict(Array.from(value, ([key, item]) => [fromJs(key), fromJs(item)] as const))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  return new Dict(Object.entries(value).map(([key, item]) => [key, fromJs(item)] as const))
}

/** Template values as JSON-like host data. Dicts become plain objects with string keys; `1.0` remains a Float. */
export function toJs(value: unknown): unknown {
  if (value instanceof Float) return value
  if (value instanceof Undefined || value === undefined) return null
  if (typeof value === 'bigint') return new LargeInteger(value)
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? repr(value) : value
  if (value instanceof Dict) {
    const record: Record<string, unknown> = {}
    for (const [key, item] of value.entries()) {
      Object.defineProperty(record, str(key), {
        value: toJs(item),
        enumerable: true,
        writable: true,
        configurable: true,
      })
    }
    return record
  }
  const host = value instanceof HostObject ? value.mapping() : undefined
  if (host) return toJs(host)
  const items = iterable(value)
  return items ? Array.from(items, toJs) : str(value)
}
