// Reads the head of a statement token by token, down to the expressions and SELECTs inside it, which are DuckDB's to parse.

import { Failure } from '../../base/failure.ts'
import { isName, nameOf, placeAt, tokens, type Token } from './tokens.ts'

/** A piece of the statement as it was written, and where it begins. */
export type Piece = { sql: string; start: number }
/** One to three parts, as written. */
export type WrittenName = string[]

const closing: Record<string, string> = { '(': ')', '[': ']', '{': '}' }

/** What `read` finds in a text of its own, of which nothing may be left over. @throws SQL_INVALID */
export function readWhole<Read>(sql: string, read: (reader: Reader) => Read): Read {
  const reader = new Reader(sql)
  const found = read(reader)
  reader.end()
  return found
}

export class Reader {
  readonly sql: string
  readonly #tokens: Token[]
  #at = 0
  constructor(sql: string) {
    this.sql = sql
    this.#tokens = [...tokens(sql)]
  }

  /** Takes these words, all or none. */
  take(...words: string[]): boolean {
    const found = this.sees(...words)
    if (found) this.#at += words.length
    return found
  }
  sees(...words: string[]): boolean {
    return words.every((word, offset) => this.#word(this.#at + offset) === word)
  }
  takeSymbol(text: string): boolean {
    const found = this.peek(text)
    if (found) this.#at++
    return found
  }
  peek(text: string, behind = 0): boolean {
    return this.#tokens[this.#at + behind]?.text.toLowerCase() === text
  }
  /** Whether these words or symbols are behind the next token. */
  isFollowedBy(...texts: string[]): boolean {
    return texts.every((text, index) => this.#tokens[this.#at + 1 + index]?.text.toLowerCase() === text)
  }
  /** Where the next token begins. */
  at(): number {
    return this.#tokens[this.#at]?.start ?? this.sql.length
  }
  peekText(): string {
    return this.#tokens[this.#at]?.text ?? ''
  }
  peekAfterParen(...words: string[]): boolean {
    return words.includes(this.#word(this.#at + 1) ?? '')
  }
  /** `(a, b)`: names and nothing else. */
  seesNames(): boolean {
    const close = this.#tokens.findIndex(({ text }, index) => index > this.#at && text === ')')
    const inside = this.#tokens.slice(this.#at + 1, close)
    return (
      this.peek('(') &&
      close > 0 &&
      inside.length % 2 === 1 &&
      inside.every((token, index) => (index % 2 === 0 ? isName(token) : token.text === ','))
    )
  }
  /** Whether the word comes somewhere behind. */
  has(word: string): boolean {
    return this.#tokens.some((_, index) => index >= this.#at && this.#word(index) === word)
  }
  /** Whether a name is behind so many words, and none of those that end `DROP column`. */
  isNamedAfter(words: number): boolean {
    const token = this.#tokens[this.#at + words]
    return token !== undefined && isName(token) && !['cascade', 'restrict'].includes(token.text.toLowerCase())
  }
  isAtEnd(): boolean {
    return this.#tokens[this.#at] === undefined
  }
  expect(what: string, ...words: string[]): void {
    if (!this.take(...words)) throw this.invalid(`expected ${what}`)
  }
  expectSymbol(text: string): void {
    if (!this.takeSymbol(text)) throw this.invalid(`expected ${text}`)
  }

  /** A name without dots. */
  identifier(what: string): string {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'word' && token?.kind !== 'quoted') throw this.invalid(`expected the name of ${what}`)
    this.#at++
    return nameOf(token)
  }
  name(what: string): WrittenName {
    return this.#names(what, 3)
  }
  /** What rows are of: a table, or behind its name a branch, `catalog.ns.t.branch_b`, or as Trino has it `t @ 'b'`. */
  tableOrBranch(): WrittenName {
    const parts = this.#names('a table', 4)
    if (parts.length < 4 && this.takeSymbol('@')) {
      const branch = this.peekText().startsWith("'") ? this.text('a branch') : this.identifier('a branch')
      return [...parts, `branch_${branch}`]
    }
    if (parts.length < 4 || /^branch_/i.test(parts[3]!)) return parts
    throw this.#tooMany(parts)
  }
  /** A column behind its table: `catalog.ns.t.c`. */
  columnOfTable(): { table: WrittenName; column: string } {
    const table = this.#names('a column', 4)
    const column = table.pop()!
    if (table.length === 0) throw this.invalid(`expected the table of ${column} before it`)
    return { table, column }
  }
  #names(what: string, most: number): WrittenName {
    const parts = [this.identifier(what)]
    while (this.takeSymbol('.')) parts.push(this.identifier(what))
    if (parts.length > most) throw this.#tooMany(parts)
    return parts
  }
  #tooMany = (parts: WrittenName) => this.invalid(`"${parts.join('.')}" has more than catalog, namespace and name`)
  /** A column at any depth: `place.city`. */
  path(): string {
    const parts = [this.identifier('a column')]
    while (this.takeSymbol('.')) parts.push(this.identifier('a column'))
    return parts.join('.')
  }
  /** `AS alias`, or a word that is none of these. */
  alias(...notThese: string[]): string | undefined {
    if (this.take('as')) return this.identifier('an alias')
    const token = this.#tokens[this.#at]
    if (token?.kind === 'quoted' || (token?.kind === 'word' && !notThese.includes(token.text.toLowerCase())))
      return this.identifier('an alias')
    return undefined
  }
  text(what: string): string {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'string' || /^e/i.test(token.text)) throw this.invalid(`expected ${what} in quotes`)
    this.#at++
    // `$$it's$$`, as dbt sends comments.
    const mark = /^\$[^$]*\$/.exec(token.text)?.[0]
    if (mark !== undefined) return token.text.slice(mark.length, -mark.length)
    return token.text.slice(1, -1).replaceAll("''", "'")
  }
  whole(what: string): number {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'number' || !/^\d{1,9}$/.test(token.text)) throw this.invalid(`expected ${what}`)
    this.#at++
    return Number(token.text)
  }
  /** `item, …` */
  separated<Item>(item: () => Item): [Item, ...Item[]] {
    const items: [Item, ...Item[]] = [item()]
    while (this.takeSymbol(',')) items.push(item())
    return items
  }
  columns(): string[] {
    return this.list(() => this.identifier('a column'))
  }
  /** `( item, … )`; as in DuckDB the last one may have a comma too. */
  list<Item>(item: () => Item): Item[] {
    this.expectSymbol('(')
    const items = [item()]
    while (this.takeSymbol(',') && !this.peek(')')) items.push(item())
    this.expectSymbol(')')
    return items
  }

  /** Everything up to one of these words or symbols outside of all parentheses and CASEs, or to the end. */
  until(what: string, ...stops: string[][]): Piece {
    const first = this.#tokens[this.#at]
    const begin = this.#at
    const open: string[] = []
    let cases = 0
    for (; this.#at < this.#tokens.length; this.#at++) {
      const { text, kind } = this.#tokens[this.#at]!
      if (open.length === 0 && cases === 0 && this.#at > begin && stops.some((stop) => this.#stops(stop))) break
      if (kind === 'symbol' && closing[text]) open.push(closing[text])
      else if (kind === 'symbol' && text === open.at(-1)) open.pop()
      else if (kind === 'symbol' && [')', ']', '}'].includes(text)) {
        if (open.length === 0) break
        throw this.invalid(`expected ${open.at(-1)}`)
      } else if (kind === 'word' && text.toLowerCase() === 'case') cases++
      else if (kind === 'word' && text.toLowerCase() === 'end' && cases > 0) cases--
    }
    if (open.length > 0) throw this.invalid(`expected ${open.at(-1)}`)
    if (!first || this.#at === begin) throw this.invalid(`expected ${what}`)
    return { sql: this.sql.slice(first.start, this.#tokens[this.#at - 1]!.end), start: first.start }
  }
  rest(what = 'a SELECT'): Piece {
    const first = this.#tokens[this.#at]
    if (!first) throw this.invalid(`expected ${what}`)
    this.#at = this.#tokens.length
    return { sql: this.sql.slice(first.start), start: first.start }
  }
  end(): void {
    if (!this.isAtEnd()) throw this.invalid('expected the end of the statement')
  }

  unsupported(what: string, hint?: string): Failure {
    return new Failure('SQL_UNSUPPORTED', `${what} is not supported`, {
      place: this.#place(),
      ...(hint ? { hint } : {}),
    })
  }
  invalid(message: string): Failure {
    const token = this.#tokens[this.#at]
    return new Failure('SQL_INVALID', `${message}${token ? `, found ${token.text}` : ' at the end'}`, {
      place: this.#place(),
    })
  }

  #stops(stop: string[]): boolean {
    return stop.length === 1 && !/^\w/.test(stop[0]!) ? this.peek(stop[0]!) : this.sees(...stop)
  }
  #word(at: number): string | undefined {
    const token = this.#tokens[at]
    return token?.kind === 'word' ? token.text.toLowerCase() : undefined
  }
  #place() {
    return placeAt(this.sql, this.#tokens[this.#at]?.start ?? this.sql.length)
  }
}
