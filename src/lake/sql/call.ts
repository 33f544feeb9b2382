// `CALL [catalog.]system.procedure(argument, name => argument, …)`, as Spark writes it.

import type { Piece, Reader } from './reader.ts'

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
  const given: Argument[] = []
  reader.expectSymbol('(')
  if (reader.takeSymbol(')')) return given
  do given.push(argument(reader))
  while (reader.takeSymbol(','))
  reader.expectSymbol(')')
  return given
}

function argument(reader: Reader): Argument {
  const isNamed = reader.isFollowedBy('=>') || reader.isFollowedBy(':', '=')
  if (!isNamed) return { name: undefined, value: reader.until('a value', [',']) }
  const name = reader.identifier('an argument').toLowerCase()
  if (!reader.takeSymbol('=>')) {
    reader.expectSymbol(':')
    reader.expectSymbol('=')
  }
  return { name, value: reader.until('a value', [',']) }
}
