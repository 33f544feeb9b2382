// Cuts SQL text into tokens, only as far as we need it: to split scripts, to find the extent of a table's name, and
// to read the head of statements that DuckDB's serialiser does not take. Everything else is DuckDB's to parse.

import { Failure, type Place } from '../../base/failure.ts'
import { filePattern } from '../../engine/index.ts'

export type Token = {
  kind: 'word' | 'quoted' | 'string' | 'number' | 'symbol'
  /** As written. */
  text: string
  /** JavaScript string indices. */
  start: number
  end: number
}

const wordAt = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y
const numberAt = /\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const dollarAt = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y
const symbolAt = /::|=>|->|<=|>=|<>|!=|\|\||[^]/y

/** Where a pattern ends that begins at an index; undefined where it does not. */
function matchEnd(pattern: RegExp, sql: string, at: number): number | undefined {
  pattern.lastIndex = at
  return pattern.test(sql) ? pattern.lastIndex : undefined
}

/** Tokens of `sql` from index `from`, comments left out. SQL_INVALID where a string or comment is never closed. */
export function* tokens(sql: string, from = 0): Generator<Token> {
  for (let at = from; at < sql.length;) {
    const space = spaceEnd(sql, at)
    if (space > at) {
      at = space
      continue
    }
    const [kind, end] = tokenAt(sql, at)
    yield { kind, text: sql.slice(at, end), start: at, end }
    at = end
  }
}

/** Behind the blanks or the comment that begin there. A comment ends at a carriage return too, as DuckDB has it. */
function spaceEnd(sql: string, at: number): number {
  const code = sql.charCodeAt(at)
  if (code === 0x2d) {
    if (sql.charCodeAt(at + 1) !== 0x2d) return at
    let end = at + 2
    while (end < sql.length && sql[end] !== '\n' && sql[end] !== '\r') end++
    return end
  }
  if (code === 0x2f) return sql.charCodeAt(at + 1) === 0x2a ? commentEnd(sql, at) : at
  let end = at
  while (end < sql.length && isSpace(sql.charCodeAt(end))) end++
  return end
}

const isSpace = (code: number): boolean =>
  code === 0x20 || (code >= 9 && code <= 13) || (code >= 0x80 && /\s/.test(String.fromCharCode(code)))

function tokenAt(sql: string, at: number): [kind: Token['kind'], end: number] {
  const code = sql.charCodeAt(at)
  switch (code) {
    case 0x22: // "
    case 0x60: // `
      return ['quoted', closedBy(sql, at, sql[at]!)]
    case 0x27: // '
      return ['string', closedBy(sql, at, "'")]
    case 0x45: // E
    case 0x65: // e
      // In an E'' string a backslash may escape a quote.
      if (sql.charCodeAt(at + 1) === 0x27 && sql.includes("'", at + 2)) return ['string', escapeStringEnd(sql, at)]
      return ['word', matchEnd(wordAt, sql, at)!]
    case 0x24: {
      const open = matchEnd(dollarAt, sql, at)
      return open === undefined ? ['symbol', at + 1] : ['string', dollarEnd(sql, at, open)]
    }
  }
  if (code >= 0x30 && code <= 0x39) return ['number', matchEnd(numberAt, sql, at)!]
  const isWord = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a
  if (isWord || code === 0x5f || code >= 0x80) return ['word', matchEnd(wordAt, sql, at)!]
  return ['symbol', matchEnd(symbolAt, sql, at)!]
}

function dollarEnd(sql: string, start: number, open: number): number {
  const mark = sql.slice(start, open)
  const close = sql.indexOf(mark, open)
  if (close < 0) throw invalid(sql, start, `the string that begins with ${mark} is never closed`)
  return close + mark.length
}

/** Behind the quote that closes what one opens; two of them are one inside. */
function closedBy(sql: string, start: number, quote: string): number {
  let open = start
  for (let at = start + 1; ; at += 2) {
    at = sql.indexOf(quote, at)
    if (at < 0) throw invalid(sql, open, `the ${quote === "'" ? 'string' : 'name'} is never closed`)
    if (sql[at + 1] !== quote) return at + 1
    open = at + 1
  }
}

/** DuckDB's block comments nest, as PostgreSQL's do. */
function commentEnd(sql: string, start: number): number {
  let depth = 1
  for (let at = start + 2; at < sql.length; at++) {
    const [code, next] = [sql.charCodeAt(at), sql.charCodeAt(at + 1)]
    if (code === 0x2f && next === 0x2a) depth++
    else if (code === 0x2a && next === 0x2f) depth--
    else continue
    at++
    if (depth === 0) return at + 1
  }
  throw invalid(sql, start, 'the comment is never closed')
}

function escapeStringEnd(sql: string, start: number): number {
  for (let at = start + 2; at < sql.length; at++) {
    if (sql[at] === '\\') at++
    else if (sql[at] === "'") {
      if (sql[at + 1] !== "'") return at + 1
      at++
    }
  }
  throw invalid(sql, start, 'the string is never closed')
}

const invalid = (sql: string, at: number, message: string) =>
  new Failure('SQL_INVALID', message, { place: placeAt(sql, at) })

/** Line and column (from 1) of an index in a text. */
export function placeAt(text: string, index: number): Place & { line: number; column: number } {
  const before = text.slice(0, index)
  const line = before.split('\n').length
  return { line, column: index - (before.lastIndexOf('\n') + 1) + 1 }
}

/** The index of a line and column, or the text's end. */
export function indexAt(text: string, { line, column = 1 }: { line: number; column?: number | undefined }): number {
  let at = 0
  for (let count = 1; count < line; count++) {
    const end = text.indexOf('\n', at)
    if (end < 0) return text.length
    at = end + 1
  }
  return Math.min(at + column - 1, text.length)
}

/** The statements of a script, without the semicolons and without empty ones. */
export function splitStatements(script: string): { sql: string; start: number }[] {
  // DuckDB reads a text as far as there: what is checked must be what runs.
  const zero = script.indexOf('\0')
  if (zero >= 0)
    throw new Failure('SQL_INVALID', 'a text of SQL holds no character 0', { place: placeAt(script, zero) })
  const statements: { sql: string; start: number }[] = []
  let first: Token | undefined
  let last: Token | undefined
  const close = () => {
    if (first && last) statements.push({ sql: script.slice(first.start, last.end), start: first.start })
    first = last = undefined
  }
  for (const token of tokens(script)) {
    if (token.text === ';') close()
    else {
      first ??= token
      last = token
    }
  }
  close()
  return statements
}

/** A name as it is meant: `"Region"` is Region, and so it is in backticks. */
export function nameOf({ kind, text }: Token): string {
  if (kind !== 'quoted') return text
  const quote = text[0]!
  return text.slice(1, -1).replaceAll(quote + quote, quote)
}

export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`
/** In quotes only where it would mean another without them, as PostgreSQL shows names. */
export const quoteNameIfNeeded = (name: string): string => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteName(name))
/** `raw.sales`, each name as `quoteNameIfNeeded` has it. */
export const dottedNames = (...names: readonly string[]): string => names.map(quoteNameIfNeeded).join('.')
/** The full name of a table or view. */
export const quoteTable = ({
  catalog,
  namespace,
  name,
}: {
  catalog: string
  namespace: string
  name: string
}): string => [catalog, namespace, name].map(quoteName).join('.')
export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** A file that is to be read, for `read_parquet` and its like. */
export const quoteFile = (path: string): string => quoteText(filePattern(path))

/** Index of the token that closes the parenthesis at `open`, or of the last one. */
export function closing(all: readonly Token[], open: number): number {
  let depth = 0
  for (let at = open; at < all.length; at++) {
    if (all[at]!.text === '(') depth++
    else if (all[at]!.text === ')' && --depth === 0) return at
  }
  return all.length - 1
}

/** Whether the token may be a name, or a part of one. */
export const isName = (token: Token | undefined): token is Token => token?.kind === 'word' || token?.kind === 'quoted'

/** The tokens from there on that are in no parentheses, and what opens those, with their places, up to where those around them close. */
export function* outside(all: readonly Token[], from = 0): Generator<[token: Token, at: number]> {
  let depth = 0
  for (let at = from; at < all.length; at++) {
    const token = all[at]!
    if (')]}'.includes(token.text)) {
      if (--depth < 0) return
    } else if (depth === 0) yield [token, at]
    if ('([{'.includes(token.text)) depth++
  }
}

const commasIn = (all: readonly Token[]) => [...outside(all)].filter(([{ text }]) => text === ',')

/** The tokens between those commas that are in no parentheses; of none one empty part. */
export function cutAtCommas(all: readonly Token[]): Token[][] {
  const commas = commasIn(all).map(([, at]) => at)
  return [...commas, all.length].map((end, index) => all.slice(index === 0 ? 0 : commas[index - 1]! + 1, end))
}

/** What stands between the commas of a text that are in no parentheses, as it is written; of an empty text one empty part. */
export function splitAtCommas(sql: string): string[] {
  const commas = commasIn([...tokens(sql)]).map(([token]) => token)
  const ends = [...commas.map(({ start }) => start), sql.length]
  return ends.map((end, index) => sql.slice(index === 0 ? 0 : commas[index - 1]!.end, end))
}

/** Where `$1` and its like stand in a text: the places of `$` among the tokens. */
export function parametersIn(all: readonly Token[]): { at: number; number: number; start: number; end: number }[] {
  return all.flatMap(({ text, start, end }, at) => {
    const digits = all[at + 1]
    return text === '$' && digits?.start === end && /^\d{1,5}$/.test(digits.text)
      ? [{ at, number: Number(digits.text), start, end: digits.end }]
      : []
  })
}
