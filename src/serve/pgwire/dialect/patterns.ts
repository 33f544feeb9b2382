// LIKE, SIMILAR TO and `~`, whose patterns mean something else to the engine; and COLLATE.

import { quoteText } from '../../../lake/index.ts'
import { textOf, type EditedSql } from './sql.ts'

/** `LIKE 'pg\\_%'`: a backslash escapes in PostgreSQL unless another character is named. */
export function escapedLike(sql: EditedSql, at: number): void {
  const pattern = sql.tokens[at + 1]
  if (pattern?.kind !== 'string' || !pattern.text.includes('\\')) return
  let last = sql.words[at + 2] === '::' ? sql.castEnd(at + 2).last : at + 1
  if (sql.words[last + 1] === '(') last = sql.closing(last + 1) ?? last
  // What is put together with other texts is not looked into.
  if (!/^(escape|\|\||::)$/.test(sql.words[last + 1] ?? '')) sql.insertAfter(last, " ESCAPE '\\'")
}

/** `~` finds a part in PostgreSQL and asks for the whole in DuckDB. */
export function matching(sql: EditedSql, from: number, to: number, symbol: string): void {
  const pattern = sql.tokens[to + 1]
  const flags = symbol.endsWith('*') ? 'is' : 's'
  sql.replace(from, to, symbol.startsWith('!') ? ' !~ ' : ' ~ ')
  if (pattern?.kind === 'string' && pattern.text.startsWith("'"))
    sql.replace(to + 1, to + 1, `'(?${flags}:.*(?:${pattern.text.slice(1, -1)}).*)'`)
  else if (pattern) {
    // `E'^pg_'`, `$1`, a column
    sql.insertBefore(to + 1, `('(?${flags}:.*(?:' || `)
    sql.insertAfter(sql.operandEnd(to + 1), ` || ').*)')`)
  }
}

/** The same of tables: `name ~ 'oar'`, `name !~* $1`. */
export function matched(sql: EditedSql, at: number): boolean {
  const word = sql.words[at]
  if (word === 'similar') return similar(sql, at)
  if ((word !== '~' && word !== '!') || !sql.isOperand(at - 1)) return false
  const symbol = /^(!~\*|!~|~\*|~)(?![~*])/.exec(sql.text.slice(sql.tokens[at]!.start))?.[0]
  if (!symbol) return false
  const to = at + symbol.length - 1
  if (!sql.tokens[to + 1]) return false
  matching(sql, at, to, symbol)
  return true
}

/** `SIMILAR TO '(a|b)%'`: `%` and `_` are as in LIKE, where the engine has a regular expression. */
function similar(sql: EditedSql, at: number): boolean {
  const pattern = sql.tokens[at + 2]
  const isPattern = sql.words[at + 1] === 'to' && pattern?.kind === 'string' && pattern.text.startsWith("'")
  if (!isPattern || sql.words[at + 3] === 'escape') return false
  const text = textOf(pattern).replace(
    /\\[^]|\[[^\]]*\]|[%_.^$]/g,
    (one) => ({ '%': '.*', _: '.' })[one] ?? (one.length > 1 ? one : `\\${one}`),
  )
  return sql.replace(at + 2, at + 2, quoteText(`(?s:${text})`))
}

/** Text is compared by code point, as COLLATE "C" asks for; other collations are not known. */
export function collated(sql: EditedSql, at: number): boolean {
  if (sql.words[at] !== 'collate' || sql.tokens[at]!.kind !== 'word') return false
  const last = sql.words[at + 2] === '.' ? at + 3 : at + 1
  return sql.tokens[last] !== undefined && sql.replace(at, last, '')
}
