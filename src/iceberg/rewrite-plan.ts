// Which data files are worth rewriting, and which of them together (the sizes and rules of Java's
// BinPackRewriteFilePlanner). Pure: a plan's files in, groups out. A group is read, written and committed on its own, so
// work that was interrupted is done up to there, and planning again finds only the rest.

import { Failure } from '../base/failure.ts'
import type { TableMetadata } from './metadata-types.ts'
import type { ScanFile } from './scan.ts'
import type { Value } from './types.ts'

export type RewritePlanOptions = {
  /** Default: `write.target-file-size-bytes` (512 MiB). */
  targetBytes?: number | undefined
  /** Smaller files are rewritten. Default 0.75 of the target. */
  minBytes?: number | undefined
  /** Larger files are rewritten. Default 1.8 of the target. */
  maxBytes?: number | undefined
  /** So many files make a group worth it, whatever comes out. Default 5. */
  minInputFiles?: number | undefined
  /** What is read and written at once. Default 100 GiB. */
  maxGroupBytes?: number | undefined
  /** Files with so many delete files are rewritten, whatever their size. Default: never. */
  deleteFileThreshold?: number | undefined
  /** Files with this part of their rows deleted are rewritten, whatever their size. Default 0.3. */
  deleteRatioThreshold?: number | undefined
  /** Every file is rewritten: to sort them, to bring them into the current partition spec, or to be rid of all deletes. */
  all?: boolean | undefined
}

export type RewriteGroup = {
  /** Of the default spec; undefined for files of older specs, which are rewritten into the default one together. */
  partition: readonly (Value | null)[] | undefined
  files: ScanFile[]
  bytes: number
  /** What comes out, by size; deletes may leave fewer. */
  expectedFiles: number
}

/** Groups of each partition, in the order of the files. Files that are no Parquet stay as they are. */
export function rewritePlan(
  { defaultSpecId, properties }: Pick<TableMetadata, 'defaultSpecId' | 'properties'>,
  files: readonly ScanFile[],
  options: RewritePlanOptions = {},
): RewriteGroup[] {
  const sizes = sizesOf(properties, options)
  const { deleteFileThreshold = Infinity, deleteRatioThreshold = 0.3, minInputFiles = 5, all = false } = options
  const hasManyDeletes = (file: ScanFile) =>
    file.deletes.length >= deleteFileThreshold || deletedRatio(file) >= deleteRatioThreshold
  const isCandidate = ({ fileSizeBytes: bytes }: ScanFile) => bytes < sizes.min || bytes > sizes.max
  const isWorthIt = (group: readonly ScanFile[]) => {
    const bytes = totalBytes(group)
    const isEnough = group.length > 1 && (group.length >= minInputFiles || bytes > sizes.target)
    return isEnough || bytes > sizes.max || group.some(hasManyDeletes)
  }

  const chosen = files.filter((file) => file.format === 'parquet' && (all || isCandidate(file) || hasManyDeletes(file)))
  const groups: RewriteGroup[] = []
  // One partition of an old spec may be many of the new one, so all files of old specs go together.
  const key = ({ specId, partition }: ScanFile) => (specId === defaultSpecId ? partitionKey(partition) : '')
  for (const same of Map.groupBy(chosen, key).values())
    for (const group of packed(same, sizes.group))
      if (all || isWorthIt(group)) {
        const bytes = totalBytes(group)
        groups.push({
          partition: group[0]!.specId === defaultSpecId ? group[0]!.partition : undefined,
          files: group,
          bytes,
          expectedFiles: Math.max(1, Math.ceil(bytes / sizes.target)),
        })
      }
  return groups
}

function sizesOf(properties: TableMetadata['properties'], options: RewritePlanOptions) {
  const written = Number(properties['write.target-file-size-bytes'])
  const target = options.targetBytes ?? (written > 0 ? written : 512 * 2 ** 20)
  const min = options.minBytes ?? Math.floor(target * 0.75)
  const max = options.maxBytes ?? Math.floor(target * 1.8)
  const group = options.maxGroupBytes ?? 100 * 2 ** 30
  if (!(target > 0 && min >= 0 && group > 0)) throw new Failure('REQUEST_INVALID', 'sizes of files must be above 0')
  if (min >= target || max <= target)
    throw new Failure(
      'REQUEST_INVALID',
      `the target size (${target}) must lie between the least (${min}) and the largest (${max}) that is left alone`,
    )
  return { target, min, max, group }
}

/** Only deletes that are about this one file say how many of its rows are gone. */
function deletedRatio({ deletes, recordCount }: ScanFile): number {
  if (recordCount === 0) return 0
  const known = deletes.reduce(
    (sum, { file }) => (file.referencedDataFile === undefined ? sum : sum + file.recordCount),
    0,
  )
  return Math.min(known, recordCount) / recordCount
}

/** Of data files and delete files. */
export const totalBytes = (files: readonly { fileSizeBytes: number }[]): number =>
  files.reduce((sum, { fileSizeBytes }) => sum + fileSizeBytes, 0)

/** One after the other, each group as full as it gets: files that lie together stay together. */
function packed(files: readonly ScanFile[], bytesMax: number): ScanFile[][] {
  const groups: ScanFile[][] = []
  let bytes = Infinity
  for (const file of files) {
    if (bytes + file.fileSizeBytes > bytesMax) {
      groups.push([])
      bytes = 0
    }
    groups.at(-1)!.push(file)
    bytes += file.fileSizeBytes
  }
  return groups
}

const partitionKey = (partition: readonly (Value | null)[]) =>
  JSON.stringify(
    partition.map((value) =>
      value instanceof Uint8Array
        ? Buffer.from(value).toString('hex')
        : typeof value === 'bigint' || Number.isNaN(value)
          ? String(value)
          : value,
    ),
  )
