// Jinja2's filters (jinja2/filters.py), with dbt's as_bool, as_native, as_number, as_text, which do nothing to text.

import { bind } from './arguments.ts'
import { negated, roundedTo } from './decimal.ts'
import { fixed, parseFloatText, parseIntText, percentFormat, roundTo } from './format.ts'
import { toJson } from './json.ts'
import { pairsOf, sorted } from './methods.ts'
import { predicates } from './predicates.ts'
import { add, attribute, call, generator, item, sizeMax, test, type Rendering } from './runtime.ts'
import {
  characters,
  compare,
  Dict,
  equals,
  Decimal,
  Float,
  float,
  HostObject,
  indexOf,
  isFloat,
  iterate,
  length,
  listOf,
  newKwargs,
  numberOf,
  whole,
  PyError,
  PySet,
  repr,
  str,
  truth,
  Tuple,
  typeError,
  typeName,
  Undefined,
  valueError,
  type Kwargs,
} from './values.ts'

export type Filter = (rendering: Rendering, value: unknown, args: unknown[], kwargs: Kwargs) => unknown

const filter = (
  name: string,
  parameters: readonly string[],
  run: (value: unknown, bound: unknown[], rendering: Rendering) => unknown,
): [string, Filter] => [
  name,
  (rendering, value, args, kwargs) => run(value, bind(name, parameters, args, kwargs), rendering),
]

const same = (value: unknown): unknown => value
const flag = (value: unknown, fallback: boolean): boolean => (value === undefined ? fallback : truth(value))
const number = (value: unknown, fallback: number): number => (value === undefined ? fallback : indexOf(value))

/** `a.b.0` walks attributes and items; what is missing on the way takes the default. */
function getter(rendering: Rendering, path: unknown, fallback?: unknown): (value: unknown) => unknown {
  const parts =
    typeof path === 'string'
      ? path.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part))
      : path === undefined || path === null
        ? []
        : [path]
  return (value) => {
    let found = value
    for (const part of parts) {
      found = item(rendering, found, part)
      if (found instanceof Undefined && fallback !== undefined && fallback !== null) found = fallback
    }
    return found
  }
}

const folded = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value)
const keyOf = (rendering: Rendering, path: unknown, caseSensitive: boolean, fallback?: unknown) => {
  const get = getter(rendering, path, fallback)
  return caseSensitive ? get : (value: unknown) => folded(get(value))
}

function* mapped(items: Iterable<unknown>, change: (each: unknown) => unknown): Generator<unknown> {
  for (const each of items) yield change(each)
}

function map(rendering: Rendering, value: unknown, args: unknown[], kwargs: Kwargs): unknown {
  if (!truth(value)) return generator([])
  if (args.length === 0 && 'attribute' in kwargs) {
    const { attribute: path, default: fallback, ...rest } = kwargs
    const unexpected = Object.keys(rest)[0]
    if (unexpected) throw new PyError('FilterArgumentError', `Unexpected keyword argument '${unexpected}'`)
    return generator(mapped(iterate(value), getter(rendering, path, fallback)))
  }
  if (args.length === 0) throw new PyError('FilterArgumentError', 'map requires a filter argument')
  const [name, ...rest] = args
  const apply = filters.get(str(name))
  if (!apply) throw new PyError('TemplateRuntimeError', `No filter named ${repr(name)}.`)
  return generator(mapped(iterate(value), (each) => apply(rendering, each, rest, kwargs)))
}

function* kept(items: Iterable<unknown>, holds: (each: unknown) => boolean): Generator<unknown> {
  for (const each of items) if (holds(each)) yield each
}

/** select, reject, selectattr, rejectattr. */
const choose = (name: string, keep: boolean, byAttribute: boolean): [string, Filter] => [
  name,
  (rendering, value, args, kwargs) => {
    if (!truth(value)) return generator([])
    const rest = byAttribute ? args.slice(1) : args
    if (byAttribute && args.length === 0)
      throw new PyError('FilterArgumentError', 'Missing parameter for attribute name')
    const get = byAttribute ? getter(rendering, args[0]) : same
    const [testName, ...testArgs] = rest
    if (testName !== undefined && !predicates.has(str(testName))) {
      throw new PyError('TemplateRuntimeError', `No test named ${repr(testName)}.`)
    }
    const holds =
      testName === undefined
        ? (each: unknown) => truth(get(each))
        : (each: unknown) => test(rendering, str(testName), get(each), testArgs, kwargs)
    return generator(kept(iterate(value), (each) => holds(each) === keep))
  },
]

function* batches(items: Iterable<unknown>, size: number, fill: unknown): Generator<unknown> {
  let batch: unknown[] = []
  for (const each of items) {
    if (batch.length === size) {
      yield batch
      batch = []
    }
    batch.push(each)
  }
  if (batch.length === 0) return
  if (fill !== undefined && fill !== null) while (batch.length < size) batch.push(fill)
  yield batch
}

function* slices(value: unknown, count: number, fill: unknown): Generator<unknown> {
  const items = listOf(value)
  const size = Math.floor(items.length / count)
  const larger = items.length % count
  let offset = 0
  for (let slice = 0; slice < count; slice++) {
    const start = offset + slice * size
    if (slice < larger) offset++
    const part = items.slice(start, offset + (slice + 1) * size)
    if (fill !== undefined && fill !== null && slice >= larger) part.push(fill)
    yield part
  }
}

class Group extends Tuple {
  override attr(name: string): unknown {
    return name === 'grouper' ? this.items[0] : name === 'list' ? this.items[1] : undefined
  }
}

function groupby(value: unknown, [path, fallback, caseSensitive]: unknown[], rendering: Rendering): unknown[] {
  const isSensitive = flag(caseSensitive, false)
  const key = keyOf(rendering, path, isSensitive, fallback)
  const plain = getter(rendering, path, fallback)
  const groups: { key: unknown; group: Group }[] = []
  for (const each of sorted(listOf(value), key, false)) {
    const found = key(each)
    const last = groups.at(-1)
    if (last && equals(last.key, found)) (last.group.items[1] as unknown[]).push(each)
    else groups.push({ key: found, group: new Group([isSensitive ? found : plain(each), [each]]) })
  }
  return groups.map(({ group }) => group)
}

function sort(value: unknown, [reverse, caseSensitive, paths]: unknown[], rendering: Rendering): unknown[] {
  const parts = typeof paths === 'string' ? paths.split(',') : [paths]
  const getters = parts.map((path) => keyOf(rendering, path, flag(caseSensitive, false)))
  // Lists, as in Jinja: equal items are not asked which is less, so several nones can be sorted.
  return sorted(listOf(value), (each) => getters.map((get) => get(each)), flag(reverse, false))
}

function* unique(items: Iterable<unknown>, key: (each: unknown) => unknown): Generator<unknown> {
  const seen = new PySet()
  for (const each of items) {
    const found = key(each)
    if (seen.has(found)) continue
    seen.add(found)
    yield each
  }
}

function extreme(value: unknown, [caseSensitive, path]: unknown[], rendering: Rendering, sign: 1 | -1): unknown {
  const key = keyOf(rendering, path, flag(caseSensitive, false))
  const items = listOf(value)
  if (items.length === 0) return rendering.undefined('No aggregated item, sequence was empty.')
  return items.reduce((best, each) => (sign * compare(key(each), key(best)) < 0 ? each : best))
}

function dictsort(value: unknown, [caseSensitive, by, reverse]: unknown[]): unknown[] {
  const at = by === undefined || by === 'key' ? 0 : by === 'value' ? 1 : undefined
  if (at === undefined) throw new PyError('FilterArgumentError', 'You can only sort by either "key" or "value"')
  const pairs = Array.from(pairsOf(value), (pair) => new Tuple([...pair]))
  const key = (pair: unknown) =>
    flag(caseSensitive, false) ? (pair as Tuple).items[at] : folded((pair as Tuple).items[at])
  return sorted(pairs, key, flag(reverse, false))
}

function toInt(value: unknown, [fallback = 0, base]: unknown[]): unknown {
  if (value instanceof Undefined) value.fail()
  if (typeof value === 'string') {
    const read = parseIntText(value, number(base, 10))
    if (read !== undefined) return read
    return truncated(numberOf(parseFloatText(value)), fallback)
  }
  return typeof value === 'bigint' ? value : truncated(numberOf(value), fallback)
}

const truncated = (value: number | undefined, fallback: unknown): unknown =>
  value !== undefined && Number.isFinite(value) ? whole(BigInt(Math.trunc(value))) : fallback

function toFloat(value: unknown, [fallback = new Float(0)]: unknown[]): unknown {
  if (value instanceof Undefined) value.fail()
  const found = typeof value === 'string' ? parseFloatText(value) : numberOf(value)
  if (found === undefined) return fallback
  return found instanceof Float ? found : float(found as number)
}

function round(value: unknown, [precision, method]: unknown[]): unknown {
  const [digits, how] = [number(precision, 0), method ?? 'common']
  const found = numberOf(value)
  if (!['common', 'ceil', 'floor'].includes(str(how)))
    throw new PyError('FilterArgumentError', 'method must be common, ceil or floor')
  if (found === undefined) throw typeError(`type ${typeName(value)} doesn't define __round__ method`)
  if (how === 'common') {
    if (value instanceof Decimal) return roundedTo(value, digits)
    if (typeof value === 'bigint' && digits >= 0) return value
    const rounded = roundTo(found, digits)
    return isFloat(value) ? float(rounded) : rounded + 0
  }
  const unit = 10 ** digits
  return float((how === 'ceil' ? Math.ceil(found * unit) : Math.floor(found * unit)) / unit)
}

function indent(value: unknown, [width, first, blank]: unknown[]): string {
  const by = typeof width === 'string' ? width : ' '.repeat(Math.min(sizeMax, number(width, 4)))
  const lines = `${str(value)}\n`.split('\n').slice(0, -1)
  const [head = '', ...rest] = lines
  const indented = rest.map((line) => (line || flag(blank, false) ? by + line : line))
  return (flag(first, false) ? by : '') + [head, ...indented].join('\n')
}

function truncate(value: unknown, [size, killwords, end, leeway]: unknown[]): string {
  const all = characters(str(value))
  const [wanted, tail] = [number(size, 255), end === undefined ? '...' : str(end)]
  if (all.length <= wanted + number(leeway, 5)) return all.join('')
  const cut = all.slice(0, Math.max(0, wanted - characters(tail).length)).join('')
  if (flag(killwords, false)) return cut + tail
  const space = cut.lastIndexOf(' ')
  return (space < 0 ? cut : cut.slice(0, space)) + tail
}

function wordwrap(value: unknown, [width, breakLong, wrapstring]: unknown[]): string {
  const size = Math.max(1, number(width, 79))
  const wrap = (line: string): string[] => {
    const lines: string[] = []
    let current = ''
    for (let word of line.match(/\s+|[^\s-]*-+|[^\s-]+/g) ?? []) {
      if (current.length + word.length <= size) {
        if (!(current === '' && lines.length > 0 && word.trim() === '')) current += word
        continue
      }
      while (flag(breakLong, true) && word.trim() !== '' && word.length > size) {
        const room = size - current.length
        lines.push(current + word.slice(0, room))
        ;[current, word] = ['', word.slice(room)]
      }
      if (word.trim() === '' && current !== '') {
        lines.push(current)
        current = ''
      } else if (current.length + word.length > size) {
        if (current.trim() !== '') lines.push(current.trimEnd())
        current = word
      } else current += word
    }
    if (current.trim() !== '') lines.push(current.trimEnd())
    return lines.map((each) => each.trimEnd())
  }
  const joint = wrapstring === undefined || wrapstring === null ? '\n' : str(wrapstring)
  return str(value)
    .split(/\r\n|\r|\n/)
    .map((line) => wrap(line).join(joint))
    .join(joint)
}

function filesizeformat(value: unknown, [binary]: unknown[]): string {
  const isBinary = flag(binary, false)
  const base = isBinary ? 1024 : 1000
  const bytes = numberOf(typeof value === 'string' ? parseFloatText(value) : value)
  if (bytes === undefined) throw valueError(`could not convert string to float: ${repr(value)}`)
  if (bytes === 1) return '1 Byte'
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`
  const units = isBinary
    ? ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB']
    : ['kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB']
  const power = Math.min(units.length, Math.max(1, Math.floor(Math.log(bytes) / Math.log(base) + 1e-12)))
  return `${fixed(bytes / base ** power, 1)} ${units[power - 1]}`
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', "'": '&#39;', '"': '&#34;' }
const escapeHtml = (text: string): string => text.replace(/[&<>'"]/g, (character) => entities[character]!)
const unescapeHtml = (text: string): string =>
  text.replace(
    /&(amp|lt|gt|quot|#39|#34);/g,
    (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#34': '"' })[name]!,
  )

function urlencode(value: unknown): string {
  const quote = (each: unknown, safe: RegExp) =>
    encodeURIComponent(str(each))
      .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
      .replace(safe, '/')
  if (typeof value === 'string') return quote(value, /%2F/g)
  return Array.from(pairsOf(value), ([key, each]) =>
    `${quote(key, /(?!)/)}=${quote(each, /(?!)/)}`.replaceAll('%20', '+'),
  ).join('&')
}

function xmlattr(value: unknown, [autospace]: unknown[]): string {
  const items = Array.from(pairsOf(value)).filter(([, each]) => each !== null && !(each instanceof Undefined))
  for (const [key] of items)
    if (/[\s/>=]/.test(str(key))) throw valueError(`Invalid character in attribute name: ${repr(key)}`)
  const text = items.map(([key, each]) => `${escapeHtml(str(key))}="${escapeHtml(str(each))}"`).join(' ')
  return text && flag(autospace, true) ? ` ${text}` : text
}

function joined(value: unknown, [separator, path]: unknown[], rendering: Rendering): string {
  const get = getter(rendering, path)
  return Array.from(iterate(value), (each) => str(get(each))).join(separator === undefined ? '' : str(separator))
}

function replace(value: unknown, [old, fresh, count]: unknown[]): unknown {
  const [text, from, to] = [str(value), str(old), str(fresh)]
  const parts = from === '' ? ['', ...characters(text), ''] : text.split(from)
  if ((parts.length - 1) * to.length > sizeMax) throw new PyError('LimitError', 'the result of replace is too long')
  const times = count === undefined || count === null ? -1 : indexOf(count)
  if (times < 0 || parts.length - 1 <= times) return parts.join(to)
  return [parts.slice(0, times + 1).join(to), ...parts.slice(times + 1)].join(from)
}

function trimmed(value: unknown, [set]: unknown[], rendering: Rendering): unknown {
  return call(rendering, attribute(rendering, str(value), 'strip'), set === undefined ? [] : [set], newKwargs())
}

function reverse(value: unknown): unknown {
  if (typeof value === 'string') return characters(value).reverse().join('')
  return generator(listOf(value).reverse())
}

function summed(value: unknown, [path, start]: unknown[], rendering: Rendering): unknown {
  const get = getter(rendering, path)
  let total: unknown = start ?? 0
  if (typeof total === 'string') throw typeError("sum() can't sum strings [use ''.join(seq) instead]")
  for (const each of iterate(value)) total = add(total, get(each))
  return total
}

function items(value: unknown): unknown {
  if (value instanceof Undefined) return generator([])
  const dict = value instanceof HostObject ? value.mapping() : value
  if (!(dict instanceof Dict)) throw typeError('Can only get item pairs from a mapping.')
  return generator(mapped(dict.entries(), (pair) => new Tuple([...(pair as unknown[])])))
}

function last(value: unknown, _: unknown[], rendering: Rendering): unknown {
  if (
    !['str', 'list', 'tuple', 'dict', 'range', 'dict_keys', 'dict_values', 'dict_items', 'Undefined'].includes(
      typeName(value),
    ) &&
    !(value instanceof HostObject)
  )
    throw typeError(`'${typeName(value)}' object is not reversible`)
  const found = listOf(value)
  return found.length === 0 ? rendering.undefined('No last item, sequence was empty.') : found.at(-1)
}

function first(value: unknown, _: unknown[], rendering: Rendering): unknown {
  for (const each of iterate(value)) return each
  return rendering.undefined('No first item, sequence was empty.')
}

function randomItem(value: unknown, _: unknown[], rendering: Rendering): unknown {
  const all = listOf(value)
  return all.length === 0
    ? rendering.undefined('No random item, sequence was empty.')
    : all[Math.min(all.length - 1, Math.floor(rendering.random() * all.length))]
}

function absolute(value: unknown): unknown {
  const found = numberOf(value)
  if (found === undefined) throw typeError(`bad operand type for abs(): '${typeName(value)}'`)
  if (value instanceof Decimal) return found < 0 ? negated(value) : value
  if (typeof value === 'bigint') return value < 0n ? -value : value
  return isFloat(value) ? float(Math.abs(found)) : Math.abs(found)
}

function defaulted(value: unknown, [fallback = '', boolean]: unknown[]): unknown {
  const isMissing = value instanceof Undefined || (flag(boolean, false) && !truth(value))
  return isMissing ? fallback : value
}

function titled(value: unknown): string {
  return str(value)
    .split(/([-\s({[<]+)/)
    .filter(Boolean)
    .map((part) => characters(part))
    .map(([head = '', ...rest]) => head.toUpperCase() + rest.join('').toLowerCase())
    .join('')
}

function format(value: unknown, args: unknown[], kwargs: Kwargs): string {
  if (args.length > 0 && Object.keys(kwargs).length > 0) {
    throw new PyError('FilterArgumentError', "can't handle positional and keyword arguments at the same time")
  }
  return percentFormat(str(value), Object.keys(kwargs).length > 0 ? new Dict(Object.entries(kwargs)) : new Tuple(args))
}

const capitalize = (value: unknown): string => {
  const [head = '', ...rest] = characters(str(value))
  return head.toUpperCase() + rest.join('').toLowerCase()
}

/** Jinja's JSON filter also escapes what HTML would read. */
const htmlJson = (value: unknown, [spaces]: unknown[]): string =>
  toJson(value, {
    sortKeys: true,
    indent: spaces === undefined || spaces === null ? undefined : indexOf(spaces),
  }).replace(/[<>&']/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)

// dbt's filters convert where a template renders to a value (YAML), and do nothing where it renders to text.
function asBool(value: unknown, _: unknown[], rendering: Rendering): unknown {
  if (!rendering.native || typeof value === 'boolean') return value
  const found = { True: true, False: false }[str(value)]
  if (found === undefined) throw new PyError('JinjaRenderingError', `could not convert ${repr(value)} into type 'bool'`)
  return found
}

function asNumber(value: unknown, _: unknown[], rendering: Rendering): unknown {
  if (!rendering.native || numberOf(value) !== undefined) return value
  const found = parseIntText(str(value)) ?? parseFloatText(str(value))
  if (found === undefined)
    throw new PyError('JinjaRenderingError', `could not convert ${repr(value)} into type 'number'`)
  return found
}

function asNative(value: unknown, _: unknown[], rendering: Rendering): unknown {
  if (!rendering.native || typeof value !== 'string') return value
  const constants: Record<string, unknown> = { True: true, False: false, None: null }
  if (Object.hasOwn(constants, value)) return constants[value]
  return parseIntText(value) ?? parseFloatText(value) ?? value
}

const count = (value: unknown): unknown => length(value)
const aggregate = ['case_sensitive?', 'attribute?']

export const filters: ReadonlyMap<string, Filter> = new Map<string, Filter>([
  filter('abs', [], absolute),
  filter('attr', ['name'], (value, [name], rendering) => {
    const found = attribute(rendering, value instanceof Dict ? new Dict() : value, str(name))
    return found
  }),
  filter('batch', ['linecount', 'fill_with?'], (value, [size, fill]) =>
    generator(batches(iterate(value), indexOf(size), fill)),
  ),
  filter('capitalize', [], capitalize),
  filter('center', ['width?'], (value, [width], rendering) =>
    call(rendering, attribute(rendering, str(value), 'center'), [width ?? 80], newKwargs()),
  ),
  filter('count', [], count),
  filter('length', [], count),
  filter('default', ['default_value?', 'boolean?'], defaulted),
  filter('d', ['default_value?', 'boolean?'], defaulted),
  filter('dictsort', ['case_sensitive?', 'by?', 'reverse?'], dictsort),
  filter('e', [], (value) => escapeHtml(str(value))),
  filter('escape', [], (value) => escapeHtml(str(value))),
  filter('forceescape', [], (value) => escapeHtml(str(value))),
  filter('filesizeformat', ['binary?'], filesizeformat),
  filter('first', [], first),
  filter('float', ['default?'], toFloat),
  ['format', (_, value, args, kwargs) => format(value, args, kwargs)],
  filter('groupby', ['attribute', 'default?', 'case_sensitive?'], groupby),
  filter('indent', ['width?', 'first?', 'blank?'], indent),
  filter('int', ['default?', 'base?'], toInt),
  filter('items', [], items),
  filter('join', ['d?', 'attribute?'], joined),
  filter('last', [], last),
  filter('list', [], (value) => listOf(value)),
  filter('lower', [], (value) => str(value).toLowerCase()),
  ['map', map],
  filter('max', aggregate, (value, bound, rendering) => extreme(value, bound, rendering, -1)),
  filter('min', aggregate, (value, bound, rendering) => extreme(value, bound, rendering, 1)),
  filter('pprint', [], (value) => repr(value)),
  filter('random', [], randomItem),
  choose('reject', false, false),
  choose('rejectattr', false, true),
  choose('select', true, false),
  choose('selectattr', true, true),
  filter('replace', ['old', 'new', 'count?'], replace),
  filter('reverse', [], reverse),
  filter('round', ['precision?', 'method?'], round),
  filter('safe', [], (value) => str(value)),
  filter('slice', ['slices', 'fill_with?'], (value, [size, fill]) => generator(slices(value, indexOf(size), fill))),
  filter('sort', ['reverse?', 'case_sensitive?', 'attribute?'], sort),
  filter('string', [], (value) => str(value)),
  filter('striptags', [], (value) =>
    unescapeHtml(str(value).replace(/<!--[^]*?-->|<[^>]*>/g, ''))
      .split(/\s+/)
      .filter(Boolean)
      .join(' '),
  ),
  filter('sum', ['attribute?', 'start?'], summed),
  filter('title', [], titled),
  filter('tojson', ['indent?'], htmlJson),
  filter('trim', ['chars?'], trimmed),
  filter('truncate', ['length?', 'killwords?', 'end?', 'leeway?'], truncate),
  filter('unique', aggregate, (value, [caseSensitive, path], rendering) =>
    generator(unique(iterate(value), keyOf(rendering, path, flag(caseSensitive, false)))),
  ),
  filter('upper', [], (value) => str(value).toUpperCase()),
  filter('urlencode', [], urlencode),
  filter('wordcount', [], (value) => (str(value).match(/[\p{L}\p{N}_]+/gu) ?? []).length),
  filter('wordwrap', ['width?', 'break_long_words?', 'wrapstring?', 'break_on_hyphens?'], wordwrap),
  filter('xmlattr', ['autospace?'], xmlattr),
  filter('as_bool', [], asBool),
  filter('as_native', [], asNative),
  filter('as_number', [], asNumber),
  filter('as_text', [], (value, _, rendering) => (rendering.native ? str(value) : value)),
])
