// LIKE, SIMILAR TO and `~`, whose patterns mean something else to the engine; and COLLATE.

import { Failure } from '../../../base/failure.ts'
import { quoteText } from '../../../lake/index.ts'
import { around } from './around.ts'
import { isAlias } from './lists.ts'
import { groupsOf, textOf, type EditedSql, type Range } from './sql.ts'

/** `LIKE 'pg\\_%'`, `LIKE prefix || '%'`: a backslash escapes in PostgreSQL unless another character is named. */
export function escapedLike(sql: EditedSql, at: number): void {
  if (!isOfText(sql, at)) return
  const last = patternEnd(sql, at + 1)
  const pattern = sql.tokens.slice(at + 1, last + 1)
  if (pattern.length === 0 || /^(escape|any|some|all)$/.test(sql.words[last + 1] ?? '')) return
  if (/^(any|some|all)$/.test(sql.words[at + 1]!)) return
  const isWritten = pattern.every(
    ({ kind, text }, index) => kind === 'string' || text === '||' || isOfCast(sql, at + 1 + index),
  )
  const isPlain = isWritten && !pattern.some(({ kind, text }) => kind === 'string' && text.includes('\\'))
  if (!isPlain) sql.insertAfter(last, " ESCAPE '\\'")
}

/** Not that of `CREATE TABLE t (LIKE u)`, `CREATE TABLE t LIKE u` and `SHOW TABLES LIKE 'a%'`. */
function isOfText(sql: EditedSql, at: number): boolean {
  const before = sql.words[at - 1] === 'not' ? at - 2 : at - 1
  const isBare = sql.words[0] === 'create' && !sql.words.slice(0, at).some((word) => word === '(' || word === 'as')
  return sql.isOperand(before) && !isBare && sql.words[0] !== 'show'
}

/** `'x'::varchar(5)` is as good as written. */
const isOfCast = (sql: EditedSql, at: number): boolean =>
  ['::', '(', ')'].includes(sql.words[at]!) || sql.words[at - 1] === '::' || sql.tokens[at]!.kind === 'number'

const behindPattern =
  /^(and|or|escape|then|else|end|when|is|group|order|limit|offset|having|union|intersect|except|window|qualify|fetch|for|returning|as|asc|desc|nulls|from|where|on|join|left|right|full|inner|cross)$/

/** The last token of what stands behind LIKE. */
function patternEnd(sql: EditedSql, from: number): number {
  let at = from
  for (; at < sql.tokens.length; at++) {
    const word = sql.words[at]!
    if (at > from && isAnother(sql, at)) break
    if (word === '(') at = sql.closing(at) ?? at
    else if (word === 'case') at = caseEnd(sql, at)
    else if (word === ')' || word === ',' || word === ';' || word === ']' || /^(=|<|>|<>|!=)$/.test(word)) break
    else if (
      sql.tokens[at]!.kind === 'word' &&
      sql.words[at - 1] !== '.' &&
      behindPattern.test(word) &&
      !(/^(left|right)$/.test(word) && sql.words[at + 1] === '(')
    )
      break
  }
  return at - 1
}

/** Where the CASE ends that begins here. */
function caseEnd(sql: EditedSql, from: number): number {
  let depth = 0
  const end = sql.words.findIndex((word, at) => {
    if (at >= from && word === 'case') depth++
    return at > from && word === 'end' && --depth === 0
  })
  return end < 0 ? from : end
}

/** `LIKE 'a%' matched`: a value behind a value is what the comparison is called. */
const isAnother = (sql: EditedSql, at: number): boolean =>
  sql.tokens[at]!.kind !== 'symbol' &&
  (sql.tokens[at - 1]!.kind !== 'symbol' || /^[)\]]$/.test(sql.words[at - 1]!)) &&
  !/^(varying|precision)$/.test(sql.words[at]!)

/** `~` finds a part in PostgreSQL and asks for the whole in DuckDB. */
export function matching(sql: EditedSql, from: number, to: number, symbol: string): void {
  const pattern = sql.tokens[to + 1]
  const flags = symbol.endsWith('*') ? 'is' : 's'
  sql.replace(from, to, symbol.startsWith('!') ? ' !~ ' : ' ~ ')
  if (pattern?.kind === 'string' && pattern.text.startsWith("'"))
    sql.replace(to + 1, to + 1, `'(?${flags}:.*(?:${pattern.text.slice(1, -1)}).*)'`)
  else if (pattern) {
    // `E'^pg_'`, `$1`, a column
    sql.insertBefore(to + 1, `('(?${flags}:.*(?:' || `)
    sql.insertAfter(sql.operandEnd(to + 1), ` || ').*)')`)
  }
}

/** The same of tables: `name ~ 'oar'`, `name !~* $1`. */
export function matched(sql: EditedSql, at: number): boolean {
  const word = sql.words[at]
  if (word === 'similar') return similar(sql, at)
  if ((word !== '~' && word !== '!') || !sql.isOperand(at - 1)) return false
  const symbol = /^(!~\*|!~|~\*|~)(?![~*])/.exec(sql.text.slice(sql.tokens[at]!.start))?.[0]
  if (!symbol) return false
  const to = at + symbol.length - 1
  if (!sql.tokens[to + 1]) return false
  matching(sql, at, to, symbol)
  return true
}

/** `SIMILAR TO '(a|b)%'`: `%` and `_` are as in LIKE, where the engine has a regular expression. */
function similar(sql: EditedSql, at: number): boolean {
  if (sql.words[at + 1] !== 'to' || !sql.tokens[at + 2]) return false
  const end = sql.operandEnd(at + 2)
  const place = sql.tokens.findIndex(({ kind }, index) => kind === 'string' && index >= at + 2 && index <= end)
  const others = sql.words.slice(at + 2, end + 1).filter((_, index) => at + 2 + index !== place)
  const isJoined = sql.words[end + 1]?.startsWith('|') === true
  if (isJoined || others.some((word) => !/^([()$]|\d+|::|cast|as|text|varchar|null|select)$/.test(word)))
    throw new Failure('SQL_UNSUPPORTED', 'SIMILAR TO takes a pattern that is written there', {
      hint: 'Compare with ~ and a regular expression.',
    })
  const pattern = sql.tokens[place]
  // Before its value is bound it is none.
  if (!pattern || sql.words[end + 1] === 'escape') return false
  const text = textOf(pattern).replace(
    /\\[^]|\[[^\]]*\]|[%_.^$]/g,
    (one) => ({ '%': '.*', _: '.' })[one] ?? (one.length > 1 ? one : `\\${one}`),
  )
  return sql.replace(place, place, quoteText(`(?s:${text})`))
}

/** Text is compared by code point, as COLLATE "C" asks for; other collations are not known. */
export function collated(sql: EditedSql, at: number): boolean {
  if (sql.words[at] !== 'collate' || sql.tokens[at]!.kind !== 'word' || /^(as|\.)$/.test(sql.words[at - 1] ?? ''))
    return false
  const last = sql.words[at + 2] === '.' ? at + 3 : at + 1
  return sql.tokens[last] !== undefined && sql.replace(at, last, '')
}

/**
 * `SELECT regexp_matches(x, '(a)(b)', 'g')`: a row for each match, of what its groups, else the pattern found. In a condition, and of a
 * pattern without groups and flags, it stays what it is to the engine: whether there is one.
 */
export function matchRows(sql: EditedSql, at: number): boolean {
  const isOne = sql.words[at] === 'regexp_match'
  const end =
    (isOne || sql.words[at] === 'regexp_matches') && sql.words[at + 1] === '(' ? sql.closing(at + 1) : undefined
  const [text, pattern, flags, ...rest] = end === undefined ? [] : sql.items(at + 1, end)
  if (end === undefined || !text || !pattern || rest.length > 0 || sql.words[at - 1] === '.' || (isOne && !flags))
    return false
  const [before, behind] = [sql.words[at - 1] ?? '', sql.words[end + 1]]
  const isTaken = before === '(' && behind === ')' && sql.words[end + 2] === '['
  const isListed = before === '(' && /^(array_to_string|unnest)$/.test(sql.words[at - 2] ?? '')
  const isRows =
    /^(from|join|lateral)$/.test(before) || (before === ',' && !sql.selects.has(at) && isAlias(sql, end + 1))
  const isItem =
    sql.selects.has(at) &&
    /^(select|,|distinct|all)$/.test(before) &&
    !/^(and|or|is|::|[<>=+]|<>|\|\|)$/.test(behind ?? '')
  const written = literalOf(sql, pattern)
  const asksMore = flags !== undefined || (written !== undefined && groupsOf(written) > 0)
  if (!isOne && !isTaken && !isListed && !isRows && !(isItem && asksMore)) return false
  const said = flags ? literalOf(sql, flags) : ''
  if (written === undefined || said === undefined || !/^[gins]*$/.test(said))
    throw new Failure(
      'SQL_UNSUPPORTED',
      `${sql.words[at]!} takes a pattern that is written there, and the flags g, i, n and s`,
    )
  const options = `${said.includes('i') ? 'i' : ''}${said.includes('n') ? 'm' : 's'}`
  const group = (number: number) => `regexp_extract_all(bh_v, ${quoteText(written)}, ${number}, '${options}')`
  const groups = Array.from({ length: Math.max(groupsOf(written), 1) }, (_, index) =>
    groupsOf(written) === 0 ? group(0) : group(index + 1),
  )
  const all = `list_transform(range(1, len(${group(0)}) + 1)${said.includes('g') ? '' : '[:1]'}, lambda bh_i: [${groups.map((one) => `${one}[bh_i]`).join(', ')}])`
  const { before: opening, after } = around(isOne ? `(${all})[1]` : all)
  if (isOne) {
    sql.replace(at, at + 1, opening)
    return sql.replace(pattern[0] - 1, end, `${after}${sql.isItem(at, end) ? ' AS regexp_match' : ''}`)
  }
  const alias = behind === 'as' ? end + 2 : end + 1
  const name = isRows && isAlias(sql, alias) ? sql.tokens[alias]!.text : 'regexp_matches'
  sql.replace(at, at + 1, `${isRows ? '(SELECT ' : ''}unnest(${opening}`)
  return sql.replace(
    pattern[0] - 1,
    end,
    `${after})${isRows ? ` AS ${name})` : sql.isItem(at, end) ? ' AS regexp_matches' : ''}`,
  )
}

const literalOf = (sql: EditedSql, [from, to]: Range): string | undefined =>
  from === to && sql.tokens[from]!.kind === 'string' ? textOf(sql.tokens[from]!) : undefined
