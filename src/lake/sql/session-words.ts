// `current_user`, `current_schema()` and the like. The engine knows nothing of sessions: it would say `duckdb` and `memory`.

import { indexOfByte, type Edit } from './splice.ts'
import { quoteName, quoteText, tokens } from './tokens.ts'
import type { SessionWord } from './tree.ts'

export type SessionValues = { user: string; catalog: string; schema: string | undefined }

/** `isColumn`: whether something that the text reads has, or may have, a column of this name. */
export function sessionEdits(
  sql: string,
  words: readonly SessionWord[],
  values: SessionValues,
  isColumn: (name: string) => boolean,
): Edit[] {
  return words.flatMap(({ word, offset, isCall, isItem }) => {
    const value = valueOf(word, values)
    if (value === undefined || offset < 0) return []
    const start = indexOfByte(sql, offset)
    if (!isCall && (isColumn(word) || sql[start] === '"' || isAlias(sql, word))) return []
    const end = isCall ? callEnd(sql, start) : start + word.length
    if (end === undefined || sql.slice(start, start + word.length).toLowerCase() !== word) return []
    const name = isItem ? ` AS ${quoteName(isCall ? `${word}()` : word)}` : ''
    return [{ start, end, text: `CAST(${quoteText(value)} AS VARCHAR)${name}` }]
  })
}

const valueOf = (word: string, { user, catalog, schema }: SessionValues): string | undefined =>
  word === 'current_schema' ? schema : ['current_catalog', 'current_database'].includes(word) ? catalog : user

/** Whether a subquery may have a column of this name. */
const isAlias = (sql: string, word: string): boolean => new RegExp(`\\bas\\s+"?${word}\\b`, 'i').test(sql)

/** Behind `name ( )`. */
function callEnd(sql: string, start: number): number | undefined {
  const [, open, close] = tokens(sql, start)
  return open?.text === '(' && close?.text === ')' ? close.end : undefined
}
