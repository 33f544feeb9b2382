// Columns as statements define them: their types, and what they have where a statement leaves them out.

import { Failure } from '../../base/failure.ts'
import type { NewField, Type, Value } from '../../iceberg/index.ts'
import { compose } from '../sql/compose.ts'
import type { Piece } from '../sql/reader.ts'
import type { ColumnDefinition, Identity } from '../sql/statement.ts'
import { quoteName } from '../sql/tokens.ts'
import { parseSqlType, sqlType } from '../types.ts'
import { computedDefault } from './computed-defaults.ts'
import { declaredOf, type DeclaredType } from './declared-types.ts'
import { located, type PerformContext } from './perform-context.ts'
import { listOf, spanOf } from './postgres-texts.ts'
import { parseBound } from './write.ts'

export async function newFields(
  columns: readonly ColumnDefinition[],
  context: PerformContext,
): Promise<{
  fields: NewField[]
  defaults: Map<string, Value>
  computed: Map<string, string>
  declared: Map<string, DeclaredType>
}> {
  const fields: NewField[] = []
  const declaredAs = new Map<string, DeclaredType>()
  const defaults = new Map<string, Value>()
  const computed = new Map<string, string>()
  for (const { name, type: written, required, default: value, comment, identity } of columns) {
    const { type, declared } = await typeOf(written, name, context)
    if (declared !== undefined) declaredAs.set(name, declared)
    if (identity) checkNumbered(type, name)
    const given = value && (await defaultOf(value, { type, declared }, name, context))
    if (given?.computed !== undefined) computed.set(name, given.computed)
    const constant = given?.constant
    fields.push({ name, type, required, ...(comment === undefined ? {} : { doc: comment }) })
    if (constant !== undefined) defaults.set(name, constant)
  }
  return { fields, defaults, computed, declared: declaredAs }
}

/** What a column is given where a statement leaves it out: a constant of Iceberg's, or what is computed, to which lists count. */
export async function defaultOf(
  value: Piece,
  { type, declared }: { type: Type; declared?: DeclaredType | undefined },
  column: string,
  context: PerformContext,
): Promise<{ constant?: Value | undefined; computed?: string | undefined }> {
  const computed = computedAt(value, context)
  if (computed !== undefined) return { computed }
  if (type.kind === 'list' && !['list', 'struct', 'map'].includes(type.element.kind))
    return { computed: await itemsAt(value, type, context) }
  const meant = declared === 'INTERVAL' && context.postgres ? spanOf(value.sql) : undefined
  const written = meant === undefined ? value : { ...value, sql: meant }
  return { constant: await constantOf(written, { type, declared }, column, context) }
}

/** A list, as JSON of the texts of its items. */
async function itemsAt(value: Piece, type: Type, context: PerformContext): Promise<string | undefined> {
  const given = { ...value, sql: (context.postgres && listOf(value.sql, type)) || value.sql }
  const text = compose`SELECT CAST(to_json(CAST(CAST((${given}) AS ${sqlType(type)}) AS VARCHAR[])) AS VARCHAR)`
  const [[items] = []] = await located(text, context.at, context.rows(text.sql))
  return typeof items === 'string' ? items : undefined
}

function computedAt(value: Piece, { at }: PerformContext): string | undefined {
  try {
    return computedDefault(value)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw error.with({ place: at(value.start) })
  }
}

/** Of a default by a sequence: the namespace and name of that. */
export async function boundIdentity(identity: Identity, { sequence }: PerformContext): Promise<Identity> {
  return identity.sequence ? { ...identity, sequence: await sequence(identity.sequence) } : identity
}

export function checkNumbered({ kind }: Type, column: string): void {
  if (kind !== 'int' && kind !== 'long')
    throw new Failure('SQL_INVALID', `${column} cannot number its rows: its type is none of whole numbers`)
}

export async function typeOf(
  written: Piece,
  column: string,
  context: PerformContext,
): Promise<{ type: Type; declared?: DeclaredType }> {
  const declared = declaredOf(written.sql, context)
  if (declared) return declared
  const foreign = elsewhere.exec(written.sql.trim())?.[0].toLowerCase()
  if (foreign !== undefined)
    throw new Failure('SQL_UNSUPPORTED', `the type ${foreign} of "${column}" is not supported`, {
      place: context.at(written.start),
      hint: 'Write text, which orders and compares letter by letter, or a type for each part of it.',
    })
  const known = { ...written, sql: inDuckDb(written.sql) }
  const text = compose`SELECT CAST(NULL AS ${known}) AS ${quoteName(column)}`
  const [bound] = await located(text, context.at, context.bind(text.sql))
  // What a SELECT gives of this type is kept as text; here somebody counts on it that other texts are refused.
  if (/\bENUM\(/.test(bound!.type))
    throw new Failure('SQL_UNSUPPORTED', `column "${column}" would take some texts alone, which is not supported`, {
      place: context.at(written.start),
      hint: 'Write VARCHAR: other engines write tables too, and nothing would hold them to it; test for it in the project instead.',
    })
  return { type: parseSqlType(bound!.type, column) }
}

/** Types of PostgreSQL and its extensions that have an order, or operators, of their own. */
const elsewhere =
  /^(inet|cidr|macaddr8?|tsvector|tsquery|xml|money|varbit|point|line|lseg|box|polygon|circle|(int[48]|num|ts|tstz|date)(multi)?range|hstore|ltree|vector|pg_lsn)\b/i

/** Types that others have names of their own for, at any depth; each part stays at its place. */
const inDuckDb = (type: string): string =>
  others.reduce((text, [name, duck]) => text.replace(name, (found) => duck.padEnd(found.length)), type)
const others: readonly (readonly [RegExp, string])[] = [
  [/\bjsonb\b/gi, 'JSON'],
  [/\btimestamp_ntz(?=\s*(?:[[\],)]|$))/gi, 'TIMESTAMP'],
  [/\btimestamp_ltz(?=\s*(?:[[\],)]|$))/gi, 'TIMESTAMPTZ'],
  [/\bbyte(?=\s*(?:[[\],)]|$))/gi, 'INT1'],
  // Microseconds are kept, however many digits are written.
  [/\btimestamp\s*\(\s*\d+\s*\)(?=\s+with(?:out)?\s+time\s+zone\b)/gi, 'TIMESTAMP'],
  [/\btimestamptz\s*\(\s*\d+\s*\)/gi, 'TIMESTAMPTZ'],
  [/\btime\s*\(\s*\d+\s*\)/gi, 'TIME'],
]

export async function constantOf(
  written: Piece,
  { type, declared }: { type: Type; declared?: DeclaredType | undefined },
  column: string,
  context: PerformContext,
): Promise<Value | undefined> {
  const meant = declared === 'INTERVAL' ? declared : declared?.startsWith('JSON') ? 'JSON' : undefined
  const read = meant ? compose`CAST((${written}) AS ${meant})` : compose`(${written})`
  const cast = compose`CAST(${read} AS ${sqlType(type)})`
  const isBytes = type.kind === 'binary' || type.kind === 'fixed'
  const text = compose`SELECT ${isBytes ? compose`hex(${cast})` : compose`CAST(${cast} AS VARCHAR)`}`
  const [[value] = []] = await located(text, context.at, context.rows(text.sql))
  if (value === null) return undefined
  const constant = parseBound(String(value), type)
  if (constant === undefined)
    throw new Failure('SQL_UNSUPPORTED', `a default for "${column}" of the type ${sqlType(type)} cannot be kept`, {
      place: context.at(written.start),
    })
  return constant
}
