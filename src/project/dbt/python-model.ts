// What a Python model says of itself: calls of `dbt.ref`, `dbt.source` and `dbt.config` whose arguments are literals.

import { Failure, type Place } from '../../base/failure.ts'
import { findCalls } from '../../jinja/index.ts'
import { emptyParsed, readCall, type Parsed } from './calls.ts'

/** The calls that are looked for, comments and texts of Python (`f` before what is filled in), and brackets. */
const token =
  /(?<![\w.])dbt\.(ref|source|config)\s*\(|#[^\n]*|([fF]?)(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|[()[\]{}]/g

/** `text` begins at `at` of `file`. A call whose arguments are no literals is passed over. */
export function readPythonModel(text: string, at: Place): Parsed {
  const parsed = { ...emptyParsed(), config: { materialized: 'table' } }
  readCalls(text, at, parsed)
  return parsed
}

function readCalls(text: string, at: Place, parsed: Parsed): void {
  for (const { 0: head, 1: name, 2: filled, index } of text.matchAll(token)) {
    const place = { ...at, line: (at.line ?? 1) + text.slice(0, index).split('\n').length - 1, column: 1 }
    if (filled) readCalls(head.slice(2, -1), place, parsed)
    const call = name && literalCall(`${name}(${argumentsAt(text, index + head.length)})`, name)
    if (call) readCall({ ...call, place }, parsed)
  }
}

/** From behind a bracket to the one that closes it, without comments. */
function argumentsAt(text: string, from: number): string {
  let depth = 1
  let inner = ''
  let at = from
  for (const { 0: found, index } of text.slice(from).matchAll(token)) {
    const end = from + index
    inner += text.slice(at, end)
    at = end + found.length
    if (found.startsWith('#')) continue
    depth += /^[)\]}]$/.test(found) ? -1 : /[([{]$/.test(found) ? 1 : 0
    if (depth === 0) return inner
    inner += found
  }
  return inner
}

/** Literals of Python are those of templates, as far as models name anything by them. */
function literalCall(text: string, name: string) {
  try {
    const [call] = findCalls(`{{ ${text} }}`, [name]).calls
    return call?.literal && call
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}
