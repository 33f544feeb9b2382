// Tables that we write, read by PyIceberg, and the other way round. Runs where PYICEBERG_PYTHON names a
// Python with `pyiceberg[pyarrow,sql-sqlite,pyiceberg-core]`.

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
  applyTransform,
  applyUpdates,
  currentSchema,
  newTableMetadata,
  parseTransform,
  partitionPath,
  planScan,
  prepareAppend,
  prepareReplace,
  readTableMetadata,
  schemaForReplace,
  writeTableMetadata,
  type NewDataFile,
  type NewField,
  type PreparedWrite,
  type TableMetadata,
  type Value,
} from '../../../src/iceberg/index.ts'

const python = process.env.PYICEBERG_PYTHON
const run = (script: string, ...args: string[]) =>
  execFileSync(python!, [join(import.meta.dirname, script), ...args], { encoding: 'utf8' })
type Seen = {
  rows: Record<string, unknown>[]
  files: number
  snapshots: [string, string][]
  history: number
  spec: [string, string][]
  entries: [string, number][]
}
const check = (location: string, ...args: string[]) => JSON.parse(run('check_table.py', location, ...args)) as Seen

const root = mkdtempSync(join(tmpdir(), 'boathouse conformance ü-'))
afterAll(() => rm(root, { recursive: true }))
const io = localFileIO({ sync: false })

/** One table on the disk and the metadata file that is current. */
class Table {
  metadata: TableMetadata
  location = ''
  constructor(options: Omit<Parameters<typeof newTableMetadata>[0], 'uuid' | 'location' | 'nowMs'>) {
    const location = fileLocation(join(root, `t-${randomUUID().slice(0, 8)}`))
    this.metadata = newTableMetadata({ ...options, uuid: randomUUID(), location, nowMs: Date.now() })
  }
  async commit(prepared: PreparedWrite): Promise<bigint> {
    const previous = this.location || undefined
    const { updates, snapshot } = await prepared.on(this.metadata, { nowMs: Date.now() })
    this.metadata = applyUpdates(this.metadata, updates, { nowMs: Date.now(), previous })
    this.location = await writeTableMetadata(io, this.metadata, { previous })
    return snapshot.snapshotId
  }
  /** A Parquet file of the rows of a SELECT, with the field ids of the schema. */
  async file(
    select: string,
    partition: (Value | null)[] = [],
    schema = currentSchema(this.metadata),
  ): Promise<NewDataFile> {
    const folder =
      partition.length === 0 ? '' : `${partitionPath(this.metadata.partitionSpecs.at(-1)!, schema, partition)}/`
    const path = `${this.metadata.location}/data/${folder}${randomUUID()}.parquet`
    await mkdir(localPath(path).replace(/\/[^/]*$/, ''), { recursive: true })
    const instance = await DuckDBInstance.create()
    const connection = await instance.connect()
    const ids = schema.fields.map(
      ({ name, id, type }) =>
        `"${name}": ${type.kind === 'list' ? `{__duckdb_field_id: ${id}, element: ${type.elementId}}` : id}`,
    )
    await connection.run(`COPY (${select}) TO '${localPath(path)}' (FORMAT parquet, FIELD_IDS {${ids.join(', ')}})`)
    const [[count]] = (
      await connection.runAndReadAll(`SELECT count(*)::INT FROM read_parquet('${localPath(path)}')`)
    ).getRowsJS() as [[number]]
    connection.closeSync()
    instance.closeSync()
    return { path, recordCount: count, fileSizeBytes: (await stat(localPath(path))).size, partition }
  }
}

describe.skipIf(!python)('PyIceberg', () => {
  test('reads every type, appended and replaced, and travels in time', async () => {
    const columns: NewField[] = [
      { name: 'l', type: { kind: 'long' }, required: true },
      { name: 'i', type: { kind: 'int' } },
      { name: 'f', type: { kind: 'float' } },
      { name: 'd', type: { kind: 'double' } },
      { name: 'b', type: { kind: 'boolean' } },
      { name: 'm', type: { kind: 'decimal', precision: 12, scale: 2 }, doc: 'money' },
      { name: 'day', type: { kind: 'date' } },
      { name: 't', type: { kind: 'time' } },
      { name: 'at', type: { kind: 'timestamp' } },
      { name: 'atz', type: { kind: 'timestamptz' } },
      { name: 's', type: { kind: 'string' } },
      { name: 'bin', type: { kind: 'binary' } },
      { name: 'tags', type: { kind: 'list', elementId: 0, elementRequired: false, element: { kind: 'string' } } },
    ]
    const table = new Table({ schema: columns, properties: { 'write.metadata.compression-codec': 'gzip' } })
    const row = `SELECT 1::BIGINT l, 2::INT i, 1.5::FLOAT f, 'NaN'::DOUBLE d, true b, 12.34::DECIMAL(12,2) m, DATE '2024-03-31' AS day, TIME '12:00:00.5' t,
      TIMESTAMP '2024-03-31 12:00:00' AS at, TIMESTAMPTZ '2024-03-31 12:00:00+00' atz, 'ünï' s, '\\x00\\xFF'::BLOB bin, ['a', NULL] tags`
    const first = await table.commit(await prepareAppend(io, table.metadata, [await table.file(row)]))
    await table.commit(
      await prepareAppend(io, table.metadata, [
        await table.file(row.replace('1::BIGINT', '2::BIGINT').replace("'ünï'", 'NULL::VARCHAR')),
      ]),
    )
    const seen = check(table.location)
    expect(seen.rows.sort((a, b) => Number(a.l) - Number(b.l))).toEqual([
      {
        l: 1,
        i: 2,
        f: 1.5,
        d: 'NaN',
        b: true,
        m: '12.34',
        day: '2024-03-31',
        t: '12:00:00.500000',
        at: '2024-03-31T12:00:00',
        atz: '2024-03-31T12:00:00+00:00',
        s: 'ünï',
        bin: '00ff',
        tags: ['a', null],
      },
      expect.objectContaining({ l: 2, s: null }),
    ])
    const schema = schemaForReplace(table.metadata, [
      { name: 's', type: { kind: 'string' } },
      { name: 'new', type: { kind: 'long' } },
    ])
    await table.commit(
      await prepareReplace(io, table.metadata, [await table.file(`SELECT 'x' s, 7::BIGINT "new"`, [], schema)], {
        schema,
      }),
    )
    expect(check(table.location)).toMatchObject({
      rows: [{ s: 'x', new: 7 }],
      snapshots: [
        [expect.anything(), 'append'],
        [expect.anything(), 'append'],
        [expect.anything(), 'overwrite'],
      ],
      history: 3,
      entries: [
        ['ADDED', 1],
        ['DELETED', 1],
        ['DELETED', 1],
      ],
    })
    expect(check(table.location, String(first)).rows).toMatchObject([{ l: 1 }])
  })

  const source = { l: 1_234n, day: 19_813, at: 1_711_886_400_000_000n, s: 'North/ä' } as const
  test.each([
    ['l', 'identity', 'l = 1234'],
    ['l', 'bucket[16]', 'l = 1234'],
    ['l', 'truncate[100]', 'l >= 1200'],
    ['s', 'identity', "s = 'North/ä'"],
    ['s', 'bucket[8]', "s = 'North/ä'"],
    ['s', 'truncate[2]', "s LIKE 'North%'"],
    ['day', 'month', "day >= '2024-03-01'"],
    ['day', 'day', "day = '2024-03-31'"],
    ['at', 'year', "at < '2025-01-01T00:00:00'"],
    ['at', 'hour', "at = '2024-03-31T12:00:00'"],
    ['l', 'void', 'l = 1234'],
  ] as const)('finds the file of %s partitioned by %s, and prunes the other', async (column, text, filter) => {
    const transform = parseTransform(text)
    const columns: NewField[] = [
      { name: 'l', type: { kind: 'long' } },
      { name: 'day', type: { kind: 'date' } },
      { name: 'at', type: { kind: 'timestamp' } },
      { name: 's', type: { kind: 'string' } },
    ]
    const table = new Table({ schema: columns, spec: [{ column, transform, name: `${column} pärt` }] })
    const type = columns.find(({ name }) => name === column)!.type
    const value = applyTransform(transform, type, source[column])
    const files = [
      await table.file(
        `SELECT 1234::BIGINT l, DATE '2024-03-31' AS day, TIMESTAMP '2024-03-31 12:00:00' AS at, 'North/ä' s`,
        [value],
      ),
      await table.file('SELECT NULL::BIGINT l, NULL::DATE AS day, NULL::TIMESTAMP AS at, NULL::VARCHAR s', [null]),
    ]
    await table.commit(await prepareAppend(io, table.metadata, files))
    expect(check(table.location)).toMatchObject({ files: 2, spec: [[`${column} pärt`, text]] })
    const seen = check(table.location, '--filter', filter)
    expect(seen.rows).toMatchObject([{ l: 1234, s: 'North/ä' }])
    if (text !== 'void') expect(seen.files).toBe(1)
  })

  test('reads merged manifests', async () => {
    const table = new Table({
      schema: [{ name: 'n', type: { kind: 'long' } }],
      properties: { 'commit.manifest.min-count-to-merge': '3' },
    })
    for (let n = 0; n < 7; n++)
      await table.commit(await prepareAppend(io, table.metadata, [await table.file(`SELECT ${n}::BIGINT n`)]))
    const seen = check(table.location)
    expect(seen.rows.map(({ n }) => n).sort()).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(seen.entries.filter(([status]) => status === 'EXISTING').length).toBeGreaterThan(3)
  })

  test('appends to our table, we to theirs, and both read all', async () => {
    const table = new Table({
      schema: [
        { name: 'n', type: { kind: 'long' } },
        { name: 's', type: { kind: 'string' } },
      ],
      spec: [{ column: 's', transform: parseTransform('identity') }],
    })
    await table.commit(await prepareAppend(io, table.metadata, [await table.file("SELECT 1::BIGINT n, 'a' s", ['a'])]))
    table.location = run('append.py', table.location, '[{"n": 2, "s": "b"}, {"n": 3, "s": null}]').trim()
    table.metadata = await readTableMetadata(io, table.location)
    await table.commit(await prepareAppend(io, table.metadata, [await table.file("SELECT 4::BIGINT n, 'a' s", ['a'])]))
    expect(
      (await planScan(io, table.metadata)).files.map(({ partition, sequenceNumber }) => [
        partition[0],
        Number(sequenceNumber),
      ]),
    ).toEqual(
      expect.arrayContaining([
        ['a', 1],
        ['b', 2],
        [null, 2],
        ['a', 3],
      ]),
    )
    expect((await planScan(io, table.metadata, { predicate: { op: '=', field: 1, value: 2n } })).files).toHaveLength(3) // ours had no bounds
    expect(
      check(table.location)
        .rows.map(({ n }) => n)
        .sort(),
    ).toEqual([1, 2, 3, 4])
    const last = table.metadata.snapshots.at(-1)!
    expect(last.summary).toMatchObject({ 'total-records': '4', 'total-data-files': '4' })
  })
})
