// PostgreSQL's paths into JSON (`$.items[*] ? (@.price > 10).name`) as SQL. A path that is being followed is a list of what it
// has reached; conditions are true, false or unknown, and what is unknown is not found. Paths are lax, as all are that do not say
// `strict`: lists stand for their items, and what is missing is nothing.

import { Failure } from '../../../base/failure.ts'
import { quoteText } from '../../../lake/index.ts'

/** `list`: SQL of what is reached in `bh_v`. `condition`: SQL of a path that is a condition. */
export type PathSql = { list: string; condition: string | undefined }

type Node = { kind: 'path'; list: string } | { kind: 'condition'; sql: string }

/** @throws SQL_UNSUPPORTED, SQL_INVALID */
export function pathSql(path: string, variables: Readonly<Record<string, unknown>> = {}): PathSql {
  const reader = new PathReader(path, variables)
  const node = reader.whole()
  if (node.kind === 'path') return { list: node.list, condition: undefined }
  return { list: `[coalesce(to_json(${node.sql}), 'null'::JSON)]`, condition: node.sql }
}

const word = String.raw`[\p{L}_][\p{L}\p{N}_$]*`
const token = new RegExp(
  String.raw`\s*(?:("(?:[^"\\]|\\.)*")|(\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|(\*\*|&&|\|\||==|!=|<>|<=|>=|\$${word}|[.$@?()[\]*,<>!+\-/%])|(${word}))`,
  'uy',
)

function* tokensOf(path: string): Generator<string> {
  token.lastIndex = 0
  while (token.lastIndex < path.trimEnd().length) {
    const found = token.exec(path)
    if (!found) throw invalid(path)
    yield found[0].trim()
  }
}

const invalid = (path: string) =>
  new Failure('SQL_INVALID', `invalid input syntax for type jsonpath: ${quoteText(path.slice(0, 200))}`, {
    sqlState: '42601',
  })
const shownAs = (part: string) =>
  new Failure('SQL_UNSUPPORTED', `${part} in a JSON path is not supported`, {
    hint: 'Known are keys, [*], [0], [last], [1 to 3], .*, ? (condition), .size(), .type(), and comparisons, like_regex, starts with, exists, &&, ||, ! in conditions.',
  })

const compared: Readonly<Record<string, string>> = {
  '==': '= 0',
  '!=': '<> 0',
  '<>': '<> 0',
  '<': '= -1',
  '<=': 'IN (-1, 0)',
  '>': '= 1',
  '>=': 'IN (0, 1)',
}

class PathReader {
  readonly #path: string
  readonly #tokens: readonly string[]
  readonly #variables: Readonly<Record<string, unknown>>
  #at = 0
  #names = 0
  /** What `@` is, from the outermost condition. */
  readonly #current: string[] = []

  constructor(path: string, variables: Readonly<Record<string, unknown>>) {
    this.#path = path
    this.#variables = variables
    this.#tokens = [...tokensOf(path)]
  }

  whole(): Node {
    if (this.#take('strict')) throw shownAs('strict')
    this.#take('lax')
    const node = this.#either()
    if (this.#at < this.#tokens.length) throw invalid(this.#path)
    return node
  }

  #peek = (): string | undefined => this.#tokens[this.#at]

  #take(...words: string[]): boolean {
    if (!words.every((one, index) => this.#tokens[this.#at + index] === one)) return false
    this.#at += words.length
    return true
  }

  #expect(one: string): void {
    if (!this.#take(one)) throw invalid(this.#path)
  }

  #name = (): string => `bh_p${++this.#names}`

  #either(): Node {
    let node = this.#both()
    while (this.#take('||')) node = condition(`(${this.#told(node)} OR ${this.#told(this.#both())})`)
    return node
  }

  #both(): Node {
    let node = this.#comparison()
    while (this.#take('&&')) node = condition(`(${this.#told(node)} AND ${this.#told(this.#comparison())})`)
    return node
  }

  #told(node: Node): string {
    if (node.kind === 'condition') return node.sql
    throw invalid(this.#path)
  }

  #comparison(): Node {
    if (this.#take('!')) {
      if (this.#peek() !== '(' && this.#peek() !== 'exists') throw invalid(this.#path)
      return condition(`(NOT ${this.#told(this.#comparison())})`)
    }
    const left = this.#operand()
    if (left.kind === 'condition') {
      if (!this.#take('is', 'unknown')) return left
      return condition(`(${left.sql} IS NULL)`)
    }
    const sign = this.#peek() ?? ''
    if (/^[+\-*/%]$/.test(sign)) throw shownAs('arithmetic')
    if (Object.hasOwn(compared, sign)) {
      this.#at++
      const right = this.#operand()
      if (right.kind === 'condition') throw invalid(this.#path)
      const [a, b] = [this.#name(), this.#name()]
      const each = `list_transform(${opened(right.list)}, lambda ${b}: pg_path_order(${a}, ${b}) ${compared[sign]})`
      return condition(some(`flatten(list_transform(${opened(left.list)}, lambda ${a}: ${each}))`))
    }
    if (this.#take('starts', 'with')) {
      const start = this.#text()
      return this.#ofTexts(left.list, (text) => `starts_with(${text}, ${quoteText(start)})`)
    }
    if (this.#take('like_regex')) {
      const pattern = quoteText(this.#text())
      const flags = this.#take('flag') ? this.#text() : ''
      if (!/^[is]*$/.test(flags)) throw shownAs(`the flag ${flags}`)
      const how = flags === '' ? '' : `, ${quoteText(flags)}`
      return this.#ofTexts(left.list, (text) => `regexp_matches(${text}, ${pattern}${how})`)
    }
    return left
  }

  #ofTexts(list: string, holds: (text: string) => string): Node {
    const one = this.#name()
    const text = `json_extract_string(${one}, '$')`
    return condition(
      some(
        `list_transform(${opened(list)}, lambda ${one}: CASE json_type(${one}) WHEN 'VARCHAR' THEN ${holds(text)} END)`,
      ),
    )
  }

  #text(): string {
    const given = this.#tokens[this.#at++] ?? ''
    if (!given.startsWith('"')) throw invalid(this.#path)
    return this.#unquoted(given)
  }

  #unquoted(given: string): string {
    try {
      return JSON.parse(given.replace(/\\(['$v])/g, '$1')) as string
    } catch {
      throw invalid(this.#path)
    }
  }

  #operand(): Node {
    if (this.#take('exists')) {
      this.#expect('(')
      const node = this.#either()
      this.#expect(')')
      return condition(node.kind === 'path' ? `(len(${node.list}) > 0)` : 'true')
    }
    if (this.#take('(')) {
      const node = this.#either()
      this.#expect(')')
      return node.kind === 'path' ? { ...node, list: this.#steps(node.list) } : node
    }
    const negative = this.#take('-')
    const given = this.#tokens[this.#at++] ?? ''
    if (/^\d/.test(given)) return literal(`${negative ? '-' : ''}${given}`)
    if (negative) throw shownAs('arithmetic')
    if (given === '$') return { kind: 'path', list: this.#steps('[bh_v]') }
    if (given === '@') {
      const current = this.#current.at(-1)
      if (current === undefined) throw invalid(this.#path)
      return { kind: 'path', list: this.#steps(`[${current}]`) }
    }
    if (given.startsWith('"')) return literal(JSON.stringify(this.#unquoted(given)))
    if (given.startsWith('$')) return { kind: 'path', list: this.#steps(this.#variable(given.slice(1))) }
    if (/^(true|false|null)$/.test(given)) return literal(given)
    throw invalid(this.#path)
  }

  #variable(name: string): string {
    if (!Object.hasOwn(this.#variables, name))
      throw new Failure('SQL_INVALID', `could not find jsonpath variable "${name}"`, { sqlState: '42704' })
    return literal(JSON.stringify(this.#variables[name])).list
  }

  #steps(from: string): string {
    let list = from
    for (;;)
      if (this.#take('.')) list = this.#member(list)
      else if (this.#take('[')) list = this.#items(list)
      else if (this.#take('?')) list = this.#filtered(list)
      else return list
  }

  #member(list: string): string {
    if (this.#take('**')) throw shownAs('**')
    const one = this.#name()
    if (this.#take('*'))
      return `flatten(list_transform(${opened(list)}, lambda ${one}: CASE json_type(${one}) WHEN 'OBJECT' THEN json_extract(${one}, '$.*') ELSE []::JSON[] END))`
    const given = this.#tokens[this.#at++] ?? ''
    const key = given.startsWith('"') ? this.#unquoted(given) : given
    if (!given.startsWith('"') && this.#take('(', ')')) return this.#method(given, list)
    if (!/^["\p{L}_]/u.test(given)) throw invalid(this.#path)
    const pointer = quoteText(`/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`)
    const found = `list_transform(${opened(list)}, lambda ${one}: CASE json_type(${one}) WHEN 'OBJECT' THEN json_extract(${one}, ${pointer}) END)`
    const there = this.#name()
    return `list_filter(${found}, lambda ${there}: ${there} IS NOT NULL)`
  }

  #method(name: string, list: string): string {
    const one = this.#name()
    const each = (sql: string) => `list_transform(${list}, lambda ${one}: ${sql})`
    if (name === 'size')
      return each(`to_json(CASE json_type(${one}) WHEN 'ARRAY' THEN json_array_length(${one}) ELSE 1 END)`)
    if (name === 'type')
      return each(
        `to_json(CASE json_type(${one}) WHEN 'VARCHAR' THEN 'string' WHEN 'ARRAY' THEN 'array' WHEN 'OBJECT' THEN 'object' WHEN 'BOOLEAN' THEN 'boolean' WHEN 'NULL' THEN 'null' ELSE 'number' END)`,
      )
    throw shownAs(`.${name}()`)
  }

  #items(list: string): string {
    const one = this.#name()
    if (this.#take('*', ']')) return opened(list)
    const items = `CASE json_type(${one}) WHEN 'ARRAY' THEN json_extract(${one}, '$[*]') ELSE [${one}] END`
    const count = `(CASE json_type(${one}) WHEN 'ARRAY' THEN json_array_length(${one})::BIGINT ELSE 1 END)`
    const parts: string[] = []
    do {
      const from = this.#place(count)
      const to = this.#take('to') ? this.#place(count) : from
      parts.push(
        `CASE WHEN ${to} >= 0 THEN list_slice(${items}, greatest(${from}, 0) + 1, ${to} + 1) ELSE []::JSON[] END`,
      )
    } while (this.#take(','))
    this.#expect(']')
    const all = parts.length === 1 ? parts[0]! : `flatten([${parts.join(', ')}])`
    return `flatten(list_transform(${list}, lambda ${one}: ${all}))`
  }

  /** `0`, `last`, `last - 1`. */
  #place(count: string): string {
    const isLast = this.#take('last')
    const negative = !isLast && this.#take('-')
    if (isLast && !this.#take('-')) return `(${count} - 1)`
    const given = this.#tokens[this.#at++] ?? ''
    if (given === '') throw invalid(this.#path)
    if (!/^\d{1,9}$/.test(given)) throw shownAs(`[${given}]`)
    return isLast ? `(${count} - 1 - ${given})` : `${negative ? '-' : ''}${given}`
  }

  #filtered(list: string): string {
    const one = this.#name()
    this.#expect('(')
    this.#current.push(one)
    const holds = this.#told(this.#either())
    this.#current.pop()
    this.#expect(')')
    return `list_filter(${opened(list)}, lambda ${one}: coalesce(${holds}, false))`
  }
}

const condition = (sql: string): Node => ({ kind: 'condition', sql })
const literal = (json: string) => ({ kind: 'path' as const, list: `[${quoteText(json)}::JSON]` })

/** Lists stand for their items, but for those inside of them. */
function opened(list: string): string {
  const isOne = /^\['(?:[^'[]|'')*'::JSON\]$/.test(list)
  return isOne
    ? list
    : `flatten(list_transform(${list}, lambda bh_o: CASE json_type(bh_o) WHEN 'ARRAY' THEN json_extract(bh_o, '$[*]') ELSE [bh_o] END))`
}

/** Whether any holds; unknown where none does, and of one it is not known. */
const some = (holds: string): string =>
  `list_transform([${holds}], lambda bh_q: CASE WHEN list_bool_or(bh_q) THEN true WHEN list_count(bh_q) < len(bh_q) THEN NULL ELSE false END)[1]`
