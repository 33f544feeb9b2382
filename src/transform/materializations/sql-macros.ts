// Macros in DuckDB's SQL that a project's hooks make (`CREATE MACRO add_one(x) AS x + 1`). DuckDB keeps them in its database, the
// lake has none that are a user's: they are known as long as the change set of the run, and are written out where they are called.

import { Failure } from '../../base/failure.ts'
import {
  closing,
  isName,
  nameOf,
  placeAt,
  splice,
  splitAtCommas,
  tokens,
  type ChangeSet,
  type Edit,
  type Token,
} from '../../lake/index.ts'

type Parameter = { name: string; type: string; usual: string | undefined }
type SqlMacro = { name: string; parameters: Parameter[]; body: string }

const made = new WeakMap<ChangeSet, Map<string, SqlMacro>>()
const depthMax = 50
const creates = /^create\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+)?(?:macro|function)\s+(?:if\s+not\s+exists\s+)?/i
const drops = /^drop\s+(?:macro|function)\s+(?:table\s+)?(?:if\s+exists\s+)?/i

/** Whether a text makes macros, which are gone with the process that made them. */
export const makesMacros = (sql: string | undefined): boolean =>
  /\bcreate\b[^;]*?\b(?:macro|function)\b/i.test(sql ?? '')

/** Whether a statement was about a macro, which is known from now on, or no longer. */
export function noteMacro(statement: string, changes: ChangeSet | undefined): boolean {
  const head = (creates.exec(statement) ?? drops.exec(statement))?.[0]
  if (head === undefined || !changes) return false
  const macros = made.get(changes) ?? new Map<string, SqlMacro>()
  made.set(changes, macros)
  const { name, after } = nameIn(statement, head.length)
  if (drops.test(statement)) macros.delete(name.toLowerCase())
  else if (!/\bif\s+not\s+exists\s+$/i.test(head) || !macros.has(name.toLowerCase()))
    macros.set(name.toLowerCase(), macroIn(statement, name, after))
  return true
}

/** The last part of a dotted name, and the tokens behind it. */
function nameIn(sql: string, from: number): { name: string; after: Token[] } {
  const all = [...tokens(sql)].filter(({ start }) => start >= from)
  let at = 0
  while (all[at + 1]?.text === '.' && isName(all[at + 2])) at += 2
  const last = all[at]
  if (!isName(last)) throw new Failure('SQL_INVALID', 'expected the name of a macro', { place: placeAt(sql, from) })
  return { name: nameOf(last), after: all.slice(at + 1) }
}

function macroIn(sql: string, name: string, after: readonly Token[]): SqlMacro {
  const refuse = (why: string) =>
    new Failure('SQL_UNSUPPORTED', `the macro ${name} ${why}`, {
      place: placeAt(sql, after[0]?.start ?? sql.length),
      hint: 'CREATE MACRO name(parameter, other := 1) AS expression, or AS TABLE query.',
    })
  if (after[0]?.text !== '(') throw refuse('has no parameters in brackets')
  const close = closing(after, 0)
  const isTable = after[close + 2]?.text.toLowerCase() === 'table'
  const first = after[close + (isTable ? 3 : 2)]
  if (after[close + 1]?.text.toLowerCase() !== 'as' || !first) throw refuse('has no body after AS')
  const body = sql.slice(first.start).replace(/[\s;]+$/, '')
  if (splitAtCommas(body).length > 1 && !isTable) throw refuse('has several forms')
  const inner = sql.slice(after[0].end, after[close]!.start)
  return { name, body, parameters: inner.trim() === '' ? [] : splitAtCommas(inner).map(parameterOf) }
}

function parameterOf(text: string): Parameter {
  const [declared = '', usual] = text.split(/:=|=>/)
  const [first] = tokens(declared)
  if (!isName(first)) throw new Failure('SQL_INVALID', `"${text.trim()}" is no parameter of a macro`)
  return { name: nameOf(first).toLowerCase(), type: declared.slice(first.end).trim(), usual: usual?.trim() }
}

/** The text with the macros of the run written out where it calls them. */
export function macrosWrittenOut(sql: string, changes: ChangeSet | undefined, depth = 0): string {
  const macros = changes && made.get(changes)
  if (!macros || macros.size === 0) return sql
  const all = [...tokens(sql)]
  const edits: Edit[] = []
  for (let at = 0; at < all.length; at++) {
    let last = at
    if (!isName(all[at]) || all[at - 1]?.text === '.') continue
    while (all[last + 1]?.text === '.' && isName(all[last + 2])) last += 2
    const macro = all[last + 1]?.text === '(' ? macros.get(nameOf(all[last]!).toLowerCase()) : undefined
    if (!macro) continue
    if (depth >= depthMax) throw new Failure('GRAPH_CYCLE', `the macro ${macro.name} calls itself`)
    const close = closing(all, last + 1)
    const inner = sql.slice(all[last + 1]!.end, all[close]!.start)
    const given = inner.trim() === '' ? [] : splitAtCommas(inner).map((part) => macrosWrittenOut(part, changes, depth))
    const text = macrosWrittenOut(filledIn(macro, given), changes, depth + 1)
    edits.push({ start: all[at]!.start, end: all[close]!.end, text: `(${text}\n)` })
    at = close
  }
  return edits.length === 0 ? sql : splice(sql, edits).text
}

function filledIn(macro: SqlMacro, given: readonly string[]): string {
  const values = valuesOf(macro, given)
  const all = [...tokens(macro.body)]
  const edits = all.flatMap((token, at): Edit[] => {
    const value = isName(token) ? values.get(nameOf(token).toLowerCase()) : undefined
    const [before, next] = [all[at - 1]?.text.toLowerCase(), all[at + 1]?.text]
    // A part of a dotted name, a function and the name of a column are no parameters.
    const isOther = before === '.' || before === 'as' || next === '.' || next === '('
    return value === undefined || isOther ? [] : [{ start: token.start, end: token.end, text: value }]
  })
  return splice(macro.body, edits).text
}

function valuesOf({ name, parameters }: SqlMacro, given: readonly string[]): Map<string, string> {
  const wrong = (why: string) =>
    new Failure('SQL_INVALID', `the macro ${name} ${why}; it takes (${parameters.map((each) => each.name).join(', ')})`)
  const values = new Map(
    parameters.flatMap(({ name: key, usual }) => (usual === undefined ? [] : [[key, usual] as const])),
  )
  for (const [at, text] of given.entries()) {
    const [, named, value] = /^\s*"?(\w+)"?\s*(?::=|=>)([\s\S]*)$/.exec(text) ?? []
    const key = named?.toLowerCase() ?? parameters[at]?.name
    if (key === undefined || !parameters.some((each) => each.name === key)) throw wrong('was given too many arguments')
    values.set(key, value ?? text)
  }
  const missing = parameters.find((each) => !values.has(each.name))
  if (missing) throw wrong(`needs "${missing.name}"`)
  for (const { name: key, type } of parameters) {
    const value = values.get(key)!.trim()
    values.set(key, type === '' ? `(${value}\n)` : `CAST(${value}\n AS ${type})`)
  }
  return values
}
