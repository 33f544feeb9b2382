// Changes of rows inside a WITH clause, as PostgreSQL has them: `WITH gone AS (DELETE … RETURNING *) INSERT INTO … SELECT … FROM gone`.
// The engine knows none, so each becomes a statement of its own; this finds them, what reads which of them, and their texts.

import { Failure } from '../../base/failure.ts'
import { Composed, compose } from './compose.ts'
import { Reader, type Piece } from './reader.ts'
import { rowVerbs } from './row-change.ts'
import { closing, isName, nameOf, outside, placeAt, tokens, type Token } from './tokens.ts'

type Part = {
  name: string
  /** The name and what is said of it, `a(x, y)`. */
  head: Piece
  body: Piece
  /** It changes rows. */
  changes: boolean
  /** It only adds rows. */
  adds: boolean
  /** Names in it, in small letters. */
  names: ReadonlySet<string>
}

/** One statement that is to be run: a part of the clause, or what stands behind it. */
export type Step = {
  /** Undefined: what stands behind the clause. */
  name: string | undefined
  changes: boolean
  /** It has RETURNING. */
  tells: boolean
  /** What is told of its rows is read by others. */
  isRead: boolean
  /** `rowsOf`: the SELECT that stands for the rows of a step before it. */
  text(rowsOf: (name: string) => string): Composed
}

/** In the order in which they are to be run. */
export type WithChanges = { steps: [...Step[], Step]; last: Step }

/** What such a clause may stand behind, as in PostgreSQL: it is then one of the whole statement. What IF NOT EXISTS skips changes nothing, so not that. */
const heads =
  /^[^a-z]*(create\s+((or|replace|local|global|temp|temporary|unlogged)\s+)*table\s(?!\s*if\s+not\b)[^;'()]*?\bas|insert\s+into\s[^;'()]*?(\([^;'()]*\))?)\s+(?=with\b)/i

/** Undefined where no part of a WITH clause changes rows. @throws SQL_UNSUPPORTED */
export function parseWithChanges(sql: string): WithChanges | undefined {
  const head = heads.exec(sql)?.[0] ?? ''
  if (head === '' && !/^[^a-z]*with\b/i.test(sql)) return undefined
  if (!/\b(insert|update|delete|merge)\b/i.test(sql.slice(head.length))) return undefined
  const clause = clauseOf(sql, head.length)
  if (!clause?.parts.some(({ changes }) => changes)) return undefined
  return stepsOf(clause, sql)
}

type Clause = {
  /** What stands before the clause. */
  head: Piece
  lead: string
  parts: Part[]
  rest: Piece
}

/** The clause at that place. What is wrong with it is told by whoever parses all of it. */
function clauseOf(sql: string, from: number): Clause | undefined {
  const all = [...tokens(sql)].filter(({ start }) => start >= from)
  let at = 0
  const sees = (word: string) => all[at]?.kind === 'word' && all[at]!.text.toLowerCase() === word
  if (!sees('with')) return undefined
  at++
  const isRecursive = sees('recursive')
  if (isRecursive) at++
  const parts: Part[] = []
  for (;;) {
    const first = all[at]
    if (!isName(first)) return undefined
    at++
    if (all[at]?.text === '(') at = closing(all, at) + 1
    if (!sees('as')) return undefined
    const end = all[at - 1]!.end
    at++
    if (sees('not')) at++
    if (sees('materialized')) at++
    if (all[at]?.text !== '(') return undefined
    const close = closing(all, at)
    const inside = all.slice(at + 1, close)
    const [begin] = inside
    if (!begin || all[close]!.text !== ')') return undefined
    const verb = verbOf(inside)
    const body = { sql: sql.slice(begin.start, all[close - 1]!.end), start: begin.start }
    parts.push({
      name: nameOf(first).toLowerCase(),
      head: { sql: sql.slice(first.start, end), start: first.start },
      body,
      changes: verb !== undefined,
      adds: verb === 'insert' && !changesToo.test(body.sql),
      names: namesIn(inside),
    })
    at = close + 1
    if (all[at]?.text !== ',') break
    at++
  }
  const behind = all[at]
  if (!behind) return undefined
  const rest = { sql: sql.slice(behind.start, all.at(-1)!.end), start: behind.start }
  return { head: { sql: sql.slice(0, from), start: 0 }, lead: isRecursive ? 'WITH RECURSIVE ' : 'WITH ', parts, rest }
}

const changesToo = /\bon\s+conflict\b|^insert\s+(or|overwrite)\b|\breplace\s+where\b/i

const namesIn = (all: readonly Token[]): Set<string> =>
  new Set(all.flatMap((token) => (isName(token) ? [nameOf(token).toLowerCase()] : [])))

/** The verb of a statement that changes rows, also behind a WITH clause of its own. */
function verbOf(all: readonly Token[]): string | undefined {
  for (const [{ kind, text }] of outside(all)) {
    const word = kind === 'word' ? text.toLowerCase() : undefined
    if (word === 'select' || word === 'values' || word === 'from' || word === 'table') return undefined
    if (word !== undefined && rowVerbs.includes(word)) return word
  }
  return undefined
}

function stepsOf({ head, lead, parts, rest }: Clause, sql: string): WithChanges {
  const behind = namesIn([...tokens(rest.sql)])
  const before = (index: number) => parts.slice(0, index)
  /** The parts that are read by these names, and by what those read. */
  const readBy = (names: ReadonlySet<string>, from: readonly Part[]): Set<Part> => {
    const found = new Set<Part>()
    for (const part of from.toReversed())
      if (names.has(part.name) || [...found].some((one) => !one.changes && one.names.has(part.name))) found.add(part)
    return found
  }
  const readers = [
    ...parts.flatMap((part, index) => (part.changes ? [readBy(part.names, before(index))] : [])),
    readBy(behind, parts),
  ]
  // A query that two of them read gives both the same rows.
  const isKept = (part: Part) => part.changes || readers.filter((read) => read.has(part)).length > 1
  const textOf = (piece: Piece, own: ReadonlySet<string>, index: number) => (rowsOf: (name: string) => string) => {
    const read = readBy(own, before(index))
    const list = before(index).flatMap((part) => {
      if (!read.has(part)) return []
      return [compose`${part.head} AS (${isKept(part) ? rowsOf(part.name) : part.body})`]
    })
    if (list.length === 0) return compose`${piece}`
    const inner = /^with\s+(recursive\s+)?/i.exec(piece.sql)?.[0] ?? ''
    const left = { sql: piece.sql.slice(inner.length), start: piece.start + inner.length }
    const recursive = /recursive/i.test(inner) ? 'WITH RECURSIVE ' : lead
    return compose`${recursive}${Composed.join(list, ', ')}${inner === '' ? ' ' : ', '}${left}`
  }
  const steps = parts.flatMap((part, index): (Step & { part: Part; index: number })[] => {
    if (!isKept(part)) return []
    const isRead = readers.some((read) => read.has(part))
    const tells = part.names.has('returning')
    if (isRead && part.changes && !tells)
      throw new Failure('SQL_INVALID', `WITH query "${part.name}" does not have a RETURNING clause`, {
        place: placeAt(sql, part.head.start),
        sqlState: '0A000',
      })
    return [
      {
        name: part.name,
        changes: part.changes,
        tells,
        isRead,
        text: textOf(part.body, part.names, index),
        part,
        index,
      },
    ]
  })
  // None sees what another does, and rows that change are found where they were: so those go before what adds rows.
  const ordered: Step[] = []
  const left = new Set(steps)
  while (left.size > 0) {
    const isReady = ({ part, index }: { part: Part; index: number }) => {
      const read = readBy(part.names, before(index))
      return ![...left].some((other) => other.part !== part && read.has(other.part))
    }
    const ready = [...left].filter(isReady)
    const next = ready.find(({ part }) => !part.adds) ?? ready[0]!
    left.delete(next)
    ordered.push(next)
  }
  const textBehind = textOf(rest, behind, parts.length)
  const last: Step = {
    name: undefined,
    changes: changesRows(head) || changesRows(rest),
    tells: behind.has('returning'),
    isRead: false,
    text: (rowsOf) => compose`${head}${textBehind(rowsOf)}`,
  }
  return { steps: [...ordered, last], last }
}

const changesRows = ({ sql }: Piece): boolean => rowVerbs.some((verb) => new Reader(sql).sees(verb))
