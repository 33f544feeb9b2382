// Splits a template into text and the tokens inside `{{ … }}` and `{% … %}`, with Jinja's white space control.
//
// Two rules are easy to get wrong. A `}}` ends an output only when no bracket of the expression is open, because
// `{{ {'a': {}}}}` is legal. And `-` beside a delimiter eats the white space of the text on that side, also
// through line ends; the one newline at the very end of a template is dropped always (Jinja's default).

import type { SourceMap } from './errors.ts'
import { type Float, float, LargeInteger } from './values.ts'

export type Token =
  | { kind: 'text'; text: string; at: number }
  | { kind: 'output start' | 'output end' | 'statement start' | 'statement end' | 'end'; text: string; at: number }
  | { kind: 'name' | 'operator'; text: string; at: number }
  | { kind: 'literal'; text: string; value: string | number | Float; at: number }

/** Line ends as Jinja normalises them, and without the last one. */
export const normalise = (source: string): string => source.replace(/\r\n|\r/g, '\n').replace(/\n$/, '')

const opening = /\{%[-+]?\s*raw\s*(?:-%\}\s*|%\})|\{%[-+]?|\{\{[-+]?|\{#[-+]?/g
const rawEnd = /\{%([-+]?)\s*endraw\s*(?:\+%\}|-%\}\s*|%\})/g
const commentEnd = /(?:\+#\}|-#\}\s*|#\})/g
const outputEnd = /-\}\}\s*|\}\}/y
const statementEnd = /(?:\+%\}|-%\}\s*|%\})/y
const whitespace = /\s+/y
const floating = /(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy
const integer = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy
const name = /[\p{L}\p{Nl}_\p{Mn}\p{Mc}\p{Nd}\p{Pc}]+/uy
const string = /'[^'\\]*(?:\\[^][^'\\]*)*'|"[^"\\]*(?:\\[^][^"\\]*)*"/y
const operator = /\/\/|\*\*|==|!=|>=|<=|[-+/*%~[\](){}><=.:|,;]/y
const identifier = /^[\p{L}\p{Nl}_][\p{L}\p{Nl}_\p{Mn}\p{Mc}\p{Nd}\p{Pc}]*$/u
const closers: Record<string, string> = { '(': ')', '[': ']', '{': '}' }

/** Tokens of a normalised source; TEMPLATE_INVALID with a place for what cannot be one. */
export function lex(source: SourceMap): Token[] {
  const { text } = source
  const tokens: Token[] = []
  let at = 0
  const pushText = (from: number, to: number, stripEnd: boolean) => {
    const slice = text.slice(from, to)
    const kept = stripEnd ? slice.trimEnd() : slice
    if (kept) tokens.push({ kind: 'text', text: kept, at: from })
  }
  while (at < text.length) {
    opening.lastIndex = at
    const match = opening.exec(text)
    if (!match) {
      pushText(at, text.length, false)
      break
    }
    const [open] = match
    pushText(at, match.index, open[2] === '-')
    at = match.index + open.length
    if (open.endsWith('}') || /raw/.test(open)) at = lexRaw(source, match.index, at, pushText)
    else if (open.startsWith('{#')) at = skipComment(source, match.index, at)
    else at = lexTag(source, match.index, open, tokens)
  }
  tokens.push({ kind: 'end', text: 'end of template', at: text.length })
  return tokens
}

function lexRaw(
  source: SourceMap,
  start: number,
  from: number,
  pushText: (from: number, to: number, strip: boolean) => void,
): number {
  rawEnd.lastIndex = from
  const match = rawEnd.exec(source.text)
  if (!match) throw source.invalid('this {% raw %} is never closed: {% endraw %} is missing', start)
  pushText(from, match.index, match[1] === '-')
  return rawEnd.lastIndex
}

function skipComment(source: SourceMap, start: number, from: number): number {
  commentEnd.lastIndex = from
  if (!commentEnd.exec(source.text)) throw source.invalid('this comment is never closed: "#}" is missing', start)
  return commentEnd.lastIndex
}

/** One tag, from its opening delimiter to behind its closing one. */
function lexTag(source: SourceMap, start: number, open: string, tokens: Token[]): number {
  const { text } = source
  const isOutput = open.startsWith('{{')
  const close = isOutput ? outputEnd : statementEnd
  const kind = isOutput ? 'output' : 'statement'
  tokens.push({ kind: `${kind} start`, text: isOutput ? '{{' : '{%', at: start })
  const brackets: { text: string; at: number }[] = []
  let at = start + open.length
  const read = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    return pattern.test(text) ? text.slice(at, pattern.lastIndex) : undefined
  }
  for (;;) {
    while (text.charCodeAt(at) === 0x20) at++
    at += read(whitespace)?.length ?? 0
    if (at >= text.length) {
      const opened = isOutput ? '{{' : '{%'
      throw source.invalid(`this "${opened}" is never closed: "${isOutput ? '}}' : '%}'}" is missing`, start)
    }
    const end = brackets.length === 0 ? read(close) : undefined
    if (end !== undefined) {
      tokens.push({ kind: `${kind} end`, text: isOutput ? 'end of print statement' : 'end of statement block', at })
      return at + end.length
    }
    const token = tokenAt(source, at, read)
    if (token.kind === 'operator') checkBracket(source, token, brackets)
    tokens.push(token)
    at += token.text.length
  }
}

/** The first character says which patterns may be meant. */
function tokenAt(source: SourceMap, at: number, read: (pattern: RegExp) => string | undefined): Token {
  const first = source.text.charCodeAt(at)
  const isDigit = first >= 0x30 && first <= 0x39
  const isWord = isDigit || first === 0x5f || first >= 0x80 || ((first | 0x20) >= 0x61 && (first | 0x20) <= 0x7a)
  const number = isDigit ? read(floating) : undefined
  if (number !== undefined) {
    return { kind: 'literal', text: number, value: float(Number(number.replaceAll('_', ''))) as number | Float, at }
  }
  const whole = isDigit ? read(integer) : undefined
  if (whole !== undefined && !/^[\p{L}_]/u.test(source.text.slice(at + whole.length, at + whole.length + 1))) {
    const digits = whole.replaceAll('_', '').toLowerCase()
    const number = Number(digits)
    const value = Number.isSafeInteger(number) ? number : new LargeInteger(BigInt(digits))
    return { kind: 'literal', text: whole, value, at }
  }
  const word = isWord ? read(name) : undefined
  if (word !== undefined) {
    if (!identifier.test(word)) throw source.invalid(`"${word}" is neither a number nor a name`, at)
    return { kind: 'name', text: word, at }
  }
  const quoted = first === 0x22 || first === 0x27 ? read(string) : undefined
  if (quoted !== undefined) {
    return { kind: 'literal', text: quoted, value: unescape(quoted.slice(1, -1), source, at), at }
  }
  const symbol = read(operator)
  if (symbol !== undefined) return { kind: 'operator', text: symbol, at }
  const character = String.fromCodePoint(source.text.codePointAt(at)!)
  if (character === '"' || character === "'") throw source.invalid('this string is never closed', at)
  throw source.invalid(`unexpected character "${character}"`, at)
}

function checkBracket(source: SourceMap, token: Token, brackets: { text: string; at: number }[]): void {
  if (token.text in closers) brackets.push({ text: token.text, at: token.at })
  else if (token.text === ')' || token.text === ']' || token.text === '}') {
    const open = brackets.pop()
    if (!open) throw source.invalid(`unexpected "${token.text}"`, token.at)
    const expected = closers[open.text]!
    if (expected !== token.text) {
      const { line } = source.place(token.at)
      throw source.invalid(
        `this "${open.text}" is never closed: "${token.text}" of line ${line} stands where "${expected}" should`,
        open.at,
      )
    }
  }
}

const simpleEscapes: Record<string, string> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/** Python's escapes; an unknown one keeps its backslash. */
function unescape(text: string, source: SourceMap, at: number): string {
  if (!text.includes('\\')) return text
  return text.replace(
    /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3})|([^]))/g,
    (whole, x?: string, u?: string, U?: string, octal?: string, character?: string) => {
      const hex = x ?? u ?? U
      if (hex !== undefined) {
        const code = Number.parseInt(hex, 16)
        if (code > 0x10ffff) throw source.invalid(`"${whole}" is no Unicode character`, at)
        return String.fromCodePoint(code)
      }
      if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8))
      if (character === 'x' || character === 'u' || character === 'U') {
        throw source.invalid(`"\\${character}" must be followed by hexadecimal digits`, at)
      }
      return simpleEscapes[character!] ?? whole
    },
  )
}
