// SQL that people write inside YAML is put into larger statements, or has things put into it. This scanner knows just
// enough of DuckDB's lexer to see where that is safe: not inside quotes and comments, and not where an open bracket, a
// comment or a second statement would break out. Whether the SQL is right is for the engine to say.

import type { Place } from '../base/failure.ts'

export type Reference = { name: string; start: number; end: number }

export type Scanned = {
  /** Names in braces outside of quotes, `{revenue}`, with their offsets. */
  references: Reference[]
  mistake: { what: string; place: Place } | null
}

/** Looks at one SQL expression. Pure; offsets and places are within `text`. */
export function scanExpression(text: string): Scanned {
  const references: Reference[] = []
  const open: { bracket: string; at: number }[] = []
  const wrong = (what: string, at: number): Scanned => ({ references, mistake: { what, place: placeAt(text, at) } })
  for (let at = 0; at < text.length;) {
    const character = text[at]!
    const skipped = skip(text, at)
    const reference = /^\{\s*([\w.]+)\s*\}/.exec(text.slice(at))
    if (skipped?.kind === 'comment') return wrong('has a SQL comment; use a comment of YAML (#)', at)
    if (skipped?.end === null) return wrong(`opens ${skipped.mark} and never closes it`, at)
    if (skipped) at = skipped.end
    else if (character === ';') return wrong('has a semicolon: it must be one expression', at)
    else if (reference) {
      references.push({ name: reference[1]!, start: at, end: at + reference[0].length })
      at += reference[0].length
    } else {
      if (character in closing) open.push({ bracket: character, at })
      else if (closers.includes(character) && closing[open.pop()?.bracket ?? ''] !== character)
        return wrong(`closes "${character}" that was not opened`, at)
      at += 1
    }
  }
  const left = open.at(-1)
  return left ? wrong(`opens "${left.bracket}" and never closes it`, left.at) : { references, mistake: null }
}

export type Placeholder = Reference & { column: string | null }

/** `{{ region }}` and `{{ region: o.region }}` in a statement, outside of its quotes and comments. */
export function findPlaceholders(sql: string): Placeholder[] {
  const found: Placeholder[] = []
  for (let at = 0; at < sql.length;) {
    const skipped = skip(sql, at)
    const match = skipped ? null : /^\{\{\s*([\w-]+)\s*(?::\s*([^{}]*[^{}\s])\s*)?\}\}/.exec(sql.slice(at))
    if (match) found.push({ name: match[1]!, column: match[2] ?? null, start: at, end: at + match[0].length })
    at = skipped ? (skipped.end ?? sql.length) : at + (match?.[0].length ?? 1)
  }
  return found
}

const closing: Record<string, string> = { '(': ')', '[': ']', '{': '}' }
const closers = Object.values(closing)

type Skipped = { kind: 'quote' | 'comment'; mark: string; end: number | null }

/** The quoted text or comment that begins here, if one does; `end` is null when it never ends. */
function skip(text: string, at: number): Skipped | null {
  if (text.startsWith('--', at)) return { kind: 'comment', mark: '--', end: endOf(text, '\n', at) ?? text.length }
  if (text.startsWith('/*', at)) return { kind: 'comment', mark: '/*', end: endOf(text, '*/', at + 2) }
  const mark = /^(?:\$(?:[A-Za-z_]\w*)?\$|['"])/.exec(text.slice(at, at + 66))?.[0]
  if (mark === undefined) return null
  const end = mark.startsWith('$') ? endOf(text, mark, at + mark.length) : closingQuote(text, at)
  return { kind: 'quote', mark, end }
}

const endOf = (text: string, mark: string, from: number): number | null => {
  const found = text.indexOf(mark, from)
  return found === -1 ? null : found + mark.length
}

/** Quotes are doubled inside themselves; in `e'…'` a backslash hides the next character. */
function closingQuote(text: string, at: number): number | null {
  const quote = text[at]!
  const escapes = quote === "'" && /(^|\W)[eE]$/.test(text.slice(Math.max(0, at - 2), at))
  for (let next = at + 1; next < text.length; next++) {
    if (escapes && text[next] === '\\') next++
    else if (text[next] === quote && text[next + 1] === quote) next++
    else if (text[next] === quote) return next + 1
  }
  return null
}

/** Line and column, from 1, of an offset. */
export function placeAt(text: string, offset: number): Place & { line: number; column: number } {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: before.at(-1)!.length + 1 }
}
