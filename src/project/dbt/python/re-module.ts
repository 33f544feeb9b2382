// Python's `re`.

import {
  bind,
  Dict,
  HostObject,
  newKwargs,
  numberOf,
  PyError,
  repr,
  str,
  Tuple,
  type Callable,
  type Kwargs,
} from '../../../jinja/index.ts'
import { flag, translate } from './regex.ts'

/** A pattern and its flags, compiled at most once. */
const compiled = new Map<string, RegExp>()
const compiledMax = 500

function regex(pattern: unknown, flags: unknown): RegExp {
  if (pattern instanceof Pattern) return pattern.regex
  if (typeof pattern !== 'string') throw new PyError('TypeError', 'first argument must be string or compiled pattern')
  const bits = numberOf(flags) ?? 0
  const key = `${bits} ${pattern}`
  const known = compiled.get(key)
  if (known) return known
  const translated = translate(pattern, bits)
  let made: RegExp
  try {
    made = new RegExp(translated.source, `${translated.flags}gd`)
  } catch (error) {
    const reason = (error as Error).message.split(': ').at(-1)
    throw new PyError('error', `${reason} in the pattern ${repr(pattern)}`)
  }
  if (compiled.size >= compiledMax) compiled.clear()
  compiled.set(key, made)
  return made
}

/** The first match from `at` on. */
function execAt(pattern: RegExp, text: string, at = 0): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

function allOf(pattern: RegExp, text: string): RegExpStringIterator<RegExpExecArray> {
  pattern.lastIndex = 0 // matchAll begins where the last search ended
  return text.matchAll(pattern)
}

const matchAt = anchored((source) => source)
const matchWhole = anchored((source) => `(?:${source})(?![^])`)

/** Matches at the beginning of a text; each pattern is made ready for that once. */
function anchored(changed: (source: string) => string) {
  const known = new WeakMap<RegExp, RegExp>()
  return (pattern: RegExp, text: string): RegExpExecArray | null => {
    let made = known.get(pattern)
    if (!made) {
      made = new RegExp(changed(pattern.source), pattern.flags.replace('g', 'y'))
      known.set(pattern, made)
    }
    return execAt(made, text)
  }
}

class Match extends HostObject {
  override readonly typeName = 'Match'
  readonly #match: RegExpExecArray
  constructor(match: RegExpExecArray) {
    super()
    this.#match = match
  }
  group(key: unknown): unknown {
    const isName = typeof key === 'string'
    const exists = isName
      ? Object.hasOwn(this.#match.groups ?? {}, key)
      : typeof key === 'number' && key >= 0 && key < this.#match.length
    if (!exists) throw new PyError('IndexError', 'no such group')
    return (isName ? this.#match.groups![key] : this.#match[key as number]) ?? null
  }
  #span(key: unknown): [number, number] {
    const { indices } = this.#match
    const found = typeof key === 'string' ? indices!.groups?.[key] : indices![numberOf(key) ?? 0]
    return found ?? [-1, -1]
  }
  override attr(name: string): unknown {
    const [match, groups] = [this.#match, [...this.#match].slice(1)]
    switch (name) {
      case 'group':
        return ((args) =>
          args.length <= 1
            ? this.group(args[0] ?? 0)
            : new Tuple(args.map((each) => this.group(each)))) satisfies Callable
      case 'groups':
        return (([fallback = null]) => new Tuple(groups.map((each) => each ?? fallback))) satisfies Callable
      case 'groupdict':
        return (([fallback = null]) =>
          new Dict(
            Object.entries({ ...match.groups }).map(([key, value]) => [key, value ?? fallback]),
          )) satisfies Callable
      case 'start':
        return (([key = 0]) => this.#span(key)[0]) satisfies Callable
      case 'end':
        return (([key = 0]) => this.#span(key)[1]) satisfies Callable
      case 'span':
        return (([key = 0]) => new Tuple(this.#span(key))) satisfies Callable
      case 'string':
        return match.input
      case 'lastindex':
        return groups.findLastIndex((each) => each !== undefined) + 1 || null
      case 'expand':
        return (([template]) => expand(str(template), this)) satisfies Callable
      default:
        return undefined
    }
  }
  override item(key: unknown): unknown {
    return this.group(key)
  }
  override text(): string {
    const [from, to] = this.#span(0)
    return `<re.Match object; span=(${from}, ${to}), match=${repr(this.#match[0])}>`
  }
}

const matchOf = (match: RegExpExecArray | null): Match | null => (match ? new Match(match) : null)

/** Python's `\1` and `\g<name>` in what replaces a match. */
function expand(template: string, match: Match): string {
  return template.replace(/\\(?:g<(\w+)>|(\d{1,2})|([^]))/g, (all, named?: string, index?: string, char?: string) => {
    if (char !== undefined) {
      const known: Record<string, string> = { n: '\n', t: '\t', r: '\r', '\\': '\\', a: '\x07', f: '\f', v: '\v' }
      if (Object.hasOwn(known, char)) return known[char]!
      if (/[a-zA-Z]/.test(char)) throw new PyError('error', `bad escape \\${char}`)
      return all
    }
    const key = named ?? index!
    return str(match.group(/^\d+$/.test(key) ? Number(key) : key) ?? '')
  })
}

function substitute(pattern: RegExp, by: unknown, text: string, limit: number): [text: string, count: number] {
  let [written, at, count] = ['', 0, 0]
  for (const found of allOf(pattern, text)) {
    if (limit > 0 && count >= limit) break
    const match = new Match(found)
    const put = typeof by === 'function' ? str((by as Callable)([match], newKwargs())) : expand(str(by), match)
    written += text.slice(at, found.index) + put
    at = found.index + found[0].length
    count++
  }
  return [written + text.slice(at), count]
}

function split(pattern: RegExp, text: string, limit: number): unknown[] {
  const parts: unknown[] = []
  let at = 0
  for (const match of allOf(pattern, text)) {
    if (limit > 0 && parts.length >= limit * match.length) break
    parts.push(text.slice(at, match.index), ...[...match].slice(1).map((each) => each ?? null))
    at = match.index + match[0].length
  }
  return [...parts, text.slice(at)]
}

function findAll(pattern: RegExp, text: string): unknown[] {
  return Array.from(allOf(pattern, text), (match) => {
    const groups = [...match].slice(1).map((each) => each ?? '')
    return groups.length === 0 ? match[0] : groups.length === 1 ? groups[0] : new Tuple(groups)
  })
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  throw new PyError('TypeError', `expected string or bytes-like object, got ${repr(value)}`)
}

type Work = (pattern: RegExp, text: string, more: Record<string, unknown>) => unknown

/** Each function: the names of its arguments after the pattern, and what it does. */
const functions: Record<string, [names: string[], work: Work]> = {
  search: [['string'], (pattern, text) => matchOf(execAt(pattern, text))],
  match: [['string'], (pattern, text) => matchOf(matchAt(pattern, text))],
  fullmatch: [['string'], (pattern, text) => matchOf(matchWhole(pattern, text))],
  findall: [['string'], findAll],
  finditer: [['string'], (pattern, text) => Array.from(allOf(pattern, text), (match) => new Match(match))],
  split: [['string', 'maxsplit?'], (pattern, text, { maxsplit }) => split(pattern, text, numberOf(maxsplit) ?? 0)],
  sub: [
    ['repl', 'string', 'count?'],
    (pattern, text, { repl, count }) => substitute(pattern, repl, text, numberOf(count) ?? 0)[0],
  ],
  subn: [
    ['repl', 'string', 'count?'],
    (pattern, text, { repl, count }) => new Tuple(substitute(pattern, repl, text, numberOf(count) ?? 0)),
  ],
}

function run(name: string, names: string[], work: Work, pattern: RegExp | undefined, args: unknown[], kwargs: Kwargs) {
  const all = pattern ? names : ['pattern', ...names, 'flags?']
  const bound = bind(name, all, args, kwargs)
  const given = Object.fromEntries(all.map((each, index) => [each.replace('?', ''), bound[index]]))
  return work(pattern ?? regex(given['pattern'], given['flags']), textOf(given['string']), given)
}

class Pattern extends HostObject {
  override readonly typeName = 'Pattern'
  readonly #source: string
  readonly regex: RegExp
  constructor(source: string, regex: RegExp) {
    super()
    this.#source = source
    this.regex = regex
  }
  override attr(name: string): unknown {
    if (name === 'pattern') return this.#source
    const found = Object.hasOwn(functions, name) ? functions[name] : undefined
    return found && (((args, kwargs) => run(name, ...found, this.regex, args, kwargs)) satisfies Callable)
  }
  override text(): string {
    return `re.compile(${repr(this.#source)})`
  }
}

export function reModule(): Dict {
  const short: Record<keyof typeof flag, string> = {
    IGNORECASE: 'I',
    MULTILINE: 'M',
    DOTALL: 'S',
    VERBOSE: 'X',
    ASCII: 'A',
  }
  return new Dict([
    ...Object.entries(functions).map(
      ([name, found]) =>
        [name, ((args, kwargs) => run(name, ...found, undefined, args, kwargs)) satisfies Callable] as const,
    ),
    [
      'compile',
      ((args, kwargs) => {
        const [pattern, flags = 0] = bind('compile', ['pattern', 'flags?'], args, kwargs)
        return pattern instanceof Pattern ? pattern : new Pattern(textOf(pattern), regex(pattern, flags))
      }) satisfies Callable,
    ],
    ['escape', (([text]) => textOf(text).replace(/[\s#$&()*+\-.?[\\\]^{|}~]/g, '\\$&')) satisfies Callable],
    ['purge', (() => null) satisfies Callable],
    ...Object.entries(flag).flatMap(([name, bit]) => [
      [name, bit] as const,
      [short[name as keyof typeof flag], bit] as const,
    ]),
    ['UNICODE', 0],
    ['U', 0],
  ])
}
