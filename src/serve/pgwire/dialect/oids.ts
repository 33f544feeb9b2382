// OIDs by their names, and names by their OIDs: `'raw.sales'::regclass`, `16384::regtype`.

import {
  dottedNames,
  isName,
  nameOf,
  quoteNameIfNeeded,
  quoteText,
  systemOids,
  tokens,
  type Token,
} from '../../../lake/index.ts'
import { textOf, type EditedSql, type SessionNames } from './sql.ts'

/** `key` finds the row, `value` is what the function gives; `more`: a second argument and the column that it is. */
export type Lookup = { from: string; key: string; value: string; where?: string; more?: string }

/** The schema that plain names mean, as names are shown; none where names are to be told in full, as pg_dump wants it. */
export const seenSchema = ({ schema, setting }: SessionNames): string | undefined =>
  setting('search_path') === '' ? undefined : quoteNameIfNeeded(schema ?? 'public')

/** Without the schema that plain names mean. */
const relationNames = (session: SessionNames): Lookup => {
  const own = `${seenSchema(session) ?? ''}.`
  const shown = `CASE WHEN starts_with(name, ${quoteText(own)}) THEN name[${own.length + 1}:] ELSE name END`
  return { from: 'pg_catalog.boathouse_relation', key: 'oid', value: shown }
}

/** `"raw"."sales"` */
const inQuotes = (name: string) => `'"' || replace(replace(${name}, '"', ''), '.', '"."') || '"'`

/** The sequence of a column that numbers its rows, by the name of its table. */
export const sequencesOf = (session: SessionNames): Lookup => ({
  from: `(SELECT unnest([name, ${relationNames(session).value}, ${inQuotes('name')}]) AS named, attname, sequence
    FROM (SELECT t.name, a.attname, s.name AS sequence FROM pg_catalog.pg_depend d
      JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.objid
      JOIN pg_catalog.boathouse_relation s ON s.oid = d.objid
      JOIN pg_catalog.boathouse_relation t ON t.oid = d.refobjid
      JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
      WHERE d.deptype IN ('a', 'i')))`,
  key: 'named',
  value: 'sequence',
  more: 'attname',
})

/** By the name, in quotes or without, behind that of the database or not, or by the OID itself, whatever a text may hold. */
export const relationOids = (session: SessionNames): Lookup => {
  const [bare, quoted] = [`${quoteNameIfNeeded(session.catalog)}.`, `"${session.catalog}".`].map(quoteText)
  return {
    from: `(SELECT oid, unnest([name, oid::VARCHAR, ${inQuotes('name')}, ${bare} || name, ${quoted} || ${inQuotes('name')}, shown, ${inQuotes('shown')}]) AS name
      FROM (SELECT *, ${relationNames(session).value} AS shown FROM pg_catalog.boathouse_relation))`,
    key: 'name',
    value: 'oid',
  }
}

/** What a type is called, by its name in quotes behind its schema's. */
const typeNames: Lookup = {
  from: 'pg_catalog.pg_type',
  key: `'"pg_catalog"."' || typname || '"'`,
  value: 'format_type(oid, NULL)',
}

export const functionNames: Lookup = { from: 'pg_catalog.pg_proc', key: 'oid', value: 'proname' }

/** Columns that hold OIDs of functions, and are shown by their names. */
export const functionColumn = /^(typ(input|output|receive|send|modin|modout|analyze|subscript)|amhandler)$/

/** What shows an OID of this type by its name. */
export const namesOf = (type: string, session: SessionNames): Lookup | undefined =>
  type === 'regclass' ? relationNames(session) : Object.hasOwn(otherNames, type) ? otherNames[type] : undefined
const otherNames: Record<string, Lookup> = {
  regnamespace: { from: 'pg_catalog.pg_namespace', key: 'oid', value: 'nspname' },
  regrole: { from: 'pg_catalog.pg_roles', key: 'oid', value: 'rolname' },
}

export const oidsOf: Record<string, Lookup> = {
  to_regclass: { from: 'pg_catalog.boathouse_relation', key: 'name', value: 'oid' },
  to_regnamespace: { from: 'pg_catalog.pg_namespace', key: 'nspname', value: 'oid' },
  to_regrole: { from: 'pg_catalog.pg_roles', key: 'rolname', value: 'oid' },
  to_regproc: { from: 'pg_catalog.pg_proc', key: 'proname', value: 'oid' },
  to_regtype: { from: 'pg_catalog.pg_type', key: 'typname', value: 'oid' },
}

export const lookingUp = (one: Lookup) =>
  `(SELECT max(bh_d.bh_v) FROM (SELECT ${one.key} AS bh_k, ${one.value} AS bh_v${one.more ? `, ${one.more} AS bh_m` : ''} FROM ${one.from}${one.where ? ` WHERE ${one.where}` : ''}) AS bh_d WHERE bh_d.bh_k = (`

export const isOidAlias = (type: string) => /^reg(class|type|proc|procedure|namespace|role)$/.test(type)

/** SQL for the OID of a name. */
export function oidOf(type: string, name: string, schema: string | undefined): string {
  if (/^\d+$/.test(name)) return `${name}::UINTEGER`
  switch (type) {
    case 'regclass':
      return `pg_known_oid(${relationOf(name, schema)}, ${quoteText(bare(name))})::UINTEGER`
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

/** A name as refusals tell it. */
const bare = (name: string): string => name.replaceAll('"', '')

/** SQL for the OID of a relation by its name, as `'raw.sales'::regclass` has it: of the schema that plain names mean, or else of any. */
export function relationOf(name: string, schema: string | undefined): string {
  const parts = [...tokens(name)].filter(({ kind }) => kind === 'word' || kind === 'quoted')
  const names = parts.map((token) => (token.kind === 'quoted' ? nameOf(token) : token.text.toLowerCase()))
  const system = names.length === 1 || names[0] === 'pg_catalog' ? systemOids.relation(names.at(-1) ?? '') : undefined
  if (system !== undefined) return String(system)
  const shown = dottedNames(...names.slice(-2))
  const from = 'FROM pg_catalog.boathouse_relation WHERE'
  if (names.length > 1) return `(SELECT max(oid) ${from} name = ${quoteText(shown)})`
  const own = quoteText(`${quoteNameIfNeeded(schema ?? 'public')}.${shown}`)
  return `(SELECT arg_max(oid, name = ${own}) ${from} ends_with(name, ${quoteText(`.${shown}`)}))`
}

/** SQL for the name of a relation that there is. */
function relationShown(name: string, session: SessionNames): string {
  const oid = /^\d+$/.test(name) ? name : relationOf(name, session.schema)
  if (/^\d+$/.test(oid) && oid !== name) return quoteText(name.replace(/^pg_catalog\./, ''))
  const shown = `${lookingUp(relationNames(session))}${oid}))`
  return oid === name ? shown : `pg_known_oid(${shown}, ${quoteText(bare(name))})`
}

/** An OID by its name, or, of what is an OID already, the name. */
export function oidAlias(sql: EditedSql, at: number, last: number, type: string, operand: Token | undefined): void {
  // `nextval('s'::regclass)`: sequences are named.
  if (/^(nextval|currval|setval)$/.test(sql.words[at - 3] ?? '') && sql.words[at - 2] === '(')
    return void sql.replace(at, last, '')
  if (operand?.kind === 'string' && operand.text.startsWith("'")) {
    const name = textOf(operand)
    // Told by its name, as a column of an answer and as a text; elsewhere it is a number.
    const isItem = sql.isItem(at - 1, last)
    const isText = sql.words[last + 1] === '::' && /^(text|varchar|name)$/.test(sql.words[last + 2] ?? '')
    const isTold = type === 'regclass' && (isItem || isText)
    const alias = isItem ? ' AS regclass' : ''
    const { schema } = sql.session
    sql.replace(at - 1, last, isTold ? relationShown(name, sql.session) + alias : oidOf(type, name, schema))
    return
  }
  if (ofText(sql, at, last, type)) return
  // Of a sequence the type is told by its name.
  if (type === 'regtype' && sql.words[at - 1] === 'data_type' && sql.words.includes('pg_sequences'))
    return void sql.replace(at, last, '')
  const first = sql.operand(at - 1)
  const named = namesOf(type, sql.session)
  // `pg_typeof(x)::regtype = 'text'::regtype`: what a type is called.
  if (type === 'regtype' && sql.words[first] === 'pg_typeof') {
    if (!meetsOid(sql, last + 1)) return void sql.replace(at, last, sql.isItem(first, last) ? ' AS pg_typeof' : '')
    sql.insertBefore(first, lookingUp({ from: 'pg_catalog.pg_type', key: 'format_type(oid, NULL)', value: 'oid' }))
    return void sql.replace(at, last, '))')
  }
  // A name, which is shown without the schema that plain names mean.
  if (type === 'regclass' && sql.words[first] === 'pg_get_serial_sequence' && !meetsOid(sql, last + 1)) {
    sql.insertBefore(first, 'regexp_replace(')
    const alias = sql.isItem(first, last) ? ' AS pg_get_serial_sequence' : ''
    return void sql.replace(at, last, `, ${quoteText(`^${seenSchema(sql.session) ?? ''}\\.`)}, '')${alias}`)
  }
  if (meetsOid(sql, last + 1)) sql.replace(at, last, '::UINTEGER')
  else if (type === 'regclass' && sql.words.slice(first, at).some((word) => /^(\|\||quote_ident|format)$/.test(word))) {
    // A name that is put together there.
    sql.insertBefore(first, lookingUp(relationOids(sql.session)))
    sql.replace(at, last, ')::VARCHAR)')
  } else if (type === 'regtype' && sql.words.slice(first, at).includes('||')) {
    sql.insertBefore(first, lookingUp(typeNames))
    sql.replace(at, last, '))')
  } else if (type === 'regtype') {
    sql.insertBefore(first, 'format_type(')
    sql.replace(at, last, ', NULL)')
  } else if (named) {
    sql.insertBefore(first, lookingUp(named))
    const called = isName(operand) ? operand.text : type
    sql.replace(at, last, `))${sql.isItem(first, last) ? ` AS ${called}` : ''}`)
  } else sql.replace(at, last, '::UINTEGER')
}

/** `$1::text::regtype`: a text is a name. */
function ofText(sql: EditedSql, at: number, last: number, type: string): boolean {
  if (sql.words[at - 2] !== '::' || !/^(text|varchar|name)$/.test(sql.words[at - 1]!)) return false
  const named = type === 'regtype' ? oidsOf.to_regtype : type === 'regclass' ? relationOids(sql.session) : undefined
  if (!named) return false
  sql.insertBefore(sql.operand(at - 3), lookingUp(named))
  return sql.replace(at, last, '))')
}

/** `= 'trigger'::regtype` stands here. */
function meetsOid(sql: EditedSql, from: number): boolean {
  let at = from
  while (/^[=<>!]+$/.test(sql.words[at] ?? '')) at++
  return (
    at > from && sql.tokens[at]?.kind === 'string' && sql.words[at + 1] === '::' && isOidAlias(sql.castEnd(at + 1).type)
  )
}

const relations = 'pg_catalog.boathouse_relation'

/** Tools name as many relations as a schema has (MikroORM): those of a long list are looked up in one place, so that none counts as a table. */
export function relationsOnce(sql: EditedSql): void {
  const asking = sql.edits.filter(({ text }) => text.includes(relations))
  const [first] = sql.words
  if (asking.length < manyRelations || (first !== 'select' && first !== 'with')) return
  for (const edit of asking) edit.text = edit.text.replaceAll(relations, 'bh_relations')
  const once = `bh_relations AS (SELECT * FROM ${relations})`
  if (first === 'select') sql.wrapBefore(0, `WITH ${once} `)
  else sql.wrapBefore(sql.words[1] === 'recursive' ? 2 : 1, `${once}, `)
}
const manyRelations = 20
