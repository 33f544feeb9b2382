// PostgreSQL's spelling of a statement into the engine's: edits of the text, token by token, so that a place in an error
// still leads back to what the client wrote.
//
// What belongs to the session (the user, the database, settings) is written as literals. Queries of the system catalog
// are edited further: OID aliases (`'raw.sales'::regclass`), functions that look something up there, and operators whose
// meaning differs. Data queries keep the engine's meaning of `~`, so that every door gives the same answer.

import { decimalText, parseArray, parseArrays, timestampText } from '../../base/pg-texts.ts'
import { around, type Around } from './around.ts'
import { backendCalls } from './backend-calls.ts'
import { dateText, enginePattern } from './date-patterns.ts'
import { isNumberPattern, numberPattern, numberText } from './number-patterns.ts'
import { formatPieces } from './format-patterns.ts'
import { isBesideList, listSql } from './parameters.ts'
import { nameOf, quoteText, splice, systemOids, tokens, type Edit, type Spliced, type Token } from '../../lake/index.ts'

/** What a text may say of the session that it runs in. */
export type SessionNames = {
  user: string
  catalog: string
  schema: string | undefined
  version: string
  backendId: number
  setting(name: string): string | undefined
  /** Whether the next connection that the text cancels was found. */
  signalled?(): boolean
}

/** The text for the lake. `values`: bound parameters, put in first, as some of them are names of what is looked up. */
export function translate(sql: string, session: SessionNames, values: readonly Edit[] = []): Spliced {
  const bound = splice(sql, values)
  const { text, origin } = splice(bound.text, new Translation(bound.text, session).edits())
  return { text, origin: (index) => bound.origin(origin(index)) }
}

/** Whether a text asks for the system catalog. */
export const isCatalogQuery = (sql: string): boolean =>
  [...tokens(sql)].some(({ kind, text }) => kind !== 'string' && catalogWord.test(text))
const catalogTextMax = 50_000
const catalogWord =
  /^"?(pg_|information_schema\b|reg(class|type|proc|namespace|role)\b|to_reg(class|type)\b|has_(table|schema|column|any_column)_privilege\b)/i

/** `key` finds the row, `value` is what the function gives; `more`: a second argument and the column that it is. */
type Lookup = { from: string; key: string; value: string; where?: string; more?: string }
const lookups: Record<string, Lookup> = {
  pg_get_userbyid: { from: 'pg_catalog.pg_roles', key: 'oid', value: 'rolname' },
  obj_description: { from: 'pg_catalog.pg_description', key: 'objoid', value: 'description', where: 'objsubid = 0' },
  col_description: { from: 'pg_catalog.pg_description', key: 'objoid', value: 'description', more: 'objsubid' },
  pg_get_constraintdef: definition('constraint'),
  pg_get_indexdef: { ...definition('index'), more: 'part' },
  pg_get_viewdef: definition('view'),
  // Of a name that is not written there; others are put in as they are.
  current_setting: { from: 'pg_catalog.pg_settings', key: 'name', value: 'setting' },
}
function definition(kind: string): Lookup {
  return { from: 'pg_catalog.boathouse_definition', key: 'oid', value: 'definition', where: `kind = '${kind}'` }
}
const relationNames: Lookup = { from: 'pg_catalog.boathouse_relation', key: 'oid', value: 'name' }
/** By the name or by the OID itself, which of both a text may hold. */
const relationOids: Lookup = {
  from: '(SELECT oid, name FROM pg_catalog.boathouse_relation UNION ALL SELECT oid, oid::VARCHAR FROM pg_catalog.boathouse_relation)',
  key: 'name',
  value: 'oid',
}
/** Columns of the type int2vector or oidvector. */
const vectors = new Set(['indkey', 'indclass', 'indoption', 'indcollation'])
/** What a type is called, by its name in quotes behind its schema's. */
const typeNames: Lookup = {
  from: 'pg_catalog.pg_type',
  key: `'"pg_catalog"."' || typname || '"'`,
  value: 'format_type(oid, NULL)',
}
const functionNames: Lookup = { from: 'pg_catalog.pg_proc', key: 'oid', value: 'proname' }
/** Columns that hold OIDs of functions, and are shown by their names. */
const functionColumn = /^(typ(input|output|receive|send|modin|modout|analyze|subscript)|amhandler)$/
const namesOf: Record<string, Lookup> = {
  regclass: relationNames,
  regnamespace: { from: 'pg_catalog.pg_namespace', key: 'oid', value: 'nspname' },
  regrole: { from: 'pg_catalog.pg_roles', key: 'oid', value: 'rolname' },
}
const oidsOf: Record<'to_regclass' | 'to_regtype', Lookup> = {
  to_regclass: { from: 'pg_catalog.boathouse_relation', key: 'name', value: 'oid' },
  to_regtype: { from: 'pg_catalog.pg_type', key: 'typname', value: 'oid' },
}
const renamed: Record<string, string> = {
  json_build_object: 'json_object',
  jsonb_build_object: 'json_object',
  json_build_array: 'json_array',
  jsonb_build_array: 'json_array',
  json_object_agg: 'json_group_object',
  jsonb_object_agg: 'json_group_object',
  jsonb_pretty: 'json_pretty',
  to_jsonb: 'to_json',
  uuid_generate_v4: 'gen_random_uuid',
  octet_length: 'pg_octet_length',
  to_hex: 'pg_to_hex',
  pg_size_pretty: 'pg_size_text',
}
/** Without a precision: the engine's own, of three digits behind the point, would round what clients send and compute. */
const openNumeric = 'DECIMAL(38,10)'
const openTypes: ReadonlySet<string> = new Set(['numeric', 'decimal'])
/** All the digits of a number. */
const decimalOf = (digits: string) => `DECIMAL(38,${digits.split('.')[1]?.length ?? 0})`
/** PostgreSQL's `float` has 64 bits, the engine's 32. */
const columnTypes: Record<string, string> = { citext: 'VARCHAR', float: 'DOUBLE' }
const valueTypes: Record<string, string> = { ...columnTypes, jsonb: 'JSON' }
/** Calls with a pattern behind a comma; undefined for patterns that are not known. */
const dated: Record<string, (pattern: string) => Around | undefined> = {
  to_date: (pattern) => parsed(pattern, 'DATE'),
  to_timestamp: (pattern) => parsed(pattern, 'TIMESTAMPTZ'),
  to_char: (pattern) => {
    if (!isNumberPattern(pattern)) return dateText(pattern)
    const known = numberPattern(pattern)
    return known && numberText(known)
  },
  regexp_match: (pattern) => {
    const text = quoteText(pattern)
    const groups = Array.from({ length: groupsOf(pattern) }, (_, at) => `regexp_extract(bh_v, ${text}, ${at + 1}, 's')`)
    const found = groups.length > 0 ? groups.join(', ') : `regexp_extract(bh_v, ${text}, 0, 's')`
    return around(`CASE WHEN regexp_matches(bh_v, ${text}, 's') THEN [${found}] END`)
  },
  to_number: (pattern) => {
    const known = numberPattern(pattern)
    return known && { before: 'pg_to_number(', after: `)::DECIMAL(38,${known.decimals})` }
  },
}
function parsed(pattern: string, type: string): Around | undefined {
  const given = enginePattern(pattern)
  return given === undefined ? undefined : { before: 'CAST(strptime(', after: `, ${quoteText(given)}) AS ${type})` }
}
/** `encode(bytes, 'hex')` and back, by the format. */
const coded: Record<string, Record<string, string>> = {
  encode: { hex: 'lower(hex(', base64: '(base64(' },
  decode: { hex: '(from_hex(', base64: '(from_base64(' },
}
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

/** `has_table_privilege([user,] table, privilege)`: where the asker's rights are. With a column there is one argument more. */
const privilegesOf: Record<string, { kind: 'relation' | 'schema'; held: string; column?: true }> = {
  has_table_privilege: { kind: 'relation', held: 'privileges' },
  has_any_column_privilege: { kind: 'relation', held: 'some_privileges' },
  has_column_privilege: { kind: 'relation', held: 'some_privileges', column: true },
  has_schema_privilege: { kind: 'schema', held: 'privileges' },
}

const opening = (one: Lookup) =>
  `(SELECT max(bh_d.bh_v) FROM (SELECT ${one.key} AS bh_k, ${one.value} AS bh_v${one.more ? `, ${one.more} AS bh_m` : ''} FROM ${one.from}${one.where ? ` WHERE ${one.where}` : ''}) AS bh_d WHERE bh_d.bh_k = (`

class Translation {
  readonly #sql: string
  readonly #session: SessionNames
  readonly #all: Token[]
  readonly #words: string[]
  readonly #edits: Edit[] = []
  /** Chains of `||` so far, by their last token. */
  readonly #joins = new Map<number, { first: number; last: number; isJson: boolean }>()
  /** Parentheses that belong together, each by the other. */
  readonly #pairs = new Map<number, number>()
  constructor(sql: string, session: SessionNames) {
    this.#sql = sql
    this.#session = session
    this.#all = [...tokens(sql)]
    this.#words = this.#all.map((token) => (token.kind === 'string' ? '' : token.text.toLowerCase()))
    const open: number[] = []
    this.#words.forEach((word, at) => {
      if (word === '(') open.push(at)
      else if (word === ')' && open.length > 0) {
        const first = open.pop()!
        this.#pairs.set(first, at).set(at, first)
      }
    })
  }

  edits(): Edit[] {
    // No tool asks at such length, and what is looked for here is looked for again and again.
    const isCatalog = this.#sql.length <= catalogTextMax && this.#words.some((word) => catalogWord.test(word))
    const selects = this.#selectItems()
    const definitionEnd = this.#definitionEnd()
    // Their one column is called as their alias says, where nobody calls it by the name of the function.
    const series = new Set(['generate_series', 'unnest'])
    this.#words.forEach((word, at) => {
      if (this.#words[at + 1] !== '(') series.delete(word)
    })
    for (let at = 0; at < this.#all.length; at++) {
      const isDefinition = at < definitionEnd
      this.#castAgain(at)
      if (this.#collation(at) || this.#listLiteral(at) || this.#timestamp(at)) continue
      if (this.#path(at) || this.#holds(at) || (!isCatalog && this.#joined(at))) continue
      if (this.#names(at, selects) || this.#locking(at)) continue
      this.#renamed(at, selects)
      if (this.#dated(at, selects) || this.#coded(at, selects) || this.#listed(at, selects)) continue
      if (!isCatalog && (this.#formatted(at, selects) || this.#matched(at) || this.#exists(at))) continue
      if (!isCatalog && (this.#called(at, selects) || this.#precise(at, isDefinition, selects))) continue
      if (this.#words[at] === '(' && this.#rowCompared(at)) continue
      if (/^i?like$/.test(this.#words[at]!)) {
        this.#escaped(at)
        this.#likeEach(at)
      }
      if (isDefinition && (this.#columnType(at) || this.#numbering(at))) continue
      if (this.#bytes(at)) continue
      if (isCatalog) this.#catalog(at, selects)
      else if (this.#words[at] === 'as' && valueTypes[this.#words[at + 1] ?? ''] && this.#words[at + 2] === ')')
        this.#replace(at + 1, at + 1, valueTypes[this.#words[at + 1]!]!)
      else if (this.#words[at] === 'as' && openTypes.has(this.#words[at + 1] ?? '')) this.#castAs(at)
      else if (openTypes.has(this.#words[at]!) && this.#typed(at)) continue
      else if (this.#series(at, selects)) continue
      else if (/^(generate_series|unnest)$/.test(this.#words[at]!) && this.#words[at + 1] === '(')
        this.#column(at, selects, series.has(this.#words[at]!))
      else if (this.#words[at] === '::') this.#cast(at)
    }
    return outermost(this.#edits)
  }

  /** Where the types of columns end that a statement declares: at the SELECT of CREATE TABLE … AS. */
  #definitionEnd(): number {
    if (!/^(create|alter)$/.test(this.#words[0] ?? '') || !this.#words.slice(1, 5).includes('table')) return 0
    const as = this.#words.findIndex(
      (word, at) => word === 'as' && /^(select|with|from|values|table|\()$/.test(this.#words[at + 1] ?? ''),
    )
    // `GENERATED ALWAYS AS (…)` is a part of a column.
    return as < 0 || this.#words[as - 1] === 'always' ? this.#all.length : as
  }

  #replace(from: number, to: number, text: string): true {
    this.#edits.push({ start: this.#all[from]!.start, end: this.#all[to]!.end, text })
    return true
  }
  #insertBefore(at: number, text: string): void {
    const { start } = this.#all[at]!
    this.#edits.push({ start, end: start, text })
  }

  #insertAfter(at: number, text: string): void {
    const { end } = this.#all[at]!
    this.#edits.push({ start: end, end, text })
  }

  /** `'\x00ff'::bytea`: two digits a byte. The engine would read the first two as a byte, and the rest as letters. */
  #bytes(at: number): boolean {
    const digits = /^(?:'|e'\\)\\x((?:[0-9a-f]{2})*)'$/i.exec(this.#all[at]!.text)?.[1]
    if (digits === undefined || this.#all[at]!.kind !== 'string') return false
    const bytes = `from_hex('${digits}')`
    if (this.#words[at + 1] === '::' && this.#words[at + 2] === 'bytea') return this.#replace(at, at + 2, bytes)
    const around = [at - 2, at - 1, at + 1, at + 2, at + 3].map((index) => this.#words[index]).join(' ')
    return around === 'cast ( as bytea )' && this.#replace(at - 2, at + 3, bytes)
  }

  /** `'{1,2}'::int[]`, `('{a}')::varchar(10)[]`, `CAST('{1,2}' AS int[])`: a list. */
  #listLiteral(at: number): boolean {
    const { kind, text } = this.#all[at]!
    if (kind !== 'string' || !/^e?'\{/i.test(text)) return false
    const isAlone = this.#words[at - 1] === '(' && this.#words[at + 1] === ')'
    if (isAlone && this.#oneOf(at)) return true
    if (this.#words[at + 1] !== '::' && isBesideList(this.#all, at, 1)) return this.#listOf(at)
    const cast = isAlone ? at + 2 : at + 1
    if (this.#words[cast] !== '::' && !(this.#words[cast] === 'as' && this.#words[at - 1] === '(')) return false
    const name = this.#castEnd(cast).type.replaceAll('[]', '')
    let last = this.#words[cast + 2] === '.' ? cast + 3 : cast + 1
    if (this.#words[last + 1] === '(') last = this.#closing(last + 1) ?? last
    const isList = this.#words[last + 1] === '[' && this.#words[last + 2] === ']' && !isOidAlias(name)
    if (!isList || !this.#listOf(at, name === 'bytea')) return false
    this.#dimensions(last, /^e?'\s*(\{[\s{]*)/i.exec(text)?.[1]?.replace(/\s/g, '').length ?? 0)
    return true
  }
  /** A type in PostgreSQL says that it is an array, not of how many dimensions: those that are missing behind `last`. */
  #dimensions(last: number, count: number): void {
    let said = 0
    for (; this.#words[last + 1] === '[' && this.#words[last + 2] === ']'; last += 2) said++
    if (said > 0 && count > said) this.#insertAfter(last, '[]'.repeat(count - said))
  }

  /** `$1::text[]`, where the value was `CAST([['a']] AS VARCHAR[][])`. */
  #castAgain(at: number): void {
    const close = this.#words[at] === 'cast' && this.#words[at + 1] === '(' ? this.#closing(at + 1) : undefined
    if (close === undefined || this.#words[close + 1] !== '::') return
    let count = 0
    while (this.#words[close - 1 - 2 * count] === ']' && this.#words[close - 2 - 2 * count] === '[') count++
    const { last, type } = this.#castEnd(close + 1)
    if (count > 1) this.#dimensions(last - (type.length - type.replaceAll('[]', '').length), count)
  }

  #listOf(at: number, isOfBytes = false): boolean {
    const items = parseArrays(textOf(this.#all[at]!))
    return items !== undefined && this.#replace(at, at, listSql(items, isOfBytes))
  }

  /** `doc @> '{"a": 1}'`, `doc @> $1::jsonb`: the engine has the operator for lists. */
  #holds(at: number): boolean {
    if (this.#words[at] !== '@' || this.#words[at + 1] !== '>') return false
    const from = at + 2
    const last = this.#words[from] === '(' ? (this.#closing(from) ?? from) : from
    const { kind = 'symbol' } = this.#all[last] ?? {}
    const isCast = this.#words[last + 1] === '::' && /^jsonb?$/.test(this.#castEnd(last + 1).type)
    if (!isCast && !(kind === 'string' && isJsonText(textOf(this.#all[last]!), /^\s*\{\s*"/))) return false
    this.#insertBefore(this.#operandWithCasts(at - 1), 'json_contains(')
    this.#replace(at, at + 1, ', ')
    this.#insertAfter(isCast ? this.#castEnd(last + 1).last : last, ')')
    return true
  }

  /**
   * `doc || '{"a": 1}'::jsonb`: keys that come or are replaced, items behind items. The engine's operator joins texts, so one
   * of both sides has to say that it is JSON.
   */
  #joined(at: number): boolean {
    if (this.#words[at] !== '||') return false
    const before = this.#joins.get(at - 1)
    const left = before ?? this.#jsonBefore(at - 1)
    const last = this.#operandEnd(at + 1)
    const right = { first: at + 1, last, isJson: this.#isJson(at + 1, last) }
    // Beside what is text it stays one, whatever it looks like (`jsonb_concat` has forms for that).
    const looks = [left, right].map(
      (side) => side.first === side.last && isJsonText(textOf(this.#all[side.last]!), /^\s*[{[]/),
    )
    const isSaid = left.isJson || (right.isJson && !before)
    const isJson = isSaid || (looks.includes(true) && !before)
    this.#joins.set(last, { first: left.first, last, isJson })
    if (!isJson) return false
    this.#insertBefore(left.first, 'jsonb_concat(')
    for (const [index, side] of [left, right].entries()) {
      const alone = this.#all[side.last]
      const isOpen = side.first === side.last && (alone?.kind === 'string' || alone?.text.toLowerCase() === 'null')
      if (isOpen && (isSaid || looks[index])) this.#insertAfter(side.last, '::JSON')
    }
    this.#insertAfter(last, ')')
    return this.#replace(at, at, ', ')
  }

  /** The operand that ends here, with the members that are taken out of it. */
  #jsonBefore(last: number): { first: number; last: number; isJson: boolean } {
    let first = this.#operandWithCasts(last)
    const isMember = this.#words[first - 1] === '->'
    const isText = this.#words[first - 1] === '>' && this.#words[first - 2] === '->'
    const isJson = isMember || (!isText && this.#isJson(first, last))
    for (;;) {
      const arrow =
        this.#words[first - 1] === '->' ? first - 1 : this.#words[first - 2] === '->' ? first - 2 : undefined
      if (arrow === undefined) return { first, last, isJson }
      first = this.#operandWithCasts(arrow - 1)
    }
  }

  /** Whether these tokens say that they are JSON: by a cast, by a function that gives it, or by what is in parentheses. */
  #isJson(first: number, last: number): boolean {
    const cast = [last - 1, last - 3].find((at) => at > first && this.#words[at] === '::')
    if (cast !== undefined && this.#castEnd(cast).last === last) return isJsonType(this.#castEnd(cast).type)
    if (this.#words[last] !== ')') return false
    const open = this.#opening(last) ?? last
    const inside = this.#joins.get(last - 1)
    if (open === first) return (inside?.first === first + 1 && inside.isJson) || this.#isJson(first + 1, last - 1)
    const name = this.#words[open - 1] ?? ''
    if (name === 'cast') return isJsonType(this.#words[last - 1] ?? '')
    if (name !== 'coalesce') return givesJson.test(name)
    for (let from = open + 1, end; from <= last; from = end + 1) {
      end = this.#comma(from, last) ?? last
      if (this.#isJson(from, end - 1)) return true
    }
    return false
  }

  /** Where the operand ends that begins here, casts included. */
  #operandEnd(first: number): number {
    let last = first
    if (this.#words[last] === '$') last++
    while (this.#words[last + 1] === '.') last += 2
    if (this.#words[last] === 'array' && this.#words[last + 1] === '[') last = this.#words.indexOf(']', last)
    else if (this.#words[last] === '(') last = this.#closing(last) ?? last
    else if (this.#words[last + 1] === '(' && this.#all[last]?.kind !== 'string') last = this.#closing(last + 1) ?? last
    while (this.#words[last + 1] === '::') last = this.#castEnd(last + 1).last
    return last
  }

  /** `doc #> '{a,0}'`, `doc #>> ARRAY['a', $1]`: what is at the end of a path, which the engine writes `/a/0`. */
  #path(at: number): boolean {
    const sign = /^#>>?/.exec(this.#sql.slice(this.#all[at]!.start))?.[0]
    if (this.#words[at] !== '#' || !sign) return false
    const from = at + sign.length
    let last = this.#words[from] === '$' ? from + 1 : from
    if (this.#words[this.#words[from] === 'array' ? from + 1 : from] === '[') last = this.#words.indexOf(']', from)
    if (this.#words[from] === '(') last = this.#closing(from) ?? from
    if (last < from || !this.#all[last]) return false
    if (this.#words[last + 1] === '::') last = this.#castEnd(last + 1).last
    this.#insertBefore(this.#operandWithCasts(at - 1), `${sign === '#>' ? 'json_extract' : 'json_extract_string'}(`)
    this.#replace(at, from - 1, `, '/' || array_to_string(`)
    this.#insertAfter(last, `, '/'))`)
    return true
  }

  /** `= ANY ('{1,2}')`, `<> ALL ('{a}')`: items that are of the type of what they are compared with. */
  #oneOf(at: number): boolean {
    let first = at - 2
    while (/^[<>=!]+$/.test(this.#words[first - 1] ?? '')) first--
    const written = this.#words.slice(first, at - 1).join('')
    const meant = /^=(any|some)$/.test(written) ? 'IN' : /^(<>|!=)all$/.test(written) ? 'NOT IN' : undefined
    const items = meant && this.#words[at + 2] !== '::' ? parseArray(textOf(this.#all[at]!)) : undefined
    if (!items) return false
    const list = items.map((item) => (item === null ? 'NULL' : quoteText(item))).join(', ')
    return this.#replace(first, at + 1, `${meant} (${list === '' ? 'SELECT NULL WHERE false' : list})`)
  }

  /** `> '2024-01-01 10:00:00 +00:00'`: what is compared with a time. Among values only the column tells whether it is one. */
  #timestamp(at: number): boolean {
    const { kind, text } = this.#all[at]!
    if (kind !== 'string' || !/^'\d[^']*(?: [+-]\d|[ T]\d\d:\d\d ?[Z+-]|:\d\d(?:\.\d+)?[+-]\d')/.test(text))
      return false
    const before = this.#words[at - 1] ?? ''
    const isCompared = /^([<>=]|<=|>=|<>|!=|between|and|timestamptz)$/.test(before)
    const isCast =
      (this.#words[at + 1] === '::' || this.#words[at + 1] === 'as') &&
      this.#castEnd(at + 1).type.startsWith('timestamp')
    return (isCompared || isCast) && this.#replace(at, at, quoteText(timestampText(textOf(this.#all[at]!), true)))
  }

  /** `ALTER COLUMN id SET DEFAULT nextval('t_id_seq'::regclass)`: the column numbers its rows. */
  #numbering(at: number): boolean {
    if (this.#words.slice(at, at + 4).join(' ') !== 'set default nextval (') return false
    const end = this.#closing(at + 3)
    return end !== undefined && this.#replace(at, end, 'ADD GENERATED BY DEFAULT AS IDENTITY')
  }

  /** A column of a type that only PostgreSQL knows. */
  #columnType(at: number): boolean {
    const word = this.#words[at]!
    const isOpen = openTypes.has(word) && this.#words[at + 1] !== '('
    const type = isOpen ? openNumeric : columnTypes[word]
    const before = this.#all[at - 1]
    const close = this.#words[at + 1] === '(' ? this.#closing(at + 1) : undefined
    if (word === 'float' && close !== undefined)
      return this.#replace(at, close, Number(this.#words[at + 2]) > 24 ? 'DOUBLE' : 'REAL')
    const isType = type !== undefined && (before?.kind === 'word' || before?.kind === 'quoted')
    return isType && this.#replace(at, at, type)
  }

  /** In a list of columns `generate_series(1, 3)` is a row for each, not one list. */
  #series(at: number, selects: ReadonlySet<number>): boolean {
    if (this.#words[at] !== 'generate_series' || this.#words[at + 1] !== '(') return false
    const end = this.#closing(at + 1)
    const isValue = selects.has(at) || /^([-+*/%]|\|\|)$/.test(this.#words[at - 1] ?? '')
    if (end === undefined || !isValue || this.#words[end + 1] === '[') return false
    this.#stepped(at, end)
    const bounds = this.#words.slice(at + 2, end).filter((word) => word !== ',' && word !== '-')
    const type = bounds.every((word) => /^\d{1,9}$/.test(word)) ? 'INTEGER[]' : ''
    this.#insertBefore(at, type ? 'unnest(CAST(' : 'unnest(')
    const name = this.#isItem(at, end, selects) ? ' AS generate_series' : ''
    return this.#replace(end, end, `)${type && ` AS ${type})`})${name}`)
  }

  /** Text is compared by code point, as COLLATE "C" asks for; other collations are not known. */
  #collation(at: number): boolean {
    if (this.#words[at] !== 'collate' || this.#all[at]!.kind !== 'word') return false
    const last = this.#words[at + 2] === '.' ? at + 3 : at + 1
    return this.#all[last] !== undefined && this.#replace(at, last, '')
  }

  /** `FOR UPDATE OF t SKIP LOCKED`: nothing is locked here, and of two who change a row the second is told at its commit. */
  #locking(at: number): boolean {
    if (this.#words[at] !== 'for') return false
    const clause = /^for (no key update|key share|update|share)\b/.exec(this.#words.slice(at, at + 4).join(' '))?.[1]
    if (clause === undefined) return false
    let last = at + clause.split(' ').length
    if (this.#words[last + 1] === 'of') for (last += 2; [',', '.'].includes(this.#words[last + 1] ?? '');) last += 2
    if (this.#words[last + 1] === 'nowait') last++
    else if (this.#words[last + 1] === 'skip' && this.#words[last + 2] === 'locked') last += 2
    return this.#replace(at, last, '')
  }

  /** Names of the session: `current_user`, `current_database()`, `current_setting('x')`. */
  #names(at: number, selects: ReadonlySet<number>): boolean {
    const token = this.#all[at]!
    if (token.kind !== 'word') return false
    const word = this.#words[at]!
    const before = this.#words[at - 1]
    const first = before === '.' ? (this.#words[at - 2] === 'pg_catalog' ? at - 2 : -1) : at
    if (first < 0) return false
    const isCall = this.#words[at + 1] === '('
    const end = isCall ? this.#closing(at + 1) : at
    if (end === undefined || (!isCall && this.#words[at + 1] === '.')) return false
    const value = this.#session
    const isTable = this.#words[first - 1] === 'from' && !selects.has(first)
    const give = (text: string, last = end) =>
      isTable
        ? this.#replace(first, last, `(SELECT ${text} AS ${word})`)
        : this.#replace(first, last, text + (this.#isItem(first, last, selects) ? ` AS ${word}` : ''))
    const name = quoteText(value.user)
    // Before values are bound nothing is to be done.
    const isDone = () =>
      value.signalled === undefined ||
      backendCalls(this.#sql.slice(token.start, this.#all[end]!.end), value.backendId).length > 0
    switch (word) {
      case 'current_user':
      case 'session_user':
      case 'current_role':
        return !isCall && before !== 'as' && give(name)
      case 'user':
        return !isCall && this.#isItem(first, end, selects) && give(name)
      case 'current_catalog':
        return !isCall && before !== 'as' && give(quoteText(value.catalog))
      case 'current_schema':
        return before !== 'as' && give(value.schema === undefined ? `'public'` : quoteText(value.schema))
    }
    if (!isCall) return false
    switch (word) {
      case 'current_database':
        return give(quoteText(value.catalog))
      case 'current_schemas': {
        const schemas = [value.schema ?? 'public']
        return give(`[${['pg_catalog', ...schemas].map(quoteText).join(', ')}]`)
      }
      case 'version':
        return give(quoteText(value.version))
      // Pools ask for it before they give a connection on; nobody holds such a lock here.
      case 'pg_advisory_unlock_all':
        return give("''")
      // Numbers are above all that the table holds, whatever was set.
      case 'setval': {
        const [comma, number] = [this.#all[at + 3], this.#all[at + 4]]
        return comma?.text === ',' && number?.kind === 'number' && give(`${number.text}::BIGINT`)
      }
      case 'pg_backend_pid':
        return give(String(value.backendId))
      case 'pg_sleep':
        return isDone() && give("''")
      case 'pg_cancel_backend':
      case 'pg_terminate_backend':
        return isDone() && give(String(value.signalled?.() ?? true))
      // A function of the moment may be read as a table of one row.
      case 'now':
        return isTable && give('now()')
      case 'current_setting':
      case 'set_config': {
        const argument = this.#all[at + 2]
        if (argument?.kind !== 'string' || !argument.text.startsWith("'")) return false
        const asked = argument.text.slice(1, -1).replaceAll("''", "'")
        const found = value.setting(asked)
        const isFlag = this.#words[end + 1] === '::' && /^bool(ean)?$/.test(this.#words[end + 2] ?? '')
        const shown = isFlag && /^(on|off)$/.test(found ?? '') ? String(found === 'on') : found
        return give(shown === undefined ? 'NULL::VARCHAR' : quoteText(shown))
      }
      default:
        return false
    }
  }

  #renamed(at: number, selects: ReadonlySet<number>): void {
    const to = Object.hasOwn(renamed, this.#words[at]!) ? renamed[this.#words[at]!] : undefined
    const isElsewhere = this.#words[at - 1] === '.' && this.#words[at - 2] !== 'pg_catalog'
    if (!to || this.#words[at + 1] !== '(' || isElsewhere) return
    this.#replace(at, at, to)
    const end = this.#closing(at + 1)
    if (end !== undefined && this.#isItem(at, end, selects)) this.#insertAfter(end, ` AS ${this.#words[at]}`)
  }

  /** `json_agg(x ORDER BY y) FILTER (…)`: the engine's own is a macro, which takes neither. */
  #listed(at: number, selects: ReadonlySet<number>): boolean {
    if (!/^jsonb?_agg$/.test(this.#words[at]!) || this.#words[at + 1] !== '(' || this.#words[at - 1] === '.')
      return false
    let last = this.#closing(at + 1)
    if (last !== undefined && this.#words[last + 1] === 'filter') last = this.#closing(last + 2)
    if (last !== undefined && this.#words[last + 1] === 'over') last = this.#closing(last + 2) ?? last + 2
    if (last === undefined || last >= this.#all.length) return false
    this.#insertAfter(last, `)${this.#isItem(at, last, selects) ? ` AS ${this.#words[at]}` : ''}`)
    return this.#replace(at, at, 'to_json(list')
  }

  /** `encode(bytes, 'hex')`, `decode(text, 'base64')`: with a format that is written there. */
  #coded(at: number, selects: ReadonlySet<number>): boolean {
    const call = Object.hasOwn(coded, this.#words[at]!) ? coded[this.#words[at]!] : undefined
    if (!call || this.#words[at + 1] !== '(' || this.#words[at - 1] === '.') return false
    const end = this.#closing(at + 1)
    const comma = end === undefined ? undefined : this.#comma(at + 2, end)
    if (comma === undefined || end !== comma + 2 || this.#all[comma + 1]!.kind !== 'string') return false
    const opening = call[textOf(this.#all[comma + 1]!).toLowerCase()]
    if (opening === undefined) return false
    this.#replace(at, at + 1, opening)
    return this.#replace(comma, end, `))${this.#isItem(at, end, selects) ? ` AS ${this.#words[at]}` : ''}`)
  }

  /** `to_date(text, 'YYYY-MM-DD')`, `to_timestamp`, `to_char`, `to_number`: with a pattern that is written there. */
  #dated(at: number, selects: ReadonlySet<number>): boolean {
    const call = Object.hasOwn(dated, this.#words[at]!) ? dated[this.#words[at]!] : undefined
    if (!call || this.#all[at]!.kind !== 'word' || this.#words[at + 1] !== '(') return false
    const end = this.#closing(at + 1)
    const comma = end === undefined ? undefined : this.#comma(at + 2, end)
    const pattern = comma === undefined ? undefined : this.#all[comma + 1]
    if (comma === undefined || end !== comma + 2 || pattern?.kind !== 'string' || !pattern.text.startsWith("'"))
      return false
    const made = call(textOf(pattern))
    if (!made) return false
    const isQualified = this.#words[at - 1] === '.' && this.#words[at - 2] === 'pg_catalog'
    if (this.#words[at - 1] === '.' && !isQualified) return false
    const first = isQualified ? at - 2 : at
    const alias = this.#isItem(first, end, selects) ? ` AS ${this.#words[at]}` : ''
    this.#replace(first, at + 1, made.before)
    return this.#replace(comma, end, `${made.after}${alias}`)
  }

  /** `format('%s: %I', a, b)`, whose pattern the engine would give back as it is: it knows `{}`. */
  #formatted(at: number, selects: ReadonlySet<number>): boolean {
    const pattern = this.#all[at + 2]
    if (this.#words[at] !== 'format' || this.#words[at + 1] !== '(' || pattern?.kind !== 'string') return false
    const end = this.#closing(at + 1)
    if (end === undefined || this.#words[at - 1] === '.' || !pattern.text.startsWith("'")) return false
    const pieces = formatPieces(textOf(pattern))
    if (!pieces) return false
    const starts = [at + 3]
    for (let comma = this.#comma(at + 4, end); comma !== undefined; comma = this.#comma(comma + 1, end))
      starts.push(comma)
    if (this.#words[at + 3] !== ',') starts.pop()
    if (pieces.arguments > starts.length || (starts.length === 0 && end !== at + 3)) return false
    this.#replace(at, at + 2, `${pieces.before}${starts.length === 0 ? 'NULL' : ''}`)
    starts.forEach((comma, index) => {
      this.#replace(comma, comma, index === 0 ? '(' : ')::VARCHAR, (')
    })
    const last = starts.length === 0 ? '' : ')::VARCHAR'
    return this.#replace(end, end, `${last}${pieces.after}${this.#isItem(at, end, selects) ? ' AS format' : ''}`)
  }

  #catalog(at: number, selects: ReadonlySet<number>): void {
    const word = this.#words[at]!
    const token = this.#all[at]!
    if (word === '::') return this.#cast(at)
    if (word === 'as') this.#castAs(at)
    if (word === 'operator' && this.#words[at + 1] === '(' && this.#words[at + 2] === 'pg_catalog') {
      const end = this.#closing(at + 1)
      if (end === undefined) return
      const symbol = this.#sql.slice(this.#all[at + 4]!.start, this.#all[end - 1]!.end)
      if (/^!?~\*?$/.test(symbol)) this.#matching(at, end, symbol)
      else this.#replace(at, end, symbol)
      return
    }
    if (word === '=' && this.#member(at)) return
    if (vectors.has(word.replace(/^"(.*)"$/, '$1')) && (this.#element(at + 1) || this.#vector(at, selects))) return
    if (token.kind === 'symbol' && (word === '~' || word === '!')) {
      const symbol = /^(!~\*|!~|~\*|~)(?![~*])/.exec(this.#sql.slice(token.start))?.[0]
      if (symbol && this.#words[at - 1] !== '!' && this.#words[at - 1] !== '~')
        return this.#matching(at, at + symbol.length - 1, symbol)
    }
    // `pg_catalog.format_type(` is our function of that name, not the engine's.
    if ((word === 'pg_catalog' || word === 'information_schema') && this.#words[at + 1] === '.') {
      if (this.#words[at + 3] === '(') this.#replace(at, at + 1, '')
      return
    }
    if (word === 'generate_subscripts' && this.#words[at + 1] === '(') this.#subscripts(at)
    if (/^(generate_series|generate_subscripts|unnest|string_to_array)$/.test(word) && this.#words[at + 1] === '(')
      return this.#column(at, selects)
    if (functionColumn.test(word) && token.kind === 'word' && this.#words[at + 1] !== '::')
      return this.#function(at, selects)
    // `%I` and `%L` quote names and texts, which these are looked up without.
    const pattern = word === 'format' && this.#words[at + 1] === '(' ? this.#all[at + 2] : undefined
    if (pattern?.kind === 'string' && /%[IsL]/.test(pattern.text)) {
      this.#replace(at, at, 'printf')
      this.#replace(at + 2, at + 2, pattern.text.replace(/%[IL]/g, '%s'))
      return
    }
    const lookup = Object.hasOwn(lookups, word) && this.#words[at + 1] === '(' ? lookups[word]! : undefined
    if (lookup) return this.#lookUp(at, lookup, selects)
    if (Object.hasOwn(privilegesOf, word) && this.#words[at + 1] === '(') return this.#privilege(at, selects)
    if ((word === 'to_regclass' || word === 'to_regtype') && this.#words[at + 1] === '(') {
      const end = this.#closing(at + 1)
      const argument = this.#all[at + 2]
      if (end !== undefined && argument?.kind === 'string') {
        const name = argument.text.slice(1, -1)
        this.#replace(at, end, word === 'to_regtype' ? String(systemOids.type(name)) : relationOf(name))
      } else this.#lookUp(at, oidsOf[word], selects)
      return
    }
    // Rows of these relations do not know which relation they are of.
    if (word === 'tableoid' && this.#words[at - 1] === '.') {
      this.#replace(at - 2, at, 'NULL::UINTEGER')
      return
    }
    // `EXISTS (SELECT FROM …)`: a list of no columns.
    if (word === 'select' && this.#words[at - 1] === '(' && this.#words[at + 1] === 'from')
      return this.#insertBefore(at + 1, '1 ')
    // `= ANY ('{a,b}')`: a list that is written as text.
    if (token.kind === 'string' && /^'\{.*\}'$/s.test(token.text)) this.#list(at)
  }

  /** `a.attnum = ANY (c.conkey)`, which the engine takes for a subquery, and will not have in an outer join. */
  #member(at: number): boolean {
    const end = /^(any|some)$/.test(this.#words[at + 1] ?? '') ? this.#closing(at + 2) : undefined
    if (end === undefined) return false
    const inside = this.#all.slice(at + 3, end)
    const isPath = inside.every(({ kind, text }, index) =>
      index % 2 === 0 ? kind === 'word' || kind === 'quoted' : text === '.',
    )
    if (!isPath || inside.length % 2 === 0) return false
    const path = this.#sql.slice(inside[0]!.start, inside.at(-1)!.end)
    this.#insertBefore(this.#operand(at - 1), `list_contains(${path}, `)
    return this.#replace(at, end, ')')
  }

  /** `indkey[0]` is the first of a vector, where lists begin at 1. */
  #element(open: number): boolean {
    if (this.#words[open] !== '[') return false
    const close = this.#words.indexOf(']', open)
    const inside = close < 0 ? [':'] : this.#words.slice(open + 1, close)
    if (inside.includes(':') || inside.includes('[')) return false
    this.#replace(open, open, '[1 + (')
    return this.#replace(close, close, ')]')
  }

  /** In an answer a vector of numbers is a text: `1 2`. */
  #vector(at: number, selects: ReadonlySet<number>): boolean {
    const first = this.#words[at - 1] === '.' ? at - 2 : at
    const isInside = [...this.#pairs].some(([open, close]) => open < first && close > at)
    if (isInside || !this.#isItem(first, at, selects)) {
      const named = this.#words[at + 1] === 'as' && !isInside && this.#isItem(first, at + 2, selects)
      if (!named) return false
      this.#insertBefore(first, 'array_to_string(')
      return this.#replace(at, at, `${this.#all[at]!.text}, ' ')`)
    }
    this.#insertBefore(first, 'array_to_string(')
    return this.#replace(at, at, `${this.#all[at]!.text}, ' ') AS ${this.#all[at]!.text}`)
  }

  /** `LIKE 'pg\\_%'`: a backslash escapes in PostgreSQL unless another character is named. */
  #escaped(at: number): void {
    const pattern = this.#all[at + 1]
    if (pattern?.kind !== 'string' || !pattern.text.includes('\\')) return
    let last = this.#words[at + 2] === '::' ? this.#castEnd(at + 2).last : at + 1
    if (this.#words[last + 1] === '(') last = this.#closing(last + 1) ?? last
    // What is put together with other texts is not looked into.
    if (!/^(escape|\|\||::)$/.test(this.#words[last + 1] ?? '')) this.#insertAfter(last, " ESCAPE '\\'")
  }

  /**
   * `(day, id) < ('2026-01-01', '5')`, as pages are turned: texts are of the types of what they are compared with. In rows the
   * engine compares columns with them as texts, or not at all.
   */
  #rowCompared(at: number): boolean {
    const before = this.#all[at - 1]
    // `SET a = 1, (b, c) = ('x', 'y')` assigns.
    if (
      before?.kind === 'quoted' ||
      before?.text === ',' ||
      (before?.kind === 'word' && !beforeRows.has(this.#words[at - 1]!))
    )
      return false
    const end = this.#closing(at)
    const columns = end === undefined ? [] : this.#items(at, end)
    if (end === undefined || columns.length < 2 || !columns.every(([from, to]) => this.#isPath(from, to))) return false
    const not = this.#words[end + 1] === 'not' ? 1 : 0
    const symbol = this.#words[end + 1 + not]!
    const open = end + 2 + not
    const isIn = symbol === 'in'
    const last = this.#words[open] === '(' ? this.#closing(open) : undefined
    if (last === undefined || (not === 1 && !isIn) || !(isIn || /^(=|<>|!=|<=?|>=?)$/.test(symbol))) return false
    const rows = isIn ? this.#items(open, last) : [[open, last] as const]
    const those = rows.map(([from, to]) =>
      this.#words[from] === '(' && this.#closing(from) === to ? this.#items(from, to) : [],
    )
    const isText = ([from, to]: Range) =>
      this.#all[from]!.kind === 'string' || (this.#words[from] === '$' && to === from + 1)
    const isPlain = (item: Range) =>
      item[0] === item[1] || isText(item) || this.#isPath(...item) || this.#words[item[0]] === 'cast'
    if (!those.every((row) => row.length === columns.length && row.every(isPlain)) || !those.flat().some(isText))
      return false
    const left = columns.map((item) => this.#textOf(item))
    const each = those.map((row) =>
      comparedRows(
        left,
        isIn ? '=' : symbol,
        row.map((item) => this.#textOf(item)),
      ),
    )
    return this.#replace(at, last, `${not === 1 ? 'NOT ' : ''}(${each.join(' OR ')})`)
  }

  /** The first and last token of each, between parentheses. */
  #items(open: number, end: number): Range[] {
    const found: Range[] = []
    for (let from = open + 1; from < end;) {
      const to = this.#comma(from, end) ?? end
      if (to === from) return []
      found.push([from, to - 1])
      from = to + 1
    }
    return found
  }
  #textOf([from, to]: Range): string {
    return this.#sql.slice(this.#all[from]!.start, this.#all[to]!.end)
  }
  #isPath(from: number, to: number): boolean {
    return this.#all
      .slice(from, to + 1)
      .every(({ kind, text }, index) => (index % 2 === 0 ? kind === 'word' || kind === 'quoted' : text === '.'))
  }

  /** `name NOT LIKE ALL (list)`: the engine compares with each of a list by `=` and its like alone. */
  #likeEach(at: number): void {
    const word = this.#words[at + 1] ?? ''
    const end = /^(any|some|all)$/.test(word) ? this.#closing(at + 2) : undefined
    if (end === undefined || this.#words[at + 2] !== '(' || /^(select|with|values)$/.test(this.#words[at + 3]!)) return
    const [joined, none] = word === 'all' ? ['AND', 'true'] : ['OR', 'false']
    this.#insertBefore(this.#operand(this.#words[at - 1] === 'not' ? at - 2 : at - 1), 'list_reduce([')
    this.#replace(at + 1, at + 2, 'pattern_of_list FOR pattern_of_list IN (')
    const only = end === at + 4 && this.#all[at + 3]!.kind === 'string' ? this.#all[at + 3]!.text : ''
    const written = only === '' ? undefined : parseArray(only.slice(1, -1).replaceAll("''", "'"))
    if (written) this.#replace(at + 3, at + 3, listSql(written, false))
    this.#replace(end, end, `)], lambda one, other: one ${joined} other, ${none})`)
  }

  #list(at: number): void {
    const before = [this.#words[at - 2], this.#words[at - 1]]
    const isArgument = before[1] === '(' && ['any', 'all', 'some'].includes(before[0] ?? '')
    const type = this.#words[at + 1] === '::' ? this.#castEnd(at + 1).type : ''
    if (!isArgument && !type.endsWith('[]')) return
    const items = this.#all
      [at]!.text.slice(2, -2)
      .split(',')
      .filter((item) => item !== '')
    const written = items.map((item) => item.trim().replace(/^"(.*)"$/, '$1'))
    const isOids = isOidAlias(type.slice(0, -2))
    const each = (one: string) => (isOids ? oidOf(type.slice(0, -2), one) : quoteText(one))
    this.#replace(at, at, `[${written.map(each).join(', ')}]`)
  }

  /** `SELECT typreceive`: by its name, as text of a regproc is; where it is compared it stays an OID. */
  #function(at: number, selects: ReadonlySet<number>): void {
    const first = this.#words[at - 1] === '.' ? at - 2 : at
    const depth = this.#words.slice(0, at).reduce((sum, word) => sum + Number(word === '(') - Number(word === ')'), 0)
    if (depth > 0 || !this.#isItem(first, at, selects)) return
    this.#insertBefore(first, opening(functionNames))
    this.#replace(at, at, `${this.#all[at]!.text})) AS ${this.#words[at]}`)
  }

  /** The numbers of an array's items; those of a vector of the catalog begin with 0. */
  #subscripts(at: number): void {
    const end = this.#closing(at + 1)
    const comma = end === undefined ? undefined : this.#comma(at + 2, end)
    if (end === undefined || comma === undefined) return
    const from = /^(ind(key|class|option|collation)|proargtypes)$/.test(this.#words[comma - 1]!) ? 0 : 1
    this.#replace(at, at + 1, `unnest(range(${from}, len(`)
    this.#replace(comma, end, `) + ${from}))`)
  }

  /** `FROM generate_series(…) s`: there s is the one column, here it is the row. */
  #column(at: number, selects: ReadonlySet<number>, isRenamed = true): void {
    const before = this.#words[this.#words[at - 1] === '.' ? at - 3 : at - 1] ?? ''
    const end = this.#closing(at + 1)
    if (end === undefined || selects.has(at) || !['from', 'join', ',', 'lateral'].includes(before)) return
    if (isRenamed && this.#ordinality(at, end)) return
    const name = this.#words[end + 1] === 'as' ? end + 2 : end + 1
    const token = this.#all[name]
    const isName =
      (token?.kind === 'word' || (token?.kind === 'quoted' && name === end + 2)) &&
      !/^(where|on|join|cross|left|right|full|inner|natural|group|order|having|union|with|limit|offset|window)$/.test(
        this.#words[name]!,
      )
    if (this.#words[at] === 'generate_series' && this.#words[at - 1] !== '.') {
      this.#stepped(at, end)
      // Of whole numbers it gives whole numbers of 32 bits, which may be added to a day.
      if (this.#items(at + 1, end).every((item) => shortNumber.test(this.#textOf(item)))) {
        this.#insertBefore(at, '(SELECT CAST(generate_series AS INTEGER) AS generate_series FROM ')
        this.#insertAfter(end, isName ? ')' : ') AS generate_series')
      }
    }
    if (!isName || !isRenamed || this.#words[name + 1] === '(') return
    this.#replace(name, name, `${token.text}(${token.text})`)
    // It gives one list, and is no function of tables here.
    if (this.#words[at] === 'string_to_array') {
      this.#insertBefore(at, '(SELECT ')
      this.#insertBefore(end, ')')
    }
  }

  /** `generate_series('2026-01-01'::date, '2026-01-31', '1 day')`: texts beside a day or a time are what they have to be. */
  #stepped(at: number, end: number): void {
    const [first, last, step] = this.#items(at + 1, end)
    const isText = (item: Range | undefined) =>
      item !== undefined && item[0] === item[1] && this.#all[item[0]]!.kind === 'string'
    if (!first || !last || !step || isText(first)) return
    if (isText(last)) this.#insertAfter(last[1], '::TIMESTAMP')
    if (isText(step)) this.#insertAfter(step[1], '::INTERVAL')
  }

  /** `unnest(a, b) WITH ORDINALITY AS t(x, y, n)`: lists side by side, and their numbers. */
  #ordinality(at: number, end: number): boolean {
    const counts = this.#words[end + 1] === 'with' && this.#words[end + 2] === 'ordinality'
    const second = this.#comma(at + 2, end)
    if (this.#words[at] !== 'unnest' || (!counts && second === undefined)) return false
    const list = this.#sql.slice(this.#all[at + 2]!.start, this.#all[(second ?? end) - 1]!.end)
    this.#insertBefore(at, '(SELECT ')
    for (let comma = second; comma !== undefined; comma = this.#comma(comma + 1, end))
      this.#replace(comma, comma, '), unnest(')
    return this.#replace(end, counts ? end + 2 : end, counts ? `), unnest(range(1, len(${list}) + 1)))` : '))')
  }

  /** `~` finds a part in PostgreSQL and asks for the whole in DuckDB. */
  #matching(from: number, to: number, symbol: string): void {
    const pattern = this.#all[to + 1]
    const flags = symbol.endsWith('*') ? 'is' : 's'
    this.#replace(from, to, symbol.startsWith('!') ? ' !~ ' : ' ~ ')
    if (pattern?.kind === 'string' && pattern.text.startsWith("'"))
      this.#replace(to + 1, to + 1, `'(?${flags}:.*(?:${pattern.text.slice(1, -1)}).*)'`)
  }

  /** The same of tables: `name ~ 'oar'`, `name !~* $1`. */
  #matched(at: number): boolean {
    const word = this.#words[at]
    if (word === 'similar') return this.#similar(at)
    if ((word !== '~' && word !== '!') || !this.#isOperand(at - 1)) return false
    const symbol = /^(!~\*|!~|~\*|~)(?![~*])/.exec(this.#sql.slice(this.#all[at]!.start))?.[0]
    if (!symbol) return false
    const to = at + symbol.length - 1
    const pattern = this.#all[to + 1]
    if (!pattern) return false
    if (pattern.kind === 'string' && pattern.text.startsWith("'")) this.#matching(at, to, symbol)
    else {
      this.#replace(at, to, symbol.startsWith('!') ? ' !~ ' : ' ~ ')
      this.#insertBefore(to + 1, `('(?${symbol.endsWith('*') ? 'is' : 's'}:.*(?:' || `)
      this.#insertAfter(this.#operandEnd(to + 1), ` || ').*)')`)
    }
    return true
  }

  /** `SIMILAR TO '(a|b)%'`: `%` and `_` are as in LIKE, where the engine has a regular expression. */
  #similar(at: number): boolean {
    const pattern = this.#all[at + 2]
    const isPattern = this.#words[at + 1] === 'to' && pattern?.kind === 'string' && pattern.text.startsWith("'")
    if (!isPattern || this.#words[at + 3] === 'escape') return false
    const text = textOf(pattern).replace(
      /\\[^]|\[[^\]]*\]|[%_.^$]/g,
      (one) => ({ '%': '.*', _: '.' })[one] ?? (one.length > 1 ? one : `\\${one}`),
    )
    return this.#replace(at + 2, at + 2, quoteText(`(?s:${text})`))
  }

  /** `doc ? 'key'`, `doc ?| ARRAY['a', 'b']`: whether JSON has a key, or an item. */
  #exists(at: number): boolean {
    if (this.#words[at] !== '?' || !this.#isOperand(at - 1)) return false
    const symbol = /^\?[|&]?/.exec(this.#sql.slice(this.#all[at]!.start))![0]
    const from = at + symbol.length
    if (!this.#all[from] || /^[,)=<>?]$/.test(this.#words[from]!)) return false
    const name = { '?': 'jsonb_exists', '?|': 'jsonb_exists_any', '?&': 'jsonb_exists_all' }[symbol]!
    this.#insertBefore(this.#jsonBefore(at - 1).first, `${name}(`)
    this.#replace(at, from - 1, ', ')
    this.#insertAfter(this.#operandEnd(from), ')')
    return true
  }

  /** Whether a value ends here, so that what follows is an operator between two. */
  #isOperand(at: number): boolean {
    const token = this.#all[at]
    if (!token) return false
    if (token.kind === 'symbol') return /^[)\]]$/.test(token.text)
    return token.kind !== 'word' || !beforeValues.has(this.#words[at]!)
  }

  /** Functions that the engine has with other arguments. */
  #called(at: number, selects: ReadonlySet<number>): boolean {
    const word = this.#words[at]!
    if (!/^([lr]pad|array_to_string|substring|current_timestamp)$/.test(word) || this.#words[at - 1] === '.')
      return false
    const end = this.#words[at + 1] === '(' ? this.#closing(at + 1) : undefined
    if (end === undefined || this.#all[at]!.kind !== 'word') return false
    const alias = this.#isItem(at, end, selects) ? ` AS ${word}` : ''
    if (word === 'current_timestamp')
      return end === at + 3 && this.#replace(at, end, `pg_rounded(now(), ${this.#all[at + 2]!.text})${alias}`)
    if (word === 'substring') return this.#part(at, end, alias)
    const first = this.#comma(at + 2, end)
    const second = first === undefined ? undefined : this.#comma(first + 1, end)
    if (first === undefined || (second === undefined) === (word === 'array_to_string')) return false
    if (word === 'array_to_string') {
      this.#replace(at, at, 'pg_array_text')
      if (alias) this.#insertAfter(end, alias)
    } else this.#insertBefore(end, `, ' '`)
    return true
  }

  /** `substring(x from 'a(.)c')`: what the group, else the pattern matches. */
  #part(at: number, end: number, alias: string): boolean {
    const pattern = this.#all[end - 1]
    if (this.#words[end - 2] !== 'from' || pattern?.kind !== 'string' || !pattern.text.startsWith("'")) return false
    const { text } = pattern
    const found = `regexp_extract(bh_v, ${text}, ${Math.min(groupsOf(text), 1)}, 's')`
    const { before, after } = around(`CASE WHEN regexp_matches(bh_v, ${text}, 's') THEN ${found} END`)
    this.#replace(at, at + 1, before)
    return this.#replace(end - 2, end, `${after}${alias}`)
  }

  /** `x::varchar(3)` cuts the text, `now()::timestamptz(0)` rounds the time; of columns the length is declared, and all times have six digits. */
  #precise(at: number, isDefinition: boolean, selects: ReadonlySet<number>): boolean {
    const words = this.#words
    const isTimeType = /^(time|timestamp|timestamptz|timetz)$/.test(words[at]!)
    if (isDefinition && isTimeType && this.#digitsBehind(at) && words[at - 1] !== '::')
      return this.#replace(at + 1, at + 3, '')
    const isCast = words[at] === 'as' && this.#all[at - 1] !== undefined
    if (isDefinition || (words[at] !== '::' && !isCast)) return false
    const type = words[at + 1] === 'character' && words[at + 2] === 'varying' ? at + 2 : at + 1
    const isText = /^(varchar|char|character|bpchar|varying)$/.test(words[type] ?? '')
    const digits = this.#digitsBehind(type)
    if (digits === undefined || words[type + 4] === '[') return false
    const isZoned = words.slice(type + 4, type + 7).join(' ') === 'with time zone'
    const isTime = words[type] === 'timestamptz' || (words[type] === 'timestamp' && isZoned)
    if (!isText && !isTime) return false
    const last = type + 3 + (isZoned ? 3 : 0)
    const [call, to] = isText ? ['left(', 'VARCHAR'] : ['pg_rounded(', 'TIMESTAMPTZ']
    if (!isCast) {
      if (!this.#isOperand(at - 1) || words[at - 1] === ']') return false
      const first = this.#operandWithCasts(at - 1)
      // `timestamptz '2024-01-01 10:00'`
      const isTyped = this.#all[first]!.kind === 'string' && this.#all[first - 1]?.kind === 'word'
      const begin = isTyped && !beforeValues.has(words[first - 1]!) ? first - 1 : first
      this.#insertBefore(begin, call)
      // Called by its column, else by its type.
      const { kind, text } = this.#all[at - 1]!
      const isNamed = kind === 'word' || kind === 'quoted'
      const alias = this.#isItem(begin, last, selects) ? ` AS ${isNamed ? text : to.toLowerCase()}` : ''
      return this.#replace(at, last, `::${to}, ${digits})${alias}`)
    }
    const open = words[last + 1] === ')' ? this.#opening(last + 1) : undefined
    if (open === undefined || words[open - 1] !== 'cast') return false
    this.#insertBefore(open - 1, call)
    return this.#replace(at + 1, last + 1, `${to}), ${digits})`)
  }

  /** `(3)` behind a type. */
  #digitsBehind(type: number): string | undefined {
    const isThere =
      this.#words[type + 1] === '(' && this.#words[type + 3] === ')' && this.#all[type + 2]?.kind === 'number'
    return isThere ? this.#words[type + 2] : undefined
  }

  /** A function of an OID becomes a look at the relation that knows; its first argument stays where it is. */
  #lookUp(at: number, lookup: Lookup, selects: ReadonlySet<number>): void {
    const end = this.#closing(at + 1)
    if (end === undefined || end === at + 2) return
    const first = this.#words[at - 1] === '.' ? at - 2 : at
    const comma = this.#comma(at + 2, end)
    const alias = this.#isItem(first, end, selects) ? ` AS ${this.#words[at]}` : ''
    this.#replace(at, at + 1, opening(lookup))
    if (comma !== undefined && lookup.more) {
      this.#replace(comma, comma, ') AND bh_d.bh_m = (')
      this.#replace(this.#comma(comma + 1, end) ?? end, end, `))${alias}`)
    } else this.#replace(comma ?? end, end, `)${lookup.more ? ' AND bh_d.bh_m = 0' : ''})${alias}`)
  }

  /** Whether the asker has a right becomes a look at the rights; the arguments stay where they are. */
  #privilege(at: number, selects: ReadonlySet<number>): void {
    const end = this.#closing(at + 1)
    if (end === undefined || end === at + 2) return
    const { kind, held, column } = privilegesOf[this.#words[at]!]!
    const commas: number[] = []
    for (let comma = this.#comma(at + 2, end); comma !== undefined; comma = this.#comma(comma + 1, end))
      commas.push(comma)
    const rest = commas.slice(column ? -2 : -1)
    const [ofUser, ...more] = commas.slice(0, commas.length - rest.length)
    if (rest.length < (column ? 2 : 1) || more.length > 0) return
    const first = this.#words[at - 1] === '.' ? at - 2 : at
    const alias = this.#isItem(first, end, selects) ? ` AS ${this.#words[at]}` : ''
    const { user } = this.#session
    const me = `[${quoteText(user)}, ${quoteText(String(systemOids.role(user)))}]`
    const object = ` bh_p.kind = '${kind}' AND bh_p.name = lower(replace((`
    const from = `(SELECT count(*) > 0 FROM pg_catalog.boathouse_privilege AS bh_p WHERE`
    this.#replace(at, at + 1, ofUser === undefined ? from + object : `${from} list_contains(${me}, (`)
    if (ofUser !== undefined) this.#replace(ofUser, ofUser, `)::VARCHAR) AND${object}`)
    const before = column ? rest.shift() : undefined
    if (before !== undefined)
      this.#replace(before, before, `)::VARCHAR, '"', '')) AND list_contains(bh_p.columns, lower(replace((`)
    const closing = column ? `)::VARCHAR, '"', '')))` : `)::VARCHAR, '"', ''))`
    this.#replace(rest[0]!, rest[0]!, `${closing} AND list_has_any(bh_p.${held}, string_split_regex(upper(trim(`)
    this.#replace(end, end, `)), '\\s*,\\s*')))${alias}`)
  }

  /** The type behind `::`, or behind AS in CAST, and the index of its last token. */
  #castEnd(at: number): { type: string; last: number; isPlain: boolean } {
    let first = at + 1
    const schema = (this.#words[first] ?? '').replaceAll('"', '')
    const isQualified = ['pg_catalog', 'information_schema'].includes(schema) && this.#words[first + 1] === '.'
    if (isQualified) first += 2
    let last = first
    while (this.#words[last + 1] === '[' && this.#words[last + 2] === ']') last += 2
    // TypeORM and psycopg's identifiers quote it: `::"regtype"`.
    const word = (this.#words[first] ?? '').replace(/^"(reg\w+|jsonb?|bytea)"$/, '$1')
    const type = word + '[]'.repeat((last - first) / 2)
    return { type, last, isPlain: !isQualified }
  }

  #cast(at: number): void {
    const { type, last, isPlain } = this.#castEnd(at)
    const bare = type.replaceAll('[]', '')
    const operand = this.#all[at - 1]
    const flag = /^bool(ean)?$/.test(type) && operand?.kind === 'string' && /^'(on|off)'$/i.exec(operand.text)?.[1]
    if (flag) return void this.#replace(at - 1, at - 1, `'${flag.toLowerCase() === 'on'}'`)
    if (isOidAlias(type)) return this.#alias(at, last, type, operand)
    const isOpen = openTypes.has(bare) && this.#words[last + 1] !== '('
    if (isOpen && type === bare && this.#decimal(at, last)) return
    const to = isOpen ? openNumeric : castTo[bare]
    if (/^(text|varchar)$/.test(type) && functionColumn.test(this.#words[at - 1] ?? '')) {
      this.#insertBefore(this.#operand(at - 1), opening(functionNames))
      this.#replace(at, last, '))')
    } else if (to && type.endsWith('[]') && this.#words[at - 1] === 'proargtypes') {
      // A vector: numbers with blanks between them.
      this.#insertBefore(this.#operand(at - 1), 'string_split(nullif(')
      this.#replace(at, last, `, ''), ' ')::${to}[]`)
    } else if (to) this.#replace(at + 1, last, to + '[]'.repeat((type.length - bare.length) / 2))
    else if (!isPlain) this.#replace(at + 1, at + 2, '')
  }

  /** `$1::numeric`, `'0.00001'::numeric`: all of its digits. */
  #decimal(at: number, last: number): boolean {
    const isInside = this.#words[at - 1] === ')' && ['(', '-'].includes(this.#words[at - 3] ?? '')
    const { kind, text } = this.#all[isInside ? at - 2 : at - 1] ?? { kind: 'symbol', text: '' }
    const shown = kind === 'string' ? textOf(this.#all[at - 1]!) : kind === 'number' ? text : ''
    const digits = decimalText(shown)
    if (digits === undefined) return false
    // The engine reads no exponents of decimals without rounding.
    if (/e/i.test(shown) && !isInside) this.#replace(at - 1, at - 1, quoteText(digits))
    return this.#replace(at + 1, last, decimalOf(digits))
  }

  /** `numeric '1.25'` */
  #typed(at: number): boolean {
    const token = this.#all[at + 1]
    const digits = token?.kind === 'string' ? decimalText(textOf(token)) : undefined
    return digits !== undefined && this.#replace(at, at, decimalOf(digits))
  }

  /** `CAST(x AS pg_catalog.text)`, `CAST(oid AS regclass)`. */
  #castAs(at: number): void {
    const { type, last, isPlain } = this.#castEnd(at)
    const open = this.#words[last + 1] === ')' ? this.#opening(last + 1) : undefined
    if (open === undefined || !/^(try_)?cast$/.test(this.#words[open - 1] ?? '')) return
    const operand = this.#all[at - 1]!
    const isLiteral = operand.kind === 'string' && this.#words[at - 2] === '('
    if (isOidAlias(type) && isLiteral) {
      this.#replace(at - 1, at - 1, oidOf(type, textOf(operand)))
      this.#replace(at + 1, last, 'UINTEGER')
    } else if (namesOf[type]) {
      const isForOid = type === 'regclass' && this.#words[last + 2] === 'as' && this.#words[last + 3] === 'oid'
      this.#insertBefore(open + 1, opening(isForOid ? relationOids : namesOf[type]))
      this.#insertBefore(at, isForOid ? ')::VARCHAR) ' : ')) ')
      this.#replace(at + 1, last, isForOid ? 'UINTEGER' : 'VARCHAR')
    } else {
      const bare = type.replaceAll('[]', '')
      const isOpen = openTypes.has(bare)
      const digits = isOpen && isLiteral ? decimalText(textOf(operand)) : undefined
      const to = digits === undefined ? (isOpen ? openNumeric : castTo[bare]) : decimalOf(digits)
      if (to) this.#replace(at + 1, last, to + '[]'.repeat((type.length - bare.length) / 2))
      else if (!isPlain) this.#replace(at + 1, at + 2, '')
    }
  }

  /** An OID by its name, or, of what is an OID already, the name. */
  #alias(at: number, last: number, type: string, operand: Token | undefined): void {
    if (operand?.kind === 'string' && operand.text.startsWith("'")) {
      this.#replace(at - 1, last, oidOf(type, textOf(operand)))
      return
    }
    if (this.#ofText(at, last, type)) return
    const first = this.#operand(at - 1)
    if (this.#meetsOid(last + 1)) this.#replace(at, last, '::UINTEGER')
    else if (
      type === 'regclass' &&
      this.#words.slice(first, at).some((word) => /^(\|\||quote_ident|format)$/.test(word))
    ) {
      // A name that is put together there.
      this.#insertBefore(first, opening(relationOids))
      this.#replace(at, last, ')::VARCHAR)')
    } else if (type === 'regtype' && this.#words.slice(first, at).includes('||')) {
      this.#insertBefore(first, opening(typeNames))
      this.#replace(at, last, '))')
    } else if (type === 'regtype') {
      this.#insertBefore(first, 'format_type(')
      this.#replace(at, last, ', NULL)')
    } else if (namesOf[type]) {
      this.#insertBefore(first, opening(namesOf[type]))
      this.#replace(at, last, '))')
    } else this.#replace(at, last, '::UINTEGER')
  }

  #operandWithCasts(end: number): number {
    let first = this.#operand(end)
    while (this.#words[first - 1] === '::') first = this.#operand(first - 2)
    return first
  }

  /** `$1::text::regtype`: a text is a name. */
  #ofText(at: number, last: number, type: string): boolean {
    if (this.#words[at - 2] !== '::' || !/^(text|varchar|name)$/.test(this.#words[at - 1]!)) return false
    const named = type === 'regtype' ? oidsOf.to_regtype : type === 'regclass' ? relationOids : undefined
    if (!named) return false
    this.#insertBefore(this.#operand(at - 3), opening(named))
    return this.#replace(at, last, '))')
  }

  /** `= 'trigger'::regtype` stands here. */
  #meetsOid(from: number): boolean {
    let at = from
    while (/^[=<>!]+$/.test(this.#words[at] ?? '')) at++
    return (
      at > from &&
      this.#all[at]?.kind === 'string' &&
      this.#words[at + 1] === '::' &&
      isOidAlias(this.#castEnd(at + 1).type)
    )
  }

  /** The first token of the operand that ends here: a name with dots, a call, something in parentheses, a parameter. */
  #operand(end: number): number {
    let at = end
    if (this.#words[at] === ')') {
      at = this.#opening(at) ?? 0
      if (
        this.#all[at - 1]?.kind !== 'word' ||
        ['and', 'or', 'not', 'select', 'in', 'on', 'where', 'values'].includes(this.#words[at - 1]!)
      )
        return at
      at--
    }
    while (this.#words[at - 1] === '.') at -= 2
    return Math.max(at, 0)
  }

  #opening = (close: number): number | undefined => this.#pairs.get(close)
  #closing = (open: number): number | undefined => this.#pairs.get(open)

  #comma(from: number, end: number): number | undefined {
    let depth = 0
    for (let at = from; at < end; at++) {
      if ('([{'.includes(this.#words[at] || ' ')) depth++
      else if (')]}'.includes(this.#words[at] || ' ')) depth--
      else if (this.#words[at] === ',' && depth === 0) return at
    }
    return undefined
  }

  /** Whether these tokens are one item of a select list without a name of its own. */
  #isItem(first: number, last: number, selects: ReadonlySet<number>): boolean {
    const [before, after] = [this.#words[first - 1], this.#words[last + 1]]
    return (
      selects.has(first) &&
      (before === 'select' || before === ',' || before === 'distinct' || before === 'all') &&
      (after === undefined || [',', 'from', ')', ';', 'union', 'where', 'limit', 'order'].includes(after))
    )
  }

  /** Tokens that stand in a select list, not inside of a call there. */
  #selectItems(): Set<number> {
    const found = new Set<number>()
    const levels = [false]
    this.#words.forEach((word, at) => {
      if (word === '(' || word === '[' || word === '{') levels.push(false)
      else if (word === ')' || word === ']' || word === '}') levels.pop()
      else if (word === 'select') levels[levels.length - 1] = true
      else if (['from', 'where', 'group', 'order', 'limit', 'having', 'union'].includes(word))
        levels[levels.length - 1] = false
      if (levels.at(-1)) found.add(at)
    })
    return found
  }
}

const shortNumber = /^(-?\d{1,9}|\(-?\d{1,9}\)|CAST\(('-?\d{1,9}'|\(SELECT NULL\)) AS INTEGER\))$/i
type Range = readonly [from: number, to: number]
const beforeRows = new Set('and or not where on having when then else select qualify filter'.split(' '))

/** Two rows, compared item by item. What the first items say alone leaves files out. */
function comparedRows(left: readonly string[], symbol: string, right: readonly string[]): string {
  if (symbol === '=') return `(${left.map((one, at) => `${one} = ${right[at]!}`).join(' AND ')})`
  if (symbol === '<>' || symbol === '!=') return `(${left.map((one, at) => `${one} <> ${right[at]!}`).join(' OR ')})`
  const [one, ...others] = left
  const [other, ...rest] = right
  if (others.length === 0) return `${one!} ${symbol} ${other!}`
  const strict = symbol[0]!
  const further = comparedRows(others, symbol, rest)
  return `(${one!} ${strict}= ${other!} AND (${one!} ${strict} ${other!} OR (${one!} = ${other!} AND ${further})))`
}

/** Without those that lie inside of one that replaces more. */
function outermost(edits: readonly Edit[]): Edit[] {
  const isInsert = ({ start, end }: Edit) => start === end
  const ordered = edits.toSorted(
    (a, b) => a.start - b.start || Number(isInsert(b)) - Number(isInsert(a)) || b.end - a.end,
  )
  let reach = -1
  return ordered.filter((one) => {
    if (one.start < reach && one.end <= reach) return false
    if (!isInsert(one)) reach = one.end
    return true
  })
}

/** `{"a": 1}`, but not `{}` nor `{"a"}`, which are lists: as far as its begin is asked for. */
function isJsonText(text: string, begin: RegExp): boolean {
  if (!begin.test(text)) return false
  try {
    return typeof JSON.parse(text) === 'object'
  } catch {
    return false
  }
}

const isJsonType = (type: string) => type === 'json' || type === 'jsonb'
/** Functions, by PostgreSQL's names and ours. */
const givesJson =
  /^(jsonb?_(build_)?(object|array)|to_jsonb?|row_to_json|jsonb?_(object_)?agg|jsonb_concat|json_merge_patch)$/

/** Words that a value follows, and none ends with. */
const beforeValues: ReadonlySet<string> = new Set(
  'select distinct all where and or not when then else case on in between like ilike by having returning values limit offset set using from is as with interval escape'.split(
    ' ',
  ),
)

/** How many groups of a pattern catch what they match. */
const groupsOf = (pattern: string): number => pattern.replace(/\\.|\[[^\]]*\]/g, '').match(/\((?!\?)/g)?.length ?? 0

const isOidAlias = (type: string) => /^reg(class|type|proc|procedure|namespace|role)$/.test(type)

/** What a literal means; of `E'\\'` a quote and a backslash are all that is written with one by drivers. */
function textOf({ text }: Token): string {
  const plain = text.slice(text.indexOf("'") + 1, -1).replaceAll("''", "'")
  return /^e/i.test(text) ? plain.replace(/\\([\\'])/g, '$1') : plain
}

/** SQL for the OID of a name. */
function oidOf(type: string, name: string): string {
  if (/^\d+$/.test(name)) return `${name}::UINTEGER`
  switch (type) {
    case 'regclass':
      return `${relationOf(name)}::UINTEGER`
    case 'regtype':
      return `${systemOids.type(name)}::UINTEGER`
    case 'regnamespace':
      return `${systemOids.namespace(name)}::UINTEGER`
    case 'regrole':
      return `${systemOids.role(name)}::UINTEGER`
    default:
      return `${systemOids.function(name.replace(/^pg_catalog\./, ''))}::UINTEGER`
  }
}

/** SQL for the OID of a relation by its name, as `'raw.sales'::regclass` has it. */
function relationOf(name: string): string {
  const parts = [...tokens(name)].filter(({ kind }) => kind === 'word' || kind === 'quoted')
  const names = parts.map((token) => (token.kind === 'quoted' ? nameOf(token) : token.text.toLowerCase()))
  const system = names.length === 1 || names[0] === 'pg_catalog' ? systemOids.relation(names.at(-1) ?? '') : undefined
  if (system !== undefined) return String(system)
  const plain = (one: string) => (/^[a-z_][a-z0-9_]*$/.test(one) ? one : `"${one.replaceAll('"', '""')}"`)
  const shown = names.slice(-2).map(plain).join('.')
  const matches = names.length > 1 ? `name = ${quoteText(shown)}` : `ends_with(name, ${quoteText(`.${shown}`)})`
  return `(SELECT max(oid) FROM pg_catalog.boathouse_relation WHERE ${matches})`
}
