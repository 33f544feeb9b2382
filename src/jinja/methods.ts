// The methods of Python's built-in types that templates may call. What is not in these tables does not exist for a
// template: this, and never a JavaScript property, is where `value.name` looks.

import { bind } from './arguments.ts'
import { strFormat } from './format.ts'
import { attribute, item as itemOf, sizeMax, type Rendering } from './runtime.ts'
import {
  asSet,
  characters,
  compare,
  contains,
  Dict,
  equals,
  float,
  Float,
  indexOf,
  iterate,
  listOf,
  numberOf,
  PyError,
  PySet,
  HostObject,
  Range,
  repr,
  str,
  Tuple,
  truth,
  typeError,
  typeName,
  valueError,
  View,
  type Callable,
  type Kwargs,
} from './values.ts'

type Method = (self: never, args: unknown[], kwargs: Kwargs, rendering: Rendering) => unknown
export type BoundMethod = (self: unknown, args: unknown[], kwargs: Kwargs, rendering: Rendering) => unknown

/** A method with named parameters (`x?` optional); its body gets them in order. */
const method = <Self>(
  name: string,
  parameters: readonly string[],
  run: (self: Self, ...bound: never[]) => unknown,
): [string, Method] => [
  name,
  ((self: Self, args: unknown[], kwargs: Kwargs) =>
    (run as (self: Self, ...bound: unknown[]) => unknown)(self, ...bind(name, parameters, args, kwargs))) as Method,
]

const text = (value: unknown, callee: string): string => {
  if (typeof value !== 'string') throw typeError(`${callee}() argument must be str, not ${typeName(value)}`)
  return value
}

// --- str

const spaces = /^\s+|\s+$/g
const escapeClass = (set: string) => set.replace(/[\\\]^-]/g, '\\$&')

function strip(self: string, set: unknown, sides: 'both' | 'left' | 'right'): string {
  if (set === undefined || set === null) {
    return sides === 'both' ? self.replace(spaces, '') : sides === 'left' ? self.trimStart() : self.trimEnd()
  }
  if (set === '') return self
  const allowed = `[${escapeClass(text(set, 'strip'))}]+`
  let result = self
  if (sides !== 'right') result = result.replace(new RegExp(`^${allowed}`, 'u'), '')
  if (sides !== 'left') {
    // From the end by hand: a regular expression would try every position.
    const members = new Set(characters(set as string))
    const all = characters(result)
    let end = all.length
    while (end > 0 && members.has(all[end - 1]!)) end--
    result = all.slice(0, end).join('')
  }
  return result
}

function split(self: string, separator: unknown, limit: unknown): string[] {
  const times = limit === undefined ? -1 : indexOf(limit)
  if (separator === undefined || separator === null) {
    const trimmed = self.trimStart()
    if (trimmed === '') return []
    const parts: string[] = []
    let rest = trimmed
    while (times < 0 || parts.length < times) {
      const match = /\s+/.exec(rest)
      if (!match) break
      parts.push(rest.slice(0, match.index))
      rest = rest.slice(match.index + match[0].length)
      if (rest === '') return parts
    }
    return [...parts, times < 0 || parts.length < times ? rest.trimEnd() : rest].filter((part) => part !== '')
  }
  const by = text(separator, 'split')
  if (by === '') throw valueError('empty separator')
  const parts = self.split(by)
  return times < 0 || parts.length <= times + 1 ? parts : [...parts.slice(0, times), parts.slice(times).join(by)]
}

function splitRight(self: string, separator: unknown, limit: unknown): string[] {
  if (limit === undefined || indexOf(limit) < 0) return split(self, separator, undefined)
  const times = indexOf(limit)
  if (separator === undefined || separator === null) {
    const reversed = characters(self).reverse().join('')
    return split(reversed, undefined, limit)
      .map((part) => characters(part).reverse().join(''))
      .reverse()
  }
  const by = text(separator, 'rsplit')
  if (by === '') throw valueError('empty separator')
  const parts = self.split(by)
  const head = Math.max(0, parts.length - times)
  return parts.length <= times + 1 ? parts : [parts.slice(0, head).join(by), ...parts.slice(head)]
}

/** `self[start:end]` as Python's find, count and startswith take it. */
function window(self: string, start: unknown, end: unknown): { text: string; from: number } {
  const all = characters(self)
  const at = (value: unknown, fallback: number) => {
    if (value === undefined || value === null) return fallback
    const index = indexOf(value)
    return Math.max(0, Math.min(all.length, index < 0 ? index + all.length : index))
  }
  const from = at(start, 0)
  return { text: all.slice(from, at(end, all.length)).join(''), from }
}

function find(self: string, part: unknown, start: unknown, end: unknown, fromRight: boolean): number {
  const within = window(self, start, end)
  const wanted = text(part, 'find')
  const found = fromRight ? within.text.lastIndexOf(wanted) : within.text.indexOf(wanted)
  return found < 0 ? -1 : within.from + characters(within.text.slice(0, found)).length
}

function index(self: string, part: unknown, start: unknown, end: unknown, fromRight: boolean): number {
  const found = find(self, part, start, end, fromRight)
  if (found < 0) throw valueError('substring not found')
  return found
}

function count(self: string, part: unknown, start: unknown, end: unknown): number {
  const within = window(self, start, end).text
  const wanted = text(part, 'count')
  return wanted === '' ? characters(within).length + 1 : within.split(wanted).length - 1
}

function beginsOrEnds(self: string, part: unknown, start: unknown, end: unknown, atEnd: boolean): boolean {
  const within = start === undefined && end === undefined ? self : window(self, start, end).text
  const parts = part instanceof Tuple ? part.items : [part]
  return parts.some((each) => {
    const wanted = text(each, atEnd ? 'endswith' : 'startswith')
    return atEnd ? within.endsWith(wanted) : within.startsWith(wanted)
  })
}

function replace(self: string, from: unknown, to: unknown, limit: unknown): string {
  const [old, fresh] = [text(from, 'replace'), text(to, 'replace')]
  const times = limit === undefined ? -1 : indexOf(limit)
  const parts = old === '' ? ['', ...characters(self), ''] : self.split(old)
  if ((parts.length - 1) * fresh.length > sizeMax)
    throw new PyError('LimitError', 'the result of replace() is too long')
  if (times < 0 || parts.length - 1 <= times) return parts.join(fresh)
  return [parts.slice(0, times + 1).join(fresh), ...parts.slice(times + 1)].join(old)
}

function pad(self: string, width: unknown, fill: unknown, side: 'left' | 'right' | 'center'): string {
  const [wanted, by] = [indexOf(width), fill === undefined ? ' ' : text(fill, 'pad')]
  if (characters(by).length !== 1) throw typeError('The fill character must be exactly one character long')
  if (wanted > sizeMax) throw new PyError('LimitError', `a width above ${sizeMax}`)
  const space = Math.max(0, wanted - characters(self).length)
  if (side === 'left') return by.repeat(space) + self
  if (side === 'right') return self + by.repeat(space)
  const left = Math.floor(space / 2) + (space & wanted & 1)
  return by.repeat(left) + self + by.repeat(space - left)
}

const capitalised = (word: string): string => {
  const [first = '', ...rest] = characters(word)
  return first.toUpperCase() + rest.join('').toLowerCase()
}
const titled = (self: string): string => self.replace(/\p{L}+/gu, capitalised)
// What Python counts as the end of a line, besides \r\n.
// oxlint-disable-next-line no-control-regex
const lineEnd = /(?<=\r\n|[\n\v\f\x1c-\x1e\x85\u2028\u2029]|\r(?!\n))/
function lines(self: string, keep: unknown): string[] {
  const parts = self.split(lineEnd).filter((part) => part !== '')
  if (keep !== undefined && truth(keep)) return parts
  return parts.map((part) => part.slice(0, part.endsWith('\r\n') ? -2 : lineEnd.test(part) ? -1 : undefined))
}

function partition(self: string, separator: unknown, fromRight: boolean): Tuple {
  const by = text(separator, 'partition')
  if (by === '') throw valueError('empty separator')
  const at = fromRight ? self.lastIndexOf(by) : self.indexOf(by)
  if (at < 0) return new Tuple(fromRight ? ['', '', self] : [self, '', ''])
  return new Tuple([self.slice(0, at), by, self.slice(at + by.length)])
}

const zfill = (self: string, width: unknown): string => {
  const [, sign, digits] = /^([+-]?)([^]*)$/.exec(self)!
  return sign + pad(digits!, indexOf(width) - sign!.length, '0', 'left')
}

function expandTabs(self: string, size: unknown): string {
  const width = size === undefined ? 8 : Math.max(0, Math.min(1000, indexOf(size)))
  let column = 0
  return characters(self)
    .map((each) => {
      const shown = each === '\t' ? ' '.repeat(width === 0 ? 0 : width - (column % width)) : each
      column = each === '\n' || each === '\r' ? 0 : column + shown.length
      return shown
    })
    .join('')
}

function translate(self: string, table: unknown): string {
  if (!(table instanceof Dict)) throw typeError('translate() needs a dict')
  return characters(self)
    .map((each) => {
      const to = table.get(each.codePointAt(0))
      return to === undefined ? each : to === null ? '' : typeof to === 'number' ? String.fromCodePoint(to) : str(to)
    })
    .join('')
}

/** The table of `translate`: by code, what stands there instead; null for nothing. */
function makeTable(_: string, from: unknown, to: unknown, without: unknown): Dict {
  if (to === undefined) {
    if (!(from instanceof Dict)) throw typeError('if you give only one argument to maketrans it must be a dict')
    return new Dict(Array.from(from.entries(), ([key, value]) => [codeOf(key), value] as const))
  }
  const [left, right, gone] = [from, to, without ?? ''].map((each) => {
    if (typeof each !== 'string') throw typeError(`maketrans() argument must be str, not ${typeName(each)}`)
    return characters(each)
  })
  if (left!.length !== right!.length) throw valueError('the first two maketrans arguments must have equal length')
  return new Dict([
    ...left!.map((each, at) => [codeOf(each), codeOf(right![at])] as const),
    ...gone!.map((each) => [codeOf(each), null] as const),
  ])
}

function codeOf(key: unknown): unknown {
  if (typeof key !== 'string') return key
  if (characters(key).length !== 1) throw valueError('string keys in translate table must be of length 1')
  return key.codePointAt(0)
}

const all = (pattern: RegExp) => (self: string) => pattern.test(self)
const hasCase = (self: string) => /[\p{Lu}\p{Ll}\p{Lt}]/u.test(self)

function join(self: string, items: unknown): string {
  return Array.from(iterate(items), (each, at) => {
    if (typeof each !== 'string') throw typeError(`sequence item ${at}: expected str instance, ${typeName(each)} found`)
    return each
  }).join(self)
}

const strings = new Map<string, Method>([
  method('lower', [], (self: string) => self.toLowerCase()),
  method('upper', [], (self: string) => self.toUpperCase()),
  method('casefold', [], (self: string) => self.toLowerCase().replaceAll('ß', 'ss')),
  method('swapcase', [], (self: string) =>
    characters(self)
      .map((c) => (c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase()))
      .join(''),
  ),
  method('capitalize', [], capitalised),
  method('title', [], titled),
  method('strip', ['chars?'], (self: string, set) => strip(self, set, 'both')),
  method('lstrip', ['chars?'], (self: string, set) => strip(self, set, 'left')),
  method('rstrip', ['chars?'], (self: string, set) => strip(self, set, 'right')),
  method('split', ['sep?', 'maxsplit?'], split),
  method('rsplit', ['sep?', 'maxsplit?'], splitRight),
  method('splitlines', ['keepends?'], lines),
  method('join', ['iterable'], join),
  method('replace', ['old', 'new', 'count?'], replace),
  method('startswith', ['prefix', 'start?', 'end?'], (self: string, p, s, e) => beginsOrEnds(self, p, s, e, false)),
  method('endswith', ['suffix', 'start?', 'end?'], (self: string, p, s, e) => beginsOrEnds(self, p, s, e, true)),
  method('removeprefix', ['prefix'], (self: string, part: unknown) =>
    self.startsWith(text(part, 'removeprefix')) ? self.slice(str(part).length) : self,
  ),
  method('removesuffix', ['suffix'], (self: string, part: unknown) =>
    str(part) !== '' && self.endsWith(text(part, 'removesuffix')) ? self.slice(0, -str(part).length) : self,
  ),
  method('find', ['sub', 'start?', 'end?'], (self: string, p, s, e) => find(self, p, s, e, false)),
  method('rfind', ['sub', 'start?', 'end?'], (self: string, p, s, e) => find(self, p, s, e, true)),
  method('index', ['sub', 'start?', 'end?'], (self: string, p, s, e) => index(self, p, s, e, false)),
  method('rindex', ['sub', 'start?', 'end?'], (self: string, p, s, e) => index(self, p, s, e, true)),
  method('count', ['sub', 'start?', 'end?'], count),
  method('partition', ['sep'], (self: string, separator) => partition(self, separator, false)),
  method('rpartition', ['sep'], (self: string, separator) => partition(self, separator, true)),
  method('ljust', ['width', 'fillchar?'], (self: string, width, fill) => pad(self, width, fill, 'right')),
  method('rjust', ['width', 'fillchar?'], (self: string, width, fill) => pad(self, width, fill, 'left')),
  method('center', ['width', 'fillchar?'], (self: string, width, fill) => pad(self, width, fill, 'center')),
  method('zfill', ['width'], zfill),
  method('expandtabs', ['tabsize?'], expandTabs),
  method('translate', ['table'], translate),
  method('maketrans', ['x', 'y?', 'z?'], makeTable),
  method('isdigit', [], all(/^[\p{Nd}²³¹]+$/u)),
  method('isdecimal', [], all(/^\p{Nd}+$/u)),
  method('isnumeric', [], all(/^\p{N}+$/u)),
  method('isalpha', [], all(/^\p{L}+$/u)),
  method('isalnum', [], all(/^[\p{L}\p{N}]+$/u)),
  method('isspace', [], all(/^\s+$/)),
  method('isprintable', [], (self: string) => /^(?:[^\p{C}\p{Z}]| )*$/u.test(self)),
  method('isascii', [], (self: string) => /^[\0-\x7f]*$/.test(self)),
  method('isidentifier', [], all(/^[\p{L}_][\p{L}\p{Nd}\p{Mn}\p{Mc}_]*$/u)),
  method('islower', [], (self: string) => hasCase(self) && self === self.toLowerCase()),
  method('isupper', [], (self: string) => hasCase(self) && self === self.toUpperCase()),
  method('istitle', [], (self: string) => hasCase(self) && self === titled(self)),
  [
    'format',
    ((self: string, args: unknown[], kwargs: Kwargs, rendering: Rendering) =>
      strFormat(self, args, kwargs, {
        attribute: (value, name) => attribute(rendering, value, name),
        item: (value, key) => itemOf(rendering, value, key),
      })) as Method,
  ],
  method('format_map', ['mapping'], (self: string, mapping: unknown) => {
    if (!(mapping instanceof Dict)) throw typeError('format_map() needs a dict')
    const kwargs = Object.assign(Object.create(null) as Kwargs, Object.fromEntries(mapping.entries()))
    return strFormat(self, [], kwargs, { attribute: () => undefined, item: () => undefined })
  }),
])

// --- list and tuple

function position(items: readonly unknown[], wanted: unknown, kind: string): number {
  const found = items.findIndex((each) => equals(each, wanted))
  if (found < 0) throw valueError(`${repr(wanted)} is not in ${kind}`)
  return found
}

/** Python's stable sort, with a key and in reverse; also used by the filter `sort`. */
export function sorted(items: unknown[], key: ((each: unknown) => unknown) | undefined, reverse: boolean): unknown[] {
  const keyed = items.map((each) => ({ each, key: key ? key(each) : each }))
  keyed.sort((a, b) => (reverse ? compare(b.key, a.key) : compare(a.key, b.key)))
  return keyed.map(({ each }) => each)
}

function sortInPlace(self: unknown[], key: unknown, reverse: unknown): null {
  const by =
    typeof key === 'function' ? (each: unknown) => (key as Callable)([each], Object.create(null) as Kwargs) : undefined
  const result = sorted(self, by, reverse !== undefined && truth(reverse))
  result.forEach((each, at) => (self[at] = each))
  return null
}

function popAt(self: unknown[], at: unknown): unknown {
  if (self.length === 0) throw new PyError('IndexError', 'pop from empty list')
  const index = at === undefined ? self.length - 1 : indexOf(at)
  const found = index < 0 ? index + self.length : index
  if (found < 0 || found >= self.length) throw new PyError('IndexError', 'pop index out of range')
  return self.splice(found, 1)[0]
}

function extend(self: unknown[], more: unknown): null {
  for (const each of listOf(more)) self.push(each)
  return null
}

const lists = new Map<string, Method>([
  method('append', ['object'], (self: unknown[], each) => (self.push(each), null)),
  method('extend', ['iterable'], extend),
  method('insert', ['index', 'object'], (self: unknown[], at, each) => (self.splice(indexOf(at), 0, each), null)),
  method('remove', ['value'], (self: unknown[], each) => {
    const found = self.findIndex((other) => equals(other, each))
    if (found < 0) throw valueError('list.remove(x): x not in list')
    self.splice(found, 1)
    return null
  }),
  method('pop', ['index?'], popAt),
  method('clear', [], (self: unknown[]) => ((self.length = 0), null)),
  method('index', ['value', 'start?', 'stop?'], (self: unknown[], each, start = 0, stop = self.length) => {
    const [from, to] = [start, stop].map((at) =>
      indexOf(at) < 0 ? Math.max(0, self.length + indexOf(at)) : indexOf(at),
    )
    return from! + position(self.slice(from, to), each, 'list')
  }),
  method('count', ['value'], (self: unknown[], each) => self.filter((other) => equals(other, each)).length),
  method('reverse', [], (self: unknown[]) => (self.reverse(), null)),
  method('copy', [], (self: unknown[]) => self.slice()),
  method('sort', ['key?', 'reverse?'], sortInPlace),
])

const tuples = new Map<string, Method>([
  method('index', ['value'], (self: Tuple, each) => position(self.items, each, 'tuple')),
  method('count', ['value'], (self: Tuple, each) => self.items.filter((other) => equals(other, each)).length),
])

// --- dict

/** What `dict(x)` and `d.update(x)` take: a dict, or pairs. */
export function pairsOf(value: unknown): Iterable<readonly [unknown, unknown]> {
  if (value instanceof Dict) return value.entries()
  const host = value instanceof HostObject ? value.mapping() : undefined
  if (host) return host.entries()
  return Array.from(iterate(value), (pair, at) => {
    const items = listOf(pair)
    if (items.length !== 2) {
      throw valueError(`dictionary update sequence element #${at} has length ${items.length}; 2 is required`)
    }
    return [items[0], items[1]] as const
  })
}

function update(self: Dict, args: unknown[], kwargs: Kwargs): null {
  if (args.length > 1) throw typeError(`update expected at most 1 argument, got ${args.length}`)
  if (args.length === 1) for (const [key, value] of pairsOf(args[0])) self.set(key, value)
  for (const key in kwargs) self.set(key, kwargs[key])
  return null
}

function popKey(self: Dict, key: unknown, fallback: unknown): unknown {
  const value = self.get(key)
  if (value === undefined) {
    if (fallback === undefined) throw new PyError('KeyError', repr(key))
    return fallback
  }
  self.delete(key)
  return value
}

function popLast(self: Dict): Tuple {
  const last = [...self.entries()].at(-1)
  if (!last) throw new PyError('KeyError', "'popitem(): dictionary is empty'")
  self.delete(last[0])
  return new Tuple([...last])
}

function setDefault(self: Dict, key: unknown, fallback: unknown = null): unknown {
  const value = self.get(key)
  if (value !== undefined) return value
  self.set(key, fallback)
  return fallback
}

const dicts = new Map<string, Method>([
  method(
    'get',
    ['key', 'default?'],
    (self: Dict, key, fallback) => self.get(key) ?? (self.has(key) ? null : (fallback ?? null)),
  ),
  method('keys', [], (self: Dict) => new View('keys', self)),
  method('values', [], (self: Dict) => new View('values', self)),
  method('items', [], (self: Dict) => new View('items', self)),
  ['update', update as Method],
  method('pop', ['key', 'default?'], popKey),
  method('popitem', [], popLast),
  method('setdefault', ['key', 'default?'], setDefault),
  method('copy', [], (self: Dict) => self.copy()),
  method('clear', [], (self: Dict) => (self.clear(), null)),
  method(
    'fromkeys',
    ['iterable', 'value?'],
    (_self: Dict, keys, value) => new Dict(listOf(keys).map((key) => [key, value ?? null] as const)),
  ),
])

// --- set and the views that behave like one

const every = (items: Iterable<unknown>, holds: (each: unknown) => boolean): boolean => [...items].every(holds)
const others = (args: unknown[]): PySet[] => args.map((each) => asSet(each) ?? new PySet(iterate(each)))

const setMethods: [string, Method][] = [
  [
    'union',
    ((self: PySet, args: unknown[]) => new PySet([...self, ...others(args).flatMap((each) => [...each])])) as Method,
  ],
  [
    'intersection',
    ((self: PySet, args: unknown[]) => {
      const sets = others(args)
      return new PySet([...self].filter((each) => sets.every((set) => set.has(each))))
    }) as Method,
  ],
  [
    'difference',
    ((self: PySet, args: unknown[]) => {
      const sets = others(args)
      return new PySet([...self].filter((each) => !sets.some((set) => set.has(each))))
    }) as Method,
  ],
  method('symmetric_difference', ['other'], (self: PySet, other: unknown) => {
    const set = new PySet(iterate(other))
    return new PySet([...[...self].filter((each) => !set.has(each)), ...[...set].filter((each) => !self.has(each))])
  }),
  method('issubset', ['other'], (self: PySet, other: unknown) => every(self, (each) => contains(other, each))),
  method('issuperset', ['other'], (self: PySet, other: unknown) => every(iterate(other), (each) => self.has(each))),
  method('isdisjoint', ['other'], (self: PySet, other: unknown) => every(iterate(other), (each) => !self.has(each))),
  method('copy', [], (self: PySet) => new PySet(self)),
]

const sets = new Map<string, Method>([
  ...setMethods,
  method('add', ['item'], (self: PySet, each) => (self.add(each), null)),
  method('discard', ['item'], (self: PySet, each) => (self.delete(each), null)),
  method('remove', ['item'], (self: PySet, each) => {
    if (!self.delete(each)) throw new PyError('KeyError', repr(each))
    return null
  }),
  method('pop', [], (self: PySet) => {
    const [first] = self
    if (self.size === 0) throw new PyError('KeyError', "'pop from an empty set'")
    self.delete(first)
    return first
  }),
  method('clear', [], (self: PySet) => (self.clear(), null)),
  [
    'update',
    ((self: PySet, args: unknown[]) => {
      for (const set of others(args)) for (const each of set) self.add(each)
      return null
    }) as Method,
  ],
  [
    'difference_update',
    ((self: PySet, args: unknown[]) => {
      for (const set of others(args)) for (const each of set) self.delete(each)
      return null
    }) as Method,
  ],
  [
    'intersection_update',
    ((self: PySet, args: unknown[]) => {
      const sets = others(args)
      for (const each of self) if (!sets.every((set) => set.has(each))) self.delete(each)
      return null
    }) as Method,
  ],
])

const setLike = new Map(setMethods)

// --- numbers

const ints = new Map<string, Method>([
  method('bit_length', [], (self: number | bigint) => (self === 0 ? 0 : self.toString(2).replace('-', '').length)),
  method('is_integer', [], () => true),
])

const floats = new Map<string, Method>([
  method('is_integer', [], (self: Float | number) => self instanceof Float),
  method('conjugate', [], (self: Float | number) => float(numberOf(self)!)),
])

const ranges = new Map<string, Method>([
  method('count', ['value'], (self: Range, each: unknown) => [...self].filter((other) => equals(other, each)).length),
  method('index', ['value'], (self: Range, each: unknown) => position([...self], each, 'range')),
])

function tableOf(value: unknown): ReadonlyMap<string, Method> | undefined {
  if (typeof value === 'string') return strings
  if (Array.isArray(value)) return lists
  if (value instanceof Dict) return dicts
  if (value instanceof Tuple) return tuples
  if (value instanceof PySet) return sets
  if (value instanceof View) return value.kind === 'values' ? undefined : setLike
  if (value instanceof Float) return floats
  if (typeof value === 'number') return Number.isInteger(value) ? ints : floats
  if (typeof value === 'bigint') return ints
  if (value instanceof Range) return ranges
  return undefined
}

/** The method of that name of the value's type. */
export function methodOf(value: unknown, name: string): BoundMethod | undefined {
  const found = tableOf(value)?.get(name) as BoundMethod | undefined
  if (found && value instanceof View)
    return (self, args, kwargs, rendering) => found(new PySet(self as View), args, kwargs, rendering)
  return found
}
