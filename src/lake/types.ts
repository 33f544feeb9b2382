// Iceberg's types and DuckDB's names for them.
//
// DuckDB has types that Iceberg has not. A written column is cast to the nearest type that loses nothing:
// HUGEINT (what sum() of integers gives) becomes decimal(38,0), enums and JSON become strings. Where there is none,
// the write is refused and says which column needs which cast.

import { unreachable } from '../base/assert.ts'
import { Failure } from '../base/failure.ts'
import {
  allFields,
  showValue,
  type Field,
  type NewField,
  type Schema,
  type Type,
  type Value,
} from '../iceberg/index.ts'
import type { EngineColumn } from '../engine/index.ts'
import { quoteName, quoteText } from './sql/tokens.ts'

/**
 * `DECIMAL(12,2)` for Iceberg's decimal(12,2). DuckDB has no zoned timestamp in nanoseconds: those show microseconds.
 * What is only read: a variant shows as JSON, a shape on the earth as its bytes (WKB).
 */
export function sqlType(type: Type): string {
  switch (type.kind) {
    case 'boolean':
      return 'BOOLEAN'
    case 'int':
      return 'INTEGER'
    case 'long':
      return 'BIGINT'
    case 'float':
      return 'FLOAT'
    case 'double':
      return 'DOUBLE'
    case 'decimal':
      return `DECIMAL(${type.precision},${type.scale})`
    case 'date':
      return 'DATE'
    case 'time':
      return 'TIME'
    case 'timestamp':
      return 'TIMESTAMP'
    case 'timestamptz':
    case 'timestamptz_ns':
      return 'TIMESTAMP WITH TIME ZONE'
    case 'timestamp_ns':
      return 'TIMESTAMP_NS'
    case 'string':
      return 'VARCHAR'
    case 'uuid':
      return 'UUID'
    case 'fixed':
    case 'binary':
    case 'geometry':
    case 'geography':
      return 'BLOB'
    case 'variant':
      return 'JSON'
    case 'unknown':
      return 'INTEGER' // what DuckDB makes of a NULL without a type
    case 'struct':
      return `STRUCT(${type.fields.map((field) => `${quoteName(field.name)} ${sqlType(field.type)}`).join(', ')})`
    case 'list':
      return `${sqlType(type.element)}[]`
    case 'map':
      return `MAP(${sqlType(type.key)}, ${sqlType(type.value)})`
    default:
      return unreachable(type)
  }
}

/** Types whose values are read, and not written here. */
export const isReadOnly = ({ kind }: Type): boolean => ['variant', 'geometry', 'geography'].includes(kind)

/** Why no row of the table is written here: a column that is only read. */
export function readOnlyColumn(schema: Schema): Failure | undefined {
  const found = [...allFields(schema)].find(({ type }) => isReadOnly(type))
  if (!found) return undefined
  return new Failure(
    'UNSUPPORTED',
    `the column "${found.path}" has the Iceberg type ${found.type.kind}, which is read and not written here`,
    { hint: 'Write rows of this table with the engine that made the column, or drop the column.' },
  )
}

/** A value of a primitive type as quoted text that DuckDB casts to the column's type. */
export function literalSql(type: Type, value: Value): string {
  if (!(value instanceof Uint8Array)) return quoteText(showValue(type, value))
  return quoteText(Array.from(value, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join(''))
}

/** As a type, not as the name of a field. */
const wide = /(?<!")\bU?HUGEINT\b(?!")/
const cut = /^(?:INTERVAL|TIME WITH TIME ZONE|UNION\(.*\))$/s

/**
 * The SELECT with whole numbers of 128 bits as decimals, at any depth: in Parquet they would be doubles, of sixteen digits.
 * `columns` are its own. `kept`: its rows become those of a table, which has intervals and times with a zone as text alone;
 * Parquet cuts them, too.
 */
export function forParquet(select: string, columns: readonly EngineColumn[], { kept = false } = {}): string {
  const casts = columns.flatMap(({ name, type }) => {
    const to = kept && cut.test(type) ? 'VARCHAR' : type.replaceAll(new RegExp(wide, 'g'), 'DECIMAL(38,0)')
    return to === type ? [] : [`CAST(${quoteName(name)} AS ${to}) AS ${quoteName(name)}`]
  })
  return casts.length === 0 ? select : `SELECT * REPLACE (${casts.join(', ')}) FROM (${select}\n) AS whole`
}

const simple: Record<string, [Type['kind'], string?]> = {
  BOOLEAN: ['boolean'],
  INTEGER: ['int'],
  BIGINT: ['long'],
  FLOAT: ['float'],
  DOUBLE: ['double'],
  DATE: ['date'],
  TIME: ['time'],
  TIMESTAMP: ['timestamp'],
  'TIMESTAMP WITH TIME ZONE': ['timestamptz'],
  VARCHAR: ['string'],
  UUID: ['uuid'],
  BLOB: ['binary'],
  TINYINT: ['int', 'INTEGER'],
  SMALLINT: ['int', 'INTEGER'],
  UTINYINT: ['int', 'INTEGER'],
  USMALLINT: ['int', 'INTEGER'],
  UINTEGER: ['long', 'BIGINT'],
  TIMESTAMP_S: ['timestamp', 'TIMESTAMP'],
  TIMESTAMP_MS: ['timestamp', 'TIMESTAMP'],
  TIMESTAMP_NS: ['timestamp_ns'],
  JSON: ['string', 'VARCHAR'],
  BIT: ['string', 'VARCHAR'],
  SQLNULL: ['int', 'INTEGER'],
  '"NULL"': ['int', 'INTEGER'],
  NULL: ['int', 'INTEGER'],
}

/** What a column of a SELECT becomes in a table: the Iceberg field and the DuckDB type to cast it to. */
export function writtenColumn({ name, type }: EngineColumn): { field: NewField; castTo: string } {
  if (type === 'INTERVAL') return { field: { name, type: { kind: 'string' } }, castTo: 'VARCHAR' }
  const icebergType = parseSqlType(type, name)
  return { field: { name, type: icebergType }, castTo: sqlType(icebergType) }
}

/** DuckDB's type name as an Iceberg type. Ids of nested fields are 0 until a schema gives them. */
export function parseSqlType(text: string, column: string): Type {
  const reader = new TypeReader(text, column)
  const type = reader.type()
  reader.end()
  return type
}

class TypeReader {
  readonly #text: string
  readonly #column: string
  #at = 0
  constructor(text: string, column: string) {
    this.#text = text
    this.#column = column
  }

  type(): Type {
    let type = this.#base()
    for (let list = this.#take(/\[\d*\]/y); list; list = this.#take(/\[\d*\]/y))
      type = { kind: 'list', elementId: 0, elementRequired: false, element: type }
    return type
  }

  end() {
    if (this.#at < this.#text.length) throw this.#unknown()
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match) this.#at = pattern.lastIndex
    return match ?? undefined
  }

  #base(): Type {
    const decimal = this.#take(/DECIMAL\((\d+), ?(\d+)\)/y)
    if (decimal) return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) }
    if (this.#take(/(HUGEINT|UBIGINT|BIGNUM)\b/y)) return { kind: 'decimal', precision: 38, scale: 0 }
    if (this.#take(/ENUM\((?:'(?:[^']|'')*'(?:, )?)*\)/y)) return { kind: 'string' }
    if (this.#take(/STRUCT\(/y)) {
      const fields: Field[] = []
      while (!this.#take(/\)/y)) {
        const name = this.#take(/"((?:[^"]|"")*)" |([^\s"(),]+) /y)
        if (!name) throw this.#unknown()
        fields.push({ id: 0, name: name[1]?.replaceAll('""', '"') ?? name[2]!, required: false, type: this.type() })
        this.#take(/, ?/y)
      }
      return { kind: 'struct', fields }
    }
    if (this.#take(/MAP\(/y)) {
      const key = this.type()
      if (!this.#take(/, ?/y)) throw this.#unknown()
      const value = this.type()
      if (!this.#take(/\)/y)) throw this.#unknown()
      return { kind: 'map', keyId: 0, key, valueId: 0, valueRequired: false, value }
    }
    const word = this.#take(/TIMESTAMP WITH TIME ZONE|"NULL"|[A-Z_]+/y)?.[0]
    const known = word === undefined ? undefined : simple[word]
    if (!known) throw this.#unknown()
    return { kind: known[0] } as Type
  }

  #unknown() {
    return new Failure(
      'UNSUPPORTED',
      `column "${this.#column}" has the type ${this.#text}, which a table cannot hold`,
      {
        hint: 'Cast it in the SELECT, for example `column::VARCHAR`.',
      },
    )
  }
}
