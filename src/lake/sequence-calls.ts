// Calls of nextval, currval, lastval and setval in a statement of a session. The engine knows nothing of our sequences, so before
// the statement runs each call is replaced by the number that it gives. Where it stands in a query with rows, so many numbers as
// there are rows are taken first, and each row has one of its own; should there be more rows by then, the statement fails.

import { Failure } from '../base/failure.ts'
import type { TableName } from '../catalog/index.ts'
import type { Numbers } from './numbers.ts'
import type { WrittenName } from './sql/reader.ts'
import { sequenceNamed } from './sql/sequence.ts'
import { splice, type Edit, type Spliced } from './sql/splice.ts'
import { numberOfRow } from './write/numbered.ts'
import { closing, dottedNames, outside, placeAt, quoteText, splitAtCommas, tokens, type Token } from './sql/tokens.ts'

const names = new Set(['nextval', 'currval', 'lastval', 'setval', 'pg_get_serial_sequence'])
const isAsked = /\b(?:nextval|currval|lastval|setval|pg_get_serial_sequence)\s*\(/i

export const callsSequences = (sql: string): boolean => isAsked.test(sql) && callsIn([...tokens(sql)], sql).length > 0

type Asking = {
  numbers(name: WrittenName): Promise<Numbers>
  sequenceOf(table: WrittenName, column: string): Promise<TableName | undefined>
  /** The rows of a small SELECT. */
  rows(sql: string): Promise<unknown[][]>
}

type Call = { word: string; at: number; end: number; arguments: string[] }

/** The numbers that a session was given. */
export function openSequenceCalls() {
  const given = new Map<string, bigint>()
  /** The sequence that gave the last one: lastval tells where it stands, also where setval put it. */
  let latest: string | undefined
  const keyOf = ({ catalog, namespace, name }: TableName) => JSON.stringify([catalog, namespace, name])
  const note = (name: TableName, last: bigint) => {
    latest = keyOf(name)
    given.set(latest, last)
  }
  const notYet = (what: string) =>
    new Failure('QUERY_FAILED', `${what} is not yet defined in this session`, { sqlState: '55000' })

  /** The statement with numbers in place of the calls. `described`: with what is of their type, and nothing is taken. */
  async function bound(sql: string, asking: Asking, { described = false } = {}): Promise<Spliced> {
    const all = [...tokens(sql)]
    const [, kept] = keptStatement.exec(sql) ?? []
    const [first] = callsIn(all, sql)
    if (kept && first)
      throw new Failure('SQL_UNSUPPORTED', `a ${kept.toLowerCase()} that asks a sequence for numbers`, {
        hint: 'Ask for them where it is read.',
        place: placeAt(sql, all[first.at]!.start),
      })
    const named = await serialNames(sql, asking)
    const found = await numbered(named.text)
    return { text: found.text, origin: (index) => named.origin(found.origin(index)) }

    async function numbered(text: string): Promise<Spliced> {
      const all = [...tokens(text)]
      const edits: Edit[] = []
      for (const call of callsIn(all, text)) {
        if (call.word === 'pg_get_serial_sequence') continue
        const value = await valueOf(call, all, text)
        const name = isItem(all, call) ? ` AS ${call.word}` : ''
        edits.push({ start: all[call.at]!.start, end: all[call.end]!.end, text: `${value}${name}` })
      }
      return splice(text, edits)
    }

    async function valueOf(call: Call, all: readonly Token[], text: string): Promise<string> {
      if (call.word === 'lastval') {
        if (described) return asBigint(0n)
        if (latest === undefined) throw notYet('lastval')
        return asBigint(given.get(latest)!)
      }
      const value = call.arguments[1]
      if (call.word === 'setval' && described) return `CAST(${value ?? '0'} AS BIGINT)`
      if (described) return 'CAST(0 AS BIGINT)'
      const written = literalOf(call.arguments[0] ?? '')
      if (written === undefined)
        throw new Failure('SQL_UNSUPPORTED', `${call.word} of a sequence whose name is computed`, {
          hint: `Write its name: ${call.word}('orders_id_seq').`,
          place: placeAt(text, all[call.at]!.start),
        })
      const numbers = await asking.numbers(sequenceNamed(written))
      if (call.word === 'currval') {
        const last = given.get(keyOf(numbers.name))
        if (last === undefined) throw notYet(`currval of sequence "${numbers.name.name}"`)
        return asBigint(last)
      }
      if (call.word === 'setval') return set(call, numbers, all, text)
      const place = rowsAround(all, call, text)
      if (!place) {
        const { first } = await numbers.take(1n)
        note(numbers.name, first)
        return asBigint(first)
      }
      const [[count] = []] = await asking.rows(place)
      const rows = BigInt(String(count))
      const { first, increment } = rows === 0n ? { first: 0n, increment: 1n } : await numbers.take(rows)
      if (rows > 0n) note(numbers.name, first + increment * (rows - 1n))
      return numberOfRow(first, rows, { increment })
    }

    async function set(call: Call, numbers: Numbers, all: readonly Token[], text: string): Promise<string> {
      const [, value, isCalled = 'true'] = call.arguments
      if (value === undefined || call.arguments.length > 3)
        throw new Failure('SQL_INVALID', 'setval takes a sequence, a number and whether it was given already', {
          place: placeAt(text, all[call.at]!.start),
        })
      const { begin, from, end } = segmentOf(all, call)
      const before = begin.text.toLowerCase() === 'with' ? text.slice(begin.start, selectOf(all, call)!.start) : ''
      const behind = from ? text.slice(from.start, end) : ''
      const rows = await asking.rows(
        `${before}SELECT CAST((${value}) AS BIGINT), CAST((${isCalled}) AS BOOLEAN) ${behind}`,
      )
      for (const [number, called] of rows)
        if (number !== null && called !== null) {
          await numbers.set(BigInt(String(number)), called === true)
          if (called === true) given.set(keyOf(numbers.name), BigInt(String(number)))
        }
      return `CAST((${value}) AS BIGINT)`
    }
  }

  return { bound, note, forget: () => (given.clear(), (latest = undefined)) }
}

const asBigint = (value: bigint) => `CAST(${value} AS BIGINT)`

/** `pg_get_serial_sequence('t', 'id')` as the text that it gives. */
async function serialNames(sql: string, { sequenceOf }: Asking): Promise<Spliced> {
  const all = [...tokens(sql)]
  const edits: Edit[] = []
  for (const call of callsIn(all, sql)) {
    const [table, column] = call.arguments.map(literalOf)
    if (call.word !== 'pg_get_serial_sequence' || table === undefined || column === undefined) continue
    const found = await sequenceOf(sequenceNamed(table), column)
    const name = found && quoteText(dottedNames(found.namespace, found.name))
    const text = `${name ?? 'CAST(NULL AS VARCHAR)'}${isItem(all, call) ? ' AS pg_get_serial_sequence' : ''}`
    edits.push({ start: all[call.at]!.start, end: all[call.end]!.end, text })
  }
  return splice(sql, edits)
}

/** Those that are in no other; a default that names a sequence is none. */
function callsIn(all: readonly Token[], sql: string): Call[] {
  const calls: Call[] = []
  const isDefault = defaultsOf(all)
  for (let at = 0; at < all.length; at++) {
    const word = all[at]!.kind === 'word' ? all[at]!.text.toLowerCase() : ''
    if (!names.has(word) || all[at + 1]?.text !== '(') continue
    const begin = all[at - 1]?.text === '.' && /^pg_catalog$/i.test(all[at - 2]?.text ?? '') ? at - 2 : at
    const end = closing(all, at + 1)
    const inside = sql.slice(all[at + 1]!.end, all[end]!.start)
    if (!isDefault(begin) && all[begin - 1]?.text !== '.')
      calls.push({ word, at: begin, end, arguments: splitAtCommas(inside) })
    // What stands in a call of setval is its value; the name of a sequence may be asked for by one of these.
    if (
      word === 'pg_get_serial_sequence' ||
      !all.slice(at + 2, end).some(({ text }) => /^pg_get_serial_sequence$/i.test(text))
    )
      at = end
  }
  return calls
}

/** Whether what stands at a token is of a column's definition, and so asked for with each row that comes. */
function defaultsOf(all: readonly Token[]): (at: number) => boolean {
  const words = all.slice(0, 5).map(({ text }) => text.toLowerCase())
  if (words[0] === 'alter') return () => true
  const isTable = words[0] === 'create' && words.includes('table')
  if (!isTable) return () => false
  const body = wordOutside(all, 'as')
  return (at) => body === undefined || at < body
}

const wordOutside = (all: readonly Token[], word: string, from = 0): number | undefined =>
  outside(all, from).find(([{ text }]) => text.toLowerCase() === word)?.[1]

/** What is kept as a text has the call in it, and the engine knows none. */
const keptStatement = /^(?:\s|--[^\n]*\n|\/\*.*?\*\/)*create\b(?:\s+\w+){0,3}?\s+(view|macro|function)\b/is

/** `'s'`, `'s'::regclass`, `CAST('s' AS text)`. */
function literalOf(sql: string): string | undefined {
  const literals = [...tokens(sql)]
  const strings = literals.filter(({ kind }) => kind === 'string')
  const others = literals.filter(({ kind, text }) => kind !== 'string' && !/^(cast|as|::|\(|\)|\.)$/i.test(text))
  const isPlain = others.every(({ text }) => /^(regclass|text|varchar|pg_catalog|name)$/i.test(text))
  const [only] = strings
  return only && strings.length === 1 && isPlain && only.text.startsWith("'")
    ? only.text.slice(1, -1).replaceAll("''", "'")
    : undefined
}

/** An item of a SELECT's list that has no name of its own. */
function isItem(all: readonly Token[], { at, end }: Call): boolean {
  const before = all[at - 1]?.text.toLowerCase()
  const behind = all[end + 1]?.text.toLowerCase()
  const isFirst = before === 'select'
  if (!isFirst && !(before === ',' && selectOf(all, { at }) && isOfList(all, at))) return false
  return behind === undefined || [',', 'from', ')', ';', 'where', 'limit', 'union'].includes(behind)
}

/** Whether what stands there is between a SELECT and its FROM, in no parentheses besides. */
function isOfList(all: readonly Token[], at: number): boolean {
  let depth = 0
  for (let index = at - 1; index >= 0; index--) {
    const text = all[index]!.text.toLowerCase()
    if (text === ')') depth++
    else if (text === '(') {
      if (depth-- === 0) return false
    } else if (depth === 0 && /^(from|values|returning|by|set)$/.test(text)) return false
    else if (depth === 0 && text === 'select') return true
  }
  return false
}

type Segment = {
  begin: Token
  /** Behind the list of the call's SELECT. */
  from: Token | undefined
  /** Where the rows of FROM and WHERE end, and what comes then. */
  end: number
  stop: string | undefined
  isBehindFrom: boolean
}

const stops = new Set(
  'group having order limit offset fetch union intersect except returning for window qualify on'.split(' '),
)

/** The statement or subquery that the call is a part of. */
function segmentOf(all: readonly Token[], call: Call): Segment {
  const [first, last] = extentOf(all, call.at)
  const select = selectOf(all, call)
  let from: number | undefined
  let [end, stop]: [number?, string?] = []
  const start = select ? all.indexOf(select) : first
  for (const [token, at] of outside(all, start + 1)) {
    if (at > last) break
    if (token.kind !== 'word') continue
    const text = token.text.toLowerCase()
    if (text === 'from' && from === undefined && all[at - 1]!.text.toLowerCase() !== 'distinct') from = at
    // `JOIN … ON` is a part of FROM, `ON CONFLICT` is not.
    else if (stops.has(text) && (text !== 'on' || /^conflict$/i.test(all[at + 1]?.text ?? '')) && end === undefined) {
      end = at
      stop = text
    }
  }
  return {
    begin: all[first]!,
    from: from === undefined ? undefined : all[from],
    end: end === undefined ? all[last]!.end : all[end]!.start,
    stop,
    isBehindFrom: from !== undefined && call.at > from,
  }
}

/** The tokens of the query around, the first and the last of them. */
function extentOf(all: readonly Token[], at: number): [number, number] {
  let depth = 0
  for (let index = at - 1; index >= 0; index--) {
    if (all[index]!.text === ')') depth++
    else if (all[index]!.text === '(' && depth-- === 0) {
      if (/^(select|with|from|insert|update|delete|merge)$/i.test(all[index + 1]!.text))
        return [index + 1, closing(all, index) - 1]
      depth = 0
    }
  }
  return [0, all.length - 1]
}

/** The SELECT whose list the call stands in, if that is of the query around. */
function selectOf(all: readonly Token[], { at }: Pick<Call, 'at'>): Token | undefined {
  const [first] = extentOf(all, at)
  let depth = 0
  for (let index = at - 1; index >= first; index--) {
    const text = all[index]!.text.toLowerCase()
    if (text === ')') depth++
    else if (text === '(') depth--
    else if (depth <= 0 && text === 'select') return all[index]
  }
  return undefined
}

/** How many rows there are around the call, as a SELECT; undefined where it gives one number alone. */
function rowsAround(all: readonly Token[], call: Call, text: string): string | undefined {
  const { begin, from, end, stop, isBehindFrom } = segmentOf(all, call)
  const word = begin.text.toLowerCase()
  const unsupported = (what: string) =>
    new Failure('SQL_UNSUPPORTED', `nextval ${what}`, {
      hint: 'Take the numbers by a query of their own, or in the list of a SELECT from a subquery.',
      place: placeAt(text, all[call.at]!.start),
    })
  if (word === 'update') return rowsOfUpdate(all, text, begin, end, unsupported)
  if (word === 'merge' || word === 'delete') throw unsupported(`in ${word.toUpperCase()}`)
  if (!from) return undefined
  if (isBehindFrom) throw unsupported('in a condition')
  const select = selectOf(all, call)
  if (!select) throw unsupported('in such a place')
  const behind = all[all.indexOf(select) + 1]?.text.toLowerCase()
  if (behind === 'distinct' || stop === 'group' || stop === 'having') throw unsupported('beside DISTINCT and GROUP BY')
  const start = all
    .slice(0, all.indexOf(select))
    .findLast(({ text: one, start }) => /^with$/i.test(one) && start >= begin.start)
  const before = start ? text.slice(start.start, select.start) : ''
  return `${before}SELECT count(*) ${text.slice(from.start, end)}`
}

/** `UPDATE t AS a SET … FROM … WHERE …`. */
function rowsOfUpdate(
  all: readonly Token[],
  text: string,
  begin: Token,
  end: number,
  unsupported: (what: string) => Failure,
): string {
  const first = all.indexOf(begin)
  const find = (word: string, from: number) => {
    const at = wordOutside(all, word, from)
    return at === undefined || all[at]!.start >= end ? undefined : at
  }
  const set = find('set', first)
  if (set === undefined) throw unsupported('in such a place')
  const [from, where] = [find('from', set), find('where', set)]
  const target = text.slice(all[first]!.end, all[set]!.start)
  const others =
    from === undefined ? '' : `, ${text.slice(all[from]!.end, where === undefined ? end : all[where]!.start)}`
  const condition = where === undefined ? '' : text.slice(all[where]!.start, end)
  return `SELECT count(*) FROM ${target}${others} ${condition}`
}
