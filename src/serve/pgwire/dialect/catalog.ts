// Queries of the system catalog: functions that look something up there, vectors, and operators whose meaning differs.

import { outside, quoteText, systemOids } from '../../../lake/index.ts'
import { castBehind, castInCall } from './casts.ts'
import { otherArguments } from './calls.ts'
import { seriesColumn, seriesOfRows } from './lists.ts'
import {
  functionColumn,
  functionNames,
  isOidAlias,
  lookingUp,
  oidOf,
  oidsOf,
  relationOf,
  relationOids,
  seenSchema,
  sequencesOf,
  type Lookup,
} from './oids.ts'
import { matching } from './patterns.ts'
import { textOf, type EditedSql } from './sql.ts'

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

/** Keys lead to tables without the schema that plain names mean. */
function shownKey({ session }: EditedSql): string {
  const seen = seenSchema(session)
  return seen === undefined ? 'definition' : `replace(definition, ${quoteText(` REFERENCES ${seen}.`)}, ' REFERENCES ')`
}

function definition(kind: string): Lookup {
  return { from: 'pg_catalog.boathouse_definition', key: 'oid', value: 'definition', where: `kind = '${kind}'` }
}

/** Columns of the type int2vector or oidvector. */
const vectors = new Set(['indkey', 'indclass', 'indoption', 'indcollation', 'proargtypes'])
/** Functions whose rows are those of a relation. */
const relationsOfFunctions: Record<string, string> = {
  pg_show_all_settings: 'pg_settings',
  pg_available_extensions: 'pg_available_extensions',
}

/** `has_table_privilege([user,] table, privilege)`: where the asker's rights are. With a column there is one argument more. */
const privilegesOf: Record<string, { kind: 'relation' | 'schema' | 'sequence'; held: string; column?: true }> = {
  has_table_privilege: { kind: 'relation', held: 'privileges' },
  has_any_column_privilege: { kind: 'relation', held: 'some_privileges' },
  has_column_privilege: { kind: 'relation', held: 'some_privileges', column: true },
  has_schema_privilege: { kind: 'schema', held: 'privileges' },
  has_sequence_privilege: { kind: 'sequence', held: 'privileges' },
}

/** Whether a relation is what its name alone means. */
const seenRelations = (schema: string): Lookup => ({
  from: 'pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace',
  key: 'c.oid',
  value: `n.nspname IN ('pg_catalog', 'pg_temp', ${quoteText(schema)})`,
})

export function catalogWordAt(sql: EditedSql, at: number): void {
  const word = sql.words[at]!
  const token = sql.tokens[at]!
  if (word === '::') return castBehind(sql, at)
  if (word === 'as') castInCall(sql, at)
  if (word === 'operator' && sql.words[at + 1] === '(' && sql.words[at + 2] === 'pg_catalog') {
    const end = sql.closing(at + 1)
    if (end === undefined) return
    const symbol = sql.text.slice(sql.tokens[at + 4]!.start, sql.tokens[end - 1]!.end)
    if (/^!?~\*?$/.test(symbol)) matching(sql, at, end, symbol)
    else sql.replace(at, end, symbol)
    return
  }
  if (word === '=' && member(sql, at)) return
  if (vectors.has(word.replace(/^"(.*)"$/, '$1')) && (vectorElement(sql, at + 1) || vectorText(sql, at))) return
  if (token.kind === 'symbol' && (word === '~' || word === '!') && sql.words[at - 1] !== '.') {
    const symbol = /^(!~\*|!~|~\*|~)(?![~*])/.exec(sql.text.slice(token.start))?.[0]
    if (symbol && sql.words[at - 1] !== '!' && sql.words[at - 1] !== '~')
      return matching(sql, at, at + symbol.length - 1, symbol)
  }
  const relation = Object.hasOwn(relationsOfFunctions, word) ? relationsOfFunctions[word] : undefined
  if (relation !== undefined && sql.words[at + 1] === '(' && sql.words[at + 2] === ')')
    return void sql.replace(at, at + 2, `pg_catalog.${relation}`)
  if (word === 'substring' && otherArguments(sql, at)) return
  if (seriesOfRows(sql, at)) return
  // `pg_catalog.format_type(` is our function of that name, not the engine's.
  if ((word === 'pg_catalog' || word === 'information_schema') && sql.words[at + 1] === '.') {
    if (sql.words[at + 3] === '(') sql.replace(at, at + 1, '')
    return
  }
  if (trueType(sql, at)) return
  if (word === 'generate_subscripts' && sql.words[at + 1] === '(') subscripts(sql, at)
  if (/^(generate_series|generate_subscripts|unnest|string_to_array)$/.test(word) && sql.words[at + 1] === '(')
    return seriesColumn(sql, at)
  if (functionColumn.test(word) && token.kind === 'word' && sql.words[at + 1] !== '::') return functionName(sql, at)
  // `%I` and `%L` quote names and texts, which these are looked up without.
  const pattern = word === 'format' && sql.words[at + 1] === '(' ? sql.tokens[at + 2] : undefined
  if (pattern?.kind === 'string' && /%[IsL]/.test(pattern.text)) {
    sql.replace(at, at, 'printf')
    sql.replace(at + 2, at + 2, pattern.text.replace(/%[IL]/g, '%s'))
    return
  }
  // `psql` lists by it, and there all of a lake is looked for.
  if (word === 'pg_table_is_visible' && sql.words[at + 1] === '(' && sql.session.setting('application_name') !== 'psql')
    return lookUp(sql, at, seenRelations(sql.session.schema ?? 'public'))
  const lookup = Object.hasOwn(lookups, word) && sql.words[at + 1] === '(' ? lookups[word]! : undefined
  if (word === 'pg_get_constraintdef' && lookup) return lookUp(sql, at, { ...lookup, value: shownKey(sql) })
  if (lookup) return lookUp(sql, at, lookup)
  // Of names that are written there the lake tells, as elsewhere.
  if (word === 'pg_get_serial_sequence' && sql.words[at + 1] === '(') {
    const areWritten =
      sql.closing(at + 1) === at + 5 && [2, 4].every((place) => sql.tokens[at + place]!.kind === 'string')
    return areWritten ? undefined : lookUp(sql, at, sequencesOf(sql.session))
  }
  if (word === 'pg_get_expr' && sql.words[at + 1] === '(' && seenSchema(sql.session) === undefined) {
    const end = sql.closing(at + 1)
    const alias = end !== undefined && sql.isItem(at, end) ? ` AS ${word}` : ''
    sql.insertBefore(sql.words[at - 1] === '.' ? at - 2 : at, 'regexp_replace(')
    return sql.insertAfter(end ?? at, `, 'nextval\\(''([^''.]+)''', 'nextval(''public.\\1''')${alias}`)
  }
  if (Object.hasOwn(privilegesOf, word) && sql.words[at + 1] === '(') return privilege(sql, at)
  if (Object.hasOwn(oidsOf, word) && sql.words[at + 1] === '(') {
    const end = sql.closing(at + 1)
    const argument = sql.tokens[at + 2]
    const isWritten = end === at + 3 && argument?.kind === 'string'
    const name = isWritten ? textOf(argument) : ''
    const alias = end !== undefined && sql.isItem(at, end) ? ` AS ${word}` : ''
    if (isWritten && word === 'to_regclass') sql.replace(at, end, relationOf(name, sql.session.schema) + alias)
    else if (isWritten && word === 'to_regtype') sql.replace(at, end, systemOids.type(name) + alias)
    else lookUp(sql, at, oidsOf[word]!)
    return
  }
  // `regclass($1)`, as diesel casts.
  if (isOidAlias(word) && sql.words[at + 1] === '(' && !/^(::|\.|as)$/.test(sql.words[at - 1] ?? '')) {
    const argument = sql.tokens[at + 2]
    if (sql.closing(at + 1) === at + 3 && argument?.kind === 'string')
      return void sql.replace(at, at + 3, oidOf(word, textOf(argument), sql.session.schema))
    if (word === 'regclass') return lookUp(sql, at, relationOids(sql.session))
  }
  if (word === 'tableoid' && sql.words[at - 1] !== '.') {
    const of = relationRead(sql, at)
    return void (of === undefined || sql.replace(at, at, `${of}::UINTEGER${sql.isItem(at, at) ? ' AS tableoid' : ''}`))
  }
  // Rows of these relations do not know which relation they are of, nor which transaction wrote them.
  if (
    (word === 'tableoid' || (word === 'xmin' && !sql.words.includes('pg_replication_slots'))) &&
    sql.words[at - 1] === '.'
  ) {
    const of = word === 'tableoid' ? relationCalled(sql, sql.words[at - 2]!) : undefined
    sql.replace(at - 2, at, `${of ?? 'NULL'}::UINTEGER${sql.isItem(at - 2, at) ? ` AS ${word}` : ''}`)
    return
  }
  // `CASE WHEN indisexclusion THEN (SELECT conexclop[1] FROM pg_constraint …) END`: the engine asks for it of other indexes, too.
  if (word === 'conexclop') {
    const around = [...sql.pairs].find(([open, close]) => open < at && close > at && sql.words[open + 1] === 'select')
    return around && sql.insertBefore(around[1], ' LIMIT 1')
  }
  // `EXISTS (SELECT FROM …)`: a list of no columns.
  if (word === 'select' && sql.words[at - 1] === '(' && sql.words[at + 1] === 'from')
    return sql.insertBefore(at + 1, '1 ')
  // `= ANY ('{a,b}')`: a list that is written as text.
  if (token.kind === 'string' && /^'\{.*\}'$/s.test(token.text)) catalogList(sql, at)
}

/** `information_schema._pg_truetypmod(a.*, t.*)`, of rows of pg_attribute and pg_type: no type here is a domain. */
function trueType(sql: EditedSql, at: number): boolean {
  const column = { _pg_truetypid: 'atttypid', _pg_truetypmod: 'atttypmod' }[sql.words[at]!]
  const end = column && sql.words[at + 1] === '(' ? sql.closing(at + 1) : undefined
  const comma = end === undefined ? undefined : sql.comma(at + 2, end)
  if (end === undefined || comma === undefined) return false
  const isStar = sql.words[comma - 2] === '.' && sql.words[comma - 1] === '*'
  const row = sql.text.slice(sql.tokens[at + 2]!.start, sql.tokens[isStar ? comma - 3 : comma - 1]!.end)
  const first = sql.words[at - 1] === '.' ? at - 2 : at
  return sql.replace(at, end, `${row}.${column}${sql.isItem(first, end) ? ` AS ${sql.words[at]}` : ''}`)
}

/** The OID of the system relation that a select list with this token reads. */
function relationRead({ words, tokens }: EditedSql, at: number): number | undefined {
  for (const [, index] of outside(tokens, at))
    if (words[index] === 'from')
      return systemOids.relation(words[words[index + 2] === '.' ? index + 3 : index + 1] ?? '')
  return undefined
}

/** The OID of the system relation that is called so there: `FROM pg_namespace n`. */
function relationCalled({ words }: EditedSql, alias: string): number | undefined {
  const before = words.flatMap((word, at) =>
    word === alias ? [words[words[at - 1] === 'as' ? at - 2 : at - 1] ?? ''] : [],
  )
  return systemOids.relation(before.find((word) => /^pg_\w+$/.test(word)) ?? alias)
}

/** `a.attnum = ANY (c.conkey)`, which the engine takes for a subquery, and will not have in an outer join. */
function member(sql: EditedSql, at: number): boolean {
  const end = /^(any|some)$/.test(sql.words[at + 1] ?? '') ? sql.closing(at + 2) : undefined
  if (end === undefined) return false
  const inside = sql.tokens.slice(at + 3, end)
  const isPath = inside.every(({ kind, text }, index) =>
    index % 2 === 0 ? kind === 'word' || kind === 'quoted' : text === '.',
  )
  if (!isPath || inside.length % 2 === 0) return false
  const path = sql.text.slice(inside[0]!.start, inside.at(-1)!.end)
  sql.insertBefore(sql.operand(at - 1), `list_contains(${path}, `)
  return sql.replace(at, end, ')')
}

/** `indkey[0]` is the first of a vector, where lists begin at 1. */
function vectorElement(sql: EditedSql, open: number): boolean {
  if (sql.words[open] !== '[') return false
  const close = sql.words.indexOf(']', open)
  const inside = close < 0 ? [':'] : sql.words.slice(open + 1, close)
  if (inside.includes(':') || inside.includes('[')) return false
  sql.replace(open, open, '[1 + (')
  return sql.replace(close, close, ')]')
}

/** In an answer a vector of numbers is a text: `1 2`. */
function vectorText(sql: EditedSql, at: number): boolean {
  // `pg_catalog.pg_index.indoption`, as SQLAlchemy has it.
  let first = at
  while (sql.words[first - 1] === '.') first -= 2
  const cast = sql.words[at + 1] === '::' ? sql.castEnd(at + 1) : undefined
  if (cast && /^(text|varchar)$/.test(cast.type)) {
    sql.insertBefore(first, 'array_to_string(')
    return sql.replace(
      at,
      cast.last,
      `${sql.tokens[at]!.text}, ' ')${sql.isItem(first, cast.last) ? ` AS ${sql.words[at]}` : ''}`,
    )
  }
  const isInside = [...sql.pairs].some(([open, close]) => open < first && close > at)
  if (isInside || !sql.isItem(first, at)) {
    const named = sql.words[at + 1] === 'as' && !isInside && sql.isItem(first, at + 2)
    if (!named) return false
    sql.insertBefore(first, 'array_to_string(')
    return sql.replace(at, at, `${sql.tokens[at]!.text}, ' ')`)
  }
  sql.insertBefore(first, 'array_to_string(')
  return sql.replace(at, at, `${sql.tokens[at]!.text}, ' ') AS ${sql.tokens[at]!.text}`)
}

function catalogList(sql: EditedSql, at: number): void {
  const before = [sql.words[at - 2], sql.words[at - 1]]
  const isArgument = before[1] === '(' && ['any', 'all', 'some'].includes(before[0] ?? '')
  const type = sql.words[at + 1] === '::' ? sql.castEnd(at + 1).type : ''
  if (!isArgument && !type.endsWith('[]')) return
  const items = sql.tokens[at]!.text.slice(2, -2)
    .split(',')
    .filter((item) => item !== '')
  const written = items.map((item) => item.trim().replace(/^"(.*)"$/, '$1'))
  const isOids = isOidAlias(type.slice(0, -2))
  const each = (one: string) => (isOids ? oidOf(type.slice(0, -2), one, sql.session.schema) : quoteText(one))
  sql.replace(at, at, `[${written.map(each).join(', ')}]`)
}

/** `SELECT typreceive`: by its name, as text of a regproc is; where it is compared it stays an OID. */
function functionName(sql: EditedSql, at: number): void {
  const first = sql.words[at - 1] === '.' ? at - 2 : at
  const depth = sql.words.slice(0, at).reduce((sum, word) => sum + Number(word === '(') - Number(word === ')'), 0)
  if (depth > 0 || !sql.isItem(first, at)) return
  sql.insertBefore(first, lookingUp(functionNames))
  sql.replace(at, at, `${sql.tokens[at]!.text})) AS ${sql.words[at]}`)
}

/** The numbers of an array's items; those of a vector of the catalog begin with 0. */
function subscripts(sql: EditedSql, at: number): void {
  const end = sql.closing(at + 1)
  const comma = end === undefined ? undefined : sql.comma(at + 2, end)
  if (end === undefined || comma === undefined) return
  const from = /^(ind(key|class|option|collation)|proargtypes)$/.test(sql.words[comma - 1]!) ? 0 : 1
  sql.replace(at, at + 1, `unnest(range(${from}, len(`)
  sql.replace(comma, end, `) + ${from}))`)
}

/** A function of an OID becomes a look at the relation that knows; its first argument stays where it is. */
function lookUp(sql: EditedSql, at: number, lookup: Lookup): void {
  const end = sql.closing(at + 1)
  if (end === undefined || end === at + 2) return
  const first = sql.words[at - 1] === '.' ? at - 2 : at
  const comma = sql.comma(at + 2, end)
  const alias = sql.isItem(first, end) ? ` AS ${sql.words[at]}` : ''
  sql.replace(at, at + 1, lookingUp(lookup))
  if (comma !== undefined && lookup.more) {
    sql.replace(comma, comma, ') AND bh_d.bh_m = (')
    sql.replace(sql.comma(comma + 1, end) ?? end, end, `))${alias}`)
  } else sql.replace(comma ?? end, end, `)${lookup.more ? ' AND bh_d.bh_m = 0' : ''})${alias}`)
}

/** Whether the asker has a right becomes a look at the rights; the arguments stay where they are. */
function privilege(sql: EditedSql, at: number): void {
  const end = sql.closing(at + 1)
  if (end === undefined || end === at + 2) return
  const { kind, held, column } = privilegesOf[sql.words[at]!]!
  const commas: number[] = []
  for (let comma = sql.comma(at + 2, end); comma !== undefined; comma = sql.comma(comma + 1, end)) commas.push(comma)
  const rest = commas.slice(column ? -2 : -1)
  const [ofUser, ...more] = commas.slice(0, commas.length - rest.length)
  if (rest.length < (column ? 2 : 1) || more.length > 0) return
  const first = sql.words[at - 1] === '.' ? at - 2 : at
  const alias = sql.isItem(first, end) ? ` AS ${sql.words[at]}` : ''
  const { user } = sql.session
  const me = `[${quoteText(user)}, ${quoteText(String(systemOids.role(user)))}]`
  const object = ` bh_p.kind = '${kind}' AND bh_p.name = lower(replace((`
  const from = `(SELECT count(*) > 0 FROM pg_catalog.boathouse_privilege AS bh_p WHERE`
  sql.replace(at, at + 1, ofUser === undefined ? from + object : `${from} list_contains(${me}, (`)
  if (ofUser !== undefined) sql.replace(ofUser, ofUser, `)::VARCHAR) AND${object}`)
  const before = column ? rest.shift() : undefined
  if (before !== undefined)
    sql.replace(before, before, `)::VARCHAR, '"', '')) AND list_contains(bh_p.columns, lower(replace((`)
  const closing = column ? `)::VARCHAR, '"', '')))` : `)::VARCHAR, '"', ''))`
  sql.replace(rest[0]!, rest[0]!, `${closing} AND list_has_any(bh_p.${held}, string_split_regex(upper(trim(`)
  sql.replace(end, end, `)), '\\s*,\\s*')))${alias}`)
}
