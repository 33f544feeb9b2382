// Replaces pieces of a person's SQL, and remembers where everything came from.
//
// The statement that runs is the text that was written, with each table's name replaced by what reads its files. So
// comments, layout and MATERIALIZED stay, and a position in the new text leads back to one in the old.

import { Bug } from '../../base/assert.ts'
import type { Analysis, NamedRelation, QualifiedColumn, TableReference } from './tree.ts'
import { isName, nameOf, quoteName, tokens, type Token } from './tokens.ts'

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
  /** `DESCRIBE t`: where that stands. */
  described: { start: number; end: number } | undefined
  /** What it is called behind its replacement, where the statement gives it no alias. */
  called: string
}

/** What `placesOf` finds: the extent of every table name, undefined for one that has no position; and what columns are told by. */
type Places = { tables: (NamedTable | undefined)[]; columns: Edit[] }
const places = new WeakMap<Analysis, Places>()

/** The catalog that a name means, and the one that is meant without a name. */
type CatalogOf = (written: string | undefined) => string

/**
 * Where `sql`, of which `analysis` is, names its tables. Found once: a view is put into every text that reads it. Only columns
 * that are written with a catalog ask what it means.
 */
export function placesOf(sql: string, analysis: Analysis, catalogOf?: CatalogOf): Places {
  const isAsked = catalogOf && analysis.qualified.some(({ names }) => names.length > 3)
  if (isAsked) return foundPlaces(sql, { ...analysis, catalogOf })
  const found = places.get(analysis) ?? foundPlaces(sql, analysis)
  places.set(analysis, found)
  return found
}

type Named = Analysis & { catalogOf?: CatalogOf }

function foundPlaces(sql: string, analysis: Named): Places {
  if (analysis.tables.length === 0 && analysis.qualified.length === 0) return { tables: [], columns: [] }
  const all = [...tokens(sql)]
  const names = namesApart(analysis)
  return { tables: locate(sql, all, analysis, names), columns: columnEdits(sql, all, analysis, names) }
}

type Names = ReadonlyMap<TableReference, string>

/**
 * Tables whose name alone could mean something else in the statement, once their schemas are gone: `raw.sales` beside
 * `staging.sales` or a `sales` of WITH, or asked for from a subquery, where a column may be called so. Each keeps its schema
 * in its name.
 */
function namesApart(analysis: Named): Names {
  const { relations, qualified } = analysis
  const meanings = new Map<string, Set<unknown>>()
  for (const one of relations) {
    const { name, table } = one
    const meaning = table && !table.alias ? [table.catalog, table.namespace, name].join('.').toLowerCase() : one
    meanings.set(name, (meanings.get(name) ?? new Set()).add(meaning))
  }
  const fromInside = new Set(
    qualified.flatMap((column) => {
      const one = wholeNamed(column, analysis)
      return one && one.scope !== column.scopes[0] ? [one] : []
    }),
  )
  // `schema-stars.ts`
  const starred = new Set(qualified.filter(({ names }) => names[1] === '*').map(({ names }) => names[0]!.toLowerCase()))
  return new Map(
    relations.flatMap((one): [TableReference, string][] => {
      const { table } = one
      if (!table || table.alias || table.namespace === undefined) return []
      const inSchema = `${table.namespace}.${table.name}`
      if (starred.has(inSchema.toLowerCase())) return [[table, inSchema]]
      const whole = table.catalog === undefined ? inSchema : `${table.catalog}.${inSchema}`
      const isApart = meanings.get(one.name)!.size > 1 || fromInside.has(one) || starred.has(whole.toLowerCase())
      return isApart ? [[table, whole]] : []
    }),
  )
}

function locate(sql: string, all: readonly Token[], analysis: Analysis, names: Names): (NamedTable | undefined)[] {
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
    const at = reference.hasAt ? atClause(sql, all, last + 1) : undefined
    const end = at?.end ?? all[last]!.end
    const behind = all[indexAt(end)]?.text
    const head = word === 'TABLE' ? all[first - 2] : before
    const isDescribed = /^(describe|desc|show)$/i.test(head?.text ?? '') && (behind === undefined || behind === ')')
    return {
      reference,
      start: all[first]!.start,
      end: all[last]!.end,
      at,
      lead,
      described: isDescribed ? { start: head!.start, end } : undefined,
      called: names.get(reference) ?? reference.name,
    }
  })
}

/** `raw.sales.amount` becomes `sales.amount`, where the statement reads a table of that name, or what it is called there. */
function columnEdits(sql: string, all: readonly Token[], analysis: Named, names: Names): Edit[] {
  // Where no table is called otherwise, its name alone goes on saying it.
  const told = names.size > 0 ? analysis.qualified : analysis.qualified.filter((column) => column.names.length > 2)
  if (told.length === 0) return []
  const indexAt = new Map(all.map(({ start }, index) => [start, index]))
  const strays = straysOf(sql, all, analysis)
  const edits = told.flatMap((column) => {
    const meant = column.offset < 0 ? undefined : tableOf(column, analysis, names)
    if (!meant) return []
    const { table, parts } = meant
    const called = meant.isTarget ? undefined : names.get(table)
    if (called === undefined && parts === 1) return []
    const places = [
      indexAt.get(indexOfByte(sql, column.offset)) ?? -1,
      ...strays.filter((at) => isNamed(all, at, column.names)),
    ]
    return places.flatMap((first) => {
      const last = all[first + 2 * (parts - 1)]
      if (first < 0 || !last) return []
      return called === undefined
        ? [{ start: all[first]!.start, end: last.start, text: '' }]
        : [{ start: all[first]!.start, end: last.end, text: quoteName(called) }]
    })
  })
  return [...new Map(edits.map((edit) => [edit.start, edit])).values()]
}

/** Where names stand that nothing of the tree does: of what GROUP BY says twice the parser keeps the first only. */
function straysOf(sql: string, all: readonly Token[], { qualified, tables }: Analysis): number[] {
  if (!all.some(({ kind, text }) => kind === 'word' && /^group$/i.test(text))) return []
  const known = new Set([...qualified, ...tables].map(({ offset }) => indexOfByte(sql, offset)))
  return all.flatMap((token, at) => {
    const begins = isName(token) && all[at + 1]?.text === '.' && all[at - 1]?.text !== '.'
    return begins && !known.has(token.start) ? [at] : []
  })
}

const isNamed = (all: readonly Token[], at: number, names: readonly string[]) =>
  names.every((name, step) => {
    const token = all[at + 2 * step]
    const isJoined = step === 0 || all[at + 2 * step - 1]?.text === '.'
    return isJoined && isName(token) && nameOf(token).toLowerCase() === name.toLowerCase()
  })

/** The table that a column is said to be of, and how many of its names say so; `isTarget`: its own name is what it is called. */
function tableOf(
  column: QualifiedColumn,
  analysis: Named,
  names: Names,
): { table: TableReference; parts: number; isTarget?: true } | undefined {
  const whole = wholeNamed(column, analysis)?.table
  if (whole) return { table: whole, parts: partsOf(whole, column, analysis.catalogOf) }
  // By its name alone: what else is called so comes first.
  for (const scope of column.scopes) {
    const here = analysis.relations.filter((one) => one.scope === scope && one.name === column.names[0]!.toLowerCase())
    const [table, ...others] = here.map((one) => one.table)
    if (table && others.length === 0 && names.has(table)) return { table, parts: 1 }
    if (here.length > 0) return undefined
  }
  // The target of a change stands in a query of its own, which bears its name, whatever others that read the same are called.
  const target = analysis.tables.find((one) => partsOf(one, column, analysis.catalogOf) > 0)
  return target && { table: target, parts: partsOf(target, column, analysis.catalogOf), isTarget: true }
}

/** The nearest table that the column is written with, with its schema. */
function wholeNamed(column: QualifiedColumn, { relations, catalogOf }: Named): NamedRelation | undefined {
  if (column.names.length < 3) return undefined
  for (const scope of column.scopes) {
    const found = relations.find(
      (one) => one.scope === scope && one.table && !one.table.alias && partsOf(one.table, column, catalogOf) > 0,
    )
    if (found) return found
  }
  return undefined
}

/** How many of the column's names are the table's, with its schema. */
function partsOf(
  { catalog, namespace, name }: TableReference,
  column: QualifiedColumn,
  catalogOf: CatalogOf | undefined,
): number {
  const written = column.names.map((one) => one.toLowerCase())
  const isInSchema = namespace !== undefined && starts(written.slice(1), [namespace, name])
  if (catalogOf && isInSchema && catalogOf(written[0]) === catalogOf(catalog)) return 3
  if (starts(written, [catalog, namespace, name])) return 3
  return starts(written, [namespace, name]) ? 2 : 0
}

const starts = (names: readonly string[], parts: readonly (string | undefined)[]) =>
  names.length > parts.length && parts.every((part, at) => part?.toLowerCase() === names[at])

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
  const alias = table.reference.alias ? '' : ` AS ${quoteName(table.called)}`
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
