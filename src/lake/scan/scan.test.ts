// What deletes leave, and what columns of files become: against a model in TypeScript and files made by DuckDB. Tables of
// Spark and PyIceberg are read in test/conformance/reading.

import { mkdirSync, mkdtempSync } from 'node:fs'
import { copyFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openEngine, type Engine } from '../../engine/index.ts'
import {
  encodeBound,
  encodeDeletionVectors,
  newTableMetadata,
  parseSchema,
  Positions,
  type DataFile,
  type ScanDelete,
  type ScanFile,
  type Schema,
  type TableMetadata,
  type Value,
} from '../../iceberg/index.ts'
import { localFileIO } from '../../io/index.ts'
import { cutColumn, scanSql, type ScanSource } from './scan.ts'

const folder = mkdtempSync(join(tmpdir(), 'boathouse-scan-'))
const io = localFileIO({ sync: false })
let engine: Engine
beforeAll(() => {
  mkdirSync(join(folder, 'data'))
  engine = openEngine({
    memoryBytes: 2 ** 30,
    threads: 2,
    tempDirectory: join(folder, 'temp'),
    tempBytes: 2 ** 30,
    timeZone: 'Asia/Tokyo',
    directories: [join(folder, 'data')],
    classes: ['write', 'interactive'],
  })
})
afterAll(async () => {
  await engine.close()
  await rm(folder, { recursive: true })
})

let files = 0
/** A Parquet file of a SELECT; `ids` as COPY's FIELD_IDS, or none. */
async function parquet(select: string, ids?: string): Promise<string> {
  const path = join(folder, 'data', `${files++}.parquet`)
  const how = ids === undefined ? '' : `, FIELD_IDS ${ids}`
  await engine.rows({ class: 'write', sql: `COPY (${select}) TO '${path}' (FORMAT parquet${how})` })
  return path
}

const dataFile = (path: string, more: Partial<DataFile> = {}): DataFile => ({
  content: 'data',
  path,
  format: 'parquet',
  specId: 0,
  partition: [],
  recordCount: 1,
  fileSizeBytes: 1,
  ...more,
})
function scanFile(file: DataFile, sequence = 1, deletes: ScanDelete[] = []): ScanFile {
  const { path, format, recordCount, fileSizeBytes, specId, partition } = file
  const place = { path, format, recordCount, fileSizeBytes, specId, partition }
  return {
    ...place,
    sequenceNumber: BigInt(sequence),
    fileSequenceNumber: BigInt(sequence),
    snapshotId: 1n,
    deletes,
    file,
  }
}

const schemaOf = (fields: unknown[]) => parseSchema({ type: 'struct', 'schema-id': 0, fields })
const column = (id: number, name: string, type: unknown, more: object = {}) => ({
  id,
  name,
  type,
  required: false,
  ...more,
})
function metadataOf(schema: Schema, more: Partial<TableMetadata> = {}): TableMetadata {
  const table = newTableMetadata({
    schema: [],
    uuid: 'f79c3e09-677c-4bbd-a479-3f349cb785e7',
    location: folder,
    nowMs: 0,
  })
  return { ...table, schemas: [schema], ...more }
}
async function rowsOf(schema: Schema, files: ScanFile[], more: Partial<ScanSource> = {}): Promise<unknown[][]> {
  const sql = await scanSql({ table: 'raw.t', metadata: metadataOf(schema), schema, files, io, engine, ...more })
  return engine.rows({ class: 'interactive', sql: `SELECT * FROM ${sql} t` })
}

/** Joins keep no order. */
const sorted = (all: unknown[][]) => all.map((row) => JSON.stringify(row)).toSorted()

// --- deletes

const simple = schemaOf([column(1, 'id', 'long'), column(2, 'c', 'string')])
const twoSpecs: Partial<TableMetadata> = {
  partitionSpecs: [
    { specId: 0, fields: [] },
    { specId: 1, fields: [{ sourceIds: [2], fieldId: 1000, name: 'c', transform: { kind: 'identity' } }] },
  ],
}
type Row = { id: number; c: string | null }
type Key = { id?: number | null; c?: string | null }

const someDeletes = fc.record({
  data: fc.array(
    fc.record({
      sequence: fc.integer({ min: 1, max: 4 }),
      part: fc.constantFrom<string | null>('a', 'b', null),
      // Few of many rows are left out in another way than many of few.
      rows: fc.constantFrom(12, 600),
    }),
    {
      minLength: 1,
      maxLength: 4,
    },
  ),
  positions: fc.array(
    fc.tuple(fc.integer({ min: 1, max: 5 }), fc.array(fc.tuple(fc.nat(3), fc.nat(11)), { maxLength: 8 })),
    {
      maxLength: 2,
    },
  ),
  vectors: fc.array(fc.tuple(fc.nat(3), fc.uniqueArray(fc.nat(11), { minLength: 1 })), { maxLength: 2 }),
  keys: fc.array(
    fc.record({
      sequence: fc.integer({ min: 1, max: 5 }),
      part: fc.constantFrom<string | null | undefined>('a', null, undefined),
      by: fc.constantFrom<(keyof Key)[]>(['id'], ['c'], ['id', 'c']),
      rows: fc.array(fc.record({ id: fc.option(fc.nat(11)), c: fc.constantFrom('a', 'b', null) }), {
        minLength: 1,
        maxLength: 3,
      }),
    }),
    { maxLength: 3 },
  ),
})

test('what is deleted by position, vector and value is what the specification says', { timeout: 3_600_000 }, () =>
  fc.assert(
    fc.asyncProperty(someDeletes, async ({ data, positions, vectors, keys }) => {
      const text = (value: string | null) => (value === null ? 'NULL' : `'${value}'`)
      const kept: Row[] = []
      const entries = await Promise.all(
        data.map(async ({ part, rows }) => {
          const select = `SELECT range AS id, ${text(part)}::VARCHAR AS c FROM range(${rows})`
          return dataFile(await parquet(select, '{id: 1, c: 2}'), { specId: 1, partition: [part], recordCount: rows })
        }),
      )
      const positionFiles = await Promise.all(
        positions.flatMap(([sequence, all]) =>
          // One file a partition, as the specification wants it.
          [...new Set(data.map(({ part }) => part))].map(async (part) => {
            const own = all.filter(([file]) => data[file]?.part === part && data[file])
            const rows = [[-1, 0] as const, ...own].map(
              ([file, pos]) => `('${entries[file]?.path ?? 'none'}', ${pos}::BIGINT)`,
            )
            const path = await parquet(`SELECT * FROM (VALUES ${rows.join()}) v(file_path, pos) ORDER BY ALL`)
            return {
              file: dataFile(path, { content: 'position-deletes', specId: 1, partition: [part] }),
              sequence,
              own,
            }
          }),
        ),
      )
      const byFile = new Map(vectors.filter(([file]) => file < data.length))
      const { bytes, blobs } = encodeDeletionVectors(
        [...byFile].map(([file, all]) => ({ referencedDataFile: entries[file]!.path, positions: new Positions(all) })),
      )
      const puffin = join(folder, 'data', `${files++}.puffin`)
      await io.create(puffin, bytes)
      const keyFiles = await Promise.all(
        keys.map(async (key) => {
          const rows = key.rows.map(({ id, c }) => `(${id}::BIGINT, ${text(c)}::VARCHAR)`)
          const select = `SELECT ${key.by.join()} FROM (VALUES ${rows.join()}) v(id, c)`
          const ids = key.by.map((name) => ({ id: 1, c: 2 })[name])
          const path = await parquet(select, `{${key.by.map((name, at) => `${name}: ${ids[at]}`).join()}}`)
          const place = key.part === undefined ? { specId: 0, partition: [] } : { specId: 1, partition: [key.part] }
          return { ...key, file: dataFile(path, { content: 'equality-deletes', equalityIds: ids, ...place }) }
        }),
      )
      const scan = entries.map((file, index) => {
        const { sequence, part, rows } = data[index]!
        const blob = blobs.find(({ referencedDataFile }) => referencedDataFile === file.path)
        const vector = blob && {
          file: dataFile(puffin, {
            content: 'position-deletes',
            format: 'puffin',
            recordCount: blob.cardinality,
            referencedDataFile: file.path,
            contentOffset: blob.offset,
            contentSizeBytes: blob.length,
          }),
          sequenceNumber: 9n,
        }
        const listed = vector
          ? []
          : positionFiles.filter((one) => one.sequence >= sequence && one.file.partition[0] === part)
        const valued = keyFiles.filter(
          (one) => one.sequence > sequence && (one.part === undefined || one.part === part),
        )
        for (let id = 0; id < rows; id++) {
          const isGone =
            vector !== undefined
              ? byFile.get(index)!.includes(id)
              : listed.some(({ own }) => own.some(([of, pos]) => of === index && pos === id))
          const row: Row = { id, c: part }
          const isMatched = valued.some(({ by, rows: keys }) =>
            keys.some((key) => by.every((name) => key[name] === row[name])),
          )
          if (!isGone && !isMatched) kept.push(row)
        }
        const deletes = [...listed, ...valued].map(({ file, sequence }) => ({ file, sequenceNumber: BigInt(sequence) }))
        return scanFile(file, sequence, [...(vector ? [vector] : []), ...deletes])
      })
      const rows = await rowsOf(simple, scan, { metadata: metadataOf(simple, twoSpecs) })
      expect(sorted(rows)).toEqual(sorted(kept.map(({ id, c }) => [id, c])))
    }),
    {
      numRuns: Number(process.env.SOAK_CASES ?? (process.env.SOAK ? 1000 : 15)),
      ...(process.env.SOAK ? {} : { seed: 4 }),
    },
  ),
)

test('deletes by value of a column that was dropped, renamed or widened since', async () => {
  const path = await parquet(
    'SELECT range AS id, range::INTEGER AS n, range % 3 AS gone FROM range(6)',
    '{id: 1, n: 2, gone: 3}',
  )
  const by = async (id: number, value: string) => {
    const file = await parquet(`SELECT ${value} AS k`, `{k: ${id}}`)
    return { file: dataFile(file, { content: 'equality-deletes', equalityIds: [id] }), sequenceNumber: 2n }
  }
  const then = schemaOf([column(1, 'id', 'long'), column(2, 'n', 'int'), column(3, 'gone', 'long')])
  const now = { ...schemaOf([column(1, 'id', 'long'), column(2, 'number', 'long')]), schemaId: 1 }
  const files = [scanFile(dataFile(path), 1, [await by(2, '5::INTEGER'), await by(3, '1::BIGINT')])]
  const metadata = metadataOf(now, { schemas: [then, now], currentSchemaId: 1 })
  expect(sorted(await rowsOf(now, files, { metadata }))).toEqual(sorted([0, 2, 3].map((id) => [id, id])))
  const unknown = scanFile(dataFile(path), 1, [await by(9, '1')])
  await expect(rowsOf(now, [unknown], { metadata })).rejects.toMatchObject({
    code: 'METADATA_INVALID',
    message: 'raw.t: equality deletes compare field 9, which is not known',
  })
})

test('deletes by value in files without ids, and of texts that are stored as bytes', async () => {
  const select = "SELECT * FROM (VALUES (1::BIGINT, 'ä'), (2, 'b'), (NULL, NULL)) v(id, c)"
  const path = await parquet(select, '{id: 1, c: 2}')
  const by = async (id: number, value: string, ids?: string) => ({
    file: dataFile(await parquet(value, ids), { content: 'equality-deletes', equalityIds: [id] }),
    sequenceNumber: 2n,
  })
  const left = async (...deletes: ScanDelete[]) =>
    (await rowsOf(simple, [scanFile(dataFile(path), 1, deletes)])).map(([id]) => id)
  expect(await left(await by(1, 'SELECT 1::BIGINT AS id'))).toEqual([2, null])
  expect(await left(await by(2, "SELECT encode('ä') AS c", '{c: 2}'))).toEqual([2, null])
})

test('a partition column that a file lacks has the value of its partition, whatever the statistics say', async () => {
  const counts = {
    valueCounts: new Map([1, 2].map((id) => [id, 1])),
    columnSizes: new Map([1, 2].map((id) => [id, 9])),
  }
  const files = await Promise.all(
    [...'ab'].map(async (part, id) =>
      scanFile(dataFile(await parquet(`SELECT ${id} AS id`, '{id: 1}'), { specId: 1, partition: [part], ...counts })),
    ),
  )
  const whole = scanFile(dataFile(await parquet("SELECT 2 AS id, 'c' AS c", '{id: 1, c: 2}'), counts))
  const metadata = metadataOf(simple, twoSpecs)
  for (const all of [files, [whole, ...files], [...files, whole]])
    expect(sorted(await rowsOf(simple, all, { metadata }))).toEqual(
      sorted([[0, 'a'], [1, 'b'], ...(all.includes(whole) ? [[2, 'c']] : [])]),
    )
})

test('conditions reach the Parquet reader, through deletes too', async () => {
  const path = await parquet('SELECT range AS id, range::VARCHAR AS c FROM range(100)', '{id: 1, c: 2}')
  const deletes = await parquet(`SELECT '${path}' AS file_path, 7::BIGINT AS pos`)
  const vectors = { file: dataFile(deletes, { content: 'position-deletes' }), sequenceNumber: 2n }
  for (const one of [scanFile(dataFile(path)), scanFile(dataFile(path), 1, [vectors])]) {
    const sql = await scanSql({ table: 't', metadata: metadataOf(simple), schema: simple, files: [one], io, engine })
    const plan = await engine.rows({ class: 'interactive', sql: `EXPLAIN SELECT c FROM ${sql} t WHERE id = 8` })
    expect(String(plan[0]![1])).toMatch(/Filters:\s*│?\s*│?\s*(id|c1)=8/)
  }
})

// --- columns

test('rows say where they are and who they are', async () => {
  const plain = await parquet(`SELECT range AS id, 'p' AS c FROM range(3)`, '{id: 1, c: 2}')
  const moved = await parquet(
    `SELECT 10 AS id, 'm' AS c, 77::BIGINT AS _row_id, 5::BIGINT AS _last_updated_sequence_number UNION ALL SELECT 11, 'm', 78, NULL`,
    '{id: 1, c: 2, _row_id: 2147483540, _last_updated_sequence_number: 2147483539}',
  )
  const files = [
    scanFile(dataFile(plain, { firstRowId: 1000n }), 3),
    scanFile(dataFile(moved, { firstRowId: 2000n }), 6),
    scanFile(dataFile(plain.replace('file', '')), 2),
  ]
  const rows = await rowsOf(simple, files, { columns: { file: true, position: true, rowId: true } })
  expect(sorted(rows)).toEqual(
    sorted([
      [0, 'p', plain, 0, 1000, 3],
      [1, 'p', plain, 1, 1001, 3],
      [2, 'p', plain, 2, 1002, 3],
      [10, 'm', moved, 0, 77, 5],
      [11, 'm', moved, 1, 78, 6],
      [0, 'p', plain, 0, null, 2],
      [1, 'p', plain, 1, null, 2],
      [2, 'p', plain, 2, null, 2],
    ]),
  )
})

test('every type, present and absent, with its default', async () => {
  const types: [string, string, string, unknown, unknown][] = [
    ['boolean', 'true', 'true', true, true],
    ['int', '1', '2', 2, 1],
    ['long', '9007199254740993', '3', 3, '9007199254740993'],
    ['float', '1.5', '2.5', 2.5, 1.5],
    ['double', '"NaN"', "'Infinity'", 'Infinity', null],
    ['decimal(38,2)', '"-0.01"', '12.30', '12.30', '-0.01'],
    ['date', '"2024-02-29"', "'1969-12-31'", '1969-12-31', '2024-02-29'],
    ['time', '"12:00:00.000001"', "'23:59:59'", '23:59:59', '12:00:00.000001'],
    ['timestamp', '"2024-01-01T00:00:00.5"', "'2024-01-01 01:00:00'", '2024-01-01 01:00:00', '2024-01-01 00:00:00.5'],
    [
      'timestamptz',
      '"2024-01-01T00:00:00+00:00"',
      "'2024-01-01 01:00:00Z'",
      '2024-01-01T01:00:00Z',
      '2024-01-01T00:00:00Z',
    ],
    [
      'timestamp_ns',
      '"2024-01-01T00:00:00.123456789"',
      "'2024-01-01 00:00:00.000000001'",
      '2024-01-01 00:00:00.000000001',
      '2024-01-01 00:00:00.123456789',
    ],
    [
      'timestamptz_ns',
      '"2024-01-01T00:00:00.123456+00:00"',
      "'2024-01-01 00:00:00Z'",
      '2024-01-01T00:00:00Z',
      '2024-01-01T00:00:00.123456Z',
    ],
    ['string', '"d\'ä"', "'v'", 'v', "d'ä"],
    [
      'uuid',
      '"f79c3e09-677c-4bbd-a479-3f349cb785e7"',
      "'00000000-0000-0000-0000-000000000001'",
      '00000000-0000-0000-0000-000000000001',
      'f79c3e09-677c-4bbd-a479-3f349cb785e7',
    ],
    ['fixed[2]', '"00ff"', "'\\x01\\x02'", 'AQI=', 'AP8='],
    ['binary', '"27"', "'a'", 'YQ==', 'Jw=='],
  ]
  const sqlTypes: Record<string, string> = {
    long: 'BIGINT',
    string: 'VARCHAR',
    binary: 'BLOB',
    'fixed[2]': 'BLOB',
    timestamptz: 'TIMESTAMPTZ',
    timestamptz_ns: 'TIMESTAMPTZ',
  }
  const usable = types.filter(([type]) => type !== 'double')
  const schema = schemaOf([
    column(100, 'present', 'unknown'),
    ...usable.flatMap(([type, initial], index) =>
      [
        column(index + 1, `here_${index}`, type),
        column(index + 50, `gone_${index}`, type, {
          'initial-default': JSON.parse(initial.replace(/^(\d{16,})$/, '"$1"')) as unknown,
        }),
      ].map((field) =>
        type === 'long' && 'initial-default' in field ? { ...field, 'initial-default': 9007199254740993n } : field,
      ),
    ),
  ])
  const select = usable.map(([type, , sql], index) => `${sql}::${sqlTypes[type] ?? type} AS x${index}`)
  const ids = usable.map((_, index) => `x${index}: ${index + 1}`)
  const path = await parquet(`SELECT ${select.join()}`, `{${ids.join()}}`)
  expect(await rowsOf(schema, [scanFile(dataFile(path))])).toEqual([
    [null, ...usable.flatMap(([, , , here, gone]) => [here, gone])],
  ])
})

test('variants are read as JSON; where there is none, there is no null of JSON either', async () => {
  const schema = schemaOf([column(1, 'id', 'long'), column(2, 'v', 'variant'), column(3, 'later', 'variant')])
  const path = await parquet(
    `SELECT 1::BIGINT AS id, {'a': [1, 2.50], 'b': DATE '2024-01-01'}::VARIANT AS v
     UNION ALL SELECT 2, NULL ORDER BY 1`,
    '{id: 1, v: 2}',
  )
  const file = scanFile(dataFile(path, { recordCount: 2 }))
  expect(await rowsOf(schema, [file])).toEqual([
    [1, '{"a":[1.00,2.50],"b":"2024-01-01"}', null],
    [2, null, null],
  ])
  expect((await cutColumn({ table: 'raw.t', schema, engine }, [file]))?.message).toBe(
    'the column "v" has the Iceberg type variant, which is read and not written here',
  )
})

test('rows with nanoseconds and a time zone are not written again, as they would lose some', async () => {
  const schema = schemaOf([column(1, 'at', 'timestamptz_ns')])
  const cutIn = async (sql: string) => {
    const file = scanFile(dataFile(await parquet(`SELECT ${sql} AS moment`, '{moment: 1}')))
    return (await cutColumn({ table: 'raw.t', schema, engine }, [file]))?.message
  }
  expect(await cutIn(`TIMESTAMPTZ '2024-01-01 00:00:00Z'`)).toBeUndefined()
  const path = join(import.meta.dirname, '../../../test/golden/parquet/zoned-nanoseconds.parquet')
  const copy = join(folder, 'data', 'zoned.parquet')
  await copyFile(path, copy)
  const cut = await cutColumn({ table: 'raw.t', schema, engine }, [scanFile(dataFile(copy))])
  expect(cut?.message).toMatch(/^the column "at" of raw.t has nanoseconds with a time zone/)
})

// A file of pyarrow's: row groups of three, whose statistics leave out the NaN that one of them has beside 0.5.
test.each(['f', 'g', 's.x'])('rows with NaN in %s are found beside numbers whose bounds leave them out', async (f) => {
  const schema = schemaOf([
    column(1, 'id', 'long'),
    column(2, 'f', 'double'),
    column(3, 's', { type: 'struct', fields: [column(4, 'x', 'double')] }),
    column(5, 'g', 'float'),
  ])
  const golden = join(import.meta.dirname, '../../../test/golden/parquet/nan-beside-numbers.parquet')
  const paths = ['nan-1', 'nan-2'].map((name) => join(folder, 'data', `${name}.parquet`))
  for (const path of paths) await copyFile(golden, path).catch(() => undefined)
  const found = async (files: ScanFile[], where: string) => {
    const sql = await scanSql({ table: 'raw.t', metadata: metadataOf(schema), schema, files, io, engine })
    return (
      await engine.rows({ class: 'interactive', sql: `SELECT DISTINCT id FROM ${sql} t WHERE ${where} ORDER BY id` })
    ).flat()
  }
  // One file is read by its own names, several by ids, and those with deletes by their places.
  const gone = await parquet(`SELECT '${paths[0]}' AS file_path, 0::BIGINT AS pos`)
  const deletes = [{ file: dataFile(gone, { content: 'position-deletes' }), sequenceNumber: 2n }]
  const [one, other] = paths.map((path) => scanFile(dataFile(path, { recordCount: 6 })))
  for (const files of [[one!], [one!, other!], [scanFile(one!.file, 1, deletes), other!]]) {
    expect(await found(files, `${f} > 1`)).toEqual([2, 3, 5])
    expect(await found(files, `${f} = 'NaN'`)).toEqual([2])
    expect(await found(files, `${f} <> 0.5`)).toEqual([2, 3, 4, 5])
    expect(await found(files, `${f} IN (7, 'NaN')`)).toEqual([2])
    expect(await found(files, `NOT (${f} <= 0.5)`)).toEqual([2, 3, 4, 5])
  }
})

test('zeros of both signs are found in files of others with Bloom filters', async () => {
  const schema = schemaOf([column(1, 'f', 'double')])
  const select = (from: number) =>
    `SELECT (CASE WHEN i % 3 = 0 THEN '-0.0' ELSE ${from} + i % 7 END)::DOUBLE AS f FROM range(3000) t(i)`
  const none = new Map([[1, 0]])
  const bounds = (lower: number, upper: number) => ({
    lowerBounds: new Map([[1, encodeBound({ kind: 'double' }, lower)!]]),
    upperBounds: new Map([[1, encodeBound({ kind: 'double' }, upper)!]]),
  })
  const path = await parquet(select(1), '{f: 1}')
  const found = async (more: Partial<DataFile>, where: string) => {
    const files = [scanFile(dataFile(path, { nanCounts: none, ...more }))]
    const sql = await scanSql({ table: 'raw.t', metadata: metadataOf(schema), schema, files, io, engine })
    const [[count]] = (await engine.rows({
      class: 'interactive',
      sql: `SELECT count(*) FROM ${sql} t WHERE ${where}`,
    })) as [[number]]
    return { count, isHeld: !sql.includes('greatest(') }
  }
  for (const where of ['f = 0', 'NOT (f <> 0.0)', "f = '-0.0'"]) {
    expect(await found({}, where)).toEqual({ count: 1000, isHeld: false })
    expect(await found(bounds(-0, 7), where)).toEqual({ count: 1000, isHeld: false })
  }
  // Where the manifests say that there is none, what Parquet says counts.
  expect(await found(bounds(1, 7), 'f = 1')).toMatchObject({ isHeld: true })
})

test('bytes are found in files with Bloom filters', async () => {
  const schema = schemaOf([
    column(1, 'b', 'binary'),
    column(2, 's', { type: 'struct', fields: [column(3, 'b', 'binary')] }),
  ])
  const value = `['\\x80'::BLOB, '\\x00\\xFF'::BLOB, 'abc'::BLOB][1 + i % 3]`
  const select = `SELECT ${value} AS b, {'b': ${value}} AS s FROM range(3000) t(i)`
  const [one, other] = await Promise.all(
    [1, 2].map(async () => scanFile(dataFile(await parquet(select, '{b: 1, s: {__duckdb_field_id: 2, b: 3}}')))),
  )
  for (const files of [[one!], [one!, other!]]) {
    const sql = await scanSql({ table: 'raw.t', metadata: metadataOf(schema), schema, files, io, engine })
    for (const bytes of [`'\\x80'`, `'\\x00\\xFF'`, `'abc'`])
      for (const of of ['b', 's.b'])
        expect(
          await engine.rows({
            class: 'interactive',
            sql: `SELECT count(*) FROM ${sql} t WHERE ${of} = ${bytes}::BLOB`,
          }),
        ).toEqual([[1000 * files.length]])
  }
})

test('bytes that nothing marks as a variant are not taken for one', async () => {
  const schema = schemaOf([column(1, 'id', 'long'), column(2, 'v', 'variant')])
  const path = await parquet(`SELECT 1::BIGINT AS id, {metadata: 'a'::BLOB, value: 'b'::BLOB} AS v`, '{id: 1, v: 2}')
  await expect(rowsOf(schema, [scanFile(dataFile(path))])).rejects.toThrow(
    'the column v is not marked as a variant in a data file',
  )
})

test.each([
  ['marked as a shape', `'POINT (1 2)'::GEOMETRY`],
  ['bytes', `st_aswkb('POINT (1 2)'::GEOMETRY)`],
])('shapes are read as well-known binary: %s', async (_, sql) => {
  const schema = schemaOf([column(1, 'g', 'geometry'), column(2, 'none', 'geography')])
  const path = await parquet(`SELECT ${sql} AS g UNION ALL SELECT NULL`, '{g: 1}')
  const point = Buffer.from('0101000000000000000000f03f0000000000000040', 'hex').toString('base64')
  expect(await rowsOf(schema, [scanFile(dataFile(path))])).toEqual([
    [point, null],
    [null, null],
  ])
})

const nested = (fields: unknown[]) => schemaOf([column(1, 'id', 'long'), column(2, 'st', { type: 'struct', fields })])
test.each([
  ['an added field', [column(3, 'a', 'int'), column(4, 'b', 'string')], { a: 1, b: null }],
  ['a widened field', [column(3, 'a', 'double')], { a: 1 }],
  [
    'a field with a default',
    [column(3, 'a', 'int'), column(5, 'd', 'string', { 'initial-default': 'x' })],
    { a: 1, d: 'x' },
  ],
  ['other fields only', [column(4, 'b', 'string')], { b: null }],
  ['a name that Parquet escapes', [column(3, 'a b', 'int')], { 'a b': 1 }],
])('inside a struct: %s', async (_, fields, st) => {
  const path = await parquet(
    `SELECT 1 AS id, {'a': 1} AS st UNION ALL SELECT 2, NULL`,
    '{id: 1, st: {__duckdb_field_id: 2, a: 3}}',
  )
  const before = nested([column(3, 'a', 'int')])
  const now = { ...nested(fields), schemaId: 1 }
  const rows = await rowsOf(now, [scanFile(dataFile(path))], { metadata: metadataOf(now, { schemas: [before, now] }) })
  expect(sorted(rows)).toEqual(
    sorted([
      [1, st],
      [2, null],
    ]),
  )
})

test('a UUID inside a struct that was written as bytes', async () => {
  const select = `SELECT {'u': from_hex('f79c3e09677c4bbda4793f349cb785e7')} AS st UNION ALL SELECT NULL`
  const path = await parquet(select, '{st: {__duckdb_field_id: 1, u: 2}}')
  const schema = schemaOf([column(1, 'st', { type: 'struct', fields: [column(2, 'u', 'uuid')] })])
  const rows = await rowsOf(schema, [scanFile(dataFile(path))])
  expect(sorted(rows)).toEqual(sorted([[{ u: 'f79c3e09-677c-4bbd-a479-3f349cb785e7' }], [null]]))
})

test('leaves that files store as another type hold its values, not their texts or the times of the session', async () => {
  const select = `SELECT encode('ä') AS s, 'ä' AS b, TIMESTAMP '2024-01-01' AS tz, TIMESTAMPTZ '2024-01-01 00:00:00+00' AS ts, {'s': encode('é')} AS st`
  const paths = [1, 2].map(() => parquet(select, '{s: 1, b: 2, tz: 3, ts: 4, st: {__duckdb_field_id: 5, s: 6}}'))
  const schema = schemaOf([
    column(1, 's', 'string'),
    column(2, 'b', 'binary'),
    column(3, 'tz', 'timestamptz'),
    column(4, 'ts', 'timestamp'),
    column(5, 'st', { type: 'struct', fields: [column(6, 's', 'string')] }),
  ])
  const files = (await Promise.all(paths)).map((path) => scanFile(dataFile(path)))
  const sql = await scanSql({ table: 'raw.t', metadata: metadataOf(schema), schema, files, io, engine })
  const asked = `SELECT s, b = encode('ä'), epoch_ms(tz), epoch_ms(ts), st.s FROM ${sql} t`
  const row = ['ä', true, 1704067200000, 1704067200000, 'é']
  expect(await engine.rows({ class: 'interactive', sql: asked })).toEqual([row, row])
})

test('lists of two levels, whose repeated group is the element', async () => {
  // By Spark 3.5 with spark.sql.parquet.writeLegacyFormat=true:
  // select 1 as id, array(named_struct('q', 1L), named_struct('q', 2L), null) as ls, array(named_struct('q', 1L, 'r', 2)) as l2,
  //   array(array(1, 2), null) as ll, map('a', array(named_struct('z', 1))) as m, array(1, null) as li
  // union all select 2, null, null, null, null, null
  const path = join(folder, 'data', 'two-levels.parquet')
  await copyFile(join(import.meta.dirname, '../../../test/golden/parquet/two-levels.parquet'), path)
  const list = (id: number, element: unknown) => ({
    type: 'list',
    'element-id': id,
    'element-required': false,
    element,
  })
  const struct = (...fields: unknown[]) => ({ type: 'struct', fields })
  const schema = schemaOf([
    column(1, 'id', 'int'),
    column(2, 'ls', list(3, struct(column(4, 'q', 'long')))),
    column(5, 'l2', list(6, struct(column(7, 'q', 'long'), column(8, 'r', 'int')))),
    column(9, 'll', list(10, list(11, 'int'))),
    column(12, 'm', {
      type: 'map',
      'key-id': 13,
      key: 'string',
      'value-id': 14,
      'value-required': false,
      value: list(15, struct(column(16, 'z', 'int'), column(17, 'later', 'string'))),
    }),
    column(18, 'li', list(19, 'int')),
  ])
  const rows = await rowsOf(schema, [scanFile(dataFile(path))])
  expect(sorted(rows)).toEqual(
    sorted([
      [
        1,
        [{ q: 1 }, { q: 2 }, null],
        [{ q: 1, r: 2 }],
        [[1, 2], null],
        [{ key: 'a', value: [{ z: 1, later: null }] }],
        [1, null],
      ],
      [2, null, null, null, null, null],
    ]),
  )
})

test('files without ids are found where others have some, and no mapping says so', async () => {
  const withIds = await parquet("SELECT 1::BIGINT AS id, 'a' AS c", '{id: 1, c: 2}')
  const without = await parquet("SELECT 2::BIGINT AS id, 'b' AS c")
  const all = [withIds, without].map((path) => scanFile(dataFile(path)))
  const rows = [
    [1, 'a'],
    [2, 'b'],
  ]
  for (const files of [all, all.toReversed()]) expect(sorted(await rowsOf(simple, files))).toEqual(sorted(rows))

  const others = ["SELECT 3::BIGINT AS id, 'c' AS c", "SELECT 4::BIGINT AS id, 'd' AS c"]
  const between = [await parquet(others[0]!, '{id: 1, c: 2}'), without, await parquet(others[1]!, '{id: 1, c: 2}')]
  const files = between.map((path, index) => ({ ...scanFile(dataFile(path)), snapshotId: BigInt(index) }))
  const third = [
    [3, 'c'],
    [2, 'b'],
    [4, 'd'],
  ]
  expect(sorted(await rowsOf(simple, files))).toEqual(sorted(third))
})

test('files without ids are read by their names', async () => {
  const path = await parquet(`SELECT 5 AS old, {'k': 1} AS st, [{'x': 1}, NULL] AS li, MAP {'m': {'y': 2}} AS m`)
  const schema = schemaOf([
    column(1, 'id', 'long'),
    column(2, 'st', { type: 'struct', fields: [column(3, 'k', 'long')] }),
    column(4, 'li', {
      type: 'list',
      'element-id': 5,
      'element-required': false,
      element: { type: 'struct', fields: [column(6, 'z', 'int')] },
    }),
    column(7, 'm', {
      type: 'map',
      'key-id': 8,
      key: 'string',
      'value-id': 9,
      'value-required': false,
      value: { type: 'struct', fields: [column(10, 'y', 'int')] },
    }),
    column(11, 'none', 'string'),
  ])
  const mapping = [
    { 'field-id': 1, names: ['id', 'old'] },
    { 'field-id': 2, names: ['st'], fields: [{ 'field-id': 3, names: ['k'] }] },
    {
      'field-id': 4,
      names: ['li'],
      fields: [{ 'field-id': 5, names: ['element'], fields: [{ 'field-id': 6, names: ['z', 'x'] }] }],
    },
    {
      'field-id': 7,
      names: ['m'],
      fields: [
        { 'field-id': 8, names: ['key'] },
        { 'field-id': 9, names: ['value'], fields: [{ 'field-id': 10, names: ['y'] }] },
      ],
    },
  ]
  const mapped = metadataOf(schema, { properties: { 'schema.name-mapping.default': JSON.stringify(mapping) } })
  const tail = [[{ key: 'm', value: { y: 2 } }], null]
  expect(await rowsOf(schema, [scanFile(dataFile(path))], { metadata: mapped })).toEqual([
    [5, { k: 1 }, [{ z: 1 }, null], ...tail],
  ])
  // Without a mapping: by the names of now.
  expect(await rowsOf(schema, [scanFile(dataFile(path))])).toEqual([[null, { k: 1 }, [{ z: null }, null], ...tail]])
  const twice = [mapping[0], { 'field-id': 11, names: ['other', ...mapping[0]!.names] }]
  for (const text of ['{', JSON.stringify(twice)]) {
    const broken = metadataOf(schema, { properties: { 'schema.name-mapping.default': text } })
    await expect(rowsOf(schema, [scanFile(dataFile(path))], { metadata: broken })).rejects.toMatchObject({
      code: 'METADATA_INVALID',
    })
  }
})

test('a partition column that files lack has the value of the partition', async () => {
  const path = await parquet('SELECT range AS id FROM range(2)', '{id: 1}')
  const value = (part: Value | null) => scanFile(dataFile(path, { specId: 1, partition: [part] }))
  const rows = await rowsOf(simple, [value("x'"), value(null)], { metadata: metadataOf(simple, twoSpecs) })
  expect(sorted(rows)).toEqual(
    sorted([
      [0, "x'"],
      [1, "x'"],
      [0, null],
      [1, null],
    ]),
  )
})

test.each([
  ['some', 100, 510_000, 980_100],
  ['many', 100, 600_000, 891_000],
  ['most', 2, 500_000, 500_000],
])('a vector of %s rows of a large file stays quick', async (_, every, until, left) => {
  const path = await parquet('SELECT range AS id, NULL AS c FROM range(1000000)', '{id: 1, c: 2}')
  const positions = new Positions(Array.from({ length: 1_000_000 / every }, (_, index) => index * every))
  for (let at = 500_000; at < until; at++) positions.add(at)
  const { bytes, blobs } = encodeDeletionVectors([{ referencedDataFile: path, positions }])
  await io.create(`${path}.puffin`, bytes)
  const [{ offset, length, cardinality }] = blobs as [(typeof blobs)[0]]
  const vector = dataFile(`${path}.puffin`, {
    content: 'position-deletes',
    format: 'puffin',
    recordCount: cardinality,
    referencedDataFile: path,
    contentOffset: offset,
    contentSizeBytes: length,
  })
  const files = [scanFile(dataFile(path, { recordCount: 1_000_000 }), 1, [{ file: vector, sequenceNumber: 2n }])]
  const sql = await scanSql({ table: 't', metadata: metadataOf(simple), schema: simple, files, io, engine })
  expect(await engine.rows({ class: 'interactive', sql: `SELECT count(*), min(id) FROM ${sql} t` })).toEqual([
    [left, 1],
  ])
})

test('a file has the rows that it has, whatever its manifest says beside a vector', async () => {
  const path = await parquet('SELECT range AS id, NULL AS c FROM range(100)', '{id: 1, c: 2}')
  const { bytes, blobs } = encodeDeletionVectors([
    { referencedDataFile: path, positions: new Positions([0, 5, 12, 99]) },
  ])
  await io.create(`${path}.puffin`, bytes)
  const vector = dataFile(`${path}.puffin`, {
    content: 'position-deletes',
    format: 'puffin',
    referencedDataFile: path,
    recordCount: 4,
    contentOffset: blobs[0]!.offset,
    contentSizeBytes: blobs[0]!.length,
  })
  for (const recordCount of [0, 10, 1_000])
    expect(
      await rowsOf(simple, [scanFile(dataFile(path, { recordCount }), 1, [{ file: vector, sequenceNumber: 2n }])]),
      String(recordCount),
    ).toHaveLength(96)
})

test('deletes by position without a position or a file delete nothing', async () => {
  const path = await parquet('SELECT range AS id, NULL AS c FROM range(10)', '{id: 1, c: 2}')
  const rows = `('${path}', 3::BIGINT), ('${path}', NULL), (NULL, 4)`
  const gone = await parquet(`SELECT * FROM (VALUES ${rows}) v(file_path, pos)`)
  const deletes = [{ file: dataFile(gone, { content: 'position-deletes' }), sequenceNumber: 2n }]
  expect(await rowsOf(simple, [scanFile(dataFile(path), 1, deletes)])).toHaveLength(9)
})

test('files that are no Parquet, or encrypted, are refused', async () => {
  await expect(rowsOf(simple, [scanFile(dataFile('/x.orc', { format: 'orc' }))])).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: 'raw.t has files in orc; only Parquet is read',
  })
  await expect(
    rowsOf(simple, [scanFile(dataFile('/x.parquet', { keyMetadata: Uint8Array.of(1) }))]),
  ).rejects.toMatchObject({ code: 'UNSUPPORTED', message: 'raw.t has encrypted files, which are not read: /x.parquet' })
})
