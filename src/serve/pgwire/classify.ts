// What kind of statement a text is, as far as the connection must know: what it does itself, what ends or begins
// transactions, what gives rows. Everything else is the lake's.

import { Failure } from '../../base/failure.ts'
import {
  isChange,
  nameOf,
  parseWithChanges,
  placeAt,
  quoteName,
  splitAtCommas,
  tokens,
  type Token,
} from '../../lake/index.ts'

export type CopyFormat = {
  format: 'text' | 'csv' | 'binary'
  delimiter: string
  nullText: string
  header: boolean
  quote: string
  escape: string
  forceQuote: CopyColumns
  /** Of CSV that is read: these columns take the text of nulls for one in quotes, too, or not even without. */
  forceNull: CopyColumns
  forceNotNull: CopyColumns
}
/** Columns that an option of COPY is for, in small letters. */
export type CopyColumns = 'all' | readonly string[]
export const isFor = (columns: CopyColumns, name: string): boolean =>
  columns === 'all' || columns.includes(name.toLowerCase())

/** Which rows of a cursor: so many from where it stands (backward: less than none), or one alone, by its number or from there. */
export type Where = { kind: 'rows' | 'absolute' | 'relative'; count: number }
export type IndexName = { schema: string | undefined; name: string }
export type Command =
  | { kind: 'empty' }
  /** SELECT and whatever else gives rows; or, without them, a statement of another kind. `changes`: it changes rows. */
  | { kind: 'lake'; rows: boolean; changes?: true }
  /** BEGIN, COMMIT, SAVEPOINT …; `tag` is answered where there is nothing to do. */
  | { kind: 'transaction'; does: 'begin' | 'end' | 'other'; tag: string }
  | { kind: 'set'; name: string; value: string | undefined; local: boolean }
  | { kind: 'show'; name: string }
  | { kind: 'reset'; name: string }
  /** Heard and not done; `notice` says why. */
  | { kind: 'nothing'; tag: string; notice?: string }
  /** `sql`: the same as a constraint of the table, which is kept. */
  | { kind: 'unique-index'; sql: string }
  /** An environment is one. */
  | { kind: 'create-database'; name: string }
  | { kind: 'drop-index'; names: IndexName[] }
  | { kind: 'rename-index'; name: IndexName; to: string }
  | { kind: 'discard'; tag: string; all: boolean }
  | { kind: 'deallocate'; name: string | undefined }
  /** `types`: those that are written of its parameters. */
  | { kind: 'prepare'; name: string; types: string[]; start: number }
  | { kind: 'execute'; name: string; arguments: string[] }
  | { kind: 'declare'; name: string; binary: boolean; hold: boolean; scroll: boolean; start: number }
  | { kind: 'fetch'; name: string; where: Where; move: boolean }
  | { kind: 'close'; name: string | undefined }
  | { kind: 'copy'; query: string; start: number; to: CopyFormat }
  /** `into`: the table, with the columns that are named. */
  | { kind: 'copy-in'; query: string; into: string; named: readonly string[]; start: number; from: CopyFormat }

const changes = new Set('create drop alter truncate comment grant revoke replace rename copy refresh'.split(' '))
/** SHOW of these is the lake's. */
const shownByLake = new Set(
  'branches catalogs columns create databases grants namespaces roles schemas tables tblproperties views'.split(' '),
)

export function classify(sql: string): Command {
  const head = new Head(sql)
  const word = head.word()
  switch (word) {
    case undefined:
      return head.isEmpty ? { kind: 'empty' } : { kind: 'lake', rows: true }
    case 'begin':
      return { kind: 'transaction', does: 'begin', tag: 'BEGIN' }
    case 'start':
      return { kind: 'transaction', does: 'begin', tag: 'START TRANSACTION' }
    case 'commit':
    case 'end':
      return { kind: 'transaction', does: 'end', tag: 'COMMIT' }
    case 'abort':
      return { kind: 'transaction', does: 'end', tag: 'ROLLBACK' }
    case 'rollback':
      return head.has('to')
        ? { kind: 'transaction', does: 'other', tag: 'ROLLBACK' }
        : { kind: 'transaction', does: 'end', tag: 'ROLLBACK' }
    case 'savepoint':
    case 'release':
      return { kind: 'transaction', does: 'other', tag: word.toUpperCase() }
    case 'set':
      return set(head)
    case 'show':
      return show(head)
    case 'reset':
      return { kind: 'reset', name: head.rest().join(' ').toLowerCase() }
    case 'discard':
      return { kind: 'discard', tag: `DISCARD ${(head.take() ?? 'ALL').toUpperCase()}`, all: head.last() === 'all' }
    case 'deallocate': {
      head.skip('prepare')
      const name = head.name()
      return { kind: 'deallocate', name: name.toLowerCase() === 'all' ? undefined : name }
    }
    case 'prepare': {
      const name = head.name()
      return { kind: 'prepare', name, types: head.argumentsInside(), start: head.after('as') }
    }
    case 'execute':
      return { kind: 'execute', name: head.name(), arguments: head.argumentsInside() }
    case 'declare':
      return declare(head)
    case 'fetch':
    case 'move':
      return fetch(head, word === 'move')
    case 'close': {
      const name = head.name()
      return { kind: 'close', name: name.toLowerCase() === 'all' ? undefined : name }
    }
    case 'listen':
    case 'unlisten':
    case 'notify':
    case 'load':
    case 'checkpoint':
      return { kind: 'nothing', tag: word.toUpperCase() }
    case 'lock':
      return {
        kind: 'nothing',
        tag: 'LOCK TABLE',
        notice: 'there are no locks here; of writers that meet the second is told at its commit',
      }
    case 'vacuum':
    case 'analyze':
    case 'reindex':
    case 'cluster':
      return {
        kind: 'nothing',
        tag: word.toUpperCase(),
        notice: 'tables are kept small by their own upkeep (CALL rewrite_data_files)',
      }
    case 'copy':
      return copy(head)
    case 'create':
    case 'drop':
      if (word === 'create' && head.skip('database')) return { kind: 'create-database', name: head.name() }
      return index(head, word) ?? unknownKind(head, word) ?? { kind: 'lake', rows: false }
    case 'alter':
      return alterIndex(head) ?? owner(head) ?? { kind: 'lake', rows: false }
    case 'update':
    case 'delete':
    case 'merge':
      return { kind: 'lake', rows: head.has('returning'), changes: true }
    case 'insert':
    case 'with': {
      const last = parseWithChanges(sql)?.last
      if (last) return { kind: 'lake', rows: !last.changes || last.tells, changes: true }
      if (word === 'insert') return { kind: 'lake', rows: head.has('returning'), changes: true }
      return isChange(sql) ? { kind: 'lake', rows: head.has('returning'), changes: true } : { kind: 'lake', rows: true }
    }
    default:
      return { kind: 'lake', rows: !changes.has(word) }
  }
}

/** Tools make indexes unasked (pandas for each table), and nothing depends on them but speed; a unique one is a promise besides. */
function index(head: Head, word: 'create' | 'drop'): Command | undefined {
  const isUnique = word === 'create' && head.skip('unique')
  if (!head.skip('index')) return undefined
  head.skip('concurrently')
  if (word === 'drop') return dropIndex(head)
  const sql = isUnique ? asConstraint(head) : undefined
  if (sql !== undefined) return { kind: 'unique-index', sql }
  const notice = isUnique
    ? 'there are no indexes here, and nothing enforces a unique one; only one of plain columns and all rows is kept as a key'
    : 'there are no indexes here; files are left out by their partitions and bounds'
  return { kind: 'nothing', tag: 'CREATE INDEX', notice }
}

function dropIndex(head: Head): Command {
  if (head.skip('if')) head.skip('exists')
  const names: IndexName[] = []
  do names.push(indexName(head))
  while (head.skip(','))
  return { kind: 'drop-index', names }
}

function indexName(head: Head): IndexName {
  const first = head.name()
  return head.skip('.') ? { schema: first, name: head.name() } : { schema: undefined, name: first }
}

/** `ALTER INDEX [IF EXISTS] i RENAME TO j`. */
function alterIndex(head: Head): Command | undefined {
  if (!head.skip('index')) return undefined
  if (head.skip('if')) head.skip('exists')
  const name = indexName(head)
  if (!head.skip('rename')) return { kind: 'nothing', tag: 'ALTER INDEX', notice: 'there are no indexes here' }
  if (!head.skip('to')) throw head.invalid('TO')
  return { kind: 'rename-index', name, to: head.name() }
}

/** `CREATE UNIQUE INDEX i ON t USING btree (a, b)` as what a table keeps; undefined where it is of a part of the rows, or of what is computed. */
function asConstraint(head: Head): string | undefined {
  if (head.skip('if')) {
    head.skip('not')
    head.skip('exists')
  }
  const name = head.peek() === 'on' ? undefined : head.name()
  if (!head.skip('on')) throw head.invalid('ON')
  head.skip('only')
  let table = quoteName(head.name())
  while (head.skip('.')) table += `.${quoteName(head.name())}`
  if (head.skip('using')) head.skip('btree')
  const columns = head.argumentsInside().map((one) => plainColumn.exec(one)?.[1])
  const isPlain = columns.length > 0 && columns.every((column) => column !== undefined) && !head.has('where')
  if (!isPlain || /\bnulls\s+not\s+distinct\b/i.test(head.sql)) return undefined
  return `ALTER TABLE ${table} ADD ${name === undefined ? '' : `CONSTRAINT ${quoteName(name)} `}UNIQUE (${columns.join(', ')})`
}
const plainColumn = /^\s*("(?:[^"]|"")+"|\w+)(?:\s+(?:asc|desc))?(?:\s+nulls\s+(?:first|last))?\s*$/i

/** `ALTER TABLE t OWNER TO ana`, as dumps of PostgreSQL have it behind each table. */
function owner(head: Head): Command | undefined {
  const words = head.rest()
  const [what, to] = words.slice(-3).map((word) => word.toLowerCase())
  if (what !== 'owner' || to !== 'to') return undefined
  return {
    kind: 'nothing',
    tag: `ALTER ${words[0]!.toUpperCase()}`,
    notice: 'there are no owners here; GRANT gives rights',
  }
}

const kindsOfNone = new Set('function procedure type domain extension trigger aggregate'.split(' '))

/** `DROP FUNCTION IF EXISTS f`, `CREATE EXTENSION IF NOT EXISTS pgcrypto`: migrations begin so, and there is nothing to do. */
function unknownKind(head: Head, word: 'create' | 'drop'): Command | undefined {
  const kind = head.peek() ?? ''
  if (!kindsOfNone.has(kind) || (word === 'create' && kind !== 'extension')) return undefined
  const words = head.rest().map((one) => one.toLowerCase())
  const isGiven = word === 'drop' ? words[1] === 'if' && words[2] === 'exists' : words[1] === 'if' && words[2] === 'not'
  if (!isGiven) return undefined
  const name = words[word === 'drop' ? 3 : 4] ?? ''
  const notice =
    word === 'drop'
      ? `${kind} "${name}" does not exist, skipping`
      : `there are no extensions here; what "${name}" has may be missing`
  return { kind: 'nothing', tag: `${word.toUpperCase()} ${kind.toUpperCase()}`, notice }
}

/** The first tokens of a statement, read once from left to right. */
class Head {
  readonly sql: string
  readonly #tokens: Token[]
  #at = 0
  constructor(sql: string) {
    this.sql = sql
    this.#tokens = [...tokens(sql)]
  }
  get isEmpty(): boolean {
    return this.#tokens.length === 0
  }
  /** The next word, small; undefined when what comes is none. */
  word(): string | undefined {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'word') return undefined
    this.#at++
    return token.text.toLowerCase()
  }
  peek(): string | undefined {
    return this.#tokens[this.#at]?.text.toLowerCase()
  }
  take(): string | undefined {
    return this.#tokens[this.#at++]?.text.toLowerCase()
  }
  last(): string | undefined {
    return this.#tokens.at(-1)?.text.toLowerCase()
  }
  skip(...words: string[]): boolean {
    const found = words.includes(this.peek() ?? '')
    if (found) this.#at++
    return found
  }
  has(word: string): boolean {
    return this.#tokens.some((token) => token.text.toLowerCase() === word)
  }
  name(): string {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'word' && token?.kind !== 'quoted') throw this.invalid('a name')
    this.#at++
    return token.kind === 'quoted' ? nameOf(token) : token.text.toLowerCase()
  }
  /** The values that are left, without quotes. */
  rest(): string[] {
    return this.#tokens.slice(this.#at).map(plain)
  }
  /** Where what follows this word begins. */
  after(word: string): number {
    while (this.#at < this.#tokens.length) if (this.take() === word) return this.start()
    throw this.invalid(word.toUpperCase())
  }
  start(): number {
    const token = this.#tokens[this.#at]
    if (!token) throw this.invalid('a statement')
    return token.start
  }
  /** The range inside the parentheses that open here. */
  skipParentheses(): { start: number; end: number } {
    const start = this.#tokens[this.#at]!.end
    let depth = 0
    for (; this.#at < this.#tokens.length; this.#at++) {
      const token = this.#tokens[this.#at]!
      if (token.text === '(') depth++
      else if (token.text === ')' && --depth === 0) {
        this.#at++
        return { start, end: token.start }
      }
    }
    throw this.invalid(')')
  }
  argumentsInside(): string[] {
    if (this.peek() !== '(') return []
    const { start, end } = this.skipParentheses()
    return splitAtCommas(this.sql.slice(start, end))
  }
  slice(start: number, end: number): string {
    return this.sql.slice(start, end)
  }
  invalid(expected: string): Failure {
    const token = this.#tokens[this.#at]
    return new Failure(
      'SQL_INVALID',
      `syntax error at or near "${token?.text ?? 'end of input'}": expected ${expected}`,
      {
        place: placeAt(this.sql, token?.start ?? this.sql.length),
      },
    )
  }
}

const plain = (token: Token): string =>
  token.kind === 'string' && token.text.startsWith("'")
    ? token.text.slice(1, -1).replaceAll("''", "'")
    : token.kind === 'quoted'
      ? nameOf(token)
      : token.text

function set(head: Head): Command {
  const local = head.skip('local')
  const session = head.skip('session')
  if (head.skip('characteristics') || head.peek() === 'transaction') {
    const words = head.rest().join(' ').toLowerCase()
    if (/read (only|write)/.test(words))
      return {
        kind: 'set',
        name: session ? 'default_transaction_read_only' : 'transaction_read_only',
        value: words.includes('read only') ? 'on' : 'off',
        local: !session,
      }
    const level = /isolation level (serializable|repeatable read|read committed|read uncommitted)/.exec(words)?.[1]
    return {
      kind: 'set',
      name: session ? 'default_transaction_isolation' : 'transaction_isolation',
      value: level ?? 'read committed',
      local: !session,
    }
  }
  if (head.skip('time')) {
    head.skip('zone')
    // `INTERVAL '+02:00' HOUR TO MINUTE`: so far east of Greenwich.
    if (head.skip('interval'))
      return { kind: 'set', name: 'timezone', value: head.rest()[0]?.replace(/:00$/, ''), local }
    if (head.peek() === 'local') return { kind: 'set', name: 'timezone', value: undefined, local }
    return { kind: 'set', name: 'timezone', value: valueOf(head), local }
  }
  if (head.skip('constraints')) return { kind: 'nothing', tag: 'SET CONSTRAINTS' }
  if (head.skip('names')) return { kind: 'set', name: 'client_encoding', value: valueOf(head), local }
  if (session && head.skip('authorization')) return { kind: 'nothing', tag: 'SET' }
  let name = head.name()
  while (head.skip('.')) name += `.${head.name()}`
  if (name === 'role' && head.peek() !== '=' && head.peek() !== 'to') return { kind: 'nothing', tag: 'SET' }
  if (!head.skip('=', 'to')) throw head.invalid('= or TO')
  return { kind: 'set', name, value: valueOf(head), local }
}

function valueOf(head: Head): string | undefined {
  const values = head.rest().filter((one) => one !== ',')
  if (values.length === 0) throw head.invalid('a value')
  if (values[0] === '-') return values.join('')
  return values.length === 1 && /^default$/i.test(values[0]!) ? undefined : values.join(', ')
}

function show(head: Head): Command {
  const words = head.rest().map((one) => one.toLowerCase())
  const first = words[0] ?? ''
  if (shownByLake.has(first) || (first === 'all' && words[1] === 'tables')) return { kind: 'lake', rows: true }
  const spoken: Record<string, string> = {
    'time zone': 'timezone',
    'transaction isolation level': 'transaction_isolation',
    'session authorization': 'session_authorization',
  }
  const name = words.join(' ')
  return { kind: 'show', name: spoken[name] ?? words.join('') }
}

function declare(head: Head): Command {
  const name = head.name()
  let [hold, binary, scroll] = [false, false, false]
  let before = ''
  for (let word = head.take(); word !== 'cursor'; word = head.take()) {
    binary ||= word === 'binary'
    if (word === 'scroll') scroll = before !== 'no'
    before = word ?? ''
    if (!['binary', 'asensitive', 'insensitive', 'no', 'scroll'].includes(word ?? '')) throw head.invalid('CURSOR')
  }
  if (head.skip('with')) hold = head.skip('hold')
  else if (head.skip('without')) head.skip('hold')
  if (!head.skip('for')) throw head.invalid('FOR')
  return { kind: 'declare', name, binary, hold, scroll, start: head.start() }
}

function fetch(head: Head, move: boolean): Command {
  const where = whereOf(head)
  if (!head.skip('from')) head.skip('in')
  return { kind: 'fetch', name: head.name(), where, move }
}

function whereOf(head: Head): Where {
  const number = (): number | undefined => {
    const sign = head.skip('-') ? -1 : (head.skip('+'), 1)
    return /^\d+$/.test(head.peek() ?? '') ? sign * Number(head.take()) : undefined
  }
  const needed = (): number => {
    const found = number()
    if (found === undefined) throw head.invalid('a number')
    return found
  }
  const rows = (sign: number): Where => ({
    kind: 'rows',
    count: sign * (head.skip('all') ? Infinity : (number() ?? 1)),
  })
  if (head.skip('next')) return { kind: 'rows', count: 1 }
  if (head.skip('prior')) return { kind: 'rows', count: -1 }
  if (head.skip('first')) return { kind: 'absolute', count: 1 }
  if (head.skip('last')) return { kind: 'absolute', count: -1 }
  if (head.skip('absolute')) return { kind: 'absolute', count: needed() }
  if (head.skip('relative')) return { kind: 'relative', count: needed() }
  if (head.skip('backward')) return rows(-1)
  head.skip('forward')
  return rows(1)
}

function copy(head: Head): Command {
  let query: string
  let into: string | undefined
  let columns: string[] = []
  const start = head.start()
  let at = start
  if (head.peek() === '(') {
    const inside = head.skipParentheses()
    query = head.slice(inside.start, inside.end)
    at = inside.start
  } else {
    let end = start
    let table = ''
    for (;;) {
      table += quoteName(head.name())
      end = head.start()
      if (!head.skip('.')) break
      table += '.'
    }
    if (head.peek() === '(') {
      const inside = head.skipParentheses()
      columns = splitAtCommas(head.slice(inside.start, inside.end)).map(named)
    }
    query = `SELECT ${columns.join(', ') || '*'} FROM ${table}`
    into = columns.length === 0 ? table : `${table} (${columns.join(', ')})`
    at = Math.min(start, end)
  }
  if (into !== undefined && head.skip('from')) {
    if (!head.skip('stdin') && !head.skip('stdout')) return { kind: 'lake', rows: false }
    return { kind: 'copy-in', query, into, named: columns, start: at, from: copyFormat(head) }
  }
  if (!head.skip('to')) throw head.invalid('TO')
  // A file is the server's: the lake decides.
  // PostgreSQL takes either name of a stream for both directions.
  if (!head.skip('stdout') && !head.skip('stdin')) return { kind: 'lake', rows: false }
  return { kind: 'copy', query, start: at, to: copyFormat(head) }
}

/** A column that may be called as a word of SQL is. */
const named = (text: string) => (/^\w+$/.test(text.trim()) ? quoteName(text.trim()) : text)

const forces = new Set(['force_quote', 'force_null', 'force_not_null'])

/** `WITH (FORMAT csv, HEADER true, …)`, and the older `CSV HEADER DELIMITER ','`. */
function copyFormat(head: Head): CopyFormat {
  head.skip('with')
  const words = head.rest()
  const given = new Map<string, string>()
  const forced = new Map<string, CopyColumns>()
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!.toLowerCase()
    const next = words[at + 1]
    if (['csv', 'binary', 'text'].includes(word)) given.set('format', word)
    else if (word === 'header') {
      given.set('header', /^(false|off|0)$/i.test(next ?? '') ? 'false' : 'true')
      if (/^(true|false|on|off|0|1)$/i.test(next ?? '')) at++
    } else if (/^force(_quote|_null|_not_null)?$/.test(word)) {
      // The older spelling is of several words: FORCE NOT NULL a, b.
      let what = word
      while (!forces.has(what) && at + 1 < words.length) what += `_${words[++at]!.toLowerCase()}`
      if (!forces.has(what)) throw head.invalid('FORCE_QUOTE, FORCE_NULL or FORCE_NOT_NULL')
      const names: string[] = []
      if (words[at + 1] === '(') at++
      while (at + 1 < words.length && words[at + 1] !== ')') {
        names.push(words[++at]!.toLowerCase())
        if (words[at + 1] !== ',') break
        at++
      }
      forced.set(what, names.includes('*') ? 'all' : names)
    } else if (['format', 'delimiter', 'null', 'quote', 'escape', 'encoding'].includes(word)) {
      if (words[at + 1]?.toLowerCase() === 'as') at++
      const value = words[++at]
      if (value === undefined) throw head.invalid(`a value of ${word}`)
      given.set(word, value)
    } else if (!['as', ',', '(', ')'].includes(word)) throw head.invalid('an option of COPY')
  }
  const format = (given.get('format')?.toLowerCase() ?? 'text') as CopyFormat['format']
  if (!['text', 'csv', 'binary'].includes(format)) throw head.invalid('FORMAT text, csv or binary')
  const isCsv = format === 'csv'
  const quote = given.get('quote') ?? '"'
  const delimiter = given.get('delimiter') ?? (isCsv ? ',' : '\t')
  if ([delimiter, quote].some((one) => Buffer.byteLength(one) !== 1))
    throw new Failure('REQUEST_INVALID', 'DELIMITER and QUOTE of COPY are one character each')
  if (forced.size > 0 && !isCsv)
    throw new Failure(
      'SQL_INVALID',
      `${[...forced.keys()].join(', ').toUpperCase()} of COPY is of the format csv alone`,
    )
  return {
    format,
    delimiter,
    nullText: given.get('null') ?? (isCsv ? '' : '\\N'),
    header: given.get('header') === 'true',
    quote,
    escape: given.get('escape') ?? quote,
    forceQuote: forced.get('force_quote') ?? [],
    forceNull: forced.get('force_null') ?? [],
    forceNotNull: forced.get('force_not_null') ?? [],
  }
}
