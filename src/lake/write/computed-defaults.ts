// Defaults that are another value for each row or statement: `now()`, `gen_random_uuid()`. Iceberg's are constants, and the
// moment at which a table was made is not what anybody means by `DEFAULT now()`. So which one a column has is a property of the
// table, by field id, and statements that leave the column out compute it. Only those of this list are: what somebody else wrote
// is never run with the rights of whoever inserts.

import { Failure } from '../../base/failure.ts'
import { currentSchema, type Field, type Schema, type TableChange, type TableMetadata } from '../../iceberg/index.ts'
import { volatileFunctions } from '../sql/functions.ts'
import type { Piece } from '../sql/reader.ts'
import { quoteText, tokens } from '../sql/tokens.ts'
import { sqlType } from '../types.ts'
import { columnProperty } from './column-property.ts'
import { declaredType, type DeclaredType } from './declared-types.ts'

const property = columnProperty('default')

/** By what is kept, how people write it: in small letters, without blanks, casts and parentheses around it. */
const spellings: Record<string, RegExp> = {
  'now()': /^(now|transaction_timestamp|statement_timestamp|clock_timestamp|get_current_timestamp)\(\)$/,
  // The same moment, told as it was written: tools compare the two.
  current_timestamp: /^current_timestamp(\(\d\))?$/,
  localtimestamp: /^localtimestamp(\(\d\))?$/,
  "timezone('UTC', now())":
    /^((now\(\)|current_timestamp(\(\d\))?)attimezone'utc'|timezone\('utc',(now\(\)|current_timestamp)\))$/,
  current_date: /^(current_date|today\(\))$/,
  localtime: /^(localtime|current_time)(\(\d\))?$/,
  'gen_random_uuid()': /^(gen_random_uuid|uuid|uuidv4|uuid_generate_v4)\(\)$/,
  'uuidv7()': /^uuidv7\(\)$/,
  'random()': /^random\(\)$/,
}

/** What is computed for each row; undefined for a constant. @throws SQL_UNSUPPORTED for another that changes */
export function computedDefault({ sql }: Pick<Piece, 'sql'>): string | undefined {
  const words = [...tokens(sql)].map(({ text }) => text.toLowerCase())
  while (words[0] === '(' && words.at(-1) === ')') words.splice(0, words.length, ...words.slice(1, -1))
  const cast = words.lastIndexOf('::')
  const written = (cast > 0 ? words.slice(0, cast) : words).join('')
  const known = Object.keys(spellings).find((one) => spellings[one]!.test(written))
  if (known) return known
  const changing = words.find((word) => volatileFunctions.has(word))
  if (changing === undefined) return undefined
  throw new Failure('SQL_UNSUPPORTED', `a default with ${changing} would be another each time, and cannot be kept`, {
    hint: `Known are ${Object.keys(spellings).join(', ')}. Give other values with each INSERT.`,
  })
}

/** The items of a list that is a default, as it is kept: JSON of their texts. */
function itemsOf(kept: string): (string | null)[] | undefined {
  try {
    const items: unknown = kept.startsWith('[') ? JSON.parse(kept) : undefined
    const isList = Array.isArray(items) && items.every((one) => one === null || typeof one === 'string')
    return isList ? (items as (string | null)[]) : undefined
  } catch {
    return undefined // somebody else wrote it
  }
}

/** A column with what it is given where a statement leaves it out, and what it may hold. */
export type WrittenField = Field & {
  computed?: string
  /** Of a list that it is given: Iceberg's own defaults are no lists. */
  items?: readonly (string | null)[]
  declared?: DeclaredType
}

/** What a column is given where a statement leaves it out, besides Iceberg's own defaults. */
export function computedOf(
  metadata: TableMetadata,
  { id, type }: Pick<Field, 'id' | 'type'>,
): Pick<WrittenField, 'computed' | 'items'> {
  const sql = property.of(metadata, id)
  if (sql === undefined) return {}
  const items = type.kind === 'list' ? itemsOf(sql) : undefined
  if (items) {
    const list = items.map((one) => (one === null ? 'NULL' : quoteText(one))).join(', ')
    return { items, computed: `CAST(CAST([${list}] AS VARCHAR[]) AS ${sqlType(type)})` }
  }
  return Object.hasOwn(spellings, sql) ? { computed: sql } : {}
}

/** The columns of a table as statements write them: `WrittenField`s. */
export function writtenSchema(metadata: TableMetadata): Schema {
  const schema = currentSchema(metadata)
  return {
    ...schema,
    fields: schema.fields.map((field): WrittenField => {
      const declared = declaredType(metadata, field)
      return { ...field, ...computedOf(metadata, field), ...(declared === undefined ? {} : { declared }) }
    }),
  }
}

export const changeComputedDefault: (metadata: TableMetadata, fieldId: number, sql: string | undefined) => TableChange =
  property.change
