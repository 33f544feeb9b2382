// `INSERT INTO t VALUES …` of many megabytes, as drivers write it that put values into texts (psycopg's `execute_values`, pandas, dlt):
// taken as several of fewer rows, since the tokens of a text take a hundred times as much memory.

/** As many rows as fit, and the first one that does not any more. */
const groupLength = 2 ** 19

const beginning =
  /^\s*insert\s+into\s+(?:"(?:[^"]|"")+"|[\w.])+\s*(?:\((?:"(?:[^"]|"")+"|[\w,\s])+\)\s*)?values\s*(?=\()/i
const between = /\s*,\s*(?=\()/y
const ending = /\s*;?\s*$/y
/** Outside of quotes: where a row may hold more than values, its end is not looked for. */
const special = /--|\/\*|[$'"();]/g

/** Where each of several statements begins in the text, less what stands before the rows; undefined for any other statement. */
export function longInsert(text: string): { sql: string; start: number }[] | undefined {
  const head = beginning.exec(text)?.[0]
  if (head === undefined) return undefined
  const parts: { sql: string; start: number }[] = []
  let from = head.length
  for (let at = from; ;) {
    const end = rowEnd(text, at)
    if (end === undefined) return undefined
    between.lastIndex = end
    const comma = between.exec(text)?.[0].length
    if (comma === undefined || end - from >= groupLength) {
      parts.push({ sql: head + text.slice(from, end), start: from - head.length })
      from = end + (comma ?? 0)
    }
    if (comma === undefined) {
      ending.lastIndex = end
      return ending.test(text) ? parts : undefined
    }
    at = end + comma
  }
}

/** Behind the parenthesis that closes the one at `from`. */
function rowEnd(text: string, from: number): number | undefined {
  let depth = 0
  special.lastIndex = from
  for (let found = special.exec(text); found; found = special.exec(text)) {
    const [symbol] = found
    if (symbol === '(') depth++
    else if (symbol === ')') {
      if (--depth === 0) return found.index + 1
    } else if (symbol === "'" || symbol === '"') {
      const end = quoteEnd(text, found.index)
      if (end === undefined) return undefined
      special.lastIndex = end
    } else return undefined
  }
  return undefined
}

/** Behind the quote that closes the one at `from`; two of them are one, and in `E'\''` a backslash escapes. */
function quoteEnd(text: string, from: number): number | undefined {
  const quote = text[from]!
  const isEscaped = quote === "'" && /(?:^|[^\w"])e$/i.test(text.slice(Math.max(from - 2, 0), from))
  for (let at = from + 1; at < text.length; at++) {
    if (isEscaped && text[at] === '\\') at++
    else if (text[at] === quote) {
      if (text[at + 1] !== quote) return at + 1
      at++
    }
  }
  return undefined
}
