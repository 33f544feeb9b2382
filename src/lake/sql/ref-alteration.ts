// Branches and tags in ALTER TABLE, as Iceberg's extensions of Spark write them:
//
//     CREATE [OR REPLACE] | REPLACE  BRANCH [IF NOT EXISTS] audit [AS OF VERSION 12] [RETAIN 7 DAYS]
//                                    [WITH SNAPSHOT RETENTION [2 SNAPSHOTS] [3 DAYS]]
//     DROP BRANCH [IF EXISTS] audit                                          and the same of TAG, which keeps one snapshot
//
// and as statements of their own, as Trino writes them:
//
//     CREATE [OR REPLACE] BRANCH [IF NOT EXISTS] audit IN TABLE t [FROM other]
//     DROP BRANCH [IF EXISTS] audit IN TABLE t,  ALTER BRANCH main IN TABLE t FAST FORWARD TO audit

import type { Retention } from '../../iceberg/index.ts'
import type { Call } from './call.ts'
import type { Reader, WrittenName } from './reader.ts'
import { quoteName, quoteText } from './tokens.ts'

type RefType = 'branch' | 'tag'
export type RefAlteration =
  | {
      kind: 'make-ref'
      type: RefType
      name: string
      /** What becomes of one that is there, and whether there may be none. */
      does: 'create' | 'create-or-keep' | 'create-or-replace' | 'replace'
      snapshotId: bigint | undefined
      /** In place of that: another branch or tag. */
      from?: string | undefined
      retention: Retention
    }
  | { kind: 'drop-ref'; type: RefType; name: string; ifExists: boolean }

/** Undefined where the statement goes on otherwise. */
export function refAlteration(reader: Reader): RefAlteration | undefined {
  for (const type of ['branch', 'tag'] as const) {
    if (reader.sees('drop', type) && reader.isNamedAfter(2)) {
      reader.take('drop', type)
      const ifExists = reader.take('if', 'exists')
      return { kind: 'drop-ref', type, name: reader.identifier(`a ${type}`), ifExists }
    }
    if (reader.take('create', 'or', 'replace', type)) return made(reader, type, 'create-or-replace')
    if (reader.take('replace', type)) return made(reader, type, 'replace')
    if (reader.take('create', type)) {
      const isKept = reader.take('if', 'not', 'exists')
      return made(reader, type, isKept ? 'create-or-keep' : 'create')
    }
  }
  return undefined
}

/** Behind CREATE [OR REPLACE]; undefined where it goes on otherwise. */
export function branchMade(
  reader: Reader,
  replace: boolean,
): { table: WrittenName; change: RefAlteration } | undefined {
  if (!reader.take('branch')) return undefined
  const isKept = reader.take('if', 'not', 'exists')
  const name = reader.identifier('a branch')
  const table = inTable(reader)
  const from = reader.take('from') ? reader.identifier('a branch') : undefined
  reader.end()
  const does = replace ? 'create-or-replace' : isKept ? 'create-or-keep' : 'create'
  return { table, change: { kind: 'make-ref', type: 'branch', name, does, snapshotId: undefined, from, retention: {} } }
}

/** Behind DROP. */
export function branchDropped(reader: Reader): { table: WrittenName; change: RefAlteration } | undefined {
  if (!reader.take('branch')) return undefined
  const ifExists = reader.take('if', 'exists')
  const name = reader.identifier('a branch')
  const table = inTable(reader)
  reader.end()
  return { table, change: { kind: 'drop-ref', type: 'branch', name, ifExists } }
}

/** Behind ALTER. */
export function branchForwarded(reader: Reader): Call | undefined {
  const start = reader.at()
  if (!reader.take('branch')) return undefined
  const name = reader.identifier('a branch')
  const table = inTable(reader)
  reader.expect('FAST FORWARD TO', 'fast', 'forward', 'to')
  const to = reader.identifier('a branch')
  reader.end()
  const given = Object.entries({ table: table.map(quoteName).join('.'), branch: name, to }).map(([key, text]) => ({
    name: key,
    value: { sql: quoteText(text), start },
  }))
  return { kind: 'call', procedure: 'fast_forward', catalog: undefined, start, given }
}

function inTable(reader: Reader): WrittenName {
  reader.expect('IN TABLE', 'in', 'table')
  return reader.name('a table')
}

function made(reader: Reader, type: RefType, does: (RefAlteration & { kind: 'make-ref' })['does']): RefAlteration {
  const name = reader.identifier(`a ${type}`)
  const snapshotId = reader.take('as', 'of', 'version') ? snapshot(reader) : undefined
  const retention: Retention = {}
  if (reader.take('retain')) retention.maxRefAgeMs = duration(reader)
  if (type === 'branch' && reader.take('with', 'snapshot', 'retention')) {
    if (reader.isFollowedBy('snapshots')) {
      retention.minSnapshotsToKeep = reader.whole('a number of snapshots')
      reader.take('snapshots')
    }
    if (retention.minSnapshotsToKeep === undefined || /^\d/.test(reader.peekText()))
      retention.maxSnapshotAgeMs = duration(reader)
  }
  return { kind: 'make-ref', type, name, does, snapshotId, retention }
}

function snapshot(reader: Reader): bigint {
  const { sql } = reader.until('the id of a snapshot', ['retain'], ['with'])
  if (!/^\d{1,19}$/.test(sql)) throw reader.invalid('expected the id of a snapshot')
  return BigInt(sql)
}

const unitsMs = { days: 86_400_000, hours: 3_600_000, minutes: 60_000 }

function duration(reader: Reader): number {
  const count = reader.whole('a number of days, hours or minutes')
  for (const [unit, ms] of Object.entries(unitsMs))
    if (reader.take(unit) || reader.take(unit.slice(0, -1))) return count * ms
  throw reader.invalid('expected DAYS, HOURS or MINUTES')
}
