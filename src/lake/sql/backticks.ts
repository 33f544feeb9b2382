// `` `a name` ``, as Spark, Hive, BigQuery and MySQL quote names: DuckDB has only "a name".

import { splice, type Spliced } from './splice.ts'
import { nameOf, quoteName, tokens } from './tokens.ts'

/** The text in DuckDB's words; `origin` leads from its indices to those of `sql`. */
export function backticksInDuckDb(sql: string): Spliced {
  if (!sql.includes('`')) return { text: sql, origin: (index) => index }
  const quoted = [...tokens(sql)].filter(({ kind, text }) => kind === 'quoted' && text.startsWith('`'))
  return splice(
    sql,
    quoted.map((token) => ({ start: token.start, end: token.end, text: quoteName(nameOf(token)) })),
  )
}
