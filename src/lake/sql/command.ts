// Statements about the lake rather than about rows: rights, files outside, plans, procedures.

import { call, type Call } from './call.ts'
import { tableInfo } from '../relations/duckdb-relations.ts'
import { readWhole, type Piece, type Reader, type WrittenName } from './reader.ts'
import { sequenceCommand, type SequenceCommand } from './sequence.ts'
import { quoteName, quoteText } from './tokens.ts'

export type Place = { environment?: string; namespace?: string; table?: WrittenName }
export type Command =
  | Call
  | SequenceCommand
  | {
      kind: 'grant' | 'revoke'
      privileges: { name: string; columns: string[] | undefined; start: number }[]
      on: Place[]
      who: string[]
    }
  | { kind: 'grant-role' | 'revoke-role'; roles: string[]; who: string[] }
  | { kind: 'create-role'; role: string; ifNotExists: boolean }
  | { kind: 'drop-role'; role: string; ifExists: boolean }
  | { kind: 'show-grants'; of: string | undefined; on: WrittenName | undefined }
  | { kind: 'show-roles' }
  | { kind: 'show-create'; what: 'table' | 'view'; name: WrittenName }
  /** `key`: this one alone. */
  | { kind: 'show-properties'; name: WrittenName; key: string | undefined }
  | { kind: 'explain'; analyze: boolean; json: boolean; lines?: boolean; select: Piece }
  | {
      kind: 'copy'
      direction: 'to' | 'from'
      /** A table with perhaps some of its columns, or a SELECT. */
      table: { name: WrittenName; columns: string[] | undefined } | undefined
      select: Piece | undefined
      file: { text: string; start: number }
      options: { name: string; value: string; start: number }[]
    }

/** Undefined when the text is none of these. */
export function parseCommand(reader: Reader): Command | undefined {
  if (reader.take('call')) return call(reader)
  if (reader.take('grant')) return grant(reader, 'grant')
  if (reader.take('revoke')) return grant(reader, 'revoke')
  if (reader.take('create', 'role')) {
    const ifNotExists = reader.take('if', 'not', 'exists')
    return ended(reader, { kind: 'create-role', role: reader.identifier('a role'), ifNotExists })
  }
  if (reader.take('drop', 'role')) {
    const ifExists = reader.take('if', 'exists')
    return ended(reader, { kind: 'drop-role', role: reader.identifier('a role'), ifExists })
  }
  if (reader.take('show', 'grants')) {
    const on = reader.take('on') ? (reader.take('table'), reader.name('a table')) : undefined
    const of = reader.take('to') || reader.take('for') ? grantee(reader) : undefined
    return ended(reader, { kind: 'show-grants', of, on })
  }
  if (reader.take('show', 'roles')) return ended(reader, { kind: 'show-roles' })
  if (reader.take('show', 'create')) {
    const what = reader.take('view') ? 'view' : (reader.expect('TABLE or VIEW', 'table'), 'table')
    return ended(reader, { kind: 'show-create', what, name: reader.name(`a ${what}`) })
  }
  if (reader.take('show', 'tblproperties')) {
    const name = reader.name('a table')
    const [key] = reader.peek('(') ? reader.list(() => reader.text('a property')) : []
    return ended(reader, { kind: 'show-properties', name, key })
  }
  if (reader.take('explain')) {
    return { kind: 'explain', ...explainOptions(reader), select: reader.rest() }
  }
  if (reader.take('copy')) return copy(reader)
  return sequenceCommand(reader)
}

/** `ANALYZE VERBOSE`, and PostgreSQL's `(ANALYZE, FORMAT json, COSTS off)`: whether the statement is run, and how its plan is told. */
function explainOptions(reader: Reader): { analyze: boolean; json: boolean } {
  const isList = reader.peek('(') && !reader.peekAfterParen('select', 'with', 'from', 'values')
  if (!isList) {
    const analyze = reader.take('analyze')
    reader.take('verbose')
    return { analyze, json: false }
  }
  let [analyze, json] = [false, false]
  reader.list(() => {
    const { name, value } = option(reader)
    if (name === 'analyze') analyze = !/^(false|off|0)$/i.test(value)
    if (name !== 'format') return
    json = value.toLowerCase() === 'json'
    if (!json && value.toLowerCase() !== 'text')
      throw reader.unsupported('a format of EXPLAIN other than text and json')
  })
  return { analyze, json }
}

function ended<Read extends Command>(reader: Reader, command: Read): Read {
  reader.end()
  return command
}

/** `GRANT select (a, b), insert ON raw.sales TO role:analyst, USER ana`, `GRANT analyst TO ana`. */
function grant(reader: Reader, kind: 'grant' | 'revoke'): Command {
  const named = reader.separated(() => {
    const start = reader.at()
    if (reader.isNamedAfter(1) && !reader.sees('role', 'to') && !reader.sees('role', 'from')) reader.take('role')
    const name = reader.identifier('a privilege or role')
    reader.take('privileges')
    return { name, columns: reader.peek('(') ? reader.columns() : undefined, start }
  })
  const on = reader.take('on') ? places(reader) : undefined
  const word = kind === 'grant' ? 'to' : 'from'
  reader.expect(word.toUpperCase(), word)
  const who = reader.separated(() => grantee(reader))
  if (reader.sees('with', 'grant', 'option'))
    throw reader.unsupported('WITH GRANT OPTION', 'Grant manage beside it: who has it passes on what they hold there.')
  // Nothing hangs on a grant.
  if (kind === 'revoke') void (reader.take('cascade') || reader.take('restrict'))
  reader.end()
  if (on) return { kind, privileges: named, on, who }
  return { kind: `${kind}-role`, roles: named.map(({ name }) => name), who }
}

/** One of them, or several tables. */
function places(reader: Reader): Place[] {
  const all = [place(reader)]
  while (all[0]!.table && reader.takeSymbol(',')) all.push({ table: reader.name('a table') })
  return all
}

function place(reader: Reader): Place {
  if (reader.take('all', 'tables', 'in', 'schema') || reader.take('schema') || reader.take('namespace')) {
    const parts = reader.name('a schema')
    return { namespace: parts.at(-1)!, ...(parts.length > 1 ? { environment: parts[0]! } : {}) }
  }
  if (reader.take('environment') || reader.take('database')) return { environment: reader.identifier('an environment') }
  reader.take('table')
  return { table: reader.name('a table') }
}

/** `ana`, `USER ana`, `ROLE r`, `GROUP g`, `role:r`. */
function grantee(reader: Reader): string {
  for (const kind of ['user', 'role', 'group'])
    if (reader.take(kind)) {
      reader.takeSymbol(':')
      return `${kind}:${reader.identifier('a user, role or group')}`
    }
  return reader.identifier('a user, role or group')
}

function copy(reader: Reader): Command {
  const select = reader.peek('(') ? inside(reader) : undefined
  const table = select
    ? undefined
    : { name: reader.name('a table'), columns: reader.peek('(') ? reader.columns() : undefined }
  const direction = reader.take('to') ? 'to' : (reader.expect('TO or FROM', 'from'), 'from')
  if (select && direction === 'from') throw reader.invalid('expected the name of a table')
  const start = reader.at()
  const file = { text: reader.text('the name of a file'), start }
  reader.take('with')
  const options: { name: string; value: string; start: number }[] = []
  if (reader.peek('(')) options.push(...reader.list(() => option(reader)))
  reader.end()
  return { kind: 'copy', direction, table, select, file, options }
}

function inside(reader: Reader): Piece {
  reader.expectSymbol('(')
  const select = reader.until('a SELECT')
  reader.expectSymbol(')')
  return select
}

function option(reader: Reader): { name: string; value: string; start: number } {
  const start = reader.at()
  const name = reader.identifier('an option').toLowerCase()
  if (reader.peek(',') || reader.peek(')')) return { name, value: 'true', start }
  const { sql } = reader.until('a value', [','])
  return { name, value: sql.startsWith("'") ? sql.slice(1, -1).replaceAll("''", "'") : sql, start }
}

/** SHOW statements that are questions to the information schema, as SELECTs; undefined for all others. */
export function showAsSelect(reader: Reader, catalog: string): string | undefined {
  if (reader.take('pragma')) return pragmaAsSelect(reader)
  if (reader.take('describe') || reader.take('desc')) {
    if (reader.isAtEnd()) return allTables
    const isView = !reader.isFollowedBy('.') && reader.isNamedAfter(1) && reader.take('view')
    if (isView) return `DESCRIBE ${reader.rest().sql}`
    reader.take('table')
    // What Spark adds by these words is in the metadata tables.
    const isSparks = !reader.isFollowedBy('.') && (reader.take('extended') || reader.take('formatted'))
    return isSparks && reader.peekText() !== '' ? `DESCRIBE ${reader.rest().sql}` : undefined
  }
  if (!reader.take('show')) return undefined
  const from = () => reader.take('from') || reader.take('in')
  const isIn = () => {
    if (!from()) return []
    if (reader.isNamedAfter(1) && !reader.isFollowedBy('like')) reader.take('schema')
    return [`table_schema = ${quoteText(reader.name('a schema').at(-1)!)}`]
  }
  const where = (...conditions: readonly string[]) =>
    conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : ''
  if (reader.take('schemas') || reader.take('namespaces')) {
    if (from() && reader.identifier('an environment').toLowerCase() !== catalog.toLowerCase())
      throw reader.unsupported('SHOW SCHEMAS of another environment', 'Read its information_schema.schemata.')
    const like = likeIn(reader, 'schema_name')
    reader.end()
    return `SELECT schema_name FROM information_schema.schemata${where(...like)} ORDER BY schema_name`
  }
  if (reader.take('databases') || reader.take('catalogs')) {
    reader.end()
    return `SELECT ${quoteText(catalog)} AS database_name`
  }
  if (reader.take('all', 'tables')) {
    reader.end()
    return allTables
  }
  if (['from', 'in', 'like'].some((word) => reader.sees('tables', word))) {
    reader.take('tables')
    const conditions = [...isIn(), ...likeIn(reader, 'table_name')]
    reader.end()
    return `SELECT table_schema, table_name, table_type FROM information_schema.tables${where(...conditions)} ORDER BY ALL`
  }
  if (reader.take('views')) {
    const conditions = ["table_type = 'VIEW'", ...isIn(), ...likeIn(reader, 'table_name')]
    reader.end()
    return `SELECT table_schema, table_name FROM information_schema.tables${where(...conditions)} ORDER BY ALL`
  }
  if (reader.take('branches')) {
    if (!from()) throw reader.invalid('expected FROM TABLE and a table')
    reader.take('table')
    const table = reader.name('a table')
    const refs = [...table.slice(0, -1), `${table.at(-1)}$refs`].map(quoteName).join('.')
    reader.end()
    return `SELECT name AS branch FROM ${refs} WHERE type = 'BRANCH' ORDER BY name`
  }
  if (reader.take('columns')) {
    if (!from()) throw reader.invalid('expected FROM and a table')
    const { sql } = reader.until('a table', ['like'])
    const like = likeIn(reader, 'column_name')
    reader.end()
    return `SELECT column_name, column_type AS data_type, "null" AS is_nullable FROM (DESCRIBE ${sql}\n)${where(...like)}`
  }
  return undefined
}

const allTables =
  'SELECT c.table_catalog AS database, c.table_schema AS schema, c.table_name AS name, list(c.column_name ORDER BY c.ordinal_position) AS column_names, list(c.data_type ORDER BY c.ordinal_position) AS column_types, false AS temporary FROM information_schema.columns AS c GROUP BY ALL ORDER BY ALL'

/** `PRAGMA table_info('t')` and `PRAGMA show_tables`: what else DuckDB calls so are settings of it. */
function pragmaAsSelect(reader: Reader): string | undefined {
  if (reader.take('show_tables')) {
    reader.end()
    return 'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY ALL'
  }
  if (!reader.take('table_info')) return undefined
  const [names] = reader.list(() =>
    reader.peekText().startsWith("'")
      ? readWhole(reader.text('a table'), (one) => one.name('a table'))
      : reader.name('a table'),
  )
  reader.end()
  return names && `SELECT * FROM ${tableInfo(names)}`
}

/** `LIKE 'a%'`, and Spark's `'a*|b*'` with the word or without it. */
function likeIn(reader: Reader, column: string): string[] {
  if (!reader.take('like') && !reader.peekText().startsWith("'")) return []
  const pattern = reader.text('a pattern')
  const isSparks = /[*|]/.test(pattern) && !pattern.includes('%')
  const all = isSparks ? pattern.split('|').map((one) => one.replaceAll('_', '\\_').replaceAll('*', '%')) : [pattern]
  return [`(${all.map((one) => `${column} ILIKE ${quoteText(one)} ESCAPE '\\'`).join(' OR ')})`]
}
