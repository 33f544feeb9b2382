// `SELECT a.id, a.name, count(*) … GROUP BY a.id`, where id is the key of a: PostgreSQL's clients leave out of GROUP BY what the
// key determines (Django does for each annotation), and the engine wants every column named. So they are named.

import type { Edit } from './splice.ts'
import { isName, nameOf, quoteName, tokens, type Token } from './tokens.ts'

/** What a FROM clause names: what it is called there, where, and its columns and key, in small letters. */
export type Keyed = { called: string; start: number; columns: ReadonlySet<string>; key: readonly string[] }
type Path = { table: string | undefined; column: string }

/**
 * The column that the engine wants in a GROUP BY, and those beside it, into that of its SELECT; undefined where no key there
 * determines it. `at`: where it stands, if the engine says so (it does not of `*` and HAVING).
 */
export function groupedByKey(
  text: string,
  { column, at }: { column: string; at: number | undefined },
  tables: readonly Keyed[],
): Edit | undefined {
  const all = [...tokens(text)]
  const isIt = (one: Token, index: number) =>
    at === undefined
      ? all[index - 1]?.text !== '.' && [column.toLowerCase(), '*'].includes(pathAt(all, index)?.column ?? '')
      : one.end > at
  for (const [index, one] of all.entries()) {
    const edit = isIt(one, index) ? groupedAt(text, all, index, tables) : undefined
    if (edit || (at !== undefined && one.end > at)) return edit
  }
  return undefined
}

function groupedAt(text: string, all: readonly Token[], asked: number, tables: readonly Keyed[]): Edit | undefined {
  const select = selectAround(all, asked)
  const wanted = select && pathAt(all, asked)
  if (!wanted) return undefined
  const here = tables.filter(({ start }) => select.own.some((index) => all[index]!.start === start))
  const isOf =
    ({ table, column }: Path) =>
    (one: Keyed) =>
      (table === undefined || one.called === table) && (column === '*' || one.columns.has(column))
  const [found, ...others] = here.filter(isOf(wanted))
  if (!found || others.length > 0 || found.key.length === 0) return undefined
  const items = itemsIn(all, select.list)
  const grouped = itemsIn(all, select.grouped).flatMap((item) => {
    const [only] = item
    const position = item.length === 1 && only!.kind === 'number' ? items[Number(only!.text) - 1] : item
    return position ? (pathOf(position) ?? []) : []
  })
  const isGrouped = (column: string) =>
    grouped.some((one) => one.column === column && here.filter(isOf(one)).every((table) => table === found))
  if (!found.key.every(isGrouped)) return undefined
  const beside = items.flatMap((item) => {
    const path = pathOf(item)
    const isBeside = path && path.column !== '*' && path.table === wanted.table && isOf(path)(found)
    return isBeside && !isGrouped(path.column) ? [textOf(text, item)] : []
  })
  const before = wanted.table === undefined ? '' : `${quoteName(wanted.table)}.`
  const own =
    wanted.column === '*'
      ? [...found.columns].filter((column) => !isGrouped(column)).map((column) => `${before}${quoteName(column)}`)
      : [textOf(text, pathTokens(all, asked))]
  const written = [...new Set([...own, ...beside])]
  const { end } = all[select.grouped.at(-1)!]!
  return { start: end, end, text: `, ${written.join(', ')}` }
}

type Select = { own: number[]; list: number[]; grouped: number[] }

/** The innermost SELECT with a GROUP BY around a token: its tokens outside of deeper parentheses, by their places. */
function selectAround(all: readonly Token[], asked: number): Select | undefined {
  const depths = depthsOf(all)
  for (let depth = depths[asked]!; depth >= 0; depth--) {
    let [first, last] = [asked, asked]
    while (first > 0 && !isEdge(all, depths, first - 1, depth)) first--
    while (last < all.length - 1 && !isEdge(all, depths, last + 1, depth)) last++
    const words = (index: number) => (depths[index] === depth ? all[index]!.text.toLowerCase() : '')
    const places = Array.from({ length: last - first + 1 }, (_, index) => first + index)
    const group = places.find((index) => words(index) === 'group' && words(index + 1) === 'by')
    const from = places.find((index) => words(index) === 'from')
    const start = places.find((index) => words(index) === 'select')
    if (group === undefined || from === undefined || start === undefined || from > group) continue
    const end = places.find((index) => index > group && behindGroup.has(words(index))) ?? last + 1
    const list = places.filter((index) => index > start && index < from)
    const grouped = places.filter((index) => index > group + 1 && index < end)
    const isPlain = !grouped.some((index) => /^(rollup|cube|sets|all)$/.test(words(index)))
    const own = places.filter((index) => depths[index] === depth)
    return grouped.length > 0 && isPlain ? { own, list, grouped } : undefined
  }
  return undefined
}
const behindGroup = new Set('having order limit offset fetch window qualify for'.split(' '))

/** Where a SELECT ends: the parenthesis around it, or the word between it and another. */
const isEdge = (all: readonly Token[], depths: readonly number[], index: number, depth: number): boolean =>
  depths[index]! < depth ||
  (depths[index] === depth && /^(union|intersect|except|;)$/i.test(all[index]!.text) && all[index]!.kind !== 'quoted')

/** How many parentheses are open around each token; of a pair itself, one less than inside. */
function depthsOf(all: readonly Token[]): number[] {
  let depth = 0
  return all.map(({ kind, text }) => {
    if (kind !== 'symbol') return depth
    if (/^[([{]$/.test(text)) return depth++
    return /^[)\]}]$/.test(text) ? --depth : depth
  })
}

/** What stands between the commas. */
function itemsIn(all: readonly Token[], places: readonly number[]): Token[][] {
  const items: Token[][] = [[]]
  let depth = 0
  for (const index of places) {
    const token = all[index]!
    if (token.kind === 'symbol' && /^[([{]$/.test(token.text)) depth++
    if (token.kind === 'symbol' && /^[)\]}]$/.test(token.text)) depth--
    if (depth === 0 && token.text === ',') items.push([])
    else items.at(-1)!.push(token)
  }
  // `a.name AS called` is the column, too.
  return items.map((item) => (item.at(-2)?.text.toLowerCase() === 'as' ? item.slice(0, -2) : item))
}

/** `"a"."name"`, from its first token. */
function pathTokens(all: readonly Token[], first: number): Token[] {
  let last = first
  while (all[last + 1]?.text === '.' && all[last + 2]) last += 2
  return all.slice(first, last + 1)
}
const pathAt = (all: readonly Token[], first: number) => pathOf(pathTokens(all, first))

function pathOf(item: readonly Token[]): Path | undefined {
  const last = item.at(-1)
  const isPath = item.every((token, index) =>
    index % 2 === 1 ? token.text === '.' : (token === last && token.text === '*') || isName(token),
  )
  if (!last || !isPath || item.length % 2 === 0) return undefined
  const named = (token: Token | undefined) => token && nameOf(token).toLowerCase()
  return { table: named(item.at(-3)), column: named(last)! }
}

const textOf = (text: string, item: readonly Token[]) => text.slice(item[0]!.start, item.at(-1)!.end)
