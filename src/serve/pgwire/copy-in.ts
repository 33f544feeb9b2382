// Rows as COPY … FROM STDIN brings them: text, CSV or the binary format in, lines of one plain CSV out, which the engine reads. Each
// line begins with a 0, so that none is empty; every value is in quotes, and a null is nothing at all.
//
// Source: PostgreSQL documentation, COPY, "File Formats".

import { Failure } from '../../base/failure.ts'
import { parseArrays, timestampText, type ArrayItem } from '../../base/pg-texts.ts'
import { wireTypeOf, type WireType } from '../../base/pg-types.ts'
import { isFor, type CopyColumns, type CopyFormat } from './classify.ts'
import { quoteName } from '../../lake/index.ts'
import { binaryItems, scalarText } from './parameters.ts'
import { Body } from './body.ts'

export type CopiedColumn = { name: string; type: string }

/** The lines as rows of the table, where they lie as texts. */
export function copiedRows(columns: readonly CopiedColumn[], table: string): string {
  const names = columns.map(({ name }) => quoteName(name))
  const items = columns.map(({ type }, at) => copiedItem(type, names[at]!))
  return `SELECT ${items.join(', ')} FROM ${table} AS copied("0", ${names.join(', ')})`
}

/** The same without rows. */
export const copiedNulls = (columns: readonly CopiedColumn[]): string =>
  columns.map(({ type }) => copiedItem(type, 'CAST(NULL AS VARCHAR)')).join(', ')

function copiedItem(type: string, text: string): string {
  const wire = wireTypeOf(type)
  const isNested = wire.array || /^(STRUCT|MAP)\(|\[\]$/.test(type)
  if (isNested) return `CAST(CAST(${text} AS JSON) AS ${type.replaceAll(/\bJSONB\b/g, 'JSON')})`
  if (wire.type === 'bytea') return `from_hex(${text})`
  // What was declared of a text is looked at by the insert.
  return isText(wire) ? text : `CAST(${text} AS ${type})`
}

const isText = ({ type }: WireType) => /^(text|varchar|bpchar|jsonb?)$/.test(type)

/** The lines of some bytes; the last time without any. */
export type CopyReader = (bytes?: Buffer) => string

export function copyReader(from: CopyFormat, columns: readonly CopiedColumn[]): CopyReader {
  const types = columns.map(({ name, type }) => ({ name, type, wire: wireTypeOf(type) }))
  if (from.format === 'binary') return binaryReader(types)
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const records = from.format === 'csv' ? csvRecords(from, columns) : textRecords(from)
  let line = 0
  let isHead = from.header
  return (bytes) => {
    let out = ''
    for (const record of records(decoded(decoder, bytes), bytes === undefined)) {
      line++
      if (isHead) isHead = false
      else out += lineOf(record, types, line)
    }
    return out
  }
}

type Typed = CopiedColumn & { wire: WireType }
type Row = (string | null)[]
/** The records that are whole; `isLast`: what is left is one too. */
type Records = (text: string, isLast: boolean) => Iterable<Row>

function decoded(decoder: InstanceType<typeof TextDecoder>, bytes: Buffer | undefined): string {
  try {
    return decoder.decode(bytes, { stream: bytes !== undefined })
  } catch (cause) {
    throw new Failure('QUERY_FAILED', 'the rows of COPY are not UTF-8', { cause, sqlState: '22021' })
  }
}

const badFormat = (message: string) => new Failure('QUERY_FAILED', message, { sqlState: '22P04' })

function lineOf(record: Row, columns: readonly Typed[], line: number): string {
  if (record.length > columns.length) throw badFormat(`extra data after the last expected column, in line ${line}`)
  if (record.length < columns.length)
    throw badFormat(`missing data for column "${columns[record.length]!.name}", in line ${line}`)
  return `0,${record.map((value, at) => (value === null ? '' : quoted(engineText(value, columns[at]!)))).join(',')}\n`
}

const quoted = (text: string) => `"${text.includes('"') ? text.replaceAll('"', '""') : text}"`

/** A text as PostgreSQL has it, as the engine reads it. */
function engineText(text: string, { name, wire }: Typed): string {
  if (text.includes('\0')) throw badFormat(`a value of column "${name}" holds a zero byte`)
  if (wire.array) {
    const items = parseArrays(text)
    if (items) return jsonOf(items, wire)
    throw new Failure('QUERY_FAILED', `malformed array in column "${name}"`, { sqlState: '22P02' })
  }
  switch (wire.type) {
    case 'bytea':
      return /^\\x(?:[0-9a-f]{2})*$/i.test(text) ? text.slice(2) : Buffer.from(text).toString('hex')
    case 'bool':
      return /^(t|true|y|yes|on|1)$/i.test(text) ? 'true' : /^(f|false|n|no|off|0)$/i.test(text) ? 'false' : text
    case 'timestamp':
      return timestampText(text, false)
    case 'timestamptz':
      return timestampText(text, true)
    default:
      return text
  }
}

function jsonOf(items: readonly ArrayItem[], wire: WireType): string {
  const item = (one: ArrayItem): unknown => (Array.isArray(one) ? one.map(item) : one)
  if (wire.type === 'bytea')
    throw new Failure('SQL_UNSUPPORTED', 'COPY does not take arrays of bytea', { hint: 'Use INSERT.' })
  return JSON.stringify(items.map(item))
}

/** Lines with `\N`, `\t` and the like, up to `\.` alone. */
function textRecords({ delimiter, nullText }: CopyFormat): Records {
  let rest = ''
  let isOver = false
  return function* (text, isLast) {
    rest += text
    let begin = 0
    for (let at = 0; !isOver && at < rest.length; at++) {
      if (rest[at] === '\\') at++
      else if (rest[at] === '\n') {
        const line = rest.slice(begin, rest[at - 1] === '\r' ? at - 1 : at)
        begin = at + 1
        if (line === '\\.') isOver = true
        else yield fields(line)
      }
    }
    rest = isOver ? '' : rest.slice(begin)
    if (isLast && rest !== '' && rest !== '\\.') yield fields(rest)
  }
  function fields(line: string): Row {
    // What is not escaped is cut in one step.
    if (!line.includes('\\')) return line.split(delimiter).map((one) => (one === nullText ? null : one))
    const found: Row = []
    let begin = 0
    for (let at = 0; at <= line.length; at++) {
      if (line[at] === '\\') at++
      else if (at === line.length || line[at] === delimiter) {
        const field = line.slice(begin, at)
        found.push(field === nullText ? null : unescaped(field))
        begin = at + 1
      }
    }
    // A backslash at the very end escapes nothing.
    if (begin <= line.length - 1 && found.length === 0) found.push(unescaped(line.slice(begin)))
    return found
  }
}

const letters: { [letter: string]: string } = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }
const unescaped = (field: string): string =>
  field.replace(/\\(x[0-9a-f]{1,2}|[0-7]{1,3}|[^])/gi, (_, what: string) => {
    if (/^x./i.test(what)) return String.fromCharCode(parseInt(what.slice(1), 16))
    return /^[0-7]/.test(what) ? String.fromCharCode(parseInt(what, 8) & 255) : (letters[what] ?? what)
  })

/** Of each column, whether an option is for it. */
function chosen(option: string, names: CopyColumns, columns: readonly CopiedColumn[]): boolean[] {
  const isRead = (one: string) => columns.some(({ name }) => name.toLowerCase() === one)
  const missing = names === 'all' ? undefined : names.find((one) => !isRead(one))
  if (missing !== undefined)
    throw new Failure('SQL_INVALID', `${option} column "${missing}" is none that COPY reads`, { sqlState: '42P10' })
  return columns.map(({ name }) => isFor(names, name))
}

/** Values with quotes around those that need them; one that is the text of nulls without quotes is null. */
function csvRecords(from: CopyFormat, columns: readonly CopiedColumn[]): Records {
  const { delimiter, nullText, quote, escape } = from
  const isNull = chosen('FORCE_NULL', from.forceNull, columns)
  const isNotNull = chosen('FORCE_NOT_NULL', from.forceNotNull, columns)
  let record: Row = []
  let value = ''
  let [wasQuoted, isInside, isOver] = [false, false, false]
  /** A character that may be the first of two. */
  let held = ''
  const close = () => {
    const at = record.length
    record.push(value === nullText && (wasQuoted ? isNull[at] : !isNotNull[at]) ? null : value)
    value = ''
    wasQuoted = false
  }
  const ended = (): Row | undefined => {
    const isMark = record.length === 0 && !wasQuoted && value === '\\.'
    close()
    const done = record
    record = []
    if (isMark) isOver = true
    return isMark ? undefined : done
  }
  return function* (text, isLast) {
    const all = held + text
    held = ''
    for (let at = 0; at < all.length && !isOver; at++) {
      const one = all[at]!
      const isPair = isInside && (one === escape || one === quote)
      if ((isPair || one === '\r') && at === all.length - 1 && !isLast) {
        held = one
        break
      }
      if (isInside) {
        const next = all[at + 1]
        if (one === escape && (next === quote || (escape !== quote && next === escape))) {
          value += next
          at++
        } else if (one === quote) isInside = false
        else value += one
      } else if (one === quote) {
        isInside = true
        wasQuoted = true
      } else if (one === delimiter) close()
      else if (one === '\n' || one === '\r') {
        if (one === '\r' && all[at + 1] === '\n') at++
        const done = ended()
        if (done) yield done
      } else value += one
    }
    if (!isLast || isOver) return
    if (isInside) throw badFormat('a value in quotes is never closed')
    if (value !== '' || wasQuoted || record.length > 0) {
      const done = ended()
      if (done) yield done
    }
  }
}

const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')

function binaryReader(columns: readonly Typed[]): CopyReader {
  let rest: Buffer = Buffer.alloc(0)
  let [isBegun, isOver] = [false, false]
  let line = 0
  const textOf = (bytes: Buffer, column: Typed): string => {
    const { wire, type } = column
    // Structs and maps are JSON.
    if (wire.array) return jsonOf(binaryItems(bytes, wire.type), wire)
    const body = new Body(bytes)
    const text = scalarText(body, bytes.length, wire.type)
    body.end()
    return type === 'BLOB' ? text.slice(2) : text
  }
  return (bytes) => {
    if (!bytes) {
      if (!isBegun || rest.length > 0) throw badFormat('the rows of COPY end too early')
      return ''
    }
    if (isOver) return ''
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    let at = 0
    if (!isBegun) {
      if (rest.length < 19) return ''
      if (!rest.subarray(0, 11).equals(signature)) throw badFormat('COPY file signature not recognized')
      const extension = rest.readInt32BE(15)
      if (extension < 0 || rest.length < 19 + extension) return ''
      at = 19 + extension
      isBegun = true
    }
    let out = ''
    for (;;) {
      const end = tupleEnd(rest, at)
      if (end === undefined) break
      const count = rest.readInt16BE(at)
      if (count === -1) {
        isOver = true
        at = rest.length
        break
      }
      line++
      if (count !== columns.length)
        throw badFormat(`row field count is ${count}, expected ${columns.length}, in row ${line}`)
      const body = new Body(rest.subarray(at + 2, end))
      const values = columns.map((column) => {
        const value = body.value()
        return value === null ? '' : quoted(textOf(value, column))
      })
      out += `0,${values.join(',')}\n`
      at = end
    }
    rest = rest.subarray(at)
    return out
  }
}

/** Undefined while it is not all there. */
function tupleEnd(bytes: Buffer, begin: number): number | undefined {
  if (bytes.length < begin + 2) return undefined
  const count = bytes.readInt16BE(begin)
  let at = begin + 2
  for (let field = 0; field < count; field++) {
    if (bytes.length < at + 4) return undefined
    at += 4 + Math.max(bytes.readInt32BE(at), 0)
  }
  return at <= bytes.length ? at : undefined
}
