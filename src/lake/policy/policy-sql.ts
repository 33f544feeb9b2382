// The SQL that a policy holds: conditions of row filters, expressions of masks. It asks for the asker by `current_user`,
// `has_role('x')` and `attribute('x')`, and these words become constants here, token by token: a value of the asker is never
// read as SQL, and a quoted text or a comment that looks like one of the words stays what it is.

import { Failure } from '../../base/failure.ts'
import type { Subject } from '../../govern/index.ts'
import { quoteText, tokens, type Token } from '../sql/tokens.ts'

/** @throws SQL_INVALID when it is not one expression, or a call is not written with one text */
export function withAsker(text: string, asker: Subject): string {
  const all = [...tokens(text)]
  checkWhole(text, all)
  let done = 0
  let sql = ''
  for (let at = 0; at < all.length; at++) {
    const found = callAt(all, at, asker)
    if (!found) continue
    sql += text.slice(done, all[at]!.start) + found.sql
    done = all[found.last]!.end
    at = found.last
  }
  return sql + text.slice(done)
}

function callAt(all: readonly Token[], at: number, asker: Subject): { sql: string; last: number } | undefined {
  const { kind, text } = all[at]!
  // `t.attribute` is a column.
  if (kind !== 'word' || all[at - 1]?.text === '.') return undefined
  const word = text.toLowerCase()
  if (word === 'current_user') {
    const isCall = all[at + 1]?.text === '(' && all[at + 2]?.text === ')'
    return { sql: quoteText(asker.name), last: isCall ? at + 2 : at }
  }
  if ((word !== 'attribute' && word !== 'has_role') || all[at + 1]?.text !== '(') return undefined
  const argument = all[at + 2]
  if (argument?.kind !== 'string' || !argument.text.startsWith("'") || all[at + 3]?.text !== ')')
    throw new Failure('SQL_INVALID', `${word} takes one text in quotes, for example ${word}('region')`)
  const name = argument.text.slice(1, -1).replaceAll("''", "'")
  if (word === 'has_role') return { sql: String(asker.roles.has(name.toLowerCase())), last: at + 3 }
  const value = Object.hasOwn(asker.attributes, name) ? asker.attributes[name]! : undefined
  return { sql: value === undefined ? 'CAST(NULL AS VARCHAR)' : quoteText(value), last: at + 3 }
}

/** One expression: it cannot end the parentheses that it is put into, nor begin a statement. */
function checkWhole(text: string, all: readonly Token[]): void {
  let depth = 0
  for (const { text: one } of all) {
    if (one === '(' || one === '[' || one === '{') depth++
    else if (one === ')' || one === ']' || one === '}') depth--
    if (depth < 0 || one === ';') throw new Failure('SQL_INVALID', `${text.slice(0, 200)} is not one expression`)
  }
  if (depth !== 0 || all.length === 0) throw new Failure('SQL_INVALID', `${text.slice(0, 200)} is not one expression`)
}
