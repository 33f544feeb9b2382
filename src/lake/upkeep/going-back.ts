// Going back to a snapshot takes its rows and keeps the table's columns, as in every engine. A column that was made of another
// type since, by writing all rows again, is not in the files of then: it would be null in each of their rows.

import { Failure } from '../../base/failure.ts'
import { currentSchema, snapshotById, type TableChange, type TableMetadata } from '../../iceberg/index.ts'

/** The change, which moves a branch. @throws REQUEST_INVALID where values would be lost to those who read the table */
export function goingBack(metadata: TableMetadata, change: TableChange): TableChange {
  for (const update of change.updates)
    if (update.action === 'set-snapshot-ref') checkColumnsOfThen(metadata, update.ref.snapshotId)
  return change
}

/** @throws REQUEST_INVALID for a snapshot that has values under the name of a column, and not of that column */
export function checkColumnsOfThen(metadata: TableMetadata, snapshotId: bigint): void {
  const { schemaId } = snapshotById(metadata, snapshotId)
  const then = metadata.schemas.find((schema) => schema.schemaId === schemaId)
  const now = currentSchema(metadata)
  const another = then?.fields.find(
    ({ id, name }) =>
      !now.fields.some((field) => field.id === id) &&
      now.fields.some((field) => field.name === name && !then.fields.some((old) => old.id === field.id)),
  )
  if (another)
    throw new Failure(
      'REQUEST_INVALID',
      `"${another.name}" has become another column since snapshot ${snapshotId}: it would be null in all rows of then`,
      { hint: `Write CREATE OR REPLACE TABLE t AS FROM t AT (VERSION => ${snapshotId}): rows and columns of then.` },
    )
}
