// Columns that number their rows: `serial`, `GENERATED … AS IDENTITY`. Iceberg's defaults are constants, so which columns do is
// a property of the table, by field id. Who inserts takes as many numbers as rows come, all above those in the table's files:
// what other engines wrote, or somebody gave, is not given again.

import type { Loaded, LoadedTable, TableName } from '../../catalog/index.ts'
import {
  currentSchema,
  decodeBound,
  planScan,
  type Field,
  type ReadOptions,
  type TableChange,
  type TableMetadata,
} from '../../iceberg/index.ts'
import type { FileIO } from '../../io/index.ts'
import type { Identity } from '../sql/statement.ts'
import { columnProperty } from './column-property.ts'

const property = columnProperty('identity')

export type NumberedField = Identity & { field: Field }

export function numberedFields(metadata: TableMetadata): NumberedField[] {
  return currentSchema(metadata).fields.flatMap((field): NumberedField[] => {
    const said = property.of(metadata, field.id) ?? ''
    const isWhole = field.type.kind === 'int' || field.type.kind === 'long'
    if (!isWhole) return []
    const sequence = /^by default of (\["(?:[^"\\]|\\.)+","(?:[^"\\]|\\.)+"\])$/.exec(said)?.[1]
    if (sequence !== undefined) return [{ field, always: false, from: 1, sequence: JSON.parse(sequence) as string[] }]
    const own = /^(always|by default) from (\d{1,9})( as serial)?$/.exec(said)
    if (!own) return []
    return [{ field, always: own[1] === 'always', from: Number(own[2]), ...(own[3] ? { serial: true as const } : {}) }]
  })
}

export const changeIdentity = (metadata: TableMetadata, { id }: Field, identity: Identity | undefined): TableChange =>
  property.change(metadata, id, identity && textOf(identity))

const textOf = ({ always, from, serial, sequence }: Identity): string =>
  sequence
    ? `by default of ${JSON.stringify(sequence)}`
    : `${always ? 'always' : 'by default'} from ${from}${serial ? ' as serial' : ''}`

/** What PostgreSQL calls the sequence of a column that numbers its rows. */
export const ownSequence = (table: string, column: string): string => `${table}_${column}_seq`

/** A table with a column whose own sequence is called so: `t_id_seq`. */
export async function ownerOf(
  name: TableName,
  load: (name: TableName) => Promise<Loaded | undefined>,
): Promise<{ table: LoadedTable; column: NumberedField } | undefined> {
  const words = name.name.split('_')
  for (let at = 1; at < words.length - 1; at++) {
    const table = await load({ ...name, name: words.slice(0, at).join('_') })
    if (table?.kind !== 'table') continue
    const column = numberedFields(table.metadata).find(
      (one) => !one.sequence && ownSequence(table.name.name, one.field.name) === name.name,
    )
    if (column) return { table, column }
  }
  return undefined
}

/** The numbers that a column may be given: below 2^63 - 1 stays one for what comes next. */
export const mostOf = ({ type }: Field): bigint => (type.kind === 'int' ? 2n ** 31n - 1n : 2n ** 63n - 2n)

/** For a row, its number of those that were taken; it fails for one that came when all were given. `over`: what is counted by. */
export function numberOfRow(first: bigint, count: bigint, { increment = 1n, over = '' } = {}): string {
  const row = `row_number() OVER (${over})`
  const more = `CAST(concat('other rows came than numbers were taken for, run the statement again: ', ${row}) AS BIGINT)`
  return `(CASE WHEN ${row} <= ${count} THEN CAST(${first} AS BIGINT) + CAST(${increment} AS BIGINT) * (${row} - 1) ELSE ${more} END)`
}

/** The first number that a column may give: above all that it holds. */
export async function leastOf(
  { field, from }: Pick<NumberedField, 'field' | 'from'>,
  metadata: TableMetadata,
  io: FileIO,
  options: ReadOptions,
): Promise<bigint> {
  const above = (await aboveAll(io, metadata, field, options)) ?? 0n
  return above > from ? above : BigInt(from)
}

/** The number above all of a column, as the bounds of its files have it; undefined where there is none. */
export async function aboveAll(
  io: FileIO,
  metadata: TableMetadata,
  field: Field,
  options: ReadOptions,
): Promise<bigint | undefined> {
  const { files } = await planScan(io, metadata, options)
  const bounds = files.flatMap(({ file }) => {
    const bytes = file.upperBounds?.get(field.id)
    return bytes ? [BigInt(decodeBound(field.type, bytes) as number | bigint)] : []
  })
  return bounds.length === 0 ? undefined : bounds.reduce((most, one) => (one > most ? one : most)) + 1n
}
