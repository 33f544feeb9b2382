// JSON as PostgreSQL has it: operators that the engine has for lists and texts alone.

import { isName, outside, quoteText } from '../../../lake/index.ts'
import { textOf, type EditedSql, type Joined } from './sql.ts'

/** `{"a": 1}`, but not `{}` nor `{"a"}`, which are lists: as far as its begin is asked for. */
function isJsonText(text: string, begin: RegExp): boolean {
  if (!begin.test(text)) return false
  return isJsonValue(text) && typeof JSON.parse(text) === 'object'
}

function isJsonValue(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const isJsonType = (type: string) => type === 'json' || type === 'jsonb'

/** Functions, by PostgreSQL's names and ours. */
const givesJson =
  /^(jsonb?_(build_)?(object|array)|to_jsonb?|row_to_json|jsonb?_(object_)?agg|jsonb_concat|json_merge_patch)$/

/** `doc @> '{"a": 1}'`, `doc @> $1::jsonb`, and `<@` the other way round: the engine has the operators for lists. */
export function jsonHolds(sql: EditedSql, at: number): boolean {
  const symbol = sql.text.slice(sql.tokens[at]!.start, sql.tokens[at]!.start + 2)
  if (symbol !== '@>' && symbol !== '<@') return false
  const from = at + 2
  let last = sql.words[from] === '(' ? (sql.closing(from) ?? from) : from
  const value = valueOf(sql, from)
  if (sql.words[from] === 'cast') last = sql.closing(from + 1) ?? last
  const isBehind = sql.words[last + 1] === '::' && /^jsonb?$/.test(sql.castEnd(last + 1).type)
  const isCast = isBehind || (sql.words[from] === 'cast' && saysJson(sql, from, last))
  const left = jsonBefore(sql, at - 1)
  const isText = value !== undefined && (left.isJson ? isJsonValue(value) : isJsonText(value, /^\s*(\{\s*"|\[)/))
  const isCall = givesJson.test(sql.words[from]!) && sql.words[from + 1] === '('
  const isBeside = isCall || (left.isJson && value === undefined)
  if (!isCast && isBeside) last = sql.operandEnd(from)
  if (!isCast && !isText && !isBeside) return false
  if (value !== undefined) sql.taken.add(last)
  if (isBehind) last = sql.castEnd(last + 1).last
  const held = symbol === '@>' && value !== undefined ? heldSql(value) : undefined
  if (held) {
    sql.wrapBefore(left.first, 'list_transform([')
    return sql.replace(at, last, `], lambda bh_j: CASE WHEN bh_j IS NOT NULL THEN coalesce(${held}, false) END)[1]`)
  }
  sql.wrapBefore(left.first, symbol === '@>' ? 'jsonb_contains(' : 'jsonb_contained(')
  if (value === undefined) {
    sql.replace(at, at + 1, ', ')
    sql.insertAfter(last, ')')
  } else sql.replace(at, last, `, ${quoteText(value)}::JSON)`)
  return true
}

/** A literal, or a value that was bound. */
function valueOf(sql: EditedSql, at: number): string | undefined {
  const place = sql.words[at] === 'cast' && sql.words[at + 1] === '(' && sql.words[at + 3] === 'as' ? at + 2 : at
  const token = sql.tokens[place]
  return token?.kind === 'string' ? textOf(token) : undefined
}

/** Whether `bh_j` holds what is written, in the engine's words; undefined for what JavaScript would not read exactly. */
function heldSql(text: string): string | undefined {
  if (!isJsonValue(text) || /\d{16}|\\u0000/.test(text)) return undefined
  const value = JSON.parse(text) as unknown
  const plain = holds('bh_j', [], value, 0)
  if (typeof value === 'object' && value !== null) return plain
  return `CASE json_type(bh_j) WHEN 'ARRAY' THEN ${someHolds(`json_extract(bh_j, '$[*]')`, value, 1)} ELSE ${plain} END`
}

/** `path`: from `json` down to what holds `value`. */
function holds(json: string, path: readonly string[], value: unknown, depth: number): string {
  const pointer = path.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
  const place = pointer === '' ? '' : `, ${quoteText(pointer)}`
  const type = `json_type(${json}${place})`
  const shown = `json_extract_string(${json}, ${pointer === '' ? `'$'` : quoteText(pointer)})`
  if (value === null) return `${type} = 'NULL'`
  if (typeof value === 'string') return `(${type} = 'VARCHAR' AND ${shown} = ${quoteText(value)})`
  if (typeof value === 'boolean') return `(${type} = 'BOOLEAN' AND ${shown} = '${value}')`
  if (typeof value === 'number')
    return `(${type} IN ('UBIGINT', 'BIGINT', 'DOUBLE') AND TRY_CAST(${shown} AS DOUBLE) = ${value}::DOUBLE)`
  const each = Array.isArray(value)
    ? value.map((item) =>
        someHolds(`json_extract(${pointer === '' ? json : `json_extract(${json}${place})`}, '$[*]')`, item, depth + 1),
      )
    : Object.entries(value as object).map(([key, part]) => holds(json, [...path, key], part, depth))
  return `(${[`${type} = '${Array.isArray(value) ? 'ARRAY' : 'OBJECT'}'`, ...each].join(' AND ')})`
}

const someHolds = (list: string, value: unknown, depth: number): string =>
  `coalesce(list_bool_or(list_transform(${list}, lambda bh_j${depth}: coalesce(${holds(`bh_j${depth}`, [], value, depth)}, false))), false)`

/** `doc #> '{a,b}' = '[1, 2]'::jsonb`: the same values, however they are written; the engine compares the texts. */
export function jsonCompared(sql: EditedSql, at: number): boolean {
  const { type, last } = sql.castEnd(at)
  if (type !== 'jsonb' || sql.tokens[at - 1]?.kind !== 'string') return false
  const symbol = sql.words[at - 2] ?? ''
  if (symbol === '(' || symbol === ',') return jsonListed(sql, at, last)
  if (!/^(=|<>|!=|[<>]=?)$/.test(symbol) || !sql.isOperand(at - 3)) return false
  const left = sql.operandWithCasts(at - 3)
  if (/^[<>]/.test(symbol) && symbol !== '<>') {
    const { first } = jsonBefore(sql, at - 3)
    sql.wrapBefore(first, 'pg_json_rank(')
    sql.insertAfter(at - 3, ')')
    sql.insertBefore(at - 1, 'pg_json_rank(json(')
    return sql.replace(at, last, '))')
  }
  // What is taken out of JSON has no blanks.
  if (!/^(->|>)$/.test(sql.words[left - 1] ?? '')) {
    // `SET doc = '{}'::jsonb` compares nothing.
    if (!/^(where|and|or|not|on|when|having|\(|,|select)$/.test(sql.words[left - 1] ?? '') || isSet(sql, left))
      return false
    sql.insertBefore(left, 'json(')
    sql.insertAfter(at - 3, ')')
  }
  sql.insertBefore(at - 1, 'json(')
  return sql.replace(at, last, ')')
}

/** `doc -> 'a' IN ('[1, 2]'::jsonb, …)`: likewise. */
function jsonListed(sql: EditedSql, at: number, last: number): boolean {
  let open = at - 2
  for (; open > 0 && sql.words[open] !== '('; open--) if (sql.words[open] === ')') open = sql.opening(open) ?? 0
  const before = sql.words[open - 2] === 'not' ? open - 3 : open - 2
  if (sql.words[open - 1] !== 'in' || !sql.isOperand(before)) return false
  if (open === at - 2) {
    sql.wrapBefore(jsonBefore(sql, before).first, 'json(')
    sql.insertAfter(before, ')')
  }
  sql.insertBefore(at - 1, 'json(')
  return sql.replace(at, last, ')')
}

/** Whether this is assigned to: behind SET, or behind a comma there. */
function isSet(sql: EditedSql, at: number): boolean {
  if (sql.words[at - 1] !== ',') return false
  const places = ['set', 'where', 'select', 'from', 'values', 'returning'].map((word) =>
    sql.words.lastIndexOf(word, at),
  )
  return places[0]! > Math.max(...places.slice(1))
}

/**
 * `doc || '{"a": 1}'::jsonb`: keys that come or are replaced, items behind items. The engine's operator joins texts, so one
 * of both sides has to say that it is JSON.
 */
export function jsonJoined(sql: EditedSql, at: number): boolean {
  if (sql.words[at] !== '||') return false
  const before = sql.joins.get(at - 1)
  const left = before ?? jsonBefore(sql, at - 1)
  const last = sql.operandEnd(at + 1)
  const right = { first: at + 1, last, isJson: saysJson(sql, at + 1, last) }
  // Beside what is text it stays one, whatever it looks like (`jsonb_concat` has forms for that).
  const looks = [left, right].map(
    (side) => side.first === side.last && isJsonText(textOf(sql.tokens[side.last]!), /^\s*[{[]/),
  )
  const isSaid = left.isJson || (right.isJson && !before)
  const isJson = isSaid || (looks.includes(true) && !before)
  const joined: Joined = { first: left.first, last, isJson, close: undefined }
  sql.joins.set(last, joined)
  if (!isJson) return false
  for (const [index, side] of [left, right].entries()) {
    const alone = sql.tokens[side.last]
    const isOpen = side.first === side.last && (alone?.kind === 'string' || alone?.text.toLowerCase() === 'null')
    if (isOpen && (isSaid || looks[index])) sql.insertAfter(side.last, '::JSON')
  }
  const isKnown = right.isJson || (right.first === right.last && sql.tokens[last]?.kind === 'string')
  // One list of all: calls inside of calls would be looked at by powers.
  const isLonger = before?.close !== undefined && isKnown
  if (isLonger) sql.edits.splice(sql.edits.indexOf(before.close!), 1)
  else sql.wrapBefore(left.first, isKnown && left.isJson ? 'jsonb_joined([' : 'jsonb_concat(')
  sql.insertAfter(last, isLonger || (isKnown && left.isJson) ? '])' : ')')
  if (isLonger || (isKnown && left.isJson)) joined.close = sql.edits.at(-1)
  return sql.replace(at, at, ', ')
}

/** A key without a cast, which is no number, no time, and no day. */
const keyText = /^(?!(?:infinity|now|today|tomorrow|yesterday|epoch)$)[a-z_][\w $.-]*$/i

/** `doc - 'key'`, `doc::jsonb - 1`, `doc - '{a,b}'::text[]`, `doc #- '{a,0}'`: without a key, an item, or the end of a path. */
export function jsonMinus(sql: EditedSql, at: number): boolean {
  const isPath = sql.words[at] === '#' && sql.words[at + 1] === '-'
  if (!isPath && (sql.words[at] !== '-' || !sql.isOperand(at - 1) || sql.words[at - 1] === '#')) return false
  const left = jsonBefore(sql, at - 1)
  const from = isPath ? at + 2 : at + 1
  if (!sql.tokens[from]) return false
  const isNegative = sql.words[from] === '-' && sql.tokens[from + 1]?.kind === 'number'
  const first = sql.operandEnd(isNegative ? from + 1 : from)
  const isKey = (isText(sql, from) && keyText.test(textOf(sql.tokens[from]!))) || isCastText(sql, from, first)
  if (!isPath && !left.isJson && !isKey) return false
  // Calls inside of each other are bounded: keys in a row are taken out at once.
  let last = first
  while (!isPath && isText(sql, from) && sql.words[last + 1] === '-' && isText(sql, last + 2)) {
    sql.replace(last + 1, last + 1, ',')
    sql.taken.add(last + 1)
    last += 2
  }
  const [open, close] = isPath ? [', pg_json_path(', '))'] : last > first ? [', [', '])'] : [', ', ')']
  sql.wrapBefore(left.first, isPath ? 'jsonb_delete_path(' : 'jsonb_delete(')
  const isOpen = left.first === left.last && sql.tokens[left.first]!.kind === 'string'
  if (isOpen) sql.insertAfter(left.last, '::JSON')
  sql.replace(at, from - 1, open)
  sql.insertAfter(last, close)
  const made = { first: left.first, last, isJson: true, close: undefined }
  sql.minuses.set(last, made)
  sql.joins.set(last, made)
  return true
}

/** A literal with nothing behind it that would bind tighter. */
const isText = (sql: EditedSql, at: number): boolean => sql.tokens[at]?.kind === 'string' && sql.operandEnd(at) === at

/** `CAST('key' AS VARCHAR)`, as a text becomes that is bound: it is taken away from JSON alone. */
const isCastText = ({ words }: EditedSql, from: number, last: number): boolean =>
  words[from] === 'cast' &&
  /^\[?$/.test(words[from + 2]!) &&
  /asvarchar(\[\])?\)$/.test(words.slice(from, last + 1).join(''))

/** The operand that ends here, with the members that are taken out of it. */
export function jsonBefore(sql: EditedSql, last: number): { first: number; last: number; isJson: boolean } {
  const rest = sql.minuses.get(last)
  if (rest) return rest
  let first = sql.operandWithCasts(last)
  const isMember = sql.words[first - 1] === '->'
  const isText = sql.words[first - 1] === '>' && sql.words[first - 2] === '->'
  const isJson = isMember || (!isText && saysJson(sql, first, last))
  for (;;) {
    const arrow = sql.words[first - 1] === '->' ? first - 1 : sql.words[first - 2] === '->' ? first - 2 : undefined
    if (arrow === undefined) return { first, last, isJson }
    first = sql.minuses.get(arrow - 1)?.first ?? sql.operandWithCasts(arrow - 1)
  }
}

/** `a = 1 AND doc ->> 'k' = 'v'`: what is taken out binds tighter than what is around it; to the engine the arrow binds loosest. */
export function jsonTaken(sql: EditedSql, at: number): void {
  if (sql.words[at] !== '->') return
  const isText = sql.text.startsWith('->>', sql.tokens[at]!.start)
  const from = isText ? at + 2 : at + 1
  const { kind } = sql.tokens[from] ?? {}
  // A lambda has an arrow, too.
  if (kind !== 'string' && kind !== 'number' && !(isText && sql.words[from] === '$')) return
  const last = sql.operandEnd(from)
  // The engine reads a path there, and `''` as all of it.
  const key = kind === 'string' && from === last ? textOf(sql.tokens[from]!) : undefined
  if (key === '' || /^\$(?![.[]|$)/.test(key ?? ''))
    sql.replace(from, from, quoteText(`/${key!.replaceAll('~', '~0').replaceAll('/', '~1')}`))
  const { first } = jsonBefore(sql, last)
  // Operators of JSON make a call of what they stand beside.
  const isBelow = sql.words[last + 1] === '<' && sql.words[last + 2] === '@'
  if (isBelow || /^(->|[@?#|]|\|\|)$/.test(sql.words[last + 1] ?? '')) return
  if (/^(\|\||[@#?&|])$/.test(sql.words[first - 1] ?? '') || sql.isItem(first, last)) return
  sql.wrapBefore(first, '(')
  sql.insertAfter(last, ')')
}

/** Whether these tokens say that they are JSON: by a cast, by a function that gives it, or by what is in parentheses. */
function saysJson(sql: EditedSql, first: number, last: number): boolean {
  const cast = [last - 1, last - 3].find((at) => at > first && sql.words[at] === '::')
  if (cast !== undefined && sql.castEnd(cast).last === last) return isJsonType(sql.castEnd(cast).type)
  if (sql.words[last] !== ')') return false
  const open = sql.opening(last) ?? last
  const inside = sql.joins.get(last - 1)
  if (open === first) return (inside?.first === first + 1 && inside.isJson) || saysJson(sql, first + 1, last - 1)
  const name = sql.words[open - 1] ?? ''
  if (name === 'cast') return isJsonType(sql.words[last - 1] ?? '')
  if (name !== 'coalesce') return givesJson.test(name)
  for (let from = open + 1, end; from <= last; from = end + 1) {
    end = sql.comma(from, last) ?? last
    if (saysJson(sql, from, end - 1)) return true
  }
  return false
}

/** Steps that mean the same to the engine: keys, and places from the begin. */
function plainPath(text: string): string[] | undefined {
  const steps = /^\{(.+)\}$/.exec(text)?.[1]?.split(',')
  return steps?.every((step) => /^([a-z_]\w*|0|[1-9]\d*)$/i.test(step) && !/^null$/i.test(step)) ? steps : undefined
}

/** `doc #> '{a,0}'`, `doc #>> ARRAY['a', $1]`: what is at the end of a path, which the engine writes `/a/0`. */
export function jsonPath(sql: EditedSql, at: number): boolean {
  const sign = /^#>>?/.exec(sql.text.slice(sql.tokens[at]!.start))?.[0]
  if (sql.words[at] !== '#' || !sign) return false
  const from = at + sign.length
  let last = sql.words[from] === '$' ? from + 1 : from
  if (sql.words[sql.words[from] === 'array' ? from + 1 : from] === '[') last = sql.words.indexOf(']', from)
  if (sql.words[from] === '(') last = sql.closing(from) ?? from
  // What a list became that was bound as one.
  if (sql.words[from] === 'cast') last = sql.closing(from + 1) ?? from
  if (last < from || !sql.tokens[last]) return false
  if (sql.words[last + 1] === '::') last = sql.castEnd(last + 1).last
  const { first } = jsonBefore(sql, at - 1)
  const steps = from === last && sql.tokens[from]!.kind === 'string' ? plainPath(textOf(sql.tokens[from]!)) : undefined
  if (steps) {
    sql.insertBefore(first, `${sign === '#>' ? 'json_extract' : 'json_extract_string'}(`)
    return sql.replace(at, last, `, '/${steps.join('/')}')`)
  }
  sql.insertBefore(first, `${sign === '#>' ? 'pg_json_at' : 'pg_json_text_at'}(`)
  sql.insertAfter(last, ')')
  return sql.replace(at, from - 1, ', ')
}

/** `jsonb_set(doc, '{a,b}', v)`: the path may be a text. */
export function jsonChange(sql: EditedSql, at: number): void {
  const end = /^jsonb_(set|insert|delete_path)$/.test(sql.words[at]!) ? sql.closing(at + 1) : undefined
  const path = end === undefined ? undefined : sql.items(at + 1, end)[1]
  if (!path) return
  sql.insertBefore(path[0], 'pg_json_path(')
  sql.insertAfter(path[1], ')')
}

/** `doc ? 'key'`, `doc ?| ARRAY['a', 'b']`: whether JSON has a key, or an item. */
export function jsonExists(sql: EditedSql, at: number): boolean {
  if (sql.words[at] !== '?' || !sql.isOperand(at - 1)) return false
  const symbol = /^\?[|&]?/.exec(sql.text.slice(sql.tokens[at]!.start))![0]
  const from = at + symbol.length
  if (!sql.tokens[from] || /^[,)=<>?]$/.test(sql.words[from]!)) return false
  const name = { '?': 'jsonb_exists', '?|': 'jsonb_exists_any', '?&': 'jsonb_exists_all' }[symbol]!
  sql.insertBefore(jsonBefore(sql, at - 1).first, `${name}(`)
  sql.replace(at, from - 1, ', ')
  sql.insertAfter(sql.operandEnd(from), ')')
  return true
}

/** `json_object_agg(k, v ORDER BY n) FILTER (…)`: of the engine's macro there is neither, so the object is put together. */
export function jsonObjects(sql: EditedSql, at: number): boolean {
  if (!/^jsonb?_object_agg$/.test(sql.words[at]!) || sql.words[at + 1] !== '(') return false
  const end = sql.closing(at + 1)
  const comma = end === undefined ? undefined : sql.comma(at + 2, end)
  if (end === undefined || comma === undefined) return false
  const order = sql.words.findIndex(
    (word, index) => index > comma && index < end && word === 'order' && sql.words[index + 1] === 'by',
  )
  const last = sql.words[end + 1] === 'filter' ? sql.closing(end + 2) : end
  if (last === undefined || (order < 0 && last === end)) return false
  sql.replace(at, at + 1, `('{' || string_agg(to_json((`)
  sql.replace(comma, comma, `)::VARCHAR)::VARCHAR || ':' || coalesce(to_json((`)
  sql.insertBefore(order < 0 ? end : order, `))::VARCHAR, 'null'), ',' `)
  sql.insertAfter(last, ` || '}')::JSON${sql.isItem(at, last) ? ` AS ${sql.words[at]}` : ''}`)
  return true
}

/** `json_agg(x ORDER BY y) FILTER (…)`: the engine's own is a macro, which takes neither. */
export function jsonAggregate(sql: EditedSql, at: number): boolean {
  if (!/^jsonb?_agg$/.test(sql.words[at]!) || sql.words[at + 1] !== '(' || sql.words[at - 1] === '.') return false
  let last = sql.closing(at + 1)
  if (last !== undefined && sql.words[last + 1] === 'filter') last = sql.closing(last + 2)
  if (last !== undefined && sql.words[last + 1] === 'over') last = sql.closing(last + 2) ?? last + 2
  if (last === undefined || last >= sql.tokens.length) return false
  sql.insertAfter(last, `)${sql.isItem(at, last) ? ` AS ${sql.words[at]}` : ''}`)
  // What is distinct is told by the values themselves, and they are what ORDER BY may name.
  return sql.replace(at, at, sql.words[at + 2] === 'distinct' ? 'pg_json_once(list' : 'to_json(list')
}

/** Which arguments of these are values that become JSON. */
const jsonMakers: Record<string, (place: number) => boolean> = {
  to_json: (place) => place === 0,
  row_to_json: (place) => place === 0,
  json_agg: (place) => place === 0,
  json_object_agg: (place) => place === 1,
  json_build_array: () => true,
  json_build_object: (place) => place % 2 === 1,
}

/** `json_agg(t)`, `json_build_object('at', at)`: times in JSON have a `T` before the hour, and minutes behind their zone. */
export function timesOfJson(sql: EditedSql, at: number): void {
  const name = sql.words[at]!.replace(/^(to_json|json)b/, '$1')
  const isValue = Object.hasOwn(jsonMakers, name) ? jsonMakers[name]! : undefined
  const end = isValue && sql.words[at + 1] === '(' ? sql.closing(at + 1) : undefined
  if (!isValue || end === undefined) return
  for (const [place, [from, to]] of sql.items(at + 1, end).entries()) {
    // The engine's function for rows takes nothing else.
    if (!isValue(place) || !timesOf(sql, from, to) || name !== 'row_to_json') continue
    sql.replace(at, at, 'to_json')
    if (sql.isItem(at, end)) sql.insertAfter(end, ' AS row_to_json')
  }
}

function timesOf(sql: EditedSql, from: number, to: number): boolean {
  const first = sql.words[from] === 'distinct' ? from + 1 : from
  const isOrder = (at: number) => sql.words[at] === 'order' && sql.words[at + 1] === 'by'
  const order = [...outside(sql.tokens.slice(0, to + 1), first)].find(([, at]) => isOrder(at))
  const last = order ? order[1] - 1 : to
  const words = sql.words.slice(first, last + 1)
  // All of a row is the row.
  const isRow = last === first + 2 && words[1] === '.' && words[2] === '*'
  if (isRow) sql.replace(first + 1, last, '')
  const isNone = words.length === 0 || words[0] === 'variadic' || (words.at(-1) === '*' && !isRow)
  const isWritten = words.length === 1 && (/^(null|true|false)$/.test(words[0]!) || !isName(sql.tokens[first]))
  const isMade = givesJson.test(words[0] === 'coalesce' ? (words[2] ?? '') : (words[0] ?? ''))
  if (isNone || isWritten || isMade || first !== from) return false
  // The engine puts what a macro is given wherever the macro names it.
  const isLong = words.includes('select') || words.some((word) => givesJson.test(word))
  sql.wrapBefore(first, isLong ? 'pg_json_once(' : 'pg_json(')
  sql.insertAfter(last, ')')
  return true
}
