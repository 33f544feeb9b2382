// Values and names of people → SQL text. The only place where text from outside enters a statement.
//
// A value is written by the type of its dimension and never by what it looks like: a string is quoted whatever it holds,
// a number must be one from end to end. So no value can end its literal.

import { Failure } from '../base/failure.ts'
import { isDay } from './days.ts'
import type { Dimension } from './model.ts'

type Scalar = string | number | boolean | null

/** `"order_date"`, with quotes inside doubled. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** `staging.stg_sales` is `"staging"."stg_sales"`. */
export const tableName = (table: string): string => table.split('.').map(identifier).join('.')

/** `'it''s'`. */
export const text = (value: string): string => `'${value.replaceAll("'", "''")}'`

/** `DATE '2024-01-31'`. */
export const dateLiteral = (day: string): string => `DATE '${day}'`

/** The value as a literal of the dimension's type. @throws REQUEST_INVALID when it is not a value of that type */
export function literal(value: Exclude<Scalar, null>, dimension: Pick<Dimension, 'name' | 'type'>): string {
  const words = String(value)
  const refuse = (example: string): never => {
    const message = `${JSON.stringify(value)} is not a ${dimension.type}, as "${dimension.name}" needs; for example ${example}`
    throw new Failure('REQUEST_INVALID', message, { value, dimension: dimension.name })
  }
  switch (dimension.type) {
    case 'string':
      if (words.includes('\0')) refuse('text without a NUL character')
      return text(words)
    case 'number':
      return /^-?(\d{1,38}(\.\d{1,38})?|\.\d{1,38})([eE][+-]?\d{1,3})?$/.test(words) ? words : refuse('12.5')
    case 'boolean':
      return /^(true|false)$/i.test(words) ? words.toUpperCase() : refuse('true')
    case 'date':
      return isDay(words) ? dateLiteral(words) : refuse('2024-01-31')
    case 'timestamp': {
      const match = /^(\d{4}-\d\d-\d\d)(?:[ T]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(\.\d{1,6})?)?)?$/.exec(words)
      if (!match || !isDay(match[1]!)) return refuse('2024-01-31 12:00:00')
      const [, day, hour = '00', minute = '00', second = '00', fraction = ''] = match
      return `TIMESTAMP '${day} ${hour}:${minute}:${second}${fraction}'`
    }
  }
}
