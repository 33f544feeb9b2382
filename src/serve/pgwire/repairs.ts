// `numbers || 5`, `tags || $1`, `array_cat(tags, '{a}')`: whether a side is a list, an item, or a text that is meant as either is
// known by the types of columns, which only the engine has. It takes lists alone, and says in its refusal what it found; what it
// wants then is written around the operand. The same of JSON that is held by JSON, of times of a day and of intervals.

import { parseArray } from '../../base/pg-texts.ts'
import { pgTypes, wireTypeOf } from '../../base/pg-types.ts'
import type { Edit } from '../../lake/index.ts'
import { jsonBefore } from './dialect/json.ts'
import { EditedSql, textOf, type Range, type SessionNames } from './dialect/sql.ts'
import { listSql } from './parameters.ts'

/** What makes the statement fit: edits of its text, or the OID of a parameter. */
export type Repair = { edits: readonly Edit[] } | { parameter: number; oid: number }

/** `at`: where the engine refused it, if it said that. */
export function repairOf(
  text: string,
  message: string,
  at: number | undefined,
  session: SessionNames,
): Repair | undefined {
  if (!/^Cannot (concatenate|deduce)|argument types '/.test(message)) return undefined
  const sql = new EditedSql(text, session)
  const summed = /argument types '(sum|avg)\(INTERVAL\)'/.exec(message)?.[1]
  if (summed) return intervalSum(sql, summed, at)
  if (/argument types '-\(TIME, TIME\)'/.test(message)) return timesApart(sql, at)
  if (/argument types 'strftime\((INTERVAL|TIME), /.test(message)) return spanShown(sql, at)
  if (/argument types 'date_trunc\(\w+, TIME\)'/.test(message)) return timeCut(sql, at)
  const place = operationAt(sql, at === undefined ? undefined : sql.tokens.findIndex(({ end }) => end > at))
  if (place === undefined) return undefined
  if (/argument types '(@>|<@)\(JSON, JSON\)'/.test(message)) return jsonHeld(sql, place)
  const item = /^Cannot deduce template type 'T'[^]*- '(.+)', from first occurrence/.exec(message)?.[1]
  if (item !== undefined) {
    const operand = operandsAt(sql, place).find((one) => one && parameterAt(sql, one) !== undefined)
    return operand && givenAs(sql, operand, `${item}[]`)
  }
  const types =
    /^Cannot concatenate (?:lists of )?types (.+) and (.+) - an explicit/.exec(message) ??
    /argument types '(?:@>|<@|&&|array_cat)\((.+), (.+)\)'/.exec(message)
  if (!types) return undefined
  const [left, right] = operandsAt(sql, place)
  if (!left || !right) return undefined
  const [leftType, rightType] = types.slice(1) as [string, string]
  const isItem = /^array_(append|prepend)$/.test(sql.words[place]!)
  if (isItem) return itemOf(sql, sql.words[place] === 'array_append' ? right : left, message)
  const isLeft = !isList(leftType) && isList(rightType)
  const [operand, type, list] = isLeft ? [left, leftType, rightType] : [right, rightType, leftType]
  if (!isList(list) || isList(type)) return undefined
  const given = givenAs(sql, operand, list)
  if (given) return given
  const isJoined = sql.words[place] === '|' || sql.words[place] === '||'
  return isJoined && !isText(sql, operand) ? { edits: around(sql, operand, '[', ']') } : undefined
}

/** `(doc -> 'a') @> other`: the engine's operator is for lists. */
function jsonHeld(sql: EditedSql, at: number): Repair | undefined {
  const [left, right] = operandsAt(sql, at)
  if (!left || !right) return undefined
  const { first } = jsonBefore(sql, left[1])
  const [start, end] = [sql.tokens[left[1]]!.end, sql.tokens[right[0]]!.start]
  const name = sql.words[at] === '@' ? 'jsonb_contains' : 'jsonb_contained'
  const [opening, closing] = around(sql, [first, right[1]], `${name}(`, ')')
  return { edits: [opening!, { start, end, text: ', ' }, closing!] }
}

/** `ends - begins`, of times of a day. */
function timesApart(sql: EditedSql, at: number | undefined): Repair | undefined {
  const all = sql.words.flatMap((word, index) => (word === '-' && sql.isOperand(index - 1) ? [index] : []))
  const near = at === undefined ? undefined : sql.tokens.findIndex(({ end }) => end > at)
  const place = all.length === 1 ? all[0] : all.find((index) => near !== undefined && Math.abs(index - near) <= 1)
  const [left] = place === undefined ? [] : operandsAt(sql, place)
  if (!left || place === undefined) return undefined
  // `time '12:00'` is one value.
  const isTyped = (word: number) => sql.words[word] === 'time' && sql.tokens[word + 1]?.kind === 'string'
  const first: Range = [isTyped(left[0] - 1) ? left[0] - 1 : left[0], left[1]]
  const second: Range = [place + 1, isTyped(place + 1) ? place + 2 : sql.operandEnd(place + 1)]
  return { edits: [first, second].flatMap((one) => around(sql, one, 'CAST(CAST(', ' AS VARCHAR) AS INTERVAL)')) }
}

/** `date_trunc('hour', begins)`, of a time of a day: a span since midnight, in PostgreSQL, too. */
function timeCut(sql: EditedSql, at: number | undefined): Repair | undefined {
  const [place, end] = callAt(sql, 'date_trunc', at) ?? []
  const given = place === undefined ? undefined : sql.items(place + 1, end!)[1]
  return given && { edits: around(sql, given, 'CAST(CAST(', ' AS VARCHAR) AS INTERVAL)') }
}

/** `to_char(ends - begins, 'HH24:MI')`: other parts are meant than of a date. */
function spanShown(sql: EditedSql, at: number | undefined): Repair | undefined {
  const [place] = callAt(sql, 'to_char', at) ?? []
  if (place === undefined) return undefined
  const { start, end } = sql.tokens[place]!
  return { edits: [{ start, end, text: 'pg_span_text' }] }
}

/** `sum(waited)`: alone, as nothing is said of a macro but its arguments. */
function intervalSum(sql: EditedSql, name: string, at: number | undefined): Repair | undefined {
  const [place, end] = callAt(sql, name, at) ?? []
  if (place === undefined || end === undefined) return undefined
  if (/^(distinct|all)$/.test(sql.words[place + 2]!) || /^(filter|over|within)$/.test(sql.words[end + 1] ?? ''))
    return undefined
  const { start, end: until } = sql.tokens[place]!
  const behind = sql.tokens[end]!.end
  const named = sql.isItem(place, end) ? [{ start: behind, end: behind, text: ` AS ${name}` }] : []
  return { edits: [{ start, end: until, text: `pg_interval_${name}` }, ...named] }
}

/** The call that the engine points at or into, or the only one: where it begins and ends. */
function callAt(sql: EditedSql, name: string, at: number | undefined): Range | undefined {
  const all = sql.words.flatMap((word, index) => (word === name && sql.words[index + 1] === '(' ? [index] : []))
  const place = all.length === 1 ? all[0] : all.findLast((index) => sql.tokens[index]!.start <= (at ?? -1))
  const end = place === undefined ? undefined : sql.closing(place + 1)
  return place === undefined || end === undefined ? undefined : [place, end]
}

/** The engine points at an operator or a call, or at an operand. */
function operationAt(sql: EditedSql, at: number | undefined): number | undefined {
  const isOperation = (index: number) => /^(\|\||@|<|&|array_\w+)$/.test(sql.words[index] ?? '')
  const all = sql.words.flatMap((word, index) =>
    isOperation(index) && (word !== '<' || sql.words[index + 1] === '@') && !/^[<&]$/.test(sql.words[index - 1] ?? '')
      ? [index]
      : [],
  )
  if (at === undefined || at < 0) return all.length === 1 ? all[0] : undefined
  const near = [at, at - 1, at - 2, sql.operandEnd(at) + 1, sql.operandWithCasts(at) - 1]
  return near.find((index) => all.includes(index)) ?? all.findLast((index) => index < at)
}

const isList = (type: string): boolean => type.endsWith('[]')

/** On both sides of an operator, or between the parentheses of a call. */
function operandsAt(sql: EditedSql, at: number): (Range | undefined)[] {
  if (sql.words[at + 1] === '(' && sql.tokens[at]!.kind === 'word') {
    const end = sql.closing(at + 1)
    return end === undefined ? [] : sql.items(at + 1, end)
  }
  // An operator is one token, or one for each of its characters.
  const last = sql.tokens[at]!.text.length > 1 ? at : at + 1
  const first = sql.operandWithCasts(at - 1)
  return [
    [sql.words[first - 1] === '$' ? first - 1 : first, at - 1],
    [last + 1, sql.operandEnd(last + 1)],
  ]
}

/** A text, or a value of which nobody said the type, is a list where one stands beside it. */
function givenAs(sql: EditedSql, operand: Range, type: string): Repair | undefined {
  const parameter = parameterAt(sql, operand)
  if (parameter !== undefined) return { parameter, oid: wireTypeOf(type).oid }
  if (!isText(sql, operand)) return undefined
  const items = parseArray(textOf(sql.tokens[operand[0]]!))
  if (!items) return undefined
  const { start, end } = sql.tokens[operand[0]]!
  return { edits: [{ start, end, text: `CAST(${listSql(items, false)} AS ${type})` }] }
}

/** An item is of the type of the others. */
function itemOf(sql: EditedSql, operand: Range, message: string): Repair | undefined {
  const type = /types (?:VARCHAR\[\] and )?(.+?)\[\]/.exec(message)?.[1]
  if (type === undefined) return undefined
  const parameter = parameterAt(sql, operand)
  if (parameter !== undefined) return { parameter, oid: wireTypeOf(type).oid || pgTypes.text.oid }
  return isText(sql, operand) ? { edits: around(sql, operand, 'CAST(', ` AS ${type})`) } : undefined
}

const isText = (sql: EditedSql, [from, to]: Range): boolean => from === to && sql.tokens[from]!.kind === 'string'

const parameterAt = (sql: EditedSql, [from, to]: Range): number | undefined =>
  sql.words[from] === '$' && to === from + 1 && /^\d+$/.test(sql.words[to]!) ? Number(sql.words[to]) : undefined

const around = (sql: EditedSql, [from, to]: Range, before: string, behind: string): Edit[] => [
  { start: sql.tokens[from]!.start, end: sql.tokens[from]!.start, text: before },
  { start: sql.tokens[to]!.end, end: sql.tokens[to]!.end, text: behind },
]
