// Values that a client binds, as literals in the text of the statement. So they reach the planning too, where they prune
// files, and a statement of any kind may have them. A literal is quoted here or consists of digits: nothing a client
// sends becomes syntax.
//
// Source of the binary forms: PostgreSQL's `*_recv` functions.

import { Failure } from '../../base/failure.ts'
import { engineTypeOf, pgTypeOfOid, pgTypes, type PgTypeName } from '../../base/pg-types.ts'
import { arraySql, decimalText, parseArray, parseArrays, timestampText, type ArrayItem } from '../../base/pg-texts.ts'
import { parametersIn, quoteText, systemOids, tokens, type Edit, type Token } from '../../lake/index.ts'
import { Body, utf8 } from './body.ts'

/** The places of `$1`, `$2` … in a text. */
export type Placeholder = {
  number: number
  start: number
  end: number
  /** Stands where only a number can, so a value without a type is written as one. */
  counts: boolean
  /** The OID of what is meant where nobody says more; 0 where its place does not tell. */
  likely: number
  /** Is cast to a list, or compared with one. */
  isList: boolean
  /** The OID of the type that it is cast to; 0 where it is to none that is known. */
  cast: number
  /** The range of `= ANY ($1)` and `<> ALL ($1)`, which `not` is. */
  any: { start: number; end: number; not: boolean } | undefined
  /** The range with the comma behind it, or before it. */
  argument: { start: number; end: number }
}

export function placeholders(sql: string): Placeholder[] {
  const all = [...tokens(sql)]
  return parametersIn(all).map(({ at, number, start, end }) => {
    const [before, after] = [all[at - 1]?.text.toLowerCase() ?? '', all[at + 2]?.text.toLowerCase() ?? '']
    const counts = /^([-+*/%]|limit|offset)$/.test(before) || /^[-+*/%]$/.test(after)
    return {
      number,
      start,
      end,
      counts,
      likely: likelyAt(all, at),
      isList: (after === '::' && all[at + 4]?.text === '[') || isLikeEach(all, at) || isBesideList(all, at),
      cast: castAt(all, at),
      any: anyAt(all, at),
      argument: {
        start: after !== ',' && before === ',' ? all[at - 1]!.start : start,
        end: after === ',' ? all[at + 2]!.end : end,
      },
    }
  })
}

/** In `generate_series(1, $1)`, `name LIKE ANY ($1)`, `3 = $1`, `pg_cancel_backend($1)`. */
function likelyAt(all: readonly Token[], at: number): number {
  if (isBound(all, at) || isBackendCall(all, at)) return pgTypes.int4.oid
  if (isLikeEach(all, at)) return pgTypes.text.array
  const beside = isComparison(all[at - 1]) ? all[at - 2] : isComparison(all[at + 2]) ? all[at + 3] : undefined
  if (beside?.kind !== 'number') return 0
  return /^\d{1,9}$/.test(beside.text) ? pgTypes.int4.oid : pgTypes.numeric.oid
}
const isComparison = (token: Token | undefined) => /^(=|<>|!=|<=?|>=?)$/.test(token?.text ?? '')
const isBackendCall = (all: readonly Token[], at: number) =>
  all[at - 1]?.text === '(' && /^pg_(cancel|terminate)_backend$/i.test(all[at - 2]?.text ?? '')

/** `LIKE ANY ($1)`. */
const isLikeEach = (all: readonly Token[], at: number): boolean =>
  /^i?like (any|some|all) \($/i.test(
    all
      .slice(Math.max(at - 3, 0), at)
      .map(({ text }) => text)
      .join(' '),
  )

function anyAt(all: readonly Token[], at: number): Placeholder['any'] {
  const [symbol, word, open, close] = [at - 3, at - 2, at - 1, at + 2].map((place) => all[place]?.text.toLowerCase())
  const not = (symbol === '<>' || symbol === '!=') && word === 'all'
  const isAny = not || (symbol === '=' && (word === 'any' || word === 'some'))
  return isAny && open === '(' && close === ')' ? { start: all[at - 3]!.start, end: all[at + 2]!.end, not } : undefined
}

/** `generate_series(1, $1)`. */
function isBound(all: readonly Token[], at: number): boolean {
  if (!/^[,)]$/.test(all[at + 2]?.text ?? '')) return false
  let depth = 0
  for (let before = at - 1; before > 0 && before > at - 40; before--) {
    const { text } = all[before]!
    if (text === ')') depth++
    else if (text === '(' && depth-- === 0) return /^(generate_series|range)$/i.test(all[before - 1]!.text)
  }
  return false
}

/** `tags @> $1`, `doc #> $1`, `$1 && tags`. */
export function isBesideList(all: readonly Token[], at: number, width = 2): boolean {
  const written = (from: number, to: number) =>
    all
      .slice(Math.max(from, 0), to)
      .map(({ kind, text }) => (kind === 'symbol' ? text : ' '))
      .join('')
  return /(@>|<@|&&|#>>?|\?[|&])$/.test(written(at - 3, at)) || /^(@>|<@|&&)/.test(written(at + width, at + width + 3))
}

/** Of `$1::int[]` and `CAST($1 AS double precision)`, where `$` is at this place. */
function castAt(all: readonly Token[], at: number): number {
  const word = (place: number) => all[place]?.text.toLowerCase() ?? ''
  const isInside = word(at - 1) === '(' && /^(try_)?cast$/.test(word(at - 2)) && word(at + 2) === 'as'
  if (word(at + 2) !== '::' && !isInside) return 0
  let end = at + 3
  while (all[end] && (all[end]!.kind === 'word' || all[end]!.kind === 'quoted' || word(end) === '.')) end++
  const names = Array.from({ length: end - at - 3 }, (_, index) => word(at + 3 + index))
  const isList = word(end) === '[' && word(end + 1) === ']'
  // What follows a type is a word, too: `$1::int AND …`.
  const longest = names.length > 1 && names[1] !== '.' ? [names.join(' '), names.slice(0, 2).join(' ')] : []
  for (const name of [...longest, names.slice(0, names[1] === '.' ? 3 : 1).join('')]) {
    const oid = name === '' ? 0 : systemOids.type(isList ? `${name}[]` : name)
    if (oid !== 0) return pgTypeOfOid(oid) ? oid : 0
  }
  return 0
}

/** One value as it came in a Bind message. `oid` is 0 where nobody said of which type it is. */
export type Bound = { bytes: Buffer | null; format: number; oid: number }

/** `plainText`: text without its type, for queries of the catalog. `exact`: numerics that are whole numbers stay numerics. @throws Failure REQUEST_INVALID, QUERY_FAILED */
export function parameterEdits(
  places: readonly Placeholder[],
  values: readonly Bound[],
  { plainText, exact }: { plainText: boolean; exact: boolean },
): Edit[] {
  return places.map(({ number, start, end, counts, likely, isList, any, cast, argument }) => {
    const given = values[number - 1]
    if (!given)
      throw new Failure('REQUEST_INVALID', `there is no value for the parameter $${number}`, {
        hint: `${values.length} were bound.`,
      })
    if (given.oid === voidOid) return { ...argument, text: '' }
    const value = given.oid === 0 && cast === pgTypes.numeric.oid ? { ...given, oid: cast } : given
    const untold = value.oid === 0 && value.format === 0 && value.bytes ? utf8(value.bytes) : undefined
    const those = any && untold !== undefined ? parseArray(untold) : undefined
    // Texts in IN become what they are compared with; in a list they would all be text.
    if (any && those)
      return { start: any.start, end: any.end, text: `${any.not ? ' NOT' : ''} IN (${itemsSql(those)})` }
    const items = isList && untold !== undefined ? parseArrays(untold) : undefined
    // Of how many dimensions it is the cast behind it does not say: that is put right where texts are.
    if (items?.every((item) => !Array.isArray(item)))
      return { start, end, text: listSql(items, pgTypeOfOid(cast)?.type === 'bytea') }
    const isText = plainText && ['text', 'varchar', 'name'].includes(pgTypeOfOid(value.oid)?.type ?? '')
    const asked = isText && !pgTypeOfOid(value.oid)!.array ? { ...value, oid: 0, format: 0 } : value
    const text = literal(asked, number, counts || (likely === pgTypes.int4.oid && isShort(asked.bytes)))
    const isWhole = exact && value.oid === pgTypes.numeric.oid && /^\(-?\d+\)$/.test(text)
    return { start, end, text: isWhole ? `${text.slice(0, -1)}.)` : text }
  })
}

/** What JDBC says of a parameter that a function gives back: `{? = call upper(?)}` is no argument of it, as in PostgreSQL. */
const voidOid = 2278

/** Whether a text is a whole number: where one is likely, a text would be none. */
const isShort = (bytes: Buffer | null) => bytes !== null && /^-?\d{1,9}$/.test(bytes.toString('latin1'))

/** `$n` with the types that were declared, as a text that can be bound without values. The items of `= ANY ($n)` for its list. */
export function typedEdits(places: readonly Placeholder[], oids: readonly number[]): Edit[] {
  return places.flatMap(({ number, start, end, any, argument }) => {
    if (oids[number - 1] === voidOid) return [{ ...argument, text: '' }]
    const type = castOf(oids[number - 1] ?? 0)
    if (type) return [{ start, end, text: `CAST($${number} AS ${type})` }]
    return any ? [{ start: any.start, end: any.end, text: ` ${any.not ? '<>' : '='} $${number}` }] : []
  })
}

/** Null of the type of each parameter in its place; `unknown`: one of which the engine does not see that it is null. */
export function nullEdits(places: readonly Placeholder[], oids: readonly number[], unknown = false): Edit[] {
  const none = unknown ? '(SELECT NULL)' : 'NULL'
  return places.map(({ number, start, end, argument }) => {
    if (oids[number - 1] === voidOid) return { ...argument, text: '' }
    const type = castOf(oids[number - 1] ?? 0)
    return { start, end, text: `CAST(${none} AS ${type ?? 'VARCHAR'})` }
  })
}

function castOf(oid: number): string | undefined {
  const type = pgTypeOfOid(oid)
  if (!type || type.type === 'unknown') return undefined
  return engineTypeOf(type) ?? (type.type === 'numeric' ? 'DECIMAL(38,10)' : undefined)
}

function literal({ bytes, format, oid }: Bound, number: number, counts: boolean): string {
  const type = pgTypeOfOid(oid)
  const cast = castOf(oid)
  if (bytes === null) return cast ? `CAST(NULL AS ${cast})` : 'NULL'
  if (format === 1 && !type)
    throw new Failure('REQUEST_INVALID', `the parameter $${number} is binary and of the unknown type ${oid}`)
  const text = format === 1 ? binaryText(bytes, type!) : utf8(bytes)
  if (text.includes('\0')) throw new Failure('REQUEST_INVALID', `the parameter $${number} holds a zero byte`)
  const written = decimalText(text)
  // A numeric as it is written: its precision is its own. Parentheses, so that no `--` begins with its sign.
  if ((type?.type === 'numeric' && !type.array) || (!cast && counts && !span.test(text)))
    return written === undefined ? `CAST(${quoteText(text)} AS DOUBLE)` : `(${written})`
  if (type?.array) {
    const list = format === 0 ? arrayLiteral(text, number, type.type) : text
    // The type of an array says nothing of its dimensions.
    const more = '[]'.repeat(Math.max(0, /^\[*/.exec(list)![0].length - 1))
    return `CAST(${list} AS ${cast}${more})`
  }
  if (type?.type === 'timestamp') return `CAST(${quoteText(timestampText(text, false))} AS ${cast})`
  if (type?.type === 'bytea') return bytesSql(text)
  if (type?.type === 'bool') return /^(t|true|y|yes|on|1)$/i.test(text.trim()) ? 'true' : 'false'
  const meant = cast ?? (counts && span.test(text) ? 'INTERVAL' : undefined)
  return meant ? `CAST(${quoteText(text)} AS ${meant})` : quoteText(text)
}

/** `2 days`: added to a moment, or to another of the kind. */
const span = /^\s*[-+]?\d+\s*[a-z]{3,}/i

const hexOf = (text: string): string =>
  /^\\x([0-9a-f]{2})*$/i.test(text) ? text.slice(2) : Buffer.from(text).toString('hex')

/** `{1,NULL,"a b"}` as a list of quoted texts. */
function arrayLiteral(text: string, number: number, type: PgTypeName): string {
  const items = parseArrays(text)
  if (!items) throw new Failure('QUERY_FAILED', `the parameter $${number} is a malformed array literal`)
  return listSql(items, type === 'bytea')
}

/** A list of quoted texts, or of bytes. */
export const listSql = (items: readonly ArrayItem[], isOfBytes: boolean): string =>
  arraySql(items, isOfBytes ? bytesSql : quoteText)

/** The bytes that a text of `bytea` means. */
const bytesSql = (text: string) => `from_hex(${quoteText(hexOf(text))})`

/** What stands between the parentheses of IN. */
export const itemsSql = (items: readonly (string | null)[]): string =>
  items.length === 0
    ? 'SELECT NULL WHERE false'
    : items.map((item) => (item === null ? 'NULL' : quoteText(item))).join(', ')

/** Text of a binary value; of an array, a list of literals. */
function binaryText(bytes: Buffer, { type, array }: { type: PgTypeName; array: boolean }): string {
  if (array) return listSql(binaryItems(bytes, type), type === 'bytea')
  const body = new Body(bytes)
  const text = scalarText(body, bytes.length, type)
  body.end()
  return text
}

/** The items of an array in binary. */
export function binaryItems(bytes: Buffer, type: PgTypeName): ArrayItem[] {
  const body = new Body(bytes)
  const dimensions = body.int32()
  body.int32() // whether there are nulls
  const item = body.int32()
  if (item !== pgTypes[type].oid || dimensions < 0 || dimensions > 6)
    throw new Failure('REQUEST_INVALID', 'a malformed array was bound')
  if (dimensions === 0) return []
  const counts = Array.from({ length: dimensions }, () => {
    const count = body.int32()
    body.int32() // the number of the first
    if (count < 0 || count > bytes.length) throw new Failure('REQUEST_INVALID', 'a malformed array was bound')
    return count
  })
  const items = (depth: number): ArrayItem[] =>
    Array.from({ length: counts[depth]! }, () => {
      if (depth + 1 < dimensions) return items(depth + 1)
      const value = body.value()
      return value === null ? null : scalarText(new Body(value), value.length, type)
    })
  const all = items(0)
  body.end()
  return all
}

const epochMs = Date.UTC(2000, 0, 1)

/** The text of a value in binary. */
export function scalarText(body: Body, length: number, type: PgTypeName): string {
  switch (type) {
    case 'bool':
      return body.byte() === '\0' ? 'false' : 'true'
    case 'int2':
      return String(body.int16())
    case 'int4':
      return String(body.int32())
    case 'oid':
    case 'regproc':
      return String(body.int32() >>> 0)
    case 'int8':
      return String(body.bytes(8).readBigInt64BE())
    case 'float4':
      return String(body.bytes(4).readFloatBE())
    case 'float8':
      return String(body.bytes(8).readDoubleBE())
    case 'numeric':
      return numericText(body)
    case 'bytea':
      return `\\x${body.rest().toString('hex')}`
    case 'uuid':
      return body
        .bytes(16)
        .toString('hex')
        .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
    case 'date': {
      const days = body.int32()
      if (days === 2 ** 31 - 1) return 'infinity'
      if (days === -(2 ** 31)) return '-infinity'
      return isoOf(epochMs + days * 86_400_000).slice(0, -14)
    }
    case 'time':
      return isoOf(0, body.bytes(8).readBigInt64BE()).slice(-16, -1)
    case 'timestamp':
    case 'timestamptz': {
      const micros = body.bytes(8).readBigInt64BE()
      if (micros === 2n ** 63n - 1n) return 'infinity'
      if (micros === -(2n ** 63n)) return '-infinity'
      const text = isoOf(epochMs, micros).replace('T', ' ')
      return type === 'timestamptz' ? text.replace('Z', '+00') : text.slice(0, -1)
    }
    case 'interval': {
      const micros = body.bytes(8).readBigInt64BE()
      const [days, months] = [body.int32(), body.int32()]
      return `${months} months ${days} days ${micros} microseconds`
    }
    case 'jsonb':
      body.bytes(1) // the version of the format
      return utf8(body.rest())
    case 'timetz': {
      const clock = isoOf(0, body.bytes(8).readBigInt64BE()).slice(-16, -1)
      const west = body.int32()
      return `${clock}${west > 0 ? '-' : '+'}${isoOf(Math.abs(west) * 1000).slice(11, 19)}`
    }
    case 'bit':
    case 'inet':
    case 'money':
      throw new Failure('REQUEST_INVALID', `a parameter is binary and of the type ${type}, which is not here`)
    default:
      return utf8(body.bytes(length))
  }
}

/** ISO 8601 with microseconds. */
function isoOf(baseMs: number, micros = 0n): string {
  const ms = micros >= 0n ? micros / 1000n : (micros - 999n) / 1000n
  const date = new Date(baseMs + Number(ms))
  if (Number.isNaN(date.getTime())) throw new Failure('QUERY_FAILED', 'a date is out of range')
  const rest = String(micros - ms * 1000n).padStart(3, '0')
  return date.toISOString().replace('Z', `${rest}Z`).replace(/^\+0*/, '')
}

function numericText(body: Body): string {
  const [count, weight, sign, scale] = [body.int16(), body.int16(), body.int16() & 0xffff, body.int16()]
  if (sign !== 0 && sign !== 0x4000) return sign === 0xc000 ? 'NaN' : sign === 0xf000 ? '-Infinity' : 'Infinity'
  if (count < 0 || count > 100 || Math.abs(weight) > 100 || scale < 0 || scale > 100)
    throw new Failure('QUERY_FAILED', 'a numeric is out of range')
  const groups = Array.from({ length: count }, () => String(body.int16()).padStart(4, '0'))
  const wholeGroups = weight + 1
  const all = '0000'.repeat(Math.max(0, -wholeGroups)) + groups.join('')
  const digits = all.padEnd(Math.max(0, wholeGroups) * 4 + scale, '0')
  const split = Math.max(0, wholeGroups) * 4
  const whole = digits.slice(0, split).replace(/^0+(?=\d)/, '') || '0'
  const fraction = digits.slice(split, split + scale)
  return `${sign === 0x4000 ? '-' : ''}${whole}${fraction && `.${fraction}`}`
}
