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

// A comment ends at a carriage return too, as DuckDB has it: what follows is SQL there, and must be here.
const pattern =
  /(?<space>\s+|--[^\n\r]*|\/\*)|(?<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`)|(?<string>[eE]?'(?:[^']|'')*')|(?<dollar>\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)|(?<number>\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(?<symbol>::|=>|->|<=|>=|<>|!=|\|\||[^])/y

/** Tokens of `sql` from index `from`, comments left out. SQL_INVALID where a string or comment is never closed. */
export function* tokens(sql: string, from = 0): Generator<Token> {
  for (let at = from; at < sql.length;) {
    pattern.lastIndex = at
    const match = pattern.exec(sql)!
    const { space, quoted, string, dollar, number, word } = match.groups!
    let end = pattern.lastIndex
    if (space !== undefined) {
      at = space === '/*' ? commentEnd(sql, at) : end
      continue
    }
    if (dollar !== undefined) {
      const close = sql.indexOf(dollar, end)
      if (close < 0) throw invalid(sql, at, `the string that begins with ${dollar} is never closed`)
      end = close + dollar.length
    } else if (match[0] === "'" || match[0] === '"' || match[0] === '`')
      throw invalid(sql, at, `the ${match[0] === "'" ? 'string' : 'name'} is never closed`)
    // In an E'' string a backslash may escape the quote that seemed to close it.
    if (string !== undefined && /^[eE]/.test(string)) end = escapeStringEnd(sql, at)
    const kind =
      quoted !== undefined
        ? 'quoted'
        : string !== undefined || dollar !== undefined
          ? 'string'
          : number !== undefined
            ? 'number'
            : word !== undefined
              ? 'word'
              : 'symbol'
    yield { kind, text: sql.slice(at, end), start: at, end }
    at = end
  }
}

/** DuckDB's block comments nest, as PostgreSQL's do. */
function commentEnd(sql: string, start: number): number {
  let depth = 1
  for (let at = start + 2; at < sql.length; at++) {
    const two = sql.slice(at, at + 2)
    if (two === '/*') depth++
    else if (two === '*/') depth--
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

/** The tokens between those commas that are in no parentheses; of none one empty part. */
export function cutAtCommas(all: readonly Token[]): Token[][] {
  const commas = [...outside(all)].flatMap(([{ text }, at]) => (text === ',' ? [at] : []))
  return [...commas, all.length].map((end, index) => all.slice(index === 0 ? 0 : commas[index - 1]! + 1, end))
}

/** What stands between the commas of a text that are in no parentheses, as it is written; of an empty text one empty part. */
export function splitAtCommas(sql: string): string[] {
  const commas = [...outside([...tokens(sql)])].flatMap(([token]) => (token.text === ',' ? [token] : []))
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
