// The time zone of whoever asks, and what it must not decide. It says which days and hours there are in what they wrote; a
// row filter that speaks of days (`published <= current_date`) would show more of them by a zone farther east. So a statement
// runs in the zone of the project when anything in it that hides rows or values might mean something else in another one.

import type { Field, Type } from '../../iceberg/index.ts'
import type { Piece } from '../sources.ts'
import { nameOf, tokens } from '../sql/tokens.ts'

/** Of words in a condition: functions, types and keywords of times, and what means columns that it does not name. */
const ofTimes = /date|time|now|today|zone|epoch|strp|strf|age$|year|month|week|day|hour|minute|^columns$|^_(all|then)$/i

type Texts = readonly Pick<Piece, 'sql' | 'tables'>[]
type Fields = readonly Pick<Field, 'name' | 'type'>[]

/**
 * Whether conditions, masks or the text of a view may mean something else in another zone. `fields`: of what they are about.
 * What reads tables of its own may call a moment by any name, or have it in a whole row: then it is enough that there is one.
 */
export function mayDependOnZone(texts: Texts, fields: Fields = []): boolean {
  const instants = new Set(fields.flatMap(({ name, type }) => (holdsInstant(type) ? [name.toLowerCase()] : [])))
  return texts.some(
    ({ sql, tables }) =>
      (tables.length > 0 && instants.size > 0) ||
      speaksOf(sql, instants) ||
      tables.some(({ source }) =>
        source.kind === 'scan'
          ? source.schema.fields.some(({ type }) => holdsInstant(type))
          : source.kind !== 'values' && (source.kind !== 'view' || mayDependOnZone([source.piece])),
      ),
  )
}

function speaksOf(sql: string, names: ReadonlySet<string>): boolean {
  const words = [...tokens(sql)].filter(({ kind }) => kind === 'word' || kind === 'quoted').map(nameOf)
  return words.some((word) => ofTimes.test(word) || names.has(word.toLowerCase()))
}

function holdsInstant(type: Type): boolean {
  switch (type.kind) {
    case 'timestamptz':
    case 'timestamptz_ns':
      return true
    case 'struct':
      return type.fields.some((field) => holdsInstant(field.type))
    case 'list':
      return holdsInstant(type.element)
    case 'map':
      return holdsInstant(type.key) || holdsInstant(type.value)
    default:
      return false
  }
}

/** For a request to an engine. */
export const zoneOf = ({ timeZone }: { timeZone: string | undefined }): { timeZone?: string } =>
  timeZone === undefined ? {} : { timeZone }
