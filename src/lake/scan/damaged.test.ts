// Parquet files with bytes changed, cut, doubled or moved, of which a scan reads one beside a whole one. The answer is rows or a
// Failure: never a lost engine, a hang, or memory beyond the host's bound. What DuckDB finds in a footer names the file.

import { mkdirSync, mkdtempSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Failure } from '../../base/failure.ts'
import { EngineFailure, openEngine, type Engine } from '../../engine/index.ts'
import { newTableMetadata, type DataFile, type NewField, type ScanFile } from '../../iceberg/index.ts'
import { localFileIO } from '../../io/index.ts'
import { scanSql } from './scan.ts'

const cases = process.env['SOAK'] ? Number(process.env['SOAK_CASES'] ?? 20_000) : 150
const folder = mkdtempSync(join(tmpdir(), 'boathouse-damaged-'))
const good = join(folder, 'data', 'good.parquet')
let engine: Engine
let bytes: Buffer
beforeAll(async () => {
  mkdirSync(join(folder, 'data'))
  engine = openEngine({
    memoryBytes: 2 ** 30,
    threads: 2,
    tempDirectory: join(folder, 'temp'),
    tempBytes: 2 ** 30,
    timeZone: 'UTC',
    directories: [join(folder, 'data')],
    classes: ['write', 'interactive'],
  })
  await engine.rows({
    class: 'write',
    sql: `COPY (SELECT i::BIGINT AS id, 'name ' || (i % 7) AS s, i / 3.0::DOUBLE AS x, (i * 1.5)::DECIMAL(9, 2) AS d, [i, i + 1] AS l FROM range(500) t(i))
      TO '${good}' (FORMAT parquet, ROW_GROUP_SIZE 200, FIELD_IDS {id: 1, s: 2, x: 3, d: 4, l: {__duckdb_field_id: 5, element: 6}})`,
  })
  bytes = await readFile(good)
})
afterAll(async () => {
  await engine.close()
  await rm(folder, { recursive: true })
})

const list = { kind: 'list', elementId: 6, element: { kind: 'long' }, elementRequired: false } as const
const schema: NewField[] = [
  { name: 'id', type: { kind: 'long' } },
  { name: 's', type: { kind: 'string' } },
  { name: 'x', type: { kind: 'double' } },
  { name: 'd', type: { kind: 'decimal', precision: 9, scale: 2 } },
  { name: 'l', type: list },
]

function scanFile(path: string): ScanFile {
  const file: DataFile = {
    content: 'data',
    path,
    format: 'parquet',
    specId: 0,
    partition: [],
    recordCount: 500,
    fileSizeBytes: 1,
  }
  const { format, recordCount, fileSizeBytes, specId, partition } = file
  const place = { path, format, recordCount, fileSizeBytes, specId, partition }
  return { ...place, sequenceNumber: 1n, fileSequenceNumber: 1n, snapshotId: 1n, deletes: [], file }
}

const changes = fc.array(
  fc.record({
    kind: fc.constantFrom('cut', 'lose', 'double', 'set'),
    // Most of what can be wrong stands in the footer, at the end.
    at: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0.9, max: 1, noNaN: true })),
    length: fc.integer({ min: 1, max: 20 }),
    byte: fc.oneof(fc.constantFrom(0, 0x7f, 0x80, 0xff), fc.nat(255)),
  }),
  { minLength: 1, maxLength: 3 },
)
type Change = (typeof changes extends fc.Arbitrary<infer All> ? All : never)[number]

function changed(whole: Buffer, { kind, at, length, byte }: Change): Buffer {
  const place = Math.min(whole.length - 1, Math.floor(at * whole.length))
  if (kind === 'cut') return whole.subarray(0, place + 1)
  if (kind === 'lose') return Buffer.concat([whole.subarray(0, place + 1), whole.subarray(place + 1 + length)])
  if (kind === 'double') return Buffer.concat([whole.subarray(0, place + length), whole.subarray(place)])
  const copy = Buffer.from(whole)
  copy[place] = byte
  return copy
}

test(`damaged Parquet files are refused or read (${cases} cases)`, { timeout: 3_600_000 }, async () => {
  const metadata = newTableMetadata({
    schema,
    uuid: 'f79c3e09-677c-4bbd-a479-3f349cb785e7',
    location: folder,
    nowMs: 0,
  })
  let number = 0
  await fc.assert(
    fc.asyncProperty(changes, fc.boolean(), async (all, isFirst) => {
      const path = join(folder, 'data', `damaged-${number++}.parquet`)
      await writeFile(path, all.reduce(changed, bytes))
      const files = (isFirst ? [path, good] : [good, path]).map(scanFile)
      try {
        const sql = await scanSql({
          table: 'raw.t',
          metadata,
          schema: metadata.schemas[0]!,
          files,
          io: localFileIO(),
          engine,
        })
        const asked = `SELECT count(*), sum(id), count(s), sum(x), sum(d), sum(len(l)) FROM ${sql} t`
        await engine.rows({ class: 'interactive', sql: asked, timeoutMs: 20_000 })
      } catch (error) {
        if (error instanceof Failure) {
          expect(error.code).toBe('METADATA_INVALID')
          if (!error.message.includes('has the column')) expect(error.message).toContain(path)
        } else expect((error as EngineFailure).error.type).not.toMatch(/lost|fatal|timeout|interrupt/i)
      } finally {
        await rm(path)
      }
    }),
    { numRuns: cases, ...(process.env['SOAK'] ? {} : { seed: 7 }) },
  )
})
