// Texts that differ in a few literals only, as a page or a program asks them: they have the same tree but for these.

import { tokens } from './tokens.ts'

/** Longer texts are asked once. */
const lengthMost = 4_000
/** After these an operand of an expression comes, or how many rows: no literal there names anything. */
const before = new Set([
  '=',
  '<',
  '>',
  '<=',
  '>=',
  '<>',
  '!=',
  'between',
  'and',
  'date',
  'timestamp',
  'limit',
  'offset',
])

/** The text with blind literals in place of plain ones; the bytes before and after them stay where they are. */
export function textShape(sql: string): string {
  if (sql.length > lengthMost) return sql
  const parts: string[] = []
  let [kept, last] = [0, '']
  for (const { kind, text, start, end } of tokens(sql)) {
    const blind = before.has(last) ? blinded(kind, text) : undefined
    if (blind !== undefined) {
      parts.push(sql.slice(kept, start), blind)
      kept = end
    }
    last = text.toLowerCase()
  }
  return parts.length === 0 ? sql : parts.join('') + sql.slice(kept)
}

/** A whole number that cannot overflow, or a text without escapes. */
function blinded(kind: string, text: string): string | undefined {
  if (kind === 'number') return /^\d{1,18}$/.test(text) ? '0'.repeat(text.length) : undefined
  return kind === 'string' && /^'[^'\\]*'$/.test(text) ? `'${'x'.repeat(Buffer.byteLength(text) - 2)}'` : undefined
}
