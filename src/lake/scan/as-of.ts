// As of when a statement reads: one moment for all tables, or what each had in an earlier answer.

import { Failure } from '../../base/failure.ts'
import { showName } from '../../catalog/index.ts'
import type { At } from '../../iceberg/index.ts'
import type { PrepareContext } from '../sources.ts'

/** As `parseAsOf`; or as of an answer's provenance, `{"catalog.namespace.table": "snapshot id", …}`. */
export function travelOf(text: string | undefined): Pick<PrepareContext, 'asOf' | 'asOfTable'> {
  if (!text?.trimStart().startsWith('{')) return { asOf: text === undefined ? undefined : parseAsOf(text) }
  const invalid = () =>
    new Failure('REQUEST_INVALID', `"${text.slice(0, 100)}" is no provenance: names of tables and ids of snapshots`)
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch {
    throw invalid()
  }
  const snapshots = new Map<string, bigint>()
  for (const [name, id] of Object.entries(read as Record<string, unknown>)) {
    if (id === null) continue // it had no rows, so there is nothing to go back to
    if (typeof id !== 'string' || !/^-?\d{1,19}$/.test(id)) throw invalid()
    snapshots.set(name.toLowerCase(), BigInt(id))
  }
  return {
    asOf: undefined,
    asOfTable: (name) => {
      const snapshotId = snapshots.get(showName(name).toLowerCase())
      return snapshotId === undefined ? undefined : { snapshotId }
    },
  }
}

/** A snapshot id, a time (without zone: UTC), or the name of a branch or tag. */
export function parseAsOf(text: string): At {
  if (/^-?\d{10,}$/.test(text)) return { snapshotId: BigInt(text) }
  const ms = Date.parse(
    /^\d{4}-\d\d-\d\d$/.test(text)
      ? `${text}T23:59:59.999Z`
      : /[Zz]$|[+-]\d\d:?\d\d$/.test(text)
        ? text
        : `${text.replace(' ', 'T')}Z`,
  )
  if (!Number.isNaN(ms)) return { timestampMs: ms }
  if (/^[\p{L}_][\p{L}\p{N}_./-]*$/u.test(text)) return { ref: text }
  throw new Failure('REQUEST_INVALID', `"${text}" is neither a snapshot id, a time, a branch nor a tag`, {
    hint: 'Write it as 2024-03-31T12:00:00Z, or as the id of a snapshot.',
  })
}
