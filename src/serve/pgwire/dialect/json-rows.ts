// JSON as rows of columns that the statement declares.

import { nameOf, quoteName, quoteText } from '../../../lake/index.ts'
import { openTypes, valueTypes } from './casts.ts'
import { isAlias } from './lists.ts'
import type { EditedSql, Range } from './sql.ts'

/** `json_to_recordset(doc) AS t(a int, b text)`, and of one object `json_to_record`. */
export function recordColumns(sql: EditedSql, at: number): boolean {
  const call = /^jsonb?_to_record(set)?$/.exec(sql.words[at]!)
  const end = call && sql.words[at + 1] === '(' ? sql.closing(at + 1) : undefined
  if (!call || end === undefined) return false
  const place = sql.words[end + 1] === 'as' ? end + 2 : end + 1
  const isNamed = isAlias(sql, place)
  const open = isNamed ? place + 1 : place
  const close = sql.words[open] === '(' ? sql.closing(open) : undefined
  if (close === undefined) return false
  const columns = sql.items(open, close).map((item) => columnOf(sql, item))
  sql.replace(at, at + 1, `(SELECT ${columns.join(', ')} FROM (SELECT ${call[1] ? 'unnest(json_extract((' : '(('}`)
  const rows = call[1] ? `)::JSON, '$[*]'))` : ')::JSON)'
  return sql.replace(end, close, `${rows} AS bh_r)) AS ${isNamed ? sql.tokens[place]!.text : call[0]}`)
}

function columnOf(sql: EditedSql, [name, last]: Range): string {
  const key = nameOf(sql.tokens[name]!)
  const word = sql.words[name + 1] ?? ''
  const written = name < last ? sql.textOf([name + 1, last]) : 'VARCHAR'
  const isOpen = openTypes.has(word) && name + 1 === last
  const type = isOpen
    ? 'DECIMAL(38,10)'
    : written.toLowerCase() === 'json'
      ? 'JSON'
      : (valueTypes[written.toLowerCase()] ?? written)
  const place = quoteText(`/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`)
  const isNested = type === 'JSON' || type.endsWith(']')
  const value = isNested ? `nullif(json_extract(bh_r, ${place}), 'null'::JSON)` : `json_extract_string(bh_r, ${place})`
  return `CAST(${value} AS ${type}) AS ${quoteName(key)}`
}
