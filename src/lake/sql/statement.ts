// Statements that change data, parsed down to the SELECT inside them. DuckDB's serialiser takes SELECTs only, and what
// these statements do is ours anyway: an Iceberg commit.

import { Failure } from '../../base/failure.ts'
import { nameOf, placeAt, tokens, type Token } from './tokens.ts'

export type Select = { sql: string; start: number }
/** One to three parts, as written. */
export type WrittenName = string[]
export type Statement =
  | { kind: 'create-table'; name: WrittenName; replace: boolean; ifNotExists: boolean; select: Select }
  | { kind: 'create-view'; name: WrittenName; replace: boolean; ifNotExists: boolean; select: Select }
  | { kind: 'insert'; name: WrittenName; columns: string[] | undefined; byName: boolean; select: Select }
  | { kind: 'drop'; what: 'table' | 'view'; name: WrittenName; ifExists: boolean }
  | { kind: 'create-schema'; name: WrittenName; ifNotExists: boolean }

/** Undefined when the text is not one of these statements; SQL_INVALID or SQL_UNSUPPORTED when it begins like one. */
export function parseStatement(sql: string): Statement | undefined {
  const all = [...tokens(sql)]
  const reader = new Reader(sql, all)
  if (reader.take('create')) return create(reader)
  if (reader.take('insert')) return insert(reader)
  if (reader.take('drop')) return drop(reader)
  return undefined
}

function create(reader: Reader): Statement {
  const replace = reader.take('or', 'replace')
  if (reader.take('schema')) {
    const ifNotExists = reader.take('if', 'not', 'exists')
    const name = reader.name('a schema')
    reader.end()
    return { kind: 'create-schema', name, ifNotExists }
  }
  const view = reader.take('view')
  if (!view) reader.expect('TABLE, VIEW or SCHEMA', 'table')
  const ifNotExists = reader.take('if', 'not', 'exists')
  const name = reader.name(view ? 'a view' : 'a table')
  if (reader.peek('('))
    throw reader.unsupported(
      view ? 'a list of column names' : 'CREATE TABLE with a list of columns',
      'Write CREATE TABLE … AS SELECT with casts, for example `AS SELECT 1::BIGINT AS id`.',
    )
  reader.expect('AS and a SELECT', 'as')
  return { kind: view ? 'create-view' : 'create-table', name, replace, ifNotExists, select: reader.rest() }
}

function insert(reader: Reader): Statement {
  if (reader.take('or')) throw reader.unsupported('INSERT OR …')
  reader.expect('INTO', 'into')
  const name = reader.name('a table')
  const columns =
    reader.peek('(') && !reader.peekAfterParen('select', 'with', 'from', 'values') ? reader.columns() : undefined
  const byName = reader.take('by', 'name')
  if (!byName) reader.take('by', 'position')
  return { kind: 'insert', name, columns, byName, select: reader.rest() }
}

function drop(reader: Reader): Statement {
  const view = reader.take('view')
  if (!view) reader.expect('TABLE or VIEW', 'table')
  const ifExists = reader.take('if', 'exists')
  const name = reader.name(view ? 'a view' : 'a table')
  reader.end()
  return { kind: 'drop', what: view ? 'view' : 'table', name, ifExists }
}

class Reader {
  readonly #sql: string
  readonly #tokens: Token[]
  #at = 0
  constructor(sql: string, all: Token[]) {
    this.#sql = sql
    this.#tokens = all
  }

  take(...words: string[]): boolean {
    const found = words.every((word, offset) => this.#word(this.#at + offset) === word)
    if (found) this.#at += words.length
    return found
  }
  peek(text: string): boolean {
    return this.#tokens[this.#at]?.text.toLowerCase() === text
  }
  peekAfterParen(...words: string[]): boolean {
    return words.includes(this.#word(this.#at + 1) ?? '')
  }
  expect(what: string, word: string): void {
    if (!this.take(word)) throw this.#invalid(`expected ${what}`)
  }
  name(what: string): WrittenName {
    const parts: string[] = []
    do {
      const token = this.#tokens[this.#at]
      if (token?.kind !== 'word' && token?.kind !== 'quoted') throw this.#invalid(`expected the name of ${what}`)
      parts.push(nameOf(token))
      this.#at++
    } while (this.#dot())
    if (parts.length > 3) throw this.#invalid(`"${parts.join('.')}" has more than catalog, namespace and name`)
    return parts
  }
  columns(): string[] {
    const names: string[] = []
    this.#at++
    for (;;) {
      const token = this.#tokens[this.#at]
      if (token?.kind !== 'word' && token?.kind !== 'quoted') throw this.#invalid('expected a column name')
      names.push(nameOf(token))
      this.#at++
      if (this.peek(')')) {
        this.#at++
        return names
      }
      if (!this.peek(',')) throw this.#invalid('expected a comma or )')
      this.#at++
    }
  }
  rest(): Select {
    const first = this.#tokens[this.#at]
    if (!first) throw this.#invalid('expected a SELECT')
    return { sql: this.#sql.slice(first.start), start: first.start }
  }
  end(): void {
    if (this.#tokens[this.#at]) throw this.#invalid('expected the end of the statement')
  }
  unsupported(what: string, hint?: string): Failure {
    return new Failure('SQL_UNSUPPORTED', `${what} is not supported`, {
      place: this.#place(),
      ...(hint ? { hint } : {}),
    })
  }

  #dot(): boolean {
    if (this.#tokens[this.#at]?.text !== '.') return false
    this.#at++
    return true
  }
  #word(at: number): string | undefined {
    const token = this.#tokens[at]
    return token?.kind === 'word' ? token.text.toLowerCase() : undefined
  }
  #place() {
    return placeAt(this.#sql, this.#tokens[this.#at]?.start ?? this.#sql.length)
  }
  #invalid(message: string): Failure {
    const token = this.#tokens[this.#at]
    return new Failure('SQL_INVALID', `${message}${token ? `, found ${token.text}` : ' at the end'}`, {
      place: this.#place(),
    })
  }
}
