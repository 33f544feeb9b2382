// Where PostgreSQL's paths into JSON stand: `jsonb_path_query(doc, '$.a[*]')` and the like, `doc @? '$.a'`, `doc @@ '$.a > 1'`.

import { Failure } from '../../../base/failure.ts'
import { around } from './around.ts'
import { jsonBefore } from './json.ts'
import { pathSql, type PathSql } from './json-paths.ts'
import { textOf, type EditedSql } from './sql.ts'

type Call = { sql(path: PathSql): string; rows?: true }

const exists: Call = { sql: ({ list }) => `len(${list}) > 0` }
const match: Call = { sql: ({ list, condition }) => condition ?? `pg_path_match(${list})` }
/** The operator takes what is no condition for unknown. */
const holds: Call = {
  sql: ({ list, condition }) =>
    condition ?? `CASE WHEN len(${list}) = 1 AND json_type(${list}[1]) = 'BOOLEAN' THEN (${list}[1])::BOOLEAN END`,
}
const calls: Readonly<Record<string, Call>> = {
  jsonb_path_exists: exists,
  jsonb_path_match: match,
  jsonb_path_query: { sql: ({ list }) => `to_json(${list})`, rows: true },
  jsonb_path_query_array: { sql: ({ list }) => `to_json(${list})` },
  jsonb_path_query_first: { sql: ({ list }) => `(${list})[1]` },
}

/** `jsonb_path_exists(doc, '$.a ? (@ > $least)', '{"least": 1}')`: with a path that is written there. */
export function jsonPathCall(sql: EditedSql, at: number): boolean {
  const call = Object.hasOwn(calls, sql.words[at]!) ? calls[sql.words[at]!] : undefined
  const end = call && sql.words[at + 1] === '(' ? sql.closing(at + 1) : undefined
  const items = end === undefined ? [] : sql.items(at + 1, end)
  const [json, path, variables] = items
  if (!call || end === undefined || !json || !path) return false
  const given = writtenAt(sql, path[0], path[1])
  const named = variables && writtenAt(sql, variables[0], variables[1])
  // A statement that is told of before its values are there.
  const isOpen = given === null || named === null
  if (!isOpen && (given === undefined || (variables && named === undefined)))
    throw new Failure(
      'SQL_UNSUPPORTED',
      `${sql.words[at]!}() takes a path, and values for it, that are written there`,
      {
        hint: `Write ${sql.words[at]!}(doc, '$.a[*] ? (@.x > 1)'), or send them as parameters.`,
      },
    )
  const values = typeof named === 'string' ? variablesOf(named) : {}
  const { before, after } = around(isOpen ? openSql(call) : known(call.sql(pathSql(given!, values))))
  const alias = sql.isItem(at, end) ? ` AS ${sql.words[at]!}` : ''
  sql.replace(at, at + 1, call.rows ? `jsonb_array_elements(${before}(` : `${before}(`)
  return sql.replace(json[1] + 1, end, `)::JSON${after}${call.rows ? ')' : ''}${alias}`)
}

const openSql = ({ sql }: Call) => `CASE WHEN false THEN ${sql({ list: '[bh_v]', condition: undefined })} END`
const known = (sql: string) => `CASE WHEN bh_v IS NOT NULL THEN ${sql} END`

/** A literal or what was bound, cast or not; null for what is not known yet. */
function writtenAt(sql: EditedSql, from: number, to: number): string | null | undefined {
  const isCall = sql.words[from] === 'cast' && sql.words[from + 1] === '(' && sql.words[from + 3] === 'as'
  const place = isCall ? from + 2 : from
  const isWhole = isCall ? sql.closing(from + 1) === to : sql.operandEnd(from) === to
  if (sql.words[from] === '(' && sql.closing(from) === to && to > from + 1) {
    if (sql.words[from + 1] === 'select' && sql.words[from + 2] === 'null') return null
    return writtenAt(sql, from + 1, to - 1)
  }
  if (!isWhole) return undefined
  if (sql.words[place] === '$' || sql.words[place] === 'null') return null
  const token = sql.tokens[place]
  return token?.kind === 'string' && sql.words[place - 1] !== '::' ? textOf(token) : undefined
}

function variablesOf(text: string): Record<string, unknown> {
  try {
    const found: unknown = JSON.parse(text)
    if (typeof found === 'object' && found !== null && !Array.isArray(found)) return found as Record<string, unknown>
  } catch {
    // Told below.
  }
  throw new Failure('SQL_INVALID', '"vars" argument is not an object', { sqlState: '22023' })
}

/** `doc @? '$.tags[*] ? (@ == "a")'`, `doc @@ '$.n > 1'`; what follows `@@` may be a search of texts, which there is none of. */
export function jsonPathOperator(sql: EditedSql, at: number): boolean {
  if (sql.words[at] !== '@') return false
  const sign = /^@[@?]/.exec(sql.text.slice(sql.tokens[at]!.start, sql.tokens[at]!.start + 2))?.[0]
  if (!sign || !sql.isOperand(at - 1)) return false
  const from = at + 2
  const last = sql.words[from] === 'cast' ? (sql.closing(from + 1) ?? from) : sql.operandEnd(from)
  const given = sql.tokens[from] ? writtenAt(sql, from, last) : undefined
  if (given === undefined) return false
  const call = sign === '@?' ? exists : holds
  const { before, after } = around(given === null ? openSql(call) : known(call.sql(pathSql(given))))
  const { first } = jsonBefore(sql, at - 1)
  sql.wrapBefore(first, `${before}(`)
  return sql.replace(at, last, `)::JSON${after}${sql.isItem(first, last) ? ' AS "?column?"' : ''}`)
}
