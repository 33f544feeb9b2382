// Which entries of a table's manifests a change takes out. Only manifests that may hold one are read.
//
// Data files go by name, by partition, or because a filter covers all of their rows. With them go the delete files that
// then delete nothing any more: those about one removed file, and those older than every data file that stays.

import { Failure } from '../base/failure.ts'
import type { FileIO } from '../io/index.ts'
import { partitionTypes, readManifest, type ReadOptions } from './manifest.ts'
import type { DataFile, FieldSummary, FileRef, ManifestEntry, ManifestFile } from './manifest-types.ts'
import { currentSchema } from './metadata.ts'
import type { TableMetadata } from './metadata-types.ts'
import { coverageOf } from './predicate-strict.ts'
import { bindPredicate, partitionEvaluator } from './predicate.ts'
import type { Predicate } from './predicate-types.ts'
import { mapLimited, placeOf, readsAtOnce } from './scan.ts'
import { isVector } from './summary.ts'
import type { Type, Value } from './types.ts'
import { compareValues, decodeBound, isNaN_ } from './value.ts'

export type Removal = {
  /** Everything. */
  all?: boolean
  /** Data files by name. Each must be there. */
  files?: readonly FileRef[]
  /** Delete files by name; of deletion vectors also the offset. Each must be there. */
  deleteFiles?: readonly FileRef[]
  /** Data files all of whose rows match; no other may hold a row that matches, unless it is among `files`. */
  filter?: Predicate | undefined
  /** All files of these partitions. */
  partitions?: readonly Place[]
  /** Data files that get a new deletion vector: what deleted rows of one of them so far goes. */
  vectorsOf?: readonly FileRef[]
}
type Place = Pick<DataFile, 'specId' | 'partition'>

/** A manifest with the live entries that go and those that stay; `removed` is empty where none goes. */
export type RemovedManifest = {
  manifest: ManifestFile
  removed: readonly ManifestEntry[]
  kept: readonly ManifestEntry[]
}

export type RemovalOptions = ReadOptions & {
  /** Nobody wrote since the change was prepared: what does not fit is then the caller's mistake and no conflict. */
  isUnchanged: boolean
}

/**
 * COMMIT_CONFLICT (REQUEST_INVALID when `isUnchanged`) when a named file is not there, or when a file holds rows that
 * match the filter and others that do not; `files` of its context names them.
 */
export async function planRemoval(
  io: FileIO,
  base: TableMetadata,
  manifests: readonly ManifestFile[],
  removal: Removal,
  added: readonly { file: DataFile; sequenceNumber?: bigint | undefined }[],
  { isUnchanged, ...options }: RemovalOptions,
): Promise<RemovedManifest[]> {
  const finder = new Finder(base, removal, isUnchanged ? 'REQUEST_INVALID' : 'COMMIT_CONFLICT')
  const split = async (
    manifest: ManifestFile,
    mayHold: boolean,
    isRemoved: (entry: ManifestEntry) => boolean,
  ): Promise<RemovedManifest> => {
    if (!mayHold || (manifest.addedFiles === 0 && manifest.existingFiles === 0))
      return { manifest, removed: [], kept: [] }
    const live = (await readManifest(io, base, manifest, options)).filter(({ status }) => status !== 'deleted')
    const removed: ManifestEntry[] = []
    const kept: ManifestEntry[] = []
    for (const entry of live) (isRemoved(entry) ? removed : kept).push(entry)
    return { manifest, removed, kept }
  }
  const [data, deletes] = [
    manifests.filter(({ content }) => content === 'data'),
    manifests.filter(({ content }) => content === 'deletes'),
  ]
  const dataParts = await mapLimited(data, readsAtOnce, (manifest) =>
    split(manifest, finder.mayHoldData(manifest), ({ file }) => finder.isDataRemoved(file)),
  )
  finder.checkDataFound()

  const removedData = dataParts.flatMap(({ removed }) => removed.map(({ file }) => file))
  const removedPaths = new Set(removedData.map(({ path }) => path))
  const oldest = oldestOf(dataParts, added, base)
  const deleteParts = await mapLimited(deletes, readsAtOnce, (manifest) =>
    split(
      manifest,
      manifest.minSequenceNumber < oldest || finder.mayHoldDeletes(manifest, removedData),
      ({ file, sequenceNumber }) =>
        finder.isDeleteRemoved(file) ||
        sequenceNumber < oldest ||
        (file.referencedDataFile !== undefined && removedPaths.has(file.referencedDataFile)),
    ),
  )
  finder.checkDeletesFound()
  const parts = new Map([...dataParts, ...deleteParts].map((part) => [part.manifest, part]))
  return manifests.map((manifest) => parts.get(manifest)!)
}

/** The least data sequence number that stays: a delete file below it applies to nothing. */
function oldestOf(
  data: readonly RemovedManifest[],
  added: readonly { file: DataFile; sequenceNumber?: bigint | undefined }[],
  base: TableMetadata,
): bigint {
  let least = base.lastSequenceNumber + 1n
  const lower = (number: bigint | undefined) => {
    if (number !== undefined && number < least) least = number
  }
  for (const { manifest, removed, kept } of data)
    if (removed.length === 0) lower(manifest.minSequenceNumber)
    else for (const { sequenceNumber } of kept) lower(sequenceNumber)
  for (const { file, sequenceNumber } of added) if (file.content === 'data') lower(sequenceNumber)
  return least
}

/** One deletion vector among several of a Puffin file is known by its offset. */
const deleteKey = ({ path, contentOffset }: Pick<FileRef, 'path' | 'contentOffset'>) => `${path}#${contentOffset ?? ''}`

class Finder {
  readonly #code: 'REQUEST_INVALID' | 'COMMIT_CONFLICT'
  readonly #removal: Removal
  readonly #files: ReadonlySet<string>
  readonly #deleteFiles: ReadonlySet<string>
  readonly #vectorsOf: ReadonlySet<string>
  readonly #partitions: ReadonlySet<string>
  readonly #found = new Set<string>()
  readonly #partly: string[] = []
  readonly #coverage: ReturnType<typeof coverageOf> | undefined
  readonly #types: ReadonlyMap<number, readonly (Type | undefined)[]>
  readonly #evaluators: ReadonlyMap<number, ReturnType<typeof partitionEvaluator>> | undefined

  constructor(base: TableMetadata, removal: Removal, code: 'REQUEST_INVALID' | 'COMMIT_CONFLICT') {
    this.#code = code
    this.#removal = removal
    this.#files = new Set(removal.files?.map(({ path }) => path))
    this.#deleteFiles = new Set(removal.deleteFiles?.map(deleteKey))
    this.#vectorsOf = new Set(removal.vectorsOf?.map(({ path }) => path))
    this.#partitions = new Set(removal.partitions?.map(placeOf))
    const types = new Map(base.partitionSpecs.map((spec) => [spec.specId, partitionTypes(base, spec)]))
    this.#types = types
    const { filter } = removal
    if (!filter) return
    const bound = bindPredicate(filter, currentSchema(base))
    this.#coverage = coverageOf(filter, currentSchema(base), base)
    this.#evaluators = new Map(
      base.partitionSpecs.map((spec) => [spec.specId, partitionEvaluator(bound, spec, types.get(spec.specId)!)]),
    )
  }

  mayHoldData(manifest: ManifestFile): boolean {
    const { all, files = [], partitions = [] } = this.#removal
    return all || this.#mayMatchFilter(manifest) || this.#mayHoldOneOf(manifest, [...files, ...partitions])
  }

  isDataRemoved(file: DataFile): boolean {
    if (this.#removal.all) return true
    if (this.#files.has(file.path)) {
      this.#found.add(file.path)
      return true
    }
    if (this.#partitions.size > 0 && this.#partitions.has(placeOf(file))) return true
    const coverage = this.#coverage?.(file) ?? 'none'
    if (coverage === 'some') this.#partly.push(file.path)
    return coverage === 'all'
  }

  checkDataFound() {
    const missing = [...this.#files].filter((path) => !this.#found.has(path))
    if (missing.length > 0) this.#gone('data file', missing)
    if (this.#partly.length > 0)
      throw new Failure(
        this.#code,
        `${named(this.#partly)} may hold rows that match the filter and rows that do not: rewrite what stays and remove by name`,
        { files: this.#partly },
      )
  }

  mayHoldDeletes(manifest: ManifestFile, removedData: readonly DataFile[]): boolean {
    const { all, deleteFiles = [], partitions = [], vectorsOf = [] } = this.#removal
    return (
      all ||
      this.#mayMatchFilter(manifest) ||
      this.#mayHoldOneOf(manifest, [...deleteFiles, ...partitions, ...vectorsOf, ...removedData])
    )
  }

  isDeleteRemoved(file: DataFile): boolean {
    if (this.#removal.all) return true
    const key = deleteKey(file)
    // Deletion vectors may also be named by their Puffin file alone: then all that are in it go.
    const name = this.#deleteFiles.has(key) ? key : `${file.path}#`
    if (this.#deleteFiles.has(name)) {
      this.#found.add(name)
      return true
    }
    if (file.referencedDataFile !== undefined && this.#vectorsOf.has(file.referencedDataFile)) return true
    if (this.#partitions.size > 0 && this.#partitions.has(placeOf(file))) return true
    return !isVector(file) && this.#coverage?.(file) === 'all'
  }

  checkDeletesFound() {
    const missing = [...this.#deleteFiles].filter((key) => !this.#found.has(key))
    if (missing.length > 0)
      this.#gone(
        'delete file',
        missing.map((key) => key.replace(/#$/, '')),
      )
  }

  #gone(what: string, files: readonly string[]): never {
    const more = this.#code === 'COMMIT_CONFLICT' ? ' any more' : ''
    throw new Failure(this.#code, `the ${what} ${named(files)} is not in the table${more}`, { files })
  }

  #mayMatchFilter({ specId, partitions }: ManifestFile): boolean {
    if (!this.#evaluators) return false
    return !partitions || (this.#evaluators.get(specId)?.manifest(partitions) ?? true)
  }

  #mayHoldOneOf({ specId, partitions }: ManifestFile, places: readonly Partial<Place>[]): boolean {
    const types = this.#types.get(specId)
    return places.some((place) => {
      if (place.specId === undefined || place.partition === undefined) return true
      if (place.specId !== specId) return false
      return !partitions || !types || place.partition.every((value, at) => mayHold(partitions[at], value, types[at]))
    })
  }
}

function mayHold(summary: FieldSummary | undefined, value: Value | null, type: Type | undefined): boolean {
  if (!summary || !type) return true
  if (value === null) return summary.containsNull
  if (isNaN_(value)) return summary.containsNan !== false
  const [lower, upper] = [summary.lowerBound, summary.upperBound].map((bytes) => bytes && decodeBound(type, bytes))
  // UUIDs have been ordered in two ways: their bounds say nothing.
  if (lower === undefined || upper === undefined || type.kind === 'uuid') return true
  return compareValues(lower, value) <= 0 && compareValues(upper, value) >= 0
}

/** The first of them; a message with a thousand paths helps nobody. */
const named = (paths: readonly string[]) =>
  paths.length === 1 ? `"${paths[0]}"` : `"${paths[0]}" (and ${paths.length - 1} more)`
