// A panel's own SQL, with the dashboard's filters put in where its author wrote `{{ filter }}`.

import type { Place } from '../base/failure.ts'
import { findPlaceholders, placeAt } from '../project/index.ts'

export type Filled = {
  sql: string
  /** A place in the filled SQL as a place in the SQL that was written; null inside of what was put in. */
  origin(place: Place): Place | null
}

/** `fill` gives the condition of a filter, on a column of its own if one is named. Pure. */
export function fillFilters(written: string, fill: (filter: string, column: string | null) => string): Filled {
  const pieces: { sql: string; from: number; own: boolean }[] = []
  let from = 0
  for (const { name, column, start, end } of findPlaceholders(written)) {
    pieces.push(
      { sql: written.slice(from, start), from, own: true },
      { sql: fill(name, column), from: start, own: false },
    )
    from = end
  }
  pieces.push({ sql: written.slice(from), from, own: true })
  const sql = pieces.map((piece) => piece.sql).join('')
  return {
    sql,
    origin({ line = 1, column = 1 }) {
      const lines = sql.split('\n')
      let rest = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0) + column - 1
      for (const piece of pieces) {
        if (rest < piece.sql.length) return piece.own ? placeAt(written, piece.from + rest) : null
        rest -= piece.sql.length
      }
      return placeAt(written, written.length)
    },
  }
}
