// Names that PostgreSQL reads otherwise than the engine: words that the engine keeps for itself, and capitals without quotes.

import { isName, quoteName } from '../../../lake/index.ts'
import type { EditedSql } from './sql.ts'

/** What may be a column, table or alias in PostgreSQL, and has a meaning of its own in the engine. */
const kept = new Set(
  'anti asof at by columns describe generated glob lambda map pivot positional qualify semi show struct summarize unpack unpivot'.split(
    ' ',
  ),
)
const beforeName =
  /^([,([.=<>+*/%|-]|[<>!]=|<>|\|\||select|distinct|where|and|or|not|by|on|set|when|then|else|having|returning|between|like|ilike|in|is)$/
const behindName =
  /^([,)\].;=<>+*/%|-]|[<>!]=|<>|\|\||::|from|as|is|in|and|or|not|like|ilike|between|desc|asc|nulls|then|when|else|end|where|group|order|limit|having|union|returning|collate)$/

/** `SELECT show, a.at FROM audit a`, `FROM pg_attribute at`: a name, and no word of the engine's. */
export function keptName(sql: EditedSql, at: number): boolean {
  const word = sql.words[at]!
  if (sql.tokens[at]!.kind !== 'word' || !kept.has(word)) return false
  const [before, behind] = [sql.words[at - 1] ?? '', sql.words[at + 1]]
  // Of a table, whose columns are named by it.
  const isTable = behind === '.' && before !== '.'
  const isColumn = beforeName.test(before) && (behind === undefined || behindName.test(behind))
  const isAlias = word === 'at' && isEndOfTable(sql, at - 1) && behind !== '(' && behind !== 'time'
  return (isTable || isColumn || isAlias) && sql.replace(at, at, quoteName(word))
}

/** Whether the name of a table ends here, behind which an alias may stand. */
function isEndOfTable(sql: EditedSql, at: number): boolean {
  const last = sql.words[at] === 'as' ? at - 1 : at
  if (sql.words[last] === ')') return true
  let first = last
  while (sql.words[first - 1] === '.') first -= 2
  return isName(sql.tokens[last]) && /^(from|join|,|update|into|only)$/.test(sql.words[first - 1] ?? '')
}

/** `SELECT id AS userId` is `userid`; so is a table that is made, and its columns. */
export function smallName(sql: EditedSql, at: number, isDefinition: boolean): boolean {
  const { kind, text } = sql.tokens[at]!
  if (kind !== 'word' || !/[A-Z]/.test(text)) return false
  const isAlias = sql.words[at - 1] === 'as' && sql.selects.has(at)
  return (isAlias || isDefinition) && sql.replace(at, at, text.toLowerCase())
}
