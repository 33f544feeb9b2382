// What stands beside the name of a table that is read or changed.

import { isName } from '../../../lake/index.ts'
import type { EditedSql } from './sql.ts'

const beforeTables = /^(from|join|update|into|using|table|truncate)$/

/** `TRUNCATE TABLE ONLY t`, `FROM ONLY t`: no table here has children. */
export function onlyTable(sql: EditedSql, at: number): boolean {
  const before = sql.words[at - 1] ?? ''
  const isList = before === ',' && sql.words[0] === 'truncate'
  if (sql.words[at] !== 'only' || sql.tokens[at]!.kind !== 'word' || !isName(sql.tokens[at + 1])) return false
  return (isList || beforeTables.test(before)) && sql.replace(at, at, '')
}

/** `TABLESAMPLE BERNOULLI (10)` is a tenth of the rows; to the engine a number alone is one of rows. */
export function sampled(sql: EditedSql, at: number): void {
  const end =
    sql.words[at] === 'tablesample' && /^(bernoulli|system)$/.test(sql.words[at + 1] ?? '')
      ? sql.closing(at + 2)
      : undefined
  if (end !== undefined && !/^(percent|%|rows)$/.test(sql.words[end - 1]!)) sql.insertBefore(end, ' PERCENT')
}
