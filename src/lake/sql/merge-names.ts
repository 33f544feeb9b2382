// `MERGE INTO marts.orders USING staging.orders ON marts.orders.id = staging.orders.id`: both would be `orders`. The source is
// called by its whole name then, and columns that are written with a schema are those of the side that they say.

import type { Piece, WrittenName } from './reader.ts'
import type { MergeAction, MergeClause, MergeSource } from './row-change.ts'
import { splice, type Edit } from './splice.ts'
import { isName, nameOf, quoteName, tokens } from './tokens.ts'

type Sides = { source: MergeSource; on: Piece | string[]; clauses: MergeClause[] }

/** `target`: as it is written, with `alias` where it has one. */
export function sidesApart<Merge extends Sides>(merge: Merge, target: WrittenName, alias: string | undefined): Merge {
  const { source, on, clauses } = merge
  const own = target.at(-1)!
  const visible = (alias ?? own).toLowerCase()
  const from = partsOf(source.from.sql)
  const isOther = from.length > 1 && from.at(-1)!.toLowerCase() === source.alias.toLowerCase()
  if (source.alias.toLowerCase() !== visible || !isOther || source.columns) return merge
  const called = from.join('.')
  const names = [{ parts: from, called }, ...(alias === undefined ? [{ parts: target, called: own }] : [])]
  const told = (piece: Piece): Piece => ({ ...piece, sql: withNames(piece.sql, names) })
  return {
    ...merge,
    source: { ...source, alias: called },
    on: Array.isArray(on) ? on : told(on),
    clauses: clauses.map(({ when, and, action }) => ({ when, and: and && told(and), action: toldIn(action, told) })),
  }
}

/** The parts of a name; none where the text is something else. */
function partsOf(sql: string): string[] {
  const all = [...tokens(sql)]
  const isPath = all.every((token, at) => (at % 2 === 1 ? token.text === '.' : isName(token)))
  return isPath && all.length % 2 === 1 ? all.filter((_, at) => at % 2 === 0).map(nameOf) : []
}

function toldIn(action: MergeAction, told: (piece: Piece) => Piece): MergeAction {
  switch (action.kind) {
    case 'update':
      if (typeof action.set === 'string') return action
      return { ...action, set: action.set.map((one) => ({ ...one, value: told(one.value) })) }
    case 'insert':
      return { ...action, values: action.values.map(told) }
    case 'error':
      return { ...action, message: action.message && told(action.message) }
    default:
      return action
  }
}

function withNames(sql: string, names: readonly { parts: readonly string[]; called: string }[]): string {
  const all = [...tokens(sql)]
  const edits: Edit[] = []
  for (let at = 0; at < all.length; at++) {
    if (all[at - 1]?.text === '.') continue
    for (const { parts, called } of names) {
      const last = at + 2 * (parts.length - 1)
      const isIt =
        all[last + 1]?.text === '.' &&
        parts.every((part, index) => {
          const token = all[at + 2 * index]
          return isName(token) && nameOf(token).toLowerCase() === part.toLowerCase()
        })
      if (!isIt) continue
      edits.push({ start: all[at]!.start, end: all[last]!.end, text: quoteName(called) })
      at = last
      break
    }
  }
  return splice(sql, edits).text
}
