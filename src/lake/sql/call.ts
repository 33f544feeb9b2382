// `CALL [catalog.]system.procedure(argument, name => argument, …)`, as Spark writes it.

import type { Piece, Reader } from './reader.ts'
import { quoteName, tokens } from './tokens.ts'

export type Call = {
  kind: 'call'
  procedure: string
  catalog: string | undefined
  /** Where the procedure's name stands. */
  start: number
  given: Argument[]
}
/** `5`, `name => 5`, `name := 5`; the name in small letters. */
export type Argument = { name: string | undefined; value: Piece }

export function call(reader: Reader): Call {
  const start = reader.at()
  const parts = reader.name('a procedure')
  const procedure = parts.pop()!.toLowerCase()
  if (parts.at(-1)?.toLowerCase() === 'system') parts.pop()
  if (parts.length > 1) throw reader.invalid('expected the name of a procedure, for example system.expire_snapshots')
  const given = callArguments(reader)
  reader.end()
  return { kind: 'call', procedure, catalog: parts[0], start, given }
}

/** What stands in parentheses, with names or by place; nothing may stand there. */
export function callArguments(reader: Reader): Argument[] {
  reader.expectSymbol('(')
  if (reader.takeSymbol(')')) return []
  const given = reader.separated(() => argument(reader))
  reader.expectSymbol(')')
  return given
}

function argument(reader: Reader): Argument {
  const isNamed = reader.isFollowedBy('=>') || reader.isFollowedBy(':', '=')
  if (!isNamed) return { name: undefined, value: asInDuckDb(reader.until('a value', [','])) }
  const name = reader.identifier('an argument').toLowerCase()
  if (!reader.takeSymbol('=>')) {
    reader.expectSymbol(':')
    reader.expectSymbol('=')
  }
  return { name, value: asInDuckDb(reader.until('a value', [','])) }
}

/**
 * Spark's `5L`, `array(1, 2)` and `map('a', 1, 'b', 2)` as DuckDB reads them. Each sign stays in its place, so that an error
 * is where it was written.
 */
function asInDuckDb({ sql, start }: Piece): Piece {
  const signs = sql.split('')
  const write = (at: number, text: string) => signs.splice(at, text.length, ...text)
  const all = [...tokens(sql)]
  const open: { closing: string | undefined; commas: number }[] = []
  for (const [index, { kind, text, start: at }] of all.entries()) {
    const before = all[index - 1]
    const inner = open.at(-1)
    if (kind === 'word' && /^[lsy]$/i.test(text) && before?.kind === 'number' && before.end === at) write(at, ' ')
    else if (text === '(') {
      const called = before?.end === at ? before.text.toLowerCase() : ''
      if (called === 'array') write(before!.start, '     [')
      const isMap = called === 'map' && all[index + 1]?.text !== '['
      if (isMap) write(at, '{')
      open.push({ closing: called === 'array' ? ']' : isMap ? '}' : undefined, commas: 0 })
    } else if (text === '[' || text === '{') open.push({ closing: undefined, commas: 0 })
    else if (text === ',' && inner?.closing === '}' && inner.commas++ % 2 === 0) write(at, ':')
    else if (text === ')' || text === ']' || text === '}') {
      const closing = open.pop()?.closing
      if (closing) write(at, closing)
    }
  }
  return { sql: signs.join(''), start }
}

/** Names in Spark's quotes, in quotes of the standard. */
export const withoutBackticks = (sql: string): string =>
  sql.replace(/'(?:[^']|'')*'|`((?:[^`]|``)*)`/g, (all, name?: string) =>
    name === undefined ? all : quoteName(name.replaceAll('``', '`')),
  )
