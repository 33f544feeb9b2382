// YAML as nearly all of it is written — mappings and lists by indent, texts in and without quotes, blocks, short brackets — read in
// one pass, several times as fast as by the library that reads all of YAML. Whatever is anything else (an anchor, a tag, a tab, a key
// that stands twice, a mistake) is not read here at all: the library reads the file then, and says what is wrong with it.

/** The places of a document as plain data; see `placeIn` of `yaml.ts`. */
export type Outline = Spot | null
/** Line and column of a value; then its items, or its keys with line and column of each. */
export type Spot = [
  line: number,
  column: number,
  items?: Outline[],
  keys?: [name: string, line: number, column: number, value: Spot][],
]

/** Thrown when the text has what is not read here. */
class Unusual extends Error {}
const unusual = new Unusual()

export type OrdinaryOptions = {
  /** What a text without quotes is. */
  scalar: (text: string) => unknown
  /** Lines within brackets may stand anywhere, as for PyYAML. */
  looseBrackets?: boolean
}

/**
 * Undefined when the library is to read the text: it gives the same value and the same places for each that is read here.
 */
export function readOrdinaryYaml(
  text: string,
  options: OrdinaryOptions,
): { value: unknown; outline: Spot } | undefined {
  if (/[\t\uFEFF]|\r(?!\n)/.test(text)) return undefined
  const lines = (text.includes('\r') ? text.replaceAll('\r\n', '\n') : text).split('\n')
  try {
    return new OrdinaryReader(lines, options).document()
  } catch (error) {
    if (error === unusual) return undefined
    throw error
  }
}

const space = 0x20
const hash = 0x23
const dash = 0x2d
const colon = 0x3a

/** Deeper ones are nobody's work. */
const depthMax = 100
/** The longest key that may stand before a colon (YAML 1.2.2, 7.4.2), less some for its quotes. */
const keyLengthMax = 1_000

class OrdinaryReader {
  readonly #lines: readonly string[]
  readonly #options: OrdinaryOptions
  /** The line that is read, from 0; in brackets, `#column` is where it is read. */
  #line = 0
  #column = 0
  #depth = 0
  /** Of the value that was read last. */
  #spot: Spot = [1, 1]

  constructor(lines: readonly string[], options: OrdinaryOptions) {
    this.#lines = lines
    this.#options = options
  }

  document(): { value: unknown; outline: Spot } {
    this.#skipEmpty()
    if (/^--- *$/.test(this.#lines[this.#line] ?? '')) {
      this.#line++
      this.#skipEmpty()
    }
    const line = this.#lines[this.#line]
    if (line === undefined) throw unusual
    const column = indentOf(line)
    if (!isDash(line, column) && this.#colonOf(line, column) < 0) throw unusual
    const value = this.#block(column, -1)
    if (this.#line < this.#lines.length) throw unusual
    return { value, outline: this.#spot }
  }

  /** To the next line that is neither empty nor a comment. */
  #skipEmpty(): void {
    for (; this.#line < this.#lines.length; this.#line++) {
      const line = this.#lines[this.#line]!
      const at = indentOf(line)
      if (at < line.length && line.charCodeAt(at) !== hash) return
    }
  }

  /** The value that begins at `column` of the line; what belongs to it is deeper than `indent`. Ends on a line that says something. */
  #block(column: number, indent: number): unknown {
    if (++this.#depth > depthMax) throw unusual
    const line = this.#lines[this.#line]!
    const value = isDash(line, column)
      ? this.#sequence(column)
      : this.#colonOf(line, column) >= 0
        ? this.#mapping(column)
        : this.#inline(column, indent)
    this.#depth--
    return value
  }

  #sequence(column: number): unknown[] {
    const values: unknown[] = []
    const items: Spot[] = []
    const start: Spot = [this.#line + 1, column + 1, items]
    for (;;) {
      const line = this.#lines[this.#line]!
      const at = indentOf(line, column + 1)
      values.push(isEmptyFrom(line, at) ? this.#below(column, at, false) : this.#block(at, column))
      items.push(this.#spot)
      const next = this.#nextIndent()
      if (next > column) throw unusual
      if (next < column || !isDash(this.#lines[this.#line]!, column)) break
    }
    this.#spot = start
    return values
  }

  #mapping(column: number): Record<string, unknown> {
    const value: Record<string, unknown> = {}
    const keys: NonNullable<Spot[3]> = []
    const start: Spot = [this.#line + 1, column + 1, [], keys]
    for (;;) {
      const line = this.#lines[this.#line]!
      const end = this.#colonOf(line, column)
      if (end < 0) throw unusual
      const key = keyOf(line.slice(column, end))
      if (Object.hasOwn(value, key)) throw unusual
      const keyLine = this.#line + 1
      const at = indentOf(line, end + 1)
      value[key] = isEmptyFrom(line, at) ? this.#below(column, at, true) : this.#inline(at, column)
      keys.push([key, keyLine, column + 1, this.#spot])
      const next = this.#nextIndent()
      if (next > column) throw unusual
      if (next < column) break
    }
    this.#spot = start
    return value
  }

  /** A value that stands in the lines after a dash or the colon of a key in `column`; no value stands at `end`. */
  #below(column: number, end: number, isOfKey: boolean): unknown {
    const empty: Spot = [this.#line + 1, end + 1]
    this.#line++
    const next = this.#nextIndent()
    if (next > column) return this.#block(next, column)
    if (isOfKey && next === column && isDash(this.#lines[this.#line]!, column)) return this.#block(column, column)
    this.#spot = empty
    return null
  }

  /** Of the next line that says something; -1 at the end of the text. */
  #nextIndent(): number {
    this.#skipEmpty()
    const line = this.#lines[this.#line]
    return line === undefined ? -1 : indentOf(line)
  }

  /** A value that is no mapping and no list by indent. */
  #inline(column: number, indent: number): unknown {
    const spot: Spot = [this.#line + 1, column + 1]
    const line = this.#lines[this.#line]!
    let value: unknown
    switch (line[column]) {
      case '|':
      case '>':
        value = this.#blockText(column, indent)
        break
      case '"':
      case "'":
        value = this.#quoted(column, indent)
        this.#endLine()
        break
      case '[':
      case '{':
        this.#column = column
        value = this.#flow(indent)
        this.#endLine()
        return value
      default:
        value = this.#options.scalar(this.#plain(column, indent))
    }
    this.#spot = spot
    return value
  }

  /** Nothing but a comment may stand behind `#column`. */
  #endLine(): void {
    const line = this.#lines[this.#line]!
    const at = indentOf(line, this.#column)
    if (!isEmptyFrom(line, at) || (at < line.length && at === this.#column)) throw unusual
    this.#line++
  }

  /** Without quotes, over all its lines. */
  #plain(column: number, indent: number): string {
    let line = this.#lines[this.#line]!
    if (!mayBeginPlain(line, column)) throw unusual
    let end = plainEnd(line, column)
    let text = line.slice(column, withoutSpaces(line, end))
    this.#line++
    while (end === line.length) {
      let next = this.#line
      while (next < this.#lines.length && indentOf(this.#lines[next]!) === this.#lines[next]!.length) next++
      if (next === this.#lines.length) break
      line = this.#lines[next]!
      const at = indentOf(line)
      if (at <= indent || line.charCodeAt(at) === hash) break
      end = plainEnd(line, at)
      const empty = next - this.#line
      text += (empty > 0 ? '\n'.repeat(empty) : ' ') + line.slice(at, withoutSpaces(line, end))
      this.#line = next + 1
    }
    return text
  }

  /** In quotes; `#column` is behind them then. */
  #quoted(column: number, indent: number): string {
    const quote = this.#lines[this.#line]![column]!
    const ends = quote === '"' ? /(?:[^"\\]|\\.)*/y : /(?:[^']|'')*/y
    const text = (written: string): string => {
      if (quote === "'") return written.includes("'") ? written.replaceAll("''", "'") : written
      return written.includes('\\') ? unescaped(written) : written
    }
    let line = this.#lines[this.#line]!
    let from = column + 1
    let written = ''
    for (let isFirst = true; ; isFirst = false) {
      ends.lastIndex = from
      ends.test(line)
      const end = Math.max(from, ends.lastIndex)
      const isLast = line[end] === quote
      if (!isLast && end < line.length) throw unusual // a backslash at the end of the line
      const to = isLast ? end : withoutSpaces(line, end)
      if (!isLast && to < line.length && line[to - 1] === '\\') throw unusual
      written += line.slice(from, Math.max(from, to))
      if (isLast) {
        this.#column = end + 1
        return text(written)
      }
      if (isFirst && to <= from) throw unusual // what a first line of white space is, is for the library to know
      let empty = 0
      for (;;) {
        line = this.#lines[++this.#line] ?? fail()
        from = indentOf(line)
        if (from < line.length) break
        empty++
      }
      if (from <= indent || line[from] === quote) throw unusual
      written += empty > 0 ? '\n'.repeat(empty) : ' '
    }
  }

  /** Behind `|` or `>`, which keep or fold its lines. */
  #blockText(column: number, indent: number): string {
    const header = /^([|>])(-?) *$/.exec(this.#lines[this.#line]!.slice(column)) ?? fail()
    const first = ++this.#line
    while (this.#isEmpty(this.#line)) this.#line++
    const inner = indentOf(this.#lines[this.#line] ?? '')
    if (this.#line === this.#lines.length || inner <= indent) return fail()
    for (let at = first; at < this.#line; at++) if (this.#lines[at]!.length > inner) throw unusual
    const found: string[] = []
    for (this.#line = first; this.#line < this.#lines.length; this.#line++) {
      const line = this.#lines[this.#line]!
      const at = indentOf(line)
      if (at < inner && at < line.length) {
        if (at > indent) throw unusual
        break
      }
      found.push(line.slice(inner))
    }
    const isAtEnd = this.#line === this.#lines.length
    const hasBreak = !isAtEnd || found.at(-1) === ''
    while (found.at(-1) === '') found.pop()
    if (found.at(-1)!.trim() === '') throw unusual
    const text = header[1] === '|' ? found.join('\n') : folded(found)
    return header[2] === '-' || !hasBreak ? text : `${text}\n`
  }

  #isEmpty(at: number): boolean {
    const line = this.#lines[at]
    return line !== undefined && indentOf(line) === line.length
  }

  /** In brackets; `#column` is behind them then. */
  #flow(indent: number): unknown {
    if (++this.#depth > depthMax) throw unusual
    const value = this.#lines[this.#line]![this.#column] === '[' ? this.#flowList(indent) : this.#flowMapping(indent)
    this.#depth--
    return value
  }

  #flowList(indent: number): unknown[] {
    const values: unknown[] = []
    const items: Spot[] = []
    const start: Spot = [this.#line + 1, this.#column + 1, items]
    this.#column++
    while (this.#flowChar(indent) !== ']') {
      values.push(this.#flowValue(indent))
      items.push(this.#spot)
      if (this.#flowChar(indent) === ',') this.#column++
      else if (this.#flowChar(indent) !== ']') throw unusual
    }
    this.#column++
    this.#spot = start
    return values
  }

  #flowMapping(indent: number): Record<string, unknown> {
    const value: Record<string, unknown> = {}
    const keys: NonNullable<Spot[3]> = []
    const start: Spot = [this.#line + 1, this.#column + 1, [], keys]
    this.#column++
    for (let char = this.#flowChar(indent); char !== '}'; char = this.#flowChar(indent)) {
      const [keyLine, keyColumn] = [this.#line + 1, this.#column + 1]
      const key = keyOf(char === '"' || char === "'" ? this.#oneLine(indent) : this.#flowPlain())
      const line = this.#lines[this.#line]!
      if (Object.hasOwn(value, key) || line.charCodeAt(this.#column) !== colon) throw unusual
      if (this.#column + 1 < line.length && line.charCodeAt(this.#column + 1) !== space) throw unusual
      this.#column++
      if (',}'.includes(this.#flowChar(indent))) throw unusual
      value[key] = this.#flowValue(indent)
      keys.push([key, keyLine, keyColumn, this.#spot])
      if (this.#flowChar(indent) === ',') this.#column++
      else if (this.#flowChar(indent) !== '}') throw unusual
    }
    this.#column++
    this.#spot = start
    return value
  }

  /** A key as it is written, quotes and all. */
  #oneLine(indent: number): string {
    const [line, from] = [this.#line, this.#column]
    this.#quoted(from, indent)
    if (this.#line !== line) throw unusual
    return this.#lines[line]!.slice(from, this.#column)
  }

  #flowValue(indent: number): unknown {
    const spot: Spot = [this.#line + 1, this.#column + 1]
    const char = this.#flowChar(indent)
    if (char === '[' || char === '{') return this.#flow(indent)
    const value =
      char === '"' || char === "'" ? this.#quoted(this.#column, indent) : this.#options.scalar(this.#flowPlain())
    this.#spot = spot
    return value
  }

  /** The next character that is neither a space nor the end of a line, at `#column`. */
  #flowChar(indent: number): string {
    for (;;) {
      const line = this.#lines[this.#line] ?? fail()
      const at = indentOf(line, this.#column)
      this.#column = at
      if (at < line.length) {
        if (line.charCodeAt(at) === hash) throw unusual
        return line[at]!
      }
      this.#line++
      this.#column = indentOf(this.#lines[this.#line] ?? fail())
      const isTooFar = this.#column <= indent && this.#column < this.#lines[this.#line]!.length
      if (isTooFar && !this.#options.looseBrackets) throw unusual
    }
  }

  #flowPlain(): string {
    const line = this.#lines[this.#line]!
    const from = this.#column
    if (!mayBeginPlain(line, from) || /^-(?:[,[\]{}]|$)/.test(line.slice(from, from + 2))) throw unusual
    const end = flowPlainEnd(line, from)
    this.#column = end
    return line.slice(from, withoutSpaces(line, end))
  }

  /** Where the colon of a key stands that begins at `column`; -1 when no key does. */
  #colonOf(line: string, column: number): number {
    const first = line[column]
    if (first === '"' || first === "'") {
      const quoted = first === '"' ? /"(?:[^"\\]|\\.)*" *:(?: |$)/y : /'(?:[^']|'')*' *:(?: |$)/y
      quoted.lastIndex = column
      const [found] = quoted.exec(line) ?? []
      if (found === undefined) return -1
      if (found.length > keyLengthMax) throw unusual
      return column + found.lastIndexOf(':')
    }
    for (let at = line.indexOf(':', column); at >= 0; at = line.indexOf(':', at + 1)) {
      if (at + 1 < line.length && line.charCodeAt(at + 1) !== space) continue
      const comment = line.indexOf(' #', column)
      if (comment >= 0 && comment < at) return -1
      if (first === '[' || first === '{') return -1
      if (!mayBeginPlain(line, column) || at - column > keyLengthMax) throw unusual
      return at
    }
    return -1
  }
}

/** Where what is not a space begins at or behind `from`. */
function indentOf(line: string, from = 0): number {
  let at = from
  while (at < line.length && line.charCodeAt(at) === space) at++
  return at
}

/** Where the spaces before `end` begin. */
function withoutSpaces(line: string, end: number): number {
  let at = end
  while (at > 0 && line.charCodeAt(at - 1) === space) at--
  return at
}

const isDash = (line: string, at: number): boolean =>
  line.charCodeAt(at) === dash && (at + 1 === line.length || line.charCodeAt(at + 1) === space)

/** Whether nothing or a comment begins at `at`, behind white space. */
const isEmptyFrom = (line: string, at: number): boolean => at >= line.length || line.charCodeAt(at) === hash

/** Indicators (YAML 1.2.2, 5.3) begin no text; three dashes or dots may begin or end a document. */
function mayBeginPlain(line: string, at: number): boolean {
  const first = line[at]!
  if ('-?:'.includes(first)) return first === '-' && !isDash(line, at) && !line.startsWith('---', at)
  return !'&*!%@`,[]{}|>"\'#'.includes(first) && !(first === '.' && line.startsWith('...', at))
}

/** Where a text without quotes ends in its line: at a comment. What would be a key in it is a mistake. */
function plainEnd(line: string, from: number): number {
  for (let at = line.indexOf(':', from); at >= 0; at = line.indexOf(':', at + 1)) {
    if (at + 1 < line.length && line.charCodeAt(at + 1) !== space) continue
    const comment = line.indexOf(' #', from)
    if (comment < 0 || comment > at) throw unusual
    return comment
  }
  const comment = line.indexOf(' #', from)
  return comment < 0 ? line.length : comment
}

/** Where a text without quotes ends in brackets: at a comma, a bracket, the colon of a key or the end of the line. */
function flowPlainEnd(line: string, from: number): number {
  for (let at = from; at < line.length; at++) {
    const char = line[at]!
    if (',[]{}'.includes(char)) return at
    if (char === '#' && line.charCodeAt(at - 1) === space) throw unusual
    if (char !== ':') continue
    if (at + 1 === line.length || line.charCodeAt(at + 1) === space) return at
    if (',[]{}'.includes(line[at + 1]!)) throw unusual
  }
  return line.length
}

/** A key as it is written. */
function keyOf(written: string): string {
  const text = written.slice(0, withoutSpaces(written, written.length))
  if (text.startsWith("'")) return text.slice(1, -1).replaceAll("''", "'")
  const key = text.startsWith('"') ? unescaped(text.slice(1, -1)) : text
  if (key === '<<' || key === '__proto__') throw unusual
  return key
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '"': '"', '\\': '\\', '/': '/' }

const unescaped = (written: string): string =>
  written.replaceAll(/\\(?:u([\da-fA-F]{4})|(.))/g, (_, code: string | undefined, char: string) =>
    code === undefined ? (escapes[char] ?? fail()) : String.fromCharCode(parseInt(code, 16)),
  )

/**
 * Lines that follow one another are one; those that are deeper, and those around them, keep their breaks, as empty ones do
 * (YAML 1.2.2, 8.1.3).
 */
function folded(lines: readonly string[]): string {
  let text = ''
  let before: string | undefined
  let empty = 0
  for (const line of lines) {
    if (line === '') {
      empty++
      continue
    }
    const isDeep = line.startsWith(' ') || before?.startsWith(' ') === true
    if (before === undefined) text = '\n'.repeat(empty)
    else text += isDeep ? '\n'.repeat(empty + 1) : empty > 0 ? '\n'.repeat(empty) : ' '
    text += line
    before = line
    empty = 0
  }
  return text
}

function fail(): never {
  throw unusual
}
