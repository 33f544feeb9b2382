// JSON as PostgreSQL has it: operators that the engine has for lists and texts alone.

import { textOf, type EditedSql } from './sql.ts'

/** `{"a": 1}`, but not `{}` nor `{"a"}`, which are lists: as far as its begin is asked for. */
function isJsonText(text: string, begin: RegExp): boolean {
  if (!begin.test(text)) return false
  try {
    return typeof JSON.parse(text) === 'object'
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
  const last = sql.words[from] === '(' ? (sql.closing(from) ?? from) : from
  const { kind = 'symbol' } = sql.tokens[last] ?? {}
  const isCast = sql.words[last + 1] === '::' && /^jsonb?$/.test(sql.castEnd(last + 1).type)
  if (!isCast && !(kind === 'string' && isJsonText(textOf(sql.tokens[last]!), /^\s*\{\s*"/))) return false
  sql.insertBefore(jsonBefore(sql, at - 1).first, symbol === '@>' ? 'json_contains(' : 'jsonb_contained(')
  sql.replace(at, at + 1, ', ')
  sql.insertAfter(isCast ? sql.castEnd(last + 1).last : last, ')')
  return true
}

/** `doc #> '{a,b}' = '[1, 2]'::jsonb`: the same values, however they are written; the engine compares the texts. */
export function jsonCompared(sql: EditedSql, at: number): boolean {
  const { type, last } = sql.castEnd(at)
  const isCompared = /^(=|<>|!=)$/.test(sql.words[at - 2] ?? '') && sql.isOperand(at - 3)
  if (type !== 'jsonb' || sql.tokens[at - 1]?.kind !== 'string' || !isCompared) return false
  const left = sql.operandWithCasts(at - 3)
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
  sql.joins.set(last, { first: left.first, last, isJson })
  if (!isJson) return false
  sql.insertBefore(left.first, 'jsonb_concat(')
  for (const [index, side] of [left, right].entries()) {
    const alone = sql.tokens[side.last]
    const isOpen = side.first === side.last && (alone?.kind === 'string' || alone?.text.toLowerCase() === 'null')
    if (isOpen && (isSaid || looks[index])) sql.insertAfter(side.last, '::JSON')
  }
  sql.insertAfter(last, ')')
  return sql.replace(at, at, ', ')
}

/** The operand that ends here, with the members that are taken out of it. */
function jsonBefore(sql: EditedSql, last: number): { first: number; last: number; isJson: boolean } {
  let first = sql.operandWithCasts(last)
  const isMember = sql.words[first - 1] === '->'
  const isText = sql.words[first - 1] === '>' && sql.words[first - 2] === '->'
  const isJson = isMember || (!isText && saysJson(sql, first, last))
  for (;;) {
    const arrow = sql.words[first - 1] === '->' ? first - 1 : sql.words[first - 2] === '->' ? first - 2 : undefined
    if (arrow === undefined) return { first, last, isJson }
    first = sql.operandWithCasts(arrow - 1)
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
  const { first } = jsonBefore(sql, last)
  // Operators of JSON make a call of what they stand beside.
  const isBelow = sql.words[last + 1] === '<' && sql.words[last + 2] === '@'
  if (isBelow || /^(->|[@?#|]|\|\|)$/.test(sql.words[last + 1] ?? '')) return
  if (/^(\|\||[@#?&|])$/.test(sql.words[first - 1] ?? '') || sql.isItem(first, last)) return
  sql.insertBefore(first, '(')
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

/** `doc #> '{a,0}'`, `doc #>> ARRAY['a', $1]`: what is at the end of a path, which the engine writes `/a/0`. */
export function jsonPath(sql: EditedSql, at: number): boolean {
  const sign = /^#>>?/.exec(sql.text.slice(sql.tokens[at]!.start))?.[0]
  if (sql.words[at] !== '#' || !sign) return false
  const from = at + sign.length
  let last = sql.words[from] === '$' ? from + 1 : from
  if (sql.words[sql.words[from] === 'array' ? from + 1 : from] === '[') last = sql.words.indexOf(']', from)
  if (sql.words[from] === '(') last = sql.closing(from) ?? from
  if (last < from || !sql.tokens[last]) return false
  if (sql.words[last + 1] === '::') last = sql.castEnd(last + 1).last
  sql.insertBefore(jsonBefore(sql, at - 1).first, `${sign === '#>' ? 'json_extract' : 'json_extract_string'}(`)
  sql.replace(at, from - 1, `, '/' || array_to_string(`)
  sql.insertAfter(last, `, '/'))`)
  return true
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
  return sql.replace(at, at, 'to_json(list')
}
