// The summary of a snapshot: counters and totals by the names that Java gives them.

import type { DataFile } from './manifest-types.ts'
import { placeOf } from './scan.ts'

type Change = {
  added: readonly DataFile[]
  removed: readonly DataFile[]
  /** The summary of the parent. */
  previous: Readonly<Record<string, string>> | undefined
  /** Everything that was there goes: totals count from nothing. */
  isEmptied: boolean
}

/** Counters that would be 0 are left out, totals are not. A total that was not known before stays unknown. */
export function summaryOf({ added, removed, previous, isEmptied }: Change): Record<string, string> {
  const [plus, minus] = [countersOf(added), countersOf(removed)]
  const counters: Record<string, number> = {
    'added-data-files': plus.dataFiles,
    'deleted-data-files': minus.dataFiles,
    'added-records': plus.records,
    'deleted-records': minus.records,
    'added-delete-files': plus.deleteFiles,
    'removed-delete-files': minus.deleteFiles,
    'added-position-delete-files': plus.positionFiles,
    'removed-position-delete-files': minus.positionFiles,
    'added-equality-delete-files': plus.equalityFiles,
    'removed-equality-delete-files': minus.equalityFiles,
    'added-dvs': plus.vectors,
    'removed-dvs': minus.vectors,
    'added-position-deletes': plus.positionDeletes,
    'removed-position-deletes': minus.positionDeletes,
    'added-equality-deletes': plus.equalityDeletes,
    'removed-equality-deletes': minus.equalityDeletes,
    'added-files-size': plus.bytes,
    'removed-files-size': minus.bytes,
  }
  const result: Record<string, string> = {}
  for (const [name, count] of Object.entries(counters)) if (count > 0) result[name] = String(count)
  result['changed-partition-count'] = String(new Set([...added, ...removed].map(placeOf)).size)

  const total = (name: string, gained: number, lost: number) => {
    const before = isEmptied ? lost : Number(previous?.[name] ?? Number.NaN)
    if (Number.isSafeInteger(before) && before + gained >= lost) result[name] = String(before + gained - lost)
  }
  total('total-data-files', plus.dataFiles, minus.dataFiles)
  total('total-delete-files', plus.deleteFiles, minus.deleteFiles)
  total('total-records', plus.records, minus.records)
  total('total-files-size', plus.bytes, minus.bytes)
  total('total-position-deletes', plus.positionDeletes, minus.positionDeletes)
  total('total-equality-deletes', plus.equalityDeletes, minus.equalityDeletes)
  return result
}

/** A deletion vector is part of a Puffin file, and counts with its part. */
export const isVector = ({ content, format }: DataFile) => content === 'position-deletes' && format === 'puffin'

function countersOf(files: readonly DataFile[]) {
  const sum = {
    dataFiles: 0,
    records: 0,
    deleteFiles: 0,
    positionFiles: 0,
    equalityFiles: 0,
    vectors: 0,
    positionDeletes: 0,
    equalityDeletes: 0,
    bytes: 0,
  }
  for (const file of files) {
    sum.bytes += isVector(file) ? (file.contentSizeBytes ?? file.fileSizeBytes) : file.fileSizeBytes
    if (file.content === 'data') {
      sum.dataFiles++
      sum.records += file.recordCount
      continue
    }
    sum.deleteFiles++
    if (file.content === 'equality-deletes') {
      sum.equalityFiles++
      sum.equalityDeletes += file.recordCount
    } else {
      sum.positionDeletes += file.recordCount
      if (isVector(file)) sum.vectors++
      else sum.positionFiles++
    }
  }
  return sum
}
