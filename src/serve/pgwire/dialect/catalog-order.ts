// Columns in their order: PostgreSQL happens to give them so where a query of the catalog does not ask for it, and tools count on
// it. The engine's joins give them in any.

import { outside } from '../../../lake/index.ts'
import type { EditedSql } from './sql.ts'

const own: Readonly<Record<string, readonly string[]>> = {
  pg_attribute: ['attrelid', 'attnum'],
  columns: ['table_schema', 'table_name', 'ordinal_position'],
}
const ordered = /^(order|group|having|distinct|union|except|intersect|limit|offset|fetch|for|over|window|with)$/
const gathered = /^(count|max|min|sum|avg|every|(string|array|jsonb?|bool|jsonb?_object)_(agg|and|or))$/
const behindTable = /^(join|left|right|inner|full|cross|natural|where|on|using|lateral)$/

/** SQLGlot writes all names in quotes. */
const unquoted = (word: string) => word.replace(/^"([a-z_]+)"$/, '$1')

/** `SELECT … FROM pg_attribute a JOIN …` without an order gets one. */
export function columnOrder(sql: EditedSql): void {
  const { words, tokens } = sql
  if (words[0] !== 'select') return
  const end = words.at(-1) === ';' ? words.length - 2 : words.length - 1
  let from = -1
  let order: string | undefined
  for (const [, at] of outside(tokens.slice(0, end + 1))) {
    const word = words[at]!
    if (ordered.test(word) || word === ';' || (gathered.test(word) && words[at + 1] === '(')) return
    if (word === 'from') from = at
    const table = unquoted(word)
    const isRead = from >= 0 && /^(from|join|,|\.)$/.test(words[at - 1]!) && Object.hasOwn(own, table)
    const isOther = table === 'columns' && unquoted(words[at - 2] ?? '') !== 'information_schema'
    if (!isRead || order !== undefined || isOther) continue
    const place = words[at + 1] === 'as' ? at + 2 : at + 1
    const isNamed = place <= end && /^(word|quoted)$/.test(tokens[place]!.kind) && !behindTable.test(words[place]!)
    const name = isNamed ? tokens[place]!.text : word
    order = own[table]!.map((column) => `${name}.${column}`).join(', ')
  }
  if (order !== undefined && words.slice(0, end + 1).some((word) => word === 'join' || word === ','))
    sql.insertAfter(end, ` ORDER BY ${order}`)
}
