// Rewrites one group of data files: SQL reads them with their deletes applied, and writes them sorted, partitioned and
// sized as the table wants files now. Rows keep who they are (row lineage, v3).

import { Failure } from '../../base/failure.ts'
import { showName, type LoadedTable } from '../../catalog/index.ts'
import type { Engine } from '../../engine/index.ts'
import {
  applyUpdates,
  currentSchema,
  defaultSortOrder,
  defaultSpec,
  filesToRead,
  prepareRewrite,
  replaceSortOrder,
  type ManifestCache,
  type NewDataFile,
  type PreparedWrite,
  type ScanFile,
  type SortOrder,
  type TableMetadata,
} from '../../iceberg/index.ts'
import type { FileIO } from '../../io/index.ts'
import type { Files } from '../prepare.ts'
import { cutColumn, scanSql } from '../scan/scan.ts'
import { writeFiles } from '../write/write.ts'
import { curveColumns, curveTerm } from '../write/z-order.ts'

export type RewrittenGroup = { filesBefore: number; filesAfter: number; bytesBefore: number; bytesAfter: number }

export type CompactDeps = {
  io: FileIO
  engine: Engine
  /** Where files are written before they get their place. */
  spoolDir: string
  manifests?: ManifestCache | undefined
  /** Brings files of a store to this disk. Without it all files must be on it. */
  files?: Files | undefined
}
type Options = {
  startingSnapshotId: bigint
  branch?: string | undefined
  targetBytes?: number | undefined
  sortedBy?: Parameters<typeof replaceSortOrder>[1] | undefined
  /** Rows are put along a curve through these columns, instead of by `sortedBy`. */
  curve?: readonly string[] | undefined
  signal?: AbortSignal | undefined
  commit(prepared: PreparedWrite): Promise<unknown>
}

const unsorted: SortOrder = { orderId: 0, fields: [] }

/** Files are marked with an order that the table knows, or as unsorted. */
function orderOf(metadata: TableMetadata, fields: Parameters<typeof replaceSortOrder>[1]): SortOrder {
  const after = applyUpdates(metadata, replaceSortOrder(metadata, fields).updates, { nowMs: metadata.lastUpdatedMs })
  const order = defaultSortOrder(after)
  const isKnown = metadata.sortOrders.some(({ orderId }) => orderId === order.orderId)
  return isKnown ? order : { ...order, orderId: 0 }
}

/** @throws COMMIT_CONFLICT when one of the files was changed meanwhile: what was written for it is gone again */
export async function rewriteGroup(
  deps: CompactDeps,
  { name, metadata }: LoadedTable,
  files: readonly ScanFile[],
  { startingSnapshotId, branch, targetBytes, sortedBy, curve, signal, commit }: Options,
): Promise<RewrittenGroup> {
  const { io, engine } = deps
  const schema = currentSchema(metadata)
  const lineage = metadata.formatVersion >= 3
  const lease = await deps.files?.lease(filesToRead({ files: [...files] }), signal)
  let written: NewDataFile[]
  try {
    const scan = { table: showName(name), metadata, schema, files, io, engine, hosts: 'write', signal } as const
    const from = { ...scan, localPathOf: lease?.pathOf }
    const cut = await cutColumn(from, files)
    if (cut) throw cut
    const source = await scanSql({ ...from, ...(lineage && { columns: { rowId: true } }) })
    const along = curve && (await curveTerm(engine, source, curveColumns(schema, curve), signal))
    written = await writeFiles(deps, {
      select: `SELECT * FROM ${source} AS compacted`,
      schema,
      spec: defaultSpec(metadata),
      sortOrder: along ? unsorted : sortedBy ? orderOf(metadata, sortedBy) : defaultSortOrder(metadata),
      orderBy: along === undefined ? undefined : [along],
      location: metadata.location,
      properties: {
        ...metadata.properties,
        ...(targetBytes !== undefined && { 'write.target-file-size-bytes': String(targetBytes) }),
      },
      lineage,
      signal,
    })
  } finally {
    lease?.release()
  }
  let isNamed = false
  try {
    const prepared = await prepareRewrite(
      io,
      metadata,
      {
        remove: { files: files.map(({ path, specId, partition }) => ({ path, specId, partition })) },
        add: { files: written },
      },
      { startingSnapshotId, branch, manifests: deps.manifests, signal },
    )
    await commit(prepared)
    isNamed = true
  } catch (error) {
    isNamed = error instanceof Failure && error.code === 'COMMIT_UNKNOWN'
    throw error
  } finally {
    if (!isNamed) await io.deleteAll(written.map(({ path }) => path)).catch(() => {})
  }
  const bytes = (all: readonly { fileSizeBytes: number }[]) => all.reduce((sum, one) => sum + one.fileSizeBytes, 0)
  return {
    filesBefore: files.length,
    filesAfter: written.length,
    bytesBefore: bytes(files),
    bytesAfter: bytes(written),
  }
}
