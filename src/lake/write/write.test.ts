import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LoadedTable } from '../../catalog/index.ts'
import {
  newTableMetadata,
  parseTransform,
  planScan,
  writeTableMetadata,
  type NewField,
  type PartitionSpec,
  type TableMetadata,
} from '../../iceberg/index.ts'
import { fileLocation, localPath } from '../../io/index.ts'
import { openWorld } from '../world.ts'

// Types that DuckDB has no equal of, as they are in the files: other engines must be able to read them.

let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world?.close())

const at = (name: string) => ({ catalog: 'dev_analytics', namespace: 'raw', name })

/** An empty table of version 3, made by hand. */
async function create(
  name: string,
  schema: NewField[],
  change = (metadata: TableMetadata): TableMetadata => metadata,
): Promise<void> {
  const location = `${fileLocation(world.root)}/${name}`
  const metadata = newTableMetadata({ uuid: randomUUID(), location, nowMs: 1, formatVersion: 3, schema })
  const to = await writeTableMetadata(world.io, change(metadata))
  await world.catalog.swapAnd([{ name: at(name), kind: 'table', from: null, to }], async () => {})
}

async function append(name: string, select: string): Promise<void> {
  const changes = await world.lake.openChanges({ catalog: 'dev_analytics', principal: world.admin })
  await changes.append(at(name), select)
  await changes.publish()
}

async function columnsOfFiles(name: string): Promise<unknown[]> {
  const { metadata } = (await world.tables.load(at(name))) as LoadedTable
  const { files } = await planScan(world.io, metadata)
  const paths = files.map(({ path }) => `'${localPath(path)}'`).join(', ')
  const sql = `SELECT DISTINCT name FROM parquet_schema([${paths}]) WHERE name <> 'duckdb_schema' ORDER BY name`
  return (await world.engine.rows({ class: 'write', sql })).flat()
}

test('a column of the type unknown is null, and in no file', async () => {
  await create('unknown', [
    { name: 'id', type: { kind: 'int' } },
    { name: 'u', type: { kind: 'unknown' } },
  ])
  await append('unknown', 'select 1 as id')
  expect(await columnsOfFiles('unknown')).toEqual(['id'])
  expect(await world.rows('select id, u from raw.unknown')).toEqual([[1, null]])
})

test('nanoseconds stay', async () => {
  await create('ns', [{ name: 'ns', type: { kind: 'timestamp_ns' } }])
  await append('ns', "select timestamp_ns '2024-02-29 12:00:00.123456789' as ns")
  expect(await world.rows('select ns::varchar from raw.ns')).toEqual([['2024-02-29 12:00:00.123456789']])
})

test('zeros of both signs are found by either', async () => {
  for (const type of ['float', 'double']) {
    const table = `raw.zeros_${type}`
    await world.rows(`create table ${table} (id bigint, f ${type})`)
    await world.rows(`insert into ${table} values (5, '-0.0'), (1, null), (3, '-0.0'), (4, 0), (6, '-0.0')`)
    for (const zero of ['0', "'-0.0'::double"])
      expect(await world.rows(`select id from ${table} where f = ${zero} order by id`)).toEqual([[3], [4], [5], [6]])
  }
})

test('bytes that come again and again are found, also by who reads the files', async () => {
  await world.rows(
    `create table raw.bytes as select ['\\x80'::blob, '\\x00\\xFF'::blob][1 + i % 2] as b from range(2000) t(i)`,
  )
  expect(await world.rows(`select count(*) from raw.bytes where b = '\\x80'::blob`)).toEqual([[1000]])
  expect(await world.rows(`delete from raw.bytes where b = '\\x00\\xFF'::blob`)).toEqual([[1000]])
  const { metadata } = (await world.tables.load(at('bytes'))) as LoadedTable
  const { files } = await planScan(world.io, metadata)
  const found = files.map(
    ({ path }) => `SELECT * FROM read_parquet('${path.slice('file://'.length)}') WHERE b = '\\x80'::BLOB`,
  )
  expect(
    await world.engine.rows({ class: 'interactive', sql: `SELECT count(*) FROM (${found.join(' UNION ALL ')})` }),
  ).toEqual([[1000]])
})

test('bytes of a fixed length are so in the file, whatever is done to the rows', async () => {
  const bytes = { kind: 'fixed', length: 4 } as const
  await create('fixed', [
    { name: 'id', type: { kind: 'int' } },
    { name: 'f', type: bytes },
    { name: 'l', type: { kind: 'list', elementId: 0, element: bytes, elementRequired: false } },
  ])
  await append('fixed', "select 1 as id, 'abcd'::blob as f, ['efgh'::blob, null] as l union all select 2, null, null")
  await append('fixed', "select 3 as id, '\\x00\\xFF\\x00\\x01'::blob as f, [] as l")
  await world.rows("update raw.fixed set f = 'wxyz' where id = 2")
  await world.rows('delete from raw.fixed where id = 1')
  await world.rows(
    "merge into raw.fixed using (select 4 as id, 'mnop'::blob as f) as s on fixed.f = s.f when not matched then insert (id, f) values (s.id, s.f)",
  )
  expect(await world.rows('select id, f::varchar, l::varchar from raw.fixed order by id')).toEqual([
    [2, 'wxyz', null],
    [3, '\\x00\\xFF\\x00\\x01', '[]'],
    [4, 'mnop', null],
  ])
  const { metadata } = (await world.tables.load(at('fixed'))) as LoadedTable
  const { files } = await planScan(world.io, metadata)
  for (const { path, file } of files) {
    const local = localPath(path)
    expect(file.fileSizeBytes).toBe((await stat(local)).size)
    const sql = `SELECT DISTINCT type || type_length FROM parquet_schema('${local}') WHERE type LIKE '%BYTE_ARRAY'`
    expect(await world.engine.rows({ class: 'write', sql })).toEqual([['FIXED_LEN_BYTE_ARRAY4']])
  }
  await expect(append('fixed', "select 5 as id, 'abc'::blob as f, null as l")).rejects.toMatchObject({
    code: 'SQL_INVALID',
    message: '"f" is of the type fixed[4], and a row\'s value has 3 bytes',
  })
})

test('a file of a table without partitions lies in its data folder', async () => {
  await create('plain', [{ name: 'id', type: { kind: 'int' } }])
  await append('plain', 'select 1 as id')
  const { metadata } = (await world.tables.load(at('plain'))) as LoadedTable
  const [file] = (await planScan(world.io, metadata)).files
  expect(file!.path.slice(metadata.location.length)).toMatch(/^\/data\/[^/]+\.parquet$/)
})

/** How many rows of each file are less than the row before them. */
async function disorder(paths: readonly string[], columns: string): Promise<number[]> {
  const counts: number[] = []
  for (const path of paths) {
    const from = `read_parquet('${localPath(path)}', hive_partitioning = false)`
    const rows = `SELECT (${columns}) AS it, lag((${columns})) OVER () AS before FROM ${from}`
    const [row] = await world.engine.rows({
      class: 'write',
      sql: `SELECT count(*) FILTER (it < before) FROM (${rows})`,
    })
    counts.push(Number(row![0]))
  }
  return counts
}

// DuckDB's threads take turns with parts of about 120,000 rows.
test.each<[string, string, string, { files: number; properties?: string; column?: string }]>([
  [
    'as they were given, cut to a size',
    '',
    ' order by x',
    { files: 2, properties: "'write.target-file-size-bytes' = '1048576'" },
  ],
  [
    'cut, with a column that has the name of their place',
    '',
    ' order by x',
    { files: 2, properties: "'write.target-file-size-bytes' = '1048576'", column: 'file_row_number' },
  ],
  ['sorted', ' sorted by (x)', '', { files: 1 }],
  ['partitioned and sorted', ' partitioned by (p) sorted by (x)', '', { files: 2 }],
])(
  'many rows are in their order in each file: %s',
  async (what, clauses, order, { files: count, properties, column = 'p' }) => {
    const name = what.replaceAll(/\W+/g, '_')
    const all = ["'write.delete.mode' = 'merge-on-read'", ...(properties ? [properties] : [])].join(', ')
    await world.rows(
      `create table raw.${name}${clauses} tblproperties (${all}) as select i % 2 as ${column}, hash(i)::decimal(38, 0) as x from range(200000) t(i)${order}`,
    )
    const files = async () =>
      (await planScan(world.io, ((await world.tables.load(at(name))) as LoadedTable).metadata)).files
    const paths = (await files()).map(({ path }) => path)
    expect(paths).toHaveLength(count)
    expect(await disorder(paths, 'x')).toEqual(Array(count).fill(0))
    expect(await world.rows(`select count(*), count(distinct x) from raw.${name}`)).toEqual([[200000, 200000]])

    await world.rows(`delete from raw.${name} where x % 5 > 0`)
    const deletes = (await files()).flatMap((file) => file.deletes.map((one) => one.file))
    expect(deletes.map(({ referencedDataFile }) => referencedDataFile).sort()).toEqual([...paths].sort())
    expect(
      await disorder(
        deletes.map(({ path }) => path),
        'pos',
      ),
    ).toEqual(Array(count).fill(0))
    expect(await world.rows(`select count(*) from raw.${name}`)).toEqual(
      await world.rows('select count(*) from range(200000) t(i) where hash(i) % 5 = 0'),
    )
  },
)

test('nothing is written outside of the lake, wherever the properties of a table point', async () => {
  const outside = `${world.dir}/elsewhere`
  await world.rows(`create table raw.led (id int) with ('write.data.path' = '${outside}')`)
  const refused = { code: 'FORBIDDEN', message: expect.stringContaining(outside) }
  await expect(world.rows('insert into raw.led values (1)')).rejects.toMatchObject(refused)
  await world.rows("alter table raw.led unset ('write.data.path')")
  for (const place of [outside, `${world.root}/../elsewhere`, `${world.root}-elsewhere`])
    await expect(world.rows(`alter table raw.led set ('write.metadata.path' = '${place}')`)).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
  await world.rows(`alter table raw.led set ('write.data.path' = '${world.root}/beside')`)
  await world.rows('insert into raw.led values (1)')
  expect([existsSync(outside), existsSync(`${world.root}/beside`)]).toEqual([false, true])
})

test('files outside of the lake stay, wherever orphans are looked for', async () => {
  const outside = join(world.dir, 'theirs')
  mkdirSync(outside)
  writeFileSync(join(outside, 'letters.txt'), '')
  utimesSync(join(outside, 'letters.txt'), 1, 1)
  await world.rows(`create table raw.greedy (id int) with ('write.data.path' = '${outside}')`)
  await world.rows(`call system.remove_orphan_files('raw.greedy')`).catch(() => {})
  expect(existsSync(join(outside, 'letters.txt'))).toBe(true)
})

test('rows are not written by a transform that is not known', async () => {
  const made = newTableMetadata({
    uuid: randomUUID(),
    location: `${fileLocation(world.root)}/zigzag`,
    nowMs: 1,
    schema: [{ name: 'id', type: { kind: 'long' } }],
    spec: [{ column: 'id', transform: { kind: 'identity' }, name: 'z' }],
  })
  const [spec] = made.partitionSpecs as [PartitionSpec]
  const fields = spec.fields.map((field) => ({ ...field, transform: parseTransform('zigzag[3]') }))
  const to = await writeTableMetadata(world.io, { ...made, partitionSpecs: [{ ...spec, fields }] })
  await world.catalog.swapAnd([{ name: at('zigzag'), kind: 'table', from: null, to }], async () => {})
  expect(await world.rows('select * from raw.zigzag')).toEqual([])
  await expect(world.rows('insert into raw.zigzag values (1)')).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: 'the partition transform zigzag[3] of z is not known',
  })
})

test('a table that is set back behind NOT NULL has rows without a value, and says so', async () => {
  await world.rows('create table raw.behind (id int)')
  await world.rows('insert into raw.behind values (1)')
  const [[first] = []] = await world.rows('select snapshot_id from raw.behind$snapshots')
  await world.rows('alter table raw.behind add column n int default 5 not null, add primary key (id) not enforced')
  const shown = () =>
    world.rows(
      `select column_name, is_nullable from information_schema.columns where table_name = 'behind' order by all`,
    )
  expect(await shown()).toEqual([
    ['id', 'NO'],
    ['n', 'NO'],
  ])
  await world.rows(`call rollback_to_snapshot('raw.behind', ${String(first)})`)
  expect(await shown()).toEqual([
    ['id', 'YES'],
    ['n', 'YES'],
  ])
  expect(await world.rows('from raw.behind')).toEqual([[1, null]])
  await world.rows('insert into raw.behind (id) values (2)')
  await world.rows('update raw.behind set id = id + 1')
  expect(await world.rows('from raw.behind order by id')).toEqual([
    [2, null],
    [3, 5],
  ])
})

test('what must not be null is not, at any depth', async () => {
  const long = { kind: 'long' } as const
  const pair = {
    kind: 'struct',
    fields: [
      { id: 0, name: 'must', type: long, required: true },
      { id: 0, name: 'may', type: long, required: false },
    ],
  } as const
  await create('strict', [
    { name: 'id', type: long },
    { name: 's', type: pair, required: true },
    { name: 'l', type: { kind: 'list', elementId: 0, element: long, elementRequired: true }, required: true },
    { name: 'o', type: { kind: 'list', elementId: 0, element: pair, elementRequired: false } },
    {
      name: 'm',
      type: { kind: 'map', keyId: 0, key: { kind: 'string' }, valueId: 0, value: pair, valueRequired: true },
    },
  ])
  const insert = (s: string, l: string, o: string, m: string) =>
    world.rows(`insert into raw.strict select 1, ${s}, ${l}, ${o}, ${m}`)
  const [struct, none, lists] = ["{'must': 1, 'may': null}", "{'must': null, 'may': 1}", '[1]']
  await insert(struct, lists, `[${struct}, null]`, `MAP {'k': ${struct}}`)
  await insert(struct, '[]', 'null', 'null')
  await insert(struct, '[]', '[]', 'MAP {}')
  for (const [refused, lacking] of [
    [() => insert('null', lists, 'null', 'null'), 's'],
    [() => insert(none, lists, 'null', 'null'), 's.must'],
    [() => insert(struct, 'null', 'null', 'null'), 'l'],
    [() => insert(struct, '[1, null]', 'null', 'null'), 'l.element'],
    [() => insert(struct, lists, `[${none}]`, 'null'), 'o.element.must'],
    [() => insert(struct, lists, 'null', `MAP {'k': null}`), 'm.value'],
    [() => insert(struct, lists, 'null', `MAP {'k': ${none}}`), 'm.value.must'],
    [() => world.rows('update raw.strict set s.must = null'), 's.must'],
    [() => world.rows('update raw.strict set l = null'), 'l'],
  ] as const)
    await expect(refused(), lacking).rejects.toMatchObject({
      code: 'SQL_INVALID',
      message: `${lacking} must not be null, and a row has no value for it`,
    })
  expect(await world.rows('select count(*) from raw.strict')).toEqual([[3]])
})

test('partitions and orders that only other engines know are shown as they are; files are not said to be in such an order', async () => {
  const spec = [{ sourceIds: [1], fieldId: 1000, name: 'p', transform: { kind: 'other', text: 'curve' } as const }]
  const order = {
    orderId: 1,
    fields: [
      {
        sourceIds: [1, 2],
        transform: { kind: 'bucket', buckets: 4 } as const,
        direction: 'asc' as const,
        nullOrder: 'nulls-first' as const,
      },
    ],
  }
  const schema: NewField[] = [
    { name: 'a', type: { kind: 'long' } },
    { name: 'b', type: { kind: 'long' } },
  ]
  await create('ordered', schema, (metadata) => ({ ...metadata, sortOrders: [order], defaultSortOrderId: 1 }))
  await append('ordered', 'select 1 as a')
  expect(await world.rows('select sort_order_id from raw.ordered$files')).toEqual([[0]])
  await create('curved', schema, (metadata) => ({ ...metadata, partitionSpecs: [{ specId: 0, fields: spec }] }))
  const made = async (name: string) => String((await world.rows(`show create table raw.${name}`))[0]![0])
  expect(await made('ordered')).toContain('SORTED BY (bucket(4, "a", "b") ASC NULLS FIRST)')
  expect(await made('curved')).toContain('PARTITIONED BY (curve("a"))')
})
