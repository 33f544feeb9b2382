// Python's two ways to format: `'%05.2f' % x` and `'{:>10,}'.format(x)`.

import {
  Dict,
  Float,
  float,
  HostObject,
  indexOf,
  isFloat,
  isInt,
  lengthOfString,
  numberOf,
  PyError,
  repr,
  reprFloat,
  str,
  Tuple,
  typeError,
  typeName,
  Undefined,
  valueError,
  type Kwargs,
} from './values.ts'

const widthMax = 1_000_000

/** `left % right` of a string. */
export function percentFormat(template: string, right: unknown): string {
  const values = right instanceof Tuple ? right.items : [right]
  let next = 0
  const take = (): unknown => {
    if (next >= values.length) throw typeError('not enough arguments for format string')
    return values[next++]
  }
  const pattern = /%(?:\(([^)]*)\))?([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+)?)?[hlL]?([^]|$)/g
  const text = template.replace(
    pattern,
    (whole, key: string | undefined, flags: string, width, precision, kind: string) => {
      if (kind === '%') return '%'
      if (kind === '') throw valueError('incomplete format')
      if (key !== undefined && !(right instanceof Dict)) throw typeError('format requires a mapping')
      const wide = width === '*' ? indexOf(take()) : width === undefined ? 0 : Number(width)
      const precise = whole.includes('.') ? (precision === '*' ? indexOf(take()) : Number(precision ?? 0)) : undefined
      const value = key === undefined ? take() : lookUp(right as Dict, key)
      return percentOne(value, kind, flags, checkWidth(wide), precise)
    },
  )
  if (
    next < values.length &&
    (right instanceof Tuple || (next === 0 && (typeof right !== 'object' || right === null || right instanceof Float)))
  ) {
    throw typeError('not all arguments converted during string formatting')
  }
  return text
}

function lookUp(dict: Dict, key: string): unknown {
  const value = dict.get(key)
  if (value === undefined) throw new PyError('KeyError', repr(key))
  return value
}

function checkWidth(width: number): number {
  if (Math.abs(width) > widthMax) throw new PyError('LimitError', `a width above ${widthMax}`)
  return width
}

function percentOne(value: unknown, kind: string, flags: string, width: number, precision: number | undefined): string {
  const [left, zero] = [flags.includes('-') || width < 0, flags.includes('0')]
  const sign = flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''
  let text: string
  switch (kind) {
    case 's':
      text = str(value).slice(0, precision)
      break
    case 'r':
    case 'a':
      text = repr(value).slice(0, precision)
      break
    case 'c':
      text = typeof value === 'string' ? value : String.fromCodePoint(indexOf(value))
      break
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o': {
      if (numberOf(value) === undefined)
        throw typeError(`%${kind} format: a real number is required, not ${typeName(value)}`)
      const whole = typeof value === 'bigint' ? value : Math.trunc(numberOf(value)!)
      const digits = inBase(whole < 0 ? -whole : whole, kind, flags.includes('#')).padStart(precision ?? 0, '0')
      return padNumber((whole < 0 ? '-' : sign) + digits, width, left, zero)
    }
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': {
      const number = numberOf(value)
      if (number === undefined) throw typeError(`must be real number, not ${typeName(value)}`)
      const digits = floatDigits(Math.abs(number), kind, precision ?? 6, flags.includes('#'))
      return padNumber((isNegative(number) ? '-' : sign) + digits, width, left, zero && Number.isFinite(number))
    }
    default:
      throw valueError(`unsupported format character '${kind}'`)
  }
  return left ? padEnd(text, Math.abs(width)) : padStart(text, width)
}

const isNegative = (number: number): boolean => number < 0 || Object.is(number, -0)
const padStart = (text: string, width: number, fill = ' '): string =>
  fill.repeat(Math.max(0, width - lengthOfString(text))) + text
const padEnd = (text: string, width: number, fill = ' '): string =>
  text + fill.repeat(Math.max(0, width - lengthOfString(text)))

function padNumber(text: string, width: number, left: boolean, zero: boolean): string {
  if (left) return padEnd(text, Math.abs(width))
  if (!zero) return padStart(text, width)
  const [, sign, digits] = /^([-+ ]?)([^]*)$/.exec(text)!
  return sign + padStart(digits!, width - sign!.length, '0')
}

function inBase(value: number | bigint, kind: string, alternate: boolean): string {
  switch (kind) {
    case 'x':
      return (alternate ? '0x' : '') + value.toString(16)
    case 'X':
      return (alternate ? '0X' : '') + value.toString(16).toUpperCase()
    case 'o':
      return (alternate ? '0o' : '') + value.toString(8)
    case 'b':
      return (alternate ? '0b' : '') + value.toString(2)
    default:
      return typeof value === 'bigint' ? String(value) : value.toFixed(0)
  }
}

/** The digits of a non-negative number in the forms e, f, g (and n, %, handled by the caller). */
function floatDigits(value: number, kind: string, precision: number, alternate = false): string {
  const upper = kind === kind.toUpperCase()
  const cased = (text: string) => (upper ? text.toUpperCase() : text)
  if (Number.isNaN(value)) return cased('nan')
  if (!Number.isFinite(value)) return cased('inf')
  switch (kind.toLowerCase()) {
    case 'f':
      return fixed(value, precision)
    case 'e':
      return cased(exponential(value, precision))
    default:
      return cased(general(value, precision, alternate))
  }
}

function exponential(value: number, precision: number): string {
  const [digits, exponent] = value.toExponential(Math.min(100, precision)).split('e') as [string, string]
  const power = Number(exponent)
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

function general(value: number, precision: number, alternate: boolean): string {
  const digits = Math.max(1, precision)
  const power = value === 0 ? 0 : Number(value.toExponential(Math.min(100, digits - 1)).split('e')[1])
  const text = power < -4 || power >= digits ? exponential(value, digits - 1) : fixed(value, digits - 1 - power)
  if (alternate || !text.includes('.')) return text
  return text.replace(/\.?0+(?=e|$)/, '')
}

/** `value` with `precision` decimals, ties of the exact binary value to even, as Python rounds. */
export function fixed(value: number, precision: number): string {
  if (Math.abs(value) >= 1e21) return BigInt(value).toString() + (precision > 0 ? `.${'0'.repeat(precision)}` : '')
  const digits = Math.min(100, precision)
  const text = value.toFixed(digits)
  // toFixed is exact but takes the larger neighbour of a tie. Doubles below 2^53 tie within 60 decimals.
  const exact = value.toFixed(Math.min(100, digits + 60))
  const tail = digits === 0 ? exact.slice(exact.indexOf('.') + 1) : exact.slice(exact.indexOf('.') + 1 + digits)
  if (!/^50*$/.test(tail)) return text
  const down = exact.slice(0, exact.length - tail.length).replace(/\.$/, '')
  const lastDigit = Number(down.at(-1))
  return lastDigit % 2 === 0 ? down : text
}

/** Python's `round(value, digits)` of a float. */
export function roundTo(value: number, digits: number): number {
  if (!Number.isFinite(value)) return value
  if (digits > 22) return value
  if (digits >= 0) return (value < 0 ? -1 : 1) * Number(fixed(Math.abs(value), digits))
  const unit = 10 ** -digits
  const quotient = Math.abs(value) / unit
  const floor = Math.floor(quotient)
  const rounded = quotient - floor > 0.5 || (quotient - floor === 0.5 && floor % 2 === 1) ? floor + 1 : floor
  return (value < 0 ? -1 : 1) * rounded * unit
}

// --- str.format

type Access = { attribute: (value: unknown, name: string) => unknown; item: (value: unknown, key: unknown) => unknown }

/** `template.format(*args, **kwargs)`; attributes and items inside fields are asked through `access`. */
export function strFormat(template: string, args: readonly unknown[], kwargs: Kwargs, access: Access): string {
  const numbering = { next: 0 }
  return formatFields(template, args, kwargs, access, numbering, 0)
}

function formatFields(
  template: string,
  args: readonly unknown[],
  kwargs: Kwargs,
  access: Access,
  numbering: { next: number },
  depth: number,
): string {
  if (depth > 2) throw valueError('Max string recursion exceeded')
  let text = ''
  for (let at = 0; at < template.length; at++) {
    const character = template[at]!
    if (character !== '{' && character !== '}') {
      text += character
      continue
    }
    if (template[at + 1] === character) {
      text += character
      at++
      continue
    }
    if (character === '}') throw valueError("Single '}' encountered in format string")
    const end = fieldEnd(template, at)
    const field = template.slice(at + 1, end)
    text += formatField(field, args, kwargs, access, numbering, depth)
    at = end
  }
  return text
}

function fieldEnd(template: string, start: number): number {
  let depth = 0
  for (let at = start; at < template.length; at++) {
    if (template[at] === '{') depth++
    else if (template[at] === '}' && --depth === 0) return at
  }
  throw valueError("expected '}' before end of string")
}

function formatField(
  field: string,
  args: readonly unknown[],
  kwargs: Kwargs,
  access: Access,
  numbering: { next: number },
  depth: number,
): string {
  const [, path, conversion, , specification] = /^([^!:]*(?:\[[^\]]*\][^!:]*)*)(?:!(.))?(:([^]*))?$/.exec(field) ?? []
  if (path === undefined) throw valueError(`invalid format field '${field}'`)
  let value = fieldValue(path, args, kwargs, access, numbering)
  if (conversion === 's') value = str(value)
  else if (conversion === 'r' || conversion === 'a') value = repr(value)
  else if (conversion !== undefined) throw valueError(`Unknown conversion specifier '${conversion}'`)
  const spec = specification?.includes('{')
    ? formatFields(specification, args, kwargs, access, numbering, depth + 1)
    : (specification ?? '')
  return formatValue(value, spec)
}

function fieldValue(
  path: string,
  args: readonly unknown[],
  kwargs: Kwargs,
  access: Access,
  numbering: { next: number },
): unknown {
  const [first = '', rest = ''] = /^([^.[]*)([^]*)$/.exec(path)!.slice(1)
  let value: unknown
  if (first === '' || /^\d+$/.test(first)) {
    const index = first === '' ? numbering.next++ : Number(first)
    if (index >= args.length)
      throw new PyError('IndexError', `Replacement index ${index} out of range for positional args tuple`)
    value = args[index]
  } else {
    if (!(first in kwargs)) throw new PyError('KeyError', repr(first))
    value = kwargs[first]
  }
  for (const [, attribute, key] of rest.matchAll(/\.([^.[]+)|\[([^\]]*)\]/g)) {
    value =
      attribute === undefined
        ? access.item(value, /^\d+$/.test(key!) ? Number(key) : key)
        : access.attribute(value, attribute)
    if (value instanceof Undefined) value.fail()
  }
  return value
}

const specPattern = /^(?:([^])?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?$/u

/** `format(value, spec)`. */
export function formatValue(value: unknown, spec: string): string {
  if (spec === '') return str(value)
  if (value instanceof HostObject) {
    const method = value.attr('strftime')
    if (typeof method === 'function') return str((method as (args: unknown[], kwargs: object) => unknown)([spec], {}))
  }
  const match = specPattern.exec(spec)
  if (!match) throw valueError(`Invalid format specifier '${spec}' for object of type '${typeName(value)}'`)
  const [, fill, alignment, sign = '', , alternate, zero, widthText, grouping = '', precisionText, kind] = match
  const width = checkWidth(Number(widthText ?? 0))
  const precision = precisionText === undefined ? undefined : checkWidth(Number(precisionText))
  if (typeof value === 'bigint')
    throw new PyError('OverflowError', 'a format of an integer beyond 2^53 is not supported')
  const isNumber = isInt(value) || isFloat(value) || (typeof value === 'boolean' && kind !== undefined && kind !== 's')
  if (!isNumber) {
    if (kind !== undefined && kind !== 's') {
      throw valueError(`Unknown format code '${kind}' for object of type '${typeName(value)}'`)
    }
    const text = str(value)
    const characters = precision === undefined ? text : Array.from(text).slice(0, precision).join('')
    return align(characters, width, alignment ?? '<', fill ?? (zero ? '0' : ' '))
  }
  if (kind === 's') throw valueError(`Unknown format code 's' for object of type '${typeName(value)}'`)
  const number = numberOf(value)!
  const digits = numberDigits(value, Math.abs(number), kind, precision, grouping, alternate === '#')
  const prefix = isNegative(number) ? '-' : sign === '-' ? '' : sign
  return align(prefix + digits, width, alignment ?? (zero ? '=' : '>'), fill ?? (zero ? '0' : ' '))
}

function numberDigits(
  value: unknown,
  number: number,
  kind: string | undefined,
  precision: number | undefined,
  grouping: string,
  alternate: boolean,
): string {
  const group = (text: string) => {
    if (!grouping) return text
    const [, whole, rest] = /^(\d+)([^]*)$/.exec(text) ?? [undefined, text, '']
    return whole!.replace(/\B(?=(\d{3})+$)/g, grouping) + rest
  }
  if (kind === 'c') return String.fromCodePoint(number)
  if (kind === '%') return `${group(fixed(number * 100, precision ?? 6))}%`
  if (!isFloat(value) && (kind === undefined || 'bdoxXn'.includes(kind)))
    return group(inBase(number, kind ?? 'd', alternate))
  if (kind !== undefined && 'bdoxX'.includes(kind)) {
    throw valueError(`Unknown format code '${kind}' for object of type 'float'`)
  }
  if (kind === undefined) {
    if (precision === undefined) return group(reprFloat(number))
    const text = general(number, precision, alternate)
    return group(/[.e]/.test(text) ? text : `${text}.0`)
  }
  return group(floatDigits(number, kind === 'n' ? 'g' : kind, precision ?? 6, alternate))
}

function align(text: string, width: number, alignment: string, fill: string): string {
  const space = Math.max(0, width - lengthOfString(text))
  switch (alignment) {
    case '<':
      return text + fill.repeat(space)
    case '^':
      return fill.repeat(space >> 1) + text + fill.repeat(space - (space >> 1))
    case '=':
      return text.replace(/^[-+ ]?/, (sign) => sign + fill.repeat(space))
    default:
      return fill.repeat(space) + text
  }
}

/** A number from text as Python's `float()` reads it; undefined when it is none. */
export function parseFloatText(text: string): unknown {
  const trimmed = text.trim().replace(/(\d)_(?=\d)/g, '$1')
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(trimmed)) return float(Number(trimmed))
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(trimmed)
  if (!special) return undefined
  return special[2]!.toLowerCase() === 'nan' ? NaN : special[1] === '-' ? -Infinity : Infinity
}

/** An int from text as Python's `int(text, base)` reads it; undefined when it is none. */
export function parseIntText(text: string, base = 10): number | bigint | undefined {
  let digits = text
    .trim()
    .replace(/([\da-z])_(?=[\da-z])/gi, '$1')
    .toLowerCase()
  const isNegativeText = digits.startsWith('-')
  digits = digits.replace(/^[+-]/, '')
  const prefix = { 16: '0x', 8: '0o', 2: '0b' }[base]
  if (base === 0) {
    const found = /^0([xob])/.exec(digits)?.[1]
    return found === undefined ? parseIntText(text, 10) : parseIntText(text, found === 'x' ? 16 : found === 'o' ? 8 : 2)
  }
  if (prefix && digits.startsWith(prefix)) digits = digits.slice(2)
  const allowed = '0123456789abcdefghijklmnopqrstuvwxyz'.slice(0, base)
  if (digits === '' || [...digits].some((digit) => !allowed.includes(digit))) return undefined
  const value = Number.parseInt(digits, base)
  if (!Number.isSafeInteger(value)) {
    const exact = [...digits].reduce((sum, digit) => sum * BigInt(base) + BigInt(allowed.indexOf(digit)), 0n)
    return isNegativeText ? -exact : exact
  }
  return isNegativeText && value !== 0 ? -value : value
}
