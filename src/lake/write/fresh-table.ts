// Tables from nothing: the metadata of one that is made, and of one that begins anew with other columns.

import { randomUUID } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { Failure } from '../../base/failure.ts'
import { folderName, freshFolder, type TableName } from '../../catalog/index.ts'
import {
  applyUpdates,
  currentSchema,
  defaultSpec,
  evolveSchema,
  evolveSpec,
  fieldById,
  needsVersion3,
  newTableMetadata,
  prepareReplace,
  replaceSortOrder,
  schemaForReplace,
  showTransform,
  type FormatVersion,
  type NewField,
  type NewPartitionField,
  type TableChange,
  type TableMetadata,
  type TableUpdate,
  type Transform,
  type Value,
} from '../../iceberg/index.ts'
import { joinLocation, type FileIO } from '../../io/index.ts'
import type { TableOptions } from './change-set.ts'
import { columnProperties } from './column-property.ts'
import type { Rebased } from './staging.ts'

/** A folder that no table has had: what lies there belongs to nobody else. */
export const freshLocation = (lakeRoot: string, { catalog: inCatalog, namespace, name }: TableName): string =>
  joinLocation(lakeRoot, inCatalog, folderName(namespace), freshFolder(name))

/** A table without rows that nobody has seen. @throws REQUEST_INVALID for a format version that does not exist */
export function freshTable(
  { lakeRoot, clock }: { lakeRoot: string; clock: Clock },
  target: TableName,
  fields: readonly NewField[],
  options: TableOptions,
): TableMetadata {
  const { 'format-version': version, ...properties } = tableProperties(options)
  if (version !== undefined && !['1', '2', '3'].includes(version))
    throw new Failure('REQUEST_INVALID', `format-version is ${version}; expected 1, 2 or 3`)
  // What pandas writes has nanoseconds: nobody should have to ask for the version that can hold them.
  const needed = fields.some(({ type }) => needsVersion3(type)) ? 3 : undefined
  const metadata = newTableMetadata({
    uuid: randomUUID(),
    location: freshLocation(lakeRoot, target),
    schema: fields,
    spec: options.partitionedBy,
    properties: { 'write.parquet.compression-codec': 'zstd', ...properties },
    formatVersion: version === undefined ? needed : (Number(version) as FormatVersion),
    nowMs: clock.now(),
  })
  if (!options.sortedBy) return metadata
  return applyUpdates(metadata, replaceSortOrder(metadata, options.sortedBy).updates, { nowMs: clock.now() })
}

/** The table with these columns and no rows, as the next step of its history: it stays the same table. */
export async function emptied(
  io: FileIO,
  metadata: TableMetadata,
  fields: readonly NewField[],
  defaults: ReadonlyMap<string, Value>,
  options: TableOptions,
): Promise<Rebased> {
  const { 'format-version': version, ...properties } = tableProperties(options)
  const { partitionedBy = [], sortedBy = [], summary, signal } = options
  const formatVersion = Number(version ?? metadata.formatVersion) as FormatVersion
  const replaced = await prepareReplace(io, metadata, [], {
    schema: schemaForReplace(metadata, fields),
    summary,
    signal,
  })
  const stale = columnProperties(metadata)
  const about: TableUpdate[] = [
    ...(stale.length > 0 ? [{ action: 'remove-properties', removals: stale } as const] : []),
    ...(formatVersion > metadata.formatVersion ? [{ action: 'upgrade-format-version', formatVersion } as const] : []),
    ...(Object.keys(properties).length > 0 ? [{ action: 'set-properties', updates: properties } as const] : []),
  ]
  return {
    async on(base, at) {
      const { updates, requirements } = await replaced.on(base, at)
      let now = applyUpdates(base, updates, at)
      const all = [...updates]
      const step = (more: readonly TableUpdate[]) => {
        now = applyUpdates(now, more, at)
        all.push(...more)
      }
      step(about)
      for (const [name, value] of defaults) step(evolveSchema(now).setDefault(name, value).change().updates)
      step(partitionChange(now, partitionedBy).updates)
      step(replaceSortOrder(now, sortedBy).updates)
      return { updates: all, requirements }
    },
  }
}

/** From the partitions that there are to these. */
export function partitionChange(metadata: TableMetadata, wanted: readonly NewPartitionField[]): TableChange {
  const key = (column: string, transform: Transform) => `${column.toLowerCase()} ${showTransform(transform)}`
  const schema = currentSchema(metadata)
  const fields = defaultSpec(metadata).fields.filter(({ transform }) => transform.kind !== 'void')
  const present = new Map(
    fields.map(({ name, sourceIds, transform }) => [
      key(fieldById(schema, sourceIds[0]!)?.path ?? '', transform),
      name,
    ]),
  )
  let evolution = evolveSpec(metadata, { caseSensitive: false })
  const kept = new Set(wanted.map(({ column, transform }) => key(column, transform)))
  for (const [one, name] of present) if (!kept.has(one)) evolution = evolution.remove(name)
  for (const { column, transform, name } of wanted)
    if (!present.has(key(column, transform))) evolution = evolution.add(column, transform, name)
  return evolution.change()
}

export const tableProperties = ({ comment, properties }: TableOptions): Record<string, string> => ({
  ...properties,
  ...(comment ? { comment } : {}),
})
