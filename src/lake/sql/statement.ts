// Statements that change data, parsed down to the SELECTs and expressions inside them. DuckDB's serialiser takes SELECTs
// only, and what these statements do is ours anyway: an Iceberg commit.

import type { NewPartitionField } from '../../iceberg/index.ts'
import { columnType } from './column-type.ts'
import { parseCommand, type Command } from './command.ts'
import { isElsewhere, refuseChange, refuseClause, refuseMade, refuseStatement } from './elsewhere.ts'
import { execute } from './execute.ts'
import { Reader, type Piece, type WrittenName } from './reader.ts'
import { ordering, orderings, transformed, type Ordering } from './placing.ts'
import { branchDropped, branchForwarded, branchMade, refAlteration, type RefAlteration } from './ref-alteration.ts'
import { rowChange, rowVerbs, type RowChange } from './row-change.ts'
import { quoteName, tokens } from './tokens.ts'
import { assigned, plainValue, propertiesSet, withProperties, type Properties } from './trino-properties.ts'
import { nextvalOf } from './sequence.ts'
import { parseWithChanges } from './with-changes.ts'

export type { WrittenName } from './reader.ts'

export type ColumnDefinition = {
  name: string
  /** DuckDB's name of the type, as written. */
  type: Piece
  required: boolean
  default: Piece | undefined
  comment: string | undefined
  /** PRIMARY KEY NOT ENFORCED. */
  isKey?: true
  identity?: Identity
}
/** `LIKE t INCLUDING DEFAULTS`: columns with their types, and whether they may be null. */
export type Like = {
  table: WrittenName
  including: ReadonlySet<(typeof likeKept)[number]>
  /** How many columns of its own the table has before those. */
  before: number
}
const likeKept = ['defaults', 'identity', 'comments', 'constraints', 'indexes'] as const
/** How a column numbers its rows. `always`: a value of somebody's own is refused. */
export type Identity = {
  always: boolean
  from: number
  /** It was written `serial`, which clients are told as the default that it is there. */
  serial?: true
  /** DEFAULT nextval('s'): the sequence that gives the numbers. */
  sequence?: WrittenName
}
/** What follows the columns of CREATE TABLE. */
export type TableClauses = {
  partitionedBy: NewPartitionField[] | undefined
  sortedBy: Ordering[] | undefined
  properties: Record<string, string>
  comment: string | undefined
}
export type Alteration =
  | {
      kind: 'add-column'
      path: string
      /** It was written as one name: its dots lead into nothing. */
      isName: boolean
      definition: Omit<ColumnDefinition, 'name'>
      ifNotExists: boolean
      place: 'first' | { after: string } | undefined
    }
  | { kind: 'drop-column'; path: string; ifExists: boolean }
  | { kind: 'rename-column'; path: string; to: string }
  | { kind: 'move-column'; path: string; place: 'first' | { after: string } | { before: string } }
  /** `using`: what the column becomes; without it, what it is, cast. */
  | { kind: 'type'; path: string; type: Piece; using?: Piece; comment?: string }
  | { kind: 'required'; path: string; required: boolean }
  | { kind: 'default'; path: string; value: Piece | undefined }
  | { kind: 'comment'; path: string | undefined; comment: string | undefined }
  | { kind: 'properties'; set: Record<string, string>; remove: string[] }
  /** `instead`: of this one, in the same new spec. */
  | { kind: 'add-partition'; field: NewPartitionField; instead?: NewPartitionField }
  | { kind: 'drop-partition'; field: NewPartitionField }
  /** These, and no others. */
  | { kind: 'partitions'; fields: NewPartitionField[] }
  | { kind: 'sort'; fields: Ordering[] }
  /** `drops`: these, and no others. */
  | { kind: 'identifiers'; paths: string[]; drops?: true }
  /** The same of a primary key, whose columns are never null. */
  | { kind: 'key'; paths: string[]; name: string | undefined; isEnforced: boolean }
  | { kind: 'named-key'; key: WrittenKey }
  | { kind: 'check'; check: WrittenCheck }
  | { kind: 'drop-constraint'; name: string; ifExists: boolean }
  | { kind: 'rename-constraint'; name: string; to: string }
  | { kind: 'enforcement'; name: string; isEnforced: boolean }
  | { kind: 'identity'; path: string; identity: Identity | undefined; ifExists: boolean }
  | RefAlteration

/** A constraint: what it is called, where it stands, and whether NOT ENFORCED stands behind it. */
export type Promised = {
  what: 'a primary key' | 'a unique key' | 'a foreign key'
  start: number
  unenforced?: true
  /** What is kept of it. */
  key?: WrittenKey
  /** Of a primary key: what it is called. */
  primary?: string | undefined
}
/** Columns of a table and the name that the key was given; `to`: of a foreign one, what it refers to, without columns its primary key. */
export type WrittenKey = {
  name: string | undefined
  columns: string[]
  /** Rows are held to it; of a foreign one it says nothing. */
  isEnforced?: boolean
  to?: { table: WrittenName; columns: string[] | undefined; rules?: KeyRules }
}
/** What would become of a row whose key goes or changes, if anything enforced it. */
export type KeyRules = { delete?: string; update?: string }

/** `holdsAlready`: rows that are there are not looked at. */
export type WrittenCheck = { name: string | undefined; condition: Piece; holdsAlready?: true }
/** What definitions say besides columns. */
type Constraints = { promised: Promised[]; checks: WrittenCheck[] }

export type Statement =
  | {
      kind: 'create-table'
      temporary: boolean
      onCommitDrop: boolean
      name: WrittenName
      replace: boolean
      /** REPLACE TABLE: there must be one. */
      alters: boolean
      ifNotExists: boolean
      columns: ColumnDefinition[] | undefined
      /** Whose columns it has; `columns` is then empty. */
      like: Like | undefined
      /** Columns of the primary key: Iceberg's identifier fields. */
      key: string[] | undefined
      promised: Promised[]
      checks: WrittenCheck[]
      select: Piece | undefined
      /** Of the SELECT only the columns are wanted. */
      isEmpty: boolean
      /** Of the SELECT's columns. */
      names: string[] | undefined
      clauses: TableClauses
    }
  | {
      kind: 'create-view'
      temporary: boolean
      name: WrittenName
      replace: boolean
      ifNotExists: boolean
      columns: string[] | undefined
      columnComments: Record<string, string>
      comment: string | undefined
      properties: Record<string, string>
      select: Piece
      /** ALTER VIEW: there must be one, and what is not said again stays. */
      alters?: true
    }
  | { kind: 'alter-view'; name: WrittenName; ifExists: boolean; set: Record<string, string>; remove: string[] }
  | RowChange
  /** `others`: names behind the first one, of which the same is meant. */
  | { kind: 'truncate'; name: WrittenName; others: readonly WrittenName[]; restart: boolean; ifExists: boolean }
  | { kind: 'alter'; name: WrittenName; ifExists: boolean; changes: Alteration[]; promised?: Promised[] }
  | { kind: 'rename'; name: WrittenName; what: 'table' | 'view'; to: WrittenName; ifExists: boolean }
  | { kind: 'drop'; what: 'table' | 'view'; name: WrittenName; others: readonly WrittenName[]; ifExists: boolean }
  | { kind: 'create-schema'; name: WrittenName; ifNotExists: boolean }
  | { kind: 'drop-schema'; name: WrittenName; ifExists: boolean; cascade: boolean }
  | { kind: 'comment-schema'; name: WrittenName; comment: string | undefined }

const verbs = [...rowVerbs, 'create', 'replace', 'drop', 'truncate', 'alter', 'comment']
const commandVerbs = ['call', 'grant', 'revoke', 'explain', 'copy']
const shown = ['grants', 'roles', 'create', 'tblproperties']

/** Whether the text begins like one of these statements; no SELECT does. */
export function isChange(sql: string): boolean {
  const [first, second] = tokens(sql)
  if (first?.kind !== 'word') return false
  const verb = first.text.toLowerCase()
  if (isElsewhere(sql)) return true
  if (verb === 'with' && /\b(insert|update|delete|merge)\b/i.test(sql)) return isChangeAfterWith(sql)
  if (verb === 'show') return second?.kind === 'word' && shown.includes(second.text.toLowerCase())
  return verbs.includes(verb) || commandVerbs.includes(verb)
}

function isChangeAfterWith(sql: string): boolean {
  try {
    if (parseWithChanges(sql)) return true
    return changeAfterWith(new Reader(sql)) !== undefined
  } catch {
    return false // what is wrong with it is DuckDB's to tell
  }
}

/** Undefined when the text is not one of these statements; SQL_INVALID or SQL_UNSUPPORTED when it begins like one. */
export function parseStatement(sql: string): Statement | Command | undefined {
  const reader = new Reader(sql)
  refuseStatement(reader)
  const command = parseCommand(reader)
  if (command) return command
  if (reader.sees('with')) {
    if (parseWithChanges(sql))
      throw reader.unsupported(
        'a WITH clause that changes rows, in such a place,',
        'Write the changes as statements of their own.',
      )
    const clause = changeAfterWith(reader)
    if (!clause) return undefined
    const statement = rowChange(reader)
    return statement && { ...statement, with: clause }
  }
  return rowChange(reader) ?? otherStatement(reader)
}

/** The WITH clause before one of the statements that change rows; undefined before anything else, a SELECT above all. */
function changeAfterWith(reader: Reader): Piece | undefined {
  const clause = reader.until('a WITH clause', ...rowVerbs.map((verb) => [verb]), ['select'], ['from'], ['values'])
  return rowVerbs.some((verb) => reader.sees(verb)) ? clause : undefined
}

function otherStatement(reader: Reader): Statement | Command | undefined {
  if (reader.take('create')) return create(reader)
  if (reader.sees('replace', 'table')) return create(reader)
  if (reader.take('drop')) return drop(reader)
  if (reader.take('truncate')) return truncate(reader)
  if (reader.take('alter')) return alter(reader)
  if (reader.take('comment')) return comment(reader)
  return undefined
}

function create(reader: Reader): Statement {
  // Spark's REPLACE TABLE is for one that is there.
  const alters = reader.take('replace')
  const replace = alters || reader.take('or', 'replace')
  if (reader.take('schema') || reader.take('namespace')) {
    const ifNotExists = reader.take('if', 'not', 'exists')
    const name = reader.name('a schema')
    if (!reader.isAtEnd())
      throw reader.unsupported(
        'a clause of CREATE SCHEMA',
        'Leave it out: a schema is a name; GRANT says who may what in it.',
      )
    return { kind: 'create-schema', name, ifNotExists }
  }
  const branch = branchMade(reader, replace)
  if (branch) return { kind: 'alter', name: branch.table, ifExists: false, changes: [branch.change] }
  const temporary = reader.take('temporary') || reader.take('temp')
  // PostgreSQL's word for a table that no crash brings back; here each is.
  if (!temporary) reader.take('unlogged')
  refuseMade(reader, 'CREATE')
  const isRecursive = reader.take('recursive')
  const view = reader.take('view')
  if (isRecursive && !view) reader.expect('VIEW', 'view')
  if (!view) reader.expect('TABLE, VIEW or SCHEMA', 'table')
  const ifNotExists = reader.take('if', 'not', 'exists')
  if (replace && ifNotExists) throw reader.invalid('OR REPLACE and IF NOT EXISTS exclude each other')
  const name = reader.name(view ? 'a view' : 'a table')
  if (view) {
    const clauses = viewClauses(reader)
    reader.expect('AS and a SELECT', 'as')
    const select = isRecursive ? readingItself(name, clauses.columns, reader) : reader.rest()
    const columns = isRecursive ? undefined : clauses.columns
    return { kind: 'create-view', temporary, name, replace, ifNotExists, ...clauses, columns, select }
  }
  const names = reader.seesNames() ? reader.columns() : undefined
  // Spark has LIKE without parentheses.
  const whole =
    !names && reader.take('like')
      ? { columns: [], like: likeOf(reader, 0), key: undefined, promised: [], checks: [] }
      : undefined
  const {
    columns,
    like,
    key,
    promised = [],
    checks = [],
  } = whole ?? (!names && reader.peek('(') ? definitions(reader) : {})
  const clauses = tableClauses(reader)
  const onCommitDrop = temporary && onCommit(reader)
  const { select, isEmpty } = reader.take('as') ? withData(reader.rest()) : { select: undefined, isEmpty: false }
  if (names && !select) throw reader.invalid('expected a type for each column, or AS and a SELECT')
  if (!columns && !select) throw reader.invalid('expected columns in parentheses, or AS and a SELECT')
  if (columns && select)
    throw reader.unsupported('a list of types together with AS SELECT', 'Cast in the SELECT instead.')
  reader.end()
  return {
    kind: 'create-table',
    temporary,
    onCommitDrop,
    name,
    replace,
    alters,
    ifNotExists,
    columns,
    like,
    key,
    promised,
    checks,
    select,
    isEmpty,
    names,
    clauses,
  }
}

/** `(a COMMENT 'x', b) COMMENT 'y' TBLPROPERTIES ('k' = 'v')`: between the name of a view and AS. */
function viewClauses(reader: Reader) {
  const columnComments: Record<string, string> = {}
  const commented = () => {
    const name = reader.identifier('a column')
    if (reader.take('comment')) columnComments[name] = reader.text('a comment')
    return name
  }
  const columns = reader.peek('(') ? reader.list(commented) : undefined
  let comment: string | undefined
  let given: Record<string, string> = {}
  for (;;)
    if (reader.take('comment')) comment = reader.text('a comment')
    else if (reader.take('tblproperties')) given = properties(reader)
    else if (reader.sees('security') || reader.sees('sql', 'security'))
      throw reader.unsupported(
        'SECURITY',
        'Leave it out: a view reads with the grants of its maker, and shows nobody rows and values that are hidden from them.',
      )
    else return { columns, columnComments, comment, properties: given }
}

/** `CREATE RECURSIVE VIEW n (a) AS SELECT …`: what WITH RECURSIVE of that name gives. */
function readingItself(view: WrittenName, columns: string[] | undefined, reader: Reader): Piece {
  if (!columns) throw reader.invalid('a recursive view has its columns in parentheses behind its name')
  const name = quoteName(view.at(-1)!)
  const names = columns.map(quoteName).join(', ')
  const before = `WITH RECURSIVE ${name}(${names}) AS (`
  const { sql, start } = reader.rest()
  return { sql: `${before}${sql}\n) SELECT ${names} FROM ${name}`, start: start - before.length }
}

/** Whether a temporary table goes when the transaction ends. */
function onCommit(reader: Reader): boolean {
  if (!reader.take('on', 'commit')) return false
  if (reader.take('drop')) return true
  if (!reader.take('preserve', 'rows')) throw reader.unsupported('ON COMMIT DELETE ROWS', 'Write DELETE FROM.')
  return false
}

/** `… AS SELECT … WITH [NO] DATA`. */
function withData(select: Piece): { select: Piece; isEmpty: boolean } {
  const last = [...tokens(select.sql)].slice(-3)
  const words = last.map(({ kind, text }) => (kind === 'word' ? text.toLowerCase() : ''))
  const isEmpty = words.join(' ') === 'with no data'
  const begin = isEmpty ? last[0] : words.slice(-2).join(' ') === 'with data' ? last.at(-2) : undefined
  return { select: begin ? { ...select, sql: select.sql.slice(0, begin.start) } : select, isEmpty }
}

function definitions(reader: Reader): {
  columns: ColumnDefinition[]
  like: Like | undefined
  key: string[] | undefined
  promised: Promised[]
  checks: WrittenCheck[]
} {
  const keys: string[][] = []
  const constraints: Constraints = { promised: [], checks: [] }
  let like: Like | undefined
  const columns: ColumnDefinition[] = []
  reader.list(() => {
    if (reader.take('like')) {
      if (like) throw reader.unsupported('a second LIKE', 'Name the columns.')
      like = likeOf(reader, columns.length)
      return
    }
    const constraint = tableConstraint(reader, constraints)
    if (constraint === 'kept') return
    if (constraint) {
      keys.push(constraint)
      return
    }
    const name = reader.identifier('a column')
    columns.push({ name, ...definition(reader, name, constraints) })
  })
  const marked = columns.filter(({ isKey }) => isKey).map(({ name }) => name)
  if (marked.length > 0) keys.push(marked)
  if (keys.length > 1) throw reader.invalid('a table has one primary key')
  return { columns, like, key: keys[0], ...constraints }
}

/** Behind LIKE. Of what else PostgreSQL includes a table here has nothing. */
function likeOf(reader: Reader, before: number): Like {
  const table = reader.name('a table')
  const including = new Set<(typeof likeKept)[number]>()
  for (;;) {
    const adds = reader.take('including')
    if (!adds && !reader.take('excluding')) return { table, including, before }
    const what = reader.identifier('what to include').toLowerCase()
    for (const one of likeKept)
      if (what === one || what === 'all') {
        if (adds) including.add(one)
        else including.delete(one)
      }
  }
}

/**
 * `[CONSTRAINT name] PRIMARY KEY (…) | UNIQUE (…) | FOREIGN KEY (…) REFERENCES … | CHECK (…)`: the columns of a primary key; the
 * others are among the constraints. Undefined where something else stands.
 */
function tableConstraint(reader: Reader, { promised, checks }: Constraints): string[] | 'kept' | undefined {
  const start = reader.at()
  const isNamed = reader.sees('constraint') && !reader.isFollowedBy(',')
  const sees = (...words: string[]) => reader.sees(...words) && (isNamed || reader.isFollowedBy(...words.slice(1), '('))
  let name: string | undefined
  if (isNamed) {
    reader.take('constraint')
    name = reader.identifier('a constraint')
  }
  if (sees('primary', 'key')) {
    reader.take('primary', 'key')
    const key = reader.columns()
    unenforced(reader, { what: 'a primary key', start, primary: name }, promised)
    return key
  }
  if (sees('unique')) {
    reader.take('unique')
    if (reader.take('nulls', 'not', 'distinct'))
      throw reader.unsupported('a key in which nulls are alike', 'Leave NULLS NOT DISTINCT away.')
    reader.take('nulls', 'distinct')
    unenforced(reader, { what: 'a unique key', start, key: { name, columns: reader.columns() } }, promised)
    return 'kept'
  }
  if (sees('foreign', 'key')) {
    reader.take('foreign', 'key')
    references(reader, start, { name, columns: reader.columns() }, promised)
    return 'kept'
  }
  if (sees('check')) {
    checks.push(check(reader, name))
    return 'kept'
  }
  if (isNamed) throw reader.invalid('expected PRIMARY KEY, UNIQUE, FOREIGN KEY or CHECK')
  return undefined
}

/** `CHECK (amount > 0) [NO INHERIT] [NOT VALID]`. */
function check(reader: Reader, name: string | undefined): WrittenCheck {
  reader.expect('CHECK', 'check')
  reader.expectSymbol('(')
  const condition = reader.until('a condition')
  reader.expectSymbol(')')
  reader.take('no', 'inherit')
  if (reader.sees('not', 'enforced'))
    throw reader.unsupported('a CHECK that is not enforced', 'Leave NOT ENFORCED away: rows that come are held to it.')
  return { name, condition, ...(reader.take('not', 'valid') ? { holdsAlready: true } : {}) }
}

/** `REFERENCES t (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED`. */
function references(reader: Reader, start: number, key: Omit<WrittenKey, 'to'>, promised: Promised[]): void {
  reader.expect('REFERENCES', 'references')
  const table = reader.name('a table')
  const columns = reader.peek('(') ? reader.columns() : undefined
  const rules: KeyRules = {}
  for (;;) {
    const when = (['delete', 'update'] as const).find((one) => reader.take('on', one))
    if (when) {
      const actions = [['cascade'], ['restrict'], ['no', 'action'], ['set', 'null'], ['set', 'default']]
      const action = actions.find((one) => reader.take(...one))
      if (!action) throw reader.invalid('expected CASCADE, RESTRICT or SET NULL')
      if (action[0] !== 'no') rules[when] = action.join(' ')
    } else if (reader.take('match')) reader.identifier('a kind of match')
    else if (!deferral(reader)) break
  }
  unenforced(reader, { what: 'a foreign key', start, key: { ...key, to: { table, columns, rules } } }, promised)
}

/** When a key would be looked at: `NOT DEFERRABLE`, `DEFERRABLE INITIALLY DEFERRED`. */
function deferral(reader: Reader): boolean {
  if (reader.take('deferrable') || reader.take('not', 'deferrable')) return true
  if (!reader.take('initially')) return false
  if (!reader.take('deferred')) reader.expect('DEFERRED or IMMEDIATE', 'immediate')
  return true
}

function unenforced(reader: Reader, one: Promised, promised: Promised[]): void {
  while (deferral(reader) || reader.take('not', 'valid'));
  promised.push(reader.take('not', 'enforced') ? { ...one, unenforced: true } : one)
}

const columnWords = [
  ['not', 'null'],
  ['null'],
  ['default'],
  ['comment'],
  ['first'],
  ['after'],
  ['primary'],
  ['unique'],
  ['check'],
  ['references'],
  ['constraint'],
  ['generated', 'always'],
  ['generated', 'by'],
  ['collate'],
  ['as'],
  [','],
]

function definition(reader: Reader, column: string, { promised, checks }: Constraints): Omit<ColumnDefinition, 'name'> {
  if (reader.sees('as') || reader.sees('generated')) throw noComputed(reader)
  const written = columnType(reader, ...columnWords)
  const counted = serials.get(written.sql.toLowerCase())
  const type = counted ? { ...written, sql: counted } : written
  const result: Omit<ColumnDefinition, 'name'> = { type, required: false, default: undefined, comment: undefined }
  if (counted)
    Object.assign(result, { required: true, identity: { always: false, from: 1, serial: true } satisfies Identity })
  let constraint: string | undefined
  for (;;) {
    if (reader.take('not', 'null')) result.required = true
    else if (reader.take('default')) {
      const value = reader.until('a value', ...columnWords)
      const sequence = nextvalOf(value.sql)
      if (sequence) result.identity = { always: false, from: 1, sequence }
      else result.default = value
    } else if (reader.take('comment')) result.comment = reader.text('a comment')
    else if (reader.take('generated')) Object.assign(result, { required: true, identity: identity(reader) })
    else if (reader.sees('as')) throw noComputed(reader)
    else if (reader.take('collate')) checkCollation(reader)
    else if (reader.take('constraint')) constraint = reader.identifier('a constraint')
    else if (reader.sees('primary', 'key')) {
      const start = reader.at()
      reader.take('primary', 'key')
      unenforced(reader, { what: 'a primary key', start, primary: constraint }, promised)
      result.isKey = true
    } else if (reader.sees('unique')) {
      const start = reader.at()
      reader.take('unique')
      unenforced(reader, { what: 'a unique key', start, key: { name: constraint, columns: [column] } }, promised)
    } else if (reader.sees('references'))
      references(reader, reader.at(), { name: constraint, columns: [column] }, promised)
    else if (reader.sees('check')) checks.push(check(reader, constraint))
    else if (!reader.take('null')) return result
  }
}

/** What PostgreSQL calls whole numbers that number their rows, by DuckDB's names. */
const serials = new Map([
  ['serial', 'INTEGER'],
  ['serial4', 'INTEGER'],
  ['bigserial', 'BIGINT'],
  ['serial8', 'BIGINT'],
  ['smallserial', 'SMALLINT'],
  ['serial2', 'SMALLINT'],
])

const noComputed = (reader: Reader) =>
  reader.unsupported('a column that is computed', 'Make a view of the table that computes it.')

/** Texts are compared byte by byte: that is what some collations say too. */
function checkCollation(reader: Reader): void {
  const name = reader.path().split('.').at(-1)!
  if (!['default', 'c', 'posix', 'binary', 'ucs_basic'].includes(name.toLowerCase()))
    throw reader.unsupported(
      `the collation ${name} of a column`,
      'Write it where texts are compared: ORDER BY name COLLATE NOCASE.',
    )
}

/** Behind GENERATED. */
function identity(reader: Reader): Identity {
  const always = reader.take('always')
  if (!always) reader.expect('ALWAYS or BY DEFAULT', 'by', 'default')
  reader.expect('AS IDENTITY', 'as')
  if (reader.peek('(')) throw noComputed(reader)
  reader.expect('IDENTITY', 'identity')
  let from = 1
  if (!reader.takeSymbol('(')) return { always, from }
  while (!reader.takeSymbol(')'))
    if (reader.take('start')) {
      reader.take('with')
      from = reader.whole('a whole number')
    } else if (reader.take('increment')) {
      reader.take('by')
      if (reader.whole('a whole number') !== 1) throw reader.unsupported('a step other than 1')
    } else if (reader.take('cache') || reader.take('minvalue') || reader.take('maxvalue'))
      reader.until('a number', ['start'], ['increment'], ['cache'], ['minvalue'], ['maxvalue'], ['no'], ['cycle'])
    else if (reader.take('sequence', 'name')) reader.name('a name')
    else if (!reader.take('no', 'cycle') && !reader.take('no', 'minvalue') && !reader.take('no', 'maxvalue'))
      throw reader.invalid('expected START WITH a number')
  return { always, from }
}

function tableClauses(reader: Reader): TableClauses {
  const clauses: TableClauses = { partitionedBy: undefined, sortedBy: undefined, properties: {}, comment: undefined }
  for (;;) {
    if (reader.take('partitioned', 'by')) clauses.partitionedBy = reader.list(() => transformed(reader))
    else if (reader.take('sorted', 'by')) clauses.sortedBy = reader.list(() => ordering(reader))
    else if (reader.take('comment')) clauses.comment = reader.text('a comment')
    else if (reader.take('tblproperties')) Object.assign(clauses.properties, properties(reader))
    else if (reader.take('with')) {
      const { partitionedBy, sortedBy, properties: given } = withProperties(reader)
      Object.assign(clauses, partitionedBy && { partitionedBy }, sortedBy && { sortedBy })
      Object.assign(clauses.properties, given)
    } else if (reader.take('using')) {
      if (!reader.take('iceberg')) throw reader.unsupported('a format other than ICEBERG')
    } else {
      refuseClause(reader)
      return clauses
    }
  }
}

/** `('a.b' = 'x', c = 1)`. */
const properties = (reader: Reader): Record<string, string> =>
  Object.fromEntries(
    reader.list(() => {
      const { name, value } = assigned(reader)
      return [name, plainValue(value)]
    }),
  )
const propertyName = (reader: Reader): string =>
  reader.peekText().startsWith("'") ? reader.text('a property') : reader.path()

function truncate(reader: Reader): Statement {
  reader.take('table')
  const ifExists = reader.take('if', 'exists')
  const [name, ...others] = names(reader, 'a table')
  if (reader.sees('partition'))
    throw reader.unsupported('TRUNCATE … PARTITION', "Write DELETE FROM t WHERE region = 'x': whole files go unread.")
  const restart = reader.take('restart', 'identity')
  if (!restart) reader.take('continue', 'identity')
  // No table keeps another's keys, so there is nothing to go along.
  void (reader.take('cascade') || reader.take('restrict'))
  reader.end()
  return { kind: 'truncate', name, others, restart, ifExists }
}

function drop(reader: Reader): Statement {
  const branch = branchDropped(reader)
  if (branch) return { kind: 'alter', name: branch.table, ifExists: false, changes: [branch.change] }
  if (reader.take('schema') || reader.take('namespace')) {
    const ifExists = reader.take('if', 'exists')
    const name = reader.name('a schema')
    const cascade = reader.take('cascade')
    reader.take('restrict')
    reader.end()
    return { kind: 'drop-schema', name, ifExists, cascade }
  }
  refuseMade(reader, 'DROP')
  const view = reader.take('view')
  if (!view) reader.expect('TABLE, VIEW or SCHEMA', 'table')
  const ifExists = reader.take('if', 'exists')
  const [name, ...others] = names(reader, view ? 'a view' : 'a table')
  // Views that read it stay, as they do in DuckDB: each is looked at again whenever it is read.
  void (reader.take('cascade') || reader.take('restrict'))
  if (reader.sees('purge'))
    throw reader.unsupported(
      'PURGE',
      'Leave it out: a drop can be rolled back for a week, and `boathouse table orphans --dropped` deletes the files then.',
    )
  reader.end()
  return { kind: 'drop', what: view ? 'view' : 'table', name, others, ifExists }
}

const names = (reader: Reader, what: string): [WrittenName, ...WrittenName[]] =>
  reader.separated(() => reader.name(what))

/** `COMMENT ON TABLE t IS '…'`, `COMMENT ON COLUMN t.c IS NULL`. */
function comment(reader: Reader): Statement {
  reader.expect('ON', 'on')
  for (const one of ['database', 'catalog'])
    if (reader.sees(one) && reader.isNamedAfter(1))
      throw reader.unsupported(
        `COMMENT ON ${one.toUpperCase()}`,
        'Comments are kept of schemas, tables, views and columns.',
      )
  if (reader.take('schema') || reader.take('namespace')) {
    const name = reader.name('a schema')
    return { kind: 'comment-schema', name, comment: commentGiven(reader) }
  }
  const isColumn = reader.take('column')
  if (!isColumn) void (reader.take('view') || reader.expect('TABLE or COLUMN', 'table'))
  const { table, column: path } = isColumn
    ? reader.columnOfTable()
    : { table: reader.name('a table'), column: undefined }
  const changes: Alteration[] = [{ kind: 'comment', path, comment: commentGiven(reader) }]
  return { kind: 'alter', name: table, ifExists: false, changes }
}

/** `IS 'text'`; `IS NULL` takes a comment away. */
function commentGiven(reader: Reader): string | undefined {
  reader.expect('IS', 'is')
  const text = reader.take('null') ? undefined : reader.text('a comment')
  reader.end()
  return text
}

function alter(reader: Reader): Statement | Command {
  const forwarded = branchForwarded(reader)
  if (forwarded) return forwarded
  for (const who of ['user', 'role'])
    if (reader.sees(who))
      throw reader.unsupported(
        `ALTER ${who.toUpperCase()}`,
        'Users and their passwords are changed by `boathouse user`.',
      )
  for (const one of ['schema', 'namespace', 'database'])
    if (reader.sees(one))
      throw reader.unsupported(
        `ALTER ${one.toUpperCase()}`,
        'Make a schema of the other name, and write ALTER TABLE … RENAME TO schema.t for each table.',
      )
  const what = reader.take('view') ? 'view' : (reader.expect('TABLE or VIEW', 'table'), 'table')
  const ifExists = reader.take('if', 'exists')
  // No table here has others below it.
  reader.take('only')
  const name = reader.name(`a ${what}`)
  if (reader.take('rename', 'to')) {
    const to = reader.name(`a ${what}`)
    reader.end()
    return { kind: 'rename', name, what, to, ifExists }
  }
  if (reader.take('set', 'schema')) {
    const to = [...name.slice(0, -2), reader.identifier('a schema'), name.at(-1)!]
    reader.end()
    return { kind: 'rename', name, what, to, ifExists }
  }
  if (what === 'table' && reader.take('execute')) return execute(reader, name)
  if (what === 'view') return alterView(reader, name, ifExists)
  const constraints: Constraints = { promised: [], checks: [] }
  const changes = reader.separated(() => alteration(reader, constraints)).flat()
  reader.end()
  const checks = constraints.checks.map((one) => ({ kind: 'check' as const, check: one }))
  return { kind: 'alter', name, ifExists, changes: [...changes, ...checks], promised: constraints.promised }
}

/** As Spark has it. */
function alterView(reader: Reader, name: WrittenName, ifExists: boolean): Statement {
  if (!ifExists && reader.take('as')) {
    const none = { columns: undefined, columnComments: {}, comment: undefined, properties: {} }
    const how = { temporary: false, replace: true, ifNotExists: false, alters: true } as const
    return { kind: 'create-view', name, ...how, ...none, select: reader.rest() }
  }
  const isSet = reader.take('set')
  if (!isSet && !reader.take('unset'))
    throw reader.unsupported('this change of a view', 'Write CREATE OR REPLACE VIEW.')
  void (reader.take('tblproperties') || reader.take('properties'))
  if (!isSet) reader.take('if', 'exists')
  const [set, remove] = isSet ? [properties(reader), []] : [{}, reader.list(() => propertyName(reader))]
  reader.end()
  return { kind: 'alter-view', name, ifExists, set, remove }
}

function alteration(reader: Reader, constraints: Constraints): Alteration[] {
  refuseChange(reader)
  if (reader.take('drop', 'constraint')) {
    const ifExists = reader.take('if', 'exists')
    const name = reader.identifier('a constraint')
    void (reader.take('cascade') || reader.take('restrict'))
    return [{ kind: 'drop-constraint', name, ifExists }]
  }
  // There is nothing that would hold rows to it.
  if (reader.take('validate', 'constraint')) {
    reader.identifier('a constraint')
    return []
  }
  if (reader.take('add')) return added(reader, constraints)
  const ref = refAlteration(reader)
  if (ref) return [ref]
  if (reader.take('drop')) {
    if (reader.take('partition', 'field')) return [{ kind: 'drop-partition', field: transformed(reader) }]
    if (reader.take('identifier', 'fields'))
      return [{ kind: 'identifiers', paths: reader.separated(() => reader.path()), drops: true }]
    const isSeveral = reader.take('columns')
    if (!isSeveral) reader.take('column')
    const ifExists = reader.take('if', 'exists')
    const path = () => reader.path()
    const paths = reader.peek('(') ? reader.list(path) : isSeveral ? reader.separated(path) : [path()]
    void (reader.take('cascade') || reader.take('restrict'))
    return paths.map((path) => ({ kind: 'drop-column', path, ifExists }))
  }
  if (reader.take('replace', 'partition', 'field')) {
    const old = transformed(reader)
    reader.expect('WITH', 'with')
    return [{ kind: 'add-partition', field: transformed(reader), instead: old }]
  }
  if (reader.take('rename')) {
    if (reader.sees('constraint') && !reader.isFollowedBy('to')) {
      reader.take('constraint')
      const name = reader.identifier('a constraint')
      reader.expect('TO', 'to')
      return [{ kind: 'rename-constraint', name, to: reader.identifier('a constraint') }]
    }
    reader.take('column')
    const path = reader.path()
    reader.expect('TO', 'to')
    return [{ kind: 'rename-column', path, to: reader.identifier('a column') }]
  }
  if (reader.take('set', 'identifier', 'fields'))
    return [{ kind: 'identifiers', paths: reader.separated(() => reader.path()) }]
  if (reader.take('set', 'sorted', 'by')) return [{ kind: 'sort', fields: orderings(reader) }]
  if (reader.take('set', 'partitioned', 'by'))
    return [{ kind: 'partitions', fields: reader.list(() => transformed(reader)) }]
  if (reader.take('reset', 'partitioned', 'by')) return [{ kind: 'partitions', fields: [] }]
  if (reader.take('reset', 'sorted', 'by')) return [{ kind: 'sort', fields: [] }]
  if (reader.take('write')) return written(reader)
  if (reader.take('set', 'comment')) return [{ kind: 'comment', path: undefined, comment: reader.text('a comment') }]
  if (reader.take('set')) {
    if (reader.take('properties') && !reader.peek('(')) return asTrinoHas(propertiesSet(reader))
    reader.take('tblproperties')
    return [{ kind: 'properties', set: properties(reader), remove: [] }]
  }
  if (reader.take('unset') || reader.take('reset')) {
    reader.take('tblproperties')
    reader.take('properties')
    reader.take('if', 'exists')
    return [{ kind: 'properties', set: {}, remove: reader.list(() => propertyName(reader)) }]
  }
  if (reader.sees('alter', 'constraint') && !reader.isFollowedBy('constraint', 'type')) {
    reader.take('alter', 'constraint')
    const name = reader.identifier('a constraint')
    const isEnforced = !reader.take('not', 'enforced')
    if (isEnforced) reader.expect('ENFORCED or NOT ENFORCED', 'enforced')
    return [{ kind: 'enforcement', name, isEnforced }]
  }
  if (reader.take('alter')) {
    reader.take('column')
    const isField = reader.isFollowedBy('.')
    return [columnChange(reader, reader.path(), isField)]
  }
  const before = ' or CREATE BRANCH: each change of a list says what it does, ADD COLUMN a int, ADD COLUMN b int'
  throw reader.invalid(`expected ADD, DROP, RENAME, ALTER, SET, UNSET${before}`)
}

const asTrinoHas = ({ partitionedBy, sortedBy, properties: set, remove }: Properties): Alteration[] => [
  { kind: 'properties', set, remove },
  ...(partitionedBy ? [{ kind: 'partitions' as const, fields: partitionedBy }] : []),
  ...(sortedBy ? [{ kind: 'sort' as const, fields: sortedBy }] : []),
]

/**
 * Spark's `WRITE ORDERED BY a`, `WRITE LOCALLY ORDERED BY a`, `WRITE DISTRIBUTED BY PARTITION`, `WRITE UNORDERED`, two of them in
 * either order. How rows are spread over tasks is Spark's to do: it is told by a property.
 */
function written(reader: Reader): Alteration[] {
  let fields: Ordering[] | undefined
  let spread: 'hash' | 'none' | 'range' | undefined
  let isSpread = false
  while (!reader.isAtEnd() && !reader.peek(',')) {
    if (!isSpread && reader.take('distributed', 'by', 'partition')) [isSpread, spread] = [true, 'hash']
    else if (!fields && reader.take('unordered')) [fields, spread] = [[], spread ?? 'none']
    else if (!fields && reader.take('locally', 'ordered', 'by')) fields = orderings(reader)
    else if (!fields && reader.take('ordered', 'by')) [fields, spread] = [orderings(reader), spread ?? 'range']
    else throw reader.invalid('expected ORDERED BY, LOCALLY ORDERED BY, UNORDERED or DISTRIBUTED BY PARTITION')
  }
  if (!fields && !isSpread) throw reader.invalid('expected ORDERED BY, UNORDERED or DISTRIBUTED BY PARTITION')
  return [
    { kind: 'sort', fields: fields ?? [] },
    ...(spread ? [{ kind: 'properties' as const, set: { 'write.distribution-mode': spread }, remove: [] }] : []),
  ]
}

/** The keys that are kept by their names, of what is promised. */
export const namedKeys = (promised: readonly Promised[]): WrittenKey[] =>
  promised.flatMap(({ key, unenforced }) => (key ? [{ ...key, isEnforced: !unenforced }] : []))

/** Whether rows are held to the primary key, of what is promised. */
export const isPrimaryEnforced = (promised: readonly Promised[]): boolean =>
  promised.some(({ what, unenforced }) => what === 'a primary key' && !unenforced)

/** What the primary key is called, where it was given a name. */
export const primaryNamed = (promised: readonly Promised[]): string | undefined =>
  promised.find(({ primary }) => primary !== undefined)?.primary

function added(reader: Reader, constraints: Constraints): Alteration[] {
  if (reader.take('partition', 'field')) return [{ kind: 'add-partition', field: transformed(reader) }]
  if (reader.peek('(')) throw reader.unsupported('several columns in parentheses', 'Write ADD COLUMN for each.')
  const { promised } = constraints
  const before = promised.length
  const constraint = tableConstraint(reader, constraints)
  if (Array.isArray(constraint)) {
    const own = promised.slice(before)
    return [{ kind: 'key', paths: constraint, name: primaryNamed(own), isEnforced: isPrimaryEnforced(own) }]
  }
  const columns = constraint ? [] : addedColumns(reader, constraints)
  const keys = namedKeys(promised.slice(before)).map((key) => ({ kind: 'named-key' as const, key }))
  return [...columns, ...keys]
}

function addedColumns(reader: Reader, constraints: Constraints): Alteration[] {
  if (reader.take('columns')) return reader.list(() => addition(reader, constraints))
  if (reader.take('column') && reader.peek('(')) return reader.list(() => addition(reader, constraints))
  return [addition(reader, constraints)]
}

function addition(reader: Reader, constraints: Constraints): Alteration {
  const ifNotExists = reader.take('if', 'not', 'exists')
  const isName = !reader.isFollowedBy('.')
  const path = reader.path()
  const about = definition(reader, path, constraints)
  if (about.isKey) throw reader.unsupported('a key in ADD COLUMN', 'Write SET IDENTIFIER FIELDS after it.')
  const place = placeOf(reader, isName ? undefined : path)
  return { kind: 'add-column', path, isName, definition: about, ifNotExists, place }
}

/** `field`: the path of what is placed inside of a column. Spark names the field beside it alone. */
function placeOf(reader: Reader, field?: string): 'first' | { after: string } | undefined {
  if (reader.take('first')) return 'first'
  return reader.take('after') ? { after: beside(reader, field) } : undefined
}

function beside(reader: Reader, field: string | undefined): string {
  const isName = !reader.isFollowedBy('.')
  const path = reader.path()
  return isName && field !== undefined ? `${field.slice(0, field.lastIndexOf('.'))}.${path}` : path
}

function newType(reader: Reader): { type: Piece; using?: Piece } {
  const type = columnType(reader, [','], ['collate'], ['using'], ['comment'])
  if (reader.take('collate')) checkCollation(reader)
  return reader.take('using') ? { type, using: reader.until('a value', [',']) } : { type }
}

function columnChange(reader: Reader, path: string, isField: boolean): Alteration {
  if (reader.take('set', 'data', 'type') || reader.take('set', 'type') || reader.take('type'))
    return {
      kind: 'type',
      path,
      ...newType(reader),
      ...(reader.take('comment') && { comment: reader.text('a comment') }),
    }
  if (reader.take('add', 'generated')) return { kind: 'identity', path, identity: identity(reader), ifExists: false }
  if (reader.take('drop', 'identity'))
    return { kind: 'identity', path, identity: undefined, ifExists: reader.take('if', 'exists') }
  if (reader.take('set', 'not', 'null')) return { kind: 'required', path, required: true }
  if (reader.take('drop', 'not', 'null')) return { kind: 'required', path, required: false }
  if (reader.take('set', 'default')) {
    const value = reader.until('a value', [','])
    const sequence = nextvalOf(value.sql)
    if (!sequence) return { kind: 'default', path, value }
    return { kind: 'identity', path, identity: { always: false, from: 1, sequence }, ifExists: false }
  }
  if (reader.take('drop', 'default')) return { kind: 'default', path, value: undefined }
  if (reader.take('comment')) return { kind: 'comment', path, comment: reader.text('a comment') }
  const field = isField ? path : undefined
  const place = reader.take('before') ? { before: beside(reader, field) } : placeOf(reader, field)
  if (place) return { kind: 'move-column', path, place }
  throw reader.invalid('expected SET, DROP, TYPE, COMMENT, FIRST, AFTER or BEFORE')
}
