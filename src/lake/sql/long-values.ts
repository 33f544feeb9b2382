// `VALUES (1, 'a'), (2, 'b'), …` with thousands of rows: what it reads, calls and has for columns is known by a few of them.
// DuckDB's tree of such a text takes fifty times as much memory as the text.
//
// Nothing that is left out may be more than a literal, for the tree is what tells what a statement may do. So the text has to
// begin with VALUES, but for words, parentheses and stars, which begin no text or comment; and what stands in a row is read
// here by a grammar that has nothing else in it. Where anything else comes, it stays.

/** Shorter texts cost little as they are. */
const longText = 20_000
/** Rows that have a literal of a kind that its column had not before decide about its type, so they stay. */
const kindsMost = 2_000
const nestedMost = 4

const beginning = /^[\s(*]*(?:select\s*\*\s*from[\s(]*)?values\s*(?=\()/i
const number = /[-+]?(\d+(?:\.\d*)?|\.\d+)(e[-+]?\d+)?(?![\w.])/iy
const text = /((?:date|timestamp|timestamptz|time|uuid)\s*)?'[^'\0]*(?:''[^'\0]*)*'/iy
const word = /(?:null|true|false)\b/iy
const between = /\s*,\s*(?=\()/y
const castBegins = /cast\s*\(/iy
const castEnds =
  /\s+as\s+(boolean|integer|bigint|float|double|decimal\(\d+,\s*\d+\)|date|time|timestamp(?: with time zone|_ns)?|varchar|uuid|blob)\s*\)/iy

/**
 * The same text with blanks, of as many bytes, for rows that are like others: it has the same tables, functions and columns,
 * and what stays has its place. Not for running.
 */
export function withoutLikeRows(sql: string): string {
  const begins = sql.length < longText ? null : beginning.exec(sql)
  if (!begins) return sql
  const kinds = new Set<string>()
  const parts: string[] = []
  let kept = 0
  for (let at = begins[0].length; ;) {
    const row = rowAt(sql, at)
    if (!row) break
    const added = row.kinds.filter((kind) => !kinds.has(kind))
    if (kinds.size < kindsMost) for (const kind of added) kinds.add(kind)
    if (added.length === 0) {
      // With the comma before it.
      const from = sql.lastIndexOf(',', at)
      parts.push(sql.slice(kept, from), ' '.repeat(Buffer.byteLength(sql.slice(from, row.end))))
      kept = row.end
    }
    const comma = found(between, sql, row.end)
    if (!comma) break
    at = row.end + comma[0].length
  }
  return parts.join('') + sql.slice(kept)
}

type Found = { end: number; kind: string }

/** Its kinds, each with the place of its column. */
function rowAt(sql: string, from: number): { end: number; kinds: string[] } | undefined {
  const kinds: string[] = []
  let at = from
  do {
    const value = valueAt(sql, blanks(sql, at + 1), 0)
    if (!value) return undefined
    kinds.push(`${kinds.length} ${value.kind}`)
    at = blanks(sql, value.end)
  } while (sql[at] === ',')
  return sql[at] === ')' ? { end: at + 1, kinds } : undefined
}

function valueAt(sql: string, at: number, depth: number): Found | undefined {
  if (depth > nestedMost) return undefined
  if (sql[at] === '(') {
    const inner = valueAt(sql, blanks(sql, at + 1), depth + 1)
    const end = inner && blanks(sql, inner.end)
    return inner && sql[end!] === ')' ? { end: end! + 1, kind: inner.kind } : undefined
  }
  const cast = found(castBegins, sql, at)
  if (cast) {
    const inner = valueAt(sql, blanks(sql, at + cast[0].length), depth + 1)
    const type = inner && found(castEnds, sql, inner.end)
    return type ? { end: inner.end + type[0].length, kind: type[1]! } : undefined
  }
  const numeral = found(number, sql, at)
  if (numeral) return { end: at + numeral[0].length, kind: numeral[2] ? 'double' : kindOfNumber(numeral[1]!) }
  const written = found(text, sql, at)
  if (written) return { end: at + written[0].length, kind: written[1]?.trim() ?? 'text' }
  const other = found(word, sql, at)
  return other && { end: at + other[0].length, kind: other[0].toLowerCase() }
}

/** Numbers of one kind are of one type; large ones, which are of a type by their value, are each of a kind of their own. */
function kindOfNumber(digits: string): string {
  const [whole, fraction] = digits.split('.')
  if (fraction !== undefined) return `${whole!.length}.${fraction.length}`
  return digits.length < 10 ? 'integer' : digits.length > 10 && digits.length < 19 ? 'bigint' : digits
}

function found(pattern: RegExp, sql: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at
  return pattern.exec(sql) ?? undefined
}

function blanks(sql: string, from: number): number {
  let at = from
  while (sql[at] === ' ' || sql[at] === '\n' || sql[at] === '\t' || sql[at] === '\r') at++
  return at
}
