// `array_agg(DISTINCT x)` and `string_agg(DISTINCT x, ',')` without an order: PostgreSQL sorts to find what is distinct, and so
// gives them sorted, nulls last; the engine gives them in another order each time.

import type { Edit } from '../../../lake/index.ts'
import { EditedSql, type SessionNames } from './sql.ts'

const isThere = /(array|string|jsonb?)_agg\s*\(\s*distinct\b/i
const calls = /^(array|string|jsonb?)_agg$/

export function distinctOrders(text: string, session: SessionNames): Edit[] {
  if (!isThere.test(text)) return []
  const sql = new EditedSql(text, session)
  sql.words.forEach((word, at) => {
    if (!calls.test(word) || sql.words[at + 1] !== '(' || sql.words[at + 2] !== 'distinct') return
    const end = sql.closing(at + 1)
    const items = end === undefined ? [] : sql.items(at + 2, end)
    const [first] = items
    const [, last] = items.at(-1) ?? [0, 0]
    if (end === undefined || !first) return
    const inside = sql.words.slice(at + 3, end)
    const isOrdered = inside.some((one, index) => one === 'order' && inside[index + 1] === 'by')
    // The engine refuses the order of a literal, and finds that no subquery is the same as another.
    const isLiteral = first[0] === first[1] && /^(string|number)$/.test(sql.tokens[first[0]]!.kind)
    if (isOrdered || isLiteral || inside.includes('select')) return
    sql.insertAfter(
      last,
      ` ORDER BY ${sql.textOf(sql.words[first[1]] === '*' ? [first[0], first[1] - 2] : first)} NULLS LAST`,
    )
  })
  return sql.edits
}
