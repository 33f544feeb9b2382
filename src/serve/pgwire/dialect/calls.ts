// Functions that the engine has under another name, or with other arguments.

import { Failure } from '../../../base/failure.ts'
import { quoteText } from '../../../lake/index.ts'
import { around, type Around } from './around.ts'
import { dateText, enginePattern, spanText } from './date-patterns.ts'
import { formatPieces } from './format-patterns.ts'
import { isNumberPattern, numberPattern, numberText } from './number-patterns.ts'
import { momentOf } from './session.ts'
import { groupsOf, textOf, type EditedSql, type Range } from './sql.ts'

const renamed: Record<string, string> = {
  json_build_object: 'json_object',
  jsonb_build_object: 'json_object',
  json_build_array: 'json_array',
  jsonb_build_array: 'json_array',
  json_object_agg: 'json_group_object',
  jsonb_object_agg: 'json_group_object',
  jsonb_pretty: 'json_pretty',
  to_jsonb: 'to_json',
  uuid_generate_v4: 'gen_random_uuid',
  octet_length: 'pg_octet_length',
  cardinality: 'pg_cardinality',
  array_length: 'pg_array_length',
  to_hex: 'pg_to_hex',
  pg_size_pretty: 'pg_size_text',
  pg_typeof: 'pg_type_text',
  string_to_array: 'pg_string_items',
  json_each: 'pg_json_each',
}

/** Calls with a pattern behind a comma; undefined for patterns that are not known. */
const dated: Record<string, (pattern: string) => Around | undefined> = {
  to_date: (pattern) => parsed(pattern, 'DATE'),
  to_timestamp: (pattern) => parsed(pattern, 'TIMESTAMPTZ'),
  to_char: (pattern) => {
    if (!isNumberPattern(pattern)) return dateText(pattern)
    const known = numberPattern(pattern)
    return known && numberText(known)
  },
  // What `to_char` of a span of time becomes, when its type is known.
  pg_span_text: spanText,
  regexp_match: (pattern) => {
    const text = quoteText(pattern)
    const groups = Array.from({ length: groupsOf(pattern) }, (_, at) => `regexp_extract(bh_v, ${text}, ${at + 1}, 's')`)
    const found = groups.length > 0 ? groups.join(', ') : `regexp_extract(bh_v, ${text}, 0, 's')`
    return around(`CASE WHEN regexp_matches(bh_v, ${text}, 's') THEN [${found}] END`)
  },
  to_number: (pattern) => {
    const known = numberPattern(pattern)
    return known && { before: 'pg_to_number(', after: `)::DECIMAL(38,${known.decimals})` }
  },
}

function parsed(pattern: string, type: string): Around | undefined {
  const given = enginePattern(pattern)
  return given === undefined ? undefined : { before: 'CAST(strptime(', after: `, ${quoteText(given)}) AS ${type})` }
}

/** `encode(bytes, 'hex')` and back, by the format. */
const coded: Record<string, Record<string, string>> = {
  encode: { hex: 'lower(hex(', base64: '(base64(' },
  decode: { hex: '(from_hex(', base64: '(from_base64(' },
}

export function renamedCall(sql: EditedSql, at: number): void {
  const to = Object.hasOwn(renamed, sql.words[at]!) ? renamed[sql.words[at]!] : undefined
  const isElsewhere = sql.words[at - 1] === '.' && sql.words[at - 2] !== 'pg_catalog'
  if (!to || sql.words[at + 1] !== '(' || isElsewhere) return
  sql.replace(at, at, to)
  const end = sql.closing(at + 1)
  if (end !== undefined && sql.isItem(at, end)) sql.insertAfter(end, ` AS ${sql.words[at]}`)
}

/** Calls whose last arguments may be a list, and what takes it there. */
const variadic: Record<string, { call: string; after: string; count: number }> = {
  concat: { call: 'array_to_string', after: `, ''`, count: 1 },
  concat_ws: { call: 'pg_joined', after: '', count: 2 },
  json_build_array: { call: 'to_json', after: '', count: 1 },
  jsonb_build_array: { call: 'to_json', after: '', count: 1 },
  json_extract_path: { call: 'pg_json_at', after: '', count: 2 },
  jsonb_extract_path: { call: 'pg_json_at', after: '', count: 2 },
  json_extract_path_text: { call: 'pg_json_text_at', after: '', count: 2 },
  jsonb_extract_path_text: { call: 'pg_json_text_at', after: '', count: 2 },
}

/** `concat_ws(',', VARIADIC list)`: the engine would leave the word out, and take the list for one argument. */
export function variadicCall(sql: EditedSql, at: number): boolean {
  const end = sql.words[at + 1] === '(' ? sql.closing(at + 1) : undefined
  if (end === undefined || sql.tokens[at]!.kind !== 'word') return false
  const items = sql.items(at + 1, end)
  const given = items.findIndex(([from, to]) => sql.words[from] === 'variadic' && from < to)
  if (given < 0) return false
  const to = Object.hasOwn(variadic, sql.words[at]!) ? variadic[sql.words[at]!] : undefined
  if (!to || given + 1 !== to.count || items.length !== to.count)
    throw new Failure('SQL_UNSUPPORTED', `VARIADIC is not supported in this call of ${sql.words[at]!}`, {
      hint: 'Write the arguments one by one.',
    })
  sql.replace(at, at, to.call)
  sql.replace(items[given]![0], items[given]![0], '')
  sql.insertBefore(end, to.after)
  if (sql.isItem(at, end)) sql.insertAfter(end, ` AS ${sql.words[at]}`)
  return true
}

/** `jsonb_extract_path(doc, 'a', '0')`: the steps as one list. */
export function pathCall(sql: EditedSql, at: number): boolean {
  if (!/^jsonb?_extract_path(_text)?$/.test(sql.words[at]!) || sql.words[at + 1] !== '(') return false
  const end = sql.closing(at + 1)
  const comma = end === undefined ? undefined : sql.comma(at + 2, end)
  if (end === undefined || comma === undefined) return false
  sql.replace(at, at, variadic[sql.words[at]!]!.call)
  sql.replace(comma, comma, ', [')
  return sql.replace(end, end, `])${sql.isItem(at, end) ? ` AS ${sql.words[at]}` : ''}`)
}

/** `json_object('{a,b}', '{1,2}')`: of lists; the engine's takes keys and values one by one. */
export function objectOfLists(sql: EditedSql, at: number): boolean {
  if (!/^jsonb?_object$/.test(sql.words[at]!) || sql.words[at + 1] !== '(') return false
  const end = sql.closing(at + 1)
  const items = end === undefined ? [] : sql.items(at + 1, end)
  const isList = ([from, to]: Range) =>
    (from === to && sql.tokens[from]!.kind === 'string' && /^\{(?!\s*\{)/.test(textOf(sql.tokens[from]!))) ||
    sql.words[from] === 'array'
  if (end === undefined || items.length === 0 || items.length > 2 || !items.every(isList)) return false
  for (const [from, to] of items)
    if (from === to) {
      sql.insertBefore(from, 'pg_text_items(')
      sql.insertAfter(from, ')')
    }
  sql.replace(at, at, 'pg_json_object')
  if (sql.isItem(at, end)) sql.insertAfter(end, ` AS ${sql.words[at]}`)
  return true
}

/** `encode(sha256(x), 'hex')`, `sha256(x::bytea)`: there it gives bytes, the engine's gives their digits as a text. */
export function digestCall(sql: EditedSql, at: number): void {
  const end = sql.words[at] === 'sha256' && sql.words[at + 1] === '(' ? sql.closing(at + 1) : undefined
  if (end === undefined) return
  const isEncoded = sql.words[at - 2] === 'encode' && sql.words[at - 1] === '('
  const ofBytes = (sql.words[end - 2] === '::' && sql.words[end - 1] === 'bytea') || sql.words[at + 2] === 'convert_to'
  if (!isEncoded && !ofBytes) return
  sql.insertBefore(at, 'from_hex(')
  sql.insertAfter(end, `)${sql.isItem(at, end) ? ' AS sha256' : ''}`)
}

/** `date_trunc('century', t)`, which begins with the year 1 of a hundred, and `date_trunc('day', t, 'Asia/Tokyo')`. */
export function truncated(sql: EditedSql, at: number): boolean {
  const end = sql.words[at] === 'date_trunc' && sql.words[at + 1] === '(' ? sql.closing(at + 1) : undefined
  const items = end === undefined ? [] : sql.items(at + 1, end)
  if (end === undefined || sql.words[at - 1] === '.') return false
  const alias = sql.isItem(at, end) ? ' AS date_trunc' : ''
  if (items.length === 3) {
    sql.replace(at, at, 'pg_zone_trunc')
    if (alias) sql.insertAfter(end, alias)
    return true
  }
  const unit = sql.tokens[at + 2]!
  if (items.length !== 2 || unit.kind !== 'string' || !/^(century|millennium)$/i.test(textOf(unit))) return false
  sql.insertBefore(at, '(')
  sql.insertBefore(items[1]![0], '(')
  sql.insertAfter(items[1]![1], ') - INTERVAL 1 YEAR')
  sql.insertAfter(end, ` + INTERVAL 1 YEAR)${alias}`)
  return true
}

/** `count(t.*)` counts the rows that t has: beside a row that an outer join found nothing for, all of it is null. */
export function countOfRows(sql: EditedSql, at: number): boolean {
  const isCall = sql.words[at] === 'count' && sql.words[at + 1] === '(' && sql.words[at - 1] !== '.'
  const end = isCall ? sql.closing(at + 1) : undefined
  if (end === undefined || sql.words[end - 1] !== '*' || sql.words[end - 2] !== '.') return false
  if (!sql.isPath(at + 2, end - 3) || !sql.words.some((word) => /^(left|right|full)$/.test(word))) return false
  const row = sql.textOf([at + 2, end - 3])
  sql.replace(
    at + 2,
    end - 1,
    `CASE WHEN len(list_filter(json_extract(to_json(${row}), '$.*'), lambda bh_v: bh_v <> 'null'::JSON)) > 0 THEN 1 END`,
  )
  if (sql.isItem(at, end)) sql.insertAfter(end, ' AS count')
  return true
}

/** `encode(bytes, 'hex')`, `decode(text, 'base64')`: with a format that is written there. */
export function codedCall(sql: EditedSql, at: number): boolean {
  const call = Object.hasOwn(coded, sql.words[at]!) ? coded[sql.words[at]!] : undefined
  if (!call || sql.words[at + 1] !== '(' || sql.words[at - 1] === '.') return false
  const end = sql.closing(at + 1)
  const comma = end === undefined ? undefined : sql.comma(at + 2, end)
  if (comma === undefined || end !== comma + 2 || sql.tokens[comma + 1]!.kind !== 'string') return false
  const opening = call[textOf(sql.tokens[comma + 1]!).toLowerCase()]
  if (opening === undefined) return false
  sql.replace(at, at + 1, opening)
  // What is to be encoded are bytes, also where nobody says so.
  if (sql.words[at] === 'encode' && comma === at + 3 && sql.tokens[at + 2]!.kind === 'string') {
    sql.insertBefore(at + 2, 'pg_bytes(')
    sql.insertBefore(comma, ')')
  }
  return sql.replace(comma, end, `))${sql.isItem(at, end) ? ` AS ${sql.words[at]}` : ''}`)
}

/** `to_date(text, 'YYYY-MM-DD')`, `to_timestamp`, `to_char`, `to_number`: with a pattern that is written there. */
export function datedCall(sql: EditedSql, at: number): boolean {
  const call = Object.hasOwn(dated, sql.words[at]!) ? dated[sql.words[at]!] : undefined
  if (!call || sql.tokens[at]!.kind !== 'word' || sql.words[at + 1] !== '(') return false
  const end = sql.closing(at + 1)
  const comma = end === undefined ? undefined : sql.comma(at + 2, end)
  const pattern = comma === undefined ? undefined : sql.tokens[comma + 1]
  if (comma === undefined || end !== comma + 2 || pattern?.kind !== 'string' || !pattern.text.startsWith("'"))
    return false
  const made = call(textOf(pattern))
  if (!made) return false
  const isQualified = sql.words[at - 1] === '.' && sql.words[at - 2] === 'pg_catalog'
  if (sql.words[at - 1] === '.' && !isQualified) return false
  const first = isQualified ? at - 2 : at
  const alias = sql.isItem(first, end) ? ` AS ${sql.words[at] === 'pg_span_text' ? 'to_char' : sql.words[at]}` : ''
  sql.replace(first, at + 1, made.before)
  return sql.replace(comma, end, `${made.after}${alias}`)
}

/** `format('%s: %I', a, b)`, whose pattern the engine would give back as it is: it knows `{}`. */
export function formatCall(sql: EditedSql, at: number): boolean {
  const pattern = sql.tokens[at + 2]
  if (sql.words[at] !== 'format' || sql.words[at + 1] !== '(' || pattern?.kind !== 'string') return false
  const end = sql.closing(at + 1)
  if (end === undefined || sql.words[at - 1] === '.' || !pattern.text.startsWith("'")) return false
  const text = textOf(pattern)
  const pieces = formatPieces(text)
  // `{}` is the engine's own.
  if (!pieces && text.includes('%') && !text.includes('{'))
    throw new Failure('SQL_UNSUPPORTED', `this pattern of format() is not supported: ${text.slice(0, 100)}`, {
      hint: 'Known are %s, %I, %L, %%, and which argument is meant: %1$s.',
    })
  if (!pieces) return false
  const starts = [at + 3]
  for (let comma = sql.comma(at + 4, end); comma !== undefined; comma = sql.comma(comma + 1, end)) starts.push(comma)
  if (sql.words[at + 3] !== ',') starts.pop()
  if (pieces.arguments > starts.length || (starts.length === 0 && end !== at + 3)) return false
  sql.replace(at, at + 2, `${pieces.before}${starts.length === 0 ? 'NULL' : ''}`)
  starts.forEach((comma, index) => {
    sql.replace(comma, comma, index === 0 ? '(' : ')::VARCHAR, (')
  })
  const last = starts.length === 0 ? '' : ')::VARCHAR'
  return sql.replace(end, end, `${last}${pieces.after}${sql.isItem(at, end) ? ' AS format' : ''}`)
}

/** Fields of a time with a fraction, which the engine cuts off: how many of them a microsecond has. */
const fractions: Record<string, number> = { second: 1e6, seconds: 1e6, millisecond: 1e3, milliseconds: 1e3 }

/** `extract(second FROM t)`, `date_part('milliseconds', t)`; and what EXTRACT is called. */
export function timeField(sql: EditedSql, at: number): boolean {
  const word = sql.words[at]
  if ((word !== 'extract' && word !== 'date_part') || sql.words[at + 1] !== '(' || sql.words[at - 1] === '.')
    return false
  const end = sql.closing(at + 1)
  const isSeparated = sql.words[at + 3] === (word === 'extract' ? 'from' : ',')
  const field = sql.tokens[at + 2]
  if (end === undefined || !isSeparated || !field) return false
  const per = fractions[(field.kind === 'string' ? textOf(field) : field.text).toLowerCase()]
  const alias = sql.isItem(at, end) ? ` AS ${word}` : ''
  if (per !== undefined) {
    sql.replace(at, at + 3, `(date_part('microseconds',`)
    sql.replace(end, end, `) / ${per})${alias}`)
  } else if (alias) sql.insertAfter(end, alias)
  return per !== undefined
}

/** Functions that the engine has with other arguments. */
export function otherArguments(sql: EditedSql, at: number): boolean {
  const word = sql.words[at]!
  if (!/^([lr]pad|array_to_string|substring|current_timestamp)$/.test(word) || sql.words[at - 1] === '.') return false
  const end = sql.words[at + 1] === '(' ? sql.closing(at + 1) : undefined
  if (end === undefined || sql.tokens[at]!.kind !== 'word') return false
  const alias = sql.isItem(at, end) ? ` AS ${word}` : ''
  if (word === 'current_timestamp')
    return (
      end === at + 3 &&
      sql.replace(at, end, `pg_rounded(${momentOf(sql, 'now') ?? 'now()'}, ${sql.tokens[at + 2]!.text})${alias}`)
    )
  if (word === 'substring') return substringPart(sql, at, end, alias)
  const first = sql.comma(at + 2, end)
  const second = first === undefined ? undefined : sql.comma(first + 1, end)
  if (first === undefined || (second !== undefined && word !== 'array_to_string')) return false
  if (word === 'array_to_string') {
    sql.replace(at, at, 'pg_array_text')
    if (alias) sql.insertAfter(end, alias)
  } else sql.insertBefore(end, `, ' '`)
  return true
}

/** `num_nulls(a, b)`: how many of these, which may be of any types, are null. */
export function countOfNulls(sql: EditedSql, at: number): boolean {
  const word = sql.words[at]!
  const end = sql.words[at + 1] === '(' ? sql.closing(at + 1) : undefined
  if (!/^num_(non)?nulls$/.test(word) || end === undefined || end === at + 2 || sql.words[at + 2] === 'variadic')
    return false
  const test = `) IS ${word === 'num_nulls' ? '' : 'NOT '}NULL AS INTEGER)`
  const alias = sql.isItem(at, end) ? ` AS ${word}` : ''
  sql.replace(at, at + 1, '(CAST((')
  for (let comma = sql.comma(at + 2, end); comma !== undefined; comma = sql.comma(comma + 1, end))
    sql.replace(comma, comma, `${test} + CAST((`)
  return sql.replace(end, end, `${test})${alias}`)
}

/** `substring(x from 'a(.)c')`, `substring(x, 'a(.)c')`: what the group, else the pattern matches. */
function substringPart(sql: EditedSql, at: number, end: number, alias: string): boolean {
  const pattern = sql.tokens[end - 1]
  const isSecond = sql.words[end - 2] === ',' && sql.items(at + 1, end).length === 2
  if ((!isSecond && sql.words[end - 2] !== 'from') || pattern?.kind !== 'string' || !pattern.text.startsWith("'"))
    return false
  const { text } = pattern
  const found = `regexp_extract(bh_v, ${text}, ${Math.min(groupsOf(text), 1)}, 's')`
  const { before, after } = around(`CASE WHEN regexp_matches(bh_v, ${text}, 's') THEN ${found} END`)
  sql.replace(at, at + 1, before)
  return sql.replace(end - 2, end, `${after}${alias}`)
}

/** `a # b`: whole numbers, bit by bit. */
export function bitwiseXor(sql: EditedSql, at: number): boolean {
  if (sql.words[at] !== '#' || !sql.isOperand(at - 1) || /^[>\-#]/.test(sql.text.slice(sql.tokens[at]!.end)))
    return false
  sql.wrapBefore(sql.operandWithCasts(at - 1), 'xor(')
  sql.insertAfter(sql.operandEnd(at + 1), ')')
  return sql.replace(at, at, ', ')
}
