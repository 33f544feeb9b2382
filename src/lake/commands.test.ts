import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { realClock } from '../base/clock.ts'
import { openEmbeddedCatalog, type LoadedTable } from '../catalog/index.ts'
import { collect } from './lake.ts'
import { travelInDuckDb } from './sql/travel.ts'
import { openWorld } from './world.ts'

let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world?.close())

const run = async (sql: string, more = {}) => {
  const result = await world.query(sql, more)
  const { columns, rows } = await collect(result)
  return { columns: columns.map(({ name }) => name), rows, command: result.command, notices: result.notices }
}
const failure = (sql: string, more = {}) =>
  world.rows(sql, more).then(
    () => undefined,
    (error: unknown) => error as { code: string; message: string; place?: { line?: number; column?: number } },
  )
const metadataOf = async (name: string) =>
  ((await world.tables.load({ catalog: 'dev_analytics', namespace: 'raw', name })) as LoadedTable).metadata
const snapshotsOf = async (name: string) => (await metadataOf(name)).snapshots.map(({ snapshotId }) => snapshotId)

describe('procedures', () => {
  test('snapshots and their names', async () => {
    await world.rows('create table raw.p as select 1 as id')
    await world.rows('insert into raw.p values (2)')
    const [first, second] = (await snapshotsOf('p')).map(String)
    expect(await run(`call system.create_branch('raw.p', 'audit', ${first})`)).toEqual({
      command: 'CALL',
      columns: ['name', 'snapshot_id'],
      rows: [['audit', first]],
    })
    await run("call create_tag(table => 'raw.p', tag => 'then', max_ref_age_ms => 1000000)")
    expect(await world.rows("select count(*) from raw.p for version as of 'audit'")).toEqual([[1]])
    expect(await run(`CALL dev_analytics.system.rollback_to_snapshot('raw.p', ${first})`)).toEqual({
      command: 'CALL',
      columns: ['previous_snapshot_id', 'current_snapshot_id'],
      rows: [[second, first]],
    })
    expect(await world.rows('from raw.p')).toEqual([[1]])
    expect((await run("call fast_forward('raw.p', 'main', 'then')")).rows).toEqual([['main', first, second]])
    expect((await run(`call set_current_snapshot('raw.p', ref => 'audit')`)).rows).toEqual([[second, first]])
    expect((await run(`call cherrypick_snapshot('raw.p', ${second})`)).rows[0]?.[0]).toBe(second)
    expect(await world.rows('select count(*) from raw.p')).toEqual([[2]])
    expect((await run(`call ancestors_of('\`raw\`.\`p\`', ${first}L)`)).rows).toHaveLength(1)
    expect((await run("call drop_branch('raw.p', branch := 'audit')")).rows).toEqual([['audit', first]])
    await run("call system.drop_tag('raw.p', 'then')")
    expect(Object.keys((await metadataOf('p')).refs)).toEqual(['main'])
    expect((await run("call rollback_to_timestamp('raw.p', now() + interval 1 day)")).rows[0]).toHaveLength(2)
  })

  test('maintenance', async () => {
    await world.rows('create table raw.m as select 1 as id')
    for (let i = 2; i < 8; i++) await world.rows(`insert into raw.m values (${i})`)
    const compacted = await run("call rewrite_data_files(table => 'raw.m', options => MAP {'min-input-files': '2'})")
    expect(compacted.columns[0]).toBe('rewritten_data_files_count')
    expect(compacted.rows[0]?.slice(0, 2)).toEqual([7, 1])
    expect((await run("call rewrite_manifests('raw.m')")).columns).toEqual([
      'rewritten_manifests_count',
      'added_manifests_count',
    ])
    expect((await run("call rewrite_manifests('raw.m')")).rows).toEqual([[0, 0]])
    const expired = await run("call expire_snapshots('raw.m', older_than => now() + interval 1 day, retain_last => 1)")
    expect(expired.columns).toContain('deleted_manifest_lists_count')
    expect(Number(expired.rows[0]?.[0])).toBe(7)
    expect(await world.rows('select count(*) from raw.m')).toEqual([[7]])
    expect((await run("call remove_orphan_files('raw.m', dry_run => true)")).rows).toEqual([])
    expect((await run("call rewrite_position_delete_files('raw.m')")).rows).toEqual([[0, 0, 0, 0]])
  })

  test('manifests of one spec, deletes of some partitions', async () => {
    const mode = "'write.delete.mode' = 'merge-on-read', 'write.delete.granularity' = 'partition'"
    await world.rows(`create table raw.parts partitioned by (part) tblproperties (${mode}) as
      select i as id, i % 2 as part from range(20) t(i)`)
    for (const rest of [0, 1, 2, 3]) await world.rows(`delete from raw.parts where id = ${rest}`)
    rmSync(world.spool, { recursive: true }) // a program that wrote nothing yet has none
    const call = (more: string) =>
      `call rewrite_position_delete_files('raw.parts', options => MAP {'rewrite-all': 'true'}${more})`
    expect((await run(call(", where => 'part = 1'"))).rows[0]?.slice(0, 2)).toEqual([2, 1])
    expect((await run(call(", where => 'part = 5'"))).rows[0]?.slice(0, 2)).toEqual([0, 0])
    expect(await world.rows('select count(*) from raw.parts')).toEqual([[16]])
    await world.rows('alter table raw.parts add partition field bucket(2, id)')
    for (const id of [50, 51]) await world.rows(`insert into raw.parts values (${id}, 0)`)
    expect((await run("call rewrite_manifests('raw.parts', spec_id => 1)")).rows).toEqual([[2, 1]])
    expect(await failure("call rewrite_manifests('raw.parts', spec_id => 7)")).toMatchObject({
      code: 'REQUEST_INVALID',
    })
    expect(await world.rows('select count(*) from raw.parts')).toEqual([[18]])
  })

  test('rows are put along a curve through several columns', async () => {
    const columns = `a::int as a, 'key ' || chr(65 + (b // 4)::int) || (b % 4) as b, date '2020-01-01' + (a % 8)::int as day`
    await run(`create table raw.z as select ${columns} from range(16) x(a), range(16) y(b)`)
    await run(`insert into raw.z values (null, null, null)`)
    const rewrite = (order: string) =>
      run(`call rewrite_data_files('raw.z', sort_order => '${order}', options => map('rewrite-all', 'true'))`)
    expect((await rewrite('zorder(a, b)')).rows[0]?.slice(0, 2)).toEqual([2, 1])
    const { rows } = await run('select a, b from raw.z')
    // Nothing lies where the least value of each column does: either comes first.
    expect(rows.slice(0, 2)).toContainEqual([null, null])
    const others = rows.filter(([a]) => a !== null)
    const quarters = [0, 1, 2, 3].map((part) => others.slice(64 * part, 64 + 64 * part))
    const rectangle = (part: unknown[][]) => {
      const [of, to] = [part.map(([a]) => Number(a)), part.map(([, b]) => String(b)).toSorted()]
      return [Math.min(...of), Math.max(...of), to[0], to.at(-1)]
    }
    expect(quarters.map(rectangle)).toEqual([
      [0, 7, 'key A0', 'key B3'],
      [0, 7, 'key C0', 'key D3'],
      [8, 15, 'key A0', 'key B3'],
      [8, 15, 'key C0', 'key D3'],
    ])
    expect((await run('select distinct sort_order_id from raw.z$files')).rows).toEqual([[0]])
    await rewrite('zorder(day, a, b)')
    expect((await run('select count(*), count(distinct (a, b)), sum(a)::int from raw.z')).rows).toEqual([
      [257, 257, 1920],
    ])
  })

  test('upkeep as Trino spells it', async () => {
    await run('create table raw.ours (id int, s varchar)')
    for (const id of [1, 2, 3]) await run(`insert into raw.ours values (${id}, 'it''s')`)
    const execute = (what: string) => `alter table raw.ours execute ${what}`
    expect((await run(execute("optimize where s = 'other'"))).rows[0]?.slice(0, 2)).toEqual([0, 0])
    expect(
      (await run(execute("optimize(file_size_threshold => '10MB') where s = 'it''s'"))).rows[0]?.slice(0, 2),
    ).toEqual([3, 1])
    expect((await run(execute('optimize'))).rows[0]?.slice(0, 2)).toEqual([0, 0])
    expect((await run(execute('optimize_manifests'))).rows).toEqual([[0, 0]])
    expect((await run(execute('expire_snapshots'))).rows[0]?.[0]).toBe(0)
    expect((await run(execute("expire_snapshots(retention_threshold => '0s', retain_last => 1)"))).rows[0]?.[0]).toBe(3)
    expect((await run(execute("remove_orphan_files('3d')"))).rows).toEqual([])
    expect(await run('select count(*) from raw.ours')).toMatchObject({ rows: [[3]] })
  })
  test.each([
    [
      "optimize(file_size_threshold => 'ten')",
      'SQL_INVALID',
      "file_size_threshold is a size such as '100MB', found 'ten'",
    ],
    ["expire_snapshots('soon')", 'SQL_INVALID', "retention_threshold is a duration such as '7d', found 'soon'"],
    ['optimize(least => 1)', 'SQL_INVALID', 'optimize has no argument least'],
    ['optimize(1, 2)', 'SQL_INVALID', 'optimize has 1 arguments'],
    ['drop_extended_stats', 'SQL_UNSUPPORTED', 'EXECUTE drop_extended_stats is not supported'],
    ['rollback_to_snapshot(7)', 'NOT_FOUND', 'there is no snapshot 7'],
  ])('ALTER TABLE … EXECUTE %s is refused', async (what, code, message) => {
    expect(await failure(`alter table raw.ours execute ${what}`)).toMatchObject({ code, message })
  })

  test('data files are rewritten where, and sorted as, the call says', async () => {
    await world.rows("create table raw.w as select 3 as id, 'x' as part")
    for (const id of [2, 1]) await world.rows(`insert into raw.w values (${id}, 'x')`)
    for (const id of [9, 8]) await world.rows(`insert into raw.w values (${id}, 'y')`)
    const few = "options => MAP {'min-input-files': '2'}"
    const rewrite = async (more: string) =>
      (await run(`call rewrite_data_files(table => 'raw.w', ${more})`)).rows[0]?.slice(0, 2)
    expect(await rewrite(`${few}, where => 'part = ''y'''`)).toEqual([2, 1])
    expect(await rewrite(`${few}, sort_order => 'id', where => 'id < 4'`)).toEqual([3, 1])
    const ids = async () => (await world.rows('select id from raw.w')).flat()
    expect((await ids()).join()).toContain('1,2,3')
    expect(
      await rewrite(`options => MAP {'rewrite-all': 'true'}, strategy => 'sort', sort_order => 'part desc, id'`),
    ).toEqual([2, 1])
    expect(await ids()).toEqual([8, 9, 1, 2, 3])
    // The table's own order stays what it was.
    expect((await metadataOf('w')).sortOrders).toHaveLength(1)
    expect(await world.rows('select distinct sort_order_id from raw.w$files')).toEqual([[0]])
    for (const never of ['false', '0=1', 'null', '1 > 2 -- never'])
      expect(await rewrite(`options => MAP {'rewrite-all': 'true'}, where => '${never}'`)).toEqual([0, 0])
  })

  test('data files of a branch are rewritten; main stays', async () => {
    for (const id of [1, 2, 3])
      await world.rows(`${id === 1 ? 'create table raw.b as' : 'insert into raw.b'} select ${id} as id`)
    await run("call create_branch('raw.b', 'audit')")
    await world.rows('insert into raw.b values (4)')
    const { currentSnapshotId } = await metadataOf('b')
    const rewrite = async (more: string) =>
      (await run(`call rewrite_data_files('raw.b', options => map('rewrite-all', 'true')${more})`)).rows[0]?.slice(0, 2)
    expect(await rewrite(", branch => 'audit', where => 'id > 1'")).toEqual([2, 1])
    expect(await rewrite(", branch => 'audit', sort_order => 'id desc'")).toEqual([2, 1])
    expect(await world.rows("select id from raw.b for version as of 'audit'")).toEqual([[3], [2], [1]])
    expect((await metadataOf('b')).currentSnapshotId).toBe(currentSnapshotId)
    expect(await rewrite(", branch => 'main'")).toEqual([4, 1])
    expect(await failure("call rewrite_data_files('raw.b', branch => 'none')")).toMatchObject({ code: 'NOT_FOUND' })
  })

  test('lists and maps as Spark writes them', async () => {
    await world.rows('create table raw.spelled as select 1 as "a b"')
    for (let i = 2; i < 5; i++) await world.rows(`insert into raw.spelled values (${i})`)
    const rewrite = (more: string) => run(`call rewrite_data_files('raw.spelled', options => ${more})`)
    const idle = await rewrite("map('min-input-files', '9', 'max-concurrent-file-group-rewrites', 2)")
    expect([idle.rows[0]?.[0], idle.notices]).toEqual([
      0,
      ['the option max-concurrent-file-group-rewrites has no effect here'],
    ])
    expect((await rewrite("map(['min-input-files'], ['9'])")).rows[0]?.[0]).toBe(0)
    const done = await rewrite("map('rewrite-all', 'true'), where => '`a b` > 2', sort_order => '`a b` desc'")
    expect(done.rows[0]?.slice(0, 2)).toEqual([2, 1])
    const [first, second] = await snapshotsOf('spelled')
    await run(`call expire_snapshots('raw.spelled', snapshot_ids => ARRAY(${first}L, ${second}))`)
    expect(await snapshotsOf('spelled')).toHaveLength(3)
    expect((await run("call rewrite_manifests('raw.spelled', use_caching => true)")).notices).toEqual([
      'the argument use_caching has no effect here',
    ])
    expect(
      await failure("call rewrite_data_files('raw.spelled', options => map('min-input-files', nope))"),
    ).toMatchObject({
      code: 'SQL_INVALID',
      place: { column: 74 },
    })
  })

  test('what was staged is published by its name; the way to a snapshot', async () => {
    await world.rows('create table raw.staged as select 1 as id')
    const first = await metadataOf('staged')
    const head = first.snapshots[0]!
    const staged = { ...head, snapshotId: 77n, parentSnapshotId: head.snapshotId, sequenceNumber: 9n }
    const summary = { ...head.summary, 'wap.id': 'audited' } as typeof head.summary
    const name = { catalog: 'dev_analytics', namespace: 'raw', name: 'staged' }
    const stage = (snapshot: typeof head) =>
      openEmbeddedCatalog({ ...world, clock: realClock }).commit([
        { action: 'commit', kind: 'table', name, requirements: [], updates: [{ action: 'add-snapshot', snapshot }] },
      ])
    await stage({ ...staged, summary })
    for (const id of [78n, 79n])
      await stage({
        ...staged,
        snapshotId: id,
        sequenceNumber: id,
        summary: { ...summary, 'wap.id': 'twice' } as typeof summary,
      })
    expect(await failure("call publish_changes('raw.staged', 'twice')")).toMatchObject({
      message: "2 snapshots were staged under the wap.id 'twice'",
    })
    expect((await run("call publish_changes('raw.staged', 'audited')")).rows).toEqual([[77, 77]])
    expect(await failure("call publish_changes('raw.staged', 'other')")).toMatchObject({ code: 'NOT_FOUND' })
    const ancestors = (await run("call ancestors_of('raw.staged')")).rows
    expect(ancestors).toEqual([
      [77, head.timestampMs],
      [String(head.snapshotId), head.timestampMs],
    ])
    expect((await run(`call ancestors_of('raw.staged', ${head.snapshotId})`)).rows).toEqual(ancestors.slice(1))
  })

  test('orphans are looked for in a folder of the table', async () => {
    await world.rows('create table raw.folder as select 1 as id')
    const { location } = await metadataOf('folder')
    const call = (where: string) => `call remove_orphan_files('raw.folder', dry_run => true, location => '${where}')`
    expect((await run(call(`${location}/data`))).rows).toEqual([])
    for (const outside of [`${location}/..`, location.slice(0, -3), `${location}x`])
      expect(await failure(call(outside))).toMatchObject({ code: 'REQUEST_INVALID' })
  })

  test('files and tables of others', async () => {
    await world.rows('create table raw.other as select 7 as id')
    const { location } = (await world.tables.load({
      catalog: 'dev_analytics',
      namespace: 'raw',
      name: 'other',
    })) as LoadedTable
    expect((await run(`call register_table('raw.again', '${location}')`)).rows[0]?.slice(1)).toEqual([1, 1])
    expect(await world.rows('from raw.again')).toEqual([[7]])
    const [[path]] = (await world.rows('select file_path from raw.other$files')) as [[string]]
    expect((await run(`call add_files('raw.more', files => ['${path}'])`)).rows).toEqual([[1, 1]])
    expect(await world.rows('from raw.more')).toEqual([[7]])
    const again = `call add_files('raw.more', files => ['${path}']`
    expect(await failure(`${again})`)).toMatchObject({ code: 'REQUEST_INVALID' })
    await run(`${again}, check_duplicate_files => false)`)
    expect(await world.rows('from raw.more')).toEqual([[7], [7]])
    const nowhere = { code: 'NOT_FOUND', message: 'no file lies in a folder day=2' }
    expect(await failure(`${again}, partition_filter => MAP {'day': 2})`)).toMatchObject(nowhere)
  })

  test('a name is moved inside of a transaction, files are not', async () => {
    await world.rows('create table raw.t as select 1 as id')
    const transaction = await world.lake.begin(world.asking())
    await transaction.query("call create_tag('raw.t', 'in_there')")
    expect((await metadataOf('t')).refs).not.toHaveProperty('in_there')
    await transaction.commit()
    expect((await metadataOf('t')).refs).toHaveProperty('in_there')
    const next = await world.lake.begin(world.asking())
    await expect(next.query("call rewrite_data_files('raw.t')")).rejects.toMatchObject({ code: 'SQL_UNSUPPORTED' })
    await next.rollback()
  })

  test.each([
    ["call rolback_to_snapshot('raw.t', 1)", 'SQL_INVALID', 6],
    ["call rollback_to_snapshot('raw.t')", 'SQL_INVALID', 6],
    ["call rollback_to_snapshot('raw.t', snapshot => 1)", 'SQL_INVALID', 48],
    ["call rollback_to_snapshot('raw.t', 'x')", 'QUERY_FAILED', undefined],
    ["call rollback_to_snapshot('raw.t', nope)", 'SQL_INVALID', 36],
    ["call rollback_to_snapshot('raw.t', 12)", 'NOT_FOUND', undefined],
    ["call create_tag('raw.nowhere', 'x')", 'TABLE_NOT_FOUND', undefined],
    ["call rewrite_data_files('raw.t', options => MAP {'nonsense': 1})", 'REQUEST_INVALID', undefined],
    ["call rewrite_data_files('raw.t', strategy => 'zorder')", 'REQUEST_INVALID', undefined],
    ["call rewrite_data_files('raw.t', strategy => 'sort')", 'REQUEST_INVALID', undefined],
    ["call rewrite_data_files('raw.t', strategy => 'binpack', sort_order => 'id')", 'REQUEST_INVALID', undefined],
    ["call rewrite_data_files('raw.t', sort_order => 'nope')", 'REQUEST_INVALID', undefined],
    ["call rewrite_data_files('raw.t', sort_order => 'id id')", 'SQL_INVALID', undefined],
    ["call rewrite_data_files('raw.t', sort_order => 'zorder(nope)')", 'REQUEST_INVALID', undefined],
    ["call rewrite_data_files('raw.t', sort_order => 'zorder(id, ID)')", 'REQUEST_INVALID', undefined],
    ["call rewrite_data_files('raw.t', where => 'nope = 1')", 'SQL_INVALID', undefined],
    ["call rewrite_data_files('raw.t', options => MAP {'output-spec-id': 4})", 'SQL_UNSUPPORTED', undefined],
    ["call rewrite_manifests('raw.t', sort_by => ['none'])", 'REQUEST_INVALID', undefined],
    ["call remove_orphan_files('raw.t', file_list_view => 'files')", 'SQL_UNSUPPORTED', undefined],
    ["call expire_snapshots('raw.t', table => 'raw.t')", 'SQL_INVALID', undefined],
    ["call expire_snapshots('raw.t', now(), 1, 1, true, [1], true, true, 3)", 'SQL_INVALID', undefined],
  ])('%s is refused', async (sql, code, column) => {
    const found = await failure(sql)
    expect(found).toMatchObject({ code })
    if (column !== undefined) expect(found?.place?.column).toBe(column)
  })

  test('what would be done is told, and nothing is', async () => {
    await world.rows("create table raw.dry (id int) with ('write.delete.mode' = 'merge-on-read')")
    for (const id of [1, 2, 3]) await world.rows(`insert into raw.dry select ${id} from range(20)`)
    await world.rows('insert into raw.dry values (2)')
    await world.rows('insert into raw.dry select i from range(100) t(i)')
    await world.rows('delete from raw.dry where id = 7')
    const before = await metadataOf('dry')
    const call = async (text: string) => (await run(`call ${text}`)).rows[0]
    const all = "options => map('rewrite-all', 'true')"
    expect((await call(`rewrite_data_files('raw.dry', dry_run => true, ${all})`))?.slice(0, 2)).toEqual([5, null])
    expect((await call("rewrite_manifests('raw.dry', dry_run => true)"))?.[0]).toBeGreaterThan(1)
    expect((await call(`rewrite_position_delete_files('raw.dry', dry_run => true, ${all})`))?.slice(0, 2)).toEqual([
      1, 1,
    ])
    expect((await call("expire_snapshots('raw.dry', now(), 1, dry_run => true)"))?.[4]).toBe(5)
    expect(await metadataOf('dry')).toEqual(before)
  })

  test('branches and tags by ALTER TABLE, as Iceberg has it in Spark', async () => {
    await world.rows('create table raw.refs as select 1 as id')
    const [first] = await snapshotsOf('refs')
    await world.rows('insert into raw.refs values (2)')
    const [, second] = await snapshotsOf('refs')
    const alter = (what: string) => world.rows(`alter table raw.refs ${what}`)
    await alter(`create branch audit as of version ${first} retain 7 days with snapshot retention 2 snapshots 3 hours`)
    await alter('create branch if not exists audit retain 1 day')
    await alter('create tag "v 1" retain 30 minutes')
    await alter('create or replace tag latest')
    const { refs } = await metadataOf('refs')
    expect(refs).toMatchObject({
      audit: {
        type: 'branch',
        snapshotId: first,
        maxRefAgeMs: 7 * 86_400_000,
        minSnapshotsToKeep: 2,
        maxSnapshotAgeMs: 3 * 3_600_000,
      },
      'v 1': { type: 'tag', snapshotId: second, maxRefAgeMs: 1_800_000 },
      latest: { type: 'tag', snapshotId: second },
    })
    await alter('replace branch audit with snapshot retention 1 day')
    await alter(`create or replace tag latest as of version ${first}`)
    await alter('drop tag "v 1", drop branch if exists nowhere')
    expect((await metadataOf('refs')).refs).toMatchObject({
      audit: { snapshotId: second, maxRefAgeMs: 7 * 86_400_000, minSnapshotsToKeep: 2, maxSnapshotAgeMs: 86_400_000 },
      latest: { snapshotId: first },
    })
    expect((await metadataOf('refs')).refs).not.toHaveProperty('v 1')
    const refused = async (what: string) => (await failure(`alter table raw.refs ${what}`))?.code
    expect(await refused('create branch audit')).toBe('ALREADY_EXISTS')
    expect(await refused('replace branch nowhere')).toBe('NOT_FOUND')
    expect(await refused('drop tag audit')).toBe('REQUEST_INVALID')
    expect(await refused('replace tag audit')).toBe('REQUEST_INVALID')
    expect(await refused('create branch b as of version 12')).toBe('NOT_FOUND')
    expect(await refused('drop branch main')).toBe('REQUEST_INVALID')
    expect(await refused(`create or replace branch main as of version ${first}`)).toBe('REQUEST_INVALID')
    expect(await refused('create tag t retain 2 years')).toBe('SQL_INVALID')
    expect(await refused('create tag t with snapshot retention 2 days')).toBe('SQL_INVALID')
    await alter('add column branch int, add column tag int')
    await alter('drop branch, drop tag cascade')
    expect((await world.rows('describe raw.refs')).flat()).not.toContain('branch')
  })

  test('a procedure that is spelled otherwise here is told with its spelling', async () => {
    const found = await failure("call system.create_changelog_view(table => 'raw.t', changelog_view => 'v')")
    expect(found).toMatchObject({ code: 'SQL_INVALID', hint: expect.stringContaining('table_changes') })
  })

  test('those who may not', async () => {
    for (const sql of [
      "call expire_snapshots('raw.t')",
      "call create_tag('raw.t', 'mine')",
      "call add_files('raw.t', files => ['/x'])",
    ])
      expect(await failure(sql, { principal: world.reader })).toMatchObject({ code: 'FORBIDDEN' })
  })
})

describe('files outside of the lake', () => {
  test('what goes out comes back', async () => {
    await world.rows(
      `create table raw.out as select i::int as id, 'a,"b' || i as name, case when i = 1 then null else i / 4 end::decimal(9, 2) as amount, date '2024-01-01' + i::int as day, 9007199254740993::hugeint + i as large from range(5) t(i)`,
    )
    const all = await world.rows('from raw.out order by id')
    for (const file of ['one.csv', 'one.parquet', 'one.json']) {
      expect((await run(`copy raw.out to '${file}'`)).rows).toEqual([[5]])
      await world.rows(`create or replace table raw.back as select * from raw.out limit 0`)
      expect(await run(`copy raw.back from '${file}'`)).toMatchObject({ command: 'COPY', rows: [[5]] })
      expect(await world.rows('from raw.back order by id')).toEqual(all)
    }
    await run(
      "copy (select id, name from raw.out where id = 3) to 'few.txt' with (format csv, header false, delimiter '|')",
    )
    expect(readFileSync(join(world.copies, 'few.txt'), 'utf8')).toBe('3|"a,""b3"\n')
    await run("copy raw.back (id, name) from 'few.txt' (format csv, header false, delimiter '|')")
    expect(await world.rows('select id, name, amount from raw.back where amount is null and id = 3')).toHaveLength(1)
    expect(readdirSync(world.copies).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  test('nothing else of the disk', async () => {
    mkdirSync(join(world.dir, 'elsewhere'))
    writeFileSync(join(world.dir, 'elsewhere', 'secret.csv'), 'id\n1\n')
    symlinkSync(join(world.dir, 'elsewhere'), join(world.copies, 'door'))
    symlinkSync(join(world.dir, 'elsewhere', 'secret.csv'), join(world.copies, 'link.csv'))
    const places = [
      '/etc/passwd',
      '../elsewhere/secret.csv',
      `${world.dir}/elsewhere/secret.csv`,
      'door/secret.csv',
      'link.csv',
      '*.csv',
      `${world.root}/dev_analytics/x.csv`,
      '.',
      '..',
    ]
    for (const place of places) {
      expect([place, await failure(`copy (select 1) to '${place}'`)]).toMatchObject([place, { code: 'SQL_REFUSED' }])
      expect([place, await failure(`copy raw.out from '${place}'`)]).toMatchObject([place, { code: 'SQL_REFUSED' }])
    }
    expect(await failure("copy raw.out to 'x.csv'", { principal: world.reader })).toMatchObject({ code: 'FORBIDDEN' })
    expect(await failure("copy raw.out from 'nowhere.csv'")).toMatchObject({ code: 'NOT_FOUND' })
    expect(await failure("copy raw.out to 'x.csv' (format xlsx)")).toMatchObject({ code: 'SQL_INVALID' })
    expect(await failure("copy raw.out to 'x.csv' (colour red)")).toMatchObject({ code: 'SQL_INVALID' })
    expect(await failure("copy (select * from read_csv('/etc/passwd')) to 'x.csv'")).toMatchObject({
      code: 'SQL_REFUSED',
    })
    writeFileSync(join(world.copies, 'wrong.csv'), 'id,name,amount,day\nx,y,z,w\n')
    const wrong = await failure("copy raw.out from 'wrong.csv'")
    expect(wrong?.code).toBe('QUERY_FAILED')
    expect(wrong?.message).not.toContain(world.dir)
    expect(existsSync(join(world.copies, 'x.csv'))).toBe(false)
  })
})

describe('plans and definitions', () => {
  describe('as DuckDB and Spark look at a table', () => {
    beforeAll(async () => {
      await world.rows(`create table raw.looked (id int not null comment 'the id', "My Col" decimal(10, 2), n hugeint)`)
      await world.rows('insert into raw.looked values (1, 2, 3)')
      await world.rows('create view raw.looked_at as select id from raw.looked')
    })
    const info = [
      [0, 'id', 'INTEGER', true, null, false],
      [1, 'My Col', 'DECIMAL(10,2)', false, null, false],
      [2, 'n', 'HUGEINT', false, null, false],
    ]
    const described = info.map(([, name, type, required]) => [name, type, required ? 'NO' : 'YES', null, null, null])
    test.each([
      ["pragma table_info('raw.looked')", info],
      ['pragma table_info(looked)', info],
      [`select t.name from pragma_table_info('"raw".looked') as t where t."notnull"`, [['id']]],
      ['describe table extended raw.looked', described],
      ['desc formatted looked', described],
      ['show create table looked_at', [['CREATE VIEW "raw"."looked_at" AS select id from raw.looked']]],
      ['select count(*) from looked.files', [[1]]],
      ['select operation from looked.snapshots', [['append']]],
      ['select count(*) from looked timestamp as of 499162860', [[0]]],
      ['select count(*) from looked timestamp as of 4991628600', [[1]]],
    ])('%s', async (sql, rows) => {
      expect(await world.rows(sql, { namespace: 'raw' })).toEqual(rows)
    })
    test.each([
      ["pragma table_info('raw.none')", 'TABLE_NOT_FOUND'],
      ['pragma threads = 4', 'SQL_UNSUPPORTED'],
      ['describe extended', 'TABLE_NOT_FOUND'],
      ['show create view raw.looked', 'TABLE_NOT_FOUND'],
      ['select * from raw.files', 'TABLE_NOT_FOUND'],
      ['select * from looked timestamp as of 4991628600000', 'SQL_INVALID'],
    ])('%s: %s', async (sql, code) => {
      expect(await failure(sql, { namespace: 'raw' })).toMatchObject({ code })
    })
    test('all tables at once, with their columns', async () => {
      for (const sql of ['describe', 'SHOW ALL TABLES']) {
        const found = (await world.rows(sql)).find(([, , name]) => name === 'looked')
        expect(found?.slice(1)).toEqual([
          'raw',
          'looked',
          ['id', 'My Col', 'n'],
          ['INTEGER', 'DECIMAL(10,2)', 'HUGEINT'],
          false,
        ])
      }
    })
    test('who may not know of the table is told the same as where there is none', async () => {
      const principal = await world.member('stranger')
      for (const name of ['looked', 'nothing'])
        expect(await failure(`select * from ${name}.files`, { namespace: 'raw', principal })).toMatchObject({
          message: `there is no table ${name}.files`,
        })
    })
    test('a schema that is called like the table goes first', async () => {
      await world.rows('create schema looked')
      await world.rows('create table looked.files as select 7 as seven')
      expect(await world.rows('select * from looked.files', { namespace: 'raw' })).toEqual([[7]])
      await world.rows('drop schema looked cascade')
      await world.rows('drop view raw.looked_at')
    })
  })

  test('EXPLAIN tells files and the plan, and no path', async () => {
    await world.rows(
      "create table raw.e partitioned by (region) as select i as id, 'r' || (i % 4) as region from range(100) t(i)",
    )
    const { rows, columns } = await run("explain select sum(id) from raw.e where region = 'r1'")
    expect(columns).toEqual(['explain_key', 'explain_value'])
    expect(rows[0]).toEqual([
      'files',
      expect.stringMatching(/^dev_analytics\.raw\.e: 1 files, 25 rows, .* after pruning$/),
    ])
    expect(JSON.stringify(rows)).not.toContain(world.dir)
    const analyzed = await run('explain analyze select * from raw.e')
    expect(JSON.stringify(analyzed.rows)).toContain('Total Time')
    expect(JSON.stringify(analyzed.rows)).not.toContain(world.dir)
    await world.rows("create table raw.dim as select i as k, 'd' || i as name from range(8) t(i)")
    await world.rows('create table raw.mid as select i as id, i % 8 as k from range(100) t(i)')
    const joined = await run(`explain select name, sum(e.id) from raw.e, raw.mid, raw.dim
      where e.id = mid.id and mid.k = dim.k and dim.name = 'd1' and e.region = 'r1' group by name order by 2 desc`)
    expect(joined.rows[0]).toEqual(['files', expect.stringMatching(/^dev_analytics\.raw\.e: 1 files, 25 rows/)])
    const [[, read] = [], [, plan] = []] = (await run("explain delete from raw.e where region = 'r1'")).rows
    expect(`${read as string} ${plan as string}`).not.toContain(world.root)
    expect(await world.rows('select count(*) > 0 from raw.e')).toEqual([[true]])
    expect(await failure('explain update raw.e\n set id = nope')).toMatchObject({ place: { line: 2, column: 11 } })
    expect(await failure('explain drop table raw.e')).toMatchObject({ code: 'SQL_INVALID' })
  })

  test.each([
    ['explain (format json) select sum(id) from raw.pe where id > 5', undefined],
    ['explain (analyze, format json, costs off) select * from raw.pe', 10],
    ['explain (analyze, format json) select count(*) from raw.pe where id = 1', 1],
    // Of this one DuckDB cannot write what it analysed.
    ['explain (analyze, format json) select count(*) from raw.po where id = 1', undefined],
    ['explain (format json) update raw.pe set id = 2 where id = 1', undefined],
  ])('%s is a plan in the words of PostgreSQL, without a path', async (sql, rowsRead) => {
    await world.rows('create table if not exists raw.pe as select range id from range(10)')
    await world.rows('create table if not exists raw.po as select 1::int id')
    const { rows, columns } = await run(sql)
    expect(columns).toEqual(['QUERY PLAN'])
    const [told] = JSON.parse(String(rows[0]![0])) as { Plan: Record<string, unknown>; Files: unknown[] }[]
    expect(told!.Plan['Node Type']).toMatch(/^[A-Z_]+$/)
    expect(told!.Plan['Actual Rows']).toBe(rowsRead)
    expect(told!.Files).toMatchObject([{ Files: 1 }])
    expect(JSON.stringify(rows)).not.toContain(world.dir)
  })

  test('SHOW CREATE gives a statement that makes the table again', async () => {
    await world.rows(`create table raw.made (id bigint not null comment 'it''s', at timestamptz, n int default 3)
      partitioned by (bucket(4, id), day(at)) sorted by (id desc nulls last) comment 'all' with ('format-version' = '3')`)
    const [[text]] = (await run('show create table raw.made')).rows as [[string]]
    await world.rows(text.replace('"made"', '"made_again"'))
    const [[again]] = (await run('show create table raw.made_again')).rows as [[string]]
    expect(again.replace('"made_again"', '"made"')).toBe(text)
    await world.rows(`create table raw.keyed (Id int, r int, primary key (ID) not enforced, constraint u unique (r) not enforced,
      foreign key (r) references raw.made (id) not enforced) partitioned by (iD) sorted by (R)`)
    expect((await run('show create table raw.keyed')).rows).toEqual([
      [
        `CREATE TABLE "raw"."keyed" (
  "Id" INTEGER NOT NULL,
  "r" INTEGER,
  PRIMARY KEY ("Id") NOT ENFORCED,
  CONSTRAINT "u" UNIQUE ("r") NOT ENFORCED,
  CONSTRAINT "keyed_r_fkey" FOREIGN KEY ("r") REFERENCES "raw"."made" ("id") NOT ENFORCED
)
PARTITIONED BY ("Id")
SORTED BY ("r" ASC NULLS FIRST)
WITH ('format-version' = '2', 'write.parquet.compression-codec' = 'zstd')`,
      ],
    ])
    await world.rows('create view raw.seen as select 1 as a')
    expect((await run('show create view raw.seen')).rows).toEqual([['CREATE VIEW "raw"."seen" AS select 1 as a']])
    expect(await failure('show create view raw.made')).toMatchObject({ code: 'TABLE_NOT_FOUND' })
  })

  test('SHOW', async () => {
    expect((await run('show columns from raw.made')).rows).toEqual([
      ['id', 'BIGINT', 'NO'],
      ['at', 'TIMESTAMP WITH TIME ZONE', 'YES'],
      ['n', 'INTEGER', 'YES'],
    ])
    expect((await run('show schemas')).rows).toEqual([['raw']])
    expect((await run('show databases')).rows).toEqual([['dev_analytics']])
    expect((await run('show tables from raw')).rows).toContainEqual(['raw', 'made', 'BASE TABLE'])
    expect((await run('show views')).rows).toEqual([['raw', 'seen']])
    expect((await run('show tables')).rows).toContainEqual(['raw', 'made', 'BASE TABLE'])
    for (const like of ["like 'ma_e'", "from raw like 'MADE'", "in raw 'nothing|m*de'"])
      expect((await run(`show tables ${like}`)).rows).toEqual([['raw', 'made', 'BASE TABLE']])
    expect((await run(`show tables like 'ma\\_e'`)).rows).toEqual([])
    expect((await run("show views like 'x%'")).rows).toEqual([])
    expect((await run("show schemas from dev_analytics like 'r%'")).rows).toEqual([['raw']])
    expect((await run("show columns from raw.made like 'a%'")).rows).toEqual([
      ['at', 'TIMESTAMP WITH TIME ZONE', 'YES'],
    ])
    expect(await failure('show schemas from elsewhere')).toMatchObject({ code: 'SQL_UNSUPPORTED' })
  })
})

describe('rights', () => {
  test('several tables at once, a part of what was granted, and what was not', async () => {
    await world.rows('create table raw.one as select 1 as id, 2 as secret')
    await world.rows('create table raw.two as select 1 as id, 2 as secret')
    const [mo, max] = [await world.member('mo'), await world.member('max')]
    await run('grant select on table raw.one, raw.two to mo, max')
    for (const principal of [mo, max]) expect(await world.rows('from raw.two', { principal })).toEqual([[1, 2]])
    await run('revoke select on raw.one, raw.two from max')
    await run('grant select (id, secret) on raw.one to max')
    await run('revoke select (secret) on raw.one from max')
    expect(await world.rows('from raw.one', { principal: max })).toEqual([[1]])
    expect(await failure('revoke select (secret) on raw.one from mo')).toMatchObject({ code: 'REQUEST_INVALID' })
    const nothing = await world.query('revoke insert on raw.one from mo')
    expect(nothing.notices).toEqual([expect.stringContaining('nothing was taken away')])
  })

  test('a name with a star is one name, and no pattern', async () => {
    for (const sql of [
      'grant select on raw."*" to mia',
      'grant select on raw.p, raw."sales*" to mia',
      'grant select on "r*".p to mia',
    ])
      await expect(run(sql), sql).rejects.toMatchObject({
        code: 'SQL_UNSUPPORTED',
        message: expect.stringContaining('* stands for'),
      })
    await expect(run('create table raw."sales*" (id int)')).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  })

  test('GRANT, REVOKE, roles', async () => {
    await world.rows('create table raw.given as select 1 as id, 2 as secret')
    const mia = await world.member('mia')
    const asMia = { principal: mia }
    expect(await failure('from raw.given', asMia)).toBeTruthy()
    expect((await run('create role analyst')).command).toBe('CREATE ROLE')
    expect(await failure('create role analyst')).toMatchObject({ code: 'ALREADY_EXISTS' })
    await run('create role if not exists analyst')
    await run('grant select (id) on raw.given to role analyst')
    await run('grant analyst to user mia')
    expect(await world.rows('from raw.given', asMia)).toEqual([[1]])
    expect((await run('show grants on raw.given')).rows).toEqual([
      ['select', 'dev', 'raw', 'given', 'id', 'role', 'analyst', 'sql', 'ana', expect.any(String)],
    ])
    expect((await run('show roles')).rows).toEqual([['analyst', 'user:mia', 'sql']])
    expect(await failure('explain from raw.given', asMia)).toMatchObject({ code: 'FORBIDDEN' })
    expect(await failure('show create table raw.given', asMia)).toMatchObject({ code: 'FORBIDDEN' })
    expect(await failure('grant select on raw.given to mia', asMia)).toMatchObject({ code: 'FORBIDDEN' })
    await run('revoke select (id) on raw.given from role:analyst')
    expect(await failure('from raw.given', asMia)).toBeTruthy()
    await run('grant all privileges on schema raw to mia')
    expect(await world.rows('from raw.given', asMia)).toEqual([[1, 2]])
    await run('revoke analyst from mia')
    await run('drop role analyst')
    await run('drop role if exists analyst')
    expect(await failure('grant selct on raw.given to mia')).toMatchObject({
      code: 'SQL_INVALID',
      message: expect.stringContaining('did you mean') as string,
      place: { column: 7 },
    })
  })
})

test.each([
  ['from t for version as of 3', 'from t AT (VERSION => 3)'],
  [
    "from t FOR SYSTEM_TIME AS OF TIMESTAMP '2024-01-01' AS x where 1 = 1",
    "from t AS x AT (TIMESTAMP => TIMESTAMP '2024-01-01') where 1 = 1",
  ],
  [
    "from t version as of 'main', u timestamp as of now() - 1",
    "from t AT (VERSION => 'main'), u AT (TIMESTAMP => now() - 1)",
  ],
  [
    "from t for timestamp as of current_timestamp - interval '1' day as x, u timestamp as of now() - interval 2 hours + f(1) y",
    "from t AS x AT (TIMESTAMP => current_timestamp - interval '1' day), u AS y AT (TIMESTAMP => now() - interval 2 hours + f(1))",
  ],
  [
    "from t at (version => 'v') as x join u AT(TIMESTAMP => f(1)) y on true",
    "from t AS x at (version => 'v') join u AS y AT(TIMESTAMP => f(1)) on true",
  ],
  ['from t x at (version => 1) where true', 'from t x at (version => 1) where true'],
  ['from t for system_version as of (1 + 2)::bigint', 'from t AT (VERSION => (1 + 2)::bigint)'],
  ["select 'for version as of 3' as of", "select 'for version as of 3' as of"],
  [
    "from table_changes('raw.t', f(1, [2, 3])) AS x join u",
    `from "raw"."t$changes" AS x AT (VERSION => (f(1, [2, 3]))::VARCHAR || '..' || '') join u`,
  ],
  [
    "from table(c.system.table_changes(table_name => 'T 1', schema_name => 'raw')) where 1 = 1",
    `from "raw"."T 1$changes" AT (VERSION => '' || '..' || '') where 1 = 1`,
  ],
  [
    'from c.n.t.files f join "c"."n"."T 1"."Snapshots" s on f.a.b.c.files = 1',
    'from c.n."t$files" f join "c"."n"."T 1$Snapshots" s on f.a.b.c.files = 1',
  ],
  [
    'from c.n.t.branch_audit as x join c.n.u.snapshot_id_7 on true',
    "from c.n.t AS x AT (VERSION => 'audit') join c.n.u AT (VERSION => 7) on true",
  ],
  ['from c.n.t.other join a.c.n.t.files on true', 'from c.n.t.other join a.c.n.t.files on true'],
  ['select table_changes, table_changes(a) from t', 'select table_changes, table_changes(a) from t'],
  ...[
    ".table_changes('a'",
    "table_changes('a', (",
    "from table(table_changes('a'",
    'table_changes()',
    'table_changes',
  ].map((text) => [text, text]),
  [".table_changes('a')", `."a$changes" AT (VERSION => '' || '..' || '')`],
])('%s', (written, meant) => expect(travelInDuckDb(written).text).toBe(meant))
