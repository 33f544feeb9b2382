import { z } from 'zod'
import { Column, Place, SnapshotId, Timestamp } from './common.ts'

export const TableKind = z.enum(['table', 'view'])
export type TableKind = z.infer<typeof TableKind>

export const DescribedColumn = Column.extend({ comment: z.string().nullable() })
export type DescribedColumn = z.infer<typeof DescribedColumn>

export const TableSummary = z.strictObject({
  namespace: z.string(),
  name: z.string(),
  kind: TableKind,
  comment: z.string().nullable(),
  columns: z.array(DescribedColumn),
  rows: z.int().min(0).nullable().describe('From the metadata; null for a view.'),
  bytes: z.int().min(0).nullable(),
  updatedAt: Timestamp.nullable(),
})
export type TableSummary = z.infer<typeof TableSummary>

export const Catalog = z
  .strictObject({
    catalog: z.string(),
    namespaces: z.array(z.strictObject({ name: z.string(), tables: z.array(TableSummary) })),
    functions: z.array(z.string()).describe('Names of the functions that SQL may use, for completion.'),
  })
  .describe('All tables the asker may read, with their columns.')
export type Catalog = z.infer<typeof Catalog>

export const Snapshot = z.strictObject({
  id: SnapshotId,
  parentId: SnapshotId.nullable(),
  committedAt: Timestamp,
  operation: z.string().describe('append, overwrite, replace or delete; other engines may write other words.'),
  summary: z.record(z.string(), z.string()),
  current: z.boolean(),
  publicationId: z.string().nullable(),
  runId: z.string().nullable(),
})
export type Snapshot = z.infer<typeof Snapshot>

const TableRef = z.strictObject({
  namespace: z.string(),
  name: z.string(),
  kind: z.enum(['table', 'view', 'source', 'dashboard']),
})
export type TableRef = z.infer<typeof TableRef>

export const Table = TableSummary.extend({
  catalog: z.string(),
  location: z.string().nullable(),
  formatVersion: z.int().nullable(),
  files: z.int().min(0).nullable(),
  partitions: z.array(z.string()).describe('Partition fields as text, for example `day(order_date)`.'),
  properties: z.record(z.string(), z.string()),
  snapshots: z.array(Snapshot).describe('Newest first.'),
  sql: z.string().nullable().describe('For a view: its statement.'),
  lineage: z.strictObject({
    upstream: z.array(TableRef),
    downstream: z.array(TableRef).describe('A dashboard has the namespace `dashboards`, a source `sources`.'),
  }),
  definedAt: Place.nullable().describe('The file of the project that makes this table.'),
})
export type Table = z.infer<typeof Table>

export const UploadMode = z.enum(['replace', 'append'])
export const UploadForm = z
  .strictObject({
    file: z.file().describe('A CSV file.'),
    table: z
      .string()
      .regex(/^[a-z_][a-z0-9_]{0,62}$/)
      .describe('Its name in the namespace `raw`.'),
    mode: UploadMode,
  })
  .describe('multipart/form-data.')
export type UploadForm = z.infer<typeof UploadForm>

export const Uploaded = z.strictObject({
  source: z.string().describe('Name of the source that was written.'),
  file: z.string().describe('The YAML file of that source, relative to the project folder.'),
  runId: z.string(),
})
export type Uploaded = z.infer<typeof Uploaded>
