// Types of PostgreSQL that Iceberg has not: `jsonb`, `varchar(20)`, `smallint`. The column is kept as text or as a whole number,
// which every engine reads, and how it was declared is a property of the table, by field id. So clients are told the type that
// was declared, and what it does not hold is refused where rows are written here. Other engines know nothing of it.

import { Failure } from '../../base/failure.ts'
import type { Field, Schema, TableChange, TableMetadata, Type } from '../../iceberg/index.ts'
import { quoteText } from '../sql/tokens.ts'
import { parseSqlType, sqlType } from '../types.ts'
import { columnProperty } from './column-property.ts'

const property = columnProperty('type')

/** A table, or a view. */
type Described = Pick<TableMetadata, 'properties'>

/** As it is kept and told: `CHARACTER VARYING(20)`. */
export type DeclaredType = string

type Declaring = { type: Type; written: RegExp; declared(length: string | undefined): DeclaredType }
const wholeNumber: Type = { kind: 'decimal', precision: 38, scale: 0 }
const declaring: Declaring[] = [
  { type: { kind: 'string' }, written: /^json$/i, declared: () => 'JSON' },
  { type: { kind: 'string' }, written: /^jsonb$/i, declared: () => 'JSONB' },
  {
    type: { kind: 'string' },
    written: /^(?:varchar|char(?:acter)?\s+varying)\s*\(\s*(\d{1,8})\s*\)$/i,
    declared: (length) => `CHARACTER VARYING(${Number(length)})`,
  },
  {
    type: { kind: 'string' },
    written: /^(?:char|character|bpchar)\s*\(\s*(\d{1,8})\s*\)$/i,
    declared: (length) => `CHARACTER(${Number(length)})`,
  },
  {
    type: { kind: 'string' },
    written:
      /^interval(?:\s+(?:year|month|day|hour|minute|second)(?:\s+to\s+(?:month|day|hour|minute|second))?)?(?:\s*\(\s*\d\s*\))?$/i,
    declared: () => 'INTERVAL',
  },
  // DuckDB's has any length.
  { type: { kind: 'string' }, written: /^(?:bit|bitstring)$/i, declared: () => 'BIT' },
  { type: { kind: 'int' }, written: /^(?:smallint|int2)$/i, declared: () => 'SMALLINT' },
  // Above all that UBIGINT holds, too: what other engines add to the column need not fit that.
  { type: wholeNumber, written: /^(?:hugeint|int128|ubigint|uint64)$/i, declared: () => 'HUGEINT' },
]
/** Of these only clients of PostgreSQL mean something else than text. */
const openVarying = { written: /^(?:varchar|char(?:acter)?\s+varying)$/i, declared: 'CHARACTER VARYING' }

/** The type as it was written, if Iceberg has none like it. */
export function declaredOf(
  written: string,
  { postgres, run }: { postgres: boolean; run: boolean },
): { type: Type; declared: DeclaredType } | undefined {
  const text = written.trim()
  if (postgres && openVarying.written.test(text)) return { type: { kind: 'string' }, declared: openVarying.declared }
  for (const { type, written, declared } of declaring) {
    const match = written.exec(text)
    // DuckDB reads lengths and minds none: what projects write was made for that.
    if (match && !(run && match[1] !== undefined)) return { type, declared: declared(match[1]) }
  }
  return undefined
}

/** `FLOAT[3]`, as DuckDB says it: a list for every engine, of so many items. Lists of other types are read as what they are kept as. */
export function declaredArray(text: string): { type: Type; declared: DeclaredType } | undefined {
  const [, element, count] = /^([A-Z ]+|DECIMAL\(\d+,\d+\))\[([1-9]\d{0,5})\]$/.exec(text) ?? []
  if (element === undefined || element === 'JSON') return undefined
  const type = parseSqlType(text, '')
  return sqlType(type) === `${element}[]` ? { type, declared: `${element}[${count}]` } : undefined
}

const asKept = { postgres: true, run: false }

/** How a column was declared; undefined where that is its type, or not any more. */
export function declaredType(metadata: Described, { id, type }: Field): DeclaredType | undefined {
  const said = property.of(metadata, id)
  if (said === undefined) return undefined
  const known = declaredArray(said) ?? declaredOf(said, asKept)
  return known?.declared === said && sqlType(known.type) === sqlType(type) ? said : undefined
}

/** By the name of the column. */
export function declaredTypes(
  metadata: Described,
  { fields }: Pick<Schema, 'fields'>,
): ReadonlyMap<string, DeclaredType> {
  return new Map(
    fields.flatMap((field) => {
      const declared = declaredType(metadata, field)
      return declared === undefined ? [] : [[field.name, declared]]
    }),
  )
}

const isJson = (declared: DeclaredType): boolean => declared.startsWith('JSON')
const isArray = (declared: DeclaredType): boolean => declared.endsWith(']')
/** Kept as texts, for which DuckDB has a type of that name. */
const isOwnText = (declared: DeclaredType): boolean => declared === 'INTERVAL' || declared === 'BIT'
/** DuckDB has a type of that name, which says it all. */
const isOwn = (declared: DeclaredType): boolean => declared === 'HUGEINT' || isOwnText(declared) || isArray(declared)

/** DuckDB's type of a column that was declared so, if it has one. */
export const readType = (declared: DeclaredType): string | undefined =>
  isJson(declared) ? 'JSON' : isOwn(declared) ? declared : undefined

/** DuckDB's types of those columns that it has one for, by name. */
export const readTypes = (declared: ReadonlyMap<string, DeclaredType>): Map<string, string> =>
  new Map(
    [...declared].flatMap(([name, said]) => {
      const type = readType(said)
      return type === undefined ? [] : [[name, type]]
    }),
  )

/** How a column that a SELECT makes is declared, where DuckDB's type says more than what it is kept as. */
export const declaredByType = (type: string): DeclaredType | undefined =>
  type === 'JSON' || type === 'INTERVAL' || type === 'BIT'
    ? type
    : /^(?:HUGEINT|UBIGINT)$/.test(type)
      ? 'HUGEINT'
      : declaredArray(type)?.declared

/** The type by which a column is read that was made of one of this type. */
export function readAs(type: string, column: string): string {
  const declared = declaredByType(type)
  return (declared && readType(declared)) ?? sqlType(parseSqlType(type, column))
}

/** Nothing where it stays as it is. */
export function changeDeclared(
  metadata: TableMetadata,
  { id }: Field,
  declared: DeclaredType | undefined,
): TableChange {
  if (property.of(metadata, id) === declared) return { updates: [], requirements: [] }
  return property.change(metadata, id, declared)
}

/** Properties of a table or view that is made of a SELECT: `declared` are its columns, in their order. */
export function declarations(
  { fields }: Schema,
  declared: readonly (DeclaredType | undefined)[],
): Record<string, string> {
  return Object.fromEntries(
    fields.flatMap(({ id }, at) => (declared[at] === undefined ? [] : [[property.key(id), declared[at]]])),
  )
}

/** The properties that say something else of the columns than `now`. */
export const declarationsBefore = ({ properties }: Described, now: Readonly<Record<string, string>>): string[] =>
  Object.keys(properties).filter((key) => key.startsWith(property.key(0).slice(0, -1)) && !(key in now))

const lengthOf = (declared: DeclaredType) => /^(CHARACTER(?: VARYING)?)\((\d+)\)$/.exec(declared)

const lenient = String.raw`'(?i)nan|inf|,\s*[\]}]'`
const strings = String.raw`'"(?:[^"\\]|\\.)*"'`
/** Commas behind the last item, NaN and Infinity, which DuckDB reads as JSON and clients do not. Outside of texts, which are looked for only where need be. */
const isLenient = (value: string): string =>
  `(regexp_matches(${value}::VARCHAR, ${lenient}) AND regexp_matches(regexp_replace(${value}::VARCHAR, ${strings}, '', 'g'), ${lenient}))`

/** `value`, which costs nothing to be named several times, as the column holds it; the statement fails where it cannot. */
export function storedSql(
  value: string,
  { type, declared }: Pick<Field, 'type'> & { declared?: DeclaredType },
): string {
  const plain = `CAST(${value} AS ${sqlType(type)})`
  if (declared === undefined) return plain
  if (declared === 'SMALLINT') return `CAST(CAST(${value} AS SMALLINT) AS INTEGER)`
  if (isJson(declared)) {
    const wrong = `error(${quoteText(`invalid input syntax for type ${declared.toLowerCase()}: NaN, Infinity, or a comma behind the last item`)})`
    return `CASE WHEN ${isLenient(value)} THEN ${wrong} ELSE CAST(CAST(${value} AS JSON) AS VARCHAR) END`
  }
  if (isOwnText(declared) || isArray(declared)) return `CAST(CAST(${value} AS ${declared}) AS ${sqlType(type)})`
  const [, name, most] = lengthOf(declared) ?? []
  if (most === undefined) return plain
  const tooLong = `error(${quoteText(`value too long for type ${name!.toLowerCase()}(${most})`)})`
  // As the standard has it, blanks that are too many are no loss.
  return `CASE WHEN length(${plain}) <= ${most} OR ${value} IS NULL THEN ${plain} WHEN length(rtrim(${plain}, ' ')) <= ${most} THEN left(${plain}, ${most}) ELSE ${tooLong} END`
}

/** A condition for values of a column that the type does not hold; undefined where it holds all. */
export function unfitSql(column: string, declared: DeclaredType): string | undefined {
  if (declared === 'SMALLINT') return `${column} NOT BETWEEN -32768 AND 32767`
  if (isOwnText(declared)) return `(${column} IS NOT NULL AND TRY_CAST(${column} AS ${declared}) IS NULL)`
  if (isArray(declared)) return `len(${column}) <> ${/\d+(?=\]$)/.exec(declared)![0]}`
  if (isJson(declared)) return `(NOT json_valid(${column}) OR ${isLenient(column)})`
  const [, , most] = lengthOf(declared) ?? []
  return most === undefined ? undefined : `length(rtrim(${column}, ' ')) > ${most}`
}

const unfitStates: Record<DeclaredType, string> = {
  SMALLINT: '22003',
  JSON: '22P02',
  JSONB: '22P02',
  INTERVAL: '22007',
  BIT: '22P02',
}

/** For values that are there. */
export const unfit = (column: string, declared: DeclaredType): Failure =>
  new Failure('QUERY_FAILED', `column "${column}" has values that the type ${declared.toLowerCase()} does not hold`, {
    sqlState: unfitStates[declared] ?? (isArray(declared) ? '22000' : '22001'),
  })

// What becomes of a declared column in a SELECT nobody can tell but DuckDB, and it keeps no such types. So the statement is bound
// once more over shadows in which those columns have types that stay what they are where a column is only passed on, and become
// text where anything is made of it.

const markOfSmall = 'DECIMAL(5,0)'

/** The type of a column of a shadow that stands for the declared one. */
export const markedType = (declared: DeclaredType): string =>
  declared === 'SMALLINT' ? markOfSmall : isOwn(declared) ? declared : `ENUM(${quoteText(declared)})`

/** Whether DuckDB's own type does not say it. */
export const needsMark = (declared: DeclaredType): boolean => !isOwn(declared)

/** What a column of the bound statement was declared as, going by its mark. */
export function markedAs(type: string): DeclaredType | undefined {
  if (type === markOfSmall) return 'SMALLINT'
  const marked = /^ENUM\('([A-Z0-9 ()]+)'\)$/.exec(type)?.[1]
  return marked !== undefined && declaredOf(marked, asKept)?.declared === marked ? marked : undefined
}

/** Marks may stand where somebody wrote such a type: the column is then not of the type that declared ones are kept as. */
export const isKeptAs = (declared: DeclaredType, engineType: string): boolean =>
  engineType === (declared === 'SMALLINT' ? 'INTEGER' : 'VARCHAR') || (engineType === 'JSON' && isJson(declared))
