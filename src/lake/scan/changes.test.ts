import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LoadedTable } from '../../catalog/index.ts'
import { openWorld } from '../world.ts'

let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
  await world.rows('create schema raw')
})
afterAll(() => world?.close())

const metadataOf = async (name: string) =>
  ((await world.tables.load({ catalog: 'dev_analytics', namespace: 'raw', name })) as LoadedTable).metadata
const failure = (sql: string, more = {}) =>
  world.rows(sql, more).then(
    () => undefined,
    (error: unknown) => error,
  )

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)
/** Rows, and how often each is there more than it is taken away. */
function net(rows: unknown[][], gone: unknown[][]): [string, number][] {
  const counts = new Map<string, number>()
  for (const [sign, some] of [[1, rows] as const, [-1, gone] as const])
    for (const row of some) counts.set(JSON.stringify(row), (counts.get(JSON.stringify(row)) ?? 0) + sign)
  return [...counts].filter(([, count]) => count !== 0).sort()
}

const modes = (how: string) =>
  ['delete', 'update', 'merge'].map((operation) => `'write.${operation}.mode' = '${how}'`).join(', ')

describe.each([
  ['2', 'copy-on-write'],
  ['3', 'merge-on-read'],
])('version %s, %s', (version, mode) => {
  const name = `changing_${version}_${mode.replaceAll('-', '_')}`

  test('between any two snapshots: what the rows before and after differ by, and nothing that stayed', async () => {
    await world.rows(
      `create table raw.${name} partitioned by (part) tblproperties ('format-version' = '${version}', ${modes(mode)}) as
      select i as id, i % 2 as part, 'v' || i as text, map {'a': i} as m from range(20) t(i)`,
    )
    for (const step of [
      `insert into raw.${name} select i, i % 2, 'v' || i, null from range(20, 25) t(i)`,
      `update raw.${name} set text = 'new' where id in (3, 4)`,
      `delete from raw.${name} where id in (5, 21)`,
      `call rewrite_data_files('raw.${name}', options => map {'rewrite-all': 'true'})`,
      `merge into raw.${name} as t using (select unnest([1, 100]) as id) as s on t.id = s.id
        when matched then delete when not matched then insert (id, part, text) values (s.id, 0, 'merged')`,
      `alter table raw.${name} add column more int`,
      `insert into raw.${name} (id, part, text, more) values (7, 1, 'v7', null), (200, 1, 'twice', 5), (200, 1, 'twice', 5)`,
      `delete from raw.${name} where part = 0`,
      `insert into raw.${name} (id, part, text, more) values (300, 0, 'last', 1)`,
    ])
      await world.rows(step)
    const ids = (await metadataOf(name)).snapshots.map(({ snapshotId }) => snapshotId)
    expect(ids).toHaveLength(10)
    const columns = 'id, part, text, m'
    const at = await Promise.all(
      ids.map((id) => world.rows(`select ${columns} from raw.${name} for version as of ${id}`)),
    )
    const pairs = [...ids.slice(1).map((_, index) => [index, index + 1]), [0, ids.length - 1]] as [number, number][]
    for (const [from, to] of pairs) {
      const changes = await world.rows(
        `select ${columns}, _change_type from table_changes('raw.${name}', ${ids[from]}, ${ids[to]})`,
      )
      const of = (kind: string) => changes.filter((row) => row.at(-1) === kind).map((row) => row.slice(0, -1))
      expect(net([...at[from]!, ...of('INSERT')], of('DELETE'))).toEqual(net(at[to]!, []))
      // Of one snapshot nothing goes that comes, too.
      if (to === from + 1) expect(of('INSERT').filter((row) => of('DELETE').some((one) => same(one, row)))).toEqual([])
    }
    const counted = await world.rows(
      `select _change_ordinal, _commit_snapshot_id::varchar, _change_type, count(*) from table_changes('raw.${name}', ${ids[0]}) group by all order by all`,
    )
    expect(
      counted.map(([ordinal, id, kind, count]) => [ordinal, ids.indexOf(BigInt(String(id))), kind, count]),
    ).toEqual([
      [0, 1, 'INSERT', 5],
      [1, 2, 'DELETE', 2],
      [1, 2, 'INSERT', 2],
      [2, 3, 'DELETE', 2],
      [3, 6, 'DELETE', 1],
      [3, 6, 'INSERT', 1],
      [4, 7, 'INSERT', 3],
      [5, 8, 'DELETE', expect.any(Number)],
      [6, 9, 'INSERT', 1],
    ])
  })

  test('a condition leaves out what does not match, and nothing else', async () => {
    const all = `table_changes('raw.${name}', ${(await metadataOf(name)).snapshots[0]!.snapshotId})`
    for (const condition of ['id = 3', 'part = 0 and more is not null', '_change_ordinal = 4']) {
      const asked = `select * from changes where ${condition} order by all`
      const whole = await world.rows(`with changes as materialized (from ${all}) ${asked}`)
      expect(whole).not.toEqual([])
      expect([condition, await world.rows(`with changes as not materialized (from ${all}) ${asked}`)]).toEqual([
        condition,
        whole,
      ])
    }
  })

  test('the whole history, and beside the table itself', async () => {
    const [[all]] = (await world.rows(`select count(*) from raw.${name}$changes where _change_type = 'INSERT'`)) as [
      [number],
    ]
    expect(all).toBe(20 + 5 + 2 + 1 + 3 + 1)
    expect(await world.rows(`select count(*) from raw.${name}`)).not.toEqual([[all]])
    await world.rows(`delete from raw.${name} where id in (select id from raw.${name}$changes where text = 'last')`)
    expect(await world.rows(`select count(*) from raw.${name} where text = 'last'`)).toEqual([[0]])
  })
})

test('names of snapshots, spellings of other engines, an empty range and an empty table', async () => {
  await world.rows('create table raw.named as select 1 as id')
  await world.rows("call create_tag('raw.named', 'then')")
  await world.rows('insert into raw.named select 2')
  const [, second] = (await metadataOf('named')).snapshots
  for (const from of [
    "table_changes('raw.named', 'then')",
    "table_changes('raw.named', 'then', 'main') as c",
    "raw.named$changes for version as of 'then..main'",
    `TABLE(system.table_changes(schema_name => 'raw', table_name => 'named', start_snapshot_id => (select 'then'), end_snapshot_id => ${second!.snapshotId})) c`,
    `TABLE ( dev_analytics.system.table_changes('raw.named', 'then') ) AS c where id > 0`,
    `TABLE(system.table_changes('raw', 'named', (select 'then'), ${second!.snapshotId}))`,
    'dev_analytics.raw.named$changes where _change_ordinal = 1',
    'raw.named.changes where id = 2',
  ])
    expect([from, await world.rows(`select id, _change_type, _commit_timestamp is not null from ${from}`)]).toEqual([
      from,
      [[2, 'INSERT', true]],
    ])
  expect(await world.rows("select * from table_changes('raw.named', 'main')")).toEqual([])
  const [first] = (await metadataOf('named')).snapshots
  const after = (value: string) => world.rows(`select id from table_changes('raw.named', ${value}) order by 1`)
  for (const [shift, ids] of [
    [-1, [[1], [2]]],
    [0, [[2]]],
  ] as const)
    for (const type of ['TIMESTAMP', 'TIMESTAMPTZ']) {
      const time = new Date(first!.timestampMs + shift).toISOString()
      expect([type, await after(`${type} '${time}'`)]).toEqual([type, ids])
      expect(await after(`'${time}'`)).toEqual(ids)
    }
  expect(await after('current_date + 1')).toEqual([])
  expect(await failure("from table_changes('raw.named', '2024-13-45')")).toMatchObject({ code: 'REQUEST_INVALID' })
  await world.rows('create table raw.none (id int)')
  expect(await world.rows('select * from raw.none$changes')).toEqual([])
  await world.rows("create view raw.looks as select id from table_changes('raw.named', 'then')")
  expect(await world.rows('from raw.looks')).toEqual([[2]])
  await world.rows("create view raw.past as select id from raw.named for version as of 'then'")
  expect(await world.rows('from raw.past')).toEqual([[1]])
})

test('what cannot be told is said', async () => {
  await world.rows('create table raw.cut as select 1 as id')
  await world.rows('insert into raw.cut select 2')
  await world.rows('insert into raw.cut select 3')
  const [first, second] = (await metadataOf('cut')).snapshots
  await world.rows(`call expire_snapshots('raw.cut', snapshot_ids => [${first!.snapshotId}])`)
  expect(await failure('from raw.cut$changes')).toMatchObject({
    code: 'NOT_FOUND',
    hint: expect.stringContaining(`table_changes('raw.cut', ${second!.snapshotId})`) as string,
  })
  // The first may be gone when what came after it is there.
  expect(await world.rows(`select id from table_changes('raw.cut', ${first!.snapshotId}) order by 1`)).toEqual([
    [2],
    [3],
  ])
  expect(await failure("from table_changes('raw.cut', 12345)")).toMatchObject({ code: 'NOT_FOUND' })
  expect(await failure("from table_changes('raw.cut', 'nowhere')")).toMatchObject({ code: 'NOT_FOUND' })
  expect(await failure("from table_changes('raw.missing')")).toMatchObject({ code: 'TABLE_NOT_FOUND' })
  await world.rows('create view raw.shown as select 1 as id')
  expect(await failure("from table_changes('raw.shown')")).toMatchObject({ code: 'TABLE_NOT_FOUND' })
  await world.rows('create table raw.taken as select 1 as _change_type')
  expect(await failure("from table_changes('raw.taken')")).toMatchObject({ code: 'SQL_UNSUPPORTED' })
  const eve = await world.member('eve')
  await world.rows('grant select (id) on raw.cut to eve')
  await world.rows('create table raw.two as select 1 as id, 2 as secret')
  await world.rows('grant select (id) on raw.two to eve')
  expect(await failure('from raw.two$changes', { principal: eve })).toMatchObject({ code: 'FORBIDDEN' })
})

test.each(['_boathouse_file', '_Change_Type'])(
  'a table with a column %s tells no changes, and says why',
  async (name) => {
    await world.rows(`create or replace table raw.taken as select 'x' as "${name}"`)
    expect(await world.rows('from raw.taken')).toEqual([['x']])
    await expect(world.rows('from raw.taken$changes')).rejects.toMatchObject({
      code: 'SQL_UNSUPPORTED',
      message: `dev_analytics.raw.taken has a column ${name}, a name that its changes need`,
    })
  },
)
