// A lake small enough to try everything on it: one table over a FileIO, whose pointer is the highest of the numbered
// files in /pointer. Creating the next number is the swap: it can be won once. A row is a data file named after it.

import { joinLocation, type FileIO } from '../../src/io/index.ts'
import {
  applyUpdates,
  checkRequirements,
  newTableMetadata,
  planScan,
  prepareAppend,
  prepareReplace,
  readTableMetadata,
  writeTableMetadata,
  type NewDataFile,
  type NewTable,
  type PreparedWrite,
  type TableCommit,
  type TableMetadata,
} from '../../src/iceberg/index.ts'

export { crashingFileIO, memoryFileIO, scheduledFileIO } from '../../src/io/index.ts'

const pointers = '/pointer'
const attemptsMax = 10

type Head = { version: number; location: string; metadata: TableMetadata }

export async function head(io: FileIO): Promise<Head> {
  const versions = await Array.fromAsync(io.list(pointers), ({ path }) => Number(path.split('/').at(-1)))
  const version = Math.max(...versions)
  const location = new TextDecoder().decode(await io.read(joinLocation(pointers, String(version))))
  return { version, location, metadata: await readTableMetadata(io, location) }
}

const swap = (io: FileIO, version: number, location: string) =>
  io.create(joinLocation(pointers, String(version)), new TextEncoder().encode(location))

export async function createTable(
  io: FileIO,
  properties: Record<string, string> = {},
  more: Partial<NewTable> = {},
): Promise<void> {
  const metadata = newTableMetadata({
    uuid: 'world',
    location: '/t',
    nowMs: 1,
    schema: [{ name: 'row', type: { kind: 'string' } }],
    properties,
    ...more,
  })
  await swap(io, 0, await writeTableMetadata(io, metadata))
}

/** Commits over whatever others do meanwhile: the retry loop that a catalog has. */
export async function commit(io: FileIO, prepared: PreparedWrite): Promise<TableCommit> {
  for (let attempt = 1; ; attempt++) {
    const { version, location, metadata } = await head(io)
    const change = await prepared.on(metadata, { nowMs: 2 })
    checkRequirements(metadata, change.requirements)
    const next = await writeTableMetadata(
      io,
      applyUpdates(metadata, change.updates, { nowMs: 2, previous: location }),
      { previous: location },
    )
    if (await swap(io, version + 1, next)) return change
    if (attempt === attemptsMax) throw new Error('another writer was faster every time')
  }
}

async function writeRows(io: FileIO, rows: readonly string[]): Promise<NewDataFile[]> {
  const files = rows.map((row) => ({ path: `/t/data/${row}`, recordCount: 1, fileSizeBytes: row.length }))
  for (const { path } of files) await io.create(path, new TextEncoder().encode(path))
  return files
}

export async function append(io: FileIO, ...rows: string[]): Promise<TableCommit> {
  const files = await writeRows(io, rows)
  return commit(io, await prepareAppend(io, (await head(io)).metadata, files))
}

export async function replace(io: FileIO, ...rows: string[]): Promise<TableCommit> {
  const files = await writeRows(io, rows)
  return commit(io, await prepareReplace(io, (await head(io)).metadata, files))
}

/** What a fresh process finds; fails when a file that the table names is not there, or the counters are wrong. */
export async function rowsOf(io: FileIO): Promise<string[]> {
  const { metadata } = await head(io)
  const { files, snapshot } = await planScan(io, metadata)
  for (const { path } of files) if (!(await io.stat(path))) throw new Error(`${path} is gone`)
  const rows = files.map(({ path }) => path.split('/').at(-1)!)
  if (snapshot && snapshot.summary['total-records'] !== String(rows.length))
    throw new Error(`the summary counts ${snapshot.summary['total-records']} of ${rows.length}`)
  return rows.sort()
}
