// Replaces pieces of a person's SQL, and remembers where everything came from.
//
// The statement that runs is the text that was written, with each table's name replaced by what reads its files. So
// comments, layout and MATERIALIZED stay, and a position in the new text leads back to one in the old.

import { Bug } from '../../base/assert.ts'
import type { Analysis, TableReference } from './tree.ts'
import { nameOf, quoteName, tokens, type Token } from './tokens.ts'

/** Half-open range of JavaScript string indices of the original, and its replacement. */
export type Edit = { start: number; end: number; text: string }

export type Spliced = {
  text: string
  /** Index in the original of an index in `text`. */ origin(index: number): number
}

export function splice(sql: string, edits: readonly Edit[]): Spliced {
  const ordered = [...edits].sort((a, b) => a.start - b.start || a.end - b.end)
  const pieces: { at: number; from: number; fixed: boolean }[] = []
  let text = ''
  let done = 0
  for (const edit of ordered) {
    if (edit.start < done) throw new Bug('edits overlap')
    pieces.push({ at: text.length, from: done, fixed: false })
    text += sql.slice(done, edit.start)
    pieces.push({ at: text.length, from: edit.start, fixed: true })
    text += edit.text
    done = edit.end
  }
  pieces.push({ at: text.length, from: done, fixed: false })
  text += sql.slice(done)
  return {
    text,
    origin(index) {
      const piece = pieces.findLast(({ at }) => at <= index) ?? pieces[0]!
      return piece.fixed ? piece.from : piece.from + (index - piece.at)
    },
  }
}

/** JavaScript index of a byte offset in the UTF-8 form of a text. */
export function indexOfByte(text: string, offset: number): number {
  if (offset <= 0) return 0
  return Buffer.from(text, 'utf8').subarray(0, offset).toString('utf8').length
}

/** Where a table's name stands, and what else of the text belongs to it. */
export type NamedTable = {
  reference: TableReference
  start: number
  end: number
  /** `AT (VERSION => 3)`: the range to cut and the expression inside. */
  at: { start: number; end: number; expression: string } | undefined
  /** Set before a replacement so that `DESCRIBE t` and `TABLE t` stay SQL. */
  lead: Edit | undefined
}

/** What `placesOf` finds: the extent of every table name, undefined for one that has no position; and what to cut. */
type Places = { tables: (NamedTable | undefined)[]; cuts: Edit[] }
const places = new WeakMap<Analysis, Places>()

/** Where `sql`, of which `analysis` is, names its tables. Found once: a view is put into every text that reads it. */
export function placesOf(sql: string, analysis: Analysis): Places {
  const known = places.get(analysis)
  if (known) return known
  const all = [...tokens(sql)]
  const found = { tables: locate(sql, all, analysis), cuts: unqualify(sql, all, analysis) }
  places.set(analysis, found)
  return found
}

function locate(sql: string, all: readonly Token[], analysis: Analysis): (NamedTable | undefined)[] {
  const indexAt = (index: number) => all.findIndex((token) => token.start >= index)
  return analysis.tables.map((reference) => {
    if (reference.offset < 0) return undefined
    const first = indexAt(indexOfByte(sql, reference.offset))
    if (first < 0) return undefined
    let last = first
    while (all[last + 1]?.text === '.' && isName(all[last + 2])) last += 2
    const written = nameParts(all.slice(first, last + 1))
    if (written.at(-1)?.toLowerCase() !== reference.name.toLowerCase()) return undefined
    const before = all[first - 1]
    const word = before?.kind === 'word' ? before.text.toUpperCase() : ''
    const lead = !before
      ? undefined
      : word === 'TABLE'
        ? { start: before.start, end: before.end, text: 'FROM' }
        : ['DESCRIBE', 'DESC', 'SUMMARIZE', 'SHOW'].includes(word)
          ? { start: before.end, end: before.end, text: ' FROM' }
          : undefined
    return {
      reference,
      start: all[first]!.start,
      end: all[last]!.end,
      at: reference.hasAt ? atClause(sql, all, last + 1) : undefined,
      lead,
    }
  })
}

/** Cuts `raw.` from `raw.sales.amount`, and the catalog too, where the statement reads a table of that name. */
function unqualify(sql: string, all: readonly Token[], analysis: Analysis): Edit[] {
  return analysis.qualified.flatMap(({ names, offset }) => {
    if (offset < 0) return []
    const lower = names.map((name) => name.toLowerCase())
    const extra = analysis.tables.some((table) => matches(lower, [table.catalog, table.namespace, table.name]))
      ? 2
      : analysis.tables.some((table) => matches(lower, [table.namespace, table.name]))
        ? 1
        : 0
    const first = all.findIndex((token) => token.start === indexOfByte(sql, offset))
    const next = all[first + 2 * extra]
    return extra === 0 || first < 0 || !next ? [] : [{ start: all[first]!.start, end: next.start, text: '' }]
  })
}

const matches = (names: string[], parts: (string | undefined)[]) =>
  names.length > parts.length && parts.every((part, at) => part?.toLowerCase() === names[at])

const isName = (token: Token | undefined): boolean => token?.kind === 'word' || token?.kind === 'quoted'
const nameParts = (some: Token[]) => some.filter(isName).map(nameOf)

function atClause(sql: string, all: readonly Token[], from: number) {
  for (let at = from; at < all.length && at < from + 40; at++) {
    if (all[at]!.text.toUpperCase() !== 'AT' || all[at + 1]?.text !== '(') continue
    let depth = 0
    for (let end = at + 1; end < all.length; end++) {
      if (all[end]!.text === '(') depth++
      else if (all[end]!.text === ')' && --depth === 0) {
        const arrow = all.slice(at, end).find((token) => token.text === '=>')
        if (!arrow) return undefined
        return { start: all[at]!.start, end: all[end]!.end, expression: sql.slice(arrow.end, all[end]!.start) }
      }
    }
  }
  return undefined
}

/** The edits that put `body` (a SELECT or a table's name) where the statement names a table. */
export function tableEdits(table: NamedTable, body: string): Edit[] {
  const alias = table.reference.alias ? '' : ` AS ${quoteName(table.reference.name)}`
  return [
    ...(table.lead ? [table.lead] : []),
    { start: table.start, end: table.end, text: `${body}${alias}` },
    ...(table.at ? [{ start: table.at.start, end: table.at.end, text: '' }] : []),
  ]
}

/** The edits that give a query more names in its WITH clause. */
export function withEdits(sql: string, definitions: readonly string[]): Edit[] {
  const [first, second] = tokens(sql).take(2)
  const word = (token: Token | undefined) => (token?.kind === 'word' ? token.text.toUpperCase() : '')
  const list = definitions.join(', ')
  if (word(first) === 'WITH') {
    const { end } = word(second) === 'RECURSIVE' ? second! : first!
    return [{ start: end, end, text: ` ${list},` }]
  }
  if (!['DESCRIBE', 'DESC', 'SUMMARIZE', 'SHOW'].includes(word(first)))
    return [{ start: 0, end: 0, text: `WITH ${list} ` }]
  // These stand before a query, and their answer is one.
  return [
    { start: 0, end: 0, text: `WITH ${list} FROM (` },
    { start: sql.length, end: sql.length, text: '\n)' },
  ]
}
