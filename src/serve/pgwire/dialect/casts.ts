// Types by PostgreSQL's names, in columns and in casts, and literals that mean what their type says.

import { Failure } from '../../../base/failure.ts'
import { decimalText, timestampText } from '../../../base/pg-texts.ts'
import { isName, quoteText } from '../../../lake/index.ts'
import { functionColumn, functionNames, isOidAlias, lookingUp, namesOf, oidAlias, oidOf, relationOids } from './oids.ts'
import { beforeValues, textOf, type EditedSql } from './sql.ts'

/** Without a precision: the engine's own, of three digits behind the point, would round what clients send and compute. */
const openNumeric = 'DECIMAL(38,10)'

export const openTypes: ReadonlySet<string> = new Set(['numeric', 'decimal'])

/** All the digits of a number. */
const decimalOf = (digits: string) => `DECIMAL(38,${digits.split('.')[1]?.length ?? 0})`

/** PostgreSQL's `float` has 64 bits, the engine's 32. */
const columnTypes: Record<string, string> = { citext: 'VARCHAR', float: 'DOUBLE' }

export const valueTypes: Record<string, string> = { ...columnTypes, jsonb: 'JSON' }

/** Types of the catalog that the engine does not know, by one that holds their values. */
const castTo: Record<string, string> = {
  name: 'VARCHAR',
  '"char"': 'VARCHAR',
  cstring: 'VARCHAR',
  anyarray: 'VARCHAR[]',
  oid: 'UINTEGER',
  xid: 'UINTEGER',
  regproc: 'UINTEGER',
  regprocedure: 'UINTEGER',
  regoper: 'UINTEGER',
  regoperator: 'UINTEGER',
  regtype: 'UINTEGER',
  regcollation: 'UINTEGER',
  regconfig: 'UINTEGER',
  regdictionary: 'UINTEGER',
  int2vector: 'SMALLINT[]',
  oidvector: 'UINTEGER[]',
  aclitem: 'VARCHAR',
  pg_node_tree: 'VARCHAR',
  sql_identifier: 'VARCHAR',
  character_data: 'VARCHAR',
  yes_or_no: 'VARCHAR',
  cardinal_number: 'INTEGER',
  ...valueTypes,
}

/** `'\x00ff'::bytea`: two digits a byte. The engine would read the first two as a byte, and the rest as letters. */
export function byteLiteral(sql: EditedSql, at: number): boolean {
  const digits = /^(?:'|e'\\)\\x((?:[0-9a-f]{2})*)'$/i.exec(sql.tokens[at]!.text)?.[1]
  if (digits === undefined || sql.tokens[at]!.kind !== 'string') return false
  const bytes = `from_hex('${digits}')`
  if (sql.words[at + 1] === '::' && sql.words[at + 2] === 'bytea') return sql.replace(at, at + 2, bytes)
  const around = [at - 2, at - 1, at + 1, at + 2, at + 3].map((index) => sql.words[index]).join(' ')
  return around === 'cast ( as bytea )' && sql.replace(at - 2, at + 3, bytes)
}

/** `x'ff'::int` is a number. The engine takes bits for texts that begin with their letter. */
export function bitLiteral(sql: EditedSql, at: number): boolean {
  const written = /^([bx])'([0-9a-f]*)'$/i.exec(sql.tokens[at]!.text)
  const before = sql.tokens[at - 1]
  const letter =
    /^[bx]$/i.test(before?.text ?? '') && before!.end === sql.tokens[at]!.start && sql.tokens[at]!.kind === 'string'
  if (!written && !letter) return false
  const [, base, digits] = written ?? /^(.)'([0-9a-f]*)'$/i.exec(`${before!.text}${sql.tokens[at]!.text}`) ?? []
  const first = written ? at : at - 1
  if (
    digits !== undefined &&
    sql.words[at + 1] === '::' &&
    /^(int|integer|int4|int8|bigint)$/.test(sql.castEnd(at + 1).type)
  )
    return sql.replace(first, at, `${BigInt(`0${base!.toLowerCase()}${digits === '' ? '0' : digits}`)}`)
  throw new Failure('SQL_UNSUPPORTED', 'bit strings are not supported', {
    hint: String.raw`Write bytes as '\x00ff'::bytea, a number as x'ff'::bigint.`,
  })
}

/** `> '2024-01-01 10:00:00 +00:00'`: what is compared with a time. Among values only the column tells whether it is one. */
export function timestampLiteral(sql: EditedSql, at: number): boolean {
  const { kind, text } = sql.tokens[at]!
  if (kind !== 'string' || !/^'\d[^']*(?: [+-]\d|[ T]\d\d:\d\d ?[Z+-]|:\d\d(?:\.\d+)?[+-]\d')/.test(text)) return false
  const before = sql.words[at - 1] ?? ''
  const isCompared = /^([<>=]|<=|>=|<>|!=|between|and|timestamptz|default)$/.test(before)
  const isCast =
    (sql.words[at + 1] === '::' || sql.words[at + 1] === 'as') && sql.castEnd(at + 1).type.startsWith('timestamp')
  return (isCompared || isCast) && sql.replace(at, at, quoteText(timestampText(textOf(sql.tokens[at]!), true)))
}

/** A column of a type that only PostgreSQL knows. */
export function columnType(sql: EditedSql, at: number): boolean {
  const word = sql.words[at]!
  const isOpen = openTypes.has(word) && sql.words[at + 1] !== '('
  const type = isOpen ? openNumeric : columnTypes[word]
  const before = sql.tokens[at - 1]
  const close = sql.words[at + 1] === '(' ? sql.closing(at + 1) : undefined
  if (word === 'float' && close !== undefined)
    return sql.replace(at, close, Number(sql.words[at + 2]) > 24 ? 'DOUBLE' : 'REAL')
  const isType = type !== undefined && (before?.kind === 'word' || before?.kind === 'quoted')
  return isType && sql.replace(at, at, type)
}

/** `x::varchar(3)` cuts the text, `now()::timestamptz(0)` rounds the time; of columns the length is declared, and all times have six digits. */
export function precise(sql: EditedSql, at: number, isDefinition: boolean): boolean {
  const words = sql.words
  const isTimeType = /^(time|timestamp|timestamptz|timetz)$/.test(words[at]!)
  if (isDefinition && isTimeType && sql.digitsBehind(at) && words[at - 1] !== '::')
    return sql.replace(at + 1, at + 3, '')
  const isCast = words[at] === 'as' && sql.tokens[at - 1] !== undefined
  if (isDefinition || (words[at] !== '::' && !isCast)) return false
  const type = words[at + 1] === 'character' && words[at + 2] === 'varying' ? at + 2 : at + 1
  const isText = /^(varchar|char|character|bpchar|varying)$/.test(words[type] ?? '')
  const digits = sql.digitsBehind(type)
  if (digits === undefined || words[type + 4] === '[') return false
  const isZoned = words.slice(type + 4, type + 7).join(' ') === 'with time zone'
  const isTime = words[type] === 'timestamptz' || (words[type] === 'timestamp' && isZoned)
  if (!isText && !isTime) return false
  const last = type + 3 + (isZoned ? 3 : 0)
  const [call, to] = isText ? ['left(', 'VARCHAR'] : ['pg_rounded(', 'TIMESTAMPTZ']
  const typeName = /^(char|character|bpchar)$/.test(words[type]!) ? 'bpchar' : to.toLowerCase()
  // Called by its column, else by its type.
  const { kind, text } = sql.tokens[at - 1]!
  const isNamed = kind === 'word' || kind === 'quoted'
  const called = ` AS ${isNamed ? text : typeName}`
  if (!isCast) {
    if (!sql.isOperand(at - 1) || words[at - 1] === ']') return false
    const first = sql.operandWithCasts(at - 1)
    // `timestamptz '2024-01-01 10:00'`
    const isTyped = sql.tokens[first]!.kind === 'string' && sql.tokens[first - 1]?.kind === 'word'
    const begin = isTyped && !beforeValues.has(words[first - 1]!) ? first - 1 : first
    sql.insertBefore(begin, call)
    const alias = sql.isItem(begin, last) ? called : ''
    return sql.replace(at, last, `::${to}, ${digits})${alias}`)
  }
  const open = words[last + 1] === ')' ? sql.opening(last + 1) : undefined
  if (open === undefined || words[open - 1] !== 'cast') return false
  sql.insertBefore(open - 1, call)
  const isPlain = open + 1 === at - 1 || (isNamed && sql.isPath(open + 1, at - 1))
  const alias = isPlain && sql.isItem(open - 1, last + 1) ? called : ''
  return sql.replace(at + 1, last + 1, `${to}), ${digits})${alias}`)
}

export function castBehind(sql: EditedSql, at: number): void {
  const { type, last, isPlain } = sql.castEnd(at)
  const bare = type.replaceAll('[]', '')
  const operand = sql.tokens[at - 1]
  const flag = /^bool(ean)?$/.test(type) && operand?.kind === 'string' && /^'(on|off)'$/i.exec(operand.text)?.[1]
  if (flag) return void sql.replace(at - 1, at - 1, `'${flag.toLowerCase() === 'on'}'`)
  if (isOidAlias(type)) return oidAlias(sql, at, last, type, operand)
  if (type === 'bytea' && bytesCast(sql, at, last)) return
  const isOpen = openTypes.has(bare) && sql.words[last + 1] !== '('
  if (isOpen && type === bare && decimalCast(sql, at, last)) return
  const to = isOpen ? openNumeric : castTo[bare]
  if (/^(text|varchar)$/.test(type) && functionColumn.test(sql.words[at - 1] ?? '')) {
    sql.insertBefore(sql.operand(at - 1), lookingUp(functionNames))
    sql.replace(at, last, '))')
  } else if (to) {
    sql.replace(at + 1, last, to + '[]'.repeat((type.length - bare.length) / 2))
    // A constant is called as its type.
    if (type === 'jsonb' && sql.tokens[at - 1]?.kind === 'string' && sql.isItem(at - 1, last))
      sql.insertAfter(last, ' AS jsonb')
  } else if (openTypes.has(type) && Number(sql.words[last + 2]) > 38) widest(sql, last)
  else if (!isPlain) sql.replace(at + 1, at + 2, '')
}

/** `('\x' || digits)::bytea`: a text that is computed, or a column's. */
function bytesCast(sql: EditedSql, at: number, last: number): boolean {
  const { kind } = sql.tokens[at - 1]!
  const first = sql.operandWithCasts(at - 1)
  const isValue = sql.words[at - 1] === 'null' || (kind !== 'word' && kind !== 'quoted' && sql.words[at - 1] !== ')')
  // A parameter, or what `\x00ff` became.
  if (isValue || sql.words[first] === 'cast' || sql.words[first - 1] === '$') return false
  sql.insertBefore(first, 'pg_bytes(')
  return sql.replace(at, last, `)${sql.isItem(first, last) ? ' AS bytea' : ''}`)
}

/** `::numeric(1000, 15)`, as Django has it for numbers whose size it does not know. */
function widest(sql: EditedSql, type: number): void {
  sql.replace(type + 2, type + 2, '38')
}

/** `$1::numeric`, `'0.00001'::numeric`: all of its digits. */
function decimalCast(sql: EditedSql, at: number, last: number): boolean {
  const isInside = sql.words[at - 1] === ')' && ['(', '-'].includes(sql.words[at - 3] ?? '')
  const { kind, text } = sql.tokens[isInside ? at - 2 : at - 1] ?? { kind: 'symbol', text: '' }
  const shown = kind === 'string' ? textOf(sql.tokens[at - 1]!) : kind === 'number' ? text : ''
  const digits = decimalText(shown)
  if (digits === undefined) return false
  // The engine reads no exponents of decimals without rounding.
  if (/e/i.test(shown) && !isInside) sql.replace(at - 1, at - 1, quoteText(digits))
  return sql.replace(at + 1, last, decimalOf(digits))
}

/** `numeric '1.25'` */
export function typedNumber(sql: EditedSql, at: number): boolean {
  const token = sql.tokens[at + 1]
  const digits = token?.kind === 'string' ? decimalText(textOf(token)) : undefined
  return digits !== undefined && sql.replace(at, at, decimalOf(digits))
}

/** `CAST(x AS pg_catalog.text)`, `CAST(oid AS regclass)`. */
export function castInCall(sql: EditedSql, at: number): void {
  const { type, last, isPlain } = sql.castEnd(at)
  const open = sql.words[last + 1] === ')' ? sql.opening(last + 1) : undefined
  if (open === undefined || !/^(try_)?cast$/.test(sql.words[open - 1] ?? '')) return
  const operand = sql.tokens[at - 1]!
  const isLiteral = operand.kind === 'string' && sql.words[at - 2] === '('
  const isNumber = operand.kind === 'number' && (open === at - 2 || (open === at - 3 && sql.words[at - 2] === '-'))
  const named = namesOf(type, sql.session)
  if (isOidAlias(type) && isLiteral) {
    sql.replace(at - 1, at - 1, oidOf(type, textOf(operand), sql.session.schema))
    sql.replace(at + 1, last, 'UINTEGER')
  } else if (named) {
    const isForOid = type === 'regclass' && sql.words[last + 2] === 'as' && sql.words[last + 3] === 'oid'
    sql.insertBefore(open + 1, lookingUp(isForOid ? relationOids(sql.session) : named))
    sql.insertBefore(at, isForOid ? ')::VARCHAR) ' : ')) ')
    sql.replace(at + 1, last, isForOid ? 'UINTEGER' : 'VARCHAR')
  } else {
    const bare = type.replaceAll('[]', '')
    const isOpen = openTypes.has(bare)
    const written = isLiteral ? textOf(operand) : isNumber ? operand.text : ''
    const digits = isOpen ? decimalText(written) : undefined
    const to = digits === undefined ? (isOpen ? openNumeric : castTo[bare]) : decimalOf(digits)
    if (to) sql.replace(at + 1, last, to + '[]'.repeat((type.length - bare.length) / 2))
    else if (!isPlain) sql.replace(at + 1, at + 2, '')
  }
}

const beforeGroup = /^(select|distinct|when|then|else|case|and|or|not|on|where|by|having|between|in|is|as)$/

/** `(a::date - b::date) / 7`, as dbt counts weeks: days are a whole number, and what they are divided into is one. */
export function daysDivided(sql: EditedSql, at: number): void {
  const { words, tokens } = sql
  if (words[at] !== '/' || words[at - 1] !== ')' || !/^\d+$/.test(words[at + 1] ?? '')) return
  const open = sql.opening(at - 1)
  if (open === undefined || words.slice(at - 3, at - 1).join('') !== '::date') return
  const isCall = open > 0 && isName(tokens[open - 1]) && !beforeGroup.test(words[open - 1]!)
  const inside: number[] = []
  for (let index = open + 1; index < at - 1; index++) {
    if (words[index] === '(') index = sql.closing(index) ?? index
    else if (tokens[index]!.kind === 'symbol' && !/^(\.|::)$/.test(words[index]!)) inside.push(index)
  }
  const [minus, ...others] = inside
  if (isCall || minus === undefined || others.length > 0 || words[minus] !== '-') return
  if (words.slice(minus - 2, minus).join('') === '::date') sql.replace(at, at, '//')
}
