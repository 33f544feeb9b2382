// Manifests sorted anew (Java: RewriteManifests): the same files, listed so that those of one partition stand together and
// every manifest has a good size. Planning then opens only the manifests of the partitions that a query asks for.
//
// No file of data changes, so entries keep their snapshot, their sequence numbers and their row ids, and the commit goes
// on top of anything: what others added or deleted meanwhile is in manifests that this rewrite has not touched. Only when
// a manifest that it replaces is gone, it has to be planned again.

import { Failure } from '../base/failure.ts'
import type { FileIO } from '../io/index.ts'
import {
  inherit,
  listed,
  loadManifest,
  partitionTypes,
  readManifestList,
  type EntryToWrite,
  type WrittenManifest,
} from './manifest.ts'
import type { ManifestFile } from './manifest-types.ts'
import type { TableMetadata } from './metadata-types.ts'
import { refuse } from './metadata.ts'
import { summaryOf } from './summary.ts'
import type { PartitionSpec, Type, Value } from './types.ts'
import { compareValues, decodeBound } from './value.ts'
import { headOf, isLive, nextSequenceNumber, specOf, Work, type PreparedWrite, type WriteOptions } from './work.ts'

export type RewriteManifestsOptions = Omit<WriteOptions, 'stageOnly'> & {
  /** Default: `commit.manifest.target-size-bytes` (8 MiB). */
  targetBytes?: number | undefined
  /** Also where there are no more manifests than the sizes ask for: to sort them. */
  all?: boolean | undefined
  /** Only those of this partition spec. */
  specId?: number | undefined
  /** Names of partition fields that come first in the order; default: as they stand in their spec. */
  sortBy?: readonly string[] | undefined
}

/** Manifests of one spec and content that become `expected` others. */
export type ManifestGroup = { manifests: ManifestFile[]; bytes: number; expected: number }

/** What is worth rewriting; nothing once it was done. Pure. */
export function manifestPlan(
  { properties }: Pick<TableMetadata, 'properties'>,
  manifests: readonly ManifestFile[],
  { targetBytes, all = false, specId: only }: Pick<RewriteManifestsOptions, 'targetBytes' | 'all' | 'specId'> = {},
): ManifestGroup[] {
  const written = Number(properties['commit.manifest.target-size-bytes'])
  const target = targetBytes ?? (written > 0 ? written : 8 * 2 ** 20)
  if (!(target > 0)) throw new Failure('REQUEST_INVALID', 'the target size of manifests must be above 0')
  const chosen = manifests.filter((one) => isLive(one) && (only === undefined || one.specId === only))
  const groups = Map.groupBy(chosen, ({ specId, content }) => `${content} ${specId}`)
  return [...groups.values()].flatMap((group) => {
    const bytes = group.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const expected = Math.max(1, Math.ceil(bytes / target))
    const isTooLarge = group.some(({ sizeBytes }) => sizeBytes > 1.8 * target)
    // One of live files alone would become itself.
    const isDone = group.length === 1 && expected === 1 && group[0]!.deletedFiles === 0
    return (all && !isDone) || group.length > expected || isTooLarge ? [{ manifests: group, bytes, expected }] : []
  })
}

/** Entries that are sorted at once: a group with more is cut along its partitions. */
const entriesMax = 100_000

/** Undefined when there is nothing to do. COMMIT_CONFLICT of `on`: another writer replaced one of the manifests. */
export async function prepareRewriteManifests(
  io: FileIO,
  metadata: TableMetadata,
  options: RewriteManifestsOptions = {},
): Promise<PreparedWrite | undefined> {
  const { signal, sortBy = [] } = options
  const known = specOf(metadata, options.specId ?? metadata.defaultSpecId)
  for (const name of sortBy)
    if (!known.fields.some((field) => field.name === name))
      refuse(`"${name}" is no partition field of the spec ${known.specId}`)
  const work = new Work(io, metadata, options)
  const start = headOf(metadata, work.branch)
  const groups = start ? manifestPlan(metadata, await readManifestList(io, metadata, start, options), options) : []
  if (groups.length === 0) return undefined
  const made: WrittenManifest[] = []
  let entryCount = 0
  for (const group of groups)
    for (const part of partsOf(metadata, group, sortBy)) {
      const entries = await sortedEntries(io, metadata, part, options)
      entryCount += entries.length
      const share = part.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) / group.bytes
      const size = Math.ceil(entries.length / Math.max(1, Math.round(group.expected * share)))
      for (let at = 0; at < entries.length; at += size)
        made.push(await work.write(entries.slice(at, at + size), metadata, signal))
    }
  const replaced = new Set(groups.flatMap(({ manifests }) => manifests.map(({ path }) => path)))
  return {
    snapshotId: work.snapshotId,
    leftovers: (committed) => work.leftovers(committed),
    on: async (base, { nowMs, signal: now = signal }) => {
      const head = headOf(base, work.branch)
      const old = head && base.tableUuid === metadata.tableUuid ? await readManifestList(io, base, head, options) : []
      const kept = old.filter((manifest) => isLive(manifest) && !replaced.has(manifest.path))
      const found = new Set(old.map(({ path }) => path))
      for (const path of replaced)
        if (!found.has(path))
          throw new Failure('COMMIT_CONFLICT', `another writer replaced the manifest ${path} meanwhile`)
      const sequenceNumber = nextSequenceNumber(base)
      return work.commit({
        base,
        next: base,
        schemaUpdates: [],
        head,
        manifests: [...made.map((manifest) => listed(manifest, sequenceNumber)), ...kept],
        change: { add: [], operation: 'replace' },
        counters: {
          ...summaryOf({ added: [], removed: [], previous: head?.summary, isEmptied: false }),
          'manifests-created': String(made.length),
          'manifests-kept': String(kept.length),
          'manifests-replaced': String(replaced.size),
          'entries-processed': String(entryCount),
        },
        nowMs,
        signal: now,
      })
    },
  }
}

/** In parts of a bounded number of entries, each with the manifests whose partitions begin next to each other. */
function partsOf(metadata: TableMetadata, { manifests }: ManifestGroup, sortBy: readonly string[]): ManifestFile[][] {
  const spec = specOf(metadata, manifests[0]!.specId)
  const types = partitionTypes(metadata, spec)
  const compare = comparePartitions(spec, types, sortBy)
  const lowest = ({ partitions }: ManifestFile) =>
    types.map((type, at) => {
      const bytes = partitions?.[at]?.lowerBound
      return (type && bytes && decodeBound(type, bytes)) ?? null
    })
  const sorted = manifests
    .map((manifest) => ({ manifest, lowest: lowest(manifest) }))
    .sort((a, b) => compare(a.lowest, b.lowest))
  const parts: ManifestFile[][] = []
  let count = Infinity
  for (const { manifest } of sorted) {
    const entries = (manifest.addedFiles ?? entriesMax) + (manifest.existingFiles ?? 0)
    if (count + entries > entriesMax) {
      parts.push([])
      count = 0
    }
    parts.at(-1)!.push(manifest)
    count += entries
  }
  return parts
}

async function sortedEntries(
  io: FileIO,
  metadata: TableMetadata,
  manifests: readonly ManifestFile[],
  options: RewriteManifestsOptions,
): Promise<EntryToWrite[]> {
  const spec = specOf(metadata, manifests[0]!.specId)
  const compare = comparePartitions(spec, partitionTypes(metadata, spec), options.sortBy ?? [])
  const entries: EntryToWrite[] = []
  for (const manifest of manifests) {
    const { entries: stored } = await loadManifest(io, metadata, manifest, options)
    for (const entry of stored)
      if (entry.status !== 'deleted') entries.push({ ...inherit(entry, manifest), status: 'existing' })
  }
  return entries.sort((a, b) => compare(a.file.partition, b.file.partition))
}

/** Nulls first. Values of types that are not known any more count as equal. */
function comparePartitions(
  { fields }: PartitionSpec,
  types: readonly (Type | undefined)[],
  sortBy: readonly string[],
): (a: readonly (Value | null)[], b: readonly (Value | null)[]) => number {
  const first = sortBy.map((name) => fields.findIndex((field) => field.name === name)).filter((at) => at >= 0)
  const places = new Set([...first, ...fields.keys()])
  return (a, b) => {
    for (const at of places) {
      const [one, other] = [a[at] ?? null, b[at] ?? null]
      if (!types[at] || one === other) continue
      if (one === null || other === null) return one === null ? -1 : 1
      const order = compareValues(one, other)
      if (order !== 0) return order
    }
    return 0
  }
}
