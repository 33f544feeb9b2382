// `PIVOT t ON region USING sum(n)` has a column for each region that there is. DuckDB finds them by a query of its own
// before it plans, which its serialiser cannot do; so they are asked for here and written down: `ON region IN ('n', 's')`. The same
// of those that a query gives: `ON region IN (SELECT name FROM regions)`.

import { Failure } from '../../base/failure.ts'
import { splice } from './splice.ts'
import { outside, placeAt, quoteText, tokens, type Token } from './tokens.ts'

const valuesMax = 1_000
const pivotsMax = 8
const opening = new Set(['(', '[', '{'])
const closing = new Set([')', ']', '}'])
const queries = new Set(['select', 'from', 'values', 'with'])

/** The text with all values named; undefined when no PIVOT leaves them out. `rows` runs a SELECT. */
export async function withPivotValues(
  sql: string,
  rows: (sql: string) => Promise<unknown[][]>,
): Promise<string | undefined> {
  let text = sql
  for (let count = 0; count < pivotsMax; count++) {
    const found = firstOpen(text)
    if (!found) return count === 0 ? undefined : text
    const { from, element, prefix, whole } = found
    const values = [...new Set((await rows(`${prefix}${from} LIMIT ${valuesMax + 1}`)).map(([value]) => String(value)))]
    const place = placeAt(text, element.start)
    if (values.length === 0) {
      // No list may be empty: the columns of a value that nobody has are left out.
      text = splice(text, [
        {
          start: whole.start,
          end: whole.start,
          text: `SELECT COLUMNS(c -> NOT starts_with(c, ${quoteText(nobodys)})) FROM (`,
        },
        { ...element, text: ` IN (${quoteText(nobodys)})` },
        { start: whole.end, end: whole.end, text: ')' },
      ]).text
      continue
    }
    if (values.length > valuesMax)
      throw new Failure('SQL_INVALID', `PIVOT found more than ${valuesMax} values to make columns of`, { place })
    const list = ` IN (${values.map(quoteText).join(', ')})`
    text = splice(text, [{ ...element, text: list }]).text
  }
  return text
}

/** Whether its columns depend on the rows that there are. */
export const pivotsByRows = (sql: string): boolean => /\bpivot/i.test(sql) && firstOpen(sql) !== undefined

const nobodys = '_boathouse_nothing'

type Range = { start: number; end: number }

/** The first element of a PIVOT's ON that names no values: the SELECT of them, and where they are to be written. */
function firstOpen(sql: string): { from: string; element: Range; prefix: string; whole: Range } | undefined {
  const all = [...tokens(sql)]
  const word = (at: number) => (all[at]?.kind === 'word' ? all[at]!.text.toLowerCase() : '')
  for (let at = 0; at < all.length; at++) {
    if (word(at) !== 'pivot' && word(at) !== 'pivot_wider') continue
    const before = all[at - 1]?.text
    // `FROM t PIVOT (… FOR x IN (…))` names its values.
    if (before !== undefined && before !== '(' && before !== ')') continue
    const on = next(all, at + 1, (index) => word(index) === 'on')
    if (on === undefined) continue
    const end = next(all, on + 1, (index) => ['using', 'group', 'order', 'limit'].includes(word(index))) ?? all.length
    for (let first = on + 1; first < end;) {
      const comma = next(all, first, (index) => all[index]!.text === ',') ?? end
      const last = Math.min(comma, end, closed(all, first)) - 1
      const values = next(all, first, (index) => index <= last && word(index) === 'in')
      const whole = { start: all[at]!.start, end: all[closed(all, at)]?.start ?? sql.length }
      const prefix = queriesBefore(sql, all, at)
      if (values === undefined && last >= first) {
        const [start, end] = [all[first]!.start, all[last]!.end]
        const source = sql.slice(all[at + 1]!.start, all[on - 1]!.end)
        const from = `SELECT DISTINCT CAST((${sql.slice(start, end)}) AS VARCHAR) AS pivoted FROM ${source} WHERE pivoted IS NOT NULL ORDER BY pivoted`
        return { from, element: { start: end, end }, prefix, whole }
      }
      if (values !== undefined && all[values + 1]?.text === '(' && queries.has(word(values + 2))) {
        const end = closed(all, values + 2)
        const query = sql.slice(all[values + 2]!.start, all[end]?.start)
        const from = `SELECT CAST(pivoted AS VARCHAR) AS pivoted FROM (${query}\n) AS given(pivoted) WHERE pivoted IS NOT NULL`
        const element = { start: all[values - 1]!.end, end: all[end]?.end ?? sql.length }
        return { from, element, prefix, whole }
      }
      if (comma >= end) break
      first = comma + 1
    }
  }
  return undefined
}

/** `WITH …`, the innermost around the token at `at`, with the queries that it names before: they may be what is pivoted. */
function queriesBefore(sql: string, all: readonly Token[], at: number): string {
  const is = (index: number, text: string) => all[index]?.text.toLowerCase() === text
  const around: number[] = [0]
  for (let index = 0; index < at; index++)
    if (opening.has(all[index]!.text)) around.push(index + 1)
    else if (closing.has(all[index]!.text)) around.pop()
  const start = around.findLast((index) => is(index, 'with'))
  if (start === undefined) return ''
  let end = start
  for (let from = start + 1; ;) {
    const as = next(all, from, (index) => is(index, 'as'))
    const open = as === undefined ? undefined : next(all, as, (index) => is(index, '('))
    const close = open === undefined ? all.length : closed(all, open + 1)
    if (close >= at) break
    end = close
    if (!is(close + 1, ',')) break
    from = close + 2
  }
  return end === start ? '' : `${sql.slice(all[start]!.start, all[end]!.end)} `
}

/** Index of the first token outside of parentheses that is meant; undefined at the end of the parentheses it began in. */
const next = (all: readonly Token[], from: number, isMeant: (index: number) => boolean): number | undefined =>
  outside(all, from).find(([, at]) => isMeant(at))?.[1]

/** Index of the token that closes the parentheses around `from`, or behind the last. */
const closed = (all: readonly Token[], from: number): number => {
  let depth = 0
  for (let at = from; at < all.length; at++) {
    if (opening.has(all[at]!.text)) depth++
    else if (closing.has(all[at]!.text) && --depth < 0) return at
  }
  return all.length
}
