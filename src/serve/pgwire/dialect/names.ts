// Names that PostgreSQL reads otherwise than the engine: words that the engine keeps for itself, and capitals without quotes.

import { isName, quoteName } from '../../../lake/index.ts'
import { isAlias } from './lists.ts'
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
  const namesTable = word === 'at' && isEndOfTable(sql, at - 1) && behind !== '(' && behind !== 'time'
  return (isTable || isColumn || namesTable) && sql.replace(at, at, quoteName(word))
}

/** Whether the name of a table ends here, behind which an alias may stand. */
function isEndOfTable(sql: EditedSql, at: number): boolean {
  const last = sql.words[at] === 'as' ? at - 1 : at
  if (sql.words[last] === ')') return true
  let first = last
  while (sql.words[first - 1] === '.') first -= 2
  return isName(sql.tokens[last]) && /^(from|join|,|update|into|only)$/.test(sql.words[first - 1] ?? '')
}

/** `FROM (VALUES (1, 'a')) AS v`: its columns are `column1` and `column2`. */
export function valuesNames(sql: EditedSql, at: number): void {
  const isTable = /^(from|join|,|lateral)$/.test(sql.words[at - 1] ?? '')
  const end = isTable && sql.words[at] === '(' && sql.words[at + 1] === 'values' ? sql.closing(at) : undefined
  const first = end !== undefined && sql.words[at + 2] === '(' ? sql.closing(at + 2) : undefined
  if (end === undefined || first === undefined) return
  const alias = sql.words[end + 1] === 'as' ? end + 2 : end + 1
  if (!isAlias(sql, alias) || sql.words[alias + 1] === '(') return
  const names = sql.items(at + 2, first).map((_, index) => `column${index + 1}`)
  sql.insertAfter(alias, `(${names.join(', ')})`)
}

/** `SELECT id AS userId` is `userid`; so is a table that is made, and its columns. */
export function smallName(sql: EditedSql, at: number, isDefinition: boolean): boolean {
  const { kind, text } = sql.tokens[at]!
  if (kind !== 'word' || !/[A-Z]/.test(text)) return false
  const namesColumn = sql.words[at - 1] === 'as' && sql.selects.has(at)
  return (namesColumn || isDefinition) && sql.replace(at, at, text.toLowerCase())
}
