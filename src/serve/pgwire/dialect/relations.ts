// What stands beside the name of a table that is read or changed.

import { isName, isScalarFunction } from '../../../lake/index.ts'
import { isAlias } from './lists.ts'
import type { EditedSql } from './sql.ts'

const beforeTables = /^(from|join|update|into|using|table|truncate)$/

/** `TRUNCATE TABLE ONLY t`, `FROM ONLY t`: no table here has children. */
export function onlyTable(sql: EditedSql, at: number): boolean {
  const before = sql.words[at - 1] ?? ''
  const isList = before === ',' && sql.words[0] === 'truncate'
  if (sql.words[at] !== 'only' || sql.tokens[at]!.kind !== 'word' || !isName(sql.tokens[at + 1])) return false
  return (isList || beforeTables.test(before)) && sql.replace(at, at, '')
}

/** `TABLESAMPLE BERNOULLI (10)` is a tenth of the rows; to the engine a number alone is one of rows. */
export function sampled(sql: EditedSql, at: number): void {
  const end =
    sql.words[at] === 'tablesample' && /^(bernoulli|system)$/.test(sql.words[at + 1] ?? '')
      ? sql.closing(at + 2)
      : undefined
  if (end !== undefined && !/^(percent|%|rows)$/.test(sql.words[end - 1]!)) sql.insertBefore(end, ' PERCENT')
}

/** `FROM upper('a') AS u`, as drivers call functions: a table of one row, whose column is called as the table is. */
export function valuesAsTables(sql: EditedSql): void {
  const tables = behindFrom(sql.words)
  sql.words.forEach((_, at) => valueAsTable(sql, at, tables))
}

function valueAsTable(sql: EditedSql, at: number, tables: ReadonlySet<number>): void {
  const name = sql.words[at]!
  const end = sql.words[at + 1] === '(' && sql.tokens[at]!.kind === 'word' ? sql.closing(at + 1) : undefined
  if (end === undefined || !(isScalarFunction(name) || inOtherWords.has(name))) return
  const first = sql.words[at - 1] === '.' && sql.words[at - 2] === 'pg_catalog' ? at - 2 : at
  // A number of a sequence is one of the list: `SELECT * FROM nextval('s')`.
  if (ofSequences.test(name)) {
    if (first === 3 && sql.words.slice(0, 3).join(' ') === 'select * from') sql.replace(1, 2, '')
    return
  }
  if (!tables.has(first) || !/^(from|join|lateral|,)$/.test(sql.words[first - 1]!)) return
  const { start } = sql.tokens[first]!
  if (madeRows.test(name) && sql.edits.some((one) => one.start === start && one.text.startsWith('(SELECT'))) return
  const behind = sql.words[end + 1] === 'with' && sql.words[end + 2] === 'ordinality' ? end + 3 : end + 1
  const alias = sql.words[behind] === 'as' ? behind + 1 : behind
  const isNamed = isAlias(sql, alias)
  sql.wrapBefore(first, '(SELECT ')
  sql.insertAfter(
    end,
    ` AS ${isNamed ? sql.tokens[alias]!.text : name})${isNamed && behind === end + 1 ? '' : ` AS ${name}`}`,
  )
}
/** Of these others have made rows already. */
const madeRows = /^(regexp_match(es)?|string_to_array)$/
const ofSequences = /^(next|curr|last|set)val$/
/** Functions that the engine knows by other names, and such as read rows there. */
const inOtherWords: ReadonlySet<string> = new Set(
  `nextval currval lastval setval coalesce current_database current_schemas current_setting date set_config
  json_build_array json_build_object jsonb_build_object jsonb_pretty justify_interval num_nonnulls num_nulls pg_backend_pid
  pg_cancel_backend pg_sleep pg_terminate_backend repeat scale min_scale trim_scale sha224 sha384 sha512 to_char to_date to_jsonb to_number
  txid_current version`.split(/\s+/),
)

/** The tokens that stand among tables, of this level of parentheses. */
function behindFrom(words: readonly string[]): ReadonlySet<number> {
  const found = new Set<number>()
  const levels = [{ isFrom: false, isArgument: false }]
  words.forEach((word, at) => {
    const level = levels.at(-1)!
    // `extract(day FROM now())`
    const isArgument = /^(extract|substring|trim|overlay)$/.test(words[at - 1] ?? '') && words[at + 1] !== 'select'
    if (word === '(') levels.push({ isFrom: false, isArgument })
    else if (word === ')' && levels.length > 1) levels.pop()
    else if (word === 'from') level.isFrom = words[at - 1] !== 'distinct' && !level.isArgument
    else if (word === 'join') level.isFrom = true
    else if (noTables.test(word) && words[at + 1] !== 'ordinality') level.isFrom = false
    if (level.isFrom) found.add(at)
  })
  return found
}
const noTables = /^(select|where|by|having|values|set|limit|offset|returning|window|qualify|with)$/
