// `CALL [catalog.]system.procedure(argument, name => argument, …)`, as Spark writes it.

import type { Piece, Reader } from './reader.ts'

export type Call = {
  kind: 'call'
  procedure: string
  catalog: string | undefined
  /** Where the procedure's name stands. */
  start: number
  given: { name: string | undefined; value: Piece }[]
}

export function call(reader: Reader): Call {
  const start = reader.at()
  const parts = reader.name('a procedure')
  const procedure = parts.pop()!.toLowerCase()
  if (parts.at(-1)?.toLowerCase() === 'system') parts.pop()
  if (parts.length > 1) throw reader.invalid('expected the name of a procedure, for example system.expire_snapshots')
  const given: Call['given'] = []
  reader.expectSymbol('(')
  if (!reader.takeSymbol(')')) {
    do given.push(argument(reader))
    while (reader.takeSymbol(','))
    reader.expectSymbol(')')
  }
  reader.end()
  return { kind: 'call', procedure, catalog: parts[0], start, given }
}

function argument(reader: Reader): Call['given'][number] {
  const isNamed = reader.isFollowedBy('=>') || reader.isFollowedBy(':', '=')
  if (!isNamed) return { name: undefined, value: reader.until('a value', [',']) }
  const name = reader.identifier('an argument').toLowerCase()
  if (!reader.takeSymbol('=>')) {
    reader.expectSymbol(':')
    reader.expectSymbol('=')
  }
  return { name, value: reader.until('a value', [',']) }
}
