// A table that many processes change at the same time, and what must be true of it afterwards.

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import type { LoadedTable, TableName } from '../../src/catalog/index.ts'
import type { App } from '../../src/cli/app.ts'
import { loadConfig } from '../../src/config/index.ts'
import { currentSchema, reachableFiles } from '../../src/iceberg/index.ts'
import { collect } from '../../src/lake/index.ts'
import { open } from '../../src/main.ts'

/** `append`, `upsert` and `delete` make `count` commits each; `maintain` goes on until it is told to stop. */
export type Work = {
  dir: string
  table: string
  writer: number
  kind: 'append' | 'upsert' | 'delete' | 'maintain'
  count: number
  /** Snapshots that maintenance leaves: more than are made while one writer is at work on one. */
  keep?: number
}
/** Commits that won, commits that lost and were made again, and whatever else went wrong. */
export type Outcome = { done: number; conflicts: number; failures: string[] }
export type Row = [writer: number, seq: number, value: string]

/** The rows that one writer leaves behind. An upsert writes five rows again and again; a delete takes every row it gave. */
export function rowsAfter({ writer, kind, count }: Pick<Work, 'writer' | 'kind' | 'count'>): Row[] {
  if (kind === 'maintain') return []
  const rows = new Map<number, Row>()
  for (let seq = 0; seq < count; seq++)
    if (kind === 'append') rows.set(seq, [writer, seq, `v${seq}`])
    else if (kind === 'upsert') rows.set(seq % 5, [writer, seq % 5, `v${seq}`])
    else if (seq % 2 === 0) rows.set(seq, [writer, seq, `v${seq}`])
    else rows.delete(seq - 1)
  return [...rows.values()]
}

/** Starts one process for each work; `stop` ends maintenance, and all is over when every process has told its outcome. */
export function startProcesses(all: readonly Work[]): { outcomes: Promise<Outcome>[]; stop(): void } {
  const started = all.map((work) => {
    const child = fork(fileURLToPath(new URL('table-process.ts', import.meta.url)), [JSON.stringify(work)], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      env: { ...process.env, BOATHOUSE_LIMITS_MEMORY: '1GB' },
    })
    const outcome = new Promise<Outcome>((resolve, reject) => {
      child.once('message', (message) => resolve(message as Outcome))
      child.once('exit', (code) => reject(new Error(`the ${work.kind} process ${work.writer} ended with ${code}`)))
    })
    return { child, work, outcome }
  })
  return {
    outcomes: started.map(({ outcome }) => outcome),
    stop: () => started.forEach(({ child, work }) => void (work.kind === 'maintain' && child.send('stop'))),
  }
}

/** Runs all of them: the writers to their end, then maintenance is told to stop. */
export async function contend(all: readonly Work[], meanwhile: () => Promise<unknown> = async () => {}) {
  const { outcomes, stop } = startProcesses(all)
  const ofWriters = outcomes.filter((_, at) => all[at]!.kind !== 'maintain')
  const together = Promise.all([meanwhile(), ...ofWriters]).finally(stop)
  const [told] = await Promise.all([Promise.all(outcomes), together])
  return told.map((outcome, at) => ({ kind: all[at]!.kind, ...outcome }))
}

export const tableName = (app: App, name: string): TableName => ({
  catalog: app.environment.catalog,
  namespace: 'raw',
  name,
})

/** A table (writer, seq, value) without rows. */
export async function makeTable(app: App, name: string, properties: Record<string, string>): Promise<void> {
  const changes = await app.lake.openChanges({ catalog: app.environment.catalog, principal: app.principal })
  const select = `SELECT 0 AS writer, 0 AS seq, '' AS value WHERE false`
  await changes.replaceTable(tableName(app, name), select, { properties })
  await changes.publish()
}

export const openProject = (dir: string): Promise<App> => open(loadConfig({ dir }), 'dev', { quiet: true })

export async function rowsOf(app: App, name: string): Promise<unknown[][]> {
  const sql = `SELECT writer, seq, value FROM raw.${name} ORDER BY ALL`
  return (await collect(await app.lake.query(sql, app.asking('cli')))).rows
}

/** Every file that a snapshot of the table reaches is there, and the counters, ids and parents of its metadata agree. */
export async function checkTable(app: App, name: string, rows: readonly Row[]): Promise<void> {
  expect(await rowsOf(app, name)).toEqual(rows.toSorted(([a, x], [b, y]) => a - b || x - y))
  const { location, metadata } = (await app.tables.load(tableName(app, name))) as LoadedTable
  for await (const { path } of reachableFiles(app.io, [{ location, metadata }]))
    expect(await app.io.stat(path), `${path} is named and gone`).toBeDefined()
  expect(currentSchema(metadata).fields.map(({ name: column }) => column)).toEqual(['writer', 'seq', 'value'])
  const numbers = metadata.snapshots.map(({ sequenceNumber }) => sequenceNumber)
  expect(new Set(numbers).size).toBe(numbers.length)
  expect(metadata.snapshots.at(-1)).toMatchObject({
    snapshotId: metadata.currentSnapshotId,
    sequenceNumber: metadata.lastSequenceNumber,
  })
  for (const [at, { parentSnapshotId }] of metadata.snapshots.entries())
    if (at > 0) expect(parentSnapshotId).toBe(metadata.snapshots[at - 1]!.snapshotId)
}
