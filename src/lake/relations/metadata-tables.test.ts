import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorld } from '../world.ts'

let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
  await world.rows(
    `create table raw.sales as select 1 as id, 'a''b' as name, 1.5::decimal(4,2) as price, {'x': 1} as place`,
  )
  await world.rows(`insert into raw.sales select 2, null, 2.5, {'x': 7}`)
})
afterAll(() => world.close())

test.each([
  [
    'select operation, parent_id is null from raw.sales.snapshots order by committed_at, parent_id nulls first',
    [
      ['append', true],
      ['append', false],
    ],
  ],
  ['select count(*), bool_and(is_current_ancestor) from "raw"."sales$history"', [[2, true]]],
  ['select name, type from raw.sales$refs', [['main', 'BRANCH']]],
  ['select content, added_data_files_count, partition_summaries from raw.sales.manifests limit 1', [[0, 1, []]]],
  ['select count(*), sum(record_count), min(file_format) from dev_analytics.raw.sales$files', [[2, '2', 'PARQUET']]],
  ['select count(*) from raw.sales.delete_files', [[0]]],
  [
    'select f.readable_metrics.price.upper_bound, f.readable_metrics."place.x".lower_bound from raw.sales.files f order by 1',
    [
      ['1.50', 1],
      ['2.50', 7],
    ],
  ],
  [
    'select value_counts[1], hex(upper_bounds[2]) from raw.sales$data_files where upper_bounds[2] is not null',
    [[1, '612762']],
  ],
  [
    'select status, data_file.record_count, sequence_number from raw.sales.entries order by 3',
    [
      [1, 1, 1],
      [1, 1, 2],
    ],
  ],
  [
    'select * exclude (last_updated_at, last_updated_snapshot_id, total_data_file_size_in_bytes) from raw.sales.partitions',
    [[2, 2, 0, 0, 0, 0]],
  ],
  ['select count(*), count(latest_snapshot_id) from raw.sales.metadata_log_entries', [[2, 2]]],
  ['select count(distinct reference_snapshot_id) from raw.sales.all_manifests', [[2]]],
  ["select count(*) from raw.sales.snapshots s join raw.sales t on s.summary['total-records'] = t.id::varchar", [[2]]],
])('%s', async (sql, rows) => expect(await world.rows(sql)).toEqual(rows))

test.each([2, 3])('version %i: each row that deletes by position took away', async (version) => {
  const name = `raw.cut${version}`
  await world.rows(`create table ${name} (id int, kind varchar) partitioned by (kind)
    with ('format-version' = '${version}', 'write.delete.mode' = 'merge-on-read')`)
  expect(await world.rows(`select count(*) from ${name}.position_deletes`)).toEqual([[0]])
  await world.rows(`insert into ${name} select i, 'k' || (i % 2) from range(400) t(i)`)
  await world.rows(`delete from ${name} where id in (0, 4, 7)`)
  await world.rows(`delete from ${name} where id = 4 or id = 8`)
  expect(
    await world.rows(`select p.partition.kind, count(distinct p.pos), max(p.pos) < 200, bool_and(p.row is null), max(p.spec_id), max(d.content)
      from ${name}$position_deletes p join ${name}$data_files f using (file_path) join ${name}.delete_files d on d.file_path = p.delete_file_path
      group by 1 order by 1`),
  ).toEqual([
    ['k0', 3, true, true, 0, 1],
    ['k1', 1, true, true, 0, 1],
  ])
  const columns = (await world.rows(`describe from ${name}.position_deletes`)).map(([column]) => column)
  const common = ['file_path', 'pos', 'row', 'partition', 'spec_id', 'delete_file_path']
  expect(columns).toEqual([...common, ...(version === 3 ? ['content_offset', 'content_size_in_bytes'] : [])])
  const [[first]] = (await world.rows(
    `select snapshot_id::varchar from ${name}.snapshots order by committed_at limit 1`,
  )) as [[string]]
  expect(await world.rows(`select count(*) from ${name}.position_deletes at (version => ${first})`)).toEqual([[0]])
})

test('they travel where they are about one snapshot', async () => {
  const [[first]] = (await world.rows(
    'select snapshot_id::varchar from raw.sales.snapshots where parent_id is null',
  )) as [[string]]
  expect(await world.rows(`select count(*) from raw.sales.files at (version => ${first})`)).toEqual([[1]])
  expect(await world.rows('select count(*) from raw.sales.files', { asOf: first })).toEqual([[1]])
  expect(await world.rows('select count(*) from raw.sales.snapshots', { asOf: first })).toEqual([[2]])
  await expect(world.rows(`from raw.sales.snapshots at (version => ${first})`)).rejects.toThrow('does not travel')
})

test('an answer from the cache is the one of now', async () => {
  await world.rows('create table raw.kept as select 1 as id')
  const count = 'select count(*) from raw.kept.snapshots'
  expect(await world.rows(count)).toEqual([[1]])
  await world.rows('insert into raw.kept select 2')
  expect(await world.rows(count)).toEqual([[2]])
})

test('what is not there is named', async () => {
  await expect(world.rows('from raw.nothing.files')).rejects.toThrow('no table raw.nothing')
  await expect(world.rows('from raw.sales$nothing')).rejects.toThrow('no table raw.sales$nothing')
  await world.rows('create view raw.seen as select 1 as one')
  await expect(world.rows('from raw.seen.snapshots')).rejects.toThrow('is a view')
})
