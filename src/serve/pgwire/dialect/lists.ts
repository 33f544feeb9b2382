// Arrays: as texts, beside ANY and ALL, as rows of their own; and rows that are compared.

import { comparedRows } from '../../../base/compared-rows.ts'
import { parseArray, parseArrays } from '../../../base/pg-texts.ts'
import { isName, type Edit } from '../../../lake/index.ts'
import { isBesideList, itemsSql, listSql } from '../parameters.ts'
import { isOidAlias } from './oids.ts'
import { EditedSql, textOf, type Range, type SessionNames } from './sql.ts'

const shortNumber = /^(-?\d{1,9}|\(-?\d{1,9}\)|CAST\(('-?\d{1,9}'|\(SELECT NULL\)) AS INTEGER\))$/i

const plainTypes = new Set(
  'int int2 int4 int8 integer bigint smallint date timestamp timestamptz uuid text varchar bool boolean float8'.split(
    ' ',
  ),
)
const beforeRows = new Set('and or not where on having when then else select qualify filter'.split(' '))

/** `generate_series('2026-01-01'::date, '2026-01-31', '1 day')`: texts beside a day or a time are what they have to be. */
function stepped(sql: EditedSql, at: number, end: number): void {
  const [first, last, step] = sql.items(at + 1, end)
  const isText = (item: Range | undefined) =>
    item !== undefined && item[0] === item[1] && sql.tokens[item[0]]!.kind === 'string'
  if (!first || !last || !step || isText(first)) return
  if (isText(last)) sql.insertAfter(last[1], '::TIMESTAMP')
  if (isText(step)) sql.insertAfter(step[1], '::INTERVAL')
}

const inParentheses = /\(\s*'\{/
/** `ANY (('{a}'))`, `SET tags = ('{a}')`, as JDBC writes lists into a text: without the parentheses that say nothing. */
export function bareLists(text: string, session: SessionNames): Edit[] {
  if (!inParentheses.test(text)) return []
  const sql = new EditedSql(text, session)
  sql.tokens.forEach(({ kind, text: value }, at) => {
    if (kind !== 'string' || !value.startsWith("'{") || sql.words[at - 1] !== '(' || sql.words[at + 1] !== ')') return
    const around = [...sql.pairs].find(([open, close]) => open < at - 1 && close > at + 1)?.[0]
    const isItem = around !== undefined && !/^(values|select|with)$/.test(sql.words[around + 1]!)
    const before = sql.words[at - 2] ?? ''
    if (before !== '=' && before !== '(' && !(before === ',' && isItem)) return
    sql.replace(at - 1, at - 1, '')
    sql.replace(at + 1, at + 1, '')
  })
  return sql.edits
}

/** `'{1,2}'::int[]`, `('{a}')::varchar(10)[]`, `CAST('{1,2}' AS int[])`: a list. */
export function listLiteral(sql: EditedSql, at: number): boolean {
  const { kind, text } = sql.tokens[at]!
  if (kind !== 'string' || !/^e?'\{/i.test(text)) return false
  const isAlone = sql.words[at - 1] === '(' && sql.words[at + 1] === ')'
  if (isAlone && oneOf(sql, at)) return true
  if (sql.words[at + 1] !== '::' && isBesideList(sql.tokens, at, 1)) return comparedList(sql, at) || listOf(sql, at)
  if (besideCast(sql, at)) return true
  const cast = isAlone ? at + 2 : at + 1
  if (sql.words[cast] !== '::' && !(sql.words[cast] === 'as' && sql.words[at - 1] === '(')) return false
  const name = sql.castEnd(cast).type.replaceAll('[]', '')
  const last = typeEnd(sql, sql.words[cast + 2] === '.' ? cast + 3 : cast + 1)
  const isWord = sql.words[last + 1] === 'array'
  const isList = (isWord || (sql.words[last + 1] === '[' && sql.words[last + 2] === ']')) && !isOidAlias(name)
  if (!isList || !listOf(sql, at, name === 'bytea')) return false
  if (isWord) return true
  dimensions(sql, last, /^e?'\s*(\{[\s{]*)/i.exec(text)?.[1]?.replace(/\s/g, '').length ?? 0)
  return true
}

/** `timestamp(3) with time zone`, `character varying(3)`: the last word of the type whose name ends at `at`. */
function typeEnd(sql: EditedSql, at: number): number {
  let last = /^(varying|precision)$/.test(sql.words[at + 1] ?? '') ? at + 1 : at
  if (sql.words[last + 1] === '(') last = sql.closing(last + 1) ?? last
  const zone = sql.words.slice(last + 1, last + 4).join(' ')
  return /^with(out)? time zone$/.test(zone) ? last + 3 : last
}

/** `'{a}'::text[] = '{}'`, as Alembic compares defaults: a list of the type that is written beside it. */
function besideCast(sql: EditedSql, at: number): boolean {
  const isCompared = /^(=|<>|!=)$/.test(sql.words[at - 1] ?? '') && sql.words[at + 1] !== '::'
  const isCast = sql.words[at - 2] === ']' && sql.words[at - 3] === '[' && sql.words[at - 5] === '::'
  if (!isCompared || !isCast || !listOf(sql, at)) return false
  sql.insertAfter(at, `::${sql.tokens[at - 4]!.text}[]`)
  return true
}

/** `numbers && '{1,2}'`: the items are of the type of the others. */
function comparedList(sql: EditedSql, at: number): boolean {
  const call = { '&&': 'pg_lists_meet', '@>': 'pg_list_holds', '<@': 'pg_list_held' }[
    sql.words.slice(at - 2, at).join('')
  ]
  const items = parseArray(textOf(sql.tokens[at]!))
  if (!call || !items || !sql.isOperand(at - 3)) return false
  sql.wrapBefore(sql.operandWithCasts(at - 3), `${call}(`)
  return sql.replace(at - 2, at, `, ${listSql(items, false)})`)
}

/** `numbers && $1`, where the value was `CAST(['2'] AS VARCHAR[])`. */
export function boundList(sql: EditedSql, at: number): boolean {
  const call = listCalls[sql.words.slice(at, at + 2).join('')]
  const end = call && sql.words[at + 2] === 'cast' ? sql.closing(at + 3) : undefined
  if (end === undefined || sql.words.slice(end - 4, end).join(' ') !== 'as varchar [ ]' || !sql.isOperand(at - 1))
    return false
  if (sql.words[end + 1] === '::') return false
  sql.wrapBefore(sql.operandWithCasts(at - 1), `${call}(`)
  sql.insertAfter(end, ')')
  return sql.replace(at, at + 1, ', ')
}

const listCalls: Record<string, string> = { '&&': 'pg_lists_meet', '@>': 'pg_list_holds', '<@': 'pg_list_held' }

/** A type in PostgreSQL says that it is an array, not of how many dimensions: those that are missing behind `last`. */
function dimensions(sql: EditedSql, last: number, count: number): void {
  let said = 0
  for (; sql.words[last + 1] === '[' && sql.words[last + 2] === ']'; last += 2) said++
  if (said > 0 && count > said) sql.insertAfter(last, '[]'.repeat(count - said))
}

/** `$1::text[]`, where the value was `CAST([['a']] AS VARCHAR[][])`. */
export function castAgain(sql: EditedSql, at: number): void {
  const close = sql.words[at] === 'cast' && sql.words[at + 1] === '(' ? sql.closing(at + 1) : undefined
  if (close === undefined || sql.words[close + 1] !== '::') return
  let count = 0
  while (sql.words[close - 1 - 2 * count] === ']' && sql.words[close - 2 - 2 * count] === '[') count++
  const { last, type } = sql.castEnd(close + 1)
  if (count > 1) dimensions(sql, last - (type.length - type.replaceAll('[]', '').length), count)
}

function listOf(sql: EditedSql, at: number, isOfBytes = false): boolean {
  const items = parseArrays(textOf(sql.tokens[at]!))
  return items !== undefined && sql.replace(at, at, listSql(items, isOfBytes))
}

/** `= ANY ('{1,2}')`, `<> ALL ('{a}')`: items that are of the type of what they are compared with. */
function oneOf(sql: EditedSql, at: number): boolean {
  let first = at - 2
  while (/^[<>=!]+$/.test(sql.words[first - 1] ?? '')) first--
  const written = sql.words.slice(first, at - 1).join('')
  const meant = /^=(any|some)$/.test(written) ? 'IN' : /^(<>|!=)all$/.test(written) ? 'NOT IN' : undefined
  const items = meant && sql.words[at + 2] !== '::' ? parseArray(textOf(sql.tokens[at]!)) : undefined
  if (!items) return false
  return sql.replace(first, at + 1, `${meant} (${itemsSql(items)})`)
}

/** `tags || ARRAY['x']`: of no list that one is all; to the engine's operator there is none then. */
export function listsJoined(sql: EditedSql, at: number): boolean {
  if (sql.words[at] !== '||' || !sql.isOperand(at - 1)) return false
  const from = sql.words[at + 1] === 'cast' && sql.words[at + 2] === '(' ? at + 3 : at + 1
  if (sql.words[from] !== '[' && !(sql.words[from] === 'array' && sql.words[from + 1] === '[')) return false
  const left = sql.operandWithCasts(at - 1)
  sql.wrapBefore(sql.words[left - 1] === 'array' ? left - 1 : left, 'list_concat(')
  sql.insertAfter(listEnd(sql, at + 1), ')')
  return sql.replace(at, at, ', ')
}

function listEnd(sql: EditedSql, first: number): number {
  const open = sql.words[first] === 'array' ? first + 1 : first
  if (sql.words[open] !== '[') return sql.operandEnd(first)
  let [last, depth] = [open, 0]
  for (; last < sql.tokens.length; last++)
    if (sql.words[last] === '[') depth++
    else if (sql.words[last] === ']' && --depth === 0) break
  while (sql.words[last + 1] === '::') last = sql.castEnd(last + 1).last
  return last
}

/** `a <> ALL (list)`: unknown where there is no list; to the engine that is an empty one. */
export function comparedWithList(sql: EditedSql, at: number): void {
  const end = /^(all|any|some)$/.test(sql.words[at]!) && sql.words[at + 1] === '(' ? sql.closing(at + 1) : undefined
  if (end === undefined || !/^[<>=!]+$/.test(sql.words[at - 1] ?? '')) return
  const isQuery = end === at + 2 || /^(select|with|values|from|table|\()$/.test(sql.words[at + 2]!)
  // One of those that are bound leaves files out, which it would not within a call.
  const isBound = sql.words[at] !== 'all' && sql.words[at + 2] === '$'
  const isThere = isBound || sql.tokens[at + 2]!.kind === 'string' || sql.words[at + 2] === 'array'
  if (isQuery || isThere) return
  sql.insertAfter(at + 1, 'coalesce(')
  sql.insertBefore(end, ', [NULL])')
}

/** `name NOT LIKE ALL (list)`: the engine compares with each of a list by `=` and its like alone. */
export function likeEach(sql: EditedSql, at: number): void {
  const word = sql.words[at + 1] ?? ''
  const end = /^(any|some|all)$/.test(word) ? sql.closing(at + 2) : undefined
  if (end === undefined || sql.words[at + 2] !== '(' || /^(select|with|values)$/.test(sql.words[at + 3]!)) return
  const [joined, none] = word === 'all' ? ['AND', 'true'] : ['OR', 'false']
  const left = sql.operandWithCasts(sql.words[at - 1] === 'not' ? at - 2 : at - 1)
  sql.insertBefore(sql.words[left - 1] === '$' ? left - 1 : left, 'list_reduce([')
  sql.replace(at + 1, at + 2, 'pattern_of_list FOR pattern_of_list IN (')
  const isText = end === at + 4 && sql.tokens[at + 3]!.kind === 'string'
  const written = isText ? parseArray(textOf(sql.tokens[at + 3]!)) : undefined
  if (written) sql.replace(at + 3, at + 3, listSql(written, false))
  sql.replace(end, end, `)], lambda one, other: one ${joined} other, ${none})`)
}

/**
 * `(day, id) < ('2026-01-01', '5')`, as pages are turned: texts are of the types of what they are compared with. In rows the
 * engine compares columns with them as texts, or not at all; and to it a null in a row is a value, above all others.
 */
export function rowCompared(sql: EditedSql, at: number): boolean {
  const first = sql.words[at - 1] === 'row' ? at - 1 : at
  const before = sql.tokens[first - 1]
  if (before?.kind === 'quoted' || (before?.kind === 'word' && !beforeRows.has(before.text.toLowerCase()))) return false
  const end = sql.closing(at)
  const columns = end === undefined ? [] : sql.items(at, end)
  if (end === undefined || columns.length < 2) return false
  const not = sql.words[end + 1] === 'not' ? 1 : 0
  const symbol = sql.words[end + 1 + not]!
  // `SET a = 1, (b, c) = ('x', 'y')` assigns.
  if (before?.text === ',' && symbol === '=') return false
  const open = end + 2 + not + (sql.words[end + 2 + not] === 'row' ? 1 : 0)
  const isIn = symbol === 'in'
  const last = sql.words[open] === '(' ? sql.closing(open) : undefined
  if (last === undefined || (not === 1 && !isIn) || !(isIn || /^(=|<>|!=|<=?|>=?)$/.test(symbol))) return false
  const rows = isIn ? sql.items(open, last) : [[open, last] as const]
  const those = rows.map(([from, to]) =>
    sql.words[from] === '(' && sql.closing(from) === to ? sql.items(from, to) : [],
  )
  const isText = ([from, to]: Range) =>
    sql.tokens[from]!.kind === 'string' || (sql.words[from] === '$' && to === from + 1)
  const isPlain = (item: Range): boolean =>
    item[0] === item[1] ||
    isText(item) ||
    sql.isPath(...item) ||
    sql.words[item[0]] === 'cast' ||
    (sql.words[item[0]] === '-' && item[1] === item[0] + 1) ||
    (sql.words[item[1] - 1] === '::' && plainTypes.has(sql.words[item[1]]!) && isPlain([item[0], item[1] - 2]))
  if (!those.every((row) => row.length === columns.length)) return false
  if (!columns.every(([from, to]) => sql.isPath(from, to)) || !those.flat().every(isPlain))
    return !isIn && rowsInCall(sql, [first, end], symbol, [open, last])
  if (isIn && !those.flat().some(isText)) return false
  const left = columns.map((item) => sql.textOf(item))
  const each = those.map((row) =>
    comparedRows(
      left,
      isIn ? '=' : symbol,
      row.map((item) => sql.textOf(item)),
    ),
  )
  return sql.replace(first, last, `${not === 1 ? 'NOT ' : ''}(${each.join(' OR ')})`)
}

const rowCalls: Record<string, string> = {
  '=': 'eq',
  '<>': 'ne',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
}

/** The same of rows of any values, up to four: what is edited within them stays. */
function rowsInCall(sql: EditedSql, [first, end]: Range, symbol: string, [open, last]: Range): boolean {
  const at = sql.opening(end)!
  const count = sql.items(at, end).length
  const hasQuery = [...sql.words.slice(at, end), ...sql.words.slice(open, last)].includes('select')
  if (count > 4 || hasQuery) return false
  sql.replace(first, at, `pg_rows_${rowCalls[symbol]!}(`)
  return sql.replace(end, open, ', ')
}

/** Whether a name stands here, and no word of the clause behind. */
export const isAlias = (sql: EditedSql, at: number): boolean =>
  isName(sql.tokens[at]) &&
  !/^(where|on|join|cross|left|right|full|inner|natural|group|order|having|union|with|limit|offset|window|using|select|set|returning|tablesample)$/.test(
    sql.words[at]!,
  )

/** In a list of columns `generate_series(1, 3)` is a row for each, not one list. */
export function seriesOfRows(sql: EditedSql, at: number): boolean {
  if (sql.words[at] !== 'generate_series' || sql.words[at + 1] !== '(') return false
  const end = sql.closing(at + 1)
  const isValue = sql.selects.has(at) || /^([-+*/%]|\|\|)$/.test(sql.words[at - 1] ?? '')
  if (end === undefined || !isValue || sql.words[end + 1] === '[') return false
  stepped(sql, at, end)
  const bounds = sql.words.slice(at + 2, end).filter((word) => word !== ',' && word !== '-')
  const type = bounds.every((word) => /^\d{1,9}$/.test(word)) ? 'INTEGER[]' : ''
  sql.insertBefore(at, type ? 'unnest(CAST(' : 'unnest(')
  const name = sql.isItem(at, end) ? ' AS generate_series' : ''
  return sql.replace(end, end, `)${type && ` AS ${type})`})${name}`)
}

/** Functions whose rows are one value, without a name of its own. */
export const rowFunctions: ReadonlySet<string> = new Set(
  'generate_series unnest string_to_table regexp_split_to_table json_object_keys jsonb_object_keys'.split(' '),
)

/** `FROM jsonb_array_elements(doc) AS item`: item is the value, besides a row with the column `value`. */
export function elementsColumn(sql: EditedSql, at: number): boolean {
  if (!/^jsonb?_(array_elements(_text)?|path_query)$/.test(sql.words[at]!) || sql.words[at + 1] !== '(') return false
  const end = sql.closing(at + 1)
  const before = sql.words[sql.words[at - 1] === '.' ? at - 3 : at - 1] ?? ''
  if (end === undefined || !['from', 'join', ',', 'lateral'].includes(before)) return false
  const place = sql.words[end + 1] === 'as' ? end + 2 : end + 1
  if (!isAlias(sql, place) || sql.words[place + 1] === '(') return false
  const name = sql.words[place]!
  const isUsed = (word: string, index: number) => word === name && index !== place && sql.words[index - 1] !== '.'
  if (!sql.words.some((word, index) => isUsed(word, index) && sql.words[index + 1] !== '.')) return false
  sql.replace(place, place, `${sql.tokens[place]!.text}(${sql.tokens[place]!.text})`)
  sql.words.forEach((word, index) => {
    if (isUsed(word, index) && sql.words[index + 1] === '.' && sql.words[index + 2] === 'value')
      sql.replace(index + 2, index + 2, `${sql.tokens[place]!.text}${sql.isItem(index, index + 2) ? ' AS value' : ''}`)
  })
  return true
}

/** `FROM generate_series(…) s`: there s is the one column, here it is the row. */
export function seriesColumn(sql: EditedSql, at: number, isRenamed = true): void {
  const before = sql.words[sql.words[at - 1] === '.' ? at - 3 : at - 1] ?? ''
  const end = sql.closing(at + 1)
  if (end === undefined || sql.selects.has(at) || !['from', 'join', ',', 'lateral'].includes(before)) return
  if (isRenamed && ordinality(sql, at, end)) return
  const name = sql.words[end + 1] === 'as' ? end + 2 : end + 1
  const token = sql.tokens[name]
  const isName = isAlias(sql, name) && (token!.kind === 'word' || name === end + 2)
  if (sql.words[at] === 'generate_series' && sql.words[at - 1] !== '.') {
    stepped(sql, at, end)
    // Of whole numbers it gives whole numbers of 32 bits, which may be added to a day.
    if (sql.items(at + 1, end).every((item) => shortNumber.test(sql.textOf(item)))) {
      sql.insertBefore(at, '(SELECT CAST(generate_series AS INTEGER) AS generate_series FROM ')
      sql.insertAfter(end, isName ? ')' : ') AS generate_series')
    }
  }
  if (!isName || !isRenamed || sql.words[name + 1] === '(') return
  sql.replace(name, name, `${token!.text}(${token!.text})`)
  // It gives one list, and is no function of tables here.
  if (sql.words[at] === 'string_to_array') {
    sql.insertBefore(at, '(SELECT ')
    sql.insertBefore(end, ')')
  }
}

/** `jsonb_array_elements(doc) WITH ORDINALITY`: the rows of a function and their numbers, which the engine would leave out. */
export function numberedRows(sql: EditedSql, at: number): boolean {
  const end = sql.words[at + 1] === '(' && sql.tokens[at]!.kind === 'word' ? sql.closing(at + 1) : undefined
  const isCounted = end !== undefined && sql.words[end + 1] === 'with' && sql.words[end + 2] === 'ordinality'
  const first = sql.words[at - 1] === '.' ? at - 2 : at
  if (!isCounted || sql.words[at] === 'unnest' || !/^(from|join|,|lateral)$/.test(sql.words[first - 1] ?? ''))
    return false
  sql.wrapBefore(first, '(SELECT *, row_number() OVER () AS ordinality FROM ')
  const name = sql.words[end + 3] === 'as' ? end + 4 : end + 3
  const isBare = sql.words[at] === 'generate_series' && isAlias(sql, name) && sql.words[name + 1] !== '('
  if (isBare) sql.insertAfter(name, `(${sql.tokens[name]!.text}, ordinality)`)
  return sql.replace(end + 1, end + 2, ')')
}

/** `unnest(a, b) WITH ORDINALITY AS t(x, y, n)`: lists side by side, and their numbers. */
function ordinality(sql: EditedSql, at: number, end: number): boolean {
  const counts = sql.words[end + 1] === 'with' && sql.words[end + 2] === 'ordinality'
  const second = sql.comma(at + 2, end)
  if (sql.words[at] !== 'unnest' || (!counts && second === undefined)) return false
  const list = sql.text.slice(sql.tokens[at + 2]!.start, sql.tokens[(second ?? end) - 1]!.end)
  sql.insertBefore(at, '(SELECT ')
  for (let comma = second; comma !== undefined; comma = sql.comma(comma + 1, end))
    sql.replace(comma, comma, '), unnest(')
  return sql.replace(end, counts ? end + 2 : end, counts ? `), unnest(range(1, len(${list}) + 1)))` : '))')
}
