// The Java reference beside us: it must find in our tables what we find, change them, and we must find what it then finds;
// then we change them again. Needs a JDK of version 17 and Maven.

import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { fileLocation, localFileIO } from '../../../src/io/index.ts'
import {
  applyUpdates,
  checkRequirements,
  newTableMetadata,
  planScan,
  prepareAppend,
  prepareDelete,
  prepareOverwrite,
  prepareRewrite,
  prepareRowDelta,
  readTableMetadata,
  upgradeFormat,
  writeTableMetadata,
  type FormatVersion,
  type NewDataFile,
  type NewDeleteFile,
  type PreparedWrite,
  type TableChange,
  type TableMetadata,
} from '../../../src/iceberg/index.ts'

const root = mkdtempSync(join(tmpdir(), 'boathouse-java-'))
afterAll(() => rm(root, { recursive: true }))
const io = localFileIO({ sync: false })

const classPath = (() => {
  try {
    return execFileSync(join(import.meta.dirname, 'classpath.sh'), { encoding: 'utf8' })
  } catch (error) {
    process.stderr.write(`skipped: the Java reference: no Maven or JDK: ${String(error).slice(0, 200)}\n`)
    return undefined
  }
})()

type Found = { files: string[]; changedTo: string; changedFiles: string[] }
/** What Java finds in each table, what it changed it to, and what it finds then. */
function peer(locations: string[]): Found[] {
  const home = process.env.JAVA_HOME
  const text = execFileSync(
    home ? join(home, 'bin', 'java') : 'java',
    ['-cp', classPath!, join(import.meta.dirname, 'Peer.java'), ...locations],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  )
  return text
    .split(/^table .*\n/m)
    .slice(1)
    .map((part) => {
      const [files, changed] = part.split(/^changed /m)
      const [changedTo, ...lines] = changed!.split('\n')
      const fileLines = (all: string[]) => all.filter((line) => line.startsWith('file '))
      return { files: fileLines(files!.split('\n')), changedTo: changedTo!, changedFiles: fileLines(lines) }
    })
}
async function ours(metadata: TableMetadata): Promise<string[]> {
  const { files } = await planScan(io, metadata)
  return files
    .map(({ path, recordCount, sequenceNumber, file, deletes }) =>
      [
        'file',
        path,
        recordCount,
        sequenceNumber,
        String(file.firstRowId ?? null),
        deletes
          .map(({ file }) => file.path)
          .sort()
          .join(','),
      ].join(' '),
    )
    .sort()
}

class Table {
  metadata: TableMetadata
  location = ''
  #names = 0
  constructor(formatVersion: FormatVersion) {
    this.metadata = newTableMetadata({
      uuid: randomUUID(),
      location: fileLocation(join(root, `t-${randomUUID().slice(0, 8)}`)),
      nowMs: Date.now(),
      formatVersion,
      schema: [
        { name: 'id', type: { kind: 'long' } },
        { name: 'p', type: { kind: 'int' } },
      ],
      spec: [{ column: 'p', transform: { kind: 'identity' } }],
      properties: { 'commit.manifest.min-count-to-merge': '4' },
    })
  }
  async commit(prepared: PreparedWrite | Promise<PreparedWrite>) {
    await this.change(await (await prepared).on(this.metadata, { nowMs: Date.now() }))
  }
  async change({ updates, requirements }: TableChange) {
    checkRequirements(this.metadata, requirements)
    const previous = this.location || undefined
    this.metadata = applyUpdates(this.metadata, updates, { nowMs: Date.now(), previous })
    this.location = await writeTableMetadata(io, this.metadata, { previous })
  }
  /** No reader opens it: the plan is what counts. */
  file = (part: number): NewDataFile => ({
    path: `${this.metadata.location}/data/f${this.#names++}.parquet`,
    recordCount: 10,
    fileSizeBytes: 100,
    partition: [part],
    valueCounts: new Map([[1, 10]]),
    lower: new Map([[1, 1n]]),
    upper: new Map([[1, 10n]]),
    splitOffsets: [4n],
  })
  delete = (of: NewDataFile): NewDeleteFile => {
    const isVector = this.metadata.formatVersion > 2
    return {
      content: 'position-deletes',
      path: `${this.metadata.location}/data/d${this.#names++}.${isVector ? 'puffin' : 'parquet'}`,
      recordCount: 1,
      fileSizeBytes: 100,
      partition: of.partition!,
      referencedDataFile: of.path,
      ...(isVector && { format: 'puffin' as const, contentOffset: 4, contentSizeBytes: 40 }),
    }
  }
  equality = (part: number): NewDeleteFile => ({
    content: 'equality-deletes',
    path: `${this.metadata.location}/data/q${this.#names++}.parquet`,
    recordCount: 1,
    fileSizeBytes: 100,
    partition: [part],
    equalityIds: [1],
  })
}

/** Every kind of change, with merged manifests in between. */
async function change(table: Table) {
  const { metadata, file } = table
  const [a, b, c, d] = [file(0), file(1), file(1), file(2)]
  await table.commit(prepareAppend(io, metadata, [a, b]))
  await table.commit(prepareAppend(io, table.metadata, [c, d]))
  if (metadata.formatVersion > 1) {
    await table.commit(prepareRowDelta(io, table.metadata, { addDeletes: [table.delete(a), table.delete(b)] }))
    await table.commit(prepareRowDelta(io, table.metadata, { addDeletes: [table.equality(2)], addFiles: [file(2)] }))
    await table.commit(prepareRowDelta(io, table.metadata, { addDeletes: [table.delete(a)] }))
  }
  const ref = ({ path, partition }: NewDataFile) => ({ path, specId: 0, partition: partition! })
  await table.commit(
    prepareRewrite(io, table.metadata, { remove: { files: [ref(b), ref(c)] }, add: { files: [file(1)] } }),
  )
  await table.commit(prepareOverwrite(io, table.metadata, { remove: { files: [ref(d)] }, add: [file(2)] }))
  await table.commit(prepareOverwrite(io, table.metadata, { remove: { partitions: 'dynamic' }, add: [file(3)] }))
  await table.commit(prepareDelete(io, table.metadata, { filter: { op: '=', field: 2, value: 3 } }))
}

describe.skipIf(!classPath)('The Java reference', { timeout: 300_000 }, () => {
  test('finds what we find, in every version and through upgrades; we find what it then finds', async () => {
    const tables: Table[] = []
    for (const versions of [[1], [2], [3], [1, 2, 3]] as FormatVersion[][]) {
      const table = new Table(versions[0]!)
      for (const version of versions) {
        const upgrade = upgradeFormat(table.metadata, version)
        if (upgrade.updates.length > 0) await table.change(upgrade)
        await change(table)
      }
      tables.push(table)
    }
    const round = async () => {
      const found = peer(tables.map(({ location }) => location))
      for (const [index, table] of tables.entries()) {
        const { files, changedTo, changedFiles } = found[index]!
        expect(files).toEqual(await ours(table.metadata))
        table.metadata = await readTableMetadata(io, changedTo)
        table.location = changedTo
        expect(await ours(table.metadata)).toEqual(changedFiles)
      }
    }
    await round()
    for (const table of tables) await change(table)
    for (const table of tables) expect((await ours(table.metadata)).length).toBeGreaterThan(3)
    expect(peer(tables.map(({ location }) => location)).map(({ files }) => files)).toEqual(
      await Promise.all(tables.map(({ metadata }) => ours(metadata))),
    )
  })
})
