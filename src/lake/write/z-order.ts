// Rows along a curve through several columns (z-order): files then hold narrow ranges of each of them, not of the first alone,
// and conditions on any of them leave files out.
//
// Each value becomes a whole number of so many bits, by where it lies between the least and the greatest of the rows; the
// bits of all columns, the highest of each first, are one number, and rows are sorted by it.

import { Failure } from '../../base/failure.ts'
import type { Engine } from '../../engine/index.ts'
import { findField, type Schema, type Type } from '../../iceberg/index.ts'
import { quoteName } from '../sql/tokens.ts'
import { isReadOnly } from '../types.ts'

/** All bits are in one BIGINT: with HUGEINT sorting takes five times as long. */
const [bitsAll, bitsMax, columnsMax] = [62, 16, 8]
/** So many bytes of a text are told apart, behind what all of them begin with: a DOUBLE holds them exactly. */
const textBytes = 6

type Column = { sql: string; type: Type }

/** @throws REQUEST_INVALID for columns that are not there, twice there, or cannot be ordered */
export function curveColumns(schema: Schema, names: readonly string[]): Column[] {
  const invalid = (why: string) => new Failure('REQUEST_INVALID', `zorder(${names.join(', ')}): ${why}`)
  if (names.length > columnsMax) throw invalid(`up to ${columnsMax} columns make a curve`)
  if (new Set(names.map((name) => name.toLowerCase())).size < names.length) throw invalid('a column is named twice')
  return names.map((name) => {
    const field = findField(schema, name)
    if (!field) throw invalid(`the table has no column ${name}`)
    if (field.repeated || !isPlaced(field.type)) throw invalid(`rows cannot be placed by ${field.type.kind}: ${name}`)
    return { sql: field.path.split('.').map(quoteName).join('.'), type: field.type }
  })
}

const isPlaced = (type: Type) => !isReadOnly(type) && !['struct', 'list', 'map', 'unknown'].includes(type.kind)
const isText = ({ kind }: Type) => ['string', 'binary', 'fixed', 'uuid'].includes(kind)

/** What to sort the rows of `from` by. */
export async function curveTerm(
  engine: Engine,
  from: string,
  columns: readonly Column[],
  signal: AbortSignal | undefined,
): Promise<string> {
  const ask = async (sql: string) => (await engine.rows({ class: 'write', sql, ...(signal && { signal }) }))[0]!
  const texts = columns.filter(({ type }) => isText(type))
  const ends = texts.flatMap((column) => [`min(${hexOf(column)})`, `max(${hexOf(column)})`])
  const found = texts.length === 0 ? [] : await ask(`SELECT ${ends.join(', ')} FROM ${from} AS rows_to_sort`)
  const numbers = columns.map((column) => {
    if (!isText(column.type)) return numberOf(column)
    const at = 2 * texts.indexOf(column)
    return textNumber(column, sharedBytes(String(found[at] ?? ''), String(found[at + 1] ?? '')))
  })
  const range = numbers.flatMap((sql) => ['min', 'max'].map((end) => `${end}(${sql}) FILTER (isfinite(${sql}))`))
  const limits = await ask(`SELECT ${range.join(', ')} FROM ${from} AS rows_to_sort`)
  const bitsEach = Math.min(bitsMax, Math.floor(bitsAll / columns.length))
  const cells = numbers.map((sql, index) =>
    cell(sql, Number(limits[2 * index] ?? 0), Number(limits[2 * index + 1] ?? 0), 2 ** bitsEach - 1),
  )
  return interleaved(cells, bitsEach)
}

function numberOf({ sql, type }: Column): string {
  switch (type.kind) {
    case 'boolean':
      return `CAST(CAST(${sql} AS INTEGER) AS DOUBLE)`
    case 'date':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return `CAST(date_part('epoch', ${sql}) AS DOUBLE)`
    default:
      return `CAST(${sql} AS DOUBLE)`
  }
}

/** Bytes in the order of their values. */
const hexOf = ({ sql, type }: Column) =>
  type.kind === 'uuid' ? `replace(CAST(${sql} AS VARCHAR), '-', '')` : `lower(hex(${sql}))`
const textNumber = (column: Column, skip: number) =>
  `CAST(CAST('0x' || rpad(substr(${hexOf(column)}, ${2 * skip + 1}, ${2 * textBytes}), ${2 * textBytes}, '0') AS UBIGINT) AS DOUBLE)`
function sharedBytes(least: string, greatest: string): number {
  let shared = 0
  while (shared < least.length && least[shared] === greatest[shared]) shared++
  return shared >> 1
}

/** 0 for the least and for null, all bits for the greatest, for what has no end and for what is no number. */
function cell(sql: string, least: number, greatest: number, last: number): string {
  const scaled = greatest > least ? `(${sql} - ${least}) / ${greatest - least} * ${last}` : '0'
  const whole = `CAST(least(greatest(floor(${scaled}), 0), ${last}) AS BIGINT)`
  return `CASE WHEN ${sql} IS NULL OR ${sql} = '-inf'::DOUBLE THEN 0 WHEN isfinite(${sql}) THEN ${whole} ELSE ${last} END`
}

/** DuckDB works each cell out once, however often it stands there. */
function interleaved(cells: readonly string[], bitsEach: number): string {
  const bits = cells.flatMap((cell, index) =>
    Array.from({ length: bitsEach }, (_, bit) => {
      const place = bit * cells.length + (cells.length - 1 - index)
      return `(((${cell} >> ${bit}) & 1) << ${place})`
    }),
  )
  return bits.join(' | ')
}
