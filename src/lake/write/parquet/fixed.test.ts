import { mkdtempSync } from 'node:fs'
import { copyFile, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, expect, test } from 'vitest'
import { fixLengths } from './fixed.ts'
import { readStruct, writeStruct } from './thrift.ts'

// Files as DuckDB writes them, read again by DuckDB; `make conformance` has other engines read such tables.

const dir = mkdtempSync(join(tmpdir(), 'boathouse-fixed-'))
const connection = await (await DuckDBInstance.create()).connect()
afterAll(() => rm(dir, { recursive: true, force: true }))

const rows = async (sql: string) => (await connection.runAndReadAll(sql)).getRowsJson()
const hash = (of: string) => `unhex(lpad(hex(hash(${of})), 16, '0'))`

/** 130,000 rows are two groups. */
const shapes: [what: string, select: string, ids: string, fixed: number[]][] = [
  ['different values', `SELECT i, ${hash('i')} AS f FROM range(130000) t(i)`, '{i: 1, f: 2}', [2]],
  ['few values, in a dictionary', `SELECT i, ${hash('i % 5')} AS f FROM range(130000) t(i)`, '{i: 1, f: 2}', [2]],
  [
    'nulls, and columns around',
    `SELECT ${hash('i + 1')} AS g, CASE WHEN i % 3 = 0 THEN ${hash('i')} END AS f, 'v' || i % 7 AS s FROM range(130000) t(i)`,
    '{g: 1, f: 2, s: 3}',
    [1, 2],
  ],
  ['nothing but nulls', 'SELECT i, NULL::BLOB AS f FROM range(10) t(i)', '{i: 1, f: 2}', [2]],
  [
    'in a list, a struct and a map',
    `SELECT [${hash('i')}, NULL, ${hash('i % 2')}] AS l, {'f': ${hash('i')}, 'n': {'f': NULL::BLOB}} AS s, MAP {${hash('i')}: i} AS m
      FROM range(1000) t(i) UNION ALL SELECT NULL, NULL, NULL UNION ALL SELECT [], {'f': NULL, 'n': NULL}, MAP {}`,
    '{l: {__duckdb_field_id: 1, element: 2}, s: {__duckdb_field_id: 3, f: 4, n: {__duckdb_field_id: 5, f: 6}}, m: {__duckdb_field_id: 7, key: 8, value: 9}}',
    [2, 4, 6, 8],
  ],
]

/** Packing is one step, the same for all shapes. */
const codecsOf = (what: string) => ['zstd', ...(what.startsWith('in a') ? ['gzip', 'brotli', 'uncompressed'] : [])]

test.each(shapes.flatMap((shape) => codecsOf(shape[0]).map((codec) => [codec, ...shape] as const)))(
  '%s: %s',
  async (codec, _, select, ids, fixed) => {
    const [before, after] = [join(dir, `${codec}-before.parquet`), join(dir, `${codec}-after.parquet`)]
    await rows(`COPY (${select}) TO '${before}' (FORMAT parquet, COMPRESSION ${codec}, FIELD_IDS ${ids})`)
    await copyFile(before, after)
    const measured = await fixLengths(
      after,
      fixed.map((id) => ({ id, name: `column ${id}`, length: 8 })),
    )

    expect(measured.fileSizeBytes).toBe((await stat(after)).size)
    const different = `(FROM '${before}' EXCEPT ALL FROM '${after}') UNION ALL (FROM '${after}' EXCEPT ALL FROM '${before}')`
    expect(await rows(different)).toEqual([])
    const columns = await rows(
      `SELECT field_id, type_length FROM parquet_schema('${after}') WHERE type = 'FIXED_LEN_BYTE_ARRAY'`,
    )
    expect(columns).toEqual(fixed.map((id) => [`${id}`, '8']))
    expect(
      await rows(
        `SELECT count(*) FROM parquet_schema('${after}') WHERE type = 'BYTE_ARRAY' AND field_id IN (${fixed.join()})`,
      ),
    ).toEqual([['0']])

    // Where things lie: each chunk begins where the one before it ends, and the sizes of groups are sums.
    const chunks = (await rows(
      `SELECT least(coalesce(dictionary_page_offset, data_page_offset), data_page_offset), total_compressed_size FROM parquet_metadata('${after}')
      ORDER BY ALL`,
    )) as [number, number][]
    let at = 4
    for (const [offset, size] of chunks) {
      expect(Number(offset)).toBe(at)
      at += Number(size)
    }
    const groups = await rows(
      `SELECT any_value(row_group_bytes), sum(total_uncompressed_size), any_value(row_group_compressed_bytes), sum(total_compressed_size) FROM parquet_metadata('${after}') GROUP BY row_group_id`,
    )
    for (const [bytes, sum, packed, sumPacked] of groups)
      expect([bytes, packed].map(Number)).toEqual([sum, sumPacked].map(Number))
  },
)

test('bounds and bloom filters still hold', async () => {
  const path = join(dir, 'bloom.parquet')
  await rows(
    `COPY (SELECT encode('value ' || 10 + i % 50) AS f FROM range(130000) t(i)) TO '${path}' (FORMAT parquet, FIELD_IDS {f: 1}, COMPRESSION zstd)`,
  )
  const known = async (value: string) => [
    await rows(`SELECT stats_min_value, stats_max_value FROM parquet_metadata('${path}')`),
    await rows(`SELECT bloom_filter_excludes FROM parquet_bloom_probe('${path}', 'f', '${value}'::BLOB)`),
    await rows(`SELECT count(*) FROM '${path}' WHERE f = '${value}'::BLOB`),
  ]
  const before = [await known('value 17'), await known('value 1x')]
  expect(before.map(([, excluded]) => excluded)).toEqual([
    [[false], [false]],
    [[true], [true]],
  ])
  await fixLengths(path, [{ id: 1, name: 'f', length: 8 }])
  expect([await known('value 17'), await known('value 1x')]).toEqual(before)
})

test('long values: bounds that were cut are left out', async () => {
  const path = join(dir, 'long.parquet')
  await rows(
    `COPY (SELECT encode(repeat(chr(97 + i::INTEGER), 3000)) AS f FROM range(9) t(i)) TO '${path}' (FORMAT parquet, FIELD_IDS {f: 1}, COMPRESSION zstd)`,
  )
  await fixLengths(path, [{ id: 1, name: 'f', length: 3000 }])
  const [bounds] = await rows(
    `SELECT octet_length(stats_min_value::BLOB), stats_max_value FROM parquet_metadata('${path}')`,
  )
  expect([null, '3000']).toContain(bounds![0])
  expect(await rows(`SELECT count(*), min(octet_length(f)) FROM '${path}' WHERE f >= encode('c')`)).toEqual([
    ['7', '3000'],
  ])
})

test('a value of another length is refused, and nothing is left beside the file', async () => {
  const path = join(dir, 'wrong.parquet')
  await rows(
    `COPY (SELECT 'abc'::BLOB AS f UNION ALL SELECT 'abcd'::BLOB) TO '${path}' (FORMAT parquet, FIELD_IDS {f: 1}, COMPRESSION zstd)`,
  )
  await expect(fixLengths(path, [{ id: 1, name: 'f', length: 4 }])).rejects.toMatchObject({
    code: 'SQL_INVALID',
    message: "f is of the type fixed[4], and a row's value has 3 bytes",
  })
  expect((await readdir(dir)).filter((name) => name.includes('wrong'))).toEqual(['wrong.parquet'])
})

test('what is read of Thrift is written again as it was', async () => {
  const path = join(dir, 'thrift.parquet')
  await rows(
    `COPY (SELECT i, 'v' || i AS s, i * 1.5 AS d, i % 2 = 0 AS b, [i] AS l, NULL::TIMESTAMP AS t FROM range(300000) t(i)) TO '${path}' (FORMAT parquet, KV_METADATA {k: 'v'})`,
  )
  const bytes = await readFile(path)
  const footer = bytes.subarray(bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8), bytes.length - 8)
  const { fields, end } = readStruct(footer)
  expect(end).toBe(footer.length)
  expect(Buffer.from(writeStruct(fields)).equals(footer)).toBe(true)
})
