// Statements that change rows: INSERT, UPDATE, DELETE and MERGE, parsed down to the SELECTs and expressions inside them.

import { sidesApart } from './merge-names.ts'
import { Reader, type Piece, type WrittenName } from './reader.ts'

/** `inside`: of a column with fields the path to the one that is set. */
export type Assignment = {
  column: string
  inside?: readonly string[]
  /** `a[2] = x`: the item of a list that is set. */
  item?: Piece
  value: Piece
}
export type MergeAction =
  | { kind: 'update'; set: Assignment[] | 'all' | 'by-name' }
  | { kind: 'delete' }
  | { kind: 'nothing' }
  | { kind: 'insert'; columns: string[] | undefined; values: Piece[] }
  /** `byName`: columns that the source lacks get their default; without it the source has to have them all. */
  | { kind: 'insert-all'; byName: boolean }
  | { kind: 'error'; message: Piece | undefined }
export type MergeClause = {
  when: 'matched' | 'not-matched' | 'not-matched-by-source'
  and: Piece | undefined
  action: MergeAction
}
/** A table that is read beside the changed one: a name or a subquery, with its alias. */
export type MergeSource = { from: Piece; alias: string; columns?: string[] }
/** ON CONFLICT, INSERT OR REPLACE, INSERT OR IGNORE: what becomes of a row whose key is there already. */
export type Conflict = {
  /** Columns that make the key, or the name of a constraint; undefined: each key of the table. */
  key: string[] | string | undefined
  does: { kind: 'nothing' } | { kind: 'replace' } | { kind: 'update'; set: Assignment[]; where: Piece | undefined }
}
type Change = {
  name: WrittenName
  alias: string | undefined
  /** What is told of each row that came, went or is another now. */
  returning: Piece | undefined
  with?: Piece
}
export type RowChange = Change &
  (
    | {
        kind: 'insert'
        columns: string[] | undefined
        byName: boolean
        overwrite: boolean
        /** Columns behind PARTITION, and what all rows have in them where that is said. */
        partition: { column: string; value: Piece | undefined }[]
        /** REPLACE WHERE: these rows go. */
        replaces: Piece | undefined
        /** OVERRIDING SYSTEM VALUE: numbers of somebody's own in a column that gives them itself. */
        overriding: boolean
        /** `rows`: where a value is the word DEFAULT; none of them is for all columns. */
        source: { select: Piece } | { rows: Piece[][] }
        conflict: Conflict | undefined
      }
    | { kind: 'delete'; using: Piece | undefined; where: Piece | undefined }
    | { kind: 'update'; set: Assignment[]; from: Piece | undefined; where: Piece | undefined }
    /** `evolves`: columns of the source that the table lacks are added to it, and types widened. */
    | { kind: 'merge'; source: MergeSource; on: Piece | string[]; clauses: MergeClause[]; evolves: boolean }
  )

export const rowVerbs = ['insert', 'update', 'delete', 'merge']

export function rowChange(reader: Reader): RowChange | undefined {
  if (reader.take('insert')) return insert(reader)
  if (reader.take('delete')) return deletion(reader)
  if (reader.take('update')) return update(reader)
  if (reader.take('merge')) return merge(reader)
  return undefined
}

function insert(reader: Reader): RowChange {
  const or = reader.take('or') ? orWhat(reader) : undefined
  const overwrite = !or && reader.take('overwrite')
  if (overwrite) void (reader.take('into') || reader.take('table'))
  else {
    // BigQuery leaves it out.
    reader.take('into')
    reader.take('table')
  }
  const name = reader.tableOrBranch()
  const alias = reader.take('as') ? reader.identifier('an alias') : undefined
  const partition = reader.take('partition') ? reader.list(() => partitionValue(reader)) : []
  const columns =
    reader.peek('(') && !reader.peekAfterParen('select', 'with', 'from', 'values') ? reader.columns() : undefined
  const replaces =
    !overwrite && reader.take('replace', 'where') ? reader.until('a condition', ...behindCondition) : undefined
  const byName = reader.take('by', 'name')
  if (!byName) reader.take('by', 'position')
  const overriding = reader.take('overriding', 'system', 'value')
  const rows = byName ? undefined : rowsWithDefaults(reader)
  const source = rows ? { rows } : { select: reader.until('a SELECT', ['returning'], ['on', 'conflict']) }
  const conflict = reader.take('on', 'conflict')
    ? onConflict(reader, namesOf(name, alias), or)
    : or && { key: undefined, does: or }
  if ((overwrite || replaces) && (conflict || reader.sees('returning')))
    throw reader.unsupported('INSERT OVERWRITE together with this', 'Write DELETE and INSERT in one transaction.')
  const how = { columns, byName, overwrite, partition, replaces, overriding, source, conflict }
  return { kind: 'insert', name, alias, ...how, returning: returning(reader) }
}

/** `region = 'n'`, or `region` alone. */
function partitionValue(reader: Reader) {
  const column = reader.identifier('a column')
  return { column, value: reader.takeSymbol('=') ? reader.until('a value', [',']) : undefined }
}
const behindCondition = ['select', 'values', 'with', 'from', 'table', 'by'].map((word) => [word])

function orWhat(reader: Reader): Conflict['does'] {
  if (reader.take('ignore')) return { kind: 'nothing' }
  reader.expect('REPLACE or IGNORE', 'replace')
  return { kind: 'replace' }
}

function onConflict(reader: Reader, own: Names, or: Conflict['does'] | undefined): Conflict {
  if (or) throw reader.invalid('INSERT OR … and ON CONFLICT exclude each other')
  const isNamed = reader.take('on', 'constraint')
  const key = isNamed ? reader.identifier('a constraint') : reader.peek('(') ? reader.columns() : undefined
  if (reader.sees('where')) throw reader.unsupported('a key of a part of the rows', 'Write WHERE behind DO UPDATE SET.')
  reader.expect('DO NOTHING or DO UPDATE', 'do')
  if (reader.take('nothing')) return { key, does: { kind: 'nothing' } }
  reader.expect('DO NOTHING or DO UPDATE', 'update')
  reader.expect('SET', 'set')
  const set = assignments(reader, own, ['where'], ['returning'])
  const where = reader.take('where') ? reader.until('a condition', ['returning']) : undefined
  return { key, does: { kind: 'update', set, where } }
}

/** Among values: what the column gives itself. */
export const isDefault = ({ sql }: Pick<Piece, 'sql'>): boolean => /^default$/i.test(sql)

/** DEFAULT VALUES, or VALUES of which one is DEFAULT: DuckDB knows neither in a SELECT. */
function rowsWithDefaults(reader: Reader): Piece[][] | undefined {
  if (reader.take('default', 'values')) return []
  if (!reader.sees('values') || !reader.has('default')) return undefined
  return valueRows(reader)
}

/** `VALUES (1, 2), (3, 4)`; undefined where something else stands. */
export function valueRows(reader: Reader): Piece[][] | undefined {
  if (!reader.take('values')) return undefined
  const rows: Piece[][] = []
  do rows.push(reader.list(() => reader.until('a value', [','])))
  // A comma may stand at the end, as everywhere in DuckDB's lists.
  while (reader.takeSymbol(',') && reader.peek('('))
  return rows
}

function deletion(reader: Reader): RowChange {
  reader.take('from')
  const name = reader.tableOrBranch()
  const alias = reader.alias('using', 'where', 'returning')
  const using = reader.take('using') ? reader.until('a table', ['where'], ['returning']) : undefined
  const where = reader.take('where') ? reader.until('a condition', ['returning']) : undefined
  return { kind: 'delete', name, alias, using, where, returning: returning(reader) }
}

function update(reader: Reader): RowChange {
  const name = reader.tableOrBranch()
  const alias = reader.alias('set')
  reader.expect('SET', 'set')
  const set = assignments(reader, namesOf(name, alias), ['from'], ['where'], ['returning'])
  const from = reader.take('from') ? reader.until('a table', ['where'], ['returning']) : undefined
  const where = reader.take('where') ? reader.until('a condition', ['returning']) : undefined
  return { kind: 'update', name, alias, set, from, where, returning: returning(reader) }
}

/** What the changed table may be called before a column. */
type Names = readonly (readonly string[])[]
const namesOf = (name: WrittenName, alias: string | undefined): Names => [
  ...(alias === undefined ? [] : [[alias]]),
  ...name.map((_, index) => name.slice(index)),
]

/** A column of the table, and what is set inside of it. */
function assignedPath(reader: Reader, own: Names): Pick<Assignment, 'column' | 'inside'> {
  const parts = [reader.identifier('a column')]
  while (reader.takeSymbol('.')) parts.push(reader.identifier('a column'))
  const isBegin = (names: readonly string[]) =>
    parts.length > names.length && names.every((one, at) => one.toLowerCase() === parts[at]!.toLowerCase())
  const [column, ...inside] = parts.slice(own.find(isBegin)?.length ?? 0) as [string, ...string[]]
  return inside.length > 0 ? { column, inside } : { column }
}

function assignments(reader: Reader, own: Names, ...stops: string[][]): Assignment[] {
  const set: Assignment[] = []
  do {
    if (reader.peek('(')) set.push(...assignedTogether(reader))
    else {
      const path = assignedPath(reader, own)
      const item = !path.inside && reader.takeSymbol('[') ? assignedItem(reader) : undefined
      reader.expectSymbol('=')
      set.push({ ...path, ...(item && { item }), value: reader.until('a value', [','], ...stops) })
    }
  } while (reader.takeSymbol(','))
  return set
}

function assignedItem(reader: Reader): Piece {
  const item = reader.until('the number of an item', [':'])
  if (reader.peek(':')) throw reader.unsupported('a part of a list that is set', 'Set the whole column.')
  reader.expectSymbol(']')
  return item
}

/** `(a, b) = (1, 2)`. */
function assignedTogether(reader: Reader): Assignment[] {
  const columns = reader.columns()
  reader.expectSymbol('=')
  reader.take('row')
  if (reader.peek('(') && reader.peekAfterParen('select')) return assignedOfQuery(reader, columns)
  if (!reader.peek('(') || reader.peekAfterParen('with', 'from', 'values'))
    throw reader.unsupported('the columns of such a query as values', 'Write (SELECT …), or the table behind FROM.')
  const values = reader.list(() => reader.until('a value', [',']))
  if (values.length !== columns.length)
    throw reader.invalid(`${columns.length} columns are set to ${values.length} values`)
  return columns.map((column, index) => ({ column, value: values[index]! }))
}

/** `(a, b) = (SELECT x, y FROM …)`: each column from a query of its own, as a value is one. */
function assignedOfQuery(reader: Reader, columns: string[]): Assignment[] {
  reader.expectSymbol('(')
  const { sql, start } = reader.until('a SELECT')
  const count = itemsOfSelect(sql)
  if (count === undefined)
    throw reader.unsupported('* as values of columns', 'Name the columns of the SELECT one by one.')
  if (count !== columns.length)
    throw reader.invalid(`${columns.length} columns are set to ${count} columns of a SELECT`)
  reader.expectSymbol(')')
  const names = columns.map((_, index) => `bh_${index + 1}`)
  return columns.map((column, index) => {
    const before = `(SELECT ${names[index]!} FROM (`
    const value = { sql: `${before}${sql}\n) AS bh_q(${names.join(', ')}))`, start: start - before.length }
    return { column, value }
  })
}

/** How many columns a SELECT has; undefined where that is not written there. */
function itemsOfSelect(sql: string): number | undefined {
  const reader = new Reader(sql)
  reader.expect('SELECT', 'select')
  void (reader.take('distinct') || reader.take('all'))
  const ends = ['from', 'where', 'group', 'having', 'order', 'limit', 'offset', 'union', 'intersect', 'except']
  let count = 0
  do {
    const { sql: item } = reader.until('a value', [','], ...ends.map((word) => [word]))
    if (/(^|\.)\*|^columns\s*\(/i.test(item)) return undefined
    count++
  } while (reader.takeSymbol(','))
  return count
}

/** A list as that of a SELECT, and none of its other clauses. */
function returning(reader: Reader): Piece | undefined {
  const isGiven = reader.take('returning')
  if (isGiven && reader.sees('distinct')) throw reader.unsupported('RETURNING DISTINCT')
  const list = isGiven ? reader.until('what is told of each row', ...behindList) : undefined
  reader.end()
  return list
}
const behindList = 'where group having window qualify order limit offset fetch union intersect except'
  .split(' ')
  .map((word) => [word])

function merge(reader: Reader): RowChange {
  const evolves = reader.take('with', 'schema', 'evolution')
  reader.take('into')
  const name = reader.tableOrBranch()
  const alias = reader.alias('using')
  reader.expect('USING', 'using')
  const from = reader.until('a table', ['as'], ['on'], ['using'])
  const source: MergeSource = reader.take('as')
    ? { from, alias: reader.identifier('an alias'), ...(reader.peek('(') ? { columns: reader.columns() } : {}) }
    : withAlias(reader, from)
  const on = reader.take('using')
    ? reader.columns()
    : (reader.expect('ON', 'on'), reader.until('a condition', ['when']))
  const clauses: MergeClause[] = []
  while (reader.take('when')) clauses.push(mergeClause(reader, namesOf(name, alias)))
  if (clauses.length === 0) throw reader.invalid('expected WHEN')
  return {
    kind: 'merge',
    name,
    alias,
    ...sidesApart({ source, on, clauses }, name, alias),
    evolves,
    returning: returning(reader),
  }
}

/** `source s` or `(SELECT …) s`: the last word is the alias; a name alone is its own. */
function withAlias(reader: Reader, whole: Piece): MergeSource {
  // `(…) v(a, b)`: the alias gives names to the columns.
  const named = /[\w"]\s*(\([\w\s",]*\))$/.exec(whole.sql)
  if (whole.sql.startsWith('(') && named) {
    const columns = new Reader(named[1]!).columns()
    const from = { ...whole, sql: whole.sql.slice(0, -named[1]!.length) }
    return { ...withAlias(reader, from), columns }
  }
  const from = whole
  const hasAlias = /^[\w".$]+\s+(?:"(?:[^"]|"")*"|\w+)$/.test(from.sql)
  const last = /\s*("(?:[^"]|"")*"|[A-Za-z_][\w$]*)\s*$/.exec(from.sql)
  // DuckDB's name for one that nobody named.
  if (!last && from.sql.startsWith('(') && from.sql.endsWith(')')) return { from, alias: 'unnamed_subquery' }
  if (!last) throw reader.invalid('expected an alias for the rows that are merged')
  const alias = last[1]!.startsWith('"') ? last[1]!.slice(1, -1).replaceAll('""', '"') : last[1]!
  const isNamed = hasAlias || from.sql.startsWith('(')
  return { from: isNamed ? { ...from, sql: from.sql.slice(0, last.index) } : from, alias }
}

function mergeClause(reader: Reader, own: Names): MergeClause {
  const isNot = reader.take('not')
  reader.expect('MATCHED', 'matched')
  const when = !isNot
    ? 'matched'
    : reader.take('by', 'source')
      ? 'not-matched-by-source'
      : (reader.take('by', 'target'), 'not-matched')
  const and = reader.take('and') ? reader.until('a condition', ['then']) : undefined
  reader.expect('THEN', 'then')
  return { when, and, action: mergeAction(reader, own, when) }
}

function mergeAction(reader: Reader, own: Names, when: MergeClause['when']): MergeAction {
  const isOver = () => reader.isAtEnd() || reader.sees('when') || reader.sees('returning')
  if (reader.take('do', 'nothing')) return { kind: 'nothing' }
  if (reader.take('error'))
    return { kind: 'error', message: isOver() ? undefined : reader.until('a message', ['when'], ['returning']) }
  if (when === 'not-matched') {
    reader.expect('INSERT', 'insert')
    if (seesByName(reader)) return { kind: 'insert-all', byName: true }
    if (reader.takeSymbol('*') || isOver()) return { kind: 'insert-all', byName: false }
    if (reader.take('default', 'values')) return { kind: 'insert', columns: [], values: [] }
    const columns = reader.peek('(') ? reader.list(() => insertedColumn(reader, own)) : undefined
    reader.expect('VALUES', 'values')
    return { kind: 'insert', columns, values: reader.list(() => reader.until('a value', [','])) }
  }
  if (reader.take('delete')) return { kind: 'delete' }
  reader.expect('UPDATE or DELETE', 'update')
  if (seesByName(reader)) return { kind: 'update', set: 'by-name' }
  if (isOver()) return { kind: 'update', set: 'all' }
  reader.expect('SET', 'set')
  return { kind: 'update', set: reader.takeSymbol('*') ? 'all' : assignments(reader, own, ['when'], ['returning']) }
}

function insertedColumn(reader: Reader, own: Names): string {
  const { column, inside } = assignedPath(reader, own)
  if (inside) throw reader.invalid(`expected a column of the table, found ${[column, ...inside].join('.')}`)
  return column
}

/** `ALL BY NAME` is Snowflake's. */
const seesByName = (reader: Reader): boolean => reader.take('by', 'name') || reader.take('all', 'by', 'name')
