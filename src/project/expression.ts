// SQL expressions that people write inside YAML are put into larger statements. This scanner knows just enough of
// DuckDB's lexer to see what would break out of the place an expression is put in: an open quote or bracket, a comment,
// a second statement. Whether the SQL is right is for the engine to say.

import type { Place } from '../base/failure.ts'

export type Scanned = {
  /** Names in braces outside of quotes, `{revenue}`, with their offsets. */
  references: { name: string; start: number; end: number }[]
  mistake: { what: string; place: Place } | null
}

/** Looks at one SQL expression. Pure; offsets and places are within `text`. */
export function scanExpression(text: string): Scanned {
  const references: Scanned['references'] = []
  const open: string[] = []
  const closes: Record<string, string> = { ')': '(', ']': '[', '}': '{' }
  const wrong = (what: string, offset: number): Scanned => ({
    references,
    mistake: { what, place: placeAt(text, offset) },
  })
  for (let at = 0; at < text.length;) {
    const character = text[at]!
    const quoted = /^(?:\$(\w*)\$)|^['"]/.exec(text.slice(at, at + 66))
    if (quoted) {
      const end = quoted[0].startsWith('$') ? closingOf(text, at, quoted[0]) : closingQuote(text, at)
      if (end === undefined) return wrong(`opens ${quoted[0]} and never closes it`, at)
      at = end
    } else if (text.startsWith('--', at) || text.startsWith('/*', at))
      return wrong('has a SQL comment; use a comment of YAML (#)', at)
    else if (character === ';') return wrong('has a semicolon: it must be one expression', at)
    else if (character === '{' && /^\{\s*[\w.]+\s*\}/.test(text.slice(at))) {
      const [whole] = /^\{\s*[\w.]+\s*\}/.exec(text.slice(at))!
      references.push({ name: whole.slice(1, -1).trim(), start: at, end: at + whole.length })
      at += whole.length
    } else {
      if ('([{'.includes(character)) open.push(character)
      if (closes[character] && open.pop() !== closes[character])
        return wrong(`closes "${character}" that was not opened`, at)
      at += 1
    }
  }
  return open.length > 0
    ? wrong(`opens "${open.at(-1)}" and never closes it`, text.lastIndexOf(open.at(-1)!))
    : { references, mistake: null }
}

function closingOf(text: string, at: number, tag: string): number | undefined {
  const end = text.indexOf(tag, at + tag.length)
  return end === -1 ? undefined : end + tag.length
}

/** Quotes are doubled inside themselves; in `e'…'` a backslash hides the next character. */
function closingQuote(text: string, at: number): number | undefined {
  const quote = text[at]!
  const escapes = quote === "'" && /(^|\W)[eE]$/.test(text.slice(0, at))
  for (let next = at + 1; next < text.length; next++) {
    if (escapes && text[next] === '\\') next++
    else if (text[next] === quote && text[next + 1] === quote) next++
    else if (text[next] === quote) return next + 1
  }
  return undefined
}

function placeAt(text: string, offset: number): Place {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: before.at(-1)!.length + 1 }
}
