// Time travel as Spark and Trino spell it, put into DuckDB's words before its parser sees the text:
//   FROM t FOR VERSION AS OF 3                  → FROM t AT (VERSION => 3)
//   FROM t FOR SYSTEM_TIME AS OF '2024-01-01'   → FROM t AT (TIMESTAMP => '2024-01-01')

import { splice, type Edit, type Spliced } from './splice.ts'
import { closing, tokens, type Token } from './tokens.ts'

const units: Record<string, 'VERSION' | 'TIMESTAMP'> = {
  version: 'VERSION',
  system_version: 'VERSION',
  timestamp: 'TIMESTAMP',
  system_time: 'TIMESTAMP',
}

/** Words that are no alias. */
const following = new Set(
  `where join on using group order limit having union intersect except inner left right full cross natural semi anti asof
  positional window qualify tablesample offset fetch for when set select lateral returning values pivot unpivot at`.split(
    /\s+/,
  ),
)

/** The text in DuckDB's words; `origin` leads from its indices to those of `sql`. */
export function travelInDuckDb(sql: string): Spliced {
  if (!/\bas\s+of\b/i.test(sql)) return { text: sql, origin: (index) => index }
  const all = [...tokens(sql)]
  const word = (at: number) => (all[at]?.kind === 'word' ? all[at].text.toLowerCase() : '')
  const edits: Edit[] = []
  for (let at = 0; at < all.length; at++) {
    const hasFor = word(at) === 'for'
    const unitAt = hasFor ? at + 1 : at
    const unit = Object.hasOwn(units, word(unitAt)) ? units[word(unitAt)] : undefined
    if (!unit || word(unitAt + 1) !== 'as' || word(unitAt + 2) !== 'of') continue
    const first = unitAt + 3
    const last = valueEnd(all, first)
    if (last < first) continue
    // DuckDB has the alias before the clause, the others behind it.
    const aliasAt = word(last + 1) === 'as' ? last + 2 : last + 1
    const token = all[aliasAt]
    const hasAlias = token?.kind === 'quoted' || (token?.kind === 'word' && !following.has(word(aliasAt)))
    const alias = hasAlias ? `AS ${token.text} ` : ''
    edits.push({ start: all[at]!.start, end: all[first]!.start, text: `${alias}AT (${unit} => ` })
    edits.push({ start: all[last]!.end, end: hasAlias ? token.end : all[last]!.end, text: ')' })
    at = last
  }
  return splice(sql, edits)
}

/** The last token of a value: `'x'`, `3`, `TIMESTAMP 'x'`, `f(…)`, `(…)`, each with casts behind it. */
function valueEnd(all: readonly Token[], first: number): number {
  let last = first
  if (all[last]?.text === '-') last++
  const token = all[last]
  if (!token) return first - 1
  if (token.kind === 'word' && all[last + 1]?.kind === 'string') last++
  else if (token.kind === 'word' && all[last + 1]?.text === '(') last = closing(all, last + 1)
  else if (token.text === '(') last = closing(all, last)
  while (all[last + 1]?.text === '::' && all[last + 2]?.kind === 'word') last += 2
  return last
}
