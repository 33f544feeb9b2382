// `raw.sales.*`, all columns of a table named with its schema: PostgreSQL, Trino and Spark have it, DuckDB's parser does not. It
// becomes `"raw.sales".*`, and the table is called so in the text that runs (`splice.ts`).

import { splice, type Spliced } from './splice.ts'
import { isName, nameOf, quoteName, tokens } from './tokens.ts'

/** The text in DuckDB's words; `origin` leads from its indices to those of `sql`. */
export function schemaStarsInDuckDb(sql: string): Spliced {
  if (!/\.\s*\*/.test(sql)) return { text: sql, origin: (index) => index }
  const all = [...tokens(sql)]
  const edits = all.flatMap((token, at) => {
    if (token.text !== '*' || all[at - 1]?.text !== '.') return []
    let first = at
    while (all[first - 1]?.text === '.' && isName(all[first - 2])) first -= 2
    const names = all.slice(first, at).filter(isName)
    if (names.length < 2 || all[first - 1]?.text === '.') return []
    return [{ start: names[0]!.start, end: names.at(-1)!.end, text: quoteName(names.map(nameOf).join('.')) }]
  })
  return splice(sql, edits)
}
