// What the lake adds to dbt's way: history, partitions, what was read, and nothing left by what failed.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { collect } from '../../lake/index.ts'
import { compileNode } from '../index.ts'
import { queryOptions } from '../work.ts'
import { openRuns } from './world.testing.ts'

let runs: Awaited<ReturnType<typeof openRuns>>
beforeAll(async () => void (runs = await openRuns()))
afterAll(() => runs.close())

const tableAt = async (namespace: string, name: string) => {
  const loaded = await runs.tables.load({ catalog: 'dev_analytics', namespace, name })
  if (loaded?.kind !== 'table') throw new Error(`${name} is no table`)
  return loaded.metadata
}
const summaryOf = async (name: string) => {
  const metadata = await tableAt('main', name)
  return metadata.snapshots.find(({ snapshotId }) => snapshotId === metadata.currentSnapshotId)!.summary as Record<
    string,
    string
  >
}

test('an incremental model keeps its table through a full refresh, and says which snapshots it has read', async () => {
  await runs.query('create table raw.s as select 1 as id')
  const files = {
    'models/s.yml': 'sources: [{name: raw, tables: [{name: s}]}]',
    'models/v.sql': "select * from {{ source('raw', 's') }}",
    'models/inc.sql': "{{ config(materialized='incremental', unique_key='id') }} select * from {{ ref('v') }}",
  }
  const first = await runs.run(files)
  expect(first.results['inc']).toMatchObject({ status: 'success', rows: 1 })
  const source = await tableAt('raw', 's')
  const { tableUuid } = await tableAt('main', 'inc')
  const read = JSON.parse((await summaryOf('inc'))['boathouse.read']!) as unknown
  expect(read).toEqual({ 'dev_analytics.raw.s': source.currentSnapshotId!.toString() })
  await runs.query('insert into raw.s values (2)')
  await runs.run(files)
  expect(JSON.parse((await summaryOf('inc'))['boathouse.read']!)).not.toEqual(read)
  await runs.run(files, { fullRefresh: true })
  const after = await tableAt('main', 'inc')
  expect(after.tableUuid).toBe(tableUuid)
  expect(after.snapshots.length).toBeGreaterThan(2)
  expect(await runs.rows('select * from main.inc order by 1')).toEqual([[1], [2]])
})

test.each(['table', 'incremental', 'view'])(
  'columns of a %s are to those behind it what its SELECT made',
  async (kind) => {
    const types = ['h', 'b', 'i', 'f', 'j'].map((name) => `typeof(${name})`).join(', ')
    const own = `select sum(x::int) as h, '101'::bit as b, interval 1 day as i, [1, 2]::float[2] as f, '[1]'::json as j
    from range(7) t(x)`
    const files = {
      'models/own.sql': `{{ config(materialized='${kind}', alias='own_${kind}') }} ${own}`,
      'models/behind.sql': `{{ config(materialized='table', alias='behind_${kind}') }}
      select ${types}, h // 2, median(h) over (), bit_count(b), array_distance(f, f), json_array_length(j) from {{ ref('own') }}`,
    }
    for (let build = 0; build < 2; build++) {
      const { results } = await runs.run(files)
      expect(results).toMatchObject({ own: { status: 'success' }, behind: { status: 'success' } })
    }
    const [row] = await runs.rows(`select distinct * from main.behind_${kind}`)
    expect(row).toEqual(['HUGEINT', 'BIT', 'INTERVAL', 'FLOAT[2]', 'JSON', '10', 21, 2, 0, '1'])
  },
)

test('keys and checks that hooks add are of the table that was built, and hold the rows that are added to it', async () => {
  const hooks = (kind: string) =>
    `{{ config(materialized='${kind}', post_hook=["alter table {{ this }} add primary key (id)", "alter table {{ this }} add constraint u unique (code)", "alter table {{ this }} add constraint c check (id > 0)"]) }} select 1 as id, 'a' as code`
  for (let build = 0; build < 2; build++) {
    const { results } = await runs.run({ 'models/hooked.sql': hooks('table') })
    expect(results['hooked']).toMatchObject({ status: 'success' })
  }
  const added = (await runs.run({
    'models/hooked.sql': "{{ config(materialized='incremental') }} select 2 as id, 'a' as code",
  })) as { results: Record<string, { status: string; message: string }> }
  expect(added.results['hooked']).toMatchObject({
    status: 'error',
    message: expect.stringContaining('duplicate key value violates unique constraint "u"') as string,
  })
})

test('partitions, order, properties, descriptions and grants of the config are those of the table', async () => {
  const eve = await runs.member('eve')
  const { results } = await runs.run({
    'models/p.sql':
      "{{ config(materialized='table', partitioned_by=['day(seen)', 'bucket(4, id)'], sorted_by='id desc', table_properties={'a.b': 1}, grants={'select': ['eve']}) }} select 1 as id, timestamp '2026-01-01' as seen",
    'models/p.yml': 'models: [{name: p, description: All of it, columns: [{name: id, description: The key}]}]',
  })
  expect(results['p']).toMatchObject({ status: 'success' })
  const metadata = await tableAt('main', 'p')
  expect(metadata.partitionSpecs.at(-1)!.fields.map(({ transform }) => transform.kind)).toEqual(['day', 'bucket'])
  expect(metadata.properties).toMatchObject({ 'a.b': '1', comment: 'All of it' })
  expect(metadata.sortOrders.at(-1)!.fields).toMatchObject([{ direction: 'desc' }])
  expect(await runs.rows('select id from main.p', { principal: eve })).toEqual([[1]])
  await expect(runs.rows('select id from main.inc', { principal: eve })).rejects.toMatchObject({
    code: 'TABLE_NOT_FOUND',
  })
})

test.each([
  ['by the lake', {}],
  ['by a template', { 'macros/own.sql': '{% macro create_indexes(relation) %}{% endmacro %}' }],
])('a config that gives rights says all of them, %s: others on the table are taken back', async (how, more) => {
  const [ann, bob] = [await runs.member(`ann_${how.slice(-4)}`), await runs.member(`bob_${how.slice(-4)}`)]
  const model = (grants: string) => ({
    'models/shared.sql': `{{ config(materialized='table', grants=${grants}) }} select 1 as id`,
    ...more,
  })
  const sees = (principal: typeof ann) =>
    runs.rows('select id from main.shared', { principal }).then(
      () => true,
      () => false,
    )
  const first = await runs.run(model(`{'select': ['${ann.name}', '${bob.name}']}`))
  expect([first.results['shared']?.status, first.results['shared']?.message]).toEqual(['success', expect.anything()])
  expect([await sees(ann), await sees(bob)]).toEqual([true, true])
  await runs.run(model('{}'))
  expect([await sees(ann), await sees(bob)]).toEqual([true, true])
  const { results } = await runs.run(model(`{'select': ['${bob.name}']}`))
  expect(results['shared']).toMatchObject({ status: 'success' })
  expect([await sees(ann), await sees(bob)]).toEqual([false, true])
})

test('rights for whom nobody knows here are left out and told, those beside them are given', async () => {
  const fay = await runs.member('fay')
  const logs: string[] = []
  const files = {
    'models/p.sql': `{{ config(grants={'select': ['transformer', 'fay'], 'roles/bigquery.dataViewer': ['user:a@b.org']}) }}
      select 1 as id`,
    'models/q.sql': "{{ config(grants={'select': 'transformer'}) }} select 1 as id",
  }
  const { results } = await runs.run(files, { onLog: (_, message) => void logs.push(message) })
  expect(results).toMatchObject({ p: { status: 'success' }, q: { status: 'success' } })
  expect(await runs.rows('select id from main.p', { principal: fay })).toEqual([[1]])
  expect(logs.filter((line) => line.includes('select for transformer was left out'))).toHaveLength(1)
  expect(logs.join()).toContain('roles/bigquery.dataviewer for user:a@b.org was left out')
})

test('a contract orders the columns of a table, and leaves those of a view as its SELECT has them', async () => {
  const of = (name: string) => `
  - name: ${name}
    config: {contract: {enforced: true}}
    columns: [{name: id, data_type: int}, {name: word, data_type: varchar}]`
  const { results } = await runs.run({
    'models/kept.sql': "{{ config(materialized='table') }} select 'a' as word, 1 as id",
    'models/seen.sql': "{{ config(materialized='view') }} select 'a' as word, 1 as id",
    'models/m.yml': `models:${of('kept')}${of('seen')}`,
  })
  expect(results).toMatchObject({ kept: { status: 'success' }, seen: { status: 'success' } })
  expect(await runs.rows('select * from main.kept')).toEqual([[1, 'a']])
  expect(await runs.rows('select * from main.seen')).toEqual([['a', 1]])
})

test('descriptions of columns that a table has not are told where they are kept with it', async () => {
  const logs: string[] = []
  const said = (name: string, columns: string) =>
    `\n  - {name: ${name}, config: {persist_docs: {columns: true}}, columns: [${columns}]}`
  const both = '{name: ID, description: a}, {name: gone, description: b}'
  const files = {
    'models/kept.sql': "{{ config(materialized='table') }} select 1 as id",
    'models/seen.sql': 'select 1 as id',
    'models/grown.sql': "{{ config(materialized='incremental', unique_key='id') }} select 1 as id",
    'models/quoted.sql': 'select 1 as id',
    'models/silent.sql': 'select 1 as id',
    'models/m.yml': `models:${said('kept', both)}${said('seen', both)}${said('grown', both)}${said('quoted', '{name: ID, quote: true}')}
  - {name: silent, columns: [${both}]}`,
  }
  const onLog = (level: string, message: string) => void logs.push(`${level} ${message}`)
  await runs.run(files, { onLog })
  const told = (name: string, columns: string) =>
    `warn In relation "shop_db"."main"."${name}": The following columns are specified in the schema but are not present in the database: ${columns}`
  const all = [...['grown', 'kept'].map((name) => told(name, 'gone')), told('quoted', 'ID'), told('seen', 'gone')]
  expect(logs.toSorted()).toEqual(all)
  logs.length = 0
  await runs.run(files, { onLog })
  expect(logs.toSorted()).toEqual(all)
})

test('what failed leaves the old table, what it made beside it is gone', async () => {
  const files = { 'models/t.sql': "{{ config(materialized='table') }} select 1 as id" }
  await runs.run(files)
  const { results, changes } = await runs.run(
    {
      'models/t.sql':
        "{{ config(materialized='table', pre_hook='create temporary table mine as select 1 as a', post_hook='select * from no_such') }} select 2 as id",
      'models/own.sql':
        "{{ config(materialized='incremental', unique_key='id', incremental_strategy='merge') }} select 1 as id union all select 'x'",
      'macros/own.sql':
        '{% macro create_indexes(relation) %}{% do run_query("insert into nowhere select 1") %}{% endmacro %}',
    },
    { publish: false },
  )
  expect(results['t']).toMatchObject({ status: 'error' })
  expect(results['own']).toMatchObject({ status: 'error' })
  expect(await changes.pending()).toEqual([])
  expect(await runs.rows('select * from main.t')).toEqual([[1]])
})

test('an overridden macro brings the template of dbt back', async () => {
  const { results } = await runs.run({
    'models/o.sql': "{{ config(materialized='table') }} select 1 as id",
    'macros/o.sql': `{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql') -%}
      create table {{ relation }} as (select *, 'own' as made from ({{ compiled_code }}) as q)
    {%- endmacro %}`,
  })
  expect(results['o']).toMatchObject({ status: 'success' })
  expect(await runs.rows('select * from main.o')).toEqual([[1, 'own']])
})

test('somebody else writes the table meanwhile: nothing is published, and they are named', async () => {
  const files = { 'models/w.sql': "{{ config(materialized='incremental', unique_key='id') }} select 1 as id" }
  await runs.run(files)
  const { changes } = await runs.run(files, { publish: false, fullRefresh: true })
  await runs.query('insert into main.w values (7)')
  await expect(changes.publish()).rejects.toMatchObject({
    code: 'COMMIT_CONFLICT',
    message: expect.stringContaining('by ana in publication'),
  })
})

test.each([
  [
    'a materialization for models in another language',
    "{{ config(materialized='frame') }} select 1 as id",
    'MODEL_INVALID',
    "{% materialization frame, default, supported_languages=['python'] %}{{ return({'relations': []}) }}{% endmaterialization %}",
  ],
  ['a materialization that nobody defines', "{{ config(materialized='no_such') }} select 1 as id", 'MODEL_INVALID'],
  [
    'a hook that fails',
    "{{ config(pre_hook='{% if execute %}{{ exceptions.raise_compiler_error(this.name) }}{% endif %}') }} select 1 as id",
    'TEMPLATE_FAILED',
  ],
])('%s', async (_, sql, code, macro = '') => {
  const { results } = await runs.run({ 'models/x.sql': sql, 'macros/m.sql': macro }, { publish: false })
  expect(results['x']).toMatchObject({ status: 'error', code, place: { file: 'models/x.sql' } })
})

test('a source that is a file is compiled as dbt-duckdb does', async () => {
  const files = {
    'models/f.yml': `sources: [{name: lake, meta: {external_location: "data/{name}.parquet"}, tables: [{name: t}, {name: u, config: {meta: {external_location: "read_csv('x')"}}}]}]`,
    'models/f.sql': "select * from {{ source('lake', 't') }}",
    'models/g.sql': "select * from {{ source('lake', 'u') }}",
    'models/h.sql': 'select 1 as id',
    'models/e.sql': "select * from {{ ref('h') }}",
  }
  const { results, project, work } = await runs.run(files, { publish: false })
  expect(results['f']).toMatchObject({ status: 'error', code: 'NOT_FOUND', place: { file: 'models/f.sql' } })
  const compiled = async (name: string) => (await compileNode(name, { ...work, project })).sql
  expect(await compiled('f')).toBe("select * from 'data/t.parquet'")
  expect(await compiled('g')).toBe("select * from read_csv('x')")
  const empty = await runs.run(files, { publish: false, flags: { empty: true } })
  expect((await compileNode('e', { ...empty.work, project: empty.project })).sql).toBe(
    'select * from (select * from "shop_db"."main"."h" where false limit 0)',
  )
  expect(empty.results['e']).toMatchObject({ status: 'success' })
})

test('--no-introspect lets a template ask nothing; the others are compiled', async () => {
  const files = {
    'models/a.sql': 'select 1 as n',
    'models/b.sql': "select {{ adapter.get_columns_in_relation(ref('a')) | length }} as n",
  }
  const { project, work } = await runs.run(files, { publish: false, flags: { others: { introspect: false } } })
  expect((await compileNode('a', { ...work, project })).sql).toBe('select 1 as n')
  await expect(compileNode('b', { ...work, project })).rejects.toMatchObject({
    code: 'TEMPLATE_FAILED',
    message: expect.stringContaining('--no-introspect'),
    place: { file: 'models/b.sql' },
  })
})

test('a model that fails while it is built has its compiled SQL', async () => {
  const files = {
    'models/a.sql': "{{ config(materialized='own') }} select {{ 1 + 1 }} as n",
    'models/b.sql': "{{ config(materialized='nothing') }} select {{ 1 + 2 }} as n",
    'macros/own.sql': `{% materialization own, default %}
      {% call statement('main') %}select * from nowhere.t{% endcall %}
      {{ return({'relations': []}) }}
    {% endmaterialization %}`,
  }
  const { results } = await runs.run(files, { publish: false })
  expect(results['a']).toMatchObject({ status: 'error', compiledSql: expect.stringMatching(/select 2 as n$/) })
  expect(results['b']).toMatchObject({ status: 'error', compiledSql: expect.stringMatching(/select 3 as n$/) })
})

test("a project's own strategy for microbatches finds the bounds of a batch where dbt has them", async () => {
  const files = {
    'models/raw.sql':
      "{{ config(event_time='seen') }} from range(timestamp '2024-01-01', timestamp '2024-01-03', interval 1 day) r(seen)",
    'models/m.sql': `{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='seen', batch_size='day',
      begin='2024-01-01', lookback=1) }}
      select '{{ model.config.__dbt_internal_microbatch_event_time_start }}' as bound from {{ ref('raw') }}`,
    'macros/own.sql': `{% macro get_incremental_microbatch_sql(args) %}
      insert into {{ args.target_relation }}
      select '{{ config.get("__dbt_internal_microbatch_event_time_end") }}' from {{ args.temp_relation }}
    {% endmacro %}`,
  }
  const on = (day: string) => ({ startedAt: Date.parse(`${day}T12:00:00Z`) })
  const { results } = await runs.run(files, on('2024-01-01'))
  expect(results['m']).toMatchObject({ message: 'SUCCESS', status: 'success' })
  const { work } = await runs.run(files, on('2024-01-02'))
  const { rows } = await collect(
    await runs.lake.query('select bound from dev_analytics.main.m order by 1', queryOptions(work)),
  )
  // Of the first run its batch's start; of the second the ends of both of its batches.
  expect(rows.flat()).toEqual(['2024-01-01 00:00:00+00:00', '2024-01-02 00:00:00+00:00', '2024-01-03 00:00:00+00:00'])
})

test('macros that hooks make in SQL are written out where models call them', async () => {
  const cases: [string, unknown][] = [
    ['add_one(1)', 2],
    ['main.ADD_ONE(add_one(2)) * 2', 8],
    ['scaled(3)', 30],
    ['scaled(3, 5)', 15],
    ['scaled(by := 2, x := 4)', 8],
    ['twice(2 - 1)', 4],
    ['(select max(n) from series(4))', 4],
    ['typed(2.6)', 3],
    ['nothing()', 7],
    ['(select x from (select 5 as x) t where add_one(x) = 6)', 5],
    ["case when label('a, b (') = '[a, b (]' then 1 else 0 end", 1],
  ]
  const files = {
    'macros/udfs.sql': `{% macro udfs() %}
      create or replace macro main.add_one(x) as x + 1;
      create macro scaled(x, by := 10) as x * by;
      create temp macro twice(a) as (select add_one(a) * 2 as a);
      create function series(top) as table select range + 1 as n from range(top);
      create macro typed(x integer) as x;
      create macro nothing() as 7;
      create macro label(x) as '[' || x || ']';
      create macro if not exists nothing() as 8;
      create macro gone() as 1; drop macro if exists gone;
    {% endmacro %}`,
    ...Object.fromEntries(
      cases.map(([sql], at) => [`models/m${at}.sql`, `{{ config(pre_hook='{{ udfs() }}') }} select ${sql} as a`]),
    ),
    'models/no1.sql': "{{ config(pre_hook='{{ udfs() }}') }} select gone() as a",
    'models/no2.sql': "{{ config(pre_hook='{{ udfs() }}') }} select add_one(1, 2) as a",
    'models/no3.sql': "{{ config(pre_hook='create macro loop(x) as loop(x)') }} select loop(1) as a",
    'models/no4.sql': "{{ config(pre_hook='create macro forms(a) as a, (a, b) as b') }} select 1 as a",
  }
  const { results, work } = await runs.run(files)
  const failed = (name: string) => [results[name]!.status, results[name]!.message]
  expect(failed('no1')).toEqual(['error', expect.stringContaining('gone')])
  expect(failed('no2')).toEqual(['error', 'the macro add_one was given too many arguments; it takes (x)'])
  expect(failed('no3')).toEqual(['error', 'the macro loop calls itself'])
  expect(failed('no4')).toEqual(['error', expect.stringContaining('the macro forms has several forms')])
  for (const [at, [sql, expected]] of cases.entries()) {
    const { rows } = await collect(await runs.lake.query(`select a from dev_analytics.main.m${at}`, queryOptions(work)))
    expect([sql, Number(rows[0]?.[0])]).toEqual([sql, expected])
  }
})
