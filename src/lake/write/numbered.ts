// Columns that number their rows: `serial`, `GENERATED … AS IDENTITY`. Iceberg's defaults are constants, so which columns do is
// a property of the table, by field id. Who inserts takes as many numbers as rows come, all above those in the table's files:
// what other engines wrote, or somebody gave, is not given again.

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
  return currentSchema(metadata).fields.flatMap((field) => {
    const said = /^(always|by default) from (\d{1,9})$/.exec(property.of(metadata, field.id) ?? '')
    const isWhole = field.type.kind === 'int' || field.type.kind === 'long'
    return said && isWhole ? [{ field, always: said[1] === 'always', from: Number(said[2]) }] : []
  })
}

export const changeIdentity = (metadata: TableMetadata, { id }: Field, identity: Identity | undefined): TableChange =>
  property.change(metadata, id, identity && `${identity.always ? 'always' : 'by default'} from ${identity.from}`)

/** The number above all of a column, as the bounds of its files have it; undefined where there is none. */
export async function aboveAll(
  io: FileIO,
  metadata: TableMetadata,
  field: Field,
  options: ReadOptions,
): Promise<number | undefined> {
  const { files } = await planScan(io, metadata, options)
  const bounds = files.flatMap(({ file }) => {
    const bytes = file.upperBounds?.get(field.id)
    return bytes ? [Number(decodeBound(field.type, bytes))] : []
  })
  return bounds.length === 0 ? undefined : bounds.reduce((most, one) => Math.max(most, one)) + 1
}
