// PREPARE and EXECUTE of a session. A prepared statement is its text; values are put in their places when it is executed, so it
// goes the way of every statement, with the rights of that moment.

import { Failure } from '../../base/failure.ts'
import { callArguments, type Argument } from './call.ts'
import type { Reader } from './reader.ts'
import { splice } from './splice.ts'
import { tokens } from './tokens.ts'

export type PreparedControl =
  | { kind: 'prepare'; name: string; statement: string }
  | { kind: 'execute'; name: string; arguments: Argument[] }
  | { kind: 'deallocate'; name: string | undefined }

/** Undefined when the text is none of these. */
export function parsePrepared(reader: Reader): PreparedControl | undefined {
  if (reader.take('prepare')) {
    const name = reader.identifier('a prepared statement')
    if (reader.peek('(')) reader.list(() => reader.until('a type', [',']))
    reader.expect('AS and a statement', 'as')
    return { kind: 'prepare', name, statement: reader.rest('a statement').sql }
  }
  if (reader.take('execute')) {
    const name = reader.identifier('a prepared statement')
    const given = reader.peek('(') ? callArguments(reader) : []
    reader.takeSymbol(';')
    reader.end()
    return { kind: 'execute', name, arguments: given }
  }
  if (!reader.take('deallocate')) return undefined
  reader.take('prepare')
  const name = reader.take('all') ? undefined : reader.identifier('a prepared statement')
  reader.takeSymbol(';')
  reader.end()
  return { kind: 'deallocate', name }
}

/** The text with values for `$1`, `?` and `$name`. @throws SQL_INVALID for one without a value, and for a value without one */
export function withArguments(sql: string, given: readonly Argument[]): string {
  const all = [...tokens(sql)]
  const named = new Map(given.map(({ name, value }) => [name, value]))
  const inOrder = given.filter(({ name }) => name === undefined)
  let [asked, most] = [0, 0]
  const used = new Set<string>()
  const edits = all.flatMap(({ text, start, end }, at) => {
    const behind = all[at + 1]
    const isDollar = text === '$' && behind?.start === end && (behind.kind === 'number' || behind.kind === 'word')
    if (!isDollar && text !== '?') return []
    const which = isDollar ? behind.text : String(++asked)
    if (/^\d+$/.test(which)) most = Math.max(most, Number(which))
    else used.add(which.toLowerCase())
    const value = /^\d+$/.test(which) ? inOrder[Number(which) - 1]?.value : named.get(which.toLowerCase())
    if (value === undefined)
      throw new Failure('SQL_INVALID', `there is no value for the parameter ${isDollar ? '$' : ''}${which}`)
    return [{ start, end: isDollar ? behind.end : end, text: `(${value.sql}\n)` }]
  })
  const idle = given.find(({ name }) => name !== undefined && !used.has(name))
  if (idle) throw new Failure('SQL_INVALID', `the prepared statement has no parameter $${idle.name}`)
  if (inOrder.length > most)
    throw new Failure(
      'SQL_INVALID',
      `the prepared statement has ${most} parameters, and ${inOrder.length} values are given`,
    )
  return splice(sql, edits).text
}
