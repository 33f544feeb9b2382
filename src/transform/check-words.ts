// What DuckDB says of a SELECT that does not bind, in the words of this program: what is wrong, and what was meant.

import { Failure } from '../base/failure.ts'
import { didYouMean } from '../base/suggest.ts'

/** The same failure, at the same place. `known`: columns of what the node reads, by the name of each. */
export function inPlainWords(failure: Failure, known: ReadonlyMap<string, readonly string[]>): Failure {
  const words = plainWords(failure.message, known)
  if (words === undefined) return failure
  const { code, place, hint, cause, context } = failure
  return new Failure(code, words, { ...context, hint, cause, ...(place && { place }) })
}

type Known = ReadonlyMap<string, readonly string[]>

function plainWords(message: string, known: Known): string | undefined {
  const referenced =
    /Referenced column "(.+?)" (?:not found in FROM clause|was not found because the FROM clause)/.exec(message)
  if (referenced) return missingColumn(referenced[1]!, undefined, message, known)
  const ofTable = /(?:Table|Values list) "(.+?)" does not have a column named "(.+?)"/.exec(message)
  if (ofTable) return missingColumn(ofTable[2]!, ofTable[1], message, known)
  const table = /Referenced table "(.+?)" not found!/.exec(message)
  if (table)
    return `there is no table "${table[1]}" in this FROM clause${didYouMean(table[1]!, candidates(message), 4)}`
  const ambiguous = /Ambiguous reference to column name "(.+?)" \(use: (.+?)\)/.exec(message)
  if (ambiguous) return `the column "${ambiguous[1]}" is ambiguous: write ${ambiguous[2]}`
  const call = /No function matches the given name and argument types '(.+?)'\./.exec(message)
  if (call) return `there is no ${call[1]}: no function of this name takes these types`
  return undefined
}

/** Candidates come as `"a"`, `"t.a"`: only the last part is the column's name. DuckDB gives those that are alike; all are told where there is one input. */
function missingColumn(name: string, table: string | undefined, message: string, known: Known): string {
  const near = candidates(message).map((candidate) => candidate.split('.').at(-1)!)
  // Another input may have a column of this very name.
  const isOther = (each: string) => each.toLowerCase() !== name.toLowerCase()
  const columns = [...known.values()].map((each) => each.filter(isOther))
  const meant = didYouMean(name, new Set([...near.filter(isOther), ...columns.flat()]), 0)
  const all = meant === '' && columns.length === 1 ? didYouMean(name, columns[0]!) : ''
  return `there is no column "${name}"${table === undefined ? '' : ` in "${table}"`}${meant || all}`
}

function candidates(message: string): string[] {
  const [, list = ''] = /Candidate (?:bindings|tables): ?:? ?([^\n]*)/.exec(message) ?? []
  return Array.from(list.matchAll(/"((?:[^"]|"")*)"/g), ([, name]) => name!)
}
