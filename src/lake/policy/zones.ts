// The time zone of whoever asks, and what it must not decide. It says which days and hours there are in what they wrote; a
// row filter that speaks of days (`published <= current_date`) would show more of them by a zone farther east. So a statement
// runs in the zone of the project when anything in it that hides rows or values might mean something else in another one.

import type { Field, Type } from '../../iceberg/index.ts'
import type { Piece } from '../sources.ts'
import { nameOf, tokens } from '../sql/tokens.ts'

/** Of words in a condition: functions, types and keywords of times, and what means columns that it does not name. */
const ofTimes = /date|time|now|today|zone|epoch|strp|strf|age$|year|month|week|day|hour|minute|columns/i

/** Whether conditions, masks or the text of a view may mean something else in another zone. `fields`: of what they are about. */
export function mayDependOnZone(
  texts: readonly Pick<Piece, 'sql' | 'tables'>[],
  fields: readonly Pick<Field, 'name' | 'type'>[] = [],
): boolean {
  const instants = new Set<string>()
  const note = (all: typeof fields) => {
    for (const { name, type } of all) if (holdsInstant(type)) instants.add(name.toLowerCase())
  }
  note(fields)
  const written: string[] = []
  const visit = ({ sql, tables }: Pick<Piece, 'sql' | 'tables'>): void => {
    written.push(sql)
    for (const { source } of tables)
      if (source.kind === 'scan') note(source.schema.fields)
      else if (source.kind === 'view') visit(source.piece)
  }
  texts.forEach(visit)
  return written.some((sql) =>
    [...tokens(sql)].some(
      (token) =>
        (token.kind === 'word' && ofTimes.test(token.text)) ||
        ((token.kind === 'word' || token.kind === 'quoted') && instants.has(nameOf(token).toLowerCase())),
    ),
  )
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
