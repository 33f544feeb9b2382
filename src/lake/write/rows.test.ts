import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LoadedTable, TableName } from '../../catalog/index.ts'
import { planScan } from '../../iceberg/index.ts'
import type { ChangeSet } from './change-set.ts'
import { openWorld } from '../world.ts'

// Rows that go and come, in every format version and both ways of writing it down, each against the same change made on a
// plain list of rows.

let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world?.close())

const at = (name: string): TableName => ({ catalog: 'dev_analytics', namespace: 'raw', name })
const count = 1_000

async function changing<Result>(work: (changes: ChangeSet) => Promise<Result>): Promise<Result> {
  const changes = await world.lake.openChanges({ catalog: 'dev_analytics', principal: world.admin })
  const result = await work(changes)
  await changes.publish()
  return result
}
const rowsOf = (name: string) => world.rows(`select id, region, amount::varchar from raw.${name} order by id, amount`)
const loaded = async (name: string) => (await world.tables.load(at(name))) as LoadedTable
const plan = async (name: string) => planScan(world.io, (await loaded(name)).metadata)

const ways = [
  ['1', undefined],
  ['2', 'copy-on-write'],
  ['2', 'merge-on-read'],
  ['2', undefined],
  ['3', 'copy-on-write'],
  ['3', 'merge-on-read'],
] as const

describe.each(ways)('format version %s, %s', (version, mode) => {
  const name = `t${version}_${(mode ?? 'auto').replaceAll('-', '_')}`
  type Row = [id: number, region: string | null, amount: string | null]
  let rows: Row[] = Array.from({ length: count }, (_, id) => [id, ['North', 'South', null][id % 3]!, `${id}.50`])
  const sorted = () => rows.toSorted(([a, , x], [b, , y]) => a - b || (x ?? '').localeCompare(y ?? ''))

  beforeAll(async () => {
    const select = `select i::integer as id, case i % 3 when 0 then 'North' when 1 then 'South' end as region, (i + 0.5)::decimal(10, 2) as amount from range(${count}) t(i)`
    await changing((changes) =>
      changes.replaceTable(at(name), select, {
        partitionedBy: [{ column: 'region', transform: { kind: 'identity' } }],
        sortedBy: [{ column: 'id', transform: { kind: 'identity' } }],
        properties: {
          'format-version': version,
          ...(mode && { 'write.delete.mode': mode, 'write.update.mode': mode, 'write.merge.mode': mode }),
        },
      }),
    )
  })

  test('is one file for each partition', async () => {
    const { files } = await plan(name)
    expect(files.map(({ partition }) => partition[0]).sort()).toEqual(['North', 'South', null])
    expect(await rowsOf(name)).toEqual(sorted())
  })

  test('delete', async () => {
    const deleted = await changing((changes) =>
      changes.changeRows(
        at(name),
        'delete',
        `select _boathouse_file, _boathouse_pos, false as _boathouse_new, id, region, amount${version === '3' ? ', _row_id' : ''} from raw.${name} where id % 50 = 7`,
      ),
    )
    rows = rows.filter(([id]) => id % 50 !== 7)
    expect([deleted.rowsDeleted, deleted.rowsWritten]).toEqual([20, 0])
    expect(await rowsOf(name)).toEqual(sorted())
    const deletes = (await plan(name)).files.flatMap((file) => file.deletes.map((one) => one.file.format))
    expect(deletes.length > 0).toBe(version !== '1' && mode !== 'copy-on-write')
    if (deletes.length > 0) expect(new Set(deletes)).toEqual(new Set([version === '3' ? 'puffin' : 'parquet']))
  })

  test('a second delete in the same files', async () => {
    await changing((changes) =>
      changes.changeRows(
        at(name),
        'delete',
        `select _boathouse_file, _boathouse_pos, false as _boathouse_new, id, region, amount${version === '3' ? ', _row_id' : ''} from raw.${name} where id % 50 = 8`,
      ),
    )
    rows = rows.filter(([id]) => id % 50 !== 8)
    expect(await rowsOf(name)).toEqual(sorted())
  })

  test('upsert: some rows change their partition, some are new', async () => {
    const changed = await changing((changes) =>
      changes.upsert(at(name), ['id'], `select unnest([1, 2, 5000])::integer as id, 'West' as region, 1.25 as amount`),
    )
    expect([changed.rowsDeleted, changed.rowsWritten]).toEqual([2, 3])
    rows = rows.filter(([id]) => ![1, 2].includes(id)).concat([1, 2, 5000].map((id): Row => [id, 'West', '1.25']))
    expect(await rowsOf(name)).toEqual(sorted())
  })

  test('overwrite of what matches', async () => {
    await world.rows(`insert into raw.${name} replace where region = 'South' select 7000, 'South', 2`)
    rows = [...rows.filter(([, region]) => region !== 'South'), [7000, 'South', '2.00']]
    expect(await rowsOf(name)).toEqual(sorted())
  })

  test('overwrite of the partitions that rows fall into', async () => {
    await changing((changes) => changes.overwrite(at(name), "select 8000 as id, 'West' as region, 3 as amount"))
    rows = [...rows.filter(([, region]) => region !== 'West'), [8000, 'West', '3.00']]
    expect(await rowsOf(name)).toEqual(sorted())
  })

  test('a whole partition goes by metadata alone', async () => {
    const changed = await changing((changes) =>
      changes.changeRows(
        at(name),
        'delete',
        `select _boathouse_file, _boathouse_pos, false as _boathouse_new, id, region, amount${version === '3' ? ', _row_id' : ''} from raw.${name} where region = 'South'`,
      ),
    )
    expect([changed.rowsDeleted, changed.filesWritten]).toEqual([1, 0])
    rows = rows.filter(([, region]) => region !== 'South')
    expect(await rowsOf(name)).toEqual(sorted())
    expect((await plan(name)).files.map(({ partition }) => partition[0])).not.toContain('South')
  })

  test('nothing to change makes no snapshot', async () => {
    const before = (await loaded(name)).metadata.currentSnapshotId
    await changing((changes) =>
      changes.changeRows(
        at(name),
        'delete',
        `select _boathouse_file, _boathouse_pos, false as _boathouse_new, id, region, amount${version === '3' ? ', _row_id' : ''} from raw.${name} where id < 0`,
      ),
    )
    expect((await loaded(name)).metadata.currentSnapshotId).toBe(before)
  })

  test('two of one key are refused', async () => {
    const twice = changing((changes) =>
      changes.upsert(at(name), ['id'], `select unnest([8000, 8000]) as id, 'West' as region, 1 as amount`),
    )
    await expect(twice).rejects.toMatchObject({ code: 'SQL_INVALID' })
  })

  test('a delete that lost the race goes on top of an append elsewhere', async () => {
    const changes = await world.lake.openChanges({ catalog: 'dev_analytics', principal: world.admin })
    await changes.changeRows(
      at(name),
      'delete',
      `select _boathouse_file, _boathouse_pos, false as _boathouse_new, id, region, amount${version === '3' ? ', _row_id' : ''} from raw.${name} where id < 30 and region = 'North'`,
    )
    await world.rows(`insert into raw.${name} select 9000, 'East', 9`)
    await changes.publish()
    rows = rows.filter(([id, region]) => !(id < 30 && region === 'North')).concat([[9000, 'East', '9.00']])
    expect(await rowsOf(name)).toEqual(sorted())
  })
})

test('a replaced table may lose the column that it was partitioned by', async () => {
  const name = at('loses')
  const by = [{ column: 'region', transform: { kind: 'identity' } }] as const
  await changing((changes) => changes.replaceTable(name, "select 1 as id, 'North' as region", { partitionedBy: by }))
  await changing((changes) => changes.replaceTable(name, 'select 2 as id'))
  expect(await world.rows('select * from raw.loses')).toEqual([[2]])
  await world.rows('insert into raw.loses select 3')
  expect(await world.rows('select * from raw.loses order by 1')).toEqual([[2], [3]])
})

test.each([
  [undefined, 2, [true, true]],
  ['partition', 1, [false]],
])('deletes in two files of a partition, by granularity %s', async (granularity, deletes, isOfOne) => {
  const name = `granular_${granularity ?? 'file'}`
  const mode = { 'write.delete.mode': 'merge-on-read' }
  const properties = granularity ? { ...mode, 'write.delete.granularity': granularity } : mode
  for (const from of [0, 10])
    await changing((changes) =>
      changes.append(at(name), `select i as id from range(${from}, ${from + 10}) t(i)`, { properties }),
    )
  await world.rows(`delete from raw.${name} where id % 10 = 3`)
  const { files } = await plan(name)
  const found = new Map(files.flatMap((file) => file.deletes.map((one) => [one.file.path, one.file])))
  expect(found.size).toBe(deletes)
  expect([...found.values()].map(({ referencedDataFile }) => referencedDataFile !== undefined)).toEqual(isOfOne)
  expect(await world.rows(`select count(*), count(*) filter (id % 10 = 3) from raw.${name}`)).toEqual([[18, 0]])
})

test('rows that stay keep their order when their file is written again', async () => {
  await changing((changes) =>
    changes.replaceTable(at('ordered'), 'select i as id from range(20000) t(i)', {
      properties: { 'write.delete.mode': 'copy-on-write' },
    }),
  )
  await changing((changes) =>
    changes.changeRows(
      at('ordered'),
      'delete',
      'select _boathouse_file, _boathouse_pos, false as _boathouse_new, null as id from raw.ordered where id % 2 = 1',
    ),
  )
  const sql = 'select count(*) filter (id < before) from (select id, lag(id) over () as before from raw.ordered)'
  expect(await world.rows(sql)).toEqual([[0]])
})

test('columns may have the names by which DuckDB tells the place of a row', async () => {
  const select = 'select i as file_index, i as file_row_number from range(3) t(i)'
  await changing((changes) => changes.replaceTable(at('places'), select))
  await changing((changes) =>
    changes.changeRows(
      at('places'),
      'delete',
      'select _boathouse_file, _boathouse_pos, false as _boathouse_new, null as file_index, null as file_row_number from raw.places where file_index = 1',
    ),
  )
  expect(await world.rows('select * from raw.places order by 1')).toEqual([
    [0, 0],
    [2, 2],
  ])
})
