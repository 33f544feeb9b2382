// Tables of test/conformance/reading/*.py and what their writers read from them, held against what is read here.

import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openEngine, type Engine } from '../../src/engine/index.ts'
import { currentSchema, filesToRead, planScan, readTableMetadata, type ScanFile } from '../../src/iceberg/index.ts'
import { localFileIO, localPath, mappedFileIO } from '../../src/io/index.ts'
import { scanSql, type ScanSource } from '../../src/lake/scan/scan.ts'

type Expected = { metadata: string; columns: string[]; rows: unknown[][]; lineage?: unknown[][]; failed?: string }

/** Defines the tests of all tables in `folder`, wherever it was when they were written. */
export function readsLikeItsWriter(folder: string): void {
  const { folder: from, tables } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as {
    folder: string
    tables: Record<string, Expected>
  }
  const moved = (path: string) => (path.startsWith(from) ? folder + path.slice(from.length) : path)
  const localPathOf = (location: string) => moved(localPath(location))
  // Java writes `file:/…`.
  const io = mappedFileIO(localFileIO(), { from: `file:${from}`, to: folder })
  const temp = mkdtempSync(join(tmpdir(), 'boathouse-peer-'))
  let engine: Engine | undefined
  const opened = () =>
    (engine ??= openEngine({
      memoryBytes: 2 ** 30,
      threads: 2,
      tempDirectory: temp,
      tempBytes: 2 ** 30,
      timeZone: 'America/New_York', // no value may depend on it
      directories: [folder],
      classes: ['interactive'],
    }))
  afterAll(async () => {
    await engine?.close()
    await rm(temp, { recursive: true })
  })

  async function read(name: string, columns?: ScanSource['columns'], choose = (files: readonly ScanFile[]) => files) {
    const metadata = await readTableMetadata(io, join(folder, tables[name]!.metadata))
    const plan = await planScan(io, metadata)
    for (const { path } of filesToRead(plan)) expect(existsSync(localPathOf(path))).toBe(true)
    const sql = await scanSql({
      table: name,
      metadata,
      schema: currentSchema(metadata),
      files: choose(plan.files),
      io,
      engine: opened(),
      localPathOf,
      columns,
    })
    return opened().rows({ class: 'interactive', sql: `SELECT * FROM ${sql} t` })
  }

  const { avro_data, ...readable } = tables
  const all = Object.entries(readable)

  test.each(all)('%s has the rows that its writer reads', async (name, { rows, failed }) => {
    expect(failed).toBeUndefined()
    expect(sorted(await read(name))).toEqual(sorted(rows))
  })

  test.each(all)('%s: every row has its own place', async (name, { rows }) => {
    const placed = await read(name, { file: true, position: true })
    expect(new Set(placed.map((row) => JSON.stringify(row.slice(-2)))).size).toBe(rows.length)
    expect(sorted(placed.map((row) => row.slice(0, -2)))).toEqual(sorted(rows))
  })

  test.each(all)('%s: file by file it is the same', async (name, { rows }) => {
    const { files } = await planScan(io, await readTableMetadata(io, join(folder, tables[name]!.metadata)))
    const parts: unknown[][] = []
    for (let at = 0; at < Math.min(files.length, 40); at++)
      parts.push(...(await read(name, undefined, (files) => (at < 39 ? files.slice(at, at + 1) : files.slice(at)))))
    expect(sorted(parts)).toEqual(sorted(rows))
  })

  const withLineage = all.filter(([, { lineage }]) => lineage)
  test.each(withLineage)('%s: rows keep who they are', async (name, { lineage }) => {
    const rows = await read(name, { rowId: true })
    expect(sorted(rows.map((row) => [row[0], ...row.slice(-2)]))).toEqual(sorted(lineage!))
  })

  if (avro_data)
    test('data in Avro is refused by name', async () => {
      const message = 'avro_data has files in avro; only Parquet is read'
      await expect(read('avro_data')).rejects.toMatchObject({ code: 'UNSUPPORTED', message })
    })
}

/** Rows in no promised order, and maps whose entries have none. */
const sorted = (rows: readonly (readonly unknown[])[]) =>
  rows.map((row) => JSON.stringify(entriesSorted(row))).toSorted()

function entriesSorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(entriesSorted)
    const isMap = items.length > 0 && items.every((one) => Object.keys(one ?? {}).join() === 'key,value')
    return isMap ? items.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, entriesSorted(inner)]))
}
