// Every way in which we change a table, as PyIceberg then finds it: rows, manifest entries, metadata tables. Runs where
// PYICEBERG_PYTHON names a Python with `pyiceberg[pyarrow,sql-sqlite,pyiceberg-core]`.

import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { mkdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, describe, expect, test } from 'vitest'
import { fileLocation, localFileIO, localPath } from '../../../src/io/index.ts'
import {
  applyUpdates,
  checkRequirements,
  createTag,
  currentSchema,
  evolveSchema,
  evolveSpec,
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

const python = process.env.PYICEBERG_PYTHON
const run = (script: string, ...args: string[]) =>
  execFileSync(python!, [join(import.meta.dirname, script), ...args], { encoding: 'utf8' })
type Seen = {
  version: number
  rows: { id: number; p: string }[] | string
  entries: { status: string; content: string; path: string; records: number; sequence: number; partition: unknown[] }[]
  inspected: Record<string, number>
  schema: string[]
  spec: string[]
  refs: Record<string, string>
  summary: Record<string, string>
}
const root = mkdtempSync(join(tmpdir(), 'boathouse operations-'))
afterAll(() => rm(root, { recursive: true }))
const io = localFileIO({ sync: false })

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
        { name: 'p', type: { kind: 'string' } },
      ],
      spec: [{ column: 'p', transform: { kind: 'identity' } }],
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
  seen = (...args: string[]) => JSON.parse(run('inspect_table.py', this.location, ...args)) as Seen
  ids = (...args: string[]) => {
    const { rows } = this.seen(...args)
    return typeof rows === 'string' ? rows : rows.map(({ id }) => id).sort((a, b) => a - b)
  }
  /** Rows from `low` to `high` of a partition. */
  async file(low: number, high: number, p = 'x'): Promise<NewDataFile> {
    const path = `${this.metadata.location}/data/f${this.#names++}.parquet`
    const ids = currentSchema(this.metadata).fields.map(({ name, id }) => `"${name}": ${id}`)
    const select = currentSchema(this.metadata).fields.map(({ name }) =>
      name === 'p' ? `'${p}' AS p` : name === 'id' || name === 'key' ? `i AS "${name}"` : `NULL::BIGINT AS "${name}"`,
    )
    await copy(path, `SELECT ${select.join(', ')} FROM range(${low}, ${high + 1}) t(i)`, ids)
    return {
      path,
      recordCount: high - low + 1,
      fileSizeBytes: (await stat(localPath(path))).size,
      partition: [p],
      lower: new Map([[1, BigInt(low)]]),
      upper: new Map([[1, BigInt(high)]]),
      nullCounts: new Map([[1, 0]]),
      valueCounts: new Map([[1, high - low + 1]]),
      columnSizes: new Map([[1, 40]]),
      splitOffsets: [4n],
    }
  }
  /** Deletes the rows at these positions of a file. */
  async positions(of: NewDataFile, ...at: number[]): Promise<NewDeleteFile> {
    const path = `${this.metadata.location}/data/d${this.#names++}.parquet`
    const rows = at.map((position) => `('${of.path}', ${position}::BIGINT)`)
    await copy(path, `SELECT * FROM (VALUES ${rows.join(', ')}) t(file_path, pos)`, [
      'file_path: 2147483546',
      'pos: 2147483545',
    ])
    const paths = new Map([[2147483546, of.path]])
    return {
      content: 'position-deletes',
      path,
      recordCount: at.length,
      fileSizeBytes: (await stat(localPath(path))).size,
      partition: of.partition!,
      lower: paths,
      upper: paths,
    }
  }
}

async function copy(path: string, select: string, ids: string[]) {
  await mkdir(localPath(path).replace(/\/[^/]*$/, ''), { recursive: true })
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  await connection.run(`COPY (${select}) TO '${localPath(path)}' (FORMAT parquet, FIELD_IDS {${ids.join(', ')}})`)
  connection.closeSync()
  instance.closeSync()
}

const range = (low: number, high: number) => Array.from({ length: high - low + 1 }, (_, at) => low + at)
const ref = ({ path, partition }: NewDataFile) => ({ path, specId: 0, partition: partition! })

describe.skipIf(!python)('PyIceberg finds', () => {
  test.each([1, 2] as const)('version %i: appends, overwrites and deletes of whole files', async (version) => {
    const table = new Table(version)
    const [a, b, y] = [await table.file(1, 10), await table.file(11, 20), await table.file(1, 3, 'y')]
    await table.commit(prepareAppend(io, table.metadata, [a, b, y]))
    await table.commit(
      prepareOverwrite(io, table.metadata, { remove: { files: [ref(a)] }, add: [await table.file(1, 5)] }),
    )
    expect(table.ids()).toEqual([1, 1, 2, 2, 3, 3, 4, 5, ...range(11, 20)])
    await table.commit(prepareDelete(io, table.metadata, { filter: { op: '=', field: 2, value: 'y' } }))
    expect(table.ids()).toEqual([...range(1, 5), ...range(11, 20)])
    await table.commit(
      prepareOverwrite(io, table.metadata, { remove: { partitions: 'dynamic' }, add: [await table.file(7, 9)] }),
    )
    const seen = table.seen()
    expect(seen).toMatchObject({
      version,
      inspected: { data_files: 1, delete_files: 0, files: 1 },
      summary: { operation: 'overwrite', 'replace-partitions': 'true', 'total-records': '3' },
    })
    expect(table.ids()).toEqual([7, 8, 9])
    expect(seen.entries.filter(({ status }) => status === 'DELETED')).toHaveLength(2)
    expect(seen.entries[0]).toMatchObject({ status: 'ADDED', partition: ['x'], splits: [4] })
  })

  test('version 2: rows deleted by position, updated, compacted, on a branch', async () => {
    const table = new Table(2)
    const [a, b] = [await table.file(1, 10), await table.file(11, 20)]
    await table.commit(prepareAppend(io, table.metadata, [a, b]))
    await table.commit(prepareRowDelta(io, table.metadata, { addDeletes: [await table.positions(a, 0, 9)] }))
    expect(table.ids()).toEqual(range(2, 9).concat(range(11, 20)))
    expect(table.seen()).toMatchObject({ inspected: { data_files: 2, delete_files: 1, entries: 3 } })
    await table.change(createTag(table.metadata, 'before'))
    await table.commit(
      prepareRowDelta(io, table.metadata, {
        addDeletes: [await table.positions(b, 0)],
        addFiles: [await table.file(100, 100)],
      }),
    )
    expect(table.ids()).toEqual([...range(2, 9), ...range(12, 20), 100])
    await table.commit(
      prepareRewrite(io, table.metadata, {
        remove: { files: [ref(a)] },
        add: { files: [await table.file(2, 9)] },
      }),
    )
    expect(table.ids()).toEqual([...range(2, 9), ...range(12, 20), 100])
    expect(table.ids('before')).toEqual([...range(2, 9), ...range(11, 20)])
    expect(table.seen()).toMatchObject({ summary: { operation: 'replace' }, refs: { main: 'branch', before: 'tag' } })
  })

  test('changed schemas and partitions, through all versions', async () => {
    const table = new Table(1)
    await table.commit(prepareAppend(io, table.metadata, [await table.file(1, 2)]))
    await table.change(evolveSpec(table.metadata).remove('p').add('id', { kind: 'bucket', buckets: 4 }).change())
    await table.commit(prepareAppend(io, table.metadata, [{ ...(await table.file(3, 3)), partition: [null, 3] }]))
    expect(table.seen().spec).toEqual(['p:1000 void', 'id_bucket_4:1001 bucket[4]'])
    await table.change(upgradeFormat(table.metadata, 2))
    await table.change(
      evolveSchema(table.metadata).rename('id', 'key').add('n', { kind: 'long' }, { place: 'first' }).change(),
    )
    await table.commit(prepareAppend(io, table.metadata, [{ ...(await table.file(4, 4)), partition: [null, 1] }]))
    const seen = table.seen()
    expect(seen.schema).toEqual(['n:3', 'key:1', 'p:2'])
    expect((seen.rows as unknown as { key: number; n: null }[]).map(({ key, n }) => [key, n]).sort()).toEqual([
      [1, null],
      [2, null],
      [3, null],
      [4, null],
    ])
    await table.change(upgradeFormat(table.metadata, 3))
    await table.commit(prepareAppend(io, table.metadata, [{ ...(await table.file(5, 6)), partition: [null, 0] }]))
    expect(table.seen()).toMatchObject({ version: 3, inspected: { data_files: 4 } })
    expect(table.seen().rows).toHaveLength(6)
  })

  test('what it committed, we overwrite, and it appends again', async () => {
    const table = new Table(2)
    await table.commit(prepareAppend(io, table.metadata, [await table.file(1, 3)]))
    const appended = run('append.py', table.location, JSON.stringify([{ id: 9, p: 'y' }])).trim()
    table.metadata = await readTableMetadata(io, appended)
    table.location = appended
    await table.commit(prepareDelete(io, table.metadata, { filter: { op: '=', field: 2, value: 'y' } }))
    expect(table.ids()).toEqual([1, 2, 3])
    const again = run('append.py', table.location, JSON.stringify([{ id: 10, p: 'x' }])).trim()
    const metadata = await readTableMetadata(io, again)
    expect((await planScan(io, metadata)).totals).toMatchObject({ files: 2, records: 4 })
  })
})
