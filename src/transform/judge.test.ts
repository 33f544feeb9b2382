// Tests, unit tests, freshness and what is left alone, over the real lake.

import { afterAll, beforeEach, expect, test } from 'vitest'
import { openWorld } from '../lake/world.ts'
import { recordFiles } from '../project/dbt/index.ts'
import { freshnessSources, runFreshness } from './freshness.ts'
import { loadProject, plan, runPlan, type Command, type NodeResult, type NodeState, type NodeStates } from './index.ts'
import { showDifference } from './unit-test-diff.ts'

const system = { id: 'system', name: 'system', role: 'system' as const }
const world = await openWorld()
afterAll(world.close)
const { lake } = world
const catalog = 'dev_analytics'
const open = () => lake.openChanges({ catalog, principal: system })

beforeEach(async () => {
  const changes = await open()
  await changes.replaceTable(
    { catalog, namespace: 'raw', name: 'sales' },
    "select * from (values (1, 'N', 10.50::decimal(12,2), timestamp '2026-01-01 10:00:00'), (2, 'S', 2.00, timestamp '2026-01-02 10:00:00')) t(id, region, amount, loaded_at)",
  )
  await changes.publish()
})

const load = (files: Record<string, string>, more: Record<string, unknown> = {}) =>
  loadProject('/project', {
    files: recordFiles({
      'dbt_project.yml': 'name: shop\nmodels: {shop: {+materialized: table}}',
      'macros/s.sql':
        "{% macro generate_schema_name(custom, node) %}{{ custom or target.schema }}{% endmacro %}{% macro answer() %}{{ return('real') }}{% endmacro %}",
      'models/sources.yml': 'sources: [{name: raw, tables: [{name: sales}]}]',
      ...files,
    }),
    target: { name: 'dev', catalog, schema: 'marts' },
    startedAt: 0,
    ...more,
  })

async function run(
  files: Record<string, string>,
  options: { command?: Command; states?: NodeStates; more?: object } = {},
) {
  const project = await load(files, { ...options.more })
  const changes = await open()
  const work = { project, lake, changes, principal: system }
  const results = await runPlan(plan(project, options.command ?? 'build'), work, { threads: 3, states: options.states })
  return { project, changes, results, of: (name: string) => results.find((one) => one.name === name)! }
}
const rows = (sql: string, changes: Awaited<ReturnType<typeof open>>) => world.rows(sql, { changes })

const sales = "select * from {{ source('raw', 'sales') }}"
const about = (config: string) =>
  `models: [{name: a, columns: [{name: id, data_tests: [{unique: {config: ${config}}}]}]}]`

test('what is wrong with the SQL of a unit test stands in its file', async () => {
  const { results } = await run({
    'models/a.sql': `select id, 1 as d from {{ source('raw', 'sales') }}`,
    'models/u.yml': `
unit_tests:
  - name: u
    model: a
    given: [{input: "source('raw', 'sales')", format: sql, rows: "select 1 as id"}]
    expect: {format: sql, rows: "select 1 as id"}`,
  })
  expect(results.find(({ kind }) => kind === 'unit_test')).toMatchObject({
    status: 'error',
    place: { file: 'models/u.yml' },
  })
})

test('a test may make a temporary table and read it; it is gone with the test', async () => {
  const { of, changes } = await run({
    'models/a.sql': sales,
    'tests/mocked.sql':
      "{% do run_query('create temporary table mock as select * from ' ~ ref('a')) %}select * from mock where id = 3",
    'tests/kept.sql':
      "{{ config(store_failures=true) }}{% do run_query('create temporary table mock as select * from ' ~ ref('a')) %}select * from mock where id = 1",
  })
  expect(of('mocked')).toMatchObject({ status: 'pass' })
  expect(of('kept')).toMatchObject({ status: 'fail', failures: 1 })
  expect((await changes.pending()).map(({ name }) => name.name).toSorted()).toEqual(['a', 'kept'])
})

test.each([
  ['{store_failures: true}', 'table'],
  ['{store_failures_as: view}', 'view'],
  ['{store_failures: true, store_failures_as: ephemeral}', undefined],
  ['{store_failures: false}', undefined],
  ['{severity: warn, store_failures: true, schema: audit, alias: found}', 'table'],
])('what a test finds is kept: %s', async (config, kind) => {
  const { results, changes } = await run({
    'models/a.sql': `${sales} union all ${sales}`,
    'models/a.yml': about(config),
  })
  const found = results.find((one) => one.kind === 'test')!
  expect(found).toMatchObject({ failures: 2, status: config.includes('warn') ? 'warn' : 'fail' })
  expect(found.message).toBe(`Got 2 results, configured to ${found.status} if != 0`)
  const pending = (await changes.pending()).filter(({ name }) => name.name !== 'a')
  expect(pending.map((one) => one.kind)).toEqual(kind ? [kind] : [])
  if (kind) {
    const { namespace, name } = pending[0]!.name
    expect(namespace).toBe(config.includes('audit') ? 'audit' : 'dbt_test__audit')
    expect(await rows(`select count(*) from "${namespace}"."${name}"`, changes)).toEqual([[2]])
  }
})

test('a test on a source, on an ephemeral model, of one row, of none, and one that counts nothing', async () => {
  const { of } = await run({
    'models/sources.yml':
      'sources: [{name: raw, tables: [{name: sales, columns: [{name: id, data_tests: [not_null, {unique: {config: {where: "region = \'N\'"}}}]}]}]}]',
    'models/e.sql': `{{ config(materialized='ephemeral') }} ${sales}`,
    'models/e.yml': 'models: [{name: e, columns: [{name: id, data_tests: [not_null]}]}]',
    'tests/none.sql': "{{ config(fail_calc='max(amount)') }} select * from {{ ref('e') }} where false",
    'tests/some.sql': "{{ config(error_if='>1', limit=1) }} select * from {{ ref('e') }}",
    'tests/odd.sql': "{{ config(warn_if=\"|| 'x'\") }} select * from {{ ref('e') }}",
    'tests/broken.sql': "select *\nfrom {{ ref('e') }} where nothing = 1",
  })
  expect(of('source_not_null_raw_sales_id').status).toBe('pass')
  expect(of('not_null_e_id').status).toBe('pass')
  expect(of('none')).toMatchObject({
    status: 'error',
    message: 'the test none counts nothing: its fail_calc answers NULL',
  })
  expect(of('odd')).toMatchObject({ status: 'error', message: expect.stringContaining("for 'should_warn'") as unknown })
  expect(of('some')).toMatchObject({ status: 'warn', failures: 1 })
  expect(of('broken')).toMatchObject({ status: 'error', place: { file: 'tests/broken.sql', line: 2 } })
})

test('what a test finds is kept where the profile names the database otherwise', async () => {
  const { results } = await run(
    {
      'models/a.sql': `${sales} union all ${sales}`,
      'models/a.yml': about('{store_failures: true}'),
      'models/sources.yml': `sources: [{name: raw, database: ${catalog}, tables: [{name: sales}]}]`,
    },
    { more: { target: { name: 'dev', catalog, database: 'file_of_theirs', schema: 'marts' } } },
  )
  expect(results.find((one) => one.kind === 'test')).toMatchObject({ status: 'fail', failures: 2 })
})

// ---- unit tests

const unit = (name: string, rest: string) => `unit_tests:\n  - name: ${name}\n    model: daily\n${rest}`
const daily = {
  'models/stg.sql': sales,
  'models/daily.sql':
    "select region, sum(amount) as total, '{{ var('v', 'none') }}' as v, '{{ answer() }}' as m, '{{ env_var('E', '-') }}{{ '!' if invocation_id == 7 }}' as e from {{ ref('stg') }} s group by 1",
}

test.each<[string, string, string, string?]>([
  [
    'rows as dicts, a subset of columns, in any order',
    `    given: [{input: ref('stg'), rows: [{id: 1, region: N, amount: 1.5}, {region: S, amount: 2}, {region: N}]}]
    expect: {rows: [{region: S, total: 2}, {total: 1.5, region: N}]}`,
    'pass',
  ],
  [
    'rows as CSV, empty is null',
    `    given: [{input: ref('stg'), format: csv, rows: "id,region,amount\\n1,N,1.5\\n2,,3"}]
    expect: {format: csv, rows: "region,total\\nN,1.5\\n,3"}`,
    'pass',
  ],
  [
    'rows as SQL',
    `    given: [{input: ref('stg'), format: sql, rows: "select 'N' as region, 2 as amount"}]
    expect: {format: sql, rows: "select 'N' as region, 2 as total, 'none' as v, 'real' as m, '-' as e"}`,
    'pass',
  ],
  ['nothing given, nothing expected', `    given: [{input: ref('stg'), rows: []}]\n    expect: {rows: []}`, 'pass'],
  [
    'what differs is shown',
    `    given: [{input: ref('stg'), rows: [{region: N, amount: 1}, {region: S, amount: 2}]}]
    expect: {rows: [{region: N, total: 1}, {region: S, total: 3}, {region: X, total: 9}]}`,
    'fail',
    '\n\nactual differs from expected:\n\n@@ ,region,total\n→  ,S     ,3.00→2.00\n---,X     ,9.00\n   ,N     ,1.00\n',
  ],
  [
    'variables, environment, macros',
    `    overrides: {vars: {v: mine}, env_vars: {E: set}, macros: {answer: mocked, invocation_id: 7}}
    given: [{input: ref('stg'), rows: [{region: N}]}]
    expect: {rows: [{region: N, v: mine, e: set!, m: mocked}]}`,
    'pass',
  ],
  [
    'floats without a fraction',
    `    overrides: {macros: {answer: 3.0}}
    given: [{input: ref('stg'), rows: [{region: N, amount: 25.00}, {region: S, amount: 1e+3}]}]
    expect: {rows: [{region: N, total: 25.0, m: "3.0"}, {region: S, total: 1000.00, m: "3.0"}]}`,
    'pass',
  ],
  [
    'an incremental run over rows of its own table',
    `    overrides: {macros: {is_incremental: true}}
    given: [{input: ref('stg'), rows: [{id: 1, region: N}, {id: 8, region: S}]}, {input: this, rows: [{total: 5}]}]
    expect: {rows: [{region: S}]}`,
    'pass',
  ],
  [
    'a model that is read and not given',
    `    given: []\n    expect: {rows: []}`,
    'error',
    `model "daily" reads ref('stg'), which is not among the inputs of the unit test`,
  ],
  [
    'a column that the input has not',
    `    given: [{input: ref('stg'), rows: [{colour: red}]}]\n    expect: {rows: []}`,
    'error',
    "Invalid column name: 'colour' in unit test fixture for 'stg'.\nAccepted columns for 'stg' are: id, region, amount, loaded_at",
  ],
])('a unit test: %s', async (_, rest, status, message) => {
  const grows = rest.includes('is_incremental')
  const limited = ' {% if is_incremental() %} where id > (select max(total) from {{ this }}) {% endif %} group by 1'
  const model = daily['models/daily.sql'].replace(' group by 1', grows ? limited : ' group by 1')
  const { of } = await run({ ...daily, 'models/daily.sql': model, 'models/u.yml': unit('u', rest) })
  expect(of('u')).toMatchObject({ status, ...(message !== undefined && { message }) })
  // A model is built after its unit tests, and not when they fail.
  expect(of('daily').status).toBe(status === 'pass' ? 'success' : 'skipped')
})

test('rows that differ are told from those that are missing', () => {
  expect(showDifference(['a', 'b'], [[1, 'x']], [[1, 'x']])).toBeUndefined()
  expect(showDifference(['a'], [[1], [1]], [[1]])).toBe('@@ ,a\n---,1\n   ,1')
  expect(showDifference(['a', 'b'], [[1, null]], [[2, true]])).toBe('@@ ,a,b\n---,1,NULL\n+++,2,True')
})

// ---- freshness

test('the age of a source: by field, by query, by its last commit, and where nobody can tell', async () => {
  const table = (name: string, rest: string) =>
    `{name: ${name}, identifier: sales, freshness: {warn_after: {count: 1, period: day}, error_after: {count: 2, period: day}}${rest}}`
  const project = await load({
    'models/sources.yml': `sources: [{name: raw, tables: [${[
      table('by_field', ', loaded_at_field: loaded_at'),
      table('filtered', ', loaded_at_field: loaded_at').replace('freshness: {', 'freshness: {filter: id = 1, '),
      table('by_query', ', loaded_at_query: "select max(loaded_at) from {{ this }}"'),
      table('by_commit', ''),
      table('nonsense', ', loaded_at_field: amount'),
      table('gone', ', loaded_at_field: loaded_at').replace('identifier: sales', 'identifier: gone'),
      '{name: silent, identifier: sales}',
    ].join(', ')}]}]`,
  })
  const chosen = freshnessSources(project, [...project.sources.keys()])
  const now = () => Date.parse('2026-01-03T22:00:00Z')
  const results = await runFreshness(chosen, { project, lake, principal: system, now }, { threads: 2 })
  const found = Object.fromEntries(
    results.map(({ name, status, freshness, adapterResponse }) => [
      name,
      [status, freshness?.maxLoadedAt, adapterResponse],
    ]),
  )
  expect(found).toMatchObject({
    'raw.by_field': ['warn', '2026-01-02T10:00:00.000Z', { _message: 'OK' }],
    'raw.filtered': ['error', '2026-01-01T10:00:00.000Z', { _message: 'OK' }],
    'raw.by_query': ['warn', '2026-01-02T10:00:00.000Z', { _message: 'OK' }],
    'raw.by_commit': ['pass', expect.any(String), {}],
    'raw.nonsense': ['runtime error', undefined, {}],
    'raw.gone': ['runtime error', undefined, {}],
  })
  expect(results).toHaveLength(6)
})

test.each([
  ['a result', "load_result('own')"],
  ['its table, as before dbt 1.5', "load_result('own').table"],
])("a project's own collect_freshness is asked in the place of dbt's and answers %s", async (_, answer) => {
  const project = await load({
    'models/sources.yml': `sources: [{name: raw, tables: [
      {name: sales, loaded_at_field: loaded_at, freshness: {warn_after: {count: 1, period: hour}, filter: id = 1}}]}]`,
    'macros/own.sql': `{% macro default__collect_freshness(source, loaded_at_field, filter) %}
      {% call statement('own', fetch_result=True) %}
        select min({{ loaded_at_field }}), min({{ loaded_at_field }}) + interval 90 minute from {{ source }} where {{ filter }}
      {% endcall %}{{ return(${answer}) }}{% endmacro %}`,
  })
  const [result] = await runFreshness(freshnessSources(project, [...project.sources.keys()]), {
    project,
    lake,
    principal: system,
  })
  expect(result).toMatchObject({ status: 'warn', freshness: { ageSeconds: 5_400 } })
})

// ---- what is unchanged

/** Notes in memory. */
function memory(): NodeStates & { known: Map<string, NodeState> } {
  const known = new Map<string, NodeState>()
  return {
    known,
    versions: (sql, options) => lake.versions(sql, options),
    outline: (sql, options) => lake.outline(sql, options),
    note: (state) => void known.set(state.node, { ...state, notedAt: '2026-01-01T00:00:00.000Z' }),
  }
}

const told = (results: readonly NodeResult[]) => Object.fromEntries(results.map(({ name, status }) => [name, status]))

test('what has not changed is left alone; what has, and what stands on it, is not', async () => {
  const states = memory()
  const files: Record<string, string> = {
    'models/stg.sql': `{{ config(materialized='view') }} ${sales}`,
    'models/day.sql': "select region, sum(amount) as total from {{ ref('stg') }} group by 1",
    'models/top.sql': "select max(total) as most from {{ ref('day') }}",
    'models/now.sql': "select now() as at, count(*) as n from {{ ref('stg') }}",
    'models/t.yml': 'models: [{name: day, columns: [{name: region, data_tests: [unique]}]}]',
  }
  const again = async (more: Record<string, string> = {}) => {
    const { results, changes } = await run({ ...files, ...more }, { states })
    await changes.publish()
    return told(results)
  }
  const all = { stg: 'success', day: 'success', top: 'success', now: 'success', unique_day_region: 'pass' }
  expect(await again()).toEqual(all)
  const same = { ...all, stg: 'no-op', day: 'no-op', top: 'no-op' }
  expect(await again()).toEqual(same)
  // A change of one model.
  expect(await again({ 'models/day.sql': `${files['models/day.sql']} having true` })).toEqual({ ...all, stg: 'no-op' })
  expect(await again({ 'models/day.sql': `${files['models/day.sql']} having true` })).toEqual(same)
  // Rows of the source: the view stays, what reads through it does not.
  await world.rows("insert into raw.sales values (3, 'W', 1, timestamp '2026-01-03 00:00:00')")
  expect(await again({ 'models/day.sql': `${files['models/day.sql']} having true` })).toEqual({ ...all, stg: 'no-op' })
  // Somebody else wrote a table of ours, or it was rolled back: it is not as it was left.
  await world.rows('delete from marts.top')
  expect(await again({ 'models/day.sql': `${files['models/day.sql']} having true` })).toEqual({
    ...same,
    top: 'success',
  })
  expect(await world.rows('select count(*) from marts.top')).toEqual([[1]])
})

test('what adds to its table or counts on from it is done again until it adds nothing; so is what chance or the catalog decides', async () => {
  const states = memory()
  const model = (name: string, config: string, sql: string) => ({
    [`models/${name}.sql`]: `{{ config(materialized='incremental'${config}) }}${sql}`,
  })
  const only = (condition: string) => `{% if is_incremental() %} where ${condition}{% endif %}`
  const from = "select id, amount from {{ source('raw', 'sales') }}"
  const files = {
    ...model('adds', '', from),
    ...model('adds_keyed', ", unique_key='id', incremental_strategy='append'", from),
    ...model('adds_new', '', from + only('id > (select max(id) from {{ this }})')),
    ...model('keyed', ", unique_key='id'", from + only('id >= (select max(id) from {{ this }})')),
    ...model(
      'counted',
      ", unique_key='id'",
      'select 1 as id, {% if is_incremental() %}(select max(n) + 1 from {{ this }}){% else %}1{% endif %} as n',
    ),
    'models/sampled.sql': 'select id from marts.keyed tablesample 100%',
    'models/picked.sql': 'select {{ [1] | random }} as n',
    'models/picks.sql': "{{ config(materialized='ephemeral') }}select {{ [1] | random }} as n",
    'models/reads_picks.sql': "select n from {{ ref('picks') }}",
    'models/listed.sql': "select count(*) as n from information_schema.tables where table_name = 'adds'",
  }
  const again = async () => {
    const { results, changes } = await run(files, { states })
    await changes.publish()
    return results.flatMap(({ name, status }) => (status === 'no-op' ? [] : [`${name} ${status}`])).sort()
  }
  const names = ['adds', 'adds_keyed', 'counted', 'listed', 'picked', 'reads_picks', 'sampled']
  const always = names.map((name) => `${name} success`)
  expect(await again()).toHaveLength(9)
  // With the condition it is another statement.
  expect(await again()).toEqual([...always, 'adds_new success', 'keyed success'].sort())
  expect(await again()).toEqual(always)
  expect(
    await world.rows(
      'select (select count(*) from marts.adds) / (select count(*) from marts.adds_new), (select n from marts.counted)',
    ),
  ).toEqual([[3, 3]])
})

test('looking whether a model is as it was does not put into graph what it notes there', async () => {
  const noted = "{% if execute %}{% do graph.setdefault('ours', []).append(this.name) %}{% endif %}"
  const { changes } = await run(
    {
      'models/asks.sql': `${noted}select {{ run_query('select 1').columns[0].values()[0] if execute else 0 }} as n`,
      'models/plain.sql': `-- depends_on: {{ ref('asks') }}\n${noted}select 1 as n`,
      'models/read.sql': `-- depends_on: {{ ref('plain') }}\nselect '{{ graph.get('ours', []) | join(',') }}' as told`,
    },
    { states: memory() },
  )
  await changes.publish()
  expect(await world.rows('select told from marts.read')).toEqual([['asks,plain']])
})

test('what hooks send is part of a model: their macros, variables and what they read', async () => {
  const states = memory()
  const model = (name: string, hook: string) => ({
    [`models/${name}.sql`]: `{{ config(post_hook="${hook}") }}select id, amount from {{ source('raw', 'sales') }}`,
  })
  const macro = (by: number) => `{% macro add(t) %}update {{ t }} set amount = amount + ${by}{% endmacro %}`
  const files = {
    ...model('by_macro', '{{ add(this) }}'),
    ...model('by_var', "update {{ this }} set amount = {{ var('amount') }}"),
    ...model('by_ref', "insert into {{ this }} select id, 0 from {{ ref('other') }}"),
    ...model('by_query', "{% do run_query('update ' ~ this ~ ' set amount = 0') %}"),
    ...model('by_run', 'update {{ this }} set amount = 0 -- {{ invocation_id }} {{ run_started_at }}'),
    'models/other.sql': 'select 7 as id',
    'macros/add.sql': macro(1),
  }
  const again = async (more: Record<string, string> = {}, vars = { amount: 1 }) => {
    const { results, changes } = await run({ ...files, ...more }, { states, more: { vars } })
    await changes.publish()
    return results.filter(({ status }) => status !== 'no-op').map(({ name, status }) => `${name} ${status}`)
  }
  expect(await again()).toHaveLength(6)
  expect(await again()).toEqual([])
  expect(await again({ 'macros/add.sql': macro(2) })).toEqual(['by_macro success'])
  const changed = { 'macros/add.sql': macro(2) }
  expect(await again(changed, { amount: 2 })).toEqual(['by_var success'])
  const other = { ...changed, 'models/other.sql': 'select 8 as id' }
  expect((await again(other, { amount: 2 })).sort()).toEqual(['by_ref success', 'other success'])
  expect(await world.rows('select id from marts.by_ref where amount = 0')).toEqual([[8]])
})

test('macros and variables that a macro in the place of one of dbt asks for are part of what is built', async () => {
  const states = memory()
  const files = {
    'models/a.sql': 'select 1 as id',
    'macros/create.sql':
      '{% macro create_table_as(temporary, relation, sql) %}create table {{ relation }} as select {{ wrapped() }} as made, * from ({{ sql }}){% endmacro %}',
  }
  const again = async (by: string, vars: Record<string, unknown> = {}) => {
    const wrapped = { 'macros/wrapped.sql': `{% macro wrapped() %}${by}{% endmacro %}` }
    const { of, changes } = await run({ ...files, ...wrapped }, { states, more: { vars } })
    await changes.publish()
    return of('a').status
  }
  expect(await again('1')).toBe('success')
  expect(await again('1')).toBe('no-op')
  expect(await again('2')).toBe('success')
  expect(await again("{{ var('at', 2) }}")).toBe('success')
  expect(await again("{{ var('at', 2) }}")).toBe('no-op')
  expect(await again("{{ var('at', 2) }}", { at: 3 })).toBe('success')
  expect(await world.rows('select made from marts.a')).toEqual([[3]])
})

test('a microbatch model is unchanged only for the batches that it has done', async () => {
  const states = memory()
  const files = {
    'models/batched.sql': `{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='loaded_at', batch_size='day', begin='2026-01-01') }}
select * from {{ source('raw', 'sales') }}`,
    'models/sources.yml': 'sources: [{name: raw, tables: [{name: sales, config: {event_time: loaded_at}}]}]',
  }
  const again = async (bounds: Record<string, string> = {}, startedAt = Date.UTC(2026, 0, 3, 12)) => {
    const flags = { others: { event_time_start: bounds['start'], event_time_end: bounds['end'] } }
    const { of, changes } = await run(files, { states, more: { startedAt, flags } })
    await changes.publish()
    return [of('batched').status, (await world.rows('select id from marts.batched order by id')).flat().join()]
  }
  expect(await again({ start: '2026-01-01', end: '2026-01-02' })).toEqual(['success', '1'])
  expect(await again({ start: '2026-01-01', end: '2026-01-02' })).toEqual(['no-op', '1'])
  expect(await again()).toEqual(['success', '1,2'])
  expect(await again()).toEqual(['no-op', '1,2'])
  expect((await again({}, Date.UTC(2026, 0, 4, 12)))[0]).toBe('success')
})
