// A statement as tokens, where operands, casts and parentheses begin and end, and the edits that are made of it.

import { tokens, type Edit, type Token } from '../../../lake/index.ts'

/** Tables of the catalog that are about the connection alone. */
export type SessionTable = 'pg_cursors' | 'pg_prepared_statements' | 'pg_settings'

/** What a text may say of the session that it runs in. */
export type SessionNames = {
  user: string
  catalog: string
  schema: string | undefined
  version: string
  backendId: number
  /** When the transaction began that is open. */
  readonly beganMs?: number | undefined
  setting(name: string): string | undefined
  /** What the connection holds: rows of values as SQL. */
  rowsOf?(table: SessionTable): string[][]
  /** Whether the next connection that the text cancels was found. */
  signalled?(): boolean
}

export type Range = readonly [from: number, to: number]

/** Words that a value follows, and none ends with. */
export const beforeValues: ReadonlySet<string> = new Set(
  'select distinct all where and or not when then else case on in between like ilike by having returning values limit offset set using from is as with interval escape'.split(
    ' ',
  ),
)

/** How many groups of a pattern catch what they match. */
export const groupsOf = (pattern: string): number =>
  pattern.replace(/\\.|\[[^\]]*\]/g, '').match(/\((?!\?)/g)?.length ?? 0

/** What a literal means; of `E'\\'` a quote and a backslash are all that is written with one by drivers. */
export function textOf({ text }: Token): string {
  const tag = /^\$\w*\$/.exec(text)?.[0]
  if (tag !== undefined) return text.slice(tag.length, -tag.length)
  const plain = text.slice(text.indexOf("'") + 1, -1).replaceAll("''", "'")
  return /^e/i.test(text) ? plain.replace(/\\([\\'])/g, '$1') : plain
}

/** Operands of `||` from the first to the last; `close`: where a list of them ends. */
export type Joined = { first: number; last: number; isJson: boolean; close: Edit | undefined }

export class EditedSql {
  readonly text: string
  readonly session: SessionNames
  readonly tokens: readonly Token[]
  /** The tokens in small letters; texts are empty. */
  readonly words: readonly string[]
  readonly edits: Edit[] = []
  /** Chains of `||` so far, by their last token. */
  readonly joins = new Map<number, Joined>()
  /** What keys and items were taken out of, likewise. */
  readonly minuses = new Map<number, { first: number; last: number; isJson: boolean }>()
  /** Literals that were read as a part of what is before them. */
  readonly taken = new Set<number>()
  /** Parentheses that belong together, each by the other. */
  readonly pairs = new Map<number, number>()
  /** Tokens that stand in a select list, not inside of a call there. */
  readonly selects: ReadonlySet<number>

  constructor(text: string, session: SessionNames) {
    this.text = text
    this.session = session
    this.tokens = [...tokens(text)]
    // SQLGlot quotes the schema of functions, too.
    const wordOf = (text: string) => (/^"pg_catalog"$/i.test(text) ? 'pg_catalog' : text.toLowerCase())
    this.words = this.tokens.map(({ kind, text }) => (kind === 'string' ? '' : wordOf(text)))
    const open: number[] = []
    this.words.forEach((word, at) => {
      if (word === '(') open.push(at)
      else if (word === ')' && open.length > 0) {
        const first = open.pop()!
        this.pairs.set(first, at).set(at, first)
      }
    })
    this.selects = selectItems(this.words)
  }

  replace(from: number, to: number, text: string): true {
    this.edits.push({ start: this.tokens[from]!.start, end: this.tokens[to]!.end, text })
    return true
  }

  insertBefore(at: number, text: string): void {
    const { start } = this.tokens[at]!
    this.edits.push({ start, end: start, text })
  }

  /** Before what others put there: around all of it. */
  wrapBefore(at: number, text: string): void {
    const { start } = this.tokens[at]!
    this.edits.unshift({ start, end: start, text })
  }

  insertAfter(at: number, text: string): void {
    const { end } = this.tokens[at]!
    this.edits.push({ start: end, end, text })
  }

  opening(close: number): number | undefined {
    return this.pairs.get(close)
  }

  closing(open: number): number | undefined {
    return this.pairs.get(open)
  }

  comma(from: number, end: number): number | undefined {
    let depth = 0
    for (let at = from; at < end; at++) {
      if ('([{'.includes(this.words[at] || ' ')) depth++
      else if (')]}'.includes(this.words[at] || ' ')) depth--
      else if (this.words[at] === ',' && depth === 0) return at
    }
    return undefined
  }

  /** The type behind `::`, or behind AS in CAST, and the index of its last token. */
  castEnd(at: number): { type: string; last: number; isPlain: boolean } {
    let first = at + 1
    const schema = (this.words[first] ?? '').replaceAll('"', '')
    const isQualified = ['pg_catalog', 'information_schema'].includes(schema) && this.words[first + 1] === '.'
    if (isQualified) first += 2
    let last = first
    while (this.words[last + 1] === '[' && this.words[last + 2] === ']') last += 2
    // TypeORM and psycopg's identifiers quote it: `::"regtype"`.
    const word = (this.words[first] ?? '').replace(/^"(reg\w+|jsonb?|bytea)"$/, '$1')
    // The standard's word for a list, as Hibernate has it.
    const isWord = last === first && this.words[first + 1] === 'array' && this.words[first + 2] !== '['
    const type = word + (isWord ? '[]' : '[]'.repeat((last - first) / 2))
    if (isWord) last++
    return { type, last, isPlain: !isQualified }
  }

  /** The first token of the operand that ends here: a name with dots, a call, something in parentheses, a parameter. */
  operand(end: number): number {
    let at = end
    if (this.words[at] === ')') {
      at = this.opening(at) ?? 0
      if (
        this.tokens[at - 1]?.kind !== 'word' ||
        ['and', 'or', 'not', 'select', 'in', 'on', 'where', 'values'].includes(this.words[at - 1]!)
      )
        return at
      at--
    }
    while (this.words[at - 1] === '.') at -= 2
    return Math.max(at, 0)
  }

  /** The first token of what ends with this bracket: `ARRAY[…]`, `[…]`, or a list of which a part is taken. */
  private list(end: number): number {
    let open = end
    for (let depth = 0; open >= 0; open--) {
      if (this.words[open] === ']') depth++
      else if (this.words[open] === '[' && --depth === 0) break
    }
    if (this.words[open - 1] === 'array') return open - 1
    return open > 0 && this.isOperand(open - 1) ? this.operandWithCasts(open - 1) : Math.max(open, 0)
  }

  operandWithCasts(end: number): number {
    let first = this.words[end] === ']' ? this.list(end) : this.operand(end)
    while (this.words[first - 1] === '::') first = this.operand(first - 2)
    return first
  }

  /** Where the operand ends that begins here, casts included. */
  operandEnd(first: number): number {
    let last = first
    if (this.words[last] === '$') last++
    while (this.words[last + 1] === '.') last += 2
    if (this.words[last] === 'array' && this.words[last + 1] === '[') last = this.words.indexOf(']', last)
    else if (this.words[last] === '(') last = this.closing(last) ?? last
    else if (this.words[last + 1] === '(' && this.tokens[last]?.kind !== 'string') last = this.closing(last + 1) ?? last
    while (this.words[last + 1] === '::') last = this.castEnd(last + 1).last
    return last
  }

  /** Whether a value ends here, so that what follows is an operator between two. */
  isOperand(at: number): boolean {
    const token = this.tokens[at]
    if (!token) return false
    if (token.kind === 'symbol') return /^[)\]]$/.test(token.text)
    return token.kind !== 'word' || !beforeValues.has(this.words[at]!)
  }

  /** Whether these tokens are one item of a select list without a name of its own. */
  isItem(first: number, last: number): boolean {
    const [before, after] = [this.words[first - 1], this.words[last + 1]]
    return (
      this.selects.has(first) &&
      (before === 'select' || before === ',' || before === 'distinct' || before === 'all') &&
      (after === undefined || [',', 'from', ')', ';', 'union', 'where', 'limit', 'order'].includes(after))
    )
  }

  /** The first and last token of each, between parentheses. */
  items(open: number, end: number): Range[] {
    const found: Range[] = []
    for (let from = open + 1; from < end;) {
      const to = this.comma(from, end) ?? end
      if (to === from) return []
      found.push([from, to - 1])
      from = to + 1
    }
    return found
  }

  textOf([from, to]: Range): string {
    return this.text.slice(this.tokens[from]!.start, this.tokens[to]!.end)
  }

  isPath(from: number, to: number): boolean {
    return this.tokens
      .slice(from, to + 1)
      .every(({ kind, text }, index) => (index % 2 === 0 ? kind === 'word' || kind === 'quoted' : text === '.'))
  }

  /** `(3)` behind a type. */
  digitsBehind(type: number): string | undefined {
    const isThere =
      this.words[type + 1] === '(' && this.words[type + 3] === ')' && this.tokens[type + 2]?.kind === 'number'
    return isThere ? this.words[type + 2] : undefined
  }
}

/** Tokens that stand in a select list, not inside of a call there. */
function selectItems(words: readonly string[]): Set<number> {
  const found = new Set<number>()
  const levels = [false]
  words.forEach((word, at) => {
    if (word === '(' || word === '[' || word === '{') levels.push(false)
    else if (word === ')' || word === ']' || word === '}') levels.pop()
    else if (word === 'select') levels[levels.length - 1] = true
    else if (['from', 'where', 'group', 'order', 'limit', 'having', 'union'].includes(word))
      levels[levels.length - 1] = false
    if (levels.at(-1)) found.add(at)
  })
  return found
}
