// As of when a statement reads: one moment for all tables, or what each had in an earlier answer.

import { z } from 'zod'
import { Failure } from '../../base/failure.ts'
import { showName } from '../../catalog/index.ts'
import type { At } from '../../iceberg/index.ts'
import type { PrepareContext } from '../sources.ts'

/** What a table was to an earlier answer; null: without rows. The columns are those of the snapshot, where none are told. */
export type Earlier = { snapshotId: bigint | null; schemaId?: number | undefined }
/** What a view was to an earlier answer. */
export type EarlierView = { versionId: number }

const Id = z.string().regex(/^-?\d{1,19}$/)
const ToldTable = z.object({ snapshotId: Id.nullable(), schemaId: z.number().int().optional() })
/** What an answer's provenance says of a table, or the snapshot alone. */
const Told = z.union([Id, z.null(), ToldTable])
const ToldView = z.object({ versionId: z.number().int() })
const Provenance = z.object({
  tables: z.array(ToldTable.extend({ table: z.string(), at: z.string().optional() })),
  views: z.array(ToldView.extend({ view: z.string() })).default([]),
})
const byName = z.record(z.string(), z.union([Told, ToldView]))
const Read = z.union([
  Provenance.transform(({ tables, views }) => [
    ...tables.map(({ table, at, ...told }) => [keyOf(table, at), told] as const),
    ...views.map(({ view, ...told }) => [keyOf(view, undefined), told] as const),
  ]),
  byName.transform((all) => Object.entries(all).map(([name, told]) => [keyOf(name, undefined), told] as const)),
])

/** A text may name a table more than once, each time as of another moment. */
const keyOf = (table: string, at: string | undefined) =>
  at === undefined ? table.toLowerCase() : `${table.toLowerCase()}\0${at}`
/** What a provenance says of a moment that the text names. */
export const atText = (at: At): string =>
  'ref' in at ? at.ref : String('snapshotId' in at ? at.snapshotId : at.timestampMs)

/**
 * As `parseAsOf`; or as of an answer's provenance, as the answer has it, or by name:
 * `{"catalog.namespace.table": {"snapshotId": "…", "schemaId": 1}, "catalog.namespace.view": {"versionId": 2}, …}`.
 */
export function travelOf(text: string | undefined): Pick<PrepareContext, 'asOf' | 'asOfTable' | 'asOfView'> {
  if (!text?.trimStart().startsWith('{')) return { asOf: text === undefined ? undefined : parseAsOf(text) }
  const read = Read.safeParse(parsed(text))
  if (!read.success)
    throw new Failure(
      'REQUEST_INVALID',
      `"${text.slice(0, 100)}" is no provenance: names of tables and ids of snapshots, names of views and their versions`,
    )
  const [tables, views] = [new Map<string, Earlier>(), new Map<string, EarlierView>()]
  for (const [key, told] of read.data)
    if (isOfView(told)) views.set(key, told)
    else tables.set(key, earlierOf(told))
  return {
    asOf: undefined,
    asOfTable: (name, said) => tables.get(keyOf(showName(name), said && atText(said))),
    asOfView: (name) => views.get(keyOf(showName(name), undefined)),
  }
}

const isOfView = (told: z.infer<typeof Told> | EarlierView): told is EarlierView =>
  typeof told === 'object' && told !== null && 'versionId' in told

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function earlierOf(told: z.infer<typeof Told>): Earlier {
  const { snapshotId, schemaId } =
    typeof told === 'object' && told !== null ? told : { snapshotId: told, schemaId: undefined }
  return { snapshotId: snapshotId === null ? null : BigInt(snapshotId), schemaId }
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
