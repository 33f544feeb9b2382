// RETURNING tells columns of what is read beside the changed table, too: UPDATE … FROM b, DELETE … USING b. They are there when
// the rows are found, and gone when these are told; so the rows carry those that are asked for, under names of ours.

import type { Column } from '../../contract/index.ts'
import type { NewField } from '../../iceberg/index.ts'
import { compose, Composed } from '../sql/compose.ts'
import type { Piece } from '../sql/reader.ts'
import type { RowChange } from '../sql/row-change.ts'
import { cutAtCommas, isName, nameOf, outside, quoteName, tokens, type Token } from '../sql/tokens.ts'
import { writtenColumn } from '../types.ts'

export type Beside = {
  /** The list of RETURNING, in which those columns have our names. */
  list: Composed
  /** `value`: what they are where the rows are found. */
  columns: readonly { field: NewField; value: string }[]
}

type Told = Pick<Column, 'name' | 'type'>
type Other = { alias: string; column: Told }

/**
 * Undefined where nothing is read beside the table, or nothing of it told. `own`: names of the table's columns. To PostgreSQL
 * `*` is all that is read, to DuckDB the table that is changed.
 */
export async function besideOf(
  statement: RowChange,
  { own, postgres }: { own: readonly string[]; postgres: boolean },
  bind: (text: Composed) => Promise<readonly Told[]>,
): Promise<Beside | undefined> {
  const { returning, with: clause } = statement
  const from = statement.kind === 'update' ? statement.from : statement.kind === 'delete' ? statement.using : undefined
  if (!from || !returning) return undefined
  const others: Other[] = []
  for (const alias of relationsOf(from)) {
    const columns = await bind(compose`${clause ? compose`${clause} ` : ''}SELECT ${quoteName(alias)}.* FROM ${from}`)
    others.push(...columns.map((column) => ({ alias, column })))
  }
  const used = new Map<Other, string>()
  const nameFor = (other: Other) => {
    const name = used.get(other) ?? `_boathouse_beside_${used.size}`
    used.set(other, name)
    // The rows are kept as a table would keep them.
    return other.column.type === 'JSON' ? `CAST(${name} AS JSON)` : name
  }
  const parts = itemsOf(returning).map((item) => told(item, others, { own, postgres }, nameFor))
  if (used.size === 0) return undefined
  const hidden = [...used.values()].join(', ')
  const list = Composed.join(
    parts.map((part) => (typeof part === 'function' ? part(hidden) : part)),
    ', ',
  )
  const columns = [...used].map(([{ alias, column }, name]) => {
    const { field, castTo } = writtenColumn(column)
    return {
      field: { ...field, name },
      value: `CAST(${quoteName(alias)}.${quoteName(column.name)} AS ${castTo}) AS ${name}`,
    }
  })
  return { list, columns }
}

type Item = { all: Token[]; piece: Piece }
/** A star, when it is known what it does not mean. */
type Star = (hidden: string) => Composed

const joining = new Set(
  'join left right full inner outer cross natural semi anti asof positional on using tablesample'.split(' '),
)

/** What the items of a FROM clause are called. Those without a name are told by none. */
function relationsOf({ sql }: Piece): string[] {
  const names: string[] = []
  let item: Token[] = []
  let isItem = true
  const end = () => {
    const named = item.filter(({ text }) => text !== '(').at(-1)
    if (isItem && named && isName(named)) names.push(nameOf(named))
    item = []
  }
  for (const [token] of outside([...tokens(sql)])) {
    const word = token.kind === 'word' ? token.text.toLowerCase() : token.text
    if (word === ',' || joining.has(word)) {
      end()
      // Behind ON and USING are conditions, up to the next table.
      isItem = word === ',' || (word !== 'on' && word !== 'using' && (isItem || word === 'join'))
    } else item.push(token)
  }
  end()
  return names
}

const itemsOf = ({ sql, start }: Piece): Item[] =>
  cutAtCommas([...tokens(sql)]).map((all) => {
    const [from, to] = [all[0]?.start ?? 0, all.at(-1)?.end ?? 0]
    return { all, piece: { sql: sql.slice(from, to), start: start + from } }
  })

/** Words behind which a name is no alias. */
const before = new Set('case when then else and or not in is between like ilike distinct'.split(' '))

function told(
  { all, piece }: Item,
  others: readonly Other[],
  { own, postgres }: { own: readonly string[]; postgres: boolean },
  nameFor: (other: Other) => string,
): Composed | Star {
  const of = (alias: string) => others.filter((one) => one.alias.toLowerCase() === alias.toLowerCase())
  const listed = (some: readonly Other[]) => some.map((one) => `${nameFor(one)} AS ${quoteName(one.column.name)}`)
  const texts = all.map(({ text }) => text)
  if (texts.join('') === '*') {
    const more = postgres ? listed(others) : []
    return (hidden) => compose`${[`* EXCLUDE (${hidden})`, ...more].join(', ')}`
  }
  if (all.length === 3 && texts[1] === '.' && texts[2] === '*') {
    const some = of(nameOf(all[0]!))
    if (some.length > 0) return compose`${listed(some).join(', ')}`
    return (hidden) => compose`${piece} EXCLUDE (${hidden})`
  }
  const columnAt = (at: number): { other: Other; tokens: number } | undefined => {
    const token = all[at]!
    const previous = all[at - 1]
    if (!isName(token) || previous?.text === '.' || previous?.text === '::') return undefined
    if (texts[at + 1] === '.') {
      const name = all[at + 2]
      const found = name && isName(name) && of(nameOf(token)).find(({ column }) => isCalled(column.name, name))
      return found ? { other: found, tokens: 3 } : undefined
    }
    if (mayBeAlias(previous) || texts[at + 1] === '(' || own.some((name) => isCalled(name, token))) return undefined
    const found = others.find(({ column }) => isCalled(column.name, token))
    return found ? { other: found, tokens: 1 } : undefined
  }
  const isQuery = queries(all)
  const parts: (Composed | string)[] = []
  let end = 0
  const upTo = (index: number) => {
    if (index > end)
      parts.push(new Composed(piece.sql.slice(end, index), [{ at: 0, length: index - end, start: piece.start + end }]))
  }
  const offset = all[0]?.start ?? 0
  for (let at = 0; at < all.length; at++) {
    const found = isQuery[at] ? undefined : columnAt(at)
    if (!found) continue
    const last = all[at + found.tokens - 1]!
    upTo(all[at]!.start - offset)
    const isWhole = found.tokens === all.length
    parts.push(nameFor(found.other) + (isWhole ? ` AS ${quoteName(found.other.column.name)}` : ''))
    end = last.end - offset
    at += found.tokens - 1
  }
  upTo(piece.sql.length)
  return Composed.join([...parts, '\n'], '')
}

/** Whether a name behind this is what something is called. */
const mayBeAlias = (previous: Token | undefined): boolean =>
  previous !== undefined &&
  (previous.kind === 'word' ? !before.has(previous.text.toLowerCase()) : /^[)\]'"\d]/.test(previous.text))

const isCalled = (name: string, token: Token): boolean => name.toLowerCase() === nameOf(token).toLowerCase()

/** Which tokens are of a query inside: names mean its own tables first. */
function queries(all: readonly Token[]): boolean[] {
  const open: boolean[] = []
  return all.map(({ text }, at) => {
    if (text === '(') open.push(/^(select|with|from|values)$/i.test(all[at + 1]?.text ?? ''))
    const isInside = open.includes(true)
    if (text === ')') open.pop()
    return isInside
  })
}
