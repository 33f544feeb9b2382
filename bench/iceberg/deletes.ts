// A scan of a million rows in ten files of which 1 % are deleted: by nothing, by vectors, by position files, by value.
//
//     node bench/iceberg/deletes.ts

import { mkdirSync, mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEngine } from '../../src/engine/index.ts'
import {
  encodeDeletionVectors,
  newTableMetadata,
  Positions,
  type DataFile,
  type ScanDelete,
  type ScanFile,
} from '../../src/iceberg/index.ts'
import { localFileIO } from '../../src/io/index.ts'
import { scanSql } from '../../src/lake/scan/scan.ts'

const [files, rowsPerFile, rounds] = [10, 100_000, 9]
const folder = mkdtempSync(join(tmpdir(), 'boathouse-bench-'))
mkdirSync(join(folder, 'data'))
const io = localFileIO({ sync: false })
const engine = openEngine({
  memoryBytes: 2 ** 31,
  threads: 2,
  tempDirectory: join(folder, 'temp'),
  tempBytes: 2 ** 30,
  timeZone: 'UTC',
  directories: [join(folder, 'data')],
  classes: ['write', 'interactive'],
})
const schema = [
  { name: 'id', type: { kind: 'long' } },
  { name: 'name', type: { kind: 'string' } },
  { name: 'x', type: { kind: 'double' } },
] as const
const metadata = newTableMetadata({ uuid: 'u', location: folder, nowMs: 0, schema })
const write = (name: string, select: string, ids = '') =>
  engine.rows({
    class: 'write',
    sql: `COPY (${select}) TO '${path(name)}' (FORMAT parquet${ids && `, FIELD_IDS ${ids}`})`,
  })
const path = (name: string) => join(folder, 'data', name)
const dataFile = (name: string, more: Partial<DataFile> = {}): DataFile => ({
  content: 'data',
  path: path(name),
  format: 'parquet',
  specId: 0,
  partition: [],
  recordCount: 1,
  fileSizeBytes: 1,
  ...more,
})

const positions = Array.from({ length: rowsPerFile / 100 }, (_, index) => index * 100)
const names = Array.from({ length: files }, (_, index) => `${index}.parquet`)
for (const [index, name] of names.entries()) {
  const select = `SELECT range + ${index * rowsPerFile} AS id, 'name ' || range % 1000 AS name, range / 7 AS x FROM range(${rowsPerFile})`
  await write(name, select, '{id: 1, name: 2, x: 3}')
}
const all = names.map(
  (name) => `SELECT '${path(name)}' AS file_path, range * 100 AS pos FROM range(${positions.length})`,
)
await write('positions.parquet', all.join(' UNION ALL '))
await write('keys.parquet', `SELECT range * 100 AS id FROM range(${files * positions.length})`, '{id: 1}')
const { bytes, blobs } = encodeDeletionVectors(
  names.map((name) => ({ referencedDataFile: path(name), positions: new Positions(positions) })),
)
await io.create(path('vectors.puffin'), bytes)

const later = (file: DataFile): ScanDelete => ({ file, sequenceNumber: 2n })
const kinds: Record<string, (index: number) => ScanDelete[]> = {
  nothing: () => [],
  vectors: (index) => {
    const { offset, length, cardinality, referencedDataFile } = blobs[index]!
    const where = { contentOffset: offset, contentSizeBytes: length, recordCount: cardinality, referencedDataFile }
    return [later(dataFile('vectors.puffin', { content: 'position-deletes', format: 'puffin', ...where }))]
  },
  'position files': () => [later(dataFile('positions.parquet', { content: 'position-deletes' }))],
  values: () => [later(dataFile('keys.parquet', { content: 'equality-deletes', equalityIds: [1] }))],
}
try {
  const times = new Map<string, number[]>(Object.keys(kinds).map((kind) => [kind, []]))
  for (let round = 0; round <= rounds; round++)
    for (const [kind, deletesOf] of Object.entries(kinds)) {
      const start = performance.now()
      const plan = names.map((name, index): ScanFile => {
        const file = dataFile(name, { recordCount: rowsPerFile })
        const numbers = { sequenceNumber: 1n, fileSequenceNumber: 1n, snapshotId: 1n }
        return { ...file, ...numbers, deletes: deletesOf(index), file }
      })
      const sql = await scanSql({ table: 't', metadata, schema: metadata.schemas[0]!, files: plan, io, engine })
      const [[count]] = (await engine.rows({
        class: 'interactive',
        sql: `SELECT count(*), sum(id), max(name) FROM ${sql} t`,
      })) as [[number]]
      if (count !== (kind === 'nothing' ? 1 : 0.99) * files * rowsPerFile) throw new Error(`${kind}: ${count} rows`)
      if (round > 0) times.get(kind)!.push(performance.now() - start) // the first is warming up
    }
  for (const [kind, all] of times) {
    const median = all.toSorted((a, b) => a - b)[all.length >> 1]!
    console.log(`${kind}: ${median.toFixed(1)} ms`)
  }
} finally {
  await engine.close()
  await rm(folder, { recursive: true })
}
