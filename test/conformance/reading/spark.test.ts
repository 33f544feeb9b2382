// Tables that Spark and Iceberg's Java library write - every kind of delete, type and transform, evolved schemas and
// specs, files without ids - read here, and every value compared with what Spark reads. Runs where SPARK_PYTHON names a Python with
// PySpark and ICEBERG_SPARK_JAR the matching iceberg-spark-runtime.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openEngine, type Engine } from '../../../src/engine/index.ts'
import { currentSchema, filesToRead, planScan, readTableMetadata, type ScanFile } from '../../../src/iceberg/index.ts'
import { localFileIO } from '../../../src/io/index.ts'
import { scanSql, type ScanSource } from '../../../src/lake/scan.ts'

type Expected = { metadata: string; columns: string[]; rows: unknown[][]; lineage?: unknown[][]; failed?: string }

const { SPARK_PYTHON: python, ICEBERG_SPARK_JAR: jar, SPARK_TABLES: made } = process.env
const folder = made ?? mkdtempSync(join(tmpdir(), 'boathouse-spark-'))
const expectedFile = join(folder, 'expected.json')
if (!existsSync(expectedFile) && python && jar)
  execFileSync(python, [join(import.meta.dirname, 'spark_tables.py'), folder, jar], { stdio: 'ignore' })
const tables = existsSync(expectedFile)
  ? (JSON.parse(readFileSync(expectedFile, 'utf8')) as Record<string, Expected>)
  : {}

const io = localFileIO()
let engine: Engine
beforeAll(() => {
  engine = openEngine({
    memoryBytes: 2 ** 30,
    threads: 2,
    tempDirectory: join(folder, 'temp'),
    tempBytes: 2 ** 30,
    timeZone: 'America/New_York', // no value may depend on it
    directories: [folder],
    classes: ['interactive'],
  })
})
afterAll(async () => {
  await engine.close()
  if (!made) await rm(folder, { recursive: true })
})

async function read(name: string, columns?: ScanSource['columns'], choose = (files: ScanFile[]) => files) {
  const metadata = await readTableMetadata(io, tables[name]!.metadata)
  const plan = await planScan(io, metadata)
  for (const { path } of filesToRead(plan)) expect(existsSync(path.replace(/^file:/, ''))).toBe(true)
  const files = choose(plan.files)
  const sql = await scanSql({ table: name, metadata, schema: currentSchema(metadata), files, io, engine, columns })
  return engine.rows({ class: 'interactive', sql: `SELECT * FROM ${sql} t` })
}

const entriesSorted = (value: unknown): unknown => {
  if (Array.isArray(value)) {
    const isMap = value.length > 0 && value.every((one) => Object.keys(one ?? {}).join() === 'key,value')
    const items = value.map(entriesSorted)
    return isMap ? items.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, entriesSorted(inner)]))
}
const sorted = (rows: unknown[][]) => rows.map((row) => JSON.stringify(entriesSorted(row))).toSorted()

describe.skipIf(Object.keys(tables).length === 0)('Spark (needs SPARK_PYTHON and ICEBERG_SPARK_JAR)', () => {
  const readable = Object.entries(tables).filter(([name]) => name !== 'avro_data')

  test.each(readable)('%s has the rows that Spark reads', async (name, { rows, failed }) => {
    expect(failed).toBeUndefined()
    expect(sorted(await read(name))).toEqual(sorted(rows))
  })

  test.each(readable)('%s: where a row is, is where it is', async (name, { rows }) => {
    const placed = await read(name, { file: true, position: true })
    expect(new Set(placed.map((row) => JSON.stringify(row.slice(-2)))).size).toBe(rows.length)
    expect(sorted(placed.map((row) => row.slice(0, -2)))).toEqual(sorted(rows))
  })

  test.each(readable)('%s: file by file it is the same', async (name, { rows }) => {
    const count = (await planScan(io, await readTableMetadata(io, tables[name]!.metadata))).files.length
    const parts: unknown[][] = []
    for (let at = 0; at < Math.min(count, 40); at++)
      parts.push(...(await read(name, undefined, (files) => (at < 39 ? files.slice(at, at + 1) : files.slice(at)))))
    expect(sorted(parts)).toEqual(sorted(rows))
  })

  test.each(readable.filter(([, { lineage }]) => lineage))('%s: rows keep who they are', async (name, { lineage }) => {
    const rows = await read(name, { rowId: true })
    expect(sorted(rows.map((row) => [row[0], ...row.slice(-2)]))).toEqual(sorted(lineage!))
  })

  test('data in Avro is refused by name', async () => {
    await expect(read('avro_data')).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/avro/),
    })
  })
})
