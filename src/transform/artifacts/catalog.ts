// catalog.json, version 1: the columns and sizes of tables, as the lake has them.

import { isRecord } from '../../base/record.ts'
import type { DbtProject } from '../../project/dbt/index.ts'
import { metadata, type Invocation } from './common.ts'

/** What there is under the name of a node or source. Sizes are of the table's current snapshot; null for views. */
export type CatalogTable = {
  uniqueId: string
  kind: 'table' | 'view'
  columns: { name: string; type: string; comment: string | null }[]
  rows: number | null
  bytes: number | null
  files: number | null
  /** ISO-8601. */
  updatedAt: string | null
  snapshotId: string | null
}

/** `errors`: tables that could not be looked at. */
export function catalogArtifact(
  project: DbtProject,
  tables: readonly CatalogTable[],
  errors: readonly string[],
  invocation: Invocation,
): Record<string, unknown> {
  const entries = (isSource: boolean) =>
    Object.fromEntries(
      tables
        .filter(({ uniqueId }) => project.sources.has(uniqueId) === isSource)
        .map((table) => [table.uniqueId, entryOf(project, table)]),
    )
  return {
    metadata: metadata('catalog', 1, invocation),
    nodes: entries(false),
    sources: entries(true),
    errors: errors.length > 0 ? errors : null,
  }
}

function entryOf(project: DbtProject, { uniqueId, kind, columns, ...sizes }: CatalogTable): Record<string, unknown> {
  const node = project.nodes.get(uniqueId)
  const source = project.sources.get(uniqueId)
  const { database, schema } = (node ?? source)!
  // Descriptions are always kept with the table; dbt shows those that `persist_docs` has put there.
  const persisted = isRecord(node?.config['persist_docs']) ? node.config['persist_docs'] : {}
  const isShown = { relation: !node || persisted['relation'] === true, columns: !node || persisted['columns'] === true }
  const description = (node ?? source)!.description
  return {
    metadata: {
      type: kind === 'view' ? 'VIEW' : 'BASE TABLE',
      schema,
      name: node?.alias ?? source?.identifier ?? '',
      database,
      comment: description === '' || !isShown.relation ? null : description,
      owner: null,
    },
    columns: Object.fromEntries(
      columns.map(({ name, type, comment }, at) => [
        name,
        { type, index: at + 1, name, comment: isShown.columns ? comment : null },
      ]),
    ),
    stats: statsOf(sizes),
    unique_id: uniqueId,
  }
}

type Sizes = Pick<CatalogTable, 'rows' | 'bytes' | 'files' | 'updatedAt' | 'snapshotId'>

function statsOf({ rows, bytes, files, updatedAt, snapshotId }: Sizes): Record<string, unknown> {
  const stats = [
    ['num_rows', 'Row count', rows, 'Rows of the current snapshot.'],
    ['num_bytes', 'Size in bytes', bytes, 'Bytes of its data files.'],
    ['num_files', 'Files', files, 'Its data files.'],
    ['last_modified', 'Last modified', updatedAt, 'When the current snapshot was committed.'],
    ['snapshot_id', 'Snapshot', snapshotId, 'The current snapshot.'],
  ] as const
  const known = stats.filter(([, , value]) => value !== null)
  const entries = known.map(([id, label, value, description]) => [id, { id, label, value, include: true, description }])
  const has = {
    id: 'has_stats',
    label: 'Has Stats?',
    value: known.length > 0,
    include: false,
    description: 'Indicates whether there are statistics for this table',
  }
  return { ...Object.fromEntries(entries), has_stats: has }
}
