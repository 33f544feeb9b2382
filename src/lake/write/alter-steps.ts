// What steps of ALTER TABLE are made of.

import { Failure } from '../../base/failure.ts'
import { evolveSchema, findField, type Schema, type TableChange, type TableMetadata } from '../../iceberg/index.ts'
import type { AlterStep } from './change-set.ts'

export const nothing: TableChange = { updates: [], requirements: [] }

export const schemaOf = (now: TableMetadata) => evolveSchema(now, { caseSensitive: false })

export const fieldNamed = (schema: Schema, path: string) => findField(schema, path, { caseSensitive: false })

/** A step that is right for the rows that were looked at, and for no others. */
export const sinceSeen =
  (seen: TableMetadata, step: AlterStep, what = 'the column was changed'): AlterStep =>
  async (now, at) => {
    const [snapshotId, isNow] = [seen.currentSnapshotId, now.currentSnapshotId]
    if (snapshotId !== isNow) throw new Failure('COMMIT_CONFLICT', `rows came or went while ${what}`)
    const { updates, requirements } = await step(now, at)
    return { updates, requirements: [...requirements, { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId }] }
  }
