// How rows are placed in files: what a table is partitioned and sorted by, as it is written.

import type { NewPartitionField, Transform } from '../../iceberg/index.ts'
import { readWhole, Reader } from './reader.ts'

export type Ordering = NewPartitionField & { direction?: 'asc' | 'desc'; nullOrder?: 'nulls-first' | 'nulls-last' }

/** `region`, `day(at)`, `bucket(16, id)`, `truncate(4, name)`, in either order of arguments; `… AS name`. */
export function transformed(reader: Reader): NewPartitionField {
  const first = reader.path()
  const named = () => (reader.take('as') ? { name: reader.identifier('a partition field') } : {})
  if (!reader.takeSymbol('(')) return { column: first, transform: { kind: 'identity' }, ...named() }
  const kind = first.toLowerCase().replace(/s$/, '')
  const whole = () => reader.whole('a whole number')
  const isNumber = /^\d/.test(reader.peekText())
  const before = isNumber ? whole() : undefined
  if (before !== undefined) reader.expectSymbol(',')
  const column = reader.path()
  const after = before === undefined && reader.takeSymbol(',') ? whole() : before
  reader.expectSymbol(')')
  return {
    column,
    transform: transformOf(reader, kind, after),
    ...named(),
  }
}

function transformOf(reader: Reader, kind: string, number: number | undefined): Transform {
  const simple = {
    year: 'year',
    month: 'month',
    day: 'day',
    date: 'day',
    hour: 'hour',
    date_hour: 'hour',
    identity: 'identity',
    void: 'void',
  } as const
  if (kind in simple && number === undefined) return { kind: simple[kind as keyof typeof simple] }
  if (kind === 'bucket' && number) return { kind: 'bucket', buckets: number }
  if (kind === 'truncate' && number) return { kind: 'truncate', width: number }
  throw reader.invalid('expected year, month, day, hour, bucket(N, …) or truncate(N, …)')
}

export function ordering(reader: Reader): Ordering {
  const field = transformed(reader)
  const direction = reader.take('desc') ? 'desc' : reader.take('asc') ? 'asc' : undefined
  const nullOrder = reader.take('nulls', 'first')
    ? 'nulls-first'
    : reader.take('nulls', 'last')
      ? 'nulls-last'
      : undefined
  return { ...field, ...(direction && { direction }), ...(nullOrder && { nullOrder }) }
}

/** Orderings in a text of their own. @throws SQL_INVALID */
export const orderingsOf = (text: string): Ordering[] =>
  readWhole(text, (reader) => reader.separated(() => ordering(reader)))

/** The columns of `zorder(a, b)`, as Spark writes it; undefined for orderings. @throws SQL_INVALID */
export function curveOf(text: string): string[] | undefined {
  const reader = new Reader(text)
  if (!reader.sees('zorder') || !reader.isFollowedBy('(')) return undefined
  reader.take('zorder')
  const columns = reader.list(() => reader.path())
  reader.end()
  return columns
}

/** `a, b DESC`, in parentheses or not. */
export const orderings = (reader: Reader): Ordering[] =>
  reader.peek('(') ? reader.list(() => ordering(reader)) : reader.separated(() => ordering(reader))
